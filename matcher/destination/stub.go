// Package destination predicts where a returnee may be living: a probability over the community of origin, the urban
// centres of the country, and abroad.
package destination

import "onward"

// Gazetteer holds the places of one country with what the model needs of them, worked out once.
type Gazetteer struct{}

// NewGazetteer takes every place of a country: urban centres and places that organisations added. Places of other
// countries are left out.
func NewGazetteer(country string, places []onward.Place) *Gazetteer { return &Gazetteer{} }

// Place finds a place of the country.
func (g *Gazetteer) Place(id onward.PlaceID) (onward.Place, bool) { return onward.Place{}, false }

// Coefficients of the model.
type Coefficients struct{}

// Priors are the documented coefficients in use where nothing has been fitted.
func Priors() Coefficients { return Coefficients{} }

// Model predicts for one country.
type Model struct{}

// NewModel joins coefficients with the places of a country.
func NewModel(gazetteer *Gazetteer, coefficients Coefficients) *Model { return &Model{} }

// Version names the coefficients, for onward.ListVersions.
func (m *Model) Version() string { return "" }

// Person is what the model may know of someone: no name, no sex, no nationality.
type Person struct {
	Places     []onward.PersonPlace
	Intention  *onward.OnwardIntention
	ReturnedOn onward.Date
	// Excluded places are never destinations.
	Excluded []onward.ExcludedPlace
	// Opportunities counts the open opportunities that fit, by place. Optional.
	Opportunities map[onward.PlaceID]float64
}

// NewPerson takes from a profile what the model uses.
func NewPerson(r onward.ReturneeDetails) Person { return Person{} }

// Predict spreads the person over the places. The probabilities add up to 1 within 1e-9.
func (m *Model) Predict(person Person, today onward.Date) Spread { return Spread{} }

// PlaceProbability is one place of a spread.
type PlaceProbability struct {
	PlaceID     onward.PlaceID
	Probability float64
	Reasons     []onward.PlaceRelation
}

// Spread is a likely destination.
type Spread struct {
	Places     []PlaceProbability // likeliest first
	Elsewhere  float64
	Abroad     float64
	Entropy    float64 // nats
	Overridden bool
	Note       string
}

// Stated is the spread that a counsellor states (onward.RequestOptions.Destination).
func Stated(places []onward.LikelyPlace) Spread { return Spread{} }

// Destination is the spread as it is saved and shown, with the names of the places.
func (s Spread) Destination(gazetteer *Gazetteer) onward.Destination { return onward.Destination{} }
