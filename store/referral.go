package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"onward"
)

const referralColumns = `r.id, r.version, r.organisation_id, r.recipient_id, r.returnee_id, r.opportunity_id, r.pseudonym, r.request_id, r.rank,
	r.choice_reason, r.choice_note, r.urgency, r.status, r.held_from, r.reason, r.ended_from, r.told, r.question, r.information, r.hold_until,
	r.reply_due_at, r.remind_at, r.overdue_at, r.waiting_from, r.created_by, r.created_at, r.sent_at, r.answered_at, r.placed_at, r.ended_at, r.updated_at`

const selectReferral = `SELECT ` + referralColumns + ` FROM referrals r `

type referralRow struct {
	ID             onward.ID             `db:"id"`
	Version        int64                 `db:"version"`
	OrganisationID onward.ID             `db:"organisation_id"`
	RecipientID    onward.ID             `db:"recipient_id"`
	ReturneeID     onward.ID             `db:"returnee_id"`
	OpportunityID  onward.ID             `db:"opportunity_id"`
	Pseudonym      onward.ID             `db:"pseudonym"`
	RequestID      onward.ID             `db:"request_id"`
	Rank           int                   `db:"rank"`
	ChoiceReason   onward.ChoiceReason   `db:"choice_reason"`
	ChoiceNote     sealedText            `db:"choice_note"`
	Urgency        onward.Urgency        `db:"urgency"`
	Status         onward.ReferralStatus `db:"status"`
	HeldFrom       onward.ReferralStatus `db:"held_from"`
	Reason         onward.ReferralReason `db:"reason"`
	EndedFrom      onward.ReferralStatus `db:"ended_from"`
	Told           sealedText            `db:"told"`
	Question       sealedText            `db:"question"`
	Information    sealedText            `db:"information"`
	HoldUntil      *time.Time            `db:"hold_until"`
	ReplyDueAt     *time.Time            `db:"reply_due_at"`
	RemindAt       *time.Time            `db:"remind_at"`
	OverdueAt      *time.Time            `db:"overdue_at"`
	WaitingFrom    *time.Time            `db:"waiting_from"`
	CreatedBy      onward.ID             `db:"created_by"`
	CreatedAt      time.Time             `db:"created_at"`
	SentAt         *time.Time            `db:"sent_at"`
	AnsweredAt     *time.Time            `db:"answered_at"`
	PlacedAt       *time.Time            `db:"placed_at"`
	EndedAt        *time.Time            `db:"ended_at"`
	UpdatedAt      time.Time             `db:"updated_at"`
}

// referral is the referral as its agency sees it, without what was written in it.
func (r *referralRow) referral(now time.Time) onward.Referral {
	side := onward.ReasonSide("")
	if r.Reason != "" {
		side = r.Reason.Side()
	}
	return onward.Referral{
		ID: r.ID, Version: r.Version, OrganisationID: r.OrganisationID, RecipientID: r.RecipientID, Pseudonym: r.Pseudonym, Status: r.Status,
		ReferralDetails: onward.ReferralDetails{
			ReturneeID: r.ReturneeID, OpportunityID: r.OpportunityID, RequestID: r.RequestID, Urgency: r.Urgency, ChoiceReason: r.ChoiceReason,
		},
		Rank: r.Rank, HeldFrom: r.HeldFrom, Reason: r.Reason, ReasonSide: side, EndedFrom: r.EndedFrom,
		HoldUntil: r.HoldUntil, ReplyDueAt: r.ReplyDueAt, Overdue: r.overdue(now), WaitingFrom: r.WaitingFrom,
		CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt, SentAt: r.SentAt, AnsweredAt: r.AnsweredAt, PlacedAt: r.PlacedAt, EndedAt: r.EndedAt,
		UpdatedAt: r.UpdatedAt,
	}
}

// text is a field of words of the referral.
func (r *referralRow) text(field string, sealed sealedText, into *string) text {
	return text{r.ReturneeID, fieldOf("referrals", r.ID.String(), field), sealed, into}
}

