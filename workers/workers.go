// Package workers does what transactions promised: it carries the outbox to the queue, keeps the index equal to
// Postgres, and answers referral requests. Tasks hold ids and versions only, and every handler may run twice.
package workers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"onward"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/matcher"
	"onward/store"
)

// The tasks that are scheduled, not promised.
const (
	taskRebuild   = "index:rebuild"
	taskReconcile = "index:reconcile"
	taskSweep     = "outbox:sweep"
)

// The queues. Each gets a share of the workers, so that a flood of changes to the index never starves a counsellor who waits.
const (
	queueMatch       = "match"
	queueIndex       = "index"
	queueMaintenance = "maintenance"
)

// Ranker answers a query from the best index that is there, and says which.
type Ranker interface {
	Rank(ctx context.Context, query matcher.Query) (indexer.Answer, error)
}

// Config of the workers. Every field without a default is needed.
type Config struct {
	Store     *store.Store
	Catalogue *catalogue.Live
	// Index is the primary index, which tasks write to.
	Index indexer.Index
	// Ranker reads from the primary or its fallback.
	Ranker Ranker
	Redis  asynq.RedisConnOpt
	Logger *slog.Logger
	// Concurrency is how many tasks run at once. 0: 8.
	Concurrency int
	// CheckInterval is how often an empty queue is asked. asynq's own default of a second would make everyone wait; 5 ms
	// costs about 2 % of a core. 0: 5 ms.
	CheckInterval time.Duration
	// SweepAfter is how long a dispatched promise may stay open before it is dispatched again. 0: 30 s.
	SweepAfter time.Duration
	// ReconcileEvery compares index and Postgres. 0: 5 min.
	ReconcileEvery time.Duration
	// Registerer takes the metrics. nil: none.
	Registerer prometheus.Registerer
}

// Workers run until stopped.
type Workers struct {
	config  Config
	log     *slog.Logger
	client  *asynq.Client
	metrics *metrics
}

// New makes workers; Run starts them.
func New(config Config) *Workers {
	if config.Concurrency == 0 {
		config.Concurrency = 8
	}
	if config.CheckInterval == 0 {
		config.CheckInterval = 5 * time.Millisecond
	}
	if config.SweepAfter == 0 {
		config.SweepAfter = 30 * time.Second
	}
	if config.ReconcileEvery == 0 {
		config.ReconcileEvery = 5 * time.Minute
	}
	return &Workers{config: config, log: config.Logger, client: asynq.NewClient(config.Redis), metrics: newMetrics(config.Registerer)}
}

// shutdownLimit is how long running tasks may finish after a stop; then they go back to the queue.
const shutdownLimit = 20 * time.Second

// Run works until ctx ends, then lets running tasks finish.
func (w *Workers) Run(ctx context.Context) error {
	defer func() { _ = w.client.Close() }()
	server := asynq.NewServer(w.config.Redis, asynq.Config{
		Concurrency:              w.config.Concurrency,
		Queues:                   map[string]int{queueMatch: 6, queueIndex: 3, queueMaintenance: 1},
		TaskCheckInterval:        w.config.CheckInterval,
		DelayedTaskCheckInterval: time.Second,
		RetryDelayFunc:           retryDelay,
		IsFailure:                isFailure,
		ErrorHandler:             asynq.ErrorHandlerFunc(w.taskFailed),
		Logger:                   asynqLogger{w.log},
		LogLevel:                 asynq.WarnLevel,
		ShutdownTimeout:          shutdownLimit,
	})
	scheduler := asynq.NewScheduler(w.config.Redis, &asynq.SchedulerOpts{
		Logger: asynqLogger{w.log}, LogLevel: asynq.ErrorLevel, PostEnqueueFunc: w.scheduled,
	})
	if err := w.schedule(scheduler); err != nil {
		return err
	}
	if err := server.Start(w.handlers()); err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	if err := scheduler.Start(); err != nil {
		server.Shutdown()
		return fmt.Errorf("start schedules: %w", err)
	}
	err := w.dispatch(ctx) // returns when ctx ends
	scheduler.Shutdown()
	server.Shutdown()
	return err
}

