package onward

import (
	"fmt"
	"time"
)

// Level says how well a person can do something.
type Level int

// The levels of a skill, as a counsellor would ask for them.
const (
	LevelUnknown     Level = iota
	LevelBasic             // with help
	LevelWorking           // routine work alone
	LevelExperienced       // any usual work alone
	LevelExpert            // teaches others
)

// Verification says on whose word a skill rests.
type Verification string

// The kinds of verification, from the weakest.
const (
	SelfDeclared Verification = "self_declared"
	Referenced   Verification = "referenced" // an employer or colleague was asked
	Tested       Verification = "tested"     // shown in practice or by an examination
	Certified    Verification = "certified"  // on paper
)

// Verifications lists the kinds.
func Verifications() []Verification {
	return []Verification{SelfDeclared, Referenced, Tested, Certified}
}

// ReturneeSkill is a skill that a person has.
type ReturneeSkill struct {
	SkillID      string       `json:"skill_id"`
	Level        Level        `json:"level,omitempty" minimum:"0" maximum:"4" doc:"1 basic, 2 working, 3 experienced, 4 expert; 0 unknown"`
	Verification Verification `json:"verification,omitempty" enum:"self_declared,referenced,tested,certified"`
	LastUsedYear int          `json:"last_used_year,omitempty" doc:"0: unknown"`
	UnseenUnpaid bool         `json:"unseen_unpaid,omitempty" doc:"Gained in unpaid work, which counts the same"`
}

// Experience is work that a person did, paid or not. Its occupation's essential skills count as theirs, at a lower
// strength than skills that someone asked about.
type Experience struct {
	OccupationID string  `json:"occupation_id"`
	Years        float64 `json:"years,omitempty" minimum:"0" maximum:"70"`
	LastYear     int     `json:"last_year,omitempty" doc:"0: unknown"`
	UnseenUnpaid bool    `json:"unseen_unpaid,omitempty"`
}

// LanguageSkill is a language that a person speaks.
type LanguageSkill struct {
	Language string `json:"language"`
	Level    CEFR   `json:"level" enum:"A1,A2,B1,B2,C1,C2"`
}

// DocumentStatus says how far a person is with a document.
type DocumentStatus string

// The states of a document. What is not listed is unknown.
const (
	DocumentHeld         DocumentStatus = "held"
	DocumentApplied      DocumentStatus = "applied"
	DocumentMissing      DocumentStatus = "missing"
	DocumentUnobtainable DocumentStatus = "unobtainable"
)

// DocumentStatuses lists the states.
func DocumentStatuses() []DocumentStatus {
	return []DocumentStatus{DocumentHeld, DocumentApplied, DocumentMissing, DocumentUnobtainable}
}

// PersonDocument is what is known of one document of a person. The number on it is never asked for here.
type PersonDocument struct {
	Kind       DocumentKind   `json:"kind"`
	Status     DocumentStatus `json:"status" enum:"held,applied,missing,unobtainable"`
	ExpectedOn Date           `json:"expected_on,omitzero" format:"date" doc:"When an applied or missing one can be had"`
	ValidUntil Date           `json:"valid_until,omitzero" format:"date"`
}

// PlaceRelation says what a place is to a person.
type PlaceRelation string

// The relations.
const (
	PlaceOrigin   PlaceRelation = "origin"   // community of origin
	PlaceCurrent  PlaceRelation = "current"  // where the person is now
	PlacePrevious PlaceRelation = "previous" // lived there before
	PlaceKin      PlaceRelation = "kin"      // family or close friends live there
	PlaceIntended PlaceRelation = "intended" // wants to live there
)

// PlaceRelations lists the relations.
func PlaceRelations() []PlaceRelation {
	return []PlaceRelation{PlaceOrigin, PlaceCurrent, PlacePrevious, PlaceKin, PlaceIntended}
}

// PersonPlace ties a person to a place.
type PersonPlace struct {
	PlaceID    PlaceID       `json:"place_id"`
	Relation   PlaceRelation `json:"relation" enum:"origin,current,previous,kin,intended"`
	RecordedOn Date          `json:"recorded_on,omitzero" format:"date" doc:"When it was true or was said; old information weighs less"`
}

// Intention is what a person says about moving on.
type Intention string

