package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"onward"
	"onward/api"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/indexer/memory"
	"onward/internal/reference"
	"onward/internal/testenv"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
	"onward/workers"
)

func TestMain(m *testing.M) {
	redis.SetLogger(quietRedis{})
	testenv.Main(m, testenv.WithTemplate(prepare))
}

type quietRedis struct{}

func (quietRedis) Printf(context.Context, string, ...any) {}

// prepare makes what each test's database is a copy of: all migrations and the built-in reference data.
func prepare(ctx context.Context, ownerURL string) error {
	if _, err := migrations.Apply(ctx, ownerURL); err != nil {
		return err
	}
	loader, err := store.OpenLoader(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer func() { _ = loader.Close() }()
	places, err := reference.Places()
	if err != nil {
		return err
	}
	if err := loader.LoadPlaces(ctx, store.Release{Release: reference.GeoRelease, Name: "places", Source: "GeoNames"}, places); err != nil {
		return err
	}
	starter, err := reference.Starter()
	if err != nil {
		return err
	}
	return loader.LoadTaxonomy(ctx, starter, nil)
}

// words is the catalogue, which all tests share: it never changes.
var words = sync.OnceValue(func() *catalogue.Live {
	places, err := reference.Places()
	if err != nil {
		panic(err)
	}
	starter, err := reference.Starter()
	if err != nil {
		panic(err)
	}
	c, err := catalogue.New(places, []onward.Taxonomy{starter})
	if err != nil {
		panic(err)
	}
	return catalogue.NewLive(c)
})

// system is the API on real parts, with two agencies and two employers.
type system struct {
	t     testing.TB
	store *store.Store
	// adminDSN reaches the database past row-level security, for what no request could do.
	adminDSN string
	index    *memory.Index
	server   *httptest.Server
	log      *logBuffer
	parts    []api.Part

	agency, other            onward.Organisation // agencies
	employer, otherEmployer  onward.Organisation
	counsellor, supervisor   string // tokens of the agency
	partner, analyst, admin  string
	poster                   string // a token of the employer
	stranger, strangerPoster string // tokens of the other organisations
}

// logBuffer keeps what the API logs.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// keys seal what the tests write.
var keys = func() *vault.Vault {
	v, err := vault.New()
	if err != nil {
		panic(err)
	}
	return v
}()

// newSystem serves the API without workers: requests stay queued.
func newSystem(t testing.TB, adjust ...func(*api.Config)) *system {
	t.Helper()
	s := &system{t: t, index: memory.New(), log: &logBuffer{}}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	database := testenv.Postgres(t)
	s.adminDSN = database.AdminDSN
	db, err := store.Open(t.Context(), store.Config{URL: database.AppDSN, Vault: keys, Vocabulary: words()})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	s.store = db
	ranker := indexer.NewRanker(s.index, indexer.RankerConfig{Logger: log})
	config := api.Config{
		Store: db, Catalogue: words(), Searcher: ranker, Logger: log, Registry: prometheus.NewRegistry(),
		Parts: func(context.Context) []api.Part { return s.parts },
	}
	for _, change := range adjust {
		change(&config)
	}
	served := api.New(config)
	running, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var loops sync.WaitGroup
	loops.Go(func() {
		if err := served.Run(running); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	s.server = httptest.NewUnstartedServer(served.Handler())
	s.server.Config = api.NewServer(served.Handler(), log)
	s.server.Start()
	t.Cleanup(func() {
		s.server.Close()
		stop()
		loops.Wait()
		ranker.Close()
		_ = db.Close()
	})
	s.accounts()
	return s
}

// withWorkers lets workers answer requests and fill the index.
func (s *system) withWorkers() *system {
	s.t.Helper()
	option, err := asynq.ParseRedisURI(testenv.EmbeddedRedis(s.t))
	if err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	ranker := indexer.NewRanker(s.index, indexer.RankerConfig{Logger: log})
	w := workers.New(workers.Config{
		Store: s.store, Catalogue: words(), Index: s.index, Ranker: ranker, Redis: option, Logger: log, Concurrency: 2, SweepAfter: time.Second,
	})
	running, stop := context.WithCancel(context.WithoutCancel(s.t.Context()))
	done := make(chan error, 1)
	go func() { done <- w.Run(running) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && running.Err() == nil {
			s.t.Errorf("workers: %v", err)
		}
		ranker.Close()
	})
	return s
}

func (s *system) accounts() {
	s.t.Helper()
	ctx := s.t.Context()
	err := s.store.InTx(ctx, onward.System(), func(tx *store.Tx) (err error) {
		for _, o := range []struct {
			into *onward.Organisation
			slug string
			kind onward.OrganisationKind
		}{{&s.agency, "agency", onward.Agency}, {&s.other, "other-agency", onward.Agency}, {&s.employer, "employer", onward.Employer}, {&s.otherEmployer, "other-employer", onward.Employer}} {
			if *o.into, err = tx.CreateOrganisation(ctx, onward.Organisation{Slug: o.slug, Name: o.slug, Kind: o.kind, Country: "MX"}); err != nil {
				return err
			}
		}
		for _, u := range []struct {
			into *string
			of   onward.Organisation
			role onward.Role
		}{
			{&s.counsellor, s.agency, onward.RoleCounsellor},
			{&s.supervisor, s.agency, onward.RoleSupervisor},
			{&s.partner, s.agency, onward.RolePartner},
			{&s.analyst, s.agency, onward.RoleAnalyst},
			{&s.admin, s.agency, onward.RoleAdministrator},
			{&s.poster, s.employer, onward.RoleEmployer},
			{&s.stranger, s.other, onward.RoleCounsellor},
			{&s.strangerPoster, s.otherEmployer, onward.RoleEmployer},
		} {
			if *u.into, err = s.token(tx, u.of, u.role, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatalf("accounts: %v", err)
	}
}

func (s *system) token(tx *store.Tx, of onward.Organisation, role onward.Role, expires *time.Time) (string, error) {
	ctx := s.t.Context()
	user, err := tx.CreateUser(ctx, onward.User{OrganisationID: of.ID, Name: string(role), Email: onward.NewID().String() + "@example.org", Role: role})
	if err != nil {
		return "", err
	}
	secret, _, err := tx.CreateToken(ctx, user, "test", expires)
	return secret, err
}

// answer is what came back, read whole.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
	what   string
}

type option func(*http.Request)

func header(name, value string) option { return func(r *http.Request) { r.Header.Set(name, value) } }

// send sends a request. A body that is not a string is sent as JSON; an empty token sends none.
func (s *system) send(token, method, path string, body any, options ...option) answer {
	s.t.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+path, reader)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(request)
	}
	client := *s.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{s.t, response.StatusCode, response.Header, string(raw), method + " " + path}
}

func (s *system) get(token, path string, options ...option) answer {
	s.t.Helper()
	return s.send(token, http.MethodGet, path, nil, options...)
}

func (s *system) post(token, path string, body any, options ...option) answer {
	s.t.Helper()
	return s.send(token, http.MethodPost, path, body, options...)
}

func (s *system) put(token, path string, body any, options ...option) answer {
	s.t.Helper()
	return s.send(token, http.MethodPut, path, body, options...)
}

// want fails the test unless the status is as wanted.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %.2000s", a.what, a.status, status, a.body)
	}
	return a
}

