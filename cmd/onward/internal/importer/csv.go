package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"onward"
)

// Column is one column of a CSV file.
type Column struct {
	Name  string `json:"name"`
	Means string `json:"means"`
}

// byLanguage are the columns that come once a language: title_es, title_fr.
var byLanguage = regexp.MustCompile(`^(title|description)_([a-z]{2,3})$`)

// csvSource reads the rows of a CSV file.
type csvSource[T any] struct {
	in        *input
	table     table[T]
	row       row
	comma     byte
	header    []string // as in the file
	rejecting bool     // the header of the reject file is written
}

// row is what a table reads a record through: by column, whatever the file calls it.
type row struct {
	resolver  Resolver
	language  string
	index     map[string]int // column -> position in the file
	constants map[string]string
	titles    []string // columns that come by language, in the order of the file
	header    []string
	repair    bool

	record  *record
	sources map[string]cellSource // field -> where it comes from; nil: not noted
}

// cellSource is where a field comes from.
type cellSource struct{ column, value string }

func newCSVSource[T any](in *input, t table[T], resolver Resolver, options Options) (*csvSource[T], error) {
	s := &csvSource[T]{in: in, table: t}
	for {
		line, n, ok, err := in.wholeLine()
		if err != nil {
			return nil, unreadable(err)
		}
		if !ok {
			return nil, onward.Errorf(onward.EInvalid, "the first line is longer than 1 MB; is this a CSV file?")
		}
		if len(bytes.TrimSpace(line)) > 0 || n == 0 {
			s.comma = delimiterOf(line)
			break
		}
		in.consume(n, 1)
	}
	r, err := s.next()
	if err != nil || len(r.problems) > 0 {
		if err == nil {
			err = onward.Errorf(onward.EInvalid, "line %d: %s", r.problems[0].Line, r.problems[0].Reason)
		}
		return nil, err
	}
	for _, c := range r.cells {
		if !utf8.ValidString(c.value) {
			return nil, onward.Errorf(onward.EInvalid, "the first line is not UTF-8; save the file as UTF-8 (in a spreadsheet: CSV UTF-8)")
		}
		s.header = append(s.header, strings.TrimSpace(c.value))
	}
	if len(s.header) > maxColumns {
		return nil, onward.Errorf(onward.EInvalid, "the file has %d columns; use %d at most", len(s.header), maxColumns)
	}
	s.row = row{
		resolver: resolver, language: options.Language, index: map[string]int{}, constants: map[string]string{}, header: s.header,
		repair: options.RepairEncoding,
	}
	return s, s.mapColumns(options)
}

// delimiterOf is what the header has most of: commas, semicolons or tabs, outside quotation marks.
func delimiterOf(header []byte) byte {
	counts := map[byte]int{}
	quoted := false
	for _, b := range header {
		if b == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[b]++
		}
	}
	best := byte(',')
	for _, candidate := range []byte{';', '\t'} {
		if counts[candidate] > counts[best] {
			best = candidate
		}
	}
	return best
}

