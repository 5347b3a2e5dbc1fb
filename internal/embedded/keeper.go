package embedded

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// keeperEnv marks a process as a keeper. What it shall do comes on its standard input, since it holds no secret in
	// arguments or environment, where others could read it.
	keeperEnv = "ONWARD_KEEPER"

	// maxDeaths within a minute, then the server is given up: something is wrong that a restart doesn't cure.
	maxDeaths = 5

	// recoveryLimit is how long a server may take until it takes connections. Replaying a long log is slow on small disks.
	recoveryLimit = 10 * time.Minute

	// logLimit is the size at which a start puts the server's log aside, keeping one old one.
	logLimit = 8 << 20
)

// keeperOrder is the first line on a keeper's standard input. The end of that input is the order to stop.
type keeperOrder struct {
	DataDir    string
	Cache      string
	Port       int
	Parameters map[string]string
	Ephemeral  bool
}

const (
	reportProgress = "progress"
	reportReady    = "ready"
	reportDown     = "down"
	reportFailed   = "failed"
)

// keeperReport is one line on a keeper's standard output.
type keeperReport struct {
	Kind     string
	Text     string `json:",omitempty"`
	Port     int    `json:",omitempty"`
	PID      int    `json:",omitempty"`
	Password string `json:",omitempty"`
}

// RunKeeper does a keeper's work if this process was started as one, and then returns true: the caller must end the
// process. Call it first in main and in TestMain.
func RunKeeper() bool {
	if os.Getenv(keeperEnv) == "" {
		return false
	}
	// The server is tied to the thread that starts it (see tieToParent), so that thread must last as long as the keeper.
	runtime.LockOSThread()
	// A keeper lives in its own session, but signals can be sent by hand. With SIGPIPE ignored, a report to a parent that
	// is gone fails instead of ending the keeper before it has stopped the server.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	syscall.Umask(0o022) // the binaries are for every user; what is private says so itself

	k := &keeper{reports: json.NewEncoder(os.Stdout)}
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &k.order)
	}
	if err != nil {
		k.report(keeperReport{Kind: reportFailed, Text: "the keeper got no order: " + err.Error()})
		return true
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, input)
		cancel()
	}()
	if err := k.run(ctx); err != nil && (ctx.Err() == nil || errors.Is(err, errStillRunning)) {
		k.report(keeperReport{Kind: reportFailed, Text: err.Error()})
	}
	return true
}

// keeper runs one Postgres server. Everything in it happens on one goroutine.
type keeper struct {
	order    keeperOrder
	reports  *json.Encoder
	binaries string
	password string
}

func (k *keeper) report(report keeperReport) {
	_ = k.reports.Encode(report) // nobody is left to tell when this fails
}

func (k *keeper) progress(format string, arguments ...any) {
	k.report(keeperReport{Kind: reportProgress, Text: fmt.Sprintf(format, arguments...)})
}

func (k *keeper) path(name string) string { return filepath.Join(k.order.DataDir, name) }

func (k *keeper) cluster() string { return k.path("pgdata") }

func (k *keeper) run(ctx context.Context) error {
	lock, err := lockDataDir(ctx, k.order.DataDir)
	if err != nil {
		return err
	}
	defer lock.release()
	context.AfterFunc(ctx, lock.markStopping)

	if k.binaries, err = installPostgres(ctx, k.order.Cache, k.progress); err != nil {
		return err
	}
	if err := clearStrays(ctx, k.cluster()); err != nil {
		return err
	}
	if err := k.ensureCluster(ctx); err != nil {
		return err
	}
	err = k.supervise(ctx)
	if k.order.Ephemeral {
		err = errors.Join(err, os.RemoveAll(k.order.DataDir))
	}
	return err
}

