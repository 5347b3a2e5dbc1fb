package matcher

import (
	"slices"

	"onward"
)

const (
	// questionList is how much of a list counts when the worth of a question is worked out: what a counsellor acts on.
	questionList = 5
	// worthAsking is the gain from which a question is worth a call: the first few become a tenth better. Judgement.
	worthAsking = 0.10
)

// question is the expected value of knowing where the person will live (the expected value of perfect information). Scores
// are linear in the probabilities: score = sum_c P(c) s(c), with s(c) = fit x access(c) x terms. Not knowing, the best list
// is the one of the highest scores; knowing c, it is the one of the highest s(c). The gain is
//
//	sum_c P(c) (the best five by s(c) - the five by score, valued by s(c))  as a share of  sum of the five scores
//
// over the places of the spread and abroad; nothing is known of elsewhere, which adds nothing. Among the openings
// considered, without regard to variety. Nil when there is no spread, or nothing is listed.
func (w *whatIf) question(listed []scored) *onward.DestinationQuestion {
	source := w.reach.source
	if source == nil || len(listed) == 0 {
		return nil
	}
	first := make([]int32, min(questionList, len(listed)))
	for i := range first {
		first[i] = w.number[listed[i].opening.ID]
	}
	now := 0.0
	for _, i := range first {
		now += w.eligible[i].total
	}
	q := &onward.DestinationQuestion{Of: len(first)}
	add := func(probability float64, access func(o *Opening) float64) {
		gain, changes := w.gain(first, access)
		q.Gain += probability * gain / now
		q.Changes += probability * float64(changes)
	}
	for _, p := range source.spread.Places {
		if p.Probability >= leastAsked {
			add(p.Probability, func(o *Opening) float64 { access, _ := source.accessFrom(p.PlaceID, o); return access })
		}
	}
	if source.spread.Abroad >= leastAsked {
		add(source.spread.Abroad, func(o *Opening) float64 { return o.Portability })
	}
	q.WorthAsking = q.Gain >= worthAsking && !source.spread.Overridden
	return q
}

// leastAsked: places of less probability change no answer.
const leastAsked = 0.02

// gain is how much better the best few by one access are than the given few, and how many of them are others.
func (w *whatIf) gain(first []int32, access func(o *Opening) float64) (gain float64, changes int) {
	values := make([]float64, len(w.eligible))
	best := make([]int32, 0, len(first)+1)
	for i := range w.eligible {
		c := &w.eligible[i]
		if values[i] = c.fit * c.terms; values[i] == 0 {
			continue
		}
		if values[i] *= access(c.opening); values[i] == 0 {
			continue
		}
		number := int32(i) //nolint:gosec // there are thousands at most
		k := len(best)
		for k > 0 && values[best[k-1]] < values[i] {
			k--
		}
		if k == len(first) {
			continue
		}
		best = slices.Insert(best, k, number)
		best = best[:min(len(best), len(first))]
	}
	// What is worth as much stays: only what is better is a change.
	threshold := 0.0
	if len(best) == len(first) {
		threshold = values[best[len(best)-1]]
	}
	for _, i := range best {
		gain += values[i]
		if !slices.Contains(first, i) && values[i] > 0 {
			changes++
		}
	}
	for _, i := range first {
		gain -= values[i]
		if !slices.Contains(best, i) && values[i] > 0 && values[i] >= threshold {
			changes--
		}
	}
	return max(0, gain), max(0, changes)
}
