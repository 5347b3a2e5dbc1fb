package memory

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"onward/indexer"
	"onward/indexer/indextest"
	"onward/matcher"
)

func filled(b *testing.B, world *indextest.World, n int) *Index {
	b.Helper()
	ix := New()
	for ; n > 0; n -= 1000 {
		if err := ix.Put(context.Background(), world.Entries(1000)); err != nil {
			b.Fatal(err)
		}
	}
	return ix
}

// BenchmarkRank ranks 120 skills x 25 likely places, top 200.
func BenchmarkRank(b *testing.B) {
	b.Run("opportunities=1e5", func(b *testing.B) {
		world := indextest.NewWorld(1)
		before := heap()
		ix := filled(b, world, 100_000)
		b.Logf("heap for the index: %.1f MB", float64(heap()-before)/1e6)
		queries := make([]matcher.Query, 64)
		for i := range queries {
			queries[i] = world.Query(120, 25)
		}
		var times []time.Duration
		for b.Loop() {
			start := time.Now()
			hits, err := ix.Rank(context.Background(), queries[len(times)%len(queries)])
			times = append(times, time.Since(start))
			if err != nil || len(hits) == 0 {
				b.Fatal(len(hits), err)
			}
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		runtime.KeepAlive(ix)
	})
}

func BenchmarkSearch(b *testing.B) {
	world := indextest.NewWorld(1)
	ix := filled(b, world, 100_000)
	for b.Loop() {
		if _, err := ix.Search(context.Background(), indexer.SearchQuery{Text: "bab", Today: indextest.Today, Limit: 20}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPut puts batches into an index that has 100,000 openings.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1, 500} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			world := indextest.NewWorld(1)
			ix := filled(b, world, 100_000)
			for b.Loop() {
				b.StopTimer()
				entries := world.Entries(size)
				b.StartTimer()
				if err := ix.Put(context.Background(), entries); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "openings/s")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
