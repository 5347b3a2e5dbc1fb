package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
)

type accountOutput struct {
	ETag string `header:"ETag"`
	Body onward.Account
}

type inviteInput struct{ Body onward.NewUser }

type invitationOutput struct{ Body onward.Invitation }

type updateAccountInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.UserDetails
}

type createTokenInput struct{ Body onward.NewToken }

type createdTokenOutput struct {
	Body struct {
		onward.Token
		Secret string `json:"secret" doc:"Shown this once"`
	}
}

// link makes an invitation into one where it is known where this server is.
func (a *API) link(i onward.Invitation) onward.Invitation {
	i.Link = onward.InvitationLink(a.signIn.PublicURL, i.Token)
	return i
}

func accountAnswer(account onward.Account, err error) (*accountOutput, error) {
	return &accountOutput{ETag: etag(account.Version), Body: account}, err
}

func (a *API) registerUsers() {
	tags := []string{"Users"}
	register(a, huma.Operation{
		OperationID: "list-accounts", Method: http.MethodGet, Path: "/v1/accounts", Tags: tags, Summary: "The users of your organisation, with how they sign in", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.Account], error) {
		return listed(a.store.Accounts(ctx, actorFrom(ctx)))
	})
	register(a, huma.Operation{
		OperationID: "read-account", Method: http.MethodGet, Path: "/v1/accounts/{id}", Tags: tags, Summary: "A user, with how they sign in", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*accountOutput, error) {
		return accountAnswer(a.store.Account(ctx, actorFrom(ctx), in.ID))
	})
	register(a, huma.Operation{
		OperationID: "invite-user", Method: http.MethodPost, Path: "/v1/accounts", Tags: tags, Security: onlySession, DefaultStatus: http.StatusCreated, Summary: "Invite a user",
		Description: "They choose a password by the link, within seven days. Where this server sends letters they get one; otherwise give them the link yourself, and nobody else.",
		Errors:      forbids(http.StatusConflict),
	}, func(ctx context.Context, in *inviteInput) (*invitationOutput, error) {
		actor := actorFrom(ctx)
		_, i, err := a.store.Invite(ctx, actor, actor.OrganisationID, in.Body)
		return &invitationOutput{Body: a.link(i)}, err
	})
	register(a, huma.Operation{
		OperationID: "invite-again", Method: http.MethodPost, Path: "/v1/accounts/{id}/invitations", Tags: tags, Security: onlySession, DefaultStatus: http.StatusCreated, Summary: "Make another link to choose a password",
		Description: "For who lost the first, within seven days, or has forgotten the password, within one. Links before are dead. The password and the second factor stay until then.",
		Errors:      forbids(http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*invitationOutput, error) {
		i, err := a.store.InviteAgain(ctx, actorFrom(ctx), in.ID)
		return &invitationOutput{Body: a.link(i)}, err
	})
	register(a, huma.Operation{
		OperationID: "update-account", Method: http.MethodPut, Path: "/v1/accounts/{id}", Tags: tags, Security: onlySession, Summary: "Change name, role and language of a user",
		Description: "A role counts at once. The last administrator of an organisation stays one.",
		Errors:      forbids(http.StatusConflict, http.StatusPreconditionRequired),
	}, func(ctx context.Context, in *updateAccountInput) (*accountOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return accountAnswer(a.store.UpdateAccount(ctx, actorFrom(ctx), in.ID, version, in.Body))
	})
	register(a, huma.Operation{
		OperationID: "suspend-account", Method: http.MethodPost, Path: "/v1/accounts/{id}/suspend", Tags: tags, Security: onlySession, Summary: "Keep a user out",
		Description: "At once: sessions end, and API tokens stop. Not the last administrator.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*accountOutput, error) {
		return accountAnswer(a.store.SuspendUser(ctx, actorFrom(ctx), in.ID))
	})
	register(a, huma.Operation{
		OperationID: "reinstate-account", Method: http.MethodPost, Path: "/v1/accounts/{id}/reinstate", Tags: tags, Security: onlySession, Summary: "Let a user in again", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*accountOutput, error) {
		return accountAnswer(a.store.ReinstateUser(ctx, actorFrom(ctx), in.ID))
	})
	register(a, huma.Operation{
		OperationID: "list-account-sessions", Method: http.MethodGet, Path: "/v1/accounts/{id}/sessions", Tags: tags, Summary: "Where a user is signed in", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*itemsOutput[onward.Session], error) {
		actor := actorFrom(ctx)
		if _, err := a.store.Account(ctx, actor, in.ID); err != nil {
			return nil, err
		}
		return listed(a.store.SessionsOf(ctx, actor, in.ID))
	})
	register(a, huma.Operation{
		OperationID: "end-account-sessions", Method: http.MethodDelete, Path: "/v1/accounts/{id}/sessions", Tags: tags, Security: onlySession, DefaultStatus: http.StatusNoContent, Summary: "End all sessions of a user", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*struct{}, error) {
		return nil, a.store.EndSessionsOf(ctx, actorFrom(ctx), in.ID)
	})
	register(a, huma.Operation{
		OperationID: "reset-second-factor", Method: http.MethodPost, Path: "/v1/accounts/{id}/reset-second-factor", Tags: tags, Security: onlySession, DefaultStatus: http.StatusNoContent,
		Summary: "Take a user's second factor away, who has lost it", Description: "Make sure first that it is the user who asks. Their sessions end; at the next sign-in they set up another.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*struct{}, error) {
		return nil, a.store.RemoveSecondFactor(ctx, actorFrom(ctx), in.ID)
	})
}

func (a *API) registerTokens(tags []string) {
	register(a, huma.Operation{
		OperationID: "list-tokens", Method: http.MethodGet, Path: "/v1/me/tokens", Tags: tags, Summary: "Your API tokens, without their secrets, the latest first", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.Token], error) {
		return listed(a.store.OwnTokens(ctx, actorFrom(ctx)))
	})
	register(a, huma.Operation{
		OperationID: "create-token", Method: http.MethodPost, Path: "/v1/me/tokens", Tags: tags, Security: onlySession, DefaultStatus: http.StatusCreated, Summary: "Make an API token",
		Description: "For programs. It may what you may, within its scopes, for 90 days unless you say, a year at most. No token makes another.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *createTokenInput) (*createdTokenOutput, error) {
		secret, token, err := a.store.CreateOwnToken(ctx, actorFrom(ctx), in.Body)
		out := &createdTokenOutput{}
		out.Body.Token, out.Body.Secret = token, secret
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "revoke-token", Method: http.MethodDelete, Path: "/v1/me/tokens/{id}", Tags: tags, Security: onlySession, DefaultStatus: http.StatusNoContent, Summary: "End an API token at once", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*struct{}, error) {
		return nil, a.store.RevokeOwnToken(ctx, actorFrom(ctx), in.ID)
	})
}
