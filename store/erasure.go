package store

import (
	"cmp"
	"context"
	"slices"

	"onward"
)

// EraseReturnee erases a person who asks for it: all consents end as by a withdrawal, then the key goes, and with it everything that was
// sealed under it, in every copy of the database in which that key is not. Figures keep counting what happened. Only a supervisor erases.
// Under a legal hold, EConflict: AskErasure notes it.
func (tx *Tx) EraseReturnee(ctx context.Context, id onward.ID) (w onward.Withdrawal, err error) {
	if tx.Actor.Role != onward.RoleSupervisor {
		return w, onward.Errorf(onward.EForbidden, "only supervisors erase people")
	}
	if err := tx.lockOnCaseload(ctx, id); err != nil {
		return w, err
	}
	if held, err := tx.onHold(ctx, tx.Actor.OrganisationID, id); err != nil || held {
		return w, cmp.Or(err, errHeld())
	}
	if err := tx.erase(ctx, id, "erased"); err != nil {
		return w, err
	}
	return tx.lastWithdrawal(ctx, id)
}

func errHeld() error {
	return onward.Errorf(onward.EConflict, "a legal hold keeps this person's data; the erasure is noted, and is carried out when the hold is released. All consents have ended")
}

// Erase is EraseReturnee in a transaction of its own, which under a legal hold ends the consents and notes that the person is to be erased.
func (s *Store) Erase(ctx context.Context, actor onward.Actor, id onward.ID) (w onward.Withdrawal, err error) {
	held := false
	err = s.InTx(ctx, actor, func(tx *Tx) error {
		held = false
		if w, err = tx.EraseReturnee(ctx, id); onward.CodeOf(err) != onward.EConflict {
			return err
		}
		kept, heldErr := tx.onHold(ctx, actor.OrganisationID, id)
		if heldErr != nil || !kept {
			return cmp.Or(heldErr, err) // erased already
		}
		held = true
		return tx.AskErasure(ctx, id)
	})
	if err == nil && held {
		err = errHeld()
	}
	return w, err
}

// AskErasure notes that a person is to be erased when the legal hold ends, and ends all consents at once. Again changes nothing.
func (tx *Tx) AskErasure(ctx context.Context, id onward.ID) error {
	if tx.Actor.Role != onward.RoleSupervisor {
		return onward.Errorf(onward.EForbidden, "only supervisors erase people")
	}
	if err := tx.lockOnCaseload(ctx, id); err != nil {
		return err
	}
	r, err := tx.Returnee(ctx, id)
	if err != nil {
		return err
	}
	purposes := slices.DeleteFunc(onward.ConsentPurposes(), func(p onward.ConsentPurpose) bool { return !r.HasConsent(p, tx.today()) })
	if len(purposes) > 0 {
		if _, err := tx.WithdrawConsent(ctx, id, onward.WithdrawConsent{Purposes: purposes}); err != nil {
			return err
		}
	}
	_, err = tx.exec(ctx, `INSERT INTO erasure_requests (returnee_id, organisation_id, asked_by, asked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, id, r.OrganisationID, nilIfZero(tx.Actor.UserID), tx.now)
	return wrap("note erasure", err)
}

// CarryOutErasures erases those who asked for it while a legal hold kept their data, and are free now: each in a transaction of its own. It
// says how many there were.
func (s *Store) CarryOutErasures(ctx context.Context) (n int, err error) {
	actor := onward.System()
	actor.Why = "erasure asked for by the person"
	var free []struct {
		ID             onward.ID `db:"returnee_id"`
		OrganisationID onward.ID `db:"organisation_id"`
	}
	err = s.InTx(ctx, actor, func(tx *Tx) error {
		free = nil
		return tx.selectAll(ctx, &free, `SELECT returnee_id, organisation_id FROM erasure_requests WHERE done_at IS NULL AND NOT on_hold(organisation_id, returnee_id, 'returnee') ORDER BY asked_at LIMIT $1`, deadlineBatch)
	})
	for _, p := range free {
		if err != nil {
			break
		}
		err = s.InTx(ctx, actor, func(tx *Tx) error {
			var open bool
			if err := tx.get(ctx, &open, `SELECT EXISTS (SELECT FROM erasure_requests WHERE returnee_id = $1 AND done_at IS NULL FOR UPDATE)
				AND NOT on_hold($2, $1, 'returnee')`, p.ID, p.OrganisationID); err != nil || !open {
				return err
			}
			return tx.erase(ctx, p.ID, "erased")
		})
		n++
	}
	return n, wrap("carry out erasures", err)
}

// erase ends all consents and destroys the person's key. EConflict when the person is erased already, or held.
func (tx *Tx) erase(ctx context.Context, id onward.ID, cause string) error {
	r, err := tx.Returnee(ctx, id)
	if err != nil {
		return err
	}
	erased := onward.ReturneeDetails{Country: r.Country}
	purposes := slices.DeleteFunc(onward.ConsentPurposes(), func(p onward.ConsentPurpose) bool {
		return !slices.ContainsFunc(r.Consents, func(c onward.Consent) bool { return c.Purpose == p })
	})
	if err := tx.recordConsents(ctx, id, r.OrganisationID, onward.ConsentChanges(r.Consents, nil, tx.today())); err != nil {
		return err
	}
	// Matching ends in any case: nothing of the person may stay open.
	if !slices.Contains(purposes, onward.ConsentMatching) {
		purposes = append(purposes, onward.ConsentMatching)
	}
	if err := tx.endConsents(ctx, ending{person: id, of: r.OrganisationID, now: erased, purposes: purposes, cause: cause}); err != nil {
		return err
	}
	var done bool
	if err := tx.get(ctx, &done, `SELECT erase_returnee($1)`, id); err != nil {
		return wrap("erase returnee", err)
	}
	if !done {
		return onward.Errorf(onward.EConflict, "this person was erased already, or a legal hold keeps the data")
	}
	return nil
}
