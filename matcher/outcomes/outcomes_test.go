package outcomes

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// freireich are the times in remission, in weeks, of the 21 patients on 6-MP of Freireich and others (1963): the example of most
// textbooks. A negative number is censored.
var freireich = []int{6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35}

func spansOf(times []int) (spans []Span) {
	for _, t := range times {
		if t < 0 {
			spans = append(spans, Span{Days: -t, Censored: 1})
		} else {
			spans = append(spans, Span{Days: t, Ended: 1})
		}
	}
	return spans
}

func TestTheCurveOfATextbook(t *testing.T) {
	t.Parallel()
	want := []struct {
		day, atRisk, ended int
		s, se              float64
	}{
		{6, 21, 3, 0.8571, 0.0764},
		{7, 17, 1, 0.8067, 0.0869},
		{10, 15, 1, 0.7529, 0.0963},
		{13, 12, 1, 0.6902, 0.1068},
		{16, 11, 1, 0.6275, 0.1141},
		{22, 7, 1, 0.5378, 0.1282},
		{23, 6, 1, 0.4482, 0.1346},
	}
	curve := Curve(spansOf(freireich))
	if len(curve) != len(want) {
		t.Fatalf("%d steps, want %d", len(curve), len(want))
	}
	for i, w := range want {
		p := curve[i]
		if p.Day != w.day || p.AtRisk != w.atRisk || p.Ended != w.ended || math.Abs(p.Retained-w.s) > 5e-5 || math.Abs(p.StdErr-w.se) > 5e-5 {
			t.Errorf("step %d is %+v, want %+v", i, p, w)
		}
		if !(p.Low < p.Retained && p.Retained < p.High && p.Low > 0 && p.High < 1) {
			t.Errorf("the band of step %d is %v to %v", i, p.Low, p.High)
		}
	}
	// The log-log band at week 10, worked out by hand from S and Greenwood's sum.
	sum := 3.0/(21*18) + 1.0/(17*16) + 1.0/(15*14)
	width := 1.959963984540054 * math.Sqrt(sum) / -math.Log(curve[2].Retained)
	if math.Abs(curve[2].Low-math.Pow(curve[2].Retained, math.Exp(width))) > 1e-12 {
		t.Errorf("low is %v", curve[2].Low)
	}
	if p, ok := At(curve, spansOf(freireich), 12); !ok || p.AtRisk != 12 || math.Abs(p.Retained-0.7529) > 5e-5 {
		t.Errorf("at week 12: %+v", p)
	}
	if _, ok := At(curve, spansOf(freireich), 36); ok {
		t.Error("no one was followed until week 36")
	}
}

func TestACurveFallsWithinItsBands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		var spans []Span
		ended, censored := 0, 0
		for range n {
			s := Span{Days: rapid.IntRange(0, 400).Draw(t, "days"), Ended: rapid.IntRange(0, 3).Draw(t, "ended"), Censored: rapid.IntRange(0, 3).Draw(t, "censored")}
			ended, censored = ended+s.Ended, censored+s.Censored
			spans = append(spans, s)
		}
		last := 1.0
		for _, p := range Curve(spans) {
			if p.Retained > last || p.Retained < 0 || p.Low > p.Retained+1e-12 || p.High < p.Retained-1e-12 || p.Low < 0 || p.High > 1 {
				t.Fatalf("%+v after %v", p, last)
			}
			last = p.Retained
		}
		if censored == 0 && ended > 0 && last > 1e-9 {
			t.Fatalf("all ended, and %v are retained", last)
		}
	})
}

func TestWithoutCensoringTheCurveIsTheShareThatIsLeft(t *testing.T) {
	t.Parallel()
	for i, p := range Curve(spansOf([]int{1, 2, 3, 4, 5})) {
		if math.Abs(p.Retained-float64(4-i)/5) > 1e-12 {
			t.Errorf("after %d: %v", i+1, p.Retained)
		}
	}
}

