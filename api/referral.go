package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/matcher/sentences"
	"onward/store"
)

type referralOutput struct {
	Status   int
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     onward.Referral
}

type createReferralInput struct {
	Send bool `query:"send" doc:"Send it at once instead of keeping a draft"`
	Body onward.ReferralDetails
}

type listReferralsInput struct {
	Paging
	Status        string    `query:"status" enum:"draft,requested,accepted,on_hold,in_progress,placed,completed,declined,failed,withdrawn,revoked,expired"`
	ReturneeID    onward.ID `query:"returnee_id"`
	OpportunityID onward.ID `query:"opportunity_id"`
	CreatedBy     onward.ID `query:"created_by" doc:"The counsellor who chose it"`
	Live          bool      `query:"live" doc:"Only those that may still lead somewhere"`
	Overdue       bool      `query:"overdue" doc:"Only those that were not answered in time"`
	Waiting       bool      `query:"waiting" doc:"Only those on a waiting list"`
}

type referralsOutput struct {
	Body page[onward.Referral]
}

type changeReferralInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.ReferralChange
}

type informInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    struct {
		Information string `json:"information" minLength:"1" maxLength:"1000" doc:"What the recipient asked for; no names, addresses or numbers of documents"`
	}
}

type readByIDInput struct {
	ID onward.ID `path:"id"`
}

type stepsOutput struct {
	Body struct {
		Items []onward.ReferralStep `json:"items" doc:"From the first"`
	}
}

type transitionsOutput struct {
	Body struct {
		Items []onward.Transition `json:"items"`
	}
}

type scarcityOutput struct {
	Body struct {
		Items []onward.Scarcity `json:"items" doc:"Only openings that matter to someone else"`
	}
}

type answerLinkOutput struct {
	Body onward.AnswerLink
}

func (a *API) registerReferrals() {
	tags := []string{"Referrals"}
	register(a, huma.Operation{
		OperationID: "referral-transitions", Method: http.MethodGet, Path: "/v1/referral-transitions", Tags: tags, Summary: "The life of a referral as a table",
		Description: "Every transition that there is: from which states, to which, by whom, and with which reasons.",
	}, func(context.Context, *struct{}) (*transitionsOutput, error) {
		out := &transitionsOutput{}
		out.Body.Items = onward.Transitions()
		return out, nil
	})
	register(a, huma.Operation{
		OperationID: "create-referral", Method: http.MethodPost, Path: "/v1/referrals", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Refer a person to an opportunity",
		Description: "Makes a draft, or sends it with send=true: a place is then held for two weeks, or the referral goes to the waiting list when none is left. " +
			"Anything but the first of the list needs a choice_reason. 409 if there is a live referral of the person to it, or it takes none.",
		Errors: forbids(http.StatusNotFound, http.StatusConflict),
	}, a.createReferral)
	register(a, huma.Operation{
		OperationID: "list-referrals", Method: http.MethodGet, Path: "/v1/referrals", Tags: tags, Summary: "List the referrals of your organisation, newest first",
		Errors: forbids(),
	}, a.listReferrals)
	register(a, huma.Operation{
		OperationID: "read-referral", Method: http.MethodGet, Path: "/v1/referrals/{id}", Tags: tags, Summary: "Read a referral",
	}, func(ctx context.Context, in *readByIDInput) (*referralOutput, error) {
		return a.referral(ctx, func(tx *store.Tx) (onward.Referral, error) { return tx.Referral(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "referral-history", Method: http.MethodGet, Path: "/v1/referrals/{id}/history", Tags: tags, Summary: "Each step of a referral",
	}, func(ctx context.Context, in *readByIDInput) (*stepsOutput, error) {
		steps, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.ReferralStep, error) { return tx.ReferralSteps(ctx, in.ID) })
		out := &stepsOutput{}
		out.Body.Items = steps
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "referral-decision", Method: http.MethodGet, Path: "/v1/referrals/{id}/decision", Tags: tags, Summary: "Why somebody was referred: the record of the decision",
		Description: "Written with the referral and never changed: who decided, what the list had, what stood higher and was passed over, the versions, and what the person had agreed to. The sentences " +
			"are for the person who asks why, in the person's language or another.",
	}, a.decision)
	register(a, huma.Operation{
		OperationID: "change-referral", Method: http.MethodPost, Path: "/v1/referrals/{id}/events", Tags: tags, Summary: "Move a referral on",
		Description: "Needs If-Match. 412 with the referral as it is now in current if someone else changed it, 409 if the event does not fit its state. Ends need a reason.",
		Errors:      forbids(http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired),
	}, a.changeReferral)
	register(a, huma.Operation{
		OperationID: "inform-recipient", Method: http.MethodPost, Path: "/v1/referrals/{id}/information", Tags: tags, Summary: "Answer the recipient's question",
		Description: "The time for the recipient's answer begins anew.",
		Errors:      forbids(http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired),
	}, func(ctx context.Context, in *informInput) (*referralOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return a.referral(ctx, func(tx *store.Tx) (onward.Referral, error) {
			return tx.Inform(ctx, in.ID, version, in.Body.Information)
		})
	})
	register(a, huma.Operation{
		OperationID: "create-answer-link", Method: http.MethodPost, Path: "/v1/referrals/{id}/answer-links", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:     "Make a link by which the recipient answers without a login",
		Description: "Signed, for one answer, valid while the place is held. Hand it over as it is; whoever holds it can answer.",
		Errors:      forbids(http.StatusNotFound, http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*answerLinkOutput, error) {
		link, err := a.store.AnswerLink(ctx, actorFrom(ctx), in.ID)
		return &answerLinkOutput{Body: link}, err
	})
	register(a, huma.Operation{
		OperationID: "list-scarcity", Method: http.MethodGet, Path: "/v1/referral-requests/{id}/scarcity", Tags: tags,
		Summary: "For how many other people the openings of a list are the only good fit",
	}, func(ctx context.Context, in *readByIDInput) (*scarcityOutput, error) {
		items, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.Scarcity, error) { return tx.Scarcity(ctx, in.ID) })
		out := &scarcityOutput{}
		out.Body.Items = items
		return out, err
	})
}

