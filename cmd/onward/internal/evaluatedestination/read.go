// Package evaluatedestination reads places and flows, fits the likely-destination model to the training flows, and says how
// well it predicts the test flows.
package evaluatedestination

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"onward/matcher/destination/flows"
)

// table reads a TSV with a header, gzipped if its name ends in .gz, row by row.
type table struct {
	path    string
	columns map[string]int
	line    int
	cells   []string
}

// readTable calls row for every row. The columns named must be there; others may be, in any order.
func readTable(path string, required []string, row func(*table) error) (err error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var reader io.Reader = bufio.NewReaderSize(file, 1<<16)
	if strings.HasSuffix(path, ".gz") {
		zipped, err := gzip.NewReader(reader)
		if err != nil {
			return fmt.Errorf("%s: %w: the name says gzip", path, err)
		}
		defer func() { err = errors.Join(err, zipped.Close()) }()
		reader = zipped
	}
	return scanTable(path, reader, required, row)
}

func scanTable(path string, reader io.Reader, required []string, row func(*table) error) error {
	t := &table{path: path, columns: map[string]int{}}
	lines := bufio.NewScanner(reader)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		t.line++
		text := strings.TrimSuffix(lines.Text(), "\r")
		if t.line == 1 {
			for i, name := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\t") {
				t.columns[strings.TrimSpace(name)] = i
			}
			for _, name := range required {
				if _, ok := t.columns[name]; !ok {
					return t.errorf("the header has no column %q: tab-separated %s are needed", name, strings.Join(required, ", "))
				}
			}
			continue
		}
		if text == "" {
			continue
		}
		t.cells = strings.Split(text, "\t")
		if len(t.cells) > len(t.columns) {
			return t.errorf("%d cells under a header of %d", len(t.cells), len(t.columns))
		}
		if err := row(t); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: after line %d: %w", path, t.line, err)
	}
	if t.line < 2 {
		return fmt.Errorf("%s: has no rows", path)
	}
	return nil
}

func (t *table) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", t.path, t.line, fmt.Sprintf(format, args...))
}

// text of a cell; empty when the row is short or there is no such column.
func (t *table) text(name string) string {
	if i, ok := t.columns[name]; ok && i < len(t.cells) {
		return strings.TrimSpace(t.cells[i])
	}
	return ""
}

func (t *table) required(name string) (string, error) {
	text := t.text(name)
	if text == "" {
		return "", t.errorf("%s is empty", name)
	}
	return text, nil
}

// number between low and high; NaN when the cell is empty.
func (t *table) number(name string, low, high float64) (float64, error) {
	text := t.text(name)
	if text == "" {
		return flows.Unknown(), nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, t.errorf("%s %q is no number", name, text)
	}
	if value < low || value > high {
		return 0, t.errorf("%s %s is not between %g and %g", name, text, low, high)
	}
	return value, nil
}

const most = 1e12

func readPlaces(path string) ([]flows.Place, error) {
	var places []flows.Place
	type key struct{ period, place string }
	seen := map[key]int{}
	err := readTable(path, []string{"place", "lat", "lon", "period", "population"}, func(t *table) error {
		var p flows.Place
		var err, err2, err3, err4, err5 error
		p.ID, err = t.required("place")
		p.Period, err2 = t.required("period")
		p.Lat, err3 = t.number("lat", -90, 90)
		p.Lon, err4 = t.number("lon", -180, 360)
		p.Population, err5 = t.number("population", 0, most)
		for _, e := range []error{err, err2, err3, err4, err5} {
			if e != nil {
				return e
			}
		}
		if math.IsNaN(p.Lat) || math.IsNaN(p.Lon) {
			return t.errorf("place %q has no lat and lon: the model rests on distances", p.ID)
		}
		if first := seen[key{p.Period, p.ID}]; first > 0 {
			return t.errorf("place %q of period %q stands on line %d already", p.ID, p.Period, first)
		}
		seen[key{p.Period, p.ID}] = t.line
		p.Region = t.text("region")
		places = append(places, p)
		return nil
	})
	return places, err
}

func readFlows(path string, world *flows.World) ([]flows.Flow, error) {
	var list []flows.Flow
	type key struct{ period, origin, dest string }
	seen := map[key]int{}
	err := readTable(path, []string{"period", "origin", "dest", "movers"}, func(t *table) error {
		var f flows.Flow
		var err, err2, err3, err4, err5, err6 error
		f.Period, err = t.required("period")
		f.Origin, err2 = t.required("origin")
		f.Dest, err3 = t.required("dest")
		f.Movers, err4 = t.number("movers", 0, most)
		f.Kin, err5 = t.number("kin", 0, most)
		f.KinBack, err6 = t.number("kin_back", 0, most)
		for _, e := range []error{err, err2, err3, err4, err5, err6} {
			if e != nil {
				return e
			}
		}
		if math.IsNaN(f.Movers) {
			return t.errorf("movers is empty")
		}
		for _, id := range []string{f.Origin, f.Dest} {
			if !world.Has(f.Period, id) {
				return t.errorf("place %q is not among the places of period %q", id, f.Period)
			}
		}
		if f.Origin == f.Dest {
			return t.errorf("%q is both origin and destination: leave stayers out", f.Origin)
		}
		if first := seen[key{f.Period, f.Origin, f.Dest}]; first > 0 {
			return t.errorf("the flow from %q to %q stands on line %d already", f.Origin, f.Dest, first)
		}
		seen[key{f.Period, f.Origin, f.Dest}] = t.line
		list = append(list, f)
		return nil
	})
	return list, err
}
