package typeahead

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFoldMakesEqualWhatReadersTakeForEqual(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, a, b string }{
		{"case", "Soldador", "SOLDADOR"},
		{"Spanish accents", "albañil, técnico en minería", "Albanil TECNICO en mineria"},
		{"French accents and ligatures", "Œuvre d’art à Besançon", "oeuvre d'art a besancon"},
		{"composed and decomposed", "Me\u0301xico", "México"},
		{"slashes and brackets", "director/directora (teatro)", "director directora teatro"},
		{"alef forms", "أحمد إسلام آمال", "احمد اسلام امال"},
		{"ta marbuta and ha", "القاهرة", "القاهره"},
		{"ya and alef maqsura", "مستشفى", "مستشفي"},
		{"tatweel and harakat", "مُحَـــمَّد", "محمد"},
		{"Persian letters", "کابل یزد", "كابل يزد"},
		{"Arabic digits", "١٢٣ ۴۵۶", "123 456"},
		{"invisible marks", "weld\u200b\u00ader\u200f", "welder"},
		{"full width", "ＪＡＶＡ", "java"},
		{"Polish and Danish", "Łódź Tromsø", "lodz tromso"},
		{"control characters and line breaks", "truck\x00\r\n\tdriver", " truck  driver "},
		{"invalid UTF-8 parts words", "truck\xff\xfedriver", "truck driver"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if a, b := Fold(tt.a), Fold(tt.b); a != b || a == "" {
				t.Errorf("%q becomes %q, %q becomes %q", tt.a, a, tt.b, b)
			}
		})
	}
}

func TestFoldKeepsApartWhatIsNotEqual(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ a, b string }{{"C", "C++"}, {"C#", "C++"}, {"C#", "C"}, {"سلام", "كلام"}, {"truckdriver", "truck driver"}} {
		if Fold(tt.a) == Fold(tt.b) {
			t.Errorf("%q and %q both become %q", tt.a, tt.b, Fold(tt.a))
		}
	}
	if got := Fold("#1 in C/C++, F#?"); got != "1 in c c++ f#" {
		t.Errorf("got %q", got)
	}
	if got := Fold(" ¡!… \n"); got != "" {
		t.Errorf("punctuation becomes %q", got)
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "México", "القاهرة", "C++ a+b #x", "\xff\xfe", "İstanbul ŉ ẞ ﷺ K Å", "a\u0301\u0302", "‍👩‍🚒", "A+\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := Fold(s)
		if !utf8.ValidString(folded) {
			t.Fatalf("%q becomes invalid UTF-8: %q", s, folded)
		}
		if again := Fold(folded); again != folded {
			t.Fatalf("%q becomes %q, and that %q", s, folded, again)
		}
		if folded != strings.Join(strings.Fields(folded), " ") {
			t.Fatalf("%q becomes %q: spaces", s, folded)
		}
		if folded != Fold(strings.ToUpper(folded)) && isASCII(folded) {
			t.Fatalf("%q differs in upper case", folded)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
