package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"onward"
)

func TestAPostedOpportunityIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	sent := bricklaying("one", zapopan)
	created := s.post(s.poster, "/v1/opportunities", sent).want(http.StatusCreated)
	o := decode[onward.Opportunity](created)
	if location := created.header.Get("Location"); location != "/v1/opportunities/"+o.ID.String() {
		t.Errorf("Location %q does not lead to %s", location, o.ID)
	}
	if o.Status != onward.OpportunityDraft || o.Country != "MX" || o.Organisation != "employer" || o.Version != 1 {
		t.Errorf("a new opportunity is a draft of its organisation and country: %s", created.body)
	}
	read := s.get(s.poster, created.header.Get("Location")).want(http.StatusOK)
	if read.body != created.body || read.header.Get("ETag") != created.header.Get("ETag") || read.header.Get("ETag") == "" {
		t.Errorf("read differs from what was answered to the post:\n%s\n%s", read.body, created.body)
	}
	if got := decode[onward.Opportunity](read); got.Title["es"] != "Albañil" || len(got.Skills) != 2 || !got.Skills[0].Essential || got.PlaceID != zapopan {
		t.Errorf("what was posted is not what is read: %s", read.body)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := read.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestIfNoneMatchSavesSendingWhatIsKnown(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	path := "/v1/opportunities/" + s.open(bricklaying("one", zapopan)).ID.String()
	tag := s.get(s.poster, path).want(http.StatusOK).header.Get("ETag")
	for _, known := range []string{tag, "W/" + tag, "*", `"v9", ` + tag} {
		same := s.get(s.poster, path, header("If-None-Match", known)).want(http.StatusNotModified)
		if same.body != "" || same.header.Get("ETag") != tag || same.header.Get("Content-Type") == "application/problem+json" {
			t.Errorf("If-None-Match %s: a 304 has the ETag and no body: %v %q", known, same.header, same.body)
		}
	}
	for _, known := range []string{`"v9"`, "v1", `"v10"`} {
		s.get(s.poster, path, header("If-None-Match", known)).want(http.StatusOK)
	}
}

func TestAChangeNeedsTheETagOfWhatWasRead(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	o := s.open(bricklaying("one", zapopan))
	path := "/v1/opportunities/" + o.ID.String()
	details := bricklaying("one", guadalajara)
	s.put(s.poster, path, details).problem(http.StatusPreconditionRequired, onward.EPrecondition)
	for _, wrong := range []string{"*", "1", "v1", `"1"`, `"v0"`, `"v-1"`, `"v1", "v2"`, `"v01"`, `"v99999999999999999999"`, `"garbage"`, `"v1`} {
		s.put(s.poster, path, details, header("If-Match", wrong)).problem(http.StatusPreconditionFailed, onward.EVersion)
	}
	if p := s.put(s.poster, path, details, header("If-Match", `"v7"`)).problem(http.StatusPreconditionFailed, onward.EVersion); p.Detail !=
		"it was changed meanwhile (version 1); read it again and repeat your change" {
		t.Errorf("412 should say what to do: %s", p.Detail)
	}
	changed := s.put(s.poster, path, details, header("If-Match", `"v1"`)).want(http.StatusOK)
	if got := decode[onward.Opportunity](changed); got.PlaceID != guadalajara || got.Version != 2 || changed.header.Get("ETag") != `"v2"` {
		t.Errorf("the change was not made: %s", changed.body)
	}
	s.put(s.poster, path, details, header("If-Match", `"v1"`)).problem(http.StatusPreconditionFailed, onward.EVersion)
	s.put(s.poster, path, details, header("If-Match", `W/"v2"`)).want(http.StatusOK) // weakened by a proxy
}

func TestAnOpportunityMovesOnlyAlongItsStates(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	created := decode[onward.Opportunity](s.post(s.poster, "/v1/opportunities", bricklaying("one", zapopan)).want(http.StatusCreated))
	path := "/v1/opportunities/" + created.ID.String()
	steps := []struct {
		event  string
		status int
		state  onward.OpportunityStatus
	}{
		{"pause", http.StatusConflict, ""},
		{"publish", http.StatusOK, onward.OpportunityOpen},
		{"publish", http.StatusConflict, ""},
		{"pause", http.StatusOK, onward.OpportunityPaused},
		{"pause", http.StatusConflict, ""},
		{"publish", http.StatusOK, onward.OpportunityOpen},
		{"close?reason=filled", http.StatusOK, onward.OpportunityClosed},
		{"publish", http.StatusConflict, ""},
		{"pause", http.StatusConflict, ""},
		{"close", http.StatusConflict, ""},
	}
	for i, step := range steps {
		got := s.post(s.poster, path+"/"+step.event, nil)
		if step.status == http.StatusConflict {
			got.problem(http.StatusConflict, onward.EConflict)
			continue
		}
		if o := decode[onward.Opportunity](got.want(step.status)); o.Status != step.state || got.header.Get("ETag") == "" {
			t.Errorf("step %d, %s: %s, want %s", i, step.event, o.Status, step.state)
		}
	}
	read := s.get(s.poster, path).want(http.StatusOK)
	if o := decode[onward.Opportunity](read); o.CloseReason != onward.CloseFilled || o.PublishedAt == nil {
		t.Errorf("a closed opportunity says why: %s", read.body)
	}
	s.put(s.poster, path, bricklaying("one", zapopan), header("If-Match", read.header.Get("ETag"))).problem(http.StatusConflict, onward.EConflict)
	s.post(s.poster, path+"/close?reason=boredom", nil).problem(http.StatusUnprocessableEntity, onward.EInvalid)
}

func TestAStateIsChangedOnlyIfTheETagFits(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	path := "/v1/opportunities/" + s.open(bricklaying("one", zapopan)).ID.String()
	s.post(s.poster, path+"/pause", nil, header("If-Match", `"v5"`)).problem(http.StatusPreconditionFailed, onward.EVersion)
	s.post(s.poster, path+"/pause", nil, header("If-Match", "nonsense")).problem(http.StatusPreconditionFailed, onward.EVersion)
	s.post(s.poster, path+"/pause", nil, header("If-Match", `"v1"`)).want(http.StatusOK)
}

func TestAnExternalIDIsTakenOnceAndNamesTheOneThatHasIt(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	first := s.open(bricklaying("one", zapopan))
	p := s.post(s.poster, "/v1/opportunities", bricklaying("one", zapopan)).problem(http.StatusConflict, onward.EConflict)
	if want := "this external_id exists already; read or update /v1/opportunities/" + first.ID.String(); p.Detail != want {
		t.Errorf("%q, want %q", p.Detail, want)
	}
	s.post(s.strangerPoster, "/v1/opportunities", bricklaying("one", zapopan)).want(http.StatusCreated)
}

type opportunities struct {
	Items []onward.Opportunity `json:"items"`
	Next  string               `json:"next"`
}

func titles(list []onward.Opportunity) []string {
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = o.ExternalID
	}
	return ids
}

