package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/sentences"
	"onward/store"
)

// pairCandidates is how many openings the index gives for each adult to be paired.
const pairCandidates = 300

type householdOutput struct {
	Status   int
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     onward.LinkedHousehold
}

type createHouseholdInput struct {
	Body onward.HouseholdDetails
}

type updateHouseholdInput struct {
	ID      onward.ID `path:"id"`
	IfMatch string    `header:"If-Match" doc:"The ETag of what you read; needed"`
	Body    onward.HouseholdDetails
}

type householdInput struct {
	ID onward.ID `path:"id"`
}

type listHouseholdsInput struct {
	Paging
	ReturneeID onward.ID `query:"returnee_id" doc:"Only the household that this returnee is linked in"`
}

type householdsOutput struct {
	Body page[onward.LinkedHousehold]
}

type householdOpportunitiesInput struct {
	InWords
	ID    onward.ID `path:"id"`
	Limit int       `query:"limit" default:"10" minimum:"1" maximum:"50" doc:"Lines of each adult's list"`
	Pairs int       `query:"pairs" default:"20" minimum:"1" maximum:"50" doc:"How many pairs"`
}

type householdOpportunitiesOutput struct {
	Body onward.HouseholdOpportunities
}

func (a *API) registerHouseholds() {
	tags := []string{"Households"}
	register(a, huma.Operation{
		OperationID: "create-household", Method: http.MethodPost, Path: "/v1/households", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Link adults who live together", Errors: forbids(http.StatusConflict),
		Description: "Two to six adults of the caseload and of one country, each with an active consent for matching. 409 when one is linked in another household.",
	}, a.createHousehold)
	register(a, huma.Operation{
		OperationID: "list-households", Method: http.MethodGet, Path: "/v1/households", Tags: tags, Summary: "List households, newest first", Errors: forbids(),
	}, a.listHouseholds)
	register(a, huma.Operation{
		OperationID: "read-household", Method: http.MethodGet, Path: "/v1/households/{id}", Tags: tags, Summary: "Read a household",
	}, a.readHousehold)
	register(a, huma.Operation{
		OperationID: "update-household", Method: http.MethodPut, Path: "/v1/households/{id}", Tags: tags, Summary: "Replace the adults of a household",
		Description: "Who is left out is unlinked. Needs If-Match. 412 if someone else changed it meanwhile.",
		Errors:      forbids(http.StatusConflict, http.StatusPreconditionRequired),
	}, a.updateHousehold)
	register(a, huma.Operation{
		OperationID: "delete-household", Method: http.MethodDelete, Path: "/v1/households/{id}", Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary: "Unlink all adults of a household",
	}, a.deleteHousehold)
	register(a, huma.Operation{
		OperationID: "household-opportunities", Method: http.MethodGet, Path: "/v1/households/{id}/opportunities", Tags: tags,
		Summary: "What suits each adult of a household, and pairs in one place",
		Description: "Each adult has a list of their own, by their own score. Pairs are of two adults each, ranked over the places where all may live by the geometric " +
			"mean of both scores, so that a pair is worth nothing where one has nothing. What is dangerous for one adult is left out for all.",
	}, a.householdOpportunities)
}

// household runs what ends in one household.
func (a *API) household(ctx context.Context, fn func(*store.Tx) (onward.LinkedHousehold, error)) (*householdOutput, error) {
	h, err := inTx(ctx, a, fn)
	return &householdOutput{Status: http.StatusOK, ETag: etag(h.Version), Body: h}, err
}

func (a *API) createHousehold(ctx context.Context, in *createHouseholdInput) (*householdOutput, error) {
	out, err := a.household(ctx, func(tx *store.Tx) (onward.LinkedHousehold, error) { return tx.CreateHousehold(ctx, in.Body) })
	out.Status, out.Location = http.StatusCreated, "/v1/households/"+out.Body.ID.String()
	return out, err
}

func (a *API) readHousehold(ctx context.Context, in *readInput) (*householdOutput, error) {
	out, err := a.household(ctx, func(tx *store.Tx) (onward.LinkedHousehold, error) { return tx.Household(ctx, in.ID) })
	if unchanged(in.IfNoneMatch, out.Body.Version) {
		out.Status = http.StatusNotModified
	}
	return out, err
}

func (a *API) updateHousehold(ctx context.Context, in *updateHouseholdInput) (*householdOutput, error) {
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return a.household(ctx, func(tx *store.Tx) (onward.LinkedHousehold, error) {
		return tx.UpdateHousehold(ctx, in.ID, version, in.Body)
	})
}

func (a *API) deleteHousehold(ctx context.Context, in *householdInput) (*struct{}, error) {
	return inTx(ctx, a, func(tx *store.Tx) (*struct{}, error) { return nil, tx.DeleteHousehold(ctx, in.ID) })
}

func (a *API) listHouseholds(ctx context.Context, in *listHouseholdsInput) (*householdsOutput, error) {
	found, err := inTx(ctx, a, func(tx *store.Tx) (store.Page[onward.LinkedHousehold], error) {
		return tx.Households(ctx, in.ReturneeID, in.cursor())
	})
	return &householdsOutput{Body: page[onward.LinkedHousehold](found)}, err
}

