package flows

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// situation is the choice that the movers of one origin made in one period.
type situation struct {
	period *period
	origin int
	movers float64
	chosen []choice // in the order of the places
	// block names what is held back together with this origin when the evidence is gathered and when models are compared.
	block int
}

type choice struct {
	dest         int
	movers       float64
	kin, kinBack float64 // NaN: unknown
}

// situations groups flows by period and origin. An unknown place, a stayer or a pair given twice is an error.
func (w *World) situations(list []Flow) ([]*situation, error) {
	type key struct {
		period string
		origin int
	}
	byKey := map[key]*situation{}
	var all []*situation
	for _, f := range list {
		p := w.periods[f.Period]
		if p == nil {
			return nil, fmt.Errorf("no places in period %q", f.Period)
		}
		i, ok := p.index[f.Origin]
		if !ok {
			return nil, fmt.Errorf("origin %q is no place of period %q", f.Origin, f.Period)
		}
		j, ok := p.index[f.Dest]
		if !ok {
			return nil, fmt.Errorf("destination %q is no place of period %q", f.Dest, f.Period)
		}
		if i == j {
			return nil, fmt.Errorf("place %q is both origin and destination in period %q: leave stayers out", f.Origin, f.Period)
		}
		k := key{f.Period, i}
		s := byKey[k]
		if s == nil {
			s = &situation{period: p, origin: i}
			byKey[k] = s
			all = append(all, s)
		}
		s.chosen = append(s.chosen, choice{j, f.Movers, f.Kin, f.KinBack})
		s.movers += f.Movers
	}
	slices.SortFunc(all, func(a, b *situation) int {
		return cmp.Or(cmp.Compare(a.period.name, b.period.name), cmp.Compare(a.origin, b.origin))
	})
	for _, s := range all {
		slices.SortFunc(s.chosen, func(a, b choice) int { return cmp.Compare(a.dest, b.dest) })
		for k := 1; k < len(s.chosen); k++ {
			if s.chosen[k].dest == s.chosen[k-1].dest {
				return nil, fmt.Errorf("the flow from %q to %q stands twice in period %q",
					s.period.places[s.origin].ID, s.period.places[s.chosen[k].dest].ID, s.period.name)
			}
		}
	}
	return all, nil
}

// Prediction is the spread of the movers of one origin: P has one number per place of the period, 0 at the origin.
type Prediction struct {
	Period string
	Origin string
	// Places are the ids of the places of the period, shared by all predictions of it.
	Places []string
	P      []float64

	situation *situation
}

// softmax turns utilities into probabilities in place, 0 at the origin.
func softmax(utility []float64, origin int) {
	highest := math.Inf(-1)
	for j, u := range utility {
		if j != origin && u > highest {
			highest = u
		}
	}
	sum := 0.0
	for j, u := range utility {
		if j == origin {
			utility[j] = 0
			continue
		}
		utility[j] = math.Exp(u - highest)
		sum += utility[j]
	}
	for j := range utility {
		utility[j] /= sum
	}
}
