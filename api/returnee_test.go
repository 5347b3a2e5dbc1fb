package api_test

import (
	"net/http"
	"strings"
	"testing"

	"onward"
)

func TestAReturneeIsRegisteredReadAndChanged(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	created := s.post(s.counsellor, "/v1/returnees", bricklayer("ana")).want(http.StatusCreated)
	r := decode[onward.Returnee](created)
	path := created.header.Get("Location")
	if path != "/v1/returnees/"+r.ID.String() || r.Identity.GivenName != "Ana" || r.CounsellorID.IsZero() {
		t.Fatalf("%v %s", created.header, created.body)
	}
	read := s.get(s.supervisor, path).want(http.StatusOK)
	if read.body != created.body || read.header.Get("ETag") != `"v1"` {
		t.Errorf("read differs:\n%s\n%s", read.body, created.body)
	}
	if same := s.get(s.counsellor, path, header("If-None-Match", `"v1"`)).want(http.StatusNotModified); same.body != "" || same.header.Get("ETag") != `"v1"` {
		t.Errorf("304: %v %q", same.header, same.body)
	}
	details := bricklayer("ana")
	details.Identity.FamilyName = "Cambiada"
	s.put(s.counsellor, path, details).problem(http.StatusPreconditionRequired, onward.EPrecondition)
	if p := s.put(s.counsellor, path, details, header("If-Match", `"v4"`)).problem(http.StatusPreconditionFailed, onward.EVersion); !strings.Contains(p.Detail, "read it again") {
		t.Errorf("412 should say what to do: %s", p.Detail)
	}
	changed := s.put(s.counsellor, path, details, header("If-Match", `"v1"`)).want(http.StatusOK)
	if got := decode[onward.Returnee](changed); got.Identity.FamilyName != "Cambiada" || changed.header.Get("ETag") != `"v2"` {
		t.Errorf("%s", changed.body)
	}
	s.post(s.counsellor, "/v1/returnees", bricklayer("ana")).problem(http.StatusConflict, onward.EConflict)
	other := decode[onward.Returnee](s.post(s.counsellor, "/v1/returnees", bricklayer("ben")).want(201))
	s.put(s.counsellor, "/v1/returnees/"+other.ID.String(), bricklayer("ana"), header("If-Match", `"v1"`)).problem(http.StatusConflict, onward.EConflict)
	field(t, s.post(s.counsellor, "/v1/returnees", `{"country":"MX","religion":"none"}`).problem(422, onward.EInvalid), "body.religion")
	field(t, s.post(s.counsellor, "/v1/returnees", `{"country":"México"}`).problem(422, onward.EInvalid), "body.country")
}

func TestACaseloadIsListedAndSearchedByName(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	ana := s.register(bricklayer("ana"))
	ben := bricklayer("ben")
	ben.Identity = onward.Identity{GivenName: "Benito", FamilyName: "50%_Ünal"}
	s.register(ben)
	type returnees struct{ Items []onward.Returnee }
	for query, want := range map[string]int{
		"": 2, "?name=ana": 1, "?name=BENITO%2050": 1, "?name=unal": 1, "?name=ben": 0, "?name=zz": 0, "?contact=ana%40example.org": 0, "?external_id=ben": 1,
		"?counsellor_id=" + ana.CounsellorID.String(): 2, "?counsellor_id=" + onward.NewID().String(): 0, "?limit=1": 1,
	} {
		if got := decode[returnees](s.get(s.counsellor, "/v1/returnees"+query).want(200)); got.Items == nil || len(got.Items) != want {
			t.Errorf("%s: %d, want %d", query, len(got.Items), want)
		}
	}
	s.get(s.counsellor, "/v1/returnees?name=%25").problem(422, onward.EInvalid)
	if got := decode[returnees](s.get(s.stranger, "/v1/returnees").want(200)); len(got.Items) != 0 {
		t.Error("another agency sees the caseload")
	}
}

// masked is the body of an answer without what may differ from one request to the next.
func masked(a answer, ids ...string) string {
	body := strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), "REQUEST")
	for _, id := range ids {
		body = strings.ReplaceAll(body, id, "ID")
	}
	return body
}

func TestOthersRecordsAreAsIfTheyHadNeverBeen(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	returnee := s.register(bricklayer("ana"))
	request := s.request(returnee.ID)
	draft := decode[onward.Opportunity](s.post(s.poster, "/v1/opportunities", bricklaying("draft", zapopan)).want(201))
	open := s.open(bricklaying("open", zapopan))
	match := header("If-Match", `"v1"`)
	for _, c := range []struct {
		token, method, before, after string
		id                           onward.ID
		body                         any
	}{
		{s.stranger, "GET", "/v1/returnees/", "", returnee.ID, nil},
		{s.stranger, "PUT", "/v1/returnees/", "", returnee.ID, bricklayer("ana")},
		{s.stranger, "POST", "/v1/returnees/", "/referral-requests", returnee.ID, map[string]any{}},
		{s.stranger, "GET", "/v1/returnees/", "/referral-requests", returnee.ID, nil},
		{s.stranger, "GET", "/v1/referral-requests/", "", request.ID, nil},
		{s.stranger, "GET", "/v1/referral-requests/", "?wait=30s", request.ID, nil},
		{s.stranger, "GET", "/v1/referral-requests/", "/events", request.ID, nil},
		{s.stranger, "GET", "/v1/opportunities/", "", draft.ID, nil},
		{s.strangerPoster, "GET", "/v1/opportunities/", "", open.ID, nil},
		{s.strangerPoster, "PUT", "/v1/opportunities/", "", open.ID, bricklaying("open", zapopan)},
		{s.strangerPoster, "POST", "/v1/opportunities/", "/publish", draft.ID, nil},
		{s.strangerPoster, "POST", "/v1/opportunities/", "/pause", open.ID, nil},
		{s.strangerPoster, "POST", "/v1/opportunities/", "/close", open.ID, nil},
		{s.supervisor, "POST", "/v1/opportunities/", "/close", open.ID, nil}, // may read it, and change its own
	} {
		never := onward.NewID()
		theirs := s.send(c.token, c.method, c.before+c.id.String()+c.after, c.body, match)
		nothing := s.send(c.token, c.method, c.before+never.String()+c.after, c.body, match)
		theirs.problem(http.StatusNotFound, onward.ENotFound)
		if a, b := masked(theirs, c.id.String()), masked(nothing, never.String()); a != b || theirs.status != nothing.status {
			t.Errorf("%s %s…%s tells that it exists:\n%s\n%s", c.method, c.before, c.after, a, b)
		}
	}
	// Whose role it is not for learns from the role alone, whatever there is.
	for _, id := range []onward.ID{returnee.ID, onward.NewID()} {
		s.get(s.poster, "/v1/returnees/"+id.String()).problem(http.StatusForbidden, onward.EForbidden)
	}
	// An external id of another organisation is not taken.
	s.post(s.stranger, "/v1/returnees", bricklayer("ana")).want(http.StatusCreated)
}
