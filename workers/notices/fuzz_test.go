package notices

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"onward"
)

// Which address is public does not depend on how it is written, and none that this machine or its networks could have is.
func FuzzPublicAddress(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:a00:1", "10.0.0.1", "169.254.169.254", "fe80::1%eth0", "fd00::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "0.0.0.0", "::",
		"100.64.0.1", "192.168.1.1", "255.255.255.255", "8.8.8.8", "2606:4700::1111", "::127.0.0.1", "2001::1", "fec0::1", "ff02::1", "100::1", "::ffff:0:127.0.0.1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := netip.ParseAddr(s)
		if err != nil || !public(a) {
			return
		}
		plain := a.Unmap()
		if !public(plain) || plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified() {
			t.Fatalf("%s is taken for public", s)
		}
		if plain.Is4() && !public(netip.AddrFrom16(plain.As16())) {
			t.Fatalf("%s is public, and the same address as IPv6 is not", s)
		}
		if plain.Is6() && !strings.HasPrefix(plain.StringExpanded(), "2") && !strings.HasPrefix(plain.StringExpanded(), "3") {
			t.Fatalf("%s is not of the open internet", s)
		}
	})
}

// The URL of a mail server is read or refused, and its password is in no error.
func FuzzMailURL(f *testing.F) {
	for _, s := range []string{"smtp://u:%s@mail.example.org:587", "smtps://u:%s@[::1]", "smtp://:%s@:25", "smtp://u:%s@h:99999999999", "smtp://u:%s@h:-1", "http://%s", "smtp://u:%s@\x00", "smtp://u:%s@h:25/\r\nRCPT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, form string) {
		const secret = "pa55-of-the-mail-server"
		text := strings.ReplaceAll(form, "%s", secret)
		client, err := mailClient(Config{SMTP: text, From: "onward@example.org", Timeout: time.Second})
		if err != nil {
			if onward.CodeOf(err) != onward.EInvalid || strings.Contains(err.Error(), secret) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		u, err := url.Parse(text)
		if err != nil || client == nil || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), "\r\n\x00") {
			t.Fatalf("%q was taken: %v", text, err)
		}
	})
}
