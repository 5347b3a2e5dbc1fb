package workers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onward"
	"onward/indexer"
	"onward/internal/testenv"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/store"
)

func TestTheSameTaskTwiceMakesOneList(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	r.post(bricklaying(guadalajara))
	r.fill()
	request := r.request(r.register(bricklayer()), onward.RequestOptions{})
	task := taskOf(t, r.claim()[0])
	if err := r.matchRequest(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	first := r.read(request.ID)
	if first.Status != onward.RequestReady || len(first.List.Referrals) != 1 {
		t.Fatalf("status %s with list %+v", first.Status, first.List)
	}
	r.post(bricklaying(guadalajara)) // a list of now would differ
	r.fill()
	for range 2 {
		if err := r.matchRequest(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	assertSameList(t, first, r.read(request.ID))
	if state := r.outbox(); state.Waiting+state.Dispatched != 0 {
		t.Errorf("the outbox is not empty: %+v", state)
	}
}

func TestTheSameTaskAtOnceManyTimesMakesOneList(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	r.post(bricklaying(guadalajara))
	r.fill()
	request := r.request(r.register(bricklayer()), onward.RequestOptions{})
	task := taskOf(t, r.claim()[0])
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := r.matchRequest(t.Context(), task); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	first := r.read(request.ID)
	if first.Status != onward.RequestReady {
		t.Fatalf("status %s", first.Status)
	}
	time.Sleep(20 * time.Millisecond)
	assertSameList(t, first, r.read(request.ID))
}

func assertSameList(t *testing.T, first, now onward.ReferralRequest) {
	t.Helper()
	a, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(now)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("the answer changed:\n%s\n%s", a, b)
	}
}

// Each case is a place in the life of a request where its worker can die. What runs afterwards must answer it once.
func TestARequestIsAnsweredOnceWhereverItsWorkerDies(t *testing.T) {
	t.Parallel()
	dies := errors.New("this worker is dead")
	for _, c := range []struct {
		name   string
		change func(*Config)
		before func(t *testing.T, r *rig) // the request is in the outbox, the workers do not run yet
	}{
		{name: "after the claim, before it is enqueued", before: func(_ *testing.T, r *rig) { r.claim() }},
		{name: "after it was enqueued, with the queue", before: func(t *testing.T, r *rig) {
			if err := r.carry(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			flush(t, r)
		}},
		{name: "while it is enqueued, so that it is enqueued twice", before: func(t *testing.T, r *rig) {
			for _, work := range r.claim() {
				if err := r.enqueue(t.Context(), work); err != nil {
					t.Fatal(err)
				}
				if err := r.config.Store.ReturnWork(t.Context(), []int64{work.ID}); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{name: "while it ranks, by a panic", change: around(func(next Ranker) rankerFunc {
			var tries atomic.Int32
			return func(ctx context.Context, q matcher.Query) (indexer.Answer, error) {
				if tries.Add(1) <= 3 {
					panic(dies)
				}
				return next.Rank(ctx, q)
			}
		})},
		{name: "after it ranked, before the answer is saved", change: around(func(next Ranker) rankerFunc {
			var tries atomic.Int32
			return func(ctx context.Context, q matcher.Query) (indexer.Answer, error) {
				answer, err := next.Rank(ctx, q)
				if tries.Add(1) <= 2 {
					return answer, dies
				}
				return answer, err
			}
		})},
		{name: "after the answer is saved, before the task is acknowledged", before: func(t *testing.T, r *rig) {
			work := r.claim()[0]
			if err := r.enqueue(t.Context(), work); err != nil {
				t.Fatal(err)
			}
			if err := r.matchRequest(t.Context(), taskOf(t, work)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, testenv.EmbeddedRedis(t), c.change)
			r.post(bricklaying(guadalajara))
			r.fill()
			request := r.request(r.register(bricklayer()), onward.RequestOptions{})
			if c.before != nil {
				c.before(t, r)
			}
			seen := r.read(request.ID)
			r.run()
			answered := r.await(request.ID)
			if seen.Status != onward.RequestQueued {
				assertSameList(t, seen, answered)
			}
			if answered.Status != onward.RequestReady || len(answered.List.Referrals) != 1 {
				t.Fatalf("status %s with list %+v", answered.Status, answered.List)
			}
			r.waitOutboxEmpty()
			if archived := r.archived(); len(archived) != 0 {
				t.Errorf("%d tasks are archived: %s", len(archived), archived[0].LastErr)
			}
			assertSameList(t, answered, r.read(request.ID))
		})
	}
}

func TestARequestIsRefusedWhenTheConsentEndsBeforeItIsScored(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	person := r.register(bricklayer())
	request := r.request(person, onward.RequestOptions{})
	r.change(person, withdrawn())
	r.run()
	answered := r.await(request.ID)
	if answered.Status != onward.RequestRefused || answered.List != nil || answered.Refusal == "" {
		t.Errorf("status %s, refusal %q, list %v", answered.Status, answered.Refusal, answered.List)
	}
	r.waitOutboxEmpty()
}

func withdrawn() onward.ReturneeDetails {
	details := bricklayer()
	details.Consents[0].WithdrawnOn = onward.DateOf(time.Now())
	return details
}

func TestAProfileThatChangesUnderTheScoringIsScoredAgain(t *testing.T) {
	t.Parallel()
	excluding := bricklayer()
	excluding.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: guadalajara}}
	for _, c := range []struct {
		name    string
		changed onward.ReturneeDetails
		want    onward.RequestStatus
	}{
		{"to one without consent, which is refused", withdrawn(), onward.RequestRefused},
		{"to one with a dangerous place, which is then absent", excluding, onward.RequestReady},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var changeNow func()
			r := newRig(t, testenv.EmbeddedRedis(t), around(func(next Ranker) rankerFunc {
				return func(ctx context.Context, q matcher.Query) (indexer.Answer, error) {
					answer, err := next.Rank(ctx, q)
					changeNow()
					return answer, err
				}
			}))
			r.post(bricklaying(guadalajara))
			r.post(bricklaying(zapopan))
			r.fill()
			person := r.register(bricklayer())
			request := r.request(person, onward.RequestOptions{})
			changeNow = sync.OnceFunc(func() { r.change(person, c.changed) })
			if err := r.matchRequest(t.Context(), taskOf(t, r.claim()[0])); err != nil {
				t.Fatal(err)
			}
			answered := r.read(request.ID)
			if answered.Status != c.want {
				t.Fatalf("status %s, want %s", answered.Status, c.want)
			}
			if c.want != onward.RequestReady {
				return
			}
			if answered.List.Versions.Returnee != person.Version+1 {
				t.Errorf("scored version %d, want the saved one, %d", answered.List.Versions.Returnee, person.Version+1)
			}
			for _, referral := range answered.List.Referrals {
				if referral.Opportunity.PlaceID == guadalajara {
					t.Error("the list names the place that became dangerous")
				}
			}
		})
	}
}

func TestAPoisonedRequestIsArchivedAndStopsNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), func(c *Config) { c.SweepAfter = time.Hour })
	r.post(bricklaying(guadalajara))
	broken := r.register(bricklayer())
	poison := r.request(broken, onward.RequestOptions{})
	r.owner(`UPDATE returnees SET details = jsonb_set(details, '{places}', '"5550100200"') WHERE id = $1`, broken.ID.String())
	r.run()
	for range 3 {
		if answered := r.await(r.request(r.register(bricklayer()), onward.RequestOptions{}).ID); answered.Status != onward.RequestReady {
			t.Errorf("a request beside the poisoned one is %s", answered.Status)
		}
	}
	eventually(t, "the poisoned task is archived", func() bool { return len(r.archived()) == 1 })
	if got := r.archived()[0]; got.Type != string(onward.WorkMatchRequest) || got.Retried != maxRetry {
		t.Errorf("archived: %s after %d retries, want %d", got.Type, got.Retried, maxRetry)
	}
	if r.read(poison.ID).Status != onward.RequestQueued || r.outbox().Dispatched != 1 {
		t.Errorf("the promise should stay open: %s, outbox %+v", r.read(poison.ID).Status, r.outbox())
	}
}

