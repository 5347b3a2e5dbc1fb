package indexer_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"onward/indexer"
	"onward/indexer/typeahead"
)

// Whatever is searched for, the words are few, short, folded and each there once; the last one is the one that may be unfinished.
func FuzzTerms(f *testing.F) {
	for _, q := range []string{"", "albañil en zapopan", "a a a b a", strings.Repeat("é", 300), "\xff\xfe", "c++ c#", strings.Repeat("x y z ", 50), "\u200d \u0301", `") OR ("*`} {
		f.Add(q, 0, 0)
	}
	f.Add("a", 1<<62, 1<<62)
	f.Fuzz(func(t *testing.T, text string, offset, limit int) {
		q := indexer.SearchQuery{Text: text, Offset: offset, Limit: limit}
		whole, prefix := q.Terms()
		if prefix == "" && (len(whole) > 0 || typeahead.Fold(text) != "") {
			t.Fatalf("%q: no last word, but %q", text, whole)
		}
		for i, w := range append(slices.Clone(whole), prefix) {
			if len(w) > 64 || !utf8.ValidString(w) || strings.ContainsAny(w, " \t\n\x00\"*()") || i < len(whole) && (w == "" || slices.Contains(whole[:i], w)) {
				t.Fatalf("%q: %q and %q", text, whole, prefix)
			}
		}
		if len(whole) > 16 {
			t.Fatalf("%q: %d words", text, len(whole))
		}
		if from, n, err := q.Page(); err == nil && (from < 0 || n < 1 || from+n > indexer.MaxLimit) {
			t.Fatalf("from %d, %d", from, n)
		}
	})
}
