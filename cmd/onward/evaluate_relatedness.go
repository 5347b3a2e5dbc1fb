package main

import (
	"github.com/spf13/cobra"

	"onward/cmd/onward/internal/evaluate"
)

// newEvaluateRelatedness measures how near skills are taken to be. It needs no database.
func newEvaluateRelatedness() *cobra.Command {
	var files evaluate.RelatednessFiles
	var asJSON bool
	c := &cobra.Command{
		Use:   "relatedness --esco PATH…",
		Short: "Hide a quarter of each occupation's essential skills and find them by what is related to the others",
		Long: `Hide a quarter of the essential skills of each occupation, at least one, build the taxonomy from what is left, and look
for what was hidden among the skills related to those that were left. Prints recall@10, the mean over occupations, beside
that of the most popular skills and of the skills in the same groups.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			result, err := evaluate.Relatedness(c.Context(), files)
			if err != nil {
				return err
			}
			return printResult(c, asJSON, result)
		},
	}
	c.Flags().StringSliceVar(&files.ESCO, "esco", nil, "official ESCO files, zips or directories")
	c.Flags().Uint64Var(&files.Seed, "seed", 1, "decides what is hidden")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	if err := c.MarkFlagRequired("esco"); err != nil {
		panic(err) // the flag is defined above
	}
	return c
}
