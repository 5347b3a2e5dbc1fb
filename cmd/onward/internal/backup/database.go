package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"

	"onward"
	"onward/migrations"
	"onward/store"
)

// Method is how the database is copied.
type Method string

// The methods.
const (
	// MethodCopy reads the tables by COPY in one snapshot; the schema comes from the migrations. It needs no other programs.
	MethodCopy Method = "copy"
	// MethodDump is pg_dump's and pg_restore's.
	MethodDump Method = "pg_dump"
)

// What the archive of the database does not hold: people's keys, which die with them; the tokens by which people are found, which are made
// anew of the opened identities; who is signed in, which nobody is after a restore; and the list of migrations, which a restore writes as it
// applies them.
const (
	identities = "returnee_identities"
	tokens     = "identity_tokens"
	sessions   = "sessions"
	applied    = "goose_db_version"
)

// leftOut are the tables of which the archive has no rows at all.
func leftOut() []string { return []string{tokens, sessions} }

// The parts of the archive of keys. An older archive of the database is restored with them, so that who was erased, revoked or suspended since
// does not come back.
const (
	personKeys = "person_keys"
	erasures   = "erasures"
	revoked    = "revoked_tokens"
	suspended  = "suspended_users"
)

// keyTables are the parts with the query that fills them.
var keyTables = []struct {
	Table
	query string
}{
	{Table{personKeys, []string{"returnee_id", "key", "key_id"}}, `SELECT returnee_id, key, key_id FROM returnee_identities WHERE key IS NOT NULL`},
	{Table{erasures, []string{"returnee_id", "erased_at"}}, `SELECT returnee_id, erased_at FROM erasures`},
	{Table{revoked, []string{"id", "revoked_at"}}, `SELECT id, revoked_at FROM api_tokens WHERE revoked_at IS NOT NULL`},
	{Table{suspended, []string{"id", "suspended_at"}}, `SELECT id, suspended_at FROM users WHERE suspended_at IS NOT NULL`},
}

// lockWait is how long a backup waits for a migration that is running.
const lockWait = 30 * time.Second

// Source is a database that is to be backed up.
type Source struct {
	URL        string // of the owner of the schema
	Method     Method
	Recipients []age.Recipient
	Version    string // of Onward
}

// Report says what a backup holds.
type Report struct {
	Manifest Manifest
	Tables   map[string]int64 // rows
	Rows     int64            // of all tables
	Bytes    int64            // before compression
	Written  int64            // of the archive
	People   int64            // whose keys are in the archive of keys
	Erased   int64            // who have none
	Took     time.Duration
}

// Write copies the database as it is at one moment, while it is in use: what identifies nobody to database, and people's keys to keys.
// Without database it writes the keys alone.
func (s Source) Write(ctx context.Context, database, keys io.Writer) (report Report, err error) {
	began := time.Now()
	if err := s.ready(); err != nil {
		return report, err
	}
	if err := sealed(ctx, s.URL); err != nil {
		return report, err
	}
	conn, err := connect(ctx, s.URL, "")
	if err != nil {
		return report, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	snapshot, err := takeSnapshot(ctx, conn)
	if err != nil {
		return report, err
	}
	snapshot.manifest.Onward, snapshot.manifest.Method = s.Version, s.Method
	if database != nil {
		if report.Written, err = s.writeDatabase(ctx, snapshot, database, &report); err != nil {
			return report, err
		}
	}
	if err := s.writeKeys(ctx, snapshot, keys, &report); err != nil {
		return report, err
	}
	report.Manifest, report.Took = snapshot.manifest, time.Since(began)
	return report, nil
}

// snapshot is a moment of the database, held by a transaction.
type snapshot struct {
	conn     *pgx.Conn
	manifest Manifest
}

// session is how all connections of backups and restores speak, so that what one writes another reads. Rows that row-level security would
// hide are an error.
var session = map[string]string{
	"application_name": "onward backup", "client_encoding": "UTF8", "timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "postgres", "bytea_output": "hex",
	"extra_float_digits": "1", "row_security": "off", "search_path": "public", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0",
}

// addressOf is the URL of a database of the server of another; "" is the one that it names.
func addressOf(address, database string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, onward.Errorf(onward.EInvalid, "the database URL must have the form postgres://user:password@host:port/database")
	}
	if database != "" {
		u.Path = "/" + database
	}
	query := u.Query()
	query.Del("binary_parameters") // of another driver
	u.RawQuery = query.Encode()
	return u, nil
}

