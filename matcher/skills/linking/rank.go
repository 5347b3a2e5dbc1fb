package linking

import (
	"cmp"
	"slices"
)

// Match is a concept that a text may mean.
type Match struct {
	ID string
	// Label is the name that is most like the text, a position in the concept's Labels; -1 if none has a word of it.
	Label int
	// Score orders the matches of one text; Confidence is how often a match with such a score is right.
	Score, Confidence float64
}

// Link lists the concepts that a text may mean, the likeliest first, at most limit.
func (l *Linker) Link(text string, limit int) []Match {
	found := l.candidates(text)
	found = found[:min(len(found), limit)]
	matches := make([]Match, len(found))
	for i, c := range found {
		matches[i] = Match{ID: l.concepts[c.concept].id, Label: -1, Score: c.score}
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

// LabelMatch is a label of a concept that a text may mean.
type LabelMatch struct {
	ID    string
	Label int
	Score float64
}

// RankLabels orders the labels of all candidates: a label by its concept's score and by its own likeness to the text.
// All labels of a concept are there, also in other languages than the text's.
func (l *Linker) RankLabels(text string) []LabelMatch {
	found := l.candidates(text)
	var list []LabelMatch
	for _, c := range found {
		data := l.concepts[c.concept]
		own := make(map[int32]scoredLabel, len(c.labels))
		for _, s := range c.labels {
			if l.labels[s.label].alternative {
				continue
			}
			own[s.label] = s
		}
		for i := data.first; i < data.end; i++ {
			if l.labels[i].alternative {
				continue
			}
			s := own[i]
			score := c.score + l.weights.Label*l.labelScore(s, c)
			list = append(list, LabelMatch{l.concepts[c.concept].id, int(l.labels[i].source), score})
		}
	}
	slices.SortStableFunc(list, func(a, b LabelMatch) int { return cmp.Compare(b.Score, a.Score) })
	return list
}

// labelScore is how far a label stays behind what its concept has at best, 0 or less.
func (l *Linker) labelScore(s scoredLabel, c candidate) float64 {
	f := c.features
	return l.weights.Concept[fLetters]*float64(s.letters-f[fLetters]) + l.weights.Concept[fWords]*float64(s.words-f[fWords])
}
