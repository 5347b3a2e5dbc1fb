package store_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/store"
)

// TestTheStoreFromAnOrganisationToAnAnswer calls most methods in the order of a day's work.
func TestTheStoreFromAnOrganisationToAnAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()

	if err := b.store.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if b.store.Today() != today {
		t.Errorf("today is %s, want %s", b.store.Today(), today)
	}
	b.store = b.store.WithVocabulary(vocabulary{})

	var secret string
	var user onward.User
	b.in(onward.System(), func(tx *store.Tx) error {
		o, err := tx.CreateOrganisation(ctx, onward.Organisation{Slug: "third", Name: "Third", Kind: onward.Project, Country: "MX"})
		if err != nil {
			return err
		}
		if o, err = tx.OrganisationBySlug(ctx, "third"); err != nil {
			return err
		}
		if list, err := tx.Organisations(ctx); err != nil || len(list) != 3 {
			t.Errorf("organisations: %d, %v; want 3", len(list), err)
		}
		if _, err = tx.CreateUser(ctx, onward.User{OrganisationID: o.ID, Name: "Someone", Email: "Some.One@example.org", Role: onward.RoleEmployer}); err != nil {
			return err
		}
		if user, err = tx.UserByEmail(ctx, "some.one@EXAMPLE.org"); err != nil {
			return err
		}
		if list, err := tx.Users(ctx); err != nil || len(list) != 13 {
			t.Errorf("users: %d, %v; want 13", len(list), err)
		}
		expires := clock().Add(time.Hour)
		secret, _, err = tx.CreateToken(ctx, user, "laptop", &expires)
		return err
	})
	actor, err := b.store.Authenticate(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	if actor.UserID != user.ID || actor.OrganisationID != user.OrganisationID || actor.Role != onward.RoleEmployer || actor.TokenID.IsZero() {
		t.Errorf("authenticated as %+v, want %+v", actor, user)
	}
	b.in(onward.System(), func(tx *store.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil || len(tokens) != 1 {
			t.Errorf("tokens: %d, %v; want 1", len(tokens), err)
		}
		return tx.RevokeToken(ctx, actor.TokenID)
	})

	watermark, err := b.store.ChangedSince(ctx, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	details := job()
	details.ExternalID = "A-1"
	posted := b.opportunity(employer, details, false)
	if posted.Status != onward.OpportunityDraft || posted.Version != 1 || posted.Organisation != "Ours" || posted.Country != "MX" {
		t.Errorf("got %+v", posted)
	}
	details.Vetting = onward.VettingUnknown
	if !reflect.DeepEqual(posted.OpportunityDetails, details) {
		t.Errorf("details came back as %+v, want %+v", posted.OpportunityDetails, details)
	}
	b.in(employer, func(tx *store.Tx) error {
		details.Capacity = 5
		updated, err := tx.UpdateOpportunity(ctx, posted.ID, 1, details)
		if err != nil {
			return err
		}
		if updated.Version != 2 || updated.Capacity != 5 {
			t.Errorf("updated to %+v", updated)
		}
		if updated, err = tx.ChangeOpportunity(ctx, posted.ID, 2, onward.EventPublish, ""); err != nil {
			return err
		}
		if updated.Status != onward.OpportunityOpen || updated.PublishedAt == nil || updated.Version != 3 {
			t.Errorf("published to %+v", updated)
		}
		page, err := tx.Opportunities(ctx, store.OpportunityFilter{Status: onward.OpportunityOpen, Kind: onward.Job, OrganisationID: ours.ID, PlaceID: monterrey, ExternalID: "A-1"}, store.Cursor{})
		if err != nil {
			return err
		}
		if len(page.Items) != 1 || page.Next != "" {
			t.Errorf("list has %d, next %q; want 1 and no next", len(page.Items), page.Next)
		}
		list, err := tx.OpportunitiesByID(ctx, []onward.ID{posted.ID, onward.NewID()})
		if len(list) != 1 {
			t.Errorf("by id: %d, want 1", len(list))
		}
		return err
	})
	count := 0
	countAll := func(list []onward.Opportunity) error { count += len(list); return nil }
	if err := b.store.EachOpen(ctx, countAll); err != nil {
		t.Fatal(err)
	}
	if err := b.store.EachOpenRef(ctx, func(onward.Ref) error { count++; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.ChangedSince(ctx, watermark, countAll); err != nil {
		t.Fatal(err)
	}
	if count != 3 {
		t.Errorf("the three streams gave %d rows, want one each", count)
	}

	registered := b.returnee(counsellor, person())
	if !reflect.DeepEqual(registered.ReturneeDetails, person()) {
		t.Errorf("details came back as %+v, want %+v", registered.ReturneeDetails, person())
	}
	if registered.CounsellorID != counsellor.UserID || registered.OrganisationID != ours.ID || registered.Version != 1 {
		t.Errorf("got %+v", registered)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		changed := person()
		changed.Identity.FamilyName = "García_100%"
		updated, err := tx.UpdateReturnee(ctx, registered.ID, 1, changed)
		if err != nil {
			return err
		}
		if updated.Version != 2 || updated.Identity.FamilyName != "García_100%" {
			t.Errorf("updated to %+v", updated)
		}
		for name, want := range map[string]int{"garcía": 1, "given garcia": 1, "GARCÍA, Given": 1, "100": 1, "garc": 0, "garcía other": 0, "G%a": 0, "arc_a": 0} {
			page, err := tx.Returnees(ctx, store.ReturneeFilter{Name: name, CounsellorID: counsellor.UserID}, store.Cursor{})
			if err != nil {
				return err
			}
			if len(page.Items) != want {
				t.Errorf("searching %q finds %d, want %d", name, len(page.Items), want)
			}
		}
		return nil
	})

	request := b.request(counsellor, registered.ID)
	input, err := b.store.MatchInput(ctx, request.ID)
	if err != nil {
		t.Fatal(err)
	}
	if input.Returnee.Identity != (onward.Identity{}) || len(input.Returnee.Skills) != 1 || input.Returnee.Version != 2 || input.Request.ID != request.ID {
		t.Errorf("match input is %+v", input)
	}

	works, err := b.store.ClaimWork(ctx, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	var match onward.Work
	for _, work := range works {
		if work.Kind == onward.WorkMatchRequest {
			match = work
		} else if err := b.store.FinishWork(ctx, work.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(match.Refs) != 1 || match.Refs[0].ID != request.ID {
		t.Fatalf("claimed %+v, want the request among it", works)
	}
	if err := b.store.ReturnWork(ctx, []int64{match.ID}); err != nil {
		t.Fatal(err)
	}
	if state, err := b.store.Outbox(ctx); err != nil || state.Waiting != 1 || state.Dispatched != 0 || state.OldestAgeSeconds < 0 {
		t.Errorf("outbox is %+v, %v; want 1 waiting", state, err)
	}
	answer := store.MatchAnswer{
		Request: request.ID, ReturneeVersion: 2, List: &onward.RankedList{AnsweredBy: "memory", Considered: 1, GeneratedAt: clock()},
		Inputs: store.MatchInputs{Today: today, Profile: input.Returnee.ReturneeDetails, Scored: []onward.Ref{{ID: posted.ID, Version: 3}}},
	}
	if err := b.store.AnswerRequest(ctx, answer, match.ID); err != nil {
		t.Fatal(err)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		if _, err := tx.RecordResidence(ctx, registered.ID, onward.ResidenceDetails{ObservedOn: today, Abroad: true, Source: onward.ResidenceBySelf}); err != nil {
			return err
		}
		_, err := tx.Residences(ctx, registered.ID)
		return err
	})
	if _, err := b.store.ResidenceObservations(ctx, "MX"); err != nil {
		t.Error(err)
	}
	if versions, err := b.store.DestinationVersions(ctx, ""); err != nil || len(versions) != 0 {
		t.Errorf("versions are %v, %v", versions, err)
	}
	b.in(onward.System(), func(tx *store.Tx) error { return tx.AddReplies(ctx, ours.ID, onward.Replies{Due: 1}) })
	if replay, err := b.store.ReplayInput(ctx, request.ID); err != nil || replay.Request.List == nil {
		t.Errorf("replay input is %+v, %v", replay, err)
	}
	if replies, err := b.store.Replies(ctx); err != nil || replies[ours.ID].Due != 1 {
		t.Errorf("replies are %v, %v", replies, err)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		if _, _, err := tx.ReturneeUnlocks(ctx, registered.ID); err != nil {
			return err
		}
		_, err := tx.CaseloadUnlocks(ctx, nil, 1)
		return err
	})
	b.in(counsellor, func(tx *store.Tx) error {
		_, saved, err := tx.StoredRequest(ctx, request.ID)
		if err != nil || !json.Valid(saved) {
			t.Errorf("the saved list is %.60q, %v; want JSON", saved, err)
		}
		ready, err := tx.ReferralRequest(ctx, request.ID)
		if err != nil {
			return err
		}
		if ready.Status != onward.RequestReady || ready.List == nil || ready.List.Considered != 1 || ready.ReadyAt == nil {
			t.Errorf("request is %+v, want it ready with its list", ready)
		}
		page, err := tx.ReferralRequests(ctx, registered.ID, store.Cursor{})
		if len(page.Items) != 1 || page.Items[0].List != nil {
			t.Errorf("requests are %+v, want one without list", page.Items)
		}
		return err
	})

	b.in(onward.System(), func(tx *store.Tx) error {
		o, err := tx.Opportunity(ctx, posted.ID)
		if err != nil {
			return err
		}
		if err := tx.AdmitForm(ctx, o); err != nil {
			return err
		}
		profiles := 0
		if _, err := tx.EachProfile(ctx, "MX", []onward.ConsentPurpose{onward.ConsentMatching}, 10, func(list []store.Profile) error { profiles += len(list); return nil }); err != nil {
			return err
		}
		names, err := tx.CandidatePseudonyms(ctx, posted.ID, []onward.Ref{{ID: registered.ID, Version: 2}})
		if profiles != 1 || len(names) != 1 {
			t.Errorf("%d profiles and %d pseudonyms, want one each", profiles, len(names))
		}
		return err
	})

	b.in(counsellor, func(tx *store.Tx) error {
		partner, err := tx.CreateReturnee(ctx, store.NewReturnee{Details: person()})
		if err != nil {
			return err
		}
		d := onward.HouseholdDetails{Adults: []onward.ID{registered.ID, partner.ID}}
		h, err := tx.CreateHousehold(ctx, d)
		if err != nil {
			return err
		}
		if h, err = tx.UpdateHousehold(ctx, h.ID, h.Version, d); err != nil {
			return err
		}
		profiles, err := tx.HouseholdProfiles(ctx, h.ID)
		if err != nil {
			return err
		}
		page, err := tx.Households(ctx, partner.ID, store.Cursor{})
		if err != nil {
			return err
		}
		if len(profiles) != 2 || len(page.Items) != 1 || h.Version != 2 || !reflect.DeepEqual(h.Adults, d.Adults) {
			t.Errorf("%+v with %d profiles, listed %d times", h, len(profiles), len(page.Items))
		}
		return tx.DeleteHousehold(ctx, h.ID)
	})

	if _, err := b.store.Listen(ctx, quiet(), store.ChannelOutbox); err != nil {
		t.Fatal(err)
	}

	releases, err := b.store.Releases(ctx)
	if err != nil || len(releases) != 2 {
		t.Errorf("releases: %+v, %v; want 2", releases, err)
	}
	gotPlaces, err := b.store.Places(ctx)
	if err != nil || len(gotPlaces) != 3 || gotPlaces[0].Name != "Mexico City" || len(gotPlaces[0].AltNames) != 1 {
		t.Errorf("places: %+v, %v", gotPlaces, err)
	}
	taxonomies, err := b.store.Taxonomies(ctx)
	if err != nil || len(taxonomies) != 1 || len(taxonomies[0].Concepts) != 4 || len(taxonomies[0].Relations) != 2 {
		t.Fatalf("taxonomies: %+v, %v", taxonomies, err)
	}

	loader, err := store.OpenLoader(ctx, b.AdminDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	if has, err := loader.Has(ctx, "taxonomy", "test-1"); err != nil || !has {
		t.Errorf("the loader says that test-1 is loaded: %v, %v", has, err)
	}
	var steps []int
	if err := loader.LoadTaxonomy(ctx, taxonomy, func(done, total int) { steps = append(steps, done, total) }); err != nil {
		t.Fatal(err)
	}
	if len(steps) == 0 || steps[len(steps)-2] != steps[len(steps)-1] {
		t.Errorf("progress was %v, want it to end when all is done", steps)
	}
	if err := loader.LoadPlaces(ctx, store.Release{Release: "geonames-test", Name: "GeoNames"}, places); err != nil {
		t.Fatal(err)
	}
	again, err := b.store.Taxonomies(ctx)
	if err != nil || !reflect.DeepEqual(again, taxonomies) {
		t.Errorf("loading the same again gives %+v, want %+v", again, taxonomies)
	}
}

// TestEveryMethodIsTried: each exported method is called by a test of this package at least, or by the package that alone sends
// what it hands out, whose tests run on a real store.
func TestEveryMethodIsTried(t *testing.T) {
	t.Parallel()
	called := map[string]bool{}
	var files []string
	for _, pattern := range []string{"*_test.go", "../workers/notices/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, found, err)
		}
		files = append(files, found...)
	}

	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				called[s.Sel.Name] = true
			}
			return true
		})
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[*store.Store](), reflect.TypeFor[*store.Tx]()} {
		for i := range typ.NumMethod() {
			if name := typ.Method(i).Name; !called[name] {
				t.Errorf("%s.%s is not tried by any test", typ, name)
			}
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// TestEveryConnectionIsTheApplicationRole covers the superuser's login too: the commands that start a server of their
// own have no other.
func TestEveryConnectionIsTheApplicationRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.opportunity(employer, job(), false)
	for name, dsn := range map[string]string{"as the login": b.AppDSN, "as the superuser": b.AdminDSN} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, dsn)
			users, err := s.SessionUsers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if users[1] != "onward_app" {
				t.Errorf("the session of %s works as %s, want onward_app", users[0], users[1])
			}
			b := bench{t: t, Database: b.Database, store: s}
			page := result(b, as(theirs, onward.RoleEmployer), func(tx *store.Tx) (store.Page[onward.Opportunity], error) {
				return tx.Opportunities(t.Context(), store.OpportunityFilter{}, store.Cursor{})
			})
			if len(page.Items) != 0 {
				t.Error("another organisation's draft is seen: row-level security does not hold")
			}
		})
	}
}

func TestALoginThatIsNotOfTheApplicationIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sql(`DO $$ BEGIN CREATE ROLE onward_test_outsider LOGIN PASSWORD 'outsider'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
	u, err := url.Parse(b.AdminDSN)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("onward_test_outsider", "outsider")
	_, err = store.Open(t.Context(), store.Config{URL: u.String(), Vault: keys})
	if err == nil {
		t.Fatal("a login that is no member of onward_app was let in")
	}
	if strings.Contains(err.Error(), "'outsider'") || strings.Contains(err.Error(), ":outsider@") {
		t.Errorf("the error repeats the password: %v", err)
	}
}

func TestABadURLIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "mysql://u:secret@h/d", "host=h password=secret", "postgres://u:secret@h:port/d", "postgres://u:secret%zz@h/d"} {
		_, err := store.Open(t.Context(), store.Config{URL: raw, Vault: keys})
		wantCode(t, err, onward.EInvalid)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func TestNoOneSignedInIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wantCode(t, b.try(onward.Actor{OrganisationID: ours.ID}, func(*store.Tx) error { return nil }), onward.EUnauthenticated)
}

func TestAPanicRollsBackAndGivesTheConnectionBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, err := store.Open(t.Context(), store.Config{URL: b.AppDSN, Vault: keys, Now: clock, Vocabulary: vocabulary{}, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b.store = s
	func() {
		defer func() { _ = recover() }()
		b.in(employer, func(tx *store.Tx) error {
			if _, err := tx.CreateOpportunity(t.Context(), store.NewOpportunity{Details: job()}); err != nil {
				return err
			}
			panic("a defect")
		})
	}()
	page := result(b, employer, func(tx *store.Tx) (store.Page[onward.Opportunity], error) {
		return tx.Opportunities(t.Context(), store.OpportunityFilter{}, store.Cursor{})
	})
	if len(page.Items) != 0 {
		t.Error("what the panicking transaction wrote is there")
	}
}

func TestATransactionThatDeadlocksIsRunAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.opportunity(employer, job(), false), b.opportunity(employer, job(), false)
	locked := make(chan struct{}, 2)
	both := make(chan struct{})
	go func() { <-locked; <-locked; close(both) }()
	crosswise := func(first, second onward.ID) error {
		tries := 0
		return b.try(employer, func(tx *store.Tx) error {
			tries++
			if _, err := tx.ChangeOpportunity(t.Context(), first, 0, onward.EventPublish, ""); err != nil && onward.CodeOf(err) != onward.EConflict {
				return err
			}
			if tries == 1 {
				locked <- struct{}{}
				<-both
			}
			_, err := tx.UpdateOpportunity(t.Context(), second, 0, job())
			return err
		})
	}
	ends := make(chan error, 2)
	go func() { ends <- crosswise(one.ID, two.ID) }()
	go func() { ends <- crosswise(two.ID, one.ID) }()
	if err := errors.Join(<-ends, <-ends); err != nil {
		t.Error(err)
	}
}
