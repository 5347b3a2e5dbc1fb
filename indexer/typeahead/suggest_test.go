package typeahead

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"onward/internal/reference"
)

func build(t testing.TB, entries ...Entry) *Index {
	t.Helper()
	index, err := Build(entries)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func labels(matches []Match) []string {
	out := make([]string, len(matches))
	for i, m := range matches {
		out[i] = m.Label
	}
	return out
}

func occupations(t testing.TB) *Index {
	return build(t,
		Entry{Label: "soldador/soldadora", Key: 1, Lang: "es", Preferred: true},
		Entry{Label: "welder", Key: 1, Lang: "en", Preferred: true},
		Entry{Label: "welding operator", Key: 1, Lang: "en"},
		Entry{Label: "soudeur/soudeuse", Key: 1, Lang: "fr", Preferred: true},
		Entry{Label: "albañil", Key: 2, Lang: "es", Preferred: true},
		Entry{Label: "bricklayer", Key: 2, Lang: "en", Preferred: true},
		Entry{Label: "supervisor de soldadura", Key: 3, Lang: "es", Preferred: true},
		Entry{Label: "welding supervisor", Key: 3, Lang: "en", Preferred: true},
		Entry{Label: "conductor de camión / conductora de camión", Key: 4, Lang: "es", Preferred: true},
		Entry{Label: "truck driver", Key: 4, Lang: "en", Preferred: true},
		Entry{Label: "سائق شاحنة", Key: 4, Lang: "ar", Preferred: true},
		Entry{Label: "taxi driver", Key: 5, Lang: "en", Preferred: true},
		Entry{Label: "use C++", Key: 6, Lang: "en", Preferred: true},
		Entry{Label: "use C#", Key: 7, Lang: "en", Preferred: true},
		Entry{Label: "refrigeration technician", Key: 8, Lang: "en", Preferred: true},
		Entry{Label: "driver", Key: 9, Lang: "en", Preferred: true},
	)
}

func TestSuggestFindsOccupations(t *testing.T) {
	t.Parallel()
	index := occupations(t)
	for _, tt := range []struct {
		query string
		first int32
		edits int
	}{
		{"soldad", 1, 0},
		{"SOLDADORA", 1, 0},
		{"albanil", 2, 0},
		{"alba", 2, 0},
		{"albanli", 2, 1},                  // neighbours swapped
		{"lbanil", 2, 1},                   // the first letter is missing
		{"driver truck", 4, 0},             // words in any order
		{"dri tru", 4, 0},                  // all words unfinished
		{"truk drivr", 4, 2},               // a typo in each word
		{"driver", 9, 0},                   // the whole label before a part of one
		{"camion conductor", 4, 0},         //
		{"شاحنه", 4, 0},                    // ta marbuta written as ha
		{"c++", 6, 0},                      //
		{"c#", 7, 0},                       //
		{"refrigeraton tehcnician", 8, 2},  // one edit each
		{"refirgeartion", 8, 2},            // two in a long word
		{"welding", 3, 0},                  // the preferred name before a synonym
		{"welding op", 1, 0},               //
		{"a truck driver", 4, 0},           // a short word that no label has
		{"  ¿truck---driver?  \x00", 4, 0}, //
	} {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			matches := index.Suggest(tt.query, Options{})
			if len(matches) == 0 || matches[0].Key != tt.first || matches[0].Edits != tt.edits {
				t.Errorf("got %+v, want %d with %d edits first", matches, tt.first, tt.edits)
			}
		})
	}
}

func TestSuggestHasNothingForWhatIsTooFarOff(t *testing.T) {
	t.Parallel()
	index := occupations(t)
	for _, query := range []string{
		"", " ", "\x00", "¿?", "\xff", "astronaut",
		"txi",        // three letters allow no typo
		"txai drvre", // the second word has two typos in five letters
		"driver driver truck taxi",
		"camion camiones de la conductor", // not every word is there
		strings.Repeat("x", 10_000),
		strings.Repeat("truck driver bricklayer ", 1000),
	} {
		if matches := index.Suggest(query, Options{}); len(matches) > 0 {
			t.Errorf("%.40q finds %+v", query, matches)
		}
	}
	if matches := build(t).Suggest("driver", Options{}); len(matches) > 0 {
		t.Errorf("an empty index finds %+v", matches)
	}
}

