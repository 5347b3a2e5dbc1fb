package workers

import (
	"context"
	"sync"
	"time"

	"onward"
	"onward/store"
)

// repliesFor is how long the shares of answered referrals are kept before they are read again: they move by the day.
const repliesFor = 30 * time.Second

// replies holds the share of referrals that each organisation answered in time, for those with enough of them to say.
type replies struct {
	store *store.Store

	mu     sync.Mutex
	shares map[onward.ID]float64 // never changed once it is here
	read   time.Time
}

func (r *replies) current(ctx context.Context) (map[onward.ID]float64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shares != nil && time.Since(r.read) < repliesFor {
		return r.shares, nil
	}
	counted, err := r.store.Replies(ctx)
	if err != nil {
		return nil, err
	}
	r.shares, r.read = onward.ReplyShares(counted), time.Now()
	return r.shares, nil
}
