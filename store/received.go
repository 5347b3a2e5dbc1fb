package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onward"
)

// received is the referral as its recipient sees it, without what was written in it.
func (r *receivedRow) received(now time.Time) onward.ReceivedReferral {
	return onward.ReceivedReferral{
		ID: r.ID, Version: r.Version, OpportunityID: r.OpportunityID, AgencyID: r.OrganisationID, Agency: r.Agency, Pseudonym: r.Pseudonym, Status: r.Status,
		Reason: shownToRecipient(r.Reason), Urgency: r.Urgency, HoldUntil: r.HoldUntil,
		ReplyDueAt: r.ReplyDueAt, Overdue: r.overdue(now), SentAt: r.SentAt, AnsweredAt: r.AnsweredAt, EndedAt: r.EndedAt,
	}
}

type receivedRow struct {
	referralRow
	Agency string `db:"agency"`
}

// allReceived are those of a recipient, with what was written in them.
func (tx *Tx) allReceived(ctx context.Context, rows []receivedRow) ([]onward.ReceivedReferral, error) {
	list := make([]onward.ReceivedReferral, len(rows))
	texts := make([]text, 0, 2*len(rows))
	for i := range rows {
		r, o := &rows[i], &list[i]
		*o = r.received(tx.now)
		texts = append(texts, r.text("question", r.Question, &o.Question), r.text("information", r.Information, &o.Information))
	}
	return list, wrap("read what was written", tx.openTexts(ctx, texts))
}

// receivedOf is one of them.
func (tx *Tx) receivedOf(ctx context.Context, row *receivedRow) (onward.ReceivedReferral, error) {
	list, err := tx.allReceived(ctx, []receivedRow{*row})
	return list[0], err
}

const selectReceived = `SELECT ` + referralColumns + `, g.name AS agency FROM referrals r JOIN organisations g ON g.id = r.organisation_id `

// ReceivedReferral reads one as the organisation that it was sent to sees it. ENotFound if there is no such one.
func (tx *Tx) ReceivedReferral(ctx context.Context, id onward.ID) (onward.ReceivedReferral, error) {
	var row receivedRow
	if !tx.Actor.PostsOpportunities() {
		return onward.ReceivedReferral{}, errNoReferral()
	}
	err := tx.get(ctx, &row, selectReceived+`WHERE r.id = $1 AND r.status <> 'draft' AND ($2::uuid IS NULL OR r.recipient_id = $2)`, id, nilIfZero(tx.Actor.OrganisationID))
	if errors.Is(err, sql.ErrNoRows) {
		return onward.ReceivedReferral{}, errNoReferral()
	}
	if err != nil {
		return onward.ReceivedReferral{}, wrap("read referral", err)
	}
	return tx.receivedOf(ctx, &row)
}

// ReceivedReferrals lists those that were sent to the actor's organisation, newest first.
func (tx *Tx) ReceivedReferrals(ctx context.Context, f ReferralFilter, cursor Cursor) (Page[onward.ReceivedReferral], error) {
	var page Page[onward.ReceivedReferral]
	if !tx.Actor.PostsOpportunities() {
		return page, onward.Errorf(onward.EForbidden, "only those who post opportunities receive referrals")
	}
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	var rows []receivedRow
	err = tx.selectAll(ctx, &rows, selectReceived+`
		WHERE r.id < $1 AND r.status <> 'draft' AND r.recipient_id = $2 AND ($3::text = '' OR r.status = $3) AND ($4::uuid IS NULL OR r.opportunity_id = $4)
		  AND (NOT $5 OR (r.status = 'requested' AND r.reply_due_at < $6)) ORDER BY r.id DESC LIMIT $7`,
		after, tx.Actor.OrganisationID, string(f.Status), f.OpportunityID, f.Overdue, tx.now, limit+1)
	if err != nil {
		return page, wrap("list received referrals", err)
	}
	list, err := tx.allReceived(ctx, rows)
	if err != nil {
		return page, err
	}
	return pageOf(list, limit, func(r onward.ReceivedReferral) onward.ID { return r.ID }), nil
}

