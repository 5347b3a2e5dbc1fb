package onward

import (
	"fmt"
	"slices"
	"time"
)

// Kind says what an opportunity is.
type Kind string

// The seven kinds of opportunity.
const (
	Job             Kind = "job"
	Apprenticeship  Kind = "apprenticeship"
	Training        Kind = "training"
	EnterpriseGrant Kind = "enterprise_grant"
	Cooperative     Kind = "cooperative"
	CashForWork     Kind = "cash_for_work"
	ProjectPlace    Kind = "project_place"
)

// Kinds lists the kinds of opportunity.
func Kinds() []Kind {
	return []Kind{Job, Apprenticeship, Training, EnterpriseGrant, Cooperative, CashForWork, ProjectPlace}
}

// OpportunityStatus is where an opportunity is in its life.
type OpportunityStatus string

// The states of an opportunity.
const (
	OpportunityDraft  OpportunityStatus = "draft"
	OpportunityOpen   OpportunityStatus = "open"
	OpportunityPaused OpportunityStatus = "paused"
	OpportunityClosed OpportunityStatus = "closed"
)

// OpportunityEvent moves an opportunity from one state to another.
type OpportunityEvent string

// The events.
const (
	EventPublish OpportunityEvent = "publish"
	EventPause   OpportunityEvent = "pause"
	EventClose   OpportunityEvent = "close"
)

type opportunityTransition struct {
	event OpportunityEvent
	from  []OpportunityStatus
	to    OpportunityStatus
}

var opportunityTransitions = []opportunityTransition{
	{EventPublish, []OpportunityStatus{OpportunityDraft, OpportunityPaused}, OpportunityOpen},
	{EventPause, []OpportunityStatus{OpportunityOpen}, OpportunityPaused},
	{EventClose, []OpportunityStatus{OpportunityDraft, OpportunityOpen, OpportunityPaused}, OpportunityClosed},
}

// Next is the state after an event; EConflict when the event does not fit the state.
func (s OpportunityStatus) Next(event OpportunityEvent) (OpportunityStatus, error) {
	for _, t := range opportunityTransitions {
		if t.event == event && slices.Contains(t.from, s) {
			return t.to, nil
		}
	}
	return s, Errorf(EConflict, "an opportunity that is %s can't be changed by %q; read it again for its present state", s, event)
}

// CloseReason says why an opportunity closed.
type CloseReason string

// The reasons.
const (
	CloseFilled    CloseReason = "filled"
	CloseWithdrawn CloseReason = "withdrawn"
	CloseExpired   CloseReason = "expired"
	CloseUnsafe    CloseReason = "unsafe"
)

// CloseReasons lists the reasons.
func CloseReasons() []CloseReason {
	return []CloseReason{CloseFilled, CloseWithdrawn, CloseExpired, CloseUnsafe}
}

// VettingStatus says whether someone checked that an opportunity is real and fair.
type VettingStatus string

// The states of vetting.
const (
	VettingUnknown  VettingStatus = "unknown"
	VettingPassed   VettingStatus = "passed"
	VettingRejected VettingStatus = "rejected"
)

// Text is a text in one or more languages, by ISO 639 code.
type Text map[string]string

// In picks the text in a language, else in English, else in the first language by code.
func (t Text) In(language string) string {
	if s := t[language]; s != "" {
		return s
	}
	if s := t["en"]; s != "" {
		return s
	}
	best := ""
	for code := range t {
		if best == "" || code < best {
			best = code
		}
	}
	return t[best]
}

// OpportunitySkill is a skill that an opportunity uses.
type OpportunitySkill struct {
	SkillID   string `json:"skill_id" doc:"Concept id from /v1/skills"`
	Essential bool   `json:"essential,omitempty" doc:"An essential skill weighs 1, an optional one 0.35"`
}

// CEFR is a level of the Common European Framework of Reference for Languages.
type CEFR string

var cefrLevels = []CEFR{"A1", "A2", "B1", "B2", "C1", "C2"}

// CEFRLevels lists the levels from the lowest.
func CEFRLevels() []CEFR { return slices.Clone(cefrLevels) }

