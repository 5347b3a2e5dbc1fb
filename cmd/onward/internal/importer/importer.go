// Package importer loads opportunities and returnees from CSV, TSV and NDJSON files, through the same validation as the
// API. Good rows load, bad ones are reported each with its line, column, value and reason, and nothing loads twice. It
// writes no log: what it tells of a row goes to whoever runs the import, and to nobody else.
package importer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"onward"
	"onward/store"
)

// Resolver finds what the words of a file mean, and what unknown ones may have meant. indexer/catalogue has it.
type Resolver interface {
	onward.Vocabulary
	// SkillByLabel and OccupationByLabel find a concept by its id or by a name that no other one has.
	SkillByLabel(text string) (id string, ok bool)
	OccupationByLabel(text string) (id string, ok bool)
	// PlaceByName finds a place by its GeoNames id or by its name, such as "Zapopan" or "Zapopan, Jalisco, MX". Of
	// several places of a name, those of the preferred country count. ok is false when it stays ambiguous.
	PlaceByName(text, preferCountry string) (place onward.Place, ok bool)
}

// Deps is what an import works with.
type Deps struct {
	Store    *store.Store
	Resolver Resolver
	// Actor is who imports. Everything belongs to the actor's organisation; the system with an OrganisationID may post
	// opportunities for that organisation. Returnees need a counsellor or supervisor.
	Actor onward.Actor
	// Reader is needed for Options.Suggest alone.
	Reader Reader
}

// Format is how a file is written.
type Format string

// The formats.
const (
	FormatDetect Format = ""       // by the first character
	FormatCSV    Format = "csv"    // with a header; delimited by commas, semicolons or tabs
	FormatNDJSON Format = "ndjson" // one JSON object a line, as the API takes it
)

// Options say how a file is read and what is done with its rows.
type Options struct {
	Format Format
	// Columns maps headers of the file to columns of Onward: {"Business Title": "title"}. An empty column leaves the
	// file's column out. CSV only.
	Columns map[string]string
	// Constants gives columns the same value in every row, {"kind": "job"}; where the file has the column too, it fills
	// the empty cells. CSV only.
	Constants map[string]string
	// Language is that of the columns title and description, which name none. Default: en. CSV only.
	Language string
	// IgnoreUnknown leaves columns out that Onward does not know, instead of refusing the file. CSV only.
	IgnoreUnknown bool
	// RepairEncoding mends text that was UTF-8, was taken for Latin-1 and written as UTF-8 again: "â\u0080\u0093" becomes a
	// dash. Default: such text is refused, and the reason names this option. CSV only.
	RepairEncoding bool
	// Publish opens opportunities that do not say so themselves. Default: they stay drafts.
	Publish bool
	// Fictional marks what is made up for demonstration.
	Fictional bool
	// DryRun checks every row, writes none, and counts as created what would be.
	DryRun bool
	// BatchSize is how many rows a transaction has. Default: 500.
	BatchSize int
	// Reject gets the bad rows as they came, with the reason in a column (or field) reject_reason. The file can be
	// imported once it is mended. It holds personal data, as the source does. Default: none.
	Reject io.Writer
	// Suggest gets suggestions of skills and occupations for good rows that have none, read from their texts: one Suggestion
	// a line, as JSON. It holds words of the texts. Default: none.
	Suggest io.Writer
	// Problem is told what is wrong, in the order of the file. Default: none.
	Problem func(Problem)
	// Progress is told after each batch how far the import is. Default: none.
	Progress func(Progress)
}

// Progress is how far an import is. Bytes are of the file as it lies there, packed or not.
type Progress struct {
	Rows  int
	Bytes int64
}

// Summary is what an import did.
type Summary struct {
	Read       int           `json:"read"`
	Created    int           `json:"created"`
	Duplicates int           `json:"duplicates"`
	Rejected   int           `json:"rejected"`
	DryRun     bool          `json:"dry_run,omitempty"`
	Duration   time.Duration `json:"duration_ns"`
}

const (
	defaultBatch = 500
	// maxBatchBytes ends a batch early when its rows are large, so that memory stays bounded.
	maxBatchBytes = 8 << 20
)

