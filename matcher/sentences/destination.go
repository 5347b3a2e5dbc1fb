package sentences

import "onward"

// Basis says what a likely destination rests on.
func (w *Writer) Basis(d onward.Destination) string {
	if d.Overridden {
		return w.say("basis.stated", nil)
	}
	if len(d.Basis) == 0 {
		return w.say("basis.nothing", nil)
	}
	said := make([]string, len(d.Basis))
	for i, b := range d.Basis {
		what := w.say("basis."+string(b.About), nil)
		switch {
		case !b.Fades:
		case b.AgeMonths == nil:
			what = w.say("basis.undated", blanks{"What": what})
		case *b.AgeMonths == 0:
			what = w.say("basis.this_month", blanks{"What": what})
		default:
			what = w.count("basis.age", *b.AgeMonths, blanks{"What": what})
		}
		said[i] = what
	}
	text := w.list(said)
	if d.Widened {
		text = w.say("basis.widened", blanks{"Text": text})
	}
	return text
}
