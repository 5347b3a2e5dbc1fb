package store_test

import (
	"sync/atomic"
	"testing"

	"onward"
	"onward/store"
)

func TestFiguresAreCountedByWhatBecameOfReferrals(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	partner, o, p := b.monitored() // one placed
	b.sent(o)                      // one waits
	declined := b.sent(b.opening(1))
	now.Add(48 * 3600)
	b.must(recipient, declined, onward.ReferralDecline, onward.ReasonLanguage)
	analyst := as(ours, onward.RoleAnalyst)
	stages := func(byRegion bool) map[string]int {
		funnel, times, err := b.store.ProgrammeCounts(t.Context(), analyst, onward.ID{}, byRegion)
		if err != nil {
			t.Fatal(err)
		}
		if len(times) != 3 || times[0].From != "answered" || times[2].Hours != 48 {
			t.Errorf("times %+v", times)
		}
		counts := map[string]int{}
		for _, c := range funnel {
			if want := map[bool]string{false: "job", true: "Nuevo León"}[byRegion]; c.Quarter != "2026-Q1" || c.Of != want {
				t.Errorf("%+v, want of %s", c, want)
			}
			counts[c.Stage] += c.Count
		}
		return counts
	}
	for _, byRegion := range []bool{false, true} {
		if got := stages(byRegion); len(got) != 3 || got["placed"] != 1 || got["waiting"] != 1 || got["refused"] != 1 {
			t.Errorf("%v", got)
		}
	}
	spans := func() onward.SpanCount {
		list, err := b.store.RetentionCounts(t.Context(), analyst, onward.ID{})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	now.Add(38 * 24 * 3600)
	if s := spans(); s.How != "open" || s.Days != 0 || s.Ago != 40 {
		t.Errorf("%+v: nobody has seen the person since the start", s)
	}
	b.call()
	for _, c := range b.due(partner) {
		if _, err := b.complete(partner, c, onward.CheckInResult{TalkedOn: today.AddDays(40), StillThere: onward.StillYes}); err != nil {
			t.Fatal(err)
		}
	}
	if s := spans(); s.How != "open" || s.Days != 40 {
		t.Errorf("%+v: the person was seen on day 40", s)
	}
	lines := result(b, partner, func(tx *store.Tx) ([]onward.MonitoredLine, error) { return tx.Monitored(t.Context()) })
	if len(lines) != 1 || lines[0].LastSeenOn != today.AddDays(40) || lines[0].CheckInOn != today.AddDays(90) {
		t.Errorf("monitored %+v", lines)
	}
	due := result(b, counsellor, func(tx *store.Tx) ([]onward.CaseloadLine, error) {
		return tx.CaseloadDue(t.Context(), counsellor.UserID)
	})
	kinds := map[string]int{}
	for _, l := range due {
		kinds[l.Due]++
	}
	if kinds["overdue"] != 1 || kinds["hold_ends"] != 1 || kinds["confirm"] != 1 {
		t.Errorf("due %v", kinds)
	}
	openings := result(b, recipient, func(tx *store.Tx) ([]onward.OpeningLine, error) { return tx.Openings(t.Context()) })
	if len(openings) != 2 || openings[0].ToAnswer != 1 || openings[0].Overdue != 1 || openings[0].Placed != 1 {
		t.Errorf("openings %+v", openings)
	}
	b.in(counsellor, func(tx *store.Tx) error {
		_, err := tx.EndPlacement(t.Context(), p.ID, 0, onward.EndPlacement{EndedOn: today.AddDays(40), Reason: onward.EndDismissed, Source: onward.SourceSelf})
		return err
	})
	if s := spans(); s.How != "ended" || s.Days != 40 {
		t.Errorf("%+v", s)
	}
	if got := stages(false); got["early"] != 1 {
		t.Errorf("%v", got)
	}
	for _, actor := range []onward.Actor{counsellor, recipient, partner} {
		_, _, err := b.store.ProgrammeCounts(t.Context(), actor, onward.ID{}, false)
		wantCode(t, err, onward.EForbidden)
	}
	others, err := b.store.RetentionCounts(t.Context(), as(theirs, onward.RoleAnalyst), ours.ID)
	if err != nil || len(others) != 0 {
		t.Errorf("another organisation counts %v, %v", others, err)
	}
}
