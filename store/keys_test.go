package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/internal/testenv"
	"onward/store"
	"onward/store/vault"
)

// secretive is a person whose every identifying value is one that occurs nowhere else.
func secretive() onward.ReturneeDetails {
	d := person()
	d.Identity = onward.Identity{
		GivenName: "Xochiquetzal", FamilyName: "Zapotécatl Quiñones", Sex: "female", Phone: "+52 55 9876 1234", Email: "Xochi.Zapotecatl@example.org", Notes: "fears Hermenegildo",
		AlternateContact: &onward.AlternateContact{Name: "Eustolia", Phone: "+52 55 1111 2222", Relation: "sister"},
	}
	d.BirthDate = onward.NewDate(1991, time.May, 17)
	return d
}

func (b bench) registered(actor onward.Actor, d onward.ReturneeDetails) onward.Returnee {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) (onward.Returnee, error) {
		return tx.CreateReturnee(b.t.Context(), store.NewReturnee{Details: d})
	})
}

func (b bench) dumped() string {
	b.t.Helper()
	return testenv.Dump(b.t, b.AdminDSN)
}

func identifying() []string {
	return []string{"Xochiquetzal", "Zapot", "Quiñones", "9876 1234", "98761234", "Xochi", "Hermenegildo", "Eustolia", "1111 2222", "sister", "1991-05-17"}
}

func TestADumpOfTheDatabaseTellsNoOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.registered(counsellor, secretive())
	changed := r.ReturneeDetails
	changed.Identity.Notes += " and Hermenegildo's brother"
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.UpdateReturnee(t.Context(), r.ID, 1, changed)
		return err
	})
	b.request(counsellor, r.ID)
	dump := b.dumped()
	for _, value := range identifying() {
		if strings.Contains(dump, value) {
			t.Errorf("the dump holds %q", value)
		}
	}
	if !strings.Contains(dump, r.ID.String()) {
		t.Error("the dump holds nothing of the person")
	}
	read := result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), r.ID) })
	if read.Identity.FamilyName != "Zapotécatl Quiñones" || read.Identity.AlternateContact.Name != "Eustolia" || read.BirthDate != changed.BirthDate {
		t.Errorf("read %+v", read)
	}
	// Whoever may not read the identity knows the birth date to the month, and never makes anybody older.
	if r := result(b, onward.System(), func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), r.ID) }); r.BirthDate != onward.NewDate(1991, time.May, 31) || r.Identity.GivenName != "" {
		t.Errorf("the system reads %+v", r)
	}
}

func TestPeopleAreFoundByWordsPhoneAndEmail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.registered(counsellor, secretive())
	for _, c := range []struct {
		f    store.ReturneeFilter
		want int
	}{
		{store.ReturneeFilter{Name: "zapotecatl"}, 1},
		{store.ReturneeFilter{Name: "QUINONES xochiquetzal"}, 1},
		{store.ReturneeFilter{Name: "Xochiquetzal Other"}, 0},
		{store.ReturneeFilter{Contact: "5598761234"}, 1},
		{store.ReturneeFilter{Contact: "0052 (55) 9876-1234"}, 1},
		{store.ReturneeFilter{Contact: "9876"}, 0},
		{store.ReturneeFilter{Contact: " xochi.zapotecatl@EXAMPLE.org "}, 1},
		{store.ReturneeFilter{Name: "zapotecatl", Contact: "+52 55 0000 0000"}, 0},
	} {
		page := result(b, counsellor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
			return tx.Returnees(t.Context(), c.f, store.Cursor{})
		})
		if len(page.Items) != c.want || c.want == 1 && page.Items[0].ID != r.ID {
			t.Errorf("%+v finds %d, want %d", c.f, len(page.Items), c.want)
		}
	}
	page := result(b, as(theirs, onward.RoleCounsellor), func(tx *store.Tx) (store.Page[onward.Returnee], error) {
		return tx.Returnees(t.Context(), store.ReturneeFilter{Name: "zapotecatl"}, store.Cursor{})
	})
	if len(page.Items) != 0 {
		t.Error("another agency finds the person")
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.registered(counsellor, secretive())
	same := secretive()
	same.ExternalID, same.Identity.Phone, same.Identity.Email = "2", "", ""
	same.Identity.GivenName, same.Identity.FamilyName = "Quinones Zapotecatl", "XOCHIQUETZAL" // in another order, as forms do
	second := b.registered(counsellor, same)
	sister := secretive()
	sister.ExternalID, sister.Identity.GivenName, sister.Identity.Email, sister.BirthDate = "3", "Itzel", "", onward.NewDate(1993, time.May, 17)
	third := b.registered(counsellor, sister)
	other := secretive()
	b.registered(onward.Actor{UserID: stranger.UserID, OrganisationID: theirs.ID, Role: onward.RoleCounsellor}, other)
	list := result(b, counsellor, func(tx *store.Tx) ([]onward.Duplicate, error) { return tx.Duplicates(t.Context(), first.ID) })
	if len(list) != 2 || list[0].ReturneeID != second.ID || list[0].Because != "person" || list[1].ReturneeID != third.ID || list[1].Because != "phone" {
		t.Errorf("%+v", list)
	}
}

