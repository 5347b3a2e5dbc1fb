package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/matcher/outcomes"
)

func newReportParity(o *options) *cobra.Command {
	var slug string
	var asJSON, floor bool
	c := &cobra.Command{
		Use: "parity", Short: "Whether lists and what became of people differ between groups, and what a floor would cost", Args: cobra.NoArgs,
		Long: "By sex, age, disability, forced or voluntary return, and rural or urban origin: best scores of lists and shares of people who were referred, placed and kept, each\n" +
			"beside all others. ! marks what is lower by more than chance (one attribute and measure in twenty without a difference), < what is below four fifths of the\n" +
			"best group. Both say where to look, not why. --floor prints what guaranteeing each group its part of scarce places would cost; nothing applies one.\n" +
			"Counted once a month with the other figures, and protected as they are.",
		Example: "  onward report parity --organisation casa-del-retorno --floor",
		RunE: func(c *cobra.Command, _ []string) error {
			return o.withOrganisation(c.Context(), slug, func(e *engine.Engine, organisation onward.ID) error {
				figures, err := e.Store.Figures(c.Context(), onward.System(), organisation, outcomes.Publish)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(os.Stdout).Encode(figures.Parity)
				}
				writeParity(figures.Parity, floor)
				return nil
			})
		},
	}
	c.Flags().StringVar(&slug, "organisation", "", "only the people of this agency (short name)")
	c.Flags().BoolVar(&floor, "floor", false, "print what a floor would cost as well")
	c.Flags().BoolVar(&asJSON, "json", false, "print all of it as JSON")
	return c
}

func writeParity(f onward.ParityFigures, floor bool) {
	if f.Total.People == nil {
		fmt.Println("There are too few people with a list to show anything of them.")
		return
	}
	table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "attribute\tgroup\tpeople\tmeasure\tshare\t95 %\tall others\tdifference\tto the best\t")
		for _, t := range f.Attributes {
			for _, g := range t.Groups {
				if g.Best != nil {
					fmt.Fprintf(w, "%s\t%s\t%d\tbest score, mean\t%.2f\t%.2f to %.2f\t\t\t\t\n", t.Attribute, g.Group, g.People, g.Best.Mean, g.Best.Low, g.Best.High)
				}
				for _, m := range g.Measures {
					mark := ""
					if m.Alarm {
						mark += "!"
					}
					if m.BelowFourFifth {
						mark += "<"
					}
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%.1f %%\t%.1f to %.1f %%\t%.1f %%\t%+.1f (%+.1f to %+.1f)\t%.2f\t%s\n", t.Attribute, g.Group, g.People, strings.ReplaceAll(m.Measure, "_", " "),
						100*m.Share, 100*m.Low, 100*m.High, 100*m.Others, 100*m.Difference, 100*m.DifferenceLow, 100*m.DifferenceHigh, m.Ratio, mark)
				}
			}
			if t.Note != "" {
				fmt.Fprintf(w, "%s\t%s\t\t\t\t\t\t\t\t\n", t.Attribute, t.Note)
			}
		}
	})
	if floor {
		fmt.Println("\nWhat a floor on each group's part of the places of openings with few would cost; nothing applies one:")
		table(func(w *tabwriter.Writer) {
			fmt.Fprintln(w, "attribute\tfloor\tplaces\tgo to others\tmean score falls by")
			for _, c := range f.Floors {
				fmt.Fprintf(w, "%s\t%.1f\t%d\t%.1f %%\t%.1f %%\n", c.Attribute, c.Floor, c.Places, 100*c.Moved, 100*c.Loss)
			}
		})
	}
	fmt.Printf("counted on %s, until the month is over\n", onward.DateOf(f.CountedAt))
}
