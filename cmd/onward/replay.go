package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/workers"
)

// errNotReplayed makes the exit code 1 after everything is said.
var errNotReplayed = errors.New("the list could not be made again exactly")

func newReplay(o *options) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "replay REQUEST-ID", Short: "Make a saved list again and say whether it is the same", Args: cobra.ExactArgs(1),
		Long: "Make the list of a referral request again from the profile as it was, the versions of the opportunities that were scored, and the loaded " +
			"reference data, and compare it with the saved one to the last digit. The exit code is 1 when they differ; what stands in the way is named.",
		RunE: func(c *cobra.Command, args []string) error {
			id, err := onward.ParseID(args[0])
			if err != nil {
				return err
			}
			return o.withReference(c.Context(), func(e *engine.Engine) error {
				replay, err := workers.ReplayList(c.Context(), e.Store, e.Catalogue.Current(), id)
				if err != nil {
					return err
				}
				return printReplay(replay, asJSON)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the list as it comes out now")
	return c
}

func printReplay(replay workers.Replay, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(replay); err != nil {
			return err
		}
	} else {
		for _, obstacle := range replay.Obstacles {
			fmt.Println(obstacle)
		}
		if replay.Identical {
			fmt.Printf("Request %s: the same list, %d referrals and %d near misses.\n", replay.RequestID, len(replay.List.Referrals), len(replay.List.NearMisses))
		} else {
			fmt.Printf("Request %s: the list differs (- saved, + made again):\n%s\n", replay.RequestID, replay.Difference)
		}
	}
	if !replay.Identical {
		return errNotReplayed
	}
	return nil
}
