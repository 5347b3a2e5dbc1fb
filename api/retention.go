package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type retentionInput struct {
	Body struct {
		Rules []onward.RetentionChoice `json:"rules" maxItems:"20" doc:"What is not named follows the rules"`
	}
}

type prolongInput struct {
	ID   onward.ID `path:"id"`
	Body onward.Prolonging
}

type holdInput struct{ Body onward.LegalHoldDetails }

type releaseInput struct {
	ID   onward.ID `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"10" maxLength:"1000" doc:"Why it is not needed any more"`
	}
}

type holdOutput struct{ Body onward.LegalHold }

func (a *API) registerRetention() {
	tags := []string{"Protection"}
	register(a, huma.Operation{
		OperationID: "read-retention-rules", Method: http.MethodGet, Path: "/v1/retention/rules", Tags: tags, Summary: "For how long each kind of record is kept",
		Description: "With what your organisation chose, what it may choose, and why.", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.RetentionRule], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.RetentionRule, error) { return tx.RetentionRules(ctx) })
	})
	register(a, huma.Operation{
		OperationID: "set-retention-rules", Method: http.MethodPut, Path: "/v1/retention/rules", Tags: tags, Summary: "Choose for how long your organisation keeps records",
		Description: "For supervisors and administrators. It counts from the next turn on, for what is there already as well.", Errors: forbids(),
	}, func(ctx context.Context, in *retentionInput) (*itemsOutput[onward.RetentionRule], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.RetentionRule, error) { return tx.SetRetention(ctx, in.Body.Rules) })
	})
	register(a, huma.Operation{
		OperationID: "list-retention-due", Method: http.MethodGet, Path: "/v1/retention/due", Tags: tags, Summary: "People whose time is over within thirty days",
		Description: "The first to go first. Whatever is recorded of a person counts as activity and keeps the record; POST /v1/returnees/{id}/retention keeps it as well.", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.DuePerson], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.DuePerson, error) { return tx.RetentionDue(ctx) })
	})
	register(a, huma.Operation{
		OperationID: "prolong-retention", Method: http.MethodPost, Path: "/v1/returnees/{id}/retention", Tags: tags, DefaultStatus: http.StatusNoContent, Summary: "Keep a person longer than the rule says",
		Description: "With a reason, for two years at most at a time.", Errors: forbids(),
	}, func(ctx context.Context, in *prolongInput) (*struct{}, error) {
		return inTx(ctx, a, func(tx *store.Tx) (*struct{}, error) { return nil, tx.Prolong(ctx, in.ID, in.Body) })
	})
	register(a, huma.Operation{
		OperationID: "list-legal-holds", Method: http.MethodGet, Path: "/v1/legal-holds", Tags: tags, Summary: "What stops retention and erasure, those that still hold first",
		Description: "For supervisors and administrators.", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.LegalHold], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.LegalHold, error) { return tx.LegalHolds(ctx) })
	})
	register(a, huma.Operation{
		OperationID: "place-legal-hold", Method: http.MethodPost, Path: "/v1/legal-holds", Tags: tags, DefaultStatus: http.StatusCreated, Summary: "Stop retention and erasure of a person, or of all records of a kind",
		Description: "For supervisors and administrators. It holds until it is released; on the day of review, and every thirty days after it, supervisors are asked whether it is still needed. Consents can be withdrawn " +
			"under it; an erasure is noted and carried out when it ends.",
		Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *holdInput) (*holdOutput, error) {
		h, err := inTx(ctx, a, func(tx *store.Tx) (onward.LegalHold, error) { return tx.PlaceHold(ctx, in.Body) })
		return &holdOutput{Body: h}, err
	})
	register(a, huma.Operation{
		OperationID: "release-legal-hold", Method: http.MethodPost, Path: "/v1/legal-holds/{id}/release", Tags: tags, Summary: "End a legal hold",
		Description: "What was due goes with the next turn, and erasures that people asked for are carried out. 409 when it has ended already.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *releaseInput) (*holdOutput, error) {
		h, err := inTx(ctx, a, func(tx *store.Tx) (onward.LegalHold, error) { return tx.ReleaseHold(ctx, in.ID, in.Body.Reason) })
		return &holdOutput{Body: h}, err
	})
}
