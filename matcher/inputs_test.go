package matcher_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/modelcard"
)

// leaves are the fields of a type as JSON names them, those of records within it too.
func leaves(of reflect.Type, before string) (names []string) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch kind := f.Type; {
		case kind.Kind() == reflect.Struct && kind != reflect.TypeFor[onward.Date]():
			names = append(names, leaves(kind, before+name+".")...)
		default:
			names = append(names, before+name)
		}
	}
	return names
}

// rowsOf are the rows of the card about something, by field.
func rowsOf(t *testing.T, of string) map[string]modelcard.Input {
	t.Helper()
	rows := map[string]modelcard.Input{}
	for _, i := range modelcard.New(modelcard.Facts{}, "en").Inputs {
		if i.Of != of {
			continue
		}
		if _, twice := rows[i.Field]; twice {
			t.Errorf("%s has two rows", i.Field)
		}
		rows[i.Field] = i
	}
	return rows
}

func TestTheCardNamesEveryInput(t *testing.T) {
	t.Parallel()
	for of, kind := range map[string]reflect.Type{
		"person": reflect.TypeFor[onward.ReturneeDetails](), "request": reflect.TypeFor[onward.RequestOptions](), "opening": reflect.TypeFor[matcher.Opening](),
	} {
		rows := rowsOf(t, of)
		fields := leaves(kind, "")
		if of == "opening" {
			fields = openingFields(kind)
		}
		for _, f := range fields {
			if _, ok := rows[f]; !ok {
				t.Errorf("the %s has a field %s: say in matcher/modelcard/inputs.go what it moves, or that it moves nothing", of, f)
			}
			delete(rows, f)
		}
		for f := range rows {
			t.Errorf("the card names %s of the %s, which there is not", f, of)
		}
	}
	read := map[string]bool{}
	for _, i := range modelcard.New(modelcard.Facts{}, "en").Inputs {
		for _, r := range i.Reads {
			read[r] = true
		}
	}
	for prefix, kind := range map[string]reflect.Type{"Person.": reflect.TypeFor[matcher.Person](), "destination.Person.": reflect.TypeFor[destination.Person]()} {
		for i := range kind.NumField() {
			name := prefix + kind.Field(i).Name
			if !read[name] {
				t.Errorf("no row of the card says what fills %s", name)
			}
			delete(read, name)
		}
	}
	for name := range read {
		t.Errorf("the card names %s, which there is not", name)
	}
}

// openingFields are those of an opening without records within it: wage and skills are one thing each.
func openingFields(kind reflect.Type) (names []string) {
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// otherwise are profiles in which one field alone is different.
var otherwise = map[string]func(*onward.ReturneeDetails){
	"skills":     func(r *onward.ReturneeDetails) { r.Skills = r.Skills[:1] },
	"experience": func(r *onward.ReturneeDetails) { r.Experience = []onward.Experience{{OccupationID: "tiler", Years: 9}} },
	"languages":  func(r *onward.ReturneeDetails) { r.Languages = []onward.LanguageSkill{{Language: "es", Level: "A1"}} },
	"documents": func(r *onward.ReturneeDetails) {
		r.Documents = []onward.PersonDocument{{Kind: onward.NationalID, Status: onward.DocumentMissing}}
	},
	"birth_date":                      func(r *onward.ReturneeDetails) { r.BirthDate = today().AddDays(-16 * 366) },
	"preferences.kinds":               func(r *onward.ReturneeDetails) { r.Preferences.Kinds = []onward.Kind{onward.Training} },
	"preferences.reservation_minor":   func(r *onward.ReturneeDetails) { r.Preferences.ReservationMinor = ptr(int64(3_000_000)) },
	"preferences.currency":            func(r *onward.ReturneeDetails) { r.Preferences.Currency = "USD" },
	"preferences.hours_per_week":      func(r *onward.ReturneeDetails) { r.Preferences.HoursPerWeek = ptr(10.0) },
	"preferences.needs_childcare":     func(r *onward.ReturneeDetails) { r.Preferences.NeedsChildcare = ptr(true) },
	"preferences.max_commute_minutes": func(r *onward.ReturneeDetails) { r.Preferences.MaxCommuteMinutes = ptr(15) },
	"available_from":                  func(r *onward.ReturneeDetails) { r.AvailableFrom = today().AddDays(200) },
	"places":                          func(r *onward.ReturneeDetails) { r.Places = r.Places[:1] },
	"onward_intention": func(r *onward.ReturneeDetails) {
		r.Intention = &onward.OnwardIntention{Intention: onward.IntendsToGoAbroad, RecordedOn: today().AddDays(-9)}
	},
	"returned_on":                   func(r *onward.ReturneeDetails) { r.ReturnedOn = today().AddDays(-2000) },
	"country":                       func(r *onward.ReturneeDetails) { r.Country = "GT" },
	"safety.excluded_places":        func(r *onward.ReturneeDetails) { r.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: puebla}} },
	"safety.excluded_organisations": func(r *onward.ReturneeDetails) { r.Safety.ExcludedOrganisations = []onward.ID{id(201)} },
	"safety.protection":             func(r *onward.ReturneeDetails) { r.Safety.Protection = true },
	"consents":                      func(r *onward.ReturneeDetails) { r.Consents = nil },
	"language":                      func(r *onward.ReturneeDetails) { r.Language = "nah" },
	"external_id":                   func(r *onward.ReturneeDetails) { r.ExternalID = "case-7" },
	"parity": func(r *onward.ReturneeDetails) {
		r.Parity = &onward.ParityAttributes{Sex: "female", Disability: "yes", Return: "forced", Origin: "rural"}
	},
	"education":                  func(r *onward.ReturneeDetails) { r.Education = ptr(8) },
	"household.adults":           func(r *onward.ReturneeDetails) { r.Household.Adults = ptr(4) },
	"household.children":         func(r *onward.ReturneeDetails) { r.Household.Children = ptr(5) },
	"household.capital_minor":    func(r *onward.ReturneeDetails) { r.Household.CapitalMinor = ptr(int64(9)) },
	"household.currency":         func(r *onward.ReturneeDetails) { r.Household.Currency = "MXN" },
	"identity.given_name":        func(r *onward.ReturneeDetails) { r.Identity.GivenName = "A" },
	"identity.family_name":       func(r *onward.ReturneeDetails) { r.Identity.FamilyName = "B" },
	"identity.sex":               func(r *onward.ReturneeDetails) { r.Identity.Sex = "female" },
	"identity.phone":             func(r *onward.ReturneeDetails) { r.Identity.Phone = "1" },
	"identity.email":             func(r *onward.ReturneeDetails) { r.Identity.Email = "a@b.c" },
	"identity.notes":             func(r *onward.ReturneeDetails) { r.Identity.Notes = "n" },
	"identity.alternate_contact": func(r *onward.ReturneeDetails) { r.Identity.AlternateContact = &onward.AlternateContact{Name: "C"} },
}

