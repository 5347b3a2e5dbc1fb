package embedded_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq"

	"onward/internal/embedded"
	"onward/internal/testenv"
)

// hostEnv makes this test binary a program that runs one embedded server until it is killed: it names which.
const hostEnv = "EMBEDDED_TEST_HOST"

func TestMain(m *testing.M) {
	if embedded.RunKeeper() {
		os.Exit(0)
	}
	if server := os.Getenv(hostEnv); server != "" {
		host(server, os.Getenv("EMBEDDED_TEST_DIR"))
	}
	testenv.Main(m)
}

// hosted is what a host tells of its server.
type hosted struct {
	PID     int
	Address string
	Error   string
}

func host(server, dir string) {
	said, err := hosted{}, error(nil)
	switch server {
	case "postgres", "ephemeral":
		var postgres *embedded.Postgres
		if postgres, err = embedded.StartPostgres(context.Background(), config(dir, server == "ephemeral")); err == nil {
			said = hosted{PID: postgres.PID(), Address: postgres.AdminDSN()}
		}
	case "search":
		var node *embedded.SearchNode
		node, err = embedded.StartSearchNode(context.Background(), embedded.SearchNodeConfig{
			Home: dir, Heap: "512m", QuickStart: true, Logger: silent(), Progress: func(string) {},
		})
		if err == nil {
			said = hosted{PID: node.PID(), Address: node.URL()}
		}
	}
	if err != nil {
		said.Error = err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
	time.Sleep(5 * time.Minute)
	os.Exit(1)
}

// startHost starts a host and returns it with what it said.
func startHost(t *testing.T, program, server, dir string) (*os.Process, hosted) {
	t.Helper()
	command := exec.Command(program)
	command.Env = append(os.Environ(), hostEnv+"="+server, "EMBEDDED_TEST_DIR="+dir)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	said := make(chan hosted, 1)
	go func() {
		var h hosted
		if err := json.NewDecoder(output).Decode(&h); err != nil {
			h.Error = err.Error()
		}
		said <- h
	}()
	select {
	case h := <-said:
		if h.Error != "" {
			t.Fatalf("the host's server: %s", h.Error)
		}
		return command.Process, h
	case <-time.After(3 * time.Minute):
		t.Fatal("the host says nothing")
		return nil, hosted{}
	}
}

func silent() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// config is durable in the way that a killed process needs, and doesn't wait for the disk.
func config(dir string, ephemeral bool) embedded.PostgresConfig {
	return embedded.PostgresConfig{
		DataDir: dir, Ephemeral: ephemeral, Logger: silent(), Progress: func(string) {},
		Parameters: map[string]string{"fsync": "off", "full_page_writes": "off"},
	}
}

// dataDir is a directory that whoever Postgres runs as may enter.
func dataDir(t testing.TB) string {
	t.Helper()
	dir, err := testenv.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func startPostgres(t testing.TB, config embedded.PostgresConfig) *embedded.Postgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	postgres, err := embedded.StartPostgres(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopPostgres(t, postgres) })
	return postgres
}

func stopPostgres(t testing.TB, postgres *embedded.Postgres) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := postgres.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// execute runs SQL on a connection of its own.
func execute(dsn, query string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err = db.ExecContext(ctx, query)
	return err
}

func mustExecute(t testing.TB, dsn, query string) {
	t.Helper()
	if err := execute(dsn, query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(45 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 45 s: %s", what)
		}
	}
}

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func needLinux(t *testing.T, why string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("on %s %s", runtime.GOOS, why)
	}
}
