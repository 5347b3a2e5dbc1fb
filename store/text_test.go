package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"onward"
	"onward/store"
)

// words are what somebody wrote in the field that they name, and occur nowhere else.
func words(field string) string { return "Hermenegildo in " + field + ", «ñ»" }

// written is a person about whom something was written in every field that there is, by who may write there.
type written struct {
	bench
	partner  onward.Actor
	person   onward.Returnee
	request  onward.ReferralRequest
	referral onward.Referral
	checkIn  onward.CheckIn
	alert    onward.Alert
}

func writtenAbout(t *testing.T) (w written) {
	t.Helper()
	w = written{bench: setup(t)}
	var placement onward.Placement
	var opening onward.Opportunity
	w.partner, opening, placement = w.monitored()
	d := agreeing()
	d.ExternalID = words("external_id")
	w.person = w.registered(counsellor, d)
	ctx := t.Context()

	w.request, _, _ = w.ask(counsellor, w.person.ID, onward.RequestOptions{
		Destination: []onward.LikelyPlace{{PlaceID: monterrey, Probability: 1}}, DestinationReason: words("destination_reason"),
	}, "")
	w.referral = result(w.bench, counsellor, func(tx *store.Tx) (onward.Referral, error) {
		return tx.CreateReferral(ctx, onward.ReferralDetails{ReturneeID: w.person.ID, OpportunityID: opening.ID, ChoiceReason: onward.ChoiceOffList, ChoiceNote: words("choice_note")})
	})
	w.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.ChangeReferral(ctx, w.referral.ID, 0, onward.ReferralChange{Event: onward.ReferralSend, Note: words("note of the agency")})
		return err
	})
	w.in(recipient, func(tx *store.Tx) error {
		_, err := tx.Ask(ctx, w.referral.ID, 0, words("question"))
		return err
	})
	w.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.Inform(ctx, w.referral.ID, 0, words("information"))
		return err
	})
	w.in(recipient, func(tx *store.Tx) error {
		_, err := tx.ChangeReceivedReferral(ctx, w.referral.ID, 0, onward.ReferralChange{Event: onward.ReferralAccept, Note: words("note of the recipient")})
		return err
	})
	w.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.ChangeReferral(ctx, w.referral.ID, 0, onward.ReferralChange{Event: onward.ReferralPause, Told: words("told"), Reason: onward.ReasonHealth})
		return err
	})
	w.must(counsellor, w.referral, onward.ReferralResume, "")
	w.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.RecordPlacement(ctx, w.referral.ID, 0, onward.PlacementDetails{StartedOn: today, PartnerID: w.partner.OrganisationID}, byEmployer)
		return err
	})
	w.call()
	due := slices.DeleteFunc(w.due(w.partner), func(c onward.CheckIn) bool { return c.ReturneeID != w.person.ID })
	if len(due) == 0 || placement.ReturneeID == w.person.ID {
		t.Fatalf("nothing is due of the person: %+v", due)
	}
	w.in(w.partner, func(tx *store.Tx) error {
		_, _, err := tx.AddAttempt(ctx, due[0].ID, onward.Attempt{Channel: "call", Outcome: "no_answer", Note: words("note of an attempt")})
		return err
	})
	q := result(w.bench, w.partner, func(tx *store.Tx) (onward.Questionnaire, error) { return tx.CheckInQuestionnaire(ctx, due[0].ID) })
	var err error
	if w.checkIn, err = w.complete(w.partner, due[0], onward.CheckInResult{TalkedOn: today, StillThere: onward.StillYes, Answers: map[string]string{q.Items[0].ID: "4"}}); err == nil {
		t.Error("an old version was changed")
	}
	due[0].Version = 0
	if w.checkIn, err = w.complete(w.partner, due[0], onward.CheckInResult{TalkedOn: today, StillThere: onward.StillYes, Answers: map[string]string{q.Items[0].ID: "4"}}); err != nil {
		t.Fatal(err)
	}
	if w.alert, err = w.raise(w.partner, onward.NewAlert{PlacementID: w.checkIn.PlacementID, Kind: onward.AlertUnsafeWork, Source: onward.AlertByPartner, Note: words("note of an alert")}); err != nil {
		t.Fatal(err)
	}
	w.in(as(ours, onward.RoleSupervisor), func(tx *store.Tx) error {
		_, err := tx.ChangeAlert(ctx, w.alert.ID, 0, onward.AlertChange{Action: "note", Note: words("note of the supervisor")})
		return err
	})
	return w
}

