package matcher_test

import (
	"slices"
	"testing"

	"onward"
	"onward/matcher"
)

// state ranks one opening alone. "absent" when it appears nowhere, "near miss" when only as one.
func state(s setting, o matcher.Opening, gate onward.Gate) (answer string, missing []string) {
	result := s.rank(o)
	for _, miss := range result.NearMisses {
		return "near miss", miss.Missing
	}
	for _, line := range result.Referrals {
		for _, g := range line.Explanation.Gates {
			if g.Gate == gate {
				if len(g.Facts) == 0 {
					return "no facts", nil
				}
				return string(g.State), nil
			}
		}
	}
	return "absent", nil
}

func TestGates(t *testing.T) {
	t.Parallel()
	type change = func(*onward.Opportunity)
	needs := func(kinds ...onward.DocumentKind) change {
		return func(o *onward.Opportunity) { o.Documents, o.StartsOn = kinds, today().AddDays(20) }
	}
	has := func(d onward.PersonDocument) onward.ReturneeDetails {
		return mason(func(r *onward.ReturneeDetails) { r.Documents = []onward.PersonDocument{d} })
	}
	aged := func(years int) onward.ReturneeDetails {
		return mason(func(r *onward.ReturneeDetails) { r.BirthDate = onward.NewDate(2026-years, 11, 1) })
	}
	unborn := mason(func(r *onward.ReturneeDetails) { r.BirthDate = onward.Date{} })
	hazardous := func(o *onward.Opportunity) { o.Hazardous = true }
	speaks := func(language string, level onward.CEFR, essential bool) change {
		return func(o *onward.Opportunity) {
			o.Languages = []onward.LanguageNeed{{Language: language, Level: level, Essential: essential}}
		}
	}
	vetting := func(status onward.VettingStatus, until onward.Date) change {
		return func(o *onward.Opportunity) { o.Vetting, o.VettedUntil = status, until }
	}
	protected := mason(func(r *onward.ReturneeDetails) { r.Safety.Protection = true })
	licence, day := onward.DrivingLicence, func(n int) onward.Date { return today().AddDays(n) }

	for _, c := range []struct {
		why    string
		person onward.ReturneeDetails
		change change
		gate   onward.Gate
		want   string
		opens  string // the thing that is missing
	}{
		{"no closing date", mason(), func(*onward.Opportunity) {}, onward.GateOpen, "yes", ""},
		{"closes today", mason(), func(o *onward.Opportunity) { o.ClosesOn = today() }, onward.GateOpen, "yes", ""},
		{"closed yesterday", mason(), func(o *onward.Opportunity) { o.ClosesOn = day(-1) }, onward.GateOpen, "absent", ""},

		{"vetted", mason(), vetting(onward.VettingPassed, day(0)), onward.GateVetted, "yes", ""},
		{"vetted, ran out", mason(), vetting(onward.VettingPassed, day(-1)), onward.GateVetted, "unknown", ""},
		{"not vetted yet", mason(), vetting(onward.VettingUnknown, onward.Date{}), onward.GateVetted, "unknown", ""},
		{"failed vetting", mason(), vetting(onward.VettingRejected, onward.Date{}), onward.GateVetted, "absent", ""},
		{"under protection, vetted", protected, vetting(onward.VettingPassed, onward.Date{}), onward.GateVetted, "yes", ""},
		{"under protection, not vetted", protected, vetting(onward.VettingUnknown, onward.Date{}), onward.GateVetted, "absent", ""},
		{"under protection, vetting ran out", protected, vetting(onward.VettingPassed, day(-1)), onward.GateVetted, "absent", ""},

		{"places left", mason(), func(o *onward.Opportunity) { o.Held = 1 }, onward.GatePlaces, "yes", ""},
		{"full", mason(), func(o *onward.Opportunity) { o.Held, o.Placed = 1, 1 }, onward.GatePlaces, "near miss", "free_place"},

		{"paper held", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentHeld}), needs(licence), onward.GateDocuments, "yes", ""},
		{"paper held, valid on the first day", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentHeld, ValidUntil: day(20)}), needs(licence), onward.GateDocuments, "yes", ""},
		{"paper runs out before the start", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentHeld, ValidUntil: day(19)}), needs(licence), onward.GateDocuments, "near miss", "driving_licence"},
		{"and is renewed in time", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentHeld, ValidUntil: day(19), ExpectedOn: day(10)}), needs(licence), onward.GateDocuments, "yes", ""},
		{"paper comes in time", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentApplied, ExpectedOn: day(20)}), needs(licence), onward.GateDocuments, "yes", ""},
		{"paper comes too late", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentApplied, ExpectedOn: day(21)}), needs(licence), onward.GateDocuments, "near miss", "driving_licence"},
		{"paper applied for, no date", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentApplied}), needs(licence), onward.GateDocuments, "unknown", ""},
		{"paper missing", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentMissing}), needs(licence), onward.GateDocuments, "near miss", "driving_licence"},
		{"paper can't be had: nothing opens it", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentUnobtainable}), needs(licence), onward.GateDocuments, "absent", ""},
		{"paper not on record", has(onward.PersonDocument{Kind: onward.TaxNumber, Status: onward.DocumentHeld}), needs(licence), onward.GateDocuments, "unknown", ""},
		{"one missing, one not on record", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentMissing}), needs(licence, onward.TaxNumber), onward.GateDocuments, "near miss", "driving_licence"},
		{"starts as soon as agreed: a month is allowed", has(onward.PersonDocument{Kind: licence, Status: onward.DocumentApplied, ExpectedOn: day(30)}), func(o *onward.Opportunity) { o.Documents = []onward.DocumentKind{licence} }, onward.GateDocuments, "yes", ""},

		{"of age", aged(30), hazardous, onward.GateAge, "yes", ""},
		{"17 and hazardous", aged(17), hazardous, onward.GateAge, "near miss", "age:18"},
		{"14, below Mexico's legal age", aged(14), func(*onward.Opportunity) {}, onward.GateAge, "near miss", "age:15"},
		{"14, in training", aged(14), func(o *onward.Opportunity) { o.Kind = onward.Training }, onward.GateAge, "yes", ""},
		{"below the posting's own age", aged(20), func(o *onward.Opportunity) { o.MinAge = 21 }, onward.GateAge, "near miss", "age:21"},
		{"too old: nothing opens it", aged(40), func(o *onward.Opportunity) { o.MaxAge = 29 }, onward.GateAge, "absent", ""},
		{"age not known", unborn, hazardous, onward.GateAge, "unknown", ""},

		{"language spoken", mason(), speaks("es", "B2", true), onward.GateLanguage, "yes", ""},
		{"language spoken too little", mason(), speaks("en", "B1", true), onward.GateLanguage, "near miss", "en:B1"},
		{"language not essential", mason(), speaks("en", "B1", false), onward.GateLanguage, "yes", ""},
		{"language not on record", mason(), speaks("fr", "A1", true), onward.GateLanguage, "unknown", ""},

		{"two gates closed", mason(), func(o *onward.Opportunity) { needs(licence)(o); speaks("en", "B1", true)(o) }, onward.GateDocuments, "absent", ""},
	} {
		got, missing := state(setUp(c.person), post(1, puebla, c.change), c.gate)
		if got != c.want || (c.opens != "" && !slices.Equal(missing, []string{c.opens})) {
			t.Errorf("%s: got %s %v, want %s %s", c.why, got, missing, c.want, c.opens)
		}
	}
}

