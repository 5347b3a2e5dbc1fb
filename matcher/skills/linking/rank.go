package linking

import (
	"cmp"
	"math"
	"slices"
)

// Match is a concept that a text may mean.
type Match struct {
	ID string
	// Label is the name that is most like the text, a position in the concept's Labels; -1 if none has a word of it.
	Label int
	// Score orders the matches of one text. Confidence, 0 to 1, is how often a match like this one is right.
	Score, Confidence float64
}

// Link lists the concepts that a text may mean, the likeliest first, at most limit.
func (l *Linker) Link(text string, limit int) []Match {
	found := l.candidates(text)
	share := shares(found)
	found = found[:min(len(found), limit)]
	matches := make([]Match, len(found))
	for i, c := range found {
		matches[i] = Match{ID: l.concepts[c.concept].id, Label: -1, Score: c.score, Confidence: l.weights.Calibration.of(c.inputs(share[i]))}
		if c.label >= 0 {
			matches[i].Label = int(l.labels[c.label].source)
		}
	}
	return matches
}

func (l *Linker) candidates(text string) []candidate {
	w := l.pool.Get().(*workspace) //nolint:forcetypeassert // the pool holds nothing else
	defer l.pool.Put(w)
	found := l.retrieve(text, w)
	for i := range found {
		c := &found[i]
		for k, weight := range l.weights.Concept {
			c.score += weight * float64(c.features[k])
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.concept, b.concept))
	})
	return found
}

// rankedConcepts are those whose labels are ranked.
const rankedConcepts = 120

// LabelMatch is a label of a concept that a text may mean.
type LabelMatch struct {
	ID    string
	Label int
	Score float64
}

// RankLabels orders the labels of all candidates: a label by its concept's score and by how far it stays behind the
// concept's best label. Labels in other languages than the text's are there too: they stand for the concept as far as
// they are like its preferred label.
func (l *Linker) RankLabels(text string) []LabelMatch {
	found := l.candidates(text)
	found = found[:min(len(found), rankedConcepts)]
	var list []LabelMatch
	for _, c := range found {
		data := l.concepts[c.concept]
		own := make(map[int32]scoredLabel, len(c.labels))
		for _, s := range c.labels {
			own[s.label] = s
		}
		for i := data.first; i < data.end; i++ {
			if l.labels[i].alternative {
				continue
			}
			score := c.score + l.labelScore(own[i], l.labels[i].typical, c)
			list = append(list, LabelMatch{l.concepts[c.concept].id, int(l.labels[i].source), score})
		}
	}
	slices.SortStableFunc(list, func(a, b LabelMatch) int { return cmp.Compare(b.Score, a.Score) })
	return list
}

// labelScore is how far a label stays behind what its concept has at best, 0 or less.
func (l *Linker) labelScore(s scoredLabel, typical float32, c candidate) float64 {
	behind := func(weight float64, own, best float32) float64 {
		return weight * (math.Max(float64(own), l.weights.Typical*float64(typical*best)) - float64(best))
	}
	return behind(l.weights.LabelLetters, s.letters, c.features[fLetters]) + behind(l.weights.LabelWords, s.words, c.features[fWords])
}

// Candidate is a concept that a text may mean, before anything is weighed: what weights are fitted on.
type Candidate struct {
	ID       string
	Features []float64
	// Calibration is what its confidence is a logistic function of.
	Calibration []float64
}

// Candidates lists what Link weighs, in the order of its scores.
func (l *Linker) Candidates(text string) []Candidate {
	found := l.candidates(text)
	share := shares(found)
	list := make([]Candidate, len(found))
	for i, c := range found {
		inputs := c.inputs(share[i])
		list[i] = Candidate{l.concepts[c.concept].id, make([]float64, featureCount), inputs[:]}
		for k, v := range c.features {
			list[i].Features[k] = float64(v)
		}
	}
	return list
}

// FeatureNames names the features of a Candidate.
func FeatureNames() []string { return featureNames[:] }
