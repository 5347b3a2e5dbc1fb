package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onward"
	"onward/store"
)

const day = int64(24 * 3600)

var supervisor = as(ours, onward.RoleSupervisor)

// aged makes all that happened with people so many days old, by the clock of the tests.
func (b bench) aged(days int) {
	b.t.Helper()
	at := clock().AddDate(0, 0, -days).Format(time.RFC3339)
	for _, change := range []string{
		`returnees SET updated_at = '%[1]s', created_at = '%[1]s'`, `referral_requests SET created_at = '%[1]s'`,
		`referrals SET updated_at = '%[1]s', ended_at = CASE WHEN ended_at IS NULL THEN NULL ELSE timestamptz '%[1]s' END`,
		`placements SET updated_at = '%[1]s', started_on = least(started_on, date '%[1]s' - 30), ended_on = CASE WHEN ended_on IS NULL THEN NULL ELSE date '%[1]s' END`,
		`check_ins SET due_on = '%[1]s', done_at = CASE WHEN done_at IS NULL THEN NULL ELSE timestamptz '%[1]s' END`,
		`residences SET created_at = '%[1]s', observed_on = date '%[1]s'`, `alerts SET resolved_at = CASE WHEN resolved_at IS NULL THEN NULL ELSE timestamptz '%[1]s' END`,
	} {
		b.sql(fmt.Sprintf("UPDATE "+change, at))
	}
}

