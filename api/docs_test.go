package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"onward/api"
	"onward/internal/testenv"
)

func TestTheDocsNameEveryOperationAndLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	if root := s.get("", "/").want(http.StatusFound); root.header.Get("Location") != "/docs" {
		t.Errorf("/ leads to %q", root.header.Get("Location"))
	}
	page := s.get("", "/docs").want(http.StatusOK)
	if page.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%v", page.header)
	}
	for _, unwanted := range []string{"<script", "http://", "https://", "src=", "style=", " on", "javascript:"} {
		for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(page.body, -1) {
			if strings.Contains(tag, unwanted) {
				t.Errorf("%s in %s", unwanted, tag)
			}
		}
	}
	for path := range documented(t).Paths {
		if !strings.Contains(page.body, "<code>"+path+"</code>") {
			t.Errorf("%s is missing", path)
		}
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
		if anchors[m[1]] {
			t.Errorf("two anchors %s", m[1])
		}
		anchors[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
		if !anchors[m[1]] {
			t.Errorf("the link to #%s leads nowhere", m[1])
		}
	}
	if css := s.get("", "/docs/docs.css").want(http.StatusOK); css.header.Get("Content-Type") != "text/css; charset=utf-8" || strings.Contains(css.body, "url(") {
		t.Errorf("style: %v", css.header)
	}
}

// TestTheDocsFitAPhone has a browser measure a page of 390 pixels, in a frame that may run a script; the docs may not.
func TestTheDocsFitAPhone(t *testing.T) {
	t.Parallel()
	browser := testenv.Chromium(t)
	docs := api.New(api.Config{}).Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/phone" {
			docs.ServeHTTP(withoutPolicy{w}, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<iframe src="/docs" style="width:390px;height:800px;border:0"
			onload="const page = this.contentDocument.documentElement; document.title = page.clientWidth + ' of ' + page.scrollWidth"></iframe>`)
	}))
	defer server.Close()
	//nolint:gosec // the browser of the tests
	out, err := exec.CommandContext(t.Context(), browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(t.TempDir(), "profile"),
		"--virtual-time-budget=5000", "--dump-dom", server.URL+"/phone").Output()
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	var seen, whole int
	_, after, _ := strings.Cut(string(out), "<title>")
	if _, err := fmt.Sscanf(after, "%d of %d", &seen, &whole); err != nil || seen < 300 || whole > seen {
		t.Errorf("%d of %d pixels are seen: %v: %.300s", seen, whole, err, out)
	}
}

// withoutPolicy lets the page be framed for measuring.
type withoutPolicy struct{ http.ResponseWriter }

func (w withoutPolicy) WriteHeader(status int) {
	w.Header().Del("X-Frame-Options")
	w.Header().Set("Content-Security-Policy", "style-src 'self'")
	w.ResponseWriter.WriteHeader(status)
}
