package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"onward"
	"onward/store"
)

// transitionsResult is what bench transitions measured.
type transitionsResult struct {
	Machine   machine          `json:"machine"`
	Writers   int              `json:"writers"`
	One       transitionsCount `json:"one" doc:"All referrals to one opportunity"`
	Across    transitionsCount `json:"across" doc:"One referral to each of many opportunities"`
	PeakMB    float64          `json:"peak_memory_mb"`
	Referrals int              `json:"referrals"`
}

type transitionsCount struct {
	Opportunities int         `json:"opportunities"`
	Transitions   int         `json:"transitions"`
	PerSecond     float64     `json:"per_second"`
	Each          percentiles `json:"each" doc:"One transition, from begin to commit, with the wait for a connection"`
}

func newBenchTransitions(o *options) *cobra.Command {
	f := &benchFlags{}
	var referrals, writers int
	c := &cobra.Command{
		Use: "transitions", Short: "Send, accept, begin and withdraw referrals, all to one opportunity and across many", Args: cobra.NoArgs,
		Long: "Many writers move referrals through four transitions each, in the store: each is a transaction with its hold, history, event and\n" +
			"promises. First all are to one opportunity, where they wait for each other, then each is to another. The workers run beside.",
		RunE: func(c *cobra.Command, _ []string) error {
			return benchTransitions(c.Context(), o, f, referrals, writers)
		},
	}
	f.register(c, 10_000)
	c.Flags().IntVar(&referrals, "referrals", 2000, "referrals to the one opportunity")
	c.Flags().IntVar(&writers, "writers", 64, "how many write at once")
	return c
}

// transitionBench is who acts in a bench of transitions.
type transitionBench struct {
	store                 *store.Store
	counsellor, recipient onward.Actor
	details               onward.ReturneeDetails
	opening               onward.OpportunityDetails
}

func benchTransitions(ctx context.Context, o *options, f *benchFlags, referrals, writers int) error {
	s, stop, err := f.startBench(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	b, err := newTransitionBench(ctx, s.Store)
	if err != nil {
		return err
	}
	result := transitionsResult{Machine: s.machine(f), Writers: writers, Referrals: referrals}
	one, err := b.refer(ctx, 1, referrals)
	if err != nil {
		return err
	}
	many, err := b.refer(ctx, f.opportunities, f.opportunities)
	if err != nil {
		return err
	}
	stopProfile, err := f.profile()
	if err != nil {
		return err
	}
	if result.One, err = b.run(ctx, one, writers); err != nil {
		return err
	}
	if result.Across, err = b.run(ctx, many, writers); err != nil {
		return err
	}
	stopProfile()
	result.One.Opportunities, result.Across.Opportunities, result.PeakMB = 1, f.opportunities, peakMemoryMB()
	return f.printResult(result, fmt.Sprintf("%d writers (Postgres %s, Redis %s)\none opportunity: %d transitions, %.0f/s, each %s\n"+
		"%d opportunities: %d transitions, %.0f/s, each %s\n", writers, result.Machine.Postgres, result.Machine.Redis,
		result.One.Transitions, result.One.PerSecond, result.One.Each, f.opportunities, result.Across.Transitions, result.Across.PerSecond, result.Across.Each))
}

func newTransitionBench(ctx context.Context, db *store.Store) (*transitionBench, error) {
	today := db.Today()
	made, err := generateCaseload(demoSeed, today)
	if err != nil {
		return nil, err
	}
	b := &transitionBench{store: db, details: made.Returnees[0], opening: made.Opportunities[0].Details}
	b.details.Consents = nil
	for _, purpose := range onward.ConsentPurposes() {
		b.details.Consents = append(b.details.Consents, onward.Consent{Purpose: purpose, GivenOn: today})
	}
	b.details.ExternalID, b.details.Safety = "", onward.Safety{}
	b.opening.ExternalID, b.opening.Vetting, b.opening.VettedUntil = "", "", onward.Date{}
	err = db.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		for _, who := range []struct {
			actor *onward.Actor
			kind  onward.OrganisationKind
			role  onward.Role
		}{{&b.counsellor, onward.Agency, onward.RoleCounsellor}, {&b.recipient, onward.Employer, onward.RoleEmployer}} {
			g, err := tx.CreateOrganisation(ctx, onward.Organisation{Slug: "bench-" + string(who.kind), Name: "Bench", Kind: who.kind, Country: "MX"})
			if err != nil {
				return err
			}
			u, err := tx.CreateUser(ctx, onward.User{OrganisationID: g.ID, Name: "Bench", Email: string(who.kind) + "@bench.example.org", Role: who.role})
			if err != nil {
				return err
			}
			*who.actor = onward.Actor{UserID: u.ID, OrganisationID: g.ID, Role: who.role}
		}
		return nil
	})
	return b, err
}

