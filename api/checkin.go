package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type checkInOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		onward.CheckIn
		Log []onward.Attempt `json:"log" doc:"Each try to reach the person"`
	}
}

type listCheckInsInput struct {
	Status      string    `query:"status" enum:"planned,due,done,missed,cancelled"`
	ReturneeID  onward.ID `query:"returnee_id"`
	PlacementID onward.ID `query:"placement_id"`
	Limit       int       `query:"limit" default:"100" minimum:"1" maximum:"500"`
}

type checkInsOutput struct {
	Body struct {
		Items []onward.CheckIn `json:"items" doc:"From the one that was due first"`
	}
}

type addAttemptInput struct {
	ID   onward.ID `path:"id"`
	Body onward.Attempt
}

type completeCheckInInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.CheckInResult
}

type missCheckInInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
}

type contactOutput struct{ Body onward.ContactCard }

type questionnaireOutput struct{ Body onward.Questionnaire }

type questionnairesOutput struct {
	Body struct {
		Items []onward.Questionnaire `json:"items"`
	}
}

type readQuestionnaireInput struct {
	Code    string `path:"code" maxLength:"60"`
	Version int    `query:"version" minimum:"0" maximum:"1000000" doc:"0: the latest"`
}

type publishQuestionnaireInput struct {
	Body onward.Questionnaire
}

type sustainabilityOutput struct {
	Body struct {
		Items []onward.SustainabilityPoint `json:"items" doc:"From the first"`
	}
}

