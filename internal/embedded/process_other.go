//go:build !linux

package embedded

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// tieToParent does nothing: this system can't. A server whose keeper was killed lives on until the next start stops it.
func tieToParent(*syscall.SysProcAttr, syscall.Signal) {}

func selfExecutable() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// serverProcesses lists the postmaster that works in the cluster. Its children can't be told apart here; Postgres itself
// refuses to start while they hold the shared memory, and is then tried again.
func serverProcesses(cluster string) []int {
	pid := readPostmasterFile(cluster).pid
	if pid <= 0 {
		return nil
	}
	command, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || !strings.Contains(string(command), "postgres") || !strings.Contains(string(command), cluster) {
		return nil
	}
	return []int{pid}
}
