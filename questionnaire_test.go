package onward

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func builtin(t testing.TB, code string) Questionnaire {
	t.Helper()
	i := slices.IndexFunc(BuiltinQuestionnaires(), func(q Questionnaire) bool { return q.Code == code })
	if i < 0 {
		t.Fatalf("no questionnaire %s", code)
	}
	return BuiltinQuestionnaires()[i]
}

func TestBuiltinQuestionnairesAreValidAndWholeInEveryLanguage(t *testing.T) {
	if len(BuiltinQuestionnaires()) < 2 {
		t.Fatal("too few")
	}
	whole := func(where string, text Text) {
		for _, code := range ServiceLanguages() {
			if text[code] == "" {
				t.Errorf("%s is not there in %s", where, code)
			}
		}
	}
	for _, q := range BuiltinQuestionnaires() {
		if err := q.Validate(); err != nil {
			t.Errorf("%s: %v", q.Code, err)
		}
		whole(q.Code, q.Title)
		whole(q.Code+" note", q.Note)
		for _, d := range q.Dimensions {
			whole(d.ID, d.Title)
		}
		for _, i := range q.Items {
			whole(i.ID, i.Text)
			for _, c := range i.Choices {
				whole(i.ID+" "+c.Value, c.Text)
			}
		}
	}
	for _, p := range []CheckInPurpose{AsksPlacement, AsksSustainability} {
		builtin(t, p.QuestionnaireOf())
	}
}

func TestAnIndexByHand(t *testing.T) {
	half := 0.5
	q := Questionnaire{
		Dimensions: []Dimension{{ID: "a", Weight: 1}, {ID: "b", Weight: 3}},
		Items: []Item{
			{ID: "1", Dimension: "a", Scale: ScaleLikert, Max: 5},
			{ID: "2", Dimension: "a", Scale: ScaleLikert, Max: 5, Reverse: true, Weight: 3},
			{ID: "3", Dimension: "b", Scale: ScaleChoice, Choices: []ItemChoice{{Value: "x", Score: &half}, {Value: "none"}}},
			{ID: "4", Dimension: "b", Scale: ScaleNumber, Min: 10, Max: 20, Weight: 0.5},
			{ID: "5", Scale: ScaleYesNo, Alerts: []AlertRule{{Answers: []string{"yes"}, Kind: AlertViolence}}},
		},
	}
	s := q.Score(map[string]string{"1": "5", "2": "4", "3": "x", "5": "yes"})
	a, b := (1+3*0.25)/4, 0.5
	if s.Index == nil || math.Abs(*s.Index-(a+3*b)/4) > 1e-12 || math.Abs(s.Dimensions["a"]-a) > 1e-12 || math.Abs(s.Answered-5/5.5) > 1e-12 {
		t.Errorf("%+v %v", s, s.Index)
	}
	if s := q.Score(map[string]string{"1": "5", "3": "none", "4": "20"}); s.Index != nil || len(s.Dimensions) != 0 {
		t.Errorf("hardly anything was answered: %+v", s)
	}
	if got := q.Findings(map[string]string{"5": "yes"}); !slices.Equal(got, []AlertKind{AlertViolence}) {
		t.Errorf("findings %v", got)
	}
	for answer, field := range map[string]string{"1": "answers.1", "3": "answers.3", "4": "answers.4", "5": "answers.5"} {
		err := q.ValidateAnswers(map[string]string{answer: "99"})
		if fields := FieldsOf(err); len(fields) != 1 || fields[0].Field != field {
			t.Errorf("item %s: %v", answer, err)
		}
	}
	if CodeOf(q.ValidateAnswers(map[string]string{"9": "1"})) != EInvalid {
		t.Error("an answer to no item is taken")
	}
}

// TestTheIndexIsBoundedAndRisesWithEachAnswer: whatever was left out.
func TestTheIndexIsBoundedAndRisesWithEachAnswer(t *testing.T) {
	q := builtin(t, "reintegration-sustainability")
	rapid.Check(t, func(t *rapid.T) {
		answers := map[string]string{}
		for _, i := range q.Items {
			if n := rapid.IntRange(0, 5).Draw(t, i.ID); n > 0 {
				answers[i.ID] = strconv.Itoa(n)
			}
		}
		s := q.Score(answers)
		for d, value := range s.Dimensions {
			if !(value >= 0 && value <= 1) {
				t.Fatalf("%s is %v", d, value)
			}
		}
		if len(answers) == 0 || s.Index == nil {
			return
		}
		item := rapid.SampledFrom(q.Items).Draw(t, "item")
		n, err := strconv.Atoi(answers[item.ID])
		if err != nil || n == 5 {
			return
		}
		answers[item.ID] = strconv.Itoa(n + 1)
		after := q.Score(answers)
		if rises := *after.Index > *s.Index; rises == item.Reverse {
			t.Fatalf("%s from %d to %d moves the index from %v to %v", item.ID, n, n+1, *s.Index, *after.Index)
		}
	})
}

func TestACheckInIsGivenUpAfterEnoughAttempts(t *testing.T) {
	day := NewDate(2026, 3, 1)
	at := func(days int, outcome string) Attempt { return Attempt{At: day.AddDays(days).Time(), Outcome: outcome} }
	for name, c := range map[string]struct {
		attempts []Attempt
		enough   bool
	}{
		"none":                 {nil, false},
		"three in two days":    {[]Attempt{at(0, "no_answer"), at(1, "no_answer"), at(2, "no_answer")}, false},
		"two over a week":      {[]Attempt{at(0, "no_answer"), at(8, "no_answer")}, false},
		"three over a week":    {[]Attempt{at(7, "refused"), at(3, "no_answer"), at(0, "wrong_number")}, true},
		"reached, then silent": {[]Attempt{at(0, "reached"), at(3, "no_answer"), at(7, "no_answer")}, false},
	} {
		if err := MayBeMissed(c.attempts); (err == nil) != c.enough {
			t.Errorf("%s: %v", name, err)
		}
	}
}
