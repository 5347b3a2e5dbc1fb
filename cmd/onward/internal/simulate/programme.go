package simulate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"

	"onward"
	"onward/internal/reference"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// stage is what all programmes share: real places, the starter taxonomy, and the likely-destination model as it is in use.
type stage struct {
	places      []onward.Place // of the country, with a population
	taxonomy    *skills.Taxonomy
	occupations []string
	gazetteer   *destination.Gazetteer
	model       *destination.Model
	km          [][]float32 // between places

	mu    sync.Mutex
	order map[int][]int32 // places by distance from one, made when asked for
}

func newStage() (*stage, error) {
	release, err := reference.Starter()
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	s := &stage{order: map[int][]int32{}}
	if s.taxonomy, err = skills.New(release); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	for _, c := range release.Concepts {
		if c.Kind == onward.ConceptOccupation {
			s.occupations = append(s.occupations, c.ID)
		}
	}
	slices.Sort(s.occupations)
	world, err := reference.Places()
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	for _, p := range world {
		if p.Country == country && p.Population > 0 {
			s.places = append(s.places, p)
		}
	}
	s.km = make([][]float32, len(s.places))
	for i, a := range s.places {
		s.km[i] = make([]float32, len(s.places))
		for k, b := range s.places {
			s.km[i][k] = float32(onward.DistanceKm(a.Lat, a.Lon, b.Lat, b.Lon))
		}
	}
	s.gazetteer = destination.NewGazetteer(country, s.places)
	s.model = destination.NewModel(s.gazetteer, destination.ForCountry(country))
	return s, nil
}

func (s *stage) byDistance(from int) []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if order, ok := s.order[from]; ok {
		return order
	}
	order := make([]int32, len(s.places))
	for i := range order {
		order[i] = int32(i) //nolint:gosec // some thousands of places
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(s.km[from][a], s.km[from][b]), cmp.Compare(a, b)) })
	s.order[from] = order
	return order
}

// weights draws positions in proportion to weights.
type weights []float64 // cumulated

func newWeights(n int, weight func(int) float64) weights {
	sums := make(weights, n)
	total := 0.0
	for i := range sums {
		total += weight(i)
		sums[i] = total
	}
	return sums
}

func (w weights) draw(r *rand.Rand) int {
	return min(sort.SearchFloat64s(w, r.Float64()*w[len(w)-1]), len(w)-1)
}

// programme is a caseload and the openings of its time.
type programme struct {
	*stage
	world    World
	seed     uint64
	people   []*person // in the order in which they are helped
	openings []opening
}

// opening is a posting with what nobody sees of it.
type opening struct {
	posted    matcher.Opening
	text      string // for searches by words
	place     int    // -1: remote work
	essential []string
	capacity  int
	threshold float64 // the share of the essential skills that the employer asks for
	strain    float64 // multiplies the hazard of losing the job
	wage      float64 // minor units a month
}

// maker draws a programme.
type maker struct {
	*stage
	world                       World
	random                      *rand.Rand
	origins, cities, workplaces weights
	popularity                  weights
}

// typicalWage is the middle of wages, in minor units a month.
const typicalWage = 900_000

func (s *stage) newProgramme(world World, seed uint64, people int) *programme {
	m := &maker{stage: s, world: world, random: rand.New(rand.NewPCG(seed, 11))} //nolint:gosec // the same programme each time
	bySize := func(power float64) weights {
		return newWeights(len(s.places), func(i int) float64 { return math.Pow(float64(s.places[i].Population), power) })
	}
	m.origins, m.cities, m.workplaces = bySize(originFlatter), bySize(1), bySize(sizeOfJobs)
	shuffled := m.random.Perm(len(s.occupations))
	m.popularity = newWeights(len(s.occupations), func(i int) float64 { return 1 / float64(shuffled[i]+10) })
	p := &programme{stage: s, world: world, seed: seed, openings: make([]opening, max(1, int(math.Round(world.OpeningsPerPerson*float64(people)))))}
	for i := range p.openings {
		p.openings[i] = m.drawOpening(i)
	}
	for i := range people {
		p.people = append(p.people, m.drawPerson(i))
	}
	return p
}

// near is a place within some distance, by population; the place itself when there is no other.
func (m *maker) near(from int, km float64) int {
	order := m.byDistance(from)
	n := sort.Search(len(order), func(i int) bool { return m.km[from][order[i]] > float32(km) })
	return int(order[newWeights(n, func(i int) float64 { return float64(m.places[order[i]].Population) }).draw(m.random)])
}

func (m *maker) drawOpening(number int) opening {
	r := m.random
	occupation := m.occupations[m.popularity.draw(r)]
	essential, optional := m.taxonomy.SkillsOf(occupation)
	o := opening{
		place: m.workplaces.draw(r), essential: essential, capacity: 1 + int(math.Min(5, -math.Log(1-r.Float64())/0.9)),
		threshold: 0.4 + 0.4*r.Float64(), strain: math.Exp(0.3 * r.NormFloat64()), wage: typicalWage * math.Exp(0.35*r.NormFloat64()),
	}
	published := today.AddDays(-r.IntN(45)).Time()
	details := onward.Opportunity{
		ID: numbered(1, number), OrganisationID: numbered(2, r.IntN(1+len(m.places)/2)), Version: 1, Status: onward.OpportunityOpen, PublishedAt: &published,
	}
	details.OpportunityDetails = onward.OpportunityDetails{
		Kind: onward.Job, Title: onward.Text{"en": m.taxonomy.Label(occupation, "en")}, OccupationID: occupation, Capacity: o.capacity,
		Vetting: onward.VettingPassed, Remote: r.Float64() < 0.015, Relocation: r.Float64() < 0.08, StartsOn: today.AddDays(startDay),
		Wage: &onward.Wage{MinMinor: int64(o.wage * 0.95), MaxMinor: int64(o.wage * 1.05), Currency: currency, Period: onward.PerMonth},
	}
	if r.Float64() < 0.85 { // the others name an occupation alone
		for _, id := range essential {
			details.Skills = append(details.Skills, onward.OpportunitySkill{SkillID: id, Essential: true})
		}
		for _, id := range optional {
			if r.Float64() < 0.4 {
				details.Skills = append(details.Skills, onward.OpportunitySkill{SkillID: id})
			}
		}
	}
	where := m.places[o.place]
	if details.Remote {
		o.place, where = -1, onward.Place{}
	}
	o.posted = matcher.NewOpening(details, where, country, m.taxonomy)
	o.text = details.Title["en"] + " " + where.Name
	for _, s := range details.Skills {
		o.text += " " + m.taxonomy.Label(s.SkillID, "en")
	}
	return o
}

// numbered is an id for the nth thing of a kind.
func numbered(kind byte, n int) onward.ID {
	id := onward.ID{0: kind}
	binary.BigEndian.PutUint64(id[8:], uint64(n)) //nolint:gosec // from 0
	return id
}
