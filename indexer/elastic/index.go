// Package elastic is the index in Elasticsearch: an alias over versioned indices, filled by bulk requests with external
// versions, ranked by one query.
//
// It uses the official client's request types (esapi) and transport. The client package that ties the two together is
// left out, because it brings the typed API along (850 packages to compile) and asks the server who it is, which the
// development node can't answer.
package elastic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"onward"
	"onward/indexer"
)

// Config says where the index is.
type Config struct {
	// Addresses of the nodes, such as "https://user:password@search:9200".
	Addresses []string
	// APIKey is used instead of a user and password, when set.
	APIKey string
	// Prefix goes before the alias "opportunities", so that several installations or tests share a server.
	Prefix string
	// LeftoverAge is how old an index must be that a rebuild has left behind before the next one deletes it: longer
	// than a rebuild takes, because another process may be at it. Default one hour; negative: any age.
	LeftoverAge time.Duration
	// OnCreate is called when the index was not there and has been created, empty: the time to reconcile. May be nil.
	OnCreate func()
	// Transport carries the requests. Default: one that keeps connections alive.
	Transport http.RoundTripper
}

// Index implements indexer.Index.
type Index struct {
	transport   esapi.Transport
	alias       string
	leftoverAge time.Duration
	onCreate    func()

	creating sync.Mutex
	// seen: the alias was there once, so that its absence means that somebody wiped it.
	seen atomic.Bool
}

var _ indexer.Index = (*Index)(nil)

// New makes an index. It asks the server nothing yet; EInvalid when an address can't be read.
func New(config Config) (*Index, error) {
	addresses := make([]*url.URL, 0, len(config.Addresses))
	for _, address := range config.Addresses {
		u, err := url.Parse(strings.TrimRight(address, "/"))
		if err != nil || u.Host == "" {
			return nil, onward.Errorf(onward.EInvalid, "the address of Elasticsearch has the form http://host:9200")
		}
		addresses = append(addresses, u)
	}
	if len(addresses) == 0 {
		return nil, onward.Errorf(onward.EInvalid, "name at least one address of Elasticsearch")
	}
	if config.Transport == nil {
		config.Transport = newTransport()
	}
	if config.LeftoverAge == 0 {
		config.LeftoverAge = time.Hour
	}
	if config.OnCreate == nil {
		config.OnCreate = func() {}
	}
	options := []elastictransport.Option{
		elastictransport.WithURLs(addresses...), elastictransport.WithTransport(config.Transport),
		// A search that fails is answered by the memory index, sooner than a retry; writes are retried by their task.
		elastictransport.WithDisableRetry(),
	}
	if config.APIKey != "" {
		options = append(options, elastictransport.WithAPIKey(config.APIKey))
	}
	transport, err := elastictransport.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("elasticsearch client: %w", err)
	}
	return &Index{
		transport: transport, alias: config.Prefix + "opportunities",
		leftoverAge: config.LeftoverAge, onCreate: config.OnCreate,
	}, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second,
	}
}

// Name is "elasticsearch".
func (ix *Index) Name() string { return "elasticsearch" }

// Ping says whether the index can answer. An index that is not there is created, empty.
func (ix *Index) Ping(ctx context.Context) error {
	if _, err := ix.Count(ctx); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// Count is how many openings the index holds, as of its last refresh.
func (ix *Index) Count(ctx context.Context) (int, error) {
	var answer struct {
		Count int `json:"count"`
	}
	err := ix.do(ctx, esapi.CountRequest{Index: []string{ix.alias}}, &answer)
	if errors.Is(err, errGone) {
		return 0, ix.ensure(ctx)
	} else if err != nil {
		return 0, fmt.Errorf("count openings: %w", err)
	}
	ix.seen.Store(true)
	return answer.Count, nil
}

// Refresh makes all that was written visible to searches now, rather than within refreshInterval.
func (ix *Index) Refresh(ctx context.Context) error {
	err := ix.do(ctx, esapi.IndicesRefreshRequest{Index: []string{ix.alias}}, nil)
	if errors.Is(err, errGone) {
		return ix.ensure(ctx)
	} else if err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	return nil
}
