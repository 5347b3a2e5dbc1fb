package store_test

import (
	"slices"
	"testing"

	"onward"
	"onward/store"
)

// unlocked is a returnee whose latest list has unlocks.
func (b bench) unlocked(actor onward.Actor, d onward.ReturneeDetails, unlocks ...onward.Unlock) onward.Returnee {
	b.t.Helper()
	r := b.returnee(actor, d)
	b.unlockAgain(actor, r, unlocks...)
	return r
}

func (b bench) unlockAgain(actor onward.Actor, r onward.Returnee, unlocks ...onward.Unlock) {
	b.t.Helper()
	q := b.request(actor, r.ID)
	answer := answerTo(q, r.Version, 1)
	answer.List.Unlocks = unlocks
	if err := b.store.AnswerRequest(b.t.Context(), answer, 0); err != nil {
		b.t.Fatal(err)
	}
}

func unlock(kind onward.ChangeKind, opens int, weight float64, what ...string) onward.Unlock {
	return onward.Unlock{Change: onward.Change{Kind: kind, What: what, Label: "label"}, Opens: opens, Weight: weight}
}

func (b bench) caseloadUnlocks(actor onward.Actor, kinds ...onward.ChangeKind) []onward.CaseloadUnlock {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) ([]onward.CaseloadUnlock, error) {
		return tx.CaseloadUnlocks(b.t.Context(), kinds, 20)
	})
}

func TestTheCaseloadSumsTheLatestListOfEachPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	licence, cards := unlock(onward.ChangeDocument, 3, 0.9, "driving_licence"), unlock(onward.ChangeSkill, 1, 0.4, "skill-1")
	b.unlocked(counsellor, person(), licence, cards)
	second := b.unlocked(counsellor, person(), unlock(onward.ChangeDocument, 9, 9, "driving_licence"))
	b.unlockAgain(counsellor, second, unlock(onward.ChangeDocument, 2, 0.5, "driving_licence"))
	b.unlocked(stranger, person(), unlock(onward.ChangeDocument, 7, 7, "driving_licence"))

	got := b.caseloadUnlocks(counsellor)
	if len(got) != 2 || got[0].Change.Kind != onward.ChangeDocument || !slices.Equal(got[0].Change.What, []string{"driving_licence"}) ||
		got[0].Returnees != 2 || got[0].Opens != 5 || got[0].Weight != 1.4 || got[1].Returnees != 1 || got[1].Opens != 1 {
		t.Errorf("got %+v, want the licence for two people, five openings in all, then the skill for one", got)
	}
	if n := b.count(`SELECT count(*) FROM unlocks WHERE returnee_id = $1`, second.ID); n != 1 {
		t.Errorf("%d rows of the second person, want those of the latest list alone", n)
	}
	if got := b.caseloadUnlocks(counsellor, onward.ChangeSkill); len(got) != 1 || got[0].Change.Kind != onward.ChangeSkill {
		t.Errorf("only skills: %+v", got)
	}
	err := b.try(as(ours, onward.RoleAnalyst), func(tx *store.Tx) error {
		_, err := tx.CaseloadUnlocks(t.Context(), nil, 20)
		return err
	})
	wantCode(t, err, onward.EForbidden)
}

func TestPeopleWithoutConsentCountInNoCaseload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.unlocked(counsellor, person(), unlock(onward.ChangeDocument, 3, 0.9, "driving_licence"))
	if got := b.caseloadUnlocks(counsellor); len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		d := person()
		d.Consents[0].WithdrawnOn = today
		_, err := tx.UpdateReturnee(t.Context(), r.ID, r.Version, d)
		return err
	})
	if got := b.caseloadUnlocks(counsellor); len(got) != 0 {
		t.Errorf("after the withdrawal: %+v", got)
	}
}

func TestTheUnlocksOfAReturneeAreThoseOfTheLatestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	none := b.returnee(counsellor, person())
	read := func(id onward.ID) (found store.ReturneeUnlocks) {
		b.in(counsellor, func(tx *store.Tx) (err error) {
			_, found, err = tx.ReturneeUnlocks(t.Context(), id)
			return err
		})
		return found
	}
	if got := read(none.ID); !got.RequestID.IsZero() || got.Unlocks == nil || len(got.Unlocks) != 0 {
		t.Errorf("without a list: %+v", got)
	}
	r := b.unlocked(counsellor, person(), unlock(onward.ChangeDocument, 3, 0.9, "driving_licence"))
	b.unlockAgain(counsellor, r, unlock(onward.ChangeSkill, 1, 0.2, "skill-1"))
	if got := read(r.ID); len(got.Unlocks) != 1 || got.Unlocks[0].Change.Kind != onward.ChangeSkill || got.ReadyAt.IsZero() {
		t.Errorf("%+v", got)
	}
	err := b.try(stranger, func(tx *store.Tx) error {
		_, _, err := tx.ReturneeUnlocks(t.Context(), r.ID)
		return err
	})
	wantCode(t, err, onward.ENotFound)
}

func TestRepliesAddUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	add := func(actor onward.Actor, organisation onward.ID, due, answered int) error {
		return b.try(actor, func(tx *store.Tx) error {
			return tx.AddReplies(t.Context(), organisation, onward.Replies{Due: due, Answered: answered})
		})
	}
	for range 2 {
		if err := add(onward.System(), ours.ID, 3, 1); err != nil {
			t.Fatal(err)
		}
	}
	counted, err := b.store.Replies(t.Context())
	if err != nil || len(counted) != 1 || counted[ours.ID] != (onward.Replies{Due: 6, Answered: 2}) {
		t.Errorf("%+v, %v", counted, err)
	}
	wantCode(t, add(onward.System(), onward.NewID(), 1, 1), onward.ENotFound)
	wantField(t, add(onward.System(), ours.ID, 1, 2), "answered", "range")
	if err := add(counsellor, ours.ID, 1, 1); err == nil {
		t.Error("a counsellor may not count replies")
	}
}