// referrals are those of an agency, with what was written in them.
func (tx *Tx) referrals(ctx context.Context, rows []referralRow) ([]onward.Referral, error) {
	list := make([]onward.Referral, len(rows))
	texts := make([]text, 0, 4*len(rows))
	for i := range rows {
		r, o := &rows[i], &list[i]
		*o = r.referral(tx.now)
		texts = append(texts, r.text("choice_note", r.ChoiceNote, &o.ChoiceNote), r.text("told", r.Told, &o.Told),
			r.text("question", r.Question, &o.Question), r.text("information", r.Information, &o.Information))
	}
	return list, wrap("read what was written", tx.openTexts(ctx, texts))
}

// referralOf is one of them.
func (tx *Tx) referralOf(ctx context.Context, row *referralRow) (onward.Referral, error) {
	list, err := tx.referrals(ctx, []referralRow{*row})
	return list[0], err
}

// write seals words for a field of the referral.
func (tx *Tx) write(ctx context.Context, r *referralRow, field, words string, into *sealedText) (err error) {
	*into, err = tx.sealText(ctx, r.ReturneeID, fieldOf("referrals", r.ID.String(), field), words)
	return err
}

func (r *referralRow) overdue(now time.Time) bool {
	return r.Status == onward.ReferralRequested && r.ReplyDueAt != nil && r.ReplyDueAt.Before(now)
}

// chosen is how the list had what was chosen, beside its first: what the report on disagreement is made of.
type chosen struct {
	onward.ScoreParts
	First      *onward.ScoreParts `json:"first,omitempty"`
	Overridden bool               `json:"overridden,omitempty"`
}

// CreateReferral chooses an opportunity for a person, as a draft. EInvalid when it is not the first of the list and no reason
// is given; EConflict when there is a live referral of the person to it already, when it is closed, or when the person can't be
// referred to it; ENotFound for what the actor may not see.
func (tx *Tx) CreateReferral(ctx context.Context, d onward.ReferralDetails) (onward.Referral, error) {
	var none onward.Referral
	if !tx.Actor.HandlesReturnees() || tx.Actor.UserID.IsZero() {
		return none, onward.Errorf(onward.EForbidden, "only counsellors and supervisors refer people")
	}
	returnee, err := tx.Returnee(ctx, d.ReturneeID)
	if err != nil {
		return none, err
	}
	opportunity, err := tx.Opportunity(ctx, d.OpportunityID)
	if err != nil {
		return none, err
	}
	if err := tx.mayBeReferred(returnee, opportunity); err != nil {
		return none, err
	}
	list, err := tx.chosenFrom(ctx, d)
	if err != nil {
		return none, err
	}
	rank, how := choice(list, d.OpportunityID)
	if err := d.Validate(rank); err != nil {
		return none, err
	}
	if d.Urgency == "" {
		d.Urgency = onward.NotPressed
	}
	asChosen, err := marshal(how)
	if err != nil {
		return none, wrap("create referral", err)
	}
	id := onward.NewID()
	decision := onward.NewDecision(list, opportunity.ID, returnee.Consents, tx.today())
	decision.OpportunityID, decision.OpportunityVersion, decision.RequestID, decision.ChoiceReason = opportunity.ID, opportunity.Version, d.RequestID, d.ChoiceReason
	record, err := json.Marshal(decision)
	if err != nil {
		return none, wrap("create referral", err)
	}
	note, err := tx.sealText(ctx, returnee.ID, fieldOf("referrals", id.String(), "choice_note"), d.ChoiceNote)
	if err != nil {
		return none, wrap("create referral", err)
	}
	var row referralRow
	err = tx.get(ctx, &row, `WITH step AS (
			INSERT INTO referral_steps (referral_id, organisation_id, at, event, to_status, party, user_id) VALUES ($1, $2, $15, 'create', 'draft', 'agency', $14)),
		decision AS (INSERT INTO referral_decisions (referral_id, organisation_id, returnee_id, decided_by, role, at, body, list_hash)
			VALUES ($1, $2, $4, $14, $16, $15,
				$17::jsonb - '{referral_id,returnee_id,decided_by,role,at,list,list_hash}'::text[], -- they have columns of their own
				(SELECT sha256(q.list) FROM referral_requests q WHERE q.id = $8)))
		INSERT INTO referrals AS r (id, organisation_id, recipient_id, returnee_id, opportunity_id, kind, place_id, pseudonym,
			request_id, rank, chosen, choice_reason, choice_note, urgency, status, created_by, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, candidate_pseudonym($5, $4), $8, $9, $10, $11, $12, $13, 'draft', $14, $15, $15)
		RETURNING `+referralColumns,
		id, tx.Actor.OrganisationID, opportunity.OrganisationID, returnee.ID, opportunity.ID, string(opportunity.Kind),
		nilIfZero(int64(opportunity.PlaceID)), nilIfZero(d.RequestID), rank, string(asChosen), string(d.ChoiceReason), note,
		string(d.Urgency), tx.Actor.UserID, tx.now, string(tx.Actor.Role), string(record))
	if constraintOf(err) == "referrals_live" {
		return none, onward.Errorf(onward.EConflict, "this person has a live referral to this opportunity already; GET /v1/referrals?returnee_id= shows it")
	}
	if err != nil {
		return none, wrap("create referral", err)
	}
	return tx.referralOf(ctx, &row)
}

