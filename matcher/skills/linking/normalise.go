package linking

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// latinFolds are letters and what is left of them without their marks. The standard library can't take letters apart.
var latinFolds = foldTable(map[string]string{
	"a": "àáâãäåāăąǎ", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ", "i": "ìíîïĩīĭįı",
	"j": "ĵ", "k": "ķ", "l": "ĺļľŀł", "n": "ñńņňŋ", "o": "òóôõöøōŏő", "r": "ŕŗř", "s": "śŝşšș", "t": "ţťŧțþ",
	"u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž", "ae": "æ", "oe": "œ", "ss": "ß",
	"ا": "أإآٱ", "ي": "ىئ", "ه": "ة", "و": "ؤ",
	"0": "٠", "1": "١", "2": "٢", "3": "٣", "4": "٤", "5": "٥", "6": "٦", "7": "٧", "8": "٨", "9": "٩",
})

func foldTable(from map[string]string) map[rune]string {
	table := make(map[rune]string, 160)
	for plain, marked := range from {
		for _, r := range marked {
			table[r] = plain
		}
	}
	return table
}

// genderMarks are what stands behind a slash or in brackets to say that both sexes are meant.
var genderMarks = map[string]bool{
	"a": true, "as": true, "o": true, "os": true, "e": true, "es": true, "ne": true, "nes": true, "euse": true, "euses": true,
	"rice": true, "trice": true, "trices": true, "ere": true, "iere": true, "ienne": true, "in": true, "innen": true, "ora": true, "oras": true,
	"ra": true, "ras": true, "esa": true, "ice": true, "sse": true, "esse": true, "te": true, "iste": true, "na": true,
	"h": true, "f": true, "m": true, "w": true, "d": true, "x": true, "v": true, "n": true, "s": true,
}

// words takes a text apart into lower-case words without marks of letters, sex ("(h/f/x)", "director/a", "vendeur·euse")
// and punctuation. "c++", "c#" and ".net" stay what they are.
func words(text string) []string {
	spans := wordSpans(text)
	list := make([]string, len(spans))
	for i, s := range spans {
		list[i] = s.word
	}
	return list
}

// span is a word and where it stands in the text, in bytes.
type span struct {
	word       string
	start, end int
}

func wordSpans(text string) []span {
	var spans []span
	var b strings.Builder
	start := -1
	joint := rune(0)  // what stood before the word: '/', '(' or another mark that can join a gender mark
	before := rune(0) // the rune just read
	flush := func(end int) {
		if start < 0 {
			return
		}
		word := b.String()
		b.Reset()
		from := start
		start = -1
		if word == "" {
			return
		}
		if joint != 0 && genderMarks[word] {
			// The marks on both sides of the slash go: "h/f/x". A whole word before it stays: "director/a".
			if n := len(spans); n > 0 && joint != '(' && utf8.RuneCountInString(spans[n-1].word) == 1 && genderMarks[spans[n-1].word] {
				spans = spans[:n-1]
			}
			return
		}
		spans = append(spans, span{word, from, end})
	}
	for i, r := range text {
		lower := unicode.ToLower(r)
		switch {
		case lower >= 'a' && lower <= 'z' || lower >= '0' && lower <= '9':
			if start < 0 {
				start, joint = i, jointOf(before, joint)
			}
			b.WriteByte(byte(lower)) //nolint:gosec // ASCII
		case r >= 0x0300 && r <= 0x036f || r >= 0x064b && r <= 0x0652 || r == 0x0670 || r == 0x0640 || r == 0x00ad:
			// marks that stand by themselves, and the stretching of Arabic letters
		case unicode.IsLetter(lower) || unicode.IsDigit(lower):
			if start < 0 {
				start, joint = i, jointOf(before, joint)
			}
			if plain, ok := latinFolds[lower]; ok {
				b.WriteString(plain)
			} else {
				b.WriteRune(lower)
			}
		case (r == '+' || r == '#') && start >= 0 && b.Len() <= 2:
			b.WriteRune(r)
		case (r == '\'' || r == '’') && start >= 0 && b.Len() > 2:
			flush(i)
			if strings.HasPrefix(text[i+utf8.RuneLen(r):], "s ") || text[i+utf8.RuneLen(r):] == "s" {
				before = '/' // "driver's": the s goes as a gender mark does
				continue
			}
		default:
			flush(i)
		}
		before = r
	}
	flush(len(text))
	return spans
}

func jointOf(before, _ rune) rune {
	switch before {
	case '/', '(', '·', '•', '*', ':', '_', '|', '@':
		return before
	}
	return 0
}

// stem cuts plural and gender off, in the same way for all languages, as a text can mix them: "directora",
// "director"; "vendeuse", "vendeurs"; "nurse", "nurses"; "المديرة", "مدير". What two different words lose alike is seldom a loss:
// soft matching and letters tell them apart.
func stem(word string) string {
	if r, _ := utf8.DecodeRuneInString(word); r >= 0x0600 && r <= 0x06ff {
		return stemArabic(word)
	}
	if len(word) < 4 || word[0] >= '0' && word[0] <= '9' {
		return word
	}
	cut := func(suffix, with string, least int) bool {
		if len(word) >= len(suffix)+least && strings.HasSuffix(word, suffix) {
			word = word[:len(word)-len(suffix)] + with
			return true
		}
		return false
	}
	switch {
	case strings.HasSuffix(word, "ss"):
	case cut("ies", "y", 2), cut("sses", "ss", 2), cut("aux", "al", 3), cut("eaux", "eau", 2), cut("oes", "ao", 3), cut("ores", "or", 3),
		cut("dades", "dad", 2), cut("ciones", "cion", 2), cut("ches", "ch", 2), cut("shes", "sh", 2):
	case strings.HasSuffix(word, "us") || strings.HasSuffix(word, "is"):
	case cut("s", "", 3), cut("x", "", 4):
	}
	_ = cut("men", "man", 2) || cut("women", "man", 0) || cut("woman", "man", 0)
	_ = cut("euse", "eur", 3) || cut("trice", "teur", 2) || cut("triz", "tor", 3) || cut("ienne", "ien", 2) || cut("onne", "on", 3) || cut("ore", "or", 5) ||
		cut("ora", "or", 3) || cut("ere", "er", 3) || cut("ive", "if", 3) || cut("elle", "el", 3)
	if len(word) > 4 {
		switch word[len(word)-1] {
		case 'a', 'o', 'e':
			word = word[:len(word)-1]
		case 'y':
			word = word[:len(word)-1] + "i"
		}
	}
	return word
}

func stemArabic(word string) string {
	for _, prefix := range []string{"وال", "بال", "كال", "فال", "لل", "ال", "و"} {
		if rest, ok := strings.CutPrefix(word, prefix); ok && utf8.RuneCountInString(rest) >= 3 {
			word = rest
			break
		}
	}
	for _, suffix := range []string{"ات", "ون", "ين", "ان", "يه", "ه", "ي"} {
		if rest, ok := strings.CutSuffix(word, suffix); ok && utf8.RuneCountInString(rest) >= 3 {
			return rest
		}
	}
	return word
}

// alternatives are a label and, if it names both sexes in full, its parts: "director técnico/directora técnica",
// "مدير / مديرة".
func alternatives(text string) []string {
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return []string{text}
	}
	first := words(parts[0])
	for _, p := range parts[1:] {
		w := words(p)
		if len(w) == 0 || len(w) != len(first) || commonPrefix(first[0], w[0]) < 4 {
			return []string{text}
		}
	}
	whole := []string{text}
	for _, p := range parts {
		whole = append(whole, strings.TrimSpace(p))
	}
	return whole
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