// connect connects to a database of the server of a URL; "" is the one that it names.
func connect(ctx context.Context, address, database string) (*pgx.Conn, error) {
	u, err := addressOf(address, database)
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, onward.Errorf(onward.EInvalid, "the database URL can't be used; write it as postgres://user:password@host:port/database?sslmode=…")
	}
	for name, value := range session {
		config.RuntimeParams[name] = value
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 30 * time.Second
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, onward.Errorf(onward.EUnavailable, "the database can't be reached").Because(err)
	}
	return conn, nil
}

// sealed refuses a database in which something identifies people in the clear: the archive would too, for as long as it is kept.
func sealed(ctx context.Context, url string) error {
	keeper, err := store.OpenKeeper(ctx, url, nil)
	if err != nil {
		return notMigrated(err)
	}
	plain, err := keeper.Plain(ctx)
	if err := errors.Join(err, keeper.Close()); err != nil {
		return notMigrated(err)
	}
	if plain > 0 {
		return onward.Errorf(onward.EConflict, "%d records are not sealed yet; run 'onward migrate' first", plain)
	}
	return nil
}

// notMigrated says so when a table or column is not there.
func notMigrated(err error) error {
	var missing *pq.Error
	if errors.As(err, &missing) && (missing.Code == "42P01" || missing.Code == "42703") {
		return onward.Errorf(onward.EConflict, "the database is not migrated; run 'onward migrate' first")
	}
	return err
}

// takeSnapshot locks all tables against changes of the schema, as pg_dump does, and takes the snapshot then.
func takeSnapshot(ctx context.Context, conn *pgx.Conn) (*snapshot, error) {
	s := &snapshot{conn: conn}
	newest, err := migrations.Newest()
	if err != nil {
		return nil, err
	}
	var ready bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('public.installation') IS NOT NULL`).Scan(&ready); err != nil {
		return nil, fmt.Errorf("look at the database: %w", err)
	}
	if !ready {
		return nil, onward.Errorf(onward.EConflict, "the database is not migrated; run 'onward migrate' first")
	}
	tables, err := tablesOf(ctx, conn)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = quote(t.Name)
	}
	if _, err := conn.Exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
		return nil, fmt.Errorf("take a snapshot: %w", err)
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = %d`, lockWait.Milliseconds())); err != nil {
		return nil, fmt.Errorf("take a snapshot: %w", err)
	}
	if _, err := conn.Exec(ctx, `LOCK TABLE `+strings.Join(names, ", ")+` IN ACCESS SHARE MODE`); err != nil {
		return nil, fmt.Errorf("take a snapshot (is a migration running?): %w", err)
	}
	m := &s.manifest
	if m.Tables, err = tablesOf(ctx, conn); err != nil {
		return nil, err
	}
	if !slices.EqualFunc(tables, m.Tables, func(a, b Table) bool { return a.Name == b.Name }) {
		return nil, onward.Errorf(onward.EConflict, "the database was migrated just now; try again")
	}
	m.Tables = slices.DeleteFunc(m.Tables, func(t Table) bool { return t.Name == applied || slices.Contains(leftOut(), t.Name) })
	if err := conn.QueryRow(ctx, `SELECT (SELECT max(version_id) FROM goose_db_version WHERE is_applied), (SELECT id FROM installation), clock_timestamp(), current_setting('server_version_num')::int / 10000`).
		Scan(&m.Schema, &m.Database, &m.MadeAt, &m.Server); err != nil {
		return nil, fmt.Errorf("look at the database: %w", err)
	}
	m.MadeAt = m.MadeAt.UTC()
	switch {
	case m.Schema > newest:
		return nil, onward.Errorf(onward.EConflict, "the database has migration %d and this binary knows %d at most; run a newer onward", m.Schema, newest)
	case m.Schema < newest:
		return nil, onward.Errorf(onward.EConflict, "the database has migration %d and this binary %d; run 'onward migrate' first, or back up with the onward that serves it", m.Schema, newest)
	}
	rows, err := conn.Query(ctx, `SELECT organisation_id, seq, encode(hash, 'hex') FROM audit_heads ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("read the ends of the audit: %w", err)
	}
	m.Audit, err = pgx.CollectRows(rows, pgx.RowToStructByPos[onward.AuditHead])
	if err != nil {
		return nil, fmt.Errorf("read the ends of the audit: %w", err)
	}
	return s, nil
}

// tablesOf lists the tables with their columns. Those that Postgres makes itself are left out, as are numbers of transactions, which mean
// nothing on another server.
func tablesOf(ctx context.Context, conn *pgx.Conn) ([]Table, error) {
	rows, err := conn.Query(ctx, `SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.atttypid <> 'xid8'::regtype
		GROUP BY 1 ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Table])
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return list, nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}

