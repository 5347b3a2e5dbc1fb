package backup

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/jmoiron/sqlx"
	"github.com/klauspost/compress/zstd"

	"onward"
	"onward/internal/testenv"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
)

func TestMain(m *testing.M) { testenv.Main(m, testenv.WithTemplate(prepare)) }

// keys seal what the tests write.
var keys = func() *vault.Vault {
	v, err := vault.New()
	if err != nil {
		panic(err)
	}
	return v
}()

// owner opens what the tests back up.
var owner = func() *age.X25519Identity {
	i, err := age.GenerateX25519Identity()
	if err != nil {
		panic(err)
	}
	return i
}()

var (
	agency   = onward.Organisation{ID: onward.MustParseID("01900000-0000-7000-8000-0000000000a0"), Slug: "agency", Name: "Agency", Kind: onward.Agency, Country: "MX"}
	employer = onward.Organisation{ID: onward.MustParseID("01900000-0000-7000-8000-0000000000b0"), Slug: "employer", Name: "Employer", Kind: onward.Employer, Country: "MX"}

	counsellor = onward.Actor{UserID: onward.MustParseID("01900000-0000-7000-8000-0000000000a1"), OrganisationID: agency.ID, Role: onward.RoleCounsellor}
	supervisor = onward.Actor{UserID: onward.MustParseID("01900000-0000-7000-8000-0000000000a2"), OrganisationID: agency.ID, Role: onward.RoleSupervisor}
	poster     = onward.Actor{UserID: onward.MustParseID("01900000-0000-7000-8000-0000000000b1"), OrganisationID: employer.ID, Role: onward.RoleEmployer}
)

// prepare makes what each database is a copy of.
func prepare(ctx context.Context, adminDSN string) error {
	if _, err := migrations.Apply(ctx, adminDSN); err != nil {
		return err
	}
	keeper, err := store.OpenKeeper(ctx, adminDSN, keys)
	if err != nil {
		return err
	}
	if _, err := keeper.Seal(ctx); err != nil {
		return err
	}
	if err := keeper.Close(); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: adminDSN, Vault: keys})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		for _, o := range []onward.Organisation{agency, employer} {
			if _, err := tx.CreateOrganisation(ctx, o); err != nil {
				return err
			}
		}
		for _, a := range []onward.Actor{counsellor, supervisor, poster} {
			if _, err := tx.CreateUser(ctx, onward.User{ID: a.UserID, OrganisationID: a.OrganisationID, Name: string(a.Role), Email: string(a.Role) + "@example.org", Role: a.Role, Language: "es"}); err != nil {
				return err
			}
		}
		return nil
	})
}

// vocabulary knows one skill and no place.
type vocabulary struct{}

const bricks = "skill/lay-bricks"

func (vocabulary) HasSkill(id string) bool                       { return id == bricks }
func (vocabulary) HasOccupation(string) bool                     { return false }
func (vocabulary) Place(onward.PlaceID) (onward.Place, bool)     { return onward.Place{}, false }
func (vocabulary) SuggestSkills(string) []onward.Suggestion      { return nil }
func (vocabulary) SuggestOccupations(string) []onward.Suggestion { return nil }
func (vocabulary) SuggestPlaces(string) []onward.Suggestion      { return nil }

// bench is a database with a directory of its backups.
type bench struct {
	t     testing.TB
	owner string // URL
	admin string // of another database; "" is the owner's
	dir   string
}

func setup(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, owner: testenv.Postgres(t).AdminDSN, dir: t.TempDir()}
	t.Cleanup(b.dropKept)
	return b
}

