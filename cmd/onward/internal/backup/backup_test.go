package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"onward"
	"onward/internal/testenv"
	"onward/store"
	"onward/store/vault"
)

// schema is all that migrations make, in words.
const schema = `SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'
	UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE connamespace = 'public'::regnamespace
	UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
	UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
	UNION ALL SELECT 'policy ' || tablename || ' ' || policyname || ' ' || coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies
	UNION ALL SELECT 'right ' || relname || ' ' || coalesce(relacl::text, '') FROM pg_class WHERE relnamespace = 'public'::regnamespace
	UNION ALL SELECT 'security ' || relname FROM pg_class WHERE relrowsecurity
	UNION ALL SELECT 'function ' || p.oid::regprocedure || md5(prosrc) || prosecdef || coalesce(proacl::text, '') FROM pg_proc p WHERE pronamespace = 'public'::regnamespace ORDER BY 1`

// rows is what each table holds, but for what a restore changes.
func (b *bench) rows() map[string]string {
	b.t.Helper()
	all := map[string]string{}
	for _, table := range b.strings(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('goose_db_version', 'audit', 'audit_heads', 'sessions')`) {
		all[table] = strings.Join(b.strings(`SELECT (to_jsonb(t) - 'changed_in')::text FROM `+table+` t ORDER BY 1`), "\n")
	}
	return all
}

func TestARestoreBringsBackAllThatWasThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.restoresAll(MethodCopy)
}

// restoresAll backs up, changes everything, restores and compares.
func (b *bench) restoresAll(method Method) {
	t := b.t
	t.Helper()
	r := b.register("Zapotécatl")
	b.in(poster, func(tx *store.Tx) error {
		_, err := tx.CreateOpportunity(t.Context(), store.NewOpportunity{Publish: true, Details: onward.OpportunityDetails{
			Title: onward.Text{"en": "Bricklayer", "es": `Albañil \ "con"`}, Description: onward.Text{"en": "tab\tand\nline"}, Kind: onward.Job, Remote: true, Capacity: 3, Skills: []onward.OpportunitySkill{{SkillID: bricks, Essential: true}},
		}})
		return err
	})
	b.sql(`UPDATE opportunities SET changed_in = '987654321', version = version + 1`) // of another server
	before, was := b.rows(), b.strings(schema)
	heads := b.strings(`SELECT seq || encode(hash, 'hex') FROM audit_heads ORDER BY organisation_id`)
	source := b.source()
	source.Method = method
	report, archive, keysFile, err := source.WriteTo(t.Context(), b.dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if report.People != 1 || report.Erased != 0 || report.Rows < 20 || report.Manifest.Schema < 20 {
		t.Errorf("the report is %+v", report)
	}
	for _, path := range []string{archive, keysFile} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	b.register("Later")
	b.in(counsellor, func(tx *store.Tx) error {
		d := r.ReturneeDetails
		d.Identity.FamilyName = "Changed"
		_, err := tx.UpdateReturnee(t.Context(), r.ID, r.Version, d)
		return err
	})

	// Nobody may be connected.
	open := b.open()
	_, err = b.restoreOf(archive).Run(t.Context())
	wantCode(t, err, onward.EConflict, "stop all servers")
	_ = open.Close()

	done := b.restore(archive)
	if done.People != 1 || done.Erased != 0 || done.AuditEntries == 0 || done.Rows != report.Rows || done.Kept == "" {
		t.Errorf("restored %+v", done)
	}
	after := b.rows()
	for table, want := range before {
		if after[table] != want {
			t.Errorf("%s holds\n%s\nand held\n%s", table, after[table], want)
		}
	}
	if now := b.strings(schema); !slices.Equal(now, was) {
		t.Errorf("the schema is another:\n%v\n%v", difference(now, was), difference(was, now))
	}
	if got := b.found("zapotecatl"); !slices.Equal(got, []string{"Zapotécatl"}) {
		t.Errorf("found %v", got)
	}
	if got := append(b.found("later"), b.found("changed")...); got != nil {
		t.Errorf("what was written after the backup is found: %v", got)
	}
	// The audit goes on from where it was, and says that this is a copy.
	anchors := b.strings(`SELECT a.seq || encode(a.hash, 'hex') FROM audit a JOIN audit r ON r.organisation_id = a.organisation_id AND r.seq = a.seq + 1
		WHERE r.entry::jsonb ->> 'action' = 'restore' ORDER BY a.organisation_id`)
	if !slices.Equal(anchors, heads) {
		t.Errorf("before it says so, the audit ends at %v, and ended at %v", anchors, heads)
	}
	if notes := b.strings(`SELECT DISTINCT entry::jsonb ->> 'why' FROM audit WHERE entry::jsonb ->> 'action' = 'restore'`); len(notes) != 1 || !strings.HasPrefix(notes[0], "restored from the backup of 20") {
		t.Errorf("the audit notes %v", notes)
	}
	s := b.open()
	if _, flaws, err := s.VerifyAudit(t.Context(), nil); err != nil || len(flaws) > 0 {
		t.Error(flaws, err)
	}
	// What is written from now on has new numbers, and is followed.
	next, err := s.ChangedSince(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ahead := b.strings(fmt.Sprintf(`SELECT id::text FROM opportunities WHERE changed_in >= '%d'::xid8`, next)); len(ahead) > 0 {
		t.Errorf("%v were changed by transactions that are yet to come", ahead)
	}
	_ = s.Close()
	b.register("Afterwards")
	if got := b.found("afterwards"); len(got) != 1 {
		t.Errorf("found %v", got)
	}
	if next := b.strings(`SELECT (nextval('outbox_id_seq') > 4294967296)::text`); next[0] != "true" {
		t.Error("promises go on with numbers that lost tasks may have")
	}
}

func difference(a, b []string) (only []string) {
	for _, line := range a {
		if !slices.Contains(b, line) {
			only = append(only, line)
		}
	}
	return only
}

// opened is the plain text of an archive, as the tools of age and zstd give it.
func opened(t testing.TB, path, kind string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := openArchive(f, kind, []age.Identity{owner}, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	var all strings.Builder
	if _, err := r.each(func(name string, content io.Reader) (int64, error) {
		all.WriteString(name + "\n")
		_, err := io.Copy(&all, content)
		return -1, err
	}); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestTheArchiveHoldsNoKeyAndNoFileTellsAnyone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.register("Zapotécatl")
	_, archive, keysFile := b.backup()
	key := b.strings(`SELECT encode(key, 'hex') FROM returnee_identities`)[0]
	plain := opened(t, archive, kindDatabase)
	if !strings.Contains(plain, r.ID.String()) || !strings.Contains(plain, `"given_name"`) {
		t.Error("the archive does not hold the person at all")
	}
	for _, token := range append(b.strings(`SELECT encode(token, 'hex') FROM identity_tokens`), key) {
		if strings.Contains(plain, token) {
			t.Errorf("the archive holds %s", token)
		}
	}
	if !strings.Contains(opened(t, keysFile, kindKeys), key) {
		t.Error("the keys do not hold the key")
	}
	for _, path := range []string{archive, keysFile} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"Zapot", "Xochi", r.ID.String(), "returnees", "manifest", "agency"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s holds %q", path, word)
			}
		}
	}
	if names := strings.Join(b.files(), " "); !regexp.MustCompile(`^onward-[0-9a-f]{8}-\d{8}T\d{6}Z.backup onward-[0-9a-f]{8}-keys.backup$`).MatchString(names) {
		t.Errorf("the files are %s", names)
	}
}

func TestWhoIsErasedIsInNoBackupThatIsRestored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone, stays := b.register("Zapotécatl"), b.register("Quiñones")
	_, archive, keysFile := b.backup()
	old := b.copyOf(keysFile, "old-keys") // which nobody may keep
	key := b.strings(`SELECT encode(key, 'hex') FROM returnee_identities WHERE returnee_id = '` + gone.ID.String() + `'`)[0]
	b.erase(gone.ID)
	report, none, _, err := b.source().WriteTo(t.Context(), b.dir, true)
	if err != nil || none != "" || report.People != 1 || report.Erased != 1 {
		t.Fatalf("%+v %q %v", report, none, err)
	}
	if strings.Contains(opened(t, keysFile, kindKeys), key) {
		t.Error("the keys still hold that of the person")
	}

	done := b.restore(archive)
	if done.Erased != 1 || done.People != 1 {
		t.Errorf("%+v", done)
	}
	dump := testenv.Dump(t, b.owner)
	for _, value := range []string{"Zapot", "case of Zapot", key, `"given_name": "` + gone.ID.String()} {
		if strings.Contains(dump, value) {
			t.Errorf("the restored database holds %q", value)
		}
	}
	if left := b.strings(`SELECT i.identity::text || coalesce(i.key::text, '') || (SELECT count(*) FROM identity_tokens t WHERE t.returnee_id = i.returnee_id) || (r.details - 'country')::text
		FROM returnee_identities i JOIN returnees r ON r.id = i.returnee_id WHERE r.erased_at IS NOT NULL`); !slices.Equal(left, []string{"{}0{}"}) {
		t.Errorf("of the person is left %v", left)
	}
	if got := b.found("xochiquetzal"); !slices.Equal(got, []string{"Quiñones"}) {
		t.Errorf("found %v, want who stays", got)
	}
	var why []string
	b.in(supervisor, func(tx *store.Tx) error {
		entries, err := tx.Audit(t.Context(), gone.ID, 100)
		for _, e := range entries {
			if e.Action == "change" && e.Resource == "returnees" {
				why = append(why, e.Why)
			}
		}
		return err
	})
	if !slices.Equal(why, []string{"erased again after a restore"}) {
		t.Errorf("the audit says %q", why)
	}
	if n := b.strings(`SELECT count(*)::text FROM consent_records WHERE what = 'withdrawn' AND returnee_id = '` + gone.ID.String() + `'`); n[0] != "1" {
		t.Errorf("%s consents were ended", n)
	}
	// The next restore of the same archive, with keys of the restored database, erases again.
	if _, _, _, err := b.source().WriteTo(t.Context(), b.dir, true); err != nil {
		t.Fatal(err)
	}
	if done := b.restore(archive); done.Erased != 1 {
		t.Errorf("%+v", done)
	}
	// With keys from before the erasure everybody is there: that is why only the latest may be kept.
	r := b.restoreOf(archive)
	r.Keys = old
	if done, err := r.Run(t.Context()); err != nil || done.Erased != 0 {
		t.Errorf("%+v %v", done, err)
	}
	_ = stays
}

