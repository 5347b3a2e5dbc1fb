package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onward/internal/embedded"
)

const installRedis = "install redis-server (apt-get install redis-server), or set REDIS_URL to a server for tests"

// claimLimit is after how long a database that a test process took and never gave back is free again.
const claimLimit = 15 * time.Minute

// Redis gives the test an empty database of a real Redis, as a URL (redis://host:port/number). It is emptied again when
// the test is done.
func Redis(t testing.TB) string {
	t.Helper()
	if address := os.Getenv("REDIS_URL"); address != "" {
		return claimRedisDatabase(t, address)
	}
	server, err := env.redis.get(func() (*RedisServer, error) {
		server, err := newRedisServer()
		if err == nil {
			env.atEnd(server.stop)
		}
		return server, err
	})
	if errors.Is(err, exec.ErrNotFound) {
		Missing(t, "redis", installRedis)
	}
	if err != nil {
		t.Fatalf("no Redis for the test: %v", err)
	}
	number := env.redisNumber.Add(1) % redisDatabases
	own := fmt.Sprintf("redis://%s/%d", server.address, number)
	emptyRedis(t, own)
	t.Cleanup(func() { emptyRedis(t, own) })
	return own
}

// EmbeddedRedis gives the test a Redis like that of the embedded mode, as a URL.
func EmbeddedRedis(t testing.TB) string {
	t.Helper()
	server, err := embedded.StartRedis(context.Background()) // not t.Context(): it ends before the test's clean-up
	if err != nil {
		t.Fatalf("no Redis for the test: %v", err)
	}
	t.Cleanup(server.Stop)
	return "redis://" + server.Addr() + "/0"
}

// OwnRedis gives the test a server of its own, to stop and start again.
func OwnRedis(t testing.TB) *RedisServer {
	t.Helper()
	server, err := newRedisServer()
	if errors.Is(err, exec.ErrNotFound) {
		Missing(t, "redis", installRedis)
	}
	if err != nil {
		t.Fatalf("no Redis for the test: %v", err)
	}
	t.Cleanup(server.stop)
	return server
}

// redisDatabases is how many databases a server of ours has, and so how many tests may use it at a time.
const redisDatabases = 1000

// RedisServer is a real Redis without persistence: what is in it is gone after Stop.
type RedisServer struct {
	address string
	process *embedded.Process
}

func newRedisServer() (*RedisServer, error) {
	var failures error
	// A free port may be taken before the server has it.
	for range 5 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		server := &RedisServer{address: listener.Addr().String()}
		if err := listener.Close(); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		err = server.start()
		if err == nil || errors.Is(err, exec.ErrNotFound) {
			return server, err
		}
		failures = errors.Join(failures, err)
	}
	return nil, failures
}

func (s *RedisServer) start() error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return err
	}
	process, err := embedded.StartProcess(exec.Command(program,
		"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no",
		"--databases", strconv.Itoa(redisDatabases), "--dir", os.TempDir()))
	if err != nil {
		return err
	}
	deadline := time.After(stepLimit)
	for {
		if err := onRedis(s.URL(), func(ctx context.Context, client *redis.Client) error { return client.Ping(ctx).Err() }); err == nil {
			s.process = process
			return nil
		}
		select {
		case <-process.Done():
			return fmt.Errorf("redis-server ended: %w", process.Err())
		case <-deadline:
			return errors.Join(errors.New("redis-server doesn't answer"), process.Stop(0))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *RedisServer) stop() { _ = s.process.Stop(2 * time.Second) }

// URL of the server's first database. It stays the same over Stop and Start.
func (s *RedisServer) URL() string { return "redis://" + s.address + "/0" }

// Stop ends the server, as in an outage.
func (s *RedisServer) Stop(t testing.TB) {
	t.Helper()
	if err := s.process.Stop(2 * time.Second); err != nil {
		t.Fatal(err)
	}
}

// Start runs a stopped server again, empty, at the same address.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("start Redis again: %v", err)
	}
}

// claimRedisDatabase finds a database of the shared server that no other test uses. The claims are keys in the database
// that the address names, so that test processes see each other's.
func claimRedisDatabase(t testing.TB, address string) string {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatalf("REDIS_URL: %v", err)
	}
	databases := 16
	deadline := time.Now().Add(stepLimit)
	for {
		var claimed int
		err := onRedis(address, func(ctx context.Context, client *redis.Client) error {
			if answer, err := client.ConfigGet(ctx, "databases").Result(); err == nil {
				if n, err := strconv.Atoi(answer["databases"]); err == nil {
					databases = n
				}
			}
			for number := 1; number < databases && claimed == 0; number++ {
				if number == options.DB {
					continue
				}
				free, err := client.SetNX(ctx, claimKey(number), os.Getpid(), claimLimit).Result()
				if err != nil {
					return err
				}
				if free {
					claimed = number
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("no Redis for the test: %v", err)
		}
		if claimed != 0 {
			own := withDatabase(address, claimed)
			emptyRedis(t, own)
			t.Cleanup(func() {
				emptyRedis(t, own)
				_ = onRedis(address, func(ctx context.Context, client *redis.Client) error {
					return client.Del(ctx, claimKey(claimed)).Err()
				})
			})
			return own
		}
		if time.Now().After(deadline) {
			t.Fatalf("all %d databases of REDIS_URL are in use", databases)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func emptyRedis(t testing.TB, address string) {
	t.Helper()
	if err := onRedis(address, func(ctx context.Context, client *redis.Client) error { return client.FlushDB(ctx).Err() }); err != nil {
		t.Errorf("empty the test's Redis: %v", err)
	}
}

// withDatabase is the address with another database number.
func withDatabase(address string, number int) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address // claimRedisDatabase has parsed it
	}
	parsed.Path = "/" + strconv.Itoa(number)
	return parsed.String()
}

func claimKey(number int) string { return "onward:test:database:" + strconv.Itoa(number) }

func onRedis(address string, do func(context.Context, *redis.Client) error) error {
	options, err := redis.ParseURL(address)
	if err != nil {
		return err
	}
	options.MaxRetries = -1
	client := redis.NewClient(options)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stepLimit)
	defer cancel()
	return do(ctx, client)
}
