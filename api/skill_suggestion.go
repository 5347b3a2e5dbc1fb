package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/indexer/catalogue"
)

// readingLimit is how long one text may be read.
const readingLimit = 20 * time.Second

type readTextInput struct {
	InWords
	Body struct {
		Text       string  `json:"text" minLength:"1" maxLength:"5000" doc:"A phrase, a job title, or a part of a CV or posting, in English, French, Spanish, Arabic or several of them"`
		Kind       string  `json:"kind,omitempty" enum:"skill,occupation" doc:"What to look for; skill when left out"`
		Limit      int     `json:"limit,omitempty" minimum:"1" maximum:"50" doc:"20 when left out"`
		Confidence float64 `json:"confidence,omitempty" minimum:"0" maximum:"1" doc:"The least confidence; 0.2 when left out, below which four of five suggestions are wrong"`
	}
}

type readTextOutput struct {
	Body struct {
		Items   []catalogue.TextSuggestion `json:"items"`
		Release string                     `json:"release" doc:"The loaded taxonomy"`
	}
}

func (a *API) registerSkillSuggestions() {
	register(a, huma.Operation{
		OperationID: "read-text", Method: http.MethodPost, Path: "/v1/skills/suggest", Tags: []string{"Vocabulary"},
		Summary: "Suggest the skills or the occupations that a text means", DefaultStatus: http.StatusOK,
		Description: "Each suggestion says how often one like it is right and which words of the text speak for it; a person confirms it before it is " +
			"recorded. An empty list means that nothing is recognised. The text is not kept and not logged.",
	}, a.readText)
}

// readText suggests concepts. Every signed-in user may ask.
func (a *API) readText(ctx context.Context, in *readTextInput) (*readTextOutput, error) {
	ctx, stop := context.WithTimeout(ctx, readingLimit)
	defer stop()
	kind := onward.ConceptSkill
	if in.Body.Kind == string(onward.ConceptOccupation) {
		kind = onward.ConceptOccupation
	}
	language := in.Language
	if language == "" {
		language = "en"
	}
	reference := a.catalogue.Current()
	items, err := reference.ReadText(ctx, in.Body.Text, language, kind, in.Body.Limit, in.Body.Confidence)
	out := &readTextOutput{}
	out.Body.Items, out.Body.Release = items, reference.Taxonomy().Release()
	return out, err
}
