package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onward"
	"onward/store"
)

var (
	// recipient answers for the organisation that the openings of these tests are of.
	recipient = as(theirs, onward.RoleEmployer)
	elsewhere = as(theirs, onward.RoleCounsellor)
)

// consentingPerson agreed to be matched and shown.
func consentingPerson() onward.ReturneeDetails {
	p := person()
	for _, purpose := range []onward.ConsentPurpose{onward.ConsentSharing, onward.ConsentFollowUp} {
		p.Consents = append(p.Consents, onward.Consent{Purpose: purpose, GivenOn: today.AddDays(-10)})
	}
	return p
}

// at is the bench with a clock that the test moves.
func (b bench) at(now *atomic.Int64) bench {
	b.t.Helper()
	now.Store(clock().Unix())
	s, err := store.Open(b.t.Context(), store.Config{URL: b.AppDSN, Vault: keys, Vocabulary: vocabulary{}, Now: func() time.Time { return time.Unix(now.Load(), 0).UTC() }})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = s.Close() })
	b.store = s
	return b
}

func (b bench) opening(places int) onward.Opportunity {
	d := job()
	d.Capacity = places
	return b.opportunity(recipient, d, true)
}

func (b bench) refer(actor onward.Actor, to onward.Opportunity) onward.Referral {
	b.t.Helper()
	return b.referTo(actor, b.returnee(actor, consentingPerson()), to)
}

func (b bench) referTo(actor onward.Actor, p onward.Returnee, to onward.Opportunity) onward.Referral {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) (onward.Referral, error) {
		return tx.CreateReferral(b.t.Context(), onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: to.ID, ChoiceReason: onward.ChoiceOffList})
	})
}

func (b bench) change(actor onward.Actor, r onward.Referral, event onward.ReferralEvent, reason onward.ReferralReason) (changed onward.Referral, err error) {
	b.t.Helper()
	err = b.try(actor, func(tx *store.Tx) (err error) {
		changed, err = tx.ChangeReferral(b.t.Context(), r.ID, 0, onward.ReferralChange{Event: event, Reason: reason})
		return err
	})
	return changed, err
}

// must is change that has to work.
func (b bench) must(actor onward.Actor, r onward.Referral, event onward.ReferralEvent, reason onward.ReferralReason) onward.Referral {
	b.t.Helper()
	changed, err := b.change(actor, r, event, reason)
	if err != nil {
		b.t.Fatalf("%s: %v", event, err)
	}
	return changed
}

func (b bench) sent(to onward.Opportunity) onward.Referral {
	b.t.Helper()
	r := b.must(counsellor, b.refer(counsellor, to), onward.ReferralSend, "")
	if r.Status != onward.ReferralRequested {
		b.t.Fatalf("it is %s, want requested", r.Status)
	}
	return r
}

func (b bench) referral(r onward.Referral) onward.Referral {
	b.t.Helper()
	return result(b, onward.System(), func(tx *store.Tx) (onward.Referral, error) { return tx.Referral(b.t.Context(), r.ID) })
}

func (b bench) reopening(o onward.Opportunity) onward.Opportunity {
	b.t.Helper()
	return result(b, onward.System(), func(tx *store.Tx) (onward.Opportunity, error) { return tx.Opportunity(b.t.Context(), o.ID) })
}

func (b bench) places(o onward.Opportunity, held, placed int) {
	b.t.Helper()
	if o = b.reopening(o); o.Held != held || o.Placed != placed {
		b.t.Errorf("%d held and %d placed, want %d and %d", o.Held, o.Placed, held, placed)
	}
}

func (b bench) events(kind onward.EventKind) int {
	b.t.Helper()
	return b.count(`SELECT count(*) FROM events WHERE kind = $1`, string(kind))
}

func started() onward.PlacementDetails { return onward.PlacementDetails{StartedOn: today} }

func (b bench) place(actor onward.Actor, r onward.Referral, by onward.Confirm) onward.Placement {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) (onward.Placement, error) {
		return tx.RecordPlacement(b.t.Context(), r.ID, 0, started(), by)
	})
}

var byEmployer = onward.Confirm{Side: onward.SideOrganisation, Source: onward.SourceEmployer}

