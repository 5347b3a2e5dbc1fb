package engine

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"onward"
	"onward/internal/testenv"
	"onward/store/vault"
)

// TestTheKMSIsAskedAtTheStartAlone: while it is away, what runs goes on, and nothing new starts.
func TestTheKMSIsAskedAtTheStartAlone(t *testing.T) {
	kms := testenv.KMS(t)
	source := kms.NewKey(t) + ";file:" + filepath.Join(t.TempDir(), "keys.json")
	if _, err := vault.Load(source, true); err != nil {
		t.Fatal(err)
	}
	s := newSystem(t, func(c *Config) { c.Keys = source })
	kms.Stop(t)
	var r, read onward.Returnee
	s.call(t, s.counsellor, http.MethodPost, "/v1/returnees", bricklayer("kms"), http.StatusCreated, &r)
	s.call(t, s.counsellor, http.MethodGet, "/v1/returnees/"+r.ID.String(), nil, http.StatusOK, &read)
	if read.Identity.GivenName != "Ana" || read.ExternalID != "kms" {
		t.Errorf("read %+v", read)
	}
	config := s.config
	config.DataDir = t.TempDir()
	if e, err := Start(t.Context(), config); onward.CodeOf(err) != onward.EUnavailable || !strings.Contains(err.Error(), "the KMS does not answer") {
		t.Errorf("it starts without the KMS: %v", err)
		if e != nil {
			_ = e.Stop(t.Context())
		}
	}
	kms.Start(t)
	e, err := Start(t.Context(), config)
	if err != nil {
		t.Fatalf("after it is back: %v", err)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
