package main

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/matcher/outcomes"
	"onward/store"
)

// monitoringResult is what bench monitoring measured.
type monitoringResult struct {
	Machine    machine     `json:"machine"`
	Referrals  int         `json:"referrals"`
	Placements int         `json:"placements"`
	CheckIns   int         `json:"check_ins"`
	Due        percentiles `json:"due" doc:"One partner's due check-ins, the first 100"`
	Called     percentiles `json:"called" doc:"A batch of 500 planned check-ins becomes due and is told"`
	Counted    percentiles `json:"counted" doc:"All figures of a programme: the first reading of a month"`
	Read       percentiles `json:"read" doc:"Every other reading of the month"`
	PeakMB     float64     `json:"peak_memory_mb"`
}

func newBenchMonitoring(o *options) *cobra.Command {
	f := &benchFlags{}
	var referrals, placements int
	c := &cobra.Command{
		Use: "monitoring", Short: "Find due check-ins among those of many placements, and sum up many referrals", Args: cobra.NoArgs,
		Long: "Fills a database with made-up referrals of one agency over three years, in all states, to seven kinds at 500 places, and with\n" +
			"placements of 40 partners with four check-ins each, of which one in a thousand is due; then asks for what people ask for.",
		RunE: func(c *cobra.Command, _ []string) error {
			return benchMonitoring(c.Context(), o, f, referrals, placements)
		},
	}
	f.register(c, 0)
	c.Flags().IntVar(&referrals, "referrals", 1_000_000, "referrals")
	c.Flags().IntVar(&placements, "placements", 1_000_000, "placements, at most as many as referrals")
	return c
}

// monitoringFill makes rows past the checks of foreign keys: a million of each in minutes. $1 is how many referrals, $2 how many
// placements.
var monitoringFill = []string{
	`SET session_replication_role = replica`,
	`INSERT INTO organisations (id, slug, name, kind, country) SELECT ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 'bench-' || i, 'Bench', 'civil_society', 'MX' FROM generate_series(1, 42) i
		WHERE $1::int IS NOT NULL AND $2::int IS NOT NULL`,
	`CREATE TABLE bench_places AS SELECT id, row_number() OVER () - 1 AS n FROM (SELECT id FROM places WHERE country = 'MX' ORDER BY population DESC LIMIT 500) p WHERE $1::int IS NOT NULL AND $2::int IS NOT NULL`,
	`INSERT INTO returnees (id, organisation_id, country, details)
		SELECT md5('p' || i)::uuid, '00000000-0000-7000-8000-000000000001', 'MX', '{"consents": [{"purpose": "follow_up", "given_on": "2024-01-01"}]}' FROM generate_series(1, $1::int) i WHERE $2::int IS NOT NULL`,
	`INSERT INTO referrals (id, organisation_id, recipient_id, returnee_id, opportunity_id, kind, place_id, pseudonym, urgency, status, outcome, created_by, created_at, sent_at, answered_at, placed_at, ended_at, updated_at)
		SELECT md5('r' || i)::uuid, '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', md5('p' || i)::uuid, md5('o' || i % 20000)::uuid,
			(ARRAY['job','job','job','apprenticeship','training','enterprise_grant','cooperative','cash_for_work','project_place'])[1 + i % 9], b.id, md5('n' || i)::uuid, 'normal',
			s.status, CASE s.status WHEN 'completed' THEN (ARRAY['lasting','moved_on','lost','other'])[1 + i / 7 % 4] WHEN 'failed' THEN 'ended_early' ELSE '' END,
			md5('u')::uuid, sent, sent, CASE WHEN s.status NOT IN ('requested', 'withdrawn', 'expired') THEN sent + random() * interval '10 days' END,
			CASE WHEN s.status IN ('placed', 'completed', 'failed') THEN sent + interval '10 days' + random() * interval '30 days' END, NULL, sent
		FROM generate_series(1, $1::int) i CROSS JOIN LATERAL (SELECT now() - random() * interval '3 years' AS sent, (ARRAY['requested','accepted','declined','declined','withdrawn','expired','placed','placed','completed','failed'])[1 + (i / 11) % 10] AS status) s
		JOIN bench_places b ON b.n = i % 500 WHERE $2::int IS NOT NULL`,
	`INSERT INTO placements (id, referral_id, organisation_id, returnee_id, opportunity_id, recipient_id, partner_id, pseudonym, kind, started_on, place_id, organisation_said, last_seen_on, ended_on, end_reason, check_ins_planned, created_at, updated_at)
		SELECT md5('q' || i)::uuid, md5('r' || i)::uuid, '00000000-0000-7000-8000-000000000001', md5('p' || i)::uuid, md5('o' || i % 20000)::uuid, '00000000-0000-7000-8000-000000000002',
			('00000000-0000-7000-8000-' || lpad((3 + i % 40)::text, 12, '0'))::uuid, md5('n' || i)::uuid, (ARRAY['job','job','job','apprenticeship','training','enterprise_grant','cooperative','cash_for_work','project_place'])[1 + i % 9],
			d.day, NULL, d.day, least(current_date, d.day + (random() * 360)::int), CASE WHEN i % 3 = 0 THEN least(current_date, d.day + (random() * 500)::int) END,
			CASE WHEN i % 3 = 0 THEN (ARRAY['contract_completed','resigned','dismissed','onward_move_internal','unreachable'])[1 + i / 3 % 5] ELSE '' END, true, now(), now()
		FROM generate_series(1, $2::int) i CROSS JOIN LATERAL (SELECT current_date - (i::bigint * 7919 % 1000)::int AS day) d WHERE $1::int IS NOT NULL`,
	`INSERT INTO check_ins (id, organisation_id, partner_id, returnee_id, placement_id, purpose, day, due_on, status)
		SELECT gen_random_uuid(), p.organisation_id, p.partner_id, p.returnee_id, p.id, 'placement', d.day, p.started_on + d.day,
			CASE WHEN p.started_on + d.day > current_date THEN 'planned' WHEN random() < 0.001 THEN 'due' WHEN random() < 0.1 THEN 'missed' ELSE 'done' END
		FROM placements p CROSS JOIN (VALUES (30), (90), (180), (365)) d(day) WHERE $1::int IS NOT NULL AND $2::int IS NOT NULL`,
	`UPDATE check_ins SET due_on = current_date WHERE id IN (SELECT id FROM check_ins WHERE status = 'planned' LIMIT 15000) AND $1::int IS NOT NULL AND $2::int IS NOT NULL`,
}

