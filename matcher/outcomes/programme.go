package outcomes

import (
	"cmp"
	"slices"

	"onward"
)

const (
	// leastTimes is of how many referrals times are shown: quartiles of fewer are about single people.
	leastTimes = 10
	// leastCurve is of how many placements a curve is shown.
	leastCurve = 10
	// others stands for the lines that are too small to be shown.
	others = "other"
)

// stages are the columns of the funnel, in the order of onward.FunnelLine.
var stages = []string{"waiting", "refused", "dropped", "placed", "lasting", "moved_on", "early", "other", "lost"}

// Programme sums up counts of referrals. Lines that are too small are added up as "other", then small counts are withheld; when
// that does not protect them, nothing but the whole is shown.
func Programme(by string, funnel []onward.FunnelCount, times []onward.TimeCount) onward.ProgrammeFigures {
	f := onward.ProgrammeFigures{By: by, Lines: []onward.FunnelLine{}, Times: timesOf(times)}
	keys, table := tableOf(by, funnel)
	keys, table = addUp(keys, table)
	mask, ok := Withheld(table)
	if len(table) == 0 {
		return f
	}
	if !ok {
		f.Note = "too few referrals to show anything of them"
		return f
	}
	last := len(stages)
	for r, key := range keys {
		f.Lines = append(f.Lines, line(key.quarter, key.of, append(slices.Clone(table[r]), sum(table[r])), mask[r]))
	}
	totals := make([]int, last+1)
	for _, row := range table {
		for c, n := range row {
			totals[c] += n
			totals[last] += n
		}
	}
	f.Total = line("", "", totals, mask[len(table)])
	return f
}

type lineKey struct{ quarter, of string }

// tableOf is a line for each quarter and kind, or for each region: regions are not split by quarter, since both tables together
// would tell what each withholds.
func tableOf(by string, funnel []onward.FunnelCount) (keys []lineKey, table [][]int) {
	for _, c := range funnel {
		key := lineKey{c.Quarter, c.Of}
		if by == "region" {
			key.quarter = ""
		}
		r := slices.Index(keys, key)
		if r < 0 {
			r = len(keys)
			keys, table = append(keys, key), append(table, make([]int, len(stages)))
		}
		if s := slices.Index(stages, c.Stage); s >= 0 {
			table[r][s] += c.Count
		}
	}
	return keys, table
}

// addUp makes one line of all that have too few referrals, and of the smallest others until it has enough.
func addUp(keys []lineKey, table [][]int) ([]lineKey, [][]int) {
	rest := make([]int, len(stages))
	for {
		smallest := -1
		for r, row := range table {
			if smallest < 0 || sum(row) < sum(table[smallest]) {
				smallest = r
			}
		}
		if smallest < 0 || sum(table[smallest]) >= Least && (sum(rest) == 0 || sum(rest) >= Least) {
			break
		}
		for c, n := range table[smallest] {
			rest[c] += n
		}
		keys, table = slices.Delete(keys, smallest, smallest+1), slices.Delete(table, smallest, smallest+1)
	}
	if sum(rest) > 0 {
		keys, table = append(keys, lineKey{"", others}), append(table, rest)
	}
	return keys, table
}

func sum(row []int) (n int) {
	for _, v := range row {
		n += v
	}
	return n
}

// line shows the counts of a line that are not withheld; the last is the total.
func line(quarter, of string, counts []int, mask []bool) onward.FunnelLine {
	l := onward.FunnelLine{Quarter: quarter, Of: of}
	for c, into := range []**int{&l.Waiting, &l.Refused, &l.Dropped, &l.Placed, &l.Lasting, &l.MovedOn, &l.Early, &l.Other, &l.Lost, &l.Sent} {
		if mask[c] {
			l.Withheld++
			continue
		}
		n := counts[c]
		*into = &n
	}
	return l
}

// timesOf are the quartiles of the hours between states, in days.
func timesOf(counts []onward.TimeCount) []onward.TransitionDay {
	list := []onward.TransitionDay{}
	for i := 0; i < len(counts); {
		k := i
		people := 0
		for ; k < len(counts) && counts[k].From == counts[i].From && counts[k].To == counts[i].To; k++ {
			people += counts[k].Count
		}
		if people >= leastTimes {
			quantile := func(share float64) float64 {
				seen := 0
				for _, c := range counts[i:k] {
					if seen += c.Count; float64(seen) >= share*float64(people) {
						return float64(c.Hours) / 24
					}
				}
				return 0
			}
			list = append(list, onward.TransitionDay{From: counts[i].From, To: counts[i].To, People: people, Lower: quantile(0.25), Median: quantile(0.5), Upper: quantile(0.75)})
		}
		i = k
	}
	return list
}

// Retention is how long placements last: of all, then of each kind that has enough.
func Retention(counts []onward.SpanCount) []onward.RetentionFigures {
	groups := map[onward.Kind][]onward.SpanCount{"": counts}
	for _, c := range counts {
		groups[c.Kind] = append(groups[c.Kind], c)
	}
	list := []onward.RetentionFigures{}
	for kind, group := range groups {
		if f, ok := retentionOf(string(kind), group); ok {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b onward.RetentionFigures) int { return cmp.Compare(a.Of, b.Of) })
	return list
}

func retentionOf(of string, counts []onward.SpanCount) (f onward.RetentionFigures, ok bool) {
	f = onward.RetentionFigures{Of: of, Points: []onward.RetentionPoint{}}
	spans := make([]Span, 0, len(counts))
	for _, c := range counts {
		f.People += c.Count
		s := Span{Days: c.Days, Censored: c.Count}
		if c.How == "ended" {
			s.Ended, s.Censored = c.Count, 0
		}
		spans = append(spans, s)
	}
	if f.People < leastCurve {
		return f, false
	}
	curve := Curve(spans)
	for _, day := range []int{30, 90, 180, 365} {
		p, known := At(curve, spans, day)
		if !known || p.AtRisk < leastCurve {
			continue // a curve that hangs on a handful says more about them than about placements
		}
		started, lost, moved := 0, 0, 0
		for _, c := range counts {
			if c.Ago < day {
				continue
			}
			started += c.Count
			switch {
			case c.Days >= day:
			case c.How == "open":
				lost += c.Count
			case c.How == "moved_on":
				moved += c.Count
			}
		}
		point := onward.RetentionPoint{Day: day, AtRisk: p.AtRisk, Retained: p.Retained, Low: p.Low, High: p.High}
		if started > 0 {
			point.Lost, point.MovedOn = float64(lost)/float64(started), float64(moved)/float64(started)
		}
		f.Points = append(f.Points, point)
	}
	return f, true
}
