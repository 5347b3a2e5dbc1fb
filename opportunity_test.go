package onward_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"onward"
)

var today = onward.MustParseDate("2026-03-10")

// words is a vocabulary of one skill, one occupation and one place.
type words struct{}

func (words) HasSkill(id string) bool      { return id == "skill/lay-bricks" }
func (words) HasOccupation(id string) bool { return id == "occupation/bricklayer" }
func (words) Place(id onward.PlaceID) (onward.Place, bool) {
	return onward.Place{ID: id, Name: "Morelia"}, id == 1
}

func (words) SuggestSkills(string) []onward.Suggestion {
	return []onward.Suggestion{{ID: "skill/lay-bricks", Label: "lay bricks"}}
}
func (words) SuggestOccupations(string) []onward.Suggestion { return nil }
func (words) SuggestPlaces(string) []onward.Suggestion      { return nil }

func bricklaying() onward.OpportunityDetails {
	return onward.OpportunityDetails{
		Kind: onward.Job, Title: onward.Text{"es": "Albañil"}, PlaceID: 1, Capacity: 2,
		Skills: []onward.OpportunitySkill{{SkillID: "skill/lay-bricks", Essential: true}},
	}
}

func fieldsOf(err error) []string {
	var names []string
	for _, f := range onward.FieldsOf(err) {
		names = append(names, f.Field+" "+f.Rule)
	}
	return names
}

