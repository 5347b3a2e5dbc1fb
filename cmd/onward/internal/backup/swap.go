package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"onward"
)

// server is where a database is replaced by another.
type server struct {
	ownerURL string
	admin    *pgx.Conn // to a database that stays
	target   string    // the database that is replaced
	fresh    string    // the one that is to replace it
	present  bool      // whether there is one to replace
	owner    string
	major    int
}

// restoreLock keeps two restores of one database apart.
const restoreLock = 0x4f6e7772 // "Onwr"

// beside is the name of a database beside the one that is in use, as long as Postgres takes names.
func beside(target, what string) string {
	const longest = 63
	return target[:min(len(target), longest-len(what))] + what
}

func openServer(ctx context.Context, ownerURL, adminURL string) (*server, error) {
	if adminURL == "" {
		adminURL = ownerURL
	}
	u, err := addressOf(ownerURL, "")
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, onward.Errorf(onward.EInvalid, "the database URL must have the form postgres://user:password@host:port/database")
	}
	s := &server{ownerURL: ownerURL, target: config.Database, owner: config.User}
	// Never the one that is renamed.
	maintenance := "postgres"
	if s.target == maintenance {
		maintenance = "template1"
	}
	if s.admin, err = connect(ctx, adminURL, maintenance); err != nil {
		return nil, err
	}
	var free bool
	if err := s.admin.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, hashtext($2)), current_setting('server_version_num')::int / 10000`, int32(restoreLock), s.target).Scan(&free, &s.major); err != nil {
		s.close(ctx)
		return nil, fmt.Errorf("look at the server: %w", err)
	}
	if !free {
		s.close(ctx)
		return nil, onward.Errorf(onward.EConflict, "another restore of this database is running")
	}
	return s, nil
}

func (s *server) close(ctx context.Context) { _ = s.admin.Close(context.WithoutCancel(ctx)) }

// url is the owner's, of another database of the server.
func (s *server) url(database string) (string, error) {
	u, err := addressOf(s.ownerURL, database)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// mayReplace refuses while somebody works on what would be replaced, before anything is done.
func (s *server) mayReplace(ctx context.Context, disconnect bool) error {
	err := s.admin.QueryRow(ctx, `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1`, s.target).Scan(&s.owner)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	s.present = true
	return s.idle(ctx, disconnect)
}

// lastWords is how long connections of who has just stopped are waited for.
const lastWords = 3 * time.Second

func (s *server) idle(ctx context.Context, disconnect bool) error {
	if disconnect {
		return nil
	}
	for began := time.Now(); ; {
		var n int
		if err := s.admin.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`, s.target).Scan(&n); err != nil {
			return fmt.Errorf("look for connections: %w", err)
		}
		switch {
		case n == 0:
			return nil
		case time.Since(began) > lastWords:
			return onward.Errorf(onward.EConflict, "%d connections to the database are open; stop all servers and workers first, or end the connections with --disconnect", n)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// create makes the new database as the present one is: of the same owner, encoding, order and rights. What an interrupted restore left goes.
func (s *server) create(ctx context.Context) error {
	s.fresh = beside(s.target, "_restoring")
	if _, err := s.admin.Exec(ctx, `DROP DATABASE IF EXISTS `+quote(s.fresh)+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("drop what an interrupted restore left: %w", err)
	}
	options := ` OWNER ` + quote(s.owner) + ` TEMPLATE template0`
	if s.present {
		var more string
		// The names of the columns depend on the version of Postgres.
		if err := s.admin.QueryRow(ctx, `SELECT format(' ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(encoding), datcollate, datctype)
				|| CASE datlocprovider WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
					WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d) ->> 'datlocale') ELSE '' END
				FROM pg_database d WHERE datname = $1`, s.target).Scan(&more); err != nil {
			return fmt.Errorf("look at the database: %w", err)
		}
		options += more
	}
	if _, err := s.admin.Exec(ctx, `CREATE DATABASE `+quote(s.fresh)+options); err != nil {
		s.fresh = ""
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == "42501" {
			return onward.Errorf(onward.EForbidden, "this login may not make databases; give a superuser's, or one with CREATEDB, in DATABASE_ADMIN_URL").Because(err)
		}
		return fmt.Errorf("make a database for the restore: %w", err)
	}
	if !s.present {
		return nil
	}
	return s.sameRights(ctx)
}

// sameRights gives the new database the rights and settings of the present one.
func (s *server) sameRights(ctx context.Context) error {
	rows, err := s.admin.Query(ctx, `SELECT 'REVOKE ALL ON DATABASE ' || quote_ident($2) || ' FROM PUBLIC' FROM pg_database WHERE datname = $1 AND datacl IS NOT NULL
		UNION ALL SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, $2::text, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
				CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
			FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = $1 AND a.grantee <> d.datdba`, s.target, s.fresh)
	if err != nil {
		return fmt.Errorf("copy the rights: %w", err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("copy the rights: %w", err)
	}
	for _, statement := range statements {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("copy the rights: %w", err)
		}
	}
	return s.sameSettings(ctx)
}

func (s *server) sameSettings(ctx context.Context) error {
	rows, err := s.admin.Query(ctx, `SELECT coalesce(pg_get_userbyid(nullif(r.setrole, 0)), ''), unnest(r.setconfig) FROM pg_db_role_setting r JOIN pg_database d ON d.oid = r.setdatabase WHERE d.datname = $1`, s.target)
	if err != nil {
		return fmt.Errorf("copy the settings: %w", err)
	}
	var role, setting string
	var all [][2]string
	if _, err := pgx.ForEachRow(rows, []any{&role, &setting}, func() error { all = append(all, [2]string{role, setting}); return nil }); err != nil {
		return fmt.Errorf("copy the settings: %w", err)
	}
	for _, one := range all {
		name, value, _ := strings.Cut(one[1], "=")
		of := `ALTER DATABASE ` + quote(s.fresh)
		if one[0] != "" {
			of = `ALTER ROLE ` + quote(one[0]) + ` IN DATABASE ` + quote(s.fresh)
		}
		if err := s.inTx(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT set_config($1, $2, true)`, name, value); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, of+` SET `+quote(name)+` FROM CURRENT`)
			return err
		}); err != nil {
			return fmt.Errorf("copy the setting %s: %w", name, err)
		}
	}
	return nil
}

func (s *server) inTx(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.admin, do)
}

// discard drops the new database of a restore that failed.
func (s *server) discard(ctx context.Context) {
	if s.fresh == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	_, _ = s.admin.Exec(ctx, `DROP DATABASE IF EXISTS `+quote(s.fresh)+` WITH (FORCE)`) // what is left, the next restore drops
}

// swapTries is how often connections are ended that come again.
const swapTries = 20

// swap puts the new database in the place of the present one, in one transaction, and returns the name under which that is kept: "" when it
// was empty, or is not wanted.
func (s *server) swap(ctx context.Context, disconnect, drop bool) (kept string, err error) {
	if !s.present {
		_, err := s.admin.Exec(ctx, `ALTER DATABASE `+quote(s.fresh)+` RENAME TO `+quote(s.target))
		if err != nil {
			return "", fmt.Errorf("name the database: %w", err)
		}
		return "", nil
	}
	empty, err := s.isEmpty(ctx)
	if err != nil {
		return "", err
	}
	old := beside(s.target, "_before_"+time.Now().UTC().Format("20060102150405"))
	for try := 1; ; try++ {
		if err := s.idle(ctx, disconnect); err != nil {
			return "", err
		}
		err = s.inTx(ctx, func(tx pgx.Tx) error {
			if disconnect {
				if _, err := tx.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`, s.target); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, `ALTER DATABASE `+quote(s.target)+` RENAME TO `+quote(old)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `ALTER DATABASE `+quote(s.fresh)+` RENAME TO `+quote(s.target))
			return err
		})
		var refused *pgconn.PgError
		if err == nil {
			break
		}
		if !errors.As(err, &refused) || refused.Code != "55006" || try == swapTries { // in use
			return "", fmt.Errorf("put the restored database in its place: %w", err)
		}
	}
	s.fresh = ""
	if !drop && !empty {
		return old, nil
	}
	if _, err := s.admin.Exec(ctx, `DROP DATABASE `+quote(old)); err != nil {
		return old, nil //nolint:nilerr // the restore is done; what is left is named
	}
	return "", nil
}

// isEmpty says whether Onward was never there.
func (s *server) isEmpty(ctx context.Context) (empty bool, err error) {
	conn, err := connect(ctx, s.ownerURL, s.target)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := conn.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)`).Scan(&empty); err != nil {
		return false, fmt.Errorf("look at the database: %w", err)
	}
	return empty, nil
}
