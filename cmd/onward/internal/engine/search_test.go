package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/indexer"
	"onward/internal/testenv"
)

// newSearchSystem ranks with the shared Elasticsearch.
func newSearchSystem(t *testing.T) *system {
	t.Helper()
	url := testenv.Elasticsearch(t)
	return newSystem(t, func(c *Config) { c.ElasticsearchURL, c.IndexPrefix = url, testenv.IndexPrefix(t) })
}

// search sends a request to Elasticsearch itself.
func search(t *testing.T, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	gone := method == http.MethodDelete && response.StatusCode == http.StatusNotFound // a rebuild was faster
	if err != nil || (response.StatusCode >= http.StatusBadRequest && !gone) {
		t.Fatalf("%s %s: %s %v: %s", method, url, response.Status, err, answer)
	}
	return string(answer)
}

// answeredBy asks for a list, which must have n referrals, and says who answered.
func (s *system) answeredBy(t *testing.T, returnee onward.ID, n int) (index, degraded string) {
	t.Helper()
	request := s.await(t, s.request(t, returnee))
	if request.Status != onward.RequestReady {
		t.Fatalf("the request is %s", request.Status)
	}
	if len(request.List.Referrals) != n {
		t.Errorf("%d referrals from %s (%s), want %d", len(request.List.Referrals), request.List.AnsweredBy, request.List.Degraded, n)
	}
	return request.List.AnsweredBy, request.List.Degraded
}

func TestAnEmptiedElasticsearchHealsAndNoListIsEmptyMeanwhile(t *testing.T) {
	t.Parallel()
	for name, empty := range map[string]func(t *testing.T, s *system){
		"all its documents deleted": func(t *testing.T, s *system) {
			// Again if a rebuild swaps the index just now: what was to be emptied is gone then.
			eventually(t, "all documents are deleted", func() bool {
				var bulk strings.Builder
				if err := s.Index.Versions(t.Context(), func(ref indexer.Ref) error {
					fmt.Fprintf(&bulk, `{"delete":{"_id":%q}}`+"\n", ref.ID)
					return nil
				}); err != nil || bulk.Len() == 0 {
					return false
				}
				answer := search(t, http.MethodPost, s.config.ElasticsearchURL+"/"+s.config.IndexPrefix+"opportunities/_bulk?refresh=true", bulk.String())
				return strings.Count(answer, `"result":"deleted"`) == 5
			})
		},
		"the index deleted": func(t *testing.T, s *system) {
			names := search(t, http.MethodGet, s.config.ElasticsearchURL+"/_cat/indices/"+s.config.IndexPrefix+"*?h=index", "")
			for _, index := range strings.Fields(names) {
				search(t, http.MethodDelete, s.config.ElasticsearchURL+"/"+index, "")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSearchSystem(t)
			eventually(t, "the first index is rebuilt for the reference data", func() bool {
				names := search(t, http.MethodGet, s.config.ElasticsearchURL+"/_cat/indices/"+s.config.IndexPrefix+"*?h=index", "")
				return len(strings.Fields(names)) == 1 && !strings.HasSuffix(strings.TrimSpace(names), "opportunities-0")
			})
			for i := range 5 {
				s.post(t, bricklaying(fmt.Sprint(i), guadalajara))
			}
			s.waitIndexed(t, 5)
			returnee := s.register(t, bricklayer("ana")).ID
			eventually(t, "Elasticsearch answers", func() bool { index, _ := s.answeredBy(t, returnee, 5); return index == "elasticsearch" })
			empty(t, s)
			healed := false
			for begin := time.Now(); !healed && time.Since(begin) < 30*time.Second; {
				index, degraded := s.answeredBy(t, returnee, 5)
				healed = index == "elasticsearch"
				if !healed && (index != "memory" || degraded == "") {
					t.Errorf("meanwhile %s answered, degraded %q", index, degraded)
				}
			}
			if !healed {
				t.Fatal("Elasticsearch does not answer again")
			}
			s.waitIndexed(t, 5)
			s.assertAtRest(t)
		})
	}
}

