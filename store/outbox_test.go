package store_test

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"onward"
	"onward/internal/testenv"
	"onward/store"
)

func (b bench) claim(limit int, stale time.Duration) []onward.Work {
	b.t.Helper()
	works, err := b.store.ClaimWork(b.t.Context(), limit, stale)
	if err != nil {
		b.t.Fatal(err)
	}
	return works
}

func TestAPromiseCountsFromTheCommit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.in(employer, func(tx *store.Tx) error {
		if _, err := tx.CreateOpportunity(t.Context(), store.NewOpportunity{Details: job()}); err != nil {
			return err
		}
		if works := b.claim(10, 0); len(works) != 0 {
			t.Errorf("claimed %v before the commit", works)
		}
		return nil
	})
	if works := b.claim(10, 0); len(works) != 1 || works[0].Kind != onward.WorkIndexOpportunity || works[0].Refs[0].Version != 1 {
		t.Errorf("claimed %v after the commit, want one", works)
	}
	if err := b.try(employer, func(tx *store.Tx) error {
		_, _ = tx.CreateOpportunity(t.Context(), store.NewOpportunity{Details: job()})
		return errRollBack
	}); err != errRollBack { //nolint:errorlint // the very error comes back
		t.Errorf("got %v, want the error of the function as it was", err)
	}
	if works := b.claim(10, 0); len(works) != 0 {
		t.Errorf("claimed %v of a transaction that was rolled back", works)
	}
}

func TestConcurrentDispatchersGetEachPromiseOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const promises = 500
	b.sql(`INSERT INTO outbox (kind, payload) SELECT 'match:request', '[]' FROM generate_series(1, $1::int)`, promises)
	var mu sync.Mutex
	claimed := map[int64]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				works, err := b.store.ClaimWork(t.Context(), 7, 0)
				if err != nil {
					t.Error(err)
					return
				}
				if len(works) > 7 {
					t.Errorf("claimed %d at once, want 7 at most", len(works))
				}
				if len(works) == 0 {
					return
				}
				mu.Lock()
				for _, work := range works {
					claimed[work.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(claimed) != promises {
		t.Errorf("%d promises were claimed, want %d", len(claimed), promises)
	}
	for id, times := range claimed {
		if times != 1 {
			t.Errorf("promise %d was claimed %d times", id, times)
		}
	}
}

func TestAStaleClaimIsClaimedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.opportunity(employer, job(), false)
	first := b.claim(10, 0)
	if again := b.claim(10, time.Minute); len(again) != 0 {
		t.Errorf("claimed %v again at once", again)
	}
	b.sql(`UPDATE outbox SET dispatched_at = now() - interval '2 minutes'`)
	if again := b.claim(10, time.Minute); len(again) != 1 || again[0].ID != first[0].ID {
		t.Errorf("claimed %v after two minutes, want %v", again, first)
	}
	if again := b.claim(10, time.Minute); len(again) != 0 {
		t.Errorf("claimed %v again: a claim renews itself", again)
	}
}

func TestReturnedWorkWaitsAgainAndFinishedWorkIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.opportunity(employer, job(), false)
	work := b.claim(10, 0)[0]
	if err := b.store.ReturnWork(ctx, []int64{work.ID, 999}); err != nil {
		t.Fatal(err)
	}
	if again := b.claim(10, 0); len(again) != 1 || again[0].ID != work.ID {
		t.Errorf("claimed %v, want the returned one", again)
	}
	for range 2 {
		if err := b.store.FinishWork(ctx, work.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.store.ReturnWork(ctx, []int64{work.ID}); err != nil {
		t.Fatal(err)
	}
	if err := b.store.ReturnWork(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if state, err := b.store.Outbox(ctx); err != nil || state != (store.OutboxState{}) {
		t.Errorf("outbox is %+v, %v; want it empty", state, err)
	}
}

// next is the first notification on a channel; others are passed over.
func next(t testing.TB, notifications <-chan store.Notification, channel string) store.Notification {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case n, ok := <-notifications:
			if !ok {
				t.Fatalf("the notifications ended while waiting for %q", channel)
			}
			if n.Channel == channel {
				return n
			}
		case <-deadline:
			t.Fatalf("no notification on %q", channel)
		}
	}
}

func TestNotificationsTellOfWorkAnswersAndChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	notifications, err := b.store.Listen(t.Context(), quiet(), store.ChannelOutbox, store.ChannelRequests, store.ChannelOpportunities, store.ChannelReference)
	if err != nil {
		t.Fatal(err)
	}
	b.opportunity(employer, job(), true)
	next(t, notifications, store.ChannelOpportunities)
	next(t, notifications, store.ChannelOutbox)
	q := b.request(counsellor, b.returnee(counsellor, person()).ID)
	next(t, notifications, store.ChannelOutbox)
	if err := b.store.AnswerRequest(t.Context(), answerTo(q, 1, 1), 0); err != nil {
		t.Fatal(err)
	}
	if n := next(t, notifications, store.ChannelRequests); n.Payload != q.ID.String() {
		t.Errorf("the notification names %q, want %s", n.Payload, q.ID)
	}
	loader, err := store.OpenLoader(t.Context(), b.AdminDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	if err := loader.LoadTaxonomy(t.Context(), taxonomy, nil); err != nil {
		t.Fatal(err)
	}
	next(t, notifications, store.ChannelReference)
}

// TestKillingPostgresLosesNothingThatWasAnswered: the store works again when the server is back, what was committed is
// there, and whoever listens learns that something may have been missed.
func TestKillingPostgresLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	database, postgres := testenv.OwnPostgres(t)
	b := bench{t: t, Database: database, store: open(t, database.AppDSN)}
	notifications, err := b.store.Listen(t.Context(), quiet(), store.ChannelRequests, store.ChannelOutbox)
	if err != nil {
		t.Fatal(err)
	}
	_, q, work := b.matching()
	if err := syscall.Kill(postgres.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	next(t, notifications, "") // anything may have been missed
	deadline := time.Now().Add(30 * time.Second)
	for {
		if err = b.store.AnswerRequest(t.Context(), answerTo(q, 1, 1), work.ID); err == nil {
			break
		}
		if onward.CodeOf(err) != onward.EUnavailable {
			t.Errorf("while Postgres is away: %v, want EUnavailable", err)
		}
		if time.Now().After(deadline) {
			t.Fatal("Postgres is not back")
		}
		time.Sleep(20 * time.Millisecond)
	}
	for next(t, notifications, store.ChannelRequests).Payload != q.ID.String() {
		continue
	}
	if got := b.reread(q); got.Status != onward.RequestReady {
		t.Errorf("the request is %s, want it ready", got.Status)
	}
}
