package evaluate

import (
	"context"

	"onward"
	"onward/internal/reference"
	"onward/matcher/skills/linking"
)

// taxonomy is ESCO with what only linking learns from.
type taxonomy struct {
	onward.Taxonomy
	descriptions map[string]string
	essential    map[string][]string // occupation -> names of its essential skills
}

func readTaxonomy(ctx context.Context, esco, labels []string) (*taxonomy, error) {
	release, err := reference.ReadESCO(ctx, esco, labels, reference.ESCOOptions{Release: "esco"})
	if err != nil {
		return nil, err
	}
	descriptions, err := reference.ReadESCODescriptions(ctx, esco)
	if err != nil {
		return nil, err
	}
	t := &taxonomy{Taxonomy: release, descriptions: descriptions, essential: map[string][]string{}}
	name := make(map[string]string, len(t.Concepts))
	for _, c := range t.Concepts {
		for _, l := range c.Labels {
			if l.Preferred && l.Language == "en" {
				name[c.ID] = l.Text
			}
		}
	}
	for _, r := range t.Relations {
		if r.Kind == onward.RelationEssential {
			t.essential[r.From] = append(t.essential[r.From], name[r.To])
		}
	}
	return t, nil
}

// concepts are those of the given kinds as the linker takes them.
func (t *taxonomy) concepts(keep func(onward.ConceptKind) bool) []linking.Concept {
	var list []linking.Concept
	for _, c := range t.Concepts {
		if !keep(c.Kind) {
			continue
		}
		list = append(list, t.concept(c))
	}
	return list
}

func (t *taxonomy) concept(c onward.Concept) linking.Concept {
	concept := linking.Concept{ID: c.ID, Group: c.Code}
	for _, l := range c.Labels {
		concept.Labels = append(concept.Labels, linking.Label{Text: l.Text, Language: l.Language, Preferred: l.Preferred})
	}
	if d := t.descriptions[c.ID]; d != "" {
		concept.Context = append(concept.Context, d)
	}
	concept.Context = append(concept.Context, t.essential[c.ID]...)
	return concept
}
