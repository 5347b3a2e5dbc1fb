package reference_test

import (
	"context"
	"testing"

	"onward/internal/testenv"
	"onward/migrations"
)

func TestMain(m *testing.M) {
	testenv.Main(m, testenv.WithTemplate(func(ctx context.Context, url string) error {
		_, err := migrations.Apply(ctx, url)
		return err
	}))
}
