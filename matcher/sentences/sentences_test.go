package sentences_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"onward"
	"onward/matcher/sentences"
)

var update = flag.Bool("update", false, "write the golden files anew")

// phrases reads a file of phrases, by dotted name.
func phrases(t *testing.T, code string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(code + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := toml.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	flat := map[string]string{}
	var walk func(prefix string, value any)
	walk = func(prefix string, value any) {
		switch v := value.(type) {
		case string:
			flat[strings.TrimPrefix(prefix, ".")] = v
		case map[string]any:
			for name, inner := range v {
				walk(prefix+"."+name, inner)
			}
		}
	}
	walk("", raw)
	return flat
}

func forms() []string { return []string{"zero", "one", "two", "few", "many", "other"} }

// base is the name of a phrase without its plural form.
func base(name string) (string, string) {
	i := strings.LastIndexByte(name, '.')
	if i >= 0 && slices.Contains(forms(), name[i+1:]) {
		return name[:i], name[i+1:]
	}
	return name, ""
}

func TestEveryPhraseIsInEveryLanguageWithTheSameBlanks(t *testing.T) {
	t.Parallel()
	blank := regexp.MustCompile(`\{\{\.(\w+)\}\}`)
	english := phrases(t, "en")
	for _, code := range onward.ServiceLanguages() {
		have := map[string]bool{}
		fill := map[string][]string{}
		for name, text := range phrases(t, code) {
			id, form := base(name)
			have[id] = true
			if form != "" && form != "other" {
				continue // may leave the number out: "one place"
			}
			for _, found := range blank.FindAllStringSubmatch(text, -1) {
				fill[id] = append(fill[id], found[1])
			}
			slices.Sort(fill[id])
		}
		for name, text := range english {
			id, form := base(name)
			if !have[id] {
				t.Errorf("%s has no %s", code, id)
			}
			if form != "" && form != "other" {
				continue
			}
			var want []string
			for _, found := range blank.FindAllStringSubmatch(text, -1) {
				want = append(want, found[1])
			}
			slices.Sort(want)
			if !slices.Equal(fill[id], want) {
				t.Errorf("%s: %s fills in %v, English %v", code, id, fill[id], want)
			}
		}
		if len(have) != countBases(english) {
			t.Errorf("%s has %d phrases, English %d", code, len(have), countBases(english))
		}
	}
}

func countBases(all map[string]string) int {
	ids := map[string]bool{}
	for name := range all {
		id, _ := base(name)
		ids[id] = true
	}
	return len(ids)
}

func TestEveryPluralFormOfALanguageIsThere(t *testing.T) {
	t.Parallel()
	names := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	for _, code := range onward.ServiceLanguages() {
		all := phrases(t, code)
		for name := range all {
			id, form := base(name)
			if form == "" {
				continue
			}
			for n := range 1_000 {
				needed := names[plural.Cardinal.MatchPlural(language.Make(code), n, 0, 0, 0, 0)]
				if _, ok := all[id+"."+needed]; !ok {
					t.Fatalf("%s: %s has no form for %d (%s)", code, id, n, needed)
				}
			}
		}
	}
}

func day(n int) onward.Date { return onward.NewDate(2026, time.November, 24).AddDays(n) }

func value(v float64) *float64 { return &v }

// list has every kind of thing that is put into words.
func list() onward.RankedList {
	facts := func(state onward.GateState, all ...onward.Fact) []onward.Fact {
		for i := range all {
			all[i].State = state
		}
		return all
	}
	gates := []onward.GateResult{
		{Gate: onward.GateOpen, State: onward.GateYes, Facts: facts(onward.GateYes, onward.Fact{Code: onward.FactOpenUntil, Date: day(11)})},
		{Gate: onward.GateVetted, State: onward.GateUnknown, Facts: facts(onward.GateUnknown, onward.Fact{Code: onward.FactVettingRanOut, Date: day(-30)})},
		{Gate: onward.GatePlaces, State: onward.GateYes, Facts: facts(onward.GateYes, onward.Fact{Code: onward.FactPlacesLeft, Count: 2})},
		{Gate: onward.GateDocuments, State: onward.GateUnknown, Facts: append(
			facts(onward.GateYes, onward.Fact{Code: onward.FactDocumentHeld, Document: onward.NationalID}, onward.Fact{Code: onward.FactDocumentInTime, Document: onward.TaxNumber, Date: day(3)}),
			facts(onward.GateUnknown, onward.Fact{Code: onward.FactDocumentNotKnown, Document: onward.ProofOfAddress})...)},
		{Gate: onward.GateAge, State: onward.GateYes, Facts: facts(onward.GateYes, onward.Fact{Code: onward.FactAgeLimit, From: 18, To: 29}, onward.Fact{Code: onward.FactHazardous}, onward.Fact{Code: onward.FactAge, Count: 23})},
		{Gate: onward.GateLanguage, State: onward.GateUnknown, Facts: facts(onward.GateUnknown, onward.Fact{Code: onward.FactLanguageNotKnown, Language: "en", Needed: "B1"})},
	}
	first := onward.RankedReferral{
		Rank: 1, Reach: 0.62, Variety: 1, Robust: true, Opportunity: onward.OpportunitySummary{Assisted: true},
		Explanation: onward.Explanation{
			SkillBasis: onward.SkillsCoded, SkillConfidence: 1, Gates: gates,
			Skills: []onward.SkillPart{
				{Label: "lay bricks", Essential: true, Strength: 0.9, Related: 1},
				{Label: "mix mortar", Strength: 0.5, Related: 0.6, Via: "p", ViaLabel: "plaster walls"},
				{Label: "read plans", Essential: true},
				{Label: "keep accounts"},
			},
			ReachParts: []onward.ReachPart{
				{Place: "Puebla", Probability: 0.5, Access: 1}, {Place: "elsewhere", Probability: 0.2, Access: 0.5}, {Place: "abroad", Probability: 0.04, Access: 0.5},
			},
			TermParts: []onward.TermPart{
				{Term: "wage", Value: value(0.85)},
				{Term: "hours", Value: value(0.8)},
				{Term: "childcare", Value: value(0.7)},
				{Term: "kind", Value: value(0.4)},
				{Term: "start", Value: value(0.6)},
				{Term: "freshness", Value: value(0.6)},
				{Term: "replies", Value: value(0.31)},
			},
		},
	}
	second := onward.RankedReferral{
		Rank: 9, Reach: 1, Variety: onward.VarietyFactor * onward.VarietyFactor, Opportunity: onward.OpportunitySummary{Remote: true},
		Counterfactuals: []onward.Counterfactual{
			{Change: onward.Change{Kind: onward.ChangeSkill, What: []string{"x"}, Label: "read plans"}, Rank: 2},
			{Change: onward.Change{Kind: onward.ChangeResidence, What: []string{"3521081"}, Label: "Puebla"}, Rank: 3},
		},
		Explanation: onward.Explanation{SkillBasis: onward.SkillsNone, TermParts: []onward.TermPart{{Term: "wage"}, {Term: "hours", Value: value(1)}}},
	}
	months, now := 14, 0
	return onward.RankedList{
		Destination: onward.Destination{Widened: true, Basis: []onward.DestinationBasis{
			{About: "origin"},
			{About: "current", Fades: true, AgeMonths: &now},
			{About: "previous"},
			{About: "kin"},
			{About: "intended", Fades: true},
			{About: onward.BasisIntention, Fades: true, AgeMonths: &months},
		}},
		Question:  &onward.DestinationQuestion{WorthAsking: true, Gain: 0.18, Changes: 1.7, Of: 5},
		Referrals: []onward.RankedReferral{first, second},
		NearMisses: []onward.NearMiss{
			{WouldRank: 2, Gate: onward.GateDocuments, Missing: []string{"driving_licence"}, AlsoOpens: 3, Facts: facts(onward.GateNo, onward.Fact{Code: onward.FactDocumentLate, Document: onward.DrivingLicence, Date: day(90)}, onward.Fact{Code: onward.FactStartTaken, Date: day(30)})},
			{WouldRank: 4, Gate: onward.GateLanguage, Missing: []string{"es:B1", "en:A2"}, AlsoOpens: 1, Facts: facts(onward.GateNo, onward.Fact{Code: onward.FactLanguageLevel, Language: "es", Needed: "B1", Has: "A1"})},
			{WouldRank: 5, Gate: onward.GateAge, Missing: []string{"age:18"}},
			{WouldRank: 6, Gate: onward.GatePlaces, Missing: []string{"free_place"}, Facts: facts(onward.GateNo, onward.Fact{Code: onward.FactPlacesLeft})},
		},
		Unlocks: []onward.Unlock{
			{Change: onward.Change{Kind: onward.ChangeDocument, What: []string{"driving_licence", "tax_number"}}, Opens: 12, BestRank: 2},
			{Change: onward.Change{Kind: onward.ChangeSkill, What: []string{"x"}, Label: "read plans"}, Opens: 1, BestRank: 5},
			{Change: onward.Change{Kind: onward.ChangeTraining, What: []string{"y"}, Label: "Albañilería básica"}, Opens: 2, BestRank: 7},
			{Change: onward.Change{Kind: onward.ChangeLanguage, What: []string{"en:B2"}}, Opens: 3, BestRank: 1},
		},
	}
}

func said(l onward.RankedList) []string {
	all := []string{l.Destination.Note, l.Question.Sentence}
	for _, line := range l.Referrals {
		all = append(all, line.Explanation.Sentences...)
		for _, g := range line.Explanation.Gates {
			all = append(all, string(g.Gate)+": "+g.Evidence)
		}
		for _, c := range line.Counterfactuals {
			all = append(all, c.Sentence)
		}
	}
	for _, m := range l.NearMisses {
		all = append(all, m.Sentence, m.Evidence)
	}
	for _, u := range l.Unlocks {
		all = append(all, u.Sentence)
	}
	return all
}

func TestAListInWords(t *testing.T) {
	t.Parallel()
	for _, code := range onward.ServiceLanguages() {
		l := list()
		sentences.In(code).List(&l)
		got := strings.Join(said(l), "\n") + "\n"
		if strings.Contains(got, "<no value>") || strings.Contains(got, "{{") || regexp.MustCompile(`(?m)^[a-z]+(_[a-z]+)+$`).MatchString(got) {
			t.Errorf("%s: something was not filled in:\n%s", code, got)
		}
		path := filepath.Join("testdata", code+".golden.txt")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is no longer as %s has it; if that is meant, run go test ./matcher/sentences -update. Now:\n%s", code, path, got)
		}
	}
}

