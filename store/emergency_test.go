package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"onward"
	"onward/store"
)

// byTheDatabase is the bench with the clock of the database, by which access in an emergency ends.
func (b bench) byTheDatabase() bench {
	b.t.Helper()
	s, err := store.Open(b.t.Context(), store.Config{URL: b.AppDSN, Vault: keys, Vocabulary: vocabulary{}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = s.Close() })
	b.store = s
	return b
}

const danger = "threatened at home, her counsellor is away"

// closed is an agency whose counsellors see their own people alone, with a colleague of the counsellor's.
func closed(t *testing.T) (b bench, colleague onward.Actor) {
	t.Helper()
	b = setup(t).byTheDatabase()
	u := result(b, onward.System(), func(tx *store.Tx) (onward.User, error) {
		return tx.CreateUser(t.Context(), onward.User{OrganisationID: ours.ID, Name: "Colleague", Email: "colleague@ours.example.org", Role: onward.RoleCounsellor})
	})
	b.in(supervisor, func(tx *store.Tx) error {
		_, err := tx.SetCaseloadRule(t.Context(), onward.CaseloadRule{OwnOnly: true})
		return err
	})
	return b, onward.Actor{UserID: u.ID, OrganisationID: ours.ID, Role: onward.RoleCounsellor}
}

func (b bench) openEmergency(actor onward.Actor, id onward.ID, minutes int) (a onward.EmergencyAccess, err error) {
	err = b.try(actor, func(tx *store.Tx) error {
		a, err = tx.OpenEmergencyAccess(b.t.Context(), id, onward.OpenEmergencyAccess{Reason: danger, Minutes: minutes})
		return err
	})
	return a, err
}

func (b bench) reads(actor onward.Actor, id onward.ID) error {
	return b.try(actor, func(tx *store.Tx) error {
		_, err := tx.Returnee(b.t.Context(), id)
		return err
	})
}

