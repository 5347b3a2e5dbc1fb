package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"github.com/lib/pq"

	"onward"
)

const (
	// mostWebhooks of one organisation.
	mostWebhooks = 20
	// secretOverlap is how long the old secret signs beside the new one after a rotation.
	secretOverlap = 24 * time.Hour
)

type webhookRow struct {
	ID          onward.ID      `db:"id"`
	Version     int64          `db:"version"`
	URL         string         `db:"url"`
	Kinds       pq.StringArray `db:"kinds"`
	DisabledAt  *time.Time     `db:"disabled_at"`
	DisabledFor string         `db:"disabled_for"`
	CreatedAt   time.Time      `db:"created_at"`
}

const webhookColumns = `id, version, url, kinds, disabled_at, disabled_for, created_at`

func (r webhookRow) webhook() onward.Webhook {
	w := onward.Webhook{ID: r.ID, Version: r.Version, WebhookDetails: onward.WebhookDetails{URL: r.URL}, DisabledAt: r.DisabledAt, DisabledFor: r.DisabledFor, CreatedAt: r.CreatedAt}
	for _, k := range r.Kinds {
		w.Kinds = append(w.Kinds, onward.EventKind(k))
	}
	return w
}

func kindsArray(kinds []onward.EventKind) any {
	texts := make([]string, len(kinds))
	for i, k := range kinds {
		texts[i] = string(k)
	}
	return pq.Array(texts)
}

// asAdministrator runs fn as the system for an administrator, who may write secrets but never read them. organisation is theirs.
func (s *Store) asAdministrator(ctx context.Context, actor onward.Actor, fn func(tx *Tx, organisation onward.ID) error) error {
	if actor.Role != onward.RoleAdministrator {
		return onward.Errorf(onward.EForbidden, "only administrators manage webhooks")
	}
	return s.InTx(ctx, onward.System(), func(tx *Tx) error { return fn(tx, actor.OrganisationID) })
}

func errNoWebhook() error { return onward.Errorf(onward.ENotFound, "no webhook of yours has this id") }

// CreateWebhook adds an endpoint. Its secret is in the answer, this once.
func (s *Store) CreateWebhook(ctx context.Context, actor onward.Actor, d onward.WebhookDetails) (w onward.Webhook, err error) {
	if err := d.Validate(s.privateWebhooks); err != nil {
		return w, err
	}
	err = s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		var n int
		if err := tx.get(ctx, &n, `SELECT count(*) FROM webhooks WHERE organisation_id = $1`, organisation); err != nil {
			return wrap("create webhook", err)
		}
		if n >= mostWebhooks {
			return onward.Errorf(onward.EConflict, "your organisation has %d webhooks, as many as it may; delete one first", n)
		}
		var row webhookRow
		if err := tx.get(ctx, &row, `INSERT INTO webhooks (id, organisation_id, url, kinds, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING `+webhookColumns,
			onward.NewID(), organisation, d.URL, kindsArray(d.Kinds), tx.now); err != nil {
			return wrap("create webhook", err)
		}
		w = row.webhook()
		w.Secret, err = tx.newSecret(ctx, w.ID)
		return err
	})
	return w, err
}

func (tx *Tx) newSecret(ctx context.Context, webhook onward.ID) (string, error) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
	secret := "whsec_" + base64.StdEncoding.EncodeToString(random[:])
	wrapped, err := tx.store.vault.Wrap([]byte(secret), webhookSecretName(webhook))
	if err != nil {
		return "", err
	}
	_, err = tx.exec(ctx, `INSERT INTO webhook_secrets (webhook_id, wrapped, key_id, created_at) VALUES ($1, $2, $3, $4)`, webhook, wrapped, tx.store.vault.Primary(), tx.now)
	return secret, wrap("make secret", err)
}

// webhookSecretName names the secrets of an endpoint to the vault.
func webhookSecretName(webhook onward.ID) string { return "webhook_secrets " + webhook.String() }