// The intentions.
const (
	IntendsToStay      Intention = "stay"
	IntendsToMove      Intention = "move_within"
	IntendsToGoAbroad  Intention = "move_abroad"
	IntentionUndecided Intention = "undecided"
)

// Intentions lists the intentions.
func Intentions() []Intention {
	return []Intention{IntendsToStay, IntendsToMove, IntendsToGoAbroad, IntentionUndecided}
}

// OnwardIntention is what a person said about moving on, and when.
type OnwardIntention struct {
	Intention  Intention `json:"intention" enum:"stay,move_within,move_abroad,undecided"`
	RecordedOn Date      `json:"recorded_on" format:"date"`
}

// Preferences are soft: they move the score and close nothing.
type Preferences struct {
	Kinds             []Kind   `json:"kinds,omitempty" doc:"Kinds of opportunity that the person would rather have; empty: unknown"`
	ReservationMinor  *int64   `json:"reservation_minor,omitempty" doc:"Lowest acceptable pay for a month, in minor units"`
	Currency          string   `json:"currency,omitempty"`
	HoursPerWeek      *float64 `json:"hours_per_week,omitempty" doc:"Most hours that the person can work"`
	NeedsChildcare    *bool    `json:"needs_childcare,omitempty"`
	MaxCommuteMinutes *int     `json:"max_commute_minutes,omitempty"`
}

// Household is who else depends on what the person earns.
type Household struct {
	Adults       *int   `json:"adults,omitempty" doc:"Including the person"`
	Children     *int   `json:"children,omitempty"`
	CapitalMinor *int64 `json:"capital_minor,omitempty" doc:"Money for a start, in minor units"`
	Currency     string `json:"currency,omitempty"`
}

// Safety holds what must never appear in a list for the person. It is never explained to anyone.
type Safety struct {
	ExcludedPlaces        []ExcludedPlace `json:"excluded_places,omitempty"`
	ExcludedOrganisations []ID            `json:"excluded_organisations,omitempty"`
	Protection            bool            `json:"protection,omitempty" doc:"Only vetted opportunities are shown"`
}

// ExcludedPlace is a place that is dangerous for the person, with its surroundings.
type ExcludedPlace struct {
	PlaceID  PlaceID `json:"place_id"`
	RadiusKm float64 `json:"radius_km,omitempty" minimum:"0" maximum:"500"`
}

// Identity is what tells who the person is. It is kept apart from the profile, is never an input to a score, and never
// leaves Postgres but to the person's own counsellors.
type Identity struct {
	GivenName  string `json:"given_name,omitempty"`
	FamilyName string `json:"family_name,omitempty"`
	Sex        string `json:"sex,omitempty" enum:"female,male,other,unknown"`
	Phone      string `json:"phone,omitempty"`
	Email      string `json:"email,omitempty"`
	Notes      string `json:"notes,omitempty"`

	AlternateContact *AlternateContact `json:"alternate_contact,omitempty" doc:"Whom to ask at check-ins when the person can't be reached; with the person's yes"`
}

// ReturneeDetails is what a counsellor records of a person.
type ReturneeDetails struct {
	ExternalID    string           `json:"external_id,omitempty" doc:"The case number in the system it comes from"`
	Country       string           `json:"country" doc:"Where the person returned to, ISO 3166-1"`
	Language      string           `json:"language,omitempty" doc:"To speak with the person"`
	Identity      Identity         `json:"identity,omitzero"`
	BirthDate     Date             `json:"birth_date,omitzero" format:"date" doc:"For legal ages only; empty: unknown"`
	ReturnedOn    Date             `json:"returned_on,omitzero" format:"date"`
	Skills        []ReturneeSkill  `json:"skills,omitempty"`
	Experience    []Experience     `json:"experience,omitempty"`
	Languages     []LanguageSkill  `json:"languages,omitempty"`
	Documents     []PersonDocument `json:"documents,omitempty"`
	Education     *int             `json:"education,omitempty" minimum:"0" maximum:"8" doc:"Highest level completed, ISCED 2011; empty: unknown"`
	Places        []PersonPlace    `json:"places,omitempty"`
	Intention     *OnwardIntention `json:"onward_intention,omitempty"`
	AvailableFrom Date             `json:"available_from,omitzero" format:"date"`
	Preferences   Preferences      `json:"preferences,omitzero"`
	Household     Household        `json:"household,omitzero"`
	Safety        Safety           `json:"safety,omitzero"`
	Consents      []Consent        `json:"consents,omitempty"`
	// Parity is kept apart from all this, and read by nothing but figures.
	Parity *ParityAttributes `json:"parity,omitempty" doc:"What the person chose to say so that unfairness can be found; never an input to a list or a score"`
}

