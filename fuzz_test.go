package onward_test

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"onward"
)

// What is a date is written as it was read, and a text that is none is refused without being repeated.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-03-31", "2026-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2026-3-1", "", "2026-03-31T00:00:00Z", "-001-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := onward.ParseDate(s)
		if err != nil {
			if len(s) > 10 && strings.Contains(err.Error(), s) {
				t.Errorf("the error repeats %q", s)
			}
			return
		}
		if d.IsZero() {
			t.Fatalf("%q is a date that is not set", s)
		}
		var fromJSON, scanned onward.Date
		raw, err := json.Marshal(d)
		if err != nil || json.Unmarshal(raw, &fromJSON) != nil || fromJSON != d || scanned.Scan(s) != nil || scanned != d {
			t.Errorf("%q: %s and %s, want %s (%v)", s, fromJSON, scanned, d, err)
		}
		if d.String() != s || onward.DateOf(d.Time()) != d || d.AddDays(1).AddDays(-1) != d || d.YearsUntil(d) != 0 {
			t.Errorf("%q is written as %q", s, d)
		}
	})
}

// A questionnaire that may be published scores every answer that it takes, from 0 to 1.
func FuzzQuestionnaire(f *testing.F) {
	for _, q := range onward.BuiltinQuestionnaires() {
		raw, err := json.Marshal(q)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "yes")
	}
	f.Add([]byte(`{"code":"a-b","title":{"en":"t"},"dimensions":[{"id":"dd","title":{"en":"t"},"weight":100}],"items":[{"id":"ii","dimension":"dd","text":{"en":"?"},"scale":"number","min":-1.7e308,"max":1.7e308,"weight":1e-300}]}`), "1.7e308")
	f.Add([]byte(`{"code":"a-b","title":{"en":"t"},"dimensions":[{"id":"dd","title":{"en":"t"},"weight":5e-324}],"items":[{"id":"ii","dimension":"dd","text":{"en":"?"},"scale":"likert","max":11,"weight":5e-324,"reverse":true}]}`), "11")
	f.Add([]byte(`{"code":"a-b","title":{"en":"t"},"items":[{"id":"ii","text":{"en":"?"},"scale":"choice","choices":[{"value":"aa","text":{"en":"x"},"score":1},{"value":"bb","text":{"en":"y"}}],"alerts":[{"answers":["aa"],"kind":"other"}]}]}`), "NaN")
	f.Fuzz(func(t *testing.T, raw []byte, answer string) {
		var q onward.Questionnaire
		if json.Unmarshal(raw, &q) != nil || q.Validate() != nil {
			return
		}
		answers := map[string]string{}
		for _, i := range q.Items {
			for _, a := range []string{answer, "yes", "3"} {
				answers[i.ID] = a
				if (onward.Questionnaire{Items: []onward.Item{i}}).ValidateAnswers(map[string]string{i.ID: a}) == nil {
					break
				}
				delete(answers, i.ID)
			}
		}
		if err := q.ValidateAnswers(answers); err != nil {
			t.Fatalf("each is taken alone, and not together: %v", err)
		}
		q.Findings(answers)
		s := q.Score(answers)
		if s == nil {
			return
		}
		values := []float64{s.Answered}
		if s.Index != nil {
			values = append(values, *s.Index)
		}
		for _, v := range s.Dimensions {
			values = append(values, v)
		}
		for _, v := range values {
			if math.IsNaN(v) || v < 0 || v > 1+1e-9 {
				t.Fatalf("%s answered %v: %+v", raw, answers, s)
			}
		}
	})
}

// Scopes that are taken never allow more than they say, and an error does not repeat what was given.
func FuzzScopes(f *testing.F) {
	for _, s := range []string{"opportunities:write", "*:read", "*:write returnees:read", "returnees", "*:", ":read", "returnees:write:read", "*:read\n*:write", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scopes := strings.Split(text, " ")
		if err := onward.ValidateScopes(scopes); err != nil {
			if len(text) > 40 && strings.Contains(err.Error(), text) {
				t.Errorf("the error repeats %q", text)
			}
			return
		}
		for _, area := range onward.Areas() {
			read, write := onward.ScopesAllow(scopes, area, false), onward.ScopesAllow(scopes, area, true)
			wantWrite := slices.Contains(scopes, area+":write") || slices.Contains(scopes, "*:write")
			if write != wantWrite || read != (wantWrite || slices.Contains(scopes, area+":read") || slices.Contains(scopes, "*:read")) {
				t.Errorf("%q in %s: read %t, write %t", scopes, area, read, write)
			}
		}
		if onward.ScopesAllow(scopes, "no-area-of-ours", false) && !strings.Contains(text, "*:") {
			t.Errorf("%q reads an area that there is not", scopes)
		}
	})
}

// An endpoint that is taken is one of the open web: https, a host, no password in it.
func FuzzWebhookURL(f *testing.F) {
	for _, s := range []string{
		"https://example.org/hooks", "http://example.org", "https://user:pw@example.org", "https:example.org", "https://", "HTTPS://EXAMPLE.org:443/%2f", "javascript:alert(1)",
		"https://exa\nmple.org", "https://[::1]:80/", "https://example.org@127.0.0.1/", "https://a\\@b/", "//example.org", "https://:443", "https://example.org:99999/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if (onward.WebhookDetails{URL: s}).Validate(false) != nil {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || !utf8.ValidString(s) || len(s) > 2000 {
			t.Errorf("%q was taken: %+v, %v", s, u, err)
		}
	})
}
