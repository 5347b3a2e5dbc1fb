package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"onward"
)

type emergencyRow struct {
	ID         onward.ID  `db:"id"`
	ReturneeID onward.ID  `db:"returnee_id"`
	UserID     onward.ID  `db:"user_id"`
	Reason     sealedText `db:"reason"`
	OpenedAt   time.Time  `db:"opened_at"`
	Until      time.Time  `db:"until"`
	EndedBy    onward.ID  `db:"ended_by"`
	ReviewedBy onward.ID  `db:"reviewed_by"`
	ReviewedAt *time.Time `db:"reviewed_at"`
	Justified  *bool      `db:"justified"`
	Note       sealedText `db:"note"`
}

func emergencyPlace(id onward.ID, field string) string {
	return fieldOf("emergency_accesses", id.String(), field)
}

// emergencyAccesses are those that a condition finds, with what was written of them.
func (tx *Tx) emergencyAccesses(ctx context.Context, condition string, args ...any) ([]onward.EmergencyAccess, error) {
	var rows []emergencyRow
	if err := tx.selectAll(ctx, &rows, `SELECT id, returnee_id, user_id, reason, opened_at, until, ended_by, reviewed_by, reviewed_at, justified, note FROM emergency_accesses `+condition, args...); err != nil {
		return nil, wrap("read emergency access", err)
	}
	list, texts := make([]onward.EmergencyAccess, len(rows)), make([]text, 0, 2*len(rows))
	for i, r := range rows {
		list[i] = onward.EmergencyAccess{
			ID: r.ID, ReturneeID: r.ReturneeID, UserID: r.UserID, OpenedAt: r.OpenedAt, Until: r.Until, Open: r.Until.After(tx.now),
			EndedBy: r.EndedBy, ReviewedBy: r.ReviewedBy, ReviewedAt: r.ReviewedAt, Justified: r.Justified,
		}
		texts = append(texts, text{r.ReturneeID, emergencyPlace(r.ID, "reason"), r.Reason, &list[i].Reason}, text{r.ReturneeID, emergencyPlace(r.ID, "note"), r.Note, &list[i].Note})
	}
	return list, wrap("read emergency access", tx.openTexts(ctx, texts))
}

