package demo

import (
	"fmt"
	"math"

	"onward"
)

const (
	spotlightID = "CASE-0001"
	// womenShare of the caseload.
	womenShare = 0.42
)

// story is a kind of working life: what people did abroad, and at home before they left.
type story struct {
	women, men float64 // how common among them
	abroad     []string
	home       []string
	english    []onward.CEFR
	young      bool // grew up abroad, few years of work
	unpaid     bool // mostly worked unpaid
}

var stories = []story{
	{
		1, 26,
		[]string{"bricklayer", "roofer", "drywall-installer", "concrete-worker", "building-painter", "tiler", "building-labourer", "carpenter", "insulation-installer"},
		[]string{"building-labourer", "own-home-builder", "crop-labourer", "subsistence-crop-farmer"},
		[]onward.CEFR{"A1", "A2", "A2", "B1", "B1"},
		false, false,
	},
	{
		3, 9,
		[]string{"plumber", "building-electrician", "welder", "refrigeration-mechanic", "steel-erector"},
		[]string{"building-labourer", "gate-and-grille-maker", "odd-job-repairer"},
		[]onward.CEFR{"A2", "B1", "B1", "B2"},
		false, false,
	},
	{
		16, 14,
		[]string{"cook", "kitchen-helper", "grill-cook", "fast-food-preparer", "waiter"},
		[]string{"street-food-seller", "kitchen-helper", "market-stall-seller", "subsistence-crop-farmer"},
		[]onward.CEFR{"A2", "B1", "B1", "B2"},
		false, false,
	},
	{
		1, 11,
		[]string{"gardener", "garden-labourer", "nursery-grower"},
		[]string{"field-crop-farmer", "subsistence-crop-farmer", "crop-labourer"},
		[]onward.CEFR{"A1", "A2", "B1"},
		false, false,
	},
	{
		7, 11,
		[]string{"fruit-picker", "crop-labourer", "livestock-labourer", "tractor-driver", "greenhouse-grower"},
		[]string{"subsistence-mixed-farmer", "field-crop-farmer", "crop-labourer", "backyard-animal-keeper"},
		[]onward.CEFR{"A1", "A1", "A2"},
		false, false,
	},
	{
		8, 9,
		[]string{"slaughterhouse-worker", "poultry-processor", "meat-processor", "food-packer", "butcher"},
		[]string{"subsistence-mixed-farmer", "food-packer", "street-food-seller"},
		[]onward.CEFR{"A1", "A2", "B1"},
		false, false,
	},
	{
		5, 10,
		[]string{"warehouse-worker", "forklift-operator", "hand-packer", "freight-handler", "stock-clerk"},
		[]string{"freight-handler", "shelf-filler", "crop-labourer"},
		[]onward.CEFR{"A2", "B1", "B1", "B2"},
		false, false,
	},
	{
		24, 3,
		[]string{"domestic-worker", "office-cleaner", "room-attendant", "housekeeping-supervisor", "laundry-machine-operator"},
		[]string{"homemaker", "market-stall-seller", "domestic-worker"},
		[]onward.CEFR{"A1", "A2", "A2", "B1"},
		false, false,
	},
	{
		14, 2,
		[]string{"nanny", "home-care-worker", "care-home-assistant", "childcare-worker", "companion"},
		[]string{"carer-of-older-relative", "unpaid-childcarer", "homemaker"},
		[]onward.CEFR{"A2", "B1", "B1", "B2"},
		false, false,
	},
	{
		8, 6,
		[]string{"production-worker", "product-assembler", "electronics-assembler", "packing-machine-operator", "quality-inspector"},
		[]string{"production-worker", "sewing-machine-operator", "crop-labourer"},
		[]onward.CEFR{"A1", "A2", "B1"},
		false, false,
	},
	{
		7, 1,
		[]string{"sewing-machine-operator", "clothes-alterer", "garment-presser", "dressmaker"},
		[]string{"household-mender", "embroiderer", "sewing-machine-operator"},
		[]onward.CEFR{"A1", "A2"},
		false, false,
	},
	{
		0, 7,
		[]string{"vehicle-mechanic", "tyre-repairer", "panel-beater", "diesel-mechanic", "vehicle-washer"},
		[]string{"vehicle-mechanic", "odd-job-repairer", "tyre-repairer"},
		[]onward.CEFR{"A2", "B1", "B1"},
		false, false,
	},
	{
		1, 8,
		[]string{"van-delivery-driver", "heavy-truck-driver", "app-based-driver", "articulated-truck-driver"},
		[]string{"taxi-driver", "van-delivery-driver", "tractor-driver"},
		[]onward.CEFR{"A2", "B1", "B2"},
		false, false,
	},
	{
		6, 3,
		[]string{"cashier", "shop-assistant", "shelf-filler", "shopkeeper"},
		[]string{"family-shop-helper", "market-stall-seller"},
		[]onward.CEFR{"A2", "B1", "B2"},
		false, false,
	},
	{
		6, 6,
		[]string{"call-centre-agent", "fast-food-preparer", "warehouse-worker", "shop-assistant", "ict-support-technician"},
		[]string{"family-interpreter"},
		[]onward.CEFR{"B2", "C1", "C1", "C2"},
		true, false,
	},
	{
		9, 0,
		[]string{"homemaker", "unpaid-childcarer", "family-interpreter"},
		[]string{"homemaker", "kitchen-gardener", "community-kitchen-cook", "carer-of-older-relative"},
		[]onward.CEFR{"A1", "A2"},
		false, true,
	},
	{3, 1, []string{"hairdresser", "nail-technician", "barber"}, []string{"hairdresser", "market-stall-seller"}, []onward.CEFR{"A2", "B1", "B1"}, false, false},
	{1, 2, []string{"office-clerk", "bookkeeper", "software-developer", "nursing-aide"}, []string{"office-clerk", "private-tutor"}, []onward.CEFR{"B1", "B2", "C1"}, false, false},
}

