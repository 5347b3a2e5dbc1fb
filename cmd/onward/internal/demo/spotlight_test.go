package demo_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/cmd/onward/internal/demo"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// ranked is the list of one returnee of a caseload, without a database or an index.
func ranked(t *testing.T, f fixture, c demo.Caseload, day onward.Date, externalID string) (matcher.Result, onward.Destination) {
	t.Helper()
	taxonomy, err := skills.New(f.taxonomy)
	if err != nil {
		t.Fatal(err)
	}
	gazetteer := destination.NewGazetteer("MX", f.places)
	names := map[string]string{}
	for _, o := range c.Organisations {
		names[o.Slug] = o.Name
	}
	openings := make([]matcher.Opening, len(c.Opportunities))
	for i, o := range c.Opportunities {
		var id onward.ID
		binary.BigEndian.PutUint64(id[8:], uint64(i)) //nolint:gosec // an index
		openings[i] = matcher.NewOpening(onward.Opportunity{
			ID: id, Status: onward.OpportunityOpen, Organisation: names[o.Organisation], Fictional: true, OpportunityDetails: o.Details,
		}, f.vocabulary.places[o.Details.PlaceID], "MX", taxonomy)
	}
	i := slices.IndexFunc(c.Returnees, func(r onward.ReturneeDetails) bool { return r.ExternalID == externalID })
	person := matcher.NewPerson(c.Returnees[i], taxonomy, day)
	spread := destination.NewModel(gazetteer, destination.Priors()).Predict(destination.NewPerson(c.Returnees[i]), day)
	return matcher.Rank(person, matcher.NewReach(spread, gazetteer, person), openings, matcher.Options{Today: day, Language: "en"}), spread.Destination(gazetteer)
}

func TestTheSpotlightListIsWorthShowingOnAnyDay(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, day := range []onward.Date{onward.NewDate(2026, time.November, 24), onward.NewDate(2027, time.July, 1)} {
		c, err := demo.Generate(1, day, f.places, f.taxonomy)
		if err != nil {
			t.Fatal(err)
		}
		result, spread := ranked(t, f, c, day, c.Spotlight)
		if len(result.Referrals) != onward.DefaultListLimit || result.Referrals[0].Score < 0.3 {
			t.Fatalf("%s: %d referrals, the best with %.2f", day, len(result.Referrals), result.Referrals[0].Score)
		}
		trade := 0
		for _, r := range result.Referrals[:5] {
			if strings.Contains(strings.ToLower(r.Opportunity.Title["en"]), "bricklayer") {
				trade++
			}
		}
		if trade < 2 {
			t.Errorf("%s: %d of the first five are for bricklayers", day, trade)
		}
		if len(spread.Places) < 3 || spread.Places[0].Probability > 0.8 {
			t.Errorf("%s: the likely destination is %+v", day, spread.Places)
		}
		missing := map[string]bool{}
		for _, m := range result.NearMisses {
			missing[strings.Join(m.Missing, "+")] = true
		}
		if !missing["driving_licence"] || !missing["tax_number"] {
			t.Errorf("%s: near misses by %v only", day, missing)
		}
	}
}
