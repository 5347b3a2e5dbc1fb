package onward_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requirements are those of levels 1 and 2 of ASVS 5.0: in each section, the numbers.
const requirements = `1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1-1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2 4.1:1-3 4.2:1-1 4.3:1-2 4.4:1-4
5.1:1-1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3 6.8:1-4 7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1-1 8.4:1-1
9.1:1-3 9.2:1-4 10.1:1-2 10.2:1-2 10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1-1 11.6:1-1 12.1:1-3 12.2:1-2 12.3:1-4
13.1:1-1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3 15.3:1-7 16.1:1-1 16.2:1-5 16.3:1-4 16.4:1-3 16.5:1-3 17.1:1-1 17.2:1-4 17.3:1-2`

// What docs/security.md says is not left behind by the code.
func TestEveryRequirementIsThereAndWhatItNamesToo(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	rows := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| V([0-9]+\.[0-9]+\.[0-9]+) \| [^|]+ \| (met|part|not met|does not apply) \| [^|]+ \|$`).FindAllStringSubmatch(text, -1) {
		if rows[m[1]] != "" {
			t.Errorf("V%s is there twice", m[1])
		}
		rows[m[1]] = m[2]
	}
	n := 0
	for _, section := range strings.Fields(requirements) {
		var chapter, part, from, to int
		if _, err := fmt.Sscanf(section, "%d.%d:%d-%d", &chapter, &part, &from, &to); err != nil {
			t.Fatalf("%s: %v", section, err)
		}
		for k := from; k <= to; k++ {
			n++
			if rows[fmt.Sprintf("%d.%d.%d", chapter, part, k)] == "" {
				t.Errorf("V%d.%d.%d has no row", chapter, part, k)
			}
		}
	}
	if n != 253 || len(rows) != n {
		t.Errorf("%d requirements, %d rows", n, len(rows))
	}
	counts := map[string]int{}
	for _, state := range rows {
		counts[state]++
	}
	if want := fmt.Sprintf("Of %d requirements %d are met, %d in part, %d are not met and %d do not apply.", n, counts["met"], counts["part"], counts["not met"], counts["does not apply"]); !strings.Contains(text, want) {
		t.Errorf("the sum is not: %s", want)
	}

	functions := map[string]bool{}
	named := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)\(`)
	if err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path) //nolint:gosec // of this tree
		for _, m := range named.FindAllStringSubmatch(string(source), -1) {
			functions[m[1]] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	tests, files := 0, 0
	isFile := regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$|^[A-Za-z0-9_-]+\.(go|md|json|yaml)$|^\.ci/`)
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(text, -1) {
		switch name := m[1]; {
		case regexp.MustCompile(`^(Test|Fuzz|Benchmark)[A-Z]`).MatchString(name):
			tests++
			if !functions[name] {
				t.Errorf("there is no %s", name)
			}
		case isFile.MatchString(name):
			files++
			if _, err := os.Stat(name); err != nil {
				t.Errorf("there is no %s", name)
			}
		}
	}
	if tests < 100 || files < 50 {
		t.Errorf("%d tests and %d files are named", tests, files)
	}
}
