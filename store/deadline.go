package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"onward"
)

const (
	// deadlineBatch is how many deadlines one transaction deals with.
	deadlineBatch = 100
	// endBatch is how many referrals of a closed opportunity one transaction ends.
	endBatch = 500
	// silences are how many unanswered referrals make an opening doubtful.
	silences = 2
	// reconfirmWithin is how long an organisation has to say that a doubtful opening stands.
	reconfirmWithin = 14 * 24 * time.Hour
)

// each runs fn on up to limit referrals that a condition finds, which others are not changing at this moment, and says how
// many there were. The condition is checked again under the lock, so that whoever comes second finds nothing to do.
func (s *Store) each(ctx context.Context, condition string, fn func(*Tx, *referralRow) error, args ...any) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []referralRow
		if err := tx.selectAll(ctx, &rows, selectReferral+`WHERE `+condition+` LIMIT $2 FOR UPDATE SKIP LOCKED`,
			append([]any{tx.now, deadlineBatch}, args...)...); err != nil {
			return err
		}
		n = len(rows)
		for i := range rows {
			if err := fn(tx, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// ExpireHolds gives back places whose time ran out: a referral that was sent expires, an offer to a waiting one passes on to
// the next. It says how many there were; at most a batch at once.
func (s *Store) ExpireHolds(ctx context.Context) (int, error) {
	n, err := s.each(ctx, `r.hold_until < $1 ORDER BY r.hold_until`, func(tx *Tx, r *referralRow) error {
		if r.Status == onward.ReferralDraft {
			return tx.passOffer(ctx, r)
		}
		reason := onward.ReasonNotStarted
		if r.Status == onward.ReferralRequested || r.HeldFrom == onward.ReferralRequested {
			reason = onward.ReasonNoAnswer
		}
		return tx.move(ctx, r, onward.PartySystem, onward.ReferralChange{Event: onward.ReferralExpire, Reason: reason}, 0)
	})
	return n, wrap("expire holds", err)
}

// passOffer takes back the offer of a place that no one took up. The referral goes to the end of the waiting list.
func (tx *Tx) passOffer(ctx context.Context, r *referralRow) error {
	now := tx.now
	r.HoldUntil, r.WaitingFrom = nil, &now
	if err := tx.saveStep(ctx, r, "offer_passed", r.Status, onward.PartySystem, ""); err != nil {
		return err
	}
	return tx.changePlaces(ctx, r.OpportunityID, -1, 0)
}

// RemindRecipients tells organisations once, at half time, that an answer is due.
func (s *Store) RemindRecipients(ctx context.Context) (int, error) {
	n, err := s.each(ctx, `r.remind_at < $1 ORDER BY r.remind_at`, func(tx *Tx, r *referralRow) error {
		r.RemindAt = nil
		if _, err := tx.exec(ctx, `UPDATE referrals SET remind_at = NULL WHERE id = $1`, r.ID); err != nil {
			return err
		}
		return tx.announce(ctx, r.event(onward.EventReferralReminder, r.RecipientID, onward.ID{}, onward.RoleEmployer))
	})
	return n, wrap("remind recipients", err)
}

// MarkOverdue tells the agency's supervisors, once, that an organisation did not answer in time; its habits count it, and
// its opening is to be reconfirmed when that happened before.
func (s *Store) MarkOverdue(ctx context.Context) (int, error) {
	n, err := s.each(ctx, `r.status = 'requested' AND r.overdue_at IS NULL AND r.reply_due_at < $1 ORDER BY r.reply_due_at`, func(tx *Tx, r *referralRow) error {
		if _, err := tx.exec(ctx, `UPDATE referrals SET overdue_at = $2 WHERE id = $1`, r.ID, tx.now); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `SELECT count_reply($1, 0)`, r.RecipientID); err != nil {
			return err
		}
		events := []onward.Event{r.event(onward.EventReferralOverdue, r.OrganisationID, onward.ID{}, onward.RoleSupervisor)}
		asked, err := tx.doubt(ctx, r)
		if err != nil {
			return err
		}
		if asked {
			events = append(events, onward.Event{Kind: onward.EventReconfirm, OrganisationID: r.RecipientID, Role: onward.RoleEmployer, SubjectID: r.OpportunityID})
		}
		return tx.announce(ctx, events...)
	})
	return n, wrap("mark overdue answers", err)
}

// doubt queues an opening for reconfirmation when it was silent too often since it was last confirmed.
func (tx *Tx) doubt(ctx context.Context, r *referralRow) (bool, error) {
	n, err := tx.exec(ctx, `INSERT INTO reconfirmations AS c (opportunity_id, organisation_id, asked_at, due_at)
		SELECT $1, $2, $3, $4 FROM opportunities o LEFT JOIN reconfirmations b ON b.opportunity_id = o.id
		WHERE o.id = $1 AND o.status = 'open' AND (SELECT count(*) FROM referrals q WHERE q.opportunity_id = o.id AND q.overdue_at > coalesce(b.confirmed_at, '-infinity')) >= $5
		ON CONFLICT (opportunity_id) DO UPDATE SET asked_at = excluded.asked_at, due_at = excluded.due_at, confirmed_at = NULL WHERE c.confirmed_at IS NOT NULL`,
		r.OpportunityID, r.RecipientID, tx.now, tx.now.Add(reconfirmWithin), silences)
	return n > 0, err
}

// PauseUnconfirmed pauses openings whose organisation did not say in time that they still stand.
func (s *Store) PauseUnconfirmed(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var ids []onward.ID
		err := tx.selectAll(ctx, &ids, `SELECT c.opportunity_id FROM reconfirmations c JOIN opportunities o ON o.id = c.opportunity_id AND o.status = 'open'
			WHERE c.confirmed_at IS NULL AND c.due_at < $1 ORDER BY c.due_at LIMIT $2`, tx.now, deadlineBatch)
		if err != nil {
			return err
		}
		n = len(ids)
		for _, id := range ids {
			if _, err := tx.ChangeOpportunity(ctx, id, 0, onward.EventPause, ""); err != nil && onward.CodeOf(err) != onward.EConflict {
				return err
			}
		}
		return nil
	})
	return n, wrap("pause what is not confirmed", err)
}

