package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"onward"
	"onward/store/vault"
)

const selectReturnee = `SELECT r.id, r.organisation_id, r.counsellor_id, r.version, r.fictional, r.created_at, r.updated_at, r.details, i.identity, i.key, ` + selectParity + `
	FROM returnees r LEFT JOIN returnee_identities i ON i.returnee_id = r.id `

type returneeRow struct {
	ID             onward.ID `db:"id"`
	OrganisationID onward.ID `db:"organisation_id"`
	CounsellorID   onward.ID `db:"counsellor_id"`
	Version        int64     `db:"version"`
	Fictional      bool      `db:"fictional"`
	CreatedAt      time.Time `db:"created_at"`
	UpdatedAt      time.Time `db:"updated_at"`
	Details        []byte    `db:"details"`
	Identity       []byte    `db:"identity"` // sealed
	Key            []byte    `db:"key"`      // the person's, wrapped
	Parity         []byte    `db:"parity"`
}

// opened is the person if the identity is there to be opened.
func (row returneeRow) opened() []onward.ID {
	if len(row.Key) == 0 {
		return nil
	}
	return []onward.ID{row.ID}
}

// returnee opens the identity where the actor may read it: row-level security leaves it out for others.
func (s *Store) returnee(row returneeRow) (onward.Returnee, error) {
	r := onward.Returnee{
		ID: row.ID, OrganisationID: row.OrganisationID, CounsellorID: row.CounsellorID, Version: row.Version,
		Fictional: row.Fictional, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if err := json.Unmarshal(row.Details, &r.ReturneeDetails); err != nil {
		return r, fmt.Errorf("read returnee %s: %w", row.ID, err)
	}
	identity := struct {
		*onward.Identity
		BirthDate  onward.Date `json:"birth_date"`
		ExternalID string      `json:"external_id"`
	}{&r.Identity, r.BirthDate, r.ExternalID}
	var err error
	if r.Parity, err = parityOf(row.Parity); err != nil {
		return r, fmt.Errorf("read returnee %s: %w", row.ID, err)
	}
	err = s.openIdentity(r.ID, row.Identity, row.Key, &identity)
	r.BirthDate, r.ExternalID = identity.BirthDate, identity.ExternalID
	return r, err
}

// withoutIdentity is what is stored in the clear: all but what identifies the person, and the birth date to the month.
func withoutIdentity(d onward.ReturneeDetails) ([]byte, error) {
	d.Parity = nil
	d.ExternalID, d.Identity, d.BirthDate = "", onward.Identity{}, endOfMonth(d.BirthDate)
	return marshal(d)
}

// NewReturnee is a person to be registered.
type NewReturnee struct {
	Details   onward.ReturneeDetails
	Fictional bool
}

// CreateReturnee registers one person on the caseload of the actor's organisation. EConflict if the organisation has
// the external id already.
func (tx *Tx) CreateReturnee(ctx context.Context, n NewReturnee) (onward.Returnee, error) {
	created, err := tx.CreateReturnees(ctx, []NewReturnee{n})
	if err != nil {
		return onward.Returnee{}, err
	}
	if created[0].Err != nil {
		return onward.Returnee{}, created[0].Err
	}
	if created[0].Duplicate {
		return onward.Returnee{}, onward.Errorf(onward.EConflict, "this external_id exists already; read or update /v1/returnees/%s", created[0].Ref.ID)
	}
	return tx.Returnee(ctx, created[0].Ref.ID)
}

// CreateReturnees registers many. Each row is checked on its own, as in CreateOpportunities.
func (tx *Tx) CreateReturnees(ctx context.Context, list []NewReturnee) ([]Created, error) {
	if !tx.Actor.HandlesReturnees() || tx.Actor.OrganisationID.IsZero() {
		return nil, onward.Errorf(onward.EForbidden, "only counsellors and supervisors register returnees")
	}
	vocabulary, err := tx.vocabulary()
	if err != nil {
		return nil, err
	}
	type newRow struct {
		ID             onward.ID       `json:"id"`
		OrganisationID onward.ID       `json:"organisation_id"`
		CounsellorID   *onward.ID      `json:"counsellor_id"`
		CaseToken      *string         `json:"case_token"` // hex
		Country        string          `json:"country"`
		Details        json.RawMessage `json:"details"`
		Identity       json.RawMessage `json:"identity"`
		Key            string          `json:"key"` // hex
		KeyID          int64           `json:"key_id"`
		Fictional      bool            `json:"fictional"`
		NextExpiry     *string         `json:"next_expiry"`
	}
	today := tx.store.Today()
	created := make([]Created, len(list))
	rows := make([]newRow, 0, len(list))
	var tokens []identityToken
	var parity []newParity
	positions := make(map[onward.ID]int, len(list))
	for i, n := range list {
		if created[i].Err = n.Details.Validate(today, vocabulary); created[i].Err != nil {
			continue
		}
		id := onward.NewID()
		details, err := withoutIdentity(n.Details)
		if err != nil {
			created[i].Err = wrap("create returnee", err)
			continue
		}
		sealed, err := tx.sealIdentity(ctx, id, tx.Actor.OrganisationID, nil, 0, n.Details)
		if err != nil {
			return nil, wrap("create returnees", err)
		}
		tokens = append(tokens, sealed.Tokens...)
		if n.Details.Parity != nil {
			parity = append(parity, newParity{id, *n.Details.Parity})
		}
		row := newRow{
			ID: id, OrganisationID: tx.Actor.OrganisationID, CounsellorID: nilIfZero(tx.Actor.UserID),
			CaseToken: nilIfZero(caseToken(sealed.Tokens)), Country: n.Details.Country, Details: details, Identity: sealed.Fields,
			Key: fmt.Sprintf("%x", sealed.Key), KeyID: sealed.KeyID, Fictional: n.Fictional, NextExpiry: nextExpiry(n.Details, today),
		}
		positions[row.ID] = i
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return created, nil
	}
	batch, err := json.Marshal(rows)
	if err != nil {
		return nil, wrap("create returnees", err)
	}
	var inserted []onward.ID
	// Who has a case number that is not known yet is new; so is who has none.
	err = tx.selectAll(ctx, &inserted, `WITH r AS (
			SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, organisation_id uuid, counsellor_id uuid, case_token text, country text,
				details jsonb, fictional boolean, next_expiry date)),
		numbered AS (
			INSERT INTO identity_tokens (organisation_id, token, returnee_id, kind) SELECT organisation_id, decode(case_token, 'hex'), id, 'case' FROM r WHERE case_token IS NOT NULL
			ON CONFLICT (organisation_id, token) WHERE kind = 'case' DO NOTHING RETURNING returnee_id)
		INSERT INTO returnees (id, organisation_id, counsellor_id, country, details, fictional, next_expiry)
		SELECT id, organisation_id, counsellor_id, country, details, fictional, next_expiry FROM r WHERE case_token IS NULL OR id IN (SELECT returnee_id FROM numbered)
		RETURNING id`, string(batch))
	if err != nil {
		return nil, wrap("create returnees", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO returnee_identities (returnee_id, organisation_id, identity, key, key_id)
		SELECT r.id, r.organisation_id, r.identity, decode(r.key, 'hex'), r.key_id
		FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, organisation_id uuid, identity jsonb, key text, key_id bigint) WHERE EXISTS (SELECT FROM returnees WHERE id = r.id)`, string(batch))
	if err != nil {
		return nil, wrap("create returnees", err)
	}
	if err := tx.addTokens(ctx, tokens); err != nil {
		return nil, err
	}
	if err := tx.addParity(ctx, parity); err != nil {
		return nil, err
	}
	if err := tx.consentsGiven(ctx, inserted); err != nil {
		return nil, err
	}
	for _, id := range inserted {
		created[positions[id]].Ref = onward.Ref{ID: id, Version: 1}
	}
	for _, row := range rows {
		c := &created[positions[row.ID]]
		if !c.Ref.ID.IsZero() {
			continue
		}
		c.Duplicate = true
		if err := tx.tx.QueryRowxContext(ctx, `SELECT r.id, r.version FROM identity_tokens t JOIN returnees r ON r.id = t.returnee_id
				WHERE t.organisation_id = $1 AND t.token = decode($2, 'hex') AND t.kind = 'case'`, row.OrganisationID, row.CaseToken).Scan(&c.Ref.ID, &c.Ref.Version); errors.Is(err, sql.ErrNoRows) {
			c.Duplicate, c.Err = false, onward.Errorf(onward.EConflict, "this external_id exists already, on the caseload of a colleague")
		} else if err != nil {
			return nil, wrap("create returnees", translate(err))
		}
	}
	return created, nil
}

// Returnee reads one person. ENotFound if they do not exist or the actor may not see them.
func (tx *Tx) Returnee(ctx context.Context, id onward.ID) (onward.Returnee, error) {
	var row returneeRow
	if err := tx.get(ctx, &row, selectReturnee+`WHERE r.id = $1 AND r.erased_at IS NULL`, id); err != nil {
		return onward.Returnee{}, wrap("read returnee", notFound(err, "no returnee on your caseload has this id"))
	}
	tx.noteRead("returnee", nil, row.opened()...)
	return tx.store.returnee(row)
}

// ReturneeLanguage is the language to speak with a person in; empty when it is not known.
func (tx *Tx) ReturneeLanguage(ctx context.Context, id onward.ID) (string, error) {
	var language string
	err := tx.get(ctx, &language, `SELECT coalesce(details ->> 'language', '') FROM returnees WHERE id = $1`, id)
	return language, wrap("read language", notFound(err, "no returnee on your caseload has this id"))
}

// ReturneeFilter narrows a list. Zero fields do not filter.
type ReturneeFilter struct {
	ExternalID   string
	CounsellorID onward.ID
	// Name is one or more whole words of the name, in any order; case and accents do not count.
	Name string
	// Contact is a phone number or an e-mail address.
	Contact string
}

// mostFound bounds how many people a search finds; more words find fewer.
const mostFound = 5000

// Returnees lists the caseload, newest first.
func (tx *Tx) Returnees(ctx context.Context, f ReturneeFilter, cursor Cursor) (Page[onward.Returnee], error) {
	var page Page[onward.Returnee]
	if !tx.Actor.HandlesReturnees() {
		return page, onward.Errorf(onward.EForbidden, "only counsellors and supervisors see returnees")
	}
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	wanted, err := tx.wantedTokens(ctx, f)
	if err != nil {
		return page, err
	}
	found := []string{}
	if len(wanted) > 0 {
		if err := tx.selectAll(ctx, &found, `SELECT returnee_id::text FROM identity_tokens WHERE organisation_id = $1 AND token = ANY(ARRAY(SELECT decode(w, 'hex') FROM unnest($2::text[]) w))
			GROUP BY 1 HAVING count(*) = cardinality($2::text[]) LIMIT $3`, tx.Actor.OrganisationID, pq.Array(wanted), mostFound); err != nil {
			return page, wrap("find returnees", err)
		}
	}
	// The planner takes the conditions of row-level security for rarer than they are, and would read and sort the whole caseload.
	if _, err := tx.exec(ctx, `SET LOCAL enable_sort = off`); err != nil {
		return page, wrap("list returnees", err)
	}
	var rows []returneeRow
	err = tx.selectAll(ctx, &rows, selectReturnee+`
		WHERE r.id < $1 AND r.erased_at IS NULL AND ($2::uuid IS NULL OR r.counsellor_id = $2)
		  AND (NOT $3 OR r.id = ANY($4::uuid[])) AND ($6::uuid IS NULL OR r.organisation_id = $6)
		ORDER BY r.id DESC LIMIT $5`, after, f.CounsellorID, len(wanted) > 0, pq.Array(found), limit+1, nilIfZero(tx.Actor.OrganisationID))
	if err == nil {
		_, err = tx.exec(ctx, `SET LOCAL enable_sort = on`)
	}
	if err != nil {
		return page, wrap("list returnees", err)
	}
	list := make([]onward.Returnee, len(rows))
	for i, row := range rows {
		if list[i], err = tx.store.returnee(row); err != nil {
			return page, err
		}
		tx.noteRead("returnee", nil, row.opened()...)
	}
	return pageOf(list, limit, func(r onward.Returnee) onward.ID { return r.ID }), nil
}

// UpdateReturnee replaces what is recorded if the version is still the one that was read. EVersion when someone else
// changed it, ENotFound when the actor may not see the person.
func (tx *Tx) UpdateReturnee(ctx context.Context, id onward.ID, version int64, d onward.ReturneeDetails) (onward.Returnee, error) {
	current, err := tx.Returnee(ctx, id)
	if err != nil {
		return current, err
	}
	vocabulary, err := tx.vocabulary()
	if err != nil {
		return current, err
	}
	if err := d.Validate(tx.store.Today(), vocabulary); err != nil {
		return current, err
	}
	details, err := withoutIdentity(d)
	if err != nil {
		return current, wrap("update returnee", err)
	}
	n, err := tx.exec(ctx, `UPDATE returnees SET country = $3, details = $4, version = version + 1, updated_at = now(),
			renewal_asked_on = CASE WHEN next_expiry IS DISTINCT FROM $5::date THEN NULL ELSE renewal_asked_on END, next_expiry = $5::date
		WHERE id = $1 AND version = $2`, id, version, d.Country, string(details), nextExpiry(d, tx.today()))
	if err != nil {
		return current, wrap("update returnee", err)
	}
	if n == 0 {
		return current, onward.Errorf(onward.EVersion, "it was changed meanwhile (version %d); read it again and repeat your change", current.Version)
	}
	if err := tx.keepChange(ctx, current, d); err != nil {
		return current, err
	}
	if err := tx.setIdentity(ctx, current, d); constraintOf(err) == "identity_tokens_case" {
		return current, onward.Errorf(onward.EConflict, "another returnee of your organisation has this external_id")
	} else if err != nil {
		return current, wrap("update returnee", err)
	}
	if err := tx.setParity(ctx, id, d.Parity); err != nil {
		return current, err
	}
	if err := tx.consentsChanged(ctx, current, d); err != nil {
		return current, err
	}
	return tx.Returnee(ctx, id)
}

// setIdentity seals the identity anew, under the key that the person has.
func (tx *Tx) setIdentity(ctx context.Context, current onward.Returnee, d onward.ReturneeDetails) error {
	var row struct {
		Key   []byte `db:"key"`
		KeyID int64  `db:"key_id"`
	}
	if err := tx.get(ctx, &row, `SELECT key, key_id FROM returnee_identities WHERE returnee_id = $1 FOR UPDATE`, current.ID); err != nil {
		return err
	}
	sealed, err := tx.sealIdentity(ctx, current.ID, current.OrganisationID, row.Key, row.KeyID, d)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE returnee_identities SET identity = $2, key = $3, key_id = $4 WHERE returnee_id = $1`, current.ID, string(sealed.Fields), sealed.Key, sealed.KeyID); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM identity_tokens WHERE returnee_id = $1`, current.ID); err != nil {
		return err
	}
	return tx.addTokens(ctx, sealed.Tokens)
}

// addTokens writes tokens of persons who were written; of others, who were there already, nothing.
func (tx *Tx) addTokens(ctx context.Context, tokens []identityToken) error {
	if len(tokens) == 0 {
		return nil
	}
	text, err := json.Marshal(tokens)
	if err != nil {
		return wrap("write tokens", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO identity_tokens (organisation_id, token, returnee_id, kind)
		SELECT t.organisation_id, decode(t.token, 'hex'), t.returnee_id, t.kind FROM jsonb_to_recordset($1::jsonb) AS t(organisation_id uuid, token text, returnee_id uuid, kind text)
		JOIN returnees r ON r.id = t.returnee_id ON CONFLICT (organisation_id, token, returnee_id) DO NOTHING`, string(text))
	return wrap("write tokens", err)
}

