package outcomes

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"onward"
)

const (
	// leastTimes is of how many placed referrals times are shown: quartiles of fewer are about single people.
	leastTimes = 10
	// leastCurve is of how many placements a curve is shown, and how many have to be followed until a day for a point.
	leastCurve = 20
	// others stands for the lines that are too small to be shown.
	others = "other"
)

// stages are the columns of the funnel, in the order of onward.FunnelLine.
var stages = []string{"waiting", "refused", "dropped", "placed", "lasting", "moved_on", "early", "other", "lost"}

// placedStages are the stages of those who were placed.
var placedStages = []string{"placed", "lasting", "moved_on", "early", "other", "lost"}

// fieldOf is the name of a stage in onward.FunnelLine.
var fieldOf = map[string]string{"early": "ended_early", "other": "ended_other", "lost": "lost_to_follow_up"}

// Publish makes the figures of an agency from its counts, such that no count from 1 to 4 can be worked out from all of them together:
//
//   - The totals of the columns are the same in all tables and always shown: those too small are shown combined. Of what tables withhold,
//     no table then says more than another, since any two tables with the same totals can belong together.
//   - Within a table, small counts are withheld and protected by others (Withheld).
//   - Times are shown without how many they are of, and when the shown totals already say that there are enough.
//   - Retention is made of numbers that were rounded at random to steps of five people.
func Publish(c onward.FigureCounts) onward.Figures {
	return onward.Figures{
		Month: c.At.Format("2006-01"), CountedAt: c.At,
		Kind:      programme("kind", c.Kinds, c),
		Region:    programme("region", c.Regions, c),
		Retention: retention(c.Spans, rounder(c.Key)),
		Parity:    parity(c),
	}
}

// programme sums up counts of referrals. Lines that are too small are added up as "other", then small counts are withheld; when
// that does not protect them, only the totals are shown.
func programme(by string, funnel []onward.FunnelCount, c onward.FigureCounts) onward.ProgrammeFigures {
	f := onward.ProgrammeFigures{By: by, CountedAt: c.At, Lines: []onward.FunnelLine{}, Times: []onward.TransitionDay{}}
	keys, table := tableOf(funnel)
	if len(table) == 0 {
		return f
	}
	keys, table = addUp(keys, table)
	table, combined, ok := combine(table, len(stages))
	if !ok {
		f.Note = "too few referrals to show anything of them"
		return f
	}
	for _, s := range combined {
		name := stages[s]
		if field := fieldOf[name]; field != "" {
			name = field
		}
		f.Combined = append(f.Combined, name)
	}
	mask, ok := Withheld(table)
	if !ok {
		f.Note = "too few referrals to show more than the whole"
	} else {
		for r, key := range keys {
			f.Lines = append(f.Lines, line(key.quarter, key.of, append(slices.Clone(table[r]), sum(table[r])), mask[r], combined))
		}
	}
	totals := make([]int, len(stages)+2)
	for _, row := range table {
		for c, n := range row {
			totals[c] += n
			totals[len(totals)-1] += n
		}
	}
	f.Total = line("", "", totals, make([]bool, len(totals)), combined)
	placed := 0
	for s, name := range stages {
		if slices.Contains(placedStages, name) {
			placed += totals[s]
		}
	}
	if placed >= leastTimes {
		f.Times = timesOf(c.Times)
	}
	return f
}

type lineKey struct{ quarter, of string }

// tableOf is a line for each quarter and kind, or for each region. Regions are not split by quarter: they would mostly be withheld.
func tableOf(funnel []onward.FunnelCount) (keys []lineKey, table [][]int) {
	at := map[lineKey]int{}
	for _, c := range funnel {
		key := lineKey{c.Quarter, c.Of}
		r, ok := at[key]
		if !ok {
			r = len(keys)
			at[key] = r
			keys, table = append(keys, key), append(table, make([]int, len(stages)))
		}
		if s := slices.Index(stages, c.Stage); s >= 0 {
			table[r][s] += c.Count
		}
	}
	return sortLines(keys, table)
}

// sortLines puts lines in the order of quarters, then of what they are of.
func sortLines(keys []lineKey, table [][]int) ([]lineKey, [][]int) {
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(keys[a].quarter, keys[b].quarter), cmp.Compare(keys[a].of, keys[b].of))
	})
	sortedKeys, sorted := make([]lineKey, len(keys)), make([][]int, len(keys))
	for i, from := range order {
		sortedKeys[i], sorted[i] = keys[from], table[from]
	}
	return sortedKeys, sorted
}

