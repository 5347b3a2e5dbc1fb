package demo_test

import (
	"math"
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

// slug is the last part of an id of the starter taxonomy.
func slug(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

func TestTradesAreWhereTheyAreInMexico(t *testing.T) {
	t.Parallel()
	f := setup(t)
	coast := map[string]bool{
		"Sinaloa": true, "Sonora": true, "Baja California": true, "Baja California Sur": true, "Oaxaca": true, "Colima": true, "Veracruz": true,
		"Campeche": true, "Tamaulipas": true, "Yucatán": true, "Michoacán": true, "Guerrero": true, "Tabasco": true,
	}
	states := map[string]map[string]int{} // occupation -> state
	perPlace := map[string]int{}
	for _, o := range f.caseload.Opportunities {
		d := o.Details
		if d.PlaceID == 0 {
			if !d.Remote {
				t.Errorf("%s is nowhere", d.ExternalID)
			}
			continue
		}
		place := f.vocabulary.places[d.PlaceID]
		if place.Country != "MX" || place.Lat < 14 || place.Lat > 33 || place.Lon < -118 || place.Lon > -86 {
			t.Errorf("%s is in %s", d.ExternalID, place.Label())
		}
		perPlace[place.Name]++
		s := slug(d.OccupationID)
		if states[s] == nil {
			states[s] = map[string]int{}
		}
		states[s][place.Admin1Name]++
		if strings.HasSuffix(s, "-fisher") && !coast[place.Admin1Name] {
			t.Errorf("%s: %s in %s", d.ExternalID, d.Title["en"], place.Label())
		}
		if s == "footwear-machine-operator" && place.Admin1Name != "Guanajuato" && place.Admin1Name != "Jalisco" {
			t.Errorf("%s: %s in %s", d.ExternalID, d.Title["en"], place.Label())
		}
	}
	share := func(occupation string, where ...string) float64 {
		n, all := 0, 0
		for state, count := range states[occupation] {
			all += count
			for _, w := range where {
				if w == state {
					n += count
				}
			}
		}
		return float64(n) / math.Max(1, float64(all))
	}
	if s := share("electronics-assembler", "Baja California", "Chihuahua", "Tamaulipas", "Sonora", "Coahuila", "Jalisco", "Nuevo León"); s < 0.7 {
		t.Errorf("%.2f of electronics assembly is in the north and Jalisco", s)
	}
	if s := share("room-attendant", "Quintana Roo", "Jalisco", "Baja California Sur", "Guerrero", "Sinaloa", "Nayarit"); s < 0.4 {
		t.Errorf("%.2f of hotel work is on the coasts", s)
	}
	if s := share("fruit-picker", "Sinaloa", "Michoacán", "Chiapas", "Guanajuato", "Jalisco", "Sonora", "Zacatecas", "Veracruz", "Oaxaca", "Baja California"); s < 0.6 {
		t.Errorf("%.2f of harvest work is in farming states", s)
	}
	if len(states["bricklayer"]) < 15 {
		t.Errorf("bricklayers are wanted in %d states only", len(states["bricklayer"]))
	}
	if len(perPlace) < 150 {
		t.Errorf("openings in %d places only", len(perPlace))
	}
	if perPlace["Mexico City"] < perPlace["Morelia"] || perPlace["Morelia"] < 5 {
		t.Errorf("Mexico City has %d openings, Morelia %d", perPlace["Mexico City"], perPlace["Morelia"])
	}
}

func TestOpeningsAskForWhatSuchWorkNeeds(t *testing.T) {
	t.Parallel()
	c := setup(t).caseload
	has := func(d onward.OpportunityDetails, kinds ...onward.DocumentKind) bool {
		for _, have := range d.Documents {
			for _, k := range kinds {
				if have == k {
					return true
				}
			}
		}
		return false
	}
	vetted, uncoded, unknown, small, jobs := 0, 0, 0, 0, 0
	for _, o := range c.Opportunities {
		d := o.Details
		if d.Vetting == onward.VettingPassed {
			vetted++
			if d.VettedUntil.IsZero() {
				t.Errorf("%s was vetted without an end", d.ExternalID)
			}
		}
		if days := today.DaysUntil(d.ClosesOn); days < 10 || days > 120 {
			t.Errorf("%s closes in %d days", d.ExternalID, days)
		}
		if len(d.Skills) == 0 {
			uncoded++
			if d.OccupationID == "" {
				unknown++
			}
		}
		if d.Kind != onward.Job {
			continue
		}
		jobs++
		if d.Capacity <= 5 {
			small++
		}
		if len(d.Skills) > 8 {
			t.Errorf("%s asks for %d skills", d.ExternalID, len(d.Skills))
		}
		switch title := strings.ToLower(d.Title["en"]); {
		case strings.Contains(title, "delivery driver"), strings.Contains(title, "forklift"):
			if !has(d, onward.DrivingLicence) {
				t.Errorf("%s, %s, needs no licence", d.ExternalID, title)
			}
		case strings.Contains(title, "truck driver"), strings.Contains(title, "trailer driver"):
			if !has(d, onward.HeavyVehicleLicence) {
				t.Errorf("%s, %s, needs no heavy vehicle licence", d.ExternalID, title)
			}
		case strings.HasPrefix(title, "cook"), strings.HasPrefix(title, "baker"):
			if !has(d, onward.FoodHandlingCard, onward.HealthCard) {
				t.Errorf("%s, %s, needs no card", d.ExternalID, title)
			}
		case strings.Contains(title, "security guard"):
			if !has(d, onward.CriminalRecordCheck) {
				t.Errorf("%s, %s, needs no clean record", d.ExternalID, title)
			}
		case strings.HasPrefix(title, "bilingual call"):
			if len(d.Languages) == 0 || d.Languages[0].Language != "en" || !d.Languages[0].Essential {
				t.Errorf("%s, %s, needs no English", d.ExternalID, title)
			}
		}
	}
	within := func(what string, n, of int, low, high float64) {
		if share := float64(n) / float64(of); share < low || share > high {
			t.Errorf("%s: %.3f, not in [%v, %v]", what, share, low, high)
		}
	}
	within("vetted", vetted, len(c.Opportunities), 0.65, 0.78)
	within("no coded skills", uncoded, len(c.Opportunities), 0.05, 0.2)
	within("neither skills nor occupation", unknown, len(c.Opportunities), 0.003, 0.03)
	within("jobs for five people at most", small, jobs, 0.75, 1)
}

func TestTheCaseloadIsMixedAsReturneesAre(t *testing.T) {
	t.Parallel()
	f := setup(t)
	women, matching, noID, unpaid, elsewhere, protected, english := 0, 0, 0, 0, 0, 0, map[onward.CEFR]int{}
	for _, r := range f.caseload.Returnees {
		if r.Identity.Sex == "female" {
			women++
		}
		if r.HasConsent(onward.ConsentMatching, today) {
			matching++
		}
		if !r.BirthDate.IsZero() {
			if age := r.BirthDate.YearsUntil(today); age < 17 || age > 63 {
				t.Errorf("%s is %d", r.ExternalID, age)
			}
		}
		for _, d := range r.Documents {
			if d.Kind == onward.NationalID && d.Status != onward.DocumentHeld {
				noID++
			}
		}
		for _, e := range r.Experience {
			if e.UnseenUnpaid {
				unpaid++
				break
			}
		}
		for _, l := range r.Languages {
			if l.Language == "en" {
				english[l.Level]++
			}
		}
		if r.PlacesBy(onward.PlaceOrigin)[0].PlaceID != r.PlacesBy(onward.PlaceCurrent)[0].PlaceID {
			elsewhere++
		}
		if r.Safety.Protection || len(r.Safety.ExcludedPlaces) > 0 {
			protected++
		}
		if len(r.Skills) == 0 || len(r.Experience) == 0 {
			t.Errorf("%s can do nothing", r.ExternalID)
		}
	}
	within := func(what string, n int, low, high float64) {
		if share := float64(n) / float64(len(f.caseload.Returnees)); share < low || share > high {
			t.Errorf("%s: %.3f, not in [%v, %v]", what, share, low, high)
		}
	}
	within("women", women, 0.35, 0.5)
	within("consent to matching", matching, 0.91, 0.99)
	within("no identity card", noID, 0.2, 0.5)
	within("unpaid work", unpaid, 0.35, 0.8)
	within("live elsewhere than their origin", elsewhere, 0.55, 0.85)
	within("excluded places or protection", protected, 0.05, 0.25)
	within("English B1 and better", english["B1"]+english["B2"]+english["C1"]+english["C2"], 0.3, 0.75)
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
