package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/store"
	"onward/store/vault"
)

func newKeys(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "keys", Short: "Make and rotate the keys that seal what identifies people",
		Long: "Who has a copy of the database but not these keys can read no name. Keep a copy of them apart from the backups: without them nobody\n" +
			"can. They are in the file or the variable that ONWARD_KEYS names (file:PATH or env:VARIABLE); by default in keys.json of the data directory.\n\n" +
			"To rotate: 'keys add', restart all servers and workers, 'keys rewrap', 'keys prune', restart again.",
	}
	c.AddCommand(newKeysCreate(o), newKeysAdd(o), newKeysRewrap(o), newKeysPrune(o))
	return c
}

func newKeysCreate(o *options) *cobra.Command {
	show := false
	c := &cobra.Command{
		Use: "create", Short: "Make keys, in a file or (--print) on the standard output", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v, err := vault.New()
			if err != nil {
				return err
			}
			if show {
				return printKeys(v)
			}
			config, err := o.config(slog.LevelWarn)
			if err != nil {
				return err
			}
			file := config.KeyFile()
			if file == "" {
				return errPrint()
			}
			if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
				return onward.Errorf(onward.EConflict, "%s is there already; what is sealed with other keys would be lost", file)
			}
			if _, err := vault.Load("file:"+file, true); err != nil {
				return err
			}
			fmt.Println("made", file, "- keep a copy of it apart from the backups")
			return nil
		},
	}
	c.Flags().BoolVar(&show, "print", false, "print them instead")
	return c
}

func errPrint() error {
	return onward.Errorf(onward.EInvalid, "the keys come from the environment: use --print, and put them there")
}

func printKeys(v *vault.Vault) error {
	text, err := v.Marshal()
	if err == nil {
		fmt.Println(base64.StdEncoding.EncodeToString(text)) // one line, as files of variables take it
	}
	return err
}

// changeKeys makes other keys of those there are, and saves or prints them.
func (o *options) changeKeys(show bool, change func(*vault.Vault) (*vault.Vault, error)) error {
	config, err := o.config(slog.LevelWarn)
	if err != nil {
		return err
	}
	if config.KeyFile() == "" && !show {
		return errPrint()
	}
	v, err := config.LoadKeys()
	if err != nil {
		return err
	}
	if v, err = change(v); err != nil {
		return err
	}
	if show {
		return printKeys(v)
	}
	return v.Save(config.KeyFile())
}

func newKeysAdd(o *options) *cobra.Command {
	show := false
	c := &cobra.Command{
		Use: "add", Short: "Add a key that wraps from now on; the others still open", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			err := o.changeKeys(show, (*vault.Vault).Rotated)
			if err == nil {
				fmt.Fprintln(os.Stderr, "Restart all servers and workers with these keys, then run 'onward keys rewrap'.")
			}
			return err
		},
	}
	c.Flags().BoolVar(&show, "print", false, "print the keys instead of replacing the file")
	return c
}

func newKeysRewrap(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "rewrap", Short: "Wrap everything by the newest key; may be stopped, and goes on from there", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.withDatabase(c.Context(), func(e *engine.Engine) error {
				return o.withKeeper(c, e, func(k *store.Keeper) error {
					n, err := k.Rewrap(c.Context())
					fmt.Printf("%d records wrapped anew\n", n)
					return err
				})
			})
		},
	}
}

func (o *options) withKeeper(c *cobra.Command, e *engine.Engine, do func(*store.Keeper) error) error {
	config, err := o.config(slog.LevelWarn)
	if err != nil {
		return err
	}
	v, err := config.LoadKeys()
	if err != nil {
		return err
	}
	k, err := store.OpenKeeper(c.Context(), e.OwnerURL(), v)
	if err != nil {
		return err
	}
	return errors.Join(do(k), k.Close())
}

func newKeysPrune(o *options) *cobra.Command {
	show := false
	c := &cobra.Command{
		Use: "prune", Short: "Remove the keys by which nothing is wrapped any more", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			err := o.withDatabase(c.Context(), func(e *engine.Engine) error {
				return o.withKeeper(c, e, func(k *store.Keeper) error {
					left, err := k.Left(c.Context())
					if err == nil && left > 0 {
						err = onward.Errorf(onward.EConflict, "%d records are still wrapped by older keys; run 'onward keys rewrap' first", left)
					}
					return err
				})
			})
			if err != nil {
				return err
			}
			if err = o.changeKeys(show, (*vault.Vault).Pruned); err == nil {
				fmt.Fprintln(os.Stderr, "One key is left. Restart all servers and workers with it, and replace the copy that you keep.")
			}
			return err
		},
	}
	c.Flags().BoolVar(&show, "print", false, "print the keys instead of replacing the file")
	return c
}
