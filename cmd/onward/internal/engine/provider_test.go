package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"onward"
)

func TestAProviderIsReadFromTheEnvironmentWhole(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := map[string]string{
		"ONWARD_PUBLIC_URL": "https://onward.example.org/", "ONWARD_OIDC_ISSUER": "https://id.example.org", "ONWARD_OIDC_CLIENT_ID": "onward", "ONWARD_OIDC_CLIENT_SECRET": "x",
		"ONWARD_OIDC_CLIENT_SECRET_FILE": secret, "ONWARD_OIDC_BIND_EMAIL": "verified", "ONWARD_OIDC_SECOND_FACTOR": "mfa, hwk", "ONWARD_DATA_DIR": t.TempDir(),
	}
	with := func(name, value string) (Config, error) {
		for n, v := range whole {
			t.Setenv(n, v)
		}
		if name != "" {
			t.Setenv(name, value)
		}
		return FromEnvironment()
	}
	config, err := with("", "")
	if err != nil || len(config.SignIn.Providers) != 1 {
		t.Fatalf("%+v, %v", config.SignIn, err)
	}
	if p := config.SignIn.Providers[0]; p.RedirectURL != "https://onward.example.org/v1/sign-in/oidc/office/callback" || p.ClientSecret != "from a file" || !p.BindByEmail || strings.Join(p.SecondFactor, " ") != "mfa hwk" {
		t.Errorf("%+v", p)
	}
	if config, err := with("ONWARD_OIDC_ISSUER", ""); err != nil || len(config.SignIn.Providers) != 0 {
		t.Errorf("%+v, %v", config.SignIn, err)
	}
	for _, wrong := range [][2]string{
		{"ONWARD_OIDC_ISSUER", "http://id.example.org"},
		{"ONWARD_OIDC_ISSUER", "id.example.org"},
		{"ONWARD_OIDC_CLIENT_ID", ""},
		{"ONWARD_PUBLIC_URL", ""},
		{"ONWARD_OIDC_BIND_EMAIL", "yes"},
		{"ONWARD_OIDC_CLIENT_SECRET_FILE", secret + ".none"},
	} {
		if _, err := with(wrong[0], wrong[1]); onward.CodeOf(err) != onward.EInvalid || !strings.Contains(err.Error(), "ONWARD_OIDC") {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
