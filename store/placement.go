package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onward"
)

const placementColumns = `p.id, p.version, p.referral_id, p.organisation_id, p.returnee_id, p.opportunity_id, p.recipient_id, p.partner_id, p.pseudonym,
	p.kind, p.started_on, p.wage_minor, p.currency, p.wage_period, p.hours_per_week, p.contract, p.contract_ends, p.place_id, p.abroad,
	p.organisation_source, p.organisation_said, p.returnee_source, p.returnee_said, p.ended_on, p.end_reason, p.created_at, p.updated_at`

const selectPlacement = `SELECT ` + placementColumns + ` FROM placements p `

type placementRow struct {
	ID                 onward.ID               `db:"id"`
	Version            int64                   `db:"version"`
	ReferralID         onward.ID               `db:"referral_id"`
	OrganisationID     onward.ID               `db:"organisation_id"`
	ReturneeID         onward.ID               `db:"returnee_id"`
	OpportunityID      onward.ID               `db:"opportunity_id"`
	RecipientID        onward.ID               `db:"recipient_id"`
	PartnerID          onward.ID               `db:"partner_id"`
	Pseudonym          onward.ID               `db:"pseudonym"`
	Kind               onward.Kind             `db:"kind"`
	StartedOn          time.Time               `db:"started_on"`
	WageMinor          *int64                  `db:"wage_minor"`
	Currency           string                  `db:"currency"`
	WagePeriod         onward.WagePeriod       `db:"wage_period"`
	HoursPerWeek       *float64                `db:"hours_per_week"`
	Contract           onward.Contract         `db:"contract"`
	ContractEnds       *time.Time              `db:"contract_ends"`
	PlaceID            *int64                  `db:"place_id"`
	Abroad             bool                    `db:"abroad"`
	OrganisationSource *onward.PlacementSource `db:"organisation_source"`
	OrganisationSaid   *time.Time              `db:"organisation_said"`
	ReturneeSource     *onward.PlacementSource `db:"returnee_source"`
	ReturneeSaid       *time.Time              `db:"returnee_said"`
	EndedOn            *time.Time              `db:"ended_on"`
	EndReason          onward.PlacementEnd     `db:"end_reason"`
	CreatedAt          time.Time               `db:"created_at"`
	UpdatedAt          time.Time               `db:"updated_at"`
}

func dateOf(t *time.Time) onward.Date {
	if t == nil {
		return onward.Date{}
	}
	return onward.DateOf(*t)
}

func said(source *onward.PlacementSource, at *time.Time) *onward.Confirmation {
	if source == nil || at == nil {
		return nil
	}
	return &onward.Confirmation{Source: *source, At: *at}
}

