package flows

import (
	"math"
	"slices"
	"sync"
)

// evidence is what the training flows say of two places beyond their variables: seen against expected flows, where expected
// is what the first stage predicts. Every figure is ln((seen + a) / (expected + a)); a shrinks what rests on few movers
// towards 0.
//
// The evidence on a choice never contains it. If the test is about a later period, it comes from the period before. If the
// test is about other origins of the same period, it comes from the origins of other blocks, where a block is what the test
// holds back together: the origins of a region, or one origin.
type evidence struct {
	later   bool
	periods map[*period]*seen
	unit    float64 // the median flow: the least that is more than chance
	edges   []float64
}

// seen is the flows of one period against what the first stage expected.
type seen struct {
	period    *period
	rowOf     []int // by place, -1 for places that are no origin of the training flows
	origins   []*situation
	seen      []float32 // row by origin
	expected  []float32
	blocks    map[int][]int // rows of a block
	total     *sums
	caches    map[int]*blockCache
	neighbour [][]int32 // rows of all other origins, nearest first, by place

	regionOnce  sync.Once
	regionFlows [][2]float64 // [row * regions + region]: seen, expected
}

type blockCache struct {
	once sync.Once
	sums *sums
}

// sums are the inflows of every place, by class of distance.
type sums struct{ seen, expected []float32 } // [class*n + j]

const classes = 3

func (e *evidence) class(logKm float32) int {
	c := 0
	for c < len(e.edges) && float64(logKm) > e.edges[c] {
		c++
	}
	return c
}

// newEvidence predicts all training flows with the first stage.
func newEvidence(from []*situation, first *stage, later bool) *evidence {
	e := &evidence{later: later, periods: map[*period]*seen{}}
	var sizes []float64
	for _, s := range from {
		w := e.periods[s.period]
		if w == nil {
			w = &seen{period: s.period, blocks: map[int][]int{}, caches: map[int]*blockCache{}}
			w.rowOf = make([]int, s.period.len())
			for i := range w.rowOf {
				w.rowOf[i] = -1
			}
			e.periods[s.period] = w
		}
		w.rowOf[s.origin] = len(w.origins)
		w.blocks[s.block] = append(w.blocks[s.block], len(w.origins))
		w.origins = append(w.origins, s)
		for _, c := range s.chosen {
			sizes = append(sizes, c.movers)
		}
	}
	slices.Sort(sizes)
	e.unit = max(1, sizes[len(sizes)/2])
	if k := len(first.shape.knots); k > 0 {
		e.edges = []float64{first.shape.knots[k/3], first.shape.knots[k*2/3]}
	}
	for _, w := range e.periods {
		n := w.period.len()
		w.seen, w.expected = make([]float32, len(w.origins)*n), make([]float32, len(w.origins)*n)
		parallel(len(w.origins), func(g int) {
			s := w.origins[g]
			p := make([]float64, n)
			first.utility(s, p)
			softmax(p, s.origin)
			for j := range p {
				w.expected[g*n+j] = float32(s.movers * p[j])
			}
			for _, c := range s.chosen {
				w.seen[g*n+c.dest] = float32(c.movers)
			}
		})
		all := make([]int, len(w.origins))
		for g := range all {
			all[g] = g
		}
		w.total = w.sum(e, all)
		for b := range w.blocks {
			w.caches[b] = &blockCache{}
		}
		w.neighbour = make([][]int32, n)
		parallel(n, func(i int) {
			byRank := make([]int32, n)
			for k := range byRank {
				byRank[k] = -1
			}
			for g, s := range w.origins {
				if s.origin != i {
					byRank[w.period.rank[i*n+s.origin]-1] = int32(g) //nolint:gosec // some thousands of places
				}
			}
			for _, g := range byRank {
				if g >= 0 {
					w.neighbour[i] = append(w.neighbour[i], g)
				}
			}
		})
	}
	return e
}

