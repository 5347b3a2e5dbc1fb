package backup

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"onward"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
)

// load fills the new database, and returns who is to be erased again.
func (r Restore) load(ctx context.Context, server *server, archive, keys *reader, done *Restored) ([]person, error) {
	conn, err := connect(ctx, server.ownerURL, server.fresh)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	l := &loader{conn: conn, archive: archive, progress: r.Progress}
	if archive.Manifest.Method == MethodDump {
		err = l.loadDump(ctx, server)
	} else {
		err = l.loadTables(ctx, server)
	}
	if err != nil {
		return nil, err
	}
	for _, n := range l.summary.Rows {
		done.Rows += n
	}
	erase, err := l.loadKeys(ctx, keys, r.EraseUnknown)
	if err != nil {
		return nil, err
	}
	return erase, l.finish(ctx)
}

// loader fills a database of which nobody else knows yet.
type loader struct {
	conn     *pgx.Conn
	archive  *reader
	progress func(string)
	summary  Summary
	triggers []string // statements that switch on again what was off
	foreign  []string // statements that make the foreign keys again
}

func (l *loader) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := l.conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	return nil
}

// loadTables makes the schema by the migrations that the archive had, and fills the tables.
func (l *loader) loadTables(ctx context.Context, server *server) error {
	m := l.archive.Manifest
	url, err := server.url(server.fresh)
	if err != nil {
		return err
	}
	l.progress("Making the schema")
	if _, err := migrations.ApplyTo(ctx, url, m.Schema); err != nil {
		return err
	}
	if err := l.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	if err := l.switchOff(ctx, m.Tables); err != nil {
		return err
	}
	names := make([]string, len(m.Tables))
	columns := map[string][]string{}
	for i, t := range m.Tables {
		names[i] = quote(t.Name)
		columns[t.Name] = t.Columns
	}
	// What the migrations put there is in the archive as well.
	if err := l.exec(ctx, `TRUNCATE `+strings.Join(names, ", ")); err != nil {
		return err
	}
	l.progress(fmt.Sprintf("Filling %d tables", len(names)))
	if l.summary, err = l.archive.each(func(part string, content io.Reader) (int64, error) {
		table := tableOf(part)
		if columns[table] == nil {
			return 0, onward.Errorf(onward.EInvalid, "the archive has a part %s that its manifest does not name", part)
		}
		return copyFrom(ctx, l.conn, table, columns[table], content)
	}); err != nil {
		return err
	}
	for name, last := range l.summary.Sequences {
		if _, err := l.conn.Exec(ctx, `SELECT setval(format('public.%I', $1::text)::regclass, $2)`, name, last); err != nil {
			return fmt.Errorf("set sequence %s: %w", name, err)
		}
	}
	return nil
}

func copyFrom(ctx context.Context, conn *pgx.Conn, table string, columns []string, content io.Reader) (int64, error) {
	source := &lent{from: content}
	defer source.takeBack()
	tag, err := conn.PgConn().CopyFrom(ctx, source, `COPY `+quote(table)+` (`+quoteAll(columns)+`) FROM STDIN`)
	if err != nil {
		return 0, fmt.Errorf("fill %s: %w", table, err)
	}
	return tag.RowsAffected(), nil
}

// lent is a reader for a while: the driver reads on a goroutine of its own, for which it does not wait when the connection breaks.
type lent struct {
	mu   sync.Mutex
	from io.Reader
}

func (l *lent) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from == nil {
		return 0, io.ErrClosedPipe
	}
	return l.from.Read(b)
}

func (l *lent) takeBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = nil
}

