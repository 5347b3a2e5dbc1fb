package engine

import (
	"context"
	"fmt"
	"os"
	"testing"

	"onward/internal/embedded"
	"onward/internal/testenv"
	"onward/migrations"
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

// prepare makes what each test's database is a copy of: all migrations and the built-in reference data.
func prepare(ctx context.Context, ownerURL string) error {
	if _, err := migrations.Apply(ctx, ownerURL); err != nil {
		return err
	}
	return loadReference(ctx, ownerURL, func(string) {})
}
