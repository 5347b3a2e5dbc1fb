package reference_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"onward"
	"onward/internal/reference"
)

func starter(t testing.TB) onward.Taxonomy {
	t.Helper()
	taxonomy, err := reference.Starter()
	if err != nil {
		t.Fatal(err)
	}
	return taxonomy
}

func TestStarterIsLargeEnough(t *testing.T) {
	t.Parallel()
	taxonomy := starter(t)
	kinds, unpaid := map[onward.ConceptKind]int{}, 0
	for _, c := range taxonomy.Concepts {
		kinds[c.Kind]++
		if c.UnseenUnpaid {
			unpaid++
		}
	}
	if n := kinds[onward.ConceptSkill] + kinds[onward.ConceptKnowledge]; n < 500 {
		t.Errorf("%d skills, want at least 500", n)
	}
	if n := kinds[onward.ConceptOccupation]; n < 150 {
		t.Errorf("%d occupations, want at least 150", n)
	}
	if unpaid < 5 {
		t.Errorf("%d occupations of unpaid work, want at least 5", unpaid)
	}
	if taxonomy.Release != reference.StarterRelease || taxonomy.Source == "" || taxonomy.Name == "" {
		t.Errorf("release %q, name %q, source %q", taxonomy.Release, taxonomy.Name, taxonomy.Source)
	}
}

func TestStarterNamesEverythingInEveryLanguageOfService(t *testing.T) {
	t.Parallel()
	names := map[string]string{}
	for _, c := range starter(t).Concepts {
		for _, language := range onward.ServiceLanguages() {
			i := slices.IndexFunc(c.Labels, func(l onward.Label) bool { return l.Language == language && l.Preferred })
			if i < 0 {
				t.Errorf("%s has no name in %s", c.ID, language)
				continue
			}
			name := c.Labels[i].Text
			if arabic := strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }); arabic != (language == "ar") {
				t.Errorf("%s is called %q in %s", c.ID, name, language)
			}
			kind := c.Kind
			if kind == onward.ConceptKnowledge {
				kind = onward.ConceptSkill
			}
			if kind == onward.ConceptISCOGroup {
				continue // a group of one unit has the unit's name in ISCO too
			}
			key := string(kind) + language + strings.ToLower(name)
			if other := names[key]; other != "" {
				t.Errorf("%s and %s are both called %q in %s", other, c.ID, name, language)
			}
			names[key] = c.ID
		}
	}
}

func TestStarterHangsTogether(t *testing.T) {
	t.Parallel()
	taxonomy := starter(t)
	concepts := map[string]onward.Concept{}
	for _, c := range taxonomy.Concepts {
		if _, twice := concepts[c.ID]; twice {
			t.Errorf("%s stands twice", c.ID)
		}
		concepts[c.ID] = c
	}
	essential, used, inGroup := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, r := range taxonomy.Relations {
		from, okFrom := concepts[r.From]
		to, okTo := concepts[r.To]
		if !okFrom || !okTo {
			t.Errorf("%v leads nowhere", r)
		}
		switch r.Kind {
		case onward.RelationEssential, onward.RelationOptional:
			if from.Kind != onward.ConceptOccupation || !to.Kind.IsSkill() {
				t.Errorf("%v is not from an occupation to a skill", r)
			}
			if r.Kind == onward.RelationEssential {
				essential[r.From]++
			}
			used[r.To] = true
		case onward.RelationBroader:
			inGroup[r.From] = inGroup[r.From] || to.Kind == onward.ConceptSkillGroup || to.Kind == onward.ConceptISCOGroup
		case onward.RelationRelated, onward.RelationExact:
			t.Errorf("%v has a kind that the files can't state", r)
		}
	}
	for id, c := range concepts {
		switch {
		case c.Kind == onward.ConceptOccupation:
			if essential[id] < 2 || !inGroup[id] {
				t.Errorf("%s has %d essential skills; in an ISCO group: %v", id, essential[id], inGroup[id])
			}
			if unit, ok := concepts["isco/"+c.Code]; !ok || unit.Kind != onward.ConceptISCOGroup || len(c.Code) != 4 {
				t.Errorf("%s is in no known unit group: %q", id, c.Code)
			}
		case c.Kind.IsSkill():
			if !inGroup[id] {
				t.Errorf("%s is in no group", id)
			}
			if !used[id] {
				t.Errorf("no occupation uses %s", id)
			}
		}
	}
}

func BenchmarkStarter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		starter(b)
	}
}
