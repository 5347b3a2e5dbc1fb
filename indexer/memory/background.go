package memory

import (
	"context"
	"maps"
	"slices"
)

// mergeSoon starts a goroutine that merges what is too large for a put, if there is any such and none is at it. The lock is
// held.
func (ix *Index) mergeSoon(st *state) {
	if len(st.merging) > 0 {
		return
	}
	if views := st.next(); views != nil {
		go ix.mergeAll(st, views)
	}
}

// mergeAll merges until there is nothing left to merge. It holds the lock only to put the outcome in its place.
func (ix *Index) mergeAll(st *state, views []view) {
	for views != nil {
		merged, moves := merge(views)
		ix.mu.Lock()
		st.replace(views, merged, moves)
		st.tidyAll()
		views = st.next()
		if st == ix.live {
			ix.publish()
		}
		ix.merged.Broadcast()
		ix.mu.Unlock()
	}
}

// catchUp waits while there are more segments than ranking takes in its stride, and merges are under way. The lock is held,
// and given up meanwhile.
func (ix *Index) catchUp(ctx context.Context, st *state) error {
	return ix.waitForMerges(ctx, func() bool {
		count := 0
		for _, views := range st.segments {
			count += len(views)
		}
		return len(st.merging) == 0 || count <= mostSegments
	})
}

// settle waits until nothing is being merged.
func (ix *Index) settle(ctx context.Context, st *state) error {
	return ix.waitForMerges(ctx, func() bool { return len(st.merging) == 0 })
}

func (ix *Index) waitForMerges(ctx context.Context, enough func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		ix.mu.Lock()
		defer ix.mu.Unlock()
		ix.merged.Broadcast()
	})
	defer stop()
	for !enough() && ctx.Err() == nil {
		ix.merged.Wait()
	}
	return ctx.Err()
}

// compact merges each country into one segment. The lock is held, and given up while it works.
func (ix *Index) compact(ctx context.Context, st *state) error {
	if err := ix.settle(ctx, st); err != nil {
		return err
	}
	for _, country := range slices.Sorted(maps.Keys(st.segments)) {
		if len(st.segments[country]) < 2 {
			continue
		}
		views := st.begin(st.segments[country])
		ix.mu.Unlock()
		merged, moves := merge(views)
		ix.mu.Lock()
		st.replace(views, merged, moves)
		ix.merged.Broadcast()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
