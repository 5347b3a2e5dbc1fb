package store_test

import (
	"sync/atomic"
	"testing"

	"onward"
	"onward/store"
)

// monitored is a placement that a partner monitors, since today.
func (b bench) monitored() (partner onward.Actor, o onward.Opportunity, p onward.Placement) {
	b.t.Helper()
	g := result(b, onward.System(), func(tx *store.Tx) (onward.Organisation, error) {
		return tx.CreateOrganisation(b.t.Context(), onward.Organisation{Slug: "monitors", Name: "Monitors", Kind: onward.CivilSociety, Country: "MX"})
	})
	u := result(b, onward.System(), func(tx *store.Tx) (onward.User, error) {
		return tx.CreateUser(b.t.Context(), onward.User{OrganisationID: g.ID, Name: "Partner", Email: "partner@monitors.example.org", Role: onward.RolePartner})
	})
	o = b.opening(2)
	r := b.sent(o)
	b.must(recipient, r, onward.ReferralAccept, "")
	p = result(b, counsellor, func(tx *store.Tx) (onward.Placement, error) {
		return tx.RecordPlacement(b.t.Context(), r.ID, 0, onward.PlacementDetails{StartedOn: today, PartnerID: g.ID}, byEmployer)
	})
	return onward.Actor{UserID: u.ID, OrganisationID: g.ID, Role: onward.RolePartner}, o, p
}

// call plans and calls check-ins, twice: the second time nothing happens.
func (b bench) call() {
	b.t.Helper()
	for range 2 {
		for n := 1; n > 0; {
			planned, err := b.store.PlanCheckIns(b.t.Context())
			if err != nil {
				b.t.Fatal(err)
			}
			called, err := b.store.CallCheckIns(b.t.Context())
			if err != nil {
				b.t.Fatal(err)
			}
			n = planned + called
		}
	}
}

func (b bench) due(actor onward.Actor) []onward.CheckIn {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) ([]onward.CheckIn, error) { return tx.DueCheckIns(b.t.Context(), 100) })
}

func (b bench) complete(actor onward.Actor, c onward.CheckIn, r onward.CheckInResult) (done onward.CheckIn, err error) {
	err = b.try(actor, func(tx *store.Tx) (err error) {
		done, _, err = tx.CompleteCheckIn(b.t.Context(), c.ID, c.Version, r)
		return err
	})
	return done, err
}

