package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"onward"
	"onward/api"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/indexer/elastic"
	"onward/indexer/memory"
	"onward/internal/embedded"
	"onward/migrations"
	"onward/store"
	"onward/store/password"
	"onward/store/vault"
	"onward/workers"
	"onward/workers/notices"
)

// Engine is a running Onward.
type Engine struct {
	Store     *store.Store
	Catalogue *catalogue.Live
	// Index is the primary index; Ranker answers from it or from its fallback.
	Index  indexer.Index
	Ranker *indexer.Ranker
	// Handler is the API; nil unless asked for.
	Handler http.Handler

	config Config
	log    *slog.Logger
	keys   *vault.Vault // once the store is open
	databaseURL,
	ownerURL string
	postgres *embedded.Postgres
	node     *embedded.SearchNode
	redis    asynq.RedisConnOpt
	registry *prometheus.Registry
	follower *workers.Follower
	workers  *workers.Workers
	api      *api.API
	started  atomic.Bool // everything is up

	taking   sync.Mutex // held while reference data is taken over
	releases string     // what the catalogue was read from

	stopping sync.Mutex                    // guards stops: servers start at the same time
	stops    []func(context.Context) error // last one first
	stop     context.CancelFunc
	loops    sync.WaitGroup
}

// Start brings everything up, in an order in which each part finds what it needs. What was started is stopped again
// when a later part fails.
func Start(ctx context.Context, config Config) (*Engine, error) {
	return start(ctx, config, (*Engine).startServers, (*Engine).openStore, (*Engine).openCatalogue, (*Engine).openIndex, (*Engine).startLoops)
}

// OpenDatabase brings up the database alone, for commands that need no more. Store has no vocabulary.
func OpenDatabase(ctx context.Context, config Config) (*Engine, error) {
	return start(ctx, config, (*Engine).startDatabase, (*Engine).openStore)
}

// OpenReference brings up the database and the catalogue, for commands that validate what they write.
func OpenReference(ctx context.Context, config Config) (*Engine, error) {
	return start(ctx, config, (*Engine).startDatabase, (*Engine).openStore, (*Engine).openCatalogue)
}

func start(ctx context.Context, config Config, steps ...func(*Engine, context.Context) error) (_ *Engine, err error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Progress == nil {
		config.Progress = func(string) {}
	}
	quietRedis(config.Logger)
	e := &Engine{config: config, log: config.Logger, registry: prometheus.NewRegistry()}
	e.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	defer func() {
		if err != nil {
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
			defer cancel()
			_ = e.Stop(stopping)
		}
	}()
	for _, step := range steps {
		if err := step(e, ctx); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// startServers starts what is embedded, at the same time.
func (e *Engine) startServers(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.startDatabase(ctx) })
	if e.config.ElasticsearchURL == "auto" {
		group.Go(func() error { return e.startSearchNode(ctx) })
	}
	if e.config.RedisURL != "" {
		option, err := asynq.ParseRedisURI(e.config.RedisURL)
		if err != nil {
			return errors.Join(errors.New("REDIS_URL must have the form redis://:password@host:6379/0"), group.Wait())
		}
		e.redis = option
	} else {
		inProcess, err := embedded.StartRedis(context.WithoutCancel(ctx)) // workers need it until they have stopped
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		e.atStop(func(context.Context) error { inProcess.Stop(); return nil })
		e.redis = asynq.RedisClientOpt{Addr: inProcess.Addr(), PoolSize: 64}
	}
	return group.Wait()
}

func (e *Engine) startDatabase(ctx context.Context) error {
	e.databaseURL, e.ownerURL = e.config.DatabaseURL, e.config.OwnerURL
	if e.databaseURL == "" {
		return e.startPostgres(ctx)
	}
	if e.ownerURL == "" {
		e.ownerURL = e.databaseURL
	}
	return nil
}

func (e *Engine) openStore(ctx context.Context) (err error) {
	keys, made, err := e.config.loadOrMakeKeys()
	if err != nil {
		return err
	}
	e.keys = keys
	defer func() {
		// Keys that were just made open nothing that is there: the right ones are missing, and these would only be in their way.
		if made && onward.CodeOf(err) == onward.EUnavailable {
			_ = os.Remove(e.config.KeyFile())
			err = onward.Errorf(onward.EUnavailable, "%s is missing, and what is in the database was sealed with it; put it back", e.config.KeyFile())
		}
	}()
	if !e.config.SkipMigrations {
		if _, err := migrations.Apply(ctx, e.ownerURL); err != nil {
			return err
		}
		if err := e.ensureLogin(ctx); err != nil {
			return err
		}
		if err := loadReference(ctx, e.ownerURL, e.config.Progress); err != nil {
			return err
		}
		if err := seal(ctx, e.ownerURL, keys, e.config.Progress); err != nil {
			return err
		}
	}
	passwords, err := password.New(e.config.Breached)
	if err != nil {
		return err
	}
	e.atStop(func(context.Context) error { return passwords.Close() })
	db, err := store.Open(ctx, store.Config{URL: e.databaseURL, Vault: keys, Passwords: passwords, MaxConns: e.config.MaxConns, PrivateWebhooks: e.config.Notices.PrivateNetworks})
	if err != nil {
		return err
	}
	e.atStop(func(context.Context) error { return db.Close() })
	e.Store = db
	return nil
}