func TestACounsellorOfAClosedCaseloadSeesTheOwnPeopleAlone(t *testing.T) {
	t.Parallel()
	b, colleague := closed(t)
	p := b.registered(counsellor, agreeing())
	b.request(counsellor, p.ID)
	then := b
	then.store = open(t, b.AppDSN) // by the clock of the tests, in whose days openings are open
	r := then.must(counsellor, then.referTo(counsellor, p, then.opening(1)), onward.ReferralSend, "")
	b.household(counsellor, p.ID, b.registered(counsellor, person()).ID)
	if _, err := b.raise(counsellor, onward.NewAlert{ReferralID: r.ID, Kind: onward.AlertOther, Source: onward.AlertByReturnee, Note: "was shouted at"}); err != nil {
		t.Fatal(err)
	}
	own := b.registered(colleague, person())
	for _, who := range []struct {
		actor onward.Actor
		sees  bool
	}{{counsellor, true}, {supervisor, true}, {colleague, false}} {
		if err := b.reads(who.actor, p.ID); (err == nil) != who.sees {
			t.Errorf("%s reads: %v", who.actor.Role, err)
		}
		page := result(b, who.actor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
			return tx.Returnees(t.Context(), store.ReturneeFilter{Name: "Xochiquetzal"}, store.Cursor{})
		})
		if (len(page.Items) == 1) != who.sees {
			t.Errorf("%s finds %d", who.actor.Role, len(page.Items))
		}
	}
	if err := b.reads(colleague, own.ID); err != nil {
		t.Errorf("the own person: %v", err)
	}
	// What is refused is to the byte what one gets for somebody who never was.
	if got, never := b.reads(colleague, p.ID), b.reads(colleague, onward.NewID()); got.Error() != never.Error() {
		t.Errorf("%v, and %v for nobody", got, never)
	}
	// With raw SQL, in every table that leads to a person.
	db := b.application()
	var tables []string
	if err := b.admin().SelectContext(t.Context(), &tables, `SELECT DISTINCT r.relname FROM pg_class r JOIN pg_attribute m ON m.attrelid = r.oid WHERE r.relkind = 'r' AND r.relnamespace = 'public'::regnamespace
		AND m.attname IN ('returnee_id', 'referral_id', 'alert_id', 'withdrawal_id', 'check_in_id', 'placement_id') ORDER BY 1`); err != nil || len(tables) < 18 {
		t.Fatal(tables, err)
	}
	seen := 0
	for _, table := range append(tables, "returnees", "households") {
		column := "true"
		if table == "returnees" {
			column = "id <> '" + own.ID.String() + "'"
		} else if b.count(`SELECT count(*) FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'returnee_id'`, table) == 1 {
			column = "returnee_id <> '" + own.ID.String() + "'"
		}
		query := fmt.Sprintf(`SELECT FROM %s WHERE %s AND (SELECT set_config('onward.user', '%s', true)) <> ''`, table, column, colleague.UserID)
		if got := raw(t, db, colleague, query); got != "0" && got != "refused" {
			t.Errorf("the colleague sees %s rows of %s", got, table)
		}
		query = strings.Replace(query, colleague.UserID.String(), counsellor.UserID.String(), 1)
		if got := raw(t, db, counsellor, query); got != "0" && got != "refused" {
			seen++
		}
	}
	if seen < 10 {
		t.Errorf("the counsellor sees only %d tables", seen)
	}
	// A case number that a colleague has: told without the person.
	d := person()
	d.ExternalID = "CASE-9"
	b.registered(counsellor, d)
	wantCode(t, b.try(colleague, func(tx *store.Tx) error {
		_, err := tx.CreateReturnee(t.Context(), store.NewReturnee{Details: d})
		return err
	}), onward.EConflict)
	// A supervisor gives the person to the colleague.
	b.in(supervisor, func(tx *store.Tx) error {
		_, err := tx.AssignCounsellor(t.Context(), p.ID, colleague.UserID)
		return err
	})
	if b.reads(colleague, p.ID) != nil || b.reads(counsellor, p.ID) == nil {
		t.Error("the person did not change hands")
	}
	wantCode(t, b.try(colleague, func(tx *store.Tx) error {
		_, err := tx.AssignCounsellor(t.Context(), p.ID, colleague.UserID)
		return err
	}), onward.EForbidden)
	wantCode(t, b.try(supervisor, func(tx *store.Tx) error {
		_, err := tx.AssignCounsellor(t.Context(), p.ID, stranger.UserID)
		return err
	}), onward.EInvalid)
	// Open again.
	b.in(as(ours, onward.RoleAdministrator), func(tx *store.Tx) error {
		_, err := tx.SetCaseloadRule(t.Context(), onward.CaseloadRule{})
		return err
	})
	if rule := result(b, counsellor, func(tx *store.Tx) (onward.CaseloadRule, error) { return tx.CaseloadRule(t.Context()) }); rule.OwnOnly || b.reads(counsellor, p.ID) != nil {
		t.Errorf("%+v", rule)
	}
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.SetCaseloadRule(t.Context(), onward.CaseloadRule{OwnOnly: true})
		return err
	}), onward.EForbidden)
}

