package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onward"
)

type invitationInput struct {
	Token string `path:"token" maxLength:"1000"`
}

type acceptInvitationInput struct {
	Token string `path:"token" maxLength:"1000"`
	Body  struct {
		Password string `json:"password" maxLength:"1024" doc:"12 to 256 characters, of any kind"`
	}
}

type invitedOutput struct{ Body onward.Invited }

type askResetInput struct {
	Body struct {
		Email string `json:"email" maxLength:"254"`
	}
}

// resetTime is how long asking for another password takes, whoever's address it is.
const resetTime = 300 * time.Millisecond

// registerInvitations adds what works without a sign-in: the token is all the right that there is. Reading changes nothing, so that a mail
// scanner that follows a link uses none up.
func (a *API) registerInvitations(tags []string) {
	open := []map[string][]string{}
	register(a, huma.Operation{
		OperationID: "read-invitation", Method: http.MethodGet, Path: "/v1/invitations/{token}", Tags: tags, Security: open, Summary: "Show whom an invitation is for",
		Description: "404 for one that is not valid, was used, or whose time is over.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *invitationInput) (*invitedOutput, error) {
		i, err := a.store.ReadInvitation(ctx, in.Token)
		return &invitedOutput{Body: i}, err
	})
	register(a, huma.Operation{
		OperationID: "accept-invitation", Method: http.MethodPost, Path: "/v1/invitations/{token}", Tags: tags, Security: open, Summary: "Choose a password by an invitation, once, and sign in",
		Description: "All sessions that there were end. A second factor stays what it was, and is asked for next.", Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *acceptInvitationInput) (*sessionOutput, error) {
		account, err := a.store.AcceptInvitation(ctx, clientFrom(ctx).from, in.Token, in.Body.Password)
		if err := a.counted(ctx, "invitation", err); err != nil {
			return nil, err
		}
		session, cookies, err := a.begin(ctx, account, onward.ByInvitation, a.stageOf(account))
		if err != nil {
			return nil, err
		}
		if session.Stage != onward.StageComplete { // the letter lets in whom others lock out
			device, err := a.rememberDevice(ctx, account.Email)
			if err != nil {
				return nil, err
			}
			cookies = append(cookies, device)
		}
		return &sessionOutput{SetCookie: cookies, Body: session}, nil
	})
	register(a, huma.Operation{
		OperationID: "ask-password-reset", Method: http.MethodPost, Path: "/v1/password-resets", Tags: tags, Security: open, DefaultStatus: http.StatusAccepted, Summary: "Ask for a letter to choose another password",
		Description: "The same answer for every address. Where this server sends no letters, an administrator gives a link.", Errors: forbids(),
	}, func(ctx context.Context, in *askResetInput) (*struct{}, error) {
		enough := time.NewTimer(resetTime)
		defer enough.Stop()
		c := clientFrom(ctx)
		if err := a.try(ctx, "network:"+a.networkKey(c.from), triesOfNetwork); err != nil {
			return nil, err
		}
		// Beyond what one account is sent, nothing more is, and nobody is told.
		if a.try(ctx, "letter:"+a.accountKey(in.Body.Email), letters) == nil {
			if err := a.store.AskReset(ctx, in.Body.Email, c.from); err != nil {
				return nil, err
			}
		}
		select {
		case <-enough.C:
		case <-ctx.Done():
		}
		return nil, nil
	})
}
