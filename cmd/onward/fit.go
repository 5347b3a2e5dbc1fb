package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"onward/cmd/onward/internal/engine"
	"onward/cmd/onward/internal/fitting"
	"onward/matcher/destination"
	"onward/store"
)

func newFit(o *options) *cobra.Command {
	c := &cobra.Command{Use: "fit", Short: "Learn from what happened"}
	c.AddCommand(newFitDestination(o))
	return c
}

type fitDestination struct {
	country, activate    string
	least                int
	dryRun, list, asJSON bool
}

func newFitDestination(o *options) *cobra.Command {
	f := &fitDestination{}
	c := &cobra.Command{
		Use: "destination --country XX", Short: "Fit the likely-destination coefficients of a country on where its people were seen to live", Args: cobra.NoArgs,
		Long: "Fit the coefficients of the likely destination on residences that were observed after a list was made, from the profile as it was then. The fit is " +
			"held against the coefficients in use on people whom it was not fitted on, and takes their place only when it predicts them better by more than " +
			"chance. All versions are kept, and past lists name theirs.\n\n" +
			"Coefficients transfer badly between countries: the overlap with what was seen fell from .50 to .35 when Mexico's were tried on the United States. A " +
			"country without a fit of its own takes the documented priors.",
		Example: "  onward fit destination --country MX\n  onward fit destination --country MX --list\n  onward fit destination --country MX --activate MX-2026-11-26",
		RunE: func(c *cobra.Command, _ []string) error {
			if f.country == "" {
				return errors.New("name the country by --country, such as MX")
			}
			return o.withReference(c.Context(), func(e *engine.Engine) error { return f.run(c, e) })
		},
	}
	c.Flags().StringVar(&f.country, "country", "", "ISO 3166-1 code of the country, such as MX")
	c.Flags().IntVar(&f.least, "min-observations", fitting.LeastPeople, "how many people have to be observed; never fewer than 50")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "fit and compare, and keep nothing")
	c.Flags().BoolVar(&f.list, "list", false, "list the versions that are kept, and print the table in use")
	c.Flags().StringVar(&f.activate, "activate", "", "put a version that is kept to use; priors goes back to those that come with the program")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return c
}

func (f *fitDestination) run(c *cobra.Command, e *engine.Engine) error {
	ctx := c.Context()
	deps := fitting.Deps{Store: e.Store, OwnerURL: e.OwnerURL(), Catalogue: e.Catalogue.Current()}
	switch {
	case f.list:
		return f.printVersions(c, e)
	case f.activate != "":
		return fitting.Activate(ctx, deps, f.country, f.activate)
	}
	result, err := fitting.Destination(ctx, deps, fitting.Options{Country: f.country, LeastPeople: f.least, DryRun: f.dryRun})
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(c, result)
	}
	printCoefficients(destination.NewCoefficients(result.Name, f.country, result.Values), result.Errors)
	held := result.Comparison
	fmt.Printf("\n%d people. On those not fitted on, ln P is %.4f a person, with %s %.4f: %+.4f, standard error %.4f.\n",
		held.People, held.NewLogLikelihood, result.Against, held.OldLogLikelihood, held.Gain, held.StandardError)
	switch {
	case result.DryRun:
		fmt.Println("Nothing was kept (dry run).")
	case result.Activated:
		fmt.Printf("%s is in use now.\n", result.Name)
	default:
		fmt.Printf("That is no more than chance: %s stays in use. %s is kept.\n", result.Against, result.Name)
	}
	return nil
}

func (f *fitDestination) printVersions(c *cobra.Command, e *engine.Engine) error {
	current := e.Catalogue.Current().Country(f.country).Model.Coefficients()
	versions, err := e.Store.DestinationVersions(c.Context(), f.country)
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(c, struct {
			Country  string                     `json:"country"`
			InUse    string                     `json:"in_use"`
			Table    []destination.Row          `json:"table"`
			Versions []store.DestinationVersion `json:"versions"`
		}{f.country, current.Version, current.Table(), versions})
	}
	table(func(w *tabwriter.Writer) {
		for _, v := range versions {
			mark := ""
			if v.Active {
				mark = "in use"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", v.Version, v.CreatedAt.Format(time.DateOnly), mark)
		}
	})
	printCoefficients(current, nil)
	if current.Country == "" {
		fmt.Printf("\n%s has no fit of its own: these are the pooled priors. Coefficients transfer badly between countries, so no other country's are taken.\n", f.country)
	}
	return nil
}

// printCoefficients prints the table: name, value, standard error where there is one, what it stands for, where it is from.
func printCoefficients(c destination.Coefficients, standardErrors map[string]float64) {
	fmt.Printf("Coefficients %s\n", c.Version)
	table(func(w *tabwriter.Writer) {
		for _, row := range c.Table() {
			deviation := ""
			if e, ok := standardErrors[row.Name]; ok {
				deviation = fmt.Sprintf("± %.2f", e)
			}
			fmt.Fprintf(w, "%s\t%+.3f\t%s\t%s\t%s\n", row.Name, row.Value, deviation, row.Variable, row.Source)
		}
	})
}
