package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"aidanwoods.dev/go-paseto"

	"onward"
)

// What signed texts are for, so that one for something else is none.
const (
	invitationPurpose = "invitation"
	devicePurpose     = "known-device"
	// mailedClaim says that a link went by letter: who has it reads what comes to the address.
	mailedClaim = "mailed"
	// accountClaim is whose device it is, as a keyed hash.
	accountClaim = "account"
	// deviceFor is how long a device stays known without a sign-in.
	deviceFor = 180 * 24 * time.Hour
)

// Invite adds a user of the actor's organisation, who chooses a password by the link.
func (s *Store) Invite(ctx context.Context, actor onward.Actor, organisation onward.ID, n onward.NewUser) (a onward.Account, i onward.Invitation, err error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return a, i, err
	}
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		u, err := tx.CreateUser(ctx, onward.User{OrganisationID: organisation, Name: n.Name, Email: n.Email, Role: n.Role, Language: n.Language})
		if err != nil {
			return err
		}
		a = onward.Account{User: u}
		i, err = tx.invite(ctx, key, u, onward.ToInvite, onward.InvitedFor)
		return err
	})
	return a, i, err
}

// InviteAgain makes another link for a user: to the first password or, where there is one, to another. Those before are dead.
func (s *Store) InviteAgain(ctx context.Context, actor onward.Actor, user onward.ID) (i onward.Invitation, err error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return i, err
	}
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		a, err := tx.account(ctx, user)
		if err != nil {
			return err
		}
		if a.SuspendedAt != nil {
			return onward.Errorf(onward.EConflict, "the user is suspended; reinstate them first")
		}
		purpose, lasts := onward.ToInvite, onward.InvitedFor
		if a.HasPassword {
			purpose, lasts = onward.ToReset, onward.ResetFor
		}
		i, err = tx.invite(ctx, key, a.User, purpose, lasts)
		return err
	})
	return i, err
}

