package destination

// Gradient is that of ln P(observed place), analytic and by differences.
func Gradient(g *Gazetteer, o Observation, at Coefficients) (analytic, numeric []float64) {
	c := newObserved(g, o)
	analytic, numeric = make([]float64, coefficients), make([]float64, coefficients)
	c.logProbability(g, at.Value[:], analytic)
	const step = 1e-6
	for k := range numeric {
		high, low := at.Value, at.Value
		high[k] += step
		low[k] -= step
		numeric[k] = (c.logProbability(g, high[:], nil) - c.logProbability(g, low[:], nil)) / (2 * step)
	}
	return analytic, numeric
}
