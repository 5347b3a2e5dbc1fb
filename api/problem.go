package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

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
	Errors    []ProblemField `json:"errors,omitempty" doc:"One entry per bad field"`

	cause error
}

// ProblemField is one bad field.
type ProblemField struct {
	Location    string              `json:"location" doc:"Such as body.skills[2].skill_id"`
	Rule        string              `json:"rule,omitempty"`
	Message     string              `json:"message"`
	Suggestions []onward.Suggestion `json:"suggestions,omitempty"`
}

func (p *Problem) Error() string { return p.Detail }

func (p *Problem) Unwrap() error { return p.cause }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

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
	onward.EUnavailable:     http.StatusServiceUnavailable,
	onward.EInternal:        http.StatusInternalServerError,
}

// problem turns an error of the domain into what the caller sees. The cause stays inside, for the log.
func problem(err error) error {
	if err == nil {
		return nil
	}
	code := onward.CodeOf(err)
	p := &Problem{Type: "about:blank", Title: http.StatusText(statusOf[code]), Status: statusOf[code], Code: code, cause: err}
	var domain *onward.Error
	if errors.As(err, &domain) {
		p.Detail = domain.Message
		for _, f := range domain.Fields {
			p.Errors = append(p.Errors, ProblemField{Location: location(f.Field), Rule: f.Rule, Message: f.Message, Suggestions: f.Suggestions})
		}
	} else {
		p.Detail = "something went wrong here; try again, and if it stays so name the request_id to your administrator"
	}
	return p
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
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: codeOf(status), Detail: message}
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		switch {
		case err == nil:
		case errors.As(err, &detailer):
			detail := detailer.ErrorDetail()
			p.Errors = append(p.Errors, ProblemField{Location: detail.Location, Rule: "schema", Message: plain(detail.Message)})
		default:
			p.Errors = append(p.Errors, ProblemField{Location: "body", Rule: "syntax", Message: plain(err.Error())})
		}
	}
	switch {
	case status == http.StatusUnprocessableEntity && len(p.Errors) > 0:
		p.Detail = "the request does not fit the API; see errors, and /docs for what it takes"
	case status == http.StatusBadRequest && len(p.Errors) > 0:
		p.Detail = "the request can't be read; see errors"
	case status == http.StatusRequestEntityTooLarge:
		p.Detail = "the body is too large; send less at once, or use the bulk endpoint"
	case status >= http.StatusInternalServerError:
		p.Errors = nil
	}
	return p
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

// plain keeps a message of the JSON decoder from quoting what was sent.
func plain(message string) string {
	if before, _, cut := strings.Cut(message, ": \""); cut {
		return before
	}
	return message
}
