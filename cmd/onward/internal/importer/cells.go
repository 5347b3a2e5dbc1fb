package importer

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"onward"
)

// The methods here read one column each. What can't be read is noted as a problem of the row.

func (r *row) text(field, column string) string {
	value := r.get(column)
	r.from(field, column, value)
	return value
}

// texts reads a text in one or more languages: title in the language of the import, title_es in Spanish.
func (r *row) texts(name string) onward.Text {
	texts := onward.Text{}
	add := func(language, column string) {
		if value := r.text(name+"."+language, column); value != "" {
			if _, twice := texts[language]; twice {
				r.wrong(column, value, "duplicate", "%s is given in this language twice; use one column", name)
			}
			texts[language] = value
		}
	}
	add(r.language, name)
	for _, column := range r.titles {
		if m := byLanguage.FindStringSubmatch(column); m[1] == name {
			add(m[2], column)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return texts
}

// word reads one of the fixed words, whatever its case and spaces: "Cash for work" is cash_for_work.
func word[T ~string](r *row, field, column string) T {
	return T(plain(r.text(field, column)))
}

func (r *row) whole(field, column string) int {
	if n := r.optionalWhole(field, column); n != nil {
		return *n
	}
	return 0
}

func (r *row) optionalWhole(field, column string) *int {
	value := r.text(field, column)
	if value == "" {
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		r.wrong(column, value, "number", "use a whole number in digits, such as 12")
		return nil
	}
	whole := int(n)
	return &whole
}

func (r *row) decimal(field, column string) *float64 {
	value := r.text(field, column)
	if value == "" {
		return nil
	}
	f, ok := parseDecimal(value)
	if !ok {
		r.wrong(column, value, "number", "use digits, with a point before decimals, such as 37.5")
		return nil
	}
	return &f
}

func parseDecimal(value string) (float64, bool) {
	if strings.Trim(value, "0123456789.-") != "" {
		return 0, false // ParseFloat would take 1e9, 0x10, Inf and 1_000
	}
	f, err := strconv.ParseFloat(value, 64)
	return f, err == nil
}

// minorDigits are the decimals of currencies that do not have two (ISO 4217).
var minorDigits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// money reads an amount in units of a currency, as people write it, into minor units. More decimals than the currency
// has are rounded: hourly pay often has four.
func (r *row) money(field, column, currency string) *int64 {
	value := r.text(field, column)
	if value == "" {
		return nil
	}
	minor, ok := parseMoney(value, currency)
	if !ok {
		r.wrong(column, value, "number", "use digits, with a point before decimals and nothing between thousands, such as 12500.50")
		return nil
	}
	return &minor
}

// parseMoney works on the digits: in floating point, 9500.505 is a little less.
func parseMoney(value, currency string) (minor int64, ok bool) {
	digits, special := minorDigits[currency]
	if !special {
		digits = 2
	}
	unsigned, negative := strings.CutPrefix(value, "-")
	whole, fraction, _ := strings.Cut(unsigned, ".")
	up := len(fraction) > digits && fraction[digits] >= '5'
	if strings.Trim(whole+fraction, "0123456789") != "" || whole+fraction == "" {
		return 0, false
	}
	fraction += strings.Repeat("0", digits)
	minor, err := strconv.ParseInt(whole+fraction[:digits], 10, 64)
	if err != nil || minor == math.MaxInt64 {
		return 0, false
	}
	if up {
		minor++
	}
	if negative {
		minor = -minor
	}
	return minor, true
}

func (r *row) date(field, column string) onward.Date {
	value := r.text(field, column)
	if value == "" {
		return onward.Date{}
	}
	date, err := parseDate(value)
	if err != nil {
		r.wrong(column, value, "date", "use a date of the form YYYY-MM-DD, such as 2026-03-31")
	}
	return date
}

// parseDate also takes the midnight that databases append.
func parseDate(value string) (onward.Date, error) {
	if day, clock, found := strings.Cut(value, "T"); found && strings.Trim(clock, "0:.Z") == "" {
		value = day
	}
	return onward.ParseDate(value)
}

func (r *row) yes(field, column string) bool {
	b := r.optionalYes(field, column)
	return b != nil && *b
}

func (r *row) optionalYes(field, column string) *bool {
	value := r.text(field, column)
	if value == "" {
		return nil
	}
	b := false
	switch strings.ToLower(value) {
	case "yes", "y", "true", "1", "sí", "si", "oui", "نعم":
		b = true
	case "no", "n", "false", "0", "non", "لا":
	default:
		r.wrong(column, value, "yes_no", "use yes or no, or leave it empty when unknown")
		return nil
	}
	return &b
}

// list takes a column with bars apart, and tells for each item which field it becomes.
func (r *row) list(field, column string, each func(item, field string)) {
	r.listFrom(0, field, column, each)
}

// listFrom is list for a field that has items from another column already.
func (r *row) listFrom(n int, field, column string, each func(item, field string)) {
	value := r.get(column)
	if value == "" {
		return
	}
	r.from(field, column, value)
	for _, item := range strings.Split(value, "|") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		path := fmt.Sprintf("%s[%d]", field, n)
		r.from(path, column, item)
		each(item, path)
		n++
	}
}

// skill finds a skill by id or name.
func (r *row) skill(column, text string) string {
	if id, ok := r.resolver.SkillByLabel(text); ok {
		return id
	}
	r.unresolved(column, text, "unknown_skill", "no skill, or more than one, has this name; use the name or the id of one", r.resolver.SuggestSkills(text))
	return ""
}

// occupation finds an occupation by id or name.
func (r *row) occupation(column, text string) string {
	if id, ok := r.resolver.OccupationByLabel(text); ok {
		return id
	}
	r.unresolved(column, text, "unknown_occupation", "no occupation, or more than one, has this name; use the name or the id of one", r.resolver.SuggestOccupations(text))
	return ""
}

// place finds a place by id or name.
func (r *row) place(column, text, country string) onward.PlaceID {
	if place, ok := r.resolver.PlaceByName(text, country); ok {
		return place.ID
	}
	r.unresolved(column, text, "unknown_place", "no place, or more than one, has this name; add the region and the country, or use the GeoNames id", r.resolver.SuggestPlaces(text))
	return 0
}

func (r *row) unresolved(column, value, rule, reason string, suggestions []onward.Suggestion) {
	r.record.problems = append(r.record.problems, r.problem(cellSource{column, value}, rule, reason, suggestions))
}

// country is an upper-case country code.
func (r *row) country(field, column string) string { return strings.ToUpper(r.text(field, column)) }

// currency is an upper-case currency code.
func (r *row) currency(field, column string) string { return strings.ToUpper(r.text(field, column)) }
