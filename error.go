package onward

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of failure an error is. Each code maps to one HTTP status in package api.
type Code string

// The codes that a caller can meet.
const (
	EInvalid         Code = "invalid"           // the input breaks a rule; Fields says which. 422
	EMalformed       Code = "malformed"         // the input can't be read at all. 400
	EUnauthenticated Code = "unauthenticated"   // no valid token. 401
	EForbidden       Code = "forbidden"         // the role may not do this. 403
	ENotFound        Code = "not_found"         // it does not exist, or not for this organisation. 404
	EConflict        Code = "conflict"          // the state does not allow it. 409
	EVersion         Code = "version_mismatch"  // it changed since it was read. 412
	EPrecondition    Code = "if_match_missing"  // a change needs If-Match. 428
	ETooLarge        Code = "too_large"         // the input is over a limit. 413
	ETooMany         Code = "too_many_requests" // more than is allowed at once. 429
	EUnavailable     Code = "unavailable"       // a part that is needed is away; trying again later helps. 503
	EInternal        Code = "internal"          // a defect. 500
)

// FieldError is one broken rule, at one place of the input. The message says what to do and never repeats the value:
// values may identify a person.
type FieldError struct {
	// Field is a path in the words of the JSON form, such as "skills[2].skill_id".
	Field string `json:"field"`
	// Rule names the broken rule for programs, such as "required", "range" or "unknown_skill".
	Rule    string `json:"rule"`
	Message string `json:"message"`
	// Suggestions are values of the public vocabulary (skills, places) that may be meant.
	Suggestions []Suggestion `json:"suggestions,omitempty"`
}

// Suggestion offers one entry of the public vocabulary in place of one that is unknown.
type Suggestion struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// Error is an error with a code for programs and a message for people.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError
	Current any   // of EVersion: the record as it is now, for who may see it
	Err     error // the cause, for the log; never shown
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	b.WriteString(": ")
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Field, f.Message)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error with a code. The message is for people: it says what to do and holds no personal data.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because adds the cause, which is for the log and for errors.Is only.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// Invalid makes one EInvalid out of field errors, or nil when there are none.
func Invalid(fields []FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	message := "1 field needs a change"
	if len(fields) > 1 {
		message = fmt.Sprintf("%d fields need a change", len(fields))
	}
	return &Error{Code: EInvalid, Message: message, Fields: fields}
}

// CodeOf is the code of the outermost Error in the chain; EInternal for any other error, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return EInternal
}

// FieldsOf returns the field errors in the chain, if any.
func FieldsOf(err error) []FieldError {
	var e *Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}

// CurrentOf returns the record as it is now that an EVersion carries, nil if none does.
func CurrentOf(err error) any {
	var e *Error
	if errors.As(err, &e) {
		return e.Current
	}
	return nil
}
