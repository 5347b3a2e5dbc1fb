package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"onward"
)

const (
	suffix     = ".backup"
	keysSuffix = "-keys.backup"
	unfinished = ".onward-unfinished-*"
	// staleAfter is the age at which an unfinished file is taken for one that a killed backup left behind.
	staleAfter = 24 * time.Hour
)

// names are the files of a database in a directory: each archive has its time, and of the keys there is one file alone.
func names(m Manifest) (database, keys string) {
	prefix := "onward-" + short(m.Database)
	return prefix + "-" + m.MadeAt.UTC().Format("20060102T150405Z") + suffix, prefix + keysSuffix
}

// short names a database in files: the last digits of its id, which are random.
func short(id onward.ID) string {
	text := id.String()
	return text[len(text)-8:]
}

// WriteTo writes a backup into a directory: an archive of its own, and the keys in place of those before. keysOnly leaves the archive out.
// What is not finished has no name that a restore would take.
func (s Source) WriteTo(ctx context.Context, dir string, keysOnly bool) (report Report, database, keys string, err error) {
	unlock, err := lockDir(dir)
	if err != nil {
		return report, "", "", err
	}
	defer unlock()
	removeStale(dir)
	keysFile, err := create(dir)
	if err != nil {
		return report, "", "", err
	}
	defer keysFile.drop()
	var archive io.Writer
	var databaseFile *file
	if !keysOnly {
		if databaseFile, err = create(dir); err != nil {
			return report, "", "", err
		}
		defer databaseFile.drop()
		archive = databaseFile
	}
	if report, err = s.Write(ctx, archive, keysFile); err != nil {
		return report, "", "", err
	}
	database, keys = names(report.Manifest)
	database, keys = filepath.Join(dir, database), filepath.Join(dir, keys)
	// The keys first: an archive never waits for keys that are not there yet.
	if err := keysFile.keep(keys); err != nil {
		return report, "", "", err
	}
	if keysOnly {
		return report, "", keys, syncDir(dir)
	}
	if err := databaseFile.keep(database); err != nil {
		return report, "", "", err
	}
	return report, database, keys, syncDir(dir)
}

// WriteStream writes the archive of the database as it comes to out, and the keys to a file, which is replaced when all is written.
func (s Source) WriteStream(ctx context.Context, out io.Writer, keys string) (report Report, err error) {
	dir := filepath.Dir(keys)
	unlock, err := lockDir(dir)
	if err != nil {
		return report, err
	}
	defer unlock()
	f, err := create(dir)
	if err != nil {
		return report, err
	}
	defer f.drop()
	if report, err = s.Write(ctx, out, f); err != nil {
		return report, err
	}
	if err := f.keep(keys); err != nil {
		return report, err
	}
	return report, syncDir(dir)
}

// file is written beside its place, and takes it when it is whole.
type file struct {
	*bufio.Writer
	f *os.File
}

func create(dir string) (*file, error) {
	f, err := os.CreateTemp(dir, unfinished) // 0600
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	return &file{bufio.NewWriterSize(f, 1<<18), f}, nil
}

// drop removes what was not kept.
func (f *file) drop() {
	_ = f.f.Close()
	_ = os.Remove(f.f.Name())
}

func (f *file) keep(path string) error {
	if err := errors.Join(f.Flush(), f.f.Sync(), f.f.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := os.Rename(f.f.Name(), path); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockDir keeps two backups from replacing each other's keys by older ones.
func lockDir(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, onward.Errorf(onward.ENotFound, "the directory %s is not there; make it, for the user of Onward alone: mkdir -m 700 %s", dir, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the directory of backups: %w", err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = d.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, onward.Errorf(onward.EConflict, "another backup is being written to %s", dir)
		}
		return nil, fmt.Errorf("lock the directory of backups: %w", err)
	}
	return func() { _ = d.Close() }, nil
}

// removeStale removes what killed backups left. It is encrypted, and of no use.
func removeStale(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, unfinished))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.Remove(path)
		}
	}
}

// Prune removes the archives of a database that are older than a time, but for the newest. It says which.
func Prune(dir string, of Manifest, before time.Time) (removed []string, err error) {
	newest, _ := names(of)
	paths, err := filepath.Glob(filepath.Join(dir, "onward-"+short(of.Database)+"-*T*Z"+suffix))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		name := filepath.Base(path)
		at, err := time.Parse("20060102T150405Z", strings.TrimSuffix(name, suffix)[len("onward-00000000-"):])
		if err != nil || name == newest || !at.Before(before) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return removed, fmt.Errorf("remove an old backup: %w", err)
		}
		removed = append(removed, path)
	}
	return removed, nil
}

// keysBeside is the file of the keys of a database, in the directory of its archive.
func keysBeside(archive string, m Manifest) string {
	_, keys := names(m)
	return filepath.Join(filepath.Dir(archive), keys)
}
