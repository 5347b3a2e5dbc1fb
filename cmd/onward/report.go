package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
)

func newReport(o *options) *cobra.Command {
	c := &cobra.Command{Use: "report", Short: "Figures for those who run a programme"}
	c.AddCommand(newReportDisagreement(o), newReportProgramme(o), newReportRetention(o), newReportParity(o))
	return c
}

func newReportDisagreement(o *options) *cobra.Command {
	var slug, since string
	var asJSON bool
	c := &cobra.Command{
		Use: "disagreement", Short: "Where counsellors choose otherwise than lists, and which factor they distrust", Args: cobra.NoArgs,
		Long: "Reads every referral with how its list had it beside the first of the list. The score is fit x reach x terms: how much of what\n" +
			"spoke for the first came from a factor is how far counsellors did not believe that factor when they chose something else.",
		Example: "  onward report disagreement --organisation casa-del-retorno --since 2026-01-01",
		RunE: func(c *cobra.Command, _ []string) error {
			var from onward.Date
			if since != "" {
				if err := from.UnmarshalText([]byte(since)); err != nil {
					return onward.Errorf(onward.EInvalid, "--since takes a day, such as 2026-01-31")
				}
			}
			return o.withOrganisation(c.Context(), slug, func(e *engine.Engine, organisation onward.ID) error {
				choices, err := e.Store.Choices(c.Context(), organisation, from)
				if err != nil {
					return err
				}
				d := onward.Disagree(choices)
				if asJSON {
					return json.NewEncoder(os.Stdout).Encode(d)
				}
				writeDisagreement(os.Stdout, d)
				return nil
			})
		},
	}
	c.Flags().StringVar(&slug, "organisation", "", "only the referrals of this agency (short name)")
	c.Flags().StringVar(&since, "since", "", "only what was chosen since this day")
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return c
}

func writeDisagreement(out io.Writer, d onward.Disagreement) {
	if d.Referrals == 0 {
		fmt.Fprintln(out, "No one was referred yet.")
		return
	}
	share := func(n int) string { return fmt.Sprintf("%d (%.0f %%)", n, 100*float64(n)/float64(d.Referrals)) }
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Referrals\t%d\n  first on the list\t%s\n  lower on the list\t%s\n  not on the list\t%s\n  likely destination replaced\t%s\n",
		d.Referrals, share(d.First), share(d.Lower), share(d.OffList), share(d.Overridden))
	_ = w.Flush()
	if d.Lower > 0 {
		fmt.Fprintf(out, "\nWhat spoke for the first when something lower was chosen, by factor:\n\n")
		fmt.Fprintf(w, "factor\tshare of it\tmain reason in\tfirst / chosen\n")
		for _, f := range d.Factors {
			fmt.Fprintf(w, "%s\t%.0f %%\t%d\t%.2f\n", f.Factor, 100*f.Share, f.Main, f.Ratio)
		}
		_ = w.Flush()
	}
	if len(d.Reasons) > 0 {
		fmt.Fprintf(out, "\nReasons given:\n\n")
		for _, r := range d.Reasons {
			fmt.Fprintf(w, "%s\t%d\n", r.Reason, r.Count)
		}
		_ = w.Flush()
	}
}
