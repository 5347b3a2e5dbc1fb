package store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"onward"
	"onward/matcher/outcomes"
	"onward/store"
)

func TestParityAttributesAreKeptApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := consentingPerson()
	d.Parity = &onward.ParityAttributes{Sex: "other", Disability: "yes", Return: "forced", Origin: "rural"}
	p := b.returnee(counsellor, d)
	if p.Parity == nil || *p.Parity != *d.Parity {
		t.Fatalf("the agency reads %+v", p.Parity)
	}
	for _, word := range []string{"parity", "forced", "disability"} {
		if details := b.text(`SELECT details::text FROM returnees WHERE id = $1`, p.ID); strings.Contains(details, word) {
			t.Errorf("the profile holds %q: %s", word, details)
		}
	}
	// What workers score has none of it, and neither has what is saved with a list.
	q := b.request(counsellor, p.ID)
	in, err := b.store.MatchInput(t.Context(), q.ID)
	if err != nil || in.Returnee.Parity != nil {
		t.Errorf("a worker reads %+v, %v", in.Returnee.Parity, err)
	}
	found := result(b, onward.System(), func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), p.ID) })
	if found.Parity != nil {
		t.Errorf("the system reads %+v", found.Parity)
	}
	// Replaced with the whole, and taken away by leaving it out.
	d.Parity = &onward.ParityAttributes{Sex: "not_said"}
	update := func(version int64) onward.Returnee {
		return result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.UpdateReturnee(t.Context(), p.ID, version, d) })
	}
	if r := update(1); *r.Parity != *d.Parity {
		t.Errorf("%+v", r.Parity)
	}
	d.Parity = nil
	if r := update(2); r.Parity != nil || b.count(`SELECT count(*) FROM parity_attributes`) != 0 {
		t.Errorf("%+v is still there", r.Parity)
	}
	d.Parity = &onward.ParityAttributes{Disability: "maybe"}
	_, err = result2(b, func(tx *store.Tx) (onward.Returnee, error) { return tx.UpdateReturnee(t.Context(), p.ID, 3, d) })
	wantField(t, err, "parity.disability", "one_of")
	d.Parity = &onward.ParityAttributes{Disability: "yes"}
	update(3)
	b.in(as(ours, onward.RoleSupervisor), func(tx *store.Tx) error {
		_, err := tx.EraseReturnee(t.Context(), p.ID)
		return err
	})
	if n := b.count(`SELECT count(*) FROM parity_attributes`); n != 0 {
		t.Error("an erased person's attributes are still there")
	}
}

func result2[T any](b bench, fn func(*store.Tx) (T, error)) (value T, err error) {
	err = b.try(counsellor, func(tx *store.Tx) (err error) {
		value, err = fn(tx)
		return err
	})
	return value, err
}

func TestGroupsAreCountedByWhatBecameOfTheirPeople(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, scarce := b.opening(5), b.opening(1)
	person := func(sex string) onward.Returnee {
		d := consentingPerson()
		d.Parity = nil
		if sex != "" {
			d.Parity = &onward.ParityAttributes{Sex: sex}
		}
		return b.returnee(counsellor, d)
	}
	placed, declined, waits, silent := person("female"), person("female"), person("male"), person("")
	for _, p := range []onward.Returnee{placed, declined, waits, silent} {
		b.listed(p, listOf([]onward.Opportunity{o, scarce}, o))
	}
	b.listed(placed, listOf([]onward.Opportunity{scarce}, o)) // only the latest list counts
	person("male")                                            // without a list
	refer := func(p onward.Returnee) onward.Referral {
		return b.must(counsellor, b.referTo(counsellor, p, o), onward.ReferralSend, "")
	}
	r := refer(placed)
	b.must(recipient, r, onward.ReferralAccept, "")
	b.place(recipient, r, byEmployer)
	b.must(recipient, refer(declined), onward.ReferralDecline, onward.ReasonLanguage)
	refer(waits)
	c := b.counts(as(ours, onward.RoleAnalyst))
	got := map[string]int{}
	total := map[string]int{}
	for _, l := range c.Parity {
		total[l.Attribute] += l.People
		if l.Attribute == "sex" {
			got[l.Group+" "+l.Stage] += l.People
		}
		if l.Bin != 45 || l.Value <= 0 {
			t.Errorf("%+v: the best score is .45", l)
		}
	}
	if len(got) != 4 || got["female kept"] != 1 || got["female refused"] != 1 || got["male waiting"] != 1 || got["not_said not_referred"] != 1 {
		t.Errorf("%v", got)
	}
	for _, attribute := range []string{"sex", "age", "disability", "return", "origin"} {
		if total[attribute] != 4 {
			t.Errorf("%s counts %d people", attribute, total[attribute])
		}
	}
	if len(c.Floor) != 4 || c.Floor[0].Places != 1 || c.Floor[0].Score < c.Floor[3].Score || c.Floor[0].Origin != "urban" || c.Floor[0].Age != "35 to 49" {
		t.Errorf("who has an opening with one place on the list: %+v", c.Floor)
	}
	if others := b.counts(as(theirs, onward.RoleAnalyst)); len(others.Parity)+len(others.Floor) != 0 {
		t.Errorf("another organisation counts %+v", others.Parity)
	}
	f, err := b.store.Figures(t.Context(), as(ours, onward.RoleAnalyst), onward.ID{}, outcomes.Publish)
	if err != nil || len(f.Parity.Attributes) != 0 {
		t.Errorf("of four people: %+v %v", f.Parity, err)
	}
	b.in(as(ours, onward.RoleSupervisor), func(tx *store.Tx) error {
		_, err := tx.EraseReturnee(t.Context(), silent.ID)
		return err
	})
	if n := b.count(`SELECT count(*) FROM referral_requests WHERE returnee_id = $1 AND scores IS NOT NULL`, silent.ID); n != 0 {
		t.Error("the scores of an erased person's list are still there")
	}
	text, err := json.Marshal(b.counts(as(ours, onward.RoleAnalyst)).Floor)
	if err != nil || strings.Contains(string(text), placed.ID.String()) {
		t.Errorf("%s %v", text, err)
	}
}
