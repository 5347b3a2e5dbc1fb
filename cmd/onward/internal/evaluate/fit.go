package evaluate

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"onward"
	"onward/matcher/skills/linking"
)

// FitFiles are what weights are fitted on.
type FitFiles struct {
	ESCO, Labels []string
	Sets         []string // QUERIES=CORPUS
	Spans        []string
	Titles       []string // QUERIES=CORPUS, learnt from as examples too
	Out          string
}

// example is a text with the candidates for it and which of them are right.
type example struct {
	candidates [][]float64
	right      []bool
	found      bool // a right one is among them
	// calibration is what the confidence of the first few rests on, with the weights in use.
	calibration [][]float64
}

type exampleSet struct {
	name     string
	linker   *linking.Linker
	corpus   *corpus
	queries  []query
	examples []example
}

const folds = 5

// FitLinking fits the weights of the linker on titles and spans with known answers, says how they do on parts that they
// were not fitted on, and writes them.
func FitLinking(ctx context.Context, files FitFiles, w io.Writer) error {
	t, err := readTaxonomy(ctx, files.ESCO, files.Labels)
	if err != nil {
		return err
	}
	var titles, spans []exampleSet
	var coded []exampleSet
	for number, set := range append(slices.Clone(files.Sets), files.Titles...) {
		queriesFile, corpusFile, ok := strings.Cut(set, "=")
		if !ok {
			return onward.Errorf(onward.EInvalid, "--set %s: give it as QUERIES=CORPUS", set)
		}
		queries, err := readQueries(queriesFile)
		if err != nil {
			return err
		}
		c, err := readCorpus(corpusFile, t)
		if err != nil {
			return err
		}
		linker, err := linking.New(c.concepts, t.concepts(onward.ConceptKind.IsSkill), linking.OccupationWeights())
		if err != nil {
			return err
		}
		set := exampleSet{name: queriesFile, linker: linker, corpus: c, queries: queries}
		linkerOf, every := func(int) *linking.Linker { return linker }, 1
		if number >= len(files.Sets) {
			examples, err := readExamples([]string{queriesFile})
			if err != nil {
				return err
			}
			linkerOf, _ = exampleLinkers(linker, queries, examples)
			every = 7 // there are thousands
		}
		for i, q := range queries {
			if linker := linkerOf(i); len(q.relevant) > 0 && i%every == 0 {
				set.examples = append(set.examples, newExample(linker, q.text, q.relevant))
			}
		}
		if number < len(files.Sets) {
			titles = append(titles, set)
		} else {
			set.corpus = nil
			coded = append(coded, set)
		}
	}
	var linker *linking.Linker
	for _, file := range files.Spans {
		if linker == nil {
			if linker, err = linking.New(t.concepts(onward.ConceptKind.IsSkill), t.concepts(linking.IsOccupation), linking.SkillWeights()); err != nil {
				return err
			}
		}
		items, err := readItems(file)
		if err != nil {
			return err
		}
		set := exampleSet{name: file}
		for _, it := range items {
			if it.kind == "span" || it.kind == "nothing" {
				set.examples = append(set.examples, newExample(linker, it.text, it.relevant))
			}
		}
		spans = append(spans, set)
	}
	for _, kind := range []struct {
		name string
		sets []exampleSet
	}{{"occupations", titles}, {"skills", spans}, {"vacancy titles", coded}} {
		if len(kind.sets) == 0 {
			continue
		}
		crossValidate(kind.sets, w)
		weights := fitWeights(kind.sets, func(int) bool { return true })
		_, _ = fmt.Fprintln(w, kind.name)
		for k, name := range linking.FeatureNames() {
			_, _ = fmt.Fprintf(w, "  %-10s %7.3f\n", name, weights[k])
		}
		printCalibration(w, kind.sets)
		if kind.sets[0].corpus != nil {
			fitLabels(kind.sets, weights, w)
		}
	}
	return nil
}

// fitLabels tries how much a label's own likeness counts.
func fitLabels(sets []exampleSet, concept []float64, w io.Writer) {
	for _, letters := range []float64{10, 20, 30} {
		for _, words := range []float64{2, 4, 8} {
			weights := linking.Weights{LabelLetters: letters, LabelWords: words, Typical: 0.85}
			copy(weights.Concept[:], concept)
			_, _ = fmt.Fprintf(w, "letters %4.1f words %4.1f:", letters, words)
			for _, set := range sets {
				linker := set.linker.With(weights)
				n, mrr := 0, 0.0
				for i, q := range set.queries {
					if i%3 != 0 || len(q.relevant) == 0 {
						continue
					}
					n++
					rank := 0
					for _, m := range linker.RankLabels(q.text) {
						if m.Label >= len(set.corpus.elements[m.ID]) {
							continue
						}
						rank++
						if q.relevant[m.ID] {
							mrr += 1 / float64(rank)
							break
						}
					}
				}
				_, _ = fmt.Fprintf(w, " %.4f", mrr/float64(n))
			}
			_, _ = fmt.Fprintln(w)
		}
	}
}

