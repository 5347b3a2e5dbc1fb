package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/demo"
	"onward/cmd/onward/internal/engine"
	"onward/store"
)

// benchFlags are shared by all benchmarks.
type benchFlags struct {
	opportunities int
	redis         string
	elasticsearch string
	asJSON        bool
	cpuProfile    string
}

func newBench(o *options) *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "Measure the whole way through HTTP, Postgres, queue and index on this machine"}
	c.AddCommand(newBenchReferral(o), newBenchIngest(o), newBenchRank(o), newBenchBatch(), newBenchTransitions(o), newBenchMonitoring(o), newBenchProtection(o), newBenchProtected(o), newBenchBackup(o))
	return c
}

func (f *benchFlags) register(c *cobra.Command, opportunities int) {
	c.Flags().IntVar(&f.opportunities, "opportunities", opportunities, "open opportunities")
	c.Flags().StringVar(&f.redis, "redis", "", "URL of a real Redis (default: in this process)")
	c.Flags().StringVar(&f.elasticsearch, "elasticsearch", "", "URL of a real Elasticsearch, or auto (default: the memory index)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&f.cpuProfile, "cpuprofile", "", "write a CPU profile of what is measured, for 'go tool pprof'")
}

// profile records a CPU profile if one is wanted, until the returned function is called.
func (f *benchFlags) profile() (stop func(), err error) {
	if f.cpuProfile == "" {
		return func() {}, nil
	}
	file, err := os.Create(f.cpuProfile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}

// measured is something to do some times, and where the durations go.
type measured struct {
	into  *percentiles
	times int
	do    func() error
}

// measure does one after the other.
func measure(list []measured) error {
	for _, m := range list {
		took := make([]time.Duration, 0, m.times)
		for range m.times {
			began := time.Now()
			if err := m.do(); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		*m.into = percentilesOf(took)
	}
	return nil
}

// temporaryData is a new directory for data beside the usual one, or where temporary files are.
func temporaryData(usual string) (string, error) {
	dir, err := os.MkdirTemp(filepath.Dir(usual), "onward-bench-")
	if err != nil {
		dir, err = os.MkdirTemp("", "onward-bench-")
	}
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755) //nolint:gosec // Postgres may run as another user below it, with its own directory closed
}

// benchSystem is an Onward with an HTTP server and nothing in it but reference data.
type benchSystem struct {
	*engine.Engine
	owner   *sqlx.DB // as the owner of the schema
	base    string
	running chan error
	stop    context.CancelFunc
}

// startBench starts on a fresh embedded Postgres with durable settings, or on DATABASE_URL.
func (f *benchFlags) startBench(ctx context.Context, o *options, adjust ...func(*engine.Config)) (*benchSystem, func(), error) {
	config, err := o.config(slog.LevelError)
	if err != nil {
		return nil, nil, err
	}
	config.RedisURL, config.ElasticsearchURL = f.redis, f.elasticsearch
	config.IndexPrefix = "bench-" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-"
	config.API, config.Workers, config.ReconcileEvery, config.RateLimit = true, true, time.Hour, -1
	config.Progress = func(text string) { fmt.Fprintln(os.Stderr, "·", text) }
	var remove func()
	if config.DatabaseURL == "" {
		if config.DataDir, err = temporaryData(config.DataDir); err != nil {
			return nil, nil, err
		}
		dir := config.DataDir
		remove = func() { _ = os.RemoveAll(dir) }
	}
	for _, change := range adjust {
		change(&config)
	}
	e, err := engine.Start(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	owner, err := sqlx.Open("postgres", e.OwnerURL()) // connects when it is used
	if err != nil {
		return nil, nil, err
	}
	var listenConfig net.ListenConfig
	listener, err := listenConfig.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	serveCtx, stop := context.WithCancel(ctx)
	s := &benchSystem{Engine: e, owner: owner, base: "http://" + listener.Addr().String(), running: make(chan error, 1), stop: stop}
	go func() { s.running <- serve(serveCtx, listener, e.Handler, config.Logger) }()
	return s, func() {
		stop()
		if err := <-s.running; err != nil {
			fmt.Fprintln(os.Stderr, "onward:", err)
		}
		_ = owner.Close()
		stopEngine(ctx, e)
		if remove != nil {
			remove()
		}
	}, nil
}

// fill writes n fictional opportunities, as many caseloads as it takes, and the returnees of the first.
func (s *benchSystem) fill(ctx context.Context, n int) (caseload, []onward.ID, error) {
	progress := bar(int64(n), "Writing opportunities", false)
	made, err := generateCaseload(demoSeed, s.Store.Today())
	if err != nil {
		return caseload{}, nil, err
	}
	made.Opportunities = made.Opportunities[:min(len(made.Opportunities), n)]
	if err := writeCaseload(ctx, s.Store, made, func(int, int) {}); err != nil {
		return caseload{}, nil, err
	}
	people, err := openCaseload(ctx, s.Store, made)
	if err != nil {
		return people, nil, err
	}
	written := len(made.Opportunities)
	for seed := uint64(demoSeed + 1); written < n; seed++ {
		if err := s.fillMore(ctx, seed, n-written); err != nil {
			return people, nil, err
		}
		written = min(n, written+demo.OpportunityCount)
		_ = progress.Set(written)
	}
	if err := s.waitIndexed(ctx, n); err != nil {
		return people, nil, err
	}
	ids, err := s.consenting(ctx, people)
	return people, ids, err
}

// fillMore writes the openings of another caseload, for the same organisations.
func (s *benchSystem) fillMore(ctx context.Context, seed uint64, most int) error {
	made, err := generateCaseload(seed, s.Store.Today())
	if err != nil {
		return err
	}
	ids, err := writeOrganisations(ctx, s.Store, made.Organisations)
	if err != nil {
		return err
	}
	list := made.Opportunities[:min(most, len(made.Opportunities))]
	for i := range list {
		list[i].Details.ExternalID = fmt.Sprintf("%d-%s", seed, list[i].Details.ExternalID)
	}
	return writeOpportunities(ctx, s.Store, ids, list, func(int) {})
}

// waitIndexed waits until the index holds n openings.
func (s *benchSystem) waitIndexed(ctx context.Context, n int) error {
	for {
		count, err := s.Index.Count(ctx)
		if err == nil && count >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// consenting lists the returnees who may be matched.
func (s *benchSystem) consenting(ctx context.Context, people caseload) ([]onward.ID, error) {
	actor, err := s.Store.Authenticate(ctx, people.CounsellorToken)
	if err != nil {
		return nil, err
	}
	var ids []onward.ID
	err = s.Store.InTx(ctx, actor, func(tx *store.Tx) error {
		ids = nil
		for cursor := ""; ; {
			page, err := tx.Returnees(ctx, store.ReturneeFilter{}, store.Cursor{After: cursor, Limit: 200})
			if err != nil {
				return err
			}
			for _, r := range page.Items {
				if r.HasConsent(onward.ConsentMatching, s.Store.Today()) {
					ids = append(ids, r.ID)
				}
			}
			if cursor = page.Next; cursor == "" {
				return nil
			}
		}
	})
	if err == nil && len(ids) == 0 {
		err = errors.New("no returnee may be matched")
	}
	return ids, err
}

// machine says what was measured on.
type machine struct {
	CPUs     int    `json:"cpus"`
	CPU      string `json:"cpu"`
	Go       string `json:"go"`
	Postgres string `json:"postgres"`
	Redis    string `json:"redis"`
	Index    string `json:"index"`
}

func (s *benchSystem) machine(f *benchFlags) machine {
	m := machine{CPUs: runtime.NumCPU(), CPU: cpuModel(), Go: runtime.Version(), Postgres: "embedded", Redis: "embedded", Index: s.Index.Name()}
	if os.Getenv("DATABASE_URL") != "" {
		m.Postgres = "server"
	}
	if f.redis != "" {
		m.Redis = "server"
	}
	return m
}

func cpuModel() string {
	return procField("/proc/cpuinfo", "model name")
}

// peakMemoryMB is the largest resident set that this process has had; 0 where the system does not say.
func peakMemoryMB() float64 {
	kb, err := strconv.ParseFloat(strings.TrimSuffix(procField("/proc/self/status", "VmHWM"), " kB"), 64)
	if err != nil {
		return 0
	}
	return kb / 1024
}

func procField(path, name string) string {
	file, err := os.Open(path) //nolint:gosec // one of two constants
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// percentiles of durations, in milliseconds.
type percentiles struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func percentilesOf(durations []time.Duration) percentiles {
	slices.Sort(durations)
	at := func(q float64) float64 {
		if len(durations) == 0 {
			return 0
		}
		i := min(int(q*float64(len(durations))), len(durations)-1)
		return float64(durations[i].Microseconds()) / 1000
	}
	return percentiles{P50: at(.50), P95: at(.95), P99: at(.99), Max: at(1)}
}

func (p percentiles) String() string {
	return fmt.Sprintf("p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, max %.1f ms", p.P50, p.P95, p.P99, p.Max)
}

// printResult prints JSON, or the lines of a summary.
func (f *benchFlags) printResult(result any, summary string) error {
	if !f.asJSON {
		_, err := fmt.Print(summary)
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}