func (a *API) householdOpportunities(ctx context.Context, in *householdOpportunitiesInput) (*householdOpportunitiesOutput, error) {
	var household onward.LinkedHousehold
	profiles, err := inTx(ctx, a, func(tx *store.Tx) (profiles []store.Profile, err error) {
		if household, err = tx.Household(ctx, in.ID); err != nil {
			return nil, err
		}
		return tx.HouseholdProfiles(ctx, in.ID)
	})
	if err != nil {
		return nil, err
	}
	replies, err := a.replyShares(ctx)
	if err != nil {
		return nil, err
	}
	current := a.catalogue.Current()
	search := householdSearch{
		asker: a.searcher, current: current, country: current.Country(household.Country), pairs: in.Pairs,
		options: matcher.Options{Today: a.store.Today(), Language: sentences.In(in.Language).Language(), Limit: in.Limit, Replies: replies},
	}
	out := &householdOpportunitiesOutput{}
	out.Body, err = search.run(ctx, profiles)
	out.Body.HouseholdID = household.ID
	return out, err
}

// householdSearch is what looking for a household's opportunities needs.
type householdSearch struct {
	asker   indexer.Asker
	current *catalogue.Catalogue
	country *catalogue.Country
	options matcher.Options
	pairs   int
}

// adultSearch is one adult in it: the person with the safety of the household, and where they may live by themselves.
type adultSearch struct {
	id     onward.ID
	person matcher.Person
	spread destination.Spread
}

func (s householdSearch) run(ctx context.Context, profiles []store.Profile) (found onward.HouseholdOpportunities, err error) {
	people := make([]onward.ReturneeDetails, len(profiles))
	for i, p := range profiles {
		if people[i], err = p.Read(); err != nil {
			return found, err
		}
	}
	safety := matcher.HouseholdSafety(people...)
	var adults []adultSearch
	for i, own := range people {
		if own.Country != s.country.Gazetteer.Country() || !own.HasConsent(onward.ConsentMatching, s.options.Today) {
			found.Adults = append(found.Adults, onward.HouseholdAdult{ReturneeID: profiles[i].ID, Refusal: refusal(own, s.country)})
			continue
		}
		spread := s.country.Model.Predict(destination.NewPerson(own), s.options.Today)
		own.Safety = safety
		adult := adultSearch{profiles[i].ID, matcher.NewPerson(own, s.current.Taxonomy(), s.options.Today), spread}
		adults = append(adults, adult)
		answer, result, err := indexer.List(ctx, s.asker, adult.person, matcher.NewReach(spread, s.country.Gazetteer, adult.person), s.country.Gazetteer, s.options)
		if err != nil {
			return found, err
		}
		list := onward.RankedList{Referrals: result.Referrals}
		sentences.In(s.options.Language).List(&list)
		found.Adults = append(found.Adults, onward.HouseholdAdult{ReturneeID: adult.id, Referrals: list.Referrals})
		found.AnsweredBy, found.Degraded = answer.AnsweredBy, cmp.Or(found.Degraded, answer.Degraded)
	}
	spreads := make([]destination.Spread, len(adults))
	for i, adult := range adults {
		spreads[i] = adult.spread
	}
	found.Pairs = []onward.HouseholdPair{}
	if len(adults) < 2 {
		return found, nil
	}
	joint := destination.Joint(s.country.Gazetteer, s.country.Gazetteer.Excluded(safety.ExcludedPlaces), spreads...)
	found.Destination = joint.Destination(s.country.Gazetteer)
	found.Pairs, err = s.pair(ctx, adults, joint)
	return found, err
}

func refusal(own onward.ReturneeDetails, country *catalogue.Country) string {
	if own.Country != country.Gazetteer.Country() {
		return "the person is in another country than the household; unlink them"
	}
	return "there is no active consent for matching; ask the person, record it, then ask again"
}

// pair ranks the pairs of every two adults together.
func (s householdSearch) pair(ctx context.Context, adults []adultSearch, joint destination.Spread) ([]onward.HouseholdPair, error) {
	gazetteer := s.country.Gazetteer
	sides := make([]matcher.PairSide, len(adults))
	for i, adult := range adults {
		query := adult.person.Query(matcher.NewReach(joint, gazetteer, adult.person), gazetteer, s.options, pairCandidates)
		answer, err := s.asker.Rank(ctx, query)
		if err != nil {
			return nil, err
		}
		sides[i] = matcher.PairSide{ID: adult.id, Person: adult.person, Openings: answer.Openings()}
	}
	pairs := []onward.HouseholdPair{}
	for i := range sides {
		for k := range i {
			pairs = append(pairs, matcher.Pairs(sides[k], sides[i], joint, gazetteer, s.options, s.pairs)...)
		}
	}
	slices.SortStableFunc(pairs, func(a, b onward.HouseholdPair) int { return cmp.Compare(b.Score, a.Score) })
	pairs = pairs[:min(len(pairs), s.pairs)]
	for i := range pairs {
		pairs[i].Rank = i + 1
	}
	return pairs, nil
}
