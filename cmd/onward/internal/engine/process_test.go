package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"onward/api"
	"onward/internal/embedded"
)

// processRole, in the environment, makes the test program a process of Onward: serve, serve+work or work.
const processRole = "ONWARD_TEST_PROCESS"

// runProcess is what `onward serve` and `onward worker` do, until SIGTERM.
func runProcess(role string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config, err := FromEnvironment()
	if err != nil {
		return err
	}
	config.API, config.Workers = strings.Contains(role, "serve"), strings.Contains(role, "work")
	config.SweepAfter = time.Second
	config.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	config.PostgresParameters = map[string]string{"shared_buffers": "64MB"}
	e, err := Start(ctx, config)
	if err != nil {
		return err
	}
	address := ""
	if config.API {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := api.NewServer(e.Handler, config.Logger)
		defer func() { _ = server.Shutdown(context.Background()) }()
		go func() { _ = server.Serve(listener) }()
		address = listener.Addr().String()
	}
	fmt.Println("ready", address, e.OwnerURL())
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return e.Stop(stopping)
}

// process is a running process of Onward.
type process struct {
	command  *exec.Cmd
	url      string // of its API
	ownerURL string // of its database
	ended    chan struct{}
	mu       sync.Mutex
	log      strings.Builder
}

// startProcess runs the test program as Onward. It is killed with the test at the latest.
func startProcess(t *testing.T, role string, environment ...string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{command: exec.Command(program), ended: make(chan struct{})}
	for _, name := range os.Environ() {
		switch variable, _, _ := strings.Cut(name, "="); variable {
		case "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ELASTICSEARCH_URL": // the test names its own
		default:
			p.command.Env = append(p.command.Env, name)
		}
	}
	p.command.Env = append(append(p.command.Env, processRole+"="+role), environment...)
	output, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stderr = p
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	lines := bufio.NewReader(output)
	line, err := lines.ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		_ = p.command.Wait()
		close(p.ended)
	}()
	words := strings.Split(strings.TrimSpace(line), " ")
	if err != nil || len(words) != 3 {
		<-p.ended
		t.Fatalf("the process did not start: %q %v\n%s", line, err, p.output())
	}
	p.url, p.ownerURL = "http://"+words[1], words[2]
	return p
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// end is a clean stop.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("the process does not stop:\n%s", p.output())
	}
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the process ended with %d:\n%s", code, p.output())
	}
}

// killPostgres is kill -9 of Postgres' own process.
func killPostgres(t *testing.T, postgres *embedded.Postgres) {
	t.Helper()
	var pid int
	eventually(t, "Postgres runs", func() bool { pid = postgres.PID(); return pid > 0 }) // 0 would be our own process group
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatalf("kill Postgres: %v", err)
	}
}

// removeAll removes a directory that servers of a killed process may still be leaving.
func removeAll(t *testing.T, dir string) {
	t.Helper()
	var err error
	for range 100 {
		if err = os.RemoveAll(dir); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("remove %s: %v", dir, err)
}
