package linking_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"onward"
	"onward/internal/reference"
	"onward/matcher/skills"
	"onward/matcher/skills/linking"
)

// starter builds linkers over the taxonomy that comes with the program, once.
func starter(tb testing.TB) (taxonomy *skills.Taxonomy, occupations, abilities *linking.Linker) {
	tb.Helper()
	made, err := starterOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return made.taxonomy, made.occupations, made.abilities
}

type made struct {
	taxonomy               *skills.Taxonomy
	occupations, abilities *linking.Linker
}

var starterOnce = sync.OnceValues(func() (m made, err error) {
	release, err := reference.Starter()
	if err != nil {
		return m, err
	}
	if m.taxonomy, err = skills.New(release); err != nil {
		return m, err
	}
	o, s := linking.FromTaxonomy(m.taxonomy, linking.IsOccupation), linking.FromTaxonomy(m.taxonomy, onward.ConceptKind.IsSkill)
	if m.occupations, err = linking.New(o, s, linking.OccupationWeights()); err != nil {
		return m, err
	}
	m.abilities, err = linking.New(s, o, linking.SkillWeights())
	return m, err
})

func TestTitlesAreLinkedHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	taxonomy, occupations, _ := starter(t)
	for _, c := range []struct{ why, title, want string }{
		{"as it stands", "bricklayer", "bricklayer"},
		{"plural", "Bricklayers", "bricklayer"},
		{"capitals and punctuation", "BRICK-LAYER!!", "bricklayer"},
		{"a typo", "briklayer", "bricklayer"},
		{"words around it", "Experienced bricklayer wanted, full time (m/f)", "bricklayer"},
		{"Spanish", "Albañil", "bricklayer"},
		{"Spanish without its marks", "albanil", "bricklayer"},
		{"Spanish for both sexes", "Albañil/a", "bricklayer"},
		{"Spanish plural", "albañiles", "bricklayer"},
		{"French", "maçon", "bricklayer"},
		{"French for both sexes", "Maçon(ne) h/f", "bricklayer"},
		{"Spanish", "carpintera", "carpenter"},
		{"French", "cuisinier", "cook"},
		{"French, the other sex", "cuisinière", "cook"},
		{"Spanish, the other sex", "cocinera", "cook"},
		{"Arabic", "طباخ", "cook"},
		{"Arabic with the article and vowels", "الطَّبَّاخ", "cook"},
		{"Arabic, the other sex", "طباخة", "cook"},
		{"two languages", "cocinero / cook", "cook"},
	} {
		found := occupations.Link(c.title, 3)
		if len(found) == 0 {
			t.Errorf("%s: %q: nothing found", c.why, c.title)
			continue
		}
		if name := taxonomy.Label(found[0].ID, "en"); !strings.Contains(strings.ToLower(name), c.want) {
			t.Errorf("%s: %q is %q with %.2f, want %q", c.why, c.title, name, found[0].Confidence, c.want)
		}
	}
}

func TestConfidenceFallsWithWhatIsLessClear(t *testing.T) {
	t.Parallel()
	_, occupations, abilities := starter(t)
	top := func(l *linking.Linker, text string) float64 {
		if found := l.Link(text, 1); len(found) > 0 {
			return found[0].Confidence
		}
		return 0
	}
	if clear, vague := top(occupations, "bricklayer"), top(occupations, "worker"); !(clear > vague) {
		t.Errorf("bricklayer %.2f, worker %.2f", clear, vague)
	}
	if clear, typo := top(abilities, "lay bricks"), top(abilities, "layy brixs"); !(clear > typo) {
		t.Errorf("lay bricks %.2f, with typos %.2f", clear, typo)
	}
	for _, nothing := range []string{"", "   ", "!!!", "zzzzqqqq", "12345", "\xff\xfe"} {
		if c := top(abilities, nothing); c >= linking.LeastConfidence {
			t.Errorf("%q means nothing, and has confidence %.2f", nothing, c)
		}
	}
	for _, text := range []string{"lay bricks", "cook", "drive"} {
		for _, m := range abilities.Link(text, 20) {
			if !(m.Confidence >= 0 && m.Confidence <= 1) {
				t.Errorf("%q: confidence %v", text, m.Confidence)
			}
		}
	}
}

