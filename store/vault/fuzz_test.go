package vault_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"onward"
	"onward/store/vault"
)

// A file of keys is read or refused without being quoted; keys that were read can be used and written again.
func FuzzKeys(f *testing.F) {
	made, err := vault.New()
	if err != nil {
		f.Fatal(err)
	}
	text, err := made.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(base64.StdEncoding.EncodeToString(text)))
	f.Add([]byte(`{"primaryKeyId":1,"key":[]}`))
	f.Add([]byte(`{"primaryKeyId":1,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.HmacKey","value":"","keyMaterialType":"SYMMETRIC"},"status":"ENABLED","keyId":1,"outputPrefixType":"RAW"}]}`))
	f.Add(bytes.Replace(text, []byte("AesGcmKey"), []byte("AesEaxKey"), 1))
	f.Add([]byte("  "))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := vault.Parse(text)
		if err != nil {
			if trimmed := strings.TrimSpace(string(text)); len(trimmed) > 20 && strings.Contains(err.Error(), trimmed) {
				t.Fatalf("the error quotes the keys: %v", err)
			}
			return
		}
		wrapped, err := v.Wrap([]byte("secret of a person"), "returnee a")
		if err != nil {
			return // Tink refuses to use a key of its own reading, such as one that is not enabled
		}
		if bytes.Contains(wrapped, []byte("secret")) {
			t.Fatalf("keys that do not seal were taken: %s", text)
		}
		if plain, err := v.Unwrap(wrapped, "returnee a"); err != nil || string(plain) != "secret of a person" {
			t.Fatalf("%q %v", plain, err)
		}
		if _, err := v.Unwrap(wrapped, "returnee b"); onward.CodeOf(err) != onward.EUnavailable {
			t.Fatalf("it opens for another: %v", err)
		}
		written, err := v.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := vault.Parse(written)
		if err != nil || again.Primary() != v.Primary() || again.Keys() != v.Keys() {
			t.Fatalf("%s was written as %s: %v", text, written, err)
		}
	})
}
