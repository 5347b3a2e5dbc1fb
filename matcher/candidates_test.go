package matcher_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

func bits(line onward.RankedReferral) [4]uint64 {
	return [4]uint64{math.Float64bits(line.Score), math.Float64bits(line.Fit), math.Float64bits(line.Reach), math.Float64bits(line.Terms)}
}

// drawCaseload draws people who differ in everything that a score, a gate or safety rests on.
func drawCaseload(t *rapid.T, most int) []onward.ReturneeDetails {
	people := make([]onward.ReturneeDetails, rapid.IntRange(1, most).Draw(t, "people"))
	for i := range people {
		r := drawReturnee(t)
		everywhere := []onward.PlaceID{mexicoCity, puebla, cholula, oaxaca, tijuana, village}
		r.Places = []onward.PersonPlace{
			{PlaceID: rapid.SampledFrom(everywhere).Draw(t, "origin"), Relation: onward.PlaceOrigin},
			{PlaceID: rapid.SampledFrom(everywhere).Draw(t, "current"), Relation: onward.PlaceCurrent, RecordedOn: today().AddDays(-rapid.IntRange(0, 900).Draw(t, "days"))},
		}
		if rapid.IntRange(0, 3).Draw(t, "danger") == 0 {
			r.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: rapid.SampledFrom(everywhere).Draw(t, "excluded"), RadiusKm: rapid.SampledFrom([]float64{0, 20, 400}).Draw(t, "radius")}}
		}
		if rapid.IntRange(0, 5).Draw(t, "enemy") == 0 {
			r.Safety.ExcludedOrganisations = []onward.ID{id(201)}
		}
		if rapid.IntRange(0, 5).Draw(t, "no consent") == 0 {
			r.Consents = nil
		}
		people[i] = r
	}
	return people
}

func model() *destination.Model { return destination.NewModel(gazetteer(), destination.Priors()) }

func predict(m *destination.Model) func(onward.ReturneeDetails) destination.Spread {
	return func(r onward.ReturneeDetails) destination.Spread { return m.Predict(destination.NewPerson(r), today()) }
}

// TestACandidateHasTheScoreOfTheOwnList: bit for bit, in the same words, and whoever is a candidate has the opening on the
// own list or among the near misses.
func TestACandidateHasTheScoreOfTheOwnList(t *testing.T) {
	t.Parallel()
	m, taxonomy := model(), taxonomy()
	rapid.Check(t, func(t *rapid.T) {
		people, o := drawCaseload(t, 8), drawOpening(t, 1)
		options := matcher.Options{Today: today(), Language: "es", Replies: map[onward.ID]float64{id(200): 0.4}}
		candidates := matcher.NewCandidates(o, taxonomy, m.Gazetteer(), options, len(people))
		for i, r := range people {
			candidates.Add(id(byte(i+1)), 1, r, predict(m)) //nolint:gosec // at most 8
		}
		found := map[onward.ID]matcher.Candidate{}
		best := candidates.Best()
		for i, c := range best {
			found[c.ID] = c
			if i > 0 && best[i-1].Closed == c.Closed && best[i-1].Score < c.Score {
				t.Fatalf("out of order: %v before %v", best[i-1].Score, c.Score)
			}
			if i > 0 && best[i-1].Closed != "" && c.Closed == "" {
				t.Fatal("a near miss before someone who lacks nothing")
			}
		}
		for i, r := range people {
			person := matcher.NewPerson(r, taxonomy, today())
			own := matcher.Rank(person, matcher.NewReach(predict(m)(r), m.Gazetteer(), person), []matcher.Opening{o}, options)
			c, is := found[id(byte(i+1))] //nolint:gosec // at most 8
			switch {
			case len(own.Referrals) == 1:
				line := candidates.Line(1, c)
				line.Counterfactuals = own.Referrals[0].Counterfactuals // of the list, not of the opening
				if !is || c.Closed != "" || bits(line) != bits(own.Referrals[0]) || math.Float64bits(c.Score) != math.Float64bits(line.Score) {
					t.Fatalf("own list %v, as a candidate %+v", own.Referrals[0].Score, c)
				}
				mine, _ := json.Marshal(own.Referrals[0])
				theirs, _ := json.Marshal(line)
				if string(mine) != string(theirs) {
					t.Fatalf("own list %s\nas a candidate %s", mine, theirs)
				}
			case len(own.NearMisses) == 1:
				miss := own.NearMisses[0]
				if !is || c.Closed != miss.Gate || !slices.Equal(c.Missing, miss.Missing) || math.Float64bits(c.Score) != math.Float64bits(miss.Score) {
					t.Fatalf("own near miss %+v, as a candidate %+v", miss, c)
				}
			case is:
				t.Fatalf("a candidate, but not on the own list: %+v", c)
			}
		}
	})
}

