package workers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"onward"
)

// plan is a task that is queued once a period.
type plan struct {
	task    string
	queue   string
	every   time.Duration
	timeout time.Duration
}

// deliverEvery is how often deliveries are looked for whose next try is due; new ones are sent at once.
const deliverEvery = 5 * time.Second

func (w *Workers) plans() []plan {
	return []plan{
		// In the queue of what it looks after: it overtakes nothing that only waits for its turn.
		{taskSweep, queueMatch, max(w.config.SweepAfter/2, time.Second), 30 * time.Second},
		{taskDeadlines, queueReferral, max(w.config.DeadlinesEvery, time.Second), 10 * time.Minute},
		{taskDeliver, queueNotices, deliverEvery, 2 * time.Minute},
		{taskReconcile, queueMaintenance, max(w.config.ReconcileEvery, time.Second), 10 * time.Minute},
		{taskRetention, queueMaintenance, max(w.config.RetentionEvery, time.Second), 30 * time.Minute},
	}
}

// startSchedules queues the planned tasks until ctx ends. Every worker process does. asynq's scheduler would run a task
// once for each process, since its locks end with the task.
func (w *Workers) startSchedules(ctx context.Context) *sync.WaitGroup {
	var schedules sync.WaitGroup
	for _, p := range w.plans() {
		schedules.Go(func() { w.queuePeriodically(ctx, p) })
	}
	return &schedules
}

func (w *Workers) queuePeriodically(ctx context.Context, p plan) {
	for {
		begin := time.Now().Truncate(p.every).Add(p.every) // the same moment in all processes
		timer := time.NewTimer(time.Until(begin))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if err := w.enqueuePeriod(ctx, p, begin); err != nil && ctx.Err() == nil {
			w.log.Warn("a scheduled task could not be queued; the next turn tries again", "task", p.task, "error", err)
		}
	}
}

// enqueuePeriod queues the task of one period. Its id is the period's, and is kept over the next one for processes
// whose clock is late.
func (w *Workers) enqueuePeriod(ctx context.Context, p plan, begin time.Time) error {
	_, err := w.client.EnqueueContext(ctx, asynq.NewTask(p.task, nil), asynq.Queue(p.queue), asynq.Timeout(p.timeout),
		asynq.TaskID(fmt.Sprintf("%s-%d", p.task, begin.UnixMilli())), asynq.Retention(2*p.every), asynq.MaxRetry(2))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// periodic leaves to the next period what fails because a part is away, instead of piling up.
func (w *Workers) periodic(run func(context.Context) error) asynq.HandlerFunc {
	return func(ctx context.Context, task *asynq.Task) error {
		err := run(ctx)
		if onward.CodeOf(err) == onward.EUnavailable {
			w.log.Warn("a scheduled task found a part away; the next turn tries again", "task", task.Type(), "error", err)
			return nil
		}
		return err
	}
}
