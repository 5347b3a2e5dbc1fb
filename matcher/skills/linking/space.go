package linking

import (
	"math"
	"math/rand/v2"
	"slices"
)

// space places words and concepts so that words which stand for the same concepts are near each other, in whatever
// language: latent semantic analysis (Deerwester et al. 1990) of concepts over the words of their labels in all languages
// and their context. It is learnt when a linker is built, from nothing else.
type space struct {
	index    map[string]int32 // stem -> row of words
	idf      []float32
	size     int
	words    []float32 // rows of size
	concepts []float32 // rows of size, of length 1
	start    []int32   // concepts of word w: postings[start[w]:start[w+1]]
	postings []weighted
}

const (
	contextWeight = 0.35 // a word of the context, beside one of a label
	spaceRounds   = 3    // of subspace iteration
)

// sparseRow is a concept as its words.
type sparseRow []weighted

func newSpace(concepts, background []Concept, size int) *space {
	s := &space{index: make(map[string]int32, 1<<16), size: size}
	rows := make([]sparseRow, 0, len(concepts)+len(background))
	var count []float32
	for _, list := range [][]Concept{concepts, background} {
		for _, c := range list {
			rows = append(rows, s.row(c, &count))
		}
	}
	s.idf = make([]float32, len(count))
	for w, n := range count {
		s.idf[w] = float32(math.Log(float64(len(rows)+1) / float64(n)))
	}
	// A row's weights: log of how often, times how much the word tells; its length 1.
	for _, row := range rows {
		sum := 0.0
		for k := range row {
			row[k].weight = float32(math.Log1p(float64(row[k].weight))) * s.idf[row[k].number]
			sum += float64(row[k].weight) * float64(row[k].weight)
		}
		if sum > 0 {
			by := float32(1 / math.Sqrt(sum))
			for k := range row {
				row[k].weight *= by
			}
		}
	}
	s.post(rows[:len(concepts)])
	s.words = principalAxes(rows, len(count), size)
	s.concepts = make([]float32, len(concepts)*size)
	for i := range concepts {
		v := s.concepts[i*size : (i+1)*size]
		for _, x := range rows[i] {
			axpy(x.weight, s.words[int(x.number)*size:int(x.number+1)*size], v)
		}
		toUnit(v)
	}
	return s
}

// post lists the concepts of each word.
func (s *space) post(rows []sparseRow) {
	s.start = make([]int32, len(s.idf)+1)
	for _, row := range rows {
		for _, x := range row {
			s.start[x.number+1]++
		}
	}
	for w := range s.idf {
		s.start[w+1] += s.start[w]
	}
	s.postings = make([]weighted, s.start[len(s.idf)])
	next := slices.Clone(s.start)
	for i, row := range rows {
		for _, x := range row {
			s.postings[next[x.number]] = weighted{int32(i), x.weight}
			next[x.number]++
		}
	}
}

// documents fills the cosine of a text's words with those of each concept.
func (s *space) documents(list []string, into []float32) {
	clear(into)
	sum := float32(0)
	for k, word := range list {
		st := stem(word)
		n, ok := s.index[st]
		if !ok || slices.ContainsFunc(list[:k], func(other string) bool { return stem(other) == st }) {
			continue
		}
		idf := s.idf[n]
		sum += idf * idf
		for _, p := range s.postings[s.start[n]:s.start[n+1]] {
			into[p.number] += idf * p.weight
		}
	}
	if sum > 0 {
		by := float32(1 / math.Sqrt(float64(sum)))
		for i := range into {
			into[i] *= by
		}
	}
}

func (s *space) row(c Concept, count *[]float32) sparseRow {
	weights := map[int32]float32{}
	var order []int32
	add := func(text string, weight float32) {
		for _, word := range words(text) {
			st := stem(word)
			n, ok := s.index[st]
			if !ok {
				n = int32(len(*count))
				s.index[st] = n
				*count = append(*count, 0)
			}
			if _, ok := weights[n]; !ok {
				order = append(order, n)
				(*count)[n]++
			}
			weights[n] += weight
		}
	}
	for _, label := range c.Labels {
		add(label.Text, 1)
	}
	for _, text := range c.Context {
		add(text, contextWeight)
	}
	slices.Sort(order)
	row := make(sparseRow, len(order))
	for k, n := range order {
		row[k] = weighted{n, weights[n]}
	}
	return row
}

