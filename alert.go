package onward

import (
	"slices"
	"time"
)

// AlertKind says what may be wrong.
type AlertKind string

// The kinds of alert.
const (
	AlertWages          AlertKind = "withheld_wages"
	AlertDocuments      AlertKind = "retained_documents"
	AlertViolence       AlertKind = "violence"
	AlertHarassment     AlertKind = "sexual_harassment"
	AlertThreats        AlertKind = "threats"
	AlertUnsafeWork     AlertKind = "unsafe_work"
	AlertForcedLabour   AlertKind = "forced_labour"
	AlertChildLabour    AlertKind = "child_labour"
	AlertTrafficking    AlertKind = "trafficking_suspected"
	AlertFees           AlertKind = "fees_demanded"
	AlertNotAsAgreed    AlertKind = "conditions_not_as_agreed"
	AlertDiscrimination AlertKind = "discrimination"
	AlertDistress       AlertKind = "distress"
	AlertOther          AlertKind = "other"
)

// Severity says how pressing an alert is.
type Severity string

// The severities.
const (
	SeverityCritical Severity = "critical"
	SeverityHigh     Severity = "high"
	SeverityMedium   Severity = "medium"
)

// Severities lists the severities from the most pressing.
func Severities() []Severity { return []Severity{SeverityCritical, SeverityHigh, SeverityMedium} }

// Serious alerts stop new referrals to the opportunity until they are resolved.
func (s Severity) Serious() bool { return s == SeverityCritical || s == SeverityHigh }

// ActWithin is how soon an alert has to be resolved.
func (s Severity) ActWithin() time.Duration {
	switch s {
	case SeverityCritical:
		return 24 * time.Hour
	case SeverityHigh:
		return 72 * time.Hour
	case SeverityMedium:
	}
	return 7 * 24 * time.Hour
}

// severityOf is how pressing a kind is unless whoever raises it says that it is more so.
var severityOf = map[AlertKind]Severity{
	AlertViolence: SeverityCritical, AlertForcedLabour: SeverityCritical, AlertChildLabour: SeverityCritical, AlertTrafficking: SeverityCritical,
	AlertHarassment: SeverityCritical, AlertThreats: SeverityHigh, AlertWages: SeverityHigh, AlertDocuments: SeverityHigh, AlertUnsafeWork: SeverityHigh,
	AlertFees: SeverityHigh, AlertNotAsAgreed: SeverityMedium, AlertDiscrimination: SeverityMedium, AlertDistress: SeverityHigh, AlertOther: SeverityMedium,
}

// AlertKinds lists the kinds.
func AlertKinds() []AlertKind {
	return []AlertKind{
		AlertWages, AlertDocuments, AlertViolence, AlertHarassment, AlertThreats, AlertUnsafeWork, AlertForcedLabour, AlertChildLabour, AlertTrafficking,
		AlertFees, AlertNotAsAgreed, AlertDiscrimination, AlertDistress, AlertOther,
	}
}

// Severity is how pressing the kind is.
func (k AlertKind) Severity() Severity { return severityOf[k] }

// OfTheWork says whether the kind is about the work and whoever offers it; else it is about the person, and stops nothing.
func (k AlertKind) OfTheWork() bool { return k != AlertDistress && k != AlertOther }

// AlertSource says who told.
type AlertSource string

// The sources.
const (
	AlertByCheckIn    AlertSource = "check_in"
	AlertByCounsellor AlertSource = "counsellor"
	AlertByPartner    AlertSource = "partner"
	AlertByReturnee   AlertSource = "returnee"
)

// NewAlert is an alert to be raised.
type NewAlert struct {
	PlacementID ID          `json:"placement_id,omitzero" doc:"Name the placement or the referral"`
	ReferralID  ID          `json:"referral_id,omitzero"`
	Kind        AlertKind   `json:"kind" enum:"withheld_wages,retained_documents,violence,sexual_harassment,threats,unsafe_work,forced_labour,child_labour,trafficking_suspected,fees_demanded,conditions_not_as_agreed,discrimination,distress,other"`
	Severity    Severity    `json:"severity,omitempty" enum:"critical,high,medium" doc:"Empty: as usual for the kind; it can be raised above that, not lowered"`
	Source      AlertSource `json:"source" enum:"check_in,counsellor,partner,returnee"`
	SourceID    ID          `json:"source_id,omitzero" doc:"The check-in that told; one alert of a kind is raised for it, however often it is sent"`
	Note        string      `json:"note,omitempty" maxLength:"2000" doc:"For the agency only; the organisation that is meant never sees it"`
}

