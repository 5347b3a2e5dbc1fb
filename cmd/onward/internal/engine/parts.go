package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"onward/api"
)

// Parts asks each part how it is, all at the same time.
func (e *Engine) Parts(ctx context.Context) []api.Part {
	ctx, cancel := context.WithTimeout(ctx, partLimit)
	defer cancel()
	asks := []func(context.Context) api.Part{e.databasePart, e.queuePart, e.memoryPart, e.searchPart, e.outboxPart, e.referencePart}
	parts := make([]api.Part, len(asks))
	var all sync.WaitGroup
	for i, ask := range asks {
		all.Go(func() { parts[i] = ask(ctx) })
	}
	all.Wait()
	return parts
}

func part(name string, needed bool, err error, state string) api.Part {
	if err != nil {
		return api.Part{Name: name, Needed: needed, State: "away"}
	}
	return api.Part{Name: name, Needed: needed, OK: true, State: state}
}

func (e *Engine) databasePart(ctx context.Context) api.Part {
	state := "answers"
	if e.postgres != nil {
		state = "answers (embedded)"
	}
	return part("postgres", true, e.Store.Ping(ctx), state)
}

// queuePart: requests are accepted without the queue, and answered when it is back. The inspector knows no deadline, so
// that it is left behind when it takes too long.
func (e *Engine) queuePart(ctx context.Context) api.Part {
	asked := make(chan api.Part, 1)
	go func() { asked <- e.askQueue() }()
	select {
	case p := <-asked:
		return p
	case <-ctx.Done():
		return part("redis", false, ctx.Err(), "")
	}
}

func (e *Engine) askQueue() api.Part {
	inspector := asynq.NewInspector(e.redis)
	defer func() { _ = inspector.Close() }()
	queues, err := inspector.Queues()
	archived := 0
	for _, queue := range queues {
		info, infoErr := inspector.GetQueueInfo(queue)
		if infoErr != nil {
			err = errors.Join(err, infoErr)
			break
		}
		archived += info.Archived
	}
	state := "answers"
	if e.config.RedisURL == "" {
		state = "answers (embedded)"
	}
	if archived > 0 {
		state = fmt.Sprintf("%d tasks failed for good; see 'onward doctor'", archived)
	}
	return part("redis", false, err, state)
}

func (e *Engine) memoryPart(ctx context.Context) api.Part {
	if !e.follower.Loaded() {
		return api.Part{Name: "memory index", Needed: true, State: "loading"}
	}
	n, err := e.follower.Index.Count(ctx)
	return part("memory index", true, err, fmt.Sprintf("%d open opportunities", n))
}

func (e *Engine) searchPart(ctx context.Context) api.Part {
	if e.Index.Name() == "memory" {
		return api.Part{Name: "elasticsearch", OK: true, State: "not configured"}
	}
	n, err := e.Index.Count(ctx)
	p := part("elasticsearch", false, err, fmt.Sprintf("%d open opportunities", n))
	if reason := e.Ranker.Degraded(); err != nil || reason != "" {
		p.OK, p.State = false, "away; the memory index answers"
	}
	return p
}

func (e *Engine) outboxPart(ctx context.Context) api.Part {
	state, err := e.Store.Outbox(ctx)
	return part("outbox", false, err, fmt.Sprintf("%d waiting, %d in the queue, %d troubled", state.Waiting, state.Dispatched, state.Troubled))
}

func (e *Engine) referencePart(context.Context) api.Part {
	return api.Part{Name: "reference data", Needed: true, OK: true, State: e.Catalogue.Current().Taxonomy().Release()}
}

// ArchivedTask is a task that failed until no try was left.
type ArchivedTask struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Error    string    `json:"error"`
	FailedAt time.Time `json:"failed_at"`
}

// Archived lists the tasks that failed for good, at most a hundred of each queue.
func (e *Engine) Archived() ([]ArchivedTask, error) {
	inspector := asynq.NewInspector(e.redis)
	defer func() { _ = inspector.Close() }()
	queues, err := inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("ask the queue: %w", err)
	}
	list := []ArchivedTask{}
	for _, queue := range queues {
		tasks, err := inspector.ListArchivedTasks(queue, asynq.PageSize(100))
		if err != nil {
			return nil, fmt.Errorf("ask the queue: %w", err)
		}
		for _, t := range tasks {
			list = append(list, ArchivedTask{ID: t.ID, Kind: t.Type, Error: t.LastErr, FailedAt: t.LastFailedAt})
		}
	}
	return list, nil
}
