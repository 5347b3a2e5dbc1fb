package demo

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"onward"
)

// atlas is Mexico as the demonstration needs it.
type atlas struct {
	places  []onward.Place // by id
	byName  map[string]onward.Place
	border  map[onward.PlaceID]bool // with the higher minimum wage
	coast   map[onward.PlaceID]bool
	resort  map[onward.PlaceID]bool // visitors from abroad
	jobs    map[industryKey]lottery[onward.Place]
	origins lottery[onward.Place]
	cities  lottery[onward.Place] // by population
	borders lottery[onward.Place] // border cities, by population
	missing []string
}

// smallestCity is the smallest place of the demonstration. Smaller ones stay out of the lists by population.
const smallestCity = 20_000

func newAtlas(all []onward.Place) (*atlas, error) {
	a := &atlas{byName: map[string]onward.Place{}, jobs: map[industryKey]lottery[onward.Place]{}}
	for _, p := range all {
		if p.Country == country && !isDistrict(p) {
			a.places = append(a.places, p)
		}
	}
	if len(a.places) == 0 {
		return nil, onward.Errorf(onward.EInvalid, "the demonstration plays in Mexico, and no Mexican place is loaded")
	}
	slices.SortFunc(a.places, func(x, y onward.Place) int { return cmp.Compare(x.ID, y.ID) })
	for _, p := range a.places {
		if known, ok := a.byName[p.Name]; !ok || known.Population < p.Population {
			a.byName[p.Name] = p
		}
		a.byName[p.Name+"/"+p.Admin1Name] = p
	}
	a.border = a.set(borderPlaces)
	a.coast = a.set(coastPlaces)
	a.resort = a.set(resortPlaces)
	for _, i := range industries {
		a.jobs[i.key] = a.spread(i)
	}
	a.origins = newLottery(a.places, func(p onward.Place) float64 {
		if p.Population > 320_000 {
			return 0
		}
		return sendingStates[p.Admin1Name] * math.Pow(float64(p.Population), 0.3)
	})
	a.cities = newLottery(a.places, func(p onward.Place) float64 {
		if p.Population < 200_000 {
			return 0
		}
		return math.Pow(float64(p.Population), 0.8)
	})
	a.borders = newLottery(a.places, func(p onward.Place) float64 {
		if !a.border[p.ID] || p.Population < 80_000 {
			return 0
		}
		return float64(p.Population)
	})
	return a, nil
}

// isDistrict says that a place is a part of a city that is in the list itself: its people would count twice.
func isDistrict(p onward.Place) bool {
	if p.Admin1Name == "Mexico City" && p.Name != "Mexico City" {
		return true
	}
	for _, prefix := range []string{"Colonia ", "Hacienda ", "Fuentes ", "Jardines ", "Fraccionamiento ", "Pórticos ", "Terrazas ", "Villa del Prado", "Centro Familiar"} {
		if strings.HasPrefix(p.Name, prefix) {
			return true
		}
	}
	return false
}

func (a *atlas) find(name string) (onward.Place, bool) {
	p, ok := a.byName[name]
	return p, ok
}

// set reads a list of names separated by semicolons; "@State" stands for every place of the state.
func (a *atlas) set(names string) map[onward.PlaceID]bool {
	set := map[onward.PlaceID]bool{}
	for name := range strings.SplitSeq(names, ";") {
		name = strings.TrimSpace(name)
		if state, ok := strings.CutPrefix(name, "@"); ok {
			before := len(set)
			for _, p := range a.places {
				if p.Admin1Name == state {
					set[p.ID] = true
				}
			}
			if len(set) == before {
				a.missing = append(a.missing, "state "+state)
			}
			continue
		}
		p, ok := a.find(name)
		if !ok {
			a.missing = append(a.missing, "place "+name)
			continue
		}
		set[p.ID] = true
	}
	return set
}

// spread is where an industry has its openings: population^exponent times the location quotient.
func (a *atlas) spread(i industry) lottery[onward.Place] {
	quotient := map[onward.PlaceID]float64{}
	for _, q := range i.quotients {
		for id := range a.set(q.where) {
			quotient[id] = q.times
		}
	}
	return newLottery(a.places, func(p onward.Place) float64 {
		q, listed := quotient[p.ID]
		if !listed {
			q = i.elsewhere
			if p.Population < smallestCity {
				return 0
			}
		}
		return q * math.Pow(float64(p.Population), i.exponent)
	})
}

