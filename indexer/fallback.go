package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"onward"
	"onward/matcher"
)

// RankerConfig says what a Ranker does when its primary index is away.
type RankerConfig struct {
	// Secondary answers meanwhile. Nil: there is none, and the primary's errors are returned.
	Secondary Index
	// Timeout bounds one question to the primary; half of what is left until the caller's deadline bounds it as well, so
	// that the secondary has time to answer. Default 2 s.
	Timeout time.Duration
	// Cooldown is how long the primary is left alone after it failed. Default 3 s.
	Cooldown time.Duration
	// ProbeInterval is how often the primary is then asked whether it is back, and how often a healthy one is looked at.
	// Default 2 s.
	ProbeInterval time.Duration
	// OnRecover is called when the primary is back, before it is asked again: the time to reconcile. While it fails, the
	// primary is not asked. Default: nothing is done.
	OnRecover func(ctx context.Context) error
	// Logger gets one line when the primary goes and one when it is back. Default: slog.Default().
	Logger *slog.Logger
}

// Answer is a list of hits and who gave it.
type Answer struct {
	Hits       []Hit
	AnsweredBy string // the name of the index
	// Degraded says why it is not the primary's answer; "" when it is.
	Degraded string
}

// Ranker asks a primary index and, while that is away, a secondary one. The embedded mode uses it with one index.
type Ranker struct {
	primary Index
	config  RankerConfig
	stop    context.CancelFunc
	stopped chan struct{}

	mu     sync.Mutex
	reason string // why the primary is not asked; "": it is
	since  time.Time
	wake   chan struct{}

	lastCount int // of a healthy primary; the watcher's own
}

// NewRanker makes a ranker over one index or two. Close it.
func NewRanker(primary Index, config RankerConfig) *Ranker {
	orDefault(&config.Timeout, 2*time.Second)
	orDefault(&config.Cooldown, 3*time.Second)
	orDefault(&config.ProbeInterval, 2*time.Second)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.OnRecover == nil {
		config.OnRecover = func(context.Context) error { return nil }
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Ranker{primary: primary, config: config, stop: stop, stopped: make(chan struct{}), wake: make(chan struct{}, 1)}
	if config.Secondary == nil {
		close(r.stopped)
		return r
	}
	go func() {
		defer close(r.stopped)
		r.watch(ctx)
	}()
	return r
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// Close ends the watch over the primary.
func (r *Ranker) Close() {
	r.stop()
	<-r.stopped
}

// Degraded says why the primary is not asked at present; "" when it is.
func (r *Ranker) Degraded() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}

// Suspect turns to the secondary until OnRecover has succeeded. Call it when something else shows that the primary is
// not to be relied on, such as that its index had to be created anew.
func (r *Ranker) Suspect(reason string) { r.turnAway(reason, nil) }

// Rank ranks; see Index.Rank.
func (r *Ranker) Rank(ctx context.Context, query matcher.Query) (Answer, error) {
	return r.ask(ctx, func(ctx context.Context, index Index) ([]Hit, error) { return index.Rank(ctx, query) })
}

// Search searches; see Index.Search.
func (r *Ranker) Search(ctx context.Context, query SearchQuery) (Answer, error) {
	return r.ask(ctx, func(ctx context.Context, index Index) ([]Hit, error) { return index.Search(ctx, query) })
}

func (r *Ranker) ask(ctx context.Context, question func(context.Context, Index) ([]Hit, error)) (Answer, error) {
	secondary := r.config.Secondary
	if secondary == nil {
		hits, err := question(ctx, r.primary)
		return Answer{Hits: hits, AnsweredBy: r.primary.Name()}, err
	}
	reason := r.Degraded()
	if reason == "" {
		hits, err := r.askPrimary(ctx, question)
		if err == nil {
			return Answer{Hits: hits, AnsweredBy: r.primary.Name()}, nil
		}
		if ctx.Err() != nil || onward.CodeOf(err) == onward.EInvalid {
			return Answer{}, err
		}
		reason = r.primary.Name() + " is unavailable"
		if onward.CodeOf(err) == onward.EUnavailable {
			r.turnAway(reason, err)
		} else { // a defect, of this question only: the person gets an answer all the same
			reason = r.primary.Name() + " refused the query"
			r.config.Logger.Error("the index refused a query", "index", r.primary.Name(), "error", err)
		}
	}
	hits, err := question(ctx, secondary)
	if err != nil {
		return Answer{}, fmt.Errorf("%s, and so is %s: %w", reason, secondary.Name(), err)
	}
	return Answer{Hits: hits, AnsweredBy: secondary.Name(), Degraded: reason}, nil
}

func (r *Ranker) askPrimary(ctx context.Context, question func(context.Context, Index) ([]Hit, error)) ([]Hit, error) {
	timeout := r.config.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)/2)
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	hits, err := question(bounded, r.primary)
	if err != nil && errors.Is(bounded.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
		err = onward.Errorf(onward.EUnavailable, "%s does not answer in time", r.primary.Name()).Because(err)
	}
	return hits, err
}

// turnAway stops asking the primary.
func (r *Ranker) turnAway(reason string, err error) {
	if r.config.Secondary == nil {
		return
	}
	r.mu.Lock()
	already := r.reason != ""
	if !already {
		r.reason, r.since = reason, time.Now()
	}
	r.mu.Unlock()
	if already {
		return
	}
	r.config.Logger.Warn("an index is away; another one answers",
		"index", r.primary.Name(), "answers", r.config.Secondary.Name(), "reason", reason, "error", err)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// watch looks at the primary until ctx ends.
func (r *Ranker) watch(ctx context.Context) {
	for {
		wait := r.config.ProbeInterval
		r.mu.Lock()
		away := r.reason != ""
		if away {
			wait = max(wait, r.config.Cooldown-time.Since(r.since))
		}
		r.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-r.wake:
			timer.Stop()
			continue // to wait for the cooldown instead
		case <-timer.C:
		}
		if away {
			r.probe(ctx)
		} else {
			r.look(ctx)
		}
	}
}

// probe asks an absent primary whether it is back, has it repaired, and turns to it again.
func (r *Ranker) probe(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, r.config.Timeout)
	err := r.primary.Ping(bounded)
	cancel()
	if err != nil {
		return
	}
	if err := r.config.OnRecover(ctx); err != nil {
		if ctx.Err() == nil {
			r.config.Logger.Warn("an index is back but could not be repaired", "index", r.primary.Name(), "error", err)
		}
		return
	}
	r.mu.Lock()
	away := time.Since(r.since)
	r.reason = ""
	r.mu.Unlock()
	r.lastCount = 0
	r.config.Logger.Info("an index is back", "index", r.primary.Name(), "away_ms", away.Milliseconds())
}

// look finds an outage before a person meets it, and an index that was wiped and is answering with what little has been
// put since: its count has fallen by half between two looks.
func (r *Ranker) look(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, r.config.Timeout)
	count, err := r.primary.Count(bounded)
	cancel()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.turnAway(r.primary.Name()+" is unavailable", err)
	case count < r.lastCount/2:
		r.turnAway(fmt.Sprintf("%s has lost openings and is being filled again", r.primary.Name()), nil)
	default:
		r.lastCount = count
	}
}
