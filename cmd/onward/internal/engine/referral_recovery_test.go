package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"onward"
	"onward/internal/testenv"
)

// withoutWorkers is the API with workers in processes of their own, on a real Redis and one database.
func withoutWorkers(t *testing.T) (*system, []string, *sqlx.DB) {
	t.Helper()
	redis := testenv.Redis(t)
	s := newSystem(t, func(c *Config) { c.Workers, c.RedisURL = false, redis })
	db, err := sqlx.ConnectContext(t.Context(), "postgres", s.config.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return s, []string{"DATABASE_URL=" + s.config.DatabaseURL, "DATABASE_OWNER_URL=" + s.config.OwnerURL, "REDIS_URL=" + redis, "ONWARD_DATA_DIR=" + t.TempDir()}, db
}

func number(t *testing.T, db *sqlx.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.GetContext(t.Context(), &n, query, args...); err != nil {
		t.Fatal(err)
	}
	return n
}

// referMany writes referrals that wait for an answer, each of a person of its own, past the API: ten thousand of them.
func (s *system) referMany(t *testing.T, db *sqlx.DB, to onward.Opportunity, n int) {
	t.Helper()
	for _, query := range []string{
		`INSERT INTO returnees (id, organisation_id, country, details) SELECT gen_random_uuid(), $1, 'MX', '{"many": true}' FROM generate_series(1, $3) i WHERE $2 = $2`,
		`INSERT INTO referrals (id, organisation_id, recipient_id, returnee_id, opportunity_id, kind, pseudonym, urgency, status, hold_until, reply_due_at,
				created_by, created_at, sent_at, updated_at)
			SELECT gen_random_uuid(), r.organisation_id, o.organisation_id, r.id, o.id, o.kind, gen_random_uuid(), 'normal', 'requested', now() + interval '14 days',
				now() + interval '14 days', (SELECT id FROM users WHERE organisation_id = $1 LIMIT 1), now(), now(), now()
			FROM returnees r, opportunities o WHERE r.organisation_id = $1 AND o.id = $2 AND r.details ? 'many' LIMIT $3`,
		`UPDATE opportunities SET held = $3, version = version + 1 WHERE id = $2 AND $1 = $1`,
	} {
		if _, err := db.ExecContext(t.Context(), query, s.agency.ID, to.ID, n); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAKilledWorkerEndsTenThousandReferralsOnceEach: an opportunity closes, and the worker that ends its referrals is killed in
// the middle of it, again and again.
func TestAKilledWorkerEndsTenThousandReferralsOnceEach(t *testing.T) {
	t.Parallel()
	const many = 10_000
	s, environment, db := withoutWorkers(t)
	details := bricklaying("many", guadalajara)
	details.Capacity = many
	var o onward.Opportunity
	employer := client{s.server.URL, s.poster}
	mustJSON(t, employer, "/v1/opportunities?publish=true", details, http.StatusCreated, &o)
	s.referMany(t, db, o, many)
	mustJSON(t, employer, "/v1/opportunities/"+o.ID.String()+"/close?reason=withdrawn", nil, http.StatusOK, nil)

	live := func() int { return number(t, db, `SELECT count(*) FROM referrals WHERE status = 'requested'`) }
	kills := 0
	for left := live(); left > 0; {
		worker := startProcess(t, "work", environment...)
		eventually(t, "another batch is ended", func() bool { return live() < left })
		if kills < 3 {
			worker.kill()
			kills++
			t.Logf("killed with %d of %d left", live(), many)
			left = live()
			continue
		}
		eventually(t, "all are ended", func() bool { return live() == 0 })
		eventually(t, "nothing is left to do", func() bool { return number(t, db, `SELECT count(*) FROM outbox WHERE kind = 'referral:end'`) == 0 })
		worker.kill()
		break
	}
	for what, query := range map[string]string{
		"referrals that were told of other than once": `SELECT count(*) FROM (SELECT r.id FROM referrals r LEFT JOIN events e ON e.subject_id = r.id AND e.kind = 'referral.ended'
			GROUP BY r.id HAVING count(e.id) <> 1) odd`,
		"referrals with other than one end in their history": `SELECT count(*) FROM (SELECT r.id FROM referrals r LEFT JOIN referral_steps s ON s.referral_id = r.id
			GROUP BY r.id HAVING count(s.id) <> 1) odd`,
		"referrals that do not keep the state they were in": `SELECT count(*) FROM referrals WHERE ended_from <> 'requested' OR status <> 'revoked' OR reason <> 'opportunity_closed'`,
		"places still held": `SELECT held FROM opportunities`,
	} {
		if n := number(t, db, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// withdraw gives a held place back, if the process still lives.
func (c client) withdraw(r onward.Referral) {
	request, err := http.NewRequest(http.MethodPost, c.url+"/v1/referrals/"+r.ID.String()+"/events", strings.NewReader(`{"event":"withdraw","reason":"family"}`))
	if err != nil {
		return
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("If-Match", fmt.Sprintf(`"v%d"`, r.Version))
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
	}
}

// TestAKilledProcessKeepsTheCountOfPlaces: many send referrals to one opening, and the process that serves them is killed.
func TestAKilledProcessKeepsTheCountOfPlaces(t *testing.T) {
	t.Parallel()
	const places, people = 10, 40
	s, environment, db := withoutWorkers(t)
	details := bricklaying("few", guadalajara)
	details.Capacity = places
	var o onward.Opportunity
	mustJSON(t, client{s.server.URL, s.poster}, "/v1/opportunities?publish=true", details, http.StatusCreated, &o)
	ids := make([]onward.ID, people)
	for i := range ids {
		person := bricklayer(fmt.Sprintf("p%d", i))
		person.Consents = append(person.Consents, onward.Consent{Purpose: onward.ConsentSharing, GivenOn: person.Consents[0].GivenOn})
		ids[i] = s.register(t, person).ID
	}
	consistent := func() {
		t.Helper()
		held, counted := number(t, db, `SELECT held FROM opportunities`), number(t, db, `SELECT count(*) FROM referrals WHERE hold_until IS NOT NULL`)
		if held != counted || held > places {
			t.Errorf("%d places are held of %d, by %d referrals", held, places, counted)
		}
	}
	for round := range 3 {
		p := startProcess(t, "serve+work", environment...)
		var all sync.WaitGroup
		for _, id := range ids {
			all.Go(func() {
				c := client{p.url, s.counsellor}
				body, err := json.Marshal(onward.ReferralDetails{ReturneeID: id, OpportunityID: o.ID, ChoiceReason: onward.ChoiceOffList})
				if err != nil {
					t.Error(err)
				}
				status, _, answer, err := c.do(context.Background(), http.MethodPost, "/v1/referrals?send=true", body)
				if err != nil {
					return // killed
				}
				if status != http.StatusCreated {
					if status != http.StatusConflict {
						t.Errorf("%d %s", status, answer)
					}
					return
				}
				var r onward.Referral
				if err := json.Unmarshal(answer, &r); err != nil || r.Status != onward.ReferralRequested {
					return // it waits
				}
				c.withdraw(r)
			})
		}
		time.Sleep(time.Duration(60+40*round) * time.Millisecond)
		p.kill()
		all.Wait()
		consistent()
	}
	worker := startProcess(t, "work", environment...)
	eventually(t, "whoever waits has what is free", func() bool {
		return number(t, db, `SELECT count(*) FROM outbox`) == 0 &&
			(number(t, db, `SELECT held FROM opportunities`) == places || number(t, db, `SELECT count(*) FROM referrals WHERE waiting_from IS NOT NULL AND hold_until IS NULL`) == 0)
	})
	worker.kill()
	consistent()
}
