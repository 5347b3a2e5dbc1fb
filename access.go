package onward

import (
	"cmp"
	"slices"
	"strings"
)

// Grant lets roles do something with records to which their organisation has a relation.
type Grant struct {
	Roles    []Role `json:"roles"`
	Relation string `json:"relation"`
	Sees     string `json:"sees,omitempty"`
}

// The relations of an organisation to records. Row-level security of the database holds them too, for a role that can't bypass it.
const (
	ofAnyone    = "everybody's, public within Onward"
	ofCaseload  = "on the caseload of the own organisation"
	ofPosted    = "posted by the own organisation"
	ofReceived  = "sent to the own organisation"
	ofMonitored = "given to the own organisation to monitor"
	ofOwn       = "of the own organisation"
	ofSelf      = "of the user"
	ofOthers    = "of other organisations, vetted by the own"
	ofLink      = "named by a signed link that is used once"
)

// What is seen of people.
const (
	seesIdentity  = "identity and profile"
	seesProfile   = "profile, no identity"
	seesPseudonym = "pseudonymous card: skills and requirements, no identity"
	seesShared    = "name and phone that the person agreed to share, after a yes"
	seesContact   = "how to reach the person, while a check-in is due and the person agrees"
	seesFigures   = "figures with small counts withheld"
	seesCodes     = "ids, states and codes"
)

func grant(relation, sees string, roles ...Role) Grant { return Grant{roles, relation, sees} }

var (
	everyone  = []Role{RoleCounsellor, RoleSupervisor, RoleEmployer, RolePartner, RoleAnalyst, RoleAdministrator}
	agency    = []Role{RoleCounsellor, RoleSupervisor}
	recipient = []Role{RoleEmployer, RoleSupervisor, RoleAdministrator}
)

