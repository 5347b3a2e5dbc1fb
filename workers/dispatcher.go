package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"onward"
	"onward/store"
)

const (
	claimBatch = 200
	// dispatchEvery is the longest that a promise waits when a notification was lost.
	dispatchEvery = 2 * time.Second
	// taskLimit bounds one task; its context ends then.
	taskLimit = 2 * time.Minute
)

// dispatch carries the outbox to the queue: at once when Postgres says that there is something, and now and then anyway.
func (w *Workers) dispatch(ctx context.Context) error {
	notifications, err := w.config.Store.Listen(ctx, w.log, store.ChannelOutbox)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("dispatch: %w", err)
	}
	timer := time.NewTicker(dispatchEvery)
	defer timer.Stop()
	for {
		if err := w.carry(ctx, 0); err != nil && ctx.Err() == nil {
			w.log.Warn("could not carry the outbox to the queue; trying again", "error", err)
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

// drain takes what has queued up: one look into the outbox serves all.
func drain(notifications <-chan store.Notification) {
	for {
		select {
		case _, open := <-notifications:
			if !open {
				return
			}
		default:
			return
		}
	}
}

// sweep dispatches again what was dispatched long ago and is still not done: the queue was emptied, or a worker died.
func (w *Workers) sweep(ctx context.Context) error { return w.carry(ctx, w.config.SweepAfter) }

func (w *Workers) carry(ctx context.Context, stale time.Duration) error {
	for {
		works, err := w.config.Store.ClaimWork(ctx, claimBatch, stale)
		if err != nil {
			return err
		}
		for i, work := range works {
			if err := w.enqueue(ctx, work); err != nil {
				return errors.Join(fmt.Errorf("enqueue %s: %w", work.Kind, err), w.giveBack(works[i:]))
			}
		}
		if len(works) < claimBatch {
			return nil
		}
	}
}

// giveBack returns claims that the queue did not take, also when the caller's context has ended.
func (w *Workers) giveBack(works []onward.Work) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ids := make([]int64, len(works))
	for i, work := range works {
		ids[i] = work.ID
	}
	return w.config.Store.ReturnWork(ctx, ids)
}

func (w *Workers) enqueue(ctx context.Context, work onward.Work) error {
	payload, err := json.Marshal(work)
	if err != nil {
		return err
	}
	// Each attempt is a task of its own: one that was lost, or hangs in a dead worker's lease, does not keep the next
	// from starting, and handlers do not mind running twice.
	_, err = w.client.EnqueueContext(ctx, asynq.NewTask(string(work.Kind), payload), asynq.Queue(queueOf(work.Kind)),
		asynq.TaskID(fmt.Sprintf("%d-%d", work.ID, work.Attempt)), asynq.MaxRetry(maxRetry), asynq.Timeout(taskLimit))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

func queueOf(kind onward.WorkKind) string {
	switch kind {
	case onward.WorkMatchRequest:
		return queueMatch
	case onward.WorkOfferPlaces, onward.WorkEndReferrals, onward.WorkSuspend:
		return queueReferral
	case onward.WorkTell:
		return queueNotices
	case onward.WorkIndexOpportunity:
	}
	return queueIndex
}

// workOf reads the payload of a promised task.
func workOf(task *asynq.Task) (onward.Work, error) {
	var work onward.Work
	if err := json.Unmarshal(task.Payload(), &work); err != nil {
		return work, fmt.Errorf("read payload: %w: %w", err, asynq.SkipRetry)
	}
	return work, nil
}
