package workers

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"onward"
	"onward/indexer"
	"onward/indexer/memory"
	"onward/internal/testenv"
	"onward/matcher"
)

func flush(t *testing.T, r *rig) {
	t.Helper()
	client, ok := r.config.Redis.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		t.Fatal("no Redis client")
	}
	defer func() { _ = client.Close() }()
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

func enqueueRaw(t *testing.T, r *rig, kind, payload string) {
	t.Helper()
	if _, err := r.client.Enqueue(asynq.NewTask(kind, []byte(payload)), asynq.Queue(queueMatch), asynq.MaxRetry(maxRetry)); err != nil {
		t.Fatal(err)
	}
}

// slowIndex lets a test hold up or refuse what is written to an index.
type slowIndex struct {
	indexer.Index
	before func(ctx context.Context) error
}

func (s slowIndex) Put(ctx context.Context, entries []indexer.Entry) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.Index.Put(ctx, entries)
}

func TestAnIndexThatHangsKeepsNoOneWaiting(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	r := newRig(t, testenv.EmbeddedRedis(t), func(c *Config) {
		c.Concurrency = 2
		c.Index = slowIndex{c.Index, func(ctx context.Context) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
	})
	for range 20 { // many more than there are workers
		r.post(bricklaying(guadalajara))
	}
	r.run()
	eventually(t, "the changes are in the queue", func() bool { return r.outbox().Waiting == 0 })
	for range 3 {
		if answered := r.await(r.request(r.register(bricklayer()), onward.RequestOptions{}).ID); answered.Status != onward.RequestReady {
			t.Errorf("a request is %s", answered.Status)
		}
	}
	if n, err := r.index.Count(t.Context()); err != nil || n != 0 {
		t.Fatalf("%d openings are indexed (%v): the index did not hang", n, err)
	}
	close(release)
	r.waitOutboxEmpty()
}

func TestTasksThatMeetAnOutageAreNotArchived(t *testing.T) {
	t.Parallel()
	back := make(chan struct{})
	r := newRig(t, testenv.EmbeddedRedis(t), func(c *Config) {
		c.Index = slowIndex{c.Index, func(context.Context) error {
			select {
			case <-back:
				return nil
			default:
				return onward.Errorf(onward.EUnavailable, "the index is away")
			}
		}}
	})
	r.post(bricklaying(guadalajara))
	r.run()
	eventually(t, "the task has met the outage", func() bool { return r.runs(string(onward.WorkIndexOpportunity), "failed") > 0 })
	enqueueOnce(t, r, taskReconcile, queueMaintenance)
	eventually(t, "reconciliation has met the outage", func() bool { return r.runs(taskReconcile, "done") > 0 })
	if archived := r.archived(); len(archived) != 0 {
		t.Errorf("archived: %s %s", archived[0].Type, archived[0].LastErr)
	}
	if r.outbox().Dispatched != 1 {
		t.Errorf("the promise should stay open: %+v", r.outbox())
	}
	close(back)
	r.waitOutboxEmpty()
	if n, err := r.index.Count(t.Context()); err != nil || n != 1 {
		t.Errorf("%d openings in the index, %v", n, err)
	}
	if archived := r.archived(); len(archived) != 0 {
		t.Errorf("archived: %s", archived[0].LastErr)
	}
}

func enqueueOnce(t *testing.T, r *rig, task, queue string) {
	t.Helper()
	if _, err := r.client.Enqueue(asynq.NewTask(task, nil), asynq.Queue(queue)); err != nil {
		t.Fatal(err)
	}
}

func TestAnOutageUsesUpNoTry(t *testing.T) {
	t.Parallel()
	w := New(Config{Redis: asynq.RedisClientOpt{Addr: "127.0.0.1:1"}})
	t.Cleanup(func() { _ = w.client.Close() })
	away, defect := onward.Errorf(onward.EUnavailable, "away"), onward.Errorf(onward.EInternal, "defect")
	if isFailure(away) || !isFailure(defect) || !isFailure(context.DeadlineExceeded) {
		t.Error("only a part that is away should be no failure")
	}
	if first, later := w.retryDelay(0, defect, asynq.NewTask("any", nil)), w.retryDelay(20, defect, asynq.NewTask("any", nil)); first != 500*time.Millisecond || later != time.Minute {
		t.Errorf("failures wait from %v to %v", first, later)
	}
	for range 100 {
		if d := w.retryDelay(0, away, asynq.NewTask(string(onward.WorkMatchRequest), nil)); d < time.Second || d > 3*time.Second {
			t.Fatalf("a request waits %v for a part that is away", d)
		}
	}
}

func TestIndexTasksInAnyOrderEndWithTheLatestState(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	reference := r.config.Catalogue.Current()
	first := r.post(bricklaying(guadalajara))
	second := first
	second.Capacity = 3
	second = r.update(second)
	third := second
	third.Capacity = 5
	third = r.update(third)
	for _, order := range [][]onward.Opportunity{
		{third, first, second}, {first, third, second}, {second, first, third}, {third, second, first},
	} {
		index := memory.New()
		for _, state := range order {
			if err := apply(t.Context(), index, reference, []onward.Opportunity{state}); err != nil {
				t.Fatal(err)
			}
		}
		if got := versions(t, index); !slices.Equal(got, []indexer.Ref{{ID: third.ID, Version: third.Version}}) {
			t.Errorf("after versions %d, %d, %d the index has %v", order[0].Version, order[1].Version, order[2].Version, got)
		}
		// Closed, and then an old task comes late.
		closed := third
		closed.Status, closed.Version = onward.OpportunityClosed, third.Version+1
		if err := apply(t.Context(), index, reference, []onward.Opportunity{closed}); err != nil {
			t.Fatal(err)
		}
		if err := apply(t.Context(), index, reference, []onward.Opportunity{order[0]}); err != nil {
			t.Fatal(err)
		}
		if got := versions(t, index); len(got) != 0 {
			t.Errorf("a late task brought a closed opening back: %v", got)
		}
	}
}

func versions(t *testing.T, index indexer.Index) (refs []indexer.Ref) {
	t.Helper()
	if err := index.Versions(t.Context(), func(ref indexer.Ref) error { refs = append(refs, ref); return nil }); err != nil {
		t.Fatal(err)
	}
	return refs
}

func TestAnOpportunityClosedBeforeItsTaskRunsIsNotIndexed(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	o := r.post(bricklaying(guadalajara))
	works := r.claim()
	r.close(o)
	for _, work := range r.claim() {
		if work.Kind == onward.WorkIndexOpportunity {
			works = append(works, work)
		} else if err := r.endReferrals(t.Context(), taskOf(t, work)); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{1, 0, 0, 1} { // twice, and in both orders
		if err := r.indexOpportunity(t.Context(), taskOf(t, works[i])); err != nil {
			t.Fatal(err)
		}
		if got := versions(t, r.index); len(got) != 0 {
			t.Fatalf("the index has %v", got)
		}
	}
	if state := r.outbox(); state.Waiting+state.Dispatched != 0 {
		t.Errorf("the outbox is not empty: %+v", state)
	}
}

func TestTwoFollowersAgreeWithTheDatabase(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	early := r.post(bricklaying(guadalajara))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	followers := make([]*Follower, 2)
	for i := range followers {
		// The second one never hears a notification.
		f := &Follower{Store: r.config.Store, Catalogue: r.config.Catalogue, Index: memory.New(), Logger: r.log, Every: 100 * time.Millisecond, OnlyTimer: i == 1}
		followers[i] = f
		go func() { _ = f.Run(ctx) }()
	}
	var last onward.Opportunity
	for range 5 {
		last = r.update(r.post(bricklaying(zapopan)))
	}
	r.close(early)
	r.close(last)
	for i, f := range followers {
		eventually(t, "the follower has everything", func() bool {
			got := versions(t, f.Index)
			return f.Loaded() && len(got) == 4 && !slices.ContainsFunc(got, func(ref indexer.Ref) bool {
				return ref.Version != 2 || ref.ID == early.ID || ref.ID == last.ID
			})
		})
		drift, err := reconcile(t.Context(), r.config.Store, f.Index, r.config.Catalogue.Current())
		if err != nil || drift.Any() {
			t.Errorf("follower %d has drifted: %v, %v", i, drift, err)
		}
	}
}

func TestReconciliationFindsAndRepairsDrift(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	lost, stale, closed := r.post(bricklaying(guadalajara)), r.post(bricklaying(guadalajara)), r.post(bricklaying(guadalajara))
	r.fill()
	if err := r.index.Delete(t.Context(), []indexer.Ref{{ID: lost.ID, Version: 1}}); err != nil {
		t.Fatal(err)
	}
	r.owner(`DELETE FROM outbox`)
	stale = r.update(stale)
	r.close(closed)
	r.owner(`DELETE FROM outbox`) // as if both tasks had been lost for good
	drift, err := r.ReconcileIndex(t.Context())
	if err != nil || drift.Stale != 1 || drift.Extra != 1 {
		t.Errorf("drift %v, %v", drift, err)
	}
	again, err := r.ReconcileIndex(t.Context())
	if err != nil || again.Stale+again.Extra != 0 {
		t.Errorf("drift after the repair: %v, %v", again, err)
	}
	if !slices.Contains(versions(t, r.index), indexer.Ref{ID: stale.ID, Version: 2}) {
		t.Errorf("the index has %v", versions(t, r.index))
	}
}

func TestARequestStartsAtOnceAndAlsoWhenItsNotificationIsLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	r.post(bricklaying(guadalajara))
	r.run()
	r.waitOutboxEmpty()
	person := r.register(bricklayer())
	took := make([]time.Duration, 20)
	for i := range took {
		request := r.await(r.request(person, onward.RequestOptions{}).ID)
		took[i] = request.ReadyAt.Sub(request.CreatedAt)
	}
	slices.Sort(took)
	t.Logf("from acceptance to the list: median %v, slowest %v", took[10], took[19])
	if took[10] > dispatchEvery/2 {
		t.Errorf("half of the requests took over %v: the dispatcher waits for its timer", took[10])
	}
	r.owner(`ALTER TABLE outbox DISABLE TRIGGER outbox_tell`)
	if answered := r.await(r.request(person, onward.RequestOptions{}).ID); answered.Status != onward.RequestReady {
		t.Errorf("without a notification the request is %s", answered.Status)
	}
}

func TestScheduledTasksRunOnceAPeriodWithTwoWorkers(t *testing.T) {
	t.Parallel()
	for name, redisURL := range map[string]func(testing.TB) string{"in process": testenv.EmbeddedRedis, "real Redis": testenv.Redis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := redisURL(t)
			pace := func(c *Config) { c.SweepAfter, c.ReconcileEvery = 2*time.Second, time.Second } // each once a second
			one := newRig(t, url, pace)
			two := newRigOn(t, one.database, url, pace)
			begin := time.Now()
			stopOne, stopTwo := one.run(), two.run()
			eventually(t, "four periods have passed", func() bool { return one.runs(taskSweep, "done")+two.runs(taskSweep, "done") >= 4 })
			stopOne()
			stopTwo()
			periods := int(time.Since(begin)/time.Second) + 1
			for _, task := range []string{taskSweep, taskReconcile} {
				if n := one.runs(task, "done") + two.runs(task, "done"); n < 3 || n > periods {
					t.Errorf("%s ran %d times in %d periods", task, n, periods)
				}
			}
		})
	}
}

