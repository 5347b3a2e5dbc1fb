package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"onward"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
)

// Restore says what is restored, and over what.
type Restore struct {
	Archive    string // file, or - for the standard input
	Keys       string // file; "" is the one beside the archive
	Identities []age.Identity
	Vault      *vault.Vault
	// OwnerURL is the login that owns the schema; AdminURL one that may make and rename databases, "" the same.
	OwnerURL, AdminURL string
	// Anchors are ends of audit chains that were kept elsewhere.
	Anchors []onward.AuditHead
	// EraseUnknown erases who is in the archive and not in the keys, and of whom these do not say that they were erased.
	EraseUnknown bool
	// DropOld removes the database that was there instead of keeping it under another name.
	DropOld bool
	// Disconnect ends the connections to the database that is replaced.
	Disconnect bool
	// NoticesWithin is how old what is still to be told may be; older is given up.
	NoticesWithin time.Duration
	// Vocabulary reads the vocabulary of a store, which erasing who is under a legal hold needs.
	Vocabulary func(context.Context, *store.Store) (*store.Store, error)
	// Progress is told, in a sentence, of what takes long.
	Progress func(string)
	// Input is the standard input.
	Input io.Reader
}

// Restored says what a restore did.
type Restored struct {
	Manifest     Manifest
	Rows         int64
	People       int   // who can be named again
	Erased       int   // again, since they were erased after the backup
	Held         int   // who are to be erased when a legal hold is released
	AuditEntries int64 // that were verified
	Dropped      int   // notices
	Kept         string
	Took         time.Duration
}

// Checked says what is in an archive that can be read to its end.
type Checked struct {
	Manifest Manifest
	Rows     int64
	Bytes    int64
	KeysAt   time.Time
	People   int64 // with keys
	Erased   int64
}

// Check reads the archive and its keys to their ends, and changes nothing. With a vault it opens each person's key.
func (r Restore) Check(ctx context.Context) (c Checked, err error) {
	archive, err := r.openArchive()
	if err != nil {
		return c, err
	}
	defer archive.close()
	c.Manifest = archive.Manifest
	s, err := archive.each(func(name string, content io.Reader) (int64, error) { return countRows(name, readWhile(ctx, content)) })
	if err != nil {
		return c, err
	}
	for _, n := range s.Rows {
		c.Rows += n
	}
	for _, p := range s.Parts {
		c.Bytes += p.Bytes
	}
	keys, err := r.openKeys(c.Manifest)
	if err != nil {
		return c, err
	}
	defer keys.close()
	c.KeysAt = keys.Manifest.MadeAt
	s, err = keys.each(func(name string, content io.Reader) (int64, error) {
		if tableOf(name) == personKeys && r.Vault != nil {
			return openPersonKeys(r.Vault, readWhile(ctx, content))
		}
		return countRows(name, readWhile(ctx, content))
	})
	c.People, c.Erased = s.Rows[personKeys], s.Rows[erasures]
	return c, err
}

// readWhile ends with its context.
func readWhile(ctx context.Context, from io.Reader) io.Reader { return &cancelled{ctx, from} }

type cancelled struct {
	ctx  context.Context
	from io.Reader
}

func (c *cancelled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.from.Read(b)
}

// source closes the file below an archive with it.
type source struct {
	*reader
	file io.Closer
}

func (s *source) close() {
	s.reader.close()
	_ = s.file.Close()
}

func (r Restore) openArchive() (*source, error) {
	if r.Archive == "-" {
		return r.open(io.NopCloser(r.Input), kindDatabase)
	}
	f, err := os.Open(r.Archive)
	if err != nil {
		return nil, onward.Errorf(onward.ENotFound, "the archive can't be opened").Because(err)
	}
	return r.open(f, kindDatabase)
}

// openKeys opens the keys, and refuses those that can't belong to the archive.
func (r Restore) openKeys(of Manifest) (*source, error) {
	path := r.Keys
	if path == "" {
		if r.Archive == "-" {
			return nil, onward.Errorf(onward.EInvalid, "say where the keys are (--keys): an archive from the standard input has nothing beside it")
		}
		path = keysBeside(r.Archive, of)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, onward.Errorf(onward.ENotFound, "the archive of people's keys can't be opened, and without it no one has a name; give the latest as --keys").Because(err)
	}
	keys, err := r.open(f, kindKeys)
	if err != nil {
		return nil, onward.Errorf(onward.CodeOf(err), "the keys in %s can't be used", filepath.Base(path)).Because(err)
	}
	switch m := keys.Manifest; {
	case m.Database != of.Database:
		err = onward.Errorf(onward.EConflict, "these keys are of another database (%s, and the archive is of %s)", short(m.Database), short(of.Database))
	case m.MadeAt.Before(of.MadeAt):
		err = onward.Errorf(onward.EConflict, "these keys are older (%s) than the archive (%s); give the latest ones, which also say who was erased since", m.MadeAt.Format(time.RFC3339), of.MadeAt.Format(time.RFC3339))
	}
	if err != nil {
		keys.close()
		return nil, err
	}
	return keys, nil
}

func (r Restore) open(f io.ReadCloser, kind string) (*source, error) {
	newest, err := migrations.Newest()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	archive, err := openArchive(f, kind, r.Identities, newest)
	if err != nil {
		if archive != nil {
			archive.close()
		}
		_ = f.Close()
		return nil, err
	}
	return &source{archive, f}, nil
}

