package onward

// Role says what a user may do. Each user has one.
type Role string

// The roles.
const (
	RoleCounsellor    Role = "counsellor"    // registers returnees, asks for referrals
	RoleSupervisor    Role = "supervisor"    // a counsellor who sees the whole caseload of the organisation
	RoleEmployer      Role = "employer"      // posts the openings of an employer, project or cooperative
	RolePartner       Role = "partner"       // a civil-society partner who monitors placements
	RoleAnalyst       Role = "analyst"       // reads programme figures, never people
	RoleAdministrator Role = "administrator" // manages the users and tokens of the organisation
	RoleSystem        Role = "system"        // Onward itself: workers and commands run on the server; no user has it
)

// Roles lists what a user may be.
func Roles() []Role {
	return []Role{RoleCounsellor, RoleSupervisor, RoleEmployer, RolePartner, RoleAnalyst, RoleAdministrator}
}

// Actor is on whose behalf something happens. It goes with every transaction and decides which rows are seen.
type Actor struct {
	UserID         ID
	OrganisationID ID
	Role           Role
	TokenID        ID
	SessionID      ID       // of who signed in; none for a token
	Scopes         []string // of the token; none: all that the role may
	// What the audit says beside who it was.
	RequestID string
	From      string // the address that the request came from
	Why       string // what the caller gave as a reason
}

// System is Onward itself.
func System() Actor { return Actor{Role: RoleSystem} }

// HandlesReturnees says whether the actor may read and write the people of the own organisation's caseload.
func (a Actor) HandlesReturnees() bool {
	return a.Role == RoleCounsellor || a.Role == RoleSupervisor || a.Role == RoleSystem
}

// PostsOpportunities says whether the actor may write the opportunities of the own organisation.
func (a Actor) PostsOpportunities() bool {
	return a.Role == RoleEmployer || a.Role == RoleSupervisor || a.Role == RoleAdministrator || a.Role == RoleSystem
}

// SeesAllOpportunities says whether the actor sees open opportunities of other organisations.
func (a Actor) SeesAllOpportunities() bool { return a.Role != RoleEmployer }
