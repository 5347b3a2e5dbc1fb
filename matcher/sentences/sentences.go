// Package sentences puts lists into words: it reads the parts of an explanation, which are the computation, and writes what
// a counsellor can read out, in the languages of the service. The phrases are in one file a language.
package sentences

import (
	"embed"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"onward"
)

//go:embed *.toml
var files embed.FS

// Writer writes in one language. It may be used from many goroutines.
type Writer struct {
	language  string
	localizer *i18n.Localizer
	names     display.Namer // of languages
	months    []string
	percents  [101]string
	fixed     sync.Map // phrases without blanks, by id
}

var writers = load()

func load() map[string]*Writer {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	all := make(map[string]*Writer, len(onward.ServiceLanguages()))
	for _, code := range onward.ServiceLanguages() {
		if _, err := bundle.LoadMessageFileFS(files, code+".toml"); err != nil {
			panic(fmt.Sprintf("phrases in %s: %v", code, err)) // embedded, so that a test finds it
		}
	}
	for _, code := range onward.ServiceLanguages() {
		w := &Writer{language: code, localizer: i18n.NewLocalizer(bundle, code), names: display.Languages(language.Make(code))}
		w.months = strings.Fields(w.say("months", nil))
		for i := range w.percents {
			w.percents[i] = w.say("percent", blanks{"N": i})
		}
		all[code] = w
	}
	return all
}

// In is the writer for a language (ISO 639); English for one that there are no phrases in.
func In(code string) *Writer {
	if w, ok := writers[code]; ok {
		return w
	}
	return writers["en"]
}

// Language is what the writer writes in.
func (w *Writer) Language() string { return w.language }

type blanks map[string]any

func (w *Writer) say(id string, fill blanks) string {
	if fill == nil {
		if text, ok := w.fixed.Load(id); ok {
			return text.(string)
		}
		text := w.localize(&i18n.LocalizeConfig{MessageID: id})
		w.fixed.Store(id, text)
		return text
	}
	return w.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: fill})
}

// count says something with the form that a number needs.
func (w *Writer) count(id string, n int, fill blanks) string {
	if fill == nil {
		fill = blanks{}
	}
	fill["Count"] = n
	return w.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: fill, PluralCount: n})
}

func (w *Writer) localize(config *i18n.LocalizeConfig) string {
	text, err := w.localizer.Localize(config)
	if err != nil && text == "" {
		return config.MessageID // a test asks for every phrase in every language
	}
	return text
}

// Document names a kind of document.
func (w *Writer) Document(kind onward.DocumentKind) string {
	return w.say("documents."+string(kind), nil)
}

// LanguageName names a language by its code.
func (w *Writer) LanguageName(code string) string {
	if name := w.names.Name(language.Make(code)); name != "" {
		return name
	}
	return code
}

// Date writes a day.
func (w *Writer) Date(d onward.Date) string {
	day := d.Time()
	return w.say("date", blanks{"Day": day.Day(), "Month": w.months[day.Month()-1], "Year": day.Year()})
}

func (w *Writer) percent(share float64) string {
	return w.percents[min(max(int(math.Round(100*share)), 0), 100)]
}

var beforeI = regexp.MustCompile(`^(?i)h?[ií]([^aeou]|$)`)

// list joins with commas and "and" before the last.
func (w *Writer) list(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last, and := len(items)-1, "and"
	if beforeI.MatchString(items[last]) {
		and = "and_before_i" // Spanish says "e inglés"
	}
	return w.say(and, blanks{"First": strings.Join(items[:last], w.say("comma", nil)), "Last": items[last]})
}

func (w *Writer) quoted(text string) string { return w.say("quoted", blanks{"Text": text}) }

// place names a place as lists have it; "elsewhere" and "abroad" are words.
func (w *Writer) place(name string) string {
	if name == "elsewhere" || name == "abroad" {
		return w.say(name, nil)
	}
	return name
}

// sentenceCase makes the first letter a capital.
func sentenceCase(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
