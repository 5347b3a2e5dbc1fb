package matcher_test

import (
	"testing"
	"time"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

const (
	mexicoCity onward.PlaceID = 3530597
	puebla     onward.PlaceID = 3521081
	cholula    onward.PlaceID = 3516843
	oaxaca     onward.PlaceID = 3522507
	tijuana    onward.PlaceID = 3981609
	village    onward.PlaceID = onward.FirstOwnPlaceID + 1
)

func places() []onward.Place {
	mx := func(id onward.PlaceID, name, admin1 string, lat, lon float64, population int) onward.Place {
		return onward.Place{ID: id, Name: name, Country: "MX", Admin1Name: admin1, Lat: lat, Lon: lon, Population: population}
	}
	return []onward.Place{
		mx(mexicoCity, "Mexico City", "Mexico City", 19.4285, -99.1277, 12_294_000),
		mx(puebla, "Puebla", "Puebla", 19.0379, -98.2035, 1_590_000),
		mx(cholula, "Cholula", "Puebla", 19.0633, -98.3064, 88_000),
		mx(oaxaca, "Oaxaca", "Oaxaca", 17.0605, -96.7254, 262_000),
		mx(tijuana, "Tijuana", "Baja California", 32.5027, -117.0037, 1_810_000),
		mx(village, "Tlacolula", "Oaxaca", 16.9543, -96.4748, 9_000),
	}
}

func gazetteer() *destination.Gazetteer { return destination.NewGazetteer("MX", places()) }

func today() onward.Date { return onward.NewDate(2026, time.November, 24) }

// taxonomy is a small release: building, kitchen, and one skill that everyone needs.
func taxonomy() *skills.Taxonomy {
	release := onward.Taxonomy{Release: "test-1"}
	add := func(id string, kind onward.ConceptKind, english, spanish string) {
		c := onward.Concept{ID: id, Kind: kind, Labels: []onward.Label{{Language: "en", Text: english, Preferred: true}}}
		if spanish != "" {
			c.Labels = append(c.Labels, onward.Label{Language: "es", Text: spanish, Preferred: true})
		}
		release.Concepts = append(release.Concepts, c)
	}
	for id, names := range map[string][2]string{
		"bricks": {"lay bricks", "colocar ladrillos"}, "mortar": {"mix mortar", "preparar mortero"}, "plaster": {"plaster walls", "enlucir paredes"},
		"masonry": {"build masonry", ""}, "tiles": {"lay tiles", "colocar azulejos"}, "safety": {"work safely", "trabajar con seguridad"},
		"stew": {"cook stews", "guisar"}, "hygiene": {"keep food safe", ""}, "accounts": {"keep accounts", ""}, "english": {"speak to guests", ""},
	} {
		add(id, onward.ConceptSkill, names[0], names[1])
	}
	for _, id := range []string{"bricklayer", "tiler", "cook", "clerk"} {
		add(id, onward.ConceptOccupation, id, "")
	}
	relate := func(kind onward.RelationKind, from string, to ...string) {
		for _, t := range to {
			release.Relations = append(release.Relations, onward.Relation{From: from, To: t, Kind: kind})
		}
	}
	relate(onward.RelationEssential, "bricklayer", "bricks", "mortar", "safety")
	relate(onward.RelationOptional, "bricklayer", "plaster", "accounts")
	relate(onward.RelationEssential, "tiler", "tiles", "mortar", "safety")
	relate(onward.RelationEssential, "cook", "stew", "hygiene", "safety")
	relate(onward.RelationOptional, "cook", "english")
	relate(onward.RelationEssential, "clerk", "accounts")
	relate(onward.RelationBroader, "bricks", "masonry")
	relate(onward.RelationRelated, "plaster", "mortar")
	loaded, err := skills.New(release)
	if err != nil {
		panic(err)
	}
	return loaded
}

func id(n byte) onward.ID { return onward.ID{15: n} }

// post is a vetted bricklaying job in a place, changed as the test needs.
func post(n byte, place onward.PlaceID, change ...func(*onward.Opportunity)) matcher.Opening {
	published := today().AddDays(-3).Time()
	o := onward.Opportunity{
		ID: id(n), OrganisationID: id(200), Organisation: "Casa Monarca", Version: 1, Status: onward.OpportunityOpen, PublishedAt: &published,
		OpportunityDetails: onward.OpportunityDetails{
			Kind: onward.Job, Title: onward.Text{"en": "Bricklayer", "es": "Albañil"}, PlaceID: place, Capacity: 2,
			Skills: []onward.OpportunitySkill{
				{SkillID: "bricks", Essential: true}, {SkillID: "mortar", Essential: true}, {SkillID: "safety", Essential: true}, {SkillID: "plaster"},
			},
			Vetting: onward.VettingPassed,
		},
	}
	for _, c := range change {
		c(&o)
	}
	var where onward.Place
	for _, p := range places() {
		if p.ID == o.PlaceID {
			where = p
		}
	}
	return matcher.NewOpening(o, where, "MX", taxonomy())
}

// mason is a returnee who lays bricks, from a village near Oaxaca, with kin in Puebla.
func mason(change ...func(*onward.ReturneeDetails)) onward.ReturneeDetails {
	r := onward.ReturneeDetails{
		Country: "MX", BirthDate: onward.NewDate(1990, time.May, 1),
		Skills: []onward.ReturneeSkill{
			{SkillID: "bricks", Level: onward.LevelExperienced, Verification: onward.Referenced, LastUsedYear: 2026},
			{SkillID: "safety", Level: onward.LevelWorking, Verification: onward.SelfDeclared, LastUsedYear: 2025},
		},
		Languages: []onward.LanguageSkill{{Language: "es", Level: "C2"}, {Language: "en", Level: "A2"}},
		Documents: []onward.PersonDocument{{Kind: onward.NationalID, Status: onward.DocumentHeld}, {Kind: onward.DrivingLicence, Status: onward.DocumentMissing}},
		Places: []onward.PersonPlace{
			{PlaceID: village, Relation: onward.PlaceOrigin, RecordedOn: today().AddDays(-40)},
			{PlaceID: puebla, Relation: onward.PlaceKin, RecordedOn: today().AddDays(-40)},
		},
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: today().AddDays(-40)}},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

// setting is what most tests need: a person with the reach of a stated spread.
type setting struct {
	person matcher.Person
	reach  matcher.Reach
}

func setUp(r onward.ReturneeDetails, stated ...onward.LikelyPlace) setting {
	if len(stated) == 0 {
		stated = []onward.LikelyPlace{{PlaceID: village, Probability: 0.5}, {PlaceID: puebla, Probability: 0.4}, {Probability: 0.1}}
	}
	person := matcher.NewPerson(r, taxonomy(), today())
	return setting{person, matcher.NewReach(destination.Stated(stated), gazetteer(), person)}
}

func (s setting) rank(openings ...matcher.Opening) matcher.Result {
	return matcher.Rank(s.person, s.reach, openings, matcher.Options{Today: today(), Language: "en"})
}

// only ranks one opening and returns its line; the test fails when it is not on the list.
func (s setting) only(t *testing.T, o matcher.Opening) onward.RankedReferral {
	t.Helper()
	result := s.rank(o)
	if len(result.Referrals) != 1 {
		t.Fatalf("not on the list: %+v", result)
	}
	return result.Referrals[0]
}

func ptr[T any](value T) *T { return &value }
