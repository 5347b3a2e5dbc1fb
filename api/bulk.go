package api

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"onward"
	"onward/store"
)

const (
	// bulkBatch lines go into one transaction.
	bulkBatch = 500
	// bulkLines bounds the answer, which has an entry for each.
	bulkLines = 50_000
	bulkLine  = bodyLimit
)

type bulkInput struct {
	RawBody []byte `contentType:"application/x-ndjson"`
}

type bulkOutput struct {
	Body bulkResult
}

type bulkResult struct {
	Created    int       `json:"created"`
	Duplicates int       `json:"duplicates" doc:"external_id existed; nothing was changed"`
	Rejected   int       `json:"rejected"`
	Lines      []bulkRow `json:"lines" doc:"One entry per line that is not blank, in order"`
}

type bulkRow struct {
	Line      int            `json:"line" doc:"From 1"`
	ID        *onward.ID     `json:"id,omitempty"`
	Duplicate bool           `json:"duplicate,omitempty"`
	Detail    string         `json:"detail,omitempty" doc:"Why it was rejected"`
	Errors    []ProblemField `json:"errors,omitempty"`
}

// createMany writes records and says what became of each.
type createMany[T any] func(context.Context, *store.Tx, []T) ([]store.Created, error)

// registerBulk offers an NDJSON endpoint: each line is one record in the form of the single endpoint. What is wrong
// with one line is reported and the others are written.
func registerBulk[T any](a *API, noun string, tags []string, create createMany[T]) {
	lines := newLineReader[T](a.huma.OpenAPI().Components.Schemas)
	register(a, huma.Operation{
		OperationID: "bulk-" + noun, Method: http.MethodPost, Path: "/v1/" + noun + "/bulk", Tags: tags,
		Summary: "Send many " + noun + ", one JSON object a line (NDJSON)",
		Description: "Each line has the form of " + lines.name() + ". Each is checked on its own: bad lines are reported, good ones are written, in " +
			"transactions of 500. With an external_id on each line, sending the same body again adds nothing. At most 16 MiB, 50,000 lines and " +
			"1 MiB a line.",
		MaxBodyBytes: bulkLimit, BodyReadTimeout: bulkTime, SkipValidateBody: true, Errors: forbids(), Middlewares: huma.Middlewares{onlyLines},
	}, func(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
		if bytes.Count(in.RawBody, []byte{'\n'}) >= bulkLines {
			return nil, onward.Errorf(onward.ETooLarge, "send at most %d lines at once", bulkLines)
		}
		b := bulk[T]{api: a, create: create, lines: lines, result: bulkResult{Lines: []bulkRow{}}}
		err := b.run(ctx, in.RawBody)
		return &bulkOutput{Body: b.result}, err
	})
}

// onlyLines refuses what says of itself that it is no NDJSON, such as a spreadsheet.
func onlyLines(ctx huma.Context, next func(huma.Context)) {
	kind, _, err := mime.ParseMediaType(ctx.Header("Content-Type"))
	switch {
	case ctx.Header("Content-Type") == "", err == nil && slices.Contains([]string{"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json"}, kind):
		next(ctx)
	default:
		abort(humagin.Unwrap(ctx), newProblemOf(http.StatusUnsupportedMediaType, "this kind of body is not taken; send NDJSON, one JSON object a line, with Content-Type: application/x-ndjson"))
	}
}

// bulk is one bulk request.
type bulk[T any] struct {
	api    *API
	create createMany[T]
	lines  lineReader[T]
	result bulkResult

	// The batch under way: values, and the places in result.Lines for what becomes of them.
	values []T
	rows   []int
}

func (b *bulk[T]) run(ctx context.Context, body []byte) error {
	number := 0
	for raw := range bytes.Lines(bytes.TrimPrefix(body, []byte("\ufeff"))) { // some programs begin UTF-8 with a mark
		number++
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		b.result.Lines = append(b.result.Lines, bulkRow{Line: number})
		row := len(b.result.Lines) - 1
		value, bad := b.lines.decode(raw)
		if bad != nil {
			b.result.reject(row, bad)
			continue
		}
		b.values, b.rows = append(b.values, value), append(b.rows, row)
		if len(b.values) == bulkBatch {
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
	}
	return b.flush(ctx)
}

// flush writes the batch. What earlier batches wrote stays when a later one fails: the caller sends the whole again.
func (b *bulk[T]) flush(ctx context.Context) error {
	// An empty batch is created as well: whoever may not post is told so, whatever the lines hold.
	created, err := inTx(ctx, b.api, func(tx *store.Tx) ([]store.Created, error) { return b.create(ctx, tx, b.values) })
	if err != nil {
		return err
	}
	for i, c := range created {
		b.result.enter(b.rows[i], c)
	}
	b.values, b.rows = b.values[:0], b.rows[:0]
	return nil
}

func (r *bulkResult) enter(row int, c store.Created) {
	line := &r.Lines[row]
	switch {
	case c.Err != nil:
		r.reject(row, problem(c.Err))
	case c.Duplicate:
		r.Duplicates++
		line.ID, line.Duplicate = &c.Ref.ID, true
	default:
		r.Created++
		line.ID = &c.Ref.ID
	}
}

func (r *bulkResult) reject(row int, p *Problem) {
	r.Rejected++
	r.Lines[row].Detail, r.Lines[row].Errors = p.Detail, p.Errors
}

// lineReader reads one line as strictly as the single endpoint reads its body.
type lineReader[T any] struct {
	registry huma.Registry
	schema   *huma.Schema
}

func newLineReader[T any](registry huma.Registry) lineReader[T] {
	return lineReader[T]{registry, registry.Schema(reflect.TypeFor[T](), true, "")}
}

// name of the form of a line, in the document.
func (l lineReader[T]) name() string { return refName(l.schema) }

func (l lineReader[T]) decode(raw []byte) (value T, bad *Problem) {
	if len(raw) > bulkLine {
		return value, newProblemOf(http.StatusRequestEntityTooLarge, "this line is over 1 MiB")
	}
	var form any
	if err := unmarshalJSON(raw, &form); err != nil {
		return value, badLine(err)
	}
	var found huma.ValidateResult
	huma.Validate(l.registry, l.schema, huma.NewPathBuffer([]byte("body"), len("body")), huma.ModeWriteToServer, form, &found)
	if len(found.Errors) > 0 {
		p := newProblemOf(http.StatusUnprocessableEntity, "this line does not fit the API; see errors, and /docs for what it takes")
		p.Errors = fieldsOf(found.Errors)
		return value, p
	}
	if err := unmarshalJSON(raw, &value); err != nil {
		return value, badLine(err)
	}
	return value, nil
}

func badLine(err error) *Problem {
	p := newProblemOf(http.StatusBadRequest, "this line can't be read; put one JSON object on each line")
	p.add(fieldOf("body", err.Error()))
	return p
}
