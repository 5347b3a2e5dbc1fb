package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onward"
	"onward/api"
	"onward/internal/testenv"
	"onward/store"
	"onward/store/vault"
)

// client is one user of an API, wherever that runs.
type client struct {
	url   string
	token string
}

func (c client) do(ctx context.Context, method, path string, body []byte) (status int, contentType string, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Content-Type"), answer, err
}

// flow sends referral requests for one person, several at a time, and remembers what it was told.
type flow struct {
	client
	returnee onward.ID

	mu       sync.Mutex
	accepted []onward.ID
	seen     map[onward.ID]string // the first answer that was seen of a request
	refused  map[int]int          // other statuses than 202, and how often
	odd      []string             // what should never happen
}

func newFlow(c client, returnee onward.ID) *flow {
	return &flow{client: c, returnee: returnee, seen: map[onward.ID]string{}, refused: map[int]int{}}
}

// run sends until ctx ends.
func (f *flow) run(ctx context.Context, parallel int) {
	var all sync.WaitGroup
	for range parallel {
		all.Go(func() {
			for ctx.Err() == nil {
				f.send()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	all.Wait()
}

func (f *flow) send() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	status, contentType, answer, err := f.do(ctx, http.MethodPost, "/v1/returnees/"+f.returnee.String()+"/referral-requests", []byte(`{}`))
	var request onward.ReferralRequest
	f.mu.Lock()
	switch {
	case err != nil:
		f.odd = append(f.odd, err.Error())
	case status != http.StatusAccepted:
		f.refused[status]++
		if status != http.StatusServiceUnavailable || contentType != "application/problem+json" {
			f.odd = append(f.odd, fmt.Sprintf("%d %s: %s", status, contentType, answer))
		}
	default:
		if err := json.Unmarshal(answer, &request); err != nil {
			f.odd = append(f.odd, err.Error())
		}
		f.accepted = append(f.accepted, request.ID)
	}
	f.mu.Unlock()
	if status == http.StatusAccepted {
		f.look(ctx, request.ID, "5ms")
	}
}

// look reads a request, remembers its first answer, and complains of another one later.
func (f *flow) look(ctx context.Context, id onward.ID, wait string) onward.RequestStatus {
	status, _, answer, err := f.do(ctx, http.MethodGet, "/v1/referral-requests/"+id.String()+"?wait="+wait, nil)
	if err != nil || status != http.StatusOK {
		return "" // the database may be away
	}
	var request onward.ReferralRequest
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := json.Unmarshal(answer, &request); err != nil {
		f.odd = append(f.odd, err.Error())
	} else if request.Status != onward.RequestQueued {
		if first, ok := f.seen[id]; ok && first != string(answer) {
			f.odd = append(f.odd, "an answer changed: "+first+" -> "+string(answer))
		}
		f.seen[id] = string(answer)
	}
	return request.Status
}

// assertAllReady waits until everything accepted has its list, and reads all of it twice.
func (f *flow) assertAllReady(t *testing.T) {
	t.Helper()
	for range 2 {
		for _, id := range f.accepted {
			if status := f.look(t.Context(), id, "30s"); status != onward.RequestReady {
				t.Fatalf("an accepted request is %q", status)
			}
		}
	}
	for i, problem := range f.odd {
		if i < 5 {
			t.Errorf("%s", problem)
		}
	}
	t.Logf("%d requests accepted and ready; other answers meanwhile: %v", len(f.accepted), f.refused)
}

func (s *system) assertAtRest(t *testing.T) {
	t.Helper()
	eventually(t, "the outbox is empty", func() bool {
		state, err := s.Store.Outbox(t.Context())
		return err == nil && state.Waiting+state.Dispatched == 0
	})
	archived, err := s.Archived()
	if err != nil || len(archived) != 0 {
		t.Errorf("archived tasks: %v, %v", archived, err)
	}
}

func (s *system) asCounsellor() client { return client{s.server.URL, s.counsellor} }

// TestAKilledWorkerLosesNothing takes about ten seconds: workers are killed at random moments.
func TestAKilledWorkerLosesNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *Config) { c.Workers, c.RedisURL = false, testenv.Redis(t) })
	environment := []string{
		"DATABASE_URL=" + s.config.DatabaseURL, "DATABASE_OWNER_URL=" + s.config.OwnerURL, "REDIS_URL=" + s.config.RedisURL,
	}
	s.post(t, bricklaying("here", guadalajara))
	f := newFlow(s.asCounsellor(), s.register(t, bricklayer("ana")).ID)
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { f.run(ctx, 4) })
	random := rand.New(rand.NewPCG(1, 9))
	for range 5 {
		worker := startProcess(t, "work", environment...)
		time.Sleep(time.Duration(100+random.IntN(500)) * time.Millisecond)
		worker.kill()
	}
	stop()
	sending.Wait()
	last := startProcess(t, "work", environment...)
	f.assertAllReady(t)
	s.assertAtRest(t)
	last.end(t)
}

