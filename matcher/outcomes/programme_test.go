package outcomes

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onward"
)

// referred is some referrals of one quarter, kind and region.
type referred struct {
	Quarter, Kind, Region, Stage string
	Count                        int
}

func counts(list ...referred) onward.FigureCounts {
	var kinds, regions []onward.FunnelCount
	for _, r := range list {
		kinds = append(kinds, onward.FunnelCount{Quarter: r.Quarter, Of: r.Kind, Stage: r.Stage, Count: r.Count})
		regions = append(regions, onward.FunnelCount{Of: r.Region, Stage: r.Stage, Count: r.Count})
	}
	return onward.FigureCounts{Kinds: kinds, Regions: regions, At: time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC), Key: []byte("a key")}
}

func TestAProgrammeByHand(t *testing.T) {
	t.Parallel()
	c := counts(
		referred{Quarter: "2026-Q2", Kind: "job", Region: "Puebla", Stage: "placed", Count: 2},
		referred{Quarter: "2026-Q1", Kind: "job", Region: "Puebla", Stage: "placed", Count: 40},
		referred{Quarter: "2026-Q1", Kind: "job", Region: "Puebla", Stage: "lost", Count: 20},
		referred{Quarter: "2026-Q1", Kind: "job", Region: "Jalisco", Stage: "refused", Count: 3},
		referred{Quarter: "2026-Q1", Kind: "training", Region: "Jalisco", Stage: "placed", Count: 30},
		referred{Quarter: "2026-Q1", Kind: "training", Region: "Jalisco", Stage: "refused", Count: 25},
		referred{Quarter: "2026-Q1", Kind: "training", Region: "Jalisco", Stage: "lost", Count: 11},
		referred{Quarter: "2026-Q2", Kind: "cooperative", Region: "Jalisco", Stage: "placed", Count: 4},
	)
	c.Times = []onward.TimeCount{{From: "answered", To: "placed", Hours: 5, Count: 9}, {From: "sent", To: "answered", Hours: 24, Count: 30}, {From: "sent", To: "answered", Hours: 72, Count: 70}}
	figures := Publish(c)
	f := figures.Programme("kind")
	if len(f.Lines) != 3 || f.Lines[0].Of != "job" || f.Lines[2].Of != "other" || *f.Lines[2].Sent != 6 || figures.Month != "2026-06" {
		t.Fatalf("%+v", f.Lines)
	}
	for _, l := range f.Lines {
		if l.Refused != nil && *l.Refused > 0 && *l.Refused < Least {
			t.Errorf("a small count is shown: %+v", l)
		}
	}
	if f.Lines[0].Refused != nil || f.Lines[0].Withheld < 2 || f.Total.Sent == nil || *f.Total.Sent != 135 || len(f.Combined) != 0 {
		t.Errorf("the 3 can be worked out: %+v, total %+v", f.Lines[0], f.Total)
	}
	if len(f.Times) != 2 || f.Times[1].Median != 3 || f.Times[1].Lower != 1 {
		t.Errorf("times %+v", f.Times)
	}
	if r := figures.Programme("region"); len(r.Lines) != 2 || *r.Total.Sent != 135 || r.Lines[0].Of != "Jalisco" || *r.Lines[0].Refused != 28 {
		t.Errorf("by region: %+v", r)
	}
	few := Publish(counts(referred{Quarter: "2026-Q1", Kind: "job", Stage: "placed", Count: 3}))
	if few.Published() || len(few.Kind.Lines) != 0 || few.Kind.Note == "" || few.Kind.Total.Sent != nil {
		t.Errorf("of three people: %+v", few)
	}
	if none := Publish(counts()); none.Published() || none.Region.Note != "" || len(none.Region.Lines) != 0 {
		t.Errorf("of no one: %+v", none)
	}
}

