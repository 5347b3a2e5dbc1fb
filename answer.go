package onward

import "time"

// AnswerLink lets whoever holds it answer one referral once, without a login.
type AnswerLink struct {
	ReferralID ID        `json:"referral_id"`
	Token      string    `json:"token" doc:"Shown this once; GET /v1/answers/{token} shows the card, POST answers"`
	ExpiresAt  time.Time `json:"expires_at" doc:"When the place is not held any more"`
}

// AnswerKind is what a recipient answers to a referral.
type AnswerKind string

// The answers.
const (
	AnswerYes AnswerKind = "yes"
	AnswerNo  AnswerKind = "no"
	AnswerAsk AnswerKind = "need_information"
)

// Event is what an answer does with the referral; empty for a question.
func (k AnswerKind) Event() ReferralEvent {
	switch k {
	case AnswerYes:
		return ReferralAccept
	case AnswerNo:
		return ReferralDecline
	case AnswerAsk:
	}
	return ""
}

// Answer is a recipient's answer by link.
type Answer struct {
	Answer   AnswerKind     `json:"answer" enum:"yes,no,need_information"`
	Reason   ReferralReason `json:"reason,omitempty" enum:"place_taken,skills_missing,documents_missing,language,conditions_changed,no_such_vacancy,opportunity_other" doc:"Needed for no"`
	Question string         `json:"question,omitempty" maxLength:"1000" doc:"Needed for need_information"`
}

// Validate checks that the answer is whole.
func (a Answer) Validate() error {
	v := newValidator()
	oneOf(v, "answer", a.Answer, []AnswerKind{AnswerYes, AnswerNo, AnswerAsk})
	switch {
	case a.Answer == AnswerNo:
		oneOf(v, "reason", a.Reason, answerReasons)
	case a.Reason != "":
		v.add("reason", "none", "only no takes a reason; leave it out")
	}
	switch {
	case a.Answer == AnswerAsk:
		v.text("question", a.Question, 1, 1000)
	case a.Question != "":
		v.add("question", "none", "a question is sent with the answer need_information; leave it out")
	}
	return v.err()
}

// ReferralCard is what a recipient sees of a person before the answer: nothing that tells who it is.
type ReferralCard struct {
	Referral    ReceivedReferral `json:"referral"`
	Opportunity Text             `json:"opportunity" doc:"Its title"`
	Place       string           `json:"place,omitempty"`
	Card        *CandidateCard   `json:"card,omitempty" doc:"Skills and requirements of the opportunity; empty when the person meets them no longer"`
	AvailableOn Date             `json:"available_on,omitzero" format:"date"`
}

// ValidateCloseRules checks rules of an agency: each a transition that there is, and one for a case.
func ValidateCloseRules(rules []CloseRule) error {
	v := newValidator()
	v.count("rules", len(rules), len(DefaultCloseRules()))
	distinct(v, "rules", rules, "status", func(r CloseRule) CloseRule { return CloseRule{Close: r.Close, Status: r.Status} })
	if err := v.err(); err != nil {
		return err
	}
	for _, r := range rules {
		if err := r.Validate(); err != nil {
			return err
		}
	}
	return nil
}
