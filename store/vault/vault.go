// Package vault seals what tells who a person is. Each person has a key of their own, and each field is sealed under it with the row and
// the name of the field as associated data, so that a ciphertext moved elsewhere does not open. The persons' keys are kept beside the data,
// wrapped by a key-encryption key that is not: a dump of the database opens nothing, and a person whose key is deleted is gone from every
// backup. Cryptography is Tink's: XChaCha20-Poly1305 for fields, a Tink keyset of AES-256-GCM for wrapping.
package vault

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/subtle/random"
	"github.com/tink-crypto/tink-go/v2/tink"

	"onward"
)

// Vault holds the key-encryption keys: the primary one wraps, older ones still unwrap. It may be used from many goroutines.
type Vault struct {
	handle  *keyset.Handle
	wrapper tink.AEAD
	primary uint32
}

// New makes a vault with a fresh key-encryption key.
func New() (*Vault, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return of(handle)
}

func of(handle *keyset.Handle) (*Vault, error) {
	wrapper, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use keys: %w", err)
	}
	primary, err := handle.Primary()
	if err != nil {
		return nil, fmt.Errorf("use keys: %w", err)
	}
	return &Vault{handle: handle, wrapper: wrapper, primary: primary.KeyID()}, nil
}

// Parse reads what Marshal wrote: a Tink keyset as JSON, also in base64, as environments take it better.
func Parse(text []byte) (*Vault, error) {
	text, err := decoded(text)
	if err != nil {
		return nil, err
	}
	if encrypted(text) {
		return nil, onward.Errorf(onward.EInvalid, "these keys are encrypted by a key of a KMS; name it before them, as in ONWARD_KEYS='aws-kms://ARN;file:PATH'")
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errNoKeys() // the error might quote what it read
	}
	return of(handle)
}

// decoded takes base64 away.
func decoded(text []byte) ([]byte, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] == '{' {
		return text, nil
	}
	text, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return nil, errNoKeys()
	}
	return text, nil
}

func errNoKeys() error {
	return onward.Errorf(onward.EInvalid, "this is no set of keys; 'onward keys create' makes one")
}

// Marshal writes the keys in the clear: to where only Onward reads.
func (v *Vault) Marshal() ([]byte, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(v.handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, fmt.Errorf("write keys: %w", err)
	}
	return b.Bytes(), nil
}

// Load reads the keys from a source (see ParseSource). Where the file is not there and create is true it is made, for Onward alone.
func Load(source string, create bool) (*Vault, error) {
	s, err := ParseSource(source)
	if err != nil {
		return nil, err
	}
	if s.Variable != "" {
		text := os.Getenv(s.Variable)
		if text == "" {
			return nil, onward.Errorf(onward.EInvalid, "the environment variable %s, which is to hold the keys, is empty", s.Variable)
		}
		return s.parse([]byte(text))
	}
	text, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) && create {
		return s.create()
	}
	if err != nil {
		return nil, onward.Errorf(onward.EInvalid, "the file of keys can't be read; 'onward keys create' makes one").Because(err)
	}
	if info, err := os.Stat(s.File); err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, onward.Errorf(onward.EInvalid, "the file of keys can be read by others; run: chmod 600 %s", s.File)
	}
	return s.parse(text)
}

func (s Source) create() (*Vault, error) {
	v, err := New()
	if err != nil {
		return nil, err
	}
	if err := s.save(v, false); errors.Is(err, fs.ErrExist) {
		return Load(s.String(), false) // another process was first
	} else if err != nil {
		return nil, err
	}
	return v, nil
}

// Save replaces the file of keys of a source.
func (s Source) Save(v *Vault) error { return s.save(v, true) }

