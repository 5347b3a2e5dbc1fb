package store

import (
	"context"
	"slices"

	"onward"
)

// EraseReturnee erases a person who asks for it: all consents end as by a withdrawal, then the key goes, and with it everything that was
// sealed under it, in every copy of the database in which that key is not. Figures keep counting what happened. Only a supervisor erases.
func (tx *Tx) EraseReturnee(ctx context.Context, id onward.ID) (w onward.Withdrawal, err error) {
	if tx.Actor.Role != onward.RoleSupervisor {
		return w, onward.Errorf(onward.EForbidden, "only supervisors erase people")
	}
	if err := tx.lockOnCaseload(ctx, id); err != nil {
		return w, err
	}
	r, err := tx.Returnee(ctx, id)
	if err != nil {
		return w, err
	}
	erased := onward.ReturneeDetails{Country: r.Country}
	purposes := slices.DeleteFunc(onward.ConsentPurposes(), func(p onward.ConsentPurpose) bool {
		return !slices.ContainsFunc(r.Consents, func(c onward.Consent) bool { return c.Purpose == p })
	})
	if err := tx.recordConsents(ctx, id, r.OrganisationID, onward.ConsentChanges(r.Consents, nil, tx.today())); err != nil {
		return w, err
	}
	// Matching ends in any case: nothing of the person may stay open.
	if !slices.Contains(purposes, onward.ConsentMatching) {
		purposes = append(purposes, onward.ConsentMatching)
	}
	if err := tx.endConsents(ctx, ending{person: id, of: r.OrganisationID, now: erased, purposes: purposes, cause: "erased"}); err != nil {
		return w, err
	}
	var done bool
	if err := tx.get(ctx, &done, `SELECT erase_returnee($1)`, id); err != nil {
		return w, wrap("erase returnee", err)
	}
	if !done {
		return w, onward.Errorf(onward.EConflict, "this person was erased already")
	}
	return tx.lastWithdrawal(ctx, id)
}

// Export is everything that is kept of a person, for the person. Only supervisors export.
func (tx *Tx) Export(ctx context.Context, id onward.ID) (e onward.Export, err error) {
	if tx.Actor.Role != onward.RoleSupervisor {
		return e, onward.Errorf(onward.EForbidden, "only supervisors answer requests for access")
	}
	if e.Returnee, err = tx.Returnee(ctx, id); err != nil {
		return e, err
	}
	tx.noteRead("export", nil, id)
	if e.Consents, err = tx.ConsentRecords(ctx, id); err != nil {
		return e, err
	}
	if e.Withdrawals, err = tx.Withdrawals(ctx, id); err != nil {
		return e, err
	}
	referrals, err := tx.Referrals(ctx, ReferralFilter{ReturneeID: id}, Cursor{Limit: exportLimit})
	if err != nil {
		return e, err
	}
	e.Referrals = referrals.Items
	placements, err := tx.Placements(ctx, PlacementFilter{ReturneeID: id}, Cursor{Limit: exportLimit})
	if err != nil {
		return e, err
	}
	e.Placements = placements.Items
	if e.Residences, err = tx.Residences(ctx, id); err != nil {
		return e, err
	}
	e.Audit, err = tx.Audit(ctx, id, 10_000)
	return e, err
}

// exportLimit is how many referrals and placements of a person are exported.
const exportLimit = 100
