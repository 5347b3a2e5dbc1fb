package demo

import (
	"slices"
	"testing"
)

func TestLookFollowsTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		environment map[string]string
		want        Look
	}{
		{"nothing set", nil, Look{Colour: true}},
		{"UTF-8", map[string]string{"LANG": "es_MX.UTF-8"}, Look{Unicode: true, Colour: true}},
		{"utf8 without hyphen", map[string]string{"LC_CTYPE": "C.utf8"}, Look{Unicode: true, Colour: true}},
		{"LC_ALL comes first", map[string]string{"LC_ALL": "C", "LANG": "es_MX.UTF-8"}, Look{Colour: true}},
		{"NO_COLOR", map[string]string{"LANG": "en_GB.UTF-8", "NO_COLOR": "1"}, Look{Unicode: true}},
		{"dumb terminal", map[string]string{"TERM": "dumb"}, Look{}},
	} {
		if got := lookIn(func(name string) string { return c.environment[name] }); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestWrapKeepsWordsAndWidth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text          string
		width, indent int
		want          []string
	}{
		{"", 10, 0, []string{""}},
		{"poner ladrillos", 20, 2, []string{"poner ladrillos"}},
		{"poner ladrillos", 10, 2, []string{"poner", "ladrillo", "s"}},
		{"  poner dos", 8, 2, []string{"  poner", "dos"}},
		{"uno\u00a0dos tres", 9, 0, []string{"uno\u00a0dos", "tres"}},
		{"impermeabilizador", 6, 1, []string{"imperm", "eabil", "izado", "r"}},
	} {
		if got := wrap(c.text, c.width, c.indent); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q, %d, %d) = %q, want %q", c.text, c.width, c.indent, got, c.want)
		}
	}
}
