package workers

import (
	"context"
	"testing"

	"onward/indexer"
	"onward/indexer/memory"
	"onward/internal/testenv"
)

// asElsewhere is an index whose puts miss the one that is being built, as with Elasticsearch.
type asElsewhere struct {
	*memory.Index
	whileFilling func()
	inPlace      func(*memory.Index)
}

func (ix asElsewhere) Rebuild(ctx context.Context, fill func(put func([]indexer.Entry) error) error) error {
	next := memory.New()
	err := fill(func(entries []indexer.Entry) error {
		if ix.whileFilling != nil {
			ix.whileFilling()
		}
		return next.Put(ctx, entries)
	})
	ix.inPlace(next)
	return err
}

func TestWhatOpensWhileAnIndexIsFilledIsInItWhenItTakesItsPlace(t *testing.T) {
	t.Parallel()
	var built *memory.Index
	index := asElsewhere{Index: memory.New(), inPlace: func(next *memory.Index) { built = next }}
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	r.post(bricklaying(guadalajara))
	changed := r.post(bricklaying(guadalajara))
	done := false
	index.whileFilling = func() {
		if !done {
			done = true
			r.post(bricklaying(guadalajara))
			r.update(changed)
		}
	}
	if err := rebuild(t.Context(), r.config.Store, index, r.config.Catalogue.Current()); err != nil {
		t.Fatal(err)
	}
	refs := versions(t, built)
	if len(refs) != 3 {
		t.Fatalf("%d openings when it takes its place, want 3", len(refs))
	}
	for _, ref := range refs {
		if ref.ID == changed.ID && ref.Version <= changed.Version {
			t.Errorf("%s at version %d: it was changed meanwhile", ref.ID, ref.Version)
		}
	}
}
