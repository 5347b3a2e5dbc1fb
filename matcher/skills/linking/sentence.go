package linking

import (
	"cmp"
	"slices"
)

// LinkSentence lists the concepts that any part of a longer text may mean: every run of up to sentenceRun words is linked,
// and a concept gets its best score.
func (l *Linker) LinkSentence(text string, limit int) []Match {
	spans := wordSpans(text)
	best := map[string]Match{}
	for i := range spans {
		for n := 1; n <= sentenceRun && i+n <= len(spans); n++ {
			for _, m := range l.Link(text[spans[i].start:spans[i+n-1].end], 5) {
				if b, ok := best[m.ID]; !ok || m.Score > b.Score {
					best[m.ID] = m
				}
			}
		}
	}
	list := make([]Match, 0, len(best))
	for _, m := range best {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Match) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return list[:min(len(list), limit)]
}

const sentenceRun = 4