// placement is the placement as an actor may see it: the recipient knows the person by pseudonym.
func (r *placementRow) placement(actor onward.Actor) onward.Placement {
	p := onward.Placement{
		ID: r.ID, Version: r.Version, ReferralID: r.ReferralID, OrganisationID: r.OrganisationID, ReturneeID: r.ReturneeID, Pseudonym: r.Pseudonym,
		OpportunityID: r.OpportunityID, RecipientID: r.RecipientID, Kind: r.Kind,
		PlacementDetails: onward.PlacementDetails{
			StartedOn: onward.DateOf(r.StartedOn), WageMinor: r.WageMinor, Currency: r.Currency, WagePeriod: r.WagePeriod, HoursPerWeek: r.HoursPerWeek,
			Contract: r.Contract, ContractEnds: dateOf(r.ContractEnds), Abroad: r.Abroad, PartnerID: r.PartnerID,
		},
		OrganisationSaid: said(r.OrganisationSource, r.OrganisationSaid), ReturneeSaid: said(r.ReturneeSource, r.ReturneeSaid),
		EndedOn: dateOf(r.EndedOn), EndReason: r.EndReason, Outcome: r.EndReason.Outcome(), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	p.Confirmed = p.OrganisationSaid != nil && p.ReturneeSaid != nil
	if r.PlaceID != nil {
		p.PlaceID = onward.PlaceID(*r.PlaceID)
	}
	if !actor.HandlesReturnees() && actor.Role != onward.RolePartner {
		p.ReturneeID, p.PlaceID, p.Abroad, p.PartnerID = onward.ID{}, 0, false, onward.ID{}
	}
	return p
}

// checkPlacement validates what is told, and that the partner is one.
func (tx *Tx) checkPlacement(ctx context.Context, d onward.PlacementDetails) error {
	vocabulary, err := tx.vocabulary()
	if err != nil {
		return err
	}
	if err := d.Validate(tx.today(), vocabulary); err != nil || d.PartnerID.IsZero() {
		return err
	}
	var fits bool
	if err := tx.get(ctx, &fits, `SELECT EXISTS (SELECT FROM organisations WHERE id = $1 AND kind = 'civil_society' AND suspended_at IS NULL)`, d.PartnerID); err != nil {
		return wrap("read partner", err)
	}
	if !fits {
		return onward.Invalid([]onward.FieldError{{Field: "partner_id", Rule: "unknown", Message: "name a civil-society organisation that is not suspended"}})
	}
	return nil
}

// RecordPlacement records that the person of a referral started, on the word of one source; the other side is still to confirm.
// The held place is taken. Errors as ChangeReferral; EInvalid when the source is not the actor's to speak for.
func (tx *Tx) RecordPlacement(ctx context.Context, referral onward.ID, version int64, d onward.PlacementDetails, by onward.Confirm) (onward.Placement, error) {
	var none onward.Placement
	if err := by.Validate(); err != nil {
		return none, err
	}
	if err := tx.checkPlacement(ctx, d); err != nil {
		return none, err
	}
	row, party, err := tx.lockReferral(ctx, referral, version)
	if err != nil {
		return none, err
	}
	if err := maySpeak(party, by.Side); err != nil {
		return none, err
	}
	if party != onward.PartyAgency && (!d.PartnerID.IsZero() || d.PlaceID != 0 || d.Abroad) {
		return none, onward.Errorf(onward.EForbidden, "where the person lives and who monitors is for the agency to say; leave place_id, abroad and partner_id out")
	}
	if err := tx.move(ctx, row, party, onward.ReferralChange{Event: onward.ReferralPlace}, 1); err != nil {
		return none, err
	}
	var kind onward.Kind
	if err := tx.get(ctx, &kind, `SELECT kind FROM referrals WHERE id = $1`, referral); err != nil {
		return none, wrap("record placement", err)
	}
	id := onward.NewID()
	var placed placementRow
	err = tx.get(ctx, &placed, `INSERT INTO placements AS p (id, referral_id, organisation_id, returnee_id, opportunity_id, recipient_id, partner_id, pseudonym, kind,
			started_on, wage_minor, currency, wage_period, hours_per_week, contract, contract_ends, place_id, abroad,
			organisation_source, organisation_said, returnee_source, returnee_said, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
			CASE WHEN $19::text = 'organisation' THEN $20::text END, CASE WHEN $19 = 'organisation' THEN $21::timestamptz END,
			CASE WHEN $19 = 'returnee' THEN $20 END, CASE WHEN $19 = 'returnee' THEN $21 END, $21, $21) RETURNING `+placementColumns,
		id, row.ID, row.OrganisationID, row.ReturneeID, row.OpportunityID, row.RecipientID, nilIfZero(d.PartnerID), row.Pseudonym, string(kind),
		d.StartedOn.String(), d.WageMinor, d.Currency, string(d.WagePeriod), d.HoursPerWeek, string(d.Contract), nilIfZero(d.ContractEnds),
		nilIfZero(int64(d.PlaceID)), d.Abroad, string(by.Side), string(by.Source), tx.now)
	if err != nil {
		return none, wrap("record placement", err)
	}
	return placed.placement(tx.Actor), tx.tellPlacement(ctx, &placed, party, onward.EventPlacementStarted)
}

// maySpeak keeps a side from speaking for the other. The agency writes down what both say.
func maySpeak(party onward.Party, side onward.ConfirmingSide) error {
	switch {
	case party == onward.PartyRecipient && side != onward.SideOrganisation, party == onward.PartyPartner && side != onward.SideReturnee:
		return onward.Errorf(onward.EForbidden, "you can confirm for your own side only")
	}
	return nil
}

func (tx *Tx) tellPlacement(ctx context.Context, p *placementRow, by onward.Party, kind onward.EventKind) error {
	var events []onward.Event
	tell := func(to onward.ID, role onward.Role) {
		events = append(events, onward.Event{Kind: kind, OrganisationID: to, Role: role, SubjectID: p.ID})
	}
	if by != onward.PartyAgency {
		tell(p.OrganisationID, onward.RoleCounsellor)
	}
	if by != onward.PartyRecipient && kind == onward.EventPlacementStarted {
		tell(p.RecipientID, onward.RoleEmployer)
	}
	if by != onward.PartyPartner && !p.PartnerID.IsZero() {
		tell(p.PartnerID, onward.RolePartner)
	}
	return tx.announce(ctx, events...)
}

func errNoPlacement() error {
	return onward.Errorf(onward.ENotFound, "no placement of yours has this id")
}

// Placement reads one. ENotFound if it does not exist or is not the actor's to see.
func (tx *Tx) Placement(ctx context.Context, id onward.ID) (onward.Placement, error) {
	var row placementRow
	err := tx.get(ctx, &row, selectPlacement+`WHERE p.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return onward.Placement{}, errNoPlacement()
	}
	return row.placement(tx.Actor), wrap("read placement", err)
}

// PlacementFilter narrows a list. Zero fields do not filter.
type PlacementFilter struct {
	ReturneeID    onward.ID
	OpportunityID onward.ID
	ReferralID    onward.ID
	Current       bool // not ended
	Unconfirmed   bool // one side has not said so yet
}

// Placements lists what the actor may see, newest first: the agency's, the recipient's or the partner's.
func (tx *Tx) Placements(ctx context.Context, f PlacementFilter, cursor Cursor) (Page[onward.Placement], error) {
	var page Page[onward.Placement]
	if tx.Actor.Role == onward.RoleAnalyst {
		return page, onward.Errorf(onward.EForbidden, "analysts see figures, not people")
	}
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	var rows []placementRow
	err = tx.selectAll(ctx, &rows, selectPlacement+`WHERE p.id < $1 AND ($2::uuid IS NULL OR p.returnee_id = $2) AND ($3::uuid IS NULL OR p.opportunity_id = $3)
			AND ($4::uuid IS NULL OR p.referral_id = $4) AND (NOT $5 OR p.ended_on IS NULL) AND (NOT $6 OR p.organisation_said IS NULL OR p.returnee_said IS NULL)
		ORDER BY p.id DESC LIMIT $7`, after, f.ReturneeID, f.OpportunityID, f.ReferralID, f.Current, f.Unconfirmed, limit+1)
	if err != nil {
		return page, wrap("list placements", err)
	}
	list := make([]onward.Placement, len(rows))
	for i := range rows {
		list[i] = rows[i].placement(tx.Actor)
	}
	return pageOf(list, limit, func(p onward.Placement) onward.ID { return p.ID }), nil
}

// lockPlacement reads a placement that is about to change and keeps others from changing it meanwhile. Its referral is locked
// first, as everywhere.
func (tx *Tx) lockPlacement(ctx context.Context, id onward.ID, version int64) (*placementRow, *referralRow, onward.Party, error) {
	var row placementRow
	err := tx.get(ctx, &row, selectPlacement+`WHERE p.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, "", errNoPlacement()
	} else if err != nil {
		return nil, nil, "", wrap("lock placement", err)
	}
	referral, party, err := tx.lockReferral(ctx, row.ReferralID, 0)
	if err != nil {
		return nil, nil, "", err
	}
	if tx.Actor.Role == onward.RolePartner {
		party = onward.PartyPartner
	}
	if err := tx.get(ctx, &row, selectPlacement+`WHERE p.id = $1 FOR UPDATE`, id); err != nil {
		return nil, nil, "", wrap("lock placement", err)
	}
	if version != 0 && version != row.Version {
		return nil, nil, party, errStale(row.placement(tx.Actor))
	}
	return &row, referral, party, nil
}

// UpdatePlacement replaces what is known of it. EConflict when it has ended.
func (tx *Tx) UpdatePlacement(ctx context.Context, id onward.ID, version int64, d onward.PlacementDetails) (onward.Placement, error) {
	if err := tx.checkPlacement(ctx, d); err != nil {
		return onward.Placement{}, err
	}
	row, _, party, err := tx.lockPlacement(ctx, id, version)
	if err != nil {
		return onward.Placement{}, err
	}
	if row.EndedOn != nil {
		return onward.Placement{}, onward.Errorf(onward.EConflict, "it has ended; what is known of it stays")
	}
	if party != onward.PartyAgency {
		return onward.Placement{}, onward.Errorf(onward.EForbidden, "what is known of a placement is for the agency to change; confirm it, or tell the agency")
	}
	newPartner := !d.PartnerID.IsZero() && d.PartnerID != row.PartnerID
	var placed placementRow
	err = tx.get(ctx, &placed, `UPDATE placements AS p SET version = version + 1, partner_id = $2, started_on = $3, wage_minor = $4, currency = $5, wage_period = $6,
			hours_per_week = $7, contract = $8, contract_ends = $9, place_id = $10, abroad = $11, updated_at = $12 WHERE id = $1 RETURNING `+placementColumns,
		id, nilIfZero(d.PartnerID), d.StartedOn.String(), d.WageMinor, d.Currency, string(d.WagePeriod), d.HoursPerWeek, string(d.Contract),
		nilIfZero(d.ContractEnds), nilIfZero(int64(d.PlaceID)), d.Abroad, tx.now)
	if err != nil {
		return onward.Placement{}, wrap("update placement", err)
	}
	if _, err := tx.exec(ctx, `UPDATE check_ins SET partner_id = $2 WHERE placement_id = $1 AND status IN ('planned', 'due') AND partner_id IS DISTINCT FROM $2`,
		id, nilIfZero(d.PartnerID)); err != nil {
		return onward.Placement{}, wrap("update placement", err)
	}
	if newPartner {
		err = tx.announce(ctx, onward.Event{Kind: onward.EventPlacementStarted, OrganisationID: d.PartnerID, Role: onward.RolePartner, SubjectID: id})
	}
	return placed.placement(tx.Actor), err
}

// ConfirmPlacement is the word of a side. The first word of a side stays, unless a surer source repeats it.
func (tx *Tx) ConfirmPlacement(ctx context.Context, id onward.ID, version int64, c onward.Confirm) (onward.Placement, error) {
	if err := c.Validate(); err != nil {
		return onward.Placement{}, err
	}
	row, _, party, err := tx.lockPlacement(ctx, id, version)
	if err != nil {
		return onward.Placement{}, err
	}
	if err := maySpeak(party, c.Side); err != nil {
		return onward.Placement{}, err
	}
	before := row.OrganisationSource
	if c.Side == onward.SideReturnee {
		before = row.ReturneeSource
	}
	if before != nil && !c.Source.SurerThan(*before) {
		return row.placement(tx.Actor), nil
	}
	var placed placementRow
	err = tx.get(ctx, &placed, `UPDATE placements AS p SET version = version + 1, updated_at = $4,
			organisation_source = CASE WHEN $2 = 'organisation' THEN $3 ELSE organisation_source END,
			organisation_said = CASE WHEN $2 = 'organisation' THEN $4 ELSE organisation_said END,
			returnee_source = CASE WHEN $2 = 'returnee' THEN $3 ELSE returnee_source END,
			returnee_said = CASE WHEN $2 = 'returnee' THEN $4 ELSE returnee_said END WHERE id = $1 RETURNING `+placementColumns,
		id, string(c.Side), string(c.Source), tx.now)
	return placed.placement(tx.Actor), wrap("confirm placement", err)
}

// EndPlacement ends it and its referral. The place is free again unless it was meant to end with the person. EConflict when it
// has ended already.
func (tx *Tx) EndPlacement(ctx context.Context, id onward.ID, version int64, e onward.EndPlacement) (onward.Placement, error) {
	row, referral, party, err := tx.lockPlacement(ctx, id, version)
	if err != nil {
		return onward.Placement{}, err
	}
	if row.EndedOn != nil {
		return onward.Placement{}, onward.Errorf(onward.EConflict, "it has ended already")
	}
	if err := e.Validate(onward.DateOf(row.StartedOn), tx.today()); err != nil {
		return onward.Placement{}, err
	}
	if party != onward.PartyAgency && e.Told != "" {
		return onward.Placement{}, onward.Invalid([]onward.FieldError{{Field: "told", Rule: "party", Message: "what the person is told is for the agency to write; leave it out"}})
	}
	change := onward.ReferralChange{Event: onward.ReferralFail, Reason: onward.ReasonPlacementFailed, Told: e.Told}
	if e.Reason.Completes() {
		change.Event, change.Reason = onward.ReferralComplete, onward.ReasonEnded
	}
	places := 0
	if e.Reason.FreesPlace() {
		places = -1
	}
	if err := tx.move(ctx, referral, party, change, places); err != nil {
		return onward.Placement{}, err
	}
	var placed placementRow
	err = tx.get(ctx, &placed, `UPDATE placements AS p SET version = version + 1, ended_on = $2, end_reason = $3, end_source = $4, updated_at = $5
		WHERE id = $1 RETURNING `+placementColumns, id, e.EndedOn.String(), string(e.Reason), string(e.Source), tx.now)
	if err != nil {
		return onward.Placement{}, wrap("end placement", err)
	}
	if _, err := tx.exec(ctx, `UPDATE referrals SET outcome = $2 WHERE id = $1`, referral.ID, string(e.Reason.Outcome())); err != nil {
		return onward.Placement{}, wrap("end placement", err)
	}
	if err := tx.cancelCheckIns(ctx, id, e.Reason); err != nil {
		return onward.Placement{}, err
	}
	return placed.placement(tx.Actor), tx.tellPlacement(ctx, &placed, party, onward.EventPlacementEnded)
}
