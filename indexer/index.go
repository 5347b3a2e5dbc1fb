// Package indexer keeps the index of open opportunities. Postgres is the only truth: an index can be wiped at any time
// and is filled again from it. Two implementations, memory and elastic, answer alike; indextest is their common suite.
package indexer

import (
	"context"

	"onward"
	"onward/matcher"
)

// Entry is what the index holds of one opportunity.
type Entry struct {
	matcher.Opening
	// SearchText is the folded text of title and description, for Search only.
	SearchTitle string `json:"search_title"`
	SearchText  string `json:"search_text"`
}

// Ref is one version of one opportunity.
type Ref struct {
	ID      onward.ID
	Version int64
}

// Hit is one answer.
type Hit struct {
	Opening matcher.Opening
	Score   float64
}

// SearchQuery is a person's search over the openings: all words of Text, any of Skills, near a point.
type SearchQuery struct {
	Text   string // as typed; folded by the index
	Skills []string
	Near   *Near
	// Country, Kinds, OrganisationID narrow the search where set.
	Country        string
	Kinds          []onward.Kind
	OrganisationID onward.ID
	Today          onward.Date
	Limit          int
	Offset         int
}

// Near is a circle.
type Near struct {
	Lat, Lon, RadiusKm float64
}

// Index is an index of openings. Every call takes its deadline from ctx. Errors of a server that is away have the code
// onward.EUnavailable.
type Index interface {
	// Name is "memory" or "elasticsearch".
	Name() string
	// Put adds or replaces entries. An entry whose version is not above what the index has seen of its id is ignored, so
	// that replays and reorderings are harmless.
	Put(ctx context.Context, entries []Entry) error
	// Delete removes what is no longer open, by the same rule of versions: a Put of an older version that comes late does
	// not bring it back.
	Delete(ctx context.Context, refs []Ref) error
	// Rank answers a query with at most Limit hits, ordered by score (highest first) and then by id.
	Rank(ctx context.Context, query matcher.Query) ([]Hit, error)
	// Search answers a person's search, best first.
	Search(ctx context.Context, query SearchQuery) ([]Hit, error)
	// Versions streams what the index holds, in any order, for reconciliation.
	Versions(ctx context.Context, each func(Ref) error) error
	// Rebuild fills a new index beside the live one and swaps them: searches go on meanwhile. Puts during a rebuild may
	// miss the new one; a reconciliation afterwards mends that.
	Rebuild(ctx context.Context, fill func(put func([]Entry) error) error) error
	// Ping says whether the index can answer, and Count how many openings it holds.
	Ping(ctx context.Context) error
	Count(ctx context.Context) (int, error)
}
