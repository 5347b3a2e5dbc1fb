package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"onward/api"
	"onward/cmd/onward/internal/engine"
)

// stopLimit is how long a stop may take: running requests and tasks finish, servers of our own shut down cleanly.
const stopLimit = 30 * time.Second

func newServe(o *options) *cobra.Command {
	var addr string
	var withWorkers bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API, with workers in the same process unless --workers=false",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := o.config(slog.LevelInfo)
			if err != nil {
				return err
			}
			config.API, config.Workers = true, withWorkers
			if !withWorkers && (config.DatabaseURL == "" || config.RedisURL == "") {
				return errors.New("--workers=false needs DATABASE_URL and REDIS_URL: workers of another process can't reach embedded servers")
			}
			config.Progress = func(text string) { config.Logger.Info(text) }
			e, err := engine.Start(c.Context(), config)
			if err != nil {
				return err
			}
			defer stopEngine(c.Context(), e)
			return listen(c.Context(), addr, e, config.Logger)
		},
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on")
	c.Flags().BoolVar(&withWorkers, "workers", true, "run the workers here as well")
	return c
}

func newWorker(o *options) *cobra.Command {
	var concurrency int
	c := &cobra.Command{
		Use:   "worker",
		Short: "Run workers alone; needs DATABASE_URL and REDIS_URL",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := o.config(slog.LevelInfo)
			if err != nil {
				return err
			}
			if config.DatabaseURL == "" || config.RedisURL == "" {
				return errors.New("set DATABASE_URL and REDIS_URL: a worker alone shares both with 'onward serve'")
			}
			config.Workers, config.Concurrency = true, concurrency
			e, err := engine.Start(c.Context(), config)
			if err != nil {
				return err
			}
			config.Logger.Info("working")
			<-c.Context().Done()
			stopEngine(c.Context(), e)
			return nil
		},
	}
	c.Flags().IntVar(&concurrency, "concurrency", 8, "tasks at once")
	return c
}

// listen serves until ctx ends, then finishes the requests that are running.
func listen(ctx context.Context, addr string, e *engine.Engine, log *slog.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s (choose another with --addr): %w", addr, err)
	}
	log.Info("serving", "address", "http://"+listener.Addr().String())
	return serve(ctx, listener, e.Handler, log)
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := api.NewServer(handler, log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		return fmt.Errorf("finish running requests: %w", err)
	}
	return nil
}

func stopEngine(ctx context.Context, e *engine.Engine) {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := e.Stop(stopping); err != nil {
		fmt.Fprintln(os.Stderr, "onward: stopping:", err)
	}
}