// decode reads a JSON answer.
func decode[T any](a answer) T {
	a.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		a.t.Fatalf("%s: %v: %.500s", a.what, err, a.body)
	}
	return v
}

// problem checks all that holds for every error, and the status and code.
func (a answer) problem(status int, code onward.Code) api.Problem {
	a.t.Helper()
	a.want(status)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Fatalf("%s: content type %q of an error: %.500s", a.what, got, a.body)
	}
	p := decode[api.Problem](a)
	if p.Status != status || p.Code != code || p.Title != http.StatusText(status) || p.Type != "about:blank" {
		a.t.Errorf("%s: want status %d and code %s: %s", a.what, status, code, a.body)
	}
	if len(p.Detail) < 10 || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		a.t.Errorf("%s: an error needs a detail and the request id of its header: %s", a.what, a.body)
	}
	for _, f := range p.Errors {
		if f.Location == "" || f.Message == "" || f.Rule == "" {
			a.t.Errorf("%s: a bad field needs a location, a rule and a message: %+v", a.what, f)
		}
	}
	return p
}

// field finds what is said of one field of a problem.
func field(t testing.TB, p api.Problem, location string) api.ProblemField {
	t.Helper()
	for _, f := range p.Errors {
		if f.Location == location {
			return f
		}
	}
	t.Errorf("nothing is said of %s: %+v", location, p.Errors)
	return api.ProblemField{}
}

const guadalajara, zapopan, morelia = onward.PlaceID(4005539), onward.PlaceID(3979770), onward.PlaceID(3995402)

func bricklaying(external string, place onward.PlaceID) onward.OpportunityDetails {
	return onward.OpportunityDetails{
		ExternalID: external, Kind: onward.Job, Title: onward.Text{"es": "Albañil", "en": "Bricklayer"}, PlaceID: place, Capacity: 2,
		Skills: []onward.OpportunitySkill{{SkillID: "onward/skill/lay-bricks", Essential: true}, {SkillID: "onward/skill/work-at-height"}},
	}
}

func bricklayer(external string) onward.ReturneeDetails {
	yesterday := onward.DateOf(time.Now()).AddDays(-1)
	return onward.ReturneeDetails{
		ExternalID: external, Country: "MX", Language: "es", Identity: onward.Identity{GivenName: "Ana", FamilyName: "Prueba"},
		Skills:   []onward.ReturneeSkill{{SkillID: "onward/skill/lay-bricks", Level: onward.LevelExperienced, Verification: onward.Referenced}},
		Places:   []onward.PersonPlace{{PlaceID: morelia, Relation: onward.PlaceOrigin}, {PlaceID: guadalajara, Relation: onward.PlaceCurrent}},
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: yesterday}},
	}
}

// open publishes an opportunity of the employer.
func (s *system) open(details onward.OpportunityDetails) onward.Opportunity {
	s.t.Helper()
	return decode[onward.Opportunity](s.post(s.poster, "/v1/opportunities?publish=true", details).want(http.StatusCreated))
}

func (s *system) register(details onward.ReturneeDetails) onward.Returnee {
	s.t.Helper()
	return decode[onward.Returnee](s.post(s.counsellor, "/v1/returnees", details).want(http.StatusCreated))
}

func (s *system) request(returnee onward.ID) onward.ReferralRequest {
	s.t.Helper()
	return decode[onward.ReferralRequest](s.post(s.counsellor, "/v1/returnees/"+returnee.String()+"/referral-requests", nil).want(http.StatusAccepted))
}

func (s *system) waitIndexed(n int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d openings in the index", n), func() bool {
		count, err := s.index.Count(s.t.Context())
		return err == nil && count == n
	})
}

func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if happened() {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}