// read is all that an actor reads of the person in words, by field; what the actor may not see at all is left out.
func (w written) read(actor onward.Actor) map[string]string {
	w.t.Helper()
	ctx, read := w.t.Context(), map[string]string{}
	put := func(field, text string) {
		if text != "" {
			read[field] = text
		}
	}
	// Each in a transaction of its own, so that none finds a key that another opened.
	_ = w.try(actor, func(tx *store.Tx) error {
		p, err := tx.Returnee(ctx, w.person.ID)
		put("external_id", p.ExternalID)
		return err
	})
	_ = w.try(actor, func(tx *store.Tx) error {
		q, err := tx.ReferralRequest(ctx, w.request.ID)
		put("destination_reason", q.Options.DestinationReason)
		return err
	})
	_ = w.try(actor, func(tx *store.Tx) error {
		r, err := tx.Referral(ctx, w.referral.ID)
		put("choice_note", r.ChoiceNote)
		put("told", r.Told)
		put("question", r.Question)
		put("information", r.Information)
		return err
	})
	_ = w.try(actor, func(tx *store.Tx) error {
		r, err := tx.ReceivedReferral(ctx, w.referral.ID)
		put("question", r.Question)
		put("information", r.Information)
		return err
	})
	_ = w.try(actor, func(tx *store.Tx) error {
		steps, err := tx.ReferralSteps(ctx, w.referral.ID)
		for _, s := range steps {
			put("note of the "+string(s.Party), s.Note)
		}
		return err
	})
	_ = w.try(actor, func(tx *store.Tx) error {
		_, attempts, err := tx.CheckIn(ctx, w.checkIn.ID)
		for _, a := range attempts {
			put("note of an attempt", a.Note)
		}
		return err
	})
	_ = w.try(actor, func(tx *store.Tx) error {
		answers, err := tx.CheckInAnswers(ctx, w.checkIn.ID)
		for _, a := range answers {
			put("answers", a)
		}
		return err
	})
	_ = w.try(actor, func(tx *store.Tx) error {
		a, err := tx.Alert(ctx, w.alert.ID)
		for _, e := range a.Trail {
			put(map[string]string{"raised": "note of an alert", "note": "note of the supervisor"}[e.Action], e.Note)
		}
		return err
	})
	return read
}

func TestWordsAboutAPersonAreSealedAndReadByWhoMay(t *testing.T) {
	t.Parallel()
	w := writtenAbout(t)
	agency := []string{"external_id", "destination_reason", "choice_note", "told", "question", "information", "note of the agency", "note of an attempt", "answers", "note of an alert", "note of the supervisor"}
	for _, c := range []struct {
		name  string
		actor onward.Actor
		want  []string
	}{
		{"the counsellor", counsellor, agency},
		{"the supervisor", as(ours, onward.RoleSupervisor), agency},
		{"the recipient", recipient, []string{"question", "information"}},
		{"the partner", w.partner, []string{"note of an attempt", "answers"}},
		{"another agency", elsewhere, nil},
		{"the administrator", as(ours, onward.RoleAdministrator), nil},
		{"a worker", onward.System(), nil},
	} {
		read := w.read(c.actor)
		for _, field := range c.want {
			want := words(field)
			if field == "answers" {
				want = "4"
			}
			if read[field] != want {
				t.Errorf("%s reads %q of %s", c.name, read[field], field)
			}
			delete(read, field)
		}
		if len(read) > 0 {
			t.Errorf("%s reads %v", c.name, read)
		}
	}
	dump := w.dumped()
	for _, value := range append(identifying(), "«ñ»", "Hermenegildo in") {
		if strings.Contains(dump, value) {
			t.Errorf("the dump holds %q", value)
		}
	}
	// What the recipient asked is nobody else's to open, and not the key of somebody of whom nothing was sent.
	if n := w.keysOf(recipient, w.person.ID); n != 1 {
		t.Errorf("the recipient has %d keys", n)
	}
	unsent := w.registered(counsellor, person())
	for _, actor := range []onward.Actor{recipient, w.partner, onward.System(), elsewhere, as(ours, onward.RoleAnalyst)} {
		if n := w.keysOf(actor, unsent.ID); n != 0 {
			t.Errorf("%s has the key of somebody else's", actor.Role)
		}
	}
}

