package modelcard

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

func TestEveryLanguageHasEveryPhrase(t *testing.T) {
	t.Parallel()
	english := languages["en"]
	for _, code := range onward.ServiceLanguages() {
		w := languages[code]
		for name := range english.phrases {
			if w.phrases[name] == "" {
				t.Errorf("%s lacks %s", code, name)
			}
		}
		for name, items := range english.lists {
			if len(w.lists[name]) != len(items) {
				t.Errorf("%s has %d of %s, not %d", code, len(w.lists[name]), name, len(items))
			}
		}
		if len(w.phrases) != len(english.phrases) {
			t.Errorf("%s has %d phrases, English %d", code, len(w.phrases), len(english.phrases))
		}
		card, err := json.Marshal(New(Facts{}, code))
		if err != nil {
			t.Fatal(err)
		}
		// A phrase that is not there shows by its name.
		if missing := regexp.MustCompile(`"(input|never|override|recorded|measured|basis|beside|section|of|moves)\.[a-z_]+"`).FindString(string(card)); missing != "" {
			t.Errorf("%s: no phrase for %s", code, missing)
		}
	}
	if New(Facts{}, "xx").Language != "en" {
		t.Error("an unknown language is not English")
	}
}

func TestFiguresAreThoseOfTheDocuments(t *testing.T) {
	t.Parallel()
	for _, f := range figures {
		text, err := os.ReadFile(filepath.Join("..", "..", f.document))
		if err != nil {
			t.Fatal(err)
		}
		for _, figure := range strings.FieldsFunc(f.value+" "+strings.TrimPrefix(f.besideFigure, "aim"), func(r rune) bool { return r == ' ' || r == '(' || r == ')' }) {
			if strings.ContainsAny(figure, "0123456789") && !strings.Contains(string(text), figure) {
				t.Errorf("%s does not say %s (%s)", f.document, figure, f.what)
			}
		}
	}
	architecture, err := os.ReadFile(filepath.Join("..", "..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range formula {
		if !strings.Contains(string(architecture), line) {
			t.Errorf("ARCHITECTURE.md has another formula than %q", line)
		}
	}
	for _, file := range New(Facts{}, "en").References {
		if _, err := os.Stat(filepath.Join("..", "..", file)); err != nil {
			t.Error(err)
		}
	}
}

func TestTheTestsThatTheCardNamesAreThere(t *testing.T) {
	t.Parallel()
	for _, name := range proof {
		folder, test, _ := strings.Cut(name, ".")
		files, err := filepath.Glob(filepath.Join("..", "..", folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(file string) bool {
			text, err := os.ReadFile(file) //nolint:gosec // a file of the project
			return err == nil && strings.Contains(string(text), "func "+test+"(")
		}) {
			t.Errorf("there is no test %s", name)
		}
	}
}

func TestTheCardSaysWhatIsInUse(t *testing.T) {
	t.Parallel()
	fitted := Fitted{Country: "GT", Name: "GT-2026-11-26", CreatedAt: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Version: destination.Version{
		Values: map[string]float64{"population": 0.5}, People: 212, Against: "priors-1", Comparison: destination.Comparison{Gain: 0.2, StandardError: 0.05},
	}}
	card := New(Facts{Taxonomy: "esco-1.2", Fitted: []Fitted{fitted}, Contact: "model@example.org"}, "es")
	if card.Versions != (Versions{Score: matcher.Version, Taxonomy: "esco-1.2"}) || card.Language != "es" || card.Contact != "model@example.org" {
		t.Errorf("%+v", card.Versions)
	}
	if len(card.Fits) != 3 || card.Fits[0].Country != "" || card.Fits[0].Basis != "priors" || card.Fits[1].Basis != "residences" || card.Fits[1].People != 212 || card.Fits[1].Gain != 0.2 ||
		card.Fits[2].Country != "MX" || card.Fits[2].Basis != "flows" {
		t.Errorf("%+v", card.Fits)
	}
	if row := card.Fits[1].Table[0]; row.Value != 0.5 || !strings.HasPrefix(row.Source, "estimated") {
		t.Errorf("%+v", row)
	}
	mexico := New(Facts{Fitted: []Fitted{{Country: "MX", Name: "MX-1"}}}, "en").Fits
	if len(mexico) != 2 || mexico[1].Basis != "residences" {
		t.Errorf("what was learned does not replace what comes with the program: %+v", mexico)
	}
	for _, o := range card.Overrides {
		if o.Operation != "" && len(o.Roles) == 0 {
			t.Errorf("nobody may: %+v", o)
		}
	}
}

func TestThePageStandsAloneAndHasNoScript(t *testing.T) {
	t.Parallel()
	for _, code := range onward.ServiceLanguages() {
		var out bytes.Buffer
		if err := New(Facts{Contact: "<script>alert(1)</script>"}, code).Page(&out, "body{margin:0}"); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, bad := range []string{"<script", "src=", "href=", "onclick", "ZgotmplZ"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: the page has %s", code, bad)
			}
		}
		if !strings.Contains(text, `lang="`+code+`"`) || strings.Contains(text, `dir="rtl"`) != (code == "ar") || !strings.Contains(text, "body{margin:0}") || !strings.Contains(text, `name="viewport"`) {
			t.Errorf("%s: %.300s", code, text)
		}
		if missing := regexp.MustCompile(`>(input|never|override|recorded|measured|section|of|moves)\.[a-z_]+<`).FindString(text); missing != "" {
			t.Errorf("%s: no phrase for %s", code, missing)
		}
	}
}
