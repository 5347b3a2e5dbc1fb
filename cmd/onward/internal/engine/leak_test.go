package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	neturl "net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onward"
	"onward/cmd/onward/internal/demo"
	"onward/internal/reference"
	"onward/internal/testenv"
	"onward/store"
)

// TestNoServerAndNoLogHoldsWhoAPersonIs loads the people of the demonstration, goes with one more from the registration to the end of a
// placement, writes words into every field of the API that takes some, and searches everything that holds anything afterwards: Postgres,
// Redis, Elasticsearch, and all logs at their most talkative.
func TestNoServerAndNoLogHoldsWhoAPersonIs(t *testing.T) {
	t.Parallel()
	url, search := testenv.Redis(t), testenv.Elasticsearch(t)
	log := &logbook{}
	prefix := testenv.IndexPrefix(t)
	s := newSystem(t, func(c *Config) {
		c.RedisURL, c.ElasticsearchURL, c.IndexPrefix = url, search, prefix
		c.Logger = log.logger(slog.LevelDebug)
	})
	w := &writer{system: s, said: map[string]bool{}}
	made := w.demo(t)
	w.life(t)
	w.missesNoField(t)

	secrets := append([]string{"Tlalocan", "tlalocan", "98761234", "1991-05-17"}, made...)
	held := map[string]string{"Postgres": testenv.Dump(t, s.config.OwnerURL), "Redis": redisText(t, url), "Elasticsearch": searchText(t, search, prefix), "the logs": log.String()}
	for where, text := range held {
		if len(text) < 200 {
			t.Errorf("%s holds next to nothing: %q", where, text)
		}
		for _, value := range secrets {
			if at := strings.Index(text, value); at >= 0 {
				t.Errorf("%s: %q in …%s…", where, value, text[max(0, at-100):min(len(text), at+60)])
			}
		}
	}
	if err := s.Store.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
		list, err := tx.Audit(t.Context(), w.person, 100)
		if err == nil && len(list) < 6 {
			err = fmt.Errorf("%d entries of the audit", len(list))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// writer writes words about one person wherever the API takes them.
type writer struct {
	*system
	person onward.ID
	said   map[string]bool // operation and field
}

// say is words that occur nowhere else, for a field of an operation.
func (w *writer) say(field string) string {
	w.said[field] = true
	return "Tlalocan of " + field
}

// do is call with a version, a reason and a key for repeating.
func (w *writer) do(t *testing.T, token, method, path string, version int64, body any, want int, result any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := body.(string); ok {
		raw = []byte(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	if _, ok := body.(string); ok {
		request.Header.Set("Content-Type", "application/x-ndjson")
	}
	request.Header.Set("Onward-Reason", w.say("Onward-Reason"))
	request.Header.Set("Idempotency-Key", strings.ReplaceAll(w.say("Idempotency-Key"), " ", "-"))
	if version > 0 {
		request.Header.Set("If-Match", fmt.Sprintf(`"v%d"`, version))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		t.Fatalf("%s %s: %s, want %d: %s, %v", method, path, response.Status, want, answer, err)
	}
	if result != nil {
		if err := json.Unmarshal(answer, result); err != nil {
			t.Fatal(err)
		}
	}
}

// demo registers the people of the demonstration, and says what identifies them.
func (w *writer) demo(t *testing.T) (secrets []string) {
	t.Helper()
	places, err := reference.Places()
	if err != nil {
		t.Fatal(err)
	}
	starter, err := reference.Starter()
	if err != nil {
		t.Fatal(err)
	}
	made, err := demo.Generate(1, onward.DateOf(time.Now()), places, starter)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, r := range made.Returnees {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
		secrets = append(secrets, `"`+r.ExternalID+`"`, r.Identity.GivenName+" "+r.Identity.FamilyName)
		isPlace := func(p onward.Place) bool {
			return strings.Contains(p.Name+strings.Join(p.AltNames, "|"), r.Identity.FamilyName)
		}
		if !slices.ContainsFunc(places, isPlace) {
			secrets = append(secrets, r.Identity.FamilyName)
		}
		for _, value := range []string{r.Identity.Phone, r.Identity.Email, r.Identity.Notes} {
			if value != "" {
				secrets = append(secrets, value)
			}
		}
		// The last day of a month is what is kept of all birth dates of it.
		if day := r.BirthDate; !day.IsZero() && day.AddDays(1).Time().Day() != 1 {
			secrets = append(secrets, `"`+day.String()+`"`)
		}
	}
	var result struct {
		Created  int `json:"created"`
		Rejected int `json:"rejected"`
	}
	w.do(t, w.counsellor, http.MethodPost, "/v1/returnees/bulk", 0, lines.String(), http.StatusOK, &result)
	if result.Created != len(made.Returnees) || result.Created < 100 || len(secrets) < 3*result.Created {
		t.Fatalf("%+v of %d, with %d values", result, len(made.Returnees), len(secrets))
	}
	return secrets
}

// identity is one in which every field is words.
func (w *writer) identity(operation string) onward.Identity {
	say := func(field string) string { return w.say(operation + " identity." + field) }
	w.said[operation+" identity.phone"], w.said[operation+" identity.email"], w.said[operation+" identity.alternate_contact.phone"] = true, true, true
	return onward.Identity{
		GivenName: say("given_name"), FamilyName: say("family_name"), Phone: "+525598761234", Email: "tlalocan@example.net", Notes: say("notes"),
		AlternateContact: &onward.AlternateContact{Name: say("alternate_contact.name"), Phone: "+525598761234", Relation: say("alternate_contact.relation")},
	}
}

// life is that of a person from the registration to the end of a placement.
func (w *writer) life(t *testing.T) {
	t.Helper()
	today := onward.DateOf(time.Now())
	supervisor, partner, monitors := w.others(t)
	person := bricklayer(w.say("create-returnee external_id"))
	person.Identity = w.identity("create-returnee")
	person.BirthDate = onward.NewDate(1991, time.May, 17)
	for _, p := range []onward.ConsentPurpose{onward.ConsentSharing, onward.ConsentFollowUp} {
		person.Consents = append(person.Consents, onward.Consent{Purpose: p, GivenOn: person.Consents[0].GivenOn})
	}
	o := w.post(t, bricklaying("leak", guadalajara))
	var r onward.Returnee
	w.do(t, w.counsellor, http.MethodPost, "/v1/returnees", 0, person, http.StatusCreated, &r)
	w.person = r.ID
	about := "/v1/returnees/" + r.ID.String()
	person.ExternalID, person.Identity = w.say("update-returnee external_id"), w.identity("update-returnee")
	w.do(t, w.counsellor, http.MethodPut, about, r.Version, person, http.StatusOK, &r)
	w.call(t, w.counsellor, http.MethodGet, "/v1/returnees?name=tlalocan&contact=tlalocan%40example.net&external_id="+neturl.QueryEscape(r.ExternalID), nil, http.StatusOK, nil)
	w.call(t, w.counsellor, http.MethodGet, "/v1/returnees/"+onward.NewID().String(), nil, http.StatusNotFound, nil)
	w.do(t, w.counsellor, http.MethodPost, about+"/retention", 0, map[string]any{"until": today.AddDays(100), "reason": w.say("prolong-retention reason")}, http.StatusNoContent, nil)

	var request onward.ReferralRequest
	w.do(t, w.counsellor, http.MethodPost, about+"/referral-requests", 0, map[string]any{
		"destination": []map[string]any{{"place_id": guadalajara, "probability": 1}}, "destination_reason": w.say("create-referral-request destination_reason"),
	}, http.StatusAccepted, &request)
	w.call(t, w.counsellor, http.MethodGet, "/v1/referral-requests/"+request.ID.String()+"?wait=20s", nil, http.StatusOK, &request)
	if request.Status != onward.RequestReady || len(request.List.Referrals) == 0 || request.List.Destination.Reason != "Tlalocan of create-referral-request destination_reason" {
		t.Fatalf("%+v", request)
	}
	var referral onward.Referral
	w.do(t, w.counsellor, http.MethodPost, "/v1/referrals?send=true", 0, map[string]any{
		"returnee_id": r.ID, "opportunity_id": o.ID, "request_id": request.ID, "choice_reason": "family", "choice_note": w.say("create-referral choice_note"),
	}, http.StatusCreated, &referral)
	ours, theirs := "/v1/referrals/"+referral.ID.String(), "/v1/received-referrals/"+referral.ID.String()
	now := func() int64 {
		w.call(t, w.counsellor, http.MethodGet, ours, nil, http.StatusOK, &referral)
		return referral.Version
	}
	w.do(t, w.poster, http.MethodPost, theirs+"/question", now(), map[string]any{"question": w.say("ask-about-referral question")}, http.StatusOK, nil)
	w.do(t, w.counsellor, http.MethodPost, ours+"/information", now(), map[string]any{"information": w.say("inform-recipient information")}, http.StatusOK, nil)
	var link onward.AnswerLink
	w.do(t, w.counsellor, http.MethodPost, ours+"/answer-links", 0, map[string]any{}, http.StatusCreated, &link)
	w.do(t, w.poster, http.MethodPost, "/v1/answers/"+link.Token, 0, map[string]any{"answer": "need_information", "question": w.say("answer question")}, http.StatusOK, nil)
	w.do(t, w.counsellor, http.MethodPost, ours+"/events", now(), map[string]any{
		"event": "pause", "reason": "health", "note": w.say("change-referral note"), "told": w.say("change-referral told"),
	}, http.StatusOK, nil)
	w.do(t, w.counsellor, http.MethodPost, ours+"/events", now(), map[string]any{"event": "resume"}, http.StatusOK, nil)
	w.do(t, w.poster, http.MethodPost, theirs+"/events", now(), map[string]any{"event": "accept", "note": w.say("change-received-referral note")}, http.StatusOK, nil)
	var shared onward.SharedIdentity
	w.call(t, w.poster, http.MethodGet, theirs+"/person", nil, http.StatusOK, &shared)
	if !strings.HasPrefix(shared.GivenName, "Tlalocan") {
		t.Fatalf("%+v", shared)
	}
	var placement onward.Placement
	w.do(t, w.counsellor, http.MethodPost, ours+"/placement", now(), map[string]any{"started_on": today, "side": "organisation", "source": "employer", "partner_id": monitors}, http.StatusCreated, &placement)

	w.do(t, supervisor, http.MethodPost, "/v1/questionnaires", 0, map[string]any{
		"code": onward.AsksSustainability.QuestionnaireOf(), "version": 2, "title": map[string]string{"en": "How it goes"},
		"items": []map[string]any{{"id": "words", "text": map[string]string{"en": "What else?"}, "scale": "text"}},
	}, http.StatusCreated, nil)
	checkIn := "/v1/check-ins/" + w.due(t, partner).String()
	w.do(t, partner, http.MethodPost, checkIn+"/attempts", 0, map[string]any{"channel": "call", "outcome": "no_answer", "at": time.Now(), "note": w.say("add-check-in-attempt note")}, http.StatusOK, nil)
	var asked struct{ Version int64 }
	w.call(t, partner, http.MethodGet, checkIn, nil, http.StatusOK, &asked)
	w.do(t, partner, http.MethodPost, checkIn+"/complete", asked.Version, map[string]any{
		"talked_on": today, "still_there": "yes", "answers": map[string]string{"words": w.say("complete-check-in answers{}")},
	}, http.StatusOK, nil)
	var alert onward.Alert
	w.do(t, partner, http.MethodPost, "/v1/alerts", 0, map[string]any{"placement_id": placement.ID, "kind": "distress", "source": "partner", "note": w.say("raise-alert note")}, http.StatusCreated, &alert)
	w.do(t, supervisor, http.MethodPost, "/v1/alerts/"+alert.ID.String()+"/events", alert.Version, map[string]any{"action": "note", "note": w.say("change-alert note")}, http.StatusOK, nil)
	w.call(t, w.counsellor, http.MethodGet, "/v1/placements/"+placement.ID.String(), nil, http.StatusOK, &placement)
	w.do(t, w.counsellor, http.MethodPost, "/v1/placements/"+placement.ID.String()+"/end", placement.Version, map[string]any{
		"ended_on": today, "reason": "resigned", "source": "self", "told": w.say("end-placement told"),
	}, http.StatusOK, nil)
	if now(); referral.Told != "Tlalocan of end-placement told" {
		t.Errorf("what was written is not read: %+v", referral)
	}
	reader := client{w.server.URL, w.counsellor}
	eventually(t, "texts can be read", func() bool {
		status, _, _, err := reader.do(t.Context(), http.MethodPost, "/v1/skills/suggest", []byte(`{"text": "albañil"}`))
		return err == nil && status == http.StatusOK
	})
	w.do(t, w.counsellor, http.MethodPost, "/v1/skills/suggest", 0, map[string]any{"text": w.say("read-text text") + " albañil"}, http.StatusOK, nil)
	w.emergency(t, supervisor)
}

// emergency is access by a colleague who does not see the person otherwise.
func (w *writer) emergency(t *testing.T, supervisor string) {
	t.Helper()
	var colleague string
	if err := w.Store.InTx(t.Context(), onward.System(), func(tx *store.Tx) (err error) {
		colleague, err = tokenFor(t.Context(), tx, w.agency, onward.RoleCounsellor)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.do(t, supervisor, http.MethodPut, "/v1/caseload-rule", 0, map[string]any{"own_only": true}, http.StatusOK, nil)
	w.do(t, colleague, http.MethodPost, "/v1/caseload-search", 0, map[string]any{"name": w.say("search-caseloads name")}, http.StatusOK, nil)
	w.said["search-caseloads contact"] = true
	var found struct{ Items []onward.CaseloadMatch }
	w.do(t, colleague, http.MethodPost, "/v1/caseload-search", 0, map[string]any{"contact": "tlalocan@example.net"}, http.StatusOK, &found)
	if len(found.Items) != 1 || found.Items[0].ReturneeID != w.person {
		t.Fatalf("%+v", found)
	}
	about := "/v1/returnees/" + w.person.String()
	w.call(t, colleague, http.MethodGet, about, nil, http.StatusNotFound, nil)
	var access onward.EmergencyAccess
	w.do(t, colleague, http.MethodPost, about+"/emergency-access", 0, map[string]any{"reason": w.say("open-emergency-access reason")}, http.StatusCreated, &access)
	w.call(t, colleague, http.MethodGet, about, nil, http.StatusOK, nil)
	w.do(t, supervisor, http.MethodPost, "/v1/emergency-accesses/"+access.ID.String()+"/end", 0, map[string]any{}, http.StatusOK, nil)
	w.do(t, supervisor, http.MethodPost, "/v1/emergency-accesses/"+access.ID.String()+"/review", 0, map[string]any{"justified": true, "note": w.say("review-emergency-access note")}, http.StatusOK, nil)
	w.call(t, colleague, http.MethodGet, about, nil, http.StatusNotFound, nil)
}

// others are a supervisor of the agency and a partner, with the partner's organisation.
func (w *writer) others(t *testing.T) (supervisor, partner string, monitors onward.ID) {
	t.Helper()
	if err := w.Store.InTx(t.Context(), onward.System(), func(tx *store.Tx) (err error) {
		g, err := tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "monitors", Name: "Monitors", Kind: onward.CivilSociety, Country: "MX"})
		if err != nil {
			return err
		}
		monitors = g.ID
		if supervisor, err = tokenFor(t.Context(), tx, w.agency, onward.RoleSupervisor); err != nil {
			return err
		}
		partner, err = tokenFor(t.Context(), tx, g, onward.RolePartner)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return supervisor, partner, monitors
}

// due is the check-in that the partner is to make today.
func (w *writer) due(t *testing.T, partner string) onward.ID {
	t.Helper()
	if _, err := w.Store.PlanCheckIns(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.CallCheckIns(t.Context()); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []onward.CheckIn `json:"items"`
	}
	w.call(t, partner, http.MethodGet, "/v1/check-ins?status=due", nil, http.StatusOK, &list)
	if len(list.Items) == 0 {
		t.Fatal("nothing is due")
	}
	return list.Items[0].ID
}

// wordless are the fields of the API that take a string and no words about a person, by operation or field, with the reason.
var wordless = map[string]string{
	"change-received-referral told":    "refused: it is for the agency to write",
	"complete-check-in end_reason":     "a code",
	"complete-check-in language":       "a code",
	"change-referral reason":           "a code",
	"change-received-referral reason":  "a code",
	"set-close-rules rules[].reason":   "a code",
	"create-referral-request language": "a code", "create-referral-request kinds[]": "a code", "withdraw-consent purposes[]": "a code",
	"record-placement currency": "a code", "update-placement currency": "a code",
	"bulk-returnees ": "the people of the demonstration", "bulk-opportunities ": "of an opening",
	"create-opportunity": "of an opening", "update-opportunity": "of an opening", "record-opportunity-checks": "of an opening", "record-organisation-checks": "of an organisation",
	"publish-questionnaire":  "what is asked, not what is answered",
	"set-notice-preferences": "of a user", "change-password": "of a user", "renew-recovery-codes": "of a user", "begin-second-factor": "of a user", "confirm-second-factor": "of a user",
	"remove-second-factor": "of a user", "sign-in": "of a user", "give-second-factor": "of a user",
	"invite-user": "of a user", "accept-invitation": "of a user", "update-account": "of a user", "ask-password-reset": "of a user", "create-token": "of a user",
	"create-webhook": "of an organisation", "update-webhook": "of an organisation",
	"place-legal-hold": "names a court and a case, and is not about the person; administrators write it, who may have no key", "release-legal-hold": "as place-legal-hold",
}

// codesOfAPerson are the fields of a person that are codes, and refuse words.
var codesOfAPerson = []string{
	"consents[].fields[]", "consents[].language", "consents[].recipient_kinds[]", "country", "documents[].kind", "experience[].occupation_id", "household.currency", "language", "languages[].language",
	"preferences.currency", "preferences.kinds[]", "skills[].skill_id",
}

// missesNoField holds what was written against the document of the API: each field that takes a string has words in it, or a reason why not.
func (w *writer) missesNoField(t *testing.T) {
	t.Helper()
	var document struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	w.call(t, w.counsellor, http.MethodGet, "/openapi.json", nil, http.StatusOK, &document)
	fields := 0
	for _, methods := range document.Paths {
		for _, raw := range methods {
			var operation struct {
				ID   string `json:"operationId"`
				Body struct {
					Content map[string]struct {
						Schema schema `json:"schema"`
					} `json:"content"`
				} `json:"requestBody"`
			}
			if err := json.Unmarshal(raw, &operation); err != nil {
				continue // parameters of a path
			}
			for _, c := range operation.Body.Content {
				for _, field := range c.Schema.strings(document.Components.Schemas, "", nil) {
					fields++
					name := operation.ID + " " + field
					excused := wordless[name] != "" || wordless[operation.ID] != "" || strings.HasSuffix(operation.ID, "-returnee") && slices.Contains(codesOfAPerson, field)
					if w.said[name] == excused {
						t.Errorf("%s: words written %v, excused %v; write some in this test, or say why none can be about a person", name, w.said[name], excused)
					}
				}
			}
		}
	}
	if fields < 80 {
		t.Errorf("the document has only %d fields of text", fields)
	}
}

// schema is as much of a JSON schema as it takes to find strings.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Enum       []any             `json:"enum"`
	Format     string            `json:"format"`
	Pattern    string            `json:"pattern"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Additional json.RawMessage   `json:"additionalProperties"` // a schema or a truth value
}

// strings are the fields that take any text.
func (s schema) strings(all map[string]schema, path string, within []string) (fields []string) {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if slices.Contains(within, name) {
			return nil
		}
		return all[name].strings(all, path, append(slices.Clone(within), name))
	}
	if strings.Contains(fmt.Sprint(s.Type), "string") && s.Enum == nil && s.Pattern == "" && !slices.Contains([]string{"date", "date-time", "uuid"}, s.Format) {
		fields = append(fields, path)
	}
	for name, p := range s.Properties {
		if name != "$schema" {
			fields = append(fields, p.strings(all, strings.TrimPrefix(path+"."+name, "."), within)...)
		}
	}
	if s.Items != nil {
		fields = append(fields, s.Items.strings(all, path+"[]", within)...)
	}
	var more schema
	if json.Unmarshal(s.Additional, &more) == nil {
		fields = append(fields, more.strings(all, path+"{}", within)...)
	}
	return fields
}

// redisText is every key with what it holds.
func redisText(t *testing.T, url string) string {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	ctx := context.WithoutCancel(t.Context())
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, key := range keys {
		all.WriteString(key + "\n")
		switch kind := client.Type(ctx, key).Val(); kind {
		case "hash":
			fmt.Fprintln(&all, client.HGetAll(ctx, key).Val())
		case "list":
			fmt.Fprintln(&all, client.LRange(ctx, key, 0, -1).Val())
		case "zset":
			fmt.Fprintln(&all, client.ZRange(ctx, key, 0, -1).Val())
		case "set":
			fmt.Fprintln(&all, client.SMembers(ctx, key).Val())
		default:
			fmt.Fprintln(&all, client.Get(ctx, key).Val())
		}
	}
	return all.String()
}

// searchText is every document of the test's indices.
func searchText(t *testing.T, url, prefix string) string {
	t.Helper()
	search(t, http.MethodPost, url+"/"+prefix+"*/_refresh", "")
	return search(t, http.MethodGet, url+"/"+prefix+"*/_search?size=1000", "")
}
