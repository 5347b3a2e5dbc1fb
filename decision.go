package onward

import "time"

// Decision is the record of why somebody was referred to an opportunity: what the model proposed, by which versions, what stood higher, and who
// decided. It is written with the referral and never changed. It holds ids, numbers and codes alone.
type Decision struct {
	ReferralID         ID        `json:"referral_id"`
	ReturneeID         ID        `json:"returnee_id"`
	OpportunityID      ID        `json:"opportunity_id"`
	OpportunityVersion int64     `json:"opportunity_version" doc:"As it was when it was chosen"`
	DecidedBy          ID        `json:"decided_by" doc:"A human being; the model only ranks"`
	Role               Role      `json:"role" enum:"counsellor,supervisor"`
	At                 time.Time `json:"at"`

	RequestID    ID                `json:"request_id,omitzero" doc:"Whose list it was chosen from; empty: from none. 'onward replay' makes the list again"`
	Rank         int               `json:"rank" doc:"On that list; 0: it is not on it"`
	Of           int               `json:"of,omitempty" doc:"How many lines the list has"`
	Considered   int               `json:"considered,omitempty" doc:"How many opportunities were scored exactly"`
	Line         *DecisionLine     `json:"line,omitempty" doc:"As the list had it"`
	Higher       []DecisionLine    `json:"higher,omitempty" doc:"What stood higher on the list and was passed over here, from the first"`
	NearMiss     Gate              `json:"near_miss,omitempty" doc:"It was one requirement away from the list: this one"`
	Unknown      []Gate            `json:"unknown,omitempty" doc:"Its requirements of which the list did not know whether the person meets them"`
	ChoiceReason ChoiceReason      `json:"choice_reason,omitempty" doc:"Why it was chosen before what stood higher"`
	Overrides    []string          `json:"overrides,omitempty" doc:"What people had stated in place of the model: destination"`
	Versions     *ListVersions     `json:"versions,omitempty"`
	AnsweredBy   string            `json:"answered_by,omitempty" doc:"The index that found the openings of the list"`
	Fallback     bool              `json:"fallback,omitempty" doc:"It stood in for another"`
	Consents     []DecisionConsent `json:"consents" doc:"What the person had agreed to"`
	ListHash     string            `json:"list_hash,omitempty" doc:"SHA-256 of the list as it is stored"`

	List      string   `json:"list" enum:"none,unchanged,gone,altered" doc:"Whether the list is still the one that was chosen from; gone: the person was erased, or the time for which lists are kept is over"`
	Sentences []string `json:"sentences,omitempty" doc:"For the person, in the language asked for"`
}

// DecisionLine is a line of a list in numbers.
type DecisionLine struct {
	Rank          int     `json:"rank"`
	OpportunityID ID      `json:"opportunity_id"`
	Version       int64   `json:"version"`
	Score         float64 `json:"score"`
	Fit           float64 `json:"fit"`
	Reach         float64 `json:"reach"`
	Terms         float64 `json:"terms"`
	Variety       float64 `json:"variety"`
}

// DecisionConsent is a consent that was active when somebody was referred.
type DecisionConsent struct {
	Purpose  ConsentPurpose `json:"purpose"`
	GivenOn  Date           `json:"given_on" format:"date"`
	Language string         `json:"language,omitempty" doc:"In which it was explained"`
	Form     ConsentForm    `json:"form,omitempty"`
}

// NewDecision is what the record of a decision takes from the list that something was chosen from, nil for none, and from the person.
func NewDecision(list *RankedList, opportunity ID, consents []Consent, today Date) Decision {
	d := Decision{Consents: []DecisionConsent{}}
	for _, c := range consents {
		if c.Active(today) {
			d.Consents = append(d.Consents, DecisionConsent{c.Purpose, c.GivenOn, c.Language, c.Form})
		}
	}
	if list == nil {
		return d
	}
	versions := list.Versions
	d.Versions, d.Of, d.Considered, d.AnsweredBy, d.Fallback = &versions, len(list.Referrals), list.Considered, list.AnsweredBy, list.Degraded != ""
	if list.Destination.Overridden {
		d.Overrides = append(d.Overrides, "destination")
	}
	for _, line := range list.Referrals {
		short := DecisionLine{line.Rank, line.Opportunity.ID, line.Opportunity.Version, line.Score, line.Fit, line.Reach, line.Terms, line.Variety}
		if line.Opportunity.ID != opportunity {
			d.Higher = append(d.Higher, short)
			continue
		}
		d.Rank, d.Line = line.Rank, &short
		for _, g := range line.Explanation.Gates {
			if g.State == GateUnknown {
				d.Unknown = append(d.Unknown, g.Gate)
			}
		}
		return d
	}
	for _, m := range list.NearMisses {
		if m.Opportunity.ID == opportunity {
			d.NearMiss = m.Gate
		}
	}
	return d
}
