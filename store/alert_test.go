package store_test

import (
	"sync/atomic"
	"testing"

	"onward"
	"onward/store"
)

// vets is a supervisor of another organisation than the one that is vetted.
var vets = as(ours, onward.RoleSupervisor)

func yes(codes ...onward.CheckCode) (checks []onward.Check) {
	for _, code := range codes {
		checks = append(checks, onward.Check{Code: code, Result: onward.CheckYes, Evidence: "seen on the spot"})
	}
	return checks
}

func (b bench) record(subject onward.VettingSubject, id onward.ID, checks ...onward.Check) onward.Vetting {
	b.t.Helper()
	return result(b, vets, func(tx *store.Tx) (onward.Vetting, error) {
		v, err := tx.Vetting(b.t.Context(), subject, id)
		if err != nil {
			return v, err
		}
		return tx.RecordChecks(b.t.Context(), subject, id, v.Version, checks)
	})
}

func (b bench) vetted(o onward.Opportunity) {
	b.t.Helper()
	b.record(onward.VetOrganisation, o.OrganisationID, yes(onward.VetOrganisation.Checks()...)...)
	b.record(onward.VetOpportunity, o.ID, yes(onward.VetOpportunity.Checks()...)...)
}

func (b bench) raise(actor onward.Actor, n onward.NewAlert) (a onward.Alert, err error) {
	err = b.try(actor, func(tx *store.Tx) (err error) {
		a, err = tx.RaiseAlert(b.t.Context(), n)
		return err
	})
	return a, err
}

func TestVettingPassesRunsOutAndIsReopenedOnce(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	o := b.opening(2)
	due := func() int {
		return len(result(b, vets, func(tx *store.Tx) ([]onward.Vetting, error) { return tx.VettingsDue(t.Context()) }))
	}
	if n := due(); n != 1 {
		t.Errorf("%d are to be vetted, want the new opening", n)
	}
	protected := consentingPerson()
	protected.Safety.Protection = true
	p := b.returnee(counsellor, protected)
	refer := func() error {
		return b.try(counsellor, func(tx *store.Tx) error {
			_, err := tx.CreateReferral(t.Context(), onward.ReferralDetails{ReturneeID: p.ID, OpportunityID: o.ID, ChoiceReason: onward.ChoiceOffList})
			return err
		})
	}
	wantCode(t, refer(), onward.EConflict)
	b.vetted(o)
	if o = b.reopening(o); o.Vetting != onward.VettingPassed || o.VettedUntil != today.AddDays(365) {
		t.Fatalf("it is %s until %s", o.Vetting, o.VettedUntil)
	}
	if err := refer(); err != nil {
		t.Error(err)
	}
	// Its own organisation neither vets it nor reads what was seen.
	for _, actor := range []onward.Actor{as(theirs, onward.RoleSupervisor), recipient} {
		err := b.try(actor, func(tx *store.Tx) error {
			_, err := tx.Vetting(t.Context(), onward.VetOpportunity, o.ID)
			return err
		})
		if code := onward.CodeOf(err); code != onward.ENotFound && code != onward.EForbidden {
			t.Errorf("%s of the vetted organisation: %v", actor.Role, err)
		}
	}
	now.Add(366 * 24 * 3600)
	for want := range 2 {
		n, err := b.store.ExpireVettings(t.Context())
		if err != nil || n != 2-2*want {
			t.Errorf("%d ran out, %v; want %d", n, err, 2-2*want)
		}
	}
	if o = b.reopening(o); o.Vetting != onward.VettingUnknown || !o.VettedUntil.IsZero() {
		t.Errorf("it is %s until %s", o.Vetting, o.VettedUntil)
	}
	if n := b.events(onward.EventVettingExpired); n != 2 {
		t.Errorf("%d were told, want 2, each once", n)
	}
	failed := b.record(onward.VetOrganisation, theirs.ID, onward.Check{Code: onward.CheckNoFees, Result: onward.CheckNo, Evidence: "asks 2,000 pesos"})
	if o = b.reopening(o); failed.Status != onward.VettingRejected || o.Vetting != onward.VettingRejected {
		t.Errorf("the organisation is %s, the opening %s", failed.Status, o.Vetting)
	}
	if n := b.count(`SELECT count(*) FROM vetting_history`); n != 9+2+1 {
		t.Errorf("%d lines of history", n)
	}
}

