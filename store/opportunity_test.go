package store_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"onward"
	"onward/store"
)

func (b bench) tryCreate(d onward.OpportunityDetails) error {
	b.t.Helper()
	return b.try(employer, func(tx *store.Tx) error {
		_, err := tx.CreateOpportunity(b.t.Context(), store.NewOpportunity{Details: d})
		return err
	})
}

func (b bench) count(query string, args ...any) (n int) {
	b.t.Helper()
	db, err := sqlx.ConnectContext(b.t.Context(), "postgres", b.AdminDSN)
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	if err := db.GetContext(b.t.Context(), &n, query, args...); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestABadOpportunityIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		change      func(*onward.OpportunityDetails)
		field, rule string
		message     string
	}{
		"negative capacity":           {func(d *onward.OpportunityDetails) { d.Capacity = -1 }, "capacity", "range", "from 1"},
		"no capacity":                 {func(d *onward.OpportunityDetails) { d.Capacity = 0 }, "capacity", "range", "from 1"},
		"closing date in the past":    {func(d *onward.OpportunityDetails) { d.ClosesOn = today.AddDays(-1) }, "closes_on", "past", "today or a later day"},
		"start before the close":      {func(d *onward.OpportunityDetails) { d.StartsOn = d.ClosesOn.AddDays(-1) }, "starts_on", "order", "on or after closes_on"},
		"unknown skill":               {func(d *onward.OpportunityDetails) { d.Skills[1].SkillID = "bricklaying" }, "skills[1].skill_id", "unknown_skill", "/v1/skills"},
		"unknown place":               {func(d *onward.OpportunityDetails) { d.PlaceID = 1 }, "place_id", "unknown_place", "/v1/places"},
		"no place and not remote":     {func(d *onward.OpportunityDetails) { d.PlaceID = 0 }, "place_id", "required", "remote"},
		"unknown kind":                {func(d *onward.OpportunityDetails) { d.Kind = "gig" }, "kind", "one_of", "cash_for_work"},
		"no title":                    {func(d *onward.OpportunityDetails) { d.Title = nil }, "title", "required", "by language"},
		"NUL in the title":            {func(d *onward.OpportunityDetails) { d.Title["es"] = "a\x00b" }, "title.es", "characters", "control"},
		"broken UTF-8 in the title":   {func(d *onward.OpportunityDetails) { d.Title["es"] = "Alba\xf1il" }, "title.es", "utf8", "UTF-8"},
		"NUL in the external id":      {func(d *onward.OpportunityDetails) { d.ExternalID = "a\x00" }, "external_id", "characters", "control"},
		"broken UTF-8 in external id": {func(d *onward.OpportunityDetails) { d.ExternalID = "\xff" }, "external_id", "utf8", "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			d := job()
			c.change(&d)
			f := wantField(t, b.tryCreate(d), c.field, c.rule)
			if !strings.Contains(f.Message, c.message) {
				t.Errorf("the message is %q, want it to say %q", f.Message, c.message)
			}
			if c.rule == "unknown_skill" && (len(f.Suggestions) != 1 || f.Suggestions[0].ID != bricks) {
				t.Errorf("suggested %v, want %s", f.Suggestions, bricks)
			}
		})
	}
	if n := b.count(`SELECT (SELECT count(*) FROM opportunities) + (SELECT count(*) FROM outbox)`); n != 0 {
		t.Errorf("%d rows were written", n)
	}
}

func TestAnUpdateIsCheckedAsACreationIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opportunity(employer, job(), true)
	b.sql(`UPDATE opportunities SET held = 1, placed = 1, version = version + 1 WHERE id = $1`, o.ID)
	update := func(capacity int, closes onward.Date) error {
		return b.try(employer, func(tx *store.Tx) error {
			d := job()
			d.Capacity, d.ClosesOn = capacity, closes
			_, err := tx.UpdateOpportunity(t.Context(), o.ID, 0, d)
			return err
		})
	}
	if f := wantField(t, update(1, onward.Date{}), "capacity", "range"); !strings.Contains(f.Message, "2 places are held or taken") {
		t.Errorf("the message is %q", f.Message)
	}
	wantField(t, update(3, today.AddDays(-1)), "closes_on", "past")
	if err := update(2, today); err != nil {
		t.Errorf("as many places as are taken, closing today: %v, want it accepted", err)
	}
}

