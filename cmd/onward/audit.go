package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/store"
)

func newAudit(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "audit", Short: "Verify, export and anchor the record of who read and changed what",
		Long: "Each organisation has a chain of entries, each hashed with the one before. 'audit head' prints where the chains end: kept elsewhere (by\n" +
			"another person, or printed), it proves later that nothing up to it was altered, not even by whoever owns the database.",
	}
	c.AddCommand(newAuditVerify(o), newAuditHead(o), newAuditExport(o))
	return c
}

func newAuditVerify(o *options) *cobra.Command {
	var anchors string
	c := &cobra.Command{
		Use: "verify", Short: "Find entries that were altered, removed or moved", Args: cobra.NoArgs,
		Example: "  onward audit verify --against heads-2026-11-27.json",
		RunE: func(c *cobra.Command, _ []string) error {
			heads, err := readHeads(anchors)
			if err != nil {
				return err
			}
			return o.withDatabase(c.Context(), func(e *engine.Engine) error {
				n, flaws, err := e.Store.VerifyAudit(c.Context(), heads)
				if err != nil {
					return err
				}
				for _, f := range flaws {
					fmt.Printf("%s, entry %d: %s\n", f.OrganisationID, f.Seq, f.What)
				}
				if len(flaws) > 0 {
					return onward.Errorf(onward.EConflict, "the audit does not hold: %d flaws in %d entries", len(flaws), n)
				}
				fmt.Printf("%d entries hold\n", n)
				return nil
			})
		},
	}
	c.Flags().StringVar(&anchors, "against", "", "file of ends of chains that 'audit head' printed earlier")
	return c
}

func readHeads(path string) (heads []onward.AuditHead, err error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	if err := json.Unmarshal(text, &heads); err != nil {
		return nil, onward.Errorf(onward.EInvalid, "--against: %s is not what 'onward audit head' prints", path)
	}
	return heads, nil
}

func newAuditHead(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "head", Short: "Print where the chains end, as JSON, for keeping elsewhere", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.withDatabase(c.Context(), func(e *engine.Engine) error {
				heads, err := e.Store.AuditHeads(c.Context())
				if err != nil {
					return err
				}
				encoder := json.NewEncoder(os.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(heads)
			})
		},
	}
}

func newAuditExport(o *options) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "export ID", Short: "Print who read and changed a record, such as a returnee who asks", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := onward.ParseID(args[0])
			if err != nil {
				return err
			}
			return o.asSystem(c.Context(), func(tx *store.Tx) error {
				list, err := tx.Audit(c.Context(), id, 100_000)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(os.Stdout).Encode(list)
				}
				table(func(w *tabwriter.Writer) {
					fmt.Fprintln(w, "when\twho\tof\tdid\tto\tfields\tfrom\twhy")
					for _, e := range list {
						who := e.Role
						if !e.UserID.IsZero() {
							who += " " + e.UserID.String()
						}
						of := ""
						if !e.Of.IsZero() {
							of = e.Of.String()
						}
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%v\t%s\t%s\n", e.At.Format("2006-01-02 15:04:05"), who, of, e.Action, e.Resource, e.Fields, e.From, e.Why)
					}
				})
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return c
}
