package onward

import "time"

// Export is everything that is kept of a person, for the person.
type Export struct {
	At           time.Time         `json:"at"`
	Agency       string            `json:"agency" doc:"Who keeps it"`
	KeptUntil    Date              `json:"kept_until,omitzero" format:"date" doc:"When it is erased unless something happens; empty: not while a referral or an alert is open"`
	Held         bool              `json:"held,omitempty" doc:"A legal hold keeps it longer"`
	Prolonged    *Prolonging       `json:"prolonged,omitempty" doc:"By whom helps the person"`
	ErasureAsked *time.Time        `json:"erasure_asked,omitempty" doc:"Noted, and carried out when the legal hold ends"`
	Names        map[string]string `json:"names" doc:"Of the organisations whose ids are below"`

	Returnee    Returnee            `json:"returnee"`
	Changes     []ReturneeChange    `json:"changes" doc:"What was recorded before each correction"`
	Consents    []ConsentRecord     `json:"consents"`
	Withdrawals []Withdrawal        `json:"withdrawals"`
	Requests    []ExportedRequest   `json:"requests" doc:"Lists that were made for the person"`
	Referrals   []ExportedReferral  `json:"referrals"`
	Decisions   []Decision          `json:"decisions" doc:"Why the person was referred to each opportunity"`
	Placements  []Placement         `json:"placements"`
	CheckIns    []ExportedCheckIn   `json:"check_ins"`
	Alerts      []Alert             `json:"alerts"`
	Residences  []Residence         `json:"residences"`
	Households  []LinkedHousehold   `json:"households"`
	Pseudonyms  []ExportedPseudonym `json:"pseudonyms" doc:"By what names organisations see the person among candidates"`
	Emergencies []EmergencyAccess   `json:"emergency_accesses"`
	Audit       []AuditEntry        `json:"audit" doc:"Who read and changed what"`
}

// ExportedRequest is a list that was made for a person, with the profile as it was then.
type ExportedRequest struct {
	ReferralRequest
	Profile *ReturneeDetails `json:"profile,omitempty"`
}

// ExportedReferral is a referral with all that became of it.
type ExportedReferral struct {
	Referral
	Opportunity Text           `json:"opportunity" doc:"Its title"`
	Steps       []ReferralStep `json:"steps"`
	Links       []ExportedLink `json:"answer_links,omitempty"`
}

// ExportedLink is a link by which a recipient could answer.
type ExportedLink struct {
	CreatedAt time.Time  `json:"created_at" db:"created_at"`
	ExpiresAt time.Time  `json:"expires_at" db:"expires_at"`
	UsedAt    *time.Time `json:"used_at,omitempty" db:"used_at"`
}

// ExportedCheckIn is a talk with a person, with what the person said.
type ExportedCheckIn struct {
	CheckIn
	Log     []Attempt         `json:"log,omitempty"`
	Answers map[string]string `json:"answers,omitempty"`
}

// ExportedPseudonym is by what name an organisation sees a person among the candidates for an opening.
type ExportedPseudonym struct {
	OpportunityID ID `json:"opportunity_id" db:"opportunity_id"`
	Pseudonym     ID `json:"pseudonym" db:"pseudonym"`
}

// ReturneeChange is what was recorded of a person before a change.
type ReturneeChange struct {
	ID      ID             `json:"id"`
	Version int64          `json:"version" doc:"Of the record that was replaced"`
	Fields  []string       `json:"fields"`
	Before  map[string]any `json:"before" doc:"What the fields held; null: nothing"`
	Reason  string         `json:"reason,omitempty" doc:"What was given as Onward-Reason"`
	By      ID             `json:"by,omitzero"`
	At      time.Time      `json:"at"`
}
