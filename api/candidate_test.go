package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
)

type candidates struct {
	OpportunityID onward.ID              `json:"opportunity_id"`
	Version       int64                  `json:"version"`
	Candidates    []onward.Candidate     `json:"candidates"`
	Cards         []onward.CandidateCard `json:"cards"`
	Truncated     bool                   `json:"truncated"`
}

func candidatesOf(o onward.Opportunity) string {
	return "/v1/opportunities/" + o.ID.String() + "/candidates"
}

// shown is a bricklayer who agreed to be matched and to be shown.
func shown(external string) onward.ReturneeDetails {
	d := bricklayer(external)
	d.Consents = append(d.Consents, onward.Consent{Purpose: onward.ConsentSharing, GivenOn: d.Consents[0].GivenOn})
	return d
}

// withdraw ends a person's consent for a purpose.
func (s *system) withdraw(r onward.Returnee, purpose onward.ConsentPurpose) {
	s.t.Helper()
	d := r.ReturneeDetails
	d.Consents = slices.Clone(d.Consents)
	for i := range d.Consents {
		if d.Consents[i].Purpose == purpose {
			d.Consents[i].WithdrawnOn = onward.DateOf(time.Now())
		}
	}
	s.put(s.counsellor, "/v1/returnees/"+r.ID.String(), d, header("If-Match", fmt.Sprintf(`"v%d"`, r.Version))).want(http.StatusOK)
}

func TestACounsellorSeesTheCaseloadByTheScoreOfTheirLists(t *testing.T) {
	t.Parallel()
	s := newSystem(t).withWorkers()
	licensed := bricklaying("o", guadalajara)
	licensed.Documents = []onward.DocumentKind{onward.DrivingLicence}
	o := s.open(licensed)
	s.waitIndexed(1)
	ana := s.register(bricklayer("ana"))
	lacking := bricklayer("lacking")
	lacking.Documents = []onward.PersonDocument{{Kind: onward.DrivingLicence, Status: onward.DocumentMissing}}
	eva := s.register(lacking)
	gone := s.register(bricklayer("gone"))
	s.withdraw(gone, onward.ConsentMatching)
	afraid := bricklayer("afraid")
	afraid.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: zapopan, RadiusKm: 30}}
	s.register(afraid)
	hostile := bricklayer("hostile")
	hostile.Safety.ExcludedOrganisations = []onward.ID{s.employer.ID}
	s.register(hostile)
	protected := bricklayer("protected") // the opening is not vetted
	protected.Safety.Protection = true
	s.register(protected)
	s.post(s.stranger, "/v1/returnees", bricklayer("elsewhere")).want(http.StatusCreated)

	list := decode[onward.ReferralRequest](s.get(s.counsellor, "/v1/referral-requests/"+s.request(ana.ID).ID.String()+"?wait=60s").want(http.StatusOK)).List
	got := s.get(s.counsellor, candidatesOf(o)+"?language=es").want(http.StatusOK)
	found := decode[candidates](got)
	if len(found.Candidates) != 2 || found.Cards != nil || found.OpportunityID != o.ID || found.Version != o.Version || found.Truncated {
		t.Fatalf("want ana and, for want of a licence after her, eva: %s", got.body)
	}
	first, second := found.Candidates[0], found.Candidates[1]
	if own := list.Referrals[0]; first.ReturneeID != ana.ID || first.Score != own.Score || first.Fit != own.Fit || first.Reach != own.Reach || first.Terms != own.Terms || first.ClosedGate != "" {
		t.Errorf("ana is %+v, on her own list %+v", first, own)
	}
	if second.ReturneeID != eva.ID || second.ClosedGate != onward.GateDocuments || !slices.Equal(second.Missing, []string{"driving_licence"}) {
		t.Errorf("eva is %+v", second)
	}
	if words := strings.Join(first.Explanation.Sentences, " "); !strings.Contains(words, "Guadalajara") || len(first.Explanation.Skills) != 2 || len(first.Explanation.Gates) != 6 {
		t.Errorf("the explanation says %q: %+v", words, first.Explanation)
	}
	if strings.Contains(got.body, "Prueba") {
		t.Errorf("a name is among the candidates: %s", got.body)
	}
	if one := decode[candidates](s.get(s.supervisor, candidatesOf(o)+"?limit=1").want(http.StatusOK)); len(one.Candidates) != 1 || one.Candidates[0].ReturneeID != ana.ID {
		t.Errorf("the best one: %+v", one)
	}
	if theirs := decode[candidates](s.get(s.stranger, candidatesOf(o)).want(http.StatusOK)); len(theirs.Candidates) != 1 || theirs.Candidates[0].ReturneeID == ana.ID {
		t.Errorf("another agency sees its own caseload: %+v", theirs)
	}
}

