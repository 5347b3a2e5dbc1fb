package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"onward"
	"onward/store"
)

const goodPassword = "mi perro come pan duro"

// session is one of a user that is complete.
func session(u onward.User) onward.Session {
	return onward.Session{
		ID: onward.NewID(), UserID: u.ID, OrganisationID: u.OrganisationID, Role: u.Role, Stage: onward.StageComplete, Method: onward.ByPassword, From: "192.0.2.7", Agent: "Test",
		CreatedAt: clock(), ConfirmedAt: clock(), EndsAt: clock().Add(12 * time.Hour),
	}
}

// commit keeps a session under a token.
func (b bench) commit(token string, s onward.Session, until time.Time) error {
	b.t.Helper()
	text, err := b.store.Sessions().Encode(s.EndsAt, map[string]any{store.SessionKey: s})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.store.Sessions().CommitCtx(b.t.Context(), token, text, until)
}

// found is the session of a token; nil if there is none.
func (b bench) found(token string) *onward.Session {
	b.t.Helper()
	text, ok, err := b.store.Sessions().FindCtx(b.t.Context(), token)
	if err != nil {
		b.t.Fatal(err)
	}
	if !ok {
		return nil
	}
	_, values, err := b.store.Sessions().Decode(text)
	if err != nil {
		b.t.Fatal(err)
	}
	s, _ := values[store.SessionKey].(onward.Session)
	return &s
}

// signedIn gives the counsellor of an organisation a password, a second factor and a session, named as the organisation.
func (b bench) signedIn(o onward.Organisation) (onward.Actor, string) {
	b.t.Helper()
	u, s := userOf(o, onward.RoleCounsellor), session(userOf(o, onward.RoleCounsellor))
	actor := as(o, onward.RoleCounsellor)
	if err := b.store.SetPassword(b.t.Context(), actor, u.ID, "password", goodPassword); err != nil {
		b.t.Fatal(err)
	}
	secret := b.factor(actor)
	if _, err := b.store.InviteAgain(b.t.Context(), actor, u.ID); err != nil {
		b.t.Fatal(err)
	}
	if err := b.commit(o.Slug, s, clock().Add(time.Hour)); err != nil {
		b.t.Fatal(err)
	}
	actor.SessionID = s.ID
	return actor, secret
}

// factor confirms a second factor with the code of the period before.
func (b bench) factor(actor onward.Actor) (secret string) {
	b.t.Helper()
	f, err := b.store.BeginSecondFactor(b.t.Context(), actor)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.store.ConfirmSecondFactor(b.t.Context(), actor, codeOf(b.t, f.Secret, -1)); err != nil {
		b.t.Fatal(err)
	}
	return f.Secret
}

