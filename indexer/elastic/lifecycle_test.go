package elastic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onward"
	"onward/indexer"
	"onward/indexer/indextest"
	"onward/internal/testenv"
)

// call sends a plain request to the test's server, as an operator would.
func call(t testing.TB, method, path, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, testenv.Elasticsearch(t)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 400 {
		t.Fatalf("%s %s: %s %s", method, path, response.Status, text)
	}
	return string(text)
}

func indices(t testing.TB, ix *Index) []string {
	t.Helper()
	return strings.Fields(call(t, http.MethodGet, "/_cat/indices/"+ix.alias+"*?h=index&s=index&expand_wildcards=all", ""))
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustPut(t testing.TB, ix *Index, entries []indexer.Entry) {
	t.Helper()
	if err := errors.Join(ix.Put(testContext(t), entries), ix.Refresh(testContext(t))); err != nil {
		t.Fatal(err)
	}
}

func TestAWipedIndexIsUnavailableUntilItIsReconciledFromPostgres(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	var created atomic.Int64
	ix := newIndex(t, func(c *Config) { c.OnCreate = func() { created.Add(1) } })
	world := indextest.NewWorld(1)
	entries, query := world.Entries(200), world.Query(60, 20)
	mustPut(t, ix, entries)
	before, err := ix.Rank(ctx, query)
	if err != nil || len(before) == 0 {
		t.Fatalf("%d hits before (%v)", len(before), err)
	}

	for range 2 {
		for _, index := range indices(t, ix) {
			call(t, http.MethodDelete, "/"+index, "")
		}
		if _, err := ix.Rank(ctx, query); onward.CodeOf(err) != onward.EUnavailable {
			t.Fatalf("ranking on a wiped index gives %v, want %s: an empty list would be wrong", err, onward.EUnavailable)
		}
		truth := func(each func(indexer.Ref) error) error {
			for _, e := range entries {
				if err := each(indexer.Ref{ID: e.ID, Version: e.Version}); err != nil {
					return err
				}
			}
			return nil
		}
		load := func(_ context.Context, ids []onward.ID) ([]indexer.Entry, error) {
			return slices.DeleteFunc(slices.Clone(entries), func(e indexer.Entry) bool { return !slices.Contains(ids, e.ID) }), nil
		}
		drift, err := indexer.Reconcile(ctx, ix, truth, load)
		if err != nil || drift.Missing != len(entries) {
			t.Fatalf("drift is %v (%v)", drift, err)
		}
		if err := ix.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		after, err := ix.Rank(ctx, query)
		if err != nil || len(after) != len(before) {
			t.Fatalf("%d hits after (%v), want %d", len(after), err, len(before))
		}
	}
	if n := created.Load(); n != 3 {
		t.Errorf("OnCreate was called %d times, want 3", n)
	}

	// A put after a wipe creates the index with its mapping; the server never makes one up.
	for _, index := range indices(t, ix) {
		call(t, http.MethodDelete, "/"+index, "")
	}
	mustPut(t, ix, entries[:1])
	if outdated, err := ix.Outdated(ctx); err != nil || outdated {
		t.Errorf("the new index is outdated: %v (%v)", outdated, err)
	}
}

func TestWhatIsPutIsFoundSoonWithoutARefresh(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	ix := newIndex(t)
	if err := ix.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if err := ix.Put(ctx, indextest.NewWorld(1).Entries(1)); err != nil {
		t.Fatal(err)
	}
	for n := 0; n == 0; {
		var err error
		if n, err = ix.Count(ctx); err != nil {
			t.Fatal(err) // the context ends it
		}
	}
}

func TestProcessesThatCreateTheIndexAtOnceCreateOne(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	first := newIndex(t)
	entries := indextest.NewWorld(1).Entries(8)
	var wait sync.WaitGroup
	for i := range entries {
		wait.Go(func() {
			process := &Index{transport: first.transport, alias: first.alias, onCreate: func() {}}
			if err := process.Put(ctx, entries[i:i+1]); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if err := first.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := first.Count(ctx); err != nil || n != len(entries) {
		t.Errorf("count is %d (%v), want %d", n, err, len(entries))
	}
	if all := indices(t, first); len(all) != 1 {
		t.Errorf("there are %v, want one index", all)
	}
}

func TestAnAliasThatStandsForTwoIndicesIsSetRight(t *testing.T) {
	t.Parallel()
	ix := newIndex(t)
	entries := indextest.NewWorld(1).Entries(3)
	mustPut(t, ix, entries[:1])
	call(t, http.MethodPut, "/"+ix.alias+"-1700000000000-0123abcd", fmt.Sprintf(`{"aliases": {%q: {}}}`, ix.alias))
	mustPut(t, ix, entries[1:])
	if all := indices(t, ix); len(all) != 1 || all[0] == ix.alias+"-0" {
		t.Errorf("there are %v, want the rebuilt one", all)
	}
}

func TestARebuildLeavesOneIndexAndRemovesOldLeftovers(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	ix := newIndex(t)
	entries := indextest.NewWorld(1).Entries(20)
	mustPut(t, ix, entries)
	leftover := ix.alias + "-1700000000000-0123abcd"
	call(t, http.MethodPut, "/"+leftover, `{}`)
	strange := ix.alias + "-of-somebody-else"
	call(t, http.MethodPut, "/"+strange, `{}`)
	rebuild := func() {
		t.Helper()
		err := ix.Rebuild(ctx, func(put func([]indexer.Entry) error) error { return put(entries) })
		if err != nil {
			t.Fatal(err)
		}
		if n, err := ix.Count(ctx); err != nil || n != len(entries) {
			t.Fatalf("count is %d (%v), want %d", n, err, len(entries))
		}
	}
	rebuild()
	if all := indices(t, ix); !slices.Contains(all, leftover) {
		t.Fatalf("a young leftover was removed: another process may be filling it; there are %v", all)
	}
	ix.leftoverAge = 0
	rebuild()
	all := indices(t, ix)
	if len(all) != 2 || slices.Contains(all, leftover) || !slices.Contains(all, strange) {
		t.Errorf("there are %v, want the live one and the stranger's", all)
	}
	settings := call(t, http.MethodGet, "/"+ix.alias+"/_settings", "")
	if !strings.Contains(settings, `"refresh_interval":"200ms"`) {
		t.Errorf("the rebuilt index has the settings %s", settings)
	}
	for i := range entries {
		entries[i].Version++
	}
	mustPut(t, ix, entries)
}

func TestARebuildThatFailsRemovesWhatItBegan(t *testing.T) {
	t.Parallel()
	ix := newIndex(t)
	mustPut(t, ix, indextest.NewWorld(1).Entries(2))
	ctx, cancel := context.WithCancel(testContext(t))
	err := ix.Rebuild(ctx, func(func([]indexer.Entry) error) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if all := indices(t, ix); len(all) != 1 {
		t.Errorf("there are %v, want the old one alone", all)
	}
}

// counting counts requests by the end of their path.
type counting struct {
	http.RoundTripper
	bulks atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_bulk") {
		c.bulks.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}

func TestALargePutIsSplitAndOneBadEntryDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	counter := &counting{RoundTripper: http.DefaultTransport}
	ix := newIndex(t, func(c *Config) { c.Transport = counter })
	if err := ix.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	entries := indextest.NewWorld(1).Entries(60)
	bad := &entries[30]
	bad.Country = strings.Repeat("x", 40_000) // longer than a term can be
	for i := range entries {
		entries[i].Title["es"] = strings.Repeat("l", 200_000)
	}
	err := ix.Put(ctx, entries)
	var partial *indexer.PartialError
	if !errors.As(err, &partial) || len(partial.Items) != 1 || partial.Items[0].ID != bad.ID || partial.Items[0].Reason == "" {
		t.Fatalf("got %v, want the one bad entry", err)
	}
	if err := ix.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := ix.Count(ctx); err != nil || n != len(entries)-1 {
		t.Errorf("count is %d (%v), want %d", n, err, len(entries)-1)
	}
	if n := counter.bulks.Load(); n < 3 || n > 4 {
		t.Errorf("12 MB went in %d requests", n)
	}
}

func TestAPersonWithVeryManySkillsCanBeRanked(t *testing.T) {
	t.Parallel()
	ix := newIndex(t)
	world := indextest.NewWorld(1)
	mustPut(t, ix, world.Entries(50))
	hits, err := ix.Rank(testContext(t), world.Query(1000, 300))
	if err != nil || len(hits) == 0 {
		t.Errorf("%d hits (%v)", len(hits), err)
	}
}

// answering is a server that answers everything alike.
type answering struct {
	status int
	body   string
	err    error
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(a.body)))}, nil
}

func TestErrorsSayWhetherTheServerIsAway(t *testing.T) {
	t.Parallel()
	world := indextest.NewWorld(1)
	entries, query := world.Entries(2), world.Query(5, 5)
	item := func(status int) string {
		return fmt.Sprintf(`{"errors": true, "items": [{"index": {"_id": %q, "status": %d, "error": {"type": "t", "reason": "r"}}}]}`, entries[0].ID, status)
	}
	for name, test := range map[string]struct {
		answer       answering
		search, puts onward.Code
	}{
		"no connection":       {answering{err: errors.New("connection refused")}, onward.EUnavailable, onward.EUnavailable},
		"server error":        {answering{status: 503, body: `{"error": "no master"}`}, onward.EUnavailable, onward.EUnavailable},
		"too busy":            {answering{status: 429, body: `{"error": {"type": "es_rejected_execution_exception"}}`}, onward.EUnavailable, onward.EUnavailable},
		"refused":             {answering{status: 400, body: `{"error": {"type": "parsing_exception", "reason": "x"}}`}, onward.EInternal, onward.EInternal},
		"not JSON":            {answering{status: 200, body: `<html>`}, onward.EInternal, onward.EInternal},
		"an item is too busy": {answering{status: 200, body: item(429)}, "", onward.EUnavailable},
		"an item is refused":  {answering{status: 200, body: item(400)}, "", onward.EInternal},
		"a version conflict":  {answering{status: 200, body: item(409)}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ix, err := New(Config{Addresses: []string{"http://search.invalid:9200"}, Transport: test.answer})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ix.Rank(context.Background(), query); onward.CodeOf(err) != test.search {
				t.Errorf("Rank gives %v, want %q", err, test.search)
			}
			if err := ix.Put(context.Background(), entries); onward.CodeOf(err) != test.puts {
				t.Errorf("Put gives %v, want %q", err, test.puts)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ix, err := New(Config{Addresses: []string{"http://search.invalid:9200"}, Transport: answering{err: context.Canceled}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ix.Rank(ctx, query); !errors.Is(err, context.Canceled) || onward.CodeOf(err) == onward.EUnavailable {
		t.Errorf("a caller who gives up gets %v", err)
	}
	for _, address := range []string{"", "search:9200", "::"} {
		if _, err := New(Config{Addresses: []string{address}}); onward.CodeOf(err) != onward.EInvalid {
			t.Errorf("the address %q gives %v", address, err)
		}
	}
}
