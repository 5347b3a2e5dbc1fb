package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"onward"
)

// marker stands for a person's name wherever a value can be written.
const marker = "Zoraida Querubín-77319953"

// TestNoErrorAndNoLogRepeatsWhatWasSent puts the marker into every field of every form, one at a time and in every type
// that the field may be given by mistake.
func TestNoErrorAndNoLogRepeatsWhatWasSent(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	returnee := s.register(bricklayer("someone"))
	one := 1
	person := bricklayer("x")
	person.Experience = []onward.Experience{{OccupationID: "onward/occupation/bricklayer", Years: 3}}
	person.Languages = []onward.LanguageSkill{{Language: "es", Level: "C1"}}
	person.Documents = []onward.PersonDocument{{Kind: onward.NationalID, Status: onward.DocumentHeld}}
	person.Identity = onward.Identity{GivenName: "a", FamilyName: "b", Sex: "female", Phone: "1", Email: "a@example.org", Notes: "c"}
	person.BirthDate, person.ReturnedOn, person.AvailableFrom = onward.NewDate(1990, 1, 1), onward.NewDate(2025, 1, 1), onward.NewDate(2026, 1, 1)
	person.Intention = &onward.OnwardIntention{Intention: onward.IntendsToStay, RecordedOn: onward.NewDate(2026, 1, 1)}
	person.Preferences = onward.Preferences{Kinds: []onward.Kind{onward.Job}, Currency: "MXN", MaxCommuteMinutes: &one}
	person.Household = onward.Household{Adults: &one, Currency: "MXN"}
	person.Safety = onward.Safety{ExcludedPlaces: []onward.ExcludedPlace{{PlaceID: zapopan}}, ExcludedOrganisations: []onward.ID{onward.NewID()}}
	work := bricklaying("x", zapopan)
	work.OccupationID = "onward/occupation/bricklayer"
	work.Description = onward.Text{"es": "d"}
	work.Languages = []onward.LanguageNeed{{Language: "es", Level: "A1"}}
	work.Documents = []onward.DocumentKind{onward.NationalID}
	work.Wage = &onward.Wage{MinMinor: 1, MaxMinor: 2, Currency: "MXN", Period: onward.PerMonth}
	work.Vetting, work.ClosesOn = onward.VettingUnknown, onward.NewDate(2090, 1, 1)
	options := onward.RequestOptions{Limit: 1, Kinds: []onward.Kind{onward.Job}, Destination: []onward.LikelyPlace{{PlaceID: zapopan, Probability: 1}}, DestinationReason: "r"}
	sent, refused := 0, 0
	for _, form := range []struct {
		token, path string
		value       any
	}{
		{s.counsellor, "/v1/returnees", person},
		{s.counsellor, "/v1/returnees/bulk", person},
		{s.poster, "/v1/opportunities", work},
		{s.poster, "/v1/opportunities/bulk", work},
		{s.counsellor, "/v1/returnees/" + returnee.ID.String() + "/referral-requests", options},
	} {
		raw, err := json.Marshal(form.value)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{`"` + marker + `"`, `"` + marker + `\u0000"`, `["` + marker + `"]`, `{"` + marker + `":1}`, `{"` + marker + `":"` + marker + `\u0001"}`, `77319953000000000000000000`} {
			for _, body := range mutations(t, raw, json.RawMessage(wrong)) {
				got := s.post(form.token, form.path, body)
				sent++
				bulk := strings.HasSuffix(form.path, "/bulk")
				if got.status < 300 && !(bulk && strings.Contains(got.body, `"rejected":1`)) {
					continue // a name may be a name
				}
				refused++
				if got.status >= 500 || leaks(got.body) {
					t.Fatalf("%s %.3000s: %d %s", form.path, body, got.status, got.body)
				}
			}
		}
	}
	if refused < 400 || refused == sent {
		t.Errorf("%d of %d refused: too few to show anything", refused, sent)
	}
	s.markerElsewhere(returnee.ID)
	if log := s.log.String(); leaks(log) || !strings.Contains(log, `"route":"/v1/returnees/bulk"`) {
		for line := range strings.Lines(log) {
			if leaks(line) {
				t.Fatalf("in the log: %s", line)
			}
		}
		t.Error("nothing was logged")
	}
}

func leaks(text string) bool {
	return strings.Contains(text, "Zoraida") || strings.Contains(text, "Querub") || strings.Contains(text, "77319953")
}

