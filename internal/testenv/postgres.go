package testenv

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/lib/pq" // the driver

	"onward/internal/embedded"
)

const (
	// loginRole is who the application is in tests: no superuser, so row-level security holds for it.
	loginRole = "onward_login"
	// Every test process sharing a server must find the same password; it guards test data only.
	loginPassword = "onward-login-in-tests"
	// applicationRole is the role that migrations grant rights to.
	applicationRole = "onward_app"
	// rolesLock keeps test processes that share a server from making the same roles at once.
	rolesLock = 4_715_662_013
)

// fastParameters trade durability for speed. Nothing is lost when the server's processes are killed, except for the last
// moments of asynchronous commits, which OwnPostgres therefore turns off.
var fastParameters = map[string]string{
	"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
	"shared_buffers": "64MB", "max_connections": "200", "max_wal_size": "2GB", "autovacuum": "off",
}

// Database is one test's own database.
type Database struct {
	Name     string
	AdminDSN string // as the superuser, who owns it; not bound by row-level security
	AppDSN   string // as onward_login, a member of onward_app if the migrations made that role; bound by it
}

// databaseServer makes databases on one server.
type databaseServer struct {
	address  *url.URL // of an administrator
	admin    *sql.DB
	template string // empty when there is nothing to copy
}

// Postgres gives the test a database of its own, a copy of the template, and drops it when the test is done.
func Postgres(t testing.TB) Database {
	t.Helper()
	server, err := env.postgres.get(startSharedPostgres)
	if err != nil {
		t.Fatalf("no Postgres for the test: %v", err)
	}
	database, err := server.create(t.Context())
	if err != nil {
		t.Fatalf("no database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := server.drop(database.Name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return database
}

// OwnPostgres gives the test a server of its own, with a database as from Postgres, to kill (PID) and watch. A commit
// that was answered survives the death of the server's processes.
func OwnPostgres(t testing.TB) (Database, *embedded.Postgres) {
	t.Helper()
	parameters := map[string]string{}
	for name, value := range fastParameters {
		parameters[name] = value
	}
	parameters["synchronous_commit"] = "on"
	postgres, stop, err := startEmbeddedPostgres(parameters)
	if err != nil {
		t.Fatalf("no Postgres for the test: %v", err)
	}
	t.Cleanup(stop)
	server, err := newDatabaseServer(postgres.AdminDSN(), env.migrate)
	if err != nil {
		t.Fatalf("no Postgres for the test: %v", err)
	}
	t.Cleanup(func() { _ = server.admin.Close() })
	database, err := server.create(t.Context())
	if err != nil {
		t.Fatalf("no database for the test: %v", err)
	}
	return database, postgres
}

func startSharedPostgres() (*databaseServer, error) {
	dsn := os.Getenv("DATABASE_URL")
	if dsn == "" {
		postgres, stop, err := startEmbeddedPostgres(fastParameters)
		if err != nil {
			return nil, err
		}
		env.atEnd(stop)
		dsn = postgres.AdminDSN()
	}
	server, err := newDatabaseServer(dsn, env.migrate)
	if err != nil {
		return nil, err
	}
	env.atEnd(func() {
		_ = server.drop(server.template) // a left-over does no harm
		_ = server.admin.Close()
	})
	return server, nil
}

func startEmbeddedPostgres(parameters map[string]string) (*embedded.Postgres, func(), error) {
	dir, err := TempDir()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	postgres, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{
		DataDir: dir, Parameters: parameters, Ephemeral: true, Logger: quiet(), Progress: tell,
	})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return postgres, func() {
		ctx, cancel := context.WithTimeout(context.Background(), stepLimit)
		defer cancel()
		if err := postgres.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		_ = os.RemoveAll(dir) // the server has done so already, unless it was killed
	}, nil
}

// TempDir makes a directory that the user that Postgres runs as may enter, which t.TempDir doesn't when tests run as
// root. An embedded server with Ephemeral removes it; anyone else must.
func TempDir() (string, error) {
	dir, err := os.MkdirTemp("", "onward-test-")
	if err != nil {
		return "", fmt.Errorf("make a directory for the server: %w", err)
	}
	return dir, nil
}

func newDatabaseServer(adminDSN string, migrate func(context.Context, string) error) (*databaseServer, error) {
	address, err := url.Parse(adminDSN)
	if err != nil || address.Host == "" {
		return nil, errors.New("the address of the test database must be a URL, postgres://user:password@host:port/database")
	}
	admin, err := sql.Open("postgres", adminDSN)
	if err != nil {
		return nil, fmt.Errorf("open the test server: %w", err)
	}
	admin.SetMaxOpenConns(4)
	server := &databaseServer{address: address, admin: admin}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	if err := server.makeTemplate(ctx, migrate); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	return server, nil
}

func (s *databaseServer) makeTemplate(ctx context.Context, migrate func(context.Context, string) error) error {
	s.template = newName("template")
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+s.template); err != nil {
		return fmt.Errorf("create the template (DATABASE_URL must be an administrator's): %w", err)
	}
	// Roles belong to the whole server.
	connection, err := s.admin.Conn(ctx)
	if err != nil {
		return fmt.Errorf("prepare the template: %w", err)
	}
	defer connection.Close()
	if _, err := connection.ExecContext(ctx, "SELECT pg_advisory_lock($1)", rolesLock); err != nil {
		return fmt.Errorf("prepare the template: %w", err)
	}
	if migrate != nil {
		if err := migrate(ctx, s.dsn(s.address.User, s.template)); err != nil {
			return fmt.Errorf("migrate the template: %w", err)
		}
	}
	if _, err := connection.ExecContext(ctx, fmt.Sprintf(`
		DO $$ BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') THEN
				CREATE ROLE %[1]s LOGIN PASSWORD '%[2]s' NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
			END IF;
			IF EXISTS (SELECT FROM pg_roles WHERE rolname = '%[3]s') THEN
				GRANT %[3]s TO %[1]s;
			END IF;
		END $$`, loginRole, loginPassword, applicationRole)); err != nil {
		return fmt.Errorf("make the login role: %w", err)
	}
	if _, err := connection.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", rolesLock); err != nil {
		return fmt.Errorf("prepare the template: %w", err)
	}
	return nil
}

func (s *databaseServer) create(ctx context.Context) (Database, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	name := newName("test")
	if _, err := s.admin.ExecContext(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, s.template)); err != nil {
		return Database{}, fmt.Errorf("copy the template: %w", err)
	}
	return Database{
		Name:     name,
		AdminDSN: s.dsn(s.address.User, name),
		AppDSN:   s.dsn(url.UserPassword(loginRole, loginPassword), name),
	}, nil
}

// drop removes a database even while a test's connections are still open.
func (s *databaseServer) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), stepLimit)
	defer cancel()
	_, err := s.admin.ExecContext(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
	return err
}

func (s *databaseServer) dsn(user *url.Userinfo, database string) string {
	address := *s.address
	address.User = user
	address.Path = "/" + database
	return address.String()
}

// newName is a name that no other test process on the same server uses.
func newName(kind string) string { return "onward_" + kind + "_" + strings.ToLower(rand.Text()) }
