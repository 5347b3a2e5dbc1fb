package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"onward"
)

// ingestResult is what bench ingest measured.
type ingestResult struct {
	Machine             machine     `json:"machine"`
	Opportunities       int         `json:"opportunities"`
	WrittenPerSecond    float64     `json:"written_per_second" doc:"Rows committed in Postgres"`
	SearchablePerSecond float64     `json:"searchable_per_second" doc:"Rows committed and in the index, from the first request to the last row"`
	PostedToSearchable  percentiles `json:"posted_to_searchable" doc:"Single postings, from sending one until a search finds it"`
	PeakMemoryMB        float64     `json:"peak_memory_mb"`
}

const (
	ingestLines   = 1000 // of one bulk request
	ingestClients = 2
	ingestSingles = 300
)

func newBenchIngest(o *options) *cobra.Command {
	f := &benchFlags{}
	c := &cobra.Command{
		Use: "ingest", Short: "Post opportunities in bulk and one by one until a search finds them", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return benchIngest(c.Context(), o, f) },
	}
	f.register(c, 50_000)
	return c
}

func benchIngest(ctx context.Context, o *options, f *benchFlags) error {
	s, stop, err := f.startBench(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	people, _, err := s.fill(ctx, 0)
	if err != nil {
		return err
	}
	employer := &client{base: s.base, token: people.EmployerToken}
	bodies, err := bulkBodies(s.Store.Today(), f.opportunities)
	if err != nil {
		return err
	}
	stopProfile, err := f.profile()
	if err != nil {
		return err
	}
	started := time.Now()
	if err := postBulk(ctx, employer, bodies, f.opportunities); err != nil {
		return err
	}
	written := time.Since(started)
	if err := s.waitIndexed(ctx, f.opportunities); err != nil {
		return err
	}
	searchable := time.Since(started)
	stopProfile()
	singles, err := postSingles(ctx, employer, s.Store.Today())
	if err != nil {
		return err
	}
	result := ingestResult{
		Machine: s.machine(f), Opportunities: f.opportunities, WrittenPerSecond: float64(f.opportunities) / written.Seconds(),
		SearchablePerSecond: float64(f.opportunities) / searchable.Seconds(), PostedToSearchable: percentilesOf(singles), PeakMemoryMB: peakMemoryMB(),
	}
	return f.printResult(result, fmt.Sprintf("%d opportunities in bulk requests of %d lines (Postgres %s, Redis %s, index %s)\n"+
		"written: %.0f/s, written and searchable: %.0f/s\none posting to searchable: %s\npeak memory %.0f MB\n",
		f.opportunities, ingestLines, result.Machine.Postgres, result.Machine.Redis, result.Machine.Index,
		result.WrittenPerSecond, result.SearchablePerSecond, result.PostedToSearchable, result.PeakMemoryMB))
}

// bulkBodies makes the bulk requests beforehand: making them is not what is measured.
func bulkBodies(today onward.Date, n int) ([][]byte, error) {
	var bodies [][]byte
	var body bytes.Buffer
	lines := 0
	for seed := uint64(demoSeed); n > 0; seed++ {
		made, err := generateCaseload(seed, today)
		if err != nil {
			return nil, err
		}
		for _, o := range made.Opportunities[:min(n, len(made.Opportunities))] {
			o.Details.ExternalID = fmt.Sprintf("%d-%s", seed, o.Details.ExternalID)
			o.Details.Vetting, o.Details.VettedUntil = "", onward.Date{} // an employer does not vet itself
			line, err := json.Marshal(struct {
				Publish bool `json:"publish"`
				onward.OpportunityDetails
			}{true, o.Details})
			if err != nil {
				return nil, err
			}
			body.Write(append(line, '\n'))
			if lines++; lines == ingestLines {
				bodies, lines = append(bodies, bytes.Clone(body.Bytes())), 0
				body.Reset()
			}
			n--
		}
	}
	if lines > 0 {
		bodies = append(bodies, body.Bytes())
	}
	return bodies, nil
}

func postBulk(ctx context.Context, employer *client, bodies [][]byte, want int) error {
	progress := bar(int64(want), "Posting", false)
	work := make(chan []byte)
	created := make(chan int, len(bodies))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(work)
		for _, body := range bodies {
			select {
			case work <- body:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range ingestClients {
		group.Go(func() error {
			for body := range work {
				var result struct{ Created, Rejected int }
				raw, err := employer.do(ctx, http.MethodPost, "/v1/opportunities/bulk", body, &result)
				if err != nil {
					return err
				}
				if result.Rejected > 0 {
					return fmt.Errorf("%d rows rejected: %.500s", result.Rejected, raw)
				}
				created <- result.Created
				_ = progress.Add(result.Created)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	close(created)
	total := 0
	for n := range created {
		total += n
	}
	if total != want {
		return fmt.Errorf("%d rows created, want %d", total, want)
	}
	return nil
}

// postSingles posts one at a time and searches for each until it is found.
func postSingles(ctx context.Context, employer *client, today onward.Date) ([]time.Duration, error) {
	made, err := generateCaseload(demoSeed, today)
	if err != nil {
		return nil, err
	}
	durations := make([]time.Duration, 0, ingestSingles)
	for i := range ingestSingles {
		details := made.Opportunities[i].Details
		word := "unico" + strconv.FormatInt(int64(i), 36) + "z"
		details.ExternalID, details.Vetting, details.VettedUntil = word, "", onward.Date{}
		details.Title = onward.Text{"es": details.Title.In("es") + " " + word}
		body, err := json.Marshal(details)
		if err != nil {
			return nil, err
		}
		started := time.Now()
		var o onward.Opportunity
		if _, err := employer.do(ctx, http.MethodPost, "/v1/opportunities?publish=true", body, &o); err != nil {
			return nil, err
		}
		for found := false; !found; {
			var result struct{ Items []struct{ ID onward.ID } }
			if _, err := employer.do(ctx, http.MethodGet, "/v1/opportunities/search?q="+url.QueryEscape(word), nil, &result); err != nil {
				return nil, err
			}
			found = len(result.Items) == 1 && result.Items[0].ID == o.ID
			if !found {
				time.Sleep(time.Millisecond)
			}
		}
		durations = append(durations, time.Since(started))
	}
	return durations, nil
}
