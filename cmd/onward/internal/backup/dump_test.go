package backup

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"onward"
	"onward/internal/testenv"
	"onward/migrations"
)

// onServer is a database on the system's Postgres as deployments have it: its owner is no superuser and may not make databases.
func onServer(t *testing.T) *bench {
	t.Helper()
	admin, programs := testenv.SystemPostgres(t)
	t.Setenv("PATH", programs+":"+os.Getenv("PATH"))
	db, err := sql.Open("postgres", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		`CREATE ROLE onward_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD 'owner''s %secret'`,
		`CREATE ROLE onward_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE`,
		`CREATE ROLE onward_login LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE`,
		`GRANT onward_app TO onward_login`, `GRANT onward_app TO onward_owner WITH ADMIN OPTION`,
		`CREATE DATABASE onward OWNER onward_owner`, `REVOKE ALL ON DATABASE onward FROM PUBLIC`, `GRANT CONNECT ON DATABASE onward TO onward_login`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path, u.User = "/onward", url.UserPassword("onward_owner", "owner's %secret")
	if err := prepare(t.Context(), u.String()); err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, owner: u.String(), admin: admin, dir: t.TempDir()}
}

func TestServersOwnProgramsBackUpAndRestore(t *testing.T) {
	b := onServer(t)
	b.restoresAll(MethodDump)
	gone := b.register("Quiñones")
	source := b.source()
	source.Method = MethodDump
	_, archive, keysFile, err := source.WriteTo(t.Context(), b.dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if text := opened(t, archive, kindDatabase); strings.Contains(text, b.strings(`SELECT encode(key, 'hex') FROM returnee_identities`)[0]) || strings.Contains(text, b.strings(`SELECT encode(token, 'hex') FROM identity_tokens`)[0]) {
		t.Error("the archive holds keys, or tokens")
	}
	b.erase(gone.ID)
	if _, _, _, err := source.WriteTo(t.Context(), b.dir, true); err != nil {
		t.Fatal(err)
	}
	if done := b.restore(archive); done.Erased != 1 || done.People != 2 {
		t.Errorf("%+v", done)
	}
	if got := b.found("quinones"); got != nil {
		t.Errorf("who was erased is found: %v", got)
	}
	if acl := b.strings(`SELECT datacl::text FROM pg_database WHERE datname = current_database()`); !strings.Contains(acl[0], "onward_login=c/onward_owner") || strings.Contains(acl[0], "{=") {
		t.Errorf("the rights are %v", acl)
	}

	// The owner alone may not make databases, and is told who may.
	r := b.restoreOf(archive)
	r.AdminURL = ""
	_, err = r.Run(t.Context())
	wantCode(t, err, onward.EForbidden, "DATABASE_ADMIN_URL")

	// A program that fails, and one that is not there, leave everything.
	before := b.rows()
	broken := t.TempDir()
	script := func(name, text string) {
		if err := os.WriteFile(filepath.Join(broken, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", broken+":"+os.Getenv("PATH"))
	const says = `if [ "$1" = --version ]; then echo "pg_x (PostgreSQL) 99.1"; exit; fi; `
	script("pg_restore", says+`head -c 100 >/dev/null; echo "no good" >&2; exit 3`)
	script("pg_dump", says+`echo PGDMP half a dump; echo "disk on fire" >&2; exit 1`)
	_, err = b.restoreOf(archive).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no good") {
		t.Errorf("pg_restore failed, and the restore: %v", err)
	}
	if _, _, _, err = source.WriteTo(t.Context(), b.dir, false); err == nil || !strings.Contains(err.Error(), "disk on fire") || strings.Contains(err.Error(), "secret") {
		t.Errorf("pg_dump failed, and the backup: %v", err)
	}
	script("pg_dump", `echo "pg_dump (PostgreSQL) 9.6.24"`)
	_, _, _, err = source.WriteTo(t.Context(), b.dir, false)
	wantCode(t, err, onward.EConflict, "is of Postgres 9")
	script("pg_restore", `echo "pg_restore (PostgreSQL) 10.1"`)
	_, err = b.restoreOf(archive).Run(t.Context())
	wantCode(t, err, onward.EConflict, "is of Postgres 10")
	t.Setenv("PATH", t.TempDir())
	_, _, _, err = source.WriteTo(t.Context(), b.dir, false)
	wantCode(t, err, onward.ENotFound, "--method copy")
	_, err = b.restoreOf(archive).Run(t.Context())
	wantCode(t, err, onward.ENotFound, "pg_restore is not on the PATH")
	if !sameRows(before, b.rows()) {
		t.Error("the database is another")
	}
	if names := b.files(); len(names) != 3 { // two archives and the keys
		t.Errorf("left are %v", names)
	}
	_ = keysFile
}

// TestServersAreCopiedWithoutPrograms also: the owner of the schema needs to be no superuser.
func TestServersAreCopiedWithoutPrograms(t *testing.T) {
	b := onServer(t)
	t.Setenv("PATH", t.TempDir())
	b.restoresAll(MethodCopy)
	// An archive of one server is restored to another, also to where there is no database yet.
	_, archive, _ := b.backup()
	other := setup(t)
	other.sql(`CREATE DATABASE ` + strings.TrimPrefix(path(t, other.owner), "/") + `_new`)
	u, err := url.Parse(other.owner)
	if err != nil {
		t.Fatal(err)
	}
	u.Path += "_new"
	for _, prepare := range []string{``, `DROP DATABASE ` + u.Path[1:]} {
		if prepare != "" {
			other.sql(prepare)
		}
		r := b.restoreOf(archive)
		r.OwnerURL, r.AdminURL = u.String(), other.elsewhere()
		done, err := r.Run(t.Context())
		if err != nil || done.People != 2 || done.Kept != "" {
			t.Errorf("%+v %v", done, err)
		}
		there := &bench{t: t, owner: u.String()}
		if got := there.found("xochiquetzal"); len(got) != 2 {
			t.Errorf("found %v", got)
		}
		if status, err := migrations.Check(t.Context(), u.String()); err != nil || status.Database != status.Binary {
			t.Errorf("%+v %v", status, err)
		}
	}
}

func path(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}

func TestVersionsOfProgramsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"pg_dump (PostgreSQL) 17.2 (Debian 17.2-1.pgdg120+1)\n": 17, "pg_dump (PostgreSQL) 15.18\n": 15, "pg_restore (PostgreSQL) 18beta1\n": 18, "something else": 0, "": 0, "x (PostgreSQL) ": 0,
	} {
		if got := majorOf(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}
