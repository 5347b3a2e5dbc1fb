package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/demo"
	"onward/cmd/onward/internal/engine"
	"onward/matcher/skills"
)

type demoFlags struct {
	once, asJSON  bool
	port          int
	elasticsearch string
	language      string
}

const demoPort = 8080

func newDemo(o *options) *cobra.Command {
	f := &demoFlags{}
	c := &cobra.Command{
		Use: "demo", Short: "Start everything with a fictional caseload and rank referrals for one returnee through the API", Args: cobra.NoArgs,
		Long: "Starts Postgres as a child process, Redis and the index in this process, loads a fictional caseload in Mexico, asks its own HTTP API " +
			"for referrals for one returnee, prints the ranked list, and serves until Ctrl-C. Nothing needs to be installed.",
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), o, f, c.Flags().Changed("port")) },
	}
	c.Flags().BoolVar(&f.once, "once", false, "end after the list")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the list as JSON")
	c.Flags().IntVar(&f.port, "port", demoPort, "port to serve on, on 127.0.0.1; 0: a free one")
	c.Flags().StringVar(&f.elasticsearch, "elasticsearch", "", "rank with a real Elasticsearch: its URL, or auto to start the development node (needs java and mvn)")
	c.Flags().StringVar(&f.language, "language", "en", "language of the list: en or es")
	return c
}

func runDemo(ctx context.Context, o *options, f *demoFlags, portGiven bool) error {
	listener, err := listenDemo(ctx, f.port, portGiven)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	config, err := o.config(slog.LevelError)
	if err != nil {
		return err
	}
	// The demonstration never touches real servers: its people are made up.
	config.DatabaseURL, config.OwnerURL, config.RedisURL, config.ElasticsearchURL = "", "", "", f.elasticsearch
	config.API, config.Workers = true, true
	if o.data == "" { // one directory for each port, so that two demonstrations run at once
		name := "demo"
		if tcp, ok := listener.Addr().(*net.TCPAddr); ok && tcp.Port != demoPort && f.port != 0 {
			name += "-" + strconv.Itoa(tcp.Port)
		}
		config.DataDir = filepath.Join(config.DataDir, name)
	}
	progress := func(text string) { fmt.Fprintln(os.Stderr, "·", text) }
	config.Progress = progress
	started := time.Now()
	e, err := engine.Start(ctx, config)
	if err != nil {
		return err
	}
	defer stopEngine(ctx, e)
	loadBar := bar(1, "Loading the fictional caseload", false)
	people, err := loadCaseload(ctx, e.Store, func(done, total int) {
		loadBar.ChangeMax(total)
		_ = loadBar.Set(done)
	})
	if err != nil {
		return err
	}
	_ = loadBar.Finish()

	serving := make(chan error, 1)
	serveCtx, stopServing := context.WithCancel(ctx)
	defer stopServing()
	go func() { serving <- serve(serveCtx, listener, e.Handler, config.Logger) }()
	base := "http://" + listener.Addr().String()
	request, raw, err := requestReferrals(ctx, base, people, f.language)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "· The list was ready %.1f s after the start\n", time.Since(started).Seconds())
	if err := f.print(e.Catalogue.Current().Taxonomy(), request, raw, people); err != nil {
		return err
	}
	if !f.once {
		if !f.asJSON {
			printAccess(base, people)
		}
		select {
		case <-ctx.Done():
		case err := <-serving:
			return err
		}
	}
	stopServing()
	return <-serving
}

// listenDemo takes the port asked for; without one, the usual port or the next that is free.
func listenDemo(ctx context.Context, port int, given bool) (net.Listener, error) {
	var config net.ListenConfig
	for try := port; ; try++ {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(try)))
		if err == nil {
			return listener, nil
		}
		if given || try == port+20 {
			return nil, fmt.Errorf("port %d is taken; choose another with --port: %w", try, err)
		}
	}
}

// requestReferrals does the main job as a client would: it posts the request and waits for the list.
func requestReferrals(ctx context.Context, base string, people caseload, language string) (onward.ReferralRequest, []byte, error) {
	client := &client{base: base, token: people.CounsellorToken}
	var request onward.ReferralRequest
	if _, err := client.do(ctx, http.MethodPost, "/v1/returnees/"+people.Spotlight.ID.String()+"/referral-requests", []byte(`{"language": "`+language+`"}`), &request); err != nil {
		return request, nil, err
	}
	for request.Status == onward.RequestQueued {
		raw, err := client.do(ctx, http.MethodGet, "/v1/referral-requests/"+request.ID.String()+"?wait=30s", nil, &request)
		if err != nil || request.Status != onward.RequestQueued {
			return request, raw, err
		}
	}
	return request, nil, errors.New("the request was answered before it was asked")
}

// client speaks to the API.
type client struct{ base, token string }

func (c *client) do(ctx context.Context, method, path string, body []byte, result any) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, raw)
	}
	return raw, json.Unmarshal(raw, result)
}

func (f *demoFlags) print(reference *skills.Taxonomy, request onward.ReferralRequest, raw []byte, people caseload) error {
	if f.asJSON {
		_, err := fmt.Println(string(bytes.TrimSpace(raw)))
		return err
	}
	return demo.PrintList(os.Stdout, demo.ListView{
		Request: request, Person: people.Spotlight, Language: f.language, Fictional: true,
		Label: func(id string) string { return reference.Label(id, f.language) },
	})
}

func printAccess(base string, people caseload) {
	fmt.Printf(`
Serving %[1]s until Ctrl-C. Everyone and everything in it is fictional.
  API in a page      %[1]s/docs        (OpenAPI: %[1]s/openapi.json)
  State of the parts %[1]s/readyz

Tokens (valid for a week):
  counsellor  %[2]s
  employer    %[3]s
  partner     %[4]s

Ask again yourself:
  TOKEN=%[2]s
  curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"limit": 5}' \
    %[1]s/v1/returnees/%[5]s/referral-requests
  curl -s -H "Authorization: Bearer $TOKEN" '%[1]s/v1/referral-requests/ID-FROM-ABOVE?wait=10s'
`, base, people.CounsellorToken, people.EmployerToken, people.PartnerToken, people.Spotlight.ID)
}
