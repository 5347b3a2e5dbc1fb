package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/matcher"
	"onward/matcher/sentences"
	"onward/store"
)

// InWords is the language of labels and sentences in an answer.
type InWords struct {
	Language string `query:"language" enum:"en,fr,es,ar" doc:"Of labels and sentences"`
}

type returneeUnlocksInput struct {
	InWords
	ID onward.ID `path:"id" doc:"The returnee"`
}

type returneeUnlocksOutput struct {
	Body store.ReturneeUnlocks
}

type caseloadUnlocksInput struct {
	InWords
	Kinds []string `query:"kind" enum:"document,language,skill,training" doc:"Only these; empty: all"`
	Limit int      `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

type caseloadUnlocksOutput struct {
	Body struct {
		Items []onward.CaseloadUnlock `json:"items"`
	}
}

func (a *API) registerUnlocks() {
	tags := []string{"Unlocks"}
	register(a, huma.Operation{
		OperationID: "returnee-unlocks", Method: http.MethodGet, Path: "/v1/returnees/{id}/unlocks", Tags: tags,
		Summary: "What would bring the most onto one returnee's list",
		Description: "Which document, language level, skill or open training would bring how many opportunities onto the list, weighted by their scores. " +
			"From the latest list, among the openings that it considered.",
	}, a.returneeUnlocks)
	register(a, huma.Operation{
		OperationID: "caseload-unlocks", Method: http.MethodGet, Path: "/v1/unlocks", Tags: tags,
		Summary:     "What would help most people of the caseload",
		Description: "The unlocks of everyone's latest list, summed over the people of the caseload, from the heaviest.",
		Errors:      forbids(),
	}, a.caseloadUnlocks)
}

func (a *API) returneeUnlocks(ctx context.Context, in *returneeUnlocksInput) (*returneeUnlocksOutput, error) {
	var list onward.RankedList
	found, err := inTx(ctx, a, func(tx *store.Tx) (found store.ReturneeUnlocks, err error) {
		list, found, err = tx.ReturneeUnlocks(ctx, in.ID)
		return found, err
	})
	if err == nil && in.Language != "" && len(found.Unlocks) > 0 {
		a.reword(&list, in.Language)
		found.Unlocks = list.Unlocks
	}
	return &returneeUnlocksOutput{Body: found}, err
}

func (a *API) caseloadUnlocks(ctx context.Context, in *caseloadUnlocksInput) (*caseloadUnlocksOutput, error) {
	kinds := make([]onward.ChangeKind, len(in.Kinds))
	for i, k := range in.Kinds {
		kinds[i] = onward.ChangeKind(k)
	}
	items, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.CaseloadUnlock, error) {
		return tx.CaseloadUnlocks(ctx, kinds, in.Limit)
	})
	words := sentences.In(in.Language)
	for i := range items {
		items[i].Change = matcher.Relabel(items[i].Change, a.catalogue.Current().Taxonomy(), words.Language())
		items[i].Sentence = words.CaseloadUnlock(items[i])
	}
	out := &caseloadUnlocksOutput{}
	out.Body.Items = items
	return out, err
}

// reword puts a list into another language. Titles of openings stay as their organisations wrote them.
func (a *API) reword(list *onward.RankedList, language string) {
	matcher.RelabelList(list, a.catalogue.Current().Taxonomy(), language)
	sentences.In(language).List(list)
}
