package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lib/pq"

	"onward"
)

// ReplayInput is all that a saved list was made from.
type ReplayInput struct {
	Request       onward.ReferralRequest // with its list
	Inputs        MatchInputs
	Opportunities []onward.Opportunity // those that were scored, as they were
	Missing       []onward.Ref         // versions that are not there any more
}

// ReplayInput loads what a saved list was made from. ENotFound for a request that is not there, EConflict for one without
// a list.
func (s *Store) ReplayInput(ctx context.Context, id onward.ID) (ReplayInput, error) {
	var in ReplayInput
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var row struct {
			requestRow
			Inputs []byte `db:"inputs"`
		}
		if err := tx.get(ctx, &row, `SELECT `+requestColumns+`, inputs FROM referral_requests WHERE id = $1`, id); err != nil {
			return notFound(err, "no referral request has this id")
		}
		var err error
		if in.Request, err = tx.whole(ctx, row.requestRow); err != nil {
			return err
		}
		if in.Request.List == nil {
			return onward.Errorf(onward.EConflict, "the request is %s: it has no list to replay", in.Request.Status)
		}
		inputs, err := s.packer.unpack(row.Inputs)
		if err == nil {
			err = json.Unmarshal(inputs, &in.Inputs)
		}
		if err != nil {
			return fmt.Errorf("read the inputs of request %s: %w", id, err)
		}
		return tx.versions(ctx, &in)
	})
	return in, wrap("load what a list was made from", err)
}

// versions reads the opportunities as they were scored.
func (tx *Tx) versions(ctx context.Context, in *ReplayInput) error {
	ids, versions := make([]string, len(in.Inputs.Scored)), make([]int64, len(in.Inputs.Scored))
	for i, ref := range in.Inputs.Scored {
		ids[i], versions[i] = ref.ID.String(), ref.Version
	}
	var rows []opportunityRow
	err := tx.selectAll(ctx, &rows, `SELECT o.id, o.organisation_id, g.name AS organisation, coalesce(p.country, g.country) AS country, o.version,
			o.status, o.close_reason, o.held, o.placed, o.fictional, o.published_at, o.created_at, o.updated_at, o.details
		FROM unnest($1::uuid[], $2::bigint[]) AS wanted (id, version)
		JOIN opportunity_versions v ON v.opportunity_id = wanted.id AND v.version = wanted.version
		CROSS JOIN LATERAL jsonb_populate_record(NULL::opportunities, v.body) o
		JOIN organisations g ON g.id = o.organisation_id LEFT JOIN places p ON p.id = o.place_id`, pq.Array(ids), pq.Array(versions))
	if err != nil {
		return err
	}
	if in.Opportunities, err = opportunitiesOf(rows); err != nil {
		return err
	}
	there := make(map[onward.Ref]bool, len(rows))
	for i := range in.Opportunities {
		o := &in.Opportunities[i]
		there[onward.Ref{ID: o.ID, Version: o.Version}] = true
		then, ok := in.Inputs.Organisations[o.OrganisationID]
		if !ok {
			continue
		}
		o.Organisation = then.Name
		if o.PlaceID == 0 && then.Country != "" {
			o.Country = then.Country
		}
	}
	for _, ref := range in.Inputs.Scored {
		if !there[ref] {
			in.Missing = append(in.Missing, ref)
		}
	}
	return nil
}
