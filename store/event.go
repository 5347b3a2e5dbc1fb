package store

import (
	"context"
	"encoding/json"
	"time"

	"onward"
)

// announce writes events in this transaction, and promises to tell of them: what happened and who hears of it are one.
func (tx *Tx) announce(ctx context.Context, events ...onward.Event) error {
	if len(events) == 0 {
		return nil
	}
	for i := range events {
		events[i].ID, events[i].At = onward.NewID(), tx.now
	}
	rows, err := json.Marshal(events)
	if err != nil {
		return wrap("announce", err)
	}
	// One statement: a transition waits for as few round trips as it can.
	_, err = tx.exec(ctx, `WITH told AS (
			INSERT INTO events (id, kind, organisation_id, user_id, role, subject_id, status, at)
			SELECT id, kind, organisation_id, user_id, coalesce(role, ''), subject_id, coalesce(status, ''), at
			FROM jsonb_to_recordset($1::jsonb) e(id uuid, kind text, organisation_id uuid, user_id uuid, role text, subject_id uuid, status text, at timestamptz))
		INSERT INTO outbox (kind, payload) SELECT $2, jsonb_agg(jsonb_build_object('id', e.id)) FROM jsonb_to_recordset($1::jsonb) e(id uuid)`,
		string(rows), string(onward.WorkTell))
	return wrap("announce", err)
}

type eventRow struct {
	ID             onward.ID        `db:"id"`
	Kind           onward.EventKind `db:"kind"`
	OrganisationID onward.ID        `db:"organisation_id"`
	UserID         onward.ID        `db:"user_id"`
	Role           onward.Role      `db:"role"`
	SubjectID      onward.ID        `db:"subject_id"`
	Status         string           `db:"status"`
	At             time.Time        `db:"at"`
}

// Events lists what the actor is told, the latest first: what is for the user, or for the role. Supervisors see all of the organisation.
func (tx *Tx) Events(ctx context.Context, cursor Cursor) (Page[onward.Event], error) {
	after, limit, err := cursor.position()
	if err != nil {
		return Page[onward.Event]{}, err
	}
	var rows []eventRow
	err = tx.selectAll(ctx, &rows, `SELECT id, kind, organisation_id, user_id, role, subject_id, status, at FROM events
		WHERE id < $1 AND ($2::uuid IS NULL OR organisation_id = $2) AND ($3 OR user_id = $4 OR role = $5) ORDER BY id DESC LIMIT $6`,
		after, nilIfZero(tx.Actor.OrganisationID), tx.Actor.Role == onward.RoleSupervisor || tx.Actor.Role == onward.RoleSystem, nilIfZero(tx.Actor.UserID), string(tx.Actor.Role), limit+1)
	list := make([]onward.Event, len(rows))
	for i, row := range rows {
		list[i] = onward.Event(row)
	}
	return pageOf(list, limit, func(e onward.Event) onward.ID { return e.ID }), wrap("list events", err)
}
