// Package store keeps everything in Postgres: sqlx, the SQL beside the method that runs it, transactions that carry
// their actor for row-level security, and the outbox. Nothing outside sees SQL or a transaction of the driver.
package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"aidanwoods.dev/go-paseto"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/sync/singleflight"

	"onward"
	"onward/store/password"
	"onward/store/vault"
)

// Config says how to reach Postgres.
type Config struct {
	// URL is a postgres:// URL of a login that is a member of onward_app, or owns it. Every connection switches to
	// onward_app, whatever the login could do.
	URL string
	// MaxConns limits the pool. 0: 20.
	MaxConns int
	// Now is the clock, for tests. nil: that of the database, which all processes share, wherever their own clocks jump.
	Now func() time.Time
	// Vocabulary validates skills and places. nil: writes that need one fail with EUnavailable.
	Vocabulary onward.Vocabulary
	// Vault seals what identifies people, and Onward's own keys.
	Vault *vault.Vault
	// Passwords checks and keeps passwords. nil: those without a list of breached ones.
	Passwords *password.Passwords
	// PrivateWebhooks lets webhooks have plain http URLs, for servers that allow private networks.
	PrivateWebhooks bool
}

// Store is the database.
type Store struct {
	db         *sqlx.DB
	url        string
	now        func() time.Time
	vocabulary onward.Vocabulary
	packer     *packer
	// privateWebhooks: see Config.
	privateWebhooks bool
	links           *atomic.Pointer[paseto.V4SymmetricKey] // the key of answer links, once it was read
	vault           *vault.Vault
	blind           *atomic.Pointer[[]byte]    // the key of identity tokens, once it was read
	reasons         *atomic.Pointer[vault.Key] // the key of reasons in the audit, once it was read
	counting        *singleflight.Group        // of figures
	passwords       *password.Passwords
}

// statementTimeout bounds every statement of a request or task. Rebuilds read in batches and stay far below it.
const statementTimeout = 30 * time.Second

