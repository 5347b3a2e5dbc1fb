package typeahead

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold brings text into the form in which it is compared: "Técnico/a de Minería" becomes "tecnico a de mineria".
//
// Letters become lower case and lose their accents; letters that are one letter to a reader but several to Unicode become
// the same (the forms of alef, ya and alef maqsura, ta marbuta and ha, Persian and Arabic kaf; ø and o, ß and ss); tatweel,
// harakat and invisible characters go; every run of punctuation, spaces and control characters becomes one space. A + or #
// that ends a word stays, because C, C++ and C# are three skills. Invalid UTF-8 counts as a space.
//
// Fold(Fold(s)) == Fold(s). The result is valid UTF-8 without leading or trailing space.
func Fold(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if !ascii {
		s = norm.NFKD.String(strings.ToValidUTF8(s, " "))
	}
	var out strings.Builder
	out.Grow(len(s))
	gap := false    // a space is due before the next letter
	inWord := false // what follows directly on a letter or digit, or on its + or #
	signs := 0      // how many + or # to write yet
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf:
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
		case r == 'ـ' || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) || (0x02B0 <= r && r <= 0x02FF):
			continue // tatweel, accents and harakat, invisible marks, letter-like apostrophes
		default:
			r = unicode.ToLower(r)
		}
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Mc, r)):
			if gap && out.Len() > 0 {
				out.WriteByte(' ')
			}
			gap, inWord = false, true
			if r < utf8.RuneSelf {
				out.WriteByte(byte(r))
			} else {
				writeFolded(&out, r)
			}
		case signs > 0:
			out.WriteByte(byte(r))
			signs--
		case inWord && (r == '+' || r == '#') && wordSigns(s[i:]) > 0:
			out.WriteByte(byte(r))
			signs = wordSigns(s[i:]) - 1
			inWord = false
		default:
			gap, inWord = true, false
		}
	}
	return out.String()
}

// wordSigns is how many + and # (one or two) end the word here; 0 if there are more of them or the word goes on.
func wordSigns(s string) int {
	n := 0
	for n < len(s) && n < 3 && (s[n] == '+' || s[n] == '#') {
		n++
	}
	next, _ := utf8.DecodeRuneInString(s[n:])
	if n > 2 || next != utf8.RuneError && unicode.In(next, unicode.L, unicode.N, unicode.M, unicode.Cf) {
		return 0
	}
	return n
}

// writeFolded writes a lower-case letter that NFKD has no simpler form for.
func writeFolded(out *strings.Builder, r rune) {
	switch r {
	case 'ٱ':
		r = 'ا'
	case 'ى', 'ی', 'ے', 'ۍ', 'ې':
		r = 'ي'
	case 'ة', 'ہ', 'ھ', 'ە', 'ۃ':
		r = 'ه'
	case 'ک', 'ڪ':
		r = 'ك'
	case 'ς':
		r = 'σ'
	case 'ø':
		r = 'o'
	case 'ł':
		r = 'l'
	case 'đ', 'ð':
		r = 'd'
	case 'ħ':
		r = 'h'
	case 'ı':
		r = 'i'
	case 'ß':
		out.WriteString("ss")
		return
	case 'æ':
		out.WriteString("ae")
		return
	case 'œ':
		out.WriteString("oe")
		return
	case 'þ':
		out.WriteString("th")
		return
	}
	if '٠' <= r && r <= '٩' {
		r += '0' - '٠'
	} else if '۰' <= r && r <= '۹' {
		r += '0' - '۰'
	}
	out.WriteRune(r)
}
