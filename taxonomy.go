package onward

// ConceptKind says what a concept of the taxonomy is.
type ConceptKind string

// The kinds of concept.
const (
	ConceptSkill      ConceptKind = "skill"
	ConceptKnowledge  ConceptKind = "knowledge" // matched as a skill is
	ConceptSkillGroup ConceptKind = "skill_group"
	ConceptOccupation ConceptKind = "occupation"
	ConceptISCOGroup  ConceptKind = "isco_group"
)

// IsSkill says that a person can have it and an opportunity can ask for it.
func (k ConceptKind) IsSkill() bool { return k == ConceptSkill || k == ConceptKnowledge }

// Concept is one entry of a taxonomy.
type Concept struct {
	ID   string
	Kind ConceptKind
	// Code is the ISCO-08 code: of the unit group for an occupation, of itself for an ISCO group.
	Code string
	// UnseenUnpaid marks work that is usually done unpaid, and counts.
	UnseenUnpaid bool
	Labels       []Label
}

// Label is a name of a concept in one language.
type Label struct {
	Language  string
	Text      string
	Preferred bool
}

// RelationKind says how two concepts hang together.
type RelationKind string

// The kinds of relation.
const (
	RelationEssential RelationKind = "essential" // occupation -> skill that it can't do without
	RelationOptional  RelationKind = "optional"  // occupation -> skill that helps
	RelationBroader   RelationKind = "broader"   // concept -> the wider concept or group
	RelationRelated   RelationKind = "related"   // skill -> skill that supports it
	RelationExact     RelationKind = "exact"     // concept -> the same concept in another release
)

// Relation is one arrow between two concepts.
type Relation struct {
	From, To string
	Kind     RelationKind
}

// Taxonomy is one release of a classification, whole.
type Taxonomy struct {
	Release   string // "esco-1.1.1"
	Name      string
	Source    string // with the attribution that its licence asks for
	Concepts  []Concept
	Relations []Relation
}