func TestWhoWasErasedAfterALegalHoldHasNoNameAndIsErasedWhenItEndsAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone := b.register("Zapotécatl")
	var hold onward.LegalHold
	b.in(supervisor, func(tx *store.Tx) (err error) {
		hold, err = tx.PlaceHold(t.Context(), onward.LegalHoldDetails{ReturneeID: gone.ID, Reason: "labour court, case 4711 of 2026", ReviewOn: onward.DateOf(time.Now()).AddDays(30)})
		return err
	})
	_, archive, _ := b.backup()
	release := func() {
		b.in(supervisor, func(tx *store.Tx) error {
			_, err := tx.ReleaseHold(t.Context(), hold.ID, "the case is closed")
			return err
		})
	}
	release()
	b.erase(gone.ID)
	if _, _, _, err := b.source().WriteTo(t.Context(), b.dir, true); err != nil {
		t.Fatal(err)
	}
	if done := b.restore(archive); done.Erased != 0 || done.Held != 1 || done.People != 0 {
		t.Errorf("%+v", done)
	}
	if got := b.found("zapotecatl"); got != nil {
		t.Errorf("found %v", got)
	}
	const left = `SELECT (r.erased_at IS NOT NULL)::text || i.identity || coalesce(i.key::text, '') FROM returnee_identities i JOIN returnees r ON r.id = i.returnee_id`
	if got := b.strings(`SELECT (r.erased_at IS NULL AND NOT i.identity ?| '{given_name,family_name,phone,external_id,notes}')::text FROM returnee_identities i JOIN returnees r ON r.id = i.returnee_id`); !slices.Equal(got, []string{"true"}) {
		t.Errorf("under the hold is left %v", b.strings(left))
	}
	release()
	s := b.open()
	if n, err := s.CarryOutErasures(t.Context()); err != nil || n != 1 {
		t.Errorf("%d erased, %v", n, err)
	}
	_ = s.Close()
	if got := b.strings(left); !slices.Equal(got, []string{"true{}"}) {
		t.Errorf("after the hold is left %v", got)
	}
}

