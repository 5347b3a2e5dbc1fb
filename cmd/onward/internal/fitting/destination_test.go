package fitting_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	_ "github.com/lib/pq"

	"onward"
	"onward/cmd/onward/internal/fitting"
	"onward/indexer/catalogue"
	"onward/internal/testenv"
	"onward/matcher/destination"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
)

func TestMain(m *testing.M) {
	testenv.Main(m, testenv.WithTemplate(func(ctx context.Context, url string) error {
		if _, err := migrations.Apply(ctx, url); err != nil {
			return err
		}
		loader, err := store.OpenLoader(ctx, url)
		if err != nil {
			return err
		}
		return errors.Join(loader.LoadPlaces(ctx, store.Release{Release: "test"}, places()), loader.Close())
	}))
}

// places are thirty towns on a grid.
func places() []onward.Place {
	list := make([]onward.Place, 30)
	for i := range list {
		list[i] = onward.Place{ID: onward.PlaceID(i + 1), Name: fmt.Sprintf("Town %d", i+1), Country: "MX", Lat: 17 + float64(i/6), Lon: -104 + float64(i%6), Population: 20_000 * (1 + i*i%17)}
	}
	return list
}

func setup(t *testing.T) (deps fitting.Deps, counsellor onward.Actor) {
	t.Helper()
	reference, err := catalogue.New(places(), nil)
	if err != nil {
		t.Fatal(err)
	}
	database := testenv.Postgres(t)
	keys, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: database.AppDSN, Vault: keys, Vocabulary: reference})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	err = db.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
		g, err := tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "casa", Name: "Casa", Kind: onward.Agency, Country: "MX"})
		if err != nil {
			return err
		}
		u, err := tx.CreateUser(t.Context(), onward.User{OrganisationID: g.ID, Name: "A", Email: "a@example.org", Role: onward.RoleCounsellor})
		counsellor = onward.Actor{UserID: u.ID, OrganisationID: g.ID, Role: u.Role}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fitting.Deps{Store: db, OwnerURL: database.AdminDSN, Catalogue: reference}, counsellor
}

// observe registers people with a list of a month ago, who were seen to live where their kin are (with the given probability)
// or else in their community of origin.
func observe(t *testing.T, deps fitting.Deps, counsellor onward.Actor, people int, withKin float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	today := deps.Store.Today()
	for i := range people {
		origin, kin := onward.PlaceID(1+random.IntN(30)), onward.PlaceID(1+random.IntN(30))
		profile := onward.ReturneeDetails{
			Country:  "MX",
			Places:   []onward.PersonPlace{{PlaceID: origin, Relation: onward.PlaceOrigin}, {PlaceID: kin, Relation: onward.PlaceKin, RecordedOn: today.AddDays(-60)}},
			Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: today.AddDays(-60)}},
		}
		lives := origin
		if random.Float64() < withKin {
			lives = kin
		}
		var request onward.ReferralRequest
		var person onward.Returnee
		err := deps.Store.InTx(t.Context(), counsellor, func(tx *store.Tx) (err error) {
			if person, err = tx.CreateReturnee(t.Context(), store.NewReturnee{Details: profile}); err != nil {
				return err
			}
			request, _, err = tx.CreateReferralRequest(t.Context(), person.ID, onward.RequestOptions{}, "")
			return err
		})
		if err != nil {
			t.Fatalf("person %d: %v", i, err)
		}
		answer := store.MatchAnswer{
			Request: request.ID, ReturneeVersion: person.Version, List: &onward.RankedList{}, Inputs: store.MatchInputs{Today: today.AddDays(-30), Profile: profile},
		}
		if err := deps.Store.AnswerRequest(t.Context(), answer, 0); err != nil {
			t.Fatal(err)
		}
		err = deps.Store.InTx(t.Context(), counsellor, func(tx *store.Tx) error {
			_, err := tx.RecordResidence(t.Context(), person.ID, onward.ResidenceDetails{ObservedOn: today, PlaceID: lives, Source: onward.ResidenceByPartner})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// backdate makes the lists a month old.
func backdate(t *testing.T, deps fitting.Deps) {
	t.Helper()
	db, err := sql.Open("postgres", deps.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `UPDATE referral_requests SET ready_at = now() - interval '30 days'`); err != nil {
		t.Fatal(err)
	}
}

func TestFewObservationsChangeNothing(t *testing.T) {
	t.Parallel()
	deps, counsellor := setup(t)
	observe(t, deps, counsellor, 3, 0.5)
	backdate(t, deps)
	for why, options := range map[string]fitting.Options{
		"too few people":         {Country: "MX"},
		"too few may be asked":   {Country: "MX", LeastPeople: 10},
		"a country of no places": {Country: "ZZ"},
	} {
		if _, err := fitting.Destination(t.Context(), deps, options); onward.CodeOf(err) != onward.EInvalid {
			t.Errorf("%s: %v", why, err)
		}
	}
	if versions, err := deps.Store.DestinationVersions(t.Context(), ""); err != nil || len(versions) != 0 {
		t.Errorf("%+v, %v", versions, err)
	}
}

func TestCoefficientsThatPredictBetterAreKeptAndPutToUse(t *testing.T) {
	t.Parallel()
	deps, counsellor := setup(t)
	observe(t, deps, counsellor, 120, 0.97)
	backdate(t, deps)
	dry, err := fitting.Destination(t.Context(), deps, fitting.Options{Country: "MX", LeastPeople: 100, DryRun: true})
	if err != nil || dry.Activated || !dry.Comparison.Better() {
		t.Fatalf("%+v, %v", dry, err)
	}
	if versions, err := deps.Store.DestinationVersions(t.Context(), "MX"); err != nil || len(versions) != 0 {
		t.Errorf("a dry run keeps %+v, %v", versions, err)
	}
	made, err := fitting.Destination(t.Context(), deps, fitting.Options{Country: "MX", LeastPeople: 100})
	if err != nil || !made.Activated || made.People != 120 || made.Against != destination.ForCountry("MX").Version {
		t.Fatalf("%+v, %v", made, err)
	}
	if prior := destination.ForCountry("MX").Named(); !(made.Values["kin"] > prior["kin"]) || !(made.Values["origin"] < prior["origin"]) || !(made.Errors["kin"] > 0) {
		t.Errorf("people went where their kin are: %+v", made.Values)
	}
	versions, err := deps.Store.DestinationVersions(t.Context(), "MX")
	if err != nil || len(versions) != 1 || !versions[0].Active || versions[0].Version != made.Name {
		t.Fatalf("%+v, %v", versions, err)
	}
	for version, active := range map[string]bool{fitting.Priors: false, made.Name: true} {
		if err := fitting.Activate(t.Context(), deps, "MX", version); err != nil {
			t.Fatal(err)
		}
		if versions, err = deps.Store.DestinationVersions(t.Context(), "MX"); err != nil || versions[0].Active != active {
			t.Errorf("after %s: %+v, %v", version, versions, err)
		}
	}
	if err := fitting.Activate(t.Context(), deps, "MX", "MX-1999"); onward.CodeOf(err) != onward.ENotFound {
		t.Errorf("a version that is not there: %v", err)
	}
}
