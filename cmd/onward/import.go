package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"onward"
	"onward/cmd/onward/internal/engine"
	"onward/cmd/onward/internal/importer"
	"onward/internal/reference"
	"onward/store"
)

func newImport(o *options) *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Load a taxonomy, opportunities or returnees from files"}
	c.AddCommand(newImportESCO(o), newImportOpportunities(o), newImportReturnees(o))
	return c
}

func newImportESCO(o *options) *cobra.Command {
	var labels []string
	var release string
	c := &cobra.Command{
		Use: "esco DIR-or-ZIP…", Short: "Load the full ESCO classification in the Commission's own CSV format", Args: cobra.MinimumNArgs(1),
		Example: `  onward import esco "ESCO dataset - v1.1.1 - classification - en - csv.zip" --labels skill_labels_fr_es.tsv.gz`,
		RunE: func(c *cobra.Command, args []string) error {
			return o.withDatabase(c.Context(), func(e *engine.Engine) error { return importESCO(c.Context(), e, args, labels, release) })
		},
	}
	c.Flags().StringSliceVar(&labels, "labels", nil, "files with labels in more languages (id, lang, label, alt)")
	c.Flags().StringVar(&release, "release", "", "name of the release (default: from the file names)")
	return c
}

func importESCO(ctx context.Context, e *engine.Engine, paths, labels []string, release string) error {
	started := time.Now()
	reading := bar(0, "Reading", true)
	esco, err := reference.ReadESCO(ctx, paths, labels, reference.ESCOOptions{
		Release: release,
		Progress: func(_ string, done, total int64) {
			reading.ChangeMax64(total)
			_ = reading.Set64(done)
		},
		Warn: func(text string) { fmt.Fprintln(os.Stderr, "note:", text) },
	})
	if err != nil {
		return err
	}
	_ = reading.Finish()
	starter, err := reference.Starter()
	if err != nil {
		return err
	}
	twins := reference.LinkExact(starter, esco)
	esco = reference.Beside(esco, starter)
	esco.Relations = append(esco.Relations, twins...)
	loader, err := store.OpenLoader(ctx, e.OwnerURL())
	if err != nil {
		return err
	}
	defer func() { _ = loader.Close() }()
	loading := bar(0, "Loading", false)
	err = loader.LoadTaxonomy(ctx, esco, func(done, total int) {
		loading.ChangeMax(total)
		_ = loading.Set(done)
	})
	if err != nil {
		return err
	}
	_ = loading.Finish()
	fmt.Printf("Loaded %s: %d concepts and %d relations in %.1f s.\n%s\n", esco.Release, len(esco.Concepts), len(esco.Relations), time.Since(started).Seconds(), esco.Source)
	return nil
}

// importFlags are the flags of both kinds of rows.
type importFlags struct {
	options    importer.Options
	format     string
	rejectFile string
	suggestTo  string
	mapping    []string
	constants  []string
}

func (f *importFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.format, "format", "", "csv (also with tabs or semicolons) or ndjson (default: found out)")
	c.Flags().StringArrayVar(&f.mapping, "map", nil, "headers of the file and their columns here: 'Business Title=title,Salary Range From=wage_min'")
	c.Flags().StringArrayVar(&f.constants, "set", nil, "values of columns that the file lacks or leaves empty: kind=job,wage_currency=USD")
	c.Flags().StringVar(&f.options.Language, "language", "en", "language of the columns title and description")
	c.Flags().BoolVar(&f.options.IgnoreUnknown, "ignore-unknown", false, "leave columns out that are not known here")
	c.Flags().BoolVar(&f.options.RepairEncoding, "repair-encoding", false, "mend text that was read as Latin-1 and written as UTF-8")
	c.Flags().BoolVar(&f.options.DryRun, "dry-run", false, "check every row and write nothing")
	c.Flags().StringVar(&f.suggestTo, "suggest-skills", "", "write skills and occupations there that the texts of rows without any suggest, one JSON object a line, for a person to\nconfirm; with --dry-run first, the confirmed ids can go into the file's own columns. It holds words of the texts")
	c.Flags().StringVar(&f.rejectFile, "reject-file", "", "write the bad rows there, with the reason, to be mended and imported again; it holds what the source holds")
}

