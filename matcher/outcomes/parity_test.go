package outcomes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onward"
)

// someone is a person with a list in a made-up caseload.
type someone struct {
	groups map[string]string // by attribute
	stage  string
	score  float64
}

// parityOf are the figures of made-up people.
func parityOf(people []someone) onward.ParityFigures {
	type key struct {
		attribute, group, stage string
		bin                     int
	}
	counted := map[key]int{}
	for _, p := range people {
		for attribute, group := range p.groups {
			counted[key{attribute, group, p.stage, int(100 * p.score)}]++
		}
	}
	c := onward.FigureCounts{At: time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC), Key: []byte("a key")}
	for k, n := range counted {
		c.Parity = append(c.Parity, onward.ParityCount{Attribute: k.attribute, Group: k.group, Stage: k.stage, Bin: k.bin, People: n, Value: 3 * float64(k.bin) / 100 * float64(n)})
	}
	return Publish(c).Parity
}

// caseload draws people with two attributes; placed says how likely a person is placed.
func caseload(seed uint64, n int, score func(r *rand.Rand, p someone) float64, placed func(p someone) float64) []someone {
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // made-up people
	list := make([]someone, n)
	for i := range list {
		p := someone{groups: map[string]string{
			"sex": []string{"female", "male"}[r.IntN(2)], "disability": []string{"no", "no", "no", "no", "yes", "not_said"}[r.IntN(6)],
		}}
		p.score = score(r, p)
		switch x := r.Float64(); {
		case x < placed(p):
			p.stage = []string{"kept", "kept", "early", "unknown"}[r.IntN(4)]
		default:
			p.stage = []string{"not_referred", "waiting", "refused", "dropped"}[r.IntN(4)]
		}
		list[i] = p
	}
	return list
}

func even(r *rand.Rand, _ someone) float64 { return 0.1 + 0.5*r.Float64() }

func measureOf(t testing.TB, f onward.ParityFigures, attribute, group, measure string) (m onward.ParityMeasure, ok bool) {
	t.Helper()
	for _, table := range f.Attributes {
		for _, g := range table.Groups {
			for _, m := range g.Measures {
				if table.Attribute == attribute && g.Group == group && m.Measure == measure {
					return m, true
				}
			}
		}
	}
	return m, false
}

func TestTheReportFindsAGroupThatIsPutAtADisadvantage(t *testing.T) {
	t.Parallel()
	placed := func(p someone) float64 {
		if p.groups["disability"] == "yes" {
			return 0.2 // everybody else .35
		}
		return 0.35
	}
	for seed := range uint64(20) {
		m, ok := measureOf(t, parityOf(caseload(seed, 4000, even, placed)), "disability", "yes", "placed")
		if !ok || !m.Alarm || !m.BelowFourFifth || m.Difference > -0.08 || m.DifferenceHigh >= 0 {
			t.Errorf("caseload %d: %+v", seed, m)
		}
		m, ok = measureOf(t, parityOf(caseload(seed, 12_000, even, placed)), "disability", "yes", "placed_given_score")
		if !ok || !m.Alarm {
			t.Errorf("caseload %d, given the score: %+v", seed, m)
		}
	}
}

func TestADifferenceThatScoresExplainIsSeenToBeOne(t *testing.T) {
	t.Parallel()
	// Women have higher scores, and who has a higher score is placed: no difference is left when scores are alike.
	alarms, plain := 0, 0
	for seed := range uint64(40) {
		f := parityOf(caseload(seed, 12_000, func(r *rand.Rand, p someone) float64 {
			if x := r.Float64(); p.groups["sex"] == "female" && x < 0.6 || x < 0.3 {
				return 0.5
			}
			return 0.1
		}, func(p someone) float64 { return 0.2 + 0.4*p.score }))
		if m, ok := measureOf(t, f, "sex", "male", "placed"); ok && m.Alarm {
			plain++
		}
		m, ok := measureOf(t, f, "sex", "male", "placed_given_score")
		if !ok {
			t.Fatal("no share given the score")
		}
		if m.Alarm {
			alarms++
		}
	}
	if plain < 30 || alarms > 5 {
		t.Errorf("%d of 40 alarms on the plain shares, %d given the score", plain, alarms)
	}
}

