package api

import (
	"sync"

	"onward"
	"onward/store"
)

// waiting wakes those who wait for a referral request to be answered.
type waiting struct {
	mu      sync.Mutex
	clients map[onward.ID]map[chan struct{}]struct{}
}

func newWaiting() *waiting { return &waiting{clients: map[onward.ID]map[chan struct{}]struct{}{}} }

// on begins to wait. The channel gets a value when there may be news; stop ends the wait.
func (w *waiting) on(id onward.ID) (news <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clients[id] == nil {
		w.clients[id] = map[chan struct{}]struct{}{}
	}
	w.clients[id][ch] = struct{}{}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.clients[id], ch)
		if len(w.clients[id]) == 0 {
			delete(w.clients, id)
		}
	}
}

func (w *waiting) run(notifications <-chan store.Notification) {
	for n := range notifications {
		if n.Channel == "" {
			w.wakeAll() // the connection was lost: anything may have happened
			continue
		}
		if id, err := onward.ParseID(n.Payload); err == nil {
			w.wake(id)
		}
	}
}

func (w *waiting) wake(id onward.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.clients[id] {
		signal(ch)
	}
}

func (w *waiting) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, clients := range w.clients {
		for ch := range clients {
			signal(ch)
		}
	}
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default: // it has been told already
	}
}
