package matcher_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

// couple is two adults with the openings drawn for them and where they may live together.
type couple struct {
	a, b   matcher.PairSide
	people [2]onward.ReturneeDetails
	joint  destination.Spread
	all    []matcher.Opening
}

// drawCouple gives both adults the safety of the household, as its view does.
func drawCouple(t *rapid.T, m *destination.Model) couple {
	var c couple
	drawn := drawCaseload(t, 1)
	c.people = [2]onward.ReturneeDetails{drawn[0], drawCaseload(t, 1)[0]}
	spreads := []destination.Spread{predict(m)(c.people[0]), predict(m)(c.people[1])}
	safety := matcher.HouseholdSafety(c.people[:]...)
	c.joint = destination.Joint(m.Gazetteer(), m.Gazetteer().Excluded(safety.ExcludedPlaces), spreads...)
	c.all = drawOpenings(t)
	side := func(n byte, own onward.ReturneeDetails) matcher.PairSide {
		own.Safety = safety
		return matcher.PairSide{ID: id(n), Person: matcher.NewPerson(own, taxonomy(), today()), Openings: c.all}
	}
	c.a, c.b = side(1, c.people[0]), side(2, c.people[1])
	return c
}

func (c couple) pairs(m *destination.Model, limit int) []onward.HouseholdPair {
	return matcher.Pairs(c.a, c.b, c.joint, m.Gazetteer(), matcher.Options{Today: today()}, limit)
}

func TestPropertiesOfPairs(t *testing.T) {
	t.Parallel()
	m := model()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCouple(t, m)
		safety := matcher.HouseholdSafety(c.people[:]...)
		excluded := m.Gazetteer().Excluded(safety.ExcludedPlaces)
		byID := map[onward.ID]matcher.Opening{}
		for _, o := range c.all {
			byID[o.ID] = o
		}
		pairs := c.pairs(m, 100)
		used := map[[2]onward.ID]int{}
		for i, p := range pairs {
			if p.Rank != i+1 || !(p.Score > 0 && p.Score <= 1) || (i > 0 && p.Score > pairs[i-1].Score) {
				t.Fatalf("pair %d has rank %d and score %v", i+1, p.Rank, p.Score)
			}
			sum := 0.0
			for _, part := range p.Parts {
				sum += part.Probability * part.Value
				if part.PlaceID != 0 && (slices.Contains(excluded, part.PlaceID) || slices.Contains(excluded, part.MovesTo)) {
					t.Fatalf("they would live where it is dangerous for one of them: %+v", part)
				}
			}
			if math.Abs(sum-p.Score) > 1e-12 {
				t.Fatalf("the parts give %v, the score is %v", sum, p.Score)
			}
			// no better than the mean of both, so that a good half does not carry a bad one
			if mean := (p.Adults[0].Fit*p.Adults[0].Terms + p.Adults[1].Fit*p.Adults[1].Terms) / 2; p.Score > mean+1e-12 {
				t.Fatalf("the pair scores %v, both together %v at most", p.Score, mean)
			}
			for k, side := range p.Adults {
				o := byID[side.Opportunity.ID]
				person := c.people[k]
				if !person.HasConsent(onward.ConsentMatching, today()) {
					t.Fatal("paired without consent")
				}
				if o.PlaceID != 0 && slices.Contains(excluded, o.PlaceID) || slices.Contains(safety.ExcludedOrganisations, o.OrganisationID) {
					t.Fatalf("dangerous for one of them: %+v", o)
				}
				if safety.Protection && o.Vetting != onward.VettingPassed {
					t.Fatalf("not vetted, though one is under protection: %+v", o)
				}
				person.Safety = safety
				own := setUp(person, onward.LikelyPlace{PlaceID: puebla, Probability: 1})
				for _, miss := range own.rank(o).NearMisses {
					t.Fatalf("a gate is closed: %+v", miss)
				}
				used[[2]onward.ID{side.ReturneeID, o.ID}]++
			}
			if one := p.Adults[0].Opportunity; one.ID == p.Adults[1].Opportunity.ID && one.PlacesLeft < 2 {
				t.Fatal("one place for two")
			}
		}
		for which, n := range used {
			if n > 2 {
				t.Fatalf("%v stands in %d pairs", which, n)
			}
		}
		// neither which side is first nor the order of the openings matters
		before, _ := json.Marshal(pairs)
		c.a, c.b = c.b, c.a
		c.a.Openings = slices.Clone(c.a.Openings)
		slices.Reverse(c.a.Openings)
		if after, _ := json.Marshal(c.pairs(m, 100)); string(before) != string(after) {
			t.Fatalf("%s\n%s", before, after)
		}
	})
}

