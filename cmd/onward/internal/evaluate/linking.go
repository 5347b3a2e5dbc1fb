package evaluate

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"onward"
	"onward/matcher/skills/linking"
)

// LinkingFiles are what titles are linked with.
type LinkingFiles struct {
	ESCO, Labels, Examples       []string
	Queries, Corpus, Predictions string
}

// Figures are shares of queries whose right answer stands high.
type Figures struct {
	MRR float64 `json:"mrr"` // mean of 1 / rank of the first right answer
	A1  float64 `json:"a1"`  // share with a right answer first, among the first 5, and among the first 10
	A5  float64 `json:"a5"`
	A10 float64 `json:"a10"`
}

func (f *Figures) add(rank int) {
	if rank == 0 {
		return
	}
	f.MRR += 1 / float64(rank)
	for _, at := range []struct {
		k int
		v *float64
	}{{1, &f.A1}, {5, &f.A5}, {10, &f.A10}} {
		if rank <= at.k {
			*at.v++
		}
	}
}

func (f *Figures) mean(n int) {
	for _, v := range []*float64{&f.MRR, &f.A1, &f.A5, &f.A10} {
		*v /= float64(max(1, n))
	}
}

// LinkingResult says how well titles were linked.
type LinkingResult struct {
	N int `json:"n"`
	// Figures over surface forms as they are ranked: a concept's forms are not taken together.
	Figures
	Concepts   Figures    `json:"concepts"`
	Confidence Confidence `json:"confidence"`
	BuildMS    float64    `json:"build_ms"`
	MicrosEach float64    `json:"micros_per_query"` // on average
	Examples   int        `json:"examples"`         // coded texts that were learnt from; 0: none, or the queries are of another kind
}

// Print writes the figures for a person.
func (r LinkingResult) Print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%d queries. Surface forms: MRR %.4f, a1 %.4f, a5 %.4f, a10 %.4f. Concepts: MRR %.4f, a1 %.4f, a5 %.4f, a10 %.4f. %.0f µs each.\n",
		r.N, r.MRR, r.A1, r.A5, r.A10, r.Concepts.MRR, r.Concepts.A1, r.Concepts.A5, r.Concepts.A10, r.MicrosEach)
}

// kept is how many elements of a query are ranked and written.
const kept = 100

type query struct {
	id, text string
	relevant map[string]bool
}

func readQueries(name string) ([]query, error) {
	t, err := readTable(name, "query_id", "query", "relevant_concept_ids")
	if err != nil {
		return nil, err
	}
	list := make([]query, len(t.rows))
	for i := range t.rows {
		q := query{id: t.get(i, "query_id"), text: t.get(i, "query"), relevant: map[string]bool{}}
		for _, id := range strings.Split(t.get(i, "relevant_concept_ids"), "|") {
			if id != "" {
				q.relevant[corpusID(id)] = true
			}
		}
		list[i] = q
	}
	return list, nil
}

// corpusID is the id here of a concept there: ISCO groups are isco/C1234 in the corpora.
func corpusID(id string) string {
	if code, ok := strings.CutPrefix(id, "isco/C"); ok {
		return "isco/" + code
	}
	return id
}

// corpus is the concepts that titles are linked to, with the corpus's surface forms first among their labels.
type corpus struct {
	concepts []linking.Concept
	elements map[string][]string // concept -> element ids, as its first labels
}

func readCorpus(name string, t *taxonomy) (*corpus, error) {
	file, err := readTable(name, "element_id", "concept_id", "surface_form")
	if err != nil {
		return nil, err
	}
	c := &corpus{elements: map[string][]string{}}
	forms := map[string][]linking.Label{}
	var order []string
	for i := range file.rows {
		id := corpusID(file.get(i, "concept_id"))
		if forms[id] == nil {
			order = append(order, id)
		}
		forms[id] = append(forms[id], linking.Label{Text: file.get(i, "surface_form"), Preferred: forms[id] == nil})
		c.elements[id] = append(c.elements[id], file.get(i, "element_id"))
	}
	known := make(map[string]onward.Concept, len(t.Concepts))
	for _, k := range t.Concepts {
		known[k.ID] = k
	}
	for _, id := range order {
		concept := linking.Concept{ID: id, Labels: forms[id]}
		if k, ok := known[id]; ok {
			full := t.concept(k)
			concept.Group, concept.Context = full.Group, full.Context
			has := map[string]bool{}
			for _, l := range forms[id] {
				has[strings.ToLower(l.Text)] = true
			}
			for _, l := range full.Labels {
				if !has[strings.ToLower(l.Text)] {
					has[strings.ToLower(l.Text)] = true
					concept.Labels = append(concept.Labels, l)
				}
			}
		}
		c.concepts = append(c.concepts, concept)
	}
	return c, nil
}

// Linking links each query to the surface forms of a corpus.
func Linking(ctx context.Context, files LinkingFiles) (LinkingResult, error) {
	var result LinkingResult
	t, err := readTaxonomy(ctx, files.ESCO, files.Labels)
	if err != nil {
		return result, err
	}
	queries, err := readQueries(files.Queries)
	if err != nil {
		return result, err
	}
	c, err := readCorpus(files.Corpus, t)
	if err != nil {
		return result, err
	}
	started := time.Now()
	linker, err := linking.New(c.concepts, t.concepts(onward.ConceptKind.IsSkill), linking.OccupationWeights())
	if err != nil {
		return result, err
	}
	result.BuildMS = float64(time.Since(started).Microseconds()) / 1000
	examples, err := readExamples(findExamples(files))
	if err != nil {
		return result, err
	}
	linkerOf := func(int) *linking.Linker { return linker }
	if learnt, fit := exampleLinkers(linker, queries, examples); fit || learnt != nil && len(files.Examples) > 0 {
		linkerOf, result.Examples = learnt, len(examples)
	}
	ranked := make([][]string, len(queries))
	var took time.Duration // by Link alone: the surface forms are ranked for the measurement
	for i, q := range queries {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		linker := linkerOf(i)
		conceptRank, formRank := 0, 0
		started = time.Now()
		matches := linker.Link(q.text, kept)
		took += time.Since(started)
		result.Confidence.add(matches, q.relevant)
		for r, m := range matches {
			if q.relevant[m.ID] {
				conceptRank = r + 1
				break
			}
		}
		for _, m := range linker.RankLabels(q.text) {
			if m.Label >= len(c.elements[m.ID]) {
				continue // a label of ESCO that is not in the corpus
			}
			ranked[i] = append(ranked[i], c.elements[m.ID][m.Label])
			if formRank == 0 && q.relevant[m.ID] {
				formRank = len(ranked[i])
			}
			if len(ranked[i]) == kept {
				break
			}
		}
		if len(q.relevant) > 0 {
			result.N++
			result.add(formRank)
			result.Concepts.add(conceptRank)
		}
	}
	result.MicrosEach = float64(took.Microseconds()) / float64(max(1, len(queries)))
	result.mean(result.N)
	result.Confidence.finish()
	result.Concepts.mean(result.N)
	return result, writeLines(files.Predictions, func(print func(...any)) {
		print("query_id", "rank", "element_id")
		for i, q := range queries {
			for r, id := range ranked[i] {
				print(q.id, r+1, id)
			}
		}
	})
}