func (tx *Tx) emergencyAccess(ctx context.Context, id onward.ID) (onward.EmergencyAccess, error) {
	list, err := tx.emergencyAccesses(ctx, `WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = onward.Errorf(onward.ENotFound, "no access in an emergency of yours has this id")
	}
	if err != nil {
		return onward.EmergencyAccess{}, err
	}
	return list[0], nil
}

// OpenEmergencyAccess lets a counsellor see one person of the organisation for a short time, with the rights of the person's counsellor, and
// tells the supervisors and that counsellor at once. ENotFound when there is no such person, EConflict when the counsellor sees the person
// anyway, ETooMany after too many in 24 hours.
func (tx *Tx) OpenEmergencyAccess(ctx context.Context, person onward.ID, o onward.OpenEmergencyAccess) (a onward.EmergencyAccess, err error) {
	if tx.Actor.Role != onward.RoleCounsellor {
		return a, onward.Errorf(onward.EForbidden, "access in an emergency is for counsellors; supervisors see everyone")
	}
	if o, err = o.Validate(); err != nil {
		return a, err
	}
	id := onward.NewID()
	var outcome string
	if err := tx.get(ctx, &outcome, `SELECT open_emergency_access($1, $2, $3, $4)`, id, person, o.Minutes, onward.EmergenciesADay); err != nil {
		return a, wrap("open emergency access", err)
	}
	switch outcome {
	case "none":
		return a, onward.Errorf(onward.ENotFound, "no returnee of your organisation has this id")
	case "seen":
		return a, onward.Errorf(onward.EConflict, "you see this person already; read /v1/returnees/%s", person)
	case "limit":
		return a, onward.Errorf(onward.ETooMany, "you opened access %d times within 24 hours; ask a supervisor, who sees everyone", onward.EmergenciesADay)
	}
	reason, err := tx.sealText(ctx, person, emergencyPlace(id, "reason"), o.Reason)
	if err != nil {
		return a, wrap("open emergency access", err)
	}
	if _, err := tx.exec(ctx, `UPDATE emergency_accesses SET reason = $2 WHERE id = $1`, id, string(reason)); err != nil {
		return a, wrap("open emergency access", err)
	}
	var theirs onward.ID
	if err := tx.get(ctx, &theirs, `SELECT counsellor_id FROM returnees WHERE id = $1`, person); err != nil {
		return a, wrap("open emergency access", err)
	}
	events := []onward.Event{{Kind: onward.EventEmergencyOpened, OrganisationID: tx.Actor.OrganisationID, Role: onward.RoleSupervisor, SubjectID: id}}
	if !theirs.IsZero() {
		events = append(events, onward.Event{Kind: onward.EventEmergencyOpened, OrganisationID: tx.Actor.OrganisationID, UserID: theirs, SubjectID: id})
	}
	if err := tx.announce(ctx, events...); err != nil {
		return a, err
	}
	return tx.emergencyAccess(ctx, id)
}

// EmergencyAccesses lists those of the organisation for a supervisor, and a counsellor's own: what is to be reviewed first.
func (tx *Tx) EmergencyAccesses(ctx context.Context) ([]onward.EmergencyAccess, error) {
	if tx.Actor.Role != onward.RoleCounsellor && tx.Actor.Role != onward.RoleSupervisor {
		return nil, onward.Errorf(onward.EForbidden, "only counsellors and supervisors see access in emergencies")
	}
	return tx.emergencyAccesses(ctx, `WHERE organisation_id = $1 ORDER BY reviewed_at IS NOT NULL, id DESC LIMIT $2`, tx.Actor.OrganisationID, mostListed)
}

// EndEmergencyAccess ends access before its time: a supervisor does, or who has it. EConflict when it has ended.
func (tx *Tx) EndEmergencyAccess(ctx context.Context, id onward.ID) (a onward.EmergencyAccess, err error) {
	if _, err := tx.emergencyAccess(ctx, id); err != nil {
		return a, err
	}
	// At the time that policies compare with, whatever clock the store has.
	n, err := tx.exec(ctx, `UPDATE emergency_accesses SET until = clock_timestamp(), ended_by = $2 WHERE id = $1 AND until > clock_timestamp()`, id, nilIfZero(tx.Actor.UserID))
	if err != nil {
		return a, wrap("end emergency access", err)
	}
	if n == 0 {
		return a, onward.Errorf(onward.EConflict, "this access has ended")
	}
	if a, err = tx.emergencyAccess(ctx, id); err == nil {
		a.Open = false // it ended after the transaction began
	}
	return a, err
}

// ReviewEmergencyAccess is a supervisor's word on access that has ended. EConflict while it is open, and when it was reviewed.
func (tx *Tx) ReviewEmergencyAccess(ctx context.Context, id onward.ID, r onward.ReviewEmergencyAccess) (a onward.EmergencyAccess, err error) {
	if tx.Actor.Role != onward.RoleSupervisor {
		return a, onward.Errorf(onward.EForbidden, "only supervisors review access in emergencies")
	}
	if err := r.Validate(); err != nil {
		return a, err
	}
	if a, err = tx.emergencyAccess(ctx, id); err != nil {
		return a, err
	}
	note, err := tx.sealText(ctx, a.ReturneeID, emergencyPlace(id, "note"), r.Note)
	if onward.CodeOf(err) == onward.EConflict {
		note, err = "", nil // the person was erased meanwhile: what can be kept is whether it was justified
	}
	if err != nil {
		return a, wrap("review emergency access", err)
	}
	n, err := tx.exec(ctx, `UPDATE emergency_accesses SET reviewed_by = $2, reviewed_at = $3, justified = $4, note = $5 WHERE id = $1 AND reviewed_at IS NULL AND until <= clock_timestamp()`,
		id, nilIfZero(tx.Actor.UserID), tx.now, r.Justified, string(note))
	if err != nil {
		return a, wrap("review emergency access", err)
	}
	if n == 0 {
		return a, onward.Errorf(onward.EConflict, "this access is still open, or was reviewed; read the list again, and end it first if it is not needed any more")
	}
	return tx.emergencyAccess(ctx, id)
}

// RemindEmergencies tells supervisors of access that nobody has reviewed within three days, and every three days after.
func (s *Store) RemindEmergencies(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []struct {
			ID             onward.ID `db:"id"`
			OrganisationID onward.ID `db:"organisation_id"`
		}
		if err := tx.selectAll(ctx, &rows, `UPDATE emergency_accesses SET reminded_at = $1 WHERE id = ANY(ARRAY(SELECT id FROM emergency_accesses
			WHERE reviewed_at IS NULL AND opened_at < $2 AND (reminded_at IS NULL OR reminded_at < $2) LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING id, organisation_id`,
			tx.now, tx.now.Add(-onward.EmergencyReviewWithin), deadlineBatch); err != nil {
			return err
		}
		n = len(rows)
		var events []onward.Event
		for _, r := range rows {
			events = append(events, onward.Event{Kind: onward.EventEmergencyReview, OrganisationID: r.OrganisationID, Role: onward.RoleSupervisor, SubjectID: r.ID})
		}
		return tx.announce(ctx, events...)
	})
	return n, wrap("remind of emergencies", err)
}

// SearchCaseloads finds on whose caseload somebody is, by the whole name or a contact: at most ten, with nothing of who they are. It is
// written in the audit of whoever is found. ETooMany after too many in 24 hours.
func (tx *Tx) SearchCaseloads(ctx context.Context, q onward.CaseloadSearch) ([]onward.CaseloadMatch, error) {
	if tx.Actor.Role != onward.RoleCounsellor {
		return nil, onward.Errorf(onward.EForbidden, "this search is for counsellors; supervisors search the list of returnees")
	}
	if q.Contact == "" && len(nameWords(q.Name)) < 2 {
		return nil, onward.Invalid([]onward.FieldError{{Field: "name", Rule: "length", Message: "give two whole words of the name at least, or a phone number or e-mail address"}})
	}
	wanted, err := tx.wantedTokens(ctx, ReturneeFilter{Name: q.Name, Contact: q.Contact})
	if err != nil {
		return nil, err
	}
	var found pq.StringArray
	if err := tx.get(ctx, &found, `SELECT search_caseloads($1, $2)::text[]`, pq.Array(wanted), onward.CaseloadSearchesADay); err != nil {
		return nil, wrap("search caseloads", err)
	}
	if found == nil {
		return nil, onward.Errorf(onward.ETooMany, "you searched %d times within 24 hours; ask a supervisor, who sees everyone", onward.CaseloadSearchesADay)
	}
	list := []onward.CaseloadMatch{}
	if err := tx.selectAll(ctx, &list, `SELECT returnee_id, counsellor_id FROM counsellors_of($1::uuid[]) ORDER BY 1`, found); err != nil {
		return nil, wrap("search caseloads", err)
	}
	for _, m := range list {
		tx.noteRead("caseload_search", nil, m.ReturneeID)
	}
	return list, nil
}

// CaseloadRule says whom counsellors of the actor's organisation see.
func (tx *Tx) CaseloadRule(ctx context.Context) (r onward.CaseloadRule, err error) {
	err = tx.get(ctx, &r.OwnOnly, `SELECT own_only FROM caseload_rules WHERE organisation_id = $1`, tx.Actor.OrganisationID)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	return r, wrap("read caseload rule", err)
}

// SetCaseloadRule decides it, for supervisors and administrators.
func (tx *Tx) SetCaseloadRule(ctx context.Context, r onward.CaseloadRule) (onward.CaseloadRule, error) {
	if tx.Actor.Role != onward.RoleSupervisor && tx.Actor.Role != onward.RoleAdministrator {
		return r, onward.Errorf(onward.EForbidden, "only supervisors and administrators decide whom counsellors see")
	}
	_, err := tx.exec(ctx, `INSERT INTO caseload_rules (organisation_id, own_only) VALUES ($1, $2) ON CONFLICT (organisation_id) DO UPDATE SET own_only = excluded.own_only`, tx.Actor.OrganisationID, r.OwnOnly)
	return r, wrap("set caseload rule", err)
}

// AssignCounsellor gives a person to a counsellor or supervisor of the organisation. Only supervisors do.
func (tx *Tx) AssignCounsellor(ctx context.Context, person, counsellor onward.ID) (onward.Returnee, error) {
	if tx.Actor.Role != onward.RoleSupervisor {
		return onward.Returnee{}, onward.Errorf(onward.EForbidden, "only supervisors give people to counsellors")
	}
	if err := tx.lockOnCaseload(ctx, person); err != nil {
		return onward.Returnee{}, err
	}
	if err := tx.handlesReturnees(ctx, "counsellor_id", counsellor); err != nil {
		return onward.Returnee{}, err
	}
	if _, err := tx.exec(ctx, `UPDATE returnees SET counsellor_id = $2, version = version + 1, updated_at = now() WHERE id = $1`, person, counsellor); err != nil {
		return onward.Returnee{}, wrap("assign counsellor", err)
	}
	return tx.Returnee(ctx, person)
}
