package engine

import (
	"context"
	"testing"

	"onward/internal/testenv"
	"onward/migrations"
)

func TestMain(m *testing.M) {
	testenv.Main(m, testenv.WithTemplate(prepare))
}

// prepare makes what each test's database is a copy of: all migrations and the built-in reference data.
func prepare(ctx context.Context, ownerURL string) error {
	if _, err := migrations.Apply(ctx, ownerURL); err != nil {
		return err
	}
	return loadReference(ctx, ownerURL, func(string) {})
}