// openSuggestions opens the file of suggestions, if one is wanted.
func (f *importFlags) openSuggestions() (closeFile func() error, err error) {
	if f.suggestTo == "" {
		return func() error { return nil }, nil
	}
	file, err := os.OpenFile(f.suggestTo, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	f.options.Suggest = file
	return file.Close, nil
}

func newImportOpportunities(o *options) *cobra.Command {
	f := &importFlags{}
	var organisation string
	c := &cobra.Command{
		Use: "opportunities FILE", Short: "Load opportunities of one organisation from CSV or NDJSON", Args: cobra.ExactArgs(1),
		Long: "Load opportunities from CSV or NDJSON. Every bad row is reported with line, column, value and reason; good rows load; nothing loads twice.\n\n" +
			"Columns of a CSV:\n" + describe(importer.OpportunityColumns()),
		RunE: func(c *cobra.Command, args []string) error {
			return o.withReference(c.Context(), func(e *engine.Engine) error {
				actor := onward.System()
				err := e.Store.InTx(c.Context(), actor, func(tx *store.Tx) error {
					g, err := tx.OrganisationBySlug(c.Context(), organisation)
					actor.OrganisationID = g.ID
					return err
				})
				if err != nil {
					return err
				}
				return f.run(c.Context(), e, actor, args[0], importer.Opportunities)
			})
		},
	}
	f.register(c)
	c.Flags().StringVar(&organisation, "organisation", "", "short name of the organisation that posts them")
	c.Flags().BoolVar(&f.options.Publish, "publish", false, "open them at once instead of keeping drafts")
	return c
}

func newImportReturnees(o *options) *cobra.Command {
	f := &importFlags{}
	var email string
	c := &cobra.Command{
		Use: "returnees FILE", Short: "Load returnees onto a counsellor's caseload from CSV or NDJSON", Args: cobra.ExactArgs(1),
		Long: "Load returnees from CSV or NDJSON. Every bad row is reported with line, column, value and reason; good rows load; nothing loads twice.\n\n" +
			"Columns of a CSV:\n" + describe(importer.ReturneeColumns()),
		RunE: func(c *cobra.Command, args []string) error {
			return o.withReference(c.Context(), func(e *engine.Engine) error {
				var actor onward.Actor
				err := e.Store.InTx(c.Context(), onward.System(), func(tx *store.Tx) error {
					u, err := tx.UserByEmail(c.Context(), email)
					actor = onward.Actor{UserID: u.ID, OrganisationID: u.OrganisationID, Role: u.Role}
					return err
				})
				if err != nil {
					return err
				}
				return f.run(c.Context(), e, actor, args[0], importer.Returnees)
			})
		},
	}
	f.register(c)
	c.Flags().StringVar(&email, "user", "", "e-mail address of the counsellor or supervisor who registers them")
	return c
}

func describe(columns []importer.Column) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, "  %-22s %s\n", c.Name, c.Means)
	}
	return b.String()
}

type importFunc func(context.Context, importer.Deps, io.Reader, importer.Options) (importer.Summary, error)

func (f *importFlags) run(ctx context.Context, e *engine.Engine, actor onward.Actor, path string, load importFunc) (err error) {
	file, err := os.Open(path) //nolint:gosec // reading the file that the operator names is what the command is for
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.options.Format = importer.Format(f.format)
	if f.options.Columns, err = importer.ParsePairs(f.mapping); err != nil {
		return err
	}
	if f.options.Constants, err = importer.ParsePairs(f.constants); err != nil {
		return err
	}
	if f.rejectFile != "" {
		reject, err := os.OpenFile(f.rejectFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, reject.Close()) }()
		f.options.Reject = reject
	}
	closeSuggestions, err := f.openSuggestions()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSuggestions()) }()
	progress := bar(info.Size(), "Importing", true)
	f.options.Progress = func(p importer.Progress) { _ = progress.Set64(p.Bytes) }
	f.options.Problem = func(p importer.Problem) {
		_ = progress.Clear()
		fmt.Fprintln(os.Stderr, p.String())
	}
	summary, err := load(ctx, importer.Deps{Store: e.Store, Resolver: e.Catalogue.Current(), Reader: e.Catalogue.Current(), Actor: actor}, file, f.options)
	_ = progress.Finish()
	verb := "loaded"
	if summary.DryRun {
		verb = "would be loaded (dry run)"
	}
	fmt.Printf("%d rows read: %d %s, %d there already, %d rejected, in %.1f s\n", summary.Read, summary.Created, verb, summary.Duplicates,
		summary.Rejected, summary.Duration.Seconds())
	if err == nil && summary.Rejected > 0 && f.rejectFile == "" {
		fmt.Println("Use --reject-file to keep the rejected rows for mending.")
	}
	return err
}

// bar is a progress bar on standard error.
func bar(total int64, what string, bytes bool) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total, progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionShowBytes(bytes), progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(os.Stderr) }), progressbar.OptionSetWidth(30))
}
