package onward

import (
	"net/url"
	"slices"
	"time"
)

// Channel is how someone is told.
type Channel string

// The channels.
const (
	ChannelWebhook Channel = "webhook"
	ChannelEmail   Channel = "email"
	ChannelSMS     Channel = "sms"
)

// EventWebhookDisabled tells administrators that an endpoint was given up; EventTest is sent on request.
const (
	EventWebhookDisabled EventKind = "webhook.disabled"
	EventTest            EventKind = "test"
)

// WebhookDetails is what an administrator says of an endpoint.
type WebhookDetails struct {
	URL   string      `json:"url" maxLength:"2000" doc:"https; addresses of private networks are refused unless the server allows them"`
	Kinds []EventKind `json:"kinds,omitempty" doc:"Only these events; empty: all"`
}

// Validate checks an endpoint. Plain http is for servers that allow private networks.
func (d WebhookDetails) Validate(private bool) error {
	v := newValidator()
	u, err := url.Parse(d.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http"):
		v.add("url", "url", "use a URL such as https://example.org/hooks, without user and password")
	case u.Scheme == "http" && !private:
		v.add("url", "https", "use https: what is told is not for everyone on the way")
	}
	v.text("url", d.URL, 1, 2000)
	v.count("kinds", len(d.Kinds), len(EventKinds()))
	for _, k := range d.Kinds {
		oneOf(v, "kinds", k, EventKinds())
	}
	return v.err()
}

// Webhook is an endpoint that is told of events.
type Webhook struct {
	ID      ID    `json:"id"`
	Version int64 `json:"version"`
	WebhookDetails
	Secret      string     `json:"secret,omitempty" doc:"Shown when it is made or rotated, and never again (Standard Webhooks: whsec_…)"`
	DisabledAt  *time.Time `json:"disabled_at,omitempty" doc:"Given up after three days without a success, or when it answered that it is gone (410)"`
	DisabledFor string     `json:"disabled_for,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
}

// DeliveryStatus is where a delivery is.
type DeliveryStatus string

// The states.
const (
	DeliveryQueued DeliveryStatus = "queued"
	DeliverySent   DeliveryStatus = "sent"
	DeliveryFailed DeliveryStatus = "failed" // given up; can be sent again by hand
)

// Delivery is one event on its way to one endpoint or user.
type Delivery struct {
	ID        ID             `json:"id"`
	EventID   ID             `json:"event_id"`
	Kind      EventKind      `json:"kind"`
	Channel   Channel        `json:"channel" enum:"webhook,email,sms"`
	WebhookID ID             `json:"webhook_id,omitzero"`
	UserID    ID             `json:"user_id,omitzero"`
	Status    DeliveryStatus `json:"status" enum:"queued,sent,failed"`
	Attempts  int            `json:"attempts"`
	NextTryAt *time.Time     `json:"next_try_at,omitempty"`
	LastCode  int            `json:"last_code,omitempty" doc:"HTTP or SMTP status of the last try; 0: no answer"`
	LastError string         `json:"last_error,omitempty" doc:"In words of Onward"`
	CreatedAt time.Time      `json:"created_at"`
	SentAt    *time.Time     `json:"sent_at,omitempty"`
}

// retryAfter are the pauses after each failed try, over three days and a half in all, as Standard Webhooks suggests.
var retryAfter = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// WebhookPatience is how long an endpoint may fail before it is switched off.
const WebhookPatience = 72 * time.Hour

// WebhookRest is how long an endpoint is left alone after so many failures in a row. One try at a time then finds out whether it is back.
func WebhookRest(failures int) time.Duration {
	return min(time.Hour, 5*time.Second<<min(max(failures-1, 0), 12))
}

// RetryAfter is the pause after so many failed tries; ok is false when it is given up.
func RetryAfter(attempts int) (pause time.Duration, ok bool) {
	if attempts < 1 || attempts > len(retryAfter) {
		return 0, false
	}
	return retryAfter[attempts-1], true
}

// NoticePreferences are what a user wants to be told, and how.
type NoticePreferences struct {
	Off   []EventKind `json:"off,omitempty" doc:"Events of which no e-mail is sent"`
	SMS   []EventKind `json:"sms,omitempty" doc:"Events of which a text message is sent as well"`
	Phone string      `json:"phone,omitempty" maxLength:"20" doc:"For text messages, with the country: +52…"`
}

// Validate checks preferences.
func (p NoticePreferences) Validate() error {
	v := newValidator()
	for field, kinds := range map[string][]EventKind{"off": p.Off, "sms": p.SMS} {
		v.count(field, len(kinds), len(EventKinds()))
		for _, k := range kinds {
			oneOf(v, field, k, EventKinds())
		}
	}
	if p.Phone != "" && !phonePattern.MatchString(p.Phone) {
		v.add("phone", "phone", "use digits with the country, such as +525512345678")
	}
	if len(p.SMS) > 0 && p.Phone == "" {
		v.add("phone", "required", "give the number for text messages")
	}
	return v.err()
}

// Wants says whether a user wants to be told of an event in a channel.
func (p NoticePreferences) Wants(kind EventKind, channel Channel) bool {
	if channel == ChannelSMS {
		return p.Phone != "" && slices.Contains(p.SMS, kind)
	}
	return !slices.Contains(p.Off, kind)
}
