package skills_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"onward"
	"onward/matcher/skills"
)

func skill(id, english string, more ...onward.Label) onward.Concept {
	labels := append([]onward.Label{{Language: "en", Text: english, Preferred: true}}, more...)
	return onward.Concept{ID: id, Kind: onward.ConceptSkill, Labels: labels}
}

// starter is a small release: a bricklayer, a tiler and a cook.
func starter() onward.Taxonomy {
	return onward.Taxonomy{
		Release: "starter-1", Name: "Starter", Source: "made for this test",
		Concepts: []onward.Concept{
			skill("mortar", "mix mortar", onward.Label{Language: "es", Text: "preparar mortero", Preferred: true},
				onward.Label{Language: "es", Text: "mezclar mortero"}),
			skill("bricks", "lay bricks"),
			skill("masonry", "build masonry"),
			skill("tiles", "lay tiles"),
			skill("stew", "cook stews"),
			skill("safety", "work safely"),
			{ID: "care", Kind: onward.ConceptKnowledge, UnseenUnpaid: true, Labels: []onward.Label{{Language: "fr", Text: "soins"}}},
			{ID: "building", Kind: onward.ConceptSkillGroup},
			{ID: "bricklayer", Kind: onward.ConceptOccupation, Code: "7112", Labels: []onward.Label{{Language: "en", Text: "bricklayer", Preferred: true}}},
			{ID: "tiler", Kind: onward.ConceptOccupation, Code: "7122"},
			{ID: "cook", Kind: onward.ConceptOccupation, Code: "5120"},
		},
		Relations: []onward.Relation{
			{From: "bricklayer", To: "bricks", Kind: onward.RelationEssential},
			{From: "bricklayer", To: "mortar", Kind: onward.RelationEssential},
			{From: "bricklayer", To: "safety", Kind: onward.RelationEssential},
			{From: "bricklayer", To: "safety", Kind: onward.RelationOptional}, // both: essential
			{From: "bricklayer", To: "tiles", Kind: onward.RelationOptional},
			{From: "tiler", To: "tiles", Kind: onward.RelationEssential},
			{From: "tiler", To: "mortar", Kind: onward.RelationEssential},
			{From: "tiler", To: "safety", Kind: onward.RelationEssential},
			{From: "cook", To: "stew", Kind: onward.RelationEssential},
			{From: "cook", To: "safety", Kind: onward.RelationEssential},
			{From: "bricks", To: "masonry", Kind: onward.RelationBroader},
			{From: "masonry", To: "building", Kind: onward.RelationBroader},
			{From: "tiles", To: "building", Kind: onward.RelationBroader},
			{From: "stew", To: "care", Kind: onward.RelationRelated},
			{From: "bricks", To: "esco/bricks", Kind: onward.RelationExact},
			{From: "cook", To: "nowhere", Kind: onward.RelationEssential}, // dropped
		},
	}
}

func esco() onward.Taxonomy {
	return onward.Taxonomy{
		Release: "esco-0",
		Concepts: []onward.Concept{
			skill("esco/bricks", "lay bricks by hand", onward.Label{Language: "ar", Text: "بناء الطوب", Preferred: true}),
			skill("esco/pointing", "point walls"),
			{ID: "esco/mason", Kind: onward.ConceptOccupation},
		},
		Relations: []onward.Relation{
			{From: "esco/mason", To: "esco/bricks", Kind: onward.RelationEssential},
			{From: "esco/bricks", To: "esco/pointing", Kind: onward.RelationRelated},
		},
	}
}

func load(t *testing.T, releases ...onward.Taxonomy) *skills.Taxonomy {
	t.Helper()
	taxonomy, err := skills.New(releases...)
	if err != nil {
		t.Fatal(err)
	}
	return taxonomy
}

func value(taxonomy *skills.Taxonomy, from, to string) float64 {
	for _, r := range taxonomy.Related(from) {
		if r.SkillID == to {
			return r.Value
		}
	}
	return 0
}

func TestConceptsAreFoundByKind(t *testing.T) {
	t.Parallel()
	taxonomy := load(t, starter(), esco())
	if !taxonomy.HasSkill("care") || !taxonomy.HasSkill("esco/bricks") || taxonomy.HasSkill("cook") || taxonomy.HasSkill("building") || taxonomy.HasSkill("x") {
		t.Error("HasSkill is for skills and knowledge of any release, and nothing else")
	}
	if !taxonomy.HasOccupation("cook") || taxonomy.HasOccupation("stew") {
		t.Error("HasOccupation is for occupations")
	}
	if taxonomy.Code("cook") != "5120" || !taxonomy.UnseenUnpaid("care") || taxonomy.Release() != "starter-1+esco-0" || taxonomy.Dropped() != 1 {
		t.Error(taxonomy.Code("cook"), taxonomy.UnseenUnpaid("care"), taxonomy.Release(), taxonomy.Dropped())
	}
	essential, optional := taxonomy.SkillsOf("bricklayer")
	if !slices.Equal(essential, []string{"bricks", "mortar", "safety"}) || !slices.Equal(optional, []string{"tiles"}) {
		t.Error("a skill that is both essential and optional is essential:", essential, optional)
	}
}