// source is the flows that are the evidence on a situation, or nil: of later periods, the latest earlier one that has flows of
// the origin, else the latest earlier one.
func (e *evidence) source(s *situation) *seen {
	if !e.later {
		return e.periods[s.period]
	}
	var best *seen
	bestHas := false
	for p, w := range e.periods {
		if p.name >= s.period.name {
			continue
		}
		i, ok := p.index[s.period.places[s.origin].ID]
		has := ok && w.rowOf[i] >= 0
		if best == nil || (has && !bestHas) || (has == bestHas && p.name > best.period.name) {
			best, bestHas = w, has
		}
	}
	return best
}

// sum adds up rows.
func (w *seen) sum(e *evidence, rows []int) *sums {
	n := w.period.len()
	out := &sums{make([]float32, classes*n), make([]float32, classes*n)}
	for _, g := range rows {
		i := w.origins[g].origin
		for j := range n {
			c := e.class(w.period.logKm[i*n+j])
			out.seen[c*n+j] += w.seen[g*n+j]
			out.expected[c*n+j] += w.expected[g*n+j]
		}
	}
	return out
}

// without is what the origins outside a block say.
func (w *seen) without(e *evidence, block int) *sums {
	rows := w.blocks[block]
	if e.later || len(rows) == 0 {
		return w.total
	}
	subtract := func() *sums {
		own := w.sum(e, rows)
		for k := range own.seen {
			own.seen[k] = max(0, w.total.seen[k]-own.seen[k])
			own.expected[k] = max(0, w.total.expected[k]-own.expected[k])
		}
		return own
	}
	if len(rows) == 1 {
		return subtract()
	}
	cache := w.caches[block]
	cache.once.Do(func() { cache.sums = subtract() })
	return cache.sums
}

// nearestOrigins speak for an origin.
const nearestOrigins = 15

// columns are the evidence on the alternatives of a situation; zero where there is none.
func (e *evidence) columns(s *situation) []column {
	n := s.period.len()
	inAll, inClass := make([]float64, n), make([]float64, n)
	back, backKnown := make([]float64, n), make([]float64, n)
	backClass := make([]float64, n)
	near, nearRegion := make([]float64, n), make([]float64, n)
	region, backRegion, backRegions := make([]float64, n), make([]float64, n), make([]float64, n)
	smooth := make([]float64, n)
	pair, pairRegion, pairClass := make([]float64, n), make([]float64, n), make([]float64, n)
	if source := e.source(s); source != nil {
		g := e.gather(s, source)
		g.inflows(inAll, inClass, region, smooth)
		g.backflows(back, backKnown, backClass, backRegion, backRegions)
		g.neighbours(near, nearRegion)
		if e.later {
			g.pairs(pair, pairRegion, pairClass)
		}
	}
	get := func(list []float64) func(int) float64 { return func(j int) float64 { return list[j] } }
	c := []column{
		{variable{"seen_inflow", "ln(seen / expected inflow of the place)", 0.5, noEffect}, get(inAll)},
		{variable{"seen_inflow_by_distance", "the same, from about as far", 0, noEffect}, get(inClass)},
		{variable{"seen_inflow_around", "the same, of the places nearest to it", 0, noEffect}, get(smooth)},
		{variable{"seen_back", "ln(seen / expected flow from the place to the origin)", 0.3, fromNetworks}, get(back)},
		{variable{"seen_back_known", "1 where that is known", 0, noEffect}, get(backKnown)},
		{variable{"seen_back_by_distance", "ln(seen / expected inflow of the origin from about as far)", 0, noEffect}, get(backClass)},
		{variable{"seen_near_origins", "ln(seen / expected flow to the place from the origins nearest to this one)", 0.3, noEffect}, get(near)},
	}
	if len(s.period.regions) > 1 {
		c = append(c,
			column{variable{"seen_region", "ln(seen / expected inflow of the region of the place)", 0, noEffect}, get(region)},
			column{variable{"seen_near_origins_region", "ln(seen / expected flow from the nearest origins to its region)", 0, noEffect}, get(nearRegion)},
			column{variable{"seen_back_region", "ln(seen / expected flow from its region to the origin)", 0, fromNetworks}, get(backRegion)},
			column{variable{"seen_back_regions", "ln(seen / expected flow from its region to the region of the origin)", 0, fromNetworks}, get(backRegions)},
		)
	}
	if e.later {
		c = append(c,
			column{variable{"earlier_flow", "ln(seen / expected flow between the two in the period before)", 0.7, fromStates}, get(pair)},
			column{variable{"earlier_by_distance", "ln(seen / expected flow of the origin to about as far, the period before)", 0, noEffect}, get(pairClass)},
		)
		if len(s.period.regions) > 1 {
			c = append(c, column{variable{"earlier_region", "ln(seen / expected flow from the origin to the region, the period before)", 0.1, noEffect}, get(pairRegion)})
		}
	}
	return c
}

