package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"aidanwoods.dev/go-paseto"

	"onward"
)

// answerPurpose is in every token of an answer link, so that a token for something else is none.
const answerPurpose = "answer-referral"

// ownKey reads a key that Onward makes for itself, and makes it when it is not there. Two that make it at once get the same.
func (tx *Tx) ownKey(ctx context.Context, name string) ([]byte, error) {
	read := func() (key []byte, err error) {
		if err := tx.get(ctx, &key, `SELECT secret FROM own_keys WHERE name = $1`, name); err != nil {
			return nil, err
		}
		return tx.store.vault.Unwrap(key, ownKeyName(name))
	}
	key, err := read()
	if !errors.Is(err, sql.ErrNoRows) {
		return key, wrap("read key", err)
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
	wrapped, err := tx.store.vault.Wrap(random[:], ownKeyName(name))
	if err != nil {
		return nil, err
	}
	if _, err := tx.exec(ctx, `INSERT INTO own_keys (name, secret, key_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, name, wrapped, tx.store.vault.Primary()); err != nil {
		return nil, wrap("make key", err)
	}
	key, err = read()
	return key, wrap("read key", err)
}

// ownKeyName names one of Onward's own keys to the vault.
func ownKeyName(name string) string { return "own_keys " + name }

// answerKey is read once: forged links cost no statement.
func (s *Store) answerKey(ctx context.Context) (paseto.V4SymmetricKey, error) {
	if key := s.links.Load(); key != nil {
		return *key, nil
	}
	var key paseto.V4SymmetricKey
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		secret, err := tx.ownKey(ctx, "answer-links")
		if err != nil {
			return err
		}
		key, err = paseto.V4SymmetricKeyFromBytes(secret)
		return err
	})
	if err != nil {
		return key, wrap("read key of links", err)
	}
	s.links.Store(&key)
	return key, nil
}

// AnswerLink makes a link by which the recipient of a referral answers without a login, once, while a place is held. EConflict
// when no answer is awaited. The caller has to be of the agency, or the system that writes to the recipient.
func (s *Store) AnswerLink(ctx context.Context, actor onward.Actor, referral onward.ID) (onward.AnswerLink, error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return onward.AnswerLink{}, err
	}
	link := onward.AnswerLink{ReferralID: referral}
	err = s.InTx(ctx, actor, func(tx *Tx) error {
		r, err := tx.Referral(ctx, referral)
		if err != nil {
			return err
		}
		if r.Status != onward.ReferralRequested || r.HoldUntil == nil {
			return onward.Errorf(onward.EConflict, "a referral that is %s awaits no answer; read it again for its present state", r.Status)
		}
		id := onward.NewID()
		if _, err := tx.exec(ctx, `INSERT INTO answer_links (id, referral_id, organisation_id, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)`,
			id, referral, r.OrganisationID, *r.HoldUntil, tx.now); err != nil {
			return wrap("make answer link", err)
		}
		token := paseto.NewToken()
		token.SetIssuedAt(tx.now)
		token.SetNotBefore(tx.now)
		token.SetExpiration(*r.HoldUntil)
		token.SetAudience(answerPurpose)
		token.SetJti(id.String())
		link.ExpiresAt = *r.HoldUntil
		link.Token = token.V4Encrypt(key, nil)
		return nil
	})
	return link, err
}

// errBadLink does not tell a forged link from one that ran out or was never made.
func errBadLink() error {
	return onward.Errorf(onward.ENotFound, "this link is not valid, or its time is over; ask whoever referred the person for a new one")
}

// readLink says which link a token is, before the database is asked.
func (s *Store) readLink(ctx context.Context, secret string) (link onward.ID, err error) {
	key, err := s.answerKey(ctx)
	if err != nil {
		return link, err
	}
	return linkOf(key, secret)
}

func linkOf(key paseto.V4SymmetricKey, secret string) (link onward.ID, err error) {
	if len(secret) > 1000 {
		return link, errBadLink()
	}
	// When it ends is the database's to say, by its clock.
	token, err := paseto.MakeParser([]paseto.Rule{paseto.ForAudience(answerPurpose)}).ParseV4Local(key, secret, nil)
	if err != nil {
		return link, errBadLink()
	}
	id, err := token.GetJti()
	if err != nil || link.UnmarshalText([]byte(id)) != nil {
		return link, errBadLink()
	}
	return link, nil
}

// openLink finds what a link is for. Locked, no one else can use it meanwhile.
func (tx *Tx) openLink(ctx context.Context, link onward.ID, lock string) (referral onward.ID, used *time.Time, err error) {
	var row struct {
		ReferralID onward.ID  `db:"referral_id"`
		UsedAt     *time.Time `db:"used_at"`
	}
	err = tx.get(ctx, &row, `SELECT referral_id, used_at FROM answer_links WHERE id = $1 AND expires_at > $2`+lock, link, tx.now)
	if errors.Is(err, sql.ErrNoRows) {
		return referral, nil, errBadLink()
	}
	return row.ReferralID, row.UsedAt, wrap("open answer link", err)
}

// LinkedReferral is what a link leads to, with the profile that the recipient's card is made of. ENotFound for a link that is
// not valid, was used, or leads to a referral that awaits no answer or to a person who agrees no longer.
func (s *Store) LinkedReferral(ctx context.Context, secret string) (r onward.ReceivedReferral, p Profile, err error) {
	link, err := s.readLink(ctx, secret)
	if err != nil {
		return r, p, err
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		referral, used, err := tx.openLink(ctx, link, "")
		if err != nil {
			return err
		}
		if used != nil {
			return errUsedLink()
		}
		if err := tx.loadLinkedKey(ctx, link); err != nil {
			return err
		}
		r, p, err = tx.shown(ctx, referral)
		return err
	})
	return r, p, err
}

func errUsedLink() error {
	return onward.Errorf(onward.EConflict, "this link was used; each answers once. Ask whoever referred the person for a new one if something changed")
}

// shown is a referral that awaits an answer, with the profile of the person while they agree to be shown.
func (tx *Tx) shown(ctx context.Context, id onward.ID) (onward.ReceivedReferral, Profile, error) {
	var p Profile
	r, err := tx.ReceivedReferral(ctx, id)
	if err != nil {
		return r, p, err
	}
	if r.Status != onward.ReferralRequested {
		return r, p, onward.Errorf(onward.EConflict, "it awaits no answer any more: it is %s", r.Status)
	}
	err = tx.get(ctx, &p, `SELECT p.id, p.version, p.details FROM returnees p JOIN referrals r ON r.returnee_id = p.id WHERE r.id = $1`, id)
	if err != nil {
		return r, p, wrap("read profile", err)
	}
	details, err := p.Read()
	if err != nil {
		return r, p, err
	}
	var recipient onward.ID
	if err := tx.get(ctx, &recipient, `SELECT recipient_id FROM referrals WHERE id = $1`, id); err != nil {
		return r, p, wrap("read recipient", err)
	}
	shares, err := tx.sharesWith(ctx, details, recipient)
	if err == nil && !shares {
		err = errBadLink()
	}
	return r, p, err
}

// ShownProfile is LinkedReferral for the signed-in recipient.
func (s *Store) ShownProfile(ctx context.Context, actor onward.Actor, id onward.ID) (r onward.ReceivedReferral, p Profile, err error) {
	var words onward.ReceivedReferral
	err = s.InTx(ctx, actor, func(tx *Tx) (err error) {
		words, err = tx.ReceivedReferral(ctx, id)
		return err
	})
	if err != nil {
		return r, p, err
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		r, p, err = tx.shown(ctx, id)
		return err
	})
	r.Question, r.Information = words.Question, words.Information // which the system can't read
	return r, p, err
}

// AnswerByLink answers a referral once, for whoever holds the link. Errors as LinkedReferral; EInvalid for an answer that is
// not one.
func (s *Store) AnswerByLink(ctx context.Context, secret string, a onward.Answer) (r onward.ReceivedReferral, err error) {
	if err := a.Validate(); err != nil {
		return r, err
	}
	link, err := s.readLink(ctx, secret)
	if err != nil {
		return r, err
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		// The referral first, as everywhere; then the link, so that of two who use it at once one does.
		referral, _, err := tx.openLink(ctx, link, "")
		if err != nil {
			return err
		}
		row, _, err := tx.lockReferral(ctx, referral, 0)
		if err != nil {
			return err
		}
		_, used, err := tx.openLink(ctx, link, " FOR UPDATE")
		if err != nil {
			return err
		}
		if used != nil {
			return errUsedLink()
		}
		if err := tx.loadLinkedKey(ctx, link); err != nil {
			return err
		}
		if _, _, err := tx.shown(ctx, referral); err != nil {
			return err
		}
		if a.Answer == onward.AnswerAsk {
			err = tx.ask(ctx, row, a.Question)
		} else {
			err = tx.move(ctx, row, onward.PartyRecipient, onward.ReferralChange{Event: a.Answer.Event(), Reason: a.Reason}, 0)
		}
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE answer_links SET used_at = $2 WHERE id = $1`, link, tx.now); err != nil {
			return wrap("use answer link", err)
		}
		r, err = tx.ReceivedReferral(ctx, referral)
		return err
	})
	return r, err
}
