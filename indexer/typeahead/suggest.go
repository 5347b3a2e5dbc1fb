package typeahead

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// Options of Suggest. The zero value asks for the ten best of all languages.
type Options struct {
	// Limit is how many keys come back at most. Default 10, never more than 100.
	Limit int
	// Lang is the reader's language. Of labels that match equally well, those in this language (or in none) come first; the
	// others still follow, because people look for "welder" on a Spanish page too. Default: no difference.
	Lang string
	// OnlyLang leaves out labels in any language but Lang (and none).
	OnlyLang bool
	// Accept, if set, leaves out the keys for which it is false: only places of one country, only skills. It is called for
	// keys that would make the list, and has to be quick.
	Accept func(key int32) bool
}

// Match is one thing that a query may mean.
type Match struct {
	Key int32
	// Label is the label that matched, which need not be the preferred one.
	Label string
	// Score orders the matches of one query, best first, in [0, 1]. It can't be compared between queries.
	Score float64
	// Edits is how many typos lie between the query and the label.
	Edits int
}

const (
	defaultLimit  = 10
	maxLimit      = 100
	maxQueryRunes = 100
	maxQueryWords = 8
	// A query of so many words that matches something has said what it wants: no search for more typos then.
	manyWords = 4
)

// How a query word matches a word of a label; the lowest number wins, and the lowest bit is free (queryWord.labels).
const (
	noMatch       uint8 = 0
	exactMatch    uint8 = 2
	prefixMatch   uint8 = 4
	typoMatch     uint8 = 6 // one edit
	typoPrefix    uint8 = 8
	twoTypoMatch  uint8 = 10
	twoTypoPrefix uint8 = 12
)

func hitClass(edits uint8, prefix bool) uint8 {
	class := [...]uint8{exactMatch, typoMatch, twoTypoMatch}[edits]
	if prefix {
		class += prefixMatch - exactMatch
	}
	return class
}

// queryWord is one word of the query and what it matches.
type queryWord struct {
	text    string
	letters []rune
	last    bool    // it may not be typed to its end yet
	edits   uint8   // how many it allows
	terms   []uint8 // how it matches each term
	labels  []uint8 // how it matches each label at best, +1 if not in the label's first word
	matched int     // postings marked
}

// scratch is what one query needs, kept for the next one.
type scratch struct {
	words  [maxQueryWords]queryWord
	fuzzy  fuzzy
	hits   []hit
	top    []found
	counts []uint8 // trigrams in common, per label
}

type found struct {
	score float64
	label uint32
	edits uint8
}

// Suggest completes a query: the labels that hold every word of it, in any order, the last word being complete or not. A
// word of four letters or more may hold one typo, one of eight or more two. Exact words come before beginnings of words, these
// before typos; then higher weights, labels that begin with the query's first word, and shorter labels.
//
// Short words of the query (up to three letters) are dropped when nothing holds all words. Only the first 100 letters and
// eight different words count. An empty query has no matches. Nothing in a query can make it fail.
func (x *Index) Suggest(query string, options Options) []Match {
	limit := options.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	folded := Fold(capRunes(query))
	if folded == "" || len(x.labels) == 0 {
		return nil
	}
	s := x.scratch.Get().(*scratch)
	defer x.scratch.Put(s)

	texts := queryWords(folded)
	matches := x.suggest(s, texts, limit, options)
	if len(matches) == 0 && len(texts) > 1 {
		long := slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return utf8.RuneCountInString(t) <= 3 })
		if len(long) > 0 && len(long) < len(texts) {
			matches = x.suggest(s, long, limit, options)
		}
	}
	return matches
}

func capRunes(s string) string {
	n := 0
	for i := range s {
		if n == maxQueryRunes {
			return s[:i]
		}
		n++
	}
	return s
}

// queryWords splits folded text into different words. The last one stays last.
func queryWords(folded string) []string {
	words := strings.Split(folded, " ")
	last := words[len(words)-1]
	different := make([]string, 0, maxQueryWords)
	for _, w := range words[:len(words)-1] {
		if len(different) < maxQueryWords-1 && w != last && !slices.Contains(different, w) {
			different = append(different, w)
		}
	}
	return append(different, last)
}

