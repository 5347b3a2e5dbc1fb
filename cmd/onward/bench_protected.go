package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"onward"
	"onward/store"
	"onward/store/vault"
)

// protectedResult is what bench protected-path measured.
type protectedResult struct {
	Machine       machine     `json:"machine"`
	Opportunities int         `json:"opportunities"`
	Pairs         int         `json:"pairs"`
	Protected     percentiles `json:"protected" doc:"Request, list saved, list read, person read with the identity opened and the reading noted in the audit"`
	Bare          percentiles `json:"bare" doc:"The same statements while row-level security does not hold"`
	Opening       float64     `json:"opening_ms" doc:"What opening the person's key and eight fields takes, median; taken off the bare path"`
	// Cost is the median of the protected path over that of the bare one without opening, less 1, with a 95 % interval.
	Cost     float64 `json:"cost"`
	CostLow  float64 `json:"cost_low"`
	CostHigh float64 `json:"cost_high"`
}

func newBenchProtected(o *options) *cobra.Command {
	f := &benchFlags{}
	var pairs int
	c := &cobra.Command{
		Use: "protected-path", Short: "What row-level security and decryption cost from a referral request to its list and the person", Args: cobra.NoArgs,
		Long: "Asks for lists and reads the people, in turns as always and with a role that bypasses row-level security, and takes what opening a person takes off\n" +
			"the latter. Needs an embedded Postgres: the bench changes the role of the application there, which Onward itself never does and refuses to run with.",
		RunE: func(c *cobra.Command, _ []string) error { return benchProtected(c.Context(), o, f, pairs) },
	}
	f.register(c, 10_000)
	c.Flags().IntVar(&pairs, "pairs", 500, "how many of each")
	return c
}

func benchProtected(ctx context.Context, o *options, f *benchFlags, pairs int) error {
	if os.Getenv("DATABASE_URL") != "" {
		return errors.New("unset DATABASE_URL: this bench changes the role of the application, in a database of its own")
	}
	s, stop, err := f.startBench(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	people, returnees, err := s.fill(ctx, f.opportunities)
	if err != nil {
		return err
	}
	counsellor, err := s.Store.Authenticate(ctx, people.CounsellorToken)
	if err != nil {
		return err
	}
	if _, err := s.owner.ExecContext(ctx, `VACUUM ANALYZE`); err != nil {
		return err
	}
	path := &protectedPath{s: s, client: &client{base: s.base, token: people.CounsellorToken}, counsellor: counsellor}
	stopProfile, err := f.profile()
	if err != nil {
		return err
	}
	var protected, bare []time.Duration
	for i := range pairs + pairs/10 { // the first tenth warms up
		id := returnees[i%len(returnees)]
		order := []bool{true, false}
		if i%2 == 1 {
			slices.Reverse(order) // neither is always the first
		}
		for _, holds := range order {
			d, err := path.take(ctx, id, holds)
			if err != nil {
				return err
			}
			if holds && i >= pairs/10 {
				protected = append(protected, d)
			} else if i >= pairs/10 {
				bare = append(bare, d)
			}
		}
	}
	stopProfile()
	result := protectedResult{Machine: s.machine(f), Opportunities: f.opportunities, Pairs: pairs, Protected: percentilesOf(slices.Clone(protected)), Bare: percentilesOf(slices.Clone(bare))}
	opening, err := openingTime()
	if err != nil {
		return err
	}
	for i := range bare {
		bare[i] -= opening
	}
	result.Opening = float64(opening.Nanoseconds()) / 1e6
	result.Cost, result.CostLow, result.CostHigh = costOf(protected, bare)
	return f.printResult(result, fmt.Sprintf("%d pairs over %d opportunities (Postgres %s)\nprotected: %s\nbare: %s\nopening a person: %.3f ms\ncost at the median: %.1f %% (95 %%: %.1f to %.1f)\n", pairs, f.opportunities,
		result.Machine.Postgres, result.Protected, result.Bare, result.Opening, 100*result.Cost, 100*result.CostLow, 100*result.CostHigh))
}

// protectedPath is the way from a request to the list and the person.
type protectedPath struct {
	s          *benchSystem
	client     *client
	counsellor onward.Actor
}

func (p *protectedPath) take(ctx context.Context, id onward.ID, holds bool) (time.Duration, error) {
	change := `ALTER ROLE onward_app BYPASSRLS`
	if holds {
		change = `ALTER ROLE onward_app NOBYPASSRLS`
	}
	if _, err := p.s.owner.ExecContext(ctx, change); err != nil {
		return 0, err
	}
	began := time.Now()
	var request onward.ReferralRequest
	if _, err := p.client.do(ctx, http.MethodPost, "/v1/returnees/"+id.String()+"/referral-requests", []byte(`{}`), &request); err != nil {
		return 0, err
	}
	for request.Status == onward.RequestQueued {
		if _, err := p.client.do(ctx, http.MethodGet, "/v1/referral-requests/"+request.ID.String()+"?wait=30s", nil, &request); err != nil {
			return 0, err
		}
	}
	err := p.s.Store.InTx(ctx, p.counsellor, func(tx *store.Tx) error {
		person, err := tx.Returnee(ctx, id)
		if err == nil && (person.Identity == onward.Identity{}) {
			err = errors.New("no identity was opened")
		}
		return err
	})
	return time.Since(began), err
}

// openingTime is how long the key and the fields of one person take to open: the median of many.
func openingTime() (time.Duration, error) {
	const fields = 8
	v, err := vault.New()
	if err != nil {
		return 0, err
	}
	made, wrapped, err := v.NewKey("bench")
	if err != nil {
		return 0, err
	}
	var sealed [fields][]byte
	for i := range sealed {
		if sealed[i], err = made.Seal([]byte(`"what is known of a person"`), "bench"); err != nil {
			return 0, err
		}
	}
	took := make([]time.Duration, 2000)
	for i := range took {
		began := time.Now()
		key, err := v.OpenKey(wrapped, "bench")
		if err != nil {
			return 0, err
		}
		for _, text := range sealed {
			if _, err := key.Open(text, "bench"); err != nil {
				return 0, err
			}
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// costOf compares medians of pairs, with a bootstrap over the pairs for the interval.
func costOf(protected, bare []time.Duration) (cost, low, high float64) {
	ratio := func(pick func(i int) int) float64 {
		a, b := make([]time.Duration, len(bare)), make([]time.Duration, len(bare))
		for i := range bare {
			a[i], b[i] = protected[pick(i)], bare[pick(i)]
		}
		slices.Sort(a)
		slices.Sort(b)
		return float64(a[len(a)/2])/float64(b[len(b)/2]) - 1
	}
	cost = ratio(func(i int) int { return i })
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret: the same interval each time
	samples := make([]float64, 2000)
	for k := range samples {
		picked := make([]int, len(bare))
		for i := range picked {
			picked[i] = random.IntN(len(bare))
		}
		samples[k] = ratio(func(i int) int { return picked[i] })
	}
	slices.Sort(samples)
	return cost, samples[len(samples)/40], samples[len(samples)-1-len(samples)/40]
}
