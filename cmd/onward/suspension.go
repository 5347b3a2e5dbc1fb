package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"onward"
	"onward/store"
)

func newSuspend(o *options) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "suspend SLUG", Short: "Stop an organisation at once", Args: cobra.ExactArgs(1),
		Long: "Its tokens and answer links stop working, its openings are paused, and the referrals that it was sent are revoked; people who\n" +
			"started stay placed. The workers carry this out; it goes on where it was if they are stopped.",
		Example: `  onward organisation suspend constructora-del-valle --reason "retains documents"`,
		RunE: func(c *cobra.Command, args []string) error {
			return o.changeOrganisation(c, "suspended", func(tx *store.Tx) (onward.Organisation, error) {
				return tx.SuspendOrganisation(c.Context(), args[0], reason)
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for those who run Onward")
	_ = c.MarkFlagRequired("reason") // fails for a flag that is not there only
	return c
}

func newReinstate(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "reinstate SLUG", Short: "End a suspension; its openings stay paused until it publishes them", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.changeOrganisation(c, "reinstated", func(tx *store.Tx) (onward.Organisation, error) {
				return tx.ReinstateOrganisation(c.Context(), args[0])
			})
		},
	}
}

func (o *options) changeOrganisation(c *cobra.Command, done string, change func(*store.Tx) (onward.Organisation, error)) error {
	var g onward.Organisation
	err := o.asSystem(c.Context(), func(tx *store.Tx) (err error) {
		g, err = change(tx)
		return err
	})
	if err == nil {
		fmt.Printf("%s (%s) is %s\n", g.Name, g.Slug, done)
	}
	return err
}
