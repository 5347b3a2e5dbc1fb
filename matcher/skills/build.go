package skills

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"onward"
)

// New builds a taxonomy from releases, such as the starter taxonomy and ESCO. It copies what it keeps, so that the
// releases (and the files they were cut from) can be let go.
//
// EInvalid when a release has no name, or when an id is empty or stands twice, in one release or in two. Relations to
// concepts that are not loaded are left out and counted by Dropped.
func New(releases ...onward.Taxonomy) (*Taxonomy, error) {
	if len(releases) > math.MaxUint8 {
		return nil, onward.Errorf(onward.EInvalid, "load at most %d releases together", math.MaxUint8)
	}
	t := &Taxonomy{}
	if err := t.addConcepts(releases); err != nil {
		return nil, err
	}
	if err := t.addLabels(releases); err != nil {
		return nil, err
	}
	t.addRelations(releases)
	return t, nil
}

// addConcepts numbers the concepts, by release and then by id: the order of the input never matters.
func (t *Taxonomy) addConcepts(releases []onward.Taxonomy) error {
	total, bytes := 0, 0
	for _, r := range releases {
		total += len(r.Concepts)
		for i := range r.Concepts {
			bytes += len(r.Concepts[i].ID)
		}
	}
	t.concepts = make([]concept, 0, total)
	t.index = make(map[string]int32, total)
	var ids strings.Builder // one allocation for all ids
	ids.Grow(bytes)
	codes := map[string]string{}
	for number, r := range releases {
		if r.Release == "" {
			return onward.Errorf(onward.EInvalid, "a release needs a name, such as esco-1.1.1")
		}
		summary := Release{Release: r.Release, Name: r.Name, Source: r.Source}
		for _, i := range byID(r.Concepts) {
			c := &r.Concepts[i]
			if c.ID == "" {
				return onward.Errorf(onward.EInvalid, "release %s has a concept without an id", r.Release)
			}
			start := ids.Len()
			ids.WriteString(c.ID)
			id := ids.String()[start:]
			if _, twice := t.index[id]; twice {
				return onward.Errorf(onward.EInvalid, "concept %s of release %s is there twice; load each release once", id, r.Release)
			}
			code, ok := codes[c.Code]
			if !ok {
				code = strings.Clone(c.Code)
				codes[code] = code
			}
			t.index[id] = int32(len(t.concepts))                                                                                       //nolint:gosec // far below 2^31 concepts
			t.concepts = append(t.concepts, concept{id: id, code: code, kind: c.Kind, release: uint8(number), unpaid: c.UnseenUnpaid}) //nolint:gosec // checked in New
			switch {
			case c.Kind.IsSkill():
				summary.Skills++
			case c.Kind == onward.ConceptOccupation:
				summary.Occupations++
			}
		}
		t.releases = append(t.releases, summary)
	}
	return nil
}

func byID(concepts []onward.Concept) []int {
	order := make([]int, len(concepts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(concepts[a].ID, concepts[b].ID) })
	return order
}

func (t *Taxonomy) addLabels(releases []onward.Taxonomy) error {
	count, bytes := 0, 0
	position := make([]*onward.Concept, len(t.concepts))
	for r := range releases {
		for i := range releases[r].Concepts {
			c := &releases[r].Concepts[i]
			position[t.index[c.ID]] = c
			count += len(c.Labels)
			for _, l := range c.Labels {
				bytes += len(l.Text)
			}
		}
	}
	if bytes > math.MaxUint32 {
		return onward.Errorf(onward.EInvalid, "the labels of the taxonomy are over 4 GB")
	}
	var text strings.Builder
	text.Grow(bytes)
	t.labels = make([]label, 0, count)
	t.labelStart = make([]int32, 0, len(t.concepts)+1)
	languages := map[string]uint8{}
	for i, c := range position {
		t.labelStart = append(t.labelStart, int32(len(t.labels))) //nolint:gosec // one per label of at most 4 GB
		for _, l := range c.Labels {
			if l.Text == "" {
				continue
			}
			if len(l.Text) > math.MaxUint16 {
				return onward.Errorf(onward.EInvalid, "a label of concept %s is over 64 kB", t.concepts[i].id)
			}
			number, ok := languages[l.Language]
			if !ok {
				if len(t.languages) > math.MaxUint8 {
					return onward.Errorf(onward.EInvalid, "the labels are in more than %d languages", math.MaxUint8+1)
				}
				number = uint8(len(t.languages)) //nolint:gosec // checked above
				languages[strings.Clone(l.Language)] = number
				t.languages = append(t.languages, strings.Clone(l.Language))
			}
			//nolint:gosec // both sizes are checked above
			t.labels = append(t.labels, label{uint32(text.Len()), uint16(len(l.Text)), number, l.Preferred})
			text.WriteString(l.Text)
		}
	}
	t.labelStart = append(t.labelStart, int32(len(t.labels))) //nolint:gosec // as above
	t.text = text.String()
	return nil
}

