package store

import (
	"context"
	"time"

	"onward"
)

const (
	// retentionPeople is how many people whose records are due are looked up at once; each is dealt with in a transaction of their own.
	retentionPeople = 200
	// retentionBatch is how many records that are nobody's go in one transaction.
	retentionBatch = 2000
	// retentionAnnounced is how many counsellors are told of in one transaction.
	retentionAnnounced = 100
)

// keepsTime is on whose behalf records go whose time is over; the audit says why.
func keepsTime() onward.Actor {
	a := onward.System()
	a.Why = "retention"
	return a
}

// RetentionRules are the rules with the days that the actor's organisation chose.
func (tx *Tx) RetentionRules(ctx context.Context) ([]onward.RetentionRule, error) {
	switch tx.Actor.Role {
	case onward.RoleCounsellor, onward.RoleSupervisor, onward.RoleAdministrator:
	case onward.RoleEmployer, onward.RolePartner, onward.RoleAnalyst, onward.RoleSystem:
		return nil, onward.Errorf(onward.EForbidden, "only counsellors, supervisors and administrators see these rules")
	}
	return tx.retentionRules(ctx, tx.Actor.OrganisationID)
}

func (tx *Tx) retentionRules(ctx context.Context, organisation onward.ID) ([]onward.RetentionRule, error) {
	var own []struct {
		Kind onward.RecordKind `db:"kind"`
		Days int               `db:"days"`
	}
	if err := tx.selectAll(ctx, &own, `SELECT kind, days FROM retention_choices WHERE organisation_id = $1`, organisation); err != nil {
		return nil, wrap("read rules of retention", err)
	}
	rules := onward.RetentionRules()
	for i := range rules {
		for _, o := range own {
			if o.Kind == rules[i].Kind && rules[i].Does != onward.RetentionKeeps {
				rules[i].Days = min(max(o.Days, rules[i].Least), rules[i].Most) // what a later version of Onward allows
			}
		}
	}
	return rules, nil
}

// SetRetention replaces what the actor's organisation chose. What is not named follows the rules.
func (tx *Tx) SetRetention(ctx context.Context, choices []onward.RetentionChoice) ([]onward.RetentionRule, error) {
	if err := tx.managesRetention(); err != nil {
		return nil, err
	}
	if err := onward.ValidateRetention(choices); err != nil {
		return nil, err
	}
	if _, err := tx.exec(ctx, `DELETE FROM retention_choices WHERE organisation_id = $1`, tx.Actor.OrganisationID); err != nil {
		return nil, wrap("set rules of retention", err)
	}
	for _, c := range choices {
		if _, err := tx.exec(ctx, `INSERT INTO retention_choices (organisation_id, kind, days) VALUES ($1, $2, $3)`, tx.Actor.OrganisationID, string(c.Kind), c.Days); err != nil {
			return nil, wrap("set rules of retention", err)
		}
	}
	return tx.RetentionRules(ctx)
}

func (tx *Tx) managesRetention() error {
	if tx.Actor.Role != onward.RoleSupervisor && tx.Actor.Role != onward.RoleAdministrator {
		return onward.Errorf(onward.EForbidden, "only supervisors and administrators decide for how long records are kept")
	}
	return nil
}

// before is the moment before which records of a rule are due at another moment.
func before(rule onward.RetentionRule, at time.Time) time.Time {
	return at.Add(-time.Duration(rule.Days) * 24 * time.Hour)
}

// ruleOf is the rule of a kind for an organisation, as it is in this transaction.
func (tx *Tx) ruleOf(ctx context.Context, organisation onward.ID, kind onward.RecordKind) (onward.RetentionRule, error) {
	rules, err := tx.retentionRules(ctx, organisation)
	for _, r := range rules {
		if r.Kind == kind {
			return r, err
		}
	}
	return onward.RetentionRule{}, err
}

type duePersonRow struct {
	ID           onward.ID  `db:"id"`
	CounsellorID onward.ID  `db:"counsellor_id"`
	Since        time.Time  `db:"since"`
	Until        *time.Time `db:"until"`
	ToldAt       *time.Time `db:"retention_told_at"`
	Held         bool       `db:"held"`
}

// duePeople are those of an organisation whose time is over at a moment, the longest inactive first.
func (tx *Tx) duePeople(ctx context.Context, organisation onward.ID, rule onward.RetentionRule, at time.Time) (rows []duePersonRow, err error) {
	err = tx.selectAll(ctx, &rows, `SELECT d.id, r.counsellor_id, d.since, e.until, r.retention_told_at, on_hold($1, d.id, 'returnee') AS held
		FROM retention_due('returnee', $1, $2, $3::date, NULL, 500) d JOIN returnees r ON r.id = d.id LEFT JOIN retention_extensions e ON e.returnee_id = d.id ORDER BY d.since, d.id`,
		organisation, before(rule, at), onward.DateOf(at).String())
	return rows, wrap("list people whose time is over", err)
}

