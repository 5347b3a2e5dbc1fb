package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-redis/redis_rate/v10"

	"onward"
	"onward/api"
)

// from makes a request come from an address, by a proxy that is believed.
func from(address string) option { return header("X-Forwarded-For", address) }

func TestAThousandGuessesStopNobodyButWhoGuesses(t *testing.T) {
	t.Parallel()
	// Guesses are bounded where requests are not.
	s, client := limited(t, api.RateLimits{PerToken: 100_000, PerUser: 100_000}, "127.0.0.1")
	u, her := s.user(s.agency, onward.RoleCounsellor), s.browser(from("192.0.2.10"))
	her.signIn(u)
	her.setUp()
	her.post("/v1/sign-out", nil).want(http.StatusNoContent)

	tried := 0
	for i := range 1000 {
		attacker := s.browser(from(fmt.Sprintf("198.51.%d.%d", i/200, i%200))) // from hundreds of addresses
		got := attacker.post("/v1/sign-in", credentials(u, fmt.Sprintf("guess number %d of many", i)))
		switch got.status {
		case http.StatusUnauthorized:
			tried++
		case http.StatusTooManyRequests:
			got.problem(http.StatusTooManyRequests, onward.ETooMany)
			if got.header.Get("Retry-After") == "" {
				t.Fatal("it does not say how long to wait")
			}
		default:
			t.Fatalf("%d: %s", got.status, got.body)
		}
	}
	if tried < 15 || tried > 25 {
		t.Errorf("%d of 1000 guesses were compared with the password, want about 20", tried)
	}
	// She goes on, from the device that she has used and anywhere she takes it.
	her.signIn(u)
	her.options = []option{from("203.0.113.77")}
	her.signIn(u)
	// A letter lets her in on a new device meanwhile; the password alone does not.
	fresh := s.browser(from("192.0.2.200"))
	fresh.post("/v1/sign-in", credentials(u, goodPassword)).problem(http.StatusTooManyRequests, onward.ETooMany)
	i, err := s.store.InviteAgain(t.Context(), onward.System(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	fresh.post("/v1/invitations/"+i.Token, map[string]any{"password": "otro pan para mi perro"}).want(http.StatusOK)
	fresh.post("/v1/sign-in", credentials(u, "otro pan para mi perro")).want(http.StatusOK)
	// An address that nobody has is treated alike.
	stopped := 0
	for i := range 40 {
		if s.browser(from(fmt.Sprintf("203.0.113.%d", i))).post("/v1/sign-in", map[string]any{"email": "nobody@example.org", "password": "guess"}).status == http.StatusTooManyRequests {
			stopped++
		}
	}
	if stopped < 15 || stopped > 25 {
		t.Errorf("%d of 40 guesses at nobody were stopped", stopped)
	}
	// A device that is known to one account is a stranger to another, and one that is made up to all.
	other := s.user(s.agency, onward.RoleCounsellor)
	for range 11 {
		her.post("/v1/sign-in", credentials(other, "guess guess guess"))
	}
	her.post("/v1/sign-in", credentials(other, goodPassword)).problem(http.StatusTooManyRequests, onward.ETooMany)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		if strings.Contains(key, "@") || strings.Contains(key, "198.51") || client.PTTL(t.Context(), key).Val() == -1 {
			t.Errorf("Redis holds %s", key)
		}
	}
}

func TestOneAddressTriesManyAccountsOnlySlowly(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, api.RateLimits{}, "127.0.0.1")
	stopped := 0
	for i := range 80 {
		b := s.browser(from(fmt.Sprintf("2001:db8:1:2::%x", i+1))) // all of one subscriber
		if b.post("/v1/sign-in", map[string]any{"email": fmt.Sprintf("user%d@example.org", i), "password": "Spring in the mountains"}).status == http.StatusTooManyRequests {
			stopped++
		}
	}
	if stopped < 15 {
		t.Errorf("%d of 80 were stopped", stopped)
	}
}

func TestCodesAreGuessedAFewTimes(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, api.RateLimits{}, "127.0.0.1")
	u, her := s.user(s.agency, onward.RoleCounsellor), s.browser(from("192.0.2.10"))
	her.signIn(u)
	secret, _ := her.setUp()
	thief := s.browser(from("198.51.100.1")) // who has the password
	thief.signIn(u)
	tried := 0
	for i := range 20 {
		if thief.post("/v1/sign-in/second-factor", map[string]any{"code": fmt.Sprintf("%06d", i)}).status == http.StatusUnprocessableEntity {
			tried++
		}
	}
	if tried != 5 {
		t.Errorf("%d codes were tried, want 5", tried)
	}
	her.signIn(u)
	her.post("/v1/sign-in/second-factor", map[string]any{"code": code(t, secret, 0)}).want(http.StatusOK)
	for range 10 {
		her.ask(http.MethodPut, "/v1/me/password", map[string]any{"current_password": "guess", "new_password": goodPassword})
	}
	her.ask(http.MethodPut, "/v1/me/password", map[string]any{"current_password": goodPassword, "new_password": "otro pan para mi perro"}).problem(http.StatusTooManyRequests, onward.ETooMany)
}

func TestWithoutRedisGuessesAreBoundedForAll(t *testing.T) {
	t.Parallel()
	away := func(context.Context, string, redis_rate.Limit) (*redis_rate.Result, error) {
		return nil, errors.New("away")
	}
	s, _ := limited(t, api.RateLimits{Allow: away}, "127.0.0.1")
	u, stopped := s.user(s.agency, onward.RoleCounsellor), 0
	for i := range 40 {
		if s.browser(from(fmt.Sprintf("203.0.113.%d", i))).post("/v1/sign-in", credentials(u, "guess")).status == http.StatusTooManyRequests {
			stopped++
		}
	}
	if stopped < 10 {
		t.Errorf("%d of 40 guesses were stopped", stopped)
	}
}
