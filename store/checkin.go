package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"onward"
)

const checkInColumns = `c.id, c.version, c.organisation_id, c.partner_id, c.returnee_id, c.placement_id, c.purpose, c.day, c.due_on, c.status, c.cancelled_for,
	c.attempts, c.still_there, c.talked_on, c.questionnaire, c.questionnaire_version, c.scores, c.done_at`

const selectCheckIn = `SELECT ` + checkInColumns + ` FROM check_ins c `

type checkInRow struct {
	ID                   onward.ID             `db:"id"`
	Version              int64                 `db:"version"`
	OrganisationID       onward.ID             `db:"organisation_id"`
	PartnerID            onward.ID             `db:"partner_id"`
	ReturneeID           onward.ID             `db:"returnee_id"`
	PlacementID          onward.ID             `db:"placement_id"`
	Purpose              onward.CheckInPurpose `db:"purpose"`
	Day                  int                   `db:"day"`
	DueOn                time.Time             `db:"due_on"`
	Status               onward.CheckInStatus  `db:"status"`
	CancelledFor         string                `db:"cancelled_for"`
	Attempts             int                   `db:"attempts"`
	StillThere           onward.StillThere     `db:"still_there"`
	TalkedOn             *time.Time            `db:"talked_on"`
	Questionnaire        string                `db:"questionnaire"`
	QuestionnaireVersion int                   `db:"questionnaire_version"`
	Scores               []byte                `db:"scores"`
	DoneAt               *time.Time            `db:"done_at"`
}

func (r checkInRow) checkIn() (onward.CheckIn, error) {
	c := onward.CheckIn{
		ID: r.ID, Version: r.Version, OrganisationID: r.OrganisationID, PartnerID: r.PartnerID, ReturneeID: r.ReturneeID, PlacementID: r.PlacementID,
		Purpose: r.Purpose, Day: r.Day, DueOn: onward.DateOf(r.DueOn), Status: r.Status, CancelledFor: r.CancelledFor, Attempts: r.Attempts, StillThere: r.StillThere,
		Questionnaire: onward.QuestionnaireRef{Code: r.Questionnaire, Version: r.QuestionnaireVersion}, DoneAt: r.DoneAt,
	}
	if r.Scores != nil {
		if err := json.Unmarshal(r.Scores, &c.Scores); err != nil {
			return c, wrap("read scores", err)
		}
	}
	return c, nil
}

// PlanCheckIns plans the check-ins of placements that have none yet, a batch at once, and says of how many. Those whose day is
// long past are planned as well: late is better than never.
func (s *Store) PlanCheckIns(ctx context.Context) (n int, err error) {
	plans, err := json.Marshal(onward.CheckInPlans())
	if err != nil {
		return 0, wrap("plan check-ins", err)
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		return tx.get(ctx, &n, `WITH open AS (
				SELECT p.id FROM placements p WHERE NOT p.check_ins_planned ORDER BY p.id LIMIT $2 FOR UPDATE SKIP LOCKED),
			marked AS (
				UPDATE placements p SET check_ins_planned = true FROM open WHERE p.id = open.id
				RETURNING p.id, p.organisation_id, p.partner_id, p.returnee_id, p.kind, p.started_on, p.end_reason),
			planned AS (
				INSERT INTO check_ins (id, organisation_id, partner_id, returnee_id, placement_id, purpose, day, due_on)
				SELECT new_id(), m.organisation_id, m.partner_id, m.returnee_id, m.id, plan.purpose, d.day, m.started_on + d.day
				FROM marked m JOIN jsonb_to_recordset($1::jsonb) plan(kind text, purpose text, days integer[]) ON plan.kind = m.kind, unnest(plan.days) d(day)
				WHERE m.end_reason = '' OR (plan.purpose = 'sustainability' AND m.end_reason NOT IN ('unreachable', 'died')) -- as when one ends later
				ON CONFLICT DO NOTHING)
			SELECT count(*) FROM marked`, string(plans), endBatch)
	})
	return n, wrap("plan check-ins", err)
}