// refer makes drafts of referrals of as many people, spread over openings with a place for each.
func (b *transitionBench) refer(ctx context.Context, openings, referrals int) ([]onward.ID, error) {
	const batch = 500
	details := b.opening
	details.Capacity = (referrals + openings - 1) / openings
	var posted, people []onward.ID
	for len(posted) < openings || len(people) < referrals {
		err := b.store.InTx(ctx, b.recipient, func(tx *store.Tx) error {
			list := make([]store.NewOpportunity, min(batch, openings-len(posted)))
			for i := range list {
				list[i] = store.NewOpportunity{Details: details, Publish: true}
			}
			created, err := tx.CreateOpportunities(ctx, list)
			for _, c := range created {
				if c.Err != nil {
					return c.Err
				}
				posted = append(posted, c.Ref.ID)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		err = b.store.InTx(ctx, b.counsellor, func(tx *store.Tx) error {
			list := make([]store.NewReturnee, min(batch, referrals-len(people)))
			for i := range list {
				list[i] = store.NewReturnee{Details: b.details}
			}
			created, err := tx.CreateReturnees(ctx, list)
			for _, c := range created {
				if c.Err != nil {
					return c.Err
				}
				people = append(people, c.Ref.ID)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	ids := make([]onward.ID, referrals)
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(8)
	for i := 0; i < referrals; i += batch {
		work.Go(func() error {
			return b.store.InTx(ctx, b.counsellor, func(tx *store.Tx) error {
				for k := i; k < min(referrals, i+batch); k++ {
					r, err := tx.CreateReferral(ctx, onward.ReferralDetails{ReturneeID: people[k], OpportunityID: posted[k%openings], ChoiceReason: onward.ChoiceOffList})
					if err != nil {
						return err
					}
					ids[k] = r.ID
				}
				return nil
			})
		})
	}
	return ids, work.Wait()
}

// run moves each referral through its transitions, one writer a referral at a time.
func (b *transitionBench) run(ctx context.Context, ids []onward.ID, writers int) (transitionsCount, error) {
	steps := []struct {
		actor onward.Actor
		onward.ReferralChange
	}{
		{b.counsellor, onward.ReferralChange{Event: onward.ReferralSend}},
		{b.recipient, onward.ReferralChange{Event: onward.ReferralAccept}},
		{b.recipient, onward.ReferralChange{Event: onward.ReferralBegin}},
		{b.counsellor, onward.ReferralChange{Event: onward.ReferralWithdraw, Reason: onward.ReasonOtherWork}},
	}
	var next atomic.Int64
	var mu sync.Mutex
	var each []time.Duration
	started := time.Now()
	work, ctx := errgroup.WithContext(ctx)
	for range writers {
		work.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(ids) {
					return nil
				}
				for _, step := range steps {
					begin := time.Now()
					err := b.store.InTx(ctx, step.actor, func(tx *store.Tx) error {
						_, err := tx.ChangeReferral(ctx, ids[i], 0, step.ReferralChange)
						return err
					})
					if err != nil {
						return err
					}
					mu.Lock()
					each = append(each, time.Since(begin))
					mu.Unlock()
				}
			}
		})
	}
	err := work.Wait()
	return transitionsCount{Transitions: len(each), PerSecond: float64(len(each)) / time.Since(started).Seconds(), Each: percentilesOf(each)}, err
}
