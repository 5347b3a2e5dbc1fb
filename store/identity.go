package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"onward"
	"onward/store/vault"
)

// The kinds of tokens by which people are found.
const (
	tokenName   = "name"   // one word of a name
	tokenPhone  = "phone"  // its last digits, since people write the country in many ways
	tokenEmail  = "email"  //
	tokenPerson = "person" // all words of the name with the birth date
	tokenCase   = "case"   // the case number, exactly
)

// identityToken is a keyed hash of something that identifies a person.
type identityToken struct {
	ReturneeID     onward.ID `json:"returnee_id"`
	OrganisationID onward.ID `json:"organisation_id"`
	Kind           string    `json:"kind"`
	Token          string    `json:"token"` // hex
}

// sealedIdentity is the identity of a person as it is stored.
type sealedIdentity struct {
	Fields []byte // JSON: the name of each field with its sealed value
	Key    []byte // the person's, wrapped
	KeyID  int64
	Tokens []identityToken
}

// personKey names the key of a person to the vault, so that the wrapped key of one opens nothing of another.
func personKey(id onward.ID) string { return "returnee " + id.String() }

// identityField names a field of a person to the vault.
func identityField(id onward.ID, field string) string {
	return fieldOf("returnee_identities", id.String(), field)
}

// sealIdentity seals what identifies a person, under the person's key or, when wrapped is empty, under a new one.
func (tx *Tx) sealIdentity(ctx context.Context, id, organisation onward.ID, wrapped []byte, keyID int64, d onward.ReturneeDetails) (sealed sealedIdentity, err error) {
	blind, err := tx.store.blindKey(ctx)
	if err != nil {
		return sealed, err
	}
	return sealIdentity(tx.store.vault, blind, id, organisation, wrapped, keyID, d)
}

func sealIdentity(v *vault.Vault, blind []byte, id, organisation onward.ID, wrapped []byte, keyID int64, d onward.ReturneeDetails) (sealed sealedIdentity, err error) {
	var key vault.Key
	if len(wrapped) == 0 {
		key, wrapped, err = v.NewKey(personKey(id))
		keyID = v.Primary()
	} else {
		key, err = v.OpenKey(wrapped, personKey(id))
	}
	if err != nil {
		return sealed, err
	}
	fields := map[string]json.RawMessage{}
	text, err := marshal(d.Identity)
	if err != nil {
		return sealed, err
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		return sealed, err
	}
	if !d.BirthDate.IsZero() {
		fields["birth_date"] = json.RawMessage(`"` + d.BirthDate.String() + `"`)
	}
	if d.ExternalID != "" {
		if fields["external_id"], err = marshal(d.ExternalID); err != nil {
			return sealed, err
		}
	}
	values := make(map[string][]byte, len(fields)) // base64 in JSON
	for name, value := range fields {
		if values[name], err = key.Seal(value, identityField(id, name)); err != nil {
			return sealed, err
		}
	}
	sealed = sealedIdentity{Key: wrapped, KeyID: keyID, Tokens: tokensOf(blind, id, organisation, d)}
	sealed.Fields, err = json.Marshal(values)
	return sealed, err
}

// openIdentity opens the fields of a person into anything that has them by name.
func (s *Store) openIdentity(id onward.ID, fields, wrapped []byte, into any) error {
	if len(wrapped) == 0 || len(fields) == 0 {
		return nil // erased
	}
	key, err := s.vault.OpenKey(wrapped, personKey(id))
	if err != nil {
		return err
	}
	var values map[string][]byte
	if err := json.Unmarshal(fields, &values); err != nil {
		return fmt.Errorf("read identity of %s: %w", id, err)
	}
	opened := make(map[string]json.RawMessage, len(values))
	for name, sealed := range values {
		if opened[name], err = key.Open(sealed, identityField(id, name)); err != nil {
			return fmt.Errorf("open identity of %s: %w", id, err)
		}
	}
	text, err := json.Marshal(opened)
	if err != nil {
		return fmt.Errorf("open identity of %s: %w", id, err)
	}
	return json.Unmarshal(text, into)
}

