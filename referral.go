package onward

import (
	"fmt"
	"math"
	"time"
)

// RequestStatus is where a referral request is in its life.
type RequestStatus string

// The states of a referral request.
const (
	RequestQueued  RequestStatus = "queued"
	RequestReady   RequestStatus = "ready"
	RequestRefused RequestStatus = "refused" // the consent ended or the person was taken off before the list was made
)

// LikelyPlace is one place of a likely destination, as a counsellor states it.
type LikelyPlace struct {
	PlaceID     PlaceID `json:"place_id,omitempty" doc:"Empty: abroad"`
	Probability float64 `json:"probability" minimum:"0" maximum:"1"`
}

// RequestOptions say what a counsellor wants of a list.
type RequestOptions struct {
	Limit int    `json:"limit,omitempty" minimum:"0" maximum:"100" doc:"How many referrals to rank; 0: 20"`
	Kinds []Kind `json:"kinds,omitempty" doc:"Only these kinds; empty: all"`
	// Language of the labels in the explanation.
	Language string `json:"language,omitempty" doc:"Of the labels: en, fr, es or ar; empty: the language of the profile"`
	// Destination replaces the modelled spread. It is recorded with its reason.
	Destination       []LikelyPlace `json:"destination,omitempty" doc:"Replaces the modelled likely destination; the probabilities add up to 1"`
	DestinationReason string        `json:"destination_reason,omitempty" doc:"Why the model is overridden"`
}

// DefaultListLimit is how many referrals a list has unless the counsellor says otherwise.
const DefaultListLimit = 20

// Validate checks the wishes of a request.
func (o RequestOptions) Validate(vocabulary Vocabulary) error {
	v := newValidator()
	v.intRange("limit", int64(o.Limit), 0, 100)
	for i, k := range o.Kinds {
		oneOf(v, fmt.Sprintf("kinds[%d]", i), k, Kinds())
	}
	v.count("kinds", len(o.Kinds), len(Kinds()))
	if o.Language != "" {
		oneOf(v, "language", o.Language, languagesOfService)
	}
	v.count("destination", len(o.Destination), 50)
	sum := 0.0
	for i, p := range o.Destination {
		if p.PlaceID != 0 {
			v.place(vocabulary, fmt.Sprintf("destination[%d].place_id", i), p.PlaceID)
		}
		if !(p.Probability >= 0 && p.Probability <= 1) {
			v.add(fmt.Sprintf("destination[%d].probability", i), "range", "use a probability from 0 to 1")
		}
		sum += p.Probability
	}
	distinct(v, "destination", o.Destination, "place_id", func(p LikelyPlace) PlaceID { return p.PlaceID })
	if len(o.Destination) > 0 {
		if !(math.Abs(sum-1) <= 0.005) {
			v.add("destination", "sum", "the probabilities must add up to 1")
		}
		v.text("destination_reason", o.DestinationReason, 1, 1000)
	}
	return v.err()
}

// ReferralRequest asks for one returnee to be scored against all open opportunities.
type ReferralRequest struct {
	ID             ID             `json:"id"`
	OrganisationID ID             `json:"organisation_id"`
	ReturneeID     ID             `json:"returnee_id"`
	RequestedBy    ID             `json:"requested_by"`
	Status         RequestStatus  `json:"status" enum:"queued,ready,refused"`
	Options        RequestOptions `json:"options"`
	CreatedAt      time.Time      `json:"created_at"`
	ReadyAt        *time.Time     `json:"ready_at,omitempty"`
	Refusal        string         `json:"refusal,omitempty" doc:"Why there is no list"`
	List           *RankedList    `json:"list,omitempty"`
}

// RankedList is the answer to a referral request. It is saved whole and never changed.
type RankedList struct {
	GeneratedAt time.Time        `json:"generated_at"`
	AnsweredBy  string           `json:"answered_by" doc:"The index that answered: memory or elasticsearch"`
	Degraded    string           `json:"degraded,omitempty" doc:"Why a fallback answered"`
	Versions    ListVersions     `json:"versions"`
	Destination Destination      `json:"destination"`
	Considered  int              `json:"considered" doc:"Opportunities scored exactly"`
	Referrals   []RankedReferral `json:"referrals"`
	NearMisses  []NearMiss       `json:"near_misses,omitempty" doc:"One gate away from the list"`
}

// ListVersions name everything that the list depends on besides its inputs.
type ListVersions struct {
	Returnee    int64  `json:"returnee" doc:"Version of the profile"`
	Taxonomy    string `json:"taxonomy"`
	Destination string `json:"destination" doc:"Version of the likely-destination coefficients"`
	Matcher     string `json:"matcher"`
}

// Destination is the likely destination: where the person may be living, with probabilities that add up to 1.
type Destination struct {
	Places     []DestinationPlace `json:"places" doc:"From the likeliest"`
	Elsewhere  float64            `json:"elsewhere" doc:"Probability of all other urban centres of the country together"`
	Abroad     float64            `json:"abroad"`
	Entropy    float64            `json:"entropy" doc:"Spread, in nats; 0 when one place is certain"`
	Overridden bool               `json:"overridden,omitempty" doc:"A counsellor stated it"`
	Note       string             `json:"note,omitempty" doc:"What the spread rests on"`
}

// DestinationPlace is one place with its probability.
type DestinationPlace struct {
	PlaceID     PlaceID `json:"place_id"`
	Name        string  `json:"name"`
	Probability float64 `json:"probability"`
	Reason      string  `json:"reason,omitempty" doc:"What ties the person to it: origin, current, previous, kin, intended"`
}

