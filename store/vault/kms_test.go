package vault_test

import (
	"bytes"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/internal/testenv"
	"onward/store/vault"
)

func wantError(t *testing.T, err error, code onward.Code, says string) {
	t.Helper()
	if onward.CodeOf(err) != code || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %s and %q", err, code, says)
	}
}

func TestSourcesOfKeys(t *testing.T) {
	t.Parallel()
	const key = "aws-kms://arn:aws:kms:eu-west-1:111122223333:key/0d9e"
	for text, want := range map[string]vault.Source{
		"file:/a/b":        {File: "/a/b"},
		"env:KEYS":         {Variable: "KEYS"},
		key + ";file:/a/b": {KMS: key, File: "/a/b"},
		key + ";env:KEYS":  {KMS: key, Variable: "KEYS"},
		"aws-kms://arn:aws-us-gov:kms:us-gov-west-1:1:alias/onward;file:a": {KMS: "aws-kms://arn:aws-us-gov:kms:us-gov-west-1:1:alias/onward", File: "a"},
	} {
		if got, err := vault.ParseSource(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"": "file:PATH", "file:": "file:PATH", "/a/b": "file:PATH", "https://a": "KMS encrypts",
		key:                     "say where the keys are",
		key + ";/a/b":           "file:PATH",
		"hcvault://a/b;file:a":  "aws-kms://arn",
		"aws-kms://0d9e;file:a": "aws-kms://arn",
		"aws-kms://arn:aws:s3:eu-west-1:1:key/1;file:a": "aws-kms://arn",
		"aws-kms://arn:aws:kms::1:key/1;file:a":         "aws-kms://arn",
	} {
		_, err := vault.ParseSource(text)
		wantError(t, err, onward.EInvalid, says)
	}
}

// saved makes keys at a source.
func saved(t *testing.T, source string) (*vault.Vault, []byte) {
	t.Helper()
	v, err := vault.Load(source, true)
	if err != nil {
		t.Fatal(err)
	}
	s, err := vault.ParseSource(source)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		t.Fatal(err)
	}
	return v, text
}

func TestKeysAreEncryptedByAKMS(t *testing.T) {
	server := testenv.KMS(t)
	first, second := server.NewKey(t), server.NewKey(t)
	path := filepath.Join(t.TempDir(), "keys.json")
	made, text := saved(t, first+";file:"+path)
	clear, err := made.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(`"keyData"`)) || !bytes.Contains(text, []byte(`"encryptedKeyset"`)) || bytes.Contains(text, clear) {
		t.Errorf("the file holds %s", text)
	}
	wrapped, err := made.Wrap([]byte("secret"), "a")
	if err != nil {
		t.Fatal(err)
	}
	opens := func(source string) {
		t.Helper()
		v, err := vault.Load(source, false)
		if err != nil {
			t.Error(err)
			return
		}
		if secret, err := v.Unwrap(wrapped, "a"); err != nil || string(secret) != "secret" {
			t.Errorf("%s: %q, %v", source, secret, err)
		}
	}
	opens(first + ";file:" + path)
	t.Setenv("TEST_KEYS", base64.StdEncoding.EncodeToString(text))
	opens(first + ";env:TEST_KEYS")

	// Another key of the KMS, none, and the clear where it is not meant.
	_, err = vault.Load(second+";file:"+path, false)
	wantError(t, err, onward.EInvalid, "not the key that encrypted")
	_, err = vault.Load("file:"+path, false)
	wantError(t, err, onward.EInvalid, "name it before them")
	_, err = vault.Load(first[:len(first)-4]+"0000;file:"+path, false)
	wantError(t, err, onward.EInvalid, "no such key")
	t.Setenv("TEST_KEYS", string(clear))
	_, err = vault.Load(first+";env:TEST_KEYS", false)
	wantError(t, err, onward.EInvalid, "in the clear")
	t.Setenv("TEST_KEYS", `{"encryptedKeyset": "?"}`)
	_, err = vault.Load(first+";env:TEST_KEYS", false)
	wantError(t, err, onward.EInvalid, "no set of keys")
	t.Setenv("TEST_KEYS", "hello")
	_, err = vault.Load(first+";env:TEST_KEYS", false)
	wantError(t, err, onward.EInvalid, "no set of keys")

	// To another key of the KMS, with a key more: what the first one opened still opens.
	rotated, err := made.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	if err := (vault.Source{KMS: second, File: path}).Save(rotated); err != nil {
		t.Fatal(err)
	}
	opens(second + ";file:" + path)
	server.Disable(t, first) // nobody needs it any more
	opens(second + ";file:" + path)

	server.Disable(t, second)
	_, err = vault.Load(second+";file:"+path, false)
	wantError(t, err, onward.EUnavailable, "enable it")
}

func TestAKMSThatIsAwaySaysWhatToDo(t *testing.T) {
	server := testenv.KMS(t)
	source := server.NewKey(t) + ";file:" + filepath.Join(t.TempDir(), "keys.json")
	v, _ := saved(t, source)
	server.Stop(t)
	began := time.Now()
	_, err := vault.Load(source, false)
	wantError(t, err, onward.EUnavailable, "does not answer")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	// What is loaded goes on: the KMS is not asked for it.
	if _, err := v.Wrap([]byte("secret"), "a"); err != nil {
		t.Error(err)
	}
	server.Start(t)
	if _, err := vault.Load(source, false); err != nil {
		t.Errorf("after it is back: %v", err)
	}

	// One that takes the connection and says nothing.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	t.Setenv("AWS_ENDPOINT_URL_KMS", "http://"+listener.Addr().String())
	began = time.Now()
	_, err = vault.Load(source, false)
	wantError(t, err, onward.EUnavailable, "does not answer")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("one that hangs is waited for %s", took)
	}
}

// TestAKMSThatRefusesSaysWhatToDo answers as AWS does without a permission: no server that could be had here knows permissions.
func TestAKMSThatRefusesSaysWhatToDo(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","Message":"User: x is not authorized to perform: kms:Decrypt"}`))
	}))
	defer refusing.Close()
	t.Setenv("AWS_ENDPOINT_URL_KMS", refusing.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	source := "aws-kms://arn:aws:kms:eu-west-1:111122223333:key/0d9e;file:" + filepath.Join(t.TempDir(), "keys.json")
	_, err := vault.Load(source, true)
	wantError(t, err, onward.EUnavailable, "allow them kms:Decrypt")

	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	_, err = vault.Load(source, true)
	wantError(t, err, onward.EUnavailable, "no credentials")
}
