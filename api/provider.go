package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/oauth2"

	"onward"
	"onward/store"
)

// Provider is a provider of identities by OpenID Connect.
type Provider struct {
	// Name is in the URLs, such as "office".
	Name                           string
	Issuer, ClientID, ClientSecret string
	// RedirectURL is where it sends users back to: …/v1/sign-in/oidc/NAME/callback.
	RedirectURL string
	// BindByEmail binds a user whose address it says is verified, and is verified here. Otherwise an invitation alone does.
	BindByEmail bool
	// SecondFactor are the values of amr or acr by which it says that there was a second factor. Empty: it is asked for here.
	SecondFactor []string
}

const (
	// flowCookie is what the browser keeps between leaving for a provider and coming back.
	flowCookie = "__Host-onward_oidc"
	// providerTime is how long one request to a provider may take.
	providerTime = 10 * time.Second
	// providerBytes is how much it may answer.
	providerBytes = 1 << 20
	// providerRest is after how long one that did not answer is asked again. Meanwhile nobody waits for it.
	providerRest = 3 * time.Second
)

// signedBy are the algorithms that ID tokens are taken with. None is symmetric: a public key must not become a password.
var signedBy = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// provider is one that is asked for what it is when it is needed first: Onward starts without it.
type provider struct {
	Provider
	http *http.Client

	mu    sync.Mutex
	found *oidc.Provider
	// away is when it did not answer.
	away time.Time
}

// bounded speaks HTTP to a provider: it follows no redirect and reads no more than a provider has to say.
type bounded struct{}

func (bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, providerBytes)
	}
	return response, err
}

func newProviders(configured []Provider) map[string]*provider {
	list := make(map[string]*provider, len(configured))
	for _, p := range configured {
		list[p.Name] = &provider{Provider: p, http: &http.Client{
			Timeout: providerTime, Transport: bounded{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
	}
	return list
}

// discover reads what the provider says of itself, once.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		if time.Since(p.away) < providerRest {
			return nil, nil, errAway(nil)
		}
		// Its keys are read again whenever it has new ones, long after this request.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.http), p.Issuer)
		if err != nil {
			p.away = time.Now()
			return nil, nil, errAway(err)
		}
		p.found = found
	}
	return p.found, &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: p.found.Endpoint(), RedirectURL: p.RedirectURL, Scopes: []string{oidc.ScopeOpenID, "email"}}, nil
}

func errAway(err error) error {
	return onward.Errorf(onward.EUnavailable, "the provider of identities does not answer; try again in a moment, or sign in with your password").Because(err)
}

func errProvider(err error) error {
	return onward.Errorf(onward.EUnauthenticated, "what came from the provider of identities does not hold; begin again").Because(err)
}

// claims are those of an ID token that are looked at.
type claims struct {
	Email         string   `json:"email"`
	EmailVerified bool     `json:"email_verified"`
	ACR           string   `json:"acr"`
	AMR           []string `json:"amr"`
	AZP           string   `json:"azp"`
}

// exchange gives the code back for an ID token and checks it: signature, issuer, audience, time, nonce.
func (p *provider) exchange(ctx context.Context, flow store.Flow, code string) (who store.ExternalIdentity, twice bool, err error) {
	found, config, err := p.discover(ctx)
	if err != nil {
		return who, false, err
	}
	ctx = oidc.ClientContext(ctx, p.http)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(flow.Verifier))
	var refused *oauth2.RetrieveError
	if err != nil && (!errors.As(err, &refused) || refused.Response.StatusCode >= http.StatusInternalServerError) {
		return who, false, errAway(err)
	} else if err != nil {
		return who, false, errProvider(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := found.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), p.http), &oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: signedBy}).Verify(ctx, raw)
	if err != nil {
		return who, false, errProvider(err)
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		return who, false, errProvider(err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(flow.Nonce)) != 1 || id.Subject == "" || (len(id.Audience) > 1 || c.AZP != "") && c.AZP != p.ClientID {
		return who, false, errProvider(nil)
	}
	who = store.ExternalIdentity{Issuer: id.Issuer, Subject: id.Subject}
	if p.BindByEmail && c.Email == "" { // many providers say it only when asked
		info, err := found.UserInfo(ctx, config.TokenSource(ctx, tokens))
		if err != nil || info.Subject != id.Subject {
			return who, false, errProvider(err)
		}
		c.Email, c.EmailVerified = info.Email, info.EmailVerified
	}
	if p.BindByEmail && c.EmailVerified {
		who.Email = c.Email
	}
	return who, slices.ContainsFunc(append(c.AMR, c.ACR), func(v string) bool { return v != "" && slices.Contains(p.SecondFactor, v) }), nil
}

type beginProviderInput struct {
	Provider   string `path:"provider" maxLength:"60"`
	Invitation string `query:"invitation" maxLength:"1000" doc:"Binds the account at the provider to the user who was invited"`
}