// RotateWebhook gives an endpoint a new secret, in the answer this once. The old one signs beside it for a day.
func (s *Store) RotateWebhook(ctx context.Context, actor onward.Actor, id onward.ID) (w onward.Webhook, err error) {
	err = s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		if w, err = tx.webhook(ctx, organisation, id); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE webhook_secrets SET valid_until = $2 WHERE webhook_id = $1 AND valid_until IS NULL`, id, tx.now.Add(secretOverlap)); err != nil {
			return wrap("rotate secret", err)
		}
		w.Secret, err = tx.newSecret(ctx, id)
		return err
	})
	return w, err
}

func (tx *Tx) webhook(ctx context.Context, organisation, id onward.ID) (onward.Webhook, error) {
	var row webhookRow
	err := tx.get(ctx, &row, `SELECT `+webhookColumns+` FROM webhooks WHERE id = $1 AND organisation_id = $2 FOR UPDATE`, id, organisation)
	if errors.Is(err, sql.ErrNoRows) {
		return onward.Webhook{}, errNoWebhook()
	}
	return row.webhook(), wrap("read webhook", err)
}

// UpdateWebhook replaces an endpoint and switches it on again.
func (s *Store) UpdateWebhook(ctx context.Context, actor onward.Actor, id onward.ID, version int64, d onward.WebhookDetails) (w onward.Webhook, err error) {
	if err := d.Validate(s.privateWebhooks); err != nil {
		return w, err
	}
	err = s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		current, err := tx.webhook(ctx, organisation, id)
		if err != nil {
			return err
		}
		if current.Version != version {
			return errStale(current)
		}
		var row webhookRow
		err = tx.get(ctx, &row, `UPDATE webhooks SET url = $2, kinds = $3, disabled_at = NULL, disabled_for = '', failing_since = NULL, failures = 0, resting_until = NULL, version = version + 1 WHERE id = $1 RETURNING `+webhookColumns, id, d.URL, kindsArray(d.Kinds))
		w = row.webhook()
		return wrap("update webhook", err)
	})
	return w, err
}

// DeleteWebhook removes an endpoint with its history.
func (s *Store) DeleteWebhook(ctx context.Context, actor onward.Actor, id onward.ID) error {
	return s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		n, err := tx.exec(ctx, `DELETE FROM webhooks WHERE id = $1 AND organisation_id = $2`, id, organisation)
		if err == nil && n == 0 {
			return errNoWebhook()
		}
		return wrap("delete webhook", err)
	})
}

// Webhooks lists the endpoints of the administrator's organisation, without their secrets.
func (s *Store) Webhooks(ctx context.Context, actor onward.Actor) (list []onward.Webhook, err error) {
	err = s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		var rows []webhookRow
		if err := tx.selectAll(ctx, &rows, `SELECT `+webhookColumns+` FROM webhooks WHERE organisation_id = $1 ORDER BY id`, organisation); err != nil {
			return wrap("list webhooks", err)
		}
		list = make([]onward.Webhook, len(rows))
		for i, r := range rows {
			list[i] = r.webhook()
		}
		return nil
	})
	return list, err
}

// TestWebhook sends a test event to one endpoint.
func (s *Store) TestWebhook(ctx context.Context, actor onward.Actor, id onward.ID) (d onward.Delivery, err error) {
	err = s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		w, err := tx.webhook(ctx, organisation, id)
		if err != nil {
			return err
		}
		event := onward.Event{ID: onward.NewID(), Kind: onward.EventTest, OrganisationID: organisation, Role: onward.RoleAdministrator, SubjectID: id}
		if _, err := tx.exec(ctx, `INSERT INTO events (id, kind, organisation_id, role, subject_id, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			event.ID, string(event.Kind), organisation, string(event.Role), id, tx.now); err != nil {
			return wrap("test webhook", err)
		}
		delivery := onward.NewID()
		if _, err := tx.exec(ctx, `INSERT INTO deliveries (id, event_id, organisation_id, channel, webhook_id, next_try_at, created_at) VALUES ($1, $2, $3, 'webhook', $4, $5, $5)`,
			delivery, event.ID, organisation, w.ID, tx.now); err != nil {
			return wrap("test webhook", err)
		}
		d, err = tx.delivery(ctx, organisation, delivery)
		return err
	})
	return d, err
}