// RetentionDue lists the people of the actor's caseload whose time is over within thirty days, the first to go first.
func (tx *Tx) RetentionDue(ctx context.Context) ([]onward.DuePerson, error) {
	if !tx.Actor.HandlesReturnees() {
		return nil, onward.Errorf(onward.EForbidden, "only counsellors and supervisors see returnees")
	}
	rule, err := tx.ruleOf(ctx, tx.Actor.OrganisationID, onward.KeepsReturnee)
	if err != nil {
		return nil, err
	}
	rows, err := tx.duePeople(ctx, tx.Actor.OrganisationID, rule, tx.now.Add(onward.RetentionNotice))
	list := make([]onward.DuePerson, len(rows))
	for i, r := range rows {
		due := r.Since.AddDate(0, 0, rule.Days)
		if r.Until != nil && r.Until.After(due) {
			due = r.Until.AddDate(0, 0, 1)
		}
		announced := tx.now
		if r.ToldAt != nil && !r.ToldAt.Before(r.Since) {
			announced = *r.ToldAt
		} else {
			r.ToldAt = nil
		}
		if first := announced.Add(onward.RetentionNotice); first.After(due) {
			due = first
		}
		list[i] = onward.DuePerson{ReturneeID: r.ID, CounsellorID: r.CounsellorID, LastActivity: r.Since, DueOn: onward.DateOf(due), AnnouncedAt: r.ToldAt, Held: r.Held}
	}
	return list, err
}

// Prolong keeps a person until a day, whatever the rule says. A later one replaces it.
func (tx *Tx) Prolong(ctx context.Context, id onward.ID, p onward.Prolonging) error {
	if err := p.Validate(tx.today()); err != nil {
		return err
	}
	if err := tx.lockOnCaseload(ctx, id); err != nil {
		return err
	}
	reason, err := tx.sealText(ctx, id, fieldOf("retention_extensions", id.String(), "reason"), p.Reason)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `INSERT INTO retention_extensions (returnee_id, organisation_id, until, reason, by_user, at)
		SELECT id, organisation_id, $2, $3, $4, $5 FROM returnees WHERE id = $1 AND erased_at IS NULL
		ON CONFLICT (returnee_id) DO UPDATE SET until = excluded.until, reason = excluded.reason, by_user = excluded.by_user, at = excluded.at`,
		id, p.Until.String(), string(reason), nilIfZero(tx.Actor.UserID), tx.now); err != nil {
		return wrap("prolong", err)
	}
	_, err = tx.exec(ctx, `UPDATE returnees SET retention_told_at = NULL WHERE id = $1`, id)
	return wrap("prolong", err)
}

// AnnounceRetention tells counsellors, once, of people whose time is over within thirty days. It says how many there were.
func (s *Store) AnnounceRetention(ctx context.Context) (n int, err error) {
	err = s.eachOrganisation(ctx, func(tx *Tx, organisation onward.ID) error {
		rule, err := tx.ruleOf(ctx, organisation, onward.KeepsReturnee)
		if err != nil {
			return err
		}
		var rows []duePersonRow
		if err := tx.selectAll(ctx, &rows, `SELECT r.id, r.counsellor_id FROM retention_due('returnee', $1, $2, $3::date, NULL, NULL) d JOIN returnees r ON r.id = d.id
			WHERE r.retention_told_at IS NULL OR r.retention_told_at < d.since LIMIT $4 FOR UPDATE OF r SKIP LOCKED`,
			organisation, before(rule, tx.now.Add(onward.RetentionNotice)), onward.DateOf(tx.now.Add(onward.RetentionNotice)).String(), retentionAnnounced); err != nil {
			return err
		}
		var events []onward.Event
		for _, r := range rows {
			if _, err := tx.exec(ctx, `UPDATE returnees SET retention_told_at = $2 WHERE id = $1`, r.ID, tx.now); err != nil {
				return err
			}
			e := onward.Event{Kind: onward.EventRetentionDue, OrganisationID: organisation, UserID: r.CounsellorID, SubjectID: r.ID}
			if r.CounsellorID.IsZero() {
				e.Role = onward.RoleSupervisor
			}
			events = append(events, e)
		}
		n += len(rows)
		return tx.announce(ctx, events...)
	})
	return n, wrap("announce the end of retention", err)
}

func (s *Store) organisationIDs(ctx context.Context) (ids []onward.ID, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		ids = nil
		return tx.selectAll(ctx, &ids, `SELECT id FROM organisations ORDER BY id`)
	})
	return ids, err
}

// eachOrganisation runs fn for every organisation, each in a transaction of its own.
func (s *Store) eachOrganisation(ctx context.Context, fn func(*Tx, onward.ID) error) error {
	ids, err := s.organisationIDs(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.InTx(ctx, keepsTime(), func(tx *Tx) error { return fn(tx, id) }); err != nil {
			return err
		}
	}
	return nil
}

