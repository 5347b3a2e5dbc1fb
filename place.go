package onward

import "math"

// PlaceID is the GeoNames id of a place. Places that an organisation adds itself count from FirstOwnPlaceID.
type PlaceID int64

// FirstOwnPlaceID is where the ids of places begin that are not in GeoNames.
const FirstOwnPlaceID PlaceID = 1_000_000_000_000

// Place is a populated place: an urban centre of the reference data, or a smaller community that someone added.
type Place struct {
	ID         PlaceID  `json:"id"`
	Name       string   `json:"name"`
	AltNames   []string `json:"alt_names,omitempty"`
	Country    string   `json:"country"` // ISO 3166-1 alpha-2
	Admin1     string   `json:"admin1"`  // GeoNames code of the first-order division, "09" for Mexico City
	Admin1Name string   `json:"admin1_name"`
	Lat        float64  `json:"lat"`
	Lon        float64  `json:"lon"`
	Population int      `json:"population"`
	TimeZone   string   `json:"time_zone"`
}

// Label is the place with what tells it apart from others of its name: "Zapopan, Jalisco, MX".
func (p Place) Label() string {
	label := p.Name
	if p.Admin1Name != "" && p.Admin1Name != p.Name {
		label += ", " + p.Admin1Name
	}
	return label + ", " + p.Country
}

// Country of the world, from GeoNames.
type Country struct {
	Code     string `json:"code"` // ISO 3166-1 alpha-2
	Name     string `json:"name"`
	Currency string `json:"currency"` // ISO 4217
}

const earthRadiusKm = 6371.0088 // mean radius, IUGG

// DistanceKm is the great-circle distance between two places (haversine), in kilometres.
func DistanceKm(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad, (lon2-lon1)*rad
	h := math.Sin(dLat/2)*math.Sin(dLat/2) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Sin(dLon/2)*math.Sin(dLon/2)
	return 2 * earthRadiusKm * math.Asin(math.Min(1, math.Sqrt(h)))
}
