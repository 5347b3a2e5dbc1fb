package matcher

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"onward"
)

// vary sets variety and order, and sorts by order and then by id. Variety follows from the scores alone, so that the order
// of the openings does not matter.
func vary(list []scored) {
	slices.SortFunc(list, byTotal)
	seen := make(map[onward.ID]int, len(list))
	for i := range list {
		c := &list[i]
		c.variety = variety(seen[c.opening.OrganisationID])
		c.order = c.total * c.variety
		seen[c.opening.OrganisationID]++
	}
	slices.SortFunc(list, byOrder)
}

// varieties are the factors for the usual numbers of better openings.
var varieties = func() (list [32]float64) {
	for i := range list {
		list[i] = math.Pow(onward.VarietyFactor, float64(i))
	}
	return list
}()

func variety(better int) float64 {
	if better < len(varieties) {
		return varieties[better]
	}
	return math.Pow(onward.VarietyFactor, float64(better))
}

func byTotal(a, b scored) int {
	return cmp.Or(cmp.Compare(b.total, a.total), bytes.Compare(a.opening.ID[:], b.opening.ID[:]))
}

func byOrder(a, b scored) int {
	return cmp.Or(cmp.Compare(b.order, a.order), bytes.Compare(a.opening.ID[:], b.opening.ID[:]))
}

// place gives an opening that is not among the eligible the variety, order and rank that it would have there.
func (s *scorer) place(c *scored, eligible, listed []scored) (rank int) {
	better := 0
	for i := range eligible {
		if e := &eligible[i]; e.opening.OrganisationID == c.opening.OrganisationID && byTotal(*e, *c) < 0 {
			better++
		}
	}
	c.variety = variety(better)
	c.order = c.total * c.variety
	rank, _ = slices.BinarySearchFunc(listed, *c, byOrder)
	return rank + 1
}