func (b bench) keeper(v *vault.Vault) *store.Keeper {
	b.t.Helper()
	k, err := store.OpenKeeper(b.t.Context(), b.AdminDSN, v)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = k.Close() })
	return k
}

func (b bench) withKeys(v *vault.Vault) bench {
	b.t.Helper()
	s, err := store.Open(b.t.Context(), store.Config{URL: b.AppDSN, Vault: v, Vocabulary: vocabulary{}, Now: clock})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = s.Close() })
	b.store = s
	return b
}

func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.registered(counsellor, secretive())
	hook, err := b.store.CreateWebhook(t.Context(), as(ours, onward.RoleAdministrator), onward.WebhookDetails{URL: "https://example.org/hook"})
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := keys.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	k := b.keeper(rotated)
	if n, err := k.Left(t.Context()); err != nil || n < 3 {
		t.Errorf("%d are left, %v; want the person, the webhook and Onward's own key", n, err)
	}
	// Nothing is wrapped anew by itself: others may not have the new key yet.
	if n, err := k.Seal(t.Context()); err != nil || n != 0 {
		t.Errorf("%d sealed, %v", n, err)
	}
	n, err := k.Rewrap(t.Context())
	if left, leftErr := k.Left(t.Context()); err != nil || leftErr != nil || n < 3 || left != 0 {
		t.Errorf("%d wrapped anew, %d left, %v, %v", n, left, err, leftErr)
	}
	pruned, err := rotated.Pruned()
	if err != nil || pruned.Keys() != 1 || rotated.Keys() != 2 {
		t.Fatal(pruned, err)
	}
	b = b.withKeys(pruned)
	if read := result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), r.ID) }); read.Identity.GivenName != "Xochiquetzal" {
		t.Errorf("read %+v", read)
	}
	page := result(b, counsellor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
		return tx.Returnees(t.Context(), store.ReturneeFilter{Name: "zapotecatl"}, store.Cursor{})
	})
	if len(page.Items) != 1 {
		t.Error("nobody is found after the rotation")
	}
	if _, err := b.store.TestWebhook(t.Context(), as(ours, onward.RoleAdministrator), hook.ID); err != nil {
		t.Fatal(err)
	}
	claimed, err := b.store.ClaimDeliveries(t.Context())
	if err != nil || len(claimed) != 1 || len(claimed[0].Secrets) != 1 || claimed[0].Secrets[0] != hook.Secret {
		t.Errorf("claimed %+v, %v", claimed, err)
	}
	// The old keys, and others, open nothing any more, and say so.
	other, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*vault.Vault{keys, other} {
		_, err := store.Open(t.Context(), store.Config{URL: b.AppDSN, Vault: v})
		wantCode(t, err, onward.EUnavailable)
	}
}

