package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/store"
)

// passwordFlags say where a password comes from.
type passwordFlags struct {
	stdin, none, invite bool
}

func (f *passwordFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.stdin, "password-stdin", false, "read the password from the first line of standard input")
	c.Flags().BoolVar(&f.none, "no-password", false, "no password: the user works with API tokens alone")
	c.Flags().BoolVar(&f.invite, "invite", false, "no password yet: print a link by which the user chooses one")
	c.MarkFlagsMutuallyExclusive("password-stdin", "no-password", "invite")
}

// ask reads a password: from standard input, or twice from a terminal. Empty: there is to be none.
func (f *passwordFlags) ask() (string, error) {
	terminal := int(os.Stdin.Fd())
	switch {
	case f.stdin:
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", errors.New("--password-stdin: there is no password on standard input")
		}
		return line, nil
	case f.none || f.invite || !term.IsTerminal(terminal):
		return "", nil
	}
	read := func(prompt string) (string, error) {
		fmt.Fprint(os.Stderr, prompt)
		text, err := term.ReadPassword(terminal)
		fmt.Fprintln(os.Stderr)
		return string(text), err
	}
	first, err := read("Password (12 characters or more): ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	second, err := read("Once more: ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if first != second {
		return "", errors.New("the two are not alike; run the command again")
	}
	return first, nil
}

func newUser(o *options) *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "Add and look after users"}
	c.AddCommand(newUserCreate(o), newUserList(o), newUserReset(o), newUserSuspend(o), newUserReinstate(o), newUserSessions(o))
	return c
}

func newUserCreate(o *options) *cobra.Command {
	user, organisation, password := onward.User{}, "", passwordFlags{}
	c := &cobra.Command{
		Use: "create EMAIL", Short: "Add a user; the first administrator too", Args: cobra.ExactArgs(1),
		Long: "Adds a user and prints the id. On a terminal it asks for a password; --password-stdin reads it, --invite prints a link by which the user chooses one. " +
			"Otherwise the user has none, and works with API tokens.",
		Example: `  onward user create rosa@example.org --name "Rosa Ibarra" --organisation casa-del-retorno --role administrator
  onward user create import@example.org --name Import --organisation casa-del-retorno --role supervisor --no-password`,
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			secret, err := password.ask()
			if err != nil {
				return err
			}
			user.Email = args[0]
			return o.withDatabase(ctx, func(e *engine.Engine) error {
				err := e.Store.InTx(ctx, onward.System(), func(tx *store.Tx) error {
					g, err := tx.OrganisationBySlug(ctx, organisation)
					user.OrganisationID = g.ID
					return err
				})
				if err != nil {
					return err
				}
				if password.invite {
					a, i, err := e.Store.Invite(ctx, onward.System(), user.OrganisationID, onward.NewUser{
						Email: user.Email, UserDetails: onward.UserDetails{Name: user.Name, Role: user.Role, Language: user.Language},
					})
					if err != nil {
						return err
					}
					fmt.Println(a.ID)
					return printInvitation(i)
				}
				if secret != "" { // before there is a user who could not sign in
					if err := e.Store.CheckNewPassword(user, "password", secret); err != nil {
						return err
					}
				}
				var made onward.User
				if err := e.Store.InTx(ctx, onward.System(), func(tx *store.Tx) (err error) {
					made, err = tx.CreateUser(ctx, user)
					return err
				}); err != nil {
					return err
				}
				fmt.Println(made.ID)
				if secret == "" {
					return nil
				}
				return e.Store.SetPassword(ctx, onward.System(), made.ID, "password", secret)
			})
		},
	}
	c.Flags().StringVar(&user.Name, "name", "", "name")
	c.Flags().StringVar(&organisation, "organisation", "", "short name of the organisation")
	c.Flags().StringVar((*string)(&user.Role), "role", "", "counsellor, supervisor, employer, partner, analyst or administrator")
	c.Flags().StringVar(&user.Language, "language", "en", "language of the pages and notices")
	password.add(c)
	return c
}

