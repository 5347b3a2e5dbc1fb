package outcomes

import (
	"cmp"
	"math"
	"slices"

	"onward"
)

// parityStages are the columns of parity tables, in the order of onward.ParityLine: each person is in one.
var parityStages = []string{"not_referred", "waiting", "refused", "dropped", "kept", "early", "unknown"}

// parityField is the name of a stage in onward.ParityLine.
var parityField = map[string]string{"early": "ended_early"}

const (
	// bandedFrom is from how many people on tables have a line for each group and band of scores: below, too much would be withheld (of 6,000
	// people a band of one group in six). It hangs on a total that is shown anyway.
	bandedFrom = 10_000
	// fourFifths is the ratio of the four-fifths rule (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D).
	fourFifths = 0.8
	// parityError is how often an attribute may raise an alarm where there is nothing, for one measure.
	parityError = 0.05
)

// bands are the bands of the best score of a list: below .2, to below .4, and above.
var bands = []string{"below 0.2", "0.2 to 0.4", "0.4 and over"}

func bandOf(bin int) string { return bands[min(bin/20, 2)] }

// parity makes the tables of all attributes. Every person with a list is in each of them once, so that their columns have the same totals, which are always
// shown: any two tables then can belong together, and protecting each alone is enough (as in Publish). The figures of referrals know no groups.
// Shares and intervals are worked out from what the tables show; where scores are a dimension of the table, nothing else is said of scores.
func parity(c onward.FigureCounts) onward.ParityFigures {
	f := onward.ParityFigures{CountedAt: c.At, Attributes: []onward.ParityTable{}, Floors: floorCosts(c.Floor, c.Key)}
	for _, attribute := range attributesOf(c.Parity) {
		var counts []onward.ParityCount
		for _, p := range c.Parity {
			if p.Attribute == attribute {
				if p.Group == others { // who said so; others stands for groups that are too small
					p.Group = "another"
				}
				counts = append(counts, p)
			}
		}
		t := newParityTable(attribute, counts)
		if t == nil {
			f.Note = "too few people to show anything of them"
			f.Floors = []onward.FloorCost{}
			return f
		}
		f.Total = parityLine(lineKey{}, t.totals, make([]bool, len(t.totals)), t.combined)
		f.Combined = nil
		for _, s := range t.combined {
			f.Combined = append(f.Combined, cmp.Or(parityField[parityStages[s]], parityStages[s]))
		}
		f.Attributes = append(f.Attributes, t.published(counts))
	}
	return f
}

// parityTable is one attribute with what of it is shown.
type parityTable struct {
	attribute string
	banded    bool
	keys      []lineKey // the band in quarter, the group in of
	table     [][]int
	mask      [][]bool
	combined  []int
	totals    []int // of the columns, and of all
	ok        bool  // lines are shown
}

// newParityTable is nil when there are too few people to show even the totals.
func newParityTable(attribute string, counts []onward.ParityCount) *parityTable {
	t := &parityTable{attribute: attribute}
	people := 0
	for _, c := range counts {
		people += c.People
	}
	t.banded = people >= bandedFrom
	at := map[lineKey]int{}
	for _, c := range counts {
		key := lineKey{of: c.Group}
		if t.banded {
			key.quarter = bandOf(c.Bin)
		}
		r, ok := at[key]
		if !ok {
			r = len(t.keys)
			at[key] = r
			t.keys, t.table = append(t.keys, key), append(t.table, make([]int, len(parityStages)))
		}
		if s := slices.Index(parityStages, c.Stage); s >= 0 {
			t.table[r][s] += c.People
		}
	}
	t.keys, t.table = sortLines(t.keys, t.table)
	t.keys, t.table = addUp(t.keys, t.table)
	var ok bool
	if t.table, t.combined, ok = combine(t.table, len(parityStages)); !ok || people == 0 {
		return nil
	}
	t.totals = make([]int, len(parityStages)+2)
	for _, row := range t.table {
		for c, n := range row {
			t.totals[c] += n
			t.totals[len(t.totals)-1] += n
		}
	}
	t.mask, t.ok = Withheld(t.table)
	return t
}

func (t *parityTable) published(counts []onward.ParityCount) onward.ParityTable {
	p := onward.ParityTable{Attribute: t.attribute, Banded: t.banded, Lines: []onward.ParityLine{}, Groups: []onward.ParityGroup{}}
	if !t.ok {
		p.Note = "too few people to show more than the whole"
		return p
	}
	for r, key := range t.keys {
		p.Lines = append(p.Lines, parityLine(key, append(slices.Clone(t.table[r]), sum(t.table[r])), t.mask[r], t.combined))
	}
	var groups []string
	for _, key := range t.keys {
		if !slices.Contains(groups, key.of) {
			groups = append(groups, key.of)
		}
	}
	for _, g := range groups {
		if group, ok := t.group(g, len(groups), counts); ok {
			p.Groups = append(p.Groups, group)
		}
	}
	compareToBest(p.Groups)
	return p
}

