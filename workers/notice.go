package workers

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"onward"
)

// sendersAtOnce is how many deliveries are under way at once, so that one slow receiver does not keep the others waiting.
const sendersAtOnce = 32

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

// deliver sends what is due until nothing is. What is under way does not keep the rest waiting.
func (w *Workers) deliver(ctx context.Context) error {
	if w.config.Notices == nil {
		return nil
	}
	var sending errgroup.Group
	sending.SetLimit(sendersAtOnce)
	claiming := untilDone(ctx, func(ctx context.Context) (bool, error) {
		claimed, err := w.config.Store.ClaimDeliveries(ctx)
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
		return len(claimed) > 0, err
	})
	return errors.Join(claiming, sending.Wait())
}