// wantedTokens are those that a person has to have, all of them, to be found.
func (tx *Tx) wantedTokens(ctx context.Context, f ReturneeFilter) ([]string, error) {
	wanted := []string{}
	words := nameWords(f.Name)
	switch {
	case !storable(f.ExternalID + f.Name + f.Contact):
		return nil, onward.Errorf(onward.EInvalid, "this is no text that can be searched for")
	case f.Name != "" && len(words) == 0:
		return nil, onward.Errorf(onward.EInvalid, "search for whole words of a name")
	case f.ExternalID == "" && f.Name == "" && f.Contact == "":
		return wanted, nil
	}
	key, err := tx.store.blindKey(ctx)
	if err != nil {
		return nil, err
	}
	add := func(kind, value string) {
		wanted = append(wanted, fmt.Sprintf("%x", vault.Blind(key, tx.Actor.OrganisationID, kind, value)))
	}
	if f.ExternalID != "" {
		add(tokenCase, f.ExternalID)
	}
	for _, w := range words {
		add(tokenName, w)
	}
	switch {
	case strings.Contains(f.Contact, "@"):
		add(tokenEmail, strings.ToLower(strings.TrimSpace(f.Contact)))
	case f.Contact != "":
		add(tokenPhone, phoneDigits(f.Contact))
	}
	return wanted, nil
}

