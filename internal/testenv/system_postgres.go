package testenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	installPostgres = "install a Postgres server with its programs (apt-get install postgresql)"
	systemPassword  = "superuser-in-tests"
)

// SystemPostgres gives the test a server of the system's own Postgres, with pg_dump and pg_restore of the same version first on the PATH: the
// superuser's URL of the database postgres, and the directory of the programs.
func SystemPostgres(t *testing.T) (adminURL, programs string) {
	t.Helper()
	programs = systemPrograms()
	if programs == "" {
		Missing(t, "postgres", installPostgres)
	}
	dir, err := TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		const nobody = 65534 // Postgres refuses to be root
		as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(systemPassword), 0o644); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	initialise := exec.CommandContext(t.Context(), filepath.Join(programs, "initdb"), "--pgdata="+data, "--username=postgres", "--pwfile="+password, "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
	initialise.SysProcAttr, initialise.Dir = as, "/"
	if text, err := initialise.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, text)
	}
	for range 5 { // a free port may be taken before the server has it
		if adminURL, err = startSystemPostgres(t, programs, data, dir, as); err == nil {
			return adminURL, programs
		}
	}
	t.Fatal(err)
	return "", ""
}

// systemPrograms is the directory of the newest Postgres that is installed.
func systemPrograms() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_restore")
	slices.SortFunc(found, func(a, b string) int { return versionOf(a) - versionOf(b) })
	for _, path := range slices.Backward(found) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "initdb")); err == nil {
			return filepath.Dir(path)
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	return ""
}

func versionOf(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}

func startSystemPostgres(t *testing.T, programs, data, dir string, as *syscall.SysProcAttr) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer func() { _ = log.Close() }()
	server := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
	server.SysProcAttr, server.Dir, server.Stdout, server.Stderr = as, "/", log, log
	if err := server.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() { _ = server.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		<-ended
	})
	address := (&url.URL{Scheme: "postgres", User: url.UserPassword("postgres", systemPassword), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/postgres", RawQuery: "sslmode=disable"}).String()
	db, err := sql.Open("postgres", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return address, nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(log.Name())
			return "", fmt.Errorf("the system's Postgres ended: %s", text)
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
