package sentences

import "onward"

// told is which sentence stands for which reason. Reasons that would hurt or endanger someone share one that says no more than
// that it is over.
var told = map[onward.ReferralReason]string{
	onward.ReasonOtherWork: "person", onward.ReasonNotInterested: "person", onward.ReasonWage: "person", onward.ReasonTooFar: "person",
	onward.ReasonFamily: "person", onward.ReasonHealth: "person", onward.ReasonMovedOn: "person", onward.ReasonPersonOther: "person",
	onward.ReasonFeelsUnsafe: "safety", onward.ReasonSafety: "safety", onward.ReasonUnsafe: "safety", onward.ReasonSuspended: "safety",
	onward.ReasonNotReached: "not_reached",
	onward.ReasonPlaceTaken: "taken", onward.ReasonFilled: "taken",
	onward.ReasonSkillsMissing: "not_this_time", onward.ReasonLanguage: "not_this_time", onward.ReasonTrialFailed: "not_this_time",
	onward.ReasonPlacementFailed: "not_this_time", onward.ReasonOpportunityOther: "not_this_time",
	onward.ReasonDocumentsMissing:  "papers",
	onward.ReasonConditionsChanged: "changed", onward.ReasonNotAsAgreed: "changed",
	onward.ReasonNoSuchVacancy: "gone", onward.ReasonClosed: "gone",
	onward.ReasonConsent: "consent", onward.ReasonMistake: "mistake",
	onward.ReasonNoAnswer: "no_answer", onward.ReasonNotStarted: "ended", onward.ReasonEnded: "ended", onward.ReasonDidNotShow: "ended",
}

// Told is what a person can be told of where a referral is, or how it ended: never a code, and nothing that only one side
// should know. Empty when there is nothing to tell yet.
func (w *Writer) Told(status onward.ReferralStatus, reason onward.ReferralReason) string {
	switch {
	case status == onward.ReferralAccepted:
		return w.say("told.accepted", nil)
	case status == onward.ReferralOnHold:
		return w.say("told.on_hold", nil)
	case status.Live() || reason == "":
		return ""
	}
	if id, ok := told[reason]; ok {
		return w.say("told."+id, nil)
	}
	return w.say("told.ended", nil)
}
