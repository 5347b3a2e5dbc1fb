package onward

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
)

// Questionnaire is a set of questions as data: any scale, in any language. A version is never changed; a new one is published.
type Questionnaire struct {
	Code       string      `json:"code" pattern:"^[a-z][a-z0-9-]{1,60}$"`
	Version    int         `json:"version" minimum:"1"`
	Title      Text        `json:"title"`
	Note       Text        `json:"note,omitempty" doc:"What it is, and what it is not"`
	Dimensions []Dimension `json:"dimensions,omitempty" doc:"Without, nothing is scored"`
	Items      []Item      `json:"items"`
}

// QuestionnaireRef names one version.
type QuestionnaireRef struct {
	Code    string `json:"code"`
	Version int    `json:"version"`
}

// Dimension is a part that has an index of its own.
type Dimension struct {
	ID     string  `json:"id"`
	Title  Text    `json:"title"`
	Weight float64 `json:"weight" exclusiveMinimum:"0" doc:"In the index of the whole"`
}

// ScaleKind says how an item is answered.
type ScaleKind string

// The scales.
const (
	ScaleYesNo  ScaleKind = "yes_no"
	ScaleLikert ScaleKind = "likert" // 1 to Max
	ScaleNumber ScaleKind = "number" // Min to Max
	ScaleChoice ScaleKind = "choice"
	ScaleText   ScaleKind = "text" // never scored
)

// Choice is one answer to choose.
type ItemChoice struct {
	Value string   `json:"value"`
	Text  Text     `json:"text"`
	Score *float64 `json:"score,omitempty" minimum:"0" maximum:"1" doc:"Empty: not scored, such as does not apply"`
}

// Item is one question.
type Item struct {
	ID        string       `json:"id"`
	Dimension string       `json:"dimension,omitempty" doc:"Empty: not scored"`
	Text      Text         `json:"text"`
	Scale     ScaleKind    `json:"scale" enum:"yes_no,likert,number,choice,text"`
	Min       float64      `json:"min,omitempty" doc:"Of a number"`
	Max       float64      `json:"max,omitempty" doc:"Of a number; how many steps a likert has"`
	Choices   []ItemChoice `json:"choices,omitempty"`
	Weight    float64      `json:"weight,omitempty" minimum:"0" doc:"In its dimension; 0: 1"`
	Reverse   bool         `json:"reverse,omitempty" doc:"The highest answer is the worst"`
	Alerts    []AlertRule  `json:"alerts,omitempty"`
}

// AlertRule raises an alert for an answer.
type AlertRule struct {
	Answers []string  `json:"answers" doc:"Any of these"`
	Kind    AlertKind `json:"kind"`
}

// Scores are indices from 0 (worst) to 1. What was hardly answered has none.
type Scores struct {
	Index      *float64           `json:"index,omitempty" doc:"Of the whole; empty when a dimension has none"`
	Dimensions map[string]float64 `json:"dimensions,omitempty" doc:"Those of which enough was answered"`
	Answered   float64            `json:"answered" doc:"Share of the scored items, by weight, that was answered"`
}

// enoughAnswered is the share of a dimension, by weight, that has to be answered for an index: with less it says more about who
// answers than about how they are. Judgement.
const enoughAnswered = 0.6

// mostNumber bounds the answers of a number, so that their difference is one as well.
const mostNumber = 1_000_000_000_000

func (i Item) weight() float64 {
	if i.Weight == 0 {
		return 1
	}
	return i.Weight
}

// score is where an answer is on the scale, 0 to 1; ok is false when it isn't scored.
func (i Item) score(answer string) (s float64, ok bool) {
	switch i.Scale {
	case ScaleYesNo:
		s = map[string]float64{"yes": 1}[answer]
	case ScaleLikert, ScaleNumber:
		low := i.Min
		if i.Scale == ScaleLikert {
			low = 1
		}
		n, err := strconv.ParseFloat(answer, 64)
		if err != nil {
			return 0, false
		}
		s = min(max((n-low)/(i.Max-low), 0), 1)
	case ScaleChoice:
		for _, c := range i.Choices {
			if c.Value == answer && c.Score != nil {
				s, ok = *c.Score, true
			}
		}
		if !ok {
			return 0, false
		}
	case ScaleText:
		return 0, false
	}
	if i.Reverse {
		s = 1 - s
	}
	return s, true
}