func TestWritingAgainInAnotherLanguageLeavesNothingOfTheFirst(t *testing.T) {
	t.Parallel()
	twice, once := list(), list()
	sentences.In("fr").List(&twice)
	sentences.In("ar").List(&twice)
	sentences.In("ar").List(&once)
	a, err := json.Marshal(twice)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(once)
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Error("French is left in the Arabic list")
	}
}

func TestEveryFactDocumentAndTermHasAPhrase(t *testing.T) {
	t.Parallel()
	all := []onward.FactCode{
		onward.FactNoClosingDate, onward.FactOpenUntil, onward.FactVetted, onward.FactVettedUntil, onward.FactVettingRanOut, onward.FactNotVetted,
		onward.FactVettingRejected, onward.FactPlacesLeft, onward.FactNoDocuments, onward.FactDocumentNotKnown, onward.FactDocumentUnobtainable,
		onward.FactDocumentHeld, onward.FactDocumentInTime, onward.FactDocumentRunsOut, onward.FactDocumentLate, onward.FactDocumentApplied,
		onward.FactDocumentMissing, onward.FactStartTaken, onward.FactNoAgeLimit, onward.FactAgeLimit, onward.FactHazardous, onward.FactAge,
		onward.FactAgeUnknown, onward.FactNoLanguage, onward.FactLanguageLevel, onward.FactLanguageNotKnown,
	}
	for _, code := range onward.ServiceLanguages() {
		w := sentences.In(code)
		for _, fact := range all {
			if got := w.Evidence([]onward.Fact{{Code: fact, From: 15, Document: onward.NationalID, Language: "es", Date: day(0), Count: 3}}); got == string(fact) || got == "" {
				t.Errorf("%s: no phrase for %s", code, fact)
			}
		}
		for _, kind := range onward.DocumentKinds() {
			if got := w.Document(kind); strings.HasPrefix(got, "documents.") {
				t.Errorf("%s: no name for %s", code, kind)
			}
		}
	}
	if got := sentences.In("de").Language(); got != "en" {
		t.Errorf("a language without phrases falls back to %s, want en", got)
	}
}

