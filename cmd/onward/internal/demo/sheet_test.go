package demo_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"onward"
	"onward/cmd/onward/internal/demo"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// view is a list with one of each thing that a list can have.
func view(language string, width int, look demo.Look) demo.ListView {
	date := func(month time.Month, day int) onward.Date { return onward.NewDate(2026, month, day) }
	skill := func(label string, essential bool, strength float64, via string) onward.SkillPart {
		p := onward.SkillPart{SkillID: label, Label: label, Essential: essential, Weight: 1, Strength: strength, Related: 1}
		if via != "" {
			p.Via, p.ViaLabel, p.Related = via, via, 0.6
		}
		return p
	}
	list := onward.RankedList{
		GeneratedAt: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), AnsweredBy: "memory", Considered: 3200,
		Destination: onward.Destination{
			Places: []onward.DestinationPlace{
				{PlaceID: 1, Name: "Guadalajara, Jalisco, MX", Probability: 0.58, Reason: "kin, intended"},
				{PlaceID: 2, Name: "Tacámbaro de Codallos, Michoacán, MX", Probability: 0.2, Reason: "origin"},
				{PlaceID: 3, Name: "Morelia, Michoacán, MX", Probability: 0.06, Reason: "current"},
				{PlaceID: 4, Name: "Mexico City, MX", Probability: 0.03},
				{PlaceID: 5, Name: "Celaya, Guanajuato, MX", Probability: 0.006},
			},
			Elsewhere: 0.094, Abroad: 0.03, Entropy: 1.3, Note: "la comunidad de origen, el lugar actual (este mes) y la familia",
		},
		Referrals: []onward.RankedReferral{
			{
				Rank: 1, Score: 0.4794, Fit: 0.81, Reach: 0.5979, Terms: 0.99,
				Opportunity: onward.OpportunitySummary{
					Kind: onward.Job, Title: onward.Text{"es": "Oficial albañil – vivienda en serie", "en": "Skilled bricklayer – housing estate"},
					Organisation: "Obras del Lerma (ficticia)", PlaceID: 1, Place: "Guadalajara, Jalisco, MX", PlacesLeft: 4, Fictional: true,
					Wage:     &onward.Wage{MinMinor: 368000, MaxMinor: 404000, Currency: "MXN", Period: onward.PerWeek},
					StartsOn: date(5, 14), ClosesOn: date(5, 2),
				},
				Explanation: onward.Explanation{
					SkillBasis: onward.SkillsCoded, SkillConfidence: 1,
					Skills: []onward.SkillPart{
						skill("lay bricks", true, 0.85, ""), skill("lay concrete blocks", true, 0.92, ""), skill("mix mortar and plaster", true, 0.85, ""),
						skill("measure and level on site", true, 0.78, ""), skill("set out building works from plans", false, 0.5, ""),
						skill("place and finish concrete", true, 0.4, "lay concrete blocks"), skill("build roof frames", false, 0, ""),
					},
					ReachParts: []onward.ReachPart{{PlaceID: 1, Place: "Guadalajara, Jalisco, MX", Probability: 0.58, Access: 1}},
					Gates: []onward.GateResult{
						{Gate: onward.GateVetted, State: onward.GateUnknown, Facts: []onward.Fact{{Code: onward.FactNotVetted, State: onward.GateUnknown}}},
						{Gate: onward.GateDocuments, State: onward.GateUnknown, Facts: []onward.Fact{{Code: onward.FactDocumentHeld, State: onward.GateYes, Document: onward.NationalID}, {Code: onward.FactDocumentNotKnown, State: onward.GateUnknown, Document: onward.ProofOfAddress}}},
					},
				},
			},
			{
				Rank: 2, Score: 0.31, Fit: 0.69, Reach: 0.45, Terms: 1,
				Opportunity: onward.OpportunitySummary{
					Kind: onward.Cooperative, Title: onward.Text{"es": "Cooperativa de construcción y vivienda", "en": "Building and housing cooperative"},
					Organisation: "Federación de Cooperativas Milpa Común (ficticia)", PlaceID: 6, Place: "Tlaquepaque, Jalisco, MX", PlacesLeft: 1, Fictional: true,
					Wage: &onward.Wage{MinMinor: 1120000, MaxMinor: 1120000, Currency: "MXN", Period: onward.PerMonth}, ClosesOn: date(4, 8),
				},
				Explanation: onward.Explanation{
					SkillBasis: onward.SkillsFromOccupation, SkillConfidence: 0.8,
					Skills:     []onward.SkillPart{skill("lay concrete blocks", true, 0.92, ""), skill("estimate quantities of building materials", true, 0, ""), skill("build foundations", true, 0, "")},
					ReachParts: []onward.ReachPart{{PlaceID: 1, Place: "Guadalajara, Jalisco, MX", Probability: 0.58, Access: 0.76, DistanceKm: 6.9}},
					Gates:      []onward.GateResult{{Gate: onward.GateAge, State: onward.GateUnknown, Facts: []onward.Fact{{Code: onward.FactAgeLimit, State: onward.GateUnknown, From: 18}, {Code: onward.FactAgeUnknown, State: onward.GateUnknown}}}},
				},
			},
			{
				Rank: 3, Score: 0.24, Fit: 0.49, Reach: 0.49, Terms: 1,
				Opportunity: onward.OpportunitySummary{
					Kind: onward.EnterpriseGrant, Title: onward.Text{"es": "Herramienta y capital para cuadrilla de construcción", "en": "Tools and capital for a building crew"},
					Organisation: "Fondo Semilla Migrante (ficticio)", PlaceID: 7, Place: "Cholula, Puebla, MX", PlacesLeft: 12, Fictional: true,
					Wage:     &onward.Wage{MinMinor: 34_000_00, MaxMinor: 58_000_00, Currency: "MXN", Period: onward.PerYear},
					StartsOn: date(6, 1), ClosesOn: date(5, 20),
				},
				Explanation: onward.Explanation{
					SkillBasis: onward.SkillsCoded, SkillConfidence: 1, Skills: []onward.SkillPart{skill("build foundations", true, 0.3, "lay concrete blocks")},
					ReachParts: []onward.ReachPart{{PlaceID: 1, Place: "Guadalajara, Jalisco, MX", Probability: 0.58, Access: 0.5, DistanceKm: 560}},
				},
			},
			{
				Rank: 4, Score: 0.12, Fit: 0.24, Reach: 0.97, Terms: 0.52,
				Opportunity: onward.OpportunitySummary{
					Kind: onward.Training, Title: onward.Text{"es": "Habilidades digitales y de oficina (60 horas)", "en": "Digital and office skills (60 hours)"},
					Organisation: "Escuela Nueva Ruta (ficticia)", Remote: true, PlacesLeft: 29, Fictional: true,
				},
				Explanation: onward.Explanation{SkillBasis: onward.SkillsNone, SkillConfidence: 0.24},
			},
		},
		NearMisses: []onward.NearMiss{
			{
				WouldRank: 2, Score: 0.42, Gate: onward.GateDocuments, Missing: []string{"tax_number"}, AlsoOpens: 3,
				Facts: []onward.Fact{{Code: onward.FactDocumentHeld, State: onward.GateYes, Document: onward.NationalID}, {Code: onward.FactDocumentLate, State: onward.GateNo, Document: onward.TaxNumber, Date: onward.NewDate(2026, 4, 16)}},
				Opportunity: onward.OpportunitySummary{
					Kind: onward.Job, Title: onward.Text{"es": "Media cuchara", "en": "Bricklayer, second grade"},
					Organisation: "Instalaciones El Faro (ficticia)", Place: "Zapopan, Jalisco, MX", Fictional: true,
				},
			},
			{
				WouldRank: 3, Score: 0.4, Gate: onward.GateDocuments, Missing: []string{"driving_licence"}, Facts: []onward.Fact{{Code: onward.FactDocumentMissing, State: onward.GateNo, Document: onward.DrivingLicence}},
				Opportunity: onward.OpportunitySummary{
					Kind: onward.Job, Title: onward.Text{"es": "Oficial albañil – cuadrilla móvil", "en": "Skilled bricklayer – mobile crew"},
					Organisation: "Constructora Tres Nogales (ficticia)", Place: "Tonalá, Jalisco, MX", Fictional: true,
				},
			},
			{
				WouldRank: 3, Score: 0.3, Gate: onward.GateLanguage, Missing: []string{"en:B2"}, Facts: []onward.Fact{{Code: onward.FactLanguageLevel, State: onward.GateNo, Language: "en", Needed: "B2", Has: "B1"}},
				Opportunity: onward.OpportunitySummary{
					Kind: onward.Job, Title: onward.Text{"es": "Agente bilingüe de atención telefónica (trabajo remoto)", "en": "Bilingual call centre agent (remote)"},
					Organisation: "Línea Puente Bilingüe (ficticia)", Remote: true, Fictional: true,
				},
			},
		},
	}
	person := onward.Returnee{ReturneeDetails: onward.ReturneeDetails{
		ExternalID: "CASE-0001", Country: "MX", Identity: onward.Identity{GivenName: "Ramiro", FamilyName: "Tzintzun Magaña"},
		BirthDate: date(3, 14).AddDays(-37 * 365), ReturnedOn: onward.NewDate(2025, time.December, 18),
		Experience: []onward.Experience{{OccupationID: "bricklayer", Years: 6}, {OccupationID: "own-home builder", Years: 2.5, UnseenUnpaid: true}},
		Languages:  []onward.LanguageSkill{{Language: "es", Level: "C2"}, {Language: "en", Level: "B1"}},
		Places: []onward.PersonPlace{
			{PlaceID: 2, Relation: onward.PlaceOrigin},
			{PlaceID: 3, Relation: onward.PlaceCurrent},
			{PlaceID: 1, Relation: onward.PlaceKin},
			{PlaceID: 1, Relation: onward.PlaceIntended},
		},
		Documents: []onward.PersonDocument{
			{Kind: onward.NationalID, Status: onward.DocumentHeld},
			{Kind: onward.TaxNumber, Status: onward.DocumentApplied, ExpectedOn: date(4, 16)},
			{Kind: onward.DrivingLicence, Status: onward.DocumentMissing},
		},
	}}
	return demo.ListView{
		Request: onward.ReferralRequest{Status: onward.RequestReady, List: &list}, Person: person,
		Language: language, Width: width, Fictional: true, Look: &look, Label: func(id string) string { return id },
	}
}

