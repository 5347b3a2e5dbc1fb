package catalogue_test

import (
	"strings"
	"sync"
	"testing"

	"onward"
	"onward/indexer/catalogue"
	"onward/internal/reference"
)

// builtIn is the catalogue of the reference data in the binary.
var builtIn = sync.OnceValue(func() *catalogue.Catalogue {
	places, err := reference.Places()
	if err != nil {
		panic(err)
	}
	starter, err := reference.Starter()
	if err != nil {
		panic(err)
	}
	c, err := catalogue.New(places, []onward.Taxonomy{starter})
	if err != nil {
		panic(err)
	}
	return c
})

func TestAConceptIsFoundByIDOrByOneOfItsNames(t *testing.T) {
	t.Parallel()
	c := builtIn()
	for text, want := range map[string]string{
		"onward/skill/lay-bricks":       "onward/skill/lay-bricks",
		"  onward/skill/lay-bricks ":    "onward/skill/lay-bricks",
		"lay bricks":                    "onward/skill/lay-bricks",
		"Lay Bricks!":                   "onward/skill/lay-bricks",
		"colocar ladrillos":             "onward/skill/lay-bricks",
		"lay brick":                     "",
		"onward/occupation/bricklayer":  "", // an occupation is no skill
		"bricklayer":                    "",
		"":                              "",
		"!!!":                           "",
		strings.Repeat("lay bricks", 9): "",
	} {
		if got, ok := c.SkillByLabel(text); got != want || ok != (want != "") {
			t.Errorf("skill %q: %q %t, want %q", text, got, ok, want)
		}
	}
	for text, want := range map[string]string{
		"bricklayer": "onward/occupation/bricklayer", "ALBANIL": "onward/occupation/bricklayer", "albañil": "onward/occupation/bricklayer", "lay bricks": "",
	} {
		if got, ok := c.OccupationByLabel(text); got != want || ok != (want != "") {
			t.Errorf("occupation %q: %q %t, want %q", text, got, ok, want)
		}
	}
}

func TestAPlaceIsFoundByNameUnlessItCouldBeAnother(t *testing.T) {
	t.Parallel()
	c := builtIn()
	for _, q := range []struct {
		text, country string
		want          onward.PlaceID
	}{
		{"Zapopan", "", 3979770},
		{"zapopán ", "", 3979770},
		{"3979770", "", 3979770},
		{"Zapopan, Jalisco", "", 3979770},
		{"Zapopan, Jalisco, MX", "", 3979770},
		{"Zapopan, MX", "", 3979770},
		{" Zapopan ,jalisco,mx", "", 3979770},
		{"Zapopan, Yucatán", "", 0}, // the division is wrong
		{"Zapopan, Jalisco, GT", "", 0},
		{"Zapopan", "GT", 3979770}, // a preference is no condition
		{"Guadalajara", "MX", 4005539},
		{"Guadalajara", "ES", 3121070},
		{"Guadalajara, ES", "MX", 3121070}, // what is said outright counts before what is preferred
		{"Guadalajara", "", 4005539},       // over ten times the people of the others
		{"Mérida", "MX", 3523349},
		{"Mérida", "VE", 3632308},
		{"Mérida", "", 0}, // Mexico's and Venezuela's are of one size
		{"Nowhereville", "MX", 0},
		{"", "MX", 0},
		{",", "", 0},
		{"5", "", 0},
		{"99999999999999999999", "", 0},
	} {
		p, ok := c.PlaceByName(q.text, q.country)
		if p.ID != q.want || ok != (q.want != 0) {
			t.Errorf("%q, rather in %q: %d %s %t, want %d", q.text, q.country, p.ID, p.Label(), ok, q.want)
		}
	}
}

