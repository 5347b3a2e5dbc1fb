package linking

import (
	"cmp"
	"context"
	"slices"
	"unicode/utf8"
)

// Suggestion is a concept that a part of a text may mean, for a person to confirm.
type Suggestion struct {
	ID         string
	Confidence float64 // how often one like this is right, 0 to 1
	Start, End int     // where in the text it was read, in characters (Unicode code points), the end excluded
}

// SuggestOptions say how much of a text is suggested.
type SuggestOptions struct {
	Limit           int     // 0: 20
	LeastConfidence float64 // 0: LeastConfidence
}

const (
	usualSuggestions = 20
	// emptyIDF: a word that stands in more than a tenth of all concepts, such as "the" or "de", says nothing by itself.
	emptyIDF = 2.4
)

// Suggest reads a text of any length, in any of the languages of the labels or several, and suggests concepts with the
// words that speak for each, the most confident first. A concept is suggested once, and of readings that share words
// only the most confident stays. Nothing above the least confidence: an empty list. A cancelled context ends it with its error.
func (l *Linker) Suggest(ctx context.Context, text string, options SuggestOptions) ([]Suggestion, error) {
	least := cmp.Or(options.LeastConfidence, LeastConfidence)
	words := wordSpans(text)
	type reading struct {
		Suggestion
		from, to int // words
	}
	var readings []reading
	for from := range words {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if l.says(words[from].word) == 0 {
			continue // a reading that begins with an empty word is the one without it
		}
		for to := from + 1; to <= min(from+sentenceRun, len(words)); to++ {
			start, end := words[from].start, words[to-1].end
			if to-from > 1 && breaks(text[words[to-2].end:words[to-1].start]) {
				break
			}
			if l.says(words[to-1].word) == 0 {
				continue
			}
			for _, m := range l.Link(text[start:end], 1) {
				if m.Confidence >= least {
					readings = append(readings, reading{Suggestion{m.ID, m.Confidence, start, end}, from, to})
				}
			}
		}
	}
	slices.SortStableFunc(readings, func(a, b reading) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(b.to-b.from, a.to-a.from), cmp.Compare(a.from, b.from))
	})
	taken := make([]bool, len(words))
	seen := map[string]bool{}
	list := []Suggestion{}
	for _, r := range readings {
		if len(list) == cmp.Or(options.Limit, usualSuggestions) {
			break
		}
		if seen[r.ID] || slices.Contains(taken[r.from:r.to], true) {
			continue
		}
		seen[r.ID] = true
		for i := r.from; i < r.to; i++ {
			taken[i] = true
		}
		r.Start, r.End = utf8.RuneCountInString(text[:r.Start]), utf8.RuneCountInString(text[:r.End])
		list = append(list, r.Suggestion)
	}
	return list, nil
}

// breaks says whether what stands between two words ends a reading: a full stop, a line, a semicolon.
func breaks(between string) bool {
	for _, r := range between {
		switch r {
		case '.', ';', ':', '!', '?', '\n', '•', '؛', '؟', '。', '|':
			return true
		}
	}
	return false
}

// says is how much a word tells of labels: the weight of the word of the labels that it is most like; 0 for words that
// stand in very many labels or in none.
func (l *Linker) says(word string) float32 {
	stemmed := stem(word)
	number, ok := l.vocab.index[stemmed]
	if !ok {
		return 1 // it may be misspelt, or a compound
	}
	if idf := l.vocab.idf[number]; idf > emptyIDF {
		return idf
	}
	return 0
}