// AtLeast says whether level c is level other or above it.
func (c CEFR) AtLeast(other CEFR) bool {
	return slices.Index(cefrLevels, c) >= slices.Index(cefrLevels, other)
}

// LanguageNeed is a language that an opportunity asks for.
type LanguageNeed struct {
	Language  string `json:"language" doc:"ISO 639 code"`
	Level     CEFR   `json:"level" enum:"A1,A2,B1,B2,C1,C2"`
	Essential bool   `json:"essential,omitempty"`
}

// DocumentKind is a paper that opens or closes a door.
type DocumentKind string

// The kinds of document. Which of them a country issues, and under which name, is for the pages to say.
const (
	NationalID           DocumentKind = "national_id"
	BirthCertificate     DocumentKind = "birth_certificate"
	TaxNumber            DocumentKind = "tax_number"
	SocialSecurityNumber DocumentKind = "social_security_number"
	WorkPermit           DocumentKind = "work_permit"
	DrivingLicence       DocumentKind = "driving_licence"
	HeavyVehicleLicence  DocumentKind = "heavy_vehicle_licence"
	SchoolCertificate    DocumentKind = "school_certificate"
	TradeCertificate     DocumentKind = "trade_certificate"
	HealthCard           DocumentKind = "health_card"
	FoodHandlingCard     DocumentKind = "food_handling_card"
	CriminalRecordCheck  DocumentKind = "criminal_record_check"
	BankAccount          DocumentKind = "bank_account"
	ProofOfAddress       DocumentKind = "proof_of_address"
)

// DocumentKinds lists the kinds of document.
func DocumentKinds() []DocumentKind {
	return []DocumentKind{
		NationalID, BirthCertificate, TaxNumber, SocialSecurityNumber, WorkPermit, DrivingLicence, HeavyVehicleLicence,
		SchoolCertificate, TradeCertificate, HealthCard, FoodHandlingCard, CriminalRecordCheck, BankAccount, ProofOfAddress,
	}
}

// WagePeriod is what a wage is paid for.
type WagePeriod string

// The periods.
const (
	PerHour  WagePeriod = "hour"
	PerDay   WagePeriod = "day"
	PerWeek  WagePeriod = "week"
	PerMonth WagePeriod = "month"
	PerYear  WagePeriod = "year"
)

// WagePeriods lists the periods.
func WagePeriods() []WagePeriod { return []WagePeriod{PerHour, PerDay, PerWeek, PerMonth, PerYear} }

// Wage is pay in minor units of a currency (centavos, cents) for a period. For training and grants it is the stipend
// or the grant, per month.
type Wage struct {
	MinMinor int64      `json:"min_minor" doc:"Lowest pay, in minor units of the currency"`
	MaxMinor int64      `json:"max_minor" doc:"Highest pay, in minor units of the currency"`
	Currency string     `json:"currency" doc:"ISO 4217 code"`
	Period   WagePeriod `json:"period" enum:"hour,day,week,month,year"`
}

// weeksPerMonth is 365.25/12/7.
const weeksPerMonth = 4.348125

// MonthlyMinor is the middle of the range, for a month. Hours matter for pay by the hour only; without them a week of
// 48 hours is taken, days are six a week.
func (w Wage) MonthlyMinor(hoursPerWeek float64) float64 {
	middle := float64(w.MinMinor+w.MaxMinor) / 2
	if hoursPerWeek <= 0 {
		hoursPerWeek = 48
	}
	switch w.Period {
	case PerHour:
		return middle * hoursPerWeek * weeksPerMonth
	case PerDay:
		return middle * 6 * weeksPerMonth
	case PerWeek:
		return middle * weeksPerMonth
	case PerYear:
		return middle / 12
	case PerMonth:
	}
	return middle
}

