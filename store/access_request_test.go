package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"onward"
	"onward/store"
)

// exportedIn says where the export has the rows of a table.
var exportedIn = map[string]string{
	"returnees": "returnee", "returnee_identities": "returnee", "parity_attributes": "returnee", "returnee_changes": "changes", "consent_records": "consents", "withdrawals": "withdrawals",
	"deletion_requests": "withdrawals", "referral_requests": "requests", "referrals": "referrals", "referral_steps": "referrals", "answer_links": "referrals", "referral_decisions": "decisions",
	"placements": "placements", "check_ins": "check_ins", "check_in_attempts": "check_ins", "alerts": "alerts", "alert_entries": "alerts", "residences": "residences",
	"household_adults": "households", "candidate_pseudonyms": "pseudonyms", "emergency_accesses": "emergency_accesses", "retention_extensions": "prolonged",
	"erasure_requests": "erasure_asked", "legal_holds": "held",
}

// notExported are tables that lead to a person and are not in the export, with the reason.
var notExported = map[string]string{
	"identity_tokens": "keyed hashes of what the identity has, which nobody can read",
	"erasures":        "of people who were erased, who are nobody any more",
	"unlocks":         "copied from the latest list, which is exported whole",
	"only_good_fits":  "follows from the latest list",
}

func (b bench) export(id onward.ID) onward.Export {
	b.t.Helper()
	return result(b, supervisor, func(tx *store.Tx) (onward.Export, error) { return tx.Export(b.t.Context(), id) })
}

// TestTheExportHoldsEveryTableThatLeadsToAPerson holds the export against the schema: whoever adds a table says where it is exported, or why not.
func TestTheExportHoldsEveryTableThatLeadsToAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.person(t)
	var tables []string
	if err := b.admin().SelectContext(t.Context(), &tables, `WITH RECURSIVE about AS (
			SELECT r.oid AS t FROM pg_class r WHERE r.relkind = 'r' AND r.relnamespace = 'public'::regnamespace AND (r.relname = 'returnees'
				OR EXISTS (SELECT FROM pg_attribute m WHERE m.attrelid = r.oid AND m.attname IN ('returnee_id', 'referral_id', 'placement_id', 'check_in_id', 'alert_id', 'withdrawal_id')))
			UNION SELECT c.conrelid FROM about a JOIN pg_constraint c ON c.confrelid = a.t AND c.contype = 'f')
		SELECT DISTINCT t::regclass::text FROM about ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	if len(tables) < 20 {
		t.Fatalf("only %v", tables)
	}
	raw, err := json.Marshal(b.export(p.ID))
	if err != nil {
		t.Fatal(err)
	}
	var export map[string]json.RawMessage
	if err := json.Unmarshal(raw, &export); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		key, ok := exportedIn[table]
		if _, excused := notExported[table]; ok == excused {
			t.Errorf("%s leads to a person: export it, or say in this test why not", table)
			continue
		}
		if value := strings.TrimSpace(string(export[key])); ok && (value == "" || value == "[]" || value == "null" || value == "false") {
			t.Errorf("%s: the export has nothing at %q", table, key)
		}
	}
	for table := range exportedIn {
		if !slices.Contains(tables, table) {
			t.Errorf("%s is no table that leads to a person", table)
		}
	}
	for _, word := range []string{
		"Xochiquetzal", "Hermenegildo", `"birth_date":"1991-05-17"`, "was shouted at", "spoke with them", "called her brother", `"answers":{"`, "the first name was wrong", `"identity.given_name":"Xochi"`,
		"looks for a flat with us", "wage_minor", `"answer_links":[{`, `"profile":{`, "court",
	} {
		if found := strings.Contains(string(raw), word); found == (word == "court") { // why there is a legal hold is not the person's to know
			t.Errorf("%q in the export: %v", word, found)
		}
	}
}

