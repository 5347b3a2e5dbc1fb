package matcher_test

import (
	"math"
	"testing"

	"onward"
	"onward/matcher"
)

func TestFit(t *testing.T) {
	t.Parallel()
	recorded := mason()
	none := mason(func(r *onward.ReturneeDetails) { r.Skills = nil })
	worked := func(occupation string, years float64, unpaid bool) onward.ReturneeDetails {
		return mason(func(r *onward.ReturneeDetails) {
			r.Skills = nil
			r.Experience = []onward.Experience{{OccupationID: occupation, Years: years, LastYear: 2026, UnseenUnpaid: unpaid}}
		})
	}
	fit := func(r onward.ReturneeDetails, change ...func(*onward.Opportunity)) float64 {
		return setUp(r).only(t, post(1, puebla, change...)).Fit
	}
	fromOccupation := func(o *onward.Opportunity) { o.Skills, o.OccupationID = nil, "bricklayer" }
	uncoded := func(o *onward.Opportunity) { o.Skills = nil }

	for _, c := range []struct {
		why         string
		lower, more float64
	}{
		{"years of the work count more than months of it", fit(worked("bricklayer", 0.5, false)), fit(worked("bricklayer", 8, false))},
		{"a skill that someone asked about counts more than work in another trade", fit(worked("cook", 8, false)), fit(recorded)},
		{"coded skills are believed more than those of the occupation", fit(recorded, fromOccupation), fit(recorded)},
		{"nothing known of the opening is below a good match", fit(recorded, uncoded), fit(recorded)},
		{"nothing known of the person is not nothing", 0, fit(none)},
	} {
		if c.lower >= c.more {
			t.Errorf("%s: %.3f against %.3f", c.why, c.lower, c.more)
		}
	}
	if paid, unpaid := fit(worked("bricklayer", 8, false)), fit(worked("bricklayer", 8, true)); paid != unpaid {
		t.Errorf("unpaid work counts the same: %v paid, %v unpaid", paid, unpaid)
	}
	if got := fit(recorded, uncoded); got != matcher.NeutralFit {
		t.Errorf("nothing known of the opening: %v", got)
	}
	if got := fit(none); math.Abs(got-matcher.NeutralFit) > 1e-12 {
		t.Errorf("nothing known of the person: %v", got)
	}
	if got := fit(none, fromOccupation); math.Abs(got-0.8*matcher.NeutralFit) > 1e-12 {
		t.Errorf("nothing known of the person, occupation's skills: %v", got)
	}
}

func TestUnknownFactorsOfASkillAreNeitherZeroNorFull(t *testing.T) {
	t.Parallel()
	strength := func(s onward.ReturneeSkill) float64 {
		s.SkillID = "bricks"
		r := mason(func(r *onward.ReturneeDetails) { r.Skills = []onward.ReturneeSkill{s} })
		return matcher.NewPerson(r, taxonomy(), today()).Strength("bricks").Value
	}
	best := onward.ReturneeSkill{Level: onward.LevelExpert, Verification: onward.Certified, LastUsedYear: 2026}
	if strength(best) != 1 {
		t.Error("an expert with papers who works in it now has it fully:", strength(best))
	}
	for why, unknown := range map[string]onward.ReturneeSkill{
		"level":   {Verification: onward.Certified, LastUsedYear: 2026},
		"recency": {Level: onward.LevelExpert, Verification: onward.Certified},
		"all":     {},
	} {
		if s := strength(unknown); s < 0.5 || s >= 1 {
			t.Errorf("%s unknown: %v", why, s)
		}
	}
	if strength(onward.ReturneeSkill{Level: onward.LevelBasic}) >= strength(onward.ReturneeSkill{}) {
		t.Error("a skill known to be basic is below one of unknown level")
	}
}

func TestASkillInferredFromWorkSpreadsToTheBroaderOneAndNoFurther(t *testing.T) {
	t.Parallel()
	person := matcher.NewPerson(mason(func(r *onward.ReturneeDetails) {
		r.Skills = nil
		r.Experience = []onward.Experience{{OccupationID: "bricklayer", Years: 5}} // bricks, mortar and safety; plaster as an optional one
	}), taxonomy(), today())
	if u := person.Strength("masonry"); u.Via != "bricks" || !(u.Value > 0) {
		t.Errorf("laying bricks shows a good part of building masonry: %+v", u)
	}
	if u := person.Strength("tiles"); u.Value != 0 {
		t.Errorf("no inference upon inference: tiles, which mortar is needed together with, has %+v", u)
	}
}

