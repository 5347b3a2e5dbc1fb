package api_test

import (
	"testing"

	"onward"
)

// A filter whose value got lost must not show everything.
func TestAParameterWithoutAValueIsRefused(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for _, c := range []struct{ path, location string }{
		{"/v1/referrals?returnee_id=", "query.returnee_id"},
		{"/v1/referrals?overdue=", "query.overdue"},
		{"/v1/opportunities?kind=", "query.kind"},
		{"/v1/opportunities?limit=", "query.limit"},
		{"/v1/opportunities/search?skill=", "query.skill"},
		{"/v1/places?country=", "query.country"},
		{"/v1/audit?about=", "query.about"},
	} {
		token := s.counsellor
		if c.location == "query.about" {
			token = s.supervisor
		}
		if f := field(t, s.get(token, c.path).problem(422, onward.EInvalid), c.location); f.Message == "" {
			t.Errorf("%s: %+v", c.path, f)
		}
	}
	s.get(s.counsellor, "/v1/skills?q=").want(200) // a text may be empty
	s.get(s.counsellor, "/v1/questionnaires/placement-check-in?version=9223372036854775806").problem(422, onward.EInvalid)
}

func TestAllowNamesTheMethodsOfThePathAlone(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for path, want := range map[string]string{"/v1/opportunities/bulk": "POST", "/v1/opportunities/search": "GET", "/v1/opportunities": "GET, POST"} {
		if got := s.send(s.poster, "OPTIONS", path, nil).want(405).header.Get("Allow"); got != want {
			t.Errorf("%s allows %q, want %q", path, got, want)
		}
		s.put(s.poster, path, bricklaying("a", zapopan)).problem(405, "method_not_allowed") // "bulk" is no id
	}
}
