package demo_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"onward"
	"onward/cmd/onward/internal/demo"
	"onward/internal/reference"
)

var today = onward.NewDate(2026, time.March, 2)

// load reads the reference data once: it is the same for all tests.
var load = sync.OnceValues(func() (fixture, error) {
	var f fixture
	var err error
	if f.places, err = reference.Places(); err != nil {
		return f, err
	}
	if f.taxonomy, err = reference.Starter(); err != nil {
		return f, err
	}
	f.vocabulary = vocabulary{skills: map[string]bool{}, occupations: map[string]bool{}, places: map[onward.PlaceID]onward.Place{}}
	for _, c := range f.taxonomy.Concepts {
		f.vocabulary.skills[c.ID] = c.Kind.IsSkill()
		f.vocabulary.occupations[c.ID] = c.Kind == onward.ConceptOccupation
	}
	for _, p := range f.places {
		f.vocabulary.places[p.ID] = p
	}
	f.caseload, err = demo.Generate(1, today, f.places, f.taxonomy)
	return f, err
})

type fixture struct {
	places     []onward.Place
	taxonomy   onward.Taxonomy
	vocabulary vocabulary
	caseload   demo.Caseload
}

// vocabulary answers what exists in the reference data.
type vocabulary struct {
	skills, occupations map[string]bool
	places              map[onward.PlaceID]onward.Place
}

func (v vocabulary) HasSkill(id string) bool      { return v.skills[id] }
func (v vocabulary) HasOccupation(id string) bool { return v.occupations[id] }
func (v vocabulary) Place(id onward.PlaceID) (onward.Place, bool) {
	p, ok := v.places[id]
	return p, ok
}
func (v vocabulary) SuggestSkills(string) []onward.Suggestion      { return nil }
func (v vocabulary) SuggestOccupations(string) []onward.Suggestion { return nil }
func (v vocabulary) SuggestPlaces(string) []onward.Suggestion      { return nil }

func setup(t testing.TB) fixture {
	t.Helper()
	f, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEverythingPassesValidation(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, o := range f.caseload.Organisations {
		if err := o.Validate(); err != nil {
			t.Errorf("organisation %s: %v", o.Slug, err)
		}
		for _, u := range o.Users {
			u.OrganisationID = onward.NewID()
			if err := u.Validate(); err != nil {
				t.Errorf("user %s of %s: %v", u.Email, o.Slug, err)
			}
		}
	}
	for _, o := range f.caseload.Opportunities {
		if err := o.Details.Validate(today, f.vocabulary); err != nil {
			t.Errorf("opportunity %s: %v", o.Details.ExternalID, err)
		}
	}
	for _, r := range f.caseload.Returnees {
		if err := r.Validate(today, f.vocabulary); err != nil {
			t.Errorf("returnee %s: %v", r.ExternalID, err)
		}
	}
}

func TestSameSeedAndDayGiveTheSameCaseload(t *testing.T) {
	t.Parallel()
	f := setup(t)
	again, err := demo.Generate(1, today, f.places, f.taxonomy)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, f.caseload) {
		t.Error("the second caseload is another one")
	}
	other, err := demo.Generate(2, today, f.places, f.taxonomy)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(other.Returnees[1], f.caseload.Returnees[1]) || reflect.DeepEqual(other.Opportunities[0], f.caseload.Opportunities[0]) {
		t.Error("another seed gives the same people or openings")
	}
}

func TestEveryYearsMinimumWageHolds(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, day := range []onward.Date{onward.NewDate(2025, time.June, 1), onward.NewDate(2026, time.December, 31)} {
		c, err := demo.Generate(3, day, f.places, f.taxonomy)
		if err != nil {
			t.Fatal(err)
		}
		general, border := 278.80, 419.88
		if !day.Before(onward.NewDate(2026, time.January, 1)) {
			general, border = 315.04, 440.87
		}
		for _, o := range c.Opportunities {
			d := o.Details
			if d.Wage == nil || (d.Kind != onward.Job && d.Kind != onward.CashForWork) {
				continue
			}
			perDay := general
			if place := f.vocabulary.places[d.PlaceID]; place.Admin1Name == "Baja California" || place.Name == "Ciudad Juárez" || place.Name == "Reynosa" {
				perDay = border
			}
			lowest := onward.Wage{MinMinor: d.Wage.MinMinor, MaxMinor: d.Wage.MinMinor, Period: d.Wage.Period}
			// A full week of six days is paid as seven; below 40 hours the wage is for the hours.
			hours := *d.HoursPerWeek
			least := perDay * 7 * 365.25 / 12 / 7
			if hours < 40 {
				least *= hours / 48
			}
			if d.Wage.Period == onward.PerDay {
				least = perDay * 7 * 365.25 / 12 / 7 // pay by the day is for whole days
			}
			if got := lowest.MonthlyMinor(hours) / 100; got < least-0.5 {
				t.Errorf("%s %s, %v h: pays %.0f a month, the minimum is %.0f", d.ExternalID, d.Title["en"], hours, got, least)
			}
		}
	}
}

