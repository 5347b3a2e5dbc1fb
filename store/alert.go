package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onward"
)

const alertColumns = `a.id, a.version, a.organisation_id, a.referral_id, a.placement_id, a.opportunity_id, a.recipient_id, a.kind, a.severity, a.source, a.stops,
	a.owner_id, a.raised_by, a.due_at, a.overdue_at, a.raised_at, a.resolved_at, a.outcome`

const selectAlert = `SELECT ` + alertColumns + ` FROM alerts a `

type alertRow struct {
	ID             onward.ID           `db:"id"`
	Version        int64               `db:"version"`
	OrganisationID onward.ID           `db:"organisation_id"`
	ReferralID     onward.ID           `db:"referral_id"`
	PlacementID    onward.ID           `db:"placement_id"`
	OpportunityID  onward.ID           `db:"opportunity_id"`
	RecipientID    onward.ID           `db:"recipient_id"`
	Kind           onward.AlertKind    `db:"kind"`
	Severity       onward.Severity     `db:"severity"`
	Source         onward.AlertSource  `db:"source"`
	Stops          bool                `db:"stops"`
	OwnerID        onward.ID           `db:"owner_id"`
	RaisedBy       onward.ID           `db:"raised_by"`
	DueAt          time.Time           `db:"due_at"`
	OverdueAt      *time.Time          `db:"overdue_at"`
	RaisedAt       time.Time           `db:"raised_at"`
	ResolvedAt     *time.Time          `db:"resolved_at"`
	Outcome        onward.AlertOutcome `db:"outcome"`
}

func (r alertRow) alert(now time.Time) onward.Alert {
	a := onward.Alert{
		ID: r.ID, Version: r.Version, Kind: r.Kind, Severity: r.Severity, Source: r.Source, Status: "open", ReferralID: r.ReferralID, PlacementID: r.PlacementID,
		OpportunityID: r.OpportunityID, RecipientID: r.RecipientID, Stops: r.Stops && r.ResolvedAt == nil, OwnerID: r.OwnerID, DueAt: r.DueAt,
		Overdue: r.ResolvedAt == nil && r.DueAt.Before(now), RaisedAt: r.RaisedAt, ResolvedAt: r.ResolvedAt, Outcome: r.Outcome,
	}
	if r.ResolvedAt != nil {
		a.Status = "resolved"
	}
	return a
}

func errNoAlert() error { return onward.Errorf(onward.ENotFound, "no alert of yours has this id") }

// RaiseAlert raises an alert about a placement or a referral. A serious one about the work stops new referrals to the opportunity
// and reopens what was vetted, in the same transaction. With a source id that raised one of this kind before, that one is returned.
func (tx *Tx) RaiseAlert(ctx context.Context, n onward.NewAlert) (onward.Alert, error) {
	n, err := n.Validate()
	if err != nil {
		return onward.Alert{}, err
	}
	if !tx.Actor.HandlesReturnees() && tx.Actor.Role != onward.RolePartner {
		return onward.Alert{}, onward.Errorf(onward.EForbidden, "counsellors, supervisors and partners raise alerts; tell one of them")
	}
	about, err := tx.alertSubject(ctx, n)
	if err != nil {
		return onward.Alert{}, err
	}
	var row alertRow
	err = tx.get(ctx, &row, `INSERT INTO alerts AS a (id, organisation_id, referral_id, placement_id, opportunity_id, recipient_id, kind, severity, source, source_id, stops,
			owner_id, raised_by, due_at, raised_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (source_id, kind) DO NOTHING RETURNING `+alertColumns,
		onward.NewID(), about.OrganisationID, about.ReferralID, nilIfZero(about.PlacementID), about.OpportunityID, about.RecipientID, string(n.Kind), string(n.Severity),
		string(n.Source), nilIfZero(n.SourceID), n.Severity.Serious() && n.Kind.OfTheWork(), nilIfZero(about.CounsellorID), nilIfZero(tx.Actor.OrganisationID),
		tx.now.Add(n.Severity.ActWithin()), tx.now)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.get(ctx, &row, selectAlert+`WHERE a.source_id = $1 AND a.kind = $2`, n.SourceID, string(n.Kind))
		return row.alert(tx.now), wrap("raise alert", err)
	}
	if err != nil {
		return onward.Alert{}, wrap("raise alert", err)
	}
	if err := tx.alertEntry(ctx, &row, "raised", n.Note); err != nil {
		return onward.Alert{}, err
	}
	if row.Stops {
		if err := tx.stopReferrals(ctx, &row); err != nil {
			return onward.Alert{}, err
		}
	}
	events := []onward.Event{{Kind: onward.EventAlertRaised, OrganisationID: row.OrganisationID, Role: onward.RoleSupervisor, SubjectID: row.ID, Status: string(row.Severity)}}
	if !row.OwnerID.IsZero() {
		e := events[0]
		e.Role, e.UserID = "", row.OwnerID
		events = append(events, e)
	}
	return row.alert(tx.now), tx.announce(ctx, events...)
}

