package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"onward"
)

// decisionRow is the record of a decision, and what became of the list since.
type decisionRow struct {
	ReferralID onward.ID   `db:"referral_id"`
	ReturneeID onward.ID   `db:"returnee_id"`
	DecidedBy  onward.ID   `db:"decided_by"`
	Role       onward.Role `db:"role"`
	At         time.Time   `db:"at"`
	Body       []byte      `db:"body"`
	ListHash   string      `db:"list_hash"`
	List       string      `db:"list"`
}

const selectDecision = `SELECT d.referral_id, d.returnee_id, d.decided_by, d.role, d.at, d.body, coalesce(encode(d.list_hash, 'hex'), '') AS list_hash,
		CASE WHEN d.list_hash IS NULL THEN 'none' WHEN q.list IS NULL THEN 'gone' WHEN sha256(q.list) = d.list_hash THEN 'unchanged' ELSE 'altered' END AS list
	FROM referral_decisions d LEFT JOIN referral_requests q ON q.id = (d.body ->> 'request_id')::uuid `

func (row decisionRow) decision() (onward.Decision, error) {
	var d onward.Decision
	if err := json.Unmarshal(row.Body, &d); err != nil {
		return d, fmt.Errorf("read decision on referral %s: %w", row.ReferralID, err)
	}
	d.ReferralID, d.ReturneeID, d.DecidedBy, d.Role, d.At, d.ListHash, d.List = row.ReferralID, row.ReturneeID, row.DecidedBy, row.Role, row.At, row.ListHash, row.List
	return d, nil
}

// Decision reads the record of why somebody was referred, with the line of the list that it was chosen from while the list is there. ENotFound
// for who is not of the agency, and for a referral from before decisions were recorded.
func (tx *Tx) Decision(ctx context.Context, referral onward.ID) (d onward.Decision, line *onward.RankedReferral, err error) {
	if !tx.Actor.HandlesReturnees() {
		return d, nil, errNoReferral()
	}
	var row decisionRow
	if err := tx.get(ctx, &row, selectDecision+`WHERE d.referral_id = $1 AND ($2::uuid IS NULL OR d.organisation_id = $2)`, referral, nilIfZero(tx.Actor.OrganisationID)); err != nil {
		return d, nil, wrap("read decision", notFound(err, "no referral of yours has this id, or it is from before decisions were recorded"))
	}
	if d, err = row.decision(); err != nil || d.Line == nil || d.List != "unchanged" {
		return d, nil, err
	}
	request, err := tx.ReferralRequest(ctx, d.RequestID)
	if err != nil || request.List == nil {
		return d, nil, err
	}
	for i := range request.List.Referrals {
		if l := &request.List.Referrals[i]; l.Opportunity.ID == d.OpportunityID {
			line = l
		}
	}
	return d, line, nil
}

// Decisions are those about a person, the latest first.
func (tx *Tx) Decisions(ctx context.Context, returnee onward.ID) ([]onward.Decision, error) {
	if !tx.Actor.HandlesReturnees() {
		return nil, errNoReferral()
	}
	var rows []decisionRow
	if err := tx.selectAll(ctx, &rows, selectDecision+`WHERE d.returnee_id = $1 ORDER BY d.at DESC, d.referral_id`, returnee); err != nil {
		return nil, wrap("list decisions", err)
	}
	list := make([]onward.Decision, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = row.decision(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (tx *Tx) exportDecisions(ctx context.Context, e *onward.Export) (err error) {
	e.Decisions, err = tx.Decisions(ctx, e.Returnee.ID)
	return err
}