func parityLine(key lineKey, counts []int, mask []bool, combined []int) onward.ParityLine {
	l := onward.ParityLine{Group: key.of, Band: key.quarter}
	for c, into := range []**int{&l.NotReferred, &l.Waiting, &l.Refused, &l.Dropped, &l.Kept, &l.Early, &l.Unknown, &l.Combined, &l.People} {
		switch {
		case slices.Contains(combined, c), c == len(parityStages) && len(combined) == 0: // shown elsewhere, or nothing to show
		case mask[c]:
			l.Withheld++
		default:
			*into = &counts[c]
		}
	}
	return l
}

// measures are shares of people: of the stages in of, those in in.
var measures = []struct {
	name   string
	in, of []string
}{
	{"referred", []string{"waiting", "refused", "dropped", "kept", "early", "unknown"}, parityStages},
	{"placed", []string{"kept", "early", "unknown"}, parityStages},
	{"placed_of_referred", []string{"kept", "early", "unknown"}, []string{"waiting", "refused", "dropped", "kept", "early", "unknown"}},
	{"kept", []string{"kept"}, []string{"kept", "early", "unknown"}},
}

// shown adds up the cells of stages in some lines as a reader of the table can: from the cells, or else from the totals of the lines less the other cells.
// Combined columns count when all of them belong to the stages, or none.
func (t *parityTable) shown(lines []int, of []string) (n int, ok bool) {
	inside := func(c int) (in, known bool) {
		if c < len(parityStages) {
			return slices.Contains(of, parityStages[c]), true
		}
		if len(t.combined) == 0 {
			return false, true
		}
		in = slices.Contains(of, parityStages[t.combined[0]])
		for _, s := range t.combined {
			if slices.Contains(of, parityStages[s]) != in {
				return false, false
			}
		}
		return in, true
	}
	for _, r := range lines {
		direct, rest := 0, 0
		direct2, rest2 := true, !t.mask[r][len(parityStages)+1]
		for c := range t.table[r] {
			in, known := inside(c)
			if !known {
				return 0, false
			}
			switch {
			case in && t.mask[r][c]:
				direct2 = false
			case in:
				direct += t.table[r][c]
			case t.mask[r][c]:
				rest2 = false
			default:
				rest += t.table[r][c]
			}
		}
		switch {
		case direct2:
			n += direct
		case rest2:
			n += sum(t.table[r]) - rest
		default:
			return 0, false
		}
	}
	return n, true
}

// share is a share of people.
type share struct{ in, of int }

func (s share) value() float64 { return float64(s.in) / float64(s.of) }

// measure is the share of a group and that of all others; ok is false where it isn't shown, or of too few.
func (t *parityTable) measure(lines []int, in, of []string) (group, others share, ok bool) {
	all := make([]int, len(t.keys))
	for i := range all {
		all[i] = i
	}
	whole := &parityTable{table: [][]int{t.totals[:len(t.totals)-1]}, mask: [][]bool{make([]bool, len(t.totals))}, combined: t.combined}
	var known [4]bool
	group.in, known[0] = t.shown(lines, in)
	group.of, known[1] = t.shown(lines, of)
	var total share
	total.in, known[2] = whole.shown([]int{0}, in)
	total.of, known[3] = whole.shown([]int{0}, of)
	others = share{total.in - group.in, total.of - group.of}
	return group, others, !slices.Contains(known[:], false) && group.of >= leastCurve && others.of >= leastCurve
}

func (t *parityTable) group(name string, groups int, counts []onward.ParityCount) (g onward.ParityGroup, ok bool) {
	var lines []int
	for r, key := range t.keys {
		if key.of == name {
			lines = append(lines, r)
		}
	}
	people, ok := t.shown(lines, parityStages)
	if !ok || people < leastCurve {
		return g, false
	}
	g = onward.ParityGroup{Group: name, People: people, Measures: []onward.ParityMeasure{}}
	// Two groups beside each other are one comparison.
	comparisons := groups
	if groups == 2 {
		comparisons = 1
	}
	z := quantile(1 - parityError/2/float64(comparisons))
	for _, m := range measures {
		if a, b, ok := t.measure(lines, m.in, m.of); ok {
			low, high := wilson(a, normal95)
			d := a.value() - b.value()
			dLow, dHigh := newcombe(a, b, z)
			g.Measures = append(g.Measures, onward.ParityMeasure{
				Measure: m.name, Share: thousandths(a.value()), Low: thousandths(low), High: thousandths(high), Others: thousandths(b.value()), Difference: thousandths(d),
				DifferenceLow: thousandths(dLow), DifferenceHigh: thousandths(dHigh), Alarm: dHigh < 0,
			})
		}
	}
	if t.banded {
		for _, r := range lines {
			if n, ok := t.shown([]int{r}, parityStages); ok {
				g.Bands = append(g.Bands, onward.BandShare{Band: t.keys[r].quarter, Share: thousandths(float64(n) / float64(people))})
			}
		}
		if m, ok := t.givenScore(name, z); ok {
			g.Measures = append(g.Measures, m)
		}
		return g, true
	}
	g.Best, g.ListValue = spreadOf(name, counts, people)
	return g, true
}

