package destination_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"onward"
	"onward/matcher/destination"
)

// someone is a returnee of the made-up country, drawn at random.
func someone(random *rand.Rand, list []onward.Place) destination.Person {
	place := func() onward.PlaceID { return list[random.IntN(len(list))].ID }
	p := destination.Person{Places: []onward.PersonPlace{tied(place(), onward.PlaceOrigin, 3)}}
	if random.IntN(2) == 0 {
		p.Places = append(p.Places, tied(place(), onward.PlaceCurrent, float64(random.IntN(18))))
	}
	if random.IntN(2) == 0 {
		p.Places = append(p.Places, tied(place(), onward.PlaceKin, 2))
	}
	if random.IntN(3) == 0 {
		p.Places = append(p.Places, tied(place(), onward.PlacePrevious, 20))
	}
	if random.IntN(3) == 0 {
		p.Places = append(p.Places, tied(place(), onward.PlaceIntended, 1))
	}
	if k := random.IntN(5); k < 4 {
		p.Intention = intends(onward.Intentions()[k], float64(random.IntN(12)))
	}
	if random.IntN(6) == 0 {
		p.Places = append(p.Places, onward.PersonPlace{PlaceID: 999, Relation: onward.PlaceKin}) // in another country
	}
	return p
}

// drawn is where a person ends up by a model.
func drawn(random *rand.Rand, m *destination.Model, p destination.Person, list []onward.Place) onward.PlaceID {
	u := random.Float64()
	for _, place := range list {
		l, ok := m.LogProbability(destination.Observation{Person: p, Day: today(), Place: place.ID})
		if !ok {
			continue
		}
		if u -= math.Exp(l); u < 0 {
			return place.ID
		}
	}
	return 0
}

func observations(n int, truth destination.Coefficients, list []onward.Place) []destination.PersonObservation {
	random := rand.New(rand.NewPCG(7, 11))
	m := destination.NewModel(destination.NewGazetteer("XX", list), truth)
	all := make([]destination.PersonObservation, n)
	for i := range all {
		p := someone(random, list)
		all[i] = destination.PersonObservation{Person: onward.ID{0: byte(i >> 8), 1: byte(i)}, Observation: destination.Observation{Person: p, Day: today(), Place: drawn(random, m, p, list)}}
	}
	return all
}

func plain(all []destination.PersonObservation) []destination.Observation {
	list := make([]destination.Observation, len(all))
	for i, o := range all {
		list[i] = o.Observation
	}
	return list
}

func TestTheProbabilityThatIsFittedIsTheOneThatIsPredicted(t *testing.T) {
	t.Parallel()
	list := national(25)
	m := destination.NewModel(destination.NewGazetteer("XX", list), destination.Priors())
	random := rand.New(rand.NewPCG(1, 2))
	shown := 0
	for range 200 {
		p := someone(random, list)
		spread := m.Predict(p, today())
		shown += len(spread.Places)
		for _, place := range spread.Places {
			l, ok := m.LogProbability(destination.Observation{Person: p, Day: today(), Place: place.PlaceID})
			if !ok || math.Abs(math.Exp(l)-place.Probability) > 1e-12 {
				t.Fatalf("fitted as %v, predicted as %v", math.Exp(l), place.Probability)
			}
		}
		if l, _ := m.LogProbability(destination.Observation{Person: p, Day: today()}); math.Abs(math.Exp(l)-spread.Abroad) > 1e-12 {
			t.Fatalf("abroad is fitted as %v, predicted as %v", math.Exp(l), spread.Abroad)
		}
	}
	if shown < 1000 {
		t.Errorf("%d likely places of 200 people: too few to show anything", shown)
	}
}

