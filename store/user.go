package store

import (
	"context"

	"github.com/lib/pq"

	"onward"
)

// UpdateAccount changes what an administrator says of a user. EVersion when it changed since it was read, EConflict when the organisation would
// be without an administrator. A change of role counts at once.
func (s *Store) UpdateAccount(ctx context.Context, actor onward.Actor, id onward.ID, version int64, d onward.UserDetails) (a onward.Account, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		if a, err = tx.account(ctx, id); err != nil {
			return err
		}
		if a.Version != version {
			return (&onward.Error{Code: onward.EVersion, Message: "the user was changed meanwhile; look at it again", Current: a})
		}
		changed := a.User
		changed.Name, changed.Role, changed.Language = d.Name, d.Role, d.Language
		if err := changed.Validate(); err != nil {
			return err
		}
		if d.Role != onward.RoleAdministrator {
			if err := tx.keepsAdministrator(ctx, a); err != nil {
				return err
			}
		}
		if _, err := tx.exec(ctx, `UPDATE users SET name = $2, role = $3, language = $4, version = version + 1 WHERE id = $1`, id, d.Name, string(d.Role), d.Language); err != nil {
			return wrap("update user", err)
		}
		a, err = tx.account(ctx, id)
		return err
	})
	return a, err
}

// keepsAdministrator refuses what would leave an organisation without an active administrator. The lock on the organisation keeps two from leaving at once.
func (tx *Tx) keepsAdministrator(ctx context.Context, a onward.Account) error {
	if a.Role != onward.RoleAdministrator || a.SuspendedAt != nil {
		return nil
	}
	var others int
	if err := tx.get(ctx, &others, `WITH o AS MATERIALIZED (SELECT id FROM organisations WHERE id = $1 FOR NO KEY UPDATE) SELECT count(*) FROM o`, a.OrganisationID); err != nil {
		return wrap("lock organisation", err)
	}
	if err := tx.get(ctx, &others, `SELECT count(*) FROM users WHERE organisation_id = $1 AND id <> $2 AND role = 'administrator' AND suspended_at IS NULL
		AND (EXISTS (SELECT FROM credentials c WHERE c.user_id = users.id AND c.password_hash IS NOT NULL) OR NOT EXISTS (SELECT FROM credentials c WHERE c.user_id = $2 AND c.password_hash IS NOT NULL))`,
		a.OrganisationID, a.ID); err != nil {
		return wrap("count administrators", err)
	}
	if others == 0 {
		return onward.Errorf(onward.EConflict, "this is the last administrator of the organisation; make another one first")
	}
	return nil
}

// SuspendUser ends a user's sessions and keeps them and their tokens out until they are reinstated. EConflict for the last administrator of an organisation.
func (s *Store) SuspendUser(ctx context.Context, actor onward.Actor, id onward.ID) (a onward.Account, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		if a, err = tx.account(ctx, id); err != nil {
			return err
		}
		if a.SuspendedAt != nil {
			return onward.Errorf(onward.EConflict, "the user is suspended already")
		}
		if err := tx.keepsAdministrator(ctx, a); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE users SET suspended_at = $2, version = version + 1 WHERE id = $1`, id, tx.now); err != nil {
			return wrap("suspend user", err)
		}
		if err := tx.endSessions(ctx, id, onward.ID{}); err != nil {
			return err
		}
		a, err = tx.account(ctx, id)
		return err
	})
	return a, err
}

// ReinstateUser ends a suspension. The user signs in anew; tokens that did not run out work again.
func (s *Store) ReinstateUser(ctx context.Context, actor onward.Actor, id onward.ID) (a onward.Account, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		if a, err = tx.account(ctx, id); err != nil {
			return err
		}
		if a.SuspendedAt == nil {
			return onward.Errorf(onward.EConflict, "the user is not suspended")
		}
		if _, err := tx.exec(ctx, `UPDATE users SET suspended_at = NULL, version = version + 1 WHERE id = $1`, id); err != nil {
			return wrap("reinstate user", err)
		}
		a, err = tx.account(ctx, id)
		return err
	})
	return a, err
}

// EndSessionsOf ends all sessions of a user of the actor's organisation.
func (s *Store) EndSessionsOf(ctx context.Context, actor onward.Actor, id onward.ID) error {
	return s.forUser(ctx, actor, func(tx *Tx) error {
		if _, err := tx.account(ctx, id); err != nil {
			return err
		}
		return tx.endSessions(ctx, id, onward.ID{})
	})
}

// OwnTokens lists the actor's own API tokens, the latest first.
func (s *Store) OwnTokens(ctx context.Context, actor onward.Actor) (list []onward.Token, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		list, err = tx.tokens(ctx, `WHERE user_id = $1 ORDER BY id DESC LIMIT 500`, actor.UserID)
		return err
	})
	return list, err
}

// CreateOwnToken makes an API token for the actor, whose secret is shown this once. EConflict when they have as many as they may.
func (s *Store) CreateOwnToken(ctx context.Context, actor onward.Actor, n onward.NewToken) (secret string, t onward.Token, err error) {
	if err := n.Validate(); err != nil {
		return "", t, err
	}
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		var alive int
		if err := tx.get(ctx, &alive, `SELECT count(*) FROM api_tokens WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`, actor.UserID, tx.now); err != nil {
			return wrap("count tokens", err)
		}
		if alive >= onward.MostTokens {
			return onward.Errorf(onward.EConflict, "you have %d tokens, as many as you may; revoke one first", alive)
		}
		until := n.ExpiresAt(tx.now)
		secret, t, err = tx.CreateToken(ctx, onward.User{ID: actor.UserID}, n.Name, &until, n.Scopes...)
		return err
	})
	return secret, t, err
}

// RevokeOwnToken ends one of the actor's own API tokens at once. ENotFound if there is no live one of this id.
func (s *Store) RevokeOwnToken(ctx context.Context, actor onward.Actor, id onward.ID) error {
	return s.forUser(ctx, actor, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE api_tokens SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL`, id, actor.UserID, tx.now)
		if err == nil && n == 0 {
			return onward.Errorf(onward.ENotFound, "no live token of yours has this id; list them again")
		}
		return wrap("revoke token", err)
	})
}

// tokens reads API tokens.
func (tx *Tx) tokens(ctx context.Context, which string, args ...any) ([]onward.Token, error) {
	var rows []struct {
		onward.Token
		Scopes pq.StringArray `db:"scopes"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT id, user_id, name, expires_at, created_at, revoked_at, last_used_at, scopes FROM api_tokens `+which, args...)
	list := make([]onward.Token, len(rows))
	for i, r := range rows {
		list[i], list[i].Scopes = r.Token, scopesOf(r.Scopes)
	}
	return list, wrap("list tokens", err)
}