func TestTheCaseloadIsAsLargeAsPromised(t *testing.T) {
	t.Parallel()
	c := setup(t).caseload
	if n := len(c.Returnees); n < 300 {
		t.Errorf("%d returnees", n)
	}
	if n := len(c.Opportunities); n < 3000 {
		t.Errorf("%d opportunities", n)
	}
	if n := len(c.Organisations); n < 40 {
		t.Errorf("%d organisations", n)
	}
	kinds := map[onward.Kind]int{}
	for _, o := range c.Opportunities {
		kinds[o.Details.Kind]++
	}
	for _, k := range onward.Kinds() {
		if kinds[k] < 100 {
			t.Errorf("%d of kind %s", kinds[k], k)
		}
	}
	organisationKinds := map[onward.OrganisationKind]int{}
	roles := map[onward.Role]int{}
	posts := map[string]int{}
	for _, o := range c.Opportunities {
		posts[o.Organisation]++
	}
	idle := 0
	slugs, addresses := map[string]bool{}, map[string]bool{}
	for _, o := range c.Organisations {
		organisationKinds[o.Kind]++
		if slugs[o.Slug] {
			t.Errorf("slug %s twice", o.Slug)
		}
		slugs[o.Slug] = true
		if len(o.Users) == 0 {
			t.Errorf("%s has no users", o.Slug)
		}
		for _, u := range o.Users {
			roles[u.Role]++
			if addresses[u.Email] {
				t.Errorf("address %s twice", u.Email)
			}
			addresses[u.Email] = true
			if !strings.HasSuffix(u.Email, "@example.org") && !strings.HasSuffix(u.Email, ".example") {
				t.Errorf("address %s could be someone's", u.Email)
			}
		}
		if posts[o.Slug] == 0 && o.Kind != onward.Agency {
			idle++
		}
	}
	if idle > 1 {
		t.Errorf("%d organisations post nothing", idle)
	}
	for slug := range posts {
		if !slugs[slug] {
			t.Errorf("opportunities of %s, which is no organisation", slug)
		}
	}
	for _, k := range onward.OrganisationKinds() {
		if organisationKinds[k] == 0 {
			t.Errorf("no organisation of kind %s", k)
		}
	}
	for _, r := range onward.Roles() {
		if roles[r] == 0 {
			t.Errorf("no user with the role %s", r)
		}
	}
	if !slugs[c.Agency] {
		t.Errorf("the main agency %q is no organisation", c.Agency)
	}
}

func TestIDsAreDistinctAndNamesSayThatTheyAreFictional(t *testing.T) {
	t.Parallel()
	c := setup(t).caseload
	seen := map[string]bool{}
	once := func(id string) {
		if id == "" || seen[id] {
			t.Errorf("external id %q is empty or twice there", id)
		}
		seen[id] = true
	}
	spotlight := false
	for _, r := range c.Returnees {
		once(r.ExternalID)
		spotlight = spotlight || r.ExternalID == c.Spotlight
		if r.Identity.GivenName == "" || r.Identity.FamilyName == "" {
			t.Errorf("%s has no name", r.ExternalID)
		}
		if r.Identity.Phone != "" && !strings.HasPrefix(r.Identity.Phone, "+52 55 5555 ") {
			t.Errorf("%s has the phone number %s", r.ExternalID, r.Identity.Phone)
		}
		if r.Identity.Email != "" && !strings.HasSuffix(r.Identity.Email, "@example.org") {
			t.Errorf("%s has the address %s", r.ExternalID, r.Identity.Email)
		}
		if r.Identity.Notes != "" {
			t.Errorf("%s has notes", r.ExternalID)
		}
	}
	if !spotlight {
		t.Errorf("the spotlight %q is nobody", c.Spotlight)
	}
	for _, o := range c.Opportunities {
		once(o.Details.ExternalID)
	}
	for _, o := range c.Organisations {
		if !o.Fictional || !(strings.HasSuffix(o.Name, " (ficticia)") || strings.HasSuffix(o.Name, " (ficticio)")) {
			t.Errorf("%s is not said to be fictional", o.Name)
		}
	}
}

func TestOpeningsAreInSpanishAndEnglish(t *testing.T) {
	t.Parallel()
	titles := map[string]int{}
	c := setup(t).caseload
	for _, o := range c.Opportunities {
		for name, text := range map[string]onward.Text{"title": o.Details.Title, "description": o.Details.Description} {
			if len(text) != 2 || text["es"] == "" || text["en"] == "" {
				t.Errorf("%s: %s is %v", o.Details.ExternalID, name, text)
			}
			for _, s := range text {
				if strings.Contains(s, "%!") || strings.Contains(s, "  ") || strings.Contains(s, " .") || strings.Contains(s, "..") {
					t.Errorf("%s: %s reads %q", o.Details.ExternalID, name, s)
				}
			}
		}
		titles[o.Details.Title["es"]]++
	}
	if len(titles) < 900 {
		t.Errorf("%d different titles for %d openings", len(titles), len(c.Opportunities))
	}
}

func TestTheWrongTaxonomyIsRefused(t *testing.T) {
	t.Parallel()
	f := setup(t)
	_, err := demo.Generate(1, today, f.places, onward.Taxonomy{})
	if onward.CodeOf(err) != onward.EInvalid || !strings.Contains(err.Error(), "bricklayer") {
		t.Errorf("error is %v", err)
	}
	if _, err = demo.Generate(1, today, nil, f.taxonomy); onward.CodeOf(err) != onward.EInvalid {
		t.Errorf("error is %v", err)
	}
}

func BenchmarkGenerate(b *testing.B) {
	f := setup(b)
	for b.Loop() {
		if _, err := demo.Generate(1, today, f.places, f.taxonomy); err != nil {
			b.Fatal(err)
		}
	}
}