const deliveryColumns = `d.id, d.event_id, e.kind, d.channel, d.webhook_id, d.user_id, d.status, d.attempts, d.next_try_at, d.last_code, d.last_error, d.created_at, d.sent_at`

type deliveryRow struct {
	ID        onward.ID             `db:"id"`
	EventID   onward.ID             `db:"event_id"`
	Kind      onward.EventKind      `db:"kind"`
	Channel   onward.Channel        `db:"channel"`
	WebhookID onward.ID             `db:"webhook_id"`
	UserID    onward.ID             `db:"user_id"`
	Status    onward.DeliveryStatus `db:"status"`
	Attempts  int                   `db:"attempts"`
	NextTryAt *time.Time            `db:"next_try_at"`
	LastCode  int                   `db:"last_code"`
	LastError string                `db:"last_error"`
	CreatedAt time.Time             `db:"created_at"`
	SentAt    *time.Time            `db:"sent_at"`
}

func (tx *Tx) delivery(ctx context.Context, organisation, id onward.ID) (onward.Delivery, error) {
	var row deliveryRow
	err := tx.get(ctx, &row, `SELECT `+deliveryColumns+` FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.id = $1 AND d.organisation_id = $2`, id, organisation)
	if errors.Is(err, sql.ErrNoRows) {
		return onward.Delivery{}, onward.Errorf(onward.ENotFound, "no delivery of yours has this id")
	}
	return onward.Delivery(row), wrap("read delivery", err)
}

// DeliveryFilter narrows a list. Zero fields do not filter.
type DeliveryFilter struct {
	WebhookID onward.ID
	Status    onward.DeliveryStatus
}

// Deliveries lists what was sent to the administrator's organisation, and how that went, the latest first.
func (s *Store) Deliveries(ctx context.Context, actor onward.Actor, f DeliveryFilter, cursor Cursor) (page Page[onward.Delivery], err error) {
	after, limit, err := cursor.position()
	if err != nil {
		return page, err
	}
	err = s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		var rows []deliveryRow
		if err := tx.selectAll(ctx, &rows, `SELECT `+deliveryColumns+` FROM deliveries d JOIN events e ON e.id = d.event_id
			WHERE d.id < $1 AND d.organisation_id = $2 AND ($3::uuid IS NULL OR d.webhook_id = $3) AND ($4::text = '' OR d.status = $4) ORDER BY d.id DESC LIMIT $5`,
			after, organisation, f.WebhookID, string(f.Status), limit+1); err != nil {
			return wrap("list deliveries", err)
		}
		list := make([]onward.Delivery, len(rows))
		for i, r := range rows {
			list[i] = onward.Delivery(r)
		}
		page = pageOf(list, limit, func(d onward.Delivery) onward.ID { return d.ID })
		return nil
	})
	return page, err
}

// ReplayDelivery queues one delivery again, whatever became of it. Receivers know it by the same webhook-id.
func (s *Store) ReplayDelivery(ctx context.Context, actor onward.Actor, id onward.ID) (d onward.Delivery, err error) {
	err = s.asAdministrator(ctx, actor, func(tx *Tx, organisation onward.ID) error {
		if _, err := tx.exec(ctx, `UPDATE deliveries SET status = 'queued', attempts = 0, next_try_at = $3, claimed_at = NULL WHERE id = $1 AND organisation_id = $2`, id, organisation, tx.now); err != nil {
			return wrap("replay delivery", err)
		}
		d, err = tx.delivery(ctx, organisation, id)
		return err
	})
	return d, err
}
