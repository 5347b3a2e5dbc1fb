package memory

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// Rank answers a query, exactly; see matcher.Query for the formula. It bounds the score of each block of openings and works
// out the scores in the blocks that can still enter the answer, the most promising first.
func (ix *Index) Rank(ctx context.Context, query matcher.Query) ([]indexer.Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("rank in memory index: %w", err)
	}
	work, _ := rankings.Get().(*ranking)
	defer rankings.Put(work)
	work.begin(&query)
	for _, v := range ix.present.Load().of(query.Country) {
		work.rank(v)
	}
	hits := work.best.hits(0)
	work.end()
	return hits, nil
}

// ranking is one query under way, with its working memory.
type ranking struct {
	query  *matcher.Query
	skills []boost
	best   top

	// boosts is what the numbers of the present segment's skills add; 0 but for those in raised.
	boosts     []float64
	raised     []uint32
	sums       []float32 // of the boosts, by block
	places     reachTable
	highest    [classes]float64 // reach of any opening of a class
	plain      heights          // reach by place of the present segment, once tabulated
	assisted   heights
	tabulated  bool
	candidates []bounded
	histogram  [histogramSize + 1]uint32
}

var rankings = sync.Pool{New: func() any { return new(ranking) }}

// boost is a skill of the query.
type boost struct {
	id                  string
	hash                uint64
	essential, optional float64
}

// bounded is a block with bounds on the scores and on the fit in it.
type bounded struct {
	bound float32
	fit   float32
	block uint32
}

// slack makes up for what rounding takes off a bound: sums of up to a thousand 32-bit floats.
const slack = 1 + 1e-4

func (r *ranking) begin(q *matcher.Query) {
	r.query = q
	r.best = top{limit: indexer.Limit(q.Limit), heap: r.best.heap[:0]}
	r.skills = r.skills[:0]
	r.reachOf(&q.Reach)
	for i := range q.Skills {
		s := &q.Skills[i]
		if s.Essential > 0 || s.Optional > 0 {
			r.skills = append(r.skills, boost{s.SkillID, hashOfSkill(s.SkillID), s.Essential, s.Optional})
		}
	}
}

// end lets go of the query and of the segments.
func (r *ranking) end() {
	clear(r.best.heap)
	r.query, r.best.heap = nil, r.best.heap[:0]
}

func (r *ranking) rank(v view) {
	s := v.segment
	r.raise(s)
	f := newFilter(s, r.query.Today, r.query.Kinds, r.query.ExcludedPlaces, r.query.ExcludedOrganisations, r.query.VettedOnly)
	r.tabulated = false
	for class := range classes {
		r.bound(s, class)
		r.rankClass(v, class, &f)
	}
	for _, number := range r.raised {
		r.boosts[number] = 0
	}
}

// rankClass goes through the candidates, the most promising first. While the answer is not full, it takes as many as may
// fill it, and more each time.
func (r *ranking) rankClass(v view, class class, f *filter) {
	left := r.candidates
	for want := 2 * r.best.limit; len(left) > 0; want *= 4 {
		var now []bounded
		if r.best.full() {
			now, left = partition(left, func(c bounded) bool { return float64(c.bound) >= r.best.lowest() }), nil
		} else {
			cut := r.promising(v.segment, left, want)
			now = partition(left, func(c bounded) bool { return c.bound >= cut })
			left = left[len(now):]
		}
		slices.SortFunc(now, func(a, b bounded) int {
			switch {
			case a.bound > b.bound:
				return -1
			case a.bound < b.bound:
				return 1
			}
			return int(a.block) - int(b.block)
		})
		for _, c := range now {
			if r.best.full() && float64(c.bound) < r.best.lowest() {
				break
			}
			r.score(v, c, class, f)
		}
	}
}

// partition moves those that are wanted to the front.
func partition(all []bounded, wanted func(bounded) bool) []bounded {
	n := 0
	for i := range all {
		if wanted(all[i]) {
			all[i], all[n] = all[n], all[i]
			n++
		}
	}
	return all[:n]
}

// raise adds up the boosts by block.
func (r *ranking) raise(s *segment) {
	r.sums = zeroed(r.sums, s.blocks.count())
	r.raised = r.raised[:0]
	if len(r.boosts) < len(s.weighted) {
		r.boosts = make([]float64, max(len(s.weighted), 1<<16)) // of which the narrow numbers need no check
	}
	b := &s.blocks
	for i := range r.skills {
		skill := &r.skills[i]
		number, ok := s.findSkill(skill.id, skill.hash)
		for ok {
			value := skill.optional
			if s.weighted[number].Essential {
				value = skill.essential
			}
			if value > 0 {
				r.boosts[number] += value
				r.raised = append(r.raised, number)
				add(r.sums, b.postings, b.postingsAt[number], b.postingsAt[number+1], float32(value))
			}
			next := s.nextOf[number]
			number, ok = next-1, next != 0
		}
	}
}

func add(sums []float32, postings numbers, from, to uint32, value float32) {
	if postings.wide != nil {
		for _, block := range postings.wide[from:to] {
			sums[block] += value
		}
		return
	}
	for _, block := range postings.narrow[from:to] {
		sums[block] += value
	}
}

