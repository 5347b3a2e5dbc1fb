package destination

import (
	"math"
	"slices"
)

// Coefficient names one coefficient of the model.
type Coefficient int

// The coefficients. A coefficient is what one unit of its variable adds to the log odds of a place.
const (
	Population Coefficient = iota
	DistanceOrigin
	DistanceCurrent
	CapitalCity
	Openings
	TieOrigin
	TieCurrent
	TieKin
	TiePrevious
	TieIntended
	IntentionStay
	IntentionMove
	Abroad
	AbroadKin
	AbroadIntended
	AbroadMoveWithin
	AbroadStay
	coefficients // how many there are
)

// Row is one line of the table of coefficients, for documents and pages.
type Row struct {
	Coefficient Coefficient `json:"-"`
	Name        string      `json:"name"`
	Variable    string      `json:"variable"`
	Value       float64     `json:"value"`
	Source      string      `json:"source"`
}

// priors is the table. "Gravity" stands for the literature on gravity models of internal migration: Ravenstein 1885;
// Poot, Alimi, Cameron and Maré 2016, "The gravity model of migration: the successful comeback of an ageing superstar in
// regional science", whose estimates lie around 1 for population and around -1 for distance. "Networks" stands for Massey
// and others 1993, "Theories of international migration", and Munshi 2003, "Networks in the modern economy". "Judgement"
// says that no estimate was found to rest on; such rows come first when a country's own observations are fitted.
var priors = [coefficients]Row{
	Population: {
		Population, "population", "ln(population)", 0.8,
		"gravity: elasticities of destination population lie mostly between 0.6 and 1",
	},
	DistanceOrigin: {
		DistanceOrigin, "distance_origin", "ln(km to the community of origin, 10 at least)", -0.9,
		"gravity: about -1.3 in all, shared out between origin and present place; people who leave the community of origin mostly stay in its region",
	},
	DistanceCurrent: {
		DistanceCurrent, "distance_current", "ln(km to where the person is, 10 at least)", -0.4,
		"gravity: the rest of the -1.3",
	},
	CapitalCity: {
		CapitalCity, "capital", "1 for the largest city of the country", 0.3,
		"judgement: offices, aid and airports beyond what its size says",
	},
	Openings: {
		Openings, "openings", "ln(1 + open opportunities that fit)", 0.15,
		"judgement: small, so that the matcher does not send people where it then finds them",
	},
	TieOrigin: {
		TieOrigin, "origin", "1 for the community of origin", 2.4,
		"set so that with nothing else known a little under half live there: most Afghan returnees of 2014-17 went to their province of origin; the move to a city comes when that fails",
	},
	TieCurrent: {
		TieCurrent, "current", "1 for where the person is now", 1.6,
		"judgement: people stay where they are, but transit shelters are recorded here too",
	},
	TieKin: {
		TieKin, "kin", "1 where family or close friends live", 2.5,
		"networks: the strongest tie; on flows between Mexican states the overlap with what was seen rises from .69 to .83 when kin is added",
	},
	TiePrevious: {
		TiePrevious, "previous", "1 where the person lived before", 0.8,
		"networks: return and repeat moves follow earlier ones, less surely than kin",
	},
	TieIntended: {
		TieIntended, "intended", "1 where the person wants to live", 1.8,
		"judgement: plans are followed about as often as people stay put, while they are fresh",
	},
	IntentionStay: {
		IntentionStay, "intends_to_stay", "1 for the present place (else the origin) of who says to stay", 0.8,
		"judgement",
	},
	IntentionMove: {
		IntentionMove, "intends_to_move", "1 for the present place (else the origin) of who says to move on", -1.0,
		"judgement",
	},
	Abroad: {
		Abroad, "abroad", "1 for abroad", -2.3,
		"judgement: about one in twenty moves on abroad when nothing is said; surveys after return differ widely between countries",
	},
	AbroadKin: {
		AbroadKin, "kin_abroad", "1 for abroad when kin live in another country", 0.7,
		"networks, weaker than kin at home because of the border",
	},
	AbroadIntended: {
		AbroadIntended, "intends_abroad", "1 for abroad of who says to go", 2.7,
		"judgement: far more say so than go (IOM's and Gallup's surveys of intentions against flows), still the strongest sign there is",
	},
	AbroadMoveWithin: {AbroadMoveWithin, "abroad_moves_within", "1 for abroad of who says to move within the country", -0.5, "judgement"},
	AbroadStay:       {AbroadStay, "abroad_stays", "1 for abroad of who says to stay", -1.5, "judgement"},
}

