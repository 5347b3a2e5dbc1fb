package onward

import (
	"fmt"
	"time"
)

// LinkedHousehold is adults who live together, or mean to. Each stays a returnee of their own; linking them only lets their
// counsellor look for what suits all of them in one place.
type LinkedHousehold struct {
	ID             ID        `json:"id"`
	OrganisationID ID        `json:"organisation_id"`
	Country        string    `json:"country"`
	Version        int64     `json:"version"`
	Adults         []ID      `json:"adults" doc:"Ids of the returnees"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// A household has two adults at least, and at most six: more are rare, and each adds a list and a pair with every other.
const (
	fewestAdults = 2
	mostAdults   = 6
)

// HouseholdDetails is what a counsellor says of a household.
type HouseholdDetails struct {
	Adults []ID `json:"adults" minItems:"2" maxItems:"6" doc:"Ids of the returnees, of one caseload and one country"`
}

// Validate checks the form; the store checks who the adults are.
func (d HouseholdDetails) Validate() error {
	v := newValidator()
	if n := len(d.Adults); n < fewestAdults || n > mostAdults {
		v.add("adults", "length", "name two to six adults")
	}
	seen := map[ID]bool{}
	for i, id := range d.Adults {
		if seen[id] {
			v.add(fmt.Sprintf("adults[%d]", i), "duplicate", "name each only once")
		}
		seen[id] = true
	}
	return v.err()
}

// HouseholdOpportunities is what suits the adults of a household, each by themselves and two at a time.
type HouseholdOpportunities struct {
	HouseholdID ID               `json:"household_id"`
	Destination Destination      `json:"destination" doc:"Where they may live together"`
	Adults      []HouseholdAdult `json:"adults"`
	Pairs       []HouseholdPair  `json:"pairs" doc:"Of two adults each, reachable from one place"`
	AnsweredBy  string           `json:"answered_by,omitempty" doc:"Which index answered"`
	Degraded    string           `json:"degraded,omitempty" doc:"Why it was not the usual one"`
}

// HouseholdAdult is one adult's own list, by their own score. What is dangerous for one adult is left out for all.
type HouseholdAdult struct {
	ReturneeID ID               `json:"returnee_id"`
	Refusal    string           `json:"refusal,omitempty" doc:"Why there is no list"`
	Referrals  []RankedReferral `json:"referrals,omitempty"`
}

// HouseholdPair is one opportunity for each of two adults. Score is the sum over Parts of probability x value.
type HouseholdPair struct {
	Rank   int          `json:"rank"`
	Score  float64      `json:"score" doc:"0 to 1; 0 where either adult has nothing"`
	Adults [2]PairAdult `json:"adults"`
	Parts  []PairPart   `json:"parts" doc:"The score is the sum of probability x value"`
}

// PairAdult is one side of a pair.
type PairAdult struct {
	ReturneeID  ID                 `json:"returnee_id"`
	Opportunity OpportunitySummary `json:"opportunity"`
	Fit         float64            `json:"fit"`
	Terms       float64            `json:"terms"`
}

// PairPart is what a pair is worth from one place.
type PairPart struct {
	PlaceID     PlaceID `json:"place_id,omitempty"`
	Place       string  `json:"place" doc:"Where they would live: a place, 'elsewhere' or 'abroad'"`
	Probability float64 `json:"probability"`
	// Value is the geometric mean of both adults' fit x access x terms.
	Value float64 `json:"value"`
	// MovesTo is set where they would have to move to one of the two, which comes with housing or relocation.
	MovesTo PlaceID `json:"moves_to,omitempty" doc:"Where they would move with the help that an opportunity offers"`
}
