// Package migrations holds the numbered SQL that builds the database, and applies it.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"time"

	_ "github.com/lib/pq" // the driver that Apply opens
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"onward"
)

//go:embed *.sql
var files embed.FS

// Status says what a database has and what this binary knows.
type Status struct {
	Database int64 // the newest migration applied
	Binary   int64 // the newest migration embedded
}

// Apply brings the database up to this binary, one process at a time (an advisory lock), each migration in its own
// transaction. It needs a login that owns the schema and may create a role. EConflict when the database is newer than
// the binary: an old binary must not write to it.
func Apply(ctx context.Context, url string) (Status, error) {
	var status Status
	err := withProvider(url, func(p *goose.Provider) error {
		var err error
		if status, err = statusOf(ctx, p); err != nil {
			return err
		}
		if status.Database > status.Binary {
			return onward.Errorf(onward.EConflict, "the database has migration %d and this binary knows %d at most; run a newer onward", status.Database, status.Binary)
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		status.Database = status.Binary
		return nil
	})
	return status, err
}

// Check reads the status without changing anything.
func Check(ctx context.Context, url string) (Status, error) {
	var status Status
	err := withProvider(url, func(p *goose.Provider) (err error) {
		status, err = statusOf(ctx, p)
		return err
	})
	return status, err
}

func withProvider(url string, use func(*goose.Provider) error) error {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = db.Close() }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return use(provider)
}

func statusOf(ctx context.Context, p *goose.Provider) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	current, err := p.GetDBVersion(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("read migration status: %w", err)
	}
	sources := p.ListSources()
	return Status{Database: current, Binary: sources[len(sources)-1].Version}, nil
}