func TestAKilledPostgresLosesNothing(t *testing.T) {
	t.Parallel()
	database, postgres := testenv.OwnPostgres(t)
	s := newSystem(t, func(c *Config) { c.DatabaseURL, c.OwnerURL = database.AppDSN, database.AdminDSN })
	s.post(t, bricklaying("here", guadalajara))
	f := newFlow(s.asCounsellor(), s.register(t, bricklayer("ana")).ID)
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { f.run(ctx, 4) })
	for range 3 {
		time.Sleep(700 * time.Millisecond)
		killPostgres(t, postgres)
	}
	time.Sleep(700 * time.Millisecond)
	stop()
	sending.Wait()
	eventually(t, "Postgres is back", func() bool { return s.Store.Ping(t.Context()) == nil })
	f.assertAllReady(t)
	s.assertAtRest(t)
	// What is told by notifications is heard again: a posting reaches the index and the ranked list.
	s.post(t, bricklaying("later", guadalajara))
	s.waitIndexed(t, 2)
	if request := s.await(t, s.request(t, f.returnee)); len(request.List.Referrals) != 2 {
		t.Errorf("%d referrals after the outage, want 2", len(request.List.Referrals))
	}
}

// TestAKilledProcessLosesNothing takes about ten seconds: it starts an embedded Onward three times on one directory.
func TestAKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	dir, err := testenv.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as root, Postgres is another user who has to get through
		t.Fatal(err)
	}
	environment := "ONWARD_DATA_DIR=" + dir
	p := startProcess(t, "serve+work", environment)
	s := &system{}
	keys, err := vault.Load(testKeys, false)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: p.ownerURL, Vault: keys})
	if err != nil {
		t.Fatal(err)
	}
	s.Engine = &Engine{Store: db}
	s.accounts(t)
	_ = db.Close()
	s.Engine = nil

	// Killed right after the 202.
	f := newFlow(client{p.url, s.counsellor}, onward.ID{})
	employer := client{p.url, s.poster}
	mustJSON(t, employer, "/v1/opportunities?publish=true", bricklaying("here", guadalajara), http.StatusCreated, nil)
	var person onward.Returnee
	mustJSON(t, f.client, "/v1/returnees", bricklayer("ana"), http.StatusCreated, &person)
	f.returnee = person.ID
	for range 20 {
		var request onward.ReferralRequest
		mustJSON(t, f.client, "/v1/returnees/"+person.ID.String()+"/referral-requests", map[string]any{}, http.StatusAccepted, &request)
		f.accepted = append(f.accepted, request.ID)
	}
	p.kill()
	p = startProcess(t, "serve+work", environment)
	f.url, employer.url = p.url, p.url
	f.assertAllReady(t)

	// Killed in the middle of a bulk ingest, some of which was answered.
	answered, some := make(chan int), make(chan struct{})
	go func() {
		n := 0
		defer func() { answered <- n }()
		for batch := 0; ; batch++ {
			status, _, answer, err := employer.do(context.Background(), http.MethodPost, "/v1/opportunities/bulk", ndjson(t, batch, 300))
			if err != nil {
				return // killed
			}
			var report struct{ Created int }
			if status != http.StatusOK || json.Unmarshal(answer, &report) != nil || report.Created != 300 {
				t.Errorf("bulk: %d %s", status, answer)
				return
			}
			if n += report.Created; n == 2*report.Created {
				close(some)
			}
		}
	}()
	select {
	case <-some:
		time.Sleep(50 * time.Millisecond) // into the next batch
	case <-time.After(time.Minute):
		t.Error("no two batches were answered in a minute")
	}
	p.kill()
	n := <-answered
	p = startProcess(t, "serve+work", environment)
	t.Logf("%d opportunities were answered 200 before the kill; afterwards: %v", n, parts(t, p.url))
	eventually(t, "all are searchable and nothing is left to do", func() bool {
		state := parts(t, p.url)
		var open int
		_, err := fmt.Sscanf(state["memory index"].State, "%d open", &open)
		return err == nil && open >= n+1 && strings.HasPrefix(state["outbox"].State, "0 waiting, 0 in the queue")
	})
	f.url = p.url
	f.assertAllReady(t) // the lists of before are unchanged
	p.end(t)
}

