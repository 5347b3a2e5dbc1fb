package memory

import (
	"maps"
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
)

// state is the writer's side of an index. A lock is held around every call.
type state struct {
	known    map[onward.ID]location
	gone     map[onward.ID]tombstone
	pruneAt  int
	segments map[string][]view // by country
	// owned are the segments whose marks were copied since the last snapshot, and may be changed.
	owned map[*segment]bool
}

func newState() *state {
	return &state{
		known: make(map[onward.ID]location), gone: make(map[onward.ID]tombstone), pruneAt: tombstonesUnpruned,
		segments: make(map[string][]view), owned: make(map[*segment]bool),
	}
}

// snapshot freezes the present state for readers.
func (st *state) snapshot() *snapshot {
	clear(st.owned)
	s := &snapshot{countries: make(map[string][]view, len(st.segments)), count: len(st.known)}
	for country, views := range st.segments {
		s.countries[country] = slices.Clone(views)
	}
	return s
}

// seen is the highest version that was put or deleted; ok is false for an id never heard of.
func (st *state) seen(id onward.ID) (version int64, ok bool) {
	if at, known := st.known[id]; known {
		return at.version(), true
	}
	grave, ok := st.gone[id]
	return grave.version, ok
}

func (st *state) put(entries []indexer.Entry) {
	fresh := make(map[string][]*indexer.Entry) // by country
	batch := make(map[onward.ID]*indexer.Entry, len(entries))
	for i := range entries {
		e := &entries[i]
		if version, ok := st.seen(e.ID); ok && e.Version <= version {
			continue
		}
		if other, ok := batch[e.ID]; ok && e.Version <= other.Version {
			continue
		}
		batch[e.ID] = e
	}
	for i := range entries { // in the order given, not in a map's
		if e := &entries[i]; batch[e.ID] == e {
			fresh[e.Country] = append(fresh[e.Country], e)
		}
	}
	for _, country := range slices.Sorted(maps.Keys(fresh)) {
		st.append(country, fresh[country])
	}
	for _, country := range slices.Sorted(maps.Keys(st.segments)) {
		st.tidy(country)
	}
}

func (st *state) append(country string, entries []*indexer.Entry) {
	b := newBuilder(country, len(entries))
	for _, e := range entries {
		b.add(e)
	}
	s := b.seal(b.text.seal())
	for doc, e := range entries {
		if old, ok := st.known[e.ID]; ok {
			st.kill(old)
		}
		delete(st.gone, e.ID)
		st.known[e.ID] = location{segment: s, doc: uint32(doc)} //nolint:gosec // fewer than 2^32
	}
	st.segments[country] = append(st.segments[country], view{segment: s, live: len(entries)})
}

func (st *state) delete(refs []indexer.Ref, now time.Time) {
	for _, ref := range refs {
		if version, ok := st.seen(ref.ID); ok && ref.Version <= version {
			continue
		}
		if old, ok := st.known[ref.ID]; ok {
			st.kill(old)
			delete(st.known, ref.ID)
		}
		st.gone[ref.ID] = tombstone{version: ref.Version, at: now}
	}
	for _, country := range slices.Sorted(maps.Keys(st.segments)) {
		st.tidy(country)
	}
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
func (st *state) kill(at location) {
	views := st.segments[at.segment.country]
	i := slices.IndexFunc(views, func(v view) bool { return v.segment == at.segment })
	v := &views[i]
	if !st.owned[v.segment] {
		marks := make(bitmap, (len(v.segment.hot)+63)/64)
		copy(marks, v.dead)
		v.dead = marks
		st.owned[v.segment] = true
	}
	v.dead[at.doc/64] |= 1 << (at.doc % 64)
	v.live--
}

// tidy keeps the segments of a country few: at most fanOut-1 of a size class, none that is half dead.
func (st *state) tidy(country string) {
	views := slices.DeleteFunc(st.segments[country], func(v view) bool { return v.live == 0 })
	for i, v := range views {
		if 2*v.live <= len(v.segment.hot) {
			views[i] = st.merged(views[i : i+1])
		}
	}
	// Newer segments stand behind older ones and are smaller, so that what is merged stands at the end.
	for {
		from := len(views) - 1
		for from > 0 && class(views[from-1].live) <= class(views[len(views)-1].live) {
			from--
		}
		if len(views)-from < fanOut {
			break
		}
		views = append(views[:from], st.merged(views[from:]))
	}
	if len(views) == 0 {
		delete(st.segments, country)
		return
	}
	st.segments[country] = views
}

// class is the size class of a segment: the logarithm of its size to the base fanOut.
func class(size int) int {
	n := 0
	for ; size >= fanOut; size /= fanOut {
		n++
	}
	return n
}

func (st *state) merged(views []view) view {
	s := merge(views)
	for doc := range s.cold {
		st.known[s.cold[doc].id] = location{segment: s, doc: uint32(doc)} //nolint:gosec // fewer than 2^32
	}
	return view{segment: s, live: len(s.hot)}
}