// bound lists the blocks of a class in which an opening may have a score that gets it into the answer.
func (r *ranking) bound(s *segment, class class) {
	r.candidates = r.candidates[:0]
	b, lowest := &s.blocks, 0.0
	if r.best.full() {
		lowest = r.best.lowest()
	}
	highest := (r.highest[class] + r.query.Reach.Abroad*b.mostPortable) * slack
	for block := b.classes[class]; block < b.classes[class+1]; block++ {
		fit := r.fit(b, block)
		if fit*highest < lowest || !(fit > 0) {
			continue // most end here
		}
		if class >= assistedWork {
			r.tabulate(s)
		}
		reach := r.query.Reach.Abroad * float64(b.portabilities[block])
		switch class {
		case remoteWork, remotePortableWork:
			reach += r.query.Reach.InCountry
		case assistedWork, assistedPortableWork:
			reach += r.assisted.highest(b.places[block])
		default:
			reach += r.plain.highest(b.places[block])
		}
		if bound := fit * reach * slack; bound > 0 && bound >= lowest {
			r.candidates = append(r.candidates, bounded{float32(bound), float32(fit), block})
		}
	}
}

// fit bounds the fit of a block's openings.
func (r *ranking) fit(b *blocks, block uint32) float64 {
	if r.query.SkillsUnknown {
		return float64(b.confidences[block]) * r.query.NeutralFit
	}
	fit := float64(r.sums[block]) * float64(b.scales[block])
	if b.neutrals != nil {
		fit = max(fit, float64(b.neutrals[block])*r.query.NeutralFit)
	}
	return fit
}

// histogramSize is how many steps there are for bounds below 2: 32 for each power of two.
const histogramSize = 1 << 12

func step(bound float32) int { return min(int(math.Float32bits(bound)>>18), histogramSize) }

// promising is a bound that blocks of about so many openings reach.
func (r *ranking) promising(s *segment, candidates []bounded, openings int) float32 {
	clear(r.histogram[:])
	for _, c := range candidates {
		r.histogram[step(c.bound)] += s.blocks.at[c.block+1] - s.blocks.at[c.block]
	}
	count := 0
	for i := histogramSize; i > 0; i-- {
		if count += int(r.histogram[i]); count >= openings {
			return math.Float32frombits(uint32(i) << 18) //nolint:gosec // below 2^31
		}
	}
	return 0
}

// score works out the scores of a block.
func (r *ranking) score(v view, c bounded, class class, f *filter) {
	s, q, full := v.segment, r.query, r.best.full()
	fitBound := float64(c.fit) * slack
	for doc := s.blocks.at[c.block]; doc < s.blocks.at[c.block+1]; doc++ {
		h := &s.hot[doc]
		reach := q.Reach.Abroad*s.shares[h.portability] + r.of(class, h.place)
		if !(reach > 0) || full && reach*fitBound < r.best.lowest() {
			continue
		}
		scale, sum := s.scales[doc], q.NeutralFit
		switch {
		case q.SkillsUnknown:
			scale = s.terms[s.cold[doc].terms].confidence
		case !h.flags.has(isNeutral):
			sum = r.sum(s, s.skillsAt[doc], s.skillsAt[doc+1])
		}
		if !(sum > 0) {
			continue
		}
		score := scale * sum * reach
		if !(score > 0) || full && score < r.best.lowest() || v.dead.has(doc) || !f.passes(h) {
			continue
		}
		r.best.offer(candidate{score: score, segment: s, doc: doc})
		full = r.best.full()
	}
}

// sum adds up the boosts of an opening's skills, in its own order: equal openings have equal scores in all segments.
func (r *ranking) sum(s *segment, from, to uint32) float64 {
	sum := 0.0
	if s.skills.wide != nil {
		for _, number := range s.skills.wide[from:to] {
			sum += r.boosts[number]
		}
		return sum
	}
	boosts := (*[1 << 16]float64)(r.boosts)
	for _, number := range s.skills.narrow[from:to] {
		sum += boosts[number]
	}
	return sum
}

func zeroed[T any](buffer []T, n int) []T {
	if cap(buffer) < n {
		return make([]T, n)
	}
	buffer = buffer[:n]
	clear(buffer)
	return buffer
}

// filter is the yes-or-no part of a query, by the numbers of one segment.
type filter struct {
	today        onward.Date
	vettedOnly   bool
	kinds        bitmap // of kinds; nil: all
	noPlaces     bitmap
	noOrganisers bitmap
}

func newFilter(
	s *segment, today onward.Date, kinds []onward.Kind, noPlaces []onward.PlaceID, noOrganisers []onward.ID, vettedOnly bool,
) filter {
	f := filter{today: today, vettedOnly: vettedOnly}
	if len(kinds) > 0 {
		f.kinds = marked(s.kinds, func(kind string) bool { return slices.Contains(kinds, onward.Kind(kind)) })
	}
	if len(noPlaces) > 0 {
		f.noPlaces = marked(s.places, func(p place) bool { return slices.Contains(noPlaces, p.id) })
	}
	if len(noOrganisers) > 0 {
		f.noOrganisers = marked(s.organisations, func(o organisation) bool { return slices.Contains(noOrganisers, o.id) })
	}
	return f
}

func marked[T any](values []T, is func(T) bool) bitmap {
	b := make(bitmap, (len(values)+63)/64)
	for i, value := range values {
		if is(value) {
			b[i/64] |= 1 << (i % 64)
		}
	}
	return b
}

func (f *filter) passes(h *hot) bool {
	if !h.closesOn.IsZero() && h.closesOn.Before(f.today) {
		return false
	}
	if f.kinds != nil && !f.kinds.has(uint32(h.kind)) || f.noPlaces.has(h.place) || f.noOrganisers.has(h.organisation) {
		return false
	}
	if !f.vettedOnly {
		return true
	}
	return h.flags.has(isVetted) && (h.vettedUntil.IsZero() || !h.vettedUntil.Before(f.today))
}
