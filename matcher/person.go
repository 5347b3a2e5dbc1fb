package matcher

import (
	"cmp"
	"slices"

	"onward"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// NeutralFit is the fit where nothing is known of the skills, of the opening or of the person: below a middling match, so
// that it does not pass what is known to fit, and well above nothing, so that it is not shut out. Judgement.
const NeutralFit = 0.3

// Person is a returnee as the matcher sees them. It holds nothing that identifies, and nothing that a score must never
// rest on: no name, sex, nationality, ethnicity, religion or mother tongue. Of the birth date only the age is kept.
type Person struct {
	Country       string
	Age           *int // in years on the day of NewPerson; nil: unknown
	Languages     []onward.LanguageSkill
	Documents     []onward.PersonDocument
	AvailableFrom onward.Date
	Preferences   onward.Preferences
	// SkillsUnknown: neither skills nor work are recorded, which is not the same as none.
	SkillsUnknown bool
	// Consented: an active consent to be matched is on record. Without it Rank returns nothing.
	Consented bool

	safety    onward.Safety
	own       []ownSkill // the strongest first
	strengths map[string]Strength
	taxonomy  *skills.Taxonomy
}

// NewPerson takes from a profile what the score uses. Today decides on age, consent and how long ago a skill was used.
func NewPerson(r onward.ReturneeDetails, taxonomy *skills.Taxonomy, today onward.Date) Person {
	own := ownSkills(r, taxonomy, today)
	return newPerson(r, own, expand(own, taxonomy), taxonomy, today)
}

func newPerson(r onward.ReturneeDetails, own []ownSkill, strengths map[string]Strength, taxonomy *skills.Taxonomy, today onward.Date) Person {
	p := Person{
		Country: r.Country, Languages: r.Languages, Documents: r.Documents, AvailableFrom: r.AvailableFrom,
		Preferences: r.Preferences, SkillsUnknown: len(own) == 0, Consented: r.HasConsent(onward.ConsentMatching, today),
		safety: r.Safety, own: own, strengths: strengths, taxonomy: taxonomy,
	}
	if !r.BirthDate.IsZero() {
		age := r.BirthDate.YearsUntil(today)
		p.Age = &age
	}
	return p
}

// Strength is how far the person covers a skill; the zero Strength when not at all.
func (p Person) Strength(skillID string) Strength { return p.strengths[skillID] }

// ExcludedPlaces lists every place that must never appear in a list for the person: those named and all within their
// radius. Nobody is told why.
func (p Person) ExcludedPlaces(gazetteer *destination.Gazetteer) []onward.PlaceID {
	return gazetteer.Excluded(p.safety.ExcludedPlaces)
}

// Query asks an index for the openings with the highest fit x reach. Candidates is how many to return: a few hundred, of
// which Rank makes the list. Check Consented before.
func (p Person) Query(reach Reach, gazetteer *destination.Gazetteer, options Options, candidates int) Query {
	q := Query{
		Country: p.Country, Today: options.Today, Kinds: options.Kinds, NeutralFit: NeutralFit, SkillsUnknown: p.SkillsUnknown,
		Reach: reach, ExcludedPlaces: p.ExcludedPlaces(gazetteer),
		ExcludedOrganisations: p.safety.ExcludedOrganisations, VettedOnly: p.safety.Protection, Limit: candidates,
	}
	q.Skills = make([]QuerySkill, 0, len(p.strengths))
	for id, u := range p.strengths {
		weight := p.taxonomy.IDF(id) * u.Value
		q.Skills = append(q.Skills, QuerySkill{SkillID: id, Essential: weight * essentialShare, Optional: weight * optionalShare})
	}
	slices.SortFunc(q.Skills, func(a, b QuerySkill) int { return cmp.Compare(a.SkillID, b.SkillID) })
	return q
}
