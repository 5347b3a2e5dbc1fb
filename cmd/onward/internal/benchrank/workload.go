// Package benchrank measures the ranking core alone: the index in this process against one Elasticsearch query and one SQL
// statement on the same openings and people.
package benchrank

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"

	"onward"
	"onward/indexer"
	"onward/internal/reference"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// Today is the day on which the benchmarks take place.
var Today = onward.NewDate(2026, 3, 1)

// Shares of the openings, as among those of `onward demo` for Mexico.
const (
	country           = "MX"
	remoteShare       = 0.015
	assistedShare     = 0.05
	remoteAbroadShare = 0.1 // of the remote ones
	certificateShare  = 0.01
	occupationShare   = 0.12 // openings that name an occupation and no skills
	vettedShare       = 0.7
	optionalShare     = 0.4 // of the optional skills of its occupation that an opening asks for
	organisations     = 20_000

	// headOccupations flattens the head of Zipf's law: the most frequent occupation has 1.7 % of the openings, as the
	// largest ones have in employment statistics, and the thousandth a fiftieth of a percent.
	headOccupations = 10

	ownSkills = 12
)

// Workload draws openings and people from real places and a real taxonomy: occupations by a Zipf-like law with their
// essential and some of their optional skills, places by population. The same seed draws the same.
type Workload struct {
	random      *rand.Rand
	taxonomy    *skills.Taxonomy
	places      []onward.Place
	population  []float64 // cumulated, by place
	occupations []string
	popularity  []float64 // cumulated, by occupation
	model       *destination.Model
}

// NewWorkload prepares one for a taxonomy, such as all of ESCO.
func NewWorkload(release onward.Taxonomy, seed uint64) (*Workload, error) {
	taxonomy, err := skills.New(release)
	if err != nil {
		return nil, fmt.Errorf("bench workload: %w", err)
	}
	world, err := reference.Places()
	if err != nil {
		return nil, fmt.Errorf("bench workload: %w", err)
	}
	w := &Workload{random: rand.New(rand.NewPCG(seed, 5)), taxonomy: taxonomy} //nolint:gosec // the same work each time
	for _, place := range world {
		if place.Country == country {
			w.places = append(w.places, place)
		}
	}
	w.population = cumulated(len(w.places), func(i int) float64 { return float64(w.places[i].Population) })
	for _, concept := range release.Concepts {
		if concept.Kind != onward.ConceptOccupation {
			continue
		}
		if essential, _ := taxonomy.SkillsOf(concept.ID); len(essential) > 0 {
			w.occupations = append(w.occupations, concept.ID)
		}
	}
	if len(w.occupations) == 0 {
		return nil, onward.Errorf(onward.EInvalid, "the taxonomy has no occupations with skills; give all of its files")
	}
	w.random.Shuffle(len(w.occupations), func(i, j int) {
		w.occupations[i], w.occupations[j] = w.occupations[j], w.occupations[i]
	})
	w.popularity = cumulated(len(w.occupations), func(i int) float64 { return 1 / float64(i+headOccupations) })
	gazetteer := destination.NewGazetteer(country, w.places)
	coefficients, ok := destination.FittedCoefficients(country)
	if !ok {
		coefficients = destination.Priors()
	}
	w.model = destination.NewModel(gazetteer, coefficients)
	return w, nil
}

func cumulated(n int, weight func(int) float64) []float64 {
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += weight(i)
		sums[i] = total
	}
	return sums
}

func (w *Workload) draw(sums []float64) int {
	x := w.random.Float64() * sums[len(sums)-1]
	return min(sort.SearchFloat64s(sums, x), len(sums)-1)
}

func (w *Workload) place() onward.Place { return w.places[w.draw(w.population)] }

func (w *Workload) occupation() string { return w.occupations[w.draw(w.popularity)] }

func (w *Workload) chance(p float64) bool { return w.random.Float64() < p }

func (w *Workload) id() onward.ID {
	var id onward.ID
	binary.BigEndian.PutUint64(id[:8], w.random.Uint64())
	binary.BigEndian.PutUint64(id[8:], w.random.Uint64())
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80 // as of a UUID of version 7
	return id
}

