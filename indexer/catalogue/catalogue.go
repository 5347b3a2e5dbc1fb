// Package catalogue holds the reference data in memory, for one moment: the loaded taxonomies, the places, their
// type-ahead, and the likely-destination model of each country. It answers onward.Vocabulary.
package catalogue

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"onward"
	"onward/indexer/typeahead"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// Catalogue is immutable; a new one is made when reference data changes.
type Catalogue struct {
	taxonomy *skills.Taxonomy
	places   []onward.Place // by id
	concepts []concept
	names    func() names
	linkers  func() (linkers, error)

	coefficients map[string]destination.Coefficients // fitted, by country

	mu        sync.Mutex
	countries map[string]*Country
}

// Country is what matching needs of one country.
type Country struct {
	Gazetteer *destination.Gazetteer
	Model     *destination.Model
}

type concept struct {
	id   string
	kind onward.ConceptKind
}

// names are built in the background: a second after the start no one will have typed yet.
type names struct {
	concepts, places *typeahead.Index
	conceptByLabel   map[string][]int32 // folded label -> positions in Catalogue.concepts
	placeByName      map[string][]int32 // folded name -> positions in Catalogue.places
}

// New makes a catalogue of places, taxonomies, and the fitted likely-destination coefficients of countries. A country
// without any takes those that come with the program.
func New(places []onward.Place, taxonomies []onward.Taxonomy, fitted ...destination.Coefficients) (*Catalogue, error) {
	taxonomy, err := skills.New(taxonomies...)
	if err != nil {
		return nil, fmt.Errorf("make catalogue: %w", err)
	}
	places = slices.Clone(places)
	slices.SortFunc(places, func(a, b onward.Place) int { return cmp.Compare(a.ID, b.ID) })
	c := &Catalogue{taxonomy: taxonomy, places: places, countries: map[string]*Country{}, coefficients: map[string]destination.Coefficients{}}
	for _, f := range fitted {
		c.coefficients[f.Country] = f
	}
	c.names = sync.OnceValue(c.buildNames)
	c.linkers = sync.OnceValues(c.buildLinkers)
	go c.names()
	return c, nil
}

// Taxonomy is the loaded taxonomy.
func (c *Catalogue) Taxonomy() *skills.Taxonomy { return c.taxonomy }

// Place finds a place by its id.
func (c *Catalogue) Place(id onward.PlaceID) (onward.Place, bool) {
	i, found := slices.BinarySearchFunc(c.places, id, func(p onward.Place, id onward.PlaceID) int { return cmp.Compare(p.ID, id) })
	if !found {
		return onward.Place{}, false
	}
	return c.places[i], true
}

// Opening is an opportunity as the matcher and the index see it, by what is loaded now.
func (c *Catalogue) Opening(o onward.Opportunity) matcher.Opening {
	place, _ := c.Place(o.PlaceID)
	return matcher.NewOpening(o, place, o.Country, c.taxonomy)
}

// Country prepares a country once.
func (c *Catalogue) Country(code string) *Country {
	c.mu.Lock()
	defer c.mu.Unlock()
	if country, ok := c.countries[code]; ok {
		return country
	}
	gazetteer := destination.NewGazetteer(code, c.places)
	country := &Country{Gazetteer: gazetteer, Model: destination.NewModel(gazetteer, c.coefficientsOf(code))}
	c.countries[code] = country
	return country
}

// coefficientsOf are those fitted for a country, else those that come with the program.
func (c *Catalogue) coefficientsOf(country string) destination.Coefficients {
	if fitted, ok := c.coefficients[country]; ok {
		return fitted
	}
	return destination.ForCountry(country)
}

// HasSkill and HasOccupation implement onward.Vocabulary.
func (c *Catalogue) HasSkill(id string) bool { return c.taxonomy.HasSkill(id) }

// HasOccupation says whether an occupation of this id is loaded.
func (c *Catalogue) HasOccupation(id string) bool { return c.taxonomy.HasOccupation(id) }

