package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"onward"
	"onward/store/vault"
)

const requestColumns = `id, organisation_id, returnee_id, requested_by, status, options, refusal, list, created_at, ready_at`

type requestRow struct {
	ID             onward.ID            `db:"id"`
	OrganisationID onward.ID            `db:"organisation_id"`
	ReturneeID     onward.ID            `db:"returnee_id"`
	RequestedBy    onward.ID            `db:"requested_by"`
	Status         onward.RequestStatus `db:"status"`
	Options        []byte               `db:"options"`
	Refusal        string               `db:"refusal"`
	List           []byte               `db:"list"`
	CreatedAt      time.Time            `db:"created_at"`
	ReadyAt        *time.Time           `db:"ready_at"`
}

func (row requestRow) request() (onward.ReferralRequest, error) {
	r := onward.ReferralRequest{
		ID: row.ID, OrganisationID: row.OrganisationID, ReturneeID: row.ReturneeID, RequestedBy: row.RequestedBy, Status: row.Status,
		Refusal: row.Refusal, CreatedAt: row.CreatedAt, ReadyAt: row.ReadyAt,
	}
	if err := json.Unmarshal(row.Options, &r.Options); err != nil {
		return r, fmt.Errorf("read request %s: %w", row.ID, err)
	}
	return r, nil
}

// requestReason is where it is written why a likely destination was overridden: the same in a request and in its list.
func requestReason(id onward.ID) string {
	return fieldOf("referral_requests", id.String(), "destination_reason")
}

// reasonOf is the sealed reason in a request, to be opened in its place.
func reasonOf(row requestRow, r *onward.ReferralRequest) text {
	reason := &r.Options.DestinationReason
	return text{row.ReturneeID, requestReason(row.ID), sealedText(*reason), reason}
}

// requests are rows without their lists, with what was written in them.
func (tx *Tx) requests(ctx context.Context, rows []requestRow) ([]onward.ReferralRequest, error) {
	list, texts := make([]onward.ReferralRequest, len(rows)), make([]text, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = row.request(); err != nil {
			return nil, err
		}
		texts[i] = reasonOf(row, &list[i])
	}
	return list, wrap("read what was written", tx.openTexts(ctx, texts))
}

// stored is a request with its list in JSON.
func (tx *Tx) stored(ctx context.Context, row requestRow) (r onward.ReferralRequest, list []byte, err error) {
	if r, err = row.request(); err != nil {
		return r, nil, err
	}
	sealed := r.Options.DestinationReason
	if err := tx.openTexts(ctx, []text{reasonOf(row, &r)}); err != nil {
		return r, nil, wrap("read what was written", err)
	}
	if row.List == nil {
		return r, nil, nil
	}
	if list, err = tx.store.packer.unpack(row.List); err != nil {
		return r, nil, wrap("read list of request "+row.ID.String(), err)
	}
	if sealed == "" {
		return r, list, nil
	}
	// The same sealed text is in the list, whatever the list is like.
	was, err := json.Marshal(sealed)
	if err != nil {
		return r, nil, err
	}
	is, err := json.Marshal(r.Options.DestinationReason)
	return r, bytes.ReplaceAll(list, was, is), err
}

// whole is the request with its list.
func (tx *Tx) whole(ctx context.Context, row requestRow) (onward.ReferralRequest, error) {
	r, list, err := tx.stored(ctx, row)
	if err != nil || list == nil {
		return r, err
	}
	r.List = new(onward.RankedList)
	if err := json.Unmarshal(list, r.List); err != nil {
		return r, fmt.Errorf("read list of request %s: %w", row.ID, err)
	}
	return r, nil
}

