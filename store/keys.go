package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"onward"
	"onward/store/vault"
)

// sealBatch is how many records are sealed in one transaction.
const sealBatch = 500

// Keeper seals what is not sealed yet, and wraps keys anew after a rotation. It works as the owner of the schema, which requests and workers
// never do: it may read the keys of all organisations, and opens no identity that is sealed already.
type Keeper struct {
	db    *sqlx.DB
	vault *vault.Vault
}

// OpenKeeper connects as the owner of the schema. EForbidden for anybody else, who would see nothing to seal.
func OpenKeeper(ctx context.Context, url string, v *vault.Vault) (*Keeper, error) {
	db, err := sqlx.ConnectContext(ctx, "postgres", url)
	if err != nil {
		return nil, unavailable("connect to the database", err)
	}
	var held bool
	err = db.GetContext(ctx, &held, `SELECT row_security_active('returnee_identities')`)
	if err == nil && held {
		err = onward.Errorf(onward.EForbidden, "keys are wrapped by the owner of the schema; set DATABASE_OWNER_URL")
	}
	if err != nil {
		_ = db.Close()
		return nil, wrap("open database", err)
	}
	return &Keeper{db, v}, nil
}

// Close ends the connection.
func (k *Keeper) Close() error { return k.db.Close() }

// Plain is how many records are not sealed at all: they were written before there were keys.
func (k *Keeper) Plain(ctx context.Context) (n int, err error) {
	err = k.db.GetContext(ctx, &n, `SELECT (SELECT count(*) FROM own_keys WHERE key_id = 0) + (SELECT count(*) FROM webhook_secrets WHERE key_id = 0)
		+ (SELECT count(*) FROM returnee_identities WHERE key_id = 0 AND key IS NULL AND identity <> '{}')`)
	return n, wrap("count keys", err)
}

// Left is how many records are not wrapped by the primary key.
func (k *Keeper) Left(ctx context.Context) (n int, err error) {
	err = k.db.GetContext(ctx, &n, `SELECT (SELECT count(*) FROM own_keys WHERE key_id <> $1) + (SELECT count(*) FROM webhook_secrets WHERE key_id <> $1)
		+ (SELECT count(*) FROM returnee_identities WHERE key_id <> $1 AND (key IS NOT NULL OR identity <> '{}'))`, k.vault.Primary())
	return n, wrap("count keys", err)
}

// Seal seals what is not sealed yet. It may be stopped at any time and goes on from where it was, as Rewrap does. It says how many
// records it changed.
func (k *Keeper) Seal(ctx context.Context) (int, error) {
	return k.each(ctx, k.ownKeys(false), k.webhookSecrets(false), k.plainIdentities)
}

// Rewrap wraps all keys by the primary key, and seals what is not sealed yet. All processes have to have that key by then.
func (k *Keeper) Rewrap(ctx context.Context) (int, error) {
	return k.each(ctx, k.ownKeys(true), k.webhookSecrets(true), k.plainIdentities, k.wrappedIdentities)
}

// each runs batches, each in a transaction, until none is left of its kind.
func (k *Keeper) each(ctx context.Context, batches ...func(context.Context, *sqlx.Tx) (int, error)) (total int, err error) {
	for _, batch := range batches {
		for {
			n, err := k.inTx(ctx, batch)
			total += n
			if err != nil {
				return total, wrap("seal", err)
			}
			if n == 0 {
				break
			}
		}
	}
	return total, nil
}

func (k *Keeper) inTx(ctx context.Context, batch func(context.Context, *sqlx.Tx) (int, error)) (int, error) {
	tx, err := k.db.BeginTxx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	n, err := batch(ctx, tx)
	if err != nil {
		return 0, err
	}
	return n, tx.Commit()
}

// rewrap wraps what another key wrapped, or what is plain, by the primary one.
func (k *Keeper) rewrap(secret []byte, keyID int64, name string) ([]byte, error) {
	if keyID != 0 {
		var err error
		if secret, err = k.vault.Unwrap(secret, name); err != nil {
			return nil, err
		}
	}
	return k.vault.Wrap(secret, name)
}

