package sentences

import (
	"strings"

	"onward"
)

// Evidence puts what a gate's answer rests on into words.
func (w *Writer) Evidence(facts []onward.Fact) string {
	said := make([]string, len(facts))
	for i, f := range facts {
		said[i] = w.fact(f)
	}
	return strings.Join(said, w.say("semicolon", nil))
}

func (w *Writer) fact(f onward.Fact) string {
	fill := blanks{"From": f.From, "To": f.To, "Needed": f.Needed, "Has": f.Has}
	if !f.Date.IsZero() {
		fill["Date"] = w.Date(f.Date)
	}
	if f.Document != "" {
		fill["Document"] = w.Document(f.Document)
	}
	if f.Language != "" {
		fill["Language"] = w.LanguageName(f.Language)
	}
	switch f.Code {
	case onward.FactPlacesLeft:
		if f.Count == 0 {
			return w.say("no_places_left", nil)
		}
		return w.count("places_left", f.Count, nil)
	case onward.FactAge:
		return w.count("age", f.Count, nil)
	case onward.FactAgeLimit:
		switch {
		case f.From > 0 && f.To > 0:
			return w.say("age_from_to", fill)
		case f.From > 0:
			return w.say("age_from", fill)
		}
		return w.say("age_to", fill)
	}
	return w.say(string(f.Code), fill)
}

// Missing names what would open a gate: a paper, a level of a language ("es:B1"), an age ("age:18"), a free place.
func (w *Writer) Missing(what string) string {
	name, level, leveled := strings.Cut(what, ":")
	switch {
	case what == "free_place":
		return w.say("missing.free_place", nil)
	case leveled && name == "age":
		return w.say("missing.age", blanks{"Age": level})
	case leveled:
		return w.say("missing.language", blanks{"Language": w.LanguageName(name), "Level": level})
	default:
		return w.Document(onward.DocumentKind(what))
	}
}

func (w *Writer) missing(what []string) string {
	said := make([]string, len(what))
	for i := range what {
		said[i] = w.Missing(what[i])
	}
	return w.list(said)
}

// questions are what a counsellor should ask before relying on a line: the facts that nobody knows. Empty when there are
// none.
func (w *Writer) questions(gates []onward.GateResult) string {
	var ask []string
	for _, g := range gates {
		for _, f := range g.Facts {
			if f.State != onward.GateUnknown {
				continue
			}
			switch f.Code { //nolint:exhaustive // the others are known
			case onward.FactNotVetted, onward.FactVettingRanOut:
				ask = append(ask, w.say("ask.vetted", nil))
			case onward.FactDocumentNotKnown, onward.FactDocumentApplied:
				ask = append(ask, w.say("ask.document", blanks{"Document": w.Document(f.Document)}))
			case onward.FactAgeUnknown:
				ask = append(ask, w.say("ask.age", nil))
			case onward.FactLanguageNotKnown:
				ask = append(ask, w.say("ask.language", blanks{"Language": w.LanguageName(f.Language)}))
			}
		}
	}
	if len(ask) == 0 {
		return ""
	}
	return w.say("ask.sentence", blanks{"List": w.list(ask)})
}
