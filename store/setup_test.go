package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

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

// today is the day of every test.
var today = onward.NewDate(2026, time.March, 10)

func clock() time.Time { return today.Time().Add(10 * time.Hour) }

// places are real ones, with their GeoNames ids.
var places = []onward.Place{
	{ID: 3530597, Name: "Mexico City", AltNames: []string{"Ciudad de México"}, Country: "MX", Admin1: "09", Admin1Name: "Mexico City", Lat: 19.42847, Lon: -99.12766, Population: 12294193, TimeZone: "America/Mexico_City"},
	{ID: 3995465, Name: "Monterrey", Country: "MX", Admin1: "19", Admin1Name: "Nuevo León", Lat: 25.67507, Lon: -100.31847, Population: 1135512, TimeZone: "America/Monterrey"},
	{ID: 4005539, Name: "Guadalajara", Country: "MX", Admin1: "14", Admin1Name: "Jalisco", Lat: 20.66682, Lon: -103.39182, Population: 1495182, TimeZone: "America/Mexico_City"},
}

const (
	mexicoCity onward.PlaceID = 3530597
	monterrey  onward.PlaceID = 3995465
	bricklayer                = "occupation/bricklayer"
	bricks                    = "skill/lay-bricks"
	mortar                    = "skill/mix-mortar"
	drawings                  = "skill/read-drawings"
)

var taxonomy = onward.Taxonomy{
	Release: "test-1", Name: "A few skills", Source: "made for tests",
	Concepts: []onward.Concept{
		{ID: bricklayer, Kind: onward.ConceptOccupation, Code: "7112", Labels: []onward.Label{
			{Language: "en", Text: "bricklayer", Preferred: true}, {Language: "es", Text: "albañil", Preferred: true},
		}},
		{ID: bricks, Kind: onward.ConceptSkill, Labels: []onward.Label{{Language: "en", Text: "lay bricks", Preferred: true}}},
		{ID: mortar, Kind: onward.ConceptSkill, Labels: []onward.Label{
			{Language: "en", Text: "mix mortar", Preferred: true}, {Language: "en", Text: "prepare mortar"},
		}},
		{ID: drawings, Kind: onward.ConceptKnowledge},
	},
	Relations: []onward.Relation{
		{From: bricklayer, To: bricks, Kind: onward.RelationEssential},
		{From: bricklayer, To: drawings, Kind: onward.RelationOptional},
	},
}

// vocabulary answers from the taxonomy and places above.
type vocabulary struct{}

func (vocabulary) HasSkill(id string) bool      { return id == bricks || id == mortar || id == drawings }
func (vocabulary) HasOccupation(id string) bool { return id == bricklayer }
func (vocabulary) Place(id onward.PlaceID) (onward.Place, bool) {
	for _, p := range places {
		if p.ID == id {
			return p, true
		}
	}
	return onward.Place{}, false
}

func (vocabulary) SuggestSkills(text string) []onward.Suggestion {
	if strings.Contains(text, "brick") {
		return []onward.Suggestion{{ID: bricks, Label: "lay bricks"}}
	}
	return nil
}
func (vocabulary) SuggestOccupations(string) []onward.Suggestion { return nil }
func (vocabulary) SuggestPlaces(string) []onward.Suggestion      { return nil }

// Two organisations, each with a user in every role, are in every test's database.
var (
	ours   = onward.Organisation{ID: onward.MustParseID("01900000-0000-7000-8000-0000000000a0"), Slug: "ours", Name: "Ours", Kind: onward.Agency, Country: "MX"}
	theirs = onward.Organisation{ID: onward.MustParseID("01900000-0000-7000-8000-0000000000b0"), Slug: "theirs", Name: "Theirs", Kind: onward.Employer, Country: "MX"}
)

// userOf is the user of an organisation in a role.
func userOf(o onward.Organisation, role onward.Role) onward.User {
	id := o.ID
	for i, r := range onward.Roles() {
		if r == role {
			id[15] = o.ID[15] + byte(i) + 1
		}
	}
	return onward.User{ID: id, OrganisationID: o.ID, Name: o.Name + " " + string(role), Email: string(role) + "@" + o.Slug + ".example.org", Role: role, Language: "es"}
}

// as is the actor that a user of an organisation is.
func as(o onward.Organisation, role onward.Role) onward.Actor {
	return onward.Actor{UserID: userOf(o, role).ID, OrganisationID: o.ID, Role: role}
}

var (
	counsellor = as(ours, onward.RoleCounsellor)
	employer   = as(ours, onward.RoleEmployer)
	stranger   = as(theirs, onward.RoleSupervisor)
)