// borderPlaces are in the northern border zone (Zona Libre de la Frontera Norte), with its own minimum wage.
const borderPlaces = "@Baja California;San Luis Río Colorado;Puerto Peñasco;Heroica Caborca;Nogales;Cananea;Agua Prieta;" +
	"Ciudad Juárez;Ojinaga;Ciudad Acuña;Piedras Negras;Nuevo Laredo;Reynosa;Ciudad Río Bravo;Valle Hermoso;Heroica Matamoros"

// coastPlaces have a harbour or boats on the beach.
const coastPlaces = "Mazatlán;Ensenada;Heroica Guaymas;Puerto Peñasco;La Paz;Salina Cruz;Manzanillo;Veracruz;Ciudad del Carmen;" +
	"Campeche;Tampico;Progreso;Ciudad Lázaro Cárdenas;Acapulco de Juárez;Puerto Escondido;Alvarado;Túxpam de Rodríguez Cano;" +
	"Empalme;Paraiso;San Felipe/Baja California;Ixtapa-Zihuatanejo"

const resortPlaces = "Cancún;Playa del Carmen;Tulum;Cozumel;Puerto Vallarta;Cabo San Lucas;San José del Cabo;La Paz;Mazatlán;" +
	"Puerto Peñasco;Ixtapa-Zihuatanejo;Bucerías;Puerto Escondido;Crucecita;Acapulco de Juárez"

// sendingStates: where people who come back from the United States were from, in rough shares.
var sendingStates = map[string]float64{
	"Michoacán": 14, "Guanajuato": 13, "Oaxaca": 11, "Puebla": 9, "Guerrero": 9, "Jalisco": 8, "Zacatecas": 7, "Chiapas": 8,
	"Veracruz": 8, "San Luis Potosí": 3, "Hidalgo": 3, "Morelos": 3, "Durango": 2, "México": 2, "Querétaro": 1, "Tlaxcala": 1,
	"Nayarit": 1, "Sinaloa": 1,
}

// wageLevels: what pay in a state is against the national level, roughly as in the social insurance records.
var wageLevels = map[string]float64{
	"Nuevo León": 1.15, "Mexico City": 1.12, "Querétaro": 1.08, "Jalisco": 1.05, "Baja California": 1.25, "Sonora": 1.04,
	"Baja California Sur": 1.10, "Quintana Roo": 1.05, "Coahuila": 1.05, "Chihuahua": 1.06, "Tamaulipas": 1.06, "Aguascalientes": 1.03,
	"Chiapas": 0.88, "Oaxaca": 0.90, "Guerrero": 0.88, "Tlaxcala": 0.92, "Hidalgo": 0.94, "Veracruz": 0.94, "Tabasco": 0.97,
	"Michoacán": 0.93, "Zacatecas": 0.94, "Morelos": 0.95, "Nayarit": 0.95, "Puebla": 0.96,
}

// wageLevel is what pay in a place is against the national level.
func (a *atlas) wageLevel(p onward.Place) float64 {
	if a.border[p.ID] {
		return 1.25
	}
	if level, ok := wageLevels[p.Admin1Name]; ok {
		return level
	}
	return 1
}

// minimumWage is the general minimum wage for a day of eight hours, in pesos, by zone. A week of six such days is paid as
// seven.
type minimumWage struct{ general, border float64 }

// minimumWageOf gives the minimum wages of CONASAMI for 2025, and those for 2026 from then on.
func minimumWageOf(day onward.Date) minimumWage {
	if day.Before(onward.NewDate(2026, 1, 1)) {
		return minimumWage{278.80, 419.88}
	}
	return minimumWage{315.04, 440.87}
}

func (m minimumWage) perDay(border bool) float64 {
	if border {
		return m.border
	}
	return m.general
}

// perMonth is the minimum for a month of weeks with so many hours, in pesos.
func (m minimumWage) perMonth(border bool, hoursPerWeek float64) float64 {
	return m.perDay(border) * 7 * weeksPerMonth * hoursPerWeek / 48
}

const weeksPerMonth = 365.25 / 12 / 7
