package indextest

import (
	"math"
	"reflect"
	"testing"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

func testEmpty(_ *testing.T, f *fixture) {
	f.wantIDs(f.rank(newCook()))
	f.wantIDs(f.search(indexer.SearchQuery{Today: Today, Text: "cocinera"}))
	f.check(f.index.Ping(f.ctx))
	f.check(f.index.Put(f.ctx, nil))
	f.check(f.index.Delete(f.ctx, nil))
	if n := f.count(); n != 0 {
		f.t.Fatalf("an empty index counts %d", n)
	}
	f.check(f.index.Versions(f.ctx, func(ref indexer.Ref) error {
		f.t.Fatalf("an empty index has %v", ref)
		return nil
	}))
}

func testRoundTrip(_ *testing.T, f *fixture) {
	yes, no, hours := true, false, 38.5
	want := cook(1, func(e *indexer.Entry) {
		e.Title = onward.Text{"es": "Cocinera", "en": "Cook", "ar": "طاهية"}
		e.Skills = append(e.Skills, matcher.OpeningSkill{SkillID: "serve", Weight: 1.0 / 3})
		e.Fictional, e.Remote, e.Assisted, e.Hazardous = true, true, true, true
		e.Portability, e.PlacesLeft, e.MinAge, e.MaxAge = 0.3, 7, 18, 60
		e.Languages = []onward.LanguageNeed{{Language: "es", Level: "B1", Essential: true}, {Language: "en", Level: "A2"}}
		e.Documents = []onward.DocumentKind{onward.NationalID, onward.HealthCard}
		e.Wage = &onward.Wage{MinMinor: 800_000, MaxMinor: 900_000, Currency: "MXN", Period: onward.PerMonth}
		e.HoursPerWeek, e.FlexibleTime, e.Childcare = &hours, &yes, &no
		e.StartsOn, e.ClosesOn, e.PublishedOn = Today.AddDays(30), Today.AddDays(10), Today.AddDays(-3)
		e.Vetting, e.VettedUntil = onward.VettingPassed, Today.AddDays(90)
	})
	f.put(want, cook(2))
	for _, hits := range [][]indexer.Hit{f.rank(newCook()), f.search(indexer.SearchQuery{Today: Today})} {
		if len(hits) != 2 {
			f.t.Fatalf("got %d hits, want 2", len(hits))
		}
		for i, entry := range []indexer.Entry{want, cook(2)} {
			if !reflect.DeepEqual(hits[i].Opening, entry.Opening) {
				f.t.Fatalf("got\n%+v\nwant\n%+v", hits[i].Opening, entry.Opening)
			}
		}
	}
}

func testFilters(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.Kind = onward.Training }),
		cook(3, func(e *indexer.Entry) { e.Country = "GT" }),
		cook(4, func(e *indexer.Entry) { e.Kind = onward.Apprenticeship }),
	)
	q := newCook()
	f.wantIDs(f.rank(q), 1, 2, 4)
	q.Kinds = []onward.Kind{onward.Training, onward.Apprenticeship}
	f.wantIDs(f.rank(q), 2, 4)
	q.Kinds = nil
	q.Country = "GT"
	f.wantIDs(f.rank(q), 3)
}

func testExcluded(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.PlaceID = 11; e.Assisted = true }),
		cook(3, func(e *indexer.Entry) { e.PlaceID = 11; e.Remote = true }),
		cook(4, func(e *indexer.Entry) { e.OrganisationID = id(901); e.Remote = true }),
	)
	q := newCook()
	f.wantIDs(f.rank(q), 3, 4, 1, 2)
	q.ExcludedPlaces = []onward.PlaceID{11, 12}
	f.wantIDs(f.rank(q), 4, 1)
	q.ExcludedOrganisations = []onward.ID{id(901), id(902)}
	f.wantIDs(f.rank(q), 1)
}

func testVetted(_ *testing.T, f *fixture) {
	vetted := func(status onward.VettingStatus, until onward.Date) func(*indexer.Entry) {
		return func(e *indexer.Entry) { e.Vetting, e.VettedUntil = status, until }
	}
	f.put(
		cook(1),
		cook(2, vetted(onward.VettingPassed, onward.Date{})),
		cook(3, vetted(onward.VettingPassed, Today)),
		cook(4, vetted(onward.VettingPassed, Today.AddDays(-1))),
		cook(5, vetted(onward.VettingRejected, Today.AddDays(9))),
	)
	q := newCook()
	f.wantIDs(f.rank(q), 1, 2, 3, 4, 5)
	q.VettedOnly = true
	f.wantIDs(f.rank(q), 2, 3)
}

func testClosing(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.ClosesOn = Today }),
		cook(3, func(e *indexer.Entry) { e.ClosesOn = Today.AddDays(-1) }),
		cook(4, func(e *indexer.Entry) { e.ClosesOn = Today.AddDays(1) }),
	)
	q := newCook()
	f.wantIDs(f.rank(q), 1, 2, 4)
	f.wantIDs(f.search(indexer.SearchQuery{Today: Today, Text: "cocinera"}), 1, 2, 4)
	q.Today = Today.AddDays(1)
	f.wantIDs(f.rank(q), 1, 4)
}