// Returnee is a person who came back, on the caseload of one organisation.
type Returnee struct {
	ID             ID        `json:"id"`
	OrganisationID ID        `json:"organisation_id"`
	CounsellorID   ID        `json:"counsellor_id,omitzero"`
	Version        int64     `json:"version"`
	Fictional      bool      `json:"fictional,omitempty" doc:"Made up for demonstration"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
	ReturneeDetails
}

// Duplicate is another person on the caseload who may be the same.
type Duplicate struct {
	ReturneeID   ID     `json:"returnee_id" db:"returnee_id"`
	CounsellorID ID     `json:"counsellor_id,omitzero" db:"counsellor_id"`
	Because      string `json:"because" db:"because" enum:"email,person,phone" doc:"What both have: the phone, the e-mail address, or name and birth date"`
}

// PlacesBy lists the person's places of one relation.
func (r ReturneeDetails) PlacesBy(relation PlaceRelation) []PersonPlace {
	var places []PersonPlace
	for _, p := range r.Places {
		if p.Relation == relation {
			places = append(places, p)
		}
	}
	return places
}

// Validate checks what a counsellor records of a person.
func (r ReturneeDetails) Validate(today Date, vocabulary Vocabulary) error {
	v := newValidator()
	v.text("external_id", r.ExternalID, 0, 200)
	v.country("country", r.Country)
	if r.Language != "" {
		v.language("language", r.Language)
	}
	r.validateIdentity(v, today)
	r.validateSkills(v, today, vocabulary)
	r.validateDocuments(v)
	r.validatePlaces(v, today, vocabulary)
	r.validateWishes(v)
	r.validateConsents(v, today)
	optional(r.Parity, func(p ParityAttributes) { p.validate(v) })
	return v.err()
}

func (r ReturneeDetails) validateIdentity(v *validator, today Date) {
	v.text("identity.given_name", r.Identity.GivenName, 0, 200)
	v.text("identity.family_name", r.Identity.FamilyName, 0, 200)
	v.text("identity.phone", r.Identity.Phone, 0, 40)
	v.text("identity.notes", r.Identity.Notes, 0, 10_000)
	optional(r.Identity.AlternateContact, func(a AlternateContact) { a.validate(v, "identity.alternate_contact") })
	if r.Identity.Sex != "" {
		oneOf(v, "identity.sex", r.Identity.Sex, []string{"female", "male", "other", "unknown"})
	}
	if r.Identity.Email != "" {
		v.email("identity.email", r.Identity.Email)
	}
	if !r.BirthDate.IsZero() && (r.BirthDate.After(today) || r.BirthDate.YearsUntil(today) > 120) {
		v.add("birth_date", "range", "use the day of birth, or leave it out when unknown")
	}
}

func (r ReturneeDetails) validateSkills(v *validator, today Date, vocabulary Vocabulary) {
	year := int64(today.Time().Year())
	v.count("skills", len(r.Skills), 200)
	for i, s := range r.Skills {
		field := fmt.Sprintf("skills[%d].", i)
		v.skill(vocabulary, field+"skill_id", s.SkillID)
		v.intRange(field+"level", int64(s.Level), 0, 4)
		if s.Verification != "" {
			oneOf(v, field+"verification", s.Verification, Verifications())
		}
		if s.LastUsedYear != 0 {
			v.intRange(field+"last_used_year", int64(s.LastUsedYear), year-70, year)
		}
	}
	distinct(v, "skills", r.Skills, "skill_id", func(s ReturneeSkill) string { return s.SkillID })
	v.count("experience", len(r.Experience), 50)
	for i, e := range r.Experience {
		field := fmt.Sprintf("experience[%d].", i)
		if e.OccupationID == "" {
			v.add(field+"occupation_id", "required", "name the occupation; /v1/skills?kind=occupation finds its id")
		}
		v.occupation(vocabulary, field+"occupation_id", e.OccupationID)
		if !(e.Years >= 0 && e.Years <= 70) {
			v.add(field+"years", "range", "use years from 0 to 70")
		}
		if e.LastYear != 0 {
			v.intRange(field+"last_year", int64(e.LastYear), year-70, year)
		}
	}
	v.count("languages", len(r.Languages), 20)
	for i, l := range r.Languages {
		v.language(fmt.Sprintf("languages[%d].language", i), l.Language)
		oneOf(v, fmt.Sprintf("languages[%d].level", i), l.Level, cefrLevels)
	}
	distinct(v, "languages", r.Languages, "language", func(l LanguageSkill) string { return l.Language })
	optional(r.Education, func(n int) { v.intRange("education", int64(n), 0, 8) })
}

func (r ReturneeDetails) validateDocuments(v *validator) {
	v.count("documents", len(r.Documents), len(DocumentKinds()))
	for i, d := range r.Documents {
		oneOf(v, fmt.Sprintf("documents[%d].kind", i), d.Kind, DocumentKinds())
		oneOf(v, fmt.Sprintf("documents[%d].status", i), d.Status, DocumentStatuses())
	}
	distinct(v, "documents", r.Documents, "kind", func(d PersonDocument) DocumentKind { return d.Kind })
}

func (r ReturneeDetails) validatePlaces(v *validator, today Date, vocabulary Vocabulary) {
	v.count("places", len(r.Places), 50)
	single := map[PlaceRelation]int{}
	for i, p := range r.Places {
		field := fmt.Sprintf("places[%d].", i)
		v.place(vocabulary, field+"place_id", p.PlaceID)
		oneOf(v, field+"relation", p.Relation, PlaceRelations())
		if p.RecordedOn.After(today) {
			v.add(field+"recorded_on", "future", "use today or an earlier day")
		}
		if single[p.Relation]++; single[p.Relation] > 1 && (p.Relation == PlaceOrigin || p.Relation == PlaceCurrent) {
			v.add(field+"relation", "duplicate", "name one place of origin and one current place; others can be previous")
		}
	}
	optional(r.Intention, func(in OnwardIntention) {
		oneOf(v, "onward_intention.intention", in.Intention, Intentions())
		if in.RecordedOn.IsZero() || in.RecordedOn.After(today) {
			v.add("onward_intention.recorded_on", "date", "give the day on which the person said so, today or earlier")
		}
	})
	v.count("safety.excluded_places", len(r.Safety.ExcludedPlaces), 50)
	for i, p := range r.Safety.ExcludedPlaces {
		v.place(vocabulary, fmt.Sprintf("safety.excluded_places[%d].place_id", i), p.PlaceID)
		if !(p.RadiusKm >= 0 && p.RadiusKm <= 500) {
			v.add(fmt.Sprintf("safety.excluded_places[%d].radius_km", i), "range", "use kilometres from 0 to 500")
		}
	}
	v.count("safety.excluded_organisations", len(r.Safety.ExcludedOrganisations), 200)
}

func (r ReturneeDetails) validateWishes(v *validator) {
	for i, k := range r.Preferences.Kinds {
		oneOf(v, fmt.Sprintf("preferences.kinds[%d]", i), k, Kinds())
	}
	v.count("preferences.kinds", len(r.Preferences.Kinds), len(Kinds()))
	optional(r.Preferences.ReservationMinor, func(n int64) {
		v.intRange("preferences.reservation_minor", n, 0, 1e15)
		if !currencyPattern.MatchString(r.Preferences.Currency) {
			v.add("preferences.currency", "currency", "use a three-letter currency code (ISO 4217), such as MXN")
		}
	})
	optional(r.Preferences.HoursPerWeek, func(h float64) {
		if !(h > 0 && h <= 100) {
			v.add("preferences.hours_per_week", "range", "use hours from 1 to 100, or leave it out when unknown")
		}
	})
	optional(r.Preferences.MaxCommuteMinutes, func(n int) { v.intRange("preferences.max_commute_minutes", int64(n), 0, 300) })
	optional(r.Household.Adults, func(n int) { v.intRange("household.adults", int64(n), 1, 50) })
	optional(r.Household.Children, func(n int) { v.intRange("household.children", int64(n), 0, 50) })
	optional(r.Household.CapitalMinor, func(n int64) {
		v.intRange("household.capital_minor", n, 0, 1e15)
		if !currencyPattern.MatchString(r.Household.Currency) {
			v.add("household.currency", "currency", "use a three-letter currency code (ISO 4217), such as MXN")
		}
	})
}