// codeOf is the code some periods from now.
func codeOf(t testing.TB, secret string, periods int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, clock().Add(time.Duration(periods)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAPasswordSignsInWhoseItIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := userOf(ours, onward.RoleCounsellor)
	_, err := b.store.CheckPassword(t.Context(), u.Email, "")
	wantCode(t, err, onward.EUnauthenticated) // there is none yet
	actor, _ := b.signedIn(ours)
	account, err := b.store.CheckPassword(t.Context(), strings.ToUpper(u.Email), goodPassword)
	if err != nil || account.ID != u.ID || !account.HasPassword || !account.HasSecondFactor || account.RecoveryCodes != 10 || account.SignedInAt == nil {
		t.Errorf("%+v, %v", account, err)
	}
	for _, try := range [][2]string{{u.Email, ""}, {u.Email, goodPassword + " "}, {"", goodPassword}, {userOf(theirs, onward.RoleCounsellor).Email, goodPassword}, {"\xff", goodPassword}, {"a\x00", goodPassword}} {
		_, err := b.store.CheckPassword(t.Context(), try[0], try[1])
		wantCode(t, err, onward.EUnauthenticated)
	}
	if err := b.store.Confirm(t.Context(), actor, clock().Add(-time.Hour), goodPassword); err != nil {
		t.Error(err)
	}
	wantField(t, b.store.Confirm(t.Context(), actor, clock(), "another"), "current_password", "wrong")
	// Who has no password proves it by having signed in just now.
	other := as(ours, onward.RoleAnalyst)
	if err := b.store.Confirm(t.Context(), other, clock().Add(-9*time.Minute), ""); err != nil {
		t.Error(err)
	}
	wantCode(t, b.store.Confirm(t.Context(), other, clock().Add(-11*time.Minute), ""), onward.EForbidden)
	wantField(t, b.store.SetPassword(t.Context(), actor, u.ID, "new_password", "ours counsellor 12"), "new_password", "guessable")
	wantCode(t, b.store.SetPassword(t.Context(), actor, userOf(theirs, onward.RoleCounsellor).ID, "new_password", goodPassword), onward.ENotFound)
	_, err = b.store.Account(t.Context(), actor, userOf(theirs, onward.RoleCounsellor).ID)
	wantCode(t, err, onward.ENotFound)
	wantField(t, b.store.CheckNewPassword(u, "password", "ours counsellor 12"), "password", "guessable")
	list, err := b.store.Accounts(t.Context(), as(ours, onward.RoleAdministrator))
	if err != nil || len(list) != 6 || list[2].Email != u.Email || !list[2].HasPassword || list[0].HasPassword {
		t.Errorf("%d accounts, %v", len(list), err)
	}
	if list, err := b.store.Accounts(t.Context(), onward.System()); err != nil || len(list) != 12 {
		t.Errorf("%d for the system, %v", len(list), err)
	}
	// A hash by other parameters is made anew at the next sign-in.
	b.sql(`UPDATE credentials SET password_hash = '$argon2id$v=19$m=8192,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$bm90IGl0' WHERE user_id = $1`, u.ID)
	_, err = b.store.CheckPassword(t.Context(), u.Email, goodPassword)
	wantCode(t, err, onward.EUnauthenticated)
	if b.audited("credentials", u.ID) == 0 || b.audited("second_factors", u.ID) == 0 || b.audited("sessions", u.ID) == 0 {
		t.Error("the audit does not tell of all of it")
	}
}

// audited is how many entries there are of a resource about an id.
func (b bench) audited(resource string, id onward.ID) (n int) {
	b.t.Helper()
	if err := b.admin().GetContext(b.t.Context(), &n, `SELECT count(*) FROM audit WHERE ids @> ARRAY[$1::uuid] AND entry::jsonb ->> 'resource' = $2`, id, resource); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestACodeIsTakenOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	actor, secret := b.signedIn(ours)
	check := func(code string) error {
		_, err := b.store.CheckSecondFactor(t.Context(), actor, code)
		return err
	}
	for _, wrong := range []string{"", "000000", codeOf(t, secret, -1), codeOf(t, secret, -2), codeOf(t, secret, 2), codeOf(t, secret, 0) + "0", "１２３４５６"} {
		wantField(t, check(wrong), "code", "wrong")
	}
	// The same code at the same moment from many places.
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if check(codeOf(t, secret, 0)) == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("one code was taken %d times", taken.Load())
	}
	next := codeOf(t, secret, 1)
	if err := check(next[:3] + " " + next[3:]); err != nil { // as apps show it, of a clock that is ahead
		t.Error(err)
	}
	wantField(t, check(codeOf(t, secret, 0)), "code", "wrong") // older than the last

	codes, err := b.store.RenewRecoveryCodes(t.Context(), actor)
	if err != nil || len(codes) != 10 {
		t.Fatal(codes, err)
	}
	taken.Store(0)
	for range 12 {
		all.Go(func() {
			if recovery, err := b.store.CheckSecondFactor(t.Context(), actor, codes[0]); err == nil && recovery {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("one recovery code was taken %d times", taken.Load())
	}
	_, err = b.store.CheckSecondFactor(t.Context(), as(theirs, onward.RoleCounsellor), codes[1])
	wantField(t, err, "code", "wrong") // another's
	if err := b.store.RemoveSecondFactor(t.Context(), onward.System(), actor.UserID); err != nil {
		t.Fatal(err)
	}
	wantField(t, check(codes[1]), "code", "wrong")
	wantCode(t, b.store.RemoveSecondFactor(t.Context(), onward.System(), actor.UserID), onward.EConflict)
	_, err = b.store.RenewRecoveryCodes(t.Context(), actor)
	wantCode(t, err, onward.EConflict)
	wantCode(t, b.store.RemoveSecondFactor(t.Context(), as(theirs, onward.RoleAdministrator), actor.UserID), onward.ENotFound)
}

func TestASecondFactorSurvivesARotationOfKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	actor, secret := b.signedIn(ours)
	if strings.Contains(b.dumped(), secret) {
		t.Error("the secret is in the database")
	}
	rotated, err := keys.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	k := b.keeper(rotated)
	if left, err := k.Left(t.Context()); err != nil || left == 0 {
		t.Fatal(left, err)
	}
	if _, err := k.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := k.Left(t.Context()); err != nil || left != 0 {
		t.Errorf("%d left, %v", left, err)
	}
	pruned, err := rotated.Pruned()
	if err != nil {
		t.Fatal(err)
	}
	after, err := store.Open(t.Context(), store.Config{URL: b.AppDSN, Vault: pruned, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = after.Close() })
	if _, err := after.CheckSecondFactor(t.Context(), actor, codeOf(t, secret, 0)); err != nil {
		t.Error(err)
	}
}

func TestASessionLastsWhileItIsUsedAndNoLonger(t *testing.T) {
	t.Parallel()
	b := setup(t)
	actor, _ := b.signedIn(ours)
	s := b.found(ours.Slug)
	if s == nil || s.ID != actor.SessionID || s.UserID != actor.UserID || s.Role != onward.RoleCounsellor || s.From != "192.0.2.7" || !s.ExpiresAt.Equal(clock().Add(time.Hour)) {
		t.Fatalf("%+v", s)
	}
	if b.found("none") != nil || b.found("") != nil {
		t.Error("a token that is none has a session")
	}
	// Longer by use, and never beyond its end.
	if err := b.commit(ours.Slug, *s, clock().Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if s := b.found(ours.Slug); s == nil || !s.ExpiresAt.Equal(clock().Add(12*time.Hour)) {
		t.Errorf("%+v", s)
	}
	for _, end := range []string{"expires_at", "ends_at"} {
		b.sql(`UPDATE sessions SET ` + end + ` = '2026-03-10T10:00:00Z'`) // now
		if b.found(ours.Slug) != nil {
			t.Errorf("%s is over, and it goes on", end)
		}
		wantCode(t, b.commit(ours.Slug, *s, clock().Add(time.Hour)), onward.EUnauthenticated)
		b.sql(`UPDATE sessions SET ` + end + ` = '2026-03-10T20:00:00Z'`)
	}
	if list, err := b.store.SessionsOf(t.Context(), actor, actor.UserID); err != nil || len(list) != 1 || !list[0].Current {
		t.Errorf("%+v, %v", list, err)
	}
	wantCode(t, b.store.EndSession(t.Context(), as(ours, onward.RoleSupervisor), s.ID), onward.ENotFound) // another's
	if err := b.store.EndOtherSessions(t.Context(), actor); err != nil || b.found(ours.Slug) == nil {
		t.Errorf("the session that asks ended: %v", err)
	}
	if err := b.store.EndSession(t.Context(), actor, s.ID); err != nil || b.found(ours.Slug) != nil {
		t.Errorf("it goes on: %v", err)
	}
	// A late request does not bring it back.
	wantCode(t, b.commit(ours.Slug, *s, clock().Add(time.Hour)), onward.EUnauthenticated)
	if b.found(ours.Slug) != nil {
		t.Error("a late request brought it back")
	}
	if _, err := b.store.Sessions().Encode(clock(), map[string]any{"other": 1}); err == nil {
		t.Error("a session without who signed in is kept")
	}
	if _, _, err := b.store.Sessions().Decode([]byte("{")); err == nil {
		t.Error("what is no session is read")
	}
	b.sql(`UPDATE sessions SET expires_at = '2026-02-01T00:00:00Z'`)
	if n, err := b.store.ForgetSessions(t.Context()); err != nil || n != 1 {
		t.Errorf("%d forgotten, %v", n, err)
	}
}

func TestTheInterfaceOfScsWithoutAContext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := session(userOf(ours, onward.RoleAnalyst))
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	sessions := b.store.Sessions()
	if err := sessions.Commit("token", text, clock().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := sessions.Find("token"); !ok || err != nil {
		t.Error(ok, err)
	}
	for range 2 { // ending what has ended is nothing
		if err := sessions.Delete("token"); err != nil {
			t.Error(err)
		}
	}
	if _, ok, err := sessions.Find("token"); ok || err != nil {
		t.Error(ok, err)
	}
}

func TestWhoIsSuspendedIsOutAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := userOf(ours, onward.RoleCounsellor)
	_, _ = b.signedIn(ours)
	secret, _ := b.token(onward.System(), u, nil)
	for _, by := range []string{`UPDATE users SET suspended_at = %s WHERE id = '` + u.ID.String() + `'`, `UPDATE organisations SET suspended_at = %s WHERE id = '` + ours.ID.String() + `'`} {
		b.sql(fmt.Sprintf(by, "now()"))
		if b.found(ours.Slug) != nil {
			t.Error("the session goes on")
		}
		_, err := b.store.CheckPassword(t.Context(), u.Email, goodPassword)
		wantCode(t, err, onward.EUnauthenticated)
		_, err = b.store.Authenticate(t.Context(), secret)
		wantCode(t, err, onward.EUnauthenticated)
		b.sql(fmt.Sprintf(by, "NULL"))
		if b.found(ours.Slug) == nil {
			t.Error("the session is gone for good")
		}
		if _, err := b.store.Authenticate(t.Context(), secret); err != nil {
			t.Error(err)
		}
	}
}

func TestAnInvitationOpensOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, administrator := t.Context(), as(ours, onward.RoleAdministrator)
	a, i, err := b.store.Invite(ctx, administrator, ours.ID, onward.NewUser{Email: "luz@example.org", UserDetails: onward.UserDetails{Name: "Luz Prado", Role: onward.RoleAnalyst, Language: "es"}})
	if err != nil || a.OrganisationID != ours.ID || !i.ExpiresAt.Equal(clock().Add(7*24*time.Hour)) {
		t.Fatalf("%+v %+v %v", a, i, err)
	}
	if shown, err := b.store.ReadInvitation(ctx, i.Token); err != nil || shown.Name != "Luz Prado" || shown.Organisation != ours.Name {
		t.Errorf("%+v, %v", shown, err)
	}
	mailed, err := b.store.MailedInvitation(ctx, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	var used atomic.Int32
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			token := i.Token
			if n%2 == 0 {
				token = mailed
			}
			_, err := b.store.AcceptInvitation(ctx, "192.0.2.7", token, goodPassword)
			if err == nil {
				used.Add(1)
			} else if onward.CodeOf(err) != onward.ENotFound {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if used.Load() != 1 {
		t.Errorf("it was used %d times", used.Load())
	}
	if b.audited("invitations", i.ID) != 2 || b.audited("users", a.ID) == 0 {
		t.Error("the audit does not tell of it")
	}
	// By letter, it shows whose the address is; by hand it does not.
	again, err := b.store.InviteAgain(ctx, administrator, a.ID)
	if err != nil || again.Purpose != onward.ToReset || !again.ExpiresAt.Equal(clock().Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", again, err)
	}
	b.sql(`UPDATE users SET email_verified_at = NULL`)
	mailed, _ = b.store.MailedInvitation(ctx, again.ID)
	if err := b.commit("theirs", session(a.User), clock().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if accepted, err := b.store.AcceptInvitation(ctx, "", mailed, goodPassword); err != nil || accepted.EmailVerifiedAt == nil {
		t.Errorf("%+v, %v", accepted, err)
	}
	if b.found("theirs") != nil {
		t.Error("a session outlives the password")
	}
	b.sql(`UPDATE users SET email_verified_at = NULL`)
	again, _ = b.store.InviteAgain(ctx, onward.System(), a.ID)
	if accepted, err := b.store.AcceptInvitation(ctx, "", again.Token, goodPassword); err != nil || accepted.EmailVerifiedAt != nil {
		t.Errorf("%+v, %v", accepted, err)
	}
	again, _ = b.store.InviteAgain(ctx, administrator, a.ID)
	b.sql(`UPDATE invitations SET expires_at = '2026-03-10T10:00:00Z'`) // now
	_, err = b.store.AcceptInvitation(ctx, "", again.Token, goodPassword)
	wantCode(t, err, onward.ENotFound)
	for _, forged := range []string{"", "x", strings.Repeat("x", 2000), again.Token[:len(again.Token)-3] + "AAA"} {
		_, err := b.store.ReadInvitation(ctx, forged)
		wantCode(t, err, onward.ENotFound)
	}
	// A link of another kind is no invitation, and an invitation is no device.
	device, err := b.store.NewDevice(ctx, "account")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.store.ReadInvitation(ctx, device)
	wantCode(t, err, onward.ENotFound)
	if b.store.KnownDevice(ctx, "account", device) == "" || b.store.KnownDevice(ctx, "another", device) != "" || b.store.KnownDevice(ctx, "account", i.Token) != "" || b.store.KnownDevice(ctx, "account", "") != "" {
		t.Error("a device is known to whom it should not be, or to nobody")
	}
	for _, email := range []string{"luz@example.org", "LUZ@example.org", "nobody@example.org", "\xff", userOf(ours, onward.RoleEmployer).Email} {
		if err := b.store.AskReset(ctx, email, "192.0.2.7"); err != nil {
			t.Error(err)
		}
	}
	var n int
	if err := b.admin().GetContext(ctx, &n, `SELECT count(*) FROM invitations WHERE expires_at = '2026-03-10T11:00:00Z' OR user_id <> $1`, a.ID); err != nil || n != 1 {
		t.Errorf("%d were made by who forgot, %v: only of who has a password, and only the last lives", n, err)
	}
	wantCode(t, func() error {
		_, err := b.store.InviteAgain(ctx, as(theirs, onward.RoleAdministrator), a.ID)
		return err
	}(), onward.ENotFound)
}

func TestTwoAdministratorsCanNotBothLeave(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	first := userOf(ours, onward.RoleAdministrator)
	second := result(b, onward.System(), func(tx *store.Tx) (onward.User, error) {
		return tx.CreateUser(ctx, onward.User{OrganisationID: ours.ID, Name: "Second", Email: "second@example.org", Role: onward.RoleAdministrator})
	})
	for _, u := range []onward.User{first, second} {
		if err := b.store.SetPassword(ctx, onward.System(), u.ID, "password", goodPassword); err != nil {
			t.Fatal(err)
		}
	}
	var left atomic.Int32
	var all sync.WaitGroup
	for _, u := range []onward.User{first, second} {
		all.Go(func() {
			if _, err := b.store.SuspendUser(ctx, as(ours, onward.RoleAdministrator), u.ID); err == nil {
				left.Add(1)
			} else if onward.CodeOf(err) != onward.EConflict {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if left.Load() != 1 {
		t.Errorf("%d of the two left", left.Load())
	}
	gone := first
	if a, err := b.store.Account(ctx, onward.System(), second.ID); err == nil && a.SuspendedAt != nil {
		gone = second
	}
	if a, err := b.store.ReinstateUser(ctx, onward.System(), gone.ID); err != nil || a.SuspendedAt != nil || a.Version != 3 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := b.store.UpdateAccount(ctx, as(ours, onward.RoleAdministrator), gone.ID, 3, onward.UserDetails{Name: "New", Role: onward.RoleAnalyst, Language: "fr"}); err != nil {
		t.Error(err)
	}
	wantCode(t, b.store.EndSessionsOf(ctx, as(theirs, onward.RoleAdministrator), gone.ID), onward.ENotFound)
}

func TestAUserHasSoManyTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	actor := as(ours, onward.RoleAnalyst)
	for range onward.MostTokens {
		if _, _, err := b.store.CreateOwnToken(t.Context(), actor, onward.NewToken{Name: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := b.store.CreateOwnToken(t.Context(), actor, onward.NewToken{Name: "x"})
	wantCode(t, err, onward.EConflict)
	list, err := b.store.OwnTokens(t.Context(), actor)
	if err != nil || len(list) != onward.MostTokens || !list[0].ExpiresAt.Equal(clock().Add(onward.TokenFor)) {
		t.Fatal(len(list), err)
	}
	wantCode(t, b.store.RevokeOwnToken(t.Context(), as(ours, onward.RoleAdministrator), list[0].ID), onward.ENotFound)
	if err := b.store.RevokeOwnToken(t.Context(), actor, list[0].ID); err != nil {
		t.Error(err)
	}
	if _, _, err := b.store.CreateOwnToken(t.Context(), actor, onward.NewToken{Name: "x", Days: 1}); err != nil {
		t.Error(err)
	}
}