func TestSuggestPutsExactBeforePrefixBeforeTypo(t *testing.T) {
	t.Parallel()
	index := build(t,
		Entry{Label: "plumber's mate", Key: 1, Weight: 1},
		Entry{Label: "plumb", Key: 2},
		Entry{Label: "plumb line", Key: 3, Weight: 5},
		Entry{Label: "plumbing", Key: 4, Weight: 9},
		Entry{Label: "plump", Key: 5, Weight: 9},
	)
	got := fmt.Sprint(labels(index.Suggest("plumb", Options{})))
	if want := "[plumb plumb line plumbing plumber's mate plump]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSuggestWantsAWordForEachWord(t *testing.T) {
	t.Parallel()
	index := build(t, Entry{Label: "Mexico", Key: 1, Weight: 9}, Entry{Label: "Mexico Mines", Key: 2}, Entry{Label: "Walla Walla", Key: 3},
		Entry{Label: "Meridian Hills", Key: 4})
	if got := labels(index.Suggest("mexico m", Options{})); fmt.Sprint(got) != "[Mexico Mines]" {
		t.Errorf("mexico m: %q", got)
	}
	if got := labels(index.Suggest("me mer", Options{})); len(got) != 0 {
		t.Errorf("me mer: %q holds one word for two", got)
	}
	if got := labels(index.Suggest("walla walla", Options{})); fmt.Sprint(got) != "[Walla Walla]" {
		t.Errorf("walla walla: %q", got)
	}
}

func TestSuggestPrefersTheReadersLanguage(t *testing.T) {
	t.Parallel()
	index := build(t,
		Entry{Label: "animal trainer", Key: 1, Lang: "en", Preferred: true, Weight: 1},
		Entry{Label: "animal", Key: 2, Lang: "es"},
		Entry{Label: "animateur", Key: 3, Lang: "fr"},
		Entry{Label: "Anima", Key: 4},
	)
	if got := index.Suggest("anim", Options{Lang: "fr"}); len(got) != 4 || got[0].Key == 1 || got[1].Key == 1 {
		t.Errorf("French and nameless first: %+v", got)
	}
	if got := index.Suggest("anim", Options{Lang: "fr", OnlyLang: true}); len(got) != 2 {
		t.Errorf("only French and nameless: %+v", got)
	}
	if got := index.Suggest("anim", Options{Lang: "ar"}); len(got) != 4 || got[0].Key != 4 {
		t.Errorf("a language without labels: %+v", got)
	}
}

func TestSuggestObeysLimitAndAccept(t *testing.T) {
	t.Parallel()
	var entries []Entry
	for i := range 500 {
		entries = append(entries, Entry{Label: fmt.Sprintf("task %d", i), Key: int32(i / 2), Weight: float32(i)})
	}
	index := build(t, entries...)
	even := func(key int32) bool { return key%2 == 0 }
	for limit, want := range map[int]int{-1: 10, 0: 10, 3: 3, 1000: 100} {
		matches := index.Suggest("task", Options{Limit: limit, Accept: even})
		if len(matches) != want {
			t.Errorf("limit %d: %d matches, want %d", limit, len(matches), want)
		}
		seen := map[int32]bool{}
		for i, m := range matches {
			if seen[m.Key] || !even(m.Key) || m.Score < 0 || m.Score > 1 || i > 0 && matches[i-1].Score < m.Score {
				t.Errorf("limit %d: %+v stands wrong", limit, m)
			}
			seen[m.Key] = true
		}
		if matches[0].Label != "task 497" {
			t.Errorf("limit %d: %q is first, not the heaviest that is accepted", limit, matches[0].Label)
		}
	}
}

func TestBuildRefusesWeightsThatAreNoNumbers(t *testing.T) {
	t.Parallel()
	if _, err := Build([]Entry{{Label: "x", Weight: float32(math.NaN())}}); err == nil {
		t.Error("no error")
	}
}

