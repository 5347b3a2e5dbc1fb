// Package evaluate measures the linking of texts to ESCO against files with known answers.
package evaluate

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"

	"onward"
)

// table is a file with tabs and a header, all of it.
type table struct {
	name    string
	columns map[string]int
	rows    [][]string
}

// readTable reads a TSV, plain or gzip. EInvalid says which column is missing.
func readTable(name string, required ...string) (*table, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, onward.Errorf(onward.EInvalid, "%s: can't be read; check the path", name).Because(err)
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewReaderSize(f, 1<<16)
	var r io.Reader = in
	if magic, _ := in.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, onward.Errorf(onward.EInvalid, "%s: not a complete gzip file; fetch it again", name).Because(err)
		}
		r = unzipped
	}
	t := &table{name: name, columns: map[string]int{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		cells := strings.Split(strings.TrimRight(lines.Text(), "\r"), "\t")
		if len(t.columns) == 0 {
			for i, c := range cells {
				t.columns[strings.TrimPrefix(strings.TrimSpace(c), "\ufeff")] = i
			}
			for _, c := range required {
				if _, ok := t.columns[c]; !ok {
					return nil, onward.Errorf(onward.EInvalid, "%s: no column %s in its first line (%s)", name, c, strings.Join(cells, ", "))
				}
			}
			continue
		}
		t.rows = append(t.rows, cells)
	}
	if err := lines.Err(); err != nil {
		return nil, onward.Errorf(onward.EInvalid, "%s: can't be read to its end; fetch it again", name).Because(err)
	}
	if len(t.columns) == 0 {
		return nil, onward.Errorf(onward.EInvalid, "%s: the file is empty", name)
	}
	return t, nil
}

func (t *table) get(row int, column string) string {
	i, ok := t.columns[column]
	if !ok || i >= len(t.rows[row]) {
		return ""
	}
	return t.rows[row][i]
}

// writeLines writes a file by calling f with a printer of lines; an empty name writes nothing.
func writeLines(name string, f func(print func(cells ...any))) (err error) {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: can't be written; check the path", name).Because(err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	out := bufio.NewWriter(file)
	f(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				_ = out.WriteByte('\t')
			}
			_, _ = fmt.Fprint(out, c)
		}
		_ = out.WriteByte('\n')
	})
	return out.Flush() // the first error of any write
}
