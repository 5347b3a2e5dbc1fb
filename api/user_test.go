package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"onward"
	"onward/api"
)

// account is where a user of the agency is.
func (s *system) account(path string) func(string, string) (string, int64) {
	return func(string, string) (string, int64) {
		return fmt.Sprintf(path, s.user(s.agency, onward.RoleAnalyst).ID), 0
	}
}

func TestAnAdministratorInvitesAndTheUserChoosesThePassword(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *api.Config) { c.SignIn.PublicURL = "https://onward.example.org/" })
	admin, _ := s.signedIn(s.agency, onward.RoleAdministrator)
	invite := map[string]any{"email": "luz@example.org", "name": "Luz Prado", "role": "counsellor", "language": "es"}
	got := admin.post("/v1/accounts", invite).want(http.StatusCreated)
	i := decode[onward.Invitation](got)
	if i.Purpose != onward.ToInvite || i.Link != "https://onward.example.org/v1/invitations/"+i.Token {
		t.Errorf("%+v", i)
	}
	admin.post("/v1/accounts", invite).problem(http.StatusConflict, onward.EConflict)
	for _, bad := range []map[string]any{
		{"email": "x", "name": "Luz", "role": "counsellor", "language": "es"},
		{"email": "a@example.org", "name": "", "role": "counsellor", "language": "es"},
		{"email": "a@example.org", "name": "Luz", "role": "system", "language": "es"},
		{"email": "a@example.org", "name": "Luz", "role": "counsellor", "language": "es", "organisation_id": s.other.ID},
	} {
		admin.post("/v1/accounts", bad).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	}
	s.post(s.admin, "/v1/accounts", invite).problem(http.StatusForbidden, onward.EForbidden) // a token does not
	counsellor, _ := s.signedIn(s.agency, onward.RoleCounsellor)
	counsellor.post("/v1/accounts", invite).problem(http.StatusForbidden, onward.EForbidden)

	user := s.browser()
	at := "/v1/invitations/" + i.Token
	if shown := decode[onward.Invited](user.get(at).want(http.StatusOK)); shown.Name != "Luz Prado" || shown.Organisation != "agency" || shown.Email != "luz@example.org" {
		t.Errorf("%+v", shown)
	}
	user.post(at, map[string]any{"password": "luz prado luz prado"}).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	for _, forged := range []string{"x", i.Token[:len(i.Token)-2] + "AA", strings.Repeat("a", 999)} {
		user.post("/v1/invitations/"+forged, map[string]any{"password": goodPassword}).problem(http.StatusNotFound, onward.ENotFound)
	}
	session := decode[onward.Session](user.post(at, map[string]any{"password": goodPassword}).want(http.StatusOK))
	if session.Stage != onward.StageSetUp || session.Role != onward.RoleCounsellor || session.OrganisationID != s.agency.ID {
		t.Errorf("%+v", session)
	}
	user.post(at, map[string]any{"password": goodPassword}).problem(http.StatusNotFound, onward.ENotFound) // once
	user.get(at).problem(http.StatusNotFound, onward.ENotFound)
	secret, _ := user.setUp()
	user.get("/v1/returnees").want(http.StatusOK)

	// Another password by a link: the second factor stays, and sessions end.
	account := "/v1/accounts/" + session.UserID.String()
	first := decode[onward.Invitation](admin.post(account+"/invitations", nil).want(http.StatusCreated))
	second := decode[onward.Invitation](admin.post(account+"/invitations", nil).want(http.StatusCreated))
	user.post("/v1/invitations/"+first.Token, map[string]any{"password": goodPassword}).problem(http.StatusNotFound, onward.ENotFound)
	user.get("/v1/returnees").want(http.StatusOK)
	elsewhere := s.browser()
	if session := decode[onward.Session](elsewhere.post("/v1/invitations/"+second.Token, map[string]any{"password": "otro pan para mi perro"}).want(http.StatusOK)); session.Stage != onward.StageSecondFactor {
		t.Errorf("%+v", session)
	}
	user.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	elsewhere.get("/v1/returnees").problem(http.StatusForbidden, onward.EForbidden)
	elsewhere.post("/v1/sign-in/second-factor", map[string]any{"code": code(t, secret, 0)}).want(http.StatusOK)

	// Roles, suspension, second factor.
	read := admin.get(account).want(http.StatusOK)
	if a := decode[onward.Account](read); !a.HasPassword || !a.HasSecondFactor || a.SuspendedAt != nil || strings.Contains(read.body, "argon2") {
		t.Errorf("%s", read.body)
	}
	change := map[string]any{"name": "Luz Prado", "role": "supervisor", "language": "es"}
	admin.ask(http.MethodPut, account, change).problem(http.StatusPreconditionRequired, onward.EPrecondition)
	admin.ask(http.MethodPut, account, change, header("If-Match", `"v9"`)).problem(http.StatusPreconditionFailed, onward.EVersion)
	admin.ask(http.MethodPut, account, change, header("If-Match", read.header.Get("ETag"))).want(http.StatusOK)
	if me := decode[struct{ Session onward.Session }](elsewhere.get("/v1/me").want(http.StatusOK)); me.Session.Role != onward.RoleSupervisor {
		t.Errorf("the role is %s", me.Session.Role)
	}
	if list := decode[struct{ Items []onward.Session }](admin.get(account + "/sessions").want(http.StatusOK)).Items; len(list) != 1 {
		t.Errorf("%d sessions", len(list))
	}
	admin.ask(http.MethodDelete, account+"/sessions", nil).want(http.StatusNoContent)
	elsewhere.get("/v1/me").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	admin.post(account+"/reset-second-factor", nil).want(http.StatusNoContent)
	admin.post(account+"/reset-second-factor", nil).problem(http.StatusConflict, onward.EConflict)
	admin.post(account+"/suspend", nil).want(http.StatusOK)
	admin.post(account+"/suspend", nil).problem(http.StatusConflict, onward.EConflict)
	admin.post(account+"/invitations", nil).problem(http.StatusConflict, onward.EConflict)
	s.browser().post("/v1/sign-in", map[string]any{"email": "luz@example.org", "password": "otro pan para mi perro"}).problem(http.StatusUnauthorized, onward.EUnauthenticated)
	admin.post(account+"/reinstate", nil).want(http.StatusOK)
	admin.post(account+"/reinstate", nil).problem(http.StatusConflict, onward.EConflict)
	if session := decode[onward.Session](s.browser().post("/v1/sign-in", map[string]any{"email": "luz@example.org", "password": "otro pan para mi perro"}).want(http.StatusOK)); session.Stage != onward.StageSetUp {
		t.Errorf("%+v", session)
	}
	if list := decode[struct{ Items []onward.Account }](admin.get("/v1/accounts").want(http.StatusOK)).Items; !slices.ContainsFunc(list, func(a onward.Account) bool { return a.Email == "luz@example.org" }) ||
		slices.ContainsFunc(list, func(a onward.Account) bool { return a.OrganisationID != s.agency.ID }) {
		t.Errorf("%d accounts", len(list))
	}
}

