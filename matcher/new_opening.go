package matcher

import (
	"cmp"
	"slices"

	"onward"
	"onward/matcher/skills"
)

const (
	// essentialShare and optionalShare weigh a skill in an opening (design: w_s = idf x (1 essential | 0.35 optional)).
	essentialShare = 1.0
	optionalShare  = 0.35
	// codedConfidence and occupationConfidence say how far the skills of an opening can be believed: someone coded them, or
	// they are those of its occupation in general, which overlap with what one employer asks for but are not the same.
	// Judgement.
	codedConfidence      = 1.0
	occupationConfidence = 0.8
	// Portability: remote work that can go on abroad keeps its whole worth for someone who moves on; a certificate that is
	// recognised abroad keeps about half, since the course itself has to be finished first. Judgement.
	remoteAbroadPortability = 1.0
	certificatePortability  = 0.5
)

// NewOpening works out the constants of an opportunity. Place is the zero Place for remote work without one; country is
// the organisation's, taken when there is no place.
//
// Coded skills that the taxonomy does not have are left out; when none is left, the skills of the occupation are taken.
func NewOpening(o onward.Opportunity, place onward.Place, country string, taxonomy *skills.Taxonomy) Opening {
	opening := Opening{
		ID: o.ID, Version: o.Version, OrganisationID: o.OrganisationID, Organisation: o.Organisation,
		Kind: o.Kind, Title: o.Title, Country: country, Fictional: o.Fictional,
		Remote: o.Remote, Assisted: o.Housing || o.Relocation,
		PlacesLeft: o.PlacesLeft(), Languages: o.Languages, Documents: o.Documents,
		MinAge: o.MinAge, MaxAge: o.MaxAge, Hazardous: o.Hazardous,
		Wage: o.Wage, HoursPerWeek: o.HoursPerWeek, FlexibleTime: o.FlexibleTime, Childcare: o.Childcare,
		StartsOn: o.StartsOn, ClosesOn: o.ClosesOn, Vetting: o.Vetting, VettedUntil: o.VettedUntil,
	}
	if place.ID != 0 {
		opening.PlaceID, opening.Place, opening.Lat, opening.Lon = place.ID, place.Label(), place.Lat, place.Lon
		opening.Country = place.Country
	}
	if o.PublishedAt != nil {
		opening.PublishedOn = onward.DateOf(*o.PublishedAt)
	}
	if opening.Vetting == "" {
		opening.Vetting = onward.VettingUnknown
	}
	switch {
	case o.RemoteAbroad:
		opening.Portability = remoteAbroadPortability
	case o.CertificateAbroad:
		opening.Portability = certificatePortability
	}
	opening.weigh(o.Skills, o.OccupationID, taxonomy)
	return opening
}

// weigh sets the skills, heaviest first, and the scale.
func (o *Opening) weigh(coded []onward.OpportunitySkill, occupation string, taxonomy *skills.Taxonomy) {
	o.SkillBasis, o.SkillConfidence, o.Scale = onward.SkillsNone, 1, 1
	for _, s := range coded {
		o.add(s.SkillID, s.Essential, taxonomy)
	}
	confidence := codedConfidence
	if len(o.Skills) > 0 {
		o.SkillBasis = onward.SkillsCoded
	} else {
		essential, optional := taxonomy.SkillsOf(occupation)
		for _, id := range essential {
			o.add(id, true, taxonomy)
		}
		for _, id := range optional {
			o.add(id, false, taxonomy)
		}
		if len(o.Skills) == 0 {
			return
		}
		o.SkillBasis, confidence = onward.SkillsFromOccupation, occupationConfidence
	}
	slices.SortFunc(o.Skills, func(a, b OpeningSkill) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.SkillID, b.SkillID))
	})
	o.SkillConfidence = confidence
	o.Scale = confidence / totalWeight(o.Skills)
}

func (o *Opening) add(skillID string, essential bool, taxonomy *skills.Taxonomy) {
	weight := taxonomy.IDF(skillID)
	if weight == 0 || slices.ContainsFunc(o.Skills, func(s OpeningSkill) bool { return s.SkillID == skillID }) {
		return
	}
	if essential {
		weight *= essentialShare
	} else {
		weight *= optionalShare
	}
	o.Skills = append(o.Skills, OpeningSkill{SkillID: skillID, Essential: essential, Weight: weight})
}

func totalWeight(list []OpeningSkill) float64 {
	total := 0.0
	for _, s := range list {
		total += s.Weight
	}
	return total
}
