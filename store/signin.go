package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"onward"
)

// forUser runs fn as the system on behalf of somebody, who may change how they sign in but never read how it is kept. The audit says who.
func (s *Store) forUser(ctx context.Context, actor onward.Actor, fn func(*Tx) error) error {
	actor.Role = onward.RoleSystem
	return s.InTx(ctx, actor, fn)
}

const accountColumns = `u.*, c.password_hash IS NOT NULL AS has_password, c.signed_in_at, EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS has_second_factor,
	(SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id AND r.used_at IS NULL) AS recovery_codes`

// account reads a user with how they sign in. ENotFound if there is none.
func (tx *Tx) account(ctx context.Context, id onward.ID) (a onward.Account, err error) {
	err = tx.get(ctx, &a, `SELECT `+accountColumns+` FROM users u LEFT JOIN credentials c ON c.user_id = u.id WHERE u.id = $1 AND ($2::uuid IS NULL OR u.organisation_id = $2)`,
		id, nilIfZero(tx.Actor.OrganisationID))
	return a, wrap("read account", notFound(err, "no user of your organisation has this id; list them again"))
}

// Account is a user of the actor's organisation with how they sign in.
func (s *Store) Account(ctx context.Context, actor onward.Actor, id onward.ID) (a onward.Account, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		a, err = tx.account(ctx, id)
		return err
	})
	return a, err
}

// Accounts lists the users of the actor's organisation, of all for the system, by e-mail address.
func (s *Store) Accounts(ctx context.Context, actor onward.Actor) (list []onward.Account, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		list = []onward.Account{}
		return tx.selectAll(ctx, &list, `SELECT `+accountColumns+` FROM users u LEFT JOIN credentials c ON c.user_id = u.id WHERE $1::uuid IS NULL OR u.organisation_id = $1 ORDER BY lower(u.email)`,
			nilIfZero(actor.OrganisationID))
	})
	return list, wrap("list accounts", err)
}

// CheckPassword finds whose e-mail address and password these are. EUnauthenticated, after the same time and in the same words, when nobody
// has the address, the password is another, or the user or the organisation is suspended.
func (s *Store) CheckPassword(ctx context.Context, email, password string) (a onward.Account, err error) {
	if onward.TooLongToSignIn(password) || len(email) > 254 {
		email, password = "", ""
	}
	var row struct {
		UserID onward.ID `db:"user_id"`
		Hash   string    `db:"password_hash"`
	}
	err = translate(s.db.GetContext(ctx, &row, `SELECT * FROM sign_in_of($1)`, strings.TrimSpace(email)))
	if err != nil && !errors.Is(err, sql.ErrNoRows) && onward.CodeOf(err) != onward.EInvalid { // text that can't be an address is nobody's
		return a, wrap("sign in", err)
	}
	ok, outdated, err := s.passwords.Verify(ctx, password, row.Hash)
	if err != nil {
		return a, err
	}
	if !ok {
		return a, onward.ErrWrongSignIn()
	}
	renewed := ""
	if outdated {
		if renewed, err = s.passwords.Hash(ctx, password); err != nil {
			return a, err
		}
	}
	err = s.forUser(ctx, onward.Actor{UserID: row.UserID}, func(tx *Tx) error {
		if renewed != "" {
			if _, err := tx.exec(ctx, `UPDATE credentials SET password_hash = $2 WHERE user_id = $1 AND password_hash = $3`, row.UserID, renewed, row.Hash); err != nil {
				return wrap("renew hash", err)
			}
		}
		a, err = tx.account(ctx, row.UserID)
		return err
	})
	return a, err
}