func TestAReferralFromTheChoiceToAPlacementThatEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(2)
	r := b.refer(counsellor, o)
	b.places(o, 0, 0)
	r = b.must(counsellor, r, onward.ReferralSend, "")
	b.places(o, 1, 0)
	if r.HoldUntil == nil || !r.HoldUntil.Equal(clock().Add(onward.HoldFor)) || !r.ReplyDueAt.Equal(clock().Add(14*24*time.Hour)) {
		t.Errorf("held until %v, reply due at %v", r.HoldUntil, r.ReplyDueAt)
	}
	received := result(b, recipient, func(tx *store.Tx) (store.Page[onward.ReceivedReferral], error) {
		return tx.ReceivedReferrals(t.Context(), store.ReferralFilter{}, store.Cursor{})
	})
	if len(received.Items) != 1 || received.Items[0].Pseudonym != r.Pseudonym || received.Items[0].Agency != "Ours" {
		t.Fatalf("received %+v", received.Items)
	}
	identity := func(actor onward.Actor) error {
		return b.try(actor, func(tx *store.Tx) error {
			who, err := tx.SharedIdentity(t.Context(), r.ID)
			if err == nil && (who.GivenName != "Given" || who.Phone == "") {
				t.Errorf("shared %+v", who)
			}
			return err
		})
	}
	wantCode(t, identity(recipient), onward.ENotFound)
	if r = b.must(recipient, r, onward.ReferralAccept, ""); !r.HoldUntil.Equal(today.AddDays(40).Time().Add(onward.StartWithin)) {
		t.Errorf("held until %v, want a while after the start in 40 days", r.HoldUntil)
	}
	if err := identity(recipient); err != nil {
		t.Errorf("who it is, after the yes: %v", err)
	}
	wantCode(t, identity(as(ours, onward.RoleEmployer)), onward.ENotFound)
	b.must(recipient, r, onward.ReferralBegin, "")
	b.places(o, 1, 0)
	p := b.place(recipient, r, byEmployer)
	b.places(o, 0, 1)
	if p.Confirmed || p.OrganisationSaid == nil || p.ReturneeSaid != nil || !p.ReturneeID.IsZero() {
		t.Errorf("placement %+v: one side said so, and the recipient knows a pseudonym", p)
	}
	p = result(b, counsellor, func(tx *store.Tx) (onward.Placement, error) {
		return tx.ConfirmPlacement(t.Context(), p.ID, p.Version, onward.Confirm{Side: onward.SideReturnee, Source: onward.SourceSelf})
	})
	if !p.Confirmed || p.ReturneeID != r.ReturneeID {
		t.Errorf("placement %+v: both sides said so", p)
	}
	wantCode(t, b.try(recipient, func(tx *store.Tx) error {
		_, err := tx.ConfirmPlacement(t.Context(), p.ID, 0, onward.Confirm{Side: onward.SideReturnee, Source: onward.SourceSelf})
		return err
	}), onward.EForbidden)
	p = result(b, counsellor, func(tx *store.Tx) (onward.Placement, error) {
		return tx.EndPlacement(t.Context(), p.ID, p.Version, onward.EndPlacement{EndedOn: today, Reason: onward.EndMovedWithJob, Source: onward.SourceSelf})
	})
	if p.Outcome != onward.OutcomeMovedOn {
		t.Errorf("moving on with a job is %q", p.Outcome)
	}
	b.places(o, 0, 0)
	if r = b.referral(r); r.Status != onward.ReferralCompleted || r.EndedFrom != onward.ReferralPlaced {
		t.Errorf("the referral is %s, from %s; an onward move with a job is no failure", r.Status, r.EndedFrom)
	}
	steps := result(b, counsellor, func(tx *store.Tx) ([]onward.ReferralStep, error) { return tx.ReferralSteps(t.Context(), r.ID) })
	var events []string
	for _, s := range steps {
		events = append(events, s.Event)
	}
	if want := []string{"create", "send", "accept", "begin", "place", "complete"}; !slices.Equal(events, want) {
		t.Errorf("history %v, want %v", events, want)
	}
}

func TestWhoMayReferWhomToWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(2)
	create := func(actor onward.Actor, d onward.ReferralDetails) error {
		return b.try(actor, func(tx *store.Tx) error {
			_, err := tx.CreateReferral(t.Context(), d)
			return err
		})
	}
	p := b.returnee(counsellor, consentingPerson())
	wantField(t, create(counsellor, onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: o.ID}), "choice_reason", "required")
	off := onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: o.ID, ChoiceReason: onward.ChoiceOffList}
	wantCode(t, create(recipient, off), onward.EForbidden)
	wantCode(t, create(elsewhere, off), onward.ENotFound)
	if err := create(counsellor, off); err != nil {
		t.Fatal(err)
	}
	wantCode(t, create(counsellor, off), onward.EConflict) // one live referral

	// A safety exclusion reads like any other refusal.
	d := consentingPerson()
	d.Safety.ExcludedOrganisations = []onward.ID{theirs.ID}
	off.ReturneeID = b.returnee(counsellor, d).ID
	err := create(counsellor, off)
	wantCode(t, err, onward.EConflict)
	d = consentingPerson()
	d.Safety.Protection = true
	off.ReturneeID = b.returnee(counsellor, d).ID
	if other := create(counsellor, off); other == nil || err == nil || other.Error() != err.Error() {
		t.Errorf("%v and %v tell apart why", err, other)
	}

	// Without consent nothing is sent.
	d = person()
	r := b.referTo(counsellor, b.returnee(counsellor, d), o)
	_, err = b.change(counsellor, r, onward.ReferralSend, "")
	wantField(t, err, "consents", "consent")
	b.places(o, 0, 0)
}

