package api_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"onward"
)

func TestAViewAsCSVCanNotRunAsAFormula(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	details := bricklaying("csv", zapopan)
	details.Title = onward.Text{"es": `=HYPERLINK("http://example.org";"a")`}
	s.open(details)
	got := s.get(s.poster, "/v1/monitoring/openings.csv").want(200)
	if got.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(got.header.Get("Content-Disposition"), "openings.csv") {
		t.Errorf("headers %v", got.header)
	}
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[0][1] != "title" || !strings.HasPrefix(rows[1][1], "'=") {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestFiguresOfAFewPeopleAreWithheld(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.sent("E", "one")
	f := decode[onward.ProgrammeFigures](s.get(s.analyst, "/v1/monitoring/programme").want(200))
	if len(f.Lines) != 0 || f.Note == "" || f.Total.Sent != nil {
		t.Errorf("%+v", f)
	}
	if lines := strings.Split(strings.TrimSpace(s.get(s.analyst, "/v1/monitoring/programme.csv?by=region").want(200).body), "\n"); len(lines) != 2 || strings.Count(lines[1], "withheld") != 10 {
		t.Errorf("%q", lines)
	}
}
