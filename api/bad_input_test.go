package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/store"
)

// opening is a good opportunity as JSON, with something changed in it.
func opening(change string) string {
	return `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":1` + change + `}`
}

func TestEachBadFieldIsNamedWithWhatToDo(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	today := onward.DateOf(time.Now())
	for _, c := range []struct {
		name, body     string
		status         int
		location, rule string
	}{
		{"no body", ``, 400, "", ""},
		{"cut off", `{"kind":`, 400, "body", "syntax"},
		{"not JSON", `kind=job`, 400, "body", "syntax"},
		{"two values", opening("") + opening(""), 400, "body", "syntax"},
		{"broken UTF-8", opening(",\"external_id\":\"\xff\xfe\""), 400, "body", "syntax"},
		{"a field twice", opening(`,"capacity":2`), 400, "body", "syntax"},
		{"a field twice, written differently", opening(`,"\u0063apacity":2`), 400, "body", "syntax"},
		{"nested too deep", opening(`,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100)), 400, "body", "syntax"},
		{"nested far too deep", strings.Repeat(`{"a":`, 200_000), 400, "body", "syntax"},
		{"a list", `[]`, 422, "body", "syntax"},
		{"null", `null`, 422, "body", "syntax"},
		{"an unknown field", opening(`,"salary":1`), 422, "body.salary", "unknown_field"},
		{"an unknown nested field", opening(`,"skills":[{"skill_id":"onward/skill/lay-bricks","importance":9}]`), 422, "body.skills[0].importance", "unknown_field"},
		{"a field in other letters", strings.Replace(opening(""), "capacity", "Capacity", 1), 422, "body.Capacity", "unknown_field"},
		{"a missing field", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770}`, 422, "body.capacity", "required"},
		{"null for a required field", `{"kind":null,"title":{"es":"Albañil"},"place_id":3979770,"capacity":1}`, 422, "body.kind", "schema"},
		{"a text for a number", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":"1"}`, 422, "body.capacity", "schema"},
		{"a number for a text", opening(`,"external_id":7`), 422, "body.external_id", "schema"},
		{"a text for a yes", opening(`,"remote":"yes"`), 422, "body.remote", "schema"},
		{"half a place", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":1.5}`, 422, "body.capacity", "schema"},
		{"no place", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":0}`, 422, "body.capacity", "range"},
		{"negative capacity", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":-3}`, 422, "body.capacity", "range"},
		{"huge capacity", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":100001}`, 422, "body.capacity", "range"},
		{"a capacity beyond numbers", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":1e30}`, 422, "body", "syntax"},
		{"a decimal point", `{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":1.0}`, 422, "body", "syntax"},
		{"a kind that is none", strings.Replace(opening(""), `"job"`, `"gig"`, 1), 422, "body.kind", "schema"},
		{"no title", strings.Replace(opening(""), `"es":"Albañil"`, ``, 1), 422, "body.title", "required"},
		{"a title in no language", strings.Replace(opening(""), `"es"`, `"español"`, 1), 422, "body.title", "language"},
		{"NUL", opening(`,"external_id":"a\u0000b"`), 422, "body.external_id", "characters"},
		{"an escape character", opening(`,"external_id":"a\u001bb"`), 422, "body.external_id", "characters"},
		{"no such day", opening(`,"closes_on":"2026-02-30"`), 422, "body.closes_on", "schema"},
		{"another form of date", opening(`,"closes_on":"31/12/2030"`), 422, "body.closes_on", "schema"},
		{"a closing date in the past", opening(`,"closes_on":"` + today.AddDays(-2).String() + `"`), 422, "body.closes_on", "past"},
		{"a start before the close", opening(`,"closes_on":"` + today.AddDays(9).String() + `","starts_on":"` + today.AddDays(8).String() + `"`), 422, "body.starts_on", "order"},
		{"an unknown skill", opening(`,"skills":[{"skill_id":"onward/skill/lay-brick"}]`), 422, "body.skills[0].skill_id", "unknown_skill"},
		{"a skill twice", opening(`,"skills":[{"skill_id":"onward/skill/lay-bricks"},{"skill_id":"onward/skill/lay-bricks"}]`), 422, "body.skills[1].skill_id", "duplicate"},
		{"an unknown occupation", opening(`,"occupation_id":"onward/occupation/brick-layer"`), 422, "body.occupation_id", "unknown_occupation"},
		{"an unknown place", strings.Replace(opening(""), "3979770", "5", 1), 422, "body.place_id", "unknown_place"},
		{"nowhere", `{"kind":"job","title":{"es":"Albañil"},"capacity":1}`, 422, "body.place_id", "required"},
		{"a wage upside down", opening(`,"wage":{"min_minor":9,"max_minor":8,"currency":"MXN","period":"month"}`), 422, "body.wage.max_minor", "range"},
		{"a wage in no currency", opening(`,"wage":{"min_minor":8,"max_minor":9,"currency":"pesos","period":"month"}`), 422, "body.wage.currency", "currency"},
		{"vetting oneself", opening(`,"vetting":"passed"`), 422, "body.vetting", "role"},
		{"ages upside down", opening(`,"min_age":30,"max_age":20`), 422, "body.max_age", "range"},
	} {
		got := s.post(s.poster, "/v1/opportunities", c.body)
		code := map[int]onward.Code{400: onward.EMalformed, 422: onward.EInvalid}[c.status]
		if got.status != c.status {
			t.Errorf("%s: %d, want %d: %.300s", c.name, got.status, c.status, got.body)
			continue
		}
		p := got.problem(c.status, code)
		if c.location == "" {
			continue
		}
		if f := field(t, p, c.location); f.Rule != c.rule {
			t.Errorf("%s: rule %q, want %q: %+v", c.name, f.Rule, c.rule, f)
		}
	}
	if list := decode[opportunities](s.get(s.poster, "/v1/opportunities").want(200)); len(list.Items) != 0 {
		t.Errorf("%d of the bad ones were written", len(list.Items))
	}
	s.post(s.poster, "/v1/opportunities", opening("")).want(http.StatusCreated) // what the rest was made of
}

func TestWhatIsUnknownComesWithSuggestions(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	p := s.post(s.poster, "/v1/opportunities", opening(`,"skills":[{"skill_id":"onward/skill/lay-brick"}],"occupation_id":"bricklayr"`)).problem(422, onward.EInvalid)
	if f := field(t, p, "body.skills[0].skill_id"); len(f.Suggestions) == 0 || f.Suggestions[0].ID != "onward/skill/lay-bricks" {
		t.Errorf("no useful suggestion for a skill: %+v", f)
	}
	if f := field(t, p, "body.occupation_id"); len(f.Suggestions) == 0 || f.Suggestions[0].ID != "onward/occupation/bricklayer" {
		t.Errorf("no useful suggestion for an occupation: %+v", f)
	}
	p = s.get(s.counsellor, "/v1/opportunities/search?skill=onward/skill/lay-brick,onward/skill/work-at-height").problem(422, onward.EInvalid)
	if f := field(t, p, "query.skill"); len(f.Suggestions) == 0 {
		t.Errorf("no suggestion in a search: %+v", f)
	}
	field(t, s.get(s.counsellor, "/v1/opportunities/search?near=5").problem(422, onward.EInvalid), "query.near")
}

func TestManyErrorsMakeAShortAnswer(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	unknown := strings.TrimSuffix(strings.Repeat(`{"skill_id":"onward/skill/xyzzy"},`, 20_000), ",")
	for name, body := range map[string]string{
		"unknown skills": opening(`,"skills":[` + unknown + `]`),
		"numbers":        opening(`,"skills":[` + strings.TrimSuffix(strings.Repeat("1,", 200_000), ",") + `]`),
		"a long id":      opening(`,"skills":[{"skill_id":"` + strings.Repeat("lay bricks ", 80_000) + `"}]`),
	} {
		started := time.Now()
		got := s.post(s.poster, "/v1/opportunities", body)
		if p := got.problem(422, onward.EInvalid); len(p.Errors) > 100 || len(got.body) > 50_000 {
			t.Errorf("%s: %d errors in %d bytes", name, len(p.Errors), len(got.body))
		}
		if took := time.Since(started); took > 20*time.Second { // a guard against work without bound, not a measurement
			t.Errorf("%s: took %s", name, took)
		}
	}
}

func TestAQueryIsReadStrictly(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for _, c := range []struct {
		path     string
		status   int
		location string
	}{
		{"/v1/opportunities?stauts=open", 422, "query.stauts"},
		{"/v1/opportunities?status=opened", 422, "query.status"},
		{"/v1/opportunities?limit=0", 422, "query.limit"},
		{"/v1/opportunities?limit=201", 422, "query.limit"},
		{"/v1/opportunities?limit=-1", 422, "query.limit"},
		{"/v1/opportunities?limit=ten", 422, "query.limit"},
		{"/v1/opportunities?limit=99999999999999999999", 422, "query.limit"},
		{"/v1/opportunities?cursor=nonsense", 422, "query.cursor"},
		{"/v1/opportunities?cursor=" + strings.Repeat("a", 101), 422, "query.cursor"},
		{"/v1/opportunities?organisation_id=7", 422, "query.organisation_id"},
		{"/v1/opportunities?place_id=-1", 422, "query.place_id"},
		{"/v1/opportunities?limit=5&limit=6", 400, "query.limit"},
		{"/v1/opportunities?limit=%zz", 400, "query"},
		{"/v1/opportunities?limit=1;cursor=2", 400, "query"},
		{"/v1/opportunities?external_id=%ff", 400, "query.external_id"},
		{"/v1/opportunities?external_id=a%00b", 400, "query.external_id"},
		{"/v1/opportunities?external_id=a%1bb", 400, "query.external_id"},
		{"/v1/opportunities/search?q=" + strings.Repeat("x", 201), 422, "query.q"},
		{"/v1/opportunities/search?q=" + strings.Repeat("x", 40_000), 422, "query.q"},
		{"/v1/opportunities/search?radius_km=0", 422, "query.radius_km"},
		{"/v1/opportunities/search?radius_km=NaN&near=3979770", 422, "query.radius_km"},
		{"/v1/opportunities/search?country=mx", 422, "query.country"},
		{"/v1/opportunities/search?kind=job,gig", 422, "query.kind[1]"},
		{"/v1/opportunities/search?offset=9901", 422, "query.offset"},
		{"/v1/opportunities/search?near=x", 422, "query.near"},
		{"/v1/skills?lang=de", 422, "query.lang"},
		{"/v1/skills?kind=tool", 422, "query.kind"},
		{"/v1/places?limit=51", 422, "query.limit"},
		{"/v1/opportunities/not-an-id", 422, "path.id"},
		{"/v1/opportunities/01a20fbc-313e-735b-a750-0f61be4f38fbx", 422, "path.id"},
		{"/v1/opportunities/%00", 422, "path.id"},
		{"/v1/returnees/%ff", 422, "path.id"},
		{"/v1/referral-requests/7", 422, "path.id"},
		{"/v1/referral-requests/7/events", 422, "path.id"},
		{"/v1/referral-requests/" + onward.NewID().String() + "?wait=forever", 422, "query.wait"},
		{"/v1/referral-requests/" + onward.NewID().String() + "?wait=-1s", 422, "query.wait"},
		{"/v1/referral-requests/" + onward.NewID().String() + "?wait=99999999999999999999s", 422, "query.wait"},
	} {
		code := map[int]onward.Code{400: onward.EMalformed, 422: onward.EInvalid}[c.status]
		got := s.get(s.counsellor, c.path)
		if got.status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.path, got.status, c.status, got.body)
			continue
		}
		field(t, got.problem(c.status, code), c.location)
	}
}

func TestWhatIsNotThereIsAProblemToo(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	nobody := onward.NewID().String()
	for _, path := range []string{"/v2/opportunities", "/v1/opportunities/", "/v1/opportunities/" + nobody + "/approve", "/admin", "/docs/../secret", "/" + strings.Repeat("a", 50_000)} {
		s.get(s.counsellor, path).problem(http.StatusNotFound, onward.ENotFound)
	}
	for _, path := range []string{"/v1/opportunities/" + nobody, "/v1/returnees/" + nobody, "/v1/referral-requests/" + nobody, "/v1/referral-requests/" + nobody + "/events", "/v1/opportunities/00000000-0000-0000-0000-000000000000"} {
		s.get(s.counsellor, path).problem(http.StatusNotFound, onward.ENotFound)
	}
	for _, c := range [][2]string{{"DELETE", "/v1/opportunities/" + nobody}, {"PATCH", "/v1/opportunities/" + nobody}, {"PUT", "/v1/opportunities"}, {"POST", "/healthz"}, {"OPTIONS", "/v1/opportunities"}, {"BREW", "/v1/opportunities"}} {
		got := s.send(s.counsellor, c[0], c[1], nil)
		got.problem(http.StatusMethodNotAllowed, "method_not_allowed")
		if got.header.Get("Allow") == "" {
			t.Errorf("%s %s: 405 should say what is allowed", c[0], c[1])
		}
	}
}

func TestHeadIsAnsweredAsGetWithoutABody(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	path := "/v1/opportunities/" + s.open(bricklaying("one", zapopan)).ID.String()
	head := s.send(s.poster, http.MethodHead, path, nil).want(http.StatusOK)
	if head.body != "" || head.header.Get("ETag") != `"v1"` {
		t.Errorf("HEAD: %q %v", head.body, head.header)
	}
	s.send("", http.MethodHead, "/healthz", nil).want(http.StatusOK)
	s.send("", http.MethodHead, path, nil).want(http.StatusUnauthorized)
}

func TestOnlyAGoodTokenOpens(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	var expired, revoked string
	past := time.Now().Add(-time.Minute)
	err := s.store.InTx(t.Context(), onward.System(), func(tx *store.Tx) (err error) {
		if expired, err = s.token(tx, s.agency, onward.RoleCounsellor, &past); err != nil {
			return err
		}
		user, err := tx.CreateUser(t.Context(), onward.User{OrganisationID: s.agency.ID, Name: "x", Email: "x@example.org", Role: onward.RoleCounsellor})
		if err != nil {
			return err
		}
		var token onward.Token
		if revoked, token, err = tx.CreateToken(t.Context(), user, "test", nil); err != nil {
			return err
		}
		return tx.RevokeToken(t.Context(), token.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	details := map[string]string{}
	for name, authorization := range map[string]string{
		"expired": "Bearer " + expired, "revoked": "Bearer " + revoked, "unknown": "Bearer onw_" + strings.Repeat("a", 43),
		"garbage": "Bearer garbage", "long": "Bearer onw_" + strings.Repeat("a", 30_000), "not ASCII": "Bearer onw_\xff\xfe",
		"missing": "", "empty": "Bearer ", "only a scheme": "Bearer", "basic": "Basic YTpi", "bare": s.counsellor, "changed": "Bearer " + s.counsellor + "x",
	} {
		got := s.get("", "/v1/returnees", header("Authorization", authorization))
		details[name] = got.problem(http.StatusUnauthorized, onward.EUnauthenticated).Detail
		if challenge := got.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, `Bearer realm="onward"`) {
			t.Errorf("%s: WWW-Authenticate %q", name, challenge)
		}
	}
	if details["revoked"] != details["unknown"] || !strings.Contains(details["expired"], "expired") {
		t.Errorf("a revoked token is as unknown as any, an expired one says so: %v", details)
	}
	s.get("", "/v1/returnees", header("Authorization", "bearer "+s.counsellor)).want(http.StatusOK) // schemes have no case
}

func TestOnlyJSONIsTaken(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for kind, status := range map[string]int{
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "application/xml": 415, "nonsense": 415, "text/html; a+b": 415,
		"application/json": 201, "application/json; charset=utf-8": 201, "": 201,
	} {
		got := s.post(s.poster, "/v1/opportunities", opening(""), header("Content-Type", kind)).want(status)
		if status == 415 {
			got.problem(415, "unsupported_media_type")
		}
	}
	for _, accept := range []string{"text/html", "application/xml", "json", "application/json", "*/*", "application/problem+json", ";;;"} {
		if got := s.get(s.poster, "/v1/opportunities", header("Accept", accept)).want(200).header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Accept %s: %s", accept, got)
		}
	}
}

func TestARequestIDIsTakenOverOnlyIfItIsOne(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	if got := s.get("", "/healthz", header("X-Request-Id", "trace-0001.a_b")).header.Get("X-Request-Id"); got != "trace-0001.a_b" {
		t.Errorf("a good id was replaced by %q", got)
	}
	for _, bad := range []string{"short", strings.Repeat("a", 65), "trace 0001", "<script>alert(1)</script>", "id\"},{\"level\":\"x", "trace-0001\tx", "trace-ñandú"} {
		if got := s.get("", "/healthz", header("X-Request-Id", bad)).header.Get("X-Request-Id"); len(got) != 36 {
			t.Errorf("%q became %q", bad, got)
		}
		if strings.Contains(s.log.String(), bad) {
			t.Errorf("%q is in the log", bad)
		}
	}
}

func TestABodyThatIsTooLargeIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	big := opening(`,"description":{"es":"` + strings.Repeat("x", 10<<20) + `"}`)
	for _, chunked := range []bool{false, true} {
		connection, err := net.Dial("tcp", s.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = connection.Close() }()
		_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
		length := fmt.Sprintf("Content-Length: %d", len(big))
		if chunked {
			length = "Transfer-Encoding: chunked"
		}
		go func() { // the server need not read all of it
			_, _ = fmt.Fprintf(connection, "POST /v1/opportunities HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n\r\n", s.poster, length)
			if chunked {
				_, _ = fmt.Fprintf(connection, "%x\r\n", len(big))
			}
			_, _ = io.Copy(connection, strings.NewReader(big))
			if chunked {
				_, _ = io.WriteString(connection, "\r\n0\r\n\r\n")
			}
		}()
		var answered bytes.Buffer
		_, _ = io.Copy(&answered, connection) // until the server closes it, not until the deadline
		if text := answered.String(); !strings.HasPrefix(text, "HTTP/1.1 413") || !strings.Contains(text, `"code":"too_large"`) {
			t.Errorf("chunked %t: %.300q", chunked, text)
		}
	}
	exact := opening(`,"description":{"es":"` + strings.Repeat("x", 1<<20) + `"}`)
	exact = strings.Replace(exact, strings.Repeat("x", len(exact)-(1<<20)), "", 1)
	if len(exact) != 1<<20 {
		t.Fatalf("%d bytes", len(exact))
	}
	s.post(s.poster, "/v1/opportunities", exact).problem(422, onward.EInvalid) // a description has its own limit
	s.post(s.poster, "/v1/opportunities", exact+" ").problem(413, onward.ETooLarge)
}
