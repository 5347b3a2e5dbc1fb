package store

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/lib/pq"

	"onward"
)

// fieldsOf are the fields of a person with what they hold: those of the identity by themselves, and no consents, of which each word is
// kept (consent_records).
func fieldsOf(d onward.ReturneeDetails) (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	for prefix, part := range map[string]any{"": d, "identity.": d.Identity} {
		body, err := marshal(part)
		if err != nil {
			return nil, err
		}
		of := map[string]json.RawMessage{}
		if err := json.Unmarshal(body, &of); err != nil {
			return nil, err
		}
		for name, value := range of {
			fields[prefix+name] = value
		}
	}
	delete(fields, "identity")
	delete(fields, "consents")
	return fields, nil
}

// changedFields are the fields that a change replaces, with what they held; null: nothing.
func changedFields(before, after onward.ReturneeDetails) (names []string, held map[string]json.RawMessage, err error) {
	was, err := fieldsOf(before)
	if err != nil {
		return nil, nil, err
	}
	is, err := fieldsOf(after)
	if err != nil {
		return nil, nil, err
	}
	held = map[string]json.RawMessage{}
	for name, value := range was {
		if !bytes.Equal(value, is[name]) {
			held[name] = value
		}
	}
	for name := range is {
		if _, ok := was[name]; !ok {
			held[name] = json.RawMessage("null")
		}
	}
	return slices.Sorted(maps.Keys(held)), held, nil
}

// changePlace is where something of a change is.
func changePlace(person onward.ID, version int64, field string) string {
	return fieldOf("returnee_changes", person.String()+" "+strconv.FormatInt(version, 10), field)
}

// keepChange keeps what was recorded of a person before a change, sealed under the person's key, in the transaction that changes it.
func (tx *Tx) keepChange(ctx context.Context, before onward.Returnee, after onward.ReturneeDetails) error {
	names, held, err := changedFields(before.ReturneeDetails, after)
	if err != nil || len(names) == 0 {
		return wrap("keep what was changed", err)
	}
	body, err := json.Marshal(held)
	if err != nil {
		return wrap("keep what was changed", err)
	}
	sealed, err := tx.sealText(ctx, before.ID, changePlace(before.ID, before.Version, "held"), string(body))
	if err != nil {
		return wrap("keep what was changed", err)
	}
	reason, err := tx.sealText(ctx, before.ID, changePlace(before.ID, before.Version, "reason"), tx.Actor.Why)
	if err != nil {
		return wrap("keep what was changed", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO returnee_changes (id, organisation_id, returnee_id, version, fields, held, reason, by_user, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		onward.NewID(), before.OrganisationID, before.ID, before.Version, pq.Array(names), string(sealed), string(reason), nilIfZero(tx.Actor.UserID), tx.now)
	return wrap("keep what was changed", err)
}

// ReturneeChanges lists what was recorded of a person before each change, the latest first.
func (tx *Tx) ReturneeChanges(ctx context.Context, id onward.ID, cursor Cursor) (Page[onward.ReturneeChange], error) {
	var page Page[onward.ReturneeChange]
	if err := tx.onCaseload(ctx, id); err != nil {
		return page, err
	}
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	var rows []struct {
		ID      onward.ID      `db:"id"`
		Version int64          `db:"version"`
		Fields  pq.StringArray `db:"fields"`
		Held    sealedText     `db:"held"`
		Reason  sealedText     `db:"reason"`
		By      onward.ID      `db:"by_user"`
		At      time.Time      `db:"at"`
	}
	if err := tx.selectAll(ctx, &rows, `SELECT id, version, fields, held, reason, by_user, at FROM returnee_changes WHERE returnee_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, id, after, limit+1); err != nil {
		return page, wrap("read changes", err)
	}
	list, held, texts := make([]onward.ReturneeChange, len(rows)), make([]string, len(rows)), make([]text, 0, 2*len(rows))
	for i, r := range rows {
		list[i] = onward.ReturneeChange{ID: r.ID, Version: r.Version, Fields: r.Fields, By: r.By, At: r.At}
		texts = append(texts, text{id, changePlace(id, r.Version, "held"), r.Held, &held[i]}, text{id, changePlace(id, r.Version, "reason"), r.Reason, &list[i].Reason})
	}
	if err := tx.openTexts(ctx, texts); err != nil {
		return page, wrap("read changes", err)
	}
	for i := range list {
		if held[i] != "" {
			if err := json.Unmarshal([]byte(held[i]), &list[i].Before); err != nil {
				return page, wrap("read changes", err)
			}
		}
	}
	tx.noteRead("returnee_changes", nil, id)
	return pageOf(list, limit, func(c onward.ReturneeChange) onward.ID { return c.ID }), nil
}
