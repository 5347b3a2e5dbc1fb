package onward

import (
	"fmt"
	"slices"
	"time"
)

// RecordKind is a kind of record with a rule for how long it is kept.
type RecordKind string

// The kinds.
const (
	KeepsReturnee        RecordKind = "returnee"
	KeepsReferralRequest RecordKind = "referral_request"
	KeepsReferral        RecordKind = "referral"
	KeepsPlacement       RecordKind = "placement"
	KeepsCheckIn         RecordKind = "check_in"
	KeepsAlert           RecordKind = "alert"
	KeepsResidence       RecordKind = "residence"
	KeepsChange          RecordKind = "change"
	KeepsConsent         RecordKind = "consent"
	KeepsEmergencyAccess RecordKind = "emergency_access"
	KeepsDelivery        RecordKind = "delivery"
	KeepsEvent           RecordKind = "event"
	KeepsAnswerLink      RecordKind = "answer_link"
	KeepsToken           RecordKind = "token"
	KeepsAudit           RecordKind = "audit"
)

// RetentionAction is what becomes of records whose time is over.
type RetentionAction string

// The actions.
const (
	RetentionErases     RetentionAction = "erased"     // the person's key and all that leads to the person; figures keep counting
	RetentionAnonymises RetentionAction = "anonymised" // what was written in words, and what describes the person; dates, states and codes stay for figures
	RetentionDeletes    RetentionAction = "deleted"
	RetentionKeeps      RetentionAction = "kept" // as long as the organisation
)

// RetentionRule says how long the records of a kind are kept.
type RetentionRule struct {
	Kind     RecordKind      `json:"kind" enum:"returnee,referral_request,referral,placement,check_in,alert,residence,change,consent,emergency_access,delivery,event,answer_link,token,audit"`
	Days     int             `json:"days" doc:"How long, for your organisation; 0: always"`
	After    string          `json:"after" doc:"From which moment"`
	Does     RetentionAction `json:"does" enum:"erased,anonymised,deleted,kept"`
	Default  int             `json:"default_days"`
	Least    int             `json:"least_days" doc:"What accountability needs"`
	Most     int             `json:"most_days"`
	Why      string          `json:"why"`
	OfPeople bool            `json:"of_people" doc:"A legal hold of a person stops it"`
}

const oneYear = 365

