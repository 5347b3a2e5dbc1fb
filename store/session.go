package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"onward"
)

// Sessions keeps sessions for scs, of whose tokens it sees hashes alone (SessionManager.HashTokenInStore). It is their codec as well: what
// is kept is columns, so that who somebody is and what they may is always as it is now.
type Sessions struct{ store *Store }

// Sessions keeps sessions.
func (s *Store) Sessions() *Sessions { return &Sessions{s} }

// sessionKey is the one value of a session.
const sessionKey = "session"

// SessionKey is the name under which scs has the onward.Session.
const SessionKey = sessionKey

// Encode is of scs.Codec.
func (*Sessions) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	session, ok := values[sessionKey].(onward.Session)
	if !ok || len(values) != 1 {
		return nil, errors.New("a session holds who signed in, and nothing else")
	}
	session.EndsAt = deadline
	return json.Marshal(session)
}

// Decode is of scs.Codec.
func (*Sessions) Decode(b []byte) (time.Time, map[string]any, error) {
	var session onward.Session
	if err := json.Unmarshal(b, &session); err != nil {
		return time.Time{}, nil, fmt.Errorf("read session: %w", err)
	}
	return session.EndsAt, map[string]any{sessionKey: session}, nil
}

// FindCtx is of scs.CtxStore.
func (s *Sessions) FindCtx(ctx context.Context, hash string) ([]byte, bool, error) {
	var session onward.Session
	err := translate(s.store.db.GetContext(ctx, &session, `SELECT * FROM session_of($1, $2)`, hash, s.store.clock()))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, wrap("find session", err)
	}
	b, err := json.Marshal(session)
	return b, err == nil, err
}

// CommitCtx is of scs.CtxStore: a session that is there lasts until expiry, a new one is added. EUnauthenticated for one that has ended, which
// no late request brings back.
func (s *Sessions) CommitCtx(ctx context.Context, hash string, b []byte, expiry time.Time) error {
	var seen *bool
	if err := translate(s.store.db.GetContext(ctx, &seen, `SELECT session_seen($1, $2, $3)`, hash, s.store.clock(), expiry)); err != nil {
		return wrap("extend session", err)
	}
	if seen != nil {
		if !*seen {
			return errEnded()
		}
		return nil
	}
	var session onward.Session
	if err := json.Unmarshal(b, &session); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	err := s.store.forUser(ctx, onward.Actor{UserID: session.UserID, OrganisationID: session.OrganisationID, From: session.From}, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `INSERT INTO sessions (token_hash, id, user_id, organisation_id, stage, method, address, agent, created_at, confirmed_at, seen_at, expires_at, ends_at)
			SELECT $1, $2, u.id, u.organisation_id, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM users u WHERE u.id = $3`, hash, session.ID, session.UserID, string(session.Stage), string(session.Method),
			session.From, session.Agent, session.CreatedAt, session.ConfirmedAt, tx.now, expiry, session.EndsAt); err != nil {
			return err
		}
		if session.Stage != onward.StageComplete {
			return nil
		}
		_, err := tx.exec(ctx, `INSERT INTO credentials (user_id, organisation_id, signed_in_at) VALUES ($1, $2, $3)
			ON CONFLICT (user_id) DO UPDATE SET signed_in_at = excluded.signed_in_at`, session.UserID, session.OrganisationID, tx.now)
		return err
	})
	return wrap("keep session", err)
}

func errEnded() error {
	return onward.Errorf(onward.EUnauthenticated, "this session has ended; sign in again")
}

// DeleteCtx is of scs.CtxStore.
func (s *Sessions) DeleteCtx(ctx context.Context, hash string) error {
	session := onward.Session{}
	err := translate(s.store.db.GetContext(ctx, &session, `SELECT * FROM session_of($1, $2)`, hash, s.store.clock()))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return wrap("end session", err)
	}
	err = s.store.forUser(ctx, onward.Actor{UserID: session.UserID, OrganisationID: session.OrganisationID, From: session.From}, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE sessions SET ended_at = $2 WHERE token_hash = $1 AND ended_at IS NULL`, hash, tx.now)
		return err
	})
	return wrap("end session", err)
}

// Find, Commit and Delete are of scs.Store; scs calls the ones with a context.
func (s *Sessions) Find(hash string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), hash)
}

// Commit is CommitCtx.
func (s *Sessions) Commit(hash string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), hash, b, expiry)
}

// Delete is DeleteCtx.
func (s *Sessions) Delete(hash string) error { return s.DeleteCtx(context.Background(), hash) }

// SessionsOf lists the sessions of a user that have not ended, the latest first.
func (s *Store) SessionsOf(ctx context.Context, actor onward.Actor, user onward.ID) (list []onward.Session, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		list = []onward.Session{}
		return tx.selectAll(ctx, &list, `SELECT s.id, s.user_id, s.organisation_id, u.role, s.stage, s.method, s.address, s.agent, s.created_at, s.confirmed_at, s.seen_at, s.expires_at, s.ends_at
			FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.ends_at > $2 ORDER BY s.created_at DESC, s.id`, user, tx.now)
	})
	for i := range list {
		list[i].Current = list[i].ID == actor.SessionID
	}
	return list, wrap("list sessions", err)
}

// EndSession ends one of the actor's own sessions. ENotFound if there is none of this id.
func (s *Store) EndSession(ctx context.Context, actor onward.Actor, id onward.ID) error {
	return s.forUser(ctx, actor, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE sessions SET ended_at = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 AND ends_at > $3`, id, actor.UserID, tx.now)
		if err == nil && n == 0 {
			return onward.Errorf(onward.ENotFound, "no session of yours has this id, or it has ended; list them again")
		}
		return wrap("end session", err)
	})
}

// endSessions ends the sessions of a user but one.
func (tx *Tx) endSessions(ctx context.Context, user, but onward.ID) error {
	_, err := tx.exec(ctx, `UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND ended_at IS NULL`, user, but, tx.now)
	return wrap("end sessions", err)
}

// EndOtherSessions ends all of the actor's own sessions but the one that asks.
func (s *Store) EndOtherSessions(ctx context.Context, actor onward.Actor) error {
	return s.forUser(ctx, actor, func(tx *Tx) error { return tx.endSessions(ctx, actor.UserID, actor.SessionID) })
}

// sessionsKept is how long what has ended is kept, so that an administrator who looks for where somebody signed in finds it.
const sessionsKept = 30 * 24 * time.Hour

// ForgetSessions deletes what ended long ago, some at a time.
func (s *Store) ForgetSessions(ctx context.Context) (n int, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		gone, err := tx.exec(ctx, `DELETE FROM sessions WHERE token_hash = ANY(ARRAY(SELECT token_hash FROM sessions WHERE expires_at < $1 LIMIT 5000))`, tx.now.Add(-sessionsKept))
		n = int(gone)
		return err
	})
	return n, wrap("forget sessions", err)
}
