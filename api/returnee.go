package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type returneeOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     onward.Returnee
}

type createReturneeInput struct {
	Body onward.ReturneeDetails
}

type updateReturneeInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.ReturneeDetails
}

type listReturneesInput struct {
	pageInput
	ExternalID   string    `query:"external_id" maxLength:"200"`
	CounsellorID onward.ID `query:"counsellor_id"`
	Name         string    `query:"name" maxLength:"100" doc:"A part of the given or family name"`
}

type returneesOutput struct {
	Body struct {
		Items []onward.Returnee `json:"items"`
		Next  string            `json:"next,omitempty" doc:"Cursor of the next page; empty on the last"`
	}
}

func (a *API) registerReturnees() {
	tags := []string{"Returnees"}
	huma.Register(a.huma, huma.Operation{
		OperationID: "create-returnee", Method: http.MethodPost, Path: "/v1/returnees", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Register a returnee", Description: "For counsellors and supervisors. 409 if the external_id exists.", MaxBodyBytes: bodyLimit,
	}, func(ctx context.Context, in *createReturneeInput) (*returneeOutput, error) {
		out, err := a.returnee(ctx, func(tx *store.Tx) (onward.Returnee, error) {
			return tx.CreateReturnee(ctx, store.NewReturnee{Details: in.Body})
		})
		if out != nil {
			out.Location = "/v1/returnees/" + out.Body.ID.String()
		}
		return out, err
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-returnees", Method: http.MethodGet, Path: "/v1/returnees", Tags: tags, Summary: "List the caseload, newest first",
	}, a.listReturnees)
	huma.Register(a.huma, huma.Operation{
		OperationID: "read-returnee", Method: http.MethodGet, Path: "/v1/returnees/{id}", Tags: tags, Summary: "Read a returnee",
	}, func(ctx context.Context, in *readInput) (*returneeOutput, error) {
		out, err := a.returnee(ctx, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(ctx, in.ID) })
		if out != nil && in.IfNoneMatch == out.ETag {
			return nil, huma.Status304NotModified()
		}
		return out, err
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "update-returnee", Method: http.MethodPut, Path: "/v1/returnees/{id}", Tags: tags, Summary: "Replace what is recorded of a returnee",
		Description: "Needs If-Match. 412 if someone else changed it meanwhile.", MaxBodyBytes: bodyLimit,
	}, func(ctx context.Context, in *updateReturneeInput) (*returneeOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		return a.returnee(ctx, func(tx *store.Tx) (onward.Returnee, error) { return tx.UpdateReturnee(ctx, in.ID, version, in.Body) })
	})
	registerBulk(a, "returnees", tags, func(ctx context.Context, tx *store.Tx, lines []onward.ReturneeDetails) ([]store.Created, error) {
		list := make([]store.NewReturnee, len(lines))
		for i, line := range lines {
			list[i] = store.NewReturnee{Details: line}
		}
		return tx.CreateReturnees(ctx, list)
	})
}

// returnee runs what ends in one returnee.
func (a *API) returnee(ctx context.Context, fn func(*store.Tx) (onward.Returnee, error)) (*returneeOutput, error) {
	var r onward.Returnee
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		r, err = fn(tx)
		return err
	})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &returneeOutput{ETag: etag(r.Version), Body: r}, nil
}

func (a *API) listReturnees(ctx context.Context, in *listReturneesInput) (*returneesOutput, error) {
	out := &returneesOutput{}
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) error {
		page, err := tx.Returnees(ctx, store.ReturneeFilter{ExternalID: in.ExternalID, CounsellorID: in.CounsellorID, Name: in.Name}, in.cursor())
		out.Body.Items, out.Body.Next = page.Items, page.Next
		return err
	})
	return out, a.fail(ctx, err)
}
