package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"onward"
)

// renewBefore is how long before a consent runs out the counsellor is asked to ask again.
const renewBefore = 30

// nextExpiry is the last day of the consent that runs out next, nil when none does.
func nextExpiry(d onward.ReturneeDetails, today onward.Date) *string {
	var next *string
	for _, c := range d.Consents {
		if c.Active(today) && !c.ExpiresOn.IsZero() {
			if day := c.ExpiresOn.String(); next == nil || day < *next {
				next = &day
			}
		}
	}
	return next
}

// recordConsents keeps what was said of consents, as it was said.
func (tx *Tx) recordConsents(ctx context.Context, returnee, organisation onward.ID, records []onward.ConsentRecord) error {
	for _, r := range records {
		body, err := marshal(r.Consent)
		if err != nil {
			return wrap("record consent", err)
		}
		if _, err := tx.exec(ctx, `INSERT INTO consent_records (id, organisation_id, returnee_id, what, consent, recorded_by, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			onward.NewID(), organisation, returnee, r.What, string(body), nilIfZero(tx.Actor.UserID), tx.now); err != nil {
			return wrap("record consent", err)
		}
	}
	return nil
}

// ConsentRecords lists what was said of the consents of a person, the latest first; at most 500.
func (tx *Tx) ConsentRecords(ctx context.Context, id onward.ID) ([]onward.ConsentRecord, error) {
	return tx.consentRecords(ctx, id, mostListed)
}

func (tx *Tx) consentRecords(ctx context.Context, id onward.ID, most int) ([]onward.ConsentRecord, error) {
	if err := tx.onCaseload(ctx, id); err != nil {
		return nil, err
	}
	var rows []struct {
		ID         onward.ID `db:"id"`
		What       string    `db:"what"`
		Consent    []byte    `db:"consent"`
		RecordedBy onward.ID `db:"recorded_by"`
		At         time.Time `db:"at"`
	}
	if err := tx.selectAll(ctx, &rows, `SELECT id, what, consent, recorded_by, at FROM consent_records WHERE returnee_id = $1 ORDER BY at DESC, id DESC LIMIT $2`, id, most); err != nil {
		return nil, wrap("read consents", err)
	}
	list := make([]onward.ConsentRecord, len(rows))
	for i, r := range rows {
		list[i] = onward.ConsentRecord{ID: r.ID, What: r.What, RecordedBy: r.RecordedBy, At: r.At}
		if err := json.Unmarshal(r.Consent, &list[i].Consent); err != nil {
			return nil, fmt.Errorf("read consent %s: %w", r.ID, err)
		}
	}
	return list, nil
}

// onCaseload is ENotFound for a person whom the actor may not see. It opens nothing.
func (tx *Tx) onCaseload(ctx context.Context, id onward.ID) error {
	if !tx.Actor.HandlesReturnees() {
		return onward.Errorf(onward.EForbidden, "only counsellors and supervisors see returnees")
	}
	var found bool
	err := tx.get(ctx, &found, `SELECT true FROM returnees WHERE id = $1`, id)
	return wrap("read returnee", notFound(err, "no returnee on your caseload has this id"))
}

// lockOnCaseload is onCaseload that keeps others from changing the person until the transaction ends.
func (tx *Tx) lockOnCaseload(ctx context.Context, id onward.ID) error {
	if err := tx.onCaseload(ctx, id); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `SELECT FROM returnees WHERE id = $1 FOR UPDATE`, id)
	return wrap("lock returnee", err)
}

// ending is the end of consents, or of the safety of what was open.
type ending struct {
	person   onward.ID
	of       onward.ID // the organisation of the caseload
	now      onward.ReturneeDetails
	purposes []onward.ConsentPurpose // that ended, for all or for some recipients
	cause    string
}

// endConsents does what the end of consents means, in this transaction: open referrals are revoked and their links with them, requests for
// a list stop, other copies go, and whoever was shown the person is asked to delete it.
func (tx *Tx) endConsents(ctx context.Context, e ending) error {
	revoked, err := tx.revokeUnwanted(ctx, e)
	if err != nil || len(e.purposes) == 0 {
		return err
	}
	requests := []onward.ID{}
	if slices.Contains(e.purposes, onward.ConsentMatching) {
		if err := tx.selectAll(ctx, &requests, `UPDATE referral_requests SET status = 'refused', refusal = 'the consent to matching ended', ready_at = $2
			WHERE returnee_id = $1 AND status = 'queued' RETURNING id`, e.person, tx.now); err != nil {
			return wrap("stop requests", err)
		}
	}
	id := onward.NewID()
	purposes := make([]string, len(e.purposes))
	for i, p := range e.purposes {
		purposes[i] = string(p)
	}
	if _, err := tx.exec(ctx, `INSERT INTO withdrawals (id, organisation_id, returnee_id, purposes, cause, recorded_by, at, referrals, requests) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::uuid[], $9::uuid[])`,
		id, e.of, e.person, pq.Array(purposes), e.cause, nilIfZero(tx.Actor.UserID), tx.now, pq.Array(revoked), pq.Array(requests)); err != nil {
		return wrap("record withdrawal", err)
	}
	return tx.askToDelete(ctx, id, e)
}

// askToDelete asks whoever was shown who the person is, and may not know it any more: recipients that had said yes, but for those where the
// person works now, and partners that asked how it goes.
func (tx *Tx) askToDelete(ctx context.Context, withdrawal onward.ID, e ending) error {
	var shown []struct {
		ID        onward.ID               `db:"id"`
		Kind      onward.OrganisationKind `db:"kind"`
		Pseudonym onward.ID               `db:"pseudonym"`
		Partner   bool                    `db:"partner"`
	}
	if err := tx.selectAll(ctx, &shown, `SELECT o.id, o.kind, r.pseudonym, false AS partner FROM referrals r JOIN organisations o ON o.id = r.recipient_id
			WHERE r.returnee_id = $1 AND $2 AND r.status <> 'placed' AND EXISTS (SELECT FROM referral_steps s WHERE s.referral_id = r.id AND s.event = 'accept')
		UNION
		SELECT o.id, o.kind, c.returnee_id, true FROM check_ins c JOIN organisations o ON o.id = c.partner_id WHERE c.returnee_id = $1 AND $3 AND c.status IN ('due', 'done', 'missed')`,
		e.person, slices.Contains(e.purposes, onward.ConsentSharing), slices.Contains(e.purposes, onward.ConsentFollowUp)); err != nil {
		return wrap("find recipients", err)
	}
	var events []onward.Event
	for _, s := range shown {
		if !s.Partner && e.now.SharesWith(s.ID, s.Kind, tx.today()) {
			continue
		}
		id, role := onward.NewID(), onward.RoleEmployer
		if s.Partner {
			role = onward.RolePartner
		}
		if _, err := tx.exec(ctx, `INSERT INTO deletion_requests (id, withdrawal_id, organisation_id, recipient_id, pseudonym, asked_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			id, withdrawal, e.of, s.ID, s.Pseudonym, tx.now, tx.now.Add(onward.DeleteWithin)); err != nil {
			return wrap("ask to delete", err)
		}
		events = append(events, onward.Event{Kind: onward.EventDeletionRequested, OrganisationID: s.ID, Role: role, SubjectID: id})
	}
	return tx.announce(ctx, events...)
}

