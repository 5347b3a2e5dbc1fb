package store

import (
	"context"
	"log/slog"
	"time"

	"github.com/lib/pq"
)

// The channels on which Postgres tells of changes, by triggers.
const (
	ChannelOutbox        = "onward_outbox"        // promised work waits
	ChannelRequests      = "onward_requests"      // a request has its answer; the payload is its id
	ChannelOpportunities = "onward_opportunities" // opportunities changed
	ChannelReference     = "onward_reference"     // a taxonomy or places were loaded
)

// Notification is one message of Postgres. After a lost connection one with an empty channel comes: anything may have
// been missed.
type Notification struct {
	Channel string
	Payload string
}

// Listen delivers notifications until ctx ends, then closes the channel. It reconnects by itself.
func (s *Store) Listen(ctx context.Context, log *slog.Logger, channels ...string) (<-chan Notification, error) {
	listener := pq.NewListener(s.url, 100*time.Millisecond, 5*time.Second, func(event pq.ListenerEventType, err error) {
		if err != nil {
			log.Warn("notifications of the database interrupted", "event", int(event), "error", err)
		}
	})
	// The first connection may not be there yet; the listener goes on trying by itself.
	registered := make(chan error, 1)
	go func() {
		for _, channel := range channels {
			if err := listener.Listen(channel); err != nil {
				registered <- err
				return
			}
		}
		registered <- nil
	}()
	select {
	case err := <-registered:
		if err != nil {
			_ = listener.Close()
			return nil, unavailable("listen to the database", err)
		}
	case <-ctx.Done():
		_ = listener.Close()
		return nil, ctx.Err()
	}
	out := make(chan Notification, 1024)
	go deliver(ctx, listener, out)
	return out, nil
}

func deliver(ctx context.Context, listener *pq.Listener, out chan<- Notification) {
	defer close(out)
	defer func() { _ = listener.Close() }()
	ping := time.NewTicker(time.Minute)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-listener.Notify:
			message := Notification{}
			if n != nil {
				message = Notification{Channel: n.Channel, Payload: n.Extra}
			}
			select {
			case out <- message:
			case <-ctx.Done():
				return
			}
		case <-ping.C:
			go func() { _ = listener.Ping() }() // finds a connection that died silently
		}
	}
}
