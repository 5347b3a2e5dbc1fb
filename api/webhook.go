package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type webhookOutput struct {
	ETag string `header:"ETag"`
	Body onward.Webhook
}

type webhooksOutput struct {
	Body struct {
		Items []onward.Webhook `json:"items"`
	}
}

type createWebhookInput struct{ Body onward.WebhookDetails }

type updateWebhookInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.WebhookDetails
}

type deliveryOutput struct{ Body onward.Delivery }

type listDeliveriesInput struct {
	Paging
	WebhookID onward.ID `query:"webhook_id"`
	Status    string    `query:"status" enum:"queued,sent,failed"`
}

type deliveriesOutput struct {
	Body page[onward.Delivery]
}

type eventsOutput struct {
	Body page[onward.Event]
}

type listEventsInput struct{ Paging }

type preferencesInput struct{ Body onward.NoticePreferences }

type preferencesOutput struct{ Body onward.NoticePreferences }

func (a *API) registerWebhooks() {
	tags := []string{"Webhooks"}
	register(a, huma.Operation{
		OperationID: "create-webhook", Method: http.MethodPost, Path: "/v1/webhooks", Tags: tags, DefaultStatus: http.StatusCreated, Summary: "Be told of events by HTTP",
		Description: "Signed as Standard Webhooks says (webhook-id, webhook-timestamp, webhook-signature). The secret is in this answer and never again. A delivery is tried ten times " +
			"over three days; then the endpoint is switched off. Use the webhook-id to know what came twice.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *createWebhookInput) (*webhookOutput, error) {
		w, err := a.store.CreateWebhook(ctx, actorFrom(ctx), in.Body)
		return &webhookOutput{ETag: etag(w.Version), Body: w}, err
	})
	register(a, huma.Operation{
		OperationID: "list-webhooks", Method: http.MethodGet, Path: "/v1/webhooks", Tags: tags, Summary: "List webhooks", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*webhooksOutput, error) {
		list, err := a.store.Webhooks(ctx, actorFrom(ctx))
		out := &webhooksOutput{}
		out.Body.Items = list
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "update-webhook", Method: http.MethodPut, Path: "/v1/webhooks/{id}", Tags: tags, Summary: "Replace a webhook, and switch it on again",
		Errors: forbids(http.StatusNotFound, http.StatusPreconditionFailed, http.StatusPreconditionRequired),
	}, func(ctx context.Context, in *updateWebhookInput) (*webhookOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		w, err := a.store.UpdateWebhook(ctx, actorFrom(ctx), in.ID, version, in.Body)
		return &webhookOutput{ETag: etag(w.Version), Body: w}, err
	})
	register(a, huma.Operation{
		OperationID: "delete-webhook", Method: http.MethodDelete, Path: "/v1/webhooks/{id}", Tags: tags, DefaultStatus: http.StatusNoContent, Summary: "Delete a webhook with its history",
		Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *readByIDInput) (*struct{}, error) {
		return nil, a.store.DeleteWebhook(ctx, actorFrom(ctx), in.ID)
	})
	register(a, huma.Operation{
		OperationID: "rotate-webhook", Method: http.MethodPost, Path: "/v1/webhooks/{id}/rotate", Tags: tags, Summary: "Give a webhook a new secret",
		Description: "The old one signs beside it for a day.", Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *readByIDInput) (*webhookOutput, error) {
		w, err := a.store.RotateWebhook(ctx, actorFrom(ctx), in.ID)
		return &webhookOutput{ETag: etag(w.Version), Body: w}, err
	})
	register(a, huma.Operation{
		OperationID: "test-webhook", Method: http.MethodPost, Path: "/v1/webhooks/{id}/test", Tags: tags, DefaultStatus: http.StatusAccepted, Summary: "Send a test event",
		Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *readByIDInput) (*deliveryOutput, error) {
		d, err := a.store.TestWebhook(ctx, actorFrom(ctx), in.ID)
		return &deliveryOutput{Body: d}, err
	})
	register(a, huma.Operation{
		OperationID: "list-deliveries", Method: http.MethodGet, Path: "/v1/deliveries", Tags: tags, Summary: "What your organisation was told, and how that went", Errors: forbids(),
	}, func(ctx context.Context, in *listDeliveriesInput) (*deliveriesOutput, error) {
		found, err := a.store.Deliveries(ctx, actorFrom(ctx), store.DeliveryFilter{WebhookID: in.WebhookID, Status: onward.DeliveryStatus(in.Status)}, in.cursor())
		return &deliveriesOutput{Body: page[onward.Delivery](found)}, err
	})
	register(a, huma.Operation{
		OperationID: "replay-delivery", Method: http.MethodPost, Path: "/v1/deliveries/{id}/replay", Tags: tags, DefaultStatus: http.StatusAccepted, Summary: "Send a delivery again",
		Description: "Under the same webhook-id.", Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *readByIDInput) (*deliveryOutput, error) {
		d, err := a.store.ReplayDelivery(ctx, actorFrom(ctx), in.ID)
		return &deliveryOutput{Body: d}, err
	})
}

func (a *API) registerNotices() {
	tags := []string{"Notices"}
	register(a, huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/v1/events", Tags: tags, Summary: "What you are told, the latest first",
		Description: "What is meant for you, or for your role; supervisors see all of the organisation. Ids and states, never a reason or what identifies a person.",
	}, func(ctx context.Context, in *listEventsInput) (*eventsOutput, error) {
		found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.Event], error) { return tx.Events(ctx, in.cursor()) })
		return &eventsOutput{Body: page[onward.Event](found)}, err
	})
	register(a, huma.Operation{
		OperationID: "read-notice-preferences", Method: http.MethodGet, Path: "/v1/me/notices", Tags: tags, Summary: "What you are told, and how",
	}, func(ctx context.Context, _ *struct{}) (*preferencesOutput, error) {
		p, err := inTx(ctx, a, func(tx *store.Tx) (onward.NoticePreferences, error) { return tx.NoticePreferences(ctx) })
		return &preferencesOutput{Body: p}, err
	})
	register(a, huma.Operation{
		OperationID: "set-notice-preferences", Method: http.MethodPut, Path: "/v1/me/notices", Tags: tags, Summary: "Choose what you are told, and how",
		Description: "Everything is sent by e-mail that is not in off; what is in sms is sent as a text message as well.",
	}, func(ctx context.Context, in *preferencesInput) (*preferencesOutput, error) {
		p, err := inTx(ctx, a, func(tx *store.Tx) (onward.NoticePreferences, error) { return tx.SetNoticePreferences(ctx, in.Body) })
		return &preferencesOutput{Body: p}, err
	})
}
