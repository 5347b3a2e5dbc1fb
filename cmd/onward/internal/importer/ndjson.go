package importer

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"onward"
)

// jsonSource reads a file of one JSON object a line.
type jsonSource[T any] struct {
	in    *input
	table table[T]
}

// next reads one line that is not blank.
func (s *jsonSource[T]) next() (*record, error) {
	for {
		number := s.in.line
		line, n, ok, err := s.in.wholeLine()
		if err != nil {
			return nil, unreadable(err)
		}
		if !ok {
			raw := slices.Clone(s.in.unread()[:shownValue])
			if err := s.in.skipLine(); err != nil {
				return nil, unreadable(err)
			}
			return &record{line: number, size: maxRow, raw: raw, problems: []Problem{{Line: number, Value: string(raw), Rule: "too_large", Reason: "the line is longer than 1 MB"}}}, nil
		}
		if n == 0 {
			return nil, io.EOF
		}
		line = bytes.Clone(bytes.TrimSpace(line))
		s.in.consume(n, 1)
		if len(line) == 0 {
			continue
		}
		r := &record{line: number, size: n, raw: line}
		s.decode(r)
		return r, nil
	}
}

func (s *jsonSource[T]) decode(r *record) {
	add := func(rule, reason string) {
		r.problems = append(r.problems, Problem{Line: r.line, Value: strings.ToValidUTF8(string(r.raw), "\uFFFD"), Rule: rule, Reason: reason})
	}
	if !utf8.Valid(r.raw) {
		add("utf8", "this is not UTF-8; save the file as UTF-8")
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(r.raw))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		reason := "this is not JSON; write one object a line"
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			reason = fmt.Sprintf("this is not JSON, from character %d on; write one object a line", utf8.RuneCount(r.raw[:min(int(syntax.Offset), len(r.raw))]))
		}
		add("json", reason)
		return
	}
	object, ok := decoded.(map[string]any)
	if _, err := decoder.Token(); !ok || !errors.Is(err, io.EOF) {
		add("json", "write one JSON object a line, and nothing else")
		return
	}
	delete(object, rejectReason)
	r.decoded = object
	c := jsonCheck{record: r}
	c.value("", object, reflect.TypeOf(s.table.body()).Elem())
}

func (s *jsonSource[T]) value(r *record) T {
	body := s.table.body()
	raw, err := json.Marshal(r.decoded)
	if err == nil {
		err = json.Unmarshal(raw, body)
	}
	if err != nil { // the check has said why, or it misses something
		r.problems = append(r.problems, Problem{Line: r.line, Rule: "json", Reason: "this can't be read as the API would read it"})
	}
	return s.table.finish(body)
}

func (s *jsonSource[T]) explain(r *record, f onward.FieldError) Problem {
	return Problem{Line: r.line, Column: f.Field, Value: valueAt(r.decoded, f.Field), Rule: f.Rule, Reason: f.Message, Suggestions: f.Suggestions}
}

// valueAt is what stands at a path such as skills[2].skill_id; empty where that is not one plain value.
func valueAt(decoded any, path string) string {
	for _, step := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' || c == ']' }) {
		switch v := decoded.(type) {
		case map[string]any:
			decoded = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return ""
			}
			decoded = v[i]
		default:
			return ""
		}
	}
	return plainValue(decoded)
}

func plainValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// content is the object without white space and in the order of its keys.
func (s *jsonSource[T]) content(r *record) []byte {
	content, err := json.Marshal(r.decoded)
	if err != nil {
		return r.raw
	}
	return content
}

// reject writes the object as it came, with the reason as its first field. A line that is no object becomes one.
func (s *jsonSource[T]) reject(w io.Writer, r *record, reason string) error {
	quoted, err := json.Marshal(reason)
	if err != nil {
		return err
	}
	line := []byte(`{"` + rejectReason + `":`)
	line = append(line, quoted...)
	if r.decoded == nil {
		raw, err := json.Marshal(string(r.raw))
		if err != nil {
			return err
		}
		line = append(append(append(line, `,"line":`...), raw...), '}')
	} else {
		rest := withoutReason(r)
		if len(r.decoded) > 0 {
			line = append(line, ',')
		}
		line = append(line, rest...)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// withoutReason is the object without its opening brace, and without the reason of an earlier import.
func withoutReason(r *record) []byte {
	var had map[string]json.RawMessage
	if json.Unmarshal(r.raw, &had) == nil {
		if _, has := had[rejectReason]; !has {
			return bytes.TrimSpace(r.raw[1:])
		}
	}
	rest, err := json.Marshal(r.decoded)
	if err != nil {
		return []byte("}")
	}
	return rest[1:]
}

// jsonCheck compares decoded JSON with the type that it is to be read into, so that every field that does not fit is named,
// not only the first.
type jsonCheck struct{ record *record }

func (c *jsonCheck) wrong(path string, value any, rule, reason string) {
	c.record.problems = append(c.record.problems, Problem{Line: c.record.line, Column: path, Value: plainValue(value), Rule: rule, Reason: reason})
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func (c *jsonCheck) value(path string, value any, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		if value == nil {
			return
		}
		t = t.Elem()
	}
	if value == nil {
		return // null is "not given", as in the API
	}
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		text, ok := value.(string)
		if !ok {
			c.wrong(path, value, "type", "use a text in quotation marks")
		} else if u, _ := reflect.TypeAssert[encoding.TextUnmarshaler](reflect.New(t)); u != nil {
			if err := u.UnmarshalText([]byte(text)); err != nil {
				c.wrong(path, value, "format", messageOf(err))
			}
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.object(path, value, t)
	case reflect.Map:
		object, ok := value.(map[string]any)
		if !ok {
			c.wrong(path, value, "type", `use an object by language, such as {"es": "…"}`)
			return
		}
		for _, key := range sortedAny(object) {
			c.value(join(path, key), object[key], t.Elem())
		}
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			c.wrong(path, value, "type", "use a list in brackets")
			return
		}
		for i, item := range list {
			c.value(fmt.Sprintf("%s[%d]", path, i), item, t.Elem())
		}
	case reflect.String:
		if _, ok := value.(string); !ok {
			c.wrong(path, value, "type", "use a text in quotation marks")
		}
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			c.wrong(path, value, "type", "use true or false, without quotation marks")
		}
	case reflect.Int, reflect.Int64:
		number, ok := value.(json.Number)
		if _, err := number.Int64(); !ok || err != nil {
			c.wrong(path, value, "type", "use a whole number, without quotation marks")
		}
	default:
		number, ok := value.(json.Number)
		if f, err := number.Float64(); !ok || err != nil || math.IsInf(f, 0) {
			c.wrong(path, value, "type", "use a number, without quotation marks")
		}
	}
}

func (c *jsonCheck) object(path string, value any, t reflect.Type) {
	object, ok := value.(map[string]any)
	if !ok {
		c.wrong(path, value, "type", "use an object in braces")
		return
	}
	fields := map[string]reflect.Type{}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && !f.Anonymous {
			fields[name] = f.Type
			names = append(names, name)
		}
	}
	for _, key := range sortedAny(object) {
		field, known := fields[key]
		if !known {
			c.wrong(join(path, key), object[key], "unknown_field", strings.TrimSpace(unknown("field", key, names, "")))
			continue
		}
		c.value(join(path, key), object[key], field)
	}
}

func sortedAny(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
