package matcher

import (
	"cmp"
	"math"
	"slices"

	"onward"
	"onward/matcher/skills"
)

// strength(t) = level x verification x recency. A factor that nobody recorded takes the value that it has for the usual
// person (the constants "unknown…"), which is what leaving it out of a mean does: unknown is not zero, and not full either.
const (
	// Levels are as a counsellor asks for them. Someone who needs help can do a bit under half of the work, someone who
	// works alone does most of it. Judgement.
	basicLevel       = 0.45
	workingLevel     = 0.75
	experiencedLevel = 0.92
	expertLevel      = 1.0
	unknownLevel     = workingLevel // who names a skill at all mostly means that they can work with it

	// Verification: people misjudge themselves both ways (Kruger and Dunning 1999), so one's own word loses a little, not
	// much: most returnees have nothing else.
	selfDeclaredFactor = 0.85
	referencedFactor   = 0.92
	testedFactor       = 1.0
	certifiedFactor    = 1.0

	// Recency: skills fade when unused (Arthur, Bennett, Stanush and McNelly 1998, meta-analysis), and come back far faster
	// than they were learnt: half of what is above the floor is gone every 10 years, the first year is free.
	recencyFloor         = 0.6
	recencyHalfLifeYears = 10
	unknownRecency       = 0.85 // as after six years

	// Experience: skills that an occupation can't do without, in someone who worked in it, are likely but nobody asked. By
	// years in the occupation; unpaid years count the same. Optional skills are as likely as not.
	experienceShort     = 0.5  // under a year
	experienceSome      = 0.65 // one to three years
	experienceLong      = 0.75 // over three years
	experienceUnknown   = 0.65
	experienceOptional  = 0.5                 // times the above
	inferredSpreadsFrom = skills.BroaderValue // an inferred skill spreads to the same and the broader skill only: no inference upon inference

	// mostSkills bounds the query: the strongest are kept. A person with 12 recorded skills has about 150-300.
	mostSkills = 400
)

func levelFactor(level onward.Level) float64 {
	switch level {
	case onward.LevelBasic:
		return basicLevel
	case onward.LevelWorking:
		return workingLevel
	case onward.LevelExperienced:
		return experiencedLevel
	case onward.LevelExpert:
		return expertLevel
	case onward.LevelUnknown:
	}
	return unknownLevel
}

func verificationFactor(v onward.Verification) float64 {
	switch v {
	case onward.Referenced:
		return referencedFactor
	case onward.Tested:
		return testedFactor
	case onward.Certified:
		return certifiedFactor
	case onward.SelfDeclared:
	}
	return selfDeclaredFactor // what nobody checked rests on the person's word
}

func recencyFactor(lastYear int, today onward.Date) float64 {
	if lastYear == 0 {
		return unknownRecency
	}
	years := math.Max(0, float64(today.Time().Year()-lastYear-1))
	return recencyFloor + (1-recencyFloor)*math.Exp2(-years/recencyHalfLifeYears)
}

func experienceFactor(years float64) float64 {
	switch {
	case years <= 0:
		return experienceUnknown
	case years < 1:
		return experienceShort
	case years <= 3:
		return experienceSome
	default:
		return experienceLong
	}
}

// Strength is u_s: how far a person covers one skill, and by which of their own skills.
type Strength struct {
	Value   float64
	Via     string  // the person's skill t of the highest strength(t) x related(t, s); the skill itself when it is theirs
	Related float64 // related(Via, s)
}

// ownSkill is a skill that the person has, recorded or inferred from work.
type ownSkill struct {
	id       string
	strength float64
	inferred bool
}