func TestWhatIsUnknownGetsUsefulSuggestions(t *testing.T) {
	t.Parallel()
	c := builtIn()
	for _, q := range []struct {
		suggest     func(string) []onward.Suggestion
		text, first string
	}{
		{c.SuggestSkills, "onward/skill/lay-brick", "onward/skill/lay-bricks"},
		{c.SuggestSkills, "onward/skill/lay_brikcs", "onward/skill/lay-bricks"},
		{c.SuggestSkills, "lay bricsk", "onward/skill/lay-bricks"},
		{c.SuggestSkills, "http://data.europa.eu/esco/skill/lay-bricks", "onward/skill/lay-bricks"},
		{c.SuggestOccupations, "bricklayr", "onward/occupation/bricklayer"},
		{c.SuggestOccupations, "albanil", "onward/occupation/bricklayer"},
		{c.SuggestPlaces, "Zapopam", "3979770"},
		{c.SuggestPlaces, "Zapopam, Jalisco", "3979770"},
	} {
		got := q.suggest(q.text)
		if len(got) == 0 || len(got) > 3 || got[0].ID != q.first || got[0].Label == "" {
			t.Errorf("%q: %+v, want %s first of three at most", q.text, got, q.first)
		}
		seen := map[string]bool{}
		for _, s := range got {
			if seen[s.ID] {
				t.Errorf("%q: %s twice", q.text, s.ID)
			}
			seen[s.ID] = true
		}
	}
	for _, text := range []string{"", "/", "onward/skill/", "\xff\xfe", strings.Repeat("é", 500_000), strings.Repeat("a b ", 500_000)} {
		for _, suggest := range []func(string) []onward.Suggestion{c.SuggestSkills, c.SuggestOccupations, c.SuggestPlaces} {
			if got := suggest(text); len(got) > 3 {
				t.Errorf("%.10q: %d suggestions", text, len(got))
			}
		}
	}
	for _, s := range c.SuggestOccupations("lay bricks") {
		if !c.HasOccupation(s.ID) {
			t.Errorf("%s is no occupation", s.ID)
		}
	}
}

func TestMatchesAreOfTheKindAndLanguageAskedFor(t *testing.T) {
	t.Parallel()
	c := builtIn()
	for _, m := range c.SuggestConcepts("albañil", "en", onward.ConceptOccupation, 5) {
		if m.Kind != onward.ConceptOccupation || m.Code == "" || m.Label == "" {
			t.Errorf("%+v", m)
		}
	}
	if got := c.SuggestConcepts("albañil", "en", onward.ConceptOccupation, 1); len(got) != 1 || got[0].Label != "bricklayer" || !strings.EqualFold(got[0].Found, "albañil") {
		t.Errorf("found by its Spanish name, shown in English: %+v", got)
	}
	if got := c.SuggestConcepts("albañil", "es", onward.ConceptOccupation, 1); len(got) != 1 || got[0].Found != "" {
		t.Errorf("its own name needs no other: %+v", got)
	}
	for _, p := range c.FindPlaces("san", "GT", 20) {
		if p.Country != "GT" {
			t.Errorf("%s is not in Guatemala", p.Label())
		}
	}
	if got := c.FindPlaces("", "", 5); len(got) != 0 {
		t.Errorf("nothing typed, %d found", len(got))
	}
}

func TestTwoTaxonomiesWithOneNameAreAmbiguous(t *testing.T) {
	t.Parallel()
	taxonomy := func(release string) onward.Taxonomy {
		return onward.Taxonomy{Release: release, Name: release, Source: "made up", Concepts: []onward.Concept{
			{ID: release + "/welding", Kind: onward.ConceptSkill, Labels: []onward.Label{{Language: "en", Text: "welding", Preferred: true}}},
			{ID: release + "/own", Kind: onward.ConceptSkill, Labels: []onward.Label{{Language: "en", Text: release + " only", Preferred: true}}},
			{ID: release + "/welder", Kind: onward.ConceptOccupation, Code: "7212", Labels: []onward.Label{{Language: "en", Text: "welding", Preferred: true}}},
		}}
	}
	c, err := catalogue.New(nil, []onward.Taxonomy{taxonomy("one"), taxonomy("two")})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := c.SkillByLabel("welding"); ok {
		t.Errorf("taken for %s", got)
	}
	if got, ok := c.SkillByLabel("two only"); !ok || got != "two/own" {
		t.Errorf("%s %t", got, ok)
	}
	if got, ok := c.SkillByLabel("one/welding"); !ok || got != "one/welding" {
		t.Errorf("an id is never ambiguous: %s %t", got, ok)
	}
}

func TestALiveCatalogueAnswersFromWhatIsLoadedNow(t *testing.T) {
	t.Parallel()
	empty, err := catalogue.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	live := catalogue.NewLive(empty)
	if live.HasSkill("onward/skill/lay-bricks") || len(live.SuggestSkills("lay bricks")) != 0 || len(live.SuggestPlaces("Zapopan")) != 0 {
		t.Error("an empty catalogue knows something")
	}
	live.Replace(builtIn())
	_, place := live.Place(3979770)
	if !live.HasSkill("onward/skill/lay-bricks") || !live.HasOccupation("onward/occupation/bricklayer") || !place || len(live.SuggestOccupations("bricklayr")) == 0 {
		t.Error("the new catalogue is not used")
	}
}
