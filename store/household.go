package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"onward"
)

const selectHousehold = `SELECT h.id, h.organisation_id, h.country, h.version, h.created_at, h.updated_at,
	ARRAY(SELECT a.returnee_id::text FROM household_adults a WHERE a.household_id = h.id ORDER BY a.position) AS adults FROM households h `

type householdRow struct {
	ID             onward.ID      `db:"id"`
	OrganisationID onward.ID      `db:"organisation_id"`
	Country        string         `db:"country"`
	Version        int64          `db:"version"`
	CreatedAt      time.Time      `db:"created_at"`
	UpdatedAt      time.Time      `db:"updated_at"`
	Adults         pq.StringArray `db:"adults"`
}

func (row householdRow) household() (onward.LinkedHousehold, error) {
	h := onward.LinkedHousehold{
		ID: row.ID, OrganisationID: row.OrganisationID, Country: row.Country, Version: row.Version, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
		Adults: make([]onward.ID, len(row.Adults)),
	}
	for i, text := range row.Adults {
		if err := h.Adults[i].UnmarshalText([]byte(text)); err != nil {
			return h, fmt.Errorf("read household %s: %w", row.ID, err)
		}
	}
	return h, nil
}

// CreateHousehold links adults of the caseload who live together. EInvalid when they are not of one country, or when one is
// a child, is not on the caseload, or did not agree to be matched; EConflict when one is linked already.
func (tx *Tx) CreateHousehold(ctx context.Context, d onward.HouseholdDetails) (onward.LinkedHousehold, error) {
	country, err := tx.checkAdults(ctx, d)
	if err != nil {
		return onward.LinkedHousehold{}, err
	}
	id := onward.NewID()
	if _, err := tx.exec(ctx, `INSERT INTO households (id, organisation_id, country) VALUES ($1, $2, $3)`, id, tx.Actor.OrganisationID, country); err != nil {
		return onward.LinkedHousehold{}, wrap("create household", err)
	}
	if err := tx.linkAdults(ctx, id, d); err != nil {
		return onward.LinkedHousehold{}, err
	}
	return tx.Household(ctx, id)
}

// Household reads one. ENotFound if it does not exist or the actor may not see it.
func (tx *Tx) Household(ctx context.Context, id onward.ID) (onward.LinkedHousehold, error) {
	var row householdRow
	if err := tx.get(ctx, &row, selectHousehold+`WHERE h.id = $1`, id); err != nil {
		return onward.LinkedHousehold{}, wrap("read household", notFound(err, "no household of your caseload has this id"))
	}
	return row.household()
}

// Households lists those of the caseload, newest first; with a returnee only the one that they are linked in.
func (tx *Tx) Households(ctx context.Context, returnee onward.ID, cursor Cursor) (Page[onward.LinkedHousehold], error) {
	var page Page[onward.LinkedHousehold]
	if !tx.Actor.HandlesReturnees() {
		return page, onward.Errorf(onward.EForbidden, "only counsellors and supervisors see households")
	}
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	var rows []householdRow
	err = tx.selectAll(ctx, &rows, selectHousehold+`WHERE h.id < $1 AND ($2::uuid IS NULL OR EXISTS (
		SELECT FROM household_adults a WHERE a.household_id = h.id AND a.returnee_id = $2)) ORDER BY h.id DESC LIMIT $3`, after, returnee, limit+1)
	if err != nil {
		return page, wrap("list households", err)
	}
	list := make([]onward.LinkedHousehold, len(rows))
	for i, row := range rows {
		if list[i], err = row.household(); err != nil {
			return page, err
		}
	}
	return pageOf(list, limit, func(h onward.LinkedHousehold) onward.ID { return h.ID }), nil
}

