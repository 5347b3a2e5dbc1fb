package benchrank

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"onward"
	"onward/indexer"
	"onward/indexer/memory"
	"onward/matcher"
)

const (
	top     = 20
	batch   = 10_000 // openings put at once
	checked = 5      // queries that are held against scoring every opening
	// tolerance is how far a score may be off one that is added up in another order.
	tolerance = 1e-5
)

// Figures are of one way to rank, in milliseconds a query.
type Figures struct {
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Longest float64 `json:"longest_ms"`
}

// RankResult is what Rank measured.
type RankResult struct {
	Opportunities   int     `json:"opportunities"`
	Queries         int     `json:"queries"`
	Skills          float64 `json:"skills_per_query"` // on average
	Places          float64 `json:"places_per_query"`
	BuildSeconds    float64 `json:"build_seconds"`
	BytesEach       float64 `json:"bytes_per_opportunity"` // of heap, with the title
	Memory          Figures `json:"memory"`
	Checked         int     `json:"checked"` // queries whose top 20 were held against scoring every opening
	DuringUpdates   Figures `json:"during_updates"`
	LongestUpdate   float64 `json:"longest_update_ms"` // of 100 openings
	UpdatesEach     float64 `json:"updates_per_second"`
	Elastic         Figures `json:"elasticsearch,omitzero"`
	ElasticAgrees   float64 `json:"elasticsearch_agreement_at_20,omitempty"`
	ElasticFasterBy float64 `json:"times_faster_than_elasticsearch,omitempty"` // p50
	GrowsBy         float64 `json:"grows_by_power,omitempty"`                  // p50 since a run with fewer openings; 1: linear
	SQL             Figures `json:"sql,omitzero"`
	SQLAgrees       float64 `json:"sql_agreement_at_20,omitempty"`
	SQLFasterBy     float64 `json:"times_faster_than_sql,omitempty"` // p50
}

// Rival does the same work another way.
type Rival interface {
	Put(ctx context.Context, entries []indexer.Entry) error
	Rank(ctx context.Context, query matcher.Query) ([]indexer.Hit, error)
}

// settler is a rival that has something to do once all openings are there.
type settler interface {
	Settle(ctx context.Context) error
}

// RankOptions say how much is ranked. Elastic and SQL do the same work another way; nil: they don't.
type RankOptions struct {
	Opportunities, Queries int
	Seed                   uint64
	Elastic, SQL           Rival
	Progress               func(string)
}

// Rank builds the memory index of drawn openings, asks it for the top 20 of drawn people, holds some answers against scoring every
// opening, and measures it under updates. An answer that is not exact is an error.
func Rank(ctx context.Context, release onward.Taxonomy, o RankOptions) (RankResult, error) {
	result := RankResult{Opportunities: o.Opportunities, Queries: o.Queries}
	w, err := NewWorkload(release, o.Seed)
	if err != nil {
		return result, err
	}
	queries := make([]matcher.Query, o.Queries)
	for i := range queries {
		queries[i] = w.Query(top)
		result.Skills += float64(len(queries[i].Skills)) / float64(o.Queries)
		result.Places += float64(len(queries[i].Reach.Places)) / float64(o.Queries)
	}
	index := memory.New()
	before := heap()
	started := time.Now()
	wanted := make([][]scored, min(checked, o.Queries))
	sample, err := fill(ctx, w, o, index, queries, wanted)
	if err != nil {
		return result, err
	}
	result.BuildSeconds = time.Since(started).Seconds()
	result.BytesEach = float64(heap()-before) / float64(o.Opportunities)
	o.Progress("Ranking")
	answers := make([][]indexer.Hit, o.Queries)
	if result.Memory, err = measure(ctx, index, queries, answers); err != nil {
		return result, err
	}
	for i, want := range wanted {
		if err := exact(answers[i], want); err != nil {
			return result, fmt.Errorf("query %d: %w", i+1, err)
		}
		result.Checked++
	}
	o.Progress("Ranking while openings change")
	if err := result.update(ctx, index, queries, sample); err != nil {
		return result, err
	}
	if o.Elastic != nil {
		o.Progress("Asking Elasticsearch the same")
		if result.Elastic, result.ElasticAgrees, err = rival(ctx, o.Elastic, queries, answers); err != nil {
			return result, err
		}
		result.ElasticFasterBy = result.Elastic.P50 / math.Max(result.Memory.P50, 0.001)
	}
	if o.SQL != nil {
		o.Progress("Asking Postgres the same")
		if result.SQL, result.SQLAgrees, err = rival(ctx, o.SQL, queries, answers); err != nil {
			return result, err
		}
		result.SQLFasterBy = result.SQL.P50 / math.Max(result.Memory.P50, 0.001)
	}
	return result, nil
}

