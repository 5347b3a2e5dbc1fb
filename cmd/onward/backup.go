package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"onward"
	"onward/api"
	"onward/cmd/onward/internal/backup"
	"onward/cmd/onward/internal/engine"
)

func newBackup(o *options) *cobra.Command {
	var recipients, files []string
	var passphrase, method, keys string
	var keysOnly bool
	var keep time.Duration
	c := &cobra.Command{
		Use: "backup DIRECTORY|-", Short: "Back up the database while it is in use, encrypted", Args: cobra.ExactArgs(1),
		Long: "Write a copy of the database as it is at this moment, encrypted by age, into a directory; it may be in use meanwhile. Two files are written:\n" +
			"onward-…-TIME.backup holds everything but people's keys; onward-…-keys.backup holds these, and replaces the one before. Only the latest keys\n" +
			"may be kept anywhere: then nobody who was erased can be read in any backup. Run it with --keys-only after an erasure, or every hour.\n\n" +
			"The key-encryption keys (ONWARD_KEYS) are in neither: keep a copy of them elsewhere, without which no name can be read again.\n\n" +
			"With - the first goes to the standard output, and the keys to the file that --keys names. docs/backup.md has the rest.",
		Example: "  onward backup keygen /root/onward-identity.txt\n  onward backup /var/backups/onward --recipient age1…\n" +
			"  onward backup - --keys /var/backups/onward/keys.backup | ssh elsewhere 'cat > onward.backup'",
		RunE: func(c *cobra.Command, args []string) error {
			to, err := backup.Recipients(recipients, files, passphrase)
			if err != nil {
				return err
			}
			switch {
			case args[0] == "-" && keys == "" || args[0] != "-" && keys != "":
				return onward.Errorf(onward.EInvalid, "--keys belongs to -: it names the file of the keys when the archive goes to the standard output")
			case args[0] == "-" && (keysOnly || keep > 0):
				return onward.Errorf(onward.EInvalid, "--keys-only and --keep are for a directory")
			}
			config, err := o.config(slog.LevelWarn)
			if err != nil {
				return err
			}
			if method == "" {
				method = string(backup.MethodCopy)
				if config.DatabaseURL != "" {
					method = string(backup.MethodDump)
				}
			}
			return o.with(c.Context(), engine.JoinServer, func(e *engine.Engine) error {
				source := backup.Source{URL: e.OwnerURL(), Method: backup.Method(method), Recipients: to, Version: api.Version}
				return writeBackup(c.Context(), source, args[0], keys, keysOnly, keep)
			})
		},
	}
	c.Flags().StringArrayVar(&recipients, "recipient", nil, "age recipient (age1…) who can open it; may be repeated (default: "+backup.RecipientsEnv+")")
	c.Flags().StringArrayVar(&files, "recipients-file", nil, "file of age recipients, one a line")
	c.Flags().StringVar(&passphrase, "passphrase-file", "", "file with a passphrase instead of recipients")
	c.Flags().StringVar(&method, "method", "", "copy, which needs no other programs, or pg_dump (default: pg_dump with DATABASE_URL, copy without)")
	c.Flags().StringVar(&keys, "keys", "", "with -: the file of the keys, which is replaced")
	c.Flags().BoolVar(&keysOnly, "keys-only", false, "replace the keys alone, as after an erasure")
	c.Flags().DurationVar(&keep, "keep", 0, "remove archives of this database that are older, such as 720h; the newest stays")
	c.AddCommand(newBackupVerify(o), newBackupKeygen())
	return c
}

func writeBackup(ctx context.Context, source backup.Source, to, keys string, keysOnly bool, keep time.Duration) error {
	if to == "-" {
		report, err := source.WriteStream(ctx, os.Stdout, keys)
		if err == nil {
			sayBackup(report, "the standard output", keys)
		}
		return err
	}
	report, archive, keys, err := source.WriteTo(ctx, to, keysOnly)
	if err != nil {
		return err
	}
	sayBackup(report, archive, keys)
	if keep == 0 {
		return nil
	}
	removed, err := backup.Prune(to, report.Manifest, time.Now().Add(-keep))
	for _, path := range removed {
		fmt.Fprintln(os.Stderr, "removed", path)
	}
	return err
}

