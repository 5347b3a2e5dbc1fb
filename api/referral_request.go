package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"onward"
	"onward/store"
)

const (
	// maxWait is the longest that a client may wait for one answer; after it the client asks again.
	maxWait = 60 * time.Second
	// lookAgain is how often a waiting request is read anyway, in case a notification was lost.
	lookAgain = 2 * time.Second
)

type createReferralRequestInput struct {
	ID             onward.ID `path:"id" doc:"The returnee"`
	IdempotencyKey string    `header:"Idempotency-Key" maxLength:"200" pattern:"^[!-~]+$" patternDescription:"visible ASCII characters" doc:"Sending the same key again gives the same request"`
	Body           *onward.RequestOptions
}

type acceptedOutput struct {
	Location string `header:"Location"`
	Body     onward.ReferralRequest
}

type readReferralRequestInput struct {
	InWords
	ID   onward.ID `path:"id"`
	Wait string    `query:"wait" pattern:"^[0-9]{1,6}(ms|s)$" patternDescription:"a time such as 10s or 500ms" doc:"Wait so long for the list if it is not there yet, such as 10s; at most 60s"`
}

type referralRequestOutput struct {
	RetryAfter string `header:"Retry-After"`
	Body       answeredRequest
}

// answeredRequest is a request whose list is sent as it was saved: reading it into a struct only to write it again took
// more time than ranking.
type answeredRequest struct {
	onward.ReferralRequest
	List savedList `json:"list,omitempty" doc:"When it is ready"`
}

// savedList is the JSON of an onward.RankedList, which is what the document says of it.
type savedList []byte

// MarshalJSON sends the list as it is.
func (l savedList) MarshalJSON() ([]byte, error) { return l, nil }

// Schema tells huma what is in it.
func (savedList) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[onward.RankedList](), true, "RankedList")
}

type listReferralRequestsInput struct {
	Paging
	ID onward.ID `path:"id" doc:"The returnee"`
}

type referralRequestsOutput struct {
	Body page[onward.ReferralRequest]
}

type eventsInput struct {
	ID onward.ID `path:"id"`
}

// queuedEvent, readyEvent and refusedEvent are the server-sent events of one request.
type (
	queuedEvent  answeredRequest
	readyEvent   answeredRequest
	refusedEvent answeredRequest
)

func (a *API) registerReferralRequests() {
	tags := []string{"Referral requests"}
	register(a, huma.Operation{
		OperationID: "create-referral-request", Method: http.MethodPost, Path: "/v1/returnees/{id}/referral-requests", Tags: tags,
		DefaultStatus: http.StatusAccepted, Summary: "Ask for a ranked list of referrals for one returnee",
		Description: "Answers 202 at once; the list is at Location within about a second. Needs an active consent for matching (422 without). " +
			"409 if the Idempotency-Key was used for another request.",
		Errors: forbids(http.StatusConflict),
	}, a.createReferralRequest)
	register(a, huma.Operation{
		OperationID: "list-referral-requests", Method: http.MethodGet, Path: "/v1/returnees/{id}/referral-requests", Tags: tags,
		Summary: "List the requests for one returnee, newest first, without their lists",
	}, a.listReferralRequests)
	register(a, huma.Operation{
		OperationID: "read-referral-request", Method: http.MethodGet, Path: "/v1/referral-requests/{id}", Tags: tags,
		Summary: "Read a request, and its list when it is ready", BodyReadTimeout: maxWait + requestLimit,
		Description: "With wait, the answer comes as soon as the list is there, or when the wait is over, or when the server stops; a request that is " +
			"still queued has a Retry-After. With language, labels and sentences are in that language instead of the one that was asked for.",
	}, a.readReferralRequest)
	sse.Register(a.huma, withLimits(huma.Operation{
		OperationID: "referral-request-events", Method: http.MethodGet, Path: "/v1/referral-requests/{id}/events", Tags: tags,
		Summary: "Be told when a request is ready, by server-sent events", BodyReadTimeout: maxWait + requestLimit,
		Description: "Sends the present state, and the answer when it is there. The stream ends with the answer, after a minute, or when the server " +
			"stops; browsers then connect again by themselves.",
		Middlewares: huma.Middlewares{a.mustSeeRequest},
	}), map[string]any{"queued": queuedEvent{}, "ready": readyEvent{}, "refused": refusedEvent{}}, a.sendEvents)
}

