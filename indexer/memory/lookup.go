package memory

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"onward"
)

// lookup finds openings by id, or skills by theirs: a table with open addressing of number + 1 (0: free), a quarter of it
// free. At 5.3 bytes an opening it takes a tenth of what a map takes, and a segment that replaces others brings its own.
type lookup []uint32

func newLookup(size int) lookup { return make(lookup, size+size/3+1) }

// add adds the number of what is not there yet.
func (l lookup) add(number uint32, hash uint64) {
	slot := l.slot(hash)
	for l[slot] != 0 {
		slot = l.next(slot)
	}
	l[slot] = number + 1
}

// find is the opening of an id; hash is hashOf(id).
func (s *segment) find(id onward.ID, hash uint64) (doc uint32, ok bool) {
	l := s.openings
	for slot := l.slot(hash); l[slot] != 0; slot = l.next(slot) {
		if doc := l[slot] - 1; s.cold[doc].id == id {
			return doc, true
		}
	}
	return 0, false
}

// findSkill is the first number of a skill; hash is hashOfSkill(id). nextOf tells the others.
func (s *segment) findSkill(id string, hash uint64) (number uint32, ok bool) {
	l := s.skillIDs
	for slot := l.slot(hash); l[slot] != 0; slot = l.next(slot) {
		if number := l[slot] - 1; s.weighted[number].SkillID == id {
			return number, true
		}
	}
	return 0, false
}

func (l lookup) slot(hash uint64) int {
	high, _ := bits.Mul64(hash, uint64(len(l)))
	return int(high) //nolint:gosec // below len
}

func (l lookup) next(slot int) int {
	if slot++; slot == len(l) {
		return 0
	}
	return slot
}

var skillSeed = maphash.MakeSeed()

func hashOfSkill(id string) uint64 { return maphash.String(skillSeed, id) }

// hashOf spreads an id over 64 bits: its halves, mixed as in SplitMix64 (Steele, Lea and Flood 2014), because ids begin
// with the time.
func hashOf(id onward.ID) uint64 {
	x := binary.LittleEndian.Uint64(id[:8])*0x9e3779b97f4a7c15 ^ binary.BigEndian.Uint64(id[8:])
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