// mayBeReferred says whether a person can be referred to an opportunity at all. A safety exclusion is not told apart from
// other refusals.
func (tx *Tx) mayBeReferred(p onward.Returnee, o onward.Opportunity) error {
	if o.Status != onward.OpportunityOpen {
		return onward.Errorf(onward.EConflict, "the opportunity is %s; only open ones take referrals", o.Status)
	}
	if slices.Contains(p.Safety.ExcludedOrganisations, o.OrganisationID) || tx.excludes(p.Safety.ExcludedPlaces, o.PlaceID) ||
		o.Vetting == onward.VettingRejected || (p.Safety.Protection && !o.VettedOn(tx.today())) {
		return onward.Errorf(onward.EConflict, "this person can't be referred to this opportunity; choose one of the person's list")
	}
	return nil
}

func (tx *Tx) excludes(excluded []onward.ExcludedPlace, at onward.PlaceID) bool {
	if at == 0 || len(excluded) == 0 || tx.store.vocabulary == nil {
		return false
	}
	here, ok := tx.store.vocabulary.Place(at)
	return ok && slices.ContainsFunc(excluded, func(e onward.ExcludedPlace) bool {
		there, ok := tx.store.vocabulary.Place(e.PlaceID)
		return e.PlaceID == at || ok && onward.DistanceKm(here.Lat, here.Lon, there.Lat, there.Lon) <= e.RadiusKm
	})
}

// chosenFrom reads the list that something was chosen from; nil when it was chosen without one.
func (tx *Tx) chosenFrom(ctx context.Context, d onward.ReferralDetails) (*onward.RankedList, error) {
	if d.RequestID.IsZero() {
		return nil, nil
	}
	request, err := tx.ReferralRequest(ctx, d.RequestID)
	if onward.CodeOf(err) == onward.ENotFound || err == nil && request.ReturneeID != d.ReturneeID {
		return nil, onward.Invalid([]onward.FieldError{{Field: "request_id", Rule: "unknown", Message: "this names no referral request of this person"}})
	} else if err != nil {
		return nil, err
	}
	if request.List == nil {
		return nil, onward.Errorf(onward.EConflict, "this referral request has no list yet; read it with ?wait=10s, then choose")
	}
	return request.List, nil
}

// choice finds what was chosen in the list that it was chosen from, if any. Rank 0: it is on none.
func choice(list *onward.RankedList, opportunity onward.ID) (int, chosen) {
	if list == nil {
		return 0, chosen{}
	}
	for _, line := range list.Referrals {
		if line.Opportunity.ID != opportunity {
			continue
		}
		first := list.Referrals[0]
		return line.Rank, chosen{
			ScoreParts: onward.ScoreParts{Fit: line.Fit, Reach: line.Reach, Terms: line.Terms},
			First:      &onward.ScoreParts{Fit: first.Fit, Reach: first.Reach, Terms: first.Terms}, Overridden: list.Destination.Overridden,
		}
	}
	return 0, chosen{Overridden: list.Destination.Overridden}
}

