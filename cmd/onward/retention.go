package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
)

func newRetention(o *options) *cobra.Command {
	dryRun, asJSON := true, false
	c := &cobra.Command{
		Use: "retention", Short: "Print for how long each kind of record is kept, and what is due now", Args: cobra.NoArgs,
		Long: "Workers let go what is due every hour. --dry-run=false does it at once. Nobody is erased whose counsellor was not told thirty days before,\n" +
			"and nothing goes that a legal hold keeps.",
		RunE: func(c *cobra.Command, _ []string) error {
			return o.withDatabase(c.Context(), func(e *engine.Engine) error {
				counts, err := e.Store.RetentionCounts(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					err = json.NewEncoder(os.Stdout).Encode(counts)
				} else {
					printRetention(counts)
				}
				if err != nil || dryRun {
					return err
				}
				gone, err := retainNow(c.Context(), e)
				fmt.Fprintf(os.Stderr, "%d records went\n", gone)
				return err
			})
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", true, "only print; with false, let go what is due")
	c.Flags().BoolVar(&asJSON, "json", false, "print what is due as JSON")
	return c
}

// retainNow does what workers do every hour.
func retainNow(ctx context.Context, e *engine.Engine) (total int, err error) {
	for i, turn := range []func(context.Context) (int, error){e.Store.AnnounceRetention, e.Store.CarryOutErasures, e.Store.Retain} {
		for n := 1; n > 0; {
			if n, err = turn(ctx); err != nil {
				return total, err
			}
			if i > 0 { // an announcement takes nothing away
				total += n
			}
		}
	}
	return total, nil
}

func printRetention(counts []onward.RetentionCount) {
	table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "kind\tdays\tfrom\tto\tis\tafter")
		for _, r := range onward.RetentionRules() {
			if r.Does == onward.RetentionKeeps {
				fmt.Fprintf(w, "%s\talways\t\t\t%s\t%s\n", r.Kind, r.Does, r.Why)
				continue
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\n", r.Kind, r.Default, r.Least, r.Most, r.Does, r.After)
		}
	})
	fmt.Println()
	table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "organisation\tkind\tdays\tdue\theld")
		for _, n := range counts {
			if n.Due > 0 {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", n.OrganisationID, n.Kind, n.Days, n.Due, n.Held)
			}
		}
	})
}
