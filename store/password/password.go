// Package password says which passwords will do, and keeps them: argon2id by the parameters that OWASP recommends, with few at work at
// once, so that a flood of sign-ins can't take all the memory.
package password

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the lists of breached passwords are in SHA-1; nothing is kept by it
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/ccojocar/zxcvbn-go"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"onward"
)

// parameters are OWASP's for argon2id with 19 MiB; each hash says its own, and one by others is made anew at the next sign-in.
var parameters = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobodys is a hash of no password, which is compared with when there is none, so that it takes as long.
var nobodys = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, parameters.Memory, parameters.Iterations, parameters.Parallelism,
	base64.RawStdEncoding.EncodeToString(make([]byte, parameters.SaltLength)), base64.RawStdEncoding.EncodeToString(make([]byte, parameters.KeyLength)))

const (
	// leastGuesses is how many bits of guessing a password has to withstand, as zxcvbn estimates them: what stands on lists of common
	// passwords, and words, names, dates, rows of keys and repetitions put together, falls below.
	leastGuesses = 30
	// estimated is how much of a password is estimated, which takes long for long ones. Who writes more has more.
	estimated = 40
	// longestWait is how long a password waits for its turn.
	longestWait = 10 * time.Second
)

// Passwords checks and keeps passwords. It may be used from many goroutines.
type Passwords struct {
	turns    chan struct{}
	breached *list
}

// New reads where breached passwords are listed: a file of SHA-1 hashes in order, one a line, with or without ":count", as Have I Been Pwned
// gives it out. Empty: there is none, and the built-in estimate alone decides.
func New(breached string) (*Passwords, error) {
	p := &Passwords{turns: make(chan struct{}, max(4, 2*runtime.GOMAXPROCS(0)))}
	if breached != "" {
		var err error
		if p.breached, err = openList(breached); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Close closes the list.
func (p *Passwords) Close() error {
	if p.breached == nil {
		return nil
	}
	return p.breached.file.Close()
}

// Normal is the form in which a password is hashed (RFC 8265, OpaqueString): the same characters, however a keyboard made them.
func Normal(password string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, password))
}

// Check says why a password will not do: EInvalid for the field. words are those that anybody would try for this user.
func (p *Passwords) Check(field, password string, words ...string) error {
	bad := func(rule, message string) error {
		return onward.Invalid([]onward.FieldError{{Field: field, Rule: rule, Message: message}})
	}
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return bad("utf8", "send text as UTF-8, without NUL characters")
	}
	password = Normal(password)
	if n := utf8.RuneCountInString(password); n < onward.LeastPassword || n > onward.MostPassword {
		return bad("length", "use 12 to 256 characters; several words are easy to keep in mind")
	}
	lower := strings.ToLower(password)
	for _, word := range append(words, "onward") {
		if utf8.RuneCountInString(word) >= 4 && strings.Contains(lower, strings.ToLower(Normal(word))) {
			return bad("guessable", "leave out your name, your e-mail address and the name of this system: they are tried first")
		}
	}
	runes := []rune(password)
	if zxcvbn.PasswordStrength(string(runes[:min(len(runes), estimated)]), words).Entropy < leastGuesses {
		return bad("common", "this is among the passwords that are tried first; use several words that do not belong together")
	}
	if p.breached != nil {
		found, err := p.breached.has(password)
		if err != nil {
			return onward.Errorf(onward.EUnavailable, "the list of breached passwords (ONWARD_BREACHED_PASSWORDS) can't be read; tell your administrator").Because(err)
		}
		if found {
			return bad("breached", "this password was stolen somewhere and is known; use another, and change it wherever you use it")
		}
	}
	return nil
}

// turn waits until few enough are at work. EUnavailable when that takes too long.
func (p *Passwords) turn(ctx context.Context) (done func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	select {
	case p.turns <- struct{}{}:
		return func() { <-p.turns }, nil
	case <-waiting.Done():
		return nil, onward.Errorf(onward.EUnavailable, "too many people sign in at once; try again in a moment").Because(waiting.Err())
	}
}

// Hash is what is kept of a password.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	done, err := p.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return argon2id.CreateHash(Normal(password), &parameters)
}

// Verify compares a password with what was kept. It takes as long when there is nothing to compare with. outdated says that the hash was
// made by other parameters.
func (p *Passwords) Verify(ctx context.Context, password, hash string) (ok, outdated bool, err error) {
	done, err := p.turn(ctx)
	if err != nil {
		return false, false, err
	}
	defer done()
	against := hash
	if hash == "" {
		against = nobodys
	}
	ok, by, err := argon2id.CheckHash(Normal(password), against)
	if err != nil {
		return false, false, errors.New("a password hash can't be read") // the error might quote it
	}
	return ok && hash != "", *by != parameters, nil
}

// list is a file of hashes in order.
type list struct {
	file *os.File
	size int64
}

func errNoList() *onward.Error {
	return onward.Errorf(onward.EInvalid, "ONWARD_BREACHED_PASSWORDS must name a file of SHA-1 hashes in order, one a line, as Have I Been Pwned gives it out")
}

func openList(path string) (*list, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errNoList().Because(err)
	}
	info, err := f.Stat()
	l := &list{file: f}
	if err == nil {
		l.size = info.Size()
		var first []byte
		if first, err = l.lineAt(0); err == nil && !isHash(first) {
			err = errors.New("the first line is no hash")
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, errNoList().Because(err)
	}
	return l, nil
}

// hashLength is that of SHA-1 in hexadecimal digits.
const hashLength = 2 * sha1.Size

func isHash(line []byte) bool {
	if len(line) < hashLength {
		return false
	}
	_, err := hex.DecodeString(string(line[:hashLength]))
	return err == nil && (len(line) == hashLength || line[hashLength] == ':')
}

// longestLine is a hash with any count.
const longestLine = 128

// lineAt is the line that begins at an offset.
func (l *list) lineAt(offset int64) ([]byte, error) {
	line, err := bufio.NewReaderSize(io.NewSectionReader(l.file, offset, longestLine), longestLine).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// begin is where the first line begins that begins at an offset or after it.
func (l *list) begin(offset int64) (int64, error) {
	if offset == 0 {
		return 0, nil
	}
	var b [longestLine]byte
	n, err := l.file.ReadAt(b[:], offset-1)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if at := bytes.IndexByte(b[:n], '\n'); at >= 0 {
		return offset + int64(at), nil
	}
	return l.size, nil
}

// has looks a password up by halving, so that a list of many gigabytes is read a few dozen times.
func (l *list) has(password string) (bool, error) {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // as the list has it
	want := []byte(strings.ToUpper(hex.EncodeToString(sum[:])))
	low, high := int64(0), l.size // the line, if there is one, begins in [low, high)
	for low < high {
		middle := low + (high-low)/2
		at, err := l.begin(middle)
		if err != nil {
			return false, err
		}
		if at >= high {
			high = middle
			continue
		}
		line, err := l.lineAt(at)
		if err != nil {
			return false, err
		}
		if !isHash(line) {
			return false, errors.New("a line is no hash")
		}
		switch order := bytes.Compare(bytes.ToUpper(line[:hashLength]), want); {
		case order == 0:
			return true, nil
		case order < 0:
			low = at + int64(len(line))
		default:
			high = middle
		}
	}
	return false, nil
}
