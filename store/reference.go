package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"onward"
)

// Release is one loaded release of reference data.
type Release struct {
	Kind    string `db:"kind" json:"kind"`
	Release string `db:"release" json:"release"`
	Name    string `db:"name" json:"name"`
	Source  string `db:"source" json:"source"`
	// LoadedAt is set by Releases; loading again changes it.
	LoadedAt time.Time `db:"loaded_at" json:"loaded_at"`
}

// Releases lists the loaded reference data, the newest last.
func (s *Store) Releases(ctx context.Context) ([]Release, error) {
	var list []Release
	err := translate(s.db.SelectContext(ctx, &list, `SELECT kind, release, name, source, loaded_at FROM reference_releases ORDER BY loaded_at, kind, release`))
	return list, wrap("list reference data", err)
}

// Places reads all places.
func (s *Store) Places(ctx context.Context) ([]onward.Place, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, alt_names, country, admin1, admin1_name, lat, lon, population, time_zone FROM places ORDER BY id`)
	if err != nil {
		return nil, wrap("read places", translate(err))
	}
	defer func() { _ = rows.Close() }()
	list := make([]onward.Place, 0, 40_000)
	for rows.Next() {
		var p onward.Place
		if err := rows.Scan(&p.ID, &p.Name, (*pq.StringArray)(&p.AltNames), &p.Country, &p.Admin1, &p.Admin1Name, &p.Lat, &p.Lon, &p.Population, &p.TimeZone); err != nil {
			return nil, wrap("read places", err)
		}
		list = append(list, p)
	}
	return list, wrap("read places", translate(rows.Err()))
}

// Taxonomies reads all loaded taxonomies, in the order in which they were loaded.
func (s *Store) Taxonomies(ctx context.Context) ([]onward.Taxonomy, error) {
	releases, err := s.Releases(ctx)
	if err != nil {
		return nil, err
	}
	var list []onward.Taxonomy
	for _, release := range releases {
		if release.Kind != "taxonomy" {
			continue
		}
		t := onward.Taxonomy{Release: release.Release, Name: release.Name, Source: release.Source}
		if err := errors.Join(s.readConcepts(ctx, &t), s.readRelations(ctx, &t)); err != nil {
			return nil, wrap("read taxonomy "+release.Release, err)
		}
		list = append(list, t)
	}
	return list, nil
}

func (s *Store) readConcepts(ctx context.Context, t *onward.Taxonomy) error {
	rows, err := s.db.QueryContext(ctx, `SELECT c.id, c.kind, c.code, c.unseen_unpaid, l.language, l.text, l.preferred
		FROM concepts c LEFT JOIN concept_labels l ON l.concept_id = c.id AND l.release = c.release
		WHERE c.release = $1 ORDER BY c.id`, t.Release)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c onward.Concept
		var language, text *string
		var preferred *bool
		if err := rows.Scan(&c.ID, &c.Kind, &c.Code, &c.UnseenUnpaid, &language, &text, &preferred); err != nil {
			return err
		}
		if n := len(t.Concepts); n == 0 || t.Concepts[n-1].ID != c.ID {
			t.Concepts = append(t.Concepts, c)
		}
		if text != nil {
			last := &t.Concepts[len(t.Concepts)-1]
			last.Labels = append(last.Labels, onward.Label{Language: *language, Text: *text, Preferred: *preferred})
		}
	}
	return translate(rows.Err())
}

func (s *Store) readRelations(ctx context.Context, t *onward.Taxonomy) error {
	rows, err := s.db.QueryContext(ctx, `SELECT from_id, to_id, kind FROM concept_relations WHERE release = $1 ORDER BY from_id, to_id, kind`, t.Release)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r onward.Relation
		if err := rows.Scan(&r.From, &r.To, &r.Kind); err != nil {
			return err
		}
		t.Relations = append(t.Relations, r)
	}
	return translate(rows.Err())
}

// Loader writes reference data. It works as the owner of the schema, which requests and workers never do.
type Loader struct{ db *sqlx.DB }

// OpenLoader connects as the owner of the schema.
func OpenLoader(ctx context.Context, ownerURL string) (*Loader, error) {
	db, err := sqlx.ConnectContext(ctx, "postgres", ownerURL)
	if err != nil {
		return nil, unavailable("connect to the database", err)
	}
	return &Loader{db: db}, nil
}

// Close ends the connection.
func (l *Loader) Close() error { return l.db.Close() }

// Has says whether a release is loaded.
func (l *Loader) Has(ctx context.Context, kind, release string) (bool, error) {
	var has bool
	err := l.db.GetContext(ctx, &has, `SELECT EXISTS (SELECT FROM reference_releases WHERE kind = $1 AND release = $2)`, kind, release)
	return has, wrap("read reference data", translate(err))
}

// LoadPlaces adds places and brings those that are there up to date. None is removed: opportunities may be there.
func (l *Loader) LoadPlaces(ctx context.Context, release Release, places []onward.Place) error {
	return l.load(ctx, "places", release, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TEMP TABLE new_places (LIKE places INCLUDING DEFAULTS) ON COMMIT DROP`); err != nil {
			return err
		}
		columns := []string{"id", "name", "alt_names", "country", "admin1", "admin1_name", "lat", "lon", "population", "time_zone"}
		if err := copyRows(ctx, tx, "new_places", columns, len(places), func(i int) []any {
			p := places[i]
			return []any{int64(p.ID), p.Name, pq.StringArray(nonNil(p.AltNames)), p.Country, p.Admin1, p.Admin1Name, p.Lat, p.Lon, p.Population, p.TimeZone}
		}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO places SELECT * FROM new_places ON CONFLICT (id) DO UPDATE SET name = excluded.name,
			alt_names = excluded.alt_names, country = excluded.country, admin1 = excluded.admin1, admin1_name = excluded.admin1_name,
			lat = excluded.lat, lon = excluded.lon, population = excluded.population, time_zone = excluded.time_zone`)
		return err
	})
}

// LoadTaxonomy replaces one release, whole. Progress is told the rows written and their total.
func (l *Loader) LoadTaxonomy(ctx context.Context, t onward.Taxonomy, progress func(done, total int)) error {
	type labelled struct {
		concept string
		label   onward.Label
	}
	var labels []labelled
	for _, c := range t.Concepts {
		for _, label := range c.Labels {
			labels = append(labels, labelled{c.ID, label})
		}
	}
	done, total := 0, len(t.Concepts)+len(labels)+len(t.Relations)
	step := func() {
		if done++; progress != nil && (done%1000 == 0 || done == total) {
			progress(done, total)
		}
	}
	return l.load(ctx, "taxonomy", Release{Release: t.Release, Name: t.Name, Source: t.Source}, func(tx *sqlx.Tx) error {
		for _, table := range []string{"concepts", "concept_labels", "concept_relations"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE release = $1`, t.Release); err != nil {
				return err
			}
		}
		err := copyRows(ctx, tx, "concepts", []string{"id", "release", "kind", "code", "unseen_unpaid"}, len(t.Concepts), func(i int) []any {
			step()
			c := t.Concepts[i]
			return []any{c.ID, t.Release, string(c.Kind), c.Code, c.UnseenUnpaid}
		})
		if err != nil {
			return err
		}
		err = copyRows(ctx, tx, "concept_labels", []string{"release", "concept_id", "language", "text", "preferred"}, len(labels), func(i int) []any {
			step()
			return []any{t.Release, labels[i].concept, labels[i].label.Language, labels[i].label.Text, labels[i].label.Preferred}
		})
		if err != nil {
			return err
		}
		return copyRows(ctx, tx, "concept_relations", []string{"release", "from_id", "to_id", "kind"}, len(t.Relations), func(i int) []any {
			step()
			r := t.Relations[i]
			return []any{t.Release, r.From, r.To, string(r.Kind)}
		})
	})
}

