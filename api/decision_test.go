package api_test

import (
	"net/http"
	"strings"
	"testing"

	"onward"
)

func TestAPersonCanAskWhyTheyWereReferred(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.withWorkers()
	first := s.opportunityOf("E", "first", true)
	second := s.opportunityOf("E", "second", true)
	s.waitIndexed(2)
	p := s.register(agreeing("someone"))
	q := decode[onward.ReferralRequest](s.get(s.counsellor, "/v1/referral-requests/"+s.request(p.ID).ID.String()+"?wait=10s").want(200))
	if q.List == nil || len(q.List.Referrals) != 2 {
		t.Fatalf("%+v", q)
	}
	chosen := q.List.Referrals[1].Opportunity.ID
	r := decode[onward.Referral](s.post(s.counsellor, "/v1/referrals?send=true", map[string]any{
		"returnee_id": p.ID, "opportunity_id": chosen, "request_id": q.ID, "choice_reason": "person_prefers",
	}).want(201))
	at := "/v1/referrals/" + r.ID.String() + "/decision"
	d := decode[onward.Decision](s.get(s.counsellor, at+"?language=en").want(200))
	if d.Rank != 2 || len(d.Higher) != 1 || d.List != "unchanged" || d.Versions == nil || d.Higher[0].OpportunityID.String() != first && d.Higher[0].OpportunityID.String() != second {
		t.Errorf("%+v", d)
	}
	text := strings.Join(d.Sentences, "\n")
	for _, want := range []string{"A counsellor decided", "number 2 of 2", "you preferred it", "Covers 1 of 2 skills", "say no"} {
		if !strings.Contains(text, want) {
			t.Errorf("the sentences lack %q:\n%s", want, text)
		}
	}
	if said := decode[onward.Decision](s.get(s.counsellor, at+"?language=es").want(200)).Sentences; !strings.Contains(said[0], "consejero") {
		t.Errorf("%q", said)
	}
	s.get(s.poster, at).problem(http.StatusForbidden, onward.EForbidden)
}