// gathering is the evidence on one situation.
type gathering struct {
	e      *evidence
	s      *situation
	w      *seen
	origin int   // position of the origin in the period of the evidence, -1 when it was no place then
	places []int // the same of every place
}

func (e *evidence) gather(s *situation, w *seen) *gathering {
	g := &gathering{e: e, s: s, w: w, places: make([]int, s.period.len())}
	for j, place := range s.period.places {
		g.places[j] = j
		if w.period != s.period {
			k, ok := w.period.index[place.ID]
			if !ok {
				k = -1
			}
			g.places[j] = k
		}
	}
	g.origin = g.places[s.origin]
	return g
}

func (g *gathering) ratio(seen, expected, units float64) float64 {
	a := units * g.e.unit
	return math.Log((seen + a) / (expected + a))
}

func (g *gathering) inflows(inAll, inClass, region, smooth []float64) {
	p, n := g.w.period, g.w.period.len()
	in := g.w.without(g.e, g.s.block)
	ratio := make([]float64, n)
	perRegion := make([][2]float64, len(p.regions))
	for k := range n {
		o, x := 0.0, 0.0
		for c := range classes {
			o += float64(in.seen[c*n+k])
			x += float64(in.expected[c*n+k])
		}
		ratio[k] = g.ratio(o, x, 3)
		if r := p.region[k]; r >= 0 {
			perRegion[r][0] += o
			perRegion[r][1] += x
		}
	}
	here := g.s.period
	for j, k := range g.places {
		if k < 0 || j == g.s.origin {
			continue
		}
		inAll[j] = ratio[k]
		c := g.e.class(here.logKm[g.s.origin*here.len()+j])
		inClass[j] = g.ratio(float64(in.seen[c*n+k]), float64(in.expected[c*n+k]), 3)
		if r := p.region[k]; r >= 0 {
			region[j] = g.ratio(perRegion[r][0], perRegion[r][1], 10)
		}
		sum, weight := 0.0, 0.0
		for m, row := range g.w.neighbour[k][:min(neighbours, len(g.w.neighbour[k]))] {
			w := 1 / float64(m+1)
			sum += w * ratio[g.w.origins[row].origin]
			weight += w
		}
		if weight > 0 {
			smooth[j] = sum / weight
		}
	}
}

