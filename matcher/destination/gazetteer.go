package destination

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"onward"
)

// Gazetteer holds the places of one country with what the model needs of them, worked out once. It never changes and is
// safe for use by many goroutines; make a new one when an organisation adds a place (a few milliseconds).
type Gazetteer struct {
	country string
	places  []onward.Place // by latitude
	unit    []vector       // of places
	index   map[onward.PlaceID]int32

	urban         []int32 // positions of the urban centres in places
	logPopulation []float64
	largest       int // position in urban of the largest centre, -1 for none
	digest        string
}

// vector is a point on the unit sphere: distances without trigonometry per pair.
type vector struct{ x, y, z float64 }

func unitVector(lat, lon float64) vector {
	const rad = math.Pi / 180
	sinLat, cosLat := math.Sincos(lat * rad)
	sinLon, cosLon := math.Sincos(lon * rad)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

// chord2 is the square of the straight line between two points of the unit sphere.
func (v vector) chord2(w vector) float64 {
	x, y, z := v.x-w.x, v.y-w.y, v.z-w.z
	return x*x + y*y + z*z
}

const earthRadiusKm = 6371.0088 // mean radius, IUGG, as in onward.DistanceKm

func chord2ToKm(chord2 float64) float64 {
	return 2 * earthRadiusKm * math.Asin(math.Min(1, math.Sqrt(chord2)/2))
}

func kmToChord2(km float64) float64 {
	half := math.Sin(math.Min(km/(2*earthRadiusKm), math.Pi/2))
	return 4 * half * half
}

// NewGazetteer takes every place of a country: the urban centres and the smaller places that organisations added. Places
// of other countries are left out, so that the whole reference data can be passed. A place given twice counts once.
func NewGazetteer(country string, places []onward.Place) *Gazetteer {
	g := &Gazetteer{country: country, index: map[onward.PlaceID]int32{}, largest: -1}
	for _, p := range places {
		if p.Country == country {
			g.places = append(g.places, p)
		}
	}
	slices.SortStableFunc(g.places, func(a, b onward.Place) int {
		return cmp.Or(cmp.Compare(a.Lat, b.Lat), cmp.Compare(a.ID, b.ID))
	})
	seen := make(map[onward.PlaceID]bool, len(g.places))
	g.places = slices.DeleteFunc(g.places, func(p onward.Place) bool {
		twice := seen[p.ID]
		seen[p.ID] = true
		return twice
	})
	for i, p := range g.places {
		g.unit = append(g.unit, unitVector(p.Lat, p.Lon))
		g.index[p.ID] = int32(i) //nolint:gosec // some thousands of places
		if p.Population < urbanPopulation && p.ID >= onward.FirstOwnPlaceID {
			continue
		}
		g.urban = append(g.urban, int32(i)) //nolint:gosec // as above
		g.logPopulation = append(g.logPopulation, math.Log(float64(max(p.Population, smallestPopulation))))
		if g.largest < 0 || p.Population > g.places[g.urban[g.largest]].Population {
			g.largest = len(g.urban) - 1
		}
	}
	g.digest = digestOf(g.places)
	return g
}

func digestOf(places []onward.Place) string {
	h := fnv.New64a()
	for _, p := range places {
		fmt.Fprintf(h, "%d\t%s\t%s\t%v\t%v\t%d\n", p.ID, p.Name, p.Admin1Name, p.Lat, p.Lon, p.Population)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// Digest names what the gazetteer holds: it is another one when a place, its position or its population is.
func (g *Gazetteer) Digest() string { return g.digest }

// Country is the country of the places, ISO 3166-1 alpha-2.
func (g *Gazetteer) Country() string { return g.country }

// Len is how many places there are, urban centres and others.
func (g *Gazetteer) Len() int { return len(g.places) }

// Place finds a place of the country.
func (g *Gazetteer) Place(id onward.PlaceID) (onward.Place, bool) {
	i, ok := g.index[id]
	if !ok {
		return onward.Place{}, false
	}
	return g.places[i], true
}

// centre is the position of a place among the urban centres, or -1. Both are in the order of places.
func (g *Gazetteer) centre(place int32) int {
	if k, ok := slices.BinarySearch(g.urban, place); ok {
		return k
	}
	return -1
}

// DistanceKm is the great-circle distance between two places of the country; false when one is not in it.
func (g *Gazetteer) DistanceKm(a, b onward.PlaceID) (float64, bool) {
	i, ok := g.index[a]
	j, ok2 := g.index[b]
	if !ok || !ok2 {
		return 0, false
	}
	return chord2ToKm(g.unit[i].chord2(g.unit[j])), true
}

// Neighbour is a place with its distance.
type Neighbour struct {
	PlaceID    onward.PlaceID
	DistanceKm float64
}

// Within lists the places of the country within a distance of one of them, itself included, from south to north. Nil when
// it is not in the country.
func (g *Gazetteer) Within(id onward.PlaceID, km float64) []Neighbour {
	centre, ok := g.index[id]
	if !ok {
		return nil
	}
	var near []Neighbour
	g.each(centre, km, func(i int32, chord2 float64) {
		near = append(near, Neighbour{g.places[i].ID, chord2ToKm(chord2)})
	})
	return near
}

// NearKm is the distance of a place that Within lists, by the same test; false for one that it does not list.
func (g *Gazetteer) NearKm(from, to onward.PlaceID, km float64) (float64, bool) {
	centre, ok := g.index[from]
	i, ok2 := g.index[to]
	if !ok || !ok2 || math.Abs(g.places[i].Lat-g.places[centre].Lat) > bandOf(km) {
		return 0, false
	}
	c := g.unit[centre].chord2(g.unit[i])
	return chord2ToKm(c), c <= kmToChord2(km)
}

// each visits the places within a distance of one of them. Only the band of latitudes that the circle touches is looked at.
func (g *Gazetteer) each(centre int32, km float64, visit func(i int32, chord2 float64)) {
	middle := g.places[centre].Lat
	band := bandOf(km)
	first, _ := slices.BinarySearchFunc(g.places, middle-band, func(p onward.Place, lat float64) int { return cmp.Compare(p.Lat, lat) })
	limit := kmToChord2(km)
	for i := first; i < len(g.places) && g.places[i].Lat <= middle+band; i++ {
		if c := g.unit[centre].chord2(g.unit[i]); c <= limit {
			visit(int32(i), c) //nolint:gosec // some thousands of places
		}
	}
}

// bandOf is how many degrees of latitude a distance is, and a little more.
func bandOf(km float64) float64 {
	const kmPerDegree = earthRadiusKm * math.Pi / 180
	return km/kmPerDegree + 1e-9
}

// excluded marks the places that lie within the given circles.
func (g *Gazetteer) excluded(circles []onward.ExcludedPlace) []bool {
	if len(circles) == 0 {
		return nil
	}
	out := make([]bool, len(g.places))
	for _, c := range circles {
		if centre, ok := g.index[c.PlaceID]; ok {
			out[centre] = true
			g.each(centre, c.RadiusKm, func(i int32, _ float64) { out[i] = out[i] || c.RadiusKm > 0 })
		}
	}
	return out
}

// Excluded lists every place of the country that lies within the given circles. The centre of a circle is listed even when
// the country does not have it.
func (g *Gazetteer) Excluded(circles []onward.ExcludedPlace) []onward.PlaceID {
	var ids []onward.PlaceID
	for i, out := range g.excluded(circles) {
		if out {
			ids = append(ids, g.places[i].ID)
		}
	}
	for _, c := range circles {
		ids = append(ids, c.PlaceID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