// keysOf is how many keys of a person the database hands out to an actor.
func (b bench) keysOf(actor onward.Actor, person onward.ID) (n int) {
	b.t.Helper()
	tx, err := b.application().BeginTxx(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	organisation := ""
	if !actor.OrganisationID.IsZero() {
		organisation = actor.OrganisationID.String()
	}
	if _, err := tx.ExecContext(b.t.Context(), `SELECT set_config('onward.role', $1, true), set_config('onward.organisation', $2, true)`, string(actor.Role), organisation); err != nil {
		b.t.Fatal(err)
	}
	if err := tx.GetContext(b.t.Context(), &n, `SELECT count(*) FROM text_keys(ARRAY[$1::uuid])`, person.String()); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestWhoHoldsALinkReadsAndWritesWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.sent(b.opening(2))
	b.in(recipient, func(tx *store.Tx) error {
		_, err := tx.Ask(t.Context(), r.ID, 0, words("question"))
		return err
	})
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.Inform(t.Context(), r.ID, 0, words("information"))
		return err
	})
	link := b.link(r)
	shown, _, err := b.store.LinkedReferral(t.Context(), link.Token)
	if err != nil || shown.Question != words("question") || shown.Information != words("information") {
		t.Errorf("by the link: %+v, %v", shown, err)
	}
	if shown, _, err = b.store.ShownProfile(t.Context(), recipient, r.ID); err != nil || shown.Information != words("information") {
		t.Errorf("signed in: %+v, %v", shown, err)
	}
	shown, err = b.store.AnswerByLink(t.Context(), link.Token, onward.Answer{Answer: onward.AnswerAsk, Question: words("a link")})
	if err != nil || shown.Question != words("a link") || shown.Information != "" {
		t.Errorf("asked by the link: %+v, %v", shown, err)
	}
	if dump := b.dumped(); strings.Contains(dump, "Hermenegildo") {
		t.Error("the dump holds what was written")
	}
	if r := result(b, counsellor, func(tx *store.Tx) (onward.Referral, error) { return tx.Referral(t.Context(), r.ID) }); r.Question != words("a link") {
		t.Errorf("the agency reads %+v", r)
	}
}

