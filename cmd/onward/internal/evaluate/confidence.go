package evaluate

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"onward/matcher/skills/linking"
)

// Confidence says how far the confidence in first matches can be believed. Texts that mean nothing count as wrong matches.
type Confidence struct {
	N int `json:"n"`
	// ECE is the expected calibration error: the mean distance of confidence and share of right matches, in ten bins of
	// equal size.
	ECE float64 `json:"ece"`
	// AUC is the probability that a right match has a higher confidence than a wrong one.
	AUC float64 `json:"auc"`
	// Unmatched is the share of texts that mean nothing of which "no match" is said, and Lost of those that mean something.
	Unmatched float64 `json:"unmatched"`
	Lost      float64 `json:"lost"`

	samples []judged
}

// judged is a first match with its confidence.
type judged struct {
	confidence     float64
	right, nothing bool
}

func (c *Confidence) add(matches []linking.Match, relevant map[string]bool) {
	j := judged{nothing: len(relevant) == 0}
	if len(matches) > 0 {
		j.confidence, j.right = matches[0].Confidence, relevant[matches[0].ID]
	}
	c.samples = append(c.samples, j)
}

func (c *Confidence) finish() {
	c.N = len(c.samples)
	if c.N == 0 {
		return
	}
	slices.SortFunc(c.samples, func(a, b judged) int { return cmp.Compare(a.confidence, b.confidence) })
	const bins = 10
	for b := range bins {
		bin := c.samples[b*c.N/bins : (b+1)*c.N/bins]
		confidence, right := 0.0, 0.0
		for _, j := range bin {
			confidence += j.confidence
			right += float64(oneIf(j.right))
		}
		c.ECE += math.Abs(confidence-right) / float64(c.N)
	}
	scores, classes := make([]float64, c.N), make([]bool, c.N)
	nothing := 0
	for i, j := range c.samples {
		scores[i], classes[i] = j.confidence, j.right
		none := j.confidence < linking.LeastConfidence
		if j.nothing {
			nothing++
			c.Unmatched += float64(oneIf(none))
		} else {
			c.Lost += float64(oneIf(none))
		}
	}
	c.Unmatched /= float64(max(1, nothing))
	c.Lost /= float64(max(1, c.N-nothing))
	tpr, fpr, _ := stat.ROC(nil, scores, classes, nil)
	for i := 1; i < len(tpr); i++ {
		c.AUC += (fpr[i] - fpr[i-1]) * (tpr[i] + tpr[i-1]) / 2
	}
	if math.IsNaN(c.AUC) { // all right, or all wrong
		c.AUC = 0
	}
}

func (c *Confidence) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "Confidence: calibration error %.4f, AUC %.4f; \"no match\" for %.2f of what means nothing and %.2f of what means something. ",
		c.ECE, c.AUC, c.Unmatched, c.Lost)
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// calibrated are how many matches of a text the calibration is fitted on.
const calibrated = 5

// fitCalibration fits the logistic function by Newton's method, with a penalty that matters only where the data is silent.
func fitCalibration(sets []exampleSet) []float64 {
	var rows [][]float64
	var right []float64
	for _, set := range sets {
		for _, e := range set.examples {
			for k, inputs := range e.calibration {
				rows, right = append(rows, inputs), append(right, float64(oneIf(e.right[k])))
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	n := len(rows[0])
	weights := make([]float64, n)
	for range 30 {
		gradient, hessian := mat.NewVecDense(n, nil), mat.NewSymDense(n, nil)
		for k := range n {
			gradient.SetVec(k, -0.01*weights[k])
			hessian.SetSym(k, k, 0.01)
		}
		for i, x := range rows {
			p := 1 / (1 + math.Exp(-inner(weights, x)))
			for k := range n {
				gradient.SetVec(k, gradient.AtVec(k)+(right[i]-p)*x[k])
				for j := k; j < n; j++ {
					hessian.SetSym(k, j, hessian.At(k, j)+p*(1-p)*x[k]*x[j])
				}
			}
		}
		var step mat.VecDense
		if err := step.SolveVec(hessian, gradient); err != nil {
			break
		}
		for k := range n {
			weights[k] += step.AtVec(k)
		}
	}
	return weights
}

func printCalibration(w io.Writer, sets []exampleSet) {
	_, _ = fmt.Fprint(w, "  calibration")
	for _, v := range fitCalibration(sets) {
		_, _ = fmt.Fprintf(w, " %.3f", v)
	}
	_, _ = fmt.Fprintln(w)
}