// consentsGiven records the consents of people who were registered.
func (tx *Tx) consentsGiven(ctx context.Context, people []onward.ID) error {
	ids := make([]string, len(people))
	for i, id := range people {
		ids[i] = id.String()
	}
	_, err := tx.exec(ctx, `INSERT INTO consent_records (id, organisation_id, returnee_id, what, consent, recorded_by, at)
		SELECT new_id(), r.organisation_id, r.id, CASE WHEN c ->> 'withdrawn_on' IS NULL THEN 'given' ELSE 'withdrawn' END, c, $2, $3
		FROM returnees r CROSS JOIN LATERAL jsonb_array_elements(r.details -> 'consents') c WHERE r.id = ANY($1::uuid[])`, pq.Array(ids), nilIfZero(tx.Actor.UserID), tx.now)
	return wrap("record consents", err)
}

// consentsChanged records what was said of consents, and does what their end means.
func (tx *Tx) consentsChanged(ctx context.Context, before onward.Returnee, now onward.ReturneeDetails) error {
	today := tx.today()
	records := onward.ConsentChanges(before.Consents, now.Consents, today)
	if err := tx.recordConsents(ctx, before.ID, before.OrganisationID, records); err != nil {
		return err
	}
	e := ending{person: before.ID, of: before.OrganisationID, now: now, cause: "withdrawn"}
	for _, p := range onward.ConsentPurposes() {
		ended := before.HasConsent(p, today) && !now.HasConsent(p, today)
		// Sharing can also end for some recipients.
		narrowed := p == onward.ConsentSharing && before.HasConsent(p, today) && slices.ContainsFunc(records, func(r onward.ConsentRecord) bool { return r.What == "withdrawn" && r.Consent.Purpose == p })
		if ended || narrowed {
			e.purposes = append(e.purposes, p)
		}
	}
	if len(e.purposes) == 0 && len(now.Safety.ExcludedOrganisations) == 0 && len(now.Safety.ExcludedPlaces) == 0 {
		return nil
	}
	return tx.endConsents(ctx, e)
}

