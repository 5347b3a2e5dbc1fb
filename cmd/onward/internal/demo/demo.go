// Package demo makes the fictional caseload of `onward demo` and prints a ranked list for a person to read.
//
// People, organisations and openings are invented. The cities are real, and what is said of them hangs together as it does
// in Mexico: which trades a place has, what they pay, which papers they ask for, where people come back from.
package demo

import (
	"math/rand/v2"
	"slices"
	"strings"

	"onward"
)

// How large the caseload is.
const (
	ReturneeCount    = 320
	OpportunityCount = 3200
)

const (
	country  = "MX"
	currency = "MXN"
)

// Caseload is everything that the demonstration loads.
type Caseload struct {
	Organisations []Organisation
	Opportunities []Opportunity
	Returnees     []onward.ReturneeDetails // all on the caseload of Agency
	Agency        string                   // slug of the organisation whose counsellors have the returnees
	Spotlight     string                   // external id of the returnee whose list the demonstration shows
}

// Organisation comes with its users, at least one. Ids are not set: the store gives them.
type Organisation struct {
	onward.Organisation
	Users []onward.User
}

// Opportunity is posted by the organisation with the slug.
type Opportunity struct {
	Organisation string
	Details      onward.OpportunityDetails
}

// Generate makes the caseload. It is deterministic: the same seed, day, places and taxonomy give the same caseload. Places
// are those of reference.Places, the taxonomy is reference.Starter; EInvalid when a city, occupation or skill that the
// demonstration rests on is not in them.
func Generate(seed uint64, today onward.Date, places []onward.Place, taxonomy onward.Taxonomy) (Caseload, error) {
	g, err := newGenerator(seed, today, places, taxonomy)
	if err != nil {
		return Caseload{}, err
	}
	c := Caseload{
		Organisations: g.makeOrganisations(),
		Opportunities: g.makeOpportunities(),
		Returnees:     g.makeReturnees(),
		Agency:        mainAgency,
		Spotlight:     spotlightID,
	}
	g.missing = append(g.missing, g.atlas.missing...)
	if len(g.missing) > 0 {
		slices.Sort(g.missing)
		return Caseload{}, onward.Errorf(onward.EInvalid,
			"the demonstration needs the built-in places and taxonomy; these are not in them: %s", strings.Join(slices.Compact(g.missing), ", "))
	}
	return c, nil
}

// generator holds what the parts of the caseload share. Each part draws from its own random stream, so that a change to
// one leaves the others as they were.
type generator struct {
	*draw
	seed       uint64
	today      onward.Date
	atlas      *atlas
	vocabulary *vocabulary
	minimum    minimumWage
	posters    map[industryKey][]poster // who posts jobs of an industry
	general    poster                   // who posts where nobody else does
	missing    []string                 // names that the places or the taxonomy lack
}

func newGenerator(seed uint64, today onward.Date, places []onward.Place, taxonomy onward.Taxonomy) (*generator, error) {
	g := &generator{seed: seed, today: today, minimum: minimumWageOf(today)}
	var err error
	if g.atlas, err = newAtlas(places); err != nil {
		return nil, err
	}
	g.vocabulary = newVocabulary(taxonomy)
	g.posters = g.makePosters()
	return g, nil
}

// stream starts the random numbers of one part.
func (g *generator) stream(part uint64) {
	g.draw = &draw{rand.New(rand.NewPCG(g.seed, part))} //nolint:gosec // made-up people need no secrets
}

// occupation finds an occupation of the taxonomy by its slug, and remembers that it is missing when it is.
func (g *generator) occupation(slug string) occupation {
	o, ok := g.vocabulary.occupations[slug]
	if !ok {
		g.missing = append(g.missing, "occupation "+slug)
	}
	return o
}

// place finds a Mexican place by its name.
func (g *generator) place(name string) onward.Place {
	p, ok := g.atlas.find(name)
	if !ok {
		g.missing = append(g.missing, "place "+name)
	}
	return p
}

// phrase is a text in the two languages of the demonstration.
type phrase struct{ es, en string }

func (p phrase) text() onward.Text { return onward.Text{"es": p.es, "en": p.en} }

// occupation is what the demonstration needs of an occupation of the taxonomy.
type occupation struct {
	id                  string
	label               phrase
	essential, optional []skill
}

type skill struct {
	id        string
	label     phrase
	knowledge bool // not something that one does: stays out of "you will …"
}

type vocabulary struct {
	occupations map[string]occupation // by slug: the last part of the id
	skills      map[string]skill      // by slug
}

func newVocabulary(t onward.Taxonomy) *vocabulary {
	v := &vocabulary{occupations: map[string]occupation{}, skills: map[string]skill{}}
	slugs := make(map[string]string, len(t.Concepts))
	for _, c := range t.Concepts {
		slug := c.ID[strings.LastIndexByte(c.ID, '/')+1:]
		var label phrase
		for _, l := range c.Labels {
			switch {
			case !l.Preferred:
			case l.Language == "es":
				label.es = l.Text
			case l.Language == "en":
				label.en = l.Text
			}
		}
		switch {
		case c.Kind == onward.ConceptOccupation:
			v.occupations[slug] = occupation{id: c.ID, label: label}
			slugs[c.ID] = slug
		case c.Kind.IsSkill():
			v.skills[slug] = skill{c.ID, label, c.Kind == onward.ConceptKnowledge}
			slugs[c.ID] = slug
		}
	}
	for _, r := range t.Relations {
		o, isOccupation := v.occupations[slugs[r.From]]
		s, isSkill := v.skills[slugs[r.To]]
		if !isOccupation || !isSkill {
			continue
		}
		switch r.Kind {
		case onward.RelationEssential:
			o.essential = append(o.essential, s)
		case onward.RelationOptional:
			o.optional = append(o.optional, s)
		case onward.RelationBroader, onward.RelationRelated, onward.RelationExact:
			continue
		}
		v.occupations[slugs[r.From]] = o
	}
	return v
}
