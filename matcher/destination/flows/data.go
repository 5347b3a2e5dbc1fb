// Package flows fits how people spread over places to observed flows between them, and predicts the flows of other
// origins, other periods or another country. It is pure: places and flows come in as values.
//
// The model is a conditional logit over all places of a period but the origin. Who leaves origin i goes to j with
//
//	P(j | i) = exp(b'x_ij) / sum over the other places of exp(b'x_ik)
//
// The variables x are in variables.go: size, distance, what lies between, neighbourhood, region, kin, and what was already
// seen of the two places elsewhere in the training flows (evidence.go). The coefficients b are fitted by MAP (logit.go).
package flows

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Place is a place in one period.
type Place struct {
	ID, Region, Period string
	Lat, Lon           float64
	// Population at the start of the period; NaN or 0 when unknown.
	Population float64
}

// Flow is how many people moved from one place to another during a period.
type Flow struct {
	Period, Origin, Dest string
	Movers               float64
	// Kin are the people born in the origin who live in the destination, KinBack the reverse. NaN: unknown.
	Kin, KinBack float64
}

// Unknown stands for a number that nobody filled in.
func Unknown() float64 { return math.NaN() }

// World is the places of all periods, with their distances.
type World struct {
	periods map[string]*period
}

// period is the places of one period with what follows from where they are. Matrices are n x n, row by row.
type period struct {
	name       string
	places     []Place
	index      map[string]int
	population []float64 // smallestPopulation where unknown
	region     []int     // position in regions, -1 without one
	regions    []string
	logKm      []float32
	nearer     []float32 // nearer[i*n+j]: population nearer to i than j is, without both
	rank       []int32   // rank[i*n+j]: j is the rank-th nearest place of i, from 1
}

const (
	earthRadiusKm = 6371.0088
	// nearestKm keeps the logarithm of the distance finite between places on one spot.
	nearestKm = 1
	// smallestPopulation stands in where a place has no population on record.
	smallestPopulation = 1
	// fewestPlaces can be chosen among.
	fewestPlaces = 3
)

// NewWorld joins the places of all periods. A place that stands twice in a period is an error.
func NewWorld(places []Place) (*World, error) {
	byPeriod := map[string][]Place{}
	for _, p := range places {
		byPeriod[p.Period] = append(byPeriod[p.Period], p)
	}
	w := &World{periods: map[string]*period{}}
	for name, list := range byPeriod {
		slices.SortFunc(list, func(a, b Place) int { return cmp.Compare(a.ID, b.ID) })
		p := &period{name: name, places: list, index: make(map[string]int, len(list))}
		for i, place := range list {
			if _, twice := p.index[place.ID]; twice {
				return nil, fmt.Errorf("place %q stands twice in period %q", place.ID, name)
			}
			p.index[place.ID] = i
			population := place.Population
			if !(population >= smallestPopulation) {
				population = smallestPopulation
			}
			p.population = append(p.population, population)
		}
		if len(list) < fewestPlaces {
			return nil, fmt.Errorf("period %q has %d places: at least %d are needed", name, len(list), fewestPlaces)
		}
		p.setRegions()
		p.setDistances()
		w.periods[name] = p
	}
	return w, nil
}

// Has says whether the period has a place.
func (w *World) Has(periodName, place string) bool {
	p := w.periods[periodName]
	if p == nil {
		return false
	}
	_, ok := p.index[place]
	return ok
}

// Places are the ids of the places of a period, in order.
func (w *World) Places(periodName string) []string {
	p := w.periods[periodName]
	ids := make([]string, len(p.places))
	for i := range ids {
		ids[i] = p.places[i].ID
	}
	return ids
}

func (p *period) len() int { return len(p.places) }

// setRegions reads the regions, or derives them from the ids where no place has one.
func (p *period) setRegions() {
	names := make([]string, p.len())
	known := false
	for i, place := range p.places {
		names[i] = place.Region
		known = known || place.Region != ""
	}
	if !known {
		names = p.regionsOfCodes()
	}
	p.region = make([]int, p.len())
	p.regions = nil
	for _, name := range names {
		if name != "" {
			p.regions = append(p.regions, name)
		}
	}
	slices.Sort(p.regions)
	p.regions = slices.Compact(p.regions)
	for i, name := range names {
		p.region[i] = -1
		if k, ok := slices.BinarySearch(p.regions, name); ok {
			p.region[i] = k
		}
	}
}

// countyDigits are the last digits of a hierarchical statistical code (FIPS 36019, INEGI 001001) that count within the
// region that the first digits name.
const countyDigits = 3

// regionsOfCodes takes the first part of hierarchical codes as the region, if places that share it lie together: their
// mean distance to their middle is under half of that of all places. Else every region is unknown.
func (p *period) regionsOfCodes() []string {
	names := make([]string, p.len())
	length := len(p.places[0].ID)
	if length < countyDigits+2 {
		return names
	}
	groups := map[string][]int{}
	for i, place := range p.places {
		if len(place.ID) != length {
			return names
		}
		prefix := place.ID[:length-countyDigits]
		groups[prefix] = append(groups[prefix], i)
	}
	if len(groups) < 2 {
		return names
	}
	all := make([]int, p.len())
	for i := range all {
		all[i] = i
	}
	within := 0.0
	for _, prefix := range sortedKeys(groups) {
		within += p.scatter(groups[prefix])
	}
	if within > p.scatter(all)/2 {
		return names
	}
	for prefix, members := range groups {
		for _, i := range members {
			names[i] = prefix
		}
	}
	return names
}

// scatter is the sum of the distances of places to their middle, in degrees.
func (p *period) scatter(members []int) float64 {
	lat, lon := 0.0, 0.0
	for _, i := range members {
		lat += p.places[i].Lat
		lon += p.places[i].Lon
	}
	lat, lon = lat/float64(len(members)), lon/float64(len(members))
	sum := 0.0
	for _, i := range members {
		sum += math.Hypot(p.places[i].Lat-lat, (p.places[i].Lon-lon)*math.Cos(lat*math.Pi/180))
	}
	return sum
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// setDistances fills the matrices.
func (p *period) setDistances() {
	n := p.len()
	unit := make([][3]float64, n)
	for i, place := range p.places {
		lat, lon := place.Lat*math.Pi/180, place.Lon*math.Pi/180
		unit[i] = [3]float64{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
	}
	p.logKm = make([]float32, n*n)
	p.nearer = make([]float32, n*n)
	p.rank = make([]int32, n*n)
	parallel(n, func(i int) {
		type near struct {
			chord2 float64
			j      int
		}
		order := make([]near, n)
		for j := range order {
			dx, dy, dz := unit[i][0]-unit[j][0], unit[i][1]-unit[j][1], unit[i][2]-unit[j][2]
			c := dx*dx + dy*dy + dz*dz
			order[j] = near{c, j}
			km := 2 * earthRadiusKm * math.Asin(min(1, math.Sqrt(c)/2))
			p.logKm[i*n+j] = float32(math.Log(max(km, nearestKm)))
		}
		slices.SortFunc(order, func(a, b near) int { return cmp.Or(cmp.Compare(a.chord2, b.chord2), cmp.Compare(a.j, b.j)) })
		between, rank := 0.0, int32(0)
		for _, o := range order {
			if o.j == i {
				continue
			}
			rank++
			p.nearer[i*n+o.j], p.rank[i*n+o.j] = float32(between), rank
			between += p.population[o.j]
		}
	})
}
