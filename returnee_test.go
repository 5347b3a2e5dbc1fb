package onward_test

import (
	"slices"
	"testing"

	"onward"
)

func returnee() onward.ReturneeDetails {
	return onward.ReturneeDetails{
		Country: "MX", Skills: []onward.ReturneeSkill{{SkillID: "skill/lay-bricks", Level: onward.LevelWorking}},
		Places:   []onward.PersonPlace{{PlaceID: 1, Relation: onward.PlaceOrigin}},
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: today}},
	}
}

func TestAReturneeIsRefusedForEachThingThatIsWrong(t *testing.T) {
	t.Parallel()
	nine := 9
	money := int64(-1)
	for name, c := range map[string]struct {
		change func(*onward.ReturneeDetails)
		want   []string
	}{
		"nothing wrong":         {func(*onward.ReturneeDetails) {}, nil},
		"no country":            {func(r *onward.ReturneeDetails) { r.Country = "" }, []string{"country country"}},
		"born tomorrow":         {func(r *onward.ReturneeDetails) { r.BirthDate = today.AddDays(1) }, []string{"birth_date range"}},
		"level 5":               {func(r *onward.ReturneeDetails) { r.Skills[0].Level = 5 }, []string{"skills[0].level range"}},
		"used next year":        {func(r *onward.ReturneeDetails) { r.Skills[0].LastUsedYear = 2027 }, []string{"skills[0].last_used_year range"}},
		"two communities":       {func(r *onward.ReturneeDetails) { r.Places = append(r.Places, r.Places[0]) }, []string{"places[1].relation duplicate"}},
		"unknown place":         {func(r *onward.ReturneeDetails) { r.Places[0].PlaceID = 5 }, []string{"places[0].place_id unknown_place"}},
		"told in the future":    {func(r *onward.ReturneeDetails) { r.Places[0].RecordedOn = today.AddDays(1) }, []string{"places[0].recorded_on future"}},
		"education 9":           {func(r *onward.ReturneeDetails) { r.Education = &nine }, []string{"education range"}},
		"wants less than none":  {func(r *onward.ReturneeDetails) { r.Preferences.ReservationMinor = &money }, []string{"preferences.reservation_minor range", "preferences.currency currency"}},
		"consent from tomorrow": {func(r *onward.ReturneeDetails) { r.Consents[0].GivenOn = today.AddDays(1) }, []string{"consents[0].given_on date"}},
		"experience of nothing": {func(r *onward.ReturneeDetails) { r.Experience = []onward.Experience{{}} }, []string{"experience[0].occupation_id required"}},
		"undated intention": {func(r *onward.ReturneeDetails) {
			r.Intention = &onward.OnwardIntention{Intention: onward.IntendsToStay}
		}, []string{"onward_intention.recorded_on date"}},
		"danger without bounds": {func(r *onward.ReturneeDetails) {
			r.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: 1, RadiusKm: 9999}}
		}, []string{"safety.excluded_places[0].radius_km range"}},
		"document of no kind": {func(r *onward.ReturneeDetails) { r.Documents = []onward.PersonDocument{{Status: onward.DocumentHeld}} }, []string{"documents[0].kind required"}},
		"notes with a NUL":    {func(r *onward.ReturneeDetails) { r.Identity.Notes = "\x00" }, []string{"identity.notes characters"}},
	} {
		r := returnee()
		c.change(&r)
		if got := fieldsOf(r.Validate(today, words{})); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestConsentHoldsFromItsDayUntilItEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		consent onward.Consent
		active  bool
	}{
		"given today":      {onward.Consent{GivenOn: today}, true},
		"given tomorrow":   {onward.Consent{GivenOn: today.AddDays(1)}, false},
		"expires today":    {onward.Consent{GivenOn: today.AddDays(-9), ExpiresOn: today}, true},
		"expired":          {onward.Consent{GivenOn: today.AddDays(-9), ExpiresOn: today.AddDays(-1)}, false},
		"withdrawn":        {onward.Consent{GivenOn: today.AddDays(-9), WithdrawnOn: today}, false},
		"never given":      {onward.Consent{}, false},
		"another purpose":  {onward.Consent{Purpose: onward.ConsentFollowUp, GivenOn: today}, false},
		"expires in a way": {onward.Consent{GivenOn: today, ExpiresOn: today.AddDays(30)}, true},
	} {
		if c.consent.Purpose == "" {
			c.consent.Purpose = onward.ConsentMatching
		}
		r := onward.ReturneeDetails{Consents: []onward.Consent{c.consent}}
		if got := r.HasConsent(onward.ConsentMatching, today); got != c.active {
			t.Errorf("%s: active %v, want %v", name, got, c.active)
		}
	}
}

func TestAStatedDestinationMustAddUpAndSayWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options onward.RequestOptions
		want    []string
	}{
		"none":         {onward.RequestOptions{}, nil},
		"adds up":      {onward.RequestOptions{Destination: []onward.LikelyPlace{{PlaceID: 1, Probability: .7}, {Probability: .3}}, DestinationReason: "she says so"}, nil},
		"too little":   {onward.RequestOptions{Destination: []onward.LikelyPlace{{PlaceID: 1, Probability: .7}}, DestinationReason: "x"}, []string{"destination sum"}},
		"no reason":    {onward.RequestOptions{Destination: []onward.LikelyPlace{{PlaceID: 1, Probability: 1}}}, []string{"destination_reason required"}},
		"place twice":  {onward.RequestOptions{Destination: []onward.LikelyPlace{{PlaceID: 1, Probability: .5}, {PlaceID: 1, Probability: .5}}, DestinationReason: "x"}, []string{"destination[1].place_id duplicate"}},
		"out of range": {onward.RequestOptions{Destination: []onward.LikelyPlace{{PlaceID: 1, Probability: 2}, {Probability: -1}}, DestinationReason: "x"}, []string{"destination[0].probability range", "destination[1].probability range"}},
		"list of 101":  {onward.RequestOptions{Limit: 101}, []string{"limit range"}},
		"in Latin":     {onward.RequestOptions{Language: "la"}, []string{"language one_of"}},
	} {
		if got := fieldsOf(c.options.Validate(words{})); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
