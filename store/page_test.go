package store_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"onward"
	"onward/store"
)

// walk follows a list to its end, and runs meanwhile after each page.
func walk(t testing.TB, limit int, meanwhile func(), page func(store.Cursor) (ids []onward.ID, next string)) (ids []onward.ID) {
	t.Helper()
	cursor := store.Cursor{Limit: limit}
	for range 100 {
		items, next := page(cursor)
		ids = append(ids, items...)
		if next == "" {
			return ids
		}
		if len(items) != limit {
			t.Fatalf("a page that isn't the last has %d items, want %d", len(items), limit)
		}
		cursor.After = next
		meanwhile()
	}
	t.Fatal("the list does not end")
	return nil
}

func wantEachOnce(t testing.TB, got []onward.ID, want map[onward.ID]bool) {
	t.Helper()
	seen := map[onward.ID]bool{}
	for i, id := range got {
		if seen[id] {
			t.Errorf("%s comes twice", id)
		}
		seen[id] = true
		if i > 0 && id.String() >= got[i-1].String() {
			t.Errorf("%s comes after %s: the newest are first", id, got[i-1])
		}
		if !want[id] {
			t.Errorf("%s was not there when the list began", id)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("the list has %d, want %d", len(seen), len(want))
	}
}

func TestPagesHaveNoHolesAndNoDoublesWhileRowsArrive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	const rows = 250
	people, jobs := make([]store.NewReturnee, rows), make([]store.NewOpportunity, rows)
	for i := range rows {
		people[i].Details, jobs[i].Details = person(), job()
	}
	ids := func(created []store.Created) map[onward.ID]bool {
		set := map[onward.ID]bool{}
		for _, c := range created {
			set[c.Ref.ID] = true
		}
		return set
	}
	posted := ids(result(b, employer, func(tx *store.Tx) ([]store.Created, error) { return tx.CreateOpportunities(ctx, jobs) }))
	registered := ids(result(b, counsellor, func(tx *store.Tx) ([]store.Created, error) { return tx.CreateReturnees(ctx, people) }))
	for _, limit := range []int{1 + rows/3, 7, 50, 125, 200} {
		t.Run(fmt.Sprintf("limit %d", limit), func(t *testing.T) {
			fresh := map[onward.ID]bool{}
			got := walk(t, limit, func() {
				id := b.opportunity(employer, job(), true).ID
				fresh[id] = true
			}, func(c store.Cursor) (list []onward.ID, next string) {
				page := result(b, employer, func(tx *store.Tx) (store.Page[onward.Opportunity], error) {
					return tx.Opportunities(ctx, store.OpportunityFilter{Status: onward.OpportunityDraft}, c)
				})
				for _, o := range page.Items {
					list = append(list, o.ID)
				}
				return list, page.Next
			})
			wantEachOnce(t, got, posted)
		})
	}
	newcomers := 0
	got := walk(t, 50, func() { b.returnee(counsellor, person()); newcomers++ }, func(c store.Cursor) (list []onward.ID, next string) {
		page := result(b, counsellor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
			return tx.Returnees(ctx, store.ReturneeFilter{}, c)
		})
		for _, r := range page.Items {
			list = append(list, r.ID)
		}
		return list, page.Next
	})
	wantEachOnce(t, got, registered)
	if newcomers == 0 {
		t.Error("nobody arrived meanwhile")
	}

	r := b.returnee(counsellor, person())
	asked := map[onward.ID]bool{}
	for range 23 {
		asked[b.request(counsellor, r.ID).ID] = true
	}
	got = walk(t, 10, func() { b.request(counsellor, r.ID) }, func(c store.Cursor) (list []onward.ID, next string) {
		page := result(b, counsellor, func(tx *store.Tx) (store.Page[onward.ReferralRequest], error) {
			return tx.ReferralRequests(ctx, r.ID, c)
		})
		for _, q := range page.Items {
			list = append(list, q.ID)
		}
		return list, page.Next
	})
	wantEachOnce(t, got, asked)
}

func TestTheSizeOfAPageIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	jobs := make([]store.NewOpportunity, 210)
	for i := range jobs {
		jobs[i].Details = job()
	}
	result(b, employer, func(tx *store.Tx) ([]store.Created, error) { return tx.CreateOpportunities(t.Context(), jobs) })
	for limit, want := range map[int]int{0: 50, -1: 50, 1: 1, 200: 200, 201: 200, 1 << 40: 200} {
		page := result(b, employer, func(tx *store.Tx) (store.Page[onward.Opportunity], error) {
			return tx.Opportunities(t.Context(), store.OpportunityFilter{}, store.Cursor{Limit: limit})
		})
		if len(page.Items) != want {
			t.Errorf("limit %d gives %d, want %d", limit, len(page.Items), want)
		}
	}
}

func TestABadCursorIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.returnee(counsellor, person())
	for _, after := range []string{"x", "%%%", "\x00", base64.RawURLEncoding.EncodeToString([]byte("fifteen bytes..")), base64.StdEncoding.EncodeToString(make([]byte, 16))} {
		cursor := store.Cursor{After: after}
		for _, try := range []func(*store.Tx) error{
			func(tx *store.Tx) error {
				_, err := tx.Opportunities(t.Context(), store.OpportunityFilter{}, cursor)
				return err
			},
			func(tx *store.Tx) error {
				_, err := tx.Returnees(t.Context(), store.ReturneeFilter{}, cursor)
				return err
			},
			func(tx *store.Tx) error { _, err := tx.ReferralRequests(t.Context(), r.ID, cursor); return err },
		} {
			wantField(t, b.try(counsellor, try), "cursor", "cursor")
		}
	}
}