// OpportunityDetails is what the organisation that posts an opportunity says of it. A pointer that is nil means
// unknown, which is not the same as no.
type OpportunityDetails struct {
	ExternalID   string             `json:"external_id,omitempty" doc:"The id in the system it comes from; posting it again updates nothing and adds nothing"`
	Kind         Kind               `json:"kind" enum:"job,apprenticeship,training,enterprise_grant,cooperative,cash_for_work,project_place"`
	Title        Text               `json:"title" doc:"By language code, at least one"`
	Description  Text               `json:"description,omitempty"`
	OccupationID string             `json:"occupation_id,omitempty" doc:"Its skills are used, at lower confidence, when none are coded"`
	Skills       []OpportunitySkill `json:"skills,omitempty"`

	PlaceID           PlaceID `json:"place_id,omitempty" doc:"Where it is; may be left out for remote work only"`
	Remote            bool    `json:"remote,omitempty" doc:"Can be done from anywhere in the country"`
	RemoteAbroad      bool    `json:"remote_abroad,omitempty" doc:"Can go on from another country"`
	CertificateAbroad bool    `json:"certificate_abroad,omitempty" doc:"Ends in a certificate that other countries recognise"`
	Housing           bool    `json:"housing,omitempty" doc:"A place to live comes with it"`
	Relocation        bool    `json:"relocation,omitempty" doc:"Moving there is paid for"`

	Capacity     int            `json:"capacity" doc:"How many people it can take, at least 1"`
	Languages    []LanguageNeed `json:"languages,omitempty"`
	Documents    []DocumentKind `json:"documents,omitempty" doc:"Papers that must be there by the start"`
	MinAge       int            `json:"min_age,omitempty" doc:"0: the legal working age of the country"`
	MaxAge       int            `json:"max_age,omitempty" doc:"0: none"`
	Hazardous    bool           `json:"hazardous,omitempty" doc:"Not for people under 18"`
	Wage         *Wage          `json:"wage,omitempty"`
	HoursPerWeek *float64       `json:"hours_per_week,omitempty"`
	FlexibleTime *bool          `json:"flexible_time,omitempty" doc:"Hours can be fitted around care"`
	Childcare    *bool          `json:"childcare,omitempty" doc:"Childcare is offered"`
	StartsOn     Date           `json:"starts_on,omitzero" format:"date" doc:"Empty: as soon as agreed"`
	ClosesOn     Date           `json:"closes_on,omitzero" format:"date" doc:"Last day on which it is open"`
	Vetting      VettingStatus  `json:"vetting,omitempty" enum:"unknown,passed,rejected"`
	VettedUntil  Date           `json:"vetted_until,omitzero" format:"date"`
}