func TestTheReasonOfAListIsSealedInItAsWell(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.registered(counsellor, secretive())
	options := onward.RequestOptions{Destination: []onward.LikelyPlace{{PlaceID: monterrey, Probability: 1}}, DestinationReason: words("destination_reason")}
	q, repeated, err := b.ask(counsellor, p.ID, options, "key")
	if err != nil || repeated {
		t.Fatal(repeated, err)
	}
	// The same again is the same, although what is sealed is different each time.
	if again, repeated, err := b.ask(counsellor, p.ID, options, "key"); err != nil || !repeated || again.ID != q.ID || again.Options.DestinationReason != options.DestinationReason {
		t.Errorf("%+v, %v, %v", again, repeated, err)
	}
	in, err := b.store.MatchInput(t.Context(), q.ID)
	if err != nil || !strings.HasPrefix(in.Request.Options.DestinationReason, "sealed:") || in.Returnee.ExternalID != "" {
		t.Fatalf("the worker sees %+v, %v", in, err)
	}
	answer := answerTo(q, p.Version, 1)
	answer.List.Destination.Reason = in.Request.Options.DestinationReason
	work := b.claim(10, 0)
	if err := b.store.AnswerRequest(t.Context(), answer, work[len(work)-1].ID); err != nil {
		t.Fatal(err)
	}
	read := result(b, counsellor, func(tx *store.Tx) (onward.ReferralRequest, error) { return tx.ReferralRequest(t.Context(), q.ID) })
	if read.Options.DestinationReason != options.DestinationReason || read.List.Destination.Reason != options.DestinationReason {
		t.Errorf("the list says %q, the request %q", read.List.Destination.Reason, read.Options.DestinationReason)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		_, list, err := tx.StoredRequest(t.Context(), q.ID)
		if err == nil && !strings.Contains(string(list), "Hermenegildo in destination_reason") {
			err = fmt.Errorf("the list in JSON does not say it: %s", list)
		}
		return err
	})
	if replay, err := b.store.ReplayInput(t.Context(), q.ID); err != nil || replay.Request.Options.DestinationReason != replay.Request.List.Destination.Reason {
		t.Errorf("a replay would differ: %+v, %v", replay.Request, err)
	}
}

func TestCaseNumbersAreFoundExactlyAndAreOnePersons(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := secretive()
	d.ExternalID = "CASE-4711 ñ"
	first := b.registered(counsellor, d)
	find := func(actor onward.Actor, number string) int {
		page := result(b, actor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
			return tx.Returnees(t.Context(), store.ReturneeFilter{ExternalID: number}, store.Cursor{})
		})
		if len(page.Items) == 1 && page.Items[0].ExternalID != number {
			t.Errorf("found %q", page.Items[0].ExternalID)
		}
		return len(page.Items)
	}
	for number, want := range map[string]int{"CASE-4711 ñ": 1, "case-4711 ñ": 0, "CASE-4711": 0, "4711": 0} {
		if n := find(counsellor, number); n != want {
			t.Errorf("%q finds %d", number, n)
		}
	}
	if n := find(elsewhere, "CASE-4711 ñ"); n != 0 {
		t.Error("another agency finds it")
	}
	if strings.Contains(b.dumped(), "4711") {
		t.Error("the dump holds the case number")
	}
	// The same number: another line of an import adds nothing, alone and in one batch.
	same := secretive()
	same.ExternalID = d.ExternalID
	other := secretive()
	other.ExternalID = "other"
	created := result(b, counsellor, func(tx *store.Tx) ([]store.Created, error) {
		return tx.CreateReturnees(t.Context(), []store.NewReturnee{{Details: same}, {Details: other}, {Details: other}, {Details: secretiveWithout()}})
	})
	if !created[0].Duplicate || created[0].Ref.ID != first.ID || created[1].Duplicate || !created[2].Duplicate || created[2].Ref.ID != created[1].Ref.ID || created[3].Duplicate {
		t.Errorf("%+v", created)
	}
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.CreateReturnee(t.Context(), store.NewReturnee{Details: same})
		return err
	}), onward.EConflict)
	// Taking somebody else's is refused; a new one is found, and the old one is free.
	change := func(id onward.ID, number string) error {
		return b.try(counsellor, func(tx *store.Tx) error {
			r, err := tx.Returnee(t.Context(), id)
			if err != nil {
				return err
			}
			r.ExternalID = number
			_, err = tx.UpdateReturnee(t.Context(), id, r.Version, r.ReturneeDetails)
			return err
		})
	}
	wantCode(t, change(created[1].Ref.ID, "CASE-4711 ñ"), onward.EConflict)
	if err := change(first.ID, "CASE-1"); err != nil {
		t.Fatal(err)
	}
	if err := change(created[1].Ref.ID, "CASE-4711 ñ"); err != nil {
		t.Errorf("a number that is free again: %v", err)
	}
	if a, c := find(counsellor, "CASE-1"), find(counsellor, "other"); a != 1 || c != 0 {
		t.Errorf("%d and %d are found", a, c)
	}
	// Another agency has the same numbers for other people.
	b.registered(onward.Actor{UserID: stranger.UserID, OrganisationID: theirs.ID, Role: onward.RoleCounsellor}, same)
	// A worker reads none.
	if r := result(b, onward.System(), func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), first.ID) }); r.ExternalID != "" {
		t.Errorf("the system reads %q", r.ExternalID)
	}
}

