package importer

import (
	"strings"
	"unicode/utf8"
)

// repaired undoes Latin-1 taken for UTF-8: wherever characters, read as bytes, make up a character of UTF-8, they are
// replaced by it. Anything else stays.
func repaired(text string) string {
	if strings.IndexFunc(text, func(c rune) bool { return c >= 0x80 && c <= 0xBF }) < 0 {
		return text
	}
	characters := []rune(text)
	var out strings.Builder
	for i := 0; i < len(characters); {
		var bytes []byte
		for _, c := range characters[i:min(i+utf8.UTFMax, len(characters))] {
			if c > 0xFF {
				break
			}
			bytes = append(bytes, byte(c))
		}
		if c, n := utf8.DecodeRune(bytes); n > 1 {
			out.WriteRune(c)
			i += n
			continue
		}
		out.WriteRune(characters[i])
		i++
	}
	return out.String()
}