// mapColumns finds out which column of the file is which, and refuses the file before any row is read if it can't.
func (s *csvSource[T]) mapColumns(options Options) error {
	known := make([]string, len(s.table.columns))
	for i, c := range s.table.columns {
		known[i] = c.Name
	}
	isKnown := func(name string) bool {
		return slices.Contains(known, name) || (byLanguage.MatchString(name) && slices.Contains(known, "title"))
	}
	target := map[int]string{} // position -> column, where the options say so
	for _, from := range sortedKeys(options.Columns) {
		to := plain(options.Columns[from])
		at := slices.IndexFunc(s.header, func(h string) bool { return h == strings.TrimSpace(from) })
		if at < 0 {
			at = slices.IndexFunc(s.header, func(h string) bool { return plain(h) == plain(from) })
		}
		if at < 0 {
			return onward.Errorf(onward.EInvalid, "%s", unknown("column of the file", from, s.header, fmt.Sprintf("It has: %s", strings.Join(s.header, ", "))))
		}
		if to != "" && !isKnown(to) {
			return onward.Errorf(onward.EInvalid, "%s", unknown("column of Onward", options.Columns[from], known, fmt.Sprintf("%q can't be mapped to it", from)))
		}
		target[at] = to
	}
	for at, name := range s.header {
		to, mapped := target[at]
		if !mapped {
			to = plain(name)
		}
		switch {
		case to == "" || to == rejectReason:
			continue
		case !isKnown(to) && options.IgnoreUnknown:
			continue
		case !isKnown(to):
			return onward.Errorf(onward.EInvalid, "%s", unknown("column", name, known,
				"Rename it, map it to a column of Onward or to nothing, or leave all unknown columns out"))
		}
		if _, twice := s.row.index[to]; twice {
			return onward.Errorf(onward.EInvalid, "two columns of the file are %s; map one of them to nothing", to)
		}
		s.row.index[to] = at
		if byLanguage.MatchString(to) {
			s.row.titles = append(s.row.titles, to)
		}
	}
	for _, name := range sortedKeys(options.Constants) {
		to := plain(name)
		if !isKnown(to) {
			return onward.Errorf(onward.EInvalid, "%s", unknown("column of Onward", name, known, "It can't be set"))
		}
		s.row.constants[to] = options.Constants[name]
		if _, inFile := s.row.index[to]; !inFile && byLanguage.MatchString(to) {
			s.row.titles = append(s.row.titles, to)
		}
	}
	for _, name := range s.table.required {
		if !s.row.has(name) {
			return onward.Errorf(onward.EInvalid, "no column is %s; add it, map one to it, or set it for all rows. The file has: %s", name, strings.Join(s.header, ", "))
		}
	}
	return nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// next reads one row that is not empty.
func (s *csvSource[T]) next() (*record, error) {
	for {
		line := s.in.line
		n, lines, cells, err := parseRow(s.in.unread(), s.in.eof, s.comma)
		var bad *syntaxError
		switch {
		case err == nil && n == 0:
			return nil, io.EOF
		case err == nil:
			s.in.consume(n, lines)
			if !slices.ContainsFunc(cells, func(c cell) bool { return strings.TrimSpace(c.value) != "" }) {
				continue
			}
			r := &record{line: line, size: n, cells: cells}
			s.check(r)
			return r, nil
		case errors.As(err, &bad):
			return s.broken(line+bad.line, fmt.Sprintf("at character %d %s", bad.column, bad.reason))
		}
		grew, err := s.in.more()
		if err != nil {
			return nil, unreadable(err)
		}
		if !grew {
			return s.tooLong(line)
		}
	}
}

// broken gives up on the first line of a row that can't be taken apart, and goes on after it.
func (s *csvSource[T]) broken(line int, reason string) (*record, error) {
	raw, n, ok, err := s.in.wholeLine()
	if err != nil {
		return nil, unreadable(err)
	}
	if !ok {
		return s.tooLong(line)
	}
	r := &record{line: s.in.line, size: n, raw: slices.Clone(raw)}
	r.problems = []Problem{{Line: line, Value: strings.ToValidUTF8(string(r.raw), "\uFFFD"), Rule: "csv", Reason: reason}}
	s.in.consume(n, 1)
	return r, nil
}

func (s *csvSource[T]) tooLong(line int) (*record, error) {
	const reason = "the row is longer than 1 MB; is a quotation mark not closed?"
	if _, _, ok := s.in.firstLine(); ok {
		return s.broken(line, reason)
	}
	raw := slices.Clone(s.in.unread()[:shownValue])
	if err := s.in.skipLine(); err != nil {
		return nil, unreadable(err)
	}
	return &record{line: line, size: maxRow, raw: raw, problems: []Problem{{Line: line, Value: string(raw), Rule: "too_large", Reason: reason}}}, nil
}

// check looks at the shape of a row: its encoding and the number of its cells.
func (s *csvSource[T]) check(r *record) {
	if s.header == nil {
		return
	}
	if len(r.cells) != len(s.header) {
		r.problems = append(r.problems, Problem{Line: r.line, Rule: "columns", Reason: fmt.Sprintf(
			"the row has %d cells and the header %d; look for a delimiter or a quotation mark too many or too few", len(r.cells), len(s.header))})
		return
	}
	for i, c := range r.cells {
		if !utf8.ValidString(c.value) {
			r.problems = append(r.problems, Problem{
				Line: r.line + c.line, Column: s.header[i], Value: strings.ToValidUTF8(c.value, "\uFFFD"), Rule: "utf8",
				Reason: "this is not UTF-8; save the file as UTF-8 (in a spreadsheet: CSV UTF-8)",
			})
		}
	}
}

func (s *csvSource[T]) value(r *record) T {
	s.row.record, s.row.sources = r, nil
	return s.table.fromCells(&s.row)
}

// explain finds the cell that a field comes from.
func (s *csvSource[T]) explain(r *record, f onward.FieldError) Problem {
	problems := len(r.problems)
	s.row.record, s.row.sources = r, map[string]cellSource{}
	s.table.fromCells(&s.row)
	r.problems = r.problems[:problems]
	for path := f.Field; path != ""; path = parentOf(path) {
		if from, ok := s.row.sources[path]; ok {
			return s.row.problem(from, f.Rule, f.Message, f.Suggestions)
		}
	}
	for path := f.Field; path != ""; path = parentOf(path) {
		if column, ok := s.table.columnOf[path]; ok {
			return s.row.problem(cellSource{column, s.row.get(column)}, f.Rule, f.Message, f.Suggestions)
		}
	}
	return Problem{Line: r.line, Column: f.Field, Rule: f.Rule, Reason: f.Message, Suggestions: f.Suggestions}
}

// parentOf shortens "skills[2].skill_id" to "skills[2]", then "skills".
func parentOf(path string) string {
	i := strings.LastIndexAny(path, ".[")
	return path[:max(i, 0)]
}

// content is every cell that is not empty, by the name of its column in the file, in the order of the names.
func (s *csvSource[T]) content(r *record) []byte {
	var cells []string
	for i, c := range r.cells {
		if value := strings.TrimSpace(c.value); value != "" && plain(s.header[i]) != rejectReason {
			cells = append(cells, s.header[i]+"\x00"+value)
		}
	}
	slices.Sort(cells)
	return []byte(strings.Join(cells, "\x01"))
}

func (s *csvSource[T]) reject(w io.Writer, r *record, reason string) error {
	at := slices.IndexFunc(s.header, func(h string) bool { return plain(h) == rejectReason })
	var out []byte
	if !s.rejecting {
		header := slices.Clone(s.header)
		if at < 0 {
			header = append(header, rejectReason)
		}
		out = appendRow(out, header, s.comma)
		s.rejecting = true
	}
	values := make([]string, 0, len(s.header)+1)
	for _, c := range r.cells {
		values = append(values, c.value)
	}
	if r.cells == nil {
		values = append(values, string(bytes.TrimRight(r.raw, "\r\n")))
	}
	for len(values) < len(s.header) {
		values = append(values, "")
	}
	if at >= 0 && at < len(values) {
		values[at] = reason
	} else {
		values = append(values, reason)
	}
	_, err := w.Write(appendRow(out, values, s.comma))
	return err
}

// has says whether a column can have a value.
func (r *row) has(column string) bool {
	_, inFile := r.index[column]
	_, constant := r.constants[column]
	if inFile || constant {
		return true
	}
	return column == "title" && slices.ContainsFunc(r.titles, func(c string) bool { return strings.HasPrefix(c, "title_") })
}

// get is the value of a column: of the cell, or where that is empty, of the constant.
func (r *row) get(column string) string {
	if at, ok := r.index[column]; ok && at < len(r.record.cells) {
		if value := strings.TrimSpace(r.record.cells[at].value); value != "" {
			if r.repair {
				value = repaired(value)
			}
			return value
		}
	}
	return r.constants[column]
}

// from notes that a field comes from a column.
func (r *row) from(field, column, value string) {
	if r.sources != nil && value != "" {
		r.sources[field] = cellSource{column, value}
	}
}

// wrong notes that a value can't be read.
func (r *row) wrong(column, value, rule, format string, args ...any) {
	r.record.problems = append(r.record.problems, r.problem(cellSource{column, value}, rule, fmt.Sprintf(format, args...), nil))
}

func (r *row) problem(from cellSource, rule, reason string, suggestions []onward.Suggestion) Problem {
	p := Problem{Line: r.record.line, Column: from.column, Value: from.value, Rule: rule, Reason: reason, Suggestions: suggestions}
	if rule == "characters" && repaired(from.value) != from.value {
		p.Reason = "this was UTF-8 and was taken for Latin-1 when the file was made; make it anew, or import with --repair-encoding"
	}
	if at, ok := r.index[from.column]; ok && at < len(r.record.cells) {
		p.Line += r.record.cells[at].line
		p.Column = r.header[at]
	}
	return p
}
