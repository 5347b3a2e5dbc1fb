package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

type opportunityOutput struct {
	Status   int
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     onward.Opportunity
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

// ChangeOpportunityInput is exported as Paging is.
type ChangeOpportunityInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; without it the present state is changed, whatever it is"`
}

type closeOpportunityInput struct {
	ChangeOpportunityInput
	Reason string `query:"reason" default:"withdrawn" enum:"filled,withdrawn,expired,unsafe"`
}

// Paging is embedded in the input of lists. It is exported because huma leaves out embedded types that are not.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"100" doc:"From next of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
}

func (p Paging) cursor() store.Cursor { return store.Cursor{After: p.Cursor, Limit: p.Limit} }

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; empty on the last"`
}

type listOpportunitiesInput struct {
	Paging
	Status         string    `query:"status" enum:"draft,open,paused,closed"`
	Kind           string    `query:"kind" enum:"job,apprenticeship,training,enterprise_grant,cooperative,cash_for_work,project_place"`
	OrganisationID onward.ID `query:"organisation_id"`
	PlaceID        int64     `query:"place_id" minimum:"1"`
	ExternalID     string    `query:"external_id" maxLength:"200"`
}

type opportunitiesOutput struct {
	Body page[onward.Opportunity]
}

func (a *API) registerOpportunities() {
	tags := []string{"Opportunities"}
	register(a, huma.Operation{
		OperationID: "create-opportunity", Method: http.MethodPost, Path: "/v1/opportunities", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Post an opportunity", Description: "For employers, supervisors and administrators. 409 if the external_id exists.",
		Errors: forbids(http.StatusConflict),
	}, a.createOpportunity)
	register(a, huma.Operation{
		OperationID: "list-opportunities", Method: http.MethodGet, Path: "/v1/opportunities", Tags: tags, Summary: "List opportunities, newest first",
	}, a.listOpportunities)
	register(a, huma.Operation{
		OperationID: "search-opportunities", Method: http.MethodGet, Path: "/v1/opportunities/search", Tags: tags,
		Summary: "Search open opportunities by words, skills and place",
	}, a.searchOpportunities)
	register(a, huma.Operation{
		OperationID: "read-opportunity", Method: http.MethodGet, Path: "/v1/opportunities/{id}", Tags: tags, Summary: "Read an opportunity",
	}, a.readOpportunity)
	register(a, huma.Operation{
		OperationID: "update-opportunity", Method: http.MethodPut, Path: "/v1/opportunities/{id}", Tags: tags, Summary: "Replace what an opportunity says",
		Description: "Needs If-Match. 412 if someone else changed it meanwhile, 409 if it is closed.",
		Errors:      forbids(http.StatusConflict, http.StatusPreconditionRequired),
	}, a.updateOpportunity)
	a.registerChange(onward.EventPublish, "Open a draft or paused opportunity", tags)
	a.registerChange(onward.EventPause, "Pause an open opportunity", tags)
	register(a, huma.Operation{
		OperationID: "close-opportunity", Method: http.MethodPost, Path: "/v1/opportunities/{id}/close", Tags: tags, Summary: "Close an opportunity for good",
		Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *closeOpportunityInput) (*opportunityOutput, error) {
		return a.changeOpportunity(ctx, in.ChangeOpportunityInput, onward.EventClose, onward.CloseReason(in.Reason))
	})
	registerBulk(a, "opportunities", tags, func(ctx context.Context, tx *store.Tx, lines []bulkOpportunity) ([]store.Created, error) {
		list := make([]store.NewOpportunity, len(lines))
		for i, line := range lines {
			list[i] = store.NewOpportunity{Details: line.OpportunityDetails, Publish: line.Publish}
		}
		return tx.CreateOpportunities(ctx, list)
	})
}

func (a *API) registerChange(event onward.OpportunityEvent, summary string, tags []string) {
	register(a, huma.Operation{
		OperationID: string(event) + "-opportunity", Method: http.MethodPost, Path: "/v1/opportunities/{id}/" + string(event), Tags: tags,
		Summary: summary, Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *ChangeOpportunityInput) (*opportunityOutput, error) {
		return a.changeOpportunity(ctx, *in, event, "")
	})
}

type bulkOpportunity struct {
	Publish bool `json:"publish,omitempty" doc:"Open it at once instead of keeping a draft"`
	onward.OpportunityDetails
}

// opportunity runs what ends in one opportunity.
func (a *API) opportunity(ctx context.Context, fn func(*store.Tx) (onward.Opportunity, error)) (*opportunityOutput, error) {
	o, err := inTx(ctx, a, fn)
	return &opportunityOutput{Status: http.StatusOK, ETag: etag(o.Version), Body: o}, err
}

func (a *API) createOpportunity(ctx context.Context, in *createOpportunityInput) (*opportunityOutput, error) {
	out, err := a.opportunity(ctx, func(tx *store.Tx) (onward.Opportunity, error) {
		return tx.CreateOpportunity(ctx, store.NewOpportunity{Details: in.Body, Publish: in.Publish})
	})
	out.Status, out.Location = http.StatusCreated, "/v1/opportunities/"+out.Body.ID.String()
	return out, err
}

func (a *API) listOpportunities(ctx context.Context, in *listOpportunitiesInput) (*opportunitiesOutput, error) {
	found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.Opportunity], error) {
		return tx.Opportunities(ctx, store.OpportunityFilter{
			Status: onward.OpportunityStatus(in.Status), Kind: onward.Kind(in.Kind), OrganisationID: in.OrganisationID,
			PlaceID: onward.PlaceID(in.PlaceID), ExternalID: in.ExternalID,
		}, in.cursor())
	})
	return &opportunitiesOutput{Body: page[onward.Opportunity](found)}, err
}

func (a *API) readOpportunity(ctx context.Context, in *readInput) (*opportunityOutput, error) {
	out, err := a.opportunity(ctx, func(tx *store.Tx) (onward.Opportunity, error) { return tx.Opportunity(ctx, in.ID) })
	if unchanged(in.IfNoneMatch, out.Body.Version) {
		out.Status = http.StatusNotModified
	}
	return out, err
}

func (a *API) updateOpportunity(ctx context.Context, in *updateOpportunityInput) (*opportunityOutput, error) {
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return a.opportunity(ctx, func(tx *store.Tx) (onward.Opportunity, error) {
		return tx.UpdateOpportunity(ctx, in.ID, version, in.Body)
	})
}

func (a *API) changeOpportunity(ctx context.Context, in ChangeOpportunityInput, event onward.OpportunityEvent, reason onward.CloseReason) (*opportunityOutput, error) {
	var version int64
	if in.IfMatch != "" {
		var err error
		if version, err = versionOf(in.IfMatch); err != nil {
			return nil, err
		}
	}
	return a.opportunity(ctx, func(tx *store.Tx) (onward.Opportunity, error) {
		return tx.ChangeOpportunity(ctx, in.ID, version, event, reason)
	})
}
