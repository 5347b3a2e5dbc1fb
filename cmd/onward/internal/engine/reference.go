package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"onward"
	"onward/indexer/catalogue"
	"onward/internal/reference"
	"onward/matcher/destination"
	"onward/store"
)

// loadReference loads what the binary brings, unless this release of it is there already.
func loadReference(ctx context.Context, ownerURL string, progress func(string)) error {
	loader, err := store.OpenLoader(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer func() { _ = loader.Close() }()
	has, err := loader.Has(ctx, "places", reference.GeoRelease)
	if err != nil {
		return err
	}
	if !has {
		progress("Loading the cities of the world")
		places, err := reference.Places()
		if err != nil {
			return err
		}
		release := store.Release{Release: reference.GeoRelease, Name: "GeoNames cities of 15,000 and more", Source: "GeoNames, CC BY 4.0"}
		if err := loader.LoadPlaces(ctx, release, places); err != nil {
			return err
		}
	}
	starter, err := reference.Starter()
	if err != nil {
		return err
	}
	if has, err = loader.Has(ctx, "taxonomy", starter.Release); err != nil || has {
		return err
	}
	progress("Loading the starter taxonomy")
	return loader.LoadTaxonomy(ctx, starter, nil)
}

func readCatalogue(ctx context.Context, db *store.Store) (*catalogue.Catalogue, error) {
	places, err := db.Places(ctx)
	if err != nil {
		return nil, err
	}
	taxonomies, err := db.Taxonomies(ctx)
	if err != nil {
		return nil, err
	}
	fitted, err := fittedCoefficients(ctx, db)
	if err != nil {
		return nil, err
	}
	return catalogue.New(places, taxonomies, fitted...)
}

// fittedCoefficients are the active versions of all countries.
func fittedCoefficients(ctx context.Context, db *store.Store) ([]destination.Coefficients, error) {
	versions, err := db.DestinationVersions(ctx, "")
	if err != nil {
		return nil, err
	}
	var list []destination.Coefficients
	for _, v := range versions {
		if !v.Active {
			continue
		}
		var body destination.Version
		if err := json.Unmarshal(v.Body, &body); err != nil {
			return nil, fmt.Errorf("read the coefficients %s of %s: %w", v.Version, v.Country, err)
		}
		list = append(list, destination.NewCoefficients(v.Version, v.Country, body.Values))
	}
	return list, nil
}

// followReference takes over reference data that another process loads, and has the index worked out again: weights
// depend on the taxonomy.
func (e *Engine) followReference(ctx context.Context) error {
	notifications, err := e.Store.Listen(ctx, e.log, store.ChannelReference)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	for range notifications { // also after a lost connection: anything may have been loaded meanwhile
		if err := e.reloadReference(ctx); err != nil && ctx.Err() == nil {
			e.log.Error("new reference data could not be taken over; restart to try again", "error", err)
		}
	}
	return nil
}

// reloadReference takes over what is loaded now, until that succeeds.
func (e *Engine) reloadReference(ctx context.Context) error {
	for {
		err := e.takeOver(ctx)
		if err == nil && e.workers != nil && e.Index.Name() != "memory" {
			err = e.askRebuild(ctx)
		}
		if onward.CodeOf(err) != onward.EUnavailable {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartPause):
		}
	}
}

// takeOver works with the reference data that is loaded now, if that changed.
func (e *Engine) takeOver(ctx context.Context) error {
	e.taking.Lock()
	defer e.taking.Unlock()
	started := time.Now()
	loaded, err := e.loadedReleases(ctx)
	if err != nil || loaded == e.releases {
		return err
	}
	reference, err := readCatalogue(ctx, e.Store)
	if err != nil {
		return err
	}
	e.Catalogue.Replace(reference)
	if err := e.follower.Load(ctx); err != nil {
		return err
	}
	e.releases = loaded
	e.log.Info("took over new reference data", "taxonomy", reference.Taxonomy().Release(), "ms", time.Since(started).Milliseconds())
	return nil
}

// loadedReleases names all reference data in the database, and when it was loaded.
func (e *Engine) loadedReleases(ctx context.Context) (string, error) {
	list, err := e.Store.Releases(ctx)
	names := make([]string, len(list))
	for i, r := range list {
		names[i] = fmt.Sprintf("%s %s %d", r.Kind, r.Release, r.LoadedAt.UnixMicro())
	}
	return strings.Join(names, "+"), err
}
