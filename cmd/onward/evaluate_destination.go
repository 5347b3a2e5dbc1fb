package main

import (
	"github.com/spf13/cobra"

	"onward/cmd/onward/internal/evaluatedestination"
)

// newEvaluateDestination measures the likely-destination model on observed flows. It needs no database.
func newEvaluateDestination(_ *options) *cobra.Command {
	var in evaluatedestination.Options
	var asJSON, table bool
	c := &cobra.Command{
		Use:   "destination --places F --train F --test F",
		Short: "Fit the likely-destination model on observed flows and say how well it predicts others",
		Long: `Fit the likely-destination model on training flows and predict test flows: of every mover, over all places of the
period but the origin. Files are TSV with a header, gzipped if the name ends in .gz.

places: place, region (may be blank), lat, lon, period, population (at the period's start)
flows:  period, origin, dest, movers, and kin and kin_back if known

Printed, for the model and for uniform, population share, radiation and gravity (ln population, ln distance, maximum
likelihood): cpc, the common part of commuters; xent, nats per mover; hit1, hit5 and hit10, the share of movers whose
destination is among the likeliest of their origin.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			result, err := evaluatedestination.Run(in)
			if err != nil {
				return err
			}
			if !asJSON {
				result.Print(c.OutOrStdout(), table)
				return nil
			}
			if !table {
				result.Coefficients = nil
			}
			return printJSON(c, result)
		},
	}
	c.Flags().StringVar(&in.Places, "places", "", "places of all periods")
	c.Flags().StringVar(&in.Train, "train", "", "flows to fit on")
	c.Flags().StringVar(&in.Test, "test", "", "flows to predict")
	c.Flags().StringVar(&in.Predictions, "predictions", "", "write origin, dest, p of every pair of the test's origins here")
	c.Flags().StringSliceVar(&in.Without, "without", nil, "leave out the variables whose names begin so, to see what they are worth (see --table)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&table, "table", false, "print the coefficients with their priors, standard errors and sources")
	for _, name := range []string{"places", "train", "test"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return c
}
