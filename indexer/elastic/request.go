package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"onward"
)

// object is a JSON object.
type object = map[string]any

// errGone says that the alias or index is not there.
var errGone = errors.New("the index does not exist")

// serverError is a refusal of the server.
type serverError struct {
	Status int
	Type   string
	Reason string
}

func (e *serverError) Error() string {
	return fmt.Sprintf("status %d: %s: %s", e.Status, e.Type, e.Reason)
}

// Is makes a missing index errGone.
func (e *serverError) Is(target error) bool {
	return target == errGone && e.Status == http.StatusNotFound && e.Type == indexNotFound
}

const (
	indexNotFound = "index_not_found_exception"
	alreadyExists = "resource_already_exists_exception"
)

type request interface {
	Do(ctx context.Context, transport esapi.Transport) (*esapi.Response, error)
}

// do sends a request and reads the answer into out, unless that is nil. EUnavailable when the server is away or busy.
func (ix *Index) do(ctx context.Context, r request, out any) error {
	response, err := r.Do(ctx, ix.transport)
	if err != nil {
		return lost(ctx, err)
	}
	defer func() {
		_, _ = io.Copy(io.Discard, response.Body) // so that the connection can be used again
		_ = response.Body.Close()
	}()
	if response.IsError() {
		return refused(response)
	}
	if out == nil {
		return nil
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		return lost(ctx, err)
	}
	if err := json.Unmarshal(body.Bytes(), out); err != nil {
		return onward.Errorf(onward.EInternal, "the answer of Elasticsearch can't be read").Because(err)
	}
	return nil
}

// lost is the error for a request without an answer. When the caller gave up, that is not the server's fault.
func lost(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("elasticsearch: %w", ctx.Err())
	}
	return onward.Errorf(onward.EUnavailable, "Elasticsearch does not answer").Because(err)
}

func refused(response *esapi.Response) error {
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	refusal := &serverError{Status: response.StatusCode}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if json.Unmarshal(text, &body) == nil && len(body.Error) > 0 {
		var cause struct {
			Type      string `json:"type"`
			Reason    string `json:"reason"`
			RootCause []struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
			} `json:"root_cause"`
		}
		if json.Unmarshal(body.Error, &cause) == nil {
			refusal.Type, refusal.Reason = cause.Type, cause.Reason
			if len(cause.RootCause) > 0 && cause.RootCause[0].Reason != cause.Reason {
				refusal.Reason += ": " + cause.RootCause[0].Reason
			}
		} else {
			refusal.Reason = string(body.Error)
		}
	}
	if errors.Is(refusal, errGone) {
		return refusal
	}
	if busy(response.StatusCode) {
		return onward.Errorf(onward.EUnavailable, "Elasticsearch can't answer now").Because(refusal)
	}
	return onward.Errorf(onward.EInternal, "Elasticsearch refused a request").Because(refusal)
}

// busy says that trying again later may help.
func busy(status int) bool { return status == http.StatusTooManyRequests || status >= 500 }

// jsonBody is a request body.
func jsonBody(v any) (io.Reader, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return &b, nil
}

func is(v bool) *bool { return &v }
