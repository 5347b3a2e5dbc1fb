// Package backup copies a database while it is in use, into archives that age encrypts, and restores it from them: beside the present one,
// checked, and put in its place in one step.
//
// An archive is a tar, compressed by zstd, encrypted by age, so that its tools alone can open it too. Its entries are manifest.json; the parts
// in pieces of a megabyte (tables/returnees/000001, …), each table as COPY writes it; and summary.json, which says how long each part is, how
// many rows it has, and its SHA-256. An archive without a summary was cut off.
//
// People's keys are never in the archive of the database but in one of their own, of which only the latest is kept: who is erased has no key
// in any backup from then on.
package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"onward"
)

// format is the newest form of archives that this program reads, and the one that it writes.
const format = 1

// The kinds of archives.
const (
	kindDatabase = "database"
	kindKeys     = "keys"
)

const (
	manifestName = "manifest.json"
	summaryName  = "summary.json"
	dumpPart     = "dump"    // what pg_dump wrote
	tableParts   = "tables/" // and the name of the table
)

const (
	// pieceSize bounds what is held in memory of a part.
	pieceSize = 1 << 20
	// textLimit bounds manifest and summary: a line for each table and for the end of each audit chain.
	textLimit = 64 << 20
	// window of zstd: what packing and unpacking hold.
	window = 4 << 20
)

// Manifest is what an archive says of itself first.
type Manifest struct {
	Format   int       `json:"format"`
	Kind     string    `json:"kind"`
	Onward   string    `json:"onward"`   // the version that wrote it
	Schema   int64     `json:"schema"`   // the newest migration that was applied
	Database onward.ID `json:"database"` // the same through all restores
	MadeAt   time.Time `json:"made_at"`  // when the copy was taken, by the clock of the database
	Method   Method    `json:"method"`
	Server   int       `json:"server"` // the major version of Postgres
	Tables   []Table   `json:"tables"`
	// Audit is where the chains end.
	Audit []onward.AuditHead `json:"audit"`
}

// Table is a table with the columns that are copied.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// Summary is what an archive says last.
type Summary struct {
	Parts     map[string]Part  `json:"parts"`
	Rows      map[string]int64 `json:"rows"`      // of each table
	Sequences map[string]int64 `json:"sequences"` // their last values
	Manifest  string           `json:"manifest"`  // SHA-256
}

// Part is the content of one part.
type Part struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// counter counts what passes.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += int64(n)
	return n, err
}

// writer writes an archive as it comes; nothing of it is ever plain outside of memory.
type writer struct {
	out     *counter
	sealed  io.WriteCloser
	packed  *zstd.Encoder
	tar     *tar.Writer
	piece   []byte
	at      time.Time
	summary Summary
}

func newWriter(to io.Writer, recipients []age.Recipient, m Manifest) (*writer, error) {
	w := &writer{
		out: &counter{to: to}, piece: make([]byte, 0, pieceSize), at: m.MadeAt,
		summary: Summary{Parts: map[string]Part{}, Rows: map[string]int64{}, Sequences: map[string]int64{}},
	}
	var err error
	if w.sealed, err = age.Encrypt(w.out, recipients...); err != nil {
		return nil, fmt.Errorf("encrypt the archive: %w", err)
	}
	if w.packed, err = zstd.NewWriter(w.sealed, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window)); err != nil {
		return nil, fmt.Errorf("compress the archive: %w", err)
	}
	w.tar = tar.NewWriter(w.packed)
	m.Format = format
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	w.summary.Manifest = hex.EncodeToString(sum[:])
	return w, w.entry(manifestName, text)
}

func (w *writer) entry(name string, content []byte) error {
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600, ModTime: w.at, Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	if _, err := w.tar.Write(content); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return nil
}

// part writes what fill writes, in pieces.
func (w *writer) part(name string, fill func(io.Writer) error) error {
	p := &pieces{writer: w, name: name, sum: sha256.New()}
	if err := fill(p); err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	w.summary.Parts[name] = Part{Bytes: p.bytes, SHA256: hex.EncodeToString(p.sum.Sum(nil))}
	return nil
}

