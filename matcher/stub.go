package matcher

import (
	"onward"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// Version names the formulas and constants of this package, for onward.ListVersions.
const Version = "score-1"

// NewOpening works out the constants of an opportunity. Place is the zero Place for remote work without one; country is
// then the organisation's.
func NewOpening(o onward.Opportunity, place onward.Place, country string, taxonomy *skills.Taxonomy) Opening {
	return Opening{}
}

// Person is a returnee as the matcher sees them. It holds nothing that identifies.
type Person struct{ Country string }

// NewPerson takes from a profile what the score uses.
func NewPerson(r onward.ReturneeDetails, taxonomy *skills.Taxonomy, today onward.Date) Person {
	return Person{}
}

// NewReach tabulates the reach of a person over the places of the country.
func NewReach(spread destination.Spread, gazetteer *destination.Gazetteer, person Person) Reach {
	return Reach{}
}

// Options of a list.
type Options struct {
	Today    onward.Date
	Language string        // of labels
	Kinds    []onward.Kind // only these; empty: all
	Limit    int           // 0: onward.DefaultListLimit
	// NearMissLimit is how many near misses are shown. 0: 10.
	NearMissLimit int
}

// Query asks an index for the openings that may be on the person's list; candidates is how many (a few hundred).
func (p Person) Query(reach Reach, gazetteer *destination.Gazetteer, options Options, candidates int) Query {
	return Query{}
}

// Result is a ranked list, before it is saved.
type Result struct {
	Referrals  []onward.RankedReferral
	NearMisses []onward.NearMiss
	Considered int
	// Threshold is the score of the last one of a full list, else 0: an opening whose fit x reach is below it can enter
	// neither the list nor the near misses.
	Threshold float64
}

// Rank scores openings exactly, applies the gates and explains.
func Rank(person Person, reach Reach, openings []Opening, options Options) Result { return Result{} }
