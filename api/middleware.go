package api

import (
	"context"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"onward"
)

type contextKey int

const (
	actorKey contextKey = iota
	requestIDKey
)

// actorFrom is who sent the request. Without one it is the zero Actor, which may do nothing.
func actorFrom(ctx context.Context) onward.Actor {
	actor, _ := ctx.Value(actorKey).(onward.Actor)
	return actor
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// identify gives every request an id, takes over a well-formed one of the caller, and bounds the time it may take.
func (a *API) identify(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if !requestIDPattern.MatchString(id) {
		id = onward.NewID().String()
	}
	c.Header("X-Request-Id", id)
	ctx, cancel := context.WithTimeout(context.WithValue(c.Request.Context(), requestIDKey, id), maxWait+requestLimit)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// observe measures and logs each request: method, route, status, duration, size; no paths with ids, queries or bodies.
func (a *API) observe(registry *prometheus.Registry) gin.HandlerFunc {
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "onward_http_request_seconds", Help: "How long requests take, by method, route and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30},
	}, []string{"method", "route", "status"})
	if registry != nil {
		registry.MustRegister(durations)
	}
	return func(c *gin.Context) {
		started := time.Now()
		c.Next()
		route, elapsed := c.FullPath(), time.Since(started)
		if route == "" {
			route = "none"
		}
		status := c.Writer.Status()
		durations.WithLabelValues(c.Request.Method, route, strconv.Itoa(status)).Observe(elapsed.Seconds())
		a.log.Info("request", "id", c.Request.Context().Value(requestIDKey), "method", c.Request.Method, "route", route,
			"status", status, "ms", elapsed.Milliseconds(), "bytes", c.Writer.Size())
	}
}

// recoverPanic turns a panic into a 500 and logs where it came from, not what it held.
func (a *API) recoverPanic(c *gin.Context) {
	defer func() {
		if recovered := recover(); recovered != nil {
			a.log.Error("panic", "id", c.Request.Context().Value(requestIDKey), "route", c.FullPath(), "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				plainProblem(http.StatusInternalServerError, "something went wrong here; try again, and if it stays so name the request_id to your administrator")(c)
			}
			c.Abort()
		}
	}()
	c.Next()
}

// secure sets the headers that keep a browser from doing anything with an answer but show it.
func secure(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
	c.Next()
}

func plainProblem(status int, detail string) gin.HandlerFunc {
	return func(c *gin.Context) {
		id, _ := c.Request.Context().Value(requestIDKey).(string)
		code := codeOf(status)
		writeProblem(c.Writer, &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, RequestID: id})
	}
}

// authenticate finds the actor behind the bearer token. Operations that declare no security are open.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	if security := ctx.Operation().Security; security != nil && len(security) == 0 {
		next(ctx)
		return
	}
	scheme, secret, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || secret == "" {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="onward"`)
		a.refuse(ctx, onward.Errorf(onward.EUnauthenticated, "send an API token in the header Authorization: Bearer …; 'onward token create' makes one"))
		return
	}
	actor, err := a.store.Authenticate(ctx.Context(), strings.TrimSpace(secret))
	if err != nil {
		if onward.CodeOf(err) == onward.EUnauthenticated {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="onward", error="invalid_token"`)
		}
		a.refuse(ctx, err)
		return
	}
	next(huma.WithValue(ctx, actorKey, actor))
}

func (a *API) refuse(ctx huma.Context, err error) {
	p, _ := a.fail(ctx.Context(), err).(*Problem)
	ctx.SetStatus(p.Status)
	ctx.SetHeader("Content-Type", "application/problem+json")
	_ = a.huma.Marshal(ctx.BodyWriter(), "application/json", p)
}

// fail is the one place where errors become problems. Defects are logged here with their cause.
func (a *API) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	p, _ := problem(err).(*Problem)
	p.RequestID, _ = ctx.Value(requestIDKey).(string)
	if p.Status >= http.StatusInternalServerError {
		a.log.Error("request failed", "id", p.RequestID, "code", string(p.Code), "error", err)
	}
	return p
}
