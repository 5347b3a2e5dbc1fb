package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postmasterFile is what postmaster.pid in a cluster says. Its lines: pid, data directory, start time, port, socket
// directory, listen address, shared memory key, status.
type postmasterFile struct {
	pid   int
	ready bool
}

func readPostmasterFile(cluster string) postmasterFile {
	text, err := os.ReadFile(filepath.Join(cluster, "postmaster.pid"))
	if err != nil {
		return postmasterFile{}
	}
	lines := strings.Split(string(text), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(lines[0]))
	return postmasterFile{pid: pid, ready: len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"}
}

var errStillRunning = errors.New("postgres doesn't stop")

// stopServer shuts a postmaster down: first fast (clients are cut off, everything is written), then hard.
func stopServer(process *os.Process, ended <-chan error, hurry bool) error {
	steps := []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, 30 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}}
	if hurry {
		steps = steps[1:]
	}
	for _, step := range steps {
		_ = process.Signal(step.signal) // fails when it has just ended
		select {
		case <-ended: //nolint:errcheck // how it ended when it was told to does not matter
			return nil
		case <-time.After(step.wait):
		}
	}
	return fmt.Errorf("%w (process %d)", errStillRunning, process.Pid)
}

// clearStrays makes sure that no process of an earlier server is left in the cluster: a second postmaster there would
// corrupt it. It stops a server whose keeper was killed, waits for the children of a postmaster that was killed, and
// removes a postmaster.pid whose number now belongs to something else, over which Postgres would refuse to start (usual
// in containers, where the same small numbers come again). The caller holds the data directory's lock.
func clearStrays(ctx context.Context, cluster string) error {
	if _, err := os.Stat(cluster); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	steps := []struct {
		after  time.Duration
		signal syscall.Signal
	}{{0, syscall.SIGINT}, {15 * time.Second, syscall.SIGQUIT}, {20 * time.Second, syscall.SIGKILL}}
	began := time.Now()
	for {
		strays := serverProcesses(cluster)
		if len(strays) == 0 {
			break
		}
		postmaster := readPostmasterFile(cluster).pid
		for len(steps) > 0 && time.Since(began) >= steps[0].after {
			for _, pid := range strays {
				// The children of a dead postmaster end by themselves; SIGINT would only cancel their query.
				if pid == postmaster || steps[0].signal != syscall.SIGINT {
					_ = syscall.Kill(pid, steps[0].signal)
				}
			}
			steps = steps[1:]
		}
		if time.Since(began) > 25*time.Second {
			return fmt.Errorf("an earlier Postgres still runs in %s (processes %v) and doesn't stop: end it by hand, then start again", cluster, strays)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	if pid := readPostmasterFile(cluster).pid; pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		if err := os.Remove(filepath.Join(cluster, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove a stale postmaster.pid: %w", err)
		}
	}
	return nil
}

// freePort finds a port that nobody uses just now. It may be taken before the server has it, so callers try again.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// openLog opens the server's log for appending and says how long it is.
func openLog(path string) (*os.File, int64, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, 0, fmt.Errorf("put the old log aside: %w", err)
		}
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("open the log: %w", err)
	}
	end, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open the log: %w", err), log.Close())
	}
	return log, end, nil
}

// logSince is the end of what was logged after offset.
func logSince(path string, offset int64) string {
	var text tail
	if log, err := os.Open(path); err == nil {
		defer log.Close()
		if _, err := log.Seek(offset, io.SeekStart); err == nil {
			_, _ = io.Copy(&text, log)
		}
	}
	return text.String()
}
