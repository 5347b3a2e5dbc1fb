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

	sample *sample
	priors []prior
	spread float64
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
	// Overlap is what one unit of CPC is worth in nats per mover. It counts on more than fewPairs: on fewer, held-back
	// origins gain no CPC from it and lose xent.
	Overlap float64
	// Spread is the standard deviation of the priors in units of log odds per standard deviation of the variable; 0: the
	// best of spreads on held-back blocks of origins of train, or usualSpread where there is much of it.
	Spread float64
	// Dispersion is how many movers count as one; 0: estimated.
	Dispersion float64
	// Evidence of the training flows is used.
	Evidence bool
	// Pairs that are fitted to at most.
	Pairs int
	// Without leaves out the variables whose names begin so, to see what they are worth.
	Without []string
}

// DefaultSettings are the ones to use.
func DefaultSettings() Settings {
	return Settings{Overlap: 2.5, Evidence: true, Pairs: mostPairs}
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
	sh.without = o.Without
	if sh.kin {
		m.notef("kin is used: it is known of nearly all pairs")
	}
	// What is expected rests on places alone: kin may be known of one period and not of the one before, and what was seen
	// beyond the expected has to mean the same in both.
	places := *sh
	places.kin = false
	first, err := fitStage(&places, from, o, nil)
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
		if m.last, err = fitStage(&second, last, o, first); err != nil {
			return nil, err
		}
	} else if sh.kin {
		if m.last, err = fitStage(sh, from, o, first); err != nil {
			return nil, err
		}
	}
	if o.Overlap > 0 && m.last.sample.pairs() > fewPairs {
		if err := m.last.overlap(o.Overlap); err != nil {
			return nil, err
		}
	}
	if err := m.last.fit.finish(m.last.sample, m.last.priors); err != nil {
		return nil, err
	}
	m.notef("priors may move the log odds by %g per standard deviation of a variable; %.0f movers count as one", m.last.spread, m.last.fit.dispersion)
	m.last.sample = nil // hundreds of megabytes
	m.table = m.last.table()
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

// fitStage fits a logit by MAP, starting at another's coefficients where it has the same variables.
func fitStage(sh *shape, from []*situation, o Settings, start *stage) (*stage, error) {
	st := &stage{shape: sh}
	for _, c := range sh.columns(from[0]) {
		st.names = append(st.names, c.variable)
	}
	k := len(st.names)
	st.sample = newSample(from, k, sh.write, o.Pairs)
	st.sd = st.sample.deviations()
	b := make([]float64, k)
	spread := o.Spread
	if spread == 0 {
		spread = usualSpread
	}
	st.setPriors(spread)
	for v, name := range st.names {
		b[v] = name.mean
		if start != nil {
			if i := slices.IndexFunc(start.names, func(x variable) bool { return x.name == name.name }); i >= 0 {
				b[v] = start.fit.coefficients[i]
			}
		}
	}
	dispersion := o.Dispersion
	if dispersion == 0 {
		// At the start: a first guess is enough to weigh the prior, which never weighs more than a few movers a variable.
		dispersion = min(st.sample.dispersion(b), st.sample.movers/float64(10*k))
	}
	if o.Spread == 0 && st.sample.pairs() <= fewPairs {
		spread = st.chooseSpread(from, b, dispersion)
		st.setPriors(spread)
	}
	st.spread = spread
	var err error
	st.fit, err = fitLogit(st.sample, st.priors, b, 0, dispersion)
	return st, err
}

func (st *stage) setPriors(spread float64) {
	st.priors = make([]prior, len(st.names))
	for v, name := range st.names {
		st.priors[v] = prior{name.mean, spread / max(st.sd[v], smallestDeviation)}
	}
}

// spreads are tried on up to fewPairs. With more of them the prior hardly matters.
var spreads = []float64{0.1, usualSpread, 1}

const (
	usualSpread = 0.3
	fewPairs    = 100_000
	folds       = 5
)

// chooseSpread holds back a fifth of the blocks of origins at a time and returns the spread that predicts them best.
func (st *stage) chooseSpread(from []*situation, start []float64, dispersion float64) float64 {
	best, bestScore := usualSpread, math.Inf(1)
	for _, spread := range spreads {
		st.setPriors(spread)
		score := 0.0
		for fold := range folds {
			in, out := *st.sample, *st.sample
			in.groups, out.groups, in.movers, out.movers = nil, nil, 0, 0
			for g, s := range from {
				part := &in
				if int(hash(s.block, folds)*folds) == fold {
					part = &out
				}
				part.groups = append(part.groups, st.sample.groups[g])
				part.movers += s.movers
			}
			if in.movers == 0 || out.movers == 0 {
				continue
			}
			f, err := fitLogit(&in, st.priors, start, 0, dispersion)
			if err != nil {
				return usualSpread
			}
			held := objective{sample: &out, dispersion: 1}
			score += held.evaluate(f.coefficients, nil) * out.movers
		}
		if score < bestScore {
			best, bestScore = spread, score
		}
	}
	return best
}

// overlap moves the coefficients on towards a higher CPC.
func (st *stage) overlap(weight float64) (err error) {
	st.fit, err = fitLogit(st.sample, st.priors, st.fit.coefficients, weight, st.fit.dispersion)
	return err
}

// smallestDeviation of a variable that does not vary: it stays at its prior.
const smallestDeviation = 1e-3

func (st *stage) table() []Coefficient {
	var rows []Coefficient
	for v, name := range st.names {
		if st.sd[v] == 0 { // says nothing on these flows
			continue
		}
		rows = append(rows, Coefficient{
			Name: name.name, Variable: name.text, Value: st.fit.coefficients[v], Error: st.fit.errors[v],
			PriorMean: name.mean, PriorSD: st.priors[v].sd, Source: name.source,
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