// Open connects and makes sure that row-level security holds for this connection: EForbidden if the role that the
// statements run as could bypass it.
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.MaxConns == 0 {
		config.MaxConns = 20
	}
	if config.Vault == nil {
		return nil, onward.Errorf(onward.EInvalid, "there are no keys to seal with; 'onward keys create' makes them")
	}
	if config.Passwords == nil {
		var err error
		if config.Passwords, err = password.New(""); err != nil {
			return nil, err
		}
	}
	dsn, err := withParameters(config.URL, map[string]string{
		"role":                                "onward_app",
		"binary_parameters":                   "yes", // one round trip a statement instead of two
		"application_name":                    "onward",
		"statement_timeout":                   fmt.Sprint(statementTimeout.Milliseconds()),
		"idle_in_transaction_session_timeout": "60000",
		"timezone":                            "UTC",
		"jit":                                 "off", // short statements: compiling them costs more than it saves
	})
	if err != nil {
		return nil, err
	}
	connector, err := pq.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(config.MaxConns)
	db.SetMaxIdleConns(config.MaxConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	packer, err := newPacker()
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, url: dsn, now: config.Now, vocabulary: config.Vocabulary, packer: packer, privateWebhooks: config.PrivateWebhooks, links: &atomic.Pointer[paseto.V4SymmetricKey]{}, vault: config.Vault, blind: &atomic.Pointer[[]byte]{}, reasons: &atomic.Pointer[vault.Key]{}, counting: &singleflight.Group{}, passwords: config.Passwords}
	if err := s.checkRole(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := s.checkKeys(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// WithVocabulary is the same store with a vocabulary, which is read from the store itself.
func (s *Store) WithVocabulary(v onward.Vocabulary) *Store {
	with := *s
	with.vocabulary = v
	return &with
}

func withParameters(raw string, parameters map[string]string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		// The URL holds a password, so the message must not repeat it.
		return "", onward.Errorf(onward.EInvalid, "the database URL must have the form postgres://user:password@host:port/database")
	}
	query := u.Query()
	for key, value := range parameters {
		query.Set(key, value)
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

func (s *Store) checkRole(ctx context.Context) error {
	var bypasses bool
	err := s.db.GetContext(ctx, &bypasses, `SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user`)
	if err != nil {
		return unavailable("connect to the database", err)
	}
	if bypasses {
		return onward.Errorf(onward.EForbidden, "the database role bypasses row-level security; use a login that is a member of onward_app")
	}
	return nil
}

// checkKeys reads keys of Onward's own, which later on would need a connection beside that of a transaction. EUnavailable when the keys
// are not those of this database; a database that is not migrated yet has none.
func (s *Store) checkKeys(ctx context.Context) error {
	_, err := s.blindKey(ctx)
	if err == nil {
		_, err = s.auditKey(ctx)
	}
	var pqErr *pq.Error
	if errors.As(err, &pqErr) && (pqErr.Code == "42P01" || pqErr.Code == "42703") {
		return nil
	}
	return err
}

// Close ends all connections.
func (s *Store) Close() error { return s.db.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return unavailable("ping the database", err)
	}
	return nil
}

// Today is the UTC day.
func (s *Store) Today() onward.Date { return onward.DateOf(s.clock()) }

// clock is the time outside of transactions, where no deadline hangs on it.
func (s *Store) clock() time.Time {
	if s.now != nil {
		return s.now()
	}
	return time.Now()
}

// Tx is one transaction of one actor. Its methods are the only way to write.
type Tx struct {
	tx    *sqlx.Tx
	store *Store
	Actor onward.Actor
	// now is when the transaction began, by the clock of the database, and as exact as it keeps times.
	now time.Time
	// reads are those of what identifies people, for the audit.
	reads map[string]*auditRead
	// keys are those of people whose texts were opened or sealed.
	keys map[onward.ID]vault.Key
}

func textOf(id onward.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// maxTries bounds how often a transaction is run again after a deadlock or a serialisation failure.
const maxTries = 4

// InTx runs fn in a transaction for an actor, commits when it returns nil and rolls back otherwise. fn may run more
// than once: it must not have effects outside the transaction.
func (s *Store) InTx(ctx context.Context, actor onward.Actor, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := s.inTxOnce(ctx, actor, fn)
		if !retryable(err) || try == maxTries || ctx.Err() != nil {
			return err
		}
		// Both sides of a deadlock can be ended at once: without a pause of chance they would meet again.
		time.Sleep(rand.N(time.Duration(try) * retryPause)) //nolint:gosec // nothing secret hangs on it
	}
}

// retryPause is the longest pause after the first try; it grows with each.
const retryPause = 100 * time.Millisecond

func (s *Store) inTxOnce(ctx context.Context, actor onward.Actor, fn func(*Tx) error) error {
	if actor.Role == "" {
		return onward.Errorf(onward.EUnauthenticated, "no one is signed in")
	}
	why, err := s.sealReason(ctx, actor)
	if err != nil {
		return wrap("set actor", err)
	}
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return wrap("begin", translate(err))
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing; a panic in fn must not keep the connection
	var now time.Time
	var set string
	if err := tx.QueryRowxContext(ctx, `SELECT now(), set_config('onward.role', $1, true), set_config('onward.organisation', $2, true) || set_config('onward.user', $3, true)
			|| set_config('onward.token', $4, true) || set_config('onward.request', $5, true) || set_config('onward.from', $6, true) || set_config('onward.why', $7, true)`,
		string(actor.Role), textOf(actor.OrganisationID), textOf(actor.UserID), textOf(actor.TokenID), actor.RequestID, actor.From, why).Scan(&now, &set, &set); err != nil {
		return wrap("set actor", translate(err))
	}
	if s.now != nil {
		now = s.now()
	}
	t := &Tx{tx: tx, store: s, Actor: actor, now: now.UTC().Truncate(time.Microsecond)}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.writeReads(ctx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return wrap("commit", translate(err))
	}
	return nil
}

// today is the UTC day of the transaction.
func (tx *Tx) today() onward.Date { return onward.DateOf(tx.now) }

func (tx *Tx) get(ctx context.Context, dest any, query string, args ...any) error {
	return translate(tx.tx.GetContext(ctx, dest, query, args...))
}

func (tx *Tx) selectAll(ctx context.Context, dest any, query string, args ...any) error {
	return translate(tx.tx.SelectContext(ctx, dest, query, args...))
}

func (tx *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := tx.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, translate(err)
	}
	n, err := result.RowsAffected()
	return n, translate(err)
}

// translate gives driver errors a code.
func translate(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return tookTooLong(err)
	}
	var pqErr *pq.Error
	if !errors.As(err, &pqErr) {
		return unavailable("talk to the database", err)
	}
	class := string(pqErr.Code[:2])
	if class == "22" || class == "23" {
		err = driverError{pqErr}
	}
	switch {
	case pqErr.Code == "57014":
		return tookTooLong(err)
	case class == "08" || class == "57" || class == "53" || pqErr.Code == "55P03":
		return unavailable("talk to the database", err)
	case pqErr.Code == "23505":
		return onward.Errorf(onward.EConflict, "this exists already").Because(err)
	case pqErr.Code == "23503":
		return onward.Errorf(onward.EInvalid, "this names a record that does not exist").Because(err)
	case pqErr.Code == "22021" || pqErr.Code == "22P05":
		return errUnstorable().Because(err)
	case pqErr.Code == "42501":
		return onward.Errorf(onward.EForbidden, "your role does not allow this").Because(err)
	default:
		return err
	}
}

