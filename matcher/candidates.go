package matcher

import (
	"bytes"
	"cmp"
	"container/heap"
	"crypto/sha256"
	"slices"

	"onward"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// Candidate is one person for one opening. Score, fit, reach and terms are those of the opening in the person's own list,
// to the last bit.
type Candidate struct {
	ID                       onward.ID // the returnee's
	Version                  int64     // of the profile that was scored
	Score, Fit, Reach, Terms float64
	// Closed is the one gate that is closed, and Missing what would open it: a near miss. "": none is.
	Closed  onward.Gate
	Missing []string

	person Person
	reach  Reach
	tie    [sha256.Size]byte // decides among equals, so that the order tells nothing of when someone was registered
}

// Candidates finds the best people for one opening. It works out only what one opening needs: strengths in its own skills,
// reach at its own place, and where a person may live only for who could still be among the best. Use one for each
// goroutine and Merge them.
type Candidates struct {
	opening   Opening
	taxonomy  *skills.Taxonomy
	gazetteer *destination.Gazetteer
	options   Options
	keep      int
	wanted    map[string]bool
	best      worstFirst
}

// NewCandidates looks for the best keep people. Of the options Today, Language and Replies count.
func NewCandidates(opening Opening, taxonomy *skills.Taxonomy, gazetteer *destination.Gazetteer, options Options, keep int) *Candidates {
	c := &Candidates{opening: opening, taxonomy: taxonomy, gazetteer: gazetteer, options: options, keep: keep, wanted: make(map[string]bool, len(opening.Skills))}
	c.options.Kinds, c.options.ScoresOnly = nil, false
	for _, s := range opening.Skills {
		c.wanted[s.SkillID] = true
	}
	return c
}

// Add scores one person. Who has no consent to be matched, whom safety keeps away and whose score is 0 is not a candidate.
// Predict is called only when it can matter.
func (c *Candidates) Add(id onward.ID, version int64, profile onward.ReturneeDetails, predict func(onward.ReturneeDetails) destination.Spread) {
	today := c.options.Today
	if !profile.HasConsent(onward.ConsentMatching, today) || profile.Country != c.opening.Country {
		return
	}
	own := ownSkills(profile, c.taxonomy, today)
	person := newPerson(profile, own, expandInto(c.wanted, own, c.taxonomy), c.taxonomy, today)
	s := newScorer(&person, Reach{source: &reachSource{gazetteer: c.gazetteer}}, c.options)
	o := &c.opening
	if !s.mayAppear(o) {
		return
	}
	closed := s.closed(o)
	if closed > 1 {
		return
	}
	found := Candidate{ID: id, Version: version, Fit: s.fit(o), Terms: within01(s.terms(o).mean()), tie: sha256.Sum256(slices.Concat(o.ID[:], id[:]))}
	found.Score = found.Fit * found.Terms // reach is 1 at most, so that this bounds the score
	if closed == 1 {
		gate := s.closedGate(o)
		found.Closed, found.Missing = gate.gate, gate.missing
	}
	if !(found.Score > 0) || (len(c.best) == c.keep && byCandidate(found, c.best[0]) > 0) {
		return
	}
	s.reach = newReachAt(predict(profile), c.gazetteer, person, o.PlaceID)
	score := s.score(o)
	found.Score, found.Reach, found.person, found.reach = score.total, score.reach, person, s.reach
	if found.Score > 0 {
		c.push(found)
	}
}

// Merge takes over what another has found.
func (c *Candidates) Merge(other *Candidates) {
	for _, found := range other.best {
		c.push(found)
	}
}

// Best lists who was found: first those with no closed gate, then the near misses, each by score.
func (c *Candidates) Best() []Candidate {
	list := slices.Clone([]Candidate(c.best))
	slices.SortFunc(list, byCandidate)
	return list
}

// Line is a candidate as the person's own list explains the opening. Variety is 1: it is of lists of openings.
func (c *Candidates) Line(rank int, found Candidate) onward.RankedReferral {
	s := newScorer(&found.person, found.reach, c.options)
	score := s.score(&c.opening)
	score.variety = 1
	return s.referral(rank, &score)
}

func (c *Candidates) push(found Candidate) {
	if len(c.best) < c.keep {
		heap.Push(&c.best, found)
	} else if byCandidate(found, c.best[0]) < 0 {
		c.best[0] = found
		heap.Fix(&c.best, 0)
	}
}

func byCandidate(a, b Candidate) int {
	missA, missB := a.Closed != "", b.Closed != ""
	if missA != missB {
		if missB {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.Score, a.Score), bytes.Compare(a.tie[:], b.tie[:]))
}

// worstFirst is a heap with the worst candidate on top.
type worstFirst []Candidate

func (h worstFirst) Len() int           { return len(h) }
func (h worstFirst) Less(i, k int) bool { return byCandidate(h[i], h[k]) > 0 }
func (h worstFirst) Swap(i, k int)      { h[i], h[k] = h[k], h[i] }
func (h *worstFirst) Push(x any)        { *h = append(*h, x.(Candidate)) } //nolint:forcetypeassert // container/heap's form
func (h *worstFirst) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
