// Package indextest is the suite that every implementation of indexer.Index passes.
package indextest

import (
	"context"
	"slices"
	"testing"
	"time"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// hangs is when a test is given up: far beyond what the slowest takes on a machine that is busy with other things.
const hangs = 5 * time.Minute

// Options of the suite.
type Options struct {
	// Tolerance is how far a score may be from the exact one. Default 1e-12.
	Tolerance float64
}

// suite holds what the tests need.
type suite struct {
	open      func(t *testing.T) indexer.Index
	tolerance float64
}

// Run runs the suite; open makes an empty index that is cleared away after the test.
func Run(t *testing.T, open func(t *testing.T) indexer.Index, options Options) {
	s := suite{open: open, tolerance: options.Tolerance}
	if s.tolerance == 0 {
		s.tolerance = 1e-12
	}
	tests := []struct {
		name string
		run  func(*testing.T, *fixture)
	}{
		{"an empty index answers with nothing", testEmpty},
		{"an opening comes back as it was put", testRoundTrip},
		{"a newer version replaces, an older or equal one is ignored", testVersions},
		{"in one batch the newest version counts", testBatch},
		{"what is deleted is gone, and a late put does not bring it back", testDelete},
		{"a delete that is late does nothing", testLateDelete},
		{"each filter of a query leaves out what it should", testFilters},
		{"excluded places and organisations never appear", testExcluded},
		{"only vetted openings for people under protection", testVetted},
		{"an opening is found up to its closing date", testClosing},
		{"equal scores stand in the order of ids", testTies},
		{"an opening without skills has the neutral fit", testNeutral},
		{"when nobody knows a person's skills every opening has the neutral fit", testSkillsUnknown},
		{"no fit or no reach is no hit", testZero},
		{"remote, assisted and portable openings reach further", testReach},
		{"the limit holds", testLimit},
		{"a search finds all words, whatever their accents", testSearchWords},
		{"a search finds any of the skills", testSearchSkills},
		{"a search near a point finds what is near", testSearchNear},
		{"a search can be narrowed and paged", testSearchNarrow},
		{"versions lists every opening once", testListVersions},
		{"a rebuild replaces everything while searches go on", testRebuild},
		{"a rebuild that fails leaves the old index", testRebuildFails},
		{"a reconciliation repairs whatever drifted", testReconcile},
		{"puts, deletes and queries at once", testConcurrent},
		{"random openings are ranked as the formula says", testAgreement},
		{"random searches are answered as described", testSearchAgreement},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), hangs)
			t.Cleanup(cancel)
			test.run(t, &fixture{suite: s, t: t, ctx: ctx, index: open(t)})
		})
	}
}

// fixture is a fresh index with shorthands that fail the test.
type fixture struct {
	suite
	t     *testing.T
	ctx   context.Context //nolint:containedctx // a test's own
	index indexer.Index
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// refresh makes what was written visible to searches, where that takes a moment otherwise.
func (f *fixture) refresh() {
	f.t.Helper()
	if r, ok := f.index.(interface {
		Refresh(ctx context.Context) error
	}); ok {
		f.check(r.Refresh(f.ctx))
	}
}

func (f *fixture) put(entries ...indexer.Entry) {
	f.t.Helper()
	f.check(f.index.Put(f.ctx, entries))
	f.refresh()
}

func (f *fixture) delete(refs ...indexer.Ref) {
	f.t.Helper()
	f.check(f.index.Delete(f.ctx, refs))
	f.refresh()
}

func (f *fixture) rank(q matcher.Query) []indexer.Hit {
	f.t.Helper()
	hits, err := f.index.Rank(f.ctx, q)
	f.check(err)
	return hits
}

func (f *fixture) search(q indexer.SearchQuery) []indexer.Hit {
	f.t.Helper()
	hits, err := f.index.Search(f.ctx, q)
	f.check(err)
	return hits
}

func (f *fixture) count() int {
	f.t.Helper()
	n, err := f.index.Count(f.ctx)
	f.check(err)
	return n
}

// wantIDs compares hits with the numbers of the openings.
func (f *fixture) wantIDs(hits []indexer.Hit, want ...uint64) {
	f.t.Helper()
	got, wanted := []onward.ID{}, []onward.ID{}
	for _, hit := range hits {
		got = append(got, hit.Opening.ID)
	}
	for _, n := range want {
		wanted = append(wanted, id(n))
	}
	if !slices.Equal(got, wanted) {
		f.t.Fatalf("got %v, want %v", got, wanted)
	}
}

// cook is an opening that the query of newCook scores with 1 x 0.5.
func cook(n uint64, changes ...func(*indexer.Entry)) indexer.Entry {
	e := indexer.Entry{
		Opening: matcher.Opening{
			ID: id(n), Version: 1, OrganisationID: id(900), Organisation: "Comedor La Esperanza", Kind: onward.Job,
			Title: onward.Text{"es": "Cocinera o cocinero"}, Country: "MX",
			Skills:     []matcher.OpeningSkill{{SkillID: "cook", Essential: true, Weight: 2}},
			SkillBasis: onward.SkillsCoded, SkillConfidence: 1, Scale: 0.5,
			PlaceID: 10, Place: "Puebla, MX", Lat: 19.04, Lon: -98.2, PlacesLeft: 1, Vetting: onward.VettingUnknown,
		},
		SearchTitle: "cocinera o cocinero",
		SearchText:  "comida corrida para ochenta personas en el centro",
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

func newCook() matcher.Query {
	return matcher.Query{
		Country: "MX", Today: Today, NeutralFit: 0.25, Limit: 50,
		Skills: []matcher.QuerySkill{{SkillID: "cook", Essential: 2, Optional: 0.7}},
		Reach: matcher.Reach{
			Places:    map[onward.PlaceID]matcher.PlaceReach{10: {Plain: 0.5, Assisted: 0.6}},
			InCountry: 0.9, Abroad: 0.1, AssistedElsewhere: 0.18,
		},
	}
}
