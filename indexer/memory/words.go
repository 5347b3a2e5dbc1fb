package memory

import (
	"encoding/binary"
	"slices"
	"strings"

	"onward/indexer"
)

// words is the text index of a segment: for each word the openings that have it. The lists are varints of
// (distance to the opening before) << 1 | (1 when the word stands in the title): a bit over one byte an entry, which is
// all that is kept of the text.
type words struct {
	sorted []string
	at     []uint32
	data   []byte
}

func (w *words) list(number int) []byte { return w.data[w.at[number]:w.at[number+1]] }

// find is the range of numbers of a word, or of all words that begin with it.
func (w *words) find(word string, prefix bool) (from, to int) {
	from, found := slices.BinarySearch(w.sorted, word)
	to = from
	if !prefix {
		if found {
			to++
		}
		return from, to
	}
	for to < len(w.sorted) && strings.HasPrefix(w.sorted[to], word) {
		to++
	}
	return from, to
}

// each calls yield with every opening of a list.
func each(list []byte, yield func(doc uint32, inTitle bool)) {
	doc := uint64(0)
	for len(list) > 0 {
		v, n := binary.Uvarint(list)
		list = list[n:]
		doc += v >> 1
		yield(uint32(doc), v&1 != 0) //nolint:gosec // written as uint32
	}
}

// listWriter writes one list.
type listWriter struct {
	data []byte
	last uint32
	any  bool
}

func (w *listWriter) has(doc uint32) bool { return w.any && w.last == doc }

func (w *listWriter) add(doc uint32, inTitle bool) {
	v := uint64(doc-w.last) << 1
	if inTitle {
		v |= 1
	}
	w.data = binary.AppendUvarint(w.data, v)
	w.last, w.any = doc, true
}

// wordsBuilder collects the words of new openings.
type wordsBuilder struct {
	dict  dict[string]
	lists []listWriter
}

func (b *wordsBuilder) add(doc uint32, title, text string) {
	for word := range indexer.Words(title) {
		b.word(doc, word, true)
	}
	for word := range indexer.Words(text) {
		b.word(doc, word, false)
	}
}

func (b *wordsBuilder) word(doc uint32, word string, inTitle bool) {
	number, ok := b.dict.ids[word]
	if !ok {
		number = b.dict.id(canonical(word)) // a copy: the word must not keep the whole text alive
		b.lists = append(b.lists, listWriter{})
	}
	if list := &b.lists[number]; !list.has(doc) {
		list.add(doc, inTitle)
	}
}

func (b *wordsBuilder) seal() words {
	sorted := slices.Clone(b.dict.values)
	slices.Sort(sorted)
	w := newWords(sorted)
	for _, word := range sorted {
		w.append(b.lists[b.dict.ids[word]].data)
	}
	return w
}

func newWords(sorted []string) words {
	return words{sorted: sorted, at: append(make([]uint32, 0, len(sorted)+1), 0)}
}

func (w *words) append(list []byte) {
	w.data = append(w.data, list...)
	w.at = append(w.at, uint32(len(w.data))) //nolint:gosec // 4 GB of text index would be 100 million openings
}

// mergeWords joins the text indices of segments whose openings got new numbers.
func mergeWords(views []view, moves [][]uint32) words {
	var all []string
	for _, v := range views {
		all = append(all, v.segment.text.sorted...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	merged := newWords(make([]string, 0, len(all)))
	next := make([]int, len(views))
	var list listWriter
	for _, word := range all {
		list = listWriter{data: list.data[:0]}
		for i, v := range views {
			text := &v.segment.text
			if next[i] == len(text.sorted) || text.sorted[next[i]] != word {
				continue
			}
			each(text.list(next[i]), func(doc uint32, inTitle bool) {
				if moved := moves[i][doc]; moved != dropped {
					list.add(moved, inTitle)
				}
			})
			next[i]++
		}
		if list.any {
			merged.sorted = append(merged.sorted, word)
			merged.append(list.data)
		}
	}
	merged.data = slices.Clip(merged.data)
	return merged
}
