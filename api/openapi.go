package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"onward"
)

// Version of the API document.
const Version = "0.1.0"

func humaConfig() huma.Config {
	config := huma.DefaultConfig("Onward", Version)
	config.Info.Description = "Links people who return to their country after migration with opportunities there, " +
		"by skills and by likely destination. In a body, null is as if the field were left out; in a query, what has no value is refused."
	config.Info.License = &huma.License{Name: "Apache-2.0", URL: "https://www.apache.org/licenses/LICENSE-2.0"}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		tokenScheme:   {Type: "http", Scheme: "bearer", Description: "An API token, made by 'onward token create' or POST /v1/me/tokens"},
		sessionScheme: {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The session that POST /v1/sign-in begins"},
	}
	config.Security = []map[string][]string{{tokenScheme: {}}, {sessionScheme: {}}}
	config.OpenAPIPath = "" // huma's handler makes the document at the first request, without a lock
	config.DocsPath = ""    // huma's pages load their scripts from elsewhere
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema links in bodies
	config.OnAddOperation = []huma.AddOpFunc{documentErrors}
	config.RejectUnknownQueryParameters = true
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[onward.ID](), reflect.TypeFor[idForm]())
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalJSON}
	config.Formats = map[string]huma.Format{"application/json": strict, "json": strict} // "json" is for what ends in +json
	return config
}

// idForm is how the document describes an id.
type idForm string

// Schema of an id.
func (idForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Format: "uuid", Pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
		PatternDescription: "an id of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
	}
}

// noControls is what checkQuery asks of every value, for the document.
const noControls = `^[^\x00-\x1f\x7f-\x9f]*$`

// isProbe says that an operation is for those who watch over the server.
func isProbe(op *huma.Operation) bool {
	return op.OperationID == "healthz" || op.OperationID == "readyz"
}

// isOpen says that an operation needs no token.
func isOpen(op *huma.Operation) bool { return op.Security != nil && len(op.Security) == 0 }

// documentErrors adds the errors that follow from what an operation takes.
func documentErrors(document *huma.OpenAPI, op *huma.Operation) {
	statuses := []int{}
	if !isProbe(op) {
		statuses = append(statuses, http.StatusTooManyRequests)
	}
	if !isOpen(op) {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusServiceUnavailable)
	}
	if op.RequestBody != nil {
		statuses = append(statuses, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	for _, p := range op.Parameters {
		statuses = append(statuses, http.StatusUnprocessableEntity)
		switch {
		case p.In == "path":
			statuses = append(statuses, http.StatusNotFound)
		case p.In == "query":
			statuses = append(statuses, http.StatusBadRequest)
			s := p.Schema
			if s.Type == huma.TypeArray {
				s = s.Items
			}
			if s.Type == huma.TypeString && s.Pattern == "" && len(s.Enum) == 0 {
				s.Pattern = noControls
				s.PrecomputeMessages()
			}
		case p.Name == "If-Match":
			statuses = append(statuses, http.StatusPreconditionFailed)
		case p.Name == "If-None-Match":
			op.Responses[strconv.Itoa(http.StatusNotModified)] = &huma.Response{Description: http.StatusText(http.StatusNotModified)}
		}
	}
	schema := document.Components.Schemas.Schema(problemType, true, "Problem")
	content := map[string]*huma.MediaType{problemContentType: {Schema: schema}}
	for _, status := range statuses {
		if key := strconv.Itoa(status); op.Responses[key] == nil {
			op.Responses[key] = &huma.Response{Description: http.StatusText(status), Content: content}
		}
	}
	op.Responses["default"] = &huma.Response{Description: "Any other error", Content: content}
}

// forbids documents that some roles may not use an operation, and what else may keep it from being done.
func forbids(others ...int) []int { return slices.Concat([]int{http.StatusForbidden}, others) }

// OpenAPI is the document, formatted.
func (a *API) OpenAPI() ([]byte, error) {
	compact, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return nil, err
	}
	var document any
	if err := json.Unmarshal(compact, &document); err != nil {
		return nil, err
	}
	formatted, err := json.MarshalIndent(document, "", "  ")
	return append(formatted, '\n'), err
}