// WithdrawConsent ends the consents of a person for purposes. EConflict when there is none to end.
func (tx *Tx) WithdrawConsent(ctx context.Context, id onward.ID, w onward.WithdrawConsent) (onward.Withdrawal, error) {
	if err := w.Validate(); err != nil {
		return onward.Withdrawal{}, err
	}
	if err := tx.lockOnCaseload(ctx, id); err != nil {
		return onward.Withdrawal{}, err
	}
	r, err := tx.Returnee(ctx, id)
	if err != nil {
		return onward.Withdrawal{}, err
	}
	today := tx.today()
	if !slices.ContainsFunc(w.Purposes, func(p onward.ConsentPurpose) bool { return r.HasConsent(p, today) }) {
		return onward.Withdrawal{}, onward.Errorf(onward.EConflict, "no consent for this is active, so that none can be withdrawn")
	}
	r.Withdraw(w.Purposes, today)
	if _, err := tx.UpdateReturnee(ctx, id, r.Version, r.ReturneeDetails); err != nil {
		return onward.Withdrawal{}, err
	}
	return tx.lastWithdrawal(ctx, id)
}

// lastWithdrawal is the certificate of what this transaction ended.
func (tx *Tx) lastWithdrawal(ctx context.Context, id onward.ID) (onward.Withdrawal, error) {
	list, err := tx.Withdrawals(ctx, id)
	if err != nil {
		return onward.Withdrawal{}, err
	}
	return list[0], nil
}

