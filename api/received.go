package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/indexer/catalogue"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/sentences"
	"onward/store"
)

type receivedOutput struct {
	ETag string `header:"ETag"`
	Body onward.ReceivedReferral
}

type listReceivedInput struct {
	Paging
	Status        string    `query:"status" enum:"requested,accepted,on_hold,in_progress,placed,completed,declined,failed,withdrawn,revoked,expired"`
	OpportunityID onward.ID `query:"opportunity_id"`
	Overdue       bool      `query:"overdue" doc:"Only those that were not answered in time"`
}

type receivedListOutput struct {
	Body page[onward.ReceivedReferral]
}

type askInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    struct {
		Question string `json:"question" minLength:"1" maxLength:"1000"`
	}
}

type cardInput struct {
	ID       onward.ID `path:"id"`
	Language string    `query:"language" enum:"en,fr,es,ar" doc:"Of the labels"`
}

type cardOutput struct {
	Body onward.ReferralCard
}

type identityOutput struct {
	Body onward.SharedIdentity
}

func (a *API) registerReceivedReferrals() {
	tags := []string{"Received referrals"}
	register(a, huma.Operation{
		OperationID: "list-received-referrals", Method: http.MethodGet, Path: "/v1/received-referrals", Tags: tags,
		Summary: "List the referrals that were sent to your organisation, newest first", Errors: forbids(),
	}, func(ctx context.Context, in *listReceivedInput) (*receivedListOutput, error) {
		found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.ReceivedReferral], error) {
			return tx.ReceivedReferrals(ctx, store.ReferralFilter{
				Status: onward.ReferralStatus(in.Status), OpportunityID: in.OpportunityID, Overdue: in.Overdue,
			}, in.cursor())
		})
		return &receivedListOutput{Body: page[onward.ReceivedReferral](found)}, err
	})
	register(a, huma.Operation{
		OperationID: "read-received-referral", Method: http.MethodGet, Path: "/v1/received-referrals/{id}", Tags: tags, Summary: "Read a referral that was sent to you",
	}, func(ctx context.Context, in *readByIDInput) (*receivedOutput, error) {
		return a.received(ctx, func(tx *store.Tx) (onward.ReceivedReferral, error) { return tx.ReceivedReferral(ctx, in.ID) })
	})
	register(a, huma.Operation{
		OperationID: "change-received-referral", Method: http.MethodPost, Path: "/v1/received-referrals/{id}/events", Tags: tags,
		Summary: "Answer a referral, or move it on", Description: "As POST /v1/referrals/{id}/events, for the recipient.",
		Errors: forbids(http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired),
	}, func(ctx context.Context, in *changeReferralInput) (*receivedOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return a.received(ctx, func(tx *store.Tx) (onward.ReceivedReferral, error) {
			return tx.ChangeReceivedReferral(ctx, in.ID, version, in.Body)
		})
	})
	register(a, huma.Operation{
		OperationID: "ask-about-referral", Method: http.MethodPost, Path: "/v1/received-referrals/{id}/question", Tags: tags,
		Summary: "Ask the agency before you answer", Errors: forbids(http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired),
	}, func(ctx context.Context, in *askInput) (*receivedOutput, error) {
		version, err := versionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return a.received(ctx, func(tx *store.Tx) (onward.ReceivedReferral, error) {
			return tx.Ask(ctx, in.ID, version, in.Body.Question)
		})
	})
	register(a, huma.Operation{
		OperationID: "received-referral-card", Method: http.MethodGet, Path: "/v1/received-referrals/{id}/card", Tags: tags,
		Summary: "What the person brings, by pseudonym", Description: "While the referral awaits your answer and the person agrees to be shown.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *cardInput) (*cardOutput, error) {
		r, profile, err := a.store.ShownProfile(ctx, actorFrom(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return a.card(ctx, r, profile, in.Language)
	})
	register(a, huma.Operation{
		OperationID: "received-referral-person", Method: http.MethodGet, Path: "/v1/received-referrals/{id}/person", Tags: tags,
		Summary: "Who it is", Description: "Name and phone, once you accepted and while the person agrees to be shown.", Errors: forbids(http.StatusNotFound),
	}, func(ctx context.Context, in *readByIDInput) (*identityOutput, error) {
		who, err := inTx(ctx, a, func(tx *store.Tx) (onward.SharedIdentity, error) { return tx.SharedIdentity(ctx, in.ID) })
		return &identityOutput{Body: who}, err
	})
	register(a, huma.Operation{
		OperationID: "confirm-opportunity", Method: http.MethodPost, Path: "/v1/opportunities/{id}/confirm", Tags: []string{"Opportunities"},
		Summary: "Say that an opening still stands", Description: "When Onward asked, because referrals to it were not answered. 409 if it did not.", Errors: forbids(http.StatusConflict),
	}, func(ctx context.Context, in *readByIDInput) (*opportunityOutput, error) {
		return a.opportunity(ctx, func(tx *store.Tx) (onward.Opportunity, error) { return tx.ConfirmOpportunity(ctx, in.ID) })
	})
}

func (a *API) received(ctx context.Context, fn func(*store.Tx) (onward.ReceivedReferral, error)) (*receivedOutput, error) {
	r, err := inTx(ctx, a, fn)
	return &receivedOutput{ETag: etag(r.Version), Body: r}, err
}

// card is what the recipient sees of a person before the answer. The profile was read by the system and goes no further.
func (a *API) card(ctx context.Context, r onward.ReceivedReferral, p store.Profile, language string) (*cardOutput, error) {
	var o onward.Opportunity
	err := a.store.InTx(ctx, onward.System(), func(tx *store.Tx) (err error) {
		o, err = tx.Opportunity(ctx, r.OpportunityID)
		return err
	})
	if err != nil {
		return nil, err
	}
	profile, err := p.Read()
	if err != nil {
		return nil, err
	}
	current := a.catalogue.Current()
	language = sentences.In(language).Language()
	out := &cardOutput{Body: onward.ReferralCard{Referral: r, Opportunity: o.Title, Place: placeName(current, o.PlaceID), AvailableOn: profile.AvailableFrom}}
	search := candidateSearch{
		current: current, country: current.Country(o.Country), opening: current.Opening(o),
		options: matcher.Options{Today: a.store.Today(), Language: language}, keep: 1,
	}
	search.opening.PlacesLeft++ // one is held for this person
	one := search.collector()
	one.Add(p.ID, p.Version, profile, func(d onward.ReturneeDetails) destination.Spread {
		return search.country.Model.Predict(destination.NewPerson(d), search.options.Today)
	})
	if card, ok := one.ReferralCard(); ok {
		card.Rank, card.Pseudonym = 1, r.Pseudonym
		out.Body.Card = &card
	}
	return out, nil
}

func placeName(c *catalogue.Catalogue, id onward.PlaceID) string {
	place, _ := c.Place(id)
	return place.Name
}
