package store

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"aidanwoods.dev/go-paseto"

	"onward"
	"onward/store/vault"
)

// A cursor is taken if it is one that a page ended with, and is the same when it is written again.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "AAAAAAAAAAAAAAAAAAAAAA", "AZ8n9Xoee9KMEgEjRWeJqw", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAA_", "' OR 1=1 --", "\n", "AAAAAAAAAAA\nAAAAAAAAAAA"} {
		f.Add(s, 50)
	}
	f.Add("AZ8n9Xoee9KMEgEjRWeJqw", -1<<63)
	f.Fuzz(func(t *testing.T, after string, limit int) {
		id, rows, err := Cursor{After: after, Limit: limit}.position()
		if err != nil {
			if onward.CodeOf(err) != onward.EInvalid || len(after) > 8 && strings.Contains(err.Error(), after) {
				t.Errorf("%q: %v", after, err)
			}
			return
		}
		if rows < 1 || rows > 200 {
			t.Errorf("%d rows for a limit of %d", rows, limit)
		}
		if after == "" {
			return
		}
		page := pageOf([]onward.ID{id, id}, 1, func(i onward.ID) onward.ID { return i })
		if page.Next != after || page.Next != base64.RawURLEncoding.EncodeToString(id[:]) {
			t.Errorf("%q is written as %q", after, page.Next)
		}
	})
}

// People are found whatever the case, the order and the spaces of their names, and however their phone is written.
func FuzzPersonWords(f *testing.F) {
	for _, s := range []string{"María José Núñez", "محمد  بن علي", "O'Neill-Smith", "İSTANBUL ẞ ŉ", "\xff\xfe", "a\u0301\u0302 \u200d", "ﷺ", "+52 (55) 1234-5678", "００１２", "Ⅷ ½", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words := nameWords(s)
		if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
			t.Fatalf("%q: %q is not in order, each once", s, words)
		}
		for _, w := range words {
			if w == "" || strings.ContainsFunc(w, unicode.IsSpace) || utf8.ValidString(s) && !utf8.ValidString(w) {
				t.Fatalf("%q has the word %q", s, w)
			}
		}
		if again := nameWords(strings.Join(words, " ")); !slices.Equal(again, words) {
			t.Fatalf("%q: %q, and again %q", s, words, again)
		}
		reversed := slices.Clone(words)
		slices.Reverse(reversed)
		if got := nameWords("  " + strings.Join(reversed, "\t-") + "."); !slices.Equal(got, words) {
			t.Fatalf("%q: %q, and in another order %q", s, words, got)
		}
		digits := phoneDigits(s)
		if len(digits) > 9 || strings.Trim(digits, "0123456789") != "" || phoneDigits(digits) != digits || phoneDigits("+52 "+s) != phoneDigits("52"+s) {
			t.Fatalf("%q has the digits %q", s, digits)
		}
	})
}

// Only what this server made with its key for answers opens as an answer link, and nothing else does: not of another purpose, version, key or
// algorithm.
func FuzzAnswerLink(f *testing.F) {
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i)
	}
	key, err := paseto.V4SymmetricKeyFromBytes(secret)
	if err != nil {
		f.Fatal(err)
	}
	other, signing := paseto.NewV4SymmetricKey(), paseto.NewV4AsymmetricSecretKey()
	issued := onward.MustParseID("0197d9f5-7a1e-7bd2-8c12-0123456789ab")
	token := func(audience string) *paseto.Token {
		made := paseto.NewToken()
		made.SetAudience(audience)
		made.SetJti(onward.NewID().String())
		return &made
	}
	const valid = "v4.local.MhB5tyh3zYunIFQ8KZwzAZZMrCpuUOzTD1BNF61wYbYAYYvav0AObDqfebPvPxKFiHTva4R2eab_UHGHWsoxe4BCDzJapDcivHF6jNL6w-Mus5DAfuHtxjVwxVAnfcB6L41rOSCd12_Rn0Yjosds-mjPWnHtCZEpVRiHTksqVyhNl14UQ20" // made with the key above; the processes of the fuzzer share it
	if id, err := linkOf(key, valid); err != nil || id != issued {
		good := token(answerPurpose)
		good.SetJti(issued.String())
		f.Fatalf("the link is not valid; put this in its place: %s", good.V4Encrypt(key, nil))
	}
	f.Add(valid)
	f.Add(token("sign-in").V4Encrypt(key, nil))
	f.Add(token(answerPurpose).V4Encrypt(other, nil))
	f.Add(token(answerPurpose).V4Encrypt(key, []byte("bound to something")))
	f.Add(token(answerPurpose).V4Sign(signing, nil))
	f.Add(strings.Replace(valid, "v4.local.", "v4.public.", 1))
	f.Add(strings.Replace(valid, "v4.local.", "v3.local.", 1))
	f.Add(strings.Replace(valid, "v4.local.", "v4.local..", 1))
	f.Add(valid + ".e30")
	f.Add(valid[:len(valid)-1])
	f.Add("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJhdWQiOiJhbnN3ZXItcmVmZXJyYWwifQ.")
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.AAAA")
	f.Add("v4.local.")
	f.Add("")
	f.Fuzz(func(t *testing.T, secret string) {
		id, err := linkOf(key, secret)
		if err != nil {
			if onward.CodeOf(err) != onward.ENotFound || len(secret) > 40 && strings.Contains(err.Error(), secret) {
				t.Errorf("%q: %v", secret, err)
			}
			return
		}
		if id != issued {
			t.Fatalf("%q opens as %s", secret, id)
		}
	})
}

// What identifies people is sealed and opened again whole, whatever it holds, and nothing of it can be read without opening.
func FuzzSealedIdentity(f *testing.F) {
	f.Add("María", "Núñez", "+525512345678", "maria@example.org", "she said: \"…\"\n<b>")
	f.Add("", "\x00", "\xff", "", "")
	v, err := vault.New()
	if err != nil {
		f.Fatal(err)
	}
	blind := bytes.Repeat([]byte{7}, 32)
	f.Fuzz(func(t *testing.T, given, family, phone, email, notes string) {
		d := onward.ReturneeDetails{
			BirthDate: onward.NewDate(1990, time.March, 5),
			Identity:  onward.Identity{GivenName: given, FamilyName: family, Phone: phone, Email: email, Notes: notes},
		}
		id, organisation := onward.NewID(), onward.NewID()
		sealed, err := sealIdentity(v, blind, id, organisation, nil, 0, d)
		whole := func(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }
		if onward.CodeOf(err) == onward.EInvalid && !(whole(given) && whole(family) && whole(phone) && whole(email) && whole(notes)) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{given, family, phone, email, notes} {
			if len(secret) > 5 && utf8.ValidString(secret) && bytes.Contains(sealed.Fields, []byte(secret)) {
				t.Fatalf("%q can be read in %s", secret, sealed.Fields)
			}
		}
		s := &Store{vault: v}
		var opened struct {
			onward.Identity
			BirthDate onward.Date `json:"birth_date"`
		}
		if err := s.openIdentity(id, sealed.Fields, sealed.Key, &opened); err != nil {
			t.Fatal(err)
		}
		if opened.BirthDate != d.BirthDate || utf8.ValidString(given+family+phone+email+notes) && (opened.GivenName != given || opened.FamilyName != family || opened.Phone != phone || opened.Email != email || opened.Notes != notes) {
			t.Fatalf("%+v became %+v", d.Identity, opened)
		}
		if err := s.openIdentity(onward.NewID(), sealed.Fields, sealed.Key, &opened); err == nil {
			t.Fatal("it opens as another person's")
		}
	})
}