func benchMonitoring(ctx context.Context, o *options, f *benchFlags, referrals, placements int) error {
	// Without workers, who would call the check-ins before they are measured.
	s, stop, err := f.startBench(ctx, o, func(c *engine.Config) { c.Workers = false })
	if err != nil {
		return err
	}
	defer stop()
	if err := fillMonitoring(ctx, s.owner, referrals, min(placements, referrals)); err != nil {
		return err
	}
	result := monitoringResult{Machine: s.machine(f), Referrals: referrals, Placements: min(placements, referrals), CheckIns: 4 * min(placements, referrals)}
	stopProfile, err := f.profile()
	if err != nil {
		return err
	}
	id := func(n int) onward.ID { return onward.MustParseID(fmt.Sprintf("00000000-0000-7000-8000-%012d", n)) }
	analyst := onward.Actor{OrganisationID: id(1), Role: onward.RoleAnalyst}
	figures := func() error {
		f, err := s.Store.Figures(ctx, analyst, onward.ID{}, outcomes.Publish)
		if err == nil && (len(f.Kind.Lines) == 0 || len(f.Region.Lines) == 0 || len(f.Retention) == 0) {
			err = fmt.Errorf("figures without lines")
		}
		return err
	}
	turn := 0
	if err := measure([]measured{
		{&result.Due, 200, func() error {
			turn++
			partner := onward.Actor{OrganisationID: id(3 + turn%40), Role: onward.RolePartner}
			return s.Store.InTx(ctx, partner, func(tx *store.Tx) error {
				list, err := tx.DueCheckIns(ctx, 100)
				if err == nil && len(list) == 0 {
					err = fmt.Errorf("partner %s has no due check-in", partner.OrganisationID)
				}
				return err
			})
		}},
		{&result.Called, 20, func() error {
			n, err := s.Store.CallCheckIns(ctx)
			if err == nil && n != 500 {
				err = fmt.Errorf("%d check-ins became due, not a batch", n)
			}
			return err
		}},
		{&result.Counted, 7, func() error {
			if _, err := s.owner.ExecContext(ctx, `TRUNCATE figures`); err != nil {
				return err
			}
			return figures()
		}},
		{&result.Read, 50, figures},
	}); err != nil {
		return err
	}
	stopProfile()
	result.PeakMB = peakMemoryMB()
	return f.printResult(result, fmt.Sprintf("%d referrals, %d placements, %d check-ins (Postgres %s)\ndue check-ins of a partner: %s\n500 called: %s\n"+
		"programme figures and retention, counted: %s\nread again: %s\n", result.Referrals, result.Placements, result.CheckIns, result.Machine.Postgres,
		result.Due, result.Called, result.Counted, result.Read))
}

func fillMonitoring(ctx context.Context, db *sqlx.DB, referrals, placements int) error {
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for i, query := range monitoringFill {
		var args []any
		if i > 0 {
			args = []any{referrals, placements}
		}
		if _, err := conn.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	_, err = conn.ExecContext(ctx, `VACUUM ANALYZE`)
	return err
}