// referral runs what ends in one referral.
func (a *API) referral(ctx context.Context, fn func(*store.Tx) (onward.Referral, error)) (*referralOutput, error) {
	r, err := inTx(ctx, a, func(tx *store.Tx) (onward.Referral, error) {
		r, err := fn(tx)
		if err != nil || r.Told != "" {
			return r, err
		}
		language, err := tx.ReturneeLanguage(ctx, r.ReturneeID)
		r.ToTell = sentences.In(language).Told(r.Status, r.Reason)
		return r, err
	})
	return &referralOutput{Status: http.StatusOK, ETag: etag(r.Version), Body: r}, err
}

func (a *API) createReferral(ctx context.Context, in *createReferralInput) (*referralOutput, error) {
	out, err := a.referral(ctx, func(tx *store.Tx) (onward.Referral, error) {
		r, err := tx.CreateReferral(ctx, in.Body)
		if err != nil || !in.Send {
			return r, err
		}
		return tx.ChangeReferral(ctx, r.ID, r.Version, onward.ReferralChange{Event: onward.ReferralSend})
	})
	out.Status, out.Location = http.StatusCreated, "/v1/referrals/"+out.Body.ID.String()
	return out, err
}

func (a *API) listReferrals(ctx context.Context, in *listReferralsInput) (*referralsOutput, error) {
	found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.Referral], error) {
		return tx.Referrals(ctx, store.ReferralFilter{
			Status: onward.ReferralStatus(in.Status), ReturneeID: in.ReturneeID, OpportunityID: in.OpportunityID, CreatedBy: in.CreatedBy,
			Live: in.Live, Overdue: in.Overdue, Waiting: in.Waiting,
		}, in.cursor())
	})
	return &referralsOutput{Body: page[onward.Referral](found)}, err
}

func (a *API) changeReferral(ctx context.Context, in *changeReferralInput) (*referralOutput, error) {
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return a.referral(ctx, func(tx *store.Tx) (onward.Referral, error) {
		if _, err := tx.Referral(ctx, in.ID); err != nil {
			return onward.Referral{}, err // it is the agency's form; the recipient has its own
		}
		return tx.ChangeReferral(ctx, in.ID, version, in.Body)
	})
}