// dropKept drops what restores kept.
func (b *bench) dropKept() {
	u, err := url.Parse(b.owner)
	if err != nil {
		b.t.Error(err)
		return
	}
	db, err := sqlx.Open("postgres", b.elsewhere())
	if err != nil {
		b.t.Error(err)
		return
	}
	defer func() { _ = db.Close() }()
	var kept []string
	ctx := context.WithoutCancel(b.t.Context())
	if err := db.SelectContext(ctx, &kept, `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, u.Path[1:]+"_"); err != nil {
		b.t.Error(err)
	}
	for _, name := range kept {
		if _, err := db.ExecContext(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			b.t.Error(err)
		}
	}
}

// elsewhere is another database of the server.
func (b *bench) elsewhere() string {
	if b.admin != "" {
		return b.admin
	}
	u, err := url.Parse(b.owner)
	if err != nil {
		b.t.Fatal(err)
	}
	u.Path = "/postgres"
	return u.String()
}

// in works with a store of its own, which is closed again: a restore wants nobody connected.
func (b *bench) in(actor onward.Actor, do func(*store.Tx) error) {
	b.t.Helper()
	if err := b.try(actor, do); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) try(actor onward.Actor, do func(*store.Tx) error) error {
	b.t.Helper()
	s := b.open()
	defer func() { _ = s.Close() }()
	return s.InTx(b.t.Context(), actor, do)
}

func (b *bench) open() *store.Store {
	b.t.Helper()
	s, err := store.Open(b.t.Context(), store.Config{URL: b.owner, Vault: keys, Vocabulary: vocabulary{}})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// register registers a person of a family.
func (b *bench) register(family string) onward.Returnee {
	b.t.Helper()
	var r onward.Returnee
	b.in(counsellor, func(tx *store.Tx) (err error) {
		r, err = tx.CreateReturnee(b.t.Context(), store.NewReturnee{Details: onward.ReturneeDetails{
			Country: "MX", Language: "es", ExternalID: "case of " + family, BirthDate: onward.NewDate(1990, time.May, 4),
			Identity: onward.Identity{GivenName: "Xochiquetzal", FamilyName: family, Sex: "female", Phone: "+52 55 9876 1234", Notes: "notes of " + family},
			Skills:   []onward.ReturneeSkill{{SkillID: bricks, Level: onward.LevelWorking}},
			Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: onward.NewDate(2026, time.March, 1)}},
		}})
		return err
	})
	return r
}

// found is who is found by a word of the name, as the family name that is read then.
func (b *bench) found(word string) (families []string) {
	b.t.Helper()
	b.in(counsellor, func(tx *store.Tx) error {
		page, err := tx.Returnees(b.t.Context(), store.ReturneeFilter{Name: word}, store.Cursor{})
		for _, r := range page.Items {
			families = append(families, r.Identity.FamilyName)
		}
		return err
	})
	return families
}

func (b *bench) erase(id onward.ID) {
	b.t.Helper()
	b.in(supervisor, func(tx *store.Tx) error {
		_, err := tx.EraseReturnee(b.t.Context(), id)
		return err
	})
}

func (b *bench) source() Source {
	return Source{URL: b.owner, Method: MethodCopy, Recipients: []age.Recipient{owner.Recipient()}, Version: "test"}
}

// backup writes a backup, and returns its archive and the keys.
func (b *bench) backup() (report Report, archive, keys string) {
	b.t.Helper()
	report, archive, keys, err := b.source().WriteTo(b.t.Context(), b.dir, false)
	if err != nil {
		b.t.Fatal(err)
	}
	return report, archive, keys
}

func known(_ context.Context, s *store.Store) (*store.Store, error) {
	return s.WithVocabulary(vocabulary{}), nil
}

func (b *bench) restoreOf(archive string) Restore {
	return Restore{Archive: archive, Identities: []age.Identity{owner}, Vault: keys, OwnerURL: b.owner, AdminURL: b.elsewhere(), Vocabulary: known}
}

func (b *bench) restore(archive string) Restored {
	b.t.Helper()
	done, err := b.restoreOf(archive).Run(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return done
}

func (b *bench) strings(query string) (list []string) {
	b.t.Helper()
	db, err := sqlx.ConnectContext(b.t.Context(), "postgres", b.owner)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.SelectContext(b.t.Context(), &list, query); err != nil {
		b.t.Fatal(query, err)
	}
	return list
}

func (b *bench) sql(statements ...string) {
	b.t.Helper()
	db, err := sqlx.ConnectContext(b.t.Context(), "postgres", b.owner)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.ExecContext(b.t.Context(), s); err != nil {
			b.t.Fatal(s, err)
		}
	}
}

// files are the names in the directory of backups.
func (b *bench) files() (names []string) {
	b.t.Helper()
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// copyOf keeps a file under another name.
func (b *bench) copyOf(path, name string) string {
	b.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	to := filepath.Join(b.dir, name)
	if err := os.WriteFile(to, text, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return to
}

func wantCode(t testing.TB, err error, code onward.Code, says string) {
	t.Helper()
	if onward.CodeOf(err) != code || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %s with %q", err, code, says)
	}
}

// repacked is a packed tar with another text, encrypted again.
func repacked(t testing.TB, packed []byte, change func(string) string) []byte {
	t.Helper()
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	plain, err := decoder.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(window))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, owner.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(encoder.EncodeAll([]byte(change(string(plain))), nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
