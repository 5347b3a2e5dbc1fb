package api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"onward"
)

// hasty serves one operation whose time is over after 300 ms.
func hasty(t *testing.T) string {
	t.Helper()
	setLibraries()
	a := &API{log: slog.New(slog.DiscardHandler), router: gin.New()}
	a.router.Use(identify, a.recoverPanic)
	a.huma = humagin.New(a.router, humaConfig())
	a.huma.UseMiddleware(limitTime)
	type input struct {
		Body struct {
			Name string `json:"name"`
		}
	}
	register(a, huma.Operation{
		OperationID: "wait", Method: http.MethodPost, Path: "/wait", BodyReadTimeout: 300 * time.Millisecond,
	}, func(ctx context.Context, _ *input) (*struct{}, error) {
		select {
		case <-ctx.Done():
			return nil, onward.Errorf(onward.EUnavailable, "it took too long; try again").Because(ctx.Err())
		case <-time.After(20 * time.Second):
			return &struct{}{}, nil
		}
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = NewServer(a.Handler(), a.log)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func exchange(t *testing.T, address, body string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(15 * time.Second))
	const head = "POST /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
	if _, err := io.WriteString(connection, head+body); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection) // the server ends it, not the deadline
	if err != nil {
		t.Errorf("the connection was left hanging: %v", err)
	}
	return string(answer)
}

func TestABodyThatComesDropByDropIsGivenUp(t *testing.T) {
	t.Parallel()
	answer := exchange(t, hasty(t), `{"name`)
	if !strings.HasPrefix(answer, "HTTP/1.1 408 ") || !strings.Contains(answer, `"code":"timeout"`) || !strings.Contains(answer, "request_id") {
		t.Errorf("%s", answer)
	}
}

func TestARequestThatTakesTooLongIsAnsweredAllTheSame(t *testing.T) {
	t.Parallel()
	answer := exchange(t, hasty(t), `{"name":"abcd"}`[:14])
	if !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("a body cut short: %s", answer)
	}
	answer = exchange(t, hasty(t), `{"name":"abc"}`)
	if !strings.HasPrefix(answer, "HTTP/1.1 503 ") || !strings.Contains(answer, `"code":"unavailable"`) {
		t.Errorf("%s", answer)
	}
}
