package store

import (
	"context"

	"onward"
)

// SuspendOrganisation stops an organisation at once: its tokens, its links and, by work that follows, its openings and the
// referrals that it was sent. Who started stays. Only the system does. ENotFound if it is not there, EConflict if it is
// suspended already.
func (tx *Tx) SuspendOrganisation(ctx context.Context, slug, reason string) (onward.Organisation, error) {
	if err := onward.ValidateMessage("reason", reason); err != nil {
		return onward.Organisation{}, err
	}
	o, err := tx.OrganisationBySlug(ctx, slug)
	if err != nil {
		return o, err
	}
	if o.SuspendedAt != nil {
		return o, onward.Errorf(onward.EConflict, "it is suspended already")
	}
	if err := tx.get(ctx, &o, `UPDATE organisations SET suspended_at = $2, suspension = $3 WHERE id = $1 RETURNING *`, o.ID, tx.now, reason); err != nil {
		return o, wrap("suspend organisation", err)
	}
	return o, tx.promise(ctx, onward.WorkSuspend, onward.Ref{ID: o.ID})
}

// ReinstateOrganisation ends a suspension. Its openings stay paused until it publishes them again.
func (tx *Tx) ReinstateOrganisation(ctx context.Context, slug string) (onward.Organisation, error) {
	o, err := tx.OrganisationBySlug(ctx, slug)
	if err != nil {
		return o, err
	}
	if o.SuspendedAt == nil {
		return o, onward.Errorf(onward.EConflict, "it is not suspended")
	}
	err = tx.get(ctx, &o, `UPDATE organisations SET suspended_at = NULL, suspension = '' WHERE id = $1 RETURNING *`, o.ID)
	return o, wrap("reinstate organisation", err)
}

// CarryOutSuspension pauses a batch of the openings of a suspended organisation and revokes a batch of what it was sent and
// no one started, and says whether there may be more. It does nothing when the suspension was lifted meanwhile.
func (s *Store) CarryOutSuspension(ctx context.Context, organisation onward.ID) (more bool, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var open []onward.ID
		err := tx.selectAll(ctx, &open, `SELECT o.id FROM opportunities o JOIN organisations g ON g.id = o.organisation_id
			WHERE g.id = $1 AND g.suspended_at IS NOT NULL AND o.status = 'open' ORDER BY o.id LIMIT $2`, organisation, deadlineBatch)
		if err != nil {
			return err
		}
		more = len(open) == deadlineBatch
		for _, id := range open {
			if _, err := tx.ChangeOpportunity(ctx, id, 0, onward.EventPause, ""); err != nil && onward.CodeOf(err) != onward.EConflict {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, wrap("carry out suspension", err)
	}
	n, err := s.each(ctx, `r.recipient_id = $3 AND r.created_at <= $1 AND r.status IN ('requested', 'accepted', 'on_hold', 'in_progress')
		AND EXISTS (SELECT FROM organisations g WHERE g.id = $3 AND g.suspended_at IS NOT NULL)`,
		func(tx *Tx, r *referralRow) error {
			return tx.move(ctx, r, onward.PartySystem, onward.ReferralChange{Event: onward.ReferralRevoke, Reason: onward.ReasonSuspended}, 0)
		}, organisation)
	return more || n == deadlineBatch, wrap("carry out suspension", err)
}
