package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type auditInput struct {
	About onward.ID `query:"about" required:"true" doc:"The record: a returnee, a referral, a placement, a user …"`
	Limit int       `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a *API) registerAudit() {
	register(a, huma.Operation{
		OperationID: "read-audit", Method: http.MethodGet, Path: "/v1/audit", Tags: []string{"Protection"}, Summary: "Who read and changed a record, the latest first",
		Description: "For supervisors and administrators, of their own organisation. Entries name records and fields, and hold nothing of what was in them. " +
			"Each request may say why it reads or changes something in the header Onward-Reason (200 characters), which is kept here.",
		Errors: forbids(),
	}, func(ctx context.Context, in *auditInput) (*itemsOutput[onward.AuditEntry], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.AuditEntry, error) { return tx.Audit(ctx, in.About, in.Limit) })
	})
}
