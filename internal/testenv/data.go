package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// SharedData is a path in the folder of development data, such as SharedData(t, "esco", "skills.csv"). The folder is named
// by ONWARD_DATA, else it is shared/data beside the checkout (beside any folder above the working directory).
func SharedData(t testing.TB, parts ...string) string {
	t.Helper()
	root := dataRoot()
	if root == "" {
		Missing(t, "data", "set ONWARD_DATA to the folder of development data, or put it at ../shared/data beside the checkout")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		Missing(t, "data", "the development data has no "+filepath.Join(parts...)+": "+err.Error())
	}
	return path
}

func dataRoot() string {
	if root := os.Getenv("ONWARD_DATA"); root != "" {
		return root
	}
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		above := filepath.Dir(dir)
		if above == dir {
			return ""
		}
		root := filepath.Join(above, "shared", "data")
		if info, err := os.Stat(root); err == nil && info.IsDir() {
			return root
		}
		dir = above
	}
}

// Chromium is the path of a browser for tests of pages.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "chromium", "install chromium (apt-get install chromium)")
	return ""
}