// Referral reads one as the agency sees it. ENotFound if it does not exist or the actor is not of the agency.
func (tx *Tx) Referral(ctx context.Context, id onward.ID) (onward.Referral, error) {
	if !tx.Actor.HandlesReturnees() {
		return onward.Referral{}, errNoReferral()
	}
	var row referralRow
	err := tx.get(ctx, &row, selectReferral+`WHERE r.id = $1 AND ($2::uuid IS NULL OR r.organisation_id = $2)`, id, nilIfZero(tx.Actor.OrganisationID))
	if errors.Is(err, sql.ErrNoRows) {
		return onward.Referral{}, errNoReferral()
	}
	if err != nil {
		return onward.Referral{}, wrap("read referral", err)
	}
	r, err := tx.referralOf(ctx, &row)
	if err == nil && r.WaitingFrom != nil && r.HoldUntil == nil {
		err = tx.get(ctx, &r.Ahead, `SELECT waiting_ahead($1)`, id)
	}
	return r, wrap("read referral", err)
}

func errNoReferral() error {
	return onward.Errorf(onward.ENotFound, "no referral of yours has this id")
}

// ReferralFilter narrows a list. Zero fields do not filter.
type ReferralFilter struct {
	Status        onward.ReferralStatus
	ReturneeID    onward.ID
	OpportunityID onward.ID
	CreatedBy     onward.ID
	Live          bool
	Overdue       bool // requested, and not answered in time
	Waiting       bool // on a waiting list
}

// Referrals lists the agency's, newest first.
func (tx *Tx) Referrals(ctx context.Context, f ReferralFilter, cursor Cursor) (Page[onward.Referral], error) {
	var page Page[onward.Referral]
	if !tx.Actor.HandlesReturnees() {
		return page, onward.Errorf(onward.EForbidden, "only counsellors and supervisors see referrals; GET /v1/received-referrals lists those that were sent to you")
	}
	rows, limit, err := tx.referralRows(ctx, f, cursor, `($8::uuid IS NULL OR r.organisation_id = $8)`)
	if err != nil {
		return page, err
	}
	list, err := tx.referrals(ctx, rows)
	if err != nil {
		return page, err
	}
	return pageOf(list, limit, func(r onward.Referral) onward.ID { return r.ID }), nil
}

func (tx *Tx) referralRows(ctx context.Context, f ReferralFilter, cursor Cursor, mine string) ([]referralRow, int, error) {
	after, limit, err := cursor.position()
	if err != nil {
		return nil, 0, err
	}
	var rows []referralRow
	err = tx.selectAll(ctx, &rows, selectReferral+`
		WHERE r.id < $1 AND ($2::text = '' OR r.status = $2) AND ($3::uuid IS NULL OR r.returnee_id = $3)
		  AND ($4::uuid IS NULL OR r.opportunity_id = $4) AND ($5::uuid IS NULL OR r.created_by = $5)
		  AND (NOT $6 OR (r.status = 'requested' AND r.reply_due_at < $7)) AND `+mine+`
		  AND (NOT $9 OR r.waiting_from IS NOT NULL)
		  AND (NOT $10 OR r.status IN ('draft', 'requested', 'accepted', 'on_hold', 'in_progress', 'placed'))
		ORDER BY r.id DESC LIMIT $11`,
		after, string(f.Status), f.ReturneeID, f.OpportunityID, f.CreatedBy, f.Overdue, tx.now, nilIfZero(tx.Actor.OrganisationID), f.Waiting, f.Live, limit+1)
	return rows, limit, wrap("list referrals", err)
}

// ReferralSteps is the history of a referral, for its agency.
func (tx *Tx) ReferralSteps(ctx context.Context, id onward.ID) ([]onward.ReferralStep, error) {
	r, err := tx.Referral(ctx, id)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		At     time.Time             `db:"at"`
		Event  string                `db:"event"`
		From   onward.ReferralStatus `db:"from_status"`
		To     onward.ReferralStatus `db:"to_status"`
		Party  onward.Party          `db:"party"`
		UserID onward.ID             `db:"user_id"`
		Reason onward.ReferralReason `db:"reason"`
		Note   sealedText            `db:"note"`
	}
	// Names of others' users and their notes are not the agency's to read.
	err = tx.selectAll(ctx, &rows, `SELECT at, event, from_status, to_status, party, reason, CASE WHEN party = 'agency' THEN user_id END AS user_id,
			CASE WHEN party = 'recipient' THEN '' ELSE note END AS note
		FROM referral_steps WHERE referral_id = $1 ORDER BY id LIMIT 500`, id)
	if err != nil {
		return nil, wrap("read history of referral", err)
	}
	steps, texts := make([]onward.ReferralStep, len(rows)), make([]text, len(rows))
	for i, s := range rows {
		steps[i] = onward.ReferralStep{At: s.At, Event: s.Event, From: s.From, To: s.To, Party: s.Party, UserID: s.UserID, Reason: s.Reason}
		texts[i] = text{r.ReturneeID, stepNote(id, s.At, s.Event), s.Note, &steps[i].Note}
	}
	return steps, wrap("read history of referral", tx.openTexts(ctx, texts))
}