func prepare(ctx context.Context, adminDSN string) error {
	if _, err := migrations.Apply(ctx, adminDSN); err != nil {
		return err
	}
	loader, err := store.OpenLoader(ctx, adminDSN)
	if err != nil {
		return err
	}
	defer loader.Close()
	if err := loader.LoadPlaces(ctx, store.Release{Release: "geonames-test", Name: "GeoNames", Source: "GeoNames, CC BY"}, places); err != nil {
		return err
	}
	if err := loader.LoadTaxonomy(ctx, taxonomy, nil); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: adminDSN, Vault: keys})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		for _, o := range []onward.Organisation{ours, theirs} {
			if _, err := tx.CreateOrganisation(ctx, o); err != nil {
				return err
			}
			for _, role := range onward.Roles() {
				if _, err := tx.CreateUser(ctx, userOf(o, role)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// bench is a test's own database with a store on it.
type bench struct {
	t testing.TB
	testenv.Database
	store *store.Store
}

func setup(t testing.TB) bench {
	t.Helper()
	database := testenv.Postgres(t)
	return bench{t: t, Database: database, store: open(t, database.AppDSN)}
}

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: url, Vault: keys, Now: clock, Vocabulary: vocabulary{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// admin is a connection past row-level security, to look at what is really there.
func (b bench) admin() *sqlx.DB {
	b.t.Helper()
	db, err := sqlx.ConnectContext(b.t.Context(), "postgres", b.AdminDSN)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	return db
}

// sql runs a statement past row-level security.
func (b bench) sql(query string, args ...any) {
	b.t.Helper()
	db, err := sqlx.ConnectContext(b.t.Context(), "postgres", b.AdminDSN)
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(b.t.Context(), query, args...); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
}

// in runs a transaction that must succeed.
func (b bench) in(actor onward.Actor, fn func(*store.Tx) error) {
	b.t.Helper()
	if err := b.store.InTx(b.t.Context(), actor, fn); err != nil {
		b.t.Fatal(err)
	}
}

// try runs a transaction and returns how it ended.
func (b bench) try(actor onward.Actor, fn func(*store.Tx) error) error {
	return b.store.InTx(b.t.Context(), actor, fn)
}

// result runs a transaction that must succeed and returns what it made.
func result[T any](b bench, actor onward.Actor, fn func(*store.Tx) (T, error)) (value T) {
	b.t.Helper()
	b.in(actor, func(tx *store.Tx) (err error) {
		value, err = fn(tx)
		return err
	})
	return value
}

func wantCode(t testing.TB, err error, want onward.Code) {
	t.Helper()
	if got := onward.CodeOf(err); got != want {
		t.Errorf("got code %q (%v), want %q", got, err, want)
	}
}

// wantField checks that one of the broken rules is about a field.
func wantField(t testing.TB, err error, field, rule string) onward.FieldError {
	t.Helper()
	wantCode(t, err, onward.EInvalid)
	for _, f := range onward.FieldsOf(err) {
		if f.Field == field && f.Rule == rule {
			return f
		}
	}
	t.Errorf("got %v, want the rule %q of the field %q named", err, rule, field)
	return onward.FieldError{}
}

// job is an opportunity that is in order.
func job() onward.OpportunityDetails {
	return onward.OpportunityDetails{
		Kind: onward.Job, Title: onward.Text{"es": "Albañil", "en": "Bricklayer"}, OccupationID: bricklayer,
		Skills:  []onward.OpportunitySkill{{SkillID: bricks, Essential: true}, {SkillID: mortar}},
		PlaceID: monterrey, Capacity: 3, ClosesOn: today.AddDays(30), StartsOn: today.AddDays(40),
		Wage: &onward.Wage{MinMinor: 900_00, MaxMinor: 1200_00, Currency: "MXN", Period: onward.PerDay},
	}
}

// person is a returnee in order, with consent to matching.
func person() onward.ReturneeDetails {
	return onward.ReturneeDetails{
		Country: "MX", Language: "es", Identity: onward.Identity{GivenName: "Given", FamilyName: "Family", Sex: "female", Phone: "+52 55 0000 0000"},
		BirthDate: onward.NewDate(1990, time.May, 4), Skills: []onward.ReturneeSkill{{SkillID: bricks, Level: onward.LevelWorking}},
		Places:   []onward.PersonPlace{{PlaceID: mexicoCity, Relation: onward.PlaceOrigin}},
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: today.AddDays(-10)}},
		Parity:   &onward.ParityAttributes{Sex: "female", Disability: "no"},
	}
}

func (b bench) opportunity(actor onward.Actor, d onward.OpportunityDetails, publish bool) onward.Opportunity {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) (onward.Opportunity, error) {
		return tx.CreateOpportunity(b.t.Context(), store.NewOpportunity{Details: d, Publish: publish})
	})
}

func (b bench) returnee(actor onward.Actor, d onward.ReturneeDetails) onward.Returnee {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) (onward.Returnee, error) {
		return tx.CreateReturnee(b.t.Context(), store.NewReturnee{Details: d})
	})
}

func (b bench) request(actor onward.Actor, returnee onward.ID) onward.ReferralRequest {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) (onward.ReferralRequest, error) {
		r, _, err := tx.CreateReferralRequest(b.t.Context(), returnee, onward.RequestOptions{}, "")
		return r, err
	})
}

// errRollBack ends a transaction that must leave nothing.
var errRollBack = errors.New("roll back")
