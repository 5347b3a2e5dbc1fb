package elastic

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"onward/indexer"
	"onward/indexer/indextest"
	"onward/indexer/memory"
	"onward/internal/testenv"
)

func TestWhileElasticsearchIsStoppedTheMemoryIndexAnswersAndItCatchesUpAlone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a server twice; run without -short")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	server := testenv.OwnElasticsearch(t)
	elastic, err := New(Config{Addresses: []string{server.URL()}})
	if err != nil {
		t.Fatal(err)
	}
	inMemory := memory.New()
	world := indextest.NewWorld(1)
	entries, query := world.Entries(400), world.Query(80, 30)
	for _, index := range []indexer.Index{elastic, inMemory} {
		if err := index.Put(ctx, entries[:300]); err != nil {
			t.Fatal(err)
		}
	}
	if err := elastic.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	ranker := indexer.NewRanker(elastic, indexer.RankerConfig{
		Secondary: inMemory, Timeout: time.Minute, Cooldown: 200 * time.Millisecond, ProbeInterval: 200 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
		OnRecover: func(ctx context.Context) error { // in life: indexer.Reconcile
			if err := elastic.Put(ctx, entries); err != nil {
				return err
			}
			return elastic.Refresh(ctx)
		},
	})
	defer ranker.Close()
	ask := func(by string) indexer.Answer {
		t.Helper()
		answer, err := ranker.Rank(ctx, query)
		if err != nil || answer.AnsweredBy != by || len(answer.Hits) == 0 {
			t.Fatalf("%q answered with %d hits (%v), want %q", answer.AnsweredBy, len(answer.Hits), err, by)
		}
		return answer
	}
	before := ask("elasticsearch")

	server.Stop(t)
	during := ask("memory")
	if during.Degraded == "" || during.Hits[0].Opening.ID != before.Hits[0].Opening.ID || len(during.Hits) != len(before.Hits) {
		t.Errorf("the two indices answer differently: %d and %d hits", len(before.Hits), len(during.Hits))
	}
	if err := inMemory.Put(ctx, entries[300:]); err != nil { // posted during the outage
		t.Fatal(err)
	}
	during = ask("memory")

	server.Start(t)
	for ranker.Degraded() != "" && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	after := ask("elasticsearch")
	if len(after.Hits) != len(during.Hits) || after.Hits[0].Opening.ID != during.Hits[0].Opening.ID {
		t.Errorf("after the outage %d hits, during it %d", len(after.Hits), len(during.Hits))
	}
}
