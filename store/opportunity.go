package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lib/pq"

	"onward"
)

const selectOpportunity = `SELECT o.id, o.organisation_id, g.name AS organisation, coalesce(p.country, g.country) AS country, o.version,
	o.status, o.close_reason, o.held, o.placed, o.fictional, o.published_at, o.created_at, o.updated_at, o.details
	FROM opportunities o JOIN organisations g ON g.id = o.organisation_id LEFT JOIN places p ON p.id = o.place_id `

type opportunityRow struct {
	ID             onward.ID                `db:"id"`
	OrganisationID onward.ID                `db:"organisation_id"`
	Organisation   string                   `db:"organisation"`
	Country        string                   `db:"country"`
	Version        int64                    `db:"version"`
	Status         onward.OpportunityStatus `db:"status"`
	CloseReason    onward.CloseReason       `db:"close_reason"`
	Held           int                      `db:"held"`
	Placed         int                      `db:"placed"`
	Fictional      bool                     `db:"fictional"`
	PublishedAt    *time.Time               `db:"published_at"`
	CreatedAt      time.Time                `db:"created_at"`
	UpdatedAt      time.Time                `db:"updated_at"`
	Details        []byte                   `db:"details"`
}

func (r opportunityRow) opportunity() (onward.Opportunity, error) {
	o := onward.Opportunity{
		ID: r.ID, OrganisationID: r.OrganisationID, Organisation: r.Organisation, Country: r.Country, Version: r.Version,
		Status: r.Status, CloseReason: r.CloseReason, Held: r.Held, Placed: r.Placed, Fictional: r.Fictional,
		PublishedAt: r.PublishedAt, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if err := json.Unmarshal(r.Details, &o.OpportunityDetails); err != nil {
		return o, fmt.Errorf("read opportunity %s: %w", r.ID, err)
	}
	return o, nil
}

func opportunitiesOf(rows []opportunityRow) ([]onward.Opportunity, error) {
	list := make([]onward.Opportunity, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = row.opportunity(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// NewOpportunity is an opportunity to be created.
type NewOpportunity struct {
	// OrganisationID may differ from the actor's for the system only. Zero: the actor's.
	OrganisationID onward.ID
	Details        onward.OpportunityDetails
	Publish        bool
	Fictional      bool
}

// Created says what became of one row of a batch.
type Created struct {
	Ref onward.Ref
	// Duplicate: the organisation has this external id already; Ref is the one that is there and nothing was written.
	Duplicate bool
	// Err is what keeps the row from being written; other rows are not affected.
	Err error
}

// CreateOpportunity adds one opportunity as a draft, or open when it is to be published. EConflict if the organisation
// has the external id already.
func (tx *Tx) CreateOpportunity(ctx context.Context, n NewOpportunity) (onward.Opportunity, error) {
	created, err := tx.CreateOpportunities(ctx, []NewOpportunity{n})
	if err != nil {
		return onward.Opportunity{}, err
	}
	if created[0].Err != nil {
		return onward.Opportunity{}, created[0].Err
	}
	if created[0].Duplicate {
		return onward.Opportunity{}, onward.Errorf(onward.EConflict, "this external_id exists already; read or update /v1/opportunities/%s", created[0].Ref.ID)
	}
	return tx.Opportunity(ctx, created[0].Ref.ID)
}

// CreateOpportunities adds many in one statement. Each row is checked on its own: what is wrong with one is said in its
// Created and the others are written.
func (tx *Tx) CreateOpportunities(ctx context.Context, list []NewOpportunity) ([]Created, error) {
	if !tx.Actor.PostsOpportunities() {
		return nil, onward.Errorf(onward.EForbidden, "your role does not post opportunities")
	}
	now := tx.now
	created := make([]Created, len(list))
	rows := make([]newOpportunityRow, 0, len(list))
	positions := make(map[onward.ID]int, len(list))
	for i, n := range list {
		if n.OrganisationID.IsZero() {
			n.OrganisationID = tx.Actor.OrganisationID
		}
		var err error
		if n.Details, err = tx.checkOpportunity(n.Details, onward.DateOf(now), onward.OpportunityDetails{}); onward.CodeOf(err) == onward.EUnavailable {
			return nil, err
		} else if err != nil {
			created[i].Err = err
			continue
		}
		row, err := newOpportunityRowOf(n, now)
		if err != nil {
			created[i].Err = err
			continue
		}
		positions[row.ID] = i
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return created, nil
	}
	if err := tx.insertOpportunities(ctx, rows, positions, created); err != nil {
		return nil, wrap("create opportunities", err)
	}
	var refs []onward.Ref
	for _, c := range created {
		if c.Err == nil && !c.Duplicate {
			refs = append(refs, c.Ref)
		}
	}
	if len(refs) == 0 {
		return created, nil
	}
	return created, tx.promise(ctx, onward.WorkIndexOpportunity, refs...)
}

// checkOpportunity validates details and keeps an organisation from vetting itself. What is left out of the vetting stays
// as it was before.
func (tx *Tx) checkOpportunity(d onward.OpportunityDetails, today onward.Date, before onward.OpportunityDetails) (onward.OpportunityDetails, error) {
	vocabulary, err := tx.vocabulary()
	if err != nil {
		return d, err
	}
	if before.Vetting == "" {
		before.Vetting = onward.VettingUnknown
	}
	if d.Vetting == "" {
		d.Vetting, d.VettedUntil = before.Vetting, before.VettedUntil
	}
	if err := d.Validate(today, vocabulary); err != nil {
		return d, err
	}
	mayVet := tx.Actor.Role == onward.RoleSystem // others record checks, and not of their own organisation
	var fields []onward.FieldError
	if !mayVet && d.Vetting != before.Vetting {
		fields = append(fields, onward.FieldError{Field: "vetting", Rule: "role", Message: "this follows from what others checked; leave it out"})
	}
	if !mayVet && d.VettedUntil != before.VettedUntil {
		fields = append(fields, onward.FieldError{Field: "vetted_until", Rule: "role", Message: "this follows from what others checked; leave it out"})
	}
	return d, onward.Invalid(fields)
}

type newOpportunityRow struct {
	ID             onward.ID                `json:"id"`
	OrganisationID onward.ID                `json:"organisation_id"`
	ExternalID     *string                  `json:"external_id"`
	Status         onward.OpportunityStatus `json:"status"`
	Kind           onward.Kind              `json:"kind"`
	PlaceID        *onward.PlaceID          `json:"place_id"`
	Capacity       int                      `json:"capacity"`
	ClosesOn       *onward.Date             `json:"closes_on"`
	Details        json.RawMessage          `json:"details"`
	Fictional      bool                     `json:"fictional"`
	PublishedAt    *time.Time               `json:"published_at"`
}

func newOpportunityRowOf(n NewOpportunity, now time.Time) (newOpportunityRow, error) {
	if n.OrganisationID.IsZero() {
		return newOpportunityRow{}, onward.Errorf(onward.EInvalid, "name the organisation that posts the opportunity")
	}
	d := n.Details
	details, err := marshal(d)
	if err != nil {
		return newOpportunityRow{}, err
	}
	row := newOpportunityRow{
		ID: onward.NewID(), OrganisationID: n.OrganisationID, ExternalID: nilIfZero(d.ExternalID), Status: onward.OpportunityDraft,
		Kind: d.Kind, PlaceID: nilIfZero(d.PlaceID), Capacity: d.Capacity, ClosesOn: nilIfZero(d.ClosesOn), Details: details,
		Fictional: n.Fictional,
	}
	if n.Publish {
		row.Status, row.PublishedAt = onward.OpportunityOpen, &now
	}
	return row, nil
}

func (tx *Tx) insertOpportunities(ctx context.Context, rows []newOpportunityRow, positions map[onward.ID]int, created []Created) error {
	// One parameter for the whole batch: COPY is not allowed under row-level security.
	batch, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	var inserted []onward.ID
	err = tx.selectAll(ctx, &inserted, `INSERT INTO opportunities
			(id, organisation_id, external_id, status, kind, place_id, capacity, closes_on, details, fictional, published_at)
		SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, organisation_id uuid, external_id text, status text, kind text,
			place_id bigint, capacity integer, closes_on date, details jsonb, fictional boolean, published_at timestamptz)
		ON CONFLICT (organisation_id, external_id) DO NOTHING RETURNING id`, string(batch))
	if err != nil {
		return err
	}
	for _, id := range inserted {
		created[positions[id]].Ref = onward.Ref{ID: id, Version: 1}
	}
	if len(inserted) == len(rows) {
		return nil
	}
	return tx.nameDuplicates(ctx, rows, positions, created)
}

func (tx *Tx) nameDuplicates(ctx context.Context, rows []newOpportunityRow, positions map[onward.ID]int, created []Created) error {
	for _, row := range rows {
		c := &created[positions[row.ID]]
		if !c.Ref.ID.IsZero() {
			continue
		}
		c.Duplicate = true
		if err := tx.tx.QueryRowxContext(ctx, `SELECT id, version FROM opportunities WHERE organisation_id = $1 AND external_id = $2`,
			row.OrganisationID, row.ExternalID).Scan(&c.Ref.ID, &c.Ref.Version); err != nil {
			return translate(err)
		}
	}
	return nil
}

func nilIfZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Opportunity reads one. ENotFound if it does not exist or the actor may not see it.
func (tx *Tx) Opportunity(ctx context.Context, id onward.ID) (onward.Opportunity, error) {
	var row opportunityRow
	if err := tx.get(ctx, &row, selectOpportunity+`WHERE o.id = $1`, id); err != nil {
		return onward.Opportunity{}, wrap("read opportunity", notFound(err, "no opportunity has this id"))
	}
	return row.opportunity()
}

// OpportunityFilter narrows a list. Zero fields do not filter.
type OpportunityFilter struct {
	Status         onward.OpportunityStatus
	Kind           onward.Kind
	OrganisationID onward.ID
	PlaceID        onward.PlaceID
	ExternalID     string
}

// Opportunities lists what the actor may see, newest first.
func (tx *Tx) Opportunities(ctx context.Context, f OpportunityFilter, cursor Cursor) (Page[onward.Opportunity], error) {
	after, limit, err := cursor.position()
	if err != nil {
		return Page[onward.Opportunity]{}, err
	}
	seesOwnOnly := !tx.Actor.SeesAllOpportunities() || (f.Status == onward.OpportunityDraft && tx.Actor.Role != onward.RoleSystem)
	if f.OrganisationID.IsZero() && seesOwnOnly {
		f.OrganisationID = tx.Actor.OrganisationID // the policy says so too, but gives the planner no index
	}
	var rows []opportunityRow
	err = tx.selectAll(ctx, &rows, selectOpportunity+`
		WHERE o.id < $1 AND ($2::text = '' OR o.status = $2) AND ($3::text = '' OR o.kind = $3)
		  AND ($4::uuid IS NULL OR o.organisation_id = $4) AND ($5::bigint = 0 OR o.place_id = $5)
		  AND ($6::text = '' OR o.external_id = $6)
		ORDER BY o.id DESC LIMIT $7`,
		after, string(f.Status), string(f.Kind), f.OrganisationID, int64(f.PlaceID), f.ExternalID, limit+1)
	if err != nil {
		return Page[onward.Opportunity]{}, wrap("list opportunities", err)
	}
	list, err := opportunitiesOf(rows)
	return pageOf(list, limit, func(o onward.Opportunity) onward.ID { return o.ID }), err
}

// UpdateOpportunity replaces the details if the version is still the one that was read. EVersion when someone else
// changed it, ENotFound when the actor may not change it, EConflict when it is closed.
func (tx *Tx) UpdateOpportunity(ctx context.Context, id onward.ID, version int64, d onward.OpportunityDetails) (onward.Opportunity, error) {
	current, err := tx.lockOpportunity(ctx, id, version)
	if err != nil {
		return current, err
	}
	if current.Status == onward.OpportunityClosed {
		return current, onward.Errorf(onward.EConflict, "a closed opportunity can't be changed; post a new one")
	}
	if d, err = tx.checkOpportunity(d, tx.store.Today(), current.OpportunityDetails); err != nil {
		return current, err
	}
	if taken := current.Held + current.Placed; d.Capacity < taken {
		return current, onward.Invalid([]onward.FieldError{{
			Field: "capacity", Rule: "range",
			Message: fmt.Sprintf("%d places are held or taken; use at least that", taken),
		}})
	}
	details, err := marshal(d)
	if err != nil {
		return current, wrap("update opportunity", err)
	}
	_, err = tx.exec(ctx, `UPDATE opportunities SET external_id = $2, kind = $3, place_id = $4, capacity = $5, closes_on = $6, details = $7,
			version = version + 1, updated_at = now(), changed_in = pg_current_xact_id() WHERE id = $1`,
		id, nilIfZero(d.ExternalID), string(d.Kind), nilIfZero(int64(d.PlaceID)), d.Capacity, d.ClosesOn, string(details))
	if constraintOf(err) == "opportunities_organisation_id_external_id_key" {
		return current, onward.Errorf(onward.EConflict, "another opportunity of the organisation has this external_id")
	}
	if err != nil {
		return current, wrap("update opportunity", err)
	}
	if d.Capacity > current.Capacity {
		if err := tx.promise(ctx, onward.WorkOfferPlaces, onward.Ref{ID: id}); err != nil {
			return current, err
		}
	}
	return tx.reindexed(ctx, id, current.Version+1)
}

// ChangeOpportunity publishes, pauses or closes. version 0 takes whatever is there. Errors as UpdateOpportunity.
func (tx *Tx) ChangeOpportunity(ctx context.Context, id onward.ID, version int64, event onward.OpportunityEvent, reason onward.CloseReason) (onward.Opportunity, error) {
	current, err := tx.lockOpportunity(ctx, id, version)
	if err != nil {
		return current, err
	}
	next, err := current.Status.Next(event)
	if err != nil {
		return current, err
	}
	if event == onward.EventPublish && !current.ClosesOn.IsZero() && current.ClosesOn.Before(tx.store.Today()) {
		return current, onward.Errorf(onward.EConflict, "its closing date is past; change closes_on before you publish it")
	}
	if next != onward.OpportunityClosed {
		reason = ""
	} else if reason == "" {
		reason = onward.CloseWithdrawn
	} else if !slices.Contains(onward.CloseReasons(), reason) {
		return current, onward.Invalid([]onward.FieldError{{Field: "reason", Rule: "one_of", Message: fmt.Sprintf("use one of: %v", onward.CloseReasons())}})
	}
	_, err = tx.exec(ctx, `UPDATE opportunities SET status = $2, close_reason = $3, version = version + 1, updated_at = now(),
			published_at = CASE WHEN $2 = 'open' THEN coalesce(published_at, now()) ELSE published_at END,
			changed_in = pg_current_xact_id() WHERE id = $1`, id, string(next), string(reason))
	if err != nil {
		return current, wrap("change opportunity", err)
	}
	if event == onward.EventPublish {
		var stopped bool
		if err := tx.get(ctx, &stopped, `SELECT referrals_stopped($1)`, id); err != nil {
			return current, wrap("change opportunity", err)
		}
		if stopped {
			return current, onward.Errorf(onward.EConflict, "it can't be opened at present; whoever refers people to you can tell you more")
		}
	}
	follows := onward.WorkKind("")
	switch {
	case next == onward.OpportunityClosed:
		follows = onward.WorkEndReferrals
	case current.Status == onward.OpportunityPaused:
		follows = onward.WorkOfferPlaces // to who has waited since
	}
	if follows != "" {
		if err := tx.promise(ctx, follows, onward.Ref{ID: id}); err != nil {
			return current, err
		}
	}
	return tx.reindexed(ctx, id, current.Version+1)
}

// lockOpportunity reads a row that the actor is about to change and keeps others from changing it meanwhile.
func (tx *Tx) lockOpportunity(ctx context.Context, id onward.ID, version int64) (onward.Opportunity, error) {
	var current int64
	// FOR UPDATE also applies the policy for updates, so a row that may be read but not changed is not found.
	err := tx.get(ctx, &current, `SELECT version FROM opportunities WHERE id = $1 FOR UPDATE`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return onward.Opportunity{}, onward.Errorf(onward.ENotFound, "no opportunity of yours has this id")
	} else if err != nil {
		return onward.Opportunity{}, wrap("lock opportunity", err)
	}
	o, err := tx.Opportunity(ctx, id)
	if err == nil && version != 0 && version != current {
		err = onward.Errorf(onward.EVersion, "it was changed meanwhile (version %d); read it again and repeat your change", current)
	}
	return o, err
}

func (tx *Tx) reindexed(ctx context.Context, id onward.ID, version int64) (onward.Opportunity, error) {
	if err := tx.promise(ctx, onward.WorkIndexOpportunity, onward.Ref{ID: id, Version: version}); err != nil {
		return onward.Opportunity{}, err
	}
	return tx.Opportunity(ctx, id)
}

// OpportunitiesByID reads the rows that the actor may see, in no order.
func (tx *Tx) OpportunitiesByID(ctx context.Context, ids []onward.ID) ([]onward.Opportunity, error) {
	var rows []opportunityRow
	if err := tx.selectAll(ctx, &rows, selectOpportunity+`WHERE o.id = ANY($1::uuid[])`, pq.Array(ids)); err != nil {
		return nil, wrap("read opportunities", err)
	}
	return opportunitiesOf(rows)
}

// readBatch is how many rows a scan over all opportunities reads at once.
const readBatch = 2000

// EachOpen streams all open opportunities in batches, for filling an index.
func (s *Store) EachOpen(ctx context.Context, each func([]onward.Opportunity) error) error {
	return wrap("read open opportunities", s.eachBatch(ctx, selectOpportunity+`WHERE o.status = 'open' AND o.id > $1 ORDER BY o.id LIMIT $2`, each))
}

// EachOpenRef streams id and version of all open opportunities.
func (s *Store) EachOpenRef(ctx context.Context, each func(onward.Ref) error) error {
	var after onward.ID
	for {
		var refs []struct {
			ID      onward.ID `db:"id"`
			Version int64     `db:"version"`
		}
		err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
			refs = nil
			return tx.selectAll(ctx, &refs, `SELECT id, version FROM opportunities WHERE status = 'open' AND id > $1 ORDER BY id LIMIT $2`,
				nonNull(after), 10*readBatch)
		})
		if err != nil {
			return wrap("read open opportunities", err)
		}
		if len(refs) == 0 {
			return nil
		}
		for _, ref := range refs {
			if err := each(onward.Ref{ID: ref.ID, Version: ref.Version}); err != nil {
				return err
			}
		}
		after = refs[len(refs)-1].ID
	}
}

// nonNull passes the zero id as itself, not as NULL.
func nonNull(id onward.ID) string { return id.String() }

// ChangedSince streams the opportunities written by transaction watermark or later, and returns the watermark to ask
// with the next time: the oldest transaction that was still running, so that nothing that commits late is missed. The
// same row can come again. Watermark 0 only returns the present one.
func (s *Store) ChangedSince(ctx context.Context, watermark uint64, each func([]onward.Opportunity) error) (next uint64, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		return tx.get(ctx, &next, `SELECT pg_snapshot_xmin(pg_current_snapshot())::text`)
	})
	if err != nil || watermark == 0 {
		return next, wrap("read changed opportunities", err)
	}
	return next, wrap("read changed opportunities", s.eachBatch(ctx, selectOpportunity+`WHERE o.changed_in >= $3::text::xid8
		AND o.id > $1 ORDER BY o.id LIMIT $2`, each, strconv.FormatUint(watermark, 10)))
}

// eachBatch runs a query that takes the id to begin after and a limit, until nothing is left.
func (s *Store) eachBatch(ctx context.Context, query string, each func([]onward.Opportunity) error, args ...any) error {
	var after onward.ID
	for {
		var list []onward.Opportunity
		err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
			var rows []opportunityRow
			if err := tx.selectAll(ctx, &rows, query, append([]any{nonNull(after), readBatch}, args...)...); err != nil {
				return err
			}
			var err error
			list, err = opportunitiesOf(rows)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1].ID
		if err := each(list); err != nil {
			return err
		}
	}
}
