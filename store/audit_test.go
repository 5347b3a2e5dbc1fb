package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"onward"
	"onward/store"
)

func (b bench) verified(anchors ...onward.AuditHead) (int64, []onward.AuditFlaw) {
	b.t.Helper()
	n, flaws, err := b.store.VerifyAudit(b.t.Context(), anchors)
	if err != nil {
		b.t.Fatal(err)
	}
	return n, flaws
}

func (b bench) audit(actor onward.Actor, about onward.ID) []onward.AuditEntry {
	b.t.Helper()
	return result(b, actor, func(tx *store.Tx) ([]onward.AuditEntry, error) { return tx.Audit(b.t.Context(), about, 100) })
}

func TestEveryReadAndChangeOfAPersonIsInTheAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	who := counsellor
	who.TokenID, who.RequestID, who.From, who.Why = onward.NewID(), "r-1", "192.0.2.7", "to call «ñ» back"
	r := b.registered(who, secretive())
	b.in(who, func(tx *store.Tx) error {
		changed := r.ReturneeDetails
		changed.Identity.Phone = "+52 55 0000 9999"
		_, err := tx.UpdateReturnee(t.Context(), r.ID, 1, changed)
		return err
	})
	b.in(who, func(tx *store.Tx) error {
		_, err := tx.Returnees(t.Context(), store.ReturneeFilter{Name: "zapotecatl"}, store.Cursor{})
		return err
	})
	// The system reads no identity, and that is no reading of one.
	b.in(onward.System(), func(tx *store.Tx) error {
		_, err := tx.Returnee(t.Context(), r.ID)
		return err
	})
	supervisor := as(ours, onward.RoleSupervisor)
	list := b.audit(supervisor, r.ID)
	var got []string
	for _, e := range list {
		got = append(got, e.Action+" "+e.Resource)
		if e.UserID != who.UserID || e.Of != ours.ID || e.Role != "counsellor" || e.TokenID != who.TokenID || e.RequestID != "r-1" || e.From != "192.0.2.7" || e.Why != "to call «ñ» back" || e.At.IsZero() {
			t.Errorf("%+v does not say who it was", e)
		}
		if e.Action == "change" && (len(e.Before) != 64 || len(e.After) != 64 || e.Before == e.After || len(e.Fields) == 0) {
			t.Errorf("%+v", e)
		}
	}
	slices.Sort(got)
	want := "change returnee_identities,change returnees,create consent_records,create parity_attributes,create returnee_identities,create returnees,read returnee,read returnee,read returnee"
	if strings.Join(got, ",") != want {
		t.Errorf("the audit holds %v", got)
	}
	for _, value := range identifying() {
		if strings.Contains(fmt.Sprint(list), value) {
			t.Errorf("the audit holds %q", value)
		}
	}
	// What somebody gave as a reason may be about anybody.
	if dump := b.dumped(); strings.Contains(dump, "to call") || strings.Contains(dump, "«ñ»") {
		t.Error("a dump holds the reason")
	}
	if n, flaws := b.verified(); n < 7 || len(flaws) != 0 {
		t.Errorf("%d entries, flaws %v", n, flaws)
	}
	if others := b.audit(as(theirs, onward.RoleSupervisor), r.ID); len(others) != 0 {
		t.Errorf("another organisation reads %+v", others)
	}
	for _, role := range []onward.Role{onward.RoleCounsellor, onward.RoleEmployer, onward.RolePartner, onward.RoleAnalyst} {
		wantCode(t, b.try(as(ours, role), func(tx *store.Tx) error {
			_, err := tx.Audit(t.Context(), r.ID, 10)
			return err
		}), onward.EForbidden)
	}
}

func TestWhatAnEmployerAndAPartnerReadIsInTheAuditOfTheAgency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.sent(b.opening(1))
	b.must(recipient, r, onward.ReferralAccept, "")
	b.in(recipient, func(tx *store.Tx) error {
		_, err := tx.SharedIdentity(t.Context(), r.ID)
		return err
	})
	list := b.audit(as(ours, onward.RoleSupervisor), r.ReturneeID)
	at := slices.IndexFunc(list, func(e onward.AuditEntry) bool { return e.Resource == "shared_identity" })
	if at < 0 || list[at].Of != recipient.OrganisationID || list[at].Role != "employer" || !slices.Contains(list[at].Fields, "phone") {
		t.Errorf("%+v", list)
	}
}

