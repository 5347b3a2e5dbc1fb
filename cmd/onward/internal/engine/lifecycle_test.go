package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onward"
	"onward/internal/testenv"
	"onward/store"
)

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logbook) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}))
}

// Not parallel: it counts the goroutines of the process.
func TestAStopIsCleanAndOnwardStartsAgain(t *testing.T) { //nolint:paralleltest // see above
	log := &logbook{}
	s := newSystem(t, func(c *Config) { c.Logger = log.logger(slog.LevelWarn) })
	s.post(t, bricklaying("here", guadalajara))
	returnee := s.register(t, bricklayer("ana")).ID
	var accepted []onward.ReferralRequest
	goroutines := 0
	for turn := range 3 {
		for range 20 {
			accepted = append(accepted, s.request(t, returnee))
		}
		begin := time.Now()
		s.end(t) // with requests under way
		t.Logf("stopped in %v", time.Since(begin))
		http.DefaultClient.CloseIdleConnections()
		if turn == 0 { // what the first turn leaves behind for good (type-ahead, drivers) is no leak
			goroutines = settled(1 << 20)
		} else if now := settled(goroutines); now > goroutines {
			var stacks strings.Builder
			_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
			t.Errorf("%d goroutines after the stop, %d after the first one:\n%s", now, goroutines, stacks.String())
		}
		s.start(t)
	}
	for _, request := range accepted {
		if request = s.await(t, request); request.Status != onward.RequestReady {
			t.Errorf("a request that was under way at a stop is %s", request.Status)
		}
	}
	s.assertAtRest(t)
	s.end(t)
	if log.String() != "" {
		t.Errorf("a clean stop is nothing to warn of:\n%s", log)
	}
}

