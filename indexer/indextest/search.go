package indextest

import (
	"testing"

	"onward"
	"onward/indexer"
	"onward/indexer/typeahead"
	"onward/matcher"
)

func testSearchWords(_ *testing.T, f *fixture) {
	titled := func(title, text string) func(*indexer.Entry) {
		return func(e *indexer.Entry) {
			e.SearchTitle, e.SearchText = typeahead.Fold(title), typeahead.Fold(text)
		}
	}
	f.put(
		cook(1, titled("Técnico de instalación eléctrica", "Puebla, turno de día")),
		cook(2, titled("Ayudante general", "instalación de paneles solares; se capacita como técnico electricista")),
		cook(3, titled("Panadera", "turno de noche")),
		cook(4, titled("فني كهرباء", "دوام كامل")),
	)
	for text, want := range map[string][]uint64{
		"tecnico":              {1, 2}, // the title counts double
		"TÉCNICO":              {1, 2},
		"tecnico instalacion":  {1, 2},
		"instalacion tecnico":  {1, 2},
		"tecnico panaderia":    {},
		"turno noche":          {3},
		"electrici":            {2}, // electricista, but not eléctrica
		"electr":               {1, 2},
		"electr tecnico":       {}, // only the last word may be unfinished
		"técnico técnico":      {1, 2},
		"  ":                   {1, 2, 3, 4},
		"كهرباء":               {4},
		"paneles, solares; se": {2},
		"nada":                 {},
	} {
		hits := f.search(indexer.SearchQuery{Text: text, Today: Today})
		f.t.Logf("search %q", text)
		f.wantIDs(hits, want...)
	}
	f.wantScores(f.search(indexer.SearchQuery{Text: "tecnico instal", Today: Today}), 4, 2)
}

func testSearchSkills(_ *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.Skills = append(e.Skills, matcher.OpeningSkill{SkillID: "serve", Weight: 1}) }),
		cook(3, func(e *indexer.Entry) { e.Skills[0].SkillID = "weld" }),
	)
	hits := f.search(indexer.SearchQuery{Skills: []string{"cook", "serve", "unheard-of"}, Today: Today})
	f.wantIDs(hits, 2, 1)
	f.wantScores(hits, 2, 1)
	f.wantIDs(f.search(indexer.SearchQuery{Skills: []string{"cook"}, Text: "soldador", Today: Today}))
	f.wantIDs(f.search(indexer.SearchQuery{Skills: []string{"unheard-of"}, Today: Today}))
}

func testSearchNear(_ *testing.T, f *fixture) {
	at := func(place onward.PlaceID, lat, lon float64) func(*indexer.Entry) {
		return func(e *indexer.Entry) { e.PlaceID, e.Lat, e.Lon = place, lat, lon }
	}
	f.put(
		cook(1, at(10, 19.04, -98.20)), // Puebla
		cook(2, at(11, 19.31, -98.24)), // Tlaxcala, 30 km
		cook(3, at(12, 19.43, -99.13)), // Mexico City, 107 km
		cook(4, func(e *indexer.Entry) { e.Remote, e.PlaceID, e.Lat, e.Lon = true, 0, 0, 0 }),
	)
	near := func(km float64) indexer.SearchQuery {
		return indexer.SearchQuery{Text: "cocinera", Today: Today, Near: &indexer.Near{Lat: 19.31, Lon: -98.24, RadiusKm: km}}
	}
	f.wantIDs(f.search(near(10)), 2)
	hits := f.search(near(60))
	f.wantIDs(hits, 2, 1)
	f.wantScores(hits, 3, 3-onward.DistanceKm(19.31, -98.24, 19.04, -98.20)/60)
	f.wantIDs(f.search(near(500)), 2, 1, 3)
}

func testSearchNarrow(t *testing.T, f *fixture) {
	f.put(
		cook(1),
		cook(2, func(e *indexer.Entry) { e.OrganisationID = id(901) }),
		cook(3, func(e *indexer.Entry) { e.Kind = onward.Training }),
		cook(4, func(e *indexer.Entry) { e.Country = "GT" }),
	)
	q := indexer.SearchQuery{Text: "cocin", Today: Today}
	f.wantIDs(f.search(q), 1, 2, 3, 4)
	q.Limit, q.Offset = 2, 1
	f.wantIDs(f.search(q), 2, 3)
	q.Offset = 4
	f.wantIDs(f.search(q))
	q.Offset = indexer.MaxLimit
	if _, err := f.index.Search(f.ctx, q); onward.CodeOf(err) != onward.EInvalid {
		t.Errorf("paging too deep gives %v, want %s", err, onward.EInvalid)
	}
	q.Limit, q.Offset = 0, 0
	q.OrganisationID = id(901)
	f.wantIDs(f.search(q), 2)
	q.OrganisationID, q.Kinds = onward.ID{}, []onward.Kind{onward.Training}
	f.wantIDs(f.search(q), 3)
	q.Kinds, q.Country = nil, "GT"
	f.wantIDs(f.search(q), 4)
}

func testSearchAgreement(t *testing.T, f *fixture) {
	world := NewWorld(2)
	entries := world.Entries(3000)
	f.put(entries...)
	found := 0
	for range 60 {
		q := world.search()
		want := wantSearch(entries, q)
		found += len(want)
		sameAnswer(t, f.search(q), want, q.Offset, q.Limit, f.tolerance)
	}
	if found < 1000 {
		t.Fatalf("the random searches find only %d openings: the test shows little", found)
	}
}