// save writes beside the file first, so that keys are there whole or not at all.
func (s Source) save(v *Vault, replace bool) (err error) {
	if s.File == "" {
		return onward.Errorf(onward.EInvalid, "keys are saved to a file alone")
	}
	text, err := s.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.File), 0o755); err != nil { //nolint:gosec // an unprivileged Postgres has its data below the same folder
		return fmt.Errorf("save keys: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(s.File), ".keys-*") // 0600
	if err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	if replace {
		err = os.Rename(f.Name(), s.File)
	} else {
		err = os.Link(f.Name(), s.File)
	}
	if err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	return nil
}

// Rotated is the vault with a new primary key; what the old ones wrapped still opens.
func (v *Vault) Rotated() (*Vault, error) {
	manager := keyset.NewManagerFromHandle(v.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = manager.SetPrimary(id)
	}
	if err != nil {
		return nil, fmt.Errorf("add key: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("add key: %w", err)
	}
	return of(handle)
}

// Pruned is the vault without all but the primary key: what others wrapped is lost.
func (v *Vault) Pruned() (*Vault, error) {
	manager := keyset.NewManagerFromHandle(v.handle)
	for i := range v.handle.Len() {
		entry, err := v.handle.Entry(i)
		if err != nil {
			return nil, fmt.Errorf("remove key: %w", err)
		}
		if entry.KeyID() == v.primary {
			continue
		}
		if err := manager.Delete(entry.KeyID()); err != nil {
			return nil, fmt.Errorf("remove key: %w", err)
		}
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("remove key: %w", err)
	}
	return of(handle)
}

// Primary names the key that wraps now.
func (v *Vault) Primary() int64 { return int64(v.primary) }

// Keys is how many keys there are.
func (v *Vault) Keys() int { return v.handle.Len() }

// Wrap seals a secret of Onward's own, or a person's key, by the primary key. name is what it is for.
func (v *Vault) Wrap(secret []byte, name string) ([]byte, error) {
	wrapped, err := v.wrapper.Encrypt(secret, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("wrap key: %w", err)
	}
	return wrapped, nil
}

// Unwrap opens what Wrap sealed under the same name. EUnavailable when the key that did is not among these.
func (v *Vault) Unwrap(wrapped []byte, name string) ([]byte, error) {
	secret, err := v.wrapper.Decrypt(wrapped, []byte(name))
	if err != nil {
		return nil, onward.Errorf(onward.EUnavailable, "the keys of this server do not open this record; it needs the keys with which it was sealed")
	}
	return secret, nil
}

// Key seals fields: a person's own, which lives as long as the request, or one of Onward's.
type Key struct{ sealer tink.AEAD }

// NewKey makes one, with its wrapped form.
func (v *Vault) NewKey(name string) (Key, []byte, error) {
	secret := random.GetRandomBytes(32)
	wrapped, err := v.Wrap(secret, name)
	if err != nil {
		return Key{}, nil, err
	}
	key, err := keyOf(secret)
	return key, wrapped, err
}

// OpenKey is the person's key that was wrapped.
func (v *Vault) OpenKey(wrapped []byte, name string) (Key, error) {
	secret, err := v.Unwrap(wrapped, name)
	if err != nil {
		return Key{}, err
	}
	return keyOf(secret)
}

// KeyOf is a key of Onward's own, of 32 bytes.
func KeyOf(secret []byte) (Key, error) { return keyOf(secret) }

func keyOf(secret []byte) (Key, error) {
	sealer, err := subtle.NewXChaCha20Poly1305(secret)
	if err != nil {
		return Key{}, fmt.Errorf("use key: %w", err)
	}
	return Key{sealer}, nil
}

// Seal seals a value of a record; at names the table, the row and the field.
func (k Key) Seal(plain []byte, at string) ([]byte, error) {
	sealed, err := k.sealer.Encrypt(plain, []byte(at))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Open opens what was sealed at the same place.
func (k Key) Open(sealed []byte, at string) ([]byte, error) {
	plain, err := k.sealer.Decrypt(sealed, []byte(at))
	if err != nil {
		return nil, errors.New("a sealed value does not open: it was altered, or moved from elsewhere")
	}
	return plain, nil
}

// Blind is a keyed hash of a value, by which it can be found without being known. Those of two organisations differ.
func Blind(key []byte, organisation onward.ID, kind, value string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, organisation.String()+" "+kind+" "+value) // never fails
	return mac.Sum(nil)[:16]
}