// unpaidWork names the occupations that are done unpaid; the taxonomy marks them too.
var unpaidWork = map[string]bool{
	"homemaker": true, "unpaid-childcarer": true, "carer-of-older-relative": true, "own-home-builder": true, "household-mender": true,
	"subsistence-crop-farmer": true, "subsistence-mixed-farmer": true, "backyard-animal-keeper": true, "kitchen-gardener": true,
	"family-shop-helper": true, "family-interpreter": true, "community-kitchen-cook": true,
}

func (g *generator) makeReturnees() []onward.ReturneeDetails {
	g.stream(3)
	women := newLottery(stories, func(s story) float64 { return s.women })
	men := newLottery(stories, func(s story) float64 { return s.men })
	list := make([]onward.ReturneeDetails, ReturneeCount)
	list[0] = g.spotlight()
	for i := 1; i < len(list); i++ {
		p := person{generator: g, woman: g.chance(womenShare), caseNumber: i + 1}
		p.story = men.pick(g.draw)
		if p.woman {
			p.story = women.pick(g.draw)
		}
		list[i] = p.details()
	}
	return list
}

// person is one returnee under way.
type person struct {
	*generator
	story      story
	woman      bool
	caseNumber int
	age        int
	returned   onward.Date
	yearsAway  int
	r          onward.ReturneeDetails
}

func (p *person) details() onward.ReturneeDetails {
	p.life()
	p.r.ExternalID, p.r.Country, p.r.Language = fmt.Sprintf("CASE-%04d", p.caseNumber), country, "es"
	p.identity()
	p.work()
	p.places()
	p.papers()
	p.wishes()
	p.safety()
	p.consents()
	return p.r
}

// life: when the person was born, left and came back.
func (p *person) life() {
	if p.story.young {
		p.age = p.between(18, 29)
	} else {
		p.age = int(math.Round(17 + 46*(p.Float64()+p.Float64()+p.Float64()*0.6)/2.6))
	}
	if p.chance(0.02) {
		p.age = 17
	}
	p.r.BirthDate = p.today.AddDays(-int(float64(p.age)*365.25) - p.between(2, 360))
	p.age = p.r.BirthDate.YearsUntil(p.today)
	if p.chance(0.02) {
		p.r.BirthDate = onward.Date{}
	}
	p.returned = p.daysAgo(p.today, 5, 420)
	p.r.ReturnedOn = p.returned
	most := max(1, p.age-17)
	p.yearsAway = min(most, p.between(1, 6)+p.IntN(14))
	if p.story.young {
		p.yearsAway = p.age - p.between(3, 9)
	}
}

