package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/store"
	"onward/store/vault"
)

func TestTokensAreMadeAnewOfWhatIsSealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 3 {
		d := secretive()
		d.ExternalID = strings.Repeat("x", i+1)
		b.registered(counsellor, d)
	}
	const asked = `SELECT organisation_id::text || returnee_id || kind || token::text FROM identity_tokens ORDER BY 1`
	all := func() (list []string) {
		t.Helper()
		if err := b.admin().SelectContext(t.Context(), &list, asked); err != nil {
			t.Fatal(err)
		}
		return list
	}
	before := all()
	b.sql(`DELETE FROM identity_tokens`)
	k := b.keeper(keys)
	if n, err := k.RebuildTokens(t.Context()); err != nil || n != 3 {
		t.Errorf("%d people, %v", n, err)
	}
	if after := all(); !slices.Equal(after, before) || len(after) == 0 {
		t.Errorf("%d tokens became %d", len(before), len(after))
	}
	if err := k.OpenOwn(t.Context()); err != nil {
		t.Error(err)
	}
	another, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	other := b.keeper(another)
	_, err = other.RebuildTokens(t.Context())
	wantCode(t, err, onward.EUnavailable)
	wantCode(t, other.OpenOwn(t.Context()), onward.EUnavailable)

	var key []byte
	var person onward.ID
	if err := b.admin().QueryRowContext(t.Context(), `SELECT returnee_id, key FROM returnee_identities LIMIT 1`).Scan(&person, &key); err != nil {
		t.Fatal(err)
	}
	if err := store.KeyOpens(keys, person, key); err != nil {
		t.Error(err)
	}
	wantCode(t, store.KeyOpens(another, person, key), onward.EUnavailable)
	wantCode(t, store.KeyOpens(keys, onward.NewID(), key), onward.EUnavailable)
}

func TestARestoreIsInEachChainOfTheAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.registered(counsellor, secretive())
	chains, err := b.store.AuditHeads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.keeper(keys).NoteRestore(t.Context(), time.Date(2026, 3, 9, 1, 2, 3, 0, time.UTC), strings.Repeat("ab", 32)); err != nil {
		t.Fatal(err)
	}
	var notes []string
	if err := b.admin().SelectContext(t.Context(), &notes, `SELECT (entry::jsonb - 'at')::text FROM audit WHERE entry::jsonb ->> 'action' = 'restore'`); err != nil {
		t.Fatal(err)
	}
	want := `{"ids": [], "why": "restored from the backup of 2026-03-09T01:02:03Z", "role": "system", "after": "` + strings.Repeat("ab", 32) + `", "action": "restore", "resource": "database"}`
	if len(notes) != len(chains) || notes[0] != want {
		t.Errorf("%d chains hold %v, want %s", len(chains), notes, want)
	}
	if _, flaws := b.verified(chains...); len(flaws) != 0 {
		t.Error(flaws)
	}
}

func TestNoticesOfTheTimeBeforeARestoreAreGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sql(`INSERT INTO events (id, organisation_id, kind, subject_id, status, at) SELECT gen_random_uuid(), '` + ours.ID.String() + `', 'test', gen_random_uuid(), '', now() FROM generate_series(1, 3);
		INSERT INTO deliveries (id, event_id, organisation_id, channel, status, next_try_at, created_at)
			SELECT gen_random_uuid(), id, organisation_id, 'email', CASE n WHEN 3 THEN 'sent' ELSE 'queued' END, now(), now() - CASE n WHEN 1 THEN interval '0' ELSE interval '2 days' END
			FROM (SELECT *, row_number() OVER () AS n FROM events) e`)
	if n, err := b.keeper(keys).DropNotices(t.Context(), time.Now().Add(-24*time.Hour)); err != nil || n != 1 {
		t.Errorf("%d given up, %v", n, err)
	}
	var left []string
	if err := b.admin().SelectContext(t.Context(), &left, `SELECT status || (next_try_at IS NULL) FROM deliveries ORDER BY 1`); err != nil || !slices.Equal(left, []string{"failedtrue", "queuedfalse", "sentfalse"}) {
		t.Errorf("left are %v, %v", left, err)
	}
}