func printed(t *testing.T, v demo.ListView) string {
	t.Helper()
	var b bytes.Buffer
	if err := demo.PrintList(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestListLooksAsInTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		language string
		width    int
		look     demo.Look
	}{
		{"en", 100, demo.Look{}},
		{"en", 120, demo.Look{}},
		{"es", 120, demo.Look{Unicode: true}},
		{"es", 160, demo.Look{Unicode: true}},
		{"en", 72, demo.Look{}},
		{"es", 80, demo.Look{Unicode: true}},
	} {
		name := fmt.Sprintf("list_%s_%d.golden", c.language, c.width)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := printed(t, view(c.language, c.width, c.look))
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path) //nolint:gosec // our own file
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the list looks different (-update rewrites the file):\n%s", got)
			}
		})
	}
}

func TestNoLineIsWiderThanThePage(t *testing.T) {
	t.Parallel()
	for width := 40; width <= 170; width++ {
		for _, language := range []string{"en", "es"} {
			for s := range strings.SplitSeq(printed(t, view(language, width, demo.Look{Unicode: true, Colour: true})), "\n") {
				if n := text.StringWidthWithoutEscSequences(s); n > min(width, 160) {
					t.Fatalf("%s, %d columns: a line of %d: %q", language, width, n, s)
				}
			}
		}
	}
}

