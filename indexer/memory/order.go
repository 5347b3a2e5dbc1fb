package memory

import (
	"cmp"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// class says by which of its entries a reach is looked up.
type class uint8

const (
	remoteWork class = iota // wherever its place is
	remotePortableWork
	assistedWork
	assistedPortableWork
	plainWork
	plainPortableWork
	classes
)

func classOf(isRemote, isAssisted, isPortable bool) class {
	c := plainWork
	switch {
	case isRemote:
		c = remoteWork
	case isAssisted:
		c = assistedWork
	}
	if isPortable {
		c++
	}
	return c
}

// key orders the openings of a segment: those of one class stand together, in it those that ask for the same skills, and of
// these the neighbours. It is the same in every segment, so that segments can be merged by it.
type key struct {
	class  class
	skills [2]string // the first ones, which are the heaviest: they mostly tell the occupation
	place  spot
}

// spot orders places so that most neighbours stand near each other.
type spot struct {
	cell uint32
	id   onward.PlaceID
}

func spotOf(p place) spot { return spot{cell(p.lat, p.lon), p.id} }

func (s spot) compare(other spot) int {
	return cmp.Or(cmp.Compare(s.cell, other.cell), cmp.Compare(s.id, other.id))
}

// cell is the number of a cell of 0.003 x 0.006 degrees on a Z-order curve (Morton 1966).
func cell(lat, lon float64) uint32 {
	const steps = 1<<16 - 1
	return spread(uint32(steps*within01((lat+90)/180)))<<1 | spread(uint32(steps*within01((lon+180)/360)))
}

func within01(x float64) float64 { return max(0, min(1, x)) }

// spread puts a zero before each of the lower 16 bits.
func spread(x uint32) uint32 {
	x = (x | x<<8) & 0x00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f
	x = (x | x<<2) & 0x33333333
	return (x | x<<1) & 0x55555555
}

func keyOf(o *matcher.Opening) key {
	k := key{
		class: classOf(o.Remote, o.Assisted, o.Portability > 0),
		place: spotOf(place{id: o.PlaceID, lat: o.Lat, lon: o.Lon}),
	}
	for i := range min(len(k.skills), len(o.Skills)) {
		k.skills[i] = o.Skills[i].SkillID
	}
	return k
}

func (s *segment) key(doc uint32) key {
	k := key{class: s.class(doc), place: spotOf(s.places[s.hot[doc].place])}
	from, to := s.skillsAt[doc], s.skillsAt[doc+1]
	for i := range min(uint32(len(k.skills)), to-from) { //nolint:gosec // 2
		k.skills[i] = s.weighted[s.skills.at(from+i)].SkillID
	}
	return k
}

func (s *segment) class(doc uint32) class {
	h := &s.hot[doc]
	return classOf(h.flags.has(isRemote), h.flags.has(isAssisted), s.shares[h.portability] > 0)
}

func (k key) compare(other key) int {
	if k.class != other.class {
		return cmp.Compare(k.class, other.class)
	}
	for i := range k.skills {
		if k.skills[i] != other.skills[i] {
			return cmp.Compare(k.skills[i], other.skills[i])
		}
	}
	return k.place.compare(other.place)
}

// keyed is an entry with its key.
type keyed struct {
	key   key
	entry *indexer.Entry
}
