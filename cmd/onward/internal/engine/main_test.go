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
	"onward/store/vault"
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
	// All processes of a test have the same keys.
	keys, err := vault.New()
	if err != nil {
		panic(err)
	}
	text, err := keys.Marshal()
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("ONWARD_TEST_KEYS", string(text))
	_ = os.Setenv("ONWARD_KEYS", testKeys)
	_ = os.Setenv("ONWARD_RATE_LIMIT", "-1") // flows ask as fast as they can
	testenv.Main(m, testenv.WithTemplate(prepare))
}

// testKeys is where they are.
const testKeys = "env:ONWARD_TEST_KEYS"

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
