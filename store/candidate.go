package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/lib/pq"

	"onward"
)

const (
	// mostForms is in how many forms an organisation may look at the candidates of one opportunity. Someone who changes what
	// is asked for and looks again learns a little of each person, the age by halving; a new opportunity has new pseudonyms.
	mostForms = 5
	// profilesAtOnce is how many profiles are handed over together.
	profilesAtOnce = 512
)

// Profile is a returnee without identity, to be scored. Read decodes it, which takes longer than reading it and may be
// done by many goroutines.
type Profile struct {
	ID      onward.ID `db:"id"`
	Version int64     `db:"version"`
	Details []byte    `db:"details"`
}

// Read decodes the profile.
func (p Profile) Read() (onward.ReturneeDetails, error) {
	var d onward.ReturneeDetails
	if err := json.Unmarshal(p.Details, &d); err != nil {
		return d, fmt.Errorf("read returnee %s: %w", p.ID, err)
	}
	return d, nil
}

// EachProfile hands over the people of a country who have an active consent for every purpose, those changed last first,
// and at most so many: truncated says that there are more. Counsellors and supervisors see their own caseload; the system
// sees everyone.
func (tx *Tx) EachProfile(ctx context.Context, country string, purposes []onward.ConsentPurpose, most int, fn func([]Profile) error) (truncated bool, err error) {
	if !tx.Actor.HandlesReturnees() {
		return false, onward.Errorf(onward.EForbidden, "only counsellors and supervisors see returnees")
	}
	wanted := make([]string, len(purposes))
	for i, p := range purposes {
		wanted[i] = string(p)
	}
	rows, err := tx.tx.QueryxContext(ctx, `SELECT r.id, r.version, r.details FROM returnees r
		WHERE r.country = $1 AND NOT EXISTS (SELECT FROM unnest($2::text[]) purpose WHERE NOT EXISTS (
			SELECT FROM jsonb_array_elements(r.details -> 'consents') c
			WHERE c ->> 'purpose' = purpose AND c ->> 'given_on' <= $3 AND c ->> 'withdrawn_on' IS NULL
				AND (c ->> 'expires_on' IS NULL OR c ->> 'expires_on' >= $3)))
		ORDER BY r.updated_at DESC, r.id LIMIT $4`, country, pq.Array(wanted), tx.store.Today().String(), most+1)
	if err != nil {
		return false, wrap("read profiles", translate(err))
	}
	defer func() { _ = rows.Close() }()
	batch := make([]Profile, 0, profilesAtOnce)
	for count := 0; rows.Next(); count++ {
		if count == most {
			truncated = true
			break
		}
		var p Profile
		if err := rows.StructScan(&p); err != nil {
			return false, wrap("read profiles", translate(err))
		}
		if batch = append(batch, p); len(batch) == cap(batch) {
			if err := fn(batch); err != nil {
				return false, err
			}
			batch = batch[:0]
		}
	}
	if err := rows.Err(); err != nil {
		return false, wrap("read profiles", translate(err))
	}
	return truncated, fn(batch)
}

// AdmitForm notes that an organisation looks at the candidates of its opportunity as it is now. EConflict when it did so in
// too many other forms before. Only the system does.
func (tx *Tx) AdmitForm(ctx context.Context, o onward.Opportunity) error {
	form, err := formOf(o)
	if err != nil {
		return wrap("look at candidates", err)
	}
	// The lock keeps two looks at once from both being the last one.
	var known int
	err = tx.get(ctx, &known, `WITH locked AS (SELECT id FROM opportunities WHERE id = $1 FOR UPDATE)
		SELECT count(f.form) FROM locked l LEFT JOIN candidate_forms f ON f.opportunity_id = l.id AND f.form <> $2`, o.ID, form)
	if err != nil {
		return wrap("look at candidates", err)
	}
	if known >= mostForms {
		return onward.Errorf(onward.EConflict, "what this opportunity asks for was changed %d times since you first looked at its candidates; post it as a new one to look again", known)
	}
	_, err = tx.exec(ctx, `INSERT INTO candidate_forms (opportunity_id, form) VALUES ($1, $2) ON CONFLICT DO NOTHING`, o.ID, form)
	return wrap("look at candidates", err)
}

// formOf hashes what a card answers to. Words, the closing date, vetting and the number of places are left out.
func formOf(o onward.Opportunity) ([]byte, error) {
	d := o.OpportunityDetails
	d.ExternalID, d.Title, d.Description, d.Capacity, d.ClosesOn, d.Vetting, d.VettedUntil = "", nil, nil, 0, onward.Date{}, "", onward.Date{}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	form := sha256.Sum256(text)
	return form[:], nil
}

// CandidatePseudonyms gives people their pseudonyms for one opportunity, by returnee. Who was changed since the version
// that was scored is left out: a consent may have been withdrawn. Only the system does.
func (tx *Tx) CandidatePseudonyms(ctx context.Context, opportunity onward.ID, people []onward.Ref) (map[onward.ID]onward.ID, error) {
	refs, err := json.Marshal(people)
	if err != nil {
		return nil, wrap("name candidates", err)
	}
	var rows []struct {
		ReturneeID onward.ID `db:"returnee_id"`
		Pseudonym  onward.ID `db:"pseudonym"`
	}
	// The update changes nothing; without it, what is there already would not be returned.
	err = tx.selectAll(ctx, &rows, `WITH current AS (
			SELECT r.id FROM returnees r JOIN jsonb_to_recordset($2::jsonb) p(id uuid, version bigint) ON p.id = r.id AND p.version = r.version
			ORDER BY r.id FOR SHARE OF r)
		INSERT INTO candidate_pseudonyms AS c (opportunity_id, returnee_id) SELECT $1, id FROM current
		ON CONFLICT (opportunity_id, returnee_id) DO UPDATE SET pseudonym = c.pseudonym
		RETURNING returnee_id, pseudonym`, opportunity, string(refs))
	if err != nil {
		return nil, wrap("name candidates", err)
	}
	names := make(map[onward.ID]onward.ID, len(rows))
	for _, row := range rows {
		names[row.ReturneeID] = row.Pseudonym
	}
	return names, nil
}