// sayBackup goes to the standard error: the standard output may be the archive.
func sayBackup(report backup.Report, archive, keys string) {
	if archive != "" {
		fmt.Fprintf(os.Stderr, "%s: %d rows of %d tables, migration %d, %.1f MB packed into %.1f MB\n", archive, report.Rows, len(report.Manifest.Tables), report.Manifest.Schema,
			float64(report.Bytes)/1e6, float64(report.Written)/1e6)
	}
	fmt.Fprintf(os.Stderr, "%s: the keys of %d people, without %d who were erased\n", keys, report.People, report.Erased)
	fmt.Fprintf(os.Stderr, "Done in %.1f s. Not in it are the key-encryption keys (ONWARD_KEYS): keep a copy of them elsewhere, without which no name can be read again.\n", report.Took.Seconds())
}

// opening are the flags of what reads a backup.
type opening struct {
	identities []string
	passphrase string
	keys       string
}

func (f *opening) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.identities, "identity", nil, "file of age identities that open it; may be repeated")
	c.Flags().StringVar(&f.passphrase, "passphrase-file", "", "file with the passphrase that opens it")
	c.Flags().StringVar(&f.keys, "keys", "", "archive of people's keys, the latest that there is (default: the one beside the archive)")
}

// restore is a restore of an archive, with the keys of this server, if it has some.
func (f *opening) restore(config engine.Config, archive string) (r backup.Restore, err error) {
	r = backup.Restore{Archive: archive, Keys: f.keys, Input: os.Stdin, Progress: func(text string) { fmt.Fprintln(os.Stderr, text) }}
	if r.Identities, err = backup.Identities(f.identities, f.passphrase); err != nil {
		return r, err
	}
	r.Vault, err = config.LoadKeys()
	return r, err
}

func newBackupVerify(o *options) *cobra.Command {
	var f opening
	c := &cobra.Command{
		Use: "verify ARCHIVE|-", Short: "Read a backup to its end and say whether it can be restored; changes nothing", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.verifyBackup(c.Context(), &f, args[0]) },
	}
	f.flags(c)
	return c
}

func (o *options) verifyBackup(ctx context.Context, f *opening, archive string) error {
	config, err := o.config(slog.LevelWarn)
	if err != nil {
		return err
	}
	r, err := f.restore(config, archive)
	if r.Identities == nil {
		return err
	}
	opened := "; each opens by the keys of this server"
	if err != nil {
		fmt.Fprintln(os.Stderr, "Without the keys of this server, what identifies people can't be tried:", explain(err))
		opened = ""
	}
	checked, err := r.Check(ctx)
	if err != nil {
		return err
	}
	m := checked.Manifest
	fmt.Printf("whole: %d rows of %d tables, %.1f MB, migration %d, made by onward %s at %s (%s)\n", checked.Rows, len(m.Tables), float64(checked.Bytes)/1e6, m.Schema, m.Onward, m.MadeAt.Format(time.RFC3339), m.Method)
	fmt.Printf("keys of %d people at %s%s; %d were erased\n", checked.People, checked.KeysAt.Format(time.RFC3339), opened, checked.Erased)
	return nil
}

func newBackupKeygen() *cobra.Command {
	return &cobra.Command{
		Use: "keygen FILE", Short: "Make an age identity, which opens backups, and print its recipient", Args: cobra.ExactArgs(1),
		Long: "Keep the file where backups are restored and not where they are made: whoever has it, the backups and the keys of the server reads every name.",
		RunE: func(_ *cobra.Command, args []string) error {
			recipient, err := backup.NewIdentity(args[0])
			if err == nil {
				fmt.Println(recipient)
			}
			return err
		},
	}
}
