package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"onward"
)

// bodyForm is one form of body: it reads it as the API does, and checks it as the domain does.
type bodyForm struct {
	name   string
	decode func(raw []byte) (value any, bad *Problem)
	check  func(value any) error
}

func formOf[T any](registry huma.Registry, check func(T) error) bodyForm {
	lines := newLineReader[T](registry)
	return bodyForm{
		name:   lines.name(),
		decode: func(raw []byte) (any, *Problem) { v, bad := lines.decode(raw); return v, bad },
		check: func(v any) error {
			if check == nil {
				return nil
			}
			return check(v.(T)) //nolint:forcetypeassert // decode makes it
		},
	}
}

// anything is a vocabulary in which all is known.
type anything struct{}

func (anything) HasSkill(string) bool      { return true }
func (anything) HasOccupation(string) bool { return true }

func (anything) Place(id onward.PlaceID) (onward.Place, bool) {
	return onward.Place{ID: id, Name: "Somewhere", Country: "MX"}, true
}

func (anything) SuggestSkills(string) []onward.Suggestion      { return nil }
func (anything) SuggestOccupations(string) []onward.Suggestion { return nil }
func (anything) SuggestPlaces(string) []onward.Suggestion      { return nil }

// texts are what stands as a value in a body, not as a name.
func texts(v any, into map[string]bool) {
	switch v := v.(type) {
	case string:
		into[v] = true
	case []any:
		for _, item := range v {
			texts(item, into)
		}
	case map[string]any:
		for _, item := range v {
			texts(item, into)
		}
	}
}

