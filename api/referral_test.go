package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"onward"
)

// agreeing is a bricklayer who agreed to be shown and followed up.
func agreeing(external string) onward.ReturneeDetails {
	p := bricklayer(external)
	for _, purpose := range []onward.ConsentPurpose{onward.ConsentSharing, onward.ConsentFollowUp} {
		p.Consents = append(p.Consents, onward.Consent{Purpose: purpose, GivenOn: onward.NewDate(2026, time.January, 1)})
	}
	return p
}

// sent is a referral that awaits an answer, to an opening of who: the employer's for E, else the agency's own.
func (s *system) sent(who, external string) onward.Referral {
	s.t.Helper()
	o := s.opportunityOf(who, external, true)
	return decode[onward.Referral](s.post(s.counsellor, "/v1/referrals?send=true", map[string]any{
		"returnee_id": s.register(agreeing(external)).ID, "opportunity_id": o, "choice_reason": "not_on_the_list",
	}).want(201))
}

func (s *system) moved(r onward.Referral, event, reason string) onward.Referral {
	s.t.Helper()
	body := map[string]any{"event": event}
	if reason != "" {
		body["reason"] = reason
	}
	return decode[onward.Referral](s.post(s.counsellor, "/v1/referrals/"+r.ID.String()+"/events", body, ifMatch(r.Version)).want(200))
}

func ifMatch(version int64) option { return header("If-Match", fmt.Sprintf(`"v%d"`, version)) }

// accepted, asked and placed bring a referral further. They return the id and the version of what is then looked at.
type further func(s *system, r onward.Referral) (onward.Referral, onward.ID, int64)

func accepted(s *system, r onward.Referral) (onward.Referral, onward.ID, int64) {
	r = s.moved(r, "accept", "")
	return r, r.ID, r.Version
}

func asked(s *system, r onward.Referral) (onward.Referral, onward.ID, int64) {
	link := decode[onward.AnswerLink](s.post(s.counsellor, "/v1/referrals/"+r.ID.String()+"/answer-links", nil).want(201))
	got := decode[onward.ReceivedReferral](s.post("", "/v1/answers/"+link.Token, map[string]any{"answer": "need_information", "question": "At height?"}).want(200))
	return r, r.ID, got.Version
}

func placed(s *system, r onward.Referral) (onward.Referral, onward.ID, int64) {
	p := decode[onward.Placement](s.post(s.counsellor, "/v1/referrals/"+r.ID.String()+"/placement", startToday(""), ifMatch(r.Version)).want(201))
	return r, p.ID, p.Version
}

func startToday(string) any {
	return map[string]any{"started_on": "2026-01-05", "side": "organisation", "source": "employer"}
}

func event(name, reason string) func(string) any {
	return func(string) any { return map[string]any{"event": name, "reason": reason} }
}

func text(field string) func(string) any {
	return func(string) any { return map[string]any{field: "At height, for years"} }
}

// at is what the table of roles tries an operation on: a referral that was sent and brought further.
func (s *system) at(path string, steps ...further) func(who, n string) (string, int64) {
	return func(who, n string) (string, int64) {
		r := s.sent(who, n)
		id, version := r.ID, r.Version
		for _, step := range steps {
			r, id, version = step(s, r)
		}
		return fmt.Sprintf(path, id), version
	}
}

func (s *system) byLink(who, n string) (string, int64) {
	r := s.sent(who, n)
	return "answers/" + decode[onward.AnswerLink](s.post(s.counsellor, "/v1/referrals/"+r.ID.String()+"/answer-links", nil).want(201)).Token, 1
}

func (s *system) newReferral(n string) any {
	return map[string]any{"returnee_id": s.register(agreeing(n)).ID, "opportunity_id": s.opportunityOf("E", n, true), "choice_reason": "not_on_the_list"}
}