// ChangeReceivedReferral is ChangeReferral by the recipient.
func (tx *Tx) ChangeReceivedReferral(ctx context.Context, id onward.ID, version int64, c onward.ReferralChange) (onward.ReceivedReferral, error) {
	if _, err := tx.ReceivedReferral(ctx, id); err != nil {
		return onward.ReceivedReferral{}, err
	}
	if _, err := tx.ChangeReferral(ctx, id, version, c); err != nil {
		return onward.ReceivedReferral{}, err
	}
	return tx.ReceivedReferral(ctx, id)
}

// Ask is a recipient's question before it answers: the referral stays requested. EConflict when it has been answered.
func (tx *Tx) Ask(ctx context.Context, id onward.ID, version int64, question string) (onward.ReceivedReferral, error) {
	if err := onward.ValidateMessage("question", question); err != nil {
		return onward.ReceivedReferral{}, err
	}
	if _, err := tx.ReceivedReferral(ctx, id); err != nil {
		return onward.ReceivedReferral{}, err
	}
	row, _, err := tx.lockReferral(ctx, id, version)
	if err != nil {
		return onward.ReceivedReferral{}, err
	}
	if err := tx.ask(ctx, row, question); err != nil {
		return onward.ReceivedReferral{}, err
	}
	return tx.ReceivedReferral(ctx, id)
}

func (tx *Tx) ask(ctx context.Context, r *referralRow, question string) error {
	if r.Status != onward.ReferralRequested {
		return onward.Errorf(onward.EConflict, "a referral that is %s needs no answer; read it again for its present state", r.Status)
	}
	if err := tx.write(ctx, r, "question", question, &r.Question); err != nil {
		return err
	}
	r.Information = ""
	if err := tx.saveStep(ctx, r, "ask", r.Status, onward.PartyRecipient, ""); err != nil {
		return err
	}
	return tx.announce(ctx, r.event(onward.EventReferralQuestion, r.OrganisationID, r.CreatedBy, ""))
}

// Inform is the agency's answer to the recipient's question. The time for the recipient's answer begins anew.
func (tx *Tx) Inform(ctx context.Context, id onward.ID, version int64, information string) (onward.Referral, error) {
	if err := onward.ValidateMessage("information", information); err != nil {
		return onward.Referral{}, err
	}
	row, party, err := tx.lockReferral(ctx, id, version)
	if err != nil {
		return onward.Referral{}, err
	}
	switch {
	case party != onward.PartyAgency:
		return onward.Referral{}, errNoReferral()
	case row.Status != onward.ReferralRequested || row.Question == "":
		return onward.Referral{}, onward.Errorf(onward.EConflict, "no question of the recipient is open; read it again for its present state")
	}
	tx.askForReply(row)
	if err := tx.write(ctx, row, "information", information, &row.Information); err != nil {
		return onward.Referral{}, err
	}
	if err := tx.saveStep(ctx, row, "inform", row.Status, party, ""); err != nil {
		return onward.Referral{}, err
	}
	if err := tx.announce(ctx, row.event(onward.EventReferralInformed, row.RecipientID, onward.ID{}, onward.RoleEmployer)); err != nil {
		return onward.Referral{}, err
	}
	return tx.referralOf(ctx, row)
}

// SharedIdentity is the name and the phone of a person, for the organisation that accepted them and while they agree to be
// shown. ENotFound otherwise.
func (tx *Tx) SharedIdentity(ctx context.Context, referral onward.ID) (onward.SharedIdentity, error) {
	var who onward.SharedIdentity
	var text []byte
	if err := tx.get(ctx, &text, `SELECT shared_identity($1, $2)`, referral, tx.today().String()); err != nil {
		return who, wrap("read shared identity", err)
	}
	if text == nil {
		return who, onward.Errorf(onward.ENotFound, "who it is is shown once you accepted the referral, and while the person agrees")
	}
	id, language, err := tx.store.openShared(text, &who)
	who.Language = language
	tx.noteRead("shared_identity", []string{"given_name", "family_name", "phone"}, id)
	return who, wrap("read shared identity", err)
}