func TestOfConcurrentUpdatesOneWinsPerVersion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opportunity(employer, job(), false)
	const writers, rounds = 32, 3
	for round := range rounds {
		version := int64(round + 1)
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				d := job()
				d.Capacity = 100 + i
				err := b.try(employer, func(tx *store.Tx) error {
					_, err := tx.UpdateOpportunity(t.Context(), o.ID, version, d)
					return err
				})
				if err == nil {
					won.Add(1)
				} else if onward.CodeOf(err) != onward.EVersion {
					t.Errorf("lost with %v, want EVersion", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("version %d: %d updates won, want 1", version, won.Load())
		}
	}
	if n := b.count(`SELECT count(*) FROM opportunity_versions WHERE opportunity_id = $1`, o.ID); n != rounds+1 {
		t.Errorf("%d versions are kept, want %d", n, rounds+1)
	}
	if n := b.count(`SELECT count(*) FROM outbox WHERE kind = 'index:opportunity'`); n != rounds+1 {
		t.Errorf("%d promises, want %d: losers promise nothing", n, rounds+1)
	}
}

func TestAReturneeIsUpdatedOncePerVersion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.returnee(counsellor, person())
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			d := person()
			d.Identity.GivenName = fmt.Sprint("Name ", i)
			d.ExternalID = d.Identity.GivenName
			err := b.try(counsellor, func(tx *store.Tx) error {
				_, err := tx.UpdateReturnee(t.Context(), r.ID, 1, d)
				return err
			})
			if err == nil {
				won.Add(1)
			} else if onward.CodeOf(err) != onward.EVersion {
				t.Errorf("lost with %v, want EVersion", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d updates won, want 1", won.Load())
	}
	after := result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), r.ID) })
	if after.Identity.GivenName != after.ExternalID {
		t.Errorf("identity %q and profile %q come from two updates", after.Identity.GivenName, after.ExternalID)
	}
}

func TestAnExternalIDIsTakenOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := job()
	d.ExternalID = "A-1"
	first := b.opportunity(employer, d, false)
	err := b.tryCreate(d)
	wantCode(t, err, onward.EConflict)
	if !strings.Contains(err.Error(), first.ID.String()) {
		t.Errorf("%v does not name the one that is there", err)
	}
	if n := b.count(`SELECT count(*) FROM outbox`); n != 1 {
		t.Errorf("%d promises, want 1", n)
	}
	b.opportunity(as(theirs, onward.RoleEmployer), d, false) // another organisation's ids are its own
	other := b.opportunity(employer, job(), false)
	b.opportunity(employer, job(), false) // and no id is no id
	wantCode(t, b.try(employer, func(tx *store.Tx) error {
		_, err := tx.UpdateOpportunity(t.Context(), other.ID, 0, d)
		return err
	}), onward.EConflict)

	p := person()
	p.ExternalID = "R-1"
	r := b.returnee(counsellor, p)
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.CreateReturnee(t.Context(), store.NewReturnee{Details: p})
		return err
	}), onward.EConflict)
	second := b.returnee(counsellor, person())
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.UpdateReturnee(t.Context(), second.ID, 1, p)
		return err
	}), onward.EConflict)
	if n := b.count(`SELECT count(*) FROM returnee_identities`); n != 2 {
		t.Errorf("%d identities, want one for each of %s and %s", n, r.ID, second.ID)
	}
}

