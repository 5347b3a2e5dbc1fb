package memory

const (
	// blockSize is how many openings have one bound in common, at most. Measured: docs/decisions/0010-fast-index.md.
	blockSize = 64
	// smallBlock is how many openings a block has at least before another skill begins a new one.
	smallBlock = 8
)

// blocks cuts a segment into runs of openings and keeps, for each run, what bounds the score of all of them
// (block-max pruning: Mallia, Suel and Tonellotto 2024, "Faster learned sparse retrieval with block-max pruning", SIGIR):
// the skills that any of them asks for, the highest scale and portability, and the range of their places. For a person,
//
//	fit   <= highest scale x sum of the boosts of the block's skills
//	reach <= highest reach of a place in the range + abroad x highest portability
type blocks struct {
	at      []uint32            // the first opening of each block, and one more
	classes [classes + 1]uint32 // the first block of each class, and one more

	scales        []float32 // highest of the openings with skills
	neutrals      []float32 // highest of those without; nil: there are none
	confidences   []float32 // highest of all
	portabilities []float32
	mostPortable  float64
	places        []placeRange

	// Which blocks have a skill: those from postings.at(number). A block stands there twice when an opening names the same
	// skill twice.
	postingsAt []uint32
	postings   numbers
}

// placeRange is numbers of places: the places of a segment are numbered in the order of their spots.
type placeRange struct{ low, high uint32 }

func (b *blocks) count() int { return len(b.at) - 1 }

func newBlocks(s *segment) blocks {
	b := blocks{}
	class := remoteWork
	var skill uint32
	for i := range s.hot {
		doc := uint32(i) //nolint:gosec // fewer than 2^32
		first := s.firstSkill(doc)
		if i == 0 || s.class(doc) != class || b.size(doc) == blockSize || first != skill && b.size(doc) >= smallBlock {
			for ; class < s.class(doc); class++ {
				b.classes[class+1] = uint32(len(b.at)) //nolint:gosec // fewer than openings
			}
			b.begin(doc, s.hot[doc].place)
		}
		skill = first
		b.note(s, doc)
		giveWay(i)
	}
	for ; class < classes; class++ {
		b.classes[class+1] = uint32(len(b.at)) //nolint:gosec // fewer than openings
	}
	b.at = append(b.at, uint32(len(s.hot))) //nolint:gosec // fewer than 2^32
	b.post(s)
	return b
}

// firstSkill is the number of an opening's first skill + 1; 0 when it has none.
func (s *segment) firstSkill(doc uint32) uint32 {
	if s.skillsAt[doc] == s.skillsAt[doc+1] {
		return 0
	}
	return s.skills.at(s.skillsAt[doc]) + 1
}

// size is how many openings the last block has before this one.
func (b *blocks) size(doc uint32) uint32 { return doc - b.at[len(b.at)-1] }

func (b *blocks) begin(doc, place uint32) {
	b.at = append(b.at, doc)
	b.scales, b.confidences, b.portabilities = append(b.scales, 0), append(b.confidences, 0), append(b.portabilities, 0)
	b.places = append(b.places, placeRange{place, place})
	if b.neutrals != nil {
		b.neutrals = append(b.neutrals, 0)
	}
}

// note raises the bounds of the last block to those of an opening.
func (b *blocks) note(s *segment, doc uint32) {
	h, c, last := &s.hot[doc], &s.cold[doc], len(b.at)-1
	portability := s.shares[h.portability]
	b.portabilities[last], b.mostPortable = max(b.portabilities[last], float32(portability)), max(b.mostPortable, portability)
	b.confidences[last] = max(b.confidences[last], float32(s.terms[c.terms].confidence))
	places := &b.places[last]
	places.low, places.high = min(places.low, h.place), max(places.high, h.place)
	highest := &b.scales[last]
	if h.flags.has(isNeutral) {
		if b.neutrals == nil {
			b.neutrals = make([]float32, len(b.at))
		}
		highest = &b.neutrals[last]
	}
	*highest = max(*highest, float32(s.scales[doc]))
}

// post makes the postings.
func (b *blocks) post(s *segment) {
	b.postingsAt = make([]uint32, len(s.weighted)+1)
	b.eachSkill(s, func(_, number uint32) { b.postingsAt[number+1]++ })
	for i := range s.weighted {
		b.postingsAt[i+1] += b.postingsAt[i]
	}
	end := append([]uint32(nil), b.postingsAt...)
	b.postings = zeroNumbers(int(end[len(s.weighted)]), uint32(b.count())) //nolint:gosec // fewer than openings
	b.eachSkill(s, func(block, number uint32) {
		b.postings.set(end[number], block)
		end[number]++
	})
}

// eachSkill calls yield for each block and each skill in it, as often as one opening names it at most.
func (b *blocks) eachSkill(s *segment, yield func(block, number uint32)) {
	type seen struct{ block, doc, times, most uint32 }
	all := make([]seen, len(s.weighted))
	for i := range b.count() {
		block := uint32(i) //nolint:gosec // fewer than openings
		for doc := b.at[i]; doc < b.at[i+1]; doc++ {
			if s.hot[doc].flags.has(isNeutral) {
				continue
			}
			for at := s.skillsAt[doc]; at < s.skillsAt[doc+1]; at++ {
				number := s.skills.at(at)
				n := &all[number]
				if n.block != block+1 {
					*n = seen{block: block + 1}
				}
				if n.doc != doc+1 {
					n.doc, n.times = doc+1, 0
				}
				if n.times++; n.times > n.most {
					n.most = n.times
					yield(block, number)
				}
			}
		}
		giveWay(i * blockSize)
	}
}