// TestWhatTheCardCallsNoInputMovesNothing changes each field of a profile alone: what the card calls an input has to move a list, and all the rest nothing.
func TestWhatTheCardCallsNoInputMovesNothing(t *testing.T) {
	t.Parallel()
	model := destination.NewModel(gazetteer(), destination.Priors())
	openings := []matcher.Opening{
		post(1, puebla, func(o *onward.Opportunity) {
			o.Wage = &onward.Wage{MinMinor: 900_000, MaxMinor: 1_000_000, Currency: "MXN", Period: onward.PerMonth}
			o.HoursPerWeek, o.Childcare, o.StartsOn = ptr(45.0), ptr(false), today().AddDays(20)
			o.Documents = []onward.DocumentKind{onward.NationalID}
			o.Languages = []onward.LanguageNeed{{Language: "es", Level: "B1", Essential: true}}
		}),
		post(2, cholula, func(o *onward.Opportunity) {
			o.OrganisationID, o.Vetting, o.Hazardous = id(201), onward.VettingUnknown, true
			o.Skills = []onward.OpportunitySkill{{SkillID: "tiles", Essential: true}, {SkillID: "safety"}}
		}),
		post(3, 0, func(o *onward.Opportunity) { o.Remote, o.RemoteAbroad = true, true }),
		post(4, village),
	}
	list := func(change func(*onward.ReturneeDetails)) string {
		profile := mason(func(r *onward.ReturneeDetails) {
			r.Preferences = onward.Preferences{ReservationMinor: ptr(int64(1_500_000)), Currency: "MXN"}
			r.Places = append(r.Places, onward.PersonPlace{PlaceID: oaxaca, Relation: onward.PlaceCurrent})
			r.ReturnedOn = today().AddDays(-30)
		})
		if change != nil {
			change(&profile)
		}
		person := matcher.NewPerson(profile, taxonomy(), today())
		reach := matcher.NewReach(model.Predict(destination.NewPerson(profile), today()), gazetteer(), person)
		result := matcher.Rank(person, reach, openings, matcher.Options{Today: today(), Language: "en"})
		text, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	plain := list(nil)
	moved := 0
	for field, row := range rowsOf(t, "person") {
		change, ok := otherwise[field]
		if !ok {
			t.Errorf("change %s in this test, and see what moves", field)
			continue
		}
		moves := list(change) != plain
		input := len(row.Moves) > 0 && !slices.Equal(row.Moves, []string{"words"})
		if moves != input {
			t.Errorf("%s moves a list: %v; the card says %v", field, moves, row.Moves)
		}
		if moves {
			moved++
		}
	}
	if moved < 15 {
		t.Errorf("only %d fields moved a list", moved)
	}
}

// TestWhatAnOpeningShowsMovesNoScore changes what the card calls words, and nothing but the words changes.
func TestWhatAnOpeningShowsMovesNoScore(t *testing.T) {
	t.Parallel()
	s := setUp(mason())
	base := func() []matcher.Opening {
		return []matcher.Opening{post(1, puebla), post(2, cholula), post(3, village)}
	}
	scores := func(openings []matcher.Opening) (list []float64) {
		for _, r := range s.rank(openings...).Referrals {
			list = append(list, r.Score, r.Variety, float64(r.Opportunity.ID[15]))
		}
		return list
	}
	plain := scores(base())
	for field, row := range rowsOf(t, "opening") {
		if !slices.Equal(row.Moves, []string{"words"}) {
			continue
		}
		openings := base()
		o := &openings[1]
		switch field {
		case "organisation":
			o.Organisation = "Another"
		case "title":
			o.Title = onward.Text{"en": "Cook"}
		case "place":
			o.Place = "Elsewhere"
		case "version":
			o.Version = 99
		case "fictional":
			o.Fictional = true
		default:
			t.Errorf("change %s in this test, and see that nothing moves", field)
		}
		if !slices.Equal(scores(openings), plain) {
			t.Errorf("%s is said to be words alone, and moves a score", field)
		}
	}
}
