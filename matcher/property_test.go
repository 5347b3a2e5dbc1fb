package matcher_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

func skillIDs() []string {
	return []string{"accounts", "bricks", "english", "hygiene", "masonry", "mortar", "plaster", "safety", "stew", "tiles"}
}

func maybe[T any](t *rapid.T, name string, value func() T) *T {
	if !rapid.Bool().Draw(t, name+" known") {
		return nil
	}
	v := value()
	return &v
}

func drawReturnee(t *rapid.T) onward.ReturneeDetails {
	r := mason()
	r.Skills = nil
	for _, skill := range skillIDs() {
		if rapid.Bool().Draw(t, skill) {
			r.Skills = append(r.Skills, onward.ReturneeSkill{
				SkillID: skill, Level: onward.Level(rapid.IntRange(0, 4).Draw(t, "level")),
				Verification: rapid.SampledFrom(append(onward.Verifications(), "")).Draw(t, "verification"),
				LastUsedYear: rapid.SampledFrom([]int{0, 1995, 2015, 2024, 2026}).Draw(t, "last used"),
			})
		}
	}
	if rapid.Bool().Draw(t, "worked") {
		r.Experience = []onward.Experience{{OccupationID: rapid.SampledFrom([]string{"bricklayer", "tiler", "cook"}).Draw(t, "occupation"), Years: rapid.Float64Range(0, 20).Draw(t, "years")}}
	}
	r.Preferences = onward.Preferences{
		ReservationMinor: maybe(t, "reservation", func() int64 { return rapid.Int64Range(0, 2_000_000).Draw(t, "reservation") }), Currency: "MXN",
		HoursPerWeek:      maybe(t, "hours", func() float64 { return rapid.Float64Range(1, 60).Draw(t, "hours") }),
		NeedsChildcare:    maybe(t, "childcare", func() bool { return rapid.Bool().Draw(t, "childcare") }),
		MaxCommuteMinutes: maybe(t, "commute", func() int { return rapid.IntRange(0, 120).Draw(t, "commute") }),
	}
	if rapid.Bool().Draw(t, "kinds known") {
		r.Preferences.Kinds = []onward.Kind{rapid.SampledFrom(onward.Kinds()).Draw(t, "kind")}
	}
	r.Safety.Protection = rapid.IntRange(0, 4).Draw(t, "protection") == 0
	return r
}

func drawOpening(t *rapid.T, n byte) matcher.Opening {
	place := rapid.SampledFrom([]onward.PlaceID{0, mexicoCity, puebla, cholula, oaxaca, tijuana, village}).Draw(t, "place")
	return post(n, place, func(o *onward.Opportunity) {
		o.Kind = rapid.SampledFrom(onward.Kinds()).Draw(t, "kind")
		o.Remote = place == 0 || rapid.Bool().Draw(t, "remote")
		o.RemoteAbroad = o.Remote && rapid.Bool().Draw(t, "abroad")
		o.CertificateAbroad = rapid.Bool().Draw(t, "certificate")
		o.Housing = rapid.Bool().Draw(t, "housing")
		o.Skills = nil
		for _, skill := range skillIDs() {
			if rapid.IntRange(0, 3).Draw(t, skill) == 0 {
				o.Skills = append(o.Skills, onward.OpportunitySkill{SkillID: skill, Essential: rapid.Bool().Draw(t, "essential")})
			}
		}
		o.OccupationID = rapid.SampledFrom([]string{"", "bricklayer", "clerk"}).Draw(t, "occupation")
		o.HoursPerWeek = maybe(t, "hours", func() float64 { return rapid.Float64Range(1, 80).Draw(t, "hours") })
		o.FlexibleTime = maybe(t, "flexible", func() bool { return rapid.Bool().Draw(t, "flexible") })
		o.Childcare = maybe(t, "childcare", func() bool { return rapid.Bool().Draw(t, "childcare") })
		o.Wage = maybe(t, "wage", func() onward.Wage {
			minor := rapid.Int64Range(0, 2_000_000).Draw(t, "minor")
			return onward.Wage{MinMinor: minor, MaxMinor: minor * 2, Currency: rapid.SampledFrom([]string{"MXN", "USD"}).Draw(t, "currency"), Period: rapid.SampledFrom(onward.WagePeriods()).Draw(t, "period")}
		})
		if rapid.Bool().Draw(t, "papers") {
			o.Documents = []onward.DocumentKind{rapid.SampledFrom([]onward.DocumentKind{onward.NationalID, onward.DrivingLicence, onward.TaxNumber}).Draw(t, "document")}
		}
		o.Vetting = rapid.SampledFrom([]onward.VettingStatus{onward.VettingPassed, onward.VettingUnknown, onward.VettingRejected}).Draw(t, "vetting")
		o.Placed = rapid.IntRange(0, 2).Draw(t, "placed")
		o.OrganisationID = rapid.SampledFrom([]onward.ID{id(200), id(201), id(202)}).Draw(t, "organisation")
		o.ClosesOn = today().AddDays(rapid.IntRange(-1, 30).Draw(t, "closes"))
	})
}

