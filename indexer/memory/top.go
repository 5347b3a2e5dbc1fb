package memory

import (
	"bytes"
	"slices"

	"onward/indexer"
)

// candidate is an opening with its score.
type candidate struct {
	score   float64
	segment *segment
	doc     uint32
}

// before is the order of answers: the higher score, then the lower id.
func (c candidate) before(other candidate) bool {
	if c.score != other.score {
		return c.score > other.score
	}
	a, b := &c.segment.cold[c.doc].id, &other.segment.cold[other.doc].id
	return bytes.Compare(a[:], b[:]) < 0
}

// top keeps the best candidates: a heap with the worst of them at the root.
type top struct {
	limit int
	heap  []candidate
}

func (t *top) full() bool { return len(t.heap) == t.limit }

// lowest is the score of the last of a full list.
func (t *top) lowest() float64 { return t.heap[0].score }

func (t *top) offer(c candidate) {
	if len(t.heap) < t.limit {
		t.heap = append(t.heap, c)
		t.up(len(t.heap) - 1)
		return
	}
	if c.score < t.heap[0].score || !c.before(t.heap[0]) {
		return
	}
	t.heap[0] = c
	t.down(0)
}

func (t *top) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !t.heap[parent].before(t.heap[i]) {
			return
		}
		t.heap[parent], t.heap[i] = t.heap[i], t.heap[parent]
		i = parent
	}
}

func (t *top) down(i int) {
	for {
		worst := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(t.heap); child++ {
			if t.heap[worst].before(t.heap[child]) {
				worst = child
			}
		}
		if worst == i {
			return
		}
		t.heap[i], t.heap[worst] = t.heap[worst], t.heap[i]
		i = worst
	}
}

// hits are the answers from the offset on, best first.
func (t *top) hits(offset int) []indexer.Hit {
	slices.SortFunc(t.heap, func(a, b candidate) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	if offset >= len(t.heap) {
		return nil
	}
	hits := make([]indexer.Hit, 0, len(t.heap)-offset)
	for _, c := range t.heap[offset:] {
		hits = append(hits, indexer.Hit{Opening: c.segment.opening(c.doc), Score: c.score})
	}
	return hits
}