// Confirm checks that it is still the user who asks: by the password. EInvalid for the field when it is another. Who has no password has to
// have signed in a moment ago.
func (s *Store) Confirm(ctx context.Context, actor onward.Actor, confirmed time.Time, password string) error {
	var hash sql.NullString
	var now time.Time
	if err := s.forUser(ctx, actor, func(tx *Tx) error {
		now = tx.now
		err := tx.get(ctx, &hash, `SELECT password_hash FROM credentials WHERE user_id = $1`, actor.UserID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	}); err != nil {
		return wrap("confirm", err)
	}
	if !hash.Valid {
		if now.Sub(confirmed) > freshFor {
			return onward.Errorf(onward.EForbidden, "sign in again first: this is done only within ten minutes of it")
		}
		return nil
	}
	if onward.TooLongToSignIn(password) {
		password = ""
	}
	ok, _, err := s.passwords.Verify(ctx, password, hash.String)
	if err == nil && !ok {
		err = onward.Invalid([]onward.FieldError{{Field: "current_password", Rule: "wrong", Message: "this is not your present password"}})
	}
	return err
}

// freshFor is how long a sign-in without a password counts as just now.
const freshFor = 10 * time.Minute

// wordsOf are what anybody would try as a part of a user's password.
func wordsOf(u onward.User) []string {
	local, _, _ := strings.Cut(u.Email, "@")
	return append(strings.Fields(u.Name), local)
}

// SetPassword gives a user a password, and ends their sessions but the one that asks. EInvalid for one that will not do.
func (s *Store) SetPassword(ctx context.Context, actor onward.Actor, user onward.ID, field, password string) error {
	hash, err := s.newHash(ctx, actor, user, field, password)
	if err != nil {
		return err
	}
	return s.forUser(ctx, actor, func(tx *Tx) error { return tx.setPassword(ctx, user, hash) })
}

// CheckNewPassword says whether a password will do for a user who may not be there yet: EInvalid for the field.
func (s *Store) CheckNewPassword(u onward.User, field, password string) error {
	return s.passwords.Check(field, password, wordsOf(u)...)
}

// newHash checks a new password and hashes it, outside of any transaction.
func (s *Store) newHash(ctx context.Context, actor onward.Actor, user onward.ID, field, password string) (string, error) {
	account, err := s.Account(ctx, actor, user)
	if err != nil {
		return "", err
	}
	if err := s.CheckNewPassword(account.User, field, password); err != nil {
		return "", err
	}
	return s.passwords.Hash(ctx, password)
}

func (tx *Tx) setPassword(ctx context.Context, user onward.ID, hash string) error {
	n, err := tx.exec(ctx, `INSERT INTO credentials (user_id, organisation_id, password_hash, password_set_at) SELECT u.id, u.organisation_id, $2, $3 FROM users u WHERE u.id = $1
		ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, password_set_at = excluded.password_set_at`, user, hash, tx.now)
	if err != nil || n == 0 {
		return wrap("set password", errors.Join(err, notFound(sql.ErrNoRows, "there is no such user")))
	}
	return tx.changed(ctx, user, "password")
}

// changed ends the sessions of a user but the one that asks, and tells them that how they sign in was changed.
func (tx *Tx) changed(ctx context.Context, user onward.ID, what string) error {
	a, err := tx.account(ctx, user)
	if err != nil {
		return err
	}
	if err := tx.endSessions(ctx, user, tx.Actor.SessionID); err != nil {
		return err
	}
	return tx.announce(ctx, onward.Event{Kind: onward.EventAccountChanged, OrganisationID: a.OrganisationID, UserID: user, SubjectID: user, Status: what})
}

const (
	// codePeriod, in seconds, and six digits are what every authenticator app knows.
	codePeriod = 30
	// codeDrift is how many periods a clock may be off.
	codeDrift = 1
	// factorBytes of a secret are those of SHA-1.
	factorBytes = 20
	// pendingFor is how long a second factor waits to be confirmed.
	pendingFor = 15 * time.Minute
	// recoveryCodes are made at once.
	recoveryCodes = 10
)

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// factorName names the secret of a second factor to the vault.
func factorName(id onward.ID) string { return "second_factors " + id.String() }

// NewFactor is a second factor to put into an authenticator app. It counts once it is confirmed.
type NewFactor struct {
	Secret string `json:"secret" doc:"To type into an authenticator app; shown this once"`
	URL    string `json:"url" doc:"The same as otpauth://…, for a QR code"`
}

// BeginSecondFactor makes the secret of a second factor for the actor. It counts once ConfirmSecondFactor has seen a code of it.
func (s *Store) BeginSecondFactor(ctx context.Context, actor onward.Actor) (f NewFactor, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		account, err := tx.account(ctx, actor.UserID)
		if err != nil {
			return err
		}
		var secret [factorBytes]byte
		_, _ = rand.Read(secret[:]) // never fails: crypto/rand aborts the process instead
		id := onward.NewID()
		wrapped, err := s.vault.Wrap(secret[:], factorName(id))
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM second_factors WHERE user_id = $1 AND confirmed_at IS NULL`, actor.UserID); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `INSERT INTO second_factors (id, user_id, organisation_id, secret, key_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, actor.UserID, account.OrganisationID, wrapped, s.vault.Primary(), tx.now); err != nil {
			return err
		}
		f.Secret = unpadded.EncodeToString(secret[:])
		query := url.Values{"secret": {f.Secret}, "issuer": {"Onward"}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {strconv.Itoa(codePeriod)}}
		f.URL = "otpauth://totp/" + url.PathEscape("Onward:"+account.Email) + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
		return nil
	})
	return f, wrap("set up second factor", err)
}

type factor struct {
	ID     onward.ID `db:"id"`
	Secret []byte    `db:"secret"`
	Step   int64     `db:"step"`
}

