package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

type matches struct {
	Items []struct{ Kind, Label, Found, Code, Country string }
}

func TestTypeAheadForgivesAccentsTyposAndLanguages(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for _, c := range []struct{ path, first string }{
		{"/v1/skills?q=lay+br", "lay bricks"},
		{"/v1/skills?q=lay+brikcs", "lay bricks"},
		{"/v1/skills?q=BRICKS+lay", "lay bricks"},
		{"/v1/skills?q=pegar+ladrillos&lang=es", "colocar ladrillos"},
		{"/v1/skills?q=bricklayer&kind=occupation", "bricklayer"},
		{"/v1/skills?q=alba%C3%B1il&kind=occupation&lang=es", "albañil"},
		{"/v1/skills?q=albanil&kind=occupation&lang=es", "albañil"},
		{"/v1/skills?q=albanil&kind=occupation&lang=en", "bricklayer"},
		{"/v1/places?q=zapop", "Zapopan, Jalisco, MX"},
		{"/v1/places?q=zapopam", "Zapopan, Jalisco, MX"},
		{"/v1/places?q=merida&country=MX", "Mérida, Yucatán, MX"},
		{"/v1/places?q=m%C3%A9rida&country=VE", "Mérida, Mérida, VE"},
		{"/v1/places?q=kabul", "Kabul, Kabul, AF"},
	} {
		got := decode[matches](s.get(s.poster, c.path).want(http.StatusOK))
		if len(got.Items) == 0 || !strings.HasPrefix(strings.ToLower(got.Items[0].Label), strings.ToLower(strings.SplitN(c.first, ",", 2)[0])) {
			t.Errorf("%s: %+v, want %s first", c.path, got.Items, c.first)
		}
		for _, item := range got.Items {
			if strings.Contains(c.path, "kind=occupation") && (item.Kind != "occupation" || item.Code == "") {
				t.Errorf("%s: not an occupation: %+v", c.path, item)
			}
			if country := c.path[len(c.path)-2:]; strings.Contains(c.path, "country=") && item.Country != country {
				t.Errorf("%s: not of the country: %+v", c.path, item)
			}
		}
	}
	if got := decode[matches](s.get(s.poster, "/v1/skills?q=albanil&kind=occupation&lang=en").want(200)); len(got.Items) == 0 || got.Items[0].Found == "" {
		t.Errorf("a match by another name says which: %+v", got.Items)
	}
	if got := decode[matches](s.get(s.poster, "/v1/skills?q=a&limit=3&kind=all").want(200)); len(got.Items) != 3 {
		t.Errorf("limit 3: %d", len(got.Items))
	}
	for _, path := range []string{"/v1/skills", "/v1/skills?q=", "/v1/skills?q=+++", "/v1/skills?q=%E2%80%8B", "/v1/places", "/v1/places?q=", "/v1/places?q=!!!"} {
		if got := s.get(s.poster, path).want(http.StatusOK); !strings.Contains(got.body, `"items":[]`) {
			t.Errorf("%s: an empty list, not %.200s", path, got.body)
		}
	}
}

// BenchmarkTypeAhead is the whole way over HTTP, with the token looked up in Postgres, for what people type letter by
// letter. It reports the 99th percentile as well.
func BenchmarkTypeAhead(b *testing.B) {
	s := newSystem(b)
	words()
	for name, queries := range map[string][]string{
		"skills": {"/v1/skills?q=b", "/v1/skills?q=br", "/v1/skills?q=bric", "/v1/skills?q=lay+brikcs", "/v1/skills?q=soldar&lang=es", "/v1/skills?q=xqzzy"},
		"places": {"/v1/places?q=g", "/v1/places?q=gu", "/v1/places?q=guad", "/v1/places?q=guadalajra", "/v1/places?q=m%C3%A9rida&country=MX", "/v1/places?q=xqzzy"},
	} {
		b.Run(name, func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			for i := range b.N {
				started := time.Now()
				s.get(s.poster, queries[i%len(queries)]).want(http.StatusOK)
				took = append(took, time.Since(started))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		})
	}
}
