package indexer

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"onward"
)

// reconcileBatch is how many openings are loaded and put at a time.
const reconcileBatch = 500

// Drift is what a reconciliation found, and has repaired but for Ahead.
type Drift struct {
	Missing int `json:"missing"` // open, and not in the index
	Stale   int `json:"stale"`   // in the index with an older version
	Extra   int `json:"extra"`   // in the index, and not open
	// Ahead are versions in the index that are newer than Postgres: it was restored from a backup. The rule of versions
	// does not let a put go back in time; a Rebuild mends it.
	Ahead int `json:"ahead"`
}

// Any says whether the index had drifted.
func (d Drift) Any() bool { return d != Drift{} }

func (d Drift) String() string {
	return fmt.Sprintf("missing %d, stale %d, extra %d, ahead %d", d.Missing, d.Stale, d.Extra, d.Ahead)
}

// Reconcile compares an index with the open rows of Postgres and repairs the index. truth streams the open rows, in any
// order; load reads those of the named rows that are open now, as they are now. It needs 24 bytes for each opening.
//
// It runs beside normal work. What looks wrong is read again before it is touched, so that a row that opens, changes or
// closes meanwhile ends up right: a put of a stale version is ignored, and a removal carries the version after the one
// that the index has, which is at most the one of the row's closing and below the one of its opening again.
func Reconcile(
	ctx context.Context, index Index,
	truth func(each func(Ref) error) error,
	load func(ctx context.Context, ids []onward.ID) ([]Entry, error),
) (Drift, error) {
	var drift Drift
	if err := refresh(ctx, index); err != nil {
		return drift, fmt.Errorf("reconcile: %w", err)
	}
	held, err := heldBy(ctx, index)
	if err != nil {
		return drift, fmt.Errorf("reconcile: %w", err)
	}
	r := reconciler{index: index, load: load, drift: &drift}
	open := make([]bool, len(held))
	err = truth(func(row Ref) error {
		at, found := slices.BinarySearchFunc(held, row.ID, func(ref Ref, id onward.ID) int { return bytes.Compare(ref.ID[:], id[:]) })
		if found {
			open[at] = true
			if held[at].Version == row.Version {
				return nil
			}
			return r.suspect(ctx, held[at])
		}
		return r.suspect(ctx, Ref{ID: row.ID, Version: notHeld})
	})
	if err != nil {
		return drift, fmt.Errorf("reconcile: %w", err)
	}
	for i, ref := range held {
		if open[i] {
			continue
		}
		if err := r.suspect(ctx, ref); err != nil {
			return drift, fmt.Errorf("reconcile: %w", err)
		}
	}
	if err := r.flush(ctx); err != nil {
		return drift, fmt.Errorf("reconcile: %w", err)
	}
	if drift.Any() {
		if err := refresh(ctx, index); err != nil {
			return drift, fmt.Errorf("reconcile: %w", err)
		}
	}
	return drift, nil
}

// refresh makes what was put visible at once, in an index where that takes a while.
func refresh(ctx context.Context, index Index) error {
	if r, ok := index.(interface {
		Refresh(ctx context.Context) error
	}); ok {
		return r.Refresh(ctx)
	}
	return nil
}

// notHeld is the version of what is not in the index.
const notHeld = -1

// heldBy is what the index has, sorted by id.
func heldBy(ctx context.Context, index Index) ([]Ref, error) {
	n, err := index.Count(ctx)
	if err != nil {
		return nil, err
	}
	held := make([]Ref, 0, n+n/8)
	err = index.Versions(ctx, func(ref Ref) error {
		held = append(held, ref)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(held, func(a, b Ref) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return held, nil
}

// reconciler repairs suspects in batches.
type reconciler struct {
	index    Index
	load     func(ctx context.Context, ids []onward.ID) ([]Entry, error)
	drift    *Drift
	suspects []Ref // what the index has of what looks wrong
}

func (r *reconciler) suspect(ctx context.Context, ref Ref) error {
	r.suspects = append(r.suspects, ref)
	if len(r.suspects) < reconcileBatch {
		return nil
	}
	return r.flush(ctx)
}

// flush reads the suspects again and repairs what is really wrong.
func (r *reconciler) flush(ctx context.Context) error {
	if len(r.suspects) == 0 {
		return nil
	}
	ids := make([]onward.ID, len(r.suspects))
	for i, ref := range r.suspects {
		ids[i] = ref.ID
	}
	entries, err := r.load(ctx, ids)
	if err != nil {
		return fmt.Errorf("load %d openings: %w", len(ids), err)
	}
	now := make(map[onward.ID]*Entry, len(entries))
	for i := range entries {
		now[entries[i].ID] = &entries[i]
	}
	var puts []Entry
	var deletes []Ref
	for _, ref := range r.suspects {
		entry, open := now[ref.ID]
		switch {
		case !open && ref.Version == notHeld: // closed meanwhile
		case !open:
			r.drift.Extra++
			deletes = append(deletes, Ref{ID: ref.ID, Version: ref.Version + 1})
		case ref.Version == notHeld:
			r.drift.Missing++
			puts = append(puts, *entry)
		case entry.Version > ref.Version:
			r.drift.Stale++
			puts = append(puts, *entry)
		case entry.Version < ref.Version:
			r.drift.Ahead++
		}
	}
	r.suspects = r.suspects[:0]
	if len(puts) > 0 {
		if err := r.index.Put(ctx, puts); err != nil {
			return err
		}
	}
	if len(deletes) > 0 {
		return r.index.Delete(ctx, deletes)
	}
	return nil
}
