package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"onward"
	"onward/indexer"
)

// bulkBytes is how large a bulk request grows: large enough to pay for the trip, small enough to be retried.
const bulkBytes = 5 << 20

// Put adds or replaces entries; see indexer.Index. They are visible to searches within refreshInterval. When some could
// not be written the error wraps an *indexer.PartialError that names them; the others are written.
func (ix *Index) Put(ctx context.Context, entries []indexer.Entry) error {
	if err := ix.put(ctx, ix.alias, entries); err != nil {
		return fmt.Errorf("put %d openings: %w", len(entries), err)
	}
	return nil
}

func (ix *Index) put(ctx context.Context, target string, entries []indexer.Entry) error {
	b := ix.newBulk(target)
	for i := range entries {
		e := &entries[i]
		if err := b.add(ctx, "index", indexer.Ref{ID: e.ID, Version: e.Version}, documentOf(e)); err != nil {
			return err
		}
	}
	return b.finish(ctx)
}

// Delete removes openings; see indexer.Index and Put.
func (ix *Index) Delete(ctx context.Context, refs []indexer.Ref) error {
	b := ix.newBulk(ix.alias)
	for _, ref := range refs {
		if err := b.add(ctx, "delete", ref, nil); err != nil {
			return fmt.Errorf("delete %d openings: %w", len(refs), err)
		}
	}
	if err := b.finish(ctx); err != nil {
		return fmt.Errorf("delete %d openings: %w", len(refs), err)
	}
	return nil
}

// bulk collects operations and sends them in requests of bulkBytes.
type bulk struct {
	index   *Index
	target  string
	body    bytes.Buffer
	encoder *json.Encoder
	partial indexer.PartialError
	busy    bool
}

func (ix *Index) newBulk(target string) *bulk {
	b := &bulk{index: ix, target: target}
	b.encoder = json.NewEncoder(&b.body)
	b.encoder.SetEscapeHTML(false)
	return b
}

type bulkAction struct {
	ID          onward.ID `json:"_id"`
	Version     int64     `json:"version"`
	VersionType string    `json:"version_type"`
}

func (b *bulk) add(ctx context.Context, action string, ref indexer.Ref, source any) error {
	line := map[string]bulkAction{action: {ID: ref.ID, Version: ref.Version, VersionType: "external"}}
	if err := b.encoder.Encode(line); err != nil {
		return fmt.Errorf("encode opening: %w", err)
	}
	if source != nil {
		if err := b.encoder.Encode(source); err != nil {
			return fmt.Errorf("encode opening %s: %w", ref.ID, err)
		}
	}
	if b.body.Len() < bulkBytes {
		return nil
	}
	return b.flush(ctx)
}

func (b *bulk) finish(ctx context.Context) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	if len(b.partial.Items) == 0 {
		return nil
	}
	if b.busy {
		return onward.Errorf(onward.EUnavailable, "Elasticsearch is too busy to index everything").Because(&b.partial)
	}
	return onward.Errorf(onward.EInternal, "Elasticsearch refused to index some openings").Because(&b.partial)
}

// flush sends what is collected. An index that is gone is created and the request sent once more: without the alias the
// server writes nothing (require_alias), so that it never makes up an index of its own.
func (b *bulk) flush(ctx context.Context) error {
	if b.body.Len() == 0 {
		return nil
	}
	defer b.body.Reset()
	failed, err := b.send(ctx)
	if err == nil && b.target == b.index.alias && needsIndex(failed) {
		if err = b.index.ensure(ctx); err == nil {
			failed, err = b.send(ctx)
		}
	}
	if err != nil {
		return err
	}
	for _, item := range failed {
		if busy(item.Status) {
			b.busy = true
		}
		b.partial.Items = append(b.partial.Items, indexer.ItemError{ID: item.ID, Reason: item.Error.Type + ": " + item.Error.Reason})
	}
	return nil
}

// bulkItem is the server's answer to one operation.
type bulkItem struct {
	ID     onward.ID `json:"_id"`
	Status int       `json:"status"`
	Error  struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"error"`
}

// needsIndex says that the alias is missing, or stands for two indices and must be set right.
func needsIndex(failed []bulkItem) bool {
	return len(failed) > 0 && (failed[0].Error.Type == indexNotFound || strings.Contains(failed[0].Error.Reason, "no write index"))
}

// send sends the body and returns the operations that failed. A conflict of versions is not a failure: it says that the
// index has seen this version or a newer one. Nor is the deletion of what is not there: the version is remembered.
func (b *bulk) send(ctx context.Context) ([]bulkItem, error) {
	var answer struct {
		Errors bool                  `json:"errors"`
		Items  []map[string]bulkItem `json:"items"`
	}
	err := b.index.do(ctx, esapi.BulkRequest{
		Index: b.target, Body: bytes.NewReader(b.body.Bytes()), RequireAlias: is(true),
		FilterPath: []string{"errors", "items.*._id", "items.*.status", "items.*.error.type", "items.*.error.reason"},
	}, &answer)
	if errors.Is(err, errGone) {
		gone := bulkItem{Status: http.StatusNotFound}
		gone.Error.Type = indexNotFound
		return []bulkItem{gone}, nil
	}
	if err != nil || !answer.Errors {
		return nil, err
	}
	var failed []bulkItem
	for _, item := range answer.Items {
		for _, result := range item {
			if result.Error.Type != "" && result.Status != http.StatusConflict {
				failed = append(failed, result)
			}
		}
	}
	return failed, nil
}