func TestSuggestionsPointAtTheWordsTheyRestOn(t *testing.T) {
	t.Parallel()
	taxonomy, _, abilities := starter(t)
	for _, c := range []struct{ text, words, skill string }{
		{"I can lay bricks and I like football.", "lay bricks", "brick"},
		{"Señora con 10 años de experiencia: colocar ladrillos, atención.", "colocar ladrillos", "brick"},
		{"Ladrillos y más: sé colocar ladrillos 🧱 bien", "colocar ladrillos", "brick"},
	} {
		found, err := abilities.Suggest(t.Context(), c.text, linking.SuggestOptions{})
		if err != nil {
			t.Fatal(err)
		}
		letters := []rune(c.text)
		ok := false
		for _, s := range found {
			words := string(letters[s.Start:s.End])
			ok = ok || strings.Contains(words, c.words) && strings.Contains(taxonomy.Label(s.ID, "en"), c.skill)
		}
		if !ok {
			t.Errorf("%q: no suggestion of %q at %q: %+v", c.text, c.skill, c.words, found)
		}
	}
}

func TestSuggestionsNeitherOverlapNorRepeat(t *testing.T) {
	t.Parallel()
	_, _, abilities := starter(t)
	text := strings.Repeat("Lay bricks, mix mortar and plaster walls; drive trucks. Cocinar y limpiar. ", 5)
	found, err := abilities.Suggest(t.Context(), text, linking.SuggestOptions{LeastConfidence: 0.01, Limit: 50})
	if err != nil || len(found) == 0 {
		t.Fatalf("%v, %v", found, err)
	}
	seen := map[string]bool{}
	for i, s := range found {
		if seen[s.ID] || s.Start < 0 || s.End > utf8.RuneCountInString(text) || s.Start >= s.End {
			t.Errorf("%+v", s)
		}
		seen[s.ID] = true
		if i > 0 && s.Confidence > found[i-1].Confidence {
			t.Error("not the most confident first")
		}
		for _, other := range found[:i] {
			if s.Start < other.End && other.Start < s.End {
				t.Errorf("%+v and %+v overlap", s, other)
			}
		}
	}
}

func TestReadingALongTextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, _, abilities := starter(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := abilities.Suggest(ctx, strings.Repeat("lay bricks in different ways with others ", 5000), linking.SuggestOptions{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestConceptsNeedIdsOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, concepts := range [][]linking.Concept{{{ID: ""}}, {{ID: "a"}, {ID: "a"}}} {
		if _, err := linking.New(concepts, nil, linking.SkillWeights()); onward.CodeOf(err) != onward.EInvalid {
			t.Errorf("%v: %v", concepts, err)
		}
	}
}

func FuzzSuggest(f *testing.F) {
	for _, text := range []string{"lay bricks", "Conducteur/trice (h/f)", "طَبَّاخ/ة", "c++ c# .net", "a/b/c/d", "\xff'’s", "((((", "ÄÖÜß İı", "driver's driver’s"} {
		f.Add(text)
	}
	_, occupations, abilities := starter(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 400 {
			return
		}
		for _, l := range []*linking.Linker{occupations, abilities} {
			for _, linked := range [][]linking.Match{l.Link(text, 5)} {
				for _, m := range linked {
					if len(linked) > 5 || m.ID == "" || !(m.Confidence >= 0 && m.Confidence <= 1) {
						t.Fatalf("%q: %+v", text, linked)
					}
				}
			}
			found, err := l.Suggest(t.Context(), text, linking.SuggestOptions{LeastConfidence: 0.01})
			if err != nil {
				t.Fatal(err)
			}
			letters := []rune(text)
			for _, s := range found {
				if s.Start < 0 || s.End > len(letters) || s.Start >= s.End || !(s.Confidence >= 0 && s.Confidence <= 1) {
					t.Fatalf("%q: %+v", text, s)
				}
			}
		}
	})
}
