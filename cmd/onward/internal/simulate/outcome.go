package simulate

import (
	"math"
	"math/rand/v2"
)

// chances are a person's true chances with one opening, given all that nobody knows but the dice.
type chances struct {
	taken    float64 // referred, hired and starting
	retained float64 // given that: still there at the horizon
}

// chances follows a person into a job. Who can't get there does not start, unless the job comes with housing and the person
// is one to move for it. Employers look whether enough of the essential skills are there. Work is lost by a Weibull hazard that
// is highest at first, and by moving away from it.
func (g *programme) chances(p *person, o *opening) chances {
	home := p.homeOn(startDay)
	if home == abroad {
		return chances{}
	}
	far := o.place >= 0 && float64(g.km[home][o.place]) > p.tolerance
	if far && (!o.posted.Assisted || !p.relocates) {
		return chances{}
	}
	coverage := o.coverage(p)
	hire := g.world.HireBelow
	switch {
	case coverage >= o.threshold:
		hire = g.world.HireAbove
	case coverage >= o.threshold-0.2:
		hire = (g.world.HireAbove + g.world.HireBelow) / 3
	}
	hire = math.Min(0.95, hire*math.Exp(0.25*p.charm))
	accept, pay := 0.95, o.wage/p.reservation
	switch {
	case pay < 0.8:
		accept = 0.2
	case pay < 1:
		accept = 0.6
	}
	hazard := 0.5 * p.frailty * o.strain
	if coverage < o.threshold {
		hazard *= 1.8
	}
	if pay < 1 {
		hazard *= 1.4
	}
	if !far && o.place >= 0 && float64(g.km[home][o.place]) > 0.6*p.tolerance {
		hazard *= 1.5
	}
	days := float64(horizonDays-startDay) / horizonDays
	return chances{taken: hire * accept, retained: math.Exp(-hazard*math.Pow(days, 0.75)) * g.stays(p, o, far)}
}

// coverage is the share of the essential skills that the person truly has.
func (o *opening) coverage(p *person) float64 {
	if len(o.essential) == 0 {
		return 1
	}
	held := 0
	for _, id := range o.essential {
		if p.skills[id] {
			held++
		}
	}
	return float64(held) / float64(len(o.essential))
}

// stays is the chance that a move which is still to come leaves the job standing.
func (g *programme) stays(p *person, o *opening, relocated bool) float64 {
	moves := p.movesOn > startDay && p.movesOn <= horizonDays
	if relocated && p.kind == homeward {
		moves = true // home calls, wherever the person went
	}
	switch {
	case o.place < 0 && p.final != abroad: // remote work goes along
		return 1
	case !moves:
		return 1
	case p.final != abroad && float64(g.km[p.final][o.place]) <= p.tolerance:
		return 1
	}
	return g.world.KeptByWork
}

// dice are the luck of one person with one opening: the same whichever way they were brought together.
func (g *programme) dice(p *person, number int) (taken, retained float64) {
	r := rand.New(rand.NewPCG(g.seed^0x9e3779b97f4a7c15, uint64(p.number)<<32|uint64(number))) //nolint:gosec // the same luck each time
	return r.Float64(), r.Float64()
}

// luck orders what an arm does not tell apart.
func (g *programme) luck(p *person, number int) float64 {
	return rand.New(rand.NewPCG(g.seed^0xc2b2ae3d27d4eb4f, uint64(p.number)<<32|uint64(number))).Float64() //nolint:gosec // the same
}
