package memory

import (
	"math/bits"

	"onward"
	"onward/matcher"
)

// heights is a value by place, with the highest of each range of places at hand: levels[k][i] is the highest of the 2^k
// places from i on.
type heights struct {
	levels [][]float64
}

// reset makes room for so many places, all 0.
func (h *heights) reset(places int) []float64 {
	n := bits.Len(uint(places)) //nolint:gosec // not negative
	for len(h.levels) < n {
		h.levels = append(h.levels, nil)
	}
	for k := range n {
		h.levels[k] = zeroed(h.levels[k], places-1<<k+1)
	}
	if n == 0 {
		return nil
	}
	return h.levels[0]
}

// build works out the levels from the first one.
func (h *heights) build(places int) {
	for k := 1; k < bits.Len(uint(places)); k++ { //nolint:gosec // not negative
		below, half := h.levels[k-1], 1<<(k-1)
		for i := range h.levels[k] {
			h.levels[k][i] = max(below[i], below[i+half])
		}
	}
}

func (h *heights) of(place uint32) float64 { return h.levels[0][place] }

// highest is the highest value of a range: that of two overlapping ones of a power of two.
func (h *heights) highest(r placeRange) float64 {
	if r.low == r.high {
		return h.levels[0][r.low]
	}
	k := bits.Len32(r.high-r.low+1) - 1
	return max(h.levels[k][r.low], h.levels[k][r.high+1-1<<k])
}

// reachTable is the places of a query: a table with open addressing, because a map takes five times as long.
type reachTable struct {
	slots []placeReach
}

type placeReach struct {
	id     onward.PlaceID
	listed bool
	matcher.PlaceReach
}

func (t *reachTable) fill(places map[onward.PlaceID]matcher.PlaceReach) {
	t.slots = zeroed(t.slots, 1<<bits.Len(uint(2*len(places)))) //nolint:gosec // not negative
	for id, reach := range places {
		*t.slot(id) = placeReach{id, true, reach}
	}
}

// slot is where a place stands, or would stand.
func (t *reachTable) slot(id onward.PlaceID) *placeReach {
	mask := uint64(len(t.slots) - 1)                        //nolint:gosec // not negative
	for i := uint64(id) * 0x9e3779b97f4a7c15 >> 32; ; i++ { //nolint:gosec // a hash
		if slot := &t.slots[i&mask]; !slot.listed || slot.id == id {
			return slot
		}
	}
}

// reachOf prepares the reach of a query.
func (r *ranking) reachOf(q *matcher.Reach) {
	r.places.fill(q.Places)
	plain, assisted := 0.0, q.AssistedElsewhere
	for _, reach := range q.Places {
		plain, assisted = max(plain, reach.Plain), max(assisted, reach.Assisted)
	}
	r.highest = [classes]float64{
		remoteWork: q.InCountry, remotePortableWork: q.InCountry,
		assistedWork: assisted, assistedPortableWork: assisted, plainWork: plain, plainPortableWork: plain,
	}
}

// tabulate works out the reach by the segment's numbers of places, before portability, unless that is done.
func (r *ranking) tabulate(s *segment) {
	if r.tabulated {
		return
	}
	r.tabulated = true
	plain, assisted := r.plain.reset(len(s.places)), r.assisted.reset(len(s.places))
	for i := range s.places {
		if slot := r.places.slot(s.places[i].id); slot.listed {
			plain[i], assisted[i] = slot.Plain, slot.Assisted
		} else {
			assisted[i] = r.query.Reach.AssistedElsewhere
		}
	}
	r.plain.build(len(s.places))
	r.assisted.build(len(s.places))
}

// of is the reach of an opening of a class in a place, before portability.
func (r *ranking) of(c class, place uint32) float64 {
	switch c {
	case remoteWork, remotePortableWork:
		return r.query.Reach.InCountry
	case assistedWork, assistedPortableWork:
		return r.assisted.of(place)
	default:
		return r.plain.of(place)
	}
}