// retention is the one table of how long records are kept.
var retention = []RetentionRule{
	{
		Kind: KeepsReturnee, After: "the last activity: of the profile, a request, a referral, a placement, a check-in or a residence; not while a referral is open or an alert unresolved",
		Does: RetentionErases, Default: 3 * oneYear, Least: oneYear, Most: 10 * oneYear, OfPeople: true,
		Why: "help with finding work is over when nothing has happened for long; a year covers a programme's last check-in and its evaluation",
	},
	{
		Kind: KeepsReferralRequest, After: "the request; not while a referral from it is open", Does: RetentionAnonymises, Default: oneYear, Least: 90, Most: 5 * oneYear, OfPeople: true,
		Why: "a list holds the profile as it was; it is needed to explain and replay a decision while someone may complain of it",
	},
	{
		Kind: KeepsReferral, After: "the end of the referral", Does: RetentionAnonymises, Default: 2 * oneYear, Least: 180, Most: 10 * oneYear, OfPeople: true,
		Why: "notes, questions and answers explain what was done; states, dates and reasons count in figures without them",
	},
	{
		Kind: KeepsPlacement, After: "the end of the placement", Does: RetentionAnonymises, Default: 3 * oneYear, Least: oneYear, Most: 10 * oneYear, OfPeople: true,
		Why: "wage, hours and contract are evidence when wages are withheld, and are claimed later",
	},
	{
		Kind: KeepsCheckIn, After: "the talk, or the day on which it was due", Does: RetentionAnonymises, Default: 2 * oneYear, Least: oneYear, Most: 5 * oneYear, OfPeople: true,
		Why: "answers are compared up to 12 months after the start; scores stay for figures",
	},
	{
		Kind: KeepsAlert, After: "the day on which it was resolved", Does: RetentionAnonymises, Default: 5 * oneYear, Least: 2 * oneYear, Most: 10 * oneYear, OfPeople: true,
		Why: "what was done about harm has to be shown to whoever was harmed, and to authorities, for long",
	},
	{
		Kind: KeepsResidence, After: "the day on which the person was seen there", Does: RetentionDeletes, Default: 3 * oneYear, Least: oneYear, Most: 5 * oneYear, OfPeople: true,
		Why: "the model of the likely destination learns from moves of recent years; where someone lived before that helps no one",
	},
	{
		Kind: KeepsChange, After: "the change", Does: RetentionDeletes, Default: 2 * oneYear, Least: oneYear, Most: 5 * oneYear, OfPeople: true,
		Why: "what was recorded before a correction explains decisions that rested on it",
	},
	{
		Kind: KeepsConsent, After: "the erasure of the person", Does: RetentionDeletes, Default: 5 * oneYear, Least: oneYear, Most: 10 * oneYear, OfPeople: true,
		Why: "records of consents, certificates and requests to delete prove that the data was held lawfully; without the person they hold no identity",
	},
	{
		Kind: KeepsEmergencyAccess, After: "the end of the access", Does: RetentionDeletes, Default: 3 * oneYear, Least: oneYear, Most: 10 * oneYear, OfPeople: true,
		Why: "who opened what in an emergency is reviewed, and may be asked about later",
	},
	{
		Kind: KeepsDelivery, After: "the sending; not what is still queued", Does: RetentionDeletes, Default: 90, Least: 30, Most: oneYear,
		Why: "the history of what was sent is for mending endpoints",
	},
	{
		Kind: KeepsEvent, After: "the event; not while a delivery of it is kept", Does: RetentionDeletes, Default: oneYear, Least: 90, Most: 3 * oneYear,
		Why: "events tell what to do; the records and the audit tell what was done",
	},
	{
		Kind: KeepsAnswerLink, After: "the use or the end of the link", Does: RetentionDeletes, Default: 90, Least: 30, Most: oneYear,
		Why: "a used link is refused by its date as well; the referral's history has the answer",
	},
	{
		Kind: KeepsToken, After: "the day on which it was revoked or ran out", Does: RetentionDeletes, Default: oneYear, Least: 90, Most: 3 * oneYear,
		Why: "the audit names tokens by id; their names help for a while",
	},
	{
		Kind: KeepsAudit, After: "", Does: RetentionKeeps,
		Why: "each entry is hashed with the one before, so that none can go unseen; entries hold ids and hashes, and lead to no one who was erased",
	},
}

// RetentionRules are the rules as they are unless an organisation sets its own.
func RetentionRules() []RetentionRule {
	rules := slices.Clone(retention)
	for i := range rules {
		rules[i].Days = rules[i].Default
	}
	return rules
}

// RetentionChoice is for how long an organisation keeps a kind.
type RetentionChoice struct {
	Kind RecordKind `json:"kind" enum:"returnee,referral_request,referral,placement,check_in,alert,residence,change,consent,emergency_access,delivery,event,answer_link,token"`
	Days int        `json:"days" minimum:"1"`
}

// ValidateRetention checks what an organisation wants against what the rules allow.
func ValidateRetention(choices []RetentionChoice) error {
	v := newValidator()
	v.count("rules", len(choices), len(retention))
	for i, c := range choices {
		at := slices.IndexFunc(retention, func(r RetentionRule) bool { return r.Kind == c.Kind && r.Does != RetentionKeeps })
		if at < 0 {
			v.add(fmt.Sprintf("rules[%d].kind", i), "one_of", "use a kind that GET /v1/retention/rules lists; the audit is always kept")
			continue
		}
		if r := retention[at]; c.Days < r.Least || c.Days > r.Most {
			v.add(fmt.Sprintf("rules[%d].days", i), "range", "use %d to %d days: %s", r.Least, r.Most, r.Why)
		}
	}
	distinct(v, "rules", choices, "kind", func(c RetentionChoice) RecordKind { return c.Kind })
	return v.err()
}

