package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"onward"
)

type residenceRow struct {
	ID         onward.ID              `db:"id"`
	ReturneeID onward.ID              `db:"returnee_id"`
	ObservedOn time.Time              `db:"observed_on"`
	PlaceID    *int64                 `db:"place_id"`
	Source     onward.ResidenceSource `db:"source"`
	RecordedBy onward.ID              `db:"recorded_by"`
	CreatedAt  time.Time              `db:"created_at"`
}

func (row residenceRow) residence() onward.Residence {
	r := onward.Residence{
		ID: row.ID, ReturneeID: row.ReturneeID, RecordedBy: row.RecordedBy, CreatedAt: row.CreatedAt,
		ResidenceDetails: onward.ResidenceDetails{ObservedOn: onward.DateOf(row.ObservedOn), Source: row.Source, Abroad: row.PlaceID == nil},
	}
	if row.PlaceID != nil {
		r.PlaceID = onward.PlaceID(*row.PlaceID)
	}
	return r
}

// RecordResidence records where a person was seen to live. ENotFound for a returnee whom the actor may not see, EConflict
// when the same source has said something of that day already.
func (tx *Tx) RecordResidence(ctx context.Context, returnee onward.ID, d onward.ResidenceDetails) (onward.Residence, error) {
	var none onward.Residence
	if !tx.Actor.HandlesReturnees() || tx.Actor.UserID.IsZero() {
		return none, onward.Errorf(onward.EForbidden, "only counsellors and supervisors record where people live")
	}
	if _, err := tx.Returnee(ctx, returnee); err != nil {
		return none, err
	}
	vocabulary, err := tx.vocabulary()
	if err != nil {
		return none, err
	}
	if err := d.Validate(tx.store.Today(), vocabulary); err != nil {
		return none, err
	}
	var place *int64
	if !d.Abroad {
		id := int64(d.PlaceID)
		place = &id
	}
	var row residenceRow
	err = tx.get(ctx, &row, `INSERT INTO residences (id, organisation_id, returnee_id, observed_on, place_id, source, recorded_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, returnee_id, observed_on, place_id, source, recorded_by, created_at`,
		onward.NewID(), tx.Actor.OrganisationID, returnee, d.ObservedOn.String(), place, string(d.Source), tx.Actor.UserID)
	if constraintOf(err) == "residences_returnee_id_observed_on_source_key" {
		return none, onward.Errorf(onward.EConflict, "this source has said where the person lived on that day; record another day or source")
	}
	return row.residence(), wrap("record residence", err)
}

// Residences lists where a person was seen to live, the latest first. ENotFound for a returnee whom the actor may not see.
func (tx *Tx) Residences(ctx context.Context, returnee onward.ID) ([]onward.Residence, error) {
	if _, err := tx.Returnee(ctx, returnee); err != nil {
		return nil, err
	}
	var rows []residenceRow
	err := tx.selectAll(ctx, &rows, `SELECT id, returnee_id, observed_on, place_id, source, recorded_by, created_at FROM residences
		WHERE returnee_id = $1 ORDER BY observed_on DESC, id DESC LIMIT 500`, returnee)
	list := make([]onward.Residence, len(rows))
	for i, row := range rows {
		list[i] = row.residence()
	}
	return list, wrap("list residences", err)
}

// ResidenceObservation is where a person was seen to live, and what was known of them before.
type ResidenceObservation struct {
	ReturneeID onward.ID
	Residence  onward.ResidenceDetails
	// Inputs are those of the last list that was made before the observation: the profile as it was, and the day.
	Inputs MatchInputs
}

// ResidenceObservations reads, for each person of a country, the latest residence that was observed after a list was made.
// People of whom nothing was known before, or who withdrew their consent to be matched, are left out. Personal data: for
// fitting alone.
func (s *Store) ResidenceObservations(ctx context.Context, country string) ([]ResidenceObservation, error) {
	var rows []struct {
		residenceRow
		Inputs []byte `db:"inputs"`
	}
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		return tx.selectAll(ctx, &rows, `SELECT DISTINCT ON (o.returnee_id) o.id, o.returnee_id, o.observed_on, o.place_id, o.source, o.recorded_by,
				o.created_at, q.inputs
			FROM residences o JOIN returnees r ON r.id = o.returnee_id AND r.country = $1
			JOIN LATERAL (SELECT inputs, ready_at FROM referral_requests
				WHERE returnee_id = o.returnee_id AND status = 'ready' AND ready_at < o.observed_on ORDER BY ready_at DESC LIMIT 1) q ON true
			WHERE `+activeConsent("r", onward.ConsentMatching, "$2")+`
			ORDER BY o.returnee_id, o.observed_on DESC, o.id DESC`, country, s.Today().String())
	})
	if err != nil {
		return nil, wrap("read residences", err)
	}
	list := make([]ResidenceObservation, len(rows))
	for i, row := range rows {
		list[i] = ResidenceObservation{ReturneeID: row.ReturneeID, Residence: row.residence().ResidenceDetails}
		inputs, err := s.packer.unpack(row.Inputs)
		if err == nil {
			err = json.Unmarshal(inputs, &list[i].Inputs)
		}
		if err != nil {
			return nil, fmt.Errorf("read what was known before residence %s: %w", row.ID, err)
		}
	}
	return list, nil
}

// activeConsent is the condition that a person, a row of returnees, has an active consent for a purpose on a day.
func activeConsent(returnee string, purpose onward.ConsentPurpose, day string) string {
	return `EXISTS (SELECT FROM jsonb_array_elements(` + returnee + `.details -> 'consents') c
		WHERE c ->> 'purpose' = '` + string(purpose) + `' AND c ->> 'withdrawn_on' IS NULL AND (c ->> 'expires_on' IS NULL OR c ->> 'expires_on' >= ` + day + `))`
}
