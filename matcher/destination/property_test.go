package destination_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"onward"
	"onward/matcher/destination"
)

// drawPerson makes up a record in a country of the given places; ages are in months, and the same for all of it.
func drawPerson(t *rapid.T, count int, months float64) destination.Person {
	var person destination.Person
	single := map[onward.PlaceRelation]bool{}
	for range rapid.IntRange(0, 5).Draw(t, "places") {
		relation := rapid.SampledFrom(onward.PlaceRelations()).Draw(t, "relation")
		if single[relation] && (relation == onward.PlaceOrigin || relation == onward.PlaceCurrent) {
			continue
		}
		single[relation] = true
		id := onward.PlaceID(rapid.IntRange(1, count+3).Draw(t, "place")) // some are abroad
		person.Places = append(person.Places, onward.PersonPlace{PlaceID: id, Relation: relation, RecordedOn: monthsAgo(months)})
	}
	if rapid.Bool().Draw(t, "intention known") {
		person.Intention = intends(rapid.SampledFrom(onward.Intentions()).Draw(t, "intention"), months)
	}
	return person
}

func TestPropertiesOfTheSpread(t *testing.T) {
	t.Parallel()
	const count = 200
	m := destination.NewModel(destination.NewGazetteer("XX", national(count)), destination.Priors())
	rapid.Check(t, func(t *rapid.T) {
		months := rapid.Float64Range(0, 60).Draw(t, "months")
		person := drawPerson(t, count, months)
		if rapid.Bool().Draw(t, "excludes") {
			person.Excluded = []onward.ExcludedPlace{{PlaceID: onward.PlaceID(rapid.IntRange(1, count).Draw(t, "excluded")), RadiusKm: 100}}
		}
		s := m.Predict(person, today())
		if math.Abs(total(s)-1) > 1e-9 {
			t.Fatalf("adds up to %v", total(s))
		}
		if len(s.Places) > 25 || s.Entropy < 0 || s.Abroad <= 0 || s.Elsewhere < 0 {
			t.Fatalf("%+v", s)
		}
		if !slices.IsSortedFunc(s.Places, func(a, b destination.PlaceProbability) int {
			if a.Probability == b.Probability {
				return int(a.PlaceID - b.PlaceID)
			}
			return map[bool]int{true: -1, false: 1}[a.Probability > b.Probability]
		}) {
			t.Fatal("the likeliest comes first")
		}
		// the order in which a counsellor recorded the places does not matter
		turned := person
		turned.Places = slices.Clone(person.Places)
		slices.Reverse(turned.Places)
		if got := m.Predict(turned, today()); !reflect.DeepEqual(got, s) {
			t.Fatalf("%+v\n%+v", got, s)
		}
	})
}

// What is older says less: whatever is recorded, the probability of the places that nothing but size and distance speak for
// grows, and with one thing on record the entropy grows (TestTheSpreadIsWiderWhenTheInformationIsOlder).
func TestOlderInformationLeavesMoreToSizeAndDistance(t *testing.T) {
	t.Parallel()
	const count = 200
	m := destination.NewModel(destination.NewGazetteer("XX", national(count)), destination.Priors())
	untied := func(s destination.Spread) float64 {
		sum := s.Elsewhere
		for _, p := range s.Places {
			if len(p.Reasons) == 0 {
				sum += p.Probability
			}
		}
		return sum
	}
	rapid.Check(t, func(t *rapid.T) {
		fresh := drawPerson(t, count, 0)
		fresh.Intention = nil // wanting to move on, too, leaves more to the rest, and fades
		fresh.Places = slices.DeleteFunc(fresh.Places, func(p onward.PersonPlace) bool { return int(p.PlaceID) > count })
		old := fresh
		old.Places = slices.Clone(fresh.Places)
		months := rapid.Float64Range(3, 60).Draw(t, "months")
		for i := range old.Places {
			old.Places[i].RecordedOn = monthsAgo(months)
		}
		if len(fresh.Places) == 0 {
			return
		}
		before, after := untied(m.Predict(fresh, today())), untied(m.Predict(old, today()))
		if after <= before {
			t.Fatalf("%v fresh, %v after %v months", before, after, months)
		}
	})
}

func BenchmarkPredict(b *testing.B) {
	for _, count := range []int{1300, 3500} {
		m := destination.NewModel(destination.NewGazetteer("XX", national(count)), destination.Priors())
		person := destination.Person{
			Places: []onward.PersonPlace{
				tied(1, onward.PlaceOrigin, 3), tied(2, onward.PlaceCurrent, 3), tied(3, onward.PlaceKin, 3), tied(4, onward.PlacePrevious, 3),
			},
			Intention: intends(onward.IntendsToMove, 3),
		}
		b.Run(fmt.Sprintf("places=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Predict(person, today())
			}
		})
	}
}

func BenchmarkNewGazetteer(b *testing.B) {
	list := national(1300)
	b.Run("places=1300", func(b *testing.B) {
		for b.Loop() {
			destination.NewGazetteer("XX", list)
		}
	})
}

// TestNearKmSaysWhatWithinLists: one pair by itself passes the same test as in a list.
func TestNearKmSaysWhatWithinLists(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		places := make([]onward.Place, rapid.IntRange(1, 12).Draw(t, "places"))
		for i := range places {
			places[i] = onward.Place{
				ID: onward.PlaceID(i + 1), Name: "x", Country: "MX", Population: 50_000,
				Lat: rapid.Float64Range(19, 20).Draw(t, "lat"), Lon: rapid.Float64Range(-100, -99).Draw(t, "lon"),
			}
		}
		g := destination.NewGazetteer("MX", places)
		from, km := onward.PlaceID(rapid.IntRange(1, len(places)).Draw(t, "from")), rapid.Float64Range(0, 100).Draw(t, "km")
		listed := map[onward.PlaceID]float64{}
		for _, near := range g.Within(from, km) {
			listed[near.PlaceID] = near.DistanceKm
		}
		for to := range onward.PlaceID(len(places) + 2) {
			want, in := listed[to]
			if got, ok := g.NearKm(from, to, km); ok != in || (ok && got != want) {
				t.Fatalf("from %d to %d within %v km: %v, %v; listed %v, %v", from, to, km, got, ok, want, in)
			}
		}
	})
}
