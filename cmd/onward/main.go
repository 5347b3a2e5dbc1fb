// Command onward runs and looks after Onward.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/internal/embedded"
)

func main() {
	if embedded.RunKeeper() {
		return
	}
	if os.Getenv("GOGC") == "" {
		// The index makes up most of the heap and hardly changes: looking through it half as often saves a tenth of the
		// time of a request, for memory that is within the aim (docs/benchmarks.md).
		debug.SetGCPercent(200)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "onward:", explain(err))
		os.Exit(1)
	}
}

// explain says what to do about an error: the message of the domain and each bad field, else the error as it is.
func explain(err error) string {
	var domain *onward.Error
	if !errors.As(err, &domain) {
		return err.Error()
	}
	text := domain.Message
	for _, f := range domain.Fields {
		text += "\n  " + f.Field + ": " + f.Message
	}
	if domain.Err != nil {
		text += " (" + domain.Err.Error() + ")"
	}
	return text
}

// options are the flags that all commands share.
type options struct {
	data      string
	logLevel  string
	logFormat string
}

func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:           "onward",
		Short:         "Links people who return to their country after migration with opportunities there",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.PersistentFlags().StringVar(&o.data, "data", "", "directory of embedded servers (default: onward below the user's data directory)")
	root.PersistentFlags().StringVar(&o.logLevel, "log-level", "", "debug, info, warn or error (default: info for serve and worker, warn otherwise)")
	root.PersistentFlags().StringVar(&o.logFormat, "log-format", "json", "json or text")
	root.AddCommand(
		newServe(o), newWorker(o), newMigrate(o), newOrganisation(o), newUser(o), newToken(o), newImport(o), newDemo(o),
		newDoctor(o), newReplay(o), newFit(o), newSimulate(), newOpenAPI(), newBench(o), newEvaluate(o), newReport(o), newKeys(o), newAudit(o), newAccessMatrix(), newRetention(o), newModelCard(o),
		newBackup(o), newRestore(o),
	)
	return root
}

// config reads the environment and the shared flags.
func (o *options) config(defaultLevel slog.Level) (engine.Config, error) {
	config, err := engine.FromEnvironment()
	if err != nil {
		return config, err
	}
	if o.data != "" {
		config.DataDir = o.data
	}
	config.Logger, err = o.logger(defaultLevel)
	return config, err
}

func (o *options) logger(level slog.Level) (*slog.Logger, error) {
	if o.logLevel != "" {
		if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
			return nil, errors.New("--log-level: use debug, info, warn or error")
		}
	}
	handler := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, handler)), nil
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, handler)), nil
	}
	return nil, errors.New("--log-format: use json or text")
}

// withDatabase runs a command that needs the database alone.
func (o *options) withDatabase(ctx context.Context, run func(*engine.Engine) error) error {
	return o.with(ctx, engine.OpenDatabase, run)
}

// withReference runs a command that needs the database and the reference data.
func (o *options) withReference(ctx context.Context, run func(*engine.Engine) error) error {
	return o.with(ctx, engine.OpenReference, run)
}

func (o *options) with(ctx context.Context, open func(context.Context, engine.Config) (*engine.Engine, error), run func(*engine.Engine) error) error {
	config, err := o.config(slog.LevelWarn)
	if err != nil {
		return err
	}
	config.Progress = func(text string) { fmt.Fprintln(os.Stderr, text) }
	e, err := open(ctx, config)
	if err != nil {
		return err
	}
	defer stopEngine(ctx, e)
	return run(e)
}
