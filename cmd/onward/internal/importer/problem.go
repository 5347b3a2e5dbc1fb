package importer

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"

	"onward"
)

// Problem is one thing that is wrong with one row. Value may identify a person: show it to whoever imports, write it
// nowhere else.
type Problem struct {
	Line        int                 `json:"line"`             // of the file, where the value stands; the header is line 1
	Column      string              `json:"column,omitempty"` // as the file calls it; a path such as skills[0].level in NDJSON
	Value       string              `json:"value,omitempty"`
	Rule        string              `json:"rule"` // for programs, as in onward.FieldError
	Reason      string              `json:"reason"`
	Suggestions []onward.Suggestion `json:"suggestions,omitempty"`
}

// LogValue keeps the value out of logs.
func (p Problem) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("line", p.Line), slog.String("column", p.Column), slog.String("rule", p.Rule))
}

// shownValue is how much of a value is shown.
const shownValue = 80

// String is the problem in one line, with the value: for the terminal.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d", p.Line)
	if p.Column != "" {
		fmt.Fprintf(&b, ", %s", p.Column)
	}
	if p.Value != "" {
		value := p.Value
		if utf8.RuneCountInString(value) > shownValue {
			value = string([]rune(value)[:shownValue]) + "…"
		}
		fmt.Fprintf(&b, " %s", strconv.Quote(value))
	}
	b.WriteString(": ")
	b.WriteString(p.explanation())
	return b.String()
}

// explanation is the reason with what may be meant.
func (p Problem) explanation() string {
	if len(p.Suggestions) == 0 {
		return p.Reason
	}
	labels := make([]string, len(p.Suggestions))
	for i, s := range p.Suggestions {
		labels[i] = s.Label
		if s.ID != "" && s.ID != s.Label {
			labels[i] += " (" + s.ID + ")"
		}
	}
	return p.Reason + "; did you mean " + strings.Join(labels, " or ") + "?"
}

// rejectReason is the column, or the field, that the reject file has more than the source.
const rejectReason = "reject_reason"

// reasonOf is what a reject file says of a row.
func reasonOf(problems []Problem) string {
	reasons := make([]string, len(problems))
	for i, p := range problems {
		reasons[i] = p.explanation()
		if p.Column != "" {
			reasons[i] = p.Column + ": " + reasons[i]
		}
	}
	return strings.Join(reasons, "; ")
}

// nearest is the word that is most like another one, or nothing when none is near.
func nearest(word string, words []string) string {
	best, least := "", len(word)/3+2
	for _, w := range words {
		if d := editDistance(word, w); d < least {
			best, least = w, d
		}
	}
	if best != "" {
		return best
	}
	for _, w := range words { // wage_minimum is far from wage_min, and yet
		if len(w) > 3 && len(word) > 3 && (strings.HasPrefix(word, w) || strings.HasPrefix(w, word)) {
			return w
		}
	}
	return ""
}

// editDistance counts insertions, deletions and replacements of bytes: these words are ASCII.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// unknown says that a name is not known, and which one is near.
func unknown(what, name string, known []string, remedy string) string {
	text := fmt.Sprintf("no %s is called %q", what, name)
	if near := nearest(plain(name), known); near != "" {
		text += fmt.Sprintf("; did you mean %s?", near)
	}
	return text + " " + remedy
}

// plain is a header as it is compared: "Business Title" and "business-title" are business_title.
func plain(name string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
}
