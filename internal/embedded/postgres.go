// Package embedded runs the servers that Onward needs when nobody gave it any: Postgres as a child process, Redis inside
// this process, and, for development, an Elasticsearch node.
//
// Postgres is run by a keeper: this program, started a second time. The keeper owns the data directory's lock, starts the
// postmaster as its child, starts it again when it dies, and stops it cleanly when its standard input closes. That
// happens when it is told to stop and also when this process is gone, however it went. A program that uses StartPostgres
// therefore begins with
//
//	func main() {
//		if embedded.RunKeeper() {
//			return
//		}
//
// and a test binary gets the same from testenv.Main.
package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// superuser owns the cluster and every database in it.
const superuser = "postgres"

// startLimit bounds a start whose context has no deadline. It is long because the first one downloads Postgres.
const startLimit = 15 * time.Minute

// PostgresConfig says where an embedded Postgres keeps its data and how it runs.
type PostgresConfig struct {
	// DataDir is the server's own directory: cluster, password, log and lock. It is made if missing. When this process is
	// root, Postgres runs as the directory's owner, or as nobody when root owns it (the directory is then given to nobody):
	// every directory above it must let that user pass. Required.
	DataDir string

	// Port to listen on, on 127.0.0.1 only. Default: a free one.
	Port int

	// Parameters override server settings, such as {"fsync": "off"} in tests. Default: durable settings for a small
	// machine (fsync and synchronous_commit on, 64 MB of shared buffers).
	Parameters map[string]string

	// Ephemeral removes DataDir when the server stops, also when this process was killed, and doesn't wait for the disk.
	Ephemeral bool

	// Logger gets restarts and failures. The server's own log is postgres.log in DataDir. Default: slog.Default().
	Logger *slog.Logger

	// Progress is told, in a sentence, of what takes long: a download, creating the cluster. Called on a goroutine of
	// its own. Default: the logger.
	Progress func(string)
}

// Postgres is a running embedded server.
type Postgres struct {
	config  PostgresConfig
	as      identity
	started chan struct{} // closed when it first takes connections
	done    chan struct{} // closed when it is stopped or given up

	mu       sync.Mutex
	keeper   *keeperProcess
	port     int
	pid      int
	password string
	ready    bool
	stopping bool
	err      error // why it was given up
	stopErr  error // why it didn't stop cleanly
}

// StartPostgres starts Postgres 17 on config.DataDir, creating the cluster if there is none, and returns once it takes
// connections. The context limits the start only. An error says what to do: another process uses the directory, the
// unprivileged user can't enter it, the download failed.
func StartPostgres(ctx context.Context, config PostgresConfig) (*Postgres, error) {
	if os.Getenv(keeperEnv) != "" {
		return nil, errors.New("start postgres: this program must call embedded.RunKeeper first thing in main or TestMain")
	}
	if config.DataDir == "" {
		return nil, errors.New("start postgres: no data directory given")
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Progress == nil {
		config.Progress = func(text string) { config.Logger.Info(text) }
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()

	dataDir, err := filepath.Abs(config.DataDir)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	config.DataDir = dataDir
	as, err := prepareDirectories(dataDir)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	p := &Postgres{config: config, as: as, port: config.Port, started: make(chan struct{}), done: make(chan struct{})}
	if p.keeper, err = p.launchKeeper(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	go p.follow(p.keeper)

	select {
	case <-p.started:
	case <-p.done:
		return nil, fmt.Errorf("start postgres: %w", p.Err())
	case <-ctx.Done():
		return nil, fmt.Errorf("start postgres: %w", errors.Join(ctx.Err(), p.abandon()))
	}
	return p, nil
}

// abandon stops a server whose start took too long.
func (p *Postgres) abandon() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return p.Stop(ctx)
}

// DSN is the address of one database for one user, for lib/pq. It stays good over restarts of the server.
func (p *Postgres) DSN(user, password, database string) string {
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port())),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}

// AdminDSN is the superuser's address of the database postgres. Treat it as a secret.
func (p *Postgres) AdminDSN() string {
	p.mu.Lock()
	password := p.password
	p.mu.Unlock()
	return p.DSN(superuser, password, "postgres")
}

// Port on 127.0.0.1. It never changes while the server runs.
func (p *Postgres) Port() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.port
}

// PID is the postmaster's process id, 0 while there is none. It changes when the server had to be started again.
func (p *Postgres) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// KeeperPID is the process id of the keeper, for tests and diagnosis.
func (p *Postgres) KeeperPID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keeper.command.Process.Pid
}

// Alive reports whether the server takes connections now. False for about a second while it is started again.
func (p *Postgres) Alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready
}

// Done is closed when the server was stopped, or failed so often that it was given up: then Err says why.
func (p *Postgres) Done() <-chan struct{} { return p.done }

// Err is why the server was given up; nil while it runs or after Stop.
func (p *Postgres) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Stop shuts the server down cleanly and returns when it is gone. Safe to call twice. When the context ends first, the
// keeper is killed, upon which Postgres shuts itself down or is cleared away by the next start.
func (p *Postgres) Stop(ctx context.Context) error {
	p.mu.Lock()
	p.stopping = true
	keeper := p.keeper
	p.mu.Unlock()
	_ = keeper.stdin.Close() // fails when the keeper is gone already, which is what is wanted
	select {
	case <-p.done:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stopErr != nil {
			return fmt.Errorf("stop postgres: %w", p.stopErr)
		}
		return nil
	case <-ctx.Done():
		_ = keeper.command.Process.Kill()
		return fmt.Errorf("stop postgres: %w", ctx.Err())
	}
}

