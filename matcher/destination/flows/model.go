package flows

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Model predicts the flows it was asked about.
type Model struct {
	to    []*situation
	last  *stage
	table []Coefficient
	notes []string
}

// stage is one fitted logit.
type stage struct {
	shape *shape
	fit   fit
	names []variable
	sd    []float64
}

func (st *stage) utility(s *situation, u []float64) {
	k := len(st.names)
	rows := make([]float32, k*len(u))
	st.shape.write(s, rows)
	for j := range u {
		sum := 0.0
		for v, x := range rows[j*k : (j+1)*k] {
			sum += st.fit.coefficients[v] * float64(x)
		}
		u[j] = sum
	}
}

// Settings of a fit that measurements chose; see docs/decisions/0009-destination.md.
type Settings struct {
	// Overlap is what one unit of CPC is worth in nats per mover.
	Overlap float64
	// Spread is the standard deviation of the priors in units of log odds per standard deviation of the variable.
	Spread float64
	// Dispersion is how many movers count as one; 0: estimated.
	Dispersion float64
	// Evidence of the training flows is used.
	Evidence bool
	// Pairs that are fitted to at most.
	Pairs int
}

// DefaultSettings are the ones to use.
func DefaultSettings() Settings {
	return Settings{Overlap: 2.5, Spread: 1, Evidence: true, Pairs: mostPairs}
}

// Fit fits the model to the training flows, in order to predict the test flows. Of these only the origins, the places and
// kin are looked at, never the movers.
func (w *World) Fit(train, test []Flow, o Settings) (*Model, error) {
	from, err := w.situations(train)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	to, err := w.situations(test)
	if err != nil {
		return nil, fmt.Errorf("test: %w", err)
	}
	if len(from) == 0 || len(to) == 0 {
		return nil, errors.New("no flows to fit to, or none to predict")
	}
	m := &Model{to: to}
	later := isLater(from, to)
	m.block(from, to)
	m.notef("%d origins of %d period(s) in train, %d in test", len(from), countPeriods(from), len(to))

	sh := newShape(from, to)
	if sh.kin {
		m.notef("kin is used: it is known of nearly all pairs")
	}
	first, err := fitStage(sh, from, o, nil, 0)
	if err != nil {
		return nil, err
	}
	m.last = first
	last := from
	if o.Evidence {
		e := newEvidence(from, first, later)
		second := *sh
		second.evidence = e
		if later {
			// Only choices with an earlier period teach how much that period says.
			var with []*situation
			for _, s := range from {
				if e.source(s) != nil && (!sh.kin || s.hasKin()) {
					with = append(with, s)
				}
			}
			if len(with) > 0 {
				last = with
				m.notef("the period before is the evidence on each period: fitted to the %d origins that have one", len(with))
			} else {
				m.notef("train has one period: what it says of the next rests on the priors")
			}
		} else {
			m.notef("same period: the evidence on an origin comes from the origins outside its %s", blockName(from, to))
		}
		if m.last, err = fitStage(&second, last, o, first, 0); err != nil {
			return nil, err
		}
	}
	if o.Overlap > 0 {
		if m.last, err = fitStage(m.last.shape, last, o, m.last, o.Overlap); err != nil {
			return nil, err
		}
	}
	m.table = m.last.table(o)
	return m, nil
}

