package benchrank

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// Postgres ranks by one SQL statement, as well as plain SQL can: skills as small numbers, an index from a skill to its openings that
// holds all that is added up, and what the score needs of an opening in a narrow table.
type Postgres struct {
	db     *sqlx.DB
	skills map[string]int
	schema string
}

// benchSchema is made for the benchmark and dropped after it.
const benchSchema = "onward_bench_rank"

// NewPostgres makes an empty schema of its own on a server.
func NewPostgres(ctx context.Context, url string) (*Postgres, error) {
	db, err := sqlx.ConnectContext(ctx, "postgres", url)
	if err != nil {
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	db.SetMaxOpenConns(1)
	p := &Postgres{db: db, skills: map[string]int{}, schema: benchSchema}
	for _, statement := range []string{
		`DROP SCHEMA IF EXISTS ` + benchSchema + ` CASCADE`, `CREATE SCHEMA ` + benchSchema, `SET search_path = ` + benchSchema,
		`CREATE TABLE openings (n integer NOT NULL, id uuid NOT NULL, scale double precision NOT NULL, neutral boolean NOT NULL, place bigint NOT NULL, remote boolean NOT NULL,
			assisted boolean NOT NULL, portability double precision NOT NULL, closes date)`,
		`CREATE TABLE opening_skills (skill integer NOT NULL, opening integer NOT NULL, essential boolean NOT NULL)`,
		`SET jit = off`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			_ = db.Close()
			return nil, fmt.Errorf("prepare Postgres: %w", err)
		}
	}
	return p, nil
}

// Close drops the schema.
func (p *Postgres) Close(ctx context.Context) error {
	_, err := p.db.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+benchSchema+` CASCADE`)
	if closed := p.db.Close(); err == nil {
		err = closed
	}
	return err
}

func (p *Postgres) number(skill string) int {
	n, ok := p.skills[skill]
	if !ok {
		n = len(p.skills)
		p.skills[skill] = n
	}
	return n
}

// Put copies openings in.
func (p *Postgres) Put(ctx context.Context, entries []indexer.Entry) error {
	tx, err := p.db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("copy openings: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	var first int
	if err := tx.GetContext(ctx, &first, `SELECT coalesce(max(n) + 1, 0) FROM openings`); err != nil {
		return fmt.Errorf("copy openings: %w", err)
	}
	copyIn := func(table string, columns []string, rows func(add func(...any) error) error) error {
		statement, err := tx.PrepareContext(ctx, `COPY `+table+` (`+strings.Join(columns, ", ")+`) FROM STDIN`) //nolint:sqlclosecheck // closed below, where its error counts
		if err != nil {
			return err
		}
		if err := rows(func(values ...any) error { _, err := statement.ExecContext(ctx, values...); return err }); err != nil {
			return err
		}
		if _, err := statement.ExecContext(ctx); err != nil {
			return err
		}
		return statement.Close()
	}
	err = copyIn("openings", []string{"n", "id", "scale", "neutral", "place", "remote", "assisted", "portability", "closes"}, func(add func(...any) error) error {
		for i := range entries {
			o := &entries[i].Opening
			closes := sql.NullString{String: o.ClosesOn.String(), Valid: !o.ClosesOn.IsZero()}
			if err := add(first+i, o.ID.String(), o.Scale, o.SkillBasis == onward.SkillsNone, int64(o.PlaceID), o.Remote, o.Assisted, o.Portability, closes); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = copyIn("opening_skills", []string{"skill", "opening", "essential"}, func(add func(...any) error) error {
			for i := range entries {
				for _, s := range entries[i].Opening.Skills {
					if err := add(p.number(s.SkillID), first+i, s.Essential); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("copy openings: %w", err)
	}
	return nil
}

// Settle makes the indexes and the statistics, once all openings are there.
func (p *Postgres) Settle(ctx context.Context) error {
	for _, statement := range []string{
		`CREATE INDEX ON opening_skills (skill) INCLUDE (opening, essential)`, `CREATE UNIQUE INDEX ON openings (n)`, `CREATE INDEX ON openings (n) WHERE neutral`,
		`VACUUM ANALYZE openings`, `VACUUM ANALYZE opening_skills`,
	} {
		if _, err := p.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("index openings: %w", err)
		}
	}
	return nil
}

type querySkill struct {
	Skill     int     `json:"skill"`
	Essential float64 `json:"essential"`
	Optional  float64 `json:"optional"`
}

type queryPlace struct {
	Place    int64   `json:"place"`
	Plain    float64 `json:"plain"`
	Assisted float64 `json:"assisted"`
}

// Rank is the one statement.
func (p *Postgres) Rank(ctx context.Context, q matcher.Query) ([]indexer.Hit, error) {
	skills, places := make([]querySkill, 0, len(q.Skills)), make([]queryPlace, 0, len(q.Reach.Places))
	for _, s := range q.Skills {
		if n, ok := p.skills[s.SkillID]; ok {
			skills = append(skills, querySkill{n, s.Essential, s.Optional})
		}
	}
	for id, r := range q.Reach.Places {
		places = append(places, queryPlace{int64(id), r.Plain, r.Assisted})
	}
	skillRows, err := json.Marshal(skills)
	if err != nil {
		return nil, err
	}
	placeRows, err := json.Marshal(places)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID    onward.ID `db:"id"`
		Score float64   `db:"score"`
	}
	err = p.db.SelectContext(ctx, &rows, `WITH skill AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb) s(skill integer, essential double precision, optional double precision)),
		reach AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($2::jsonb) r(place bigint, plain double precision, assisted double precision)),
		fit AS (
			SELECT s.opening AS n, sum(CASE WHEN s.essential THEN q.essential ELSE q.optional END) AS fit FROM skill q JOIN opening_skills s ON s.skill = q.skill GROUP BY s.opening
			UNION ALL SELECT n, $3::double precision FROM openings WHERE neutral),
		scored AS (
			SELECT o.id, o.scale * f.fit * ($4::double precision * o.portability + CASE WHEN o.remote THEN $5::double precision WHEN o.assisted THEN coalesce(r.assisted, $6::double precision) ELSE coalesce(r.plain, 0) END) AS score
			FROM fit f JOIN openings o ON o.n = f.n LEFT JOIN reach r ON r.place = o.place WHERE o.closes IS NULL OR o.closes >= $7::date)
		SELECT id, score FROM scored WHERE score > 0 ORDER BY score DESC, id LIMIT $8`,
		string(skillRows), string(placeRows), q.NeutralFit, q.Reach.Abroad, q.Reach.InCountry, q.Reach.AssistedElsewhere, q.Today.String(), q.Limit)
	if err != nil {
		return nil, fmt.Errorf("rank in Postgres: %w", err)
	}
	hits := make([]indexer.Hit, len(rows))
	for i, r := range rows {
		hits[i].Opening.ID, hits[i].Score = r.ID, r.Score
	}
	return hits, nil
}
