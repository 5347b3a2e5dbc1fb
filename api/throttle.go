package api

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-redis/redis_rate/v10"

	"onward"
)

// Guesses are bounded so that nobody is locked out by what others try. A device from which somebody has signed in is known by a cookie, and
// has a budget of its own: who hammers an account from elsewhere uses up what strangers may try, and the user goes on working.
var (
	triesOfDevice   = redis_rate.Limit{Rate: 10, Period: 15 * time.Minute, Burst: 10}
	triesAtAccount  = redis_rate.Limit{Rate: 10, Period: 15 * time.Minute, Burst: 10} // of one network at one account
	triesByProvider = redis_rate.Limit{Rate: 120, Period: time.Minute, Burst: 120}    // each asks the provider something
	triesOfNetwork  = redis_rate.Limit{Rate: 60, Period: time.Hour, Burst: 60}
	triesOfAll      = redis_rate.Limit{Rate: 20, Period: time.Hour, Burst: 20} // of all strangers at one account
	triesOfCode     = redis_rate.Limit{Rate: 5, Period: 15 * time.Minute, Burst: 5}
	triesToConfirm  = redis_rate.Limit{Rate: 10, Period: 15 * time.Minute, Burst: 10}
	letters         = redis_rate.Limit{Rate: 3, Period: time.Hour, Burst: 3} // to one account
)

// triesWithoutRedis is for this whole process, a second, while Redis can't count: guesses are never free.
const triesWithoutRedis = 2

// waitError says how long to wait.
type waitError struct {
	error
	after time.Duration
}

func (w waitError) Unwrap() error { return w.error }

// try takes one try from a budget. ETooMany when it is used up.
func (a *API) try(ctx context.Context, key string, limit redis_rate.Limit) error {
	if a.limits.Tries == nil {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, limitWait)
	defer cancel()
	result, err := a.limits.Tries(waiting, "try:"+key, limit)
	after := time.Second
	if err != nil {
		a.unlimited.Do(func() {
			a.log.Warn("requests are not limited while Redis is away, and sign-ins for the whole process", "error", err)
		})
		if a.withoutRedis.Allow() {
			return nil
		}
	} else if result.Allowed > 0 {
		return nil
	} else {
		after = result.RetryAfter
	}
	return waitError{onward.Errorf(onward.ETooMany, "this was tried too often; wait as long as Retry-After says, or use a device from which you have signed in before"), after}
}

// forget gives a budget back after a success.
func (a *API) forget(ctx context.Context, key string) {
	if a.limits.Forget == nil {
		return
	}
	waiting, cancel := context.WithTimeout(ctx, limitWait)
	defer cancel()
	if err := a.limits.Forget(waiting, "try:"+key); err != nil {
		a.log.Debug("a budget could not be given back", "error", err)
	}
}

// accountKey names an account by its address, whether there is one or not, without telling it.
func (a *API) accountKey(email string) string {
	return a.store.AddressToken("e-mail " + strings.ToLower(strings.TrimSpace(email)))
}

// networkKey names where a request came from: an address, or the 64 bits of one that a subscriber has.
func (a *API) networkKey(from string) string {
	if address, err := netip.ParseAddr(from); err == nil && address.Is6() && !address.Is4In6() {
		if prefix, err := address.Prefix(64); err == nil {
			from = prefix.String()
		}
	}
	return a.store.AddressToken("network " + from)
}

// tryPassword takes a try of a password at an account, and returns what gives it back when it was right.
func (a *API) tryPassword(ctx context.Context, email string) (right func(), err error) {
	c, account := clientFrom(ctx), a.accountKey(email)
	if device := a.knownDevice(ctx, email); device != "" {
		return func() { a.forget(ctx, "device:"+device) }, a.try(ctx, "device:"+device, triesOfDevice)
	}
	network := a.networkKey(c.from)
	here := "here:" + account + ":" + network
	for _, budget := range []struct {
		key   string
		limit redis_rate.Limit
	}{{"network:" + network, triesOfNetwork}, {here, triesAtAccount}, {"account:" + account, triesOfAll}} {
		if err := a.try(ctx, budget.key, budget.limit); err != nil {
			return nil, err
		}
	}
	return func() { a.forget(ctx, here) }, nil
}

// tryCode takes a try of a second factor. A stranger who has the password uses up none of what the user's own devices may try.
func (a *API) tryCode(ctx context.Context, account onward.Account) (right func(), err error) {
	key := "code:" + account.ID.String() + ":" + a.knownDevice(ctx, account.Email)
	return func() { a.forget(ctx, key) }, a.try(ctx, key, triesOfCode)
}

// deviceCookie is the name of the cookie by which a device is known to an account. Several people may share a device.
func (a *API) deviceCookie(email string) string {
	return "__Host-onward_device-" + a.accountKey(email)[:12]
}

func (a *API) knownDevice(ctx context.Context, email string) string {
	return a.store.KnownDevice(ctx, a.accountKey(email), clientFrom(ctx).cookie(a.deviceCookie(email)))
}

// rememberDevice makes the device known from which somebody has signed in.
func (a *API) rememberDevice(ctx context.Context, email string) (http.Cookie, error) {
	token, err := a.store.NewDevice(ctx, a.accountKey(email))
	return hostCookie(a.deviceCookie(email), token, int((180 * 24 * time.Hour).Seconds())), err
}