func TestWhatWasWrittenBeforeThereWereKeysIsSealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const people = 7
	for i := range people {
		d := secretive()
		d.ExternalID, d.Identity.Phone = fmt.Sprint("old ", i), ""
		r := b.registered(counsellor, d)
		b.sql(fmt.Sprintf(`DELETE FROM identity_tokens WHERE returnee_id = '%[1]s';
			UPDATE returnee_identities SET key = NULL, key_id = 0, identity = '{"given_name": "Xochiquetzal", "family_name": "Zapotécatl", "phone": "559876%[2]d"}' WHERE returnee_id = '%[1]s';
			UPDATE returnees SET details = jsonb_set(details, '{birth_date}', '"1991-05-17"') WHERE id = '%[1]s'`, r.ID, i))
	}
	b.sql(`INSERT INTO webhooks (id, organisation_id, url, created_at) VALUES ('00000000-0000-7000-8000-00000000abcd', '` + ours.ID.String() + `', 'https://example.org', now());
		INSERT INTO webhook_secrets (webhook_id, secret, created_at) VALUES ('00000000-0000-7000-8000-00000000abcd', 'whsec_b2xk', now())`)
	if !strings.Contains(b.dumped(), "Xochiquetzal") || !strings.Contains(b.dumped(), "whsec_b2xk") {
		t.Fatal("nothing to seal")
	}
	k := b.keeper(keys)
	if left, err := k.Plain(t.Context()); err != nil || left != people+1 {
		t.Errorf("%d left, %v", left, err)
	}
	if n, err := k.Seal(t.Context()); err != nil || n != people+1 {
		t.Errorf("%d sealed, %v", n, err)
	}
	if n, err := k.Seal(t.Context()); err != nil || n != 0 {
		t.Errorf("%d sealed again, %v", n, err)
	}
	dump := b.dumped()
	for _, value := range []string{"Xochiquetzal", "Zapot", "559876", "1991-05-17", "whsec_b2xk"} {
		if strings.Contains(dump, value) {
			t.Errorf("the dump holds %q", value)
		}
	}
	page := result(b, counsellor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
		return tx.Returnees(t.Context(), store.ReturneeFilter{Name: "zapotecatl"}, store.Cursor{})
	})
	if len(page.Items) != people || page.Items[0].BirthDate != onward.NewDate(1991, time.May, 17) || page.Items[0].Identity.FamilyName != "Zapotécatl" {
		t.Errorf("%d found: %+v", len(page.Items), page.Items[0])
	}
}

func TestAnAddressIsKnownByItsTokenAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.store.AddressToken("192.0.2.1")
	if len(a) != 32 || a != b.store.AddressToken("192.0.2.1") || a == b.store.AddressToken("192.0.2.2") {
		t.Errorf("token %q", a)
	}
}

func TestOnlyTheOwnerWrapsKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := store.OpenKeeper(t.Context(), b.AppDSN, keys)
	wantCode(t, err, onward.EForbidden)
}

func TestASealedValueThatWasMovedDoesNotOpen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.registered(counsellor, secretive())
	d := secretive()
	d.ExternalID = "2"
	second := b.registered(counsellor, d)
	read := func(id onward.ID) error {
		return b.try(counsellor, func(tx *store.Tx) error {
			_, err := tx.Returnee(t.Context(), id)
			return err
		})
	}
	// The phone in the place of the name.
	b.sql(fmt.Sprintf(`UPDATE returnee_identities SET identity = jsonb_set(identity, '{given_name}', identity -> 'phone') WHERE returnee_id = '%s'`, first.ID))
	if err := read(first.ID); err == nil {
		t.Error("a value of another field opens")
	}
	// The whole of another person.
	b.sql(fmt.Sprintf(`UPDATE returnee_identities SET (identity, key) = (SELECT identity, key FROM returnee_identities WHERE returnee_id = '%s') WHERE returnee_id = '%s'`, first.ID, second.ID))
	if err := read(second.ID); err == nil {
		t.Error("the identity of another person opens")
	}
}
