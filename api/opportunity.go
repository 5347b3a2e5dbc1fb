package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/indexer"
	"onward/store"
)

type opportunityOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     onward.Opportunity
}

func opportunityResult(o onward.Opportunity) *opportunityOutput {
	return &opportunityOutput{ETag: etag(o.Version), Body: o}
}

type createOpportunityInput struct {
	Publish bool `query:"publish" doc:"Open it at once instead of keeping a draft"`
	Body    onward.OpportunityDetails
}

type readInput struct {
	ID          onward.ID `path:"id"`
	IfNoneMatch string    `header:"If-None-Match" doc:"An ETag; 304 if nothing changed"`
}

type updateOpportunityInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.OpportunityDetails
}

type changeOpportunityInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; without it the present state is changed, whatever it is"`
}

type closeOpportunityInput struct {
	changeOpportunityInput
	Reason string `query:"reason" default:"withdrawn" enum:"filled,withdrawn,expired,unsafe"`
}

type pageInput struct {
	Cursor string `query:"cursor" maxLength:"100" doc:"From next of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
}

func (p pageInput) cursor() store.Cursor { return store.Cursor{After: p.Cursor, Limit: p.Limit} }

type listOpportunitiesInput struct {
	pageInput
	Status         string    `query:"status" enum:"draft,open,paused,closed"`
	Kind           string    `query:"kind" enum:"job,apprenticeship,training,enterprise_grant,cooperative,cash_for_work,project_place"`
	OrganisationID onward.ID `query:"organisation_id"`
	PlaceID        int64     `query:"place_id" minimum:"1"`
	ExternalID     string    `query:"external_id" maxLength:"200"`
}

type opportunitiesOutput struct {
	Body struct {
		Items []onward.Opportunity `json:"items"`
		Next  string               `json:"next,omitempty" doc:"Cursor of the next page; empty on the last"`
	}
}

type searchOpportunitiesInput struct {
	Query    string   `query:"q" maxLength:"200" doc:"All words must occur; the last may be unfinished"`
	Skills   []string `query:"skill" maxItems:"20" doc:"Skill ids; those that use more of them come first"`
	Near     int64    `query:"near" minimum:"1" doc:"A place id; only what is within radius_km"`
	RadiusKm float64  `query:"radius_km" default:"50" minimum:"1" maximum:"1000"`
	Country  string   `query:"country" pattern:"^[A-Z]{2}$"`
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

func (a *API) registerOpportunities() {
	tags := []string{"Opportunities"}
	huma.Register(a.huma, huma.Operation{
		OperationID: "create-opportunity", Method: http.MethodPost, Path: "/v1/opportunities", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Post an opportunity", Description: "For employers, supervisors and administrators. 409 if the external_id exists.",
		MaxBodyBytes: bodyLimit,
	}, a.createOpportunity)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-opportunities", Method: http.MethodGet, Path: "/v1/opportunities", Tags: tags, Summary: "List opportunities, newest first",
	}, a.listOpportunities)
	huma.Register(a.huma, huma.Operation{
		OperationID: "search-opportunities", Method: http.MethodGet, Path: "/v1/opportunities/search", Tags: tags,
		Summary: "Search open opportunities by words, skills and place",
	}, a.searchOpportunities)
	huma.Register(a.huma, huma.Operation{
		OperationID: "read-opportunity", Method: http.MethodGet, Path: "/v1/opportunities/{id}", Tags: tags, Summary: "Read an opportunity",
	}, a.readOpportunity)
	huma.Register(a.huma, huma.Operation{
		OperationID: "update-opportunity", Method: http.MethodPut, Path: "/v1/opportunities/{id}", Tags: tags, Summary: "Replace what an opportunity says",
		Description: "Needs If-Match. 412 if someone else changed it meanwhile, 409 if it is closed.", MaxBodyBytes: bodyLimit,
	}, a.updateOpportunity)
	for event, summary := range map[onward.OpportunityEvent]string{onward.EventPublish: "Open a draft or paused opportunity", onward.EventPause: "Pause an open opportunity"} {
		huma.Register(a.huma, huma.Operation{
			OperationID: string(event) + "-opportunity", Method: http.MethodPost, Path: "/v1/opportunities/{id}/" + string(event), Tags: tags, Summary: summary,
		}, func(ctx context.Context, in *changeOpportunityInput) (*opportunityOutput, error) {
			return a.changeOpportunity(ctx, *in, event, "")
		})
	}
	huma.Register(a.huma, huma.Operation{
		OperationID: "close-opportunity", Method: http.MethodPost, Path: "/v1/opportunities/{id}/close", Tags: tags, Summary: "Close an opportunity for good",
	}, func(ctx context.Context, in *closeOpportunityInput) (*opportunityOutput, error) {
		return a.changeOpportunity(ctx, in.changeOpportunityInput, onward.EventClose, onward.CloseReason(in.Reason))
	})
	registerBulk(a, "opportunities", tags, func(ctx context.Context, tx *store.Tx, lines []bulkOpportunity) ([]store.Created, error) {
		list := make([]store.NewOpportunity, len(lines))
		for i, line := range lines {
			list[i] = store.NewOpportunity{Details: line.OpportunityDetails, Publish: line.Publish}
		}
		return tx.CreateOpportunities(ctx, list)
	})
}

type bulkOpportunity struct {
	Publish bool `json:"publish,omitempty"`
	onward.OpportunityDetails
}

func (a *API) createOpportunity(ctx context.Context, in *createOpportunityInput) (*opportunityOutput, error) {
	var o onward.Opportunity
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		o, err = tx.CreateOpportunity(ctx, store.NewOpportunity{Details: in.Body, Publish: in.Publish})
		return err
	})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	out := opportunityResult(o)
	out.Location = "/v1/opportunities/" + o.ID.String()
	return out, nil
}

func (a *API) listOpportunities(ctx context.Context, in *listOpportunitiesInput) (*opportunitiesOutput, error) {
	out := &opportunitiesOutput{}
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) error {
		page, err := tx.Opportunities(ctx, store.OpportunityFilter{
			Status: onward.OpportunityStatus(in.Status), Kind: onward.Kind(in.Kind), OrganisationID: in.OrganisationID,
			PlaceID: onward.PlaceID(in.PlaceID), ExternalID: in.ExternalID,
		}, in.cursor())
		out.Body.Items, out.Body.Next = page.Items, page.Next
		return err
	})
	return out, a.fail(ctx, err)
}

func (a *API) readOpportunity(ctx context.Context, in *readInput) (*opportunityOutput, error) {
	var o onward.Opportunity
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		o, err = tx.Opportunity(ctx, in.ID)
		return err
	})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	if in.IfNoneMatch == etag(o.Version) {
		return nil, huma.Status304NotModified()
	}
	return opportunityResult(o), nil
}

func (a *API) updateOpportunity(ctx context.Context, in *updateOpportunityInput) (*opportunityOutput, error) {
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	var o onward.Opportunity
	err = a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		o, err = tx.UpdateOpportunity(ctx, in.ID, version, in.Body)
		return err
	})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return opportunityResult(o), nil
}

func (a *API) changeOpportunity(ctx context.Context, in changeOpportunityInput, event onward.OpportunityEvent, reason onward.CloseReason) (*opportunityOutput, error) {
	var version int64
	if in.IfMatch != "" {
		var err error
		if version, err = versionOf(in.IfMatch); err != nil {
			return nil, a.fail(ctx, err)
		}
	}
	var o onward.Opportunity
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		o, err = tx.ChangeOpportunity(ctx, in.ID, version, event, reason)
		return err
	})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return opportunityResult(o), nil
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
	if in.Near != 0 {
		place, ok := a.catalogue.Current().Place(onward.PlaceID(in.Near))
		if !ok {
			return nil, a.fail(ctx, onward.Invalid([]onward.FieldError{{Field: "near", Rule: "unknown_place", Message: "no such place; /v1/places finds its id by name"}}))
		}
		query.Near = &indexer.Near{Lat: place.Lat, Lon: place.Lon, RadiusKm: in.RadiusKm}
	}
	if err := a.checkSkills(in.Skills); err != nil {
		return nil, a.fail(ctx, err)
	}
	answer, err := a.searcher.Search(ctx, query)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	out := &searchOpportunitiesOutput{}
	out.Body.AnsweredBy, out.Body.Degraded = answer.AnsweredBy, answer.Degraded
	out.Body.Items, err = a.visible(ctx, answer.Hits)
	return out, a.fail(ctx, err)
}

func (a *API) checkSkills(ids []string) error {
	var fields []onward.FieldError
	reference := a.catalogue.Current()
	for _, id := range ids {
		if !reference.HasSkill(id) {
			fields = append(fields, onward.FieldError{Field: "skill", Rule: "unknown_skill", Suggestions: reference.SuggestSkills(id),
				Message: "no such skill in the loaded taxonomy; /v1/skills finds its id"})
		}
	}
	return onward.Invalid(fields)
}

func (a *API) visible(ctx context.Context, hits []indexer.Hit) ([]foundOpportunity, error) {
	ids := make([]onward.ID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.Opening.ID
	}
	var rows []onward.Opportunity
	err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
		rows, err = tx.OpportunitiesByID(ctx, ids)
		return err
	})
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
