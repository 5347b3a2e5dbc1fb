package engine

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"onward/internal/embedded"
)

func (e *Engine) startPostgres(ctx context.Context) error {
	postgres, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{
		DataDir: filepath.Join(e.config.DataDir, "postgres"), Parameters: e.config.PostgresParameters, Logger: e.log, Progress: e.config.Progress,
	})
	if err != nil {
		return err
	}
	e.postgres = postgres
	e.ownerURL = postgres.AdminDSN()
	e.atStop(postgres.Stop)
	return nil
}

func (e *Engine) startSearchNode(ctx context.Context) error {
	node, err := embedded.StartSearchNode(ctx, embedded.SearchNodeConfig{
		Home: filepath.Join(e.config.DataDir, "search-node"), Logger: e.log, Progress: e.config.Progress,
	})
	if err != nil {
		return err
	}
	e.node = node
	e.atStop(func(context.Context) error { return node.Stop() })
	return nil
}

// login is who the application is on an embedded Postgres.
const login = "onward_login"

// ensureLogin makes the login of an embedded Postgres, with a new password at every start, so that the application
// never holds the superuser's connection.
func (e *Engine) ensureLogin(ctx context.Context) error {
	if e.postgres == nil {
		return nil
	}
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
	password := hex.EncodeToString(random[:])
	db, err := sql.Open("postgres", e.ownerURL)
	if err != nil {
		return fmt.Errorf("make the login: %w", err)
	}
	defer func() { _ = db.Close() }()
	// Role statements take no parameters; both words are our own: a constant, and hexadecimal digits.
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`DO $$ BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') THEN
				CREATE ROLE %[1]s LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
				GRANT onward_app TO %[1]s;
			END IF;
			ALTER ROLE %[1]s PASSWORD '%[2]s';
		END $$`, login, password)); err != nil {
		return fmt.Errorf("make the login: %w", err)
	}
	u, err := url.Parse(e.ownerURL)
	if err != nil {
		return fmt.Errorf("make the login: %w", err)
	}
	u.User = url.UserPassword(login, password)
	e.databaseURL = u.String()
	return nil
}

// watch stops the engine when its Postgres is gone for good.
func (e *Engine) watch() {
	if e.postgres == nil {
		return
	}
	go func() {
		<-e.postgres.Done()
		if err := e.postgres.Err(); err != nil {
			e.log.Error("Postgres ended and could not be started again; stop and start Onward", "error", err)
		}
	}()
}

// partLimit is how long one part may take to say how it is.
const partLimit = 2 * time.Second
