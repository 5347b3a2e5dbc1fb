package api

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

const (
	// bodyLimit is for one record; bulkLimit for a bulk request, which is read whole.
	bodyLimit = 1 << 20
	bulkLimit = 16 << 20

	// requestLimit ends what takes longer than anyone waits. An operation with another limit has it as BodyReadTimeout.
	requestLimit = 30 * time.Second
	// bulkTime is enough for bulkLimit at 1 Mbit/s.
	bulkTime = 3 * time.Minute
	// answerTime is for sending an answer after the limit.
	answerTime = 10 * time.Second
)

// withLimits bounds the size of the body and the time that the whole request may take.
func withLimits(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = cmp.Or(op.MaxBodyBytes, bodyLimit) + 1 // huma refuses what reaches the limit
	op.BodyReadTimeout = cmp.Or(op.BodyReadTimeout, requestLimit)
	return op
}

// limitTime ends a request when its time is over, whether it is the body that comes drop by drop, the work, or a client
// that does not read. The deadlines of the connection are set as well: they would cut a long poll short otherwise.
func limitTime(ctx huma.Context, next func(huma.Context)) {
	limit := ctx.Operation().BodyReadTimeout
	now := time.Now()
	connection := http.NewResponseController(humagin.Unwrap(ctx).Writer)
	_ = connection.SetReadDeadline(now.Add(limit)) // not every ResponseWriter has deadlines; a recorder of tests has none
	_ = connection.SetWriteDeadline(now.Add(limit + answerTime))
	limited, cancel := context.WithTimeout(ctx.Context(), limit)
	defer cancel()
	next(huma.WithContext(ctx, limited))
}

// NewServer is an http.Server for the API with limits on everything that waits. Shutdown lets running requests finish;
// those that only wait for a list (long polls and events) are answered at once with the present state.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	stopping, stop := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       requestLimit,
		WriteTimeout:      requestLimit + answerTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), stoppingKey, stopping.Done())
		},
	}
	server.RegisterOnShutdown(stop)
	return server
}

// stopping is closed when the server of a request begins to shut down.
func stopping(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(stoppingKey).(<-chan struct{})
	return done
}