// TestFalseAlarmsAreAsRareAsTheLevelSays draws caseloads in which no group is put at a disadvantage.
func TestFalseAlarmsAreAsRareAsTheLevelSays(t *testing.T) {
	t.Parallel()
	const draws = 400
	alarms := map[string]int{}
	for seed := range uint64(draws) {
		f := parityOf(caseload(seed+1000, 2500, even, func(someone) float64 { return 0.3 }))
		for _, table := range f.Attributes {
			raised := map[string]bool{}
			for _, g := range table.Groups {
				for _, m := range g.Measures {
					raised[m.Measure] = raised[m.Measure] || m.Alarm
				}
			}
			for measure, r := range raised {
				if r {
					alarms[table.Attribute+" "+measure]++
				}
			}
		}
	}
	for what, n := range alarms {
		// An alarm for a group of two is one for the other being better: at most one in twenty, and 3.5 standard errors.
		if limit := parityError + 3.5*math.Sqrt(parityError*(1-parityError)/draws); float64(n)/draws > limit {
			t.Errorf("%s: %d alarms in %d draws without a disadvantage", what, n, draws)
		}
	}
	if len(alarms) == 0 {
		t.Error("not one alarm in all draws: is anything compared?")
	}
	t.Log(alarms)
}

func TestParityTablesShowTheSameTotalsAndNoSmallCount(t *testing.T) {
	t.Parallel()
	withheld := 0
	for seed := range uint64(60) {
		f := parityOf(caseload(seed, 30+int(seed)*7, even, func(someone) float64 { return 0.3 }))
		for _, table := range f.Attributes {
			for _, l := range append(slices.Clone(table.Lines), f.Total) {
				withheld += l.Withheld
				for _, n := range parityCells(l) {
					if n != nil && *n > 0 && *n < Least {
						t.Fatalf("a small count is shown: %+v", l)
					}
				}
			}
		}
	}
	if withheld == 0 {
		t.Error("nothing was withheld")
	}
}

func parityCells(l onward.ParityLine) []*int {
	return []*int{l.People, l.NotReferred, l.Waiting, l.Refused, l.Dropped, l.Kept, l.Early, l.Unknown, l.Combined}
}

// TestNoSmallCountOfAGroupCanBeWorkedOut attacks the tables of two attributes, with the shares and intervals, by trying every table that fits. What fits
// one attribute fits the other: both have the totals that are shown.
func TestNoSmallCountOfAGroupCanBeWorkedOut(t *testing.T) {
	t.Parallel()
	protected, shares := 0, 0
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // made-up counts
	for range 150 {
		var counts []onward.ParityCount
		groups := []string{"a", "b", "c"}[:2+r.IntN(2)]
		for _, group := range groups {
			for k, stage := range []string{"not_referred", "kept"} {
				n := r.IntN(8)
				if len(groups) == 2 && k == 0 {
					n += 18
				}
				counts = append(counts, onward.ParityCount{Attribute: "sex", Group: group, Stage: stage, Bin: 30, People: n})
			}
		}
		table := newParityTable("sex", counts)
		if table == nil || !table.ok {
			continue
		}
		published := table.published(counts)
		guesses := 0
		possible := make([][]map[int]bool, len(table.table)+1)
		for r := range possible {
			possible[r] = make([]map[int]bool, len(table.totals))
			for c := range possible[r] {
				possible[r][c] = map[int]bool{}
			}
		}
		enumerate(table.table, table.mask, func(guess [][]int) {
			for r, row := range newAudit(guess).count {
				for c, n := range row {
					possible[r][c][n] = true
				}
			}
			if guesses++; guesses%37 != 1 {
				return
			}
			other := *table
			other.table = guess
			// Shares say nothing that the table does not: they are the same for all tables that fit.
			for i, g := range other.published(counts).Groups {
				if fmt.Sprint(g.Measures) != fmt.Sprint(published.Groups[i].Measures) || g.People != published.Groups[i].People {
					t.Fatalf("%v and %v fit the lines, and have other shares", table.table, guess)
				}
				shares += len(g.Measures)
			}
		})
		for r, row := range newAudit(table.table).count {
			for c, n := range row {
				if n > 0 && n < Least {
					if len(possible[r][c]) < protection {
						t.Fatalf("the %d at %d,%d of %v can only be %v", n, r, c, table.table, possible[r][c])
					}
					protected++
				}
			}
		}
	}
	if protected == 0 || shares == 0 {
		t.Errorf("%d small counts were protected, %d shares shown", protected, shares)
	}
}

