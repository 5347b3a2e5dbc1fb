package store

import (
	"context"
	"encoding/json"
	"time"

	"onward"
)

// CaseloadDue is what is to be seen to of the people of one counsellor (zero: of the whole agency), the most pressing first. At
// most 500 lines.
func (tx *Tx) CaseloadDue(ctx context.Context, counsellor onward.ID) ([]onward.CaseloadLine, error) {
	if !tx.Actor.HandlesReturnees() {
		return nil, onward.Errorf(onward.EForbidden, "only counsellors and supervisors have a caseload")
	}
	var rows []struct {
		Due        string                `db:"due"`
		ReturneeID onward.ID             `db:"returnee_id"`
		ReferralID onward.ID             `db:"referral_id"`
		SubjectID  onward.ID             `db:"subject_id"`
		Status     onward.ReferralStatus `db:"status"`
		By         *time.Time            `db:"by"`
		Press      int                   `db:"press"`
	}
	err := tx.selectAll(ctx, &rows, `WITH mine AS (
			SELECT r.* FROM referrals r WHERE r.organisation_id = $1 AND ($2::uuid IS NULL OR r.created_by = $2)
				AND r.status IN ('draft', 'requested', 'accepted', 'on_hold', 'in_progress', 'placed'))
		SELECT due, returnee_id, referral_id, subject_id, status, by, press FROM (
			SELECT 'alert' AS due, r.returnee_id, r.id AS referral_id, a.id AS subject_id, r.status, a.due_at AS by, 0 AS press
				FROM alerts a JOIN referrals r ON r.id = a.referral_id
				WHERE a.organisation_id = $1 AND a.resolved_at IS NULL AND ($2::uuid IS NULL OR r.created_by = $2 OR a.owner_id = $2)
			UNION ALL SELECT 'offer', returnee_id, id, id, status, hold_until, 1 FROM mine WHERE status = 'draft' AND hold_until IS NOT NULL
			UNION ALL SELECT 'question', returnee_id, id, id, status, reply_due_at, 2 FROM mine WHERE status = 'requested' AND question <> '' AND information = ''
			UNION ALL SELECT 'overdue', returnee_id, id, id, status, reply_due_at, 3 FROM mine WHERE status = 'requested' AND reply_due_at < $3
			UNION ALL SELECT 'hold_ends', returnee_id, id, id, status, hold_until, 4 FROM mine WHERE status IN ('requested', 'accepted', 'on_hold', 'in_progress') AND hold_until < $3 + interval '3 days'
			UNION ALL SELECT 'check_in', c.returnee_id, m.id, c.id, m.status, c.due_on, 5 FROM check_ins c JOIN placements p ON p.id = c.placement_id JOIN mine m ON m.id = p.referral_id
				WHERE c.organisation_id = $1 AND c.status = 'due' AND c.partner_id IS NULL
			UNION ALL SELECT 'confirm', m.returnee_id, m.id, p.id, m.status, p.created_at + interval '14 days', 6 FROM placements p JOIN mine m ON m.id = p.referral_id
				WHERE p.organisation_id = $1 AND p.ended_on IS NULL AND (p.organisation_said IS NULL OR p.returnee_said IS NULL)) due
		ORDER BY press, by NULLS LAST, subject_id LIMIT $4`, tx.Actor.OrganisationID, nilIfZero(counsellor), tx.now, mostListed)
	list := make([]onward.CaseloadLine, len(rows))
	for i, r := range rows {
		list[i] = onward.CaseloadLine{Due: r.Due, ReturneeID: r.ReturneeID, ReferralID: r.ReferralID, SubjectID: r.SubjectID, Status: r.Status, By: moment(r.By)}
	}
	return list, wrap("list what is due", err)
}