func TestPeopleOfWhomTheKeysKnowNothingAreNotErasedUnasked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register("Quiñones")
	_, first, _ := b.backup()
	lost := b.register("Zapotécatl")
	time.Sleep(1100 * time.Millisecond) // archives are named by the second
	_, second, _ := b.backup()
	b.restore(first)
	time.Sleep(1100 * time.Millisecond)
	b.backup() // whose keys know nothing of who was registered in the time that was lost
	_, err := b.restoreOf(second).Run(t.Context())
	wantCode(t, err, onward.EConflict, "--erase-unknown")
	if got := b.found("xochiquetzal"); !slices.Equal(got, []string{"Quiñones"}) {
		t.Errorf("after a refused restore, found %v", got)
	}
	r := b.restoreOf(second)
	r.EraseUnknown = true
	if done, err := r.Run(t.Context()); err != nil || done.Erased != 1 {
		t.Errorf("%+v %v", done, err)
	}
	if got := b.strings(`SELECT returnee_id::text FROM erasures`); !slices.Equal(got, []string{lost.ID.String()}) {
		t.Errorf("%v were erased", got)
	}
}

func TestWhatWasRevokedSinceStaysRevokedAndNobodyIsSignedIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sql(`INSERT INTO api_tokens (id, organisation_id, user_id, name, secret_hash) SELECT gen_random_uuid(), organisation_id, id, 'stolen', sha256(id::text::bytea) FROM users`,
		`INSERT INTO sessions SELECT id::text, gen_random_uuid(), id, organisation_id, 'complete', 'password', '192.0.2.7', 'a browser', now(), now(), now(), now() + interval '1 day', now() + interval '1 day' FROM users`)
	_, archive, _ := b.backup()
	if text := opened(t, archive, kindDatabase); strings.Contains(text, "192.0.2.7") || !strings.Contains(text, "stolen") {
		t.Error("the archive says who is signed in, or nothing of tokens")
	}
	b.sql(`UPDATE api_tokens SET revoked_at = '2026-03-01' WHERE user_id = '`+counsellor.UserID.String()+`'`, `UPDATE users SET suspended_at = '2026-03-02' WHERE id = '`+poster.UserID.String()+`'`)
	if _, _, _, err := b.source().WriteTo(t.Context(), b.dir, true); err != nil {
		t.Fatal(err)
	}
	b.restore(archive)
	if got := b.strings(`SELECT u.role || coalesce(t.revoked_at::date::text, '') || coalesce(u.suspended_at::date::text, '') FROM users u JOIN api_tokens t ON t.user_id = u.id ORDER BY 1`); !slices.Equal(got, []string{
		"counsellor2026-03-01", "employer2026-03-02", "supervisor",
	}) {
		t.Errorf("restored are %v", got)
	}
	if n := b.strings(`SELECT count(*)::text FROM sessions`); n[0] != "0" {
		t.Errorf("%s are signed in", n)
	}
}

