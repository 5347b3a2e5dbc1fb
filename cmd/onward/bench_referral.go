package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"onward"
)

// referralResult is what bench referral measured.
type referralResult struct {
	Machine       machine     `json:"machine"`
	Opportunities int         `json:"opportunities"`
	Requests      int         `json:"requests"`
	Concurrency   int         `json:"concurrency"`
	PerSecond     float64     `json:"requests_per_second"`
	Ready         percentiles `json:"accepted_to_ready" doc:"From the 202 to the list in the client's hands"`
	Whole         percentiles `json:"posted_to_ready" doc:"From sending the request"`
	PeakMemoryMB  float64     `json:"peak_memory_mb" doc:"Of this process: API, workers, index, in-process Redis and the measuring client"`
	AnsweredBy    []string    `json:"answered_by"`
}

func newBenchReferral(o *options) *cobra.Command {
	f := &benchFlags{}
	var requests, concurrency int
	c := &cobra.Command{
		Use: "referral", Short: "Ask for ranked lists, whole way through HTTP", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return benchReferral(c.Context(), o, f, requests, concurrency)
		},
	}
	f.register(c, 100_000)
	c.Flags().IntVar(&requests, "requests", 2000, "referral requests")
	c.Flags().IntVar(&concurrency, "concurrency", 8, "clients that ask at once, each the next as soon as it has a list")
	return c
}

func benchReferral(ctx context.Context, o *options, f *benchFlags, requests, concurrency int) error {
	s, stop, err := f.startBench(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	people, returnees, err := s.fill(ctx, f.opportunities)
	if err != nil {
		return err
	}
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = concurrency
	run := &referralRun{client: &client{base: s.base, token: people.CounsellorToken}, returnees: returnees, answeredBy: map[string]bool{}}
	if err := run.do(ctx, requests/10+1, concurrency); err != nil { // warms caches and connections
		return err
	}
	run.ready, run.whole = nil, nil
	stopProfile, err := f.profile()
	if err != nil {
		return err
	}
	started := time.Now()
	if err := run.do(ctx, requests, concurrency); err != nil {
		return err
	}
	elapsed := time.Since(started)
	stopProfile()
	result := referralResult{
		Machine: s.machine(f), Opportunities: f.opportunities, Requests: requests, Concurrency: concurrency,
		PerSecond: float64(requests) / elapsed.Seconds(), Ready: percentilesOf(run.ready), Whole: percentilesOf(run.whole), PeakMemoryMB: peakMemoryMB(),
	}
	for name := range run.answeredBy {
		result.AnsweredBy = append(result.AnsweredBy, name)
	}
	return f.printResult(result, fmt.Sprintf("%d requests at concurrency %d over %d opportunities (Postgres %s, Redis %s, index %s)\n"+
		"accepted to ready: %s\nposted to ready:   %s\n%.0f requests/s, peak memory %.0f MB\n",
		requests, concurrency, f.opportunities, result.Machine.Postgres, result.Machine.Redis, result.Machine.Index,
		result.Ready, result.Whole, result.PerSecond, result.PeakMemoryMB))
}

type referralRun struct {
	client    *client
	returnees []onward.ID

	mu           sync.Mutex
	ready, whole []time.Duration
	answeredBy   map[string]bool
}

func (r *referralRun) do(ctx context.Context, requests, concurrency int) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range concurrency {
		group.Go(func() error {
			for {
				i := next.Add(1) - 1
				if i >= int64(requests) {
					return nil
				}
				if err := r.one(ctx, r.returnees[i%int64(len(r.returnees))]); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

func (r *referralRun) one(ctx context.Context, returnee onward.ID) error {
	posted := time.Now()
	var request onward.ReferralRequest
	if _, err := r.client.do(ctx, http.MethodPost, "/v1/returnees/"+returnee.String()+"/referral-requests", []byte(`{}`), &request); err != nil {
		return err
	}
	accepted := time.Now()
	// The client keeps the list as it came: what a reader makes of it is not what is measured.
	var answer struct {
		Status onward.RequestStatus
		List   json.RawMessage
	}
	for answer.List == nil {
		raw, err := r.client.do(ctx, http.MethodGet, "/v1/referral-requests/"+request.ID.String()+"?wait=30s", nil, &answer)
		if err != nil {
			return err
		}
		if answer.Status == onward.RequestRefused {
			return fmt.Errorf("request %s was refused: %s", request.ID, raw)
		}
	}
	ready, whole := time.Since(accepted), time.Since(posted)
	return r.note(answer.List, ready, whole)
}

// note checks that there is a list and keeps how long it took.
func (r *referralRun) note(list json.RawMessage, ready, whole time.Duration) error {
	if !bytes.Contains(list, []byte(`"rank":1,`)) {
		return fmt.Errorf("a list without a referral: %.300s", list)
	}
	_, rest, _ := bytes.Cut(list, []byte(`"answered_by":"`))
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready, r.whole = append(r.ready, ready), append(r.whole, whole)
	r.answeredBy[string(name)] = true
	return nil
}