// TestElasticsearchMayBeAwayForAWhile takes about half a minute: it starts a node of its own twice.
func TestElasticsearchMayBeAwayForAWhile(t *testing.T) {
	t.Parallel()
	node := testenv.OwnElasticsearch(t)
	s := newSystem(t, func(c *Config) { c.ElasticsearchURL = node.URL() })
	first := s.post(t, bricklaying("first", guadalajara))
	second := s.post(t, bricklaying("second", guadalajara))
	s.waitIndexed(t, 2)
	returnee := s.register(t, bricklayer("ana")).ID
	eventually(t, "Elasticsearch answers", func() bool { index, _ := s.answeredBy(t, returnee, 2); return index == "elasticsearch" })

	node.Stop(t)
	if index, degraded := s.answeredBy(t, returnee, 2); index != "memory" || degraded == "" {
		t.Errorf("with Elasticsearch away %s answers, degraded %q", index, degraded)
	}
	for i := range 10 {
		s.post(t, bricklaying(fmt.Sprintf("meanwhile-%d", i), guadalajara))
	}
	s.call(t, s.poster, http.MethodPost, "/v1/opportunities/"+first.ID.String()+"/close", map[string]any{}, http.StatusOK, nil)
	eventually(t, "the memory index has what was posted meanwhile, and not what was closed", func() bool {
		n, err := s.follower.Index.Count(t.Context())
		return err == nil && n == 11
	})
	if index, degraded := s.answeredBy(t, returnee, 11); index != "memory" || degraded == "" {
		t.Errorf("%s answers, degraded %q", index, degraded)
	}
	if status, parts := ready(t, s.server.URL); status != "degraded" || parts["elasticsearch"].OK {
		t.Errorf("with Elasticsearch away it is %s, and elasticsearch %+v", status, parts["elasticsearch"])
	}
	node.Start(t)
	eventually(t, "Elasticsearch answers again", func() bool { index, _ := s.answeredBy(t, returnee, 11); return index == "elasticsearch" })
	s.waitIndexed(t, 11)
	hits := search(t, http.MethodPost, node.URL()+"/opportunities/_search?size=100", `{"query":{"match_all":{}}}`)
	if strings.Contains(hits, first.ID.String()) || !strings.Contains(hits, second.ID.String()) {
		t.Error("the index has what was closed, or lacks what stayed open")
	}
	s.assertAtRest(t)
}

func TestANewIndexAfterARestartHoldsEverything(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	s.post(t, bricklaying("here", guadalajara))
	returnee := s.register(t, bricklayer("ana")).ID
	s.waitIndexed(t, 1)
	s.end(t)
	s.start(t)
	if index, degraded := s.answeredBy(t, returnee, 1); index != "memory" || degraded != "" {
		t.Errorf("%s answered, degraded %q", index, degraded)
	}
}

// Safety and agreement: the same postings and people in a system on the memory index and in one on Elasticsearch.
func TestBothIndexesGiveTheSameSafeLists(t *testing.T) {
	t.Parallel()
	lists := map[string][]*onward.RankedList{"memory": safeLists(t, newSystem(t, nil)), "elasticsearch": safeLists(t, newSearchSystem(t))}
	for i, want := range lists["memory"] {
		got := lists["elasticsearch"][i]
		if got.AnsweredBy != "elasticsearch" || want.AnsweredBy != "memory" || len(got.Referrals) != len(want.Referrals) || len(want.Referrals) == 0 {
			t.Fatalf("person %d: %d referrals from %s, %d from %s", i, len(got.Referrals), got.AnsweredBy, len(want.Referrals), want.AnsweredBy)
		}
		for j := range want.Referrals {
			a, b := want.Referrals[j], got.Referrals[j]
			if a.Opportunity.Title["en"] != b.Opportunity.Title["en"] || math.Abs(a.Score-b.Score) > 1e-9 {
				t.Errorf("person %d, rank %d: %s %v in memory, %s %v in Elasticsearch", i, j+1,
					a.Opportunity.Title["en"], a.Score, b.Opportunity.Title["en"], b.Score)
			}
		}
		if len(got.NearMisses) != len(want.NearMisses) {
			t.Errorf("person %d: %d near misses in memory, %d in Elasticsearch", i, len(want.NearMisses), len(got.NearMisses))
		}
	}
}

