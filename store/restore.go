package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"onward"
	"onward/store/vault"
)

// KeyOpens says whether these keys open the wrapped key of a person.
func KeyOpens(v *vault.Vault, person onward.ID, wrapped []byte) error {
	_, err := v.OpenKey(wrapped, personKey(person))
	return err
}

// OpenOwn opens each of Onward's own keys, each secret of a webhook and each second factor in a database that was restored. EUnavailable when these are not its keys.
func (k *Keeper) OpenOwn(ctx context.Context) error {
	var rows []struct {
		Name   string `db:"name"`
		Secret []byte `db:"secret"`
	}
	if err := k.db.SelectContext(ctx, &rows, `SELECT 'own_keys ' || name AS name, secret FROM own_keys UNION ALL SELECT 'second_factors ' || id, secret FROM second_factors`); err != nil {
		return wrap("read keys", err)
	}
	for _, row := range rows { // named as ownKeyName and factorName do
		if _, err := k.vault.Unwrap(row.Secret, row.Name); err != nil {
			return err
		}
	}
	var hooks []struct {
		WebhookID onward.ID `db:"webhook_id"`
		Wrapped   []byte    `db:"wrapped"`
	}
	if err := k.db.SelectContext(ctx, &hooks, `SELECT webhook_id, wrapped FROM webhook_secrets WHERE wrapped IS NOT NULL`); err != nil {
		return wrap("read keys", err)
	}
	for _, row := range hooks {
		if _, err := k.vault.Unwrap(row.Wrapped, webhookSecretName(row.WebhookID)); err != nil {
			return err
		}
	}
	return nil
}

// RebuildTokens opens every identity and makes the tokens anew by which people are found: backups hold none. It says how many people
// there are. EUnavailable when one does not open by these keys.
func (k *Keeper) RebuildTokens(ctx context.Context) (people int, err error) {
	var after onward.ID
	for {
		n, err := k.inTx(ctx, func(ctx context.Context, tx *sqlx.Tx) (int, error) { return k.tokensAfter(ctx, tx, &after) })
		people += n
		if err != nil || n == 0 {
			return people, wrap("open identities", err)
		}
	}
}

func (k *Keeper) tokensAfter(ctx context.Context, tx *sqlx.Tx, after *onward.ID) (int, error) {
	var rows []struct {
		ID             onward.ID `db:"returnee_id"`
		OrganisationID onward.ID `db:"organisation_id"`
		Identity       []byte    `db:"identity"`
		Key            []byte    `db:"key"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT returnee_id, organisation_id, identity, key FROM returnee_identities WHERE key IS NOT NULL AND returnee_id > $1
		ORDER BY returnee_id LIMIT $2`, nonNull(*after), sealBatch); err != nil || len(rows) == 0 {
		return 0, err
	}
	blind, err := k.blindKey(ctx, tx)
	if err != nil {
		return 0, err
	}
	var tokens []identityToken
	s := &Store{vault: k.vault}
	for _, row := range rows {
		var opened struct {
			onward.Identity
			BirthDate  onward.Date `json:"birth_date"`
			ExternalID string      `json:"external_id"`
		}
		if err := s.openIdentity(row.ID, row.Identity, row.Key, &opened); err != nil {
			return 0, err
		}
		tokens = append(tokens, tokensOf(blind, row.ID, row.OrganisationID, onward.ReturneeDetails{Identity: opened.Identity, BirthDate: opened.BirthDate, ExternalID: opened.ExternalID})...)
	}
	if err := addTokens(ctx, tx, tokens); err != nil {
		return 0, err
	}
	*after = rows[len(rows)-1].ID
	return len(rows), nil
}

// NoteRestore writes into each chain of the audit that the database is a copy of an earlier time, and which.
func (k *Keeper) NoteRestore(ctx context.Context, madeAt time.Time, checksum string) error {
	_, err := k.inTx(ctx, func(ctx context.Context, tx *sqlx.Tx) (int, error) {
		_, err := tx.ExecContext(ctx, `SELECT set_config('onward.role', 'system', true), set_config('onward.why', $1, true)`,
			"restored from the backup of "+madeAt.UTC().Format(time.RFC3339))
		if err == nil {
			_, err = tx.ExecContext(ctx, `SELECT audit_add(organisation_id, jsonb_build_object('action', 'restore', 'resource', 'database', 'after', $1::text), '{}')
				FROM audit_heads ORDER BY organisation_id`, checksum)
		}
		return 1, err
	})
	return wrap("note the restore", err)
}

// DropNotices gives up the notices that were promised before a time and not sent by then: they were sent after the backup, as a rule.
func (k *Keeper) DropNotices(ctx context.Context, before time.Time) (int, error) {
	n, err := k.inTx(ctx, func(ctx context.Context, tx *sqlx.Tx) (total int, err error) {
		for _, query := range []string{
			`UPDATE deliveries SET status = 'failed', next_try_at = NULL, claimed_at = NULL, last_error = 'not sent: older than the restore allows' WHERE status = 'queued' AND created_at < $1`,
			`DELETE FROM outbox WHERE kind = '` + string(onward.WorkTell) + `' AND created_at < $1`,
		} {
			result, err := tx.ExecContext(ctx, query, before)
			if err != nil {
				return 0, err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return 0, err
			}
			total += int(n)
		}
		return total, nil
	})
	if err != nil {
		return 0, wrap("drop notices", err)
	}
	return n, nil
}
