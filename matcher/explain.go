package matcher

import "onward"

// The explanation is the computation: fit, reach and terms follow from its parts, and the score is their product.

func (s *scorer) referral(rank int, c *scored) onward.RankedReferral {
	return onward.RankedReferral{
		Rank: rank, Opportunity: c.opening.summary(), Score: c.total, Fit: c.fit, Reach: c.reach, Terms: c.terms,
		Explanation: s.explanation(c),
	}
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
		e.Gates[i] = onward.GateResult{Gate: g.gate, State: g.state, Evidence: g.evidence}
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

func (s *scorer) nearMiss(rank int, c *scored) onward.NearMiss {
	miss := onward.NearMiss{Opportunity: c.opening.summary(), Score: c.total, WouldRank: rank}
	for _, g := range s.gates(c.opening, true) {
		if g.state == onward.GateNo {
			miss.Gate, miss.Missing, miss.Evidence = g.gate, g.missing, g.evidence
		}
	}
	return miss
}

func (o *Opening) summary() onward.OpportunitySummary {
	return onward.OpportunitySummary{
		ID: o.ID, Version: o.Version, Kind: o.Kind, Title: o.Title, OrganisationID: o.OrganisationID, Organisation: o.Organisation,
		PlaceID: o.PlaceID, Place: o.Place, Remote: o.Remote, PlacesLeft: o.PlacesLeft, Wage: o.Wage, StartsOn: o.StartsOn,
		ClosesOn: o.ClosesOn, Fictional: o.Fictional,
	}
}
