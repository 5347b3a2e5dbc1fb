// Package api is the JSON API: Gin for HTTP, huma for the OpenAPI document and what follows from it. Handlers check the
// form, call the store, and return errors of the domain; register turns those into problems at one place.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/store"
)

// Searcher answers a person's search, and the query of a returnee, from the best index that is there.
type Searcher interface {
	indexer.Asker
	Search(ctx context.Context, query indexer.SearchQuery) (indexer.Answer, error)
}

// Part is one part of the running system and how it is.
type Part struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	State  string `json:"state" doc:"In words"`
	Needed bool   `json:"needed" doc:"Whether requests fail without it"`
}

// Config of the API. Store, Catalogue, Searcher and Logger are needed to serve; the document alone needs nothing.
type Config struct {
	Store     *store.Store
	Catalogue *catalogue.Live
	Searcher  Searcher
	Logger    *slog.Logger
	// Registry holds the metrics that /metrics shows. nil: none.
	Registry *prometheus.Registry
	// Parts asks each part how it is, for /readyz.
	Parts func(ctx context.Context) []Part
	// Limits bound how much anybody may ask for.
	Limits RateLimits
	// SignIn says how users sign in.
	SignIn SignIn
	// TrustedProxies are addresses or networks whose X-Forwarded-For is believed. nil: none.
	TrustedProxies []string
	// Contact is whom people can write to about the model; empty: nobody but their agency.
	Contact string
}

// API serves.
type API struct {
	store     *store.Store
	catalogue *catalogue.Live
	searcher  Searcher
	log       *slog.Logger
	parts     func(ctx context.Context) []Part
	waiting   *waiting
	router    *gin.Engine
	huma      huma.API
	methods   map[string][]string // of paths as they are in the document
	limits    RateLimits
	unlimited sync.Once
	contact   string
	model     modelFacts

	signIn      SignIn
	sessions    *scs.SessionManager
	crossOrigin *http.CrossOriginProtection
	signIns     *prometheus.CounterVec
	providers   map[string]*provider
	// withoutRedis bounds guesses while Redis is away.
	withoutRedis *rate.Limiter
}

// setLibraries sets what huma and Gin keep once for a process. It can't differ between two APIs.
var setLibraries = sync.OnceFunc(func() {
	gin.SetMode(gin.ReleaseMode)
	huma.ValidateStrictCasing = true // encoding/json would take Capacity for capacity
	huma.NewError = newProblem
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := newProblem(status, message, errs...)
		if p, ok := p.(*Problem); ok {
			p.RequestID = requestID(ctx.Context())
		}
		return p
	}
})

// New builds the routes.
func New(config Config) *API {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	setLibraries()
	a := &API{
		store: config.Store, catalogue: config.Catalogue, searcher: config.Searcher, log: config.Logger, parts: config.Parts,
		waiting: newWaiting(), limits: config.Limits.withDefaults(), contact: config.Contact, signIn: config.SignIn.withDefaults(),
	}
	a.sessions, a.crossOrigin, a.signIns = newSessions(a.store, a.signIn), newCrossOrigin(a.signIn.PublicURL, a.log), signInMetrics(config.Registry)
	a.withoutRedis = rate.NewLimiter(triesWithoutRedis, 10*triesWithoutRedis)
	a.providers = newProviders(a.signIn.Providers)
	a.router = gin.New()
	a.router.HandleMethodNotAllowed = true
	if err := a.router.SetTrustedProxies(config.TrustedProxies); err != nil {
		config.Logger.Error("the trusted proxies can't be read; none is trusted", "error", err)
		_ = a.router.SetTrustedProxies(nil)
	}
	a.router.RedirectTrailingSlash = false
	a.router.Use(identify, a.observe(config.Registry), a.recoverPanic, secure, a.ownMethods, checkQuery, plainBody)
	a.router.NoRoute(plainProblem(http.StatusNotFound, "there is nothing here; /docs lists what there is"))
	a.router.NoMethod(methodNotAllowed)
	a.huma = humagin.New(a.router, humaConfig())
	a.huma.UseMiddleware(limitTime, a.authenticate, checkEmpty)
	a.registerHealth(config.Registry)
	a.registerVocabulary()
	a.registerModelCard()
	a.registerOpportunities()
	a.registerReturnees()
	a.registerReferralRequests()
	a.registerResidences()
	a.registerUnlocks()
	a.registerCandidates()
	a.registerHouseholds()
	a.registerSkillSuggestions()
	a.registerReferrals()
	a.registerReceivedReferrals()
	a.registerAnswers()
	a.registerPlacements()
	a.registerCloseRules()
	a.registerVetting()
	a.registerAlerts()
	a.registerCheckIns()
	a.registerMonitoring()
	a.registerWebhooks()
	a.registerNotices()
	a.registerOrganisations()
	a.registerAudit()
	a.registerProtection()
	a.registerExport()
	a.registerRetention()
	a.registerEmergencies()
	a.registerSignIn()
	a.registerUsers()
	a.registerDocs()
	a.methods = methodsOf(a.huma.OpenAPI())
	return a
}

// methodsOf are the methods of each path of the document, in order.
func methodsOf(document *huma.OpenAPI) map[string][]string {
	methods := map[string][]string{}
	for path, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Delete, item.Get, item.Patch, item.Post, item.Put} {
			if op != nil {
				methods[path] = append(methods[path], op.Method)
			}
		}
	}
	return methods
}

// ownMethods refuses methods that a path of the document does not have. Gin would take "bulk" and "search" for ids, and name the methods of those.
func (a *API) ownMethods(c *gin.Context) {
	methods, literal := a.methods[c.Request.URL.Path]
	if !literal || slices.Contains(methods, c.Request.Method) {
		c.Next()
		return
	}
	c.Header("Allow", strings.Join(methods, ", "))
	methodNotAllowed(c)
}

var methodNotAllowed = plainProblem(http.StatusMethodNotAllowed, "this method is not offered here; /docs lists what is")

// Handler is the API as an http.Handler. HEAD is answered as GET is; net/http leaves the body out.
func (a *API) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			get := *r
			get.Method = http.MethodGet
			r = &get
		}
		a.router.ServeHTTP(w, r)
	})
}

// Run keeps waiting clients informed until ctx ends.
func (a *API) Run(ctx context.Context) error {
	notifications, err := a.store.Listen(ctx, a.log, store.ChannelRequests)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	a.waiting.run(notifications)
	return nil
}

// register adds an operation. It gives it its limits and its errors, and turns the errors of the handler into problems.
func register[I, O any](a *API, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, withLimits(op), func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		return out, nil
	})
}

// inTx runs fn in a transaction of whoever sent the request.
func inTx[T any](ctx context.Context, a *API, fn func(*store.Tx) (T, error)) (result T, err error) {
	err = a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		result, err = fn(tx)
		return err
	})
	return result, err
}
