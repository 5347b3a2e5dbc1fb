// Package workers does what transactions promised: it carries the outbox to the queue, keeps the index equal to
// Postgres, and answers referral requests. Tasks hold ids and versions only, and every handler may run twice.
package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"onward"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/matcher"
	"onward/store"
	"onward/workers/notices"
)

// The tasks that are scheduled, not promised.
const (
	taskRebuild   = "index:rebuild"
	taskReconcile = "index:reconcile"
	taskSweep     = "outbox:sweep"
	taskDeadlines = "referral:deadlines"
	taskDeliver   = "event:deliver"
	taskRetention = "retention:run"
)

// The queues. Requests have workers of their own: neither a flood of changes nor an index that hangs keeps a counsellor
// waiting. Maintenance is last among the rest.
const (
	queueMatch       = "match"
	queueIndex       = "index"
	queueReferral    = "referral"
	queueNotices     = "notices"
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
	// Notices sends what is told to the outside. nil: deliveries stay queued for a process that has one.
	Notices *notices.Sender
	// Refresh takes over reference data that was loaded since, before a rebuild works with it. nil: nothing to take over.
	Refresh func(ctx context.Context) error
	// Concurrency is how many requests are answered at once; half as many other tasks run beside them. 0: 8.
	Concurrency int
	// CheckInterval is how often the empty queue of requests is asked; the others are asked a quarter as often. asynq's
	// own default of a second would make everyone wait; docs/decisions/0007-delivery.md has what it costs. 0: 5 ms.
	CheckInterval time.Duration
	// RetryDelay is the wait before a failed task is tried again. It doubles with each try, up to a minute. 0: 500 ms.
	RetryDelay time.Duration
	// SweepAfter is how long a dispatched promise may stay open before it is dispatched again. 0: 30 s.
	SweepAfter time.Duration
	// ReconcileEvery compares index and Postgres. 0: 5 min.
	ReconcileEvery time.Duration
	// DeadlinesEvery is how often holds and answers whose time is over are looked for. 0: 30 s.
	DeadlinesEvery time.Duration
	// RetentionEvery is how often records whose time is over are looked for. 0: 1 h.
	RetentionEvery time.Duration
	// Registerer takes the metrics. nil: none.
	Registerer prometheus.Registerer
}

// Workers run until stopped.
type Workers struct {
	config  Config
	log     *slog.Logger
	client  *asynq.Client
	metrics *metrics
	replies *replies
}

// New makes workers; Run starts them.
func New(config Config) *Workers {
	if config.Concurrency == 0 {
		config.Concurrency = 8
	}
	if config.CheckInterval == 0 {
		config.CheckInterval = 5 * time.Millisecond
	}
	if config.RetryDelay == 0 {
		config.RetryDelay = 500 * time.Millisecond
	}
	if config.SweepAfter == 0 {
		config.SweepAfter = 30 * time.Second
	}
	if config.DeadlinesEvery == 0 {
		config.DeadlinesEvery = 30 * time.Second
	}
	if config.ReconcileEvery == 0 {
		config.ReconcileEvery = 5 * time.Minute
	}
	if config.RetentionEvery == 0 {
		config.RetentionEvery = time.Hour
	}
	return &Workers{config: config, log: config.Logger, client: asynq.NewClient(config.Redis), metrics: newMetrics(config.Registerer), replies: &replies{store: config.Store}}
}

// shutdownLimit is how long running tasks may finish after a stop; then they go back to the queue.
const shutdownLimit = 20 * time.Second

// Run works until ctx ends, then lets running tasks finish.
func (w *Workers) Run(ctx context.Context) error {
	defer func() { _ = w.client.Close() }()
	handlers := w.handlers()
	requests := w.server(w.config.Concurrency, w.config.CheckInterval, map[string]int{queueMatch: 1})
	if err := requests.Start(handlers); err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	defer requests.Shutdown()
	others := w.server((w.config.Concurrency+1)/2, 4*w.config.CheckInterval, map[string]int{queueReferral: 4, queueIndex: 3, queueNotices: 2, queueMaintenance: 1})
	if err := others.Start(handlers); err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	defer others.Shutdown()
	schedules := w.startSchedules(ctx)
	defer schedules.Wait()
	return w.dispatch(ctx) // returns when ctx ends
}

func (w *Workers) server(concurrency int, checkInterval time.Duration, queues map[string]int) *asynq.Server {
	return asynq.NewServer(w.config.Redis, asynq.Config{
		Concurrency:              concurrency,
		Queues:                   queues,
		TaskCheckInterval:        checkInterval,
		DelayedTaskCheckInterval: min(time.Second, w.config.RetryDelay),
		RetryDelayFunc:           w.retryDelay,
		IsFailure:                isFailure,
		ErrorHandler:             asynq.ErrorHandlerFunc(w.taskFailed),
		Logger:                   asynqLogger{w.log},
		LogLevel:                 asynq.WarnLevel,
		ShutdownTimeout:          shutdownLimit,
	})
}

