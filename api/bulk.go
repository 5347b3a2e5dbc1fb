package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/store"
)

const (
	// bulkBatch lines go into one transaction.
	bulkBatch = 500
	bulkLine  = bodyLimit
)

type bulkInput struct {
	RawBody []byte `contentType:"application/x-ndjson"`
}

type bulkOutput struct {
	Body struct {
		Created    int       `json:"created"`
		Duplicates int       `json:"duplicates" doc:"external_id existed; nothing was changed"`
		Rejected   int       `json:"rejected"`
		Lines      []bulkRow `json:"lines" doc:"One entry per line that is not blank, in order"`
	}
}

type bulkRow struct {
	Line      int            `json:"line" doc:"From 1"`
	ID        *onward.ID     `json:"id,omitempty"`
	Duplicate bool           `json:"duplicate,omitempty"`
	Detail    string         `json:"detail,omitempty" doc:"Why it was rejected"`
	Errors    []ProblemField `json:"errors,omitempty"`
}

// registerBulk offers an NDJSON endpoint: each line is one record in the form of the single endpoint. What is wrong
// with one line is reported and the others are written.
func registerBulk[T any](a *API, noun string, tags []string, create func(context.Context, *store.Tx, []T) ([]store.Created, error)) {
	huma.Register(a.huma, huma.Operation{
		OperationID: "bulk-" + noun, Method: http.MethodPost, Path: "/v1/" + noun + "/bulk", Tags: tags,
		Summary: "Send many " + noun + ", one JSON object a line (NDJSON)",
		Description: "Each line is checked on its own: bad lines are reported, good ones are written, in transactions of 500. " +
			"With an external_id on each line, sending the same body again adds nothing. At most 16 MiB.",
		MaxBodyBytes: bulkLimit, SkipValidateBody: true,
	}, func(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
		return bulk(ctx, a, in.RawBody, create)
	})
}

type numbered[T any] struct {
	line  int
	value T
}

func bulk[T any](ctx context.Context, a *API, body []byte, create func(context.Context, *store.Tx, []T) ([]store.Created, error)) (*bulkOutput, error) {
	out := &bulkOutput{}
	out.Body.Lines = []bulkRow{}
	batch := make([]numbered[T], 0, bulkBatch)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		values := make([]T, len(batch))
		for i, n := range batch {
			values[i] = n.value
		}
		var created []store.Created
		err := a.store.InTx(ctx, actorFrom(ctx), func(tx *store.Tx) (err error) {
			created, err = create(ctx, tx, values)
			return err
		})
		if err != nil {
			return err
		}
		for i, c := range created {
			out.add(batch[i].line, c)
		}
		batch = batch[:0]
		return nil
	}
	number := 0
	for raw := range bytes.Lines(body) {
		number++
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		value, err := decodeLine[T](raw)
		if err != nil {
			if ferr := flush(); ferr != nil { // keeps the entries in the order of the lines
				return nil, a.fail(ctx, ferr)
			}
			out.add(number, store.Created{Err: err})
			continue
		}
		if batch = append(batch, numbered[T]{number, value}); len(batch) == bulkBatch {
			if err := flush(); err != nil {
				return nil, a.fail(ctx, err)
			}
		}
	}
	if err := flush(); err != nil {
		return nil, a.fail(ctx, err)
	}
	return out, nil
}

// decodeLine reads one line as strictly as the single endpoint reads its body.
func decodeLine[T any](raw []byte) (T, error) {
	var value T
	switch {
	case len(raw) > bulkLine:
		return value, onward.Errorf(onward.ETooLarge, "this line is over 1 MiB")
	case !utf8.Valid(raw):
		return value, onward.Errorf(onward.EMalformed, "send text as UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return value, onward.Errorf(onward.EMalformed, "this line is not one JSON object of the right form: %s", plain(err.Error()))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return value, onward.Errorf(onward.EMalformed, "put one JSON object on each line")
	}
	return value, nil
}

func (out *bulkOutput) add(line int, c store.Created) {
	row := bulkRow{Line: line}
	switch {
	case c.Err != nil:
		out.Body.Rejected++
		p, _ := problem(c.Err).(*Problem)
		row.Detail, row.Errors = p.Detail, p.Errors
	case c.Duplicate:
		out.Body.Duplicates++
		row.ID, row.Duplicate = &c.Ref.ID, true
	default:
		out.Body.Created++
		row.ID = &c.Ref.ID
	}
	out.Body.Lines = append(out.Body.Lines, row)
}
