package outcomes

import (
	"math"
	"testing"

	"onward"
)

func TestAProgrammeByHand(t *testing.T) {
	t.Parallel()
	f := Programme("kind", []onward.FunnelCount{
		{Quarter: "2026-Q1", Of: "job", Stage: "placed", Count: 40},
		{Quarter: "2026-Q1", Of: "job", Stage: "lost", Count: 20},
		{Quarter: "2026-Q1", Of: "job", Stage: "refused", Count: 3},
		{Quarter: "2026-Q1", Of: "training", Stage: "placed", Count: 30},
		{Quarter: "2026-Q1", Of: "training", Stage: "refused", Count: 25},
		{Quarter: "2026-Q1", Of: "training", Stage: "lost", Count: 11},
		{Quarter: "2026-Q2", Of: "job", Stage: "placed", Count: 2},
		{Quarter: "2026-Q2", Of: "cooperative", Stage: "placed", Count: 4},
	}, []onward.TimeCount{{From: "sent", To: "answered", Hours: 24, Count: 30}, {From: "sent", To: "answered", Hours: 72, Count: 70}, {From: "answered", To: "placed", Hours: 5, Count: 9}})
	if len(f.Lines) != 3 || f.Lines[2].Of != "other" || *f.Lines[2].Sent != 6 {
		t.Fatalf("%+v", f.Lines)
	}
	for _, l := range f.Lines {
		if l.Refused != nil && *l.Refused > 0 && *l.Refused < Least {
			t.Errorf("a small count is shown: %+v", l)
		}
	}
	if f.Lines[0].Refused != nil || f.Lines[0].Withheld < 2 || f.Total.Sent == nil || *f.Total.Sent != 135 {
		t.Errorf("the 3 can be worked out: %+v, total %+v", f.Lines[0], f.Total)
	}
	if len(f.Times) != 1 || f.Times[0].Median != 3 || f.Times[0].Lower != 1 || f.Times[0].People != 100 {
		t.Errorf("times %+v", f.Times)
	}
	if few := Programme("kind", []onward.FunnelCount{{Quarter: "2026-Q1", Of: "job", Stage: "placed", Count: 3}}, nil); len(few.Lines) != 0 || few.Note == "" || few.Total.Sent != nil {
		t.Errorf("of three people: %+v", few)
	}
	if none := Programme("region", nil, nil); none.Note != "" || len(none.Lines) != 0 {
		t.Errorf("of no one: %+v", none)
	}
}

func TestRetentionCountsWhoIsLostAndWhoMovedOnBesideIt(t *testing.T) {
	t.Parallel()
	list := Retention([]onward.SpanCount{
		{Kind: onward.Job, Days: 20, Ago: 400, How: "ended", Count: 20},
		{Kind: onward.Job, Days: 60, Ago: 400, How: "open", Count: 10}, // lost
		{Kind: onward.Job, Days: 80, Ago: 400, How: "moved_on", Count: 10},
		{Kind: onward.Job, Days: 400, Ago: 400, How: "open", Count: 60},
		{Kind: onward.Job, Days: 40, Ago: 40, How: "open", Count: 50}, // started lately
		{Kind: onward.Training, Days: 30, Ago: 400, How: "ended", Count: 3},
	})
	if len(list) != 2 || list[0].Of != "" || list[1].Of != "job" {
		t.Fatalf("%+v: three trainings are too few", list)
	}
	job := list[1]
	if p := job.Points[0]; p.Day != 30 || math.Abs(p.Retained-130.0/150) > 1e-12 || p.Lost != 0 {
		t.Errorf("at 30 days: %+v", p)
	}
	if p := job.Points[1]; p.Day != 90 || math.Abs(p.Retained-130.0/150) > 1e-12 || p.AtRisk != 60 || p.Lost != 0.1 || p.MovedOn != 0.1 {
		t.Errorf("at 90 days: %+v; whoever moved on is neither a failure nor a success here", p)
	}
	if len(job.Points) != 4 || job.Points[3].Low >= job.Points[3].Retained {
		t.Errorf("%+v", job.Points)
	}
}
