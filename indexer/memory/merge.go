package memory

import "runtime"

// giveWayEvery is after how many openings a merge lets others run: about 100 µs. Go itself would let it go on for 10 ms
// while a search waits for a processor.
const giveWayEvery = 128

func giveWay(openings int) {
	if openings%giveWayEvery == giveWayEvery-1 {
		runtime.Gosched()
	}
}

// dropped is the new number of an opening that is gone.
const dropped = ^uint32(0)

// merge makes one segment of the living openings of several, and tells the new number of each. Segments are in the order of
// keys, and so is what comes out: the new numbers of one segment's openings ascend.
func merge(views []view) (merged *segment, moves [][]uint32) {
	size, skills := 0, 0
	for _, v := range views {
		size += v.live
		skills += v.segment.skills.len()
	}
	b := newBuilder(views[0].segment.country, size, skills)
	b.number(placesOf(views))
	moves = make([][]uint32, len(views))
	heads := make(heads, 0, len(views))
	for i, v := range views {
		moves[i] = make([]uint32, len(v.segment.hot))
		h := head{view: v, moved: moves[i], remaps: newRemaps(v.segment, b), source: i, doc: -1}
		if h.advance() {
			heads.push(h)
		}
	}
	for n := 0; len(heads) > 0; n++ {
		first := &heads[0]
		first.moved[first.doc] = uint32(n) //nolint:gosec // fewer than 2^32
		b.move(first)
		if first.advance() {
			heads.down(0)
		} else {
			heads.pop()
		}
		giveWay(n)
	}
	return b.seal(mergeWords(views, moves)), moves
}

// placesOf is the places of the living openings.
func placesOf(views []view) []place {
	var all []place
	for _, v := range views {
		used := make([]bool, len(v.segment.places))
		for doc := range v.segment.hot {
			if number := v.segment.hot[doc].place; !used[number] && !v.dead.has(uint32(doc)) { //nolint:gosec // fewer than 2^32
				used[number] = true
				all = append(all, v.segment.places[number])
			}
		}
	}
	return all
}

// remaps carries the numbers of one segment over into a builder.
type remaps struct {
	places, organisations, kinds, labels, texts, lists, wages, terms, shares, weighted func(uint32) uint32
}

func newRemaps(s *segment, b *builder) *remaps {
	r := &remaps{
		places: carry(s.places, &b.places), organisations: carry(s.organisations, &b.organisations),
		kinds: carry(s.kinds, &b.kinds), labels: carry(s.labels, &b.labels), texts: carry(s.texts, &b.texts),
		lists: carry(s.lists, &b.lists), wages: carry(s.wages, &b.wages), shares: carry(s.shares, &b.shares),
		weighted: carry(s.weighted, &b.weighted),
	}
	known := make([]uint32, len(s.terms)) // number + 1
	r.terms = func(old uint32) uint32 {
		if known[old] == 0 {
			t := s.terms[old]
			t.languages, t.documents = r.lists(t.languages), r.lists(t.documents)
			t.vetting, t.basis = r.labels(t.vetting), r.labels(t.basis)
			known[old] = b.terms.id(t) + 1
		}
		return known[old] - 1
	}
	return r
}

func carry[T comparable](from []T, d *dict[T]) func(uint32) uint32 {
	r := newRemap(from, d)
	return r.id
}

// move appends an opening of another segment.
func (b *builder) move(from *head) {
	s, r, doc := from.view.segment, from.remaps, from.doc
	h, c := s.hot[doc], s.cold[doc]
	h.place, h.organisation = r.places(h.place), r.organisations(h.organisation)
	h.kind, h.portability = uint16(r.kinds(uint32(h.kind))), r.shares(h.portability) //nolint:gosec // there are seven
	c.title, c.terms = r.texts(c.title), r.terms(c.terms)
	if h.flags.has(hasWage) {
		c.wage = r.wages(c.wage)
	}
	for at := s.skillsAt[doc]; at < s.skillsAt[doc+1]; at++ {
		b.segment.skills.append(r.weighted(s.skills.at(at)))
	}
	b.append(s.scales[doc], h, c)
}

// head is the next opening of one of the segments that are merged.
type head struct {
	view   view
	moved  []uint32
	remaps *remaps
	source int
	doc    int
	key    key
}

// advance goes on to the next living opening; false when there is none.
func (h *head) advance() bool {
	for h.doc++; h.doc < len(h.view.segment.hot); h.doc++ {
		doc := uint32(h.doc) //nolint:gosec // fewer than 2^32
		if !h.view.dead.has(doc) {
			h.key = h.view.segment.key(doc)
			return true
		}
		h.moved[doc] = dropped
	}
	return false
}

// heads is a heap with the lowest key at the root; of equal keys the first segment's.
type heads []head

func (all heads) less(i, j int) bool {
	if order := all[i].key.compare(all[j].key); order != 0 {
		return order < 0
	}
	return all[i].source < all[j].source
}

func (all *heads) push(h head) {
	*all = append(*all, h)
	for i := len(*all) - 1; i > 0; {
		parent := (i - 1) / 2
		if !all.less(i, parent) {
			return
		}
		(*all)[i], (*all)[parent] = (*all)[parent], (*all)[i]
		i = parent
	}
}

func (all *heads) pop() {
	last := len(*all) - 1
	(*all)[0] = (*all)[last]
	*all = (*all)[:last]
	all.down(0)
}

func (all heads) down(i int) {
	for {
		first := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(all); child++ {
			if all.less(child, first) {
				first = child
			}
		}
		if first == i {
			return
		}
		all[i], all[first] = all[first], all[i]
		i = first
	}
}