// markerElsewhere puts the marker into parameters, headers and paths.
func (s *system) markerElsewhere(returnee onward.ID) {
	s.t.Helper()
	m := url.QueryEscape(marker)
	var answers []answer
	for _, path := range []string{
		"/v1/opportunities?%s", "/v1/opportunities?%s=1", "/v1/opportunities?status=%s", "/v1/opportunities?limit=%s", "/v1/opportunities?cursor=%s",
		"/v1/opportunities?organisation_id=%s", "/v1/opportunities?external_id=%s%%00", "/v1/opportunities?limit=%s&limit=2", "/v1/opportunities?x=%s%%zz",
		"/v1/opportunities/search?skill=%s", "/v1/opportunities/search?near=%s", "/v1/opportunities/search?kind=%s", "/v1/returnees?name=%s%%ff",
		"/v1/returnees/%s", "/v1/opportunities/%s", "/v1/referral-requests/%s", "/v1/referral-requests/%s/events", "/%s", "/v1/skills?lang=%s", "/v1/places?country=%s",
	} {
		answers = append(answers, s.get(s.counsellor, fmt.Sprintf(path, m)))
	}
	requests := "/v1/returnees/" + returnee.String() + "/referral-requests"
	for _, name := range []string{"Idempotency-Key", "Content-Type", "X-Request-Id", "Authorization"} {
		answers = append(answers, s.post(s.counsellor, requests, "{}", header(name, marker)))
	}
	answers = append(answers,
		s.put(s.counsellor, "/v1/returnees/"+returnee.String(), bricklayer("x"), header("If-Match", `"`+marker+`"`)),
		s.post(s.counsellor, "/v1/returnees", marker), s.post(s.counsellor, "/v1/returnees", `{"a":`+marker), s.post(s.counsellor, "/v1/returnees", `{"`+marker+`":1,"`+marker+`":2}`),
		s.send(s.counsellor, "ZORAIDA", "/"+m, nil))
	for _, a := range answers {
		if a.status >= 500 || (a.status >= 400 && leaks(a.body)) || leaks(a.header.Get("X-Request-Id")) {
			s.t.Errorf("%s: %d %s", a.what, a.status, a.body)
		}
		if a.status < 400 && !strings.Contains(a.what, "POST") {
			s.t.Errorf("%s was taken: %d", a.what, a.status)
		}
	}
}

// mutations replaces each value of a form in turn.
func mutations(t *testing.T, raw []byte, wrong json.RawMessage) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	var out []string
	emit := func() {
		body, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(body))
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, old := range v {
				v[key] = wrong
				emit()
				v[key] = old
				walk(old)
			}
			v[marker] = 1
			emit()
			delete(v, marker)
		case []any:
			for i, old := range v {
				v[i] = wrong
				emit()
				v[i] = old
				walk(old)
			}
		}
	}
	walk(root)
	return out
}

func TestNoPersonIsInTheLogOfAWholeReferral(t *testing.T) {
	t.Parallel()
	s := newSystem(t).withWorkers()
	s.open(bricklaying("here", guadalajara))
	s.waitIndexed(1)
	details := bricklayer("CASE-" + marker)
	details.Identity = onward.Identity{GivenName: marker, FamilyName: marker, Phone: "+52 33 77319953", Email: "zoraida.querubin@example.org", Notes: marker}
	r := s.register(details)
	request := s.request(r.ID)
	got := s.get(s.counsellor, "/v1/referral-requests/"+request.ID.String()+"?wait=30s").want(http.StatusOK)
	if decode[onward.ReferralRequest](got).Status != onward.RequestReady || leaks(got.body) {
		t.Errorf("a list needs no name: %s", got.body)
	}
	s.get(s.counsellor, "/v1/returnees?name=Zoraida").want(200)
	s.get(s.counsellor, "/v1/returnees?external_id="+url.QueryEscape(details.ExternalID)).want(200)
	s.post(s.counsellor, "/v1/returnees", details).problem(409, onward.EConflict)
	details.Country = "nowhere"
	s.put(s.counsellor, "/v1/returnees/"+r.ID.String(), details, header("If-Match", `"v1"`)).problem(422, onward.EInvalid)
	log := s.log.String()
	for _, secret := range []string{"Zoraida", "zoraida", "Querub", "querub", "77319953", s.counsellor, strings.TrimPrefix(s.counsellor, "onw_")[:12]} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if n := strings.Count(log, `"msg":"request"`); n < 8 {
		t.Errorf("%d requests in the log", n)
	}
}
