package matcher

import (
	"cmp"
	"slices"
	"strconv"

	"onward"
	"onward/matcher/destination"
)

// What would be otherwise is found by the scorer: the openings are scored and ordered again with one thing changed. All of
// it is among the openings considered, a few hundred of the highest fit x reach.

const (
	changedSkills = 8  // tried for a list: those that the openings considered lack most
	changedPlaces = 3  // tried for a list: the likeliest
	trainings     = 5  // tried for a list: the best to reach
	mostUnlocks   = 12 // kept for a list
	perLine       = 2  // counterfactuals of a line: a skill and a place
)

// whatIf scores one person's openings again.
type whatIf struct {
	*scorer
	eligible []scored // as they are, ordered
	listed   []scored
}

func newWhatIf(s *scorer, eligible, listed []scored) *whatIf {
	return &whatIf{s, eligible, listed}
}

// changedList is the order with one thing changed.
type changedList struct {
	change onward.Change
	order  []scored
	rank   map[onward.ID]int // of those that score more than 0
}

// again orders the openings with other fits or reaches. Terms and gates stay.
func (w *whatIf) again(change onward.Change, score func(c *scored) (fit, reach float64)) changedList {
	list := changedList{change, slices.Clone(w.eligible), make(map[onward.ID]int, len(w.eligible))}
	for i := range list.order {
		c := &list.order[i]
		c.fit, c.reach = score(c)
		c.total = c.fit * c.reach * c.terms
	}
	vary(list.order)
	for i := range list.order {
		if list.order[i].total > 0 {
			list.rank[list.order[i].opening.ID] = i + 1
		}
	}
	return list
}

// withSkills is the list of someone who has just learnt skills.
func (w *whatIf) withSkills(change onward.Change, ids []string, strength float64) changedList {
	person := *w.person
	person.own = learn(person.own, ids, strength)
	person.strengths = expand(person.own, person.taxonomy)
	other := *w.scorer
	other.person = &person
	return w.again(change, func(c *scored) (float64, float64) { return other.fit(c.opening), c.reach })
}

// in is the list of someone who certainly lives in a place.
func (w *whatIf) in(place onward.PlaceID) changedList {
	source := w.reach.source
	certain := destination.Spread{Places: []destination.PlaceProbability{{PlaceID: place, Probability: 1}}}
	reach := NewReach(certain, source.gazetteer, *w.person)
	change := onward.Change{Kind: onward.ChangeResidence, What: []string{strconv.FormatInt(int64(place), 10)}, Label: source.name(place)}
	return w.again(change, func(c *scored) (float64, float64) { return c.fit, within01(reach.Of(c.opening)) })
}

// counterfactuals gives each line what would move it up: the skill and the place of residence that would do most.
func (w *whatIf) counterfactuals(lines []onward.RankedReferral) {
	if len(lines) == 0 {
		return
	}
	for _, kind := range [][]changedList{w.skillLists(), w.placeLists()} {
		for i := range lines {
			line := &lines[i]
			best := onward.Counterfactual{Rank: line.Rank}
			for _, list := range kind {
				if rank, ok := list.rank[line.Opportunity.ID]; ok && rank < best.Rank {
					best = onward.Counterfactual{Change: list.change, Rank: rank, Score: list.order[rank-1].total}
				}
			}
			if best.Rank < line.Rank && len(line.Counterfactuals) < perLine {
				line.Counterfactuals = append(line.Counterfactuals, best)
			}
		}
	}
}

// skillLists tries the skills whose lack costs the openings on the list most, one at a time.
func (w *whatIf) skillLists() []changedList {
	lists := make([]changedList, 0, changedSkills)
	for _, id := range w.lacking(w.listed, changedSkills) {
		lists = append(lists, w.withSkills(w.skillChange(id), []string{id}, LearntStrength))
	}
	return lists
}

func (w *whatIf) skillChange(id string) onward.Change {
	return onward.Change{Kind: onward.ChangeSkill, What: []string{id}, Label: w.label(id)}
}

// lacking lists the skills that would add most score, one opening by itself, over some openings; the most first. Nothing
// where nobody recorded what the person can do: then any skill changes everything.
func (w *whatIf) lacking(openings []scored, most int) []string {
	if w.person.SkillsUnknown {
		return nil
	}
	gain := map[string]float64{}
	for i := range openings {
		c := &openings[i]
		for _, skill := range c.opening.Skills {
			if u := w.person.strengths[skill.SkillID].Value; u < LearntStrength {
				gain[skill.SkillID] += c.opening.Scale * skill.Weight * (LearntStrength - u) * c.reach * c.terms
			}
		}
	}
	ids := make([]string, 0, len(gain))
	for id, g := range gain {
		if g > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(gain[b], gain[a]), cmp.Compare(a, b)) })
	return ids[:min(len(ids), most)]
}

// placeLists tries the likeliest places. Nothing when one is certain already.
func (w *whatIf) placeLists() []changedList {
	if w.reach.source == nil {
		return nil
	}
	var lists []changedList
	for _, p := range w.reach.source.spread.Places {
		if len(lists) < changedPlaces && p.Probability >= likelyFrom && p.Probability < 1-likelyFrom {
			lists = append(lists, w.in(p.PlaceID))
		}
	}
	return lists
}
