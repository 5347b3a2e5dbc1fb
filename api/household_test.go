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

// newCouple registers two people who may be linked.
func (s *system) newCouple(external string) any {
	s.t.Helper()
	return onward.HouseholdDetails{Adults: []onward.ID{s.register(bricklayer(external + "-1")).ID, s.register(bricklayer(external + "-2")).ID}}
}

func (s *system) link(details any) onward.LinkedHousehold {
	s.t.Helper()
	return decode[onward.LinkedHousehold](s.post(s.counsellor, "/v1/households", details).want(http.StatusCreated))
}

// cooking is an opening in a kitchen, and cook someone for it.
func cooking(external string, place onward.PlaceID) onward.OpportunityDetails {
	d := bricklaying(external, place)
	d.Title, d.Skills, d.OccupationID = onward.Text{"es": "Cocinero"}, nil, "onward/occupation/cook"
	return d
}

func cook(external string) onward.ReturneeDetails {
	d := bricklayer(external)
	d.Skills, d.Experience = nil, []onward.Experience{{OccupationID: "onward/occupation/cook", Years: 6, LastYear: time.Now().Year()}}
	return d
}

func TestAHouseholdSeesEachAdultAndPairsInOnePlace(t *testing.T) {
	t.Parallel()
	s := newSystem(t).withWorkers()
	site, kitchen := s.open(bricklaying("site", guadalajara)), s.open(cooking("kitchen", zapopan))
	s.open(cooking("far", morelia))
	s.waitIndexed(3)
	ana, eva := s.register(bricklayer("ana")), s.register(cook("eva"))
	created := s.post(s.counsellor, "/v1/households", onward.HouseholdDetails{Adults: []onward.ID{ana.ID, eva.ID}}).want(http.StatusCreated)
	h := decode[onward.LinkedHousehold](created)
	path := "/v1/households/" + h.ID.String()
	if created.header.Get("Location") != path || created.header.Get("ETag") != `"v1"` {
		t.Errorf("created with %v", created.header)
	}
	own := decode[onward.ReferralRequest](s.get(s.counsellor, "/v1/referral-requests/"+s.request(ana.ID).ID.String()+"?wait=60s").want(http.StatusOK)).List
	got := s.get(s.counsellor, path+"/opportunities?language=es").want(http.StatusOK)
	view := decode[onward.HouseholdOpportunities](got)
	if view.HouseholdID != h.ID || len(view.Adults) != 2 || view.Adults[0].ReturneeID != ana.ID || len(view.Adults[0].Referrals) == 0 || view.AnsweredBy == "" {
		t.Fatalf("%.3000s", got.body)
	}
	if first := view.Adults[0].Referrals[0]; first.Score != own.Referrals[0].Score || first.Opportunity.ID != site.ID || len(first.Explanation.Sentences) == 0 {
		t.Errorf("ana's own list begins with %+v, want %+v", first, own.Referrals[0])
	}
	if first := view.Adults[1].Referrals[0]; first.Opportunity.Title["es"] != "Cocinero" {
		t.Errorf("eva's own list begins with %+v", first.Opportunity)
	}
	best := view.Pairs[0]
	byPerson := map[onward.ID]onward.ID{}
	for _, adult := range best.Adults {
		byPerson[adult.ReturneeID] = adult.Opportunity.ID
	}
	if byPerson[ana.ID] != site.ID || byPerson[eva.ID] != kitchen.ID || best.Rank != 1 || len(best.Parts) == 0 || len(view.Destination.Places) == 0 {
		t.Errorf("the best pair is %+v", best)
	}
	if one := decode[onward.HouseholdOpportunities](s.get(s.counsellor, path+"/opportunities?limit=1&pairs=1").want(http.StatusOK)); len(one.Pairs) != 1 || len(one.Adults[0].Referrals) != 1 {
		t.Errorf("one of each: %+v", one)
	}

	// what is dangerous for one is left out for both, and nothing says so
	d := eva.ReturneeDetails
	d.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: guadalajara}}
	s.put(s.counsellor, "/v1/returnees/"+eva.ID.String(), d, header("If-Match", `"v1"`)).want(http.StatusOK)
	safe := s.get(s.counsellor, path+"/opportunities").want(http.StatusOK)
	if strings.Contains(safe.body, site.ID.String()) || strings.Contains(safe.body, "excluded") {
		t.Errorf("dangerous for eva, and shown: %.3000s", safe.body)
	}

	// and who withdrew is in no list and no pair
	s.withdraw(decode[onward.Returnee](s.get(s.counsellor, "/v1/returnees/"+eva.ID.String()).want(http.StatusOK)), onward.ConsentMatching)
	view = decode[onward.HouseholdOpportunities](s.get(s.counsellor, path+"/opportunities").want(http.StatusOK))
	i := slices.IndexFunc(view.Adults, func(a onward.HouseholdAdult) bool { return a.ReturneeID == eva.ID })
	if len(view.Pairs) != 0 || view.Adults[i].Refusal == "" || view.Adults[i].Referrals != nil {
		t.Errorf("without eva's consent: %+v", view)
	}
}