func ndjson(t *testing.T, batch, lines int) []byte {
	var b bytes.Buffer
	for i := range lines {
		b.Write(line(t, bricklaying(fmt.Sprintf("bulk-%d-%d", batch, i), zapopan)))
	}
	return b.Bytes()
}

// line is one line of a bulk request, to be opened at once.
func line(t *testing.T, details onward.OpportunityDetails) []byte {
	raw, err := json.Marshal(struct {
		onward.OpportunityDetails
		Publish bool `json:"publish"`
	}{details, true})
	if err != nil {
		t.Error(err)
	}
	return append(raw, '\n')
}

func mustJSON(t *testing.T, c client, path string, body any, want int, result any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, _, answer, err := c.do(t.Context(), http.MethodPost, path, raw)
	if err != nil || status != want {
		t.Fatalf("POST %s: %d %v: %s", path, status, err, answer)
	}
	if result != nil {
		if err := json.Unmarshal(answer, result); err != nil {
			t.Fatal(err)
		}
	}
}

// ready asks /readyz.
func ready(t *testing.T, url string) (status string, parts map[string]api.Part) {
	t.Helper()
	response, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body struct {
		Status string
		Parts  []api.Part
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	parts = map[string]api.Part{}
	for _, part := range body.Parts {
		parts[part.Name] = part
	}
	return body.Status, parts
}

func parts(t *testing.T, url string) map[string]api.Part {
	t.Helper()
	_, all := ready(t, url)
	return all
}

func TestAnEmptiedOrStoppedRedisLosesNothing(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	s := newSystem(t, func(c *Config) { c.RedisURL = server.URL() })
	s.post(t, bricklaying("here", guadalajara))
	f := newFlow(s.asCounsellor(), s.register(t, bricklayer("ana")).ID)
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { f.run(ctx, 4) })
	random := rand.New(rand.NewPCG(2, 8))
	for range 6 {
		time.Sleep(time.Duration(50+random.IntN(200)) * time.Millisecond)
		flushAll(t, server.URL())
	}
	server.Stop(t)
	time.Sleep(1500 * time.Millisecond)
	if status, parts := ready(t, s.server.URL); status != "degraded" || parts["redis"].OK {
		t.Errorf("without Redis it is %s, and redis %+v", status, parts["redis"])
	}
	stop()
	sending.Wait()
	server.Start(t)
	f.assertAllReady(t)
	if len(f.refused) != 0 {
		t.Errorf("requests were not accepted: %v", f.refused)
	}
	s.assertAtRest(t)
	if status, _ := ready(t, s.server.URL); status != "ready" {
		t.Errorf("with Redis back it is %s", status)
	}
}

func flushAll(t *testing.T, url string) {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	defer func() { _ = c.Close() }()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestOnwardStartsWithoutRedisAndWorksWhenItComes(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	server.Stop(t)
	s := newSystem(t, func(c *Config) { c.RedisURL = server.URL() })
	s.post(t, bricklaying("here", guadalajara))
	request := s.request(t, s.register(t, bricklayer("ana")).ID)
	server.Start(t)
	if request = s.await(t, request); request.Status != onward.RequestReady {
		t.Errorf("the request is %s", request.Status)
	}
}

// TestTwoServersAndTwoWorkersShareTheWork runs four processes on real servers.
func TestTwoServersAndTwoWorkersShareTheWork(t *testing.T) {
	t.Parallel()
	s := newSystem(t, func(c *Config) { c.Workers, c.RedisURL = false, testenv.Redis(t) })
	environment := []string{
		"DATABASE_URL=" + s.config.DatabaseURL, "DATABASE_OWNER_URL=" + s.config.OwnerURL, "REDIS_URL=" + s.config.RedisURL,
	}
	servers := []*process{startProcess(t, "serve", environment...), startProcess(t, "serve", environment...)}
	workers := []*process{startProcess(t, "work", environment...), startProcess(t, "work", environment...)}
	s.post(t, bricklaying("here", guadalajara))
	returnee := s.register(t, bricklayer("ana")).ID
	flows := []*flow{newFlow(client{servers[0].url, s.counsellor}, returnee), newFlow(client{servers[1].url, s.counsellor}, returnee)}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	var sending sync.WaitGroup
	for _, f := range flows {
		sending.Go(func() { f.run(ctx, 2) })
	}
	sending.Wait()
	flows[0].url, flows[1].url = flows[1].url, flows[0].url // each reads what the other accepted
	for _, f := range flows {
		f.assertAllReady(t)
	}
	s.assertAtRest(t)
	for _, p := range append(servers, workers...) {
		p.end(t)
		if log := p.output(); log != "" {
			t.Errorf("a process complained:\n%s", log)
		}
	}
}
