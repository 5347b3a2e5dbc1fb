// Package destination predicts where a returnee may be living: a probability over the community of origin, the urban
// centres of the country, and abroad. It is pure: places and the day come in as values.
//
// The model is a conditional logit over reasons to be somewhere. The first reason is the pull of an urban centre, which
// rests on its size and its distance to the community of origin and to where the person is; it is scaled so that all
// centres together have 1, and so the other constants mean the same in a country of 30 centres and in one of 1,300. The
// second is a tie: a place where the person comes from, is, has kin, lived before or wants to live has a mass of its own,
// however small and far it is, and may be a village that is not among the centres. The third is abroad.
//
//	pull(c) = population^a x km(origin)^b x km(current)^d / sum over the centres
//	mass(c) = (pull(c) + knownPull x (exp(ties) - 1)) x (1 + openings)^e      ties: a sum, each fading with its age
//	P(c)    = (1 - mix) x mass(c) / (sum of all masses + mass(abroad)) + mix x (the same without ties)
//
// mix grows with the age of the information. Nothing ever assumes "city" or "origin": both come out of the same sum. In a
// country that one city dominates the widest thing that the model knows is that city.
package destination

import (
	"math"
	"slices"

	"onward"
)

// Person is what the model may know of someone. There is no name, sex, nationality, ethnicity, religion or mother tongue.
type Person struct {
	Places     []onward.PersonPlace
	Intention  *onward.OnwardIntention
	ReturnedOn onward.Date
	// Excluded places are never destinations, and no note says so.
	Excluded []onward.ExcludedPlace
	// Opportunities counts the open opportunities that fit, by place. Nil: not looked at.
	Opportunities map[onward.PlaceID]float64
}

// NewPerson takes from a profile what the model uses.
func NewPerson(r onward.ReturneeDetails) Person {
	return Person{Places: r.Places, Intention: r.Intention, ReturnedOn: r.ReturnedOn, Excluded: r.Safety.ExcludedPlaces}
}

// Model predicts for one country.
type Model struct {
	gazetteer    *Gazetteer
	coefficients Coefficients
}

// NewModel joins the places of a country with coefficients.
func NewModel(gazetteer *Gazetteer, coefficients Coefficients) *Model {
	return &Model{gazetteer, coefficients}
}

// Version names the coefficients, for onward.ListVersions.
func (m *Model) Version() string { return m.coefficients.Version }

// Coefficients are those that the model predicts with.
func (m *Model) Coefficients() Coefficients { return m.coefficients }

// Gazetteer is the places that the model chooses among.
func (m *Model) Gazetteer() *Gazetteer { return m.gazetteer }

// tie is what binds the person to one place.
type tie struct {
	place     int32
	relations map[onward.PlaceRelation]float64 // what each adds to the utility, faded
	intention float64
}

func (t tie) utility() float64 {
	sum := t.intention
	for _, r := range onward.PlaceRelations() { // in one order, so that the sum is always the same
		sum += t.relations[r]
	}
	return sum
}

func (t tie) reasons() []onward.PlaceRelation {
	var reasons []onward.PlaceRelation
	for _, r := range onward.PlaceRelations() {
		if _, ok := t.relations[r]; ok {
			reasons = append(reasons, r)
		}
	}
	return reasons
}

// Predict spreads the person over the places. The probabilities add up to 1 within 1e-9.
func (m *Model) Predict(person Person, today onward.Date) Spread {
	known := m.read(person, today)
	out := m.gazetteer.excluded(person.Excluded)
	pull := m.pull(known, out)

	mass := make([]float64, len(pull), len(pull)+len(known.ties))
	copy(mass, pull)
	position := make([]int32, len(pull), cap(mass)) // of each alternative in the places
	copy(position, m.gazetteer.urban)
	reasons := map[int32][]onward.PlaceRelation{}
	for _, t := range known.ties {
		if out != nil && out[t.place] {
			continue
		}
		reasons[t.place] = t.reasons()
		k := m.gazetteer.centre(t.place)
		if k < 0 {
			k = len(mass)
			mass, position = append(mass, 0), append(position, t.place)
		}
		if utility := t.utility(); utility >= 0 {
			mass[k] += knownPull * math.Expm1(utility)
		} else {
			mass[k] *= math.Exp(utility) // who wants to leave: less than size and distance say
		}
	}
	for k := range mass {
		if n := person.Opportunities[m.gazetteer.places[position[k]].ID]; n > 0 {
			mass[k] *= math.Pow(1+n, m.coefficients.Value[Openings])
		}
	}
	return m.spread(alternatives{mass, pull, position, reasons, known.abroad}, known)
}

