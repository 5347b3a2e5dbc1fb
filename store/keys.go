package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

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

// Plain is how many records are not sealed at all: they were written before they had to be.
func (k *Keeper) Plain(ctx context.Context) (n int, err error) {
	err = k.db.GetContext(ctx, &n, `SELECT (SELECT count(*) FROM own_keys WHERE key_id = 0) + (SELECT count(*) FROM webhook_secrets WHERE key_id = 0)
		+ (SELECT count(*) FROM returnee_identities i WHERE `+plainIdentity+`)`)
	if err != nil {
		return 0, wrap("count keys", err)
	}
	checks, err := k.unproven(ctx)
	if err != nil {
		return 0, err
	}
	for _, c := range checks {
		var more int
		if err := k.db.GetContext(ctx, &more, `SELECT count(*) FROM `+c.Table+` WHERE NOT (`+c.Holds+`)`); err != nil {
			return 0, wrap("count what is plain", err)
		}
		n += more
	}
	return n, nil
}

// plainIdentity is a person who has no key yet, and was not erased.
const plainIdentity = `i.key_id = 0 AND i.key IS NULL AND EXISTS (SELECT FROM returnees r WHERE r.id = i.returnee_id AND r.erased_at IS NULL)`

// sealedCheck is a constraint that says of a table that everything in it is sealed, in the form of Postgres.
type sealedCheck struct {
	Name  string `db:"name"`
	Table string `db:"table"`
	Holds string `db:"holds"`
}

// unproven are those of which Postgres does not know yet whether they hold for what was there before them.
func (k *Keeper) unproven(ctx context.Context) (checks []sealedCheck, err error) {
	err = k.db.SelectContext(ctx, &checks, `SELECT quote_ident(conname) AS name, conrelid::regclass::text AS "table", pg_get_expr(conbin, conrelid) AS holds FROM pg_constraint
		WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conname LIKE '%\_sealed' AND NOT convalidated ORDER BY 1`)
	return checks, wrap("read what is sealed", err)
}

// prove has Postgres make sure that everything is sealed. From then on its constraints say so, and nothing is counted any more.
func (k *Keeper) prove(ctx context.Context) error {
	checks, err := k.unproven(ctx)
	if err != nil {
		return err
	}
	for _, c := range checks {
		if _, err := k.db.ExecContext(ctx, `ALTER TABLE `+c.Table+` VALIDATE CONSTRAINT `+c.Name); err != nil {
			return wrap("prove that "+c.Table+" is sealed", translate(err))
		}
	}
	return nil
}

// Left is how many records are not wrapped by the primary key.
func (k *Keeper) Left(ctx context.Context) (n int, err error) {
	err = k.db.GetContext(ctx, &n, `SELECT (SELECT count(*) FROM own_keys WHERE key_id <> $1) + (SELECT count(*) FROM webhook_secrets WHERE key_id <> $1)
		+ (SELECT count(*) FROM second_factors WHERE key_id <> $1)
		+ (SELECT count(*) FROM returnee_identities WHERE key_id <> $1 AND (key IS NOT NULL OR identity <> '{}'))`, k.vault.Primary())
	return n, wrap("count keys", err)
}

// Seal seals what is not sealed yet. It may be stopped at any time and goes on from where it was, as Rewrap does. It says how many
// records it changed.
func (k *Keeper) Seal(ctx context.Context) (int, error) {
	plain, err := k.plain(ctx)
	if err != nil {
		return 0, err
	}
	n, err := k.each(ctx, append([]batch{k.ownKeys(false), k.webhookSecrets(false)}, plain...)...)
	if err != nil {
		return n, err
	}
	return n, k.prove(ctx)
}

// Rewrap wraps all keys by the primary key, and seals what is not sealed yet. All processes have to have that key by then.
func (k *Keeper) Rewrap(ctx context.Context) (int, error) {
	plain, err := k.plain(ctx)
	if err != nil {
		return 0, err
	}
	n, err := k.each(ctx, append([]batch{k.ownKeys(true), k.webhookSecrets(true), k.secondFactors, k.wrappedIdentities}, plain...)...)
	if err != nil {
		return n, err
	}
	return n, k.prove(ctx)
}

// plain seals what is about people: first the identity, which gives everybody a key.
// Where Postgres has proven that the rest is sealed, nothing is searched for it.
func (k *Keeper) plain(ctx context.Context) ([]batch, error) {
	checks, err := k.unproven(ctx)
	if err != nil || len(checks) == 0 {
		return []batch{k.plainIdentities}, err
	}
	batches := []batch{k.plainIdentities, k.plainCases, k.plainRequests}
	for _, t := range sealedTables {
		batches = append(batches, k.plainTexts(t))
	}
	return batches, nil
}

