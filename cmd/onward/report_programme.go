package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/matcher/outcomes"
	"onward/store"
)

func newReportProgramme(o *options) *cobra.Command {
	var slug, by string
	var asJSON bool
	c := &cobra.Command{
		Use: "programme", Short: "What became of the referrals, by quarter and kind or by region", Args: cobra.NoArgs,
		Long: "Counts from 1 to 4 are withheld (shown as ·), with as many others as it takes so that they can't be worked out. Columns that are\n" +
			"small in all are shown together, as combined. Counted once a month, when there is something to show.",
		Example: "  onward report programme --organisation casa-del-retorno --by region",
		RunE: func(c *cobra.Command, _ []string) error {
			if by != "kind" && by != "region" {
				return onward.Errorf(onward.EInvalid, "--by takes kind or region")
			}
			return o.withOrganisation(c.Context(), slug, func(e *engine.Engine, organisation onward.ID) error {
				figures, err := e.Store.Figures(c.Context(), onward.System(), organisation, outcomes.Publish)
				if err != nil {
					return err
				}
				f := figures.Programme(by)
				if asJSON {
					return json.NewEncoder(os.Stdout).Encode(f)
				}
				writeProgramme(f)
				return nil
			})
		},
	}
	c.Flags().StringVar(&slug, "organisation", "", "only the referrals of this agency (short name)")
	c.Flags().StringVar(&by, "by", "kind", "kind (and quarter) or region")
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return c
}

func writeProgramme(f onward.ProgrammeFigures) {
	if f.Total.Sent == nil {
		fmt.Println("There are too few referrals to show anything of them.")
		return
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "quarter\t"+f.By+"\tsent\twaiting\trefused\tdropped\tplaced\tlasting\tmoved on\tended early\tother end\tlost\t")
	if len(f.Combined) > 0 {
		fmt.Fprint(w, "combined\t")
	}
	fmt.Fprintln(w)
	f.Total.Of = "all"
	for _, l := range append(f.Lines, f.Total) {
		fmt.Fprintf(w, "%s\t%s\t", l.Quarter, l.Of)
		counts := []*int{l.Sent, l.Waiting, l.Refused, l.Dropped, l.Placed, l.Lasting, l.MovedOn, l.Early, l.Other, l.Lost}
		if len(f.Combined) > 0 {
			counts = append(counts, l.Combined)
		}
		for _, n := range counts {
			cell := "·"
			if n != nil {
				cell = strconv.Itoa(*n)
			}
			fmt.Fprintf(w, "%s\t", cell)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	if len(f.Combined) > 0 {
		fmt.Printf("combined: %s, which are too small to be shown one by one\n", strings.ReplaceAll(strings.Join(f.Combined, ", "), "_", " "))
	}
	for _, t := range f.Times {
		fmt.Printf("%s to %s: half within %.1f days, three in four within %.1f\n", t.From, t.To, t.Median, t.Upper)
	}
	fmt.Printf("counted on %s, until the month is over\n", onward.DateOf(f.CountedAt))
}

func newReportRetention(o *options) *cobra.Command {
	var slug string
	var asJSON bool
	c := &cobra.Command{
		Use: "retention", Short: "How long placements last, and how many are lost to follow-up", Args: cobra.NoArgs,
		Long: "Kaplan-Meier estimates with 95 % bands. Whoever moved on with a job or is lost to follow-up counts neither way from then on;\n" +
			"how many they are stands beside. Rounded at random to steps of five people; nothing of fewer than twenty placements. Counted once a month.",
		RunE: func(c *cobra.Command, _ []string) error {
			return o.withOrganisation(c.Context(), slug, func(e *engine.Engine, organisation onward.ID) error {
				figures, err := e.Store.Figures(c.Context(), onward.System(), organisation, outcomes.Publish)
				if err != nil {
					return err
				}
				list := figures.Retention
				if asJSON {
					return json.NewEncoder(os.Stdout).Encode(list)
				}
				if len(list) == 0 {
					fmt.Println("There are too few placements to show anything of them.")
					return nil
				}
				table(func(w *tabwriter.Writer) {
					fmt.Fprintln(w, "kind\tdays\tfollowed\tstill there\t95 % band\tlost to follow-up\tmoved on")
					for _, f := range list {
						of := f.Of
						if of == "" {
							of = "all"
						}
						for _, p := range f.Points {
							fmt.Fprintf(w, "%s\t%d\t%d\t%.0f %%\t%.0f to %.0f %%\t%.0f %%\t%.0f %%\n", of, p.Day, p.AtRisk, 100*p.Retained, 100*p.Low, 100*p.High, 100*p.Lost, 100*p.MovedOn)
						}
					}
				})
				return nil
			})
		},
	}
	c.Flags().StringVar(&slug, "organisation", "", "only the placements of this agency (short name)")
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return c
}

// withOrganisation runs fn with the id of an organisation, zero for no short name.
func (o *options) withOrganisation(ctx context.Context, slug string, fn func(*engine.Engine, onward.ID) error) error {
	return o.withDatabase(ctx, func(e *engine.Engine) error {
		var organisation onward.ID
		if slug != "" {
			err := e.Store.InTx(ctx, onward.System(), func(tx *store.Tx) error {
				g, err := tx.OrganisationBySlug(ctx, slug)
				organisation = g.ID
				return err
			})
			if err != nil {
				return err
			}
		}
		return fn(e, organisation)
	})
}