// Withdrawals certify what the ends of a person's consents did, the latest first; at most 100.
func (tx *Tx) Withdrawals(ctx context.Context, id onward.ID) ([]onward.Withdrawal, error) {
	return tx.withdrawals(ctx, id, 100)
}

func (tx *Tx) withdrawals(ctx context.Context, id onward.ID, most int) ([]onward.Withdrawal, error) {
	if err := tx.onCaseload(ctx, id); err != nil {
		return nil, err
	}
	var rows []struct {
		ID         onward.ID      `db:"id"`
		Purposes   pq.StringArray `db:"purposes"`
		Cause      string         `db:"cause"`
		RecordedBy onward.ID      `db:"recorded_by"`
		At         time.Time      `db:"at"`
		Referrals  pq.StringArray `db:"referrals"`
		Requests   pq.StringArray `db:"requests"`
	}
	if err := tx.selectAll(ctx, &rows, `SELECT id, purposes, cause, recorded_by, at, referrals::text[] AS referrals, requests::text[] AS requests FROM withdrawals WHERE returnee_id = $1 ORDER BY at DESC, id DESC LIMIT $2`, id, most); err != nil {
		return nil, wrap("read withdrawals", err)
	}
	list := make([]onward.Withdrawal, len(rows))
	for i, r := range rows {
		list[i] = onward.Withdrawal{ID: r.ID, ReturneeID: id, Cause: r.Cause, RecordedBy: r.RecordedBy, At: r.At, Referrals: idsOf(r.Referrals), Requests: idsOf(r.Requests), Deletions: []onward.DeletionRequest{}, Complete: true}
		for _, p := range r.Purposes {
			list[i].Purposes = append(list[i].Purposes, onward.ConsentPurpose(p))
		}
		if err := tx.selectAll(ctx, &list[i].Deletions, `SELECT `+deletionColumns+` FROM deletion_requests WHERE withdrawal_id = $1 ORDER BY id`, r.ID); err != nil {
			return nil, wrap("read withdrawals", err)
		}
		for _, d := range list[i].Deletions {
			list[i].Complete = list[i].Complete && d.ConfirmedAt != nil
		}
	}
	return list, nil
}

const deletionColumns = `id, recipient_id, pseudonym, asked_at, due_at, confirmed_at, confirmed_by`

func idsOf(texts []string) []onward.ID {
	ids := make([]onward.ID, len(texts))
	for i, t := range texts {
		ids[i] = onward.MustParseID(t) // a uuid of Postgres
	}
	return ids
}

// DeletionRequests lists what the actor's organisation was asked to delete, what is not confirmed yet first.
func (tx *Tx) DeletionRequests(ctx context.Context) (list []onward.DeletionRequest, err error) {
	list = []onward.DeletionRequest{}
	return list, wrap("read deletion requests", tx.selectAll(ctx, &list, `SELECT `+deletionColumns+` FROM deletion_requests WHERE recipient_id = $1 ORDER BY confirmed_at IS NOT NULL, due_at LIMIT 500`,
		tx.Actor.OrganisationID))
}

// ConfirmDeletion records that the actor's organisation has deleted what it was shown. Again changes nothing.
func (tx *Tx) ConfirmDeletion(ctx context.Context, id onward.ID) (d onward.DeletionRequest, err error) {
	n, err := tx.exec(ctx, `UPDATE deletion_requests SET confirmed_at = $2, confirmed_by = $3 WHERE id = $1 AND recipient_id = $4 AND confirmed_at IS NULL`, id, tx.now, nilIfZero(tx.Actor.UserID), tx.Actor.OrganisationID)
	if err != nil {
		return d, wrap("confirm deletion", err)
	}
	var of struct {
		onward.DeletionRequest
		OrganisationID onward.ID `db:"organisation_id"`
		WithdrawalID   onward.ID `db:"withdrawal_id"`
	}
	if err := tx.get(ctx, &of, `SELECT organisation_id, withdrawal_id, `+deletionColumns+` FROM deletion_requests WHERE id = $1 AND recipient_id = $2`, id, tx.Actor.OrganisationID); err != nil {
		return d, wrap("confirm deletion", notFound(err, "no deletion that you were asked for has this id"))
	}
	if n > 0 {
		err = tx.announce(ctx, onward.Event{Kind: onward.EventDeletionConfirmed, OrganisationID: of.OrganisationID, Role: onward.RoleCounsellor, SubjectID: of.WithdrawalID})
	}
	return of.DeletionRequest, err
}

