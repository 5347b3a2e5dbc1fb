package api_test

import (
	"net/http"
	"slices"
	"testing"

	"onward"
)

type found struct {
	Items []struct {
		Score float64 `json:"score"`
		onward.Opportunity
	} `json:"items"`
	AnsweredBy string `json:"answered_by"`
}

func (f found) ids() []string {
	ids := []string{}
	for _, item := range f.Items {
		ids = append(ids, item.ExternalID)
	}
	return ids
}

func TestSearchFindsWhatIsOpenBySeveralWays(t *testing.T) {
	t.Parallel()
	s := newSystem(t).withWorkers()
	s.open(bricklaying("here", guadalajara))
	s.open(bricklaying("near", zapopan)) // some 10 km from Guadalajara
	s.open(bricklaying("far", morelia))  // some 200 km
	cook := bricklaying("cook", guadalajara)
	cook.Kind, cook.Title, cook.Skills = onward.Training, onward.Text{"es": "Cocinero de hotel"}, nil
	s.open(cook)
	s.post(s.poster, "/v1/opportunities", bricklaying("draft", guadalajara)).want(http.StatusCreated)
	closed := s.open(bricklaying("closed", guadalajara))
	paused := s.open(bricklaying("paused", guadalajara))
	s.post(s.strangerPoster, "/v1/opportunities?publish=true", bricklaying("theirs", guadalajara)).want(http.StatusCreated)
	s.waitIndexed(7)
	s.post(s.poster, "/v1/opportunities/"+closed.ID.String()+"/close", nil).want(http.StatusOK)
	s.post(s.poster, "/v1/opportunities/"+paused.ID.String()+"/pause", nil).want(http.StatusOK)

	for _, c := range []struct {
		token, query string
		want         []string
	}{
		{s.counsellor, "", []string{"cook", "far", "here", "near", "theirs"}}, // also before the index has heard of the close
		{s.counsellor, "?q=albanil", []string{"far", "here", "near", "theirs"}},
		{s.counsellor, "?q=cocinero%20hot", []string{"cook"}},
		{s.counsellor, "?q=cocinero%20playa", []string{}},
		{s.counsellor, "?near=4005539", []string{"cook", "here", "near", "theirs"}},
		{s.counsellor, "?near=4005539&radius_km=1", []string{"cook", "here", "theirs"}},
		{s.counsellor, "?near=4005539&radius_km=1000&q=alba%C3%B1il", []string{"far", "here", "near", "theirs"}},
		{s.counsellor, "?skill=onward/skill/lay-bricks", []string{"far", "here", "near", "theirs"}},
		{s.counsellor, "?kind=training,job&country=MX", []string{"cook", "far", "here", "near", "theirs"}},
		{s.counsellor, "?kind=training", []string{"cook"}},
		{s.counsellor, "?country=GT", []string{}},
		{s.poster, "", []string{"cook", "far", "here", "near"}}, // an employer sees no one else's
		{s.strangerPoster, "", []string{"theirs"}},
		{s.counsellor, "?limit=2&offset=4", nil},
	} {
		got := decode[found](s.get(c.token, "/v1/opportunities/search"+c.query).want(http.StatusOK))
		if got.AnsweredBy != "memory" || got.Items == nil {
			t.Errorf("%s: %+v", c.query, got)
		}
		ids := got.ids()
		slices.Sort(ids)
		if c.want != nil && !slices.Equal(ids, c.want) {
			t.Errorf("%s: %v, want %v", c.query, ids, c.want)
		}
		for _, item := range got.Items {
			if item.Title == nil || item.Organisation == "" || item.Status != onward.OpportunityOpen {
				t.Errorf("%s: half an opportunity: %+v", c.query, item)
			}
		}
	}
	first := decode[found](s.get(s.counsellor, "/v1/opportunities/search?skill=onward/skill/lay-bricks,onward/skill/work-at-height&limit=2").want(200)).ids()
	rest := decode[found](s.get(s.counsellor, "/v1/opportunities/search?skill=onward/skill/lay-bricks,onward/skill/work-at-height&limit=2&offset=2").want(200)).ids()
	if all := slices.Concat(first, rest); len(first) != 2 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Errorf("pages overlap: %v and %v", first, rest)
	}
}
