package linking

import "onward"

// FromTaxonomy takes the concepts of the kinds wanted from a release. The names of an occupation's essential skills are
// its context.
func FromTaxonomy(release onward.Taxonomy, keep func(onward.ConceptKind) bool) []Concept {
	name := make(map[string]string, len(release.Concepts))
	for i := range release.Concepts {
		c := &release.Concepts[i]
		for _, l := range c.Labels {
			if l.Preferred && (l.Language == "en" || name[c.ID] == "") {
				name[c.ID] = l.Text
			}
		}
	}
	essential := map[string][]string{}
	for _, r := range release.Relations {
		if r.Kind == onward.RelationEssential {
			essential[r.From] = append(essential[r.From], name[r.To])
		}
	}
	var list []Concept
	for i := range release.Concepts {
		c := &release.Concepts[i]
		if !keep(c.Kind) {
			continue
		}
		concept := Concept{ID: c.ID, Group: c.Code, Context: essential[c.ID]}
		for _, l := range c.Labels {
			concept.Labels = append(concept.Labels, Label{Text: l.Text, Language: l.Language, Preferred: l.Preferred})
		}
		list = append(list, concept)
	}
	return list
}
