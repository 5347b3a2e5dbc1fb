package store_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"onward"
	"onward/store"
)

func (b bench) link(r onward.Referral) onward.AnswerLink {
	b.t.Helper()
	link, err := b.store.AnswerLink(b.t.Context(), counsellor, r.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return link
}

func TestALinkAnswersOnceAndNotForever(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	o := b.opening(5)
	r := b.sent(o)
	link := b.link(r)
	if _, p, err := b.store.LinkedReferral(t.Context(), link.Token); err != nil || p.ID != r.ReturneeID {
		t.Fatal(p.ID, err)
	}
	if _, p, err := b.store.ShownProfile(t.Context(), recipient, r.ID); err != nil || p.ID != r.ReturneeID {
		t.Error(p.ID, err)
	}
	_, _, err := b.store.ShownProfile(t.Context(), as(ours, onward.RoleEmployer), r.ID)
	wantCode(t, err, onward.ENotFound)
	_, err = b.store.AnswerLink(t.Context(), elsewhere, r.ID)
	wantCode(t, err, onward.ENotFound)

	answer := func(l onward.AnswerLink) error {
		_, err := b.store.AnswerByLink(t.Context(), l.Token, onward.Answer{Answer: onward.AnswerNo, Reason: onward.ReasonLanguage})
		return err
	}
	if err := answer(link); err != nil {
		t.Fatal(err)
	}
	wantCode(t, answer(link), onward.EConflict)

	// The hold ends, and the link with it; a clock that jumps back opens it again only while a place is held.
	r = b.sent(o)
	link = b.link(r)
	now.Add(int64(onward.HoldFor/time.Second) + 60)
	wantCode(t, answer(link), onward.ENotFound)
	if _, err := b.store.ExpireHolds(t.Context()); err != nil {
		t.Fatal(err)
	}
	now.Add(-3600)
	wantCode(t, answer(link), onward.EConflict)

	// Who agrees no longer is shown to no one, although nobody withdrew anything: the consent ran out.
	now.Store(clock().Unix())
	d := consentingPerson()
	d.Consents[1].ExpiresOn = today.AddDays(1)
	r = b.must(counsellor, b.referTo(counsellor, b.returnee(counsellor, d), o), onward.ReferralSend, "")
	link = b.link(r)
	now.Add(3 * 24 * 3600)
	_, _, err = b.store.LinkedReferral(t.Context(), link.Token)
	wantCode(t, err, onward.ENotFound)
	wantCode(t, answer(link), onward.ENotFound)
}

func TestScarcityCountsOthersOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	scarce, other := b.opening(1), b.opening(1)
	list := func(actor onward.Actor, fits ...float64) (onward.Returnee, onward.ReferralRequest) {
		p := b.returnee(actor, consentingPerson())
		q := b.request(actor, p.ID)
		answer := answerTo(q, p.Version, 2)
		for i, o := range []onward.Opportunity{scarce, other} {
			answer.List.Referrals = append(answer.List.Referrals, onward.RankedReferral{Rank: i + 1, Opportunity: onward.OpportunitySummary{ID: o.ID}, Fit: fits[i], Reach: 0.8, Terms: 1})
		}
		if err := b.store.AnswerRequest(t.Context(), answer, 0); err != nil {
			t.Fatal(err)
		}
		return p, q
	}
	_, mine := list(counsellor, 0.9, 0.9)
	list(counsellor, 0.9, 0.2)
	list(elsewhere, 0.9, 0.2)
	served, _ := list(counsellor, 0.7, 0.2)
	changed, _ := list(counsellor, 0.7, 0.2)
	scarcity := func(q onward.ReferralRequest) []onward.Scarcity {
		t.Helper()
		return result(b, counsellor, func(tx *store.Tx) ([]onward.Scarcity, error) {
			return tx.Scarcity(context.WithoutCancel(t.Context()), q.ID)
		})
	}
	want := func(n int) {
		t.Helper()
		if got := scarcity(mine); len(got) != 1 || got[0] != (onward.Scarcity{OpportunityID: scarce.ID, OnlyFor: n, PlacesLeft: 1}) {
			t.Errorf("%+v, want it to be the only one for %d others", got, n)
		}
	}
	want(4)
	b.must(counsellor, b.referTo(counsellor, served, other), onward.ReferralSend, "")
	want(3) // who has a referral under way does not count
	q := b.request(counsellor, changed.ID)
	answer := answerTo(q, changed.Version, 0)
	if err := b.store.AnswerRequest(t.Context(), answer, 0); err != nil {
		t.Fatal(err)
	}
	want(2) // nor who has another list by now
	wantCode(t, b.try(recipient, func(tx *store.Tx) error {
		_, err := tx.Scarcity(t.Context(), mine.ID)
		return err
	}), onward.ENotFound)
}

func TestAnAgencysOwnCloseRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	supervisor := as(ours, onward.RoleSupervisor)
	rule := onward.CloseRule{Close: onward.CloseFilled, Status: onward.ReferralAccepted, Event: onward.ReferralFail, Reason: onward.ReasonFilled}
	for range 2 {
		rules := result(b, supervisor, func(tx *store.Tx) ([]onward.CloseRule, error) {
			return tx.SetCloseRules(t.Context(), []onward.CloseRule{rule})
		})
		if len(rules) != len(onward.DefaultCloseRules()) {
			t.Errorf("%d rules", len(rules))
		}
	}
	if others := result(b, as(theirs, onward.RoleSupervisor), func(tx *store.Tx) ([]onward.CloseRule, error) { return tx.CloseRules(t.Context()) }); len(others) == 0 || others[2].Event != "" {
		t.Errorf("another agency's rules changed: %+v", others)
	}
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.SetCloseRules(t.Context(), nil)
		return err
	}), onward.EForbidden)
	o := b.opening(3)
	mine := b.sent(o)
	b.must(recipient, mine, onward.ReferralAccept, "")
	theirsToo := b.must(elsewhere, b.refer(elsewhere, o), onward.ReferralSend, "")
	b.must(recipient, theirsToo, onward.ReferralAccept, "")
	b.in(recipient, func(tx *store.Tx) error {
		_, err := tx.ChangeOpportunity(t.Context(), o.ID, 0, onward.EventClose, onward.CloseFilled)
		return err
	})
	if _, err := b.store.EndReferrals(t.Context(), o.ID); err != nil {
		t.Fatal(err)
	}
	if a, c := b.referral(mine), b.referral(theirsToo); a.Status != onward.ReferralFailed || c.Status != onward.ReferralAccepted {
		t.Errorf("%s by the own rule, %s by the default", a.Status, c.Status)
	}
	b.places(o, 1, 0)
}
