package flows

import (
	"cmp"
	"math"
	"slices"
)

// Metrics say how well predictions agree with the flows that were seen. Predicted flows are the movers of the origin
// times p.
type Metrics struct {
	// CPC is the common part of commuters, 2 sum(min(seen, predicted)) / (sum(seen) + sum(predicted)): 0 nothing, 1 all.
	CPC float64 `json:"cpc"`
	// Xent is the mean of -ln p over the movers, in nats.
	Xent float64 `json:"xent"`
	// Hit1, Hit5 and Hit10 are the share of movers whose destination is among the 1, 5 and 10 likeliest of their origin.
	Hit1  float64 `json:"hit1"`
	Hit5  float64 `json:"hit5"`
	Hit10 float64 `json:"hit10"`
	// Movers is how many people the test is about.
	Movers float64 `json:"movers"`
}

// smallestP stands in for a probability of 0, so that one impossible move does not make xent infinite.
const smallestP = 1e-15

// Evaluate compares predictions with the flows they were made for.
func Evaluate(predictions []Prediction) Metrics {
	var m Metrics
	common := 0.0
	for _, p := range predictions {
		s := p.situation
		top := likeliest(p.P, s.origin, 10)
		for _, c := range s.chosen {
			common += min(c.movers, s.movers*p.P[c.dest])
			m.Xent -= c.movers * math.Log(max(p.P[c.dest], smallestP))
			if k := slices.Index(top, c.dest); k >= 0 {
				m.Hit10 += c.movers
				if k < 5 {
					m.Hit5 += c.movers
				}
				if k < 1 {
					m.Hit1 += c.movers
				}
			}
		}
		m.Movers += s.movers
	}
	if m.Movers > 0 {
		m.CPC = common / m.Movers // seen and predicted flows have the same sum, the movers
		m.Xent /= m.Movers
		m.Hit1 /= m.Movers
		m.Hit5 /= m.Movers
		m.Hit10 /= m.Movers
	}
	return m
}

// likeliest are the k places of the highest probability, without the origin; of equal ones the first in the order of ids.
func likeliest(p []float64, origin, k int) []int {
	var top []int
	for j := range p {
		if j == origin || (len(top) == k && p[j] <= p[top[k-1]]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, j, func(a, b int) int { return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a, b)) })
		top = slices.Insert(top, at, j)
		top = top[:min(len(top), k)]
	}
	return top
}
