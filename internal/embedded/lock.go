package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stoppingMark in a lock file says that its holder will let go soon.
const stoppingMark = "stopping"

// fileLock is an exclusive lock that the kernel drops when its holder dies.
type fileLock struct{ file *os.File }

// tryLock returns nil, nil when another process holds the lock.
func tryLock(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &fileLock{file: file}, nil
}

// release lets go of the lock, if there is one.
func (l *fileLock) release() {
	if l != nil {
		_ = l.file.Close()
	}
}

func (l *fileLock) write(text string) {
	_ = l.file.Truncate(0) // the text only explains; the lock is what counts
	_, _ = l.file.WriteAt([]byte(text), 0)
}

func (l *fileLock) markStopping() { l.write(stoppingMark) }

// waitForLock takes the lock when it is free, and tells of it once when it isn't.
func waitForLock(ctx context.Context, path string, waiting func()) (*fileLock, error) {
	for told := false; ; told = true {
		lock, err := tryLock(path)
		if lock != nil || err != nil {
			return lock, err
		}
		if !told {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lockDataDir takes the data directory for this keeper. A holder that is just stopping is waited for; any other is
// given a second, because it may not have noticed yet that its parent is gone.
func lockDataDir(ctx context.Context, dataDir string) (*fileLock, error) {
	path := filepath.Join(dataDir, "lock")
	began := time.Now()
	for {
		lock, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if lock != nil {
			lock.write(fmt.Sprintf("process %d", os.Getppid()))
			return lock, nil
		}
		text, _ := os.ReadFile(path)
		holder := strings.TrimSpace(string(text))
		patience := time.Second
		if holder == stoppingMark {
			patience = 40 * time.Second
		}
		if time.Since(began) > patience {
			return nil, fmt.Errorf("the data directory %s is in use by another Onward (%s): stop that one, or give this one a data directory of its own", dataDir, holder)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
