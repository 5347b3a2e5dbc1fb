package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onward/api"
	"onward/cmd/onward/internal/engine"
)

func newDoctor(o *options) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look at every part and at tasks that failed for good, and say what to do", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := o.config(slog.LevelError)
			if err != nil {
				return err
			}
			e, err := engine.Start(c.Context(), config)
			if err != nil {
				return err
			}
			defer stopEngine(c.Context(), e)
			return examine(c.Context(), e, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func examine(ctx context.Context, e *engine.Engine, asJSON bool) error {
	report := struct {
		Parts    []api.Part            `json:"parts"`
		Archived []engine.ArchivedTask `json:"archived"`
	}{Parts: e.Parts(ctx)}
	var err error
	if report.Archived, err = e.Archived(); err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		table(func(w *tabwriter.Writer) {
			for _, part := range report.Parts {
				mark := "ok"
				if !part.OK {
					mark = "BAD"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", mark, part.Name, part.State)
			}
			for _, t := range report.Archived {
				fmt.Fprintf(w, "BAD\ttask %s %s\tfailed %s: %s\n", t.Kind, t.ID, t.FailedAt.Format("2006-01-02 15:04"), t.Error)
			}
		})
	}
	for _, part := range report.Parts {
		if !part.OK && part.Needed {
			return errors.New("a part that requests need is not well")
		}
	}
	if len(report.Archived) > 0 {
		return errors.New("tasks failed for good; mend the cause, their promises are kept and are dispatched again")
	}
	return nil
}