// Retain lets go what is due by the rules: some of every kind of every organisation, each person's in a transaction of its own. It says how
// many records went; none are left when it is none. It may be stopped at any time and run anywhere: it goes on with what is still there.
func (s *Store) Retain(ctx context.Context) (total int, err error) {
	ids, err := s.organisationIDs(ctx)
	if err != nil {
		return 0, wrap("retain", err)
	}
	for _, organisation := range ids {
		for _, rule := range onward.RetentionRules() {
			if rule.Does == onward.RetentionKeeps {
				continue
			}
			n, err := s.retainKind(ctx, organisation, rule)
			total += n
			if err != nil {
				return total, wrap("retain", err)
			}
		}
	}
	return total, nil
}

func (s *Store) retainKind(ctx context.Context, organisation onward.ID, rule onward.RetentionRule) (total int, err error) {
	if !rule.OfPeople {
		return s.retain(ctx, organisation, rule.Kind, nil)
	}
	var people []onward.ID
	err = s.InTx(ctx, keepsTime(), func(tx *Tx) error {
		people = nil
		now, err := tx.ruleOf(ctx, organisation, rule.Kind)
		if err != nil {
			return err
		}
		return tx.selectAll(ctx, &people, `SELECT person FROM (SELECT person, min(since) AS since FROM retention_due($1, $2, $3, $4::date, NULL, NULL) GROUP BY person) d LEFT JOIN returnees r ON r.id = d.person
			WHERE NOT on_hold($2, d.person, $1) AND ($1 <> 'returnee' OR (r.retention_told_at >= d.since AND r.retention_told_at <= $6)) ORDER BY d.since, d.person LIMIT $5`,
			string(rule.Kind), organisation, before(now, tx.now), tx.today().String(), retentionPeople, tx.now.Add(-onward.RetentionNotice))
	})
	for _, person := range people {
		if err != nil {
			return total, err
		}
		var n int
		if rule.Kind == onward.KeepsReturnee {
			n, err = s.retainPerson(ctx, organisation, person)
		} else {
			n, err = s.retain(ctx, organisation, rule.Kind, &person)
		}
		total += n
	}
	return total, err
}

// retain lets go the records of a kind, of one person or (nil) of nobody, by the rule as it is now.
func (s *Store) retain(ctx context.Context, organisation onward.ID, kind onward.RecordKind, person *onward.ID) (n int, err error) {
	err = s.InTx(ctx, keepsTime(), func(tx *Tx) error {
		rule, err := tx.ruleOf(ctx, organisation, kind)
		if err != nil {
			return err
		}
		return tx.get(ctx, &n, `SELECT retain($1, $2, $3, $4::date, $5, $6)`, string(kind), organisation, before(rule, tx.now), tx.today().String(), person, retentionBatch)
	})
	return n, err
}

// retainPerson erases a person whose time is over and who was announced long enough ago, by the rule as it is now.
func (s *Store) retainPerson(ctx context.Context, organisation, person onward.ID) (n int, err error) {
	err = s.InTx(ctx, keepsTime(), func(tx *Tx) error {
		n = 0
		if _, err := tx.exec(ctx, `SELECT FROM returnees WHERE id = $1 FOR UPDATE`, person); err != nil {
			return err
		}
		rule, err := tx.ruleOf(ctx, organisation, onward.KeepsReturnee)
		if err != nil {
			return err
		}
		var due bool
		if err := tx.get(ctx, &due, `SELECT EXISTS (SELECT FROM retention_due('returnee', $1, $2, $3::date, $4, 1) d JOIN returnees r ON r.id = d.id
			WHERE r.retention_told_at >= d.since AND r.retention_told_at <= $5) AND NOT on_hold($1, $4, 'returnee')`,
			organisation, before(rule, tx.now), tx.today().String(), person, tx.now.Add(-onward.RetentionNotice)); err != nil || !due {
			return err
		}
		n = 1
		return tx.erase(ctx, person, "retention")
	})
	if onward.CodeOf(err) == onward.EConflict { // somebody was faster, or placed a legal hold
		return 0, nil
	}
	return n, err
}

// RetentionCounts say what each rule would take away now, of every organisation, and what holds keep of it.
func (s *Store) RetentionCounts(ctx context.Context) (counts []onward.RetentionCount, err error) {
	err = s.eachOrganisation(ctx, func(tx *Tx, organisation onward.ID) error {
		rules, err := tx.retentionRules(ctx, organisation)
		if err != nil {
			return err
		}
		for _, rule := range rules {
			c := onward.RetentionCount{OrganisationID: organisation, Kind: rule.Kind, Days: rule.Days}
			if err := tx.tx.QueryRowxContext(ctx, `SELECT count(*), count(*) FILTER (WHERE on_hold($2, d.person, $1)) FROM retention_due($1, $2, $3, $4::date, NULL, NULL) d`,
				string(rule.Kind), organisation, before(rule, tx.now), tx.today().String()).Scan(&c.Due, &c.Held); err != nil {
				return translate(err)
			}
			counts = append(counts, c)
		}
		return nil
	})
	return counts, wrap("count what is due", err)
}

// onHold says whether a legal hold keeps a person.
func (tx *Tx) onHold(ctx context.Context, organisation, person onward.ID) (held bool, err error) {
	err = tx.get(ctx, &held, `SELECT on_hold($1, $2, 'returnee')`, organisation, person)
	return held, wrap("read legal holds", err)
}
