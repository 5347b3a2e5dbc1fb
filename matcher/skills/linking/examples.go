package linking

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Example is a text that is known to mean a concept.
type Example struct {
	Text, ID string
}

// Examples are what was learnt from texts with known concepts, such as vacancy titles that someone has coded: the texts
// themselves, for their nearest neighbours, and a multinomial logistic regression, on words, pairs of words and runs of
// letters, between the concepts of the neighbours.
type Examples struct {
	classes []string
	// Features are numbered in the order in which they first come; one that only a single text has is left out.
	index    map[uint64]int32
	idf      []float32
	weights  []float32   // by hash of feature and class
	bias     []float32   // by class
	rows     []sparseRow // of length 1
	class    []int32     // of each row
	start    []int32     // rows of feature f: postings[start[f]:start[f+1]]
	postings []weighted
}

const (
	exampleRounds = 12  // over all examples
	examplePace   = 0.5 // first step
	neighbours    = 20  // whose share counts
	rivals        = 60  // nearest examples whose concepts are told apart
	weightBits    = 22
)

// exampleFeatures calls f with a hash of each word, pair of words and run of 3 to 5 letters.
func exampleFeatures(text string, f func(hash uint64, weight float32)) {
	hash := func(kind uint64, s string) uint64 {
		h := kind*0x9e3779b97f4a7c15 + 14695981039346656037
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		return h
	}
	list := words(text)
	last := "^"
	for _, word := range list {
		s := stem(word)
		f(hash(1, s), 1)
		f(hash(2, last+" "+s), 0.7)
		last = s
		padded := "^" + s + "$"
		for n := 3; n <= 5; n++ {
			for i := 0; i+n <= len(padded); i++ {
				f(hash(3, padded[i:i+n]), 0.4)
			}
		}
	}
	f(hash(2, last+" $"), 0.7)
}

// Learn learns from examples. The same examples in the same order give the same weights.
func Learn(examples []Example) *Examples {
	x := &Examples{index: make(map[uint64]int32, 1<<16)}
	count := make(map[uint64]int32, 1<<17)
	for _, e := range examples {
		seen := map[uint64]bool{}
		exampleFeatures(e.Text, func(h uint64, _ float32) {
			if !seen[h] {
				seen[h] = true
				count[h]++
			}
		})
	}
	classes := map[string]int32{}
	for _, e := range examples {
		c, ok := classes[e.ID]
		if !ok {
			c = int32(len(x.classes))
			classes[e.ID] = c
			x.classes = append(x.classes, e.ID)
		}
		x.class = append(x.class, c)
		exampleFeatures(e.Text, func(h uint64, _ float32) {
			if _, ok := x.index[h]; !ok && count[h] > 1 {
				x.index[h] = int32(len(x.idf))
				x.idf = append(x.idf, float32(math.Log(float64(1+len(examples))/float64(count[h]))))
			}
		})
	}
	for _, e := range examples {
		x.rows = append(x.rows, x.row(e.Text))
	}
	x.post()
	x.train()
	return x
}

func (x *Examples) row(text string) sparseRow {
	weights := map[int32]float32{}
	exampleFeatures(text, func(h uint64, weight float32) {
		if f, ok := x.index[h]; ok && weights[f] == 0 {
			weights[f] = weight * x.idf[f]
		}
	})
	row := make(sparseRow, 0, len(weights))
	for f, v := range weights {
		row = append(row, weighted{f, v})
	}
	slices.SortFunc(row, func(a, b weighted) int { return int(a.number) - int(b.number) })
	sum := 0.0
	for _, v := range row {
		sum += float64(v.weight) * float64(v.weight)
	}
	for k := range row {
		row[k].weight *= float32(1 / math.Sqrt(sum))
	}
	return row
}

func (x *Examples) post() {
	x.start = make([]int32, len(x.idf)+1)
	for _, row := range x.rows {
		for _, v := range row {
			x.start[v.number+1]++
		}
	}
	for f := range x.idf {
		x.start[f+1] += x.start[f]
	}
	x.postings = make([]weighted, x.start[len(x.idf)])
	next := slices.Clone(x.start)
	for i, row := range x.rows {
		for _, v := range row {
			x.postings[next[v.number]] = weighted{int32(i), v.weight}
			next[v.number]++
		}
	}
}