// TestMemoryDoesNotGrowWithTheDatabase: a part of 96 MB passes through both ways. It runs alone, since the heap is everybody's.
func TestMemoryDoesNotGrowWithTheDatabase(t *testing.T) {
	b := setup(t)
	b.sql(`INSERT INTO opportunity_versions SELECT gen_random_uuid(), 1, '` + employer.ID.String() + `', jsonb_build_object('text', (SELECT string_agg(md5((x * 100000 + n)::text), '') FROM generate_series(1, 2000) x)) FROM generate_series(1, 1500) n`)
	const most = 64 << 20
	var report Report
	var archive string
	if peak := heapDuring(t, func() { report, archive, _ = b.backup() }); peak > most || report.Bytes < 95e6 {
		t.Errorf("the backup of %d MB held %d MB", report.Bytes>>20, peak>>20)
	}
	if peak := heapDuring(t, func() { b.restore(archive) }); peak > most {
		t.Errorf("the restore of %d MB held %d MB", report.Bytes>>20, peak>>20)
	}
}

// heapDuring is how much more the heap held at most while something ran.
func heapDuring(t *testing.T, run func()) uint64 {
	t.Helper()
	held := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	// What is garbage is collected soon, also where the machine is busy: it is what is held that must not grow.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	before, peak := held(), uint64(0)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			peak = max(peak, held())
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	run()
	close(done)
	watching.Wait()
	t.Logf("the heap held %.1f MB more at most", float64(peak-min(peak, before))/(1<<20))
	return peak - min(peak, before)
}