// stepNote is where the note of a step is.
func stepNote(referral onward.ID, at time.Time, event string) string {
	return fieldOf("referral_steps", lineOf(referral, at, event), "note")
}

// lockReferral reads a referral that is about to change and keeps others from changing it meanwhile. EVersion, with the
// referral as it is now, when someone else changed it; version 0 takes whatever is there.
func (tx *Tx) lockReferral(ctx context.Context, id onward.ID, version int64) (*referralRow, onward.Party, error) {
	var row referralRow
	err := tx.get(ctx, &row, selectReferral+`WHERE r.id = $1 FOR UPDATE`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", errNoReferral()
	} else if err != nil {
		return nil, "", wrap("lock referral", err)
	}
	party := tx.partyOf(&row)
	if version == 0 || version == row.Version {
		return &row, party, nil
	}
	var current any
	if party == onward.PartyAgency {
		current, err = tx.referralOf(ctx, &row)
	} else {
		current, err = tx.receivedOf(ctx, &receivedRow{referralRow: row})
	}
	if err != nil {
		return nil, party, err
	}
	return nil, party, errStale(current)
}

// errStale says that a record was changed since it was read, and shows it as it is now.
func errStale(current any) error {
	stale := onward.Errorf(onward.EVersion, "it was changed meanwhile; look at current, then repeat your change with its ETag if it is still right")
	stale.Current = current
	return stale
}

// partyOf is the side of a referral that the actor is on. An organisation that refers to an opening of its own is the agency.
func (tx *Tx) partyOf(r *referralRow) onward.Party {
	switch {
	case tx.Actor.Role == onward.RoleSystem:
		return onward.PartySystem
	case tx.Actor.HandlesReturnees() && tx.Actor.OrganisationID == r.OrganisationID:
		return onward.PartyAgency
	default:
		return onward.PartyRecipient
	}
}

// ChangeReferral moves a referral on. EVersion with the fresh state when someone else changed it, EConflict when the event does
// not fit its state, EForbidden when the event is for the other side, EInvalid without a reason where one is needed or without
// the consent that sending needs. Sending when no place is left puts it on the waiting list.
func (tx *Tx) ChangeReferral(ctx context.Context, id onward.ID, version int64, c onward.ReferralChange) (onward.Referral, error) {
	if err := c.Validate(); err != nil {
		return onward.Referral{}, err
	}
	row, party, err := tx.lockReferral(ctx, id, version)
	if err != nil {
		return onward.Referral{}, err
	}
	if c.Event == onward.ReferralPlace || c.Event == onward.ReferralComplete {
		return onward.Referral{}, onward.Errorf(onward.EInvalid, "record the placement instead: POST /v1/referrals/%s/placement, and end it with POST /v1/placements/{id}/end", id)
	}
	if party == onward.PartyRecipient && c.Told != "" {
		return onward.Referral{}, onward.Invalid([]onward.FieldError{{Field: "told", Rule: "party", Message: "what the person is told is for the agency to write; leave it out"}})
	}
	if c.Event == onward.ReferralSend {
		return tx.sendReferral(ctx, row, party, c)
	}
	if err := tx.move(ctx, row, party, c, 0); err != nil {
		return onward.Referral{}, err
	}
	return tx.referralOf(ctx, row)
}