// seal seals what was written before it had to be.
func seal(ctx context.Context, ownerURL string, keys *vault.Vault, progress func(string)) error {
	keeper, err := store.OpenKeeper(ctx, ownerURL, keys)
	if onward.CodeOf(err) == onward.EForbidden {
		return nil // whoever migrates seals
	} else if err != nil {
		return err
	}
	defer func() { _ = keeper.Close() }()
	plain, err := keeper.Plain(ctx)
	if err != nil {
		return err
	}
	if plain > 0 {
		progress(fmt.Sprintf("Sealing %d records", plain))
	}
	_, err = keeper.Seal(ctx)
	return err
}

func (e *Engine) openCatalogue(ctx context.Context) error {
	releases, err := e.loadedReleases(ctx) // first: what is loaded in between is then taken over by its notification
	if err != nil {
		return err
	}
	reference, err := readCatalogue(ctx, e.Store)
	if err != nil {
		return err
	}
	e.releases = releases
	e.Catalogue = catalogue.NewLive(reference)
	e.Store = e.Store.WithVocabulary(e.Catalogue)
	return nil
}

// OwnerURL is the login that owns the schema.
func (e *Engine) OwnerURL() string { return e.ownerURL }

// openIndex makes the memory index, and the Elasticsearch index above it where there is one.
func (e *Engine) openIndex(ctx context.Context) error {
	inMemory := memory.New()
	e.Index = inMemory
	e.follower = &workers.Follower{
		Store: e.Store, Catalogue: e.Catalogue, Index: inMemory, Logger: e.log, OnlyTimer: e.config.embedded() && e.config.ElasticsearchURL == "",
	}
	if err := e.follower.Load(ctx); err != nil {
		return err
	}
	if e.config.ElasticsearchURL == "" {
		e.Ranker = indexer.NewRanker(inMemory, indexer.RankerConfig{Logger: e.log})
		e.atStop(func(context.Context) error { e.Ranker.Close(); return nil })
		return nil
	}
	url := e.config.ElasticsearchURL
	if e.node != nil {
		url = e.node.URL()
	}
	remote, err := elastic.New(elastic.Config{Addresses: []string{url}, Prefix: e.config.IndexPrefix, OnCreate: func() {
		if e.started.Load() { // before that, startLoops fills it
			e.Ranker.Suspect("Elasticsearch is being filled")
		}
	}})
	if err != nil {
		return err
	}
	e.Index = remote
	e.Ranker = indexer.NewRanker(remote, indexer.RankerConfig{Secondary: inMemory, Logger: e.log, OnRecover: e.primaryIsBack})
	e.atStop(func(context.Context) error { e.Ranker.Close(); return nil })
	return nil
}

func (e *Engine) primaryIsBack(ctx context.Context) error {
	if !e.started.Load() {
		return errors.New("still starting")
	}
	return e.bringUpToDate(ctx)
}

// bringUpToDate reconciles the primary index after it was away, or was made anew. A process without workers leaves that
// to those with, and waits until they have done it.
func (e *Engine) bringUpToDate(ctx context.Context) error {
	if e.workers != nil {
		_, err := e.workers.ReconcileIndex(ctx)
		return err
	}
	held, err := e.Index.Count(ctx)
	if err != nil {
		return err
	}
	if open, err := e.follower.Index.Count(ctx); err != nil || held < open/2 {
		return errors.Join(err, fmt.Errorf("it holds %d of %d open opportunities; a worker fills it", held, open))
	}
	return nil
}