// driverError keeps the values of a row out of the message: Postgres repeats them when they break a constraint or
// can't be read. The error itself stays in the chain for errors.As.
type driverError struct{ err *pq.Error }

func (e driverError) Error() string {
	return fmt.Sprintf("postgres error %s, table %q, constraint %q", e.err.Code, e.err.Table, e.err.Constraint)
}

func (e driverError) Unwrap() error { return e.err }

func tookTooLong(err error) error {
	return onward.Errorf(onward.EUnavailable, "the database took too long; try again").Because(err)
}

func errUnstorable() *onward.Error {
	return onward.Errorf(onward.EInvalid, "send text as UTF-8, without NUL characters")
}

// storable says whether Postgres would take a text; one that is sealed or hashed it does not see.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// marshal is json.Marshal for what goes into a jsonb column. EInvalid for text that Postgres can't keep as it came: NUL,
// which it refuses, and broken UTF-8, which json.Marshal would replace without a word.
func marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		if rest := b[i:]; bytes.HasPrefix(rest, []byte(`\u0000`)) || bytes.HasPrefix(rest, []byte(`\ufffd`)) {
			return nil, errUnstorable()
		}
		i++ // the escaped character, which may be a backslash
	}
	return b, nil
}

// vocabulary is the vocabulary, which isn't there while the process starts.
func (tx *Tx) vocabulary() (onward.Vocabulary, error) {
	if tx.store.vocabulary == nil {
		return nil, onward.Errorf(onward.EUnavailable, "the reference data is not loaded yet; try again in a moment")
	}
	return tx.store.vocabulary, nil
}

func unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w", doing, onward.Errorf(onward.EUnavailable, "the database is away; try again in a moment").Because(err))
}

func retryable(err error) bool {
	var pqErr *pq.Error
	return errors.As(err, &pqErr) && (pqErr.Code == "40001" || pqErr.Code == "40P01")
}

// constraintOf names the constraint that a statement broke.
func constraintOf(err error) string {
	var pqErr *pq.Error
	if errors.As(err, &pqErr) {
		return pqErr.Constraint
	}
	return ""
}

func notFound(err error, message string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return onward.Errorf(onward.ENotFound, "%s", message)
	}
	return err
}