func TestLabelFallsBackWithoutEverBeingEmpty(t *testing.T) {
	t.Parallel()
	taxonomy := load(t, starter(), esco())
	for _, c := range []struct{ why, id, language, want string }{
		{"the preferred name in the language", "mortar", "es", "preparar mortero"},
		{"the same concept in another release", "bricks", "ar", "بناء الطوب"},
		{"English when the language is missing", "mortar", "fr", "mix mortar"},
		{"any language when English is missing too", "care", "es", "soins"},
		{"the id when there is no label", "tiler", "en", "tiler"},
		{"the id when there is no such concept", "unheard", "en", "unheard"},
	} {
		if got := taxonomy.Label(c.id, c.language); got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}

func TestLabelsYieldEveryNameOfSkillsAndOccupations(t *testing.T) {
	t.Parallel()
	count, preferred := 0, 0
	for entry := range load(t, starter()).Labels() {
		count++
		if entry.Preferred {
			preferred++
		}
		if entry.ID == "mortar" && entry.Text == "mezclar mortero" && (entry.Language != "es" || entry.Preferred || entry.Kind != onward.ConceptSkill) {
			t.Errorf("%+v", entry)
		}
	}
	if count != 10 || preferred != 8 {
		t.Errorf("got %d names, %d preferred", count, preferred)
	}
}

func TestIDFIsAConstantOfTheSkillsOwnRelease(t *testing.T) {
	t.Parallel()
	alone, both := load(t, starter()), load(t, starter(), esco())
	for id, standsIn := range map[string]float64{"safety": 3, "mortar": 2, "tiles": 2, "stew": 1, "care": 0} {
		want := math.Log(1 + 3/(1+standsIn))
		if got := alone.IDF(id); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s stands in %v of 3 occupations: got %v, want %v", id, standsIn, got, want)
		}
		if alone.IDF(id) != both.IDF(id) {
			t.Errorf("%s: loading another release beside it changed its weight", id)
		}
	}
	if alone.IDF("cook") != 0 || alone.IDF("unheard") != 0 {
		t.Error("what is not a skill has no weight")
	}
}

func TestRelatedSkills(t *testing.T) {
	t.Parallel()
	taxonomy := load(t, starter(), esco())
	for _, c := range []struct {
		why, from, to string
		want          float64
	}{
		{"itself", "bricks", "bricks", 1},
		{"the same in another release", "bricks", "esco/bricks", 1},
		{"and back", "esco/bricks", "bricks", 1},
		{"the broader skill", "bricks", "masonry", 0.7},
		{"the narrower skill", "masonry", "bricks", 0.5},
		{"what is near the twin", "bricks", "esco/pointing", 0.4},
		{"the twin of what is near", "masonry", "esco/bricks", 0.5},
		{"a skill that supports it", "stew", "care", 0.4},
		{"taken both ways", "care", "stew", 0.4},
		{"a skill of the same group, never together", "masonry", "tiles", 0.2},
		{"needed together in two occupations of two and three", "mortar", "safety", 0.8 * 2 / math.Sqrt(4*5)},
		{"nothing in common", "stew", "bricks", 0},
	} {
		if got := value(taxonomy, c.from, c.to); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %s -> %s is %v, want %v", c.why, c.from, c.to, got, c.want)
		}
	}
	if taxonomy.Related("cook") != nil || taxonomy.Related("unheard") != nil {
		t.Error("only skills have related skills")
	}
}

func TestReasonsForBeingRelatedAddUp(t *testing.T) {
	t.Parallel()
	release := starter()
	release.Relations = append(release.Relations, onward.Relation{From: "mortar", To: "safety", Kind: onward.RelationRelated})
	together := 0.8 * 2 / math.Sqrt(4*5)
	if got, want := value(load(t, release), "mortar", "safety"), 1-(1-0.4)*(1-together); math.Abs(got-want) > 1e-12 {
		t.Errorf("one supports the other, and two occupations need both: %v, want %v", got, want)
	}
}

func TestRelatedKeepsNothingFaintAndListsTheNearestFirst(t *testing.T) {
	t.Parallel()
	big := synthetic(400, 120, 5)
	taxonomy := load(t, big)
	for _, c := range big.Concepts {
		for i, r := range taxonomy.Related(c.ID) {
			if r.Value < 0.16 || r.Value > 1 || (i > 0 && r.Value > taxonomy.Related(c.ID)[i-1].Value) {
				t.Fatalf("%s: %v", c.ID, taxonomy.Related(c.ID))
			}
		}
	}
}

