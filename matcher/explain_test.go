package matcher_test

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// rounded cuts fractions to nine digits: processors that fuse multiply and add differ in the last ones.
func rounded(t *testing.T, text string) string {
	t.Helper()
	return regexp.MustCompile(`\d+\.\d{10,}(e-\d+)?`).ReplaceAllStringFunc(text, func(number string) string {
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatFloat(math.Round(value*1e9)/1e9, 'f', -1, 64)
	})
}

// multiplies checks that the parts of an explanation give its figures, and the figures the score.
func multiplies(t interface {
	Helper()
	Fatalf(string, ...any)
}, line onward.RankedReferral,
) {
	t.Helper()
	const tolerance = 1e-12
	e := line.Explanation
	fit := e.SkillConfidence
	if len(e.Skills) > 0 {
		sum, weights := 0.0, 0.0
		for _, s := range e.Skills {
			sum, weights = sum+s.Weight*s.Strength, weights+s.Weight
		}
		fit *= sum / weights
	}
	reach := 0.0
	for _, p := range e.ReachParts {
		reach += p.Probability * p.Access
	}
	terms, weights := 0.0, 0.0
	for _, p := range e.TermParts {
		if p.Value != nil {
			terms, weights = terms+p.Weight*(*p.Value), weights+p.Weight
		}
	}
	if weights == 0 {
		terms = 1
	} else {
		terms /= weights
	}
	for name, pair := range map[string][2]float64{
		"fit": {fit, line.Fit}, "reach": {reach, line.Reach}, "terms": {terms, line.Terms}, "score": {fit * reach * terms, line.Score},
	} {
		if math.Abs(pair[0]-pair[1]) > tolerance {
			t.Fatalf("the parts of %s give %v, it is %v", name, pair[0], pair[1])
		}
		if !(pair[1] >= 0 && pair[1] <= 1) {
			t.Fatalf("%s is %v", name, pair[1])
		}
	}
}

func TestTheExplanationOfAListIsAsSaved(t *testing.T) {
	t.Parallel()
	r := mason(func(r *onward.ReturneeDetails) {
		r.Preferences = onward.Preferences{ReservationMinor: ptr[int64](900_000), Currency: "MXN", Kinds: []onward.Kind{onward.Job}}
		r.AvailableFrom = today()
	})
	m := destination.NewModel(gazetteer(), destination.Priors())
	person := matcher.NewPerson(r, taxonomy(), today())
	reach := matcher.NewReach(m.Predict(destination.NewPerson(r), today()), gazetteer(), person)
	openings := []matcher.Opening{
		post(1, puebla, func(o *onward.Opportunity) {
			o.Wage = &onward.Wage{MinMinor: 180_000, MaxMinor: 220_000, Currency: "MXN", Period: onward.PerWeek}
			o.Documents, o.StartsOn = []onward.DocumentKind{onward.NationalID, onward.TaxNumber}, today().AddDays(21)
		}),
		post(2, tijuana, func(o *onward.Opportunity) {
			o.Housing, o.Skills, o.OccupationID = true, nil, "bricklayer"
			o.Vetting = onward.VettingUnknown
		}),
		post(3, 0, func(o *onward.Opportunity) {
			o.Remote, o.RemoteAbroad, o.Skills, o.Kind = true, true, nil, onward.Training
		}),
		post(4, cholula, func(o *onward.Opportunity) { o.Documents = []onward.DocumentKind{onward.DrivingLicence} }),
	}
	result := matcher.Rank(person, reach, openings, matcher.Options{Today: today(), Language: "es"})
	for _, line := range result.Referrals {
		multiplies(t, line)
		if !slices.IsSortedFunc(line.Explanation.Skills, func(a, b onward.SkillPart) int { return int(math.Copysign(1, b.Weight-a.Weight)) }) && len(line.Explanation.Skills) > 0 {
			t.Errorf("the heaviest skill comes first: %+v", line.Explanation.Skills)
		}
	}
	got := rounded(t, golden(t, result))
	path := filepath.Join("testdata", "list.golden.json")
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
	if got == string(want) {
		return
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(lines) || line != lines[i] {
			t.Fatalf("line %d of %s is now %q; if that is meant, run go test ./matcher -update and, when a score changed, raise matcher.Version", i+1, path, line)
		}
	}
	t.Fatalf("%s has more lines than the list", path)
}
