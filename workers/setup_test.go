package workers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"onward"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/indexer/memory"
	"onward/internal/reference"
	"onward/internal/testenv"
	"onward/matcher"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
)

// keys seal what the tests write.
var keys = func() *vault.Vault {
	v, err := vault.New()
	if err != nil {
		panic(err)
	}
	return v
}()

func TestMain(m *testing.M) { testenv.Main(m, testenv.WithTemplate(prepare)) }

// prepare makes what each test's database is a copy of: all migrations, the starter taxonomy and the cities of Mexico.
func prepare(ctx context.Context, ownerURL string) (err error) {
	if _, err := migrations.Apply(ctx, ownerURL); err != nil {
		return err
	}
	loader, err := store.OpenLoader(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loader.Close()) }()
	starter, err := reference.Starter()
	if err != nil {
		return err
	}
	places, err := mexico()
	if err != nil {
		return err
	}
	return errors.Join(loader.LoadTaxonomy(ctx, starter, nil), loader.LoadPlaces(ctx, store.Release{Release: "test"}, places))
}

func mexico() ([]onward.Place, error) {
	all, err := reference.Places()
	var places []onward.Place
	for _, p := range all {
		if p.Country == "MX" {
			places = append(places, p)
		}
	}
	return places, err
}

var sharedCatalogue = sync.OnceValues(func() (*catalogue.Catalogue, error) {
	starter, err := reference.Starter()
	if err != nil {
		return nil, err
	}
	places, err := mexico()
	if err != nil {
		return nil, err
	}
	return catalogue.New(places, []onward.Taxonomy{starter})
})

// rig is workers on a database of their own, with a counsellor and an employer.
type rig struct {
	*Workers
	t          *testing.T
	database   testenv.Database
	index      indexer.Index
	registry   *prometheus.Registry
	counsellor onward.Actor
	employer   onward.Actor
}

// newRig makes workers that do not run yet. Change may replace any part.
func newRig(t *testing.T, redisURL string, change func(*Config)) *rig {
	t.Helper()
	return newRigOn(t, testenv.Postgres(t), redisURL, change)
}

func newRigOn(t *testing.T, database testenv.Database, redisURL string, change func(*Config)) *rig {
	t.Helper()
	reference, err := sharedCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	live := catalogue.NewLive(reference)
	db, err := store.Open(t.Context(), store.Config{URL: database.AppDSN, Vault: keys, Vocabulary: live})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	option, err := asynq.ParseRedisURI(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	index := memory.New()
	ranker := indexer.NewRanker(index, indexer.RankerConfig{})
	t.Cleanup(ranker.Close)
	r := &rig{t: t, database: database, index: index, registry: prometheus.NewRegistry()}
	config := Config{
		Store: db, Catalogue: live, Index: index, Ranker: ranker, Redis: option, Logger: logger(), RetryDelay: 5 * time.Millisecond,
		SweepAfter: time.Second, Registerer: r.registry,
	}
	if change != nil {
		change(&config)
	}
	r.Workers = New(config)
	r.accounts()
	return r
}

func logger() *slog.Logger {
	if os.Getenv("ONWARD_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (r *rig) accounts() {
	r.t.Helper()
	r.inTx(onward.System(), func(tx *store.Tx) (err error) {
		if r.counsellor, err = r.account(tx, onward.Agency, onward.RoleCounsellor); err != nil {
			return err
		}
		r.employer, err = r.account(tx, onward.Employer, onward.RoleEmployer)
		return err
	})
}

func (r *rig) account(tx *store.Tx, kind onward.OrganisationKind, role onward.Role) (onward.Actor, error) {
	name := string(kind) + "-" + uuid.NewString()[:8]
	organisation, err := tx.CreateOrganisation(r.t.Context(), onward.Organisation{Slug: name, Name: name, Kind: kind, Country: "MX"})
	if err != nil {
		return onward.Actor{}, err
	}
	user, err := tx.CreateUser(r.t.Context(), onward.User{OrganisationID: organisation.ID, Name: name, Email: name + "@example.org", Role: role})
	return onward.Actor{UserID: user.ID, OrganisationID: organisation.ID, Role: role}, err
}

// run runs the workers until the test ends or stop is called.
func (r *rig) run() (stop func()) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("run: %v", err)
		}
	})
	r.t.Cleanup(stop)
	return stop
}

func (r *rig) inTx(actor onward.Actor, do func(*store.Tx) error) {
	r.t.Helper()
	if err := r.config.Store.InTx(r.t.Context(), actor, do); err != nil {
		r.t.Fatal(err)
	}
}

const guadalajara, zapopan, morelia = onward.PlaceID(4005539), onward.PlaceID(3979770), onward.PlaceID(3995402)

func bricklaying(place onward.PlaceID) onward.OpportunityDetails {
	return onward.OpportunityDetails{
		Kind: onward.Job, Title: onward.Text{"en": "Bricklayer"}, PlaceID: place, Capacity: 2,
		Skills: []onward.OpportunitySkill{{SkillID: "onward/skill/lay-bricks", Essential: true}, {SkillID: "onward/skill/work-at-height"}},
	}
}

func bricklayer() onward.ReturneeDetails {
	return onward.ReturneeDetails{
		Country: "MX", Language: "en",
		Skills:   []onward.ReturneeSkill{{SkillID: "onward/skill/lay-bricks", Level: onward.LevelExperienced, Verification: onward.Referenced}},
		Places:   []onward.PersonPlace{{PlaceID: morelia, Relation: onward.PlaceOrigin}, {PlaceID: guadalajara, Relation: onward.PlaceCurrent}},
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: onward.DateOf(time.Now()).AddDays(-1)}},
	}
}

