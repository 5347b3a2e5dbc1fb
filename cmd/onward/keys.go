package main

import (
	"context"
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
			"can. They are in the file or the variable that ONWARD_KEYS names (file:PATH or env:VARIABLE); by default in keys.json of the data directory.\n" +
			"With ONWARD_KEYS='aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID;file:PATH' they are kept there encrypted by a key of AWS KMS, which is asked when a\n" +
			"process starts.\n\n" +
			"To rotate: 'keys add', restart all servers and workers, 'keys rewrap', 'keys prune', restart again. To change the key of the KMS: 'keys reencrypt'.",
	}
	c.AddCommand(newKeysCreate(o), newKeysAdd(o), newKeysRewrap(o), newKeysPrune(o), newKeysReencrypt(o))
	return c
}

func newKeysCreate(o *options) *cobra.Command {
	show := false
	c := &cobra.Command{
		Use: "create", Short: "Make keys, in a file or (--print) on the standard output", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			config, err := o.config(slog.LevelWarn)
			if err != nil {
				return err
			}
			source, err := config.KeySource()
			if err != nil {
				return err
			}
			if show {
				v, err := vault.New()
				if err != nil {
					return err
				}
				return printKeys(source, v)
			}
			if source.File == "" {
				return errPrint()
			}
			if _, err := os.Stat(source.File); !errors.Is(err, fs.ErrNotExist) {
				return onward.Errorf(onward.EConflict, "%s is there already; what is sealed with other keys would be lost", source.File)
			}
			if _, err := vault.Load(source.String(), true); err != nil {
				return err
			}
			fmt.Println("made", source.File, "- keep a copy of it apart from the backups")
			return nil
		},
	}
	c.Flags().BoolVar(&show, "print", false, "print them instead")
	return c
}

func errPrint() error {
	return onward.Errorf(onward.EInvalid, "the keys come from the environment: use --print, and put them there")
}

func printKeys(source vault.Source, v *vault.Vault) error {
	text, err := source.Marshal(v)
	if err == nil {
		fmt.Println(base64.StdEncoding.EncodeToString(text)) // one line, as files of variables take it
	}
	return err
}

// changeKeys makes other keys of those there are, and saves or prints them.
func (o *options) changeKeys(show bool, change func(*vault.Vault) (*vault.Vault, error)) error {
	return o.keepKeys(show, change, func(s vault.Source) (vault.Source, error) { return s, nil })
}

// keepKeys is changeKeys that keeps them another way.
func (o *options) keepKeys(show bool, change func(*vault.Vault) (*vault.Vault, error), kept func(vault.Source) (vault.Source, error)) error {
	config, err := o.config(slog.LevelWarn)
	if err != nil {
		return err
	}
	source, err := config.KeySource()
	if err != nil {
		return err
	}
	if source.File == "" && !show {
		return errPrint()
	}
	v, err := config.LoadKeys()
	if err != nil {
		return err
	}
	if v, err = change(v); err != nil {
		return err
	}
	if source, err = kept(source); err != nil {
		return err
	}
	if show {
		return printKeys(source, v)
	}
	return source.Save(v)
}

func newKeysReencrypt(o *options) *cobra.Command {
	show, uri := false, ""
	c := &cobra.Command{
		Use: "reencrypt --kms URI", Short: "Encrypt the keys by a key of a KMS, or by another one", Args: cobra.NoArgs,
		Long: "Reads the keys as ONWARD_KEYS says, and replaces the file by one that the key of the KMS encrypts (--kms none: in the clear). The keys stay the\n" +
			"same, so that nothing is wrapped anew. Then set ONWARD_KEYS as it is printed, before the next start.",
		RunE: func(*cobra.Command, []string) error {
			var now vault.Source
			same := func(v *vault.Vault) (*vault.Vault, error) { return v, nil }
			err := o.keepKeys(show, same, func(s vault.Source) (_ vault.Source, err error) {
				s.KMS = uri
				if uri == "none" {
					s.KMS = ""
				}
				now, err = vault.ParseSource(s.String())
				return now, err
			})
			if err == nil {
				fmt.Fprintf(os.Stderr, "Set ONWARD_KEYS='%s' before the next start.\n", now)
			}
			return err
		},
	}
	c.Flags().StringVar(&uri, "kms", "", "the key, as aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID; none: keep them in the clear")
	c.Flags().BoolVar(&show, "print", false, "print the keys instead of replacing the file")
	_ = c.MarkFlagRequired("kms")
	return c
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
				return withKeeper(c.Context(), e, func(k *store.Keeper) error {
					n, err := k.Rewrap(c.Context())
					fmt.Printf("%d records wrapped anew\n", n)
					return err
				})
			})
		},
	}
}

func withKeeper(ctx context.Context, e *engine.Engine, do func(*store.Keeper) error) error {
	v, err := e.Keys()
	if err != nil {
		return err
	}
	k, err := store.OpenKeeper(ctx, e.OwnerURL(), v)
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
				return withKeeper(c.Context(), e, func(k *store.Keeper) error {
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
