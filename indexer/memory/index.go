// Package memory is the exact index, inside the process. It is the default of the embedded mode, serves batches, and
// answers while Elasticsearch is away.
//
// Openings live in segments that never change. Readers take the present list of segments and hold no lock; writers, one
// at a time, add a small segment, mark what it replaces as dead, and merge segments of like size now and then.
package memory

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"onward/indexer"
)

// Index implements indexer.Index.
type Index struct {
	present atomic.Pointer[snapshot]

	mu       sync.Mutex // of writers
	live     *state
	building *state // the next one, during Rebuild
	now      func() time.Time

	rebuild sync.Mutex // one at a time
}

var _ indexer.Index = (*Index)(nil)

// New makes an empty index.
func New() *Index {
	ix := &Index{live: newState(), now: time.Now}
	ix.present.Store(ix.live.snapshot())
	return ix
}

// Name is "memory".
func (ix *Index) Name() string { return "memory" }

// Put adds or replaces entries; see indexer.Index.
func (ix *Index) Put(ctx context.Context, entries []indexer.Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("put into memory index: %w", err)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.live.put(entries)
	if ix.building != nil {
		ix.building.put(entries)
	}
	ix.present.Store(ix.live.snapshot())
	return nil
}

// Delete removes openings; see indexer.Index.
func (ix *Index) Delete(ctx context.Context, refs []indexer.Ref) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete from memory index: %w", err)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	now := ix.now()
	ix.live.delete(refs, now)
	if ix.building != nil {
		ix.building.delete(refs, now)
	}
	ix.present.Store(ix.live.snapshot())
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
		if err := ctx.Err(); err != nil {
			return err
		}
		ix.mu.Lock()
		defer ix.mu.Unlock()
		next.put(entries)
		return nil
	})
	if err == nil {
		err = ctx.Err()
	}

	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.building = nil
	if err != nil {
		return fmt.Errorf("rebuild memory index: %w", err)
	}
	ix.live = next
	ix.present.Store(next.snapshot())
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

// tombstone remembers the version of what was deleted, so that a late put of an older one does not bring it back.
type tombstone struct {
	version int64
	at      time.Time
}

type location struct {
	segment *segment
	doc     uint32
}

func (l location) version() int64 { return l.segment.cold[l.doc].version }