// revokeUnwanted takes back open referrals to which the person does not agree any more, or which are not safe any more, in
// the transaction that records it.
func (tx *Tx) revokeUnwanted(ctx context.Context, e ending) (revoked []onward.ID, err error) {
	var rows []struct {
		referralRow
		PlaceID *int64                  `db:"place_id"`
		Kind    onward.OrganisationKind `db:"recipient_kind"`
	}
	err = tx.selectAll(ctx, &rows, `SELECT `+referralColumns+`, r.place_id, (SELECT kind FROM organisations WHERE id = r.recipient_id) AS recipient_kind FROM referrals r
		WHERE r.returnee_id = $1 AND r.status IN ('draft', 'requested', 'accepted', 'on_hold', 'in_progress') ORDER BY r.id FOR UPDATE OF r`, e.person)
	if err != nil {
		return nil, wrap("revoke referrals", err)
	}
	revoked = []onward.ID{}
	for i := range rows {
		r := &rows[i]
		var at onward.PlaceID
		if r.PlaceID != nil {
			at = onward.PlaceID(*r.PlaceID)
		}
		var reason onward.ReferralReason
		switch {
		case slices.Contains(e.purposes, onward.ConsentMatching),
			slices.Contains(e.purposes, onward.ConsentSharing) && !e.now.SharesWith(r.RecipientID, r.Kind, tx.today()):
			reason = onward.ReasonConsent
		case slices.Contains(e.now.Safety.ExcludedOrganisations, r.RecipientID) || tx.excludes(e.now.Safety.ExcludedPlaces, at):
			reason = onward.ReasonSafety
		default:
			continue
		}
		if err := tx.move(ctx, &r.referralRow, onward.PartySystem, onward.ReferralChange{Event: onward.ReferralRevoke, Reason: reason}, 0); err != nil {
			return nil, err
		}
		revoked = append(revoked, r.ID)
	}
	return revoked, nil
}