// load runs one load at a time, in one transaction, and tells everyone when it commits.
func (l *Loader) load(ctx context.Context, kind string, release Release, write func(*sqlx.Tx) error) error {
	tx, err := l.db.BeginTxx(ctx, nil)
	if err != nil {
		return unavailable("load reference data", err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('onward reference data'))`); err != nil {
		return wrap("load reference data", translate(err))
	}
	if err := write(tx); err != nil {
		if known := (*onward.Error)(nil); !errors.As(err, &known) {
			err = translate(err)
		}
		return fmt.Errorf("load %s %s: %w", kind, release.Release, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO reference_releases (kind, release, name, source) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, release) DO UPDATE SET name = excluded.name, source = excluded.source, loaded_at = now()`,
		kind, release.Release, release.Name, release.Source); err != nil {
		return wrap("load reference data", translate(err))
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_notify($1, '')`, ChannelReference); err != nil {
		return wrap("load reference data", translate(err))
	}
	return wrap("load reference data", translate(tx.Commit()))
}

func copyRows(ctx context.Context, tx *sqlx.Tx, table string, columns []string, n int, row func(int) []any) error {
	stmt, err := tx.PrepareContext(ctx, "COPY "+table+" ("+strings.Join(columns, ", ")+") FROM STDIN")
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for i := range n {
		if _, err := stmt.ExecContext(ctx, row(i)...); err != nil {
			return err
		}
	}
	_, err = stmt.ExecContext(ctx)
	return err
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
