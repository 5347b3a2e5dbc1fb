package notices

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"onward"
	"onward/store"
)

// answerLimit is how much of an answer is read: enough to keep the connection, since nothing of it is used.
const answerLimit = 64 << 10

// outbound speaks HTTP to addresses that others choose: without proxies and redirects, with time limits, and never to private
// networks unless that is allowed. The address is looked at when the connection is made, after the name was resolved, so that a
// name that resolves to something else the second time gains nothing.
type outbound struct{ client *http.Client }

var errPrivate = errors.New("a private address")

func newOutbound(private bool, timeout time.Duration) *outbound {
	dialer := &net.Dialer{Timeout: timeout / 2, KeepAlive: -1, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if !private && !public(at.Addr()) {
			return errPrivate
		}
		return nil
	}}
	return &outbound{client: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout / 2, ResponseHeaderTimeout: timeout, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: 32 << 10, ForceAttemptHTTP2: true,
		},
	}}
}

// reserved are ranges that netip has no word for.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
}

// openIPv6 is where the open internet is in IPv6. Around it are ways back to IPv4 addresses, networks of one site, and what is not given out.
var openIPv6 = netip.MustParsePrefix("2000::/3")

// public says whether an address is one of the open internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		return false
	}
	if a.Is6() && !openIPv6.Contains(a) {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// post sends JSON; anything but a 2xx is a failure.
func (o *outbound) post(ctx context.Context, url string, body []byte, headers map[string]string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, &failure{why: "its URL can't be used", err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "onward")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := o.client.Do(request)
	switch {
	case errors.Is(err, errPrivate):
		return 0, &failure{why: "its address is in a private network, which this server does not speak to", err: err}
	case err != nil:
		return 0, &failure{why: "it could not be reached, or did not answer in time", err: err}
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, answerLimit))
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return code, nil
	case code == http.StatusGone:
		return code, &failure{code: code, why: "it answered that it is gone", final: true}
	case code >= 300 && code < 400:
		return code, &failure{code: code, why: "it answered with a redirect, which is not followed"}
	default:
		return code, &failure{code: code, why: fmt.Sprintf("it answered with status %d", code)}
	}
}

// webhookBody is the payload of a webhook: what happened to which record, and nothing of a person.
type webhookBody struct {
	Type      onward.EventKind `json:"type"`
	Timestamp time.Time        `json:"timestamp"`
	Data      webhookData      `json:"data"`
}

type webhookData struct {
	EventID   onward.ID `json:"event_id"`
	SubjectID onward.ID `json:"subject_id"`
	Status    string    `json:"status,omitempty"`
}

// webhook sends one event, signed with the present secret and, for a day after a rotation, with the one before.
func (s *Sender) webhook(ctx context.Context, o store.Outgoing) (int, error) {
	body, err := json.Marshal(webhookBody{o.Event.Kind, o.Event.At, webhookData{o.Event.ID, o.Event.SubjectID, o.Event.Status}})
	if err != nil {
		return 0, err
	}
	now := time.Now()
	var signatures []string
	for _, secret := range o.Secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return 0, &failure{why: "its secret can't be read; rotate it", err: err}
		}
		signature, err := hook.Sign(o.ID.String(), now, body)
		if err != nil {
			return 0, &failure{why: "it could not be signed", err: err}
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) == 0 {
		return 0, &failure{why: "it has no secret; rotate it"}
	}
	return s.http.post(ctx, o.URL, body, map[string]string{
		standardwebhooks.HeaderWebhookID:        o.ID.String(),
		standardwebhooks.HeaderWebhookTimestamp: fmt.Sprint(now.Unix()),
		standardwebhooks.HeaderWebhookSignature: strings.Join(signatures, " "),
	})
}

// text sends a text message through the gateway.
func (s *Sender) text(ctx context.Context, o store.Outgoing) (int, error) {
	if s.config.SMSURL == "" {
		return 0, &failure{why: "no gateway for text messages is configured (ONWARD_SMS_URL)"}
	}
	body, err := json.Marshal(map[string]string{"to": o.Phone, "text": "Onward: " + subjectOf(o.Language, o.Event.Kind)})
	if err != nil {
		return 0, err
	}
	headers := map[string]string{"Idempotency-Key": o.ID.String()}
	if s.config.SMSToken != "" {
		headers["Authorization"] = "Bearer " + s.config.SMSToken
	}
	return s.http.post(ctx, s.config.SMSURL, body, headers)
}