func TestCheckInsFromThePlanToAnAlertAndAnEnd(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	partner, o, p := b.monitored()
	b.call()
	if n := b.count(`SELECT count(*) FROM check_ins`); n != 7 {
		t.Errorf("%d check-ins are planned, want 4 and 3", n)
	}
	due := b.due(partner)
	if len(due) != 1 || due[0].Purpose != onward.AsksSustainability || due[0].Day != 0 {
		t.Fatalf("on the first day: %+v", due)
	}
	card := result(b, partner, func(tx *store.Tx) (onward.ContactCard, error) { return tx.CheckInContact(t.Context(), due[0].ID) })
	if card.GivenName != "Given" || card.Language != "es" {
		t.Errorf("the card is %+v", card)
	}
	for _, actor := range []onward.Actor{recipient, as(theirs, onward.RolePartner), elsewhere} {
		wantCode(t, b.try(actor, func(tx *store.Tx) error {
			_, err := tx.CheckInContact(t.Context(), due[0].ID)
			return err
		}), onward.ENotFound)
	}
	q := result(b, partner, func(tx *store.Tx) (onward.Questionnaire, error) {
		return tx.CheckInQuestionnaire(t.Context(), due[0].ID)
	})
	answers := map[string]string{}
	for _, i := range q.Items {
		answers[i.ID] = "5"
		if i.Reverse {
			answers[i.ID] = "1"
		}
	}
	done, err := b.complete(partner, due[0], onward.CheckInResult{TalkedOn: today, StillThere: onward.StillYes, PlaceID: monterrey, Answers: answers})
	if err != nil || done.Scores == nil || done.Scores.Index == nil || *done.Scores.Index != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	points := result(b, counsellor, func(tx *store.Tx) ([]onward.SustainabilityPoint, error) {
		return tx.Sustainability(t.Context(), p.ReturneeID)
	})
	if len(points) != 1 || points[0].Month != 0 || *points[0].Scores.Index != 1 {
		t.Errorf("how the return goes: %+v", points)
	}
	if n := b.count(`SELECT count(*) FROM residences WHERE source = 'partner' AND place_id = $1`, int64(monterrey)); n != 1 {
		t.Errorf("%d residences were observed", n)
	}

	now.Add(30 * 24 * 3600)
	b.call()
	day30 := b.due(partner)
	if len(day30) != 1 || day30[0].Day != 30 {
		t.Fatalf("on day 30: %+v", day30)
	}
	bad := onward.CheckInResult{TalkedOn: today.AddDays(30), StillThere: onward.StillYes, Answers: map[string]string{"paid-in-full": "perhaps"}}
	_, err = b.complete(partner, day30[0], bad)
	wantField(t, err, "answers.paid-in-full", "one_of")
	bad.Answers = map[string]string{"paid-in-full": "no", "documents-kept": "yes"}
	if _, err = b.complete(partner, day30[0], bad); err != nil {
		t.Fatal(err)
	}
	_, err = b.complete(partner, day30[0], bad)
	wantCode(t, err, onward.EVersion)
	if n := b.count(`SELECT count(*) FROM alerts WHERE stops AND source = 'check_in' AND raised_by = $1`, partner.OrganisationID); n != 2 {
		t.Errorf("%d alerts were raised, want one a finding", n)
	}
	if o = b.reopening(o); o.Status != onward.OpportunityPaused {
		t.Errorf("the opening is %s", o.Status)
	}

	now.Add(60 * 24 * 3600)
	b.call()
	day90 := b.due(partner)
	if len(day90) != 1 || day90[0].Day != 90 {
		t.Fatalf("on day 90: %+v", day90)
	}
	left := onward.CheckInResult{TalkedOn: today.AddDays(90), StillThere: onward.StillNo, EndedOn: today.AddDays(80), EndReason: onward.EndBetterJob}
	if done, err = b.complete(partner, day90[0], left); err != nil || done.Status != onward.CheckInDone {
		t.Fatalf("%+v, %v", done, err)
	}
	ended := result(b, counsellor, func(tx *store.Tx) (onward.Placement, error) { return tx.Placement(t.Context(), p.ID) })
	if ended.EndReason != onward.EndBetterJob || ended.EndedOn != today.AddDays(80) {
		t.Errorf("the placement is %+v", ended)
	}
	if n := b.count(`SELECT count(*) FROM check_ins WHERE status = 'cancelled' AND purpose = 'placement' AND cancelled_for = 'placement_ended'`); n != 2 {
		t.Errorf("%d talks about the work are cancelled, want those of day 180 and 365", n)
	}
	if n := b.count(`SELECT count(*) FROM check_ins WHERE status = 'planned' AND purpose = 'sustainability'`); n != 2 {
		t.Errorf("%d talks about the return are left, want 2", n)
	}
	if n := b.events(onward.EventCheckInDue); n != 3 {
		t.Errorf("the partner was told %d times, want once for each", n)
	}
}

func TestWithoutConsentNoOneIsCalled(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	partner, _, p := b.monitored()
	b.call()
	due := b.due(partner)[0]
	withdraw := func() {
		person := result(b, counsellor, func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), p.ReturneeID) })
		for i, c := range person.Consents {
			if c.Purpose == onward.ConsentFollowUp {
				person.Consents[i].WithdrawnOn = today
			}
		}
		b.in(counsellor, func(tx *store.Tx) error {
			_, err := tx.UpdateReturnee(t.Context(), person.ID, person.Version, person.ReturneeDetails)
			return err
		})
	}
	withdraw()
	wantCode(t, b.try(partner, func(tx *store.Tx) error {
		_, err := tx.CheckInContact(t.Context(), due.ID)
		return err
	}), onward.ENotFound)
	_, err := b.complete(partner, due, onward.CheckInResult{TalkedOn: today, StillThere: onward.StillYes})
	wantCode(t, err, onward.EConflict)
	now.Add(400 * 24 * 3600)
	b.call()
	if n := b.count(`SELECT count(*) FROM check_ins WHERE status = 'cancelled' AND cancelled_for = 'no_consent'`); n != 6 {
		t.Errorf("%d are cancelled, want all that were still planned", n)
	}
}

