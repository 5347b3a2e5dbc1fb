// Package linking finds the concepts of a classification that a text means: occupations for a job title, skills for a
// phrase, in any of the languages of the labels. It is pure: concepts come in as values and nothing is read or written.
//
// A text goes through three steps. Its words are taken for words of the labels: the same stem, one written much alike, one
// that labels of the same concepts use in another language or in its stead. All labels with such words are scored, and the
// best are compared letter by letter. What is known of each concept is then weighed together (Weights).
package linking

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"

	"onward"
)

// Label is a name of a concept.
type Label struct {
	Text      string
	Language  string // "" if it is not known
	Preferred bool
}

// Concept is what can be linked to.
type Concept struct {
	ID     string
	Group  string // concepts of one group are near each other: the ISCO unit group
	Labels []Label
	// Context is more text that belongs to the concept (its description, names of its skills): not matched as a label is,
	// only learnt from.
	Context []string
}

// Linker links texts to concepts. It never changes after New and is safe for use by many goroutines.
type Linker struct {
	weights  Weights
	concepts []conceptData
	labels   []labelData
	text     string // of all labels, words joined by a blank
	vocab    vocabulary
	start    []int32 // postings of word w: postings[start[w]:start[w+1]]
	postings []posting
	space    *space
	gramIDF  []float32 // by hash of letters
	groups   []string
	pool     *sync.Pool
}

type conceptData struct {
	id         string
	group      int32
	first, end int32 // labels
}

type labelData struct {
	concept     int32
	from, to    int32   // in text
	source      int32   // position in Concept.Labels
	head, tail  int32   // first and last word
	norm        float32 // of its words
	letters     float32 // of its runs of letters
	typical     float32 // cosine of letters with the preferred label of its concept
	preferred   bool
	alternative bool
}

type posting struct {
	label  int32
	weight float32
}

// New builds a linker for concepts. background are concepts that texts are not linked to, and whose labels say more on
// which words go together.
//
// EInvalid when an id is empty or stands twice.
func New(concepts, background []Concept, weights Weights) (*Linker, error) {
	l := &Linker{weights: weights, vocab: vocabulary{index: make(map[string]int32, 1<<16)}}
	seen := make(map[string]bool, len(concepts))
	groups := map[string]int32{}
	var text strings.Builder
	var perLabel [][]int32
	for i, c := range concepts {
		if c.ID == "" || seen[c.ID] {
			return nil, onward.Errorf(onward.EInvalid, "concept %d to link to has no id, or one that is there twice", i+1)
		}
		seen[c.ID] = true
		group, ok := groups[c.Group]
		if !ok {
			group = int32(len(l.groups))
			groups[c.Group] = group
			l.groups = append(l.groups, c.Group)
		}
		data := conceptData{id: c.ID, group: group, first: int32(len(l.labels))}
		for k, label := range c.Labels {
			for n, part := range alternatives(label.Text) {
				w := words(part)
				if len(w) == 0 {
					continue
				}
				from := int32(text.Len())
				text.WriteString(strings.Join(w, " "))
				numbers := make([]int32, len(w))
				for j := range w {
					numbers[j] = l.vocab.number(stem(w[j]))
				}
				perLabel = append(perLabel, numbers)
				l.labels = append(l.labels, labelData{concept: int32(i), from: from, to: int32(text.Len()), head: numbers[0], tail: numbers[len(numbers)-1], source: int32(k), preferred: label.Preferred, alternative: n > 0})
			}
		}
		data.end = int32(len(l.labels))
		l.concepts = append(l.concepts, data)
	}
	l.text = text.String()
	l.weigh(perLabel)
	l.vocab.finish()
	l.space = newSpace(concepts, background, 96)
	l.weighLetters()
	l.findTypical()
	l.pool = &sync.Pool{New: func() any { return l.newWorkspace() }}
	return l, nil
}

// With is the same linker with other weights; what takes memory is shared.
func (l *Linker) With(weights Weights) *Linker {
	other := *l
	other.weights = weights
	return &other
}

// weigh works out how much each word tells, and the postings.
func (l *Linker) weigh(perLabel [][]int32) {
	n := len(l.vocab.stems)
	// How many concepts a word stands for, with a part for each label more: a word of one concept's twenty labels is rare.
	count := make([]float64, n)
	last := make([]int32, n)
	inLabels := make([]int32, n+1)
	for i := range last {
		last[i] = -1
	}
	for i, numbers := range perLabel {
		for k, w := range numbers {
			if slices.Contains(numbers[:k], w) {
				continue
			}
			inLabels[w+1]++
			if c := l.labels[i].concept; last[w] != c {
				last[w] = c
				count[w]++
			}
		}
	}
	l.vocab.idf = make([]float32, n)
	for w := range count {
		l.vocab.idf[w] = float32(math.Log(1 + float64(len(l.concepts))/count[w]))
	}
	for w := range n {
		inLabels[w+1] += inLabels[w]
	}
	l.start = inLabels
	l.postings = make([]posting, inLabels[n])
	next := slices.Clone(inLabels)
	for i, numbers := range perLabel {
		sum := 0.0
		for k, w := range numbers {
			if slices.Contains(numbers[:k], w) {
				continue
			}
			sum += float64(l.vocab.idf[w]) * float64(l.vocab.idf[w])
			l.postings[next[w]] = posting{int32(i), l.vocab.idf[w]}
			next[w]++
		}
		l.labels[i].norm = float32(math.Sqrt(sum))
	}
}

// labelText is a label as its words, without marks.
func (l *Linker) labelText(i int32) string { return l.text[l.labels[i].from:l.labels[i].to] }

// features are what is known of a concept or a label for a text, each about 0 to 1.
type features [featureCount]float32

const (
	fWords     = iota // cosine of words, soft
	fLetters          // cosine of letters
	fCovered          // how much of the text the label has
	fCovers           // how much of the label the text has
	fSpace            // cosine in the space of words
	fGroup            // the best of the rest of its group
	fAll              // mean of the best five labels' letters
	fPrior            // how usual: log of the number of labels
	fDocument         // cosine of words with all that belongs to the concept
	fFirst            // the first words are the same
	fLast             // the last words are the same
	fPreferred        // letters of the preferred labels
	fExact            // some label has just these words
	fExamples         // share of the nearest examples
	fClass            // probability that the classifier learnt from examples gives it
	featureCount
)

var featureNames = [featureCount]string{"words", "letters", "covered", "covers", "space", "group", "all", "prior", "document", "first", "last", "preferred", "exact", "examples", "class"}

type workspace struct {
	words     []float32 // by word of the vocabulary
	touched   []int32
	soft      []float32 // by label: cosine of words so far, unnormalised
	covered   []float32 // by label
	best      []float32 // by label: of the word at hand
	reached   []int32   // labels with soft > 0
	current   []int32   // labels with best > 0
	candidate []int32
	letters   []float32 // by hash of letters
	grams     []uint32  // where letters is not 0
	concept   []int32   // by concept: position in the list of candidates + 1
	group     []groupBest
	dense     []float32 // by concept: cosine in the space
	document  []float32 // by concept: cosine of words with all that belongs to it
}

type groupBest struct {
	first, second float32
	concept       int32
}

func (l *Linker) newWorkspace() *workspace {
	return &workspace{
		words: make([]float32, len(l.vocab.stems)), soft: make([]float32, len(l.labels)), covered: make([]float32, len(l.labels)),
		best: make([]float32, len(l.labels)), letters: make([]float32, 1<<letterBits), concept: make([]int32, len(l.concepts)),
		group: make([]groupBest, len(l.groups)), dense: make([]float32, len(l.concepts)), document: make([]float32, len(l.concepts)),
	}
}

// candidate is a concept that may be meant.
type candidate struct {
	concept  int32
	label    int32 // the most like
	features features
	score    float64
	labels   []scoredLabel
}

type scoredLabel struct {
	label                           int32
	words, letters, covered, covers float32
	first, last                     float32
}

const (
	// candidateLabels are compared letter by letter.
	candidateLabels = 400
	// spaceCandidates are taken for their place in the space of words alone.
	spaceCandidates = 30
)

// queryWord is a word of the text with the words of labels that it is taken for.
type queryWord struct {
	stem  string
	idf   float32
	alike []weighted
}

// likeness says how well a word of a label stands for the word, 0 if not at all.
func (q *queryWord) likeness(word int32) float32 {
	for _, a := range q.alike {
		if a.number == word {
			return a.weight
		}
	}
	return 0
}

func (l *Linker) queryWords(list []string, w *workspace) []queryWord {
	query := make([]queryWord, 0, len(list))
	for _, word := range list {
		s := stem(word)
		if slices.ContainsFunc(query, func(q queryWord) bool { return q.stem == s }) {
			continue
		}
		q := queryWord{stem: s}
		q.alike, w.touched = l.vocab.alike(s, w.words, w.touched)
		q.idf = float32(math.Log(1 + float64(len(l.concepts))))
		if len(q.alike) > 0 {
			q.idf = l.vocab.idf[q.alike[0].number]*q.alike[0].weight + q.idf*(1-q.alike[0].weight)
		}
		query = append(query, q)
	}
	return query
}

