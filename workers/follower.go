package workers

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"onward"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/store"
)

// Follower keeps an index in this process equal to Postgres without the queue: as the fallback while Elasticsearch is
// away, and in every process that ranks in memory while others write.
type Follower struct {
	Store     *store.Store
	Catalogue *catalogue.Live
	Index     indexer.Index
	Logger    *slog.Logger
	// Every is how often it looks when nothing was heard. 0: 5 s.
	Every time.Duration
	// OnlyTimer leaves the notifications to the tasks that write the same index in the same process.
	OnlyTimer bool

	loaded    atomic.Bool
	mu        sync.Mutex // held while the index is brought up to date
	watermark uint64
}

// Loaded says whether the index holds everything.
func (f *Follower) Loaded() bool { return f.loaded.Load() }

// Load fills the index from Postgres.
func (f *Follower) Load(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load(ctx)
}

func (f *Follower) load(ctx context.Context) error {
	// The watermark comes first: what is written during the load is then read again, which is harmless.
	watermark, err := f.Store.ChangedSince(ctx, 0, nil)
	if err != nil {
		return err
	}
	if err := rebuild(ctx, f.Store, f.Index, f.Catalogue.Current()); err != nil {
		return err
	}
	f.watermark = watermark
	f.loaded.Store(true)
	return nil
}

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	every := f.Every
	if every == 0 {
		every = 5 * time.Second
	}
	var notifications <-chan store.Notification
	if !f.OnlyTimer {
		var err error
		if notifications, err = f.Store.Listen(ctx, f.Logger, store.ChannelOpportunities); err != nil && ctx.Err() == nil {
			return err
		}
	}
	timer := time.NewTicker(every)
	defer timer.Stop()
	for {
		if err := f.follow(ctx); err != nil && ctx.Err() == nil {
			f.Logger.Warn("the memory index could not follow the database; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case _, open := <-notifications:
			if !open {
				return nil
			}
			drain(notifications)
		case <-timer.C:
		}
	}
}

func (f *Follower) follow(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.Loaded() {
		return f.load(ctx)
	}
	next, err := f.Store.ChangedSince(ctx, f.watermark, func(list []onward.Opportunity) error {
		return apply(ctx, f.Index, f.Catalogue.Current(), list)
	})
	if err == nil {
		f.watermark = next
	}
	return err
}
