package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"onward"
	"onward/api"
)

type bulkAnswer struct {
	Created, Duplicates, Rejected int
	Lines                         []struct {
		Line      int
		ID        *onward.ID
		Duplicate bool
		Detail    string
		Errors    []api.ProblemField
	}
}

func (s *system) bulk(body string) bulkAnswer {
	s.t.Helper()
	return decode[bulkAnswer](s.post(s.poster, "/v1/opportunities/bulk", body, header("Content-Type", "application/x-ndjson")).want(http.StatusOK))
}

func TestBulkWritesGoodLinesAndNumbersBadOnes(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	lines := []string{
		"\ufeff" + opening(`,"external_id":"a","publish":true`),
		"",
		"   \t",
		opening(`,"external_id":"b"`) + "\r",
		`{"kind":`,
		opening(`,"external_id":"` + "\xff" + `"`),
		opening(`,"salary":3`),
		opening(`,"external_id":"a"`),
		opening(`,"skills":[{"skill_id":"onward/skill/lay-brick","why":1}]`),
		opening(`,"skills":[{"skill_id":"onward/skill/lay-brick"}]`),
		opening(`,"capacity":2`),
		opening("") + opening(""),
		opening(`,"description":{"es":"` + strings.Repeat("x", 1<<20) + `"}`),
		`[` + opening("") + `]`,
		strings.Replace(opening(""), `"capacity":1`, `"capacity":-1`, 1),
		opening(`,"external_id":"last"`), // without a new line at its end
	}
	got := s.bulk(strings.Join(lines, "\n"))
	if got.Created != 3 || got.Duplicates != 1 || got.Rejected != 10 || len(got.Lines) != 14 {
		t.Fatalf("%+v", got)
	}
	want := map[int]string{
		5: "body syntax", 6: "body syntax", 7: "body.salary unknown_field", 9: "body.skills[0].why unknown_field",
		10: "body.skills[0].skill_id unknown_skill", 11: "body syntax", 12: "body syntax", 13: "", 14: "body syntax", 15: "body.capacity range",
	}
	for _, line := range got.Lines {
		switch line.Line {
		case 1, 4, 16:
			if line.ID == nil || line.Duplicate || line.Detail != "" {
				t.Errorf("line %d was good: %+v", line.Line, line)
			}
		case 8:
			if line.ID == nil || *line.ID != *got.Lines[0].ID || !line.Duplicate {
				t.Errorf("line 8 is the opportunity of line 1 again: %+v", line)
			}
		default:
			said := ""
			if len(line.Errors) > 0 {
				said = line.Errors[0].Location + " " + line.Errors[0].Rule
			}
			if line.ID != nil || line.Detail == "" || said != want[line.Line] {
				t.Errorf("line %d: %q, want %q: %+v", line.Line, said, want[line.Line], line)
			}
		}
	}
	for i := 1; i < len(got.Lines); i++ {
		if got.Lines[i].Line <= got.Lines[i-1].Line {
			t.Errorf("line %d comes after line %d", got.Lines[i].Line, got.Lines[i-1].Line)
		}
	}
	written := map[string]onward.OpportunityStatus{}
	for _, o := range decode[opportunities](s.get(s.poster, "/v1/opportunities").want(200)).Items {
		written[o.ExternalID] = o.Status
	}
	if want := map[string]onward.OpportunityStatus{"a": onward.OpportunityOpen, "b": onward.OpportunityDraft, "last": onward.OpportunityDraft}; !maps.Equal(written, want) {
		t.Errorf("written: %v, want %v", written, want)
	}
}

func TestTheSameBulkTwiceAddsNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	var body strings.Builder
	for i := range 1100 { // more than two transactions
		fmt.Fprintln(&body, opening(fmt.Sprintf(`,"external_id":"x%d"`, i)))
	}
	first, second := s.bulk(body.String()), s.bulk(body.String())
	if first.Created != 1100 || second.Created != 0 || second.Duplicates != 1100 {
		t.Fatalf("%d, then %d and %d duplicates", first.Created, second.Created, second.Duplicates)
	}
	for i := range first.Lines {
		if *first.Lines[i].ID != *second.Lines[i].ID {
			t.Fatalf("line %d got another id", i+1)
		}
	}
	s.register(bricklayer("ana"))
	people := `{"external_id":"ana","country":"MX"}` + "\r\n" + `{"external_id":"ben","country":"MX"}` + "\r\n"
	got := decode[bulkAnswer](s.post(s.counsellor, "/v1/returnees/bulk", people).want(200))
	if got.Created != 1 || got.Duplicates != 1 || got.Lines[1].Line != 2 {
		t.Errorf("returnees: %+v", got)
	}
}

func TestABulkHasLimits(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	line := opening("") + "\n"
	s.post(s.poster, "/v1/opportunities/bulk", strings.Repeat(" ", 16<<20)).want(http.StatusOK)
	s.post(s.poster, "/v1/opportunities/bulk", strings.Repeat(" ", 16<<20+1)).problem(http.StatusRequestEntityTooLarge, onward.ETooLarge)
	s.post(s.poster, "/v1/opportunities/bulk", strings.Repeat("1\n", 50_000)).problem(http.StatusRequestEntityTooLarge, onward.ETooLarge)
	s.post(s.poster, "/v1/opportunities/bulk", "").problem(http.StatusBadRequest, onward.EMalformed)
	s.post(s.counsellor, "/v1/opportunities/bulk", line).problem(http.StatusForbidden, onward.EForbidden)
	s.post(s.counsellor, "/v1/opportunities/bulk", "nonsense\n").problem(http.StatusForbidden, onward.EForbidden)
	s.post(s.poster, "/v1/returnees/bulk", `{"country":"MX"}`).problem(http.StatusForbidden, onward.EForbidden)
}
