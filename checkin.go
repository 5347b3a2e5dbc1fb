package onward

import (
	"slices"
	"time"
)

// CheckInStatus is where a check-in is in its life.
type CheckInStatus string

// The states.
const (
	CheckInPlanned   CheckInStatus = "planned"
	CheckInDue       CheckInStatus = "due"
	CheckInDone      CheckInStatus = "done"
	CheckInMissed    CheckInStatus = "missed"    // the person could not be reached: lost to follow-up at this point
	CheckInCancelled CheckInStatus = "cancelled" // nothing is left to ask, or the person does not agree to be asked
)

// CheckInPurpose says what a check-in asks.
type CheckInPurpose string

// The purposes.
const (
	AsksPlacement      CheckInPurpose = "placement"
	AsksSustainability CheckInPurpose = "sustainability" // how the person's return is going, beyond the work
)

// CheckInPlan is when the people of a placement are asked, in days from its start.
type CheckInPlan struct {
	Kind    Kind           `json:"kind"`
	Purpose CheckInPurpose `json:"purpose"`
	Days    []int          `json:"days"`
}

// CheckInPlans is the whole plan. What is short is asked about less often, but also after its end: whether a training led to
// work shows later. How the return goes is asked at 0, 6 and 12 months, whatever the kind.
func CheckInPlans() []CheckInPlan {
	var plans []CheckInPlan
	for _, kind := range Kinds() {
		days := []int{30, 90, 180, 365}
		switch kind {
		case CashForWork:
			days = []int{30, 90}
		case Training, ProjectPlace:
			days = []int{30, 90, 180}
		case Job, Apprenticeship, EnterpriseGrant, Cooperative:
		}
		plans = append(plans, CheckInPlan{kind, AsksPlacement, days}, CheckInPlan{kind, AsksSustainability, []int{0, 182, 365}})
	}
	return plans
}

// QuestionnaireOf is the code of the questionnaire that is asked.
func (p CheckInPurpose) QuestionnaireOf() string {
	if p == AsksSustainability {
		return "reintegration-sustainability"
	}
	return "placement-check-in"
}

const (
	// missedAfter is how many attempts have to fail before a check-in is given up, and missedOver over how many days at least.
	missedAfter = 3
	missedOver  = 7
)

// CheckIn is one planned talk with a person.
type CheckIn struct {
	ID             ID               `json:"id"`
	Version        int64            `json:"version"`
	OrganisationID ID               `json:"organisation_id" doc:"The agency"`
	PartnerID      ID               `json:"partner_id,omitzero" doc:"The civil-society organisation that asks; empty: the agency does"`
	ReturneeID     ID               `json:"returnee_id"`
	PlacementID    ID               `json:"placement_id"`
	Purpose        CheckInPurpose   `json:"purpose" enum:"placement,sustainability"`
	Day            int              `json:"day" doc:"Days from the start of the placement"`
	DueOn          Date             `json:"due_on" format:"date"`
	Status         CheckInStatus    `json:"status" enum:"planned,due,done,missed,cancelled"`
	CancelledFor   string           `json:"cancelled_for,omitempty" doc:"no_consent, placement_ended"`
	Attempts       int              `json:"attempts" doc:"How often someone tried"`
	StillThere     StillThere       `json:"still_there,omitempty" enum:"yes,no,unknown"`
	Questionnaire  QuestionnaireRef `json:"questionnaire,omitzero" doc:"What was asked"`
	Scores         *Scores          `json:"scores,omitempty" doc:"Of what was answered"`
	DoneAt         *time.Time       `json:"done_at,omitempty"`
}

// StillThere says whether a person is still in the placement.
type StillThere string

// The answers.
const (
	StillYes     StillThere = "yes"
	StillNo      StillThere = "no"
	StillUnknown StillThere = "unknown"
)

// Attempt is one try to reach a person.
type Attempt struct {
	At        time.Time `json:"at" doc:"Set by Onward"`
	Channel   string    `json:"channel" enum:"call,visit,message,other"`
	Outcome   string    `json:"outcome" enum:"reached,no_answer,wrong_number,refused,moved"`
	Alternate bool      `json:"alternate,omitempty" doc:"By the alternate contact"`
	Note      string    `json:"note,omitempty" maxLength:"500"`
	UserID    ID        `json:"user_id,omitzero" doc:"Set by Onward"`
}

