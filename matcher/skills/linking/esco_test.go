package linking_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"onward"
	"onward/internal/reference"
	"onward/matcher/skills"
	"onward/matcher/skills/linking"
)

type linker interface {
	Link(text string, limit int) []linking.Match
}

// fullESCO gives builders of linkers over the whole release, which lies beside the repository. Without it the test is
// skipped.
func fullESCO(tb testing.TB) (occupations, abilities func() linker) {
	tb.Helper()
	data := filepath.Join("..", "..", "..", "..", "shared", "data", "esco")
	if _, err := os.Stat(data); err != nil {
		tb.Skip("the official ESCO release is not in ../shared/data/esco: put it there to run this")
	}
	release, err := reference.ReadESCO(context.Background(), []string{filepath.Join(data, "official")}, []string{
		filepath.Join(data, "occupation_labels_fr_es_pt_de.tsv.gz"), filepath.Join(data, "occupation_labels_ar.tsv.gz"),
		filepath.Join(data, "isco08_labels_fr_es.tsv.gz"), filepath.Join(data, "skill_labels_fr_es.tsv.gz"),
	}, reference.ESCOOptions{Release: "esco-1.1.1"})
	if err != nil {
		tb.Fatal(err)
	}
	taxonomy, err := skills.New(release)
	if err != nil {
		tb.Fatal(err)
	}
	o := linking.FromTaxonomy(taxonomy, linking.IsOccupation)
	s := linking.FromTaxonomy(taxonomy, onward.ConceptKind.IsSkill)
	build := func(concepts, background []linking.Concept, w linking.Weights) func() linker {
		return func() linker {
			l, err := linking.New(concepts, background, w)
			if err != nil {
				tb.Fatal(err)
			}
			return l
		}
	}
	return build(o, s, linking.OccupationWeights()), build(s, o, linking.SkillWeights())
}