func TestJointDestinationsAreWhereAllMayLive(t *testing.T) {
	t.Parallel()
	m := model()
	rapid.Check(t, func(t *rapid.T) {
		var spreads []destination.Spread
		people := append(drawCaseload(t, 4), mason())
		for _, r := range people {
			spreads = append(spreads, predict(m)(r))
		}
		excluded := m.Gazetteer().Excluded(matcher.HouseholdSafety(people...).ExcludedPlaces)
		joint := destination.Joint(m.Gazetteer(), excluded, spreads...)
		total := joint.Elsewhere + joint.Abroad
		for _, p := range joint.Places {
			if slices.Contains(excluded, p.PlaceID) || !(p.Probability > 0) {
				t.Fatalf("%+v is listed, of %v excluded", p, excluded)
			}
			total += p.Probability
		}
		if math.Abs(total-1) > 1e-9 {
			t.Fatalf("adds up to %v", total)
		}
		slices.Reverse(spreads)
		before, _ := json.Marshal(joint)
		if after, _ := json.Marshal(destination.Joint(m.Gazetteer(), excluded, spreads...)); string(before) != string(after) {
			t.Fatalf("the order matters: %s\n%s", before, after)
		}
	})
	alone := destination.Stated([]onward.LikelyPlace{{PlaceID: puebla, Probability: 0.75}, {PlaceID: oaxaca, Probability: 0.25}})
	if same := destination.Joint(m.Gazetteer(), nil, alone, alone); same.Places[0].PlaceID != puebla || math.Abs(same.Places[0].Probability-0.75) > 1e-12 {
		t.Errorf("two who agree: %+v", same)
	}
	apart := destination.Joint(m.Gazetteer(), nil,
		destination.Stated([]onward.LikelyPlace{{PlaceID: puebla, Probability: 1}}), destination.Stated([]onward.LikelyPlace{{PlaceID: tijuana, Probability: 1}}))
	if len(apart.Places) != 0 || apart.Elsewhere != 1 {
		t.Errorf("two who will certainly live apart: %+v", apart)
	}
}

// TestAPairIsNotAsGoodAsItsBetterHalf answers what GeoMatch was criticised for: households by their best earner.
func TestAPairIsNotAsGoodAsItsBetterHalf(t *testing.T) {
	t.Parallel()
	m := model()
	joint := destination.Stated([]onward.LikelyPlace{{PlaceID: puebla, Probability: 0.5}, {PlaceID: tijuana, Probability: 0.5}})
	kitchen := func(n byte, place onward.PlaceID, change ...func(*onward.Opportunity)) matcher.Opening {
		return post(n, place, append([]func(*onward.Opportunity){func(o *onward.Opportunity) {
			o.Skills = []onward.OpportunitySkill{{SkillID: "stew", Essential: true}, {SkillID: "hygiene", Essential: true}}
		}}, change...)...)
	}
	cook := mason(func(r *onward.ReturneeDetails) {
		r.Skills = []onward.ReturneeSkill{{SkillID: "stew", Level: onward.LevelWorking}, {SkillID: "hygiene", Level: onward.LevelWorking}}
	})
	side := func(n byte, r onward.ReturneeDetails, openings ...matcher.Opening) matcher.PairSide {
		return matcher.PairSide{ID: id(n), Person: matcher.NewPerson(r, taxonomy(), today()), Openings: openings}
	}
	pairs := func(openings ...matcher.Opening) []onward.HouseholdPair {
		return matcher.Pairs(side(1, mason(), openings...), side(2, cook, openings...), joint, m.Gazetteer(), matcher.Options{Today: today()}, 20)
	}
	if alone := pairs(post(1, puebla), post(2, tijuana)); len(alone) > 0 && alone[0].Score > 0.35 {
		t.Errorf("two building sites, and nothing for the cook: %+v", alone[0])
	}
	both := pairs(post(1, puebla), kitchen(2, cholula), post(3, tijuana))
	if len(both) == 0 || both[0].Adults[0].Opportunity.ID != id(1) || both[0].Adults[1].Opportunity.ID != id(2) || both[0].Parts[0].PlaceID != puebla {
		t.Fatalf("the building site and the kitchen nearby come first: %+v", both)
	}
	for _, p := range pairs(post(1, puebla), kitchen(2, tijuana)) {
		if p.Adults[0].Opportunity.PlaceID != p.Adults[1].Opportunity.PlaceID {
			t.Errorf("2,300 km apart, they would not live together: %+v", p)
		}
	}
	housed := pairs(post(1, oaxaca, func(o *onward.Opportunity) { o.Housing = true }), kitchen(2, oaxaca))
	if len(housed) == 0 || housed[0].Parts[0].MovesTo != oaxaca {
		t.Errorf("both can move to where one has housing: %+v", housed)
	}
	full := func(o *onward.Opportunity) { o.Capacity = 1 }
	for _, p := range pairs(post(1, puebla, full)) {
		t.Errorf("one place for two: %+v", p)
	}
}
