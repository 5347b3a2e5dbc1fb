package onward

import (
	"slices"
	"time"
)

// PlacementSource says who or what tells of a placement, from the surest.
type PlacementSource string

// The sources.
const (
	SourcePayroll  PlacementSource = "payroll"
	SourceEmployer PlacementSource = "employer"
	SourcePartner  PlacementSource = "partner"
	SourceSelf     PlacementSource = "self"
)

// PlacementSources lists the sources from the surest.
func PlacementSources() []PlacementSource {
	return []PlacementSource{SourcePayroll, SourceEmployer, SourcePartner, SourceSelf}
}

// ConfirmingSide is a side that confirms a placement.
type ConfirmingSide string

// The two sides.
const (
	SideOrganisation ConfirmingSide = "organisation"
	SideReturnee     ConfirmingSide = "returnee"
)

// sourcesOf are the sources that speak for a side.
var sourcesOf = map[ConfirmingSide][]PlacementSource{
	SideOrganisation: {SourcePayroll, SourceEmployer},
	SideReturnee:     {SourceSelf, SourcePartner},
}

// Contract says on what paper someone works.
type Contract string

// The contracts.
const (
	ContractOpen     Contract = "open_ended"
	ContractFixed    Contract = "fixed_term"
	ContractSeasonal Contract = "seasonal"
	ContractTrainee  Contract = "trainee"
	ContractOwn      Contract = "own_enterprise"
	ContractMember   Contract = "member"
	ContractVerbal   Contract = "verbal"
)

// Contracts lists the contracts.
func Contracts() []Contract {
	return []Contract{ContractOpen, ContractFixed, ContractSeasonal, ContractTrainee, ContractOwn, ContractMember, ContractVerbal}
}

// PlacementDetails is what is known of a placement. What nobody told is unknown.
type PlacementDetails struct {
	StartedOn    Date       `json:"started_on" format:"date"`
	WageMinor    *int64     `json:"wage_minor,omitempty" minimum:"0" doc:"In minor units of the currency, for wage_period"`
	Currency     string     `json:"currency,omitempty"`
	WagePeriod   WagePeriod `json:"wage_period,omitempty" enum:"hour,day,week,month,year"`
	HoursPerWeek *float64   `json:"hours_per_week,omitempty"`
	Contract     Contract   `json:"contract,omitempty" enum:"open_ended,fixed_term,seasonal,trainee,own_enterprise,member,verbal"`
	ContractEnds Date       `json:"contract_ends,omitzero" format:"date"`
	// Where the person lives now.
	PlaceID   PlaceID `json:"place_id,omitempty" doc:"Where the person lives; empty: unknown or abroad"`
	Abroad    bool    `json:"abroad,omitempty" doc:"The person lives in another country"`
	PartnerID ID      `json:"partner_id,omitzero" doc:"The civil-society organisation that monitors it; empty: none yet"`
}

// Validate checks what is told of a placement.
func (d PlacementDetails) Validate(today Date, vocabulary Vocabulary) error {
	v := newValidator()
	if d.StartedOn.IsZero() || d.StartedOn.After(today) {
		v.add("started_on", "date", "give the first day, today or earlier; a start that is to come is not a placement yet")
	}
	optional(d.WageMinor, func(n int64) {
		v.intRange("wage_minor", n, 0, 1e15)
		if !currencyPattern.MatchString(d.Currency) {
			v.add("currency", "currency", "use a three-letter currency code (ISO 4217), such as MXN")
		}
		oneOf(v, "wage_period", d.WagePeriod, WagePeriods())
	})
	optional(d.HoursPerWeek, func(h float64) {
		if !(h > 0 && h <= 100) {
			v.add("hours_per_week", "range", "use hours from 1 to 100, or leave it out when unknown")
		}
	})
	if d.Contract != "" {
		oneOf(v, "contract", d.Contract, Contracts())
	}
	if !d.ContractEnds.IsZero() && d.ContractEnds.Before(d.StartedOn) {
		v.add("contract_ends", "order", "use a day after started_on, or leave it out")
	}
	switch {
	case d.PlaceID != 0 && d.Abroad:
		v.add("abroad", "contradiction", "name a place or say that it is abroad, not both")
	case d.PlaceID != 0:
		v.place(vocabulary, "place_id", d.PlaceID)
	}
	return v.err()
}

// PlacementEnd says why a placement ended.
type PlacementEnd string

// The ends.
const (
	EndContract     PlacementEnd = "contract_completed"
	EndResigned     PlacementEnd = "resigned"
	EndDismissed    PlacementEnd = "dismissed"
	EndClosed       PlacementEnd = "employer_closed"
	EndBetterJob    PlacementEnd = "better_job"
	EndMovedWithJob PlacementEnd = "onward_move_internal"
	EndRemigrated   PlacementEnd = "remigrated"
	EndUnsafe       PlacementEnd = "unsafe_or_abusive_work"
	EndUnreachable  PlacementEnd = "unreachable"
	EndHealth       PlacementEnd = "health"
	EndFamily       PlacementEnd = "family"
	EndDied         PlacementEnd = "died"
)

// PlacementOutcome is what an end counts as in the figures.
type PlacementOutcome string

