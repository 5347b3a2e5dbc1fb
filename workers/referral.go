package workers

import (
	"context"

	"github.com/hibiken/asynq"

	"onward"
)

// offerPlaces offers the free places of opportunities to who waits for one.
func (w *Workers) offerPlaces(ctx context.Context, task *asynq.Task) error {
	return w.eachRef(ctx, task, w.config.Store.OfferPlaces)
}

// endReferrals ends the referrals of opportunities that closed, batch by batch. A worker that is killed leaves the promise
// open: the next one goes on with the batch that was not done.
func (w *Workers) endReferrals(ctx context.Context, task *asynq.Task) error {
	return w.eachRef(ctx, task, func(ctx context.Context, id onward.ID) error {
		return untilDone(ctx, func(ctx context.Context) (bool, error) { return w.config.Store.EndReferrals(ctx, id) })
	})
}

func (w *Workers) carryOutSuspension(ctx context.Context, task *asynq.Task) error {
	return w.eachRef(ctx, task, func(ctx context.Context, id onward.ID) error {
		return untilDone(ctx, func(ctx context.Context) (bool, error) { return w.config.Store.CarryOutSuspension(ctx, id) })
	})
}

// eachRef does a work for every record that it names, and finishes it.
func (w *Workers) eachRef(ctx context.Context, task *asynq.Task, do func(context.Context, onward.ID) error) error {
	work, err := workOf(task)
	if err != nil {
		return err
	}
	for _, ref := range work.Refs {
		if err := do(ctx, ref.ID); err != nil {
			return err
		}
	}
	return w.config.Store.FinishWork(ctx, work.ID)
}

// untilDone runs batches until one says that there are no more.
func untilDone(ctx context.Context, batch func(context.Context) (more bool, err error)) error {
	for {
		if more, err := batch(ctx); err != nil || !more {
			return err
		}
	}
}

// keepDeadlines does what is due by now: reminders before what ends, so that no one is reminded of what is over.
func (w *Workers) keepDeadlines(ctx context.Context) error {
	return eachUntilDone(ctx,
		w.config.Store.MarkOverdue, w.config.Store.ExpireHolds, w.config.Store.RemindRecipients, w.config.Store.PauseUnconfirmed,
		w.config.Store.MarkOverdueAlerts, w.config.Store.ExpireVettings, w.config.Store.PlanCheckIns, w.config.Store.CallCheckIns,
		w.config.Store.AskRenewals, w.config.Store.ExpireConsents, w.config.Store.RemindDeletions, w.config.Store.RemindHolds, w.config.Store.RemindEmergencies,
		w.config.Store.ForgetSessions)
}

// eachUntilDone runs each until it finds nothing more to do.
func eachUntilDone(ctx context.Context, all ...func(context.Context) (int, error)) error {
	for _, due := range all {
		err := untilDone(ctx, func(ctx context.Context) (bool, error) {
			n, err := due(ctx)
			return n > 0, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
