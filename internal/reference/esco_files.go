package reference

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"onward"
)

const (
	// The largest file of a release is 21 MB, all files together 43 MB; the limits leave room for all languages and stop
	// archives that unpack without end.
	escoFileLimit  = 256 << 20
	escoTotalLimit = 2 << 30
	escoEntryLimit = 10_000
)

// escoTable is one kind of file of a release.
type escoTable string

const (
	escoSkills             escoTable = "skills"
	escoOccupations        escoTable = "occupations"
	escoSkillGroups        escoTable = "skillGroups"
	escoISCOGroups         escoTable = "ISCOGroups"
	escoOccupationSkills   escoTable = "occupationSkillRelations"
	escoBroaderSkills      escoTable = "broaderRelationsSkillPillar"
	escoBroaderOccupations escoTable = "broaderRelationsOccPillar"
	escoSkillSkills        escoTable = "skillSkillRelations"
)

// escoTableRule says what is expected of one kind of file.
type escoTableRule struct {
	table       escoTable
	inLanguages bool // the release has one file for each language
	required    bool
}

// escoTables lists the files in the order in which they are read: concepts before what relates them.
var escoTables = []escoTableRule{
	{escoISCOGroups, true, true},
	{escoOccupations, true, true},
	{escoSkillGroups, true, true},
	{escoSkills, true, true},
	{escoOccupationSkills, false, true},
	{escoBroaderSkills, false, true},
	{escoBroaderOccupations, false, true},
	{escoSkillSkills, false, false},
}

