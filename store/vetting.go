package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onward"
)

type vettingRow struct {
	SubjectID      onward.ID             `db:"subject_id"`
	Subject        onward.VettingSubject `db:"subject"`
	OrganisationID onward.ID             `db:"organisation_id"`
	Name           string                `db:"name"`
	Version        int64                 `db:"version"`
	Status         onward.VettingStatus  `db:"status"`
	ValidUntil     *time.Time            `db:"valid_until"`
	ReopenedAt     *time.Time            `db:"reopened_at"`
	VettedBy       onward.ID             `db:"vetted_by"`
	UpdatedAt      *time.Time            `db:"updated_at"`
}

func (r vettingRow) vetting() onward.Vetting {
	return onward.Vetting{
		Subject: r.Subject, SubjectID: r.SubjectID, OrganisationID: r.OrganisationID, Name: r.Name, Version: r.Version, Status: r.Status,
		ValidUntil: dateOf(r.ValidUntil), ReopenedAt: r.ReopenedAt, UpdatedAt: r.UpdatedAt,
	}
}

const selectVetting = `SELECT v.subject_id, v.subject, v.organisation_id, g.name, v.version, v.status, v.valid_until, v.reopened_at, v.vetted_by, v.updated_at
	FROM vettings v JOIN organisations g ON g.id = v.organisation_id `

func (tx *Tx) mayReadVetting() error {
	if !tx.Actor.HandlesReturnees() {
		return onward.Errorf(onward.EForbidden, "only counsellors and supervisors see what was checked")
	}
	return nil
}

// Vetting reads what was checked of an organisation or an opening, with every check that it needs. ENotFound if there is no such
// subject, or it is of the own organisation: who is vetted does not read what was seen.
func (tx *Tx) Vetting(ctx context.Context, subject onward.VettingSubject, id onward.ID) (onward.Vetting, error) {
	if err := tx.mayReadVetting(); err != nil {
		return onward.Vetting{}, err
	}
	var row vettingRow
	// The subject may not have a row yet.
	query := `SELECT g.id AS subject_id, 'organisation' AS subject, g.id AS organisation_id, g.name FROM organisations g WHERE g.id = $1 AND g.id IS DISTINCT FROM $2`
	if subject == onward.VetOpportunity {
		query = `SELECT o.id AS subject_id, 'opportunity' AS subject, o.organisation_id, g.name FROM opportunities o JOIN organisations g ON g.id = o.organisation_id
			WHERE o.id = $1 AND o.status <> 'draft' AND g.id IS DISTINCT FROM $2`
	}
	if err := tx.get(ctx, &row, query, id, nilIfZero(tx.Actor.OrganisationID)); errors.Is(err, sql.ErrNoRows) {
		return onward.Vetting{}, onward.Errorf(onward.ENotFound, "nothing that you may vet has this id")
	} else if err != nil {
		return onward.Vetting{}, wrap("read vetting", err)
	}
	row.Status = onward.VettingUnknown
	if err := tx.get(ctx, &row, selectVetting+`WHERE v.subject_id = $1`, id); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return onward.Vetting{}, wrap("read vetting", err)
	}
	v := row.vetting()
	made, err := tx.checks(ctx, id)
	if err != nil {
		return v, err
	}
	for _, code := range subject.Checks() {
		check := onward.Check{Code: code, Result: onward.CheckUnknown}
		for _, c := range made {
			if c.Code == code {
				check = c
			}
		}
		v.Checks = append(v.Checks, check)
	}
	return v, nil
}

func (tx *Tx) checks(ctx context.Context, id onward.ID) ([]onward.Check, error) {
	var rows []struct {
		Code      onward.CheckCode   `db:"code"`
		Result    onward.CheckResult `db:"result"`
		Evidence  string             `db:"evidence"`
		ExpiresOn time.Time          `db:"expires_on"`
		CheckedBy onward.ID          `db:"checked_by"`
		CheckedAt time.Time          `db:"checked_at"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT code, result, evidence, expires_on, checked_by, checked_at FROM vetting_checks WHERE subject_id = $1`, id)
	list := make([]onward.Check, len(rows))
	for i, r := range rows {
		list[i] = onward.Check{Code: r.Code, Result: r.Result, Evidence: r.Evidence, ExpiresOn: onward.DateOf(r.ExpiresOn), CheckedBy: r.CheckedBy, CheckedAt: &rows[i].CheckedAt}
	}
	return list, wrap("read checks", err)
}

