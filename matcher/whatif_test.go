package matcher_test

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

func rankOf(result matcher.Result, opportunity onward.ID) int {
	return 1 + slices.IndexFunc(result.Referrals, func(r onward.RankedReferral) bool { return r.Opportunity.ID == opportunity })
}

// learnt is the profile with a skill as a counterfactual takes it.
func learnt(r onward.ReturneeDetails, skill string) onward.ReturneeDetails {
	return at(onward.LevelWorking, r, skill)
}

func at(level onward.Level, r onward.ReturneeDetails, skill string) onward.ReturneeDetails {
	r.Skills = slices.Clone(r.Skills)
	added := onward.ReturneeSkill{SkillID: skill, Level: level, Verification: onward.Tested, LastUsedYear: today().Time().Year()}
	if i := slices.IndexFunc(r.Skills, func(s onward.ReturneeSkill) bool { return s.SkillID == skill }); i >= 0 {
		r.Skills[i] = added
	} else {
		r.Skills = append(r.Skills, added)
	}
	return r
}

// withDocuments is the profile with documents in hand.
func withDocuments(r onward.ReturneeDetails, kinds []string) onward.ReturneeDetails {
	r.Documents = slices.Clone(r.Documents)
	for _, kind := range kinds {
		r.Documents = slices.DeleteFunc(r.Documents, func(d onward.PersonDocument) bool { return string(d.Kind) == kind })
		r.Documents = append(r.Documents, onward.PersonDocument{Kind: onward.DocumentKind(kind), Status: onward.DocumentHeld})
	}
	return r
}

