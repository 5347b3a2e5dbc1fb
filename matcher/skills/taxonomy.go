// Package skills keeps one or more releases of a skill classification in memory: what exists, what it is called, how much
// a skill tells, and how near two skills are. It is pure: releases come in as values and nothing is read or written.
package skills

import (
	"iter"
	"strings"
	"sync"
	"sync/atomic"

	"onward"
)

// Taxonomy is a set of releases that were loaded together. It never changes after New and is safe for use by many
// goroutines.
type Taxonomy struct {
	releases []Release
	concepts []concept
	index    map[string]int32 // id -> position in concepts

	labels     []label // of concept i: labels[labelStart[i]:labelStart[i+1]]
	labelStart []int32
	text       string // of all labels, one after the other
	languages  []string

	essential, optional adjacency // occupation -> skills
	essentialIn         adjacency // skill -> occupations that can't do without it
	broader, narrower   adjacency // concept -> concepts
	supports            adjacency // skill -> skills, both ways
	exact               adjacency // concept -> the same concept in other releases, both ways
	idf                 []float64 // by concept; 0 for what is not a skill

	dropped int

	near    []atomic.Pointer[[]Related] // by concept, filled when first asked for
	scratch sync.Pool                   // of *workspace
}

type concept struct {
	id      string
	code    string
	kind    onward.ConceptKind
	release uint8
	unpaid  bool
}

// Release is what is known of one loaded release.
type Release struct {
	Release     string // "esco-1.1.1"
	Name        string
	Source      string // with the attribution that its licence asks for
	Skills      int
	Occupations int
}

// Release names the loaded releases in the order in which they were given, joined by "+". It goes into
// onward.ListVersions: weights and relatedness depend on nothing else.
func (t *Taxonomy) Release() string {
	names := make([]string, len(t.releases))
	for i, r := range t.releases {
		names[i] = r.Release
	}
	return strings.Join(names, "+")
}

// Releases describes the loaded releases, with the attributions that pages have to show.
func (t *Taxonomy) Releases() []Release {
	return append([]Release(nil), t.releases...)
}

// Dropped counts the relations that New left out because an end of theirs is not loaded or is of the wrong kind. The
// official ESCO release has a few; a link to another release that is not loaded is not counted.
func (t *Taxonomy) Dropped() int { return t.dropped }

// HasSkill says whether a skill (or knowledge) of that id is loaded.
func (t *Taxonomy) HasSkill(id string) bool {
	i, ok := t.index[id]
	return ok && t.concepts[i].kind.IsSkill()
}

// HasOccupation says whether an occupation of that id is loaded.
func (t *Taxonomy) HasOccupation(id string) bool {
	i, ok := t.index[id]
	return ok && t.concepts[i].kind == onward.ConceptOccupation
}

// Kind says what a concept is.
func (t *Taxonomy) Kind(id string) (onward.ConceptKind, bool) {
	i, ok := t.index[id]
	if !ok {
		return "", false
	}
	return t.concepts[i].kind, true
}

// Code is the ISCO-08 code of an occupation or ISCO group, else nothing.
func (t *Taxonomy) Code(id string) string {
	if i, ok := t.index[id]; ok {
		return t.concepts[i].code
	}
	return ""
}

// UnseenUnpaid says whether a concept is work that is usually done unpaid.
func (t *Taxonomy) UnseenUnpaid(id string) bool {
	i, ok := t.index[id]
	return ok && t.concepts[i].unpaid
}

// IDF is how much a skill tells about an opportunity that asks for it:
//
//	idf(s) = ln(1 + N / (1 + n))
//
// where N is the number of occupations of the skill's own release and n in how many of them it stands, as essential or
// as optional (Spärck Jones 1972, with 1 added twice: a skill that stands nowhere has a finite weight, and one that
// stands everywhere still counts, about ln 2). 0 for an unknown skill.
func (t *Taxonomy) IDF(skillID string) float64 {
	if i, ok := t.index[skillID]; ok {
		return t.idf[i]
	}
	return 0
}

// SkillsOf lists the skills of an occupation, in the order of their ids. A skill that is both is essential.
func (t *Taxonomy) SkillsOf(occupationID string) (essential, optional []string) {
	i, ok := t.index[occupationID]
	if !ok {
		return nil, nil
	}
	return t.namesOf(t.essential.of(i)), t.namesOf(t.optional.of(i))
}

func (t *Taxonomy) namesOf(concepts []int32) []string {
	ids := make([]string, len(concepts))
	for k, c := range concepts {
		ids[k] = t.concepts[c].id
	}
	return ids
}

// label is one name: 8 bytes, since a full ESCO in several languages has far over 100,000 of them.
type label struct {
	offset    uint32
	length    uint16
	language  uint8
	preferred bool
}

func (t *Taxonomy) textOf(l label) string { return t.text[l.offset : l.offset+uint32(l.length)] }

// Label is the name of a concept in a language. Where that is missing: the name of the same concept in another release in
// that language, then the English name, then any, and for an unknown concept its id, so that nothing is ever nameless.
func (t *Taxonomy) Label(id, language string) string {
	i, ok := t.index[id]
	if !ok {
		return id
	}
	for _, wanted := range [...]string{language, "en", ""} {
		if name, ok := t.nameIn(i, wanted); ok {
			return name
		}
		for _, twin := range t.exact.of(i) {
			if name, ok := t.nameIn(twin, wanted); ok {
				return name
			}
		}
	}
	return id
}

// nameIn is the preferred name in a language, else the first one; the empty language stands for any.
func (t *Taxonomy) nameIn(concept int32, language string) (name string, ok bool) {
	for _, l := range t.labels[t.labelStart[concept]:t.labelStart[concept+1]] {
		if language != "" && t.languages[l.language] != language {
			continue
		}
		if l.preferred {
			return t.textOf(l), true
		}
		if !ok {
			name, ok = t.textOf(l), true
		}
	}
	return name, ok
}

// LabelEntry is one name of one concept.
type LabelEntry struct {
	ID        string
	Kind      onward.ConceptKind
	Language  string
	Text      string
	Preferred bool
}

// Labels yields every name of every skill and occupation, those of one concept after each other: what a type-ahead index
// is built from.
func (t *Taxonomy) Labels() iter.Seq[LabelEntry] {
	return func(yield func(LabelEntry) bool) {
		for i, c := range t.concepts {
			if !c.kind.IsSkill() && c.kind != onward.ConceptOccupation {
				continue
			}
			for _, l := range t.labels[t.labelStart[i]:t.labelStart[i+1]] {
				if !yield(LabelEntry{c.id, c.kind, t.languages[l.language], t.textOf(l), l.preferred}) {
					return
				}
			}
		}
	}
}