func TestAnAlertIsRaisedOnceForACheckInAndGoesOverdueOnce(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	o := b.opening(2)
	r, draft := b.sent(o), b.refer(counsellor, o)
	alert := onward.NewAlert{ReferralID: r.ID, Kind: onward.AlertUnsafeWork, Source: onward.AlertByCheckIn, SourceID: onward.NewID()}
	first, err := b.raise(counsellor, alert)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.raise(counsellor, alert)
	if err != nil || again.ID != first.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	if n := b.events(onward.EventAlertRaised); n != 2 {
		t.Errorf("%d were told, want the supervisors and the counsellor", n)
	}
	for _, actor := range []onward.Actor{recipient, elsewhere} {
		if _, err := b.raise(actor, alert); err == nil {
			t.Errorf("%s of another organisation raised one", actor.Role)
		}
	}
	if b.reopening(o).Status != onward.OpportunityPaused {
		t.Error("its referrals are not stopped")
	}
	if _, err := b.change(counsellor, draft, onward.ReferralSend, ""); onward.CodeOf(err) != onward.EConflict {
		t.Errorf("a referral was sent to what is stopped: %v", err)
	}
	now.Add(72*3600 + 1)
	for want := range 2 {
		if n, err := b.store.MarkOverdueAlerts(t.Context()); err != nil || n != 1-want {
			t.Errorf("%d overdue, %v", n, err)
		}
	}
	page := result(b, vets, func(tx *store.Tx) (store.Page[onward.Alert], error) {
		return tx.Alerts(t.Context(), store.AlertFilter{Overdue: true}, store.Cursor{})
	})
	if len(page.Items) != 1 || !page.Items[0].Overdue {
		t.Errorf("overdue: %+v", page.Items)
	}
	resolve := func() error {
		return b.try(vets, func(tx *store.Tx) error {
			_, err := tx.ChangeAlert(t.Context(), first.ID, 0, onward.AlertChange{Action: "resolve", Outcome: onward.AlertConfirmed, Note: "inspection told"})
			return err
		})
	}
	if err := resolve(); err != nil {
		t.Error(err)
	}
	wantCode(t, resolve(), onward.EConflict)
	a := result(b, counsellor, func(tx *store.Tx) (onward.Alert, error) { return tx.Alert(t.Context(), first.ID) })
	if a.Stops || a.Status != "resolved" || len(a.Trail) != 3 {
		t.Errorf("%+v", a)
	}
	// Distress is about the person, however pressing: it stops no one's opening.
	if a, err := b.raise(counsellor, onward.NewAlert{ReferralID: r.ID, Kind: onward.AlertDistress, Severity: onward.SeverityCritical, Source: onward.AlertByReturnee}); err != nil || a.Stops || a.Severity != onward.SeverityCritical {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAPartnerRaisesAlertsOfWhatItMonitors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	partner := result(b, onward.System(), func(tx *store.Tx) (onward.Organisation, error) {
		return tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "partner", Name: "Partner", Kind: onward.CivilSociety, Country: "MX"})
	})
	monitors := onward.Actor{OrganisationID: partner.ID, Role: onward.RolePartner}
	r := b.sent(b.opening(2))
	b.must(recipient, r, onward.ReferralAccept, "")
	p := b.place(counsellor, r, byEmployer)
	alert := onward.NewAlert{PlacementID: p.ID, Kind: onward.AlertWages, Source: onward.AlertByPartner, Note: "three weeks unpaid"}
	_, err := b.raise(monitors, alert)
	wantCode(t, err, onward.ENotFound)
	b.in(counsellor, func(tx *store.Tx) error {
		d := p.PlacementDetails
		d.PartnerID = partner.ID
		_, err := tx.UpdatePlacement(t.Context(), p.ID, p.Version, d)
		return err
	})
	raised, err := b.raise(monitors, alert)
	if err != nil || !raised.Stops {
		t.Fatal(raised, err)
	}
	b.in(vets, func(tx *store.Tx) error {
		_, err := tx.ChangeAlert(t.Context(), raised.ID, raised.Version, onward.AlertChange{Action: "resolve", Outcome: onward.AlertReferredOn, Note: "labour inspection"})
		return err
	})
	if n := b.count(`SELECT count(*) FROM events WHERE kind = 'alert.resolved' AND organisation_id = $1`, partner.ID); n != 1 {
		t.Errorf("the partner was told %d times that it is resolved", n)
	}
}
