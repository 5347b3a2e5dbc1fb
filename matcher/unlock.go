package matcher

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"onward"
)

// unlocks finds what would bring the most onto the list: a document, a language level, a skill, or the skills of an open
// training. Weight is the sum of the scores of what it would bring, so that many poor openings count less than a good one.
func (w *whatIf) unlocks(misses []missedOpening) []onward.Unlock {
	unlocks := w.gateUnlocks(misses)
	all := func(int32) bool { return true }
	for _, id := range w.lacking(all, changedSkills) {
		unlocks = w.appendEntrants(unlocks, w.withSkills(w.skillChange(id), []string{id}, LearntStrength))
	}
	for _, o := range w.trainings() {
		change := onward.Change{Kind: onward.ChangeTraining, What: []string{o.ID.String()}, Label: o.Title.In(w.options.Language)}
		if o.Organisation != "" {
			change.Label += " – " + o.Organisation
		}
		unlocks = w.appendEntrants(unlocks, w.withSkills(change, skillsOf(o), CourseStrength), o.ID)
	}
	slices.SortStableFunc(unlocks, func(a, b onward.Unlock) int { return cmp.Compare(b.Weight, a.Weight) })
	return unlocks[:min(len(unlocks), mostUnlocks)]
}

// gateUnlocks counts, for each thing that a near miss lacks, all near misses that it opens. Ages come by themselves and
// places are not the person's to change.
func (w *whatIf) gateUnlocks(misses []missedOpening) []onward.Unlock {
	var unlocks []onward.Unlock
	seen := map[string]bool{}
	for i := range misses {
		m := &misses[i]
		change := onward.Change{Kind: onward.ChangeDocument, What: m.missing}
		switch m.gate {
		case onward.GateDocuments:
		case onward.GateLanguage:
			change.Kind = onward.ChangeLanguage
		case onward.GateOpen, onward.GateVetted, onward.GatePlaces, onward.GateAge:
			continue
		}
		key := string(change.Kind) + strings.Join(m.missing, "+")
		if seen[key] {
			continue
		}
		seen[key] = true
		unlock := onward.Unlock{Change: change, Best: m.opening.summary(), BestRank: m.rank}
		for k := range misses {
			if i == k || opens(m, &misses[k]) {
				unlock.Opens++
				unlock.Weight += misses[k].total
				if misses[k].rank < unlock.BestRank {
					unlock.Best, unlock.BestRank = misses[k].opening.summary(), misses[k].rank
				}
			}
		}
		unlocks = append(unlocks, unlock)
	}
	return unlocks
}

// appendEntrants counts what comes onto a changed list, and is not on the present one or left out.
func (w *whatIf) appendEntrants(unlocks []onward.Unlock, list changedList, without ...onward.ID) []onward.Unlock {
	unlock := onward.Unlock{Change: list.change}
	for i, e := range list.top {
		o := w.eligible[e.opening].opening
		if w.listed[e.opening] || slices.Contains(without, o.ID) {
			continue
		}
		if unlock.Opens == 0 {
			unlock.Best, unlock.BestRank = o.summary(), i+1
		}
		unlock.Opens++
		unlock.Weight += e.total
	}
	if unlock.Opens == 0 {
		return unlocks
	}
	return append(unlocks, unlock)
}

// trainings are the openings at which skills can be learnt, the best to reach first; of those that teach the same, one.
func (w *whatIf) trainings() []*Opening {
	if w.person.SkillsUnknown {
		return nil
	}
	var list []*scored
	for i := range w.eligible {
		c := &w.eligible[i]
		if k := c.opening.Kind; (k == onward.Training || k == onward.Apprenticeship) && len(c.opening.Skills) > 0 && c.reach > 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *scored) int {
		return cmp.Or(cmp.Compare(b.reach*b.terms, a.reach*a.terms), bytes.Compare(a.opening.ID[:], b.opening.ID[:]))
	})
	var found []*Opening
	taught := map[string]bool{}
	for _, c := range list {
		ids := skillsOf(c.opening)
		slices.Sort(ids)
		if key := strings.Join(ids, " "); !taught[key] && len(found) < trainings {
			taught[key] = true
			found = append(found, c.opening)
		}
	}
	return found
}

func skillsOf(o *Opening) []string {
	ids := make([]string, len(o.Skills))
	for i, s := range o.Skills {
		ids[i] = s.SkillID
	}
	return ids
}
