package testenv

import (
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
)

// Dump is all that a database holds, as text: every row of every table, and what is stored as bytes once more as the characters that they
// are. It is what somebody would search who got hold of a copy.
func Dump(t testing.TB, ownerURL string) string {
	t.Helper()
	db, err := sqlx.ConnectContext(t.Context(), "postgres", ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var tables []string
	if err := db.SelectContext(t.Context(), &tables, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		var rows []string
		if err := db.SelectContext(t.Context(), &rows, `SELECT t::text || coalesce((SELECT string_agg(encode(decode(substr(v #>> '{}', 3), 'hex'), 'escape'), ' ') FROM jsonb_each(to_jsonb(t)) e(k, v)
			WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '^\\\\x([0-9a-f]{2})+$'), '') FROM `+table+` t`); err != nil {
			t.Fatal(table, err)
		}
		all.WriteString(strings.Join(rows, "\n"))
	}
	return all.String()
}