// scored is an opening with its score by the formula.
type scored struct {
	id    onward.ID
	score float64
}

// fill puts the openings in batches, and scores each of them for the queries that are checked. It returns some openings to
// change later.
func fill(ctx context.Context, w *Workload, o RankOptions, index indexer.Index, queries []matcher.Query, wanted [][]scored) (sample []indexer.Entry, err error) {
	for put := 0; put < o.Opportunities; put += batch {
		o.Progress(fmt.Sprintf("Building, %d of %d", put, o.Opportunities))
		entries := w.Entries(min(batch, o.Opportunities-put))
		if err := index.Put(ctx, entries); err != nil {
			return nil, err
		}
		for _, other := range []Rival{o.Elastic, o.SQL} {
			if other == nil {
				continue
			}
			if err := other.Put(ctx, entries); err != nil {
				return nil, err
			}
		}
		for i := range wanted {
			wanted[i] = best(wanted[i], &queries[i], entries)
		}
		if len(sample) < batch {
			sample = append(sample, entries[:min(len(entries), batch-len(sample))]...)
		}
	}
	return sample, nil
}

// best keeps the top of what it was and of more openings, by scoring each.
func best(list []scored, q *matcher.Query, entries []indexer.Entry) []scored {
	boosts := make(map[string]matcher.QuerySkill, len(q.Skills))
	for _, s := range q.Skills {
		boosts[s.SkillID] = s
	}
	for i := range entries {
		o := &entries[i].Opening
		if !o.ClosesOn.IsZero() && o.ClosesOn.Before(q.Today) {
			continue
		}
		fit := q.NeutralFit
		if o.SkillBasis != onward.SkillsNone {
			fit = 0
			for _, s := range o.Skills {
				if s.Essential {
					fit += boosts[s.SkillID].Essential
				} else {
					fit += boosts[s.SkillID].Optional
				}
			}
		}
		if score := o.Scale * fit * q.Reach.Of(o); score > 0 {
			list = append(list, scored{o.ID, score})
		}
	}
	slices.SortFunc(list, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), slices.Compare(a.id[:], b.id[:])) })
	return slices.Clone(list[:min(len(list), top)])
}

// exact compares an answer with scoring every opening: the same scores in the same order. Of openings of one score any may stand.
func exact(hits []indexer.Hit, want []scored) error {
	if len(hits) != len(want) {
		return onward.Errorf(onward.EInternal, "%d openings, scoring every one gives %d", len(hits), len(want))
	}
	for i := range hits {
		if math.Abs(hits[i].Score-want[i].score) > tolerance {
			return onward.Errorf(onward.EInternal, "number %d scores %v, scoring every opening gives %v", i+1, hits[i].Score, want[i].score)
		}
	}
	return nil
}

func measure(ctx context.Context, index Rival, queries []matcher.Query, answers [][]indexer.Hit) (Figures, error) {
	took := make([]time.Duration, len(queries))
	for _, warm := range []bool{true, false} { // the first time fills the caches
		for i, q := range queries {
			if warm && i >= 20 {
				break
			}
			started := time.Now()
			hits, err := index.Rank(ctx, q)
			took[i] = time.Since(started)
			if err != nil {
				return Figures{}, err
			}
			answers[i] = hits
		}
	}
	return figuresOf(took), nil
}

func figuresOf(took []time.Duration) Figures {
	took = slices.Clone(took)
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[min(len(took)-1, int(share*float64(len(took))))].Microseconds()) / 1000
	}
	return Figures{at(0.5), at(0.99), at(1)}
}