// validateAnswer checks one answer.
func (i Item) validateAnswer(v *validator, field, answer string) {
	switch i.Scale {
	case ScaleYesNo:
		oneOf(v, field, answer, []string{"yes", "no"})
	case ScaleLikert:
		n, err := strconv.Atoi(answer)
		if err != nil || n < 1 || n > int(i.Max) {
			v.add(field, "range", "use a whole number from 1 to %d", int(i.Max))
		}
	case ScaleNumber:
		n, err := strconv.ParseFloat(answer, 64)
		if err != nil || !(n >= i.Min && n <= i.Max) {
			v.add(field, "range", "use a number from %v to %v", i.Min, i.Max)
		}
	case ScaleChoice:
		values := make([]string, len(i.Choices))
		for k, c := range i.Choices {
			values[k] = c.Value
		}
		oneOf(v, field, answer, values)
	case ScaleText:
		v.text(field, answer, 0, 2000)
	}
}

// ValidateAnswers checks answers, item by item. None is required: unknown is not zero.
func (q Questionnaire) ValidateAnswers(answers map[string]string) error {
	v := newValidator()
	unknown := len(answers)
	for _, i := range q.Items {
		if answer, ok := answers[i.ID]; ok {
			unknown--
			i.validateAnswer(v, "answers."+i.ID, answer)
		}
	}
	if unknown > 0 {
		v.add("answers", "unknown_item", "%d answers are to no item of %s version %d; GET /v1/questionnaires/%s shows its items", unknown, q.Code, q.Version, q.Code)
	}
	return v.err()
}

// Score works out the indices of answers: in a dimension the mean of what was answered, by weight; over all the mean of the
// dimensions, by weight.
func (q Questionnaire) Score(answers map[string]string) *Scores {
	if len(q.Dimensions) == 0 {
		return nil
	}
	s := &Scores{Dimensions: map[string]float64{}}
	var whole, weights, allAnswered, all float64
	complete := true
	for _, d := range q.Dimensions {
		var sum, answered, total float64
		for _, i := range q.Items {
			if i.Dimension != d.ID {
				continue
			}
			total += i.weight()
			if answer, ok := answers[i.ID]; ok {
				if score, ok := i.score(answer); ok {
					sum += i.weight() * score
					answered += i.weight()
				}
			}
		}
		allAnswered, all = allAnswered+answered, all+total
		if answered == 0 || answered/total < enoughAnswered {
			complete = false
			continue
		}
		s.Dimensions[d.ID] = sum / answered
		whole += d.Weight * sum / answered
		weights += d.Weight
	}
	if all > 0 {
		s.Answered = allAnswered / all
	}
	if complete && weights > 0 {
		index := whole / weights
		s.Index = &index
	}
	return s
}

// Findings are the kinds of alert that answers raise, each once.
func (q Questionnaire) Findings(answers map[string]string) []AlertKind {
	var kinds []AlertKind
	for _, i := range q.Items {
		answer, ok := answers[i.ID]
		if !ok {
			continue
		}
		for _, rule := range i.Alerts {
			if slices.Contains(rule.Answers, answer) && !slices.Contains(kinds, rule.Kind) {
				kinds = append(kinds, rule.Kind)
			}
		}
	}
	return kinds
}