func secretiveWithout() onward.ReturneeDetails {
	d := secretive()
	d.ExternalID = ""
	return d
}

func TestWordsThatWereMovedOrAlteredDoNotOpen(t *testing.T) {
	t.Parallel()
	w := writtenAbout(t)
	read := func() error {
		return w.try(counsellor, func(tx *store.Tx) error {
			_, err := tx.Referral(t.Context(), w.referral.ID)
			return err
		})
	}
	steps := func() error {
		return w.try(counsellor, func(tx *store.Tx) error {
			_, err := tx.ReferralSteps(t.Context(), w.referral.ID)
			return err
		})
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	w.sql(`UPDATE referrals SET question = told, told = question WHERE id = $1`, w.referral.ID)
	if err := read(); err == nil || strings.Contains(err.Error(), "Hermenegildo") {
		t.Errorf("words of another field: %v", err)
	}
	w.sql(`UPDATE referral_steps SET note = (SELECT note FROM referral_steps WHERE referral_id = $1 AND event = 'send') WHERE referral_id = $1 AND event = 'create'`, w.referral.ID)
	if err := steps(); err == nil {
		t.Error("words of another step open")
	}
}

// plainly runs SQL that writes words as they were before they had to be sealed.
func (b bench) plainly(query string, args ...any) {
	b.t.Helper()
	b.sql(`CREATE TABLE put_back AS SELECT conrelid::regclass AS t, conname AS n, pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE conname LIKE '%\_sealed'`)
	b.sql(`DO $$ DECLARE c record; BEGIN FOR c IN SELECT * FROM put_back LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.n); END LOOP; END $$`)
	b.sql(query, args...)
	b.sql(`DO $$ DECLARE c record; BEGIN FOR c IN SELECT * FROM put_back LOOP EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.t, c.n, c.d); END LOOP; END $$; DROP TABLE put_back`)
}

func TestWordsFromBeforeAreSealed(t *testing.T) {
	t.Parallel()
	w := writtenAbout(t)
	before := w.read(counsellor)
	k := w.keeper(keys)
	erased := w.must(counsellor, w.referTo(counsellor, w.registered(counsellor, secretiveWithout()), w.opening(1)), onward.ReferralWithdraw, onward.ReasonNotInterested)
	w.plainly(fmt.Sprintf(`UPDATE referrals SET choice_note = '%s', told = '%s', question = '%s', information = '%s' WHERE id = '%s';`,
		words("choice_note"), words("told"), words("question"), words("information"), w.referral.ID) +
		fmt.Sprintf(`UPDATE referral_steps SET note = CASE party WHEN 'agency' THEN '%s' ELSE '%s' END WHERE referral_id = '%s' AND note <> '';`, words("note of the agency"), words("note of the recipient"), w.referral.ID) +
		fmt.Sprintf(`UPDATE check_ins SET answers = jsonb_build_object('a', '4') WHERE id = '%s';`, w.checkIn.ID) +
		fmt.Sprintf(`UPDATE check_in_attempts SET note = '%s' WHERE check_in_id = '%s';`, words("note of an attempt"), w.checkIn.ID) +
		fmt.Sprintf(`UPDATE alert_entries SET note = CASE action WHEN 'raised' THEN '%s' ELSE '%s' END WHERE alert_id = '%s';`, words("note of an alert"), words("note of the supervisor"), w.alert.ID) +
		fmt.Sprintf(`UPDATE referral_requests SET plain = true, options = options || jsonb_build_object('destination_reason', '%s') WHERE id = '%s';`, words("destination_reason"), w.request.ID) +
		fmt.Sprintf(`UPDATE returnees SET external_id = '%[1]s', details = details || jsonb_build_object('external_id', '%[1]s') WHERE id = '%[2]s';
			UPDATE returnee_identities SET identity = identity - 'external_id' WHERE returnee_id = '%[2]s'; DELETE FROM identity_tokens WHERE kind = 'case' AND returnee_id = '%[2]s';`, words("external_id"), w.person.ID) +
		fmt.Sprintf(`UPDATE referrals SET told = 'of an erased person' WHERE id = '%s'; UPDATE returnee_identities SET key = NULL, key_id = 0, identity = '{}' WHERE returnee_id = '%[2]s';
			UPDATE returnees SET erased_at = now() WHERE id = '%[2]s';`, erased.ID, erased.ReturneeID))
	if dump := w.dumped(); !strings.Contains(dump, words("told")) || !strings.Contains(dump, words("external_id")) {
		t.Fatal("nothing to seal")
	}
	// Nothing opens that is not sealed: somebody could have put it there.
	wantCode(t, w.try(counsellor, func(tx *store.Tx) error {
		_, err := tx.Referral(t.Context(), w.referral.ID)
		return err
	}), onward.EUnavailable)
	// The referral, the erased one, 2 steps, the check-in, its attempt, 2 entries, the request, the case number.
	if n, err := k.Plain(t.Context()); err != nil || n != 10 {
		t.Errorf("%d are plain, %v", n, err)
	}
	if n, err := k.Seal(t.Context()); err != nil || n != 10 {
		t.Errorf("%d sealed, %v", n, err)
	}
	if n, err := k.Seal(t.Context()); err != nil || n != 0 {
		t.Errorf("%d sealed again, %v", n, err)
	}
	if n, err := k.Plain(t.Context()); err != nil || n != 0 {
		t.Errorf("%d are plain afterwards, %v", n, err)
	}
	if n := w.count(`SELECT count(*) FROM pg_constraint WHERE conname LIKE '%\_sealed' AND NOT convalidated`); n != 0 {
		t.Errorf("%d constraints were not proved", n)
	}
	dump := w.dumped()
	for _, value := range []string{"Hermenegildo", "«ñ»", "of an erased person"} {
		if strings.Contains(dump, value) {
			t.Errorf("the dump holds %q", value)
		}
	}
	after := w.read(counsellor)
	for field, text := range before {
		if after[field] != text {
			t.Errorf("%s: %q before, %q after", field, text, after[field])
		}
	}
	if page := result(w.bench, counsellor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
		return tx.Returnees(t.Context(), store.ReturneeFilter{ExternalID: words("external_id")}, store.Cursor{})
	}); len(page.Items) != 1 || page.Items[0].ID != w.person.ID {
		t.Errorf("%d have the case number", len(page.Items))
	}
	// The audit says that it was not a person who changed the referral, and why it is another than before.
	entries := w.audit(as(ours, onward.RoleSupervisor), w.referral.ID)
	if e := entries[0]; e.Resource != "referrals" || e.Action != "change" || !e.UserID.IsZero() || !strings.HasPrefix(e.Why, "sealed") {
		t.Errorf("the last entry is %+v", e)
	}
	if _, flaws := w.verified(); len(flaws) != 0 {
		t.Errorf("the audit: %v", flaws)
	}
}

