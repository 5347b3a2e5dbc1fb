package embedded

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is a child with a process group of its own. On Linux it gets SIGTERM when this program dies, however it dies.
type Process struct {
	command *exec.Cmd
	done    chan struct{}
	err     error // set before done is closed
	stop    sync.Once
}

// StartProcess starts the command, whose SysProcAttr must be unset.
func StartProcess(command *exec.Cmd) (*Process, error) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	tieToParent(command.SysProcAttr, syscall.SIGTERM)
	// Something that the command left behind may hold its output open; that is not waited for.
	command.WaitDelay = time.Second
	p := &Process{command: command, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel watches the thread that started the child, so that one stays until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			p.err = command.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	return p, nil
}

// PID of the child, which is also the number of its process group.
func (p *Process) PID() int { return p.command.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended; nil while it runs or if it ended well.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stop asks the whole group to end, kills it after the grace period, and waits for the child. Safe to call twice.
func (p *Process) Stop(grace time.Duration) error {
	p.stop.Do(func() {
		_ = syscall.Kill(-p.PID(), syscall.SIGTERM) // fails when all have ended
		select {
		case <-p.done:
		case <-time.After(grace):
		}
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // also whoever stayed behind in the group
	})
	select {
	case <-p.done:
		return nil
	case <-time.After(10 * time.Second):
		return errors.New("stop " + p.command.Path + ": it doesn't end")
	}
}