// retained lets go what is due, until nothing is, and says how many records went.
func (b bench) retained() (total int) {
	b.t.Helper()
	for n := 1; n > 0; total += n {
		var err error
		if n, err = b.store.Retain(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
	return total
}

func (b bench) announced() (n int) {
	b.t.Helper()
	n, err := b.store.AnnounceRetention(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b bench) erased(id onward.ID) bool {
	b.t.Helper()
	return b.count(`SELECT count(*) FROM returnees WHERE id = $1 AND erased_at IS NOT NULL`, id) == 1
}

func (b bench) choose(choices ...onward.RetentionChoice) []onward.RetentionRule {
	b.t.Helper()
	return result(b, supervisor, func(tx *store.Tx) ([]onward.RetentionRule, error) { return tx.SetRetention(b.t.Context(), choices) })
}

func (b bench) hold(d onward.LegalHoldDetails) onward.LegalHold {
	b.t.Helper()
	d.Reason, d.ReviewOn = "court of labour, case 12/2026", today.AddDays(90)
	return result(b, as(ours, onward.RoleAdministrator), func(tx *store.Tx) (onward.LegalHold, error) { return tx.PlaceHold(b.t.Context(), d) })
}

func (b bench) release(h onward.LegalHold) onward.LegalHold {
	b.t.Helper()
	return result(b, supervisor, func(tx *store.Tx) (onward.LegalHold, error) {
		return tx.ReleaseHold(b.t.Context(), h.ID, "the case was closed")
	})
}

func (b bench) duePeople(actor onward.Actor) []onward.DuePerson {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) ([]onward.DuePerson, error) { return tx.RetentionDue(b.t.Context()) })
}

func TestAPersonGoesWhenTheTimeIsOverAndTheCounsellorWasTold(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	p, other := b.registered(counsellor, agreeing()), b.registered(counsellor, person())
	b.aged(3*365 - 29)
	b.sql(`UPDATE returnees SET updated_at = $2 WHERE id = $1`, other.ID, clock())
	if n := b.retained(); n != 0 {
		t.Errorf("%d went before they were announced", n)
	}
	due := b.duePeople(counsellor)
	if len(due) != 1 || due[0].ReturneeID != p.ID || due[0].CounsellorID != counsellor.UserID || due[0].Held || due[0].AnnouncedAt != nil || due[0].DueOn.Before(today.AddDays(29)) {
		t.Fatalf("%+v", due)
	}
	for _, want := range []int{1, 0} { // the same task twice
		if n := b.announced(); n != want {
			t.Errorf("%d announced, want %d", n, want)
		}
	}
	if n := b.events(onward.EventRetentionDue); n != 1 {
		t.Errorf("%d were told", n)
	}
	now.Add(29 * day)
	if n := b.retained(); n != 0 || b.erased(p.ID) {
		t.Errorf("%d went after 29 days", n)
	}
	now.Add(2 * day)
	if n := b.retained(); n != 1 || !b.erased(p.ID) || b.erased(other.ID) {
		t.Errorf("%d went", n)
	}
	if n := b.retained(); n != 0 {
		t.Errorf("%d went again", n)
	}
	dump := b.dumped()
	for _, value := range identifying() {
		if strings.Contains(dump, value) {
			t.Errorf("the database holds %q", value)
		}
	}
	if n := b.count(`SELECT count(*) FROM withdrawals WHERE returnee_id = $1 AND cause = 'retention'`, p.ID); n != 1 {
		t.Errorf("%d certificates", n)
	}
	entries := b.audit(supervisor, p.ID)
	if !slices.ContainsFunc(entries, func(e onward.AuditEntry) bool {
		return e.Why == "retention" && e.Role == "system" && e.Resource == "returnee_identities"
	}) {
		t.Errorf("the audit does not say why: %+v", entries)
	}
	if _, flaws := b.verified(); len(flaws) != 0 {
		t.Error(flaws)
	}
}

func TestWhatKeepsAPerson(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]func(b bench, p onward.Returnee){
		"a change": func(b bench, p onward.Returnee) {
			b.sql(`UPDATE returnees SET updated_at = $2 WHERE id = $1`, p.ID, clock())
		},
		"an open referral": func(b bench, p onward.Returnee) {
			d := job()
			d.ClosesOn, d.StartsOn = today.AddDays(90), today.AddDays(100)
			b.must(counsellor, b.referTo(counsellor, p, b.opportunity(recipient, d, true)), onward.ReferralSend, "")
			b.sql(`UPDATE referrals SET updated_at = '2020-01-01'`)
		},
		"a residence": func(b bench, p onward.Returnee) {
			_, err := b.live(counsellor, p.ID, onward.ResidenceDetails{ObservedOn: today, PlaceID: monterrey, Source: onward.ResidenceBySelf})
			if err != nil {
				t.Error(err)
			}
		},
		"a longer rule": func(b bench, _ onward.Returnee) {
			b.choose(onward.RetentionChoice{Kind: onward.KeepsReturnee, Days: 3000})
		},
		"a hold":        func(b bench, p onward.Returnee) { b.hold(onward.LegalHoldDetails{ReturneeID: p.ID}) },
		"a hold of all": func(b bench, _ onward.Returnee) { b.hold(onward.LegalHoldDetails{Kind: onward.KeepsReturnee}) },
		"a hold of what would go with the person": func(b bench, _ onward.Returnee) { b.hold(onward.LegalHoldDetails{Kind: onward.KeepsCheckIn}) },
		"a counsellor": func(b bench, p onward.Returnee) {
			b.in(counsellor, func(tx *store.Tx) error {
				return tx.Prolong(b.t.Context(), p.ID, onward.Prolonging{Until: today.AddDays(60), Reason: "still looking for a flat together"})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var now atomic.Int64
			b := setup(t).at(&now)
			p := b.registered(counsellor, agreeing())
			b.aged(3*365 + 10)
			if n := b.announced(); n != 1 {
				t.Fatalf("%d announced", n)
			}
			now.Add(31 * day) // the notice is over: only what follows keeps the person
			keep(b, p)
			if n := b.retained(); n != 0 || b.erased(p.ID) {
				t.Errorf("%d went", n)
			}
		})
	}
}

func TestAProlongedPersonGoesLater(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	p := b.registered(counsellor, person())
	b.aged(3*365 + 10)
	b.announced()
	b.in(counsellor, func(tx *store.Tx) error {
		return tx.Prolong(t.Context(), p.ID, onward.Prolonging{Until: today.AddDays(60), Reason: "looks for work with us"})
	})
	if n := b.announced(); n != 0 || len(b.duePeople(supervisor)) != 0 {
		t.Errorf("%d announced again", n)
	}
	now.Add(40 * day)
	if n := b.announced(); n != 1 {
		t.Errorf("%d announced before the end", n)
	}
	now.Add(31 * day)
	if n := b.retained(); n != 1 || !b.erased(p.ID) {
		t.Errorf("%d went", n)
	}
	for _, bad := range []onward.Prolonging{{Until: today.AddDays(-1), Reason: "long enough a reason"}, {Until: today.AddDays(9000), Reason: "long enough a reason"}, {Until: today.AddDays(90), Reason: "short"}} {
		wantCode(t, b.try(counsellor, func(tx *store.Tx) error { return tx.Prolong(t.Context(), p.ID, bad) }), onward.EInvalid)
	}
	wantCode(t, b.try(stranger, func(tx *store.Tx) error {
		return tx.Prolong(t.Context(), p.ID, onward.Prolonging{Until: onward.DateOf(time.Unix(now.Load(), 0)).AddDays(9), Reason: "long enough a reason"})
	}), onward.ENotFound)
}

func TestAHoldThatEndsLetsGo(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	p := b.registered(counsellor, agreeing())
	b.aged(3*365 + 10)
	h := b.hold(onward.LegalHoldDetails{ReturneeID: p.ID})
	b.announced()
	now.Add(31 * day)
	if due := b.duePeople(counsellor); b.retained() != 0 || len(due) != 1 || !due[0].Held {
		t.Errorf("%+v", due)
	}
	// On the day of review the supervisors are asked, once in thirty days.
	now.Add(60 * day)
	for _, want := range []int{1, 0} {
		if n, err := b.store.RemindHolds(t.Context()); err != nil || n != want {
			t.Errorf("%d reminded, %v", n, err)
		}
	}
	if b.events(onward.EventHoldReview) != 1 || b.retained() != 0 {
		t.Error("a hold does not end by itself")
	}
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.ReleaseHold(t.Context(), h.ID, "the case was closed")
		return err
	}), onward.EForbidden)
	wantCode(t, b.try(as(theirs, onward.RoleAdministrator), func(tx *store.Tx) error {
		_, err := tx.ReleaseHold(t.Context(), h.ID, "the case was closed")
		return err
	}), onward.ENotFound)
	if h = b.release(h); h.ReleasedAt == nil || h.ReleasedBy != supervisor.UserID {
		t.Errorf("%+v", h)
	}
	wantCode(t, b.try(supervisor, func(tx *store.Tx) error {
		_, err := tx.ReleaseHold(t.Context(), h.ID, "the case was closed")
		return err
	}), onward.EConflict)
	list := result(b, supervisor, func(tx *store.Tx) ([]onward.LegalHold, error) { return tx.LegalHolds(t.Context()) })
	if len(list) != 1 || list[0].ReleasedAt == nil {
		t.Errorf("%+v", list)
	}
	if n := b.retained(); n != 1 || !b.erased(p.ID) {
		t.Errorf("%d went", n)
	}
	if !slices.ContainsFunc(b.audit(supervisor, h.ID), func(e onward.AuditEntry) bool { return e.Resource == "legal_holds" && e.Action == "create" }) {
		t.Error("the audit does not tell of the hold")
	}
}

func TestHoldsThatAreNotInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.registered(counsellor, person()), b.returnee(as(theirs, onward.RoleCounsellor), person())
	place := func(actor onward.Actor, d onward.LegalHoldDetails) error {
		return b.try(actor, func(tx *store.Tx) error {
			_, err := tx.PlaceHold(t.Context(), d)
			return err
		})
	}
	good := onward.LegalHoldDetails{ReturneeID: p.ID, Reason: "court of labour, case 12/2026", ReviewOn: today.AddDays(30)}
	for _, change := range []func(*onward.LegalHoldDetails){
		func(d *onward.LegalHoldDetails) { d.Reason = "short" }, func(d *onward.LegalHoldDetails) { d.ReviewOn = today },
		func(d *onward.LegalHoldDetails) { d.ReviewOn = today.AddDays(4000) }, func(d *onward.LegalHoldDetails) { d.Kind = onward.KeepsAlert },
		func(d *onward.LegalHoldDetails) { d.ReturneeID = onward.ID{} },
		func(d *onward.LegalHoldDetails) { d.ReturneeID, d.Kind = onward.ID{}, onward.KeepsAudit },
	} {
		d := good
		change(&d)
		wantCode(t, place(supervisor, d), onward.EInvalid)
	}
	good.ReturneeID = other.ID // of another organisation: as if there were none
	wantCode(t, place(supervisor, good), onward.ENotFound)
	wantCode(t, place(counsellor, good), onward.EForbidden)
}

