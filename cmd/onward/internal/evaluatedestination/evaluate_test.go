package evaluatedestination

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"onward/internal/testenv"
	"onward/matcher/destination/flows"
)

const (
	placesHeader = "place\tname\tregion\tlat\tlon\tperiod\tpopulation\n"
	flowsHeader  = "period\torigin\tdest\tmovers\tkin\tkin_back\n"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// small is a country of nine places on a grid, its flows falling with distance; the origins in odd columns are the test.
func small(t *testing.T) Files {
	t.Helper()
	places, train, test := placesHeader, flowsHeader, flowsHeader
	for i := range 9 {
		places += fmt.Sprintf("p%d\tPlace\t\t%d\t%d\t2020\t%d\r\n", i, i/3, i%3, 1000*(i+1))
		for j := range 9 {
			if i == j {
				continue
			}
			km := math.Hypot(float64(i/3-j/3), float64(i%3-j%3))
			row := fmt.Sprintf("2020\tp%d\tp%d\t%.0f\t\t\n", i, j, 100*float64(j+1)/km)
			if i%3 == 1 {
				test += row
			} else {
				train += row
			}
		}
	}
	return Files{Places: write(t, "places.tsv", places), Train: write(t, "train.tsv", train), Test: write(t, "test.tsv", test)}
}

func TestPredictionsAreWrittenForEveryPairAndAddUpToOne(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"out.tsv", "out.tsv.gz"} {
		files := small(t)
		files.Predictions = filepath.Join(t.TempDir(), name)
		result, err := Run(Options{Files: files})
		if err != nil {
			t.Fatal(err)
		}
		if result.Movers == 0 || result.CPC < .5 || result.CPC > 1 || len(result.Baselines) != 4 {
			t.Errorf("the result is %+v", result)
		}
		file, err := os.Open(files.Predictions)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(file)
		if strings.HasSuffix(name, ".gz") {
			zipped, err := gzip.NewReader(file)
			if err != nil {
				t.Fatal(err)
			}
			lines = bufio.NewScanner(zipped)
		}
		if !lines.Scan() || lines.Text() != "origin\tdest\tp" {
			t.Fatalf("the header is %q", lines.Text())
		}
		sums, rows := map[string]float64{}, 0
		for lines.Scan() {
			cells := strings.Split(lines.Text(), "\t")
			p, err := strconv.ParseFloat(cells[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			sums[cells[0]] += p
			rows++
		}
		if len(sums) != 3 || rows != 3*8 {
			t.Errorf("%d origins and %d rows", len(sums), rows)
		}
		for origin, sum := range sums {
			if math.Abs(sum-1) > 1e-8 {
				t.Errorf("the probabilities of %s add up to %v", origin, sum)
			}
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheResultSaysHowItCameAboutAndThatItTransfersBadly(t *testing.T) {
	t.Parallel()
	result, err := Run(Options{Files: small(t), Without: []string{"ln_distance_knot"}})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	result.Print(&text, true)
	for _, want := range []string{"model ", "uniform ", "population_share ", "radiation ", "gravity ", "transfer badly", "ln_population ", "std.err.", "Ravenstein"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "ln_distance_knot") {
		t.Error("a variable that was left out is there")
	}
}

func TestABadRowIsNamedByFileAndLine(t *testing.T) {
	t.Parallel()
	places := placesHeader + "a\t\t\t0\t0\t2020\t10\nb\t\t\t0\t1\t2020\t20\nc\t\t\t1\t1\t2020\t30\n"
	row := "2020\ta\tb\t5\t\t\n"
	for want, c := range map[string]struct{ places, flows string }{
		"places.tsv:1: the header has no column \"lat\"":             {"place\tperiod\n", flowsHeader + row},
		"places.tsv:5: lat 99 is not between":                        {places + "d\t\t\t99\t0\t2020\t1\n", flowsHeader + row},
		"places.tsv:5: place \"d\" has no lat and lon":               {places + "d\t\t\t\t\t2020\t1\n", flowsHeader + row},
		"places.tsv:5: place \"a\" of period \"2020\" stands on":     {places + "a\t\t\t0\t0\t2020\t10\n", flowsHeader + row},
		"places.tsv:5: population \"many\" is no number":             {places + "d\t\t\t0\t0\t2020\tmany\n", flowsHeader + row},
		"flows.tsv:3: movers is empty":                               {places, flowsHeader + row + "2020\ta\tc\t\t\t\n"},
		"flows.tsv:3: movers -1 is not between":                      {places, flowsHeader + row + "2020\ta\tc\t-1\t\t\n"},
		"flows.tsv:3: place \"x\" is not among the places of":        {places, flowsHeader + row + "2020\ta\tx\t1\t\t\n"},
		"flows.tsv:3: the flow from \"a\" to \"b\" stands on line 2": {places, flowsHeader + row + row},
		"flows.tsv:2: \"a\" is both origin and destination":          {places, flowsHeader + "2020\ta\ta\t1\t\t\n"},
		"flows.tsv:2: 7 cells under a header of 6":                   {places, flowsHeader + "2020\ta\tb\t1\t\t\t\n"},
		"flows.tsv: has no rows":                                     {places, flowsHeader},
	} {
		good := write(t, "good.tsv", flowsHeader+row)
		_, err := Run(Options{Files: Files{Places: write(t, "places.tsv", c.places), Train: write(t, "flows.tsv", c.flows), Test: good}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	_, err := Run(Options{Files: Files{Places: write(t, "places.tsv.gz", places)}})
	if err == nil || !strings.Contains(err.Error(), "the name says gzip") {
		t.Errorf("a file that is no gzip gives %v", err)
	}
}

// TestTheModelBeatsGravityOnRealFlows predicts a later period of states, and other origins of commuters.
func TestTheModelBeatsGravityOnRealFlows(t *testing.T) {
	t.Parallel()
	for set, held := range map[string]func(flows.Flow) bool{
		"mx_states":    func(f flows.Flow) bool { return f.Period == "2010-15" },
		"ny_commuting": func(f flows.Flow) bool { return strings.HasSuffix(f.Origin, "1") || strings.HasSuffix(f.Origin, "7") },
	} {
		places, err := readPlaces(testenv.SharedData(t, "flows", set, "places.tsv.gz"))
		if err != nil {
			t.Fatal(err)
		}
		world, err := flows.NewWorld(places)
		if err != nil {
			t.Fatal(err)
		}
		all, err := readFlows(testenv.SharedData(t, "flows", set, "flows.tsv.gz"), world)
		if err != nil {
			t.Fatal(err)
		}
		var train, test []flows.Flow
		for _, f := range all {
			if held(f) {
				test = append(test, f)
			} else {
				train = append(train, f)
			}
		}
		model, err := world.Fit(train, test, flows.DefaultSettings())
		if err != nil {
			t.Fatal(err)
		}
		baselines, err := world.Baselines(train, test)
		if err != nil {
			t.Fatal(err)
		}
		got, gravity := flows.Evaluate(model.Predict()), flows.Evaluate(baselines[3].Predictions)
		if got.CPC < gravity.CPC+.1 || got.Xent > gravity.Xent-.15 {
			t.Errorf("%s: CPC %.3f, xent %.3f; gravity %.3f, %.3f", set, got.CPC, got.Xent, gravity.CPC, gravity.Xent)
		}
	}
}
