package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

// party is what users see of organisations: enough to name one.
type party struct {
	ID        onward.ID               `json:"id"`
	Name      string                  `json:"name"`
	Kind      onward.OrganisationKind `json:"kind" enum:"agency,employer,civil_society,project,authority"`
	Country   string                  `json:"country"`
	Fictional bool                    `json:"fictional,omitempty" doc:"Made up for demonstration"`
}

type listPartiesInput struct {
	Kind string `query:"kind" enum:"agency,employer,civil_society,project,authority"`
}

type partiesOutput struct {
	Body struct {
		Items []party `json:"items" doc:"By name"`
	}
}

type colleague struct {
	ID   onward.ID   `json:"id"`
	Name string      `json:"name"`
	Role onward.Role `json:"role" enum:"counsellor,supervisor,employer,partner,analyst,administrator"`
}

type colleaguesOutput struct {
	Body struct {
		Items []colleague `json:"items"`
	}
}

func (a *API) registerOrganisations() {
	tags := []string{"Organisations"}
	register(a, huma.Operation{
		OperationID: "list-organisations", Method: http.MethodGet, Path: "/v1/organisations", Tags: tags, Summary: "The organisations that work here",
		Description: "To name the partner that monitors a placement, or whom to vet. Suspended ones are left out.",
	}, func(ctx context.Context, in *listPartiesInput) (*partiesOutput, error) {
		list, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.Organisation, error) { return tx.Organisations(ctx) })
		out := &partiesOutput{}
		out.Body.Items = []party{}
		for _, o := range list {
			if o.SuspendedAt == nil && (in.Kind == "" || string(o.Kind) == in.Kind) {
				out.Body.Items = append(out.Body.Items, party{o.ID, o.Name, o.Kind, o.Country, o.Fictional})
			}
		}
		return out, err
	})
	register(a, huma.Operation{
		OperationID: "list-colleagues", Method: http.MethodGet, Path: "/v1/users", Tags: tags, Summary: "The users of your organisation",
		Description: "To hand something over to one of them.",
	}, func(ctx context.Context, _ *struct{}) (*colleaguesOutput, error) {
		list, err := inTx(ctx, a, func(tx *store.Tx) ([]onward.User, error) { return tx.Users(ctx) })
		out := &colleaguesOutput{}
		out.Body.Items = []colleague{}
		for _, u := range list {
			out.Body.Items = append(out.Body.Items, colleague{u.ID, u.Name, u.Role})
		}
		return out, err
	})
}