func drawOpenings(t *rapid.T) []matcher.Opening {
	openings := make([]matcher.Opening, rapid.IntRange(0, 12).Draw(t, "openings"))
	for i := range openings {
		openings[i] = drawOpening(t, byte(i+1)) //nolint:gosec // at most 12
	}
	return openings
}

func drawSpread(t *rapid.T) []onward.LikelyPlace {
	stated := []onward.LikelyPlace{{PlaceID: 0}, {PlaceID: mexicoCity}, {PlaceID: puebla}, {PlaceID: oaxaca}, {PlaceID: village}}
	for i := range stated {
		stated[i].Probability = rapid.Float64Range(0.001, 1).Draw(t, "probability")
	}
	return stated
}

func TestPropertiesOfTheScore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := setUp(drawReturnee(t), drawSpread(t)...)
		openings := drawOpenings(t)
		result := s.rank(openings...)
		byID := map[onward.ID]matcher.Opening{}
		for _, o := range openings {
			byID[o.ID] = o
		}
		query := s.person.Query(s.reach, gazetteer(), matcher.Options{Today: today()}, 300)
		for i, line := range result.Referrals {
			multiplies(t, line)
			o := byID[line.Opportunity.ID]
			// what an index computes bounds the score from above, and is fit x reach
			if bound := indexScore(query, &o); bound < line.Score-1e-12 || !near(bound, line.Fit*line.Reach) {
				t.Fatalf("the index says %v, the list %v x %v x %v", bound, line.Fit, line.Reach, line.Terms)
			}
			if line.Rank != i+1 || (i > 0 && line.Score*line.Variety > result.Referrals[i-1].Score*result.Referrals[i-1].Variety) {
				t.Fatalf("line %d is out of order", i+1)
			}
			if !(line.Variety > 0 && line.Variety <= 1) {
				t.Fatalf("variety %v", line.Variety)
			}
			// gates dominate: nothing with a closed gate is on the list, whatever its score
			for _, g := range line.Explanation.Gates {
				if g.State == onward.GateNo {
					t.Fatalf("listed although %s is closed", g.Gate)
				}
			}
			if o.PlacesLeft == 0 || o.Vetting == onward.VettingRejected || o.ClosesOn.Before(today()) {
				t.Fatalf("listed: %+v", o)
			}
		}
		for _, miss := range result.NearMisses {
			if len(miss.Missing) == 0 || miss.WouldRank < 1 || miss.WouldRank > len(result.Referrals)+1 || !(miss.Score > 0) {
				t.Fatalf("%+v", miss)
			}
		}
	})
}

