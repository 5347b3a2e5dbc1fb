package flows

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// sample is the choices that a logit is fitted to, with one row of k variables per alternative.
type sample struct {
	k      int
	rows   []float32
	groups []group
	movers float64
}

// group is the alternatives of one situation: rows from to to.
type group struct {
	from, to int
	movers   float64
	seen     []float64 // movers by alternative
	// stands is how many alternatives each stands for (see newSample), or nil.
	stands []float64
}

// prior is a normal distribution of one coefficient, of the variable as it is (not standardised).
type prior struct{ mean, sd float64 }

// fit is a fitted logit.
type fit struct {
	coefficients []float64
	errors       []float64 // standard errors, from the inverse of the Hessian and the dispersion
	dispersion   float64
	iterations   int
}

// objective is what is maximised, per mover:
//
//	mean ln p + overlap x CPC - penalty
//
// The penalty is the prior's. It is divided by the movers in units of dispersion: the movers of one flow are no
// independent draws (families and colleagues move together, and a census sample counts one of them for ten), and Pearson's
// chi-square over its degrees of freedom says how many of them count as one.
type objective struct {
	sample     *sample
	priors     []prior
	dispersion float64
	overlap    float64
}

// roundedCorner is the share of a flow within which predicting too little and too much count as in between.
const roundedCorner = 0.1

// evaluate is minus the objective at b, and its gradient if gradient is not nil.
func (o *objective) evaluate(b, gradient []float64) float64 {
	k := o.sample.k
	values := make([]float64, len(o.sample.groups))
	var gradients []float64
	const chunks = 16 // fixed, so that the sums are the same on any number of processors
	if gradient != nil {
		gradients = make([]float64, chunks*k)
	}
	parallel(chunks, func(c int) {
		var p, pull []float64
		for g := c; g < len(o.sample.groups); g += chunks {
			group := &o.sample.groups[g]
			p = o.sample.probabilities(group, b, p)
			if cap(pull) < len(p) {
				pull = make([]float64, len(p))
			}
			pull = pull[:len(p)]
			value, mean := 0.0, 0.0
			for a, y := range group.seen {
				// pull is d objective / d utility before the softmax takes out its mean.
				pull[a] = 0
				if y > 0 {
					value += y * math.Log(max(p[a], smallestP))
					if o.overlap > 0 {
						// min(y, expected) with its corner rounded off, for the line search
						expected := group.movers * p[a]
						root := math.Hypot(y-expected, roundedCorner*y)
						value += o.overlap * (y + expected - root) / 2
						pull[a] = o.overlap * expected * (1 + (y-expected)/root) / 2
						mean += pull[a]
					}
				}
			}
			values[g] = value
			if gradients == nil {
				continue
			}
			out := gradients[c*k : (c+1)*k]
			for a, y := range group.seen {
				each := 1.0
				if group.stands != nil {
					each = group.stands[a]
				}
				weight := y + pull[a] - each*p[a]*(group.movers+mean)
				row := o.sample.rows[(group.from+a)*k : (group.from+a+1)*k]
				for v, x := range row {
					out[v] += weight * float64(x)
				}
			}
		}
	})
	total := 0.0
	for _, v := range values {
		total += v
	}
	total /= o.sample.movers
	counted := o.sample.movers / o.dispersion
	for v, q := range o.priors {
		z := (b[v] - q.mean) / q.sd
		total -= z * z / 2 / counted
	}
	for v := range gradient {
		sum := 0.0
		for c := range chunks {
			sum += gradients[c*k+v]
		}
		q := o.priors[v]
		gradient[v] = -(sum/o.sample.movers - (b[v]-q.mean)/(q.sd*q.sd)/counted)
	}
	return -total
}

// probabilities of the alternatives of a group.
func (s *sample) probabilities(g *group, b, p []float64) []float64 {
	n := g.to - g.from
	if cap(p) < n {
		p = make([]float64, n)
	}
	p = p[:n]
	highest := math.Inf(-1)
	for a := range p {
		row := s.rows[(g.from+a)*s.k : (g.from+a+1)*s.k]
		u := 0.0
		for v, x := range row {
			u += b[v] * float64(x)
		}
		p[a] = u
		highest = max(highest, u)
	}
	sum := 0.0
	for a := range p {
		p[a] = math.Exp(p[a] - highest)
		if g.stands != nil {
			sum += p[a] * g.stands[a]
		} else {
			sum += p[a]
		}
	}
	for a := range p {
		p[a] /= sum
	}
	return p
}

// hessian is minus the second derivative of the sum of the log likelihood at b, worked out on every so manieth group.
func (s *sample) hessian(b []float64, every int) *mat.SymDense {
	k := s.k
	const chunks = 8
	sums := make([][]float64, chunks)
	movers := 0.0
	for g := 0; g < len(s.groups); g += every {
		movers += s.groups[g].movers
	}
	parallel(chunks, func(c int) {
		sum := make([]float64, k*k)
		mean, x := make([]float64, k), make([]float64, k)
		var p []float64
		for gi := c * every; gi < len(s.groups); gi += chunks * every {
			g := &s.groups[gi]
			p = s.probabilities(g, b, p)
			clear(mean)
			for a := range p {
				weight := 1.0
				if g.stands != nil {
					weight = g.stands[a]
				}
				expected := g.movers * p[a]
				row := s.rows[(g.from+a)*k : (g.from+a+1)*k]
				for v := range row {
					x[v] = float64(row[v])
					mean[v] += weight * p[a] * x[v]
				}
				if w := weight * expected; w > 1e-9*g.movers {
					for u := range k {
						wu := w * x[u]
						for v := u; v < k; v++ {
							sum[u*k+v] += wu * x[v]
						}
					}
				}
			}
			for u := range k {
				for v := u; v < k; v++ {
					sum[u*k+v] -= g.movers * mean[u] * mean[v]
				}
			}
		}
		sums[c] = sum
	})
	h := mat.NewSymDense(k, nil)
	for u := range k {
		for v := u; v < k; v++ {
			t := 0.0
			for c := range chunks {
				t += sums[c][u*k+v]
			}
			h.SetSym(u, v, t*s.movers/movers)
		}
	}
	return h
}