func TestAnEmployerAnswersWithOneClick(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.sent("E", "case-4711")
	link := decode[onward.AnswerLink](s.post(s.counsellor, "/v1/referrals/"+r.ID.String()+"/answer-links", nil).want(201))
	if !link.ExpiresAt.Equal(*r.HoldUntil) {
		t.Errorf("the link ends at %v, the hold at %v", link.ExpiresAt, r.HoldUntil)
	}
	shown := s.get("", "/v1/answers/"+link.Token+"?language=es").want(200)
	card := decode[onward.ReferralCard](shown)
	if card.Card == nil || len(card.Card.Skills) == 0 || card.Card.Pseudonym != r.Pseudonym || card.Referral.Agency != "agency" || card.Place == "" {
		t.Fatalf("the card is %s", shown.body)
	}
	person := decode[onward.Returnee](s.get(s.counsellor, "/v1/returnees/"+r.ReturneeID.String()).want(200))
	for _, secret := range []string{r.ReturneeID.String(), person.Identity.GivenName, person.Identity.FamilyName, person.Identity.Phone, person.ExternalID} {
		if secret != "" && strings.Contains(shown.body, secret) {
			t.Errorf("the card holds %q", secret)
		}
	}
	s.get(s.poster, "/v1/received-referrals/"+r.ID.String()+"/person").problem(http.StatusNotFound, onward.ENotFound)

	// Bad answers use nothing up.
	for _, bad := range []map[string]any{
		{"answer": "no"},
		{"answer": "yes", "reason": "language"},
		{"answer": "no", "reason": "found_other_work"},
		{"answer": "need_information"},
		{"answer": "maybe"},
		{},
	} {
		s.post("", "/v1/answers/"+link.Token, bad).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	}
	// Of many clicks at once, one counts.
	var wg sync.WaitGroup
	status := make([]int, 8)
	for i := range status {
		wg.Go(func() { status[i] = s.post("", "/v1/answers/"+link.Token, map[string]any{"answer": "yes"}).status })
	}
	wg.Wait()
	yes := 0
	for _, code := range status {
		switch code {
		case http.StatusOK:
			yes++
		case http.StatusConflict:
		default:
			t.Errorf("a click ended with %d", code)
		}
	}
	if yes != 1 {
		t.Errorf("%d clicks counted, want 1", yes)
	}
	s.get("", "/v1/answers/"+link.Token).problem(http.StatusConflict, onward.EConflict)
	who := decode[onward.SharedIdentity](s.get(s.poster, "/v1/received-referrals/"+r.ID.String()+"/person").want(200))
	if who.GivenName != person.Identity.GivenName {
		t.Errorf("after the yes the employer sees %+v", who)
	}
	s.post(s.counsellor, "/v1/referrals/"+r.ID.String()+"/answer-links", nil).problem(http.StatusConflict, onward.EConflict)
	if strings.Contains(s.log.String(), link.Token) {
		t.Error("the log holds the token of a link")
	}
}

func TestForgedLinksOpenNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.sent("E", "a")
	link := decode[onward.AnswerLink](s.post(s.counsellor, "/v1/referrals/"+r.ID.String()+"/answer-links", nil).want(201))
	last := link.Token[len(link.Token)-1]
	for _, token := range []string{
		"x", "v4.local.AAAA", link.Token[:len(link.Token)-2], link.Token[:len(link.Token)-5] + "AAAA" + string(last), "v4.public." + strings.TrimPrefix(link.Token, "v4.local."),
		"eyJhbGciOiJub25lIn0.eyJqdGkiOiIxIn0.", strings.Repeat("a", 999),
	} {
		s.get("", "/v1/answers/"+token).problem(http.StatusNotFound, onward.ENotFound)
		s.post("", "/v1/answers/"+token, map[string]any{"answer": "yes"}).problem(http.StatusNotFound, onward.ENotFound)
	}
	s.moved(r, "withdraw", "health")
	s.get("", "/v1/answers/"+link.Token).problem(http.StatusConflict, onward.EConflict)
	s.post("", "/v1/answers/"+link.Token, map[string]any{"answer": "yes"}).problem(http.StatusConflict, onward.EConflict)
}

