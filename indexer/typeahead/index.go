// Package typeahead completes what a person types into the label of a skill, an occupation or a place, in memory, whatever
// the accents, the order of the words and a typo or two.
package typeahead

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Entry is one label of one thing. A thing (a skill, a place) usually has several: languages, synonyms, other spellings.
type Entry struct {
	Label string
	// Key is the caller's number for the thing; Suggest returns each key at most once.
	Key int32
	// Weight orders labels that fit equally well, higher first: the logarithm of a place's population, or how often an
	// occupation is in demand. Only differences matter; leave it 0 where nothing is known.
	Weight float32
	// Lang is the label's language, "" for names that belong to all (places).
	Lang string
	// Preferred marks the name by which the thing is usually shown. It wins over a synonym that fits as well.
	Preferred bool
}

// Index is built once and is then safe for any number of goroutines. It keeps the strings of the entries that it was built
// from; apart from these it takes some 220 bytes per label.
type Index struct {
	// One item per label; labels are ordered by falling weight, so that what is found first is likely to stay.
	labels    []string
	keys      []int32
	prior     []float32 // 0…1: weight, and whether preferred
	langs     []uint8   // index into languages
	runes     []uint8   // length of the folded label, at most 255
	distinct  []uint8   // number of different words, at most 255
	wordsFrom []uint32  // label l has the words words[wordsFrom[l]:wordsFrom[l+1]]
	words     []uint32  // terms, in the order of the label

	languages []string // languages[0] is ""

	// One item per term (different word). Terms are sorted, so that all terms with one prefix are neighbours, and so are
	// their postings.
	terms        []string
	postingsFrom []uint32
	postings     []uint32 // label<<1, +1 unless the term is the label's first word

	trie     trie
	trigrams trigrams

	scratch sync.Pool
}

const maxLabels = 1 << 30

// Build makes an index of the entries. Labels without a letter or digit are left out.
func Build(entries []Entry) (*Index, error) {
	if len(entries) > maxLabels {
		return nil, fmt.Errorf("build type-ahead: %d labels are too many", len(entries))
	}
	type label struct {
		entry  int32
		folded string
	}
	labels := make([]label, 0, len(entries))
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for i, e := range entries {
		if w := float64(e.Weight); math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("build type-ahead: weight of entry %d is not a number", i)
		}
		if folded := Fold(e.Label); folded != "" {
			labels = append(labels, label{entry: int32(i), folded: folded})
			low, high = min(low, e.Weight), max(high, e.Weight)
		}
	}
	slices.SortFunc(labels, func(a, b label) int {
		x, y := &entries[a.entry], &entries[b.entry]
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), boolFirst(x.Preferred, y.Preferred),
			cmp.Compare(a.folded, b.folded), cmp.Compare(x.Key, y.Key), cmp.Compare(x.Lang, y.Lang), cmp.Compare(x.Label, y.Label))
	})

	n := len(labels)
	x := &Index{
		labels: make([]string, n), keys: make([]int32, n), prior: make([]float32, n), langs: make([]uint8, n),
		runes: make([]uint8, n), distinct: make([]uint8, n), wordsFrom: make([]uint32, n+1), languages: []string{""},
	}
	termOf := map[string]uint32{} // numbered as met, renumbered below
	languageOf := map[string]uint8{"": 0}
	folded := make([]string, n)
	for l, it := range labels {
		e := &entries[it.entry]
		folded[l] = it.folded
		x.labels[l], x.keys[l] = e.Label, e.Key
		x.prior[l] = prior(e, low, high)
		x.runes[l] = uint8(min(utf8.RuneCountInString(it.folded), math.MaxUint8))
		lang, known := languageOf[e.Lang]
		if !known {
			if len(x.languages) > math.MaxUint8 {
				return nil, fmt.Errorf("build type-ahead: more than %d languages", math.MaxUint8)
			}
			lang = uint8(len(x.languages))
			languageOf[e.Lang] = lang
			x.languages = append(x.languages, e.Lang)
		}
		x.langs[l] = lang
		from := len(x.words)
		for word := range strings.SplitSeq(it.folded, " ") {
			term, known := termOf[word]
			if !known {
				term = uint32(len(x.terms))
				termOf[strings.Clone(word)] = term
				x.terms = append(x.terms, strings.Clone(word))
			}
			if !slices.Contains(x.words[from:], term) {
				x.words = append(x.words, term)
			}
		}
		x.distinct[l] = uint8(min(len(x.words)-from, math.MaxUint8))
		x.wordsFrom[l+1] = uint32(len(x.words))
	}
	x.words = slices.Clip(x.words)
	x.sortTerms()
	x.post()
	x.trie = newTrie(x.terms)
	x.trigrams = newTrigrams(folded)
	x.scratch.New = func() any { return &scratch{} }
	return x, nil
}

// Len is the number of labels.
func (x *Index) Len() int { return len(x.labels) }

// prior is what speaks for a label before anything is typed, 0…1.
func prior(e *Entry, low, high float32) float32 {
	var p float32
	if high > low {
		p = 0.95 * (e.Weight - low) / (high - low)
	}
	if e.Preferred {
		p += 0.05
	}
	return p
}

func (x *Index) sortTerms() {
	order := make([]uint32, len(x.terms))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(x.terms[a], x.terms[b]) })
	sorted, renumbered := make([]string, len(order)), make([]uint32, len(order))
	for i, old := range order {
		sorted[i], renumbered[old] = x.terms[old], uint32(i)
	}
	x.terms = sorted
	for i, old := range x.words {
		x.words[i] = renumbered[old]
	}
}

func (x *Index) post() {
	x.postingsFrom = make([]uint32, len(x.terms)+1)
	for _, term := range x.words {
		x.postingsFrom[term+1]++
	}
	for term := range x.terms {
		x.postingsFrom[term+1] += x.postingsFrom[term]
	}
	x.postings = make([]uint32, len(x.words))
	next := slices.Clone(x.postingsFrom)
	for l := range x.labels {
		for i, term := range x.wordsOf(uint32(l)) {
			posting := uint32(l) << 1
			if i > 0 {
				posting++
			}
			x.postings[next[term]] = posting
			next[term]++
		}
	}
}

func (x *Index) wordsOf(label uint32) []uint32 {
	return x.words[x.wordsFrom[label]:x.wordsFrom[label+1]]
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
