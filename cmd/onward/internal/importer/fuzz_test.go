package importer

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"onward"
	"onward/indexer/catalogue"
	"onward/internal/reference"
)

// vocabulary is what the words of a file mean.
var vocabulary = sync.OnceValue(func() *catalogue.Catalogue {
	starter, err := reference.Starter()
	if err != nil {
		panic(err)
	}
	c, err := catalogue.New([]onward.Place{{ID: 3979770, Name: "Zapopan", Country: "MX", Admin1Name: "Jalisco"}}, []onward.Taxonomy{starter})
	if err != nil {
		panic(err)
	}
	return c
})

// read reads all records of a file as an import does, but for the database. It returns what was refused, ready to be mended.
func read[T any](t *testing.T, data []byte, table table[T], options Options) (good int, refused []byte) {
	t.Helper()
	in, err := openInput(bytes.NewReader(data), options.Format)
	if err != nil {
		if onward.CodeOf(err) != onward.EInvalid {
			t.Fatalf("%q: %v", data, err)
		}
		return 0, nil
	}
	var s source[T] = &jsonSource[T]{in: in, table: table}
	if in.format == FormatCSV {
		if s, err = newCSVSource(in, table, vocabulary(), options); err != nil {
			if onward.CodeOf(err) != onward.EInvalid {
				t.Fatalf("%q: %v", data, err)
			}
			return 0, nil
		}
	}
	var rejects bytes.Buffer
	line := 0
	for {
		r, err := s.next()
		if errors.Is(err, io.EOF) {
			return good, rejects.Bytes()
		}
		if err != nil {
			if onward.CodeOf(err) != onward.EInvalid {
				t.Fatalf("%q: %v", data, err)
			}
			return good, rejects.Bytes()
		}
		if r.line < line || r.size > maxRow {
			t.Fatalf("%q: line %d after %d, %d bytes", data, r.line, line, r.size)
		}
		line = r.line
		if len(r.problems) == 0 {
			value := s.value(r)
			if err := table.validate(value, onward.MustParseDate("2026-03-01"), vocabulary()); err == nil && len(r.problems) == 0 {
				good++
				continue
			} else if err != nil {
				for _, f := range onward.FieldsOf(err) {
					r.problems = append(r.problems, s.explain(r, f))
				}
			}
		}
		for _, p := range r.problems {
			if p.Reason == "" || p.Line < 1 {
				t.Fatalf("%q: a problem without a reason or a line: %+v", data, p)
			}
		}
		if err := s.reject(&rejects, r, reasonOf(r.problems)); err != nil {
			t.Fatal(err)
		}
	}
}

// Any file is read or refused; what is refused row by row is written so that it can be read again, and is refused again.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"kind,title,place,capacity\njob,Albañil,\"Zapopan, Jalisco, MX\",2\njob,,nowhere,x\n", "kind;title_es;capacity\r\njob;Ñ;1\r\n", "title\tkind\n\"a\nb\"\tjob\n",
		`{"kind":"job","title":{"es":"a"},"place_id":3979770,"capacity":1}` + "\n" + `{"kind":1,"x":[]}` + "\nnul\n", "\xef\xbb\xbfkind,title\n", "\xff\xfek\x00", "PK\x03\x04", "[{}]",
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "kind,kind\n", "given_name,country,skills\n=1+1,MX,lay bricks|\n\"", "kind,reject_reason\njob,=cmd\n", `{"reject_reason":1,"kind":{}}`,
		"country,given_name,languages,consent_matching\nMX,Ana,es:5|en:x,2026-01-01\n", "{\"kind\":\"\xff\"}\n", "kind,title\n\x00,a\n", "a\n" + strings.Repeat(",", 3000),
	} {
		f.Add([]byte(seed), false, "")
		f.Add([]byte(seed), true, "csv")
		f.Add([]byte(seed), true, "ndjson")
	}
	f.Fuzz(func(t *testing.T, data []byte, people bool, format string) {
		options := Options{Language: "es", Format: Format(format), IgnoreUnknown: true, RepairEncoding: len(data)%2 == 0}
		again := func(refused []byte, read func([]byte) int) {
			if len(refused) > 0 && read(refused) > 0 {
				t.Fatalf("%q: refused as %q, of which something is good", data, refused)
			}
		}
		if people {
			_, refused := read(t, data, returneeTable, options)
			again(refused, func(b []byte) int { n, _ := read(t, b, returneeTable, options); return n })
			return
		}
		_, refused := read(t, data, opportunityTable, options)
		again(refused, func(b []byte) int { n, _ := read(t, b, opportunityTable, options); return n })
	})
}

// Numbers, amounts, dates, pairs and mended texts: what is read is what is written.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"12", "-0.5", "1e9", ".", "-", "--1", "9500.505", "99999999999999999999", "0x10", "NaN", "2026-03-31T00:00:00Z", "a=b,c", "=", "a=1,a=2", "\u00e2\u0080\u0093", "\u00c3\u00b1", "\xc3", "92233720368547758.075", ""} {
		f.Add(s, "MXN")
		f.Add(s, "CLP")
	}
	f.Fuzz(func(t *testing.T, value, currency string) {
		if x, ok := parseDecimal(value); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			t.Errorf("%q is %v", value, x)
		}
		if minor, ok := parseMoney(value, currency); ok {
			exact, err := strconv.ParseFloat(value, 64)
			digits, special := minorDigits[currency]
			if !special {
				digits = 2
			}
			if want := exact * math.Pow10(digits); err == nil && math.Abs(want-float64(minor)) > 1+math.Abs(want)*1e-9 {
				t.Errorf("%q %s is %d, want about %v", value, currency, minor, want)
			}
		}
		if d, err := parseDate(value); err == nil && !strings.HasPrefix(value, d.String()) {
			t.Errorf("%q is %s", value, d)
		}
		mended := repaired(value)
		if utf8.ValidString(value) && (!utf8.ValidString(mended) || len(mended) > len(value)) {
			t.Errorf("%q was mended to %q", value, mended)
		}
		if pairs, err := ParsePairs([]string{value}); err == nil {
			for name := range pairs {
				if name == "" || name != strings.TrimSpace(name) || strings.Contains(name, "=") {
					t.Errorf("%q has the name %q", value, name)
				}
			}
		}
		word := plain(value)
		if plain(word) != word {
			t.Errorf("%q is %q, and then %q", value, word, plain(word))
		}
	})
}
