package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"onward"
)

// DestinationVersion is a version of the coefficients of the likely destination in one country.
type DestinationVersion struct {
	Country   string          `db:"country" json:"country"`
	Version   string          `db:"version" json:"version"`
	Body      json.RawMessage `db:"body" json:"body"` // what matcher/destination reads
	Active    bool            `db:"active" json:"active"`
	CreatedAt time.Time       `db:"created_at" json:"created_at"`
}

// DestinationVersions lists the versions of all countries, or of one, the newest first.
func (s *Store) DestinationVersions(ctx context.Context, country string) ([]DestinationVersion, error) {
	var list []DestinationVersion
	err := translate(s.db.SelectContext(ctx, &list, `SELECT country, version, body, active, created_at FROM destination_coefficients
		WHERE $1 = '' OR country = $1 ORDER BY country, created_at DESC, version DESC`, country))
	return list, wrap("list coefficients", err)
}

// LoadDestinationVersion keeps a version, and puts it to use when it is active. Versions are never changed: EConflict for
// one that is there.
func (l *Loader) LoadDestinationVersion(ctx context.Context, v DestinationVersion) error {
	return l.load(ctx, "coefficients", Release{Release: v.Country, Name: "likely destination", Source: v.Version}, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO destination_coefficients (country, version, body) VALUES ($1, $2, $3)`, v.Country, v.Version, string(v.Body))
		if constraintOf(translate(err)) == "destination_coefficients_pkey" {
			return onward.Errorf(onward.EConflict, "%s has a version %s already", v.Country, v.Version)
		}
		if err != nil || !v.Active {
			return err
		}
		return activate(ctx, tx, v.Country, v.Version)
	})
}

// ActivateDestinationVersion puts a version that is kept to use; an empty one goes back to what comes with the program.
// ENotFound for one that is not there.
func (l *Loader) ActivateDestinationVersion(ctx context.Context, country, version string) error {
	return l.load(ctx, "coefficients", Release{Release: country, Name: "likely destination", Source: version}, func(tx *sqlx.Tx) error {
		return activate(ctx, tx, country, version)
	})
}

func activate(ctx context.Context, tx *sqlx.Tx, country, version string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE destination_coefficients SET active = false WHERE country = $1 AND active`, country); err != nil {
		return err
	}
	if version == "" {
		return nil
	}
	result, err := tx.ExecContext(ctx, `UPDATE destination_coefficients SET active = true WHERE country = $1 AND version = $2`, country, version)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return fmt.Errorf("activate coefficients: %w", err)
	} else if n == 0 {
		return onward.Errorf(onward.ENotFound, "%s has no version %s; --list shows those that there are", country, version)
	}
	return nil
}