func newExample(linker *linking.Linker, text string, relevant map[string]bool) example {
	var e example
	for _, c := range linker.Candidates(text) {
		e.candidates = append(e.candidates, c.Features)
		e.right = append(e.right, relevant[c.ID])
		e.found = e.found || relevant[c.ID]
		if len(e.calibration) < calibrated {
			e.calibration = append(e.calibration, c.Calibration)
		}
	}
	return e
}

func crossValidate(sets []exampleSet, w io.Writer) {
	sums := make([]Retrieval, len(sets))
	for fold := range folds {
		weights := fitWeights(sets, func(i int) bool { return i%folds != fold })
		for s, set := range sets {
			for i, e := range set.examples {
				if i%folds == fold {
					measure(&sums[s], e, weights)
				}
			}
		}
	}
	for s, set := range sets {
		var prior Retrieval
		for _, e := range set.examples {
			found := 0
			for k := range e.right {
				if e.right[k] {
					found = k + 1
					break
				}
			}
			prior.N++
			if found > 0 {
				prior.MRR += 1 / float64(found)
			}
		}
		prior.mean()
		sums[s].mean()
		reachable := 0
		for _, e := range set.examples {
			if e.found {
				reachable++
			}
		}
		_, _ = fmt.Fprintf(w, "%s: %d, reachable %.3f; concepts, now MRR %.4f; cross-validated MRR %.4f a1 %.4f RP@5 %.4f\n", set.name, len(set.examples),
			float64(reachable)/float64(len(set.examples)), prior.MRR, sums[s].MRR, sums[s].A1, sums[s].RP5)
	}
}

func measure(r *Retrieval, e example, weights []float64) {
	best := math.Inf(-1)
	for k, x := range e.candidates {
		if e.right[k] {
			best = math.Max(best, inner(weights, x))
		}
	}
	r.N++
	if !e.found {
		return
	}
	rank := 1
	for k, x := range e.candidates {
		if !e.right[k] && inner(weights, x) >= best {
			rank++
		}
	}
	r.MRR += 1 / float64(rank)
	if rank == 1 {
		r.A1++
	}
	if rank <= 5 {
		r.RP5++
	}
}

// fitWeights maximises the probability of the right candidates among all of a text (a conditional logit), with a penalty
// on the squares of the weights, by gradient ascent with steps per weight (Rprop). Every set counts alike per text.
func fitWeights(sets []exampleSet, use func(i int) bool) []float64 {
	n := len(linking.FeatureNames())
	weights, step, last := make([]float64, n), make([]float64, n), make([]float64, n)
	for k := range step {
		step[k] = 0.1
	}
	const penalty = 0.15
	for range 120 {
		gradient := make([]float64, n)
		for _, set := range sets {
			for i, e := range set.examples {
				if e.found && use(i) {
					addGradient(gradient, weights, e)
				}
			}
		}
		for k := range weights {
			g := gradient[k] - penalty*weights[k]
			switch {
			case g*last[k] > 0:
				step[k] = math.Min(1, step[k]*1.2)
			case g*last[k] < 0:
				step[k] *= 0.5
				g = 0
			}
			last[k] = g
			if g > 0 {
				weights[k] += step[k]
			} else if g < 0 {
				weights[k] -= step[k]
			}
		}
	}
	return weights
}

func addGradient(gradient, weights []float64, e example) {
	scores := make([]float64, len(e.candidates))
	highest := math.Inf(-1)
	for k, x := range e.candidates {
		scores[k] = inner(weights, x)
		highest = math.Max(highest, scores[k])
	}
	all, right := 0.0, 0.0
	for k := range scores {
		scores[k] = math.Exp(scores[k] - highest)
		all += scores[k]
		if e.right[k] {
			right += scores[k]
		}
	}
	for k, x := range e.candidates {
		p := -scores[k] / all
		if e.right[k] {
			p += scores[k] / math.Max(right, 1e-300)
		}
		if p == 0 {
			continue
		}
		for j, v := range x {
			gradient[j] += p * v
		}
	}
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
