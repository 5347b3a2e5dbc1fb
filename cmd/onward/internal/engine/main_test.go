package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"onward"
	"onward/internal/embedded"
	"onward/internal/reference"
	"onward/internal/testenv"
	"onward/migrations"
	"onward/store"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(processRole); role != "" {
		if embedded.RunKeeper() {
			return
		}
		if err := runProcess(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	testenv.Main(m, testenv.WithTemplate(prepare))
}

// prepare makes what each test's database is a copy of: all migrations and the built-in reference data, but for the
// places of other countries, which each start would read again.
func prepare(ctx context.Context, ownerURL string) (err error) {
	if _, err := migrations.Apply(ctx, ownerURL); err != nil {
		return err
	}
	loader, err := store.OpenLoader(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loader.Close()) }()
	places, err := reference.Places()
	if err != nil {
		return err
	}
	places = slices.DeleteFunc(places, func(p onward.Place) bool { return p.Country != "MX" })
	if err := loader.LoadPlaces(ctx, store.Release{Release: reference.GeoRelease}, places); err != nil {
		return err
	}
	return loadReference(ctx, ownerURL, func(string) {})
}
