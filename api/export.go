package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"

	"onward"
	"onward/store"
)

//go:embed export
var exportFiles embed.FS

var (
	exportBundle = loadExportBundle()
	exportPage   = template.Must(template.ParseFS(exportFiles, "export/page.html"))
	exportStyle  = loadExportStyle()
	// exportPolicy lets the page have its own style, by its hash, and nothing else.
	exportPolicy = "default-src 'none'; style-src 'sha256-" + hashOf(exportStyle) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

func loadExportBundle() *i18n.Bundle {
	b := i18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, code := range onward.ServiceLanguages() {
		if _, err := b.LoadMessageFileFS(exportFiles, "export/"+code+".toml"); err != nil {
			panic(fmt.Sprintf("the page of what is kept, in %s: %v", code, err)) // embedded, so that a test finds it
		}
	}
	return b
}

func loadExportStyle() string {
	style, err := exportFiles.ReadFile("export/page.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return string(style)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

type exportOutput struct{ Body onward.Export }

type exportPageInput struct {
	ID       onward.ID `path:"id"`
	Language string    `query:"language" enum:"en,es,fr,ar" doc:"Empty: the language of the person, or English"`
}

type exportPageOutput struct {
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Language    string `header:"Content-Language"`
	Body        []byte
}

type historyInput struct {
	ID onward.ID `path:"id"`
	Paging
}

type historyOutput struct{ Body page[onward.ReturneeChange] }

func (a *API) registerExport() {
	tags := []string{"Protection"}
	register(a, huma.Operation{
		OperationID: "export-returnee", Method: http.MethodGet, Path: "/v1/returnees/{id}/export", Tags: tags, Summary: "Everything that is kept of a person, for the person",
		Description: "For supervisors, who answer requests for access. Whole, however much it is: the record, what was corrected, consents, lists with the profile as it was, referrals, placements, " +
			"check-ins with answers, concerns, where and with whom the person lives, who read what, and until when it is kept.",
		Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*exportOutput, error) {
		e, err := inTx(ctx, a, func(tx *store.Tx) (onward.Export, error) { return tx.Export(ctx, in.ID) })
		return &exportOutput{Body: e}, err
	})
	register(a, huma.Operation{
		OperationID: "export-returnee-page", Method: http.MethodGet, Path: "/v1/returnees/{id}/export/page", Tags: tags, Summary: "The same as a page to read and print",
		Description: "In English, French, Spanish or Arabic. One file of HTML without scripts that needs nothing else.", Errors: forbids(),
		Responses: map[string]*huma.Response{"200": {Description: "A page", Content: map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
	}, a.exportReturneePage)
	register(a, huma.Operation{
		OperationID: "returnee-history", Method: http.MethodGet, Path: "/v1/returnees/{id}/history", Tags: tags, Summary: "What was recorded of a person before each change, the latest first",
		Description: "Who changed it, when, why (Onward-Reason), and what the changed fields held. Consents have a history of their own.", Errors: forbids(),
	}, func(ctx context.Context, in *historyInput) (*historyOutput, error) {
		found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.ReturneeChange], error) {
			return tx.ReturneeChanges(ctx, in.ID, in.cursor())
		})
		return &historyOutput{Body: page[onward.ReturneeChange](found)}, err
	})
}

func (a *API) exportReturneePage(ctx context.Context, in *exportPageInput) (*exportPageOutput, error) {
	questions := map[onward.QuestionnaireRef]onward.Questionnaire{}
	e, err := inTx(ctx, a, func(tx *store.Tx) (onward.Export, error) {
		e, err := tx.Export(ctx, in.ID)
		for _, c := range e.CheckIns {
			if _, ok := questions[c.Questionnaire]; ok || c.Questionnaire.Code == "" || err != nil {
				continue
			}
			var q onward.Questionnaire
			if q, err = tx.Questionnaire(ctx, c.Questionnaire.Code, c.Questionnaire.Version); onward.CodeOf(err) == onward.ENotFound {
				err = nil // then its items are named by their ids
			}
			questions[c.Questionnaire] = q
		}
		return e, err
	})
	if err != nil {
		return nil, err
	}
	code := in.Language
	if code == "" {
		code = exportLanguage(e.Returnee.Language)
	}
	var b bytes.Buffer
	w := newExportWriter(code, e, a.catalogue.Current(), questions)
	if err := exportPage.Execute(&b, w.page()); err != nil {
		return nil, fmt.Errorf("write the page of what is kept: %w", err)
	}
	return &exportPageOutput{ContentType: "text/html; charset=utf-8", Policy: exportPolicy, Language: code, Body: b.Bytes()}, nil
}

// exportLanguage is the language of a person if the page comes in it.
func exportLanguage(code string) string {
	for _, l := range onward.ServiceLanguages() {
		if l == code {
			return l
		}
	}
	return "en"
}
