package api_test

import (
	"net/http"
	"strings"
	"testing"

	"onward"
	"onward/api"
)

func TestReadinessFollowsItsParts(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.get("", "/healthz").want(http.StatusOK)
	for _, c := range []struct {
		parts  []api.Part
		code   int
		status string
	}{
		{nil, 200, "ready"},
		{[]api.Part{{Name: "postgres", OK: true, Needed: true}, {Name: "redis", OK: true}}, 200, "ready"},
		{[]api.Part{{Name: "postgres", OK: true, Needed: true}, {Name: "redis", State: "away"}}, 200, "degraded"},
		{[]api.Part{{Name: "postgres", Needed: true, State: "away"}, {Name: "redis", OK: true}}, 503, "not_ready"},
		{[]api.Part{{Name: "redis", State: "away"}, {Name: "postgres", Needed: true, State: "away"}}, 503, "not_ready"},
		{[]api.Part{{Name: "postgres", Needed: true, State: "away"}, {Name: "redis", State: "away"}}, 503, "not_ready"},
	} {
		s.parts = c.parts
		got := decode[struct {
			Status string
			Parts  []api.Part
		}](s.get("", "/readyz").want(c.code))
		if got.Status != c.status || got.Parts == nil || len(got.Parts) != len(c.parts) {
			t.Errorf("%+v: %+v, want %s", c.parts, got, c.status)
		}
	}
}

func TestMetricsAreForAdministratorsAndCountRequests(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.get(s.poster, "/v1/skills?q=x").want(200)
	s.get("", "/nowhere-at-all").want(404)
	s.send("", "BREW", "/nowhere-at-all", nil).want(404)
	got := s.get(s.admin, "/metrics").want(http.StatusOK).body
	for _, want := range []string{
		"# TYPE onward_http_request_seconds histogram",
		`onward_http_request_seconds_count{method="GET",route="/v1/skills",status="200"} 1`,
		`onward_http_request_seconds_count{method="any",route="none",status="404"} 2`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "nowhere") || strings.Contains(got, "BREW") {
		t.Error("what clients make up becomes a label")
	}
	s.get(s.supervisor, "/metrics").problem(http.StatusForbidden, onward.EForbidden)
	s.get("", "/metrics").problem(http.StatusUnauthorized, onward.EUnauthenticated)
}

func TestAPanicIsAProblemAndKeepsWhatItHeld(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.server.Config.Handler = api.New(api.Config{Parts: nil}).Handler() // no store: every request with a token panics
	s.get(s.counsellor, "/v1/skills").problem(http.StatusInternalServerError, onward.EInternal)
	s.get("", "/healthz").want(200)
}