// FuzzArchive reads what somebody made who knows the recipient: no text may make the reader fail otherwise than by an error, or hold much.
func FuzzArchive(f *testing.F) {
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, e := range [][2]string{
		{manifestName, `{"format": 1, "kind": "database", "schema": 1, "tables": [{"name": "users", "columns": ["id"]}]}`},
		{"tables/users/000001", "1\n2\n"},
		{summaryName, `{"parts": {"tables/users": {"bytes": 4, "sha256": "x"}}, "rows": {"users": 2}}`},
	} {
		if err := w.WriteHeader(&tar.Header{Name: e[0], Size: int64(len(e[1])), Mode: 0o600}); err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte(e[1])); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(window))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoder.EncodeAll(plain.Bytes(), nil))
	f.Add(plain.Bytes())
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, packed []byte) {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, owner.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(packed); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := openArchive(&out, kindDatabase, []age.Identity{owner}, 20)
		if err != nil {
			if onward.CodeOf(err) == onward.EInternal {
				t.Errorf("%v", err)
			}
			return
		}
		defer r.close()
		if _, err := r.each(countRows); err != nil && onward.CodeOf(err) == onward.EInternal {
			t.Errorf("%v", err)
		}
	})
}

// forge writes an archive with another manifest.
func (b *bench) forge(change func(*Manifest)) string {
	b.t.Helper()
	path := filepath.Join(b.dir, "forged")
	f, err := os.Create(path)
	if err != nil {
		b.t.Fatal(err)
	}
	m := Manifest{Kind: kindDatabase, Onward: "9.9.9", Schema: 1}
	change(&m)
	w, err := newWriter(f, []age.Recipient{owner.Recipient()}, m)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := errors.Join(w.close(), f.Close()); err != nil {
		b.t.Fatal(err)
	}
	return path
}