func TestARelatedSkillCoversPartOfAnother(t *testing.T) {
	t.Parallel()
	line := setUp(mason()).only(t, post(1, puebla, func(o *onward.Opportunity) {
		o.Skills = []onward.OpportunitySkill{{SkillID: "masonry", Essential: true}}
	}))
	part := line.Explanation.Skills[0]
	if part.Via != "bricks" || part.ViaLabel != "lay bricks" || part.Related != 0.7 || math.Abs(line.Fit-part.Strength) > 1e-12 {
		t.Errorf("bricklaying covers seven tenths of masonry: %+v", part)
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	s := setUp(mason())
	reach := func(place onward.PlaceID, change ...func(*onward.Opportunity)) float64 {
		o := post(1, place, change...)
		got := s.reach.Of(&o)
		for _, line := range s.rank(o).Referrals {
			if math.Abs(line.Reach-got) > 1e-12 {
				t.Errorf("the list says %v, the index %v", line.Reach, got)
			}
		}
		return got
	}
	assisted := func(o *onward.Opportunity) { o.Housing = true }
	remote := func(o *onward.Opportunity) { o.Remote = true }
	cholulaKm, _ := gazetteer().DistanceKm(puebla, cholula)
	for _, c := range []struct {
		why       string
		got, want float64
	}{
		{"in a likely place", reach(puebla), 0.4},
		{"in a village that is no urban centre", reach(village), 0.5},
		{"within commuting distance of a likely place", reach(cholula), 0.4 * math.Exp(-cholulaKm/25)},
		{"where the person is unlikely to be", reach(tijuana), 0},
		{"far away, with housing", reach(tijuana, assisted), 0.5 * 0.9},
		{"in a likely place, with housing", reach(puebla, assisted), 0.4 + 0.5*0.5},
		{"remote within the country", reach(0, remote), 0.9},
		{"remote from abroad too", reach(0, remote, func(o *onward.Opportunity) { o.RemoteAbroad = true }), 1},
		{"with a certificate that counts abroad", reach(puebla, func(o *onward.Opportunity) { o.CertificateAbroad = true }), 0.4 + 0.5*0.1},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: got %v, want %v", c.why, c.got, c.want)
		}
	}
	near := setUp(mason(func(r *onward.ReturneeDetails) { r.Preferences.MaxCommuteMinutes = ptr(15) }))
	o := post(1, cholula)
	if got := near.reach.Of(&o); got != 0 {
		t.Errorf("11 km are more than 15 minutes: %v", got)
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	wage := func(minor int64, currency string) func(*onward.Opportunity) {
		return func(o *onward.Opportunity) {
			o.Wage = &onward.Wage{MinMinor: minor, MaxMinor: minor, Currency: currency, Period: onward.PerMonth}
		}
	}
	asks := func(p onward.Preferences) onward.ReturneeDetails {
		return mason(func(r *onward.ReturneeDetails) { r.Preferences = p })
	}
	asks10k := asks(onward.Preferences{ReservationMinor: ptr[int64](1_000_000), Currency: "MXN"})
	weekly := func(o *onward.Opportunity) {
		o.Wage = &onward.Wage{MinMinor: 230_000, MaxMinor: 230_000, Currency: "MXN", Period: onward.PerWeek}
	}
	hours := func(h float64) func(*onward.Opportunity) {
		return func(o *onward.Opportunity) { o.HoursPerWeek = &h }
	}
	care := asks(onward.Preferences{NeedsChildcare: ptr(true)})
	unknown := -1.0
	for _, c := range []struct {
		why    string
		person onward.ReturneeDetails
		change func(*onward.Opportunity)
		term   string
		want   float64
	}{
		{"pay above what is asked", asks10k, wage(1_200_000, "MXN"), "wage", 1},
		{"pay by the week, worked out for a month", asks10k, weekly, "wage", 1},
		{"pay of 60 % of what is asked", asks10k, wage(600_000, "MXN"), "wage", 0.6},
		{"hardly any pay: a preference closes nothing", asks10k, wage(1, "MXN"), "wage", 0.2},
		{"pay in another currency", asks10k, wage(600_000, "USD"), "wage", unknown},
		{"pay not said", asks10k, nil, "wage", unknown},
		{"what is asked not known", mason(), wage(600_000, "MXN"), "wage", unknown},
		{"hours that can be worked", asks(onward.Preferences{HoursPerWeek: ptr(40.0)}), hours(40), "hours", 1},
		{"twice the hours", asks(onward.Preferences{HoursPerWeek: ptr(20.0)}), hours(40), "hours", 0.5},
		{"twice the hours, but flexible", asks(onward.Preferences{HoursPerWeek: ptr(20.0)}), func(o *onward.Opportunity) { o.HoursPerWeek, o.FlexibleTime = ptr(40.0), ptr(true) }, "hours", 0.7},
		{"childcare offered", care, func(o *onward.Opportunity) { o.Childcare = ptr(true) }, "childcare", 1},
		{"childcare not offered", care, func(o *onward.Opportunity) { o.Childcare = ptr(false) }, "childcare", 0.2},
		{"childcare not said", care, nil, "childcare", unknown},
		{"the kind that is wanted", asks(onward.Preferences{Kinds: []onward.Kind{onward.Job}}), nil, "kind", 1},
		{"another kind", asks(onward.Preferences{Kinds: []onward.Kind{onward.Training}}), nil, "kind", 0.4},
		{"no kind said", mason(), nil, "kind", unknown},
		{"available before it starts", mason(func(r *onward.ReturneeDetails) { r.AvailableFrom = today().AddDays(5) }), func(o *onward.Opportunity) { o.StartsOn = today().AddDays(10) }, "start", 1},
		{"available a month late", mason(func(r *onward.ReturneeDetails) { r.AvailableFrom = today().AddDays(40) }), func(o *onward.Opportunity) { o.StartsOn = today().AddDays(10) }, "start", 0.5},
		{"availability not known", mason(), nil, "start", unknown},
		{"posted three days ago", mason(), nil, "freshness", 1},
		{"posted 74 days ago", mason(), func(o *onward.Opportunity) { o.PublishedAt = ptr(today().AddDays(-74).Time()) }, "freshness", 0.75},
	} {
		var changes []func(*onward.Opportunity)
		if c.change != nil {
			changes = append(changes, c.change)
		}
		line := setUp(c.person).only(t, post(1, puebla, changes...))
		got, found := unknown, false
		for _, part := range line.Explanation.TermParts {
			if part.Term == c.term {
				found = true
				if part.Value != nil {
					got = *part.Value
				}
			}
		}
		if !found || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: got %v (shown: %v), want %v", c.why, got, found, c.want)
		}
	}
}