func TestListsAreFilteredAndSeenByTheirReaders(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.open(bricklaying("job", zapopan))
	training := bricklaying("training", guadalajara)
	training.Kind = onward.Training
	s.open(training)
	s.post(s.poster, "/v1/opportunities", bricklaying("draft", zapopan)).want(http.StatusCreated)
	s.post(s.strangerPoster, "/v1/opportunities?publish=true", bricklaying("theirs", zapopan)).want(http.StatusCreated)
	for _, c := range []struct {
		token, query string
		want         []string
	}{
		{s.poster, "", []string{"draft", "training", "job"}}, // newest first, and only their own
		{s.counsellor, "", []string{"theirs", "training", "job"}},
		{s.poster, "?status=draft", []string{"draft"}},
		{s.counsellor, "?status=draft", []string{}},
		{s.counsellor, "?kind=training", []string{"training"}},
		{s.counsellor, "?place_id=4005539", []string{"training"}},
		{s.counsellor, "?external_id=job", []string{"job"}},
		{s.counsellor, "?organisation_id=" + s.otherEmployer.ID.String(), []string{"theirs"}},
		{s.poster, "?organisation_id=" + s.otherEmployer.ID.String(), []string{}},
		{s.counsellor, "?status=open&kind=job&place_id=3979770&limit=1", []string{"theirs"}},
		{s.counsellor, "?external_id=nothing%25", []string{}},
	} {
		got := s.get(c.token, "/v1/opportunities"+c.query).want(http.StatusOK)
		if list := decode[opportunities](got); list.Items == nil || !slices.Equal(titles(list.Items), c.want) {
			t.Errorf("%s: %v, want %v", c.query, titles(list.Items), c.want)
		}
	}
}

func TestACursorWalksOverEveryRowOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	const rows = 120
	body := ""
	for i := range rows {
		body += fmt.Sprintf(`{"external_id":"x%03d","kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":1}`+"\n", i)
	}
	s.post(s.poster, "/v1/opportunities/bulk", body).want(http.StatusOK)
	for _, limit := range []int{1, 7, 50, 120, 200} {
		if limit == 1 && testing.Short() {
			continue
		}
		seen, next, pages := map[onward.ID]bool{}, "", 0
		for {
			list := decode[opportunities](s.get(s.poster, fmt.Sprintf("/v1/opportunities?limit=%d&cursor=%s", limit, url.QueryEscape(next))).want(http.StatusOK))
			for _, o := range list.Items {
				if seen[o.ID] {
					t.Fatalf("limit %d: %s came twice", limit, o.ID)
				}
				seen[o.ID] = true
			}
			pages++
			if len(list.Items) > limit || (list.Next != "" && len(list.Items) != limit) {
				t.Fatalf("limit %d: a page of %d", limit, len(list.Items))
			}
			if next = list.Next; next == "" {
				break
			}
		}
		if want := (rows + limit - 1) / limit; len(seen) != rows || pages != want {
			t.Errorf("limit %d: %d rows on %d pages, want %d on %d", limit, len(seen), pages, rows, want)
		}
	}
}