// retrieve lists the candidates for a text, without a score.
func (l *Linker) retrieve(text string, w *workspace) []candidate {
	list := words(text)
	if len(list) == 0 {
		return nil
	}
	if len(list) > 60 {
		list = list[:60]
	}
	query := l.queryWords(list, w)
	queryNorm := float32(0)
	total := float32(0)
	w.reached = w.reached[:0]
	for _, q := range query {
		queryNorm += q.idf * q.idf
		total += q.idf
		w.current = w.current[:0]
		for _, a := range q.alike {
			for _, p := range l.postings[l.start[a.number]:l.start[a.number+1]] {
				v := a.weight * p.weight
				if b := w.best[p.label]; b == 0 {
					w.current = append(w.current, p.label)
					w.best[p.label] = v
				} else if v > b {
					w.best[p.label] = v
				}
			}
		}
		for _, i := range w.current {
			if w.soft[i] == 0 {
				w.reached = append(w.reached, i)
			}
			w.soft[i] += q.idf * w.best[i]
			w.covered[i] += q.idf * min(1, w.best[i]/q.idf)
			w.best[i] = 0
		}
	}
	queryNorm = float32(math.Sqrt(float64(queryNorm)))
	score := func(i int32) float32 { return w.soft[i] / (queryNorm * l.labels[i].norm) }
	w.candidate = append(w.candidate[:0], w.reached...)
	if len(w.candidate) > candidateLabels {
		keepLargest(w.candidate, candidateLabels, score)
		w.candidate = w.candidate[:candidateLabels]
	}
	joined := strings.Join(list, " ")
	queryLetters := l.queryLetters(joined, w)
	vector := l.space.vector(list)
	l.space.cosines(vector, w.dense)
	l.space.documents(list, w.document)

	var found []candidate
	at := func(concept int32) *candidate {
		if w.concept[concept] == 0 {
			found = append(found, candidate{concept: concept, label: -1})
			w.concept[concept] = int32(len(found))
		}
		return &found[w.concept[concept]-1]
	}
	for _, i := range w.candidate {
		c := at(l.labels[i].concept)
		s := scoredLabel{
			label: i, words: min(1, score(i)), letters: l.lettersCosine(i, w, queryLetters),
			first: query[0].likeness(l.labels[i].head), last: query[len(query)-1].likeness(l.labels[i].tail),
			covered: w.covered[i] / total, covers: min(1, w.soft[i]/(l.labels[i].norm*l.labels[i].norm)),
		}
		c.labels = append(c.labels, s)
	}
	for _, i := range w.reached {
		w.soft[i], w.covered[i] = 0, 0
	}
	for _, concept := range l.nearestInSpace(w) {
		at(concept)
	}
	for i := range found {
		w.concept[found[i].concept] = 0
		l.describe(&found[i], w)
	}
	l.describeGroups(found, w)
	return found
}

func (l *Linker) nearestInSpace(w *workspace) []int32 {
	order := make([]int32, 0, 256)
	for c, d := range w.dense {
		if d > 0.3 {
			order = append(order, int32(c))
		}
	}
	if len(order) > spaceCandidates {
		keepLargest(order, spaceCandidates, func(c int32) float32 { return w.dense[c] })
		order = order[:spaceCandidates]
	}
	return order
}

// describe takes the features of a concept from its labels.
func (l *Linker) describe(c *candidate, w *workspace) {
	f := &c.features
	best := float32(-1)
	slices.SortFunc(c.labels, func(a, b scoredLabel) int {
		return cmp.Or(cmp.Compare(b.letters, a.letters), cmp.Compare(a.label, b.label))
	})
	sum := float32(0)
	for k, s := range c.labels {
		if v := s.letters + s.words; v > best {
			best, c.label = v, s.label
			f[fCovered], f[fCovers], f[fFirst], f[fLast] = s.covered, s.covers, s.first, s.last
		}
		f[fWords] = max(f[fWords], s.words)
		f[fLetters] = max(f[fLetters], s.letters)
		if l.labels[s.label].preferred {
			f[fPreferred] = max(f[fPreferred], s.letters)
		}
		if s.words > 0.999 && s.covers > 0.999 {
			f[fExact] = 1
		}
		if k < 5 {
			sum += s.letters
		}
	}
	f[fAll] = sum / 5
	f[fSpace] = w.dense[c.concept]
	f[fDocument] = w.document[c.concept]
	data := l.concepts[c.concept]
	f[fPrior] = float32(math.Log1p(float64(data.end-data.first))) / 4
}

func (l *Linker) describeGroups(found []candidate, w *workspace) {
	for i := range found {
		g := &w.group[l.concepts[found[i].concept].group]
		if v := found[i].features[fLetters]; v > g.first {
			g.first, g.second, g.concept = v, g.first, found[i].concept
		} else if v > g.second {
			g.second = v
		}
	}
	for i := range found {
		c := &found[i]
		group := l.concepts[c.concept].group
		if l.groups[group] == "" {
			continue
		}
		if g := w.group[group]; g.concept == c.concept {
			c.features[fGroup] = g.second
		} else {
			c.features[fGroup] = g.first
		}
	}
	for i := range found {
		w.group[l.concepts[found[i].concept].group] = groupBest{}
	}
}

// keepLargest moves the k largest to the front, in no order among themselves. Ties go by number, so that it always keeps
// the same.
func keepLargest(list []int32, k int, score func(int32) float32) {
	less := func(a, b int32) bool { // a before b
		if x, y := score(a), score(b); x != y {
			return x > y
		}
		return a < b
	}
	low, high := 0, len(list)-1
	for low < high {
		pivot := list[(low+high)/2]
		i, j := low, high
		for i <= j {
			for less(list[i], pivot) {
				i++
			}
			for less(pivot, list[j]) {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		if k-1 <= j {
			high = j
		} else if k-1 >= i {
			low = i
		} else {
			return
		}
	}
}
