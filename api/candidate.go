package api

import (
	"context"
	"net/http"
	"runtime"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"onward"
	"onward/indexer/catalogue"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/sentences"
	"onward/store"
)

// mostScored is how many people are scored for one opportunity: those changed last. It takes about a second.
const mostScored = 20_000

type candidatesInput struct {
	InWords
	ID    onward.ID `path:"id" doc:"The opportunity"`
	Limit int       `query:"limit" default:"20" minimum:"1" maximum:"50"`
}

type candidatesOutput struct {
	Body struct {
		OpportunityID onward.ID `json:"opportunity_id"`
		Version       int64     `json:"version" doc:"Of the opportunity that was scored"`
		// Candidates are for counsellors and supervisors, Cards for the organisation that posted it.
		Candidates []onward.Candidate     `json:"candidates,omitzero" doc:"For counsellors and supervisors: people of the caseload"`
		Cards      []onward.CandidateCard `json:"cards,omitzero" doc:"For the organisation that posted it: pseudonymous"`
		Truncated  bool                   `json:"truncated,omitempty" doc:"There are more people than are scored: the 20,000 whose records changed last"`
	}
}

func (a *API) registerCandidates() {
	register(a, huma.Operation{
		OperationID: "list-candidates", Method: http.MethodGet, Path: "/v1/opportunities/{id}/candidates", Tags: []string{"Candidates"},
		Summary: "The people whom an open opportunity suits best",
		Description: "By the same score as their own lists. Counsellors and supervisors see people of their caseload who agreed to be matched, by id. " +
			"Employers see, for their own opportunities, pseudonymous cards of people who also agreed to be shown; where fewer than five people qualify, " +
			"cards say nothing but skills. 409 when the opportunity is not open, or when what it asks for was changed too often since its candidates were first looked at.",
		Errors: forbids(http.StatusConflict),
	}, a.listCandidates)
}