// person is one of whom every table has something.
func (b bench) person(t *testing.T) onward.Returnee {
	t.Helper()
	d := agreeing()
	d.Identity.GivenName = "Xochi"
	p := b.registered(counsellor, d)
	d.Identity.GivenName = "Xochiquetzal"
	corrects := counsellor
	corrects.Why = "the first name was wrong"
	p = result(b, corrects, func(tx *store.Tx) (onward.Returnee, error) { return tx.UpdateReturnee(t.Context(), p.ID, p.Version, d) })
	request := b.request(counsellor, p.ID)
	in, err := b.store.MatchInput(t.Context(), request.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.AnswerRequest(t.Context(), store.MatchAnswer{
		Request: request.ID, ReturneeVersion: in.Returnee.Version, List: &onward.RankedList{Referrals: []onward.RankedReferral{}}, Inputs: store.MatchInputs{Today: today, Profile: in.Returnee.ReturneeDetails},
	}, 0); err != nil {
		t.Fatal(err)
	}
	_, _, placement := b.monitoredPerson(p)
	b.household(counsellor, p.ID, b.returnee(counsellor, person()).ID)
	alert, err := b.raise(counsellor, onward.NewAlert{PlacementID: placement.ID, Kind: onward.AlertOther, Source: onward.AlertByReturnee, Note: "was shouted at"})
	if err != nil {
		t.Fatal(err)
	}
	b.in(supervisor, func(tx *store.Tx) error {
		_, err := tx.ChangeAlert(t.Context(), alert.ID, alert.Version, onward.AlertChange{Action: "resolve", Outcome: onward.AlertConfirmed, Note: "spoke with them"})
		return err
	})
	if _, err := b.live(counsellor, p.ID, onward.ResidenceDetails{ObservedOn: today, PlaceID: monterrey, Source: onward.ResidenceBySelf}); err != nil {
		t.Fatal(err)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		return tx.Prolong(t.Context(), p.ID, onward.Prolonging{Until: today.AddDays(90), Reason: "looks for a flat with us"})
	})
	b.sql(`INSERT INTO emergency_accesses (id, organisation_id, returnee_id, user_id, reason, opened_at, until) VALUES (gen_random_uuid(), $1, $2, $3, '', $4, $4)`, ours.ID, p.ID, counsellor.UserID, clock())
	b.hold(onward.LegalHoldDetails{ReturneeID: p.ID})
	_, err = b.store.Erase(t.Context(), supervisor, p.ID) // asks for it, under the hold
	wantCode(t, err, onward.EConflict)
	return p
}

// monitoredPerson places a person and makes a check-in that was answered.
func (b bench) monitoredPerson(p onward.Returnee) (onward.Referral, onward.CheckIn, onward.Placement) {
	b.t.Helper()
	ctx := b.t.Context()
	other := b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	b.link(other)
	b.must(recipient, other, onward.ReferralAccept, "")
	r := b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	b.must(recipient, r, onward.ReferralAccept, "")
	placement := b.place(recipient, r, byEmployer)
	b.sql(`UPDATE placements SET wage_minor = 900000, currency = 'MXN', wage_period = 'month' WHERE id = $1`, placement.ID)
	b.sql(`UPDATE placements SET started_on = started_on - 40 WHERE id = $1`, placement.ID)
	b.call()
	due := b.due(counsellor)
	if len(due) == 0 {
		b.t.Fatal("no check-in is due")
	}
	c := due[0]
	b.in(counsellor, func(tx *store.Tx) (err error) {
		c, _, err = tx.AddAttempt(ctx, c.ID, onward.Attempt{Channel: "call", Outcome: "no_answer", Note: "called her brother"})
		return err
	})
	q := result(b, counsellor, func(tx *store.Tx) (onward.Questionnaire, error) { return tx.CheckInQuestionnaire(ctx, c.ID) })
	answers := map[string]string{}
	for _, item := range q.Items {
		if item.Scale == onward.ScaleYesNo {
			answers[item.ID] = "yes"
			break
		}
		if item.Scale == onward.ScaleLikert {
			answers[item.ID] = "1"
			break
		}
	}
	if len(answers) == 0 {
		b.t.Fatalf("no question of %s can be answered here", q.Code)
	}
	if _, err := b.complete(counsellor, c, onward.CheckInResult{TalkedOn: today, StillThere: onward.StillYes, Answers: answers}); err != nil {
		b.t.Fatal(err)
	}
	return r, c, placement
}

func TestTheExportIsNeverCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.registered(counsellor, agreeing())
	r := b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralWithdraw, onward.ReasonFamily)
	const many = 450
	b.sql(`INSERT INTO referrals SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).* FROM referrals r, generate_series(2, $2) WHERE r.id = $1`, r.ID, many)
	b.sql(`INSERT INTO placements (id, referral_id, organisation_id, returnee_id, opportunity_id, recipient_id, pseudonym, kind, started_on, created_at, updated_at)
		SELECT gen_random_uuid(), id, organisation_id, returnee_id, opportunity_id, recipient_id, pseudonym, kind, now(), now(), now() FROM referrals`)
	b.sql(`INSERT INTO consent_records (id, organisation_id, returnee_id, what, consent, at) SELECT gen_random_uuid(), organisation_id, id, 'changed', '{"purpose":"matching"}', now() FROM returnees, generate_series(1, 600) WHERE id = $1`, p.ID)
	e := b.export(p.ID)
	if len(e.Referrals) != many || len(e.Placements) != many || len(e.Consents) < 600 {
		t.Errorf("%d referrals, %d placements, %d consents", len(e.Referrals), len(e.Placements), len(e.Consents))
	}
	if e.Names[theirs.ID.String()] != theirs.Name || e.Agency != ours.Name || e.Referrals[0].Opportunity.In("en") != "Bricklayer" {
		t.Errorf("%v, %q", e.Names, e.Agency)
	}
}

func TestUntilWhenAPersonIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.registered(counsellor, agreeing())
	b.aged(100)
	if e := b.export(p.ID); e.KeptUntil != today.AddDays(3*365-100) && e.KeptUntil != today.AddDays(3*365-99) {
		t.Errorf("kept until %s", e.KeptUntil)
	}
	b.must(counsellor, b.referTo(counsellor, p, b.opening(1)), onward.ReferralSend, "")
	if e := b.export(p.ID); !e.KeptUntil.IsZero() || e.Held {
		t.Errorf("kept until %s while a referral is open", e.KeptUntil)
	}
}

func TestEachCorrectionKeepsWhatItWasBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := agreeing()
	p := b.registered(counsellor, d)
	actor := counsellor
	actor.Why = "the number had two digits swapped"
	change := func(d onward.ReturneeDetails) {
		t.Helper()
		p = result(b, actor, func(tx *store.Tx) (onward.Returnee, error) { return tx.UpdateReturnee(t.Context(), p.ID, p.Version, d) })
	}
	d.Identity.Phone, d.Language = "+52 55 1234 0000", "fr"
	change(d)
	change(d) // nothing changes
	d.Identity.Notes, d.Skills = "", nil
	change(d)
	d.Consents = slices.Clone(d.Consents)
	d.Consents[0].Language = "es" // has a history of its own
	change(d)
	history := func(actor onward.Actor, c store.Cursor) (page store.Page[onward.ReturneeChange], err error) {
		err = b.try(actor, func(tx *store.Tx) error {
			page, err = tx.ReturneeChanges(t.Context(), p.ID, c)
			return err
		})
		return page, err
	}
	page, err := history(counsellor, store.Cursor{})
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	first := page.Items[1]
	if !slices.Equal(first.Fields, []string{"identity.phone", "language"}) || first.Before["identity.phone"] != "+52 55 9876 1234" || first.Before["language"] != "es" || first.By != counsellor.UserID ||
		first.Reason != actor.Why || first.Version != 1 {
		t.Errorf("%+v", first)
	}
	if last := page.Items[0]; !slices.Equal(last.Fields, []string{"identity.notes", "skills"}) || last.Before["identity.notes"] != "fears Hermenegildo" || fmt.Sprint(last.Before["skills"]) == "" {
		t.Errorf("%+v", last)
	}
	one, err := history(counsellor, store.Cursor{Limit: 1})
	if err != nil || len(one.Items) != 1 || one.Next == "" {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := history(stranger, store.Cursor{}); onward.CodeOf(err) != onward.ENotFound {
		t.Errorf("another organisation: %v", err)
	}
	dump := b.dumped()
	for _, value := range append(identifying(), "1234 0000") {
		if strings.Contains(dump, value) {
			t.Errorf("the database tells %q", value)
		}
	}
	if _, err := b.store.Erase(t.Context(), supervisor, p.ID); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM returnee_changes WHERE returnee_id = $1`, p.ID); n != 0 {
		t.Errorf("%d changes are left", n)
	}
}