// loadDump has pg_restore make schema and rows, and adds what goes apart.
func (l *loader) loadDump(ctx context.Context, server *server) error {
	m := l.archive.Manifest
	restorer, err := find(ctx, "pg_restore", m.Server, "the archive")
	if err != nil {
		return err
	}
	// The role belongs to the server, and not to the dump.
	if err := l.exec(ctx, `DO $$ BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onward_app') THEN
				CREATE ROLE onward_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
			END IF;
		END $$`); err != nil {
		return err
	}
	began := false
	l.progress("Running pg_restore")
	if l.summary, err = l.archive.each(func(part string, content io.Reader) (int64, error) {
		if part == dumpPart {
			return -1, restoreDump(ctx, restorer, server.ownerURL, server.fresh, content)
		}
		i := slices.IndexFunc(m.Tables, func(t Table) bool { return t.Name == identities })
		if tableOf(part) != identities || i < 0 {
			return 0, onward.Errorf(onward.EInvalid, "the archive has a part %s that its manifest does not name", part)
		}
		began = true
		if err := l.begin(ctx); err != nil {
			return 0, err
		}
		return copyFrom(ctx, l.conn, identities, m.Tables[i].Columns, content)
	}); err != nil {
		return err
	}
	if !began { // nobody is registered
		if err := l.begin(ctx); err != nil {
			return err
		}
	}
	var schema int64
	if err := l.conn.QueryRow(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&schema); err != nil || schema != m.Schema {
		return errors.Join(err, onward.Errorf(onward.EInvalid, "the dump has migration %d, and the archive says %d", schema, m.Schema))
	}
	for _, t := range m.Tables {
		var n int64
		if err := l.conn.QueryRow(ctx, `SELECT count(*) FROM `+quote(t.Name)).Scan(&n); err != nil {
			return fmt.Errorf("count %s: %w", t.Name, err)
		}
		if n != l.summary.Rows[t.Name] {
			return onward.Errorf(onward.EInvalid, "%s has %d rows, and the archive says %d", t.Name, n, l.summary.Rows[t.Name])
		}
	}
	return l.renumber(ctx)
}

func (l *loader) begin(ctx context.Context) error {
	if err := l.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	return l.switchOff(ctx, l.archive.Manifest.Tables)
}

// renumber writes the number of this transaction where rows have one of the server that was dumped: those mean nothing here.
func (l *loader) renumber(ctx context.Context) error {
	rows, err := l.conn.Query(ctx, `SELECT format('UPDATE public.%I SET %I = pg_current_xact_id()', c.relname, a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'xid8'::regtype`)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return l.exec(ctx, statements...)
}

// switchOff takes foreign keys away, which are checked when they are made again, and switches off the triggers: a restore is no change that
// the audit would tell of, nor one that anybody is to hear of.
func (l *loader) switchOff(ctx context.Context, tables []Table) error {
	var off []string
	rows, err := l.conn.Query(ctx, `SELECT format('ALTER TABLE public.%I DROP CONSTRAINT %I', c.relname, k.conname),
			format('ALTER TABLE public.%I ADD CONSTRAINT %I %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
		FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace ORDER BY 1`)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	var drop, add string
	if _, err := pgx.ForEachRow(rows, []any{&drop, &add}, func() error {
		off, l.foreign = append(off, drop), append(l.foreign, add)
		return nil
	}); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	rows, err = l.conn.Query(ctx, `SELECT format('ALTER TABLE public.%I %s TRIGGER %I', c.relname, CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, t.tgname)
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace ORDER BY 1`)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if l.triggers, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	for _, t := range tables {
		off = append(off, `ALTER TABLE public.`+quote(t.Name)+` DISABLE TRIGGER USER`)
	}
	return l.exec(ctx, off...)
}