type finishProviderInput struct {
	Provider         string `path:"provider" maxLength:"60"`
	Code             string `query:"code" maxLength:"4000"`
	State            string `query:"state" maxLength:"200"`
	Issuer           string `query:"iss" maxLength:"2000"`
	Error            string `query:"error" maxLength:"200"`
	ErrorDescription string `query:"error_description" maxLength:"2000"`
	ErrorURI         string `query:"error_uri" maxLength:"2000"`
	SessionState     string `query:"session_state" maxLength:"2000"`
	Scope            string `query:"scope" maxLength:"2000"`
	AuthUser         string `query:"authuser" maxLength:"200"`
	HostedDomain     string `query:"hd" maxLength:"200"`
	Prompt           string `query:"prompt" maxLength:"200"`
}

type redirectOutput struct {
	Status    int
	Location  string        `header:"Location"`
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

type providerName struct {
	Name  string `json:"name"`
	Begin string `json:"begin" doc:"Where a browser goes to sign in by it"`
}

func (a *API) providerOf(name string) (*provider, error) {
	if p := a.providers[name]; p != nil {
		return p, nil
	}
	return nil, onward.Errorf(onward.ENotFound, "there is no provider of identities of this name; GET /v1/sign-in/providers lists them")
}

func flowCookieOf(value string) http.Cookie {
	if value == "" {
		return hostCookie(flowCookie, "", forget)
	}
	return hostCookie(flowCookie, value, 600)
}

func (a *API) registerProviders(tags []string) {
	open := []map[string][]string{}
	register(a, huma.Operation{
		OperationID: "list-providers", Method: http.MethodGet, Path: "/v1/sign-in/providers", Tags: tags, Security: open, Summary: "By which providers of identities users can sign in",
	}, func(_ context.Context, _ *struct{}) (*itemsOutput[providerName], error) {
		out := &itemsOutput[providerName]{}
		out.Body.Items = []providerName{}
		for _, p := range a.signIn.Providers {
			out.Body.Items = append(out.Body.Items, providerName{p.Name, "/v1/sign-in/oidc/" + p.Name})
		}
		return out, nil
	})
	register(a, huma.Operation{
		OperationID: "begin-provider-sign-in", Method: http.MethodGet, Path: "/v1/sign-in/oidc/{provider}", Tags: tags, Security: open, DefaultStatus: http.StatusFound, Summary: "Go to a provider of identities to sign in",
		Errors: []int{http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *beginProviderInput) (*redirectOutput, error) {
		p, err := a.providerOf(in.Provider)
		if err != nil {
			return nil, err
		}
		_, config, err := p.discover(ctx)
		if err != nil {
			return nil, err
		}
		flow, sealed, err := a.store.SealFlow(ctx, store.Flow{Provider: p.Name, Verifier: oauth2.GenerateVerifier(), Invitation: in.Invitation})
		if err != nil {
			return nil, err
		}
		return &redirectOutput{
			Status: http.StatusFound, Location: config.AuthCodeURL(flow.State, oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)), SetCookie: []http.Cookie{flowCookieOf(sealed)},
		}, nil
	})
	register(a, huma.Operation{
		OperationID: "finish-provider-sign-in", Method: http.MethodGet, Path: "/v1/sign-in/oidc/{provider}/callback", Tags: tags, Security: open, DefaultStatus: http.StatusSeeOther, Summary: "Come back from a provider of identities",
		Description: "Begins a session as a password does, in the browser that left for the provider and no other.", Errors: forbids(http.StatusUnauthorized, http.StatusServiceUnavailable),
	}, func(ctx context.Context, in *finishProviderInput) (*redirectOutput, error) {
		account, twice, err := a.finishProvider(ctx, in)
		if err := a.counted(ctx, "provider", err); err != nil {
			return nil, err
		}
		stage := a.stageOf(account)
		if twice {
			stage = onward.StageComplete
		}
		_, cookies, err := a.begin(ctx, account, onward.ByProvider, stage)
		return &redirectOutput{Status: http.StatusSeeOther, Location: "/v1/me", SetCookie: append(cookies, flowCookieOf(""))}, err
	})
}

func (a *API) finishProvider(ctx context.Context, in *finishProviderInput) (account onward.Account, twice bool, err error) {
	p, err := a.providerOf(in.Provider)
	if err != nil {
		return account, false, err
	}
	c := clientFrom(ctx)
	flow, err := a.store.OpenFlow(ctx, c.cookie(flowCookie))
	if err != nil {
		return account, false, err
	}
	if flow.Provider != p.Name || subtle.ConstantTimeCompare([]byte(flow.State), []byte(in.State)) != 1 || in.Issuer != "" && strings.TrimSuffix(in.Issuer, "/") != strings.TrimSuffix(p.Issuer, "/") {
		return account, false, errProvider(nil)
	}
	if err := a.try(ctx, "provider:"+a.networkKey(c.from), triesByProvider); err != nil {
		return account, false, err
	}
	if in.Error != "" || in.Code == "" {
		return account, false, onward.Errorf(onward.EUnauthenticated, "the provider of identities did not let you in; begin again")
	}
	who, twice, err := p.exchange(ctx, flow, in.Code)
	if err != nil {
		return account, false, err
	}
	account, bound, err := a.store.SignInByProvider(ctx, c.from, who, flow.Invitation)
	return account, twice && !(bound && account.HasSecondFactor), err // who has a factor here shows it before another stands in for it
}
