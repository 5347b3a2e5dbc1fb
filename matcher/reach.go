package matcher

import (
	"fmt"
	"math"

	"onward"
	"onward/matcher/destination"
)

const (
	// commuteScaleKm and commuteCutKm: access falls as exp(-d/25 km) and ends at 60 km. Commuting flows decay
	// exponentially with lengths of 10-30 km in most countries' censuses; beyond 60 km few people travel daily. Judgement
	// within that range.
	commuteScaleKm = 25
	commuteCutKm   = 60
	// commuteKmPerHour turns the longest commute that a person accepts into a distance, by bus and on foot, door to door,
	// as the crow flies.
	commuteKmPerHour = 30
	// assistedFloor is the least access when housing or relocation is offered: about half of the people who would have to
	// move for a place do. Judgement.
	assistedFloor = 0.5
)

// Names of what is no place.
const (
	elsewhere = "elsewhere"
	abroad    = "abroad"
)

// reachSource is what a reach was tabulated from.
type reachSource struct {
	spread    destination.Spread
	gazetteer *destination.Gazetteer
	cutKm     float64
}

// NewReach tabulates reach = sum_c P(c) access(c, place) over every place of the country within commuting distance of a
// likely place, those that organisations added included. Person gives the longest commute.
func NewReach(spread destination.Spread, gazetteer *destination.Gazetteer, person Person) Reach {
	source := newReachSource(spread, gazetteer, person)
	return source.tabulate(16*len(spread.Places), source.within)
}

// newReachAt tabulates one place only, for who scores one opening.
func newReachAt(spread destination.Spread, gazetteer *destination.Gazetteer, person Person, at onward.PlaceID) Reach {
	source := newReachSource(spread, gazetteer, person)
	var near [1]destination.Neighbour
	return source.tabulate(1, func(from onward.PlaceID) []destination.Neighbour {
		km, ok := gazetteer.NearKm(from, at, source.cutKm)
		if !ok && from != at {
			return nil
		}
		near[0] = destination.Neighbour{PlaceID: at, DistanceKm: km}
		return near[:]
	})
}

func newReachSource(spread destination.Spread, gazetteer *destination.Gazetteer, person Person) *reachSource {
	source := &reachSource{spread.In(gazetteer), gazetteer, commuteCutKm}
	if minutes := person.Preferences.MaxCommuteMinutes; minutes != nil {
		source.cutKm = math.Min(commuteCutKm, float64(*minutes)/60*commuteKmPerHour)
	}
	return source
}

// tabulate adds up the places that within lists for each likely place. Size is how many to expect.
func (s *reachSource) tabulate(size int, within func(from onward.PlaceID) []destination.Neighbour) Reach {
	r := Reach{Places: make(map[onward.PlaceID]PlaceReach, size), Abroad: s.spread.Abroad, source: s}
	r.InCountry = s.spread.Elsewhere
	for _, p := range s.spread.Places {
		r.InCountry += p.Probability
	}
	r.AssistedElsewhere = assistedFloor * r.InCountry
	for _, p := range s.spread.Places {
		for _, near := range within(p.PlaceID) {
			access := s.access(p.PlaceID, near)
			place, ok := r.Places[near.PlaceID]
			if !ok {
				place.Assisted = r.AssistedElsewhere
			}
			place.Plain += p.Probability * access
			place.Assisted += p.Probability * max(0, access-assistedFloor)
			r.Places[near.PlaceID] = place
		}
	}
	return r
}

// within lists the places that can be reached daily from one. A place that the gazetteer lacks reaches itself.
func (s *reachSource) within(from onward.PlaceID) []destination.Neighbour {
	if near := s.gazetteer.Within(from, s.cutKm); near != nil {
		return near
	}
	return []destination.Neighbour{{PlaceID: from}}
}

func (s *reachSource) access(from onward.PlaceID, to destination.Neighbour) float64 {
	if from == to.PlaceID {
		return 1
	}
	return math.Exp(-to.DistanceKm / commuteScaleKm)
}

// parts splits the reach of one opening over the places of the spread: reach is their sum of probability x access. Parts
// that add nothing are left out. Nil for a reach that was made by hand.
func (r Reach) parts(o *Opening) []onward.ReachPart {
	if r.source == nil {
		return nil
	}
	var parts []onward.ReachPart
	add := func(part onward.ReachPart) {
		if part.Probability > 0 && part.Access > 0 {
			parts = append(parts, part)
		}
	}
	for _, p := range r.source.spread.Places {
		part := onward.ReachPart{PlaceID: p.PlaceID, Place: r.source.name(p.PlaceID), Probability: p.Probability}
		part.Access, part.DistanceKm = r.source.accessFrom(p.PlaceID, o)
		add(part)
	}
	add(onward.ReachPart{Place: elsewhere, Probability: r.source.spread.Elsewhere, Access: floorOf(o)})
	add(onward.ReachPart{Place: abroad, Probability: r.source.spread.Abroad, Access: o.Portability})
	return parts
}

// floorOf is the access of an opening from where it can't be reached daily.
func floorOf(o *Opening) float64 {
	switch {
	case o.Remote:
		return 1
	case o.Assisted:
		return assistedFloor
	default:
		return 0
	}
}

// accessFrom is the access of an opening from a place, and the distance; 0 km for remote work and where it is not known.
func (s *reachSource) accessFrom(from onward.PlaceID, o *Opening) (access, km float64) {
	access = floorOf(o)
	if o.Remote {
		return access, 0
	}
	if from == o.PlaceID {
		return 1, 0
	}
	km, ok := s.gazetteer.DistanceKm(from, o.PlaceID)
	if !ok {
		return access, 0
	}
	if km <= s.cutKm {
		access = max(access, s.access(from, destination.Neighbour{PlaceID: o.PlaceID, DistanceKm: km}))
	}
	return access, km
}

const (
	// likelyFrom: from one in twenty a place is one where the person is likely to live.
	likelyFrom = 0.05
	// goodAccess: nearer than the distance at which half of the people who could commute do (17 km), or moving there is
	// helped with.
	goodAccess = 0.5
)

// robust says whether an opening is within good reach of every place where the person is likely to live, abroad included,
// so that the list need not wait for an answer to where that will be.
func robust(parts []onward.ReachPart, spread destination.Spread) bool {
	good := make(map[onward.PlaceID]bool, len(parts))
	for _, p := range parts {
		if p.Place == elsewhere {
			continue
		}
		good[p.PlaceID] = p.Access >= goodAccess // abroad has no id
	}
	likely := 0
	for _, p := range spread.Places {
		if p.Probability < likelyFrom {
			continue
		}
		likely++
		if !good[p.PlaceID] {
			return false
		}
	}
	if spread.Abroad >= likelyFrom {
		likely++
		if !good[0] {
			return false
		}
	}
	return likely > 0
}

func (s *reachSource) name(id onward.PlaceID) string {
	if place, ok := s.gazetteer.Place(id); ok {
		return place.Label()
	}
	return fmt.Sprintf("place %d", id)
}
