package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"onward"
)

func checks(codes ...string) func(string) any {
	return func(string) any {
		var list []any
		for _, code := range codes {
			list = append(list, map[string]any{"code": code, "result": "yes", "evidence": "seen on the spot"})
		}
		return map[string]any{"checks": list}
	}
}

// otherVetting is the vetting of an opening of the employer, or of an employer that nobody vetted yet.
func (s *system) otherVetting(collection string) func(who, n string) (string, int64) {
	return func(who, n string) (string, int64) {
		id := s.opportunityOf("E", n+"-vet", true)
		version := int64(0)
		if collection == "organisations" {
			id = s.otherEmployer.ID.String()
			version = decode[onward.Vetting](s.get(s.supervisor, "/v1/organisations/"+id+"/vetting").want(200)).Version
		}
		return fmt.Sprintf("%s/%s/vetting", collection, id), version
	}
}

func (s *system) onAlert(path string) func(who, n string) (string, int64) {
	return func(who, n string) (string, int64) {
		a := decode[onward.Alert](s.post(s.counsellor, "/v1/alerts", map[string]any{"referral_id": s.sent("E", n).ID, "kind": "other", "source": "counsellor"}).want(201))
		return fmt.Sprintf(path, a.ID), a.Version
	}
}

// TestASeriousAlertStopsWhatItsEmployerCanNotStartAgain goes the whole way: vetting, an alert, the stop, and the end of it.
func TestASeriousAlertStopsWhatItsEmployerCanNotStartAgain(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.sent("E", "a")
	opening := func() onward.Opportunity {
		return decode[onward.Opportunity](s.get(s.counsellor, "/v1/opportunities/"+r.OpportunityID.String()).want(200))
	}
	organisation, posting := "/v1/organisations/"+s.employer.ID.String()+"/vetting", "/v1/opportunities/"+r.OpportunityID.String()+"/vetting"
	s.put(s.supervisor, posting, checks("real_vacancy", "written_contract", "wage_at_least_minimum")("")).problem(http.StatusPreconditionRequired, onward.EPrecondition)
	s.put(s.supervisor, posting, checks("real_vacancy", "written_contract", "wage_at_least_minimum")(""), ifMatch(0)).want(200)
	if o := opening(); o.Vetting == onward.VettingPassed {
		t.Error("it passed although its organisation did not")
	}
	passed := decode[onward.Vetting](s.put(s.supervisor, organisation, checks("no_worker_fees", "documents_not_retained", "free_to_leave", "grievance_channel",
		"no_child_or_forced_labour", "licensed_intermediary")(""), ifMatch(0)).want(200))
	if passed.Status != onward.VettingPassed {
		t.Fatalf("%+v", passed)
	}
	if o := opening(); o.Vetting != onward.VettingPassed || o.VettedUntil != passed.ValidUntil {
		t.Errorf("the opening is %s until %s", o.Vetting, o.VettedUntil)
	}
	stale := s.put(s.supervisor, organisation, checks("free_to_leave")(""), ifMatch(0))
	stale.problem(http.StatusPreconditionFailed, onward.EVersion)

	raised := decode[onward.Alert](s.post(s.counsellor, "/v1/alerts", map[string]any{"referral_id": r.ID, "kind": "retained_documents", "source": "returnee", "note": "keeps the passport"}).want(201))
	if !raised.Stops || raised.Severity != onward.SeverityHigh {
		t.Errorf("%+v, want it to stop referrals", raised)
	}
	if o := opening(); o.Status != onward.OpportunityPaused || o.Vetting != onward.VettingUnknown {
		t.Errorf("the opening is %s and %s", o.Status, o.Vetting)
	}
	publish := "/v1/opportunities/" + r.OpportunityID.String() + "/publish"
	s.post(s.poster, publish, nil).problem(http.StatusConflict, onward.EConflict)
	s.get(s.poster, "/v1/alerts").problem(http.StatusForbidden, onward.EForbidden)
	path := "/v1/alerts/" + raised.ID.String()
	s.get(s.stranger, path).problem(http.StatusNotFound, onward.ENotFound)
	s.post(s.supervisor, path+"/events", map[string]any{"action": "resolve", "outcome": "confirmed"}, ifMatch(1)).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	s.post(s.supervisor, path+"/events", map[string]any{"action": "assign"}, ifMatch(1)).want(200)
	second := s.post(s.counsellor, path+"/events", map[string]any{"action": "resolve", "outcome": "unfounded", "note": "misunderstood"}, ifMatch(1))
	second.problem(http.StatusPreconditionFailed, onward.EVersion)
	if fresh := decode[struct{ Current onward.Alert }](second).Current; fresh.OwnerID.IsZero() || fresh.Version != 2 {
		t.Errorf("the fresh alert is %+v", fresh)
	}
	s.post(s.counsellor, path+"/events", map[string]any{"action": "resolve", "outcome": "unfounded", "note": "misunderstood"}, ifMatch(2)).want(200)
	trail := decode[onward.Alert](s.get(s.supervisor, path).want(200)).Trail
	if len(trail) != 3 || trail[0].Action != "raised" || trail[0].Note != "keeps the passport" || trail[2].Action != "resolved" {
		t.Errorf("the trail is %+v", trail)
	}
	s.post(s.poster, publish, nil).want(200)
	if o := opening(); o.Vetting != onward.VettingUnknown {
		t.Errorf("it is %s: what was reopened has to be checked again", o.Vetting)
	}
}
