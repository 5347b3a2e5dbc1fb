package password

import (
	"context"
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"onward"
)

func passwords(t *testing.T, breached ...string) *Passwords {
	t.Helper()
	file := ""
	if breached != nil {
		file = filepath.Join(t.TempDir(), "breached.txt")
		var lines []string
		for i, p := range breached {
			lines = append(lines, fmt.Sprintf("%X:%d", sha1.Sum([]byte(p)), i*i+1))
		}
		slices.Sort(lines)
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\r\n")+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := New(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func rule(err error) string {
	if f := onward.FieldsOf(err); len(f) == 1 {
		return f[0].Rule
	}
	return ""
}

func TestWhichPasswordsWillDo(t *testing.T) {
	t.Parallel()
	p := passwords(t)
	for password, want := range map[string]string{
		"mi perro come pan duro": "", "пять кошек едят рыбу": "", "kJ3#9dLq0xZ2": "", strings.Repeat("vier Dachse baden ", 14): "", "  leading and trailing  ": "",
		"short": "length", "elevenchars": "length", "": "length", strings.Repeat("x7 Qb", 52): "length",
		"\xffgoat rides tractor": "utf8", "goat rides\x00 tractor": "utf8",
		"password1234": "common", "Password12345!": "common", "qwertyuiop12": "common", "123456789012": "common", "aaaaaaaaaaaaaaaa": "common", "iloveyou1234": "common",
		"passwordpassword": "common", "1q2w3e4r5t6y": "common", "Welcome2024!!": "common", "guadalajara2024": "common", "barcelona2023": "common", strings.Repeat("abc", 50): "common",
		"goat RUIZ tractor moon": "guessable", "I go onWARD to the moon": "guessable", "goat ana.ruiz9 tractor": "guessable",
	} {
		if got := rule(p.Check("password", password, "ana.ruiz9", "Ana", "Ruiz")); got != want {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
	}
	// Twelve characters are counted as characters, not bytes.
	if got := rule(p.Check("password", "ñandúes ágil")); got != "" {
		t.Errorf("twelve characters: %q", got)
	}
	for _, f := range onward.FieldsOf(p.Check("password", "password1234")) {
		if strings.Contains(f.Message, "1234") {
			t.Errorf("the message repeats it: %s", f.Message)
		}
	}
}

func TestBreachedPasswordsAreFoundInALongList(t *testing.T) {
	t.Parallel()
	var known []string
	for i := range 1000 {
		known = append(known, fmt.Sprintf("goat %d rides the blue tractor", i))
	}
	p := passwords(t, known...)
	for _, k := range known {
		if got := rule(p.Check("password", k)); got != "breached" {
			t.Fatalf("%q: %q", k, got)
		}
	}
	for i := range 1000 {
		if err := p.Check("password", fmt.Sprintf("goat %d rides the red tractor", i)); err != nil {
			t.Fatal(i, err)
		}
	}
	one := passwords(t, "goat rides the blue tractor")
	if got := rule(one.Check("password", "goat rides the blue tractor")); got != "breached" {
		t.Errorf("a list of one: %q", got)
	}
	if err := one.Check("password", "goat rides the red tractor"); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsNoListIsSaid(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x")
	for _, content := range []string{"", "hello\n", strings.Repeat("g", 40) + ":1\n", strings.Repeat("A", 41) + "\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(file); onward.CodeOf(err) != onward.EInvalid || !strings.Contains(err.Error(), "ONWARD_BREACHED_PASSWORDS") {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, err := New(filepath.Join(t.TempDir(), "none")); onward.CodeOf(err) != onward.EInvalid {
		t.Error(err)
	}
}

func TestAPasswordIsKeptAsItsHash(t *testing.T) {
	t.Parallel()
	p := passwords(t)
	ctx := t.Context()
	composed, decomposed := "mañana será otro día", "man\u0303ana sera\u0301 otro di\u0301a"
	hash, err := p.Hash(ctx, composed)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, composed) {
		t.Fatal(hash, err)
	}
	if again, _ := p.Hash(ctx, composed); again == hash {
		t.Error("two hashes of one password are alike: there is no salt")
	}
	for try, want := range map[string]bool{composed: true, decomposed: true, "Mañana será otro día": false, composed + " ": false, "": false} {
		if ok, outdated, err := p.Verify(ctx, try, hash); ok != want || outdated || err != nil {
			t.Errorf("%q: %v %v %v", try, ok, outdated, err)
		}
	}
	// Nothing is cut off: the last character counts.
	long := strings.Repeat("vier Dachse baden ", 14)
	hash, _ = p.Hash(ctx, long+"x")
	if ok, _, _ := p.Verify(ctx, long+"y", hash); ok {
		t.Error("a long password is cut")
	}
	old, err := argon2id.CreateHash(composed, &argon2id.Params{Memory: 8 * 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	if ok, outdated, err := p.Verify(ctx, composed, old); !ok || !outdated || err != nil {
		t.Errorf("by older parameters: %v %v %v", ok, outdated, err)
	}
	if ok, _, err := p.Verify(ctx, "nobody's", ""); ok || err != nil {
		t.Errorf("without a hash: %v %v", ok, err)
	}
	if _, _, err := p.Verify(ctx, composed, "$2a$10$garbage"); err == nil || strings.Contains(err.Error(), "garbage") {
		t.Errorf("a hash of another kind: %v", err)
	}
}

func TestNoHashToCompareWithTakesAsLong(t *testing.T) {
	t.Parallel()
	p := passwords(t)
	hash, _ := p.Hash(t.Context(), "mi perro come pan duro")
	fastest := func(against string) time.Duration {
		best := time.Hour
		for range 15 {
			begin := time.Now()
			_, _, _ = p.Verify(t.Context(), "mi gato come pan duro", against)
			best = min(best, time.Since(begin))
		}
		return best
	}
	with, without := fastest(hash), fastest("")
	if without < with/2 || with < without/2 {
		t.Errorf("%v with a hash, %v without", with, without)
	}
}

func TestFewPasswordsAreHashedAtOnce(t *testing.T) {
	t.Parallel()
	p := passwords(t)
	most := cap(p.turns)
	for range most {
		p.turns <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := p.Hash(ctx, "mi perro come pan duro"); onward.CodeOf(err) != onward.EUnavailable {
				t.Errorf("beyond %d at once: %v", most, err)
			}
		})
	}
	all.Wait()
	<-p.turns
	if _, err := p.Hash(t.Context(), "mi perro come pan duro"); err != nil {
		t.Error(err)
	}
}
