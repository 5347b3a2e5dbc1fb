package store

import (
	"context"
	"encoding/json"

	"onward"
)

// selectParity is what a person said for parity, as JSON; NULL for who may not read it, which row-level security leaves out.
const selectParity = `(SELECT jsonb_strip_nulls(jsonb_build_object('sex', nullif(a.sex, ''), 'disability', nullif(a.disability, ''), 'return', nullif(a.return_kind, ''), 'origin', nullif(a.origin, '')))
	FROM parity_attributes a WHERE a.returnee_id = r.id) AS parity`

// parityOf reads what selectParity wrote.
func parityOf(text []byte) (*onward.ParityAttributes, error) {
	if text == nil {
		return nil, nil
	}
	p := &onward.ParityAttributes{}
	return p, json.Unmarshal(text, p)
}

// newParity is what somebody who is registered said.
type newParity struct {
	ID onward.ID `json:"id"`
	onward.ParityAttributes
}

// addParity keeps what people said, of those who were written. What is the same stays as it is.
func (tx *Tx) addParity(ctx context.Context, list []newParity) error {
	if len(list) == 0 {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return wrap("write parity attributes", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO parity_attributes AS a (returnee_id, organisation_id, sex, disability, return_kind, origin, recorded_by, recorded_at)
		SELECT r.id, r.organisation_id, coalesce(p.sex, ''), coalesce(p.disability, ''), coalesce(p.return, ''), coalesce(p.origin, ''), $2, $3
		FROM jsonb_to_recordset($1::jsonb) AS p(id uuid, sex text, disability text, return text, origin text) JOIN returnees r ON r.id = p.id
		ON CONFLICT (returnee_id) DO UPDATE SET sex = excluded.sex, disability = excluded.disability, return_kind = excluded.return_kind, origin = excluded.origin,
			recorded_by = excluded.recorded_by, recorded_at = excluded.recorded_at, salt = gen_random_uuid()
		WHERE (a.sex, a.disability, a.return_kind, a.origin) IS DISTINCT FROM (excluded.sex, excluded.disability, excluded.return_kind, excluded.origin)`,
		string(text), nilIfZero(tx.Actor.UserID), tx.now)
	return wrap("write parity attributes", err)
}

// setParity replaces what a person said; nil takes it away.
func (tx *Tx) setParity(ctx context.Context, id onward.ID, p *onward.ParityAttributes) error {
	if p != nil {
		return tx.addParity(ctx, []newParity{{id, *p}})
	}
	_, err := tx.exec(ctx, `DELETE FROM parity_attributes WHERE returnee_id = $1`, id)
	return wrap("forget parity attributes", err)
}

// mostFloorPeople bounds of how many people the cost of a floor is worked out.
const mostFloorPeople = 20_000

func (tx *Tx) parityCounts(ctx context.Context, organisation onward.ID, c *onward.FigureCounts) error {
	if err := tx.selectAll(ctx, &c.Parity, `SELECT attribute, of_group, stage, bin, people, value FROM parity_counts($1, $2::date) ORDER BY 1, 2, 3, 4`, nilIfZero(organisation), tx.today().String()); err != nil {
		return wrap("count groups", err)
	}
	err := tx.selectAll(ctx, &c.Floor, `SELECT opening, places, score, sex, age, disability, return_kind, origin FROM parity_openings($1, $2::date, $3)`, nilIfZero(organisation), tx.today().String(), mostFloorPeople)
	return wrap("read openings with few places", err)
}

// scoresOf are the openings of a list with their scores, in their order; nil without a list.
func scoresOf(list *onward.RankedList) (openings []string, scores []float64) {
	if list == nil {
		return nil, nil
	}
	openings, scores = []string{}, []float64{}
	for _, line := range list.Referrals {
		openings, scores = append(openings, line.Opportunity.ID.String()), append(scores, line.Score)
	}
	return openings, scores
}