// Opportunities imports opportunities. EInvalid when the file as a whole can't be read, with what to do; the summary
// says what was done until then. EForbidden when the actor does not post opportunities.
func Opportunities(ctx context.Context, deps Deps, r io.Reader, options Options) (Summary, error) {
	return run(ctx, deps, r, options, opportunityTable)
}

// Returnees imports returnees, as Opportunities does. Their actor is a counsellor or supervisor.
func Returnees(ctx context.Context, deps Deps, r io.Reader, options Options) (Summary, error) {
	return run(ctx, deps, r, options, returneeTable)
}

// table is what the two kinds of import differ in.
type table[T any] struct {
	columns []Column
	// required are the columns that no row can do without.
	required []string
	// columnOf tells which column a field comes from when no cell says so.
	columnOf map[string]string
	// fromCells builds a value from a row of a CSV, and notes what can't be read.
	fromCells func(*row) T
	// body makes the value that a line of NDJSON is read into, and finish takes the result out of it.
	body     func() any
	finish   func(body any) T
	external func(*T) *string
	// questions are the texts from which skills and occupations are suggested, where the value has none.
	questions func(*T, string) []question
	validate  func(T, onward.Date, onward.Vocabulary) error
	prepare   func(*T, Deps, Options)
	create    func(context.Context, *store.Tx, []T) ([]store.Created, error)
}

// record is one row or line of a file.
type record struct {
	line     int
	size     int
	cells    []cell         // CSV
	raw      []byte         // NDJSON, and rows that can't be taken apart
	decoded  map[string]any // NDJSON
	problems []Problem
}

// source reads the records of a file. next returns io.EOF after the last.
type source[T any] interface {
	next() (*record, error)
	// value builds what the record says. The problems are added to the record.
	value(*record) T
	// explain turns a broken rule into the place in the file.
	explain(*record, onward.FieldError) Problem
	// content is what the record says, the same whenever the same row comes again.
	content(*record) []byte
	// reject writes the record as it came, with the reason.
	reject(w io.Writer, r *record, reason string) error
}

// importRun is one import under way.
type importRun[T any] struct {
	deps    Deps
	options Options
	table   table[T]
	source  source[T]
	input   *input
	summary Summary
	records []*record
	values  []T
	good    []int // positions in records of values
	bytes   int
	seed    maphash.Seed
	dryIDs  map[uint64]struct{}
}

func run[T any](ctx context.Context, deps Deps, r io.Reader, options Options, t table[T]) (summary Summary, err error) {
	start := time.Now()
	if options.BatchSize <= 0 {
		options.BatchSize = defaultBatch
	}
	if options.Language == "" {
		options.Language = "en"
	}
	in, err := openInput(r, options.Format)
	if err != nil {
		return Summary{DryRun: options.DryRun}, err
	}
	i := &importRun[T]{deps: deps, options: options, table: t, input: in, seed: maphash.MakeSeed(), dryIDs: map[uint64]struct{}{}}
	i.summary.DryRun = options.DryRun
	defer func() {
		summary = i.summary
		summary.Duration = time.Since(start)
	}()
	if in.format == FormatNDJSON {
		if len(options.Columns)+len(options.Constants) > 0 {
			return summary, onward.Errorf(onward.EInvalid, "columns can be mapped and set in CSV files only; this is NDJSON, where every line says it all")
		}
		i.source = &jsonSource[T]{in: in, table: t}
	} else if i.source, err = newCSVSource(in, t, deps.Resolver, options); err != nil {
		return summary, err
	}
	return summary, i.all(ctx)
}