// safeLists fills a system and asks for the lists of three people whom some openings endanger.
func safeLists(t *testing.T, s *system) (lists []*onward.RankedList) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	var bulk bytes.Buffer
	places := []onward.PlaceID{guadalajara, zapopan, morelia}
	const openings = 60
	for i := range openings {
		details := bricklaying(fmt.Sprint(i), places[i%3])
		wage := int64(8_000_00 + 100_00*i) // no two alike: equal scores are ordered by ids, which differ between systems
		details.Title = onward.Text{"en": fmt.Sprintf("Bricklayer %d", i)}
		details.Wage = &onward.Wage{MinMinor: wage, MaxMinor: wage, Currency: "MXN", Period: onward.PerMonth}
		if i%4 == 0 {
			details.Documents = []onward.DocumentKind{onward.DocumentKinds()[0]} // had too late: a near miss
			details.StartsOn = onward.DateOf(time.Now()).AddDays(10)
		}
		if random.IntN(2) == 0 {
			details.Skills = append(details.Skills, onward.OpportunitySkill{SkillID: "onward/skill/mix-mortar"})
		}
		bulk.Write(line(t, details))
	}
	status, _, answer, err := client{s.server.URL, s.poster}.do(t.Context(), http.MethodPost, "/v1/opportunities/bulk", bulk.Bytes())
	if err != nil || status != http.StatusOK {
		t.Errorf("bulk: %d %v %s", status, err, answer)
		return nil
	}
	other := s.post(t, bricklaying("theirs", guadalajara))
	s.waitIndexed(t, openings+1)

	reservation := int64(15_000_00)
	base := bricklayer("")
	base.Preferences.ReservationMinor, base.Preferences.Currency = &reservation, "MXN"
	base.Documents = []onward.PersonDocument{{Kind: onward.DocumentKinds()[0], Status: onward.DocumentApplied, ExpectedOn: onward.DateOf(time.Now()).AddDays(90)}}

	near := base
	near.ExternalID = "near"
	near.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: guadalajara, RadiusKm: 30}} // Zapopan is next door
	far := base
	far.ExternalID = "far"
	far.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: morelia}}
	for _, details := range []onward.ReturneeDetails{near, far} {
		lists = append(lists, s.primaryList(t, s.register(t, details).ID))
	}
	for _, id := range placesOf(lists[0]) {
		if id != morelia {
			t.Errorf("the list or its near misses name %d, within 30 km of an excluded place", id)
		}
	}
	for _, id := range placesOf(lists[1]) {
		if id == morelia {
			t.Error("the list or its near misses name an excluded place")
		}
	}
	if len(lists[1].NearMisses) == 0 {
		t.Error("no near misses: the test would not see one that is dangerous")
	}

	excluded := base
	excluded.ExternalID = "organisation"
	excluded.Safety.ExcludedOrganisations = []onward.ID{other.OrganisationID}
	protected := base
	protected.ExternalID = "protected"
	protected.Safety.Protection = true // nothing here is vetted
	for _, details := range []onward.ReturneeDetails{excluded, protected} {
		if list := s.primaryList(t, s.register(t, details).ID); len(list.Referrals)+len(list.NearMisses) != 0 {
			t.Errorf("%s: a list of %d with %d near misses; all openings are out of the question", details.ExternalID,
				len(list.Referrals), len(list.NearMisses))
		}
	}
	return lists
}

// primaryList asks until the primary index has answered, which a loaded machine may make wait.
func (s *system) primaryList(t *testing.T, returnee onward.ID) (list *onward.RankedList) {
	t.Helper()
	eventually(t, s.Index.Name()+" answers", func() bool {
		request := s.await(t, s.request(t, returnee))
		if request.Status != onward.RequestReady {
			t.Fatalf("the request is %s", request.Status)
		}
		list = request.List
		return list.AnsweredBy == s.Index.Name()
	})
	return list
}

func placesOf(list *onward.RankedList) (places []onward.PlaceID) {
	for _, r := range list.Referrals {
		places = append(places, r.Opportunity.PlaceID)
	}
	for _, m := range list.NearMisses {
		places = append(places, m.Opportunity.PlaceID)
	}
	return places
}
