package indextest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"onward"
	"onward/indexer"
)

func version(v int64, scale float64) func(*indexer.Entry) {
	return func(e *indexer.Entry) { e.Version, e.Scale = v, scale }
}

func (f *fixture) wantVersion(want int64) {
	f.t.Helper()
	hits := f.rank(newCook())
	if len(hits) != 1 || hits[0].Opening.Version != want {
		f.t.Fatalf("got %+v, want one hit of version %d", hits, want)
	}
}

func testVersions(_ *testing.T, f *fixture) {
	f.put(cook(1, version(3, 0.5)))
	f.put(cook(1, version(2, 0.1)))
	f.put(cook(1, version(3, 0.1)))
	f.wantVersion(3)
	f.wantScores(f.rank(newCook()), 0.5)
	f.put(cook(1, version(5, 0.3), func(e *indexer.Entry) { e.SearchTitle = "lavaplatos" }))
	f.wantVersion(5)
	f.wantScores(f.rank(newCook()), 0.3)
	f.wantIDs(f.search(indexer.SearchQuery{Text: "cocinera", Today: Today}))
	f.wantIDs(f.search(indexer.SearchQuery{Text: "lavaplatos", Today: Today}), 1)
	f.put(cook(1, version(6, 0.3), func(e *indexer.Entry) { e.Country = "GT" }))
	f.wantIDs(f.rank(newCook()))
	if n := f.count(); n != 1 {
		f.t.Fatalf("count is %d, want 1", n)
	}
}

func testBatch(_ *testing.T, f *fixture) {
	f.put(cook(1, version(1, 0.1)), cook(1, version(4, 0.4)), cook(2, version(1, 0.2)), cook(1, version(2, 0.2)))
	f.wantIDs(f.rank(newCook()), 1, 2)
	f.wantScores(f.rank(newCook()), 0.4, 0.2)
}

func testDelete(_ *testing.T, f *fixture) {
	f.put(cook(1, version(3, 0.5)), cook(2))
	f.delete(indexer.Ref{ID: id(1), Version: 4}, indexer.Ref{ID: id(3), Version: 7})
	f.wantIDs(f.rank(newCook()), 2)
	f.wantIDs(f.search(indexer.SearchQuery{Text: "cocinera", Today: Today}), 2)
	f.put(cook(1, version(3, 0.5)), cook(1, version(4, 0.5)), cook(3, version(7, 0.5)))
	f.wantIDs(f.rank(newCook()), 2)
	f.put(cook(1, version(5, 0.5)), cook(3, version(8, 0.5)))
	f.wantIDs(f.rank(newCook()), 1, 2, 3)
	if n := f.count(); n != 3 {
		f.t.Fatalf("count is %d, want 3", n)
	}
}

func testLateDelete(_ *testing.T, f *fixture) {
	f.put(cook(1, version(5, 0.5)))
	f.delete(indexer.Ref{ID: id(1), Version: 4}, indexer.Ref{ID: id(1), Version: 5})
	f.wantVersion(5)
}

func testListVersions(t *testing.T, f *fixture) {
	want := map[onward.ID]int64{}
	var entries []indexer.Entry
	for n := range uint64(2500) {
		e := cook(n+1, version(int64(n%7+1), 0.5)) //nolint:gosec // small
		want[e.ID] = e.Version
		entries = append(entries, e)
	}
	f.put(entries...)
	f.put(cook(1, version(50, 0.5)))
	f.delete(indexer.Ref{ID: id(2), Version: 50})
	want[id(1)] = 50
	delete(want, id(2))
	f.check(f.index.Versions(f.ctx, func(ref indexer.Ref) error {
		if version, ok := want[ref.ID]; !ok || version != ref.Version {
			return fmt.Errorf("version %d of %s is listed; want %d, once", ref.Version, ref.ID, version)
		}
		delete(want, ref.ID)
		return nil
	}))
	if len(want) > 0 {
		t.Errorf("%d openings are not listed", len(want))
	}
	stop := errors.New("stop")
	if err := f.index.Versions(f.ctx, func(indexer.Ref) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the error of each is lost: %v", err)
	}
}

func testRebuild(t *testing.T, f *fixture) {
	f.put(cook(1, version(9, 0.5)), cook(2))
	f.check(f.index.Rebuild(f.ctx, func(put func([]indexer.Entry) error) error {
		if err := put([]indexer.Entry{cook(1, version(3, 0.4)), cook(3)}); err != nil {
			return err
		}
		f.wantIDs(f.rank(newCook()), 1, 2) // the old one still answers
		return put([]indexer.Entry{cook(4, version(2, 0.3))})
	}))
	f.wantIDs(f.rank(newCook()), 3, 1, 4) // going back to version 3: a rebuild is always right
	if n := f.count(); n != 3 {
		t.Fatalf("count is %d, want 3", n)
	}
	f.put(cook(5), cook(1, version(2, 0.9)))
	f.wantIDs(f.rank(newCook()), 3, 5, 1, 4)
}

