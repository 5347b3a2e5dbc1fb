package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/api"
)

// may says who may use an operation; everyone else is refused with 403 or, where they may not even know, 404.
type may struct {
	roles string // letters of who: Counsellor, Supervisor, Partner, Analyst, aDministrator, Employer, Nobody
	ok    int
	body  func(n string) any
	// at makes what the operation is tried on, for each who: the end of the path after /v1/, and its version.
	at func(who, n string) (path string, version int64)
}

const everyone = "CSPADE"

func TestEachRoleMayDoWhatIsItsOwnAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	posting := func(n string) any { return bricklaying(n, zapopan) }
	person := func(n string) any { return bricklayer(n) }
	table := map[string]may{
		"healthz": {everyone + "N", 200, nil, nil}, "readyz": {everyone + "N", 200, nil, nil}, "metrics": {"D", 200, nil, nil},
		"record-residence": {"CS", 201, func(n string) any {
			return map[string]any{"observed_on": "2026-01-" + map[bool]string{true: "01", false: "02"}[strings.HasSuffix(n, "C")], "place_id": guadalajara, "source": "self"}
		}, nil}, "list-residences": {"CS", 200, nil, nil},
		"read-model-card": {everyone, 200, nil, nil},
		"read-text":       {everyone, 200, func(string) any { return map[string]any{"text": "I lay bricks"} }, nil},
		"suggest-skills":  {everyone, 200, nil, nil}, "suggest-places": {everyone, 200, nil, nil},
		"create-opportunity": {"SDE", 201, posting, nil}, "bulk-opportunities": {"SDE", 200, posting, nil},
		"list-opportunities": {everyone, 200, nil, nil}, "search-opportunities": {everyone, 200, nil, nil}, "read-opportunity": {everyone, 200, nil, nil},
		"update-opportunity": {"SDE", 200, posting, nil}, "publish-opportunity": {"SDE", 200, nil, nil}, "pause-opportunity": {"SDE", 200, nil, nil},
		"close-opportunity": {"SDE", 200, nil, nil},
		"create-returnee":   {"CS", 201, person, nil}, "bulk-returnees": {"CS", 200, person, nil}, "list-returnees": {"CS", 200, nil, nil},
		"read-returnee": {"CS", 200, nil, nil}, "update-returnee": {"CS", 200, person, nil},
		"create-referral-request": {"CS", 202, nil, nil}, "list-referral-requests": {"CS", 200, nil, nil}, "read-referral-request": {"CS", 200, nil, nil},
		"referral-request-events": {"CS", 200, nil, nil}, "returnee-unlocks": {"CS", 200, nil, nil}, "caseload-unlocks": {"CS", 200, nil, nil},
		"list-candidates":  {"CSE", 200, nil, nil},
		"create-household": {"CS", 201, s.newCouple, nil}, "list-households": {"CS", 200, nil, nil}, "read-household": {"CS", 200, nil, nil},
		"referral-transitions": {everyone, 200, nil, nil}, "list-referrals": {"CS", 200, nil, nil}, "list-received-referrals": {"SDE", 200, nil, nil},
		"create-referral": {"CS", 201, s.newReferral, nil}, "read-referral": {"CS", 200, nil, s.at("referrals/%s")},
		"referral-history": {"CS", 200, nil, s.at("referrals/%s/history")}, "referral-decision": {"CS", 200, nil, s.at("referrals/%s/decision")}, "create-answer-link": {"CS", 201, nil, s.at("referrals/%s/answer-links")},
		"change-referral":        {"CS", 200, event("withdraw", "family"), s.at("referrals/%s/events")},
		"inform-recipient":       {"CS", 200, text("information"), s.at("referrals/%s/information", asked)},
		"list-scarcity":          {"CS", 200, nil, nil},
		"record-placement":       {"CSDE", 201, startToday, s.at("referrals/%s/placement", accepted)},
		"read-received-referral": {"SDE", 200, nil, s.at("received-referrals/%s")}, "received-referral-card": {"SDE", 200, nil, s.at("received-referrals/%s/card")},
		"change-received-referral": {"SDE", 200, event("decline", "language"), s.at("received-referrals/%s/events")},
		"ask-about-referral":       {"SDE", 200, text("question"), s.at("received-referrals/%s/question")},
		"received-referral-person": {"SDE", 200, nil, s.at("received-referrals/%s/person", accepted)},
		"confirm-opportunity":      {"", 409, nil, nil},
		"read-answer":              {everyone + "N", 200, nil, s.byLink}, "answer": {everyone + "N", 200, func(string) any { return map[string]any{"answer": "yes"} }, s.byLink},
		"list-placements": {"CSPDE", 200, nil, nil}, "read-placement": {"CSDE", 200, nil, s.at("placements/%s", accepted, placed)},
		"update-placement":  {"CS", 200, func(string) any { return map[string]any{"started_on": "2026-01-05"} }, s.at("placements/%s", accepted, placed)},
		"confirm-placement": {"CSDE", 200, func(string) any { return map[string]any{"side": "organisation", "source": "payroll"} }, s.at("placements/%s/confirm", accepted, placed)},
		"end-placement": {"CSDE", 200, func(string) any {
			return map[string]any{"ended_on": "2026-01-06", "reason": "better_job", "source": "self"}
		}, s.at("placements/%s/end", accepted, placed)},
		"monitor-placements": {"P", 200, nil, nil}, "monitor-placements-csv": {"P", 200, nil, nil}, "monitor-caseload": {"CS", 200, nil, nil}, "monitor-caseload-csv": {"CS", 200, nil, nil},
		"monitor-openings": {"SDE", 200, nil, nil}, "monitor-openings-csv": {"SDE", 200, nil, nil},
		"programme-figures": {"SAD", 200, nil, nil}, "programme-figures-csv": {"SAD", 200, nil, nil}, "parity-figures": {"A", 200, nil, nil}, "retention-figures": {"SAD", 200, nil, nil}, "retention-figures-csv": {"SAD", 200, nil, nil},
		"create-webhook": {"D", 201, func(string) any { return map[string]any{"url": "https://example.org/hook"} }, nil}, "list-webhooks": {"D", 200, nil, nil},
		"update-webhook": {"D", 200, func(string) any { return map[string]any{"url": "https://example.org/other"} }, s.onWebhook("webhooks/%s")},
		"delete-webhook": {"D", 204, nil, s.onWebhook("webhooks/%s")}, "rotate-webhook": {"D", 200, nil, s.onWebhook("webhooks/%s/rotate")}, "test-webhook": {"D", 202, nil, s.onWebhook("webhooks/%s/test")},
		"list-deliveries": {"D", 200, nil, nil}, "replay-delivery": {"D", 202, nil, s.onDelivery("deliveries/%s/replay")},
		"list-events": {everyone, 200, nil, nil}, "read-notice-preferences": {everyone, 200, nil, nil}, "set-notice-preferences": {everyone, 200, func(string) any { return map[string]any{"off": []string{"referral.ended"}} }, nil},
		"list-organisations": {everyone, 200, nil, nil}, "list-colleagues": {everyone, 200, nil, nil},
		"list-vettings-due":         {"CS", 200, nil, nil},
		"read-organisation-vetting": {"CS", 200, nil, s.otherVetting("organisations")}, "read-opportunity-vetting": {"CS", 200, nil, s.otherVetting("opportunities")},
		"record-organisation-checks": {"S", 200, checks("free_to_leave"), s.otherVetting("organisations")},
		"record-opportunity-checks":  {"S", 200, checks("real_vacancy"), s.otherVetting("opportunities")},
		"raise-alert": {"CS", 201, func(n string) any {
			return map[string]any{"referral_id": s.sent("E", n).ID, "kind": "other", "source": "counsellor"}
		}, nil},
		"list-alerts": {"CSP", 200, nil, nil}, "read-alert": {"CS", 200, nil, s.onAlert("alerts/%s")},
		"change-alert":   {"CS", 200, func(string) any { return map[string]any{"action": "note", "note": "called"} }, s.onAlert("alerts/%s/events")},
		"list-check-ins": {"CSP", 200, nil, nil}, "read-check-in": {"CS", 200, nil, s.onCheckIn("check-ins/%s")},
		"check-in-contact": {"CS", 200, nil, s.onCheckIn("check-ins/%s/contact")}, "check-in-questionnaire": {"CS", 200, nil, s.onCheckIn("check-ins/%s/questionnaire")},
		"add-check-in-attempt": {"CS", 200, func(string) any {
			return map[string]any{"channel": "call", "outcome": "no_answer", "at": "2026-01-01T00:00:00Z"}
		}, s.onCheckIn("check-ins/%s/attempts")},
		"complete-check-in":   {"CS", 200, func(string) any { return map[string]any{"talked_on": "2026-01-06", "still_there": "yes"} }, s.onCheckIn("check-ins/%s/complete")},
		"miss-check-in":       {"CS", 200, nil, s.tried(s.onCheckIn("check-ins/%s/miss"))},
		"list-questionnaires": {everyone, 200, nil, nil}, "read-questionnaire": {everyone, 200, nil, func(string, string) (string, int64) { return "questionnaires/placement-check-in", 1 }},
		"publish-questionnaire": {"SD", 201, func(n string) any {
			return map[string]any{"code": strings.ToLower(n), "version": 1, "title": map[string]any{"en": "t"}, "items": []any{map[string]any{"id": "a", "text": map[string]any{"en": "?"}, "scale": "yes_no"}}}
		}, nil}, "returnee-sustainability": {"CS", 200, nil, nil},
		"read-close-rules": {"SD", 200, nil, nil}, "set-close-rules": {"SD", 200, func(string) any { return map[string]any{"rules": []any{}} }, nil},
		"list-duplicates": {"CS", 200, nil, nil}, "read-audit": {"SD", 200, nil, func(string, string) (string, int64) { return "audit?about=" + onward.NewID().String(), 0 }},
		"read-retention-rules": {"CSD", 200, nil, nil}, "set-retention-rules": {"SD", 200, func(string) any {
			return map[string]any{"rules": []any{map[string]any{"kind": "referral", "days": 400}}}
		}, nil},
		"list-retention-due": {"CS", 200, nil, nil}, "prolong-retention": {"CS", 204, func(string) any {
			return map[string]any{"until": onward.DateOf(time.Now()).AddDays(90), "reason": "still looks for work"}
		}, nil},
		"list-legal-holds": {"SD", 200, nil, nil}, "place-legal-hold": {"SD", 201, func(string) any {
			return map[string]any{"kind": "token", "reason": "inquiry into a leak", "review_on": onward.DateOf(time.Now()).AddDays(90)}
		}, nil},
		"release-legal-hold": {"SD", 200, func(string) any { return map[string]any{"reason": "the inquiry is over"} }, s.onHold},
		"read-caseload-rule": {"CSD", 200, nil, nil}, "set-caseload-rule": {"SD", 200, func(string) any { return map[string]any{"own_only": false} }, nil},
		"assign-counsellor": {"S", 200, func(n string) any {
			return map[string]any{"counsellor_id": s.register(bricklayer(n + "-theirs")).CounsellorID}
		}, nil},
		"search-caseloads":        {"C", 200, func(string) any { return map[string]any{"name": "No Body"} }, nil},
		"open-emergency-access":   {"", 409, func(string) any { return map[string]any{"reason": "threatened at home, her counsellor is away"} }, nil}, // everyone is seen
		"list-emergency-accesses": {"CS", 200, nil, nil}, "end-emergency-access": {"", 404, nil, noEmergency("/end")},
		"review-emergency-access": {"", 404, func(string) any { return map[string]any{"justified": true, "note": "she was in danger"} }, noEmergency("/review")},
		"list-consents":           {"CS", 200, nil, nil}, "list-withdrawals": {"CS", 200, nil, nil}, "export-returnee": {"S", 200, nil, nil}, "export-returnee-page": {"S", 200, nil, nil}, "returnee-history": {"CS", 200, nil, nil},
		"withdraw-consent": {"CS", 201, func(string) any { return map[string]any{"purposes": []string{"matching"}} }, nil}, "erase-returnee": {"S", 200, nil, nil},
		"list-deletion-requests": {everyone, 200, nil, nil}, "confirm-deletion": {"", 0, nil, func(string, string) (string, int64) {
			return "deletion-requests/" + onward.NewID().String() + "/confirm", 0
		}},
		"sign-in": {everyone + "N", 401, func(string) any { return map[string]any{"email": "nobody@example.org", "password": "x"} }, nil}, "read-me": {everyone, 200, nil, nil},
		// Of sessions, and never of a token; what they do is tried in signin_test.go.
		"give-second-factor": {"", 0, nil, nil}, "sign-out": {"", 0, nil, nil}, "list-sessions": {"", 0, nil, nil}, "end-session": {"", 0, nil, nil}, "end-sessions": {"", 0, nil, nil}, "change-password": {"", 0, nil, nil},
		"create-token": {"", 0, nil, nil}, "revoke-token": {"", 0, nil, nil}, "invite-user": {"", 0, nil, nil}, "invite-again": {"", 0, nil, nil}, "update-account": {"", 0, nil, nil}, "suspend-account": {"", 0, nil, nil},
		"reinstate-account": {"", 0, nil, nil}, "end-account-sessions": {"", 0, nil, nil}, "reset-second-factor": {"", 0, nil, nil},
		"list-tokens": {everyone, 200, nil, nil}, "list-accounts": {"D", 200, nil, nil}, "read-account": {"D", 200, nil, s.account("accounts/%s")}, "list-account-sessions": {"D", 200, nil, s.account("accounts/%s/sessions")},
		"list-providers": {everyone + "N", 200, nil, nil}, "begin-provider-sign-in": {everyone + "N", 404, nil, func(string, string) (string, int64) { return "sign-in/oidc/none", 0 }},
		"finish-provider-sign-in": {everyone + "N", 404, nil, func(string, string) (string, int64) { return "sign-in/oidc/none/callback", 0 }},
		"read-invitation":         {everyone + "N", 404, nil, func(string, string) (string, int64) { return "invitations/none", 0 }}, "ask-password-reset": {everyone + "N", 202, func(string) any { return map[string]any{"email": "nobody@example.org"} }, nil},
		"accept-invitation":   {everyone + "N", 404, func(string) any { return map[string]any{"password": goodPassword} }, func(string, string) (string, int64) { return "invitations/none", 0 }},
		"begin-second-factor": {"", 0, nil, nil}, "confirm-second-factor": {"", 0, nil, nil}, "remove-second-factor": {"", 0, nil, nil}, "renew-recovery-codes": {"", 0, nil, nil},
		"update-household": {"CS", 200, s.newCouple, nil}, "delete-household": {"CS", 204, nil, nil}, "household-opportunities": {"CS", 200, nil, nil},
	}
	tokens := map[string]string{"C": s.counsellor, "S": s.supervisor, "P": s.partner, "A": s.analyst, "D": s.admin, "E": s.poster, "N": ""}
	strangers := s.strangers()
	returnee := s.register(bricklayer("someone"))
	request := s.request(returnee.ID)
	s.withWorkers() // events end when the request is ready
	s.readable()
	n, seen := 0, map[string]bool{}
	roleOf := map[string]onward.Role{"C": onward.RoleCounsellor, "S": onward.RoleSupervisor, "P": onward.RolePartner, "A": onward.RoleAnalyst, "D": onward.RoleAdministrator, "E": onward.RoleEmployer}
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
			seen[operation.OperationID] = true
			for who, token := range tokens {
				n++
				external := operation.OperationID + who
				at, version := path, int64(1)
				if rule.at != nil {
					end, v := rule.at(who, external)
					at, version = "/v1/"+end, v
				} else if strings.HasPrefix(path, "/v1/opportunities/{id}") {
					at = strings.Replace(path, "{id}", s.opportunityOf(who, external, operation.OperationID == "pause-opportunity" || operation.OperationID == "list-candidates"), 1)
				} else if strings.HasPrefix(path, "/v1/returnees/{id}") {
					id := returnee.ID
					switch operation.OperationID {
					case "update-returnee", "withdraw-consent", "erase-returnee":
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
				if who != "N" {
					s.tryAsStranger(strangers[who], operation.OperationID, strings.ToUpper(method), at, body, version)
				}
				got := s.send(token, strings.ToUpper(method), at, body, header("If-Match", fmt.Sprintf(`"v%d"`, version)))
				switch role, open := roleOf[who], !strings.Contains(rule.roles, "N"); {
				case open && who != "N" && !onward.MayCall(operation.OperationID, role): // what the table of access says, and not for want of a record
					got.problem(http.StatusForbidden, onward.EForbidden)
					if strings.Contains(rule.roles, who) {
						t.Errorf("%s may %s here, and not by the table of access", who, operation.OperationID)
					}
				case strings.Contains(rule.roles, who):
					if got.status != rule.ok {
						t.Errorf("%s may %s: %d, want %d: %.300s", who, operation.OperationID, got.status, rule.ok, got.body)
					}
				case who == "N":
					got.problem(http.StatusUnauthorized, onward.EUnauthenticated)
				case rule.ok == http.StatusConflict && got.status == rule.ok: // it may, but there is nothing to do
				case got.status != http.StatusForbidden && got.status != http.StatusNotFound:
					t.Errorf("%s may not %s: %d: %.300s", who, operation.OperationID, got.status, got.body)
				}
			}
		}
	}
	for _, row := range onward.AccessMatrix() {
		if !seen[row.Operation] {
			t.Errorf("%s is in the table of access, but is no operation", row.Operation)
		}
	}
	for id := range table {
		t.Errorf("%s is in this table, but is no operation", id)
	}
	if n < 100 {
		t.Errorf("only %d cases", n)
	}
}

// noEmergency is an access that is not there.
func noEmergency(end string) func(string, string) (string, int64) {
	return func(string, string) (string, int64) { return "emergency-accesses/" + onward.NewID().String() + end, 0 }
}

// onHold is a legal hold of the agency, to be released.
func (s *system) onHold(string, string) (string, int64) {
	s.t.Helper()
	h := decode[onward.LegalHold](s.post(s.admin, "/v1/legal-holds", map[string]any{"kind": "token", "reason": "inquiry into a leak", "review_on": onward.DateOf(time.Now()).AddDays(90)}).want(201))
	return "legal-holds/" + h.ID.String() + "/release", 0
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