func TestAnAdministratorReachesNoUserOfAnotherOrganisation(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, _ := s.signedIn(s.agency, onward.RoleAdministrator)
	b, theirs := s.signedIn(s.other, onward.RoleCounsellor)
	at := "/v1/accounts/" + theirs.ID.String()
	for _, try := range [][2]string{{"GET", at}, {"POST", at + "/invitations"}, {"POST", at + "/suspend"}, {"POST", at + "/reinstate"}, {"GET", at + "/sessions"}, {"DELETE", at + "/sessions"}, {"POST", at + "/reset-second-factor"}} {
		admin.ask(try[0], try[1], nil).problem(http.StatusNotFound, onward.ENotFound)
	}
	admin.ask(http.MethodPut, at, map[string]any{"name": "x", "role": "analyst", "language": "en"}, header("If-Match", `"v1"`)).problem(http.StatusNotFound, onward.ENotFound)
	b.get("/v1/returnees").want(http.StatusOK)
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.signedIn(s.employer, onward.RoleAdministrator)
	at := "/v1/accounts/" + u.ID.String()
	demote := func() answer {
		return admin.ask(http.MethodPut, at, map[string]any{"name": u.Name, "role": "employer", "language": "en"}, header("If-Match", `"v1"`))
	}
	demote().problem(http.StatusConflict, onward.EConflict)
	admin.post(at+"/suspend", nil).problem(http.StatusConflict, onward.EConflict)
	// One who is invited and was never here does not count, and neither does one who is suspended.
	admin.post("/v1/accounts", map[string]any{"email": "second@example.org", "name": "Second", "role": "administrator", "language": "en"}).want(http.StatusCreated)
	demote().problem(http.StatusConflict, onward.EConflict)
	other := s.user(s.employer, onward.RoleAdministrator)
	s.sql(`UPDATE users SET suspended_at = now() WHERE id = $1`, other.ID)
	demote().problem(http.StatusConflict, onward.EConflict)
	s.sql(`UPDATE users SET suspended_at = NULL WHERE id = $1`, other.ID)
	demote().want(http.StatusOK)
	admin.get("/v1/accounts").problem(http.StatusForbidden, onward.EForbidden)
}

