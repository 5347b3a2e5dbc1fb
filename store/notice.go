package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/lib/pq"

	"onward"
)

const (
	// tellBatch is how many deliveries are claimed at once.
	tellBatch = 24
	// atOnceOfWebhook is how many deliveries of one endpoint are under way at once; of one that failed last, it is one.
	atOnceOfWebhook = 2
	// claimFor is how long a claimed delivery may take: then whoever claimed it is taken for dead, and it is sent again.
	claimFor = 2 * time.Minute
)

// FanOut makes a delivery of each event for each endpoint and user who is to hear of it in one of the channels, and finishes the
// work. Doing it again adds nothing.
func (s *Store) FanOut(ctx context.Context, events []onward.ID, channels []onward.Channel, work int64) error {
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		if _, err := tx.exec(ctx, `INSERT INTO deliveries (id, event_id, organisation_id, channel, webhook_id, next_try_at, created_at)
			SELECT new_id(), e.id, e.organisation_id, 'webhook', w.id, $2, $2 FROM events e JOIN webhooks w ON w.organisation_id = e.organisation_id JOIN organisations o ON o.id = e.organisation_id AND o.suspended_at IS NULL
			WHERE e.id = ANY($1::uuid[]) AND w.disabled_at IS NULL AND (w.kinds = '{}' OR e.kind = ANY(w.kinds)) ON CONFLICT DO NOTHING`, pq.Array(events), tx.now); err != nil {
			return err
		}
		// The user who is meant, or everyone in the role; where no one has it, those who run the organisation.
		for channel, wants := range map[onward.Channel]string{
			onward.ChannelEmail: `(e.kind LIKE 'account.%' OR NOT e.kind = ANY(coalesce(p.off, '{}')))`, onward.ChannelSMS: `p.phone <> '' AND e.kind = ANY(p.sms)`,
		} {
			if !slices.Contains(channels, channel) {
				continue
			}
			if _, err := tx.exec(ctx, `INSERT INTO deliveries (id, event_id, organisation_id, channel, user_id, next_try_at, created_at)
				SELECT new_id(), e.id, e.organisation_id, $3, u.id, $2, $2 FROM events e
				JOIN organisations o ON o.id = e.organisation_id AND o.suspended_at IS NULL
				JOIN users u ON u.organisation_id = e.organisation_id AND u.suspended_at IS NULL AND (u.id = e.user_id OR (e.user_id IS NULL AND (u.role = e.role OR (u.role IN ('supervisor', 'administrator')
					AND NOT EXISTS (SELECT FROM users x WHERE x.organisation_id = e.organisation_id AND x.role = e.role AND x.suspended_at IS NULL)))))
				LEFT JOIN notice_preferences p ON p.user_id = u.id
				WHERE e.id = ANY($1::uuid[]) AND e.kind <> 'test' AND `+wants+` ON CONFLICT DO NOTHING`, pq.Array(events), tx.now, string(channel)); err != nil {
				return err
			}
		}
		return tx.finishWork(ctx, work)
	})
	return wrap("fan out events", err)
}

// Outgoing is a delivery with all that sending it needs.
type Outgoing struct {
	ID       onward.ID
	Channel  onward.Channel
	Event    onward.Event
	Attempts int // with this one
	URL      string
	Secrets  []string // the present one first
	Email    string
	Phone    string
	Language string
}

