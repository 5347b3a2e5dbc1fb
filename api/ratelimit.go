package api

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/go-redis/redis_rate/v10"

	"onward"
)

// RateLimits bound how much anybody may ask for. The counts are in Redis, so that all processes share them; keys hold ids and keyed hashes, and
// run out by themselves.
type RateLimits struct {
	// Allow takes one from a budget, as redis_rate.Limiter.Allow does. nil: there are no limits.
	Allow func(ctx context.Context, key string, limit redis_rate.Limit) (*redis_rate.Result, error)
	// Tries is Allow for guesses of passwords and codes, which are bounded even where requests are not; Forget gives a budget of it back, as
	// redis_rate.Limiter.Reset does. nil: Allow.
	Tries  func(ctx context.Context, key string, limit redis_rate.Limit) (*redis_rate.Result, error)
	Forget func(ctx context.Context, key string) error
	// PerToken and PerUser are requests a second; bursts are four seconds' worth. 0: 50 and 100.
	PerToken, PerUser int
}

const (
	// perTokenDefault and perUserDefault are generous for people and enough for an import.
	perTokenDefault, perUserDefault = 50, 100
	// strangers are requests without a valid token, of one address: links of letters, and tokens that are tried out. Only those that fail
	// count against tokens, so that no one is locked out by what others try with a name or an organisation.
	strangersPerMinute = 60
	// limitWait is how long the count may take; without an answer the request goes on. It is more important that people can work.
	limitWait = 250 * time.Millisecond
)

func perSecond(rate int) redis_rate.Limit {
	return redis_rate.Limit{Rate: rate, Period: time.Second, Burst: 4 * rate}
}

// withDefaults fills in what is 0.
func (r RateLimits) withDefaults() RateLimits {
	if r.PerToken == 0 {
		r.PerToken = perTokenDefault
	}
	if r.PerUser == 0 {
		r.PerUser = perUserDefault
	}
	if r.Tries == nil {
		r.Tries = r.Allow
	}
	return r
}

// within takes one request from a budget. It answers 429 and says false when the budget is used up.
func (a *API) within(ctx huma.Context, key string, limit redis_rate.Limit) bool {
	if a.limits.Allow == nil {
		return true
	}
	waiting, cancel := context.WithTimeout(ctx.Context(), limitWait)
	defer cancel()
	result, err := a.limits.Allow(waiting, key, limit)
	if err != nil {
		a.unlimited.Do(func() { a.log.Warn("requests are not limited while Redis is away", "error", err) })
		return true
	}
	if result.Allowed > 0 {
		return true
	}
	ctx.SetHeader("Retry-After", strconv.Itoa(max(1, int(result.RetryAfter/time.Second)+1)))
	a.refuse(ctx, onward.Errorf(onward.ETooMany, "this is more than is allowed at once; wait as long as Retry-After says, then go on"))
	return false
}

// stranger bounds what one address may do without a valid token.
func (a *API) stranger(ctx huma.Context) bool {
	return a.within(ctx, "address:"+a.store.AddressToken(addressOf(ctx)), redis_rate.Limit{Rate: strangersPerMinute, Period: time.Minute, Burst: strangersPerMinute})
}

// caller bounds what a token, and a user with several, may do.
func (a *API) caller(ctx huma.Context, actor onward.Actor) bool {
	by := actor.TokenID
	if by.IsZero() {
		by = actor.SessionID
	}
	return a.within(ctx, "token:"+by.String(), perSecond(a.limits.PerToken)) && a.within(ctx, "user:"+actor.UserID.String(), perSecond(a.limits.PerUser))
}

// addressOf is the address that a request came from: that of the connection, or what a proxy that is trusted says of it.
func addressOf(ctx huma.Context) string { return humagin.Unwrap(ctx).ClientIP() }