func TestARebuildIsDoneOnceForOneCause(t *testing.T) {
	t.Parallel()
	refreshed := 0
	r := newRig(t, testenv.EmbeddedRedis(t), func(c *Config) {
		c.Refresh = func(context.Context) error { refreshed++; return nil }
	})
	r.post(bricklaying(guadalajara))
	ask := func(cause string) {
		if err := r.EnqueueRebuild(t.Context(), cause); err != nil {
			t.Fatal(err)
		}
	}
	ask("esco 1.2")
	ask("esco 1.2")
	stop := r.run()
	eventually(t, "the rebuild is done", func() bool { return r.runs(taskRebuild, "done") == 1 })
	ask("esco 1.2")
	ask("")
	eventually(t, "the second cause is done", func() bool { return r.runs(taskRebuild, "done") == 2 })
	time.Sleep(100 * time.Millisecond)
	stop()
	if n := r.runs(taskRebuild, "done"); n != 2 || refreshed != 2 {
		t.Errorf("%d rebuilds, %d of them after taking over the reference data; want 2", n, refreshed)
	}
	if n, err := r.index.Count(context.WithoutCancel(t.Context())); err != nil || n != 1 {
		t.Errorf("%d openings in the index, %v", n, err)
	}
}

func TestWorkGoesOnAfterTheQueueWasEmptied(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.Redis(t), func(c *Config) {
		next := c.Ranker
		c.Ranker = rankerFunc(func(ctx context.Context, q matcher.Query) (indexer.Answer, error) {
			time.Sleep(20 * time.Millisecond) // so that some are under way and some wait
			return next.Rank(ctx, q)
		})
		c.Concurrency = 2
	})
	r.post(bricklaying(guadalajara))
	person := r.register(bricklayer())
	r.run()
	var ids []onward.ID
	for i := range 60 {
		ids = append(ids, r.request(person, onward.RequestOptions{}).ID)
		if i%20 == 10 {
			flush(t, r)
		}
	}
	for _, id := range ids {
		if answered := r.await(id); answered.Status != onward.RequestReady {
			t.Errorf("a request is %s", answered.Status)
		}
	}
	r.waitOutboxEmpty()
}

func TestAStopLetsRunningTasksFinish(t *testing.T) {
	t.Parallel()
	running := make(chan struct{}, 1)
	r := newRig(t, testenv.EmbeddedRedis(t), around(func(next Ranker) rankerFunc {
		return func(ctx context.Context, q matcher.Query) (indexer.Answer, error) {
			select {
			case running <- struct{}{}:
			default:
			}
			time.Sleep(300 * time.Millisecond)
			return next.Rank(ctx, q)
		}
	}))
	stop := r.run()
	request := r.request(r.register(bricklayer()), onward.RequestOptions{})
	<-running
	stop()
	if status := r.read(request.ID).Status; status != onward.RequestReady {
		t.Errorf("after the stop the request that was under way is %s", status)
	}
}
