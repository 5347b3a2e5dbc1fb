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

// mergeWords joins the text indices of segments whose openings got new numbers, which ascend within each segment.
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
	var runs runs
	for n, word := range all {
		runs.clear()
		for i, v := range views {
			text := &v.segment.text
			if next[i] == len(text.sorted) || text.sorted[next[i]] != word {
				continue
			}
			each(text.list(next[i]), func(doc uint32, inTitle bool) {
				if moved := moves[i][doc]; moved != dropped {
					runs.add(moved, inTitle)
				}
			})
			runs.end()
			next[i]++
		}
		list = listWriter{data: list.data[:0]}
		for _, entry := range runs.merged() {
			list.add(uint32(entry>>1), entry&1 != 0) //nolint:gosec // written as uint32
		}
		if list.any {
			merged.sorted = append(merged.sorted, word)
			merged.append(list.data)
		}
		giveWay(n)
	}
	merged.data = slices.Clip(merged.data)
	return merged
}

// runs are ascending lists of opening << 1 | (1 when the word stands in the title), one after the other.
type runs struct {
	entries, other []uint64
	ends           []int
}

func (r *runs) clear() { r.entries, r.ends = r.entries[:0], r.ends[:0] }

func (r *runs) add(doc uint32, inTitle bool) {
	entry := uint64(doc) << 1
	if inTitle {
		entry |= 1
	}
	r.entries = append(r.entries, entry)
}

func (r *runs) end() { r.ends = append(r.ends, len(r.entries)) }

// merged is all of them in one ascending list: neighbours are merged until one run is left.
func (r *runs) merged() []uint64 {
	for len(r.ends) > 1 {
		r.other = r.other[:0]
		ends := r.ends[:0]
		from := 0
		for i := 0; i < len(r.ends); i += 2 {
			middle, end := r.ends[i], r.ends[min(i+1, len(r.ends)-1)]
			r.other = appendMerged(r.other, r.entries[from:middle], r.entries[middle:end])
			ends = append(ends, end)
			from = end
		}
		r.ends = ends
		r.entries, r.other = r.other, r.entries
	}
	return r.entries
}

func appendMerged(to, a, b []uint64) []uint64 {
	for len(a) > 0 && len(b) > 0 {
		if a[0] <= b[0] {
			to, a = append(to, a[0]), a[1:]
		} else {
			to, b = append(to, b[0]), b[1:]
		}
	}
	return append(append(to, a...), b...)
}
