package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"onward"
	"onward/internal/testenv"
	"onward/store"
)

// system is a whole Onward with its HTTP API, an agency with a counsellor and an employer.
type system struct {
	*Engine
	server     *httptest.Server
	config     Config
	agency     onward.Organisation
	employer   onward.Organisation
	counsellor string // tokens
	poster     string
}

func newSystem(t *testing.T, change func(*Config)) *system {
	t.Helper()
	config := databaseConfig(t)
	if change != nil {
		change(&config)
	}
	s := &system{config: config}
	s.start(t)
	s.accounts(t)
	return s
}

func databaseConfig(t *testing.T) Config {
	t.Helper()
	db := testenv.Postgres(t)
	level := slog.LevelError
	if os.Getenv("ONWARD_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return Config{
		DatabaseURL: db.AppDSN, OwnerURL: db.AdminDSN, Keys: testKeys, RateLimit: -1, DataDir: t.TempDir(), API: true, Workers: true, SweepAfter: time.Second,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
}

func (s *system) start(t *testing.T) {
	t.Helper()
	e, err := Start(t.Context(), s.config)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	s.Engine = e
	s.server = httptest.NewServer(e.Handler)
	t.Cleanup(func() { s.end(t) })
}

// end stops the system; a second call does nothing.
func (s *system) end(t *testing.T) {
	t.Helper()
	if s.Engine == nil {
		return
	}
	s.server.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	s.Engine = nil
}

func (s *system) accounts(t *testing.T) {
	t.Helper()
	err := s.Store.InTx(t.Context(), onward.System(), func(tx *store.Tx) (err error) {
		if s.agency, err = tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "agency", Name: "Agency", Kind: onward.Agency, Country: "MX"}); err != nil {
			return err
		}
		if s.employer, err = tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "employer", Name: "Employer", Kind: onward.Employer, Country: "MX"}); err != nil {
			return err
		}
		s.counsellor, err = tokenFor(t.Context(), tx, s.agency, onward.RoleCounsellor)
		if err != nil {
			return err
		}
		s.poster, err = tokenFor(t.Context(), tx, s.employer, onward.RoleEmployer)
		return err
	})
	if err != nil {
		t.Fatalf("accounts: %v", err)
	}
}

func tokenFor(ctx context.Context, tx *store.Tx, organisation onward.Organisation, role onward.Role) (string, error) {
	user, err := tx.CreateUser(ctx, onward.User{OrganisationID: organisation.ID, Name: string(role), Email: uuid.NewString() + "@example.org", Role: role})
	if err != nil {
		return "", err
	}
	secret, _, err := tx.CreateToken(ctx, user, "test", nil)
	return secret, err
}

// call sends JSON and decodes the answer; it fails the test unless the status is as wanted.
func (s *system) call(t *testing.T, token, method, path string, body any, want int, result any) http.Header {
	t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != want {
		t.Fatalf("%s %s: %s, want %d: %s", method, path, response.Status, want, raw)
	}
	if result != nil {
		if err := json.Unmarshal(raw, result); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
	return response.Header
}

const guadalajara, zapopan, morelia = onward.PlaceID(4005539), onward.PlaceID(3979770), onward.PlaceID(3995402)

func bricklaying(external string, place onward.PlaceID) onward.OpportunityDetails {
	return onward.OpportunityDetails{
		ExternalID: external, Kind: onward.Job, Title: onward.Text{"es": "Albañil", "en": "Bricklayer"}, PlaceID: place, Capacity: 2,
		Skills: []onward.OpportunitySkill{{SkillID: "onward/skill/lay-bricks", Essential: true}, {SkillID: "onward/skill/work-at-height"}},
	}
}

func bricklayer(external string) onward.ReturneeDetails {
	yesterday := onward.DateOf(time.Now()).AddDays(-1)
	return onward.ReturneeDetails{
		ExternalID: external, Country: "MX", Language: "es", Identity: onward.Identity{GivenName: "Ana", FamilyName: "Prueba"},
		Skills:   []onward.ReturneeSkill{{SkillID: "onward/skill/lay-bricks", Level: onward.LevelExperienced, Verification: onward.Referenced}},
		Places:   []onward.PersonPlace{{PlaceID: morelia, Relation: onward.PlaceOrigin}, {PlaceID: guadalajara, Relation: onward.PlaceCurrent}},
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: yesterday}},
	}
}

// post publishes an opportunity and waits until the index has it.
func (s *system) post(t *testing.T, details onward.OpportunityDetails) onward.Opportunity {
	t.Helper()
	var o onward.Opportunity
	s.call(t, s.poster, http.MethodPost, "/v1/opportunities?publish=true", details, http.StatusCreated, &o)
	return o
}

func (s *system) waitIndexed(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d openings in the index", n), func() bool {
		count, err := s.Index.Count(t.Context())
		return err == nil && count == n
	})
}

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if happened() {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}

func (s *system) register(t *testing.T, details onward.ReturneeDetails) onward.Returnee {
	t.Helper()
	var r onward.Returnee
	s.call(t, s.counsellor, http.MethodPost, "/v1/returnees", details, http.StatusCreated, &r)
	return r
}

func (s *system) request(t *testing.T, returnee onward.ID) onward.ReferralRequest {
	t.Helper()
	var request onward.ReferralRequest
	s.call(t, s.counsellor, http.MethodPost, "/v1/returnees/"+returnee.String()+"/referral-requests", map[string]any{}, http.StatusAccepted, &request)
	return request
}

func (s *system) await(t *testing.T, request onward.ReferralRequest) onward.ReferralRequest {
	t.Helper()
	s.call(t, s.counsellor, http.MethodGet, "/v1/referral-requests/"+request.ID.String()+"?wait=30s", nil, http.StatusOK, &request)
	return request
}

func TestAPostingBecomesARankedReferralThroughEveryLayer(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	here := s.post(t, bricklaying("here", guadalajara))
	far := s.post(t, bricklaying("far", zapopan))
	s.waitIndexed(t, 2)
	request := s.await(t, s.request(t, s.register(t, bricklayer("ana")).ID))
	if request.Status != onward.RequestReady {
		t.Fatalf("status %s (%s), want ready", request.Status, request.Refusal)
	}
	list := request.List
	if len(list.Referrals) != 2 || list.AnsweredBy != "memory" || list.Degraded != "" {
		t.Fatalf("want two referrals from the memory index, got %d from %s %s", len(list.Referrals), list.AnsweredBy, list.Degraded)
	}
	first := list.Referrals[0]
	if first.Opportunity.ID != here.ID || list.Referrals[1].Opportunity.ID != far.ID {
		t.Errorf("the opening where she lives should come first, got %v", first.Opportunity.Title)
	}
	if product := first.Fit * first.Reach * first.Terms; first.Score <= 0 || product-first.Score > 1e-12 || first.Score-product > 1e-12 {
		t.Errorf("score %v is not fit x reach x terms = %v", first.Score, product)
	}
	if first.Opportunity.Organisation != "Employer" || first.Opportunity.Place == "" || len(first.Explanation.Skills) != 2 {
		t.Errorf("the list lacks what a counsellor needs: %+v", first)
	}
	if len(list.Destination.Places) == 0 || list.Destination.Places[0].Probability <= 0 {
		t.Errorf("no likely destination: %+v", list.Destination)
	}
}