// ClaimDeliveries takes deliveries that are due. Whoever takes one has two minutes; then another may.
func (s *Store) ClaimDeliveries(ctx context.Context) ([]Outgoing, error) {
	var rows []struct {
		ID       onward.ID      `db:"id"`
		Channel  onward.Channel `db:"channel"`
		Attempts int            `db:"attempts"`
		URL      string         `db:"url"`
		Webhook  onward.ID      `db:"webhook_id"`
		Secrets  pq.ByteaArray  `db:"secrets"`
		Email    string         `db:"email"`
		Phone    string         `db:"phone"`
		Language string         `db:"language"`
		eventRow `db:"event"`
	}
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		rows = nil
		// Of each endpoint few at a time, and none while it rests: one that hangs must not keep the others waiting.
		return tx.selectAll(ctx, &rows, `WITH due AS (
				SELECT id FROM deliveries WHERE status = 'queued' AND next_try_at <= $1 AND webhook_id IS NULL
					AND NOT EXISTS (SELECT FROM organisations o WHERE o.id = deliveries.organisation_id AND o.suspended_at IS NOT NULL)
				ORDER BY next_try_at LIMIT $2 FOR UPDATE SKIP LOCKED),
			hooks AS (
				SELECT w.id, CASE WHEN w.failures > 0 THEN 1 ELSE $4 END - (SELECT count(*) FROM deliveries d WHERE d.webhook_id = w.id AND d.claimed_at > $1 - make_interval(secs => $5)) AS room
				FROM webhooks w JOIN organisations o ON o.id = w.organisation_id
				WHERE w.disabled_at IS NULL AND o.suspended_at IS NULL AND (w.resting_until IS NULL OR w.resting_until <= $1)
					AND EXISTS (SELECT FROM deliveries d WHERE d.webhook_id = w.id AND d.status = 'queued' AND d.next_try_at <= $1)),
			hooked AS (
				SELECT x.id FROM hooks h CROSS JOIN LATERAL (SELECT d.id FROM deliveries d WHERE d.webhook_id = h.id AND d.status = 'queued' AND d.next_try_at <= $1
					ORDER BY d.next_try_at LIMIT greatest(h.room, 0)) x),
			locked AS (
				SELECT id FROM deliveries WHERE id IN (SELECT id FROM hooked) AND status = 'queued' AND next_try_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED),
			claimed AS (
				UPDATE deliveries d SET attempts = attempts + 1, next_try_at = $3, claimed_at = $1 FROM (SELECT id FROM due UNION ALL SELECT id FROM locked) due WHERE d.id = due.id RETURNING d.*)
			SELECT c.id, c.channel, c.attempts, c.webhook_id, coalesce(w.url, '') AS url, coalesce(u.email, '') AS email, coalesce(p.phone, '') AS phone, coalesce(u.language, 'en') AS language,
				ARRAY(SELECT s.wrapped FROM webhook_secrets s WHERE s.webhook_id = c.webhook_id AND (s.valid_until IS NULL OR s.valid_until > $1) ORDER BY s.created_at DESC) AS secrets,
				e.id AS "event.id", e.kind AS "event.kind", e.organisation_id AS "event.organisation_id", e.user_id AS "event.user_id", e.role AS "event.role",
				e.subject_id AS "event.subject_id", e.status AS "event.status", e.at AS "event.at"
			FROM claimed c JOIN events e ON e.id = c.event_id LEFT JOIN webhooks w ON w.id = c.webhook_id LEFT JOIN users u ON u.id = c.user_id
			LEFT JOIN notice_preferences p ON p.user_id = c.user_id`, tx.now, tellBatch, tx.now.Add(claimFor), atOnceOfWebhook, claimFor.Seconds())
	})
	list := make([]Outgoing, len(rows))
	for i, r := range rows {
		list[i] = Outgoing{
			ID: r.ID, Channel: r.Channel, Event: onward.Event(r.eventRow), Attempts: r.Attempts, URL: r.URL, Email: r.Email, Phone: r.Phone, Language: r.Language,
		}
		for _, wrapped := range r.Secrets {
			// One that does not open is left out: the sender says that the endpoint has no secret, and the others are sent.
			if secret, err := s.vault.Unwrap(wrapped, webhookSecretName(r.Webhook)); err == nil {
				list[i].Secrets = append(list[i].Secrets, string(secret))
			}
		}
	}
	return list, wrap("claim deliveries", err)
}

// Delivered notes that one was sent.
func (s *Store) Delivered(ctx context.Context, id onward.ID, code int) error {
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		if _, err := tx.exec(ctx, `UPDATE deliveries SET status = 'sent', sent_at = $2, next_try_at = NULL, claimed_at = NULL, last_code = $3, last_error = '' WHERE id = $1`, id, tx.now, code); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `UPDATE webhooks w SET failing_since = NULL, failures = 0, resting_until = NULL FROM deliveries d WHERE d.id = $1 AND w.id = d.webhook_id AND w.failures > 0`, id)
		return err
	})
	return wrap("note delivery", err)
}

