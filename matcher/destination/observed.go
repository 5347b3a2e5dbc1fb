package destination

import (
	"math"
	"slices"

	"onward"
)

// observed is an observation in the terms of the model: the variables that each coefficient multiplies, so that the
// logarithm of the probability and its gradient follow for any coefficients.
type observed struct {
	knowledge knowledge
	out       []bool
	mix       float64
	ties      []tieVariables
	abroad    [coefficients]float64 // ln mass(abroad) = sum of coefficient x variable
	isAbroad  bool
	centre    int // where the person was seen: an urban centre, or -1
	tie       int // and a tie there, or -1
}

// tieVariables are those of one place with ties.
type tieVariables struct {
	centre    int // among the urban centres, or -1 for a village
	variables [coefficients]float64
}

// newObserved reads an observation; nil when it is in a place that no alternative is near.
func newObserved(g *Gazetteer, o Observation) *observed {
	known := NewModel(g, Priors()).read(o.Person, o.Day)
	c := &observed{knowledge: known, out: g.excluded(o.Person.Excluded), mix: mixOf(known), centre: -1, tie: -1, isAbroad: o.Place == 0}
	c.ties = make([]tieVariables, len(known.ties))
	for i, t := range known.ties {
		c.ties[i].centre = g.centre(t.place)
	}
	// What is said of a person is linear in the coefficients: each variable shows with its coefficient at 1 and the others at 0.
	for k := range coefficients {
		var unit Coefficients
		unit.Value[k] = 1
		one := NewModel(g, unit).read(o.Person, o.Day)
		c.abroad[k] = math.Log(one.abroad)
		for i, t := range one.ties {
			c.ties[i].variables[k] = t.utility()
		}
	}
	if c.isAbroad {
		return c
	}
	place, ok := g.index[o.Place]
	if !ok {
		return nil
	}
	c.tie = slices.IndexFunc(known.ties, func(t tie) bool { return t.place == place })
	c.centre = g.centre(place)
	if c.centre < 0 && c.tie < 0 {
		c.centre = g.nearestCentre(o.Place, nearestCentreKm)
		if c.centre >= 0 {
			centre := g.urban[c.centre]
			c.tie = slices.IndexFunc(known.ties, func(t tie) bool { return t.place == centre })
		}
	}
	if (c.centre < 0 && c.tie < 0) || (c.out != nil && c.out[place]) {
		return nil
	}
	return c
}

// nearestCentre is the nearest urban centre within a distance, or -1.
func (g *Gazetteer) nearestCentre(id onward.PlaceID, km float64) int {
	best, bestKm := -1, math.Inf(1)
	for _, near := range g.Within(id, km) {
		if k := g.centre(g.index[near.PlaceID]); k >= 0 && near.DistanceKm < bestKm {
			best, bestKm = k, near.DistanceKm
		}
	}
	return best
}

// pullVariables are the coefficients that the pull of an urban centre depends on.
var pullVariables = [...]Coefficient{Population, DistanceOrigin, DistanceCurrent, CapitalCity}

// logProbability is ln P(observed place), and adds its gradient to one that is not nil. It is the same sum as Predict's:
//
//	mass(c) = pull(c) + knownPull (e^u - 1) for ties of u >= 0, pull(c) e^u below
//	P(c)    = (1 - mix) mass(c)/(sum + mass(abroad)) + mix pull(c)/(1 + e^abroad)
func (c *observed) logProbability(g *Gazetteer, x, gradient []float64) float64 {
	model := &Model{gazetteer: g}
	copy(model.coefficients.Value[:], x)
	pull := model.pull(c.knowledge, c.out)
	mean := c.meanOf(g, pull)
	abroad := math.Exp(dot(c.abroad[:], x))
	plainAbroad := math.Exp(x[Abroad])
	total := abroad + 1 // the pulls add up to 1; without a centre, "somewhere" has it: see Model.spread
	var dTotal [coefficients]float64
	for k := range dTotal {
		dTotal[k] = abroad * c.abroad[k]
	}
	mass, dMass := 0.0, [coefficients]float64{}
	plain, dPlain := 0.0, [coefficients]float64{}
	if c.centre >= 0 {
		plain = pull[c.centre]
		for _, k := range pullVariables {
			dPlain[k] = plain * (c.pullVariable(g, c.centre, k) - mean[k])
		}
		mass, dMass = plain, dPlain
	}
	for i := range c.ties {
		t := &c.ties[i]
		if c.out != nil && c.out[c.knowledge.ties[i].place] {
			continue
		}
		own, dOwn := 0.0, [coefficients]float64{}
		if t.centre >= 0 {
			own = pull[t.centre]
			for _, k := range pullVariables {
				dOwn[k] = own * (c.pullVariable(g, t.centre, k) - mean[k])
			}
		}
		added, dAdded := t.adds(x, own, dOwn)
		total += added
		for k := range dTotal {
			dTotal[k] += dAdded[k]
		}
		if i == c.tie {
			mass += added
			for k := range dMass {
				dMass[k] += dAdded[k]
			}
		}
	}
	if c.isAbroad {
		mass = abroad
		for k := range dMass {
			dMass[k] = abroad * c.abroad[k]
		}
		plain = plainAbroad
		dPlain[Abroad] = plainAbroad
	}
	plainTotal := 1 + plainAbroad
	p := (1-c.mix)*mass/total + c.mix*plain/plainTotal
	p = math.Max(p, math.SmallestNonzeroFloat64)
	for k := range gradient {
		d := (1 - c.mix) * (dMass[k] - mass/total*dTotal[k]) / total
		d += c.mix * dPlain[k] / plainTotal
		if Coefficient(k) == Abroad {
			d -= c.mix * plain / plainTotal * plainAbroad / plainTotal
		}
		gradient[k] += d / p
	}
	return math.Log(p)
}

// adds is what ties add to the mass of a place of a pull, and its gradient.
func (t *tieVariables) adds(x []float64, pull float64, dPull [coefficients]float64) (added float64, gradient [coefficients]float64) {
	utility := dot(t.variables[:], x)
	grown := math.Exp(utility)
	for k := range gradient {
		if utility >= 0 {
			gradient[k] = knownPull * grown * t.variables[k]
		} else {
			gradient[k] = pull*grown*t.variables[k] + (grown-1)*dPull[k]
		}
	}
	if utility >= 0 {
		return knownPull * math.Expm1(utility), gradient
	}
	return pull * (grown - 1), gradient
}

// meanOf is the mean of the variables of the pull over the urban centres, weighed by it.
func (c *observed) meanOf(g *Gazetteer, pull []float64) (mean [coefficients]float64) {
	for centre, p := range pull {
		if p > 0 {
			for _, k := range pullVariables {
				mean[k] += p * c.pullVariable(g, centre, k)
			}
		}
	}
	return mean
}

// pullVariable is what a coefficient of the pull multiplies: see Model.pull.
func (c *observed) pullVariable(g *Gazetteer, centre int, k Coefficient) float64 {
	from := int32(-1)
	switch k { //nolint:exhaustive // the others are of ties
	case Population:
		return g.logPopulation[centre] - logReferencePopulation
	case CapitalCity:
		if centre == g.largest {
			return 1
		}
		return 0
	case DistanceOrigin:
		from = c.knowledge.origin
	case DistanceCurrent:
		from = c.knowledge.current
	}
	if from < 0 {
		return 0
	}
	return math.Log(max(g.unit[g.urban[centre]].chord2(g.unit[from]), kmToChord2(nearestKm))) / 2
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