// Validate checks an alert to be raised and fills in its severity.
func (a NewAlert) Validate() (NewAlert, error) {
	v := newValidator()
	if a.PlacementID.IsZero() == a.ReferralID.IsZero() {
		v.add("placement_id", "required", "name the placement or the referral, one of them")
	}
	oneOf(v, "kind", a.Kind, AlertKinds())
	oneOf(v, "source", a.Source, []AlertSource{AlertByCheckIn, AlertByCounsellor, AlertByPartner, AlertByReturnee})
	v.text("note", a.Note, 0, 2000)
	if a.Severity != "" {
		oneOf(v, "severity", a.Severity, Severities())
	}
	if usual := a.Kind.Severity(); a.Severity == "" || slices.Index(Severities(), a.Severity) > slices.Index(Severities(), usual) {
		a.Severity = usual
	}
	return a, v.err()
}

// AlertOutcome says what came out.
type AlertOutcome string

// The outcomes.
const (
	AlertConfirmed  AlertOutcome = "confirmed"
	AlertUnfounded  AlertOutcome = "unfounded"
	AlertReferredOn AlertOutcome = "referred_on" // to whoever can help: police, labour inspection, a shelter
)

// Alert is a safeguarding alert, as the agency sees it.
type Alert struct {
	ID            ID           `json:"id"`
	Version       int64        `json:"version"`
	Kind          AlertKind    `json:"kind"`
	Severity      Severity     `json:"severity" enum:"critical,high,medium"`
	Source        AlertSource  `json:"source" enum:"check_in,counsellor,partner,returnee"`
	Status        string       `json:"status" enum:"open,resolved"`
	ReferralID    ID           `json:"referral_id"`
	PlacementID   ID           `json:"placement_id,omitzero"`
	OpportunityID ID           `json:"opportunity_id"`
	RecipientID   ID           `json:"recipient_id" doc:"The organisation that is meant"`
	Stops         bool         `json:"stops" doc:"New referrals to the opportunity are stopped until it is resolved"`
	OwnerID       ID           `json:"owner_id,omitzero" doc:"Who sees to it"`
	DueAt         time.Time    `json:"due_at"`
	Overdue       bool         `json:"overdue,omitempty"`
	RaisedAt      time.Time    `json:"raised_at"`
	ResolvedAt    *time.Time   `json:"resolved_at,omitempty"`
	Outcome       AlertOutcome `json:"outcome,omitempty" enum:"confirmed,unfounded,referred_on"`
	Trail         []AlertEntry `json:"trail,omitempty" doc:"All that was done, from the first; shown when one alert is read"`
}

// AlertEntry is one line of the trail of an alert, never changed.
type AlertEntry struct {
	At     time.Time `json:"at"`
	Action string    `json:"action" enum:"raised,note,assigned,overdue,resolved"`
	UserID ID        `json:"user_id,omitzero"`
	Note   string    `json:"note,omitempty"`
}

// AlertChange is what someone does with an alert.
type AlertChange struct {
	Action  string       `json:"action" enum:"note,assign,resolve"`
	OwnerID ID           `json:"owner_id,omitzero" doc:"With assign: who sees to it; empty: you"`
	Outcome AlertOutcome `json:"outcome,omitempty" enum:"confirmed,unfounded,referred_on" doc:"With resolve"`
	Note    string       `json:"note,omitempty" maxLength:"2000" doc:"Needed with note and resolve"`
}

// Validate checks a change.
func (c AlertChange) Validate() error {
	v := newValidator()
	oneOf(v, "action", c.Action, []string{"note", "assign", "resolve"})
	least := 1
	if c.Action == "assign" {
		least = 0
	}
	v.text("note", c.Note, least, 2000)
	if c.Action == "resolve" {
		oneOf(v, "outcome", c.Outcome, []AlertOutcome{AlertConfirmed, AlertUnfounded, AlertReferredOn})
	} else if c.Outcome != "" {
		v.add("outcome", "none", "only resolve takes an outcome; leave it out")
	}
	return v.err()
}