func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Openings are the actor's organisation's, with what is to be answered; those with the first deadline first.
func (tx *Tx) Openings(ctx context.Context) ([]onward.OpeningLine, error) {
	if !tx.Actor.PostsOpportunities() {
		return nil, onward.Errorf(onward.EForbidden, "only those who post opportunities have openings")
	}
	var rows []struct {
		ID       onward.ID                `db:"id"`
		Title    []byte                   `db:"title"`
		Status   onward.OpportunityStatus `db:"status"`
		Capacity int                      `db:"capacity"`
		Held     int                      `db:"held"`
		Placed   int                      `db:"placed"`
		ToAnswer int                      `db:"to_answer"`
		Overdue  int                      `db:"overdue"`
		AnswerBy *time.Time               `db:"answer_by"`
		Confirm  bool                     `db:"confirm"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT o.id, o.details -> 'title' AS title, o.status, o.capacity, o.held, o.placed, coalesce(q.to_answer, 0) AS to_answer, coalesce(q.overdue, 0) AS overdue,
			q.answer_by, EXISTS (SELECT FROM reconfirmations c WHERE c.opportunity_id = o.id AND c.confirmed_at IS NULL) AS confirm
		FROM opportunities o LEFT JOIN LATERAL (
			SELECT count(*) AS to_answer, count(*) FILTER (WHERE r.reply_due_at < $2) AS overdue, min(r.reply_due_at) AS answer_by
			FROM referrals r WHERE r.opportunity_id = o.id AND r.status = 'requested') q ON true
		WHERE o.organisation_id = $1 AND o.status <> 'closed' ORDER BY q.answer_by NULLS LAST, o.id DESC LIMIT $3`, tx.Actor.OrganisationID, tx.now, mostListed)
	if err != nil {
		return nil, wrap("list openings", err)
	}
	list := make([]onward.OpeningLine, len(rows))
	for i, r := range rows {
		list[i] = onward.OpeningLine{
			OpportunityID: r.ID, Status: r.Status, Capacity: r.Capacity, Held: r.Held, Placed: r.Placed, ToAnswer: r.ToAnswer, Overdue: r.Overdue,
			AnswerBy: moment(r.AnswerBy), Confirm: r.Confirm,
		}
		if err := json.Unmarshal(r.Title, &list[i].Title); err != nil {
			return nil, wrap("list openings", err)
		}
	}
	return list, nil
}

// Monitored are the placements that the actor's organisation monitors, with the next check-in; those that are due first.
func (tx *Tx) Monitored(ctx context.Context) ([]onward.MonitoredLine, error) {
	if tx.Actor.Role != onward.RolePartner {
		return nil, onward.Errorf(onward.EForbidden, "only partners monitor placements")
	}
	var rows []struct {
		PlacementID onward.ID           `db:"id"`
		ReturneeID  onward.ID           `db:"returnee_id"`
		Kind        onward.Kind         `db:"kind"`
		StartedOn   time.Time           `db:"started_on"`
		Confirmed   bool                `db:"confirmed"`
		LastSeenOn  *time.Time          `db:"last_seen_on"`
		CheckInID   onward.ID           `db:"check_in_id"`
		CheckInOn   *time.Time          `db:"due_on"`
		Due         bool                `db:"due"`
		EndedOn     *time.Time          `db:"ended_on"`
		EndReason   onward.PlacementEnd `db:"end_reason"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT p.id, p.returnee_id, p.kind, p.started_on, p.organisation_said IS NOT NULL AND p.returnee_said IS NOT NULL AS confirmed, p.last_seen_on,
			c.id AS check_in_id, c.due_on, coalesce(c.status = 'due', false) AS due, p.ended_on, p.end_reason
		FROM placements p LEFT JOIN LATERAL (
			SELECT c.id, c.due_on, c.status FROM check_ins c WHERE c.placement_id = p.id AND c.status IN ('planned', 'due') ORDER BY c.due_on, c.id LIMIT 1) c ON true
		WHERE p.partner_id = $1 ORDER BY c.due_on NULLS LAST, p.id DESC LIMIT $2`, tx.Actor.OrganisationID, mostListed)
	list := make([]onward.MonitoredLine, len(rows))
	for i, r := range rows {
		list[i] = onward.MonitoredLine{
			PlacementID: r.PlacementID, ReturneeID: r.ReturneeID, Kind: r.Kind, StartedOn: onward.DateOf(r.StartedOn), Confirmed: r.Confirmed,
			LastSeenOn: dateOf(r.LastSeenOn), CheckInID: r.CheckInID, CheckInOn: dateOf(r.CheckInOn), CheckInDue: r.Due, EndedOn: dateOf(r.EndedOn), EndReason: r.EndReason,
		}
	}
	return list, wrap("list monitored placements", err)
}
