package store

import (
	"context"

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

// ProgrammeCounts counts the referrals of the actor's organisation, raw: they are for suppressing, not for showing. The database
// adds up; no row of a person leaves it. The system may name an organisation, or none for all.
func (s *Store) ProgrammeCounts(ctx context.Context, actor onward.Actor, organisation onward.ID, byRegion bool) (funnel []onward.FunnelCount, times []onward.TimeCount, err error) {
	if err := mayFigure(actor); err != nil {
		return nil, nil, err
	}
	if actor.Role != onward.RoleSystem {
		organisation = actor.OrganisationID
	}
	// Counted by quarter and place first, which are few, and named then.
	key, name, join := `r.kind`, `c.key`, ``
	if byRegion {
		key, name, join = `r.place_id`, `coalesce(nullif(g.admin1_name, ''), g.country, 'remote')`, `LEFT JOIN places g ON g.id = c.key`
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		funnel, times = nil, nil
		if err := tx.selectAll(ctx, &funnel, `WITH counted AS (
				SELECT date_trunc('quarter', r.sent_at) AS quarter, `+key+` AS key, `+stageOf+` AS stage, count(*) AS n
				FROM referrals r WHERE r.sent_at IS NOT NULL AND ($1::uuid IS NULL OR r.organisation_id = $1) GROUP BY 1, 2, 3)
			SELECT to_char(c.quarter, 'YYYY-"Q"Q') AS quarter, `+name+` AS of, c.stage, sum(c.n)::bigint AS count
			FROM counted c `+join+` GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, nilIfZero(organisation)); err != nil {
			return err
		}
		return tx.selectAll(ctx, &times, `SELECT from_state, to_state, hours, sum(n)::bigint AS count FROM (
				SELECT 'sent' AS from_state, 'answered' AS to_state, (extract(epoch FROM r.answered_at - r.sent_at) / 3600)::integer AS hours, count(*) AS n
				FROM referrals r WHERE r.answered_at IS NOT NULL AND ($1::uuid IS NULL OR r.organisation_id = $1) GROUP BY 3
				UNION ALL
				SELECT 'answered', 'placed', (extract(epoch FROM r.placed_at - r.answered_at) / 3600)::integer, count(*)
				FROM referrals r WHERE r.placed_at IS NOT NULL AND ($1::uuid IS NULL OR r.organisation_id = $1) GROUP BY 3) t
			WHERE hours IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, nilIfZero(organisation))
	})
	return funnel, times, wrap("count referrals", err)
}

// RetentionCounts counts the placements of the actor's organisation by how long they lasted, or how long anything is known of
// them: to the day on which the person was last seen, a side confirmed, or it ended. Raw, as ProgrammeCounts.
func (s *Store) RetentionCounts(ctx context.Context, actor onward.Actor, organisation onward.ID) (spans []onward.SpanCount, err error) {
	if err := mayFigure(actor); err != nil {
		return nil, err
	}
	if actor.Role != onward.RoleSystem {
		organisation = actor.OrganisationID
	}
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
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		spans = nil
		return tx.selectAll(ctx, &spans, `SELECT p.kind, greatest(0, CASE WHEN p.end_reason = 'unreachable' OR p.ended_on IS NULL
					THEN least($2::date, greatest(p.last_seen_on, p.organisation_said::date, p.returnee_said::date, p.started_on)) - p.started_on ELSE p.ended_on - p.started_on END) AS days,
				$2::date - p.started_on AS ago,
				CASE WHEN p.end_reason = ANY($3) THEN 'ended' WHEN p.end_reason = ANY($4) THEN 'moved_on' WHEN p.end_reason IN ('', 'unreachable') THEN 'open' ELSE 'done' END AS how,
				count(*) AS count
			FROM placements p WHERE ($1::uuid IS NULL OR p.organisation_id = $1) GROUP BY 1, 2, 3, 4`,
			nilIfZero(organisation), tx.today().String(), pq.Array(ends), pq.Array(moved))
	})
	return spans, wrap("count placements", err)
}