func TestUnknownTermsAreLeftOutOfTheMean(t *testing.T) {
	t.Parallel()
	line := setUp(mason()).only(t, post(1, puebla, func(o *onward.Opportunity) { o.PublishedAt = nil }))
	if line.Terms != 1 {
		t.Error("nothing known, nothing lost:", line.Terms)
	}
	no := setUp(mason(func(r *onward.ReturneeDetails) { r.Preferences.NeedsChildcare = ptr(false) })).only(t, post(1, puebla))
	for _, part := range no.Explanation.TermParts {
		if part.Term == "childcare" {
			t.Error("childcare that nobody needs is beside the point")
		}
	}
}

func TestTheListIsOrderedAndCut(t *testing.T) {
	t.Parallel()
	s := setUp(mason())
	openings := []matcher.Opening{post(4, puebla), post(2, village), post(3, puebla), post(1, tijuana)}
	result := matcher.Rank(s.person, s.reach, openings, matcher.Options{Today: today(), Limit: 2})
	if len(result.Referrals) != 2 || result.Referrals[0].Opportunity.ID != id(2) || result.Referrals[1].Opportunity.ID != id(3) {
		t.Errorf("the likelier place first, then the lower id: %+v", result.Referrals)
	}
	if result.Considered != 4 || result.Threshold != result.Referrals[1].Score*result.Referrals[1].Variety {
		t.Errorf("considered %d, threshold %v", result.Considered, result.Threshold)
	}
	if all := s.rank(openings...); len(all.Referrals) != 3 || all.Threshold != 0 {
		t.Errorf("what scores 0 is not listed, and a list that is not full has no threshold: %+v", all)
	}
	only := matcher.Rank(s.person, s.reach, openings, matcher.Options{Today: today(), Kinds: []onward.Kind{onward.Training}})
	if len(only.Referrals) != 0 {
		t.Error("only trainings were asked for")
	}
}

func TestWithoutConsentNothingIsScored(t *testing.T) {
	t.Parallel()
	for why, consents := range map[string][]onward.Consent{
		"none":              nil,
		"another purpose":   {{Purpose: onward.ConsentSharing, GivenOn: today()}},
		"withdrawn":         {{Purpose: onward.ConsentMatching, GivenOn: today().AddDays(-9), WithdrawnOn: today()}},
		"expired yesterday": {{Purpose: onward.ConsentMatching, GivenOn: today().AddDays(-9), ExpiresOn: today().AddDays(-1)}},
	} {
		s := setUp(mason(func(r *onward.ReturneeDetails) { r.Consents = consents }))
		if result := s.rank(post(1, puebla)); s.person.Consented || result.Considered != 0 || len(result.Referrals) != 0 {
			t.Errorf("%s: %+v", why, result)
		}
	}
}

func TestNothingThatIdentifiesChangesAnything(t *testing.T) {
	t.Parallel()
	plain, named := mason(), mason(func(r *onward.ReturneeDetails) {
		r.ExternalID, r.Language = "case-7", "nah"
		r.Identity = onward.Identity{GivenName: "A", FamilyName: "B", Sex: "female", Phone: "1", Email: "a@b.c", Notes: "n"}
		r.Education = ptr(3)
		r.Household = onward.Household{Adults: ptr(2), Children: ptr(3)}
	})
	openings := []matcher.Opening{post(1, puebla), post(2, village), post(3, tijuana)}
	if golden(t, setUp(plain).rank(openings...)) != golden(t, setUp(named).rank(openings...)) {
		t.Error("the list changed with the name, sex or household of the person")
	}
}
