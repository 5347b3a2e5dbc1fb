package notices_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jmoiron/sqlx"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"onward"
	"onward/internal/testenv"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
	"onward/workers/notices"
)

// keys seal what the tests write.
var keys = func() *vault.Vault {
	v, err := vault.New()
	if err != nil {
		panic(err)
	}
	return v
}()

func TestMain(m *testing.M) {
	testenv.Main(m, testenv.WithTemplate(func(ctx context.Context, adminDSN string) error {
		_, err := migrations.Apply(ctx, adminDSN)
		return err
	}))
}

// bench is an organisation with an administrator and a clock that the test moves.
type bench struct {
	t     *testing.T
	store *store.Store
	db    *sqlx.DB
	now   *atomic.Int64
	admin onward.Actor
	user  onward.User
}

func setup(t *testing.T, language string) bench {
	t.Helper()
	database := testenv.Postgres(t)
	b := bench{t: t, now: &atomic.Int64{}}
	b.now.Store(time.Now().Unix())
	var err error
	b.store, err = store.Open(t.Context(), store.Config{URL: database.AppDSN, Vault: keys, PrivateWebhooks: true, Now: func() time.Time { return time.Unix(b.now.Load(), 0) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.store.Close() })
	if b.db, err = sqlx.ConnectContext(t.Context(), "postgres", database.AdminDSN); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	err = b.store.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
		g, err := tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "agency", Name: "Agency", Kind: onward.Agency, Country: "MX"})
		if err != nil {
			return err
		}
		admin, err := tx.CreateUser(t.Context(), onward.User{OrganisationID: g.ID, Name: "A", Email: "admin@example.org", Role: onward.RoleAdministrator})
		if err != nil {
			return err
		}
		b.admin = onward.Actor{UserID: admin.ID, OrganisationID: g.ID, Role: onward.RoleAdministrator}
		b.user, err = tx.CreateUser(t.Context(), onward.User{OrganisationID: g.ID, Name: "C", Email: "counsellor@example.org", Role: onward.RoleCounsellor, Language: language})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// happens writes an event and fans it out, twice: the second time adds nothing.
func (b bench) happens(kind onward.EventKind, role onward.Role, channels ...onward.Channel) onward.ID {
	b.t.Helper()
	id := onward.NewID()
	if _, err := b.db.ExecContext(b.t.Context(), `INSERT INTO events (id, kind, organisation_id, role, subject_id, status, at) VALUES ($1, $2, $3, $4, $5, 'declined', now())`,
		id, string(kind), b.admin.OrganisationID, string(role), onward.NewID()); err != nil {
		b.t.Fatal(err)
	}
	for range 2 {
		if err := b.store.FanOut(b.t.Context(), []onward.ID{id}, channels, 0); err != nil {
			b.t.Fatal(err)
		}
	}
	return id
}

// hook adds an endpoint that wants to hear of everything.
func (b bench) hook(url string) {
	b.t.Helper()
	if _, err := b.store.CreateWebhook(b.t.Context(), b.admin, onward.WebhookDetails{URL: url}); err != nil {
		b.t.Fatal(err)
	}
}

// send sends what is due and says how many tries succeeded and failed.
func (b bench) send(s *notices.Sender) (sent, failed int) {
	b.t.Helper()
	claimed, err := b.store.ClaimDeliveries(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, o := range claimed {
		ok, err := s.Send(b.t.Context(), o)
		if err != nil {
			b.t.Fatal(err)
		}
		if ok {
			sent++
		} else {
			failed++
		}
	}
	return sent, failed
}

func (b bench) sender(config notices.Config) *notices.Sender {
	b.t.Helper()
	s, err := notices.New(config, b.store)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// receiver is a real HTTP server that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	status atomic.Int64
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.status.Store(http.StatusNoContent)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.got, r.bodies = append(r.got, request), append(r.bodies, string(body))
		r.mu.Unlock()
		if r.status.Load() == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(int(r.status.Load()))
	}))
	t.Cleanup(r.Close)
	return r
}