func (w *Workers) handlers() asynq.Handler {
	mux := asynq.NewServeMux()
	mux.Use(w.observe)
	mux.HandleFunc(string(onward.WorkMatchRequest), w.matchRequest)
	mux.HandleFunc(string(onward.WorkIndexOpportunity), w.indexOpportunity)
	mux.HandleFunc(taskRebuild, func(ctx context.Context, _ *asynq.Task) error { return w.RebuildIndex(ctx) })
	mux.HandleFunc(taskReconcile, func(ctx context.Context, _ *asynq.Task) error {
		_, err := w.ReconcileIndex(ctx)
		return err
	})
	mux.HandleFunc(taskSweep, func(ctx context.Context, _ *asynq.Task) error { return w.sweep(ctx) })
	return mux
}

// schedule plans the periodic tasks. Several worker processes plan the same ones; Unique lets one through a period.
func (w *Workers) schedule(scheduler *asynq.Scheduler) error {
	for _, plan := range []struct {
		task    string
		every   time.Duration
		timeout time.Duration
	}{
		{taskSweep, max(w.config.SweepAfter/2, time.Second), 30 * time.Second},
		{taskReconcile, w.config.ReconcileEvery, 10 * time.Minute},
	} {
		_, err := scheduler.Register("@every "+plan.every.String(), asynq.NewTask(plan.task, nil), asynq.Queue(queueMaintenance),
			asynq.Unique(plan.every), asynq.Timeout(plan.timeout), asynq.MaxRetry(0))
		if err != nil {
			return fmt.Errorf("schedule %s: %w", plan.task, err)
		}
	}
	return nil
}

func (w *Workers) scheduled(_ *asynq.TaskInfo, err error) {
	if err != nil && !errors.Is(err, asynq.ErrDuplicateTask) {
		w.log.Warn("a scheduled task could not be queued; the next turn tries again", "error", err)
	}
}

// EnqueueRebuild asks for a rebuild of the primary index, after a new taxonomy for example. Asking twice is one rebuild.
func (w *Workers) EnqueueRebuild(ctx context.Context) error {
	_, err := w.client.EnqueueContext(ctx, asynq.NewTask(taskRebuild, nil), asynq.Queue(queueMaintenance), asynq.TaskID(taskRebuild),
		asynq.Timeout(30*time.Minute), asynq.MaxRetry(5))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("enqueue rebuild: %w", err)
	}
	return nil
}

// maxRetry is how often a failing task is tried again before it is archived, where doctor and metrics show it. Its
// promise stays in the outbox.
const maxRetry = 8

// retryDelay doubles from half a second to a minute.
func retryDelay(n int, _ error, _ *asynq.Task) time.Duration {
	return min(500*time.Millisecond<<min(n, 10), time.Minute)
}

// isFailure says whether an error uses up a try. A part that is away doesn't: an outage must not archive tasks.
func isFailure(err error) bool { return onward.CodeOf(err) != onward.EUnavailable }

func (w *Workers) taskFailed(ctx context.Context, task *asynq.Task, err error) {
	retried, _ := asynq.GetRetryCount(ctx)
	limit, _ := asynq.GetMaxRetry(ctx)
	id, _ := asynq.GetTaskID(ctx)
	level := slog.LevelWarn
	if isFailure(err) && retried >= limit {
		level = slog.LevelError
	}
	w.log.Log(ctx, level, "task failed", "task", task.Type(), "id", id, "retried", retried, "error", err)
}

// observe measures every task and logs one line for it.
func (w *Workers) observe(next asynq.Handler) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		started := time.Now()
		err := next.ProcessTask(ctx, task)
		elapsed := time.Since(started)
		w.metrics.taskDone(task.Type(), elapsed, err)
		if err == nil {
			id, _ := asynq.GetTaskID(ctx)
			w.log.Debug("task done", "task", task.Type(), "id", id, "ms", elapsed.Milliseconds())
		}
		return err
	})
}

// asynqLogger turns asynq's lines into slog's.
type asynqLogger struct{ log *slog.Logger }

func (l asynqLogger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l asynqLogger) Info(args ...any)  { l.log.Info(fmt.Sprint(args...)) }
func (l asynqLogger) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...)) }
func (l asynqLogger) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }
func (l asynqLogger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }
