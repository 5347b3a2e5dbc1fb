package indexer_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"onward"
	"onward/indexer"
	"onward/indexer/indextest"
	"onward/indexer/memory"
	"onward/matcher"
)

// failing is a memory index that can be made to fail, as a server does.
type failing struct {
	*memory.Index
	err     atomic.Pointer[error]
	hangs   atomic.Bool
	asked   atomic.Int64
	counted atomic.Int64
}

func (f *failing) Name() string { return "elasticsearch" }

func (f *failing) failWith(err error) { f.err.Store(&err) }

func (f *failing) fails(ctx context.Context) error {
	if f.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *failing) Rank(ctx context.Context, q matcher.Query) ([]indexer.Hit, error) {
	f.asked.Add(1)
	if err := f.fails(ctx); err != nil {
		return nil, err
	}
	return f.Index.Rank(ctx, q)
}

func (f *failing) Ping(ctx context.Context) error { return f.fails(ctx) }

func (f *failing) Count(ctx context.Context) (int, error) {
	if err := f.fails(ctx); err != nil {
		return 0, err
	}
	f.counted.Add(1)
	return f.Index.Count(ctx)
}

type rankerSetup struct {
	primary   *failing
	secondary *memory.Index
	ranker    *indexer.Ranker
	world     *indextest.World
	recovered atomic.Int64
}

func setup(t *testing.T, change func(*rankerSetup, *indexer.RankerConfig)) *rankerSetup {
	t.Helper()
	s := &rankerSetup{primary: &failing{Index: memory.New()}, secondary: memory.New(), world: indextest.NewWorld(1)}
	entries := s.world.Entries(300)
	for _, index := range []indexer.Index{s.primary, s.secondary} {
		if err := index.Put(context.Background(), entries); err != nil {
			t.Fatal(err)
		}
	}
	config := indexer.RankerConfig{
		Secondary: s.secondary, Timeout: 10 * time.Second, Cooldown: 50 * time.Millisecond, ProbeInterval: 20 * time.Millisecond,
		OnRecover: func(context.Context) error { s.recovered.Add(1); return nil },
		Logger:    slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(s, &config)
	}
	s.ranker = indexer.NewRanker(s.primary, config)
	t.Cleanup(s.ranker.Close)
	return s
}

func (s *rankerSetup) rank(t *testing.T, by string) indexer.Answer {
	t.Helper()
	answer, err := s.ranker.Rank(context.Background(), s.world.Query(60, 20))
	if err != nil {
		t.Fatal(err)
	}
	if answer.AnsweredBy != by || (answer.Degraded != "") != (by == "memory") || len(answer.Hits) == 0 {
		t.Fatalf("%q answered with %d hits (degraded: %q), want %q", answer.AnsweredBy, len(answer.Hits), answer.Degraded, by)
	}
	return answer
}

// eventually waits for what happens in the background.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if happened() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

var errAway = onward.Errorf(onward.EUnavailable, "away")

func TestWhileThePrimaryIsAwayTheSecondaryAnswersAndSaysSo(t *testing.T) {
	t.Parallel()
	s := setup(t, nil)
	s.rank(t, "elasticsearch")
	s.primary.failWith(errAway)
	s.rank(t, "memory")
	asked := s.primary.asked.Load()
	for range 20 {
		s.rank(t, "memory")
	}
	if more := s.primary.asked.Load() - asked; more != 0 {
		t.Errorf("the absent primary was asked %d times more", more)
	}
	s.primary.failWith(nil)
	eventually(t, "the primary answers again", func() bool { return s.ranker.Degraded() == "" })
	s.rank(t, "elasticsearch")
	if n := s.recovered.Load(); n != 1 {
		t.Errorf("OnRecover was called %d times, want once", n)
	}
}

func TestAPrimaryThatHangsIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	s := setup(t, func(_ *rankerSetup, c *indexer.RankerConfig) { c.Timeout = time.Hour })
	s.primary.hangs.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	answer, err := s.ranker.Rank(ctx, s.world.Query(60, 20))
	if err != nil || answer.AnsweredBy != "memory" || ctx.Err() != nil {
		t.Fatalf("%q answered (%v), before the deadline: %v", answer.AnsweredBy, err, ctx.Err() == nil)
	}
}

func TestThePrimaryIsNotAskedBeforeItIsRepaired(t *testing.T) {
	t.Parallel()
	var repaired atomic.Bool
	s := setup(t, func(s *rankerSetup, c *indexer.RankerConfig) {
		c.OnRecover = func(context.Context) error {
			s.recovered.Add(1)
			if !repaired.Load() {
				return errors.New("Postgres is away")
			}
			return nil
		}
	})
	s.ranker.Suspect("its index was created anew")
	eventually(t, "two attempts to repair it", func() bool { return s.recovered.Load() >= 2 })
	if answer := s.rank(t, "memory"); answer.Degraded != "its index was created anew" {
		t.Errorf("degraded because %q", answer.Degraded)
	}
	repaired.Store(true)
	eventually(t, "the primary answers again", func() bool { return s.ranker.Degraded() == "" })
}

func TestAnOutageIsNoticedWithoutARequest(t *testing.T) {
	t.Parallel()
	s := setup(t, nil)
	s.primary.failWith(errAway)
	eventually(t, "it is noticed", func() bool { return s.ranker.Degraded() != "" })
	if s.primary.asked.Load() != 0 {
		t.Error("it was a request that noticed")
	}
}

func TestAPrimaryThatLostItsOpeningsIsRepairedFirst(t *testing.T) {
	t.Parallel()
	s := setup(t, nil)
	s.rank(t, "elasticsearch")
	eventually(t, "it is looked at while whole", func() bool { return s.primary.counted.Load() > 1 })
	err := s.primary.Rebuild(context.Background(), func(put func([]indexer.Entry) error) error { return put(s.world.Entries(3)) })
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is repaired", func() bool { return s.recovered.Load() > 0 })
}

func TestAQueryThatThePrimaryRefusesIsAnsweredByTheSecondaryWithoutTurningAway(t *testing.T) {
	t.Parallel()
	s := setup(t, func(_ *rankerSetup, c *indexer.RankerConfig) { c.ProbeInterval = time.Hour })
	s.primary.failWith(onward.Errorf(onward.EInternal, "too many clauses"))
	s.rank(t, "memory")
	if reason := s.ranker.Degraded(); reason != "" {
		t.Errorf("turned away: %s", reason)
	}
	s.primary.failWith(onward.Errorf(onward.EInvalid, "page too deep"))
	if _, err := s.ranker.Rank(context.Background(), s.world.Query(5, 5)); onward.CodeOf(err) != onward.EInvalid {
		t.Errorf("got %v, want the caller's own error", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.ranker.Rank(cancelled, s.world.Query(5, 5)); err == nil {
		t.Error("a cancelled request has an answer")
	}
}

func TestOneIndexAloneIsAskedAndItsErrorsAreReturned(t *testing.T) {
	t.Parallel()
	s := setup(t, func(_ *rankerSetup, c *indexer.RankerConfig) { c.Secondary = nil })
	s.rank(t, "elasticsearch")
	s.primary.failWith(errAway)
	if _, err := s.ranker.Search(context.Background(), indexer.SearchQuery{Today: indextest.Today}); err != nil {
		t.Errorf("a search that works fails: %v", err)
	}
	if _, err := s.ranker.Rank(context.Background(), s.world.Query(5, 5)); onward.CodeOf(err) != onward.EUnavailable {
		t.Errorf("got %v, want %s", err, onward.EUnavailable)
	}
	s.primary.failWith(nil)
	s.rank(t, "elasticsearch")
}