func TestIntervalsByHand(t *testing.T) {
	t.Parallel()
	// Newcombe (1998), tables I and II of his papers: 56/70 against 48/80, methods 3 and 10.
	low, high := wilson(share{81, 263}, normal95)
	if math.Abs(low-0.2553) > 5e-5 || math.Abs(high-0.3662) > 5e-5 {
		t.Errorf("Wilson of 81/263: %.4f to %.4f", low, high)
	}
	low, high = newcombe(share{56, 70}, share{48, 80}, normal95)
	if math.Abs(low-0.0524) > 5e-5 || math.Abs(high-0.3339) > 5e-5 {
		t.Errorf("Newcombe of 56/70 - 48/80: %.4f to %.4f", low, high)
	}
	if z := quantile(0.975); math.Abs(z-normal95) > 1e-9 {
		t.Error(z)
	}
}

func TestTheCostOfAFloorByHand(t *testing.T) {
	t.Parallel()
	// Ten candidates, five of each; four places. Men have the better scores, so that the highest four are men.
	var one []onward.FloorCandidate
	for i, s := range []float64{0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25} {
		one = append(one, onward.FloorCandidate{Opening: 1, Places: 4, Score: s, Sex: map[bool]string{true: "male", false: "female"}[i < 5]})
	}
	for _, c := range []struct {
		floor       float64
		moved       int
		free, under float64
	}{{0.8, 1, 3.0, 0.9 + 0.8 + 0.7 + 0.45}, {1, 2, 3.0, 0.9 + 0.8 + 0.45 + 0.4}, {0.4, 0, 3.0, 3.0}} {
		places, moved, free, kept := underFloor(one, "sex", c.floor)
		if places != 4 || moved != c.moved || math.Abs(free-c.free) > 1e-12 || math.Abs(kept-c.under) > 1e-12 {
			t.Errorf("floor %v: %d places, %d moved, %v and %v", c.floor, places, moved, free, kept)
		}
	}
	var many []onward.FloorCandidate
	for opening := range 30 {
		for _, c := range one {
			c.Opening = opening
			many = append(many, c)
		}
	}
	costs := floorCosts(many, rounder("a key"))
	var sex []onward.FloorCost
	for _, f := range costs {
		if f.Attribute == "sex" {
			sex = append(sex, f)
		} else if f.Loss != 0 || f.Moved != 0 {
			t.Errorf("where all are alike nothing costs: %+v", f)
		}
	}
	if len(sex) != 3 || sex[0].Places != 120 || sex[0].Loss != 0.05 || sex[2].Loss != 0.15 || sex[2].Moved != 0.5 || sex[0].Loss > sex[2].Loss {
		t.Errorf("%+v", sex)
	}
	if few := floorCosts(one, rounder("a key")); len(few) != 0 {
		t.Errorf("of four places: %+v", few)
	}
}

// TestNoChoiceUnderAFloorIsBetter tries every choice for small openings.
func TestNoChoiceUnderAFloorIsBetter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(t, "candidates")
		places := rapid.IntRange(1, n-1).Draw(t, "places")
		list := make([]onward.FloorCandidate, n)
		size := map[string]int{}
		for i := range list {
			list[i] = onward.FloorCandidate{Opening: 1, Places: places, Score: float64(rapid.IntRange(1, 100).Draw(t, "score")) / 100, Sex: rapid.SampledFrom([]string{"female", "male", "other"}).Draw(t, "sex")}
			size[list[i].Sex]++
		}
		slices.SortFunc(list, func(a, b onward.FloorCandidate) int { return int(1000 * (b.Score - a.Score)) })
		floor := rapid.SampledFrom(floors).Draw(t, "floor")
		_, _, _, kept := underFloor(list, "sex", floor)
		best := 0.0
		for set := range 1 << n {
			taken, total, of := 0, 0.0, map[string]int{}
			for i, c := range list {
				if set>>i&1 == 1 {
					taken, total = taken+1, total+c.Score
					of[c.Sex]++
				}
			}
			ok := taken == places
			for g, k := range size {
				ok = ok && of[g] >= int(floor*float64(places)*float64(k)/float64(n)+1e-9)
			}
			if ok {
				best = max(best, total)
			}
		}
		if math.Abs(best-kept) > 1e-9 {
			t.Fatalf("%v at %v: %v, and the best is %v", list, floor, kept, best)
		}
	})
}
