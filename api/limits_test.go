package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/api"
)

// lasting reads until the server ends the connection.
func lasting(t *testing.T, address, text string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	answered, _ := io.ReadAll(connection)
	return string(answered)
}

func TestASlowClientDoesNotHoldTheServer(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	slow := httptest.NewUnstartedServer(nil)
	slow.Config = api.NewServer(s.server.Config.Handler, slog.New(slog.DiscardHandler))
	slow.Config.ReadHeaderTimeout = 300 * time.Millisecond
	slow.Start()
	defer slow.Close()
	address := slow.Listener.Addr().String()
	started := time.Now()
	lasting(t, address, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ") // and never goes on
	if time.Since(started) > 20*time.Second {
		t.Error("headers that never end hold the connection")
	}
}

func TestALongPollOutlivesTheReadTimeOut(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	request := s.request(s.register(bricklayer("ana")).ID)
	short := httptest.NewUnstartedServer(nil)
	short.Config = api.NewServer(s.server.Config.Handler, slog.New(slog.DiscardHandler))
	short.Config.ReadTimeout, short.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	short.Start()
	defer short.Close()

	url := short.URL + "/v1/referral-requests/" + request.ID.String() + "?wait=1s"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.counsellor)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("the wait was cut: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"queued"`) {
		t.Errorf("%d %s %v", response.StatusCode, body, err)
	}
}

func TestShutdownAnswersThoseWhoWaitAtOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	request := s.request(s.register(bricklayer("ana")).ID)
	path := "/v1/referral-requests/" + request.ID.String()
	type result struct {
		status int
		body   string
		err    error
	}
	results := make(chan result, 2)
	begun := make(chan struct{}, 2)
	for _, wait := range []string{path + "?wait=60s", path + "/events"} {
		go func() {
			connection, err := net.Dial("tcp", s.server.Listener.Addr().String())
			if err != nil {
				results <- result{err: err}
				return
			}
			defer func() { _ = connection.Close() }()
			_, err = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", wait, s.counsellor)
			begun <- struct{}{}
			if err != nil {
				results <- result{err: err}
				return
			}
			response, err := http.ReadResponse(bufio.NewReader(connection), nil) //nolint:bodyclose // the connection is closed
			if err != nil {
				results <- result{err: err}
				return
			}
			body, err := io.ReadAll(response.Body)
			results <- result{response.StatusCode, string(body), err}
		}()
	}
	<-begun
	<-begun
	time.Sleep(500 * time.Millisecond) // until both wait; if they don't yet, they are refused and the test fails
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	started := time.Now()
	if err := s.server.Config.Shutdown(ctx); err != nil {
		t.Fatalf("shutdown after %s: %v", time.Since(started), err)
	}
	for range 2 {
		r := <-results
		if r.err != nil || r.status != http.StatusOK || !strings.Contains(r.body, `"status":"queued"`) {
			t.Errorf("cut instead of answered: %+v", r)
		}
	}
}

func TestShutdownFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	connection, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	body := opening(`,"external_id":"late"`)
	// Half of the body is there when the shutdown begins.
	_, err = fmt.Fprintf(connection, "POST /v1/opportunities HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		s.poster, len(body), body[:20])
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	done := make(chan error, 1)
	go func() { done <- s.server.Config.Shutdown(context.WithoutCancel(t.Context())) }()
	time.Sleep(200 * time.Millisecond)
	if _, err := io.WriteString(connection, body[20:]); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("a running request was not finished: %v %v", response, err)
	}
	_ = response.Body.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAClientThatGivesUpLeavesNoErrorInTheLog(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	request := s.request(s.register(bricklayer("ana")).ID)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/v1/referral-requests/"+request.ID.String()+"?wait=30s", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.counsellor)
	if response, err := http.DefaultClient.Do(r); err == nil {
		_ = response.Body.Close()
		t.Fatal("answered")
	}
	eventually(t, "the request in the log", func() bool { return strings.Contains(s.log.String(), `"route":"/v1/referral-requests/:id"`) })
	if log := s.log.String(); strings.Contains(log, `"ERROR"`) {
		t.Errorf("someone who hung up is no error of ours: %s", log)
	}
	if got := s.get(s.counsellor, "/v1/referral-requests/"+request.ID.String()); decode[onward.ReferralRequest](got).Status != onward.RequestQueued {
		t.Error("the request should still be queued")
	}
}
