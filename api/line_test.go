package api

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// FuzzLineReader: whatever a line holds, it is read or refused without a panic, a refusal says where and never repeats
// more than names, and what was read is read the same again when it is written.
func FuzzLineReader(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"job","title":{"es":"Albañil"},"place_id":3979770,"capacity":1,"publish":true}`,
		`{"kind":"job","title":{"es":"x"},"capacity":1e30,"closes_on":"2026-02-30"}`,
		`{"kind":"job","kind":"job"}`, `{"a":{"a":[{"a":"\""}]}}`, `{"a\"b":1,"a\u0022b":2}`, `[`, `{"\ud800":1}`, `"\\"`, `nul`, `{} {}`, "{\"a\":\"\xff\"}",
		strings.Repeat("[", 40) + strings.Repeat("]", 40), `{"wage":{"min_minor":9223372036854775808}}`,
	} {
		f.Add([]byte(seed))
	}
	setLibraries()
	lines := newLineReader[bulkOpportunity](huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer))
	f.Fuzz(func(t *testing.T, raw []byte) {
		value, bad := lines.decode(raw)
		if bad != nil {
			if bad.Detail == "" || len(bad.Errors) == 0 || bad.Errors[0].Location == "" || bad.Errors[0].Message == "" {
				t.Errorf("a refusal without a reason: %+v", bad)
			}
			return
		}
		if !utf8.Valid(raw) || !json.Valid(raw) {
			t.Fatalf("read what is no JSON: %q", raw)
		}
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		again, bad := lines.decode(written)
		if bad != nil {
			t.Fatalf("%s, written as %s, is refused: %+v", raw, written, bad)
		}
		if twice, _ := json.Marshal(again); string(twice) != string(written) {
			t.Errorf("%s became %s", written, twice)
		}
	})
}

func TestAFieldGivenTwiceIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}`: "",
		`{"a":"b","b":"a:,{"}`:                      "",
		`{"a":["a","a"],"b":"a"}`:                   "",
		`"a"`:                                       "",
		`{"a":1,"a":2}`:                             "a is given more than once",
		`{"x":[{"b":1,"c":{},"b":2}]}`:              "b is given more than once",
		`{"x":{"y":"\\","y":1}}`:                    "y is given more than once",
		`{"é":1,"\u00e9":2}`:                        "… is given more than once",
	} {
		var v any
		err := unmarshalJSON([]byte(body), &v)
		if (err == nil) != (want == "") || (err != nil && err.Error() != want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}
