package onward

import "time"

// OrganisationKind says what an organisation does here.
type OrganisationKind string

// The kinds of organisation.
const (
	Agency       OrganisationKind = "agency"        // reintegration programme with counsellors
	Employer     OrganisationKind = "employer"      // offers jobs and apprenticeships
	CivilSociety OrganisationKind = "civil_society" // monitors placements, often trains
	Project      OrganisationKind = "project"       // development project
	Authority    OrganisationKind = "authority"     // public employment service, municipality, training authority
)

// OrganisationKinds lists the kinds.
func OrganisationKinds() []OrganisationKind {
	return []OrganisationKind{Agency, Employer, CivilSociety, Project, Authority}
}

// Organisation is one party. Everything that is written belongs to one.
type Organisation struct {
	ID        ID               `json:"id" db:"id"`
	Slug      string           `json:"slug" db:"slug" doc:"Short name for commands, such as casa-monarca"`
	Name      string           `json:"name" db:"name"`
	Kind      OrganisationKind `json:"kind" db:"kind"`
	Country   string           `json:"country" db:"country"`
	Fictional bool             `json:"fictional,omitempty" db:"fictional" doc:"Made up for demonstration"`
	CreatedAt time.Time        `json:"created_at" db:"created_at"`
	// SuspendedAt is set while the organisation posts nothing and is sent no one.
	SuspendedAt *time.Time `json:"suspended_at,omitempty" db:"suspended_at"`
	Suspension  string     `json:"suspension,omitempty" db:"suspension" doc:"Why it is suspended"`
}

// Validate checks an organisation before it is written.
func (o Organisation) Validate() error {
	v := newValidator()
	v.slug("slug", o.Slug)
	v.text("name", o.Name, 1, 200)
	oneOf(v, "kind", o.Kind, OrganisationKinds())
	v.country("country", o.Country)
	return v.err()
}

// Replies counts how an organisation answers the referrals that it is sent.
type Replies struct {
	Due      int `json:"due" doc:"Referrals whose time for an answer is over, or that were answered"`
	Answered int `json:"answered" doc:"Those of them that were answered in time"`
}

// leastReplies: below so many an organisation's habits are unknown.
const leastReplies = 3

// Share is the share of referrals answered in time, 0 to 1, and whether there are enough of them to say. It is drawn a
// little towards two in three, as if three more had come and two been answered: a handful of referrals says little.
func (r Replies) Share() (share float64, known bool) {
	const priorDue, priorAnswered = 3, 2
	if r.Due < leastReplies {
		return 0, false
	}
	return float64(r.Answered+priorAnswered) / float64(r.Due+priorDue), true
}

// ReplyShares are the shares of those organisations of which enough is known to say.
func ReplyShares(counted map[ID]Replies) map[ID]float64 {
	shares := make(map[ID]float64, len(counted))
	for id, replies := range counted {
		if share, known := replies.Share(); known {
			shares[id] = share
		}
	}
	return shares
}

// Validate checks counts before they are added.
func (r Replies) Validate() error {
	v := newValidator()
	v.intRange("due", int64(r.Due), 0, 1_000_000)
	v.intRange("answered", int64(r.Answered), 0, int64(r.Due))
	return v.err()
}

// User is a person who works with Onward, in one organisation and one role.
type User struct {
	ID             ID        `json:"id" db:"id"`
	OrganisationID ID        `json:"organisation_id" db:"organisation_id"`
	Name           string    `json:"name" db:"name"`
	Email          string    `json:"email" db:"email"`
	Role           Role      `json:"role" db:"role"`
	Language       string    `json:"language" db:"language"`
	CreatedAt      time.Time `json:"created_at" db:"created_at"`
	Version        int64     `json:"version" db:"version"`
	// SuspendedAt is since when the user may not sign in, and their tokens are dead.
	SuspendedAt *time.Time `json:"suspended_at,omitempty" db:"suspended_at"`
	// EmailVerifiedAt is when it was shown that the address is the user's.
	EmailVerifiedAt *time.Time `json:"email_verified_at,omitempty" db:"email_verified_at"`
}

// Validate checks a user before it is written.
func (u User) Validate() error {
	v := newValidator()
	v.text("name", u.Name, 1, 200)
	v.email("email", u.Email)
	oneOf(v, "role", u.Role, Roles())
	v.language("language", u.Language)
	if u.OrganisationID.IsZero() {
		v.add("organisation_id", "required", "name the organisation that the user works for")
	}
	return v.err()
}

// Token is an API token as it is kept: the secret itself is shown once, when it is made, and only its hash is stored.
type Token struct {
	ID        ID         `json:"id" db:"id"`
	UserID    ID         `json:"user_id" db:"user_id"`
	Name      string     `json:"name" db:"name"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" db:"expires_at"`
	CreatedAt time.Time  `json:"created_at" db:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty" db:"revoked_at"`
	// Scopes bind the token to parts of the API; none: all that the user may.
	Scopes     []string   `json:"scopes,omitempty" db:"-"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" db:"last_used_at" doc:"To the hour"`
}
