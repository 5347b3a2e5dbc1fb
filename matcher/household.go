package matcher

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"onward"
	"onward/matcher/destination"
)

const (
	// perOpening is in how many pairs of two adults one opening may stand: twenty pairs are then at least ten choices.
	perOpening = 2
	// pairOpenings is how many openings of each adult are paired: the best within reach of where both may live.
	pairOpenings = 200
)

// HouseholdSafety joins what must not appear for any adult of a household: they live in one place, so a place or an
// organisation that is dangerous for one is left out for all.
func HouseholdSafety(adults ...onward.ReturneeDetails) onward.Safety {
	var all onward.Safety
	for _, a := range adults {
		all.ExcludedPlaces = append(all.ExcludedPlaces, a.Safety.ExcludedPlaces...)
		all.ExcludedOrganisations = append(all.ExcludedOrganisations, a.Safety.ExcludedOrganisations...)
		all.Protection = all.Protection || a.Safety.Protection
	}
	return all
}

// PairSide is one adult of a pair with the openings that may suit them. The person carries the safety of the household.
type PairSide struct {
	ID       onward.ID
	Person   Person
	Openings []Opening
}

// Pairs ranks pairs of openings, one for each of two adults, that both can reach from one place:
//
//	score(a, b) = sum_c P(c) max(v_c(a, b), move(a, b)) + P(abroad) v_abroad(a, b)
//	v_c(a, b)   = sqrt(fit_A(a) access(c, a) terms_A(a) x fit_B(b) access(c, b) terms_B(b))
//	move(a, b)  = floor x v_place(a)(a, b) where a offers housing or relocation; the same for b; the higher
//
// over the places c where they may live together (destination.Joint). The geometric mean is 0 where one of them has
// nothing, and is the highest for a sum of two when they are equal: a pair is not as good as its better half. Access is as
// in a list, but that help to move counts only when both move, to where one of the two is. Openings that safety, consent or
// a closed gate of their adult rule out are in no pair, and one opening is for both only if it has two places.
//
// Which side is first does not matter. Each opening of an adult stands in two pairs at most. Of the options Today and
// Replies count.
func Pairs(a, b PairSide, joint destination.Spread, gazetteer *destination.Gazetteer, options Options, limit int) []onward.HouseholdPair {
	if bytes.Compare(a.ID[:], b.ID[:]) > 0 {
		a, b = b, a
	}
	if !a.Person.Consented || !b.Person.Consented || a.ID == b.ID {
		return nil
	}
	columns := newColumns(joint.In(gazetteer), gazetteer, append(slices.Clone(a.Openings), b.Openings...))
	left, right := columns.side(&a, options), columns.side(&b, options)
	var pairs []pairOf
	for i := range left {
		for k := range right {
			x, y := &left[i], &right[k]
			if x.opening.ID == y.opening.ID && x.opening.PlacesLeft < 2 {
				continue
			}
			if score := columns.score(x, y); score > 0 {
				pairs = append(pairs, pairOf{x, y, score})
			}
		}
	}
	slices.SortFunc(pairs, func(p, q pairOf) int {
		return cmp.Or(cmp.Compare(q.score, p.score), bytes.Compare(p.a.opening.ID[:], q.a.opening.ID[:]), bytes.Compare(p.b.opening.ID[:], q.b.opening.ID[:]))
	})
	used := map[*sideOpening]int{}
	var list []onward.HouseholdPair
	for _, p := range pairs {
		if len(list) == limit {
			break
		}
		if used[p.a] == perOpening || used[p.b] == perOpening {
			continue
		}
		used[p.a]++
		used[p.b]++
		list = append(list, onward.HouseholdPair{
			Rank: len(list) + 1, Score: p.score, Parts: columns.parts(p.a, p.b),
			Adults: [2]onward.PairAdult{p.a.adult(a.ID), p.b.adult(b.ID)},
		})
	}
	return list
}

// pairOf is a pair of openings while they are put in order.
type pairOf struct {
	a, b  *sideOpening
	score float64
}

// sideOpening is an opening for one adult: the root of fit x access x terms from each column.
type sideOpening struct {
	opening    *Opening
	fit, terms float64
	root       []float64
	move       int // the column of its own place when it helps to move there, else -1
}

func (o *sideOpening) adult(id onward.ID) onward.PairAdult {
	return onward.PairAdult{ReturneeID: id, Opportunity: o.opening.summary(), Fit: o.fit, Terms: o.terms}
}

