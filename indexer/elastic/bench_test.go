package elastic

import (
	"context"
	"slices"
	"testing"
	"time"

	"onward/indexer"
	"onward/indexer/indextest"
	"onward/matcher"
)

// BenchmarkRank ranks 120 skills x 25 likely places, top 200.
func BenchmarkRank(b *testing.B) {
	b.Run("opportunities=1e5", func(b *testing.B) {
		ix, world := newIndex(b), indextest.NewWorld(1)
		start := time.Now()
		fillBy(b, ix, world, 100_000)
		b.Logf("rebuild of 100,000: %.0f openings/s", 100_000/time.Since(start).Seconds())
		queries := make([]matcher.Query, 64)
		for i := range queries {
			queries[i] = world.Query(120, 25)
		}
		times := make([]time.Duration, 0, 1000)
		for b.Loop() {
			start := time.Now()
			hits, err := ix.Rank(context.Background(), queries[len(times)%len(queries)])
			times = append(times, time.Since(start))
			if err != nil || len(hits) == 0 {
				b.Fatal(len(hits), err)
			}
		}
		report(b, times)
	})
}

func fillBy(b *testing.B, ix *Index, world *indextest.World, n int) {
	b.Helper()
	err := ix.Rebuild(context.Background(), func(put func([]indexer.Entry) error) error {
		for ; n > 0; n -= 2000 {
			if err := put(world.Entries(min(n, 2000))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func report(b *testing.B, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkPut puts batches into a live index.
func BenchmarkPut(b *testing.B) {
	b.Run("batch=500", func(b *testing.B) {
		ix, world := newIndex(b), indextest.NewWorld(1)
		for b.Loop() {
			if err := ix.Put(context.Background(), world.Entries(500)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "openings/s")
	})
}

// BenchmarkVisible is the time from a put of one opening until a search finds it.
func BenchmarkVisible(b *testing.B) {
	ctx := context.Background()
	ix, world := newIndex(b), indextest.NewWorld(1)
	fillBy(b, ix, world, 20_000)
	times := make([]time.Duration, 0, 1000)
	for b.Loop() {
		entries := world.Entries(1)
		entries[0].Version = 1
		entries[0].ClosesOn = indextest.Today
		entries[0].SearchTitle = "w" + entries[0].ID.String()[24:]
		start := time.Now()
		if err := ix.Put(ctx, entries); err != nil {
			b.Fatal(err)
		}
		for {
			hits, err := ix.Search(ctx, indexer.SearchQuery{Text: entries[0].SearchTitle, Today: indextest.Today})
			if err != nil {
				b.Fatal(err)
			}
			if len(hits) > 0 {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
		times = append(times, time.Since(start))
	}
	report(b, times)
}
