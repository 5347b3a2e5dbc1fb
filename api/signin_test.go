package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pquerna/otp/totp"

	"onward"
	"onward/api"
	"onward/store"
)

// goodPassword will do, and is no one's name.
const goodPassword = "mi perro come pan duro"

// browser keeps cookies, and is on loopback, which browsers take for as safe as TLS.
type browser struct {
	*system
	jar    http.CookieJar
	client *http.Client
	// options go with every request.
	options []option
}

// loopbackJar sends secure cookies to loopback.
type loopbackJar struct{ *cookiejar.Jar }

func asSecure(u *url.URL) *url.URL {
	secure := *u
	secure.Scheme = "https"
	return &secure
}

func (j loopbackJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.Jar.SetCookies(asSecure(u), cookies)
}
func (j loopbackJar) Cookies(u *url.URL) []*http.Cookie { return j.Jar.Cookies(asSecure(u)) }

func (s *system) browser(options ...option) *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := *s.server.Client()
	client.Jar = loopbackJar{jar}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{s, client.Jar, &client, options}
}

// ask sends a request with the cookies, and with what a browser says of where it came from.
func (b *browser) ask(method, path string, body any, options ...option) answer {
	b.t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, reader)
	if err != nil {
		b.t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, o := range append(b.options, options...) {
		o(request)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{b.t, response.StatusCode, response.Header, string(raw), method + " " + path}
}

func (b *browser) post(path string, body any, options ...option) answer {
	b.t.Helper()
	return b.ask(http.MethodPost, path, body, options...)
}

func (b *browser) get(path string, options ...option) answer {
	b.t.Helper()
	return b.ask(http.MethodGet, path, nil, options...)
}

// cookie is the value of a cookie that the browser holds.
func (b *browser) cookie(name string) string {
	b.t.Helper()
	u, err := url.Parse(b.server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

const sessionCookie = "__Host-onward_session"

// person is a user who has a password.
func (s *system) user(of onward.Organisation, role onward.Role) onward.User {
	s.t.Helper()
	var user onward.User
	ctx := s.t.Context()
	if err := s.store.InTx(ctx, onward.System(), func(tx *store.Tx) (err error) {
		user, err = tx.CreateUser(ctx, onward.User{OrganisationID: of.ID, Name: "Rosa Ibarra", Email: onward.NewID().String() + "@example.org", Role: role})
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.SetPassword(ctx, onward.System(), user.ID, "password", goodPassword); err != nil {
		s.t.Fatal(err)
	}
	return user
}

func credentials(u onward.User, password string) map[string]any {
	return map[string]any{"email": u.Email, "password": password}
}

// signIn signs a user in who has no second factor yet, or none at all.
func (b *browser) signIn(u onward.User) onward.Session {
	b.t.Helper()
	return decode[onward.Session](b.post("/v1/sign-in", credentials(u, goodPassword)).want(http.StatusOK))
}

// code is what an authenticator app shows, some periods from now.
func code(t testing.TB, secret string, periods int) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(periods)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// setUp gives the user of a browser a second factor, with the code of the period before, so that those that follow are good.
func (b *browser) setUp() (secret string, recovery []string) {
	b.t.Helper()
	f := decode[store.NewFactor](b.post("/v1/me/second-factor", map[string]any{"current_password": goodPassword}).want(http.StatusOK))
	out := decode[struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}](b.post("/v1/me/second-factor/confirm", map[string]any{"code": code(b.t, f.Secret, -1)}).want(http.StatusOK))
	return f.Secret, out.RecoveryCodes
}

// signedIn is a browser of a new user whose session is complete.
func (s *system) signedIn(of onward.Organisation, role onward.Role, options ...option) (*browser, onward.User) {
	s.t.Helper()
	b, u := s.browser(options...), s.user(of, role)
	b.signIn(u)
	b.setUp()
	return b, u
}

func (s *system) sql(query string, args ...any) {
	s.t.Helper()
	db, err := sqlx.ConnectContext(s.t.Context(), "postgres", s.adminDSN)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(s.t.Context(), query, args...); err != nil {
		s.t.Fatal(err)
	}
}

func optional(c *api.Config) { c.SignIn.OptionalSecondFactor = true }

func TestASessionWorksBesideTokensAndRotates(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u, b := s.user(s.agency, onward.RoleCounsellor), s.browser(header("User-Agent", "Test/1"))
	got := b.post("/v1/sign-in", credentials(u, goodPassword)).want(http.StatusOK)
	set := got.header.Get("Set-Cookie")
	for _, part := range []string{sessionCookie + "=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(set, part) {
			t.Errorf("the cookie %q lacks %q", set, part)
		}
	}
	if strings.Contains(set, "Domain") || strings.Contains(set, "Max-Age") || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the cookie is for longer or for more than it should: %q", set)
	}
	if session := decode[onward.Session](got); session.Stage != onward.StageSetUp || session.Role != onward.RoleCounsellor || session.From != "127.0.0.1" || !session.EndsAt.After(time.Now().Add(11*time.Hour)) {
		t.Errorf("%+v", session)
	}
	first := b.cookie(sessionCookie)
	// Nothing is let in before there is a second factor.
	b.get("/v1/returnees").problem(http.StatusForbidden, onward.EForbidden)
	b.get("/v1/me/sessions").problem(http.StatusForbidden, onward.EForbidden)
	if me := b.get("/v1/me").want(http.StatusOK); !strings.Contains(me.body, `"stage":"set_up"`) || strings.Contains(me.body, "argon2") {
		t.Error(me.body)
	}
	secret, recovery := b.setUp()
	if len(recovery) != 10 || len(recovery[0]) != 29 {
		t.Errorf("recovery codes %v", recovery)
	}
	second := b.cookie(sessionCookie)
	if second == first {
		t.Error("the token did not change when the session became complete")
	}
	b.get("/v1/returnees").want(http.StatusOK)
	b.post("/v1/returnees", bricklayer("by-session")).want(http.StatusCreated)
	b.get("/v1/audit?about="+u.ID.String()).problem(http.StatusForbidden, onward.EForbidden) // the role holds

	// The token before is dead, and a token that somebody planted is not taken over.
	old := s.browser(header("Cookie", sessionCookie+"="+first))
	old.get("/v1/me").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	planted := s.browser(header("Cookie", sessionCookie+"=planted-by-somebody-planted-by-somebody-1234"))
	planted.signIn(u)
	if token := planted.cookie(sessionCookie); token == "" || strings.Contains(token, "planted") {
		t.Errorf("after a sign-in the token is %q", token)
	}

	// From elsewhere: the password, then the code, once.
	other := s.browser()
	if session := other.signIn(u); session.Stage != onward.StageSecondFactor {
		t.Fatalf("%+v", session)
	}
	halfway := other.cookie(sessionCookie)
	other.get("/v1/returnees").problem(http.StatusForbidden, onward.EForbidden)
	other.post("/v1/me/second-factor", map[string]any{"current_password": goodPassword}).problem(http.StatusForbidden, onward.EForbidden)
	other.post("/v1/sign-in/second-factor", map[string]any{"code": "000000"}).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	now := code(t, secret, 0)
	if session := decode[onward.Session](other.post("/v1/sign-in/second-factor", map[string]any{"code": now}).want(http.StatusOK)); session.Stage != onward.StageComplete || session.Method != onward.ByPasswordAndCode {
		t.Errorf("%+v", session)
	}
	if other.cookie(sessionCookie) == halfway {
		t.Error("the token did not change with the second factor")
	}
	other.get("/v1/returnees").want(http.StatusOK)
	third := s.browser()
	third.signIn(u)
	third.post("/v1/sign-in/second-factor", map[string]any{"code": now}).problem(http.StatusUnprocessableEntity, onward.EInvalid) // replayed
	third.post("/v1/sign-in/second-factor", map[string]any{"code": strings.ToLower(recovery[3])}).want(http.StatusOK)
	fourth := s.browser()
	fourth.signIn(u)
	fourth.post("/v1/sign-in/second-factor", map[string]any{"code": recovery[3]}).problem(http.StatusUnprocessableEntity, onward.EInvalid)

	sessions := decode[struct{ Items []onward.Session }](b.get("/v1/me/sessions").want(http.StatusOK)).Items
	current := 0
	for _, x := range sessions {
		if x.Current {
			current++
			if x.Agent != "Test/1" {
				t.Errorf("agent %q", x.Agent)
			}
		}
	}
	if len(sessions) != 5 || current != 1 {
		t.Errorf("%d sessions, %d of them this one: %+v", len(sessions), current, sessions)
	}
	for _, x := range sessions {
		if x.Method == onward.ByPasswordAndCode && !x.Current {
			b.ask(http.MethodDelete, "/v1/me/sessions/"+x.ID.String(), nil).want(http.StatusNoContent)
			b.ask(http.MethodDelete, "/v1/me/sessions/"+x.ID.String(), nil).problem(http.StatusNotFound, onward.ENotFound)
		}
	}
	other.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	third.get("/v1/returnees").want(http.StatusOK)
	b.ask(http.MethodDelete, "/v1/me/sessions", nil).want(http.StatusNoContent)
	third.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	b.get("/v1/returnees").want(http.StatusOK)

	out := b.post("/v1/sign-out", nil).want(http.StatusNoContent)
	if !strings.Contains(out.header.Get("Set-Cookie"), "Max-Age=0") || out.header.Get("Clear-Site-Data") == "" {
		t.Errorf("the browser is not told to forget: %v", out.header)
	}
	s.browser(header("Cookie", sessionCookie+"="+second)).get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	for _, secretive := range []string{goodPassword, u.Email, secret, second, first, recovery[3]} {
		if strings.Contains(s.log.String(), secretive) {
			t.Errorf("the log holds %q", secretive)
		}
	}
	var dump string
	db, err := sqlx.ConnectContext(t.Context(), "postgres", s.adminDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.GetContext(t.Context(), &dump, `SELECT (SELECT string_agg(s::text, ' ') FROM sessions s) || (SELECT string_agg(s::text, ' ') FROM credentials s) || (SELECT string_agg(s::text, ' ') FROM second_factors s)
		|| (SELECT string_agg(s::text, ' ') FROM recovery_codes s) || (SELECT string_agg(entry, ' ') FROM audit)`); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dump, "argon2id") {
		t.Fatal("the dump does not hold the tables")
	}
	for _, secretive := range []string{goodPassword, secret, second, first, recovery[3], strings.ReplaceAll(recovery[3], "-", "")} {
		if strings.Contains(dump, secretive) {
			t.Errorf("the database holds %q", secretive)
		}
	}
}

func TestUnknownAddressAndWrongPasswordAnswerTheSame(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u, b := s.user(s.agency, onward.RoleCounsellor), s.browser()
	suspended := s.user(s.agency, onward.RoleCounsellor)
	s.sql(`UPDATE users SET suspended_at = now() WHERE id = $1`, suspended.ID)
	gone := s.user(s.otherEmployer, onward.RoleEmployer)
	s.sql(`UPDATE organisations SET suspended_at = now() WHERE id = $1`, s.otherEmployer.ID)
	var said string
	for name, body := range map[string]map[string]any{
		"wrong":        credentials(u, goodPassword+"x"),
		"unknown":      {"email": "nobody@example.org", "password": goodPassword},
		"suspended":    credentials(suspended, goodPassword),
		"organisation": credentials(gone, goodPassword),
		"no address":   {"email": "", "password": ""},
		"NUL":          {"email": "a\x00@example.org", "password": "a\x00"},
		"too long":     {"email": u.Email, "password": strings.Repeat("a", 1000)},
	} {
		p := b.post("/v1/sign-in", body).problem(http.StatusUnauthorized, onward.EUnauthenticated)
		if said == "" {
			said = p.Detail
		}
		if p.Detail != said || b.cookie(sessionCookie) != "" {
			t.Errorf("%s: %q, others %q", name, p.Detail, said)
		}
	}
	for _, body := range []any{map[string]any{"email": u.Email}, map[string]any{"email": u.Email, "password": goodPassword, "role": "administrator"}, []any{}, map[string]any{"email": 1, "password": true}} {
		b.post("/v1/sign-in", body).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	}
	// With upper-case letters and blanks around, an address is the same.
	b.post("/v1/sign-in", map[string]any{"email": " " + strings.ToUpper(u.Email) + " ", "password": goodPassword}).want(http.StatusOK)
	if strings.Contains(s.log.String(), "nobody@example.org") || !strings.Contains(s.log.String(), "sign-in failed") {
		t.Error("failed sign-ins are logged, without the address")
	}
	if metrics := s.get(s.admin, "/metrics").want(http.StatusOK).body; !strings.Contains(metrics, `onward_sign_ins_total{result="unauthenticated",step="password"} 7`) {
		t.Error("failed sign-ins are not counted")
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	s := newSystem(t, optional, func(c *api.Config) { c.SignIn.Idle, c.SignIn.Longest = 1500*time.Millisecond, 4*time.Second })
	u := s.user(s.agency, onward.RoleCounsellor)
	used, idle := s.browser(), s.browser()
	idle.signIn(u)
	begin := time.Now()
	used.signIn(u)
	for time.Since(begin) < 2500*time.Millisecond {
		used.get("/v1/returnees").want(http.StatusOK)
		time.Sleep(300 * time.Millisecond)
	}
	idle.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	for time.Since(begin) < 4500*time.Millisecond {
		used.get("/v1/me")
		time.Sleep(300 * time.Millisecond)
	}
	used.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	if used.cookie(sessionCookie) != "" {
		t.Error("the browser keeps the cookie of a session that has ended")
	}
}

func TestWhoStopsHalfwayHasToBeginAgain(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u, b := s.user(s.agency, onward.RoleCounsellor), s.browser()
	b.signIn(u)
	b.get("/v1/me").want(http.StatusOK)
	s.sql(`UPDATE sessions SET confirmed_at = now() - interval '16 minutes' WHERE user_id = $1`, u.ID)
	b.get("/v1/me").problem(http.StatusUnauthorized, onward.EUnauthenticated)
}

func TestWhatHoldsNowHoldsForSessions(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	b, u := s.signedIn(s.agency, onward.RoleSupervisor)
	b = s.browser(header("Cookie", sessionCookie+"="+b.cookie(sessionCookie))) // it would be told to forget the cookie
	b.get("/v1/audit?about=" + u.ID.String()).want(http.StatusOK)
	s.sql(`UPDATE users SET role = 'counsellor' WHERE id = $1`, u.ID)
	b.get("/v1/audit?about="+u.ID.String()).problem(http.StatusForbidden, onward.EForbidden)
	b.get("/v1/returnees").want(http.StatusOK)
	s.sql(`UPDATE organisations SET suspended_at = now() WHERE id = $1`, s.agency.ID)
	b.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	s.sql(`UPDATE organisations SET suspended_at = NULL WHERE id = $1`, s.agency.ID)
	b.get("/v1/returnees").want(http.StatusOK)
	s.sql(`UPDATE users SET suspended_at = now() WHERE id = $1`, u.ID)
	b.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
}

func TestPagesOfOtherOriginsCanDoNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *api.Config) { c.SignIn.PublicURL = "https://onward.example.org" })
	b, u := s.signedIn(s.agency, onward.RoleCounsellor)
	n := 0
	for name, from := range map[string][]option{
		"another site":          {header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")},
		"a sibling":             {header("Sec-Fetch-Site", "same-site"), header("Origin", "https://other.example.org")},
		"an old browser":        {func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }, header("Origin", "https://evil.example")},
		"a sandbox":             {func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }, header("Origin", "null")},
		"the public URL's http": {func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }, header("Origin", "http://onward.example.org")},
	} {
		n++
		b.post("/v1/returnees", bricklayer(name), from...).problem(http.StatusForbidden, onward.EForbidden)
		b.ask(http.MethodPut, "/v1/me/password", map[string]any{"current_password": goodPassword, "new_password": "otra contrasena larga y rara"}, from...).problem(http.StatusForbidden, onward.EForbidden)
		b.ask(http.MethodDelete, "/v1/me/sessions", nil, from...).problem(http.StatusForbidden, onward.EForbidden)
		// Nor can they sign somebody in as somebody else.
		s.browser().post("/v1/sign-in", credentials(u, goodPassword), from...).problem(http.StatusForbidden, onward.EForbidden)
		b.get("/v1/returnees", from...).want(http.StatusOK) // reading is safe: the answer stays with the browser
		if got := s.get(s.counsellor, "/v1/returnees", from...); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("another origin may read")
		}
		// Tokens are in no browser.
		s.post(s.counsellor, "/v1/returnees", bricklayer(name), from...).want(http.StatusCreated)
	}
	if n != 5 {
		t.Error(n)
	}
	for name, from := range map[string][]option{
		"the same origin": {header("Origin", s.server.URL)},
		"no browser":      {func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }},
		"behind a proxy":  {func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }, header("Origin", "https://onward.example.org")},
	} {
		b.post("/v1/returnees", bricklayer(name), from...).want(http.StatusCreated)
	}
}

func TestAPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	b, u := s.signedIn(s.agency, onward.RoleCounsellor)
	elsewhere := s.browser()
	elsewhere.signIn(u)
	change := func(current, new string) answer {
		return b.ask(http.MethodPut, "/v1/me/password", map[string]any{"current_password": current, "new_password": new})
	}
	const better = "siete gatos leen el periódico"
	if p := change(goodPassword+"x", better).problem(http.StatusUnprocessableEntity, onward.EInvalid); field(t, p, "body.current_password").Rule != "wrong" {
		t.Error(p)
	}
	for _, bad := range []string{"short", "password1234", "rosa come pan con IBARRA", "onward onward onward ho"} {
		field(t, change(goodPassword, bad).problem(http.StatusUnprocessableEntity, onward.EInvalid), "body.new_password")
	}
	elsewhere.get("/v1/me").want(http.StatusOK)
	before := b.cookie(sessionCookie)
	change(goodPassword, better).want(http.StatusOK)
	if b.cookie(sessionCookie) == before {
		t.Error("the token did not change with the password")
	}
	b.get("/v1/returnees").want(http.StatusOK)
	elsewhere.get("/v1/me").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	s.browser().post("/v1/sign-in", credentials(u, goodPassword)).problem(http.StatusUnauthorized, onward.EUnauthenticated)
	s.browser().post("/v1/sign-in", credentials(u, better)).want(http.StatusOK)
	// A token never does.
	s.send(s.counsellor, http.MethodPut, "/v1/me/password", map[string]any{"new_password": better}).problem(http.StatusForbidden, onward.EForbidden)
}