// columns are the places from which pairs are looked at: where they may live, elsewhere, abroad, and, without a
// probability, where an opening helps to move to.
type columns struct {
	gazetteer   *destination.Gazetteer
	places      []onward.PlaceID // 0 for elsewhere and abroad
	probability []float64
	elsewhere   int // abroad is the next
	byPlace     map[onward.PlaceID]int
}

func newColumns(joint destination.Spread, gazetteer *destination.Gazetteer, openings []Opening) *columns {
	c := &columns{gazetteer: gazetteer, byPlace: map[onward.PlaceID]int{}}
	for _, p := range joint.Places {
		c.add(p.PlaceID, p.Probability)
	}
	c.elsewhere = len(c.places)
	c.places, c.probability = append(c.places, 0, 0), append(c.probability, joint.Elsewhere, joint.Abroad)
	for i := range openings {
		if o := &openings[i]; o.Assisted && !o.Remote && o.PlaceID != 0 {
			if _, ok := c.byPlace[o.PlaceID]; !ok {
				c.add(o.PlaceID, 0)
			}
		}
	}
	return c
}

func (c *columns) add(place onward.PlaceID, probability float64) {
	c.byPlace[place] = len(c.places)
	c.places, c.probability = append(c.places, place), append(c.probability, probability)
}

// side scores the openings of one adult whose gates are open.
func (c *columns) side(side *PairSide, options Options) []sideOpening {
	source := newReachSource(destination.Spread{}, c.gazetteer, side.Person)
	s := newScorer(&side.Person, Reach{source: source}, options)
	var list []sideOpening
	seen := map[onward.ID]bool{}
	for i := range side.Openings {
		o := &side.Openings[i]
		if seen[o.ID] || !s.mayAppear(o) || s.closed(o) > 0 {
			continue
		}
		seen[o.ID] = true
		found := sideOpening{opening: o, fit: s.fit(o), terms: within01(s.terms(o).mean()), root: make([]float64, len(c.places)), move: -1}
		if worth := found.fit * found.terms; worth > 0 {
			for k := range c.places {
				found.root[k] = math.Sqrt(worth * c.access(source, k, o))
			}
			if k, ok := c.byPlace[o.PlaceID]; ok && o.Assisted && !o.Remote {
				found.move = k
			}
			list = append(list, found)
		}
		if len(list) == pairOpenings {
			break
		}
	}
	return list
}

// access is that of a list without the floor for help to move.
func (c *columns) access(source *reachSource, column int, o *Opening) float64 {
	switch place := c.places[column]; {
	case column == c.elsewhere+1:
		return o.Portability
	case o.Remote:
		return 1
	case column == c.elsewhere:
		return 0
	case place == o.PlaceID:
		return 1
	default:
		km, ok := c.gazetteer.NearKm(place, o.PlaceID, source.cutKm)
		if !ok {
			return 0
		}
		return source.access(place, destination.Neighbour{PlaceID: o.PlaceID, DistanceKm: km})
	}
}

// move is what it is worth to move to one of the two with its help, and to which column; -1: to none.
func (c *columns) move(x, y *sideOpening) (worth float64, to int) {
	to = -1
	for _, column := range [2]int{x.move, y.move} {
		if column < 0 {
			continue
		}
		if v := assistedFloor * (x.root[column] * y.root[column]); v > worth {
			worth, to = v, column
		}
	}
	return worth, to
}

func (c *columns) score(x, y *sideOpening) float64 {
	move, _ := c.move(x, y)
	abroad := c.elsewhere + 1
	sum := 0.0
	for k := range abroad {
		sum += c.probability[k] * math.Max(x.root[k]*y.root[k], move)
	}
	return within01(sum + c.probability[abroad]*(x.root[abroad]*y.root[abroad]))
}

// parts splits the score over the places; those that add nothing are left out.
func (c *columns) parts(x, y *sideOpening) []onward.PairPart {
	move, to := c.move(x, y)
	var parts []onward.PairPart
	for k := range c.elsewhere + 2 {
		part := onward.PairPart{PlaceID: c.places[k], Probability: c.probability[k], Value: x.root[k] * y.root[k]}
		switch k {
		case c.elsewhere:
			part.Place = elsewhere
		case c.elsewhere + 1:
			part.Place = abroad
		default:
			part.Place = (&reachSource{gazetteer: c.gazetteer}).name(c.places[k])
		}
		if k != c.elsewhere+1 && move > part.Value {
			part.Value, part.MovesTo = move, c.places[to]
		}
		if part.Probability > 0 && part.Value > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}
