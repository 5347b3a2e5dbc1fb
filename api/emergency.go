package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type openEmergencyInput struct {
	ID   onward.ID `path:"id"`
	Body onward.OpenEmergencyAccess
}

type reviewEmergencyInput struct {
	ID   onward.ID `path:"id"`
	Body onward.ReviewEmergencyAccess
}

type emergencyOutput struct{ Body onward.EmergencyAccess }

type caseloadSearchInput struct{ Body onward.CaseloadSearch }

type caseloadRuleBody struct{ Body onward.CaseloadRule }

type assignInput struct {
	ID   onward.ID `path:"id"`
	Body struct {
		CounsellorID onward.ID `json:"counsellor_id"`
	}
}

func (a *API) registerEmergencies() {
	tags := []string{"Protection"}
	register(a, huma.Operation{
		OperationID: "read-caseload-rule", Method: http.MethodGet, Path: "/v1/caseload-rule", Tags: tags, Summary: "Whom counsellors of your organisation see", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*caseloadRuleBody, error) {
		r, err := inTx(ctx, a, func(tx *store.Tx) (onward.CaseloadRule, error) { return tx.CaseloadRule(ctx) })
		return &caseloadRuleBody{Body: r}, err
	})
	register(a, huma.Operation{
		OperationID: "set-caseload-rule", Method: http.MethodPut, Path: "/v1/caseload-rule", Tags: tags, Summary: "Decide whom counsellors see",
		Description: "For supervisors and administrators. With own_only, a counsellor sees the own people alone, and others in an emergency (POST /v1/returnees/{id}/emergency-access). It counts at once.", Errors: forbids(),
	}, func(ctx context.Context, in *caseloadRuleBody) (*caseloadRuleBody, error) {
		r, err := inTx(ctx, a, func(tx *store.Tx) (onward.CaseloadRule, error) { return tx.SetCaseloadRule(ctx, in.Body) })
		return &caseloadRuleBody{Body: r}, err
	})
	register(a, huma.Operation{
		OperationID: "assign-counsellor", Method: http.MethodPut, Path: "/v1/returnees/{id}/counsellor", Tags: tags, Summary: "Give a person to a counsellor", Description: "For supervisors.", Errors: forbids(),
	}, func(ctx context.Context, in *assignInput) (*returneeOutput, error) {
		return a.returnee(ctx, func(tx *store.Tx) (onward.Returnee, error) {
			return tx.AssignCounsellor(ctx, in.ID, in.Body.CounsellorID)
		})
	})
	register(a, huma.Operation{
		OperationID: "search-caseloads", Method: http.MethodPost, Path: "/v1/caseload-search", Tags: tags, Summary: "Find on whose caseload somebody is",
		Description: "For counsellors who see their own people alone. By the whole name, or a phone number or e-mail address: the id and the counsellor, and nothing else. It is written in the audit of whoever is found; " +
			"20 times in 24 hours at most (429).",
		Errors: forbids(http.StatusTooManyRequests),
	}, func(ctx context.Context, in *caseloadSearchInput) (*itemsOutput[onward.CaseloadMatch], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.CaseloadMatch, error) { return tx.SearchCaseloads(ctx, in.Body) })
	})
	register(a, huma.Operation{
		OperationID: "open-emergency-access", Method: http.MethodPost, Path: "/v1/returnees/{id}/emergency-access", Tags: tags, DefaultStatus: http.StatusCreated, Summary: "See a person of a colleague's in an emergency",
		Description: "For counsellors who see their own people alone. It gives the rights of the person's counsellor for an hour, or up to four, and ends by itself. The supervisors and the person's counsellor are told at " +
			"once, everything done under it is marked in the audit, and a supervisor reviews it. Five times in 24 hours at most (429). 409 when you see the person anyway.",
		Errors: forbids(http.StatusConflict, http.StatusTooManyRequests),
	}, func(ctx context.Context, in *openEmergencyInput) (*emergencyOutput, error) {
		return a.emergency(ctx, func(tx *store.Tx) (onward.EmergencyAccess, error) { return tx.OpenEmergencyAccess(ctx, in.ID, in.Body) })
	})
	register(a, huma.Operation{
		OperationID: "list-emergency-accesses", Method: http.MethodGet, Path: "/v1/emergency-accesses", Tags: tags, Summary: "Access in emergencies, what is to be reviewed first",
		Description: "Supervisors see that of their organisation, counsellors their own.", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.EmergencyAccess], error) {
		return items(ctx, a, func(tx *store.Tx) ([]onward.EmergencyAccess, error) { return tx.EmergencyAccesses(ctx) })
	})
	register(a, huma.Operation{
		OperationID: "end-emergency-access", Method: http.MethodPost, Path: "/v1/emergency-accesses/{id}/end", Tags: tags, Summary: "End access in an emergency before its time",
		Description: "For supervisors, and for whoever has it. 409 when it has ended.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*emergencyOutput, error) {
		return a.emergency(ctx, func(tx *store.Tx) (onward.EmergencyAccess, error) { return tx.EndEmergencyAccess(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "review-emergency-access", Method: http.MethodPost, Path: "/v1/emergency-accesses/{id}/review", Tags: tags, Summary: "Say whether access in an emergency was justified",
		Description: "For supervisors, once, after it ended. What nobody reviewed is reminded of after three days.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *reviewEmergencyInput) (*emergencyOutput, error) {
		return a.emergency(ctx, func(tx *store.Tx) (onward.EmergencyAccess, error) {
			return tx.ReviewEmergencyAccess(ctx, in.ID, in.Body)
		})
	})
}

// emergency runs what ends in one access.
func (a *API) emergency(ctx context.Context, fn func(*store.Tx) (onward.EmergencyAccess, error)) (*emergencyOutput, error) {
	e, err := inTx(ctx, a, fn)
	return &emergencyOutput{Body: e}, err
}