func TestASecondFactorIsReplacedByWhoHasIt(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	u, b := s.user(s.agency, onward.RoleCounsellor), s.browser()
	b.signIn(u)
	b.post("/v1/me/second-factor", map[string]any{"current_password": "not it at all"}).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	b.post("/v1/me/second-factor/confirm", map[string]any{"code": "123456"}).problem(http.StatusConflict, onward.EConflict)
	first, recovery := b.setUp()
	with := func(code string) map[string]any {
		return map[string]any{"current_password": goodPassword, "code": code}
	}
	b.post("/v1/me/second-factor", with("")).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	b.post("/v1/me/second-factor", with("123456")).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	b.post("/v1/me/second-factor/remove", with(recovery[0])).problem(http.StatusConflict, onward.EConflict) // it is required here
	f := decode[store.NewFactor](b.post("/v1/me/second-factor", with(recovery[0])).want(http.StatusOK))
	// Until it is confirmed, the one before counts.
	other := s.browser()
	other.signIn(u)
	other.post("/v1/sign-in/second-factor", map[string]any{"code": code(t, f.Secret, 0)}).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	other.post("/v1/sign-in/second-factor", map[string]any{"code": code(t, first, 0)}).want(http.StatusOK)
	b.post("/v1/me/second-factor/confirm", map[string]any{"code": code(t, f.Secret, 0)}).want(http.StatusOK)
	other.get("/v1/returnees").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	other.signIn(u)
	other.post("/v1/sign-in/second-factor", map[string]any{"code": code(t, first, 1)}).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	other.post("/v1/sign-in/second-factor", map[string]any{"code": recovery[1]}).problem(http.StatusUnprocessableEntity, onward.EInvalid) // of the one before
	other.post("/v1/sign-in/second-factor", map[string]any{"code": code(t, f.Secret, 1)}).want(http.StatusOK)                             // a clock may be off by one

	loose := newSystem(t, optional)
	u, b = loose.user(loose.agency, onward.RoleCounsellor), loose.browser()
	if session := b.signIn(u); session.Stage != onward.StageComplete {
		t.Fatalf("%+v", session)
	}
	b.get("/v1/returnees").want(http.StatusOK)
	b.post("/v1/me/recovery-codes", with("")).problem(http.StatusConflict, onward.EConflict)
	first, recovery = b.setUp()
	b.post("/v1/me/recovery-codes", with(recovery[0])).want(http.StatusOK)
	b.post("/v1/me/second-factor/remove", with(recovery[1])).problem(http.StatusUnprocessableEntity, onward.EInvalid) // they were renewed
	b.post("/v1/me/second-factor/remove", with(code(t, first, 0))).want(http.StatusNoContent)
	if session := loose.browser().signIn(u); session.Stage != onward.StageComplete {
		t.Errorf("%+v", session)
	}
}