func testRebuildFails(t *testing.T, f *fixture) {
	f.put(cook(1))
	failure := errors.New("the database went away")
	err := f.index.Rebuild(f.ctx, func(put func([]indexer.Entry) error) error {
		if err := put([]indexer.Entry{cook(2), cook(3)}); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatalf("the error of fill is lost: %v", err)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	err = f.index.Rebuild(ctx, func(put func([]indexer.Entry) error) error {
		cancel()
		return put([]indexer.Entry{cook(2)})
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled rebuild gives %v", err)
	}
	f.wantIDs(f.rank(newCook()), 1)
	f.put(cook(4))
	f.wantIDs(f.rank(newCook()), 1, 4)
	f.check(f.index.Rebuild(f.ctx, func(put func([]indexer.Entry) error) error { return put([]indexer.Entry{cook(5)}) }))
	f.wantIDs(f.rank(newCook()), 5)
}

// rows stand for Postgres: the open openings by id.
type rows map[onward.ID]indexer.Entry

func (r rows) truth(each func(indexer.Ref) error) error {
	for _, e := range r {
		if err := each(indexer.Ref{ID: e.ID, Version: e.Version}); err != nil {
			return err
		}
	}
	return nil
}

func (r rows) load(_ context.Context, ids []onward.ID) ([]indexer.Entry, error) {
	var entries []indexer.Entry
	for _, id := range ids {
		if e, ok := r[id]; ok {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

func testReconcile(t *testing.T, f *fixture) {
	open := rows{}
	for n := range uint64(1300) {
		e := cook(n+1, version(2, 0.5))
		open[e.ID] = e
		switch {
		case n < 600: // missing
		case n < 700:
			f.check(f.index.Put(f.ctx, []indexer.Entry{cook(n+1, version(1, 0.1))}))
		default:
			f.check(f.index.Put(f.ctx, []indexer.Entry{e}))
		}
	}
	f.put(cook(5001), cook(5002, version(9, 0.5)))
	for _, want := range []indexer.Drift{{Missing: 600, Stale: 100, Extra: 2}, {}} {
		drift, err := indexer.Reconcile(f.ctx, f.index, open.truth, open.load)
		f.check(err)
		if drift != want {
			t.Fatalf("drift is %v, want %v", drift, want)
		}
		f.refresh()
		if n := f.count(); n != len(open) {
			t.Fatalf("count is %d, want %d", n, len(open))
		}
	}

	// A row that opens and reaches the index after the stream of rows began looks like an extra one, and is not.
	before := rows{}
	late := cook(6000, version(4, 0.5))
	f.put(late)
	open[late.ID] = late
	if drift, err := indexer.Reconcile(f.ctx, f.index, before.truth, open.load); err != nil || drift.Any() {
		t.Fatalf("drift is %v (%v), want none", drift, err)
	}
	// A row that is read as closed and opens again before it is removed stays.
	delete(open, late.ID)
	again := cook(6000, version(6, 0.5))
	drift, err := indexer.Reconcile(f.ctx, f.index, open.truth, func(ctx context.Context, ids []onward.ID) ([]indexer.Entry, error) {
		entries, _ := open.load(ctx, ids)
		return entries, f.index.Put(ctx, []indexer.Entry{again})
	})
	if err != nil || drift != (indexer.Drift{Extra: 1}) {
		t.Fatalf("drift is %v (%v), want one extra", drift, err)
	}
	open[again.ID] = again
	f.refresh()
	if drift, err = indexer.Reconcile(f.ctx, f.index, open.truth, open.load); err != nil || drift.Any() {
		t.Fatalf("drift is %v (%v), want none", drift, err)
	}
	// Postgres was restored from a backup.
	open[again.ID] = cook(6000, version(3, 0.5))
	if drift, err = indexer.Reconcile(f.ctx, f.index, open.truth, open.load); err != nil || drift != (indexer.Drift{Ahead: 1}) {
		t.Fatalf("drift is %v (%v), want one ahead", drift, err)
	}
}

func testConcurrent(t *testing.T, f *fixture) {
	const writers, rounds, each = 4, 12, 25
	var wait sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wait.Go(func() {
			for ; ; _ = 0 {
				select {
				case <-done:
					return
				default:
				}
				hits, err := f.index.Rank(f.ctx, newCook())
				if err == nil {
					_, err = f.index.Search(f.ctx, indexer.SearchQuery{Text: "cocinera", Today: Today})
				}
				if err != nil {
					t.Error(err)
					return
				}
				for i := 1; i < len(hits); i++ {
					if hits[i].Score > hits[i-1].Score {
						t.Errorf("hit %d scores above the one before", i)
					}
				}
			}
		})
	}
	var writing sync.WaitGroup
	var failed atomic.Bool
	for w := range uint64(writers) {
		writing.Go(func() {
			for round := range int64(rounds) {
				var entries []indexer.Entry
				for n := range uint64(each) { // all writers write the same openings, in versions of their own
					entries = append(entries, cook(n+1, version(1+round*writers+int64(w), 0.5))) //nolint:gosec // small
				}
				err := f.index.Put(f.ctx, entries)
				if err == nil && round%3 == 0 {
					err = f.index.Delete(f.ctx, []indexer.Ref{{ID: id(100 + w), Version: round + 1}})
				}
				if err != nil && !failed.Swap(true) {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	wait.Wait()
	f.refresh()
	hits := f.rank(newCook())
	if len(hits) != each {
		t.Fatalf("got %d hits, want %d", len(hits), each)
	}
	for _, hit := range hits {
		if hit.Opening.Version != rounds*writers {
			t.Errorf("version %d of %s won, want %d", hit.Opening.Version, hit.Opening.ID, rounds*writers)
		}
	}
}