func TestTheListDecidesWhetherAReasonIsNeeded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.opening(1), b.opening(1)
	p := b.returnee(counsellor, consentingPerson())
	q := b.request(counsellor, p.ID)
	answer := answerTo(q, p.Version, 2)
	for i, o := range []onward.Opportunity{first, second} {
		answer.List.Referrals = append(answer.List.Referrals, onward.RankedReferral{Rank: i + 1, Opportunity: onward.OpportunitySummary{ID: o.ID}, Fit: 0.9 - float64(i)/2, Reach: 0.5, Terms: 1})
	}
	if err := b.store.AnswerRequest(t.Context(), answer, 0); err != nil {
		t.Fatal(err)
	}
	refer := func(o onward.Opportunity, why onward.ChoiceReason) (r onward.Referral, err error) {
		err = b.try(counsellor, func(tx *store.Tx) (err error) {
			r, err = tx.CreateReferral(t.Context(), onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: o.ID, RequestID: q.ID, ChoiceReason: why})
			return err
		})
		return r, err
	}
	if r, err := refer(first, ""); err != nil || r.Rank != 1 {
		t.Errorf("the first needs no reason: rank %d, %v", r.Rank, err)
	}
	_, err := refer(second, "")
	wantField(t, err, "choice_reason", "required")
	if r, err := refer(second, onward.ChoiceSkills); err != nil || r.Rank != 2 {
		t.Errorf("rank %d, %v", r.Rank, err)
	}
	if n := b.count(`SELECT count(*) FROM referrals WHERE rank = 2 AND (chosen -> 'first' ->> 'fit')::float > (chosen ->> 'fit')::float`); n != 1 {
		t.Error("how the list had both is not kept")
	}
	choices, err := b.store.Choices(t.Context(), ours.ID, today)
	if d := onward.Disagree(choices); err != nil || d.First != 1 || d.Lower != 1 || d.Factors[0].Factor != "fit" || d.Factors[0].Share != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	if choices, err = b.store.Choices(t.Context(), theirs.ID, today); len(choices) != 0 || err != nil {
		t.Errorf("another agency's choices: %v, %v", choices, err)
	}
}

func TestTwoAtOnceOneGetsTheFreshState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.sent(b.opening(2))
	b.must(counsellor, r, onward.ReferralPause, onward.ReasonHealth)
	err := b.try(as(ours, onward.RoleSupervisor), func(tx *store.Tx) error {
		_, err := tx.ChangeReferral(t.Context(), r.ID, r.Version, onward.ReferralChange{Event: onward.ReferralWithdraw, Reason: onward.ReasonFamily})
		return err
	})
	wantCode(t, err, onward.EVersion)
	current, ok := onward.CurrentOf(err).(onward.Referral)
	if !ok || current.Status != onward.ReferralOnHold || current.HeldFrom != onward.ReferralRequested {
		t.Errorf("the fresh state is %+v", current)
	}
	back := b.must(counsellor, r, onward.ReferralResume, "")
	if back.Status != onward.ReferralRequested || back.HeldFrom != "" || !back.ReplyDueAt.Equal(clock().Add(14*24*time.Hour)) {
		t.Errorf("it is %s after it was on hold", back.Status)
	}
}

