package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/backup"
	"onward/cmd/onward/internal/engine"
)

func newRestore(o *options) *cobra.Command {
	var f opening
	var r backup.Restore
	var check bool
	var anchors string
	c := &cobra.Command{
		Use: "restore ARCHIVE|-", Short: "Put a backup in the place of the database, when all of it is checked", Args: cobra.ExactArgs(1),
		Long: "Read and check a backup, restore it into a database beside the present one, check that (foreign keys, the audit, each identity by the keys of\n" +
			"this server), and put it in the place of the present one in one step. Whatever fails or is stopped before that step leaves that as it is;\n" +
			"afterwards it is kept under another name, which is printed. Whoever was erased since the backup is erased again.\n\n" +
			"Stop all servers and workers first. The login of DATABASE_OWNER_URL needs CREATEDB, or DATABASE_ADMIN_URL names one that has it.\n" +
			"Start Onward again afterwards: the index is brought up to date by itself. docs/backup.md has the rest.",
		RunE: func(c *cobra.Command, args []string) error {
			if check {
				return o.verifyBackup(c.Context(), &f, args[0])
			}
			config, err := o.config(slog.LevelWarn)
			if err != nil {
				return err
			}
			with, err := f.restore(config, args[0])
			if with.Identities != nil && err != nil {
				return onward.Errorf(onward.EInvalid, "a restore needs the keys of the server (ONWARD_KEYS) with which the backup was sealed; put your copy of them back").Because(err)
			} else if err != nil {
				return err
			}
			with.Anchors, err = readHeads(anchors)
			if err != nil {
				return err
			}
			with.EraseUnknown, with.DropOld, with.Disconnect, with.NoticesWithin = r.EraseUnknown, r.DropOld, r.Disconnect, r.NoticesWithin
			with.Vocabulary = engine.WithVocabulary
			with.AdminURL = os.Getenv("DATABASE_ADMIN_URL")
			return o.with(c.Context(), engine.OpenServer, func(e *engine.Engine) error {
				with.OwnerURL = e.OwnerURL()
				done, err := with.Run(c.Context())
				if err != nil {
					fmt.Fprintln(os.Stderr, "Nothing was restored; the database is as it was.")
					return err
				}
				sayRestored(done)
				return nil
			})
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&check, "check", false, "check alone, as 'onward backup verify'")
	c.Flags().StringVar(&anchors, "against", "", "file of ends of chains that 'audit head' printed earlier: the audit of the backup has to agree")
	c.Flags().BoolVar(&r.EraseUnknown, "erase-unknown", false, "erase people of the archive of whom the keys know nothing")
	c.Flags().BoolVar(&r.DropOld, "drop-old", false, "drop the database that was there instead of keeping it under another name")
	c.Flags().BoolVar(&r.Disconnect, "disconnect", false, "end the connections to the database that is replaced")
	c.Flags().DurationVar(&r.NoticesWithin, "notices-within", 24*time.Hour, "send what was still to be told if it is not older; older notices are given up (0: send all)")
	return c
}

func sayRestored(done backup.Restored) {
	fmt.Printf("restored the backup of %s: %d rows, %d people, %d entries of the audit, in %.1f s\n", done.Manifest.MadeAt.Format(time.RFC3339), done.Rows, done.People, done.AuditEntries, done.Took.Seconds())
	if done.Erased > 0 {
		fmt.Printf("%d people were erased again\n", done.Erased)
	}
	if done.Held > 0 {
		fmt.Printf("%d people who were erased since are under a legal hold in the backup: their key is gone, and the rest goes when the hold is released again\n", done.Held)
	}
	if done.Dropped > 0 {
		fmt.Printf("%d old notices were given up\n", done.Dropped)
	}
	if done.Kept != "" {
		fmt.Printf("what was there before is kept as the database %s, with the keys of people who were erased since; drop it as soon as it is not needed\n", done.Kept)
	}
	fmt.Println("start Onward again; what was changed since the backup has to be entered again")
}
