package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/store"
)

// protectionResult is what bench protection measured.
type protectionResult struct {
	Machine  machine     `json:"machine"`
	People   int         `json:"people"`
	Entries  int64       `json:"audit_entries"`
	Caseload percentiles `json:"caseload" doc:"A page of 200 people, opened and noted in the audit"`
	Plain    percentiles `json:"plain" doc:"The same page without the identities: what opening and noting cost is the difference"`
	Search   percentiles `json:"search" doc:"One person by two words of the name"`
	Policies percentiles `json:"policies" doc:"The profiles of 200 people under row-level security, of which no identity is opened"`
	Owner    percentiles `json:"owner" doc:"The same statement as the owner, whom row-level security does not hold"`
	Verify   float64     `json:"verify_seconds" doc:"All chains from their beginning"`
}

func newBenchProtection(o *options) *cobra.Command {
	f := &benchFlags{}
	var people, entries int
	c := &cobra.Command{
		Use: "protection", Short: "Read sealed caseloads, and verify a long audit", Args: cobra.NoArgs,
		Long: "Registers made-up people of one agency, reads pages of 200 as their counsellor does, without identities as the system does, and the same\n" +
			"rows as the owner of the schema; then writes entries into the audit and verifies all of it.",
		RunE: func(c *cobra.Command, _ []string) error { return benchProtection(c.Context(), o, f, people, entries) },
	}
	f.register(c, 0)
	c.Flags().IntVar(&people, "people", 10_000, "people on the caseload")
	c.Flags().IntVar(&entries, "entries", 1_000_000, "entries of the audit")
	return c
}

const (
	caseloadPage = 200
	auditBatch   = 2000
)

func benchProtection(ctx context.Context, o *options, f *benchFlags, people, entries int) error {
	s, counsellor, stop, err := f.startPeople(ctx, o, people)
	if err != nil {
		return err
	}
	defer stop()
	if _, err := s.owner.ExecContext(ctx, `VACUUM ANALYZE`); err != nil {
		return err
	}
	result := protectionResult{Machine: s.machine(f), People: people}
	stopProfile, err := f.profile()
	if err != nil {
		return err
	}
	turn := 0
	page := func(actor onward.Actor, want int, filter store.ReturneeFilter) func() error {
		return func() error {
			return s.Store.InTx(ctx, actor, func(tx *store.Tx) error {
				found, err := tx.Returnees(ctx, filter, store.Cursor{Limit: caseloadPage})
				if err == nil && len(found.Items) < want {
					err = fmt.Errorf("%d people on a page", len(found.Items))
				}
				return err
			})
		}
	}
	const rows = `SELECT id, details FROM returnees WHERE erased_at IS NULL ORDER BY id DESC LIMIT 200`
	if err := measure([]measured{
		{&result.Caseload, 200, page(counsellor, caseloadPage, store.ReturneeFilter{})},
		{&result.Plain, 200, page(onward.System(), caseloadPage, store.ReturneeFilter{})},
		{&result.Search, 200, func() error {
			turn++
			return page(counsellor, 1, store.ReturneeFilter{Name: fmt.Sprintf("Given%d Family%d", turn%people, turn%people)})()
		}},
		{&result.Policies, 200, func() error {
			return s.Store.InTx(ctx, counsellor, func(tx *store.Tx) error {
				n := 0
				_, err := tx.EachProfile(ctx, "MX", nil, caseloadPage, func(list []store.Profile) error { n += len(list); return nil })
				if err == nil && n != caseloadPage {
					err = fmt.Errorf("%d profiles", n)
				}
				return err
			})
		}},
		{&result.Owner, 200, func() error {
			var list []struct {
				ID      string `db:"id"`
				Details []byte `db:"details"`
			}
			return s.owner.SelectContext(ctx, &list, rows)
		}},
	}); err != nil {
		return err
	}
	stopProfile()
	// In transactions of some thousand: the end of the chain is one row, whose versions are only tidied up between them.
	for left := entries; left > 0; left -= auditBatch {
		if _, err := s.owner.ExecContext(ctx, `SELECT count(audit_add('00000000-0000-7000-8000-000000000009', '{"action": "read", "resource": "returnee"}', ARRAY[new_id()])) FROM generate_series(1, $1)`,
			min(left, auditBatch)); err != nil {
			return fmt.Errorf("fill the audit: %w", err)
		}
	}
	began := time.Now()
	n, flaws, err := s.Store.VerifyAudit(ctx, nil)
	if err == nil && (len(flaws) > 0 || n < int64(entries)) {
		err = fmt.Errorf("%d entries, flaws %v", n, flaws)
	}
	if err != nil {
		return err
	}
	result.Verify, result.Entries = time.Since(began).Seconds(), n
	return f.printResult(result, fmt.Sprintf("%d people (Postgres %s)\na page of 200 people: %s\nwithout identities: %s\none by name: %s\n200 profiles under row-level security: %s\nas the owner: %s\n"+
		"%d entries of the audit verified in %.1f s\n", people, result.Machine.Postgres, result.Caseload, result.Plain, result.Search, result.Policies, result.Owner, n, result.Verify))
}

// startPeople starts a bench without workers on an agency with so many people, and its counsellor.
func (f *benchFlags) startPeople(ctx context.Context, o *options, people int) (s *benchSystem, counsellor onward.Actor, stop func(), err error) {
	if s, stop, err = f.startBench(ctx, o, func(c *engine.Config) { c.Workers = false }); err != nil {
		return nil, counsellor, nil, err
	}
	if counsellor, err = s.register(ctx, people); err != nil {
		stop()
		return nil, counsellor, nil, err
	}
	return s, counsellor, stop, nil
}

// register makes an agency with people whose names are all different.
func (s *benchSystem) register(ctx context.Context, people int) (onward.Actor, error) {
	var counsellor onward.Actor
	err := s.Store.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		g, err := tx.CreateOrganisation(ctx, onward.Organisation{Slug: "bench", Name: "Bench", Kind: onward.Agency, Country: "MX"})
		if err != nil {
			return err
		}
		u, err := tx.CreateUser(ctx, onward.User{OrganisationID: g.ID, Name: "Bench", Email: "bench@example.org", Role: onward.RoleCounsellor})
		counsellor = onward.Actor{UserID: u.ID, OrganisationID: g.ID, Role: onward.RoleCounsellor}
		return err
	})
	if err != nil {
		return counsellor, err
	}
	day := onward.NewDate(1990, time.March, 5)
	for from := 0; from < people; from += 500 {
		var list []store.NewReturnee
		for i := from; i < min(people, from+500); i++ {
			list = append(list, store.NewReturnee{Details: onward.ReturneeDetails{
				Country: "MX", BirthDate: day.AddDays(i % 9000),
				Identity: onward.Identity{GivenName: fmt.Sprintf("Given%d", i), FamilyName: fmt.Sprintf("Family%d", i), Phone: fmt.Sprintf("+52%010d", i), Notes: "made up"},
				Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: s.Store.Today()}},
			}})
		}
		if err := s.Store.InTx(ctx, counsellor, func(tx *store.Tx) error {
			_, err := tx.CreateReturnees(ctx, list)
			return err
		}); err != nil {
			return counsellor, err
		}
	}
	return counsellor, nil
}
