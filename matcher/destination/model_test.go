package destination_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"onward"
	"onward/matcher/destination"
)

func predict(person destination.Person) destination.Spread { return model().Predict(person, today()) }

func TestTheCommunityOfOriginIsLikelyButNeverAssumed(t *testing.T) {
	t.Parallel()
	for _, origin := range []onward.PlaceID{village, oaxaca, puebla} {
		p := probability(predict(destination.Person{Places: []onward.PersonPlace{tied(origin, onward.PlaceOrigin, 1)}}), origin)
		if p < 0.3 || p > 0.8 {
			t.Errorf("origin %d alone has %.2f: it is the likeliest place and far from certain", origin, p)
		}
	}
}

func TestAVillageThatIsNoUrbanCentreIsAnAlternativeOnceSomeoneIsTiedToIt(t *testing.T) {
	t.Parallel()
	if p := probability(predict(destination.Person{}), village); p != 0 {
		t.Errorf("without a tie the village has %v", p)
	}
	for _, relation := range onward.PlaceRelations() {
		if p := probability(predict(destination.Person{Places: []onward.PersonPlace{tied(village, relation, 0)}}), village); p < 0.05 {
			t.Errorf("as %s place the village has %v", relation, p)
		}
	}
}

func TestKinIsTheStrongestTie(t *testing.T) {
	t.Parallel()
	strongest := map[onward.PlaceRelation]float64{}
	for _, relation := range onward.PlaceRelations() {
		s := predict(destination.Person{Places: []onward.PersonPlace{tied(mexicoCity, onward.PlacePrevious, 1), tied(village, relation, 3)}})
		strongest[relation] = probability(s, village)
	}
	for relation, p := range strongest {
		if relation != onward.PlaceKin && p >= strongest[onward.PlaceKin] {
			t.Errorf("%s draws %.3f, kin %.3f", relation, p, strongest[onward.PlaceKin])
		}
	}
}

func TestEveryTieRaisesThePlaceItIsIn(t *testing.T) {
	t.Parallel()
	before := destination.Person{Places: []onward.PersonPlace{tied(oaxaca, onward.PlaceOrigin, 1)}}
	for _, relation := range []onward.PlaceRelation{onward.PlaceKin, onward.PlacePrevious, onward.PlaceIntended, onward.PlaceCurrent} {
		for _, place := range []onward.PlaceID{mexicoCity, puebla, village} {
			after := before
			after.Places = append([]onward.PersonPlace{tied(place, relation, 1)}, before.Places...)
			if probability(predict(after), place) <= probability(predict(before), place) {
				t.Errorf("%s in %d does not raise it", relation, place)
			}
		}
	}
}

func TestIntentionsMoveTheSpreadAndFade(t *testing.T) {
	t.Parallel()
	at := func(intention onward.Intention, months float64) destination.Spread {
		return predict(destination.Person{
			Places:    []onward.PersonPlace{tied(oaxaca, onward.PlaceOrigin, 1), tied(oaxaca, onward.PlaceCurrent, 1)},
			Intention: intends(intention, months),
		})
	}
	undecided := at(onward.IntentionUndecided, 0)
	if s := at(onward.IntendsToStay, 0); probability(s, oaxaca) <= probability(undecided, oaxaca) || s.Abroad >= undecided.Abroad {
		t.Error("who wants to stay is likelier where they are, and less likely abroad")
	}
	if s := at(onward.IntendsToMove, 0); probability(s, oaxaca) >= probability(undecided, oaxaca) {
		t.Error("who wants to move on is less likely where they are")
	}
	fresh, old := at(onward.IntendsToGoAbroad, 0), at(onward.IntendsToGoAbroad, 14)
	if !(fresh.Abroad > 2*old.Abroad && old.Abroad > undecided.Abroad) {
		t.Errorf("wanting to go abroad counts, and fades: %.3f fresh, %.3f after 14 months, %.3f undecided", fresh.Abroad, old.Abroad, undecided.Abroad)
	}
}