// alertAbout is what an alert is about.
type alertAbout struct {
	OrganisationID onward.ID `db:"organisation_id"`
	ReferralID     onward.ID `db:"referral_id"`
	PlacementID    onward.ID `db:"placement_id"`
	OpportunityID  onward.ID `db:"opportunity_id"`
	RecipientID    onward.ID `db:"recipient_id"`
	CounsellorID   onward.ID `db:"counsellor_id"`
}

// alertSubject reads what the actor may see of it: the agency its referrals, a partner what it monitors. The recipient has no
// alerts to raise.
func (tx *Tx) alertSubject(ctx context.Context, n onward.NewAlert) (about alertAbout, err error) {
	if !n.PlacementID.IsZero() {
		err = tx.get(ctx, &about, `SELECT p.organisation_id, p.referral_id, p.id AS placement_id, p.opportunity_id, p.recipient_id, r.created_by AS counsellor_id
			FROM placements p JOIN referrals r ON r.id = p.referral_id
			WHERE p.id = $1 AND ($2::uuid IS NULL OR p.organisation_id = $2 OR p.partner_id = $2)`, n.PlacementID, nilIfZero(tx.Actor.OrganisationID))
	} else {
		err = tx.get(ctx, &about, `SELECT r.organisation_id, r.id AS referral_id, p.id AS placement_id, r.opportunity_id, r.recipient_id, r.created_by AS counsellor_id
			FROM referrals r LEFT JOIN placements p ON p.referral_id = r.id
			WHERE r.id = $1 AND ($2::uuid IS NULL OR r.organisation_id = $2 OR p.partner_id = $2)`, n.ReferralID, nilIfZero(tx.Actor.OrganisationID))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return about, onward.Errorf(onward.ENotFound, "no placement or referral of yours has this id")
	}
	return about, wrap("raise alert", err)
}

