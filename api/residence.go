package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type recordResidenceInput struct {
	ID   onward.ID `path:"id" doc:"The returnee"`
	Body onward.ResidenceDetails
}

type residenceOutput struct {
	Body onward.Residence
}

type listResidencesInput struct {
	ID onward.ID `path:"id" doc:"The returnee"`
}

type residencesOutput struct {
	Body struct {
		Items []onward.Residence `json:"items" doc:"The latest first"`
	}
}

func (a *API) registerResidences() {
	tags := []string{"Residences"}
	register(a, huma.Operation{
		OperationID: "record-residence", Method: http.MethodPost, Path: "/v1/returnees/{id}/residences", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Record where a returnee was seen to live",
		Description: "What is observed after a list was made teaches the model of the likely destination. It is never changed: a later observation counts. " +
			"409 when the same source has said something of that day already.",
		Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *recordResidenceInput) (*residenceOutput, error) {
		made, err := inTx(ctx, a, func(tx *store.Tx) (onward.Residence, error) { return tx.RecordResidence(ctx, in.ID, in.Body) })
		return &residenceOutput{Body: made}, err
	})
	register(a, huma.Operation{
		OperationID: "list-residences", Method: http.MethodGet, Path: "/v1/returnees/{id}/residences", Tags: tags,
		Summary: "List where a returnee was seen to live",
	}, func(ctx context.Context, in *listResidencesInput) (*residencesOutput, error) {
		out := &residencesOutput{}
		var err error
		out.Body.Items, err = inTx(ctx, a, func(tx *store.Tx) ([]onward.Residence, error) { return tx.Residences(ctx, in.ID) })
		return out, err
	})
}
