package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"onward"
)

func TestAReferralRequestIsAcceptedAndItsListComes(t *testing.T) {
	t.Parallel()
	s := newSystem(t).withWorkers()
	here, far := s.open(bricklaying("here", guadalajara)), s.open(bricklaying("far", zapopan))
	s.waitIndexed(2)
	returnee := s.register(bricklayer("ana"))
	accepted := s.post(s.counsellor, "/v1/returnees/"+returnee.ID.String()+"/referral-requests", map[string]any{"limit": 5}).want(http.StatusAccepted)
	request := decode[onward.ReferralRequest](accepted)
	if request.Status != onward.RequestQueued || accepted.header.Get("Location") != "/v1/referral-requests/"+request.ID.String() || request.Options.Limit != 5 {
		t.Fatalf("202 with the Location of a queued request: %v %s", accepted.header, accepted.body)
	}
	started := time.Now()
	ready := s.get(s.counsellor, accepted.header.Get("Location")+"?wait=60s").want(http.StatusOK)
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("the long poll came after %s", took)
	}
	got := decode[onward.ReferralRequest](ready)
	if got.Status != onward.RequestReady || got.List == nil || len(got.List.Referrals) != 2 || ready.header.Get("Retry-After") != "" {
		t.Fatalf("not ready: %s", ready.body)
	}
	if got.List.Referrals[0].Opportunity.ID != here.ID || got.List.Referrals[1].Opportunity.ID != far.ID || got.List.AnsweredBy != "memory" {
		t.Errorf("ranked otherwise: %s", ready.body)
	}
	if again := s.get(s.counsellor, accepted.header.Get("Location")).want(200); again.body != ready.body {
		t.Error("the list changed from one read to the next")
	}
	events := s.get(s.counsellor, accepted.header.Get("Location")+"/events").want(http.StatusOK)
	if events.header.Get("Content-Type") != "text/event-stream" || !strings.HasPrefix(events.body, "event: ready\ndata: {") || strings.Contains(events.body, "queued") {
		t.Errorf("a request that is ready has one event: %.200q", events.body)
	}
	s.get(s.stranger, accepted.header.Get("Location")).problem(http.StatusNotFound, onward.ENotFound)
}

func TestALongPollEndsWithItsTime(t *testing.T) {
	t.Parallel()
	s := newSystem(t) // without workers nothing ever becomes ready
	request := s.request(s.register(bricklayer("ana")).ID)
	path := "/v1/referral-requests/" + request.ID.String()
	for _, wait := range []string{"", "?wait=0s", "?wait=300ms"} {
		started := time.Now()
		got := s.get(s.counsellor, path+wait).want(http.StatusOK)
		if decode[onward.ReferralRequest](got).Status != onward.RequestQueued || got.header.Get("Retry-After") != "1" {
			t.Errorf("%s: %v %s", wait, got.header, got.body)
		}
		took := time.Since(started)
		if wait == "?wait=300ms" && took < 300*time.Millisecond {
			t.Errorf("came back after %s already", took)
		}
		if took > 20*time.Second {
			t.Errorf("%s: waited %s", wait, took)
		}
	}
}

func TestEventsTellOfTheAnswerWhenItComes(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	request := s.request(s.register(bricklayer("ana")).ID)
	path := s.server.URL + "/v1/referral-requests/" + request.ID.String() + "/events"
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.counsellor)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	next := func() (event string, request onward.ReferralRequest) {
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &request); err != nil {
					t.Fatalf("%v: %s", err, data)
				}
				return event, request
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return "", request
	}
	if event, got := next(); event != "queued" || got.ID != request.ID {
		t.Fatalf("first %s %+v", event, got)
	}
	s.withWorkers()
	if event, got := next(); event != "ready" || got.ID != request.ID || got.List == nil {
		t.Fatalf("then %s %+v", event, got)
	}
	if lines.Scan() && lines.Text() != "" || lines.Scan() {
		t.Errorf("more than the answer: %q", lines.Text())
	}
}

func TestEventsOfWhatIsNotThereAre404BeforeAStream(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	theirs := s.request(s.register(bricklayer("ana")).ID)
	for _, id := range []onward.ID{onward.NewID(), theirs.ID} {
		s.get(s.stranger, "/v1/referral-requests/"+id.String()+"/events").problem(http.StatusNotFound, onward.ENotFound)
	}
}