func TestNearMissesSayWhatWouldOpenThemAndWhatElseThatOpens(t *testing.T) {
	t.Parallel()
	licence := func(o *onward.Opportunity) { o.Documents = []onward.DocumentKind{onward.DrivingLicence} }
	english := func(level onward.CEFR) func(*onward.Opportunity) {
		return func(o *onward.Opportunity) {
			o.Languages = []onward.LanguageNeed{{Language: "en", Level: level, Essential: true}}
		}
	}
	full := func(o *onward.Opportunity) { o.Placed = 2 }
	result := setUp(mason()).rank(
		post(1, puebla), post(2, village, licence), post(3, puebla, licence), post(4, puebla, english("B1")), post(5, puebla, english("B2")),
		post(6, puebla, full), post(7, puebla, full),
	)
	if len(result.Referrals) != 1 || len(result.NearMisses) != 6 {
		t.Fatalf("%d listed, %d near misses", len(result.Referrals), len(result.NearMisses))
	}
	for _, c := range []struct {
		id         byte
		rank, also int
		why        string
	}{
		{2, 1, 1, "the licence would put it first, and open another"},
		{3, 2, 1, "the same licence"},
		{4, 2, 0, "B1 does not open what asks for B2"},
		{5, 2, 1, "B2 opens what asks for B1"},
		{6, 2, 0, "a free place helps nowhere else"},
	} {
		i := slices.IndexFunc(result.NearMisses, func(m onward.NearMiss) bool { return m.Opportunity.ID == id(c.id) })
		if miss := result.NearMisses[i]; miss.WouldRank != c.rank || miss.AlsoOpens != c.also || len(miss.Facts) == 0 {
			t.Errorf("%s: %+v", c.why, miss)
		}
	}
}

