package memory

import "unique"

// dict numbers distinct values, so that a segment keeps each organisation, place or title once.
type dict[T comparable] struct {
	values []T
	ids    map[T]uint32
}

func (d *dict[T]) id(value T) uint32 {
	if id, ok := d.ids[value]; ok {
		return id
	}
	if d.ids == nil {
		d.ids = make(map[T]uint32)
	}
	id := uint32(len(d.values)) //nolint:gosec // a segment has fewer than 2^32 openings
	d.ids[value] = id
	d.values = append(d.values, value)
	return id
}

// sealed is the values alone: a segment that is finished looks nothing up by value.
func (d *dict[T]) sealed() []T { return append([]T(nil), d.values...) }

// remap carries the numbers of one segment over into the dict of another, for the values that are used.
type remap[T comparable] struct {
	from []T
	to   []uint32 // number + 1; 0: not carried over yet
	dict *dict[T]
}

func newRemap[T comparable](from []T, d *dict[T]) remap[T] {
	return remap[T]{from: from, to: make([]uint32, len(from)), dict: d}
}

func (r remap[T]) id(old uint32) uint32 {
	if r.to[old] == 0 {
		r.to[old] = r.dict.id(r.from[old]) + 1
	}
	return r.to[old] - 1
}

// canonical is the one copy of a string that all segments share; it goes when the last of them does.
func canonical(s string) string { return unique.Make(s).Value() }