// close writes the summary and ends the archive.
func (w *writer) close() error {
	text, err := json.MarshalIndent(w.summary, "", " ")
	if err != nil {
		return err
	}
	if err := w.entry(summaryName, text); err != nil {
		return err
	}
	for _, end := range []io.Closer{w.tar, w.packed, w.sealed} {
		if err := end.Close(); err != nil {
			return fmt.Errorf("write the archive: %w", err)
		}
	}
	return nil
}

// pieces cuts a part into entries of a known size, which a tar needs.
type pieces struct {
	*writer
	name  string
	n     int
	bytes int64
	sum   hash.Hash
}

func (p *pieces) Write(b []byte) (int, error) {
	total := len(b)
	for len(b) > 0 {
		n := min(len(b), pieceSize-len(p.piece))
		p.piece = append(p.piece, b[:n]...)
		b = b[n:]
		if len(p.piece) == pieceSize {
			if err := p.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (p *pieces) flush() error {
	if len(p.piece) == 0 {
		return nil
	}
	p.n++
	_, _ = p.sum.Write(p.piece) // never fails
	p.bytes += int64(len(p.piece))
	err := p.entry(pieceName(p.name, p.n), p.piece)
	p.piece = p.piece[:0]
	return err
}

func pieceName(part string, n int) string { return fmt.Sprintf("%s/%06d", part, n) }

// reader reads an archive once, from the front to the end.
type reader struct {
	Manifest Manifest
	sum      string // of the manifest
	source   *faults
	packed   *zstd.Decoder
	tar      *tar.Reader
	ahead    *tar.Header // the entry after the part that was read
}

// faults remembers what went wrong below the decompression, which tells of it in its own words.
type faults struct {
	from io.Reader
	err  error
}

func (f *faults) Read(b []byte) (int, error) {
	n, err := f.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// openArchive reads the manifest. It refuses what this program can't know: another format, a newer schema.
func openArchive(from io.Reader, kind string, identities []age.Identity, newest int64) (*reader, error) {
	disk := &faults{from: from}
	opened, err := age.Decrypt(disk, identities...)
	var none *age.NoIdentityMatchError
	switch {
	case disk.err != nil:
		return nil, fmt.Errorf("read the archive: %w", disk.err)
	case errors.As(err, &none):
		return nil, onward.Errorf(onward.EForbidden, "none of the identities opens the archive; give the one that belongs to a recipient that it was made for")
	case err != nil:
		return nil, onward.Errorf(onward.EInvalid, "this is no archive of 'onward backup', or its beginning is damaged").Because(err)
	}
	r := &reader{source: &faults{from: opened}}
	if r.packed, err = zstd.NewReader(r.source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true)); err != nil {
		return nil, fmt.Errorf("decompress the archive: %w", err)
	}
	r.tar = tar.NewReader(r.packed)
	header, err := r.tar.Next()
	if err != nil || header.Name != manifestName || header.Size > textLimit {
		return nil, r.damaged(err)
	}
	text, err := io.ReadAll(r.tar)
	if err != nil {
		return nil, r.damaged(err)
	}
	if err := json.Unmarshal(text, &r.Manifest); err != nil {
		return nil, r.damaged(err)
	}
	sum := sha256.Sum256(text)
	r.sum = hex.EncodeToString(sum[:])
	return r, r.Manifest.readable(kind, newest)
}

func (m Manifest) readable(kind string, newest int64) error {
	switch {
	case m.Format > format:
		return onward.Errorf(onward.EConflict, "the archive has format %d, and this onward reads %d at most; use onward %s or newer", m.Format, format, m.Onward)
	case m.Format < 1:
		return onward.Errorf(onward.EInvalid, "the archive does not say its format")
	case m.Kind != kind && kind == kindDatabase:
		return onward.Errorf(onward.EInvalid, "this is the archive of people's keys; give that of the database, and this one as --keys")
	case m.Kind != kind:
		return onward.Errorf(onward.EInvalid, "this is no archive of people's keys; --keys is the file that ends in -keys.backup")
	case m.Schema > newest:
		return onward.Errorf(onward.EConflict, "the archive has migration %d and this onward knows %d at most; use onward %s or newer", m.Schema, newest, m.Onward)
	}
	return nil
}

func (r *reader) close() { r.packed.Close() }

// damaged says what is wrong with an archive that can't be read on.
func (r *reader) damaged(err error) error {
	if r.source.err != nil {
		err = r.source.err
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return onward.Errorf(onward.EInvalid, "the archive is damaged or cut off: it is not as it was written. Use another one").Because(err)
}

// each hands every part to do, which reads as much of it as it wants and says how many rows it found (-1: not counted), and compares with the
// summary. Nothing that it returned without an error was altered or left out.
func (r *reader) each(do func(name string, content io.Reader) (rows int64, err error)) (Summary, error) {
	var s Summary
	found := map[string]Part{}
	rows := map[string]int64{}
	for {
		header, err := r.nextEntry()
		if err != nil {
			return s, r.damaged(err)
		}
		if header.Name == summaryName {
			break
		}
		part, first := cutPiece(header.Name)
		if _, again := found[part]; again || !first {
			return s, r.damaged(errors.New("the pieces are not in order"))
		}
		p := &partReader{reader: r, name: part, n: 1, sum: sha256.New()}
		n, err := do(part, p)
		if p.err != nil {
			return s, r.damaged(p.err)
		}
		if err != nil {
			return s, err
		}
		if _, err := io.Copy(io.Discard, p); err != nil {
			return s, r.damaged(err)
		}
		found[part] = Part{Bytes: p.bytes, SHA256: hex.EncodeToString(p.sum.Sum(nil))}
		rows[part] = n
	}
	text, err := io.ReadAll(io.LimitReader(r.tar, textLimit))
	if err != nil {
		return s, r.damaged(err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, r.damaged(err)
	}
	// The rest shows that nothing was cut off the end, or added.
	if _, err := r.tar.Next(); !errors.Is(err, io.EOF) {
		return s, r.damaged(err)
	}
	if _, err := io.Copy(io.Discard, r.packed); err != nil || r.source.err != nil {
		return s, r.damaged(err)
	}
	return s, s.agrees(r.sum, found, rows)
}

func (s Summary) agrees(manifest string, found map[string]Part, rows map[string]int64) error {
	if s.Manifest != manifest {
		return onward.Errorf(onward.EInvalid, "the summary is that of another archive")
	}
	for name, want := range s.Parts {
		if got, ok := found[name]; want.Bytes > 0 && (!ok || got != want) {
			return onward.Errorf(onward.EInvalid, "%s is not what its summary says: %d bytes instead of %d", name, got.Bytes, want.Bytes)
		}
		delete(found, name)
	}
	for name := range found {
		return onward.Errorf(onward.EInvalid, "%s is not in the summary", name)
	}
	for name, n := range rows {
		table := tableOf(name)
		if table != "" && n >= 0 && n != s.Rows[table] {
			return onward.Errorf(onward.EInvalid, "%s has %d rows, and its summary says %d", table, n, s.Rows[table])
		}
	}
	return nil
}

func (r *reader) nextEntry() (*tar.Header, error) {
	if h := r.ahead; h != nil {
		r.ahead = nil
		return h, nil
	}
	return r.tar.Next()
}

// cutPiece is the part that an entry belongs to, and whether it is its first.
func cutPiece(name string) (part string, first bool) {
	const digits = len("/000001")
	if len(name) <= digits {
		return name, false
	}
	part = name[:len(name)-digits]
	return part, name == pieceName(part, 1)
}

// partReader puts the pieces of a part together.
type partReader struct {
	*reader
	name  string
	n     int
	bytes int64
	sum   hash.Hash
	done  bool
	err   error
}

func (p *partReader) Read(b []byte) (int, error) {
	for !p.done {
		n, err := p.tar.Read(b)
		if n > 0 {
			_, _ = p.sum.Write(b[:n])
			p.bytes += int64(n)
			return n, nil
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, io.EOF) {
			p.err = err
			return 0, err
		}
		if p.ahead, err = p.tar.Next(); err != nil {
			p.err = err
			if errors.Is(err, io.EOF) {
				p.err = io.ErrUnexpectedEOF
			}
			return 0, p.err
		}
		if p.ahead.Name != pieceName(p.name, p.n+1) {
			p.done = true
			break
		}
		p.ahead = nil
		p.n++
	}
	return 0, io.EOF
}