var (
	// Version 1.1.1 has skills_en.csv and occupationSkillRelations.csv, later ones occupationSkillRelations_en.csv.
	escoFilePattern    = regexp.MustCompile(`(?i)^([a-z]+)(?:_([a-z]{2,3}))?(?:[^a-z].*)?\.csv$`)
	escoVersionPattern = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:v|esco[-_ ]?)(\d+\.\d+(?:\.\d+)?)`)
)

// escoFile is one CSV file of a release, in a directory or in an archive.
type escoFile struct {
	table    escoTable
	language string // empty: the file is the same in all languages
	name     string // for messages
	size     int64  // as stated; an archive can lie
	open     func() (io.ReadCloser, error)
}

// escoSource gathers the files of one release.
type escoSource struct {
	files    []escoFile
	other    int // CSV files that are not needed
	versions map[string]bool
	closers  []io.Closer
	warn     func(string)
}

func (s *escoSource) close() {
	for _, c := range s.closers {
		_ = c.Close()
	}
}

// findESCO looks through directories, archives and single CSV files.
func findESCO(paths []string, warn func(string)) (*escoSource, error) {
	s := &escoSource{versions: map[string]bool{}, warn: warn}
	if len(paths) == 0 {
		return s, onward.Errorf(onward.EInvalid, "name a directory or zip files with the ESCO release, as downloaded from https://esco.ec.europa.eu/en/use-esco/download")
	}
	for _, p := range paths {
		if err := s.addPath(p); err != nil {
			s.close()
			return nil, err
		}
	}
	if err := s.check(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *escoSource) addPath(p string) error {
	info, err := os.Stat(p)
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: can't be read; check the path", p).Because(err)
	}
	s.noteVersion(filepath.Base(p))
	switch {
	case info.IsDir():
		return filepath.WalkDir(p, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return onward.Errorf(onward.EInvalid, "%s: can't be read; check the rights", name).Because(err)
			}
			if !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") {
				return nil
			}
			switch strings.ToLower(filepath.Ext(name)) {
			case ".zip":
				s.noteVersion(entry.Name())
				return s.addArchive(name)
			case ".csv":
				return s.addCSV(name)
			}
			return nil
		})
	case strings.EqualFold(filepath.Ext(p), ".zip"):
		return s.addArchive(p)
	case strings.EqualFold(filepath.Ext(p), ".csv"):
		return s.addCSV(p)
	}
	return onward.Errorf(onward.EInvalid, "%s: neither a directory nor a .zip nor a .csv; give the release as it was downloaded", p)
}

func (s *escoSource) addCSV(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: can't be read; check the rights", name).Because(err)
	}
	return s.add(filepath.Base(name), name, info.Size(), func() (io.ReadCloser, error) { return os.Open(name) }) //nolint:gosec // the path is the operator's
}

func (s *escoSource) addArchive(name string) error {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: not a complete zip file; download it again", name).Because(err)
	}
	s.closers = append(s.closers, archive)
	if len(archive.File) > escoEntryLimit {
		return onward.Errorf(onward.ETooLarge, "%s: %d files inside, more than any ESCO release has", name, len(archive.File))
	}
	for _, entry := range archive.File {
		base := path.Base(strings.ReplaceAll(entry.Name, `\`, "/"))
		if entry.FileInfo().IsDir() || strings.HasPrefix(base, ".") {
			continue
		}
		size := int64(min(entry.UncompressedSize64, 1<<62)) //nolint:gosec // capped in the same expression
		if err := s.add(base, filepath.Base(name)+":"+entry.Name, size, entry.Open); err != nil {
			return err
		}
	}
	return nil
}

func (s *escoSource) noteVersion(name string) {
	if m := escoVersionPattern.FindStringSubmatch(name); m != nil {
		s.versions[m[1]] = true
	}
}

func (s *escoSource) add(base, name string, size int64, open func() (io.ReadCloser, error)) error {
	m := escoFilePattern.FindStringSubmatch(base)
	if m == nil {
		return nil
	}
	i := slices.IndexFunc(escoTables, func(r escoTableRule) bool { return strings.EqualFold(string(r.table), m[1]) })
	if i < 0 {
		s.other++
		return nil
	}
	if size > escoFileLimit {
		return onward.Errorf(onward.ETooLarge, "%s: %d MB unpacked, over the limit of %d MB; this is no file of ESCO", name, size>>20, escoFileLimit>>20)
	}
	f := escoFile{table: escoTables[i].table, language: strings.ToLower(m[2]), name: name, size: size, open: open}
	if escoTables[i].inLanguages {
		if f.language == "" {
			f.language = "en"
		}
	} else {
		f.language = "" // later releases repeat these files in each language's archive
	}
	for _, known := range s.files {
		if known.table == f.table && known.language == f.language {
			s.warn(fmt.Sprintf("%s is left out: %s is read already", name, known.name))
			return nil
		}
	}
	s.files = append(s.files, f)
	return nil
}

// check says what is missing and puts the files in order.
func (s *escoSource) check() error {
	var missing []string
	for _, t := range escoTables {
		if slices.ContainsFunc(s.files, func(f escoFile) bool { return f.table == t.table }) {
			continue
		}
		name := string(t.table)
		if t.inLanguages {
			name += "_en"
		}
		if t.required {
			missing = append(missing, name+".csv")
		} else {
			s.warn(name + ".csv is not among the files; its relations are left out")
		}
	}
	if len(missing) > 0 {
		return onward.Errorf(onward.EInvalid, "%s not found among %d CSV files; an ESCO release comes as one archive for each language"+
			" and one with the relations: give both, or a directory that holds them", strings.Join(missing, ", "), len(s.files)+s.other)
	}
	order := func(f escoFile) int {
		return slices.IndexFunc(escoTables, func(r escoTableRule) bool { return r.table == f.table })
	}
	slices.SortStableFunc(s.files, func(a, b escoFile) int {
		if d := order(a) - order(b); d != 0 {
			return d
		}
		// English first: it is complete, and what a language repeats comes from it.
		if (a.language == "en") != (b.language == "en") {
			if a.language == "en" {
				return -1
			}
			return 1
		}
		return strings.Compare(a.language, b.language)
	})
	return nil
}

func (s *escoSource) release() (string, error) {
	var versions []string
	for v := range s.versions {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	switch len(versions) {
	case 1:
		return "esco-" + versions[0], nil
	case 0:
		return "", onward.Errorf(onward.EInvalid, "the names of the files do not tell the version of ESCO; say it, as in --release esco-1.1.1")
	}
	return "", onward.Errorf(onward.EInvalid, "these files are of several versions of ESCO (%s); import one at a time", strings.Join(versions, ", "))
}

// tableReader reads rows by the names of their columns, with a limit on the bytes, and counts them for progress.
type tableReader struct {
	name    string
	csv     *csv.Reader
	columns map[string]int
	record  []string
	counted *countingReader
}

// countingReader stops at a limit, whatever an archive said of its size, and tells how far it is.
type countingReader struct {
	r        io.Reader
	n, limit int64
	tell     func(n int64) error
}

var errOverLimit = errors.New("the file is over the size limit")

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.n > c.limit {
		return 0, errOverLimit
	}
	if tellErr := c.tell(int64(n)); tellErr != nil {
		return n, tellErr
	}
	return n, err
}

func newTableReader(r io.Reader, name string, comma rune, required []string, tell func(int64) error) (*tableReader, error) {
	counted := &countingReader{r: r, limit: escoFileLimit, tell: tell}
	buffered := bufio.NewReaderSize(counted, 1<<16)
	if bom, _ := buffered.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3)
	}
	t := &tableReader{name: name, csv: csv.NewReader(buffered), counted: counted}
	t.csv.Comma = comma
	t.csv.LazyQuotes = comma == '\t' // a TSV has no quoting, only quotation marks
	t.csv.FieldsPerRecord = -1       // some rows of the official files are short
	header, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, onward.Errorf(onward.EInvalid, "%s: the file is empty; download it again", name)
	}
	if err != nil {
		return nil, t.problem(err)
	}
	t.columns = make(map[string]int, len(header))
	for i, column := range header {
		t.columns[strings.ToLower(strings.TrimSpace(column))] = i
	}
	var missing []string
	for _, column := range required {
		if _, ok := t.columns[strings.ToLower(column)]; !ok {
			missing = append(missing, column)
		}
	}
	if len(missing) > 0 {
		return nil, onward.Errorf(onward.EInvalid, "%s: no column %s among %s; use the file as it was downloaded, with its first line",
			name, strings.Join(missing, ", "), strings.Join(header, ", "))
	}
	t.csv.ReuseRecord = true
	return t, nil
}

// next reads a row; io.EOF after the last.
func (t *tableReader) next() error {
	record, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return t.problem(err)
	}
	for i, field := range record {
		if !utf8.ValidString(field) || strings.IndexByte(field, 0) >= 0 {
			line, _ := t.csv.FieldPos(i)
			return onward.Errorf(onward.EInvalid, "%s:%d: not UTF-8; download the file again, and do not save it with a spreadsheet", t.name, line)
		}
	}
	t.record = record
	return nil
}

func (t *tableReader) problem(err error) error {
	var parse *csv.ParseError
	switch {
	case errors.Is(err, errOverLimit):
		return onward.Errorf(onward.ETooLarge, "%s: over %d MB unpacked; this is no file of ESCO", t.name, escoFileLimit>>20)
	case errors.As(err, &parse):
		return onward.Errorf(onward.EInvalid, "%s:%d: not CSV; download the file again", t.name, parse.Line).Because(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case onward.CodeOf(err) == onward.ETooLarge:
		return err
	}
	return onward.Errorf(onward.EInvalid, "%s: can't be read to its end; download it again", t.name).Because(err)
}

// line is the line of the file on which the present row begins.
func (t *tableReader) line() int {
	line, _ := t.csv.FieldPos(0)
	return line
}

// get is the field of the present row in a column; empty when the file has no such column. It is a part of the whole
// row: clone it to keep it.
func (t *tableReader) get(column string) string {
	i, ok := t.columns[column]
	if !ok || i >= len(t.record) {
		return ""
	}
	return strings.TrimSpace(t.record[i])
}

// unpacked reads a file that may be packed with gzip, whatever its name says.
func unpacked(f io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(f, 1<<16)
	if magic, _ := buffered.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}
