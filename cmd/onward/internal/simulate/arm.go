package simulate

import (
	"cmp"
	"slices"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
)

// arm is one way to refer people: the numbers of the best openings for a person among those with places left.
type arm struct {
	name  string
	refer func(p *person, left []int, k int) []int
}

// The arms. SkillsAtOrigin is what the aims compare with.
const (
	armRandom         = "random"
	armNearest        = "nearest_to_origin"
	armSkills         = "skills_anywhere"
	armSkillsAtOrigin = "skills_only_at_origin"
	armText           = "text_search"
	armOnward         = "onward"
	armOracle         = "oracle"
)

// atOriginKm is what counts as in the community of origin: the longest way that the matcher takes anyone to go to work.
const atOriginKm = 60

func (g *programme) arms() []arm {
	words := newBM25(len(g.openings), func(i int) string { return g.openings[i].text })
	return []arm{
		{armRandom, func(p *person, left []int, k int) []int {
			return g.best(p, left, k, func(int) float64 { return 0 })
		}},
		{armNearest, func(p *person, left []int, k int) []int {
			return g.best(p, left, k, func(i int) float64 { return -g.fromOrigin(p, i) })
		}},
		{armSkills, func(p *person, left []int, k int) []int {
			return g.best(p, left, k, g.fit(p))
		}},
		{armSkillsAtOrigin, func(p *person, left []int, k int) []int {
			fit := g.fit(p)
			return g.best(p, left, k, func(i int) float64 {
				if g.fromOrigin(p, i) <= atOriginKm {
					return 1 + fit(i)
				}
				return fit(i) // only when there are too few at the origin
			})
		}},
		{armText, func(p *person, left []int, k int) []int {
			scores := words.scores(g.query(p))
			return g.best(p, left, k, func(i int) float64 { return scores[i] })
		}},
		{armOnward, g.onward},
		{armOracle, func(p *person, left []int, k int) []int {
			return g.best(p, left, k, func(i int) float64 { c := g.chances(p, &g.openings[i]); return c.taken * c.retained })
		}},
	}
}

// best takes the k openings of the highest value; luck decides between equals.
func (g *programme) best(p *person, left []int, k int, value func(int) float64) []int {
	type valued struct {
		number      int
		value, luck float64
	}
	list := make([]valued, len(left))
	for i, number := range left {
		list[i] = valued{number, value(number), g.luck(p, number)}
	}
	slices.SortFunc(list, func(a, b valued) int { return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.luck, b.luck)) })
	numbers := make([]int, min(k, len(list)))
	for i := range numbers {
		numbers[i] = list[i].number
	}
	return numbers
}

func (g *programme) fromOrigin(p *person, number int) float64 {
	if place := g.openings[number].place; place >= 0 {
		return float64(g.km[p.origin][place])
	}
	return 0 // remote work is everywhere
}

// fit is the matcher's fit of a person, by opening: skills and nothing else.
func (g *programme) fit(p *person) func(int) float64 {
	who := matcher.NewPerson(p.profile, g.taxonomy, today)
	return func(i int) float64 {
		o := &g.openings[i].posted
		if who.SkillsUnknown || o.SkillBasis == onward.SkillsNone {
			return o.SkillConfidence * matcher.NeutralFit
		}
		sum := 0.0
		for _, s := range o.Skills {
			sum += s.Weight * who.Strength(s.SkillID).Value
		}
		return o.Scale * sum
	}
}

// query is what a counsellor would type: what the person did and can do, and where they come from.
func (g *programme) query(p *person) string {
	text := g.places[p.origin].Name
	for _, e := range p.profile.Experience {
		text += " " + g.taxonomy.Label(e.OccupationID, "en")
	}
	for _, s := range p.profile.Skills {
		text += " " + g.taxonomy.Label(s.SkillID, "en")
	}
	return text
}

// onward ranks as the product does, from the record alone. A list that is too short is filled up at random: every arm gives
// everybody the same number of referrals.
func (g *programme) onward(p *person, left []int, k int) []int {
	who := matcher.NewPerson(p.profile, g.taxonomy, today)
	reach := matcher.NewReach(g.model.Predict(destination.NewPerson(p.profile), today), g.gazetteer, who)
	openings := make([]matcher.Opening, len(left))
	number := make(map[onward.ID]int, len(left))
	for i, n := range left {
		openings[i] = g.openings[n].posted
		number[openings[i].ID] = n
	}
	result := matcher.Rank(who, reach, openings, matcher.Options{Today: today, Limit: k, ScoresOnly: true})
	chosen := make([]int, 0, k)
	for _, referral := range result.Referrals {
		chosen = append(chosen, number[referral.Opportunity.ID])
	}
	if len(chosen) < k {
		rest := slices.DeleteFunc(slices.Clone(left), func(n int) bool { return slices.Contains(chosen, n) })
		chosen = append(chosen, g.best(p, rest, k-len(chosen), func(int) float64 { return 0 })...)
	}
	return chosen
}