func (p *person) identity() {
	given, sex := one(p.draw, mensNames), "male"
	if p.woman {
		given, sex = one(p.draw, womensNames), "female"
	}
	first, second := one(p.draw, surnames), one(p.draw, surnames)
	p.r.Identity = onward.Identity{GivenName: given, FamilyName: first + " " + second, Sex: sex}
	if p.chance(0.9) {
		p.r.Identity.Phone = fmt.Sprintf("+52 55 5555 %04d", p.IntN(10_000))
	}
	if p.chance(0.45) {
		p.r.Identity.Email = fmt.Sprintf("%s.%s.%d@example.org", asciiWord(given), asciiWord(first), p.caseNumber)
	}
}

// work: one to three occupations, with the skills that someone asked about.
func (p *person) work() {
	year := p.returned.Time().Year()
	working := max(1, min(p.yearsAway, p.age-16))
	abroad := some(p.draw, p.story.abroad, p.between(1, 2))
	for i, slug := range abroad {
		years := math.Max(0.5, math.Round(float64(working)/float64(len(abroad))*p.within(0.6, 1)*2)/2)
		p.experience(slug, years, year-i*p.between(1, 3), i == 0)
	}
	if p.age-p.yearsAway > 17 && p.chance(0.75) {
		before := year - p.yearsAway
		p.experience(one(p.draw, p.story.home), float64(p.between(1, max(1, min(12, p.age-p.yearsAway-16)))), max(before, year-40), false)
	}
	if (p.woman && p.chance(0.4) || p.chance(0.1)) && !p.story.unpaid {
		p.experience(one(p.draw, []string{"homemaker", "unpaid-childcarer", "carer-of-older-relative"}), float64(p.between(2, 10)), year, false)
	}
	p.r.Languages = append(p.r.Languages, onward.LanguageSkill{Language: "es", Level: one(p.draw, []onward.CEFR{"C1", "C2", "C2"})})
	p.r.Languages = append(p.r.Languages, onward.LanguageSkill{Language: "en", Level: one(p.draw, p.story.english)})
	if p.story.young {
		p.r.Languages[0].Level = one(p.draw, []onward.CEFR{"B1", "B2", "B2", "C1"})
	}
	if p.chance(0.9) {
		level := one(p.draw, []int{1, 1, 2, 2, 2, 3, 3, 4})
		if p.story.young {
			level = one(p.draw, []int{2, 3, 3, 4})
		}
		p.r.Education = &level
	}
}

// experience adds an occupation, and for the main one most of its skills with level and verification.
func (p *person) experience(slug string, years float64, lastYear int, main bool) {
	occ := p.occupation(slug)
	for _, e := range p.r.Experience {
		if e.OccupationID == occ.id {
			return
		}
	}
	years = math.Min(years, float64(max(1, p.age-14)))
	p.r.Experience = append(p.r.Experience, onward.Experience{
		OccupationID: occ.id, Years: years, LastYear: lastYear, UnseenUnpaid: unpaidWork[slug],
	})
	asked := p.between(0, 2)
	if main {
		asked = p.between(4, 7)
	}
	level := onward.LevelWorking
	switch {
	case years < 1:
		level = onward.LevelBasic
	case years >= 10:
		level = onward.LevelExpert
	case years >= 4:
		level = onward.LevelExperienced
	}
	skills := some(p.draw, occ.essential, asked)
	if main {
		skills = append(skills, some(p.draw, occ.optional, p.between(0, 3))...)
	}
	for i, s := range skills {
		if hasSkill(p.r, s.id) {
			continue
		}
		own := onward.ReturneeSkill{SkillID: s.id, Level: level, LastUsedYear: lastYear, UnseenUnpaid: unpaidWork[slug]}
		if i > 2 && level > onward.LevelBasic && p.chance(0.4) {
			own.Level--
		}
		if p.chance(0.1) {
			own.Level = onward.LevelUnknown
		}
		switch r := p.Float64(); {
		case r < 0.66:
			own.Verification = onward.SelfDeclared
		case r < 0.86:
			own.Verification = onward.Referenced
		case r < 0.95:
			own.Verification = onward.Tested
		default:
			own.Verification = onward.Certified
		}
		p.r.Skills = append(p.r.Skills, own)
	}
}

func hasSkill(r onward.ReturneeDetails, id string) bool {
	for _, s := range r.Skills {
		if s.SkillID == id {
			return true
		}
	}
	return false
}

