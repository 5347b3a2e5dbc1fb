package onward

import (
	"fmt"
	"slices"
	"time"
)

// ReferralStatus is where a referral is in its life.
type ReferralStatus string

// The states of a referral. The first six are live: a person has at most one live referral to an opportunity.
const (
	ReferralDraft      ReferralStatus = "draft"       // chosen, not sent; may wait for a place
	ReferralRequested  ReferralStatus = "requested"   // sent; a place is held
	ReferralAccepted   ReferralStatus = "accepted"    // the organisation said yes
	ReferralOnHold     ReferralStatus = "on_hold"     // something has to come first; goes back to where it was
	ReferralInProgress ReferralStatus = "in_progress" // interview, papers, moving
	ReferralPlaced     ReferralStatus = "placed"      // the person started
	ReferralCompleted  ReferralStatus = "completed"   // the placement ended well, or as it was meant to
	ReferralDeclined   ReferralStatus = "declined"    // the organisation said no
	ReferralFailed     ReferralStatus = "failed"      // it was accepted and came to nothing, or ended badly
	ReferralWithdrawn  ReferralStatus = "withdrawn"   // the person does not want it, or not any more
	ReferralRevoked    ReferralStatus = "revoked"     // taken back: consent, safety, or the opportunity is gone
	ReferralExpired    ReferralStatus = "expired"     // the time of its hold ran out
)

// ReferralStatuses lists the states, the live ones first.
func ReferralStatuses() []ReferralStatus {
	return []ReferralStatus{
		ReferralDraft, ReferralRequested, ReferralAccepted, ReferralOnHold, ReferralInProgress, ReferralPlaced,
		ReferralCompleted, ReferralDeclined, ReferralFailed, ReferralWithdrawn, ReferralRevoked, ReferralExpired,
	}
}

// Live says whether the referral may still lead somewhere.
func (s ReferralStatus) Live() bool {
	switch s {
	case ReferralDraft, ReferralRequested, ReferralAccepted, ReferralOnHold, ReferralInProgress, ReferralPlaced:
		return true
	case ReferralCompleted, ReferralDeclined, ReferralFailed, ReferralWithdrawn, ReferralRevoked, ReferralExpired:
	}
	return false
}

// Holds says whether a referral in this state keeps a place reserved. A draft does while a place is offered to it.
func (s ReferralStatus) Holds() bool {
	return s == ReferralRequested || s == ReferralAccepted || s == ReferralOnHold || s == ReferralInProgress
}

// ReferralEvent moves a referral from one state to another.
type ReferralEvent string

// The events.
const (
	ReferralSend     ReferralEvent = "send"
	ReferralAccept   ReferralEvent = "accept"
	ReferralDecline  ReferralEvent = "decline"
	ReferralPause    ReferralEvent = "pause"
	ReferralResume   ReferralEvent = "resume"
	ReferralBegin    ReferralEvent = "begin"
	ReferralPlace    ReferralEvent = "place"
	ReferralComplete ReferralEvent = "complete"
	ReferralFail     ReferralEvent = "fail"
	ReferralWithdraw ReferralEvent = "withdraw"
	ReferralRevoke   ReferralEvent = "revoke"
	ReferralExpire   ReferralEvent = "expire"
)

// Party is a side of a referral. It decides, with the state, what someone may do.
type Party string

// The parties.
const (
	PartyAgency    Party = "agency"    // counsellors and supervisors of the organisation that the person is registered with
	PartyRecipient Party = "recipient" // the organisation that posted the opportunity
	PartyPartner   Party = "partner"   // the civil-society organisation that monitors the placement
	PartySystem    Party = "system"
)

// Transition is one row of the state machine.
type Transition struct {
	Event ReferralEvent    `json:"event"`
	From  []ReferralStatus `json:"from"`
	// To is the state afterwards; empty: the state that the referral was in before it was put on hold.
	To ReferralStatus `json:"to,omitempty"`
	By []Party        `json:"by"`
	// Reasons are the codes of which one has to be given; empty: none is.
	Reasons []ReferralReason `json:"reasons,omitempty"`
}

// ReferralReason says why a referral ended or is on hold, for programs and figures. What the person is told is a text of
// its own.
type ReferralReason string

