package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"onward"
)

// maxDepth is far more than any form of the API has.
const maxDepth = 32

// unmarshalJSON reads a body. It refuses what encoding/json silently mends or leaves out: broken UTF-8, and one field
// given twice. Its errors never quote the body. huma calls it twice, first for a value of any form.
func unmarshalJSON(data []byte, v any) error {
	_, first := v.(*any)
	if first && !utf8.Valid(data) {
		return errors.New("send text as UTF-8")
	}
	if err := json.Unmarshal(data, v); err != nil {
		return errors.New(withoutValues(err))
	}
	if first {
		return checkKeys(data)
	}
	return nil
}

// withoutValues says what is wrong with a body: encoding/json would quote it.
func withoutValues(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var domain *onward.Error
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("this is not JSON; the first %d bytes can be read, look at what comes then", max(0, syntax.Offset-1))
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("%s: use %s", kind.Field, kindName(kind.Type))
	case errors.As(err, &kind):
		return "use " + kindName(kind.Type)
	case errors.As(err, &domain):
		return domain.Message
	}
	return "this does not have the form that /docs shows"
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number without a decimal point, of at most 18 digits"
	case reflect.Float64:
		return "a number that is not too large"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	}
	return "a text"
}

// checkKeys refuses a field that is given twice and too deep nesting. data is valid JSON.
func checkKeys(data []byte) error {
	type container struct {
		keys   map[string]bool // nil for a list
		inside bool            // after the colon: a text is a value
	}
	var open []container
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if len(open) == maxDepth {
				return fmt.Errorf("this is nested more than %d deep", maxDepth)
			}
			open = append(open, container{})
			if data[i] == '{' {
				open[len(open)-1].keys = map[string]bool{}
			}
		case '}', ']':
			open = open[:len(open)-1]
		case ',':
			open[len(open)-1].inside = false
		case ':':
			open[len(open)-1].inside = true
		case '"':
			end := i + textLength(data[i:])
			if current := len(open) - 1; current >= 0 && open[current].keys != nil && !open[current].inside {
				key := keyOf(data[i:end])
				if open[current].keys[key] {
					return fmt.Errorf("%s is given more than once", safeName(key))
				}
				open[current].keys[key] = true
			}
			i = end - 1
		}
	}
	return nil
}

// textLength is the length of a JSON text with its quotes.
func textLength(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

func keyOf(quoted []byte) string {
	var key string
	if err := json.Unmarshal(quoted, &key); err != nil {
		return string(quoted)
	}
	return key
}

// safeName is the name of a field if it looks like one. Names are repeated to the caller and values never are; what a
// person wrote in the place of a name is more likely a value.
func safeName(name string) string {
	if len(name) > 40 || strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return "…"
	}
	return name
}
