package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"onward"
)

type contextKey int

const (
	actorKey contextKey = iota
	requestIDKey
	stoppingKey
	clientKey
)

// actorFrom is who sent the request. Without one it is the zero Actor, which may do nothing.
func actorFrom(ctx context.Context) onward.Actor {
	actor, _ := ctx.Value(actorKey).(onward.Actor)
	return actor
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// identify gives every request an id, or takes over a well-formed one of the caller.
func identify(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if !requestIDPattern.MatchString(id) {
		id = onward.NewID().String()
	}
	c.Header("X-Request-Id", id)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestIDKey, id))
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
		defer func() { // also when an answer is cut off
			route, method, status, elapsed := c.FullPath(), c.Request.Method, c.Writer.Status(), time.Since(started)
			if route == "" {
				route, method = "none", "any" // what a client makes up must not make new series
			}
			durations.WithLabelValues(method, route, strconv.Itoa(status)).Observe(elapsed.Seconds())
			a.log.Info("request", "id", requestID(c.Request.Context()), "method", method, "route", route,
				"status", status, "ms", elapsed.Milliseconds(), "bytes", max(0, c.Writer.Size()))
		}()
		c.Next()
	}
}

// recoverPanic turns a panic into a 500 and logs where it came from, not what it held. An answer that has begun is cut
// off, so that no one takes a part for the whole.
func (a *API) recoverPanic(c *gin.Context) {
	defer func() {
		if recover() == nil {
			return
		}
		a.log.Error("panic", "id", requestID(c.Request.Context()), "route", c.FullPath(), "stack", string(debug.Stack()))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler)
		}
		plainProblem(http.StatusInternalServerError, defect)(c)
	}()
	c.Next()
}

// secure keeps a browser from doing anything with an answer but show it.
func secure(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains") // browsers heed it over TLS alone
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
	if len(c.Request.TransferEncoding) > 0 {
		// Should a proxy have gone by a length that was sent as well, what follows would be no request of its own.
		h.Set("Connection", "close")
	}
	c.Request.Header.Del("Accept") // there is one form of answer, whatever is asked for
	c.Next()
}

// plainBody refuses packed bodies: a few bytes could unpack to more than any limit.
func plainBody(c *gin.Context) {
	if encoding := c.GetHeader("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		plainProblem(http.StatusUnsupportedMediaType, "packed bodies are not taken; send it as it is, without Content-Encoding")(c)
		return
	}
	c.Next()
}

func plainProblem(status int, detail string) gin.HandlerFunc {
	return func(c *gin.Context) { abort(c, newProblemOf(status, detail)) }
}

// abort answers with a problem before huma has the request.
func abort(c *gin.Context, p *Problem) {
	p.RequestID = requestID(c.Request.Context())
	writeProblem(c.Writer, p)
	c.Abort()
}

// checkQuery refuses what url.Query would silently drop or cut: broken escapes, and a parameter given twice.
func checkQuery(c *gin.Context) {
	values, err := url.ParseQuery(c.Request.URL.RawQuery)
	p := newProblemOf(http.StatusBadRequest, "the query can't be read; see errors")
	if err != nil {
		p.add(ProblemField{Location: "query", Rule: "syntax", Message: "write the query as name=value&name=value, with special characters as %XX"})
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		field := ProblemField{Location: safeLocation("query." + name)}
		switch list := values[name]; {
		case len(list) > 1:
			field.Rule, field.Message = "repeated", "give this once; where a list is taken, put commas between the values"
		case !utf8.ValidString(name + list[0]):
			field.Rule, field.Message = "utf8", "send text as UTF-8"
		case strings.ContainsFunc(list[0], unicode.IsControl):
			field.Rule, field.Message = "characters", "remove control characters"
		default:
			continue
		}
		p.add(field)
	}
	if len(p.Errors) > 0 {
		abort(c, p)
		return
	}
	c.Next()
}

// checkEmpty refuses a parameter that is named and has no value, where its form does not allow that. huma would leave it out, and a filter
// whose value got lost would show everything.
func checkEmpty(ctx huma.Context, next func(huma.Context)) {
	query := ctx.URL()
	values, headers := query.Query(), humagin.Unwrap(ctx).Request.Header
	p := newProblemOf(http.StatusUnprocessableEntity, doesNotFit)
	for _, parameter := range ctx.Operation().Parameters {
		var given []string
		switch parameter.In {
		case "query":
			given = values[parameter.Name]
		case "header":
			given = headers.Values(parameter.Name)
		}
		if len(given) > 0 && given[0] == "" && !mayBeEmpty(parameter.Schema) {
			p.add(ProblemField{Location: parameter.In + "." + parameter.Name, Rule: "empty", Message: "give this a value, or leave it out"})
		}
	}
	if len(p.Errors) > 0 {
		abort(humagin.Unwrap(ctx), p)
		return
	}
	next(ctx)
}

