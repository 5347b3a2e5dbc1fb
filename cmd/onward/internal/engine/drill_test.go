package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/jmoiron/sqlx"

	"onward"
	"onward/cmd/onward/internal/backup"
	"onward/internal/testenv"
	"onward/store"
	"onward/store/vault"
	"onward/workers"
)

// registrar registers people as fast as it is answered.
type registrar struct {
	client
	mu     sync.Mutex
	people []onward.ID // who were answered 201
	odd    []string
}

func (r *registrar) run(ctx context.Context, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		d := bricklayer(fmt.Sprint(name, " ", i))
		d.Identity.FamilyName = fmt.Sprint("Zapotécatl ", name, i)
		body, err := json.Marshal(d)
		if err != nil {
			r.odd = append(r.odd, err.Error())
			return
		}
		status, _, answer, err := r.do(context.WithoutCancel(ctx), http.MethodPost, "/v1/returnees", body)
		var person onward.Returnee
		r.mu.Lock()
		if err != nil || status != http.StatusCreated || json.Unmarshal(answer, &person) != nil {
			r.odd = append(r.odd, fmt.Sprint(status, err, string(answer)))
		}
		r.people = append(r.people, person.ID)
		r.mu.Unlock()
	}
}

func (r *registrar) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.people)
}

// openDir is a directory that the user that Postgres runs as may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := testenv.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as root, Postgres is another user who has to get through
		t.Fatal(err)
	}
	return dir
}

