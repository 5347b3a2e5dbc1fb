package api_test

import (
	"net/http"
	"strings"
	"testing"

	"onward"
	"onward/indexer/catalogue"
)

type readText struct {
	Items   []catalogue.TextSuggestion `json:"items"`
	Release string                     `json:"release"`
}

// readable waits until texts can be read: the first one has the reader made, and is told to come again when that takes long.
func (s *system) readable() {
	s.t.Helper()
	for range 10 {
		if s.post(s.counsellor, "/v1/skills/suggest", map[string]any{"text": "bricks"}).status == http.StatusOK {
			return
		}
	}
	s.t.Fatal("texts can't be read")
}

func TestATextSuggestsSkillsWithTheWordsThatSpeakForThem(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.readable()
	text := "Ayudé en obras: colocar ladrillos y preparar mortero. Después trabajé en una oficina."
	got := decode[readText](s.post(s.counsellor, "/v1/skills/suggest?language=es", map[string]any{"text": text}).want(http.StatusOK))
	if len(got.Items) == 0 || got.Release == "" {
		t.Fatalf("nothing read: %+v", got)
	}
	letters := []rune(text)
	for _, item := range got.Items {
		if item.Text != string(letters[item.Start:item.End]) || !(item.Confidence >= 0.2 && item.Confidence <= 1) || item.Label == "" || item.ID == "" {
			t.Errorf("%+v", item)
		}
	}
	if !strings.Contains(strings.ToLower(got.Items[0].Text), "ladrillos") && !strings.Contains(got.Items[0].Text, "mortero") {
		t.Errorf("the clearest is %+v", got.Items[0])
	}
	occupations := decode[readText](s.post(s.poster, "/v1/skills/suggest", map[string]any{"text": "bricklayer", "kind": "occupation"}).want(http.StatusOK))
	if len(occupations.Items) == 0 || occupations.Items[0].Kind != onward.ConceptOccupation {
		t.Errorf("%+v", occupations)
	}
	none := s.post(s.counsellor, "/v1/skills/suggest", map[string]any{"text": "zzz qqq"}).want(http.StatusOK)
	if !strings.Contains(none.body, `"items":[]`) {
		t.Errorf("nothing is recognised: an empty list, not %s", none.body)
	}
}

func TestATextThatDoesNotFitIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	secret := strings.Repeat("secret ", 1000)
	for name, body := range map[string]any{
		"too long":       map[string]any{"text": secret},
		"empty":          map[string]any{"text": ""},
		"no text":        map[string]any{},
		"another kind":   map[string]any{"text": "secret", "kind": "luck"},
		"another field":  map[string]any{"text": "secret", "secret": 1},
		"too many":       map[string]any{"text": "secret", "limit": 51},
		"not a share":    map[string]any{"text": "secret", "confidence": 2},
		"not even close": []string{"secret"},
	} {
		got := s.post(s.counsellor, "/v1/skills/suggest", body)
		got.problem(http.StatusUnprocessableEntity, onward.EInvalid)
		if strings.Contains(got.body, "secret secret") {
			t.Errorf("%s: the answer repeats the text: %.200s", name, got.body)
		}
	}
	s.post("", "/v1/skills/suggest", map[string]any{"text": "bricks"}).problem(http.StatusUnauthorized, onward.EUnauthenticated)
}
