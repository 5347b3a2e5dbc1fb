package store

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"onward"
)

// Export is everything that is kept of a person, for the person: whole, however much it is. Only supervisors export.
func (tx *Tx) Export(ctx context.Context, id onward.ID) (e onward.Export, err error) {
	if tx.Actor.Role != onward.RoleSupervisor {
		return e, onward.Errorf(onward.EForbidden, "only supervisors answer requests for access")
	}
	e.At = tx.now
	if e.Returnee, err = tx.Returnee(ctx, id); err != nil {
		return e, err
	}
	tx.noteRead("export", nil, id)
	for _, part := range []func(context.Context, *onward.Export) error{
		tx.exportKept, tx.exportConsents, tx.exportRequests, tx.exportReferrals, tx.exportDecisions, tx.exportPlacements, tx.exportCheckIns, tx.exportAlerts, tx.exportHome, tx.exportAudit, tx.exportNames,
	} {
		if err := part(ctx, &e); err != nil {
			return e, wrap("export", err)
		}
	}
	return e, nil
}

// all reads every page of a list.
func all[T any](read func(Cursor) (Page[T], error)) ([]T, error) {
	list := []T{}
	for cursor := (Cursor{Limit: 200}); ; {
		page, err := read(cursor)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Items...)
		if page.Next == "" {
			return list, nil
		}
		cursor.After = page.Next
	}
}

// exportKept is until when the person is kept.
func (tx *Tx) exportKept(ctx context.Context, e *onward.Export) error {
	id, organisation := e.Returnee.ID, e.Returnee.OrganisationID
	rule, err := tx.ruleOf(ctx, organisation, onward.KeepsReturnee)
	if err != nil {
		return err
	}
	var row struct {
		Since  *time.Time `db:"since"`
		Until  *time.Time `db:"until"`
		Reason sealedText `db:"reason"`
		Held   bool       `db:"held"`
		Asked  *time.Time `db:"asked"`
	}
	// Ages hence: who is not due even then has something open.
	if err := tx.get(ctx, &row, `SELECT (SELECT since FROM retention_due('returnee', $2, $3, $4::date, $1, 1)) AS since, x.until, coalesce(x.reason, '') AS reason, on_hold($2, $1, 'returnee') AS held,
			(SELECT asked_at FROM erasure_requests q WHERE q.returnee_id = $1 AND q.done_at IS NULL) AS asked
		FROM (SELECT 1) one LEFT JOIN retention_extensions x ON x.returnee_id = $1`, id, organisation, tx.now.AddDate(1000, 0, 0), onward.DateOf(tx.now.AddDate(1000, 0, 0)).String()); err != nil {
		return err
	}
	e.Held, e.ErasureAsked = row.Held, row.Asked
	if row.Since != nil {
		due := row.Since.AddDate(0, 0, rule.Days)
		if notice := tx.now.Add(onward.RetentionNotice); due.Before(notice) {
			due = notice
		}
		if row.Until != nil && row.Until.After(due) {
			due = *row.Until
		}
		e.KeptUntil = onward.DateOf(due)
	}
	if row.Until != nil {
		e.Prolonged = &onward.Prolonging{Until: onward.DateOf(*row.Until)}
		return tx.openTexts(ctx, []text{{id, fieldOf("retention_extensions", id.String(), "reason"), row.Reason, &e.Prolonged.Reason}})
	}
	return nil
}

func (tx *Tx) exportConsents(ctx context.Context, e *onward.Export) (err error) {
	if e.Consents, err = tx.consentRecords(ctx, e.Returnee.ID, math.MaxInt32); err != nil {
		return err
	}
	if e.Withdrawals, err = tx.withdrawals(ctx, e.Returnee.ID, math.MaxInt32); err != nil {
		return err
	}
	e.Changes, err = all(func(c Cursor) (Page[onward.ReturneeChange], error) { return tx.ReturneeChanges(ctx, e.Returnee.ID, c) })
	return err
}

func (tx *Tx) exportRequests(ctx context.Context, e *onward.Export) error {
	requests, err := all(func(c Cursor) (Page[onward.ReferralRequest], error) {
		return tx.ReferralRequests(ctx, e.Returnee.ID, c)
	})
	if err != nil {
		return err
	}
	e.Requests = make([]onward.ExportedRequest, len(requests))
	for i, r := range requests {
		whole, err := tx.ReferralRequest(ctx, r.ID)
		if err != nil {
			return err
		}
		e.Requests[i].ReferralRequest = whole
		var packed []byte
		if err := tx.get(ctx, &packed, `SELECT inputs FROM referral_requests WHERE id = $1`, r.ID); err != nil {
			return err
		}
		if len(packed) == 0 {
			continue
		}
		body, err := tx.store.packer.unpack(packed)
		if err != nil {
			return err
		}
		var inputs MatchInputs
		if err := json.Unmarshal(body, &inputs); err != nil {
			return err
		}
		e.Requests[i].Profile = &inputs.Profile
	}
	return nil
}

