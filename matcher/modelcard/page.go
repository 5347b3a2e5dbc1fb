package modelcard

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"

	"onward"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("card").Parse(pageText))

// languageNames are what the languages of the service call themselves.
var languageNames = map[string]string{"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}

type page struct {
	Card
	RightToLeft bool
	Style       template.CSS // empty: the stylesheet of the server
	Links       []link       // to the other languages
	Groups      []group
}

type link struct{ Code, Name string }

type group struct {
	Title string
	Rows  []row
}

// row is an input group of the table.
type row struct{ Fields, Moves, What string }

// Say is a phrase of the card.
func (p page) Say(name string) string { return p.words.say(name) }

// Page writes the card as a page without scripts: with a style of its own, or without for a server that has it and the other languages.
func (c Card) Page(out io.Writer, style string) error {
	p := page{Card: c, RightToLeft: c.Language == "ar", Style: template.CSS(style)} //nolint:gosec // the caller's own
	if style == "" {
		for _, code := range onward.ServiceLanguages() {
			p.Links = append(p.Links, link{code, languageNames[code]})
		}
	}
	recorded := group{Title: c.words.say("section.recorded_only")}
	for _, i := range inputs {
		title := c.words.say("of." + i.of)
		r := row{Fields: strings.Join(i.fields, " "), What: c.words.say("input." + i.what)}
		for k, m := range i.moves {
			if k > 0 {
				r.Moves += ", "
			}
			r.Moves += c.words.say("moves." + m)
		}
		if len(i.moves) == 0 {
			recorded.Rows = append(recorded.Rows, r)
			continue
		}
		at := slices.IndexFunc(p.Groups, func(g group) bool { return g.Title == title })
		if at < 0 {
			at = len(p.Groups)
			p.Groups = append(p.Groups, group{Title: title})
		}
		p.Groups[at].Rows = append(p.Groups[at].Rows, r)
	}
	p.Groups = append(p.Groups, recorded)
	var rendered bytes.Buffer
	if err := pageTemplate.Execute(&rendered, p); err != nil {
		return err
	}
	_, err := out.Write(rendered.Bytes())
	return err
}