func TestTheGradientIsThatOfTheProbability(t *testing.T) {
	t.Parallel()
	list := national(25)
	g := destination.NewGazetteer("XX", list)
	for _, shift := range []float64{0, -3, 0.7} { // with -3 most ties repel
		c := destination.Priors()
		for k := range c.Value {
			c.Value[k] += shift
		}
		for _, o := range plain(observations(40, destination.Priors(), list)) {
			analytic, numeric := destination.Gradient(g, o, c)
			for k := range analytic {
				if math.Abs(analytic[k]-numeric[k]) > 1e-5*(1+math.Abs(numeric[k])) {
					t.Fatalf("shift %v, %s: gradient %v, difference quotient %v", shift, c.Table()[k].Name, analytic[k], numeric[k])
				}
			}
		}
	}
}

func TestFittingFindsWhatPeopleGoBy(t *testing.T) {
	t.Parallel()
	list := national(40)
	g := destination.NewGazetteer("XX", list)
	truth := destination.Priors()
	truth.Value[destination.TieOrigin] = 1.4
	truth.Value[destination.TieKin] = 3.4
	truth.Value[destination.Population] = 1.3
	all := observations(1500, truth, list)
	fit, err := destination.FitCoefficients(g, plain(all), destination.Priors(), "MX-test")
	if err != nil || fit.Used != 1500 || fit.Dropped != 0 {
		t.Fatalf("%+v, %v", fit, err)
	}
	for _, k := range []destination.Coefficient{destination.TieOrigin, destination.TieKin, destination.Population} {
		before, after := math.Abs(destination.Priors().Value[k]-truth.Value[k]), math.Abs(fit.Coefficients.Value[k]-truth.Value[k])
		if !(after < before/2) || !(after < 3.5*fit.Error[k]+0.1) {
			t.Errorf("%s: %.2f, the truth is %.2f, the prior %.2f, the error %.2f", fit.Coefficients.Table()[k].Name, fit.Coefficients.Value[k], truth.Value[k], destination.Priors().Value[k], fit.Error[k])
		}
	}
	if fit.Coefficients.Version != "MX-test" || fit.Coefficients.Country != "XX" || fit.Coefficients.Value[destination.Openings] != destination.Priors().Value[destination.Openings] {
		t.Errorf("%+v", fit.Coefficients)
	}
	few, err := destination.FitCoefficients(g, plain(all[:20]), destination.Priors(), "few")
	if err != nil {
		t.Fatal(err)
	}
	for k, value := range few.Coefficients.Value {
		if math.Abs(value-destination.Priors().Value[k]) > 1 {
			t.Errorf("20 people move %s from %.2f to %.2f", few.Coefficients.Table()[k].Name, destination.Priors().Value[k], value)
		}
		if few.Error[k] < fit.Error[k]-1e-3 {
			t.Errorf("%s is surer after 20 people (%.3f) than after 1500 (%.3f)", few.Coefficients.Table()[k].Name, few.Error[k], fit.Error[k])
		}
	}
}

func TestCoefficientsAreHeldAgainstEachOtherOnPeopleTheyDoNotKnow(t *testing.T) {
	t.Parallel()
	list := national(30)
	g := destination.NewGazetteer("XX", list)
	truth := destination.Priors()
	truth.Value[destination.TieOrigin], truth.Value[destination.TieKin] = 0.4, 4
	better, err := destination.Compare(g, observations(600, truth, list), destination.Priors(), destination.Priors())
	if err != nil || !better.Better() || better.People != 600 {
		t.Errorf("people go by something else than the priors, and the fit finds it: %+v, %v", better, err)
	}
	same, err := destination.Compare(g, observations(600, destination.Priors(), list), destination.Priors(), destination.Priors())
	if err != nil || same.Better() {
		t.Errorf("people go by the priors: there is nothing to find: %+v, %v", same, err)
	}
}

func TestObservationsThatSayNothingAreRefused(t *testing.T) {
	t.Parallel()
	g := destination.NewGazetteer("XX", national(5))
	_, err := destination.FitCoefficients(g, []destination.Observation{{Day: today(), Place: 123456789}}, destination.Priors(), "x")
	if onward.CodeOf(err) != onward.EInvalid {
		t.Errorf("got %v", err)
	}
}
