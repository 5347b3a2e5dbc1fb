package matcher

import (
	"cmp"
	"math"
	"slices"

	"onward"
)

const (
	// cardStep and cardReachStep round what an organisation sees of someone: enough to choose by, too little to tell where a
	// person will live or for which wage they would work.
	cardStep      = 0.1
	cardReachStep = 0.25
	// cardMatch: from half of a skill it counts as there.
	cardMatch = 0.5
)

// Cards are candidates as the organisation that posted the opening may see them, without pseudonyms: rounded, with the
// opening's own skills and requirements only, and where fewer than onward.FewCandidates were found with nothing but the
// skills, of those who lack nothing. Few is decided over all that were found, cards are made for limit of them. The second result holds the
// candidates in the order of the cards.
//
// The order is by what the cards show: a finer one would tell more than they do.
func (c *Candidates) Cards(limit int) ([]onward.CandidateCard, []Candidate) {
	found := c.Best()
	few := len(found) < onward.FewCandidates
	if few { // nothing would say what they lack
		found = slices.DeleteFunc(found, func(f Candidate) bool { return f.Closed != "" })
	}
	found = found[:min(len(found), limit)]
	type pair struct {
		card onward.CandidateCard
		of   Candidate
	}
	pairs := make([]pair, len(found))
	for i := range found {
		pairs[i] = pair{c.card(&found[i], few), found[i]}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return compareCards(a.card, b.card, a.of, b.of) })
	cards := make([]onward.CandidateCard, len(pairs))
	for i, p := range pairs {
		cards[i], found[i] = p.card, p.of
		cards[i].Rank = i + 1
	}
	return cards, found
}

func compareCards(a, b onward.CandidateCard, of, other Candidate) int {
	if a.Score == nil || b.Score == nil {
		return cmp.Or(cmp.Compare(b.Fit, a.Fit), slices.Compare(of.tie[:], other.tie[:]))
	}
	closed := func(c onward.CandidateCard) int {
		n := 0
		for _, g := range c.Gates {
			if g.State == onward.GateNo {
				n++
			}
		}
		return n
	}
	return cmp.Or(cmp.Compare(closed(a), closed(b)), cmp.Compare(*b.Score, *a.Score), slices.Compare(of.tie[:], other.tie[:]))
}

func (c *Candidates) card(found *Candidate, few bool) onward.CandidateCard {
	s := newScorer(&found.person, found.reach, c.options)
	card := onward.CandidateCard{Fit: roundTo(found.Fit, cardStep), Skills: make([]onward.CardSkill, len(c.opening.Skills))}
	for i, part := range s.skillParts(&c.opening) {
		card.Skills[i] = onward.CardSkill{SkillID: part.SkillID, Label: part.Label, Essential: part.Essential, Match: onward.MatchNo}
		switch {
		case found.person.SkillsUnknown:
			card.Skills[i].Match = onward.MatchUnknown
		case part.Strength >= cardMatch && part.Via == "":
			card.Skills[i].Match = onward.MatchYes
		case part.Strength > 0:
			card.Skills[i].Match = onward.MatchNear
		}
	}
	if few {
		return card
	}
	score, reach, terms := roundTo(found.Score, cardStep), roundTo(found.Reach, cardReachStep), roundTo(found.Terms, cardStep)
	card.Score, card.Reach, card.Terms = &score, &reach, &terms
	for _, g := range s.gates(&c.opening, false) {
		switch g.gate {
		case onward.GateDocuments, onward.GateAge, onward.GateLanguage:
			card.Gates = append(card.Gates, onward.CardGate{Gate: g.gate, State: g.state})
		case onward.GateOpen, onward.GateVetted, onward.GatePlaces: // the opening's own, the same for everyone
		}
	}
	return card
}

// roundTo rounds to a step, and to one step at least what is not 0: whoever could not be there at all is no candidate. The
// quotient keeps 0.3 from being 0.30000000000000004.
func roundTo(value, step float64) float64 {
	if value <= 0 {
		return 0
	}
	return math.Max(1, math.Round(value/step)) / math.Round(1/step)
}

// ReferralCard is the card of the one person who was added, for whom the organisation is asked by name of a pseudonym: the
// skills and the requirements of the opening, without what tells where someone will live or for which wage they would work.
// false when the person does not qualify any more.
func (c *Candidates) ReferralCard() (onward.CandidateCard, bool) {
	found := c.Best()
	if len(found) != 1 {
		return onward.CandidateCard{}, false
	}
	card := c.card(&found[0], false)
	card.Score, card.Reach, card.Terms = nil, nil, nil
	return card, true
}