// stepOf is the period whose code this is, 0 if it is none of now, or was taken before.
func (tx *Tx) stepOf(f factor, code string) (int64, error) {
	secret, err := tx.store.vault.Unwrap(f.Secret, factorName(f.ID))
	if err != nil {
		return 0, err
	}
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	now, found := tx.now.Unix()/codePeriod, int64(0)
	for step := now - codeDrift; step <= now+codeDrift; step++ {
		want, err := hotp.GenerateCodeCustom(unpadded.EncodeToString(secret), uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > f.Step {
			found = step
		}
	}
	return found, nil
}

func errWrongCode() error {
	return onward.Invalid([]onward.FieldError{{Field: "code", Rule: "wrong", Message: "this code is not right, was used already, or its time is over; wait for the next one"}})
}

// ConfirmSecondFactor makes the second factor count that was begun, in place of the one before, when the code is one of it. Other sessions
// end. The recovery codes are shown this once.
func (s *Store) ConfirmSecondFactor(ctx context.Context, actor onward.Actor, code string) (codes []string, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		var f factor
		err := tx.get(ctx, &f, `SELECT id, secret, step FROM second_factors WHERE user_id = $1 AND confirmed_at IS NULL AND created_at > $2 FOR UPDATE`, actor.UserID, tx.now.Add(-pendingFor))
		if errors.Is(err, sql.ErrNoRows) {
			return onward.Errorf(onward.EConflict, "no second factor waits to be confirmed; begin again")
		} else if err != nil {
			return err
		}
		step, err := tx.stepOf(f, code)
		if err != nil {
			return err
		}
		if step == 0 {
			return errWrongCode()
		}
		if _, err := tx.exec(ctx, `DELETE FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL`, actor.UserID); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE second_factors SET confirmed_at = $2, step = $3 WHERE id = $1`, f.ID, tx.now, step); err != nil {
			return err
		}
		if codes, err = tx.renewRecoveryCodes(ctx); err != nil {
			return err
		}
		return tx.changed(ctx, actor.UserID, "second_factor")
	})
	return codes, wrap("confirm second factor", err)
}

// recoveryHash is what is kept of a recovery code, however it was typed.
func recoveryHash(code string) []byte {
	code = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	sum := sha256.Sum256([]byte("recovery " + code))
	return sum[:]
}

func (tx *Tx) renewRecoveryCodes(ctx context.Context) ([]string, error) {
	if _, err := tx.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = $1`, tx.Actor.UserID); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		var random [15]byte
		_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
		text := unpadded.EncodeToString(random[:])
		for at := 0; at < len(text); at += 4 {
			codes[i] += "-" + text[at:at+4]
		}
		codes[i] = codes[i][1:]
		if _, err := tx.exec(ctx, `INSERT INTO recovery_codes (user_id, organisation_id, hash) SELECT u.id, u.organisation_id, $2 FROM users u WHERE u.id = $1`, tx.Actor.UserID, recoveryHash(codes[i])); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// RenewRecoveryCodes gives the actor new recovery codes, shown this once; the old ones are dead. EConflict without a second factor.
func (s *Store) RenewRecoveryCodes(ctx context.Context, actor onward.Actor) (codes []string, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		account, err := tx.account(ctx, actor.UserID)
		if err != nil {
			return err
		}
		if !account.HasSecondFactor {
			return onward.Errorf(onward.EConflict, "set up a second factor first")
		}
		codes, err = tx.renewRecoveryCodes(ctx)
		return err
	})
	return codes, wrap("renew recovery codes", err)
}

// CheckSecondFactor takes a code of the actor's second factor, or a recovery code, once. EInvalid for the field when it is wrong.
func (s *Store) CheckSecondFactor(ctx context.Context, actor onward.Actor, code string) (recovery bool, err error) {
	err = s.forUser(ctx, actor, func(tx *Tx) error {
		var f factor
		err := tx.get(ctx, &f, `SELECT id, secret, step FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL FOR UPDATE`, actor.UserID)
		if errors.Is(err, sql.ErrNoRows) {
			return errWrongCode()
		} else if err != nil {
			return err
		}
		if len(code) > 12 && len(code) < 60 { // longer than six digits, however they are typed
			n, err := tx.exec(ctx, `UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL`, actor.UserID, recoveryHash(code), tx.now)
			if err == nil && n == 0 {
				return errWrongCode()
			}
			recovery = true
			return err
		}
		step, err := tx.stepOf(f, code)
		if err != nil {
			return err
		}
		if step == 0 {
			return errWrongCode()
		}
		_, err = tx.exec(ctx, `UPDATE second_factors SET step = $2 WHERE id = $1`, f.ID, step)
		return err
	})
	return recovery, wrap("check second factor", err)
}

// RemoveSecondFactor takes a user's second factor and recovery codes away, and ends their sessions but the one that asks.
func (s *Store) RemoveSecondFactor(ctx context.Context, actor onward.Actor, user onward.ID) error {
	err := s.forUser(ctx, actor, func(tx *Tx) error {
		account, err := tx.account(ctx, user)
		if err != nil {
			return err
		}
		if !account.HasSecondFactor {
			return onward.Errorf(onward.EConflict, "there is no second factor to remove")
		}
		if _, err := tx.exec(ctx, `DELETE FROM second_factors WHERE user_id = $1`, user); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = $1`, user); err != nil {
			return err
		}
		return tx.changed(ctx, user, "second_factor")
	})
	return wrap("remove second factor", err)
}
