package workers

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hibiken/asynq"

	"onward"
	"onward/indexer"
	"onward/indexer/catalogue"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/sentences"
	"onward/store"
)

// maxRescores bounds how often a profile may change under the scoring before the queue tries again later.
const maxRescores = 5

// matchRequest answers one referral request. A request that has its answer is left alone.
func (w *Workers) matchRequest(ctx context.Context, task *asynq.Task) error {
	work, err := workOf(task)
	if err != nil {
		return err
	}
	for _, ref := range work.Refs {
		for try := 1; ; try++ {
			err := w.answer(ctx, ref.ID, work.ID)
			if err == nil {
				break
			}
			if !errors.Is(err, store.ErrProfileChanged) || try == maxRescores {
				return err
			}
		}
	}
	return nil
}

func (w *Workers) answer(ctx context.Context, id onward.ID, work int64) error {
	in, err := w.config.Store.MatchInput(ctx, id)
	if onward.CodeOf(err) == onward.ENotFound { // removed, with the person
		return w.config.Store.FinishWork(ctx, work)
	} else if err != nil {
		return err
	}
	if in.Request.Status != onward.RequestQueued {
		return w.config.Store.FinishWork(ctx, work)
	}
	answer := store.MatchAnswer{Request: id, ReturneeVersion: in.Returnee.Version}
	today := w.config.Store.Today()
	if !in.Returnee.HasConsent(onward.ConsentMatching, today) {
		answer.Refusal = "the consent for matching ended before the list was made; ask the person, record it, then ask again"
		return w.config.Store.AnswerRequest(ctx, answer, work)
	}
	replies, err := w.replies.current(ctx)
	if err != nil {
		return err
	}
	list, inputs, err := rank(ctx, w.config.Ranker, w.config.Catalogue.Current(), in, today, replies)
	if err != nil {
		return err
	}
	list.GeneratedAt = time.Now().UTC()
	answer.List, answer.Inputs = list, inputs
	if err := w.config.Store.AnswerRequest(ctx, answer, work); err != nil {
		return err
	}
	w.metrics.answered(list.AnsweredBy, time.Since(in.Request.CreatedAt))
	return nil
}

// modelledShown is how many places of the model's spread stand beside one that a counsellor stated.
const modelledShown = 5

// scoring is all that a list is made from besides the openings: the same scoring and openings give the same list.
type scoring struct {
	country   *catalogue.Country
	person    matcher.Person
	modelled  destination.Spread
	spread    destination.Spread // what the counsellor stated, else the modelled one
	reach     matcher.Reach
	options   matcher.Options
	taxonomy  string // its release
	requested onward.RequestOptions
}

func newScoring(reference *catalogue.Catalogue, profile onward.ReturneeDetails, requested onward.RequestOptions, today onward.Date,
	replies map[onward.ID]float64,
) scoring {
	s := scoring{
		country: reference.Country(profile.Country), person: matcher.NewPerson(profile, reference.Taxonomy(), today),
		taxonomy: reference.Taxonomy().Release(), requested: requested,
		options: matcher.Options{
			Today: today, Language: cmp.Or(requested.Language, profile.Language), Kinds: requested.Kinds, Limit: requested.Limit, Replies: replies,
		},
	}
	s.modelled = s.country.Model.Predict(destination.NewPerson(profile), today)
	s.spread = s.modelled
	if len(requested.Destination) > 0 {
		s.spread = destination.Stated(requested.Destination)
	}
	s.reach = matcher.NewReach(s.spread, s.country.Gazetteer, s.person)
	return s
}

// list makes a list of what was ranked.
func (s scoring) list(result matcher.Result) *onward.RankedList {
	list := &onward.RankedList{
		Versions:    onward.ListVersions{Taxonomy: s.taxonomy, Destination: s.country.Model.Version(), Matcher: matcher.Version, Places: s.country.Gazetteer.Digest()},
		Destination: s.spread.Destination(s.country.Gazetteer),
		Considered:  result.Considered,
		Referrals:   result.Referrals,
		NearMisses:  result.NearMisses,
		Unlocks:     result.Unlocks,
		Question:    result.Question,
	}
	if s.spread.Overridden {
		list.Destination.Reason = s.requested.DestinationReason
		modelled := s.modelled.Destination(s.country.Gazetteer).Places
		list.Destination.Modelled = modelled[:min(len(modelled), modelledShown)]
	}
	sentences.In(s.options.Language).List(list)
	return list
}

// rank works out a list: likely destination, reach, the index's best openings, and their exact scores. It also returns
// what replaying it needs.
func rank(ctx context.Context, ranker Ranker, reference *catalogue.Catalogue, in store.MatchInput, today onward.Date,
	replies map[onward.ID]float64,
) (*onward.RankedList, store.MatchInputs, error) {
	inputs := store.MatchInputs{Today: today, Profile: in.Returnee.ReturneeDetails}
	s := newScoring(reference, in.Returnee.ReturneeDetails, in.Request.Options, today, replies)
	answer, result, err := indexer.List(ctx, ranker, s.person, s.reach, s.country.Gazetteer, s.options)
	if err != nil {
		return nil, inputs, err
	}
	list := s.list(result)
	list.AnsweredBy, list.Degraded, list.Versions.Returnee = answer.AnsweredBy, answer.Degraded, in.Returnee.Version
	inputs.Scored = make([]onward.Ref, len(answer.Hits))
	inputs.Replies, inputs.Organisations = map[onward.ID]float64{}, map[onward.ID]store.ScoredOrganisation{}
	for i, hit := range answer.Hits {
		o := &hit.Opening
		inputs.Scored[i] = onward.Ref{ID: o.ID, Version: o.Version}
		organisation := store.ScoredOrganisation{Name: o.Organisation, Country: inputs.Organisations[o.OrganisationID].Country}
		if o.PlaceID == 0 {
			organisation.Country = o.Country // it has none of its own
		}
		inputs.Organisations[o.OrganisationID] = organisation
		if share, ok := replies[o.OrganisationID]; ok {
			inputs.Replies[o.OrganisationID] = share
		}
	}
	return list, inputs, nil
}