func TestUsersMakeTheirOwnTokens(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	b, _ := s.signedIn(s.agency, onward.RoleCounsellor)
	made := decode[struct {
		onward.Token
		Secret string
	}](b.post("/v1/me/tokens", map[string]any{"name": "nightly", "scopes": []string{"returnees:read", "sign-in:write"}}).want(http.StatusCreated))
	if made.ExpiresAt == nil || !strings.HasPrefix(made.Secret, "onw_") {
		t.Fatalf("%+v", made)
	}
	s.get(made.Secret, "/v1/returnees").want(http.StatusOK)
	s.get(made.Secret, "/v1/opportunities").problem(http.StatusForbidden, onward.EForbidden)
	s.post(made.Secret, "/v1/me/tokens", map[string]any{"name": "more"}).problem(http.StatusForbidden, onward.EForbidden) // no token makes another
	for _, bad := range []map[string]any{{"name": ""}, {"name": "x", "days": 366}, {"name": "x", "days": -1}, {"name": "x", "scopes": []string{"everything"}}, {"name": "x", "user_id": onward.NewID()}} {
		b.post("/v1/me/tokens", bad).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	}
	list := b.get("/v1/me/tokens").want(http.StatusOK)
	if items := decode[struct{ Items []onward.Token }](list).Items; len(items) != 1 || items[0].ID != made.ID || strings.Contains(list.body, made.Secret) {
		t.Errorf("%s", list.body)
	}
	other, _ := s.signedIn(s.agency, onward.RoleCounsellor)
	other.ask(http.MethodDelete, "/v1/me/tokens/"+made.ID.String(), nil).problem(http.StatusNotFound, onward.ENotFound)
	b.ask(http.MethodDelete, "/v1/me/tokens/"+made.ID.String(), nil).want(http.StatusNoContent)
	b.ask(http.MethodDelete, "/v1/me/tokens/"+made.ID.String(), nil).problem(http.StatusNotFound, onward.ENotFound)
	s.get(made.Secret, "/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
}

func TestAskingForAnotherPasswordTellsNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u, b := s.user(s.agency, onward.RoleCounsellor), s.browser()
	known := b.post("/v1/password-resets", map[string]any{"email": strings.ToUpper(u.Email)}).want(http.StatusAccepted)
	unknown := b.post("/v1/password-resets", map[string]any{"email": "nobody@example.org"}).want(http.StatusAccepted)
	if known.body != unknown.body {
		t.Errorf("%q, %q", known.body, unknown.body)
	}
	b.signIn(u)
	b.setUp()
	page := decode[struct{ Items []onward.Event }](b.get("/v1/events").want(http.StatusOK))
	at := slices.IndexFunc(page.Items, func(e onward.Event) bool { return e.Kind == onward.EventAccountReset })
	if at < 0 || !slices.ContainsFunc(page.Items, func(e onward.Event) bool { return e.Kind == onward.EventAccountChanged && e.Status == "second_factor" }) {
		t.Fatalf("%+v", page.Items)
	}
	token, err := s.store.MailedInvitation(t.Context(), page.Items[at].SubjectID)
	if err != nil {
		t.Fatal(err)
	}
	s.browser().post("/v1/invitations/"+token, map[string]any{"password": "otro pan para mi perro"}).want(http.StatusOK)
	s.browser().post("/v1/sign-in", credentials(u, "otro pan para mi perro")).want(http.StatusOK)
	b.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	if _, err := s.store.MailedInvitation(t.Context(), page.Items[at].SubjectID); onward.CodeOf(err) != onward.ENotFound {
		t.Error(err)
	}
}