// TestKeepingTheBestKeepsTheBest: however the people are split and in whatever order they come, leaving some out early
// changes nothing.
func TestKeepingTheBestKeepsTheBest(t *testing.T) {
	t.Parallel()
	m, taxonomy := model(), taxonomy()
	rapid.Check(t, func(t *rapid.T) {
		people, o, keep := drawCaseload(t, 12), drawOpening(t, 1), rapid.IntRange(1, 6).Draw(t, "keep")
		collect := func(keep int, of []int) *matcher.Candidates {
			c := matcher.NewCandidates(o, taxonomy, m.Gazetteer(), matcher.Options{Today: today()}, keep)
			for _, i := range of {
				c.Add(id(byte(i+1)), 1, people[i], predict(m)) //nolint:gosec // at most 12
			}
			return c
		}
		order := rapid.Permutation(func() (all []int) {
			for i := range people {
				all = append(all, i)
			}
			return all
		}()).Draw(t, "order")
		cut := rapid.IntRange(0, len(order)).Draw(t, "cut")
		merged := collect(keep, order[:cut])
		merged.Merge(collect(keep, order[cut:]))
		slices.Sort(order)
		want := collect(len(people), order).Best()
		want = want[:min(len(want), keep)]
		got := merged.Best()
		if len(got) != len(want) {
			t.Fatalf("%d kept, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i].ID != want[i].ID || got[i].Score != want[i].Score {
				t.Fatalf("place %d: %v, want %v", i+1, got[i].ID, want[i].ID)
			}
		}
	})
}

