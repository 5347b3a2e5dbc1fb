package reference

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"onward"
)

// A release of ESCO is read or refused with what to do; what was read has ids, and text that the database takes.
func FuzzESCO(f *testing.F) {
	const uri = "http://data.europa.eu/esco/"
	skills := "conceptUri,skillType,preferredLabel,altLabels,status\n" + uri + "skill/a,skill,lay bricks,\"brick laying\nbricks\",released\n" + uri + "skill/b,knowledge,x | y,,\n"
	f.Add([]byte(skills), []byte("occupationUri,relationType,skillUri\n"+uri+"occupation/o,essential,"+uri+"skill/a\n"), uint8(3))
	f.Add([]byte("\xef\xbb\xbfconceptUri,code,preferredLabel\n"+uri+"isco/C2166,2166,Designers\n"), []byte("conceptUri,broaderUri\n"+uri+"isco/C2166,"+uri+"isco/C21\n"), uint8(0))
	f.Add([]byte("conceptUri,iscoGroup,preferredLabel,altLabels\nhttps://elsewhere/x,C1,a,b\n"), []byte("\x00"), uint8(1))
	f.Add([]byte("conceptUri,conceptUri,preferredLabel\n,,\n"), []byte("a\"b,c\n\""), uint8(2))
	f.Add([]byte(strings.Repeat(",", 5000)), []byte("\xff\xfe"), uint8(7))
	f.Fuzz(func(t *testing.T, concepts, relations []byte, which uint8) {
		r := &escoReader{
			ctx: t.Context(), options: ESCOOptions{Warn: func(string) {}, Progress: func(string, int64, int64) {}},
			index: map[string]int{}, seen: map[onward.Relation]bool{},
		}
		tables := []struct {
			table escoTable
			text  []byte
		}{{escoTables[which%4].table, concepts}, {escoTables[4+which/4%4].table, relations}}
		for _, table := range tables {
			text := table.text
			err := r.readFile(escoFile{table: table.table, language: "en", name: "f.csv", open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }})
			if err != nil && onward.CodeOf(err) != onward.EInvalid {
				t.Fatalf("%q: %v", text, err)
			}
		}
		for _, c := range r.taxonomy.Concepts {
			if c.ID == "" || r.taxonomy.Concepts[r.index[c.ID]].ID != c.ID {
				t.Fatalf("%+v", c)
			}
			for _, l := range c.Labels {
				if l.Text == "" || !utf8.ValidString(l.Text) || strings.ContainsRune(l.Text, 0) {
					t.Fatalf("%+v", c)
				}
			}
		}
		for _, relation := range r.taxonomy.Relations {
			if relation.From == "" || relation.To == "" || relation.Kind == "" {
				t.Fatalf("%+v", relation)
			}
		}
		r.warnOfUnknown()
	})
}

// The reference data that is built in is read strictly: a row is whole or refused.
func FuzzReferenceRows(f *testing.F) {
	f.Add("3979770\tZapopan\tZapopán|x\tMX\t14\tJalisco\t20.72\t-103.39\t1476491\tAmerica/Mexico_City", "lay-bricks\tbuilding\t\tskill\ta\tb\tc\td\t\t\t\t")
	f.Add("x\t\t\t\t\t\tNaN\tInf\t9e9\t", "a\ta\ta")
	f.Fuzz(func(t *testing.T, place, skill string) {
		if p, err := parsePlace(place); err == nil {
			if strings.Count(place, "\t") != 9 || p.ID == 0 && !strings.HasPrefix(place, "0") && !strings.HasPrefix(place, "+0") && !strings.HasPrefix(place, "-0") {
				t.Fatalf("%q is %+v", place, p)
			}
		}
		p := &starterParser{stated: map[string]string{}}
		for _, table := range starterTables {
			if eachStarterRow("f.tsv", table.header+"\n"+skill+"\n", table.header, func(row starterRow) error { return table.read(p, row) }) != nil {
				continue
			}
		}
		for _, c := range p.taxonomy.Concepts {
			if c.ID == "" || len(c.Labels) < len(onward.ServiceLanguages()) {
				t.Fatalf("%q: %+v", skill, c)
			}
		}
	})
}
