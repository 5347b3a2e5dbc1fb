package api

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

//go:embed docs
var docsFiles embed.FS

type docsPage struct {
	Title, Version, Description string
	Groups                      []docsGroup
	Schemas                     []docsSchema
}

type docsGroup struct {
	Name, Anchor string
	Operations   []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Open                                   bool
	Parameters                             []docsParameter
	Body, Result                           string
}

type docsParameter struct{ Name, In, Type, What string }

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsField struct {
	Name, Type, Ref, What string
	Required              bool
}

// registerDocs renders the document as one page without scripts, so that it works offline, on any phone and under the
// strictest policy.
func (a *API) registerDocs() {
	page := template.Must(template.ParseFS(docsFiles, "docs/docs.html"))
	style, err := docsFiles.ReadFile("docs/docs.css")
	if err != nil {
		panic(err) // it is embedded
	}
	var rendered bytes.Buffer
	if err := page.Execute(&rendered, docsOf(a.huma.OpenAPI())); err != nil {
		panic(err) // the template and the document are both ours
	}
	document, err := a.OpenAPI()
	if err != nil {
		panic(err) // it is made of our own types
	}
	a.router.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/openapi+json", document) })
	a.router.GET("/docs", func(c *gin.Context) { c.Data(http.StatusOK, "text/html; charset=utf-8", rendered.Bytes()) })
	a.router.GET("/docs/docs.css", func(c *gin.Context) { c.Data(http.StatusOK, "text/css; charset=utf-8", style) })
	a.router.GET("/", func(c *gin.Context) { c.Redirect(http.StatusFound, "/docs") })
}

func docsOf(document *huma.OpenAPI) docsPage {
	page := docsPage{Title: document.Info.Title, Version: document.Info.Version, Description: document.Info.Description}
	groups := map[string][]docsOperation{}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				groups[op.Tags[0]] = append(groups[op.Tags[0]], docsOperationOf(op))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		page.Groups = append(page.Groups, docsGroup{Name: name, Anchor: "area-" + strings.ReplaceAll(strings.ToLower(name), " ", "-"), Operations: groups[name]})
	}
	schemas := document.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		page.Schemas = append(page.Schemas, docsSchema{Name: name, Fields: docsFieldsOf(schemas[name])})
	}
	return page
}

func docsOperationOf(op *huma.Operation) docsOperation {
	out := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description,
		Open: isOpen(op),
	}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, docsParameter{Name: p.Name, In: p.In, Type: typeName(p.Schema), What: describe(p.Description, p.Schema)})
	}
	if op.RequestBody != nil {
		for _, content := range op.RequestBody.Content {
			out.Body = refName(content.Schema)
		}
	}
	for _, status := range []string{"200", "201", "202"} {
		if response := op.Responses[status]; response != nil {
			for _, content := range response.Content {
				out.Result = cmp.Or(refName(content.Schema), out.Result)
			}
		}
	}
	return out
}

func docsFieldsOf(schema *huma.Schema) []docsField {
	fields := make([]docsField, 0, len(schema.Properties))
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := schema.Properties[name]
		ref := refName(property)
		if ref == "" && property.Items != nil {
			ref = refName(property.Items)
		}
		fields = append(fields, docsField{Name: name, Type: typeName(property), Ref: ref, What: describe(property.Description, property), Required: slices.Contains(schema.Required, name)})
	}
	return fields
}

// describe is what a field or parameter means, which values it takes, and what it is when it is left out.
func describe(description string, schema *huma.Schema) string {
	var parts []string
	if description != "" {
		parts = append(parts, strings.TrimSuffix(description, "."))
	}
	if schema == nil {
		return strings.Join(parts, ". ")
	}
	if enum := valuesOf(schema); len(enum) > 0 {
		parts = append(parts, "One of: "+strings.Join(enum, ", "))
	}
	switch {
	case schema.Minimum != nil && schema.Maximum != nil:
		parts = append(parts, fmt.Sprintf("From %v to %v", *schema.Minimum, *schema.Maximum))
	case schema.Minimum != nil:
		parts = append(parts, fmt.Sprintf("At least %v", *schema.Minimum))
	}
	if schema.Default != nil {
		parts = append(parts, fmt.Sprintf("Default: %v", schema.Default))
	}
	return strings.Join(parts, ". ")
}

func valuesOf(schema *huma.Schema) []string {
	if len(schema.Enum) == 0 && schema.Items != nil {
		schema = schema.Items
	}
	words := make([]string, len(schema.Enum))
	for i, word := range schema.Enum {
		words[i], _ = word.(string)
	}
	return words
}

func typeName(schema *huma.Schema) string {
	switch {
	case schema == nil:
		return ""
	case schema.Ref != "":
		return refName(schema)
	case schema.Items != nil:
		return "list of " + typeName(schema.Items)
	case schema.Format != "":
		return schema.Type + " (" + schema.Format + ")"
	}
	return schema.Type
}

func refName(schema *huma.Schema) string {
	if schema == nil {
		return ""
	}
	return schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]
}
