package onward

import "time"

const (
	// EmergencyMinutes is how long access in an emergency lasts unless somebody says otherwise, and EmergencyMostMinutes how long at most.
	EmergencyMinutes     = 60
	EmergencyMostMinutes = 240
	// EmergenciesADay is how often a counsellor may open access in 24 hours, and CaseloadSearchesADay how often one may look for a person.
	EmergenciesADay      = 5
	CaseloadSearchesADay = 20
	// EmergencyReviewWithin is how long supervisors have to review an access before they are reminded, again and again.
	EmergencyReviewWithin = 3 * 24 * time.Hour
)

// EmergencyAccess is access to one person by a counsellor who does not see the person otherwise, for a short time. It gives the rights of the
// person's own counsellor.
type EmergencyAccess struct {
	ID         ID         `json:"id"`
	ReturneeID ID         `json:"returnee_id"`
	UserID     ID         `json:"user_id" doc:"Who has it"`
	Reason     string     `json:"reason"`
	OpenedAt   time.Time  `json:"opened_at"`
	Until      time.Time  `json:"until"`
	Open       bool       `json:"open"`
	EndedBy    ID         `json:"ended_by,omitzero" doc:"Who ended it before its time"`
	ReviewedBy ID         `json:"reviewed_by,omitzero"`
	ReviewedAt *time.Time `json:"reviewed_at,omitempty"`
	Justified  *bool      `json:"justified,omitempty"`
	Note       string     `json:"note,omitempty"`
}

// OpenEmergencyAccess asks for it.
type OpenEmergencyAccess struct {
	Reason  string `json:"reason" minLength:"20" maxLength:"1000" doc:"What is happening, and why it can't wait for the person's counsellor"`
	Minutes int    `json:"minutes,omitempty" minimum:"0" maximum:"240" doc:"0: 60"`
}

// Validate checks it and fills in how long.
func (o OpenEmergencyAccess) Validate() (OpenEmergencyAccess, error) {
	v := newValidator()
	v.text("reason", o.Reason, 20, 1000)
	if o.Minutes == 0 {
		o.Minutes = EmergencyMinutes
	}
	v.intRange("minutes", int64(o.Minutes), 1, EmergencyMostMinutes)
	return o, v.err()
}

// ReviewEmergencyAccess is what a supervisor says of it afterwards.
type ReviewEmergencyAccess struct {
	Justified bool   `json:"justified"`
	Note      string `json:"note" minLength:"10" maxLength:"1000"`
}

// Validate checks a review.
func (r ReviewEmergencyAccess) Validate() error { return ValidateReason("note", r.Note) }

// CaseloadSearch looks for a person on the caseloads of others.
type CaseloadSearch struct {
	Name    string `json:"name,omitempty" maxLength:"100" doc:"Two whole words of the name at least, in any order"`
	Contact string `json:"contact,omitempty" maxLength:"200" doc:"Or a phone number or an e-mail address, as a whole"`
}

// CaseloadMatch is somebody whom a search found: the id and the counsellor, and nothing else.
type CaseloadMatch struct {
	ReturneeID   ID `json:"returnee_id" db:"returnee_id"`
	CounsellorID ID `json:"counsellor_id,omitzero" db:"counsellor_id"`
}

// CaseloadRule says whom counsellors of an organisation see.
type CaseloadRule struct {
	OwnOnly bool `json:"own_only" doc:"Their own people alone; others in an emergency. Supervisors see everyone"`
}
