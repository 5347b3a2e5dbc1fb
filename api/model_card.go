package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"onward"
	"onward/indexer/catalogue"
	"onward/matcher/modelcard"
	"onward/store"
)

type modelCardInput struct {
	Language string `query:"language" default:"en" enum:"en,fr,es,ar"`
}

type modelCardOutput struct{ Body modelcard.Card }

// factsFor is how long what a card says of the versions in use may be old: anybody may read its page, and the database is not asked each time.
const factsFor = time.Minute

// modelFacts keeps the facts of the card.
type modelFacts struct {
	mu    sync.Mutex
	at    time.Time
	facts modelcard.Facts
}

func (a *API) registerModelCard() {
	register(a, huma.Operation{
		OperationID: "read-model-card", Method: http.MethodGet, Path: "/v1/model-card", Tags: []string{"Model"}, Summary: "What the model is, reads, can't do, and who may decide otherwise",
		Description: "Inputs and what is never one (tests hold them against the program), versions, what was fitted on which data, measured quality, known limits, and how a person objects. " +
			"/model-card?language=es is the same as a page, without a token.",
	}, func(ctx context.Context, in *modelCardInput) (*modelCardOutput, error) {
		facts, err := a.modelFacts(ctx)
		return &modelCardOutput{Body: modelcard.New(facts, in.Language)}, err
	})
	a.router.GET("/model-card", a.modelCardPage)
}

// modelCardPage is for everybody: those whom the model is about have no login.
func (a *API) modelCardPage(c *gin.Context) {
	language := c.DefaultQuery("language", "en")
	if !slices.Contains(onward.ServiceLanguages(), language) {
		abort(c, newProblemOf(http.StatusUnprocessableEntity, "language: use en, fr, es or ar"))
		return
	}
	facts, err := a.modelFacts(c.Request.Context())
	var page bytes.Buffer
	if err == nil {
		err = modelcard.New(facts, language).Page(&page, "")
	}
	if err != nil {
		a.log.ErrorContext(c.Request.Context(), "the model card can't be shown", "error", err)
		abort(c, newProblemOf(http.StatusServiceUnavailable, "the model card can't be read now; try again later"))
		return
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", page.Bytes())
}

func (a *API) modelFacts(ctx context.Context) (modelcard.Facts, error) {
	a.model.mu.Lock()
	defer a.model.mu.Unlock()
	if age := time.Since(a.model.at); age >= 0 && age < factsFor {
		return a.model.facts, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	facts, err := ModelFacts(ctx, a.store, a.catalogue.Current(), a.contact)
	if err != nil {
		return facts, err
	}
	a.model.facts, a.model.at = facts, time.Now()
	return facts, nil
}

// ModelFacts reads what a model card takes from a running system.
func ModelFacts(ctx context.Context, s *store.Store, reference *catalogue.Catalogue, contact string) (modelcard.Facts, error) {
	facts := modelcard.Facts{Taxonomy: reference.Taxonomy().Release(), Contact: contact}
	versions, err := s.DestinationVersions(ctx, "")
	if err != nil {
		return facts, err
	}
	for _, v := range versions {
		if !v.Active {
			continue
		}
		fitted := modelcard.Fitted{Country: v.Country, Name: v.Version, CreatedAt: v.CreatedAt}
		if err := json.Unmarshal(v.Body, &fitted.Version); err != nil {
			return facts, onward.Errorf(onward.EInternal, "the coefficients %s of %s can't be read", v.Version, v.Country)
		}
		facts.Fitted = append(facts.Fitted, fitted)
	}
	return facts, nil
}

// Style is the stylesheet of the pages, for one that stands alone.
func Style() string {
	style, err := docsFiles.ReadFile("docs/docs.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return string(style)
}
