package api

import (
	"maps"
	"slices"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"onward"
)

// TestThePageOfWhatIsKeptHasAllWordsInAllLanguages: a phrase that is missing would be said as its name, or in English.
func TestThePageOfWhatIsKeptHasAllWordsInAllLanguages(t *testing.T) {
	t.Parallel()
	phrases := map[string]map[string]string{}
	for _, code := range onward.ServiceLanguages() {
		raw, err := exportFiles.ReadFile("export/" + code + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]string{}
		if err := toml.Unmarshal(raw, &of); err != nil {
			t.Fatal(code, err)
		}
		phrases[code] = of
	}
	for code, of := range phrases {
		if !slices.Equal(slices.Sorted(maps.Keys(of)), slices.Sorted(maps.Keys(phrases["en"]))) {
			t.Errorf("%s has not the phrases of English", code)
		}
		for id, text := range of {
			if text == "" {
				t.Errorf("%s says nothing for %s", code, id)
			}
		}
	}
	need := func(prefix string, codes ...string) {
		t.Helper()
		for _, c := range codes {
			if _, ok := phrases["en"][prefix+"_"+c]; !ok {
				t.Errorf("there are no words for %s %s", prefix, c)
			}
		}
	}
	for _, p := range onward.ConsentPurposes() {
		need("purpose", string(p))
	}
	for _, e := range onward.PlacementEnds() {
		need("end", string(e))
	}
	for _, k := range onward.AlertKinds() {
		need("alert", string(k))
	}
	for _, k := range onward.Kinds() {
		need("kind", string(k))
	}
	for _, r := range append(onward.Roles(), onward.RoleSystem) {
		need("role", string(r))
	}
	for _, r := range onward.PlaceRelations() {
		need("relation", string(r))
	}
	for _, i := range onward.Intentions() {
		need("intention", string(i))
	}
	for _, s := range onward.DocumentStatuses() {
		need("document", string(s))
	}
	need("status", "draft", "requested", "accepted", "on_hold", "in_progress", "placed", "completed", "declined", "failed", "withdrawn", "revoked", "expired", "queued", "ready", "refused", "planned", "due", "done", "missed", "cancelled", "open", "resolved")
	need("said", "given", "withdrawn", "changed", "expired")
	need("cause", "withdrawn", "expired", "erased", "retention")
	need("action", "read", "create", "change", "delete")
	need("about", append(slices.Collect(maps.Values(aboutOf)), "rest")...)
	// Each field of a record, as the history names it.
	w := newExportWriter("en", onward.Export{}, nil, nil)
	for _, f := range []string{
		"external_id", "country", "language", "birth_date", "returned_on", "skills", "experience", "languages", "documents", "education", "places", "onward_intention", "available_from",
		"preferences", "household", "safety", "identity.given_name", "identity.family_name", "identity.sex", "identity.phone", "identity.email", "identity.notes", "identity.alternate_contact",
	} {
		if name := w.fieldName(f); name == f || name == "" || phrases["en"][name] != "" {
			t.Errorf("%s is named %q", f, name)
		}
	}
}
