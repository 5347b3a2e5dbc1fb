package importer_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"onward/cmd/onward/internal/importer"
)

func TestRowsWithoutSkillsGetSuggestions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deps.Reader = b.deps.Resolver.(importer.Reader)
	file := "external_id,kind,title,description,capacity,place,essential_skills\n" +
		"one,job,Bricklayer,\"You lay bricks and mix mortar and plaster, and work in a team.\",2,Zapopan,\n" +
		"two,job,Bricklayer,You lay bricks.,2,Zapopan,lay bricks\n" +
		"bad,luck,Bricklayer,You lay bricks.,2,Zapopan,\n" +
		"three,job,Zzzz,,2,Zapopan,\n"
	var out bytes.Buffer
	summary, problems := b.opportunities(t, file, importer.Options{Suggest: &out, DryRun: true})
	if summary.Created != 3 || len(problems) != 1 {
		t.Fatalf("%+v %v", summary, problems)
	}
	columns := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		var s importer.Suggestion
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		columns[s.Column] = true
		if s.ExternalID != "one" || s.Line != 2 {
			t.Errorf("only the first row lacks skills and says something: %+v", s)
		}
		if s.ID == "" || s.Label == "" || s.Text == "" || !(s.Confidence > 0) {
			t.Errorf("%+v", s)
		}
	}
	if !columns["optional_skills"] || !columns["occupation"] {
		t.Errorf("skills from the description and an occupation from the title: %s", out.String())
	}
}

func TestANoteSuggestsSkillsOfAReturnee(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deps.Reader = b.deps.Resolver.(importer.Reader)
	var out bytes.Buffer
	b.returnees(t, "external_id,country,notes,skills\na,MX,Sabe colocar ladrillos,\nb,MX,Sabe colocar ladrillos,lay bricks\n", importer.Options{Suggest: &out, Language: "es"})
	if n := strings.Count(out.String(), "\n"); n == 0 || strings.Contains(out.String(), `"external_id":"b"`) || !strings.Contains(out.String(), `"column":"skills"`) {
		t.Errorf("%d suggestions: %s", n, out.String())
	}
}
