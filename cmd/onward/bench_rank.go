package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/benchrank"
	"onward/cmd/onward/internal/engine"
	"onward/indexer/elastic"
	"onward/internal/embedded"
	"onward/internal/reference"
)

type benchRank struct {
	esco          []string
	sizes         []int // how many openings; each is a run
	queries       int
	returnees     int
	elasticsearch string
	postgres      string
	seed          uint64
	asJSON        bool
}

func (f *benchRank) register(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.esco, "esco", nil, "official ESCO files, zips or directories (default: the starter taxonomy)")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "the same seed draws the same openings and people")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

func newBenchRank(o *options) *cobra.Command {
	f := &benchRank{}
	c := &cobra.Command{
		Use: "rank", Short: "Rank the top 20 of many openings in this process, and check that it is exact", Args: cobra.NoArgs,
		Long: "Draw openings and people (12 skills, expanded to the related ones; likely places), rank, hold some answers against scoring every opening, " +
			"and measure again while openings change. With --elasticsearch and --postgres, one query and one SQL statement there on the same openings, side by side.",
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c, o) },
	}
	f.register(c)
	c.Flags().IntSliceVar(&f.sizes, "opportunities", []int{100_000}, "open opportunities; several, such as 10000,100000,1000000, show how the time grows")
	c.Flags().IntVar(&f.queries, "queries", 500, "people to rank for")
	c.Flags().StringVar(&f.elasticsearch, "elasticsearch", "", "URL of an Elasticsearch to ask the same, or auto to start the development node (needs java and mvn)")
	c.Flags().StringVar(&f.postgres, "postgres", "", "URL of a Postgres to ask the same by one SQL statement, or auto to start one; a schema of its own is made and dropped")
	return c
}

func newBenchBatch() *cobra.Command {
	f := &benchRank{}
	c := &cobra.Command{
		Use: "batch", Short: "Rank the top 20 of all openings for all of many people, on all processors", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.runBatch(c) },
	}
	f.register(c)
	f.sizes = []int{0}
	c.Flags().IntVar(&f.sizes[0], "opportunities", 100_000, "open opportunities")
	c.Flags().IntVar(&f.returnees, "returnees", 10_000, "people to rank for")
	return c
}

func (f *benchRank) options(ctx context.Context) (release onward.Taxonomy, o benchrank.RankOptions, err error) {
	if len(f.sizes) == 0 || slices.Min(f.sizes) < 1 || f.queries < 0 || f.returnees < 0 || f.queries+f.returnees < 1 {
		return release, o, onward.Errorf(onward.EInvalid, "give at least one opportunity and one person to rank for")
	}
	o = benchrank.RankOptions{
		Opportunities: f.sizes[0], Queries: f.queries, Seed: f.seed,
		Progress: func(what string) { fmt.Fprintln(os.Stderr, "· "+what) },
	}
	if len(f.esco) == 0 {
		release, err = reference.Starter()
	} else {
		release, err = reference.ReadESCO(ctx, f.esco, nil, reference.ESCOOptions{Release: "esco"})
	}
	return release, o, err
}

func (f *benchRank) run(c *cobra.Command, shared *options) error {
	release, o, err := f.options(c.Context())
	if err != nil {
		return err
	}
	config, err := shared.config(slog.LevelError)
	if err != nil {
		return err
	}
	var runs []benchrank.RankResult
	for _, size := range f.sizes {
		o.Opportunities = size
		r, err := f.runOnce(c.Context(), config, release, o)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	if len(runs) == 1 {
		return printResult(c, f.asJSON, runs[0])
	}
	return printResult(c, f.asJSON, benchrank.NewGrowth(runs))
}

func (f *benchRank) runOnce(ctx context.Context, config engine.Config, release onward.Taxonomy, o benchrank.RankOptions) (r benchrank.RankResult, err error) {
	stop, err := f.startRivals(ctx, config, &o)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return r, err
	}
	return benchrank.Rank(ctx, release, o)
}

// startRivals connects to what is asked the same, and starts it for "auto". stop undoes what was done, also after an error.
func (f *benchRank) startRivals(ctx context.Context, config engine.Config, o *benchrank.RankOptions) (stop func() error, err error) {
	var undo []func() error
	stop = func() (err error) {
		for _, do := range slices.Backward(undo) {
			err = errors.Join(err, do())
		}
		return err
	}
	dir := ""
	if f.elasticsearch == "auto" || f.postgres == "auto" {
		if dir, err = temporaryData(config.DataDir); err != nil {
			return stop, err
		}
		undo = append(undo, func() error { return os.RemoveAll(dir) })
	}
	if f.elasticsearch != "" {
		url := f.elasticsearch
		if url == "auto" {
			node, err := embedded.StartSearchNode(ctx, embedded.SearchNodeConfig{Home: filepath.Join(dir, "search-node"), Logger: config.Logger, Progress: o.Progress})
			if err != nil {
				return stop, err
			}
			undo = append(undo, node.Stop)
			url = node.URL()
		}
		if o.Elastic, err = elastic.New(elastic.Config{Addresses: []string{url}, Prefix: "bench-rank-"}); err != nil {
			return stop, err
		}
	}
	if f.postgres != "" {
		url := f.postgres
		if url == "auto" {
			server, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{
				DataDir: filepath.Join(dir, "postgres"), Parameters: map[string]string{"shared_buffers": "512MB", "work_mem": "64MB"}, Logger: config.Logger, Progress: o.Progress,
			})
			if err != nil {
				return stop, err
			}
			undo = append(undo, func() error { return server.Stop(context.WithoutCancel(ctx)) })
			url = server.AdminDSN()
		}
		rival, err := benchrank.NewPostgres(ctx, url)
		if err != nil {
			return stop, err
		}
		undo = append(undo, func() error { return rival.Close(context.WithoutCancel(ctx)) })
		o.SQL = rival
	}
	return stop, nil
}

func (f *benchRank) runBatch(c *cobra.Command) error {
	release, o, err := f.options(c.Context())
	if err != nil {
		return err
	}
	r, err := benchrank.Batch(c.Context(), release, f.returnees, o)
	if err != nil {
		return err
	}
	return printResult(c, f.asJSON, r)
}