// places: a smaller town of origin; now there, at the border or in a big city; earlier stays, kin and plans.
func (p *person) places() {
	origin := p.atlas.origins.pick(p.draw)
	current := origin
	switch r := p.Float64(); {
	case r < 0.33:
	case r < 0.55:
		current = p.atlas.borders.pick(p.draw)
	default:
		current = p.near(origin)
	}
	seen := p.daysAgo(p.today, 0, max(1, min(120, p.returned.DaysUntil(p.today))))
	add := func(place onward.Place, relation onward.PlaceRelation, on onward.Date) {
		for _, known := range p.r.Places {
			if known.PlaceID == place.ID && known.Relation == relation {
				return
			}
		}
		p.r.Places = append(p.r.Places, onward.PersonPlace{PlaceID: place.ID, Relation: relation, RecordedOn: on})
	}
	add(origin, onward.PlaceOrigin, p.returned)
	add(current, onward.PlaceCurrent, seen)
	if p.chance(0.62) {
		add(origin, onward.PlaceKin, p.returned)
	}
	for range p.IntN(3) {
		add(p.near(origin), onward.PlaceKin, seen)
	}
	if p.chance(0.35) {
		add(p.atlas.cities.pick(p.draw), onward.PlacePrevious, p.returned)
	}
	if current.ID != origin.ID && p.chance(0.3) {
		add(p.atlas.borders.pick(p.draw), onward.PlacePrevious, p.returned)
	}
	said := p.daysAgo(p.today, 0, max(1, p.returned.DaysUntil(p.today)))
	intention := onward.OnwardIntention{RecordedOn: said}
	switch r := p.Float64(); {
	case r < 0.12:
		return
	case r < 0.45:
		intention.Intention = onward.IntendsToStay
	case r < 0.7:
		intention.Intention = onward.IntendsToMove
		if p.chance(0.7) {
			add(p.near(origin), onward.PlaceIntended, said)
		}
	case r < 0.8:
		intention.Intention = onward.IntendsToGoAbroad
	default:
		intention.Intention = onward.IntentionUndecided
	}
	p.r.Intention = &intention
}

// near picks a city, nearer ones rather: people follow roads and relatives.
func (p *person) near(origin onward.Place) onward.Place {
	for range 8 {
		city := p.atlas.cities.pick(p.draw)
		km := onward.DistanceKm(origin.Lat, origin.Lon, city.Lat, city.Lon)
		if city.ID != origin.ID && p.chance(math.Exp(-km/450)) {
			return city
		}
	}
	return p.atlas.cities.pick(p.draw)
}

// papers: most have a CURP number and a birth certificate; the voter card, tax number and licences are what is missing.
func (p *person) papers() {
	p.paper(onward.NationalID, 0.62, 0.16)
	p.paper(onward.BirthCertificate, 0.85, 0.08)
	p.paper(onward.TaxNumber, 0.35, 0.28)
	p.paper(onward.SocialSecurityNumber, 0.55, 0.2)
	p.paper(onward.BankAccount, 0.32, 0.1)
	p.paper(onward.ProofOfAddress, 0.55, 0.05)
	drives := 0.2
	if !p.woman {
		drives = 0.4
	}
	p.paper(onward.DrivingLicence, drives, 0.1)
	for _, e := range p.r.Experience {
		if e.OccupationID == p.occupation("heavy-truck-driver").id || e.OccupationID == p.occupation("articulated-truck-driver").id {
			p.paper(onward.HeavyVehicleLicence, 0.4, 0.3)
		}
	}
	if p.r.Education != nil && *p.r.Education >= 2 {
		p.paper(onward.SchoolCertificate, 0.5, 0.15)
	}
	if p.chance(0.6) {
		p.paper(onward.CriminalRecordCheck, 0.25, 0.15)
	}
	if p.chance(0.4) {
		p.paper(onward.HealthCard, 0.3, 0.2)
	}
	if p.chance(0.25) {
		p.paper(onward.FoodHandlingCard, 0.3, 0.2)
	}
	if p.chance(0.2) {
		p.paper(onward.TradeCertificate, 0.4, 0.2)
	}
}

