// Package testenv gives tests real servers: to each test its own database, Redis, and Elasticsearch indices.
//
// A package that uses it has one file with
//
//	func TestMain(m *testing.M) {
//		testenv.Main(m, testenv.WithTemplate(migrations.Up))
//	}
//
// Servers start when the first test asks for one and stop when the tests are done, also when they were killed. With
// DATABASE_URL, REDIS_URL or ELASTICSEARCH_URL set, the tests use that server instead of starting one. What can't be had
// makes the test skip and say what to install; where ONWARD_REQUIRE names it (as in CI), the test fails.
package testenv

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onward/internal/embedded"
)

const (
	// startLimit bounds the start of a server. The first one on a machine downloads it.
	startLimit = 10 * time.Minute
	// stepLimit bounds everything else that is waited for.
	stepLimit = time.Minute
)

// Option changes what Main prepares.
type Option func(*environment)

// WithTemplate has migrate prepare the database that each test's database is a copy of. It runs once per test process,
// as the superuser, on an empty database. Default: databases are empty.
func WithTemplate(migrate func(ctx context.Context, adminDSN string) error) Option {
	return func(e *environment) { e.migrate = migrate }
}

// environment is what a test process has started. There is one, because TestMain and the tests share nothing else.
type environment struct {
	migrate  func(ctx context.Context, adminDSN string) error
	postgres shared[*databaseServer]
	redis    shared[*RedisServer]
	search   shared[*embedded.SearchNode]

	redisNumber atomic.Int64 // of the database given out last

	mu    sync.Mutex
	stops []func()
}

var env environment

// Main runs the tests of a package and ends the process. Call it in TestMain.
func Main(m *testing.M, options ...Option) {
	if embedded.RunKeeper() {
		os.Exit(0)
	}
	for _, option := range options {
		option(&env)
	}
	code := m.Run()
	env.stopAll()
	os.Exit(code)
}

// atEnd runs stop when all tests are done, in reverse order of the calls.
func (e *environment) atEnd(stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stops = append(e.stops, stop)
}

func (e *environment) stopAll() {
	e.mu.Lock()
	stops := e.stops
	e.stops = nil
	e.mu.Unlock()
	for _, stop := range slices.Backward(stops) {
		stop()
	}
}

// shared is a value made once, by the first test that needs it. Later ones get the same value, or the same error.
type shared[T any] struct {
	mu    sync.Mutex
	made  bool
	value T
	err   error
}

func (s *shared[T]) get(create func() (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made {
		s.value, s.err = create()
		s.made = true
	}
	return s.value, s.err
}

// peek is the value if it has been made.
func (s *shared[T]) peek() (value T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, s.made && s.err == nil
}

// quiet logs what servers have to say only when it matters to whoever reads a test's output.
func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

func tell(text string) { slog.Info(text) }

// required reports whether ONWARD_REQUIRE, a list with commas, names the thing.
func required(thing string) bool {
	return slices.ContainsFunc(strings.Split(os.Getenv("ONWARD_REQUIRE"), ","), func(name string) bool {
		return strings.TrimSpace(name) == thing
	})
}

// Missing skips the test, or fails it where ONWARD_REQUIRE names the thing: one of redis, elasticsearch, postgres (the system's own, with pg_dump), kms, data,
// chromium.
func Missing(t testing.TB, thing, remedy string) {
	t.Helper()
	if required(thing) {
		t.Fatalf("%s is required here (ONWARD_REQUIRE) and missing: %s", thing, remedy)
	}
	t.Skipf("needs %s: %s", thing, remedy)
}
