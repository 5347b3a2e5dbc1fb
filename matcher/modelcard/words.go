package modelcard

import (
	"embed"
	"fmt"

	"github.com/pelletier/go-toml/v2"

	"onward"
)

//go:embed *.toml
var files embed.FS

// words are the phrases of the card in one language.
type words struct {
	language string
	phrases  map[string]string
	lists    map[string][]string
}

var languages = readWords()

func readWords() map[string]words {
	all := map[string]words{}
	for _, code := range onward.ServiceLanguages() {
		text, err := files.ReadFile(code + ".toml")
		if err != nil {
			panic(err) // embedded, so that a test finds it
		}
		var tables map[string]any
		if err := toml.Unmarshal(text, &tables); err != nil {
			panic(fmt.Sprintf("the card in %s: %v", code, err))
		}
		w := words{language: code, phrases: map[string]string{}, lists: map[string][]string{}}
		for name, value := range tables {
			switch value := value.(type) {
			case string:
				w.phrases[name] = value
			case []any:
				for _, item := range value {
					w.lists[name] = append(w.lists[name], fmt.Sprint(item))
				}
			case map[string]any:
				for key, phrase := range value {
					w.phrases[name+"."+key] = fmt.Sprint(phrase)
				}
			}
		}
		all[code] = w
	}
	return all
}

func wordsIn(language string) words {
	if w, ok := languages[language]; ok {
		return w
	}
	return languages["en"]
}

// say is a phrase; its name when there is none, which a test looks for.
func (w words) say(name string) string {
	if phrase, ok := w.phrases[name]; ok {
		return phrase
	}
	return name
}

func (w words) list(name string) []string { return w.lists[name] }
