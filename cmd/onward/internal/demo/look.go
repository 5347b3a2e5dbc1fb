package demo

import (
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// Look says what a page may use. The zero Look is plain: ASCII lines, no colours.
type Look struct {
	Unicode bool // box lines, bars and signs beyond ASCII; names keep their accents either way
	Colour  bool
}

// LookFor is what a writer can show: colours on a terminal unless NO_COLOR is set or TERM is dumb, and Unicode on a terminal
// whose locale is UTF-8. Files and pipes get the plain look.
func LookFor(w io.Writer) Look {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) { //nolint:gosec // a file descriptor is small
		return Look{}
	}
	return lookIn(os.Getenv)
}

// lookIn is the look of a terminal in an environment.
func lookIn(getenv func(string) string) Look {
	locale := getenv("LC_ALL")
	for _, name := range []string{"LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = getenv(name)
		}
	}
	locale = strings.ToUpper(strings.ReplaceAll(locale, "-", ""))
	return Look{
		Unicode: strings.Contains(locale, "UTF8"),
		Colour:  getenv("NO_COLOR") == "" && getenv("TERM") != "dumb",
	}
}

// WidthFor is how many columns a writer has: those of a terminal, else 120.
func WidthFor(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 { //nolint:gosec // a file descriptor is small
			return width
		}
	}
	return 120
}

// tone is how a line stands out.
type tone int

const (
	normal tone = iota
	strong
	good
	warning
	faint
)

// line is a text that is wrapped where it is too long, with later lines indented.
type line struct {
	text   string
	tone   tone
	indent int
}

// tint colours one printed line.
func (l Look) tint(s string, t tone) string {
	if !l.Colour || s == "" {
		return s
	}
	switch t {
	case strong:
		return text.Bold.Sprint(s)
	case good:
		return text.FgGreen.Sprint(s)
	case warning:
		return text.FgYellow.Sprint(s)
	case faint:
		return text.Faint.Sprint(s)
	case normal:
	}
	return s
}

var asciiSigns = strings.NewReplacer("–", "-", "—", "-", "×", "x", "·", "|", "≈", "~", "→", "->", "…", "...", "’", "'")

// signs replaces typographic signs where only ASCII is sure. Letters stay.
func (l Look) signs(s string) string {
	if l.Unicode {
		return s
	}
	return asciiSigns.Replace(s)
}

// fit wraps lines to a width at spaces; a word that is longer than the line is cut at the width and goes on in the next.
func (l Look) fit(lines []line, width int) []string {
	var fitted []string
	for _, in := range lines {
		for i, s := range wrap(l.signs(in.text), width, in.indent) {
			if i > 0 {
				s = strings.Repeat(" ", in.indent) + s
			}
			fitted = append(fitted, l.tint(strings.ReplaceAll(s, together, " "), in.tone))
		}
	}
	return fitted
}

func wrap(s string, width, indent int) []string {
	var lines []string
	lead := len(s) - len(strings.TrimLeft(s, " "))
	current, used := s[:lead], lead
	empty := true
	room := func() int {
		if len(lines) == 0 {
			return width
		}
		return width - indent
	}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }) {
		n := text.StringWidth(word)
		if !empty && used+1+n > room() {
			lines = append(lines, current)
			current, used, empty = "", 0, true
		}
		for used+n > room() && room() > used { // longer than a whole line
			cut := cutAt(word, room()-used)
			lines = append(lines, current+word[:cut])
			word = word[cut:]
			n = text.StringWidth(word)
			current, used = "", 0
		}
		if !empty {
			current += " "
			used++
		}
		current += word
		used += n
		empty = false
	}
	return append(lines, current)
}

// cutAt is how many bytes of a word fill so many columns, at least one letter.
func cutAt(word string, columns int) int {
	used := 0
	for i, r := range word {
		if used += text.RuneWidth(r); used > columns && i > 0 {
			return i
		}
	}
	return len(word)
}