// access is the one table of who may do what with the API. An operation without a row is nobody's.
var access = map[string][]Grant{
	"list-opportunities": {grant(ofAnyone, "", everyone...)}, "search-opportunities": {grant(ofAnyone, "", everyone...)}, "read-opportunity": {grant(ofAnyone, "", everyone...)},
	"create-opportunity": {grant(ofPosted, "", recipient...)}, "bulk-opportunities": {grant(ofPosted, "", recipient...)}, "update-opportunity": {grant(ofPosted, "", recipient...)},
	"publish-opportunity": {grant(ofPosted, "", recipient...)}, "pause-opportunity": {grant(ofPosted, "", recipient...)}, "close-opportunity": {grant(ofPosted, "", recipient...)},
	"confirm-opportunity": {grant(ofPosted, "", recipient...)},
	"list-candidates":     {grant(ofCaseload, seesProfile, agency...), grant(ofPosted, seesPseudonym, RoleEmployer)},

	"create-returnee": {grant(ofCaseload, seesIdentity, agency...)}, "bulk-returnees": {grant(ofCaseload, seesIdentity, agency...)}, "list-returnees": {grant(ofCaseload, seesIdentity, agency...)},
	"read-returnee": {grant(ofCaseload, seesIdentity, agency...)}, "update-returnee": {grant(ofCaseload, seesIdentity, agency...)}, "list-duplicates": {grant(ofCaseload, seesCodes, agency...)},
	"list-residences": {grant(ofCaseload, seesProfile, agency...)}, "record-residence": {grant(ofCaseload, seesProfile, agency...)},
	"create-household": {grant(ofCaseload, seesProfile, agency...)}, "list-households": {grant(ofCaseload, seesProfile, agency...)}, "read-household": {grant(ofCaseload, seesProfile, agency...)},
	"update-household": {grant(ofCaseload, seesProfile, agency...)}, "delete-household": {grant(ofCaseload, seesProfile, agency...)}, "household-opportunities": {grant(ofCaseload, seesProfile, agency...)},
	"returnee-unlocks": {grant(ofCaseload, seesProfile, agency...)}, "caseload-unlocks": {grant(ofCaseload, seesProfile, agency...)},
	"create-referral-request": {grant(ofCaseload, seesProfile, agency...)}, "list-referral-requests": {grant(ofCaseload, seesProfile, agency...)},
	"read-referral-request": {grant(ofCaseload, seesProfile, agency...)}, "referral-request-events": {grant(ofCaseload, seesCodes, agency...)}, "list-scarcity": {grant(ofCaseload, seesCodes, agency...)},

	"referral-transitions": {grant(ofAnyone, "", everyone...)},
	"create-referral":      {grant(ofCaseload, seesCodes, agency...)}, "list-referrals": {grant(ofCaseload, seesCodes, agency...)}, "read-referral": {grant(ofCaseload, seesCodes, agency...)},
	"referral-history": {grant(ofCaseload, seesCodes, agency...)}, "referral-decision": {grant(ofCaseload, seesCodes, agency...)}, "change-referral": {grant(ofCaseload, seesCodes, agency...)}, "create-answer-link": {grant(ofCaseload, seesCodes, agency...)},
	"inform-recipient": {grant(ofCaseload, seesCodes, agency...)},
	"read-close-rules": {grant(ofOwn, "", RoleSupervisor, RoleAdministrator)}, "set-close-rules": {grant(ofOwn, "", RoleSupervisor, RoleAdministrator)},
	"list-received-referrals": {grant(ofReceived, seesPseudonym, recipient...)}, "read-received-referral": {grant(ofReceived, seesPseudonym, recipient...)},
	"received-referral-card": {grant(ofReceived, seesPseudonym, recipient...)}, "change-received-referral": {grant(ofReceived, seesPseudonym, recipient...)},
	"ask-about-referral": {grant(ofReceived, seesPseudonym, recipient...)}, "received-referral-person": {grant(ofReceived, seesShared, recipient...)},
	"read-answer": {grant(ofLink, seesPseudonym)}, "answer": {grant(ofLink, seesPseudonym)},

	"list-placements": {grant(ofCaseload, seesCodes, agency...), grant(ofReceived, seesCodes, recipient...), grant(ofMonitored, seesCodes, RolePartner)},
	"read-placement":  {grant(ofCaseload, seesCodes, agency...), grant(ofReceived, seesCodes, recipient...), grant(ofMonitored, seesCodes, RolePartner)},
	"confirm-placement": {
		grant(ofCaseload, seesCodes, agency...), grant(ofReceived, seesCodes, recipient...), grant(ofMonitored, seesCodes, RolePartner),
	},
	"end-placement":    {grant(ofCaseload, seesCodes, agency...), grant(ofReceived, seesCodes, recipient...), grant(ofMonitored, seesCodes, RolePartner)},
	"record-placement": {grant(ofCaseload, seesCodes, agency...), grant(ofReceived, seesCodes, recipient...)},
	"update-placement": {grant(ofCaseload, seesCodes, agency...)},

	"list-check-ins": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)}, "read-check-in": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)},
	"check-in-contact":       {grant(ofCaseload, seesContact, agency...), grant(ofMonitored, seesContact, RolePartner)},
	"check-in-questionnaire": {grant(ofCaseload, "", agency...), grant(ofMonitored, "", RolePartner)}, "add-check-in-attempt": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)},
	"complete-check-in": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)}, "miss-check-in": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)},
	"returnee-sustainability": {grant(ofCaseload, seesCodes, agency...)},
	"list-questionnaires":     {grant(ofAnyone, "", everyone...)}, "read-questionnaire": {grant(ofAnyone, "", everyone...)}, "publish-questionnaire": {grant(ofOwn, "", RoleSupervisor, RoleAdministrator)},
	"raise-alert": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)}, "list-alerts": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)},
	"read-alert": {grant(ofCaseload, seesCodes, agency...), grant(ofMonitored, seesCodes, RolePartner)}, "change-alert": {grant(ofCaseload, seesCodes, agency...)},
	"list-vettings-due": {grant(ofOthers, "", agency...)}, "read-organisation-vetting": {grant(ofOthers, "", agency...)}, "read-opportunity-vetting": {grant(ofOthers, "", agency...)},
	"record-organisation-checks": {grant(ofOthers, "", RoleSupervisor)}, "record-opportunity-checks": {grant(ofOthers, "", RoleSupervisor)},

	"monitor-placements": {grant(ofMonitored, seesCodes, RolePartner)}, "monitor-placements-csv": {grant(ofMonitored, seesCodes, RolePartner)},
	"monitor-caseload": {grant(ofCaseload, seesCodes, agency...)}, "monitor-caseload-csv": {grant(ofCaseload, seesCodes, agency...)},
	"monitor-openings": {grant(ofPosted, "", recipient...)}, "monitor-openings-csv": {grant(ofPosted, "", recipient...)},
	"programme-figures": {grant(ofOwn, seesFigures, RoleAnalyst, RoleSupervisor, RoleAdministrator)}, "programme-figures-csv": {grant(ofOwn, seesFigures, RoleAnalyst, RoleSupervisor, RoleAdministrator)},
	"parity-figures":    {grant(ofOwn, seesFigures, RoleAnalyst)},
	"retention-figures": {grant(ofOwn, seesFigures, RoleAnalyst, RoleSupervisor, RoleAdministrator)}, "retention-figures-csv": {grant(ofOwn, seesFigures, RoleAnalyst, RoleSupervisor, RoleAdministrator)},

	"list-consents": {grant(ofCaseload, seesCodes, agency...)}, "withdraw-consent": {grant(ofCaseload, seesCodes, agency...)}, "list-withdrawals": {grant(ofCaseload, seesCodes, agency...)},
	"export-returnee": {grant(ofCaseload, seesIdentity, RoleSupervisor)}, "export-returnee-page": {grant(ofCaseload, seesIdentity, RoleSupervisor)},
	"returnee-history": {grant(ofCaseload, seesIdentity, agency...)}, "erase-returnee": {grant(ofCaseload, seesCodes, RoleSupervisor)},
	"list-deletion-requests": {grant(ofReceived, seesCodes, everyone...)}, "confirm-deletion": {grant(ofReceived, seesCodes, RoleEmployer, RolePartner, RoleSupervisor, RoleAdministrator)},
	"read-caseload-rule": {grant(ofOwn, "", RoleCounsellor, RoleSupervisor, RoleAdministrator)}, "set-caseload-rule": {grant(ofOwn, "", RoleSupervisor, RoleAdministrator)},
	"assign-counsellor": {grant(ofCaseload, seesIdentity, RoleSupervisor)}, "search-caseloads": {grant(ofOwn, seesCodes, RoleCounsellor)},
	"open-emergency-access": {grant(ofOwn, seesIdentity, RoleCounsellor)}, "list-emergency-accesses": {grant(ofOwn, seesCodes, agency...)},
	"end-emergency-access": {grant(ofOwn, seesCodes, agency...)}, "review-emergency-access": {grant(ofOwn, seesCodes, RoleSupervisor)},
	"read-retention-rules": {grant(ofOwn, "", RoleCounsellor, RoleSupervisor, RoleAdministrator)}, "set-retention-rules": {grant(ofOwn, "", RoleSupervisor, RoleAdministrator)},
	"list-retention-due": {grant(ofCaseload, seesCodes, agency...)}, "prolong-retention": {grant(ofCaseload, seesCodes, agency...)},
	"list-legal-holds": {grant(ofOwn, seesCodes, RoleSupervisor, RoleAdministrator)}, "place-legal-hold": {grant(ofOwn, seesCodes, RoleSupervisor, RoleAdministrator)},
	"release-legal-hold": {grant(ofOwn, seesCodes, RoleSupervisor, RoleAdministrator)},
	"read-audit":         {grant(ofOwn, seesCodes, RoleSupervisor, RoleAdministrator)},

	"sign-in": {grant(ofAnyone, "")}, "give-second-factor": {grant(ofSelf, "", everyone...)}, "sign-out": {grant(ofSelf, "", everyone...)}, "read-me": {grant(ofSelf, "", everyone...)},
	"list-sessions": {grant(ofSelf, "", everyone...)}, "end-session": {grant(ofSelf, "", everyone...)}, "end-sessions": {grant(ofSelf, "", everyone...)}, "change-password": {grant(ofSelf, "", everyone...)},
	"begin-second-factor": {grant(ofSelf, "", everyone...)}, "confirm-second-factor": {grant(ofSelf, "", everyone...)}, "remove-second-factor": {grant(ofSelf, "", everyone...)},
	"renew-recovery-codes": {grant(ofSelf, "", everyone...)},
	"list-providers":       {grant(ofAnyone, "")}, "begin-provider-sign-in": {grant(ofAnyone, "")}, "finish-provider-sign-in": {grant(ofAnyone, "")},
	"read-invitation": {grant(ofLink, "")}, "accept-invitation": {grant(ofLink, "")}, "ask-password-reset": {grant(ofAnyone, "")},
	"list-tokens": {grant(ofSelf, "", everyone...)}, "create-token": {grant(ofSelf, "", everyone...)}, "revoke-token": {grant(ofSelf, "", everyone...)},
	"list-accounts": {grant(ofOwn, "", RoleAdministrator)}, "read-account": {grant(ofOwn, "", RoleAdministrator)}, "invite-user": {grant(ofOwn, "", RoleAdministrator)},
	"invite-again": {grant(ofOwn, "", RoleAdministrator)}, "update-account": {grant(ofOwn, "", RoleAdministrator)}, "suspend-account": {grant(ofOwn, "", RoleAdministrator)},
	"reinstate-account": {grant(ofOwn, "", RoleAdministrator)}, "list-account-sessions": {grant(ofOwn, "", RoleAdministrator)}, "end-account-sessions": {grant(ofOwn, "", RoleAdministrator)},
	"reset-second-factor": {grant(ofOwn, "", RoleAdministrator)},

	"list-organisations": {grant(ofAnyone, "", everyone...)}, "list-colleagues": {grant(ofOwn, "", everyone...)},
	"list-events": {grant(ofSelf, seesCodes, everyone...)}, "read-notice-preferences": {grant(ofSelf, "", everyone...)}, "set-notice-preferences": {grant(ofSelf, "", everyone...)},
	"create-webhook": {grant(ofOwn, "", RoleAdministrator)}, "list-webhooks": {grant(ofOwn, "", RoleAdministrator)}, "update-webhook": {grant(ofOwn, "", RoleAdministrator)},
	"delete-webhook": {grant(ofOwn, "", RoleAdministrator)}, "rotate-webhook": {grant(ofOwn, "", RoleAdministrator)}, "test-webhook": {grant(ofOwn, seesCodes, RoleAdministrator)},
	"list-deliveries": {grant(ofOwn, seesCodes, RoleAdministrator)}, "replay-delivery": {grant(ofOwn, seesCodes, RoleAdministrator)},
	"read-model-card": {grant(ofAnyone, "", everyone...)},
	"read-text":       {grant(ofAnyone, "", everyone...)}, "suggest-skills": {grant(ofAnyone, "", everyone...)}, "suggest-places": {grant(ofAnyone, "", everyone...)},
	"metrics": {grant(ofAnyone, seesFigures, RoleAdministrator)}, "healthz": {grant(ofAnyone, "")}, "readyz": {grant(ofAnyone, "")},
}