// batch seals some records, and says how many; none when none is left.
type batch func(context.Context, *sqlx.Tx) (int, error)

// each runs batches, each in a transaction, until none is left of its kind.
func (k *Keeper) each(ctx context.Context, batches ...batch) (total int, err error) {
	for _, seal := range batches {
		for {
			n, err := k.inTx(ctx, seal)
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

func (k *Keeper) inTx(ctx context.Context, seal batch) (int, error) {
	tx, err := k.db.BeginTxx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	// For the audit: rows change, and what they say stays.
	if _, err := tx.ExecContext(ctx, `SELECT set_config('onward.why', 'sealed or wrapped anew; what it says is the same', true)`); err != nil {
		return 0, err
	}
	n, err := seal(ctx, tx)
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

func (k *Keeper) ownKeys(all bool) batch {
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

func (k *Keeper) webhookSecrets(all bool) batch {
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

// secondFactors wraps the secrets of second factors by the primary key.
func (k *Keeper) secondFactors(ctx context.Context, tx *sqlx.Tx) (int, error) {
	var rows []struct {
		ID     onward.ID `db:"id"`
		Secret []byte    `db:"secret"`
		KeyID  int64     `db:"key_id"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT id, secret, key_id FROM second_factors WHERE key_id <> $1 ORDER BY id LIMIT $2 FOR UPDATE`, k.vault.Primary(), sealBatch); err != nil {
		return 0, err
	}
	for _, row := range rows {
		wrapped, err := k.rewrap(row.Secret, row.KeyID, factorName(row.ID))
		if err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE second_factors SET secret = $2, key_id = $3 WHERE id = $1`, row.ID, wrapped, k.vault.Primary()); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
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
		WHERE `+plainIdentity+` ORDER BY r.id LIMIT $1 FOR UPDATE OF i, r`, sealBatch); err != nil || len(rows) == 0 {
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
		if _, err := tx.ExecContext(ctx, `UPDATE returnees SET details = $2, external_id = NULL WHERE id = $1`, row.ID, string(details)); err != nil {
			return 0, err
		}
		if err := addTokens(ctx, tx, sealed.Tokens); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

func addTokens(ctx context.Context, tx *sqlx.Tx, tokens []identityToken) error {
	var organisations, hashes, people, kinds []string
	for _, t := range tokens {
		organisations, hashes = append(organisations, t.OrganisationID.String()), append(hashes, t.Token)
		people, kinds = append(people, t.ReturneeID.String()), append(kinds, t.Kind)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO identity_tokens (organisation_id, token, returnee_id, kind)
		SELECT o, decode(t, 'hex'), p, k FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) AS n(o, t, p, k) ON CONFLICT DO NOTHING`,
		pq.Array(organisations), pq.Array(hashes), pq.Array(people), pq.Array(kinds))
	return err
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

// plainCases seals case numbers that stand beside identities that are sealed.
func (k *Keeper) plainCases(ctx context.Context, tx *sqlx.Tx) (int, error) {
	var rows []struct {
		ID             onward.ID `db:"id"`
		OrganisationID onward.ID `db:"organisation_id"`
		Number         string    `db:"number"`
		Key            []byte    `db:"key"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT r.id, r.organisation_id, coalesce(r.external_id, r.details ->> 'external_id') AS number, i.key
		FROM returnees r JOIN returnee_identities i ON i.returnee_id = r.id
		WHERE (r.external_id IS NOT NULL OR r.details ? 'external_id') AND i.key IS NOT NULL ORDER BY r.id LIMIT $1 FOR UPDATE OF i, r`, sealBatch); err != nil || len(rows) == 0 {
		return 0, err
	}
	blind, err := k.blindKey(ctx, tx)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		key, err := k.vault.OpenKey(row.Key, personKey(row.ID))
		if err != nil {
			return 0, err
		}
		value, err := marshal(row.Number)
		if err != nil {
			return 0, err
		}
		sealed, err := key.Seal(value, identityField(row.ID, "external_id"))
		if err != nil {
			return 0, err
		}
		field, err := json.Marshal(map[string][]byte{"external_id": sealed})
		if err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE returnee_identities SET identity = identity || $2 WHERE returnee_id = $1`, row.ID, string(field)); err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE returnees SET external_id = NULL, details = details - 'external_id' WHERE id = $1`, row.ID); err != nil {
			return 0, err
		}
		if err := addTokens(ctx, tx, tokensOf(blind, row.ID, row.OrganisationID, onward.ReturneeDetails{ExternalID: row.Number})); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// plainTexts seals the words in a table. Of people who were erased they go.
func (k *Keeper) plainTexts(t sealedTable) batch {
	words, set, plain := make([]string, len(t.fields)), make([]string, len(t.fields)), make([]string, len(t.fields))
	for i, f := range t.fields {
		value := "t." + f
		set[i] = fmt.Sprintf(`%s = $%d`, f, i+2)
		if t.json {
			value += ` #>> '{}'`
			set[i] = fmt.Sprintf(`%s = to_jsonb(nullif($%d::text, ''))`, f, i+2)
		}
		words[i], plain[i] = `coalesce(`+value+`, '')`, `NOT is_sealed(`+value+`)`
	}
	read := `SELECT t.ctid::text AS at, p.id AS person, i.key, ` + t.row + ` AS place, ARRAY[` + strings.Join(words, ", ") + `] AS words
		FROM ` + t.name + ` t CROSS JOIN LATERAL (SELECT ` + t.person + ` AS id) p LEFT JOIN returnee_identities i ON i.returnee_id = p.id
		WHERE ` + strings.Join(plain, " OR ") + ` LIMIT $1 FOR UPDATE OF t`
	write := `UPDATE ` + t.name + ` SET ` + strings.Join(set, ", ") + ` WHERE ctid = $1::tid`
	return func(ctx context.Context, tx *sqlx.Tx) (int, error) {
		var rows []struct {
			At     string         `db:"at"`
			Person onward.ID      `db:"person"`
			Key    []byte         `db:"key"`
			Place  string         `db:"place"`
			Words  pq.StringArray `db:"words"`
		}
		if err := tx.SelectContext(ctx, &rows, read, sealBatch); err != nil {
			return 0, err
		}
		for _, row := range rows {
			args := []any{row.At}
			for i, f := range t.fields {
				sealed, err := k.sealPlain(row.Key, row.Person, fieldOf(t.name, row.Place, f), row.Words[i])
				if err != nil {
					return 0, err
				}
				args = append(args, sealed)
			}
			if _, err := tx.ExecContext(ctx, write, args...); err != nil {
				return 0, err
			}
		}
		return len(rows), nil
	}
}

// sealPlain seals words that are not sealed yet; nothing is left of them without a key.
func (k *Keeper) sealPlain(wrapped []byte, person onward.ID, place, words string) (sealedText, error) {
	switch {
	case words == "" || strings.HasPrefix(words, textMark):
		return sealedText(words), nil
	case len(wrapped) == 0:
		return "", nil
	}
	key, err := k.vault.OpenKey(wrapped, personKey(person))
	if err != nil {
		return "", err
	}
	return sealWords(key, place, words)
}

// plainRequests seals why a likely destination was overridden, in requests and their lists, and takes the case number out of what lists were
// made from, where nothing needs it. Who
// repeats a request from before is given a new one: its key, which the client chose, is kept no more.
func (k *Keeper) plainRequests(ctx context.Context, tx *sqlx.Tx) (int, error) {
	packer, err := newPacker()
	if err != nil {
		return 0, err
	}
	var rows []struct {
		ID         onward.ID `db:"id"`
		ReturneeID onward.ID `db:"returnee_id"`
		Reason     string    `db:"reason"`
		List       []byte    `db:"list"`
		Inputs     []byte    `db:"inputs"`
		Key        []byte    `db:"key"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT q.id, q.returnee_id, coalesce(q.options ->> 'destination_reason', '') AS reason, q.list, q.inputs, i.key
		FROM referral_requests q JOIN returnee_identities i ON i.returnee_id = q.returnee_id WHERE q.plain ORDER BY q.id LIMIT $1 FOR UPDATE OF q`, requestBatch); err != nil {
		return 0, err
	}
	for _, row := range rows {
		reason, err := k.sealPlain(row.Key, row.ReturneeID, requestReason(row.ID), row.Reason)
		if err != nil {
			return 0, err
		}
		list, err := packer.repack(row.List, "destination", func(destination map[string]any) {
			if destination["reason"] != nil {
				destination["reason"] = reason
			}
		})
		if err != nil {
			return 0, fmt.Errorf("seal list of request %s: %w", row.ID, err)
		}
		inputs, err := packer.repack(row.Inputs, "profile", func(profile map[string]any) { delete(profile, "external_id") })
		if err != nil {
			return 0, fmt.Errorf("seal the inputs of request %s: %w", row.ID, err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE referral_requests SET plain = false, list = $3, inputs = $4, idempotency_key = NULL, body_hash = NULL,
				options = CASE WHEN options ? 'destination_reason' THEN options || jsonb_build_object('destination_reason', $2::text) ELSE options END WHERE id = $1`,
			row.ID, reason, list, inputs); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// requestBatch is smaller than others: lists are large.
const requestBatch = 50
