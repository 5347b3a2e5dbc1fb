package onward_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onward"
)

func TestIDsSortByTheTimeTheyWereMade(t *testing.T) {
	t.Parallel()
	first := onward.NewID()
	time.Sleep(2 * time.Millisecond)
	second := onward.NewID()
	if bytes.Compare(first[:], second[:]) >= 0 {
		t.Errorf("%s should sort before %s", first, second)
	}
	if first[6]>>4 != 7 || first[8]>>6 != 2 {
		t.Errorf("%s is not a UUID of version 7", first)
	}
}

func TestAnIDSurvivesTextJSONAndTheDatabase(t *testing.T) {
	t.Parallel()
	id := onward.NewID()
	parsed, err := onward.ParseID(id.String())
	if err != nil || parsed != id {
		t.Errorf("text: %v, %v", parsed, err)
	}
	raw, err := json.Marshal(id)
	var fromJSON, fromText, fromBytes onward.ID
	if err := errors.Join(err, json.Unmarshal(raw, &fromJSON), fromText.Scan(id.String()), fromBytes.Scan(id[:])); err != nil {
		t.Fatal(err)
	}
	if fromJSON != id || fromText != id || fromBytes != id {
		t.Errorf("%s became %s, %s, %s", id, fromJSON, fromText, fromBytes)
	}
	if v, err := (onward.ID{}).Value(); v != nil || err != nil {
		t.Errorf("the zero id is stored as %v", v)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("0197d9f5-7a1e-7bd2-8c12-0123456789ab")
	f.Add("0197d9f5-7a1e-7bd2-8c12-0123456789a-")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := onward.ParseID(s)
		if err != nil {
			return
		}
		again, err := onward.ParseID(id.String())
		if err != nil || again != id || !strings.EqualFold(id.String(), s) {
			t.Errorf("%q parses to %s, which parses to %s: %v", s, id, again, err)
		}
		var scanned, unmarshalled onward.ID
		if scanned.Scan([]byte(s)) != nil || unmarshalled.UnmarshalText([]byte(s)) != nil || scanned != id || unmarshalled != id {
			t.Errorf("%q is scanned as %s and read as %s", s, scanned, unmarshalled)
		}
	})
}

func TestADateIsADayAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		moment := time.Unix(rapid.Int64Range(-4e9, 4e9).Draw(t, "seconds"), 0).UTC()
		d := onward.DateOf(moment)
		if d.String() != moment.Format(time.DateOnly) {
			t.Fatalf("%s is not the day of %s", d, moment)
		}
		again, err := onward.ParseDate(d.String())
		if err != nil || again != d || d.AddDays(40).AddDays(-40) != d || d.DaysUntil(d.AddDays(3)) != 3 || !d.Before(d.AddDays(1)) {
			t.Fatalf("%s does not count", d)
		}
	})
	for _, bad := range []string{"2026-02-30", "2026-1-1", "yesterday", "2026-01-01T00:00:00Z"} {
		if _, err := onward.ParseDate(bad); err == nil {
			t.Errorf("%s was read as a date", bad)
		}
	}
}

func TestAgeCountsBirthdays(t *testing.T) {
	t.Parallel()
	born := onward.MustParseDate("2008-03-11")
	for day, want := range map[string]int{"2026-03-10": 17, "2026-03-11": 18, "2026-12-31": 18} {
		if got := born.YearsUntil(onward.MustParseDate(day)); got != want {
			t.Errorf("on %s: %d, want %d", day, got, want)
		}
	}
}

func TestAZeroDateIsLeftOutOfJSON(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(onward.OpportunityDetails{Kind: onward.Job, StartsOn: onward.MustParseDate("2026-03-10")})
	if err != nil || !bytes.Contains(raw, []byte(`"starts_on":"2026-03-10"`)) || bytes.Contains(raw, []byte("closes_on")) {
		t.Errorf("%s %v", raw, err)
	}
}

func TestDistanceIsTheGreatCircle(t *testing.T) {
	t.Parallel()
	// Mexico City to Guadalajara: 461 km between the GeoNames points.
	if got := onward.DistanceKm(19.42847, -99.12766, 20.66682, -103.39182); got < 458 || got > 468 {
		t.Errorf("%v km", got)
	}
	if got := onward.DistanceKm(10, 20, 10, 20); got != 0 {
		t.Errorf("%v km to itself", got)
	}
}

func TestAnErrorKeepsItsCauseAndItsCode(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk full")
	err := error(onward.Errorf(onward.EUnavailable, "try again").Because(cause))
	if !errors.Is(err, cause) || onward.CodeOf(err) != onward.EUnavailable || onward.CodeOf(cause) != onward.EInternal || onward.CodeOf(nil) != "" {
		t.Errorf("%v has the code %s", err, onward.CodeOf(err))
	}
	if onward.Invalid(nil) != nil {
		t.Error("no field errors are no error")
	}
}

func TestPlacesAreToldApartByTheirLabel(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]onward.Place{
		"Zapopan, Jalisco, MX": {Name: "Zapopan", Admin1Name: "Jalisco", Country: "MX"},
		"Singapore, SG":        {Name: "Singapore", Admin1Name: "Singapore", Country: "SG"},
		"Monaco, MC":           {Name: "Monaco", Country: "MC"},
	} {
		if got := p.Label(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAnOrganisationAndAUserSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	if got := fieldsOf(onward.Organisation{Slug: "Casa Monarca", Country: "Mexico"}.Validate()); len(got) != 4 {
		t.Errorf("%v", got)
	}
	if got := fieldsOf(onward.User{Email: "nobody", Role: "king", Language: "Spanish"}.Validate()); len(got) != 5 {
		t.Errorf("%v", got)
	}
}
