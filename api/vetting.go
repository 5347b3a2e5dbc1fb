package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type vettingOutput struct {
	ETag string `header:"ETag"`
	Body onward.Vetting
}

type recordChecksInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    struct {
		Checks []onward.Check `json:"checks" minItems:"1" maxItems:"9" doc:"Those that you made; others stay as they are"`
	}
}

type vettingsOutput struct {
	Body struct {
		Items []onward.Vetting `json:"items" doc:"The most pressing first, a hundred at most; without their checks"`
	}
}

func (a *API) registerVetting() {
	tags := []string{"Vetting"}
	a.registerVettingOf(onward.VetOrganisation, "organisations", tags)
	a.registerVettingOf(onward.VetOpportunity, "opportunities", tags)
	register(a, huma.Operation{
		OperationID: "list-vettings-due", Method: http.MethodGet, Path: "/v1/vettings", Tags: tags, Summary: "What is to be vetted, or runs out within a month", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*vettingsOutput, error) {
		due, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.Vetting, error) { return tx.VettingsDue(ctx) })
		out := &vettingsOutput{}
		out.Body.Items = due
		return out, err
	})
}

func (a *API) registerVettingOf(subject onward.VettingSubject, collection string, tags []string) {
	register(a, huma.Operation{
		OperationID: "read-" + string(subject) + "-vetting", Method: http.MethodGet, Path: "/v1/" + collection + "/{id}/vetting", Tags: tags,
		Summary: "What was checked", Description: "With every check that is needed. Who is vetted does not see it.", Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *readByIDInput) (*vettingOutput, error) {
		v, err := inTx(ctx, a, func(tx *store.Tx) (onward.Vetting, error) { return tx.Vetting(ctx, subject, in.ID) })
		return &vettingOutput{ETag: etag(v.Version), Body: v}, err
	})
	register(a, huma.Operation{
		OperationID: "record-" + string(subject) + "-checks", Method: http.MethodPut, Path: "/v1/" + collection + "/{id}/vetting", Tags: tags,
		Summary:     "Record checks of fair recruitment, with their evidence",
		Description: "For supervisors of other organisations. An opening passes when all its own checks and those of its organisation do; the result counts for lists at once.",
		Errors:      forbids(http.StatusNotFound, http.StatusPreconditionFailed, http.StatusPreconditionRequired),
	}, func(ctx context.Context, in *recordChecksInput) (*vettingOutput, error) {
		version, err := versionOrNone(in.IfMatch)
		if err != nil {
			return nil, err
		}
		v, err := inTx(ctx, a, func(tx *store.Tx) (onward.Vetting, error) {
			return tx.RecordChecks(ctx, subject, in.ID, version, in.Body.Checks)
		})
		return &vettingOutput{ETag: etag(v.Version), Body: v}, err
	})
}