func TestABatchWritesItsGoodRowsAndSaysWhatIsWrongWithTheOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	row := func(external string, change func(*onward.OpportunityDetails)) store.NewOpportunity {
		d := job()
		d.ExternalID = external
		if change != nil {
			change(&d)
		}
		return store.NewOpportunity{Details: d, Publish: true}
	}
	there := b.opportunity(employer, row("there", nil).Details, false)
	batch := []store.NewOpportunity{
		row("a", nil),
		row("b", func(d *onward.OpportunityDetails) { d.Capacity = 0 }),
		row("there", nil),
		row("c", nil),
		row("a", nil),
		row("d", func(d *onward.OpportunityDetails) { d.Title = onward.Text{"es": "\xff"} }),
	}
	created := result(b, employer, func(tx *store.Tx) ([]store.Created, error) { return tx.CreateOpportunities(t.Context(), batch) })
	wantField(t, created[1].Err, "capacity", "range")
	wantField(t, created[5].Err, "title.es", "utf8")
	for i, want := range map[int]onward.ID{2: there.ID, 4: created[0].Ref.ID} {
		if c := created[i]; !c.Duplicate || c.Ref != (onward.Ref{ID: want, Version: 1}) {
			t.Errorf("row %d is %+v, want a duplicate of %s", i, c, want)
		}
	}
	for _, i := range []int{0, 3} {
		if c := created[i]; c.Err != nil || c.Duplicate || c.Ref.ID.IsZero() {
			t.Errorf("row %d is %+v, want it written", i, c)
		}
	}
	if n := b.count(`SELECT count(*) FROM opportunities WHERE status = 'open' AND published_at IS NOT NULL`); n != 2 {
		t.Errorf("%d were published, want 2", n)
	}
	if n := b.count(`SELECT jsonb_array_length(payload) FROM outbox ORDER BY id DESC LIMIT 1`); n != 2 {
		t.Errorf("the batch promises %d, want 2", n)
	}
	again := result(b, employer, func(tx *store.Tx) ([]store.Created, error) { return tx.CreateOpportunities(t.Context(), batch[:1]) })
	if !again[0].Duplicate || b.count(`SELECT count(*) FROM outbox`) != 2 {
		t.Errorf("the same again gives %+v, want a duplicate and no promise", again)
	}
	if none := result(b, employer, func(tx *store.Tx) ([]store.Created, error) { return tx.CreateOpportunities(t.Context(), nil) }); len(none) != 0 {
		t.Errorf("nothing gives %+v", none)
	}
}

func TestABatchOfReturneesKeepsWhatPostgresCanNotKeepToOneRow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := func(change func(*onward.ReturneeDetails)) store.NewReturnee {
		d := person()
		change(&d)
		return store.NewReturnee{Details: d}
	}
	batch := []store.NewReturnee{
		{Details: person()},
		bad(func(d *onward.ReturneeDetails) { d.Identity.GivenName = "a\x00" }),
		bad(func(d *onward.ReturneeDetails) { d.Consents[0].Language = "e\x00" }), // no rule of the domain looks at these
		bad(func(d *onward.ReturneeDetails) { d.Consents[0].Language = "\xff" }),
		bad(func(d *onward.ReturneeDetails) { d.Household.Currency = "\x00" }),
		bad(func(d *onward.ReturneeDetails) { d.Identity.Notes = `C:\u0000 � is text` }), // which is fine
	}
	created := result(b, counsellor, func(tx *store.Tx) ([]store.Created, error) { return tx.CreateReturnees(t.Context(), batch) })
	for i, c := range created {
		want := onward.EInvalid
		if i == 0 || i == 5 {
			want = ""
		}
		if got := onward.CodeOf(c.Err); got != want {
			t.Errorf("row %d: %v, want code %q", i, c.Err, want)
		}
	}
	r := result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), created[5].Ref.ID) })
	if r.Identity.Notes != `C:\u0000 � is text` {
		t.Errorf("the notes came back as %q", r.Identity.Notes)
	}
}

func TestFiltersRefuseWhatPostgresCanNotRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, text := range []string{"a\x00b", "\xff"} {
		wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
			_, err := tx.Returnees(t.Context(), store.ReturneeFilter{Name: text}, store.Cursor{})
			return err
		}), onward.EInvalid)
		wantCode(t, b.try(employer, func(tx *store.Tx) error {
			_, err := tx.Opportunities(t.Context(), store.OpportunityFilter{ExternalID: text}, store.Cursor{})
			return err
		}), onward.EInvalid)
	}
}

// lifeOf is the table of states by hand, so that it does not agree with the code by construction.
var lifeOf = map[onward.OpportunityStatus]map[onward.OpportunityEvent]onward.OpportunityStatus{
	onward.OpportunityDraft:  {onward.EventPublish: onward.OpportunityOpen, onward.EventClose: onward.OpportunityClosed},
	onward.OpportunityOpen:   {onward.EventPause: onward.OpportunityPaused, onward.EventClose: onward.OpportunityClosed},
	onward.OpportunityPaused: {onward.EventPublish: onward.OpportunityOpen, onward.EventClose: onward.OpportunityClosed},
	onward.OpportunityClosed: {},
}