func (x *Index) suggest(s *scratch, texts []string, limit int, options Options) []Match {
	words := s.words[:len(texts)]
	queryRunes := len(texts) - 1
	mayEdit := uint8(0)
	for i, text := range texts {
		w := &words[i]
		w.text, w.letters, w.last = text, append(w.letters[:0], []rune(text)...), i == len(texts)-1
		w.edits = allowedEdits(w.letters)
		mayEdit = max(mayEdit, w.edits)
		queryRunes += len(w.letters)
		w.matched = 0
		w.terms, w.labels = zeroed(w.terms, len(x.terms)), zeroed(w.labels, len(x.labels))
		x.literal(w)
	}
	// Labels with fewer typos come first whatever else they have, so typos matter only if the list isn't full without.
	for edits := uint8(0); edits <= mayEdit; edits++ {
		hopeless := false
		for i := range words {
			if edits > 0 && words[i].edits >= edits {
				x.typos(s, &words[i], edits)
			}
			hopeless = hopeless || words[i].matched == 0 && words[i].edits <= edits
		}
		s.top = s.top[:0]
		if hopeless {
			break
		}
		x.collect(s, words, queryRunes, limit, options)
		if len(s.top) >= limit || len(words) >= manyWords && len(s.top) > 0 {
			break
		}
	}
	matches := make([]Match, len(s.top))
	for i, f := range s.top {
		matches[i] = Match{Key: x.keys[f.label], Label: x.labels[f.label], Score: f.score, Edits: int(f.edits)}
	}
	return matches
}

func allowedEdits(letters []rune) uint8 {
	switch n := len(letters); {
	case n < 4 || n > maxFuzzyRunes:
		return 0
	case n < 8:
		return 1
	}
	return 2
}

// literal marks the labels with a word that is the query word or begins with it.
func (x *Index) literal(w *queryWord) {
	from, exact := slices.BinarySearch(x.terms, w.text)
	to := from + sortedPrefixes(x.terms[from:], w.text)
	start := from
	if exact {
		x.mark(w, hit{from: uint32(from), to: uint32(from + 1)})
		start++
	}
	if start < to {
		x.mark(w, hit{from: uint32(start), to: uint32(to), prefix: true})
	}
}

// sortedPrefixes counts the terms that begin with the prefix; they stand at the front.
func sortedPrefixes(terms []string, prefix string) int {
	n, _ := slices.BinarySearchFunc(terms, prefix, func(term, prefix string) int {
		if strings.HasPrefix(term, prefix) {
			return -1
		}
		return 1
	})
	return n
}

// typos marks the labels with a word within exactly this many edits (fewer edits are marked already).
func (x *Index) typos(s *scratch, w *queryWord, edits uint8) {
	s.hits = s.fuzzy.find(&x.trie, w.letters, edits, w.last, s.hits[:0])
	for _, h := range s.hits {
		if h.edits == edits {
			x.mark(w, h)
		}
	}
}

// mark notes a hit in its terms and in all their labels. The postings of neighbouring terms are neighbours: one straight walk.
func (x *Index) mark(w *queryWord, h hit) {
	class := hitClass(h.edits, h.prefix)
	for term := h.from; term < h.to; term++ {
		if had := w.terms[term]; had == noMatch || class < had {
			w.terms[term] = class
		}
	}
	postings := x.postings[x.postingsFrom[h.from]:x.postingsFrom[h.to]]
	for _, p := range postings {
		code := class | uint8(p&1)
		if had := w.labels[p>>1]; had == noMatch || code < had {
			w.labels[p>>1] = code
		}
	}
	w.matched += len(postings)
}

func zeroed(b []uint8, n int) []uint8 {
	if len(b) != n {
		return make([]uint8, n)
	}
	clear(b)
	return b
}

// collect adds the best labels that hold all words to s.top, best first, one per key.
func (x *Index) collect(s *scratch, words []queryWord, queryRunes, limit int, options Options) {
	rarest := &words[0]
	for i := range words {
		if words[i].matched < rarest.matched {
			rarest = &words[i]
		}
	}
	lang := -1
	if options.Lang != "" {
		lang = slices.Index(x.languages, options.Lang)
		if lang < 0 {
			lang = 256 // a language without labels
		}
	}
	n := len(x.labels)
	for l := 0; l < n; l++ {
		if rarest.labels[l] == noMatch {
			for l+8 <= n && binary.LittleEndian.Uint64(rarest.labels[l:]) == 0 {
				l += 8
			}
			if l >= n || rarest.labels[l] == noMatch {
				continue
			}
		}
		x.consider(s, words, uint32(l), lang, queryRunes, limit, options)
	}
}