func TestKinInAnotherCountryMakeAbroadLikelier(t *testing.T) {
	t.Parallel()
	with := predict(destination.Person{Places: []onward.PersonPlace{tied(houston, onward.PlaceKin, 1)}})
	if without := predict(destination.Person{}); with.Abroad <= without.Abroad {
		t.Errorf("%v with, %v without", with.Abroad, without.Abroad)
	}
	previous := predict(destination.Person{Places: []onward.PersonPlace{tied(houston, onward.PlacePrevious, 1)}})
	if without := predict(destination.Person{ReturnedOn: monthsAgo(1)}); math.Abs(previous.Abroad-without.Abroad) > 1e-12 {
		t.Error("every returnee lived abroad before: that says nothing")
	}
}

func TestOpeningsThatFitDrawALittle(t *testing.T) {
	t.Parallel()
	person := destination.Person{Places: []onward.PersonPlace{tied(village, onward.PlaceOrigin, 1)}}
	before := probability(predict(person), puebla)
	person.Opportunities = map[onward.PlaceID]float64{puebla: 20}
	if after := probability(predict(person), puebla); after <= before || after > 2*before {
		t.Errorf("%v before, %v after", before, after)
	}
}

func TestExcludedPlacesAreNeverDestinationsAndNothingSaysSo(t *testing.T) {
	t.Parallel()
	person := destination.Person{Places: []onward.PersonPlace{tied(puebla, onward.PlaceOrigin, 1), tied(oaxaca, onward.PlaceKin, 1)}}
	open := predict(person)
	person.Excluded = []onward.ExcludedPlace{{PlaceID: puebla, RadiusKm: 20}}
	s := predict(person)
	if probability(s, puebla) != 0 || probability(s, cholula) != 0 {
		t.Error("Puebla and Cholula, 11 km away, are excluded")
	}
	if math.Abs(total(s)-1) > 1e-9 || !reflect.DeepEqual(s.Basis, open.Basis) || s.Widened != open.Widened {
		t.Error(total(s), s.Basis)
	}
}

func TestTheSpreadIsWiderWhenTheInformationIsOlder(t *testing.T) {
	t.Parallel()
	m := destination.NewModel(destination.NewGazetteer("XX", national(200)), destination.Priors())
	for _, relation := range onward.PlaceRelations() {
		last := 0.0
		for _, months := range []float64{0, 1, 3, 6, 9, 12, 18, 24} {
			s := m.Predict(destination.Person{Places: []onward.PersonPlace{tied(7, relation, months)}}, today())
			if s.Entropy <= last {
				t.Errorf("%s, %v months old: entropy %v after %v", relation, months, s.Entropy, last)
			}
			last = s.Entropy
		}
	}
}

func TestTheSpreadSaysWhatItRestsOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		person  destination.Person
		basis   string // what, and the months of what fades
		widened bool
	}{
		{destination.Person{}, "", false},
		{
			destination.Person{Places: []onward.PersonPlace{{PlaceID: oaxaca, Relation: onward.PlaceOrigin}}, Intention: intends(onward.IntendsToStay, 14)},
			"origin intention:14", true,
		},
		{
			destination.Person{Places: []onward.PersonPlace{tied(oaxaca, onward.PlaceKin, 1), tied(oaxaca, onward.PlaceCurrent, 1), tied(village, onward.PlaceOrigin, 1)}},
			"origin current:1 kin", false,
		},
		{destination.Person{Places: []onward.PersonPlace{{PlaceID: oaxaca, Relation: onward.PlaceIntended}}}, "intended:?", true},
	} {
		s := predict(c.person)
		var got []string
		for _, b := range s.Basis {
			text := string(b.About)
			if b.Fades && b.AgeMonths == nil {
				text += ":?"
			} else if b.Fades {
				text += fmt.Sprintf(":%d", *b.AgeMonths)
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != c.basis || s.Widened != c.widened {
			t.Errorf("got %v, widened %v; want %s, %v", got, s.Widened, c.basis, c.widened)
		}
	}
}

func TestACounsellorsStatementReplacesTheModel(t *testing.T) {
	t.Parallel()
	s := destination.Stated([]onward.LikelyPlace{{PlaceID: puebla, Probability: 0.7}, {PlaceID: oaxaca, Probability: 0.203}, {Probability: 0.1}})
	if !s.Overridden || math.Abs(total(s)-1) > 1e-12 || s.Places[0].PlaceID != puebla || math.Abs(s.Abroad-0.1/1.003) > 1e-12 {
		t.Errorf("%+v", s)
	}
	if sure := destination.Stated([]onward.LikelyPlace{{PlaceID: puebla, Probability: 1}}); sure.Entropy != 0 {
		t.Error("one certain place has no spread:", sure.Entropy)
	}
	abroad := destination.Stated([]onward.LikelyPlace{{PlaceID: houston, Probability: 0.6}, {PlaceID: puebla, Probability: 0.4}}).In(model().Gazetteer())
	if abroad.Abroad != 0.6 || len(abroad.Places) != 1 {
		t.Errorf("a city of another country is abroad: %+v", abroad)
	}
	if none := destination.Stated(nil); none.Elsewhere != 1 {
		t.Errorf("%+v", none)
	}
}

func TestTheSavedDestinationNamesPlacesAndReasons(t *testing.T) {
	t.Parallel()
	m := model()
	d := m.Predict(destination.Person{Places: []onward.PersonPlace{tied(oaxaca, onward.PlaceKin, 1), tied(oaxaca, onward.PlaceOrigin, 1)}}, today()).Destination(m.Gazetteer())
	if d.Places[0].Name != "Oaxaca, MX" || d.Places[0].Reason != "origin, kin" || d.Entropy <= 0 || d.Overridden {
		t.Errorf("%+v", d)
	}
	if d.Places[1].Reason != "" {
		t.Errorf("%+v has no tie", d.Places[1])
	}
}

func TestACountryWithoutUrbanCentresStillAddsUp(t *testing.T) {
	t.Parallel()
	m := destination.NewModel(destination.NewGazetteer("TV", places()), destination.Priors())
	s := m.Predict(destination.Person{Places: []onward.PersonPlace{tied(oaxaca, onward.PlaceOrigin, 1)}}, today())
	if math.Abs(total(s)-1) > 1e-9 || s.Elsewhere < 0.8 {
		t.Errorf("%+v", s)
	}
}

func TestTheTableOfCoefficientsIsWholeAndHasSources(t *testing.T) {
	t.Parallel()
	c := destination.Priors()
	for i, row := range c.Table() {
		if int(row.Coefficient) != i || row.Name == "" || row.Variable == "" || row.Source == "" || row.Value == 0 {
			t.Errorf("%d: %+v", i, row)
		}
	}
	c.Version = "mx-2"
	c.Value[destination.TieKin] = 3
	if row := c.Table()[destination.TieKin]; row.Value != 3 || !strings.Contains(row.Source, "mx-2") {
		t.Errorf("%+v", row)
	}
}

func TestGazetteerDistancesAgreeWithTheDomain(t *testing.T) {
	t.Parallel()
	g := destination.NewGazetteer("MX", places())
	for _, a := range places() {
		for _, b := range places() {
			got, ok := g.DistanceKm(a.ID, b.ID)
			want := onward.DistanceKm(a.Lat, a.Lon, b.Lat, b.Lon)
			if ok != (a.Country == "MX" && b.Country == "MX") || (ok && math.Abs(got-want) > 1e-6) {
				t.Errorf("%s to %s: %v %v, want %v", a.Name, b.Name, got, ok, want)
			}
		}
	}
	if near := g.Within(puebla, 20); len(near) != 2 {
		t.Errorf("Puebla and Cholula are within 20 km of Puebla, got %v", near)
	}
	if near := g.Within(puebla, 0); len(near) != 1 || near[0].PlaceID != puebla {
		t.Errorf("within 0 km of Puebla is Puebla, got %v", near)
	}
}
