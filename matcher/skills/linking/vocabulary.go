package linking

import (
	"cmp"
	"math"
	"slices"
)

// vocabulary is the words of all labels, with an index from letters to words: a word that is not there, a typo or another
// form, is taken for the words that are written most alike.
type vocabulary struct {
	index map[string]int32 // stem -> number
	stems []string
	idf   []float32 // by word

	grams     map[uint32]int32 // hash of letters -> number
	gramStart []int32
	gramWords []int32   // words of gram g: gramWords[gramStart[g]:gramStart[g+1]]
	gramIDF   []float32 // by gram
	norm      []float32 // by word: length of its vector of grams
}

// wordGrams calls f with a hash of each run of 2 to 4 letters of "^word$".
func wordGrams(word string, f func(uint32)) {
	letters := make([]rune, 0, 24)
	letters = append(letters, '^')
	for _, r := range word {
		letters = append(letters, r)
	}
	letters = append(letters, '$')
	for i := range letters {
		h := uint32(2166136261)
		for n := 0; n < 4 && i+n < len(letters); n++ {
			h = (h ^ uint32(letters[i+n])) * 16777619 //nolint:gosec // runes are not negative
			if n >= 1 {
				f(h ^ h>>15)
			}
		}
	}
}

func (v *vocabulary) number(stem string) int32 {
	n, ok := v.index[stem]
	if !ok {
		n = int32(len(v.stems))
		v.index[stem] = n
		v.stems = append(v.stems, stem)
	}
	return n
}

// finish builds the index of letters, once all words are there.
func (v *vocabulary) finish() {
	v.grams = make(map[uint32]int32, 1<<16)
	var count []int32
	var all []int32 // grams of all words, one after the other
	start := make([]int32, 0, len(v.stems)+1)
	for _, s := range v.stems {
		start = append(start, int32(len(all)))
		from := len(all)
		wordGrams(s, func(h uint32) {
			g, ok := v.grams[h]
			if !ok {
				g = int32(len(count))
				v.grams[h] = g
				count = append(count, 0)
			}
			if !slices.Contains(all[from:], g) {
				all = append(all, g)
				count[g]++
			}
		})
	}
	start = append(start, int32(len(all)))
	v.gramStart = make([]int32, len(count)+1)
	v.gramIDF = make([]float32, len(count))
	for g, n := range count {
		v.gramStart[g+1] = v.gramStart[g] + n
		v.gramIDF[g] = float32(math.Log(float64(1+len(v.stems)) / float64(1+n)))
	}
	next := slices.Clone(v.gramStart)
	v.gramWords = make([]int32, len(all))
	v.norm = make([]float32, len(v.stems))
	for w := range v.stems {
		sum := float32(0)
		for _, g := range all[start[w]:start[w+1]] {
			v.gramWords[next[g]] = int32(w)
			next[g]++
			sum += v.gramIDF[g] * v.gramIDF[g]
		}
		v.norm[w] = float32(math.Sqrt(float64(sum)))
	}
}

// weighted is a number with how much it counts.
type weighted struct {
	number int32
	weight float32
}

const (
	// leastAlike is the cosine of letters below which two words are not taken for each other.
	leastAlike = 0.45
	mostAlike  = 14
	// commonGram: runs of letters that more words have say too little to be looked up.
	commonGram = 4000
)

// alike lists the words written most like one, the word itself first with 1.
func (v *vocabulary) alike(stem string, acc []float32, touched []int32) ([]weighted, []int32) {
	touched = touched[:0]
	sum := float32(0)
	seen := make([]int32, 0, 64)
	wordGrams(stem, func(h uint32) {
		g, ok := v.grams[h]
		if !ok {
			sum += 49 // as rare as can be
			return
		}
		if slices.Contains(seen, g) {
			return
		}
		seen = append(seen, g)
		idf := v.gramIDF[g]
		sum += idf * idf
		list := v.gramWords[v.gramStart[g]:v.gramStart[g+1]]
		if len(list) > commonGram {
			return
		}
		for _, w := range list {
			if acc[w] == 0 {
				touched = append(touched, w)
			}
			acc[w] += idf * idf
		}
	})
	norm := float32(math.Sqrt(float64(sum)))
	var list []weighted
	for _, w := range touched {
		if s := acc[w] / (norm * v.norm[w]); s >= leastAlike && v.stems[w] != stem {
			list = append(list, weighted{w, min(s, 1)})
		}
		acc[w] = 0
	}
	slices.SortFunc(list, func(a, b weighted) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.number, b.number))
	})
	list = list[:min(len(list), mostAlike)]
	if w, ok := v.index[stem]; ok {
		list = slices.Insert(list, 0, weighted{w, 1})
	}
	return list, touched
}