func TestHoldsExpireAndPassToWhoWaits(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	o := b.opening(1)
	first := b.sent(o)
	var waiting []onward.Referral
	for range 2 {
		r := b.must(counsellor, b.refer(counsellor, o), onward.ReferralSend, "")
		if r.Status != onward.ReferralDraft || r.WaitingFrom == nil || r.HoldUntil != nil {
			t.Fatalf("%+v, want it to wait", r)
		}
		waiting = append(waiting, r)
		now.Add(60)
	}
	if n, err := b.store.ExpireHolds(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d holds expired early, %v", n, err)
	}
	now.Add(int64(onward.HoldFor / time.Second))
	for want := range 2 { // the second run finds nothing
		if n, err := b.store.ExpireHolds(t.Context()); n != 1-want || err != nil {
			t.Fatalf("%d holds expired, %v; want %d", n, err, 1-want)
		}
	}
	if first = b.referral(first); first.Status != onward.ReferralExpired || first.Reason != onward.ReasonNoAnswer || first.EndedFrom != onward.ReferralRequested {
		t.Errorf("%+v, want it expired", first)
	}
	b.places(o, 0, 0)
	for range 2 { // twice is as once
		if err := b.store.OfferPlaces(t.Context(), o.ID); err != nil {
			t.Fatal(err)
		}
	}
	b.places(o, 1, 0)
	if got := b.referral(waiting[0]); got.HoldUntil == nil || got.Status != onward.ReferralDraft {
		t.Errorf("the first who waits has no offer: %+v", got)
	}
	if n := b.events(onward.EventReferralOffered); n != 1 {
		t.Errorf("%d offers were told, want 1", n)
	}
	// A newcomer does not overtake; an offer that is not taken up passes on.
	if r := b.must(counsellor, b.refer(counsellor, o), onward.ReferralSend, ""); r.Status != onward.ReferralDraft {
		t.Errorf("a newcomer overtook: %+v", r)
	}
	now.Add(int64(onward.OfferFor/time.Second) + 1)
	if n, err := b.store.ExpireHolds(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if err := b.store.OfferPlaces(t.Context(), o.ID); err != nil {
		t.Fatal(err)
	}
	b.places(o, 1, 0)
	taken := b.must(counsellor, waiting[1], onward.ReferralSend, "")
	if taken.Status != onward.ReferralRequested || taken.WaitingFrom != nil {
		t.Errorf("the second, whose turn it is now: %+v", taken)
	}
	b.places(o, 1, 0)
}

func TestReplyDeadlinesRemindOnceThenTellTheSupervisor(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	o := b.opening(5)
	send := func() onward.Referral {
		p := b.returnee(counsellor, consentingPerson())
		return b.must(counsellor, result(b, counsellor, func(tx *store.Tx) (onward.Referral, error) {
			return tx.CreateReferral(t.Context(), onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: o.ID, ChoiceReason: onward.ChoiceOffList, Urgency: onward.Urgent})
		}), onward.ReferralSend, "")
	}
	deadlines := func() {
		t.Helper()
		for range 2 {
			for _, due := range []func(context.Context) (int, error){b.store.MarkOverdue, b.store.ExpireHolds, b.store.RemindRecipients, b.store.PauseUnconfirmed} {
				if _, err := due(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	first := send()
	want := func(reminders, overdue, reconfirm int) {
		t.Helper()
		deadlines()
		got := []int{b.events(onward.EventReferralReminder), b.events(onward.EventReferralOverdue), b.events(onward.EventReconfirm)}
		if !slices.Equal(got, []int{reminders, overdue, reconfirm}) {
			t.Errorf("%v reminders, overdue and to reconfirm, want %d, %d, %d", got, reminders, overdue, reconfirm)
		}
	}
	want(0, 0, 0)
	now.Add(13 * 3600)
	want(1, 0, 0)
	now.Add(12 * 3600)
	want(1, 1, 0)
	// The clock jumps back and forth: no one is told twice.
	now.Add(-40 * 3600)
	want(1, 1, 0)
	now.Add(40 * 3600)
	want(1, 1, 0)
	if !b.referral(first).Overdue {
		t.Error("it is not overdue")
	}
	send()
	now.Add(25 * 3600)
	want(2, 2, 1)
	replies, err := b.store.Replies(t.Context())
	if err != nil || replies[theirs.ID] != (onward.Replies{Due: 2}) {
		t.Errorf("%+v, %v: two answers were due, none came", replies, err)
	}
	b.must(recipient, first, onward.ReferralAccept, "") // late is not counted twice
	b.must(recipient, send(), onward.ReferralDecline, onward.ReasonSkillsMissing)
	if replies, _ = b.store.Replies(t.Context()); replies[theirs.ID] != (onward.Replies{Due: 3, Answered: 1}) {
		t.Errorf("%+v: a third was answered in time", replies)
	}
	now.Add(15 * 24 * 3600)
	deadlines()
	if o = b.reopening(o); o.Status != onward.OpportunityPaused {
		t.Errorf("an opening that no one confirmed is %s, want paused", o.Status)
	}
	if o = result(b, recipient, func(tx *store.Tx) (onward.Opportunity, error) { return tx.ConfirmOpportunity(t.Context(), o.ID) }); o.Status != onward.OpportunityPaused {
		t.Errorf("it is %s; it is for the organisation to publish it again", o.Status)
	}
}

func TestWithdrawnConsentRevokesInTheSameTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(2)
	p := b.returnee(counsellor, consentingPerson())
	r := b.must(counsellor, b.referTo(counsellor, p, o), onward.ReferralSend, "")
	d := p.ReturneeDetails
	d.Consents = slices.Clone(d.Consents)
	d.Consents[1].WithdrawnOn = today
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.UpdateReturnee(t.Context(), p.ID, p.Version, d)
		return err
	})
	if r = b.referral(r); r.Status != onward.ReferralRevoked || r.Reason != onward.ReasonConsent {
		t.Errorf("%+v, want it revoked", r)
	}
	b.places(o, 0, 0)
	shown := result(b, recipient, func(tx *store.Tx) (onward.ReceivedReferral, error) { return tx.ReceivedReferral(t.Context(), r.ID) })
	if shown.Reason != "" {
		t.Errorf("the recipient is told %q", shown.Reason)
	}
}

func TestClosingEndsByTheRulesAndResumes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(10)
	draft, requested, accepted := b.refer(counsellor, o), b.sent(o), b.sent(o)
	b.must(recipient, accepted, onward.ReferralAccept, "")
	b.in(recipient, func(tx *store.Tx) error {
		_, err := tx.ChangeOpportunity(t.Context(), o.ID, 0, onward.EventClose, onward.CloseFilled)
		return err
	})
	for i, want := range []bool{true, false, false} {
		if more, err := b.store.EndReferrals(t.Context(), o.ID); more != want || err != nil {
			t.Fatal(i, more, err)
		}
	}
	for _, c := range []struct {
		of     onward.Referral
		status onward.ReferralStatus
		reason onward.ReferralReason
		from   onward.ReferralStatus
	}{
		{draft, onward.ReferralRevoked, onward.ReasonFilled, onward.ReferralDraft},
		{requested, onward.ReferralDeclined, onward.ReasonFilled, onward.ReferralRequested},
		{accepted, onward.ReferralAccepted, "", ""},
	} {
		if r := b.referral(c.of); r.Status != c.status || r.Reason != c.reason || r.EndedFrom != c.from {
			t.Errorf("%s, %s from %q; want %s, %s from %q", r.Status, r.Reason, r.EndedFrom, c.status, c.reason, c.from)
		}
	}
	b.places(o, 1, 0)
	if n := b.events(onward.EventReferralEnded); n != 2 {
		t.Errorf("%d were told, want 2, each once", n)
	}
	if n := b.count(`SELECT count(*) FROM events WHERE substring(id::text FROM 15 FOR 1) <> '7'`); n != 0 {
		t.Errorf("%d ids do not sort by time", n)
	}
}

func TestASuspendedOrganisationIsSentNoOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(5)
	requested, placed := b.sent(o), b.sent(o)
	b.must(recipient, placed, onward.ReferralAccept, "")
	b.place(counsellor, placed, byEmployer)
	secret, _ := b.token(onward.System(), userOf(theirs, onward.RoleEmployer), nil)
	b.in(onward.System(), func(tx *store.Tx) error {
		_, err := tx.SuspendOrganisation(t.Context(), "theirs", "retained documents")
		return err
	})
	_, err := b.store.Authenticate(t.Context(), secret)
	wantCode(t, err, onward.EUnauthenticated)
	for more := true; more; {
		if more, err = b.store.CarryOutSuspension(t.Context(), theirs.ID); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.referral(requested); r.Status != onward.ReferralRevoked || r.Reason != onward.ReasonSuspended {
		t.Errorf("%+v, want it revoked", r)
	}
	if r := b.referral(placed); r.Status != onward.ReferralPlaced {
		t.Errorf("who started is %s", r.Status)
	}
	if o = b.reopening(o); o.Status != onward.OpportunityPaused || o.Held != 0 || o.Placed != 1 {
		t.Errorf("%s with %d held and %d placed", o.Status, o.Held, o.Placed)
	}
	b.in(onward.System(), func(tx *store.Tx) error {
		_, err := tx.ReinstateOrganisation(t.Context(), "theirs")
		return err
	})
	if _, err := b.store.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("after the suspension: %v", err)
	}
}

