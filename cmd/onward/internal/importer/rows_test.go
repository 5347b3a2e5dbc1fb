package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
)

func values(cells []cell) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = c.value
	}
	return out
}

func TestRowsAreTakenApart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, data string
		comma      byte
		want       []cell
		n, lines   int
	}{
		{"plain", "a,b\nc", ',', []cell{{"a", 0, 1}, {"b", 0, 3}}, 4, 1},
		{"no line end", "a,", ',', []cell{{"a", 0, 1}, {"", 0, 3}}, 2, 1},
		{"CRLF", "a\tñb\tc\r\nd", '\t', []cell{{"a", 0, 1}, {"ñb", 0, 3}, {"c", 0, 6}}, 9, 1},
		{"CR", "a;b\rc", ';', []cell{{"a", 0, 1}, {"b", 0, 3}}, 4, 1},
		{"a line end in quotes", "\"x\ny\",\"z\"\"z\",w\n", ',', []cell{{"x\ny", 0, 1}, {`z"z`, 1, 4}, {"w", 1, 11}}, 15, 2},
		{"a quotation mark in the middle", `6" pipe,5'` + "\n", ',', []cell{{`6" pipe`, 0, 1}, {"5'", 0, 9}}, 11, 1},
		{"an empty line", "\nx", ',', []cell{{"", 0, 1}}, 1, 1},
	} {
		n, lines, cells, err := parseRow([]byte(test.data), true, test.comma)
		if err != nil || n != test.n || lines != test.lines || !slices.Equal(cells, test.want) {
			t.Errorf("%s: %d bytes, %d lines, %v, %v; want %d, %d, %v", test.name, n, lines, cells, err, test.n, test.lines, test.want)
		}
	}
	for data, want := range map[string]syntaxError{
		"a,\"b\nc":     {line: 0, column: 3},
		"a,\"b\nc\"d,": {line: 1, column: 3},
	} {
		_, _, _, err := parseRow([]byte(data), true, ',')
		var bad *syntaxError
		if !errors.As(err, &bad) || bad.line != want.line || bad.column != want.column {
			t.Errorf("%q: got %+v, want an error at %d:%d", data, bad, want.line, want.column)
		}
	}
	for _, data := range []string{"", "a", "a,\"b", "a,\"b\"", "a\r"} {
		if _, _, _, err := parseRow([]byte(data), false, ','); !errors.Is(err, errIncomplete) {
			t.Errorf("%q: got %v, want more bytes", data, err)
		}
	}
}

// What is read can be written and read again; more bytes never change a row; and where encoding/csv accepts a row, it
// reads the same.
func FuzzParseRow(f *testing.F) {
	for _, seed := range []string{"a,b\nc,d\n", "\"x\r\ny\";z\r\n", "\"a\"\"b\"\t\xff\rq", "\"", ",,,\n\n", "a,\"b\"c\n", "\"\",\"\n\"\n"} {
		f.Add([]byte(seed), byte(','))
		f.Add([]byte(seed), byte(';'))
		f.Add([]byte(seed), byte('\t'))
	}
	f.Fuzz(func(t *testing.T, data []byte, comma byte) {
		if comma != ',' && comma != ';' && comma != '\t' {
			comma = ','
		}
		n, lines, cells, err := parseRow(data, true, comma)
		if err != nil {
			var bad *syntaxError
			if !errors.As(err, &bad) {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		if n > len(data) || (n == 0 && len(data) > 0) || lines < 1 || len(cells) == 0 {
			t.Fatalf("%q: %d bytes, %d lines, %d cells", data, n, lines, len(cells))
		}
		early, _, fewer, err := parseRow(data[:n], false, comma)
		if err == nil && (early != n || !slices.Equal(fewer, cells)) {
			t.Fatalf("%q: %v with what follows, %v without", data, cells, fewer)
		}
		want := values(cells)
		_, _, again, err := parseRow(appendRow(nil, want, comma), true, comma)
		if err != nil || !slices.Equal(values(again), want) {
			t.Fatalf("%q: read %q, wrote it and read %q (%v)", data, want, values(again), err)
		}
		if bytes.IndexByte(data, '\r') >= 0 || strings.HasPrefix(string(data), "\n") || len(data) == 0 {
			return // encoding/csv changes CRLF in cells and skips empty lines
		}
		standard := csv.NewReader(bytes.NewReader(data))
		standard.Comma = rune(comma)
		standard.FieldsPerRecord = -1
		if record, err := standard.Read(); err == nil && !slices.Equal(record, want) {
			t.Fatalf("%q: encoding/csv reads %q, we read %q", data, record, want)
		}
	})
}