func (t *Taxonomy) addRelations(releases []onward.Taxonomy) {
	var essential, optional, broader, supports, exact []arrow
	for _, release := range releases {
		for _, r := range release.Relations {
			from, okFrom := t.index[r.From]
			to, okTo := t.index[r.To]
			if !okFrom || !okTo || from == to {
				if r.Kind != onward.RelationExact || !okFrom {
					t.dropped++
				}
				continue
			}
			a := arrow{from, to}
			switch {
			case r.Kind == onward.RelationBroader:
				broader = append(broader, a)
			case r.Kind == onward.RelationExact:
				exact = append(exact, a, a.reversed())
			case r.Kind == onward.RelationRelated && t.isSkill(from) && t.isSkill(to):
				supports = append(supports, a, a.reversed())
			case r.Kind == onward.RelationEssential && t.isOccupation(from) && t.isSkill(to):
				essential = append(essential, a)
			case r.Kind == onward.RelationOptional && t.isOccupation(from) && t.isSkill(to):
				optional = append(optional, a)
			default:
				t.dropped++
			}
		}
	}
	n := len(t.concepts)
	t.essential = newAdjacency(n, essential)
	optional = slices.DeleteFunc(optional, func(a arrow) bool {
		_, both := slices.BinarySearch(t.essential.of(a.from), a.to)
		return both
	})
	t.optional = newAdjacency(n, optional)
	t.essentialIn = newAdjacency(n, reversed(essential))
	t.broader = newAdjacency(n, broader)
	t.narrower = newAdjacency(n, reversed(broader))
	t.supports = newAdjacency(n, supports)
	t.exact = closed(newAdjacency(n, exact), n)
	t.weigh(reversed(optional))
	t.prepareRelated()
}

func (t *Taxonomy) isSkill(concept int32) bool { return t.concepts[concept].kind.IsSkill() }

func (t *Taxonomy) isOccupation(concept int32) bool {
	return t.concepts[concept].kind == onward.ConceptOccupation
}

// weigh works out idf. An occupation of one release that names a skill of another does not count: a weight is a constant
// of the skill's own release, whatever is loaded beside it.
func (t *Taxonomy) weigh(optionalIn []arrow) {
	n := len(t.concepts)
	alsoIn := newAdjacency(n, optionalIn)
	t.idf = make([]float64, n)
	for i, c := range t.concepts {
		if !c.kind.IsSkill() {
			continue
		}
		stands := 0
		for _, occupations := range [...][]int32{t.essentialIn.of(int32(i)), alsoIn.of(int32(i))} { //nolint:gosec // an index of concepts
			for _, o := range occupations {
				if t.concepts[o].release == c.release {
					stands++
				}
			}
		}
		t.idf[i] = math.Log(1 + float64(t.releases[c.release].Occupations)/float64(1+stands))
	}
}

// arrow is one relation between two concepts.
type arrow struct{ from, to int32 }

func (a arrow) reversed() arrow { return arrow{a.to, a.from} }

func reversed(arrows []arrow) []arrow {
	back := make([]arrow, len(arrows))
	for i, a := range arrows {
		back[i] = a.reversed()
	}
	return back
}

// adjacency lists for each concept the concepts that one relation leads to, in compressed rows.
type adjacency struct {
	start []int32
	to    []int32
}

// newAdjacency sorts each row and takes out what stands twice. The arrows may come in any order.
func newAdjacency(concepts int, arrows []arrow) adjacency {
	start := make([]int32, concepts+1)
	for _, a := range arrows {
		start[a.from+1]++
	}
	for i := range concepts {
		start[i+1] += start[i]
	}
	to, next := make([]int32, len(arrows)), slices.Clone(start)
	for _, a := range arrows {
		to[next[a.from]] = a.to
		next[a.from]++
	}
	kept := int32(0)
	for i := range concepts {
		row := to[start[i]:start[i+1]]
		slices.Sort(row)
		start[i] = kept
		for k, c := range row {
			if k == 0 || c != row[k-1] {
				to[kept] = c // never ahead of what is read: rows only move forward
				kept++
			}
		}
	}
	start[concepts] = kept
	return adjacency{start, to[:kept:kept]}
}

func (a adjacency) of(concept int32) []int32 { return a.to[a.start[concept]:a.start[concept+1]] }

// closed makes "the same as" transitive: two starter skills that name the same ESCO skill are the same as each other.
func closed(exact adjacency, concepts int) adjacency {
	if len(exact.to) == 0 {
		return exact
	}
	var arrows []arrow
	seen := make([]int32, concepts)      // which class a concept is in, 0 for none yet
	for first := range int32(concepts) { //nolint:gosec // far below 2^31 concepts
		if seen[first] != 0 || len(exact.of(first)) == 0 {
			continue
		}
		class := []int32{first}
		seen[first] = first + 1
		for k := 0; k < len(class); k++ {
			for _, next := range exact.of(class[k]) {
				if seen[next] == 0 {
					seen[next] = first + 1
					class = append(class, next)
				}
			}
		}
		for _, a := range class {
			for _, b := range class {
				if a != b {
					arrows = append(arrows, arrow{a, b})
				}
			}
		}
	}
	return newAdjacency(concepts, arrows)
}