// givenScore is the share placed of a group and of all others, each band of scores weighing as it does among everybody: what is left of a difference when
// the groups' scores were alike.
func (t *parityTable) givenScore(name string, z float64) (m onward.ParityMeasure, ok bool) {
	placed := measures[1].in
	everybody, used := 0, 0
	type stratum struct {
		weight        int
		group, others share
	}
	var strata []stratum
	for _, band := range bands {
		var lines, rest []int
		for r, key := range t.keys {
			switch {
			case key.quarter != band:
			case key.of == name:
				lines = append(lines, r)
			default:
				rest = append(rest, r)
			}
		}
		var s stratum
		var known [4]bool
		s.group.in, known[0] = t.shown(lines, placed)
		s.group.of, known[1] = t.shown(lines, parityStages)
		s.others.in, known[2] = t.shown(rest, placed)
		s.others.of, known[3] = t.shown(rest, parityStages)
		s.weight = s.group.of + s.others.of
		if slices.Contains(known[:], false) {
			continue
		}
		everybody += s.weight
		if s.group.of < leastCurve || s.others.of < leastCurve {
			continue
		}
		used += s.weight
		strata = append(strata, s)
	}
	if len(strata) == 0 || 2*used < everybody {
		return m, false
	}
	var a, b, va, vb float64
	for _, s := range strata {
		w := float64(s.weight) / float64(used)
		a, b = a+w*s.group.value(), b+w*s.others.value()
		// With one more of each, so that a band in which nobody was placed is not certain.
		variance := func(s share) float64 {
			p := (float64(s.in) + 1) / (float64(s.of) + 2)
			return p * (1 - p) / float64(s.of)
		}
		va, vb = va+w*w*variance(s.group), vb+w*w*variance(s.others)
	}
	d, half := a-b, z*math.Sqrt(va+vb)
	return onward.ParityMeasure{
		Measure: "placed_given_score", Share: thousandths(a), Low: thousandths(max(0, a-normal95*math.Sqrt(va))), High: thousandths(min(1, a+normal95*math.Sqrt(va))), Others: thousandths(b),
		Difference: thousandths(d), DifferenceLow: thousandths(d - half), DifferenceHigh: thousandths(d + half), Alarm: d+half < 0,
	}, true
}

// compareToBest adds the ratio to the group with the highest share of each measure.
func compareToBest(groups []onward.ParityGroup) {
	best := map[string]float64{}
	for _, g := range groups {
		for _, m := range g.Measures {
			best[m.Measure] = max(best[m.Measure], m.Share)
		}
	}
	for _, g := range groups {
		for i := range g.Measures {
			if m := &g.Measures[i]; best[m.Measure] > 0 {
				m.Ratio = thousandths(m.Share / best[m.Measure])
				m.BelowFourFifth = m.Ratio < fourFifths
			}
		}
	}
}

// spreadOf is how the best scores of a group are spread, and the mean value of its lists, both to the hundredth.
func spreadOf(name string, counts []onward.ParityCount, people int) (*onward.ScoreSpread, *float64) {
	var bins [100]int
	n, value, mean, squares := 0, 0.0, 0.0, 0.0
	for _, c := range counts {
		if c.Group == name {
			bins[min(c.Bin, 99)] += c.People
			n += c.People
			value += c.Value
		}
	}
	if n != people { // other groups were added to it
		return nil, nil
	}
	for bin, k := range bins {
		x := (float64(bin) + 0.5) / 100
		mean, squares = mean+x*float64(k)/float64(n), squares+x*x*float64(k)/float64(n)
	}
	quartile := func(part float64) float64 {
		seen := 0
		for bin, k := range bins {
			if seen += k; float64(seen) >= part*float64(n) {
				return hundredths((float64(bin) + 0.5) / 100)
			}
		}
		return 0
	}
	half := normal95 * math.Sqrt(max(0, squares-mean*mean)/float64(n))
	listValue := hundredths(value / float64(n))
	return &onward.ScoreSpread{
		Lower: quartile(0.25), Median: quartile(0.5), Upper: quartile(0.75), Mean: hundredths(mean), Low: hundredths(mean - half), High: hundredths(mean + half),
	}, &listValue
}

// wilson is the interval of Wilson (1927) of a share.
func wilson(s share, z float64) (low, high float64) {
	n, p := float64(s.of), s.value()
	centre, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, (centre-half)/(1+z*z/n)), min(1, (centre+half)/(1+z*z/n))
}

// newcombe is the interval of a difference of two shares by method 10 of Newcombe (1998), "Interval estimation for the difference between independent
// proportions".
func newcombe(a, b share, z float64) (low, high float64) {
	aLow, aHigh := wilson(a, z)
	bLow, bHigh := wilson(b, z)
	p, q := a.value(), b.value()
	return p - q - math.Hypot(p-aLow, bHigh-q), p - q + math.Hypot(aHigh-p, q-bLow)
}

// quantile of the normal distribution.
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

func hundredths(v float64) float64 { return math.Round(100*v) / 100 }
