// Package matcher scores opportunities for a person: gates, fit, reach, terms, their explanation and near misses. It is
// pure: no I/O and no clock; time and data come in as arguments.
package matcher

import "onward"

// Opening is an opportunity as the matcher and the index see it, with the constants of the score worked out once. It
// holds nothing personal.
type Opening struct {
	ID             onward.ID   `json:"id"`
	Version        int64       `json:"version"`
	OrganisationID onward.ID   `json:"organisation_id"`
	Organisation   string      `json:"organisation"`
	Kind           onward.Kind `json:"kind"`
	Title          onward.Text `json:"title"`
	Country        string      `json:"country"`
	Fictional      bool        `json:"fictional,omitempty"`

	// Skills with their weights idf x (1 essential | 0.35 optional). Scale is SkillConfidence / sum(weights), so that
	// fit = Scale x sum(weight x strength); for SkillsNone it is 1 and the sum is Query.NeutralFit.
	Skills          []OpeningSkill    `json:"skills,omitempty"`
	SkillBasis      onward.SkillBasis `json:"skill_basis"`
	SkillConfidence float64           `json:"skill_confidence"`
	Scale           float64           `json:"scale"`

	PlaceID onward.PlaceID `json:"place_id,omitempty"` // 0: remote only
	Place   string         `json:"place,omitempty"`
	Lat     float64        `json:"lat,omitempty"`
	Lon     float64        `json:"lon,omitempty"`
	Remote  bool           `json:"remote,omitempty"`
	// Assisted: housing or relocation is offered, so that access has a floor.
	Assisted bool `json:"assisted,omitempty"`
	// Portability is what it is worth to someone who goes abroad again, 0 to 1.
	Portability float64 `json:"portability,omitempty"`

	PlacesLeft   int                   `json:"places_left"`
	Languages    []onward.LanguageNeed `json:"languages,omitempty"`
	Documents    []onward.DocumentKind `json:"documents,omitempty"`
	MinAge       int                   `json:"min_age,omitempty"`
	MaxAge       int                   `json:"max_age,omitempty"`
	Hazardous    bool                  `json:"hazardous,omitempty"`
	Wage         *onward.Wage          `json:"wage,omitempty"`
	HoursPerWeek *float64              `json:"hours_per_week,omitempty"`
	FlexibleTime *bool                 `json:"flexible_time,omitempty"`
	Childcare    *bool                 `json:"childcare,omitempty"`
	StartsOn     onward.Date           `json:"starts_on,omitzero"`
	ClosesOn     onward.Date           `json:"closes_on,omitzero"`
	PublishedOn  onward.Date           `json:"published_on,omitzero"`
	Vetting      onward.VettingStatus  `json:"vetting"`
	VettedUntil  onward.Date           `json:"vetted_until,omitzero"`
}

// OpeningSkill is a skill with its weight in one opening.
type OpeningSkill struct {
	SkillID   string  `json:"skill_id"`
	Essential bool    `json:"essential,omitempty"`
	Weight    float64 `json:"weight"`
}

// Query asks an index for the openings with the highest fit x reach. Both implementations compute
//
//	Scale x (sum over skills of boost, or NeutralFit) x Reach.Of(opening)
//
// (SkillConfidence x NeutralFit x Reach.Of(opening) when SkillsUnknown is set)
// over the open openings of the country that pass the filters, ordered by score and then by id. Terms are at most 1, so
// that this score bounds the exact one from above.
type Query struct {
	Country string
	Today   onward.Date // openings whose ClosesOn is before are left out
	Kinds   []onward.Kind
	// Skills holds every skill s with u_s > 0.
	Skills     []QuerySkill
	NeutralFit float64
	// SkillsUnknown: nobody recorded what the person can do, which is not the same as nothing. The fit of every opening is
	// then SkillConfidence x NeutralFit, and Skills is empty.
	SkillsUnknown bool
	Reach         Reach
	// Excluded places and organisations never appear, and nothing says so.
	ExcludedPlaces        []onward.PlaceID
	ExcludedOrganisations []onward.ID
	// VettedOnly leaves out what is not vetted on Today, for people under protection.
	VettedOnly bool
	Limit      int
}

// QuerySkill is what one skill adds when an opening has it as essential or as optional: idf x 1 x u, idf x 0.35 x u.
type QuerySkill struct {
	SkillID   string
	Essential float64
	Optional  float64
}

// Reach is sum_c P(c) access(c, opening) + P(abroad) portability(opening), tabulated per place of the opening.
type Reach struct {
	Places map[onward.PlaceID]PlaceReach
	// InCountry is 1 - P(abroad): the reach of remote work, before portability.
	InCountry float64
	Abroad    float64
	// AssistedElsewhere is the reach of an assisted opening in a place that Places does not list: floor x InCountry.
	AssistedElsewhere float64

	source *reachSource // what it was tabulated from, for the explanation; nil when made by hand
}

// PlaceReach is the domestic part of the reach in one place, without and with housing or relocation.
type PlaceReach struct {
	Plain    float64
	Assisted float64
}

// Of is the reach of one opening.
func (r Reach) Of(o *Opening) float64 {
	abroad := r.Abroad * o.Portability
	if o.Remote {
		return r.InCountry + abroad
	}
	place, ok := r.Places[o.PlaceID]
	switch {
	case o.Assisted && ok:
		return place.Assisted + abroad
	case o.Assisted:
		return r.AssistedElsewhere + abroad
	default:
		return place.Plain + abroad
	}
}
