package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"onward"
	"onward/api"
)

const (
	clientID, clientSecret = "onward", "a secret of the test"
	redirectURL            = "https://onward.example.org/v1/sign-in/oidc/office/callback"
	flowCookie             = "__Host-onward_oidc"
)

// office is a real provider in this process, whose user is test-user@zitadel.ch.
func office(t testing.TB) (issuer string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer = "http://" + server.Listener.Addr().String()
	clients := map[string]*storage.Client{clientID: storage.WebClient(clientID, clientSecret, redirectURL)}
	server.Config.Handler = exampleop.SetupServer(issuer, storage.NewStorageWithClients(storage.NewUserStore(issuer), clients), nil, false)
	server.Start()
	t.Cleanup(server.Close)
	return issuer
}

func by(issuer string, adjust ...func(*api.Provider)) func(*api.Config) {
	p := api.Provider{Name: "office", Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURL}
	for _, fn := range adjust {
		fn(&p)
	}
	return func(c *api.Config) { c.SignIn.Providers = []api.Provider{p} }
}

func byEmail(p *api.Provider) { p.BindByEmail = true }

// leave begins a sign-in and says where the browser is sent.
func (b *browser) leave(invitation string) *url.URL {
	b.t.Helper()
	path := "/v1/sign-in/oidc/office"
	if invitation != "" {
		path += "?invitation=" + url.QueryEscape(invitation)
	}
	to, err := url.Parse(b.get(path).want(http.StatusFound).header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	return to
}

// atOffice signs in at the provider as a person would, and says where it sends the browser back to.
func (b *browser) atOffice(to *url.URL) (back string) {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirectURL) {
			back = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, to.String(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	page, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = page.Body.Close()
	form := url.Values{"id": {page.Request.URL.Query().Get("authRequestID")}, "username": {"test-user2"}, "password": {"verysecure"}}
	request, err = http.NewRequestWithContext(b.t.Context(), http.MethodPost, to.Scheme+"://"+to.Host+"/login/username", strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	done, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = done.Body.Close()
	if back == "" {
		b.t.Fatalf("the provider answers %d and does not send the browser back", done.StatusCode)
	}
	return back
}

// invited is a user who has no password, with the token of their invitation.
func (s *system) invited() (onward.Account, string) {
	s.t.Helper()
	account, invitation, err := s.store.Invite(s.t.Context(), onward.System(), s.agency.ID, onward.NewUser{UserDetails: onward.UserDetails{Name: "Rosa Ibarra", Role: onward.RoleCounsellor}, Email: onward.NewID().String() + "@example.org"})
	if err != nil {
		s.t.Fatal(err)
	}
	return account, invitation.Token
}

func (b *browser) stage() onward.Stage {
	b.t.Helper()
	return decode[struct{ Session onward.Session }](b.get("/v1/me").want(http.StatusOK)).Session.Stage
}

func (b *browser) refused(path string, status int, code onward.Code) {
	b.t.Helper()
	b.get(path).problem(status, code)
	if b.cookie(sessionCookie) != "" {
		b.t.Errorf("%s began a session", path)
	}
}

func TestAProviderSignsInWhoWasInvited(t *testing.T) {
	t.Parallel()
	s := newSystem(t, by(office(t)))
	account, invitation := s.invited()
	if list := s.browser().get("/v1/sign-in/providers").want(http.StatusOK); !strings.Contains(list.body, `"/v1/sign-in/oidc/office"`) || strings.Contains(list.body, clientSecret) {
		t.Error(list.body)
	}
	// Without an invitation nobody is known, and nobody is made.
	stranger := s.browser()
	stranger.refused(stranger.atOffice(stranger.leave("")), http.StatusForbidden, onward.EForbidden)

	b := s.browser()
	to := b.leave(invitation)
	if q := to.Query(); q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 40 || len(q.Get("nonce")) < 40 || q.Get("response_type") != "code" {
		t.Errorf("%v", q)
	}
	kept := b.cookie(flowCookie)
	back := b.atOffice(to)
	got := b.get(back).want(http.StatusSeeOther)
	if got.header.Get("Location") != "/v1/me" || b.cookie(flowCookie) != "" {
		t.Errorf("%v", got.header)
	}
	me := b.get("/v1/me").want(http.StatusOK)
	if !strings.Contains(me.body, account.ID.String()) || !strings.Contains(me.body, `"method":"provider"`) || b.stage() != onward.StageSetUp {
		t.Error(me.body)
	}
	b.get("/v1/returnees").problem(http.StatusForbidden, onward.EForbidden) // Onward's own second factor first

	// The same way back again: the browser has forgotten it, and who kept the cookie finds the code used.
	before := b.cookie(sessionCookie)
	b.get(back).problem(http.StatusUnauthorized, onward.EUnauthenticated)
	thief := s.browser()
	thief.options = []option{header("Cookie", flowCookie+"="+kept)}
	thief.refused(back, http.StatusUnauthorized, onward.EUnauthenticated)
	if b.cookie(sessionCookie) != before {
		t.Error("the session changed")
	}

	// Bound for good, and asked for the second factor from now on.
	b.setUp()
	again := s.browser()
	again.get(again.atOffice(again.leave(""))).want(http.StatusSeeOther)
	if again.stage() != onward.StageSecondFactor {
		t.Error("the second factor is not asked for")
	}
	// A suspended user is nobody.
	s.sql(`UPDATE users SET suspended_at = now() WHERE id = $1`, account.ID)
	suspended := s.browser()
	suspended.refused(suspended.atOffice(suspended.leave("")), http.StatusForbidden, onward.EForbidden)
	s.sql(`UPDATE users SET suspended_at = NULL WHERE id = $1`, account.ID)
	s.sql(`UPDATE organisations SET suspended_at = now() WHERE id = $1`, account.OrganisationID)
	suspended.refused(suspended.atOffice(suspended.leave("")), http.StatusForbidden, onward.EForbidden)
}

func TestAProviderBindsByAnAddressThatBothKnowWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	issuer := office(t)
	allowed, not := newSystem(t, by(issuer, byEmail)), newSystem(t, by(issuer))
	for _, s := range []*system{allowed, not} {
		u := s.user(s.agency, onward.RoleCounsellor)
		s.sql(`UPDATE users SET email = 'Test-User2@zitadel.ch' WHERE id = $1`, u.ID)
		b := s.browser() // the address is not known here to be the user's
		b.refused(b.atOffice(b.leave("")), http.StatusForbidden, onward.EForbidden)
		s.sql(`UPDATE users SET email_verified_at = now() WHERE id = $1`, u.ID)
	}
	b := not.browser()
	b.refused(b.atOffice(b.leave("")), http.StatusForbidden, onward.EForbidden)
	b = allowed.browser()
	b.get(b.atOffice(b.leave(""))).want(http.StatusSeeOther)
	if b.stage() != onward.StageSetUp {
		t.Error("the second factor is not asked for")
	}
}

func TestAWayBackBelongsToTheBrowserThatLeft(t *testing.T) {
	t.Parallel()
	s := newSystem(t, by(office(t)))
	_, invitation := s.invited()
	victim, attacker := s.browser(), s.browser()
	back := attacker.atOffice(attacker.leave(invitation))
	victim.refused(back, http.StatusUnauthorized, onward.EUnauthenticated) // it left for nowhere
	victim.leave("")
	victim.refused(back, http.StatusUnauthorized, onward.EUnauthenticated) // it left with another state
	attacker.refused(strings.Replace(back, "state=", "state=x", 1), http.StatusUnauthorized, onward.EUnauthenticated)
	attacker.refused(back+"&iss="+url.QueryEscape("https://other.example.org"), http.StatusUnauthorized, onward.EUnauthenticated)
	attacker.get(back).want(http.StatusSeeOther) // all of that used nothing up
}

// forger is a provider that signs what it is told.
type forger struct {
	issuer string
	key    *ecdsa.PrivateKey
	token  func(claims map[string]any) string
	claims map[string]any
	away   atomic.Bool
}

func encoded(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newForger(t testing.TB) *forger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &forger{key: key}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if f.away.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": f.issuer, "authorization_endpoint": f.issuer + "/auth", "token_endpoint": f.issuer + "/token", "jwks_uri": f.issuer + "/keys",
			"id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code_verifier") == "" {
			t.Error("no verifier")
		}
		answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": f.token(f.claims)})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.issuer = server.URL
	f.token = func(claims map[string]any) string { return sign(t, jose.ES256, key, claims) }
	return f
}

// back is the way back of a browser that has just left, with claims that are right but for what is changed.
func (f *forger) back(b *browser, invitation string, change func(map[string]any)) string {
	b.t.Helper()
	q := b.leave(invitation).Query()
	f.claims = map[string]any{"iss": f.issuer, "sub": "7", "aud": clientID, "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "nonce": q.Get("nonce")}
	if change != nil {
		change(f.claims)
	}
	return "/v1/sign-in/oidc/office/callback?code=c&state=" + q.Get("state")
}

func TestForgedTokensOfAProviderAreRefused(t *testing.T) {
	t.Parallel()
	f := newForger(t)
	s := newSystem(t, by(f.issuer, byEmail, func(p *api.Provider) { p.SecondFactor = []string{"mfa"} }))
	u := s.user(s.agency, onward.RoleCounsellor)
	s.sql(`UPDATE users SET email_verified_at = now() WHERE id = $1`, u.ID)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(f.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	mine, verified := f.token, func(c map[string]any) { c["email"], c["email_verified"] = u.Email, true }
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { verified(c); c[name] = value }
	}
	for name, forged := range map[string]struct {
		token  func(map[string]any) string
		change func(map[string]any)
		status int
		code   onward.Code
	}{
		"no algorithm": {func(c map[string]any) string {
			return encoded(t, map[string]any{"alg": "none", "typ": "JWT"}) + "." + encoded(t, c) + "."
		}, verified, http.StatusUnauthorized, onward.EUnauthenticated},
		"HS256 with the public key": {func(c map[string]any) string { return sign(t, jose.HS256, public, c) }, verified, http.StatusUnauthorized, onward.EUnauthenticated},
		"HS256 with the secret": {
			func(c map[string]any) string {
				return sign(t, jose.HS256, []byte(clientSecret+strings.Repeat(" ", 32)), c)
			}, verified,
			http.StatusUnauthorized, onward.EUnauthenticated,
		},
		"another key":         {func(c map[string]any) string { return sign(t, jose.ES256, other, c) }, verified, http.StatusUnauthorized, onward.EUnauthenticated},
		"no token":            {func(map[string]any) string { return "" }, verified, http.StatusUnauthorized, onward.EUnauthenticated},
		"another audience":    {mine, set("aud", "somebody"), http.StatusUnauthorized, onward.EUnauthenticated},
		"for another as well": {mine, set("aud", []string{clientID, "somebody"}), http.StatusUnauthorized, onward.EUnauthenticated},
		"another party":       {mine, set("azp", "somebody"), http.StatusUnauthorized, onward.EUnauthenticated},
		"another issuer":      {mine, set("iss", f.issuer+"/"), http.StatusUnauthorized, onward.EUnauthenticated},
		"expired":             {mine, set("exp", time.Now().Add(-time.Hour).Unix()), http.StatusUnauthorized, onward.EUnauthenticated},
		"another nonce":       {mine, set("nonce", "of another sign-in"), http.StatusUnauthorized, onward.EUnauthenticated},
		"no nonce":            {mine, func(c map[string]any) { verified(c); delete(c, "nonce") }, http.StatusUnauthorized, onward.EUnauthenticated},
		"no subject":          {mine, set("sub", ""), http.StatusUnauthorized, onward.EUnauthenticated},
		"unverified address":  {mine, set("email_verified", false), http.StatusForbidden, onward.EForbidden},
		"unknown address":     {mine, set("email", "nobody@example.org"), http.StatusForbidden, onward.EForbidden},
	} {
		f.token = forged.token
		b := s.browser()
		b.refused(f.back(b, "", forged.change), forged.status, forged.code)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	// The same without a lie signs in, so that each of the above was refused for its own.
	f.token = mine
	b := s.browser()
	b.get(f.back(b, "", set("amr", []string{"pwd"}))).want(http.StatusSeeOther)
	if b.stage() != onward.StageSetUp {
		t.Error("a password at the provider counts as two factors")
	}
	b.get(f.back(b, "", set("amr", []string{"pwd", "mfa"}))).want(http.StatusSeeOther)
	if b.stage() != onward.StageComplete {
		t.Error("the second factor of a trusted provider does not count")
	}
	// The address was given to somebody else at the provider: the user stays who they were.
	heir := s.browser()
	heir.refused(f.back(heir, "", set("sub", "8")), http.StatusForbidden, onward.EForbidden)
	// A link to another password binds nobody: it would go round the second factor.
	reset, err := s.store.InviteAgain(t.Context(), onward.System(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	heir.refused(f.back(heir, reset.Token, set("sub", "9")), http.StatusForbidden, onward.EForbidden)
	if strings.Contains(s.log.String(), u.Email) {
		t.Error("an address is in the log")
	}
}

func TestAProviderThatIsAwayStopsNothingElse(t *testing.T) {
	t.Parallel()
	f := newForger(t)
	f.away.Store(true)
	s := newSystem(t, by(f.issuer))
	_, invitation := s.invited()
	b := s.browser()
	b.get("/v1/sign-in/oidc/office").problem(http.StatusServiceUnavailable, onward.EUnavailable)
	b.signIn(s.user(s.agency, onward.RoleCounsellor))
	f.away.Store(false)
	deadline := time.Now().Add(20 * time.Second)
	for b = s.browser(); b.get("/v1/sign-in/oidc/office").status != http.StatusFound; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the provider is not asked again")
		}
	}
	back := f.back(b, invitation, nil)
	f.away.Store(true)
	b.refused(back, http.StatusServiceUnavailable, onward.EUnavailable)
	f.away.Store(false)
	b.get(f.back(b, invitation, nil)).want(http.StatusSeeOther)
}
