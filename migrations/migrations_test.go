package migrations_test

import (
	"context"
	"database/sql"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"onward"
	"onward/internal/testenv"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
)

func TestMain(m *testing.M) { testenv.Main(m) } // databases are empty

func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// schema is every column, constraint, index, policy and right, in words.
func schema(t testing.TB, db *sql.DB) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `
		SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT 'policy ' || tablename || ' ' || policyname FROM pg_policies
		UNION ALL SELECT 'right ' || table_name || ' ' || privilege_type FROM information_schema.role_table_grants WHERE grantee = 'onward_app'
		UNION ALL SELECT 'applied ' || version_id || ' ' || id FROM goose_db_version
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestApplyingTwiceIsHarmless(t *testing.T) {
	t.Parallel()
	dsn := testenv.Postgres(t).AdminDSN
	first, err := migrations.Apply(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if first.Database != first.Binary || first.Binary < 1 {
		t.Errorf("the status is %+v, want the database as new as the binary", first)
	}
	before := schema(t, open(t, dsn))
	second, err := migrations.Apply(t.Context(), dsn)
	if err != nil || second != first {
		t.Errorf("again: %+v, %v; want %+v", second, err, first)
	}
	if after := schema(t, open(t, dsn)); !slices.Equal(before, after) {
		t.Errorf("the schema went from %v to %v", before, after)
	}
	if status, err := migrations.Check(t.Context(), dsn); err != nil || status != first {
		t.Errorf("check: %+v, %v; want %+v", status, err, first)
	}
}

func TestOfConcurrentAppliesOneApplies(t *testing.T) {
	t.Parallel()
	dsn := testenv.Postgres(t).AdminDSN
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if status, err := migrations.Apply(t.Context(), dsn); err != nil || status.Database != status.Binary {
				t.Errorf("%+v, %v; want all done", status, err)
			}
		})
	}
	wg.Wait()
	var n, locks int
	db := open(t, dsn)
	if err := db.QueryRow(`SELECT count(*) FROM goose_db_version WHERE version_id = 1`).Scan(&n); err != nil || n != 1 {
		t.Errorf("migration 1 was applied %d times (%v), want once", n, err)
	}
	if err := db.QueryRow(`SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory' AND d.datname = current_database()`).Scan(&locks); err != nil || locks != 0 {
		t.Errorf("%d locks are left (%v), want none", locks, err)
	}
}

func TestApplyWaitsForWhoeverMigrates(t *testing.T) {
	t.Parallel()
	dsn := testenv.Postgres(t).AdminDSN
	db := open(t, dsn)
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), `SELECT pg_advisory_lock(x'4f6e77617264'::bigint)`); err != nil {
		t.Fatal(err)
	}
	applied := make(chan error, 1)
	go func() {
		_, err := migrations.Apply(context.WithoutCancel(t.Context()), dsn)
		applied <- err
	}()
	select {
	case err := <-applied:
		t.Fatalf("applied (%v) while another process migrates", err)
	case <-time.After(500 * time.Millisecond):
	}
	if _, err := other.ExecContext(t.Context(), `SELECT pg_advisory_unlock_all()`); err != nil {
		t.Fatal(err)
	}
	if err := <-applied; err != nil {
		t.Error(err)
	}
}

// TestTwoDatabasesOfOneServerAreMigratedAtOnce: the role belongs to the whole server.
func TestTwoDatabasesOfOneServerAreMigratedAtOnce(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 4 {
		dsn := testenv.Postgres(t).AdminDSN
		wg.Go(func() {
			if _, err := migrations.Apply(t.Context(), dsn); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestADatabaseNewerThanTheBinaryIsRefused(t *testing.T) {
	t.Parallel()
	dsn := testenv.Postgres(t).AdminDSN
	if _, err := migrations.Apply(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	db := open(t, dsn)
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	before := schema(t, db)
	for name, try := range map[string]func(context.Context, string) (migrations.Status, error){"apply": migrations.Apply, "check": migrations.Check} {
		status, err := try(t.Context(), dsn)
		if onward.CodeOf(err) != onward.EConflict {
			t.Errorf("%s: %v, want EConflict", name, err)
		}
		if status.Database != 9999 || status.Binary >= 9999 {
			t.Errorf("%s: the status is %+v, want it to say both", name, status)
		}
	}
	if after := schema(t, db); !slices.Equal(before, after) {
		t.Error("the schema changed")
	}
}

func TestCheckingChangesNothing(t *testing.T) {
	t.Parallel()
	dsn := testenv.Postgres(t).AdminDSN
	status, err := migrations.Check(t.Context(), dsn)
	if err != nil || status.Database != 0 || status.Binary < 1 {
		t.Errorf("an empty database: %+v, %v; want 0 of at least 1", status, err)
	}
	var n int
	if err := open(t, dsn).QueryRow(`SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace`).Scan(&n); err != nil || n != 0 {
		t.Errorf("the check made %d relations (%v), want none", n, err)
	}
}

func TestTheApplicationOwnsNothing(t *testing.T) {
	t.Parallel()
	dsn := testenv.Postgres(t).AdminDSN
	if _, err := migrations.Apply(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	var n int
	db := open(t, dsn)
	if err := db.QueryRow(`SELECT count(*) FROM pg_shdepend WHERE refobjid = 'onward_app'::regrole AND deptype = 'o'
		AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&n); err != nil || n != 0 {
		t.Errorf("onward_app owns %d things (%v), want none", n, err)
	}
	var can bool
	if err := db.QueryRow(`SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin
		OR has_schema_privilege('onward_app', 'public', 'CREATE') FROM pg_roles WHERE rolname = 'onward_app'`).Scan(&can); err != nil || can {
		t.Errorf("onward_app may do more than it should (%v)", err)
	}
}

// TestAnOwnerThatIsNoSuperuserCanMigrateAndServe is how managed databases are: the administrator may make roles, no more.
func TestAnOwnerThatIsNoSuperuserCanMigrateAndServe(t *testing.T) {
	t.Parallel()
	database := testenv.Postgres(t)
	db := open(t, database.AdminDSN)
	for _, statement := range []string{
		`DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onward_test_owner') THEN
			CREATE ROLE onward_test_owner LOGIN PASSWORD 'owner' CREATEROLE; END IF; END $$`,
		// As if the owner had made the role, which another test may have done by now.
		`DO $$ BEGIN CREATE ROLE onward_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
		`GRANT onward_app TO onward_test_owner WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
		`ALTER DATABASE ` + database.Name + ` OWNER TO onward_test_owner`,
		`ALTER SCHEMA public OWNER TO onward_test_owner`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	u, err := url.Parse(database.AdminDSN)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("onward_test_owner", "owner")
	if _, err := migrations.Apply(t.Context(), u.String()); err != nil {
		t.Fatal(err)
	}
	keys, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{URL: u.String(), Vault: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
		_, err := tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "ours", Name: "Ours", Kind: onward.Agency, Country: "MX"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), "onw_nothing"); onward.CodeOf(err) != onward.EUnauthenticated {
		t.Errorf("got %v, want EUnauthenticated", err)
	}
}

func TestAServerThatIsNotThereIsNotWaitedForAndItsPasswordNotShown(t *testing.T) {
	t.Parallel()
	_, err := migrations.Apply(t.Context(), "postgres://someone:secret@127.0.0.1:1/onward?sslmode=disable")
	if err == nil {
		t.Fatal("migrated a server that is not there")
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error repeats the password: %v", err)
	}
}