// loadKeys gives people their keys again, and finds who is to be erased: those of whom the keys say so, who may be there no more.
func (l *loader) loadKeys(ctx context.Context, keys *reader, eraseUnknown bool) ([]person, error) {
	l.progress("Giving people their keys")
	for _, t := range []string{
		`person_keys (returnee_id uuid PRIMARY KEY, key bytea NOT NULL, key_id bigint NOT NULL)`, `erased_since (returnee_id uuid PRIMARY KEY, erased_at timestamptz NOT NULL)`,
		`revoked_tokens (id uuid PRIMARY KEY, revoked_at timestamptz NOT NULL)`, `suspended_users (id uuid PRIMARY KEY, suspended_at timestamptz NOT NULL)`,
	} {
		if err := l.exec(ctx, `CREATE TEMPORARY TABLE `+t+` ON COMMIT DROP`); err != nil {
			return nil, err
		}
	}
	if _, err := keys.each(func(part string, content io.Reader) (int64, error) {
		for _, t := range keyTables {
			if t.Name == tableOf(part) {
				into := t.Name
				if into == erasures { // whose name the database has for a table of its own
					into = "erased_since"
				}
				return copyFrom(ctx, l.conn, into, t.Columns, content)
			}
		}
		return 0, onward.Errorf(onward.EInvalid, "the archive of keys has an unknown part %s", part)
	}); err != nil {
		return nil, err
	}
	var unknown int64
	if err := l.exec(ctx, `UPDATE returnee_identities i SET key = k.key, key_id = k.key_id FROM person_keys k WHERE k.returnee_id = i.returnee_id`,
		`INSERT INTO erasures SELECT * FROM erased_since ON CONFLICT DO NOTHING`,
		`UPDATE api_tokens t SET revoked_at = r.revoked_at FROM revoked_tokens r WHERE r.id = t.id AND t.revoked_at IS NULL`,
		`UPDATE users u SET suspended_at = s.suspended_at FROM suspended_users s WHERE s.id = u.id AND u.suspended_at IS NULL`); err != nil {
		return nil, err
	}
	if err := l.conn.QueryRow(ctx, `SELECT count(*) FROM returnee_identities WHERE key IS NULL AND key_id <> 0 AND returnee_id NOT IN (SELECT returnee_id FROM erased_since)`).Scan(&unknown); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if unknown > 0 && !eraseUnknown {
		return nil, onward.Errorf(onward.EConflict, "%d people of the archive have no key here, and nothing says that they were erased; the keys are perhaps of a time after another restore. "+
			"Find the keys that belong to it, or erase these people with --erase-unknown", unknown)
	}
	rows, err := l.conn.Query(ctx, `SELECT r.id, r.organisation_id FROM returnees r JOIN returnee_identities i ON i.returnee_id = r.id
		WHERE r.erased_at IS NULL AND (i.key IS NULL AND i.key_id <> 0 OR r.id IN (SELECT returnee_id FROM erased_since)) ORDER BY r.id`)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	erase, err := pgx.CollectRows(rows, pgx.RowToStructByPos[person])
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	// What was sealed under a key that is gone says nothing any more, whatever becomes of the rest.
	return erase, l.exec(ctx, `UPDATE returnee_identities SET identity = '{}' WHERE key IS NULL AND key_id <> 0`)
}

// gap is how far the numbers of promises are put ahead: the queue may hold tasks of the time that is lost, and none may fulfil what is
// promised from now on.
const gap = 1 << 32

// finish makes everything as it was again, and the database ready for questions.
func (l *loader) finish(ctx context.Context) error {
	l.progress("Checking foreign keys")
	statements := slices.Concat(
		// Whoever was erased has no key; nothing may open who has one by mistake.
		[]string{`UPDATE returnee_identities SET key = NULL WHERE key IS NOT NULL AND returnee_id IN (SELECT returnee_id FROM erasures)`},
		l.foreign, l.triggers,
		[]string{fmt.Sprintf(`SELECT setval('public.outbox_id_seq', (SELECT last_value FROM public.outbox_id_seq) + %d)`, int64(gap)), `COMMIT`, `ANALYZE`})
	return l.exec(ctx, statements...)
}

// openPersonKeys opens the key of each person, as COPY wrote it, and counts them.
func openPersonKeys(v *vault.Vault, content io.Reader) (n int64, err error) {
	lines := bufio.NewScanner(content)
	for lines.Scan() {
		fields := bytes.Split(lines.Bytes(), []byte("\t"))
		if len(fields) != 3 {
			return n, onward.Errorf(onward.EInvalid, "the archive of keys has a line that is none")
		}
		id, err := onward.ParseID(string(fields[0]))
		if err != nil {
			return n, err
		}
		wrapped, err := hex.DecodeString(strings.TrimLeft(string(fields[1]), `\x`))
		if err != nil {
			return n, onward.Errorf(onward.EInvalid, "the archive of keys has a line that is none")
		}
		if err := store.KeyOpens(v, id, wrapped); err != nil {
			return n, otherKeys(err)
		}
		n++
	}
	return n, lines.Err()
}
