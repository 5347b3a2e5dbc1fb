package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"onward"
	"onward/store/vault"
)

// Words that somebody writes about a person are sealed under the person's key, as the identity is: the table, the row and the field belong to
// what is sealed. To add such a field:
//
//   - make the column text (or a string in jsonb), with CHECK (is_sealed(column)) in a constraint named <table>_sealed, and name it in
//     sealedTables;
//   - write it with sealText, and have the row keep it as sealedText, which can be written back as it is;
//   - read it with openTexts, all texts of a page in one call. Who may not have the key, as workers, gets nothing in its place.
//
// When the key goes, by erasure, the words can be read no more; erase_returnee clears them as well.

// sealedText is words as they are stored, empty or sealed.
type sealedText string

// textMark begins a sealed text, as is_sealed of the database knows it.
const textMark = "sealed:"

// text is a sealed text, and where its words go.
type text struct {
	person onward.ID
	place  string // see fieldOf
	sealed sealedText
	into   *string
}

// fieldOf names a field of a row to the vault. Rows without an id of their own are named by lineOf.
func fieldOf(table, row, field string) string { return table + " " + row + " " + field }

// lineOf names a line of a history by whose it is, when it was written and what happened.
func lineOf(of onward.ID, at time.Time, what string) string {
	return of.String() + " " + strconv.FormatInt(at.UnixMicro(), 10) + " " + what
}

// sealText seals words about a person. EConflict when the person was erased.
func (tx *Tx) sealText(ctx context.Context, person onward.ID, place, words string) (sealedText, error) {
	if words == "" {
		return "", nil
	}
	if !storable(words) {
		return "", errUnstorable()
	}
	if err := tx.loadKeys(ctx, person); err != nil {
		return "", err
	}
	key, ok := tx.keys[person]
	if !ok {
		return "", onward.Errorf(onward.EConflict, "nothing can be written about this person any more; read the record again")
	}
	return sealWords(key, place, words)
}

func sealWords(key vault.Key, place, words string) (sealedText, error) {
	sealed, err := key.Seal([]byte(words), place)
	if err != nil {
		return "", err
	}
	return sealedText(textMark + base64.RawStdEncoding.EncodeToString(sealed)), nil
}

// openTexts opens the words of a page. Those of people whose key is gone, or is not the actor's to have, stay empty.
func (tx *Tx) openTexts(ctx context.Context, texts []text) error {
	people := make([]onward.ID, 0, len(texts))
	for _, t := range texts {
		if t.sealed != "" {
			people = append(people, t.person)
		}
	}
	if err := tx.loadKeys(ctx, people...); err != nil {
		return err
	}
	for _, t := range texts {
		*t.into = ""
		key, ok := tx.keys[t.person]
		if t.sealed == "" || !ok {
			continue
		}
		words, err := openWords(key, t.place, t.sealed)
		if err != nil {
			return err
		}
		*t.into = words
	}
	return nil
}

func openWords(key vault.Key, place string, sealed sealedText) (string, error) {
	encoded, ok := strings.CutPrefix(string(sealed), textMark)
	if !ok {
		return "", onward.Errorf(onward.EUnavailable, "something is not sealed yet; run 'onward migrate', and let it come to its end")
	}
	raw, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("open text of %s: %w", place, err)
	}
	words, err := key.Open(raw, place)
	if err != nil {
		return "", fmt.Errorf("open text of %s: %w", place, err)
	}
	return string(words), nil
}

// wrappedKey is a person's key as it is stored.
type wrappedKey struct {
	ReturneeID onward.ID `db:"returnee_id"`
	Key        []byte    `db:"key"`
}

// loadKeys opens the keys of people that the transaction has not opened yet, as far as the actor may have them: one query a page, one
// unwrapping a person.
func (tx *Tx) loadKeys(ctx context.Context, people ...onward.ID) error {
	if tx.Actor.Role == onward.RoleSystem {
		return nil // workers move what is sealed, and open nothing; holders of links bring their key (loadLinkedKey)
	}
	var missing []string
	for _, id := range people {
		if _, known := tx.keys[id]; !known {
			missing = append(missing, id.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing) // a person with several texts is asked for once
	var rows []wrappedKey
	if err := tx.selectAll(ctx, &rows, `SELECT returnee_id, key FROM text_keys($1::uuid[])`, pq.Array(slices.Compact(missing))); err != nil {
		return wrap("read keys", err)
	}
	return tx.keepKeys(rows)
}

// loadLinkedKey opens the key of the person of a referral for who holds a link to answer it.
func (tx *Tx) loadLinkedKey(ctx context.Context, link onward.ID) error {
	var rows []wrappedKey
	if err := tx.selectAll(ctx, &rows, `SELECT returnee_id, key FROM linked_text_key($1, $2)`, link, tx.now); err != nil {
		return wrap("read keys", err)
	}
	return tx.keepKeys(rows)
}

func (tx *Tx) keepKeys(rows []wrappedKey) error {
	for _, row := range rows {
		key, err := tx.store.vault.OpenKey(row.Key, personKey(row.ReturneeID))
		if err != nil {
			return err
		}
		if tx.keys == nil {
			tx.keys = map[onward.ID]vault.Key{}
		}
		tx.keys[row.ReturneeID] = key
	}
	return nil
}

// sealedTable is a table with columns of sealed text, in SQL for a row t of it.
type sealedTable struct {
	name   string
	person string // whose key it is
	row    string // as in fieldOf
	fields []string
	json   bool // the columns are jsonb, of which the words are the text of the whole
}

const lineSQL = ` || ' ' || (extract(epoch FROM t.at) * 1000000)::bigint || ' ' || `

// sealedTables are all of them but referral_requests, whose words are inside of JSON (see plainRequests).
var sealedTables = []sealedTable{
	{name: "referrals", person: `t.returnee_id`, row: `t.id::text`, fields: []string{"choice_note", "told", "question", "information"}},
	{name: "referral_steps", person: `(SELECT returnee_id FROM referrals WHERE id = t.referral_id)`, row: `t.referral_id` + lineSQL + `t.event`, fields: []string{"note"}},
	{name: "check_ins", person: `t.returnee_id`, row: `t.id::text`, fields: []string{"answers"}, json: true},
	{name: "check_in_attempts", person: `(SELECT returnee_id FROM check_ins WHERE id = t.check_in_id)`, row: `t.check_in_id` + lineSQL + `t.outcome`, fields: []string{"note"}},
	{
		name: "alert_entries", person: `(SELECT r.returnee_id FROM alerts a JOIN referrals r ON r.id = a.referral_id WHERE a.id = t.alert_id)`,
		row: `t.alert_id` + lineSQL + `t.action`, fields: []string{"note"},
	},
}