// NotDelivered notes that a try failed: it is tried again later, or given up after the last or when it is final. An endpoint rests after a
// failure; one without a success in three days, or that is gone, is switched off, and the administrators are told. why is in words of
// Onward: never what a server said.
func (s *Store) NotDelivered(ctx context.Context, o Outgoing, code int, why string, final bool) error {
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		status, next := "failed", (*time.Time)(nil)
		if pause, ok := onward.RetryAfter(o.Attempts); ok && !final {
			at := tx.now.Add(pause)
			status, next = "queued", &at
		}
		// A delivery that was replayed or taken by another in the meantime is theirs.
		n, err := tx.exec(ctx, `UPDATE deliveries SET status = $2, next_try_at = $3, claimed_at = NULL, last_code = $4, last_error = $5 WHERE id = $1 AND status = 'queued' AND attempts = $6`,
			o.ID, status, next, code, why, o.Attempts)
		if err != nil || n == 0 || o.Channel != onward.ChannelWebhook {
			return err
		}
		var w struct {
			ID       onward.ID `db:"id"`
			Failures int       `db:"failures"`
			Since    time.Time `db:"failing_since"`
		}
		err = tx.get(ctx, &w, `UPDATE webhooks w SET failures = w.failures + 1, failing_since = coalesce(w.failing_since, $2) FROM deliveries d
			WHERE d.id = $1 AND w.id = d.webhook_id AND w.disabled_at IS NULL RETURNING w.id, w.failures, w.failing_since`, o.ID, tx.now)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		if !final && tx.now.Sub(w.Since) < onward.WebhookPatience {
			_, err := tx.exec(ctx, `UPDATE webhooks SET resting_until = $2 WHERE id = $1`, w.ID, tx.now.Add(onward.WebhookRest(w.Failures)))
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE webhooks SET disabled_at = $2, disabled_for = $3, version = version + 1 WHERE id = $1`, w.ID, tx.now, why); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE deliveries SET status = 'failed', next_try_at = NULL, last_error = 'the endpoint was switched off' WHERE webhook_id = $1 AND status = 'queued'`, w.ID); err != nil {
			return err
		}
		return tx.announce(ctx, onward.Event{Kind: onward.EventWebhookDisabled, OrganisationID: o.Event.OrganisationID, Role: onward.RoleAdministrator, SubjectID: w.ID})
	})
	return wrap("note failed delivery", err)
}

// NoticePreferences are the actor's own.
func (tx *Tx) NoticePreferences(ctx context.Context) (p onward.NoticePreferences, err error) {
	var row struct {
		Off   pq.StringArray `db:"off"`
		SMS   pq.StringArray `db:"sms"`
		Phone string         `db:"phone"`
	}
	err = tx.get(ctx, &row, `SELECT off, sms, phone FROM notice_preferences WHERE user_id = $1`, tx.Actor.UserID)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	for _, k := range row.Off {
		p.Off = append(p.Off, onward.EventKind(k))
	}
	for _, k := range row.SMS {
		p.SMS = append(p.SMS, onward.EventKind(k))
	}
	p.Phone = row.Phone
	return p, wrap("read preferences", err)
}

// SetNoticePreferences replaces the actor's own.
func (tx *Tx) SetNoticePreferences(ctx context.Context, p onward.NoticePreferences) (onward.NoticePreferences, error) {
	if err := p.Validate(); err != nil {
		return p, err
	}
	_, err := tx.exec(ctx, `INSERT INTO notice_preferences (user_id, off, sms, phone) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id) DO UPDATE SET off = excluded.off, sms = excluded.sms, phone = excluded.phone`, tx.Actor.UserID, kindsArray(p.Off), kindsArray(p.SMS), p.Phone)
	return p, wrap("set preferences", err)
}
