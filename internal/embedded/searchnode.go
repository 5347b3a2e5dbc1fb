package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	searchnode "onward/deploy/search-node"
)

// SearchNodeConfig says where a search node keeps its data and how it runs.
type SearchNodeConfig struct {
	// Home is this node's own directory, made if missing. The jars are in the cache (see CacheEnv), shared by all. Required.
	Home string

	// Port to listen on, on 127.0.0.1 only. Default: a free one.
	Port int

	// Heap is the most memory that the index may take, as java writes it. Default: 1g.
	Heap string

	// QuickStart starts the node in two thirds of the time, and makes it search slower: for tests, not for measuring.
	QuickStart bool

	// Logger is told of a node that ends by itself. The node's own log is node.log in Home. Default: slog.Default().
	Logger *slog.Logger

	// Progress is told, in a sentence, of what takes long: the download, the start. Default: the logger.
	Progress func(string)
}

// SearchNode is a running Elasticsearch node, for development and tests.
type SearchNode struct {
	process *Process
	url     string
	stdin   interface{ Close() error }
}

// StartSearchNode starts the node in deploy/search-node and returns once the cluster answers, after about ten seconds; the
// first start on a machine also downloads it. The context limits the start only. The node ends with this program.
func StartSearchNode(ctx context.Context, config SearchNodeConfig) (*SearchNode, error) {
	if config.Home == "" {
		return nil, errors.New("start the search node: no home directory given")
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Progress == nil {
		config.Progress = func(text string) { config.Logger.Info(text) }
	}
	if err := SearchNodeRunnable(); err != nil {
		return nil, fmt.Errorf("start the search node: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	node, err := startSearchNode(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("start the search node: %w", err)
	}
	go func() {
		<-node.process.Done()
		if err := node.process.Err(); err != nil {
			config.Logger.Warn("the search node ended", "reason", err.Error(), "log", filepath.Join(config.Home, "node.log"))
		}
	}()
	return node, nil
}

// SearchNodeRunnable says what is missing on this machine for a search node; nil if nothing is.
func SearchNodeRunnable() error {
	for _, program := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not on the PATH: install a JDK (17 or newer) and Maven, or set ELASTICSEARCH_URL to a server of your own", program)
		}
	}
	return nil
}

func startSearchNode(ctx context.Context, config SearchNodeConfig) (*SearchNode, error) {
	home, err := filepath.Abs(config.Home)
	if err != nil {
		return nil, err
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	cache = filepath.Join(cache, "search-node")
	for _, dir := range []string{home, cache} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make a directory: %w", err)
		}
	}
	download, err := takeDownload(ctx, cache, config.Progress)
	if err != nil {
		return nil, err
	}
	defer download.release()
	program := filepath.Join(home, "program")
	if err := writeProgram(program); err != nil {
		return nil, err
	}
	// A left-over address would be taken for that of the new node.
	address := filepath.Join(home, "http.address")
	if err := os.Remove(address); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	log, err := os.Create(filepath.Join(home, "node.log"))
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	defer log.Close() // the child has its own

	command := exec.Command("sh", filepath.Join(program, "run.sh"), home, strconv.Itoa(config.Port))
	command.Env = append(os.Environ(), "SEARCH_NODE_JARS="+cache, "SEARCH_NODE_STDIN=1")
	if config.Heap != "" {
		command.Env = append(command.Env, "SEARCH_NODE_HEAP="+config.Heap)
	}
	if config.QuickStart {
		command.Env = append(command.Env, "SEARCH_NODE_JAVA=-XX:TieredStopAtLevel=1")
	}
	command.Stdout, command.Stderr = log, log
	// Its end tells the node that we are gone, where the kernel doesn't.
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	process, err := StartProcess(command)
	if err != nil {
		return nil, err
	}
	node := &SearchNode{process: process, stdin: stdin}
	if node.url, err = waitForCluster(ctx, process, address); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; its log says:\n%s", err, logSince(log.Name(), 0)), node.Stop())
	}
	return node, nil
}

// takeDownload keeps others from downloading while this node does. Nil when the jars are there already.
func takeDownload(ctx context.Context, cache string, progress func(string)) (*fileLock, error) {
	jars := filepath.Join(cache, searchnode.Version)
	if _, err := os.Stat(jars); err == nil {
		return nil, nil
	}
	lock, err := waitForLock(ctx, filepath.Join(cache, "lock"), func() {
		progress("Waiting for another process that is downloading Elasticsearch …")
	})
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(jars); err == nil {
		lock.release()
		return nil, nil
	}
	progress("Downloading Elasticsearch " + searchnode.Version + " (about 41 MB, once) to " + cache + " …")
	return lock, nil
}

func writeProgram(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	return fs.WalkDir(searchnode.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := searchnode.Files.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), text, 0o644)
	})
}

// waitForCluster returns the node's URL once its shards can be searched.
func waitForCluster(ctx context.Context, process *Process, addressFile string) (string, error) {
	client := &http.Client{Timeout: 5 * time.Second}
	for {
		if text, err := os.ReadFile(addressFile); err == nil {
			url := "http://" + strings.TrimSpace(string(text))
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_cluster/health?wait_for_status=yellow&timeout=2s", nil)
			if err != nil {
				return "", fmt.Errorf("the node's address: %w", err)
			}
			if response, err := client.Do(request); err == nil {
				_ = response.Body.Close()
				if response.StatusCode == http.StatusOK {
					return url, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-process.Done():
			return "", fmt.Errorf("the node ended: %w", errors.Join(process.Err(), ctx.Err()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// URL is where the node answers, without a slash at the end.
func (n *SearchNode) URL() string { return n.url }

// Port on 127.0.0.1.
func (n *SearchNode) Port() int {
	_, port, _ := strings.Cut(strings.TrimPrefix(n.url, "http://"), ":")
	number, _ := strconv.Atoi(port) // the node wrote it
	return number
}

// PID is the node's process id.
func (n *SearchNode) PID() int { return n.process.PID() }

// Stop ends the node. Safe to call twice.
func (n *SearchNode) Stop() error {
	err := n.process.Stop(20 * time.Second)
	_ = n.stdin.Close()
	return err
}
