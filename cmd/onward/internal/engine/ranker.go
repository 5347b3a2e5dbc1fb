package engine

import (
	"context"

	"onward/indexer"
	"onward/matcher"
	"onward/workers"
)

// doubting asks the memory index as well when the primary has few answers or none. An index that somebody emptied
// answers at once and is wrong, for as long as nothing else has noticed; lists are saved and never change.
type doubting struct {
	*indexer.Ranker
	memory indexer.Index
}

func (e *Engine) doubtful() workers.Ranker {
	if e.Index.Name() == "memory" {
		return e.Ranker
	}
	return doubting{e.Ranker, e.follower.Index}
}

// Rank ranks; see indexer.Ranker.
func (d doubting) Rank(ctx context.Context, query matcher.Query) (indexer.Answer, error) {
	answer, err := d.Ranker.Rank(ctx, query)
	if err != nil || answer.Degraded != "" || len(answer.Hits) >= query.Limit {
		return answer, err
	}
	// It costs a hundredth of what the primary does. A few openings that one of the two has not heard of are usual.
	hits, err := d.memory.Rank(ctx, query)
	if err != nil || len(answer.Hits) > len(hits)/2 || len(hits) == 0 {
		return answer, nil //nolint:nilerr // the primary has answered
	}
	const reason = "the index has lost openings and is being filled again"
	d.Suspect(reason)
	return indexer.Answer{Hits: hits, AnsweredBy: d.memory.Name(), Degraded: reason}, nil
}