func TestAWebhookIsSignedRetriedAndReplayed(t *testing.T) {
	t.Parallel()
	b, r := setup(t, "en"), newReceiver(t)
	hook, err := b.store.CreateWebhook(t.Context(), b.admin, onward.WebhookDetails{URL: r.URL, Kinds: []onward.EventKind{onward.EventReferralEnded}})
	if err != nil {
		t.Fatal(err)
	}
	s := b.sender(notices.Config{PrivateNetworks: true})
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	b.happens(onward.EventCheckInDue, onward.RoleCounsellor, s.Channels()...) // which it does not want
	r.status.Store(http.StatusInternalServerError)
	if sent, failed := b.send(s); sent != 0 || failed != 1 {
		t.Errorf("%d sent, %d failed; want one failure", sent, failed)
	}
	if sent, failed := b.send(s); sent+failed != 0 {
		t.Error("it was tried again at once")
	}
	r.status.Store(http.StatusOK)
	b.now.Add(6)
	if sent, _ := b.send(s); sent != 1 {
		t.Error("the second try was not made")
	}
	if sent, failed := b.send(s); sent+failed != 0 {
		t.Error("it was sent twice")
	}
	verify := func(i int, secret string) error {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		return w.Verify([]byte(r.bodies[i]), r.got[i].Header)
	}
	if err := verify(1, hook.Secret); err != nil {
		t.Errorf("the signature: %v", err)
	}
	if !strings.Contains(r.bodies[1], `"type":"referral.ended"`) || r.got[0].Header.Get("webhook-id") != r.got[1].Header.Get("webhook-id") {
		t.Errorf("sent %s as %s", r.bodies[1], r.got[1].Header.Get("webhook-id"))
	}

	// After a rotation both secrets sign, for a day.
	rotated, err := b.store.RotateWebhook(t.Context(), b.admin, hook.ID)
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.store.Deliveries(t.Context(), b.admin, store.DeliveryFilter{WebhookID: hook.ID}, store.Cursor{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Status != onward.DeliverySent || page.Items[0].Attempts != 2 || page.Items[0].LastCode != 200 {
		t.Fatalf("%+v, %v", page.Items, err)
	}
	replay := func(want int) {
		t.Helper()
		if _, err := b.store.ReplayDelivery(t.Context(), b.admin, page.Items[0].ID); err != nil {
			t.Fatal(err)
		}
		if sent, _ := b.send(s); sent != 1 || len(r.got) != want {
			t.Fatalf("%d requests, want %d", len(r.got), want)
		}
	}
	replay(3)
	if err := errors.Join(verify(2, hook.Secret), verify(2, rotated.Secret)); err != nil {
		t.Error(err)
	}
	b.now.Add(25 * 3600)
	replay(4)
	if verify(3, hook.Secret) == nil || verify(3, rotated.Secret) != nil {
		t.Error("after a day the old secret still signs, or the new one does not")
	}
	_, err = b.store.ReplayDelivery(t.Context(), onward.Actor{OrganisationID: onward.NewID(), Role: onward.RoleAdministrator}, page.Items[0].ID)
	if onward.CodeOf(err) != onward.ENotFound {
		t.Errorf("another organisation replays: %v", err)
	}
}

func TestAWebhookThatFailsForDaysIsSwitchedOff(t *testing.T) {
	t.Parallel()
	b, r := setup(t, "en"), newReceiver(t)
	b.hook(r.URL)
	s := b.sender(notices.Config{PrivateNetworks: true})
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	r.status.Store(http.StatusFound) // a redirect is not followed
	tries := 0
	for range 20 {
		_, failed := b.send(s)
		tries += failed
		b.now.Add(25 * 3600)
	}
	list, err := b.store.Webhooks(t.Context(), b.admin)
	if err != nil || tries != 4 || len(r.got) != 4 || list[0].DisabledAt == nil || !strings.Contains(list[0].DisabledFor, "redirect") {
		t.Fatalf("%d tries, %d requests, %+v, %v", tries, len(r.got), list, err)
	}
	var told int
	if err := b.db.GetContext(t.Context(), &told, `SELECT count(*) FROM events WHERE kind = 'webhook.disabled'`); err != nil || told != 1 {
		t.Errorf("%d administrators' notices, %v", told, err)
	}
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	if sent, failed := b.send(s); sent+failed != 0 {
		t.Error("it is told although it is switched off")
	}
	if _, err := b.store.UpdateWebhook(t.Context(), b.admin, list[0].ID, list[0].Version, onward.WebhookDetails{URL: r.URL}); err != nil {
		t.Fatal(err)
	}
	if list, err = b.store.Webhooks(t.Context(), b.admin); err != nil || list[0].DisabledAt != nil {
		t.Errorf("%+v, %v", list, err)
	}
	if err := b.store.DeleteWebhook(t.Context(), b.admin, list[0].ID); err != nil {
		t.Error(err)
	}
}

func TestAnEndpointThatHangsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b, good := setup(t, "en"), newReceiver(t)
	release := make(chan struct{})
	var hanging, most atomic.Int64
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), hanging.Add(1)))
		defer hanging.Add(-1)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release); hung.Close() })
	b.hook(hung.URL)
	b.hook(good.URL)
	s := b.sender(notices.Config{PrivateNetworks: true, Timeout: 2 * time.Second})
	const events = 40
	for range events {
		b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	}
	// As the worker does: what is claimed is sent beside the next claim.
	var sending sync.WaitGroup
	for {
		claimed, err := b.store.ClaimDeliveries(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(claimed) == 0 {
			if good.count() == events {
				break
			}
			time.Sleep(5 * time.Millisecond)
			continue
		}
		for _, o := range claimed {
			sending.Go(func() {
				if _, err := s.Send(t.Context(), o); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if most.Load() != 2 {
		t.Errorf("%d tries hang at once, want 2 at most", most.Load())
	}
	sending.Wait()
	// It rests now; then one try at a time finds out whether it is back.
	if claimed, err := b.store.ClaimDeliveries(t.Context()); err != nil || len(claimed) != 0 {
		t.Errorf("%d are claimed of an endpoint that rests, %v", len(claimed), err)
	}
	b.now.Add(11)
	if claimed, err := b.store.ClaimDeliveries(t.Context()); err != nil || len(claimed) != 1 {
		t.Errorf("%d are claimed to find out whether it is back, %v", len(claimed), err)
	}
}

func TestAnEndpointThatIsGoneIsSwitchedOffAtOnce(t *testing.T) {
	t.Parallel()
	b, r := setup(t, "en"), newReceiver(t)
	b.hook(r.URL)
	s := b.sender(notices.Config{PrivateNetworks: true})
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	r.status.Store(http.StatusGone)
	b.send(s)
	b.now.Add(6)
	list, err := b.store.Webhooks(t.Context(), b.admin)
	if _, failed := b.send(s); err != nil || failed != 0 || list[0].DisabledAt == nil || !strings.Contains(list[0].DisabledFor, "gone") {
		t.Errorf("%+v, %v; %d more tries", list, err, failed)
	}
	page, err := b.store.Deliveries(t.Context(), b.admin, store.DeliveryFilter{Status: onward.DeliveryFailed}, store.Cursor{})
	if err != nil || len(page.Items) != 3 {
		t.Errorf("%d are given up, %v", len(page.Items), err)
	}
}

func TestAnEndpointThatSucceedsNowAndThenStaysOn(t *testing.T) {
	t.Parallel()
	b, r := setup(t, "en"), newReceiver(t)
	b.hook(r.URL)
	s := b.sender(notices.Config{PrivateNetworks: true})
	for day := range 8 {
		r.status.Store(map[bool]int64{true: http.StatusInternalServerError, false: http.StatusOK}[day%2 == 0])
		b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
		b.send(s)
		b.now.Add(25 * 3600)
	}
	if list, err := b.store.Webhooks(t.Context(), b.admin); err != nil || list[0].DisabledAt != nil {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestASuspendedOrganisationIsToldNothing(t *testing.T) {
	t.Parallel()
	b, r := setup(t, "en"), newReceiver(t)
	box, url := newMailbox(t)
	b.hook(r.URL)
	s := b.sender(notices.Config{SMTP: url, From: "onward@example.org", PrivateNetworks: true})
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...) // on its way
	if _, err := b.db.ExecContext(t.Context(), `UPDATE organisations SET suspended_at = now()`); err != nil {
		t.Fatal(err)
	}
	b.happens(onward.EventAlertRaised, onward.RoleCounsellor, s.Channels()...)
	if sent, failed := b.send(s); sent+failed+r.count()+len(box.messages) != 0 {
		t.Errorf("%d sent, %d failed, %d arrived", sent, failed, r.count())
	}
	if _, err := b.db.ExecContext(t.Context(), `UPDATE organisations SET suspended_at = NULL`); err != nil {
		t.Fatal(err)
	}
	if sent, _ := b.send(s); sent != 2 {
		t.Errorf("%d sent after it was reinstated, want what was on its way", sent)
	}
}

func TestWhatWasSentIsForgottenAfterNinetyDays(t *testing.T) {
	t.Parallel()
	b, r := setup(t, "en"), newReceiver(t)
	b.hook(r.URL)
	s := b.sender(notices.Config{PrivateNetworks: true})
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	b.send(s)
	b.now.Add(89 * 24 * 3600)
	if n, err := b.store.Retain(t.Context()); err != nil || n != 0 {
		t.Error(n, err)
	}
	b.now.Add(2 * 24 * 3600)
	if n, err := b.store.Retain(t.Context()); err != nil || n != 1 {
		t.Error(n, err)
	}
}

func TestALetterThatIsRefusedForGoodIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, "en")
	box, url := newMailbox(t)
	s := b.sender(notices.Config{SMTP: url, From: "onward@example.org"})
	box.refuse.Store(true)
	box.forGood.Store(true)
	b.happens(onward.EventAlertRaised, onward.RoleCounsellor, s.Channels()...)
	b.send(s)
	b.now.Add(24 * 3600)
	if sent, failed := b.send(s); sent+failed != 0 {
		t.Errorf("%d sent, %d failed", sent, failed)
	}
	page, err := b.store.Deliveries(t.Context(), b.admin, store.DeliveryFilter{Status: onward.DeliveryFailed}, store.Cursor{})
	if err != nil || len(page.Items) != 1 || page.Items[0].LastCode != 550 || !strings.Contains(page.Items[0].LastError, "for good") {
		t.Errorf("%+v, %v", page.Items, err)
	}
}

func TestPrivateNetworksAreNotSpokenTo(t *testing.T) {
	t.Parallel()
	b, r := setup(t, "en"), newReceiver(t)
	for _, url := range []string{r.URL, strings.Replace(r.URL, "127.0.0.1", "localhost", 1), "http://169.254.169.254/latest", "http://[::1]:1/", "http://10.0.0.1/", "http://[::ffff:127.0.0.1]:1/"} {
		hook, err := b.store.CreateWebhook(t.Context(), b.admin, onward.WebhookDetails{URL: url})
		if err != nil {
			t.Fatal(url, err)
		}
		if _, err := b.store.TestWebhook(t.Context(), b.admin, hook.ID); err != nil {
			t.Fatal(err)
		}
	}
	if sent, failed := b.send(b.sender(notices.Config{Timeout: 2 * time.Second})); sent != 0 || failed != 6 || len(r.got) != 0 {
		t.Errorf("%d sent, %d failed, %d arrived", sent, failed, len(r.got))
	}
	var whys []string
	if err := b.db.SelectContext(t.Context(), &whys, `SELECT DISTINCT last_error FROM deliveries`); err != nil || len(whys) != 1 || !strings.Contains(whys[0], "private network") {
		t.Errorf("%v, %v", whys, err)
	}
}

// mailbox is a real SMTP server.
type mailbox struct {
	mu       sync.Mutex
	messages []string
	refuse   atomic.Bool
	forGood  atomic.Bool
}

type session struct{ box *mailbox }

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{m}, nil }
func (s *session) Mail(string, *smtp.MailOptions) error        { return nil }
func (s *session) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (s *session) Reset()                                      {}
func (s *session) Logout() error                               { return nil }
func (s *session) Data(r io.Reader) error {
	if s.box.forGood.Load() {
		return &smtp.SMTPError{Code: 550, Message: "no such user, counsellor@example.org"}
	}
	if s.box.refuse.Load() {
		return &smtp.SMTPError{Code: 451, Message: "later, counsellor@example.org"}
	}
	raw, err := io.ReadAll(r)
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.messages = append(s.box.messages, string(raw))
	return err
}

func newMailbox(t *testing.T) (*mailbox, string) {
	box := &mailbox{}
	server := smtp.NewServer(box)
	server.Domain, server.AllowInsecureAuth = "localhost", true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return box, "smtp://" + listener.Addr().String()
}

// parts reads a message: its header and its parts, decoded.
func parts(t *testing.T, raw string) (mail.Header, []string) {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	reader := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return message.Header, bodies
		} else if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
}

func TestLettersInFourLanguages(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"en": "A check-in is due", "fr": "Un suivi est à faire", "es": "Toca un seguimiento", "ar": "حان موعد متابعة"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			b := setup(t, code)
			box, url := newMailbox(t)
			s := b.sender(notices.Config{SMTP: url, From: "Onward <onward@example.org>", PublicURL: "https://onward.example.org"})
			b.happens(onward.EventCheckInDue, onward.RoleCounsellor, s.Channels()...)
			box.refuse.Store(true)
			if sent, failed := b.send(s); sent != 0 || failed != 1 {
				t.Fatalf("%d sent, %d failed", sent, failed)
			}
			box.refuse.Store(false)
			b.now.Add(6)
			if sent, _ := b.send(s); sent != 1 || len(box.messages) != 1 {
				t.Fatalf("%d sent, %d arrived", sent, len(box.messages))
			}
			header, bodies := parts(t, box.messages[0])
			subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
			if err != nil || subject != want || header.Get("Message-Id") == "" || !strings.Contains(header.Get("To"), "counsellor@example.org") {
				t.Errorf("subject %q, %v, header %v", subject, err, header)
			}
			if len(bodies) != 2 || !strings.Contains(bodies[0], "https://onward.example.org") || !strings.Contains(bodies[1], want) || strings.Contains(bodies[1], `dir="rtl"`) != (code == "ar") {
				t.Errorf("bodies %q", bodies)
			}
			var why string
			if err := b.db.GetContext(t.Context(), &why, `SELECT string_agg(last_error, '') FROM deliveries`); err != nil || strings.Contains(why, "example.org") {
				t.Errorf("what the server said is kept: %q, %v", why, err)
			}
		})
	}
}

