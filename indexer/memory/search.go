package memory

import (
	"context"
	"fmt"
	"math/bits"
	"sync"

	"onward"
	"onward/indexer"
)

// Search answers a person's search: all words, any of the skills, within the circle; the scores are those of package
// indexer.
func (ix *Index) Search(ctx context.Context, query indexer.SearchQuery) ([]indexer.Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("search in memory index: %w", err)
	}
	offset, limit, err := query.Page()
	if err != nil {
		return nil, err
	}
	work, _ := searches.Get().(*searching)
	defer searches.Put(work)
	best := top{limit: offset + limit}
	for _, v := range ix.present.Load().of(query.Country) {
		search(v, &query, work, &best)
	}
	return best.hits(offset), nil
}

// searching is the working memory of one search.
type searching struct {
	sums  []float64
	marks []uint8
	lasts []uint8
}

var searches = sync.Pool{New: func() any { return new(searching) }}

func search(v view, q *indexer.SearchQuery, work *searching, best *top) {
	s := v.segment
	work.sums = zeroed(work.sums, len(s.hot))
	work.marks, work.lasts = zeroed(work.marks, len(s.hot)), zeroed(work.lasts, len(s.hot))
	sums := work.sums
	m := wordMatcher{text: &s.text, sums: sums, found: work.marks, lasts: work.lasts}
	whole, prefix := q.Terms()
	for _, word := range whole {
		m.require(word, false)
	}
	if prefix != "" {
		m.require(prefix, true)
	}
	skilled := addSkills(s, q.Skills, sums)

	f := newFilter(s, q.Today, q.Kinds, nil, nil, false)
	near := nearness(s, q.Near)
	for i := range s.hot {
		doc, h := uint32(i), &s.hot[i] //nolint:gosec // fewer than 2^32
		if m.found[i] != m.required || len(q.Skills) > 0 && !skilled.has(doc) || v.dead.has(doc) || !f.passes(h) {
			continue
		}
		if !q.OrganisationID.IsZero() && s.organisations[h.organisation].id != q.OrganisationID {
			continue
		}
		score := sums[i]
		if near != nil {
			if near[h.place] < 0 {
				continue
			}
			score += near[h.place]
		}
		best.offer(candidate{score: score, segment: s, doc: doc})
	}
}

// wordMatcher counts for each opening how many of the required words it has.
type wordMatcher struct {
	text     *words
	sums     []float64
	found    []uint8
	lasts    []uint8 // what the present word has added
	required uint8
}

// require demands one more word. Of several words with the prefix the best counts.
func (m *wordMatcher) require(word string, prefix bool) {
	from, to := m.text.find(word, prefix)
	for number := from; number < to; number++ {
		each(m.text.list(number), func(doc uint32, inTitle bool) {
			score := uint8(indexer.TextScore)
			if inTitle {
				score = indexer.TitleScore
			}
			switch {
			case m.found[doc] == m.required:
				m.found[doc]++
				m.sums[doc] += float64(score)
				m.lasts[doc] = score
			case m.found[doc] == m.required+1 && score > m.lasts[doc]:
				m.sums[doc] += float64(score - m.lasts[doc])
				m.lasts[doc] = score
			}
		})
	}
	m.required++
}

// addSkills adds the score of each asked skill and marks who has any. The blocks that have one are read through.
func addSkills(s *segment, skills []string, sums []float64) bitmap {
	if len(skills) == 0 {
		return nil
	}
	wanted := make(map[uint32]float64)
	blocks := make(bitmap, (s.blocks.count()+63)/64)
	for _, skill := range skills {
		s.numbersOf(skill, func(number uint32) {
			wanted[number] += indexer.SkillScore
			for at := s.blocks.postingsAt[number]; at < s.blocks.postingsAt[number+1]; at++ {
				block := s.blocks.postings.at(at)
				blocks[block/64] |= 1 << (block % 64)
			}
		})
	}
	any := make(bitmap, (len(s.hot)+63)/64)
	for word, marks := range blocks {
		for ; marks != 0; marks &= marks - 1 {
			block := word*64 + bits.TrailingZeros64(marks)
			for doc := s.blocks.at[block]; doc < s.blocks.at[block+1]; doc++ {
				if s.hot[doc].flags.has(isNeutral) {
					continue
				}
				for at := s.skillsAt[doc]; at < s.skillsAt[doc+1]; at++ {
					if score, ok := wanted[s.skills.at(at)]; ok {
						sums[doc] += score
						any[doc/64] |= 1 << (doc % 64)
					}
				}
			}
		}
	}
	return any
}

// nearness is, for each place of the segment, 1 at the centre of the circle falling to 0 at its rim, and -1 outside.
// Remote work without a place is outside. Nil without a circle.
func nearness(s *segment, near *indexer.Near) []float64 {
	if near == nil {
		return nil
	}
	values := make([]float64, len(s.places))
	for i, p := range s.places {
		km := onward.DistanceKm(near.Lat, near.Lon, p.lat, p.lon)
		switch {
		case p.id == 0 || near.RadiusKm <= 0 || km > near.RadiusKm:
			values[i] = -1
		default:
			values[i] = 1 - km/near.RadiusKm
		}
	}
	return values
}
