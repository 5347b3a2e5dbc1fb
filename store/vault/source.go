package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"onward"
)

// Source is where keys are.
type Source struct {
	KMS      string // the URI of the key of a KMS by which they are encrypted; empty: they are in the clear
	File     string // one of these two
	Variable string
}

// ParseSource reads file:PATH or env:VARIABLE, and before either the URI of the key of a KMS and a semicolon:
// aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID;file:PATH.
func ParseSource(text string) (s Source, err error) {
	at := text
	if uri, rest, ok := strings.Cut(text, ";"); ok {
		s.KMS, at = strings.TrimSpace(uri), strings.TrimSpace(rest)
		if _, err := awsKeyName(s.KMS); err != nil {
			return s, err
		}
	}
	kind, name, _ := strings.Cut(at, ":")
	switch {
	case kind == "file" && name != "":
		s.File = name
	case kind == "env" && name != "":
		s.Variable = name
	case strings.Contains(at, "://"):
		return s, onward.Errorf(onward.EInvalid, "say where the keys are that the KMS encrypts, as in aws-kms://ARN;file:PATH")
	default:
		return s, onward.Errorf(onward.EInvalid, "keys are read from file:PATH or env:VARIABLE, or from aws-kms://ARN;file:PATH when a KMS encrypts them")
	}
	return s, nil
}

// String is the source as ParseSource reads it.
func (s Source) String() string {
	at := "env:" + s.Variable
	if s.File != "" {
		at = "file:" + s.File
	}
	if s.KMS != "" {
		return s.KMS + ";" + at
	}
	return at
}

// kmsWithin is how long a KMS is waited for, all tries together. It is asked when a process starts and by commands, never by a request.
const kmsWithin = 10 * time.Second

// keysPurpose is what a KMS is told that it encrypts: the KMS decrypts nothing else in its place.
const keysPurpose = "keys"

// encrypted says whether a keyset as JSON is.
func encrypted(text []byte) bool {
	var keyset struct {
		Encrypted json.RawMessage `json:"encryptedKeyset"`
	}
	return json.Unmarshal(text, &keyset) == nil && keyset.Encrypted != nil
}

// parse reads keys as they are kept at the source.
func (s Source) parse(text []byte) (*Vault, error) {
	if s.KMS == "" {
		return Parse(text)
	}
	text, err := decoded(text)
	if err != nil {
		return nil, err
	}
	if !encrypted(text) {
		if _, err := Parse(text); err != nil {
			return nil, err
		}
		return nil, onward.Errorf(onward.EInvalid, "these keys are in the clear, and ONWARD_KEYS names a KMS; 'onward keys reencrypt --kms URI' encrypts them, with ONWARD_KEYS as it was before")
	}
	var handle *keyset.Handle
	err = s.withKMS(func(ctx context.Context, key tink.AEADWithContext) (err error) {
		handle, err = keyset.ReadWithContext(ctx, keyset.NewJSONReader(bytes.NewReader(text)), key, []byte(keysPurpose))
		return err
	})
	if err != nil {
		return nil, err
	}
	return of(handle)
}

// Marshal writes keys as they are kept at the source: encrypted where it names a KMS.
func (s Source) Marshal(v *Vault) ([]byte, error) {
	if s.KMS == "" {
		return v.Marshal()
	}
	var b bytes.Buffer
	err := s.withKMS(func(ctx context.Context, key tink.AEADWithContext) error {
		return v.handle.WriteWithContext(ctx, keyset.NewJSONWriter(&b), key, []byte(keysPurpose))
	})
	return b.Bytes(), err
}

// withKMS does something with the key of the KMS, within a time, and says of an error what to do.
func (s Source) withKMS(do func(context.Context, tink.AEADWithContext) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), kmsWithin)
	defer cancel()
	key, err := openAWSKey(ctx, s.KMS)
	if err != nil {
		return err
	}
	err = do(ctx, key)
	switch {
	case key.failed != nil:
		return awsError(s.KMS, key.failed)
	case err != nil:
		return errNoKeys() // the error might quote what it read
	default:
		return nil
	}
}

// errKMS is an error of a KMS with what to do.
func errKMS(code onward.Code, uri, format string, args ...any) *onward.Error {
	return onward.Errorf(code, "%s: %s", uri, fmt.Sprintf(format, args...))
}
