package deploy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

type service struct {
	Image       string
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	CapAdd      []string          `yaml:"cap_add"`
	SecurityOpt []string          `yaml:"security_opt"`
	Privileged  bool              `yaml:"privileged"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string
	Networks    []string
	Volumes     []string
	Deploy      struct {
		Resources struct {
			Limits struct{ CPUs, Memory string }
		}
	}
}

// The image runs one binary as nobody, without a shell; the services have no more rights than they need, and no password of their own making.
func TestTheImageAndTheServicesAreConfined(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	image := string(raw)
	last := image[strings.LastIndex(image, "\nFROM "):]
	if !strings.HasPrefix(last, "\nFROM scratch\n") {
		t.Errorf("the last stage is not empty: %.60s", last)
	}
	user, entry := strings.Index(last, "\nUSER 65532:65532\n"), strings.Index(last, "\nENTRYPOINT [\"/onward\"]\n")
	if user < 0 || entry < user || strings.Contains(last, "\nRUN ") || strings.Contains(image, "\nADD ") {
		t.Errorf("it does not run as nobody, or runs more than the binary: %s", last)
	}
	if regexp.MustCompile(`(?i)(password|secret|token|_key)\s*=`).MatchString(image) {
		t.Error("a secret is in the image")
	}
	if !strings.Contains(image, "-trimpath -buildvcs=false") {
		t.Error("it is not built as .ci/reproducible checks")
	}

	raw, err = os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]service
		Networks map[string]struct{ Internal bool }
	}
	if err := yaml.UnmarshalWithOptions(raw, &compose, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	ours := 0
	for name, s := range compose.Services {
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged || len(s.CapAdd) > 0 {
			t.Errorf("%s may get more rights: %+v", name, s.SecurityOpt)
		}
		if s.Deploy.Resources.Limits.Memory == "" {
			t.Errorf("%s may use all memory", name)
		}
		if strings.Contains(s.Image, "onward") {
			ours++
			if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.Volumes) > 0 {
				t.Errorf("%s may write, or has rights of root: %+v", name, s)
			}
		}
		for variable, value := range s.Environment {
			if regexp.MustCompile(`PASSWORD|AUTH|KEY_SET|SECRET`).MatchString(variable) && !strings.HasPrefix(value, "${") {
				t.Errorf("%s: %s has a value in the file", name, variable)
			}
			if strings.Contains(value, "${") && regexp.MustCompile(`\$\{[A-Z_]*(PASSWORD|KEY_SET)[A-Z_]*(:-[^}]*)?\}`).MatchString(value) {
				t.Errorf("%s: %s has a default, or none and no message", name, variable)
			}
		}
		for _, port := range s.Ports {
			if name != "serve" || !strings.Contains(port, "127.0.0.1:") {
				t.Errorf("%s is open on %s", name, port)
			}
		}
		if name != "serve" && !slices.Equal(s.Networks, []string{"data"}) {
			t.Errorf("%s is on %v", name, s.Networks)
		}
	}
	if ours < 3 || !compose.Networks["data"].Internal {
		t.Errorf("%d services of ours, networks %+v", ours, compose.Networks)
	}
	for _, match := range regexp.MustCompile(`\$\{([A-Z_]*PASSWORD|[A-Z_]*KEY_SET)([^}]*)\}`).FindAllStringSubmatch(string(raw), -1) {
		if !strings.HasPrefix(match[2], ":?") {
			t.Errorf("%s may be empty", match[1])
		}
	}
}