// Opportunity is an opening that people can be referred to.
type Opportunity struct {
	ID             ID                `json:"id"`
	OrganisationID ID                `json:"organisation_id"`
	Organisation   string            `json:"organisation,omitempty" doc:"Its name"`
	Country        string            `json:"country,omitempty" doc:"Of the place, or of the organisation for remote work"`
	Version        int64             `json:"version"`
	Status         OpportunityStatus `json:"status"`
	CloseReason    CloseReason       `json:"close_reason,omitempty"`
	Held           int               `json:"held" doc:"Places reserved for referrals under way"`
	Placed         int               `json:"placed" doc:"Places taken"`
	Fictional      bool              `json:"fictional,omitempty" doc:"Made up for demonstration"`
	PublishedAt    *time.Time        `json:"published_at,omitempty"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
	OpportunityDetails
}

// VettedOn says whether it passed vetting that is valid on a day.
func (o OpportunityDetails) VettedOn(day Date) bool {
	return o.Vetting == VettingPassed && (o.VettedUntil.IsZero() || !o.VettedUntil.Before(day))
}

// PlacesLeft is how many more people it can take.
func (o Opportunity) PlacesLeft() int { return max(0, o.Capacity-o.Held-o.Placed) }

// Validate checks what an organisation says of an opportunity. Today decides whether the closing date is past.
func (o OpportunityDetails) Validate(today Date, vocabulary Vocabulary) error {
	v := newValidator()
	v.text("external_id", o.ExternalID, 0, 200)
	oneOf(v, "kind", o.Kind, Kinds())
	v.localised("title", o.Title, true, 200)
	v.localised("description", o.Description, false, 10_000)
	v.occupation(vocabulary, "occupation_id", o.OccupationID)
	v.count("skills", len(o.Skills), 100)
	for i, s := range o.Skills {
		v.skill(vocabulary, fmt.Sprintf("skills[%d].skill_id", i), s.SkillID)
	}
	distinct(v, "skills", o.Skills, "skill_id", func(s OpportunitySkill) string { return s.SkillID })
	o.validatePlace(v, vocabulary)
	v.intRange("capacity", int64(o.Capacity), 1, 100_000)
	o.validateNeeds(v)
	o.validateTerms(v)
	o.validateDates(v, today)
	if o.Vetting != "" {
		oneOf(v, "vetting", o.Vetting, []VettingStatus{VettingUnknown, VettingPassed, VettingRejected})
	}
	return v.err()
}

func (o OpportunityDetails) validatePlace(v *validator, vocabulary Vocabulary) {
	switch {
	case o.PlaceID != 0:
		v.place(vocabulary, "place_id", o.PlaceID)
	case !o.Remote:
		v.add("place_id", "required", "say where it is (/v1/places finds the id), or set remote to true")
	}
	if o.RemoteAbroad && !o.Remote {
		v.add("remote_abroad", "inconsistent", "set remote to true as well, or leave this out")
	}
}

func (o OpportunityDetails) validateNeeds(v *validator) {
	v.count("languages", len(o.Languages), 20)
	for i, l := range o.Languages {
		v.language(fmt.Sprintf("languages[%d].language", i), l.Language)
		oneOf(v, fmt.Sprintf("languages[%d].level", i), l.Level, cefrLevels)
	}
	distinct(v, "languages", o.Languages, "language", func(l LanguageNeed) string { return l.Language })
	for i, d := range o.Documents {
		oneOf(v, fmt.Sprintf("documents[%d]", i), d, DocumentKinds())
	}
	v.count("documents", len(o.Documents), len(DocumentKinds()))
	v.intRange("min_age", int64(o.MinAge), 0, 99)
	v.intRange("max_age", int64(o.MaxAge), 0, 120)
	if o.MaxAge != 0 && o.MaxAge < o.MinAge {
		v.add("max_age", "range", "use an age that is not below min_age")
	}
}

func (o OpportunityDetails) validateTerms(v *validator) {
	optional(o.Wage, func(w Wage) {
		v.intRange("wage.min_minor", w.MinMinor, 0, 1e15)
		v.intRange("wage.max_minor", w.MaxMinor, 0, 1e15)
		if w.MaxMinor < w.MinMinor {
			v.add("wage.max_minor", "range", "use an amount that is not below min_minor")
		}
		if !currencyPattern.MatchString(w.Currency) {
			v.add("wage.currency", "currency", "use a three-letter currency code (ISO 4217), such as MXN")
		}
		oneOf(v, "wage.period", w.Period, WagePeriods())
	})
	optional(o.HoursPerWeek, func(h float64) {
		if !(h > 0 && h <= 100) {
			v.add("hours_per_week", "range", "use hours from 1 to 100, or leave it out when unknown")
		}
	})
}

func (o OpportunityDetails) validateDates(v *validator, today Date) {
	if !o.ClosesOn.IsZero() && o.ClosesOn.Before(today) {
		v.add("closes_on", "past", "the closing date is past; use today or a later day")
	}
	if !o.ClosesOn.IsZero() && !o.StartsOn.IsZero() && o.StartsOn.Before(o.ClosesOn) {
		v.add("starts_on", "order", "it starts before it closes; use a start on or after closes_on")
	}
}

// localised checks a text in several languages.
func (v *validator) localised(field string, t Text, required bool, maxLen int) {
	if len(t) == 0 && required {
		v.add(field, "required", `fill this in, by language, such as {"es": "Albañil"}`)
	}
	v.count(field, len(t), 20)
	codes := make([]string, 0, len(t))
	for code := range t {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		if !languagePattern.MatchString(code) {
			v.language(field, code)
			continue // the path would repeat what was written in place of a code
		}
		v.text(field+"."+code, t[code], 1, maxLen)
	}
}
