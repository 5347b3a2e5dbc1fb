package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/benchrank"
	"onward/indexer/elastic"
	"onward/internal/reference"
)

type benchRank struct {
	esco                   []string
	opportunities, queries int
	returnees              int
	elasticsearch          string
	seed                   uint64
	asJSON                 bool
}

func (f *benchRank) register(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.esco, "esco", nil, "official ESCO files, zips or directories (default: the starter taxonomy)")
	c.Flags().IntVar(&f.opportunities, "opportunities", 100_000, "open opportunities")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "the same seed draws the same openings and people")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

func newBenchRank() *cobra.Command {
	f := &benchRank{}
	c := &cobra.Command{
		Use: "rank", Short: "Rank the top 20 of many openings in this process, and check that it is exact", Args: cobra.NoArgs,
		Long: "Draw openings and people (12 skills, expanded to the related ones; likely places), rank, hold some answers against scoring every opening, " +
			"and measure again while openings change. With --elasticsearch, one query there on the same openings, side by side.",
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.register(c)
	c.Flags().IntVar(&f.queries, "queries", 500, "people to rank for")
	c.Flags().StringVar(&f.elasticsearch, "elasticsearch", "", "URL of an Elasticsearch to ask the same")
	return c
}

func newBenchBatch() *cobra.Command {
	f := &benchRank{}
	c := &cobra.Command{
		Use: "batch", Short: "Rank the top 20 of all openings for all of many people, on all processors", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.runBatch(c) },
	}
	f.register(c)
	c.Flags().IntVar(&f.returnees, "returnees", 10_000, "people to rank for")
	return c
}

func (f *benchRank) options(ctx context.Context) (release onward.Taxonomy, o benchrank.RankOptions, err error) {
	if f.opportunities < 1 || f.queries < 0 || f.returnees < 0 || f.queries+f.returnees < 1 {
		return release, o, onward.Errorf(onward.EInvalid, "give at least one opportunity and one person to rank for")
	}
	o = benchrank.RankOptions{
		Opportunities: f.opportunities, Queries: f.queries, Seed: f.seed,
		Progress: func(what string) { fmt.Fprintln(os.Stderr, "· "+what) },
	}
	if len(f.esco) == 0 {
		release, err = reference.Starter()
	} else {
		release, err = reference.ReadESCO(ctx, f.esco, nil, reference.ESCOOptions{Release: "esco"})
	}
	return release, o, err
}

func (f *benchRank) run(c *cobra.Command) error {
	release, o, err := f.options(c.Context())
	if err != nil {
		return err
	}
	if f.elasticsearch != "" {
		index, err := elastic.New(elastic.Config{Addresses: []string{f.elasticsearch}, Prefix: "bench-rank-"})
		if err != nil {
			return err
		}
		o.Elastic = index
	}
	r, err := benchrank.Rank(c.Context(), release, o)
	if err != nil {
		return err
	}
	return printResult(c, f.asJSON, r)
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