func TestSuggestFindsPlaces(t *testing.T) {
	t.Parallel()
	places, err := reference.Places()
	if err != nil {
		t.Fatal(err)
	}
	index := build(t, placeEntries(t)...)
	for _, tt := range []struct{ query, want string }{
		{"mexico ci", "Mexico City, MX"},
		{"ciudad de mexico", "Mexico City, MX"},
		{"gudalajara", "Guadalajara, Jalisco, MX"},
		{"guadaljara", "Guadalajara, Jalisco, MX"},
		{"Guadalaj", "Guadalajara, Jalisco, MX"},
		{"monterey", "Monterrey, Nuevo León, MX"}, // see below: the exact Monterey of California may come first
		{"tiujana", "Tijuana, Baja California, MX"},
		{"londres", "London, England, GB"},
		{"القاهره", "Cairo, EG"},
		{"کابل", "Kabul, AF"},
		{"paris", "Paris, Île-de-France, FR"},
		{"san salv", "San Salvador, San Salvador Department, SV"},
		{"tegucigalpa", "Tegucigalpa, Francisco Morazán Department, HN"},
		{"tegusigalpa", "Tegucigalpa, Francisco Morazán Department, HN"},
		{"oaxaca juarez", "Oaxaca, MX"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, m := range index.Suggest(tt.query, Options{Limit: 5}) {
				got = append(got, places[m.Key].Label())
			}
			at := 1
			if tt.query == "monterey" {
				at = 5
			}
			if !strings.Contains(strings.Join(got[:min(at, len(got))], "; "), tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSuggestServesManyAtOnce(t *testing.T) {
	t.Parallel()
	index := occupations(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 200 {
				if m := index.Suggest("truk driver", Options{}); len(m) != 1 || m[0].Key != 4 {
					t.Errorf("got %+v", m)
				}
				if m := index.DidYouMean("brick layers", 1); len(m) != 1 || m[0].Key != 2 {
					t.Errorf("got %+v", m)
				}
			}
		})
	}
	wait.Wait()
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	index := occupations(t)
	for _, tt := range []struct {
		query string
		first int32
	}{
		{"brick layer", 2},
		{"weldor", 1},
		{"refrigerater tecnicians", 8},
		{"truckdriver", 4},
		{"supervsior soldaduras", 3},
		{"سايق شحنة", 4},
		{"driver", 9},
	} {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			matches := index.DidYouMean(tt.query, 3)
			if len(matches) == 0 || matches[0].Key != tt.first {
				t.Errorf("got %+v, want %d first", matches, tt.first)
			}
		})
	}
	for _, query := range []string{"", "\xff\x00", "zzzzqqq", strings.Repeat("ﷺ", 500)} {
		if matches := index.DidYouMean(query, 3); len(matches) > 0 {
			t.Errorf("%.20q means %+v", query, matches)
		}
	}
	if matches := index.DidYouMean("driver", 0); len(matches) > 0 {
		t.Errorf("none asked for, got %+v", matches)
	}
}

// The trie must find exactly the terms that the plain definition of the distance finds.
func TestFuzzyFindsWhatTheDistanceSays(t *testing.T) {
	t.Parallel()
	index := build(t, take(placeEntries(t), 3000)...)
	f := new(fuzzy)
	for q := 0; q < len(index.terms); q += 61 {
		word := []rune(index.terms[q])
		if len(word) < 4 || len(word) > 12 {
			continue
		}
		word[1], word[2] = word[2], word[1]
		for edits := uint8(1); edits <= 2; edits++ {
			for _, prefix := range []bool{false, true} {
				got := map[uint32]int{}
				for _, h := range f.find(&index.trie, word, edits, prefix, nil) {
					for term := h.from; term < h.to; term++ {
						if had, ok := got[term]; !ok || int(h.edits) < had {
							got[term] = int(h.edits)
						}
					}
				}
				for term, text := range index.terms {
					want := distance(word, []rune(text))
					if prefix {
						letters := []rune(text)
						for n := range letters {
							want = min(want, distance(word, letters[:n]))
						}
					}
					edit, found := got[uint32(term)]
					if found != (want <= int(edits)) || found && edit != want {
						t.Fatalf("%q and %q (prefix %v, %d allowed): found %v at %d, distance %d", string(word), text, prefix, edits, found, edit, want)
					}
				}
			}
		}
	}
}

func FuzzSuggest(f *testing.F) {
	for _, q := range []string{"", "a", "mexico ci", "gudalajara", "\xff\xfe", "القاهره", "san san san", strings.Repeat("é ", 300), "c++ c#"} {
		f.Add(q, 5, "es")
	}
	index := build(f, take(placeEntries(f), 5000)...)
	f.Fuzz(func(t *testing.T, query string, limit int, lang string) {
		for _, matches := range [][]Match{index.Suggest(query, Options{Limit: limit, Lang: lang}), index.DidYouMean(query, limit)} {
			seen := map[int32]bool{}
			for i, m := range matches {
				if seen[m.Key] || m.Label == "" || !utf8.ValidString(m.Label) || m.Score < 0 || m.Score > 1 || m.Edits < 0 ||
					i > 0 && matches[i-1].Score < m.Score {
					t.Fatalf("%q: match %d of %+v", query, i, matches)
				}
				seen[m.Key] = true
			}
			if len(matches) > maxLimit || limit > 0 && len(matches) > limit {
				t.Fatalf("%q: %d matches, limit %d", query, len(matches), limit)
			}
		}
	})
}