func (c *Catalogue) buildNames() names {
	n := names{conceptByLabel: map[string][]int32{}, placeByName: map[string][]int32{}}
	var entries []typeahead.Entry
	for label := range c.taxonomy.Labels() {
		if k := len(c.concepts); k == 0 || c.concepts[k-1].id != label.ID {
			c.concepts = append(c.concepts, concept{label.ID, label.Kind})
		}
		key := int32(len(c.concepts) - 1) //nolint:gosec // far below 2^31 concepts
		entries = append(entries, typeahead.Entry{Label: label.Text, Key: key, Lang: label.Language, Preferred: label.Preferred})
		addName(n.conceptByLabel, label.Text, key)
	}
	n.concepts = build(entries)
	entries = entries[:0:0]
	for i, p := range c.places {
		key := int32(i) //nolint:gosec // far below 2^31 places
		weight := float32(math.Log(float64(max(p.Population, 1))))
		entries = append(entries, typeahead.Entry{Label: p.Name, Key: key, Weight: weight, Preferred: true})
		addName(n.placeByName, p.Name, key)
		for _, alt := range p.AltNames {
			entries = append(entries, typeahead.Entry{Label: alt, Key: key, Weight: weight})
			addName(n.placeByName, alt, key)
		}
	}
	n.places = build(entries)
	return n
}

func build(entries []typeahead.Entry) *typeahead.Index {
	x, err := typeahead.Build(entries)
	if err != nil { // only for weights that are not numbers and for over a billion labels
		panic(err)
	}
	return x
}

func addName(byName map[string][]int32, name string, key int32) {
	folded := typeahead.Fold(name)
	if list := byName[folded]; folded != "" && !slices.Contains(list, key) {
		byName[folded] = append(list, key)
	}
}

// ConceptMatch is one skill or occupation found by what was typed.
type ConceptMatch struct {
	ID    string             `json:"id"`
	Kind  onward.ConceptKind `json:"kind" enum:"skill,knowledge,occupation"`
	Label string             `json:"label" doc:"In the language asked for"`
	Found string             `json:"found,omitempty" doc:"The name that matched, when it is another one"`
	Code  string             `json:"code,omitempty" doc:"ISCO-08 unit group of an occupation"`
}

// SuggestConcepts completes what is typed into skills, occupations or both (kind empty).
func (c *Catalogue) SuggestConcepts(text, language string, kind onward.ConceptKind, limit int) []ConceptMatch {
	n := c.names()
	matches := n.concepts.Suggest(text, typeahead.Options{Limit: limit, Lang: language, Accept: func(key int32) bool {
		return c.accepts(key, kind)
	}})
	out := make([]ConceptMatch, len(matches))
	for i, m := range matches {
		found := c.concepts[m.Key]
		out[i] = ConceptMatch{ID: found.id, Kind: found.kind, Label: c.taxonomy.Label(found.id, language), Code: c.taxonomy.Code(found.id)}
		if out[i].Label != m.Label {
			out[i].Found = m.Label
		}
	}
	return out
}

func (c *Catalogue) accepts(key int32, kind onward.ConceptKind) bool {
	have := c.concepts[key].kind
	switch kind {
	case "":
		return true
	case onward.ConceptSkill:
		return have.IsSkill()
	default:
		return have == kind
	}
}

// FindPlaces completes what is typed into places, of one country if it is given.
func (c *Catalogue) FindPlaces(text, country string, limit int) []onward.Place {
	matches := c.names().places.Suggest(text, typeahead.Options{Limit: limit, Accept: func(key int32) bool {
		return country == "" || c.places[key].Country == country
	}})
	out := make([]onward.Place, len(matches))
	for i, m := range matches {
		out[i] = c.places[m.Key]
	}
	return out
}

const suggestions = 3

// SuggestSkills names skills near a text, which may be an id such as onward/skill/lay-brick.
func (c *Catalogue) SuggestSkills(text string) []onward.Suggestion {
	return c.suggest(text, onward.ConceptSkill)
}

// SuggestOccupations names occupations near a text.
func (c *Catalogue) SuggestOccupations(text string) []onward.Suggestion {
	return c.suggest(text, onward.ConceptOccupation)
}