// CallCheckIns makes planned check-ins due when their day has come, a batch at once: the partner is told once, or the agency
// where no partner monitors. Without an active consent to be followed up a check-in is cancelled instead.
func (s *Store) CallCheckIns(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []struct {
			ID             onward.ID `db:"id"`
			OrganisationID onward.ID `db:"organisation_id"`
			PartnerID      onward.ID `db:"partner_id"`
			Due            bool      `db:"due"`
		}
		err := tx.selectAll(ctx, &rows, `WITH called AS (
				SELECT c.id, `+activeConsent("r", onward.ConsentFollowUp, "$1::text")+` AS agrees FROM check_ins c JOIN returnees r ON r.id = c.returnee_id
				WHERE c.status = 'planned' AND c.due_on <= ($1::text)::date ORDER BY c.due_on LIMIT $2 FOR UPDATE OF c SKIP LOCKED)
			UPDATE check_ins c SET version = c.version + 1, status = CASE WHEN k.agrees THEN 'due' ELSE 'cancelled' END,
				cancelled_for = CASE WHEN k.agrees THEN '' ELSE 'no_consent' END
			FROM called k WHERE c.id = k.id RETURNING c.id, c.organisation_id, c.partner_id, k.agrees AS due`, tx.today().String(), endBatch)
		if err != nil {
			return err
		}
		n = len(rows)
		var events []onward.Event
		for _, r := range rows {
			if !r.Due {
				continue
			}
			e := onward.Event{Kind: onward.EventCheckInDue, OrganisationID: r.PartnerID, Role: onward.RolePartner, SubjectID: r.ID}
			if r.PartnerID.IsZero() {
				e.OrganisationID, e.Role = r.OrganisationID, onward.RoleCounsellor
			}
			events = append(events, e)
		}
		return tx.announce(ctx, events...)
	})
	return n, wrap("call check-ins", err)
}

// cancelCheckIns cancels what is left to ask when a placement ended: talks about the work always, how the return goes only where
// no one can be asked any more.
func (tx *Tx) cancelCheckIns(ctx context.Context, placement onward.ID, end onward.PlacementEnd) error {
	all := end == onward.EndUnreachable || end == onward.EndDied
	_, err := tx.exec(ctx, `UPDATE check_ins SET status = 'cancelled', cancelled_for = 'placement_ended', version = version + 1
		WHERE placement_id = $1 AND status IN ('planned', 'due') AND ($2 OR purpose = 'placement')`, placement, all)
	return wrap("cancel check-ins", err)
}

func errNoCheckIn() error { return onward.Errorf(onward.ENotFound, "no check-in of yours has this id") }

// mayCheckIn is EForbidden for roles that ask no one.
func (tx *Tx) mayCheckIn() error {
	if !tx.Actor.HandlesReturnees() && tx.Actor.Role != onward.RolePartner {
		return onward.Errorf(onward.EForbidden, "only partners, counsellors and supervisors see check-ins")
	}
	return nil
}

// CheckInFilter narrows a list. Zero fields do not filter.
type CheckInFilter struct {
	Status      onward.CheckInStatus
	ReturneeID  onward.ID
	PlacementID onward.ID
}

// CheckIns lists those of the partner, or of the agency, from the one that was due first.
func (tx *Tx) CheckIns(ctx context.Context, f CheckInFilter, limit int) ([]onward.CheckIn, error) {
	if err := tx.mayCheckIn(); err != nil {
		return nil, err
	}
	if limit <= 0 || limit > mostListed {
		limit = mostListed
	}
	var rows []checkInRow
	// The own organisation is named as well as guarded by the policy, so that the planner has an index to begin with.
	mine := `c.organisation_id = $1`
	if tx.Actor.Role == onward.RolePartner {
		mine = `c.partner_id = $1`
	} else if tx.Actor.OrganisationID.IsZero() {
		mine = `$1::uuid IS NULL`
	}
	err := tx.selectAll(ctx, &rows, selectCheckIn+`WHERE `+mine+` AND ($2::text = '' OR c.status = $2) AND ($3::uuid IS NULL OR c.returnee_id = $3)
		AND ($4::uuid IS NULL OR c.placement_id = $4) ORDER BY c.due_on, c.id LIMIT $5`,
		nilIfZero(tx.Actor.OrganisationID), string(f.Status), f.ReturneeID, f.PlacementID, limit)
	if err != nil {
		return nil, wrap("list check-ins", err)
	}
	return checkInsOf(rows)
}