// Entries draws n openings. They have a title and no further text.
func (w *Workload) Entries(n int) []indexer.Entry {
	entries := make([]indexer.Entry, n)
	for i := range entries {
		entries[i].Opening = w.opening()
	}
	return entries
}

func (w *Workload) opening() matcher.Opening {
	kinds := onward.Kinds()
	occupation := w.occupation()
	organisation := w.random.IntN(organisations)
	o := onward.Opportunity{ID: w.id(), Version: 1, Fictional: true, Organisation: fmt.Sprint("Organisation ", organisation)}
	binary.BigEndian.PutUint32(o.OrganisationID[12:], uint32(organisation))
	published := Today.AddDays(-w.random.IntN(60)).Time()
	o.PublishedAt = &published
	o.OpportunityDetails = onward.OpportunityDetails{
		Kind: onward.Job, Title: onward.Text{"en": w.taxonomy.Label(occupation, "en")}, OccupationID: occupation,
		Capacity: 1 + w.random.IntN(6), Remote: w.chance(remoteShare), Relocation: w.chance(assistedShare),
		CertificateAbroad: w.chance(certificateShare), ClosesOn: Today.AddDays(w.random.IntN(90)),
		StartsOn: Today.AddDays(w.random.IntN(60)), MinAge: 18,
		Languages: []onward.LanguageNeed{{Language: "es", Level: "B1", Essential: true}},
		Documents: []onward.DocumentKind{onward.NationalID},
	}
	if w.chance(1.0 / 3) {
		o.Kind = kinds[w.random.IntN(len(kinds))]
	}
	o.RemoteAbroad = o.Remote && w.chance(remoteAbroadShare)
	if w.chance(vettedShare) {
		o.Vetting = onward.VettingPassed
	}
	wage := int64(700_000 + 10_000*w.random.IntN(100))
	o.Wage = &onward.Wage{MinMinor: wage, MaxMinor: wage + 100_000, Currency: "MXN", Period: onward.PerMonth}
	if !w.chance(occupationShare) {
		essential, optional := w.taxonomy.SkillsOf(occupation)
		for _, id := range essential {
			o.Skills = append(o.Skills, onward.OpportunitySkill{SkillID: id, Essential: true})
		}
		for _, id := range optional {
			if w.chance(optionalShare) {
				o.Skills = append(o.Skills, onward.OpportunitySkill{SkillID: id})
			}
		}
	}
	var place onward.Place
	if !o.Remote || w.chance(0.5) {
		place = w.place()
	}
	return matcher.NewOpening(o, place, country, w.taxonomy)
}

// Query draws a person with 12 skills, most of them of one occupation, who comes from one place, is in another and has kin
// in a third, and makes their query, by the matcher's own way: related skills, likely destination, reach.
func (w *Workload) Query(limit int) matcher.Query {
	r := onward.ReturneeDetails{Country: country}
	known := map[string]bool{}
	for share := 8; len(r.Skills) < ownSkills; share = ownSkills {
		essential, optional := w.taxonomy.SkillsOf(w.occupation())
		all := slices.Concat(essential, optional)
		w.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, id := range all {
			if len(r.Skills) == share {
				break
			}
			if !known[id] {
				known[id] = true
				r.Skills = append(r.Skills, onward.ReturneeSkill{
					SkillID: id, Level: onward.Level(1 + w.random.IntN(4)), LastUsedYear: 2015 + w.random.IntN(11),
				})
			}
		}
	}
	r.ReturnedOn = Today.AddDays(-w.random.IntN(200))
	for _, relation := range []onward.PlaceRelation{onward.PlaceOrigin, onward.PlaceCurrent, onward.PlaceKin} {
		r.Places = append(r.Places, onward.PersonPlace{PlaceID: w.place().ID, Relation: relation, RecordedOn: r.ReturnedOn})
	}
	person := matcher.NewPerson(r, w.taxonomy, Today)
	gazetteer := w.model.Gazetteer()
	reach := matcher.NewReach(w.model.Predict(destination.NewPerson(r), Today), gazetteer, person)
	return person.Query(reach, gazetteer, matcher.Options{Today: Today}, limit)
}
