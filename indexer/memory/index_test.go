package memory

import (
	"context"
	"fmt"
	"testing"
	"time"

	"onward"
	"onward/indexer"
	"onward/indexer/indextest"
)

func TestMemoryIndexPassesTheSuite(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(*testing.T) indexer.Index { return New() }, indextest.Options{})
}

func TestManySmallPutsAndReplacementsLeaveFewSegmentsAndTheRightAnswers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ix, whole := New(), New()
	world := indextest.NewWorld(3)
	entries := world.Entries(1500)
	for i := range entries {
		if err := ix.Put(ctx, entries[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range entries { // replace most, delete some
		switch {
		case i%10 == 0:
			ref := indexer.Ref{ID: entries[i].ID, Version: entries[i].Version + 1}
			if err := ix.Delete(ctx, []indexer.Ref{ref}); err != nil {
				t.Fatal(err)
			}
			if err := whole.Delete(ctx, []indexer.Ref{ref}); err != nil {
				t.Fatal(err)
			}
		case i%3 != 0:
			entries[i].Version++
			entries[i].PlacesLeft++
			if err := ix.Put(ctx, entries[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := whole.Put(ctx, entries); err != nil {
		t.Fatal(err)
	}
	ix.mu.Lock()
	err := ix.settle(ctx, ix.live)
	ix.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, v := range ix.present.Load().all() {
		held += len(v.segment.hot)
	}
	if n := len(ix.present.Load().all()); n > 6*fanOut {
		t.Errorf("%d segments are left", n)
	}
	if live := ix.present.Load().count; held > 2*live {
		t.Errorf("%d openings are held for %d that live", held, live)
	}
	for range 20 {
		q := world.Query(60, 20)
		a, err := ix.Rank(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := whole.Rank(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(a[0].Opening.Title, len(a)) != fmt.Sprint(b[0].Opening.Title, len(b)) {
			t.Fatalf("got %d hits, want %d", len(a), len(b))
		}
		for i := range a {
			if a[i].Opening.ID != b[i].Opening.ID || a[i].Score != b[i].Score || a[i].Opening.PlacesLeft != b[i].Opening.PlacesLeft {
				t.Fatalf("hit %d is %v, want %v", i, a[i].Opening, b[i].Opening)
			}
		}
	}
}

func TestOldTombstonesArePruned(t *testing.T) {
	t.Parallel()
	ix := New()
	clock := time.Now()
	ix.now = func() time.Time { return clock }
	for i := range 5 * tombstonesUnpruned {
		if i == 2*tombstonesUnpruned {
			clock = clock.Add(2 * tombstonesKept)
		}
		ref := indexer.Ref{ID: onward.NewID(), Version: 1}
		if err := ix.Delete(context.Background(), []indexer.Ref{ref}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(ix.live.gone); n > 3*tombstonesUnpruned {
		t.Errorf("%d tombstones are kept", n)
	}
}

func TestPutsAndDeletesDuringARebuildAreNotMissed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ix := New()
	entries := indextest.NewWorld(4).Entries(3)
	if err := ix.Put(ctx, entries[:2]); err != nil {
		t.Fatal(err)
	}
	err := ix.Rebuild(ctx, func(put func([]indexer.Entry) error) error {
		if err := ix.Put(ctx, entries[2:]); err != nil {
			return err
		}
		if err := ix.Delete(ctx, []indexer.Ref{{ID: entries[0].ID, Version: entries[0].Version + 1}}); err != nil {
			return err
		}
		return put(entries[:2])
	})
	if err != nil {
		t.Fatal(err)
	}
	left := map[onward.ID]bool{}
	if err := ix.Versions(ctx, func(ref indexer.Ref) error { left[ref.ID] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 || !left[entries[1].ID] || !left[entries[2].ID] {
		t.Errorf("after the rebuild there are %v", left)
	}
}
