package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"aidanwoods.dev/go-paseto"

	"onward"
)

const (
	// flowPurpose is in what a browser keeps between leaving for a provider and coming back.
	flowPurpose = "provider-sign-in"
	flowFor     = 10 * time.Minute
)

// Flow is one way to a provider and back. The browser keeps it sealed, so that strangers leave nothing here.
type Flow struct {
	Provider, State, Nonce, Verifier, Invitation string
}

// SealFlow adds a state and a nonce to a flow, and seals it for ten minutes.
func (s *Store) SealFlow(ctx context.Context, f Flow) (Flow, string, error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return f, "", err
	}
	var random [64]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
	f.State, f.Nonce = base64.RawURLEncoding.EncodeToString(random[:32]), base64.RawURLEncoding.EncodeToString(random[32:])
	token := paseto.NewToken()
	token.SetExpiration(s.clock().Add(flowFor))
	token.SetAudience(flowPurpose)
	for name, value := range map[string]string{"provider": f.Provider, "state": f.State, "nonce": f.Nonce, "verifier": f.Verifier, "invitation": f.Invitation} {
		token.SetString(name, value)
	}
	return f, token.V4Encrypt(key, nil), nil
}

// OpenFlow opens what SealFlow sealed. EUnauthenticated for anything else, and when its time is over.
func (s *Store) OpenFlow(ctx context.Context, secret string) (f Flow, err error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return f, err
	}
	bad := onward.Errorf(onward.EUnauthenticated, "this sign-in was not begun in this browser, or more than ten minutes ago; begin again")
	if secret == "" || len(secret) > 4000 {
		return f, bad
	}
	token, err := paseto.MakeParser([]paseto.Rule{paseto.ForAudience(flowPurpose)}).ParseV4Local(key, secret, nil)
	if err != nil {
		return f, bad
	}
	if until, err := token.GetExpiration(); err != nil || !until.After(s.clock()) {
		return f, bad
	}
	for name, into := range map[string]*string{"provider": &f.Provider, "state": &f.State, "nonce": &f.Nonce, "verifier": &f.Verifier, "invitation": &f.Invitation} {
		if *into, err = token.GetString(name); err != nil {
			return f, bad
		}
	}
	return f, nil
}

// ExternalIdentity is who a provider says that somebody is.
type ExternalIdentity struct {
	Issuer, Subject string
	// Email is an address that the provider has verified, where the administrator lets it bind users. Empty: none does.
	Email string
}

// SignInByProvider finds the user whom a provider means, and says whether they are new to it. Such a one is bound by an invitation, or by an address
// that both know to be the user's; nobody is made by it. EForbidden when there is nobody, or they are suspended.
func (s *Store) SignInByProvider(ctx context.Context, from string, who ExternalIdentity, invitation string) (a onward.Account, bound bool, err error) {
	var id onward.ID
	var mailed bool
	if invitation != "" {
		if id, mailed, err = s.invitation(ctx, invitation); err != nil {
			return a, false, err
		}
	}
	actor := onward.System()
	actor.From = from
	err = s.InTx(ctx, actor, func(tx *Tx) error {
		var user onward.ID
		err := tx.get(ctx, &user, `SELECT user_id FROM external_identities WHERE issuer = $1 AND subject = $2`, who.Issuer, who.Subject)
		if errors.Is(err, sql.ErrNoRows) {
			bound = true
			user, err = tx.bind(ctx, who, id, mailed)
		}
		if err != nil {
			return err
		}
		if a, err = tx.account(ctx, user); err != nil {
			return err
		}
		var out bool
		if err := tx.get(ctx, &out, `SELECT suspended_at IS NOT NULL FROM organisations WHERE id = $1`, a.OrganisationID); err != nil {
			return err
		}
		if out || a.SuspendedAt != nil {
			return errNobody()
		}
		return nil
	})
	return a, bound, wrap("sign in by provider", err)
}

func errNobody() error {
	return onward.Errorf(onward.EForbidden, "no user here is known by this account; open your invitation first, or ask your administrator")
}

// bind says that a subject of a provider is a user from now on, and tells them.
func (tx *Tx) bind(ctx context.Context, who ExternalIdentity, invitation onward.ID, mailed bool) (user onward.ID, err error) {
	switch {
	case !invitation.IsZero():
		row, err := tx.invited(ctx, invitation, " FOR UPDATE OF i")
		if err != nil {
			return user, err
		}
		if row.Purpose != onward.ToInvite { // else whoever reads a user's letters gets round the second factor
			return user, errNobody()
		}
		user = row.ID
		if err := tx.useInvitation(ctx, invitation, user, mailed); err != nil {
			return user, err
		}
	case who.Email != "":
		// Who is bound already stays so: a provider may give the address of somebody who left to another.
		err := tx.get(ctx, &user, `SELECT u.id FROM users u WHERE lower(u.email) = lower($1) AND u.email_verified_at IS NOT NULL AND u.suspended_at IS NULL
			AND NOT EXISTS (SELECT FROM external_identities e WHERE e.user_id = u.id AND e.issuer = $2)`, who.Email, who.Issuer)
		if errors.Is(err, sql.ErrNoRows) {
			return user, errNobody()
		} else if err != nil {
			return user, err
		}
	default:
		return user, errNobody()
	}
	if _, err := tx.exec(ctx, `INSERT INTO external_identities (issuer, subject, organisation_id, user_id, created_at) SELECT $1, $2, u.organisation_id, u.id, $4 FROM users u WHERE u.id = $3`,
		who.Issuer, who.Subject, user, tx.now); err != nil {
		return user, wrap("bind identity", err)
	}
	return user, tx.changed(ctx, user, "provider")
}