func TestAnOpportunityIsRefusedForEachThingThatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	hours := 0.0
	for name, c := range map[string]struct {
		change func(*onward.OpportunityDetails)
		want   []string
	}{
		"nothing wrong":              {func(*onward.OpportunityDetails) {}, nil},
		"no kind":                    {func(o *onward.OpportunityDetails) { o.Kind = "" }, []string{"kind required"}},
		"unknown kind":               {func(o *onward.OpportunityDetails) { o.Kind = "gig" }, []string{"kind one_of"}},
		"no title":                   {func(o *onward.OpportunityDetails) { o.Title = nil }, []string{"title required"}},
		"empty title":                {func(o *onward.OpportunityDetails) { o.Title["en"] = "" }, []string{"title.en required"}},
		"NUL in the title":           {func(o *onward.OpportunityDetails) { o.Title["es"] = "a\x00b" }, []string{"title.es characters"}},
		"invalid UTF-8":              {func(o *onward.OpportunityDetails) { o.Title["es"] = "a\xff" }, []string{"title.es utf8"}},
		"title too long":             {func(o *onward.OpportunityDetails) { o.Title["es"] = strings.Repeat("ñ", 201) }, []string{"title.es length"}},
		"unknown skill":              {func(o *onward.OpportunityDetails) { o.Skills[0].SkillID = "x" }, []string{"skills[0].skill_id unknown_skill"}},
		"the same skill twice":       {func(o *onward.OpportunityDetails) { o.Skills = append(o.Skills, o.Skills[0]) }, []string{"skills[1].skill_id duplicate"}},
		"unknown occupation":         {func(o *onward.OpportunityDetails) { o.OccupationID = "x" }, []string{"occupation_id unknown_occupation"}},
		"unknown place":              {func(o *onward.OpportunityDetails) { o.PlaceID = 7 }, []string{"place_id unknown_place"}},
		"no place, not remote":       {func(o *onward.OpportunityDetails) { o.PlaceID = 0 }, []string{"place_id required"}},
		"no place, remote":           {func(o *onward.OpportunityDetails) { o.PlaceID, o.Remote = 0, true }, nil},
		"abroad but not remote":      {func(o *onward.OpportunityDetails) { o.RemoteAbroad = true }, []string{"remote_abroad inconsistent"}},
		"negative capacity":          {func(o *onward.OpportunityDetails) { o.Capacity = -1 }, []string{"capacity range"}},
		"ages the wrong way round":   {func(o *onward.OpportunityDetails) { o.MinAge, o.MaxAge = 30, 20 }, []string{"max_age range"}},
		"no hours":                   {func(o *onward.OpportunityDetails) { o.HoursPerWeek = &hours }, []string{"hours_per_week range"}},
		"closing date in the past":   {func(o *onward.OpportunityDetails) { o.ClosesOn = today.AddDays(-1) }, []string{"closes_on past"}},
		"closes today":               {func(o *onward.OpportunityDetails) { o.ClosesOn = today }, nil},
		"starts before it closes":    {func(o *onward.OpportunityDetails) { o.ClosesOn, o.StartsOn = today.AddDays(9), today.AddDays(8) }, []string{"starts_on order"}},
		"starts the day it closes":   {func(o *onward.OpportunityDetails) { o.ClosesOn, o.StartsOn = today.AddDays(9), today.AddDays(9) }, nil},
		"language level that is not": {func(o *onward.OpportunityDetails) { o.Languages = []onward.LanguageNeed{{Language: "en", Level: "B9"}} }, []string{"languages[0].level one_of"}},
		"wage upside down": {func(o *onward.OpportunityDetails) {
			o.Wage = &onward.Wage{MinMinor: 2, MaxMinor: 1, Currency: "pesos", Period: "fortnight"}
		}, []string{"wage.max_minor range", "wage.currency currency", "wage.period one_of"}},
	} {
		o := bricklaying()
		c.change(&o)
		err := o.Validate(today, words{})
		if got := fieldsOf(err); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if (err != nil) != (len(c.want) > 0) || (err != nil && onward.CodeOf(err) != onward.EInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMessageNeverRepeatsTheValue(t *testing.T) {
	t.Parallel()
	const marker = "MARKER4711"
	o := bricklaying()
	o.Kind, o.Skills[0].SkillID, o.OccupationID = marker, marker, marker
	o.Languages = []onward.LanguageNeed{{Language: marker, Level: marker}}
	o.Documents = []onward.DocumentKind{marker}
	o.Wage = &onward.Wage{Currency: marker, Period: marker}
	err := o.Validate(today, words{})
	if err == nil || strings.Contains(err.Error(), marker) {
		t.Errorf("want errors without the values, got %v", err)
	}
	r := onward.ReturneeDetails{Country: marker, Language: marker, Identity: onward.Identity{Sex: marker, Email: marker}}
	if err := r.Validate(today, words{}); err == nil || strings.Contains(err.Error(), marker) {
		t.Errorf("want errors without the values, got %v", err)
	}
}

func TestAnUnknownSkillComesWithSuggestions(t *testing.T) {
	t.Parallel()
	o := bricklaying()
	o.Skills[0].SkillID = "skill/lay-brick"
	fields := onward.FieldsOf(o.Validate(today, words{}))
	if len(fields) != 1 || len(fields[0].Suggestions) != 1 || fields[0].Suggestions[0].Label != "lay bricks" {
		t.Errorf("no suggestion: %+v", fields)
	}
}

func TestAnOpportunityMovesOnlyAlongItsTable(t *testing.T) {
	t.Parallel()
	want := map[string]onward.OpportunityStatus{
		"draft publish": onward.OpportunityOpen, "paused publish": onward.OpportunityOpen, "open pause": onward.OpportunityPaused,
		"draft close": onward.OpportunityClosed, "open close": onward.OpportunityClosed, "paused close": onward.OpportunityClosed,
	}
	statuses := []onward.OpportunityStatus{onward.OpportunityDraft, onward.OpportunityOpen, onward.OpportunityPaused, onward.OpportunityClosed}
	for _, status := range statuses {
		for _, event := range []onward.OpportunityEvent{onward.EventPublish, onward.EventPause, onward.EventClose, "burn"} {
			next, err := status.Next(event)
			to, allowed := want[string(status)+" "+string(event)]
			switch {
			case allowed && (err != nil || next != to):
				t.Errorf("%s + %s: %s, %v, want %s", status, event, next, err, to)
			case !allowed && (onward.CodeOf(err) != onward.EConflict || next != status):
				t.Errorf("%s + %s: %s, %v, want a conflict and no change", status, event, next, err)
			}
		}
	}
}

func TestAClosedOpportunityStaysClosed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		status := onward.OpportunityDraft
		closed := false
		for _, event := range rapid.SliceOf(rapid.SampledFrom([]onward.OpportunityEvent{onward.EventPublish, onward.EventPause, onward.EventClose})).Draw(t, "events") {
			status, _ = status.Next(event)
			closed = closed || status == onward.OpportunityClosed
			if closed && status != onward.OpportunityClosed {
				t.Fatalf("it opened again by %s", event)
			}
		}
	})
}

func TestPayIsComparedByTheMonth(t *testing.T) {
	t.Parallel()
	for period, want := range map[onward.WagePeriod]float64{
		onward.PerHour: 100 * 40 * 4.348125, onward.PerDay: 100 * 6 * 4.348125, onward.PerWeek: 100 * 4.348125, onward.PerMonth: 100, onward.PerYear: 100.0 / 12,
	} {
		got := onward.Wage{MinMinor: 50, MaxMinor: 150, Period: period}.MonthlyMinor(40)
		if got < want-1e-9 || got > want+1e-9 {
			t.Errorf("per %s: %v a month, want %v", period, got, want)
		}
	}
}

func TestATextFallsBackToEnglishAndThenToWhatThereIs(t *testing.T) {
	t.Parallel()
	text := onward.Text{"es": "albañil", "en": "bricklayer", "fr": "maçon"}
	if got := text.In("fr"); got != "maçon" {
		t.Errorf("fr: %s", got)
	}
	if got := text.In("ar"); got != "bricklayer" {
		t.Errorf("ar: %s", got)
	}
	if got := (onward.Text{"fr": "maçon", "es": "albañil"}).In("ar"); got != "albañil" {
		t.Errorf("no English: %s", got)
	}
}
