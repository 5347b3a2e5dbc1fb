package importer

import "testing"

func TestTextThatWasTakenForLatin1IsRepaired(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Lead \u00e2\u0080\u0093 Bike Unit": "Lead – Bike Unit",
		"\u00c3\u00a9t\u00c3\u00a9 – 5 °C":  "été – 5 °C",
		"Albañil – 5 °C, «sí»":              "Albañil – 5 °C, «sí»",
		"\u00e2\u0080":                      "\u00e2\u0080", // cut off
		"سائق":                              "سائق",
		"":                                  "",
	} {
		if got := repaired(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestMoneyIsReadIntoMinorUnitsExactly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value, currency string
		want            int64
		ok              bool
	}{
		{"12500.50", "MXN", 1_250_050, true},
		{"9500.505", "MXN", 950_051, true},
		{"24.3043", "USD", 2430, true},
		{"7", "", 700, true},
		{"1500", "JPY", 1500, true},
		{"1500.5", "XOF", 1501, true},
		{"1.2345", "KWD", 1235, true},
		{".5", "USD", 50, true},
		{"5.", "USD", 500, true},
		{"-3", "USD", -300, true},
		{"0.995", "USD", 100, true},
		{"1,200", "USD", 0, false},
		{"1e3", "USD", 0, false},
		{"", "USD", 0, false},
		{".", "USD", 0, false},
		{"1.2.3", "USD", 0, false},
		{"$5", "USD", 0, false},
		{"99999999999999999999", "USD", 0, false},
		{"--1", "USD", 0, false},
	} {
		if got, ok := parseMoney(test.value, test.currency); ok != test.ok || (ok && got != test.want) {
			t.Errorf("%s %s is %d, %v; want %d, %v", test.value, test.currency, got, ok, test.want, test.ok)
		}
	}
}