func (w *Workers) handlers() asynq.Handler {
	mux := asynq.NewServeMux()
	mux.Use(w.observe)
	mux.HandleFunc(string(onward.WorkMatchRequest), w.matchRequest)
	mux.HandleFunc(string(onward.WorkIndexOpportunity), w.indexOpportunity)
	mux.HandleFunc(string(onward.WorkOfferPlaces), w.offerPlaces)
	mux.HandleFunc(string(onward.WorkEndReferrals), w.endReferrals)
	mux.HandleFunc(string(onward.WorkSuspend), w.carryOutSuspension)
	mux.HandleFunc(string(onward.WorkTell), w.tell)
	mux.HandleFunc(taskDeliver, w.periodic(w.deliver))
	mux.HandleFunc(taskDeadlines, w.periodic(w.keepDeadlines))
	mux.HandleFunc(taskRetention, w.periodic(w.retain))
	mux.HandleFunc(taskRebuild, w.rebuildIndex)
	mux.HandleFunc(taskReconcile, w.periodic(func(ctx context.Context) error {
		_, err := w.ReconcileIndex(ctx)
		return err
	}))
	mux.HandleFunc(taskSweep, w.periodic(w.sweep))
	return mux
}

// EnqueueRebuild asks for a rebuild of the primary index. For one cause, such as a release of the reference data, it
// happens once, however many processes ask and however often; cause "" is a new one each time, unless one waits already.
func (w *Workers) EnqueueRebuild(ctx context.Context, cause string) error {
	options := []asynq.Option{
		asynq.Queue(queueMaintenance), asynq.TaskID(taskRebuild + ":" + cause), asynq.Timeout(30 * time.Minute), asynq.MaxRetry(5),
	}
	if cause != "" {
		options = append(options, asynq.Retention(rememberRebuild))
	}
	_, err := w.client.EnqueueContext(ctx, asynq.NewTask(taskRebuild, nil), options...)
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("enqueue rebuild: %w", err)
	}
	return nil
}

const rememberRebuild = 10 * 365 * 24 * time.Hour

// maxRetry is how often a failing task is tried again before it is archived, where doctor and metrics show it. Its
// promise stays in the outbox.
const maxRetry = 8

// outageDelay spreads the tries of tasks that wait for a part to come back.
const outageDelay = 2 * time.Second

func (w *Workers) retryDelay(n int, err error, task *asynq.Task) time.Duration {
	if isFailure(err) {
		return min(w.config.RetryDelay<<min(n, 10), time.Minute)
	}
	delay := outageDelay
	if task.Type() != string(onward.WorkMatchRequest) {
		delay *= 4 // no one waits for it, and many may pile up
	}
	return delay/2 + rand.N(delay) //nolint:gosec // spreads load, keeps no secret
}

// isFailure says whether an error uses up a try. A part that is away doesn't: an outage must not archive tasks.
func isFailure(err error) bool { return onward.CodeOf(err) != onward.EUnavailable }

func (w *Workers) taskFailed(ctx context.Context, task *asynq.Task, err error) {
	retried, _ := asynq.GetRetryCount(ctx)
	limit, _ := asynq.GetMaxRetry(ctx)
	id, _ := asynq.GetTaskID(ctx)
	level := slog.LevelWarn
	switch {
	case errors.Is(err, asynq.SkipRetry) || (isFailure(err) && retried >= limit):
		level = slog.LevelError
		w.metrics.archived.WithLabelValues(task.Type()).Inc()
	case !isFailure(err):
		level = slog.LevelDebug // whoever finds a part away says so, once
	}
	w.log.Log(ctx, level, "task failed", "task", task.Type(), "id", id, "retried", retried, "error", err)
}

// observe measures every task and logs one line for it.
func (w *Workers) observe(next asynq.Handler) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		started := time.Now()
		err := discreet(next.ProcessTask(ctx, task))
		elapsed := time.Since(started)
		w.metrics.taskDone(task.Type(), elapsed, err)
		if err == nil {
			id, _ := asynq.GetTaskID(ctx)
			w.log.Debug("task done", "task", task.Type(), "id", id, "ms", elapsed.Milliseconds())
		}
		return err
	})
}

// discreet keeps what is stored out of an error, which goes to the log and, with its task, into the queue: the decoder of
// JSON quotes a number that it can't read.
func discreet(err error) error {
	var unreadable *json.UnmarshalTypeError
	if !errors.As(err, &unreadable) {
		return err
	}
	plain := fmt.Sprintf("what is stored in %q can't be read as %s", unreadable.Field, unreadable.Type)
	return discreetError{strings.ReplaceAll(err.Error(), unreadable.Error(), plain), err}
}

type discreetError struct {
	message string
	err     error
}

func (e discreetError) Error() string { return e.message }

func (e discreetError) Unwrap() error { return e.err }

// asynqLogger turns asynq's lines into slog's.
type asynqLogger struct{ log *slog.Logger }

func (l asynqLogger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l asynqLogger) Info(args ...any)  { l.log.Info(fmt.Sprint(args...)) }
func (l asynqLogger) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...)) }
func (l asynqLogger) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }
func (l asynqLogger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }
