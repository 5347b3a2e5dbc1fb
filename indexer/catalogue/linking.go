package catalogue

import (
	"context"
	"fmt"

	"onward"
	"onward/matcher/skills/linking"
)

// linkers read free text. They are built when the first text comes: a second or less for the starter taxonomy, some
// seconds and 150 MB for the full ESCO.
type linkers struct {
	skills, occupations *linking.Linker
}

func (c *Catalogue) buildLinkers() (linkers, error) {
	abilities := linking.FromTaxonomy(c.taxonomy, onward.ConceptKind.IsSkill)
	occupations := linking.FromTaxonomy(c.taxonomy, linking.IsOccupation)
	var made linkers
	var err error
	if made.skills, err = linking.New(abilities, occupations, linking.SkillWeights()); err == nil {
		made.occupations, err = linking.New(occupations, abilities, linking.OccupationWeights())
	}
	if err != nil {
		return made, fmt.Errorf("make the linkers: %w", err)
	}
	return made, nil
}

// TextSuggestion is a skill or an occupation that a text may mean, for a person to confirm.
type TextSuggestion struct {
	ID         string             `json:"id"`
	Kind       onward.ConceptKind `json:"kind" enum:"skill,knowledge,occupation"`
	Label      string             `json:"label" doc:"In the language asked for"`
	Confidence float64            `json:"confidence" doc:"How often a suggestion like this one is right, 0 to 1"`
	Start      int                `json:"start" doc:"Where in the text it was read, in characters (Unicode code points)"`
	End        int                `json:"end" doc:"The first character after it"`
	Text       string             `json:"text" doc:"The words that speak for it"`
}

// ReadText suggests skills, or occupations, that a text in any language may mean, the most confident first; an empty list
// when nothing is meant. What was sent is kept nowhere. A first text waits until the linkers are built, or until the
// context ends.
func (c *Catalogue) ReadText(ctx context.Context, text, language string, kind onward.ConceptKind, limit int, least float64) ([]TextSuggestion, error) {
	made, err := c.awaitLinkers(ctx)
	if err != nil {
		return nil, err
	}
	linker := made.skills
	if kind == onward.ConceptOccupation {
		linker = made.occupations
	}
	found, err := linker.Suggest(ctx, text, linking.SuggestOptions{Limit: limit, LeastConfidence: least})
	if err != nil {
		return nil, onward.Errorf(onward.EUnavailable, "the text took too long; send a shorter one").Because(err)
	}
	letters := []rune(text)
	list := make([]TextSuggestion, len(found))
	for i, s := range found {
		list[i] = TextSuggestion{
			ID: s.ID, Label: c.taxonomy.Label(s.ID, language), Confidence: s.Confidence, Start: s.Start, End: s.End, Text: string(letters[s.Start:s.End]),
		}
		list[i].Kind, _ = c.taxonomy.Kind(s.ID)
	}
	return list, nil
}

func (c *Catalogue) awaitLinkers(ctx context.Context) (linkers, error) {
	type result struct {
		linkers
		error
	}
	done := make(chan result, 1)
	go func() {
		made, err := c.linkers()
		done <- result{made, err}
	}()
	select {
	case r := <-done:
		return r.linkers, r.error
	case <-ctx.Done():
		return linkers{}, onward.Errorf(onward.EUnavailable, "the reader of texts is still getting ready; try again in a moment").Because(ctx.Err())
	}
}