// principalAxes gives each word its place on the axes along which the rows differ most: the right singular vectors, each
// times the root of its singular value, found by subspace iteration from a fixed start.
func principalAxes(rows []sparseRow, columns, size int) []float32 {
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a fixed start, the same at every run
	v := make([]float32, columns*size)
	for i := range v {
		v[i] = float32(chance.NormFloat64())
	}
	orthonormalise(v, columns, size)
	row := make([]float32, size)
	lengths := make([]float64, size)
	for range spaceRounds {
		next := make([]float32, columns*size)
		for _, r := range rows {
			clear(row)
			for _, x := range r {
				axpy(x.weight, v[int(x.number)*size:int(x.number+1)*size], row)
			}
			for _, x := range r {
				axpy(x.weight, row, next[int(x.number)*size:int(x.number+1)*size])
			}
		}
		v = next
		lengths = orthonormalise(v, columns, size)
	}
	for a, length := range lengths { // length is about the square of the singular value
		by := float32(math.Pow(length, 0.25))
		for w := range columns {
			v[w*size+a] *= by
		}
	}
	return v
}

// orthonormalise makes the columns of a matrix of rows of size perpendicular, each of length 1, by Gram-Schmidt in the form
// of a Cholesky factor of the small matrix of their products. It gives the lengths that the columns had.
func orthonormalise(m []float32, rows, size int) []float64 {
	gram := make([]float64, size*size)
	for r := range rows {
		row := m[r*size : (r+1)*size]
		for a, x := range row {
			if x == 0 {
				continue
			}
			g := gram[a*size : a*size+a+1]
			for b := range g {
				g[b] += float64(x) * float64(row[b])
			}
		}
	}
	lower := make([]float64, size*size)
	lengths := make([]float64, size)
	for a := range size {
		for b := 0; b <= a; b++ {
			sum := gram[a*size+b]
			for k := range b {
				sum -= lower[a*size+k] * lower[b*size+k]
			}
			if a == b {
				lower[a*size+a] = math.Sqrt(max(sum, 1e-12*gram[a*size+a]+1e-30))
				lengths[a] = lower[a*size+a]
			} else {
				lower[a*size+b] = sum / lower[b*size+b]
			}
		}
	}
	for r := range rows { // row := row * lower^-T
		row := m[r*size : (r+1)*size]
		for a := range row {
			x := float64(row[a])
			for k := range a {
				x -= float64(row[k]) * lower[a*size+k]
			}
			row[a] = float32(x / lower[a*size+a])
		}
	}
	return lengths
}

// vector places a text: nil when no word of it is known.
func (s *space) vector(list []string) []float32 {
	v := make([]float32, s.size)
	known := false
	for _, word := range list {
		if n, ok := s.index[stem(word)]; ok {
			axpy(s.idf[n], s.words[int(n)*s.size:int(n+1)*s.size], v)
			known = true
		}
	}
	if !known || !toUnit(v) {
		return nil
	}
	return v
}

// cosines fills the cosine of a place with each concept.
func (s *space) cosines(v, into []float32) {
	if v == nil {
		clear(into)
		return
	}
	for i := range into {
		into[i] = max(0, dot(v, s.concepts[i*s.size:(i+1)*s.size]))
	}
}

func axpy(a float32, x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		y[i] += a * x[i]
	}
}

func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return a + b + c + d
}

func toUnit(v []float32) bool {
	sum := dot(v, v)
	if sum < 1e-20 {
		return false
	}
	by := float32(1 / math.Sqrt(float64(sum)))
	for i := range v {
		v[i] *= by
	}
	return true
}