func TestHouseholdsRefuseBadInput(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	details, ok := s.newCouple("couple").(onward.HouseholdDetails)
	if !ok {
		t.Fatal("no couple")
	}
	h := s.link(details)
	path := "/v1/households/" + h.ID.String()
	elsewhere := decode[onward.Returnee](s.post(s.stranger, "/v1/returnees", bricklayer("elsewhere")).want(http.StatusCreated))
	for name, c := range map[string]struct {
		got    answer
		status int
		code   onward.Code
		field  string
	}{
		"one adult":          {s.post(s.counsellor, "/v1/households", `{"adults":["`+details.Adults[0].String()+`"]}`), http.StatusUnprocessableEntity, onward.EInvalid, "body.adults"},
		"no adults":          {s.post(s.counsellor, "/v1/households", `{}`), http.StatusUnprocessableEntity, onward.EInvalid, "body.adults"},
		"no id":              {s.post(s.counsellor, "/v1/households", `{"adults":["x","y"]}`), http.StatusUnprocessableEntity, onward.EInvalid, ""},
		"an unknown field":   {s.post(s.counsellor, "/v1/households", `{"adults":[],"name":"x"}`), http.StatusUnprocessableEntity, onward.EInvalid, "body.name"},
		"no one's returnee":  {s.post(s.counsellor, "/v1/households", onward.HouseholdDetails{Adults: []onward.ID{elsewhere.ID, onward.NewID()}}), http.StatusUnprocessableEntity, onward.EInvalid, "body.adults[0]"},
		"linked already":     {s.post(s.counsellor, "/v1/households", details), http.StatusConflict, onward.EConflict, ""},
		"without If-Match":   {s.put(s.counsellor, path, details), http.StatusPreconditionRequired, onward.EPrecondition, ""},
		"another version":    {s.put(s.counsellor, path, details, header("If-Match", `"v7"`)), http.StatusPreconditionFailed, onward.EVersion, ""},
		"another agency's":   {s.get(s.stranger, path), http.StatusNotFound, onward.ENotFound, ""},
		"their view of it":   {s.get(s.stranger, path+"/opportunities"), http.StatusNotFound, onward.ENotFound, ""},
		"to delete theirs":   {s.send(s.stranger, http.MethodDelete, path, nil), http.StatusNotFound, onward.ENotFound, ""},
		"too many pairs":     {s.get(s.counsellor, path+"/opportunities?pairs=51"), http.StatusUnprocessableEntity, onward.EInvalid, "query.pairs"},
		"too long lists":     {s.get(s.counsellor, path+"/opportunities?limit=0"), http.StatusUnprocessableEntity, onward.EInvalid, "query.limit"},
		"another language":   {s.get(s.counsellor, path+"/opportunities?language=de"), http.StatusUnprocessableEntity, onward.EInvalid, "query.language"},
		"a bad cursor":       {s.get(s.counsellor, "/v1/households?cursor=x"), http.StatusUnprocessableEntity, onward.EInvalid, "query.cursor"},
		"an employer's list": {s.get(s.poster, "/v1/households"), http.StatusForbidden, onward.EForbidden, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.got.t = t
			p := c.got.problem(c.status, c.code)
			if c.field != "" {
				field(t, p, c.field)
			}
		})
	}
	list := decode[struct {
		Items []onward.LinkedHousehold `json:"items"`
	}](s.get(s.supervisor, fmt.Sprintf("/v1/households?returnee_id=%s", details.Adults[1])).want(http.StatusOK))
	if len(list.Items) != 1 || list.Items[0].ID != h.ID {
		t.Errorf("found by an adult: %+v", list)
	}
	s.get(s.counsellor, path, header("If-None-Match", `"v1"`)).want(http.StatusNotModified)
	s.send(s.counsellor, http.MethodDelete, path, nil).want(http.StatusNoContent)
	s.get(s.counsellor, path).problem(http.StatusNotFound, onward.ENotFound)
}
