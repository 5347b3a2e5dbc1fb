package testenv_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onward/internal/embedded"
	"onward/internal/testenv"
)

func TestAnOwnPostgresComesBackWithWhatWasCommitted(t *testing.T) {
	t.Parallel()
	database, server := testenv.OwnPostgres(t)
	if _, err := open(t, database.AppDSN).Exec("INSERT INTO person VALUES ('C', 'mine')"); err != nil {
		t.Fatal(err)
	}
	killed := server.PID()
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); !server.Alive() || server.PID() == killed; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server isn't back after 30 s")
		}
	}
	if n := count(t, open(t, database.AppDSN)); n != 2 {
		t.Errorf("the application sees %d rows, want 2", n)
	}
}

func client(t *testing.T, address string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// twoAreApart checks that a key set in one Redis isn't seen in the other.
func twoAreApart(t *testing.T, one, two string) {
	t.Helper()
	if err := client(t, one).Set(t.Context(), "key", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := client(t, two).Exists(t.Context(), "key").Result(); err != nil || n != 0 {
		t.Errorf("%s sees %d keys of %s, error %v", two, n, one, err)
	}
}

func TestEachTestHasItsOwnRedis(t *testing.T) {
	t.Parallel()
	twoAreApart(t, testenv.Redis(t), testenv.Redis(t))
	twoAreApart(t, testenv.EmbeddedRedis(t), testenv.EmbeddedRedis(t))
}

func TestAnOwnRedisStopsAndStartsAtTheSameAddress(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	connection := client(t, server.URL())
	if err := connection.Set(t.Context(), "key", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	if err := connection.Ping(t.Context()).Err(); err == nil {
		t.Error("a stopped Redis answers")
	}
	server.Start(t)
	if n, err := connection.Exists(t.Context(), "key").Result(); err != nil || n != 0 {
		t.Errorf("after the start: %d keys, error %v", n, err)
	}
}

func TestAGivenRedisIsSharedByItsDatabases(t *testing.T) {
	server := testenv.OwnRedis(t)
	t.Setenv("REDIS_URL", server.URL())
	if err := client(t, server.URL()).Set(t.Context(), "precious", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	t.Run("test", func(t *testing.T) {
		one, two := testenv.Redis(t), testenv.Redis(t)
		if one == two || one == server.URL() || two == server.URL() {
			t.Errorf("the databases are %s and %s", one, two)
		}
		twoAreApart(t, one, two)
	})
	keys, err := client(t, server.URL()).Keys(t.Context(), "*").Result()
	if err != nil || fmt.Sprint(keys) != "[precious]" {
		t.Errorf("the server's own database holds %v, error %v", keys, err)
	}
}

func request(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestIndicesWithTheTestsPrefixAreRemoved(t *testing.T) {
	t.Parallel()
	skipSlow(t)
	var address, index string
	t.Run("test", func(t *testing.T) {
		address, index = testenv.Elasticsearch(t), testenv.IndexPrefix(t)+"people"
		if status, text := request(t, http.MethodPut, address+"/"+index+"/_doc/1?refresh=true", `{"name":"A"}`); status != http.StatusCreated {
			t.Fatalf("index a document: %d %s", status, text)
		}
	})
	if status, _ := request(t, http.MethodGet, address+"/"+index, ""); status != http.StatusNotFound {
		t.Errorf("the index answers %d after the test, want 404", status)
	}
}

func TestAnOwnElasticsearchStopsAndStartsAtTheSameAddress(t *testing.T) {
	t.Parallel()
	skipSlow(t)
	server := testenv.OwnElasticsearch(t)
	address := server.URL()
	if status, text := request(t, http.MethodPut, address+"/people/_doc/1?refresh=true", `{"name":"A"}`); status != http.StatusCreated {
		t.Fatalf("index a document: %d %s", status, text)
	}
	server.Stop(t)
	if status, _ := request(t, http.MethodGet, address+"/_cluster/health", ""); status != 0 {
		t.Errorf("a stopped node answers %d", status)
	}
	server.Start(t)
	if server.URL() != address {
		t.Errorf("the node was at %s and is at %s", address, server.URL())
	}
	if status, text := request(t, http.MethodGet, address+"/people/_doc/1", ""); status != http.StatusOK {
		t.Errorf("the document is gone: %d %s", status, text)
	}
}

func skipSlow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starting a search node takes many seconds")
	}
	if err := embedded.SearchNodeRunnable(); err != nil {
		testenv.Missing(t, "elasticsearch", err.Error())
	}
}

func TestSharedDataIsFoundAboveTheWorkingDirectory(t *testing.T) {
	t.Setenv("ONWARD_DATA", "")
	root := t.TempDir()
	for _, dir := range []string{"shared/data/esco", "checkout/deep/folder"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(root, "checkout", "deep", "folder"))
	got, err := filepath.EvalSymlinks(testenv.SharedData(t, "esco"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(filepath.Join(root, "shared", "data", "esco"))
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	t.Setenv("ONWARD_DATA", filepath.Join(root, "checkout"))
	if got := testenv.SharedData(t, "deep"); got != filepath.Join(root, "checkout", "deep") {
		t.Errorf("with ONWARD_DATA, found %s", got)
	}
}

// TestAsksForWhatIsMissing is run by the test below, in a process that has nothing.
func TestAsksForWhatIsMissing(t *testing.T) {
	ask := map[string]func(){
		"redis":         func() { testenv.Redis(t) },
		"elasticsearch": func() { testenv.Elasticsearch(t) },
		"data":          func() { testenv.SharedData(t, "esco") },
		"chromium":      func() { testenv.Chromium(t) },
	}[os.Getenv("TESTENV_ASK")]
	if ask == nil {
		t.Skip("run by TestWhatIsMissingSkipsOrFails")
	}
	ask()
}

func TestWhatIsMissingSkipsOrFails(t *testing.T) {
	t.Parallel()
	for thing, remedy := range map[string]string{
		"redis": "install redis-server", "elasticsearch": "install a JDK", "data": "ONWARD_DATA", "chromium": "install chromium",
	} {
		for require, verdict := range map[string]string{"": "--- SKIP", "other, " + thing: "--- FAIL"} {
			t.Run(thing+" required by "+require, func(t *testing.T) {
				t.Parallel()
				command := exec.Command(os.Args[0], "-test.run=^TestAsksForWhatIsMissing$", "-test.v")
				command.Dir = t.TempDir()
				command.Env = []string{"PATH=" + command.Dir, "ONWARD_REQUIRE=" + require, "TESTENV_ASK=" + thing}
				output, err := command.CombinedOutput()
				if !strings.Contains(string(output), verdict) || !strings.Contains(string(output), remedy) {
					t.Errorf("want %q and %q, got (%v):\n%s", verdict, remedy, err, output)
				}
				if failed := err != nil; failed != (require != "") {
					t.Errorf("the process ended with %v", err)
				}
			})
		}
	}
}
