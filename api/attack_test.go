package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/api"
	"onward/store"
)

// strangers are users of organisations that have nothing to do with those of the tests, one of each role.
func (s *system) strangers() map[string]string {
	s.t.Helper()
	tokens := map[string]string{}
	err := s.store.InTx(s.t.Context(), onward.System(), func(tx *store.Tx) error {
		for who, role := range map[string]onward.Role{
			"C": onward.RoleCounsellor, "S": onward.RoleSupervisor, "P": onward.RolePartner, "A": onward.RoleAnalyst, "D": onward.RoleAdministrator, "E": onward.RoleEmployer,
		} {
			of := s.other
			if who == "E" {
				of = s.otherEmployer
			}
			token, err := s.token(tx, of, role, nil)
			if err != nil {
				return err
			}
			tokens[who] = token
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return tokens
}

// sharedRecords are operations whose records are not one organisation's alone: what is open is for all to read, and for each agency to find
// candidates for on its own caseload; a vetting is of other organisations, each agency's own.
var sharedRecords = []string{
	"read-opportunity", "list-candidates", "read-questionnaire", "read-organisation-vetting", "read-opportunity-vetting", "record-organisation-checks", "record-opportunity-checks",
}

// tryAsStranger asks for another organisation's record, and for one that never was. Both have to answer the same.
func (s *system) tryAsStranger(token, operation, method, path string, body any, version int64) {
	s.t.Helper()
	if slices.Contains(sharedRecords, operation) {
		return
	}
	id := idIn(path)
	if id == "" {
		return
	}
	never := onward.NewID().String()
	match := header("If-Match", fmt.Sprintf(`"v%d"`, version))
	theirs := s.send(token, method, path, body, match)
	nothing := s.send(token, method, strings.Replace(path, id, never, 1), body, match)
	if theirs.status != http.StatusForbidden && theirs.status != http.StatusNotFound {
		s.t.Errorf("a stranger may %s: %d %.300s", operation, theirs.status, theirs.body)
	}
	if a, b := masked(theirs, id), masked(nothing, never); a != b || theirs.status != nothing.status {
		s.t.Errorf("%s tells a stranger that the record is there:\n%s\n%s", operation, a, b)
	}
}

func idIn(path string) string {
	for segment := range strings.SplitSeq(strings.SplitN(path, "?", 2)[0], "/") {
		if _, err := onward.ParseID(segment); err == nil {
			return segment
		}
	}
	return ""
}

// Ids of another organisation are refused in bodies and find nothing in filters, as ids that never were.
func TestAnotherTenantsIDsInBodiesAndFilters(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.sent("E", "theirs")
	strangers := s.strangers()
	mine := decode[onward.Returnee](s.post(s.stranger, "/v1/returnees", agreeing("mine")).want(201))
	draft := decode[onward.Opportunity](s.post(s.poster, "/v1/opportunities", bricklaying("draft", zapopan)).want(201))
	never := onward.NewID()
	for name, c := range map[string]struct {
		path, id string
		body     func(id string) any
	}{
		"the returnee of a referral": {"/v1/referrals", r.ReturneeID.String(), func(id string) any {
			return map[string]any{"returnee_id": id, "opportunity_id": r.OpportunityID, "choice_reason": "not_on_the_list"}
		}},
		"the opportunity of a referral": {"/v1/referrals", draft.ID.String(), func(id string) any {
			return map[string]any{"returnee_id": mine.ID, "opportunity_id": id, "choice_reason": "not_on_the_list"}
		}},
		"the referral of an alert": {"/v1/alerts", r.ID.String(), func(id string) any {
			return map[string]any{"referral_id": id, "kind": "other", "source": "counsellor"}
		}},
		"an adult of a household": {"/v1/households", r.ReturneeID.String(), func(id string) any { return map[string]any{"adults": []any{mine.ID, id}} }},
	} {
		theirs, nothing := s.post(s.stranger, c.path, c.body(c.id)), s.post(s.stranger, c.path, c.body(never.String()))
		if theirs.status < 400 || theirs.status >= 500 {
			t.Errorf("%s: %d %s", name, theirs.status, theirs.body)
		}
		if a, b := masked(theirs, c.id), masked(nothing, never.String()); a != b || theirs.status != nothing.status {
			t.Errorf("%s tells that it exists:\n%s\n%s", name, a, b)
		}
	}
	for _, filter := range []string{
		"/v1/referrals?returnee_id=" + r.ReturneeID.String(), "/v1/referrals?opportunity_id=" + r.OpportunityID.String(), "/v1/placements?referral_id=" + r.ID.String(),
		"/v1/placements?returnee_id=" + r.ReturneeID.String(), "/v1/households?returnee_id=" + r.ReturneeID.String(), "/v1/check-ins?returnee_id=" + r.ReturneeID.String(),
		"/v1/received-referrals?opportunity_id=" + r.OpportunityID.String(), "/v1/opportunities?organisation_id=" + s.employer.ID.String() + "&status=draft",
		"/v1/returnees?external_id=theirs", "/v1/returnees?counsellor_id=" + r.CreatedBy.String(), "/v1/audit?about=" + r.ReturneeID.String(),
	} {
		token := s.stranger
		if strings.HasPrefix(filter, "/v1/received") {
			token = s.strangerPoster
		} else if strings.HasPrefix(filter, "/v1/audit") {
			token = strangers["S"]
		}
		got := s.get(token, filter)
		if got.status == http.StatusUnprocessableEntity && strings.Contains(got.body, "unknown_parameter") {
			t.Errorf("%s: there is no such filter any more: %s", filter, got.body)
		} else if list := decode[struct{ Items []any }](got.want(200)).Items; len(list) != 0 {
			t.Errorf("%s: %s", filter, got.body)
		}
	}
}

// Nothing but a token that this server made and that is in force opens: no JWT of any algorithm, no token of another purpose, none of a link.
func TestTokensOfOtherKindsOpenNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	link := decode[onward.AnswerLink](s.post(s.counsellor, "/v1/referrals/"+s.sent("E", "a").ID.String()+"/answer-links", nil).want(201)).Token
	encode := base64.RawURLEncoding.EncodeToString
	claims := encode([]byte(`{"sub":"1","role":"administrator","aud":"answer-referral","exp":4102444800}`))
	for name, token := range map[string]string{
		"alg none": encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + claims + ".", "alg HS256, empty key": encode([]byte(`{"alg":"HS256"}`)) + "." + claims + "." + encode(make([]byte, 32)),
		"a link": link, "v4.public": "v4.public." + strings.TrimPrefix(link, "v4.local."), "v2.local": "v2.local." + strings.TrimPrefix(link, "v4.local."),
		"its hash": fmt.Sprintf("%x", s.counsellor), "two": s.counsellor + " " + s.admin, "NUL": s.counsellor + "%00", "in upper case": strings.ToUpper(s.counsellor), "SQL": "onw_' OR '1'='1",
	} {
		s.get(token, "/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
		if name != "a link" {
			got := s.get("", "/v1/answers/"+url.PathEscape(token))
			if got.status != http.StatusNotFound {
				t.Errorf("%s as a link: %d %s", name, got.status, got.body)
			}
		}
	}
	// Not in the query, in a cookie, or for another scheme.
	s.get("", "/v1/returnees?access_token="+s.counsellor).problem(http.StatusUnauthorized, onward.EUnauthenticated)
	s.get("", "/v1/returnees", header("Cookie", "token="+s.counsellor+"; Authorization=Bearer "+s.counsellor)).problem(http.StatusUnauthorized, onward.EUnauthenticated)
	// A link is used once: the answer that was given stays.
	s.post("", "/v1/answers/"+link, map[string]any{"answer": "no", "reason": "language"}).want(200)
	if replayed := s.post("", "/v1/answers/"+link, map[string]any{"answer": "yes"}); replayed.status != http.StatusConflict && replayed.status != http.StatusNotFound {
		t.Errorf("the link was used twice: %d %s", replayed.status, replayed.body)
	}
}

var injections = []string{
	`' OR '1'='1`, `'; DROP TABLE returnees; --`, `\'; SELECT pg_sleep(10); --`, `" OR ""="`, `1) OR (1=1`, `$1`, `$$; SELECT 1; $$`, `%`, `_`, `%27%20OR%201=1`, `{{7*7}}`, `${jndi:ldap://x/a}`, `*`, `\`, `a:b | c & !d`,
}

// What looks like SQL in a parameter is looked for like any other text, and found no more often.
func TestSQLInAParameterIsAText(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.open(bricklaying("one", zapopan))
	s.register(bricklayer("ana"))
	tokens := []string{s.counsellor, s.supervisor, s.poster, s.admin, s.partner, s.analyst}
	n := 0
	for path, operations := range documented(t).Paths {
		raw, ok := operations["get"]
		if !ok || strings.Contains(path, "{token}") {
			continue
		}
		var operation struct {
			Parameters []struct {
				Name, In string
				Schema   struct {
					Type   any
					Enum   []any
					Format string
				}
			}
		}
		if err := json.Unmarshal(raw, &operation); err != nil {
			t.Fatal(err)
		}
		for _, p := range operation.Parameters {
			if p.Schema.Type != "string" && p.Schema.Type != "array" {
				continue
			}
			for _, text := range append(slices.Clone(injections), "no-such-thing-at-all") {
				at := strings.NewReplacer("{id}", onward.NewID().String(), "{code}", "placement-check-in").Replace(path)
				switch p.In {
				case "query":
					at += "?" + p.Name + "=" + url.QueryEscape(text)
				case "path":
					at = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(text), 1)
				default:
					continue
				}
				for _, token := range tokens {
					got := s.get(token, at)
					if got.status == http.StatusForbidden {
						continue
					}
					n++
					if got.status >= http.StatusInternalServerError {
						t.Errorf("%s: %d %s", at, got.status, got.body)
					}
					var list struct{ Items []any }
					if got.status == http.StatusOK && json.Unmarshal([]byte(got.body), &list) == nil && len(list.Items) > 0 && p.Name != "q" {
						t.Errorf("%s finds %d", at, len(list.Items))
					}
					break
				}
			}
		}
	}
	if n < 300 {
		t.Errorf("only %d requests", n)
	}
	for _, text := range injections {
		person := bricklayer(text)
		person.Identity.FamilyName, person.Identity.Notes = "Prueba "+text, text
		made := s.register(person)
		read := decode[onward.Returnee](s.get(s.counsellor, "/v1/returnees/"+made.ID.String()).want(200))
		if read.Identity != person.Identity || read.ExternalID != text {
			t.Errorf("%q became %+v", text, read.Identity)
		}
		found := decode[struct{ Items []onward.Returnee }](s.get(s.counsellor, "/v1/returnees?external_id="+url.QueryEscape(text)).want(200)).Items
		if len(found) != 1 {
			t.Errorf("%q finds %d people by external id", text, len(found))
		}
	}
}

// Fields that the server alone decides are refused in every body, whatever else it holds.
func TestNoBodyAssignsWhatTheServerDecides(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	document := documented(t)
	decided := []string{"id", "organisation_id", "state", "status", "role", "actor", "version", "created_at", "updated_at", "created_by", "held", "placed", "fictional", "vetting", "is_admin", "score", "erased_at", "returnee"}
	tokens := []string{s.counsellor, s.supervisor, s.poster, s.admin, s.partner, s.analyst}
	bodies := 0
	for path, operations := range document.Paths {
		for method, raw := range operations {
			var operation struct {
				OperationID string
				RequestBody *struct {
					Content map[string]struct {
						Schema struct {
							Ref string `json:"$ref"`
						}
					}
				}
			}
			if err := json.Unmarshal(raw, &operation); err != nil {
				t.Fatal(err)
			}
			if operation.RequestBody == nil {
				continue
			}
			content, isJSON := operation.RequestBody.Content["application/json"]
			if !isJSON {
				continue
			}
			var form struct{ Properties map[string]any }
			if err := json.Unmarshal(document.Components.Schemas[strings.TrimPrefix(content.Schema.Ref, "#/components/schemas/")], &form); err != nil {
				t.Fatalf("%s: %v", operation.OperationID, err)
			}
			body := map[string]any{}
			for _, name := range decided {
				if form.Properties[name] == nil {
					body[name] = "administrator"
				}
			}
			at := strings.NewReplacer("{id}", onward.NewID().String(), "{token}", "v4.local.AAAA").Replace(path)
			bodies++
			for _, token := range tokens {
				got := s.send(token, strings.ToUpper(method), at, body, header("If-Match", `"v1"`))
				if got.status == http.StatusForbidden {
					continue
				}
				refused := got.problem(http.StatusUnprocessableEntity, onward.EInvalid)
				for name := range body {
					if !slices.ContainsFunc(refused.Errors, func(f api.ProblemField) bool { return f.Location == "body."+name && f.Rule == "unknown_field" }) && len(refused.Errors) < 20 {
						t.Errorf("%s takes %s: %+v", operation.OperationID, name, refused.Errors)
					}
				}
				break
			}
		}
	}
	if bodies < 20 {
		t.Errorf("only %d bodies", bodies)
	}
	// In bulk, too.
	line := `{"kind":"job","title":{"es":"a"},"place_id":3979770,"capacity":1,"organisation_id":"` + s.otherEmployer.ID.String() + `"}`
	got := decode[struct{ Rejected int }](s.post(s.poster, "/v1/opportunities/bulk", line, header("Content-Type", "application/x-ndjson")).want(200))
	if got.Rejected != 1 {
		t.Errorf("%d lines were refused", got.Rejected)
	}
}

// A body that is packed, not JSON, too deep, or of another encoding is refused before it costs anything.
func TestBombsAndOddBodiesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.CopyN(w, zeroes{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
		s.post(s.poster, "/v1/opportunities", packed.String(), header("Content-Encoding", encoding)).problem(http.StatusUnsupportedMediaType, "unsupported_media_type")
		s.post(s.poster, "/v1/opportunities/bulk", packed.String(), header("Content-Encoding", encoding), header("Content-Type", "application/x-ndjson")).problem(http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	for _, kind := range []string{
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/zip", "application/xml", "text/html", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain",
	} {
		s.post(s.poster, "/v1/opportunities", "PK\x03\x04", header("Content-Type", kind)).problem(http.StatusUnsupportedMediaType, "unsupported_media_type")
		s.post(s.poster, "/v1/opportunities/bulk", "PK\x03\x04", header("Content-Type", kind)).problem(http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	got := decode[struct{ Created, Rejected int }](s.post(s.poster, "/v1/opportunities/bulk", packed.String(), header("Content-Type", "application/x-ndjson")).want(200))
	if got.Created != 0 || got.Rejected == 0 {
		t.Errorf("%+v of a packed file", got)
	}
	before := heap()
	for name, body := range map[string]string{
		"10,000 deep": `{"title":` + strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_001), "100,000 lists": strings.Repeat("[", 100_000), "a huge number": opening(`,"wage":{"min_minor":` + strings.Repeat("9", 10_000) + `}`),
		"a huge exponent": opening(`,"hours_per_week":1e999999999`), "a field twice": opening(`,"capacity":2`), "a mark": "\xef\xbb\xbf" + opening(""), "broken UTF-8": opening(",\"external_id\":\"\xc3\x28\""),
		"UTF-16": "\xff\xfe{\x00}\x00", "NaN": opening(`,"hours_per_week":NaN`), "a comment": opening("/* */"), "a prototype": opening(`,"__proto__":{"role":"administrator"}`),
		"100,000 fields": `{"a":1` + func() string {
			var b strings.Builder
			for i := range 80_000 {
				fmt.Fprintf(&b, `,"f%d":1`, i)
			}
			return b.String()
		}() + "}",
	} {
		got := s.post(s.poster, "/v1/opportunities", body)
		if got.status != http.StatusBadRequest && got.status != http.StatusUnprocessableEntity && got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %.300s", name, got.status, got.body)
		}
		if len(got.body) > 16<<10 {
			t.Errorf("%s: the refusal has %d bytes", name, len(got.body))
		}
	}
	if grown := heap() - before; grown > 256<<20 {
		t.Errorf("%d MB were kept", grown>>20)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below
}

// rawAnswer is an answer to a request that no client would send.
type rawAnswer struct {
	status int
	header http.Header
	body   string
}

// exchangeRaw sends bytes as they are, and reads until the server closes or has answered n times.
func (s *system) exchangeRaw(text string, n int) (answers []rawAnswer) {
	s.t.Helper()
	connection, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(3 * time.Second))
	go func() { _, _ = io.WriteString(connection, text) }() // the server need not read all of it
	reader := bufio.NewReader(connection)
	for range n {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			break
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		answers = append(answers, rawAnswer{response.StatusCode, response.Header, string(body)})
		if err != nil {
			break
		}
	}
	return answers
}

// What one server and another could read as different requests is refused, and no second request is found in a body.
func TestRequestsAreNotSmuggled(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	hidden := "GET /v1/returnees HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + s.counsellor + "\r\n\r\n"
	head := "POST /v1/opportunities HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + s.poster + "\r\nContent-Type: application/json\r\n"
	for name, text := range map[string]string{
		"both lengths":           head + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 5+len(hidden)) + hidden,
		"two lengths":            head + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden,
		"an encoding twice":      head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
		"an odd encoding":        head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
		"a space before a colon": head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
		"a folded line":          head + "X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + hidden,
		"a signed length":        head + "Content-Length: +5\r\n\r\n12345" + hidden,
		"a broken chunk":         head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + hidden,
		"a bare line feed":       "GET /healthz HTTP/1.1\nHost: x\r\n\r\n",
		"no host":                "GET /healthz HTTP/1.1\r\n\r\n",
		"two hosts":              "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"a NUL in a header":      "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
		"headers of 100 KB":      "GET /healthz HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("a", 990)+"\r\n", 100) + "\r\n",
		"20,000 headers":         "GET /healthz HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 20_000) + "\r\n",
		"a long line":            "GET /healthz?" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		for i, answer := range s.exchangeRaw(text, 3) {
			lenient := name == "a bare line feed" || name == "a folded line" // which are one request all the same
			if i == 0 && answer.status < 400 && !lenient {
				t.Errorf("%s: %d %.200s", name, answer.status, answer.body)
			}
			if strings.Contains(answer.body, `"items"`) && !lenient {
				t.Errorf("%s: a request inside another was answered: %.200s", name, answer.body)
			}
		}
	}
	if log := s.log.String(); strings.Contains(log, s.counsellor) {
		t.Error("a token is in the log")
	}
}

// Headers by which other software changes methods, paths and hosts have no effect, and pages of others get no leave to read.
func TestHeadersThatOverrideAreIgnored(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	o := s.open(bricklaying("a", zapopan))
	path := "/v1/opportunities/" + o.ID.String()
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"} {
		s.get(s.poster, path, header(name, "DELETE")).want(200)
		s.post(s.poster, path, nil, header(name, "GET")).problem(http.StatusMethodNotAllowed, "method_not_allowed")
	}
	for _, name := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Path"} {
		if got := s.get("", "/healthz", header(name, "/v1/returnees")).want(200); strings.Contains(got.body, "items") {
			t.Errorf("%s leads elsewhere", name)
		}
	}
	got := s.post(s.poster, "/v1/opportunities", bricklaying("b", zapopan), func(r *http.Request) { r.Host = "evil.example" }, header("X-Forwarded-Host", "evil.example")).want(201)
	if at := got.header.Get("Location"); !strings.HasPrefix(at, "/v1/opportunities/") || strings.Contains(got.body, "evil") {
		t.Errorf("the host of the request is in the answer: %q", at)
	}
	for _, method := range []string{"GET", "OPTIONS"} {
		got := s.send(s.poster, method, path, nil, header("Origin", "https://evil.example"), header("Access-Control-Request-Method", "DELETE"))
		for name := range got.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s is %q", method, name, got.header.Get(name))
			}
		}
	}
	for _, method := range []string{"TRACE", "CONNECT", "PROPFIND", "DEBUG", "PATCH"} {
		if got := s.send(s.poster, method, path, nil); got.status < 400 || strings.Contains(got.body, s.poster) {
			t.Errorf("%s: %d %s", method, got.status, got.body)
		}
	}
	s.get(s.poster, "/v1/opportunities?"+strings.Repeat("a=b&", 8000)).problem(http.StatusBadRequest, onward.EMalformed)
	h := s.get("", "/healthz").header
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
	} {
		if h.Get(name) != want {
			t.Errorf("%s is %q", name, h.Get(name))
		}
	}
	if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "base-uri 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	if h.Get("Server") != "" || h.Get("X-Powered-By") != "" {
		t.Errorf("it names its software: %v", h)
	}
}

// Whatever a caller writes where it could end up in a line of the log or in the audit, it makes no line of its own.
func TestNoCallerWritesLinesIntoTheLog(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	person := s.register(bricklayer("ana"))
	forged := "\x1b[31mforged\x1b[0m"
	for _, text := range []string{forged, "a\tb", `","level":"ERROR","msg":"forged`, "\u2028forged\u2029", strings.Repeat("x", 5000)} {
		if strings.ContainsRune(text, '\x1b') { // which no client would send
			s.exchangeRaw("GET /v1/returnees/"+person.ID.String()+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+s.counsellor+"\r\nUser-Agent: "+text+"\r\nOnward-Reason: "+text+"\r\n\r\n", 1)
			continue
		}
		s.get(s.counsellor, "/v1/returnees/"+person.ID.String(), header("User-Agent", text), header("Onward-Reason", text), header("Referer", text), header("X-Request-Id", text))
		s.get(s.counsellor, "/v1/"+url.PathEscape(text)+"?name="+url.QueryEscape(text+"\n"))
		s.get(s.counsellor, "/v1/returnees?external_id="+url.QueryEscape("\r\n"+text))
	}
	s.exchangeRaw("GET /v1/\x1b[31m HTTP/1.1\r\nHost: x\r\nUser-Agent: a\rb\r\n\r\n", 1)
	lines := 0
	for line := range strings.Lines(s.log.String()) {
		lines++
		var entry struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level == "ERROR" || strings.Contains(line, "forged") || strings.ContainsRune(line, '\x1b') {
			t.Errorf("the log has the line %q: %v", line, err)
		}
	}
	if lines < 10 {
		t.Errorf("only %d lines", lines)
	}
	for _, entry := range decode[struct{ Items []onward.AuditEntry }](s.get(s.supervisor, "/v1/audit?about="+person.ID.String()).want(200)).Items {
		if strings.ContainsAny(entry.Why, "\x1b\t\n\r") || len([]rune(entry.Why)) > 200 {
			t.Errorf("the audit has the reason %q", entry.Why)
		}
	}
}

// Paths lead to operations and never to files.
func TestPathsLeadToNoFiles(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for _, path := range []string{
		"/docs/../../etc/passwd", "/docs/docs.css/../../../go.mod", "/docs/%2e%2e%2f%2e%2e%2fgo.mod", "/docs/..%5c..%5cgo.mod", "/.git/config", "/.env", "//etc/passwd", "/docs/docs.html%00.css", "/debug/pprof/", "/openapi.json/..",
		"/v1/questionnaires/..%2f..%2fgo.mod", "/v1/questionnaires/%2e%2e",
	} {
		for _, answer := range s.exchangeRaw("GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "+s.counsellor+"\r\n\r\n", 1) {
			if answer.status < 400 || strings.Contains(answer.body, "root:") || strings.Contains(answer.body, "module onward") {
				t.Errorf("%s: %d %.200s", path, answer.status, answer.body)
			}
		}
	}
}
