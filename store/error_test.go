package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"onward"
	"onward/store"
)

// TestNoErrorRepeatsWhatARowHolds breaks constraints of every kind with a marked person in the row. Postgres repeats the
// row in the details of its errors.
func TestNoErrorRepeatsWhatARowHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	const marker = "Xochiquetzal"
	marked := person()
	marked.Identity.GivenName, marked.Identity.Notes, marked.ExternalID = marker, marker, marker+"-1"
	r := b.returnee(counsellor, marked)
	details := job()
	details.Title["es"], details.ExternalID = marker, marker
	o := b.opportunity(employer, details, false)

	mark := func(change func(*onward.ReturneeDetails)) onward.ReturneeDetails {
		d := person()
		d.Identity.GivenName, d.Identity.Notes = marker, marker
		change(&d)
		return d
	}
	b.sql(`ALTER TABLE returnees ADD CONSTRAINT no_marker CHECK (details->'consents'->0->>'language' IS DISTINCT FROM '` + marker + `') NOT VALID`)
	b.sql(`ALTER TABLE opportunities ADD CONSTRAINT no_marker CHECK (details->'title'->>'es' IS DISTINCT FROM '` + marker + ` 2') NOT VALID`)
	cases := map[string]func(*store.Tx) error{
		"unique": func(tx *store.Tx) error {
			_, err := tx.CreateReturnee(ctx, store.NewReturnee{Details: marked})
			return err
		},
		"unique on update": func(tx *store.Tx) error {
			other, err := tx.CreateReturnee(ctx, store.NewReturnee{Details: person()})
			if err != nil {
				return err
			}
			_, err = tx.UpdateReturnee(ctx, other.ID, 1, mark(func(d *onward.ReturneeDetails) { d.ExternalID, d.Identity.Notes = marker+"-1", "" }))
			return err
		},
		"check": func(tx *store.Tx) error {
			_, err := tx.CreateReturnee(ctx, store.NewReturnee{Details: mark(func(d *onward.ReturneeDetails) { d.ExternalID, d.Consents[0].Language = "2", marker })})
			return err
		},
		"check on update": func(tx *store.Tx) error {
			_, err := tx.UpdateReturnee(ctx, r.ID, 1, mark(func(d *onward.ReturneeDetails) { d.ExternalID, d.Consents[0].Language = marker, marker }))
			return err
		},
		"check of an opportunity": func(tx *store.Tx) error {
			d := job()
			d.Title["es"] = marker + " 2"
			_, err := tx.UpdateOpportunity(ctx, o.ID, 1, d)
			return err
		},
		"row-level security": func(tx *store.Tx) error {
			_, err := tx.CreateOpportunity(ctx, store.NewOpportunity{Details: details, OrganisationID: theirs.ID})
			return err
		},
		"NUL": func(tx *store.Tx) error {
			_, err := tx.CreateReturnee(ctx, store.NewReturnee{Details: mark(func(d *onward.ReturneeDetails) { d.Consents[0].Language = marker + "\x00" })})
			return err
		},
		"validation": func(tx *store.Tx) error {
			_, err := tx.CreateReturnee(ctx, store.NewReturnee{Details: mark(func(d *onward.ReturneeDetails) { d.Identity.Sex, d.Identity.Email, d.Country = marker, marker, marker })})
			return err
		},
		"a search": func(tx *store.Tx) error {
			_, err := tx.Returnees(ctx, store.ReturneeFilter{Name: marker + "\x00"}, store.Cursor{})
			return err
		},
		"no such key": func(tx *store.Tx) error {
			_, err := tx.CreateUser(ctx, onward.User{OrganisationID: onward.NewID(), Name: marker, Email: marker + "@example.org", Role: onward.RoleAnalyst})
			return err
		},
		"same user": func(tx *store.Tx) error {
			u := onward.User{OrganisationID: ours.ID, Name: marker, Email: marker + "@example.org", Role: onward.RoleAnalyst}
			_, err := tx.CreateUser(ctx, u)
			if err != nil {
				return err
			}
			_, err = tx.CreateUser(ctx, u)
			return err
		},
		"same id": func(tx *store.Tx) error {
			_, err := tx.CreateOrganisation(ctx, onward.Organisation{ID: ours.ID, Slug: "another", Name: marker, Kind: onward.Agency, Country: "MX"})
			return err
		},
	}
	actors := map[string]onward.Actor{"no such key": onward.System(), "same user": onward.System(), "same id": onward.System()}
	for name, try := range cases {
		t.Run(name, func(t *testing.T) {
			actor, ok := actors[name]
			if !ok {
				actor = as(ours, onward.RoleSupervisor)
			}
			err := b.try(actor, try)
			if err == nil {
				t.Fatal("nothing was provoked")
			}
			if strings.Contains(err.Error(), marker) {
				t.Errorf("the error repeats the row: %v", err)
			}
		})
	}
}

// TestErrorsOfTheDriverAreHeldBack covers what row-level security spares us today: without it Postgres adds the row.
func TestErrorsOfTheDriverAreHeldBack(t *testing.T) {
	t.Parallel()
	for code, want := range map[pqerror.Code]onward.Code{
		"22P02": onward.EInternal, "22021": onward.EInvalid, "22P05": onward.EInvalid, "23502": onward.EInternal,
		"23503": onward.EInvalid, "23505": onward.EConflict, "23514": onward.EInternal,
	} {
		cause := &pq.Error{Code: code, Message: "value Xochiquetzal", Detail: "Failing row contains (Xochiquetzal).", Table: "returnees"}
		err := store.Translate(cause)
		wantCode(t, err, want)
		if strings.Contains(err.Error(), "Xochiquetzal") || !strings.Contains(err.Error(), string(code)) {
			t.Errorf("%v: want the code and not the values", err)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%v has lost its cause", err)
		}
	}
}

func TestAnEndedRequestIsNotCalledAFailureOfTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := b.store.InTx(ctx, counsellor, func(tx *store.Tx) error {
		cancel()
		_, err := tx.Returnees(ctx, store.ReturneeFilter{}, store.Cursor{})
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled in the chain", err)
	}
	cancel()
	if err := b.store.InTx(ctx, counsellor, func(*store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled in the chain", err)
	}
	late, cancelLate := context.WithTimeout(t.Context(), 0)
	defer cancelLate()
	wantCode(t, b.store.InTx(late, counsellor, func(*store.Tx) error { return nil }), onward.EUnavailable)
}
