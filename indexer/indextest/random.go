package indextest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"onward"
	"onward/indexer"
	"onward/indexer/typeahead"
	"onward/matcher"
)

// Today is the day on which the suite takes place.
var Today = onward.NewDate(2026, 3, 1)

const (
	worldSkills      = 2000
	worldOccupations = 300
	worldPlaces      = 400
	worldWords       = 6000
)

// World makes openings and queries that look like real ones: few skills stand in very many openings and most in few,
// jobs are where people are, and people have the skills of an occupation or two. The same seed gives the same world.
type World struct {
	random      *rand.Rand
	idf         []float64
	occupations [][]matcher.OpeningSkill
	places      []onward.Place
	placeWeight []float64
	words       []string
	made        int
}

// NewWorld makes a world.
func NewWorld(seed uint64) *World {
	w := &World{random: rand.New(rand.NewPCG(seed, 7))} //nolint:gosec // a test's numbers must come again
	skillRank := rand.NewZipf(w.random, 1.15, 8, worldSkills-1)
	uses := make([]int, worldSkills)
	sets := make([][]int, worldOccupations)
	for o := range sets {
		seen := map[int]bool{}
		for range 12 + w.random.IntN(18) {
			if s := int(skillRank.Uint64()); !seen[s] {
				seen[s] = true
				uses[s]++
				sets[o] = append(sets[o], s)
			}
		}
	}
	w.idf = make([]float64, worldSkills)
	for s := range w.idf {
		w.idf[s] = math.Log(1 + worldOccupations/float64(1+uses[s]))
	}
	for _, set := range sets {
		var skills []matcher.OpeningSkill
		for i, s := range set {
			skills = append(skills, w.skill(s, i < 2+len(set)/3))
		}
		w.occupations = append(w.occupations, skills)
	}
	total := 0.0
	for i := range worldPlaces {
		w.places = append(w.places, onward.Place{
			ID: onward.PlaceID(3_500_000 + i), Name: fmt.Sprintf("Ciudad %d", i), Country: "MX",
			Lat: 16 + 14*w.random.Float64(), Lon: -112 + 20*w.random.Float64(),
		})
		total += 1 / float64(i+3)
		w.placeWeight = append(w.placeWeight, total)
	}
	for i := range worldWords {
		w.words = append(w.words, syllables(i))
	}
	return w
}

func (w *World) skill(number int, essential bool) matcher.OpeningSkill {
	weight := w.idf[number]
	if !essential {
		weight *= 0.35
	}
	return matcher.OpeningSkill{SkillID: fmt.Sprintf("skill-%04d", number), Essential: essential, Weight: weight}
}

func syllables(n int) string {
	const consonants, vowels = "bcdfglmnprst", "aeiou"
	var b strings.Builder
	for range 3 {
		b.WriteByte(consonants[n%len(consonants)])
		n /= len(consonants)
		b.WriteByte(vowels[n%len(vowels)])
		n /= len(vowels)
	}
	return b.String()
}

// place draws a place, the larger ones more often.
func (w *World) place() onward.Place {
	x := w.random.Float64() * w.placeWeight[len(w.placeWeight)-1]
	i := 0
	for w.placeWeight[i] < x {
		i++
	}
	return w.places[i]
}

// Entries makes n more openings.
func (w *World) Entries(n int) []indexer.Entry {
	entries := make([]indexer.Entry, n)
	for i := range entries {
		entries[i] = w.entry()
	}
	return entries
}

func (w *World) entry() indexer.Entry {
	r := w.random
	w.made++
	organisation := r.IntN(400)
	e := indexer.Entry{Opening: matcher.Opening{
		ID: id(uint64(r.Uint32())<<24 | uint64(w.made)), Version: int64(1 + r.IntN(5)), //nolint:gosec // small
		OrganisationID: id(1<<40 | uint64(organisation)), Organisation: fmt.Sprintf("Organización %d", organisation), //nolint:gosec // small
		Country: "MX", Kind: onward.Kinds()[r.IntN(7)],
		PlacesLeft: 1 + r.IntN(9), SkillBasis: onward.SkillsCoded, SkillConfidence: 1, Vetting: onward.VettingUnknown,
		Assisted: r.IntN(8) == 0, Remote: r.IntN(12) == 0, PublishedOn: Today.AddDays(-r.IntN(60)), MinAge: 18,
	}}
	if r.IntN(5) == 0 {
		e.Portability = float64(1+r.IntN(10)) / 10
	}
	if !e.Remote || r.IntN(2) == 0 {
		at := w.place()
		e.PlaceID, e.Place, e.Lat, e.Lon = at.ID, at.Label(), at.Lat, at.Lon
	}
	if r.IntN(3) > 0 {
		e.ClosesOn = Today.AddDays(r.IntN(60) - 10)
	}
	if r.IntN(2) == 0 {
		e.Vetting = onward.VettingPassed
		if r.IntN(3) > 0 {
			e.VettedUntil = Today.AddDays(r.IntN(200) - 50)
		}
	}
	if r.IntN(2) == 0 {
		e.Wage = &onward.Wage{MinMinor: int64(8000+100*r.IntN(50)) * 100, MaxMinor: 2_000_000, Currency: "MXN", Period: onward.PerMonth}
		hours, flexible := float64(20+r.IntN(30)), r.IntN(2) == 0
		e.HoursPerWeek, e.FlexibleTime = &hours, &flexible
	}
	e.Languages = []onward.LanguageNeed{{Language: "es", Level: "B1", Essential: true}}
	e.Documents = []onward.DocumentKind{onward.NationalID}
	w.fillSkills(&e.Opening)
	w.fillText(&e)
	return e
}

