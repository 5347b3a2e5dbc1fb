package store_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"onward"
	"onward/store"
)

// agreeing is a person of whom every identifying value occurs nowhere else, and who agreed to everything.
func agreeing() onward.ReturneeDetails {
	d := secretive()
	d.Consents = consentingPerson().Consents
	return d
}

func (b bench) withdraw(id onward.ID, purposes ...onward.ConsentPurpose) (w onward.Withdrawal, err error) {
	err = b.store.InTx(b.t.Context(), counsellor, func(tx *store.Tx) error {
		w, err = tx.WithdrawConsent(b.t.Context(), id, onward.WithdrawConsent{Purposes: purposes})
		return err
	})
	return w, err
}

func (b bench) deletions(actor onward.Actor) []onward.DeletionRequest {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) ([]onward.DeletionRequest, error) { return tx.DeletionRequests(b.t.Context()) })
}

func (b bench) shared(actor onward.Actor, r onward.Referral) (who onward.SharedIdentity, err error) {
	err = b.store.InTx(b.t.Context(), actor, func(tx *store.Tx) error {
		who, err = tx.SharedIdentity(b.t.Context(), r.ID)
		return err
	})
	return who, err
}

func TestAWithdrawalStopsEverythingAtOnceAndCertifiesIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opening(3)
	p := b.registered(counsellor, agreeing())
	waits := b.must(counsellor, b.referTo(counsellor, p, o), onward.ReferralSend, "")
	link, err := b.store.AnswerLink(t.Context(), counsellor, waits.ID)
	if err != nil {
		t.Fatal(err)
	}
	accepted := b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	b.must(recipient, accepted, onward.ReferralAccept, "")
	if who, err := b.shared(recipient, accepted); err != nil || who.GivenName != "Xochiquetzal" {
		t.Fatal(who, err)
	}
	request := b.request(counsellor, p.ID)
	w, err := b.withdraw(p.ID, onward.ConsentMatching, onward.ConsentSharing)
	if err != nil {
		t.Fatal(err)
	}
	if w.Cause != "withdrawn" || w.RecordedBy != counsellor.UserID || len(w.Referrals) != 2 || !slices.Equal(w.Requests, []onward.ID{request.ID}) || len(w.Deletions) != 1 || w.Complete || len(w.Purposes) != 2 {
		t.Fatalf("%+v", w)
	}
	for _, r := range []onward.Referral{waits, accepted} {
		if r = b.referral(r); r.Status != onward.ReferralRevoked || r.Reason != onward.ReasonConsent {
			t.Errorf("%+v", r)
		}
	}
	b.places(o, 0, 0)
	if _, _, err := b.store.LinkedReferral(t.Context(), link.Token); err == nil {
		t.Error("the link is alive")
	}
	if _, err := b.shared(recipient, accepted); onward.CodeOf(err) != onward.ENotFound {
		t.Errorf("who it is can still be read: %v", err)
	}
	// A worker that has the request already finds that it ended.
	if in, err := b.store.MatchInput(t.Context(), request.ID); err != nil || in.Request.Status != onward.RequestRefused {
		t.Errorf("%+v, %v", in.Request, err)
	}
	// The recipient is asked by the pseudonym, confirms, and the certificate is complete.
	asked := b.deletions(recipient)
	if len(asked) != 1 || asked[0].Pseudonym != accepted.Pseudonym || asked[0].ConfirmedAt != nil || b.events(onward.EventDeletionRequested) != 1 {
		t.Fatalf("%+v", asked)
	}
	for _, other := range []onward.Actor{counsellor, as(ours, onward.RoleEmployer), as(ours, onward.RolePartner)} {
		wantCode(t, b.try(other, func(tx *store.Tx) error {
			_, err := tx.ConfirmDeletion(t.Context(), asked[0].ID)
			return err
		}), onward.ENotFound)
	}
	for range 2 { // again changes nothing
		b.in(recipient, func(tx *store.Tx) error {
			_, err := tx.ConfirmDeletion(t.Context(), asked[0].ID)
			return err
		})
	}
	list := result(b, counsellor, func(tx *store.Tx) ([]onward.Withdrawal, error) { return tx.Withdrawals(t.Context(), p.ID) })
	if len(list) != 1 || !list[0].Complete || b.events(onward.EventDeletionConfirmed) != 1 {
		t.Errorf("%+v", list)
	}
	_, err = b.withdraw(p.ID, onward.ConsentSharing)
	wantCode(t, err, onward.EConflict)
	_, err = b.withdraw(p.ID)
	wantCode(t, err, onward.EInvalid)
	records := result(b, counsellor, func(tx *store.Tx) ([]onward.ConsentRecord, error) { return tx.ConsentRecords(t.Context(), p.ID) })
	var what []string
	for _, r := range records {
		what = append(what, r.What+" "+string(r.Consent.Purpose))
	}
	slices.Sort(what)
	if got := strings.Join(what, ","); got != "given follow_up,given matching,given sharing,withdrawn matching,withdrawn sharing" {
		t.Errorf("records %s", got)
	}
}

