package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"onward"
	"onward/api"
	"onward/internal/embedded"
)

// limited serves with limits that are counted in a Redis of its own.
func limited(t *testing.T, limits api.RateLimits, proxies ...string) (*system, *redis.Client) {
	t.Helper()
	inProcess, err := embedded.StartRedis(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(inProcess.Stop)
	client := redis.NewClient(&redis.Options{Addr: inProcess.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	if limits.Allow == nil {
		limits.Allow = redis_rate.NewLimiter(client).Allow
	}
	return newSystem(t, func(c *api.Config) { c.Limits, c.TrustedProxies = limits, proxies }), client
}

func TestATokenHasItsOwnBudget(t *testing.T) {
	t.Parallel()
	s, client := limited(t, api.RateLimits{PerToken: 5, PerUser: 1000})
	refused := 0
	for range 60 {
		got := s.get(s.counsellor, "/v1/returnees")
		if got.status == http.StatusTooManyRequests {
			refused++
			got.problem(http.StatusTooManyRequests, onward.ETooMany)
			if got.header.Get("Retry-After") == "" {
				t.Fatal("it does not say how long to wait")
			}
		}
	}
	if refused == 0 || refused > 40 {
		t.Errorf("%d of 60 requests were refused, want what is beyond 20 and a little", refused)
	}
	s.get(s.supervisor, "/v1/returnees").want(http.StatusOK)
	s.get("", "/healthz").want(http.StatusOK)
	time.Sleep(400 * time.Millisecond)
	s.get(s.counsellor, "/v1/returnees").want(http.StatusOK)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		if strings.Contains(key, "127.0.0.1") || strings.Contains(key, "onw_") {
			t.Errorf("Redis holds %s", key)
		}
		if client.PTTL(t.Context(), key).Val() == -1 {
			t.Errorf("%s does not run out", key)
		}
	}
}

func TestWhoTriesTokensIsStoppedAndNobodyElse(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, api.RateLimits{}, "127.0.0.1")
	from := func(address string) option { return header("X-Forwarded-For", address) }
	stopped := 0
	for range 80 {
		if s.get("onw_guess", "/v1/returnees", from("192.0.2.1")).status == http.StatusTooManyRequests {
			stopped++
		}
	}
	if stopped < 15 || stopped > 20 {
		t.Errorf("%d of 80 guesses were stopped, want what is beyond 60", stopped)
	}
	// Others are not locked out: not from elsewhere, and not with a valid token behind the same address.
	s.get("onw_guess", "/v1/returnees", from("192.0.2.2")).problem(http.StatusUnauthorized, onward.EUnauthenticated)
	s.get(s.counsellor, "/v1/returnees", from("192.0.2.1")).want(http.StatusOK)
}

func TestAnAddressThatAStrangerMakesUpIsNotBelieved(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, api.RateLimits{})
	stopped := 0
	for i := range 80 {
		if s.get("onw_guess", "/v1/returnees", header("X-Forwarded-For", "192.0.2."+string(rune('0'+i%10)))).status == http.StatusTooManyRequests {
			stopped++
		}
	}
	if stopped < 15 {
		t.Errorf("%d of 80 guesses were stopped", stopped)
	}
}

func TestWithoutRedisPeopleGoOnWorking(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, api.RateLimits{Allow: func(ctx context.Context, _ string, _ redis_rate.Limit) (*redis_rate.Result, error) {
		return nil, errors.New("away")
	}})
	for range 3 {
		s.get(s.counsellor, "/v1/returnees").want(http.StatusOK)
	}
	if n := strings.Count(s.log.String(), "not limited"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}