func TestNothingIsCut(t *testing.T) {
	t.Parallel()
	v := view("en", 0, demo.Look{})
	for _, width := range []int{40, 72, 100, 160} {
		v.Width = width
		flat := strings.Join(strings.Fields(printed(t, v)), "")
		for _, r := range v.Request.List.Referrals {
			for word := range strings.FieldsSeq(strings.ReplaceAll(r.Opportunity.Title["en"], "–", "-")) {
				if !strings.Contains(flat, word) {
					t.Errorf("%d columns: %q of %q is not there", width, word, r.Opportunity.Title["en"])
				}
			}
		}
	}
}

func TestPlainLookHasNoColoursAndOnlyLettersBeyondASCII(t *testing.T) {
	t.Parallel()
	for _, r := range printed(t, view("es", 120, demo.Look{})) {
		if r == '\x1b' || (r > 127 && !strings.ContainsRune("áéíóúñÁÉÍÓÚÑüº", r)) {
			t.Errorf("%q is there", r)
		}
	}
	if !strings.Contains(printed(t, view("es", 120, demo.Look{Colour: true})), "\x1b[") {
		t.Error("colours are asked for and not there")
	}
	if look := demo.LookFor(&bytes.Buffer{}); look != (demo.Look{}) {
		t.Errorf("a buffer looks like %+v", look)
	}
}

func TestAListThatIsNotThereSaysWhy(t *testing.T) {
	t.Parallel()
	v := view("en", 100, demo.Look{})
	v.Request = onward.ReferralRequest{Status: onward.RequestQueued}
	if got := printed(t, v); !strings.Contains(got, "still being made") {
		t.Error(got)
	}
	v.Request = onward.ReferralRequest{Status: onward.RequestRefused, Refusal: "the consent ended"}
	if got := printed(t, v); !strings.Contains(got, "There is no list: the consent ended") {
		t.Error(got)
	}
	v = view("en", 100, demo.Look{})
	v.Request.List.Referrals, v.Request.List.Degraded = nil, "elasticsearch does not answer"
	if got := printed(t, v); !strings.Contains(got, "No open opportunity") || !strings.Contains(got, "elasticsearch does not answer") {
		t.Error(got)
	}
}

func TestFictionIsSaidAboveAndBelow(t *testing.T) {
	t.Parallel()
	for _, width := range []int{80, 120} {
		v := view("en", width, demo.Look{})
		if n := strings.Count(printed(t, v), "DEMONSTRATION"); n != 2 {
			t.Errorf("said %d times", n)
		}
		v.Fictional = false
		if got := printed(t, v); strings.Contains(got, "DEMONSTRATION") {
			t.Error("a real list is said to be fictional")
		}
	}
}