// Every form of body: it is read or refused, a refusal names the fields and never repeats a value, and what was read is read the same again.
func FuzzBody(f *testing.F) {
	setLibraries()
	registry := New(Config{}).huma.OpenAPI().Components.Schemas
	today := onward.MustParseDate("2026-03-01")
	forms := []bodyForm{
		formOf(registry, func(v onward.OpportunityDetails) error { return v.Validate(today, anything{}) }),
		formOf(registry, func(v onward.ReturneeDetails) error { return v.Validate(today, anything{}) }),
		formOf(registry, func(v onward.HouseholdDetails) error { return v.Validate() }),
		formOf(registry, func(v onward.ReferralDetails) error { return v.Validate(1) }),
		formOf(registry, func(v onward.ReferralChange) error { return v.Validate() }),
		formOf(registry, func(v onward.PlacementDetails) error { return v.Validate(today, anything{}) }),
		formOf(registry, func(v onward.Confirm) error { return v.Validate() }),
		formOf(registry, func(v onward.EndPlacement) error { return v.Validate(today, today) }),
		formOf(registry, func(v onward.Attempt) error { return v.Validate() }),
		formOf(registry, func(v onward.CheckInResult) error { return v.Validate(today, anything{}) }),
		formOf(registry, func(v onward.Questionnaire) error { return v.Validate() }),
		formOf(registry, func(v onward.WithdrawConsent) error { return v.Validate() }),
		formOf(registry, func(v onward.WebhookDetails) error { return v.Validate(false) }),
		formOf(registry, func(v onward.NoticePreferences) error { return v.Validate() }),
		formOf(registry, func(v onward.Answer) error { return v.Validate() }),
		formOf(registry, func(v onward.NewAlert) error { _, err := v.Validate(); return err }),
		formOf(registry, func(v onward.AlertChange) error { return v.Validate() }),
		formOf(registry, func(v onward.ResidenceDetails) error { return v.Validate(today, anything{}) }),
		formOf(registry, func(v onward.RequestOptions) error { return v.Validate(anything{}) }),
	}
	for i, seed := range []string{
		`{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":1,"skills":[{"skill_id":"onward/skill/lay-bricks","essential":true}],"wage":{"min_minor":9223372036854775807,"max_minor":-1,"period":"month"}}`,
		`{"country":"MX","identity":{"given_name":"Ana María de los Ángeles","phone":"+525512345678"},"birth_date":"1990-02-29","consents":[{"purpose":"matching","given_on":"2026-01-01"}],"languages":[{"language":"es","level":9}]}`,
		`{"adults":["0197d9f5-7a1e-7bd2-8c12-0123456789ab",""]}`,
		`{"returnee_id":"0197d9f5-7a1e-7bd2-8c12-0123456789ab","opportunity_id":"x","choice_reason":"not_on_the_list"}`,
		`{"event":"withdraw","reason":"family","organisation_id":"0197d9f5-7a1e-7bd2-8c12-0123456789ab"}`,
		`{"started_on":"9999-12-31","wage_minor":-9223372036854775808,"currency":"MXN"}`, `{"side":"organisation","source":"payroll"}`, `{"ended_on":"0001-01-01","reason":"better_job"}`,
		`{"channel":"call","outcome":"no_answer","at":"2026-01-01T00:00:00Z"}`, `{"talked_on":"2026-01-06","still_there":"yes","answers":{"a":"b"}}`,
		`{"code":"a-b","version":1,"title":{"en":"t"},"items":[{"id":"ii","text":{"en":"?"},"scale":"number","max":1e308}]}`,
		`{"purposes":["matching","matching"]}`, `{"url":"https://user:secret-of-somebody@example.org/"}`, `{"off":["referral.ended"],"sms":[],"phone":"not a phone at all"}`,
		`{"answer":"need_information","question":"a question of somebody"}`, `{"kind":"other","source":"counsellor","note":"what somebody said"}`, `{"action":"note","note":"what somebody said"}`,
		`{"observed_on":"2026-01-01","place_id":4005539,"source":"self"}`, `{"language":"es","limit":1000000}`,
	} {
		f.Add(uint8(i), []byte(seed))
		f.Add(uint8(i), []byte(strings.Replace(seed, "{", `{"id":"x","organisation_id":"y","role":"administrator","version":7,"a":null,`, 1)))
	}
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		form := forms[int(which)%len(forms)]
		value, bad := form.decode(raw)
		if bad == nil {
			if err := form.check(value); err != nil {
				if bad = problem(err); bad.Status >= http.StatusInternalServerError {
					t.Fatalf("%s: %s: %v", form.name, raw, err)
				}
			}
		}
		if bad != nil {
			said, err := json.Marshal(bad)
			if err != nil || bad.Detail == "" {
				t.Fatalf("%s: %+v %v", form.name, bad, err)
			}
			var decoded any
			if json.Unmarshal(raw, &decoded) == nil {
				given := map[string]bool{}
				texts(decoded, given)
				for text := range given {
					if len(text) > 12 && strings.Contains(text, " ") && bytes.Contains(said, []byte(text)) {
						t.Fatalf("%s: the refusal repeats %q: %s", form.name, text, said)
					}
				}
			}
			return
		}
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%s: %s was read and can't be written: %v", form.name, raw, err)
		}
		again, bad := form.decode(written)
		if bad != nil {
			t.Fatalf("%s: %s, written as %s, is refused: %+v", form.name, raw, written, bad)
		}
		if twice, _ := json.Marshal(again); !bytes.Equal(twice, written) {
			t.Errorf("%s: %s became %s", form.name, written, twice)
		}
	})
}

