package onward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Stage is how far a session has got.
type Stage string

// The stages. Only a complete session is let in; the others may do nothing but become complete, or end.
const (
	StageSecondFactor Stage = "second_factor" // the password was right; the second factor is awaited
	StageSetUp        Stage = "set_up"        // the password was right; a second factor has to be set up first
	StageComplete     Stage = "complete"
)

// Session is one browser, or program that keeps cookies, in which a user signed in.
type Session struct {
	ID             ID    `json:"id" db:"id"`
	UserID         ID    `json:"user_id" db:"user_id"`
	OrganisationID ID    `json:"organisation_id" db:"organisation_id"`
	Role           Role  `json:"role" db:"role" enum:"counsellor,supervisor,employer,partner,analyst,administrator"`
	Stage          Stage `json:"stage" db:"stage" enum:"second_factor,set_up,complete"`
	// Method is how the user proved who they are.
	Method      SignInMethod `json:"method" db:"method" enum:"password,password_and_code,password_and_recovery_code,invitation,provider,provider_and_code"`
	From        string       `json:"from" db:"address" doc:"The address that it was begun from"`
	Agent       string       `json:"agent" db:"agent" doc:"What the browser says it is"`
	CreatedAt   time.Time    `json:"created_at" db:"created_at"`
	ConfirmedAt time.Time    `json:"confirmed_at" db:"confirmed_at" doc:"When the user last proved who they are"`
	SeenAt      time.Time    `json:"seen_at" db:"seen_at" doc:"To the minute"`
	ExpiresAt   time.Time    `json:"expires_at" db:"expires_at" doc:"When it ends unless it is used before"`
	EndsAt      time.Time    `json:"ends_at" db:"ends_at" doc:"When it ends however it is used"`
	Current     bool         `json:"current" db:"-" doc:"Whether it is the one that asks"`
}

// SignInMethod is how a user proved who they are.
type SignInMethod string

// The methods.
const (
	ByPassword         SignInMethod = "password"
	ByPasswordAndCode  SignInMethod = "password_and_code"
	ByRecoveryCode     SignInMethod = "password_and_recovery_code"
	ByInvitation       SignInMethod = "invitation"
	ByProvider         SignInMethod = "provider"
	ByProviderAndCode  SignInMethod = "provider_and_code"
	mostAgent                       = 200
	mostSignInPassword              = 1024
)

// WithCode is the method once the second factor was given as well.
func (m SignInMethod) WithCode(recovery bool) SignInMethod {
	switch {
	case m == ByProvider:
		return ByProviderAndCode
	case recovery:
		return ByRecoveryCode
	}
	return ByPasswordAndCode
}

// CutAgent keeps of what a browser says it is as much as tells it from others.
func CutAgent(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent, ""))
	for utf8.RuneCountInString(agent) > mostAgent {
		agent = agent[:len(agent)-1]
		agent = strings.ToValidUTF8(agent, "")
	}
	return agent
}

// Account is a user with how they sign in.
type Account struct {
	User
	HasPassword     bool       `json:"has_password" db:"has_password"`
	HasSecondFactor bool       `json:"has_second_factor" db:"has_second_factor"`
	RecoveryCodes   int        `json:"recovery_codes" db:"recovery_codes" doc:"How many are left"`
	SignedInAt      *time.Time `json:"signed_in_at,omitempty" db:"signed_in_at" doc:"When they last did"`
}

// LeastPassword and MostPassword are how many characters a password has.
const LeastPassword, MostPassword = 12, 256

// TooLongToSignIn says that no password is so long, before anything is done with it.
func TooLongToSignIn(password string) bool { return len(password) > mostSignInPassword }

// errWrongSignIn does not say what was wrong.
func errWrongSignIn() *Error {
	return Errorf(EUnauthenticated, "e-mail address or password are not right; try again, or ask for a new password")
}

// ErrWrongSignIn is the one answer to an unknown address, a wrong password and a suspended user.
func ErrWrongSignIn() error { return errWrongSignIn() }