// dispersion is Pearson's chi-square at b over its degrees of freedom, at least 1: how many movers count as one.
func (s *sample) dispersion(b []float64) float64 {
	chis := make([]float64, len(s.groups))
	parallel(len(s.groups), func(gi int) {
		g := &s.groups[gi]
		for a, p := range s.probabilities(g, b, nil) {
			weight := 1.0
			if g.stands != nil {
				weight = g.stands[a]
			}
			expected := g.movers * p
			d := g.seen[a] - expected
			chis[gi] += weight * d * d / max(expected, smallestExpected)
		}
	})
	chiSquare, free := 0.0, -s.k
	for gi := range s.groups {
		g := &s.groups[gi]
		chiSquare += chis[gi]
		free += g.to - g.from - 1
		for _, n := range g.stands {
			free += int(n) - 1
		}
	}
	return max(1, chiSquare/float64(max(1, free)))
}

// smallestExpected keeps a mover where nobody was expected from making up the whole of chi-square.
const smallestExpected = 1

// fitLogit finds the most probable coefficients from a start. It walks with L-BFGS in coordinates in which the Hessian at
// the start is the identity, so that variables that move together (the knots of distance) cost no more steps than others.
func fitLogit(s *sample, priors []prior, start []float64, overlap, dispersion float64) (fit, error) {
	if s.movers <= 0 {
		return fit{}, errors.New("no movers to fit to")
	}
	if dispersion <= 0 {
		dispersion = 1
	}
	o := &objective{sample: s, priors: priors, dispersion: dispersion, overlap: overlap}
	h := s.hessian(start, 1+s.pairs()/roughPairs)
	root, err := s.root(h, priors, dispersion)
	if err != nil {
		return fit{}, err
	}
	at := func(z []float64) []float64 {
		b := mat.NewVecDense(s.k, nil)
		// b = start + L^-T z
		if err := b.SolveVec(root.T(), mat.NewVecDense(s.k, z)); err != nil {
			var condition mat.Condition
			if !errors.As(err, &condition) {
				panic(err) // the factor is square and has no zero on its diagonal
			}
		}
		for v := range start {
			b.SetVec(v, b.AtVec(v)+start[v])
		}
		return b.RawVector().Data
	}
	problem := optimize.Problem{
		Func: func(z []float64) float64 { return o.evaluate(at(z), nil) },
		Grad: func(grad, z []float64) {
			g := make([]float64, s.k)
			o.evaluate(at(z), g)
			t := mat.NewVecDense(s.k, nil)
			_ = t.SolveVec(root, mat.NewVecDense(s.k, g))
			copy(grad, t.RawVector().Data)
		},
	}
	settings := &optimize.Settings{
		MajorIterations:   mostIterations,
		GradientThreshold: 1e-6,
		Converger:         &optimize.FunctionConverge{Absolute: 1e-7, Iterations: 4},
	}
	result, err := optimize.Minimize(problem, make([]float64, s.k), settings, &optimize.LBFGS{Store: 20})
	if result == nil {
		return fit{}, fmt.Errorf("fit: %w", err)
	}
	// A line search that finds no step any more stands at the optimum for float32 variables, or at an edge of CPC.
	f := fit{coefficients: at(result.X), dispersion: dispersion, iterations: result.MajorIterations}
	for _, b := range f.coefficients {
		if math.IsNaN(b) || math.IsInf(b, 0) {
			return fit{}, errors.New("fit: the coefficients ran away; are there fewer flows than variables?")
		}
	}
	return f, nil
}

const (
	mostIterations = 200
	// roughPairs are enough for the coordinates of the walk.
	roughPairs = 200_000
)

// root is the Cholesky factor L of the Hessian of the objective, per mover.
func (s *sample) root(h *mat.SymDense, priors []prior, dispersion float64) (*mat.TriDense, error) {
	k := s.k
	scaled := mat.NewSymDense(k, nil)
	for u := range k {
		for v := u; v < k; v++ {
			scaled.SetSym(u, v, h.At(u, v)/s.movers)
		}
		scaled.SetSym(u, u, scaled.At(u, u)*(1+1e-6)+dispersion/s.movers/(priors[u].sd*priors[u].sd)+1e-12)
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(scaled) {
		return nil, errors.New("fit: the variables say the same twice")
	}
	root := mat.NewTriDense(k, mat.Lower, nil)
	cholesky.LTo(root)
	return root, nil
}

// finish adds the dispersion and the standard errors.
func (f *fit) finish(s *sample, priors []prior) error {
	h := s.hessian(f.coefficients, 1)
	f.dispersion = s.dispersion(f.coefficients)
	for v, q := range priors {
		h.SetSym(v, v, h.At(v, v)+f.dispersion/(q.sd*q.sd))
	}
	var cholesky mat.Cholesky
	var inverse mat.SymDense
	f.errors = make([]float64, s.k)
	if !cholesky.Factorize(h) {
		return errors.New("standard errors: the variables say the same twice")
	}
	if err := cholesky.InverseTo(&inverse); err != nil {
		var condition mat.Condition
		if !errors.As(err, &condition) {
			return err
		}
	}
	for v := range f.errors {
		f.errors[v] = math.Sqrt(max(0, inverse.At(v, v)) * f.dispersion)
	}
	return nil
}