// plainColumns are those of tables about people that hold no words about them, by the reason.
var plainColumns = map[string][]string{
	"a code that Onward knows, or nothing is written": {
		"alert_entries.action", "alerts.kind", "alerts.outcome", "alerts.severity", "alerts.source", "check_in_attempts.channel", "check_in_attempts.outcome",
		"check_ins.cancelled_for", "check_ins.purpose", "check_ins.status", "check_ins.still_there", "consent_records.what", "identity_tokens.kind", "placements.contract",
		"placements.currency", "placements.end_reason", "placements.end_source", "placements.kind", "placements.organisation_source", "placements.returnee_source",
		"placements.wage_period", "referral_requests.status", "referral_steps.event", "referral_steps.from_status", "referral_steps.party", "referral_steps.reason",
		"referral_steps.to_status", "referrals.choice_reason", "referrals.ended_from", "referrals.held_from", "referrals.kind", "referrals.outcome", "referrals.reason",
		"referrals.status", "referrals.urgency", "residences.source", "returnees.country", "unlocks.kind", "withdrawals.cause", "withdrawals.purposes",
		"legal_holds.kind", "returnee_changes.fields",
	},
	"of administrators, who may have no key: it names a court and a case": {"legal_holds.reason", "legal_holds.release_reason"},
	"a keyed hash": {"identity_tokens.token", "referral_requests.body_hash", "referral_requests.idempotency_key"},
	"sealed field by field, beside the key that is wrapped": {"returnee_identities.identity", "returnee_identities.key"},
	"numbers": {"check_ins.scores", "referrals.chosen"},
	"what a person chose to say, one of few words that Onward knows": {"parity_attributes.sex", "parity_attributes.disability", "parity_attributes.return_kind", "parity_attributes.origin"},
	"ids, numbers and codes, or a hash":                              {"referral_decisions.body", "referral_decisions.role", "referral_decisions.list_hash"},
	"a name from a file of the organisation's":                       {"check_ins.questionnaire"},
	"purposes, days and organisations":                               {"consent_records.consent"},
	"a sentence of Onward's":                                         {"referral_requests.refusal"},
	"packed; its words are sealed as in options":                     {"referral_requests.list", "referral_requests.inputs"},
	"ids and labels of the taxonomy and of openings":                 {"unlocks.label", "unlocks.what"},
}

