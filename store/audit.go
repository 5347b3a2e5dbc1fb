package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lib/pq"

	"onward"
	"onward/store/vault"
)

// noteRead remembers whose identity was opened; it is written in the audit before the transaction ends.
func (tx *Tx) noteRead(resource string, fields []string, people ...onward.ID) {
	if tx.reads == nil {
		tx.reads = map[string]*auditRead{}
	}
	r := tx.reads[resource]
	if r == nil {
		r = &auditRead{fields: fields, people: map[onward.ID]bool{}}
		tx.reads[resource] = r
	}
	for _, id := range people {
		r.people[id] = true
	}
}

// auditRead is what a transaction read of people.
type auditRead struct {
	fields []string
	people map[onward.ID]bool
}

// writeReads writes what was read, in the transaction that read it: nothing is shown of which the audit does not tell.
func (tx *Tx) writeReads(ctx context.Context) error {
	for resource, r := range tx.reads {
		ids := make([]string, 0, len(r.people))
		for id := range r.people {
			ids = append(ids, id.String())
		}
		if _, err := tx.exec(ctx, `SELECT audit_read($1, $2::uuid[], $3)`, resource, pq.Array(ids), pq.Array(r.fields)); err != nil {
			return wrap("write audit", err)
		}
	}
	return nil
}

// auditKey seals what callers give as a reason: words, which may be about anybody. It is read once, when the store is opened.
func (s *Store) auditKey(ctx context.Context) (vault.Key, error) {
	if key := s.reasons.Load(); key != nil {
		return *key, nil
	}
	var key vault.Key
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		secret, err := tx.ownKey(ctx, "audit-reasons")
		if err != nil {
			return err
		}
		key, err = vault.KeyOf(secret)
		return err
	})
	if err != nil {
		return key, err
	}
	s.reasons.Store(&key)
	return key, nil
}

// auditReason is where the reason of a request is, for all entries of it.
func auditReason(request string) string { return fieldOf("audit", request, "why") }

// sealReason seals what an actor gave as a reason, before the transaction begins.
func (s *Store) sealReason(ctx context.Context, actor onward.Actor) (sealedText, error) {
	if actor.Why == "" {
		return "", nil
	}
	key, err := s.auditKey(ctx)
	if err != nil {
		return "", err
	}
	return sealWords(key, auditReason(actor.RequestID), actor.Why)
}

// openReasons opens the reasons of entries. Those of commands, and from before they were sealed, are there as they are: entries are never changed.
func (tx *Tx) openReasons(list []onward.AuditEntry) error {
	for i := range list {
		e := &list[i]
		if !strings.HasPrefix(e.Why, textMark) {
			continue
		}
		key := tx.store.reasons.Load()
		if key == nil {
			return onward.Errorf(onward.EUnavailable, "the database was migrated since this started; start it again")
		}
		var err error
		if e.Why, err = openWords(*key, auditReason(e.RequestID), sealedText(e.Why)); err != nil {
			return err
		}
	}
	return nil
}

// Audit lists what was read and changed of one record, the latest first. Supervisors and administrators see that of their organisation.
func (tx *Tx) Audit(ctx context.Context, about onward.ID, limit int) ([]onward.AuditEntry, error) {
	switch tx.Actor.Role {
	case onward.RoleSupervisor, onward.RoleAdministrator, onward.RoleSystem:
	case onward.RoleCounsellor, onward.RoleEmployer, onward.RolePartner, onward.RoleAnalyst:
		return nil, onward.Errorf(onward.EForbidden, "only supervisors and administrators read the audit")
	}
	var rows []struct {
		Seq   int64  `db:"seq"`
		Entry []byte `db:"entry"`
	}
	if err := tx.selectAll(ctx, &rows, `SELECT seq, entry FROM audit WHERE ids @> ARRAY[$1::uuid] AND ($2::uuid IS NULL OR organisation_id = $2) ORDER BY at DESC, seq DESC LIMIT $3`,
		about, nilIfZero(tx.Actor.OrganisationID), limit); err != nil {
		return nil, wrap("read audit", err)
	}
	list := make([]onward.AuditEntry, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row.Entry, &list[i]); err != nil {
			return nil, fmt.Errorf("read audit: %w", err)
		}
		list[i].Seq = row.Seq
	}
	return list, wrap("read audit", tx.openReasons(list))
}

// AuditHeads are the ends of all chains, for keeping elsewhere.
func (s *Store) AuditHeads(ctx context.Context) (heads []onward.AuditHead, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		var rows []struct {
			OrganisationID onward.ID `db:"organisation_id"`
			Seq            int64     `db:"seq"`
			Hash           []byte    `db:"hash"`
		}
		if err := tx.selectAll(ctx, &rows, `SELECT organisation_id, seq, hash FROM audit_heads ORDER BY organisation_id`); err != nil {
			return err
		}
		heads = make([]onward.AuditHead, len(rows))
		for i, r := range rows {
			heads[i] = onward.AuditHead{OrganisationID: r.OrganisationID, Seq: r.Seq, Hash: hex.EncodeToString(r.Hash)}
		}
		return nil
	})
	return heads, wrap("read audit", err)
}