// TestNeverMoreHeldAndPlacedThanThereAre: 64 writers do what comes to mind with the referrals to a few openings, while holds
// run out and openings are offered on.
func TestNeverMoreHeldAndPlacedThanThereAre(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	const openings, writers, steps = 3, 64, 12
	var all []onward.Referral
	var list []onward.Opportunity
	for range openings {
		o := b.opening(4)
		list = append(list, o)
		for range 14 {
			all = append(all, b.refer(counsellor, o))
		}
	}
	acts := []struct {
		actor  onward.Actor
		event  onward.ReferralEvent
		reason onward.ReferralReason
	}{
		{counsellor, onward.ReferralSend, ""},
		{counsellor, onward.ReferralSend, ""},
		{counsellor, onward.ReferralSend, ""},
		{recipient, onward.ReferralAccept, ""},
		{recipient, onward.ReferralAccept, ""},
		{recipient, onward.ReferralDecline, onward.ReasonLanguage},
		{counsellor, onward.ReferralPause, onward.ReasonHealth},
		{counsellor, onward.ReferralResume, ""},
		{recipient, onward.ReferralBegin, ""},
		{counsellor, onward.ReferralWithdraw, onward.ReasonFamily},
		{counsellor, onward.ReferralPlace, ""},
		{counsellor, onward.ReferralPlace, ""},
	}
	var done, refused atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 7)) //nolint:gosec // repeatable
			for range steps {
				r, act := all[random.IntN(len(all))], acts[random.IntN(len(acts))]
				var err error
				switch {
				case random.IntN(20) == 0:
					now.Add(3600 * 24 * 5)
					_, err = b.store.ExpireHolds(t.Context())
				case random.IntN(8) == 0:
					err = b.store.OfferPlaces(t.Context(), r.OpportunityID)
				case act.event == onward.ReferralPlace:
					err = b.try(act.actor, func(tx *store.Tx) error {
						_, err := tx.RecordPlacement(t.Context(), r.ID, 0, started(), byEmployer)
						return err
					})
				default:
					_, err = b.change(act.actor, r, act.event, act.reason)
				}
				switch onward.CodeOf(err) {
				case "":
					done.Add(1)
				case onward.EConflict, onward.EForbidden, onward.EInvalid, onward.ENotFound:
					refused.Add(1)
				default:
					t.Error(err)
				}
				var most int
				if err := b.store.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
					list, err := tx.OpportunitiesByID(t.Context(), []onward.ID{r.OpportunityID})
					if err == nil {
						most = list[0].Held + list[0].Placed
					}
					return err
				}); err != nil || most > 4 {
					t.Errorf("%d held and placed of 4, %v", most, err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d done, %d refused", done.Load(), refused.Load())
	if done.Load() < writers*steps/10 {
		t.Errorf("only %d of %d were done", done.Load(), writers*steps)
	}
	b.bookkeeping(list)
}

// bookkeeping checks that the counts of openings are those of their referrals.
func (b bench) bookkeeping(list []onward.Opportunity) {
	b.t.Helper()
	for _, o := range list {
		held := b.count(`SELECT count(*) FROM referrals WHERE opportunity_id = $1 AND hold_until IS NOT NULL`, o.ID)
		placed := b.count(`SELECT count(*) FROM referrals WHERE opportunity_id = $1 AND status = 'placed'`, o.ID)
		b.places(o, held, placed)
		if n := b.count(`SELECT count(*) FROM referrals WHERE opportunity_id = $1 AND (hold_until IS NOT NULL) <>
				(status IN ('requested', 'accepted', 'on_hold', 'in_progress')) AND NOT (status = 'draft' AND waiting_from IS NOT NULL)`, o.ID); n != 0 {
			b.t.Errorf("%d referrals hold a place that they should not, or none that they should", n)
		}
	}
}

// TestAnExpiredHoldRacingAnAcceptance: exactly one of them wins.
func TestAnExpiredHoldRacingAnAcceptance(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	var wins [2]int
	for i := range 12 {
		now.Store(clock().Unix())
		o := b.opening(1)
		r := b.sent(o)
		now.Add(int64(onward.HoldFor/time.Second) + 1)
		var accepted error
		var wg sync.WaitGroup
		accept := func() { _, accepted = b.change(recipient, r, onward.ReferralAccept, "") }
		expire := func() {
			if _, err := b.store.ExpireHolds(t.Context()); err != nil {
				t.Error(err)
			}
		}
		for _, run := range [][]func(){{accept, expire}, {expire, accept}}[i%2] {
			wg.Go(run)
		}
		wg.Wait()
		r = b.referral(r)
		switch {
		case accepted == nil && r.Status == onward.ReferralAccepted:
			b.places(o, 1, 0)
			wins[0]++
		case onward.CodeOf(accepted) == onward.EConflict && r.Status == onward.ReferralExpired:
			b.places(o, 0, 0)
			wins[1]++
		default:
			t.Errorf("the acceptance ended with %v and the referral is %s", accepted, r.Status)
		}
	}
	t.Logf("%v accepted and expired", wins)
}

func TestEveryTransitionIsInTheTableOnly(t *testing.T) {
	t.Parallel()
	parties := []onward.Party{onward.PartyAgency, onward.PartyRecipient, onward.PartyPartner, onward.PartySystem}
	events := []onward.ReferralEvent{
		onward.ReferralSend, onward.ReferralAccept, onward.ReferralDecline, onward.ReferralPause, onward.ReferralResume, onward.ReferralBegin,
		onward.ReferralPlace, onward.ReferralComplete, onward.ReferralFail, onward.ReferralWithdraw, onward.ReferralRevoke, onward.ReferralExpire,
	}
	for _, from := range onward.ReferralStatuses() {
		for _, event := range events {
			for _, party := range parties {
				name := fmt.Sprintf("%s %s %s", party, event, from)
				var row *onward.Transition
				for _, tr := range onward.Transitions() {
					if tr.Event == event && slices.Contains(tr.From, from) {
						row = &tr
					}
				}
				reason := onward.ReferralReason("")
				if row != nil && len(row.Reasons) > 0 {
					reason = row.Reasons[0]
				}
				next, err := from.Next(event, party, reason, onward.ReferralAccepted)
				switch {
				case row == nil:
					wantCode(t, err, onward.EConflict)
				case !slices.Contains(row.By, party):
					wantCode(t, err, onward.EForbidden)
				case err != nil || row.To != "" && next != row.To || row.To == "" && next != onward.ReferralAccepted:
					t.Errorf("%s: %s, %v", name, next, err)
				case !from.Live():
					t.Errorf("%s: an end is for good", name)
				}
				if row != nil && slices.Contains(row.By, party) && len(row.Reasons) > 0 {
					if _, err := from.Next(event, party, "", ""); onward.CodeOf(err) != onward.EInvalid {
						t.Errorf("%s without a reason: %v", name, err)
					}
				}
			}
		}
	}
	for _, rule := range onward.DefaultCloseRules() {
		if err := rule.Validate(); err != nil {
			t.Errorf("the default rule %+v: %v", rule, err)
		}
	}
}

func TestAQuestionBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.sent(b.opening(2))
	asked := result(b, recipient, func(tx *store.Tx) (onward.ReceivedReferral, error) {
		return tx.Ask(t.Context(), r.ID, r.Version, "Do you work at height?")
	})
	if asked.Status != onward.ReferralRequested || asked.Question == "" {
		t.Errorf("%+v, want it to wait with a question", asked)
	}
	wantField(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.Inform(t.Context(), r.ID, 0, "")
		return err
	}), "information", "required")
	informed := result(b, counsellor, func(tx *store.Tx) (onward.Referral, error) {
		return tx.Inform(t.Context(), r.ID, asked.Version, "Yes, for years")
	})
	if informed.Information == "" || b.events(onward.EventReferralQuestion) != 1 || b.events(onward.EventReferralInformed) != 1 {
		t.Errorf("%+v", informed)
	}
	changed := result(b, recipient, func(tx *store.Tx) (onward.ReceivedReferral, error) {
		return tx.ChangeReceivedReferral(t.Context(), r.ID, informed.Version, onward.ReferralChange{Event: onward.ReferralDecline, Reason: onward.ReasonLanguage})
	})
	if changed.Status != onward.ReferralDeclined || changed.Reason != onward.ReasonLanguage {
		t.Errorf("%+v", changed)
	}
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.Inform(t.Context(), r.ID, 0, "Hello?")
		return err
	}), onward.EConflict)
	page := result(b, counsellor, func(tx *store.Tx) (store.Page[onward.Referral], error) {
		return tx.Referrals(t.Context(), store.ReferralFilter{Status: onward.ReferralDeclined, ReturneeID: r.ReturneeID}, store.Cursor{})
	})
	if language := result(b, counsellor, func(tx *store.Tx) (string, error) { return tx.ReturneeLanguage(t.Context(), r.ReturneeID) }); language != "es" {
		t.Errorf("the person speaks %q", language)
	}
	if len(page.Items) != 1 || page.Items[0].ReasonSide != onward.SideOpportunity {
		t.Errorf("listed %+v", page.Items)
	}
	heard := result(b, recipient, func(tx *store.Tx) (store.Page[onward.Event], error) { return tx.Events(t.Context(), store.Cursor{}) })
	if len(heard.Items) != 2 || heard.Items[0].Kind != onward.EventReferralInformed {
		t.Errorf("the recipient heard %+v", heard.Items)
	}
	for role, want := range map[onward.Role]int{onward.RoleSupervisor: 2, onward.RolePartner: 0, onward.RoleAdministrator: 0, onward.RoleAnalyst: 0} {
		colleague := onward.Actor{UserID: onward.NewID(), OrganisationID: recipient.OrganisationID, Role: role}
		if heard := result(b, colleague, func(tx *store.Tx) (store.Page[onward.Event], error) { return tx.Events(t.Context(), store.Cursor{}) }); len(heard.Items) != want {
			t.Errorf("a %s of the recipient heard %+v", role, heard.Items)
		}
	}
}

