package destination

import (
	"math"
	"slices"

	"onward"
)

// Joint is where people who live together may be: the renormalised geometric mean of their own spreads,
//
//	P(c) = (prod_i P_i(c))^(1/n) / sum over places, elsewhere and abroad of the same.
//
// Since each spread is a logit, this is the choice of a household that weighs the utility of each adult alike (the sum of
// gains of Mincer 1978; as a pool of opinions it is the logarithmic one, which alone commutes with learning more). A place
// that one spread does not list has an even share of its elsewhere. Excluded places are none, whoever excludes them. The
// order of the spreads does not matter, to the last bit. All of it is elsewhere when no place is left for all.
func Joint(gazetteer *Gazetteer, excluded []onward.PlaceID, spreads ...Spread) Spread {
	listed, elsewhere, abroad := make([]map[onward.PlaceID]float64, len(spreads)), make([]float64, len(spreads)), make([]float64, len(spreads))
	var places []onward.PlaceID
	for i, s := range spreads {
		s = s.In(gazetteer)
		listed[i] = make(map[onward.PlaceID]float64, len(s.Places))
		for _, p := range s.Places {
			listed[i][p.PlaceID] = p.Probability
			places = append(places, p.PlaceID)
		}
		elsewhere[i] = s.Elsewhere / float64(max(1, gazetteer.Len()-len(s.Places))) // of each place that is not listed
		abroad[i] = s.Abroad
	}
	slices.Sort(places)
	places = slices.Compact(places)
	joint := Spread{Abroad: geometricMean(abroad)}
	joint.Elsewhere = float64(max(0, gazetteer.Len()-len(places))) * geometricMean(elsewhere)
	for _, id := range places {
		if slices.Contains(excluded, id) {
			continue
		}
		shares := slices.Clone(elsewhere)
		for i := range shares {
			if p, ok := listed[i][id]; ok {
				shares[i] = p
			}
		}
		if p := geometricMean(shares); p > 0 {
			joint.Places = append(joint.Places, PlaceProbability{PlaceID: id, Probability: p})
		}
	}
	return joint.normalised()
}

// geometricMean multiplies in the order of size, so that the order given does not matter.
func geometricMean(factors []float64) float64 {
	product := 1.0
	for _, f := range slices.Sorted(slices.Values(factors)) {
		product *= f
	}
	return math.Pow(product, 1/float64(len(factors)))
}

// normalised scales to 1, keeps the likeliest places and works out the entropy.
func (s Spread) normalised() Spread {
	likeliestFirst(s.Places)
	total := s.Elsewhere + s.Abroad
	for _, p := range s.Places {
		total += p.Probability
	}
	if !(total > 0) {
		return Spread{Elsewhere: 1, Basis: s.Basis, Widened: s.Widened}
	}
	s.Elsewhere, s.Abroad = s.Elsewhere/total, s.Abroad/total
	s.Entropy = entropyOf(s.Elsewhere) + entropyOf(s.Abroad)
	for i := range s.Places {
		s.Places[i].Probability /= total
		s.Entropy += entropyOf(s.Places[i].Probability)
	}
	for len(s.Places) > mostListed {
		last := len(s.Places) - 1
		s.Elsewhere += s.Places[last].Probability
		s.Places = s.Places[:last]
	}
	return s
}
