package simulate

import (
	"math"
	"math/rand/v2"
	"slices"

	"onward"
)

// mover is the kind of person, which nobody records.
type mover int

const (
	homeward mover = iota
	network
	opportunity
	leaver
)

// abroad stands for a residence in no place of the country.
const abroad = -1

// person is a returnee as they are. Profile is what a counsellor recorded of them.
type person struct {
	number  int
	profile onward.ReturneeDetails

	kind        mover
	origin      int // positions of places
	now         int // where the person is
	final       int // where the person will live; abroad
	movesOn     int // day of the move, from the referral; past the horizon: never
	tolerance   float64
	relocates   bool            // for work with housing or relocation
	skills      map[string]bool // held
	occupations []string
	frailty     float64 // multiplies the hazard of losing work
	charm       float64 // shifts the chance of being taken
	reservation float64 // in minor units a month
}

func (p *person) homeOn(day int) int {
	if day >= p.movesOn {
		return p.final
	}
	return p.now
}

// drawPerson makes one person and their record.
func (m *maker) drawPerson(number int) *person {
	r := m.random
	p := &person{
		number: number, origin: m.origins.draw(r), skills: map[string]bool{},
		tolerance: commuteKm * math.Exp(commuteSpread*r.NormFloat64()),
		frailty:   gammaMeanOne(r), charm: studentT(r), relocates: r.Float64() < 0.3,
		movesOn: horizonDays + 1,
	}
	kin, previous := m.ties(p)
	p.kind = m.kindOf(kin, previous)
	p.now = p.origin
	switch x := r.Float64(); {
	case x < 0.2:
		p.now = m.cities.draw(r) // a shelter or a city of arrival
	case x < 0.35 && len(kin) > 0:
		p.now = kin[0]
	}
	m.move(p, kin, previous)
	m.work(p)
	m.record(p, kin, previous)
	return p
}

// ties draws where kin are, the closest first, and where the person lived before: near the origin for the most part, else
// anywhere that people are.
func (m *maker) ties(p *person) (kin, previous []int) {
	r := m.random
	tied := func() int {
		if r.Float64() < 0.55 {
			return m.near(p.origin, 40+300*r.Float64())
		}
		return m.cities.draw(r)
	}
	for range []int{0, 1, 1, 1, 2, 2, 3}[r.IntN(7)] {
		kin = append(kin, tied())
	}
	if r.Float64() < 0.35 {
		previous = append(previous, tied())
	}
	return kin, previous
}

func (m *maker) kindOf(kin, previous []int) mover {
	w := m.world
	x := m.random.Float64()
	switch {
	case x < w.Homeward:
		return homeward
	case x < w.Homeward+w.Network && len(kin)+len(previous) > 0:
		return network
	case x < 1-w.Leaver:
		return opportunity
	}
	return leaver
}

// move decides where a person ends, and when they go there.
func (m *maker) move(p *person, kin, previous []int) {
	r := m.random
	median := 0.0
	switch p.kind {
	case homeward:
		p.final, median = p.origin, 20
	case network:
		// The strongest tie, of ties with heavy tails: mostly kin, and mostly the closest.
		best := 0.0
		for i, place := range slices.Concat(kin, previous) {
			strength := math.Pow(1-r.Float64(), -0.8)
			if i >= len(kin) {
				strength /= 2
			}
			if strength > best {
				best, p.final = strength, place
			}
		}
		median = 40
	case opportunity:
		p.final, median = m.firstThatOffers(p), 60
	case leaver:
		p.final, median = abroad, 90
	}
	if p.final != p.now {
		p.movesOn = int(median * math.Pow(-math.Log(1-r.Float64())/math.Ln2, 1/0.8)) // Weibull
	}
}

// firstThatOffers is the radiation model (Simini and others 2012) as a draw: a person leaves a town of m people and stops in
// the first city within whose distance s people live, where P(further than s) = m / (m + s). The chances at home that a
// person takes for their own have a heavy tail.
func (m *maker) firstThatOffers(p *person) int {
	r := m.random
	home := float64(m.places[p.now].Population) * math.Pow(1-r.Float64(), -0.7)
	enough := home * (1/(1-r.Float64()) - 1)
	passed := 0.0
	order := m.byDistance(p.now)
	for _, place := range order {
		if int(place) == p.now {
			continue
		}
		if passed += float64(m.places[place].Population); passed >= enough {
			return int(place)
		}
	}
	return int(order[len(order)-1])
}

// work draws what a person did, can do and asks for.
func (m *maker) work(p *person) {
	r := m.random
	for range 1 + r.IntN(2) {
		occupation := m.occupations[m.popularity.draw(r)]
		p.occupations = append(p.occupations, occupation)
		essential, optional := m.taxonomy.SkillsOf(occupation)
		for _, id := range essential {
			p.skills[id] = p.skills[id] || r.Float64() < 0.85
		}
		for _, id := range optional {
			p.skills[id] = p.skills[id] || r.Float64() < 0.4
		}
	}
	p.reservation = typicalWage * 0.75 * math.Exp(0.25*r.NormFloat64())
}

// gammaMeanOne is frailty of mean 1 and variance 1/2: a gamma of shape 2.
func gammaMeanOne(r *rand.Rand) float64 {
	return -(math.Log(1-r.Float64()) + math.Log(1-r.Float64())) / 2
}

// studentT has 4 degrees of freedom: heavier tails than a normal one.
func studentT(r *rand.Rand) float64 {
	chi := 0.0
	for range 4 {
		x := r.NormFloat64()
		chi += x * x
	}
	return r.NormFloat64() / math.Sqrt(chi/4)
}
