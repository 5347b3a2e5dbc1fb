package evaluate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"onward"
	"onward/matcher/skills/linking"
)

// examplesBeside is the file with coded vacancy titles that is taken if none is named.
const examplesBeside = "queries_titles_dev.tsv.gz"

// leastAffinity: examples are used for texts of their own kind only, since coders of vacancies decide otherwise than
// those of a classification: with the titles of vacancies, MRR on O*NET's titles falls from .69 to .40. The mean cosine with
// the nearest of 15,380 vacancy titles is .74 or more for other vacancy titles, .64 for O*NET's, .36 and .41 for Spain's and
// Belgium's.
const leastAffinity = 0.69

// readExamples reads texts with a known concept: query and relevant_concept_ids, or title and esco_occupation_id.
func readExamples(names []string) ([]linking.Example, error) {
	var list []linking.Example
	for _, name := range names {
		t, err := readTable(name)
		if err != nil {
			return nil, err
		}
		text, id := "query", "relevant_concept_ids"
		if _, ok := t.columns[text]; !ok {
			text, id = "title", "esco_occupation_id"
		}
		if _, ok := t.columns[id]; !ok {
			return nil, onward.Errorf(onward.EInvalid, "%s: no columns query and relevant_concept_ids, or title and esco_occupation_id", name)
		}
		for i := range t.rows {
			if c := t.get(i, id); c != "" && !strings.Contains(c, "|") {
				list = append(list, linking.Example{Text: t.get(i, text), ID: corpusID(c)})
			}
		}
	}
	return list, nil
}

// findExamples names the example files to use: those that are given, else the one that lies beside the queries or the
// corpus.
func findExamples(files LinkingFiles) []string {
	if len(files.Examples) > 0 {
		if slices.Equal(files.Examples, []string{"none"}) {
			return nil
		}
		return files.Examples
	}
	for _, beside := range []string{files.Queries, files.Corpus} {
		name := filepath.Join(filepath.Dir(beside), examplesBeside)
		if _, err := os.Stat(name); err == nil {
			return []string{name}
		}
	}
	return nil
}

// exampleLinkers gives each query a linker that has learnt from the examples. What is asked is never among what was learnt:
// where queries are themselves examples, they are dealt into folds, and each is linked by what was learnt from the others.
func exampleLinkers(linker *linking.Linker, queries []query, examples []linking.Example) (func(i int) *linking.Linker, bool) {
	if len(examples) == 0 {
		return nil, false
	}
	known := make(map[linking.Example]bool, len(examples))
	for _, e := range examples {
		known[e] = true
	}
	same := 0
	for _, q := range queries {
		for id := range q.relevant {
			if known[linking.Example{Text: q.text, ID: id}] {
				same++
			}
		}
	}
	if 2*same < len(queries) {
		learnt := linking.Learn(examples)
		with := linker.WithExamples(learnt, linking.ExampleWeights())
		return func(int) *linking.Linker { return with }, affinity(learnt, queries) >= leastAffinity
	}
	linkers := make([]*linking.Linker, folds)
	for fold := range folds {
		var others []linking.Example
		for i, e := range examples {
			if i%folds != fold {
				others = append(others, e)
			}
		}
		learnt := linking.Learn(others)
		linkers[fold] = linker.WithExamples(learnt, linking.ExampleWeights())
	}
	next := make([]int, len(queries))
	position := map[linking.Example][]int{}
	for i, e := range examples {
		position[e] = append(position[e], i)
	}
	for i, q := range queries {
		for id := range q.relevant {
			e := linking.Example{Text: q.text, ID: id}
			if p := position[e]; len(p) > 0 {
				next[i] = p[0] % folds
				if len(p) > 1 {
					position[e] = p[1:]
				}
			}
		}
	}
	return func(i int) *linking.Linker { return linkers[next[i]] }, true
}

// affinity is the mean cosine of queries and their nearest examples.
func affinity(learnt *linking.Examples, queries []query) float64 {
	sum, n := 0.0, 0
	for i := 0; i < len(queries); i += max(1, len(queries)/200) {
		sum += learnt.Affinity(queries[i].text)
		n++
	}
	return sum / float64(max(1, n))
}
