package testenv_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"onward/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Main(m, testenv.WithTemplate(func(ctx context.Context, dsn string) error {
		db, err := sql.Open("postgres", dsn)
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.ExecContext(ctx, `
			DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onward_app') THEN CREATE ROLE onward_app; END IF; END $$;
			CREATE TABLE person (name text, caseload text);
			INSERT INTO person VALUES ('A', 'mine'), ('B', 'theirs');
			ALTER TABLE person ENABLE ROW LEVEL SECURITY;
			CREATE POLICY mine ON person TO onward_app USING (caseload = 'mine');
			GRANT SELECT, INSERT ON person TO onward_app;`)
		return err
	}))
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func count(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM person").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEachTestHasItsOwnCopyOfTheTemplate(t *testing.T) {
	t.Parallel()
	one, two := testenv.Postgres(t), testenv.Postgres(t)
	if _, err := open(t, one.AdminDSN).Exec("DELETE FROM person"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, open(t, one.AdminDSN)); n != 0 {
		t.Errorf("the first database has %d rows, want 0", n)
	}
	if n := count(t, open(t, two.AdminDSN)); n != 2 {
		t.Errorf("the second database has %d rows, want 2", n)
	}
}

func TestTheApplicationIsBoundByRowLevelSecurity(t *testing.T) {
	t.Parallel()
	if n := count(t, open(t, testenv.Postgres(t).AppDSN)); n != 1 {
		t.Errorf("the application sees %d rows, want 1", n)
	}
}

func BenchmarkPostgres(b *testing.B) {
	testenv.Postgres(b)
	for b.Loop() {
		testenv.Postgres(b)
	}
}

func TestProcessesShareAGivenServer(t *testing.T) {
	t.Parallel()
	database, server := testenv.OwnPostgres(t)
	var runs sync.WaitGroup
	for range 3 {
		runs.Go(func() {
			command := exec.Command(os.Args[0], "-test.run=^(TestEachTestHasItsOwnCopyOfTheTemplate|TestTheApplicationIsBoundByRowLevelSecurity)$")
			command.Env = append(os.Environ(), "DATABASE_URL="+server.AdminDSN())
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("a test process on the server: %v\n%s", err, output)
			}
		})
	}
	runs.Wait()
	var left []string
	rows, err := open(t, database.AdminDSN).Query("SELECT datname FROM pg_database WHERE datname LIKE 'onward_%' ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		left = append(left, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 { // the test's own, and its template
		t.Errorf("databases on the server afterwards: %v", left)
	}
}
