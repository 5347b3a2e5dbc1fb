package destination_test

import (
	"math"
	"strings"
	"testing"

	"onward"
	"onward/matcher/destination"
)

func TestMexicosCoefficientsAreItsOwnAndGiveASoundSpread(t *testing.T) {
	t.Parallel()
	c, ok := destination.FittedCoefficients("MX")
	if !ok || c.Country != "MX" || c.Version == destination.Priors().Version {
		t.Fatalf("Mexico's are %+v", c)
	}
	if _, ok := destination.FittedCoefficients("US"); ok {
		t.Error("another country has them too")
	}
	estimated := 0
	for _, row := range c.Table() {
		if strings.HasPrefix(row.Source, "estimated") {
			estimated++
		}
	}
	if estimated != 3 {
		t.Errorf("%d coefficients are said to be estimated, not population and the two distances", estimated)
	}
	person := destination.Person{Places: []onward.PersonPlace{tied(oaxaca, onward.PlaceOrigin, 1), tied(puebla, onward.PlaceKin, 1)}}
	gazetteer := destination.NewGazetteer("MX", places())
	before := destination.NewModel(gazetteer, destination.Priors()).Predict(person, today())
	after := destination.NewModel(gazetteer, c).Predict(person, today())
	if sum := total(after); math.Abs(sum-1) > 1e-9 {
		t.Errorf("the spread adds up to %v", sum)
	}
	for _, place := range []onward.PlaceID{oaxaca, puebla} {
		if p, q := probability(before, place), probability(after, place); math.Abs(p-q) > .1 {
			t.Errorf("place %d goes from %.2f to %.2f", place, p, q)
		}
	}
}
