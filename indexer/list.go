package indexer

import (
	"context"

	"onward/matcher"
	"onward/matcher/destination"
)

const (
	// firstCandidates is how many openings are scored exactly at first. More are fetched while one further down could
	// still enter the list.
	firstCandidates = 300
	maxCandidates   = 10_000
)

// Asker answers a query: an index, or a Ranker over two.
type Asker interface {
	Rank(ctx context.Context, query matcher.Query) (Answer, error)
}

// List ranks openings for one person. It asks for more until no opening that was not returned could enter the list: terms
// are at most 1, so the index's score bounds the exact one. The answer holds all openings that were scored.
func List(ctx context.Context, asker Asker, person matcher.Person, reach matcher.Reach, gazetteer *destination.Gazetteer, options matcher.Options) (answer Answer, result matcher.Result, err error) {
	for candidates := firstCandidates; ; candidates = min(4*candidates, maxCandidates) {
		answer, err = asker.Rank(ctx, person.Query(reach, gazetteer, options, candidates))
		if err != nil {
			return answer, result, err
		}
		result = matcher.Rank(person, reach, answer.Openings(), options)
		if len(answer.Hits) < candidates || candidates == maxCandidates || answer.Hits[len(answer.Hits)-1].Score < result.Threshold {
			return answer, result, nil
		}
	}
}

// Openings are the hits without their scores.
func (a Answer) Openings() []matcher.Opening {
	openings := make([]matcher.Opening, len(a.Hits))
	for i, hit := range a.Hits {
		openings[i] = hit.Opening
	}
	return openings
}
