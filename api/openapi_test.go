package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"onward/api"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

func TestTheCommittedDocumentIsTheOneServed(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "docs", "openapi.json")
	generated, err := api.New(api.Config{}).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, generated, 0o644); err != nil { //nolint:gosec // a document for everyone
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(file) //nolint:gosec // a constant path
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, generated) {
		t.Error("docs/openapi.json differs from what the code says; look at it with: go test ./api -run Committed -update && git diff docs/openapi.json")
	}
	for range 5 {
		again, err := api.New(api.Config{}).OpenAPI()
		if err != nil || !bytes.Equal(again, generated) {
			t.Fatalf("the document differs from one start to the next: %v", err)
		}
	}
	s := newSystem(t)
	served := s.get("", "/openapi.json").want(200)
	if served.body != string(generated) || served.header.Get("Content-Type") != "application/openapi+json" {
		t.Errorf("another document is served, as %s", served.header.Get("Content-Type"))
	}
}

type described struct {
	OperationID, Summary string
	Tags                 []string
	Security             *[]map[string][]string
	Parameters           []struct {
		Name, In string
		Required bool
		Schema   json.RawMessage
	}
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema json.RawMessage }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			}
		}
	}
}

func TestTheDocumentIsWhole(t *testing.T) {
	t.Parallel()
	document := documented(t)
	if !strings.HasPrefix(document.Version, "3.1") || len(document.Security) != 2 || document.Components.SecuritySchemes["token"] == nil || document.Components.SecuritySchemes["session"] == nil {
		t.Fatalf("not an OpenAPI 3.1 document with a token and a session: %s", document.Version)
	}
	ids := map[string]string{}
	for path, operations := range document.Paths {
		for method, raw := range operations {
			var op described
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			what := method + " " + path
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 || ids[op.OperationID] != "" {
				t.Errorf("%s needs an id of its own, a summary and a tag: %q %q %v", what, op.OperationID, op.Summary, op.Tags)
			}
			ids[op.OperationID] = what
			checkParameters(t, what, path, op)
			checkResponses(t, what, op)
		}
	}
	checkReferences(t, document)
}

func checkParameters(t *testing.T, what, path string, op described) {
	t.Helper()
	var inPath []string
	for _, p := range op.Parameters {
		if len(p.Schema) == 0 || !slices.Contains([]string{"path", "query", "header"}, p.In) || (p.In == "path" && !p.Required) {
			t.Errorf("%s: parameter %s: %+v", what, p.Name, p)
		}
		if p.In == "path" {
			inPath = append(inPath, "{"+p.Name+"}")
		}
	}
	if strings.Count(path, "{") != len(inPath) || (len(inPath) == 1 && !strings.Contains(path, inPath[0])) {
		t.Errorf("%s: path parameters %v", what, inPath)
	}
	if op.RequestBody != nil && len(op.RequestBody.Content) != 1 {
		t.Errorf("%s: a body of one kind: %v", what, op.RequestBody.Content)
	}
}

func checkResponses(t *testing.T, what string, op described) {
	t.Helper()
	open := op.Security != nil && len(*op.Security) == 0
	if !open && op.Responses["401"].Description == "" {
		t.Errorf("%s needs a token and does not say 401", what)
	}
	good := 0
	for status, response := range op.Responses {
		if response.Description == "" {
			t.Errorf("%s: %s has no description", what, status)
		}
		if status[0] == '2' || status == "302" || status == "303" { // or it leads on
			good++
		}
		if status[0] == '2' || status[0] == '3' || (open && status == "503") {
			continue
		}
		if len(response.Content) != 1 || response.Content["application/problem+json"].Schema.Ref != "#/components/schemas/Problem" {
			t.Errorf("%s: %s is not a Problem: %+v", what, status, response.Content)
		}
	}
	if good != 1 || op.Responses["default"].Description == "" {
		t.Errorf("%s: one good answer and a default: %v", what, op.Responses)
	}
}

func checkReferences(t *testing.T, document openAPI) {
	t.Helper()
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				if ref, ok := value.(string); ok && key == "$ref" {
					used[strings.TrimPrefix(ref, "#/components/schemas/")] = true
				}
				walk(value)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	raw, err := api.New(api.Config{}).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var whole any
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	walk(whole)
	for name := range used {
		if document.Components.Schemas[name] == nil {
			t.Errorf("nothing stands at %s", name)
		}
	}
	if len(used) < 20 {
		t.Errorf("only %d schemas are used", len(used))
	}
	if !used["Opportunity"] || !used["Returnee"] || !used["ReferralRequest"] {
		t.Errorf("the main forms are missing: %v", used)
	}
}
