package linking

import (
	"onward"
	"onward/matcher/skills"
)

// FromTaxonomy takes the concepts of the kinds wanted, skills and occupations, from a loaded taxonomy. The names of an
// occupation's essential skills are its context.
func FromTaxonomy(taxonomy *skills.Taxonomy, keep func(onward.ConceptKind) bool) []Concept {
	var list []Concept
	for label := range taxonomy.Labels() {
		if !keep(label.Kind) {
			continue
		}
		if n := len(list); n == 0 || list[n-1].ID != label.ID {
			concept := Concept{ID: label.ID, Group: taxonomy.Code(label.ID)}
			if label.Kind == onward.ConceptOccupation {
				essential, _ := taxonomy.SkillsOf(label.ID)
				for _, id := range essential {
					concept.Context = append(concept.Context, taxonomy.Label(id, "en"))
				}
			}
			list = append(list, concept)
		}
		concept := &list[len(list)-1]
		concept.Labels = append(concept.Labels, Label{Text: label.Text, Language: label.Language, Preferred: label.Preferred})
	}
	return list
}

// IsOccupation and onward.ConceptKind.IsSkill are what FromTaxonomy may keep.
func IsOccupation(kind onward.ConceptKind) bool { return kind == onward.ConceptOccupation }
