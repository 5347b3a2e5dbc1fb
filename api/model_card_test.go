package api_test

import (
	"net/http"
	"strings"
	"testing"

	"onward"
	"onward/matcher"
	"onward/matcher/modelcard"
)

func TestTheModelCardIsForEverybody(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	card := decode[modelcard.Card](s.get(s.poster, "/v1/model-card?language=es").want(200))
	if card.Versions.Score != matcher.Version || card.Versions.Taxonomy == "" || card.Language != "es" || len(card.Inputs) < 40 || len(card.Never) == 0 || len(card.Fits) < 2 {
		t.Errorf("%+v", card)
	}
	s.get("", "/v1/model-card").problem(http.StatusUnauthorized, onward.EUnauthenticated)
	s.get(s.poster, "/v1/model-card?language=xx").problem(http.StatusUnprocessableEntity, onward.EInvalid)
	for language, word := range map[string]string{"": "What never goes in", "?language=fr": "Ce qui n", "?language=ar": `dir="rtl"`} {
		page := s.get("", "/model-card"+language).want(200)
		if !strings.Contains(page.body, word) || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || strings.Contains(page.body, "<script") || strings.Contains(page.body, "style=") ||
			!strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v %.200s", language, page.header, page.body)
		}
	}
	s.get("", "/model-card?language=xx").problem(http.StatusUnprocessableEntity, onward.EInvalid)
}