func TestAnIdempotencyKeyGivesTheSameRequest(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	ana, ben := s.register(bricklayer("ana")), s.register(bricklayer("ben"))
	path := "/v1/returnees/" + ana.ID.String() + "/referral-requests"
	key := header("Idempotency-Key", "key-1")
	first := s.post(s.counsellor, path, map[string]any{"limit": 5}, key).want(http.StatusAccepted)
	again := s.post(s.counsellor, path, map[string]any{"limit": 5}, key).want(http.StatusAccepted)
	if first.body != again.body || first.header.Get("Location") != again.header.Get("Location") {
		t.Errorf("another request came:\n%s\n%s", first.body, again.body)
	}
	s.post(s.counsellor, path, map[string]any{"limit": 6}, key).problem(http.StatusConflict, onward.EConflict)
	s.post(s.counsellor, "/v1/returnees/"+ben.ID.String()+"/referral-requests", map[string]any{"limit": 5}, key).problem(http.StatusConflict, onward.EConflict)
	if other := s.post(s.supervisor, path, map[string]any{"limit": 6}, key).want(http.StatusAccepted); other.header.Get("Location") == first.header.Get("Location") {
		t.Error("a key belongs to its user")
	}
	field(t, s.post(s.counsellor, path, nil, header("Idempotency-Key", strings.Repeat("k", 201))).problem(422, onward.EInvalid), "header.Idempotency-Key")
	field(t, s.post(s.counsellor, path, nil, header("Idempotency-Key", "key 1")).problem(422, onward.EInvalid), "header.Idempotency-Key")
}

func TestConcurrentRequestsWithOneKeyAreOne(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	path := "/v1/returnees/" + s.register(bricklayer("ana")).ID.String() + "/referral-requests"
	locations := make([]string, 8)
	var all sync.WaitGroup
	for i := range locations {
		all.Go(func() {
			got := s.post(s.counsellor, path, nil, header("Idempotency-Key", "same-key"))
			locations[i] = fmt.Sprint(got.status, got.header.Get("Location"))
		})
	}
	all.Wait()
	for _, l := range locations {
		if l != locations[0] || !strings.HasPrefix(l, "202/v1/referral-requests/") {
			t.Fatalf("different answers: %v", locations)
		}
	}
}

func TestRequestsOfAReturneeAreListedWithoutTheirLists(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	returnee := s.register(bricklayer("ana"))
	var made []onward.ID
	for range 3 {
		made = append(made, s.request(returnee.ID).ID)
	}
	type requests struct {
		Items []onward.ReferralRequest
		Next  string
	}
	path := "/v1/returnees/" + returnee.ID.String() + "/referral-requests"
	first := decode[requests](s.get(s.counsellor, path+"?limit=2").want(200))
	if len(first.Items) != 2 || first.Items[0].ID != made[2] || first.Items[0].List != nil || first.Next == "" {
		t.Fatalf("%+v", first)
	}
	if second := decode[requests](s.get(s.counsellor, path+"?limit=2&cursor="+first.Next).want(200)); len(second.Items) != 1 || second.Items[0].ID != made[0] || second.Next != "" {
		t.Fatalf("%+v", second)
	}
	s.get(s.stranger, path).problem(404, onward.ENotFound)
}

func TestNoListWithoutConsent(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	without := bricklayer("ana")
	without.Consents = nil
	ended := bricklayer("ben")
	ended.Consents[0].WithdrawnOn = onward.DateOf(time.Now())
	for _, details := range []onward.ReturneeDetails{without, ended} {
		p := s.post(s.counsellor, "/v1/returnees/"+s.register(details).ID.String()+"/referral-requests", nil).problem(422, onward.EInvalid)
		if len(p.Errors) != 1 || p.Errors[0].Rule != "consent" {
			t.Errorf("%+v", p)
		}
	}
	path := "/v1/returnees/" + s.register(bricklayer("eva")).ID.String() + "/referral-requests"
	for body, location := range map[string]string{
		`{"limit":101}`: "body.limit", `{"kinds":["gig"]}`: "body.kinds[0]", `{"limits":1}`: "body.limits",
		`{"destination":[{"place_id":3979770,"probability":0.4}],"destination_reason":"x"}`: "body.destination",
		`{"destination":[{"place_id":3979770,"probability":1}]}`:                            "body.destination_reason",
		`{"destination":[{"place_id":5,"probability":1}],"destination_reason":"x"}`:         "body.destination[0].place_id",
	} {
		field(t, s.post(s.counsellor, path, body).problem(422, onward.EInvalid), location)
	}
}
