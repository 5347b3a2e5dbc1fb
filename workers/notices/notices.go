// Package notices carries what happened to the people and systems that are to hear of it: webhooks signed as Standard Webhooks
// says, e-mail by SMTP, text messages by an HTTP gateway. None of them holds a name, a place or a reason of a person: they say that
// something happened and where to look.
package notices

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"onward"
	"onward/store"
)

// Config says how to reach the outside. What is empty is not there: such deliveries fail with a word that says so.
type Config struct {
	// SMTP is smtp://user:password@host:port (STARTTLS where the server offers it, and required with a password) or smtps://… for TLS
	// from the start. Only servers on this machine are spoken to without TLS when there is a password.
	SMTP string
	// From is the address that e-mail comes from, such as "Onward <onward@example.org>".
	From string
	// PublicURL is where users reach this server, for links in e-mail.
	PublicURL string
	// SMSURL takes POST {"to": "+52…", "text": "…"}, with SMSToken as a bearer token; any 2xx is a yes.
	SMSURL   string
	SMSToken string
	// PrivateNetworks lets webhooks and the gateway be on private addresses and this machine.
	PrivateNetworks bool
	// Timeout of one try. 0: 15 s.
	Timeout time.Duration
}

// Sender sends deliveries. It may be used from many goroutines.
type Sender struct {
	config Config
	store  *store.Store
	mail   *mail.Client
	http   *outbound
}

// New checks the configuration; it connects to nothing yet.
func New(config Config, db *store.Store) (*Sender, error) {
	if config.Timeout == 0 {
		config.Timeout = 15 * time.Second
	}
	s := &Sender{config: config, store: db, http: newOutbound(config.PrivateNetworks, config.Timeout)}
	if config.SMTP == "" {
		return s, nil
	}
	if config.From == "" {
		return nil, onward.Errorf(onward.EInvalid, "set ONWARD_MAIL_FROM to the address that e-mail comes from")
	}
	var err error
	s.mail, err = mailClient(config)
	return s, err
}

func mailClient(config Config) (*mail.Client, error) {
	bad := onward.Errorf(onward.EInvalid, "ONWARD_SMTP_URL must have the form smtp://user:password@host:port or smtps://…") // it holds a password: not repeated
	u, err := url.Parse(config.SMTP)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, bad
	}
	options := []mail.Option{mail.WithTimeout(config.Timeout), mail.WithTLSConfig(&tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12})}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, bad
		}
		options = append(options, mail.WithPort(n))
	}
	password, _ := u.User.Password()
	switch {
	case u.Scheme == "smtps":
		options = append(options, mail.WithSSL())
	case password != "" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	}
	if password != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	client, err := mail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, bad.Because(err)
	}
	return client, nil
}

// Channels are those that are configured; of a sender that is nil, none but webhooks, which wait for one.
func (s *Sender) Channels() []onward.Channel {
	channels := []onward.Channel{onward.ChannelWebhook}
	if s != nil && s.mail != nil {
		channels = append(channels, onward.ChannelEmail)
	}
	if s != nil && s.config.SMSURL != "" {
		channels = append(channels, onward.ChannelSMS)
	}
	return channels
}

// failure is a try that failed, in words of ours: what a server said may hold anything.
type failure struct {
	code  int
	why   string
	err   error
	final bool // trying again is of no use
}

func (f *failure) Error() string { return f.why }

func (f *failure) Unwrap() error { return f.err }

// Send tries one delivery and notes how that went. An error means that it could not be noted: it is tried again.
func (s *Sender) Send(ctx context.Context, o store.Outgoing) (sent bool, err error) {
	tried, cancel := context.WithTimeout(ctx, s.config.Timeout+5*time.Second)
	defer cancel()
	code := 0
	switch o.Channel {
	case onward.ChannelWebhook:
		code, err = s.webhook(tried, o)
	case onward.ChannelEmail:
		err = s.email(tried, o)
	case onward.ChannelSMS:
		code, err = s.text(tried, o)
	}
	if err == nil {
		return true, s.store.Delivered(ctx, o.ID, code)
	}
	if ctx.Err() != nil {
		return false, ctx.Err() // stopping: the claim runs out, and it is sent then
	}
	why, final := "it could not be sent", false
	var f *failure
	if errors.As(err, &f) {
		code, why, final = f.code, f.why, f.final
	}
	return false, s.store.NotDelivered(ctx, o, code, why, final)
}

func (s *Sender) email(ctx context.Context, o store.Outgoing) error {
	if s.mail == nil {
		return &failure{why: "no mail server is configured (ONWARD_SMTP_URL)"}
	}
	letter, err := s.letter(ctx, o)
	if err != nil {
		return err
	}
	message := mail.NewMsg()
	if err := message.From(s.config.From); err != nil {
		return &failure{why: "ONWARD_MAIL_FROM is no address", err: err}
	}
	if err := message.To(o.Email); err != nil {
		return &failure{why: "the user's e-mail address can't be written to", err: err, final: true}
	}
	message.Subject(letter.Subject)
	message.SetMessageIDWithValue(o.ID.String() + "@onward") // the same for every try
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(mail.TypeTextPlain, letter.Text)
	message.AddAlternativeString(mail.TypeTextHTML, letter.HTML)
	if err := s.mail.DialAndSendWithContext(ctx, message); err != nil {
		var refused *mail.SendError
		if errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 {
			return &failure{code: refused.ErrorCode(), why: "the mail server refused it for good", err: fmt.Errorf("send mail: %w", err), final: true}
		}
		return &failure{why: "the mail server did not take it", err: fmt.Errorf("send mail: %w", err)}
	}
	return nil
}
