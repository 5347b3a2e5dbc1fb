package onward

import "time"

// EventKind names what happened, for webhooks and notices.
type EventKind string

// The events.
const (
	EventReferralRequested EventKind = "referral.requested" // to the recipient
	EventReferralReminder  EventKind = "referral.reminder"  // to the recipient: no answer yet
	EventReferralOverdue   EventKind = "referral.overdue"   // to the agency's supervisors: no answer in time
	EventReferralAnswered  EventKind = "referral.answered"  // to the counsellor
	EventReferralQuestion  EventKind = "referral.question"  // to the counsellor: the recipient needs to know something
	EventReferralInformed  EventKind = "referral.informed"  // to the recipient: the agency answered the question
	EventReferralOffered   EventKind = "referral.offered"   // to the counsellor: a place became free for someone who waits
	EventReferralEnded     EventKind = "referral.ended"     // to the other side
	EventPlacementStarted  EventKind = "placement.started"
	EventPlacementEnded    EventKind = "placement.ended"
	EventReconfirm         EventKind = "opportunity.reconfirm" // to the recipient: does it still stand?
	EventCheckInDue        EventKind = "check_in.due"          // to the partner
	EventAlertRaised       EventKind = "alert.raised"          // to the agency's supervisors, and the counsellor
	EventAlertOverdue      EventKind = "alert.overdue"         // to the agency's supervisors
	EventAlertResolved     EventKind = "alert.resolved"        // to whoever raised it
	EventVettingExpired    EventKind = "vetting.expired"       // to those who vet
	EventConsentExpiring   EventKind = "consent.expiring"      // to the counsellor: ask the person again
	EventDeletionRequested EventKind = "deletion.requested"    // to who was shown a person: delete it, and confirm
	EventDeletionOverdue   EventKind = "deletion.overdue"      // to both: not confirmed in time
	EventDeletionConfirmed EventKind = "deletion.confirmed"    // to the counsellor
	EventRetentionDue      EventKind = "retention.due"         // to the counsellor: the time of a person is over in thirty days
	EventHoldReview        EventKind = "legal_hold.review"     // to the supervisors: is it still needed?
	EventAccountInvited    EventKind = "account.invited"       // to a new user: choose a password
	EventAccountReset      EventKind = "account.reset"         // to the user: choose another password
	EventAccountChanged    EventKind = "account.changed"       // to the user: how they sign in was changed
	EventEmergencyOpened   EventKind = "emergency.opened"      // to the supervisors, and the person's counsellor
	EventEmergencyReview   EventKind = "emergency.review"      // to the supervisors: nobody has reviewed it
)

// EventKinds lists the events.
func EventKinds() []EventKind {
	return []EventKind{
		EventReferralRequested, EventReferralReminder, EventReferralOverdue, EventReferralAnswered, EventReferralQuestion, EventReferralInformed,
		EventReferralOffered, EventReferralEnded, EventPlacementStarted, EventPlacementEnded, EventReconfirm, EventCheckInDue, EventAlertRaised, EventAlertOverdue, EventAlertResolved,
		EventVettingExpired, EventWebhookDisabled, EventConsentExpiring, EventDeletionRequested, EventDeletionOverdue, EventDeletionConfirmed, EventRetentionDue, EventHoldReview,
		EventAccountInvited, EventAccountReset, EventAccountChanged,
		EventEmergencyOpened, EventEmergencyReview,
	}
}

// Event is something that happened, told to one organisation. It holds ids and states, never what identifies a person, and no reason:
// the record has it for those who may read it.
type Event struct {
	ID             ID        `json:"id"`
	Kind           EventKind `json:"kind"`
	OrganisationID ID        `json:"organisation_id" doc:"Who is told"`
	UserID         ID        `json:"user_id,omitzero" doc:"The user who is meant; empty: whoever has the role"`
	Role           Role      `json:"role,omitempty" doc:"The role that is meant; empty: the user"`
	// SubjectID names the referral, placement, opportunity, check-in or alert.
	SubjectID ID        `json:"subject_id"`
	Status    string    `json:"status,omitempty" doc:"The state of the subject then"`
	At        time.Time `json:"at"`
}