func TestACheckInIsMissedAfterEnoughTries(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	partner, _, _ := b.monitored()
	b.call()
	due := b.due(partner)[0]
	miss := func() error {
		return b.try(partner, func(tx *store.Tx) error {
			_, _, err := tx.MissCheckIn(t.Context(), due.ID, 0)
			return err
		})
	}
	for i := range 3 {
		wantCode(t, miss(), onward.EConflict)
		b.in(partner, func(tx *store.Tx) error {
			c, log, err := tx.AddAttempt(t.Context(), due.ID, onward.Attempt{Channel: "call", Outcome: "no_answer", Alternate: i == 2})
			if c.Attempts != i+1 || len(log) != i+1 {
				t.Errorf("%d attempts, %d in the log", c.Attempts, len(log))
			}
			return err
		})
		now.Add(4 * 24 * 3600)
	}
	if err := miss(); err != nil {
		t.Error(err)
	}
	list := result(b, counsellor, func(tx *store.Tx) ([]onward.CheckIn, error) {
		return tx.CheckIns(t.Context(), store.CheckInFilter{Status: onward.CheckInMissed}, 10)
	})
	if len(list) != 1 {
		t.Errorf("missed: %+v", list)
	}
}

func TestANewVersionOfAQuestionnaireLeavesOldAnswersAlone(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	partner, _, _ := b.monitored()
	b.call()
	due := b.due(partner)[0]
	if _, err := b.complete(partner, due, onward.CheckInResult{TalkedOn: today, StillThere: onward.StillYes, Answers: map[string]string{"housing": "5"}}); err != nil {
		t.Fatal(err)
	}
	own := onward.Questionnaire{
		Code: "reintegration-sustainability", Title: onward.Text{"es": "Nuestra"}, Dimensions: []onward.Dimension{{ID: "all", Title: onward.Text{"es": "Todo"}, Weight: 1}},
		Items: []onward.Item{{ID: "well", Dimension: "all", Text: onward.Text{"es": "¿Está bien?"}, Scale: onward.ScaleYesNo}},
	}
	publish := func(actor onward.Actor) (q onward.Questionnaire, err error) {
		err = b.try(actor, func(tx *store.Tx) (err error) {
			q, err = tx.PublishQuestionnaire(t.Context(), own)
			return err
		})
		return q, err
	}
	_, err := publish(counsellor)
	wantCode(t, err, onward.EForbidden)
	if q, err := publish(vets); err != nil || q.Version != 2 {
		t.Fatal(q.Version, err)
	}
	asked := result(b, partner, func(tx *store.Tx) (onward.Questionnaire, error) { return tx.CheckInQuestionnaire(t.Context(), due.ID) })
	if asked.Version != 1 || len(asked.Items) < 10 {
		t.Errorf("what was asked is version %d", asked.Version)
	}
	now.Add(183 * 24 * 3600)
	b.call()
	for _, c := range b.due(partner) {
		q := result(b, partner, func(tx *store.Tx) (onward.Questionnaire, error) { return tx.CheckInQuestionnaire(t.Context(), c.ID) })
		if want := map[onward.CheckInPurpose]int{onward.AsksSustainability: 2, onward.AsksPlacement: 1}[c.Purpose]; q.Version != want {
			t.Errorf("%s asks version %d, want %d", c.Purpose, q.Version, want)
		}
	}
	for _, role := range onward.Roles() {
		if list := result(b, as(ours, role), func(tx *store.Tx) ([]onward.Questionnaire, error) { return tx.Questionnaires(t.Context()) }); len(list) != 2 || list[1].Version != 2 {
			t.Errorf("%s sees %d questionnaires", role, len(list))
		}
	}
	if old := result(b, vets, func(tx *store.Tx) (onward.Questionnaire, error) {
		return tx.Questionnaire(t.Context(), "reintegration-sustainability", 1)
	}); old.Version != 1 {
		t.Errorf("version 1 is %d", old.Version)
	}
}

func TestWhatEndedBeforeItWasPlannedIsAskedAboutNoMore(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	_, _, p := b.monitored()
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.EndPlacement(t.Context(), p.ID, 0, onward.EndPlacement{EndedOn: today, Reason: onward.EndResigned, Source: onward.SourceSelf})
		return err
	})
	b.call()
	if n, all := b.count(`SELECT count(*) FROM check_ins WHERE purpose = 'placement'`), b.count(`SELECT count(*) FROM check_ins`); n != 0 || all != 3 {
		t.Errorf("%d of %d check-ins are about the work", n, all)
	}
}
