package memory

import (
	"maps"
	"slices"
	"strings"

	"onward"
)

// Texts and lists are packed into one string each, because strings can be numbered in a dict and maps can't. The
// separators are control characters that validated text does not contain.
const (
	fieldMark = "\x1f"
	itemMark  = "\x1e"
)

func packText(text onward.Text) string {
	var b strings.Builder
	for i, language := range slices.Sorted(maps.Keys(text)) {
		if i > 0 {
			b.WriteString(itemMark)
		}
		b.WriteString(language + fieldMark + text[language])
	}
	return b.String()
}

func unpackText(packed string) onward.Text {
	if packed == "" {
		return nil
	}
	text := make(onward.Text, 1+strings.Count(packed, itemMark))
	for item := range strings.SplitSeq(packed, itemMark) {
		language, value, _ := strings.Cut(item, fieldMark)
		text[language] = value
	}
	return text
}

func packLanguages(needs []onward.LanguageNeed) string {
	var b strings.Builder
	for i, need := range needs {
		if i > 0 {
			b.WriteString(itemMark)
		}
		b.WriteString(need.Language + fieldMark + string(need.Level))
		if need.Essential {
			b.WriteString(fieldMark)
		}
	}
	return b.String()
}

func unpackLanguages(packed string) []onward.LanguageNeed {
	if packed == "" {
		return nil
	}
	needs := make([]onward.LanguageNeed, 0, 1+strings.Count(packed, itemMark))
	for item := range strings.SplitSeq(packed, itemMark) {
		language, rest, _ := strings.Cut(item, fieldMark)
		level, _, essential := strings.Cut(rest, fieldMark)
		needs = append(needs, onward.LanguageNeed{Language: language, Level: onward.CEFR(level), Essential: essential})
	}
	return needs
}

func packDocuments(documents []onward.DocumentKind) string {
	var b strings.Builder
	for i, document := range documents {
		if i > 0 {
			b.WriteString(itemMark)
		}
		b.WriteString(string(document))
	}
	return b.String()
}

func unpackDocuments(packed string) []onward.DocumentKind {
	if packed == "" {
		return nil
	}
	documents := make([]onward.DocumentKind, 0, 1+strings.Count(packed, itemMark))
	for item := range strings.SplitSeq(packed, itemMark) {
		documents = append(documents, onward.DocumentKind(item))
	}
	return documents
}
