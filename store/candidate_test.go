package store_test

import (
	"slices"
	"testing"

	"onward"
	"onward/store"
)

// profiles lists who is handed over, in order.
func (b bench) profiles(actor onward.Actor, most int, purposes ...onward.ConsentPurpose) (ids []onward.ID, truncated bool) {
	b.t.Helper()
	b.in(actor, func(tx *store.Tx) (err error) {
		ids = nil
		truncated, err = tx.EachProfile(b.t.Context(), "MX", purposes, most, func(list []store.Profile) error {
			for _, p := range list {
				d, err := p.Read()
				if err != nil {
					return err
				}
				if d.Identity != (onward.Identity{}) || d.Country != "MX" {
					b.t.Errorf("a profile holds %+v", d)
				}
				ids = append(ids, p.ID)
			}
			return nil
		})
		return err
	})
	return ids, truncated
}

func TestProfilesAreOfThoseWhoAgreedToAllOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	with := func(consents ...onward.Consent) onward.ReturneeDetails {
		d := person()
		d.Consents = consents
		return d
	}
	matching := onward.Consent{Purpose: onward.ConsentMatching, GivenOn: today}
	sharing := onward.Consent{Purpose: onward.ConsentSharing, GivenOn: today.AddDays(-1), ExpiresOn: today}
	both := b.returnee(counsellor, with(matching, sharing))
	b.returnee(counsellor, with())
	matched := b.returnee(counsellor, with(matching))
	withdrawn, expired, before := sharing, sharing, matching
	withdrawn.WithdrawnOn = today
	expired.ExpiresOn = today.AddDays(-1)
	before.WithdrawnOn = today.AddDays(-1)
	before.GivenOn = today.AddDays(-9)
	b.returnee(counsellor, with(matching, withdrawn))
	b.returnee(counsellor, with(matching, expired))
	b.returnee(counsellor, with(before, sharing))
	abroad := with(matching, sharing)
	abroad.Country = "GT"
	b.returnee(counsellor, abroad)
	elsewhere := b.returnee(stranger, with(sharing, matching))

	if ids, truncated := b.profiles(counsellor, 100, onward.ConsentMatching, onward.ConsentSharing); !slices.Equal(ids, []onward.ID{both.ID}) || truncated {
		t.Errorf("a counsellor is handed %v, %v; want the one of the caseload", ids, truncated)
	}
	if ids, _ := b.profiles(onward.System(), 100, onward.ConsentMatching, onward.ConsentSharing); !slices.Equal(ids, []onward.ID{elsewhere.ID, both.ID}) {
		t.Errorf("the system is handed %v, want both of both organisations, the last changed first", ids)
	}
	if ids, _ := b.profiles(counsellor, 100, onward.ConsentMatching); len(ids) != 4 || !slices.Contains(ids, matched.ID) {
		t.Errorf("who agreed to be matched: %d people, want 4", len(ids))
	}
	if ids, truncated := b.profiles(counsellor, 3, onward.ConsentMatching); len(ids) != 3 || !truncated {
		t.Errorf("of 4, at most 3: %d, truncated %v", len(ids), truncated)
	}
	if ids, truncated := b.profiles(counsellor, 4, onward.ConsentMatching); len(ids) != 4 || truncated {
		t.Errorf("of 4, at most 4: %d, truncated %v", len(ids), truncated)
	}
	err := b.try(employer, func(tx *store.Tx) error {
		_, err := tx.EachProfile(t.Context(), "MX", nil, 1, func([]store.Profile) error { return nil })
		return err
	})
	wantCode(t, err, onward.EForbidden)
}

func TestAPseudonymIsOfOnePersonForOneOpportunity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.opportunity(employer, job(), true), b.opportunity(employer, job(), true)
	ana, eva := b.returnee(counsellor, person()), b.returnee(stranger, person())
	refs := []onward.Ref{{ID: ana.ID, Version: 1}, {ID: eva.ID, Version: 1}}
	name := func(o onward.Opportunity, refs ...onward.Ref) map[onward.ID]onward.ID {
		return result(b, onward.System(), func(tx *store.Tx) (map[onward.ID]onward.ID, error) {
			return tx.CandidatePseudonyms(t.Context(), o.ID, refs)
		})
	}
	first, again, other := name(one, refs...), name(one, refs[1], refs[0]), name(two, refs...)
	all := map[onward.ID]bool{ana.ID: true, eva.ID: true, one.ID: true, two.ID: true}
	for _, r := range refs {
		if first[r.ID].IsZero() || first[r.ID] != again[r.ID] {
			t.Errorf("%v, then %v; want the same", first[r.ID], again[r.ID])
		}
		for _, pseudonym := range []onward.ID{first[r.ID], other[r.ID]} {
			if all[pseudonym] {
				t.Errorf("%v stands for something else too", pseudonym)
			}
			all[pseudonym] = true
			if pseudonym[6]>>4 != 4 {
				t.Errorf("%v holds a time, which would tell when someone was registered", pseudonym)
			}
		}
	}
	if stale := name(one, onward.Ref{ID: ana.ID, Version: 7}); len(stale) != 0 {
		t.Errorf("a profile that changed since is named: %v", stale)
	}
	names := result(b, employer, func(tx *store.Tx) (map[onward.ID]onward.ID, error) {
		return tx.CandidatePseudonyms(t.Context(), one.ID, refs)
	})
	if len(names) != 0 {
		t.Errorf("an employer learns %v", names)
	}
}

func TestAnOpportunityIsLookedAtInFewForms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opportunity(employer, job(), true)
	look := func(change func(*onward.Opportunity)) error {
		form := o
		change(&form)
		return b.try(onward.System(), func(tx *store.Tx) error { return tx.AdmitForm(t.Context(), form) })
	}
	for n := range 5 {
		for range 2 { // the same again costs nothing
			if err := look(func(o *onward.Opportunity) { o.MinAge = 20 + n }); err != nil {
				t.Fatalf("form %d: %v", n+1, err)
			}
		}
	}
	wantCode(t, look(func(o *onward.Opportunity) { o.MinAge = 40 }), onward.EConflict)
	if err := look(func(o *onward.Opportunity) {
		o.MinAge, o.Title, o.Capacity, o.ClosesOn, o.Version = 24, onward.Text{"es": "Otro"}, 9, today.AddDays(3), 12
	}); err != nil {
		t.Errorf("other words and places for a form that was seen: %v", err)
	}
}