// tableOf is the table of a part; "" when it is none.
func tableOf(part string) string {
	table, ok := strings.CutPrefix(part, tableParts)
	if !ok {
		return ""
	}
	return table
}

// copyTo writes the rows of a query as a part, and counts them.
func (s *snapshot) copyTo(ctx context.Context, w *writer, name, query string) error {
	return w.part(tableParts+name, func(to io.Writer) error {
		tag, err := s.conn.PgConn().CopyTo(ctx, to, `COPY (`+query+`) TO STDOUT`)
		if err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
		w.summary.Rows[name] = tag.RowsAffected()
		return nil
	})
}

func (s Source) writeDatabase(ctx context.Context, from *snapshot, to io.Writer, report *Report) (int64, error) {
	m := from.manifest
	m.Kind = kindDatabase
	w, err := newWriter(to, s.Recipients, m)
	if err != nil {
		return 0, err
	}
	if s.Method == MethodDump {
		if err := s.dump(ctx, from, w); err != nil {
			return 0, err
		}
	}
	for _, t := range m.Tables {
		if s.Method == MethodDump && t.Name != identities {
			var n int64
			if err := from.conn.QueryRow(ctx, `SELECT count(*) FROM `+quote(t.Name)).Scan(&n); err != nil {
				return 0, fmt.Errorf("count %s: %w", t.Name, err)
			}
			w.summary.Rows[t.Name] = n
			continue
		}
		columns := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			columns[i] = quote(c)
			if t.Name == identities && c == "key" {
				columns[i] = `NULL::bytea`
			}
		}
		if err := from.copyTo(ctx, w, t.Name, `SELECT `+strings.Join(columns, ", ")+` FROM `+quote(t.Name)); err != nil {
			return 0, err
		}
	}
	// After the tables: sequences take no part in snapshots, and may only be ahead.
	rows, err := from.conn.Query(ctx, `SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename NOT LIKE 'goose%'`)
	if err != nil {
		return 0, fmt.Errorf("read sequences: %w", err)
	}
	var name string
	var last int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &last}, func() error { w.summary.Sequences[name] = last; return nil }); err != nil {
		return 0, fmt.Errorf("read sequences: %w", err)
	}
	report.Tables = w.summary.Rows
	for _, n := range w.summary.Rows {
		report.Rows += n
	}
	for _, p := range w.summary.Parts {
		report.Bytes += p.Bytes
	}
	err = w.close()
	return w.out.n, err
}

func (s Source) writeKeys(ctx context.Context, from *snapshot, to io.Writer, report *Report) error {
	m := from.manifest
	m.Kind, m.Method, m.Audit = kindKeys, MethodCopy, nil
	m.Tables = nil
	for _, t := range keyTables {
		m.Tables = append(m.Tables, t.Table)
	}
	w, err := newWriter(to, s.Recipients, m)
	if err != nil {
		return err
	}
	for _, t := range keyTables {
		if err := from.copyTo(ctx, w, t.Name, t.query); err != nil {
			return err
		}
	}
	report.People, report.Erased = w.summary.Rows[personKeys], w.summary.Rows[erasures]
	return w.close()
}

// lines counts rows as COPY writes them: one a line.
type lines int64

func (l *lines) Write(b []byte) (int, error) {
	for _, c := range b {
		if c == '\n' {
			*l++
		}
	}
	return len(b), nil
}

// countRows reads a part and counts its rows.
func countRows(name string, content io.Reader) (int64, error) {
	var n lines
	if _, err := io.Copy(&n, content); err != nil {
		return 0, err
	}
	if name == dumpPart {
		return -1, nil
	}
	return int64(n), nil
}

var errNoRecipients = onward.Errorf(onward.EInvalid, "say for whom the backup is: --recipient age1…, --recipients-file or ONWARD_BACKUP_RECIPIENTS; 'onward backup keygen' makes one")

// ready checks what a backup needs before it begins.
func (s Source) ready() error {
	if len(s.Recipients) == 0 {
		return errNoRecipients
	}
	if s.Method != MethodCopy && s.Method != MethodDump {
		return errors.New("--method: use copy or pg_dump")
	}
	return nil
}