// TestNoSmallCountCanBeWorkedOut attacks published tables by trying every table that fits what is published.
func TestNoSmallCountCanBeWorkedOut(t *testing.T) {
	t.Parallel()
	protected, refused, tables := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		rows, columns := rapid.IntRange(1, 3).Draw(t, "rows"), rapid.IntRange(1, 2).Draw(t, "columns")
		table := make([][]int, rows)
		for r := range table {
			table[r] = make([]int, columns)
			for c := range table[r] {
				table[r][c] = rapid.IntRange(0, 8).Draw(t, "n")
			}
		}
		tables++
		mask, ok := Withheld(table)
		if !ok {
			refused++
			return
		}
		whole := newAudit(table).count
		possible := make([][]map[int]bool, rows+1)
		for r := range possible {
			possible[r] = make([]map[int]bool, columns+1)
			for c := range possible[r] {
				possible[r][c] = map[int]bool{}
			}
		}
		enumerate(table, mask, func(guess [][]int) {
			for r, row := range newAudit(guess).count {
				for c, n := range row {
					possible[r][c][n] = true
				}
			}
		})
		for r, row := range whole {
			for c, n := range row {
				switch small := n > 0 && n < Least; {
				case n == 0 && mask[r][c]:
					t.Fatalf("a 0 is withheld in %v: %v", table, mask)
				case small && !mask[r][c]:
					t.Fatalf("%d of %v is published", n, table)
				case small && len(possible[r][c]) < protection:
					t.Fatalf("of %v with %v, the %d at %d,%d can only be %v", table, mask, n, r, c, possible[r][c])
				case small:
					protected++
				}
			}
		}
	})
	t.Logf("%d small counts protected; %d of %d tables refused", protected, refused, tables)
	if protected == 0 || refused == tables {
		t.Errorf("%d counts were protected, %d of %d tables refused", protected, refused, tables)
	}
}

// enumerate tries all tables that fit what is published: the counts and totals that are shown, the grand total, 1 and more
// elsewhere.
func enumerate(truth [][]int, mask [][]bool, found func([][]int)) {
	rows, columns := len(truth), len(truth[0])
	whole := newAudit(truth)
	left := whole.count[whole.rows-1][whole.columns-1]
	guess := make([][]int, rows)
	rowLeft, columnLeft := make([]int, rows), make([]int, columns) // of what is withheld, where the total is shown
	for r := range truth {
		guess[r] = make([]int, columns)
		rowLeft[r] += whole.count[r][columns]
		for c, n := range truth[r] {
			columnLeft[c] += n
			if !mask[r][c] {
				guess[r][c] = n
				left -= n
			}
		}
	}
	for r := range truth {
		for c, n := range truth[r] {
			if !mask[r][c] {
				rowLeft[r] -= n
				columnLeft[c] -= n
			}
		}
	}
	fits := func() bool {
		for r := range rows {
			if !mask[r][columns] && rowLeft[r] != 0 {
				return false
			}
		}
		for c := range columns {
			if !mask[rows][c] && columnLeft[c] != 0 {
				return false
			}
		}
		return left == 0
	}
	var try func(cell int)
	try = func(cell int) {
		if cell == rows*columns {
			if fits() {
				found(guess)
			}
			return
		}
		r, c := cell/columns, cell%columns
		if !mask[r][c] {
			try(cell + 1)
			return
		}
		for n := 1; n <= left && (mask[r][columns] || n <= rowLeft[r]) && (mask[rows][c] || n <= columnLeft[c]); n++ {
			guess[r][c] = n
			rowLeft[r], columnLeft[c], left = rowLeft[r]-n, columnLeft[c]-n, left-n
			try(cell + 1)
			rowLeft[r], columnLeft[c], left = rowLeft[r]+n, columnLeft[c]+n, left+n
		}
		guess[r][c] = 0
	}
	try(0)
}
