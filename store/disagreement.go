package store

import (
	"context"
	"encoding/json"
	"time"

	"onward"
)

// mostChoices is how many choices one report reads, the latest.
const mostChoices = 200_000

// Choices reads what counsellors chose since a day, of one agency or, for the zero id, of all. Nothing of them tells of a person.
// Only the system does.
func (s *Store) Choices(ctx context.Context, organisation onward.ID, since onward.Date) ([]onward.Choice, error) {
	var from time.Time
	if !since.IsZero() {
		from = since.Time()
	}
	var rows []struct {
		Rank   int                 `db:"rank"`
		Reason onward.ChoiceReason `db:"choice_reason"`
		Chosen []byte              `db:"chosen"`
	}
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		rows = nil
		return tx.selectAll(ctx, &rows, `SELECT rank, choice_reason, chosen FROM referrals
			WHERE ($1::uuid IS NULL OR organisation_id = $1) AND created_at >= $2 ORDER BY id DESC LIMIT $3`, nilIfZero(organisation), from, mostChoices)
	})
	if err != nil {
		return nil, wrap("read choices", err)
	}
	choices := make([]onward.Choice, len(rows))
	for i, row := range rows {
		var as chosen
		if err := json.Unmarshal(row.Chosen, &as); err != nil {
			return nil, wrap("read choices", err)
		}
		choices[i] = onward.Choice{Rank: row.Rank, Reason: row.Reason, Chosen: as.ScoreParts, First: as.First, Overridden: as.Overridden}
	}
	return choices, nil
}
