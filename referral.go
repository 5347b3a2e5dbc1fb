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
	GeneratedAt time.Time            `json:"generated_at"`
	AnsweredBy  string               `json:"answered_by" doc:"The index that answered: memory or elasticsearch"`
	Degraded    string               `json:"degraded,omitempty" doc:"Why a fallback answered"`
	Versions    ListVersions         `json:"versions"`
	Destination Destination          `json:"destination"`
	Question    *DestinationQuestion `json:"destination_question,omitempty" doc:"Whether asking where the person will live would change the list"`
	Considered  int                  `json:"considered" doc:"Opportunities scored exactly"`
	Referrals   []RankedReferral     `json:"referrals"`
	NearMisses  []NearMiss           `json:"near_misses,omitempty" doc:"One gate away from the list"`
	Unlocks     []Unlock             `json:"unlocks,omitempty" doc:"What would bring the most onto the list, from the heaviest"`
	Language    string               `json:"language,omitempty" doc:"Of labels and sentences"`
}

// ListVersions name everything that the list depends on besides its inputs.
type ListVersions struct {
	Returnee    int64  `json:"returnee" doc:"Version of the profile"`
	Taxonomy    string `json:"taxonomy"`
	Destination string `json:"destination" doc:"Version of the likely-destination coefficients"`
	Matcher     string `json:"matcher"`
	Places      string `json:"places,omitempty" doc:"A digest of the places of the country"`
}

// Destination is the likely destination: where the person may be living, with probabilities that add up to 1.
type Destination struct {
	Places     []DestinationPlace `json:"places" doc:"From the likeliest"`
	Elsewhere  float64            `json:"elsewhere" doc:"Probability of all other urban centres of the country together"`
	Abroad     float64            `json:"abroad"`
	Entropy    float64            `json:"entropy" doc:"Spread, in nats; 0 when one place is certain"`
	Overridden bool               `json:"overridden,omitempty" doc:"A counsellor stated it"`
	Reason     string             `json:"reason,omitempty" doc:"Why the counsellor stated it"`
	Modelled   []DestinationPlace `json:"modelled,omitempty" doc:"What the model says beside what was stated, the likeliest few"`
	Basis      []DestinationBasis `json:"basis,omitempty" doc:"What the spread rests on; empty: the size of the urban centres alone, or what was stated"`
	Widened    bool               `json:"widened,omitempty" doc:"What is known is old or has no date, so that the spread is wider"`
	Note       string             `json:"note,omitempty" doc:"The basis in words, in the language of the list"`
}

// DestinationBasis is one thing that a likely destination rests on.
type DestinationBasis struct {
	About     BasisKind `json:"about" enum:"origin,current,previous,kin,intended,intention"`
	AgeMonths *int      `json:"age_months,omitempty" doc:"Of what fades: where the person is, and what the person wants. Empty with fades: without a date"`
	Fades     bool      `json:"fades,omitempty"`
}

// BasisKind is a relation to a place, or the intention to move on.
type BasisKind string

// BasisIntention is the onward intention; the others are relations to places.
const BasisIntention BasisKind = "intention"

// DestinationQuestion says whether asking where the person will live would change the list.
type DestinationQuestion struct {
	WorthAsking bool    `json:"worth_asking" doc:"Whether the answer is worth a call"`
	Gain        float64 `json:"gain" doc:"How much better the first few would be on average, as a share of their scores"`
	Changes     float64 `json:"changes" doc:"How many of the first few would be others, on average"`
	Of          int     `json:"of" doc:"How many the first few are"`
	Sentence    string  `json:"sentence,omitempty"`
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
	Assisted       bool    `json:"assisted,omitempty" doc:"Housing or help with moving is offered"`
	PlacesLeft     int     `json:"places_left"`
	Wage           *Wage   `json:"wage,omitempty"`
	StartsOn       Date    `json:"starts_on,omitzero" format:"date"`
	ClosesOn       Date    `json:"closes_on,omitzero" format:"date"`
	Fictional      bool    `json:"fictional,omitempty"`
}

const (
	// goodFit and goodReach make a referral of a list a good one: half of the skills by weight, and likelier than not to be
	// somewhere near in one of two cases. Judgement; they decide what is shown as scarce, never a rank.
	goodFit   = 0.5
	goodReach = 0.5
)

// OnlyGoodFit is the one opportunity of the list that is a good fit, if there is exactly one.
func (l RankedList) OnlyGoodFit() (only ID, ok bool) {
	for _, r := range l.Referrals {
		if r.Fit < goodFit || r.Reach < goodReach {
			continue
		}
		if ok {
			return ID{}, false
		}
		only, ok = r.Opportunity.ID, true
	}
	return only, ok
}

// Scarcity says for how many other people an opportunity is the only good fit of their latest list.
type Scarcity struct {
	OpportunityID ID  `json:"opportunity_id"`
	OnlyFor       int `json:"only_good_fit_for" doc:"Other people for whom it is the only good fit and who have no referral under way"`
	PlacesLeft    int `json:"places_left"`
}
