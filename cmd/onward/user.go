package main

import (
	"bufio"
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
	stdin, none bool
}

func (f *passwordFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.stdin, "password-stdin", false, "read the password from the first line of standard input")
	c.Flags().BoolVar(&f.none, "no-password", false, "no password: the user works with API tokens alone")
	c.MarkFlagsMutuallyExclusive("password-stdin", "no-password")
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
	case f.none || !term.IsTerminal(terminal):
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
	c.AddCommand(newUserCreate(o), newUserList(o))
	return c
}

func newUserCreate(o *options) *cobra.Command {
	user, organisation, password := onward.User{}, "", passwordFlags{}
	c := &cobra.Command{
		Use: "create EMAIL", Short: "Add a user; the first administrator too", Args: cobra.ExactArgs(1),
		Long: "Adds a user and prints the id. On a terminal it asks for a password; otherwise the user has none unless --password-stdin gives it.",
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
				var made onward.User
				if err := e.Store.InTx(ctx, onward.System(), func(tx *store.Tx) error {
					g, err := tx.OrganisationBySlug(ctx, organisation)
					if err != nil {
						return err
					}
					user.OrganisationID = g.ID
					if secret != "" {
						if err := e.Store.CheckNewPassword(user, "password", secret); err != nil {
							return err // before there is a user who could not sign in
						}
					}
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
