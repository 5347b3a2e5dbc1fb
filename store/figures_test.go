package store_test

import (
	"sync"
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
	stages := func() map[string]int {
		c := b.counts(analyst)
		if len(c.Times) != 3 || c.Times[2].From != "answered" || c.Times[1].Hours != 48 || len(c.Key) != 32 {
			t.Errorf("times %+v", c.Times)
		}
		counts := map[string]int{}
		for i, l := range c.Kinds {
			if l.Quarter != "2026-Q1" || l.Of != "job" || c.Regions[i].Of != "Nuevo León" || c.Regions[i].Quarter != "" {
				t.Errorf("%+v, %+v", l, c.Regions[i])
			}
			counts[l.Stage] += l.Count
		}
		return counts
	}
	if got := stages(); len(got) != 3 || got["placed"] != 1 || got["waiting"] != 1 || got["refused"] != 1 {
		t.Errorf("%v", got)
	}
	spans := func() onward.SpanCount {
		list := b.counts(analyst).Spans
		if len(list) != 1 {
			t.Fatal(list)
		}
		return list[0]
	}
	now.Add(38 * 24 * 3600)
	if s := spans(); s.How != "open" || s.Days != 0 || s.Ago != 30 {
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
	if got := stages(); got["early"] != 1 {
		t.Errorf("%v", got)
	}
	for _, actor := range []onward.Actor{counsellor, recipient, partner} {
		_, err := b.store.Figures(t.Context(), actor, onward.ID{}, nil)
		wantCode(t, err, onward.EForbidden)
	}
	if others := b.counts(as(theirs, onward.RoleAnalyst)); len(others.Kinds)+len(others.Regions)+len(others.Times)+len(others.Spans) != 0 {
		t.Errorf("another organisation counts %+v", others)
	}
}

// counts are what figures of the actor's organisation would be made of; nothing is published of them.
func (b *bench) counts(actor onward.Actor) (counts onward.FigureCounts) {
	b.t.Helper()
	if _, err := b.store.Figures(b.t.Context(), actor, onward.ID{}, func(c onward.FigureCounts) onward.Figures {
		counts = c
		return onward.Figures{}
	}); err != nil {
		b.t.Fatal(err)
	}
	return counts
}

func TestFiguresStandUntilTheMonthIsOver(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	b := setup(t).at(&now)
	b.sent(b.opening(1))
	var counted atomic.Int64
	read := func(actor onward.Actor) onward.Figures {
		t.Helper()
		f, err := b.store.Figures(t.Context(), actor, onward.ID{}, func(c onward.FigureCounts) onward.Figures {
			counted.Add(1)
			sent := len(c.Kinds)
			return onward.Figures{Month: c.At.Format("2006-01"), CountedAt: c.At, Kind: onward.ProgrammeFigures{Total: onward.FunnelLine{Sent: &sent}}}
		})
		if err != nil {
			t.Error(err)
		}
		return f
	}
	analyst := as(ours, onward.RoleAnalyst)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { read(analyst) })
	}
	all.Wait()
	if counted.Load() != 1 {
		t.Errorf("eight at once counted %d times", counted.Load())
	}
	first := read(as(ours, onward.RoleSupervisor))
	b.must(recipient, b.sent(b.opening(1)), onward.ReferralDecline, onward.ReasonLanguage)
	now.Add(24 * 3600)
	if f := read(analyst); !f.CountedAt.Equal(first.CountedAt) || *f.Kind.Total.Sent != 1 || counted.Load() != 1 {
		t.Errorf("a day later %+v; two moments of a month can be subtracted", f)
	}
	now.Add(31 * 24 * 3600)
	if f := read(analyst); f.CountedAt.Equal(first.CountedAt) || *f.Kind.Total.Sent != 2 || counted.Load() != 2 {
		t.Errorf("a month later %+v", f)
	}
	if f := read(as(theirs, onward.RoleAnalyst)); *f.Kind.Total.Sent != 0 {
		t.Errorf("another organisation reads %+v", f)
	}
}