// ConfirmOpportunity is the organisation's word that an opening still stands. EConflict when no one asked.
func (tx *Tx) ConfirmOpportunity(ctx context.Context, id onward.ID) (onward.Opportunity, error) {
	o, err := tx.lockOpportunity(ctx, id, 0)
	if err != nil {
		return o, err
	}
	n, err := tx.exec(ctx, `UPDATE reconfirmations SET confirmed_at = $2 WHERE opportunity_id = $1 AND confirmed_at IS NULL`, id, tx.now)
	if err == nil && n == 0 {
		return o, onward.Errorf(onward.EConflict, "no one asked whether it still stands")
	}
	return o, wrap("confirm opportunity", err)
}

// OfferPlaces holds the free places of an opportunity for those who wait, in order, and finishes the work. Who already has an
// offer keeps it: the same work twice changes nothing.
func (s *Store) OfferPlaces(ctx context.Context, opportunity onward.ID) error {
	for {
		more := false
		err := s.InTx(ctx, onward.System(), func(tx *Tx) (err error) {
			more, err = tx.offerPlace(ctx, opportunity)
			return err
		})
		if err != nil || !more {
			return wrap("offer places", err)
		}
	}
}

// offerPlace holds one place for the first who waits, and says whether there may be another.
func (tx *Tx) offerPlace(ctx context.Context, opportunity onward.ID) (more bool, err error) {
	var first onward.ID
	err = tx.get(ctx, &first, `SELECT r.id FROM referrals r WHERE r.opportunity_id = $1 AND r.waiting_from IS NOT NULL AND r.hold_until IS NULL AND r.status = 'draft'
		ORDER BY r.waiting_from, r.id LIMIT 1`, opportunity)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	var row referralRow
	if err := tx.get(ctx, &row, selectReferral+`WHERE r.id = $1 FOR UPDATE`, first); err != nil {
		return false, err
	}
	if row.WaitingFrom == nil || row.HoldUntil != nil || row.Status != onward.ReferralDraft {
		return true, nil // it was changed while this waited for it: look who is first now
	}
	version, err := tx.tryPlaces(ctx, opportunity, 1, 0, true)
	if err != nil || version == 0 {
		return false, err
	}
	until := tx.now.Add(onward.OfferFor)
	row.HoldUntil = &until
	if err := tx.saveStep(ctx, &row, "offer", row.Status, onward.PartySystem, ""); err != nil {
		return false, err
	}
	return true, tx.announce(ctx, row.event(onward.EventReferralOffered, row.OrganisationID, row.CreatedBy, ""))
}