// pull is what size and distance say of each urban centre, adding up to 1 (or to 0 when there is none).
func (m *Model) pull(known knowledge, out []bool) []float64 {
	g, c := m.gazetteer, m.coefficients.Value
	pull := make([]float64, len(g.urban))
	nearest := kmToChord2(nearestKm)
	// ln km from the square of the chord: half its logarithm, up to a constant that the scaling takes out. The chord is
	// shorter than the arc by under 3 % up to 5,000 km.
	total := 0.0
	for k, i := range g.urban {
		if out != nil && out[i] {
			continue
		}
		utility := c[Population] * (g.logPopulation[k] - logReferencePopulation)
		if known.origin >= 0 {
			utility += c[DistanceOrigin] / 2 * math.Log(max(g.unit[i].chord2(g.unit[known.origin]), nearest))
		}
		if known.current >= 0 {
			utility += c[DistanceCurrent] / 2 * math.Log(max(g.unit[i].chord2(g.unit[known.current]), nearest))
		}
		if k == g.largest {
			utility += c[CapitalCity]
		}
		pull[k] = math.Exp(utility)
		total += pull[k]
	}
	if total > 0 {
		for k := range pull {
			pull[k] /= total
		}
	}
	return pull
}

// logReferencePopulation is ln(100,000). It keeps the exponents small; the scaling takes it out.
const logReferencePopulation = 11.512925464970229

// knowledge is a person's record in the terms of the model.
type knowledge struct {
	ties            []tie
	origin, current int32 // positions of the places, -1 when unknown or not in the country
	abroad          float64
	ageMonths       float64 // of the newest information
	ageKnown        bool
	statements      []statement
}

func (m *Model) read(person Person, today onward.Date) knowledge {
	k := knowledge{origin: -1, current: -1, ageMonths: unknownAgeMonths}
	c := m.coefficients.Value
	abroad, kinAbroad := c[Abroad], 0.0
	k.saw(person.ReturnedOn, today)
	for _, p := range person.Places {
		recorded := p.RecordedOn
		switch {
		case !recorded.IsZero():
			k.saw(recorded, today)
		case p.Relation == onward.PlaceCurrent:
			recorded = person.ReturnedOn // the first place after the return
		case p.Relation == onward.PlaceIntended && person.Intention != nil:
			recorded = person.Intention.RecordedOn
		}
		age, dated := ageMonths(recorded, today)
		k.state(p.Relation, age, dated)
		place, ok := m.gazetteer.index[p.PlaceID]
		if !ok {
			if p.Relation == onward.PlaceKin && p.PlaceID < onward.FirstOwnPlaceID {
				kinAbroad = 1
			}
			continue
		}
		switch p.Relation {
		case onward.PlaceOrigin:
			k.origin = place
			k.tie(place, p.Relation, c[TieOrigin], 1)
		case onward.PlaceCurrent:
			k.current = place
			k.tie(place, p.Relation, c[TieCurrent], fade(age, currentHalfLifeMonths))
		case onward.PlaceKin:
			k.tie(place, p.Relation, c[TieKin], 1)
		case onward.PlacePrevious:
			k.tie(place, p.Relation, c[TiePrevious], 1)
		case onward.PlaceIntended:
			k.tie(place, p.Relation, c[TieIntended], fade(age, intentionHalfLifeMonths))
		}
	}
	if in := person.Intention; in != nil {
		k.saw(in.RecordedOn, today)
		age, dated := ageMonths(in.RecordedOn, today)
		fresh := fade(age, intentionHalfLifeMonths)
		k.state(intention, age, dated)
		switch in.Intention {
		case onward.IntendsToStay:
			k.intend(c[IntentionStay] * fresh)
			abroad += c[AbroadStay] * fresh
		case onward.IntendsToMove:
			k.intend(c[IntentionMove] * fresh)
			abroad += c[AbroadMoveWithin] * fresh
		case onward.IntendsToGoAbroad:
			abroad += c[AbroadIntended] * fresh
		case onward.IntentionUndecided:
		}
	}
	k.abroad = math.Exp(abroad + kinAbroad*c[AbroadKin])
	return k
}

// saw notes when something was last learnt of the person.
func (k *knowledge) saw(day, today onward.Date) {
	if age, ok := ageMonths(day, today); ok && (!k.ageKnown || age < k.ageMonths) {
		k.ageMonths, k.ageKnown = age, true
	}
}

// tie adds a relation. Recorded twice for one place it counts once, by the fresher record.
func (k *knowledge) tie(place int32, relation onward.PlaceRelation, utility, fresh float64) {
	i := slices.IndexFunc(k.ties, func(t tie) bool { return t.place == place })
	if i < 0 {
		i = len(k.ties)
		k.ties = append(k.ties, tie{place: place, relations: map[onward.PlaceRelation]float64{}})
	}
	t := &k.ties[i]
	if before, again := t.relations[relation]; !again || math.Abs(utility*fresh) > math.Abs(before) {
		t.relations[relation] = utility * fresh
	}
}

// intend moves the place where the person is, else the community of origin.
func (k *knowledge) intend(utility float64) {
	where := k.current
	if where < 0 {
		where = k.origin
	}
	for i := range k.ties {
		if k.ties[i].place == where {
			k.ties[i].intention += utility
		}
	}
}

// ageMonths is the age of information; false, and a neutral age, when it has no date. The future counts as today.
func ageMonths(day, today onward.Date) (float64, bool) {
	if day.IsZero() {
		return unknownAgeMonths, false
	}
	return math.Max(0, float64(day.DaysUntil(today))/daysPerMonth), true
}