func TestAStaleChangeShowsTheFreshReferral(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.sent("E", "a")
	path := "/v1/referrals/" + r.ID.String() + "/events"
	s.post(s.counsellor, path, map[string]any{"event": "pause", "reason": "health"}).problem(http.StatusPreconditionRequired, onward.EPrecondition)
	s.moved(r, "pause", "health")
	stale := s.post(s.supervisor, path, map[string]any{"event": "withdraw", "reason": "family"}, ifMatch(r.Version))
	stale.problem(http.StatusPreconditionFailed, onward.EVersion)
	if told := decode[onward.Referral](s.get(s.counsellor, "/v1/referrals/"+r.ID.String()).want(200)).ToTell; !strings.Contains(told, "en pausa") {
		t.Errorf("to tell: %q", told)
	}
	fresh := decode[struct{ Current onward.Referral }](stale).Current
	if fresh.Status != onward.ReferralOnHold || fresh.Version != r.Version+1 {
		t.Errorf("the fresh state is %+v", fresh)
	}
	if _, held := decode[map[string]any](s.get(s.counsellor, "/v1/referrals/"+r.ID.String()+"/history").want(200))["items"]; !held {
		t.Error("no history")
	}
}

func TestCloseRulesOfAnAgency(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	type rules struct{ Rules []onward.CloseRule }
	all := decode[rules](s.get(s.supervisor, "/v1/close-rules").want(200)).Rules
	if len(all) != len(onward.DefaultCloseRules()) {
		t.Errorf("%d rules, want one for each case", len(all))
	}
	for name, bad := range map[string]map[string]any{
		"an end that is none":     {"close_reason": "filled", "status": "accepted", "event": "withdraw", "reason": "language"},
		"an unsafe one goes on":   {"close_reason": "unsafe", "status": "accepted"},
		"not for that state":      {"close_reason": "filled", "status": "draft", "event": "fail", "reason": "did_not_show"},
		"a reason that is no one": {"close_reason": "filled", "status": "requested", "event": "decline", "reason": "x"},
	} {
		if got := s.put(s.supervisor, "/v1/close-rules", map[string]any{"rules": []any{bad}}); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	set := decode[rules](s.put(s.supervisor, "/v1/close-rules", map[string]any{"rules": []any{
		map[string]any{"close_reason": "filled", "status": "accepted", "event": "fail", "reason": "opportunity_filled"},
	}}).want(200)).Rules
	for _, r := range set {
		if r.Close == onward.CloseFilled && r.Status == onward.ReferralAccepted && r.Event != onward.ReferralFail {
			t.Errorf("the rule is %+v", r)
		}
	}
	// It holds for a referral of this agency.
	o := s.opportunityOf("E", "o", true)
	r := decode[onward.Referral](s.post(s.counsellor, "/v1/referrals?send=true", map[string]any{
		"returnee_id": s.register(agreeing("p")).ID, "opportunity_id": o, "choice_reason": "not_on_the_list",
	}).want(201))
	r = s.moved(r, "accept", "")
	s.withWorkers()
	s.post(s.poster, "/v1/opportunities/"+o+"/close?reason=filled", nil).want(200)
	deadline := time.Now().Add(20 * time.Second)
	for r.Status != onward.ReferralFailed && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
		r = decode[onward.Referral](s.get(s.counsellor, "/v1/referrals/"+r.ID.String()).want(200))
	}
	if r.Status != onward.ReferralFailed || r.Reason != onward.ReasonFilled || r.EndedFrom != onward.ReferralAccepted {
		t.Errorf("it is %s (%s) from %s", r.Status, r.Reason, r.EndedFrom)
	}
}
