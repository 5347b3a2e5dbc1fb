package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type returneeOutput struct {
	Status   int
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
	Paging
	ExternalID   string    `query:"external_id" maxLength:"200"`
	CounsellorID onward.ID `query:"counsellor_id"`
	Name         string    `query:"name" maxLength:"100" doc:"Whole words of the name, in any order; case and accents do not count"`
	Contact      string    `query:"contact" maxLength:"200" doc:"A phone number, or an e-mail address, as a whole"`
}

type returneesOutput struct {
	Body page[onward.Returnee]
}

func (a *API) registerReturnees() {
	tags := []string{"Returnees"}
	register(a, huma.Operation{
		OperationID: "create-returnee", Method: http.MethodPost, Path: "/v1/returnees", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Register a returnee", Description: "For counsellors and supervisors. 409 if the external_id exists.",
		Errors: forbids(http.StatusConflict),
	}, a.createReturnee)
	register(a, huma.Operation{
		OperationID: "list-returnees", Method: http.MethodGet, Path: "/v1/returnees", Tags: tags, Summary: "List the caseload, newest first",
		Errors: forbids(),
	}, a.listReturnees)
	register(a, huma.Operation{
		OperationID: "read-returnee", Method: http.MethodGet, Path: "/v1/returnees/{id}", Tags: tags, Summary: "Read a returnee",
	}, a.readReturnee)
	register(a, huma.Operation{
		OperationID: "list-duplicates", Method: http.MethodGet, Path: "/v1/returnees/{id}/duplicates", Tags: tags, Summary: "Who on the caseload may be the same person",
		Description: "Whoever has the same phone, e-mail address, or name and birth date.", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*itemsOutput[onward.Duplicate], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.Duplicate, error) { return tx.Duplicates(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "update-returnee", Method: http.MethodPut, Path: "/v1/returnees/{id}", Tags: tags, Summary: "Replace what is recorded of a returnee",
		Description: "Needs If-Match. 412 if someone else changed it meanwhile.",
		Errors:      []int{http.StatusConflict, http.StatusPreconditionRequired},
	}, a.updateReturnee)
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
	r, err := inTx(ctx, a, fn)
	return &returneeOutput{Status: http.StatusOK, ETag: etag(r.Version), Body: r}, err
}

func (a *API) createReturnee(ctx context.Context, in *createReturneeInput) (*returneeOutput, error) {
	out, err := a.returnee(ctx, func(tx *store.Tx) (onward.Returnee, error) {
		return tx.CreateReturnee(ctx, store.NewReturnee{Details: in.Body})
	})
	out.Status, out.Location = http.StatusCreated, "/v1/returnees/"+out.Body.ID.String()
	return out, err
}

func (a *API) readReturnee(ctx context.Context, in *readInput) (*returneeOutput, error) {
	out, err := a.returnee(ctx, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(ctx, in.ID) })
	if unchanged(in.IfNoneMatch, out.Body.Version) {
		out.Status = http.StatusNotModified
	}
	return out, err
}

func (a *API) updateReturnee(ctx context.Context, in *updateReturneeInput) (*returneeOutput, error) {
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return a.returnee(ctx, func(tx *store.Tx) (onward.Returnee, error) { return tx.UpdateReturnee(ctx, in.ID, version, in.Body) })
}

func (a *API) listReturnees(ctx context.Context, in *listReturneesInput) (*returneesOutput, error) {
	found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
		return tx.Returnees(ctx, store.ReturneeFilter{ExternalID: in.ExternalID, CounsellorID: in.CounsellorID, Name: in.Name, Contact: in.Contact}, in.cursor())
	})
	return &returneesOutput{Body: page[onward.Returnee](found)}, err
}
