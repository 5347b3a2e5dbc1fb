package embedded

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tieToParent has the kernel send the child this signal when the thread that started it ends. The caller makes sure that
// the thread lasts as long as the child may (runtime.LockOSThread).
func tieToParent(attributes *syscall.SysProcAttr, signal syscall.Signal) {
	attributes.Pdeathsig = signal
}

// selfExecutable is this program, by a link that works where the path doesn't: "go run" and "go test" build into a
// directory that only their user may enter, and a running program's file may have been replaced.
func selfExecutable() string { return "/proc/self/exe" }

// serverProcesses lists the Postgres processes that work in the cluster. Every one of them has it as working directory.
func serverProcesses(cluster string) []int {
	if resolved, err := filepath.EvalSymlinks(cluster); err == nil {
		cluster = resolved
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var found []int
	for _, link := range links {
		if dir, err := os.Readlink(link); err != nil || dir != cluster {
			continue
		}
		process := filepath.Dir(link)
		if name, err := os.ReadFile(filepath.Join(process, "comm")); err != nil || strings.TrimSpace(string(name)) != "postgres" {
			continue
		}
		if stat, err := os.ReadFile(filepath.Join(process, "stat")); err != nil || strings.Contains(string(stat), ") Z ") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(process)); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
