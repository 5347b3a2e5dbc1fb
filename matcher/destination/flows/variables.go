package flows

import (
	"math"
	"slices"
	"strings"
)

// variable is one column of the logit.
type variable struct {
	name, text string
	// mean of the prior; its standard deviation is spread / (standard deviation of the variable), so that a variable of any
	// unit may move the log odds as far.
	mean   float64
	source string
}

const (
	fromGravity  = "gravity literature (Ravenstein 1885; Poot and others 2016)"
	fromNetworks = "networks literature (Massey and others 1993; Munshi 2003)"
	fromStates   = "Mexican states 2010-15 on 2005-10"
	noEffect     = "no effect until the flows say so"
)

// terrain is what follows from the places of a period alone.
type terrain struct {
	logPopulation []float64
	access        []float64 // ln of the sum of population / km over the other places: competing destinations (Fotheringham 1983)
	around        []float64 // ln of the population within aroundKm of the place, itself included
	capital       []float32 // 1 for the largest place of the region
}

const aroundKm = 60

func newTerrain(p *period) *terrain {
	n := p.len()
	t := &terrain{make([]float64, n), make([]float64, n), make([]float64, n), make([]float32, n)}
	within := float32(math.Log(aroundKm))
	parallel(n, func(j int) {
		access, around := 0.0, 0.0
		for k := range n {
			if k == j {
				continue
			}
			km := p.logKm[j*n+k]
			access += p.population[k] / math.Exp(float64(km))
			// a soft edge: half of what lies at aroundKm counts
			around += p.population[k] / (1 + math.Exp(4*float64(km-within)))
		}
		t.logPopulation[j] = math.Log(p.population[j])
		t.access[j] = math.Log(access + 1)
		t.around[j] = math.Log(around + p.population[j])
	})
	largest := make(map[int]int)
	for j, r := range p.region {
		if best, ok := largest[r]; r >= 0 && (!ok || p.population[j] > p.population[best]) {
			largest[r] = j
		}
	}
	for _, j := range largest {
		t.capital[j] = 1
	}
	return t
}

// shape is what is fixed before the coefficients are fitted: where the knots of distance lie and which variables there are.
type shape struct {
	knots    []float64 // of ln km
	centre   [3]float64
	regions  bool
	kin      bool
	terrains map[*period]*terrain
	evidence *evidence // nil in the first stage
	without  []string  // variables whose names begin so are left out
}

// newShape looks at the training flows: knots at fixed shares of the movers.
func newShape(from, to []*situation) *shape {
	s := &shape{terrains: map[*period]*terrain{}}
	type step struct{ km, movers float64 }
	var steps []step
	total := 0.0
	for _, f := range from {
		for _, c := range f.chosen {
			steps = append(steps, step{float64(f.period.logKm[f.origin*f.period.len()+c.dest]), c.movers})
			total += c.movers
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		if a.km < b.km {
			return -1
		} else if a.km > b.km {
			return 1
		}
		return 0
	})
	next, sum, mean := 0, 0.0, 0.0
	for _, st := range steps {
		sum += st.movers
		mean += st.movers * st.km / total
		for next < len(knotShares) && sum >= knotShares[next]*total {
			if len(s.knots) == 0 || st.km > s.knots[len(s.knots)-1]+0.05 {
				s.knots = append(s.knots, st.km)
			}
			next++
		}
	}
	s.centre[0] = mean
	for _, list := range [][]*situation{from, to} {
		for _, f := range list {
			if s.terrains[f.period] == nil {
				s.terrains[f.period] = newTerrain(f.period)
			}
			s.regions = s.regions || len(f.period.regions) > 1
		}
	}
	for _, f := range from {
		for _, c := range f.chosen {
			s.centre[1] += c.movers / total * math.Log(f.period.population[c.dest])
		}
		s.centre[2] += f.movers / total * math.Log(f.period.population[f.origin])
	}
	s.kin = kinCovers(from) && kinCovers(to)
	return s
}

// knotShares of the movers went no farther than each knot.
var knotShares = []float64{0.1, 0.25, 0.5, 0.75, 0.9}

// kinCovers says whether kin is known of nearly all pairs of some period. In a file that leaves out pairs without movers
// the kin of the others would give the answer away.
func kinCovers(list []*situation) bool {
	pairs, known := map[*period]int{}, map[*period]int{}
	for _, s := range list {
		pairs[s.period] += s.period.len() - 1
		for _, c := range s.chosen {
			if !math.IsNaN(c.kin) {
				known[s.period]++
			}
		}
	}
	for p, n := range known {
		if float64(n) >= kinCoverage*float64(pairs[p]) {
			return true
		}
	}
	return false
}

const kinCoverage = 0.9

// column writes one variable of the alternatives of a situation.
type column struct {
	variable
	at func(j int) float64
}

