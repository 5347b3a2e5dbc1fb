package typeahead

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"onward/internal/reference"
)

// placeEntries are the labels of the places in the binary: names and other names.
func placeEntries(t testing.TB) []Entry {
	t.Helper()
	places, err := reference.Places()
	if err != nil {
		t.Fatal(err)
	}
	var entries []Entry
	for i, p := range places {
		weight := float32(math.Log10(float64(1000 + p.Population)))
		entries = append(entries, Entry{Label: p.Name, Key: int32(i), Weight: weight, Preferred: true})
		for _, name := range p.AltNames {
			entries = append(entries, Entry{Label: name, Key: int32(i), Weight: weight})
		}
	}
	return entries
}

// escoEntries are labels of skills and occupations in English, French, Spanish, Portuguese, German and Arabic, read from
// ../shared/data/esco beside the module or above it.
func escoEntries(t testing.TB) []Entry {
	t.Helper()
	folder := sharedData("esco")
	if folder == "" {
		t.Skip("no ../shared/data/esco: put the ESCO files there to run this with skills and occupations")
	}
	keys := map[string]int32{}
	var entries []Entry
	add := func(id, lang, label, alternatives string) {
		key, known := keys[id]
		if !known {
			key = int32(len(keys))
			keys[id] = key
		}
		entries = append(entries, Entry{Label: label, Key: key, Lang: lang, Preferred: true})
		for alt := range strings.FieldsFuncSeq(alternatives, func(r rune) bool { return r == '|' || r == '\n' }) {
			entries = append(entries, Entry{Label: alt, Key: key, Lang: lang})
		}
	}
	for _, name := range []string{"skill_labels_fr_es", "occupation_labels_fr_es_pt_de", "occupation_labels_ar"} {
		file, err := os.Open(filepath.Join(folder, name+".tsv.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(unpacked); lines.Scan(); {
			if field := strings.Split(lines.Text(), "\t"); field[0] != "id" {
				add(field[0], field[1], field[2], field[3])
			}
		}
	}
	archives, err := filepath.Glob(filepath.Join(folder, "official", "*.zip"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range archives {
		archive, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		for _, file := range archive.File {
			base := filepath.Base(file.Name)
			if strings.HasPrefix(base, "skills_en") || strings.HasPrefix(base, "occupations_en") {
				addOfficial(t, file, add)
			}
		}
	}
	return entries
}

func addOfficial(t testing.TB, file *zip.File, add func(id, lang, label, alternatives string)) {
	t.Helper()
	unpacked, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer unpacked.Close()
	rows := csv.NewReader(unpacked)
	header, err := rows.Read()
	if err != nil {
		t.Fatal(err)
	}
	uri, preferred, alternative := slices.Index(header, "conceptUri"), slices.Index(header, "preferredLabel"), slices.Index(header, "altLabels")
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		add(strings.TrimPrefix(row[uri], "http://data.europa.eu/esco/"), "en", row[preferred], row[alternative])
	}
}

func sharedData(name string) string {
	folder, err := os.Getwd()
	for err == nil {
		path := filepath.Join(folder, "..", "shared", "data", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if filepath.Dir(folder) == folder {
			break
		}
		folder = filepath.Dir(folder)
	}
	return ""
}

func take(entries []Entry, n int) []Entry {
	if len(entries) <= n {
		return entries
	}
	step := float64(len(entries)) / float64(n)
	taken := make([]Entry, n)
	for i := range taken {
		taken[i] = entries[int(float64(i)*step)]
	}
	return taken
}

// benchQueries are made of labels: beginnings of each length, with a typo, several words, and words that do not exist.
func benchQueries(entries []Entry) map[string][]string {
	queries := map[string][]string{}
	for i := 0; i < len(entries); i += 1 + len(entries)/400 {
		letters := []rune(Fold(entries[i].Label))
		for _, n := range []int{1, 2, 3, 4, 6, 8, 12} {
			if len(letters) >= n {
				name := fmt.Sprintf("letters=%d", n)
				queries[name] = append(queries[name], string(letters[:n]))
			}
		}
		if len(letters) >= 10 {
			one := slices.Concat(letters[:3], letters[4:])
			queries["one typo"] = append(queries["one typo"], string(one))
			two := slices.Clone(letters)
			two[2], two[3], two[8] = two[3], two[2], 'x'
			queries["two typos"] = append(queries["two typos"], string(two))
			queries["unknown"] = append(queries["unknown"], "xq"+string(letters[2:6])+"zzqw")
		}
		if words := strings.Fields(string(letters)); len(words) >= 3 {
			queries["three words"] = append(queries["three words"], strings.Join(words[len(words)-3:], " "))
			queries["short words"] = append(queries["short words"], words[0][:1]+" "+words[1][:1]+" "+words[2][:1])
		}
		if len(letters) >= 40 {
			queries["long"] = append(queries["long"], strings.Repeat(string(letters)+" ", 3))
		}
	}
	return queries
}

func BenchmarkSuggest(b *testing.B) {
	for _, of := range []struct {
		name    string
		entries func(testing.TB) []Entry
	}{{"esco", escoEntries}, {"places", placeEntries}, {"mixed", func(t testing.TB) []Entry { return slices.Concat(escoEntries(t), placeEntries(t)) }}} {
		b.Run(fmt.Sprintf("labels=150000/of=%s", of.name), func(b *testing.B) {
			entries := take(of.entries(b), 150_000)
			index, err := Build(entries)
			if err != nil {
				b.Fatal(err)
			}
			queries := benchQueries(entries)
			for _, name := range slices.Sorted(maps.Keys(queries)) {
				b.Run("query="+name, func(b *testing.B) {
					measure(b, queries[name], func(q string) { index.Suggest(q, Options{}) })
				})
			}
		})
	}
}

func BenchmarkDidYouMean(b *testing.B) {
	entries := take(escoEntries(b), 150_000)
	index, err := Build(entries)
	if err != nil {
		b.Fatal(err)
	}
	queries := benchQueries(entries)
	for _, name := range []string{"letters=4", "one typo", "three words", "long", "unknown"} {
		b.Run("labels=150000/query="+name, func(b *testing.B) {
			measure(b, queries[name], func(q string) { index.DidYouMean(q, 5) })
		})
	}
}

// measure reports percentiles over the queries, each at its quickest run, so that a busy machine does not hide which queries
// are slow. Run long enough for some rounds over the queries.
func measure(b *testing.B, queries []string, run func(string)) {
	b.ReportAllocs()
	quickest := make([]time.Duration, 0, len(queries))
	for i := 0; b.Loop(); i++ {
		q := i % len(queries)
		start := time.Now()
		run(queries[q])
		took := time.Since(start)
		if q == len(quickest) {
			quickest = append(quickest, took)
		}
		quickest[q] = min(quickest[q], took)
	}
	slices.Sort(quickest)
	b.ReportMetric(float64(quickest[len(quickest)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(quickest[len(quickest)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkBuild(b *testing.B) {
	entries := take(slices.Concat(escoEntries(b), placeEntries(b)), 150_000)
	b.Run("labels=150000", func(b *testing.B) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var index *Index
		for b.Loop() {
			var err error
			if index, err = Build(entries); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-kept")
		b.ReportMetric(float64(len(index.terms)), "terms")
		b.ReportMetric(float64(len(index.trie.nodes)), "trie-nodes")
	})
}