// paper adds a document as held, applied for (with the day, mostly), or missing. A tenth stays unknown, a few can't be had.
func (p *person) paper(kind onward.DocumentKind, held, applied float64) {
	d := onward.PersonDocument{Kind: kind}
	switch r := p.Float64(); {
	case r < 0.1:
		return
	case r < 0.1+0.9*held:
		d.Status = onward.DocumentHeld
		if (kind == onward.DrivingLicence || kind == onward.HeavyVehicleLicence) && p.chance(0.6) {
			d.ValidUntil = p.today.AddDays(p.between(-30, 1500))
		}
	case r < 0.1+0.9*(held+applied):
		d.Status = onward.DocumentApplied
		if p.chance(0.8) {
			d.ExpectedOn = p.today.AddDays(p.between(5, 75))
		}
	case r > 0.995:
		d.Status = onward.DocumentUnobtainable
	default:
		d.Status = onward.DocumentMissing
	}
	p.r.Documents = append(p.r.Documents, d)
}

func (p *person) wishes() {
	adults, children := p.between(1, 4), p.IntN(4)
	if p.age < 22 {
		children = p.IntN(2)
	}
	if p.chance(0.85) {
		p.r.Household = onward.Household{Adults: &adults, Children: &children}
	}
	if p.chance(0.4) {
		capital := int64(p.between(0, 60)) * 1000 * 100
		p.r.Household.CapitalMinor, p.r.Household.Currency = &capital, currency
	}
	if p.chance(0.75) {
		wage := int64(p.between(96, 180)) * 100 * 100
		if p.woman {
			wage = int64(p.between(96, 150)) * 100 * 100
		}
		p.r.Preferences.ReservationMinor, p.r.Preferences.Currency = &wage, currency
	}
	cares := children > 0 && (p.woman && p.chance(0.55) || p.chance(0.1))
	if p.chance(0.7) {
		p.r.Preferences.NeedsChildcare = &cares
	}
	if p.chance(0.6) {
		hours := 48.0
		if cares {
			hours = one(p.draw, []float64{25, 30, 40})
		}
		p.r.Preferences.HoursPerWeek = &hours
	}
	if p.chance(0.6) {
		p.r.Preferences.Kinds = []onward.Kind{onward.Job}
		if p.story.unpaid || p.chance(0.25) {
			p.r.Preferences.Kinds = append(p.r.Preferences.Kinds, onward.Training)
		}
		if p.age < 27 && p.chance(0.4) {
			p.r.Preferences.Kinds = append(p.r.Preferences.Kinds, onward.Apprenticeship)
		}
		if p.age > 30 && p.chance(0.3) {
			p.r.Preferences.Kinds = append(p.r.Preferences.Kinds, onward.EnterpriseGrant)
		}
	}
	if p.chance(0.5) {
		p.r.Preferences.MaxCommuteMinutes = pointer(one(p.draw, []int{30, 45, 60, 60, 90, 120}))
	}
	if p.chance(0.75) {
		p.r.AvailableFrom = p.today.AddDays(p.between(-20, 45))
	}
}

func (p *person) safety() {
	if p.chance(0.05) {
		origin := p.r.PlacesBy(onward.PlaceOrigin)[0]
		p.r.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: origin.PlaceID, RadiusKm: float64(one(p.draw, []int{10, 25, 50}))}}
	} else if p.chance(0.03) {
		p.r.Safety.ExcludedPlaces = []onward.ExcludedPlace{{PlaceID: p.atlas.cities.pick(p.draw).ID, RadiusKm: 20}}
	}
	p.r.Safety.Protection = p.chance(0.06)
}

func (p *person) consents() {
	given := p.daysAgo(p.today, 0, max(1, min(180, p.returned.DaysUntil(p.today))))
	consent := func(purpose onward.ConsentPurpose) onward.Consent {
		return onward.Consent{Purpose: purpose, GivenOn: given, ExpiresOn: given.AddDays(365), Language: "es"}
	}
	switch r := p.Float64(); {
	case r < 0.955:
		p.r.Consents = append(p.r.Consents, consent(onward.ConsentMatching))
	case r < 0.975:
		withdrawn := consent(onward.ConsentMatching)
		withdrawn.WithdrawnOn = given.AddDays(p.IntN(given.DaysUntil(p.today) + 1))
		p.r.Consents = append(p.r.Consents, withdrawn)
	default: // not asked yet
		return
	}
	if p.chance(0.88) {
		p.r.Consents = append(p.r.Consents, consent(onward.ConsentSharing))
	}
	if p.chance(0.85) {
		p.r.Consents = append(p.r.Consents, consent(onward.ConsentFollowUp))
	}
}
