package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"onward"
	"onward/indexer"
)

const (
	versionsPage = 10_000
	pointInTime  = "2m"
)

// Versions streams what was there at its beginning, as of the last refresh. An index that is not there is created, and
// streams nothing, so that a reconciliation fills it.
func (ix *Index) Versions(ctx context.Context, each func(indexer.Ref) error) error {
	var opened struct {
		ID string `json:"id"`
	}
	err := ix.do(ctx, esapi.OpenPointInTimeRequest{Index: []string{ix.alias}, KeepAlive: pointInTime}, &opened)
	if errors.Is(err, errGone) {
		return ix.ensure(ctx)
	} else if err != nil {
		return fmt.Errorf("open point in time: %w", err)
	}
	pit := opened.ID
	defer func() { ix.closePointInTime(ctx, pit) }()
	var after json.RawMessage
	for {
		page, err := ix.versionsPage(ctx, pit, after)
		if err != nil {
			return fmt.Errorf("list versions: %w", err)
		}
		pit = page.PitID
		for _, hit := range page.Hits.Hits {
			if len(hit.Fields.ID) != 1 || len(hit.Fields.Version) != 1 {
				return onward.Errorf(onward.EInternal, "an opening in the index has no id or version")
			}
			if err := each(indexer.Ref{ID: hit.Fields.ID[0], Version: hit.Fields.Version[0]}); err != nil {
				return err
			}
			after = hit.Sort
		}
		if len(page.Hits.Hits) < versionsPage {
			return nil
		}
	}
}

type versionsAnswer struct {
	PitID string `json:"pit_id"`
	Hits  struct {
		Hits []struct {
			Fields struct {
				ID      []onward.ID `json:"id"`
				Version []int64     `json:"version"`
			} `json:"fields"`
			Sort json.RawMessage `json:"sort"`
		} `json:"hits"`
	} `json:"hits"`
}

func (ix *Index) versionsPage(ctx context.Context, pit string, after json.RawMessage) (*versionsAnswer, error) {
	query := object{
		"size": versionsPage, "track_total_hits": false, "_source": false,
		"docvalue_fields": []string{"id", "version"},
		"pit":             object{"id": pit, "keep_alive": pointInTime},
		"sort":            []object{{"_shard_doc": "asc"}},
	}
	if after != nil {
		query["search_after"] = after
	}
	body, err := jsonBody(query)
	if err != nil {
		return nil, err
	}
	var page versionsAnswer
	err = ix.do(ctx, esapi.SearchRequest{
		Body: body, AllowPartialSearchResults: is(false),
		FilterPath: []string{"pit_id", "hits.hits.fields", "hits.hits.sort"},
	}, &page)
	return &page, err
}

func (ix *Index) closePointInTime(ctx context.Context, pit string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	body, err := jsonBody(object{"id": pit})
	if err == nil {
		// If this fails the server closes it by itself after the keep-alive.
		_ = ix.do(ctx, esapi.ClosePointInTimeRequest{Body: body}, nil)
	}
}