// The reasons of the person's side.
const (
	ReasonOtherWork     ReferralReason = "found_other_work"
	ReasonNotInterested ReferralReason = "not_interested"
	ReasonWage          ReferralReason = "wage_too_low"
	ReasonTooFar        ReferralReason = "too_far"
	ReasonFamily        ReferralReason = "family"
	ReasonHealth        ReferralReason = "health"
	ReasonMovedOn       ReferralReason = "moved_on"
	ReasonFeelsUnsafe   ReferralReason = "feels_unsafe"
	ReasonNotReached    ReferralReason = "person_not_reached"
	ReasonPersonOther   ReferralReason = "person_other"
)

// The reasons of the opportunity's side.
const (
	ReasonPlaceTaken        ReferralReason = "place_taken"
	ReasonSkillsMissing     ReferralReason = "skills_missing"
	ReasonDocumentsMissing  ReferralReason = "documents_missing"
	ReasonLanguage          ReferralReason = "language"
	ReasonConditionsChanged ReferralReason = "conditions_changed"
	ReasonNoSuchVacancy     ReferralReason = "no_such_vacancy"
	ReasonDidNotShow        ReferralReason = "did_not_show"
	ReasonTrialFailed       ReferralReason = "trial_failed"
	ReasonPlacementFailed   ReferralReason = "placement_failed"
	ReasonNotAsAgreed       ReferralReason = "not_as_agreed"
	ReasonOpportunityOther  ReferralReason = "opportunity_other"
	ReasonFilled            ReferralReason = "opportunity_filled"
	ReasonClosed            ReferralReason = "opportunity_closed"
	ReasonUnsafe            ReferralReason = "opportunity_unsafe"
	ReasonSuspended         ReferralReason = "organisation_suspended"
)

// The reasons of the programme's side.
const (
	ReasonConsent    ReferralReason = "consent_withdrawn"
	ReasonSafety     ReferralReason = "safety"
	ReasonMistake    ReferralReason = "mistake"
	ReasonNoAnswer   ReferralReason = "no_answer"
	ReasonNotStarted ReferralReason = "not_started"
	ReasonEnded      ReferralReason = "placement_ended"
	ReasonWaitPapers ReferralReason = "waits_for_documents"
	ReasonWaitSeason ReferralReason = "waits_for_season"
)

// ReasonSide says on whose side a reason lies.
type ReasonSide string

// The sides.
const (
	SidePerson      ReasonSide = "person"
	SideOpportunity ReasonSide = "opportunity"
	SideProgramme   ReasonSide = "programme"
)

var (
	personReasons = []ReferralReason{
		ReasonOtherWork, ReasonNotInterested, ReasonWage, ReasonTooFar, ReasonFamily, ReasonHealth, ReasonMovedOn, ReasonFeelsUnsafe, ReasonNotReached,
		ReasonPersonOther,
	}
	answerReasons = []ReferralReason{
		ReasonPlaceTaken, ReasonSkillsMissing, ReasonDocumentsMissing, ReasonLanguage, ReasonConditionsChanged, ReasonNoSuchVacancy, ReasonOpportunityOther,
	}
	failReasons = append([]ReferralReason{
		ReasonDidNotShow, ReasonTrialFailed, ReasonPlacementFailed, ReasonNotAsAgreed, ReasonDocumentsMissing, ReasonConditionsChanged, ReasonNoSuchVacancy,
		ReasonOpportunityOther,
	}, personReasons...)
	revokeReasons = []ReferralReason{
		ReasonConsent, ReasonSafety, ReasonMistake, ReasonFilled, ReasonClosed, ReasonUnsafe, ReasonSuspended,
	}
	pauseReasons = []ReferralReason{ReasonWaitPapers, ReasonWaitSeason, ReasonFamily, ReasonHealth, ReasonPersonOther, ReasonOpportunityOther}
)

