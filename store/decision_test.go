package store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"onward"
	"onward/store"
)

// listOf is a list of openings in their order, and a near miss.
func listOf(lines []onward.Opportunity, miss onward.Opportunity) *onward.RankedList {
	list := &onward.RankedList{
		AnsweredBy: "memory", Considered: len(lines) + 1, Versions: onward.ListVersions{Returnee: 1, Taxonomy: "test-1", Destination: "priors-1", Matcher: "score-2"},
		Destination: onward.Destination{Overridden: true}, NearMisses: []onward.NearMiss{{Opportunity: onward.OpportunitySummary{ID: miss.ID}, Gate: onward.GateDocuments}},
	}
	for i, o := range lines {
		fit := 0.9 - float64(i)/10
		list.Referrals = append(list.Referrals, onward.RankedReferral{
			Rank: i + 1, Opportunity: onward.OpportunitySummary{ID: o.ID, Version: o.Version}, Score: fit / 2, Fit: fit, Reach: 0.5, Terms: 1, Variety: 1,
			Explanation: onward.Explanation{Gates: []onward.GateResult{{Gate: onward.GateVetted, State: onward.GateUnknown}, {Gate: onward.GateAge, State: onward.GateYes}}},
		})
	}
	return list
}

// listed answers a request for a person with a list.
func (b bench) listed(p onward.Returnee, list *onward.RankedList) onward.ReferralRequest {
	b.t.Helper()
	q := b.request(counsellor, p.ID)
	if err := b.store.AnswerRequest(b.t.Context(), store.MatchAnswer{Request: q.ID, ReturneeVersion: p.Version, List: list}, 0); err != nil {
		b.t.Fatal(err)
	}
	return q
}

func (b bench) decision(actor onward.Actor, r onward.Referral) (d onward.Decision, line *onward.RankedReferral, err error) {
	b.t.Helper()
	err = b.try(actor, func(tx *store.Tx) (err error) {
		d, line, err = tx.Decision(b.t.Context(), r.ID)
		return err
	})
	return d, line, err
}

