package typeahead

import "unicode/utf8"

// trie holds all terms, rune by rune. Its nodes know which range of the sorted terms hangs below them: a fuzzy prefix
// then is a handful of ranges and not thousands of words.
type trie struct {
	nodes []trieNode
}

type trieNode struct {
	rune     rune
	children uint32 // the first one; they are neighbours
	count    uint32 // of children
	from, to uint32 // terms below, this one included
	ends     bool   // from is the term that ends here
}

// newTrie needs the terms sorted and unique. Nodes are laid out level by level.
func newTrie(terms []string) trie {
	t := trie{nodes: []trieNode{{from: 0, to: uint32(len(terms))}}}
	depth := []uint32{0} // bytes of the term that lie above the node, per node of the level at hand
	for level := 0; level < len(t.nodes); {
		end := len(t.nodes)
		var below []uint32
		for n := level; n < end; n++ {
			node := t.nodes[n]
			at := depth[n-level]
			node.children = uint32(len(t.nodes))
			from := node.from
			if from < node.to && len(terms[from]) == int(at) {
				node.ends = true
				from++
			}
			for from < node.to {
				r, size := utf8.DecodeRuneInString(terms[from][at:])
				to := from + 1
				for to < node.to && hasRuneAt(terms[to], int(at), r) {
					to++
				}
				t.nodes = append(t.nodes, trieNode{rune: r, from: from, to: to})
				below = append(below, at+uint32(size))
				from = to
			}
			node.count = uint32(len(t.nodes)) - node.children
			t.nodes[n] = node
		}
		level, depth = end, below
	}
	return t
}

func hasRuneAt(term string, at int, r rune) bool {
	got, _ := utf8.DecodeRuneInString(term[at:])
	return got == r
}

// A hit is a range of terms that lies within some edits of a query word.
type hit struct {
	from, to uint32 // terms
	edits    uint8
	prefix   bool // the word is near to a prefix of the terms, not to the whole
}

const maxFuzzyRunes = 32 // longer words are matched exactly; no label's word needs more

// fuzzy finds the terms within edits (1 or 2) of a word of at most maxFuzzyRunes runes, or with a prefix that is. Insertion,
// deletion, substitution and the transposition of neighbours count one each (optimal string alignment).
type fuzzy struct {
	trie   *trie
	word   []rune
	edits  uint8
	prefix bool
	hits   []hit
	rows   [maxFuzzyRunes + 4][maxFuzzyRunes + 2]uint8 // one per depth; all cells outside the band hold more than edits
}

func (f *fuzzy) find(t *trie, word []rune, edits uint8, prefix bool, hits []hit) []hit {
	f.trie, f.word, f.edits, f.prefix, f.hits = t, word, edits, prefix, hits
	for j := range f.rows[0] {
		f.rows[0][j] = min(uint8(j), edits+1)
	}
	f.descend(0, 0, edits+1)
	return f.hits
}

// descend visits the children of a node at a depth. Some prefix above is within best edits already (edits+1: none).
func (f *fuzzy) descend(parent, depth int, best uint8) {
	node := &f.trie.nodes[parent]
	above := &f.rows[depth]
	row := &f.rows[depth+1]
	n, far := len(f.word), f.edits+1
	// Column j of a row says how many edits turn the first j runes of the word into the path to the node. Only columns
	// within edits of the diagonal can be small enough.
	first, last := max(1, depth+1-int(f.edits)), min(n, depth+1+int(f.edits))
	for child := int(node.children); child < int(node.children+node.count); child++ {
		next := &f.trie.nodes[child]
		row[0] = min(uint8(depth+1), far)
		if first > 1 {
			row[first-1] = far
		}
		least := far
		if first == 1 {
			least = row[0]
		}
		for j := first; j <= last; j++ {
			cost := above[j-1]
			if f.word[j-1] != next.rune {
				cost = min(cost, row[j-1], above[j]) + 1
				if depth > 0 && j > 1 && f.word[j-2] == next.rune && f.word[j-1] == node.rune {
					cost = min(cost, f.rows[depth-1][j-2]+1)
				}
			}
			cost = min(cost, far)
			row[j] = cost
			least = min(least, cost)
		}
		if last < n {
			row[last+1] = far
		}
		reached := best
		if last == n && row[n] <= f.edits {
			reached = f.report(child, row[n], best)
		}
		switch {
		case least >= f.edits:
			f.finish(child, above, row, first, last, reached)
		case next.count > 0 && reached > 0 && depth+1 < n+int(f.edits):
			f.descend(child, depth+1, reached)
		}
	}
}

// report notes that the path to a node lies within edits of the word, and says within how many a prefix of all below lies.
func (f *fuzzy) report(at int, edits, best uint8) uint8 {
	node := &f.trie.nodes[at]
	if node.ends {
		f.hits = append(f.hits, hit{from: node.from, to: node.from + 1, edits: edits})
	}
	if f.prefix && edits < best {
		f.hits = append(f.hits, hit{from: node.from, to: node.to, edits: edits, prefix: true})
		return edits
	}
	return best
}

// finish follows a path on which no edit is left: the rest of the word must stand there letter by letter, after a swap of
// neighbours if one can still be paid. Most paths end here, so this is what makes the search quick.
func (f *fuzzy) finish(at int, above, row *[maxFuzzyRunes + 2]uint8, first, last int, best uint8) {
	r, n := f.trie.nodes[at].rune, len(f.word)
	for j := first - 1; j <= min(last, n-1); j++ {
		if row[j] == f.edits {
			f.follow(at, j, best)
		}
		if j >= first && above[j-1]+1 == f.edits && f.word[j] == r {
			if swapped := f.trie.child(at, f.word[j-1]); swapped > 0 {
				if j+1 == n {
					f.report(swapped, f.edits, best)
				}
				f.follow(swapped, j+1, best)
			}
		}
	}
}

func (f *fuzzy) follow(at, j int, best uint8) {
	if j == len(f.word) {
		return // reported already
	}
	for ; j < len(f.word); j++ {
		if at = f.trie.child(at, f.word[j]); at == 0 {
			return
		}
	}
	f.report(at, f.edits, best)
}

// child is the node below with a rune, 0 if there is none. Children are sorted by rune.
func (t *trie) child(at int, r rune) int {
	low, high := t.nodes[at].children, t.nodes[at].children+t.nodes[at].count
	for low < high {
		middle := (low + high) / 2
		switch got := t.nodes[middle].rune; {
		case got == r:
			return int(middle)
		case got < r:
			low = middle + 1
		default:
			high = middle
		}
	}
	return 0
}
