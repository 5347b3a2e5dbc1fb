package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"onward"
	"onward/store"
)

func (b bench) ask(actor onward.Actor, returnee onward.ID, options onward.RequestOptions, key string) (r onward.ReferralRequest, repeated bool, err error) {
	b.t.Helper()
	err = b.try(actor, func(tx *store.Tx) (err error) {
		r, repeated, err = tx.CreateReferralRequest(b.t.Context(), returnee, options, key)
		return err
	})
	return r, repeated, err
}

func TestTheSameKeyGivesTheSameRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, other := b.returnee(counsellor, person()), b.returnee(counsellor, person())
	first, repeated, err := b.ask(counsellor, r.ID, onward.RequestOptions{Limit: 5}, "key")
	if err != nil || repeated {
		t.Fatalf("first: repeated %v, %v", repeated, err)
	}
	again, repeated, err := b.ask(counsellor, r.ID, onward.RequestOptions{Limit: 5}, "key")
	if err != nil || !repeated || again.ID != first.ID {
		t.Errorf("again: %s repeated %v (%v), want %s", again.ID, repeated, err, first.ID)
	}
	_, _, err = b.ask(counsellor, r.ID, onward.RequestOptions{Limit: 6}, "key")
	wantCode(t, err, onward.EConflict)
	_, _, err = b.ask(counsellor, other.ID, onward.RequestOptions{Limit: 5}, "key")
	wantCode(t, err, onward.EConflict)
	if _, repeated, err := b.ask(as(ours, onward.RoleSupervisor), r.ID, onward.RequestOptions{}, "key"); err != nil || repeated {
		t.Errorf("another user's key: repeated %v, %v; keys belong to users", repeated, err)
	}
	for range 2 {
		if _, repeated, err := b.ask(counsellor, r.ID, onward.RequestOptions{}, ""); err != nil || repeated {
			t.Errorf("no key: repeated %v, %v", repeated, err)
		}
	}
	if n := b.count(`SELECT count(*) FROM outbox WHERE kind = 'match:request'`); n != 4 {
		t.Errorf("%d promises, want 4: a repeated request promises nothing", n)
	}
	for _, key := range []string{"a\x00", "\xff"} {
		_, _, err := b.ask(counsellor, r.ID, onward.RequestOptions{}, key)
		wantCode(t, err, onward.EInvalid)
	}
}

func TestConcurrentRequestsWithOneKeyAreOneRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.returnee(counsellor, person())
	var mu sync.Mutex
	ids, fresh := map[onward.ID]bool{}, 0
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			q, repeated, err := b.ask(counsellor, r.ID, onward.RequestOptions{}, "key")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[q.ID] = true
			if !repeated {
				fresh++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || fresh != 1 || b.count(`SELECT count(*) FROM outbox`) != 1 {
		t.Errorf("%d requests, %d of them new, %d promises; want one of each", len(ids), fresh, b.count(`SELECT count(*) FROM outbox`))
	}
}

func TestWithoutActiveConsentNothingIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	consent := func(c onward.Consent) onward.ReturneeDetails {
		d := person()
		d.Consents = []onward.Consent{c}
		return d
	}
	none := person()
	none.Consents = nil
	for name, d := range map[string]onward.ReturneeDetails{
		"none":              none,
		"expired":           consent(onward.Consent{Purpose: onward.ConsentMatching, GivenOn: today.AddDays(-9), ExpiresOn: today.AddDays(-1)}),
		"withdrawn":         consent(onward.Consent{Purpose: onward.ConsentMatching, GivenOn: today.AddDays(-9), WithdrawnOn: today.AddDays(-1)}),
		"for another thing": consent(onward.Consent{Purpose: onward.ConsentSharing, GivenOn: today.AddDays(-9)}),
	} {
		_, _, err := b.ask(counsellor, b.returnee(counsellor, d).ID, onward.RequestOptions{}, "")
		if wantField(t, err, "consents", "consent"); t.Failed() {
			t.Fatalf("consent %s", name)
		}
	}
	lastDay := b.returnee(counsellor, consent(onward.Consent{Purpose: onward.ConsentMatching, GivenOn: today, ExpiresOn: today}))
	if _, _, err := b.ask(counsellor, lastDay.ID, onward.RequestOptions{}, ""); err != nil {
		t.Errorf("on the last day of a consent: %v", err)
	}
	if n := b.count(`SELECT count(*) FROM referral_requests`); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestOnlyThoseWhoHandleReturneesAsk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.returnee(counsellor, person())
	for _, role := range []onward.Role{onward.RoleEmployer, onward.RolePartner, onward.RoleAnalyst, onward.RoleAdministrator, onward.RoleSystem} {
		_, _, err := b.ask(actorOf(role), r.ID, onward.RequestOptions{}, "")
		wantCode(t, err, onward.EForbidden)
	}
	_, _, err := b.ask(stranger, r.ID, onward.RequestOptions{}, "")
	wantCode(t, err, onward.ENotFound)
	_, _, err = b.ask(counsellor, r.ID, onward.RequestOptions{Limit: 101}, "")
	wantField(t, err, "limit", "range")
}

// matching is a request whose promise was claimed.
func (b bench) matching() (onward.Returnee, onward.ReferralRequest, onward.Work) {
	b.t.Helper()
	r := b.returnee(counsellor, person())
	q := b.request(counsellor, r.ID)
	works, err := b.store.ClaimWork(b.t.Context(), 10, 0)
	if err != nil || len(works) != 1 {
		b.t.Fatalf("claimed %v, %v; want the one request", works, err)
	}
	return r, q, works[0]
}

func answerTo(q onward.ReferralRequest, version int64, considered int) store.MatchAnswer {
	return store.MatchAnswer{Request: q.ID, ReturneeVersion: version, List: &onward.RankedList{GeneratedAt: clock(), AnsweredBy: "memory", Considered: considered}}
}

func (b bench) reread(q onward.ReferralRequest) onward.ReferralRequest {
	b.t.Helper()
	return result(b, counsellor, func(tx *store.Tx) (onward.ReferralRequest, error) { return tx.ReferralRequest(b.t.Context(), q.ID) })
}

func TestARequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, q, work := b.matching()
	if err := b.store.AnswerRequest(t.Context(), answerTo(q, 1, 1), work.ID); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM outbox`); n != 0 {
		t.Errorf("%d promises are left, want the fulfilled one gone", n)
	}
	if err := b.store.AnswerRequest(t.Context(), answerTo(q, 1, 2), work.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.store.AnswerRequest(t.Context(), store.MatchAnswer{Request: q.ID, ReturneeVersion: 1, Refusal: "consent"}, work.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.reread(q); got.Status != onward.RequestReady || got.List.Considered != 1 {
		t.Errorf("the request has %+v, want the first answer", got.List)
	}
}

func TestOfConcurrentAnswersOneStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, q, work := b.matching()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := b.store.AnswerRequest(t.Context(), answerTo(q, 1, i+1), work.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	first := b.reread(q)
	if err := b.store.AnswerRequest(t.Context(), answerTo(q, 1, 99), work.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.reread(q); got.List.Considered != first.List.Considered || !got.ReadyAt.Equal(*first.ReadyAt) {
		t.Errorf("the answer went from %d to %d", first.List.Considered, got.List.Considered)
	}
}

func TestARefusalIsAnAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, q, work := b.matching()
	if err := b.store.AnswerRequest(t.Context(), store.MatchAnswer{Request: q.ID, ReturneeVersion: 1, Refusal: "the consent ended"}, work.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.reread(q); got.Status != onward.RequestRefused || got.Refusal != "the consent ended" || got.List != nil || got.ReadyAt == nil {
		t.Errorf("got %+v, want it refused", got)
	}
	if n := b.count(`SELECT count(*) FROM outbox`); n != 0 {
		t.Errorf("%d promises are left, want none", n)
	}
}

func TestAnAnswerForAProfileThatChangedIsNotTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, q, work := b.matching()
	b.in(counsellor, func(tx *store.Tx) error {
		d := person()
		d.Language = "fr"
		_, err := tx.UpdateReturnee(t.Context(), r.ID, 1, d)
		return err
	})
	err := b.store.AnswerRequest(t.Context(), answerTo(q, 1, 1), work.ID)
	if !errors.Is(err, store.ErrProfileChanged) {
		t.Errorf("got %v, want ErrProfileChanged", err)
	}
	if got := b.reread(q); got.Status != onward.RequestQueued {
		t.Errorf("the request is %s, want it still queued", got.Status)
	}
	if n := b.count(`SELECT count(*) FROM outbox`); n != 1 {
		t.Errorf("%d promises, want the one that is not fulfilled", n)
	}
}

// TestAWithdrawalUnderWayHoldsTheAnswerBack: the answer waits for the change of the profile that began before it, and
// then isn't taken.
func TestAWithdrawalUnderWayHoldsTheAnswerBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, q, work := b.matching()
	answered := make(chan error, 1)
	b.in(counsellor, func(tx *store.Tx) error {
		d := person()
		d.Consents[0].WithdrawnOn = today
		if _, err := tx.UpdateReturnee(t.Context(), r.ID, 1, d); err != nil {
			return err
		}
		go func() {
			answered <- b.store.AnswerRequest(context.WithoutCancel(t.Context()), answerTo(q, 1, 1), work.ID)
		}()
		b.untilBlocked(1)
		return nil
	})
	if err := <-answered; err != nil && !errors.Is(err, store.ErrProfileChanged) {
		t.Errorf("%v: the withdrawal ended the request, and the answer changes nothing", err)
	}
	if got := b.reread(q); got.Status != onward.RequestRefused || got.List != nil || got.Refusal == "" {
		t.Errorf("%+v, want it refused", got)
	}
}

// untilBlocked waits until so many sessions of the test's database wait for a lock.
func (b bench) untilBlocked(n int) {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for b.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`, b.Name) < n {
		if time.Now().After(deadline) {
			b.t.Error("nobody came to wait for the lock")
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestAnAnswerCutOffBeforeItsCommitLeavesTheRequestQueued ends the session of the answer while it waits, after its
// writes: as when the worker or Postgres dies.
func TestAnAnswerCutOffBeforeItsCommitLeavesTheRequestQueued(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, q, work := b.matching()
	// A lock on the promise stops the answer at its last statement.
	db := b.admin()
	tx, err := db.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(`SELECT FROM outbox WHERE id = $1 FOR UPDATE`, work.ID); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		answered <- b.store.AnswerRequest(context.WithoutCancel(t.Context()), answerTo(q, 1, 1), work.ID)
	}()
	b.untilBlocked(1)
	b.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`, b.Name)
	wantCode(t, <-answered, onward.EUnavailable)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := b.reread(q); got.Status != onward.RequestQueued || got.List != nil {
		t.Errorf("the request is %s, want it queued", got.Status)
	}
	if err := b.store.AnswerRequest(t.Context(), answerTo(q, 1, 2), work.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.reread(q); got.Status != onward.RequestReady || got.List.Considered != 2 || b.count(`SELECT count(*) FROM outbox`) != 0 {
		t.Errorf("after the second try: %+v, want it ready and the promise gone", got)
	}
}

func TestAskingForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.store.MatchInput(t.Context(), onward.NewID())
	wantCode(t, err, onward.ENotFound)
	if err := b.store.AnswerRequest(t.Context(), store.MatchAnswer{Request: onward.NewID()}, 1); err != nil {
		t.Errorf("answering a request that is gone: %v, want the promise to end", err)
	}
}