func (a *API) registerCheckIns() {
	tags := []string{"Check-ins"}
	changes := forbids(http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	register(a, huma.Operation{
		OperationID: "list-check-ins", Method: http.MethodGet, Path: "/v1/check-ins", Tags: tags, Summary: "List check-ins, from the one that was due first",
		Description: "A partner sees those that it makes, the agency all of its people. status=due is what is to be done now.", Errors: forbids(),
	}, func(ctx context.Context, in *listCheckInsInput) (*checkInsOutput, error) {
		list, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.CheckIn, error) {
			if onward.CheckInStatus(in.Status) == onward.CheckInDue && in.ReturneeID.IsZero() && in.PlacementID.IsZero() {
				return tx.DueCheckIns(ctx, in.Limit)
			}
			return tx.CheckIns(ctx, store.CheckInFilter{Status: onward.CheckInStatus(in.Status), ReturneeID: in.ReturneeID, PlacementID: in.PlacementID}, in.Limit)
		})
		out := &checkInsOutput{}
		out.Body.Items = list
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "read-check-in", Method: http.MethodGet, Path: "/v1/check-ins/{id}", Tags: tags, Summary: "Read a check-in with the tries to make it",
	}, func(ctx context.Context, in *readByIDInput) (*checkInOutput, error) {
		return a.checkIn(ctx, func(tx *store.Tx) (onward.CheckIn, []onward.Attempt, error) { return tx.CheckIn(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "check-in-contact", Method: http.MethodGet, Path: "/v1/check-ins/{id}/contact", Tags: tags, Summary: "How to reach the person",
		Description: "While the check-in is to be made and the person agrees to be asked. Say to an alternate contact neither why you ask nor for whom you work.",
		Errors:      forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *readByIDInput) (*contactOutput, error) {
		card, err := inTx(ctx, a, func(tx *store.Tx) (onward.ContactCard, error) { return tx.CheckInContact(ctx, in.ID) })
		return &contactOutput{Body: card}, err
	})
	register(a, huma.Operation{
		OperationID: "check-in-questionnaire", Method: http.MethodGet, Path: "/v1/check-ins/{id}/questionnaire", Tags: tags, Summary: "What is asked",
	}, func(ctx context.Context, in *readByIDInput) (*questionnaireOutput, error) {
		q, err := inTx(ctx, a, func(tx *store.Tx) (onward.Questionnaire, error) { return tx.CheckInQuestionnaire(ctx, in.ID) })
		return &questionnaireOutput{Body: q}, err
	})
	register(a, huma.Operation{
		OperationID: "add-check-in-attempt", Method: http.MethodPost, Path: "/v1/check-ins/{id}/attempts", Tags: tags, Summary: "Record a try to reach the person",
		Errors: forbids(http.StatusNotFound, http.StatusConflict),
	}, func(ctx context.Context, in *addAttemptInput) (*checkInOutput, error) {
		return a.checkIn(ctx, func(tx *store.Tx) (onward.CheckIn, []onward.Attempt, error) {
			return tx.AddAttempt(ctx, in.ID, in.Body)
		})
	})
	register(a, huma.Operation{
		OperationID: "complete-check-in", Method: http.MethodPost, Path: "/v1/check-ins/{id}/complete", Tags: tags, Summary: "Record what came out of a check-in",
		Description: "Ends the placement when the person is not there any more, records where they live, and raises an alert for each answer that calls for one.", Errors: changes,
	}, func(ctx context.Context, in *completeCheckInInput) (*checkInOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return a.checkIn(ctx, func(tx *store.Tx) (onward.CheckIn, []onward.Attempt, error) {
			return tx.CompleteCheckIn(ctx, in.ID, version, in.Body)
		})
	})
	register(a, huma.Operation{
		OperationID: "miss-check-in", Method: http.MethodPost, Path: "/v1/check-ins/{id}/miss", Tags: tags, Summary: "Give up a check-in after enough tries",
		Description: "Three tries over a week at least. The person then counts as lost to follow-up at this point.", Errors: changes,
	}, func(ctx context.Context, in *missCheckInInput) (*checkInOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return a.checkIn(ctx, func(tx *store.Tx) (onward.CheckIn, []onward.Attempt, error) {
			return tx.MissCheckIn(ctx, in.ID, version)
		})
	})
	a.registerQuestionnaires(tags)
}

func (a *API) registerQuestionnaires(tags []string) {
	register(a, huma.Operation{
		OperationID: "list-questionnaires", Method: http.MethodGet, Path: "/v1/questionnaires", Tags: tags, Summary: "The latest versions that your organisation asks",
	}, func(ctx context.Context, _ *struct{}) (*questionnairesOutput, error) {
		list, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.Questionnaire, error) { return tx.Questionnaires(ctx) })
		out := &questionnairesOutput{}
		out.Body.Items = list
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "read-questionnaire", Method: http.MethodGet, Path: "/v1/questionnaires/{code}", Tags: tags, Summary: "Read a questionnaire",
	}, func(ctx context.Context, in *readQuestionnaireInput) (*questionnaireOutput, error) {
		q, err := inTx(ctx, a, func(tx *store.Tx) (onward.Questionnaire, error) { return tx.Questionnaire(ctx, in.Code, in.Version) })
		return &questionnaireOutput{Body: q}, err
	})
	register(a, huma.Operation{
		OperationID: "publish-questionnaire", Method: http.MethodPost, Path: "/v1/questionnaires", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:     "Publish a version of a questionnaire",
		Description: "It becomes the next version of its code and is asked from now on; what was asked before keeps its version. The version sent is not used.",
		Errors:      forbids(http.StatusConflict),
	}, func(ctx context.Context, in *publishQuestionnaireInput) (*questionnaireOutput, error) {
		q, err := inTx(ctx, a, func(tx *store.Tx) (onward.Questionnaire, error) { return tx.PublishQuestionnaire(ctx, in.Body) })
		return &questionnaireOutput{Body: q}, err
	})
	register(a, huma.Operation{
		OperationID: "returnee-sustainability", Method: http.MethodGet, Path: "/v1/returnees/{id}/sustainability", Tags: tags,
		Summary: "How the return of a person goes, at 0, 6 and 12 months", Description: "Indices from 0 to 1 of the questionnaire that the agency asks; they compare with no other survey.",
	}, func(ctx context.Context, in *readByIDInput) (*sustainabilityOutput, error) {
		points, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.SustainabilityPoint, error) { return tx.Sustainability(ctx, in.ID) })
		out := &sustainabilityOutput{}
		out.Body.Items = points
		return out, err
	})
}

func (a *API) checkIn(ctx context.Context, fn func(*store.Tx) (onward.CheckIn, []onward.Attempt, error)) (*checkInOutput, error) {
	out := &checkInOutput{}
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		out.Body.CheckIn, out.Body.Log, err = fn(tx)
		return err
	})
	out.ETag = etag(out.Body.Version)
	return out, err
}
