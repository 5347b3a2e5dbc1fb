package workers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"onward"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/indexer/typeahead"
	"onward/store"
)

// indexOpportunity writes what Postgres holds now of the named opportunities to the index, with their versions.
func (w *Workers) indexOpportunity(ctx context.Context, task *asynq.Task) error {
	work, err := workOf(task)
	if err != nil {
		return err
	}
	ids := make([]onward.ID, len(work.Refs))
	for i, ref := range work.Refs {
		ids[i] = ref.ID
	}
	var list []onward.Opportunity
	err = w.config.Store.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		var err error
		list, err = tx.OpportunitiesByID(ctx, ids)
		return err
	})
	if err != nil {
		return err
	}
	if err := apply(ctx, w.config.Index, w.config.Catalogue.Current(), list); err != nil {
		return err
	}
	return w.config.Store.FinishWork(ctx, work.ID)
}

// apply brings an index up to date with rows: open ones are put, others are deleted.
func apply(ctx context.Context, index indexer.Index, reference *catalogue.Catalogue, list []onward.Opportunity) error {
	var closed []indexer.Ref
	open := make([]onward.Opportunity, 0, len(list))
	for _, o := range list {
		if o.Status == onward.OpportunityOpen {
			open = append(open, o)
		} else {
			closed = append(closed, indexer.Ref{ID: o.ID, Version: o.Version})
		}
	}
	if len(open) > 0 {
		if err := index.Put(ctx, entriesOf(reference, open)); err != nil {
			return fmt.Errorf("put into the index: %w", err)
		}
	}
	if len(closed) > 0 {
		if err := index.Delete(ctx, closed); err != nil {
			return fmt.Errorf("delete from the index: %w", err)
		}
	}
	return nil
}

// entriesOf works out what the index holds of open opportunities.
func entriesOf(reference *catalogue.Catalogue, list []onward.Opportunity) []indexer.Entry {
	entries := make([]indexer.Entry, len(list))
	for i, o := range list {
		entries[i] = indexer.Entry{
			Opening:     reference.Opening(o),
			SearchTitle: fold(o.Title),
			SearchText:  fold(o.Description),
		}
	}
	return entries
}

// fold joins a text's languages for the search.
func fold(text onward.Text) string {
	all := make([]string, 0, len(text))
	for _, s := range text {
		all = append(all, s)
	}
	return typeahead.Fold(strings.Join(all, "\n"))
}

// rebuildIndex is the task. It takes over the reference data first: another process may have loaded it and asked.
func (w *Workers) rebuildIndex(ctx context.Context, _ *asynq.Task) error {
	if w.config.Refresh != nil {
		if err := w.config.Refresh(ctx); err != nil {
			return err
		}
	}
	return w.RebuildIndex(ctx)
}

// RebuildIndex fills the primary index anew beside the live one, then mends what changed meanwhile.
func (w *Workers) RebuildIndex(ctx context.Context) error {
	if err := rebuild(ctx, w.config.Store, w.config.Index, w.config.Catalogue.Current()); err != nil {
		return err
	}
	_, err := w.ReconcileIndex(ctx)
	return err
}

func rebuild(ctx context.Context, db *store.Store, index indexer.Index, reference *catalogue.Catalogue) error {
	err := index.Rebuild(ctx, func(put func([]indexer.Entry) error) error {
		filled := make(map[onward.ID]int64)
		err := db.EachOpen(ctx, func(list []onward.Opportunity) error {
			for i := range list {
				filled[list[i].ID] = list[i].Version
			}
			return put(entriesOf(reference, list))
		})
		if err != nil {
			return err
		}
		return catchUp(ctx, db, reference, filled, put)
	})
	if err != nil {
		return fmt.Errorf("rebuild the index: %w", err)
	}
	return nil
}

// catchUp puts what opened or changed while an index was filled: what the live one got meanwhile did not reach it, and
// would be gone from the lists when it takes its place. What closed meanwhile is left to the reconciliation.
func catchUp(
	ctx context.Context, db *store.Store, reference *catalogue.Catalogue, filled map[onward.ID]int64, put func([]indexer.Entry) error,
) error {
	var late []onward.ID
	err := db.EachOpenRef(ctx, func(ref onward.Ref) error {
		if version, ok := filled[ref.ID]; !ok || version < ref.Version {
			late = append(late, ref.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for ids := range slices.Chunk(late, catchUpBatch) {
		entries, err := loadOpen(ctx, db, reference, ids)
		if err != nil {
			return err
		}
		if err := put(entries); err != nil {
			return err
		}
	}
	return nil
}

const catchUpBatch = 500

// ReconcileIndex compares the primary index with Postgres and repairs the drift.
func (w *Workers) ReconcileIndex(ctx context.Context) (indexer.Drift, error) {
	started := time.Now()
	drift, err := reconcile(ctx, w.config.Store, w.config.Index, w.config.Catalogue.Current())
	if err != nil {
		return drift, err
	}
	w.metrics.reconciled(drift)
	if drift.Missing > 0 {
		// What somebody deleted in the index itself leaves marks with higher versions, below which it takes no put.
		again, err := reconcile(ctx, w.config.Store, w.config.Index, w.config.Catalogue.Current())
		if err != nil {
			return drift, err
		}
		drift.Ahead += again.Missing
	}
	if drift.Ahead > 0 { // or the database was restored from a backup; only a rebuild goes back in time
		if err := rebuild(ctx, w.config.Store, w.config.Index, w.config.Catalogue.Current()); err != nil {
			return drift, err
		}
	}
	if drift.Any() {
		w.log.Warn("the index had drifted from the database and was repaired", "missing", drift.Missing, "stale", drift.Stale,
			"extra", drift.Extra, "ahead", drift.Ahead, "ms", time.Since(started).Milliseconds())
	}
	return drift, nil
}

func reconcile(ctx context.Context, db *store.Store, index indexer.Index, reference *catalogue.Catalogue) (indexer.Drift, error) {
	truth := func(each func(indexer.Ref) error) error {
		return db.EachOpenRef(ctx, func(ref onward.Ref) error { return each(indexer.Ref{ID: ref.ID, Version: ref.Version}) })
	}
	return indexer.Reconcile(ctx, index, truth, func(ctx context.Context, ids []onward.ID) ([]indexer.Entry, error) {
		return loadOpen(ctx, db, reference, ids)
	})
}

// loadOpen reads those of the named opportunities that are open now.
func loadOpen(ctx context.Context, db *store.Store, reference *catalogue.Catalogue, ids []onward.ID) ([]indexer.Entry, error) {
	var open []onward.Opportunity
	err := db.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		list, err := tx.OpportunitiesByID(ctx, ids)
		open = open[:0]
		for _, o := range list {
			if o.Status == onward.OpportunityOpen {
				open = append(open, o)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return entriesOf(reference, open), nil
}