func (c *Catalogue) suggest(text string, kind onward.ConceptKind) []onward.Suggestion {
	words := strings.NewReplacer("-", " ", "_", " ").Replace(short(text[strings.LastIndexByte(text, '/')+1:]))
	n := c.names()
	keys := make([]int32, 0, suggestions)
	for _, m := range append(n.concepts.Suggest(words, typeahead.Options{Limit: 3 * suggestions}), n.concepts.DidYouMean(words, 3*suggestions)...) {
		if len(keys) < suggestions && c.accepts(m.Key, kind) && !slices.Contains(keys, m.Key) {
			keys = append(keys, m.Key)
		}
	}
	out := make([]onward.Suggestion, len(keys))
	for i, key := range keys {
		id := c.concepts[key].id
		out[i] = onward.Suggestion{ID: id, Label: c.taxonomy.Label(id, "en")}
	}
	return out
}

// short keeps a text of any length from being compared whole.
func short(text string) string { return strings.ToValidUTF8(text[:min(len(text), 100)], "") }

// SuggestPlaces names places near a text.
func (c *Catalogue) SuggestPlaces(text string) []onward.Suggestion {
	n := c.names()
	name, _, _ := strings.Cut(short(text), ",")
	var out []onward.Suggestion
	for _, m := range append(n.places.Suggest(name, typeahead.Options{Limit: suggestions}), n.places.DidYouMean(name, suggestions)...) {
		p := c.places[m.Key]
		suggestion := onward.Suggestion{ID: strconv.FormatInt(int64(p.ID), 10), Label: p.Label()}
		if len(out) < suggestions && !slices.Contains(out, suggestion) {
			out = append(out, suggestion)
		}
	}
	return out
}

// SkillByLabel finds a skill by its id or by any of its names, exactly but for case, accents and punctuation. ok is
// false when nothing or more than one has the name.
func (c *Catalogue) SkillByLabel(text string) (id string, ok bool) {
	return c.conceptByLabel(text, onward.ConceptSkill, c.taxonomy.HasSkill)
}

// OccupationByLabel finds an occupation in the same way.
func (c *Catalogue) OccupationByLabel(text string) (id string, ok bool) {
	return c.conceptByLabel(text, onward.ConceptOccupation, c.taxonomy.HasOccupation)
}

func (c *Catalogue) conceptByLabel(text string, kind onward.ConceptKind, isID func(string) bool) (string, bool) {
	if text = strings.TrimSpace(text); isID(text) {
		return text, true
	}
	found := ""
	for _, key := range c.names().conceptByLabel[typeahead.Fold(text)] {
		if !c.accepts(key, kind) {
			continue
		}
		if found != "" {
			return "", false
		}
		found = c.concepts[key].id
	}
	return found, found != ""
}

// PlaceByName finds a place by its id or its name, which may be followed by its division and country: "Zapopan",
// "Zapopan, Jalisco", "Zapopan, Jalisco, MX". Of several places of one name, the one of the preferred country counts;
// several there are ambiguous unless one has ten times the people of the next.
func (c *Catalogue) PlaceByName(text, preferCountry string) (onward.Place, bool) {
	text = strings.TrimSpace(text)
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		return c.Place(onward.PlaceID(id))
	}
	parts := strings.Split(text, ",")
	var found []onward.Place
	for _, key := range c.names().placeByName[typeahead.Fold(parts[0])] {
		if p := c.places[key]; matchesRest(p, parts[1:]) {
			found = append(found, p)
		}
	}
	if slices.ContainsFunc(found, func(p onward.Place) bool { return p.Country == preferCountry }) {
		found = slices.DeleteFunc(found, func(p onward.Place) bool { return p.Country != preferCountry })
	}
	if len(found) == 0 {
		return onward.Place{}, false
	}
	slices.SortFunc(found, func(a, b onward.Place) int { return cmp.Compare(b.Population, a.Population) })
	if len(found) > 1 && found[0].Population < 10*found[1].Population {
		return onward.Place{}, false
	}
	return found[0], true
}

func matchesRest(p onward.Place, rest []string) bool {
	for _, part := range rest {
		part = typeahead.Fold(part)
		if part != typeahead.Fold(p.Admin1Name) && part != typeahead.Fold(p.Country) {
			return false
		}
	}
	return true
}
