package destination

import (
	"hash/fnv"
	"math"

	"onward"
)

// PersonObservation is an observation of one person; the id keeps a person's observations together.
type PersonObservation struct {
	Person onward.ID
	Observation
}

// Comparison says how fitted coefficients do against those in use, on people whom they were not fitted on.
type Comparison struct {
	People int `json:"people"`
	// OldLogLikelihood and NewLogLikelihood are the means of ln P(observed place), in nats a person.
	OldLogLikelihood float64 `json:"old_log_likelihood"`
	NewLogLikelihood float64 `json:"new_log_likelihood"`
	// Gain is their difference, StandardError that of the gain over people.
	Gain          float64 `json:"gain"`
	StandardError float64 `json:"standard_error"`
}

// oneSided is the 95th percentile of the normal distribution.
const oneSided = 1.6449

// Better says whether the gain is more than chance, at one in twenty.
func (c Comparison) Better() bool { return c.People > 1 && c.Gain-oneSided*c.StandardError > 0 }

// folds are how many parts people are dealt into; each is predicted by what was fitted on the others.
const folds = 5

// Compare fits on four fifths of the people and predicts the rest, five times, and holds the coefficients in use against it.
// People are dealt by a hash of their ids, so that it always comes out alike.
func Compare(gazetteer *Gazetteer, observations []PersonObservation, current, prior Coefficients) (Comparison, error) {
	var parts [folds][]Observation
	for _, o := range observations {
		h := fnv.New32a()
		_, _ = h.Write(o.Person[:])
		part := h.Sum32() % folds
		parts[part] = append(parts[part], o.Observation)
	}
	var c Comparison
	old := NewModel(gazetteer, current)
	squares := 0.0
	for part, held := range parts {
		var others []Observation
		for k := range parts {
			if k != part {
				others = append(others, parts[k]...)
			}
		}
		fit, err := FitCoefficients(gazetteer, others, prior, "held back")
		if err != nil {
			return c, err
		}
		fitted := NewModel(gazetteer, fit.Coefficients)
		for _, o := range held {
			before, ok := old.LogProbability(o)
			if !ok {
				continue
			}
			after, _ := fitted.LogProbability(o)
			c.People++
			c.OldLogLikelihood += before
			c.NewLogLikelihood += after
			squares += (after - before) * (after - before)
		}
	}
	if c.People == 0 {
		return c, onward.Errorf(onward.EInvalid, "no observation names a place of the country or abroad")
	}
	n := float64(c.People)
	c.OldLogLikelihood /= n
	c.NewLogLikelihood /= n
	c.Gain = c.NewLogLikelihood - c.OldLogLikelihood
	if c.People > 1 {
		c.StandardError = math.Sqrt(math.Max(0, squares/n-c.Gain*c.Gain) / (n - 1))
	}
	return c, nil
}
