package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// nobodyID is nobody's user and group id where no user database says otherwise.
const nobodyID = 65534

// identity is the user that Postgres runs as: it refuses to be root.
type identity struct {
	uid, gid uint32
	switches bool   // this process is root and must become that user
	cache    string // where that user finds and keeps the binaries
}

// processAttributes starts a child as that user, in a session of its own: Ctrl-C at the terminal shall reach Onward only,
// which then stops the server when its last request is answered.
func (as identity) processAttributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if as.switches {
		attributes.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	return attributes
}

// prepareDirectories makes the data and cache directories, and for root gives them to the user that Postgres will run as.
func prepareDirectories(dataDir string) (identity, error) {
	as := identity{switches: os.Geteuid() == 0}
	cache, err := CacheDir()
	if err != nil {
		return as, err
	}
	as.cache = filepath.Join(cache, "postgres")
	for _, dir := range []struct {
		path string
		mode os.FileMode
	}{{cache, 0o755}, {as.cache, 0o755}, {dataDir, 0o700}} {
		if err := makeDir(dir.path, dir.mode); err != nil {
			return as, err
		}
	}
	if !as.switches {
		return as, nil
	}

	owner, err := ownerOf(dataDir)
	if err != nil {
		return as, err
	}
	if owner.Uid != 0 {
		as.uid, as.gid = owner.Uid, owner.Gid
	} else {
		as.uid, as.gid = nobody()
		// A directory that root copied or restored is given over whole.
		if err := giveAway(dataDir, as); err != nil {
			return as, err
		}
	}
	if owner, err = ownerOf(as.cache); err != nil {
		return as, err
	}
	if owner.Uid == 0 {
		if err := os.Lchown(as.cache, int(as.uid), int(as.gid)); err != nil {
			return as, fmt.Errorf("give the cache to the unprivileged user: %w", err)
		}
	}
	return as, errors.Join(
		as.mayEnter(dataDir, "choose another data directory, such as /var/lib/onward"),
		as.mayEnter(as.cache, "set "+CacheEnv+" to another directory"))
}

// makeDir makes a directory with this mode whatever the umask, and those above it so that all may pass. It leaves what
// exists as it is.
func makeDir(path string, mode os.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := makeDir(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, mode); errors.Is(err, os.ErrExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	return os.Chmod(path, mode)
}

func nobody() (uid, gid uint32) {
	uid, gid = nobodyID, nobodyID
	if account, err := user.Lookup("nobody"); err == nil {
		if id, err := strconv.ParseUint(account.Uid, 10, 32); err == nil {
			uid = uint32(id)
		}
		if id, err := strconv.ParseUint(account.Gid, 10, 32); err == nil {
			gid = uint32(id)
		}
	}
	return uid, gid
}

func ownerOf(path string) (*syscall.Stat_t, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%s: this system doesn't tell owners", path)
	}
	return owner, nil
}

// giveAway changes the owner of a directory and all in it. It refuses a directory that holds anything else than an
// embedded Postgres, so that a mistyped path doesn't hand someone's files to nobody.
func giveAway(dir string, as identity) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch entry.Name() {
		case "pgdata", "pgdata.new", "password", "lock", "postgres.log", "postgres.log.old", "keeper":
		default:
			return fmt.Errorf("%s holds %q, which is not part of an embedded Postgres: choose an empty data directory", dir, entry.Name())
		}
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		//nolint:gosec // below a directory that only root and the unprivileged user may write; Lchown follows no link
		if err := os.Lchown(path, int(as.uid), int(as.gid)); err != nil {
			return fmt.Errorf("give the data directory to the unprivileged user: %w", err)
		}
		return nil
	})
}

// mayEnter checks that the user can reach path, and names the directory in the way if not: what Postgres itself says
// then helps nobody.
func (as identity) mayEnter(path, remedy string) error {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for dir := resolved; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		allowed := info.Mode().Perm() & 0o001
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid == as.uid {
			allowed = info.Mode().Perm() & 0o100
		} else if ok && owner.Gid == as.gid {
			allowed = info.Mode().Perm() & 0o010
		}
		if allowed == 0 {
			return fmt.Errorf("postgres doesn't run as root, and the user that it runs as (id %d) can't enter %s: %s",
				as.uid, describeMode(dir, info), remedy)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