func TestEachCounterfactualIsWhatTheScorerSays(t *testing.T) {
	t.Parallel()
	seen := map[onward.ChangeKind]int{}
	rapid.Check(t, func(t *rapid.T) {
		r, stated, openings := drawReturnee(t), drawSpread(t), drawOpenings(t)
		result := setUp(r, stated...).rank(openings...)
		for _, line := range result.Referrals {
			for _, c := range line.Counterfactuals {
				seen[c.Change.Kind]++
				var changed matcher.Result
				switch c.Change.Kind {
				case onward.ChangeSkill:
					changed = setUp(learnt(r, c.Change.What[0]), stated...).rank(openings...)
				case onward.ChangeResidence:
					place, err := strconv.ParseInt(c.Change.What[0], 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					changed = setUp(r, onward.LikelyPlace{PlaceID: onward.PlaceID(place), Probability: 1}).rank(openings...)
				default:
					t.Fatalf("a line moves with %s", c.Change.Kind)
				}
				rank := rankOf(changed, line.Opportunity.ID)
				if c.Rank >= line.Rank || rank != c.Rank || math.Abs(changed.Referrals[rank-1].Score-c.Score) > 1e-12 {
					t.Fatalf("number %d instead of %d at %v with %v; the scorer says number %d", c.Rank, line.Rank, c.Score, c.Change, rank)
				}
			}
		}
	})
	if seen[onward.ChangeSkill] == 0 || seen[onward.ChangeResidence] == 0 {
		t.Errorf("drew no counterfactual of some kind: %v", seen)
	}
}

func TestEachUnlockIsWhatTheScorerSays(t *testing.T) {
	t.Parallel()
	seen := map[onward.ChangeKind]int{}
	rapid.Check(t, func(t *rapid.T) {
		r, stated, openings := drawReturnee(t), drawSpread(t), drawOpenings(t)
		options := matcher.Options{Today: today(), Language: "en", Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
		for i := range openings {
			if i%3 == 0 {
				openings[i].Kind = onward.Training
			}
		}
		rank := func(r onward.ReturneeDetails) matcher.Result {
			s := setUp(r, stated...)
			return matcher.Rank(s.person, s.reach, openings, options)
		}
		before := rank(r)
		for _, u := range before.Unlocks {
			seen[u.Change.Kind]++
			changed := r
			var itself onward.ID
			switch u.Change.Kind {
			case onward.ChangeSkill:
				changed = learnt(r, u.Change.What[0])
			case onward.ChangeTraining:
				for _, o := range openings {
					if o.ID.String() == u.Change.What[0] {
						itself = o.ID
						for _, s := range o.Skills {
							if !strongerThan(matcher.CourseStrength, r, s.SkillID) {
								changed = at(onward.LevelBasic, changed, s.SkillID)
							}
						}
					}
				}
			case onward.ChangeDocument:
				changed = withDocuments(r, u.Change.What)
			default:
				t.Fatalf("nobody can change %v", u.Change)
			}
			after := rank(changed)
			opens, weight := 0, 0.0
			for _, line := range after.Referrals {
				if rankOf(before, line.Opportunity.ID) == 0 && line.Opportunity.ID != itself {
					opens, weight = opens+1, weight+line.Score
				}
			}
			// Papers are counted one opening at a time: on a full list those that they open push each other off.
			if u.Change.Kind == onward.ChangeDocument {
				if opens > u.Opens || opens == 0 {
					t.Fatalf("%v opens %d of %d", u.Change, opens, u.Opens)
				}
				continue
			}
			if opens != u.Opens || math.Abs(weight-u.Weight) > 1e-9 || rankOf(after, u.Best.ID) != u.BestRank {
				t.Fatalf("%v opens %d with %v, the best at %d; the scorer says %d with %v, %d", u.Change, u.Opens, u.Weight, u.BestRank, opens, weight, rankOf(after, u.Best.ID))
			}
		}
	})
	for _, kind := range []onward.ChangeKind{onward.ChangeSkill, onward.ChangeDocument} { // a training seldom comes up
		if seen[kind] == 0 {
			t.Errorf("drew no unlock by %s: %v", kind, seen)
		}
	}
}

func TestATrainingOpensWhatNeedsItsSkills(t *testing.T) {
	t.Parallel()
	kitchen := func(o *onward.Opportunity) {
		o.Skills = []onward.OpportunitySkill{{SkillID: "english", Essential: true}}
	}
	course := func(o *onward.Opportunity) {
		kitchen(o)
		o.Kind = onward.Training
		o.Title = onward.Text{"en": "English course"}
	}
	s := setUp(mason())
	result := s.rank(post(1, village, course), post(2, village, kitchen), post(3, village))
	i := slices.IndexFunc(result.Unlocks, func(u onward.Unlock) bool { return u.Change.Kind == onward.ChangeTraining })
	if i < 0 {
		t.Fatalf("the course opens the other: %+v", result.Unlocks)
	}
	if u := result.Unlocks[i]; u.Change.Label != "English course – Casa Monarca" || u.Opens != 1 || u.Best.ID != id(2) || !(u.Weight > 0) {
		t.Errorf("%+v", u)
	}
}

// strongerThan says whether learning a skill anew would make it weaker.
func strongerThan(strength float64, r onward.ReturneeDetails, skill string) bool {
	person := matcher.NewPerson(r, taxonomy(), today())
	u := person.Strength(skill)
	return u.Via == skill && u.Value > strength
}

func TestAnotherOpeningOfTheSameOrganisationStandsALittleLower(t *testing.T) {
	t.Parallel()
	s := setUp(mason())
	other := func(o *onward.Opportunity) { o.OrganisationID = id(201); o.Organisation = "Tierra" }
	fresh := func(o *onward.Opportunity) { day := today().Time(); o.PublishedAt = &day }
	old := func(days int) func(*onward.Opportunity) {
		return func(o *onward.Opportunity) { day := today().AddDays(-days).Time(); o.PublishedAt = &day }
	}
	// four of one employer, one of another that scores a little less
	openings := []matcher.Opening{post(1, village, fresh), post(2, village, fresh), post(3, village, fresh), post(4, village, fresh), post(5, village, other, old(30))}
	result := s.rank(openings...)
	var order []byte
	for _, line := range result.Referrals {
		order = append(order, line.Opportunity.ID[15])
	}
	if !slices.Equal(order, []byte{1, 5, 2, 3, 4}) {
		t.Errorf("order %v, want the other employer's after the first", order)
	}
	if v := result.Referrals[4].Variety; math.Abs(v-math.Pow(onward.VarietyFactor, 3)) > 1e-12 {
		t.Errorf("the fourth of one employer has variety %v", v)
	}
	if line := result.Referrals[1]; line.Variety != 1 || !(line.Score < result.Referrals[2].Score) {
		t.Errorf("the other's is alone and scores less than what it passes: %+v", line)
	}
}

func TestAnOpeningWithinReachOfEveryLikelyPlaceIsRobust(t *testing.T) {
	t.Parallel()
	two := []onward.LikelyPlace{{PlaceID: puebla, Probability: 0.6}, {PlaceID: oaxaca, Probability: 0.36}, {Probability: 0.04}}
	abroad := []onward.LikelyPlace{{PlaceID: puebla, Probability: 0.6}, {Probability: 0.4}}
	remote := func(o *onward.Opportunity) { o.Remote = true }
	anywhere := func(o *onward.Opportunity) { o.Remote, o.RemoteAbroad = true, true }
	housing := func(o *onward.Opportunity) { o.Housing = true }
	for _, c := range []struct {
		why     string
		stated  []onward.LikelyPlace
		opening matcher.Opening
		want    bool
	}{
		{"in one of two places", two, post(1, puebla), false},
		{"remote", two, post(1, puebla, remote), true},
		{"with housing", two, post(1, puebla, housing), true},
		{"in the only likely place", []onward.LikelyPlace{{PlaceID: puebla, Probability: 1}}, post(1, puebla), true},
		{"near the only likely place", []onward.LikelyPlace{{PlaceID: cholula, Probability: 1}}, post(1, puebla), true},
		{"remote within the country, and abroad is likely", abroad, post(1, puebla, remote), false},
		{"remote from anywhere, and abroad is likely", abroad, post(1, puebla, anywhere), true},
	} {
		if line := setUp(mason(), c.stated...).only(t, c.opening); line.Robust != c.want {
			t.Errorf("%s: robust %v", c.why, line.Robust)
		}
	}
}

func TestAnOrganisationThatRepliesRarelySinks(t *testing.T) {
	t.Parallel()
	s := setUp(mason())
	terms := func(replies map[onward.ID]float64) float64 {
		return matcher.Rank(s.person, s.reach, []matcher.Opening{post(1, village)}, matcher.Options{Today: today(), Replies: replies}).Referrals[0].Terms
	}
	unknown, rarely, always := terms(nil), terms(map[onward.ID]float64{id(200): 0.1}), terms(map[onward.ID]float64{id(200): 1})
	if !(rarely < unknown && unknown <= always) {
		t.Errorf("terms %v when it replies rarely, %v unknown, %v always", rarely, unknown, always)
	}
	if none := terms(map[onward.ID]float64{id(200): 0}); !(none > 0) {
		t.Errorf("no reply yet closes nothing: %v", none)
	}
}

func TestTheCertainPlaceNeedsNoCounterfactual(t *testing.T) {
	t.Parallel()
	result := setUp(mason(), onward.LikelyPlace{PlaceID: puebla, Probability: 1}).rank(post(1, puebla), post(2, cholula))
	for _, line := range result.Referrals {
		for _, c := range line.Counterfactuals {
			if c.Change.Kind == onward.ChangeResidence {
				t.Errorf("it is certain where the person lives: %+v", c)
			}
		}
	}
	model := destination.NewModel(gazetteer(), destination.Priors())
	person := matcher.NewPerson(mason(), taxonomy(), today())
	reach := matcher.NewReach(model.Predict(destination.NewPerson(mason()), today()), gazetteer(), person)
	options := matcher.Options{Today: today(), Language: "es"}
	first := matcher.Rank(person, reach, []matcher.Opening{post(1, puebla), post(2, oaxaca)}, options)
	if line := first.Referrals[1]; len(line.Counterfactuals) == 0 || line.Counterfactuals[0].Change.Kind != onward.ChangeResidence || line.Counterfactuals[0].Rank != 1 {
		t.Errorf("the second would be first if the person lived there: %+v", line.Counterfactuals)
	}
}

func TestScoresOnlyLeavesTheOrderAlone(t *testing.T) {
	t.Parallel()
	s := setUp(mason())
	openings := []matcher.Opening{post(1, puebla), post(2, village), post(3, oaxaca)}
	full, short := s.rank(openings...), matcher.Rank(s.person, s.reach, openings, matcher.Options{Today: today(), ScoresOnly: true})
	for i, line := range short.Referrals {
		if line.Opportunity.ID != full.Referrals[i].Opportunity.ID || line.Score != full.Referrals[i].Score || line.Explanation.Gates != nil {
			t.Errorf("line %d: %+v", i+1, line)
		}
	}
	if len(short.Unlocks) != 0 {
		t.Error("unlocks are explanations too")
	}
}
