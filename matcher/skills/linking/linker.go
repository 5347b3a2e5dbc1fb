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
	index    map[string]int32 // id -> concept
	examples *Examples
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
	l.index = make(map[string]int32, len(concepts))
	groups := map[string]int32{}
	var text strings.Builder
	var perLabel [][]int32
	for i, c := range concepts {
		if _, twice := l.index[c.ID]; twice || c.ID == "" {
			return nil, onward.Errorf(onward.EInvalid, "concept %d to link to has no id, or one that is there twice", i+1)
		}
		l.index[c.ID] = int32(i)
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
	l.space = newSpace(concepts, background, spaceAxes)
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

// WithExamples is the same linker with examples and other weights.
func (l *Linker) WithExamples(examples *Examples, weights Weights) *Linker {
	other := l.With(weights)
	other.examples = examples
	return other
}

type workspace struct {
	words     []float32 // by word of the vocabulary
	touched   []int32
	soft      []float32 // by label: cosine of words so far, unnormalised
	covered   []float32 // by label
	best      []float32 // by label: of the word at hand
	reached   []int32   // labels with soft > 0
	current   []int32   // labels with best > 0
	candidate []int32
	scores    []float32 // of reached
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
	// spaceAxes: 160 gain less than a point of MRR over 96, and take two thirds more time.
	spaceAxes = 96
	// spaceCandidates are taken for their place in the space of words alone.
	spaceCandidates = 60
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
	w.scores = w.scores[:0]
	for _, i := range w.reached {
		w.scores = append(w.scores, score(i))
	}
	w.candidate = appendLargest(w.candidate[:0], w.reached, w.scores, candidateLabels)
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
	if l.examples != nil {
		for id, s := range l.examples.score(text) {
			if concept, ok := l.index[id]; ok {
				c := at(concept)
				c.features[fExamples], c.features[fClass] = s.neighbour, s.class
			}
		}
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
	w.scores = w.scores[:0]
	for c, d := range w.dense {
		if d > 0.3 {
			order = append(order, int32(c))
			w.scores = append(w.scores, d)
		}
	}
	return appendLargest(make([]int32, 0, spaceCandidates), order, w.scores, spaceCandidates)
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

// appendLargest appends those of a list whose scores, 0 to about 1, are the k largest, in the order of the list. Among
// scores that are alike to a thousandth it takes the first: the list's order decides, and that is always the same.
func appendLargest(to, list []int32, scores []float32, k int) []int32 {
	if len(list) <= k {
		return append(to, list...)
	}
	const bins = 1024
	var count [bins]int
	bin := func(s float32) int { return min(max(int(s*(bins-24)), 0), bins-1) }
	for _, s := range scores {
		count[bin(s)]++
	}
	last, above := bins-1, 0 // bins over last are taken whole
	for above+count[last] < k {
		above += count[last]
		last--
	}
	room := k - above
	for i, s := range scores {
		switch b := bin(s); {
		case b > last:
			to = append(to, list[i])
		case b == last && room > 0:
			to = append(to, list[i])
			room--
		}
	}
	return to
}
