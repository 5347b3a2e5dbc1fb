package store

import (
	"context"

	"onward"
)

// AddReplies adds to how many referrals an organisation was sent and answered in time. Only the system does. ENotFound for
// an organisation that is not there.
func (tx *Tx) AddReplies(ctx context.Context, organisation onward.ID, more onward.Replies) error {
	if err := more.Validate(); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO organisation_replies AS r (organisation_id, due, answered) VALUES ($1, $2, $3)
		ON CONFLICT (organisation_id) DO UPDATE SET due = r.due + excluded.due, answered = r.answered + excluded.answered`,
		organisation, more.Due, more.Answered)
	if constraintOf(err) == "organisation_replies_organisation_id_fkey" {
		return onward.Errorf(onward.ENotFound, "no organisation has this id")
	}
	return wrap("add replies", err)
}

// Replies counts, by organisation, how referrals were answered. Organisations that were never sent one are absent.
func (s *Store) Replies(ctx context.Context) (map[onward.ID]onward.Replies, error) {
	var rows []struct {
		OrganisationID onward.ID `db:"organisation_id"`
		Due            int       `db:"due"`
		Answered       int       `db:"answered"`
	}
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		return tx.selectAll(ctx, &rows, `SELECT organisation_id, due, answered FROM organisation_replies`)
	})
	replies := make(map[onward.ID]onward.Replies, len(rows))
	for _, row := range rows {
		replies[row.OrganisationID] = onward.Replies{Due: row.Due, Answered: row.Answered}
	}
	return replies, wrap("read replies", err)
}