func TestAccessInAnEmergency(t *testing.T) {
	t.Parallel()
	b, colleague := closed(t)
	p := b.registered(counsellor, agreeing())
	a, err := b.openEmergency(colleague, p.ID, 0)
	if err != nil || !a.Open || a.Reason != danger || a.UserID != colleague.UserID || a.Until.Sub(a.OpenedAt).Round(time.Minute) != time.Hour {
		t.Fatalf("%+v, %v", a, err)
	}
	if n := b.count(`SELECT count(*) FROM events WHERE kind = 'emergency.opened' AND subject_id = $1 AND (role = 'supervisor' OR user_id = $2)`, a.ID, counsellor.UserID); n != 2 {
		t.Errorf("%d were told, want the supervisors and the counsellor", n)
	}
	seen := result(b, colleague, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), p.ID) })
	if seen.Identity.GivenName != "Xochiquetzal" {
		t.Errorf("%+v", seen)
	}
	// It is the right of the person's counsellor: to act, not only to read.
	d := seen.ReturneeDetails
	d.Identity.Phone = "+52 55 7777 0000"
	b.in(colleague, func(tx *store.Tx) error {
		_, err := tx.UpdateReturnee(t.Context(), p.ID, seen.Version, d)
		return err
	})
	marked := 0
	for _, e := range b.audit(supervisor, p.ID) {
		if by := e.UserID == colleague.UserID; by != (e.Emergency == a.ID) {
			t.Errorf("an entry of %s is marked with %v", e.UserID, e.Emergency)
		} else if by {
			marked++
		}
	}
	if marked < 3 {
		t.Errorf("%d entries say that it was an emergency", marked)
	}
	// Nobody else sees more by it: not of the organisation, not of another.
	other := as(theirs, onward.RoleCounsellor)
	wantCode(t, b.reads(other, p.ID), onward.ENotFound)
	_, err = b.openEmergency(other, p.ID, 10)
	wantCode(t, err, onward.ENotFound)
	third := b.registered(counsellor, person())
	wantCode(t, b.reads(colleague, third.ID), onward.ENotFound)
	_, err = b.openEmergency(colleague, p.ID, 10)
	wantCode(t, err, onward.EConflict) // seen already
	_, err = b.openEmergency(supervisor, p.ID, 10)
	wantCode(t, err, onward.EForbidden)
	for _, bad := range []onward.OpenEmergencyAccess{{Reason: "short"}, {Reason: danger, Minutes: 241}, {Reason: danger, Minutes: -1}} {
		wantCode(t, b.try(colleague, func(tx *store.Tx) error {
			_, err := tx.OpenEmergencyAccess(t.Context(), third.ID, bad)
			return err
		}), onward.EInvalid)
	}
	review := func(actor onward.Actor) error {
		return b.try(actor, func(tx *store.Tx) error {
			_, err := tx.ReviewEmergencyAccess(t.Context(), a.ID, onward.ReviewEmergencyAccess{Justified: true, Note: "she was taken to a shelter"})
			return err
		})
	}
	wantCode(t, review(supervisor), onward.EConflict) // it is open
	end := func(actor onward.Actor) error {
		return b.try(actor, func(tx *store.Tx) error {
			ended, err := tx.EndEmergencyAccess(t.Context(), a.ID)
			if err == nil && (ended.Open || ended.EndedBy != actor.UserID) {
				t.Errorf("%+v", ended)
			}
			return err
		})
	}
	wantCode(t, end(stranger), onward.ENotFound)
	wantCode(t, end(counsellor), onward.ENotFound) // neither a supervisor nor who has it
	if err := end(supervisor); err != nil {
		t.Fatal(err)
	}
	wantCode(t, b.reads(colleague, p.ID), onward.ENotFound)
	wantCode(t, end(supervisor), onward.EConflict)
	wantCode(t, review(colleague), onward.EForbidden)
	if err := review(supervisor); err != nil {
		t.Fatal(err)
	}
	wantCode(t, review(supervisor), onward.EConflict)
	list := result(b, supervisor, func(tx *store.Tx) ([]onward.EmergencyAccess, error) { return tx.EmergencyAccesses(t.Context()) })
	if len(list) != 1 || list[0].Justified == nil || !*list[0].Justified || list[0].Note != "she was taken to a shelter" || list[0].Reason != danger || list[0].Open {
		t.Errorf("%+v", list)
	}
	mine := result(b, colleague, func(tx *store.Tx) ([]onward.EmergencyAccess, error) { return tx.EmergencyAccesses(t.Context()) })
	if len(mine) != 1 || mine[0].Reason != "" { // whose key is not the colleague's any more
		t.Errorf("%+v", mine)
	}
	if strings.Contains(b.dumped(), "shelter") || strings.Contains(b.dumped(), danger) {
		t.Error("words about the person are in the clear")
	}
	if _, flaws := b.verified(); len(flaws) != 0 {
		t.Error(flaws)
	}
}

func TestAccessInAnEmergencyEndsByItself(t *testing.T) {
	t.Parallel()
	b, colleague := closed(t)
	p := b.registered(counsellor, person())
	a, err := b.openEmergency(colleague, p.ID, 1)
	if err != nil || b.reads(colleague, p.ID) != nil {
		t.Fatal(err)
	}
	// In a transaction that began before the end, the end holds as well.
	wantCode(t, b.try(colleague, func(tx *store.Tx) error {
		if _, err := tx.Returnee(t.Context(), p.ID); err != nil {
			return err
		}
		b.sql(`UPDATE emergency_accesses SET until = clock_timestamp() WHERE id = $1`, a.ID)
		_, err := tx.Returnee(t.Context(), p.ID)
		return err
	}), onward.ENotFound)
	wantCode(t, b.reads(colleague, p.ID), onward.ENotFound)
	// After three days the supervisors are reminded, and again after three more.
	b.sql(`ALTER TABLE emergency_accesses DISABLE TRIGGER guard`)
	b.sql(`UPDATE emergency_accesses SET opened_at = opened_at - interval '73 hours', until = until - interval '73 hours'`)
	b.sql(`ALTER TABLE emergency_accesses ENABLE TRIGGER guard`)
	for _, want := range []int{1, 0} {
		if n, err := b.store.RemindEmergencies(t.Context()); err != nil || n != want {
			t.Errorf("%d reminded, %v", n, err)
		}
	}
	if n := b.events(onward.EventEmergencyReview); n != 1 {
		t.Errorf("%d were told", n)
	}
}

