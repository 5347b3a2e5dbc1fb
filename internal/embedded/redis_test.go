package embedded_test

import (
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onward/internal/embedded"
)

func TestKeysExpireAndTheClockRuns(t *testing.T) {
	t.Parallel()
	server, err := embedded.StartRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	ctx := t.Context()
	if err := client.Set(ctx, "short", 1, 300*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(ctx, "long", 1, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	if n := client.Exists(ctx, "short", "long").Val(); n != 2 {
		t.Errorf("%d of 2 keys are there at first", n)
	}
	eventually(t, "the short-lived key is gone", func() bool { return client.Exists(ctx, "short").Val() == 0 })
	if left := client.TTL(ctx, "long").Val(); left > time.Hour-200*time.Millisecond || left < 59*time.Minute {
		t.Errorf("the long-lived key has %v left", left)
	}
	if clock := client.Time(ctx).Val(); time.Since(clock).Abs() > 5*time.Second {
		t.Errorf("the server's clock says %v", clock)
	}
}

func TestAStoppedRedisIsGone(t *testing.T) {
	t.Parallel()
	server, err := embedded.StartRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := server.Addr()
	server.Stop()
	server.Stop()
	if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		_ = connection.Close()
		t.Error("it still answers")
	}
}
