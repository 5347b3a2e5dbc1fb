// Package memory is the exact index, inside the process. It is the default of the embedded mode, serves batches, and
// answers while Elasticsearch is away.
//
// Openings live in segments that never change. Readers take the present list of segments and hold no lock; writers, one
// at a time, add a small segment and mark what it replaces as dead. Segments of like size are merged now and then: small
// ones at once, larger ones in the background.
package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"onward/indexer"
)

const (
	// putAtOnce is how many entries are put under one lock: a millisecond or two.
	putAtOnce = 500
	// mostSegments is how many segments there may be before a put waits for the merges.
	mostSegments = 96
)

// Index implements indexer.Index.
type Index struct {
	present atomic.Pointer[snapshot]

	mu       sync.Mutex // of writers
	merged   *sync.Cond // told after each merge in the background
	live     *state
	building *state // the next one, during Rebuild
	now      func() time.Time

	rebuild sync.Mutex // one at a time
}

var _ indexer.Index = (*Index)(nil)

// New makes an empty index.
func New() *Index {
	ix := &Index{live: newState(), now: time.Now}
	ix.merged = sync.NewCond(&ix.mu)
	ix.publish()
	return ix
}

// Name is "memory".
func (ix *Index) Name() string { return "memory" }

// Put adds or replaces entries; see indexer.Index. It waits while merging lags far behind.
func (ix *Index) Put(ctx context.Context, entries []indexer.Entry) error {
	for chunk := range slices.Chunk(entries, putAtOnce) {
		if err := ix.put(ctx, chunk, func() []*state {
			if ix.building != nil {
				return []*state{ix.live, ix.building}
			}
			return []*state{ix.live}
		}); err != nil {
			return fmt.Errorf("put into memory index: %w", err)
		}
	}
	return nil
}

// put makes the segments before it takes the lock, so that others wait for little. States says, under the lock, where they
// belong.
func (ix *Index) put(ctx context.Context, entries []indexer.Entry, states func() []*state) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	segments := freshSegments(entries)
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, st := range states() {
		if err := ix.catchUp(ctx, st); err != nil {
			return err
		}
	}
	for _, st := range states() {
		st.add(segments)
		ix.mergeSoon(st)
	}
	ix.publish()
	return nil
}

// publish shows the live state to readers.
func (ix *Index) publish() { ix.present.Store(ix.live.snapshot()) }

// Delete removes openings; see indexer.Index.
func (ix *Index) Delete(ctx context.Context, refs []indexer.Ref) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete from memory index: %w", err)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	now := ix.now()
	ix.live.delete(refs, now)
	ix.mergeSoon(ix.live)
	if ix.building != nil {
		ix.building.delete(refs, now)
		ix.mergeSoon(ix.building)
	}
	ix.publish()
	return nil
}

// Rebuild fills a new index and swaps it in. Puts and deletes that come meanwhile reach both, so that none is missed.
func (ix *Index) Rebuild(ctx context.Context, fill func(put func([]indexer.Entry) error) error) error {
	ix.rebuild.Lock()
	defer ix.rebuild.Unlock()

	next := newState()
	ix.mu.Lock()
	ix.building = next
	ix.mu.Unlock()
	err := fill(func(entries []indexer.Entry) error {
		for chunk := range slices.Chunk(entries, putAtOnce) {
			if err := ix.put(ctx, chunk, func() []*state { return []*state{next} }); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = ctx.Err()
	}

	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err == nil {
		err = ix.compact(ctx, next)
	}
	ix.building = nil
	if err != nil {
		return fmt.Errorf("rebuild memory index: %w", err)
	}
	ix.live = next
	ix.publish()
	return nil
}

// Versions streams what is there at this moment.
func (ix *Index) Versions(ctx context.Context, each func(indexer.Ref) error) error {
	for _, v := range ix.present.Load().all() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("versions of memory index: %w", err)
		}
		for doc := range v.segment.cold {
			if v.dead.has(uint32(doc)) { //nolint:gosec // fewer than 2^32
				continue
			}
			c := &v.segment.cold[doc]
			if err := each(indexer.Ref{ID: c.id, Version: c.version}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Ping says that it can answer: always.
func (ix *Index) Ping(context.Context) error { return nil }

// Count is how many openings it holds.
func (ix *Index) Count(context.Context) (int, error) { return ix.present.Load().count, nil }

// snapshot is what readers see.
type snapshot struct {
	countries map[string][]view
	count     int
}

// of is the segments of a country, or all of them for "".
func (s *snapshot) of(country string) []view {
	if country == "" {
		return s.all()
	}
	return s.countries[country]
}

func (s *snapshot) all() []view {
	var all []view
	for _, views := range s.countries {
		all = append(all, views...)
	}
	return all
}

// view is a segment with the marks of who is gone from it.
type view struct {
	segment *segment
	dead    bitmap
	live    int
}

// bitmap marks openings; a nil one marks none.
type bitmap []uint64

func (b bitmap) has(doc uint32) bool { return b != nil && b[doc/64]&(1<<(doc%64)) != 0 }

// with is the marks with one more, out of size.
func (b bitmap) with(doc uint32, size int) bitmap {
	if b == nil {
		b = make(bitmap, (size+63)/64)
	}
	b[doc/64] |= 1 << (doc % 64)
	return b
}

// tombstone remembers the version of what was deleted, so that a late put of an older one does not bring it back.
type tombstone struct {
	version int64
	at      time.Time
}