// openShared opens what a function of the database hands out of a person.
func (s *Store) openShared(text []byte, into any) (person onward.ID, language string, err error) {
	var shared struct {
		ReturneeID onward.ID       `json:"returnee_id"`
		Key        string          `json:"key"` // base64 in lines, as Postgres writes it
		Language   string          `json:"language"`
		Fields     json.RawMessage `json:"fields"`
	}
	if err := json.Unmarshal(text, &shared); err != nil {
		return shared.ReturneeID, "", err
	}
	wrapped, err := base64.StdEncoding.DecodeString(shared.Key) // which skips the ends of lines
	if err != nil {
		return shared.ReturneeID, "", fmt.Errorf("read identity of %s: %w", shared.ReturneeID, err)
	}
	return shared.ReturneeID, shared.Language, s.openIdentity(shared.ReturneeID, shared.Fields, wrapped, into)
}

// endOfMonth is what is known of a birth date without the identity: enough for legal ages, never too old.
func endOfMonth(d onward.Date) onward.Date {
	if d.IsZero() {
		return d
	}
	t := d.Time()
	return onward.DateOf(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC))
}

// caseToken is the keyed hash of a case number, in hex; empty without one.
func caseToken(tokens []identityToken) string {
	for _, t := range tokens {
		if t.Kind == tokenCase {
			return t.Token
		}
	}
	return ""
}

// tokensOf are the keyed hashes by which a person is found.
func tokensOf(blind []byte, id, organisation onward.ID, d onward.ReturneeDetails) (tokens []identityToken) {
	add := func(kind, value string) {
		if value != "" {
			tokens = append(tokens, identityToken{id, organisation, kind, fmt.Sprintf("%x", vault.Blind(blind, organisation, kind, value))})
		}
	}
	add(tokenCase, d.ExternalID)
	names := nameWords(d.Identity.GivenName + " " + d.Identity.FamilyName)
	for _, w := range names {
		add(tokenName, w)
	}
	add(tokenPhone, phoneDigits(d.Identity.Phone))
	add(tokenEmail, strings.ToLower(strings.TrimSpace(d.Identity.Email)))
	if len(names) > 1 && !d.BirthDate.IsZero() {
		add(tokenPerson, strings.Join(names, " ")+" "+d.BirthDate.String())
	}
	return tokens
}

// nameWords are the words of a name, each once and in order, without case and accents.
func nameWords(name string) []string {
	plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFKC), name)
	if err != nil {
		plain = name
	}
	words := strings.FieldsFunc(strings.ToLower(plain), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(words)
	return slices.Compact(words)
}

// phoneDigits are the last nine digits: with and without the country, it is the same phone.
func phoneDigits(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
	return digits[max(0, len(digits)-9):]
}

// blindKeyName is the key of identity tokens among those of Onward.
const blindKeyName = "identity-tokens"

// blindKey is read once.
func (s *Store) blindKey(ctx context.Context) ([]byte, error) {
	if key := s.blind.Load(); key != nil {
		return *key, nil
	}
	var key []byte
	err := s.InTx(ctx, onward.System(), func(tx *Tx) (err error) {
		key, err = tx.ownKey(ctx, blindKeyName)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.blind.Store(&key)
	return key, nil
}

// AddressToken is a keyed hash of an address, by which requests are counted without keeping it.
func (s *Store) AddressToken(address string) string {
	key := s.blind.Load()
	if key == nil { // read when the store was opened, but of a database that was not migrated
		return ""
	}
	return fmt.Sprintf("%x", vault.Blind(*key, onward.ID{}, "address", address))
}

// Duplicates lists who may be the same person: whoever has the same phone, e-mail address, or name and birth date.
func (tx *Tx) Duplicates(ctx context.Context, id onward.ID) (list []onward.Duplicate, err error) {
	if _, err := tx.Returnee(ctx, id); err != nil {
		return nil, err
	}
	list = []onward.Duplicate{}
	return list, wrap("find duplicates", tx.selectAll(ctx, &list, `SELECT o.returnee_id, r.counsellor_id, min(o.kind) AS because
		FROM identity_tokens t JOIN identity_tokens o ON o.organisation_id = t.organisation_id AND o.token = t.token AND o.returnee_id <> t.returnee_id
		JOIN returnees r ON r.id = o.returnee_id
		WHERE t.returnee_id = $1 AND t.kind IN ('phone', 'email', 'person') GROUP BY o.returnee_id, r.counsellor_id ORDER BY o.returnee_id LIMIT 100`, id))
}