// move makes one transition: state, hold, history, events. places is how many places the transition takes besides what the
// hold takes or gives back: 1 when the person starts, -1 when the place of an ended placement is free again.
func (tx *Tx) move(ctx context.Context, r *referralRow, party onward.Party, c onward.ReferralChange, places int) error {
	from := r.Status
	next, err := from.Next(c.Event, party, c.Reason, r.HeldFrom)
	if err != nil {
		return err
	}
	held := 0
	if r.HoldUntil != nil {
		held--
	}
	r.Status, r.Reason, r.HeldFrom = next, c.Reason, ""
	if c.Told != "" {
		if err := tx.write(ctx, r, "told", c.Told, &r.Told); err != nil {
			return err
		}
	}
	if c.Event == onward.ReferralAccept {
		if err := tx.holdUntilStart(ctx, r); err != nil {
			return err
		}
	}
	tx.keepTimes(r, from, c.Event)
	if c.Event == onward.ReferralResume && next == onward.ReferralRequested { // the time for the answer begins anew
		tx.askForReply(r)
	}
	if r.HoldUntil != nil {
		held++
	}
	if err := tx.countReply(ctx, r, from); err != nil {
		return err
	}
	if err := tx.saveStep(ctx, r, c.Event, from, party, c.Note); err != nil {
		return err
	}
	if err := tx.announce(ctx, tellOfMove(r, from, party)...); err != nil {
		return err
	}
	return tx.changePlaces(ctx, r.OpportunityID, held, places)
}

// holdUntilStart keeps the place of who was accepted until a while after the start that the opportunity names, or after the yes.
func (tx *Tx) holdUntilStart(ctx context.Context, r *referralRow) error {
	var starts *time.Time
	if err := tx.get(ctx, &starts, `SELECT (details ->> 'starts_on')::date FROM opportunities WHERE id = $1`, r.OpportunityID); err != nil {
		return wrap("read start of opportunity", err)
	}
	from := tx.now
	if starts != nil && starts.After(from) {
		from = *starts
	}
	until := from.Add(onward.StartWithin)
	r.HoldUntil = &until
	return nil
}

// keepTimes sets what follows from the new state: until when a place is held, and when things happened.
func (tx *Tx) keepTimes(r *referralRow, from onward.ReferralStatus, event onward.ReferralEvent) {
	now := tx.now
	answered := from == onward.ReferralRequested && event != onward.ReferralExpire && event != onward.ReferralWithdraw && event != onward.ReferralRevoke && event != onward.ReferralPause
	if answered {
		r.AnsweredAt = &now
	}
	switch r.Status {
	case onward.ReferralOnHold:
		r.HeldFrom = from
	case onward.ReferralPlaced:
		r.PlacedAt, r.HoldUntil = &now, nil
	case onward.ReferralDraft, onward.ReferralRequested, onward.ReferralAccepted, onward.ReferralInProgress, onward.ReferralCompleted, onward.ReferralDeclined, onward.ReferralFailed,
		onward.ReferralWithdrawn, onward.ReferralRevoked, onward.ReferralExpired:
	}
	if r.Status != onward.ReferralRequested {
		r.RemindAt = nil
	}
	if !r.Status.Live() {
		r.EndedFrom, r.EndedAt, r.HoldUntil, r.WaitingFrom = from, &now, nil, nil
	}
}

// saveStep writes the referral as it is now with one line of its history.
func (tx *Tx) saveStep(ctx context.Context, r *referralRow, event onward.ReferralEvent, from onward.ReferralStatus, by onward.Party, note string) error {
	sealed, err := tx.sealText(ctx, r.ReturneeID, stepNote(r.ID, tx.now, string(event)), note)
	if err != nil {
		return wrap("write referral", err)
	}
	r.Version++
	r.UpdatedAt = tx.now
	_, err = tx.exec(ctx, `WITH saved AS (
			UPDATE referrals SET version = $2, status = $3, held_from = $4, reason = $5, ended_from = $6, told = $7, question = $8,
				information = $9, hold_until = $10, reply_due_at = $11, remind_at = $12, overdue_at = $13, waiting_from = $14, sent_at = $15,
				answered_at = $16, placed_at = $17, ended_at = $18, updated_at = $19 WHERE id = $1)
		INSERT INTO referral_steps (referral_id, organisation_id, at, event, from_status, to_status, party, user_id, reason, note)
		VALUES ($1, $20, $19, $21, $22, $3, $23, $24, $5, $25)`,
		r.ID, r.Version, string(r.Status), string(r.HeldFrom), string(r.Reason), string(r.EndedFrom), r.Told, r.Question, r.Information, r.HoldUntil,
		r.ReplyDueAt, r.RemindAt, r.OverdueAt, r.WaitingFrom, r.SentAt, r.AnsweredAt, r.PlacedAt, r.EndedAt, r.UpdatedAt,
		r.OrganisationID, string(event), string(from), string(by), nilIfZero(tx.Actor.UserID), sealed)
	return wrap("write referral", err)
}