func TestWhatCanNotBeRestoredIsRefusedBeforeAnythingIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register("Zapotécatl")
	_, archive, keysFile := b.backup()
	old := b.copyOf(keysFile, "old-keys")
	time.Sleep(1100 * time.Millisecond)
	_, archive2, _ := b.backup()
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	otherVault, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	other := setup(t)
	other.sql(`UPDATE installation SET id = gen_random_uuid()`)
	_, _, otherKeys := other.backup()
	write := func(name string, text []byte) string {
		path := filepath.Join(b.dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// No table of names of files: with the keys named, whatever is at the end is reached.
	cases := []struct {
		name   string
		change func(*Restore)
		code   onward.Code
		says   string
	}{
		{"another identity", func(r *Restore) { r.Identities = []age.Identity{stranger} }, onward.EForbidden, "none of the identities"},
		{"no file", func(r *Restore) { r.Archive += "x" }, onward.ENotFound, "can't be opened"},
		{"no archive", func(r *Restore) { r.Archive = write("text", []byte("PGDMP, or something else")) }, onward.EInvalid, "no archive"},
		{"an empty file", func(r *Restore) { r.Archive = write("empty", nil) }, onward.EInvalid, "no archive"},
		{"the keys as the archive", func(r *Restore) { r.Archive = keysFile }, onward.EInvalid, "--keys"},
		{"the archive as the keys", func(r *Restore) { r.Keys = archive }, onward.EInvalid, "keys.backup"},
		{"no keys", func(r *Restore) { r.Keys += "x" }, onward.ENotFound, "without it no one has a name"},
		{"keys of another database", func(r *Restore) { r.Keys = otherKeys }, onward.EConflict, "another database"},
		{"older keys", func(r *Restore) { r.Archive, r.Keys = archive2, old }, onward.EConflict, "older"},
		{"cut keys", func(r *Restore) {
			text, err := os.ReadFile(keysFile)
			if err != nil {
				t.Fatal(err)
			}
			r.Keys = write("cut-keys", text[:len(text)-30])
		}, onward.EInvalid, "damaged or cut off"},
		{"another server's keys", func(r *Restore) { r.Vault = otherVault }, onward.EUnavailable, "ONWARD_KEYS"},
		{"no keys of the server", func(r *Restore) { r.Vault = nil }, onward.EInvalid, "ONWARD_KEYS"},
		{"a newer schema", func(r *Restore) { r.Archive = b.forge(func(m *Manifest) { m.Schema = 9999 }) }, onward.EConflict, "migration 9999"},
		{"a newer format", func(r *Restore) {
			r.Archive = b.forge(func(m *Manifest) { m.Schema = 1 })
			text, err := os.ReadFile(r.Archive)
			if err != nil {
				t.Fatal(err)
			}
			r.Archive = write("format", refit(t, text))
		}, onward.EConflict, "9.9.9 or newer"},
		{"audit heads that were kept elsewhere", func(r *Restore) {
			r.Anchors = []onward.AuditHead{{OrganisationID: agency.ID, Seq: 1, Hash: strings.Repeat("ab", 32)}}
		}, onward.EConflict, "not what was kept elsewhere"},
	}
	before := b.rows()
	for _, c := range cases {
		r := b.restoreOf(archive)
		r.Keys = keysFile
		c.change(&r)
		_, err := r.Run(t.Context())
		t.Log(c.name, "->", err)
		if onward.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %s with %q", c.name, err, c.code, c.says)
		}
	}
	// Cut anywhere, or altered anywhere, an archive is neither whole nor restored.
	check := b.restoreOf("")
	check.Keys = keysFile
	for i := range 60 {
		at := i * len(whole) / 60
		check.Archive = write("cut", whole[:at])
		if _, err := check.Check(t.Context()); onward.CodeOf(err) != onward.EInvalid {
			t.Errorf("cut at %d of %d: %v", at, len(whole), err)
		}
		flipped := slices.Clone(whole)
		flipped[at] ^= 1
		check.Archive = write("flipped", flipped)
		if _, err := check.Check(t.Context()); err == nil {
			t.Errorf("altered at %d of %d, it is whole", at, len(whole))
		}
	}
	check.Archive = write("longer", append(slices.Clone(whole), 0))
	if _, err := check.Check(t.Context()); onward.CodeOf(err) != onward.EInvalid {
		t.Errorf("with a byte more: %v", err)
	}
	// From a stream, which can't be read before, it is restored to nowhere either.
	stream := b.restoreOf("-")
	stream.Keys = keysFile
	for _, text := range [][]byte{whole[:len(whole)-20], whole[:len(whole)/2]} {
		stream.Input = strings.NewReader(string(text))
		if _, err := stream.Run(t.Context()); onward.CodeOf(err) != onward.EInvalid {
			t.Errorf("a stream that was cut: %v", err)
		}
	}
	if !sameRows(before, b.rows()) {
		t.Error("the database is another")
	}
	if left := b.strings(`SELECT datname FROM pg_database WHERE datname LIKE current_database() || '\_%'`); len(left) > 0 {
		t.Errorf("databases are left: %v", left)
	}
	stream.Input = strings.NewReader(string(whole))
	if done, err := stream.Run(t.Context()); err != nil || done.People != 1 {
		t.Errorf("the whole stream: %+v %v", done, err)
	}
}

func sameRows(a, b map[string]string) bool {
	for table := range a {
		if a[table] != b[table] {
			return false
		}
	}
	return len(a) == len(b)
}

// refit writes an archive anew with a manifest of another format.
func refit(t testing.TB, text []byte) []byte {
	t.Helper()
	r, err := age.Decrypt(strings.NewReader(string(text)), owner)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return repacked(t, plain, func(tar string) string { return strings.Replace(tar, `"format": 1`, `"format": 7`, 1) })
}

func TestABackupThatFailsLeavesTheOnesBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register("Zapotécatl")
	_, archive, keysFile := b.backup()
	before, err := os.ReadFile(keysFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []int{0, 10, 300, 5000} {
		if _, err := b.source().Write(t.Context(), &limitedDisk{room}, io.Discard); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
		if _, err := b.source().WriteStream(t.Context(), &limitedDisk{room}, keysFile); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, _, _, err := b.source().WriteTo(stopped, b.dir, false); err == nil {
		t.Error("a backup that was stopped did not fail")
	}
	unlock, err := lockDir(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = b.source().WriteTo(t.Context(), b.dir, false)
	wantCode(t, err, onward.EConflict, "another backup")
	unlock()
	_, _, _, err = b.source().WriteTo(t.Context(), filepath.Join(b.dir, "nowhere"), false)
	wantCode(t, err, onward.ENotFound, "mkdir")
	if after, err := os.ReadFile(keysFile); err != nil || string(after) != string(before) {
		t.Error("the keys were replaced by none", err)
	}
	if files := b.files(); !slices.Equal(files, []string{filepath.Base(archive), filepath.Base(keysFile)}) {
		t.Errorf("left are %v", files)
	}
	b.sql(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	_, _, _, err = b.source().WriteTo(t.Context(), b.dir, false)
	wantCode(t, err, onward.EConflict, "newer onward")
	s := b.source()
	s.Recipients = nil
	_, _, _, err = s.WriteTo(t.Context(), b.dir, false)
	wantCode(t, err, onward.EInvalid, "--recipient")
}

// limitedDisk has room for so many bytes.
type limitedDisk struct{ room int }

var errFull = errors.New("no space left on device")

func (d *limitedDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestARestoreThatIsStoppedAnywhereLeavesTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register("Zapotécatl")
	_, archive, _ := b.backup()
	b.register("Later")
	before := b.rows()
	steps := 0
	r := b.restoreOf(archive)
	r.Progress = func(string) { steps++ }
	for step := 1; ; step++ {
		ctx, stop := context.WithCancel(t.Context())
		n := 0
		r.Progress = func(string) {
			if n++; n == step {
				stop()
			}
		}
		_, err := r.Run(ctx)
		stop()
		if n < step {
			if err != nil || step < 8 {
				t.Fatalf("after %d steps: %v", n, err)
			}
			break
		}
		if err == nil {
			t.Fatalf("stopped at step %d, it was restored", step)
		}
		if !sameRows(before, b.rows()) {
			t.Fatalf("stopped at step %d, the database is another", step)
		}
	}
	if got := b.found("later"); got != nil {
		t.Errorf("found %v", got)
	}
	// What a restore left that was killed goes with the next.
	name := b.strings(`SELECT current_database() || '_restoring'`)[0]
	b.sql(`CREATE DATABASE ` + name)
	r.Progress, r.DropOld, r.Disconnect = nil, true, true
	open := b.open()
	done, err := r.Run(t.Context())
	if err != nil || done.Kept != "" {
		t.Errorf("%+v %v", done, err)
	}
	_ = open.Close()
	if left := b.strings(`SELECT datname FROM pg_database WHERE datname LIKE current_database() || '\_restoring%'`); len(left) > 0 {
		t.Errorf("databases are left: %v", left)
	}
}

func TestAServerThatDiesInARestoreComesBackWithTheDatabase(t *testing.T) {
	t.Parallel()
	database, server := testenv.OwnPostgres(t)
	b := &bench{t: t, owner: database.AdminDSN, dir: t.TempDir()}
	b.register("Zapotécatl")
	_, archive, _ := b.backup()
	b.register("Later")
	for _, step := range []string{"Filling", "Checking foreign keys", "Verifying"} {
		before := b.rows()
		r := b.restoreOf(archive)
		r.Progress = func(text string) {
			if strings.HasPrefix(text, step) {
				_ = syscall.Kill(server.PID(), syscall.SIGKILL)
			}
		}
		if _, err := r.Run(t.Context()); err == nil {
			t.Errorf("%s: the server was killed, and it was restored", step)
		}
		for range 300 {
			if time.Sleep(100 * time.Millisecond); server.Alive() {
				break
			}
		}
		if !sameRows(before, b.rows()) {
			t.Errorf("%s: the database is another", step)
		}
	}
	b.restore(archive)
	if got := b.found("xochiquetzal"); !slices.Equal(got, []string{"Zapotécatl"}) {
		t.Errorf("found %v", got)
	}
}

func TestRightsAndSettingsOfADatabaseStay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	name := b.strings(`SELECT current_database()`)[0]
	b.sql(`REVOKE ALL ON DATABASE `+name+` FROM PUBLIC`, `GRANT CONNECT ON DATABASE `+name+` TO onward_login`,
		`ALTER DATABASE `+name+` SET search_path TO public, pg_catalog`, `ALTER ROLE onward_login IN DATABASE `+name+` SET lock_timeout TO '7s'`)
	const asked = `SELECT datacl::text || coalesce((SELECT string_agg(setrole::text || setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid), '')
		|| pg_get_userbyid(datdba) || datcollate || encoding FROM pg_database d WHERE datname = current_database()`
	before := b.strings(asked)
	_, archive, _ := b.backup()
	b.restore(archive)
	if after := b.strings(asked); !slices.Equal(after, before) {
		t.Errorf("%v became %v", before, after)
	}
}

func TestOldNoticesAreGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sql(`INSERT INTO outbox (kind, payload, created_at) VALUES ('event:tell', '[]', now() - interval '2 days'), ('event:tell', '[]', now()), ('match:request', '[]', now() - interval '2 days')`)
	_, archive, _ := b.backup()
	r := b.restoreOf(archive)
	r.NoticesWithin = 24 * time.Hour
	if done, err := r.Run(t.Context()); err != nil || done.Dropped != 1 {
		t.Errorf("%+v %v", done, err)
	}
	if left := b.strings(`SELECT kind || (created_at < now() - interval '1 day') FROM outbox WHERE payload = '[]' ORDER BY id`); !slices.Equal(left, []string{"event:tellfalse", "match:requesttrue"}) {
		t.Errorf("left are %v", left)
	}
}

func TestArchivesAreRemovedByAgeButForTheNewest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	report, archive, keysFile := b.backup()
	prefix := "onward-" + short(report.Manifest.Database) + "-"
	for _, name := range []string{prefix + "20200101T000000Z.backup", "onward-00000000-20200101T000000Z.backup", prefix + "notes.backup"} {
		b.copyOf(archive, name)
	}
	removed, err := Prune(b.dir, report.Manifest, time.Now().Add(time.Hour))
	if err != nil || len(removed) != 1 || filepath.Base(removed[0]) != prefix+"20200101T000000Z.backup" {
		t.Errorf("removed %v %v", removed, err)
	}
	for _, path := range []string{archive, keysFile} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestPassphrasesAndRecipients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	identity := filepath.Join(dir, "identity")
	recipient, err := NewIdentity(identity)
	if err != nil || !strings.HasPrefix(recipient, "age1") {
		t.Fatal(recipient, err)
	}
	if _, err := NewIdentity(identity); onward.CodeOf(err) != onward.EConflict {
		t.Errorf("an identity was replaced: %v", err)
	}
	list, err := Recipients([]string{recipient}, []string{file("more", "# who\n"+owner.Recipient().String()+"\n")}, "")
	if err != nil || len(list) != 2 {
		t.Errorf("%d recipients, %v", len(list), err)
	}
	if ids, err := Identities([]string{identity}, ""); err != nil || len(ids) != 1 {
		t.Errorf("%d identities, %v", len(ids), err)
	}
	_, err = Recipients(nil, nil, "")
	wantCode(t, err, onward.EInvalid, "--recipient")
	_, err = Recipients([]string{"AGE-SECRET-KEY-1"}, nil, "")
	wantCode(t, err, onward.EInvalid, "age1")
	_, err = Recipients([]string{recipient}, nil, file("words", "a b c d"))
	wantCode(t, err, onward.EInvalid, "one or the other")
	_, err = Recipients(nil, nil, file("none", "\n"))
	wantCode(t, err, onward.EInvalid, "empty")
	_, err = Identities(nil, "")
	wantCode(t, err, onward.EInvalid, "--identity")
	_, err = Identities([]string{file("wrong", recipient)}, "")
	wantCode(t, err, onward.EInvalid, "no file of age identities")
	if strings.Contains(err.Error(), recipient) {
		t.Error("the error repeats what is in the file")
	}

	b := setup(t)
	s := b.source()
	if s.Recipients, err = Recipients(nil, nil, file("secret", "correct horse\n")); err != nil {
		t.Fatal(err)
	}
	_, archive, _, err := s.WriteTo(t.Context(), b.dir, false)
	if err != nil {
		t.Fatal(err)
	}
	for text, code := range map[string]onward.Code{"correct horse": "", "wrong horse": onward.EForbidden} {
		r := b.restoreOf(archive)
		if r.Identities, err = Identities(nil, file("try", text)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Check(t.Context()); err == nil != (code == "") || err != nil && onward.CodeOf(err) != code {
			t.Errorf("%s: %v", text, err)
		}
	}
}
