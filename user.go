package onward

import (
	"strings"
	"time"
)

// UserDetails is what an administrator says of a user.
type UserDetails struct {
	Name     string `json:"name" maxLength:"200"`
	Role     Role   `json:"role" enum:"counsellor,supervisor,employer,partner,analyst,administrator"`
	Language string `json:"language" maxLength:"3" doc:"Of pages and letters"`
}

// NewUser is a user to invite.
type NewUser struct {
	UserDetails
	Email string `json:"email" maxLength:"254"`
}

// InvitationPurpose is what an invitation is for.
type InvitationPurpose string

// The purposes.
const (
	ToInvite InvitationPurpose = "invite" // the first password
	ToReset  InvitationPurpose = "reset"  // another password
)

const (
	// InvitedFor is how long a new user has; ResetFor how long one has whom an administrator gave a link, ForgottenFor who asked for one.
	InvitedFor, ResetFor, ForgottenFor = 7 * 24 * time.Hour, 24 * time.Hour, time.Hour
	// LongestToken is how long an API token that a user makes may last; TokenFor is how long it does unless they say.
	LongestToken, TokenFor = 365 * 24 * time.Hour, 90 * 24 * time.Hour
	// MostTokens of a user are alive at once.
	MostTokens = 50
)

// Invitation is a link by which a user chooses a password, once.
type Invitation struct {
	ID        ID                `json:"id"`
	UserID    ID                `json:"user_id"`
	Purpose   InvitationPurpose `json:"purpose" enum:"invite,reset"`
	ExpiresAt time.Time         `json:"expires_at"`
	Token     string            `json:"token" doc:"Shown this once. It goes to the user alone"`
	Link      string            `json:"link" doc:"The same as a link; whole where ONWARD_PUBLIC_URL says where this server is"`
}

// InvitationLink is where the token of an invitation opens: a path where it is not known where this server is.
func InvitationLink(publicURL, token string) string {
	return strings.TrimSuffix(publicURL, "/") + "/v1/invitations/" + token
}

// Invited is what an invitation shows to who has it.
type Invited struct {
	Purpose      InvitationPurpose `json:"purpose" enum:"invite,reset"`
	Name         string            `json:"name"`
	Email        string            `json:"email"`
	Organisation string            `json:"organisation"`
	Language     string            `json:"language"`
	ExpiresAt    time.Time         `json:"expires_at"`
}

// NewToken is an API token to make.
type NewToken struct {
	Name   string   `json:"name" maxLength:"200" doc:"What it is for"`
	Scopes []string `json:"scopes,omitempty" maxItems:"200" doc:"AREA:read or AREA:write, * for every area; none: all that you may"`
	Days   int      `json:"days,omitempty" minimum:"1" maximum:"365" doc:"How long it lasts; 90 unless you say"`
}

// Validate checks a token before it is made.
func (t NewToken) Validate() error {
	v := newValidator()
	v.text("name", t.Name, 1, 200)
	v.intRange("days", int64(t.Days), 0, int64(LongestToken/(24*time.Hour)))
	if err := v.err(); err != nil {
		return err
	}
	return ValidateScopes(t.Scopes)
}

// ExpiresAt is when it ends.
func (t NewToken) ExpiresAt(now time.Time) time.Time {
	if t.Days == 0 {
		return now.Add(TokenFor)
	}
	return now.AddDate(0, 0, t.Days)
}
