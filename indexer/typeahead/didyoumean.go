package typeahead

import (
	"cmp"
	"slices"
)

// trigrams finds labels that look like a query although no word of it is near enough: three letters in a row, hashed to
// 16 bits (a collision costs a look at a label that is then scored exactly).
type trigrams struct {
	from   []uint32 // labels of trigram h: labels[from[h]:from[h+1]]
	labels []uint32
	size   []uint8 // different trigrams per label
}

const trigramBits = 16

// trigramsOf appends the different trigrams of folded text, with a space at both ends.
func trigramsOf(folded string, into []uint16) []uint16 {
	a, b := ' ', ' '
	add := func(c rune) {
		h := (uint64(a)<<42 ^ uint64(b)<<21 ^ uint64(c)) * 0x9E3779B97F4A7C15
		into = append(into, uint16(h>>(64-trigramBits)))
		a, b = b, c
	}
	for _, c := range folded {
		add(c)
	}
	add(' ')
	slices.Sort(into)
	return slices.Compact(into)
}

func newTrigrams(folded []string) trigrams {
	t := trigrams{from: make([]uint32, 1<<trigramBits+1), size: make([]uint8, len(folded))}
	var of []uint16
	for l, text := range folded {
		of = trigramsOf(capRunes(text), of[:0])
		t.size[l] = uint8(len(of))
		for _, h := range of {
			t.from[int(h)+1]++
		}
	}
	for h := range 1 << trigramBits {
		t.from[h+1] += t.from[h]
	}
	t.labels = make([]uint32, t.from[1<<trigramBits])
	next := slices.Clone(t.from)
	for l, text := range folded {
		of = trigramsOf(capRunes(text), of[:0])
		for _, h := range of {
			t.labels[next[h]] = uint32(l)
			next[h]++
		}
	}
	return t
}

const (
	lookalikes = 64 // labels that are compared letter by letter
	// Below this share of common trigrams a label is not what somebody meant, unless it is within three edits.
	leastAlike = 0.4
)

// DidYouMean returns up to n things whose labels look most like a query that is no label itself, best first: within three
// edits, or with a good part of the letters in common. Score is the likeness, 1 for the same text; Edits counts all typos
// between the whole texts.
func (x *Index) DidYouMean(query string, n int) []Match {
	n = min(n, maxLimit)
	folded := capRunes(Fold(capRunes(query))) // folding can make text longer
	if folded == "" || len(x.labels) == 0 || n <= 0 {
		return nil
	}
	s := x.scratch.Get().(*scratch)
	defer x.scratch.Put(s)

	letters := []rune(folded)
	var matches []Match
	for _, f := range x.lookalikes(s, folded) {
		label := []rune(Fold(x.labels[f.label]))
		edits := distance(letters, label)
		longer := max(len(letters), len(label))
		likeness := (f.score + 1 - float64(edits)/float64(longer)) / 2
		if likeness < leastAlike && (edits > 3 || 2*edits > longer) {
			continue
		}
		matches = append(matches, Match{Key: x.keys[f.label], Label: x.labels[f.label], Score: likeness, Edits: edits})
	}
	// Lookalikes come by label, so by weight: a stable sort keeps that order among equals.
	slices.SortStableFunc(matches, func(a, b Match) int { return cmp.Compare(b.Score, a.Score) })
	different := matches[:0]
	for _, m := range matches {
		if len(different) < n && !slices.ContainsFunc(different, func(d Match) bool { return d.Key == m.Key }) {
			different = append(different, m)
		}
	}
	return different
}

// lookalikes are the labels with the highest share of trigrams in common (Dice), ordered by label.
func (x *Index) lookalikes(s *scratch, folded string) []found {
	s.counts = zeroed(s.counts, len(x.labels))
	of := trigramsOf(folded, nil)
	for _, h := range of {
		for _, l := range x.trigrams.labels[x.trigrams.from[h]:x.trigrams.from[int(h)+1]] {
			s.counts[l]++ // at most once per trigram of the query, of which there are at most 101 or so
		}
	}
	// Keep the best by counting how many labels have which likeness, in steps of 1/255: no sorting of 100,000 labels.
	var having [256]int
	step := func(l int) int {
		return 255 * 2 * int(s.counts[l]) / (len(of) + int(x.trigrams.size[l]))
	}
	for l, count := range s.counts {
		if count > 0 {
			having[step(l)]++
		}
	}
	least, kept := 255, 0
	for least > 1 && kept+having[least] < lookalikes {
		kept += having[least]
		least--
	}
	room := 4*lookalikes - kept // for those of the last step, of which there may be very many
	s.top = s.top[:0]
	for l, count := range s.counts {
		if count == 0 {
			continue
		}
		at := step(l)
		if at < least || at == least && room == 0 {
			continue
		}
		if at == least {
			room--
		}
		s.top = append(s.top, found{label: uint32(l), score: float64(at) / 255})
	}
	return s.top
}

// distance is the number of edits between two texts (optimal string alignment).
func distance(a, b []rune) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		two, one, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := one[j-1]
			if a[i-1] != b[j-1] {
				cost = min(cost, one[j], row[j-1]) + 1
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					cost = min(cost, two[j-2]+1)
				}
			}
			row[j] = cost
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}
