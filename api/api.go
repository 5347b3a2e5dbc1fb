// Package api is the JSON API: Gin for HTTP, huma for the OpenAPI document and what follows from it. Handlers check the
// form, call the store, and turn errors into problems at one place.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/store"
)

// Version of the API document.
const Version = "0.1.0"

// Searcher answers a person's search from the best index that is there.
type Searcher interface {
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
}

const (
	// bodyLimit is for one record; bulkLimit for a bulk request, which is read whole.
	bodyLimit = 1 << 20
	bulkLimit = 16 << 20
	// requestLimit ends what takes longer than anyone waits.
	requestLimit = 30 * time.Second
)

// New builds the routes.
func New(config Config) *API {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	gin.SetMode(gin.ReleaseMode)
	huma.NewError = newProblem // huma's way to have errors of one's own; every API of a process shares it
	a := &API{
		store: config.Store, catalogue: config.Catalogue, searcher: config.Searcher, log: config.Logger, parts: config.Parts,
		waiting: newWaiting(),
	}
	a.router = gin.New()
	a.router.HandleMethodNotAllowed = true
	a.router.Use(a.identify, a.observe(config.Registry), a.recoverPanic, secure)
	a.router.NoRoute(plainProblem(http.StatusNotFound, "there is nothing here; /docs lists what there is"))
	a.router.NoMethod(plainProblem(http.StatusMethodNotAllowed, "this method is not offered here; /docs lists what is"))
	a.huma = humagin.New(a.router, humaConfig())
	a.huma.UseMiddleware(a.authenticate)
	a.registerHealth(config.Registry)
	a.registerVocabulary()
	a.registerOpportunities()
	a.registerReturnees()
	a.registerReferralRequests()
	a.registerDocs()
	return a
}

func humaConfig() huma.Config {
	config := huma.DefaultConfig("Onward", Version)
	config.Info.Description = "Links people who return to their country after migration with opportunities there, " +
		"by skills and by likely destination."
	config.Info.License = &huma.License{Name: "Apache-2.0", URL: "https://www.apache.org/licenses/LICENSE-2.0"}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "An API token, made by 'onward token create'"},
	}
	config.Security = []map[string][]string{{"token": {}}}
	config.OpenAPIPath = "/openapi"
	config.DocsPath = "" // our own page: huma's load their scripts from elsewhere
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema links in bodies
	config.RejectUnknownQueryParameters = true
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalJSON}
	config.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	return config
}

// unmarshalJSON refuses invalid UTF-8, which encoding/json would silently replace, and anything after the value.
func unmarshalJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("send text as UTF-8")
	}
	return json.Unmarshal(data, v)
}

// Handler is the API as an http.Handler.
func (a *API) Handler() http.Handler { return a.router }

// OpenAPI is the document, formatted.
func (a *API) OpenAPI() ([]byte, error) {
	compact, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return nil, err
	}
	var document any
	if err := json.Unmarshal(compact, &document); err != nil {
		return nil, err
	}
	formatted, err := json.MarshalIndent(document, "", "  ")
	return append(formatted, '\n'), err
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

// NewServer is an http.Server for the API with limits on everything that waits.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      maxWait + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = io.WriteString(w, string(body))
}
