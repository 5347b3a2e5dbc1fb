package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/indexer/catalogue"
)

type suggestSkillsInput struct {
	Query    string `query:"q" maxLength:"200" doc:"What is typed; accents, the order of words and small typos do not matter"`
	Language string `query:"lang" default:"en" enum:"en,fr,es,ar" doc:"Language of the labels"`
	Kind     string `query:"kind" default:"skill" enum:"skill,occupation,all"`
	Limit    int    `query:"limit" default:"10" minimum:"1" maximum:"50"`
}

type suggestSkillsOutput struct {
	Body struct {
		Items   []catalogue.ConceptMatch `json:"items"`
		Release string                   `json:"release" doc:"The loaded taxonomy"`
	}
}

type suggestPlacesInput struct {
	Query   string `query:"q" maxLength:"200" doc:"What is typed; accents, the order of words and small typos do not matter"`
	Country string `query:"country" pattern:"^[A-Z]{2}$" patternDescription:"a country code such as MX" doc:"Only places of this country"`
	Limit   int    `query:"limit" default:"10" minimum:"1" maximum:"50"`
}

type suggestPlacesOutput struct {
	Body struct {
		Items []placeMatch `json:"items"`
	}
}

type placeMatch struct {
	ID         onward.PlaceID `json:"id"`
	Label      string         `json:"label"`
	Country    string         `json:"country"`
	Lat        float64        `json:"lat"`
	Lon        float64        `json:"lon"`
	Population int            `json:"population"`
}

func (a *API) registerVocabulary() {
	register(a, huma.Operation{
		OperationID: "suggest-skills", Method: http.MethodGet, Path: "/v1/skills", Tags: []string{"Vocabulary"},
		Summary: "Complete what is typed into skills or occupations",
	}, func(_ context.Context, in *suggestSkillsInput) (*suggestSkillsOutput, error) {
		kind := map[string]onward.ConceptKind{"skill": onward.ConceptSkill, "occupation": onward.ConceptOccupation}[in.Kind]
		reference := a.catalogue.Current()
		out := &suggestSkillsOutput{}
		out.Body.Items = reference.SuggestConcepts(in.Query, in.Language, kind, in.Limit)
		out.Body.Release = reference.Taxonomy().Release()
		return out, nil
	})
	register(a, huma.Operation{
		OperationID: "suggest-places", Method: http.MethodGet, Path: "/v1/places", Tags: []string{"Vocabulary"},
		Summary: "Complete what is typed into places",
	}, func(_ context.Context, in *suggestPlacesInput) (*suggestPlacesOutput, error) {
		out := &suggestPlacesOutput{}
		out.Body.Items = []placeMatch{}
		for _, p := range a.catalogue.Current().FindPlaces(in.Query, in.Country, in.Limit) {
			out.Body.Items = append(out.Body.Items, placeMatch{ID: p.ID, Label: p.Label(), Country: p.Country, Lat: p.Lat, Lon: p.Lon, Population: p.Population})
		}
		return out, nil
	})
}
