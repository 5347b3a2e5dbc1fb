package memory

import (
	"maps"
	"math"
	"math/bits"
	"slices"
	"time"

	"onward"
	"onward/indexer"
)

const (
	// tombstonesKept is how long a deletion is remembered: longer than a task is retried. Elasticsearch's
	// index.gc_deletes is set to the same.
	tombstonesKept = time.Hour
	// tombstonesUnpruned is how many tombstones there may be before it is worth looking for old ones.
	tombstonesUnpruned = 1024
	// fanOut is how many segments of like size are kept before they are merged. Larger: cheaper puts, slower ranking.
	fanOut = 4
	// mergedAtOnce is how many openings a put merges itself, in about a millisecond. More is merged in the background.
	mergedAtOnce = 256
)

// state is the writer's side of an index. A lock is held around every call.
type state struct {
	gone     map[onward.ID]tombstone
	pruneAt  int
	count    int
	segments map[string][]view // by country
	// owned are the segments whose marks were copied since the last snapshot, and may be changed.
	owned map[*segment]bool
	// merging are the segments that are being merged in the background.
	merging map[*segment]bool
}

func newState() *state {
	return &state{
		gone: make(map[onward.ID]tombstone), pruneAt: tombstonesUnpruned,
		segments: make(map[string][]view), owned: make(map[*segment]bool), merging: make(map[*segment]bool),
	}
}

// snapshot freezes the present state for readers.
func (st *state) snapshot() *snapshot {
	clear(st.owned)
	s := &snapshot{countries: make(map[string][]view, len(st.segments)), count: st.count}
	for country, views := range st.segments {
		s.countries[country] = slices.Clone(views)
	}
	return s
}

// find is where an opening stands.
func (st *state) find(id onward.ID) (v *view, doc uint32, ok bool) {
	hash := hashOf(id)
	for _, views := range st.segments {
		for i := range views {
			v := &views[i]
			if doc, ok := v.segment.find(id, hash); ok && !v.dead.has(doc) {
				return v, doc, true
			}
		}
	}
	return nil, 0, false
}

// freshSegments makes segments of a batch: one a country, of the newest version of each opening.
func freshSegments(entries []indexer.Entry) []*segment {
	newest := make(map[onward.ID]*indexer.Entry, len(entries))
	for i := range entries {
		e := &entries[i]
		if other, ok := newest[e.ID]; !ok || e.Version > other.Version {
			newest[e.ID] = e
		}
	}
	countries := make(map[string][]*indexer.Entry)
	for i := range entries { // in the order given, not in a map's
		if e := &entries[i]; newest[e.ID] == e {
			countries[e.Country] = append(countries[e.Country], e)
		}
	}
	var segments []*segment
	for _, country := range slices.Sorted(maps.Keys(countries)) {
		segments = append(segments, newSegment(country, countries[country]))
	}
	return segments
}

// add takes up fresh segments. What is not newer than the version last seen of its id is dead from the start.
func (st *state) add(segments []*segment) {
	for _, s := range segments {
		fresh := view{segment: s, live: len(s.hot)}
		for i := range s.cold {
			doc, c := uint32(i), &s.cold[i] //nolint:gosec // fewer than 2^32
			old, oldDoc, known := st.find(c.id)
			grave, buried := st.gone[c.id]
			switch {
			case known && c.version <= old.segment.cold[oldDoc].version, buried && c.version <= grave.version:
				fresh.dead = fresh.dead.with(doc, len(s.hot))
				fresh.live--
			case known:
				st.kill(old, oldDoc)
			default:
				delete(st.gone, c.id)
			}
		}
		if fresh.live > 0 {
			st.count += fresh.live
			st.segments[s.country] = append(st.segments[s.country], fresh)
		}
	}
	st.tidyAll()
}

func (st *state) delete(refs []indexer.Ref, now time.Time) {
	for _, ref := range refs {
		old, doc, known := st.find(ref.ID)
		grave, buried := st.gone[ref.ID]
		if known && ref.Version <= old.segment.cold[doc].version || buried && ref.Version <= grave.version {
			continue
		}
		if known {
			st.kill(old, doc)
		}
		st.gone[ref.ID] = tombstone{version: ref.Version, at: now}
	}
	st.tidyAll()
	st.prune(now)
}

