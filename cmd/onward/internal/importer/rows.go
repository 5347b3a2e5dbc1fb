package importer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// maxRow bounds one row or line, so that a file without line ends can't fill the memory.
	maxRow = 1 << 20
	// maxColumns bounds the columns of a file.
	maxColumns = 200
)

// cell is one value of a row, with where it begins: lines after the row's first one, and characters, from 1.
type cell struct {
	value  string
	line   int
	column int
}

// syntaxError is a row that can't be taken apart.
type syntaxError struct {
	line, column int // as in cell
	reason       string
}

func (e *syntaxError) Error() string { return e.reason }

// errIncomplete asks for more bytes.
var errIncomplete = errors.New("the row goes on")

// parseRow takes the first row of data apart, as RFC 4180 has it: cells with quotation marks around them may hold the
// delimiter, line ends and doubled quotation marks. A quotation mark inside a cell that does not begin with one is an
// ordinary character. Lines end with LF, CRLF or CR. It returns how many bytes and how many lines the row takes, and its
// cells.
func parseRow(data []byte, atEOF bool, comma byte) (n, lines int, cells []cell, err error) {
	pos, line, lineStart := 0, 0, 0
	for {
		c := cell{line: line, column: utf8.RuneCount(data[lineStart:pos]) + 1}
		if pos < len(data) && data[pos] == '"' {
			var text strings.Builder
			pos++
			for {
				i := bytes.IndexByte(data[pos:], '"')
				if i < 0 {
					if !atEOF {
						return 0, 0, cells, errIncomplete
					}
					return 0, 0, cells, &syntaxError{c.line, c.column, "a quotation mark opens here and is never closed; close it, or double it if it is part of the text"}
				}
				text.Write(data[pos : pos+i])
				line, lineStart = countLines(data, pos, pos+i, line, lineStart)
				pos += i + 1
				if pos == len(data) && !atEOF {
					return 0, 0, cells, errIncomplete
				}
				if pos == len(data) || data[pos] != '"' {
					break
				}
				text.WriteByte('"')
				pos++
			}
			c.value = text.String()
			if pos < len(data) && data[pos] != comma && data[pos] != '\n' && data[pos] != '\r' {
				return 0, 0, cells, &syntaxError{
					line, utf8.RuneCount(data[lineStart:pos]) + 1,
					"text follows a closing quotation mark; double a quotation mark that is part of the text",
				}
			}
		} else {
			end := pos
			for end < len(data) && data[end] != comma && data[end] != '\n' && data[end] != '\r' {
				end++
			}
			c.value = string(data[pos:end])
			pos = end
		}
		if pos == len(data) {
			if !atEOF {
				return 0, 0, cells, errIncomplete
			}
			return pos, line + 1, append(cells, c), nil
		}
		cells = append(cells, c)
		switch data[pos] {
		case comma:
			pos++
		case '\n':
			return pos + 1, line + 1, cells, nil
		default: // CR
			if pos+1 == len(data) && !atEOF {
				return 0, 0, cells, errIncomplete
			}
			if pos+1 < len(data) && data[pos+1] == '\n' {
				pos++
			}
			return pos + 1, line + 1, cells, nil
		}
	}
}

// countLines counts the line ends between two positions inside a cell.
func countLines(data []byte, from, to, line, lineStart int) (int, int) {
	for i := from; i < to; i++ {
		if data[i] == '\n' || (data[i] == '\r' && (i+1 >= len(data) || data[i+1] != '\n')) {
			line, lineStart = line+1, i+1
		}
	}
	return line, lineStart
}

// appendRow writes a row so that parseRow reads the same cells.
func appendRow(out []byte, values []string, comma byte) []byte {
	for i, value := range values {
		if i > 0 {
			out = append(out, comma)
		}
		if strings.IndexByte(value, comma) < 0 && !strings.ContainsAny(value, "\"\r\n") && (value != "" || len(values) > 1) {
			out = append(out, value...)
			continue
		}
		out = append(out, '"')
		out = append(out, strings.ReplaceAll(value, `"`, `""`)...)
		out = append(out, '"')
	}
	return append(out, '\n')
}

// window reads a stream through a buffer that holds at least one row.
type window struct {
	r          io.Reader
	buffer     []byte
	start, end int
	eof        bool
	line       int // of the file, where the unread part begins
}

func newWindow(r io.Reader) *window {
	return &window{r: r, buffer: make([]byte, 64<<10), line: 1}
}

func (w *window) unread() []byte { return w.buffer[w.start:w.end] }

// more reads on. It reports false when the buffer holds a whole maxRow already.
func (w *window) more() (bool, error) {
	if w.end-w.start >= maxRow {
		return false, nil
	}
	if w.start > 0 && w.end == len(w.buffer) {
		w.end = copy(w.buffer, w.buffer[w.start:w.end])
		w.start = 0
	}
	if w.end == len(w.buffer) {
		w.buffer = append(w.buffer, make([]byte, min(len(w.buffer), maxRow+64<<10-len(w.buffer)))...)
	}
	n, err := w.r.Read(w.buffer[w.end:])
	w.end += n
	if errors.Is(err, io.EOF) {
		w.eof = true
		err = nil
	}
	return true, err
}

func (w *window) consume(n, lines int) {
	w.start += n
	w.line += lines
}

// firstLine is the first line of the unread part without its end, and how many bytes it takes with its end; ok is false
// when the end is not there yet.
func (w *window) firstLine() (line []byte, n int, ok bool) {
	data := w.unread()
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0:
		return data, len(data), w.eof
	case data[i] == '\r' && i+1 == len(data) && !w.eof:
		return data[:i], i + 1, false
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return data[:i], i + 2, true
	}
	return data[:i], i + 1, true
}

// wholeLine is the first line, read to its end; ok is false when it is longer than maxRow.
func (w *window) wholeLine() (line []byte, n int, ok bool, err error) {
	for {
		if line, n, ok = w.firstLine(); ok {
			return line, n, true, nil
		}
		if grew, err := w.more(); err != nil || !grew {
			return line, n, false, err
		}
	}
}

// skipLine throws a line away that is longer than the buffer, and keeps its beginning.
func (w *window) skipLine() error {
	for {
		_, n, ok := w.firstLine()
		if ok {
			w.consume(n, 1)
			return nil
		}
		// Keep one byte: it may be the CR of a CRLF.
		w.start += max(0, n-1)
		if _, err := w.more(); err != nil {
			return err
		}
	}
}
