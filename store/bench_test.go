package store_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"onward"
	"onward/internal/embedded"
	"onward/internal/testenv"
	"onward/store"
)

// durable is a server of the benchmark's own with the settings that Onward ships: fsync and synchronous_commit on.
func durable(b *testing.B) bench {
	b.Helper()
	dir, err := testenv.TempDir()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	postgres, err := embedded.StartPostgres(b.Context(), embedded.PostgresConfig{DataDir: dir, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = postgres.Stop(context.Background()) })
	if err := prepare(b.Context(), postgres.AdminDSN()); err != nil {
		b.Fatal(err)
	}
	return bench{t: b, Database: testenv.Database{AdminDSN: postgres.AdminDSN()}, store: open(b, postgres.AdminDSN())}
}

func BenchmarkCreateOpportunities(b *testing.B) {
	db := durable(b)
	for _, n := range []int{1, 100, 500, 2000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			batch := make([]store.NewOpportunity, n)
			for i := range batch {
				d := job()
				d.Description = onward.Text{"es": "Se busca albañil con experiencia en obra negra, mampostería y acabados. Contrato y prestaciones de ley."}
				batch[i] = store.NewOpportunity{Details: d, Publish: true}
			}
			for b.Loop() {
				if err := db.store.InTx(b.Context(), employer, func(tx *store.Tx) error {
					_, err := tx.CreateOpportunities(b.Context(), batch)
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkCreateReferralRequest(b *testing.B) {
	db := durable(b)
	r := db.returnee(counsellor, person())
	for _, parallel := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("clients=%d", 2*parallel), func(b *testing.B) {
			b.SetParallelism(parallel)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := db.store.InTx(b.Context(), counsellor, func(tx *store.Tx) error {
						_, _, err := tx.CreateReferralRequest(b.Context(), r.ID, onward.RequestOptions{}, "")
						return err
					}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// BenchmarkOpportunities lists 51 of 100,000 openings of 40 organisations in 3 places.
func BenchmarkOpportunities(b *testing.B) {
	db := durable(b)
	db.sql(`INSERT INTO organisations (id, slug, name, kind, country) SELECT gen_random_uuid(), 'o' || i, 'O ' || i, 'employer', 'MX' FROM generate_series(1, 40) i`)
	db.sql(`ALTER TABLE opportunities DISABLE TRIGGER USER`)
	db.sql(`INSERT INTO opportunities (id, organisation_id, external_id, status, kind, place_id, capacity, details)
		SELECT (lpad(to_hex(1700000000000 + i), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid, (SELECT array_agg(id) FROM organisations)[1 + i % 42], 'x' || i,
			(ARRAY['open','open','open','open','paused','closed','draft'])[1 + i % 7], CASE WHEN i % 1000 = 0 THEN 'cooperative' ELSE 'job' END,
			CASE WHEN i BETWEEN 100 AND 120 THEN 4005539 WHEN i % 3 = 0 THEN 3530597 ELSE 3995465 END, 3,
			jsonb_build_object('kind', 'job', 'capacity', 3, 'title', jsonb_build_object('es', 'Albañil ' || i), 'description', jsonb_build_object('es', repeat('texto ', 40)))
		FROM generate_series(1, 100000) i`)
	db.sql(`ALTER TABLE opportunities ENABLE TRIGGER USER`)
	db.sql(`VACUUM ANALYZE`)
	for name, c := range map[string]struct {
		actor  onward.Actor
		filter store.OpportunityFilter
	}{
		"all":                 {counsellor, store.OpportunityFilter{}},
		"open":                {counsellor, store.OpportunityFilter{Status: onward.OpportunityOpen}},
		"own-of-an-employer":  {employer, store.OpportunityFilter{}},
		"drafts-of-others":    {counsellor, store.OpportunityFilter{Status: onward.OpportunityDraft}},
		"rare-kind":           {counsellor, store.OpportunityFilter{Kind: onward.Cooperative}},
		"place-with-many":     {counsellor, store.OpportunityFilter{PlaceID: monterrey, Status: onward.OpportunityOpen}},
		"place-with-few":      {counsellor, store.OpportunityFilter{PlaceID: 4005539}},
		"place-with-few-open": {counsellor, store.OpportunityFilter{PlaceID: 4005539, Status: onward.OpportunityOpen}},
		"place-with-none":     {counsellor, store.OpportunityFilter{PlaceID: 1}},
		"organisation":        {counsellor, store.OpportunityFilter{OrganisationID: theirs.ID}},
		"external-id":         {employer, store.OpportunityFilter{ExternalID: "x4242"}},
		"external-id-of-any":  {counsellor, store.OpportunityFilter{ExternalID: "x4243"}},
	} {
		b.Run("of=1e5/"+name, func(b *testing.B) {
			for b.Loop() {
				if err := db.store.InTx(b.Context(), c.actor, func(tx *store.Tx) error {
					_, err := tx.Opportunities(b.Context(), c.filter, store.Cursor{})
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("of=1e5/changed-since", func(b *testing.B) {
		for b.Loop() {
			next, err := db.store.ChangedSince(b.Context(), 0, nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := db.store.ChangedSince(b.Context(), next, func([]onward.Opportunity) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("of=1e5/every-open", func(b *testing.B) {
		for b.Loop() {
			if err := db.store.EachOpen(b.Context(), func([]onward.Opportunity) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("of=1e5/every-open-ref", func(b *testing.B) {
		for b.Loop() {
			if err := db.store.EachOpenRef(b.Context(), func(onward.Ref) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