// invite makes an invitation and tells the user of it.
func (tx *Tx) invite(ctx context.Context, key paseto.V4SymmetricKey, u onward.User, purpose onward.InvitationPurpose, lasts time.Duration) (i onward.Invitation, err error) {
	if _, err := tx.exec(ctx, `UPDATE invitations SET expires_at = $2 WHERE user_id = $1 AND used_at IS NULL AND expires_at > $2`, u.ID, tx.now); err != nil {
		return i, wrap("end invitations", err)
	}
	i = onward.Invitation{ID: onward.NewID(), UserID: u.ID, Purpose: purpose, ExpiresAt: tx.now.Add(lasts)}
	if _, err := tx.exec(ctx, `INSERT INTO invitations (id, organisation_id, user_id, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		i.ID, u.OrganisationID, u.ID, string(purpose), tx.now, i.ExpiresAt); err != nil {
		return i, wrap("invite", err)
	}
	i.Token = invitationToken(key, i.ID, i.ExpiresAt, "")
	kind := onward.EventAccountInvited
	if purpose == onward.ToReset {
		kind = onward.EventAccountReset
	}
	return i, tx.announce(ctx, onward.Event{Kind: kind, OrganisationID: u.OrganisationID, UserID: u.ID, SubjectID: i.ID})
}

func invitationToken(key paseto.V4SymmetricKey, id onward.ID, until time.Time, mailed string) string {
	token := paseto.NewToken()
	token.SetExpiration(until)
	token.SetAudience(invitationPurpose)
	token.SetJti(id.String())
	token.SetString(mailedClaim, mailed)
	return token.V4Encrypt(key, nil)
}

// MailedInvitation is the token of an invitation for a letter. ENotFound once it was used or its time is over.
func (s *Store) MailedInvitation(ctx context.Context, id onward.ID) (token string, err error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return "", err
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var until time.Time
		err := tx.get(ctx, &until, `SELECT expires_at FROM invitations WHERE id = $1 AND used_at IS NULL AND expires_at > $2`, id, tx.now)
		token = invitationToken(key, id, until, "yes")
		return notFound(err, "this invitation was used, or its time is over")
	})
	return token, err
}

// AskReset makes a link to another password for whose address it is, and tells them by letter. It says nothing: neither that there is
// somebody, nor that there is not.
func (s *Store) AskReset(ctx context.Context, email, from string) error {
	key, err := s.answerKey(ctx)
	if err != nil {
		return err
	}
	actor := onward.System()
	actor.From = from
	err = s.InTx(ctx, actor, func(tx *Tx) error {
		var u onward.User
		err := tx.get(ctx, &u, `SELECT u.* FROM users u JOIN organisations o ON o.id = u.organisation_id JOIN credentials c ON c.user_id = u.id
			WHERE lower(u.email) = lower($1) AND u.suspended_at IS NULL AND o.suspended_at IS NULL AND c.password_hash IS NOT NULL`, email)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		_, err = tx.invite(ctx, key, u, onward.ToReset, onward.ForgottenFor)
		return err
	})
	if onward.CodeOf(err) == onward.EInvalid { // text that can't be an address is nobody's
		return nil
	}
	return wrap("ask for another password", err)
}

func errBadInvitation() error {
	return onward.Errorf(onward.ENotFound, "this link is not valid, was used, or its time is over; ask your administrator for another")
}

// invitation reads the row that a token names.
func (s *Store) invitation(ctx context.Context, secret string) (id onward.ID, mailed bool, err error) {
	key, err := s.answerKey(ctx)
	if err != nil || len(secret) > 1000 {
		return id, false, errors.Join(err, errBadInvitation())
	}
	// When it ends is the database's to say, by its clock.
	token, err := paseto.MakeParser([]paseto.Rule{paseto.ForAudience(invitationPurpose)}).ParseV4Local(key, secret, nil)
	if err != nil {
		return id, false, errBadInvitation()
	}
	text, err := token.GetJti()
	if err != nil || id.UnmarshalText([]byte(text)) != nil {
		return id, false, errBadInvitation()
	}
	claim, err := token.GetString(mailedClaim)
	return id, err == nil && claim == "yes", nil
}

type invitedRow struct {
	onward.User
	Purpose      onward.InvitationPurpose `db:"purpose"`
	Organisation string                   `db:"organisation"`
	ExpiresAt    time.Time                `db:"expires_at"`
}

func (tx *Tx) invited(ctx context.Context, id onward.ID, lock string) (row invitedRow, err error) {
	err = tx.get(ctx, &row, `SELECT u.*, i.purpose, i.expires_at, o.name AS organisation FROM invitations i JOIN users u ON u.id = i.user_id JOIN organisations o ON o.id = u.organisation_id
		WHERE i.id = $1 AND i.used_at IS NULL AND i.expires_at > $2 AND u.suspended_at IS NULL AND o.suspended_at IS NULL`+lock, id, tx.now)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errBadInvitation()
	}
	return row, wrap("read invitation", err)
}

// ReadInvitation shows whom an invitation is for. ENotFound for one that is not valid, was used, or whose time is over.
func (s *Store) ReadInvitation(ctx context.Context, secret string) (i onward.Invited, err error) {
	id, _, err := s.invitation(ctx, secret)
	if err != nil {
		return i, err
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		row, err := tx.invited(ctx, id, "")
		i = onward.Invited{Purpose: row.Purpose, Name: row.Name, Email: row.Email, Organisation: row.Organisation, Language: row.Language, ExpiresAt: row.ExpiresAt}
		return err
	})
	return i, err
}

// AcceptInvitation sets the password of whom an invitation is for, once. Their sessions end. EInvalid for a password that will not do, which
// leaves the invitation as it is.
func (s *Store) AcceptInvitation(ctx context.Context, from, secret, password string) (a onward.Account, err error) {
	id, mailed, err := s.invitation(ctx, secret)
	if err != nil {
		return a, err
	}
	var row invitedRow
	if err := s.InTx(ctx, onward.System(), func(tx *Tx) (err error) {
		row, err = tx.invited(ctx, id, "")
		return err
	}); err != nil {
		return a, err
	}
	actor := onward.Actor{UserID: row.ID, OrganisationID: row.OrganisationID, From: from}
	hash, err := s.newHash(ctx, actor, row.ID, "password", password)
	if err != nil {
		return a, err
	}
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		if _, err := tx.invited(ctx, id, " FOR UPDATE OF i"); err != nil {
			return err
		}
		if err := tx.useInvitation(ctx, id, row.ID, mailed); err != nil {
			return err
		}
		if err := tx.setPassword(ctx, row.ID, hash); err != nil {
			return err
		}
		a, err = tx.account(ctx, row.ID)
		return err
	})
	return a, wrap("accept invitation", err)
}

// NewDevice makes a device known from which the user of an account, named by a keyed hash, has signed in.
func (s *Store) NewDevice(ctx context.Context, account string) (string, error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return "", err
	}
	token := paseto.NewToken()
	token.SetExpiration(s.clock().Add(deviceFor))
	token.SetAudience(devicePurpose)
	token.SetJti(onward.NewID().String())
	token.SetString(accountClaim, account)
	return token.V4Encrypt(key, nil), nil
}

// KnownDevice names the device of an account that NewDevice made known. Empty: it is none.
func (s *Store) KnownDevice(ctx context.Context, account, secret string) string {
	key, err := s.answerKey(ctx)
	if err != nil || secret == "" || len(secret) > 1000 {
		return ""
	}
	token, err := paseto.MakeParser([]paseto.Rule{paseto.ForAudience(devicePurpose)}).ParseV4Local(key, secret, nil)
	if err != nil {
		return ""
	}
	if until, err := token.GetExpiration(); err != nil || !until.After(s.clock()) {
		return ""
	}
	if of, err := token.GetString(accountClaim); err != nil || of != account {
		return ""
	}
	device, err := token.GetJti()
	if err != nil {
		return ""
	}
	return device
}

// useInvitation is the one time that an invitation opens. Whoever had it by e-mail reads what is sent to that address.
func (tx *Tx) useInvitation(ctx context.Context, id, user onward.ID, mailed bool) error {
	if _, err := tx.exec(ctx, `UPDATE invitations SET used_at = $2 WHERE id = $1`, id, tx.now); err != nil || !mailed {
		return err
	}
	_, err := tx.exec(ctx, `UPDATE users SET email_verified_at = $2 WHERE id = $1 AND email_verified_at IS NULL`, user, tx.now)
	return err
}
