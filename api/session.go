package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"onward"
	"onward/store"
)

// SignIn says how users sign in.
type SignIn struct {
	// OptionalSecondFactor lets users work who have no second factor; otherwise they may do nothing but set one up.
	OptionalSecondFactor bool
	// Idle is after how long without a request a session ends, Longest when it ends however it is used. 0: 30 minutes and 12 hours.
	Idle, Longest time.Duration
	// PublicURL is where users reach this server: its origin is trusted, and links of invitations begin with it. Empty: links are paths.
	PublicURL string
	// Providers are those of identities by which users can sign in.
	Providers []Provider
}

const (
	idleDefault, longestDefault = 30 * time.Minute, 12 * time.Hour
	// halfwayFor is how long somebody has for the second factor after the password.
	halfwayFor = 15 * time.Minute
	// seenEvery is how often it is noted that a session is used.
	seenEvery = time.Minute

	// sessionCookie is bound to this host and to TLS by its name. Browsers and curl count loopback as safe, so that it works on http://127.0.0.1.
	sessionCookie = "__Host-onward_session"
	sessionScheme = "session"
	tokenScheme   = "token"
	stagesKey     = "stages"
)

// onlySession is the security of operations that take no API token: a token that leaks must not become more than it is.
var onlySession = []map[string][]string{{sessionScheme: {}}}

// takesTokens says whether an operation may be called with an API token.
func takesTokens(op *huma.Operation) bool {
	return op.Security == nil || slices.ContainsFunc(op.Security, func(s map[string][]string) bool { return s[tokenScheme] != nil })
}

// at says in which stages of a session an operation may be used, beside complete ones.
func at(stages ...onward.Stage) map[string]any {
	return map[string]any{stagesKey: append(stages, onward.StageComplete)}
}

func mayAt(op *huma.Operation, stage onward.Stage) bool {
	stages, ok := op.Metadata[stagesKey].([]onward.Stage)
	return stage == onward.StageComplete || (ok && slices.Contains(stages, stage))
}

func newSessions(db *store.Store, config SignIn) *scs.SessionManager {
	// Not scs.New, which starts a store in memory with a goroutine that nothing can end in time. Cookies are written here, not by scs.
	kept := db.Sessions()
	return &scs.SessionManager{IdleTimeout: config.Idle, Lifetime: config.Longest, Store: kept, Codec: kept, HashTokenInStore: true}
}

// newCrossOrigin trusts the origin that users see, which a proxy may have changed.
func newCrossOrigin(publicURL string, log *slog.Logger) *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		if err := p.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			log.Error("ONWARD_PUBLIC_URL is no origin; requests of browsers are measured by the host they are sent to", "error", err)
		}
	}
	return p
}

// withDefaults fills in what is 0.
func (s SignIn) withDefaults() SignIn {
	if s.Idle == 0 {
		s.Idle = idleDefault
	}
	if s.Longest == 0 {
		s.Longest = longestDefault
	}
	return s
}

// client is what a request says of who sends it.
type client struct {
	from, agent string
	request     *http.Request
}

func clientFrom(ctx context.Context) client {
	c, _ := ctx.Value(clientKey).(client)
	return c
}

// cookie is the value of a cookie of the request, empty if there is none.
func (c client) cookie(name string) string {
	if c.request == nil {
		return ""
	}
	found, err := c.request.Cookie(name)
	if err != nil {
		return ""
	}
	return found.Value
}

// withClient keeps for the handlers of sign-in what they need of the request, with the session there may be.
func (a *API) withClient(ctx huma.Context) (huma.Context, error) {
	request := humagin.Unwrap(ctx).Request
	c := client{from: addressOf(ctx), agent: onward.CutAgent(request.UserAgent()), request: request}
	loaded, err := a.sessions.Load(ctx.Context(), c.cookie(sessionCookie))
	if err != nil {
		return ctx, err
	}
	return huma.WithContext(ctx, context.WithValue(loaded, clientKey, c)), nil
}

// sessionFrom is the session of a request. Without one it is empty.
func (a *API) sessionFrom(ctx context.Context) onward.Session {
	session, _ := a.sessions.Get(ctx, store.SessionKey).(onward.Session)
	return session
}

// sameOrigin refuses what a page of another origin makes a browser send.
func (a *API) sameOrigin(ctx huma.Context) bool {
	if err := a.crossOrigin.Check(humagin.Unwrap(ctx).Request); err != nil {
		a.refuse(ctx, onward.Errorf(onward.EForbidden, "this came from a page of another origin; send it from Onward's own, or with an API token"))
		return false
	}
	return true
}