// TestEveryColumnAboutAPersonIsSealedOrExcused holds the schema against the rule: text, of a table that leads to a person, is sealed or
// says nothing that somebody wrote.
func TestEveryColumnAboutAPersonIsSealedOrExcused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var columns []struct {
		Name   string `db:"name"`
		Sealed bool   `db:"sealed"`
	}
	// A table leads to a person when it names one, or something that does.
	if err := b.admin().SelectContext(t.Context(), &columns, `WITH RECURSIVE about AS (
			SELECT r.oid AS t FROM pg_class r WHERE r.relkind = 'r' AND r.relnamespace = 'public'::regnamespace AND (r.relname = 'returnees'
				OR EXISTS (SELECT FROM pg_attribute m WHERE m.attrelid = r.oid AND m.attname IN ('returnee_id', 'referral_id', 'placement_id', 'check_in_id', 'alert_id', 'withdrawal_id')))
			UNION SELECT c.conrelid FROM about a JOIN pg_constraint c ON c.confrelid = a.t AND c.contype = 'f')
		SELECT a.t::regclass || '.' || m.attname AS name, EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.t AND c.conname LIKE '%\_sealed' AND m.attnum = ANY(c.conkey)) AS sealed
		FROM (SELECT DISTINCT t FROM about) a JOIN pg_attribute m ON m.attrelid = a.t AND m.attnum > 0 AND NOT m.attisdropped
		WHERE m.atttypid::regtype::text IN ('text', 'text[]', 'jsonb', 'json', 'character varying', 'bytea') ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	if len(columns) < 40 {
		t.Fatalf("only %d columns are about people", len(columns))
	}
	reasons := map[string]string{}
	for reason, names := range plainColumns {
		for _, name := range names {
			reasons[name] = reason
		}
	}
	for _, c := range columns {
		reason, excused := reasons[c.Name]
		delete(reasons, c.Name)
		if c.Sealed == excused {
			t.Errorf("%s: sealed %v, and excused with %q; seal it (store/text.go), or say here why it needs not be", c.Name, c.Sealed, reason)
		}
	}
	for name := range reasons {
		t.Errorf("%s is excused, and is not there", name)
	}
}
