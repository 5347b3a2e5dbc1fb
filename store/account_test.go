package store_test

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/store"
)

func (b bench) token(actor onward.Actor, user onward.User, expires *time.Time) (secret string, token onward.Token) {
	b.t.Helper()
	b.in(actor, func(tx *store.Tx) (err error) {
		secret, token, err = tx.CreateToken(b.t.Context(), user, "laptop", expires)
		return err
	})
	return secret, token
}

func TestATokenStandsForItsUserUntilItIsRevokedOrExpires(t *testing.T) {
	t.Parallel()
	b := setup(t)
	administrator := as(ours, onward.RoleAdministrator)
	user := userOf(ours, onward.RoleCounsellor)
	for name, secret := range map[string]string{"nothing": "", "another's": "sk_abc", "unknown": "onw_" + strings.Repeat("A", 43), "a NUL": "onw_\x00", "too long": "onw_" + strings.Repeat("A", 10_000)} {
		t.Run(name, func(t *testing.T) {
			_, err := b.store.Authenticate(t.Context(), secret)
			wantCode(t, err, onward.EUnauthenticated)
		})
	}
	secret, token := b.token(administrator, user, nil)
	actor, err := b.store.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if want := (onward.Actor{UserID: user.ID, OrganisationID: ours.ID, Role: onward.RoleCounsellor, TokenID: token.ID}); !reflect.DeepEqual(actor, want) {
		t.Errorf("authenticated %+v, want %+v", actor, want)
	}
	_, err = b.store.Authenticate(t.Context(), secret[:len(secret)-1])
	wantCode(t, err, onward.EUnauthenticated)

	b.in(administrator, func(tx *store.Tx) error { return tx.RevokeToken(t.Context(), token.ID) })
	_, err = b.store.Authenticate(t.Context(), secret)
	wantCode(t, err, onward.EUnauthenticated)
	wantCode(t, b.try(administrator, func(tx *store.Tx) error { return tx.RevokeToken(t.Context(), token.ID) }), onward.ENotFound)

	at := clock()
	secret, _ = b.token(administrator, user, &at)
	_, err = b.store.Authenticate(t.Context(), secret)
	wantCode(t, err, onward.EUnauthenticated)
	later := clock().Add(time.Second)
	secret, _ = b.token(administrator, user, &later)
	if _, err = b.store.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("a second before it expires: %v", err)
	}
}

func TestSecretsAreNotInTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, _ := b.token(onward.System(), userOf(ours, onward.RoleCounsellor), nil)
	var dump string
	if err := b.admin().GetContext(t.Context(), &dump, `SELECT string_agg(t::text, E'\n') FROM api_tokens t`); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dump, "laptop") {
		t.Fatalf("the dump %q does not hold the token at all", dump)
	}
	random := strings.TrimPrefix(secret, "onw_")
	for _, form := range []string{secret, random, hex.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(random))} {
		if strings.Contains(dump, form) {
			t.Errorf("the table holds the secret: %s", dump)
		}
	}
}

func TestOnlyAdministratorsAndTheSystemManageAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	for _, role := range roles() {
		manages := role == onward.RoleAdministrator || role == onward.RoleSystem
		for name, try := range map[string]func(*store.Tx) error{
			"create a user": func(tx *store.Tx) error {
				_, err := tx.CreateUser(ctx, onward.User{OrganisationID: ours.ID, Name: "New", Email: string(role) + "-new@example.org", Role: onward.RoleAnalyst})
				return err
			},
			"create a token": func(tx *store.Tx) error {
				_, _, err := tx.CreateToken(ctx, userOf(ours, onward.RoleAnalyst), "", nil)
				return err
			},
		} {
			want := onward.EForbidden
			if manages {
				want = ""
			}
			if got := onward.CodeOf(b.try(actorOf(role), try)); got != want {
				t.Errorf("%s: %s: %q, want %q", role, name, got, want)
			}
		}
		err := b.try(actorOf(role), func(tx *store.Tx) error {
			_, err := tx.CreateOrganisation(ctx, onward.Organisation{Slug: "new", Name: "New", Kind: onward.Agency, Country: "MX"})
			return err
		})
		if role != onward.RoleSystem {
			wantCode(t, err, onward.EForbidden)
		} else if err != nil {
			t.Error(err)
		}
	}
	wantCode(t, b.try(onward.System(), func(tx *store.Tx) error { _, err := tx.CreateOrganisation(ctx, ours); return err }), onward.EConflict)
	wantCode(t, b.try(onward.System(), func(tx *store.Tx) error {
		u := userOf(ours, onward.RoleAnalyst)
		u.ID, u.Email = onward.ID{}, strings.ToUpper(u.Email)
		_, err := tx.CreateUser(ctx, u)
		return err
	}), onward.EConflict)
	wantCode(t, b.try(onward.System(), func(tx *store.Tx) error {
		_, err := tx.CreateUser(ctx, onward.User{OrganisationID: onward.NewID(), Name: "New", Email: "lost@example.org", Role: onward.RoleAnalyst})
		return err
	}), onward.EInvalid)
	wantCode(t, b.try(onward.System(), func(tx *store.Tx) error { _, err := tx.OrganisationBySlug(ctx, "nobody"); return err }), onward.ENotFound)
}
