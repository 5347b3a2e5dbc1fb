package testenv

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"onward/internal/embedded"
)

// testHeap is plenty for what tests index.
const testHeap = "512m"

// Elasticsearch is the URL of a real Elasticsearch, without a slash at the end. All tests of the process share it, so
// name indices and aliases with IndexPrefix. The first call takes about eight seconds.
func Elasticsearch(t testing.TB) string {
	t.Helper()
	if address := os.Getenv("ELASTICSEARCH_URL"); address != "" {
		return strings.TrimRight(address, "/")
	}
	needSearchNode(t)
	node, err := env.search.get(func() (*embedded.SearchNode, error) {
		home, err := os.MkdirTemp("", "onward-test-search-")
		if err != nil {
			return nil, err
		}
		node, err := startSearchNode(home, 0)
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(home))
		}
		env.atEnd(func() {
			if err := errors.Join(node.Stop(), os.RemoveAll(home)); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		})
		return node, nil
	})
	if err != nil {
		t.Fatalf("no Elasticsearch for the test: %v", err)
	}
	return node.URL()
}

// IndexPrefix is a beginning for the names of the test's indices and aliases, which no other test has. Indices so named in
// the server of Elasticsearch(t) are removed when the test is done.
func IndexPrefix(t testing.TB) string {
	t.Helper()
	prefix := "test-" + strings.ToLower(rand.Text()) + "-"
	t.Cleanup(func() {
		address := strings.TrimRight(os.Getenv("ELASTICSEARCH_URL"), "/")
		if node, ok := env.search.peek(); ok && address == "" {
			address = node.URL()
		}
		if address == "" {
			return
		}
		if err := deleteIndices(address, prefix); err != nil {
			t.Errorf("remove the test's indices: %v", err)
		}
	})
	return prefix
}

// OwnElasticsearch gives the test a node of its own, to stop and start again. Each takes eight seconds to start.
func OwnElasticsearch(t testing.TB) *SearchServer {
	t.Helper()
	needSearchNode(t)
	home, err := os.MkdirTemp("", "onward-test-search-")
	if err != nil {
		t.Fatal(err)
	}
	server := &SearchServer{home: home}
	t.Cleanup(func() {
		if server.node != nil {
			_ = server.node.Stop()
		}
		_ = os.RemoveAll(home)
	})
	server.Start(t)
	return server
}

// SearchServer is a node of one test. What it holds survives Stop and Start.
type SearchServer struct {
	home string
	port int
	node *embedded.SearchNode
}

// URL of the node, without a slash at the end. It stays the same over Stop and Start.
func (s *SearchServer) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", s.port) }

// Stop ends the node, as in an outage.
func (s *SearchServer) Stop(t testing.TB) {
	t.Helper()
	if err := s.node.Stop(); err != nil {
		t.Fatal(err)
	}
}

// Start runs a stopped node again.
func (s *SearchServer) Start(t testing.TB) {
	t.Helper()
	node, err := startSearchNode(s.home, s.port)
	if err != nil {
		t.Fatalf("no Elasticsearch for the test: %v", err)
	}
	s.node, s.port = node, node.Port()
}

func startSearchNode(home string, port int) (*embedded.SearchNode, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	return embedded.StartSearchNode(ctx, embedded.SearchNodeConfig{
		Home: filepath.Join(home, "node"), Port: port, Heap: testHeap, QuickStart: true, Logger: quiet(), Progress: tell,
	})
}

func needSearchNode(t testing.TB) {
	t.Helper()
	if err := embedded.SearchNodeRunnable(); err != nil {
		Missing(t, "elasticsearch", err.Error())
	}
}

// deleteIndices asks for the names first, because the server deletes nothing by pattern.
func deleteIndices(address, prefix string) error {
	client := &http.Client{Timeout: stepLimit}
	response, err := client.Get(address + "/_cat/indices/" + prefix + "*?h=index&format=json&expand_wildcards=all")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var indices []struct{ Index string }
	if err := json.NewDecoder(response.Body).Decode(&indices); err != nil {
		return fmt.Errorf("list the indices: %w", err)
	}
	for _, index := range indices {
		request, err := http.NewRequest(http.MethodDelete, address+"/"+index.Index, nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		if answer.StatusCode >= http.StatusBadRequest && answer.StatusCode != http.StatusNotFound {
			return fmt.Errorf("delete %s: %s", index.Index, answer.Status)
		}
	}
	return nil
}