func (tx *Tx) exportReferrals(ctx context.Context, e *onward.Export) error {
	referrals, err := all(func(c Cursor) (Page[onward.Referral], error) {
		return tx.Referrals(ctx, ReferralFilter{ReturneeID: e.Returnee.ID}, c)
	})
	if err != nil {
		return err
	}
	e.Referrals = make([]onward.ExportedReferral, len(referrals))
	for i, r := range referrals {
		x := &e.Referrals[i]
		x.Referral = r
		if x.Steps, err = tx.ReferralSteps(ctx, r.ID); err != nil {
			return err
		}
		if err := tx.selectAll(ctx, &x.Links, `SELECT created_at, expires_at, used_at FROM answer_links WHERE referral_id = $1 ORDER BY created_at`, r.ID); err != nil {
			return err
		}
		var title []byte
		if err := tx.get(ctx, &title, `SELECT coalesce((SELECT details -> 'title' FROM opportunities WHERE id = $1), '{}')`, r.OpportunityID); err != nil {
			return err
		}
		if err := json.Unmarshal(title, &x.Opportunity); err != nil {
			return err
		}
	}
	e.Pseudonyms = []onward.ExportedPseudonym{}
	return tx.selectAll(ctx, &e.Pseudonyms, `SELECT opportunity_id, pseudonym FROM pseudonyms_of($1) ORDER BY opportunity_id`, e.Returnee.ID)
}

func (tx *Tx) exportPlacements(ctx context.Context, e *onward.Export) (err error) {
	e.Placements, err = all(func(c Cursor) (Page[onward.Placement], error) {
		return tx.Placements(ctx, PlacementFilter{ReturneeID: e.Returnee.ID}, c)
	})
	return err
}

func (tx *Tx) exportCheckIns(ctx context.Context, e *onward.Export) error {
	var ids []onward.ID
	if err := tx.selectAll(ctx, &ids, `SELECT id FROM check_ins WHERE returnee_id = $1 ORDER BY due_on, id`, e.Returnee.ID); err != nil {
		return err
	}
	e.CheckIns = make([]onward.ExportedCheckIn, len(ids))
	for i, id := range ids {
		x := &e.CheckIns[i]
		var err error
		if x.CheckIn, x.Log, err = tx.CheckIn(ctx, id); err != nil {
			return err
		}
		if x.Answers, err = tx.CheckInAnswers(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) exportAlerts(ctx context.Context, e *onward.Export) error {
	var ids []onward.ID
	if err := tx.selectAll(ctx, &ids, `SELECT a.id FROM alerts a JOIN referrals r ON r.id = a.referral_id WHERE r.returnee_id = $1 ORDER BY a.id`, e.Returnee.ID); err != nil {
		return err
	}
	e.Alerts = make([]onward.Alert, len(ids))
	for i, id := range ids {
		var err error
		if e.Alerts[i], err = tx.Alert(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// exportHome is where, and with whom, the person lives.
func (tx *Tx) exportHome(ctx context.Context, e *onward.Export) (err error) {
	if e.Residences, err = tx.Residences(ctx, e.Returnee.ID); err != nil {
		return err
	}
	e.Households, err = all(func(c Cursor) (Page[onward.LinkedHousehold], error) { return tx.Households(ctx, e.Returnee.ID, c) })
	return err
}

func (tx *Tx) exportAudit(ctx context.Context, e *onward.Export) (err error) {
	if e.Emergencies, err = tx.emergencyAccesses(ctx, `WHERE returnee_id = $1 ORDER BY id DESC`, e.Returnee.ID); err != nil {
		return err
	}
	e.Audit, err = tx.Audit(ctx, e.Returnee.ID, math.MaxInt32)
	return err
}

// exportNames names the organisations that the export speaks of.
func (tx *Tx) exportNames(ctx context.Context, e *onward.Export) error {
	var rows []struct {
		ID   onward.ID `db:"id"`
		Name string    `db:"name"`
	}
	if err := tx.selectAll(ctx, &rows, `SELECT id, name FROM organisations`); err != nil {
		return err
	}
	names := make(map[onward.ID]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	e.Agency, e.Names = names[e.Returnee.OrganisationID], map[string]string{}
	add := func(ids ...onward.ID) {
		for _, id := range ids {
			if name, ok := names[id]; ok {
				e.Names[id.String()] = name
			}
		}
	}
	add(e.Returnee.OrganisationID)
	for _, r := range e.Referrals {
		add(r.RecipientID)
	}
	for _, p := range e.Placements {
		add(p.RecipientID, p.PartnerID)
	}
	for _, c := range e.CheckIns {
		add(c.PartnerID)
	}
	for _, w := range e.Withdrawals {
		for _, d := range w.Deletions {
			add(d.RecipientID)
		}
	}
	for _, c := range e.Consents {
		add(c.Consent.Recipients...)
	}
	for _, a := range e.Audit {
		add(a.Of)
	}
	return nil
}
