package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/store"
)

func TestATokenIsBoundToItsScopes(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	token := func(scopes ...string) string {
		t.Helper()
		var secret string
		err := s.store.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
			users, err := tx.Users(t.Context())
			if err != nil {
				return err
			}
			at := slices.IndexFunc(users, func(u onward.User) bool { return u.Role == onward.RoleCounsellor })
			until := time.Now().Add(time.Hour)
			secret, _, err = tx.CreateToken(t.Context(), users[at], "bound", &until, scopes...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	reads, writes, all := token("returnees:read"), token("returnees:write", "vocabulary:read"), token("*:read")
	s.get(reads, "/v1/returnees").want(http.StatusOK)
	s.post(reads, "/v1/returnees", bricklayer("a")).problem(http.StatusForbidden, onward.EForbidden)
	s.get(reads, "/v1/referrals").problem(http.StatusForbidden, onward.EForbidden)
	s.post(writes, "/v1/returnees", bricklayer("b")).want(http.StatusCreated)
	s.get(writes, "/v1/returnees").want(http.StatusOK)
	s.get(writes, "/v1/skills?q=brick").want(http.StatusOK)
	s.get(writes, "/v1/opportunities").problem(http.StatusForbidden, onward.EForbidden)
	s.get(all, "/v1/referrals").want(http.StatusOK)
	s.post(all, "/v1/returnees", bricklayer("c")).problem(http.StatusForbidden, onward.EForbidden)
	// No scope gives more than the role has.
	s.get(token("*:write"), "/v1/webhooks").problem(http.StatusForbidden, onward.EForbidden)
	for _, bad := range []string{"returnees", "returnees:delete", "everything:read", ":read", ""} {
		err := s.store.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
			users, err := tx.Users(t.Context())
			if err != nil {
				return err
			}
			_, _, err = tx.CreateToken(t.Context(), users[0], "bad", nil, bad)
			return err
		})
		if onward.CodeOf(err) != onward.EInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := s.store.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
		list, err := tx.Tokens(t.Context())
		used := 0
		for _, k := range list {
			if k.Name == "bound" && k.LastUsedAt != nil && len(k.Scopes) > 0 {
				used++
			}
		}
		if used != 4 {
			t.Errorf("%d tokens are known to be used, want 4", used)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAreasAreTheTagsOfTheDocument(t *testing.T) {
	t.Parallel()
	tags := map[string]bool{}
	for _, operations := range documented(t).Paths {
		for _, raw := range operations {
			var operation struct{ Tags []string }
			if err := json.Unmarshal(raw, &operation); err != nil {
				t.Fatal(err)
			}
			tags[strings.ReplaceAll(strings.ToLower(operation.Tags[0]), " ", "-")] = true
		}
	}
	for _, area := range onward.Areas() {
		if !tags[area] {
			t.Errorf("no operation is of %s", area)
		}
		delete(tags, area)
	}
	if len(tags) > 0 {
		t.Errorf("areas lack %v", tags)
	}
}
