package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"onward"
	"onward/indexer/catalogue"
)

// Reader suggests what a text may mean. indexer/catalogue has it.
type Reader interface {
	ReadText(ctx context.Context, text, language string, kind onward.ConceptKind, limit int, least float64) ([]catalogue.TextSuggestion, error)
}

// suggestedFrom is how much of a row's text is read, in characters: the beginning of a posting says what the work is.
const suggestedFrom = 1000

// Suggestion is a line of the file of suggestions: a skill or an occupation that a row without any may mean, and the words
// that speak for it. A person confirms it.
type Suggestion struct {
	Line       int    `json:"line"`
	ExternalID string `json:"external_id"`
	Column     string `json:"column"` // where a confirmed one belongs: skills, occupation or occupations
	catalogue.TextSuggestion
}

// question is one text of a row that has no skills, or no occupation, yet.
type question struct {
	column, text string
	kind         onward.ConceptKind
}

// suggest writes suggestions for the rows of a batch, in the order of the file.
func (i *importRun[T]) suggest(ctx context.Context) error {
	if i.options.Suggest == nil {
		return nil
	}
	found := make([][]Suggestion, len(i.values))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for k := range i.values {
		if len(i.records[i.good[k]].problems) > 0 {
			continue
		}
		group.Go(func() (err error) {
			found[k], err = i.suggestionsFor(ctx, k)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("suggest skills: %w", err)
	}
	out := json.NewEncoder(i.options.Suggest)
	out.SetEscapeHTML(false)
	for _, list := range found {
		for _, s := range list {
			if err := out.Encode(s); err != nil {
				return fmt.Errorf("write the suggestions: %w", err)
			}
		}
	}
	return nil
}

func (i *importRun[T]) suggestionsFor(ctx context.Context, k int) ([]Suggestion, error) {
	var list []Suggestion
	for _, q := range i.table.questions(&i.values[k], i.options.Language) {
		letters := []rune(q.text)
		read, err := i.deps.Reader.ReadText(ctx, string(letters[:min(len(letters), suggestedFrom)]), i.options.Language, q.kind, 0, 0)
		if err != nil {
			return nil, err
		}
		for _, s := range read {
			list = append(list, Suggestion{i.records[i.good[k]].line, *i.table.external(&i.values[k]), q.column, s})
		}
	}
	return list, nil
}