func testTies(_ *testing.T, f *fixture) {
	f.put(cook(7), cook(3))
	f.put(cook(5), cook(1, func(e *indexer.Entry) { e.Scale = 0.25 }))
	f.put(cook(9))
	f.wantIDs(f.rank(newCook()), 3, 5, 7, 9, 1)
	q := newCook()
	q.Limit = 2
	f.wantIDs(f.rank(q), 3, 5)
}

func testNeutral(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) {
			e.Skills, e.SkillBasis, e.SkillConfidence, e.Scale = nil, onward.SkillsNone, 0.5, 1
		}),
		cook(3, func(e *indexer.Entry) { // its skills count for nothing, as it says that it has none
			e.SkillBasis, e.SkillConfidence, e.Scale = onward.SkillsNone, 0.5, 1
		}),
	)
	hits := f.rank(newCook())
	f.wantIDs(hits, 1, 2, 3)
	f.wantScores(hits, 0.5, 0.125, 0.125)
	q := newCook()
	q.Skills = nil
	f.wantIDs(f.rank(q), 2, 3)
	q.NeutralFit = 0
	f.wantIDs(f.rank(q))
}

func testSkillsUnknown(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.SkillBasis, e.SkillConfidence = onward.SkillsFromOccupation, 0.8 }),
		cook(3, func(e *indexer.Entry) {
			e.Skills, e.SkillBasis, e.SkillConfidence, e.Scale = nil, onward.SkillsNone, 0.5, 1
		}),
		cook(4, func(e *indexer.Entry) { e.Skills[0].SkillID = "weld" }),
		cook(5, func(e *indexer.Entry) { e.PlaceID = 12 }),
	)
	q := newCook()
	q.Skills, q.SkillsUnknown = nil, true
	hits := f.rank(q)
	f.wantIDs(hits, 1, 4, 2, 3)
	f.wantScores(hits, 0.125, 0.125, 0.1, 0.0625)
}

func testZero(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.Skills[0].SkillID = "weld" }),
		cook(3, func(e *indexer.Entry) { e.PlaceID = 12 }),
		cook(4, func(e *indexer.Entry) { e.Scale = 0 }),
	)
	q := newCook()
	q.Reach.Places[13] = matcher.PlaceReach{}
	q.Skills = append(q.Skills, matcher.QuerySkill{SkillID: "weld"})
	f.wantIDs(f.rank(q), 1)
	q.Reach = matcher.Reach{}
	f.wantIDs(f.rank(q))
}

func testReach(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.Assisted = true }),
		cook(3, func(e *indexer.Entry) { e.Assisted, e.PlaceID = true, 12 }),
		cook(4, func(e *indexer.Entry) { e.Remote, e.PlaceID, e.Place, e.Lat, e.Lon = true, 0, "", 0, 0 }),
		cook(5, func(e *indexer.Entry) { e.Remote, e.Assisted, e.PlaceID, e.Portability = true, true, 12, 0.5 }),
		cook(6, func(e *indexer.Entry) { e.PlaceID, e.Portability = 12, 0.5 }),
		cook(7, func(e *indexer.Entry) { e.Portability = 1 }),
		cook(8, func(e *indexer.Entry) { e.Assisted, e.PlaceID, e.Portability = true, 12, 1 }),
	)
	hits := f.rank(newCook())
	f.wantIDs(hits, 5, 4, 2, 7, 1, 8, 3, 6)
	f.wantScores(hits, 0.95, 0.9, 0.6, 0.6, 0.5, 0.28, 0.18, 0.05)
	q := newCook()
	q.Reach.Abroad = 0
	f.wantIDs(f.rank(q), 4, 5, 2, 1, 7, 3, 8)
	q.Reach.AssistedElsewhere = 0
	f.wantIDs(f.rank(q), 4, 5, 2, 1, 7)
}

func (f *fixture) wantScores(hits []indexer.Hit, want ...float64) {
	f.t.Helper()
	for i, hit := range hits {
		if math.Abs(hit.Score-want[i]) > f.tolerance {
			f.t.Fatalf("hit %d has score %v, want %v", i, hit.Score, want[i])
		}
	}
}

func testLimit(_ *testing.T, f *fixture) {
	var entries []indexer.Entry
	for n := range uint64(indexer.DefaultLimit + 50) {
		entries = append(entries, cook(n+1))
	}
	f.put(entries...)
	for limit, want := range map[int]int{0: indexer.DefaultLimit, 1: 1, 7: 7, indexer.MaxLimit: len(entries), indexer.MaxLimit * 2: len(entries)} {
		q := newCook()
		q.Limit = limit
		if got := len(f.rank(q)); got != want {
			f.t.Errorf("limit %d gives %d hits, want %d", limit, got, want)
		}
	}
}

func testAgreement(t *testing.T, f *fixture) {
	world := NewWorld(1)
	entries := world.Entries(3500)
	for from := 0; from < len(entries); from += 500 {
		f.check(f.index.Put(f.ctx, entries[from:from+500]))
	}
	f.refresh()
	for i := range 40 {
		q := world.Filtered(world.Query(5+i*5, 1+i))
		want := BruteForce(entries, q)
		if i == 0 && len(want) == 0 {
			t.Fatal("the random query has no hits: the test shows nothing")
		}
		sameAnswer(t, f.rank(q), want, 0, q.Limit, f.tolerance)
	}
}
