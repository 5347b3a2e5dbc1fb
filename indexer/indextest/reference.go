package indextest

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"onward"
	"onward/indexer"
	"onward/indexer/typeahead"
	"onward/matcher"
)

// BruteForce is the answer to a query, straight from the formula in package matcher and without any index: all hits, in
// order, whatever the limit.
func BruteForce(entries []indexer.Entry, q matcher.Query) []indexer.Hit {
	boosts := map[string]matcher.QuerySkill{}
	for _, s := range q.Skills {
		boosts[s.SkillID] = s
	}
	var hits []indexer.Hit
	for i := range entries {
		o := &entries[i].Opening
		if o.Country != q.Country || !open(o, q.Today, q.Kinds) ||
			slices.Contains(q.ExcludedPlaces, o.PlaceID) || slices.Contains(q.ExcludedOrganisations, o.OrganisationID) {
			continue
		}
		if q.VettedOnly && (o.Vetting != onward.VettingPassed || !o.VettedUntil.IsZero() && o.VettedUntil.Before(q.Today)) {
			continue
		}
		sum, scale := 0.0, o.Scale
		switch {
		case q.SkillsUnknown:
			sum, scale = q.NeutralFit, o.SkillConfidence
		case o.SkillBasis == onward.SkillsNone:
			sum = q.NeutralFit
		default:
			for _, s := range o.Skills {
				if s.Essential {
					sum += boosts[s.SkillID].Essential
				} else {
					sum += boosts[s.SkillID].Optional
				}
			}
		}
		if score := scale * sum * q.Reach.Of(o); score > 0 {
			hits = append(hits, indexer.Hit{Opening: *o, Score: score})
		}
	}
	return sorted(hits)
}

func open(o *matcher.Opening, today onward.Date, kinds []onward.Kind) bool {
	return (o.ClosesOn.IsZero() || !o.ClosesOn.Before(today)) && (len(kinds) == 0 || slices.Contains(kinds, o.Kind))
}

// wantSearch is the answer to a search, from its description in package indexer.
func wantSearch(entries []indexer.Entry, q indexer.SearchQuery) []indexer.Hit {
	words := strings.Fields(typeahead.Fold(q.Text))
	has := func(text, word string, prefix bool) bool {
		for w := range strings.FieldsSeq(text) {
			if w == word || prefix && strings.HasPrefix(w, word) {
				return true
			}
		}
		return false
	}
	var hits []indexer.Hit
	for i := range entries {
		e := &entries[i]
		if !open(&e.Opening, q.Today, q.Kinds) || q.Country != "" && e.Country != q.Country ||
			!q.OrganisationID.IsZero() && e.OrganisationID != q.OrganisationID {
			continue
		}
		score, matches := 0.0, true
		for j, word := range words {
			if slices.Contains(words[:j], word) && j < len(words)-1 {
				continue
			}
			last := j == len(words)-1
			switch {
			case has(e.SearchTitle, word, last):
				score += 2
			case has(e.SearchText, word, last):
				score++
			default:
				matches = false
			}
			if !matches {
				break
			}
		}
		skills := 0
		for _, s := range e.Skills {
			if e.SkillBasis != onward.SkillsNone && slices.Contains(q.Skills, s.SkillID) {
				skills++
			}
		}
		if !matches || len(q.Skills) > 0 && skills == 0 {
			continue
		}
		score += float64(skills)
		if q.Near != nil {
			km := onward.DistanceKm(q.Near.Lat, q.Near.Lon, e.Lat, e.Lon)
			if e.PlaceID == 0 || km > q.Near.RadiusKm {
				continue
			}
			score += 1 - km/q.Near.RadiusKm
		}
		hits = append(hits, indexer.Hit{Opening: e.Opening, Score: score})
	}
	return sorted(hits)
}

func sorted(hits []indexer.Hit) []indexer.Hit {
	slices.SortFunc(hits, func(a, b indexer.Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return bytes.Compare(a.Opening.ID[:], b.Opening.ID[:])
	})
	return hits
}

// sameAnswer compares the part of want from offset on with got: the same scores at the same ranks, every opening with
// its own score, equals by id, and nothing missing that is better than the last.
func sameAnswer(t *testing.T, got, want []indexer.Hit, offset, limit int, tolerance float64) {
	t.Helper()
	scores := make(map[onward.ID]float64, len(want))
	for _, hit := range want {
		scores[hit.Opening.ID] = hit.Score
	}
	page := want[min(offset, len(want)):min(offset+limit, len(want))]
	if len(got) != len(page) {
		t.Fatalf("got %d hits, want %d", len(got), len(page))
	}
	close := func(a, b float64) bool { return math.Abs(a-b) <= tolerance }
	found := make(map[onward.ID]bool, len(got))
	for i, hit := range got {
		score, ok := scores[hit.Opening.ID]
		if !ok || !close(hit.Score, score) || !close(hit.Score, page[i].Score) {
			t.Fatalf("hit %d (%s): score %.9f; its own is %.9f, and at this rank stands %.9f", i, hit.Opening.ID, hit.Score, score, page[i].Score)
		}
		if i > 0 && hit.Score == got[i-1].Score && bytes.Compare(got[i-1].Opening.ID[:], hit.Opening.ID[:]) >= 0 {
			t.Fatalf("hits %d and %d have equal scores and stand in the wrong order of ids", i-1, i)
		}
		found[hit.Opening.ID] = true
	}
	if len(page) == 0 {
		return
	}
	first, last := page[0].Score, page[len(page)-1].Score
	for _, hit := range page {
		if hit.Score > last+tolerance && hit.Score < first-tolerance && !found[hit.Opening.ID] {
			t.Fatalf("%s (score %.9f) is missing", hit.Opening.ID, hit.Score)
		}
	}
}