// Any request without a token, as it comes from the wire, gets an answer that is no defect of ours, holds the headers of every answer and
// nothing of the query, and leaves whole lines in the log.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET /v1/returnees?name=Ana%20Mar%C3%ADa&limit=5 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/returnees/%2e%2e/%00?cursor=%zz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\tb\r\n\r\n",
		"POST /v1/opportunities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
		"PUT //v1//opportunities/bulk HTTP/1.1\r\nHost: evil\r\nX-HTTP-Method-Override: DELETE\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n", "TRACE /openapi.json HTTP/1.0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n\r\n", "GET /docs/docs.css/../../x HTTP/1.1\r\nHost: x\r\nAccept: */*;q=\x01\r\n\r\n",
		"HEAD /healthz?a=1&a=2 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic x\r\n\r\n", "GET http://elsewhere/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \r\n\r\n",
		"GET /v1/opportunities/{id}?\x1b[31m HTTP/1.1\r\nHost: x\r\nUser-Agent: \x1b[2J\r\nOnward-Reason: a\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	var log bytes.Buffer
	served := New(Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil || strings.HasPrefix(r.URL.Path, "/v1/answers/") || r.URL.Path == "/readyz" { // those ask the database
			return
		}
		r.Header.Del("Authorization")
		log.Reset()
		w := httptest.NewRecorder()
		served.Handler().ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%q: %d %s %s", raw, w.Code, w.Body, log.String())
		}
		h := w.Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" && w.Code != http.StatusOK || h.Get("Access-Control-Allow-Origin") != "" || h.Get("X-Request-Id") == "" {
			t.Fatalf("%q: %v", raw, h)
		}
		for name, values := range h {
			for _, value := range values {
				if strings.ContainsFunc(value, unicode.IsControl) {
					t.Fatalf("%q: %s is %q", raw, name, value)
				}
			}
		}
		if w.Code >= http.StatusBadRequest {
			var p Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Detail == "" || h.Get("Content-Type") != problemContentType {
				t.Fatalf("%q: %d %s", raw, w.Code, w.Body)
			}
			for _, values := range r.URL.Query() {
				for _, value := range values {
					if len(value) > 8 && strings.Contains(p.Detail+messagesOf(p.Errors), value) {
						t.Fatalf("%q: the answer repeats %q: %s", raw, value, w.Body)
					}
				}
			}
		}
		for line := range strings.Lines(log.String()) {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["level"] != "INFO" || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) {
				t.Fatalf("%q: the log has the line %q", raw, line)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Fatalf("%q: %d lines in the log", raw, n)
		}
	})
}

func messagesOf(fields []ProblemField) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f.Message)
	}
	return b.String()
}

// Headers that are read: ETags name one version, reasons are short and plain, and nobody but a trusted proxy says where a request came from.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{`"v1"`, `W/"v12"`, `"v0"`, `"v01"`, `"v999999999999999999"`, `"v9999999999999999999"`, "*", `"v1", "v2"`, "called by\r\nX: y", "\x1b[31m", "\xff", "127.0.0.1", "1.2.3.4, 10.0.0.1", "::1", "1.2.3.4:80", strings.Repeat("é", 300)} {
		f.Add(s, int64(7))
	}
	router := gin.New()
	if err := router.SetTrustedProxies([]string{"10.0.0.0/8"}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string, version int64) {
		if v, err := versionOf(s); err == nil && (v < 1 || etag(v) != strings.TrimPrefix(strings.TrimSpace(s), "W/") || !unchanged(s, v)) {
			t.Errorf("%q is version %d", s, v)
		}
		if v, err := versionOrNone(s); err == nil && (v < 0 || etag(v) != strings.TrimPrefix(strings.TrimSpace(s), "W/")) {
			t.Errorf("%q is version %d", s, v)
		}
		if version = version & 0x7ffffffffffffff % 1e17; version > 0 {
			if v, err := versionOf(etag(version)); err != nil || v != version {
				t.Errorf("version %d is read as %d: %v", version, v, err)
			}
		}
		reason := plainReason(s)
		if !utf8.ValidString(reason) || utf8.RuneCountInString(reason) > mostReason || strings.ContainsFunc(reason, unicode.IsControl) || plainReason(reason) != reason {
			t.Errorf("%q is the reason %q", s, reason)
		}
		if requestIDPattern.MatchString(s) && (len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) || unicode.IsSpace(r) })) {
			t.Errorf("%q is the id of a request", s)
		}
		for _, from := range []string{"203.0.113.7", "10.1.2.3"} {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = from + ":1234"
			r.Header["X-Forwarded-For"] = []string{s}
			r.Header["X-Real-Ip"] = []string{s}
			context := gin.CreateTestContextOnly(httptest.NewRecorder(), router)
			context.Request = r
			if got := context.ClientIP(); from == "203.0.113.7" && got != from || strings.ContainsFunc(got, unicode.IsControl) || len(got) > 64 {
				t.Errorf("with %q, a request of %s came from %q", s, from, got)
			}
		}
	})
}