// ReferralReasons lists every reason.
func ReferralReasons() []ReferralReason {
	var all []ReferralReason
	for _, t := range referralTransitions {
		for _, r := range t.Reasons {
			if !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all
}

// Side is the side that a reason lies on.
func (r ReferralReason) Side() ReasonSide {
	switch {
	case slices.Contains(personReasons, r):
		return SidePerson
	case slices.Contains(answerReasons, r), slices.Contains(failReasons, r), slices.Contains([]ReferralReason{ReasonFilled, ReasonClosed, ReasonUnsafe, ReasonSuspended}, r):
		return SideOpportunity
	}
	return SideProgramme
}

// beforePlacement are the live states of a referral that was sent and has not led to a start.
var beforePlacement = []ReferralStatus{ReferralRequested, ReferralAccepted, ReferralOnHold, ReferralInProgress}

// referralTransitions is the whole life of a referral. What is not here does not happen.
var referralTransitions = []Transition{
	{ReferralSend, []ReferralStatus{ReferralDraft}, ReferralRequested, []Party{PartyAgency}, nil},
	{ReferralAccept, []ReferralStatus{ReferralRequested}, ReferralAccepted, []Party{PartyRecipient, PartyAgency}, nil},
	{ReferralDecline, []ReferralStatus{ReferralRequested}, ReferralDeclined, []Party{PartyRecipient, PartyAgency, PartySystem}, append(slices.Clone(answerReasons), ReasonFilled, ReasonClosed)},
	{ReferralPause, []ReferralStatus{ReferralRequested, ReferralAccepted, ReferralInProgress}, ReferralOnHold, []Party{PartyAgency, PartyRecipient}, pauseReasons},
	{ReferralResume, []ReferralStatus{ReferralOnHold}, "", []Party{PartyAgency, PartyRecipient}, nil},
	{ReferralBegin, []ReferralStatus{ReferralAccepted}, ReferralInProgress, []Party{PartyAgency, PartyRecipient}, nil},
	{ReferralPlace, []ReferralStatus{ReferralAccepted, ReferralInProgress}, ReferralPlaced, []Party{PartyAgency, PartyRecipient}, nil},
	{ReferralComplete, []ReferralStatus{ReferralPlaced}, ReferralCompleted, []Party{PartyAgency, PartyRecipient, PartyPartner, PartySystem}, []ReferralReason{ReasonEnded}},
	{ReferralFail, []ReferralStatus{ReferralAccepted, ReferralOnHold, ReferralInProgress}, ReferralFailed, []Party{PartyAgency, PartyRecipient, PartySystem}, append(slices.Clone(failReasons), ReasonFilled, ReasonClosed)},
	{ReferralFail, []ReferralStatus{ReferralPlaced}, ReferralFailed, []Party{PartyAgency, PartyRecipient, PartyPartner, PartySystem}, []ReferralReason{ReasonPlacementFailed}},
	{ReferralWithdraw, append([]ReferralStatus{ReferralDraft}, beforePlacement...), ReferralWithdrawn, []Party{PartyAgency, PartySystem}, append(slices.Clone(personReasons), ReasonMistake)},
	{ReferralRevoke, append([]ReferralStatus{ReferralDraft}, beforePlacement...), ReferralRevoked, []Party{PartyAgency, PartySystem}, revokeReasons},
	{ReferralExpire, beforePlacement, ReferralExpired, []Party{PartySystem}, []ReferralReason{ReasonNoAnswer, ReasonNotStarted}},
}

// Transitions is the table of the state machine.
func Transitions() []Transition {
	table := slices.Clone(referralTransitions)
	for i, t := range table {
		table[i].From, table[i].By, table[i].Reasons = slices.Clone(t.From), slices.Clone(t.By), slices.Clone(t.Reasons)
	}
	return table
}

// Next is the state after an event. before is the state that a referral on hold was in. EConflict when the event does not
// fit the state, EForbidden when it is not for this party, EInvalid without one of the reasons that it asks for.
func (s ReferralStatus) Next(event ReferralEvent, by Party, reason ReferralReason, before ReferralStatus) (ReferralStatus, error) {
	for _, t := range referralTransitions {
		if t.Event != event || !slices.Contains(t.From, s) {
			continue
		}
		if !slices.Contains(t.By, by) {
			return s, Errorf(EForbidden, "%q is not for you to do with a referral that is %s", event, s)
		}
		if len(t.Reasons) > 0 && !slices.Contains(t.Reasons, reason) {
			return s, Invalid([]FieldError{{Field: "reason", Rule: "one_of", Message: fmt.Sprintf("say why; use one of: %v", t.Reasons)}})
		}
		if len(t.Reasons) == 0 && reason != "" {
			return s, Invalid([]FieldError{{Field: "reason", Rule: "none", Message: fmt.Sprintf("%q takes no reason; leave it out", event)}})
		}
		if t.To == "" {
			return before, nil
		}
		return t.To, nil
	}
	return s, Errorf(EConflict, "a referral that is %s can't be changed by %q; read it again for its present state", s, event)
}

// Urgency says how soon the organisation has to answer.
type Urgency string

// The urgencies.
const (
	Urgent     Urgency = "urgent"
	Soon       Urgency = "soon"
	NotPressed Urgency = "normal"
)

// Urgencies lists the urgencies from the most pressing.
func Urgencies() []Urgency { return []Urgency{Urgent, Soon, NotPressed} }

// ReplyWithin is how long the organisation has for its answer.
func (u Urgency) ReplyWithin() time.Duration {
	switch u {
	case Urgent:
		return 24 * time.Hour
	case Soon:
		return 72 * time.Hour
	case NotPressed:
	}
	return 14 * 24 * time.Hour
}

const (
	// HoldFor is how long a place is held for a referral that was sent.
	HoldFor = 14 * 24 * time.Hour
	// OfferFor is how long a place that became free is held for the next on the waiting list, until it is sent.
	OfferFor = 3 * 24 * time.Hour
	// StartWithin is how long a place is held after the yes of the organisation, or after the start that the opportunity names.
	StartWithin = 30 * 24 * time.Hour
)

// ChoiceReason says why a counsellor chose what was not first on the list.
type ChoiceReason string

// The reasons. Each but the last tells which part of the score was not believed, or what the list can't know.
const (
	ChoicePerson      ChoiceReason = "person_prefers"
	ChoiceSkills      ChoiceReason = "skills_misjudged"
	ChoiceDestination ChoiceReason = "destination_misjudged"
	ChoiceTerms       ChoiceReason = "terms_misjudged"
	ChoiceFamily      ChoiceReason = "family"
	ChoiceSafety      ChoiceReason = "safety"
	ChoiceTrust       ChoiceReason = "knows_the_organisation"
	ChoiceSpread      ChoiceReason = "also_referred_to_the_first"
	ChoiceOffList     ChoiceReason = "not_on_the_list"
	ChoiceOther       ChoiceReason = "other"
)

// ChoiceReasons lists the reasons.
func ChoiceReasons() []ChoiceReason {
	return []ChoiceReason{
		ChoicePerson, ChoiceSkills, ChoiceDestination, ChoiceTerms, ChoiceFamily, ChoiceSafety, ChoiceTrust, ChoiceSpread, ChoiceOffList, ChoiceOther,
	}
}

// ReferralDetails is what a counsellor says to refer a person to an opportunity.
type ReferralDetails struct {
	ReturneeID    ID `json:"returnee_id"`
	OpportunityID ID `json:"opportunity_id"`
	// RequestID names the ranked list that it was chosen from.
	RequestID    ID           `json:"request_id,omitzero" doc:"The referral request whose list it was chosen from; empty: chosen without a list"`
	Urgency      Urgency      `json:"urgency,omitempty" enum:"urgent,soon,normal" doc:"How soon the organisation has to answer: 24 hours, 72 hours, 2 weeks; empty: normal"`
	ChoiceReason ChoiceReason `json:"choice_reason,omitempty" enum:"person_prefers,skills_misjudged,destination_misjudged,terms_misjudged,family,safety,knows_the_organisation,also_referred_to_the_first,not_on_the_list,other" doc:"Needed for all but the first of the list"`
	ChoiceNote   string       `json:"choice_note,omitempty" maxLength:"1000" doc:"In words, for the own organisation only"`
}

// Validate checks what a counsellor says. rank is the rank in the list, 0 when it is on none.
func (d ReferralDetails) Validate(rank int) error {
	v := newValidator()
	if d.Urgency != "" {
		oneOf(v, "urgency", d.Urgency, Urgencies())
	}
	switch {
	case d.ChoiceReason != "":
		oneOf(v, "choice_reason", d.ChoiceReason, ChoiceReasons())
	case rank == 0:
		v.add("choice_reason", "required", "it is on no list of this person; say why you choose it")
	case rank > 1:
		v.add("choice_reason", "required", "it is number %d on the list; say why you choose it before the first", rank)
	}
	v.text("choice_note", d.ChoiceNote, 0, 1000)
	return v.err()
}

// Referral is a person who is referred to an opportunity, as the agency sees it.
type Referral struct {
	ID             ID             `json:"id"`
	Version        int64          `json:"version"`
	OrganisationID ID             `json:"organisation_id" doc:"The agency"`
	RecipientID    ID             `json:"recipient_id" doc:"The organisation that posted the opportunity"`
	Pseudonym      ID             `json:"pseudonym" doc:"By what name the recipient knows the person until it accepts"`
	Status         ReferralStatus `json:"status" enum:"draft,requested,accepted,on_hold,in_progress,placed,completed,declined,failed,withdrawn,revoked,expired"`
	ReferralDetails
	Rank        int            `json:"rank,omitempty" doc:"On the list; empty: on none"`
	HeldFrom    ReferralStatus `json:"held_from,omitempty" doc:"Where it was before it was put on hold"`
	Reason      ReferralReason `json:"reason,omitempty" doc:"Why it ended, or is on hold"`
	ReasonSide  ReasonSide     `json:"reason_side,omitempty" enum:"person,opportunity,programme"`
	EndedFrom   ReferralStatus `json:"ended_from,omitempty" doc:"The state that it ended in"`
	Told        string         `json:"told,omitempty" doc:"What the person is told, in the counsellor's words; never the code"`
	ToTell      string         `json:"to_tell,omitempty" doc:"What the person can be told where the counsellor wrote nothing, in the person's language; shown when one referral is read or changed"`
	Question    string         `json:"question,omitempty" doc:"What the recipient needs to know before it answers"`
	Information string         `json:"information,omitempty" doc:"What the agency answered to that"`
	HoldUntil   *time.Time     `json:"hold_until,omitempty" doc:"Until when a place is held"`
	ReplyDueAt  *time.Time     `json:"reply_due_at,omitempty"`
	Overdue     bool           `json:"overdue,omitempty" doc:"The recipient has not answered in time"`
	WaitingFrom *time.Time     `json:"waiting_from,omitempty" doc:"Since when it is on the waiting list"`
	Ahead       int            `json:"ahead,omitempty" doc:"How many wait before it; shown when one referral is read"`
	CreatedBy   ID             `json:"created_by"`
	CreatedAt   time.Time      `json:"created_at"`
	SentAt      *time.Time     `json:"sent_at,omitempty"`
	AnsweredAt  *time.Time     `json:"answered_at,omitempty"`
	PlacedAt    *time.Time     `json:"placed_at,omitempty"`
	EndedAt     *time.Time     `json:"ended_at,omitempty"`
	UpdatedAt   time.Time      `json:"updated_at"`
}

// ReceivedReferral is a referral as the recipient sees it: by pseudonym.
type ReceivedReferral struct {
	ID            ID             `json:"id"`
	Version       int64          `json:"version"`
	OpportunityID ID             `json:"opportunity_id"`
	AgencyID      ID             `json:"agency_id" doc:"The organisation that refers"`
	Agency        string         `json:"agency" doc:"Its name"`
	Pseudonym     ID             `json:"pseudonym" doc:"The same for one person and one opportunity"`
	Status        ReferralStatus `json:"status" enum:"requested,accepted,on_hold,in_progress,placed,completed,declined,failed,withdrawn,revoked,expired"`
	Reason        ReferralReason `json:"reason,omitempty" doc:"Only what lies on the opportunity's side"`
	Urgency       Urgency        `json:"urgency" enum:"urgent,soon,normal"`
	Question      string         `json:"question,omitempty"`
	Information   string         `json:"information,omitempty"`
	HoldUntil     *time.Time     `json:"hold_until,omitempty"`
	ReplyDueAt    *time.Time     `json:"reply_due_at,omitempty"`
	Overdue       bool           `json:"overdue,omitempty"`
	SentAt        *time.Time     `json:"sent_at,omitempty"`
	AnsweredAt    *time.Time     `json:"answered_at,omitempty"`
	EndedAt       *time.Time     `json:"ended_at,omitempty"`
}

// ReferralChange is what someone does with a referral.
type ReferralChange struct {
	Event  ReferralEvent  `json:"event" enum:"send,accept,decline,pause,resume,begin,fail,withdraw,revoke"`
	Reason ReferralReason `json:"reason,omitempty" doc:"A code of GET /v1/referral-transitions; needed where it lists reasons"`
	Note   string         `json:"note,omitempty" maxLength:"1000" doc:"In words, for the own organisation only"`
	// Told is kept apart from the reason: a person is never shown a code.
	Told string `json:"told,omitempty" maxLength:"1000" doc:"What the person is to be told, in the person's language; by the agency"`
}

// Validate checks the texts.
func (c ReferralChange) Validate() error {
	v := newValidator()
	v.text("note", c.Note, 0, 1000)
	v.text("told", c.Told, 0, 1000)
	return v.err()
}

// ReferralStep is one line of the history of a referral.
type ReferralStep struct {
	At     time.Time      `json:"at"`
	Event  string         `json:"event"`
	From   ReferralStatus `json:"from,omitempty"`
	To     ReferralStatus `json:"to"`
	Party  Party          `json:"party" enum:"agency,recipient,partner,system"`
	UserID ID             `json:"user_id,omitzero" doc:"Of the own organisation; empty: someone else"`
	Reason ReferralReason `json:"reason,omitempty"`
	Note   string         `json:"note,omitempty"`
}

// CloseRule says what becomes of the referrals in one state when their opportunity closes for one reason.
type CloseRule struct {
	Close  CloseReason    `json:"close_reason" enum:"filled,withdrawn,expired,unsafe"`
	Status ReferralStatus `json:"status" enum:"draft,requested,accepted,on_hold,in_progress"`
	// Event ends it; empty: it goes on.
	Event  ReferralEvent  `json:"event,omitempty" enum:"decline,fail,withdraw,revoke" doc:"Empty: the referral goes on"`
	Reason ReferralReason `json:"reason,omitempty"`
}

// DefaultCloseRules are used where an agency has no rule of its own. Who was accepted keeps the place when the
// opportunity fills up or its time is over; no one keeps a place that is not safe.
func DefaultCloseRules() []CloseRule {
	var rules []CloseRule
	add := func(reason CloseReason, status ReferralStatus, event ReferralEvent, why ReferralReason) {
		rules = append(rules, CloseRule{reason, status, event, why})
	}
	for _, reason := range []CloseReason{CloseFilled, CloseExpired} {
		why := ReasonFilled
		if reason == CloseExpired {
			why = ReasonClosed
		}
		add(reason, ReferralDraft, ReferralRevoke, why)
		add(reason, ReferralRequested, ReferralDecline, why)
		add(reason, ReferralAccepted, "", "")
		add(reason, ReferralOnHold, "", "")
		add(reason, ReferralInProgress, "", "")
	}
	for _, status := range append([]ReferralStatus{ReferralDraft}, beforePlacement...) {
		add(CloseWithdrawn, status, ReferralRevoke, ReasonClosed)
		add(CloseUnsafe, status, ReferralRevoke, ReasonUnsafe)
	}
	return rules
}

// Validate checks that the rule is a transition that the system may make.
func (r CloseRule) Validate() error {
	v := newValidator()
	oneOf(v, "close_reason", r.Close, CloseReasons())
	oneOf(v, "status", r.Status, append([]ReferralStatus{ReferralDraft}, beforePlacement...))
	if err := v.err(); err != nil {
		return err
	}
	if r.Event == "" {
		if r.Close == CloseUnsafe {
			return Invalid([]FieldError{{Field: "event", Rule: "unsafe", Message: "no referral goes on when the opportunity is not safe; name the event that ends it"}})
		}
		return nil
	}
	next, err := r.Status.Next(r.Event, PartySystem, r.Reason, "")
	if err == nil && next.Live() {
		err = Errorf(EInvalid, "a rule has to end the referral, or leave event out")
	}
	if CodeOf(err) == EConflict || CodeOf(err) == EForbidden {
		return Invalid([]FieldError{{Field: "event", Rule: "one_of", Message: fmt.Sprintf("a referral that is %s can't be ended so; GET /v1/referral-transitions shows what fits", r.Status)}})
	}
	return err
}

// ValidateMessage checks a text from one side to the other.
func ValidateMessage(field, text string) error {
	v := newValidator()
	v.text(field, text, 1, 1000)
	return v.err()
}

// SharedIdentity is what an organisation that accepted a person is told of who it is.
type SharedIdentity struct {
	GivenName  string `json:"given_name,omitempty"`
	FamilyName string `json:"family_name,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Language   string `json:"language,omitempty" doc:"To speak with the person"`
}
