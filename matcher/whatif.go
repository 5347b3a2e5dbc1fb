package matcher

import (
	"bytes"
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
)

// whatIf scores one person's openings again, some two dozen times: openings, their skills and their organisations are
// numbered for that.
type whatIf struct {
	*scorer
	eligible []scored // by id, so that the number decides between equals
	listed   map[int32]bool
	number   map[onward.ID]int32
	skill    map[string]int32   // numbers of skills
	skills   [][]numberedWeight // of each opening, in the order in which fit adds them up
	strength []float64          // by skill, for withSkills
	employer []int32            // of each opening, numbered
	seen     []int32            // by employer, for reorder
	entries  []entry            // for reorder
}

type numberedWeight struct {
	skill  int32
	weight float64
}

// entry is one opening while they are put in order.
type entry struct {
	total, order float64
	opening      int32
}

func newWhatIf(s *scorer, eligible, listed []scored) *whatIf {
	w := &whatIf{
		scorer: s, eligible: slices.Clone(eligible), listed: make(map[int32]bool, len(listed)), number: make(map[onward.ID]int32, len(eligible)),
		skill: make(map[string]int32, 4*len(eligible)), skills: make([][]numberedWeight, len(eligible)), employer: make([]int32, len(eligible)), entries: make([]entry, len(eligible)),
	}
	slices.SortFunc(w.eligible, func(a, b scored) int { return bytes.Compare(a.opening.ID[:], b.opening.ID[:]) })
	employers := make(map[onward.ID]int32, len(eligible))
	for i := range w.eligible {
		o := w.eligible[i].opening
		w.number[o.ID] = int32(i) //nolint:gosec // there are thousands at most
		list := make([]numberedWeight, len(o.Skills))
		for k, skill := range o.Skills {
			number, ok := w.skill[skill.SkillID]
			if !ok {
				number = int32(len(w.skill)) //nolint:gosec // the same
				w.skill[skill.SkillID] = number
			}
			list[k] = numberedWeight{number, skill.Weight}
		}
		w.skills[i] = list
		number, ok := employers[o.OrganisationID]
		if !ok {
			number = int32(len(employers)) //nolint:gosec // the same
			employers[o.OrganisationID] = number
		}
		w.employer[i] = number
	}
	w.seen = make([]int32, len(employers))
	w.strength = make([]float64, len(w.skill))
	for i := range listed {
		w.listed[w.number[listed[i].opening.ID]] = true
	}
	return w
}

// changedList is the order with one thing changed.
type changedList struct {
	change onward.Change
	top    []entry // what would be on the list
	rank   []int32 // by opening; 0 for those that score nothing
	total  []float64
}

// reorder puts the openings in order by their new scores, as vary does.
func (w *whatIf) reorder(change onward.Change, totals []float64) changedList {
	list := changedList{change: change, rank: make([]int32, len(totals)), total: totals}
	for i, total := range totals {
		w.entries[i] = entry{total: total, opening: int32(i)} //nolint:gosec // there are thousands at most
	}
	slices.SortFunc(w.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.opening, b.opening))
	})
	clear(w.seen)
	for i := range w.entries {
		e := &w.entries[i]
		better := &w.seen[w.employer[e.opening]]
		e.order = e.total * variety(int(*better))
		*better++
	}
	slices.SortFunc(w.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.order, a.order), cmp.Compare(a.opening, b.opening))
	})
	for i, e := range w.entries {
		if !(e.total > 0) {
			break
		}
		list.rank[e.opening] = int32(i + 1) //nolint:gosec // the same
		if i < w.limit {
			list.top = append(list.top, e)
		}
	}
	return list
}

// withSkills is the list of someone who has just learnt skills.
func (w *whatIf) withSkills(change onward.Change, ids []string, strength float64) changedList {
	person := *w.person
	person.own = learn(person.own, ids, strength)
	person.strengths = expand(person.own, person.taxonomy)
	clear(w.strength)
	for id, u := range person.strengths {
		if number, ok := w.skill[id]; ok {
			w.strength[number] = u.Value
		}
	}
	totals := make([]float64, len(w.eligible))
	for i := range w.eligible {
		c := &w.eligible[i]
		totals[i] = w.fit(i, c.opening) * c.reach * c.terms
	}
	return w.reorder(change, totals)
}

// fit is the scorer's, with the strengths at hand.
func (w *whatIf) fit(i int, o *Opening) float64 {
	if o.SkillBasis == onward.SkillsNone {
		return o.SkillConfidence * NeutralFit
	}
	sum := 0.0
	for _, s := range w.skills[i] {
		sum += s.weight * w.strength[s.skill]
	}
	return within01(o.Scale * sum)
}

// in is the list of someone who certainly lives in a place.
func (w *whatIf) in(place onward.PlaceID) changedList {
	source := w.reach.source
	certain := destination.Spread{Places: []destination.PlaceProbability{{PlaceID: place, Probability: 1}}}
	reach := NewReach(certain, source.gazetteer, *w.person)
	change := onward.Change{Kind: onward.ChangeResidence, What: []string{strconv.FormatInt(int64(place), 10)}, Label: source.name(place)}
	totals := make([]float64, len(w.eligible))
	for i := range w.eligible {
		c := &w.eligible[i]
		totals[i] = c.fit * within01(reach.Of(c.opening)) * c.terms
	}
	return w.reorder(change, totals)
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
				opening := w.number[line.Opportunity.ID]
				if rank := int(list.rank[opening]); rank > 0 && rank < best.Rank {
					best = onward.Counterfactual{Change: list.change, Rank: rank, Score: list.total[opening]}
				}
			}
			if best.Rank < line.Rank {
				line.Counterfactuals = append(line.Counterfactuals, best)
			}
		}
	}
}

// skillLists tries the skills whose lack costs the openings on the list most, one at a time.
func (w *whatIf) skillLists() []changedList {
	lists := make([]changedList, 0, changedSkills)
	onList := func(i int32) bool { return w.listed[i] }
	for _, id := range w.lacking(onList, changedSkills) {
		lists = append(lists, w.withSkills(w.skillChange(id), []string{id}, LearntStrength))
	}
	return lists
}

func (w *whatIf) skillChange(id string) onward.Change {
	return onward.Change{Kind: onward.ChangeSkill, What: []string{id}, Label: w.label(id)}
}

// lacking lists the skills that would add most score, one opening by itself, over some openings; the most first. Nothing
// where nobody recorded what the person can do: then any skill changes everything.
func (w *whatIf) lacking(among func(opening int32) bool, most int) []string {
	if w.person.SkillsUnknown {
		return nil
	}
	gain := map[string]float64{}
	for i := range w.eligible {
		c := &w.eligible[i]
		if !among(int32(i)) { //nolint:gosec // there are thousands at most
			continue
		}
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