// Validate checks an attempt.
func (a Attempt) Validate() error {
	v := newValidator()
	oneOf(v, "channel", a.Channel, []string{"call", "visit", "message", "other"})
	oneOf(v, "outcome", a.Outcome, []string{"reached", "no_answer", "wrong_number", "refused", "moved"})
	v.text("note", a.Note, 0, 500)
	return v.err()
}

// MayBeMissed says whether enough was tried to give a check-in up.
func MayBeMissed(attempts []Attempt) error {
	failed := slices.DeleteFunc(slices.Clone(attempts), func(a Attempt) bool { return a.Outcome == "reached" })
	if len(failed) >= missedAfter {
		first := slices.MinFunc(failed, func(a, b Attempt) int { return a.At.Compare(b.At) })
		last := slices.MaxFunc(failed, func(a, b Attempt) int { return a.At.Compare(b.At) })
		if DateOf(first.At).AddDays(missedOver).Time().Compare(DateOf(last.At).Time()) <= 0 {
			return nil
		}
	}
	return Errorf(EConflict, "try at least %d times over %d days, also the alternate contact, before you give it up; %d failed attempts are recorded", missedAfter, missedOver, len(failed))
}

// CheckInResult is what came out of a talk.
type CheckInResult struct {
	TalkedOn   Date              `json:"talked_on" format:"date"`
	StillThere StillThere        `json:"still_there" enum:"yes,no,unknown"`
	EndedOn    Date              `json:"ended_on,omitzero" format:"date" doc:"With no: the last day"`
	EndReason  PlacementEnd      `json:"end_reason,omitempty" doc:"With no: why it ended, as when a placement is ended"`
	PlaceID    PlaceID           `json:"place_id,omitempty" doc:"Where the person lives now; empty: unknown or abroad"`
	Abroad     bool              `json:"abroad,omitempty"`
	Language   string            `json:"language,omitempty" doc:"In which it was asked"`
	Answers    map[string]string `json:"answers,omitempty" doc:"By item of the questionnaire; numbers as text. Leave out what was not answered"`
}

// Validate checks a result; the answers are for the questionnaire to check.
func (r CheckInResult) Validate(today Date, vocabulary Vocabulary) error {
	v := newValidator()
	if r.TalkedOn.IsZero() || r.TalkedOn.After(today) {
		v.add("talked_on", "date", "give the day of the talk, today or earlier")
	}
	oneOf(v, "still_there", r.StillThere, []StillThere{StillYes, StillNo, StillUnknown})
	if r.StillThere == StillNo {
		oneOf(v, "end_reason", r.EndReason, PlacementEnds())
		if r.EndedOn.IsZero() || r.EndedOn.After(today) {
			v.add("ended_on", "date", "give the last day, today or earlier")
		}
	} else if r.EndReason != "" || !r.EndedOn.IsZero() {
		v.add("end_reason", "contradiction", "say that the person is not there any more, or leave this out")
	}
	switch {
	case r.PlaceID != 0 && r.Abroad:
		v.add("abroad", "contradiction", "name a place or say that it is abroad, not both")
	case r.PlaceID != 0:
		v.place(vocabulary, "place_id", r.PlaceID)
	}
	if len(r.Answers) > 300 {
		v.add("answers", "count", "send at most 300 answers")
	}
	return v.err()
}

// ContactCard is how to reach a person for a check-in: shown to who is to ask, while the person agrees to be asked.
type ContactCard struct {
	GivenName  string            `json:"given_name,omitempty"`
	FamilyName string            `json:"family_name,omitempty"`
	Phone      string            `json:"phone,omitempty"`
	Language   string            `json:"language,omitempty" doc:"To speak with the person"`
	Alternate  *AlternateContact `json:"alternate_contact,omitempty" doc:"Whom to ask when the person can't be reached; never say why you ask"`
}

// AlternateContact is whom a person named for when they can't be reached.
type AlternateContact struct {
	Name     string `json:"name,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Relation string `json:"relation,omitempty" doc:"Such as sister"`
}

// SustainabilityPoint is one measurement of how a return goes.
type SustainabilityPoint struct {
	CheckInID ID     `json:"check_in_id"`
	Month     int    `json:"month" doc:"0, 6 or 12"`
	On        Date   `json:"on" format:"date"`
	Scores    Scores `json:"scores"`
}

func (a AlternateContact) validate(v *validator, field string) {
	v.text(field+".name", a.Name, 0, 200)
	v.text(field+".phone", a.Phone, 0, 40)
	v.text(field+".relation", a.Relation, 0, 100)
}
