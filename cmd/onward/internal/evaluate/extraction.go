package evaluate

import (
	"context"
	"fmt"
	"io"
	"time"

	"onward"
	"onward/matcher/skills/linking"
)

// ExtractionFiles are what spans and sentences are linked with.
type ExtractionFiles struct {
	ESCO, Labels       []string
	Spans, Predictions string
}

// Retrieval are figures over items that can have several right answers.
type Retrieval struct {
	N    int     `json:"n"`
	RP5  float64 `json:"rp5"` // right answers among the first 5, of those that there can be: min(5, right answers)
	RP10 float64 `json:"rp10"`
	MRR  float64 `json:"mrr"`
	A1   float64 `json:"a1"`
}

func (r *Retrieval) add(ranked []string, relevant map[string]bool) {
	r.N++
	hits, first := 0, 0
	for k, id := range ranked {
		if relevant[id] {
			hits++
			if first == 0 {
				first = k + 1
				r.MRR += 1 / float64(first)
			}
		}
		if k == 4 {
			r.RP5 += float64(hits) / float64(min(5, len(relevant)))
		}
		if k == 9 {
			r.RP10 += float64(hits) / float64(min(10, len(relevant)))
		}
	}
	if n := len(ranked); n < 5 {
		r.RP5 += float64(hits) / float64(min(5, len(relevant)))
	}
	if n := len(ranked); n < 10 {
		r.RP10 += float64(hits) / float64(min(10, len(relevant)))
	}
	if first == 1 {
		r.A1++
	}
}

func (r *Retrieval) mean() {
	for _, v := range []*float64{&r.RP5, &r.RP10, &r.MRR, &r.A1} {
		*v /= float64(max(1, r.N))
	}
}

// ExtractionResult says how well skills were found.
type ExtractionResult struct {
	Span       Retrieval  `json:"span"`
	Sentence   Retrieval  `json:"sentence"`
	Confidence Confidence `json:"confidence"` // of spans
	BuildMS    float64    `json:"build_ms"`
	MicrosEach float64    `json:"micros_per_text"`
}

// Print writes the figures for a person.
func (r ExtractionResult) Print(w io.Writer) {
	for _, part := range []struct {
		name string
		Retrieval
	}{{"Spans", r.Span}, {"Sentences", r.Sentence}} {
		_, _ = fmt.Fprintf(w, "%s: %d, RP@5 %.4f, RP@10 %.4f, MRR %.4f, a1 %.4f. ", part.name, part.N, part.RP5, part.RP10, part.MRR, part.A1)
	}
	r.Confidence.print(w)
	_, _ = fmt.Fprintf(w, "%.0f µs each.\n", r.MicrosEach)
}

// item is a span or a sentence to link, or a span that no skill fits ("nothing"), which counts for the confidence alone.
type item struct {
	kind, text string
	row        int // of the file, 1-based
	relevant   map[string]bool
}

func readItems(name string) ([]item, error) {
	t, err := readTable(name, "sentence", "span", "esco_skill_id")
	if err != nil {
		return nil, err
	}
	var items []item
	sentences := map[string]int{}
	for i := range t.rows {
		id := t.get(i, "esco_skill_id")
		text := t.get(i, "span")
		if sub := t.get(i, "sub_span"); sub != "" {
			text = sub // the part of the span that this skill is for
		}
		if id == "" {
			if text != "" {
				items = append(items, item{"nothing", text, i + 1, nil})
			}
			continue
		}
		items = append(items, item{"span", text, i + 1, map[string]bool{id: true}})
	}
	for i := range t.rows {
		id, sentence := t.get(i, "esco_skill_id"), t.get(i, "sentence")
		at, known := sentences[sentence]
		if !known {
			at = len(items)
			sentences[sentence] = at
			items = append(items, item{"sentence", sentence, i + 1, map[string]bool{}})
		}
		if id != "" {
			items[at].relevant[id] = true
		}
	}
	return items, nil
}

// Extraction links spans, and whole sentences, to skills.
func Extraction(ctx context.Context, files ExtractionFiles) (ExtractionResult, error) {
	var result ExtractionResult
	t, err := readTaxonomy(ctx, files.ESCO, files.Labels)
	if err != nil {
		return result, err
	}
	items, err := readItems(files.Spans)
	if err != nil {
		return result, err
	}
	started := time.Now()
	linker, err := linking.New(t.concepts(onward.ConceptKind.IsSkill), t.concepts(linking.IsOccupation), linking.SkillWeights())
	if err != nil {
		return result, err
	}
	result.BuildMS = float64(time.Since(started).Microseconds()) / 1000
	started = time.Now()
	ranked := make([][]string, len(items))
	for i, it := range items {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		var matches []linking.Match
		if it.kind == "sentence" {
			matches = linker.LinkSentence(it.text, kept)
		} else {
			matches = linker.Link(it.text, kept)
		}
		if it.kind != "sentence" {
			result.Confidence.add(matches, it.relevant)
		}
		if it.kind == "nothing" {
			continue
		}
		for _, m := range matches {
			ranked[i] = append(ranked[i], m.ID)
		}
		if len(it.relevant) == 0 {
			continue
		}
		if it.kind == "sentence" {
			result.Sentence.add(ranked[i], it.relevant)
		} else {
			result.Span.add(ranked[i], it.relevant)
		}
	}
	result.MicrosEach = float64(time.Since(started).Microseconds()) / float64(max(1, len(items)))
	result.Span.mean()
	result.Sentence.mean()
	result.Confidence.finish()
	return result, writeLines(files.Predictions, func(print func(...any)) {
		print("kind", "item", "rank", "skill_id")
		for i, it := range items {
			for r, id := range ranked[i] {
				print(it.kind, it.row, r+1, id)
			}
		}
	})
}
