package flows

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// country makes up places, and flows by a known logit in ln(population) and ln(distance).
func country(t testing.TB, places int, periods []string, regions int) (*World, []Place, *rand.Rand) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var list []Place
	for i := range places {
		p := Place{
			ID: fmt.Sprintf("p%03d", i), Lat: 10 + 8*random.Float64(), Lon: 20 + 8*random.Float64(),
			Population: math.Exp(9 + 2*random.NormFloat64()),
		}
		if regions > 0 {
			p.Region = fmt.Sprintf("r%d", i%regions)
		}
		for _, period := range periods {
			p.Period = period
			list = append(list, p)
		}
	}
	world, err := NewWorld(list)
	if err != nil {
		t.Fatal(err)
	}
	return world, list, random
}

// gravityFlows draws movers: Poisson around movers x p, in which every pair and every destination has an effect of its own.
func gravityFlows(world *World, period string, random *rand.Rand, movers, pairEffect, placeEffect float64, effects map[string]float64) []Flow {
	p := world.periods[period]
	n := p.len()
	effect := func(key string, sd float64) float64 {
		if _, ok := effects[key]; !ok {
			effects[key] = sd * random.NormFloat64()
		}
		return effects[key]
	}
	var list []Flow
	for i := range n {
		u := make([]float64, n)
		for j := range n {
			u[j] = 0.7*math.Log(p.population[j]) - 1.2*float64(p.logKm[i*n+j]) +
				effect(fmt.Sprint(j), placeEffect) + effect(fmt.Sprint(i, "-", j), pairEffect)
		}
		softmax(u, i)
		for j := range n {
			if m := poisson(random, movers*u[j]); m > 0 {
				list = append(list, Flow{period, p.places[i].ID, p.places[j].ID, m, Unknown(), Unknown()})
			}
		}
	}
	return list
}

func poisson(random *rand.Rand, mean float64) float64 {
	if mean > 50 {
		return math.Max(0, math.Round(mean+math.Sqrt(mean)*random.NormFloat64()))
	}
	k, p := 0.0, math.Exp(-mean)
	for sum, u := p, random.Float64(); u > sum && k < 200; sum += p {
		k++
		p *= mean / k
	}
	return k
}

func split(list []Flow, held func(Flow) bool) (train, test []Flow) {
	for _, f := range list {
		if held(f) {
			test = append(test, f)
		} else {
			train = append(train, f)
		}
	}
	return train, test
}

