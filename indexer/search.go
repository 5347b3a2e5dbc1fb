package indexer

import (
	"iter"
	"strings"
	"unicode/utf8"

	"onward"
	"onward/indexer/typeahead"
)

const (
	// DefaultLimit is how many hits a query gets that names no limit.
	DefaultLimit = 200
	// MaxLimit is the most hits that a query gets, and the deepest that a search can be paged.
	MaxLimit = 10_000

	// A word in the title scores TitleScore, a word in the text TextScore, and each of the asked skills SkillScore.
	// In a search near a point, what is nearest adds 1, falling in a straight line to 0 at the rim of the circle.
	TitleScore = 2
	TextScore  = 1
	SkillScore = 1

	maxSearchWords = 16
	maxWordBytes   = 64
)

// Words cuts folded text into the words that an index holds. Overlong ones are cut, so that a prefix still finds them.
func Words(folded string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range strings.FieldsSeq(folded) {
			if !yield(cutWord(word)) {
				return
			}
		}
	}
}

func cutWord(word string) string {
	if len(word) <= maxWordBytes {
		return word
	}
	end := maxWordBytes
	for end > 0 && !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// Terms are the words of a search, without repetitions. The last one may be the beginning of a longer word, because
// people search while they type.
func (q SearchQuery) Terms() (whole []string, prefix string) {
	for word := range Words(typeahead.Fold(q.Text)) {
		if prefix != "" {
			whole = appendNew(whole, prefix)
		}
		prefix = word
		if len(whole) == maxSearchWords-1 {
			break
		}
	}
	return whole, prefix
}

func appendNew(words []string, word string) []string {
	for _, w := range words {
		if w == word {
			return words
		}
	}
	return append(words, word)
}

// Page is the part of the answers that the query wants. EInvalid when it is deeper than MaxLimit.
func (q SearchQuery) Page() (offset, limit int, err error) {
	offset, limit = max(0, q.Offset), Limit(q.Limit)
	if offset+limit > MaxLimit {
		return 0, 0, onward.Errorf(onward.EInvalid, "a search shows the best %d results; narrow it to see others", MaxLimit)
	}
	return offset, limit, nil
}

// Limit is how many hits are meant by the limit of a query.
func Limit(n int) int {
	if n <= 0 {
		return DefaultLimit
	}
	return min(n, MaxLimit)
}