const (
	updatesFor   = 3 * time.Second
	updatedAtOne = 100
)

// update ranks while openings get new versions, a hundred at a time.
func (r *RankResult) update(ctx context.Context, index indexer.Index, queries []matcher.Query, sample []indexer.Entry) error {
	ctx, stop := context.WithTimeout(ctx, updatesFor)
	defer stop()
	var writer sync.WaitGroup
	var writeErr error
	written := 0
	writer.Go(func() {
		for round := int64(2); ctx.Err() == nil && writeErr == nil; round++ {
			for from := 0; from+updatedAtOne <= len(sample) && ctx.Err() == nil; from += updatedAtOne {
				changed := slices.Clone(sample[from : from+updatedAtOne])
				for i := range changed {
					changed[i].Opening.Version = round
				}
				started := time.Now()
				if writeErr = index.Put(context.WithoutCancel(ctx), changed); writeErr != nil {
					return
				}
				r.LongestUpdate = math.Max(r.LongestUpdate, float64(time.Since(started).Microseconds())/1000)
				written += updatedAtOne
			}
			if len(sample) < updatedAtOne {
				return
			}
		}
	})
	var took []time.Duration
	for i := 0; ctx.Err() == nil; i++ {
		started := time.Now()
		if _, err := index.Rank(context.WithoutCancel(ctx), queries[i%len(queries)]); err != nil {
			return err
		}
		took = append(took, time.Since(started))
	}
	writer.Wait()
	r.DuringUpdates = figuresOf(took)
	r.UpdatesEach = float64(written) / updatesFor.Seconds()
	return writeErr
}

// rival asks another the same, and says which share of the top 20 has the same score at the same rank.
func rival(ctx context.Context, other Rival, queries []matcher.Query, answers [][]indexer.Hit) (f Figures, agrees float64, err error) {
	if s, ok := other.(settler); ok {
		if err := s.Settle(ctx); err != nil {
			return f, 0, err
		}
	}
	others := make([][]indexer.Hit, len(queries))
	if f, err = measure(ctx, other, queries, others); err != nil {
		return f, 0, err
	}
	same, all := 0, 0
	for i := range queries {
		for k := range answers[i] {
			all++
			if k < len(others[i]) && math.Abs(answers[i][k].Score-others[i][k].Score) <= tolerance {
				same++
			}
		}
	}
	return f, float64(same) / float64(max(1, all)), nil
}

func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

// BatchResult is what Batch measured.
type BatchResult struct {
	Returnees     int     `json:"returnees"`
	Opportunities int     `json:"opportunities"`
	Processors    int     `json:"processors"`
	Seconds       float64 `json:"seconds"`
	Checked       int     `json:"checked"`
}

// Batch ranks all openings for all of many people, the top 20 of each, on all processors.
func Batch(ctx context.Context, release onward.Taxonomy, returnees int, o RankOptions) (BatchResult, error) {
	result := BatchResult{Returnees: returnees, Opportunities: o.Opportunities, Processors: runtime.GOMAXPROCS(0)}
	w, err := NewWorkload(release, o.Seed)
	if err != nil {
		return result, err
	}
	o.Progress("Drawing people")
	queries := make([]matcher.Query, returnees)
	for i := range queries {
		queries[i] = w.Query(top)
	}
	index := memory.New()
	wanted := make([][]scored, min(checked, returnees))
	if _, err := fill(ctx, w, o, index, queries, wanted); err != nil {
		return result, err
	}
	o.Progress("Ranking")
	answers := make([][]indexer.Hit, returnees)
	failed := make([]error, result.Processors)
	started := time.Now()
	var all sync.WaitGroup
	for p := range result.Processors {
		all.Go(func() {
			for i := p; i < returnees && failed[p] == nil; i += result.Processors {
				answers[i], failed[p] = index.Rank(ctx, queries[i])
			}
		})
	}
	all.Wait()
	result.Seconds = time.Since(started).Seconds()
	if err := cmp.Or(failed...); err != nil {
		return result, err
	}
	for i, want := range wanted {
		if err := exact(answers[i], want); err != nil {
			return result, fmt.Errorf("person %d: %w", i+1, err)
		}
		result.Checked++
	}
	return result, nil
}