// RemindDeletions tells both sides, once, that a deletion was not confirmed in time.
func (s *Store) RemindDeletions(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []struct {
			ID             onward.ID `db:"id"`
			OrganisationID onward.ID `db:"organisation_id"`
			RecipientID    onward.ID `db:"recipient_id"`
		}
		if err := tx.selectAll(ctx, &rows, `UPDATE deletion_requests SET reminded_at = $1 WHERE id = ANY(ARRAY(SELECT id FROM deletion_requests
			WHERE confirmed_at IS NULL AND reminded_at IS NULL AND due_at < $1 LIMIT 500 FOR UPDATE SKIP LOCKED)) RETURNING id, organisation_id, recipient_id`, tx.now); err != nil {
			return err
		}
		n = len(rows)
		var events []onward.Event
		for _, r := range rows {
			events = append(events,
				onward.Event{Kind: onward.EventDeletionOverdue, OrganisationID: r.OrganisationID, Role: onward.RoleSupervisor, SubjectID: r.ID},
				onward.Event{Kind: onward.EventDeletionOverdue, OrganisationID: r.RecipientID, Role: onward.RoleAdministrator, SubjectID: r.ID})
		}
		return tx.announce(ctx, events...)
	})
	return n, wrap("remind of deletions", err)
}

// expiring are people with a consent that runs out, locked.
func (tx *Tx) expiring(ctx context.Context, where string, args ...any) ([]returneeRow, error) {
	var rows []returneeRow
	err := tx.selectAll(ctx, &rows, `SELECT r.id, r.organisation_id, r.counsellor_id, r.version, r.fictional, r.created_at, r.updated_at, r.details, NULL::jsonb AS identity, NULL::bytea AS key
		FROM returnees r WHERE `+where+` ORDER BY r.next_expiry LIMIT 100 FOR UPDATE SKIP LOCKED`, args...)
	return rows, err
}

// AskRenewals asks counsellors, once, to ask people again whose consent runs out within a month.
func (s *Store) AskRenewals(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		rows, err := tx.expiring(ctx, `r.next_expiry <= $1::date + $2::integer AND r.renewal_asked_on IS NULL`, tx.today().String(), renewBefore)
		if err != nil {
			return err
		}
		n = len(rows)
		for _, r := range rows {
			if _, err := tx.exec(ctx, `UPDATE returnees SET renewal_asked_on = $2 WHERE id = $1`, r.ID, tx.today().String()); err != nil {
				return err
			}
			e := onward.Event{Kind: onward.EventConsentExpiring, OrganisationID: r.OrganisationID, UserID: r.CounsellorID, SubjectID: r.ID}
			if r.CounsellorID.IsZero() {
				e.Role = onward.RoleSupervisor
			}
			if err := tx.announce(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	return n, wrap("ask for renewals", err)
}

// ExpireConsents does for consents that ran out what a withdrawal does.
func (s *Store) ExpireConsents(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		today := tx.today()
		rows, err := tx.expiring(ctx, `r.next_expiry < $1::date`, today.String())
		if err != nil {
			return err
		}
		n = len(rows)
		for _, row := range rows {
			r, err := s.returnee(row)
			if err != nil {
				return err
			}
			var records []onward.ConsentRecord
			var purposes []onward.ConsentPurpose
			for _, c := range r.Consents {
				if !c.Active(today) && c.WithdrawnOn.IsZero() && !c.ExpiresOn.IsZero() && c.Active(c.ExpiresOn) {
					records = append(records, onward.ConsentRecord{What: "expired", Consent: c})
					if !slices.Contains(purposes, c.Purpose) && !r.HasConsent(c.Purpose, today) {
						purposes = append(purposes, c.Purpose)
					}
				}
			}
			if _, err := tx.exec(ctx, `UPDATE returnees SET next_expiry = $2, renewal_asked_on = NULL WHERE id = $1`, r.ID, nextExpiry(r.ReturneeDetails, today)); err != nil {
				return err
			}
			if err := tx.recordConsents(ctx, r.ID, r.OrganisationID, records); err != nil {
				return err
			}
			if err := tx.endConsents(ctx, ending{person: r.ID, of: r.OrganisationID, now: r.ReturneeDetails, purposes: purposes, cause: "expired"}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, wrap("expire consents", err)
}