func (w *World) fillSkills(o *matcher.Opening) {
	r := w.random
	switch r.IntN(20) {
	case 0:
		o.SkillBasis, o.SkillConfidence, o.Scale = onward.SkillsNone, 0.5, 1
		return
	case 1, 2:
		o.SkillBasis, o.SkillConfidence = onward.SkillsFromOccupation, 0.8
	}
	sum := 0.0
	for _, skill := range w.occupations[r.IntN(len(w.occupations))] {
		if skill.Essential || r.IntN(2) == 0 {
			o.Skills = append(o.Skills, skill)
			sum += skill.Weight
		}
	}
	o.Scale = o.SkillConfidence / sum
}

func (w *World) fillText(e *indexer.Entry) {
	r := w.random
	text := func(n int) string {
		words := make([]string, n)
		for i := range words {
			words[i] = w.words[int(float64(worldWords-1)*math.Pow(r.Float64(), 3))]
		}
		return strings.Join(words, " ")
	}
	e.Title = onward.Text{"es": text(3) + "ción"}
	if r.IntN(3) == 0 {
		e.Title["en"] = text(3)
	}
	e.SearchTitle = typeahead.Fold(e.Title["es"] + " " + e.Title["en"])
	e.SearchText = typeahead.Fold(text(40 + r.IntN(60)))
}

// Query makes the query of one person, with about as many skills and as many likely places as asked.
func (w *World) Query(skills, places int) matcher.Query {
	r := w.random
	q := matcher.Query{Country: "MX", Today: Today, NeutralFit: 0.3, Limit: 200}
	known := map[string]bool{}
	for len(q.Skills) < skills {
		for _, s := range w.occupations[r.IntN(len(w.occupations))] {
			if known[s.SkillID] || len(q.Skills) == skills {
				continue
			}
			known[s.SkillID] = true
			idf, strength := s.Weight, 0.1+0.9*r.Float64()
			if !s.Essential {
				idf /= 0.35
			}
			q.Skills = append(q.Skills, matcher.QuerySkill{SkillID: s.SkillID, Essential: idf * strength, Optional: 0.35 * idf * strength})
		}
	}
	q.Reach = matcher.Reach{Places: map[onward.PlaceID]matcher.PlaceReach{}, Abroad: 0.4 * r.Float64()}
	q.Reach.InCountry = 1 - q.Reach.Abroad
	q.Reach.AssistedElsewhere = 0.2 * q.Reach.InCountry
	for len(q.Reach.Places) < places {
		plain := q.Reach.InCountry * r.Float64()
		q.Reach.Places[w.place().ID] = matcher.PlaceReach{Plain: plain, Assisted: max(plain, q.Reach.AssistedElsewhere)}
	}
	return q
}

// Filtered adds the less common parts of a query by chance.
func (w *World) Filtered(q matcher.Query) matcher.Query {
	r := w.random
	if r.IntN(3) == 0 {
		q.Kinds = onward.Kinds()[r.IntN(3) : 4+r.IntN(3)]
	}
	if r.IntN(3) == 0 {
		for range 3 {
			q.ExcludedPlaces = append(q.ExcludedPlaces, w.place().ID)
		}
	}
	if r.IntN(3) == 0 {
		q.ExcludedOrganisations = []onward.ID{w.entry().OrganisationID}
	}
	q.VettedOnly = r.IntN(3) == 0
	if r.IntN(4) == 0 {
		q.Reach.Abroad = 0
	}
	if r.IntN(4) == 0 {
		q.NeutralFit = 0
	}
	if r.IntN(8) == 0 {
		q.Skills, q.SkillsUnknown = nil, true
	}
	q.Limit = []int{1, 20, 200, 1000}[r.IntN(4)]
	return q
}

// search makes a search by chance.
func (w *World) search() indexer.SearchQuery {
	r := w.random
	q := indexer.SearchQuery{Today: Today, Limit: 50, Offset: []int{0, 0, 20}[r.IntN(3)]}
	for range r.IntN(3) {
		q.Text += w.words[int(float64(worldWords-1)*math.Pow(r.Float64(), 5))] + " "
	}
	if r.IntN(2) == 0 {
		q.Text += w.words[r.IntN(50)][:3]
	}
	if r.IntN(2) == 0 {
		for _, skill := range w.occupations[r.IntN(len(w.occupations))][:4] {
			q.Skills = append(q.Skills, skill.SkillID)
		}
	}
	if r.IntN(2) == 0 {
		at := w.place()
		q.Near = &indexer.Near{Lat: at.Lat + 0.1, Lon: at.Lon - 0.2, RadiusKm: 100 + 300*r.Float64()}
	}
	if r.IntN(4) == 0 {
		q.Kinds = onward.Kinds()[:3]
	}
	return q
}

// id makes an id out of a number, so that a failing test names something that can be found again.
func id(n uint64) onward.ID {
	var b onward.ID
	for i := range 8 {
		b[15-i] = byte(n >> (8 * i)) //nolint:gosec // one byte at a time
	}
	b[6], b[8] = 0x70, 0x80
	b[9] = byte(n >> 48) //nolint:gosec // one byte
	return b
}
