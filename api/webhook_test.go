package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"onward"
)

func (s *system) newWebhook() onward.Webhook {
	s.t.Helper()
	return decode[onward.Webhook](s.post(s.admin, "/v1/webhooks", map[string]any{"url": "https://example.org/hook"}).want(201))
}

// onWebhook is a webhook that is deleted again: an organisation has only so many.
func (s *system) onWebhook(path string) func(who, n string) (string, int64) {
	var last onward.ID
	return func(string, string) (string, int64) {
		if !last.IsZero() {
			s.send(s.admin, http.MethodDelete, "/v1/webhooks/"+last.String(), nil)
		}
		w := decode[onward.Webhook](s.post(s.admin, "/v1/webhooks", map[string]any{"url": "https://example.org/hook"}).want(201))
		last = w.ID
		return fmt.Sprintf(path, w.ID), w.Version
	}
}

func (s *system) onDelivery(path string) func(who, n string) (string, int64) {
	hook := s.onWebhook("%s")
	return func(who, n string) (string, int64) {
		id, _ := hook(who, n)
		return fmt.Sprintf(path, decode[onward.Delivery](s.post(s.admin, "/v1/webhooks/"+id+"/test", nil).want(202)).ID), 1
	}
}

func TestASecretIsShownOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	w := s.newWebhook()
	if !strings.HasPrefix(w.Secret, "whsec_") {
		t.Fatalf("the secret is %q", w.Secret)
	}
	path := "/v1/webhooks/" + w.ID.String()
	rotated := decode[onward.Webhook](s.post(s.admin, path+"/rotate", nil).want(200))
	if rotated.Secret == w.Secret || rotated.Secret == "" {
		t.Error("rotating makes no new secret")
	}
	for _, got := range []answer{
		s.get(s.admin, "/v1/webhooks").want(200), s.get(s.admin, "/v1/deliveries").want(200),
		s.put(s.admin, path, map[string]any{"url": "https://example.org/b", "kinds": []string{"referral.ended"}}, ifMatch(1)).want(200),
	} {
		if strings.Contains(got.body, "whsec_") {
			t.Errorf("%s shows a secret", got.what)
		}
	}
	for url, rule := range map[string]string{"http://example.org/": "https", "ftp://example.org/": "url", "https://user:pass@example.org/": "url", "": "url"} {
		p := s.post(s.admin, "/v1/webhooks", map[string]any{"url": url}).problem(http.StatusUnprocessableEntity, onward.EInvalid)
		if len(p.Errors) == 0 || p.Errors[0].Rule != rule {
			t.Errorf("%q: %+v", url, p.Errors)
		}
	}
	s.put(s.counsellor, "/v1/me/notices", map[string]any{"sms": []string{"alert.raised"}}).problem(http.StatusUnprocessableEntity, onward.EInvalid)
	s.put(s.counsellor, "/v1/me/notices", map[string]any{"sms": []string{"alert.raised"}, "phone": "+525512345678"}).want(200)
	if p := decode[onward.NoticePreferences](s.get(s.counsellor, "/v1/me/notices").want(200)); p.Phone != "+525512345678" || len(p.SMS) != 1 {
		t.Errorf("%+v", p)
	}
}
