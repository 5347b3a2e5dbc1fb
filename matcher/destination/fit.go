package destination

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"onward"
)

// Observation is a person as they were known on a day, and where they were seen to live later.
type Observation struct {
	Person Person
	Day    onward.Date
	Place  onward.PlaceID // 0: abroad
}

const (
	// priorDeviation is the standard deviation of the normal prior of each coefficient, around the documented one: a
	// coefficient that is off by one of these multiplies the odds by 1.6. Judgement: wide enough for a few hundred
	// observations to move it, narrow enough to hold it where they say nothing.
	priorDeviation = 0.5
	// nearestCentreKm: someone seen in a place that is no alternative is counted in the nearest urban centre within it.
	nearestCentreKm = 60
)

// Fit is the result of fitting the coefficients of a country.
type Fit struct {
	Coefficients Coefficients
	// Error is the standard error of each coefficient, from the curvature of the posterior.
	Error [coefficients]float64
	// Used and Dropped count observations; dropped are those in a place that is near no alternative.
	Used, Dropped int
	// LogLikelihood is the mean of ln P(observed place), in nats a person, on the observations that were fitted.
	LogLikelihood float64
}

// FitCoefficients finds the coefficients of the highest posterior probability (MAP): the likelihood of where people were seen to
// live, times a normal prior around the given coefficients. It climbs by L-BFGS with the analytic gradient. Openings, which no
// observation speaks of, stays. EInvalid without a usable observation.
func FitCoefficients(gazetteer *Gazetteer, observations []Observation, prior Coefficients, version string) (Fit, error) {
	fit := Fit{Coefficients: prior}
	fit.Coefficients.Version, fit.Coefficients.Country = version, gazetteer.Country()
	var cases []*observed
	for _, o := range observations {
		if c := newObserved(gazetteer, o); c != nil {
			cases = append(cases, c)
		} else {
			fit.Dropped++
		}
	}
	fit.Used = len(cases)
	if fit.Used == 0 {
		return fit, onward.Errorf(onward.EInvalid, "no observation names a place of the country or abroad")
	}
	posterior := posterior{gazetteer, cases, prior.Value}
	problem := optimize.Problem{
		Func: func(x []float64) float64 { return posterior.value(x, nil) },
		Grad: func(gradient, x []float64) { posterior.value(x, gradient) },
	}
	settings := &optimize.Settings{
		MajorIterations: 200, GradientThreshold: 1e-6 * float64(fit.Used), Converger: &optimize.FunctionConverge{Absolute: 1e-9, Iterations: 5},
	}
	result, err := optimize.Minimize(problem, prior.Value[:], settings, &optimize.LBFGS{Store: 15})
	if result == nil || (err != nil && !errors.Is(err, optimize.ErrLinesearcherFailure)) {
		return fit, err
	}
	copy(fit.Coefficients.Value[:], result.X)
	fit.Error = posterior.errors(result.X)
	for _, c := range cases {
		fit.LogLikelihood += c.logProbability(gazetteer, fit.Coefficients.Value[:], nil) / float64(fit.Used)
	}
	return fit, nil
}

// LogProbability is ln P(observed place) by a model; false when the place is near no alternative.
func (m *Model) LogProbability(o Observation) (float64, bool) {
	c := newObserved(m.gazetteer, o)
	if c == nil {
		return 0, false
	}
	return c.logProbability(m.gazetteer, m.coefficients.Value[:], nil), true
}

// posterior is minus the logarithm of the posterior, up to a constant.
type posterior struct {
	gazetteer *Gazetteer
	cases     []*observed
	prior     [coefficients]float64
}

func (p posterior) value(x, gradient []float64) float64 {
	clear(gradient)
	sum := 0.0
	var one []float64
	if gradient != nil {
		one = make([]float64, coefficients)
	}
	for _, c := range p.cases {
		clear(one)
		sum -= c.logProbability(p.gazetteer, x, one)
		for k, g := range one {
			gradient[k] -= g
		}
	}
	for k, prior := range p.prior {
		off := x[k] - prior
		sum += off * off / (2 * priorDeviation * priorDeviation)
		if gradient != nil {
			gradient[k] += off / (priorDeviation * priorDeviation)
		}
	}
	return sum
}

// errors are the square roots of the diagonal of the inverse Hessian, which is taken from differences of the gradient.
func (p posterior) errors(x []float64) (list [coefficients]float64) {
	const step = 1e-4
	n := int(coefficients)
	hessian := mat.NewSymDense(n, nil)
	high, low, moved := make([]float64, n), make([]float64, n), make([]float64, n)
	for k := range n {
		copy(moved, x)
		moved[k] = x[k] + step
		p.value(moved, high)
		moved[k] = x[k] - step
		p.value(moved, low)
		for j := range n {
			half := (high[j] - low[j]) / (2 * step) / 2
			hessian.SetSym(k, j, hessian.At(k, j)+half)
			if j == k {
				hessian.SetSym(k, k, hessian.At(k, k)+half)
			}
		}
	}
	var cholesky mat.Cholesky
	var inverse mat.SymDense
	if !cholesky.Factorize(hessian) || cholesky.InverseTo(&inverse) != nil {
		for k := range list {
			list[k] = math.NaN() // not at a maximum: nothing can be said
		}
		return list
	}
	for k := range list {
		list[k] = math.Sqrt(inverse.At(k, k))
	}
	return list
}
