package destination

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"onward"
)

// PlaceProbability is one place of a spread.
type PlaceProbability struct {
	PlaceID     onward.PlaceID
	Probability float64
	Reasons     []onward.PlaceRelation // what ties the person to it; none for size and distance alone
}

// Spread is a likely destination: probabilities that add up to 1 within 1e-9.
type Spread struct {
	Places     []PlaceProbability // the likeliest first, then by id
	Elsewhere  float64            // all other places of the country together
	Abroad     float64
	Entropy    float64                   // in nats, over all alternatives, listed or not; 0 when one is certain
	Overridden bool                      // a counsellor stated it
	Basis      []onward.DestinationBasis // what it rests on
	Widened    bool                      // by the age of what is known
}

// alternatives is what the model chooses among.
type alternatives struct {
	mass     []float64 // by alternative: the urban centres, then the villages with a tie
	pull     []float64 // by urban centre: the same without ties
	position []int32
	reasons  map[int32][]onward.PlaceRelation
	abroad   float64
}

// mixOf is how much size and distance alone count: more with the age of the information.
func mixOf(known knowledge) float64 {
	return mixFresh + (mixOld-mixFresh)*(1-fade(known.ageMonths, mixHalfLifeMonths))
}

// spread turns masses into probabilities, mixed with those that rest on size and distance alone.
func (m *Model) spread(a alternatives, known knowledge) Spread {
	mix := mixOf(known)
	plainAbroad := math.Exp(m.coefficients.Value[Abroad])
	// Somewhere in the country: what a country without any urban centre still has.
	somewhere := 1.0
	for _, p := range a.pull {
		if p > 0 {
			somewhere = 0
			break
		}
	}
	total := somewhere + a.abroad
	for _, mass := range a.mass {
		total += mass
	}
	plainTotal := 1 + plainAbroad
	s := Spread{
		Abroad:    (1-mix)*a.abroad/total + mix*plainAbroad/plainTotal,
		Elsewhere: (1-mix)*somewhere/total + mix*somewhere/plainTotal,
		Basis:     known.basis(),
		Widened:   known.widened(),
	}
	s.Entropy = entropyOf(s.Abroad) + entropyOf(s.Elsewhere)
	for k, mass := range a.mass {
		p := (1 - mix) * mass / total
		if k < len(a.pull) {
			p += mix * a.pull[k] / plainTotal
		}
		s.Entropy += entropyOf(p)
		if p < smallestListed {
			s.Elsewhere += p
			continue
		}
		s.Places = append(s.Places, PlaceProbability{m.gazetteer.places[a.position[k]].ID, p, a.reasons[a.position[k]]})
	}
	likeliestFirst(s.Places)
	for len(s.Places) > mostListed {
		last := len(s.Places) - 1
		s.Elsewhere += s.Places[last].Probability
		s.Places = s.Places[:last]
	}
	return s
}

func likeliestFirst(places []PlaceProbability) {
	slices.SortFunc(places, func(a, b PlaceProbability) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.PlaceID, b.PlaceID))
	})
}

func entropyOf(p float64) float64 {
	if p <= 0 {
		return 0
	}
	return -p * math.Log(p)
}

// Stated is the spread that a counsellor states (onward.RequestOptions.Destination), in place of the model's. The
// probabilities are scaled to add up to 1 exactly; a place without an id is abroad. Without any probability all of it is
// elsewhere in the country.
func Stated(places []onward.LikelyPlace) Spread {
	s := Spread{Overridden: true}
	total := 0.0
	for _, p := range places {
		total += max(0, p.Probability)
	}
	if !(total > 0) {
		s.Elsewhere = 1
		return s
	}
	for _, p := range places {
		probability := p.Probability / total
		switch {
		case !(probability > 0):
			continue
		case p.PlaceID == 0:
			s.Abroad += probability
		default:
			s.Places = append(s.Places, PlaceProbability{PlaceID: p.PlaceID, Probability: probability})
			s.Entropy += entropyOf(probability)
		}
	}
	s.Entropy += entropyOf(s.Abroad)
	likeliestFirst(s.Places)
	return s
}

// In counts as abroad what a counsellor stated of places that the reference data has in another country. A place that an
// organisation added a moment ago, and that the gazetteer does not have yet, stays.
func (s Spread) In(gazetteer *Gazetteer) Spread {
	isAbroad := func(p PlaceProbability) bool {
		_, here := gazetteer.index[p.PlaceID]
		return !here && p.PlaceID < onward.FirstOwnPlaceID
	}
	if !slices.ContainsFunc(s.Places, isAbroad) {
		return s
	}
	here := make([]PlaceProbability, 0, len(s.Places))
	for _, p := range s.Places {
		if isAbroad(p) {
			s.Abroad += p.Probability
		} else {
			here = append(here, p)
		}
	}
	s.Places = here
	return s
}

// Destination is the spread as it is saved and shown, with the names of the places.
func (s Spread) Destination(gazetteer *Gazetteer) onward.Destination {
	s = s.In(gazetteer)
	d := onward.Destination{
		Places: make([]onward.DestinationPlace, len(s.Places)), Elsewhere: s.Elsewhere, Abroad: s.Abroad, Entropy: s.Entropy,
		Overridden: s.Overridden, Basis: s.Basis, Widened: s.Widened,
	}
	for i, p := range s.Places {
		reasons := make([]string, len(p.Reasons))
		for k, r := range p.Reasons {
			reasons[k] = string(r)
		}
		name := fmt.Sprintf("place %d", p.PlaceID)
		if place, ok := gazetteer.Place(p.PlaceID); ok {
			name = place.Label()
		}
		d.Places[i] = onward.DestinationPlace{PlaceID: p.PlaceID, Name: name, Probability: p.Probability, Reason: strings.Join(reasons, ", ")}
	}
	return d
}

// statement is one thing that the spread rests on.
type statement struct {
	what  onward.PlaceRelation
	age   float64
	dated bool
}

func (k *knowledge) state(what onward.PlaceRelation, age float64, dated bool) {
	for i := range k.statements {
		if s := &k.statements[i]; s.what == what {
			if dated && (!s.dated || age < s.age) {
				s.age, s.dated = age, true
			}
			return
		}
	}
	k.statements = append(k.statements, statement{what, age, dated})
}

// basis says what the spread rests on, in the order of the relations, the intention last.
func (k *knowledge) basis() []onward.DestinationBasis {
	order := append(onward.PlaceRelations(), intention)
	slices.SortStableFunc(k.statements, func(a, b statement) int {
		return cmp.Compare(slices.Index(order, a.what), slices.Index(order, b.what))
	})
	list := make([]onward.DestinationBasis, len(k.statements))
	for i, s := range k.statements {
		list[i].About = onward.BasisKind(s.what)
		list[i].Fades = s.what == onward.PlaceCurrent || s.what == onward.PlaceIntended || s.what == intention
		if months := int(math.Round(s.age)); list[i].Fades && s.dated {
			list[i].AgeMonths = &months
		}
	}
	return list
}

// widened says whether what is known is old, or nothing of it has a date.
func (k *knowledge) widened() bool {
	return len(k.statements) > 0 && (!k.ageKnown || k.ageMonths >= widenedAgeMonths)
}

// intention stands beside the relations to places.
const intention = onward.PlaceRelation(onward.BasisIntention)
