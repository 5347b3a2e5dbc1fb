package flows

import (
	"fmt"
	"math"
)

// uniform gives every place the same.
func uniform(s *situation, utility []float64) {
	for j := range utility {
		utility[j] = 0
	}
}

// populationShare gives every place its share of the population.
func populationShare(s *situation, utility []float64) {
	for j := range utility {
		utility[j] = math.Log(s.period.population[j])
	}
}

// radiation is Simini and others 2012, "A universal model for mobility and migration patterns":
// p = m n / ((m + s)(m + n + s)), with s the population nearer to the origin than the destination. It has no coefficients.
func radiation(s *situation, utility []float64) {
	n := s.period.len()
	m := s.period.population[s.origin]
	for j := range utility {
		between := float64(s.period.nearer[s.origin*n+j])
		there := s.period.population[j]
		utility[j] = math.Log(m) + math.Log(there) - math.Log(m+between) - math.Log(m+there+between)
	}
}

// gravityVariables are ln(population) and ln(distance).
func gravityVariables(s *situation, row []float32) {
	n := s.period.len()
	for j := range n {
		row[2*j] = float32(math.Log(s.period.population[j]))
		row[2*j+1] = s.period.logKm[s.origin*n+j]
	}
}

// Baseline is a simple model that any other has to beat.
type Baseline struct {
	Name        string
	Predictions []Prediction
	// Coefficients of gravity: of ln(population) and ln(distance).
	Coefficients []Coefficient
}

// Baselines predicts the test flows with a uniform spread, the share of the population, radiation, and gravity: a logit in
// ln(population) and ln(distance), fitted to the training flows by maximum likelihood.
func (w *World) Baselines(train, test []Flow) ([]Baseline, error) {
	from, err := w.situations(train)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	to, err := w.situations(test)
	if err != nil {
		return nil, fmt.Errorf("test: %w", err)
	}
	gravity, table, err := fitGravity(from)
	if err != nil {
		return nil, err
	}
	return []Baseline{
		{Name: "uniform", Predictions: predict(to, uniform)},
		{Name: "population_share", Predictions: predict(to, populationShare)},
		{Name: "radiation", Predictions: predict(to, radiation)},
		{Name: "gravity", Predictions: predict(to, gravity), Coefficients: table},
	}, nil
}

func fitGravity(from []*situation) (func(*situation, []float64), []Coefficient, error) {
	wide := prior{0, 1e3} // maximum likelihood
	priors := []prior{wide, wide}
	s := newSample(from, 2, gravityVariables, math.MaxInt)
	f, err := fitLogit(s, priors, []float64{0.8, -1}, 0, 1)
	if err == nil {
		err = f.finish(s, priors)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("gravity: %w", err)
	}
	table := []Coefficient{
		{Name: "ln_population", Value: f.coefficients[0], Error: f.errors[0]},
		{Name: "ln_distance", Value: f.coefficients[1], Error: f.errors[1]},
	}
	return func(s *situation, utility []float64) {
		row := make([]float32, 2*len(utility))
		gravityVariables(s, row)
		for j := range utility {
			utility[j] = f.coefficients[0]*float64(row[2*j]) + f.coefficients[1]*float64(row[2*j+1])
		}
	}, table, nil
}

// predict spreads the movers of each situation by a utility.
func predict(to []*situation, utility func(*situation, []float64)) []Prediction {
	ids := map[*period][]string{}
	for _, s := range to {
		if ids[s.period] == nil {
			for _, place := range s.period.places {
				ids[s.period] = append(ids[s.period], place.ID)
			}
		}
	}
	predictions := make([]Prediction, len(to))
	parallel(len(to), func(k int) {
		s := to[k]
		p := make([]float64, s.period.len())
		utility(s, p)
		softmax(p, s.origin)
		predictions[k] = Prediction{
			Period: s.period.name, Origin: s.period.places[s.origin].ID, Places: ids[s.period], P: p, situation: s,
		}
	})
	return predictions
}
