package benchrank

import (
	"fmt"
	"io"
	"math"
)

// Growth is runs of several sizes, in the order given.
type Growth []RankResult

// NewGrowth says of each run but the first how the middle time grew since the one before.
func NewGrowth(runs []RankResult) Growth {
	for i := 1; i < len(runs); i++ {
		r, before := &runs[i], runs[i-1]
		r.GrowsBy = math.Log(r.Memory.P50/before.Memory.P50) / math.Log(float64(r.Opportunities)/float64(before.Opportunities))
	}
	return runs
}

// Print writes each run.
func (g Growth) Print(w io.Writer) {
	for _, r := range g {
		r.Print(w)
		if r.GrowsBy != 0 {
			_, _ = fmt.Fprintf(w, "  since the run before the middle time grew as openings to the power of %.2f (1 would be linear)\n", r.GrowsBy)
		}
	}
}

// Print writes the figures for a person.
func (r RankResult) Print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%d openings built in %.1f s, %.0f bytes each. %d people, %.0f skills and %.0f places each:\n", r.Opportunities, r.BuildSeconds, r.BytesEach, r.Queries, r.Skills, r.Places)
	_, _ = fmt.Fprintf(w, "  in process            p50 %.3f ms, p99 %.3f ms, longest %.3f ms; %d checked against scoring every opening\n", r.Memory.P50, r.Memory.P99, r.Memory.Longest, r.Checked)
	_, _ = fmt.Fprintf(w, "  while openings change p50 %.3f ms, p99 %.3f ms, longest %.3f ms; %.0f changes/s, 100 at once in %.1f ms at most\n",
		r.DuringUpdates.P50, r.DuringUpdates.P99, r.DuringUpdates.Longest, r.UpdatesEach, r.LongestUpdate)
	if r.Elastic != (Figures{}) {
		_, _ = fmt.Fprintf(w, "  Elasticsearch         p50 %.1f ms, p99 %.1f ms; %.4f of the top 20 agree, %.0f times slower\n", r.Elastic.P50, r.Elastic.P99, r.ElasticAgrees, r.ElasticFasterBy)
	}
	if r.SQL != (Figures{}) {
		_, _ = fmt.Fprintf(w, "  one SQL statement     p50 %.1f ms, p99 %.1f ms; %.4f of the top 20 agree, %.0f times slower\n", r.SQL.P50, r.SQL.P99, r.SQLAgrees, r.SQLFasterBy)
	}
}

// Print writes the figures for a person.
func (r BatchResult) Print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%d people x %d openings, top 20 each: %.1f s on %d processors; %d checked against scoring every opening\n",
		r.Returnees, r.Opportunities, r.Seconds, r.Processors, r.Checked)
}