func TestConsentForSomeRecipientsAndSomeFields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := agreeing()
	for i := range d.Consents {
		if d.Consents[i].Purpose == onward.ConsentSharing {
			d.Consents[i].Recipients, d.Consents[i].Fields = []onward.ID{onward.NewID()}, []string{"given_name"}
		}
	}
	p := b.registered(counsellor, d)
	o := b.opening(2)
	r := b.referTo(counsellor, p, o)
	_, err := b.change(counsellor, r, onward.ReferralSend, "")
	wantField(t, err, "consents", "consent")
	update := func(change func(*onward.Consent)) {
		t.Helper()
		p = result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), p.ID) })
		d := p.ReturneeDetails
		d.Consents = slices.Clone(d.Consents)
		for i := range d.Consents {
			if d.Consents[i].Purpose == onward.ConsentSharing && d.Consents[i].WithdrawnOn.IsZero() {
				change(&d.Consents[i])
			}
		}
		b.in(counsellor, func(tx *store.Tx) error {
			_, err := tx.UpdateReturnee(t.Context(), p.ID, p.Version, d)
			return err
		})
	}
	update(func(c *onward.Consent) { c.Recipients = append(slices.Clone(c.Recipients), recipient.OrganisationID) })
	b.must(counsellor, r, onward.ReferralSend, "")
	b.must(recipient, r, onward.ReferralAccept, "")
	if who, err := b.shared(recipient, r); err != nil || who.GivenName != "Xochiquetzal" || who.FamilyName != "" || who.Phone != "" {
		t.Errorf("%+v, %v; want the given name alone", who, err)
	}
	// No more with this one: the referral to it ends, and it is asked to delete.
	update(func(c *onward.Consent) { c.Recipients = c.Recipients[:1] })
	if r = b.referral(r); r.Status != onward.ReferralRevoked {
		t.Errorf("%+v", r)
	}
	if asked := b.deletions(recipient); len(asked) != 1 {
		t.Errorf("%+v", asked)
	}
	// By kind.
	update(func(c *onward.Consent) { c.Recipients, c.RecipientKinds = nil, []onward.OrganisationKind{theirs.Kind} })
	b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	for _, bad := range []onward.Consent{
		{Purpose: onward.ConsentMatching, GivenOn: today, Recipients: []onward.ID{ours.ID}},
		{Purpose: onward.ConsentSharing, GivenOn: today, Fields: []string{"notes"}},
		{Purpose: onward.ConsentSharing, GivenOn: today, Form: "shouted"},
		{Purpose: onward.ConsentSharing, GivenOn: today, RecipientKinds: []onward.OrganisationKind{"anyone"}},
	} {
		d := secretive()
		d.ExternalID, d.Consents = "bad", []onward.Consent{bad}
		wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
			_, err := tx.CreateReturnee(t.Context(), store.NewReturnee{Details: d})
			return err
		}), onward.EInvalid)
	}
}

func TestAConsentThatRunsOutIsAskedForFirst(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	d := agreeing()
	for i := range d.Consents {
		if d.Consents[i].Purpose == onward.ConsentSharing {
			d.Consents[i].ExpiresOn = today.AddDays(40)
		}
	}
	p := b.registered(counsellor, d)
	r := b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	b.must(recipient, r, onward.ReferralAccept, "")
	step := func(days int64, asked, expired int) {
		t.Helper()
		now.Add(days * 24 * 3600)
		for range 2 { // the same task twice
			a, err := b.store.AskRenewals(t.Context())
			if err != nil || a > asked {
				t.Errorf("%d asked, %v", a, err)
			}
			e, err := b.store.ExpireConsents(t.Context())
			if err != nil || e > expired {
				t.Errorf("%d expired, %v", e, err)
			}
			if a+e != asked+expired {
				t.Errorf("%d asked and %d expired, want %d and %d", a, e, asked, expired)
			}
			asked, expired = 0, 0
		}
	}
	step(0, 0, 0)
	step(11, 1, 0)
	step(29, 0, 0) // on the last day it still holds
	if r = b.referral(r); r.Status != onward.ReferralAccepted {
		t.Errorf("%+v", r)
	}
	step(1, 0, 1)
	if r = b.referral(r); r.Status != onward.ReferralRevoked || r.Reason != onward.ReasonConsent || b.events(onward.EventConsentExpiring) != 1 {
		t.Errorf("%+v", r)
	}
	list := result(b, counsellor, func(tx *store.Tx) ([]onward.Withdrawal, error) { return tx.Withdrawals(t.Context(), p.ID) })
	if len(list) != 1 || list[0].Cause != "expired" || len(list[0].Deletions) != 1 {
		t.Errorf("%+v", list)
	}
	// Nobody confirms: both sides are told once.
	now.Add(8 * 24 * 3600)
	for _, want := range []int{1, 0} {
		if n, err := b.store.RemindDeletions(t.Context()); err != nil || n != want {
			t.Errorf("%d reminded, %v", n, err)
		}
	}
	if n := b.events(onward.EventDeletionOverdue); n != 2 {
		t.Errorf("%d were told", n)
	}
}