func TestAPayloadThatCantBeReadIsArchivedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	for _, kind := range []string{string(onward.WorkMatchRequest), string(onward.WorkIndexOpportunity)} {
		enqueueRaw(t, r, kind, "no JSON")
	}
	r.run()
	eventually(t, "both are archived", func() bool { return len(r.archived()) == 2 })
	for _, task := range r.archived() {
		if task.Retried != 0 {
			t.Errorf("%s was tried %d times more; that never helps", task.Type, task.Retried)
		}
	}
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, family := range families {
		if family.GetName() == "onward_tasks_archived_total" {
			shown = len(family.GetMetric())
		}
	}
	if shown != 2 {
		t.Errorf("the metrics show archived tasks of %d kinds, want 2", shown)
	}
}

func TestATaskForARequestThatIsGoneEndsItsPromise(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	request := r.request(r.register(bricklayer()), onward.RequestOptions{})
	r.owner(`DELETE FROM referral_requests WHERE id = $1`, request.ID.String())
	r.run()
	r.waitOutboxEmpty()
	if archived := r.archived(); len(archived) != 0 {
		t.Errorf("archived: %s", archived[0].LastErr)
	}
}

// Openings whose skills and place are best but whose terms are worst fill the first candidates of the index, so that the
// best lists are further down. Whatever the depth, the list is that of scoring everything.
func TestTheListIsThatOfScoringEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	random := rand.New(rand.NewPCG(4, 2))
	var news []store.NewOpportunity
	for i := range 1500 {
		details := bricklaying(guadalajara)
		details.Title = onward.Text{"en": fmt.Sprintf("Bricklayer %d", i)}
		wage := int64(10_000_00 + random.IntN(10_000_00))
		if i < 700 {
			wage = 100_00 // as good as the index can see, and hardly paid
		} else {
			details.Skills = append(details.Skills, onward.OpportunitySkill{SkillID: "onward/skill/drive-truck"})
			details.PlaceID = []onward.PlaceID{guadalajara, zapopan}[random.IntN(2)]
		}
		details.Wage = &onward.Wage{MinMinor: wage, MaxMinor: wage, Currency: "MXN", Period: onward.PerMonth}
		news = append(news, store.NewOpportunity{Details: details, Publish: true})
	}
	r.inTx(r.employer, func(tx *store.Tx) error {
		created, err := tx.CreateOpportunities(t.Context(), news)
		for _, c := range created {
			err = errors.Join(err, c.Err)
		}
		return err
	})
	r.fill()
	details := bricklayer()
	details.Places = []onward.PersonPlace{{PlaceID: guadalajara, Relation: onward.PlaceOrigin}}
	reservation := int64(20_000_00)
	details.Preferences.ReservationMinor, details.Preferences.Currency = &reservation, "MXN"
	asked := 0
	r.config.Ranker = around2(r.config.Ranker, func() { asked++ })
	request := r.request(r.register(details), onward.RequestOptions{})
	if err := r.matchRequest(t.Context(), taskOf(t, r.claim()[0])); err != nil {
		t.Fatal(err)
	}
	list := r.read(request.ID).List
	if asked < 2 {
		t.Errorf("the index was asked %d times: the case is too easy to show anything", asked)
	}
	best := r.bruteForce(details)
	if len(list.Referrals) != len(best.Referrals) || len(best.Referrals) == 0 {
		t.Fatalf("%d referrals, scoring everything gives %d", len(list.Referrals), len(best.Referrals))
	}
	for i, want := range best.Referrals {
		if got := list.Referrals[i]; got.Opportunity.ID != want.Opportunity.ID || got.Score != want.Score {
			t.Fatalf("rank %d is %v (%v), scoring everything gives %v (%v)", i+1, got.Opportunity.Title, got.Score, want.Opportunity.Title, want.Score)
		}
	}
}