// TestADrill is what nobody wants to do for the first time when it matters: a backup of an embedded Onward while people are registered and
// lists are made, an erasure, the loss of the machine, and the restore on another one.
func TestADrill(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	keys, err := vault.Load(testKeys, false)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	lost, found, backups := openDir(t), openDir(t), t.TempDir()
	p := startProcess(t, "serve+work", "ONWARD_DATA_DIR="+lost)
	db, err := store.Open(ctx, store.Config{URL: p.ownerURL, Vault: keys})
	if err != nil {
		t.Fatal(err)
	}
	s := &system{Engine: &Engine{Store: db}}
	s.accounts(t)
	var supervisor string
	if err := db.InTx(ctx, onward.System(), func(tx *store.Tx) (err error) {
		supervisor, err = tokenFor(ctx, tx, s.agency, onward.RoleSupervisor)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	s.Engine = nil

	counsellor := client{p.url, s.counsellor}
	mustJSON(t, client{p.url, s.poster}, "/v1/opportunities?publish=true", bricklaying("here", guadalajara), http.StatusCreated, nil)
	var ana, gone onward.Returnee
	mustJSON(t, counsellor, "/v1/returnees", bricklayer("ana"), http.StatusCreated, &ana)
	leaves := bricklayer("gone")
	leaves.Identity = onward.Identity{GivenName: "Xochiquetzal", FamilyName: "Quiñones", Notes: "fears Hermenegildo"}
	mustJSON(t, counsellor, "/v1/returnees", leaves, http.StatusCreated, &gone)

	// The backup, as a command that runs beside.
	f := newFlow(counsellor, ana.ID)
	r := &registrar{client: counsellor}
	loaded, stop := context.WithCancel(ctx)
	var load sync.WaitGroup
	load.Go(func() { f.run(loaded, 2) })
	for i := range 3 {
		load.Go(func() { r.run(loaded, fmt.Sprint("writer", i)) })
	}
	eventually(t, "people are registered", func() bool { return r.count() > 20 })
	running, err := JoinServer(ctx, Config{DataDir: lost, Keys: testKeys})
	if err != nil {
		t.Fatal(err)
	}
	source := backup.Source{URL: running.OwnerURL(), Method: backup.MethodCopy, Recipients: []age.Recipient{identity.Recipient()}, Version: "drill"}
	before := r.count()
	report, archive, _, err := source.WriteTo(ctx, backups, false)
	after := r.count()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	stop()
	load.Wait()
	people := int(report.Tables["returnees"]) - 2
	t.Logf("%d people were answered before the backup and %d after; it holds %d, and %d lists. It took %s", before, after, people, report.Tables["referral_requests"], report.Took)
	if people < before || people > r.count() || report.Tables["returnee_identities"] != report.Tables["returnees"] || report.People != report.Tables["returnees"] {
		t.Errorf("the backup holds %v", report.Tables)
	}
	if len(r.odd)+len(f.odd) > 0 {
		t.Errorf("the load met %v %v", r.odd, f.odd)
	}

	// Someone is erased, as it happens between two backups.
	mustJSON(t, client{p.url, supervisor}, "/v1/returnees/"+gone.ID.String()+"/erase", map[string]any{}, http.StatusOK, nil)
	if _, _, _, err := source.WriteTo(ctx, backups, true); err != nil {
		t.Fatal(err)
	}
	if err := running.Stop(ctx); err != nil { // leaves the server of the other process
		t.Fatal(err)
	}
	if _, err := OpenServer(ctx, Config{DataDir: lost, Keys: testKeys}); err == nil || !strings.Contains(err.Error(), "in use by another Onward") {
		t.Errorf("a restore over a running Onward: %v", err)
	}

	// The machine is lost.
	p.kill()
	removeAll(t, filepath.Join(lost, "postgres"))

	fresh, err := OpenServer(ctx, Config{DataDir: found, Keys: testKeys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	restore := backup.Restore{Archive: archive, Identities: []age.Identity{identity}, Vault: keys, OwnerURL: fresh.OwnerURL(), NoticesWithin: time.Hour, Vocabulary: WithVocabulary}
	done, err := restore.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("restored %d rows in %s", done.Rows, done.Took)
	if done.Rows != report.Rows || done.Erased != 1 || done.People != people+1 || done.Kept != "" {
		t.Errorf("restored %+v of %+v", done, report)
	}
	if err := fresh.Stop(ctx); err != nil {
		t.Fatal(err)
	}

	p = startProcess(t, "serve+work", "ONWARD_DATA_DIR="+found)
	counted, err := sqlx.ConnectContext(ctx, "postgres", p.ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = counted.Close() }()
	for table, want := range report.Tables {
		var n int64
		if err := counted.GetContext(ctx, &n, `SELECT count(*) FROM `+table); err != nil {
			t.Fatal(err)
		}
		switch table {
		case "audit", "outbox", "consent_records", "withdrawals", "events", "deliveries", "erasures", "only_good_fits", "unlocks", "residences", "candidate_pseudonyms", "candidate_forms", "referral_requests":
			// The erasure, the restore and the workers go on in these.
		default:
			if n != want {
				t.Errorf("%s has %d rows, and had %d", table, n, want)
			}
		}
	}
	db, err = store.Open(ctx, store.Config{URL: p.ownerURL, Vault: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if n, flaws, err := db.VerifyAudit(ctx, report.Manifest.Audit); err != nil || len(flaws) > 0 || n <= done.AuditEntries {
		t.Errorf("%d entries of the audit (%d when it was restored): %v %v", n, done.AuditEntries, flaws, err)
	}

	// A list that was answered before is the same, and comes out the same again; what was promised is done.
	counsellor.url = p.url
	f.url = p.url
	var kept []onward.ID
	if err := counted.SelectContext(ctx, &kept, `SELECT id FROM referral_requests WHERE returnee_id = $1`, ana.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all requests of the backup are answered", func() bool {
		for _, id := range kept {
			if f.look(ctx, id, "1s") != onward.RequestReady {
				return false
			}
		}
		return len(kept) > 0
	})
	if len(f.odd) > 0 { // look compares with the answers of before
		t.Errorf("lists: %v", f.odd)
	}
	reference, err := readCatalogue(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range kept[:min(len(kept), 5)] {
		replay, err := workers.ReplayList(ctx, db, reference, id)
		if err != nil || !replay.Identical || len(replay.List.Referrals) != 1 {
			t.Errorf("replayed: %v %v %s", replay.Obstacles, err, replay.Difference)
		}
	}

	// People are found and read; who was erased is nowhere.
	status, _, answer, err := counsellor.do(ctx, http.MethodGet, "/v1/returnees?name=writer00", nil)
	if err != nil || status != http.StatusOK || !bytes.Contains(answer, []byte("Zapotécatl writer00")) {
		t.Errorf("%d %v %s", status, err, answer)
	}
	status, _, _, err = counsellor.do(ctx, http.MethodGet, "/v1/returnees/"+gone.ID.String(), nil)
	if err != nil || status != http.StatusNotFound {
		t.Errorf("who was erased: %d %v", status, err)
	}
	dump := testenv.Dump(t, p.ownerURL)
	for _, value := range []string{"Xochiquetzal", "Quiñones", "Hermenegildo"} {
		if strings.Contains(dump, value) {
			t.Errorf("the database holds %q", value)
		}
	}
	var left string
	if err := counted.GetContext(ctx, &left, `SELECT i.identity::text || (i.key IS NULL) || (r.details - 'country')::text || (SELECT count(*) FROM identity_tokens t WHERE t.returnee_id = i.returnee_id)
		FROM returnee_identities i JOIN returnees r ON r.id = i.returnee_id WHERE r.id = $1`, gone.ID); err != nil || left != "{}true{}0" {
		t.Errorf("of who was erased is left %s, %v", left, err)
	}
	p.end(t)
}
