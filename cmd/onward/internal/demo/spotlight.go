package demo

import "onward"

// spotlight is the person whose list the demonstration shows: a bricklayer and roofer from a small town of Michoacán, now in
// a city, with kin in others, without a driving licence.
func (g *generator) spotlight() onward.ReturneeDetails {
	year := g.today.Time().Year()
	ago := func(days int) onward.Date { return g.today.AddDays(-days) }
	r := onward.ReturneeDetails{
		ExternalID: spotlightID, Country: country, Language: "es",
		Identity:   onward.Identity{GivenName: "Ramiro", FamilyName: "Tzintzun Magaña", Sex: "male", Phone: "+52 55 5555 0101", Email: "ramiro.tzintzun@example.org"},
		BirthDate:  onward.NewDate(year-37, 3, 14),
		ReturnedOn: ago(74),
		Experience: []onward.Experience{
			{OccupationID: g.occupation("bricklayer").id, Years: 6, LastYear: year},
			{OccupationID: g.occupation("roofer").id, Years: 4, LastYear: year - 3},
			{OccupationID: g.occupation("own-home-builder").id, Years: 3, LastYear: year - 11, UnseenUnpaid: true},
		},
		Languages: []onward.LanguageSkill{{Language: "es", Level: "C2"}, {Language: "en", Level: "B1"}},
		Documents: []onward.PersonDocument{
			{Kind: onward.NationalID, Status: onward.DocumentHeld},
			{Kind: onward.BirthCertificate, Status: onward.DocumentHeld},
			{Kind: onward.SocialSecurityNumber, Status: onward.DocumentHeld},
			{Kind: onward.TaxNumber, Status: onward.DocumentApplied, ExpectedOn: g.today.AddDays(45)},
			{Kind: onward.DrivingLicence, Status: onward.DocumentMissing},
			{Kind: onward.BankAccount, Status: onward.DocumentApplied, ExpectedOn: g.today.AddDays(10)},
			{Kind: onward.TradeCertificate, Status: onward.DocumentMissing},
		},
		Education: pointer(2),
		Places: []onward.PersonPlace{
			{PlaceID: g.place("Tacámbaro de Codallos").ID, Relation: onward.PlaceOrigin, RecordedOn: ago(70)},
			{PlaceID: g.place("Morelia").ID, Relation: onward.PlaceCurrent, RecordedOn: ago(12)},
			{PlaceID: g.place("Guadalajara").ID, Relation: onward.PlaceKin, RecordedOn: ago(12)},
			{PlaceID: g.place("Guadalajara").ID, Relation: onward.PlaceIntended, RecordedOn: ago(12)},
			{PlaceID: g.place("Santiago de Querétaro").ID, Relation: onward.PlaceKin, RecordedOn: ago(70)},
			{PlaceID: g.place("Tijuana").ID, Relation: onward.PlacePrevious, RecordedOn: ago(70)},
		},
		Intention:     &onward.OnwardIntention{Intention: onward.IntendsToMove, RecordedOn: ago(12)},
		AvailableFrom: g.today.AddDays(7),
		Preferences: onward.Preferences{
			Kinds: []onward.Kind{onward.Job, onward.EnterpriseGrant, onward.Cooperative}, ReservationMinor: pointer(int64(12_500_00)), Currency: currency,
			HoursPerWeek: pointer(48.0), NeedsChildcare: pointer(false), MaxCommuteMinutes: pointer(60),
		},
		Household: onward.Household{Adults: pointer(2), Children: pointer(2), CapitalMinor: pointer(int64(15_000_00)), Currency: currency},
		Consents: []onward.Consent{
			{Purpose: onward.ConsentMatching, GivenOn: ago(70), ExpiresOn: ago(70).AddDays(365), Language: "es"},
			{Purpose: onward.ConsentSharing, GivenOn: ago(70), ExpiresOn: ago(70).AddDays(365), Language: "es"},
			{Purpose: onward.ConsentFollowUp, GivenOn: ago(12), ExpiresOn: ago(12).AddDays(365), Language: "es"},
		},
	}
	for _, s := range []struct {
		slug         string
		level        onward.Level
		verification onward.Verification
		last         int
	}{
		{"lay-bricks", onward.LevelExperienced, onward.Referenced, year},
		{"lay-concrete-blocks", onward.LevelExpert, onward.Referenced, year},
		{"build-masonry", onward.LevelExperienced, onward.Referenced, year},
		{"mix-mortar", onward.LevelExpert, onward.SelfDeclared, year},
		{"plaster-walls", onward.LevelWorking, onward.SelfDeclared, year - 1},
		{"fit-roof-sheets", onward.LevelExperienced, onward.Tested, year - 3},
		{"lay-roof-tiles", onward.LevelWorking, onward.SelfDeclared, year - 3},
		{"work-at-height", onward.LevelExperienced, onward.Certified, year - 3},
		{"measure-and-level-on-site", onward.LevelExperienced, onward.SelfDeclared, year},
		{"read-plans-and-instructions", onward.LevelBasic, onward.SelfDeclared, year},
		{"train-others", onward.LevelWorking, onward.SelfDeclared, year},
	} {
		known, ok := g.vocabulary.skills[s.slug]
		if !ok {
			g.missing = append(g.missing, "skill "+s.slug)
			continue
		}
		r.Skills = append(r.Skills, onward.ReturneeSkill{SkillID: known.id, Level: s.level, Verification: s.verification, LastUsedYear: s.last})
	}
	return r
}
