package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// scratch is the working memory of one query.
type scratch struct {
	sums   []float64
	marks  []uint8
	lasts  []uint8
	places []matcher.PlaceReach
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func zeroed[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n)
	}
	*buffer = (*buffer)[:n]
	clear(*buffer)
	return *buffer
}

// Rank answers a query, exactly; see matcher.Query for the formula.
func (ix *Index) Rank(ctx context.Context, query matcher.Query) ([]indexer.Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("rank in memory index: %w", err)
	}
	work, _ := scratches.Get().(*scratch)
	defer scratches.Put(work)
	best := top{limit: indexer.Limit(query.Limit)}
	for _, v := range ix.present.Load().of(query.Country) {
		rank(v, &query, work, &best)
	}
	return best.hits(0), nil
}

func rank(v view, q *matcher.Query, work *scratch, best *top) {
	s := v.segment
	sums := zeroed(&work.sums, len(s.hot))
	for i := range q.Skills {
		skill := &q.Skills[i]
		number, ok := s.skillNumbers[skill.SkillID]
		if !ok {
			continue
		}
		if skill.Essential != 0 {
			for _, doc := range s.essential.of(number) {
				sums[doc] += skill.Essential
			}
		}
		if skill.Optional != 0 {
			for _, doc := range s.optional.of(number) {
				sums[doc] += skill.Optional
			}
		}
	}
	for _, doc := range s.neutral {
		sums[doc] = q.NeutralFit
	}
	if q.SkillsUnknown {
		for doc := range sums {
			sums[doc] = q.NeutralFit
		}
	}

	f := newFilter(s, q.Today, q.Kinds, q.ExcludedPlaces, q.ExcludedOrganisations, q.VettedOnly)
	places, listed, highest := reachOf(s, q, work)
	for doc, sum := range sums {
		if sum <= 0 {
			continue
		}
		scale := s.scales[doc]
		if q.SkillsUnknown {
			scale = s.cold[doc].confidence
		}
		fit := scale * sum
		if len(best.heap) == best.limit && fit*highest < best.heap[0].score {
			continue // most end here
		}
		h := &s.hot[doc]
		reach := q.Reach.Abroad * h.portability
		switch {
		case h.flags.has(isRemote):
			reach += q.Reach.InCountry
		case !h.flags.has(isAssisted):
			reach += places[h.place].Plain
		case listed.has(h.place):
			reach += places[h.place].Assisted
		default:
			reach += q.Reach.AssistedElsewhere
		}
		score := fit * reach
		if !(score > 0) || len(best.heap) == best.limit && score < best.heap[0].score {
			continue
		}
		if v.dead.has(uint32(doc)) || !f.passes(h) { //nolint:gosec // fewer than 2^32
			continue
		}
		best.offer(candidate{score: score, segment: s, doc: uint32(doc)}) //nolint:gosec // fewer than 2^32
	}
}

// reachOf tabulates the reach by the segment's numbers of places; listed marks those that the query lists, and highest is
// a bound on the reach of every opening.
func reachOf(s *segment, q *matcher.Query, work *scratch) (places []matcher.PlaceReach, listed bitmap, highest float64) {
	places = zeroed(&work.places, len(s.places))
	listed = make(bitmap, (len(s.places)+63)/64)
	highest = max(q.Reach.InCountry, q.Reach.AssistedElsewhere)
	for i := range s.places {
		if reach, ok := q.Reach.Places[s.places[i].id]; ok {
			places[i] = reach
			listed[i/64] |= 1 << (i % 64)
			highest = max(highest, reach.Plain, reach.Assisted)
		}
	}
	return places, listed, highest + q.Reach.Abroad*s.maxPortability
}

// filter is the yes-or-no part of a query, by the numbers of one segment.
type filter struct {
	today        onward.Date
	vettedOnly   bool
	kinds        bitmap // of labels; nil: all
	noPlaces     bitmap
	noOrganisers bitmap
}

func newFilter(
	s *segment, today onward.Date, kinds []onward.Kind, noPlaces []onward.PlaceID, noOrganisers []onward.ID, vettedOnly bool,
) filter {
	f := filter{today: today, vettedOnly: vettedOnly}
	if len(kinds) > 0 {
		f.kinds = marked(s.labels, func(label string) bool { return slices.Contains(kinds, onward.Kind(label)) })
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
	if f.kinds != nil && !f.kinds.has(h.kind) || f.noPlaces.has(h.place) || f.noOrganisers.has(h.organisation) {
		return false
	}
	if !f.vettedOnly {
		return true
	}
	return h.flags.has(isVetted) && (h.vettedUntil.IsZero() || !h.vettedUntil.Before(f.today))
}
