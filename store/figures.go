package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"golang.org/x/sync/errgroup"

	"onward"
)

// mayFigure is EForbidden for roles that see no figures.
func mayFigure(actor onward.Actor) error {
	switch actor.Role {
	case onward.RoleAnalyst, onward.RoleSupervisor, onward.RoleAdministrator, onward.RoleSystem:
		return nil
	case onward.RoleCounsellor, onward.RoleEmployer, onward.RolePartner:
	}
	return onward.Errorf(onward.EForbidden, "only analysts, supervisors and administrators see figures of the programme")
}

// stageOf is what became of a referral, in SQL: each is in one stage.
const stageOf = `CASE WHEN r.outcome = 'lost' THEN 'lost' WHEN r.outcome = 'moved_on' THEN 'moved_on' WHEN r.outcome = 'lasting' THEN 'lasting'
		WHEN r.outcome = 'ended_early' THEN 'early' WHEN r.outcome <> '' THEN 'other' WHEN r.status = 'placed' THEN 'placed'
		WHEN r.status IN ('requested', 'accepted', 'on_hold', 'in_progress') THEN 'waiting' WHEN r.status IN ('declined', 'expired') THEN 'refused' ELSE 'dropped' END`

// Figures are what the actor's organisation publishes of its referrals and placements, made by publish from what is counted. Once there
// is something to publish it is kept, and the same for everybody until the month is over. The system may name an organisation, or none
// for all.
func (s *Store) Figures(ctx context.Context, actor onward.Actor, organisation onward.ID, publish func(onward.FigureCounts) onward.Figures) (f onward.Figures, err error) {
	if err := mayFigure(actor); err != nil {
		return f, err
	}
	if actor.Role != onward.RoleSystem {
		organisation = actor.OrganisationID
	}
	kept := func(tx *Tx) (bool, error) {
		var body []byte
		err := tx.get(ctx, &body, `SELECT body FROM figures WHERE organisation_id = $1 AND month = date_trunc('month', $2::date)`, organisation, tx.today().String())
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, json.Unmarshal(body, &f)
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		f = onward.Figures{}
		if found, err := kept(tx); found || err != nil {
			return err
		}
		// Two that count at once would publish two moments.
		if _, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('figures ' || $1::text, 0))`, organisation); err != nil {
			return err
		}
		if found, err := kept(tx); found || err != nil {
			return err
		}
		counts, err := tx.figureCounts(ctx, organisation)
		if err != nil {
			return err
		}
		f = publish(counts)
		if !f.Published() {
			return nil
		}
		body, err := json.Marshal(f)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO figures (organisation_id, month, body, counted_at) VALUES ($1, date_trunc('month', $2::date), $3, $4)`,
			organisation, tx.today().String(), string(body), tx.now)
		return err
	})
	return f, wrap("count figures", err)
}

// figureCounts counts the referrals and placements of an organisation, zero for all. The database adds up; no row of a person leaves it.
// The three are counted beside each other: each is one scan.
func (tx *Tx) figureCounts(ctx context.Context, organisation onward.ID) (c onward.FigureCounts, err error) {
	c.At = tx.now
	if c.Key, err = tx.ownKey(ctx, "figures"); err != nil {
		return c, err
	}
	var counting errgroup.Group
	for _, count := range []func(*Tx) error{
		func(tx *Tx) (err error) { c.Funnel, err = tx.funnel(ctx, organisation); return err },
		func(tx *Tx) (err error) { c.Times, err = tx.times(ctx, organisation); return err },
		func(tx *Tx) (err error) { c.Spans, err = tx.spans(ctx, organisation); return err },
	} {
		counting.Go(func() error { return tx.store.InTx(ctx, onward.System(), count) })
	}
	return c, counting.Wait()
}

// funnel counts referrals by what became of them: by what is stored first, which is quick and leaves few groups, and named then.
func (tx *Tx) funnel(ctx context.Context, organisation onward.ID) (counts []onward.FunnelCount, err error) {
	return counts, tx.selectAll(ctx, &counts, `WITH r AS (
			SELECT date_trunc('quarter', sent_at AT TIME ZONE 'UTC') AS quarter, kind, place_id, status, outcome, count(*) AS n
			FROM referrals WHERE sent_at IS NOT NULL AND ($1::uuid IS NULL OR organisation_id = $1) GROUP BY 1, 2, 3, 4, 5)
		SELECT to_char(r.quarter, 'YYYY-"Q"Q') AS quarter, r.kind, coalesce(nullif(g.admin1_name, ''), g.country, 'remote') AS region, `+stageOf+` AS stage, sum(r.n)::bigint AS count
		FROM r LEFT JOIN places g ON g.id = r.place_id GROUP BY 1, 2, 3, 4`, nilIfZero(organisation))
}

// times counts referrals by the hours from one state to the next.
func (tx *Tx) times(ctx context.Context, organisation onward.ID) (counts []onward.TimeCount, err error) {
	return counts, tx.selectAll(ctx, &counts, `SELECT 'answered' AS from_state, 'placed' AS to_state, (date_part('epoch', placed_at - answered_at) / 3600)::integer AS hours, count(*) AS count
			FROM referrals WHERE placed_at IS NOT NULL AND answered_at IS NOT NULL AND ($1::uuid IS NULL OR organisation_id = $1) GROUP BY 3
		UNION ALL
		SELECT 'sent', 'answered', (date_part('epoch', answered_at - sent_at) / 3600)::integer, count(*)
			FROM referrals WHERE answered_at IS NOT NULL AND sent_at IS NOT NULL AND ($1::uuid IS NULL OR organisation_id = $1) GROUP BY 3
		ORDER BY 1, 2, 3`, nilIfZero(organisation))
}

// spans counts placements by how long they lasted, or how long anything is known of them: to the day on which the person was last
// seen, a side confirmed, or it ended. Beyond a year nothing is told apart.
func (tx *Tx) spans(ctx context.Context, organisation onward.ID) ([]onward.SpanCount, error) {
	var rows []struct {
		onward.SpanCount
		EndReason onward.PlacementEnd `db:"end_reason"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT kind, end_reason, least(366, greatest(0, CASE WHEN end_reason = 'unreachable' OR ended_on IS NULL
				THEN least($2::date, greatest(last_seen_on, organisation_said::date, returnee_said::date, started_on)) - started_on ELSE ended_on - started_on END)) AS days,
			(ARRAY[0, 30, 90, 180, 365])[1 + width_bucket($2::date - started_on, ARRAY[30, 90, 180, 365])] AS ago, count(*) AS count
		FROM placements WHERE $1::uuid IS NULL OR organisation_id = $1 GROUP BY 1, 2, 3, 4`, nilIfZero(organisation), tx.today().String())
	spans := make([]onward.SpanCount, len(rows))
	for i, r := range rows {
		spans[i] = r.SpanCount
		switch spans[i].How = "done"; {
		case r.EndReason == "" || r.EndReason == onward.EndUnreachable:
			spans[i].How = "open"
		case r.EndReason.Outcome() == onward.OutcomeEnded:
			spans[i].How = "ended"
		case r.EndReason.Outcome() == onward.OutcomeMovedOn:
			spans[i].How = "moved_on"
		}
	}
	return spans, err
}