// ensureCluster makes the password and the cluster if they are missing, and refuses what it doesn't know: it never
// removes or overwrites a cluster.
func (k *keeper) ensureCluster(ctx context.Context) error {
	version, err := os.ReadFile(filepath.Join(k.cluster(), "PG_VERSION"))
	switch {
	case err == nil && strings.TrimSpace(string(version)) != postgresMajor:
		return fmt.Errorf("%s holds a cluster of Postgres %s, and this Onward runs Postgres %s: dump it with the old version and restore it, or choose another data directory",
			k.cluster(), strings.TrimSpace(string(version)), postgresMajor)
	case err == nil:
		password, err := os.ReadFile(k.path("password"))
		if err != nil {
			return fmt.Errorf("the cluster in %s is there, but its password file isn't; restore it from your backup: %w", k.order.DataDir, err)
		}
		k.password = strings.TrimSpace(string(password))
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("look for a cluster: %w", err)
	}
	if entries, _ := os.ReadDir(k.cluster()); len(entries) > 0 {
		return fmt.Errorf("%s isn't empty and holds no Postgres cluster: move it away, or choose another data directory", k.cluster())
	}

	if !k.order.Ephemeral {
		k.progress("Creating the database in %s …", k.order.DataDir)
	}
	k.password = rand.Text()
	if err := os.WriteFile(k.path("password"), []byte(k.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the password: %w", err)
	}
	// initdb works beside the final place: a start that died half-way leaves no half cluster.
	unfinished := k.path("pgdata.new")
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove an unfinished cluster: %w", err)
	}
	// The built-in provider sorts alike on every machine, whatever its C library.
	arguments := []string{
		"-D", unfinished, "-U", superuser, "--pwfile", k.path("password"), "-A", "scram-sha-256",
		"-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
	}
	if k.order.Ephemeral {
		arguments = append(arguments, "--no-sync")
	} else {
		arguments = append(arguments, "--data-checksums") // a failing disk is found out, not believed
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	initdb := exec.CommandContext(ctx, filepath.Join(k.binaries, "bin", "initdb"), arguments...)
	initdb.SysProcAttr = &syscall.SysProcAttr{}
	tieToParent(initdb.SysProcAttr, syscall.SIGKILL) // or it would write where the next keeper begins anew
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("create the cluster: %w: %s", err, output)
	}
	_ = os.Remove(k.cluster()) // an empty one, as checked above
	if err := os.Rename(unfinished, k.cluster()); err != nil {
		return fmt.Errorf("move the new cluster to its place: %w", err)
	}
	return nil
}

// supervise keeps a server running until the context ends. The first start may change a port that was not asked for;
// later ones must keep it, since clients know it by then.
func (k *keeper) supervise(ctx context.Context) error {
	anyPort := k.order.Port == 0
	var deaths recently
	delay := time.Duration(0)
	for {
		if anyPort {
			port, err := freePort()
			if err != nil {
				return err
			}
			k.order.Port = port
		}
		wasReady, err := k.serve(ctx)
		if ctx.Err() != nil {
			return err
		}
		count := deaths.add(time.Now())
		if anyPort && !wasReady && errors.Is(err, errPortTaken) && count <= 2*maxDeaths {
			continue
		}
		if count > maxDeaths || (anyPort && !wasReady) {
			return err
		}
		anyPort = false
		k.report(keeperReport{Kind: reportDown, Text: err.Error()})
		if wasReady {
			delay = 0
		} else {
			delay = min(max(2*delay, 100*time.Millisecond), 5*time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		if err := clearStrays(ctx, k.cluster()); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

var errPortTaken = errors.New("the port is taken")

// serve runs the server once, until it ends (an error, always) or the context does (then it is stopped first).
func (k *keeper) serve(ctx context.Context) (wasReady bool, err error) {
	log, offset, err := openLog(k.path("postgres.log"))
	if err != nil {
		return false, err
	}
	defer log.Close()
	command := exec.Command(filepath.Join(k.binaries, "bin", "postgres"), k.serverArguments()...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{}
	// Should the keeper be killed, the server shuts down at once, and cleanly.
	tieToParent(command.SysProcAttr, syscall.SIGINT)
	if err := command.Start(); err != nil {
		return false, fmt.Errorf("start postgres: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()

	deadline := time.NewTimer(recoveryLimit)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return wasReady, stopServer(command.Process, ended, k.order.Ephemeral)
		case cause := <-ended:
			text := logSince(k.path("postgres.log"), offset)
			if !wasReady && strings.Contains(text, "could not bind") {
				return false, fmt.Errorf("%w: 127.0.0.1:%d", errPortTaken, k.order.Port)
			}
			return wasReady, fmt.Errorf("postgres ended (%w); its log says:\n%s", cause, text)
		case <-deadline.C:
			return false, errors.Join(
				fmt.Errorf("postgres took no connections within %s; see %s", recoveryLimit, k.path("postgres.log")),
				stopServer(command.Process, ended, false))
		case <-poll.C:
			status := readPostmasterFile(k.cluster())
			if status.pid == command.Process.Pid && status.ready {
				wasReady = true
				poll.Stop()
				deadline.Stop()
				k.report(keeperReport{Kind: reportReady, Port: k.order.Port, PID: status.pid, Password: k.password})
			}
		}
	}
}

func (k *keeper) serverArguments() []string {
	settings := map[string]string{
		"port":                    strconv.Itoa(k.order.Port),
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "", // one way in, behind a password
		"max_connections":         "100",
		"shared_buffers":          "64MB",
		"fsync":                   "on",
		"synchronous_commit":      "on",
		"random_page_cost":        "1.1", // disks without seeks
		"jit":                     "off", // costs more than it gains on short queries
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"lc_messages":             "C", // serve reads the log
		"log_min_messages":        "warning",
		"log_checkpoints":         "off",
	}
	for name, value := range k.order.Parameters {
		settings[name] = value
	}
	arguments := []string{"-D", k.cluster()}
	for name, value := range settings {
		arguments = append(arguments, "--"+name+"="+value)
	}
	return arguments
}
