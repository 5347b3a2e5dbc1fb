package demo_test

import (
	"math"
	"strings"
	"testing"

	"onward"
)

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