// startLoops starts what runs until Stop.
func (e *Engine) startLoops(ctx context.Context) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	e.loop(running, "the memory index", e.follower.Run)
	e.loop(running, "reference data", e.followReference)
	if e.config.Workers {
		sender, err := notices.New(e.config.Notices, e.Store)
		if err != nil {
			return err
		}
		e.workers = workers.New(workers.Config{
			Notices: sender,
			Store:   e.Store, Catalogue: e.Catalogue, Index: e.Index, Ranker: e.doubtful(), Redis: e.redis, Logger: e.log, Refresh: e.takeOver,
			Concurrency: e.config.Concurrency, CheckInterval: e.config.CheckInterval, RetryDelay: e.config.RetryDelay,
			SweepAfter: e.config.SweepAfter, ReconcileEvery: e.config.ReconcileEvery, Registerer: e.registry,
		})
		e.fillPrimary(ctx)
		e.loop(running, "the workers", e.workers.Run)
	}
	if e.config.API {
		e.api = api.New(api.Config{
			Store: e.Store, Catalogue: e.Catalogue, Searcher: e.Ranker, Logger: e.log, Registry: e.registry, Parts: e.Parts,
			Limits: e.limits(), TrustedProxies: e.config.TrustedProxies, Contact: e.config.Contact, SignIn: e.config.SignIn,
		})
		e.Handler = e.api.Handler()
		e.loop(running, "the API", e.api.Run)
	}
	e.watch()
	e.started.Store(true)
	return nil
}

// limits are counted in the Redis of the queue. Guesses of passwords and codes are bounded even where requests are not.
func (e *Engine) limits() api.RateLimits {
	client, ok := e.redis.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return api.RateLimits{}
	}
	e.atStop(func(context.Context) error { return client.Close() })
	limiter := redis_rate.NewLimiter(client)
	limits := api.RateLimits{Tries: limiter.Allow, Forget: limiter.Reset}
	if e.config.RateLimit >= 0 {
		limits.Allow, limits.PerToken, limits.PerUser = limiter.Allow, e.config.RateLimit, 2*e.config.RateLimit
	}
	return limits
}

// loop runs until Stop, and again after a pause should it fail: the other loops go on meanwhile.
func (e *Engine) loop(ctx context.Context, name string, run func(context.Context) error) {
	e.loops.Go(func() {
		for ctx.Err() == nil {
			err := run(ctx)
			if ctx.Err() != nil {
				return
			}
			e.log.Error("a part of Onward ended and is started again", "part", name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(restartPause):
			}
		}
	})
}

const restartPause = time.Second

// fillPrimary brings Elasticsearch up to date before anything asks it.
func (e *Engine) fillPrimary(ctx context.Context) {
	if e.Index.Name() == "memory" {
		return
	}
	e.config.Progress("Bringing Elasticsearch up to date")
	if err := e.bringUpToDate(ctx); err != nil {
		e.log.Warn("Elasticsearch could not be brought up to date yet; the memory index answers meanwhile", "error", err)
		e.Ranker.Suspect("Elasticsearch is not up to date yet")
	}
	if err := e.askRebuild(ctx); err != nil {
		e.log.Warn("a rebuild of Elasticsearch could not be asked for; the next start tries again", "error", err)
	}
}

// askRebuild has Elasticsearch rebuilt if it was made by a release with another mapping, and once for each release of the
// reference data: what an index holds depends on both.
func (e *Engine) askRebuild(ctx context.Context) error {
	if index, ok := e.Index.(interface {
		Outdated(ctx context.Context) (bool, error)
	}); ok {
		outdated, err := index.Outdated(ctx)
		if err == nil && outdated {
			err = e.workers.EnqueueRebuild(ctx, "")
		}
		if err != nil {
			return err
		}
	}
	releases, err := e.loadedReleases(ctx)
	if err != nil {
		return err
	}
	return e.workers.EnqueueRebuild(ctx, e.config.IndexPrefix+releases)
}

// atStop remembers how to stop what was just started.
func (e *Engine) atStop(stop func(context.Context) error) {
	e.stopping.Lock()
	defer e.stopping.Unlock()
	e.stops = append(e.stops, stop)
}

// Stop ends the loops, which finish what is running, and then the servers, in reverse order.
func (e *Engine) Stop(ctx context.Context) error {
	var errs []error
	if e.stop != nil {
		e.stop() // also ends what waits for the loops
		done := make(chan struct{})
		go func() { e.loops.Wait(); close(done) }()
		select {
		case <-done:
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("tasks did not end in time; they go on after the next start: %w", ctx.Err()))
		}
	}
	for _, stop := range slices.Backward(e.stops) {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

var redisLoggerOnce sync.Once

// quietRedis makes one quiet line of what go-redis tells; errors reach us through the calls that fail. go-redis has one
// logger for a process.
func quietRedis(log *slog.Logger) {
	redisLoggerOnce.Do(func() { redis.SetLogger(redisLogger{log}) })
}

type redisLogger struct{ log *slog.Logger }

func (l redisLogger) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, fmt.Sprintf(format, args...))
}
