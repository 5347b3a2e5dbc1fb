package elastic

import (
	"testing"

	"onward/indexer"
	"onward/indexer/indextest"
	"onward/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// newIndex makes an index on the test's server.
func newIndex(t testing.TB, changes ...func(*Config)) *Index {
	t.Helper()
	config := Config{Addresses: []string{testenv.Elasticsearch(t)}, Prefix: testenv.IndexPrefix(t)}
	for _, change := range changes {
		change(&config)
	}
	ix, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func TestElasticIndexPassesTheSuite(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t *testing.T) indexer.Index { return newIndex(t) }, indextest.Options{Tolerance: 1e-5})
}
