package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"onward"
)

// exported is a person with something of most kinds.
func (s *system) exported() onward.Returnee {
	s.t.Helper()
	d := bricklayer("CASE-77")
	d.Identity = onward.Identity{GivenName: "Zoraida", FamilyName: `<script>alert("x")</script>`, Sex: "female", Phone: "+52 33 7731 9953", Notes: "speaks softly & seldom"}
	d.Consents = append(d.Consents, onward.Consent{Purpose: onward.ConsentSharing, GivenOn: d.Consents[0].GivenOn})
	r := s.register(d)
	o := s.open(bricklaying("for-"+r.ID.String(), zapopan))
	referral := decode[onward.Referral](s.post(s.counsellor, "/v1/referrals", map[string]any{"returnee_id": r.ID, "opportunity_id": o.ID, "choice_reason": "not_on_the_list"}).want(201))
	s.post(s.counsellor, "/v1/referrals/"+referral.ID.String()+"/events", map[string]any{"event": "send"}, header("If-Match", `"v1"`)).want(200)
	s.post(s.counsellor, "/v1/alerts", map[string]any{"referral_id": referral.ID, "kind": "fees_demanded", "source": "returnee", "note": "asked for 500 pesos"}).want(201)
	s.post(s.counsellor, "/v1/returnees/"+r.ID.String()+"/residences", map[string]any{"observed_on": "2026-01-01", "place_id": guadalajara, "source": "self"}).want(201)
	d.Identity.Phone = "+52 33 7731 9954"
	s.put(s.counsellor, "/v1/returnees/"+r.ID.String(), d, header("If-Match", `"v1"`), header("Onward-Reason", "two digits were swapped")).want(200)
	return r
}

var metaOf = regexp.MustCompile(`<meta([^>]*)>`)

var styleOf = regexp.MustCompile(`(?s)<style>(.*)</style>`)

func TestThePageOfWhatIsKept(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.exported()
	for code, want := range map[string][]string{
		"en": {`<html lang="en" dir="ltr">`, "What is kept about you", "fees were demanded", "Guadalajara", "bricks"},
		"es": {`<html lang="es" dir="ltr">`, "Lo que se guarda sobre usted", "Albañil", "le exigieron pagos"},
		"fr": {`<html lang="fr" dir="ltr">`, "Ce qui est conservé sur vous", "frais exigés"},
		"ar": {`<html lang="ar" dir="rtl">`, "ما يُحفظ عنك", "طُلبت رسوم"},
		"":   {`<html lang="es" dir="ltr">`}, // the person's own
	} {
		path := "/v1/returnees/" + r.ID.String() + "/export/page"
		if code != "" {
			path += "?language=" + code
		}
		got := s.get(s.supervisor, path).want(http.StatusOK)
		for _, w := range append(want, "Zoraida", "52 33 7731 9954", "52 33 7731 9953", "two digits were swapped", "asked for 500 pesos", "employer", "CASE-77", "speaks softly &amp; seldom", `<meta name="viewport"`, `scope="col"`, `scope="row"`, "&lt;script&gt;") {
			if !strings.Contains(got.body, w) {
				t.Errorf("%s: %q is not on the page", code, w)
			}
		}
		for _, never := range []string{"<script", "src=", "href=", "url(", "@import", "http://", "https://", "{{", "style=", "%!"} {
			if strings.Contains(got.body, never) {
				t.Errorf("%s: %q is on the page", code, never)
			}
		}
		// Its own style is all that the policy allows.
		sum := sha256.Sum256([]byte(styleOf.FindStringSubmatch(got.body)[1]))
		policy := got.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || strings.Contains(policy, "unsafe") {
			t.Errorf("policy %q", policy)
		}
		if got.header.Get("Content-Type") != "text/html; charset=utf-8" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", got.header)
		}
		wellFormed(t, got.body)
	}
	s.get(s.counsellor, "/v1/returnees/"+r.ID.String()+"/export/page").problem(http.StatusForbidden, onward.EForbidden)
	s.get(s.supervisor, "/v1/returnees/"+onward.NewID().String()+"/export/page").problem(http.StatusNotFound, onward.ENotFound)
	s.get(s.supervisor, "/v1/returnees/"+r.ID.String()+"/export/page?language=de").problem(http.StatusUnprocessableEntity, onward.EInvalid)
	history := s.get(s.counsellor, "/v1/returnees/"+r.ID.String()+"/history").want(200)
	if !strings.Contains(history.body, "7731 9953") || !strings.Contains(history.body, `"identity.phone"`) {
		t.Errorf("%s", history.body)
	}
	s.get(s.stranger, "/v1/returnees/"+r.ID.String()+"/history").problem(http.StatusNotFound, onward.ENotFound)
	if strings.Contains(s.log.String(), "Zoraida") {
		t.Error("the name is in the log")
	}
}

// wellFormed reads a page as XML: each element is closed where it should be.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(metaOf.ReplaceAllString(page, "<meta$1/>")))
	headings := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && (start.Name.Local == "h1" || start.Name.Local == "h2") {
			headings++
		}
	}
	if headings < 12 {
		t.Errorf("%d headings", headings)
	}
}