func TestAnEmployerSeesPseudonymousCards(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	details := bricklaying("one", guadalajara)
	details.Documents, details.MinAge = []onward.DocumentKind{onward.DrivingLicence}, 30
	one := s.open(details)
	details.ExternalID = "two"
	two := s.open(details)
	people := map[onward.ID]bool{}
	var last onward.Returnee
	for n := range 6 {
		d := shown(fmt.Sprintf("case-%d", n))
		d.BirthDate = onward.NewDate(1980, time.May, 4)
		d.Documents = []onward.PersonDocument{{Kind: onward.DrivingLicence, Status: onward.DocumentHeld, ValidUntil: onward.NewDate(2077, time.March, 9)}}
		last = s.register(d)
		people[last.ID] = true
	}
	s.register(bricklayer("not shown"))
	afraid := shown("afraid")
	afraid.Safety.ExcludedOrganisations = []onward.ID{s.employer.ID}
	s.register(afraid)

	got := s.get(s.poster, candidatesOf(one)).want(http.StatusOK)
	cards := decode[candidates](got).Cards
	if len(cards) != 6 || strings.Contains(got.body, `"candidates"`) {
		t.Fatalf("want the six who agreed to be shown: %s", got.body)
	}
	words := got.body // without random digits
	for _, c := range cards {
		words = strings.ReplaceAll(words, c.Pseudonym.String(), "")
	}
	words = strings.ReplaceAll(words, one.ID.String(), "")
	for _, secret := range []string{"Prueba", "Ana", "case-", "Guadalajara", "Morelia", "1980", "2077", "46", "returnee", "place", "consent", "safety", "via"} {
		if strings.Contains(words, secret) {
			t.Errorf("a card says %q: %s", secret, words)
		}
	}
	names := map[onward.ID]bool{}
	for i, c := range cards {
		if people[c.Pseudonym] || names[c.Pseudonym] || c.Rank != i+1 || c.Score == nil || c.Reach == nil || len(c.Skills) != 2 || len(c.Gates) != 3 {
			t.Errorf("card %+v", c)
		}
		for _, g := range c.Gates {
			if g.State != onward.GateYes {
				t.Errorf("%s is %s", g.Gate, g.State)
			}
		}
		names[c.Pseudonym] = true
	}
	for _, c := range decode[candidates](s.get(s.poster, candidatesOf(one)).want(http.StatusOK)).Cards {
		if !names[c.Pseudonym] {
			t.Error("another pseudonym for the same person and opportunity")
		}
	}
	for _, c := range decode[candidates](s.get(s.poster, candidatesOf(two)).want(http.StatusOK)).Cards {
		if names[c.Pseudonym] {
			t.Error("the same pseudonym for another opportunity")
		}
	}
	s.withdraw(last, onward.ConsentSharing)
	if left := decode[candidates](s.get(s.poster, candidatesOf(one)).want(http.StatusOK)).Cards; len(left) != 5 {
		t.Errorf("%d cards after one withdrew, want 5", len(left))
	}
	for id := range people {
		if id != last.ID {
			s.withdraw(decode[onward.Returnee](s.get(s.counsellor, "/v1/returnees/"+id.String()).want(http.StatusOK)), onward.ConsentMatching)
			break
		}
	}
	few := s.get(s.poster, candidatesOf(one)).want(http.StatusOK)
	for _, c := range decode[candidates](few).Cards {
		if c.Score != nil || c.Reach != nil || c.Terms != nil || c.Gates != nil || len(c.Skills) != 2 {
			t.Errorf("four people qualify, and a card says %+v", c)
		}
	}
}

func TestAnEmployerCanNotLearnAPersonByChangingTheOpening(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	details := bricklaying("o", guadalajara)
	o := s.open(details)
	s.register(shown("ana"))
	for age := 20; ; age++ {
		got := s.get(s.poster, candidatesOf(o))
		if got.status == http.StatusConflict {
			if age != 25 {
				t.Errorf("refused after %d forms, want 5", age-20)
			}
			if p := got.problem(http.StatusConflict, onward.EConflict); !strings.Contains(p.Detail, "post it as a new one") {
				t.Errorf("%+v", p)
			}
			break
		}
		got.want(http.StatusOK)
		details.MinAge = age
		o = decode[onward.Opportunity](s.put(s.poster, "/v1/opportunities/"+o.ID.String(), details, header("If-Match", fmt.Sprintf(`"v%d"`, o.Version))).want(http.StatusOK))
	}
	if s.get(s.counsellor, candidatesOf(o)).status != http.StatusOK {
		t.Error("counsellors may look at any form")
	}
}