// createReferralRequest queues the scoring of one returnee against all open opportunities. Needs a counsellor or
// supervisor of the returnee's organisation and an active consent for matching.
func (a *API) createReferralRequest(ctx context.Context, in *createReferralRequestInput) (*acceptedOutput, error) {
	options := onward.RequestOptions{}
	if in.Body != nil {
		options = *in.Body
	}
	request, err := inTx(ctx, a, func(tx *store.Tx) (onward.ReferralRequest, error) {
		request, _, err := tx.CreateReferralRequest(ctx, in.ID, options, in.IdempotencyKey)
		return request, err
	})
	return &acceptedOutput{Location: "/v1/referral-requests/" + request.ID.String(), Body: request}, err
}

func (a *API) listReferralRequests(ctx context.Context, in *listReferralRequestsInput) (*referralRequestsOutput, error) {
	found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.ReferralRequest], error) {
		return tx.ReferralRequests(ctx, in.ID, in.cursor())
	})
	return &referralRequestsOutput{Body: page[onward.ReferralRequest](found)}, err
}

func (a *API) readReferralRequest(ctx context.Context, in *readReferralRequestInput) (*referralRequestOutput, error) {
	wait, _ := time.ParseDuration(in.Wait) // the document allows nothing else than a duration, or none
	request, err := a.awaitRequest(ctx, in.ID, min(wait, maxWait))
	if err == nil && in.Language != "" && request.List != nil {
		request.List, err = a.rewordSaved(request.List, in.Language)
	}
	out := &referralRequestOutput{Body: request}
	if request.Status == onward.RequestQueued {
		out.RetryAfter = "1"
	}
	return out, err
}

func (a *API) rewordSaved(saved savedList, language string) (savedList, error) {
	var list onward.RankedList
	if err := json.Unmarshal(saved, &list); err != nil {
		return nil, fmt.Errorf("read the saved list: %w", err)
	}
	if list.Language == language {
		return saved, nil
	}
	a.reword(&list, language)
	return json.Marshal(list)
}

// awaitRequest reads a request, again and again until it has its answer, the wait is over or the server stops.
func (a *API) awaitRequest(ctx context.Context, id onward.ID, wait time.Duration) (answeredRequest, error) {
	news, stop := a.waiting.on(id) // before the first look, so that nothing falls in between
	defer stop()
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		request, err := a.requestByID(ctx, id)
		if err != nil || request.Status != onward.RequestQueued || wait == 0 {
			return request, err
		}
		select {
		case <-news:
		case <-again.C:
		case <-over.C:
			wait = 0 // one last look
		case <-stopping(ctx):
			return request, nil
		case <-ctx.Done():
			return request, onward.Errorf(onward.EUnavailable, "the request was given up; ask again").Because(ctx.Err())
		}
	}
}

func (a *API) requestByID(ctx context.Context, id onward.ID) (answeredRequest, error) {
	return inTx(ctx, a, func(tx *store.Tx) (answeredRequest, error) {
		request, list, err := tx.StoredRequest(ctx, id)
		return answeredRequest{ReferralRequest: request, List: savedList(list)}, err
	})
}

// mustSeeRequest answers 404 before a stream of events begins: after that it is too late for a status.
func (a *API) mustSeeRequest(ctx huma.Context, next func(huma.Context)) {
	id, err := onward.ParseID(ctx.Param("id"))
	if err == nil {
		if _, err = a.requestByID(ctx.Context(), id); err != nil {
			a.refuse(ctx, err)
			return
		}
	}
	next(ctx) // which refuses an id of the wrong form
}

// sendEvents sends the present state, and the state when there is an answer or no more time.
func (a *API) sendEvents(ctx context.Context, in *eventsInput, send sse.Sender) {
	request, err := a.requestByID(ctx, in.ID)
	if err == nil && request.Status == onward.RequestQueued {
		if send.Data(queuedEvent(request)) != nil {
			return
		}
		request, err = a.awaitRequest(ctx, in.ID, maxWait)
	}
	switch {
	case err != nil:
		a.log.Warn("events ended", "id", requestID(ctx), "code", string(onward.CodeOf(err)))
	case request.Status == onward.RequestReady:
		_ = send.Data(readyEvent(request))
	case request.Status == onward.RequestRefused:
		_ = send.Data(refusedEvent(request))
	default:
		_ = send.Data(queuedEvent(request))
	}
}