func TestAnAuditThatIsRolledBackNeverWas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, _ := b.verified()
	r := b.registered(counsellor, secretive())
	middle, _ := b.verified()
	wantCode(t, b.try(counsellor, func(tx *store.Tx) error {
		_, _ = tx.Returnee(t.Context(), r.ID)
		return onward.Errorf(onward.EConflict, "no")
	}), onward.EConflict)
	if after, flaws := b.verified(); middle <= before || after != middle || len(flaws) != 0 {
		t.Errorf("%d, %d, %d entries, %v", before, middle, after, flaws)
	}
}

func TestTheAuditCanOnlyGrow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.registered(counsellor, secretive())
	db := b.application()
	for _, query := range []string{
		`UPDATE audit SET entry = '{}'`, `DELETE FROM audit`, `TRUNCATE audit`, `UPDATE audit_heads SET seq = 0`, `DELETE FROM audit_heads`,
		`INSERT INTO audit (organisation_id, seq, entry, hash, ids) VALUES (gen_random_uuid(), 1, '{}', '', '{}')`, `SELECT audit_add(gen_random_uuid(), '{}', '{}')`,
		`ALTER TABLE returnees DISABLE TRIGGER audit`, `SET session_replication_role = replica`,
	} {
		for _, role := range roles() {
			if got := raw(t, db, actorOf(role), query); got != "refused" {
				t.Errorf("%s: %s: %s", role, query, got)
			}
		}
	}
}

func TestAnyTouchedEntryIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		touch string
		want  string
		seq   int64 // counted from the end; 0: any
	}{
		"altered":       {`UPDATE audit SET entry = replace(entry, '"create"', '"change"') WHERE organisation_id = $org AND seq = $last - 1`, "altered", 1},
		"removed":       {`DELETE FROM audit WHERE organisation_id = $org AND seq = $last - 2`, "removed", 2},
		"the last":      {`DELETE FROM audit WHERE organisation_id = $org AND seq = $last`, "removed", 0},
		"swapped":       {`UPDATE audit a SET entry = b.entry, ids = b.ids FROM audit b WHERE a.organisation_id = $org AND b.organisation_id = $org AND a.seq IN ($last, $last - 1) AND b.seq = 2 * $last - 1 - a.seq`, "altered", 0},
		"another hash":  {`UPDATE audit SET hash = sha256('x') WHERE organisation_id = $org AND seq = $last`, "altered", 0},
		"hidden ids":    {`UPDATE audit SET ids = '{}' WHERE organisation_id = $org AND seq = $last`, "ids", 0},
		"the end":       {`UPDATE audit_heads SET seq = seq - 1 WHERE organisation_id = $org`, "end of the chain", 0},
		"a lost end":    {`DELETE FROM audit_heads WHERE organisation_id = $org`, "end of the chain", 0},
		"all of it":     {`DELETE FROM audit WHERE organisation_id = $org`, "removed", 0},
		"from its head": {`WITH x AS (DELETE FROM audit WHERE organisation_id = $org AND seq = $last) UPDATE audit_heads h SET seq = a.seq, hash = a.hash FROM audit a WHERE h.organisation_id = $org AND a.organisation_id = $org AND a.seq = $last - 1`, "kept elsewhere", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.registered(counsellor, secretive())
			b.sent(b.opening(1))
			heads, err := b.store.AuditHeads(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, flaws := b.verified(heads...); len(flaws) != 0 {
				t.Fatalf("before: %v", flaws)
			}
			at := slices.IndexFunc(heads, func(h onward.AuditHead) bool { return h.OrganisationID == ours.ID })
			last := heads[at].Seq
			b.sql(strings.NewReplacer("$org", "'"+ours.ID.String()+"'", "$last", fmt.Sprint(last)).Replace(c.touch))
			_, flaws := b.verified(heads...)
			found := slices.ContainsFunc(flaws, func(f onward.AuditFlaw) bool {
				return f.OrganisationID == ours.ID && strings.Contains(f.What, c.want) && (c.seq == 0 || f.Seq == last-c.seq)
			})
			if !found {
				t.Errorf("flaws %v", flaws)
			}
		})
	}
}

// TestManyAtOnceMakeOneChain: 24 writers of two organisations, which also write into each other's chains.
func TestManyAtOnceMakeOneChain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			actor := counsellor
			if i%2 == 1 {
				actor = as(theirs, onward.RoleCounsellor)
				actor.UserID = stranger.UserID
			}
			for n := range 5 {
				d := secretive()
				d.ExternalID = fmt.Sprint(i, " ", n)
				if err := b.store.InTx(context.WithoutCancel(t.Context()), actor, func(tx *store.Tx) error {
					_, err := tx.CreateReturnee(t.Context(), store.NewReturnee{Details: d})
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, flaws := b.verified(); n < 24*5*3 || len(flaws) != 0 {
		t.Errorf("%d entries, flaws %v", n, flaws)
	}
}