const (
	// priorsVersion changes with any number of this file.
	priorsVersion = "priors-1"

	// nearestKm is the least distance that counts: within it one lives as if in the same place, and 0 has no logarithm.
	nearestKm = 10
	// smallestPopulation stands in where a capital of the reference data has no population on record.
	smallestPopulation = 5_000
	// urbanPopulation is from where a place is an urban centre: the reach of the reference data (GeoNames cities15000).
	urbanPopulation = 15_000
	// knownPull is the mass that a tie multiplies, as a share of the pull of all urban centres together: size and distance
	// stand for what is known of a place, and where one has family one knows it, however small it is. Judgement: it sets
	// only the scale of the constants of the ties.
	knownPull = 0.1

	// Half-lives of what was said or seen. Origin, kin and earlier residence are facts and do not fade; where someone is
	// and what someone wants do. Judgement: surveys of intentions ask about the next 3 to 12 months.
	intentionHalfLifeMonths = 6
	currentHalfLifeMonths   = 12
	// unknownAgeMonths is taken for the age of information without a date: neither fresh nor worthless.
	unknownAgeMonths = 12

	// The spread is mixed with the one that rests on size and distance alone: by mixFresh with fresh information, since a
	// model is never sure, rising towards mixOld with a half-life. Judgement.
	mixFresh          = 0.10
	mixOld            = 0.60
	mixHalfLifeMonths = 24
	// widenedAgeMonths is from where the note says that the spread was widened.
	widenedAgeMonths = 6

	// A spread lists the places of at least this probability, and this many at most: the rest is "elsewhere".
	smallestListed = 0.005
	mostListed     = 25

	daysPerMonth = 365.25 / 12
)

// Coefficients are the numbers of one version of the model.
type Coefficients struct {
	Version string
	// Country they were estimated for, or empty for the pooled priors. Coefficients transfer badly between countries.
	Country string
	Value   [coefficients]float64
}

// Priors are the documented coefficients, in use where nothing has been fitted.
func Priors() Coefficients {
	c := Coefficients{Version: priorsVersion}
	for i, row := range priors {
		c.Value[i] = row.Value
	}
	return c
}

// Table lists the coefficients with what they stand for and, for the priors, where they come from.
func (c Coefficients) Table() []Row {
	rows := slices.Clone(priors[:])
	for i := range rows {
		if rows[i].Value != c.Value[i] {
			rows[i].Value, rows[i].Source = c.Value[i], "estimated: "+c.Version
		}
	}
	return rows
}

// fade halves with every half-life.
func fade(ageMonths, halfLifeMonths float64) float64 { return math.Exp2(-ageMonths / halfLifeMonths) }

// Named are the coefficients by name, as they are kept.
func (c Coefficients) Named() map[string]float64 {
	values := make(map[string]float64, coefficients)
	for i, row := range priors {
		values[row.Name] = c.Value[i]
	}
	return values
}

// NewCoefficients reads what Named wrote. Coefficients that it does not name are the priors'.
func NewCoefficients(version, country string, named map[string]float64) Coefficients {
	c := Priors()
	c.Version, c.Country = version, country
	for i, row := range priors {
		if value, ok := named[row.Name]; ok && !math.IsNaN(value) && !math.IsInf(value, 0) {
			c.Value[i] = value
		}
	}
	return c
}
