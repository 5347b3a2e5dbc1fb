package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"onward"
	"onward/indexer"
)

// cleanUpLimit bounds the removal of what a failed rebuild leaves, when the caller's own time may be over.
const cleanUpLimit = 10 * time.Second

// missing is what a search does about an index that is not there. On first use it is created, and has no answers. One
// that was there has been wiped: an empty list would be wrong, so the search fails until Ping, a write or a
// reconciliation has created it.
func (ix *Index) missing(ctx context.Context) error {
	if ix.seen.Load() {
		return onward.Errorf(onward.EUnavailable, "the search index is gone and has to be filled again").Because(errGone)
	}
	return ix.ensure(ctx)
}

// ensure creates the index when it is not there, and sets right an alias that stands for two.
func (ix *Index) ensure(ctx context.Context) error {
	ix.creating.Lock()
	defer ix.creating.Unlock()
	holders, err := ix.holders(ctx)
	if err != nil {
		return fmt.Errorf("create the index: %w", err)
	}
	if len(holders) == 0 {
		// Two processes that create it at once choose the same name, so that only one succeeds.
		first := ix.alias + "-0"
		err = ix.create(ctx, first, settings(), ix.alias)
		var refusal *serverError
		if errors.As(err, &refusal) && refusal.Type == alreadyExists {
			err = ix.updateAliases(ctx, object{"add": object{"index": first, "alias": ix.alias}})
		}
		if err != nil {
			return fmt.Errorf("create the index: %w", err)
		}
		ix.onCreate()
	}
	if len(holders) > 1 { // a rebuild ended while another process created one: the rebuilt one is right, and sorts last
		var actions []object
		for _, holder := range holders[:len(holders)-1] {
			actions = append(actions, object{"remove_index": object{"index": holder}})
		}
		if err := ix.updateAliases(ctx, actions...); err != nil {
			return fmt.Errorf("set the alias right: %w", err)
		}
	}
	ix.seen.Store(true)
	return nil
}

func (ix *Index) create(ctx context.Context, name string, settings object, alias string) error {
	body, err := jsonBody(object{
		"settings": object{"index": settings}, "mappings": mapping(), "aliases": object{alias: object{}},
	})
	if err != nil {
		return err
	}
	return ix.do(ctx, esapi.IndicesCreateRequest{Index: name, Body: body}, nil)
}

// holders are the indices that the alias stands for, in order of their names.
func (ix *Index) holders(ctx context.Context) ([]string, error) {
	var answer map[string]struct {
		Aliases object `json:"aliases"`
	}
	// Asking for the indices that have the alias, rather than for the alias, makes none an empty answer and not a 404.
	err := ix.do(ctx, esapi.IndicesGetAliasRequest{Index: []string{ix.alias + "-*"}, AllowNoIndices: is(true)}, &answer)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(answer, func(_ string, index struct {
		Aliases object `json:"aliases"`
	},
	) bool {
		_, ok := index.Aliases[ix.alias]
		return !ok
	})
	return slices.Sorted(maps.Keys(answer)), nil
}

func (ix *Index) updateAliases(ctx context.Context, actions ...object) error {
	body, err := jsonBody(object{"actions": actions})
	if err != nil {
		return err
	}
	return ix.do(ctx, esapi.IndicesUpdateAliasesRequest{Body: body}, nil)
}

// Outdated says that the live index was made by a release with another mapping, and should be rebuilt.
func (ix *Index) Outdated(ctx context.Context) (bool, error) {
	var answer map[string]struct {
		Mappings struct {
			Meta struct {
				Fingerprint string `json:"fingerprint"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	err := ix.do(ctx, esapi.IndicesGetMappingRequest{Index: []string{ix.alias}}, &answer)
	if errors.Is(err, errGone) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read the mapping: %w", err)
	}
	meta, _ := mapping()["_meta"].(object)
	for _, index := range answer {
		if index.Mappings.Meta.Fingerprint != meta["fingerprint"] {
			return true, nil
		}
	}
	return false, nil
}

// Rebuild fills a new index beside the live one and swaps the alias in one step; see indexer.Index. When it fails the new
// index is removed; when the process dies, a later Rebuild removes it.
func (ix *Index) Rebuild(ctx context.Context, fill func(put func([]indexer.Entry) error) error) error {
	if err := ix.removeLeftovers(ctx); err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	id := onward.NewID().String()
	name := fmt.Sprintf("%s-%d-%s", ix.alias, time.Now().UnixMilli(), id[len(id)-8:])
	// Written to through an alias, so that the server never makes one up when somebody deletes it meanwhile.
	building := name + "-building"
	err := ix.create(ctx, name, buildSettings(), building)
	if err == nil {
		err = fill(func(entries []indexer.Entry) error { return ix.put(ctx, building, entries) })
	}
	if err == nil {
		err = ix.goLive(ctx, name, building)
	}
	if err == nil {
		ix.seen.Store(true)
		return nil
	}
	err = fmt.Errorf("rebuild: %w", err)
	cleanUp, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpLimit)
	defer cancel()
	if cleanUpErr := ix.removeUnlessLive(cleanUp, name); cleanUpErr != nil {
		return errors.Join(err, cleanUpErr)
	}
	return err
}

// goLive makes a filled index searchable and puts it in the place of the live one.
func (ix *Index) goLive(ctx context.Context, name, building string) error {
	live := settings()
	body, err := jsonBody(object{"index": object{
		"refresh_interval": live["refresh_interval"], "auto_expand_replicas": live["auto_expand_replicas"],
	}})
	if err != nil {
		return err
	}
	if err := ix.do(ctx, esapi.IndicesPutSettingsRequest{Index: []string{name}, Body: body}, nil); err != nil {
		return err
	}
	if err := ix.do(ctx, esapi.IndicesRefreshRequest{Index: []string{name}}, nil); err != nil {
		return err
	}
	holders, err := ix.holders(ctx)
	if err != nil {
		return err
	}
	actions := []object{
		{"add": object{"index": name, "alias": ix.alias}},
		{"remove": object{"index": name, "alias": building}},
	}
	for _, holder := range holders {
		actions = append(actions, object{"remove_index": object{"index": holder}})
	}
	return ix.updateAliases(ctx, actions...)
}

// removeUnlessLive removes an index. A swap whose answer was lost may have happened: then the index stays.
func (ix *Index) removeUnlessLive(ctx context.Context, name string) error {
	holders, err := ix.holders(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(holders, name) {
		return nil
	}
	err = ix.do(ctx, esapi.IndicesDeleteRequest{Index: []string{name}}, nil)
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// removeLeftovers removes what rebuilds have left that were killed.
func (ix *Index) removeLeftovers(ctx context.Context) error {
	var indices []struct {
		Name    string `json:"index"`
		Created string `json:"creation.date"`
	}
	err := ix.do(ctx, esapi.CatIndicesRequest{
		Index: []string{ix.alias + "-*"}, H: []string{"index", "creation.date"}, Format: "json",
	}, &indices)
	if err != nil {
		return err
	}
	ours := regexp.MustCompile(`^` + regexp.QuoteMeta(ix.alias) + `-(0|\d{13}-[0-9a-f]{8})$`)
	for _, index := range indices {
		created, err := strconv.ParseInt(index.Created, 10, 64)
		if err != nil || !ours.MatchString(index.Name) || time.Since(time.UnixMilli(created)) < ix.leftoverAge {
			continue
		}
		if err := ix.removeUnlessLive(ctx, index.Name); err != nil {
			return err
		}
	}
	return nil
}