func (a *API) listCandidates(ctx context.Context, in *candidatesInput) (*candidatesOutput, error) {
	actor := actorFrom(ctx)
	if actor.Role != onward.RoleEmployer && !actor.HandlesReturnees() {
		return nil, onward.Errorf(onward.EForbidden, "only counsellors, supervisors and the employer who posted it see candidates")
	}
	opportunity, err := inTx(ctx, a, func(tx *store.Tx) (onward.Opportunity, error) { return tx.Opportunity(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	if err := hasCandidates(opportunity, a.store.Today()); err != nil {
		return nil, err
	}
	replies, err := a.replyShares(ctx)
	if err != nil {
		return nil, err
	}
	current := a.catalogue.Current()
	search := candidateSearch{
		country: current.Country(opportunity.Country),
		opening: current.Opening(opportunity),
		options: matcher.Options{Today: a.store.Today(), Language: sentences.In(in.Language).Language(), Replies: replies},
		current: current, keep: max(in.Limit, onward.FewCandidates),
	}
	out := &candidatesOutput{}
	out.Body.OpportunityID, out.Body.Version = opportunity.ID, opportunity.Version
	if actor.HandlesReturnees() {
		out.Body.Candidates, out.Body.Truncated, err = a.caseloadCandidates(ctx, search, in.Limit)
	} else {
		out.Body.Cards, out.Body.Truncated, err = a.candidateCards(ctx, search, opportunity, in.Limit)
	}
	return out, err
}

// hasCandidates is EConflict for an opportunity that is on no one's list.
func hasCandidates(o onward.Opportunity, today onward.Date) error {
	switch {
	case o.Status == onward.OpportunityClosed:
		return onward.Errorf(onward.EConflict, "it is closed; only open opportunities have candidates")
	case o.Status != onward.OpportunityOpen:
		return onward.Errorf(onward.EConflict, "only open opportunities have candidates; publish it first")
	case !o.ClosesOn.IsZero() && o.ClosesOn.Before(today):
		return onward.Errorf(onward.EConflict, "its closing date is past; only open opportunities have candidates")
	case o.Vetting == onward.VettingRejected:
		return onward.Errorf(onward.EConflict, "it did not pass vetting, so that it is shown to no one and has no candidates")
	}
	return nil
}

// candidateSearch is what one search for candidates needs.
type candidateSearch struct {
	current *catalogue.Catalogue
	country *catalogue.Country
	opening matcher.Opening
	options matcher.Options
	keep    int
}

func (s candidateSearch) collector() *matcher.Candidates {
	return matcher.NewCandidates(s.opening, s.current.Taxonomy(), s.country.Gazetteer, s.options, s.keep)
}

// run scores everyone who agreed to every purpose and whom the transaction may see, on all processors.
func (s candidateSearch) run(ctx context.Context, tx *store.Tx, purposes ...onward.ConsentPurpose) (*matcher.Candidates, bool, error) {
	predict := func(profile onward.ReturneeDetails) destination.Spread {
		return s.country.Model.Predict(destination.NewPerson(profile), s.options.Today)
	}
	collectors := make([]*matcher.Candidates, runtime.GOMAXPROCS(0))
	for i := range collectors {
		collectors[i] = s.collector()
	}
	truncated, err := tx.EachProfile(ctx, s.opening.Country, purposes, mostScored, func(batch []store.Profile) error {
		var work errgroup.Group
		for i, c := range collectors {
			work.Go(func() error {
				for k := i; k < len(batch); k += len(collectors) {
					profile, err := batch[k].Read()
					if err != nil {
						return err
					}
					c.Add(batch[k].ID, batch[k].Version, profile, predict)
				}
				return nil
			})
		}
		return work.Wait()
	})
	for _, c := range collectors[1:] {
		collectors[0].Merge(c)
	}
	return collectors[0], truncated, err
}

// caseloadCandidates are the people of the actor's caseload, with the explanation of their own lists.
func (a *API) caseloadCandidates(ctx context.Context, s candidateSearch, limit int) (list []onward.Candidate, truncated bool, err error) {
	var found *matcher.Candidates
	found, err = inTx(ctx, a, func(tx *store.Tx) (best *matcher.Candidates, err error) {
		best, truncated, err = s.run(ctx, tx, onward.ConsentMatching)
		return best, err
	})
	if err != nil {
		return nil, false, err
	}
	best := found.Best()
	best = best[:min(len(best), limit)]
	words := onward.RankedList{Referrals: make([]onward.RankedReferral, len(best))}
	for i, c := range best {
		words.Referrals[i] = found.Line(i+1, c)
	}
	sentences.In(s.options.Language).List(&words)
	list = make([]onward.Candidate, len(best))
	for i, c := range best {
		line := words.Referrals[i]
		list[i] = onward.Candidate{
			Rank: i + 1, ReturneeID: c.ID, Score: line.Score, Fit: line.Fit, Reach: line.Reach, Terms: line.Terms, Robust: line.Robust,
			ClosedGate: c.Closed, Missing: c.Missing, Explanation: line.Explanation,
		}
	}
	return list, truncated, nil
}

// candidateCards are the people who agreed to be matched and to be shown, wherever they are registered, as the organisation
// that posted the opportunity may see them. The profiles are read by the system: an employer has no right to them.
func (a *API) candidateCards(ctx context.Context, s candidateSearch, o onward.Opportunity, limit int) (cards []onward.CandidateCard, truncated bool, err error) {
	system := onward.System()
	if err := a.store.InTx(ctx, system, func(tx *store.Tx) error { return tx.AdmitForm(ctx, o) }); err != nil {
		return nil, false, err
	}
	err = a.store.InTx(ctx, system, func(tx *store.Tx) error {
		var found *matcher.Candidates
		found, truncated, err = s.run(ctx, tx, onward.ConsentMatching, onward.ConsentSharing)
		if err != nil {
			return err
		}
		all, people := found.Cards(limit)
		refs := make([]onward.Ref, len(people))
		for i, p := range people {
			refs[i] = onward.Ref{ID: p.ID, Version: p.Version}
		}
		names, err := tx.CandidatePseudonyms(ctx, o.ID, refs)
		if err != nil {
			return err
		}
		cards = make([]onward.CandidateCard, 0, len(all))
		for i, card := range all {
			if card.Pseudonym = names[people[i].ID]; card.Pseudonym.IsZero() {
				continue // changed meanwhile
			}
			card.Rank = len(cards) + 1
			cards = append(cards, card)
		}
		return nil
	})
	return cards, truncated, err
}

// replyShares are the shares of referrals that organisations answered in time, as lists count them.
func (a *API) replyShares(ctx context.Context) (map[onward.ID]float64, error) {
	counted, err := a.store.Replies(ctx)
	return onward.ReplyShares(counted), err
}
