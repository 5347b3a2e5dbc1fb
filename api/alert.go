package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type alertOutput struct {
	Status   int
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     onward.Alert
}

type raiseAlertInput struct{ Body onward.NewAlert }

type changeAlertInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.AlertChange
}

type listAlertsInput struct {
	Paging
	Open    bool      `query:"open" doc:"Only those that are not resolved"`
	Overdue bool      `query:"overdue" doc:"Only those that were not resolved in time"`
	OwnerID onward.ID `query:"owner_id"`
}

type alertsOutput struct {
	Body page[onward.Alert]
}

func (a *API) registerAlerts() {
	tags := []string{"Alerts"}
	register(a, huma.Operation{
		OperationID: "raise-alert", Method: http.MethodPost, Path: "/v1/alerts", Tags: tags, DefaultStatus: http.StatusCreated, Summary: "Raise a safeguarding alert",
		Description: "By the agency, or by the partner that monitors the placement. A serious one about the work stops new referrals to the opportunity and reopens its " +
			"vetting at once. The organisation that is meant is told nothing.", Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *raiseAlertInput) (*alertOutput, error) {
		out, err := a.alert(ctx, func(tx *store.Tx) (onward.Alert, error) { return tx.RaiseAlert(ctx, in.Body) })
		out.Status, out.Location = http.StatusCreated, "/v1/alerts/"+out.Body.ID.String()
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "list-alerts", Method: http.MethodGet, Path: "/v1/alerts", Tags: tags, Summary: "List alerts, newest first",
		Description: "The agency's own; a partner sees those that it raised.", Errors: forbids(),
	}, func(ctx context.Context, in *listAlertsInput) (*alertsOutput, error) {
		found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.Alert], error) {
			return tx.Alerts(ctx, store.AlertFilter{Open: in.Open, Overdue: in.Overdue, OwnerID: in.OwnerID}, in.cursor())
		})
		return &alertsOutput{Body: page[onward.Alert](found)}, err
	})
	register(a, huma.Operation{
		OperationID: "read-alert", Method: http.MethodGet, Path: "/v1/alerts/{id}", Tags: tags, Summary: "Read an alert with its trail",
	}, func(ctx context.Context, in *readByIDInput) (*alertOutput, error) {
		return a.alert(ctx, func(tx *store.Tx) (onward.Alert, error) { return tx.Alert(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "change-alert", Method: http.MethodPost, Path: "/v1/alerts/{id}/events", Tags: tags, Summary: "Add a note, hand an alert over, or resolve it",
		Errors: forbids(http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired),
	}, func(ctx context.Context, in *changeAlertInput) (*alertOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return a.alert(ctx, func(tx *store.Tx) (onward.Alert, error) { return tx.ChangeAlert(ctx, in.ID, version, in.Body) })
	})
}

func (a *API) alert(ctx context.Context, fn func(*store.Tx) (onward.Alert, error)) (*alertOutput, error) {
	alert, err := inTx(ctx, a, fn)
	return &alertOutput{Status: http.StatusOK, ETag: etag(alert.Version), Body: alert}, err
}