func TestAnErasureUnderAHoldIsCarriedOutWhenItEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.registered(counsellor, agreeing())
	r := b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	hold, second := b.hold(onward.LegalHoldDetails{ReturneeID: p.ID}), b.hold(onward.LegalHoldDetails{Kind: onward.KeepsReferral})
	for range 2 { // asked twice is noted once
		_, err := b.store.Erase(t.Context(), supervisor, p.ID)
		wantCode(t, err, onward.EConflict)
		if !strings.Contains(fmt.Sprint(err), "legal hold") {
			t.Error(err)
		}
	}
	if n := b.count(`SELECT count(*) FROM erasure_requests WHERE returnee_id = $1 AND done_at IS NULL`, p.ID); n != 1 || b.erased(p.ID) {
		t.Errorf("%d noted", n)
	}
	// The consents end at once, whatever is held.
	if r = b.referral(r); r.Status != onward.ReferralRevoked || r.Reason != onward.ReasonConsent {
		t.Errorf("%+v", r)
	}
	carried := func() int {
		t.Helper()
		n, err := b.store.CarryOutErasures(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	b.release(hold)
	if n := carried(); n != 0 {
		t.Errorf("%d erased under the second hold", n)
	}
	b.release(second)
	if n := carried(); n != 1 || !b.erased(p.ID) {
		t.Errorf("%d erased", n)
	}
	if n := carried(); n != 0 {
		t.Errorf("%d erased again", n)
	}
	if strings.Contains(b.dumped(), "Xochiquetzal") {
		t.Error("the name is still there")
	}
	// Without a hold, Erase erases.
	q := b.registered(counsellor, person())
	if w, err := b.store.Erase(t.Context(), supervisor, q.ID); err != nil || w.Cause != "erased" || !b.erased(q.ID) {
		t.Errorf("%+v, %v", w, err)
	}
	_, err := b.store.Erase(t.Context(), counsellor, q.ID)
	wantCode(t, err, onward.EForbidden)
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error { return tx.AskErasure(t.Context(), q.ID) }), onward.EForbidden)
}

func TestAClockThatJumpsErasesNobodyAtOnce(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	p := b.registered(counsellor, person())
	b.aged(1)
	now.Add(20 * 365 * day)
	if n := b.announced(); n != 1 || b.retained() != 0 || b.erased(p.ID) {
		t.Errorf("%d announced", n)
	}
	now.Add(-20 * 365 * day)
	if b.retained() != 0 || b.erased(p.ID) || len(b.duePeople(supervisor)) != 0 {
		t.Error("gone after the clock was set right")
	}
	now.Add(4 * 365 * day) // the wrong announcement counts for nothing before its day
	if b.retained() != 0 || b.erased(p.ID) {
		t.Error("gone by an announcement that is to come")
	}
}