func TestMetricsOfATinyExampleAreAsByHand(t *testing.T) {
	t.Parallel()
	world, err := NewWorld([]Place{{ID: "a", Period: "1"}, {ID: "b", Period: "1"}, {ID: "c", Period: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	to, err := world.situations([]Flow{
		{"1", "a", "b", 6, Unknown(), Unknown()}, {"1", "a", "c", 4, Unknown(), Unknown()}, {"1", "b", "a", 10, Unknown(), Unknown()},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := Evaluate([]Prediction{
		{P: []float64{0, .25, .75}, situation: to[0]},
		{P: []float64{.5, 0, .5}, situation: to[1]},
	})
	// common: min(6, 2.5) + min(4, 7.5) + min(10, 5) = 11.5 of 20
	want := Metrics{CPC: 11.5 / 20, Xent: -(6*math.Log(.25) + 4*math.Log(.75) + 10*math.Log(.5)) / 20, Hit1: 14. / 20, Hit5: 1, Hit10: 1, Movers: 20}
	for _, pair := range [][2]float64{{m.CPC, want.CPC}, {m.Xent, want.Xent}, {m.Hit1, want.Hit1}, {m.Hit5, want.Hit5}, {m.Hit10, want.Hit10}, {m.Movers, want.Movers}} {
		if math.Abs(pair[0]-pair[1]) > 1e-12 {
			t.Fatalf("got %+v, want %+v", m, want)
		}
	}
}

func TestBaselinesAreAsByHand(t *testing.T) {
	t.Parallel()
	// On a meridian, one degree apart each: a - b - c.
	world, err := NewWorld([]Place{
		{ID: "a", Period: "1", Lat: 0, Population: 100}, {ID: "b", Period: "1", Lat: 1, Population: 300}, {ID: "c", Period: "1", Lat: 2, Population: 600},
	})
	if err != nil {
		t.Fatal(err)
	}
	to, err := world.situations([]Flow{{"1", "a", "b", 1, Unknown(), Unknown()}})
	if err != nil {
		t.Fatal(err)
	}
	// radiation: b 100 x 300 / (100 x 400) = .75; c 100 x 600 / (400 x 1000) = .15
	for name, c := range map[string]struct {
		utility func(*situation, []float64)
		b       float64
	}{"uniform": {uniform, .5}, "population": {populationShare, 1. / 3}, "radiation": {radiation, .75 / .9}} {
		if got := predict(to, c.utility)[0].P; math.Abs(got[1]-c.b) > 1e-6 || got[0] != 0 {
			t.Errorf("%s gives b %v, want %v", name, got, c.b)
		}
	}
}

func TestTheGradientIsThatOfTheObjective(t *testing.T) {
	t.Parallel()
	world, _, random := country(t, 100, []string{"1"}, 3)
	from, err := world.situations(gravityFlows(world, "1", random, 30, .5, .5, map[string]float64{}))
	if err != nil {
		t.Fatal(err)
	}
	sh := newShape(from, from)
	k := len(sh.columns(from[0]))
	for _, most := range []int{1 << 30, 8000} { // all pairs, and thinned out
		s := newSample(from, k, sh.write, most)
		if thinned := len(s.rows) < 100*99*k; thinned != (most == 8000) {
			t.Fatalf("%d rows of %d pairs", len(s.rows)/k, 100*99)
		}
		o := &objective{sample: s, dispersion: 3, overlap: 1.5}
		b := make([]float64, k)
		for v := range b {
			b[v] = .1 * random.NormFloat64()
			o.priors = append(o.priors, prior{.2, 1 + random.Float64()})
		}
		gradient := make([]float64, k)
		o.evaluate(b, gradient)
		for v := range b {
			const h = 1e-6
			at := slices.Clone(b)
			at[v] += h
			up := o.evaluate(at, nil)
			at[v] -= 2 * h
			numeric := (up - o.evaluate(at, nil)) / (2 * h)
			if math.Abs(numeric-gradient[v]) > 1e-5*(1+math.Abs(numeric)) {
				t.Errorf("variable %d: gradient %v, by differences %v", v, gradient[v], numeric)
			}
		}
	}
}

func TestGravityFindsTheCoefficientsThatMadeTheFlows(t *testing.T) {
	t.Parallel()
	world, _, random := country(t, 120, []string{"1"}, 0)
	list := gravityFlows(world, "1", random, 2000, 0, 0, map[string]float64{})
	for _, most := range []int{mostPairs, 120 * 100} {
		from, err := world.situations(list)
		if err != nil {
			t.Fatal(err)
		}
		s := newSample(from, 2, gravityVariables, most)
		wide := []prior{{0, 1e3}, {0, 1e3}}
		f, err := fitLogit(s, wide, []float64{0, 0}, 0, 1)
		if err == nil {
			err = f.finish(s, wide)
		}
		if err != nil {
			t.Fatal(err)
		}
		for v, want := range []float64{.7, -1.2} {
			if off := math.Abs(f.coefficients[v] - want); off > 4*f.errors[v] || off > .02 || f.errors[v] > .01 {
				t.Errorf("coefficient %d is %v with error %v, want %v", v, f.coefficients[v], f.errors[v], want)
			}
		}
	}
}

func TestTheFitMovesFromThePriorToTheFlowsAsMoversAreAdded(t *testing.T) {
	t.Parallel()
	world, _, random := country(t, 30, []string{"1"}, 0)
	far := math.Inf(1)
	for _, movers := range []float64{1, 30, 3000} {
		from, err := world.situations(gravityFlows(world, "1", random, movers, 0, 0, map[string]float64{}))
		if err != nil {
			t.Fatal(err)
		}
		s := newSample(from, 2, gravityVariables, mostPairs)
		f, err := fitLogit(s, []prior{{0, .05}, {0, .05}}, []float64{0, 0}, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		off := math.Hypot(f.coefficients[0]-.7, f.coefficients[1]+1.2)
		if off >= far {
			t.Errorf("with %v movers an origin the fit is %v off, with fewer %v", movers, off, far)
		}
		far = off
	}
}

func TestTheModelBeatsGravityWherePlacesHaveEffects(t *testing.T) {
	t.Parallel()
	world, _, random := country(t, 60, []string{"1", "2"}, 6)
	effects := map[string]float64{}
	first := gravityFlows(world, "1", random, 1500, .6, .8, effects)
	second := gravityFlows(world, "2", random, 1500, .6, .8, effects)
	cases := map[string]struct{ train, test []Flow }{}
	for name, held := range map[string]func(Flow) bool{
		"other regions": func(f Flow) bool { return world.periods["1"].places[world.periods["1"].index[f.Origin]].Region < "r2" },
		"other origins": func(f Flow) bool { return strings.HasSuffix(f.Origin, "7") },
	} {
		train, test := split(first, held)
		cases[name] = struct{ train, test []Flow }{train, test}
	}
	cases["later period"] = struct{ train, test []Flow }{first, second}
	for name, c := range cases {
		model, err := world.Fit(c.train, c.test, DefaultSettings())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		predictions := model.Predict()
		for _, p := range predictions {
			sum := 0.0
			for j, x := range p.P {
				if x < 0 || math.IsNaN(x) || (p.Places[j] == p.Origin && x != 0) {
					t.Fatalf("%s: %s to %s has %v", name, p.Origin, p.Places[j], x)
				}
				sum += x
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Fatalf("%s: the probabilities of %s add up to %v", name, p.Origin, sum)
			}
		}
		baselines, err := world.Baselines(c.train, c.test)
		if err != nil {
			t.Fatal(err)
		}
		got, gravity := Evaluate(predictions), Evaluate(baselines[3].Predictions)
		if got.Xent >= gravity.Xent-.02 || got.CPC <= gravity.CPC+.02 {
			t.Errorf("%s: CPC %.3f, xent %.3f; gravity %.3f, %.3f", name, got.CPC, got.Xent, gravity.CPC, gravity.Xent)
		}
		again, err := world.Fit(c.train, c.test, DefaultSettings())
		if err != nil {
			t.Fatal(err)
		}
		for k, p := range again.Predict() {
			if !slices.Equal(p.P, predictions[k].P) {
				t.Fatalf("%s: a second fit predicts otherwise", name)
			}
		}
	}
}

func TestPredictionsDoNotDependOnTheMoversOfTheTest(t *testing.T) {
	t.Parallel()
	world, _, random := country(t, 40, []string{"1"}, 4)
	train, test := split(gravityFlows(world, "1", random, 500, .5, .5, map[string]float64{}), func(f Flow) bool { return f.Origin < "p010" })
	model, err := world.Fit(train, test, DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(test)
	for k := range other {
		other[k].Movers = float64(1 + k%7)
	}
	again, err := world.Fit(train, other[:len(other)-1], DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	before, after := model.Predict(), again.Predict()
	for k := range before {
		if !slices.Equal(before[k].P, after[k].P) {
			t.Fatalf("the prediction of %s changed with the answers", before[k].Origin)
		}
	}
}

func TestKinIsUsedWhereItIsKnownAndLeftOutWhereItWouldGiveTheAnswerAway(t *testing.T) {
	t.Parallel()
	world, _, random := country(t, 30, []string{"1"}, 0)
	list := gravityFlows(world, "1", random, 400, .8, 0, map[string]float64{})
	p := world.periods["1"]
	known := map[string]Flow{}
	for _, f := range list {
		known[f.Origin+f.Dest] = f
	}
	var full []Flow
	for i, a := range p.places {
		for j, b := range p.places {
			if i == j {
				continue
			}
			f := known[a.ID+b.ID]
			f.Period, f.Origin, f.Dest = "1", a.ID, b.ID
			f.Kin, f.KinBack = math.Round(f.Movers*(.5+random.Float64())), math.Round(40*random.Float64())
			if random.Float64() < .05 {
				f.Kin = Unknown()
			}
			full = append(full, f)
		}
	}
	held := func(f Flow) bool { return f.Origin < "p008" }
	train, test := split(full, held)
	has := func(train, test []Flow) (bool, float64) {
		model, err := world.Fit(train, test, DefaultSettings())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(model.Table(), func(c Coefficient) bool { return c.Name == "ln_kin" }), Evaluate(model.Predict()).Xent
	}
	with, xent := has(train, test)
	if !with {
		t.Fatal("kin is known of 95 % of the pairs and was not used")
	}
	moved := func(list []Flow) []Flow {
		return slices.DeleteFunc(slices.Clone(list), func(f Flow) bool { return f.Movers == 0 })
	}
	if with, _ := has(moved(train), moved(test)); with {
		t.Error("kin is known only of pairs with movers and was used")
	}
	for k := range test {
		test[k].Kin, test[k].KinBack = Unknown(), Unknown()
	}
	without, bare := has(train, test)
	if without {
		t.Error("kin is not known in the test and was used")
	}
	if xent >= bare {
		t.Errorf("xent is %.3f with kin, %.3f without", xent, bare)
	}
}

func TestWrongFlowsAreRefused(t *testing.T) {
	t.Parallel()
	world, list, _ := country(t, 5, []string{"1"}, 0)
	for want, flows := range map[string][]Flow{
		"no places in period": {{"2", "p000", "p001", 1, 0, 0}},
		"is no place":         {{"1", "p000", "elsewhere", 1, 0, 0}},
		"both origin and":     {{"1", "p000", "p000", 1, 0, 0}},
		"stands twice":        {{"1", "p000", "p001", 1, 0, 0}, {"1", "p000", "p001", 1, 0, 0}},
		"no flows to fit to":  {},
		"no movers to fit to": {{"1", "p000", "p001", 0, 0, 0}},
	} {
		if _, err := world.Fit(flows, []Flow{{"1", "p001", "p002", 1, 0, 0}}, DefaultSettings()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if _, err := NewWorld(append(list, list[0])); err == nil {
		t.Error("a place given twice was taken")
	}
	if _, err := NewWorld(list[:2]); err == nil {
		t.Error("two places were taken as a choice")
	}
}

func TestRegionsComeFromCodesThatLieTogether(t *testing.T) {
	t.Parallel()
	var places []Place
	for i := range 10 {
		places = append(places,
			Place{ID: fmt.Sprintf("01%03d", i), Period: "1", Lat: float64(i) / 10, Lon: 0},
			Place{ID: fmt.Sprintf("02%03d", i), Period: "1", Lat: 50 + float64(i)/10, Lon: 0})
	}
	world, err := NewWorld(places)
	if err != nil {
		t.Fatal(err)
	}
	if got := world.periods["1"].regions; !slices.Equal(got, []string{"01", "02"}) {
		t.Errorf("regions are %q", got)
	}
	for i := range places {
		places[i].Lat = float64(i * 37 % 20) // codes that say nothing
	}
	if world, err = NewWorld(places); err != nil {
		t.Fatal(err)
	}
	if got := world.periods["1"].regions; len(got) != 0 {
		t.Errorf("regions are %q of codes that are scattered", got)
	}
}

// BenchmarkFit fits to all origins of a country whose test is a fifth of its regions.
func BenchmarkFit(b *testing.B) {
	for _, places := range []int{300, 1200} {
		b.Run(fmt.Sprintf("places=%d", places), func(b *testing.B) {
			world, _, random := country(b, places, []string{"1"}, 20)
			p := world.periods["1"]
			train, test := split(gravityFlows(world, "1", random, 300, .6, .8, map[string]float64{}), func(f Flow) bool { return p.region[p.index[f.Origin]] < 4 })
			for b.Loop() {
				if _, err := world.Fit(train, test, DefaultSettings()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