func (r *rig) post(details onward.OpportunityDetails) (o onward.Opportunity) {
	r.t.Helper()
	r.inTx(r.employer, func(tx *store.Tx) (err error) {
		o, err = tx.CreateOpportunity(r.t.Context(), store.NewOpportunity{Details: details, Publish: true})
		return err
	})
	return o
}

func (r *rig) update(o onward.Opportunity) (updated onward.Opportunity) {
	r.t.Helper()
	r.inTx(r.employer, func(tx *store.Tx) (err error) {
		updated, err = tx.UpdateOpportunity(r.t.Context(), o.ID, o.Version, o.OpportunityDetails)
		return err
	})
	return updated
}

func (r *rig) close(o onward.Opportunity) (closed onward.Opportunity) {
	r.t.Helper()
	r.inTx(r.employer, func(tx *store.Tx) (err error) {
		closed, err = tx.ChangeOpportunity(r.t.Context(), o.ID, 0, onward.EventClose, "")
		return err
	})
	return closed
}

func (r *rig) register(details onward.ReturneeDetails) (person onward.Returnee) {
	r.t.Helper()
	r.inTx(r.counsellor, func(tx *store.Tx) (err error) {
		person, err = tx.CreateReturnee(r.t.Context(), store.NewReturnee{Details: details})
		return err
	})
	return person
}

func (r *rig) change(person onward.Returnee, details onward.ReturneeDetails) (changed onward.Returnee) {
	r.t.Helper()
	r.inTx(r.counsellor, func(tx *store.Tx) (err error) {
		changed, err = tx.UpdateReturnee(r.t.Context(), person.ID, person.Version, details)
		return err
	})
	return changed
}

func (r *rig) request(person onward.Returnee, options onward.RequestOptions) (request onward.ReferralRequest) {
	r.t.Helper()
	r.inTx(r.counsellor, func(tx *store.Tx) (err error) {
		request, _, err = tx.CreateReferralRequest(r.t.Context(), person.ID, options, "")
		return err
	})
	return request
}

func (r *rig) read(id onward.ID) (request onward.ReferralRequest) {
	r.t.Helper()
	r.inTx(r.counsellor, func(tx *store.Tx) (err error) {
		request, err = tx.ReferralRequest(r.t.Context(), id)
		return err
	})
	return request
}

// await waits for the answer of a request.
func (r *rig) await(id onward.ID) (request onward.ReferralRequest) {
	r.t.Helper()
	eventually(r.t, "the request is answered", func() bool {
		request = r.read(id)
		return request.Status != onward.RequestQueued
	})
	return request
}

// claim takes what the outbox holds, as a dispatcher does that dies before it enqueues.
func (r *rig) claim() []onward.Work {
	r.t.Helper()
	works, err := r.config.Store.ClaimWork(r.t.Context(), 1000, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	return works
}

// fill indexes all that is promised, without a queue.
func (r *rig) fill() {
	r.t.Helper()
	for _, work := range r.claim() {
		if work.Kind == onward.WorkIndexOpportunity {
			if err := r.indexOpportunity(r.t.Context(), taskOf(r.t, work)); err != nil {
				r.t.Fatal(err)
			}
		}
	}
}

func (r *rig) outbox() store.OutboxState {
	r.t.Helper()
	state, err := r.config.Store.Outbox(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return state
}

func (r *rig) waitOutboxEmpty() {
	r.t.Helper()
	eventually(r.t, "the outbox is empty", func() bool { return r.outbox().Waiting+r.outbox().Dispatched == 0 })
}

// owner runs a statement as the owner of the schema.
func (r *rig) owner(statement string, args ...any) {
	r.t.Helper()
	db, err := sql.Open("postgres", r.database.AdminDSN)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(r.t.Context(), statement, args...); err != nil {
		r.t.Fatal(err)
	}
}

// archived counts the tasks that failed for good.
func (r *rig) archived() []*asynq.TaskInfo {
	r.t.Helper()
	inspector := asynq.NewInspector(r.config.Redis)
	defer func() { _ = inspector.Close() }()
	queues, err := inspector.Queues()
	if err != nil {
		r.t.Fatal(err)
	}
	var all []*asynq.TaskInfo
	for _, queue := range queues {
		tasks, err := inspector.ListArchivedTasks(queue)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, tasks...)
	}
	return all
}

// runs counts how often a task ended, by the metrics.
func (r *rig) runs(task, outcome string) int {
	r.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	for _, family := range families {
		if family.GetName() != "onward_task_seconds" {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			if labels["task"] == task && labels["outcome"] == outcome {
				n += int(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return n
}

func taskOf(t *testing.T, work onward.Work) *asynq.Task {
	t.Helper()
	payload := fmt.Sprintf(`{"work":%d,"refs":[`, work.ID)
	for i, ref := range work.Refs {
		if i > 0 {
			payload += ","
		}
		payload += fmt.Sprintf(`{"id":%q,"version":%d}`, ref.ID, ref.Version)
	}
	return asynq.NewTask(string(work.Kind), []byte(payload+"]}"))
}

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if happened() {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}

// rankerFunc is a Ranker that a test makes up around another one.
type rankerFunc func(context.Context, matcher.Query) (indexer.Answer, error)

func (f rankerFunc) Rank(ctx context.Context, query matcher.Query) (indexer.Answer, error) {
	return f(ctx, query)
}

// around puts something between the workers and their ranker.
func around(meddle func(next Ranker) rankerFunc) func(*Config) {
	return func(c *Config) { c.Ranker = meddle(c.Ranker) }
}
