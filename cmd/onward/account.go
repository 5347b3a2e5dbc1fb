package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/store"
)

func newMigrate(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database up to this binary and load the built-in reference data; 'serve' does so too",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.withDatabase(c.Context(), func(e *engine.Engine) error {
				releases, err := e.Store.Releases(c.Context())
				for _, r := range releases {
					fmt.Printf("%s: %s (%s)\n", r.Kind, r.Release, r.Source)
				}
				return err
			})
		},
	}
}

// asSystem runs fn as Onward itself, on behalf of whoever has access to the server.
func (o *options) asSystem(ctx context.Context, fn func(*store.Tx) error) error {
	return o.withDatabase(ctx, func(e *engine.Engine) error { return e.Store.InTx(ctx, onward.System(), fn) })
}

func newOrganisation(o *options) *cobra.Command {
	c := &cobra.Command{Use: "organisation", Short: "Add, list, suspend and reinstate organisations"}
	organisation := onward.Organisation{}
	create := &cobra.Command{
		Use: "create SLUG NAME", Short: "Add an organisation", Args: cobra.ExactArgs(2),
		Example: `  onward organisation create casa-del-retorno "Casa del Retorno" --kind agency --country MX`,
		RunE: func(c *cobra.Command, args []string) error {
			organisation.Slug, organisation.Name = args[0], args[1]
			return o.asSystem(c.Context(), func(tx *store.Tx) error {
				made, err := tx.CreateOrganisation(c.Context(), organisation)
				if err == nil {
					fmt.Println(made.ID)
				}
				return err
			})
		},
	}
	create.Flags().StringVar((*string)(&organisation.Kind), "kind", "", "agency, employer, civil_society, project or authority")
	create.Flags().StringVar(&organisation.Country, "country", "", "ISO 3166-1 code, such as MX")
	list := &cobra.Command{
		Use: "list", Short: "List the organisations", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.asSystem(c.Context(), func(tx *store.Tx) error {
				list, err := tx.Organisations(c.Context())
				table(func(w *tabwriter.Writer) {
					for _, g := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", g.Slug, g.Kind, g.Country, g.Name)
					}
				})
				return err
			})
		},
	}
	replies := onward.Replies{}
	count := &cobra.Command{
		Use: "replies SLUG", Short: "Add how many referrals an organisation was sent and answered in time, as counted elsewhere", Args: cobra.ExactArgs(1),
		Long:    "Lists count the share of referrals that an organisation answers in time as a soft preference, once there are three. This adds what was counted before Onward.",
		Example: `  onward organisation replies constructora-del-valle --due 20 --answered 14`,
		RunE: func(c *cobra.Command, args []string) error {
			return o.asSystem(c.Context(), func(tx *store.Tx) error {
				g, err := tx.OrganisationBySlug(c.Context(), args[0])
				if err != nil {
					return err
				}
				return tx.AddReplies(c.Context(), g.ID, replies)
			})
		},
	}
	count.Flags().IntVar(&replies.Due, "due", 0, "referrals whose time for an answer is over, or that were answered")
	count.Flags().IntVar(&replies.Answered, "answered", 0, "those that were answered in time")
	c.AddCommand(create, list, count, newSuspend(o), newReinstate(o))
	return c
}

func newToken(o *options) *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Make, list and revoke API tokens"}
	var email, name string
	var expires time.Duration
	var scopes []string
	create := &cobra.Command{
		Use: "create", Short: "Make an API token for a user; it is shown this once", Args: cobra.NoArgs,
		Example: `  onward token create --user ana@example.org --name laptop --expires 2160h
  onward token create --user import@example.org --name nightly --scope opportunities:write --scope vocabulary:read`,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.asSystem(c.Context(), func(tx *store.Tx) error {
				user, err := tx.UserByEmail(c.Context(), email)
				if err != nil {
					return err
				}
				var until *time.Time
				if expires > 0 {
					t := time.Now().Add(expires)
					until = &t
				}
				secret, _, err := tx.CreateToken(c.Context(), user, name, until, scopes...)
				if err == nil {
					fmt.Println(secret)
				}
				return err
			})
		},
	}
	create.Flags().StringVar(&email, "user", "", "e-mail address of the user")
	create.Flags().StringVar(&name, "name", "token", "what it is for")
	create.Flags().StringSliceVar(&scopes, "scope", nil, "bind it to a part of the API: AREA:read or AREA:write, * for every area; default: all that the user may")
	create.Flags().DurationVar(&expires, "expires", 90*24*time.Hour, "how long it is valid; 0: until revoked")
	list := &cobra.Command{
		Use: "list", Short: "List the tokens, without their secrets", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.asSystem(c.Context(), func(tx *store.Tx) error {
				list, err := tx.Tokens(c.Context())
				table(func(w *tabwriter.Writer) {
					for _, t := range list {
						used := "never used"
						if t.LastUsedAt != nil {
							used = "used " + t.LastUsedAt.Format("2006-01-02 15h")
						}
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, state(t), t.CreatedAt.Format(time.DateOnly), used, strings.Join(t.Scopes, " "))
					}
				})
				return err
			})
		},
	}
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "End a token at once", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := onward.ParseID(args[0])
			if err != nil {
				return err
			}
			return o.asSystem(c.Context(), func(tx *store.Tx) error { return tx.RevokeToken(c.Context(), id) })
		},
	}
	c.AddCommand(create, list, revoke)
	return c
}

func state(t onward.Token) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt == nil:
		return "valid"
	case t.ExpiresAt.Before(time.Now()):
		return "expired"
	}
	return "valid until " + t.ExpiresAt.Format(time.DateOnly)
}

func table(rows func(*tabwriter.Writer)) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	rows(w)
	_ = w.Flush()
}
