package store_test

import (
	"testing"
	"time"

	"onward"
	"onward/store"
)

func (b bench) live(actor onward.Actor, r onward.ID, d onward.ResidenceDetails) (onward.Residence, error) {
	b.t.Helper()
	var made onward.Residence
	err := b.try(actor, func(tx *store.Tx) (err error) {
		made, err = tx.RecordResidence(b.t.Context(), r, d)
		return err
	})
	return made, err
}

func TestResidencesAreRecordedOnceADayAndSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.returnee(counsellor, person())
	there := onward.ResidenceDetails{ObservedOn: today.AddDays(-1), Abroad: true, Source: onward.ResidenceBySelf}
	made, err := b.live(counsellor, r.ID, there)
	if err != nil || made.RecordedBy != counsellor.UserID || made.ReturneeID != r.ID || !made.Abroad {
		t.Fatalf("%+v, %v", made, err)
	}
	_, err = b.live(counsellor, r.ID, there)
	wantCode(t, err, onward.EConflict)
	there.Source = onward.ResidenceByPayroll
	if _, err = b.live(counsellor, r.ID, there); err != nil {
		t.Errorf("another source may say so too: %v", err)
	}
	_, err = b.live(stranger, r.ID, there)
	wantCode(t, err, onward.ENotFound)
	for _, role := range []onward.Role{onward.RoleEmployer, onward.RolePartner, onward.RoleAnalyst, onward.RoleAdministrator} {
		_, err = b.live(actorOf(role), r.ID, there)
		wantCode(t, err, onward.EForbidden)
	}
	for field, d := range map[string]onward.ResidenceDetails{
		"observed_on": {ObservedOn: today.AddDays(1), Abroad: true, Source: onward.ResidenceBySelf},
		"source":      {ObservedOn: today, Abroad: true, Source: "rumour"},
		"place_id":    {ObservedOn: today, Source: onward.ResidenceBySelf},
		"abroad":      {ObservedOn: today, Abroad: true, PlaceID: 1, Source: onward.ResidenceBySelf},
	} {
		_, err := b.live(counsellor, r.ID, d)
		fields := onward.FieldsOf(err)
		if len(fields) != 1 || fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	list := result(b, counsellor, func(tx *store.Tx) ([]onward.Residence, error) { return tx.Residences(t.Context(), r.ID) })
	if len(list) != 2 {
		t.Errorf("%+v", list)
	}
}

func TestWhatWasKnownBeforeIsWhatAnObservationIsLearntFrom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, q, work := b.matching()
	answer := answerTo(q, 1, 1)
	answer.Inputs = store.MatchInputs{Today: today.AddDays(-40), Profile: person()}
	answer.Inputs.Profile.Country = "MX"
	if err := b.store.AnswerRequest(t.Context(), answer, work.ID); err != nil {
		t.Fatal(err)
	}
	b.sql(`UPDATE referral_requests SET ready_at = $1`, clock().Add(-40*24*time.Hour))
	observed := func() []store.ResidenceObservation {
		list, err := b.store.ResidenceObservations(t.Context(), "MX")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	early := onward.ResidenceDetails{ObservedOn: today.AddDays(-50), Abroad: true, Source: onward.ResidenceBySelf}
	if _, err := b.live(counsellor, r.ID, early); err != nil {
		t.Fatal(err)
	}
	if list := observed(); len(list) != 0 {
		t.Errorf("nothing was known before: %+v", list)
	}
	for _, days := range []int{-10, -3} {
		late := early
		late.ObservedOn = today.AddDays(days)
		if _, err := b.live(counsellor, r.ID, late); err != nil {
			t.Fatal(err)
		}
	}
	list := observed()
	if len(list) != 1 || list[0].ReturneeID != r.ID || list[0].Residence.ObservedOn != today.AddDays(-3) || list[0].Inputs.Today != today.AddDays(-40) || list[0].Inputs.Profile.Country != "MX" {
		t.Errorf("one person, the latest residence, the profile of the list before: %+v", list)
	}
	if other, err := b.store.ResidenceObservations(t.Context(), "GT"); err != nil || len(other) != 0 {
		t.Errorf("another country: %+v, %v", other, err)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		d := person()
		d.Consents[0].WithdrawnOn = today
		_, err := tx.UpdateReturnee(t.Context(), r.ID, r.Version, d)
		return err
	})
	if list := observed(); len(list) != 0 {
		t.Errorf("after the consent was withdrawn: %+v", list)
	}
}
