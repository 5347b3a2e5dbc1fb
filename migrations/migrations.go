// Package migrations holds the numbered SQL that builds the database, and applies it.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "github.com/lib/pq" // the driver that Apply opens
	"github.com/pressly/goose/v3"

	"onward"
)

//go:embed *.sql
var files embed.FS

// Status says what a database has and what this binary knows.
type Status struct {
	Database int64 // the newest migration applied
	Binary   int64 // the newest migration embedded
}

// open reads the URL; it connects at the first statement.
func open(address string) (*sql.DB, error) {
	if _, err := url.Parse(address); err != nil {
		// The URL holds a password, which the error would repeat.
		return nil, onward.Errorf(onward.EInvalid, "the database URL of the owner must have the form postgres://user:password@host:port/database")
	}
	db, err := sql.Open("postgres", address)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// Apply brings the database up to this binary, one process at a time (an advisory lock), each migration in its own
// transaction. It needs a login that owns the schema and may create a role. EConflict when the database is newer than
// the binary: an old binary must not write to it.
func Apply(ctx context.Context, address string) (Status, error) {
	version, err := Newest()
	if err != nil {
		return Status{}, err
	}
	return ApplyTo(ctx, address, version)
}

// ApplyTo brings the database up to an earlier migration, as Apply does: to what a backup was made of.
func ApplyTo(ctx context.Context, address string, version int64) (Status, error) {
	db, err := open(address)
	if err != nil {
		return Status{}, err
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return Status{}, fmt.Errorf("read migrations: %w", err)
	}
	if status, err := statusOf(ctx, db); err != nil || status.Database >= version {
		return status, err // the usual start: nothing to do, no lock to wait for
	}
	unlock, err := lock(ctx, db)
	if err != nil {
		return Status{}, err
	}
	defer unlock()
	// Again, now that nobody else migrates.
	status, err := statusOf(ctx, db)
	if err != nil {
		return status, err
	}
	if _, err := provider.UpTo(ctx, version); err != nil {
		return status, fmt.Errorf("migrate: %w", err)
	}
	return statusOf(ctx, db)
}

// Check reads the status without changing anything. EConflict as in Apply, with the status.
func Check(ctx context.Context, address string) (Status, error) {
	db, err := open(address)
	if err != nil {
		return Status{}, err
	}
	defer func() { _ = db.Close() }()
	return statusOf(ctx, db)
}

const (
	lockID   = 0x4f6e77617264 // "Onward"
	lockWait = 90 * time.Second
	lockPoll = 50 * time.Millisecond
)

// lock waits until no other process migrates. It asks again and again instead of waiting inside Postgres, because a
// waiting statement keeps its snapshot, and CREATE INDEX CONCURRENTLY in a migration would wait for that.
func lock(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock migrations: %w", err)
	}
	for {
		var locked bool
		if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, lockID).Scan(&locked); err != nil {
			return nil, errors.Join(fmt.Errorf("lock migrations: %w", err), conn.Close())
		}
		if locked {
			// The lock ends with its session; returned to the pool, that ends with db.Close.
			return func() { _ = conn.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(onward.Errorf(onward.EUnavailable, "another process has been migrating the database for long; try again when it is done"), conn.Close())
		case <-time.After(lockPoll):
		}
	}
}

// statusOf asks without goose, which would make its table where there is none.
func statusOf(ctx context.Context, db *sql.DB) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	status, err := Status{}, error(nil)
	if status.Binary, err = Newest(); err != nil {
		return status, err
	}
	var migrated bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&migrated); err != nil {
		return status, fmt.Errorf("read migration status: %w", err)
	}
	if !migrated {
		return status, nil
	}
	if err := db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&status.Database); err != nil {
		return status, fmt.Errorf("read migration status: %w", err)
	}
	if status.Database > status.Binary {
		return status, onward.Errorf(onward.EConflict, "the database has migration %d and this binary knows %d at most; run a newer onward", status.Database, status.Binary)
	}
	return status, nil
}

// Newest is the number of the last embedded migration.
func Newest() (int64, error) {
	entries, err := files.ReadDir(".")
	if err != nil || len(entries) == 0 {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	version, err := goose.NumericComponent(entries[len(entries)-1].Name())
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	return version, nil
}
