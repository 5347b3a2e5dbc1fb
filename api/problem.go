package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"onward"
)

// Problem is every error of the API, in the form of RFC 9457. It never repeats a value that was sent: values may
// identify a person.
type Problem struct {
	Type      string         `json:"type" doc:"about:blank; the code says more" example:"about:blank"`
	Title     string         `json:"title" doc:"The HTTP status in words"`
	Status    int            `json:"status" doc:"The HTTP status"`
	Code      onward.Code    `json:"code" doc:"What went wrong, for programs"`
	Detail    string         `json:"detail" doc:"What to do about it"`
	RequestID string         `json:"request_id,omitempty" doc:"Name this when you ask for help"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"One entry per bad field, a hundred at most"`
	Current   any            `json:"current,omitempty" doc:"With 412: the record as it is now, where it can be shown"`

	cause error
	wait  time.Duration
}

// ProblemField is one bad field.
type ProblemField struct {
	Location    string              `json:"location" doc:"Such as body.skills[2].skill_id"`
	Rule        string              `json:"rule,omitempty"`
	Message     string              `json:"message"`
	Suggestions []onward.Suggestion `json:"suggestions,omitempty"`
}

const (
	problemContentType = "application/problem+json"
	// maxFields of a problem are more than a person mends at once.
	maxFields = 100
	// defect is all that a caller is told of one.
	defect = "something went wrong here; try again, and if it stays so name the request_id to your administrator"
)

var problemType = reflect.TypeFor[Problem]()

func (p *Problem) Error() string { return p.Detail }

func (p *Problem) Unwrap() error { return p.cause }

// GetHeaders tells huma how long to wait.
func (p *Problem) GetHeaders() http.Header {
	if p.wait == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(int(p.wait/time.Second) + 1)}}
}

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemContentType }

// The codes of HTTP itself; those of the domain are in package onward.
const (
	codeMethod    onward.Code = "method_not_allowed"
	codeMediaType onward.Code = "unsupported_media_type"
	codeTimeout   onward.Code = "timeout"
)

var statusOf = map[onward.Code]int{
	onward.EInvalid:         http.StatusUnprocessableEntity,
	onward.EMalformed:       http.StatusBadRequest,
	onward.EUnauthenticated: http.StatusUnauthorized,
	onward.EForbidden:       http.StatusForbidden,
	onward.ENotFound:        http.StatusNotFound,
	onward.EConflict:        http.StatusConflict,
	onward.EVersion:         http.StatusPreconditionFailed,
	onward.EPrecondition:    http.StatusPreconditionRequired,
	onward.ETooLarge:        http.StatusRequestEntityTooLarge,
	onward.ETooMany:         http.StatusTooManyRequests,
	onward.EUnavailable:     http.StatusServiceUnavailable,
	onward.EInternal:        http.StatusInternalServerError,
	codeMethod:              http.StatusMethodNotAllowed,
	codeMediaType:           http.StatusUnsupportedMediaType,
	codeTimeout:             http.StatusRequestTimeout,
}

func codeOf(status int) onward.Code {
	for code, s := range statusOf {
		if s == status {
			return code
		}
	}
	if status >= http.StatusInternalServerError {
		return onward.EInternal
	}
	return onward.EMalformed
}

// doesNotFit is said of what has the wrong form.
const doesNotFit = "the request does not fit the API; see errors, and /docs for what it takes"

func newProblemOf(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: codeOf(status), Detail: detail}
}

// problem turns an error of the domain into what the caller sees. The cause stays inside, for the log.
func problem(err error) *Problem {
	p := newProblemOf(statusOf[onward.CodeOf(err)], defect)
	p.cause = err
	var wait waitError
	if errors.As(err, &wait) {
		p.wait = wait.after
	}
	var domain *onward.Error
	if errors.As(err, &domain) {
		p.Detail, p.Current = domain.Message, domain.Current
		for _, f := range domain.Fields {
			p.add(ProblemField{Location: location(f.Field), Rule: f.Rule, Message: f.Message, Suggestions: f.Suggestions})
		}
	}
	return p
}

func (p *Problem) add(field ProblemField) {
	if len(p.Errors) < maxFields {
		p.Errors = append(p.Errors, field)
	}
}

// location says in which part of the request a field is. Fields of the domain are fields of the body unless they are
// known to come from elsewhere.
func location(field string) string {
	switch field {
	case "cursor", "limit", "offset", "wait", "near", "radius_km", "skill":
		return "query." + field
	case "Idempotency-Key", "If-Match":
		return "header." + field
	}
	return "body." + field
}

// newProblem is what huma makes of its own errors: requests that do not fit the document.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	if message == "cannot read request body" { // huma takes it for our fault, but it is the client that went away
		status, errs = http.StatusBadRequest, nil
	}
	p := newProblemOf(status, message)
	switch status {
	case http.StatusUnprocessableEntity:
		p.Detail = doesNotFit
	case http.StatusBadRequest:
		p.Detail = "the body can't be read; send one JSON object, as /docs shows"
	case http.StatusRequestEntityTooLarge:
		p.Detail, errs = "the body is too large; send less at once, or use the bulk endpoint", nil
	case http.StatusUnsupportedMediaType:
		p.Detail, errs = "this kind of body is not taken; send JSON, with Content-Type: application/json", nil
	case http.StatusRequestTimeout:
		p.Detail, errs = "the body did not come in time; try again on a better connection, or send less at once", nil
	}
	if status >= http.StatusInternalServerError {
		p.Detail, errs = defect, nil
	}
	p.Errors = fieldsOf(errs)
	return p
}

// fieldsOf are huma's details in our words, in an order that stays the same.
func fieldsOf(errs []error) []ProblemField {
	var fields []ProblemField
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		if errors.As(err, &detailer) {
			detail := detailer.ErrorDetail()
			fields = append(fields, fieldOf(safeLocation(detail.Location), detail.Message))
		}
	}
	slices.SortStableFunc(fields, func(a, b ProblemField) int { return strings.Compare(a.Location, b.Location) })
	return fields[:min(len(fields), maxFields)]
}

// fieldOf says in our words what huma found. Its messages name rules and never values.
func fieldOf(location, message string) ProblemField {
	required, isRequired := strings.CutPrefix(message, "expected required property ")
	switch {
	case isRequired:
		return ProblemField{Location: location + "." + strings.TrimSuffix(required, " to be present"), Rule: "required", Message: "fill this in"}
	case message == validation.MsgUnexpectedProperty:
		return ProblemField{Location: location, Rule: "unknown_field", Message: "there is no such field here; /docs lists the fields"}
	case message == "unknown query parameter":
		return ProblemField{Location: location, Rule: "unknown_parameter", Message: "there is no such parameter here; /docs lists the parameters"}
	case location == "body":
		return ProblemField{Location: location, Rule: "syntax", Message: message}
	}
	return ProblemField{Location: location, Rule: "schema", Message: strings.TrimPrefix(message, "invalid value: invalid: ")}
}

// safeLocation leaves out of a location what a person may have written in the place of a name.
func safeLocation(location string) string {
	segments := strings.Split(location, ".")
	for i, segment := range segments {
		name, index, _ := strings.Cut(segment, "[")
		if segments[i] = safeName(name); index != "" && segments[i] == name {
			segments[i] = segment
		}
	}
	if len(segments) > 10 { // deeper than any form: dots in a name
		segments = append(segments[:10], "…")
	}
	return strings.Join(segments, ".")
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", problemContentType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}