func (i *importRun[T]) all(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := i.source.next()
		if errors.Is(err, io.EOF) {
			return i.flush(ctx)
		}
		if err != nil {
			return errors.Join(err, i.flush(ctx))
		}
		i.take(r)
		if len(i.records) >= i.options.BatchSize || i.bytes >= maxBatchBytes {
			if err := i.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// take reads one record. What is wrong with it is gathered whole, so that it can be mended in one go.
func (i *importRun[T]) take(r *record) {
	i.summary.Read++
	i.records = append(i.records, r)
	i.bytes += r.size
	if len(r.problems) > 0 {
		return
	}
	value := i.source.value(r)
	i.table.prepare(&value, i.deps, i.options)
	if len(r.problems) > 0 {
		i.addProblems(r, i.table.validate(value, i.deps.Store.Today(), i.deps.Resolver))
		return
	}
	if id := i.table.external(&value); *id == "" {
		*id = contentID(i.deps.Actor.OrganisationID, i.source.content(r))
	}
	i.values = append(i.values, value)
	i.good = append(i.good, len(i.records)-1)
}

// addProblems explains broken rules in the words of the file, but for columns that have a problem already.
func (i *importRun[T]) addProblems(r *record, err error) {
	if err == nil {
		return
	}
	fields := onward.FieldsOf(err)
	if len(fields) == 0 {
		r.problems = append(r.problems, Problem{Line: r.line, Reason: messageOf(err), Rule: string(onward.CodeOf(err))})
		return
	}
	had := map[string]bool{}
	for _, p := range r.problems {
		had[p.Column] = true
	}
	for _, f := range fields {
		if p := i.source.explain(r, f); !had[p.Column] {
			r.problems = append(r.problems, p)
		}
	}
}

func messageOf(err error) string {
	var known *onward.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return "the database refuses this row" // its own words can repeat values
}

// errDryRun rolls a dry run back.
var errDryRun = errors.New("dry run")

// flush writes a batch, then reports its bad rows in the order of the file.
func (i *importRun[T]) flush(ctx context.Context) error {
	created, err := i.create(ctx, i.values)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	for k, c := range created {
		switch {
		case c.Err != nil:
			i.addProblems(i.records[i.good[k]], c.Err)
		case c.Duplicate || i.seenInDryRun(&i.values[k]):
			i.summary.Duplicates++
		default:
			i.summary.Created++
		}
	}
	if err := i.suggest(ctx); err != nil {
		return err
	}
	for _, r := range i.records {
		if len(r.problems) == 0 {
			continue
		}
		i.summary.Rejected++
		for _, p := range r.problems {
			if i.options.Problem != nil {
				i.options.Problem(p)
			}
		}
		if i.options.Reject != nil {
			if err := i.source.reject(i.options.Reject, r, reasonOf(r.problems)); err != nil {
				return fmt.Errorf("write the rejected rows: %w", err)
			}
		}
	}
	clear(i.records)
	i.records, i.values, i.good, i.bytes = i.records[:0], i.values[:0], i.good[:0], 0
	if i.options.Progress != nil {
		i.options.Progress(Progress{Rows: i.summary.Read, Bytes: i.input.counted.n.Load()})
	}
	return nil
}

// create writes values in one transaction. A batch that the database refuses as a whole is halved until the row is found
// that it stumbles over.
func (i *importRun[T]) create(ctx context.Context, values []T) ([]store.Created, error) {
	if len(values) == 0 {
		return nil, nil
	}
	var created []store.Created
	err := i.deps.Store.InTx(ctx, i.deps.Actor, func(tx *store.Tx) (err error) {
		if created, err = i.table.create(ctx, tx, values); err == nil && i.options.DryRun {
			err = errDryRun
		}
		return err
	})
	switch {
	case err == nil, errors.Is(err, errDryRun):
		return created, nil
	case ctx.Err() != nil, onward.CodeOf(err) != onward.EInternal && onward.CodeOf(err) != onward.EConflict:
		return nil, err
	case len(values) == 1:
		return []store.Created{{Err: err}}, nil
	}
	half := len(values) / 2
	first, err := i.create(ctx, values[:half])
	if err != nil {
		return nil, err
	}
	second, err := i.create(ctx, values[half:])
	return append(first, second...), err
}

// seenInDryRun remembers the ids of a dry run, where the database can't: it forgets each batch.
func (i *importRun[T]) seenInDryRun(value *T) bool {
	if !i.options.DryRun {
		return false
	}
	id := maphash.String(i.seed, *i.table.external(value))
	_, seen := i.dryIDs[id]
	i.dryIDs[id] = struct{}{}
	return seen
}
