package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"onward/api"
	"onward/cmd/onward/internal/backup"
	"onward/cmd/onward/internal/engine"
)

// backupResult is what bench backup measured.
type backupResult struct {
	Machine  machine `json:"machine"`
	People   int     `json:"people"`
	Rows     int64   `json:"rows"`
	Bytes    int64   `json:"bytes" doc:"As COPY writes them"`
	Written  int64   `json:"written" doc:"Of the archive"`
	Backup   phase   `json:"backup"`
	KeysOnly phase   `json:"keys_only"`
	Check    phase   `json:"check" doc:"With the key of each person opened"`
	Restore  phase   `json:"restore" doc:"With the check, all indexes, foreign keys, each identity opened, and the audit"`
}

// phase is how long something took, and how much more the heap held meanwhile.
type phase struct {
	Seconds float64 `json:"seconds"`
	HeapMB  float64 `json:"heap_mb"`
}

func (p phase) String() string { return fmt.Sprintf("%.1f s, heap %.0f MB more", p.Seconds, p.HeapMB) }

func newBenchBackup(o *options) *cobra.Command {
	f := &benchFlags{}
	var people, lists int
	c := &cobra.Command{
		Use: "backup", Short: "Back up a large caseload, and restore it", Args: cobra.NoArgs,
		Long: "Registers made-up people of one agency, each with so many saved lists of 20 KB that do not compress, backs up, and restores into another\n" +
			"database of the same server.",
		RunE: func(c *cobra.Command, _ []string) error { return benchBackup(c.Context(), o, f, people, lists) },
	}
	f.register(c, 0)
	c.Flags().IntVar(&people, "people", 10_000, "people on the caseload")
	c.Flags().IntVar(&lists, "lists", 2, "saved lists of each")
	return c
}

func benchBackup(ctx context.Context, o *options, f *benchFlags, people, lists int) error {
	s, counsellor, stop, err := f.startPeople(ctx, o, people)
	if err != nil {
		return err
	}
	defer stop()
	// Each byte of the lists is another: 320 hashes of 64 bytes.
	if _, err := s.owner.ExecContext(ctx, `INSERT INTO referral_requests (id, organisation_id, returnee_id, requested_by, options, status, list, ready_at)
		SELECT new_id(), r.organisation_id, r.id, $1, '{}', 'ready', (SELECT string_agg(sha512((r.id::text || l || x)::bytea), '') FROM generate_series(1, 320) x), now() FROM returnees r, generate_series(1, $2) l`,
		counsellor.UserID, lists); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	result := backupResult{Machine: s.machine(f), People: people}
	stopProfile, err := f.profile()
	if err != nil {
		return err
	}
	if err := result.measure(ctx, s.Engine); err != nil {
		return err
	}
	stopProfile()
	mb := float64(result.Bytes) / 1e6
	return f.printResult(result, fmt.Sprintf("%d people, %d rows, %.0f MB (Postgres %s)\nbackup: %s (%.0f MB/s), an archive of %.0f MB\nkeys alone: %s\nverify: %s (%.0f MB/s)\nrestore: %s (%.0f MB/s)\n",
		people, result.Rows, mb, result.Machine.Postgres, result.Backup, mb/result.Backup.Seconds, float64(result.Written)/1e6, result.KeysOnly, result.Check, mb/result.Check.Seconds, result.Restore, mb/result.Restore.Seconds))
}

// measure backs up, checks and restores.
func (result *backupResult) measure(ctx context.Context, e *engine.Engine) error {
	dir, err := os.MkdirTemp("", "onward-bench-backup-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	source := backup.Source{URL: e.OwnerURL(), Method: backup.MethodCopy, Recipients: []age.Recipient{identity.Recipient()}, Version: api.Version}
	var archive string
	if result.Backup, err = measurePhase(func() error {
		report, path, _, err := source.WriteTo(ctx, dir, false)
		archive, result.Rows, result.Bytes, result.Written = path, report.Rows, report.Bytes, report.Written
		return err
	}); err != nil {
		return err
	}
	if result.KeysOnly, err = measurePhase(func() error { _, _, _, err := source.WriteTo(ctx, dir, true); return err }); err != nil {
		return err
	}
	target, err := url.Parse(e.OwnerURL())
	if err != nil {
		return err
	}
	target.Path = "/onward_bench_restored"
	restore := backup.Restore{Archive: archive, Identities: []age.Identity{identity}, OwnerURL: target.String()}
	if restore.Vault, err = e.Keys(); err != nil {
		return err
	}
	if result.Check, err = measurePhase(func() error { _, err := restore.Check(ctx); return err }); err != nil {
		return err
	}
	result.Restore, err = measurePhase(func() error { _, err := restore.Run(ctx); return err })
	return err
}

// heapEvery is how often the heap is looked at.
const heapEvery = 5 * time.Millisecond

func measurePhase(run func() error) (phase, error) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	// What is held, and not what waits for the collector, which lets the heap of a server grow to three times that.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	before, peak := heap(), uint64(0)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			peak = max(peak, heap())
			select {
			case <-done:
				return
			case <-time.After(heapEvery):
			}
		}
	})
	began := time.Now()
	err := run()
	took := time.Since(began)
	close(done)
	watching.Wait()
	return phase{took.Seconds(), float64(peak-min(peak, before)) / 1e6}, err
}