func TestCandidatesAreOfOpenOpportunitiesAndForThoseWhoMaySee(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	draft := decode[onward.Opportunity](s.post(s.poster, "/v1/opportunities", bricklaying("draft", zapopan)).want(http.StatusCreated))
	open := s.open(bricklaying("open", zapopan))
	closed := s.open(bricklaying("closed", zapopan))
	s.post(s.poster, "/v1/opportunities/"+closed.ID.String()+"/close", nil).want(http.StatusOK)
	paused := s.open(bricklaying("paused", zapopan))
	s.post(s.poster, "/v1/opportunities/"+paused.ID.String()+"/pause", nil).want(http.StatusOK)
	for name, c := range map[string]struct {
		token, path string
		status      int
		code        onward.Code
	}{
		"a draft":                         {s.poster, candidatesOf(draft), http.StatusConflict, onward.EConflict},
		"one that is closed":              {s.poster, candidatesOf(closed), http.StatusConflict, onward.EConflict},
		"one that is paused":              {s.counsellor, candidatesOf(paused), http.StatusConflict, onward.EConflict},
		"another organisation's":          {s.strangerPoster, candidatesOf(open), http.StatusNotFound, onward.ENotFound},
		"another organisation's draft":    {s.counsellor, candidatesOf(draft), http.StatusNotFound, onward.ENotFound},
		"none":                            {s.counsellor, "/v1/opportunities/" + onward.NewID().String() + "/candidates", http.StatusNotFound, onward.ENotFound},
		"a partner":                       {s.partner, candidatesOf(open), http.StatusForbidden, onward.EForbidden},
		"an analyst":                      {s.analyst, candidatesOf(open), http.StatusForbidden, onward.EForbidden},
		"an administrator":                {s.admin, candidatesOf(open), http.StatusForbidden, onward.EForbidden},
		"a role that may not, of nothing": {s.partner, "/v1/opportunities/" + onward.NewID().String() + "/candidates", http.StatusForbidden, onward.EForbidden},
		"too many":                        {s.poster, candidatesOf(open) + "?limit=51", http.StatusUnprocessableEntity, onward.EInvalid},
		"none at all":                     {s.poster, candidatesOf(open) + "?limit=0", http.StatusUnprocessableEntity, onward.EInvalid},
		"no number":                       {s.poster, candidatesOf(open) + "?limit=many", http.StatusUnprocessableEntity, onward.EInvalid},
		"another language":                {s.counsellor, candidatesOf(open) + "?language=de", http.StatusUnprocessableEntity, onward.EInvalid},
		"an unknown parameter":            {s.counsellor, candidatesOf(open) + "?returnee=x", http.StatusUnprocessableEntity, onward.EInvalid},
		"no id":                           {s.counsellor, "/v1/opportunities/x/candidates", http.StatusUnprocessableEntity, onward.EInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.get(c.token, c.path)
			got.t = t
			got.problem(c.status, c.code)
		})
	}
	if empty := s.get(s.poster, candidatesOf(open)).want(http.StatusOK); !strings.Contains(empty.body, `"cards":[]`) {
		t.Errorf("nobody: %s", empty.body)
	}
}

// BenchmarkCandidates asks for the candidates of one opportunity among many people, over HTTP and from Postgres.
func BenchmarkCandidates(b *testing.B) {
	s := newSystem(b)
	o := s.open(bricklaying("o", guadalajara))
	const people = 10_000
	places := []onward.PlaceID{guadalajara, zapopan, morelia}
	for from := 0; from < people; from += 500 {
		var lines strings.Builder
		for n := from; n < from+500; n++ {
			d := shown(fmt.Sprint("r", n))
			d.Skills[0].Level = onward.Level(1 + n%4)
			d.Experience = []onward.Experience{{OccupationID: "onward/occupation/bricklayer", Years: float64(n % 7)}}
			d.Places[0].PlaceID, d.Places[1].PlaceID = places[n%3], places[n/3%3]
			lines.WriteString(jsonLine(b, d))
		}
		s.post(s.counsellor, "/v1/returnees/bulk", lines.String(), header("Content-Type", "application/x-ndjson")).want(http.StatusOK)
	}
	for name, token := range map[string]string{"caseload": s.counsellor, "cards": s.poster} {
		b.Run(fmt.Sprintf("people=%d/%s", people, name), func(b *testing.B) {
			for b.Loop() {
				s.get(token, candidatesOf(o)).want(http.StatusOK)
			}
		})
	}
}