// DueCheckIns lists those that are to be made now, the longest due first: CheckIns for the one list that everyone looks at
// every day, with an index of its own.
func (tx *Tx) DueCheckIns(ctx context.Context, limit int) ([]onward.CheckIn, error) {
	if err := tx.mayCheckIn(); err != nil {
		return nil, err
	}
	column := `organisation_id`
	if tx.Actor.Role == onward.RolePartner {
		column = `partner_id`
	}
	var rows []checkInRow
	err := tx.selectAll(ctx, &rows, selectCheckIn+`WHERE c.`+column+` = $1 AND c.status = 'due' ORDER BY c.due_on, c.id LIMIT $2`, tx.Actor.OrganisationID, min(max(limit, 1), mostListed))
	if err != nil {
		return nil, wrap("list due check-ins", err)
	}
	return checkInsOf(rows)
}

// mostListed is how many lines a list without pages has at most.
const mostListed = 500

func checkInsOf(rows []checkInRow) ([]onward.CheckIn, error) {
	list := make([]onward.CheckIn, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = row.checkIn(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// CheckIn reads one with the attempts to make it. ENotFound if it is not the actor's.
func (tx *Tx) CheckIn(ctx context.Context, id onward.ID) (onward.CheckIn, []onward.Attempt, error) {
	if err := tx.mayCheckIn(); err != nil {
		return onward.CheckIn{}, nil, errNoCheckIn()
	}
	var row checkInRow
	if err := tx.get(ctx, &row, selectCheckIn+`WHERE c.id = $1`, id); errors.Is(err, sql.ErrNoRows) {
		return onward.CheckIn{}, nil, errNoCheckIn()
	} else if err != nil {
		return onward.CheckIn{}, nil, wrap("read check-in", err)
	}
	c, err := row.checkIn()
	if err != nil {
		return c, nil, err
	}
	attempts, err := tx.attempts(ctx, row)
	return c, attempts, err
}

// attemptNote is where the note of an attempt is.
func attemptNote(checkIn onward.ID, at time.Time, outcome string) string {
	return fieldOf("check_in_attempts", lineOf(checkIn, at, outcome), "note")
}

func (tx *Tx) attempts(ctx context.Context, of checkInRow) ([]onward.Attempt, error) {
	var rows []struct {
		At        time.Time  `db:"at"`
		Channel   string     `db:"channel"`
		Outcome   string     `db:"outcome"`
		Alternate bool       `db:"alternate"`
		Note      sealedText `db:"note"`
		UserID    onward.ID  `db:"user_id"`
	}
	if err := tx.selectAll(ctx, &rows, `SELECT at, channel, outcome, alternate, note, user_id FROM check_in_attempts WHERE check_in_id = $1 ORDER BY id LIMIT 200`, of.ID); err != nil {
		return nil, wrap("read attempts", err)
	}
	list, texts := make([]onward.Attempt, len(rows)), make([]text, len(rows))
	for i, r := range rows {
		list[i] = onward.Attempt{At: r.At, Channel: r.Channel, Outcome: r.Outcome, Alternate: r.Alternate, UserID: r.UserID}
		texts[i] = text{of.ReturneeID, attemptNote(of.ID, r.At, r.Outcome), r.Note, &list[i].Note}
	}
	return list, wrap("read attempts", tx.openTexts(ctx, texts))
}

// CheckInContact is how to reach the person of a live check-in. ENotFound when it is not live, not the actor's, or the person
// does not agree to be asked.
func (tx *Tx) CheckInContact(ctx context.Context, id onward.ID) (onward.ContactCard, error) {
	var card onward.ContactCard
	var text []byte
	if err := tx.get(ctx, &text, `SELECT check_in_contact($1, $2)`, id, tx.today().String()); err != nil {
		return card, wrap("read contact", err)
	}
	if text == nil {
		return card, onward.Errorf(onward.ENotFound, "how to reach the person is shown while the check-in is to be made and the person agrees to be asked")
	}
	person, language, err := tx.store.openShared(text, &card)
	card.Language = language
	tx.noteRead("check_in_contact", []string{"given_name", "family_name", "phone", "alternate_contact"}, person)
	return card, wrap("read contact", err)
}

// lockCheckIn reads a live check-in that is about to change and keeps others from changing it meanwhile.
func (tx *Tx) lockCheckIn(ctx context.Context, id onward.ID, version int64) (checkInRow, error) {
	var row checkInRow
	if err := tx.mayCheckIn(); err != nil {
		return row, errNoCheckIn()
	}
	if err := tx.get(ctx, &row, selectCheckIn+`WHERE c.id = $1 FOR UPDATE`, id); errors.Is(err, sql.ErrNoRows) {
		return row, errNoCheckIn()
	} else if err != nil {
		return row, wrap("lock check-in", err)
	}
	if version != 0 && version != row.Version {
		current, err := row.checkIn()
		if err != nil {
			return row, err
		}
		return row, errStale(current)
	}
	if row.Status != onward.CheckInDue && row.Status != onward.CheckInPlanned {
		return row, onward.Errorf(onward.EConflict, "it is %s; read it again for its present state", row.Status)
	}
	return row, nil
}

// AddAttempt records a try to reach the person.
func (tx *Tx) AddAttempt(ctx context.Context, id onward.ID, a onward.Attempt) (onward.CheckIn, []onward.Attempt, error) {
	if err := a.Validate(); err != nil {
		return onward.CheckIn{}, nil, err
	}
	row, err := tx.lockCheckIn(ctx, id, 0)
	if err != nil {
		return onward.CheckIn{}, nil, err
	}
	note, err := tx.sealText(ctx, row.ReturneeID, attemptNote(id, tx.now, a.Outcome), a.Note)
	if err != nil {
		return onward.CheckIn{}, nil, wrap("record attempt", err)
	}
	if _, err := tx.exec(ctx, `INSERT INTO check_in_attempts (check_in_id, organisation_id, at, channel, outcome, alternate, note, user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, row.OrganisationID, tx.now, a.Channel, a.Outcome, a.Alternate, note, nilIfZero(tx.Actor.UserID)); err != nil {
		return onward.CheckIn{}, nil, wrap("record attempt", err)
	}
	if _, err := tx.exec(ctx, `UPDATE check_ins SET attempts = attempts + 1, version = version + 1 WHERE id = $1`, id); err != nil {
		return onward.CheckIn{}, nil, wrap("record attempt", err)
	}
	return tx.CheckIn(ctx, id)
}

// MissCheckIn gives a check-in up after enough attempts: the person is lost to follow-up at this point. EConflict before.
func (tx *Tx) MissCheckIn(ctx context.Context, id onward.ID, version int64) (onward.CheckIn, []onward.Attempt, error) {
	row, err := tx.lockCheckIn(ctx, id, version)
	if err != nil {
		return onward.CheckIn{}, nil, err
	}
	attempts, err := tx.attempts(ctx, row)
	if err != nil {
		return onward.CheckIn{}, nil, err
	}
	if err := onward.MayBeMissed(attempts); err != nil {
		return onward.CheckIn{}, nil, err
	}
	if _, err := tx.exec(ctx, `UPDATE check_ins SET status = 'missed', version = version + 1, done_at = $2, done_by = $3 WHERE id = $1`, id, tx.now, nilIfZero(tx.Actor.UserID)); err != nil {
		return onward.CheckIn{}, nil, wrap("give up check-in", err)
	}
	return tx.CheckIn(ctx, id)
}

// CheckInQuestionnaire is what is asked at a check-in: the latest version of its agency, or what was asked.
func (tx *Tx) CheckInQuestionnaire(ctx context.Context, id onward.ID) (onward.Questionnaire, error) {
	c, _, err := tx.CheckIn(ctx, id)
	if err != nil {
		return onward.Questionnaire{}, err
	}
	return tx.questionnaire(ctx, c.OrganisationID, c.Purpose.QuestionnaireOf(), c.Questionnaire.Version)
}

// CompleteCheckIn records a talk: the answers with their scores, where the person lives, whether they are still there (if not,
// the placement ends), and an alert for each answer that raises one. All of it in one transaction.
func (tx *Tx) CompleteCheckIn(ctx context.Context, id onward.ID, version int64, r onward.CheckInResult) (onward.CheckIn, []onward.Attempt, error) {
	fail := func(err error) (onward.CheckIn, []onward.Attempt, error) { return onward.CheckIn{}, nil, err }
	vocabulary, err := tx.vocabulary()
	if err != nil {
		return fail(err)
	}
	if err := r.Validate(tx.today(), vocabulary); err != nil {
		return fail(err)
	}
	row, err := tx.lockCheckIn(ctx, id, version)
	if err != nil {
		return fail(err)
	}
	if _, err := tx.CheckInContact(ctx, id); err != nil {
		return fail(onward.Errorf(onward.EConflict, "it is not due yet, or the person does not agree to be asked any more; nothing was recorded"))
	}
	q, err := tx.questionnaire(ctx, row.OrganisationID, row.Purpose.QuestionnaireOf(), 0)
	if err != nil {
		return fail(err)
	}
	if err := q.ValidateAnswers(r.Answers); err != nil {
		return fail(err)
	}
	if err := tx.saveTalk(ctx, row, r, q); err != nil {
		return fail(err)
	}
	if err := tx.observe(ctx, row, r); err != nil {
		return fail(err)
	}
	// The talk is done by now, so that the end of the placement does not cancel it.
	if r.StillThere == onward.StillNo {
		if err := tx.endIfRunning(ctx, row.PlacementID, r); err != nil {
			return fail(err)
		}
	}
	for _, kind := range q.Findings(r.Answers) {
		if _, err := tx.RaiseAlert(ctx, onward.NewAlert{PlacementID: row.PlacementID, Kind: kind, Source: onward.AlertByCheckIn, SourceID: id}); err != nil {
			return fail(err)
		}
	}
	return tx.CheckIn(ctx, id)
}

// endIfRunning ends the placement that the person left, unless someone recorded that before.
func (tx *Tx) endIfRunning(ctx context.Context, placement onward.ID, r onward.CheckInResult) error {
	source := onward.SourceSelf
	if tx.Actor.Role == onward.RolePartner {
		source = onward.SourcePartner
	}
	p, err := tx.Placement(ctx, placement)
	if err != nil {
		return err
	}
	if !p.EndedOn.IsZero() {
		return nil
	}
	_, err = tx.EndPlacement(ctx, placement, 0, onward.EndPlacement{EndedOn: r.EndedOn, Reason: r.EndReason, Source: source})
	return err
}

func (tx *Tx) saveTalk(ctx context.Context, row checkInRow, r onward.CheckInResult, q onward.Questionnaire) error {
	answers, err := tx.sealAnswers(ctx, row, r.Answers)
	if err != nil {
		return wrap("complete check-in", err)
	}
	scores, err := marshal(q.Score(r.Answers))
	if err != nil {
		return wrap("complete check-in", err)
	}
	if _, err := tx.exec(ctx, `UPDATE check_ins SET status = 'done', cancelled_for = '', version = version + 1, still_there = $2, talked_on = $3, questionnaire = $4,
			questionnaire_version = $5, answers = to_jsonb($6::text), scores = nullif($7::jsonb, 'null'), done_at = $8, done_by = $9 WHERE id = $1`,
		row.ID, string(r.StillThere), r.TalkedOn.String(), q.Code, q.Version, answers, string(scores), tx.now, nilIfZero(tx.Actor.UserID)); err != nil {
		return wrap("complete check-in", err)
	}
	_, err = tx.exec(ctx, `UPDATE placements SET last_seen_on = greatest(last_seen_on, $2::date) WHERE id = $1`, row.PlacementID, r.TalkedOn.String())
	return wrap("complete check-in", err)
}

// sealAnswers seals what a person said, in codes and in words. The scores beside it are counted with.
func (tx *Tx) sealAnswers(ctx context.Context, row checkInRow, answers map[string]string) (sealedText, error) {
	said, err := marshal(answers)
	if err != nil {
		return "", err
	}
	return tx.sealText(ctx, row.ReturneeID, fieldOf("check_ins", row.ID.String(), "answers"), string(said))
}

// CheckInAnswers is what a person said at a check-in, by item of the questionnaire; nothing before it was made.
func (tx *Tx) CheckInAnswers(ctx context.Context, id onward.ID) (map[string]string, error) {
	if err := tx.mayCheckIn(); err != nil {
		return nil, errNoCheckIn()
	}
	var row struct {
		ReturneeID onward.ID  `db:"returnee_id"`
		Answers    sealedText `db:"answers"`
	}
	err := tx.get(ctx, &row, `SELECT returnee_id, coalesce(answers #>> '{}', '') AS answers FROM check_ins WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoCheckIn()
	} else if err != nil {
		return nil, wrap("read answers", err)
	}
	var said string
	if err := tx.openTexts(ctx, []text{{row.ReturneeID, fieldOf("check_ins", id.String(), "answers"), row.Answers, &said}}); err != nil || said == "" {
		return nil, wrap("read answers", err)
	}
	var answers map[string]string
	return answers, wrap("read answers", json.Unmarshal([]byte(said), &answers))
}

// observe records where the person lives now, from which the model of the likely destination learns. What the same source said of
// the day before stays.
func (tx *Tx) observe(ctx context.Context, row checkInRow, r onward.CheckInResult) error {
	if (r.PlaceID == 0 && !r.Abroad) || tx.Actor.UserID.IsZero() {
		return nil
	}
	source := onward.ResidenceBySelf
	if tx.Actor.Role == onward.RolePartner {
		source = onward.ResidenceByPartner
	}
	_, err := tx.exec(ctx, `INSERT INTO residences (id, organisation_id, returnee_id, observed_on, place_id, source, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`, onward.NewID(), row.OrganisationID, row.ReturneeID, r.TalkedOn.String(), nilIfZero(int64(r.PlaceID)), string(source), tx.Actor.UserID)
	return wrap("record residence", err)
}

// Sustainability is how the return of a person goes, measured at 0, 6 and 12 months.
func (tx *Tx) Sustainability(ctx context.Context, returnee onward.ID) ([]onward.SustainabilityPoint, error) {
	if _, err := tx.Returnee(ctx, returnee); err != nil {
		return nil, err
	}
	var rows []checkInRow
	err := tx.selectAll(ctx, &rows, selectCheckIn+`WHERE c.returnee_id = $1 AND c.purpose = 'sustainability' AND c.status = 'done' ORDER BY c.talked_on, c.id LIMIT $2`, returnee, mostListed)
	if err != nil {
		return nil, wrap("read sustainability", err)
	}
	points := []onward.SustainabilityPoint{}
	for _, row := range rows {
		c, err := row.checkIn()
		if err != nil {
			return nil, err
		}
		p := onward.SustainabilityPoint{CheckInID: c.ID, Month: (c.Day + 15) / 30, On: dateOf(row.TalkedOn)}
		if c.Scores != nil {
			p.Scores = *c.Scores
		}
		points = append(points, p)
	}
	return points, nil
}