func TestRelatedIsSymmetricButForBroaderAndNarrower(t *testing.T) {
	t.Parallel()
	big := synthetic(400, 120, 5)
	tied := map[[2]string]bool{}
	for _, r := range big.Relations {
		if r.Kind == onward.RelationBroader {
			tied[[2]string{r.From, r.To}], tied[[2]string{r.To, r.From}] = true, true
		}
	}
	taxonomy := load(t, big)
	compared := 0
	for _, c := range big.Concepts {
		for _, r := range taxonomy.Related(c.ID) {
			if tied[[2]string{c.ID, r.SkillID}] {
				continue
			}
			compared++
			if back := value(taxonomy, r.SkillID, c.ID); math.Abs(back-r.Value) > 1e-12 {
				t.Fatalf("%s -> %s is %v, back %v", c.ID, r.SkillID, r.Value, back)
			}
		}
	}
	if compared < 1000 {
		t.Fatalf("only %d pairs compared", compared)
	}
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	t.Parallel()
	release := synthetic(300, 60, 3)
	turned := release
	turned.Concepts, turned.Relations = slices.Clone(release.Concepts), slices.Clone(release.Relations)
	slices.Reverse(turned.Concepts)
	slices.Reverse(turned.Relations)
	one, two := load(t, release), load(t, turned)
	for _, c := range release.Concepts {
		if !slices.Equal(one.Related(c.ID), two.Related(c.ID)) {
			t.Fatalf("%s: %v and %v", c.ID, one.Related(c.ID), two.Related(c.ID))
		}
	}
}

func TestBrokenReleasesAreRefused(t *testing.T) {
	t.Parallel()
	for why, releases := range map[string][]onward.Taxonomy{
		"the same release twice": {starter(), starter()},
		"no name":                {{Concepts: []onward.Concept{skill("a", "a")}}},
		"an empty id":            {{Release: "r", Concepts: []onward.Concept{skill("", "a")}}},
		"an id that stands twice": {{Release: "r", Concepts: []onward.Concept{
			skill("a", "a"), skill("a", "b"),
		}}},
	} {
		if _, err := skills.New(releases...); err == nil {
			t.Errorf("%s: no error", why)
		}
	}
}

// synthetic is a release of the shape of ESCO: skills in groups, occupations with runs of neighbouring skills, labels.
func synthetic(skillCount, occupationCount, labelsEach int) onward.Taxonomy {
	release := onward.Taxonomy{Release: "synthetic"}
	random := uint64(1)
	next := func(n int) int {
		random = random*6364136223846793005 + 1442695040888963407
		return int((random >> 33) % uint64(n)) //nolint:gosec // small numbers
	}
	id := func(i int) string { return fmt.Sprintf("skill/%08x-5c15-4ffa-abed-5a43f104bb22", i) }
	for g := range skillCount/20 + 1 {
		release.Concepts = append(release.Concepts, onward.Concept{ID: fmt.Sprintf("group/%d", g), Kind: onward.ConceptSkillGroup})
	}
	for i := range skillCount {
		c := onward.Concept{ID: id(i), Kind: onward.ConceptSkill}
		for l := range labelsEach {
			c.Labels = append(c.Labels, onward.Label{Language: onward.ServiceLanguages()[l%4], Text: fmt.Sprintf("operate machine number %d, %d", i, l), Preferred: l < 4})
		}
		release.Concepts = append(release.Concepts, c)
		release.Relations = append(release.Relations, onward.Relation{From: c.ID, To: fmt.Sprintf("group/%d", i/20), Kind: onward.RelationBroader})
	}
	for o := range occupationCount {
		occupation := fmt.Sprintf("occupation/%08x-4b5c-4ad5-a0f1-24cc9dc1ae72", o)
		release.Concepts = append(release.Concepts, onward.Concept{ID: occupation, Kind: onward.ConceptOccupation})
		middle := next(skillCount)
		for k := range 40 {
			kind := onward.RelationEssential
			if k%2 == 1 {
				kind = onward.RelationOptional
			}
			to := id((middle + next(60)) % skillCount)
			if k < 4 {
				to = id(next(20)) // skills that many occupations need
			}
			release.Relations = append(release.Relations, onward.Relation{From: occupation, To: to, Kind: kind})
		}
	}
	return release
}

func BenchmarkNew(b *testing.B) {
	release := synthetic(14_000, 3_000, 10)
	b.Run("skills=14000,labels=140000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := skills.New(release); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRelated(b *testing.B) {
	release := synthetic(14_000, 3_000, 1)
	b.Run("first=14000", func(b *testing.B) { // every list worked out for the first time
		for b.Loop() {
			b.StopTimer()
			taxonomy, err := skills.New(release)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			for i := range release.Concepts {
				taxonomy.Related(release.Concepts[i].ID)
			}
		}
	})
}
