package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const (
	postgresVersion = embeddedpostgres.V17
	postgresMajor   = "17"

	// CacheEnv names the directory for what is downloaded once per user: the binaries of Postgres, the jars of the
	// search node. Default: /var/cache/onward for root, since nobody may not enter root's home; else onward in the
	// user's cache directory.
	CacheEnv = "ONWARD_CACHE"
)

// CacheDir is where downloads are kept. See CacheEnv.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return filepath.Abs(dir)
	}
	if os.Geteuid() == 0 {
		return "/var/cache/onward", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory (set %s): %w", CacheEnv, err)
	}
	return filepath.Join(dir, "onward"), nil
}

// installPostgres returns the directory with the binaries, downloading them into cache if it doesn't have them. The
// library downloads and unpacks, and starts a throw-away server, which shows at once if the binaries don't run here. The
// result is moved to its place in one step: who finds it needs no lock.
func installPostgres(ctx context.Context, cache string, progress func(string, ...any)) (string, error) {
	installed := filepath.Join(cache, string(postgresVersion))
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("look for Postgres (set %s to a directory that every user may enter): %w", CacheEnv, err)
	}
	lock, err := waitForLock(ctx, filepath.Join(cache, "lock"), func() {
		progress("Waiting for another process that is downloading Postgres …")
	})
	if err != nil {
		return "", err
	}
	defer lock.release()
	if _, err := os.Stat(installed); err == nil {
		return installed, nil // another process was quicker
	}

	progress("Downloading Postgres %s (about 15 MB, once) to %s …", postgresMajor, cache)
	staging := filepath.Join(cache, "unfinished")
	if err := errors.Join(clearStrays(ctx, filepath.Join(staging, "data")), os.RemoveAll(staging)); err != nil {
		return "", fmt.Errorf("remove an unfinished download: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	binaries := filepath.Join(staging, "binaries")
	server := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(postgresVersion).
		Port(uint32(port)). //nolint:gosec // a port
		CachePath(filepath.Join(staging, "archive")).
		BinariesPath(binaries).
		RuntimePath(filepath.Join(staging, "runtime")).
		DataPath(filepath.Join(staging, "data")).
		StartTimeout(time.Minute).
		StartParameters(map[string]string{"listen_addresses": "localhost", "unix_socket_directories": "", "fsync": "off"}).
		Logger(io.Discard))
	finished := make(chan error, 1)
	go func() { finished <- errors.Join(server.Start(), ignoreNotStarted(server.Stop())) }()
	select {
	case err = <-finished:
	case <-ctx.Done():
		err = ctx.Err() // the process ends now; whoever comes next clears the rest away
	}
	if err != nil {
		return "", fmt.Errorf("install Postgres %s: %w", postgresMajor, err)
	}
	if err := os.Rename(binaries, installed); err != nil {
		return "", fmt.Errorf("install Postgres %s: %w", postgresMajor, err)
	}
	_ = os.RemoveAll(staging)
	return installed, nil
}

func ignoreNotStarted(err error) error {
	if errors.Is(err, embeddedpostgres.ErrServerNotStarted) {
		return nil
	}
	return err
}

// copySelf puts a copy of this program where the unprivileged user may run it.
func copySelf(dataDir string, as identity) (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's file: %w", err)
	}
	from, err := os.Open(own)
	if err != nil {
		return "", fmt.Errorf("copy this program: %w", err)
	}
	defer from.Close()
	path := filepath.Join(dataDir, "keeper")
	// Removed first, then created exclusively: the directory belongs to the other user, who could have put a link there.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("copy this program: %w", err)
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return "", fmt.Errorf("copy this program: %w", err)
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Chown(int(as.uid), int(as.gid)), to.Close()); err != nil {
		return "", fmt.Errorf("copy this program: %w", err)
	}
	return path, nil
}

func describeMode(path string, info os.FileInfo) string {
	return fmt.Sprintf("%s (mode %s)", path, strings.TrimPrefix(info.Mode().String(), "d"))
}