func TestARuleThatChangesInBetweenCounts(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	p := b.registered(counsellor, person())
	b.aged(3*365 + 10)
	b.announced()
	now.Add(31 * day)
	b.choose(onward.RetentionChoice{Kind: onward.KeepsReturnee, Days: 3000})
	if n := b.retained(); n != 0 {
		t.Errorf("%d went", n)
	}
	counts, err := b.store.RetentionCounts(t.Context())
	if err != nil || slices.ContainsFunc(counts, func(c onward.RetentionCount) bool { return c.Kind == onward.KeepsReturnee && c.Due > 0 }) {
		t.Errorf("%+v, %v", counts, err)
	}
	b.choose()
	if n := b.retained(); n != 1 || !b.erased(p.ID) {
		t.Errorf("%d went", n)
	}
}

func TestRulesOfRetention(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rules := b.choose(onward.RetentionChoice{Kind: onward.KeepsReferral, Days: 200}, onward.RetentionChoice{Kind: onward.KeepsDelivery, Days: 31})
	for _, r := range rules {
		want := r.Default
		switch r.Kind {
		case onward.KeepsReferral:
			want = 200
		case onward.KeepsDelivery:
			want = 31
		}
		if r.Days != want || (r.Does != onward.RetentionKeeps && !(r.Least > 0 && r.Least <= r.Default && r.Default <= r.Most && r.After != "")) || r.Why == "" {
			t.Errorf("%+v, want %d days", r, want)
		}
	}
	for _, bad := range [][]onward.RetentionChoice{
		{{Kind: onward.KeepsReferral, Days: 1}},
		{{Kind: onward.KeepsReferral, Days: 99999}},
		{{Kind: onward.KeepsAudit, Days: 400}},
		{{Kind: "everything", Days: 400}},
		{{Kind: onward.KeepsReferral, Days: 200}, {Kind: onward.KeepsReferral, Days: 300}},
	} {
		wantCode(t, b.try(supervisor, func(tx *store.Tx) error {
			_, err := tx.SetRetention(t.Context(), bad)
			return err
		}), onward.EInvalid)
	}
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.SetRetention(t.Context(), nil)
		return err
	}), onward.EForbidden)
	theirRules := result(b, stranger, func(tx *store.Tx) ([]onward.RetentionRule, error) { return tx.RetentionRules(t.Context()) })
	if slices.ContainsFunc(theirRules, func(r onward.RetentionRule) bool { return r.Days != r.Default }) {
		t.Error("the rules of another organisation changed")
	}
}

