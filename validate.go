package onward

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Languages that labels, texts and notices come in.
var languagesOfService = []string{"en", "fr", "es", "ar"}

// ServiceLanguages lists the languages that Onward speaks.
func ServiceLanguages() []string { return slices.Clone(languagesOfService) }

var (
	slugPattern     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	countryPattern  = regexp.MustCompile(`^[A-Z]{2}$`)
	currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)
	languagePattern = regexp.MustCompile(`^[a-z]{2,3}$`)
	phonePattern    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	emailPattern    = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
)

// validator gathers every broken rule of one input, so that a person can mend them in one go.
type validator struct {
	fields    []FieldError
	suggested int
}

func newValidator() *validator { return &validator{} }

func (v *validator) err() error { return Invalid(v.fields) }

const (
	// mostFields are more than a person mends at once; what is wrong beyond them is left out.
	mostFields = 100
	// mostSuggested bounds how many unknown words of one input are looked up for what they may mean, which is slow work.
	mostSuggested = 5
)

func (v *validator) add(field, rule, format string, args ...any) {
	if len(v.fields) < mostFields {
		v.fields = append(v.fields, FieldError{Field: field, Rule: rule, Message: fmt.Sprintf(format, args...)})
	}
}

// suggest adds an error with what may have been meant.
func (v *validator) suggest(field, rule, text string, near func(string) []Suggestion, format string, args ...any) {
	n := len(v.fields)
	if v.add(field, rule, format, args...); len(v.fields) == n || v.suggested == mostSuggested {
		return
	}
	v.suggested++
	v.fields[n].Suggestions = near(text)
}

// text checks the length in characters and refuses what no one types: control characters, and the NUL that Postgres
// can't store.
func (v *validator) text(field, s string, minLen, maxLen int) {
	n := utf8.RuneCountInString(s)
	switch {
	case !utf8.ValidString(s):
		v.add(field, "utf8", "send text as UTF-8")
	case n < minLen && minLen == 1:
		v.add(field, "required", "fill this in")
	case n < minLen || n > maxLen:
		v.add(field, "length", "use %d to %d characters; this has %d", minLen, maxLen, n)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
		v.add(field, "characters", "remove control characters")
	}
}

func (v *validator) slug(field, s string) {
	if len(s) > 60 || !slugPattern.MatchString(s) {
		v.add(field, "slug", "use lower-case letters, digits and single hyphens, 60 at most, such as casa-monarca")
	}
}

func (v *validator) country(field, s string) {
	if !countryPattern.MatchString(s) {
		v.add(field, "country", "use a two-letter country code (ISO 3166-1), such as MX")
	}
}

func (v *validator) language(field, s string) {
	if !languagePattern.MatchString(s) {
		v.add(field, "language", "use a language code (ISO 639), such as es")
	}
}

func (v *validator) email(field, s string) {
	if len(s) > 254 || !emailPattern.MatchString(s) {
		v.add(field, "email", "use an e-mail address, such as name@example.org")
	}
}

func (v *validator) intRange(field string, n, low, high int64) {
	if n < low || n > high {
		v.add(field, "range", "use a number from %d to %d", low, high)
	}
}

// count refuses lists that grow without bound.
func (v *validator) count(field string, n, most int) {
	if n > most {
		v.add(field, "count", "give at most %d; this has %d", most, n)
	}
}

func oneOf[T ~string](v *validator, field string, value T, allowed []T) {
	if slices.Contains(allowed, value) {
		return
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	if value == "" {
		v.add(field, "required", "fill this in with one of: %s", strings.Join(words, ", "))
		return
	}
	v.add(field, "one_of", "use one of: %s", strings.Join(words, ", "))
}

// optional runs a check on a value that may be left out.
func optional[T any](value *T, check func(T)) {
	if value != nil {
		check(*value)
	}
}

// Vocabulary answers what skills, occupations and places exist, and what an unknown one may have meant.
type Vocabulary interface {
	// HasSkill and HasOccupation look an id up in the loaded taxonomy.
	HasSkill(id string) bool
	HasOccupation(id string) bool
	Place(id PlaceID) (Place, bool)
	// SuggestSkills and SuggestOccupations name up to three concepts whose label or id is near the text.
	SuggestSkills(text string) []Suggestion
	SuggestOccupations(text string) []Suggestion
	// SuggestPlaces names up to three places whose name is near the text.
	SuggestPlaces(text string) []Suggestion
}

func (v *validator) skill(vocabulary Vocabulary, field, id string) {
	switch {
	case id == "":
		v.add(field, "required", "name a skill; /v1/skills finds its id")
	case !vocabulary.HasSkill(id):
		v.suggest(field, "unknown_skill", id, vocabulary.SuggestSkills, "no such skill in the loaded taxonomy; /v1/skills finds its id")
	}
}

func (v *validator) occupation(vocabulary Vocabulary, field, id string) {
	if id != "" && !vocabulary.HasOccupation(id) {
		v.suggest(field, "unknown_occupation", id, vocabulary.SuggestOccupations, "no such occupation in the loaded taxonomy; /v1/skills?kind=occupation finds its id")
	}
}

func (v *validator) place(vocabulary Vocabulary, field string, id PlaceID) {
	if _, ok := vocabulary.Place(id); !ok {
		v.add(field, "unknown_place", "no such place; /v1/places finds its id by name")
	}
}

// distinct reports the second and later use of a key in a list.
func distinct[T any, K comparable](v *validator, list string, items []T, field string, key func(T) K) {
	seen := make(map[K]bool, len(items))
	for i, item := range items {
		k := key(item)
		if seen[k] {
			v.add(fmt.Sprintf("%s[%d].%s", list, i, field), "duplicate", "name each only once")
		}
		seen[k] = true
	}
}
