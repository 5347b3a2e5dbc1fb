package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
)

type readAnswerInput struct {
	Token    string `path:"token" maxLength:"1000"`
	Language string `query:"language" enum:"en,fr,es,ar" doc:"Of the labels"`
}

type answerInput struct {
	Token string `path:"token" maxLength:"1000"`
	Body  onward.Answer
}

// registerAnswers adds what works without a login: the token is all the right that there is. Reading changes nothing, so that
// a mail scanner that follows a link answers no one.
func (a *API) registerAnswers() {
	tags := []string{"Answers"}
	open := []map[string][]string{}
	register(a, huma.Operation{
		OperationID: "read-answer", Method: http.MethodGet, Path: "/v1/answers/{token}", Tags: tags, Security: open,
		Summary: "Show what an answer link asks", Description: "No login. 404 for a link that is not valid or whose time is over, 409 once it was used or needs no answer any more.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *readAnswerInput) (*cardOutput, error) {
		r, profile, err := a.store.LinkedReferral(ctx, in.Token)
		if err != nil {
			return nil, err
		}
		return a.card(ctx, r, profile, in.Language)
	})
	register(a, huma.Operation{
		OperationID: "answer", Method: http.MethodPost, Path: "/v1/answers/{token}", Tags: tags, Security: open,
		Summary: "Answer a referral by link", Description: "No login. Each link answers once: yes, no with a reason, or a question to the agency.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *answerInput) (*receivedOutput, error) {
		r, err := a.store.AnswerByLink(ctx, in.Token, in.Body)
		return &receivedOutput{ETag: etag(r.Version), Body: r}, err
	})
}
