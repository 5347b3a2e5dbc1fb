// Package skills keeps one or more releases of a skill classification in memory: what exists, what it is called, how much a
// skill tells, and how near two skills are. It is pure: releases come in as values.
package skills

import (
	"iter"

	"onward"
)

// Taxonomy is a set of releases that were loaded together. It is safe for use by many goroutines.
type Taxonomy struct{}

// New builds a taxonomy from releases, such as the starter taxonomy and ESCO.
func New(releases ...onward.Taxonomy) (*Taxonomy, error) { return &Taxonomy{}, nil }

// Release names the loaded releases, joined by "+", for onward.ListVersions.
func (t *Taxonomy) Release() string { return "" }

// HasSkill says whether a skill (or knowledge) of that id is loaded.
func (t *Taxonomy) HasSkill(id string) bool { return false }

// HasOccupation says whether an occupation of that id is loaded.
func (t *Taxonomy) HasOccupation(id string) bool { return false }

// Label is the preferred name in a language, with fallback.
func (t *Taxonomy) Label(id, language string) string { return id }

// IDF is how much a skill tells.
func (t *Taxonomy) IDF(skillID string) float64 { return 0 }

// SkillsOf lists the skills of an occupation.
func (t *Taxonomy) SkillsOf(occupationID string) (essential, optional []string) { return nil, nil }

// Related is a skill with its nearness to another.
type Related struct {
	SkillID string
	Value   float64
}

// Related lists what a person who has the skill can count on having too, nearest first. The slice is shared: don't change it.
func (t *Taxonomy) Related(skillID string) []Related { return nil }

// LabelEntry is one name of one concept, for a type-ahead index.
type LabelEntry struct {
	ID        string
	Kind      onward.ConceptKind
	Language  string
	Text      string
	Preferred bool
}

// Labels yields every name of every skill and occupation.
func (t *Taxonomy) Labels() iter.Seq[LabelEntry] { return func(func(LabelEntry) bool) {} }