func (tx *Tx) alertEntry(ctx context.Context, a *alertRow, action, note string) error {
	var sealed sealedText
	if note != "" {
		person, err := tx.alertPerson(ctx, a)
		if err != nil {
			return err
		}
		if sealed, err = tx.sealText(ctx, person, alertNote(a.ID, tx.now, action), note); err != nil {
			return wrap("write trail of alert", err)
		}
	}
	_, err := tx.exec(ctx, `INSERT INTO alert_entries (alert_id, organisation_id, at, action, user_id, note) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.ID, a.OrganisationID, tx.now, action, nilIfZero(tx.Actor.UserID), sealed)
	return wrap("write trail of alert", err)
}

// alertPerson is whom an alert is about.
func (tx *Tx) alertPerson(ctx context.Context, a *alertRow) (person onward.ID, err error) {
	err = tx.get(ctx, &person, `SELECT returnee_id FROM referrals WHERE id = $1`, a.ReferralID)
	return person, wrap("read referral of alert", err)
}

// alertNote is where the note of an entry is.
func alertNote(alert onward.ID, at time.Time, action string) string {
	return fieldOf("alert_entries", lineOf(alert, at, action), "note")
}

func (tx *Tx) stopReferrals(ctx context.Context, a *alertRow) error {
	var version *int64
	if err := tx.get(ctx, &version, `SELECT stop_referrals($1, $2)`, a.OpportunityID, tx.now); err != nil {
		return wrap("stop referrals", err)
	}
	if version != nil {
		if err := tx.promise(ctx, onward.WorkIndexOpportunity, onward.Ref{ID: a.OpportunityID, Version: *version}); err != nil {
			return err
		}
	}
	return tx.applyVetting(ctx, a.RecipientID)
}

// Alert reads one with its trail. ENotFound if it is not the agency's.
func (tx *Tx) Alert(ctx context.Context, id onward.ID) (onward.Alert, error) {
	if !tx.Actor.HandlesReturnees() {
		return onward.Alert{}, errNoAlert()
	}
	var row alertRow
	if err := tx.get(ctx, &row, selectAlert+`WHERE a.id = $1`, id); errors.Is(err, sql.ErrNoRows) {
		return onward.Alert{}, errNoAlert()
	} else if err != nil {
		return onward.Alert{}, wrap("read alert", err)
	}
	var trail []struct {
		At     time.Time  `db:"at"`
		Action string     `db:"action"`
		UserID onward.ID  `db:"user_id"`
		Note   sealedText `db:"note"`
	}
	if err := tx.selectAll(ctx, &trail, `SELECT at, action, user_id, note FROM alert_entries WHERE alert_id = $1 ORDER BY id LIMIT 500`, id); err != nil {
		return onward.Alert{}, wrap("read alert", err)
	}
	person, err := tx.alertPerson(ctx, &row)
	if err != nil {
		return onward.Alert{}, err
	}
	a := row.alert(tx.now)
	a.Trail = make([]onward.AlertEntry, len(trail))
	texts := make([]text, len(trail))
	for i, e := range trail {
		a.Trail[i] = onward.AlertEntry{At: e.At, Action: e.Action, UserID: e.UserID}
		texts[i] = text{person, alertNote(id, e.At, e.Action), e.Note, &a.Trail[i].Note}
	}
	return a, wrap("read alert", tx.openTexts(ctx, texts))
}

// AlertFilter narrows a list. Zero fields do not filter.
type AlertFilter struct {
	Open    bool
	Overdue bool
	OwnerID onward.ID
}

// Alerts lists those of the agency, or those that a partner raised, newest first.
func (tx *Tx) Alerts(ctx context.Context, f AlertFilter, cursor Cursor) (Page[onward.Alert], error) {
	var page Page[onward.Alert]
	if !tx.Actor.HandlesReturnees() && tx.Actor.Role != onward.RolePartner {
		return page, onward.Errorf(onward.EForbidden, "only counsellors, supervisors and partners see alerts")
	}
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	var rows []alertRow
	err = tx.selectAll(ctx, &rows, selectAlert+`WHERE a.id < $1 AND (NOT $2 OR a.resolved_at IS NULL) AND (NOT $3 OR (a.resolved_at IS NULL AND a.due_at < $4))
		AND ($5::uuid IS NULL OR a.owner_id = $5) ORDER BY a.id DESC LIMIT $6`, after, f.Open, f.Overdue, tx.now, f.OwnerID, limit+1)
	if err != nil {
		return page, wrap("list alerts", err)
	}
	list := make([]onward.Alert, len(rows))
	for i, row := range rows {
		list[i] = row.alert(tx.now)
	}
	return pageOf(list, limit, func(a onward.Alert) onward.ID { return a.ID }), nil
}

// ChangeAlert adds a note, hands it over, or resolves it. EVersion with the alert as it is now when someone else changed it,
// EConflict when it is resolved already.
func (tx *Tx) ChangeAlert(ctx context.Context, id onward.ID, version int64, c onward.AlertChange) (onward.Alert, error) {
	if err := c.Validate(); err != nil {
		return onward.Alert{}, err
	}
	if !tx.Actor.HandlesReturnees() {
		return onward.Alert{}, errNoAlert()
	}
	var row alertRow
	if err := tx.get(ctx, &row, selectAlert+`WHERE a.id = $1 FOR UPDATE`, id); errors.Is(err, sql.ErrNoRows) {
		return onward.Alert{}, errNoAlert()
	} else if err != nil {
		return onward.Alert{}, wrap("change alert", err)
	}
	if version != 0 && version != row.Version {
		return onward.Alert{}, errStale(row.alert(tx.now))
	}
	if row.ResolvedAt != nil {
		return onward.Alert{}, onward.Errorf(onward.EConflict, "it is resolved; raise another if something happened since")
	}
	action := c.Action
	now := tx.now
	switch c.Action {
	case "assign":
		action = "assigned"
		if row.OwnerID = c.OwnerID; row.OwnerID.IsZero() {
			row.OwnerID = tx.Actor.UserID
		}
		if err := tx.handlesReturnees(ctx, "owner_id", row.OwnerID); err != nil {
			return onward.Alert{}, err
		}
	case "resolve":
		action, row.ResolvedAt, row.Outcome = "resolved", &now, c.Outcome
	}
	if _, err := tx.exec(ctx, `UPDATE alerts SET version = version + 1, owner_id = $2, resolved_at = $3, outcome = $4 WHERE id = $1`,
		id, nilIfZero(row.OwnerID), row.ResolvedAt, string(row.Outcome)); err != nil {
		return onward.Alert{}, wrap("change alert", err)
	}
	if err := tx.alertEntry(ctx, &row, action, c.Note); err != nil {
		return onward.Alert{}, err
	}
	if c.Action == "resolve" && !row.RaisedBy.IsZero() && row.RaisedBy != row.OrganisationID {
		if err := tx.announce(ctx, onward.Event{Kind: onward.EventAlertResolved, OrganisationID: row.RaisedBy, Role: onward.RolePartner, SubjectID: id}); err != nil {
			return onward.Alert{}, err
		}
	}
	return tx.Alert(ctx, id)
}

// handlesReturnees makes sure that a user of the own organisation may see to people.
func (tx *Tx) handlesReturnees(ctx context.Context, field string, user onward.ID) error {
	var ok bool
	if err := tx.get(ctx, &ok, `SELECT EXISTS (SELECT FROM users WHERE id = $1 AND role IN ('counsellor', 'supervisor') AND ($2::uuid IS NULL OR organisation_id = $2))`,
		user, nilIfZero(tx.Actor.OrganisationID)); err != nil {
		return wrap("read user", err)
	}
	if !ok {
		return onward.Invalid([]onward.FieldError{{Field: field, Rule: "unknown", Message: "name a counsellor or supervisor of your organisation"}})
	}
	return nil
}

// MarkOverdueAlerts tells the agency's supervisors, once, that an alert was not resolved in time.
func (s *Store) MarkOverdueAlerts(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []alertRow
		err := tx.selectAll(ctx, &rows, selectAlert+`WHERE a.resolved_at IS NULL AND a.overdue_at IS NULL AND a.due_at < $1 ORDER BY a.due_at LIMIT $2 FOR UPDATE SKIP LOCKED`, tx.now, deadlineBatch)
		if err != nil {
			return err
		}
		n = len(rows)
		for i := range rows {
			a := &rows[i]
			if _, err := tx.exec(ctx, `UPDATE alerts SET overdue_at = $2 WHERE id = $1`, a.ID, tx.now); err != nil {
				return err
			}
			if err := tx.alertEntry(ctx, a, "overdue", ""); err != nil {
				return err
			}
			if err := tx.announce(ctx, onward.Event{Kind: onward.EventAlertOverdue, OrganisationID: a.OrganisationID, Role: onward.RoleSupervisor, SubjectID: a.ID, Status: string(a.Severity)}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, wrap("mark overdue alerts", err)
}
