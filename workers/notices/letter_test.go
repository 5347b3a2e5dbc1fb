package notices

import (
	"regexp"
	"testing"

	"onward"
)

func TestEveryEventHasALetterInEveryLanguage(t *testing.T) {
	t.Parallel()
	blanks := regexp.MustCompile(`\{\{|\}\}|<no value>`)
	for _, code := range onward.ServiceLanguages() {
		for _, kind := range append(onward.EventKinds(), onward.EventTest) {
			for _, part := range []string{".subject", ".body"} {
				id := phraseOf(kind) + part
				if text := say(code, id, nil); text == id || text == "" || blanks.MatchString(text) || code != "en" && text == say("en", id, nil) {
					t.Errorf("%s: %s is %q", code, id, text)
				}
			}
		}
		for _, id := range []string{"answer", "open", "settled", "why"} {
			if text := say(code, id, nil); text == id || code != "en" && text == say("en", id, nil) {
				t.Errorf("%s: %s is %q", code, id, text)
			}
		}
	}
}
