package matcher

import (
	"cmp"

	"onward"
	"onward/matcher/skills"
)

// RelabelList gives the skills of a list their names in another language. Those that the taxonomy does not have any more
// keep theirs.
func RelabelList(list *onward.RankedList, taxonomy *skills.Taxonomy, language string) {
	for i := range list.Referrals {
		line := &list.Referrals[i]
		for k := range line.Explanation.Skills {
			p := &line.Explanation.Skills[k]
			p.Label = relabel(p.SkillID, p.Label, taxonomy, language)
			if p.Via != "" {
				p.ViaLabel = relabel(p.Via, p.ViaLabel, taxonomy, language)
			}
		}
		for k := range line.Counterfactuals {
			c := &line.Counterfactuals[k]
			c.Change = Relabel(c.Change, taxonomy, language)
		}
	}
	for i := range list.Unlocks {
		u := &list.Unlocks[i]
		u.Change = Relabel(u.Change, taxonomy, language)
	}
}

// Relabel names the skill of a change in another language. Other changes stay.
func Relabel(change onward.Change, taxonomy *skills.Taxonomy, language string) onward.Change {
	if change.Kind == onward.ChangeSkill && len(change.What) == 1 {
		change.Label = relabel(change.What[0], change.Label, taxonomy, language)
	}
	return change
}

func relabel(id, label string, taxonomy *skills.Taxonomy, language string) string {
	if !taxonomy.HasSkill(id) {
		return label
	}
	return cmp.Or(taxonomy.Label(id, language), label)
}
