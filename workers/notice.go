package workers

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"onward"
)

// sendersAtOnce is how many deliveries are under way at once, so that one slow receiver does not keep the others waiting.
const sendersAtOnce = 8

// tell makes the deliveries of events and sends those that are due.
func (w *Workers) tell(ctx context.Context, task *asynq.Task) error {
	work, err := workOf(task)
	if err != nil {
		return err
	}
	ids := make([]onward.ID, len(work.Refs))
	for i, ref := range work.Refs {
		ids[i] = ref.ID
	}
	if err := w.config.Store.FanOut(ctx, ids, w.config.Notices.Channels(), work.ID); err != nil {
		return err
	}
	return w.deliver(ctx)
}

// deliver sends what is due until nothing is.
func (w *Workers) deliver(ctx context.Context) error {
	if w.config.Notices == nil {
		return nil
	}
	return untilDone(ctx, func(ctx context.Context) (bool, error) {
		claimed, err := w.config.Store.ClaimDeliveries(ctx)
		if err != nil || len(claimed) == 0 {
			return false, err
		}
		var sending errgroup.Group
		sending.SetLimit(sendersAtOnce)
		for _, o := range claimed {
			sending.Go(func() error {
				sent, err := w.config.Notices.Send(ctx, o)
				if err != nil {
					return fmt.Errorf("deliver %s: %w", o.ID, err)
				}
				w.metrics.delivered(o.Channel, sent)
				return nil
			})
		}
		return true, sending.Wait()
	})
}
