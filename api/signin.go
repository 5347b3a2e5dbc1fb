package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"onward"
	"onward/store"
)

type signInInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"254"`
		Password string `json:"password" maxLength:"1024"`
	}
}

type sessionOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      onward.Session
}

type signOutOutput struct {
	SetCookie     []http.Cookie `header:"Set-Cookie"`
	ClearSiteData string        `header:"Clear-Site-Data"`
}

type codeInput struct {
	Body struct {
		Code string `json:"code" maxLength:"60" doc:"Six digits of the authenticator app, or a recovery code"`
	}
}

// Proof shows that it is still the user who asks.
type Proof struct {
	CurrentPassword string `json:"current_password,omitempty" maxLength:"1024" doc:"Needed of who has a password; others need to have signed in within ten minutes"`
}

// ProofWithCode does so by the second factor as well.
type ProofWithCode struct {
	Proof
	Code string `json:"code,omitempty" maxLength:"60" doc:"Of the present second factor, where there is one"`
}

type changePasswordInput struct {
	Body struct {
		Proof
		NewPassword string `json:"new_password" maxLength:"1024" doc:"12 to 256 characters, of any kind"`
	}
}

type proofInput struct{ Body ProofWithCode }

type newFactorOutput struct{ Body store.NewFactor }

type recoveryCodesOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		RecoveryCodes []string        `json:"recovery_codes" doc:"Each signs in once in place of a code; shown this once"`
		Session       *onward.Session `json:"session,omitempty"`
	}
}

type meOutput struct {
	Body struct {
		User            onward.User     `json:"user"`
		HasPassword     bool            `json:"has_password"`
		HasSecondFactor bool            `json:"has_second_factor"`
		RecoveryCodes   int             `json:"recovery_codes" doc:"How many are left"`
		Session         *onward.Session `json:"session,omitempty" doc:"Of who signed in"`
		Scopes          []string        `json:"scopes,omitempty" doc:"Of the token, where it has some"`
	}
}

// signInMetrics counts how sign-ins end, and nothing of whose they are.
func signInMetrics(registry *prometheus.Registry) *prometheus.CounterVec {
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onward_sign_ins_total", Help: "Sign-ins, by step and how they ended."}, []string{"step", "result"})
	if registry != nil {
		registry.MustRegister(counted)
	}
	return counted
}

// counted counts how a step of a sign-in ended, and logs those that failed, without whose it was.
func (a *API) counted(ctx context.Context, step string, err error) error {
	result := "ok"
	if err != nil {
		if result = string(onward.CodeOf(err)); result != string(onward.EInternal) {
			a.log.Info("sign-in failed", "id", requestID(ctx), "step", step, "code", result)
		}
	}
	a.signIns.WithLabelValues(step, result).Inc()
	return err
}

// countedRefusal counts a step that was not even tried.
func (a *API) countedRefusal(ctx context.Context, step string, err error) error {
	if err == nil {
		return nil
	}
	return a.counted(ctx, step, err)
}

func (a *API) registerSignIn() {
	tags := []string{"Sign in"}
	register(a, huma.Operation{
		OperationID: "sign-in", Method: http.MethodPost, Path: "/v1/sign-in", Tags: tags, Security: []map[string][]string{}, Summary: "Sign in with a password",
		Description: "Sets the cookie of a session. Its stage says what comes next: complete, second_factor (give a code), or set_up (set up a second factor; nothing else is let in before). An unknown " +
			"address and a wrong password answer the same, after the same time.",
		Errors: forbids(http.StatusUnauthorized, http.StatusServiceUnavailable),
	}, func(ctx context.Context, in *signInInput) (*sessionOutput, error) {
		right, err := a.tryPassword(ctx, in.Body.Email)
		if err := a.countedRefusal(ctx, "password", err); err != nil {
			return nil, err
		}
		account, err := a.store.CheckPassword(ctx, in.Body.Email, in.Body.Password)
		if err := a.counted(ctx, "password", err); err != nil {
			return nil, err
		}
		right()
		session, cookies, err := a.begin(ctx, account, onward.ByPassword, a.stageOf(account))
		return &sessionOutput{SetCookie: cookies, Body: session}, err
	})
	register(a, huma.Operation{
		OperationID: "give-second-factor", Method: http.MethodPost, Path: "/v1/sign-in/second-factor", Tags: tags, Security: onlySession, Metadata: at(onward.StageSecondFactor), Summary: "Give the code after the password",
		Description: "Six digits of the authenticator app, or a recovery code; each is taken once. The session gets a new cookie. Also to prove again who you are.", Errors: forbids(),
	}, func(ctx context.Context, in *codeInput) (*sessionOutput, error) {
		recovery, err := a.takeCode(ctx, "second_factor", in.Body.Code)
		if err != nil {
			return nil, err
		}
		session := a.sessionFrom(ctx)
		session.Stage, session.Method, session.ConfirmedAt = onward.StageComplete, session.Method.WithCode(recovery), time.Now().UTC()
		session, cookies, err := a.renew(ctx, session)
		return &sessionOutput{SetCookie: cookies, Body: session}, err
	})
	register(a, huma.Operation{
		OperationID: "sign-out", Method: http.MethodPost, Path: "/v1/sign-out", Tags: tags, Security: onlySession, Metadata: at(onward.StageSecondFactor, onward.StageSetUp), DefaultStatus: http.StatusNoContent,
		Summary: "End this session", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*signOutOutput, error) {
		if err := a.sessions.Destroy(ctx); err != nil {
			return nil, err
		}
		return &signOutOutput{SetCookie: []http.Cookie{hostCookie(sessionCookie, "", forget)}, ClearSiteData: `"cache", "storage"`}, nil
	})
	register(a, huma.Operation{
		OperationID: "read-me", Method: http.MethodGet, Path: "/v1/me", Tags: tags, Metadata: at(onward.StageSecondFactor, onward.StageSetUp), Summary: "Who you are, and how you signed in", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*meOutput, error) {
		actor := actorFrom(ctx)
		account, err := a.store.Account(ctx, actor, actor.UserID)
		if err != nil {
			return nil, err
		}
		out := &meOutput{}
		out.Body.User, out.Body.HasPassword, out.Body.HasSecondFactor, out.Body.RecoveryCodes, out.Body.Scopes = account.User, account.HasPassword, account.HasSecondFactor, account.RecoveryCodes, actor.Scopes
		if !actor.SessionID.IsZero() {
			session := a.sessionFrom(ctx)
			session.Current = true
			out.Body.Session = &session
		}
		return out, nil
	})
	register(a, huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/v1/me/sessions", Tags: tags, Security: onlySession, Summary: "Where you are signed in, the latest first", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*itemsOutput[onward.Session], error) {
		actor := actorFrom(ctx)
		return listed(a.store.SessionsOf(ctx, actor, actor.UserID))
	})
	register(a, huma.Operation{
		OperationID: "end-session", Method: http.MethodDelete, Path: "/v1/me/sessions/{id}", Tags: tags, Security: onlySession, DefaultStatus: http.StatusNoContent, Summary: "End one of your sessions", Errors: forbids(),
	}, func(ctx context.Context, in *readByIDInput) (*struct{}, error) {
		return nil, a.store.EndSession(ctx, actorFrom(ctx), in.ID)
	})
	register(a, huma.Operation{
		OperationID: "end-sessions", Method: http.MethodDelete, Path: "/v1/me/sessions", Tags: tags, Security: onlySession, DefaultStatus: http.StatusNoContent, Summary: "End all of your sessions but this one", Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, a.store.EndOtherSessions(ctx, actorFrom(ctx))
	})
	register(a, huma.Operation{
		OperationID: "change-password", Method: http.MethodPut, Path: "/v1/me/password", Tags: tags, Security: onlySession, Summary: "Change your password",
		Description: "12 to 256 characters of any kind; what is tried first is refused. Your other sessions end, and this one gets a new cookie.", Errors: forbids(),
	}, func(ctx context.Context, in *changePasswordInput) (*sessionOutput, error) {
		actor, session := actorFrom(ctx), a.sessionFrom(ctx)
		if err := a.confirm(ctx, in.Body.Proof); err != nil {
			return nil, err
		}
		if err := a.store.SetPassword(ctx, actor, actor.UserID, "new_password", in.Body.NewPassword); err != nil {
			return nil, err
		}
		session.ConfirmedAt = time.Now().UTC()
		session, cookies, err := a.renew(ctx, session)
		return &sessionOutput{SetCookie: cookies, Body: session}, err
	})
	a.registerSecondFactor(tags)
	a.registerInvitations(tags)
	a.registerProviders(tags)
	a.registerTokens(tags)
}

func (a *API) registerSecondFactor(tags []string) {
	register(a, huma.Operation{
		OperationID: "begin-second-factor", Method: http.MethodPost, Path: "/v1/me/second-factor", Tags: tags, Security: onlySession, Metadata: at(onward.StageSetUp), Summary: "Set up a second factor, or another in its place",
		Description: "The secret is for an authenticator app and is shown this once; it counts once confirmed with a code, within 15 minutes. Until then the one before does.", Errors: forbids(),
	}, func(ctx context.Context, in *proofInput) (*newFactorOutput, error) {
		if err := a.confirmWithCode(ctx, in.Body); err != nil {
			return nil, err
		}
		f, err := a.store.BeginSecondFactor(ctx, actorFrom(ctx))
		return &newFactorOutput{Body: f}, err
	})
	register(a, huma.Operation{
		OperationID: "confirm-second-factor", Method: http.MethodPost, Path: "/v1/me/second-factor/confirm", Tags: tags, Security: onlySession, Metadata: at(onward.StageSetUp), Summary: "Confirm the second factor with a code of it",
		Description: "Your other sessions end, this one is complete and gets a new cookie. The recovery codes are shown this once.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *codeInput) (*recoveryCodesOutput, error) {
		actor := actorFrom(ctx)
		if err := a.countedRefusal(ctx, "set_up", a.try(ctx, "set-up:"+actor.UserID.String(), triesToConfirm)); err != nil {
			return nil, err
		}
		codes, err := a.store.ConfirmSecondFactor(ctx, actorFrom(ctx), in.Body.Code)
		if err := a.counted(ctx, "set_up", err); err != nil {
			return nil, err
		}
		session := a.sessionFrom(ctx)
		session.Stage, session.Method, session.ConfirmedAt = onward.StageComplete, session.Method.WithCode(false), time.Now().UTC()
		session, cookies, err := a.renew(ctx, session)
		out := &recoveryCodesOutput{SetCookie: cookies}
		out.Body.RecoveryCodes, out.Body.Session = codes, &session
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "remove-second-factor", Method: http.MethodPost, Path: "/v1/me/second-factor/remove", Tags: tags, Security: onlySession, DefaultStatus: http.StatusNoContent, Summary: "Go on without a second factor",
		Description: "Where this server does not require one. Your other sessions end.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *proofInput) (*struct{}, error) {
		if !a.signIn.OptionalSecondFactor {
			return nil, onward.Errorf(onward.EConflict, "this server requires a second factor; set up another in its place instead")
		}
		if err := a.confirmWithCode(ctx, in.Body); err != nil {
			return nil, err
		}
		actor := actorFrom(ctx)
		return nil, a.store.RemoveSecondFactor(ctx, actor, actor.UserID)
	})
	register(a, huma.Operation{
		OperationID: "renew-recovery-codes", Method: http.MethodPost, Path: "/v1/me/recovery-codes", Tags: tags, Security: onlySession, Summary: "Get new recovery codes; the old ones are dead", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *proofInput) (*recoveryCodesOutput, error) {
		if err := a.confirmWithCode(ctx, in.Body); err != nil {
			return nil, err
		}
		codes, err := a.store.RenewRecoveryCodes(ctx, actorFrom(ctx))
		out := &recoveryCodesOutput{}
		out.Body.RecoveryCodes = codes
		return out, err
	})
}

// confirm makes sure that it is still the user who asks.
func (a *API) confirm(ctx context.Context, p Proof) error {
	actor := actorFrom(ctx)
	key := "confirm:" + actor.UserID.String()
	if err := a.countedRefusal(ctx, "confirm", a.try(ctx, key, triesToConfirm)); err != nil {
		return err
	}
	err := a.store.Confirm(ctx, actor, a.sessionFrom(ctx).ConfirmedAt, p.CurrentPassword)
	if err == nil {
		a.forget(ctx, key)
	}
	return a.counted(ctx, "confirm", err)
}

// confirmWithCode does so by the second factor as well, where there is one.
func (a *API) confirmWithCode(ctx context.Context, p ProofWithCode) error {
	if err := a.confirm(ctx, p.Proof); err != nil {
		return err
	}
	actor := actorFrom(ctx)
	account, err := a.store.Account(ctx, actor, actor.UserID)
	if err != nil || !account.HasSecondFactor {
		return err
	}
	_, err = a.takeCode(ctx, "confirm", p.Code)
	return err
}

// takeCode takes a code of the second factor, or a recovery code.
func (a *API) takeCode(ctx context.Context, step, code string) (recovery bool, err error) {
	actor := actorFrom(ctx)
	account, err := a.store.Account(ctx, actor, actor.UserID)
	if err != nil {
		return false, err
	}
	right, err := a.tryCode(ctx, account)
	if err := a.countedRefusal(ctx, step, err); err != nil {
		return false, err
	}
	recovery, err = a.store.CheckSecondFactor(ctx, actor, code)
	if err == nil {
		right()
	}
	return recovery, a.counted(ctx, step, err)
}
