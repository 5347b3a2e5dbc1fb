package simulate

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// bm25 is Elasticsearch's default ranking of texts: Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25
// and beyond", with Lucene's idf and constants.
type bm25 struct {
	postings map[string][]posting
	shorter  []float64 // k1 (1 - b + b length / mean length), by document
}

type posting struct {
	document int
	count    float64
}

const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

func newBM25(documents int, text func(int) string) *bm25 {
	x := &bm25{postings: map[string][]posting{}, shorter: make([]float64, documents)}
	total := 0.0
	for i := range documents {
		count := map[string]float64{}
		words := wordsOf(text(i))
		for _, word := range words {
			count[word]++
		}
		for word, n := range count {
			x.postings[word] = append(x.postings[word], posting{i, n})
		}
		x.shorter[i] = float64(len(words))
		total += float64(len(words))
	}
	for i, length := range x.shorter {
		x.shorter[i] = bm25K1 * (1 - bm25B + bm25B*length/math.Max(1, total/float64(documents)))
	}
	return x
}

// scores are those of all documents; a word that is asked for twice counts twice, as in a match query.
func (x *bm25) scores(query string) []float64 {
	scores := make([]float64, len(x.shorter))
	words := wordsOf(query)
	slices.Sort(words) // sums in one order
	for _, word := range words {
		postings := x.postings[word]
		n, found := float64(len(x.shorter)), float64(len(postings))
		idf := math.Log(1 + (n-found+0.5)/(found+0.5))
		for _, p := range postings {
			scores[p.document] += idf * p.count / (p.count + x.shorter[p.document])
		}
	}
	return scores
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}
