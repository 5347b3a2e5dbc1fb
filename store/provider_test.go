package store_test

import (
	"testing"
	"time"

	"onward"
	"onward/store"
)

// identified says whom a provider means by the slug of an organisation: its counsellor.
func (b bench) identified(o onward.Organisation) {
	b.t.Helper()
	if _, err := b.admin().ExecContext(b.t.Context(), `INSERT INTO external_identities (issuer, subject, organisation_id, user_id, created_at) VALUES ('https://id.example.org', $1, $2, $3, now())`,
		o.Slug, o.ID, userOf(o, onward.RoleCounsellor).ID); err != nil {
		b.t.Fatal(err)
	}
}

func TestASubjectOfAProviderIsBoundOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	account, invitation, err := b.store.Invite(t.Context(), as(ours, onward.RoleAdministrator), ours.ID, onward.NewUser{UserDetails: onward.UserDetails{Name: "Rosa Ibarra", Role: onward.RoleCounsellor}, Email: "rosa@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	who := store.ExternalIdentity{Issuer: "https://id.example.org", Subject: "7"}
	in := func(who store.ExternalIdentity, invitation string) (onward.ID, bool, onward.Code) {
		a, bound, err := b.store.SignInByProvider(t.Context(), "192.0.2.7", who, invitation)
		if err != nil {
			return onward.ID{}, false, onward.CodeOf(err)
		}
		return a.ID, bound, ""
	}
	if _, _, code := in(who, ""); code != onward.EForbidden {
		t.Errorf("nobody is known, %q", code)
	}
	if id, bound, code := in(who, invitation.Token); id != account.ID || !bound || code != "" {
		t.Errorf("%v %v %q", id, bound, code)
	}
	if id, bound, code := in(who, ""); id != account.ID || bound || code != "" {
		t.Errorf("%v %v %q", id, bound, code)
	}
	who.Subject = "8"
	if _, _, code := in(who, invitation.Token); code != onward.ENotFound {
		t.Errorf("an invitation binds twice, %q", code)
	}
	who.Subject, who.Issuer = "7", "https://other.example.org"
	if _, _, code := in(who, ""); code != onward.EForbidden {
		t.Errorf("the subject of another provider is the user, %q", code)
	}
	if b.audited("external_identities", account.ID) != 1 {
		t.Error("the audit does not have it")
	}
}

func TestAFlowIsSealedForTenMinutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f, sealed, err := b.store.SealFlow(t.Context(), store.Flow{Provider: "office", Verifier: "v", Invitation: "i"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.store.OpenFlow(t.Context(), sealed); err != nil || got != f || len(f.State) != 43 || f.State == f.Nonce {
		t.Errorf("%+v, %v", got, err)
	}
	other := setup(t)
	for name, text := range map[string]string{"empty": "", "not sealed": "v4.local.x", "changed": sealed[:len(sealed)-2] + "AA"} {
		if _, err := b.store.OpenFlow(t.Context(), text); onward.CodeOf(err) != onward.EUnauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := other.store.OpenFlow(t.Context(), sealed); onward.CodeOf(err) != onward.EUnauthenticated {
		t.Errorf("of another server: %v", err)
	}
	later, err := store.Open(t.Context(), store.Config{URL: b.AppDSN, Vault: keys, Now: func() time.Time { return clock().Add(11 * time.Minute) }, Vocabulary: vocabulary{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = later.Close() }()
	if _, err := later.OpenFlow(t.Context(), sealed); onward.CodeOf(err) != onward.EUnauthenticated {
		t.Errorf("after eleven minutes: %v", err)
	}
}