func TestANearMissWouldBeOnTheList(t *testing.T) {
	t.Parallel()
	s := setUp(mason())
	full := func(o *onward.Opportunity) { o.Placed = 2 }
	openings := []matcher.Opening{post(1, village), post(2, village), post(3, puebla, full), post(4, village, full)}
	result := matcher.Rank(s.person, s.reach, openings, matcher.Options{Today: today(), Limit: 2})
	if len(result.NearMisses) != 0 {
		t.Errorf("neither the worse one nor the equal one of a higher id would be among the two: %+v", result.NearMisses)
	}
	result = matcher.Rank(s.person, s.reach, openings[1:], matcher.Options{Today: today(), Limit: 2})
	if len(result.NearMisses) != 2 {
		t.Errorf("with one listed, both would: %+v", result.NearMisses)
	}
}

func TestSafetyIsAbsoluteAndSilent(t *testing.T) {
	t.Parallel()
	licence := func(o *onward.Opportunity) { o.Documents = []onward.DocumentKind{onward.DrivingLicence} }
	openings := []matcher.Opening{
		post(1, puebla), post(2, cholula), post(3, village), post(4, puebla, licence),
		post(5, puebla, func(o *onward.Opportunity) { o.Remote = true }),
		post(6, village, func(o *onward.Opportunity) { o.OrganisationID = id(201) }),
	}
	s := setUp(mason(func(r *onward.ReturneeDetails) {
		r.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: puebla, RadiusKm: 15}}
		r.Safety.ExcludedOrganisations = []onward.ID{id(201)}
	}))
	result := s.rank(openings...)
	if len(result.Referrals) != 1 || result.Referrals[0].Opportunity.ID != id(3) || len(result.NearMisses) != 0 || result.Considered != 1 {
		t.Errorf("only the village is left, and nothing counts the rest: %+v", result)
	}
	query := s.person.Query(s.reach, gazetteer(), matcher.Options{Today: today()}, 300)
	if !slices.Contains(query.ExcludedPlaces, puebla) || !slices.Contains(query.ExcludedPlaces, cholula) || len(query.ExcludedPlaces) != 2 {
		t.Errorf("the query leaves out Puebla and Cholula: %v", query.ExcludedPlaces)
	}
	if !slices.Equal(query.ExcludedOrganisations, []onward.ID{id(201)}) || query.VettedOnly {
		t.Errorf("%+v", query)
	}
	// a place that someone added after the gazetteer was made is known by its coordinates
	fresh := post(7, puebla)
	fresh.PlaceID = onward.FirstOwnPlaceID + 99
	if got := s.rank(fresh); got.Considered != 0 {
		t.Error("a new place 0 km from an excluded one is excluded")
	}
}