func TestWhatIsKnownOfAPlacementIsTheAgencysToChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	partner := onward.Organisation{Slug: "partner", Name: "Partner", Kind: onward.CivilSociety, Country: "MX"}
	partner = result(b, onward.System(), func(tx *store.Tx) (onward.Organisation, error) { return tx.CreateOrganisation(t.Context(), partner) })
	monitors := onward.Actor{OrganisationID: partner.ID, Role: onward.RolePartner}
	r := b.sent(b.opening(2))
	b.must(recipient, r, onward.ReferralAccept, "")
	p := b.place(counsellor, r, byEmployer)
	wantCode(t, b.try(monitors, func(tx *store.Tx) error {
		_, err := tx.Placement(t.Context(), p.ID)
		return err
	}), onward.ENotFound)
	d := p.PlacementDetails
	d.PartnerID, d.PlaceID = theirs.ID, monterrey
	update := func(actor onward.Actor) (changed onward.Placement, err error) {
		err = b.try(actor, func(tx *store.Tx) (err error) {
			changed, err = tx.UpdatePlacement(t.Context(), p.ID, p.Version, d)
			return err
		})
		return changed, err
	}
	_, err := update(counsellor)
	wantField(t, err, "partner_id", "unknown") // an employer does not monitor
	d.PartnerID = partner.ID
	_, err = update(recipient)
	wantCode(t, err, onward.EForbidden)
	if p, err = update(counsellor); err != nil || p.PlaceID != monterrey {
		t.Fatal(p, err)
	}
	mine := result(b, monitors, func(tx *store.Tx) (store.Page[onward.Placement], error) {
		return tx.Placements(t.Context(), store.PlacementFilter{Current: true}, store.Cursor{})
	})
	if len(mine.Items) != 1 || mine.Items[0].ReturneeID != r.ReturneeID {
		t.Errorf("the partner monitors %+v", mine.Items)
	}
	p = result(b, monitors, func(tx *store.Tx) (onward.Placement, error) {
		return tx.EndPlacement(t.Context(), p.ID, 0, onward.EndPlacement{EndedOn: today, Reason: onward.EndUnsafe, Source: onward.SourcePartner})
	})
	if got := b.referral(r); got.Status != onward.ReferralFailed || p.Outcome != onward.OutcomeEnded {
		t.Errorf("the referral is %s, the outcome %s", got.Status, p.Outcome)
	}
	err = b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.EndPlacement(t.Context(), p.ID, p.Version-1, onward.EndPlacement{EndedOn: today, Reason: onward.EndResigned, Source: onward.SourceSelf})
		return err
	})
	wantCode(t, err, onward.EVersion)
	if current, ok := onward.CurrentOf(err).(onward.Placement); !ok || current.EndReason != onward.EndUnsafe {
		t.Errorf("the fresh state is %+v", current)
	}
}