func TestARenewedConsentIsAskedForAgainWhenItsTimeComes(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	d := agreeing()
	d.Consents[0].ExpiresOn = today.AddDays(10)
	p := b.registered(counsellor, d)
	if n, err := b.store.AskRenewals(t.Context()); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	d.Consents = slices.Clone(d.Consents)
	d.Consents[0].ExpiresOn = today.AddDays(400)
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.UpdateReturnee(t.Context(), p.ID, p.Version, d)
		return err
	})
	now.Add(20 * 24 * 3600)
	if n, err := b.store.ExpireConsents(t.Context()); err != nil || n != 0 {
		t.Errorf("%d expired, %v", n, err)
	}
	now.Add(360 * 24 * 3600)
	if n, err := b.store.AskRenewals(t.Context()); err != nil || n != 1 {
		t.Errorf("%d asked, %v", n, err)
	}
}

func TestAnErasedPersonIsNowhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	supervisor := as(ours, onward.RoleSupervisor)
	partner, o, placement := b.monitored()
	d := agreeing()
	d.ExternalID = "CASE-4711"
	p := b.registered(counsellor, d)
	r := b.must(counsellor, b.referTo(counsellor, p, o), onward.ReferralSend, "")
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.RecordResidence(t.Context(), p.ID, onward.ResidenceDetails{ObservedOn: today, PlaceID: monterrey, Source: onward.ResidenceBySelf})
		return err
	})
	b.request(counsellor, p.ID)
	_ = partner
	before := b.count(`SELECT count(*) FROM referrals`)
	export := result(b, supervisor, func(tx *store.Tx) (onward.Export, error) { return tx.Export(t.Context(), p.ID) })
	if export.Returnee.Identity.GivenName != "Xochiquetzal" || len(export.Consents) != 3 || len(export.Referrals) != 1 || len(export.Residences) != 1 || len(export.Audit) < 5 {
		t.Errorf("export %+v", export)
	}
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.EraseReturnee(t.Context(), p.ID)
		return err
	}), onward.EForbidden)
	wantCode(t, b.try(as(theirs, onward.RoleSupervisor), func(tx *store.Tx) error {
		_, err := tx.EraseReturnee(t.Context(), p.ID)
		return err
	}), onward.ENotFound)
	w := result(b, supervisor, func(tx *store.Tx) (onward.Withdrawal, error) { return tx.EraseReturnee(t.Context(), p.ID) })
	if w.Cause != "erased" || !slices.Contains(w.Referrals, r.ID) {
		t.Errorf("%+v", w)
	}
	dump := b.dumped()
	for _, value := range append(identifying(), "CASE-4711", "is it Xochi", `"1991-`) {
		if strings.Contains(dump, value) {
			t.Errorf("after the erasure the database holds %q", value)
		}
	}
	if n := b.count(`SELECT count(*) FROM returnee_identities WHERE returnee_id = '` + p.ID.String() + `' AND (key IS NOT NULL OR identity <> '{}')`); n != 0 {
		t.Error("the key is still there")
	}
	for _, actor := range []onward.Actor{counsellor, supervisor} {
		wantCode(t, b.try(actor, func(tx *store.Tx) error {
			_, err := tx.Returnee(t.Context(), p.ID)
			return err
		}), onward.ENotFound)
		page := result(b, actor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
			return tx.Returnees(t.Context(), store.ReturneeFilter{}, store.Cursor{})
		})
		if slices.ContainsFunc(page.Items, func(r onward.Returnee) bool { return r.ID == p.ID }) {
			t.Error("the person is listed")
		}
	}
	if after := b.count(`SELECT count(*) FROM referrals`); after != before {
		t.Errorf("%d referrals, %d before: figures change", after, before)
	}
	if r = b.referral(r); r.Status != onward.ReferralRevoked {
		t.Errorf("%+v", r)
	}
	// Another person is as before.
	if other := result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), placement.ReturneeID) }); other.Identity.GivenName == "" {
		t.Errorf("%+v", other)
	}
	if n, flaws := b.verified(); n == 0 || len(flaws) != 0 {
		t.Errorf("the audit after an erasure: %v", flaws)
	}
}