// TestWhoeverIsExcludedLeavesNoTraceOnTheCards: the cards are the same as if they had never been registered.
func TestWhoeverIsExcludedLeavesNoTraceOnTheCards(t *testing.T) {
	t.Parallel()
	m, taxonomy := model(), taxonomy()
	rapid.Check(t, func(t *rapid.T) {
		o := drawOpening(t, 1)
		people := drawCaseload(t, 12)
		cards := func(out func(onward.ReturneeDetails) bool) string {
			c := matcher.NewCandidates(o, taxonomy, m.Gazetteer(), matcher.Options{Today: today()}, 50)
			for i, r := range people {
				if !out(r) {
					c.Add(id(byte(i+1)), 1, r, predict(m)) //nolint:gosec // at most 12
				}
			}
			list, _ := c.Cards(50)
			text, err := json.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		keptAway := func(r onward.ReturneeDetails) bool {
			if len(r.Consents) == 0 || slices.Contains(r.Safety.ExcludedOrganisations, o.OrganisationID) || (r.Safety.Protection && o.Vetting != onward.VettingPassed) {
				return true
			}
			return o.PlaceID != 0 && slices.Contains(m.Gazetteer().Excluded(r.Safety.ExcludedPlaces), o.PlaceID)
		}
		if a, b := cards(func(onward.ReturneeDetails) bool { return false }), cards(keptAway); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

func TestCardsOfAFewSayNothingButSkills(t *testing.T) {
	t.Parallel()
	m, taxonomy := model(), taxonomy()
	licensed := post(1, puebla, func(o *onward.Opportunity) { o.Documents = []onward.DocumentKind{onward.DrivingLicence} })
	cards := func(o matcher.Opening, people, limit int) []onward.CandidateCard {
		c := matcher.NewCandidates(o, taxonomy, m.Gazetteer(), matcher.Options{Today: today(), Language: "en"}, max(limit, onward.FewCandidates))
		for i := range people {
			c.Add(id(byte(i+1)), 1, mason(), predict(m)) //nolint:gosec // a few
		}
		list, of := c.Cards(limit)
		if len(list) != len(of) {
			t.Fatalf("%d cards of %d", len(list), len(of))
		}
		return list
	}
	few := cards(post(1, puebla), onward.FewCandidates-1, 20)
	if len(few) != onward.FewCandidates-1 || few[0].Score != nil || few[0].Reach != nil || few[0].Terms != nil || few[0].Gates != nil || len(few[0].Skills) != 4 {
		t.Errorf("of a few: %+v", few)
	}
	if few := cards(licensed, 1, 20); len(few) != 0 {
		t.Errorf("one who lacks the licence, with nothing that says so: %+v", few)
	}
	enough := cards(licensed, onward.FewCandidates, 2)
	if len(enough) != 2 || enough[0].Score == nil || enough[1].Rank != 2 || len(enough[0].Gates) != 3 || enough[0].Gates[0].State != onward.GateNo {
		t.Fatalf("%+v", enough)
	}
	if s := enough[0].Skills; s[0].SkillID == "" || s[0].Label == "" {
		t.Errorf("%+v", s)
	}
	text, err := json.Marshal(enough)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Puebla", "Tlacolula", "1990", "36", "driving", "place", "via"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("a card says %q: %s", secret, text)
		}
	}
	for _, value := range []float64{enough[0].Fit, *enough[0].Score, *enough[0].Terms} {
		if math.Abs(value*10-math.Round(value*10)) > 1e-9 {
			t.Errorf("%v is not in tenths", value)
		}
	}
	if r := *enough[0].Reach * 4; r != math.Round(r) {
		t.Errorf("reach %v is not in quarters", r/4)
	}
}

// BenchmarkCandidates finds the best 20 of many people for one opening, with 1,300 places and ESCO-like skills.
func BenchmarkCandidates(b *testing.B) {
	w := newWorld(b, 100)
	const people = 10_000
	caseload := make([]onward.ReturneeDetails, people)
	for i := range caseload {
		r := w.returnee
		r.Skills = nil
		for k := range 12 {
			r.Skills = append(r.Skills, onward.ReturneeSkill{SkillID: syntheticSkill((i*37 + k*11) % 5000), Level: onward.Level(1 + (i+k)%4), LastUsedYear: 2010 + i%16})
		}
		r.Experience = []onward.Experience{{OccupationID: fmt.Sprint("occupation/", i%1000), Years: float64(i % 9)}}
		r.Places = []onward.PersonPlace{
			{PlaceID: onward.PlaceID(1 + i%1300), Relation: onward.PlaceOrigin}, {PlaceID: onward.PlaceID(1 + i*7%1300), Relation: onward.PlaceCurrent, RecordedOn: today()},
		}
		caseload[i] = r
	}
	b.Run("people=10000", func(b *testing.B) {
		b.ReportAllocs()
		predicted := 0
		for b.Loop() {
			predicted = 0
			c := matcher.NewCandidates(w.openings[5], w.taxonomy, w.gazetteer, matcher.Options{Today: today(), Language: "en"}, 20)
			for i, r := range caseload {
				c.Add(onward.ID{14: byte(i >> 8), 15: byte(i)}, 1, r, func(r onward.ReturneeDetails) destination.Spread {
					predicted++
					return w.model.Predict(destination.NewPerson(r), today())
				})
			}
			if len(c.Best()) != 20 {
				b.Fatal("too few")
			}
		}
		b.ReportMetric(float64(predicted), "predicted")
	})
}
