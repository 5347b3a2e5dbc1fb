package destination_test

import (
	"math"

	"onward"
	"onward/matcher/destination"
)

// Real cities, with the populations of the reference data rounded.
const (
	mexicoCity onward.PlaceID = 3530597
	puebla     onward.PlaceID = 3521081
	oaxaca     onward.PlaceID = 3522507
	tijuana    onward.PlaceID = 3981609
	morelia    onward.PlaceID = 3995402
	cholula    onward.PlaceID = 3516843
	village    onward.PlaceID = onward.FirstOwnPlaceID + 1
	houston    onward.PlaceID = 4699066 // in another country
)

func places() []onward.Place {
	mx := func(id onward.PlaceID, name, admin1 string, lat, lon float64, population int) onward.Place {
		return onward.Place{ID: id, Name: name, Country: "MX", Admin1Name: admin1, Lat: lat, Lon: lon, Population: population}
	}
	return []onward.Place{
		mx(mexicoCity, "Mexico City", "Mexico City", 19.4285, -99.1277, 12_294_000),
		mx(puebla, "Puebla", "Puebla", 19.0379, -98.2035, 1_590_000),
		mx(oaxaca, "Oaxaca", "Oaxaca", 17.0605, -96.7254, 262_000),
		mx(tijuana, "Tijuana", "Baja California", 32.5027, -117.0037, 1_810_000),
		mx(morelia, "Morelia", "Michoacán", 19.7008, -101.1844, 743_000),
		mx(cholula, "Cholula", "Puebla", 19.0633, -98.3064, 88_000),
		mx(village, "Tlacolula", "Oaxaca", 16.9543, -96.4748, 9_000),
		{ID: houston, Name: "Houston", Country: "US", Lat: 29.7633, Lon: -95.3633, Population: 2_300_000},
	}
}

func today() onward.Date { return onward.NewDate(2026, 11, 24) }

func monthsAgo(months float64) onward.Date {
	return today().AddDays(-int(math.Round(months * 365.25 / 12)))
}

func tied(place onward.PlaceID, relation onward.PlaceRelation, months float64) onward.PersonPlace {
	return onward.PersonPlace{PlaceID: place, Relation: relation, RecordedOn: monthsAgo(months)}
}

func intends(i onward.Intention, months float64) *onward.OnwardIntention {
	return &onward.OnwardIntention{Intention: i, RecordedOn: monthsAgo(months)}
}

func model() *destination.Model {
	return destination.NewModel(destination.NewGazetteer("MX", places()), destination.Priors())
}

// national is a made-up country of many centres, for properties and benchmarks.
func national(count int) []onward.Place {
	list := make([]onward.Place, count)
	random := uint64(7)
	next := func() float64 {
		random = random*6364136223846793005 + 1442695040888963407
		return float64(random>>11) / (1 << 53)
	}
	for i := range list {
		list[i] = onward.Place{
			ID: onward.PlaceID(i + 1), Name: "Centre", Country: "XX", Lat: 15 + 15*next(), Lon: -115 + 25*next(),
			Population: int(15_000 / math.Pow(next()+1e-4, 0.8)), // Zipf-like
		}
	}
	return list
}

func probability(s destination.Spread, place onward.PlaceID) float64 {
	for _, p := range s.Places {
		if p.PlaceID == place {
			return p.Probability
		}
	}
	return 0
}

func total(s destination.Spread) float64 {
	sum := s.Elsewhere + s.Abroad
	for _, p := range s.Places {
		sum += p.Probability
	}
	return sum
}