// RecordChecks records what a supervisor of another organisation found. The result goes to the openings in the same transaction.
// EVersion, with what is there, when someone else recorded something meanwhile.
func (tx *Tx) RecordChecks(ctx context.Context, subject onward.VettingSubject, id onward.ID, version int64, checks []onward.Check) (onward.Vetting, error) {
	if tx.Actor.Role != onward.RoleSupervisor && tx.Actor.Role != onward.RoleSystem {
		return onward.Vetting{}, onward.Errorf(onward.EForbidden, "only supervisors vet, and not their own organisation")
	}
	checks, err := onward.ValidateChecks(subject, checks, tx.today())
	if err != nil {
		return onward.Vetting{}, err
	}
	current, err := tx.Vetting(ctx, subject, id)
	if err != nil {
		return current, err
	}
	n, err := tx.exec(ctx, `INSERT INTO vettings AS v (subject_id, subject, organisation_id, version, status, vetted_by, updated_at) VALUES ($1, $2, $3, 1, 'unknown', $4, $5)
		ON CONFLICT (subject_id) DO UPDATE SET version = v.version + 1, vetted_by = excluded.vetted_by, updated_at = excluded.updated_at WHERE v.version = $6`,
		id, string(subject), current.OrganisationID, nilIfZero(tx.Actor.OrganisationID), tx.now, version)
	if err != nil {
		return current, wrap("record checks", err)
	}
	if stale := n == 0 || (n == 1 && current.Version == 0 && version != 0); stale {
		return current, errStale(current)
	}
	for _, c := range checks {
		_, err := tx.exec(ctx, `INSERT INTO vetting_checks (subject_id, code, result, evidence, expires_on, checked_by, checked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (subject_id, code) DO UPDATE SET result = excluded.result, evidence = excluded.evidence, expires_on = excluded.expires_on,
				checked_by = excluded.checked_by, checked_at = excluded.checked_at`,
			id, string(c.Code), string(c.Result), c.Evidence, c.ExpiresOn.String(), nilIfZero(tx.Actor.UserID), tx.now)
		if err != nil {
			return current, wrap("record checks", err)
		}
	}
	if err := tx.judge(ctx, subject, id); err != nil {
		return current, err
	}
	return tx.Vetting(ctx, subject, id)
}

// judge works out the result of a vetting anew and copies it to the openings.
func (tx *Tx) judge(ctx context.Context, subject onward.VettingSubject, id onward.ID) error {
	made, err := tx.checks(ctx, id)
	if err != nil {
		return err
	}
	var reopened *time.Time
	if err := tx.get(ctx, &reopened, `SELECT reopened_at FROM vettings WHERE subject_id = $1`, id); err != nil {
		return wrap("judge vetting", err)
	}
	status, until := onward.Judge(subject, made, reopened, tx.today())
	if _, err := tx.exec(ctx, `UPDATE vettings SET status = $2, valid_until = $3 WHERE subject_id = $1`, id, string(status), nilIfZero(until)); err != nil {
		return wrap("judge vetting", err)
	}
	return tx.applyVetting(ctx, id)
}

// applyVetting copies the result of a vetting to the openings that it counts for, and promises to index them.
func (tx *Tx) applyVetting(ctx context.Context, subject onward.ID) error {
	var changed []struct {
		ID      onward.ID `db:"id"`
		Version int64     `db:"version"`
	}
	if err := tx.selectAll(ctx, &changed, `SELECT id, version FROM apply_vetting($1)`, subject); err != nil {
		return wrap("apply vetting", err)
	}
	refs := make([]onward.Ref, len(changed))
	for i, c := range changed {
		refs[i] = onward.Ref(c)
	}
	for len(refs) > 0 {
		n := min(len(refs), endBatch)
		if err := tx.promise(ctx, onward.WorkIndexOpportunity, refs[:n]...); err != nil {
			return err
		}
		refs = refs[n:]
	}
	return nil
}

// VettingsDue lists what those who vet should look at: what was reopened or ran out, or runs out within a month, the most
// pressing first, then openings that no one checked, the newest first. At most a hundred.
func (tx *Tx) VettingsDue(ctx context.Context) ([]onward.Vetting, error) {
	if err := tx.mayReadVetting(); err != nil {
		return nil, err
	}
	var rows []vettingRow
	err := tx.selectAll(ctx, &rows, `(`+selectVetting+`WHERE v.status = 'unknown' OR (v.status = 'passed' AND v.valid_until < $1) ORDER BY v.valid_until NULLS FIRST, v.subject_id LIMIT 100)
		UNION ALL (SELECT o.id, 'opportunity', o.organisation_id, g.name, 0, 'unknown', NULL, NULL, NULL, NULL
			FROM opportunities o JOIN organisations g ON g.id = o.organisation_id
			WHERE o.status = 'open' AND coalesce(o.details ->> 'vetting', 'unknown') = 'unknown' AND g.id IS DISTINCT FROM $2
				AND NOT EXISTS (SELECT FROM vettings w WHERE w.subject_id = o.id) ORDER BY o.id DESC LIMIT 100)
		LIMIT 100`, tx.today().AddDays(30).String(), nilIfZero(tx.Actor.OrganisationID))
	list := make([]onward.Vetting, len(rows))
	for i, row := range rows {
		list[i] = row.vetting()
		list[i].Checks = []onward.Check{}
	}
	return list, wrap("list vettings due", err)
}

// ExpireVettings reopens what was passed and ran out, and tells those who vetted it. At most a batch at once.
func (s *Store) ExpireVettings(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []vettingRow
		err := tx.selectAll(ctx, &rows, selectVetting+`WHERE v.status = 'passed' AND v.valid_until < $1 ORDER BY v.valid_until LIMIT $2 FOR UPDATE OF v SKIP LOCKED`,
			tx.today().String(), deadlineBatch)
		if err != nil {
			return err
		}
		n = len(rows)
		for _, row := range rows {
			if err := tx.judge(ctx, row.Subject, row.SubjectID); err != nil {
				return err
			}
			if _, err := tx.exec(ctx, `INSERT INTO vetting_history (subject_id, code, result, evidence, at) VALUES ($1, 'expired', 'unknown', '', $2)`, row.SubjectID, tx.now); err != nil {
				return err
			}
			if row.VettedBy.IsZero() {
				continue
			}
			if err := tx.announce(ctx, onward.Event{Kind: onward.EventVettingExpired, OrganisationID: row.VettedBy, Role: onward.RoleSupervisor, SubjectID: row.SubjectID, Status: string(row.Subject)}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, wrap("expire vettings", err)
}
