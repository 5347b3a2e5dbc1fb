package store

import (
	"context"
	"time"

	"onward"
)

type legalHoldRow struct {
	ID            onward.ID         `db:"id"`
	ReturneeID    onward.ID         `db:"returnee_id"`
	Kind          onward.RecordKind `db:"kind"`
	Reason        string            `db:"reason"`
	ReviewOn      time.Time         `db:"review_on"`
	PlacedBy      onward.ID         `db:"placed_by"`
	PlacedAt      time.Time         `db:"placed_at"`
	ReleasedBy    onward.ID         `db:"released_by"`
	ReleasedAt    *time.Time        `db:"released_at"`
	ReleaseReason string            `db:"release_reason"`
}

const selectLegalHold = `SELECT id, returnee_id, coalesce(kind, '') AS kind, reason, review_on, placed_by, placed_at, released_by, released_at, release_reason FROM legal_holds `

func (r legalHoldRow) hold() onward.LegalHold {
	return onward.LegalHold{
		ID: r.ID, LegalHoldDetails: onward.LegalHoldDetails{ReturneeID: r.ReturneeID, Kind: r.Kind, Reason: r.Reason, ReviewOn: onward.DateOf(r.ReviewOn)},
		PlacedBy: r.PlacedBy, PlacedAt: r.PlacedAt, ReleasedBy: r.ReleasedBy, ReleasedAt: r.ReleasedAt, ReleaseReason: r.ReleaseReason,
	}
}

// LegalHolds lists the holds of the actor's organisation, those that still hold first.
func (tx *Tx) LegalHolds(ctx context.Context) ([]onward.LegalHold, error) {
	if err := tx.managesRetention(); err != nil {
		return nil, err
	}
	var rows []legalHoldRow
	err := tx.selectAll(ctx, &rows, selectLegalHold+`WHERE organisation_id = $1 ORDER BY released_at IS NOT NULL, review_on, id LIMIT 500`, tx.Actor.OrganisationID)
	list := make([]onward.LegalHold, len(rows))
	for i, r := range rows {
		list[i] = r.hold()
	}
	return list, wrap("list legal holds", err)
}

// PlaceHold stops retention and erasure of a person, or of all records of a kind, until it is released.
func (tx *Tx) PlaceHold(ctx context.Context, d onward.LegalHoldDetails) (h onward.LegalHold, err error) {
	if err := tx.managesRetention(); err != nil {
		return h, err
	}
	if err := d.Validate(tx.today()); err != nil {
		return h, err
	}
	// What is going at this moment has gone, or stays.
	if _, err := tx.exec(ctx, `SELECT lock_holds($1, true)`, tx.Actor.OrganisationID); err != nil {
		return h, wrap("place a legal hold", err)
	}
	id := onward.NewID()
	_, err = tx.exec(ctx, `INSERT INTO legal_holds (id, organisation_id, returnee_id, kind, reason, review_on, placed_by, placed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, tx.Actor.OrganisationID, nilIfZero(d.ReturneeID), nilIfZero(string(d.Kind)), d.Reason, d.ReviewOn.String(), nilIfZero(tx.Actor.UserID), tx.now)
	if onward.CodeOf(err) == onward.EInvalid {
		return h, onward.Errorf(onward.ENotFound, "no returnee of your organisation has this id")
	}
	if err != nil {
		return h, wrap("place a legal hold", err)
	}
	return tx.legalHold(ctx, id)
}

func (tx *Tx) legalHold(ctx context.Context, id onward.ID) (onward.LegalHold, error) {
	var row legalHoldRow
	err := tx.get(ctx, &row, selectLegalHold+`WHERE id = $1`, id)
	return row.hold(), wrap("read legal hold", notFound(err, "no legal hold of your organisation has this id"))
}

// ReleaseHold ends a hold: what was due goes with the next turn, and erasures that people asked for are carried out. EConflict when it has ended.
func (tx *Tx) ReleaseHold(ctx context.Context, id onward.ID, reason string) (h onward.LegalHold, err error) {
	if err := tx.managesRetention(); err != nil {
		return h, err
	}
	if err := onward.ValidateReason("reason", reason); err != nil {
		return h, err
	}
	n, err := tx.exec(ctx, `UPDATE legal_holds SET released_by = $2, released_at = $3, release_reason = $4 WHERE id = $1 AND released_at IS NULL`, id, nilIfZero(tx.Actor.UserID), tx.now, reason)
	if err != nil {
		return h, wrap("release a legal hold", err)
	}
	if h, err = tx.legalHold(ctx, id); err == nil && n == 0 {
		err = onward.Errorf(onward.EConflict, "this legal hold was released already")
	}
	return h, err
}

// RemindHolds asks supervisors whether holds are still needed whose day of review has come: again every thirty days until somebody releases them.
func (s *Store) RemindHolds(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []struct {
			ID             onward.ID `db:"id"`
			OrganisationID onward.ID `db:"organisation_id"`
		}
		if err := tx.selectAll(ctx, &rows, `UPDATE legal_holds SET review_on = $1::date + 30 WHERE id = ANY(ARRAY(SELECT id FROM legal_holds WHERE released_at IS NULL AND review_on <= $1::date LIMIT $2 FOR UPDATE SKIP LOCKED))
			RETURNING id, organisation_id`, tx.today().String(), deadlineBatch); err != nil {
			return err
		}
		n = len(rows)
		var events []onward.Event
		for _, r := range rows {
			events = append(events, onward.Event{Kind: onward.EventHoldReview, OrganisationID: r.OrganisationID, Role: onward.RoleSupervisor, SubjectID: r.ID})
		}
		return tx.announce(ctx, events...)
	})
	return n, wrap("remind of legal holds", err)
}
