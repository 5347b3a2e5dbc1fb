package main

import (
	"github.com/spf13/cobra"

	"onward/cmd/onward/internal/simulate"
)

// newSimulate compares ways to refer people in made-up programmes. It needs no database.
func newSimulate() *cobra.Command {
	var o simulate.Options
	var worlds []string
	var asJSON, all bool
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Compare ways to refer people by who is placed and still there after 180 days, in made-up programmes",
		Long: `Draw programmes among the real cities of Mexico and the occupations of the starter taxonomy. Where people come to live and
whether they are taken and stay is drawn from a model that differs in form from the matcher's: kinds of mover that nobody
records, the first city that offers enough, thresholds of skills, unseen ability, frailty. The ways to refer them are random, nearest to the
community of origin, skills anywhere, skills only at the origin, text search (BM25), Onward, and an oracle that knows the true
chances but not the dice; all give everybody the same number of referrals, to places that are truly left.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if all {
				o.Worlds = simulate.Worlds()
			} else {
				for _, name := range worlds {
					world, err := simulate.WorldNamed(name)
					if err != nil {
						return err
					}
					o.Worlds = append(o.Worlds, world)
				}
			}
			result, err := simulate.Run(c.Context(), o)
			if err != nil {
				return err
			}
			return printResult(c, asJSON, result)
		},
	}
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "decides what is drawn")
	c.Flags().IntVar(&o.Returnees, "returnees", 400, "people of one programme")
	c.Flags().IntVar(&o.Programmes, "programmes", 20, "programmes to draw")
	c.Flags().IntVar(&o.Referrals, "referrals", 3, "referrals of one person")
	c.Flags().StringSliceVar(&worlds, "world", []string{"base"}, "assumptions to simulate under")
	c.Flags().BoolVar(&all, "all-worlds", false, "under all sets of assumptions")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