// CreateReferralRequest promises a ranked list for one returnee. With a key that the user used before, the request of
// then is returned (repeated is true); EConflict if that was for something else. EInvalid without an active consent for
// matching, ENotFound for a returnee whom the actor may not see.
func (tx *Tx) CreateReferralRequest(ctx context.Context, returnee onward.ID, options onward.RequestOptions, key string) (r onward.ReferralRequest, repeated bool, err error) {
	if !tx.Actor.HandlesReturnees() || tx.Actor.UserID.IsZero() {
		return r, false, onward.Errorf(onward.EForbidden, "only counsellors and supervisors ask for referrals")
	}
	vocabulary, err := tx.vocabulary()
	if err != nil {
		return r, false, err
	}
	if err := options.Validate(vocabulary); err != nil {
		return r, false, err
	}
	if len(key) > 200 {
		return r, false, onward.Invalid([]onward.FieldError{{Field: "Idempotency-Key", Rule: "length", Message: "use at most 200 characters"}})
	}
	if !storable(key) {
		return r, false, errUnstorable()
	}
	var details []byte
	if err := tx.get(ctx, &details, `SELECT details FROM returnees WHERE id = $1`, returnee); err != nil {
		return r, false, wrap("read returnee", notFound(err, "no returnee on your caseload has this id"))
	}
	var profile onward.ReturneeDetails
	if err := json.Unmarshal(details, &profile); err != nil {
		return r, false, fmt.Errorf("read returnee %s: %w", returnee, err)
	}
	if !profile.HasConsent(onward.ConsentMatching, tx.store.Today()) {
		return r, false, onward.Invalid([]onward.FieldError{{
			Field: "consents", Rule: "consent",
			Message: "there is no active consent for matching; ask the person, record it, then ask again",
		}})
	}
	body, err := marshal(options)
	if err != nil {
		return r, false, wrap("create referral request", err)
	}
	blind, err := tx.store.blindKey(ctx)
	if err != nil {
		return r, false, err
	}
	// Before anything is sealed, which makes it another each time.
	hash := vault.Blind(blind, tx.Actor.OrganisationID, "request", returnee.String()+" "+string(body))
	var keyHash []byte
	if key != "" { // clients make them of anything
		keyHash = vault.Blind(blind, tx.Actor.OrganisationID, "idempotency", key)
	}
	var row requestRow
	id := onward.NewID()
	if options.DestinationReason != "" {
		sealed, err := tx.sealText(ctx, returnee, requestReason(id), options.DestinationReason)
		if err != nil {
			return r, false, wrap("create referral request", err)
		}
		options.DestinationReason = string(sealed)
		if body, err = marshal(options); err != nil {
			return r, false, wrap("create referral request", err)
		}
	}
	promised, err := json.Marshal([]onward.Ref{{ID: id}})
	if err != nil {
		return r, false, wrap("create referral request", err)
	}
	err = tx.get(ctx, &row, `WITH request AS (
			INSERT INTO referral_requests (id, organisation_id, returnee_id, requested_by, idempotency_key, body_hash, options)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (requested_by, idempotency_key) DO NOTHING RETURNING `+requestColumns+`),
		promised AS (INSERT INTO outbox (kind, payload) SELECT $8, $9 FROM request)
		SELECT * FROM request`,
		id, tx.Actor.OrganisationID, returnee, tx.Actor.UserID, hexOrNil(keyHash), hash, string(body), string(onward.WorkMatchRequest), string(promised))
	if errors.Is(err, sql.ErrNoRows) {
		return tx.repeatedRequest(ctx, hexOrNil(keyHash), hash)
	} else if err != nil {
		return r, false, wrap("create referral request", err)
	}
	r, err = tx.whole(ctx, row)
	return r, false, err
}

func hexOrNil(b []byte) *string {
	if b == nil {
		return nil
	}
	text := hex.EncodeToString(b)
	return &text
}

func (tx *Tx) repeatedRequest(ctx context.Context, key *string, hash []byte) (onward.ReferralRequest, bool, error) {
	var same bool
	err := tx.get(ctx, &same, `SELECT body_hash = $3 FROM referral_requests WHERE requested_by = $1 AND idempotency_key = $2`, tx.Actor.UserID, key, hash)
	if err != nil {
		return onward.ReferralRequest{}, false, wrap("read earlier request", err)
	}
	if !same {
		return onward.ReferralRequest{}, false, onward.Errorf(onward.EConflict, "this Idempotency-Key was used for another request; use a new one")
	}
	var row requestRow
	if err := tx.get(ctx, &row, `SELECT `+requestColumns+` FROM referral_requests WHERE requested_by = $1 AND idempotency_key = $2`, tx.Actor.UserID, key); err != nil {
		return onward.ReferralRequest{}, false, wrap("read earlier request", err)
	}
	r, err := tx.whole(ctx, row)
	return r, true, err
}