func (k *Keeper) ownKeys(all bool) func(context.Context, *sqlx.Tx) (int, error) {
	return func(ctx context.Context, tx *sqlx.Tx) (int, error) {
		var rows []struct {
			Name   string `db:"name"`
			Secret []byte `db:"secret"`
			KeyID  int64  `db:"key_id"`
		}
		if err := tx.SelectContext(ctx, &rows, `SELECT name, secret, key_id FROM own_keys WHERE key_id = 0 OR $2 AND key_id <> $1 FOR UPDATE`, k.vault.Primary(), all); err != nil {
			return 0, err
		}
		for _, row := range rows {
			wrapped, err := k.rewrap(row.Secret, row.KeyID, ownKeyName(row.Name))
			if err != nil {
				return 0, err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE own_keys SET secret = $2, key_id = $3 WHERE name = $1`, row.Name, wrapped, k.vault.Primary()); err != nil {
				return 0, err
			}
		}
		return len(rows), nil
	}
}

func (k *Keeper) webhookSecrets(all bool) func(context.Context, *sqlx.Tx) (int, error) {
	return func(ctx context.Context, tx *sqlx.Tx) (int, error) {
		var rows []struct {
			Row       string    `db:"ctid"`
			WebhookID onward.ID `db:"webhook_id"`
			Secret    []byte    `db:"secret"`
			KeyID     int64     `db:"key_id"`
		}
		if err := tx.SelectContext(ctx, &rows, `SELECT ctid::text, webhook_id, coalesce(wrapped, convert_to(secret, 'UTF8')) AS secret, key_id FROM webhook_secrets
		WHERE key_id = 0 OR $3 AND key_id <> $1 LIMIT $2 FOR UPDATE`, k.vault.Primary(), sealBatch, all); err != nil {
			return 0, err
		}
		for _, row := range rows {
			wrapped, err := k.rewrap(row.Secret, row.KeyID, webhookSecretName(row.WebhookID))
			if err != nil {
				return 0, err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE webhook_secrets SET wrapped = $2, secret = NULL, key_id = $3 WHERE ctid = $1::tid`, row.Row, wrapped, k.vault.Primary()); err != nil {
				return 0, err
			}
		}
		return len(rows), nil
	}
}

// plainIdentities seals what was written before there were keys.
func (k *Keeper) plainIdentities(ctx context.Context, tx *sqlx.Tx) (int, error) {
	var rows []struct {
		ID             onward.ID `db:"id"`
		OrganisationID onward.ID `db:"organisation_id"`
		Details        []byte    `db:"details"`
		Identity       []byte    `db:"identity"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT r.id, r.organisation_id, r.details, i.identity FROM returnee_identities i JOIN returnees r ON r.id = i.returnee_id
		WHERE i.key_id = 0 AND i.key IS NULL AND i.identity <> '{}' ORDER BY r.id LIMIT $1 FOR UPDATE OF i, r`, sealBatch); err != nil || len(rows) == 0 {
		return 0, err
	}
	blind, err := k.blindKey(ctx, tx)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		var d onward.ReturneeDetails
		if err := json.Unmarshal(row.Details, &d); err != nil {
			return 0, fmt.Errorf("read returnee %s: %w", row.ID, err)
		}
		if err := json.Unmarshal(row.Identity, &d.Identity); err != nil {
			return 0, fmt.Errorf("read identity of %s: %w", row.ID, err)
		}
		sealed, err := sealIdentity(k.vault, blind, row.ID, row.OrganisationID, nil, 0, d)
		if err != nil {
			return 0, err
		}
		details, err := withoutIdentity(d)
		if err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE returnee_identities SET identity = $2, key = $3, key_id = $4 WHERE returnee_id = $1`, row.ID, string(sealed.Fields), sealed.Key, sealed.KeyID); err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE returnees SET details = $2 WHERE id = $1`, row.ID, string(details)); err != nil {
			return 0, err
		}
		for _, t := range sealed.Tokens {
			if _, err := tx.ExecContext(ctx, `INSERT INTO identity_tokens (organisation_id, token, returnee_id, kind) VALUES ($1, decode($2, 'hex'), $3, $4) ON CONFLICT DO NOTHING`,
				t.OrganisationID, t.Token, t.ReturneeID, t.Kind); err != nil {
				return 0, err
			}
		}
	}
	return len(rows), nil
}

// blindKey is the key of identity tokens, which may not be there yet.
func (k *Keeper) blindKey(ctx context.Context, tx *sqlx.Tx) ([]byte, error) {
	s := &Store{vault: k.vault}
	return (&Tx{tx: tx, store: s}).ownKey(ctx, blindKeyName)
}

// wrappedIdentities wraps the keys of people by the primary key. What is sealed under them stays as it is.
func (k *Keeper) wrappedIdentities(ctx context.Context, tx *sqlx.Tx) (int, error) {
	var rows []struct {
		ID    onward.ID `db:"returnee_id"`
		Key   []byte    `db:"key"`
		KeyID int64     `db:"key_id"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT returnee_id, key, key_id FROM returnee_identities WHERE key_id <> $1 AND key IS NOT NULL ORDER BY returnee_id LIMIT $2 FOR UPDATE`,
		k.vault.Primary(), sealBatch); err != nil {
		return 0, err
	}
	for _, row := range rows {
		wrapped, err := k.rewrap(row.Key, row.KeyID, personKey(row.ID))
		if err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE returnee_identities SET key = $2, key_id = $3 WHERE returnee_id = $1`, row.ID, wrapped, k.vault.Primary()); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