func TestAccessInEmergenciesIsLimited(t *testing.T) {
	t.Parallel()
	b, colleague := closed(t)
	var people []onward.Returnee
	for range onward.EmergenciesADay + 3 {
		people = append(people, b.registered(counsellor, person()))
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[onward.Code]int{}
	for _, p := range people { // at the same time
		wg.Go(func() {
			_, err := b.openEmergency(colleague, p.ID, 5)
			mu.Lock()
			outcomes[onward.CodeOf(err)]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if outcomes[""] != onward.EmergenciesADay || outcomes[onward.ETooMany] != 3 {
		t.Errorf("%v", outcomes)
	}
	// What no method does, no statement does: to open, to lengthen, or to review for oneself.
	db := b.application()
	me := fmt.Sprintf(`(SELECT set_config('onward.user', '%s', true)) <> ''`, colleague.UserID)
	for _, query := range []string{
		`UPDATE emergency_accesses SET until = until + interval '1 hour' WHERE ` + me,
		`UPDATE emergency_accesses SET returnee_id = '` + people[0].ID.String() + `', until = until WHERE returnee_id <> '` + people[0].ID.String() + `' AND ` + me,
		`UPDATE emergency_accesses SET reviewed_at = now(), justified = true WHERE ` + me,
		`UPDATE emergency_accesses SET reason = 'sealed:other' WHERE ` + me,
		`INSERT INTO emergency_accesses (id, organisation_id, returnee_id, user_id, reason, opened_at, until) VALUES (gen_random_uuid(), '` + ours.ID.String() + `', '` + people[7].ID.String() + `', '` + colleague.UserID.String() + `', '', now(), now() + interval '1 hour')`,
		`DELETE FROM emergency_accesses`, `DELETE FROM caseload_searches`, `INSERT INTO caseload_searches (organisation_id, user_id) VALUES ('` + ours.ID.String() + `', '` + colleague.UserID.String() + `')`,
	} {
		if got := raw(t, db, colleague, query); got != "refused" {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestWhoseCaseloadSomebodyIsOn(t *testing.T) {
	t.Parallel()
	b, colleague := closed(t)
	p := b.registered(counsellor, agreeing())
	b.returnee(as(theirs, onward.RoleCounsellor), agreeing())
	search := func(actor onward.Actor, q onward.CaseloadSearch) (list []onward.CaseloadMatch, err error) {
		err = b.try(actor, func(tx *store.Tx) error {
			list, err = tx.SearchCaseloads(t.Context(), q)
			return err
		})
		return list, err
	}
	for _, q := range []onward.CaseloadSearch{{Name: "zapotecatl xochiquetzal"}, {Contact: "55 9876 1234"}, {Contact: "xochi.zapotecatl@example.org"}} {
		if list, err := search(colleague, q); err != nil || len(list) != 1 || list[0] != (onward.CaseloadMatch{ReturneeID: p.ID, CounsellorID: counsellor.UserID}) {
			t.Errorf("%+v: %+v, %v", q, list, err)
		}
	}
	if list, err := search(colleague, onward.CaseloadSearch{Name: "Nobody Atall"}); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	for _, q := range []onward.CaseloadSearch{{}, {Name: "Xochiquetzal"}} { // one word would be fishing
		_, err := search(colleague, q)
		wantCode(t, err, onward.EInvalid)
	}
	_, err := search(supervisor, onward.CaseloadSearch{Name: "zapotecatl xochiquetzal"})
	wantCode(t, err, onward.EForbidden)
	if !slices.ContainsFunc(b.audit(supervisor, p.ID), func(e onward.AuditEntry) bool { return e.Resource == "caseload_search" && e.UserID == colleague.UserID }) {
		t.Error("the audit does not tell of the search")
	}
	for range onward.CaseloadSearchesADay {
		if _, err = search(colleague, onward.CaseloadSearch{Name: "Nobody Atall"}); err != nil {
			break
		}
	}
	wantCode(t, err, onward.ETooMany)
}
