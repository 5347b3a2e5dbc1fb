// Package modelcard says what the model is: what goes into a score and what never does, by which versions and data, how well it does, what it
// can't do, who may decide otherwise, and how a person objects. Whatever can be derived from code or from the database is; the words are in one
// file a language. The form follows Mitchell and others 2019, "Model cards for model reporting".
package modelcard

import (
	"cmp"
	"slices"
	"time"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

// Facts are what a card takes from a running system.
type Facts struct {
	Taxonomy string   // the loaded release; empty: not known here
	Fitted   []Fitted // the versions in use that were learned from residences
	Contact  string   // whom to write to about the model; empty: the agency alone
}

// Fitted is a version of the likely destination that was learned from residences and is in use.
type Fitted struct {
	Country   string
	Name      string
	CreatedAt time.Time
	Version   destination.Version
}

// Card is the model card in one language.
type Card struct {
	Name       string         `json:"name"`
	Language   string         `json:"language"`
	Summary    string         `json:"summary"`
	Versions   Versions       `json:"versions"`
	Use        []string       `json:"intended_use"`
	NotUse     []string       `json:"not_intended_use"`
	Formula    []string       `json:"formula"`
	Reading    []string       `json:"reading" doc:"How to read the formula"`
	Inputs     []Input        `json:"inputs" doc:"Everything that is read of a person, an opening, a request or an organisation"`
	Never      []NeverInput   `json:"never_inputs"`
	Proof      []string       `json:"proof" doc:"The tests that hold inputs and what is never one against the code"`
	Fits       []Coefficients `json:"likely_destination" doc:"The coefficients in use, by country; the one without a country holds everywhere else"`
	Measured   []Measure      `json:"measured"`
	Limits     []string       `json:"known_limits"`
	Overrides  []Override     `json:"overrides" doc:"Who may decide otherwise, and where that is recorded"`
	Objection  []string       `json:"objection" doc:"What a person can do who does not agree"`
	Contact    string         `json:"contact,omitempty"`
	References []string       `json:"references"`

	words words
}

// Versions are what a list depends on besides its inputs; each list names its own.
type Versions struct {
	Score    string `json:"score" doc:"Formulas and constants"`
	Taxonomy string `json:"taxonomy,omitempty" doc:"The loaded release of skills and occupations"`
}

// Input is something that is read, and what it moves.
type Input struct {
	Of    string   `json:"of" enum:"person,opening,request,organisation"`
	Field string   `json:"field" doc:"As the API names it"`
	Moves []string `json:"moves" doc:"selects, fit, reach, terms, gates, order or words"`
	What  string   `json:"what"`
	Reads []string `json:"read_as,omitempty" doc:"The fields of the matcher that hold it"`
}

// NeverInput is something on which no score rests.
type NeverInput struct {
	What     string `json:"what"`
	Recorded string `json:"recorded,omitempty" doc:"The field in which it is kept, for other purposes; empty: it is not asked for at all"`
}

// Coefficients are those of the likely destination in one country, and what they rest on.
type Coefficients struct {
	Country       string             `json:"country,omitempty"`
	Version       string             `json:"version"`
	Basis         string             `json:"basis" enum:"priors,flows,residences"`
	What          string             `json:"what" doc:"The basis in words"`
	FittedOn      *time.Time         `json:"fitted_on,omitempty"`
	People        int                `json:"people,omitempty" doc:"Whose residences it was fitted on"`
	Dropped       int                `json:"dropped,omitempty" doc:"People seen where no place of the model is near"`
	Against       string             `json:"against,omitempty" doc:"The version in use before"`
	Gain          float64            `json:"gain,omitempty" doc:"What it predicts better than that one, on people whom neither was fitted on: nats a person"`
	StandardError float64            `json:"gain_standard_error,omitempty"`
	Table         []destination.Row  `json:"table"`
	Errors        map[string]float64 `json:"standard_errors,omitempty"`
}

// Measure is a figure that was measured, with how to measure it again.
type Measure struct {
	What     string `json:"what"`
	Value    string `json:"value"`
	Beside   string `json:"beside,omitempty" doc:"What simpler ways reach, or what was aimed at"`
	Command  string `json:"command"`
	Document string `json:"document"`
}

// Override is something that people decide, not the model.
type Override struct {
	What      string        `json:"what"`
	Operation string        `json:"operation" doc:"Of the API"`
	Roles     []onward.Role `json:"roles"`
	Recorded  string        `json:"recorded" doc:"Where it is recorded"`
}

// Formula is the score, as ARCHITECTURE.md has it.
var formula = []string{
	"score = fit x reach x terms                   in [0, 1]",
	"fit   = sum_s w_s u_s / sum_s w_s             s over the opportunity's skills",
	"w_s = idf(s) x (1 essential | 0.35 optional);  u_s = max over the person's skills t of strength(t) x related(t, s)",
	"reach = sum_c P(c | person) access(c, opportunity) + P(abroad) portability(opportunity)",
	"access = 1 remote or same place, exp(-d/lambda) within commuting distance, a floor with housing or relocation",
	"terms = weighted mean of the known soft preferences; what is unknown is left out of the mean",
	"order = score x 0.85^(openings of the same organisation that score higher)",
}

// proof are the tests that the card rests on; one of them looks for them all.
var proof = []string{
	"matcher.TestTheCardNamesEveryInput", "matcher.TestWhatTheCardCallsNoInputMovesNothing", "matcher.TestNothingThatIdentifiesChangesAnything", "matcher.TestWhatAnOpeningShowsMovesNoScore", "store.TestParityAttributesAreKeptApart",
}

// New is the card in a language of the service; English for another one.
func New(f Facts, language string) Card {
	w := wordsIn(language)
	c := Card{
		Name: "Onward", Language: w.language, Summary: w.say("summary"), Versions: Versions{Score: matcher.Version, Taxonomy: f.Taxonomy},
		Use: w.list("use"), NotUse: w.list("not_use"), Formula: formula, Reading: w.list("reading"), Proof: proof, Fits: fits(f.Fitted, w),
		Measured: measured(w), Limits: w.list("limit"), Overrides: overrides(w), Objection: w.list("objection"), Contact: f.Contact,
		References: []string{"ARCHITECTURE.md", "docs/decisions/0004-score.md", "docs/decisions/0009-destination.md", "docs/decisions/0011-simulation.md", "docs/decisions/0026-model-governance.md", "docs/benchmarks.md"},
		words:      w,
	}
	for _, i := range inputs {
		for _, field := range i.fields {
			c.Inputs = append(c.Inputs, Input{Of: i.of, Field: field, Moves: i.moves, What: w.say("input." + i.what), Reads: i.reads})
		}
	}
	for _, n := range never {
		c.Never = append(c.Never, NeverInput{What: w.say("never." + n.what), Recorded: n.recorded})
	}
	return c
}

// fits are the coefficients in use: what was learned here, what comes with the program, and the priors for everywhere else.
func fits(fitted []Fitted, w words) []Coefficients {
	list := []Coefficients{{Version: destination.Priors().Version, Basis: "priors", What: w.say("basis.priors"), Table: destination.Priors().Table()}}
	learned := map[string]bool{}
	for _, f := range fitted {
		learned[f.Country] = true
		created := f.CreatedAt
		list = append(list, Coefficients{
			Country: f.Country, Version: f.Name, Basis: "residences", What: w.say("basis.residences"), FittedOn: &created, People: f.Version.People, Dropped: f.Version.Dropped,
			Against: f.Version.Against, Gain: f.Version.Comparison.Gain, StandardError: f.Version.Comparison.StandardError,
			Table: destination.NewCoefficients(f.Name, f.Country, f.Version.Values).Table(), Errors: f.Version.Errors,
		})
	}
	for _, country := range destination.FittedCountries() {
		if c, ok := destination.FittedCoefficients(country); ok && !learned[country] {
			list = append(list, Coefficients{Country: country, Version: c.Version, Basis: "flows", What: w.say("basis.flows"), Table: c.Table()})
		}
	}
	slices.SortFunc(list, func(a, b Coefficients) int { return cmp.Compare(a.Country, b.Country) })
	return list
}

// figures are from docs/benchmarks.md and the decisions, against which a test holds them.
var figures = []struct{ what, value, beside, besideFigure, command, document string }{
	{"retained", "+17.0 % (11.0 to 23.6)", "aim", "+40 %", "onward simulate --seed 1", "docs/decisions/0011-simulation.md"},
	{"retained_small", "+4.5 % (-5.2 to 16.5)", "aim", "+40 %", "onward simulate --seed 1 --returnees 100", "docs/decisions/0011-simulation.md"},
	{"oracle", "69.0 %", "aim", "85 %", "onward simulate --seed 1", "docs/decisions/0011-simulation.md"},
	{"worst_world", "-2.8 % (-7.0 to 1.8)", "", "", "onward simulate --seed 1 --all-worlds", "docs/decisions/0011-simulation.md"},
	{"related", ".397", "popularity", ".036", "onward evaluate relatedness", "docs/decisions/0008-linking.md"},
	{"transfer", "from .50 to .35", "", "", "onward evaluate destination", "docs/decisions/0009-destination.md"},
}

func measured(w words) (list []Measure) {
	for _, f := range figures {
		m := Measure{What: w.say("measured." + f.what), Value: f.value, Command: f.command, Document: f.document}
		if f.beside != "" {
			m.Beside = w.say("beside."+f.beside) + " " + f.besideFigure
		}
		list = append(list, m)
	}
	return list
}

func overrides(w words) (list []Override) {
	for _, o := range []struct{ what, operation string }{
		{"choice", "create-referral"},
		{"off_list", "create-referral"},
		{"destination", "create-referral-request"},
		{"gates", "update-returnee"},
		{"vetting", "record-opportunity-checks"},
		{"safety", "update-returnee"},
		{"coefficients", ""},
	} {
		row := Override{What: w.say("override." + o.what), Operation: o.operation, Roles: []onward.Role{}, Recorded: w.say("recorded." + o.what)}
		for _, role := range onward.Roles() {
			if onward.MayCall(o.operation, role) {
				row.Roles = append(row.Roles, role)
			}
		}
		list = append(list, row)
	}
	return list
}