// The outcomes. Moving on with a job is one of its own: neither success here nor failure.
const (
	OutcomeLasting PlacementOutcome = "lasting"     // it ended as it was meant to, or for something better
	OutcomeMovedOn PlacementOutcome = "moved_on"    // the person lives and works elsewhere
	OutcomeLost    PlacementOutcome = "lost"        // lost to follow-up: nobody knows
	OutcomeEnded   PlacementOutcome = "ended_early" // it did not last
	OutcomeOther   PlacementOutcome = "other"       // it says nothing of the placement
)

var outcomeOfEnd = map[PlacementEnd]PlacementOutcome{
	EndContract: OutcomeLasting, EndBetterJob: OutcomeLasting,
	EndMovedWithJob: OutcomeMovedOn,
	EndUnreachable:  OutcomeLost,
	EndResigned:     OutcomeEnded, EndDismissed: OutcomeEnded, EndClosed: OutcomeEnded, EndUnsafe: OutcomeEnded, EndRemigrated: OutcomeEnded,
	EndHealth: OutcomeOther, EndFamily: OutcomeOther, EndDied: OutcomeOther,
}

// PlacementEnds lists the ends.
func PlacementEnds() []PlacementEnd {
	return []PlacementEnd{
		EndContract, EndResigned, EndDismissed, EndClosed, EndBetterJob, EndMovedWithJob, EndRemigrated, EndUnsafe, EndUnreachable, EndHealth, EndFamily, EndDied,
	}
}

// Outcome is what the end counts as.
func (e PlacementEnd) Outcome() PlacementOutcome { return outcomeOfEnd[e] }

// Completes says whether the referral of a placement that ended so is completed; else it failed.
func (e PlacementEnd) Completes() bool { return e.Outcome() != OutcomeEnded }

// FreesPlace says whether someone else can have the place afterwards: one that was meant to end does not come back.
func (e PlacementEnd) FreesPlace() bool { return e != EndContract && e != EndClosed }

// Placement is a person in a job, a training or another opportunity, after the start.
type Placement struct {
	ID             ID    `json:"id"`
	Version        int64 `json:"version"`
	ReferralID     ID    `json:"referral_id"`
	OrganisationID ID    `json:"organisation_id" doc:"The agency"`
	ReturneeID     ID    `json:"returnee_id,omitzero" doc:"Left out for the recipient"`
	Pseudonym      ID    `json:"pseudonym"`
	OpportunityID  ID    `json:"opportunity_id"`
	RecipientID    ID    `json:"recipient_id"`
	Kind           Kind  `json:"kind"`
	PlacementDetails
	OrganisationSaid *Confirmation    `json:"organisation_said,omitempty" doc:"The organisation's confirmation of the start"`
	ReturneeSaid     *Confirmation    `json:"returnee_said,omitempty" doc:"The person's"`
	Confirmed        bool             `json:"confirmed" doc:"Both sides said so"`
	EndedOn          Date             `json:"ended_on,omitzero" format:"date"`
	EndReason        PlacementEnd     `json:"end_reason,omitempty"`
	Outcome          PlacementOutcome `json:"outcome,omitempty" enum:"lasting,moved_on,lost,ended_early,other"`
	CreatedAt        time.Time        `json:"created_at"`
	UpdatedAt        time.Time        `json:"updated_at"`
}

// Confirmation is one side's word that a placement started.
type Confirmation struct {
	Source PlacementSource `json:"source" enum:"payroll,employer,self,partner"`
	At     time.Time       `json:"at"`
}

// Confirm is a side's word.
type Confirm struct {
	Side   ConfirmingSide  `json:"side" enum:"organisation,returnee"`
	Source PlacementSource `json:"source" enum:"payroll,employer,self,partner" doc:"payroll and employer speak for the organisation, self and partner for the returnee"`
}

// Validate checks that the source speaks for the side.
func (c Confirm) Validate() error {
	v := newValidator()
	oneOf(v, "side", c.Side, []ConfirmingSide{SideOrganisation, SideReturnee})
	oneOf(v, "source", c.Source, PlacementSources())
	if len(v.fields) == 0 && !slices.Contains(sourcesOf[c.Side], c.Source) {
		v.add("source", "side", "this source does not speak for that side; use one of: %v", sourcesOf[c.Side])
	}
	return v.err()
}

// EndPlacement ends one.
type EndPlacement struct {
	EndedOn Date            `json:"ended_on" format:"date" doc:"The last day"`
	Reason  PlacementEnd    `json:"reason" enum:"contract_completed,resigned,dismissed,employer_closed,better_job,onward_move_internal,remigrated,unsafe_or_abusive_work,unreachable,health,family,died"`
	Source  PlacementSource `json:"source" enum:"payroll,employer,self,partner"`
	Told    string          `json:"told,omitempty" maxLength:"1000" doc:"What the person is told"`
}

// Validate checks an end against the start.
func (e EndPlacement) Validate(started, today Date) error {
	v := newValidator()
	if e.EndedOn.IsZero() || e.EndedOn.After(today) || e.EndedOn.Before(started) {
		v.add("ended_on", "date", "give the last day, from the start of the placement to today")
	}
	oneOf(v, "reason", e.Reason, PlacementEnds())
	oneOf(v, "source", e.Source, PlacementSources())
	v.text("told", e.Told, 0, 1000)
	return v.err()
}

// SurerThan says whether a source is to be believed before another.
func (s PlacementSource) SurerThan(other PlacementSource) bool {
	return slices.Index(PlacementSources(), s) < slices.Index(PlacementSources(), other)
}
