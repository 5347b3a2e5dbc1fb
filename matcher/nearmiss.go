package matcher

import (
	"slices"
	"strings"

	"onward"
)

// missedOpening is a near miss with the rank that it would have.
type missedOpening struct {
	scored
	gateCheck // the gate that is closed
	rank      int
}

// nearMisses keeps those that would be on the list, in the order in which they would stand there.
func (s *scorer) nearMisses(eligible, missed, listed []scored) []missedOpening {
	var misses []missedOpening
	for _, c := range missed {
		rank := s.place(&c, eligible, listed)
		if rank > s.limit {
			continue
		}
		misses = append(misses, missedOpening{c, s.closedGate(c.opening), rank})
	}
	slices.SortFunc(misses, func(a, b missedOpening) int { return byOrder(a.scored, b.scored) })
	return misses
}

// shown are the near misses that a list names, and what else the same thing would open among them all.
func (s *scorer) shown(misses []missedOpening) []onward.NearMiss {
	limit := s.options.NearMissLimit
	if limit <= 0 {
		limit = DefaultNearMissLimit
	}
	shown := make([]onward.NearMiss, min(len(misses), limit))
	for i := range shown {
		m := &misses[i]
		shown[i] = onward.NearMiss{Opportunity: m.opening.summary(), Score: m.total, WouldRank: m.rank, Gate: m.gate, Missing: m.missing, Facts: m.facts}
		for k := range misses {
			if i != k && opens(m, &misses[k]) {
				shown[i].AlsoOpens++
			}
		}
	}
	if len(shown) == 0 {
		return nil
	}
	return shown
}

// opens says whether what opens one near miss also opens another. Papers, a language level and an age help elsewhere; a
// place that falls free helps nowhere else.
func opens(one, other *missedOpening) bool {
	if one.gate != other.gate || one.gate == onward.GatePlaces {
		return false
	}
	for _, needed := range other.missing {
		covered := false
		for _, gained := range one.missing {
			covered = covered || covers(one.gate, gained, needed)
		}
		if !covered {
			return false
		}
	}
	return true
}

func covers(gate onward.Gate, gained, needed string) bool {
	if gained == needed {
		return true
	}
	what, level, ok := strings.Cut(gained, ":")
	otherWhat, otherLevel, ok2 := strings.Cut(needed, ":")
	if !ok || !ok2 || what != otherWhat {
		return false
	}
	if gate == onward.GateLanguage {
		return onward.CEFR(level).AtLeast(onward.CEFR(otherLevel))
	}
	return len(level) > len(otherLevel) || (len(level) == len(otherLevel) && level >= otherLevel) // numbers without leading zeros
}