// countReply notes in the organisation's habits that it answered in time. Who is late was counted when the time was over.
func (tx *Tx) countReply(ctx context.Context, r *referralRow, from onward.ReferralStatus) error {
	if from != onward.ReferralRequested || r.AnsweredAt == nil || r.OverdueAt != nil || r.ReplyDueAt == nil {
		return nil
	}
	inTime := 0
	if !r.ReplyDueAt.Before(tx.now) {
		inTime = 1
	}
	_, err := tx.exec(ctx, `SELECT count_reply($1, $2)`, r.RecipientID, inTime)
	return wrap("count reply", err)
}

// changePlaces takes or gives back places of an opportunity. EConflict when none is left.
func (tx *Tx) changePlaces(ctx context.Context, opportunity onward.ID, held, placed int) error {
	if held == 0 && placed == 0 {
		return nil
	}
	version, err := tx.tryPlaces(ctx, opportunity, held, placed, false)
	if err == nil && version == 0 {
		return onward.Errorf(onward.EConflict, "no place is left")
	}
	return err
}

// tryPlaces is changePlaces that says with version 0 that there is no such place. One statement: all who take a place of an
// opportunity wait for each other from here until the transaction ends, so that it comes as late as it can.
func (tx *Tx) tryPlaces(ctx context.Context, opportunity onward.ID, held, placed int, mustBeOpen bool) (int64, error) {
	var version int64
	err := tx.get(ctx, &version, `WITH changed AS MATERIALIZED (SELECT change_places($1, $2, $3, $4) AS version),
		promised AS (
			INSERT INTO outbox (kind, payload)
			SELECT $5, jsonb_build_array(jsonb_build_object('id', $1::uuid, 'version', version)) FROM changed WHERE version IS NOT NULL
			UNION ALL
			SELECT $6, jsonb_build_array(jsonb_build_object('id', $1::uuid)) FROM changed WHERE version IS NOT NULL AND $2 + $3 < 0 AND others_wait($1, NULL))
		SELECT coalesce(version, 0) FROM changed`,
		opportunity, held, placed, mustBeOpen, string(onward.WorkIndexOpportunity), string(onward.WorkOfferPlaces))
	return version, wrap("change places", err)
}

// sendReferral sends a draft: a place is held for it. When none is left it goes to the end of the waiting list, and stays a draft.
func (tx *Tx) sendReferral(ctx context.Context, r *referralRow, party onward.Party, c onward.ReferralChange) (onward.Referral, error) {
	from := r.Status
	next, err := from.Next(c.Event, party, c.Reason, "")
	if err != nil {
		return onward.Referral{}, err
	}
	returnee, err := tx.consenting(ctx, r.ReturneeID, r.RecipientID)
	if err != nil {
		return onward.Referral{}, err
	}
	opportunity, err := tx.Opportunity(ctx, r.OpportunityID)
	if err != nil {
		return onward.Referral{}, err
	}
	if err := tx.mayBeReferred(returnee, opportunity); err != nil {
		return onward.Referral{}, err
	}
	if r.HoldUntil == nil {
		taken, err := tx.takePlaceInTurn(ctx, r)
		if err != nil {
			return onward.Referral{}, err
		}
		if !taken {
			return tx.waitForPlace(ctx, r, c.Note)
		}
	}
	now := tx.now
	r.Status, r.WaitingFrom, r.SentAt = next, nil, &now
	tx.askForReply(r)
	if err := tx.saveStep(ctx, r, c.Event, from, party, c.Note); err != nil {
		return onward.Referral{}, err
	}
	if err := tx.announce(ctx, r.event(onward.EventReferralRequested, r.RecipientID, onward.ID{}, onward.RoleEmployer)); err != nil {
		return onward.Referral{}, err
	}
	return tx.referralOf(ctx, r)
}