// mayBeEmpty says whether a text without characters has the form.
func mayBeEmpty(s *huma.Schema) bool {
	return s.Type == huma.TypeString && len(s.Enum) == 0 && (s.Pattern == "" || s.Pattern == noControls) && (s.MinLength == nil || *s.MinLength == 0)
}

// authenticate finds the actor behind the bearer token, or behind the cookie of a session. Operations that declare no security are open.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if isOpen(op) {
		if !isProbe(op) && !a.stranger(ctx) {
			return
		}
		if areaOf(op) == areaSignIn {
			var err error
			if !a.sameOrigin(ctx) {
				return
			}
			if ctx, err = a.withClient(ctx); err != nil {
				a.refuse(ctx, err)
				return
			}
		}
		next(ctx)
		return
	}
	ctx, actor, ok := a.actorOf(ctx)
	if !ok {
		return
	}
	if !onward.MayCall(op.OperationID, actor.Role) {
		a.refuse(ctx, onward.Errorf(onward.EForbidden, "this is not for your role; 'onward access-matrix' says for whom it is"))
		return
	}
	actor.RequestID, actor.From, actor.Why = requestID(ctx.Context()), addressOf(ctx), reasonOf(ctx)
	next(huma.WithValue(ctx, actorKey, actor))
}

// actorOf is who asks. It says false when it has answered.
func (a *API) actorOf(ctx huma.Context) (huma.Context, onward.Actor, bool) {
	if ctx.Header("Authorization") == "" {
		if _, err := humagin.Unwrap(ctx).Request.Cookie(sessionCookie); err == nil {
			return a.bySession(ctx)
		}
	}
	actor, ok := a.byToken(ctx)
	return ctx, actor, ok
}

// byToken is who the bearer token stands for. It says false when it has answered.
func (a *API) byToken(ctx huma.Context) (actor onward.Actor, ok bool) {
	scheme, secret, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || secret == "" {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="onward"`)
		a.refuse(ctx, onward.Errorf(onward.EUnauthenticated, "sign in (POST /v1/sign-in), or send an API token in the header Authorization: Bearer …; 'onward token create' makes one"))
		return actor, false
	}
	actor, err := a.store.Authenticate(ctx.Context(), strings.TrimSpace(secret))
	if err != nil {
		if onward.CodeOf(err) == onward.EUnauthenticated {
			if !a.stranger(ctx) {
				return actor, false
			}
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="onward", error="invalid_token"`)
		}
		a.refuse(ctx, err)
		return actor, false
	}
	if !a.caller(ctx, actor) {
		return actor, false
	}
	if !takesTokens(ctx.Operation()) {
		a.refuse(ctx, onward.Errorf(onward.EForbidden, "API tokens can't do this; sign in: POST /v1/sign-in"))
		return actor, false
	}
	if area := areaOf(ctx.Operation()); !onward.ScopesAllow(actor.Scopes, area, ctx.Method() != http.MethodGet) {
		a.refuse(ctx, onward.Errorf(onward.EForbidden, "this token is not for %s; use one that has it among its scopes", area))
		return actor, false
	}
	return actor, true
}

// areaSignIn is the area whose open operations begin sessions.
const areaSignIn = "sign-in"

// areaOf is the part of the API that an operation is of, as scopes of tokens name it.
func areaOf(op *huma.Operation) string {
	if len(op.Tags) == 0 {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(op.Tags[0]), " ", "-")
}

// mostReason is how much of a reason the audit keeps.
const mostReason = 200

// reasonOf is why somebody reads or changes something, for the audit.
func reasonOf(ctx huma.Context) string { return plainReason(ctx.Header("Onward-Reason")) }

// plainReason leaves out what is no text, and what is too much.
func plainReason(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > mostReason {
		text = string(runes[:mostReason])
	}
	return text
}

func (a *API) refuse(ctx huma.Context, err error) {
	p := a.fail(ctx.Context(), err)
	writeProblem(humagin.Unwrap(ctx).Writer, p)
}

// fail is the one place where errors become problems. Defects are logged here with their cause.
func (a *API) fail(ctx context.Context, err error) *Problem {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil { // no one is there to read it
		err = onward.Errorf(onward.EUnavailable, "the request was given up; ask again").Because(err)
	}
	p := problem(err)
	p.RequestID = requestID(ctx)
	if p.Status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		a.log.Error("request failed", "id", p.RequestID, "code", string(p.Code), "error", err)
	}
	return p
}