func TestAnyRunOfEventsKeepsToTheStates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	event := rapid.SampledFrom([]onward.OpportunityEvent{onward.EventPublish, onward.EventPause, onward.EventClose, "reopen"})
	rapid.Check(t, func(rt *rapid.T) {
		o := b.opportunity(employer, job(), rapid.Bool().Draw(rt, "published at once"))
		for _, e := range rapid.SliceOfN(event, 1, 6).Draw(rt, "events") {
			want, legal := lifeOf[o.Status][e]
			var next onward.Opportunity
			err := b.try(employer, func(tx *store.Tx) (err error) {
				next, err = tx.ChangeOpportunity(t.Context(), o.ID, o.Version, e, "")
				return err
			})
			if !legal {
				if onward.CodeOf(err) != onward.EConflict {
					rt.Fatalf("%s of %s: %v, want EConflict", e, o.Status, err)
				}
				continue
			}
			if err != nil || next.Status != want || next.Version != o.Version+1 {
				rt.Fatalf("%s of %s: %s version %d (%v), want %s version %d", e, o.Status, next.Status, next.Version, err, want, o.Version+1)
			}
			if (next.CloseReason != "") != (want == onward.OpportunityClosed) {
				rt.Fatalf("%s has the close reason %q", want, next.CloseReason)
			}
			if o.PublishedAt != nil && (next.PublishedAt == nil || !next.PublishedAt.Equal(*o.PublishedAt)) {
				rt.Fatal("the first publication was forgotten")
			}
			o = next
		}
		if o.Status == onward.OpportunityClosed {
			if err := b.try(employer, func(tx *store.Tx) error {
				_, err := tx.UpdateOpportunity(t.Context(), o.ID, o.Version, job())
				return err
			}); onward.CodeOf(err) != onward.EConflict {
				rt.Fatalf("changing a closed one: %v, want EConflict", err)
			}
		}
		stored := result(b, employer, func(tx *store.Tx) (onward.Opportunity, error) { return tx.Opportunity(t.Context(), o.ID) })
		if stored.Status != o.Status || stored.Version != o.Version {
			rt.Fatalf("stored %s version %d, want %s version %d", stored.Status, stored.Version, o.Status, o.Version)
		}
	})
}