// Validate checks a questionnaire that is to be published.
func (q Questionnaire) Validate() error {
	v := newValidator()
	v.slug("code", q.Code)
	v.localised("title", q.Title, true, 200)
	v.localised("note", q.Note, false, 2000)
	v.count("dimensions", len(q.Dimensions), 20)
	distinct(v, "dimensions", q.Dimensions, "id", func(d Dimension) string { return d.ID })
	dimensions := make([]string, len(q.Dimensions))
	for i, d := range q.Dimensions {
		field := fmt.Sprintf("dimensions[%d].", i)
		dimensions[i] = d.ID
		v.slug(field+"id", d.ID)
		v.localised(field+"title", d.Title, true, 200)
		if !(d.Weight > 0 && d.Weight <= 100) {
			v.add(field+"weight", "range", "use a weight above 0, at most 100")
		}
		if !slices.ContainsFunc(q.Items, func(i Item) bool { return i.Dimension == d.ID }) {
			v.add(field+"id", "empty", "no item belongs to it; add one or leave it out")
		}
	}
	if len(q.Items) == 0 {
		v.add("items", "required", "add at least one item")
	}
	v.count("items", len(q.Items), 200)
	distinct(v, "items", q.Items, "id", func(i Item) string { return i.ID })
	for k, i := range q.Items {
		i.validate(v, fmt.Sprintf("items[%d].", k), dimensions)
	}
	return v.err()
}

func (i Item) validate(v *validator, field string, dimensions []string) {
	v.slug(field+"id", i.ID)
	v.localised(field+"text", i.Text, true, 1000)
	oneOf(v, field+"scale", i.Scale, []ScaleKind{ScaleYesNo, ScaleLikert, ScaleNumber, ScaleChoice, ScaleText})
	if i.Dimension != "" {
		oneOf(v, field+"dimension", i.Dimension, dimensions)
		if i.Scale == ScaleText {
			v.add(field+"dimension", "scale", "a text is not scored; leave its dimension out")
		}
	}
	if !(i.Weight >= 0 && i.Weight <= 100) {
		v.add(field+"weight", "range", "use a weight from 0 to 100")
	}
	switch i.Scale {
	case ScaleLikert:
		if i.Max != math.Trunc(i.Max) || i.Max < 2 || i.Max > 11 {
			v.add(field+"max", "range", "use 2 to 11 steps")
		}
	case ScaleNumber:
		if !(i.Max > i.Min && i.Min >= -mostNumber && i.Max <= mostNumber) {
			v.add(field+"max", "range", "use a number above min, both from -%d to %d", mostNumber, mostNumber)
		}
	case ScaleChoice:
		if len(i.Choices) < 2 || len(i.Choices) > 50 {
			v.add(field+"choices", "count", "give 2 to 50 choices")
		}
		distinct(v, field+"choices", i.Choices, "value", func(c ItemChoice) string { return c.Value })
		for k, c := range i.Choices {
			v.slug(fmt.Sprintf("%schoices[%d].value", field, k), c.Value)
			v.localised(fmt.Sprintf("%schoices[%d].text", field, k), c.Text, true, 300)
			if c.Score != nil && !(*c.Score >= 0 && *c.Score <= 1) {
				v.add(fmt.Sprintf("%schoices[%d].score", field, k), "range", "use a score from 0 to 1, or leave it out")
			}
		}
	case ScaleYesNo, ScaleText:
	}
	for k, rule := range i.Alerts {
		oneOf(v, fmt.Sprintf("%salerts[%d].kind", field, k), rule.Kind, AlertKinds())
		for _, answer := range rule.Answers {
			i.validateAnswer(v, fmt.Sprintf("%salerts[%d].answers", field, k), answer)
		}
	}
}

//go:embed questionnaires/*.json
var questionnaireFiles embed.FS

// BuiltinQuestionnaires are those that Onward brings along, in the languages of the service. They are examples to start from:
// an organisation publishes versions of its own under the same codes.
var BuiltinQuestionnaires = sync.OnceValue(func() []Questionnaire {
	entries, err := questionnaireFiles.ReadDir("questionnaires")
	if err != nil {
		panic(err) // embedded, so that a test finds it
	}
	list := make([]Questionnaire, len(entries))
	for i, entry := range entries {
		raw, err := questionnaireFiles.ReadFile("questionnaires/" + entry.Name())
		if err == nil {
			err = json.Unmarshal(raw, &list[i])
		}
		if err != nil {
			panic(fmt.Sprintf("%s: %v", entry.Name(), err))
		}
	}
	return list
})
