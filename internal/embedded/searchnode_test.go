package embedded_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	searchnode "onward/deploy/search-node"
	"onward/internal/embedded"
	"onward/internal/testenv"
)

func needSearchNode(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starting a search node takes many seconds")
	}
	if err := embedded.SearchNodeRunnable(); err != nil {
		testenv.Missing(t, "elasticsearch", err.Error())
	}
}

func TestASearchNodeEndsWithAProgramThatWasKilled(t *testing.T) {
	t.Parallel()
	needSearchNode(t)
	program, node := startHost(t, os.Args[0], "search", t.TempDir())
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(node.Address + "/_cluster/health")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the cluster answers %s", response.Status)
	}
	if err := program.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node is gone", func() bool { return gone(node.PID) })
}

func TestASearchNodeSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := embedded.StartSearchNode(t.Context(), embedded.SearchNodeConfig{Home: t.TempDir(), Logger: silent()})
	if err == nil || !strings.Contains(err.Error(), "install a JDK") {
		t.Errorf("the start says: %v", err)
	}
}

func TestTheSearchNodesVersionIsTheOneThatItsScriptDownloads(t *testing.T) {
	t.Parallel()
	script, err := searchnode.Files.ReadFile("run.sh")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(script), "version="+searchnode.Version+"\n") {
		t.Errorf("run.sh doesn't set version=%s", searchnode.Version)
	}
}

func TestMissingHomeIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := embedded.StartSearchNode(t.Context(), embedded.SearchNodeConfig{}); err == nil {
		t.Error("a search node started without a home")
	}
}