// consider scores a label and puts it into s.top if it belongs there.
func (x *Index) consider(s *scratch, words []queryWord, label uint32, lang, queryRunes, limit int, options Options) {
	if int(x.distinct[label]) < len(words) {
		return
	}
	var kind matchKind
	for i := range words {
		code := words[i].labels[label]
		if code == noMatch {
			return
		}
		kind.add(code&^1, words[i].last)
	}
	if len(s.top) == limit && s.top[limit-1].score >= 1-kind.tier()/tiers {
		return
	}
	native := lang < 0 || x.langs[label] == 0 || int(x.langs[label]) == lang
	if !native && options.OnlyLang {
		return
	}
	first := words[0].labels[label]&1 == 0
	score := x.score(label, kind, len(words), first, native, queryRunes)
	if !s.improves(x, label, score, limit) {
		return
	}
	if options.Accept != nil && !options.Accept(x.keys[label]) {
		return
	}
	if len(words) > 1 {
		// Two words of the query may have matched the same word of the label. Now that it matters, look.
		var ok bool
		if kind, ok = x.assign(words, label); !ok {
			return
		}
		score = x.score(label, kind, len(words), first, native, queryRunes)
		if !s.improves(x, label, score, limit) {
			return
		}
	}
	s.insert(x, found{score: score, label: label, edits: kind.edits}, limit)
}

// matchKind sums up how the words of a query match.
type matchKind struct {
	edits    uint8
	prefixes uint8 // 1 for the last word, which may be unfinished; 2 for each other
}

func (k *matchKind) add(class uint8, last bool) {
	k.edits += (class - exactMatch) / 4
	if class%4 == 0 {
		k.prefixes += 2
		if last {
			k.prefixes--
		}
	}
}

const tiers = 32 * (2*maxQueryWords + 1)

// tier is the best that a label can have that matches so.
func (k *matchKind) tier() float64 { return 32*float64(k.edits) + 2*float64(k.prefixes) }

// score is made of tiers: typos, then unfinished words, then whether the query is the whole label. Within a tier the prior
// counts most.
func (x *Index) score(label uint32, kind matchKind, words int, first, native bool, queryRunes int) float64 {
	tier := kind.tier()
	if kind.prefixes > 0 || int(x.distinct[label]) != words {
		tier++
	}
	within := 0.85*float64(x.prior[label]) + 0.08*min(1, float64(queryRunes)/float64(x.runes[label]))
	if first {
		within += 0.07
	}
	if native {
		within = (1 + within) / 2
	} else {
		within /= 2
	}
	return 1 - (tier+1-within)/tiers
}

// assign gives each word of the query its own word of the label: best matches first, words with no choice before others.
func (x *Index) assign(words []queryWord, label uint32) (matchKind, bool) {
	terms := x.wordsOf(label)
	if len(terms) > 64 {
		terms = terms[:64]
	}
	var kind matchKind
	var taken uint64
	var done [maxQueryWords]bool
	for range words {
		bestWord, bestTerm, bestClass := -1, -1, noMatch
		for i := range words {
			if done[i] {
				continue
			}
			for t, term := range terms {
				if taken&(1<<t) != 0 {
					continue
				}
				class := words[i].terms[term]
				if class != noMatch && (bestClass == noMatch || class < bestClass) {
					bestWord, bestTerm, bestClass = i, t, class
				}
			}
		}
		if bestWord < 0 {
			return kind, false
		}
		done[bestWord] = true
		taken |= 1 << bestTerm
		kind.add(bestClass, words[bestWord].last)
	}
	return kind, true
}

// improves says whether a label with this score would change the list.
func (s *scratch) improves(x *Index, label uint32, score float64, limit int) bool {
	if len(s.top) == limit && score <= s.top[limit-1].score {
		return false
	}
	for _, f := range s.top {
		if x.keys[f.label] == x.keys[label] {
			return score > f.score
		}
	}
	return true
}

// insert puts a label into the list, in place of a worse one of its key or of the last. Equal scores keep their order.
func (s *scratch) insert(x *Index, f found, limit int) {
	key := x.keys[f.label]
	s.top = slices.DeleteFunc(s.top, func(other found) bool { return x.keys[other.label] == key })
	at, _ := slices.BinarySearchFunc(s.top, f, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.score, a.score), -1)
	})
	s.top = slices.Insert(s.top, at, f)
	if len(s.top) > limit {
		s.top = s.top[:limit]
	}
}