func (g *gathering) backflows(back, known, byClass, byRegion, regions []float64) {
	p, n := g.w.period, g.w.period.len()
	i := g.origin
	if i < 0 {
		return
	}
	own := p.region[i]
	perClass := make([][2]float64, classes)
	perRegion, perRegions := make([][2]float64, len(p.regions)), make([][2]float64, len(p.regions))
	for row, s := range g.w.origins {
		if !g.e.later && s.block == g.s.block {
			continue
		}
		o, x := float64(g.w.seen[row*n+i]), float64(g.w.expected[row*n+i])
		c := g.e.class(p.logKm[i*n+s.origin])
		perClass[c][0] += o
		perClass[c][1] += x
		if r := p.region[s.origin]; r >= 0 {
			perRegion[r][0] += o
			perRegion[r][1] += x
			if own >= 0 {
				t := g.w.toRegion(row, own)
				perRegions[r][0] += t[0]
				perRegions[r][1] += t[1]
			}
		}
	}
	for j, k := range g.places {
		if k < 0 || j == g.s.origin {
			continue
		}
		here := g.s.period
		c := g.e.class(here.logKm[g.s.origin*here.len()+j])
		byClass[j] = g.ratio(perClass[c][0], perClass[c][1], 10)
		if r := p.region[k]; r >= 0 {
			byRegion[j] = g.ratio(perRegion[r][0], perRegion[r][1], 2)
			regions[j] = g.ratio(perRegions[r][0], perRegions[r][1], 10)
		}
		row := g.w.rowOf[k]
		if row < 0 || (!g.e.later && g.w.origins[row].block == g.s.block) {
			continue
		}
		known[j] = 1
		back[j] = g.ratio(float64(g.w.seen[row*n+i]), float64(g.w.expected[row*n+i]), 1)
	}
}

// toRegion is the flow of a row to a region.
func (w *seen) toRegion(row, region int) [2]float64 {
	n := w.period.len()
	w.regionOnce.Do(func() {
		w.regionFlows = make([][2]float64, len(w.origins)*len(w.period.regions))
		parallel(len(w.origins), func(g int) {
			for j := range n {
				if r := w.period.region[j]; r >= 0 {
					f := &w.regionFlows[g*len(w.period.regions)+r]
					f[0] += float64(w.seen[g*n+j])
					f[1] += float64(w.expected[g*n+j])
				}
			}
		})
	})
	return w.regionFlows[row*len(w.period.regions)+region]
}

func (g *gathering) neighbours(near, nearRegion []float64) {
	p, n := g.w.period, g.w.period.len()
	if g.origin < 0 {
		return
	}
	o, x := make([]float64, n), make([]float64, n)
	perRegion := make([][2]float64, len(p.regions))
	count := 0
	for _, row := range g.w.neighbour[g.origin] {
		if !g.e.later && g.w.origins[row].block == g.s.block {
			continue
		}
		if count++; count > nearestOrigins {
			break
		}
		for j := range n {
			o[j] += float64(g.w.seen[int(row)*n+j])
			x[j] += float64(g.w.expected[int(row)*n+j])
		}
	}
	for j, r := range p.region {
		if r >= 0 {
			perRegion[r][0] += o[j]
			perRegion[r][1] += x[j]
		}
	}
	for j, k := range g.places {
		if k < 0 || j == g.s.origin {
			continue
		}
		near[j] = g.ratio(o[k], x[k], 2)
		if r := p.region[k]; r >= 0 {
			nearRegion[j] = g.ratio(perRegion[r][0], perRegion[r][1], 5)
		}
	}
}

func (g *gathering) pairs(pair, pairRegion, pairClass []float64) {
	p, n := g.w.period, g.w.period.len()
	if g.origin < 0 || g.w.rowOf[g.origin] < 0 {
		return
	}
	row := g.w.rowOf[g.origin]
	perClass := make([][2]float64, classes)
	perRegion := make([][2]float64, len(p.regions))
	for j := range n {
		o, x := float64(g.w.seen[row*n+j]), float64(g.w.expected[row*n+j])
		c := g.e.class(p.logKm[g.origin*n+j])
		perClass[c][0] += o
		perClass[c][1] += x
		if r := p.region[j]; r >= 0 {
			perRegion[r][0] += o
			perRegion[r][1] += x
		}
	}
	for j, k := range g.places {
		if k < 0 || j == g.s.origin {
			continue
		}
		pair[j] = g.ratio(float64(g.w.seen[row*n+k]), float64(g.w.expected[row*n+k]), 0.5)
		here := g.s.period
		c := g.e.class(here.logKm[g.s.origin*here.len()+j])
		pairClass[j] = g.ratio(perClass[c][0], perClass[c][1], 5)
		if r := p.region[k]; r >= 0 {
			pairRegion[j] = g.ratio(perRegion[r][0], perRegion[r][1], 2)
		}
	}
}
