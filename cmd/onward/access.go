package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onward"
)

func newAccessMatrix() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "access-matrix", Short: "Print who may do what with whose records, and what they see of people", Args: cobra.NoArgs,
		Long: "This is the table by which the API decides; the database holds the relations once more. What has no roles needs no sign-in.",
		RunE: func(*cobra.Command, []string) error {
			rows := onward.AccessMatrix()
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(rows)
			}
			table(func(w *tabwriter.Writer) {
				fmt.Fprintln(w, "operation\troles\trecords\tsees of people")
				for _, row := range rows {
					for _, g := range row.Grants {
						roles := make([]string, len(g.Roles))
						for i, r := range g.Roles {
							roles[i] = string(r)
						}
						if len(roles) == 0 {
							roles = []string{"anybody"}
						}
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", row.Operation, strings.Join(roles, ", "), g.Relation, g.Sees)
					}
				}
			})
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return c
}
