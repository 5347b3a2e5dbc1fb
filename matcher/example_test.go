package matcher_test

import (
	"fmt"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// A ranked list from nothing but values: no database, no index, no clock.
func Example() {
	taxonomy, err := skills.New(onward.Taxonomy{
		Release: "example-1",
		Concepts: []onward.Concept{
			{ID: "bricks", Kind: onward.ConceptSkill, Labels: []onward.Label{{Language: "en", Text: "lay bricks", Preferred: true}}},
			{ID: "mortar", Kind: onward.ConceptSkill, Labels: []onward.Label{{Language: "en", Text: "mix mortar", Preferred: true}}},
			{ID: "bricklayer", Kind: onward.ConceptOccupation},
		},
		Relations: []onward.Relation{
			{From: "bricklayer", To: "bricks", Kind: onward.RelationEssential},
			{From: "bricklayer", To: "mortar", Kind: onward.RelationEssential},
		},
	})
	if err != nil {
		panic(err)
	}
	puebla := onward.Place{ID: 3521081, Name: "Puebla", Country: "MX", Lat: 19.0379, Lon: -98.2035, Population: 1_590_000}
	oaxaca := onward.Place{ID: 3522507, Name: "Oaxaca", Country: "MX", Lat: 17.0605, Lon: -96.7254, Population: 262_000}
	gazetteer := destination.NewGazetteer("MX", []onward.Place{puebla, oaxaca})
	day := onward.NewDate(2026, 11, 24)

	returnee := onward.ReturneeDetails{
		Country:  "MX",
		Skills:   []onward.ReturneeSkill{{SkillID: "bricks", Level: onward.LevelExpert, Verification: onward.Tested, LastUsedYear: 2026}},
		Places:   []onward.PersonPlace{{PlaceID: oaxaca.ID, Relation: onward.PlaceOrigin}, {PlaceID: puebla.ID, Relation: onward.PlaceKin, RecordedOn: day}},
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: day}},
	}
	opening := func(n byte, place onward.Place) matcher.Opening {
		return matcher.NewOpening(onward.Opportunity{ID: onward.ID{15: n}, OpportunityDetails: onward.OpportunityDetails{
			Kind: onward.Job, Title: onward.Text{"en": "Bricklayer in " + place.Name}, Capacity: 1,
			Skills: []onward.OpportunitySkill{{SkillID: "bricks", Essential: true}, {SkillID: "mortar"}},
		}}, place, "MX", taxonomy)
	}

	person := matcher.NewPerson(returnee, taxonomy, day)
	model := destination.NewModel(gazetteer, destination.Priors())
	reach := matcher.NewReach(model.Predict(destination.NewPerson(returnee), day), gazetteer, person)
	result := matcher.Rank(person, reach, []matcher.Opening{opening(1, oaxaca), opening(2, puebla)}, matcher.Options{Today: day, Language: "en"})
	for _, line := range result.Referrals {
		fmt.Printf("%d. %s: %.2f = fit %.2f x reach %.2f x terms %.2f\n", line.Rank, line.Opportunity.Title["en"], line.Score, line.Fit, line.Reach, line.Terms)
	}
	for _, skill := range result.Referrals[0].Explanation.Skills {
		fmt.Printf("   %s: weight %.2f, strength %.2f\n", skill.Label, skill.Weight, skill.Strength)
	}
	// Output:
	// 1. Bricklayer in Oaxaca: 0.46 = fit 0.81 x reach 0.57 x terms 1.00
	// 2. Bricklayer in Puebla: 0.32 = fit 0.81 x reach 0.40 x terms 1.00
	//    lay bricks: weight 0.41, strength 1.00
	//    mix mortar: weight 0.14, strength 0.27
}