// ownSkills gathers strength(t). What was recorded with a level stands, whatever the work suggests; recorded without a
// level it is at least what the work suggests.
func ownSkills(r onward.ReturneeDetails, taxonomy *skills.Taxonomy, today onward.Date) []ownSkill {
	own := map[string]ownSkill{}
	settled := map[string]bool{}
	for _, s := range r.Skills {
		if !taxonomy.HasSkill(s.SkillID) {
			continue
		}
		strength := levelFactor(s.Level) * verificationFactor(s.Verification) * recencyFactor(s.LastUsedYear, today)
		own[s.SkillID] = ownSkill{s.SkillID, max(strength, own[s.SkillID].strength), false}
		settled[s.SkillID] = settled[s.SkillID] || s.Level != onward.LevelUnknown
	}
	for _, e := range r.Experience {
		strength := experienceFactor(e.Years) * recencyFactor(e.LastYear, today)
		essential, optional := taxonomy.SkillsOf(e.OccupationID)
		infer := func(ids []string, strength float64) {
			for _, id := range ids {
				known, ok := own[id]
				if settled[id] || known.strength >= strength {
					continue
				}
				own[id] = ownSkill{id, strength, !ok || known.inferred}
			}
		}
		infer(essential, strength)
		infer(optional, strength*experienceOptional)
	}
	list := make([]ownSkill, 0, len(own))
	for _, s := range own {
		list = append(list, s)
	}
	slices.SortFunc(list, strongestFirst)
	return list
}

func strongestFirst(a, b ownSkill) int {
	return cmp.Or(cmp.Compare(b.strength, a.strength), cmp.Compare(a.id, b.id))
}

// LearntStrength is that of a skill just learnt well: working level, tested, used this year. A course gives CourseStrength:
// basic level.
const (
	LearntStrength = workingLevel * testedFactor
	CourseStrength = basicLevel * testedFactor
)

// learn is the person's skills with more of them, each at least so strong.
func learn(own []ownSkill, ids []string, strength float64) []ownSkill {
	list := slices.Clone(own)
	for _, id := range ids {
		learnt := ownSkill{id, strength, false}
		if i := slices.IndexFunc(list, func(s ownSkill) bool { return s.id == id }); i < 0 {
			list = append(list, learnt)
		} else if list[i].strength < strength {
			list[i] = learnt
		}
	}
	slices.SortFunc(list, strongestFirst)
	return list
}

// expand is u_s = max over t of strength(t) x related(t, s), for every s above 0. Among equals the person's own skill
// explains, then the stronger, then the lower id: the order of ownSkills.
func expand(own []ownSkill, taxonomy *skills.Taxonomy) map[string]Strength {
	strengths := make(map[string]Strength, 8*len(own))
	credit(own, taxonomy, func(s string, u Strength) { stronger(strengths, s, u) })
	if len(strengths) > mostSkills {
		ids := make([]string, 0, len(strengths))
		for id := range strengths {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b string) int {
			return cmp.Or(cmp.Compare(strengths[b].Value, strengths[a].Value), cmp.Compare(a, b))
		})
		for _, id := range ids[mostSkills:] {
			delete(strengths, id)
		}
	}
	return strengths
}

// expandInto is expand for some skills only: what one opening needs.
func expandInto(wanted map[string]bool, own []ownSkill, taxonomy *skills.Taxonomy) map[string]Strength {
	strengths := make(map[string]Strength, len(wanted))
	credited := 0
	credit(own, taxonomy, func(s string, u Strength) {
		credited++
		if wanted[s] {
			stronger(strengths, s, u)
		}
	})
	if credited > mostSkills { // the weakest may be cut, and which those are depends on all
		return expand(own, taxonomy)
	}
	return strengths
}

// credit visits every skill s with strength(t) x related(t, s), for each of the person's skills t.
func credit(own []ownSkill, taxonomy *skills.Taxonomy, visit func(s string, u Strength)) {
	for _, t := range own {
		for _, near := range taxonomy.Related(t.id) {
			if t.inferred && near.Value < inferredSpreadsFrom {
				continue
			}
			visit(near.SkillID, Strength{t.strength * near.Value, t.id, near.Value})
		}
	}
}

func stronger(strengths map[string]Strength, s string, u Strength) {
	known, ok := strengths[s]
	if !ok || u.Value > known.Value || (u.Value == known.Value && s == u.Via) {
		strengths[s] = u
	}
}