// VerifyAudit reads all chains from their beginning and says where they do not hold: entries that were altered, removed or put elsewhere,
// and ends, of the database or kept elsewhere, that are not what the chain gives. It reads one snapshot, so that it may run at any time.
func (s *Store) VerifyAudit(ctx context.Context, anchors []onward.AuditHead) (entries int64, flaws []onward.AuditFlaw, err error) {
	anchored := map[onward.ID]map[int64]string{}
	for _, a := range anchors {
		if anchored[a.OrganisationID] == nil {
			anchored[a.OrganisationID] = map[int64]string{}
		}
		anchored[a.OrganisationID][a.Seq] = a.Hash
	}
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		entries, flaws = 0, nil
		// The whole is one long statement over one snapshot.
		if _, err := tx.exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		rows, err := tx.tx.QueryContext(ctx, `SELECT coalesce(h.organisation_id, a.organisation_id), a.seq, a.entry, a.hash, a.ids::text, h.seq, h.hash
			FROM audit_heads h FULL JOIN audit a USING (organisation_id) ORDER BY coalesce(h.organisation_id, a.organisation_id), a.seq`)
		if err != nil {
			return translate(err)
		}
		defer func() { _ = rows.Close() }()
		v := verifier{anchored: anchored}
		for rows.Next() {
			var e auditRow
			if err := rows.Scan(&e.organisation, &e.seq, &e.entry, &e.hash, &e.ids, &e.headSeq, &e.head); err != nil {
				return err
			}
			v.next(&e)
		}
		v.end()
		entries, flaws = v.entries, v.flaws
		return translate(rows.Err())
	})
	return entries, flaws, wrap("verify audit", err)
}

type auditRow struct {
	organisation onward.ID
	seq          *int64
	entry        []byte
	hash         []byte
	ids          []byte
	headSeq      *int64
	head         []byte
}

// verifier follows chains.
type verifier struct {
	anchored map[onward.ID]map[int64]string
	current  onward.ID
	began    bool
	seq      int64
	hash     [sha256.Size]byte
	headSeq  int64
	head     []byte
	buffer   []byte
	entries  int64
	flaws    []onward.AuditFlaw
}

// mostFlaws of a chain are told; after a removed entry every later one would be another.
const mostFlaws = 100

func (v *verifier) flaw(seq int64, what string) {
	if len(v.flaws) < mostFlaws {
		v.flaws = append(v.flaws, onward.AuditFlaw{OrganisationID: v.current, Seq: seq, What: what})
	}
}

func (v *verifier) next(e *auditRow) {
	if !v.began || e.organisation != v.current {
		v.end()
		v.began, v.current, v.seq, v.headSeq, v.head = true, e.organisation, 0, 0, nil
		if e.headSeq != nil {
			v.headSeq, v.head = *e.headSeq, bytes.Clone(e.head)
		}
	}
	if e.seq == nil {
		return // an end without entries
	}
	v.entries++
	for missing := v.seq + 1; missing < *e.seq && len(v.flaws) < mostFlaws; missing++ {
		v.flaw(missing, "removed")
	}
	gap := *e.seq != v.seq+1
	// The hash before is that which the entry before has now: one altered entry is then one flaw, and not all after it.
	v.buffer = v.buffer[:0]
	if v.seq > 0 {
		v.buffer = append(v.buffer, v.hash[:]...)
	}
	v.buffer = binary.BigEndian.AppendUint64(v.buffer, uint64(*e.seq))
	v.buffer = append(v.buffer, e.entry...)
	if sum := sha256.Sum256(v.buffer); !gap && !bytes.Equal(sum[:], e.hash) {
		v.flaw(*e.seq, "altered, or put here from elsewhere")
	} else if !sameIDs(e.entry, e.ids) {
		v.flaw(*e.seq, "the column of ids is not that of the entry")
	}
	v.seq = *e.seq
	copy(v.hash[:], e.hash)
	if want, ok := v.anchored[v.current][v.seq]; ok {
		if want != hex.EncodeToString(e.hash) {
			v.flaw(v.seq, "not what was kept elsewhere: the chain was written anew up to here or before")
		}
		delete(v.anchored[v.current], v.seq)
	}
}

// sameIDs compares the ids of an entry with those of its column, which finds it.
func sameIDs(entry, column []byte) bool {
	_, after, found := bytes.Cut(entry, []byte(`"ids": [`))
	if !found {
		return string(column) == "{}"
	}
	list, _, _ := bytes.Cut(after, []byte(`]`))
	list = bytes.ReplaceAll(bytes.ReplaceAll(list, []byte(`"`), nil), []byte(` `), nil)
	return bytes.Equal(list, bytes.Trim(column, "{}"))
}

// end closes a chain.
func (v *verifier) end() {
	if !v.began {
		return
	}
	switch {
	case v.seq < v.headSeq:
		for missing := v.seq + 1; missing <= v.headSeq && len(v.flaws) < mostFlaws; missing++ {
			v.flaw(missing, "removed")
		}
	case v.seq > v.headSeq || v.seq > 0 && !bytes.Equal(v.hash[:], v.head):
		v.flaw(v.seq, "the end of the chain is not what it should be")
	}
	for seq := range v.anchored[v.current] {
		v.flaw(seq, "kept elsewhere, and not here")
	}
	delete(v.anchored, v.current)
	v.began = false
}