func TestPreferencesAndTextMessages(t *testing.T) {
	t.Parallel()
	b, gateway := setup(t, "es"), newReceiver(t)
	box, url := newMailbox(t)
	s := b.sender(notices.Config{SMTP: url, From: "onward@example.org", SMSURL: gateway.URL, SMSToken: "t0ken", PrivateNetworks: true})
	actor := onward.Actor{UserID: b.user.ID, OrganisationID: b.user.OrganisationID, Role: b.user.Role}
	err := b.store.InTx(t.Context(), actor, func(tx *store.Tx) error {
		_, err := tx.SetNoticePreferences(t.Context(), onward.NoticePreferences{Off: []onward.EventKind{onward.EventReferralEnded}, SMS: []onward.EventKind{onward.EventAlertRaised}, Phone: "+525512345678"})
		if err != nil {
			return err
		}
		p, err := tx.NoticePreferences(t.Context())
		if p.Wants(onward.EventReferralEnded, onward.ChannelEmail) || !p.Wants(onward.EventAlertRaised, onward.ChannelSMS) {
			t.Errorf("preferences %+v", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.happens(onward.EventReferralEnded, onward.RoleCounsellor, s.Channels()...)
	b.happens(onward.EventAlertRaised, onward.RoleCounsellor, s.Channels()...)
	if sent, failed := b.send(s); sent != 2 || failed != 0 || len(box.messages) != 1 || len(gateway.got) != 1 {
		t.Fatalf("%d sent, %d failed, %d letters, %d texts", sent, failed, len(box.messages), len(gateway.got))
	}
	if body := gateway.bodies[0]; body != `{"text":"Onward: Se levantó una alerta de protección","to":"+525512345678"}` || gateway.got[0].Header.Get("Authorization") != "Bearer t0ken" {
		t.Errorf("the gateway got %s", body)
	}
}

func TestWhereNoOneHasTheRoleThoseWhoRunTheOrganisationAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t, "en")
	box, url := newMailbox(t)
	s := b.sender(notices.Config{SMTP: url, From: "onward@example.org"})
	b.happens(onward.EventReferralRequested, onward.RoleEmployer, s.Channels()...)
	if sent, _ := b.send(s); sent != 1 || len(box.messages) != 1 || !strings.Contains(box.messages[0], "admin@example.org") {
		t.Errorf("%d sent: %q", sent, box.messages)
	}
}

func TestAClaimThatDiesIsSentByAnother(t *testing.T) {
	t.Parallel()
	b := setup(t, "en")
	box, url := newMailbox(t)
	s := b.sender(notices.Config{SMTP: url, From: "onward@example.org"})
	b.happens(onward.EventAlertRaised, onward.RoleCounsellor, s.Channels()...)
	if claimed, err := b.store.ClaimDeliveries(t.Context()); err != nil || len(claimed) != 1 { // and the process dies
		t.Fatal(claimed, err)
	}
	if sent, failed := b.send(s); sent+failed != 0 {
		t.Error("another took it while the first may still be sending")
	}
	b.now.Add(121)
	if sent, _ := b.send(s); sent != 1 || len(box.messages) != 1 {
		t.Errorf("%d sent", sent)
	}
}

func TestBadConfigurationSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, config := range []notices.Config{{SMTP: "smtp://u:secret@host:25"}, {SMTP: "http://u:secret@host", From: "a@example.org"}, {SMTP: "smtp://:secret@:99999999", From: "a@example.org"}} {
		if _, err := notices.New(config, nil); onward.CodeOf(err) != onward.EInvalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
	var none *notices.Sender
	if got := none.Channels(); !slices.Equal(got, []onward.Channel{onward.ChannelWebhook}) {
		t.Errorf("%v", got)
	}
}