// MayCall says whether a role may use an operation of the API at all. With which records is up to the relation.
func MayCall(operation string, role Role) bool {
	return slices.ContainsFunc(access[operation], func(g Grant) bool { return slices.Contains(g.Roles, role) })
}

// Areas are the parts of the API that a token can be bound to: the tags of its operations.
func Areas() []string {
	return []string{
		"alerts", "answers", "candidates", "check-ins", "health", "households", "model", "monitoring", "notices", "opportunities", "organisations", "placements", "protection",
		"received-referrals", "referral-requests", "referrals", "residences", "returnees", "sign-in", "unlocks", "users", "vetting", "vocabulary", "webhooks",
	}
}

// ValidateScopes checks what a token is to be for: AREA:read or AREA:write, which reads as well; * is every area.
func ValidateScopes(scopes []string) error {
	v := newValidator()
	v.count("scopes", len(scopes), 2*len(Areas()))
	for _, s := range scopes {
		area, mode, _ := strings.Cut(s, ":")
		if (area != "*" && !slices.Contains(Areas(), area)) || (mode != "read" && mode != "write") {
			v.add("scopes", "scope", "use AREA:read or AREA:write, with * or one of %s", strings.Join(Areas(), ", "))
		}
	}
	return v.err()
}

// ScopesAllow says whether a token with these scopes may read, or write, in an area. No scopes: all that its user may.
func ScopesAllow(scopes []string, area string, write bool) bool {
	return len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool {
		of, mode, _ := strings.Cut(s, ":")
		return (of == "*" || of == area) && (mode == "write" || !write)
	})
}

// AccessRow is what the table says of one operation.
type AccessRow struct {
	Operation string  `json:"operation"`
	Grants    []Grant `json:"grants"`
}

// AccessMatrix is the whole table, by operation. A grant without roles needs no sign-in.
func AccessMatrix() []AccessRow {
	rows := make([]AccessRow, 0, len(access))
	for operation, grants := range access {
		rows = append(rows, AccessRow{operation, grants})
	}
	slices.SortFunc(rows, func(a, b AccessRow) int { return cmp.Compare(a.Operation, b.Operation) })
	return rows
}