// settled waits a moment until there are at most so many goroutines, and counts them.
func settled(limit int) int {
	if limit == 1<<20 {
		time.Sleep(500 * time.Millisecond)
	}
	for range 100 {
		if runtime.NumGoroutine() <= limit {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return runtime.NumGoroutine()
}

func TestPersonalDataStaysInPostgres(t *testing.T) {
	t.Parallel()
	const name, family, phone, notes, birth = "Xochitlmarker", "Zzmarkerfamilia", "+52155501002003", "Qqmarkernote", "1987-03-14"
	url, search := testenv.Redis(t), testenv.Elasticsearch(t)
	log := &logbook{}
	s := newSystem(t, func(c *Config) {
		c.RedisURL, c.ElasticsearchURL, c.IndexPrefix = url, search, testenv.IndexPrefix(t)
		c.RetryDelay, c.SweepAfter, c.Logger = 5*time.Millisecond, time.Hour, log.logger(slog.LevelDebug)
	})
	s.post(t, bricklaying("here", guadalajara))
	details := bricklayer("case-" + phone)
	details.Identity = onward.Identity{GivenName: name, FamilyName: family, Phone: phone, Notes: notes, Email: "qqmarker@example.org"}
	details.BirthDate, _ = onward.ParseDate(birth)
	person := s.register(t, details)
	if request := s.await(t, s.request(t, person.ID)); request.Status != onward.RequestReady {
		t.Fatalf("the request is %s", request.Status)
	}
	// One that fails for good, whose errors go to the log and the queue, and one that waits.
	poisoned := s.register(t, func() onward.ReturneeDetails { d := details; d.ExternalID = "other"; return d }())
	s.owner(t, `UPDATE returnees SET details = jsonb_set(details, '{education}', '5550100200.5') WHERE id = $1`, poisoned.ID.String())
	db := s.open(t)
	request := s.insertRequest(t, db, poisoned)
	eventually(t, "the poisoned task is archived", func() bool { list, err := s.Archived(); return err == nil && len(list) == 1 })

	if list, _ := s.Archived(); list[0].Kind != string(onward.WorkMatchRequest) || list[0].Error == "" || list[0].FailedAt.IsZero() {
		t.Errorf("what failed for good is not told well: %+v", list[0])
	}
	if _, parts := ready(t, s.server.URL); !strings.Contains(parts["redis"].State, "1 tasks failed for good") {
		t.Errorf("readyz does not tell of the failed task: %+v", parts["redis"])
	}
	if got := s.await(t, s.request(t, person.ID)); got.Status != onward.RequestReady {
		t.Errorf("beside a failing task a request is %s", got.Status)
	}
	if state, err := s.Store.Outbox(t.Context()); err != nil || state.Dispatched != 1 {
		t.Errorf("the promise of request %s should stay: %+v, %v", request, state, err)
	}

	for where, text := range map[string]string{
		"Redis":         dumpRedis(t, url),
		"Elasticsearch": searchAll(t, s),
		"the log":       log.String(),
		"the outbox":    dumpOutbox(t, db),
	} {
		if where != "the outbox" && len(text) < 100 {
			t.Errorf("%s holds nothing: %q", where, text)
		}
		for _, marker := range []string{name, family, phone, notes, birth, "qqmarker", "5550100200", person.ID.String(), poisoned.ID.String()} {
			if at := strings.Index(text, marker); at >= 0 {
				t.Errorf("%s holds %q: …%s…", where, marker, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}

func (s *system) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", s.config.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *system) owner(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := s.open(t).ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// insertRequest asks for a list for somebody whose profile can't be read any more, which the API would refuse.
func (s *system) insertRequest(t *testing.T, db *sql.DB, person onward.Returnee) onward.ID {
	t.Helper()
	id := onward.NewID()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO referral_requests (id, organisation_id, returnee_id, requested_by, body_hash, options)
		SELECT $1, $2, $3, id, '\x00', '{}' FROM users WHERE organisation_id = $2 LIMIT 1`, id.String(), s.agency.ID.String(), person.ID.String()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `INSERT INTO outbox (kind, payload) VALUES ('match:request', jsonb_build_array(jsonb_build_object('id', $1::text)))`, id.String()); err != nil {
		t.Fatal(err)
	}
	return id
}

// dumpRedis is every key and value.
func dumpRedis(t *testing.T, url string) string {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	defer func() { _ = c.Close() }()
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, key := range keys {
		dump, err := c.Dump(t.Context(), key).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		fields, _ := c.HGetAll(t.Context(), key).Result() // a dump may be compressed
		fmt.Fprintln(&all, key, dump, fields)
	}
	return all.String()
}

func searchAll(t *testing.T, s *system) string {
	t.Helper()
	base := s.config.ElasticsearchURL + "/" + s.config.IndexPrefix + "opportunities/"
	return search(t, http.MethodPost, base+"_search?size=1000", `{"query":{"match_all":{}}}`) + search(t, http.MethodGet, base+"_mapping", "")
}

func dumpOutbox(t *testing.T, db *sql.DB) string {
	t.Helper()
	var text string
	if err := db.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(o::text, E'\n'), '') FROM outbox o`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestReferenceDataLoadedByAnotherProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(t *testing.T, s *system){
		"with its notification": func(*testing.T, *system) {},
		"also when all connections were lost": func(t *testing.T, s *system) {
			s.owner(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, nil)
			s.post(t, bricklaying("here", guadalajara))
			s.waitIndexed(t, 1)
			loader, err := store.OpenLoader(t.Context(), s.config.OwnerURL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = loader.Close() }()
			const skill = "test/skill/restore-adobe"
			before(t, s)
			load := func() error {
				return loader.LoadTaxonomy(context.WithoutCancel(t.Context()), onward.Taxonomy{
					Release: "test-2", Name: "More", Source: "test", Concepts: []onward.Concept{
						{ID: skill, Kind: onward.ConceptSkill, Labels: []onward.Label{{Language: "en", Text: "restore adobe", Preferred: true}}},
					},
				}, nil)
			}
			if err := load(); err != nil {
				err = load() // its own connection may have been among the lost ones
				if err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "the new skill is known", func() bool { return s.Catalogue.HasSkill(skill) })
			details := bricklaying("new", guadalajara)
			details.Skills = append(details.Skills, onward.OpportunitySkill{SkillID: skill})
			s.post(t, details)
			s.waitIndexed(t, 2)
			request := s.await(t, s.request(t, s.register(t, bricklayer("ana")).ID))
			if request.Status != onward.RequestReady || len(request.List.Referrals) != 2 || !strings.HasSuffix(request.List.Versions.Taxonomy, "test-2") {
				t.Errorf("%s by taxonomy %+v", request.Status, request.List.Versions)
			}
		})
	}
}