// prune forgets old deletions. It looks again only when the number has doubled, so that it costs little.
func (st *state) prune(now time.Time) {
	if len(st.gone) < st.pruneAt {
		return
	}
	maps.DeleteFunc(st.gone, func(_ onward.ID, grave tombstone) bool { return now.Sub(grave.at) > tombstonesKept })
	st.pruneAt = max(tombstonesUnpruned, 2*len(st.gone))
}

// kill marks an opening as dead, in a copy of the marks that readers have.
func (st *state) kill(v *view, doc uint32) {
	if !st.owned[v.segment] {
		v.dead = slices.Clone(v.dead)
		st.owned[v.segment] = true
	}
	v.dead = v.dead.with(doc, len(v.segment.hot))
	v.live--
	st.count--
}

func (st *state) tidyAll() {
	for _, country := range slices.Sorted(maps.Keys(st.segments)) {
		st.tidy(country)
	}
}

// tidy drops segments that are all dead, and merges what is small.
func (st *state) tidy(country string) {
	views := slices.DeleteFunc(st.segments[country], func(v view) bool { return v.live == 0 && !st.merging[v.segment] })
	if len(views) == 0 {
		delete(st.segments, country)
		return
	}
	st.segments[country] = views
	for {
		views := st.plan(country, mergedAtOnce)
		if len(views) == 0 {
			return
		}
		merged, moves := merge(views)
		st.replace(views, merged, moves)
	}
}

// next is what is to be merged in the background, marked as being merged.
func (st *state) next() []view {
	for _, country := range slices.Sorted(maps.Keys(st.segments)) {
		if views := st.plan(country, math.MaxInt); len(views) > 0 {
			return st.begin(views)
		}
	}
	return nil
}

// begin marks segments as being merged, and freezes what is dead in them.
func (st *state) begin(views []view) []view {
	frozen := slices.Clone(views)
	for i := range frozen {
		st.merging[frozen[i].segment] = true
		frozen[i].dead = slices.Clone(frozen[i].dead)
	}
	return frozen
}

// plan is what is to be merged next in a country, of most openings at most: a segment that is half dead, or all up to the
// smallest size class that has fanOut segments. What is being merged already is left out. Nothing when the segments are few
// enough.
func (st *state) plan(country string, most int) []view {
	var counts [bits.UintSize]int
	for _, v := range st.segments[country] {
		if st.merging[v.segment] {
			continue
		}
		if 2*v.live <= len(v.segment.hot) && v.live <= most {
			return []view{v}
		}
		counts[class4(v.live)]++
	}
	full := slices.IndexFunc(counts[:], func(n int) bool { return n >= fanOut })
	if full < 0 {
		return nil
	}
	var views []view
	size := 0
	for _, v := range st.segments[country] {
		if !st.merging[v.segment] && class4(v.live) <= full {
			views = append(views, v)
			size += v.live
		}
	}
	if size > most {
		return nil
	}
	return views
}

// class4 is the size class of a segment: the logarithm of its size to the base fanOut.
func class4(size int) int { return (bits.Len(uint(size)) - 1) / 2 } //nolint:gosec // not negative

// replace puts a merged segment in the place of those that it was made of. What died since then dies in it too.
func (st *state) replace(views []view, merged *segment, moves [][]uint32) {
	country := views[0].segment.country
	fresh := view{segment: merged, live: len(merged.hot)}
	present := st.segments[country]
	for i, before := range views {
		delete(st.merging, before.segment)
		at := slices.IndexFunc(present, func(v view) bool { return v.segment == before.segment })
		for word, marks := range present[at].dead {
			if before.dead != nil {
				marks &^= before.dead[word]
			}
			for ; marks != 0; marks &= marks - 1 {
				fresh.dead = fresh.dead.with(moves[i][word*64+bits.TrailingZeros64(marks)], len(merged.hot))
				fresh.live--
			}
		}
		present = slices.Delete(present, at, at+1)
	}
	if fresh.live > 0 { // the larger ones stand first, because good answers found early rule out the others
		at := slices.IndexFunc(present, func(v view) bool { return v.live < fresh.live })
		if at < 0 {
			at = len(present)
		}
		present = slices.Insert(present, at, fresh)
	}
	st.segments[country] = present
}
