package flows

import "math"

// Coefficient is one line of the table of a fitted model.
type Coefficient struct {
	Name     string `json:"name"`
	Variable string `json:"variable"`
	// Value is what one unit of the variable adds to the log odds, Error its standard error.
	Value float64 `json:"value"`
	Error float64 `json:"standard_error"`
	// PriorMean and PriorSD are the normal distribution that Value was shrunk towards, and Source where it comes from.
	PriorMean float64 `json:"prior_mean"`
	PriorSD   float64 `json:"prior_sd"`
	Source    string  `json:"source"`
}

const (
	// mostPairs of origin and destination are fitted to. Beyond it, some of the far places that nobody chose stand for the
	// others. Half as many pairs give the same CPC and xent within .002 on Mexican municipalities.
	mostPairs = 800_000
	// alwaysNearest places of an origin are never thinned out.
	alwaysNearest = 60
)

// newSample lists the variables of every alternative of the situations. With more than most pairs it keeps every place
// that was chosen or is near, and of the others every one in 1/rate, drawn by a hash: each stands for 1/rate of them.
func newSample(from []*situation, k int, variables func(*situation, []float32), most int) *sample {
	pairs, kept := 0, 0
	for _, s := range from {
		pairs += s.period.len() - 1
		kept += min(s.period.len()-1, len(s.chosen)+alwaysNearest)
	}
	rate := 1.0
	if pairs > most {
		rate = max(0.02, float64(most-kept)/float64(max(1, pairs-kept)))
	}
	out := &sample{k: k, groups: make([]group, len(from))}
	at := 0
	picked := make([][]int32, len(from))
	for g, s := range from {
		n := s.period.len()
		group := &out.groups[g]
		group.from, group.movers = at, s.movers
		c := 0
		for j := range n {
			if j == s.origin {
				continue
			}
			y := 0.0
			if c < len(s.chosen) && s.chosen[c].dest == j {
				y = s.chosen[c].movers
				c++
			}
			weight := 1.0
			if rate < 1 && y == 0 && s.period.rank[s.origin*n+j] > alwaysNearest {
				if hash(s.origin, j) >= rate {
					continue
				}
				weight = 1 / rate
			}
			picked[g] = append(picked[g], int32(j)) //nolint:gosec // some thousands of places
			group.seen = append(group.seen, y)
			if rate < 1 {
				group.stands = append(group.stands, weight)
			}
			at++
		}
		group.to = at
		out.movers += s.movers
	}
	out.rows = make([]float32, at*k)
	parallel(len(from), func(g int) {
		s := from[g]
		all := make([]float32, s.period.len()*k)
		variables(s, all)
		rows := out.rows[out.groups[g].from*k:]
		for a, j := range picked[g] {
			copy(rows[a*k:(a+1)*k], all[int(j)*k:(int(j)+1)*k])
		}
	})
	return out
}

// pairs of origin and destination that there are rows for.
func (s *sample) pairs() int { return len(s.rows) / max(1, s.k) }

// hash spreads pairs evenly over [0, 1), always alike.
func hash(i, j int) float64 {
	x := uint64(i)*0x9E3779B97F4A7C15 ^ uint64(j)*0xC2B2AE3D27D4EB4F //nolint:gosec // positions are not negative
	x ^= x >> 31
	x *= 0x7FB5D329728EA185
	x ^= x >> 27
	x *= 0x81DADEF4BC2DD44D
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// deviations are the standard deviations of the variables over the alternatives, weighted alike.
func (s *sample) deviations() []float64 {
	sum, square := make([]float64, s.k), make([]float64, s.k)
	n := s.pairs()
	for a := range n {
		for v, x := range s.rows[a*s.k : (a+1)*s.k] {
			sum[v] += float64(x)
			square[v] += float64(x) * float64(x)
		}
	}
	for v := range sum {
		mean := sum[v] / float64(n)
		sum[v] = math.Sqrt(max(0, square[v]/float64(n)-mean*mean))
	}
	return sum
}
