package matcher_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"onward"
	"onward/matcher"
)

// bestScores are the scores of the best five openings of a person who certainly lives in a place; 0: abroad.
func bestScores(r onward.ReturneeDetails, place onward.PlaceID, openings []matcher.Opening) map[onward.ID]float64 {
	scores := map[onward.ID]float64{}
	for _, line := range setUp(r, onward.LikelyPlace{PlaceID: place, Probability: 1}).rank(openings...).Referrals {
		scores[line.Opportunity.ID] = line.Score
	}
	return scores
}

func sumOfBest(scores map[onward.ID]float64) float64 {
	all := make([]float64, 0, len(scores))
	for _, s := range scores {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
	sum := 0.0
	for _, s := range all[:min(5, len(all))] {
		sum += s
	}
	return sum
}

func TestAQuestionIsWorthWhatKnowingTheAnswerWouldGain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, stated := drawReturnee(t), drawSpread(t)
		openings := drawOpenings(t)
		for i := range openings {
			openings[i].OrganisationID = id(byte(100 + i)) // so that variety moves none
		}
		result := setUp(r, stated...).rank(openings...)
		if len(result.Referrals) == 0 {
			if result.Question != nil {
				t.Fatal("nothing is listed, and something is to be asked")
			}
			return
		}
		q := result.Question
		total, now, gain := 0.0, 0.0, 0.0
		for _, p := range stated {
			total += p.Probability
		}
		first := result.Referrals[:min(5, len(result.Referrals))]
		for _, line := range first {
			now += line.Score
		}
		for _, p := range stated {
			if p.Probability/total < 0.02 {
				continue
			}
			scores := bestScores(r, p.PlaceID, openings)
			kept := 0.0
			for _, line := range first {
				kept += scores[line.Opportunity.ID]
			}
			gain += p.Probability / total * max(0, sumOfBest(scores)-kept)
		}
		if math.Abs(q.Gain-gain/now) > 1e-9 {
			t.Fatalf("gain %v, knowing the place gives %v", q.Gain, gain/now)
		}
		if q.Gain < 0 || q.Changes < 0 || q.Changes > float64(q.Of) || q.Of != len(first) {
			t.Fatalf("%+v", q)
		}
	})
}

func TestNothingNeedsToBeAskedWhenTheAnswerChangesNothing(t *testing.T) {
	t.Parallel()
	split := []onward.LikelyPlace{{PlaceID: puebla, Probability: 0.5}, {PlaceID: tijuana, Probability: 0.5}}
	far := []matcher.Opening{post(1, puebla), post(2, puebla), post(3, puebla), post(4, puebla), post(5, puebla), post(6, tijuana), post(7, tijuana), post(8, tijuana), post(9, tijuana), post(10, tijuana)}
	if q := setUp(mason(), split...).rank(far...).Question; !(q.Gain > 0.5) || q.Changes < 2 {
		t.Errorf("half of the first five is too far wherever the person lives: %+v", q)
	}
	remote := func(o *onward.Opportunity) { o.Remote = true }
	if q := setUp(mason(), split...).rank(post(1, puebla, remote), post(2, puebla, remote)).Question; q.Gain != 0 || q.WorthAsking || q.Changes != 0 {
		t.Errorf("remote work is as good anywhere: %+v", q)
	}
	if q := setUp(mason(), onward.LikelyPlace{PlaceID: puebla, Probability: 1}).rank(far...).Question; q.Gain != 0 || q.WorthAsking {
		t.Errorf("it is known: %+v", q)
	}
}