func TestColumnsThatAreSmallInAllAreShownTogether(t *testing.T) {
	t.Parallel()
	c := counts(
		referred{Quarter: "2026-Q1", Kind: "job", Stage: "placed", Count: 8},
		referred{Quarter: "2026-Q1", Kind: "job", Stage: "lost", Count: 2},
		referred{Quarter: "2026-Q1", Kind: "job", Stage: "early", Count: 1},
		referred{Quarter: "2026-Q1", Kind: "job", Stage: "waiting", Count: 9},
	)
	c.Times = []onward.TimeCount{{From: "sent", To: "answered", Hours: 24, Count: 11}}
	f := Publish(c).Programme("kind")
	if len(f.Combined) != 3 || f.Combined[0] != "placed" || f.Combined[1] != "ended_early" || f.Combined[2] != "lost_to_follow_up" {
		t.Fatalf("combined %v: 2 and 1 alone are 3, and with the smallest other 11", f.Combined)
	}
	if f.Total.Placed != nil || f.Total.Lost != nil || *f.Total.Combined != 11 || *f.Total.Waiting != 9 || *f.Total.Refused != 0 || len(f.Times) != 0 {
		t.Errorf("%+v, times %v: what is shown of placed referrals is not ten", f.Total, f.Times)
	}
}

// TestAllTablesShowTheSameTotals: whatever one withholds, another must not tell.
func TestAllTablesShowTheSameTotals(t *testing.T) {
	t.Parallel()
	withheld := 0
	rapid.Check(t, func(t *rapid.T) {
		var list []referred
		for range rapid.IntRange(1, 25).Draw(t, "n") {
			list = append(list, referred{
				Quarter: rapid.SampledFrom([]string{"2026-Q1", "2026-Q2"}).Draw(t, "quarter"), Kind: rapid.SampledFrom([]string{"job", "training"}).Draw(t, "kind"),
				Region: rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "region"), Stage: rapid.SampledFrom(stages).Draw(t, "stage"), Count: rapid.IntRange(1, 12).Draw(t, "count"),
			})
		}
		f := Publish(counts(list...))
		if fmt.Sprint(f.Kind.Combined) != fmt.Sprint(f.Region.Combined) {
			t.Fatalf("combined %v and %v", f.Kind.Combined, f.Region.Combined)
		}
		kind, region := programmeCells(f.Kind.Total), programmeCells(f.Region.Total)
		for i := range kind {
			if (kind[i] == nil) != (region[i] == nil) || kind[i] != nil && *kind[i] != *region[i] {
				t.Fatalf("totals %+v and %+v", f.Kind.Total, f.Region.Total)
			}
			if kind[i] != nil && *kind[i] > 0 && *kind[i] < Least {
				t.Fatalf("a small total: %+v", f.Kind.Total)
			}
		}
		for _, l := range append(f.Kind.Lines, f.Region.Lines...) {
			withheld += l.Withheld
			for _, n := range programmeCells(l) {
				if n != nil && *n > 0 && *n < Least {
					t.Fatalf("a small count: %+v", l)
				}
			}
		}
	})
	if withheld == 0 {
		t.Error("nothing was withheld")
	}
}

func programmeCells(l onward.FunnelLine) []*int {
	return []*int{l.Sent, l.Waiting, l.Refused, l.Dropped, l.Placed, l.Lasting, l.MovedOn, l.Early, l.Other, l.Lost, l.Combined}
}

func TestCombinedColumnsLeaveEnoughPossible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SliceOfN(rapid.IntRange(0, 6), len(stages), len(stages)).Draw(t, "row")
		wider, combined, ok := combine([][]int{row}, len(stages))
		if !ok {
			return
		}
		for _, c := range combined {
			// Each of the others is 1 at least.
			if most := wider[0][len(stages)] - (len(combined) - 1); most < protection {
				t.Fatalf("%v: %d can only be 1 to %d", row, row[c], most)
			}
		}
		for c := range stages {
			if n := wider[0][c]; n > 0 && n < Least {
				t.Fatalf("%v: %d is shown", row, n)
			}
		}
	})
}

