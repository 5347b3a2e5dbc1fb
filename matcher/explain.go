package matcher

import "onward"

// The explanation is the computation: fit, reach and terms follow from its parts, and the score is their product.

func (s *scorer) referral(rank int, c *scored) onward.RankedReferral {
	line := onward.RankedReferral{
		Rank: rank, Opportunity: c.opening.summary(), Score: c.total, Fit: c.fit, Reach: c.reach, Terms: c.terms, Variety: c.variety,
	}
	if !s.options.ScoresOnly {
		line.Explanation = s.explanation(c)
		line.Robust = s.reach.source != nil && robust(line.Explanation.ReachParts, s.reach.source.spread)
	}
	return line
}

func (s *scorer) explanation(c *scored) onward.Explanation {
	o := c.opening
	e := onward.Explanation{
		SkillBasis: o.SkillBasis, SkillConfidence: o.SkillConfidence, Skills: s.skillParts(o),
		ReachParts: s.reach.parts(o), TermParts: s.terms(o).parts(s.person),
	}
	if o.SkillBasis == onward.SkillsNone {
		e.SkillConfidence = o.SkillConfidence * NeutralFit // there are no parts: the confidence is the fit
	}
	gates := s.gates(o, true)
	e.Gates = make([]onward.GateResult, len(gates))
	for i, g := range gates {
		e.Gates[i] = onward.GateResult{Gate: g.gate, State: g.state, Facts: g.facts}
	}
	return e
}

// skillParts lists the skills of an opening, heaviest first, as Opening keeps them. For a person whose skills are unknown
// each has the neutral strength.
func (s *scorer) skillParts(o *Opening) []onward.SkillPart {
	parts := make([]onward.SkillPart, len(o.Skills))
	for i, skill := range o.Skills {
		part := onward.SkillPart{
			SkillID: skill.SkillID, Label: s.label(skill.SkillID), Essential: skill.Essential, Weight: skill.Weight,
		}
		u := s.person.strengths[skill.SkillID]
		part.Strength, part.Related = u.Value, u.Related
		if u.Via != skill.SkillID && u.Via != "" {
			part.Via, part.ViaLabel = u.Via, s.label(u.Via)
		}
		if s.person.SkillsUnknown {
			part.Strength = NeutralFit
		}
		parts[i] = part
	}
	return parts
}

func (s *scorer) label(id string) string { return s.person.taxonomy.Label(id, s.options.Language) }

func (o *Opening) summary() onward.OpportunitySummary {
	return onward.OpportunitySummary{
		ID: o.ID, Version: o.Version, Kind: o.Kind, Title: o.Title, OrganisationID: o.OrganisationID, Organisation: o.Organisation,
		PlaceID: o.PlaceID, Place: o.Place, Remote: o.Remote, Assisted: o.Assisted, PlacesLeft: o.PlacesLeft, Wage: o.Wage, StartsOn: o.StartsOn,
		ClosesOn: o.ClosesOn, Fictional: o.Fictional,
	}
}