// OpportunitySummary is what a list shows of an opportunity.
type OpportunitySummary struct {
	ID             ID      `json:"id"`
	Version        int64   `json:"version"`
	Kind           Kind    `json:"kind"`
	Title          Text    `json:"title"`
	OrganisationID ID      `json:"organisation_id"`
	Organisation   string  `json:"organisation"`
	PlaceID        PlaceID `json:"place_id,omitempty"`
	Place          string  `json:"place,omitempty"`
	Remote         bool    `json:"remote,omitempty"`
	PlacesLeft     int     `json:"places_left"`
	Wage           *Wage   `json:"wage,omitempty"`
	StartsOn       Date    `json:"starts_on,omitzero" format:"date"`
	ClosesOn       Date    `json:"closes_on,omitzero" format:"date"`
	Fictional      bool    `json:"fictional,omitempty"`
}

// RankedReferral is one line of a list. Score is Fit x Reach x Terms, and each of them follows from its parts below.
type RankedReferral struct {
	Rank        int                `json:"rank"`
	Opportunity OpportunitySummary `json:"opportunity"`
	Score       float64            `json:"score"`
	Fit         float64            `json:"fit" doc:"How well the person's skills cover the opportunity's"`
	Reach       float64            `json:"reach" doc:"How likely the person will be where it is"`
	Terms       float64            `json:"terms" doc:"Pay, hours, kind, dates"`
	Explanation Explanation        `json:"explanation"`
}

// Explanation is the computation itself, in parts.
type Explanation struct {
	// Fit = Confidence x sum(Weight x Strength) / sum(Weight) over Skills.
	SkillBasis      SkillBasis   `json:"skill_basis"`
	SkillConfidence float64      `json:"skill_confidence"`
	Skills          []SkillPart  `json:"skills,omitempty"`
	ReachParts      []ReachPart  `json:"reach_parts,omitempty" doc:"Reach is the sum of probability x access"`
	TermParts       []TermPart   `json:"term_parts,omitempty" doc:"Terms is the weighted mean of the known ones; 1 when none is known"`
	Gates           []GateResult `json:"gates,omitempty"`
}

// SkillBasis says where the skills of an opportunity come from.
type SkillBasis string

// The bases.
const (
	SkillsCoded          SkillBasis = "coded"      // someone coded them
	SkillsFromOccupation SkillBasis = "occupation" // taken from the occupation, at lower confidence
	SkillsNone           SkillBasis = "none"       // unknown; a neutral fit is used
)

// SkillPart is one skill's share of the fit.
type SkillPart struct {
	SkillID   string  `json:"skill_id"`
	Label     string  `json:"label"`
	Essential bool    `json:"essential"`
	Weight    float64 `json:"weight" doc:"idf x (1 essential, 0.35 optional)"`
	Strength  float64 `json:"strength" doc:"0 missing, 1 fully there"`
	Via       string  `json:"via,omitempty" doc:"The person's skill that covers it when it is another one"`
	ViaLabel  string  `json:"via_label,omitempty"`
	Related   float64 `json:"related,omitempty" doc:"How near that skill is"`
}

// ReachPart is one place's share of the reach.
type ReachPart struct {
	PlaceID     PlaceID `json:"place_id,omitempty"`
	Place       string  `json:"place" doc:"A place, 'elsewhere' or 'abroad'"`
	Probability float64 `json:"probability"`
	Access      float64 `json:"access" doc:"1 there or remote; falls with distance; at least a floor with housing or relocation; portability for 'abroad'"`
	DistanceKm  float64 `json:"distance_km,omitempty"`
}

// TermPart is one soft preference.
type TermPart struct {
	Term   string   `json:"term" enum:"wage,hours,childcare,kind,start,freshness"`
	Weight float64  `json:"weight"`
	Value  *float64 `json:"value,omitempty" doc:"0 to 1; empty: unknown, and left out of the mean"`
}

// GateState is the answer of a hard requirement.
type GateState string

// The answers.
const (
	GateYes     GateState = "yes"
	GateNo      GateState = "no"
	GateUnknown GateState = "unknown" // does not close; is shown, so that someone asks
)

// Gate names a hard requirement.
type Gate string

// The gates. Safety and consent are gates too, but are never shown: see matcher.
const (
	GateOpen      Gate = "open"
	GateVetted    Gate = "vetted"
	GatePlaces    Gate = "places_left"
	GateDocuments Gate = "documents"
	GateAge       Gate = "legal_age"
	GateLanguage  Gate = "language"
)

// GateResult is one gate with its answer and what the answer rests on.
type GateResult struct {
	Gate     Gate      `json:"gate"`
	State    GateState `json:"state" enum:"yes,no,unknown"`
	Evidence string    `json:"evidence,omitempty"`
}

// NearMiss is an opportunity that one gate alone keeps off the list.
type NearMiss struct {
	Opportunity OpportunitySummary `json:"opportunity"`
	Score       float64            `json:"score" doc:"Its score if the gate were open"`
	WouldRank   int                `json:"would_rank" doc:"Its rank if the gate were open"`
	Gate        Gate               `json:"gate"`
	Missing     []string           `json:"missing" doc:"What would open it, such as driving_licence or es:B1"`
	Evidence    string             `json:"evidence"`
	AlsoOpens   int                `json:"also_opens" doc:"How many other near misses the same thing would open"`
}