// consenting reads a person and makes sure, until the transaction ends, of the consent to be shown to organisations.
func (tx *Tx) consenting(ctx context.Context, id, recipient onward.ID) (onward.Returnee, error) {
	p := onward.Returnee{ID: id}
	var details []byte
	if err := tx.get(ctx, &details, `SELECT details FROM returnees WHERE id = $1 FOR SHARE`, id); err != nil {
		return p, wrap("read returnee", notFound(err, "no returnee on your caseload has this id"))
	}
	if err := json.Unmarshal(details, &p.ReturneeDetails); err != nil {
		return p, fmt.Errorf("read returnee %s: %w", id, err)
	}
	shares, err := tx.sharesWith(ctx, p.ReturneeDetails, recipient)
	if err != nil {
		return p, err
	}
	if !shares {
		return p, onward.Invalid([]onward.FieldError{{
			Field: "consents", Rule: "consent", Message: "there is no active consent for sharing with this organisation; ask the person, record it, then send again",
		}})
	}
	return p, nil
}

// sharesWith says whether a person agrees to be shown to an organisation.
func (tx *Tx) sharesWith(ctx context.Context, d onward.ReturneeDetails, recipient onward.ID) (bool, error) {
	var kind onward.OrganisationKind
	if err := tx.get(ctx, &kind, `SELECT kind FROM organisations WHERE id = $1`, recipient); err != nil {
		return false, wrap("read recipient", err)
	}
	return d.SharesWith(recipient, kind, tx.today()), nil
}

// takePlaceInTurn holds a place if one is left and no one waited for it before.
func (tx *Tx) takePlaceInTurn(ctx context.Context, r *referralRow) (bool, error) {
	var othersWait bool
	if err := tx.get(ctx, &othersWait, `SELECT others_wait($1, $2)`, r.OpportunityID, r.ID); err != nil {
		return false, wrap("look at the waiting list", err)
	}
	if othersWait {
		return false, nil
	}
	version, err := tx.tryPlaces(ctx, r.OpportunityID, 1, 0, true)
	return version != 0, err
}

// askForReply sets until when a place is held and when the organisation has to answer.
func (tx *Tx) askForReply(r *referralRow) {
	hold, due := tx.now.Add(onward.HoldFor), tx.now.Add(r.Urgency.ReplyWithin())
	remind := tx.now.Add(r.Urgency.ReplyWithin() / 2)
	r.HoldUntil, r.ReplyDueAt, r.RemindAt = &hold, &due, &remind
}

func (tx *Tx) waitForPlace(ctx context.Context, r *referralRow, note string) (onward.Referral, error) {
	if r.WaitingFrom != nil {
		return tx.referralOf(ctx, r)
	}
	now := tx.now
	r.WaitingFrom = &now
	if err := tx.saveStep(ctx, r, "wait", r.Status, onward.PartyAgency, note); err != nil {
		return onward.Referral{}, err
	}
	// A place may have become free since: whoever waits is offered it by the work, in order.
	if err := tx.promise(ctx, onward.WorkOfferPlaces, onward.Ref{ID: r.OpportunityID}); err != nil {
		return onward.Referral{}, err
	}
	return tx.referralOf(ctx, r)
}

// event is something that happened to the referral, told to an organisation.
func (r *referralRow) event(kind onward.EventKind, to onward.ID, user onward.ID, role onward.Role) onward.Event {
	return onward.Event{Kind: kind, OrganisationID: to, UserID: user, Role: role, SubjectID: r.ID, Status: string(r.Status)}
}

// tellOfMove is who hears of a transition: the side that did not make it, and both when Onward made it.
func tellOfMove(r *referralRow, from onward.ReferralStatus, by onward.Party) []onward.Event {
	var events []onward.Event
	kind := onward.EventReferralAnswered
	if !r.Status.Live() {
		kind = onward.EventReferralEnded
	}
	if r.Status == onward.ReferralDeclined {
		kind = onward.EventReferralAnswered
	}
	if by != onward.PartyAgency {
		events = append(events, r.event(kind, r.OrganisationID, r.CreatedBy, ""))
	}
	if by != onward.PartyRecipient && from != onward.ReferralDraft && !r.Status.Live() {
		events = append(events, r.event(onward.EventReferralEnded, r.RecipientID, onward.ID{}, onward.RoleEmployer))
	}
	return events
}

// shownToRecipient keeps what lies on the person's side from the recipient.
func shownToRecipient(reason onward.ReferralReason) onward.ReferralReason {
	if reason != "" && reason.Side() != onward.SideOpportunity {
		return ""
	}
	return reason
}
