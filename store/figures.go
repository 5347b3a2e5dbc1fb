package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/lib/pq"

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
func (tx *Tx) figureCounts(ctx context.Context, organisation onward.ID) (c onward.FigureCounts, err error) {
	c.At = tx.now
	if c.Key, err = tx.ownKey(ctx, "figures"); err != nil {
		return c, err
	}
	// Counted by place first, which are few, and named then.
	if err := tx.selectAll(ctx, &c.Funnel, `WITH counted AS (
			SELECT date_trunc('quarter', r.sent_at) AS quarter, r.kind, r.place_id, `+stageOf+` AS stage, count(*) AS n
			FROM referrals r WHERE r.sent_at IS NOT NULL AND ($1::uuid IS NULL OR r.organisation_id = $1) GROUP BY 1, 2, 3, 4)
		SELECT to_char(c.quarter, 'YYYY-"Q"Q') AS quarter, c.kind, coalesce(nullif(g.admin1_name, ''), g.country, 'remote') AS region, c.stage, sum(c.n)::bigint AS count
		FROM counted c LEFT JOIN places g ON g.id = c.place_id GROUP BY 1, 2, 3, 4`, nilIfZero(organisation)); err != nil {
		return c, err
	}
	if err := tx.selectAll(ctx, &c.Times, `SELECT from_state, to_state, hours, sum(n)::bigint AS count FROM (
			SELECT 'sent' AS from_state, 'answered' AS to_state, (extract(epoch FROM r.answered_at - r.sent_at) / 3600)::integer AS hours, count(*) AS n
			FROM referrals r WHERE r.answered_at IS NOT NULL AND ($1::uuid IS NULL OR r.organisation_id = $1) GROUP BY 3
			UNION ALL
			SELECT 'answered', 'placed', (extract(epoch FROM r.placed_at - r.answered_at) / 3600)::integer, count(*)
			FROM referrals r WHERE r.placed_at IS NOT NULL AND ($1::uuid IS NULL OR r.organisation_id = $1) GROUP BY 3) t
		WHERE hours IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, nilIfZero(organisation)); err != nil {
		return c, err
	}
	c.Spans, err = tx.spans(ctx, organisation)
	return c, err
}

// spans counts placements by how long they lasted, or how long anything is known of them: to the day on which the person was last
// seen, a side confirmed, or it ended.
func (tx *Tx) spans(ctx context.Context, organisation onward.ID) (spans []onward.SpanCount, err error) {
	var ends, moved []string
	for _, e := range onward.PlacementEnds() {
		switch e.Outcome() {
		case onward.OutcomeEnded:
			ends = append(ends, string(e))
		case onward.OutcomeMovedOn:
			moved = append(moved, string(e))
		case onward.OutcomeLasting, onward.OutcomeLost, onward.OutcomeOther:
		}
	}
	return spans, tx.selectAll(ctx, &spans, `SELECT p.kind, greatest(0, CASE WHEN p.end_reason = 'unreachable' OR p.ended_on IS NULL
				THEN least($2::date, greatest(p.last_seen_on, p.organisation_said::date, p.returnee_said::date, p.started_on)) - p.started_on ELSE p.ended_on - p.started_on END) AS days,
			$2::date - p.started_on AS ago,
			CASE WHEN p.end_reason = ANY($3) THEN 'ended' WHEN p.end_reason = ANY($4) THEN 'moved_on' WHEN p.end_reason IN ('', 'unreachable') THEN 'open' ELSE 'done' END AS how,
			count(*) AS count
		FROM placements p WHERE ($1::uuid IS NULL OR p.organisation_id = $1) GROUP BY 1, 2, 3, 4`,
		nilIfZero(organisation), tx.today().String(), pq.Array(ends), pq.Array(moved))
}
