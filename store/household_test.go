package store_test

import (
	"slices"
	"testing"

	"onward"
	"onward/store"
)

func (b bench) household(actor onward.Actor, adults ...onward.ID) onward.LinkedHousehold {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) (onward.LinkedHousehold, error) {
		return tx.CreateHousehold(b.t.Context(), onward.HouseholdDetails{Adults: adults})
	})
}

func TestWhoMayBeLinkedInAHousehold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	changed := func(change func(*onward.ReturneeDetails)) onward.ID {
		d := person()
		change(&d)
		return b.returnee(counsellor, d).ID
	}
	ana, eva := b.returnee(counsellor, person()).ID, b.returnee(counsellor, person()).ID
	link := func(actor onward.Actor, adults ...onward.ID) error {
		return b.try(actor, func(tx *store.Tx) error {
			_, err := tx.CreateHousehold(t.Context(), onward.HouseholdDetails{Adults: adults})
			return err
		})
	}
	wantField(t, link(counsellor, ana), "adults", "length")
	wantField(t, link(counsellor, ana, ana), "adults[1]", "duplicate")
	wantField(t, link(counsellor, ana, onward.NewID()), "adults[1]", "unknown_returnee")
	wantField(t, link(counsellor, b.returnee(stranger, person()).ID, ana), "adults[0]", "unknown_returnee")
	wantField(t, link(counsellor, ana, changed(func(d *onward.ReturneeDetails) { d.Country = "GT" })), "adults[1]", "country")
	wantField(t, link(counsellor, ana, changed(func(d *onward.ReturneeDetails) { d.BirthDate = today.AddDays(-17 * 365) })), "adults[1]", "age")
	wantField(t, link(counsellor, ana, changed(func(d *onward.ReturneeDetails) { d.Consents = nil })), "adults[1]", "consent")
	wantCode(t, link(employer, ana, eva), onward.EForbidden)

	h := b.household(counsellor, eva, ana)
	if !slices.Equal(h.Adults, []onward.ID{eva, ana}) || h.Country != "MX" || h.OrganisationID != ours.ID || h.Version != 1 {
		t.Errorf("linked as %+v", h)
	}
	wantCode(t, link(counsellor, ana, changed(func(*onward.ReturneeDetails) {})), onward.EConflict)
}

func TestAdultsCanBeUnlinked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []onward.ID
	for range 3 {
		ids = append(ids, b.returnee(counsellor, person()).ID)
	}
	h := b.household(counsellor, ids...)
	update := func(actor onward.Actor, version int64, adults ...onward.ID) error {
		return b.try(actor, func(tx *store.Tx) error {
			_, err := tx.UpdateHousehold(t.Context(), h.ID, version, onward.HouseholdDetails{Adults: adults})
			return err
		})
	}
	wantCode(t, update(stranger, 1, ids[:2]...), onward.ENotFound)
	if err := update(counsellor, 1, ids[2], ids[0]); err != nil {
		t.Fatal(err)
	}
	wantCode(t, update(counsellor, 1, ids...), onward.EVersion)
	find := func(returnee onward.ID) []onward.LinkedHousehold {
		return result(b, counsellor, func(tx *store.Tx) (store.Page[onward.LinkedHousehold], error) {
			return tx.Households(t.Context(), returnee, store.Cursor{})
		}).Items
	}
	if found := find(ids[1]); len(found) != 0 {
		t.Errorf("unlinked, and still in %+v", found)
	}
	if found := find(ids[0]); len(found) != 1 || found[0].Version != 2 || !slices.Equal(found[0].Adults, []onward.ID{ids[2], ids[0]}) {
		t.Errorf("linked in %+v", found)
	}
	remove := func(actor onward.Actor) error {
		return b.try(actor, func(tx *store.Tx) error { return tx.DeleteHousehold(t.Context(), h.ID) })
	}
	wantCode(t, remove(stranger), onward.ENotFound)
	if err := remove(counsellor); err != nil {
		t.Fatal(err)
	}
	wantCode(t, remove(counsellor), onward.ENotFound)
	if n := b.count(`SELECT count(*) FROM household_adults`); n != 0 {
		t.Errorf("%d adults are still linked", n)
	}
	b.household(counsellor, ids...) // and may be linked again
}