// withHistory is a person with a record of every kind, all of it long ago and over.
func (b bench) withHistory() onward.Returnee {
	b.t.Helper()
	ctx := b.t.Context()
	p := b.registered(counsellor, agreeing())
	request := b.request(counsellor, p.ID)
	b.sql(`UPDATE referral_requests SET status = 'ready', list = '\x00', inputs = '\x00' WHERE id = $1`, request.ID)
	r := b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	b.must(recipient, r, onward.ReferralAccept, "")
	placement := b.place(recipient, r, byEmployer)
	b.sql(`UPDATE placements SET wage_minor = 900000, currency = 'MXN', wage_period = 'month', hours_per_week = 40, contract = 'written' WHERE id = $1`, placement.ID)
	b.call()
	alert, err := b.raise(counsellor, onward.NewAlert{ReferralID: r.ID, Kind: onward.AlertOther, Source: onward.AlertByReturnee, Note: "was shouted at"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.in(supervisor, func(tx *store.Tx) error {
		_, err := tx.ChangeAlert(ctx, alert.ID, alert.Version, onward.AlertChange{Action: "resolve", Outcome: onward.AlertConfirmed, Note: "spoke with them"})
		return err
	})
	if _, err := b.live(counsellor, p.ID, onward.ResidenceDetails{ObservedOn: today, PlaceID: monterrey, Source: onward.ResidenceBySelf}); err != nil {
		b.t.Fatal(err)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.EndPlacement(ctx, placement.ID, placement.Version, onward.EndPlacement{EndedOn: today, Reason: onward.EndBetterJob, Source: onward.SourceSelf})
		return err
	})
	b.sql(`UPDATE referrals SET told = 'sealed:told', question = 'sealed:question' WHERE id = $1`, r.ID)
	b.sql(`UPDATE referral_steps SET note = 'sealed:called' WHERE referral_id = $1`, r.ID)
	b.sql(`UPDATE check_ins SET status = 'done', done_at = due_on, answers = '"sealed:answers"' WHERE id = (SELECT id FROM check_ins WHERE returnee_id = $1 ORDER BY due_on LIMIT 1)`, p.ID)
	b.sql(`UPDATE check_ins SET status = 'cancelled' WHERE status <> 'done'`)
	b.sql(`INSERT INTO check_in_attempts (check_in_id, organisation_id, at, channel, outcome, alternate, note) SELECT id, organisation_id, now(), 'call', 'reached', false, 'sealed:sister' FROM check_ins WHERE status = 'done'`)
	return p
}

// whatIsLeft counts the records of a person of each kind that a rule could still take something from.
func (b bench) whatIsLeft() map[onward.RecordKind]int {
	b.t.Helper()
	left := map[onward.RecordKind]int{}
	for kind, query := range map[onward.RecordKind]string{
		onward.KeepsReferralRequest: `SELECT count(*) FROM referral_requests WHERE list IS NOT NULL OR inputs IS NOT NULL`,
		onward.KeepsReferral:        `SELECT count(*) FROM referrals WHERE told <> '' OR question <> ''`,
		onward.KeepsPlacement:       `SELECT count(*) FROM placements WHERE wage_minor IS NOT NULL OR contract <> ''`,
		onward.KeepsCheckIn:         `SELECT count(*) FROM check_ins WHERE answers IS NOT NULL`,
		onward.KeepsAlert:           `SELECT count(DISTINCT alert_id) FROM alert_entries WHERE note <> ''`,
		onward.KeepsResidence:       `SELECT count(*) FROM residences`,
	} {
		left[kind] = b.count(query)
	}
	return left
}

func TestEachKindGoesByItsRuleAndFiguresStay(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	b.withHistory()
	b.aged(0)
	all := b.whatIsLeft()
	for kind, n := range all {
		if n != 1 {
			t.Fatalf("%d of %s before", n, kind)
		}
	}
	kept := func() [3]int {
		return [3]int{b.count(`SELECT count(*) FROM referrals WHERE status = 'completed'`), b.count(`SELECT count(*) FROM placements WHERE end_reason <> ''`), b.count(`SELECT count(*) FROM check_ins WHERE status = 'done'`)}
	}
	before := kept()
	for _, rule := range onward.RetentionRules() {
		if _, ok := all[rule.Kind]; !ok {
			continue
		}
		b.aged(rule.Days - 1)
		b.sql(`UPDATE returnees SET updated_at = $1`, clock()) // the person is still being helped
		b.retained()
		if left := b.whatIsLeft(); left[rule.Kind] != all[rule.Kind] && rule.Days < 4*365 {
			t.Errorf("%s went a day early", rule.Kind)
		}
		b.aged(rule.Days + 1)
		b.sql(`UPDATE returnees SET updated_at = $1`, clock())
		b.retained()
		if left := b.whatIsLeft(); left[rule.Kind] != 0 {
			t.Errorf("%d of %s are left after %d days", left[rule.Kind], rule.Kind, rule.Days+1)
		}
		all = b.whatIsLeft()
	}
	if after := kept(); after != before {
		t.Errorf("figures change: %v, %v before", after, before)
	}
	dump := b.dumped()
	for _, word := range []string{"sealed:told", "sealed:question", "sealed:called", "sealed:answers", "sealed:sister"} {
		if strings.Contains(dump, word) {
			t.Errorf("the database holds %q", word)
		}
	}
	if b.retained() != 0 {
		t.Error("something goes again")
	}
	if _, flaws := b.verified(); len(flaws) != 0 {
		t.Error(flaws)
	}
}

func TestWhatIsNobodysGoes(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	_, token := b.token(as(ours, onward.RoleAdministrator), userOf(ours, onward.RoleEmployer), nil)
	_, lives := b.token(as(ours, onward.RoleAdministrator), userOf(ours, onward.RoleEmployer), nil)
	b.in(as(ours, onward.RoleAdministrator), func(tx *store.Tx) error { return tx.RevokeToken(t.Context(), token.ID) })
	r := b.sent(b.opening(1))
	b.link(r)
	p := b.registered(counsellor, agreeing())
	if _, err := b.store.Erase(t.Context(), supervisor, p.ID); err != nil {
		t.Fatal(err)
	}
	now.Add(7 * 365 * day)
	b.sql(`UPDATE referrals SET updated_at = now() + interval '7 years'`)
	b.sql(`UPDATE returnees SET updated_at = now() + interval '7 years' WHERE erased_at IS NULL`)
	b.retained()
	if n := b.count(`SELECT count(*) FROM api_tokens WHERE id = $1`, token.ID); n != 0 {
		t.Error("a token that was revoked long ago is there")
	}
	if n := b.count(`SELECT count(*) FROM api_tokens WHERE id = $1`, lives.ID); n != 1 {
		t.Error("a token that lives is gone")
	}
	for table, left := range map[string]int{"answer_links": 0, "events": 0, "deliveries": 0, "consent_records WHERE returnee_id = '" + p.ID.String() + "'": 0, "withdrawals": 0} {
		if n := b.count(`SELECT count(*) FROM ` + table); n != left {
			t.Errorf("%d of %s", n, table)
		}
	}
	if n, flaws := b.verified(); n == 0 || len(flaws) != 0 {
		t.Errorf("the audit is kept whole: %v", flaws)
	}
}

func TestAWorkerThatIsStoppedLeavesWholePeople(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	var people []onward.Returnee
	for range 3 {
		people = append(people, b.registered(counsellor, agreeing()))
	}
	b.aged(3*365 + 10)
	b.announced()
	now.Add(31 * day)
	// Dies in the middle of the second, after its consents ended and before its key went.
	b.sql(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.returnee_id = '` + people[1].ID.String() + `' THEN RAISE EXCEPTION 'killed'; END IF; RETURN NEW; END $$`)
	b.sql(`CREATE TRIGGER die BEFORE UPDATE ON returnee_identities FOR EACH ROW EXECUTE FUNCTION die()`)
	if _, err := b.store.Retain(t.Context()); err == nil {
		t.Fatal("it was not killed")
	}
	if b.erased(people[1].ID) || b.count(`SELECT count(*) FROM withdrawals WHERE returnee_id = $1`, people[1].ID) != 0 || !b.erased(people[0].ID) {
		t.Error("half of a person went")
	}
	b.sql(`DROP TRIGGER die ON returnee_identities`)
	// Many workers at once: everybody goes once.
	var wg sync.WaitGroup
	var total atomic.Int64
	for range 6 {
		wg.Go(func() {
			n, err := b.store.Retain(t.Context())
			total.Add(int64(n))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if total.Load() != 2 || b.count(`SELECT count(*) FROM withdrawals WHERE cause = 'retention'`) != 3 {
		t.Errorf("%d went", total.Load())
	}
	if _, flaws := b.verified(); len(flaws) != 0 {
		t.Error(flaws)
	}
}

func TestAHoldThatIsPlacedWhileRecordsGo(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	p := b.registered(counsellor, agreeing())
	b.aged(3*365 + 10)
	b.announced()
	now.Add(31 * day)
	var wg sync.WaitGroup
	wg.Go(func() { b.retained() })
	var err error
	wg.Go(func() {
		err = b.try(supervisor, func(tx *store.Tx) error {
			_, err := tx.PlaceHold(t.Context(), onward.LegalHoldDetails{ReturneeID: p.ID, Reason: "court of labour, case 12/2026", ReviewOn: onward.DateOf(time.Unix(now.Load(), 0)).AddDays(30)})
			return err
		})
	})
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	gone := b.erased(p.ID)
	if b.retained() != 0 || b.erased(p.ID) != gone {
		t.Error("erased after the hold was placed")
	}
}