func newUserList(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the users", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.withDatabase(c.Context(), func(e *engine.Engine) error {
				list, err := e.Store.Accounts(c.Context(), onward.System())
				table(func(w *tabwriter.Writer) {
					for _, a := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", a.Email, a.Role, a.Name, howSignedIn(a))
					}
				})
				return err
			})
		},
	}
}

// howSignedIn is in words how a user may sign in.
func howSignedIn(a onward.Account) string {
	var how []string
	if a.SuspendedAt != nil {
		how = append(how, "suspended")
	}
	if a.HasPassword {
		how = append(how, "password")
	}
	if a.HasSecondFactor {
		how = append(how, "second factor")
	}
	if len(how) == 0 {
		return "tokens only"
	}
	return strings.Join(how, ", ")
}

// printInvitation prints the link, whole where it is known where this server is.
func printInvitation(i onward.Invitation) error {
	config, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	fmt.Println(onward.InvitationLink(config.SignIn.PublicURL, i.Token))
	fmt.Fprintln(os.Stderr, "Give this to the user alone. It opens once, until "+i.ExpiresAt.UTC().Format("2 Jan 2006 15:04 UTC")+".")
	return nil
}

// withUser runs a command on the user of an e-mail address.
func (o *options) withUser(ctx context.Context, email string, run func(*engine.Engine, onward.User) error) error {
	return o.withDatabase(ctx, func(e *engine.Engine) error {
		var user onward.User
		if err := e.Store.InTx(ctx, onward.System(), func(tx *store.Tx) (err error) {
			user, err = tx.UserByEmail(ctx, email)
			return err
		}); err != nil {
			return err
		}
		return run(e, user)
	})
}

func newUserReset(o *options) *cobra.Command {
	factor := false
	c := &cobra.Command{
		Use: "reset EMAIL", Short: "Print a link by which a user chooses another password", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			return o.withUser(ctx, args[0], func(e *engine.Engine, u onward.User) error {
				if factor {
					if err := e.Store.RemoveSecondFactor(ctx, onward.System(), u.ID); err != nil && onward.CodeOf(err) != onward.EConflict {
						return err
					}
				}
				i, err := e.Store.InviteAgain(ctx, onward.System(), u.ID)
				if err != nil {
					return err
				}
				return printInvitation(i)
			})
		},
	}
	c.Flags().BoolVar(&factor, "second-factor", false, "take the second factor away as well; make sure that it is the user who asks")
	return c
}

func newUserSuspend(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "suspend EMAIL", Short: "Keep a user out: sessions end, tokens stop", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.withUser(c.Context(), args[0], func(e *engine.Engine, u onward.User) error {
				_, err := e.Store.SuspendUser(c.Context(), onward.System(), u.ID)
				return err
			})
		},
	}
}

func newUserReinstate(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "reinstate EMAIL", Short: "Let a user in again", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.withUser(c.Context(), args[0], func(e *engine.Engine, u onward.User) error {
				_, err := e.Store.ReinstateUser(c.Context(), onward.System(), u.ID)
				return err
			})
		},
	}
}

func newUserSessions(o *options) *cobra.Command {
	end := false
	c := &cobra.Command{
		Use: "sessions EMAIL", Short: "List where a user is signed in, or end it all", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			return o.withUser(ctx, args[0], func(e *engine.Engine, u onward.User) error {
				if end {
					return e.Store.EndSessionsOf(ctx, onward.System(), u.ID)
				}
				list, err := e.Store.SessionsOf(ctx, onward.System(), u.ID)
				table(func(w *tabwriter.Writer) {
					for _, s := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\tseen %s\n", s.ID, s.Stage, s.Method, s.From, s.SeenAt.UTC().Format("2006-01-02 15:04"))
					}
				})
				return err
			})
		},
	}
	c.Flags().BoolVar(&end, "end", false, "end all of them")
	return c
}
