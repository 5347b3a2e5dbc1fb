package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type placementOutput struct {
	Status   int
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     onward.Placement
}

type recordPlacementInput struct {
	ID      onward.ID `path:"id" doc:"The referral"`
	IfMatch string    `header:"If-Match" doc:"The ETag of the referral that you read; needed"`
	Body    struct {
		onward.PlacementDetails
		onward.Confirm
	}
}

type updatePlacementInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.PlacementDetails
}

type confirmPlacementInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.Confirm
}

type endPlacementInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.EndPlacement
}

type listPlacementsInput struct {
	Paging
	ReturneeID    onward.ID `query:"returnee_id"`
	OpportunityID onward.ID `query:"opportunity_id"`
	ReferralID    onward.ID `query:"referral_id"`
	Current       bool      `query:"current" doc:"Only those that have not ended"`
	Unconfirmed   bool      `query:"unconfirmed" doc:"Only those that one side has not confirmed"`
}

type placementsOutput struct {
	Body page[onward.Placement]
}

func (a *API) registerPlacements() {
	tags := []string{"Placements"}
	changes := forbids(http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	register(a, huma.Operation{
		OperationID: "record-placement", Method: http.MethodPost, Path: "/v1/referrals/{id}/placement", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:     "Record that the person of a referral started",
		Description: "By the agency or the recipient, on the word of one side; the other is still to confirm. The held place is taken.", Errors: changes,
	}, func(ctx context.Context, in *recordPlacementInput) (*placementOutput, error) {
		out, err := a.placement(ctx, in.IfMatch, func(tx *store.Tx, version int64) (onward.Placement, error) {
			return tx.RecordPlacement(ctx, in.ID, version, in.Body.PlacementDetails, in.Body.Confirm)
		})
		if err == nil {
			out.Status, out.Location = http.StatusCreated, "/v1/placements/"+out.Body.ID.String()
		}
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "list-placements", Method: http.MethodGet, Path: "/v1/placements", Tags: tags, Summary: "List placements, newest first",
		Description: "Those of the agency, of the recipient, or those that a partner monitors.", Errors: forbids(),
	}, func(ctx context.Context, in *listPlacementsInput) (*placementsOutput, error) {
		found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.Placement], error) {
			return tx.Placements(ctx, store.PlacementFilter{
				ReturneeID: in.ReturneeID, OpportunityID: in.OpportunityID, ReferralID: in.ReferralID, Current: in.Current, Unconfirmed: in.Unconfirmed,
			}, in.cursor())
		})
		return &placementsOutput{Body: page[onward.Placement](found)}, err
	})
	register(a, huma.Operation{
		OperationID: "read-placement", Method: http.MethodGet, Path: "/v1/placements/{id}", Tags: tags, Summary: "Read a placement",
	}, func(ctx context.Context, in *readByIDInput) (*placementOutput, error) {
		p, err := inTx(ctx, a, func(tx *store.Tx) (onward.Placement, error) { return tx.Placement(ctx, in.ID) })
		return &placementOutput{Status: http.StatusOK, ETag: etag(p.Version), Body: p}, err
	})
	register(a, huma.Operation{
		OperationID: "update-placement", Method: http.MethodPut, Path: "/v1/placements/{id}", Tags: tags, Summary: "Replace what is known of a placement", Errors: changes,
	}, func(ctx context.Context, in *updatePlacementInput) (*placementOutput, error) {
		return a.placement(ctx, in.IfMatch, func(tx *store.Tx, version int64) (onward.Placement, error) {
			return tx.UpdatePlacement(ctx, in.ID, version, in.Body)
		})
	})
	register(a, huma.Operation{
		OperationID: "confirm-placement", Method: http.MethodPost, Path: "/v1/placements/{id}/confirm", Tags: tags, Summary: "Confirm for one side that a placement started",
		Description: "Each side once; a surer source replaces a less sure one.", Errors: changes,
	}, func(ctx context.Context, in *confirmPlacementInput) (*placementOutput, error) {
		return a.placement(ctx, in.IfMatch, func(tx *store.Tx, version int64) (onward.Placement, error) {
			return tx.ConfirmPlacement(ctx, in.ID, version, in.Body)
		})
	})
	register(a, huma.Operation{
		OperationID: "end-placement", Method: http.MethodPost, Path: "/v1/placements/{id}/end", Tags: tags, Summary: "End a placement, and its referral",
		Description: "An onward move with a job is an outcome of its own. The place is free again unless it was meant to end with the person.", Errors: changes,
	}, func(ctx context.Context, in *endPlacementInput) (*placementOutput, error) {
		return a.placement(ctx, in.IfMatch, func(tx *store.Tx, version int64) (onward.Placement, error) {
			return tx.EndPlacement(ctx, in.ID, version, in.Body)
		})
	})
}

// placement runs a change that needs If-Match and ends in one placement.
func (a *API) placement(ctx context.Context, ifMatch string, fn func(*store.Tx, int64) (onward.Placement, error)) (*placementOutput, error) {
	version, err := versionOf(ifMatch)
	if err != nil {
		return nil, err
	}
	p, err := inTx(ctx, a, func(tx *store.Tx) (onward.Placement, error) { return fn(tx, version) })
	return &placementOutput{Status: http.StatusOK, ETag: etag(p.Version), Body: p}, err
}

type closeRules struct {
	Rules []onward.CloseRule `json:"rules" maxItems:"50"`
}

type closeRulesOutput struct{ Body closeRules }

type setCloseRulesInput struct{ Body closeRules }

func (a *API) registerCloseRules() {
	tags := []string{"Referrals"}
	register(a, huma.Operation{
		OperationID: "read-close-rules", Method: http.MethodGet, Path: "/v1/close-rules", Tags: tags,
		Summary: "What becomes of your referrals when an opportunity closes", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*closeRulesOutput, error) {
		rules, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.CloseRule, error) { return tx.CloseRules(ctx) })
		return &closeRulesOutput{Body: closeRules{rules}}, err
	})
	register(a, huma.Operation{
		OperationID: "set-close-rules", Method: http.MethodPut, Path: "/v1/close-rules", Tags: tags,
		Summary:     "Set what becomes of your referrals when an opportunity closes",
		Description: "One rule for a close reason and a state of the referral. What is not named follows the defaults. No referral goes on when the opportunity is unsafe.", Errors: forbids(),
	}, func(ctx context.Context, in *setCloseRulesInput) (*closeRulesOutput, error) {
		rules, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.CloseRule, error) { return tx.SetCloseRules(ctx, in.Body.Rules) })
		return &closeRulesOutput{Body: closeRules{rules}}, err
	})
}
