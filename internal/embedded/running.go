package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// RunningDSN is the superuser's address of the database postgres on the server that another process runs on a data directory; empty when
// there is none. Whoever asks has to be that process' user, or root.
func RunningDSN(dataDir string) (string, error) {
	cluster := filepath.Join(dataDir, "pgdata")
	text, err := os.ReadFile(filepath.Join(cluster, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for a running Postgres: %w", err)
	}
	if pid := readPostmasterFile(cluster).pid; !slices.Contains(serverProcesses(cluster), pid) {
		return "", nil // left behind by one that was killed
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 8 || strings.TrimSpace(lines[7]) != "ready" {
		return "", errors.New("the embedded Postgres is starting or stopping: try again in a moment")
	}
	port, err := strconv.Atoi(strings.TrimSpace(lines[3]))
	if err != nil {
		return "", fmt.Errorf("read the port of the running Postgres: %w", err)
	}
	password, err := os.ReadFile(filepath.Join(dataDir, "password"))
	if err != nil {
		return "", fmt.Errorf("read the password of the running Postgres: %w", err)
	}
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, strings.TrimSpace(string(password))), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path: "/postgres", RawQuery: "sslmode=disable",
	}).String(), nil
}
