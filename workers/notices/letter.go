package notices

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"

	"onward"
	"onward/store"
)

//go:embed *.toml letter.html
var files embed.FS

var (
	bundle = loadBundle()
	page   = template.Must(template.ParseFS(files, "letter.html"))
)

func loadBundle() *i18n.Bundle {
	b := i18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, code := range onward.ServiceLanguages() {
		if _, err := b.LoadMessageFileFS(files, code+".toml"); err != nil {
			panic(fmt.Sprintf("letters in %s: %v", code, err)) // embedded, so that a test finds it
		}
	}
	return b
}

// say is a phrase in a language.
func say(code, id string, fill map[string]string) string {
	text, err := i18n.NewLocalizer(bundle, code).Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: fill})
	if err != nil && text == "" {
		return id // a test asks for every phrase in every language
	}
	return text
}

func phraseOf(kind onward.EventKind) string {
	return strings.NewReplacer(".", "_").Replace(string(kind))
}

func subjectOf(code string, kind onward.EventKind) string {
	return say(code, phraseOf(kind)+".subject", nil)
}

// letter is an e-mail.
type letter struct {
	Subject, Text, HTML string
}

// letter writes the e-mail of an event: what happened, what to do, and where. To a recipient who is asked for an answer it holds a
// link that answers without a login.
func (s *Sender) letter(ctx context.Context, o store.Outgoing) (letter, error) {
	code := o.Language
	body := say(code, phraseOf(o.Event.Kind)+".body", nil)
	link, action := "", ""
	if s.config.PublicURL != "" {
		switch o.Event.Kind {
		case onward.EventAccountInvited, onward.EventAccountReset:
			token, err := s.store.MailedInvitation(ctx, o.Event.SubjectID)
			switch onward.CodeOf(err) {
			case "":
				link, action = onward.InvitationLink(s.config.PublicURL, token), say(code, "choose_password", nil)
			case onward.ENotFound:
				body = say(code, "settled", nil)
			default:
				return letter{}, err
			}
		case onward.EventReferralRequested, onward.EventReferralReminder, onward.EventReferralInformed:
			answer, err := s.store.AnswerLink(ctx, onward.System(), o.Event.SubjectID)
			switch onward.CodeOf(err) {
			case "":
				link, action = strings.TrimSuffix(s.config.PublicURL, "/")+"/v1/answers/"+answer.Token, say(code, "answer", nil)
			case onward.EConflict, onward.ENotFound:
				body = say(code, "settled", nil)
			default:
				return letter{}, err
			}
		default:
			link, action = s.config.PublicURL, say(code, "open", nil)
		}
	}
	reference := say(code, "reference", map[string]string{"ID": o.Event.SubjectID.String()})
	l := letter{Subject: subjectOf(code, o.Event.Kind)}
	paragraphs := []string{body}
	if link != "" {
		paragraphs = append(paragraphs, action+" "+link)
	}
	l.Text = strings.Join(append(paragraphs, reference, say(code, "why", nil)), "\n\n") + "\n"
	direction := "ltr"
	if code == "ar" {
		direction = "rtl"
	}
	var html bytes.Buffer
	err := page.Execute(&html, map[string]string{
		"Language": code, "Direction": direction, "Subject": l.Subject, "Body": body, "Link": link, "Action": action, "Reference": reference, "Why": say(code, "why", nil),
	})
	l.HTML = html.String()
	return l, err
}