// train climbs the likelihood by stochastic gradients with AdaGrad steps.
func (x *Examples) train() {
	x.weights = make([]float32, 1<<weightBits)
	x.bias = make([]float32, len(x.classes))
	squares := make([]float32, len(x.idf))
	for f := range squares {
		squares[f] = 0.01
	}
	acc := make([]float32, len(x.rows))
	classes := make([][]int32, len(x.rows))
	for i, row := range x.rows {
		classes[i] = x.rivalsOf(x.nearest(row, acc, int32(i)), x.class[i])
	}
	order := make([]int, len(x.rows))
	for i := range order {
		order[i] = i
	}
	p := make([]float32, 0, rivals+1)
	chance := rand.New(rand.NewPCG(3, 4))
	for round := range exampleRounds {
		chance.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		pace := examplePace * float32(1-float64(round)/(exampleRounds+1))
		for _, i := range order {
			p = x.probabilities(x.rows[i], classes[i], p)
			size := float32(0)
			for k, c := range classes[i] {
				if c == x.class[i] {
					p[k]--
				}
				size += p[k] * p[k]
				x.bias[c] -= pace * 0.05 * p[k]
			}
			for _, v := range x.rows[i] {
				squares[v.number] += size * v.weight * v.weight
				step := pace * v.weight / float32(math.Sqrt(float64(squares[v.number])))
				for k, c := range classes[i] {
					x.weights[weightAt(v.number, c)] -= step * p[k]
				}
			}
		}
	}
}

func weightAt(feature, class int32) uint32 {
	h := uint32(feature)*2654435761 ^ uint32(class)*2246822519 //nolint:gosec // neither is negative
	h ^= h >> 15
	h *= 2654435761
	return h >> (32 - weightBits)
}

// nearest lists the nearest examples with their cosines, the nearest first, without one of them.
func (x *Examples) nearest(row sparseRow, acc []float32, without int32) []weighted {
	clear(acc)
	for _, v := range row {
		for _, q := range x.postings[x.start[v.number]:x.start[v.number+1]] {
			acc[q.number] += v.weight * q.weight
		}
	}
	near := make([]int32, 0, 1024)
	scores := make([]float32, 0, 1024)
	for i, a := range acc {
		if a > 0.08 && int32(i) != without {
			near, scores = append(near, int32(i)), append(scores, a)
		}
	}
	near = appendLargest(make([]int32, 0, rivals), near, scores, rivals)
	list := make([]weighted, len(near))
	for k, i := range near {
		list[k] = weighted{i, acc[i]}
	}
	slices.SortFunc(list, func(a, b weighted) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.number, b.number))
	})
	return list
}

// rivalsOf are the classes of examples, and one more.
func (x *Examples) rivalsOf(near []weighted, more int32) []int32 {
	var list []int32
	if more >= 0 {
		list = append(list, more)
	}
	for _, e := range near {
		if c := x.class[e.number]; !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

func (x *Examples) probabilities(row sparseRow, classes []int32, p []float32) []float32 {
	p = p[:0]
	for _, c := range classes {
		sum := x.bias[c]
		for _, v := range row {
			sum += v.weight * x.weights[weightAt(v.number, c)]
		}
		p = append(p, sum)
	}
	if len(p) == 0 {
		return p
	}
	highest, sum := slices.Max(p), float32(0)
	for k := range p {
		p[k] = float32(math.Exp(float64(p[k] - highest)))
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

// exampleScore is what examples say of a concept for a text.
type exampleScore struct {
	class     float32 // logarithm of its probability
	neighbour float32 // share of the nearest examples
}

// leastProbability stands for concepts without an example.
const leastProbability = 1e-5

func (x *Examples) score(text string) map[string]exampleScore {
	row := x.row(text)
	scores := map[string]exampleScore{}
	if len(row) == 0 {
		return scores
	}
	near := x.nearest(row, make([]float32, len(x.rows)), -1)
	classes := x.rivalsOf(near, -1)
	p := x.probabilities(row, classes, nil)
	total := float32(0)
	share := make(map[int32]float32, len(classes))
	for k, e := range near {
		if k < neighbours {
			v := e.weight * e.weight * e.weight
			share[x.class[e.number]] += v
			total += v
		}
	}
	for k, c := range classes {
		s := exampleScore{class: 1 - float32(math.Log(float64(max(p[k], leastProbability)))/math.Log(leastProbability))}
		if total > 0 {
			s.neighbour = share[c] / total
		}
		scores[x.classes[c]] = s
	}
	return scores
}

// Affinity is the cosine of a text and the nearest example, 0 to 1.
func (x *Examples) Affinity(text string) float64 {
	near := x.nearest(x.row(text), make([]float32, len(x.rows)), -1)
	if len(near) == 0 {
		return 0
	}
	return float64(near[0].weight)
}
