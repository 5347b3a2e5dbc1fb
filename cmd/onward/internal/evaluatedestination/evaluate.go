package evaluatedestination

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"onward/matcher/destination/flows"
)

// Files are what an evaluation reads and writes.
type Files struct {
	Places, Train, Test string
	// Predictions is written, if not empty: origin, dest, p.
	Predictions string
}

// Options of an evaluation.
type Options struct {
	Files
	// Without leaves out the variables whose names begin so, to see what they are worth.
	Without []string
}

// Result is what an evaluation found.
type Result struct {
	flows.Metrics
	Baselines map[string]flows.Metrics `json:"baselines"`
	// Order lists the baselines as they are printed.
	Order        []string            `json:"-"`
	Notes        []string            `json:"notes"`
	Coefficients []flows.Coefficient `json:"coefficients,omitempty"`
	Gravity      []flows.Coefficient `json:"gravity_coefficients"`
	FitSeconds   float64             `json:"fit_seconds"`
	Seconds      float64             `json:"seconds"`
}

// transfer is said with every result.
const transfer = "parameters transfer badly between countries: CPC fell from .50 to .35 when Mexico's were tried on the United States. Fit each country on its own flows."

// Run fits on the training flows and predicts the test flows.
func Run(o Options) (*Result, error) {
	start := time.Now()
	places, err := readPlaces(o.Places)
	if err != nil {
		return nil, err
	}
	world, err := flows.NewWorld(places)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Places, err)
	}
	train, err := readFlows(o.Train, world)
	if err != nil {
		return nil, err
	}
	test, err := readFlows(o.Test, world)
	if err != nil {
		return nil, err
	}
	baselines, err := world.Baselines(train, test)
	if err != nil {
		return nil, err
	}
	r := &Result{Baselines: map[string]flows.Metrics{}}
	for _, b := range baselines {
		r.Baselines[b.Name] = flows.Evaluate(b.Predictions)
		r.Order = append(r.Order, b.Name)
		if b.Coefficients != nil {
			r.Gravity = b.Coefficients
		}
	}
	fitStart := time.Now()
	settings := flows.DefaultSettings()
	settings.Without = o.Without
	model, err := world.Fit(train, test, settings)
	if err != nil {
		return nil, err
	}
	r.FitSeconds = time.Since(fitStart).Seconds()
	predictions := model.Predict()
	r.Metrics = flows.Evaluate(predictions)
	r.Coefficients = model.Table()
	r.Notes = append(model.Notes(), transfer)
	if o.Predictions != "" {
		if err := writePredictions(o.Predictions, predictions); err != nil {
			return nil, err
		}
	}
	r.Seconds = time.Since(start).Seconds()
	return r, nil
}

// writePredictions writes every pair, by origin and destination. With more than one period there is a column for it.
func writePredictions(path string, predictions []flows.Prediction) (err error) {
	file, err := os.Create(path) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffer := bufio.NewWriterSize(file, 1<<20)
	defer func() { err = errors.Join(err, buffer.Flush()) }()
	var out io.Writer = buffer
	if strings.HasSuffix(path, ".gz") {
		zipped, zipErr := gzip.NewWriterLevel(buffer, gzip.BestSpeed)
		if zipErr != nil {
			return zipErr
		}
		defer func() { err = errors.Join(err, zipped.Close()) }()
		out = zipped
	}
	several := false
	for _, p := range predictions {
		several = several || p.Period != predictions[0].Period
	}
	header := "origin\tdest\tp\n"
	if several {
		header = "origin\tdest\tp\tperiod\n"
	}
	if _, err := io.WriteString(out, header); err != nil {
		return err
	}
	var line []byte
	for _, p := range predictions {
		for j, dest := range p.Places {
			if dest == p.Origin {
				continue
			}
			line = append(line[:0], p.Origin...)
			line = append(append(line, '\t'), dest...)
			line = strconv.AppendFloat(append(line, '\t'), p.P[j], 'g', 10, 64)
			if several {
				line = append(append(line, '\t'), p.Period...)
			}
			if _, err := out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
	}
	return nil
}

// Print writes the result for people.
func (r *Result) Print(out io.Writer, table bool) {
	fmt.Fprintf(out, "%-18s %7s %7s %7s %7s %7s\n", "", "CPC", "xent", "hit@1", "hit@5", "hit@10")
	line := func(name string, m flows.Metrics) {
		fmt.Fprintf(out, "%-18s %7.4f %7.4f %7.4f %7.4f %7.4f\n", name, m.CPC, m.Xent, m.Hit1, m.Hit5, m.Hit10)
	}
	line("model", r.Metrics)
	for _, name := range r.Order {
		line(name, r.Baselines[name])
	}
	fmt.Fprintf(out, "%.0f movers; fitted in %.1f s, %.1f s in all\n", r.Movers, r.FitSeconds, r.Seconds)
	for _, note := range r.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	if table {
		fmt.Fprintln(out)
		flows.PrintTable(out, r.Coefficients)
	}
}