// keeperProcess is the keeper as its parent sees it.
type keeperProcess struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	events  io.Reader
	stderr  *tail
}

func (p *Postgres) launchKeeper() (*keeperProcess, error) {
	order, err := json.Marshal(keeperOrder{
		DataDir: p.config.DataDir, Cache: p.as.cache, Port: p.port,
		Parameters: p.config.Parameters, Ephemeral: p.config.Ephemeral,
	})
	if err != nil {
		return nil, fmt.Errorf("write the keeper's order: %w", err)
	}
	start := func(executable string) (*keeperProcess, error) {
		command := exec.Command(executable)
		command.Args = []string{"onward-postgres-keeper"}
		command.Env = keeperEnvironment(p.config.DataDir)
		command.Dir = "/"
		command.SysProcAttr = p.as.processAttributes()
		keeper := &keeperProcess{command: command, stderr: &tail{}}
		command.Stderr = keeper.stderr
		if keeper.stdin, err = command.StdinPipe(); err != nil {
			return nil, err
		}
		if keeper.events, err = command.StdoutPipe(); err != nil {
			return nil, err
		}
		return keeper, command.Start()
	}
	keeper, err := start(selfExecutable())
	if errors.Is(err, os.ErrPermission) && p.as.switches {
		// The unprivileged user may not run our file. Give it one of its own.
		var copied string
		if copied, err = copySelf(p.config.DataDir, p.as); err == nil {
			keeper, err = start(copied)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	if _, err := keeper.stdin.Write(append(order, '\n')); err != nil {
		_ = keeper.command.Process.Kill()
		_ = keeper.command.Wait()
		return nil, fmt.Errorf("give the keeper its order: %w", err)
	}
	return keeper, nil
}

// follow reads what the keeper reports until the server is stopped or given up. A keeper that dies without a word is
// started again, on the same port: the new one clears away what the old one left.
func (p *Postgres) follow(keeper *keeperProcess) {
	defer close(p.done)
	var deaths recently
	for {
		failure := p.listen(keeper)
		_ = keeper.command.Wait() // its exit status says nothing that its last report doesn't

		p.mu.Lock()
		p.ready, p.pid = false, 0
		wasStarted := p.password != ""
		if p.stopping {
			p.stopErr = failure
			p.mu.Unlock()
			return
		}
		if failure == nil && (!wasStarted || deaths.add(time.Now()) > maxDeaths) {
			failure = fmt.Errorf("the keeper ended unexpectedly: %s", keeper.stderr)
		}
		if failure == nil {
			p.config.Logger.Warn("the keeper of the embedded Postgres died, starting another")
			keeper, failure = p.launchKeeper()
		}
		if failure != nil {
			p.err = failure
			p.mu.Unlock()
			if wasStarted {
				p.config.Logger.Error("the embedded Postgres was given up", "error", failure)
			}
			return
		}
		p.keeper = keeper
		p.mu.Unlock()
	}
}

// listen applies the keeper's reports until there are no more, and returns the failure that it reported, if any.
func (p *Postgres) listen(keeper *keeperProcess) error {
	reports := json.NewDecoder(keeper.events)
	for {
		var report keeperReport
		if err := reports.Decode(&report); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			// Whatever else is written there isn't from a keeper.
			_ = keeper.command.Process.Kill()
			return fmt.Errorf("the program that should be the keeper isn't: does it call embedded.RunKeeper first? %w", err)
		}
		switch report.Kind {
		case reportProgress:
			p.config.Progress(report.Text)
		case reportReady:
			p.mu.Lock()
			p.port, p.pid, p.password, p.ready = report.Port, report.PID, report.Password, true
			p.mu.Unlock()
			select {
			case <-p.started:
				p.config.Logger.Info("the embedded Postgres is back", "pid", report.PID)
			default:
				close(p.started)
			}
		case reportDown:
			p.mu.Lock()
			p.ready, p.pid = false, 0
			p.mu.Unlock()
			p.config.Logger.Warn("the embedded Postgres died, starting it again", "reason", report.Text)
		case reportFailed:
			return errors.New(report.Text)
		}
	}
}

// keeperEnvironment lets through what a download needs and nothing else: settings of libpq would change what Postgres'
// programs do, and secrets are none of the unprivileged user's business.
func keeperEnvironment(dataDir string) []string {
	environment := []string{keeperEnv + "=1", "HOME=" + dataDir, "TMPDIR=" + dataDir}
	for _, name := range []string{
		"PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOCOVERDIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	} {
		if value, set := os.LookupEnv(name); set {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// recently counts events within the last minute.
type recently []time.Time

func (r *recently) add(now time.Time) int {
	kept := (*r)[:0]
	for _, at := range *r {
		if now.Sub(at) < time.Minute {
			kept = append(kept, at)
		}
	}
	*r = append(kept, now)
	return len(*r)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 2000

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := string(bytes.TrimSpace(t.text)); text != "" {
		return text
	}
	return "it left no message"
}
