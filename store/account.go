package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"onward"
)

// CreateOrganisation adds an organisation. Only the system does.
func (tx *Tx) CreateOrganisation(ctx context.Context, o onward.Organisation) (onward.Organisation, error) {
	if err := o.Validate(); err != nil {
		return o, err
	}
	if o.ID.IsZero() {
		o.ID = onward.NewID()
	}
	err := tx.get(ctx, &o, `INSERT INTO organisations (id, slug, name, kind, country, fictional) VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING *`, o.ID, o.Slug, o.Name, o.Kind, o.Country, o.Fictional)
	if constraintOf(err) == "organisations_slug_key" {
		return o, onward.Errorf(onward.EConflict, "there is an organisation of this short name; choose another")
	}
	return o, wrap("create organisation", err)
}

// OrganisationBySlug finds an organisation by its short name. ENotFound if there is none.
func (tx *Tx) OrganisationBySlug(ctx context.Context, slug string) (onward.Organisation, error) {
	var o onward.Organisation
	err := tx.get(ctx, &o, `SELECT * FROM organisations WHERE slug = $1`, slug)
	return o, wrap("read organisation", notFound(err, "no organisation has this short name; 'onward organisation list' shows them"))
}

// Organisations lists all organisations by name.
func (tx *Tx) Organisations(ctx context.Context) ([]onward.Organisation, error) {
	var list []onward.Organisation
	err := tx.selectAll(ctx, &list, `SELECT * FROM organisations ORDER BY name, id`)
	return list, wrap("list organisations", err)
}

// CreateUser adds a user. The system or an administrator of the organisation does.
func (tx *Tx) CreateUser(ctx context.Context, u onward.User) (onward.User, error) {
	if u.Language == "" {
		u.Language = "en"
	}
	if err := u.Validate(); err != nil {
		return u, err
	}
	if u.ID.IsZero() {
		u.ID = onward.NewID()
	}
	err := tx.get(ctx, &u, `INSERT INTO users (id, organisation_id, name, email, role, language) VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING *`, u.ID, u.OrganisationID, u.Name, u.Email, u.Role, u.Language)
	if constraintOf(err) == "users_email" {
		return u, onward.Errorf(onward.EConflict, "a user has this e-mail address already")
	}
	return u, wrap("create user", err)
}

// UserByEmail finds a user. ENotFound if there is none.
func (tx *Tx) UserByEmail(ctx context.Context, email string) (onward.User, error) {
	var u onward.User
	err := tx.get(ctx, &u, `SELECT * FROM users WHERE lower(email) = lower($1)`, email)
	return u, wrap("read user", notFound(err, "no user has this e-mail address; 'onward user list' shows them"))
}

// Users lists the users that the actor may see.
func (tx *Tx) Users(ctx context.Context) ([]onward.User, error) {
	var list []onward.User
	err := tx.selectAll(ctx, &list, `SELECT * FROM users ORDER BY email`)
	return list, wrap("list users", err)
}

// tokenPrefix makes a leaked token recognisable to scanners of source code.
const tokenPrefix = "onw_"

// CreateToken makes an API token for a user. The secret is returned this once; only its hash is kept. ENotFound if the
// actor can't see the user.
func (tx *Tx) CreateToken(ctx context.Context, user onward.User, name string, expires *time.Time, scopes ...string) (secret string, token onward.Token, err error) {
	if err := onward.ValidateScopes(scopes); err != nil {
		return "", token, err
	}
	if strings.TrimSpace(name) == "" {
		name = "token"
	} else if len(name) > 200 {
		return "", token, onward.Invalid([]onward.FieldError{{Field: "name", Rule: "length", Message: "use at most 200 characters"}})
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	hash := sha256.Sum256([]byte(secret))
	err = tx.get(ctx, &token, `INSERT INTO api_tokens (id, user_id, organisation_id, name, secret_hash, expires_at, scopes)
		SELECT $1, u.id, u.organisation_id, $3, $4, $5, $6 FROM users u WHERE u.id = $2
		RETURNING id, user_id, name, expires_at, created_at, revoked_at`,
		onward.NewID(), user.ID, name, hash[:], expires, pq.StringArray(nonNil(scopes)))
	if err != nil {
		return "", token, wrap("create token", notFound(err, "no user of yours has this id"))
	}
	token.Scopes = scopes
	return secret, token, nil
}

// RevokeToken ends a token at once. ENotFound if the actor can't see it.
func (tx *Tx) RevokeToken(ctx context.Context, id onward.ID) error {
	n, err := tx.exec(ctx, `UPDATE api_tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL`, id)
	if err == nil && n == 0 {
		return onward.Errorf(onward.ENotFound, "no live token has this id; 'onward token list' shows them")
	}
	return wrap("revoke token", err)
}

// Tokens lists the tokens that the actor may see, without their secrets.
func (tx *Tx) Tokens(ctx context.Context) ([]onward.Token, error) {
	return tx.tokens(ctx, `ORDER BY id`)
}

// Authenticate finds who a token belongs to. EUnauthenticated when it is unknown, revoked or expired; the message does
// not say which of the first two.
func (s *Store) Authenticate(ctx context.Context, secret string) (onward.Actor, error) {
	var actor onward.Actor
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > 100 {
		return actor, onward.Errorf(onward.EUnauthenticated, "this token is not known; ask your administrator for a new one")
	}
	hash := sha256.Sum256([]byte(secret))
	var row struct {
		TokenID        onward.ID      `db:"token_id"`
		UserID         onward.ID      `db:"user_id"`
		OrganisationID onward.ID      `db:"organisation_id"`
		Role           onward.Role    `db:"role"`
		ExpiresAt      sql.NullTime   `db:"expires_at"`
		RevokedAt      sql.NullTime   `db:"revoked_at"`
		Scopes         pq.StringArray `db:"scopes"`
	}
	err := translate(s.db.GetContext(ctx, &row, `SELECT * FROM authenticate($1)`, hash[:]))
	switch {
	case errors.Is(err, sql.ErrNoRows) || (err == nil && row.RevokedAt.Valid):
		return actor, onward.Errorf(onward.EUnauthenticated, "this token is not known; ask your administrator for a new one")
	case err != nil:
		return actor, wrap("authenticate", err)
	case row.ExpiresAt.Valid && !row.ExpiresAt.Time.After(s.clock()):
		return actor, onward.Errorf(onward.EUnauthenticated, "this token has expired; ask your administrator for a new one")
	}
	return onward.Actor{UserID: row.UserID, OrganisationID: row.OrganisationID, Role: row.Role, TokenID: row.TokenID, Scopes: scopesOf(row.Scopes)}, nil
}

// scopesOf is nil for none.
func scopesOf(scopes []string) []string {
	if len(scopes) == 0 {
		return nil
	}
	return scopes
}

// wrap adds the operation to an error and keeps nil as nil.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
