package api

import (
	"context"
	"math"

	"onward"
	"onward/indexer"
	"onward/store"
)

type searchOpportunitiesInput struct {
	Query    string   `query:"q" maxLength:"200" doc:"All words must occur; the last may be unfinished"`
	Skills   []string `query:"skill" maxItems:"20" doc:"Skill ids; those that use more of them come first"`
	Near     int64    `query:"near" minimum:"1" doc:"A place id; only what is within radius_km"`
	RadiusKm float64  `query:"radius_km" default:"50" minimum:"1" maximum:"1000"`
	Country  string   `query:"country" pattern:"^[A-Z]{2}$" patternDescription:"a country code such as MX"`
	Kinds    []string `query:"kind" enum:"job,apprenticeship,training,enterprise_grant,cooperative,cash_for_work,project_place"`
	Limit    int      `query:"limit" default:"20" minimum:"1" maximum:"100"`
	Offset   int      `query:"offset" minimum:"0" maximum:"9900"`
}

type searchOpportunitiesOutput struct {
	Body struct {
		Items      []foundOpportunity `json:"items"`
		AnsweredBy string             `json:"answered_by" doc:"memory or elasticsearch"`
		Degraded   string             `json:"degraded,omitempty"`
	}
}

type foundOpportunity struct {
	Score float64 `json:"score"`
	onward.Opportunity
}

// searchOpportunities asks the index and reads what it found from Postgres, so that a caller sees only what is there
// now and only what they may see.
func (a *API) searchOpportunities(ctx context.Context, in *searchOpportunitiesInput) (*searchOpportunitiesOutput, error) {
	actor := actorFrom(ctx)
	query := indexer.SearchQuery{
		Text: in.Query, Skills: in.Skills, Country: in.Country, Today: a.store.Today(), Limit: in.Limit, Offset: in.Offset,
	}
	for _, kind := range in.Kinds {
		query.Kinds = append(query.Kinds, onward.Kind(kind))
	}
	if !actor.SeesAllOpportunities() {
		query.OrganisationID = actor.OrganisationID
	}
	if math.IsNaN(in.RadiusKm) { // which is neither below the minimum nor above the maximum
		return nil, onward.Invalid([]onward.FieldError{{Field: "radius_km", Rule: "range", Message: "use kilometres from 1 to 1000"}})
	}
	if in.Near != 0 {
		place, ok := a.catalogue.Current().Place(onward.PlaceID(in.Near))
		if !ok {
			return nil, onward.Invalid([]onward.FieldError{{Field: "near", Rule: "unknown_place", Message: "no such place; /v1/places finds its id by name"}})
		}
		query.Near = &indexer.Near{Lat: place.Lat, Lon: place.Lon, RadiusKm: in.RadiusKm}
	}
	if err := a.checkSkills(in.Skills); err != nil {
		return nil, err
	}
	answer, err := a.searcher.Search(ctx, query)
	if err != nil {
		return nil, err
	}
	out := &searchOpportunitiesOutput{}
	out.Body.AnsweredBy, out.Body.Degraded = answer.AnsweredBy, answer.Degraded
	out.Body.Items, err = a.visible(ctx, answer.Hits)
	return out, err
}

func (a *API) checkSkills(ids []string) error {
	var fields []onward.FieldError
	reference := a.catalogue.Current()
	for _, id := range ids {
		if !reference.HasSkill(id) {
			fields = append(fields, onward.FieldError{
				Field: "skill", Rule: "unknown_skill", Suggestions: reference.SuggestSkills(id),
				Message: "no such skill in the loaded taxonomy; /v1/skills finds its id",
			})
		}
	}
	return onward.Invalid(fields)
}

func (a *API) visible(ctx context.Context, hits []indexer.Hit) ([]foundOpportunity, error) {
	ids := make([]onward.ID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.Opening.ID
	}
	rows, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.Opportunity, error) { return tx.OpportunitiesByID(ctx, ids) })
	if err != nil {
		return nil, err
	}
	byID := make(map[onward.ID]onward.Opportunity, len(rows))
	for _, o := range rows {
		byID[o.ID] = o
	}
	items := make([]foundOpportunity, 0, len(hits))
	for _, hit := range hits {
		if o, ok := byID[hit.Opening.ID]; ok && o.Status == onward.OpportunityOpen {
			items = append(items, foundOpportunity{Score: hit.Score, Opportunity: o})
		}
	}
	return items, nil
}