// UpdateHousehold replaces the adults if the version is still the one that was read: who is left out is unlinked. EVersion
// when someone else changed it; otherwise as CreateHousehold.
func (tx *Tx) UpdateHousehold(ctx context.Context, id onward.ID, version int64, d onward.HouseholdDetails) (onward.LinkedHousehold, error) {
	current, err := tx.Household(ctx, id)
	if err != nil {
		return current, err
	}
	country, err := tx.checkAdults(ctx, d)
	if err != nil {
		return current, err
	}
	n, err := tx.exec(ctx, `UPDATE households SET country = $3, version = version + 1, updated_at = now() WHERE id = $1 AND version = $2`, id, version, country)
	if err != nil {
		return current, wrap("update household", err)
	}
	if n == 0 {
		return current, onward.Errorf(onward.EVersion, "it was changed meanwhile (version %d); read it again and repeat your change", current.Version)
	}
	if _, err := tx.exec(ctx, `DELETE FROM household_adults WHERE household_id = $1`, id); err != nil {
		return current, wrap("update household", err)
	}
	if err := tx.linkAdults(ctx, id, d); err != nil {
		return current, err
	}
	return tx.Household(ctx, id)
}

// DeleteHousehold unlinks all adults. They stay as they are. ENotFound if the actor may not see it.
func (tx *Tx) DeleteHousehold(ctx context.Context, id onward.ID) error {
	n, err := tx.exec(ctx, `DELETE FROM households WHERE id = $1`, id)
	if err == nil && n == 0 {
		return onward.Errorf(onward.ENotFound, "no household of your caseload has this id")
	}
	return wrap("delete household", err)
}

// HouseholdProfiles reads the adults of a household, in their order, without identity.
func (tx *Tx) HouseholdProfiles(ctx context.Context, id onward.ID) ([]Profile, error) {
	var list []Profile
	err := tx.selectAll(ctx, &list, `SELECT r.id, r.version, r.details FROM household_adults a JOIN returnees r ON r.id = a.returnee_id
		WHERE a.household_id = $1 ORDER BY a.position`, id)
	return list, wrap("read adults of household", err)
}

// checkAdults says in which country the adults are.
func (tx *Tx) checkAdults(ctx context.Context, d onward.HouseholdDetails) (country string, err error) {
	if !tx.Actor.HandlesReturnees() || tx.Actor.OrganisationID.IsZero() {
		return "", onward.Errorf(onward.EForbidden, "only counsellors and supervisors link households")
	}
	if err := d.Validate(); err != nil {
		return "", err
	}
	var fields []onward.FieldError
	for i, id := range d.Adults {
		bad := func(rule, message string) {
			fields = append(fields, onward.FieldError{Field: fmt.Sprintf("adults[%d]", i), Rule: rule, Message: message})
		}
		r, err := tx.Returnee(ctx, id)
		switch {
		case onward.CodeOf(err) == onward.ENotFound:
			bad("unknown_returnee", "no returnee on your caseload has this id")
			continue
		case err != nil:
			return "", err
		}
		if country == "" {
			country = r.Country
		}
		switch today := tx.store.Today(); {
		case r.Country != country:
			bad("country", "link people who returned to the same country")
		case !r.BirthDate.IsZero() && r.BirthDate.YearsUntil(today) < adultAge:
			bad("age", "link adults only: this person is under 18")
		case !r.HasConsent(onward.ConsentMatching, today):
			bad("consent", "there is no active consent for matching; ask the person, record it, then link them")
		}
	}
	return country, onward.Invalid(fields)
}

const adultAge = 18

func (tx *Tx) linkAdults(ctx context.Context, household onward.ID, d onward.HouseholdDetails) error {
	ids := make([]string, len(d.Adults))
	for i, id := range d.Adults {
		ids[i] = id.String()
	}
	_, err := tx.exec(ctx, `INSERT INTO household_adults (returnee_id, organisation_id, household_id, position)
		SELECT adult::uuid, $2, $3, position FROM unnest($1::text[]) WITH ORDINALITY AS a(adult, position)`, pq.Array(ids), tx.Actor.OrganisationID, household)
	if constraintOf(err) == "household_adults_pkey" {
		return onward.Errorf(onward.EConflict, "one of them is linked in another household; find it with GET /v1/households?returnee_id=… and unlink them there first")
	}
	return wrap("link adults", err)
}