// Run checks the archive, restores it into a database beside the present one, checks that, and puts it in the place of the present one in
// one step. Whatever fails before that step leaves the present one as it is.
func (r Restore) Run(ctx context.Context) (done Restored, err error) {
	began := time.Now()
	if r.Progress == nil {
		r.Progress = func(string) {}
	}
	if r.Vault == nil {
		return done, onward.Errorf(onward.EInvalid, "a restore needs the keys of the server (ONWARD_KEYS), with which the backup was sealed")
	}
	if r.Archive != "-" { // a stream is checked while it is restored, before anything is replaced
		r.Progress("Checking the archive and the keys")
		if _, err := r.Check(ctx); err != nil {
			return done, err
		}
	}
	server, err := openServer(ctx, r.OwnerURL, r.AdminURL)
	if err != nil {
		return done, err
	}
	defer server.close(ctx)
	if err := server.mayReplace(ctx, r.Disconnect); err != nil {
		return done, err
	}
	if err := server.create(ctx); err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			server.discard(ctx)
		}
	}()
	if err := r.fill(ctx, server, &done); err != nil {
		return done, err
	}
	r.Progress("Putting it in the place of " + server.target)
	if done.Kept, err = server.swap(ctx, r.Disconnect, r.DropOld); err != nil {
		return done, err
	}
	done.Took = time.Since(began)
	return done, nil
}

// fill makes the new database whole, and checks it.
func (r Restore) fill(ctx context.Context, server *server, done *Restored) error {
	archive, err := r.openArchive()
	if err != nil {
		return err
	}
	defer archive.close()
	done.Manifest = archive.Manifest
	if archive.Manifest.Server > server.major && archive.Manifest.Method == MethodDump {
		return onward.Errorf(onward.EConflict, "pg_dump wrote the archive from Postgres %d, and this server is of %d; restore to one of %d or newer", archive.Manifest.Server, server.major, archive.Manifest.Server)
	}
	keys, err := r.openKeys(archive.Manifest)
	if err != nil {
		return err
	}
	defer keys.close()

	erase, err := r.load(ctx, server, archive.reader, keys.reader, done)
	if err != nil {
		return err
	}
	url, err := server.url(server.fresh)
	if err != nil {
		return err
	}
	if _, err := migrations.Apply(ctx, url); err != nil {
		return err
	}
	return r.examine(ctx, url, archive.reader, erase, done)
}

// person is who is to be erased.
type person struct {
	ID, OrganisationID onward.ID
}

// examine opens what was restored, as a server would: each of the keys, each identity, each chain of the audit. Then it erases who was erased
// after the backup, and writes into the audit that this is a copy.
func (r Restore) examine(ctx context.Context, url string, archive *reader, erase []person, done *Restored) (err error) {
	keeper, err := store.OpenKeeper(ctx, url, r.Vault)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keeper.Close()) }()
	r.Progress("Opening what identifies people")
	if err := keeper.OpenOwn(ctx); err != nil {
		return otherKeys(err)
	}
	// What an older Onward left in the clear, and the proof that nothing is.
	if _, err := keeper.Seal(ctx); err != nil {
		return otherKeys(err)
	}
	if done.People, err = keeper.RebuildTokens(ctx); err != nil {
		return otherKeys(err)
	}
	s, err := store.Open(ctx, store.Config{URL: url, Vault: r.Vault, MaxConns: 2})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r.Progress("Verifying the audit")
	n, flaws, err := s.VerifyAudit(ctx, anchorsOf(archive.Manifest.Audit, r.Anchors))
	if err != nil {
		return err
	}
	if len(flaws) > 0 {
		f := flaws[0]
		return onward.Errorf(onward.EConflict, "the audit of the backup does not hold: %d flaws, the first in the chain of %s, entry %d: %s", len(flaws), f.OrganisationID, f.Seq, f.What)
	}
	done.AuditEntries = n
	if done.Held, err = r.eraseAgain(ctx, s, erase); err != nil {
		return err
	}
	done.Erased = len(erase) - done.Held
	if err := keeper.NoteRestore(ctx, archive.Manifest.MadeAt, archive.sum); err != nil {
		return err
	}
	if r.NoticesWithin > 0 {
		done.Dropped, err = keeper.DropNotices(ctx, time.Now().Add(-r.NoticesWithin))
	}
	return err
}

// anchorsOf are the ends of the chains when the backup was made, with those kept elsewhere that are older.
func anchorsOf(ends, kept []onward.AuditHead) []onward.AuditHead {
	last := make(map[onward.ID]int64, len(ends))
	for _, end := range ends {
		last[end.OrganisationID] = end.Seq
	}
	all := slices.Clone(ends)
	for _, anchor := range kept {
		if anchor.Seq <= last[anchor.OrganisationID] {
			all = append(all, anchor)
		}
	}
	return all
}

// otherKeys says that the keys of this server are those of another, unless something else went wrong.
func otherKeys(err error) error {
	if onward.CodeOf(err) != onward.EUnavailable {
		return err
	}
	return onward.Errorf(onward.EUnavailable, "the keys of this server (ONWARD_KEYS) are not those with which the backup was sealed; put those in their place").Because(err)
}

// eraseAgain erases who was erased after the backup, as it was done then: what is open of them ends, and recipients are asked to delete. Who
// was under a legal hold when the backup was made has no name any more, and is erased when that is released; it says how many those are.
func (r Restore) eraseAgain(ctx context.Context, s *store.Store, people []person) (held int, err error) {
	if len(people) > 0 && r.Vocabulary != nil {
		r.Progress("Erasing again who was erased since")
		if s, err = r.Vocabulary(ctx, s); err != nil {
			return 0, err
		}
	}
	for _, p := range people {
		actor := onward.Actor{Role: onward.RoleSupervisor, OrganisationID: p.OrganisationID, Why: "erased again after a restore"}
		if _, err := s.Erase(ctx, actor, p.ID); onward.CodeOf(err) == onward.EConflict {
			held++
		} else if err != nil {
			return held, fmt.Errorf("erase %s again: %w", p.ID, err)
		}
	}
	return held, nil
}
