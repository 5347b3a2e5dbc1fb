package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// expiryTick is how exactly keys expire. Each tick looks at every key, so it is not shorter than anything here needs.
const expiryTick = 100 * time.Millisecond

// Redis is a Redis inside this process. It keeps nothing on disk: what is in it can be rebuilt from Postgres.
type Redis struct {
	server *miniredis.Miniredis
	stop   context.CancelFunc
	ticks  sync.WaitGroup
}

// StartRedis starts a Redis on a free port of 127.0.0.1. It runs until Stop, or until the context ends.
//
// Miniredis reads the wall clock for TIME and EXPIREAT, but its keys age only when told to. Its own ClockTTL would look at
// every key at every command, so here a ticker lets time pass.
func StartRedis(ctx context.Context) (*Redis, error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start redis: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Redis{server: server, stop: cancel}
	r.ticks.Go(func() {
		defer server.Close()
		ticker := time.NewTicker(expiryTick)
		defer ticker.Stop()
		for last := time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				now := time.Now()
				server.FastForward(now.Sub(last))
				last = now
			}
		}
	})
	return r, nil
}

// Addr is host:port.
func (r *Redis) Addr() string { return r.server.Addr() }

// Stop ends the server and drops what is in it. Safe to call twice.
func (r *Redis) Stop() {
	r.stop()
	r.ticks.Wait()
}
