package vault_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"onward"
	"onward/store/vault"
)

func TestKeysAreMadeOnceAndReadAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "below", "keys.json")
	if _, err := vault.Load("file:"+path, false); onward.CodeOf(err) != onward.EInvalid {
		t.Errorf("without a file: %v", err)
	}
	made, err := vault.Load("file:"+path, true)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := made.Wrap([]byte("secret"), "a")
	if err != nil {
		t.Fatal(err)
	}
	again, err := vault.Load("file:"+path, true)
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := again.Unwrap(wrapped, "a"); err != nil || string(secret) != "secret" {
		t.Errorf("%q, %v", secret, err)
	}
	if _, err := again.Unwrap(wrapped, "b"); onward.CodeOf(err) != onward.EUnavailable {
		t.Errorf("under another name: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // that is what is refused
		t.Fatal(err)
	}
	if _, err := vault.Load("file:"+path, true); onward.CodeOf(err) != onward.EInvalid || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
}

func TestKeysFromTheEnvironment(t *testing.T) {
	v, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	text, err := v.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{string(text), base64.StdEncoding.EncodeToString(text) + "\n"} {
		t.Setenv("TEST_KEYS", value)
		if got, err := vault.Load("env:TEST_KEYS", false); err != nil || got.Primary() != v.Primary() {
			t.Errorf("%v", err)
		}
	}
	for _, value := range []string{"", "{}", "not base64!", "aGVsbG8=", `{"primaryKeyId": 1, "key": "s3cret"}`} {
		t.Setenv("TEST_KEYS", value)
		if _, err := vault.Load("env:TEST_KEYS", false); onward.CodeOf(err) != onward.EInvalid || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", value, err)
		}
	}
	if _, err := vault.Load("kms://there", false); onward.CodeOf(err) != onward.EInvalid {
		t.Errorf("%v", err)
	}
}

func TestWhatIsSealedOpensInItsPlaceAlone(t *testing.T) {
	t.Parallel()
	v, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	key, wrapped, err := v.NewKey("one")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal([]byte("name"), "row 1 name")
	if err != nil {
		t.Fatal(err)
	}
	again, err := v.OpenKey(wrapped, "one")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open(sealed, "row 1 name"); err != nil || string(plain) != "name" {
		t.Errorf("%q, %v", plain, err)
	}
	if _, err := again.Open(sealed, "row 2 name"); err == nil {
		t.Error("it opens elsewhere")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := again.Open(sealed, "row 1 name"); err == nil {
		t.Error("it opens altered")
	}
	if _, err := v.OpenKey(wrapped, "two"); err == nil {
		t.Error("the key of one person opens as another's")
	}
	other, _, err := v.NewKey("one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(sealed, "row 1 name"); err == nil {
		t.Error("another key opens it")
	}
}

func TestBlindTokensDifferBetweenOrganisations(t *testing.T) {
	t.Parallel()
	a, b := onward.NewID(), onward.NewID()
	key := []byte("key")
	same := string(vault.Blind(key, a, "name", "maria"))
	if same != string(vault.Blind(key, a, "name", "maria")) || same == string(vault.Blind(key, b, "name", "maria")) || same == string(vault.Blind(key, a, "email", "maria")) ||
		same == string(vault.Blind([]byte("other"), a, "name", "maria")) {
		t.Error("tokens of different things are alike")
	}
}