func BenchmarkList(b *testing.B) {
	l := list()
	for len(l.Referrals) < 20 {
		l.Referrals = append(l.Referrals, l.Referrals[0])
	}
	for b.Loop() {
		sentences.In("es").List(&l)
	}
}

func TestAPersonIsToldInWordsWhateverTheReason(t *testing.T) {
	t.Parallel()
	if len(onward.ReferralReasons()) < 30 {
		t.Fatalf("only %d reasons", len(onward.ReferralReasons()))
	}
	for _, code := range onward.ServiceLanguages() {
		w := sentences.In(code)
		for _, reason := range onward.ReferralReasons() {
			text := w.Told(onward.ReferralDeclined, reason)
			if text == "" || strings.HasPrefix(text, "told.") || strings.Contains(text, "_") {
				t.Errorf("%s: %s is told as %q", code, reason, text)
			}
		}
		if w.Told(onward.ReferralRequested, "") != "" || w.Told(onward.ReferralAccepted, "") == "" {
			t.Errorf("%s: there is nothing to tell of a request, and something of a yes", code)
		}
	}
	if a, b := sentences.In("en").Told(onward.ReferralRevoked, onward.ReasonUnsafe), sentences.In("en").Told(onward.ReferralRevoked, onward.ReasonSafety); a != b {
		t.Error("what is told gives away which safety reason it was")
	}
}

func TestADecisionIsToldInWords(t *testing.T) {
	t.Parallel()
	for _, code := range onward.ServiceLanguages() {
		w := sentences.In(code)
		for _, reason := range append(onward.ChoiceReasons(), "") {
			for _, d := range []onward.Decision{
				{},
				{RequestID: onward.NewID(), Rank: 3, Of: 20, Overrides: []string{"destination"}, List: "gone"},
				{RequestID: onward.NewID(), Rank: 1},
				{RequestID: onward.NewID(), NearMiss: onward.GateAge},
				{RequestID: onward.NewID()},
			} {
				d.ChoiceReason = reason
				said := w.Decision(d, nil)
				if len(said) < 3 {
					t.Errorf("%s: %q", code, said)
				}
				for _, text := range said {
					if strings.HasPrefix(text, "decision.") || strings.Contains(text, "_") || strings.Contains(text, "<no value>") {
						t.Errorf("%s: %q", code, text)
					}
				}
			}
		}
	}
}
