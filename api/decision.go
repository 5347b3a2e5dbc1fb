package api

import (
	"cmp"
	"context"

	"onward"
	"onward/matcher"
	"onward/matcher/sentences"
	"onward/store"
)

type decisionInput struct {
	ID       onward.ID `path:"id"`
	Language string    `query:"language" enum:"en,fr,es,ar" doc:"Of the sentences; empty: the person's"`
}

type decisionOutput struct{ Body onward.Decision }

func (a *API) decision(ctx context.Context, in *decisionInput) (*decisionOutput, error) {
	d, err := inTx(ctx, a, func(tx *store.Tx) (onward.Decision, error) {
		d, line, err := tx.Decision(ctx, in.ID)
		if err != nil {
			return d, err
		}
		language := in.Language
		if language == "" {
			if language, err = tx.ReturneeLanguage(ctx, d.ReturneeID); err != nil {
				return d, err
			}
		}
		if line != nil {
			one := onward.RankedList{Referrals: []onward.RankedReferral{*line}}
			matcher.RelabelList(&one, a.catalogue.Current().Taxonomy(), cmp.Or(language, "en"))
			line = &one.Referrals[0]
		}
		d.Sentences = sentences.In(language).Decision(d, line)
		return d, nil
	})
	return &decisionOutput{Body: d}, err
}
