package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"onward"
	"onward/api"
)

// may says who may use an operation; everyone else is refused with 403 or, where they may not even know, 404.
type may struct {
	roles string // letters of who: Counsellor, Supervisor, Partner, Analyst, aDministrator, Employer, Nobody
	ok    int
	body  func(n string) any
}

const everyone = "CSPADE"

func TestEachRoleMayDoWhatIsItsOwnAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	posting := func(n string) any { return bricklaying(n, zapopan) }
	person := func(n string) any { return bricklayer(n) }
	table := map[string]may{
		"healthz": {everyone + "N", 200, nil}, "readyz": {everyone + "N", 200, nil}, "metrics": {"D", 200, nil},
		"record-residence": {"CS", 201, func(n string) any {
			return map[string]any{"observed_on": "2026-01-" + map[bool]string{true: "01", false: "02"}[strings.HasSuffix(n, "C")], "place_id": guadalajara, "source": "self"}
		}}, "list-residences": {"CS", 200, nil},
		"read-text":      {everyone, 200, func(string) any { return map[string]any{"text": "I lay bricks"} }},
		"suggest-skills": {everyone, 200, nil}, "suggest-places": {everyone, 200, nil},
		"create-opportunity": {"SDE", 201, posting}, "bulk-opportunities": {"SDE", 200, posting},
		"list-opportunities": {everyone, 200, nil}, "search-opportunities": {everyone, 200, nil}, "read-opportunity": {everyone, 200, nil},
		"update-opportunity": {"SDE", 200, posting}, "publish-opportunity": {"SDE", 200, nil}, "pause-opportunity": {"SDE", 200, nil},
		"close-opportunity": {"SDE", 200, nil},
		"create-returnee":   {"CS", 201, person}, "bulk-returnees": {"CS", 200, person}, "list-returnees": {"CS", 200, nil},
		"read-returnee": {"CS", 200, nil}, "update-returnee": {"CS", 200, person},
		"create-referral-request": {"CS", 202, nil}, "list-referral-requests": {"CS", 200, nil}, "read-referral-request": {"CS", 200, nil},
		"referral-request-events": {"CS", 200, nil}, "returnee-unlocks": {"CS", 200, nil}, "caseload-unlocks": {"CS", 200, nil},
		"list-candidates":  {"CSE", 200, nil},
		"create-household": {"CS", 201, s.newCouple}, "list-households": {"CS", 200, nil}, "read-household": {"CS", 200, nil},
		"update-household": {"CS", 200, s.newCouple}, "delete-household": {"CS", 204, nil}, "household-opportunities": {"CS", 200, nil},
	}
	tokens := map[string]string{"C": s.counsellor, "S": s.supervisor, "P": s.partner, "A": s.analyst, "D": s.admin, "E": s.poster, "N": ""}
	returnee := s.register(bricklayer("someone"))
	request := s.request(returnee.ID)
	s.withWorkers() // events end when the request is ready
	s.readable()
	n := 0
	for path, operations := range documented(t).Paths {
		for method, raw := range operations {
			var operation struct{ OperationID string }
			if err := json.Unmarshal(raw, &operation); err != nil {
				t.Fatal(err)
			}
			rule, ok := table[operation.OperationID]
			if !ok {
				t.Errorf("say in this table who may use %s", operation.OperationID)
				continue
			}
			delete(table, operation.OperationID)
			for who, token := range tokens {
				n++
				external := operation.OperationID + who
				at := path
				if strings.HasPrefix(path, "/v1/opportunities/{id}") {
					at = strings.Replace(path, "{id}", s.opportunityOf(who, external, operation.OperationID == "pause-opportunity" || operation.OperationID == "list-candidates"), 1)
				} else if strings.HasPrefix(path, "/v1/returnees/{id}") {
					id := returnee.ID
					if operation.OperationID == "update-returnee" {
						id = s.register(bricklayer(external)).ID
					}
					at = strings.Replace(path, "{id}", id.String(), 1)
				} else if strings.HasPrefix(path, "/v1/households/{id}") {
					at = strings.Replace(path, "{id}", s.link(s.newCouple(external+"-linked")).ID.String(), 1)
				} else if strings.HasPrefix(path, "/v1/referral-requests/{id}") {
					at = strings.Replace(path, "{id}", request.ID.String(), 1)
				}
				var body any
				if rule.body != nil {
					body = rule.body(external)
				}
				got := s.send(token, strings.ToUpper(method), at, body, header("If-Match", `"v1"`))
				switch {
				case strings.Contains(rule.roles, who):
					if got.status != rule.ok {
						t.Errorf("%s may %s: %d, want %d: %.300s", who, operation.OperationID, got.status, rule.ok, got.body)
					}
				case who == "N":
					got.problem(http.StatusUnauthorized, onward.EUnauthenticated)
				case got.status != http.StatusForbidden && got.status != http.StatusNotFound:
					t.Errorf("%s may not %s: %d: %.300s", who, operation.OperationID, got.status, got.body)
				}
			}
		}
	}
	for id := range table {
		t.Errorf("%s is in this table, but is no operation", id)
	}
	if n < 100 {
		t.Errorf("only %d cases", n)
	}
}

// opportunityOf makes an opportunity of the organisation of someone, so that a refusal is for the role.
func (s *system) opportunityOf(who, external string, open bool) string {
	s.t.Helper()
	token := s.supervisor
	if who == "E" {
		token = s.poster
	}
	path := "/v1/opportunities"
	if open {
		path += "?publish=true"
	}
	return decode[onward.Opportunity](s.post(token, path, bricklaying(external, zapopan)).want(201)).ID.String()
}

type openAPI struct {
	Version    string                                `json:"openapi"`
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas         map[string]json.RawMessage `json:"schemas"`
		SecuritySchemes map[string]json.RawMessage `json:"securitySchemes"`
	} `json:"components"`
	Security []map[string][]string `json:"security"`
}

func documented(t *testing.T) openAPI {
	t.Helper()
	raw, err := api.New(api.Config{}).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var document openAPI
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	return document
}