func (m *Model) notef(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// Notes say what was done.
func (m *Model) Notes() []string { return m.notes }

// Table lists the coefficients with their priors.
func (m *Model) Table() []Coefficient { return m.table }

// Predict spreads the movers of every origin of the test.
func (m *Model) Predict() []Prediction { return predict(m.to, m.last.utility) }

// fitStage fits a logit, starting at another's coefficients where it has the same variables.
func fitStage(sh *shape, from []*situation, o Settings, start *stage, overlap float64) (*stage, error) {
	st := &stage{shape: sh}
	for _, c := range sh.columns(from[0]) {
		st.names = append(st.names, c.variable)
	}
	k := len(st.names)
	s := newSample(from, k, sh.write, o.Pairs)
	st.sd = s.deviations()
	priors := make([]prior, k)
	b := make([]float64, k)
	for v, name := range st.names {
		sd := o.Spread / max(st.sd[v], 1e-3)
		priors[v] = prior{name.mean, sd}
		b[v] = name.mean
		if start != nil {
			if i := slices.IndexFunc(start.names, func(x variable) bool { return x.name == name.name }); i >= 0 {
				b[v] = start.fit.coefficients[i]
			}
		}
	}
	dispersion := o.Dispersion
	if dispersion == 0 {
		// From the start: a first guess is enough to weigh the prior.
		_, chiSquare, cells := s.hessian(b)
		dispersion = max(1, chiSquare/float64(max(1, cells-len(s.groups)-k)))
		dispersion = min(dispersion, s.movers/float64(10*k))
	}
	f, err := fitLogit(s, priors, b, overlap, dispersion)
	if err != nil {
		return nil, err
	}
	if err := f.finish(s, priors); err != nil {
		return nil, err
	}
	st.fit = f
	return st, nil
}

func (st *stage) table(o Settings) []Coefficient {
	var rows []Coefficient
	for v, name := range st.names {
		rows = append(rows, Coefficient{
			Name: name.name, Variable: name.text, Value: st.fit.coefficients[v], Error: st.fit.errors[v],
			PriorMean: name.mean, PriorSD: o.Spread / max(st.sd[v], 1e-3), Source: name.source,
		})
	}
	return rows
}

// PrintTable writes coefficients one a line.
func PrintTable(out io.Writer, table []Coefficient) {
	fmt.Fprintf(out, "%-34s %9s %9s %9s %9s  %s\n", "coefficient", "value", "std.err.", "prior", "sd", "variable; source of the prior")
	for _, c := range table {
		fmt.Fprintf(out, "%-34s %9.4f %9.4f %9.3f %9.3f  %s; %s\n", c.Name, c.Value, c.Error, c.PriorMean, c.PriorSD, c.Variable, c.Source)
	}
}

func formatKm(logKm float64) string { return strings.TrimSpace(fmt.Sprintf("%.3g", math.Exp(logKm))) }

func countPeriods(list []*situation) int {
	periods := map[*period]bool{}
	for _, s := range list {
		periods[s.period] = true
	}
	return len(periods)
}

// isLater says whether the test is about periods of which nothing is in train.
func isLater(from, to []*situation) bool {
	have := map[*period]bool{}
	for _, s := range from {
		have[s.period] = true
	}
	for _, s := range to {
		if !have[s.period] {
			return true
		}
	}
	return false
}

// block puts together what the test holds back together.
func (m *Model) block(from, to []*situation) {
	regions := byRegion(from, to)
	for _, list := range [][]*situation{from, to} {
		for _, s := range list {
			s.block = s.origin
			if regions && s.period.region[s.origin] >= 0 {
				s.block = -1 - s.period.region[s.origin]
			}
		}
	}
}

// byRegion says whether the test holds back the origins of whole regions.
func byRegion(from, to []*situation) bool {
	have := map[string]bool{}
	for _, s := range from {
		if r := s.period.region[s.origin]; r >= 0 {
			have[s.period.regions[r]] = true
		}
	}
	for _, s := range to {
		r := s.period.region[s.origin]
		if r < 0 || have[s.period.regions[r]] {
			return false
		}
	}
	return len(have) > 1
}

func blockName(from, to []*situation) string {
	if byRegion(from, to) {
		return "region, as the test holds back whole regions"
	}
	return "own flows"
}

// hasKin says whether kin is known of anyone.
func (s *situation) hasKin() bool {
	return slices.ContainsFunc(s.chosen, func(c choice) bool { return !math.IsNaN(c.kin) })
}
