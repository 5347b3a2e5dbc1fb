package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type withdrawInput struct {
	ID   onward.ID `path:"id"`
	Body onward.WithdrawConsent
}

type withdrawalOutput struct{ Body onward.Withdrawal }

type itemsOutput[T any] struct {
	Body struct {
		Items []T `json:"items"`
	}
}

type deletionOutput struct{ Body onward.DeletionRequest }

// items answers with a list that a transaction reads.
func items[T any](ctx context.Context, a *API, read func(*store.Tx) ([]T, error)) (*itemsOutput[T], error) {
	return listed(inTx(ctx, a, read))
}

// listed answers with a list that was read.
func listed[T any](list []T, err error) (*itemsOutput[T], error) {
	out := &itemsOutput[T]{}
	out.Body.Items = list
	return out, err
}

func (a *API) registerProtection() {
	tags := []string{"Protection"}
	register(a, huma.Operation{
		OperationID: "list-consents", Method: http.MethodGet, Path: "/v1/returnees/{id}/consents", Tags: tags, Summary: "What was said of a person's consents, the latest first",
		Description: "Each as it was recorded then; nothing here is ever changed.", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*itemsOutput[onward.ConsentRecord], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.ConsentRecord, error) { return tx.ConsentRecords(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "withdraw-consent", Method: http.MethodPost, Path: "/v1/returnees/{id}/withdrawals", Tags: tags, DefaultStatus: http.StatusCreated, Summary: "End consents of a person",
		Description: "At once and as a whole: open referrals are revoked and their links are dead, requests for a list stop, and whoever was shown who the person is is asked to delete it within " +
			"seven days. The answer certifies it. 409 when there is no such consent.",
		Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *withdrawInput) (*withdrawalOutput, error) {
		w, err := inTx(ctx, a, func(tx *store.Tx) (onward.Withdrawal, error) { return tx.WithdrawConsent(ctx, in.ID, in.Body) })
		return &withdrawalOutput{Body: w}, err
	})
	register(a, huma.Operation{
		OperationID: "list-withdrawals", Method: http.MethodGet, Path: "/v1/returnees/{id}/withdrawals", Tags: tags, Summary: "Certificates of ended consents, the latest first",
		Description: "What was stopped, who was asked to delete what they were shown, and who confirmed.", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*itemsOutput[onward.Withdrawal], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.Withdrawal, error) { return tx.Withdrawals(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "erase-returnee", Method: http.MethodPost, Path: "/v1/returnees/{id}/erase", Tags: tags, Summary: "Erase a person",
		Description: "For supervisors. All consents end as by a withdrawal; then the person's key is destroyed, and with it the name, contacts and notes in every copy; the profile and everything written in " +
			"words goes. Figures keep counting what happened. It can't be undone. Under a legal hold, 409: the consents end, and the erasure is carried out when the hold is released.",
		Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*withdrawalOutput, error) {
		w, err := a.store.Erase(ctx, actorFrom(ctx), in.ID)
		return &withdrawalOutput{Body: w}, err
	})
	register(a, huma.Operation{
		OperationID: "list-deletion-requests", Method: http.MethodGet, Path: "/v1/deletion-requests", Tags: tags, Summary: "What your organisation is to delete",
		Description: "People who do not agree any more that you know them, by the pseudonym under which you know them; what is not confirmed yet first.", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.DeletionRequest], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.DeletionRequest, error) { return tx.DeletionRequests(ctx) })
	})
	register(a, huma.Operation{
		OperationID: "confirm-deletion", Method: http.MethodPost, Path: "/v1/deletion-requests/{id}/confirm", Tags: tags, Summary: "Say that your organisation has deleted it", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*deletionOutput, error) {
		d, err := inTx(ctx, a, func(tx *store.Tx) (onward.DeletionRequest, error) { return tx.ConfirmDeletion(ctx, in.ID) })
		return &deletionOutput{Body: d}, err
	})
}