// indexScore is what both indices compute, as the comment on Query says.
func indexScore(q matcher.Query, o *matcher.Opening) float64 {
	fit := q.NeutralFit
	switch {
	case q.SkillsUnknown:
		fit *= o.SkillConfidence
	case o.SkillBasis != onward.SkillsNone:
		fit = 0
		for _, skill := range o.Skills {
			i, ok := slices.BinarySearchFunc(q.Skills, skill.SkillID, func(s matcher.QuerySkill, id string) int {
				return map[bool]int{true: -1, false: 1}[s.SkillID < id] * map[bool]int{true: 0, false: 1}[s.SkillID == id]
			})
			if !ok {
				continue
			}
			if skill.Essential {
				fit += q.Skills[i].Essential
			} else {
				fit += q.Skills[i].Optional
			}
		}
		fit *= o.Scale
	}
	return fit * q.Reach.Of(o)
}

func near(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }

func TestTheOrderOfTheOpeningsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := setUp(drawReturnee(rt), drawSpread(rt)...)
		openings := drawOpenings(rt)
		before := golden(t, s.rank(openings...))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)) //nolint:gosec // a test
		random.Shuffle(len(openings), func(i, k int) { openings[i], openings[k] = openings[k], openings[i] })
		if after := golden(t, s.rank(openings...)); after != before {
			rt.Fatalf("%s\n%s", before, after)
		}
	})
}

// scoreOf is the score of one opening whose gates are open, 0 when it is not listed.
func scoreOf(s setting, o matcher.Opening) float64 {
	o.Vetting, o.PlacesLeft, o.ClosesOn, o.Documents = onward.VettingPassed, 1, onward.Date{}, nil
	for _, line := range s.rank(o).Referrals {
		return line.Score
	}
	return 0
}

func TestMoreOfASkillNeverScoresLess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, o, stated := drawReturnee(t), drawOpening(t, 1), drawSpread(t)
		if len(r.Skills) == 0 {
			return
		}
		before := scoreOf(setUp(r, stated...), o)
		r.Skills = slices.Clone(r.Skills)
		s := &r.Skills[rapid.IntRange(0, len(r.Skills)-1).Draw(t, "which")]
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			s.Level = min(onward.LevelExpert, max(s.Level, onward.LevelWorking)+1)
			// Working is what an unknown level counts as, and a level that is known stands even when the work suggests more:
			// so this compares known levels.
			if len(r.Experience) > 0 {
				return
			}
		case 1:
			s.Verification = onward.Certified
		case 2:
			s.LastUsedYear = 2026
		}
		if after := scoreOf(setUp(r, stated...), o); after < before-1e-12 {
			t.Fatalf("%v before, %v after: %+v", before, after, *s)
		}
	})
}

func TestALikelierPlaceNeverScoresLessThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, stated := drawReturnee(t), drawSpread(t)
		i := rapid.IntRange(1, len(stated)-1).Draw(t, "place")
		o := drawOpening(t, 1)
		o.Remote, o.Portability = false, 0
		if o.PlaceID == 0 {
			o.Remote = true
		} else {
			o.PlaceID = stated[i].PlaceID
		}
		spread := destination.Stated(stated)
		before := scoreIn(r, spread, o)
		// the place gains what is elsewhere loses: a place that reaches the opening not at all
		spread = destination.Stated(stated)
		gain := 0.0
		for k := range spread.Places {
			if spread.Places[k].PlaceID != stated[i].PlaceID {
				taken := spread.Places[k].Probability * rapid.Float64Range(0, 1).Draw(t, "taken")
				spread.Places[k].Probability -= taken
				gain += taken
			}
		}
		for k := range spread.Places {
			if spread.Places[k].PlaceID == stated[i].PlaceID {
				spread.Places[k].Probability += gain
			}
		}
		if after := scoreIn(r, spread, o); after < before-1e-12 {
			t.Fatalf("%v before, %v after", before, after)
		}
	})
}

func scoreIn(r onward.ReturneeDetails, spread destination.Spread, o matcher.Opening) float64 {
	person := matcher.NewPerson(r, taxonomy(), today())
	return scoreOf(setting{person, matcher.NewReach(spread, gazetteer(), person)}, o)
}