func TestRetentionCountsWhoIsLostAndWhoMovedOnBesideIt(t *testing.T) {
	t.Parallel()
	list := retention([]onward.SpanCount{
		{Kind: onward.Job, Days: 20, Ago: 400, How: "ended", Count: 200},
		{Kind: onward.Job, Days: 60, Ago: 400, How: "open", Count: 100}, // lost
		{Kind: onward.Job, Days: 80, Ago: 400, How: "moved_on", Count: 100},
		{Kind: onward.Job, Days: 400, Ago: 400, How: "open", Count: 600},
		{Kind: onward.Job, Days: 40, Ago: 40, How: "open", Count: 500}, // started lately
		{Kind: onward.Training, Days: 30, Ago: 400, How: "ended", Count: 3},
	}, rounder("a key"))
	if len(list) != 2 || list[0].Of != "" || list[1].Of != "job" {
		t.Fatalf("%+v: three trainings are too few", list)
	}
	job := list[1]
	if p := job.Points[0]; p.Day != 30 || math.Abs(p.Retained-1300.0/1500) > 5.0/1300 || p.Lost != 0 {
		t.Errorf("at 30 days: %+v", p)
	}
	if p := job.Points[1]; p.Day != 90 || math.Abs(p.Retained-1300.0/1500) > 5.0/600 || p.AtRisk < 590 || p.AtRisk > 610 || p.Lost != 0.1 || p.MovedOn != 0.1 {
		t.Errorf("at 90 days: %+v; whoever moved on is neither a failure nor a success here", p)
	}
	if len(job.Points) != 4 || job.Points[3].Low >= job.Points[3].Retained {
		t.Errorf("%+v", job.Points)
	}
}

// TestNoEndOfAPlacementCanBeReadOffTheCurve tries every number of ends that the published point could come from, with the number of people known.
func TestNoEndOfAPlacementCanBeReadOffTheCurve(t *testing.T) {
	t.Parallel()
	small := 0
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(25, 200).Draw(t, "people")
		ended := rapid.IntRange(0, people/3).Draw(t, "ended")
		censored := rapid.IntRange(0, people/3).Draw(t, "censored") // before anybody ended, which makes each end weigh most
		key := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "key")
		of := func(ended int) []onward.SpanCount {
			return []onward.SpanCount{
				{Kind: onward.Job, Days: 5, Ago: 500, How: "open", Count: censored},
				{Kind: onward.Job, Days: 10, Ago: 500, How: "ended", Count: ended},
				{Kind: onward.Job, Days: 400, Ago: 500, How: "open", Count: people - censored - ended},
			}
		}
		f, ok := retentionOf("job", of(ended), key)
		if !ok {
			return
		}
		p := f.Points[0]
		// Who attacks knows how many there are, and not the key: every draw is possible.
		possible := 0
		for guess := 0; guess <= people-censored; guess++ {
			spans := spansOf([]int{-5, 10, -400})
			spans[0].Censored, spans[1].Ended, spans[2].Censored = censored, guess, people-censored-guess
			g, _ := At(Curve(spans), spans, 30)
			if g.Retained <= 0 {
				continue
			}
			for followed := Least; followed < 300; followed += Least { // what is shown is made of it
				step := float64(Least) / float64(followed)
				if math.Abs(float64(g.AtRisk)/g.Retained-float64(followed)) < Least && math.Abs(g.Retained-p.Retained) < step+0.0005 &&
					int(float64(followed)*p.Retained/Least+0.05)*Least == p.AtRisk {
					possible++
					break
				}
			}
		}
		if possible < protection {
			t.Fatalf("%d of %d ended, and from %+v only %d numbers are possible", ended, people, p, possible)
		}
		if ended > 0 && ended < Least {
			small++
		}
	})
	if small == 0 {
		t.Error("no small number was tried")
	}
}

func TestRoundingIsRightOnAverageAndTheSameEachTime(t *testing.T) {
	t.Parallel()
	sum, n := 0, 4000
	for i := range n {
		r := rounder(fmt.Sprint("key ", i))
		v := r.count(7, "people")
		if v != 5 && v != 10 || v != r.count(7, "people") {
			t.Fatal("7 became", v)
		}
		sum += v
	}
	if mean := float64(sum) / float64(n); math.Abs(mean-7) > 0.2 {
		t.Errorf("7 is %v on average", mean)
	}
	if v := rounder("key").count(15, "people"); v != 15 {
		t.Error("15 became", v)
	}
}
