package onward

import (
	"cmp"
	"math"
	"slices"
)

// Choice is how a list had what a counsellor chose, beside its first.
type Choice struct {
	Rank   int // 0: not on the list
	Reason ChoiceReason
	// Chosen and First are what the list says of both; First is nil when there was no list.
	Chosen ScoreParts
	First  *ScoreParts
	// Overridden says that the counsellor had replaced the likely destination.
	Overridden bool
}

// ScoreParts are the factors of a score.
type ScoreParts struct {
	Fit   float64 `json:"fit"`
	Reach float64 `json:"reach"`
	Terms float64 `json:"terms"`
}

// Disagreement says where counsellors decide otherwise than lists, and which factor they distrust.
type Disagreement struct {
	Referrals  int `json:"referrals" doc:"All that were chosen"`
	First      int `json:"first" doc:"Those that were first on the list"`
	Lower      int `json:"lower" doc:"Those that were lower on the list"`
	OffList    int `json:"off_list" doc:"Those that were not on it, or had none"`
	Overridden int `json:"overridden" doc:"Those from a list whose destination the counsellor had replaced"`
	// Factors are over the choices lower on the list, the most distrusted first.
	Factors []FactorDisagreement `json:"factors"`
	Reasons []ReasonCount        `json:"reasons" doc:"As given, the most frequent first"`
}

// FactorDisagreement is how far one factor of the score spoke for what was first, in choices of something else.
type FactorDisagreement struct {
	Factor string  `json:"factor" enum:"fit,reach,terms"`
	Share  float64 `json:"share" doc:"Of the whole of what spoke for the first (sum of the positive log ratios of the factors), 0 to 1"`
	Main   int     `json:"main" doc:"Choices in which it spoke most for the first"`
	Ratio  float64 `json:"ratio" doc:"Geometric mean of the first's factor over that of the chosen"`
}

// ReasonCount counts one reason.
type ReasonCount struct {
	Reason ChoiceReason `json:"reason"`
	Count  int          `json:"count"`
}

// leastFactor stands for a factor of 0, so that one hopeless opening does not outweigh all others.
const leastFactor = 0.01

// Disagree sums up choices. A factor is distrusted in so far as it spoke for what was first when something else was chosen:
// score = fit x reach x terms, so that its log ratio is its part of the whole.
func Disagree(choices []Choice) Disagreement {
	d := Disagreement{Referrals: len(choices)}
	names := []string{"fit", "reach", "terms"}
	sums, spoke, main := make([]float64, 3), make([]float64, 3), make([]int, 3)
	reasons := map[ChoiceReason]int{}
	for _, c := range choices {
		switch {
		case c.Rank == 1:
			d.First++
		case c.Rank == 0:
			d.OffList++
		default:
			d.Lower++
		}
		if c.Overridden {
			d.Overridden++
		}
		if c.Reason != "" {
			reasons[c.Reason]++
		}
		if c.Rank < 2 || c.First == nil {
			continue
		}
		most, ratios := 0, [3]float64{}
		for i, pair := range [3][2]float64{{c.First.Fit, c.Chosen.Fit}, {c.First.Reach, c.Chosen.Reach}, {c.First.Terms, c.Chosen.Terms}} {
			ratios[i] = math.Log(max(pair[0], leastFactor) / max(pair[1], leastFactor))
			sums[i] += ratios[i]
			spoke[i] += max(0, ratios[i])
			if ratios[i] > ratios[most] {
				most = i
			}
		}
		if ratios[most] > 0 {
			main[most]++
		}
	}
	whole := spoke[0] + spoke[1] + spoke[2]
	for i, name := range names {
		f := FactorDisagreement{Factor: name, Main: main[i], Ratio: 1}
		if whole > 0 {
			f.Share = spoke[i] / whole
		}
		if d.Lower > 0 {
			f.Ratio = math.Exp(sums[i] / float64(d.Lower))
		}
		d.Factors = append(d.Factors, f)
	}
	slices.SortStableFunc(d.Factors, func(a, b FactorDisagreement) int { return cmp.Compare(b.Share, a.Share) })
	for reason, n := range reasons {
		d.Reasons = append(d.Reasons, ReasonCount{reason, n})
	}
	slices.SortFunc(d.Reasons, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return d
}