// referralsToEnd are the referrals of a closed opportunity ($1) that a rule ends ($2: the default rules). A row that another
// transaction changes while this one waits for its lock is looked at again by what stands in ON and WHERE, but not by what stands
// in the lateral: so the status of the rule is compared here once more.
const referralsToEnd = `FROM opportunities o JOIN referrals r ON r.opportunity_id = o.id
	JOIN LATERAL (
		SELECT event, reason, status FROM (
			SELECT c.event, c.reason, c.status, 0 AS place FROM close_rules c WHERE c.organisation_id = r.organisation_id AND c.close_reason = o.close_reason AND c.status = r.status
			UNION ALL
			SELECT coalesce(d.event, ''), coalesce(d.reason, ''), d.status, 1 FROM jsonb_to_recordset($2::jsonb) d(close_reason text, status text, event text, reason text)
			WHERE d.close_reason = o.close_reason AND d.status = r.status) rules ORDER BY place LIMIT 1) u ON u.event <> ''
	WHERE o.id = $1 AND o.status = 'closed' AND u.status = r.status`

// EndReferrals ends a batch of the referrals of a closed opportunity by the rules of their agencies, and says whether there
// are more. What is ended is ended for good, so that it resumes after a crash where it was; each is told of once, however many
// do this at the same time.
func (s *Store) EndReferrals(ctx context.Context, opportunity onward.ID) (more bool, err error) {
	rules, err := json.Marshal(onward.DefaultCloseRules())
	if err != nil {
		return false, wrap("end referrals", err)
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var done struct {
			Ended int `db:"ended"`
			Held  int `db:"held"`
		}
		err := tx.get(ctx, &done, `WITH due AS (
				SELECT r.id, r.status, r.hold_until IS NOT NULL AS held, r.status = 'requested' AND r.overdue_at IS NULL AND u.event = 'decline' AS answers,
					u.event, u.reason, r.organisation_id, r.created_by, r.recipient_id
				`+referralsToEnd+` ORDER BY r.id LIMIT $3 FOR UPDATE OF r),
			moved AS (
				UPDATE referrals r SET version = r.version + 1, ended_from = r.status, reason = d.reason, held_from = '', hold_until = NULL, remind_at = NULL,
					waiting_from = NULL, ended_at = $4, updated_at = $4, answered_at = CASE WHEN d.answers THEN $4 ELSE r.answered_at END,
					status = CASE d.event WHEN 'decline' THEN 'declined' WHEN 'fail' THEN 'failed' WHEN 'withdraw' THEN 'withdrawn' ELSE 'revoked' END
				FROM due d WHERE r.id = d.id RETURNING r.id, r.status),
			steps AS (
				INSERT INTO referral_steps (referral_id, organisation_id, at, event, from_status, to_status, party, reason)
				SELECT d.id, d.organisation_id, $4, d.event, d.status, m.status, 'system', d.reason FROM due d JOIN moved m ON m.id = d.id),
			told AS (
				INSERT INTO events (id, kind, organisation_id, user_id, subject_id, status, at)
				SELECT new_id(), 'referral.ended', d.organisation_id, d.created_by, d.id, m.status, $4 FROM due d JOIN moved m ON m.id = d.id RETURNING id),
			promised AS (
				INSERT INTO outbox (kind, payload) SELECT $5, jsonb_agg(jsonb_build_object('id', id)) FROM told HAVING count(*) > 0)
			SELECT count(*) AS ended, count(*) FILTER (WHERE held) AS held FROM due`, opportunity, string(rules), endBatch, tx.now, string(onward.WorkTell))
		if err != nil {
			return err
		}
		if more = done.Ended > 0; more {
			return tx.changePlaces(ctx, opportunity, -done.Held, 0)
		}
		return tx.get(ctx, &more, `SELECT EXISTS (SELECT `+referralsToEnd+`)`, opportunity, string(rules))
	})
	return more, wrap("end referrals", err)
}