// ReferralRequest reads one, with its list when it is ready. ENotFound if the actor may not see it.
func (tx *Tx) ReferralRequest(ctx context.Context, id onward.ID) (onward.ReferralRequest, error) {
	row, err := tx.requestRow(ctx, id)
	if err != nil {
		return onward.ReferralRequest{}, err
	}
	return tx.whole(ctx, row)
}

// StoredRequest reads one as ReferralRequest does, and leaves its list in JSON, as it was saved and as it is sent.
func (tx *Tx) StoredRequest(ctx context.Context, id onward.ID) (onward.ReferralRequest, json.RawMessage, error) {
	row, err := tx.requestRow(ctx, id)
	if err != nil {
		return onward.ReferralRequest{}, nil, err
	}
	return tx.stored(ctx, row)
}

func (tx *Tx) requestRow(ctx context.Context, id onward.ID) (requestRow, error) {
	var row requestRow
	err := tx.get(ctx, &row, `SELECT `+requestColumns+` FROM referral_requests WHERE id = $1`, id)
	return row, wrap("read referral request", notFound(err, "no referral request of yours has this id"))
}

// ReferralRequests lists the requests for one returnee, newest first, without their lists.
func (tx *Tx) ReferralRequests(ctx context.Context, returnee onward.ID, cursor Cursor) (Page[onward.ReferralRequest], error) {
	var page Page[onward.ReferralRequest]
	if _, err := tx.Returnee(ctx, returnee); err != nil {
		return page, err
	}
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	var rows []requestRow
	err = tx.selectAll(ctx, &rows, `SELECT id, organisation_id, returnee_id, requested_by, status, options, refusal, NULL AS list, created_at, ready_at
		FROM referral_requests WHERE returnee_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, returnee, after, limit+1)
	if err != nil {
		return page, wrap("list referral requests", err)
	}
	list, err := tx.requests(ctx, rows)
	if err != nil {
		return page, err
	}
	return pageOf(list, limit, func(r onward.ReferralRequest) onward.ID { return r.ID }), nil
}

// MatchInput is what a worker needs to answer a request. The returnee comes without identity.
type MatchInput struct {
	Request  onward.ReferralRequest
	Returnee onward.Returnee
}

// MatchInput loads a request and its returnee for scoring.
func (s *Store) MatchInput(ctx context.Context, id onward.ID) (MatchInput, error) {
	var in MatchInput
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var row struct {
			requestRow
			Profile        []byte `db:"profile"`
			ProfileVersion int64  `db:"profile_version"`
		}
		err := tx.get(ctx, &row, `SELECT q.id, q.organisation_id, q.returnee_id, q.requested_by, q.status, q.options, q.refusal,
				NULL AS list, q.created_at, q.ready_at, r.details AS profile, r.version AS profile_version
			FROM referral_requests q JOIN returnees r ON r.id = q.returnee_id WHERE q.id = $1`, id)
		if err != nil {
			return notFound(err, "no referral request has this id")
		}
		if in.Request, err = row.request(); err != nil {
			return err
		}
		in.Returnee = onward.Returnee{ID: row.ReturneeID, OrganisationID: row.OrganisationID, Version: row.ProfileVersion}
		return json.Unmarshal(row.Profile, &in.Returnee.ReturneeDetails)
	})
	return in, wrap("load match input", err)
}

// MatchAnswer ends a request: with a list, or with a refusal.
type MatchAnswer struct {
	Request onward.ID
	// ReturneeVersion is the profile that was scored.
	ReturneeVersion int64
	List            *onward.RankedList
	Inputs          MatchInputs
	Refusal         string
}

// MatchInputs is what replaying a list needs besides the versions in it.
type MatchInputs struct {
	Today   onward.Date            `json:"today"`
	Profile onward.ReturneeDetails `json:"profile"`
	// Scored names the versions of all opportunities that were scored exactly.
	Scored []onward.Ref `json:"scored"`
	// Replies are the shares of referrals answered in time that were counted with.
	Replies map[onward.ID]float64 `json:"replies,omitempty"`
	// Organisations are those whose opportunities were scored, as they were then.
	Organisations map[onward.ID]ScoredOrganisation `json:"organisations,omitempty"`
}

// ScoredOrganisation is what a list takes from an organisation.
type ScoredOrganisation struct {
	Name    string `json:"name"`
	Country string `json:"country,omitempty"` // where it counts: for opportunities without a place
}

// ErrProfileChanged says that the profile was changed while it was scored: score it again.
var ErrProfileChanged = errors.New("the profile changed meanwhile")

// AnswerRequest saves the answer and fulfils the promise in one transaction. A request is answered once: if it has an
// answer already, nothing changes and the promise still ends.
func (s *Store) AnswerRequest(ctx context.Context, answer MatchAnswer, work int64) error {
	status := onward.RequestRefused
	var list, inputs []byte
	if answer.List != nil {
		status = onward.RequestReady
		var err error
		if list, err = s.packer.pack(answer.List); err != nil {
			return fmt.Errorf("answer request: %w", err)
		}
		if inputs, err = s.packer.pack(answer.Inputs); err != nil {
			return fmt.Errorf("answer request: %w", err)
		}
	}
	var only *onward.ID
	if answer.List != nil {
		if id, ok := answer.List.OnlyGoodFit(); ok {
			only = &id
		}
	}
	unlocks, err := unlockRows(answer.List)
	if err != nil {
		return fmt.Errorf("answer request: %w", err)
	}
	openings, scores := scoresOf(answer.List)
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		// One statement. The row of the returnee is locked against a change of the profile, a consent above all, until this
		// commits. The promise ends when the request is answered now, or has its answer already.
		var scored int64
		err := tx.get(ctx, &scored, `WITH profile AS (
				SELECT r.version FROM returnees r JOIN referral_requests q ON q.returnee_id = r.id
				WHERE q.id = $1 AND q.status = 'queued' FOR SHARE OF r),
			answered AS (
				UPDATE referral_requests SET status = $2, list = $3, inputs = $4, refusal = $5, ready_at = now(), listed = $10::uuid[], scores = $11
				WHERE id = $1 AND status = 'queued' AND (SELECT version FROM profile) = $6
				RETURNING id, organisation_id, returnee_id),
			forgotten AS (
				DELETE FROM unlocks u USING answered a WHERE u.returnee_id = a.returnee_id AND u.request_id <> a.id),
			unlocked AS (
				INSERT INTO unlocks (request_id, position, organisation_id, returnee_id, kind, what, label, opens, weight)
				SELECT a.id, u.position, a.organisation_id, a.returnee_id, u.kind, ARRAY(SELECT jsonb_array_elements_text(u.what)), u.label, u.opens, u.weight
				FROM answered a, jsonb_to_recordset($8) u(position integer, kind text, what jsonb, label text, opens integer, weight double precision)),
			fit AS (
				INSERT INTO only_good_fits AS f (returnee_id, organisation_id, request_id, opportunity_id)
				SELECT a.returnee_id, a.organisation_id, a.id, $9::uuid FROM answered a WHERE $9::uuid IS NOT NULL
				ON CONFLICT (returnee_id) DO UPDATE SET request_id = excluded.request_id, opportunity_id = excluded.opportunity_id),
			other_fit AS (
				DELETE FROM only_good_fits f USING answered a WHERE f.returnee_id = a.returnee_id AND $9::uuid IS NULL),
			finished AS (
				DELETE FROM outbox WHERE id = $7 AND coalesce((SELECT version FROM profile), $6) = $6)
			SELECT coalesce((SELECT version FROM profile), $6)`,
			answer.Request, string(status), list, inputs, answer.Refusal, answer.ReturneeVersion, work, unlocks, only, pq.Array(openings), pq.Array(scores))
		if err == nil && scored != answer.ReturneeVersion {
			return ErrProfileChanged
		}
		return err
	})
	return wrap("answer request", err)
}