// combine adds a column for the stages whose totals are too small to be shown, and empties theirs. The smallest others are added to them
// until what is shown leaves protection values possible for each. It hangs on the totals alone, so that it is the same for all tables. ok
// is false when there are too few people in all.
func combine(table [][]int, columns int) (wider [][]int, combined []int, ok bool) {
	totals := make([]int, columns)
	for _, row := range table {
		for c, n := range row {
			totals[c] += n
		}
	}
	together := 0
	add := func(c int) { combined, together = append(combined, c), together+totals[c] }
	for c, n := range totals {
		if n > 0 && n < Least {
			add(c)
		}
	}
	for len(combined) > 0 && together < max(Least, len(combined)+protection-1) {
		smallest := -1
		for c, n := range totals {
			if n > 0 && !slices.Contains(combined, c) && (smallest < 0 || n < totals[smallest]) {
				smallest = c
			}
		}
		if smallest < 0 {
			return nil, nil, false
		}
		add(smallest)
	}
	slices.Sort(combined)
	for _, row := range table {
		row = append(slices.Clone(row), 0)
		for _, c := range combined {
			row[columns] += row[c]
			row[c] = 0
		}
		wider = append(wider, row)
	}
	return wider, combined, true
}

// addUp makes one line of all that have too few referrals, and of the smallest others until it has enough.
func addUp(keys []lineKey, table [][]int) ([]lineKey, [][]int) {
	var rest []int
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
		if rest == nil {
			rest = make([]int, len(table[smallest]))
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

// line shows the counts of a line that are not withheld: the stages, what is combined of them, and the total.
func line(quarter, of string, counts []int, mask []bool, combined []int) onward.FunnelLine {
	l := onward.FunnelLine{Quarter: quarter, Of: of}
	for c, into := range []**int{&l.Waiting, &l.Refused, &l.Dropped, &l.Placed, &l.Lasting, &l.MovedOn, &l.Early, &l.Other, &l.Lost, &l.Combined, &l.Sent} {
		switch {
		case slices.Contains(combined, c), c == len(stages) && len(combined) == 0: // shown elsewhere, or nothing to show
		case mask[c]:
			l.Withheld++
		default:
			*into = &counts[c]
		}
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
		quantile := func(share float64) float64 {
			seen := 0
			for _, c := range counts[i:k] {
				if seen += c.Count; float64(seen) >= share*float64(people) {
					return math.Round(10*float64(c.Hours)/24) / 10
				}
			}
			return 0
		}
		list = append(list, onward.TransitionDay{From: counts[i].From, To: counts[i].To, Lower: quantile(0.25), Median: quantile(0.5), Upper: quantile(0.75)})
		i = k
	}
	return list
}

// retention is how long placements last: of all, then of each kind that has enough.
func retention(counts []onward.SpanCount, round rounder) []onward.RetentionFigures {
	groups := map[onward.Kind][]onward.SpanCount{"": counts}
	for _, c := range counts {
		groups[c.Kind] = append(groups[c.Kind], c)
	}
	list := []onward.RetentionFigures{}
	for kind, group := range groups {
		if f, ok := retentionOf(string(kind), group, round); ok {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b onward.RetentionFigures) int { return cmp.Compare(a.Of, b.Of) })
	return list
}

// retentionOf is the curve of one group. Whatever is shown is worked out from numbers that were rounded first: how many there are, how
// many were followed until a day, and the estimate itself, to a step that is worth five people at least. The number at risk follows from them.
func retentionOf(of string, counts []onward.SpanCount, round rounder) (f onward.RetentionFigures, ok bool) {
	people := 0
	spans := make([]Span, 0, len(counts))
	for _, c := range counts {
		people += c.Count
		s := Span{Days: c.Days, Censored: c.Count}
		if c.How == "ended" {
			s.Ended, s.Censored = c.Count, 0
		}
		spans = append(spans, s)
	}
	f = onward.RetentionFigures{Of: of, People: round.count(people, of), Points: []onward.RetentionPoint{}}
	if f.People < leastCurve {
		return f, false
	}
	curve := Curve(spans)
	last := 1.0
	for _, day := range []int{30, 90, 180, 365} {
		p, _ := At(curve, spans, day)
		name := fmt.Sprintf("%s %d ", of, day)
		if p.Retained <= 0 {
			break
		}
		// How many would have been followed until then if no one had ended: on that day each end weighs as much as one of these, and at most
		// that before. From it and the estimate comes how many were at risk, so that the ends are in one rounded number and not in two.
		followed := round.count(int(math.Round(float64(p.AtRisk)/p.Retained)), name+"followed")
		if followed < leastCurve {
			break
		}
		step := float64(Least) / float64(followed)
		retained := min(last, round.of(p.Retained, step, name+"retained"))
		last = retained
		atRisk := int(float64(followed)*retained/Least+1e-9) * Least
		if atRisk < leastCurve {
			break // a curve that hangs on a handful says more about them than about placements
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
		point := onward.RetentionPoint{Day: day, AtRisk: atRisk, Retained: thousandths(retained)}
		low, high := band(retained, atRisk, step)
		point.Low, point.High = thousandths(low), thousandths(high)
		if all := round.count(started, name+"started"); all >= leastCurve {
			point.Lost = thousandths(min(1, float64(round.count(lost, name+"lost"))/float64(all)))
			point.MovedOn = thousandths(min(1, float64(round.count(moved, name+"moved"))/float64(all)))
		}
		f.Points = append(f.Points, point)
	}
	return f, len(f.Points) > 0
}

func thousandths(v float64) float64 { return math.Round(1000*v) / 1000 }