// RetentionNotice is how long before the end of the time of a person the counsellor is told. Nobody is erased who was not announced so long.
const RetentionNotice = 30 * 24 * time.Hour

// DuePerson is a person whose time is over soon.
type DuePerson struct {
	ReturneeID   ID         `json:"returnee_id"`
	CounsellorID ID         `json:"counsellor_id,omitzero"`
	LastActivity time.Time  `json:"last_activity"`
	DueOn        Date       `json:"due_on" format:"date" doc:"The first day on which the person is erased, unless something happens or someone prolongs it"`
	AnnouncedAt  *time.Time `json:"announced_at,omitempty" doc:"When the counsellor was told; nobody is erased within 30 days of it"`
	Held         bool       `json:"held,omitempty" doc:"A legal hold stops it"`
}

// Prolonging keeps a person longer than the rule says.
type Prolonging struct {
	Until  Date   `json:"until" format:"date" doc:"Two years from today at most"`
	Reason string `json:"reason" minLength:"10" maxLength:"500" doc:"Why the person is still being helped; without names"`
}

// Validate checks it.
func (p Prolonging) Validate(today Date) error {
	v := newValidator()
	if !p.Until.After(today) || p.Until.After(today.AddDays(2*oneYear)) {
		v.add("until", "range", "use a day from tomorrow to two years from now; it can be prolonged again then")
	}
	v.text("reason", p.Reason, 10, 500)
	return v.err()
}

// RetentionCount is what a rule of an organisation would take away now.
type RetentionCount struct {
	OrganisationID ID         `json:"organisation_id"`
	Kind           RecordKind `json:"kind"`
	Days           int        `json:"days"`
	Due            int64      `json:"due" doc:"Records whose time is over"`
	Held           int64      `json:"held" doc:"Of them, what a legal hold keeps"`
}

// LegalHold stops retention and erasure: of one person, or of all records of a kind of the organisation. It ends when someone releases it.
type LegalHold struct {
	ID ID `json:"id"`
	LegalHoldDetails
	PlacedBy      ID         `json:"placed_by"`
	PlacedAt      time.Time  `json:"placed_at"`
	ReleasedBy    ID         `json:"released_by,omitzero"`
	ReleasedAt    *time.Time `json:"released_at,omitempty"`
	ReleaseReason string     `json:"release_reason,omitempty"`
}

// LegalHoldDetails is what someone says of a hold.
type LegalHoldDetails struct {
	ReturneeID ID         `json:"returnee_id,omitzero" doc:"Name a person or a kind"`
	Kind       RecordKind `json:"kind,omitempty" enum:"returnee,referral_request,referral,placement,check_in,alert,residence,change,consent,emergency_access,delivery,event,answer_link,token" doc:"All records of the kind; returnee: all of all people"`
	Reason     string     `json:"reason" maxLength:"1000" doc:"At least 10 characters, such as the court and the number of the case; without names of people"`
	ReviewOn   Date       `json:"review_on" format:"date" doc:"When supervisors are asked whether it is still needed; a year from today at most"`
}

// Validate checks a hold.
func (h LegalHoldDetails) Validate(today Date) error {
	v := newValidator()
	if h.ReturneeID.IsZero() == (h.Kind == "") {
		v.add("returnee_id", "required", "name the person or the kind, one of them")
	}
	if h.Kind != "" && !slices.ContainsFunc(retention, func(r RetentionRule) bool { return r.Kind == h.Kind && r.Does != RetentionKeeps }) {
		v.add("kind", "one_of", "use a kind that GET /v1/retention/rules lists; the audit is always kept")
	}
	v.text("reason", h.Reason, 10, 1000)
	if !h.ReviewOn.After(today) || h.ReviewOn.After(today.AddDays(oneYear)) {
		v.add("review_on", "range", "use a day from tomorrow to a year from now")
	}
	return v.err()
}

// ValidateReason checks why someone ends or reviews something.
func ValidateReason(field, reason string) error {
	v := newValidator()
	v.text(field, reason, 10, 1000)
	return v.err()
}