// bySession finds the actor behind the cookie of a session. It says false when it has answered.
func (a *API) bySession(ctx huma.Context) (huma.Context, onward.Actor, bool) {
	none := onward.Actor{}
	if !a.sameOrigin(ctx) {
		return ctx, none, false
	}
	ctx, err := a.withClient(ctx)
	if err != nil {
		a.refuse(ctx, err)
		return ctx, none, false
	}
	session := a.sessionFrom(ctx.Context())
	ended := session.ID.IsZero() || session.Stage != onward.StageComplete && time.Since(session.ConfirmedAt) > halfwayFor
	if !ended && time.Since(session.SeenAt) > min(seenEvery, a.signIn.Idle/10) {
		if _, _, err := a.sessions.Commit(ctx.Context()); onward.CodeOf(err) == onward.EUnauthenticated {
			ended = true // in between
		} else if err != nil {
			a.refuse(ctx, err)
			return ctx, none, false
		}
	}
	if ended {
		if !a.stranger(ctx) {
			return ctx, none, false
		}
		gone := hostCookie(sessionCookie, "", forget)
		ctx.AppendHeader("Set-Cookie", gone.String())
		a.refuse(ctx, onward.Errorf(onward.EUnauthenticated, "you are not signed in any more; sign in again"))
		return ctx, none, false
	}
	actor := onward.Actor{UserID: session.UserID, OrganisationID: session.OrganisationID, Role: session.Role, SessionID: session.ID}
	if !a.caller(ctx, actor) {
		return ctx, none, false
	}
	if !mayAt(ctx.Operation(), session.Stage) {
		what := "give the code of your second factor first: POST /v1/sign-in/second-factor"
		if session.Stage == onward.StageSetUp {
			what = "set up a second factor first: POST /v1/me/second-factor"
		}
		a.refuse(ctx, onward.Errorf(onward.EForbidden, "%s", what))
		return ctx, none, false
	}
	return ctx, actor, true
}

// forget is the age of a cookie that the browser is to drop.
const forget = -1

// hostCookie is how every cookie of ours is: of this host alone, out of reach for scripts, and not sent with what other sites begin.
func hostCookie(name, value string, maxAge int) http.Cookie {
	return http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode}
}

// renew puts a session under a new token; the one before ends. It is done whenever what the session may do changes.
func (a *API) renew(ctx context.Context, session onward.Session) (onward.Session, []http.Cookie, error) {
	if err := a.sessions.RenewToken(ctx); err != nil {
		return session, nil, err
	}
	now := time.Now().UTC()
	session.ID, session.SeenAt, session.Current = onward.NewID(), now, true
	a.sessions.Put(ctx, store.SessionKey, session)
	token, expiry, err := a.sessions.Commit(ctx)
	if err != nil {
		return session, nil, err
	}
	session.ExpiresAt, session.EndsAt = expiry, now.Add(a.signIn.Longest)
	cookies := []http.Cookie{hostCookie(sessionCookie, token, 0)}
	if session.Stage != onward.StageComplete {
		return session, cookies, nil
	}
	account, err := a.store.Account(ctx, onward.Actor{UserID: session.UserID, OrganisationID: session.OrganisationID}, session.UserID)
	if err != nil || a.knownDevice(ctx, account.Email) != "" {
		return session, cookies, err
	}
	device, err := a.rememberDevice(ctx, account.Email)
	return session, append(cookies, device), err
}

// begin signs a user in who has just proved who they are, as far as that went.
func (a *API) begin(ctx context.Context, account onward.Account, method onward.SignInMethod, stage onward.Stage) (onward.Session, []http.Cookie, error) {
	c, now := clientFrom(ctx), time.Now().UTC()
	return a.renew(ctx, onward.Session{
		UserID: account.ID, OrganisationID: account.OrganisationID, Role: account.Role, Stage: stage, Method: method, From: c.from, Agent: c.agent, CreatedAt: now, ConfirmedAt: now,
	})
}

// stageOf is where somebody is after a right password.
func (a *API) stageOf(account onward.Account) onward.Stage {
	switch {
	case account.HasSecondFactor:
		return onward.StageSecondFactor
	case a.signIn.OptionalSecondFactor:
		return onward.StageComplete
	}
	return onward.StageSetUp
}