func TestADecisionIsRecordedWithTheReferral(t *testing.T) {
	t.Parallel()
	b := setup(t)
	openings := []onward.Opportunity{b.opening(2), b.opening(2), b.opening(2), b.opening(2)}
	miss := b.opening(2)
	p := b.returnee(counsellor, consentingPerson())
	q := b.listed(p, listOf(openings[:3], miss))
	refer := func(to onward.Opportunity, request onward.ID, reason onward.ChoiceReason) onward.Referral {
		return result(b, counsellor, func(tx *store.Tx) (onward.Referral, error) {
			return tx.CreateReferral(t.Context(), onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: to.ID, RequestID: request, ChoiceReason: reason, ChoiceNote: "asked for it"})
		})
	}
	third := refer(openings[2], q.ID, onward.ChoicePerson)
	d, line, err := b.decision(counsellor, third)
	if err != nil {
		t.Fatal(err)
	}
	if d.Rank != 3 || d.Of != 3 || len(d.Higher) != 2 || d.Higher[0].OpportunityID != openings[0].ID || d.Higher[1].Rank != 2 || d.Higher[0].Score != 0.45 || d.Line == nil || d.Line.Score != 0.35 ||
		d.ChoiceReason != onward.ChoicePerson || d.DecidedBy != counsellor.UserID || d.Role != onward.RoleCounsellor || d.Versions == nil || d.Versions.Matcher != "score-2" || d.AnsweredBy != "memory" ||
		len(d.Overrides) != 1 || len(d.Unknown) != 1 || d.Unknown[0] != onward.GateVetted || len(d.Consents) != 3 || len(d.ListHash) != 64 || d.List != "unchanged" || d.OpportunityVersion == 0 || !d.At.Equal(third.CreatedAt) {
		t.Errorf("%+v", d)
	}
	if line == nil || line.Rank != 3 {
		t.Errorf("the line is %+v", line)
	}
	if body := b.text(`SELECT body FROM referral_decisions WHERE referral_id = $1`, third.ID); strings.Contains(body, "asked for it") {
		t.Error("the record holds words")
	}
	for name, c := range map[string]struct {
		referral onward.Referral
		is       func(onward.Decision) bool
	}{
		"the first": {refer(openings[0], q.ID, ""), func(d onward.Decision) bool { return d.Rank == 1 && len(d.Higher) == 0 && d.List == "unchanged" }},
		"a near miss": {refer(miss, q.ID, onward.ChoiceTrust), func(d onward.Decision) bool {
			return d.Rank == 0 && d.NearMiss == onward.GateDocuments && len(d.Higher) == 3
		}},
		"off the list": {refer(openings[3], q.ID, onward.ChoiceTrust), func(d onward.Decision) bool { return d.Rank == 0 && d.NearMiss == "" && d.Line == nil }},
		"no list": {b.refer(counsellor, openings[1]), func(d onward.Decision) bool {
			return d.RequestID.IsZero() && d.List == "none" && d.ListHash == "" && d.Versions == nil && d.ChoiceReason == onward.ChoiceOffList
		}},
	} {
		if d, _, err := b.decision(counsellor, c.referral); err != nil || !c.is(d) {
			t.Errorf("%s: %+v %v", name, d, err)
		}
	}
	for _, actor := range []onward.Actor{recipient, elsewhere, as(ours, onward.RoleAnalyst)} {
		_, _, err := b.decision(actor, third)
		wantCode(t, err, onward.ENotFound)
	}
	all := result(b, as(ours, onward.RoleSupervisor), func(tx *store.Tx) ([]onward.Decision, error) { return tx.Decisions(t.Context(), p.ID) })
	if len(all) != 4 {
		t.Errorf("%d decisions about the person", len(all))
	}
	// The record is in the audit, so that a change by whoever owns the database shows.
	if n := b.count(`SELECT count(*) FROM audit WHERE entry::jsonb ->> 'resource' = 'referral_decisions' AND ids @> ARRAY[$1::uuid]`, third.ID); n != 1 {
		t.Errorf("%d entries of the audit about the decision", n)
	}
	b.sql(`UPDATE referral_requests SET list = list || '\x00' WHERE id = $1`, q.ID)
	if d, line, _ := b.decision(counsellor, third); d.List != "altered" || line != nil {
		t.Errorf("an altered list is %q", d.List)
	}
}

// text reads one value past row-level security.
func (b bench) text(query string, args ...any) (value string) {
	b.t.Helper()
	if err := b.admin().GetContext(b.t.Context(), &value, query, args...); err != nil {
		b.t.Fatal(err)
	}
	return value
}

func TestADecisionOutlivesThePersonWithoutWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(1)
	p := b.returnee(counsellor, consentingPerson())
	q := b.listed(p, listOf([]onward.Opportunity{o}, o))
	r := result(b, counsellor, func(tx *store.Tx) (onward.Referral, error) {
		return tx.CreateReferral(t.Context(), onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: o.ID, RequestID: q.ID})
	})
	export := result(b, as(ours, onward.RoleSupervisor), func(tx *store.Tx) (onward.Export, error) { return tx.Export(t.Context(), p.ID) })
	if len(export.Decisions) != 1 || export.Decisions[0].ReferralID != r.ID {
		t.Errorf("the export has %+v", export.Decisions)
	}
	before := b.text(`SELECT body FROM referral_decisions WHERE referral_id = $1`, r.ID)
	b.in(as(ours, onward.RoleSupervisor), func(tx *store.Tx) error {
		_, err := tx.EraseReturnee(t.Context(), p.ID)
		return err
	})
	d, line, err := b.decision(counsellor, r)
	if err != nil || d.List != "gone" || line != nil || d.Rank != 1 || d.Line == nil {
		t.Errorf("%+v %v", d, err)
	}
	if after := b.text(`SELECT body FROM referral_decisions WHERE referral_id = $1`, r.ID); after != before {
		t.Error("the record changed")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(before), &fields); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		switch name {
		case "opportunity_id", "opportunity_version", "request_id", "rank", "of", "considered", "line", "higher", "near_miss", "unknown", "choice_reason", "overrides", "versions",
			"answered_by", "fallback", "consents":
		default:
			t.Errorf("the record holds %s: is it without words?", name)
		}
	}
}