func around2(next Ranker, seen func()) Ranker {
	return rankerFunc(func(ctx context.Context, q matcher.Query) (indexer.Answer, error) {
		seen()
		return next.Rank(ctx, q)
	})
}

// bruteForce scores all open opportunities.
func (r *rig) bruteForce(profile onward.ReturneeDetails) matcher.Result {
	r.t.Helper()
	reference := r.config.Catalogue.Current()
	country := reference.Country(profile.Country)
	today := r.config.Store.Today()
	var openings []matcher.Opening
	if err := r.config.Store.EachOpen(r.t.Context(), func(list []onward.Opportunity) error {
		for _, entry := range entriesOf(reference, list) {
			openings = append(openings, entry.Opening)
		}
		return nil
	}); err != nil {
		r.t.Fatal(err)
	}
	person := matcher.NewPerson(profile, reference.Taxonomy(), today)
	reach := matcher.NewReach(country.Model.Predict(destination.NewPerson(profile), today), country.Gazetteer, person)
	return matcher.Rank(person, reach, openings, matcher.Options{Today: today, Language: profile.Language})
}

func TestAStatedDestinationStandsBesideTheModelsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	r.post(bricklaying(guadalajara))
	r.fill()
	request := r.request(r.register(bricklayer()), onward.RequestOptions{
		Destination: []onward.LikelyPlace{{PlaceID: zapopan, Probability: 1}}, DestinationReason: "her sister found a flat there",
	})
	if err := r.matchRequest(t.Context(), taskOf(t, r.claim()[0])); err != nil {
		t.Fatal(err)
	}
	list := r.read(request.ID).List
	d := list.Destination
	if !d.Overridden || d.Reason != "her sister found a flat there" || len(d.Places) != 1 || d.Places[0].PlaceID != zapopan {
		t.Errorf("what was stated, and why: %+v", d)
	}
	if len(d.Modelled) == 0 || len(d.Modelled) > modelledShown || d.Modelled[0].PlaceID == zapopan {
		t.Errorf("and what the model says: %+v", d.Modelled)
	}
	if list.Question == nil || list.Question.WorthAsking {
		t.Errorf("someone was asked already: %+v", list.Question)
	}
	if saved := r.read(request.ID); saved.RequestedBy != r.counsellor.UserID || saved.Options.DestinationReason == "" {
		t.Errorf("who stated it is recorded: %+v", saved)
	}
}
