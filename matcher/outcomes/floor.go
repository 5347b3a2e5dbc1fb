package outcomes

import (
	"math"
	"slices"

	"onward"
)

// floors are those whose cost is worked out: parts of the share that a group has among the people who have an opening on their list.
var floors = []float64{0.8, 0.9, 1}

// floorCosts compares, for each opening, giving its places to the highest scores with giving them to the highest scores under a floor: each group of g among n
// candidates has floor x places x g / n of the places, rounded down, since a part of a place can't be given. Of all choices under the floor this
// one has the highest sum: the best of each group fill what is kept for it, and the best of the rest what is left.
func floorCosts(candidates []onward.FloorCandidate, round rounder) []onward.FloorCost {
	list := []onward.FloorCost{}
	for _, attribute := range parityAttributes {
		for _, floor := range floors {
			places, moved, free, kept := 0, 0, 0.0, 0.0
			for i := 0; i < len(candidates); {
				k := i
				for k < len(candidates) && candidates[k].Opening == candidates[i].Opening {
					k++
				}
				p, m, f, w := underFloor(candidates[i:k], attribute, floor)
				places, moved, free, kept = places+p, moved+m, free+f, kept+w
				i = k
			}
			if shown := round.count(places, "floor "+attribute); shown >= leastCurve && free > 0 {
				list = append(list, onward.FloorCost{
					Attribute: attribute, Floor: floor, Places: shown, Moved: min(1, thousandths(float64(round.count(moved, "moved "+attribute))/float64(shown))), Loss: thousandths(math.Max(0, 1-kept/free)),
				})
			}
		}
	}
	return list
}

// underFloor is one opening whose candidates are sorted by score: how many places, how many go to others, and the sums of the scores without and
// with the floor.
func underFloor(candidates []onward.FloorCandidate, attribute string, floor float64) (places, moved int, free, kept float64) {
	places = min(candidates[0].Places, len(candidates))
	groups := map[string]int{}
	for _, c := range candidates {
		groups[c.Group(attribute)]++
	}
	open := places
	reserved := make(map[string]int, len(groups))
	for g, n := range groups {
		reserved[g] = int(floor*float64(places)*float64(n)/float64(len(candidates)) + 1e-9)
		open -= reserved[g]
	}
	for i, c := range candidates {
		g := c.Group(attribute)
		takes := false
		switch {
		case reserved[g] > 0:
			reserved[g]--
			takes = true
		case open > 0:
			open--
			takes = true
		}
		if takes {
			kept += c.Score
		}
		if i < places {
			free += c.Score
			if !takes {
				moved++
			}
		}
	}
	return places, moved, free, kept
}

// parityAttributes in the order in which they are shown.
var parityAttributes = []string{"sex", "age", "disability", "return", "origin"}

// attributesOf are those of counts, in the order in which they are shown.
func attributesOf(counts []onward.ParityCount) (list []string) {
	for _, a := range parityAttributes {
		if slices.ContainsFunc(counts, func(c onward.ParityCount) bool { return c.Attribute == a }) {
			list = append(list, a)
		}
	}
	return list
}
