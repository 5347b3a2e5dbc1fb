package store

import (
	"context"

	"github.com/lib/pq"

	"onward"
)

// Scarcity says of the opportunities of a list for how many other people each is the only good fit. Only those are named for
// which there is someone. ENotFound for a request whose person the actor may not see.
func (tx *Tx) Scarcity(ctx context.Context, request onward.ID) ([]onward.Scarcity, error) {
	q, err := tx.ReferralRequest(ctx, request)
	if err != nil {
		return nil, err
	}
	scarce := []onward.Scarcity{}
	if q.List == nil {
		return scarce, nil
	}
	ids := make([]onward.ID, len(q.List.Referrals))
	for i, r := range q.List.Referrals {
		ids[i] = r.Opportunity.ID
	}
	var rows []struct {
		OpportunityID onward.ID `db:"opportunity_id"`
		People        int       `db:"people"`
		Left          int       `db:"places_left"`
	}
	err = tx.selectAll(ctx, &rows, `SELECT f.opportunity_id, f.people, greatest(0, o.capacity - o.held - o.placed) AS places_left
		FROM only_good_fit_for($1, $2) f JOIN opportunities o ON o.id = f.opportunity_id ORDER BY f.people DESC, f.opportunity_id`, pq.Array(ids), q.ReturneeID)
	for _, row := range rows {
		scarce = append(scarce, onward.Scarcity{OpportunityID: row.OpportunityID, OnlyFor: row.People, PlacesLeft: row.Left})
	}
	return scarce, wrap("read scarcity", err)
}