func TestChangingRefusesAStaleVersionAPastClosingDateAndAnUnknownReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.opportunity(employer, job(), false)
	change := func(version int64, e onward.OpportunityEvent, reason onward.CloseReason) error {
		return b.try(employer, func(tx *store.Tx) error {
			_, err := tx.ChangeOpportunity(t.Context(), o.ID, version, e, reason)
			return err
		})
	}
	wantCode(t, change(7, onward.EventPublish, ""), onward.EVersion)
	wantField(t, change(0, onward.EventClose, "bored"), "reason", "one_of")
	s, err := store.Open(t.Context(), store.Config{URL: b.AppDSN, Vault: keys, Vocabulary: vocabulary{}, Now: func() time.Time { return clock().AddDate(0, 2, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantCode(t, s.InTx(t.Context(), employer, func(tx *store.Tx) error {
		_, err := tx.ChangeOpportunity(t.Context(), o.ID, 0, onward.EventPublish, "")
		return err
	}), onward.EConflict)
	if err := change(0, onward.EventClose, onward.CloseUnsafe); err != nil {
		t.Fatal(err)
	}
	closed := result(b, employer, func(tx *store.Tx) (onward.Opportunity, error) { return tx.Opportunity(t.Context(), o.ID) })
	if closed.CloseReason != onward.CloseUnsafe {
		t.Errorf("closed for %q, want unsafe", closed.CloseReason)
	}
}

func TestWithoutReferenceDataWritesSaySo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, r := b.opportunity(employer, job(), false), b.returnee(counsellor, person())
	b.store = b.store.WithVocabulary(nil)
	ctx := t.Context()
	wantCode(t, b.tryCreate(job()), onward.EUnavailable)
	for _, try := range []func(*store.Tx) error{
		func(tx *store.Tx) error { _, err := tx.UpdateOpportunity(ctx, o.ID, 1, job()); return err },
		func(tx *store.Tx) error {
			_, err := tx.CreateReturnee(ctx, store.NewReturnee{Details: person()})
			return err
		},
		func(tx *store.Tx) error { _, err := tx.UpdateReturnee(ctx, r.ID, 1, person()); return err },
		func(tx *store.Tx) error {
			options := onward.RequestOptions{Destination: []onward.LikelyPlace{{PlaceID: monterrey, Probability: 1}}, DestinationReason: "said so"}
			_, _, err := tx.CreateReferralRequest(ctx, r.ID, options, "")
			return err
		},
	} {
		wantCode(t, b.try(as(ours, onward.RoleSupervisor), try), onward.EUnavailable)
	}
}

func TestAChangeThatCommitsLateIsNotMissed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	seen := func(watermark uint64) (next uint64, ids []onward.ID) {
		next, err := b.store.ChangedSince(ctx, watermark, func(list []onward.Opportunity) error {
			for _, o := range list {
				ids = append(ids, o.ID)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return next, ids
	}
	watermark, _ := seen(0)
	written, commit, ended := make(chan onward.ID), make(chan struct{}), make(chan error)
	go func() {
		ended <- b.try(employer, func(tx *store.Tx) error {
			o, err := tx.CreateOpportunity(ctx, store.NewOpportunity{Details: job()})
			written <- o.ID
			<-commit
			return err
		})
	}()
	late := <-written
	early := b.opportunity(employer, job(), false) // a later transaction that commits first
	watermark, ids := seen(watermark)
	if slices.Contains(ids, late) || !slices.Contains(ids, early.ID) {
		t.Errorf("before the commit saw %v, want %s and not %s", ids, early.ID, late)
	}
	close(commit)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	watermark, ids = seen(watermark)
	if !slices.Contains(ids, late) {
		t.Errorf("after the commit saw %v, want %s", ids, late)
	}
	updated := result(b, employer, func(tx *store.Tx) (onward.Opportunity, error) {
		return tx.ChangeOpportunity(ctx, early.ID, 0, onward.EventClose, "")
	})
	if watermark, ids = seen(watermark); !slices.Contains(ids, updated.ID) {
		t.Errorf("saw %v, want the one that was closed", ids)
	}
	// The watermark is the oldest transaction of the whole server, and other tests have some under way.
	deadline := time.Now().Add(20 * time.Second)
	for {
		if watermark, ids = seen(watermark); len(ids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v come again and again", ids)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestStreamsReadEverythingOnceInBatches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const n = 4500 // more than two batches
	b.sql(`INSERT INTO opportunities (id, organisation_id, status, kind, capacity, details)
		SELECT gen_random_uuid(), $1, CASE WHEN i % 9 = 0 THEN 'paused' ELSE 'open' END, 'job', 1, '{"kind":"job","capacity":1,"title":{"en":"x"}}' FROM generate_series(1, $2::int) i`, ours.ID, n)
	want := n - n/9
	seen := map[onward.ID]int{}
	if err := b.store.EachOpen(t.Context(), func(list []onward.Opportunity) error {
		for _, o := range list {
			seen[o.ID]++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.store.EachOpenRef(t.Context(), func(ref onward.Ref) error { seen[ref.ID]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != want {
		t.Errorf("read %d, want %d", len(seen), want)
	}
	for id, times := range seen {
		if times != 2 {
			t.Fatalf("%s came %d times in two streams", id, times)
		}
	}
	all := 0
	if _, err := b.store.ChangedSince(t.Context(), 1, func(list []onward.Opportunity) error { all += len(list); return nil }); err != nil || all != n {
		t.Errorf("changed since ever: %d, %v; want %d", all, err, n)
	}
	errStop := errors.New("stop")
	if err := b.store.EachOpen(t.Context(), func([]onward.Opportunity) error { return errStop }); !errors.Is(err, errStop) {
		t.Errorf("got %v, want the error of the reader", err)
	}
	if _, err := b.store.ChangedSince(t.Context(), math.MaxUint64, nil); err != nil {
		t.Errorf("a watermark of the future: %v", err)
	}
}