// columns lists the variables of a situation. Which there are depends on the shape alone.
func (sh *shape) columns(s *situation) []column {
	p, t := s.period, sh.terrains[s.period]
	n, i := p.len(), s.origin
	km := func(j int) float64 { return float64(p.logKm[i*n+j]) - sh.centre[0] }
	size := func(j int) float64 { return t.logPopulation[j] - sh.centre[1] }
	own := t.logPopulation[i] - sh.centre[2]
	c := []column{
		{variable{"ln_population", "ln(population)", 0.8, fromGravity}, size},
		{variable{"ln_population_squared", "the same, less its mean, squared", 0, noEffect}, func(j int) float64 { return size(j) * size(j) }},
		{variable{"ln_distance", "ln(km)", -1, fromGravity}, km},
	}
	for k, knot := range sh.knots {
		c = append(c, column{
			variable{"ln_distance_knot_" + string(rune('1'+k)), "ln(km / " + formatKm(knot) + " km) beyond it", 0, noEffect},
			func(j int) float64 { return max(0, float64(p.logKm[i*n+j])-knot) },
		})
	}
	c = append(c,
		column{variable{"ln_population_x_ln_distance", "product, each less its mean", 0, noEffect}, func(j int) float64 { return size(j) * km(j) }},
		column{variable{"origin_population_x_ln_distance", "ln(population of the origin) x ln(km)", 0, noEffect}, func(j int) float64 { return own * km(j) }},
		column{variable{"origin_population_x_ln_population", "ln(population of the origin) x ln(population)", 0, noEffect}, func(j int) float64 { return own * size(j) }},
		column{variable{"nearness_rank", "ln(rank of the place among those nearest to the origin)", 0, noEffect}, func(j int) float64 { return math.Log(float64(max(1, p.rank[i*n+j]))) }},
		column{variable{"nearness_rank_back", "ln(rank of the origin among those nearest to the place)", 0, noEffect}, func(j int) float64 { return math.Log(float64(max(1, p.rank[j*n+i]))) }},
		column{variable{"neighbour", "1 if each is among the six nearest of the other", 0, noEffect}, func(j int) float64 {
			return truth(p.rank[i*n+j] <= neighbours && p.rank[j*n+i] <= neighbours)
		}},
		column{variable{"intervening", "ln(population nearer than the place, with the origin)", 0, "intervening opportunities (Stouffer 1940)"}, func(j int) float64 {
			return math.Log(p.population[i] + float64(p.nearer[i*n+j]))
		}},
		column{variable{"intervening_with", "the same with the place itself (radiation)", 0, "radiation (Simini and others 2012)"}, func(j int) float64 {
			return math.Log(p.population[i] + p.population[j] + float64(p.nearer[i*n+j]))
		}},
		column{variable{"access", "ln(sum of population / km around the place)", 0, "competing destinations (Fotheringham 1983)"}, func(j int) float64 { return t.access[j] }},
		column{variable{"access_x_ln_distance", "product", 0, noEffect}, func(j int) float64 { return (t.access[j] - t.access[i]) * km(j) }},
		column{variable{"around", "ln(population within 60 km of the place)", 0, noEffect}, func(j int) float64 { return t.around[j] }},
		column{variable{"around_x_ln_distance", "product with ln(km)", 0, noEffect}, func(j int) float64 { return (t.around[j] - sh.centre[1]) * km(j) }},
		column{variable{"origin_around_x_ln_distance", "ln(population within 60 km of the origin) x ln(km)", 0, noEffect}, func(j int) float64 { return (t.around[i] - sh.centre[1]) * km(j) }},
	)
	if sh.regions {
		same := func(j int) float64 { return truth(p.region[i] >= 0 && p.region[i] == p.region[j]) }
		c = append(c,
			column{variable{"same_region", "1 in the region of the origin", 0.5, fromGravity}, same},
			column{variable{"same_region_x_ln_population", "product", 0, noEffect}, func(j int) float64 { return same(j) * size(j) }},
			column{variable{"same_region_x_ln_distance", "product", 0, noEffect}, func(j int) float64 { return same(j) * km(j) }},
			column{variable{"capital", "1 for the largest place of its region", 0, noEffect}, func(j int) float64 { return float64(t.capital[j]) }},
			column{variable{"same_region_x_capital", "product", 0, noEffect}, func(j int) float64 { return same(j) * float64(t.capital[j]) }},
		)
	}
	if sh.kin {
		c = append(c, kinColumns(s, km)...)
	}
	if sh.evidence != nil {
		c = append(c, sh.evidence.columns(s)...)
	}
	return slices.DeleteFunc(c, func(c column) bool {
		return slices.ContainsFunc(sh.without, func(prefix string) bool { return strings.HasPrefix(c.name, prefix) })
	})
}

// kinColumns are the ties of family between the two places.
func kinColumns(s *situation, km func(int) float64) []column {
	n := s.period.len()
	kin, back, unknown := make([]float64, n), make([]float64, n), make([]float64, n)
	sum, sumBack, known := 0.0, 0.0, 0.0
	for _, c := range s.chosen {
		if math.IsNaN(c.kin) || math.IsNaN(c.kinBack) {
			unknown[c.dest] = 1
			continue
		}
		kin[c.dest], back[c.dest] = math.Log1p(c.kin), math.Log1p(c.kinBack)
		sum += kin[c.dest]
		sumBack += back[c.dest]
		known++
	}
	for j := range unknown {
		if unknown[j] > 0 && known > 0 { // unknown is not zero: the usual, and the indicator says so
			kin[j], back[j] = sum/known, sumBack/known
		}
	}
	if known == 0 {
		clear(unknown)
	}
	return []column{
		{variable{"ln_kin", "ln(1 + people born in the origin who live in the place)", 0.4, fromNetworks}, func(j int) float64 { return kin[j] }},
		{variable{"ln_kin_back", "ln(1 + people born in the place who live in the origin)", 0.3, fromNetworks}, func(j int) float64 { return back[j] }},
		{variable{"kin_unknown", "1 where kin is not known", 0, noEffect}, func(j int) float64 { return unknown[j] }},
		{variable{"ln_kin_x_ln_distance", "product", 0, noEffect}, func(j int) float64 { return kin[j] * km(j) }},
	}
}

const neighbours = 6

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// write fills n rows of the variables of a situation.
func (sh *shape) write(s *situation, rows []float32) {
	columns := sh.columns(s)
	k := len(columns)
	for j := range s.period.len() {
		if j == s.origin {
			continue
		}
		for v := range columns {
			rows[j*k+v] = float32(columns[v].at(j))
		}
	}
}