// TestManyWhoEndTheSameReferralsEndEachOnce: a task that was taken for lost runs beside the next. All of them wait for the same row
// at first, so that each has read the state from before the others.
func TestManyWhoEndTheSameReferralsEndEachOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(40)
	for range 40 {
		b.sent(o)
	}
	b.in(recipient, func(tx *store.Tx) error {
		_, err := tx.ChangeOpportunity(t.Context(), o.ID, 0, onward.EventClose, onward.CloseUnsafe)
		return err
	})
	lock, err := b.admin().Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback() }()
	if _, err := lock.Exec(`SELECT FROM referrals WHERE opportunity_id = $1 FOR UPDATE`, o.ID); err != nil {
		t.Fatal(err)
	}
	const many = 6
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			for more := true; more; {
				var err error
				if more, err = b.store.EndReferrals(t.Context(), o.ID); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	b.untilBlocked(many)
	if err := lock.Rollback(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n := b.count(`SELECT count(*) FROM referral_steps WHERE event = 'revoke'`); n != 40 {
		t.Errorf("%d ends, want 40", n)
	}
	if n := b.events(onward.EventReferralEnded); n != 40 {
		t.Errorf("%d were told, want 40", n)
	}
	b.places(o, 0, 0)
}

// TestWhoeverWaitsIsOfferedAPlaceAlthoughTheFirstIsBeingChanged: the first leaves while the offer waits for their row.
func TestWhoeverWaitsIsOfferedAPlaceAlthoughTheFirstIsBeingChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(1)
	holder := b.sent(o)
	first, second := b.must(counsellor, b.refer(counsellor, o), onward.ReferralSend, ""), b.must(counsellor, b.refer(counsellor, o), onward.ReferralSend, "")
	b.must(counsellor, holder, onward.ReferralWithdraw, onward.ReasonFamily)
	offered := make(chan error, 1)
	b.in(counsellor, func(tx *store.Tx) error {
		if _, err := tx.ChangeReferral(t.Context(), first.ID, 0, onward.ReferralChange{Event: onward.ReferralWithdraw, Reason: onward.ReasonFamily}); err != nil {
			return err
		}
		go func() { offered <- b.store.OfferPlaces(t.Context(), o.ID) }()
		b.untilBlocked(1)
		return nil
	})
	if err := <-offered; err != nil {
		t.Fatal(err)
	}
	if r := b.referral(second); r.HoldUntil == nil {
		t.Errorf("the second who waits has no offer: %+v", r)
	}
	b.places(o, 1, 0)
}
