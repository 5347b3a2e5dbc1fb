package matcher

import (
	"math"
	"slices"

	"onward"
	"onward/matcher/destination"
)

// Version names the formulas and constants of this package, for onward.ListVersions. It changes with any of them.
const Version = "score-2"

// DefaultNearMissLimit is how many near misses a list shows: enough to see a pattern, few enough to read.
const DefaultNearMissLimit = 10

// Options of a list.
type Options struct {
	Today         onward.Date
	Language      string        // of the labels of skills
	Kinds         []onward.Kind // only these; empty: all
	Limit         int           // 0: onward.DefaultListLimit
	NearMissLimit int           // 0: DefaultNearMissLimit
	// Replies holds the share of referrals that organisations answered in time, 0 to 1. Absent: unknown.
	Replies map[onward.ID]float64
	// ScoresOnly leaves out explanations, counterfactuals and unlocks, for callers that only count.
	ScoresOnly bool
}

// Result is a ranked list before it is saved.
type Result struct {
	Referrals  []onward.RankedReferral
	NearMisses []onward.NearMiss
	Unlocks    []onward.Unlock
	Question   *onward.DestinationQuestion
	// Considered counts the openings that were scored exactly; what safety keeps away is not among them.
	Considered int
	// Threshold is the score x variety of the last one of a full list, else 0. An opening whose fit x reach (the score of an index)
	// is below it can enter neither the list nor the near misses, since terms are 1 at most: a caller whose lowest
	// candidate is above the threshold asks the index for more.
	Threshold float64
}

// Rank scores openings exactly, applies the gates and explains. The order of the openings does not matter. Openings of
// another country, of other kinds, and those that safety, vetting or their closing date rule out are absent without a
// word; without consent everything is. What scores 0 is not listed.
//
// The order is by score x variety: see variety. A near miss fails exactly one gate that something can open, and would be
// on the list if it did.
func Rank(person Person, reach Reach, openings []Opening, options Options) Result {
	if !person.Consented {
		return Result{}
	}
	s := newScorer(&person, reach, options)
	var result Result
	eligible, missed := make([]scored, 0, len(openings)), []scored(nil)
	for i := range openings {
		o := &openings[i]
		if !s.mayAppear(o) {
			continue
		}
		result.Considered++
		score := s.score(o)
		closed := s.closed(o)
		switch {
		case closed == 0:
			eligible = append(eligible, score) // those of score 0 too: a change may lift them
		case closed == 1 && score.total > 0:
			missed = append(missed, score)
		}
	}
	listed := s.list(eligible)
	result.Referrals = make([]onward.RankedReferral, len(listed))
	for i := range listed {
		result.Referrals[i] = s.referral(i+1, &listed[i])
	}
	if len(listed) == s.limit {
		result.Threshold = listed[len(listed)-1].order
	}
	misses := s.nearMisses(eligible, missed, listed)
	result.NearMisses = s.shown(misses)
	if !options.ScoresOnly {
		w := newWhatIf(s, eligible, listed)
		w.counterfactuals(result.Referrals)
		result.Unlocks = w.unlocks(misses)
		result.Question = w.question(listed)
	}
	return result
}

// list orders openings and takes what fits on the list. Openings of score 0 are at the end, and never on it.
func (s *scorer) list(eligible []scored) []scored {
	vary(eligible)
	n := 0
	for n < min(len(eligible), s.limit) && eligible[n].total > 0 {
		n++
	}
	return eligible[:n]
}

// scored is an opening with its score in parts.
type scored struct {
	opening                  *Opening
	fit, reach, terms, total float64
	variety, order           float64 // order = total x variety
}

// scorer is one person's ranking under way.
type scorer struct {
	person        *Person
	reach         Reach
	today         onward.Date
	options       Options
	limit         int
	places        map[onward.PlaceID]bool // excluded
	circles       []circle                // excluded
	organisations map[onward.ID]bool      // excluded
}

type circle struct{ lat, lon, km float64 }

func newScorer(person *Person, reach Reach, options Options) *scorer {
	s := &scorer{person: person, reach: reach, today: options.Today, options: options, limit: options.Limit}
	if s.limit <= 0 {
		s.limit = onward.DefaultListLimit
	}
	var gazetteer *destination.Gazetteer
	if reach.source != nil {
		gazetteer = reach.source.gazetteer
	}
	s.exclude(person.safety, gazetteer)
	return s
}

// exclude is absolute: it holds by id, and by distance for openings in places that the gazetteer does not have yet.
func (s *scorer) exclude(safety onward.Safety, gazetteer *destination.Gazetteer) {
	s.places = make(map[onward.PlaceID]bool)
	for _, e := range safety.ExcludedPlaces {
		s.places[e.PlaceID] = true
		if gazetteer == nil {
			continue
		}
		if centre, ok := gazetteer.Place(e.PlaceID); ok && e.RadiusKm > 0 {
			s.circles = append(s.circles, circle{centre.Lat, centre.Lon, e.RadiusKm})
		}
	}
	s.organisations = make(map[onward.ID]bool)
	for _, id := range safety.ExcludedOrganisations {
		s.organisations[id] = true
	}
}

// mayAppear is false for what must be absent without a word.
func (s *scorer) mayAppear(o *Opening) bool {
	if o.Country != s.person.Country || s.organisations[o.OrganisationID] {
		return false
	}
	if len(s.options.Kinds) > 0 && !slices.Contains(s.options.Kinds, o.Kind) {
		return false
	}
	if o.PlaceID != 0 {
		if s.places[o.PlaceID] {
			return false
		}
		for _, c := range s.circles {
			if onward.DistanceKm(c.lat, c.lon, o.Lat, o.Lon) <= c.km {
				return false
			}
		}
	}
	return s.open(o, false).state != onward.GateNo && s.vetted(o, false).state != onward.GateNo
}

func (s *scorer) score(o *Opening) scored {
	c := scored{opening: o, fit: s.fit(o), reach: within01(s.reach.Of(o)), terms: within01(s.terms(o).mean())}
	c.total = c.fit * c.reach * c.terms
	return c
}

// fit = confidence x sum(weight x strength) / sum(weight), or confidence x NeutralFit where skills are unknown.
func (s *scorer) fit(o *Opening) float64 {
	if s.person.SkillsUnknown || o.SkillBasis == onward.SkillsNone {
		return o.SkillConfidence * NeutralFit
	}
	sum := 0.0
	for i := range o.Skills {
		if u, ok := s.person.strengths[o.Skills[i].SkillID]; ok {
			sum += o.Skills[i].Weight * u.Value
		}
	}
	return within01(o.Scale * sum)
}

// within01 takes off what rounding adds.
func within01(x float64) float64 { return math.Min(1, math.Max(0, x)) }

// closed counts the gates that are closed; 2 also stands for one that nothing can open.
func (s *scorer) closed(o *Opening) int {
	count := 0
	for _, c := range s.gates(o, false) {
		if c.state != onward.GateNo {
			continue
		}
		count++
		if len(c.missing) == 0 && c.gate != onward.GatePlaces {
			count++
		}
	}
	return count
}
